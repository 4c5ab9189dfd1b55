/*
 * vars.c - the table of variables, who has which, and the substitution.
 */
#include "intunesim/vars.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"

enum var_owner { OF_USER, OF_DEVICE };

#define VAR_NAME_MAX 64
#define SID_TAG      "tag:microsoft.com,2022-09-14:sid:" /* strong mapping by URI, KB5014754 */

#define ON(p)      (1u << PLATFORM_##p)
#define EVERYWHERE (ON(WINDOWS) | ON(IOS) | ON(MACOS) | ON(ANDROID))
#define NOT_ON(e)  (1u << ENROLLMENT_##e)
/* Android 12 hides hardware identifiers from a work profile on somebody's own phone. */
#define HARDWARE NOT_ON(PERSONAL_WORK_PROFILE)
#define SYNCED   NOT_ON(AOSP)
#define NO_USER  NOT_ON(DEDICATED)
/* Corporate Android kinds on which {{UserName}} is for subjects only. */
#define CORPORATE (NOT_ON(CORPORATE_WORK_PROFILE) | NOT_ON(FULLY_MANAGED) | NOT_ON(DEDICATED))

struct var {
	const char *name; /* case does not matter */
	enum var_owner owner;
	size_t offset;       /* of the value in struct user_conf or struct device_conf */
	unsigned platforms;  /* ON() bits */
	unsigned hidden;     /* NOT_ON() bits */
	unsigned san_hidden; /* the same for SAN texts */
	const char *prefix;  /* put before the value; such a variable stands in URIs only */
	bool before_at;      /* when empty, take the UPN up to '@' */
};

#define USER(n, f, ...)                                                                            \
	{                                                                                          \
		.name = n, .owner = OF_USER, .offset = offsetof(struct user_conf, f), __VA_ARGS__  \
	}
#define DEVICE(n, f, ...)                                                                          \
	{                                                                                          \
		.name = n, .owner = OF_DEVICE, .offset = offsetof(struct device_conf, f),          \
		__VA_ARGS__                                                                        \
	}

static const struct var vars[] = {
	USER("UserName", user_name, .platforms = EVERYWHERE, .hidden = NO_USER,
	    .san_hidden = CORPORATE, .before_at = true),
	USER("UserPrincipalName", upn, .platforms = EVERYWHERE, .hidden = NO_USER),
	USER("EmailAddress", email, .platforms = EVERYWHERE, .hidden = NO_USER),
	USER("GivenName", given_name, .platforms = EVERYWHERE, .hidden = NO_USER),
	USER("SurName", surname, .platforms = EVERYWHERE, .hidden = NO_USER),
	USER("OnPrem_Distinguished_Name", on_prem_dn, .platforms = EVERYWHERE,
	    .hidden = NO_USER | SYNCED),
	USER("OnPremisesSamAccountName", sam_account, .platforms = EVERYWHERE,
	    .hidden = NO_USER | SYNCED),
	USER("Department", department, .platforms = EVERYWHERE, .hidden = NO_USER | SYNCED),
	USER("OnPremisesSecurityIdentifier", on_prem_sid,
	    .platforms = ON(WINDOWS) | ON(IOS) | ON(MACOS), .prefix = SID_TAG),
	DEVICE("OnPremisesSecurityIdentifier", on_prem_sid, .platforms = ON(WINDOWS),
	    .prefix = SID_TAG),
	DEVICE("AAD_Device_ID", entra_id, .platforms = EVERYWHERE),
	DEVICE("AzureADDeviceId", entra_id, .platforms = EVERYWHERE),
	DEVICE("DeviceId", id, .platforms = EVERYWHERE),
	DEVICE("DeviceName", name, .platforms = EVERYWHERE),
	DEVICE("FullyQualifiedDomainName", fqdn, .platforms = ON(WINDOWS)),
	DEVICE("SerialNumber", serial, .platforms = EVERYWHERE, .hidden = HARDWARE),
	DEVICE("Device_Serial", serial, .platforms = EVERYWHERE, .hidden = HARDWARE),
	DEVICE("IMEI", imei, .platforms = EVERYWHERE, .hidden = HARDWARE),
	DEVICE("IMEINumber", imei, .platforms = EVERYWHERE, .hidden = HARDWARE),
	DEVICE("Device_IMEI", imei, .platforms = EVERYWHERE, .hidden = HARDWARE),
	DEVICE("MEID", meid, .platforms = EVERYWHERE, .hidden = HARDWARE),
	DEVICE("WiFiMacAddress", wifi_mac, .platforms = EVERYWHERE),
};
#define N_VARS (sizeof(vars) / sizeof(vars[0]))

/* A run of plain text, or a variable. */
struct piece {
	const char *text;
	size_t len;
	bool is_var;
};

/* Take the next piece off *text; false at the end.  RC_CONFIG for braces that do not pair. */
static bool
next_piece(struct piece *p, const char **text, enum rc *rc, struct err *err)
{
	const char *s = *text, *end;

	*rc = RC_OK;
	if (*s == '\0')
		return false;
	p->is_var = str_starts(s, "{{");
	if (!p->is_var) {
		end = strstr(s, "{{");
		p->text = s;
		p->len = end != NULL ? (size_t)(end - s) : strlen(s);
		*text = s + p->len;
		return true;
	}
	if ((end = strstr(s + 2, "}}")) == NULL || end - (s + 2) >= VAR_NAME_MAX) {
		*rc = fail(err, RC_CONFIG, "\"%s\" has {{ without a name and }}", s);
		return false;
	}
	p->text = s + 2;
	p->len = (size_t)(end - (s + 2));
	*text = end + 2;
	return true;
}

