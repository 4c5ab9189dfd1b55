/* session.c - see session.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "scep-client/session.h"

#define TIMEOUT_MS 30000

/* What every request of this manner has; `type` of the body, NULL for none.  libcurl's own Accept-Encoding
 * goes: none of these clients sends one. */
static enum rc
call(struct session *s, struct http_call *c, const char *type, struct http_result *out,
    struct err *err)
{
	char content_type[80] = "Content-Type:";
	const char *headers[4] = { "Accept-Encoding:", content_type };
	enum rc rc;

	if (s->manner->closes)
		headers[2] = "Connection: close";
	if (type != NULL)
		(void)snprintf(content_type, sizeof(content_type), "Content-Type: %s", type);
	c->headers = headers;
	c->http10 = s->manner->http10;
	c->total_ms = s->timeout_ms;
	rc = http_call(s->http, c, out, err);
	c->headers = NULL; /* they end with this call, c does not */
	if (rc != RC_OK && out->failed == HTTP_STEP_TLS)
		return err_hint(err,
		    "--ca-file names the root of the server's certificate, where this machine does "
		    "not "
		    "know it; 'scep doctor' looks closer");
	return rc;
}

/* GET url?query.  `out` is initialised by the call, and the caller's to finish. */
static enum rc
get(struct session *s, const char *query, struct http_result *out, struct err *err)
{
	char *url = NULL;
	struct http_call c = { .method = "GET", .reply_max = LIMIT_CHAIN };
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = str_format(&url, err, "%s?%s", s->url, query)) != RC_OK)
		return rc;
	c.url = url;
	rc = call(s, &c, NULL, out, err);
	free(url);
	return rc;
}

/* The Content-Type of an answer, as this platform sees it. */
static enum rc
check_type(const struct session *s, const char *operation, const struct http_result *r,
    const char *want, struct err *err)
{
	char type[128];

	return manner_takes_type(s->manner, operation,
	    http_result_header(r, "Content-Type", type, sizeof(type)), want, err);
}

static enum rc
status_error(
    const struct session *s, const char *what, const struct http_result *r, struct err *err)
{
	(void)fail(err, RC_IO, "%s: %s answered HTTP %d", what, s->url, r->status);
	if (r->status == 404)
		return err_hint(err,
		    "is the path of the URL right? scepd's are /scep/ENDPOINT, and "
		    "/certsrv/mscep/mscep.dll for the endpoint default");
	return r->status == 503 ? err_hint(err, "the server is busy; try again") : RC_IO;
}

static enum rc
query_for(char **out, const char *operation, const char *message, struct err *err)
{
	if (message == NULL)
		return str_format(out, err, "operation=%s", operation);
	return str_format(out, err, "operation=%s&message=%s", operation, message);
}

/* No capabilities are not an error: RFC 8894 3.5.2 says what to assume. */
static enum rc
ask_caps(struct session *s, struct err *err)
{
	struct http_result r = { 0 };
	struct scep_error se;
	char *query = NULL;
	enum rc rc;

	if ((rc = query_for(&query, "GetCACaps", s->manner->caps_message, err)) != RC_OK)
		return rc;
	if ((rc = get(s, query, &r, err)) == RC_OK && r.status == 200) {
		if (scep_caps_parse(&s->caps, r.body.data, r.body.len, &se) == SCEP_OK)
			s->caps_known = true;
	}
	http_result_done(&r);
	free(query);
	return rc == RC_OK ? manner_takes_caps(s->manner, s->caps, s->renewing, err) : rc;
}

static enum rc
take_certs(struct session *s, const struct http_result *r, struct err *err)
{
	struct scep_error se;
	size_t n;
	enum rc rc;

	if (scep_ca_certs_parse(&s->ca_der, &n, r->body.data, r->body.len, &se) != SCEP_OK)
		return fail(
		    err, RC_PARSE, "GetCACert: %s sent no certificates: %s", s->url, se.text);
	if (n == 0 || n > SESSION_CERTS_MAX) {
		scep_bytes_list_free(s->ca_der, n);
		s->ca_der = NULL;
		return fail(err, RC_LIMIT, "GetCACert: %zu certificates", n);
	}
	for (s->n_ca = 0; s->n_ca < n; s->n_ca++) {
		const struct scep_bytes *b = &s->ca_der[s->n_ca];

		if ((rc = cert_parse(&s->ca[s->n_ca], b->data, b->len, err)) != RC_OK) {
			for (size_t i = s->n_ca; i < n; i++)
				scep_bytes_free(&s->ca_der[i]);
			return err_context(err, "GetCACert");
		}
	}
	return RC_OK;
}

