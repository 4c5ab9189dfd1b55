/* device.c - see device.h. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "scep-client/device.h"

#define PROFILES_MAX      64 /* assigned to one device */
#define RENEWAL_THRESHOLD 20 /* percent, where the check-in says nothing: Intune's default */

static const struct {
	const char *name;
	unsigned bit;
} usages[] = {
	{ "digitalSignature", KU_DIGITAL_SIGNATURE },
	{ "nonRepudiation", KU_NON_REPUDIATION },
	{ "keyEncipherment", KU_KEY_ENCIPHERMENT },
	{ "dataEncipherment", KU_DATA_ENCIPHERMENT },
	{ "keyAgreement", KU_KEY_AGREEMENT },
	{ "keyCertSign", KU_KEY_CERT_SIGN },
	{ "cRLSign", KU_CRL_SIGN },
};

unsigned
key_usage_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(usages) / sizeof(usages[0]); i++)
		if (str_eq_nocase(usages[i].name, name))
			return usages[i].bit;
	return 0;
}

/* ---- reading a profile ---- */

static enum rc
read_urls(struct device_profile *p, const json_t *obj, struct err *err)
{
	const json_t *v;
	size_t i;

	json_array_foreach(json_object_get(obj, "urls"), i, v)
	{
		if (!json_is_string(v) || p->n_urls == DEVICE_URLS_MAX)
			return fail(err, RC_PARSE, "profile %s: urls", p->name);
		p->urls[p->n_urls++] = json_string_value(v);
	}
	return p->n_urls > 0 ? RC_OK : fail(err, RC_PARSE, "profile %s names no SCEP URL", p->name);
}

