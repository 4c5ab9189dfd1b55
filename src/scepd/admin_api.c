/* admin_api.c - the way in, and which call is whose; see admin_api.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "scepd/admin_int.h"

#define API "/api/v1"

/* ---- answers ---- */

/* Nothing of this is for caches, frames or scripts of other pages. */
static void
guard_reply(struct http_reply *reply)
{
	http_reply_header(reply, "Cache-Control", "no-store");
	http_reply_header(reply, "X-Content-Type-Options", "nosniff");
	http_reply_header(reply, "Content-Security-Policy",
	    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
}

void
admin_reply_json(struct http_reply *reply, int status, json_t *v)
{
	if (v == NULL || json_add_text(&reply->body, v, NULL) != RC_OK) {
		buf_reset(&reply->body);
		http_reply_text(reply, 500, "out of memory\n");
	} else {
		reply->status = status;
		reply->content_type = "application/json";
	}
	json_decref(v);
}

void
admin_reply_error(struct http_reply *reply, const struct err *err)
{
	int status = err_reaction(err->rc)->http_status;
	json_t *o = json_object();

	if (err->rc == RC_CONFIG || err->rc == RC_PARSE)
		status = 400; /* the caller's values, not our files */
	else if (err->rc == RC_CONFLICT)
		status = 409;
	else if (err->rc == RC_NOTFOUND)
		status = 404;
	else if (err->rc == RC_DENIED)
		status = 403;
	if (o != NULL && json_object_set_new(o, "error", json_string(err->msg)) == 0 &&
	    err->hint[0] != '\0')
		(void)json_object_set_new(o, "hint", json_string(err->hint));
	admin_reply_json(reply, status, o);
}

static void
refuse(struct http_reply *reply, int status, const char *why)
{
	json_t *o = json_object();

	if (o != NULL)
		(void)json_object_set_new(o, "error", json_string(why));
	admin_reply_json(reply, status, o);
}

/* ---- the way in ---- */

void
admin_log(const struct admin_call *c, const char *what, int64_t id, const struct err *err0)
{
	struct log_line l;

	log_begin(&l, err0 == NULL ? LOG_INFO : LOG_WARN, "admin");
	log_str(&l, "what", what);
	if (id != 0)
		log_int(&l, "id", id);
	log_str(&l, "who", c->who);
	log_str(&l, "ip", c->req->peer);
	if (err0 != NULL)
		log_str(&l, "reason", err0->msg);
	log_end(&l);
}

/* Browsers say so of whatever is no plain GET, also those that know nothing of Fetch Metadata. */
static bool
is_own_origin(const struct http_request *req)
{
	const char *origin = http_header0(req, "Origin"), *host = http_header0(req, "Host"), *at;

	if (origin == NULL)
		return true;
	at = strstr(origin, "://");
	return at != NULL && host != NULL && strcasecmp(at + 3, host) == 0;
}

/* Fetch Metadata: browsers say from where a request comes; programs do not. */
static bool
led_by_another_site(const struct http_request *req)
{
	const char *site = http_header0(req, "Sec-Fetch-Site");

	return !is_own_origin(req) ||
	    (site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0);
}

static bool
let_in(struct admin_call *c, unsigned may)
{
	char name[ADMIN_NAME_MAX + 1];
	unsigned wait_s = 0;

	switch (admin_auth_ask(c->s->admin, http_header0(c->req, "Authorization"), c->req->peer,
	    may, clock_mono_ms(), name, &wait_s)) {
	case ADMIN_YES:
		(void)snprintf(c->who, sizeof(c->who), "api:%s", name);
		return true;
	case ADMIN_WHO:
		http_reply_header(
		    c->reply, "WWW-Authenticate", "Basic realm=\"scepd\", charset=\"UTF-8\"");
		refuse(c->reply, 401, "a token is needed: scepctl admin token NAME");
		return false;
	case ADMIN_MAY_NOT:
		refuse(c->reply, 403, "this token is not for that");
		return false;
	case ADMIN_TOO_OFTEN:
		c->reply->retry_after = wait_s;
		refuse(c->reply, 429, "too many wrong tokens from this address");
		return false;
	}
	return false;
}

bool
admin_enter(struct admin_call *c, struct scepd *s, const struct http_request *req,
    struct http_reply *reply, unsigned may)
{
	*c = (struct admin_call){ .s = s, .req = req, .reply = reply };
	guard_reply(reply);
	if (s->admin == NULL) {
		refuse(reply, 404, "not served: admin.tokens_file is not set");
		return false;
	}
	if (led_by_another_site(req))
		refuse(reply, 403, "not for pages of other sites");
	else if (let_in(c, may)) {
		metric_add(s->metrics, METRIC_ADMIN, 1);
		return true;
	}
	metric_add(s->metrics, METRIC_ADMIN_DENIED, 1);
	return false;
}

/* ---- which call ---- */

/* '#' stands for a number, '$' for a serial number in hex. */
static const struct call_row {
	const char *method, *path;
	unsigned may;
	void (*run)(struct admin_call *c);
} calls[] = {
	{ "POST", API "/otp", ADMIN_MAY_OTP, admin_otp_new },
	{ "GET", API "/otp", ADMIN_MAY_OTP, admin_otp_list },
	{ "GET", API "/otp/#", ADMIN_MAY_OTP, admin_otp_show },
	{ "DELETE", API "/otp/#", ADMIN_MAY_OTP, admin_otp_revoke },
	{ "GET", API "/requests", ADMIN_MAY_REQUESTS, admin_requests_list },
	{ "GET", API "/requests/#", ADMIN_MAY_REQUESTS, admin_requests_show },
	{ "POST", API "/requests/#/approve", ADMIN_MAY_REQUESTS, admin_requests_approve },
	{ "POST", API "/requests/#/deny", ADMIN_MAY_REQUESTS, admin_requests_deny },
	{ "GET", API "/verdict", ADMIN_MAY_VERDICT, admin_verdict },
	{ "POST", API "/verdict", ADMIN_MAY_VERDICT, admin_verdict },
	{ "GET", API "/verdict/radius", ADMIN_MAY_VERDICT, admin_verdict_radius },
	{ "GET", API "/certificates", ADMIN_MAY_STATUS, admin_certs_list },
	{ "GET", API "/certificates/$", ADMIN_MAY_STATUS, admin_certs_show },
	{ "POST", API "/certificates/$/revoke", ADMIN_MAY_STATUS, admin_certs_revoke },
	{ "POST", API "/certificates/$/hold", ADMIN_MAY_STATUS, admin_certs_hold },
	{ "POST", API "/certificates/$/release", ADMIN_MAY_STATUS, admin_certs_release },
	{ "POST", API "/certificates/revoke", ADMIN_MAY_STATUS, admin_certs_revoke_many },
	{ "POST", API "/certificates/hold", ADMIN_MAY_STATUS, admin_certs_hold_many },
	{ "POST", API "/certificates/release", ADMIN_MAY_STATUS, admin_certs_release_many },
	{ "GET", API "/sweeps", ADMIN_MAY_SWEEPS, admin_sweeps_list },
	{ "GET", API "/sweeps/#", ADMIN_MAY_SWEEPS, admin_sweeps_show },
	{ "GET", API "/sweeps/#/turns", ADMIN_MAY_SWEEPS, admin_sweeps_turns },
	{ "POST", API "/sweeps/#/approve", ADMIN_MAY_SWEEPS, admin_sweeps_approve },
	{ "POST", API "/sweeps/#/discard", ADMIN_MAY_SWEEPS, admin_sweeps_discard },
};

static bool
take_id(struct admin_call *c, const char *segment)
{
	uint64_t v;

	if (parse_u64(&v, segment, 1, INT64_MAX, "id", NULL) != RC_OK)
		return false;
	c->id = (int64_t)v;
	return true;
}

static bool
path_fits(struct admin_call *c, const char *pattern, const char *path)
{
	char segment[2 * SERIAL_MAX + 1];
	size_t n;

	while (*pattern != '\0' && *pattern != '#' && *pattern != '$' && *pattern == *path)
		pattern++, path++;
	if (*pattern != '#' && *pattern != '$')
		return *pattern == '\0' && *path == '\0';
	n = strspn(path, *pattern == '#' ? "0123456789" : "0123456789abcdefABCDEF");
	if (n == 0 || n >= sizeof(segment) || strcmp(pattern + 1, path + n) != 0)
		return false;
	memcpy(segment, path, n);
	segment[n] = '\0';
	return *pattern == '#' ? take_id(c, segment)
			       : admin_serial(c->serial, segment, NULL) == RC_OK;
}

/* A form of another site can send three content types, and JSON is none of them. */
static bool
body_is_json(const struct http_request *req)
{
	static const char json[] = "application/json";
	const char *type = http_header0(req, "Content-Type");

	return req->body_len == 0 ||
	    (type != NULL && strncasecmp(type, json, strlen(json)) == 0 &&
		(type[strlen(json)] == '\0' || strchr("; \t", type[strlen(json)]) != NULL));
}

void
admin_api_handle(
    struct scepd *s, const char *path, const struct http_request *req, struct http_reply *reply)
{
	const struct call_row *row = NULL;
	struct admin_call c, of = { .s = s };
	bool there = false;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]) && row == NULL; i++) {
		if (!path_fits(&of, calls[i].path, path))
			continue;
		there = true;
		if (strcmp(calls[i].method, req->method) == 0)
			row = &calls[i];
	}
	/* Who has no token does not learn what there is. */
	if (!admin_enter(&c, s, req, reply, row != NULL ? row->may : 0))
		return;
	c.id = of.id;
	memcpy(c.serial, of.serial, sizeof(c.serial));
	if (row == NULL)
		refuse(reply, there ? 405 : 404, there ? "not this method" : "no such thing");
	else if (!body_is_json(req))
		refuse(reply, 415, "a body has to be application/json");
	else
		row->run(&c);
}