static enum rc
ask_certs(struct session *s, struct err *err)
{
	struct http_result r = { 0 };
	char *query = NULL;
	enum rc rc;

	if ((rc = query_for(&query, "GetCACert", s->manner->message, err)) != RC_OK)
		return rc;
	if ((rc = get(s, query, &r, err)) == RC_OK)
		rc = r.status == 200 ? take_certs(s, &r, err)
				     : status_error(s, "GetCACert", &r, err);
	if (rc == RC_OK)
		rc = check_type(
		    s, "GetCACert", &r, s->n_ca > 1 ? SESSION_CA_RA_CERT : SESSION_CA_CERT, err);
	http_result_done(&r);
	free(query);
	return rc;
}

/* Certificates of an earlier GetCACert or GetNextCACert: devices keep them, and so does a client that
 * enrols with the next CA (RFC 8894 5.1). */
static enum rc
load_certs(struct session *s, const char *path, struct err *err)
{
	struct buf pem;
	enum rc rc;

	buf_init(&pem, LIMIT_CHAIN * 2);
	if ((rc = file_read(&pem, path, LIMIT_CHAIN * 2, err)) == RC_OK)
		rc = certs_parse_pem(s->ca, SESSION_CERTS_MAX, &s->n_ca, pem.data, pem.len, err);
	buf_done(&pem);
	if (rc == RC_OK && s->n_ca == 0)
		rc = fail(err, RC_CONFIG, "no certificate in it");
	if (rc != RC_OK)
		return err_context(err, "%s", path);
	if ((s->ca_der = calloc(s->n_ca + 1, sizeof(*s->ca_der))) == NULL)
		return fail(err, RC_NOMEM, "%s", path);
	for (size_t i = 0; i < s->n_ca; i++) {
		struct scep_bytes *b = &s->ca_der[i];
		const uint8_t *der = cert_der0(s->ca[i], &b->len);

		if ((b->data = malloc(b->len)) == NULL)
			return fail(err, RC_NOMEM, "%s", path);
		memcpy(b->data, der, b->len);
	}
	return RC_OK;
}

/* May an envelope be for this one? */
static bool
may_read(const struct cert *c, bool as_ca)
{
	unsigned ku = 0;

	if (cert_is_ca(c) != as_ca || key_info0(cert_key0(c))->type != KEY_RSA)
		return false;
	return as_ca || !cert_has_key_usage(c, &ku) || (ku & KU_KEY_ENCIPHERMENT) != 0;
}

/* Who reads the envelope: a non-CA with keyEncipherment, else a CA that may, as clients in the
 * field choose (quirks 24, 25). */
static enum rc
choose_recipient(struct session *s, struct err *err)
{
	size_t found = s->n_ca;

	for (int as_ca = 0; as_ca <= 1 && found == s->n_ca; as_ca++)
		for (size_t i = 0; i < s->n_ca; i++)
			if (may_read(s->ca[i], as_ca != 0) &&
			    (found == s->n_ca || (s->manner->pick == PICK_LAST_RA && !as_ca)))
				found = i;
	if (found < s->n_ca) {
		s->recipient = found;
		return manner_takes_recipient(s->manner, s->ca[found], s->n_ca, err);
	}
	(void)fail(err, RC_ALG,
	    "GetCACert: none of the %zu certificates can take an encrypted request (RSA, "
	    "keyEncipherment)",
	    s->n_ca);
	return err_hint(err, "an EC CA needs an RSA RA certificate beside it");
}

/* RFC 8894 2.2: what came by HTTP is believed once somebody has compared a fingerprint. */
static enum rc
check_fingerprint(const struct session *s, const char *fingerprint, struct err *err)
{
	if (fingerprint == NULL || session_find_fingerprint(s, fingerprint) != NULL)
		return RC_OK;
	return fail(err, RC_INTEGRITY, "no certificate from %s has the fingerprint %s", s->url,
	    fingerprint);
}