static bool
is_named(const struct var *v, const struct piece *p)
{
	return strlen(v->name) == p->len && strncasecmp(v->name, p->text, p->len) == 0;
}

/* The SID belongs to whom the certificate names; every other name is in the table once. */
static bool
fits_type(const struct var *v, const struct profile_conf *profile)
{
	if (v->prefix == NULL)
		return true;
	return (v->owner == OF_USER) == (profile->certificate_type == CERTIFICATE_USER);
}

static const struct var *
find(const struct piece *p, const struct profile_conf *profile)
{
	for (size_t i = 0; i < N_VARS; i++) {
		if (is_named(&vars[i], p) && fits_type(&vars[i], profile))
			return &vars[i];
	}
	return NULL;
}

static enum rc
fail_unknown(const struct piece *p, struct err *err)
{
	char name[VAR_NAME_MAX];
	struct nearest n;

	memcpy(name, p->text, p->len);
	name[p->len] = '\0';
	nearest_begin(&n, name);
	for (size_t i = 0; i < N_VARS; i++)
		nearest_offer(&n, vars[i].name);
	fail(err, RC_CONFIG, "there is no variable {{%s}}", name);
	return n.best != NULL ? err_hint(err, "did you mean {{%s}}?", n.best) : RC_CONFIG;
}

static enum rc
check_var(const struct piece *p, enum var_place place, const struct profile_conf *profile,
    struct err *err)
{
	const struct var *v = find(p, profile);

	if (v == NULL)
		return fail_unknown(p, err);
	if (v->owner == OF_USER && profile->certificate_type == CERTIFICATE_DEVICE)
		return fail(err, RC_CONFIG,
		    "{{%s}} is of the user and cannot stand in a device certificate", v->name);
	if (v->prefix != NULL && place != PLACE_SAN_URI)
		return fail(err, RC_CONFIG, "{{%s}} stands in a URI of the SAN only", v->name);
	if ((v->platforms & 1u << profile->platform) == 0)
		return fail(err, RC_CONFIG,
		    "{{%s}} has no value on %s in a certificate of this type", v->name,
		    platform_name(profile->platform));
	return RC_OK;
}

/* Intune takes no { } | ; in the text that follows a variable of a SAN. */
static enum rc
check_text(const struct piece *p, enum var_place place, bool after_var, struct err *err)
{
	bool san = place != PLACE_SUBJECT;

	for (size_t i = 0; i < p->len; i++) {
		if (p->text[i] == '\0' || strchr("{}|;", p->text[i]) == NULL)
			continue;
		if (p->text[i] == '}' || p->text[i] == '{' || (san && after_var))
			return fail(err, RC_CONFIG, "'%c' cannot stand here: \"%.*s\"", p->text[i],
			    (int)p->len, p->text);
	}
	return RC_OK;
}

enum rc
vars_check(
    const char *text, enum var_place place, const struct profile_conf *profile, struct err *err)
{
	bool after_var = false;
	struct piece p;
	enum rc rc;

	while (next_piece(&p, &text, &rc, err)) {
		rc = p.is_var ? check_var(&p, place, profile, err)
			      : check_text(&p, place, after_var, err);
		if (rc != RC_OK)
			return rc;
		after_var |= p.is_var;
	}
	return rc;
}

static const char *
value_of(const struct var *v, const struct device_conf *device, const struct user_conf *user)
{
	const char *base = v->owner == OF_USER ? (const char *)user : (const char *)device;
	const char *value = *(const char *const *)(base + v->offset);

	if ((value == NULL || value[0] == '\0') && v->before_at)
		value = user->upn;
	return value;
}

static bool
is_hidden(const struct var *v, enum var_place place, const struct device_conf *device)
{
	unsigned bit = 1u << device->enrollment;

	if (device->platform != PLATFORM_ANDROID)
		return false;
	return (v->hidden & bit) != 0 || (place != PLACE_SUBJECT && (v->san_hidden & bit) != 0);
}

static enum rc
add_value(struct buf *out, const struct var *v, enum var_place place,
    const struct device_conf *device, const struct user_conf *user, struct err *err)
{
	const char *value;
	bool cut;

	if (v->owner == OF_USER && user == NULL)
		return fail(err, RC_DENIED, "the device has no user, whom {{%s}} needs", v->name);
	if (is_hidden(v, place, device))
		return fail(err, RC_DENIED,
		    "the way this device is managed gives {{%s}} no value%s", v->name,
		    place == PLACE_SUBJECT ? "" : " in a SAN");
	value = value_of(v, device, user);
	if (value == NULL || value[0] == '\0')
		return fail(err, RC_DENIED, "the %s has no value for {{%s}}",
		    v->owner == OF_USER ? "user" : "device", v->name);
	if (v->prefix != NULL)
		buf_adds(out, v->prefix);
	cut = v->before_at && value == user->upn;
	buf_add(out, value, cut ? strcspn(value, "@") : strlen(value));
	return RC_OK;
}

enum rc
vars_expand(struct buf *out, const char *text, enum var_place place,
    const struct profile_conf *profile, const struct device_conf *device,
    const struct user_conf *user, struct err *err)
{
	const struct var *v;
	struct piece p;
	enum rc rc;

	while (next_piece(&p, &text, &rc, err)) {
		if (!p.is_var) {
			buf_add(out, p.text, p.len);
			continue;
		}
		if ((v = find(&p, profile)) == NULL)
			return fail_unknown(&p, err);
		if ((rc = add_value(out, v, place, device, user, err)) != RC_OK)
			return rc;
	}
	if (rc != RC_OK)
		return rc;
	return buf_ok(out, "expanded text", err);
}