/* ---- queries ---- */

enum rc
admin_query(char *out, size_t size, const char *query, const char *name, struct err *err)
{
	char *v = NULL;
	size_t len = 0;
	enum rc rc = http_form_get(&v, &len, query, strlen(query), name, true, err);

	out[0] = '\0';
	if (rc != RC_OK || v == NULL)
		return rc;
	if (len >= size || strlen(v) != len || !utf8_plain(v, size - 1))
		rc = fail(err, RC_PARSE, "%s is longer than %zu bytes, or no text", name, size - 1);
	else
		memcpy(out, v, len + 1);
	free(v);
	return rc;
}

static enum rc
query_number(uint64_t *out, const char *query, const char *name, uint64_t dflt, uint64_t max,
    struct err *err)
{
	char text[24];
	enum rc rc = admin_query(text, sizeof(text), query, name, err);

	*out = dflt;
	if (rc != RC_OK || text[0] == '\0')
		return rc;
	return parse_u64(out, text, 0, max, name, err);
}

enum rc
admin_page_parse(struct admin_page *out, const char *query, struct err *err)
{
	uint64_t after, limit;
	enum rc rc;

	if ((rc = admin_query(out->endpoint, sizeof(out->endpoint), query, "endpoint", err)) !=
		RC_OK ||
	    (rc = admin_query(out->state, sizeof(out->state), query, "state", err)) != RC_OK ||
	    (rc = query_number(&after, query, "after", 0, INT64_MAX, err)) != RC_OK ||
	    (rc = query_number(&limit, query, "limit", 100, ADMIN_PAGE_MAX, err)) != RC_OK)
		return rc;
	if (limit == 0)
		return fail(err, RC_PARSE, "limit is 1 to %d", ADMIN_PAGE_MAX);
	out->after = (int64_t)after;
	out->limit = (size_t)limit;
	return RC_OK;
}