enum rc
session_open(struct session **out, const struct session_conf *conf, struct err *err)
{
	struct session *s = calloc(1, sizeof(*s));
	struct http_client_conf hc = { .ca_file = conf->ca_file };
	enum rc rc;

	if (s == NULL)
		return fail(err, RC_NOMEM, "session");
	s->manner = conf->manner != NULL ? conf->manner : manner_plain();
	s->timeout_ms = conf->timeout_ms != 0 ? conf->timeout_ms : TIMEOUT_MS;
	s->renewing = conf->renewing;
	s->get_form = conf->get_form != NULL ? *conf->get_form : s->manner->get_form;
	hc.user_agent = s->manner->user_agent != NULL ? s->manner->user_agent : "scep-client";
	if ((rc = http_client_new(&s->http, &hc, err)) == RC_OK &&
	    (rc = str_format(&s->url, err, "%s%s", conf->url, s->manner->suffix)) == RC_OK &&
	    (rc = ask_caps(s, err)) == RC_OK &&
	    (rc = conf->server_certs != NULL ? load_certs(s, conf->server_certs, err)
					     : ask_certs(s, err)) == RC_OK &&
	    (rc = check_fingerprint(s, conf->fingerprint, err)) == RC_OK &&
	    (rc = choose_recipient(s, err)) == RC_OK)
		*out = s;
	else
		session_free(s);
	return rc;
}

void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_ca; i++)
		cert_free(s->ca[i]);
	scep_bytes_list_free(s->ca_der, s->n_ca);
	http_client_free(s->http);
	free(s->url);
	free(s);
}

const char *
session_role_of(struct cert *const *certs, size_t n, size_t i)
{
	const struct cert *c = certs[i];

	if (!cert_is_ca(c))
		return "RA";
	if (cert_self_issued(c))
		return "root CA";
	for (size_t j = 0; j < n; j++)
		if (cert_is_ca(certs[j]) && j != i &&
		    name_same(cert_issuer0(certs[j]), cert_subject0(c)))
			return "intermediate CA";
	return "issuing CA";
}

/* Digits only: administrators paste fingerprints with colons, blanks, either case. */
static void
squeeze(char *out, size_t room, const char *hex)
{
	size_t n = 0;

	for (; *hex != '\0' && n + 1 < room; hex++)
		if (isxdigit((unsigned char)*hex))
			out[n++] = (char)toupper((unsigned char)*hex);
	out[n] = '\0';
}

const struct cert *
session_find_fingerprint(const struct session *s, const char *hex)
{
	char want[129], sha1[41], sha256[65];
	struct err err;

	squeeze(want, sizeof(want), hex);
	for (size_t i = 0; i < s->n_ca; i++) {
		if (cert_thumbprint_sha1(sha1, s->ca[i], &err) != RC_OK ||
		    cert_thumbprint_sha256(sha256, s->ca[i], &err) != RC_OK)
			continue;
		if (str_eq_nocase(want, sha1) || str_eq_nocase(want, sha256))
			return s->ca[i];
	}
	return NULL;
}

/* ---- GetNextCACert ---- */

/* An RA may speak for its CA on everyday matters; who the next CA is, says the CA. */
static size_t
ca_signers(struct scep_bytes *out, const struct session *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_ca; i++)
		if (cert_is_ca(s->ca[i]))
			out[n++] = s->ca_der[i];
	return n;
}

static enum rc
take_next(
    struct session *s, const struct http_result *r, struct cert **certs, size_t *n, struct err *err)
{
	struct scep_bytes signers[SESSION_CERTS_MAX], *list;
	size_t n_signers = ca_signers(signers, s), n_list, i;
	struct scep_error se;
	enum rc rc = RC_OK;

	if (scep_next_ca_open(&list, &n_list, r->body.data, r->body.len, signers, n_signers, &se) !=
	    SCEP_OK)
		return fail(err, se.status == SCEP_E_INTEGRITY ? RC_INTEGRITY : RC_PARSE,
		    "GetNextCACert: %s: %s", s->url, se.text);
	if (n_list > SESSION_CERTS_MAX)
		rc = fail(err, RC_LIMIT, "GetNextCACert: %zu certificates", n_list);
	for (i = 0; rc == RC_OK && i < n_list; i++)
		if ((rc = cert_parse(&certs[i], list[i].data, list[i].len, err)) != RC_OK)
			break;
	scep_bytes_list_free(list, n_list);
	if (rc == RC_OK) {
		*n = n_list;
		return RC_OK;
	}
	while (n_list <= SESSION_CERTS_MAX && i > 0)
		cert_free(certs[--i]);
	return err_context(err, "GetNextCACert");
}

