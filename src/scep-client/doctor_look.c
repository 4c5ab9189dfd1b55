/* doctor_look.c - the questions, and the answers as facts; see doctor.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "scep-client/doctor.h"

#define TIMEOUT_MS 30000
#define LONG_GET   60000 /* characters of the message: with the rest below LIMIT_HTTP_URL */

static const struct row {
	const char *said; /* for the progress */
	const char *suffix, *query;
	bool http10, post, chunked, filled;
} rows[Q__MAX] = {
	[Q_CAPS] = { "GetCACaps", "", "operation=GetCACaps" },
	[Q_CAPS_EMPTY] = { "GetCACaps as Apple asks it", "", "operation=GetCACaps&message=" },
	[Q_CAPS_WINDOWS] = { "GetCACaps as Windows asks it", "/pkiclient.exe",
	    "operation=GetCACaps&message=default" },
	[Q_CAPS_HTTP10] = { "GetCACaps by HTTP/1.0 without Host", "", "operation=GetCACaps",
	    .http10 = true },
	[Q_CERTS] = { "GetCACert", "", "operation=GetCACert" },
	[Q_CERTS_APPLE] = { "GetCACert as Apple asks it", "",
	    "operation=GetCACert&message=CA%20IDENT" },
	[Q_CERTS_WINDOWS] = { "GetCACert as Windows asks it", "/pkiclient.exe",
	    "operation=GetCACert&message=default" },
	[Q_NEXT] = { "GetNextCACert", "", "operation=GetNextCACert" },
	[Q_UNKNOWN] = { "an operation that there is not", "", "operation=GetCAWell" },
	[Q_LONG_GET] = { "a GET of 60 KB", "", "operation=PKIOperation&message=", .filled = true },
	[Q_POST] = { "a POST that is no message", "", "operation=PKIOperation", .post = true },
	[Q_POST_CHUNKED] = { "the same POST in chunks", "", "operation=PKIOperation", .post = true,
	    .chunked = true },
};

static void
tell(const struct doctor_conf *conf, const char *what)
{
	if (conf->progress != NULL)
		conf->progress(conf->progress_arg, what);
}

static unsigned
timeout(const struct doctor_conf *conf)
{
	return conf->timeout_ms != 0 ? conf->timeout_ms : TIMEOUT_MS;
}

/* ---- one question ---- */

/* An answer whose body is longer than any is to be is an answer all the same: headers were read. */
static void
keep(struct answer *a, struct http_result *r, enum rc rc, const struct err *err)
{
	char length[32];

	a->rc = rc;
	a->failed = r->failed;
	a->ms = (unsigned)(r->elapsed_us / 1000);
	if (rc != RC_OK) {
		(void)snprintf(a->why, sizeof(a->why), "%s", err->msg);
		http_result_done(r);
		return;
	}
	a->status = r->status;
	a->date = r->server_date;
	(void)http_result_header(r, "Content-Type", a->type, sizeof(a->type));
	(void)http_result_header(r, "Location", a->location, sizeof(a->location));
	a->has_length = http_result_header(r, "Content-Length", length, sizeof(length))[0] != '\0';
	str_printable(a->type);
	str_printable(a->location);
	a->body = r->body;
	buf_done(&r->headers);
}

static void
ask(struct facts *f, struct http_client *http, enum question q, const struct doctor_conf *conf)
{
	static const uint8_t no_message[] = { 0x30, 0x03, 0x02, 0x01, 0x00 };
	const struct row *row = &rows[q];
	struct answer *a = &f->answers[q];
	const char *headers[5] = { "Accept-Encoding:" };
	struct http_call call = { .method = row->post ? "POST" : "GET",
		.headers = headers,
		.total_ms = timeout(conf),
		.connect_ms = timeout(conf),
		.reply_max = LIMIT_CHAIN,
		.http10 = row->http10 };
	struct http_result r = { 0 };
	size_t n = 1;
	struct buf url;
	struct err err;
	enum rc rc;

	tell(conf, row->said);
	buf_init(&url, LONG_GET + 8192);
	buf_addf(&url, "%s%s?%s", conf->url, row->suffix, row->query);
	for (size_t i = 0; row->filled && i < LONG_GET; i++)
		buf_addc(&url, 'A');
	if (row->http10)
		headers[n++] = "Host:";
	if (row->post) {
		headers[n++] = "Content-Type: application/x-pki-message";
		call.body = no_message;
		call.body_len = sizeof(no_message);
	}
	if (row->chunked)
		headers[n++] = "Transfer-Encoding: chunked";
	call.url = buf_str(&url);
	a->asked_at = clock_now();
	if ((rc = buf_ok(&url, "URL", &err)) == RC_OK)
		rc = http_call(http, &call, &r, &err);
	keep(a, &r, rc, &err);
	buf_done(&url);
}

/* ---- TLS ---- */

