/*
 * graph_profile.c - deviceManagement/deviceConfigurations: SCEP and trusted-root profiles as the beta
 * API shows them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "intunesim/graph.h"
#include "intunesim/services.h"
#include "ossl/eku.h"

#define PAGE_CONFIGURATIONS 1000u

static const char *const roles[] = { "DeviceManagementConfiguration.Read.All", NULL };

/* An entry of the collection: one of the two is set. */
struct configuration {
	const struct profile *profile;
	const struct root *root;
};

/* An item is a pointer into one of the tenant's two arrays. */
static struct configuration
of(const struct call *c, const void *item)
{
	const struct tenant *t = c->tenant;
	uintptr_t at = (uintptr_t)item, first = (uintptr_t)t->profiles;

	if (at >= first && at < first + t->n_profiles * sizeof(*t->profiles))
		return (struct configuration){ .profile = item };
	return (struct configuration){ .root = item };
}

/*
 * Types by platform and kind of Android management (columns of enum management, and a root's).  A
 * trusted root serves all kinds of Android here.
 */
static const char *
type_name(const struct call *c, const void *item)
{
	static const char *const roots[PLATFORM__MAX] = {
		[PLATFORM_WINDOWS] = "microsoft.graph.windows81TrustedRootCertificate",
		[PLATFORM_IOS] = "microsoft.graph.iosTrustedRootCertificate",
		[PLATFORM_MACOS] = "microsoft.graph.macOSTrustedRootCertificate",
		[PLATFORM_ANDROID] = "microsoft.graph.androidForWorkTrustedRootCertificate",
	};
	static const char *const scep[PLATFORM__MAX] = {
		[PLATFORM_WINDOWS] = "microsoft.graph.windows81SCEPCertificateProfile",
		[PLATFORM_IOS] = "microsoft.graph.iosScepCertificateProfile",
		[PLATFORM_MACOS] = "microsoft.graph.macOSScepCertificateProfile",
	};
	static const char *const managed[] = {
		[MANAGEMENT_KIND_DEFAULT] = "microsoft.graph.androidForWorkScepCertificateProfile",
		[MANAGEMENT_KIND_WORK_PROFILE] =
		    "microsoft.graph.androidForWorkScepCertificateProfile",
		[MANAGEMENT_KIND_DEVICE_OWNER] =
		    "microsoft.graph.androidDeviceOwnerScepCertificateProfile",
		[MANAGEMENT_KIND_AOSP] = "microsoft.graph.aospDeviceOwnerScepCertificateProfile",
		[MANAGEMENT_KIND_DEVICE_ADMINISTRATOR] =
		    "microsoft.graph.androidScepCertificateProfile",
		[MANAGEMENT_KIND_PHONE] = "microsoft.graph.windowsPhone81SCEPCertificateProfile",
	};
	const struct configuration f = of(c, item);
	int kind;

	if (f.root != NULL)
		return roots[f.root->conf->platform];
	kind = f.profile->conf->management;
	if (f.profile->conf->platform == PLATFORM_ANDROID || kind == MANAGEMENT_KIND_PHONE)
		return managed[kind];
	return scep[f.profile->conf->platform];
}

/* ---- values; each is null for what has no such property ---- */

static json_t *
config_id(const struct call *c, const void *item, size_t arg)
{
	const struct configuration f = of(c, item);

	return json_string(f.profile != NULL ? f.profile->id : f.root->id);
}

static json_t *
config_name(const struct call *c, const void *item, size_t arg)
{
	const struct configuration f = of(c, item);

	return json_string(f.profile != NULL ? f.profile->conf->name : f.root->conf->name);
}

static json_t *
config_created(const struct call *c, const void *item, size_t arg)
{
	char text[TIME_TEXT_MAX];

	time_rfc3339(text, c->tenant->since);
	return json_string(text);
}

/* Words for a number of the profile's conf, and where there is such a property at all. */
struct choice {
	size_t offset; /* of an int in struct profile_conf */
	unsigned platforms;
	const char *const *words;
	size_t n;
};

#define ON(p) (1u << PLATFORM_##p)
#define ALL   (ON(WINDOWS) | ON(IOS) | ON(MACOS) | ON(ANDROID))

static const char *const words_size[] = { "", "size1024", "size2048", "size4096" };
static const char *const words_hash[] = { "sha1", "sha2" };
static const char *const words_scale[] = { "days", "months", "years" };
static const char *const words_ksp[] = { "useTpmKspOtherwiseUseSoftwareKsp",
	"useTpmKspOtherwiseFail", "usePassportForWorkKspOtherwiseFail", "useSoftwareKsp" };
static const char *const words_store[] = { "user", "machine" };
static const char *const words_channel[] = { "deviceChannel", "userChannel" };

#define CHOICE(f, p, w)                                                                            \
	{                                                                                          \
		offsetof(struct profile_conf, f), p, w, sizeof(w) / sizeof(w[0])                   \
	}