static enum rc
read_san(struct device_profile *p, const json_t *obj, struct err *err)
{
	const json_t *v;
	size_t i;
	enum rc rc;

	json_array_foreach(json_object_get(obj, "san"), i, v)
	{
		const char *type, *value;
		enum san_type t;

		if ((rc = json_need_str(&type, v, "type", err)) != RC_OK ||
		    (rc = json_need_str(&value, v, "value", err)) != RC_OK)
			return rc;
		if ((t = san_type_by_name(type)) == SAN__MAX || t == SAN_OTHER)
			return fail(err, RC_PARSE, "profile %s: SAN type %s", p->name, type);
		if ((rc = san_list_add(&p->build.san, t, value, err)) != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc
read_usages(struct device_profile *p, const json_t *obj, struct err *err)
{
	const json_t *v;
	size_t i;

	json_array_foreach(json_object_get(obj, "keyUsage"), i, v)
	{
		unsigned bit = json_is_string(v) ? key_usage_by_name(json_string_value(v)) : 0;

		if (bit == 0)
			return fail(err, RC_PARSE, "profile %s: keyUsage", p->name);
		p->build.key_usage |= bit;
	}
	json_array_foreach(json_object_get(obj, "eku"), i, v)
	{
		if (!json_is_string(v) || p->build.n_eku == DEVICE_EKU_MAX)
			return fail(err, RC_PARSE, "profile %s: eku", p->name);
		p->eku[p->build.n_eku++] = json_string_value(v);
	}
	p->build.eku = p->eku;
	return RC_OK;
}

static void
read_validity(struct device_profile *p, const struct manner *m, const json_t *obj)
{
	const json_t *v = json_object_get(obj, "validity");

	if (v == NULL || !m->sends_validity)
		return;
	p->build.validity_period = json_get_str(v, "period");
	p->build.validity_units = json_get_str(v, "units");
}

static enum rc
read_profile(struct device_profile *p, const struct manner *m, const json_t *obj, struct err *err)
{
	const char *subject, *hash = json_get_str(obj, "hash");
	int64_t bits, threshold;
	enum rc rc;

	if ((rc = json_need_str(&p->name, obj, "profile", err)) != RC_OK ||
	    (rc = json_need_str(&p->id, obj, "profileId", err)) != RC_OK ||
	    (rc = json_need_str(&p->challenge, obj, "challenge", err)) != RC_OK ||
	    (rc = json_need_str(&subject, obj, "subject", err)) != RC_OK ||
	    (rc = json_get_i64(&bits, obj, "keySize", 2048, err)) != RC_OK ||
	    (rc = json_get_i64(&threshold, obj, "renewalThreshold", RENEWAL_THRESHOLD, err)) !=
		RC_OK ||
	    (rc = read_urls(p, obj, err)) != RC_OK || (rc = read_san(p, obj, err)) != RC_OK ||
	    (rc = read_usages(p, obj, err)) != RC_OK)
		return rc;
	if (bits < 1024 || bits > 8192)
		return fail(err, RC_PARSE, "profile %s: keySize %lld", p->name, (long long)bits);
	if (threshold < 1 || threshold > 99)
		return fail(err, RC_PARSE, "profile %s: renewalThreshold %lld", p->name,
		    (long long)threshold);
	if ((rc = name_from_text(&p->subject, subject, err)) != RC_OK)
		return err_context(err, "profile %s: subject", p->name);
	p->key_bits = (unsigned)bits;
	p->renewal_threshold = (unsigned)threshold;
	p->revision = json_get_str(obj, "revision") != NULL ? json_get_str(obj, "revision") : "";
	p->ca_thumbprint =
	    json_get_str(obj, "caThumbprint") != NULL ? json_get_str(obj, "caThumbprint") : "";
	p->build.subject = &p->subject;
	p->build.challenge = p->challenge;
	p->build.digest = hash != NULL && digest_by_name(hash) != DIGEST_NONE ? digest_by_name(hash)
									      : DIGEST_SHA256;
	read_validity(p, m, obj);
	return RC_OK;
}

static enum rc
read_profiles(struct managed_device *d, struct err *err)
{
	const json_t *list = json_object_get(d->checkin, "scep"), *v;
	size_t i, n = json_array_size(list);
	enum rc rc;

	if (n > PROFILES_MAX)
		return fail(err, RC_LIMIT, "%zu SCEP profiles", n);
	if (n > 0 && (d->profiles = calloc(n, sizeof(*d->profiles))) == NULL)
		return fail(err, RC_NOMEM, "profiles");
	json_array_foreach(list, i, v)
	{
		d->n_profiles = i + 1; /* a half-read one is released too */
		if ((rc = read_profile(&d->profiles[i], d->manner, v, err)) != RC_OK)
			return rc;
	}
	return RC_OK;
}

enum rc
device_parse(struct managed_device *d, const void *body, size_t len, struct err *err)
{
	const json_t *dev;
	enum rc rc;

	if ((rc = json_parse(&d->checkin, body, len, err)) != RC_OK)
		return err_context(err, "check-in");
	dev = json_object_get(d->checkin, "device");
	if ((rc = json_need_str(&d->name, dev, "name", err)) != RC_OK ||
	    (rc = json_need_str(&d->platform, dev, "platform", err)) != RC_OK)
		return err_context(err, "check-in");
	d->user = json_get_str(dev, "user");
	if ((d->manner = manner_by_name(d->platform)) == NULL)
		d->manner = manner_plain();
	return read_profiles(d, err);
}

/* ---- talking to the simulator ---- */

static enum rc
post(struct managed_device *d, const char *verb, const struct buf *body, struct http_result *out,
    struct err *err)
{
	static const char *const headers[] = { "Content-Type: application/json", NULL };
	struct http_call call = {
		.method = "POST", .headers = headers, .body = body->data, .body_len = body->len
	};
	struct buf url;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	buf_init(&url, 4096);
	buf_addf(&url, "%s/sim/devices/", d->base);
	url_encode_add(&url, d->id, strlen(d->id));
	buf_addf(&url, "/%s", verb);
	if ((rc = buf_ok(&url, "URL", err)) == RC_OK) {
		call.url = buf_str(&url);
		rc = http_call(d->http, &call, out, err);
	}
	buf_done(&url);
	return rc;
}

static enum rc
check_in(struct managed_device *d, struct err *err)
{
	struct http_result r;
	struct buf none;
	enum rc rc;

	buf_init(&none, 0);
	rc = post(d, "checkin", &none, &r, err);
	if (rc == RC_OK && r.status == 404)
		rc = fail(err, RC_NOTFOUND, "the simulator knows no device %s", d->id);
	else if (rc == RC_OK && r.status != 200)
		rc = fail(err, RC_IO, "check-in: the simulator answered HTTP %d", r.status);
	else if (rc == RC_OK)
		rc = device_parse(d, r.body.data, r.body.len, err);
	http_result_done(&r);
	return rc;
}

enum rc
device_check_in(struct managed_device **out, const char *simulator_url, const char *id,
    const char *ca_file, struct err *err)
{
	struct http_client_conf hc = { .user_agent = "scep-client", .ca_file = ca_file };
	struct managed_device *d = calloc(1, sizeof(*d));
	size_t len = strlen(simulator_url);
	enum rc rc;

	if (d == NULL)
		return fail(err, RC_NOMEM, "device");
	while (len > 0 && simulator_url[len - 1] == '/')
		len--;
	if ((rc = str_ndup(&d->base, simulator_url, len, err)) == RC_OK &&
	    (rc = str_dup(&d->id, id, err)) == RC_OK &&
	    (rc = http_client_new(&d->http, &hc, err)) == RC_OK && (rc = check_in(d, err)) == RC_OK)
		*out = d;
	else
		device_free(d);
	return rc;
}

void
device_free(struct managed_device *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->n_profiles; i++) {
		name_done(&d->profiles[i].subject);
		san_list_done(&d->profiles[i].build.san);
	}
	free(d->profiles);
	json_decref(d->checkin);
	http_client_free(d->http);
	free(d->base);
	free(d->id);
	free(d);
}

/* ---- the profile's server ---- */

enum rc
device_session(struct session **out, const struct managed_device *d, const struct device_profile *p,
    const struct manner *manner, const char *ca_file, struct err *err)
{
	struct session_conf conf = {
		.url = p->urls[0], .ca_file = ca_file, .manner = manner != NULL ? manner : d->manner
	};
	struct session *s = NULL;
	enum rc rc = session_open(&s, &conf, err);

	if (rc != RC_OK)
		return rc;
	if (p->ca_thumbprint[0] == '\0' || session_find_fingerprint(s, p->ca_thumbprint) != NULL) {
		*out = s;
		return RC_OK;
	}
	session_free(s);
	(void)fail(err, RC_INTEGRITY,
	    "the certificate that profile %s pins (%s) is not among those of the server", p->name,
	    p->ca_thumbprint);
	return err_hint(
	    err, "on Windows the trusted certificate profile has to hold the issuing CA");
}

/* ---- reports ---- */

static enum rc
report(struct managed_device *d, const char *verb, json_t *body, struct err *err)
{
	struct http_result r = { 0 };
	struct buf text;
	enum rc rc;

	if (body == NULL)
		return fail(err, RC_NOMEM, "report");
	buf_init(&text, LIMIT_JSON);
	if ((rc = json_add_text(&text, body, err)) == RC_OK &&
	    (rc = post(d, verb, &text, &r, err)) == RC_OK && r.status / 100 != 2)
		rc = fail(err, RC_IO, "report %s: the simulator answered HTTP %d", verb, r.status);
	http_result_done(&r);
	buf_done(&text);
	json_decref(body);
	return rc;
}

enum rc
device_report_installed(struct managed_device *d, const struct device_profile *p,
    const uint8_t *cert, size_t len, struct err *err)
{
	struct buf b64;
	json_t *body;

	buf_init(&b64, 2 * LIMIT_CERT);
	base64_add(&b64, cert, len);
	body = json_pack("{s:s, s:s}", "profileId", p->id, "certificate", buf_str(&b64));
	buf_done(&b64);
	return report(d, "installed", body, err);
}

enum rc
device_report_failed(
    struct managed_device *d, const struct device_profile *p, const char *why, struct err *err)
{
	return report(d, "failed", json_pack("{s:s, s:s}", "profileId", p->id, "error", why), err);
}