static void
shake_hands(struct facts *f, enum tls_age age, const struct doctor_conf *conf)
{
	static const char *const said[] = { "TLS", "TLS 1.2 at most, as Windows",
		"TLS 1.1, which should be refused" };
	struct tls_look look = { .age = age };
	struct http_client_conf hc = { .user_agent = "scep-client",
		.ca_file = conf->ca_file,
		.tls_configure = tls_look_configure,
		.tls_arg = &look };
	struct handshake *h = &f->tls[age];
	struct http_client *http = NULL;
	struct http_result r = { 0 };
	struct http_call call = {
		.method = "GET", .total_ms = timeout(conf), .reply_max = LIMIT_CHAIN
	};
	struct err err = { .rc = RC_OK };
	struct buf url;

	tell(conf, said[age]);
	buf_init(&url, 8192);
	buf_addf(&url, "%s?operation=GetCACaps", conf->url);
	call.url = buf_str(&url);
	h->tried = true;
	if (http_client_new(&http, &hc, &err) == RC_OK)
		h->done = http_call(http, &call, &r, &err) == RC_OK;
	http_client_free(http); /* and its thread is gone */
	http_result_done(&r);
	h->version = atomic_load(&look.version);
	h->asked_for_client = atomic_load(&look.asked_for_client);
	/* What matters is that hands were shaken, not what was said then. */
	h->done = h->done || h->version != 0;
	(void)snprintf(h->why, sizeof(h->why), "%s", h->done ? "" : err.msg);
	buf_done(&url);
}

/* ---- all of them ---- */

enum rc
doctor_look(struct facts *out, const struct doctor_conf *conf, struct err *err)
{
	struct http_client_conf hc = { .user_agent = "scep-client", .ca_file = conf->ca_file };
	struct http_client *http = NULL;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	out->now = clock_now();
	out->https = strncasecmp(conf->url, "https://", 8) == 0;
	if (!out->https && strncasecmp(conf->url, "http://", 7) != 0) {
		(void)fail(err, RC_CONFIG, "%s is no URL of a SCEP server", conf->url);
		return err_hint(err, "it begins with http:// or https://");
	}
	if (strpbrk(conf->url, "?#") != NULL || strlen(conf->url) > 4096)
		return fail(err, RC_CONFIG, "the URL is to be without a query, as in a profile");
	if ((rc = http_client_new(&http, &hc, err)) != RC_OK)
		return rc;
	ask(out, http, Q_CAPS, conf);
	/* Who does not answer the first question is not asked eleven more, of 30 s each. */
	for (int q = Q_CAPS + 1; q < Q__MAX && out->answers[Q_CAPS].rc == RC_OK; q++)
		ask(out, http, (enum question)q, conf);
	http_client_free(http);
	if (out->https && out->answers[Q_CAPS].failed != HTTP_STEP_RESOLVE &&
	    out->answers[Q_CAPS].failed != HTTP_STEP_CONNECT)
		for (int age = TLS_AGE_NOW; age <= TLS_AGE_OLD; age++)
			shake_hands(out, (enum tls_age)age, conf);
	facts_read(out);
	return RC_OK;
}

static void
read_certs(struct facts *f, const struct buf *body)
{
	struct scep_bytes *list = NULL;
	struct scep_error se;
	struct err err;
	size_t n = 0;
	bool fits;

	if (scep_ca_certs_parse(&list, &n, body->data, body->len, &se) != SCEP_OK) {
		(void)snprintf(f->certs_why, sizeof(f->certs_why), "%.250s", se.text);
		return;
	}
	fits = n > 0 && n <= SESSION_CERTS_MAX;
	if (!fits)
		(void)snprintf(f->certs_why, sizeof(f->certs_why), "%zu certificates", n);
	while (fits && f->n_certs < n) {
		const struct scep_bytes *b = &list[f->n_certs];

		if (cert_parse(&f->certs[f->n_certs], b->data, b->len, &err) != RC_OK) {
			(void)snprintf(f->certs_why, sizeof(f->certs_why),
			    "certificate %zu: %.200s", f->n_certs + 1, err.msg);
			break;
		}
		f->n_certs++;
	}
	f->is_list = n > 1 || (n == 1 && list[0].len != body->len);
	scep_bytes_list_free(list, n);
}

void
facts_read(struct facts *f)
{
	const struct answer *caps = &f->answers[Q_CAPS], *certs = &f->answers[Q_CERTS];
	struct scep_error se;

	if (caps->status == 200)
		f->caps_known =
		    scep_caps_parse(&f->caps, caps->body.data, caps->body.len, &se) == SCEP_OK;
	if (certs->status == 200)
		read_certs(f, &certs->body);
}

void
facts_done(struct facts *f)
{
	for (size_t i = 0; i < f->n_certs; i++)
		cert_free(f->certs[i]);
	for (size_t q = 0; q < Q__MAX; q++)
		buf_done(&f->answers[q].body);
	memset(f, 0, sizeof(*f));
}