enum { KEY_SIZE, HASH, SCALE, KSP, STORE, CHANNEL };
static const struct choice choices[] = {
	[KEY_SIZE] = CHOICE(key_size, ALL, words_size),
	[HASH] = CHOICE(hash, ON(WINDOWS) | ON(ANDROID), words_hash),
	[SCALE] = CHOICE(validity.period, ALL, words_scale),
	[KSP] = CHOICE(ksp, ON(WINDOWS), words_ksp),
	[STORE] = CHOICE(certificate_type, ALL, words_store),
	[CHANNEL] = CHOICE(deployment_channel, ON(MACOS), words_channel),
};

static json_t *
config_choice(const struct call *c, const void *item, size_t arg)
{
	const struct configuration f = of(c, item);
	const struct choice *row = &choices[arg];
	int i;

	if (f.profile == NULL || (row->platforms & 1u << f.profile->conf->platform) == 0)
		return json_null();
	i = *(const int *)(const void *)((const char *)f.profile->conf + row->offset);
	if (i < 0 || (size_t)i >= row->n || row->words[i][0] == '\0')
		return json_null();
	return json_string(row->words[i]);
}

enum { NUMBER_UNITS, NUMBER_THRESHOLD };

static json_t *
config_number(const struct call *c, const void *item, size_t arg)
{
	const struct configuration f = of(c, item);

	if (f.profile == NULL)
		return json_null();
	return json_integer((json_int_t)(arg == NUMBER_UNITS ? f.profile->conf->validity.units
							     : f.profile->conf->renewal_threshold));
}

/* A flags enumeration: its words with commas between. */
static json_t *
config_key_usage(const struct call *c, const void *item, size_t arg)
{
	const struct configuration f = of(c, item);
	unsigned ku = f.profile != NULL ? f.profile->key_usage : 0;

	if (ku == 0)
		return json_null();
	if ((ku & KU_DIGITAL_SIGNATURE) != 0 && (ku & KU_KEY_ENCIPHERMENT) != 0)
		return json_string("keyEncipherment,digitalSignature");
	return json_string(
	    (ku & KU_DIGITAL_SIGNATURE) != 0 ? "digitalSignature" : "keyEncipherment");
}

/* The console's ready-made formats; every other text is a custom one. */
static json_t *
config_subject_format(const struct call *c, const void *item, size_t arg)
{
	static const struct {
		const char *conf, *word;
	} formats[] = {
		{ "common name", "commonName" },
		{ "common name including email", "commonNameIncludingEmail" },
		{ "common name as email", "commonNameAsEmail" },
		{ "imei", "commonNameAsIMEI" },
		{ "serial number", "commonNameAsSerialNumber" },
	};
	const struct configuration f = of(c, item);

	if (f.profile == NULL)
		return json_null();
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (str_eq_nocase(formats[i].conf, f.profile->conf->subject))
			return json_string(formats[i].word);
	}
	return json_string("custom");
}

static json_t *
config_subject(const struct call *c, const void *item, size_t arg)
{
	const struct configuration f = of(c, item);

	return f.profile != NULL ? json_string(f.profile->subject) : json_null();
}

static json_t *
config_sans(const struct call *c, const void *item, size_t arg)
{
	/* by enum san_type, as in struct san_conf */
	static const char *const types[] = { "emailAddress", "userPrincipalName",
		"domainNameService", "universalResourceIdentifier" };
	const struct configuration f = of(c, item);
	const struct san_conf *san;
	json_t *list;

	if (f.profile == NULL)
		return json_null();
	san = f.profile->conf->san.v;
	list = json_array();
	for (size_t i = 0; i < f.profile->conf->san.n; i++)
		json_array_append_new(list,
		    json_pack("{s:s, s:s}", "sanType", types[san[i].type], "name", san[i].value));
	return list;
}

static json_t *
config_eku(const struct call *c, const void *item, size_t arg)
{
	const struct configuration f = of(c, item);
	json_t *list;

	if (f.profile == NULL)
		return json_null();
	list = json_array();
	for (size_t i = 0; i < f.profile->n_eku; i++)
		json_array_append_new(list,
		    json_pack("{s:s, s:s}", "name", eku_name(f.profile->eku[i]), "objectIdentifier",
			f.profile->eku[i]));
	return list;
}

static json_t *
config_urls(const struct call *c, const void *item, size_t arg)
{
	const struct configuration f = of(c, item);
	const struct sim_options *o = &c->sim->options;
	const struct conf_strs *own;
	json_t *list;

	if (f.profile == NULL)
		return json_null();
	own = &f.profile->conf->scep_urls;
	list = json_array();
	for (size_t i = 0; i < o->n_scep_urls; i++)
		json_array_append_new(list, json_string(o->scep_urls[i]));
	for (size_t i = 0; o->n_scep_urls == 0 && i < own->n; i++)
		json_array_append_new(list, json_string(own->v[i]));
	return list;
}

