/*
 * mscep_admin.c - /certsrv/mscep_admin as NDES has it: a page with a new one-time password on it.
 *
 * Programs fetch it and look for fixed words: "The enrollment challenge password is: <B> HEX </B>",
 * in UTF-16 as NDES sends it, with a byte order mark, since some assume the other order without one.
 * Nothing else on it may look like that password: the CA's hash is therefore written in groups.  Never
 * without a token (S20).
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "ossl/alg.h"
#include "ca/ca.h"
#include "scepd/admin_int.h"

#define PAGE_MAX 8192 /* bytes: a page of text and one subject */

/* ---- text ---- */

/* What came from a caller or a certificate, among the page's own marks. */
static void
add_escaped(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (strchr("<>&\"'", *s) != NULL)
			buf_addf(out, "&#%d;", *s);
		else
			buf_addc(out, *s);
	}
}

static void
add_utf16(struct buf *out, const struct buf *utf8)
{
	uint32_t cp;
	size_t n;

	buf_add(out, "\xff\xfe", 2);
	for (size_t at = 0; (n = utf8_next(&cp, utf8->data + at, utf8->len - at)) > 0; at += n) {
		uint32_t unit = cp < 0x10000 ? cp : 0xd800 + ((cp - 0x10000) >> 10);

		buf_addc(out, (char)(unit & 0xff));
		buf_addc(out, (char)(unit >> 8));
		if (cp < 0x10000)
			continue;
		unit = 0xdc00 + ((cp - 0x10000) & 0x3ff);
		buf_addc(out, (char)(unit & 0xff));
		buf_addc(out, (char)(unit >> 8));
	}
}

static void
put_page(struct http_reply *reply, int status, const struct buf *body)
{
	struct buf page;

	buf_init(&page, PAGE_MAX);
	buf_adds(&page,
	    "<!DOCTYPE html><HTML Lang=\"en\"><Head><Title>Network Device Enrollment "
	    "Service</Title></Head><Body><H1>Network Device Enrollment Service</H1>\n");
	buf_add(&page, body->data, body->len);
	buf_adds(&page, "</Body></HTML>\n");
	if (page.rc != RC_OK || body->rc != RC_OK) {
		http_reply_text(reply, 500, "internal error\n");
	} else {
		reply->status = status;
		reply->content_type = "text/html; charset=utf-16";
		add_utf16(&reply->body, &page);
	}
	buf_wipe(&page);
}

/* ---- the page ---- */

/* SHA-256 of the issuing CA's certificate, in groups of eight digits. */
static enum rc
add_ca_hash(struct buf *out, const struct endpoint *ep, struct err *err)
{
	const uint8_t *der;
	uint8_t hash[32];
	char hex[9];
	size_t len;
	enum rc rc;

	der = cert_der0(ca_cert0(ep->sca->ca), &len);
	if ((rc = digest_bytes(hash, DIGEST_SHA256, der, len, err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < sizeof(hash); i += 4) {
		hex_upper(hex, hash + i, 4);
		buf_addf(out, "%s%s", i > 0 ? " " : "", hex);
	}
	return RC_OK;
}

static enum rc
add_password(struct buf *out, const struct admin_call *c, const struct admin_otp_ask *ask,
    const struct admin_otp *otp, struct err *err)
{
	const struct endpoint *ep = scepd_endpoint(c->s, ask->endpoint, strlen(ask->endpoint));
	enum rc rc;

	buf_addf(out,
	    "<P>For a certificate by SCEP from endpoint %s you need two things.\n<P> The "
	    "thumbprint (hash value) for the CA certificate is: <B> ",
	    ep->name);
	if ((rc = add_ca_hash(out, ep, err)) != RC_OK)
		return rc;
	buf_addf(out, " </B>\n<P> The enrollment challenge password is: <B> %s </B>\n",
	    otp->secret.text);
	buf_addf(out,
	    "<P> This password can be used only once and will expire within %lld minutes.\n",
	    (long long)(ep->conf->otp.lifetime / 60));
	if (ask->subject[0] != '\0') {
		buf_adds(out, "<P> It is good for the subject <B> ");
		add_escaped(out, ask->subject);
		buf_adds(out, " </B>\n");
	}
	buf_adds(out, "<P> Load this page again for another one.\n");
	return RC_OK;
}

/* In the words that programs know NDES's own troubles by. */
static void
put_trouble(struct http_reply *reply, const struct err *err)
{
	struct buf body;
	int status = 200; /* NDES's: programs look at nothing else */

	buf_init(&body, PAGE_MAX);
	if (err->rc == RC_LIMIT) {
		buf_adds(&body, "<P> The password cache is full. <P> ");
	} else {
		status = err->rc == RC_CONFIG || err->rc == RC_PARSE ? 400 : 403;
		buf_adds(
		    &body, "<P> You do not have sufficient permission to enroll with SCEP. <P> ");
	}
	add_escaped(&body, err->msg);
	put_page(reply, status, &body);
	buf_done(&body);
}

/* ?endpoint=, by default the one of the NDES URL; ?subject= and ?san=, if the profile bounds nothing. */
static enum rc
read_query(struct admin_otp_ask *ask, const char *query, struct err *err)
{
	enum rc rc;

	*ask = (struct admin_otp_ask){ .uses = 1 };
	if ((rc = admin_query(ask->endpoint, sizeof(ask->endpoint), query, "endpoint", err)) !=
		RC_OK ||
	    (rc = admin_query(ask->subject, sizeof(ask->subject), query, "subject", err)) !=
		RC_OK ||
	    (rc = admin_query(ask->san, sizeof(ask->san), query, "san", err)) != RC_OK)
		return rc;
	if (ask->endpoint[0] == '\0')
		(void)snprintf(ask->endpoint, sizeof(ask->endpoint), "default");
	(void)snprintf(ask->comment, sizeof(ask->comment), "mscep_admin");
	return RC_OK;
}

static void
serve(struct admin_call *c)
{
	struct admin_otp_ask ask;
	struct admin_otp otp;
	struct err err = { 0 };
	struct buf body;

	if (read_query(&ask, c->req->query, &err) != RC_OK ||
	    admin_otp_make(&otp, c, &ask, OTP_HEX, &err) != RC_OK) {
		admin_log(c, "mscep_admin", 0, &err);
		put_trouble(c->reply, &err);
		return;
	}
	buf_init(&body, PAGE_MAX);
	if (add_password(&body, c, &ask, &otp, &err) == RC_OK)
		put_page(c->reply, 200, &body);
	else
		put_trouble(c->reply, &err);
	admin_log(c, "mscep_admin", otp.id, NULL);
	buf_wipe(&body);
	otp_done(&otp.secret);
}

/* "/certsrv/mscep_admin", with or without a slash or NDES's DLL behind. */
static bool
is_page(const char *path)
{
	static const char page[] = "/certsrv/mscep_admin";
	const char *tail = path + strlen(page);

	return tail[0] == '\0' || strcmp(tail, "/") == 0 || str_eq_nocase(tail, "/mscep.dll");
}

void
mscep_admin_handle(
    struct scepd *s, const char *path, const struct http_request *req, struct http_reply *reply)
{
	struct admin_call c;

	if (!admin_enter(&c, s, req, reply, ADMIN_MAY_OTP))
		return;
	if (!is_page(path)) {
		http_reply_text(reply, 404, "nothing here\n");
	} else if (strcmp(req->method, "GET") != 0) {
		http_reply_header(reply, "Allow", "GET");
		http_reply_text(reply, 405, "this page is read with GET\n");
	} else {
		serve(&c);
	}
}
