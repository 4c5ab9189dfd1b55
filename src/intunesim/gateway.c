/*
 * gateway.c - Intune's front: shared by the SCEP and the revocation service.
 */
#include "intunesim/gateway.h"

#include <string.h>

#include "intunesim/access.h"

void
gateway_error(struct call *c, int status, const char *code, const char *message)
{
	struct buf url;
	json_t *inner;

	buf_init(&url, 8192);
	call_base_url(&url, c);
	buf_adds(&url, c->req->path);
	inner = json_sprintf("{\r\n  \"_version\": 3,\r\n  \"Message\": \"%s - Operation ID (for "
			     "customer support): %s - Activity ID: %s - Url: %s\",\r\n  "
			     "\"CustomApiErrorPhrase\": \"\",\r\n  \"RetryAfter\": null,\r\n  "
			     "\"ErrorSourceService\": \"\",\r\n  \"HttpHeaders\": \"{}\"\r\n}",
	    message, c->request_id, c->correlation_id, buf_str(&url));
	buf_done(&url);
	call_note(c, code, "%s", message);
	call_json(c, status, json_pack("{s:{s:s, s:o}}", "error", "code", code, "message", inner));
}

bool
gateway_admit(struct call *c, const char *api_version)
{
	enum access a = access_check(c, RESOURCE_INTUNE, ROLE_SCEP);
	const char *version = http_header0(c->req, "api-version");

	http_reply_header(c->reply, "request-id", c->request_id);
	http_reply_header(c->reply, "client-request-id", c->correlation_id);
	if (a != ACCESS_GRANTED) {
		gateway_error(c, 401, "Unauthorized", access_text(a));
		return false;
	}
	if (version == NULL || strcmp(version, api_version) != 0) {
		gateway_error(c, 400, "BadRequest",
		    version == NULL ? "The api-version header is missing."
				    : "The api-version is not supported.");
		return false;
	}
	return true;
}

bool
gateway_body(json_t **out, struct call *c)
{
	struct err err;

	if (call_body(out, c, &err) == RC_OK)
		return true;
	gateway_error(c, 400, "BadRequest", "The request body cannot be read.");
	return false;
}