enum rc
session_next_ca(
    struct session *s, struct cert *certs[static SESSION_CERTS_MAX], size_t *n, struct err *err)
{
	struct http_result r = { 0 };
	char *query = NULL;
	enum rc rc;

	if ((rc = query_for(&query, "GetNextCACert", s->manner->message, err)) != RC_OK)
		return rc;
	if ((rc = get(s, query, &r, err)) == RC_OK) {
		if (r.status == 200)
			rc = take_next(s, &r, certs, n, err);
		else if (r.status == 404) /* GetCACert was answered, so the path is right */
			rc = fail(err, RC_NOTFOUND, "%s: the CA has no next one", s->url);
		else
			rc = status_error(s, "GetNextCACert", &r, err);
	}
	http_result_done(&r);
	free(query);
	return rc;
}

/* ---- PKIOperation ---- */

#define LINE 64 /* characters of base64, as in PEM */

/* The message in a URL: what stays as it is in RFC 3986's sight, and what platforms leave. */
static void
add_message(struct buf *url, enum get_form form, const struct scep_bytes *message)
{
	struct buf b64;

	buf_init(&b64, LIMIT_HTTP_BODY * 2);
	base64_add(&b64, message->data, message->len);
	for (size_t i = 0; i < b64.len; i++) {
		char c = (char)b64.data[i];

		if (form == GET_ESCAPED)
			url_encode_add(url, &c, 1);
		else if (c == '=' && form == GET_RAW)
			buf_adds(url, "%3D");
		else if (c == '+' && form == GET_LINES)
			buf_adds(url, "%2B");
		else
			buf_addc(url, c);
		if (form == GET_LINES && (i % LINE == LINE - 1 || i + 1 == b64.len))
			buf_adds(url, "%0A");
	}
	if (b64.rc != RC_OK)
		url->rc = b64.rc;
	buf_done(&b64);
}

static enum rc
call_get(
    struct session *s, const struct scep_bytes *message, struct http_result *r, struct err *err)
{
	struct http_call c = { .method = "GET", .reply_max = LIMIT_SCEP_MESSAGE };
	struct buf url;
	enum rc rc;

	buf_init(&url, 4 * MIB);
	buf_addf(&url, "%s?operation=PKIOperation&message=", s->url);
	add_message(&url, s->get_form, message);
	if ((rc = buf_ok(&url, "URL", err)) == RC_OK) {
		c.url = buf_str(&url);
		rc = call(s, &c, NULL, r, err);
	}
	buf_done(&url);
	return rc;
}

static enum rc
call_post(
    struct session *s, const struct scep_bytes *message, struct http_result *r, struct err *err)
{
	struct http_call c = { .method = "POST",
		.body = message->data,
		.body_len = message->len,
		.reply_max = LIMIT_SCEP_MESSAGE };
	char *url = NULL;
	enum rc rc;

	if ((rc = str_format(&url, err, "%s?operation=PKIOperation", s->url)) != RC_OK)
		return rc;
	c.url = url;
	rc = call(s, &c, s->manner->content_type, r, err);
	free(url);
	return rc;
}

bool
session_by_get(const struct session *s, enum session_method method)
{
	/* RFC 8894 3.5.2: a server that names no capabilities has none, POST among them. */
	bool can_post = (s->caps & (SCEP_CAP_POST_PKI_OPERATION | SCEP_CAP_SCEP_STANDARD)) != 0;

	return method == METHOD_GET ||
	    (method == METHOD_CHOOSE && (s->manner->get_only || !can_post));
}

enum rc
session_pki_operation(struct session *s, const struct scep_bytes *message, bool by_get,
    struct buf *reply, struct err *err)
{
	struct http_result r = { 0 };
	enum rc rc = by_get ? call_get(s, message, &r, err) : call_post(s, message, &r, err);

	buf_init(reply, LIMIT_SCEP_MESSAGE);
	if (rc == RC_OK && r.status != 200)
		rc = status_error(s, "PKIOperation", &r, err);
	if (rc == RC_OK)
		rc = check_type(s, "PKIOperation", &r, SESSION_PKI_MESSAGE, err);
	if (rc == RC_OK) {
		buf_add(reply, r.body.data, r.body.len);
		rc = buf_ok(reply, "answer", err);
	}
	http_result_done(&r);
	return rc;
}