static json_t *
config_root(const struct call *c, const void *item, size_t arg)
{
	const struct configuration f = of(c, item);
	const uint8_t *der;
	struct buf b64;
	json_t *v = NULL;
	size_t len;

	if (f.root == NULL || f.root->cert == NULL)
		return json_null();
	der = cert_der0(f.root->cert, &len);
	buf_init(&b64, 2 * LIMIT_CERT);
	base64_add(&b64, der, len);
	if (b64.rc == RC_OK)
		v = json_string(buf_str(&b64));
	buf_done(&b64);
	return v;
}

static json_t *
config_version(const struct call *c, const void *item, size_t arg)
{
	return json_integer(1);
}

static const struct graph_member members[] = {
	{ "id", config_id, 0, 0 },
	{ "lastModifiedDateTime", config_created, 0, 0 },
	{ "createdDateTime", config_created, 0, 0 },
	{ "description", graph_no_value, 0, 0 },
	{ "displayName", config_name, 0, 0 },
	{ "version", config_version, 0, 0 },
	{ "renewalThresholdPercentage", config_number, NUMBER_THRESHOLD, 0 },
	{ "keyStorageProvider", config_choice, KSP, 0 },
	{ "subjectNameFormat", config_subject_format, 0, 0 },
	{ "subjectNameFormatString", config_subject, 0, 0 },
	{ "certificateValidityPeriodValue", config_number, NUMBER_UNITS, 0 },
	{ "certificateValidityPeriodScale", config_choice, SCALE, 0 },
	{ "extendedKeyUsages", config_eku, 0, 0 },
	{ "customSubjectAlternativeNames", config_sans, 0, 0 },
	{ "scepServerUrls", config_urls, 0, 0 },
	{ "keyUsage", config_key_usage, 0, 0 },
	{ "keySize", config_choice, KEY_SIZE, 0 },
	{ "hashAlgorithm", config_choice, HASH, 0 },
	{ "certificateStore", config_choice, STORE, 0 },
	{ "deploymentChannel", config_choice, CHANNEL, 0 },
	{ "trustedRootCertificate", config_root, 0, 0 },
};

static size_t
count(const void *source)
{
	const struct tenant *t = source;

	return t->n_profiles + t->n_roots;
}

static const void *
item(const void *source, size_t i)
{
	const struct tenant *t = source;

	if (i < t->n_profiles)
		return &t->profiles[i];
	return &t->roots[i - t->n_profiles];
}

static const struct graph_type configurations = {
	"microsoft.graph.deviceConfiguration",
	"deviceManagement/deviceConfigurations",
	members,
	sizeof(members) / sizeof(members[0]),
	roles,
	PAGE_CONFIGURATIONS,
	count,
	item,
	type_name,
};

void
graph_configuration_list(struct call *c)
{
	graph_list(c, &configurations);
}

static const void *
find(const struct tenant *t, const char *id)
{
	const struct profile *p = tenant_profile(t, id);

	for (size_t i = 0; p == NULL && i < t->n_roots; i++) {
		if (str_eq_nocase(t->roots[i].id, id))
			return &t->roots[i];
	}
	return p;
}

void
graph_configuration(struct call *c)
{
	if (graph_admit(c, roles))
		graph_one(c, &configurations, c->arg[0], find(c->tenant, c->arg[0]));
}

/* ---- assignments ---- */

static json_t *
assignment(const struct call *c, const char *id, const char *name)
{
	const struct group *g = tenant_group(c->tenant, name);
	json_t *target;

	if (g != NULL)
		target = json_pack("{s:s, s:s}", "@odata.type",
		    "#microsoft.graph.groupAssignmentTarget", "groupId", g->id);
	else
		target = json_pack("{s:s}", "@odata.type",
		    str_eq_nocase(name, "All users")
			? "#microsoft.graph.allLicensedUsersAssignmentTarget"
			: "#microsoft.graph.allDevicesAssignmentTarget");
	return json_pack("{s:o, s:o}", "id", json_sprintf("%s_%s", id, g != NULL ? g->id : name),
	    "target", target);
}

/* deviceConfigurations/{id}/assignments */
void
graph_assignments(struct call *c)
{
	const struct conf_strs *groups;
	struct configuration f;
	const void *found;
	json_t *list;

	if (!graph_admit(c, roles))
		return;
	if ((found = find(c->tenant, c->arg[0])) == NULL) {
		graph_not_found(c, c->arg[0]);
		return;
	}
	f = of(c, found);
	groups = f.profile != NULL ? &f.profile->conf->groups : &f.root->conf->groups;
	list = json_array();
	for (size_t i = 0; i < groups->n; i++)
		json_array_append_new(list, assignment(c, c->arg[0], groups->v[i]));
	call_note(c, "assignments", "%zu groups", groups->n);
	call_json(c, 200, json_pack("{s:o}", "value", list));
}
