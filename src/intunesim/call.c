/*
 * call.c - answering.
 */
#include "intunesim/call.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

#define JSON_TYPE "application/json; charset=utf-8"

void
call_broken(struct call *c, const struct err *err)
{
	struct log_line l;

	log_begin(&l, LOG_ERROR, "broken");
	log_str(&l, "id", c->request_id);
	log_err(&l, err);
	log_end(&l);
	c->outcome = "broken";
	c->reply->status = 500;
	c->reply->content_type = NULL;
	buf_reset(&c->reply->body);
}

void
call_json(struct call *c, int status, json_t *body)
{
	struct err err;
	enum rc rc;

	if (body == NULL)
		rc = fail(&err, RC_NOMEM, "out of memory");
	else
		rc = json_add_text(&c->reply->body, body, &err);
	json_decref(body);
	if (rc != RC_OK) {
		call_broken(c, &err);
		return;
	}
	c->reply->status = status;
	c->reply->content_type = JSON_TYPE;
}

void
call_done(struct call *c)
{
	c->reply->status = 204;
}

void
call_error(struct call *c, int status, const char *fmt, ...)
{
	char text[CALL_DETAIL_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_printable(text);
	call_note(c, "error", "%s", text);
	call_json(c, status, json_pack("{s:s}", "error", text));
}

void
call_note(struct call *c, const char *outcome, const char *fmt, ...)
{
	va_list ap;

	c->outcome = outcome;
	va_start(ap, fmt);
	vsnprintf(c->detail, sizeof(c->detail), fmt, ap);
	va_end(ap);
	str_printable(c->detail);
}

/* What a Host header may hold (RFC 9110 7.2), so that it can be put into an answer. */
static bool
host_is_plain(const char *host)
{
	if (host[0] == '\0' || strlen(host) > 255)
		return false;
	for (; *host != '\0'; host++) {
		if (!isalnum((unsigned char)*host) && strchr(".-_:[]", *host) == NULL)
			return false;
	}
	return true;
}

void
call_base_url(struct buf *out, const struct call *c)
{
	const char *host = http_header0(c->req, "Host");

	if (c->sim->options.public_url != NULL) {
		buf_adds(out, c->sim->options.public_url);
		return;
	}
	buf_adds(out, c->req->tls != NULL ? "https://" : "http://");
	buf_adds(out, host != NULL && host_is_plain(host) ? host : "localhost");
}

void
call_service_url(struct buf *out, const struct call *c)
{
	char uri[FAULT_TEXT_MAX] = "";
	bool moved = faults_moved(c->sim->faults, uri);

	if (c->moved_to != NULL) {
		moved = true;
		memcpy(uri, c->moved_to->uri, sizeof(uri));
	}
	if (uri[0] != '\0') {
		buf_adds(out, uri);
		return;
	}
	call_base_url(out, c);
	if (moved)
		buf_adds(out, MOVED_PREFIX);
}

enum rc
call_body(json_t **out, const struct call *c, struct err *err)
{
	return json_parse_object(out, "the body", c->req->body, c->req->body_len, err);
}
