/*
 * fault_kinds.c - the table of faults.
 */
#include "intunesim/fault_kinds.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/entra.h"

#define HTML                                                                                       \
	"<!DOCTYPE html>\r\n<html><head><title>Service unavailable</title></head>\r\n"             \
	"<body><h1>Our services aren't available right now</h1></body></html>\r\n"

/* ---- an answer instead of the right one ---- */

/* RFC 9110 5.6.7; the process never leaves the C locale, so the names are English. */
static void
add_retry_date(struct call *c, const struct fault_rule *r)
{
	time_t at = (time_t)(clock_now() + (int64_t)r->retry_after);
	char text[64];
	struct tm tm;

	if (gmtime_r(&at, &tm) != NULL &&
	    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0)
		http_reply_header(c->reply, "Retry-After", text);
}

static void
add_odata(struct call *c, int status)
{
	if (c->step == SIM_STEP_TOKEN)
		entra_refuse(c, 90033, "%s", entra_sentence(90033));
	else
		call_json(c, status,
		    json_pack("{s:{s:s, s:o}}", "error", "code",
			status == 429 ? "TooManyRequests" : "InternalError", "message",
			json_sprintf("Simulated. Operation ID: %s Activity ID: %s", c->request_id,
			    c->correlation_id)));
}

static void
answer_status(struct call *c, const struct fault_rule *r)
{
	buf_reset(&c->reply->body);
	c->reply->content_type = NULL;
	switch (r->body) {
	case FAULT_BODY_ODATA:
		add_odata(c, (int)r->status);
		break;
	case FAULT_BODY_EMPTY:
		break;
	case FAULT_BODY_HTML:
		c->reply->content_type = "text/html";
		buf_adds(&c->reply->body, HTML);
		break;
	case FAULT_BODY_TEXT:
		c->reply->content_type = "text/plain";
		buf_adds(&c->reply->body, r->text);
		break;
	}
	c->reply->status = (int)r->status;
	if (r->retry_after > 0 && r->retry_as == FAULT_RETRY_SECONDS)
		c->reply->retry_after = (unsigned)r->retry_after;
	else if (r->retry_after > 0)
		add_retry_date(c, r);
	if (r->location[0] != '\0')
		http_reply_header(c->reply, "Location", r->location);
}

static bool
status_before(struct call *c, const struct fault_rule *r)
{
	if (r->carry_out)
		return false;
	answer_status(c, r);
	return true;
}

static void
status_after(struct call *c, const struct fault_rule *r)
{
	if (r->carry_out)
		answer_status(c, r);
}

static bool
aadsts_before(struct call *c, const struct fault_rule *r)
{
	const char *sentence = entra_sentence((long)r->number);

	entra_headers(c);
	entra_refuse(c, (long)r->number, "%s",
	    sentence != NULL ? sentence : "Simulated: a number that the simulator does not know.");
	return true;
}

/* actions.c gives the answer: only there it is known what is being refused. */
static bool
code_before(struct call *c, const struct fault_rule *r)
{
	c->forced = r;
	return false;
}

/* ---- where the services are ---- */

static bool
move_before(struct call *c, const struct fault_rule *r)
{
	if (c->step == SIM_STEP_DISCOVERY) {
		c->moved_to = r;
		return false;
	}
	call_note(c, "moved", "the service has moved");
	c->reply->status = 404;
	return true;
}

/* ---- clocks ---- */

static bool
skew_before(struct call *c, const struct fault_rule *r)
{
	c->skew = r->offset;
	c->reply->trouble.date_offset = r->offset;
	return false;
}

/* ---- what becomes of the answer ---- */

static void
drop_after(struct call *c, const struct fault_rule *r)
{
	fault_drop(&c->reply->body, r->member, false);
}

static void
null_after(struct call *c, const struct fault_rule *r)
{
	fault_drop(&c->reply->body, r->member, true);
}

static void
unknown_after(struct call *c, const struct fault_rule *r)
{
	fault_add_unknown(&c->reply->body);
}

static void
duplicate_after(struct call *c, const struct fault_rule *r)
{
	fault_duplicate(&c->reply->body, r->member, r->value);
}

static void
garbage_after(struct call *c, const struct fault_rule *r)
{
	buf_reset(&c->reply->body);
	buf_adds(&c->reply->body, r->text[0] != '\0' ? r->text : "{\"code\":\"Succ");
}

static void
empty_after(struct call *c, const struct fault_rule *r)
{
	buf_reset(&c->reply->body);
}

static void
type_after(struct call *c, const struct fault_rule *r)
{
	/* Static, as a reply wants it; the order of FAULT_TYPES. */
	static const char *const types[] = { "text/html", "text/plain", "application/xml",
		"application/octet-stream", NULL };

	c->reply->content_type = types[r->type];
}

static void
gzip_after(struct call *c, const struct fault_rule *r)
{
	fault_gzip(&c->reply->body, r->broken);
	http_reply_header(c->reply, "Content-Encoding", "gzip");
}

static void
huge_after(struct call *c, const struct fault_rule *r)
{
	fault_pad(&c->reply->body, r->bytes);
}

/* ---- how it goes out ---- */

static void
delay_after(struct call *c, const struct fault_rule *r)
{
	c->reply->trouble.wait_ms = (unsigned)r->ms;
	/* The time for sending it comes on top. */
	c->reply->trouble.limit_ms = (unsigned)r->ms + 30000;
}

static void
stall_after(struct call *c, const struct fault_rule *r)
{
	c->reply->trouble.end = HTTP_END_STALL;
	c->reply->trouble.percent = (unsigned)r->percent;
	c->reply->trouble.limit_ms = (unsigned)r->ms;
}

static void
cut_after(struct call *c, const struct fault_rule *r)
{
	c->reply->trouble.end = HTTP_END_CUT;
	c->reply->trouble.percent = (unsigned)r->percent;
}

static void
reset_after(struct call *c, const struct fault_rule *r)
{
	c->reply->trouble.end = HTTP_END_RESET;
	c->reply->trouble.percent = (unsigned)r->percent;
}

static void
chunked_after(struct call *c, const struct fault_rule *r)
{
	c->reply->trouble.chunk = r->bytes;
}

static void
drip_after(struct call *c, const struct fault_rule *r)
{
	c->reply->trouble.piece = r->bytes;
	c->reply->trouble.piece_ms = (unsigned)r->ms;
	c->reply->trouble.limit_ms = FAULT_MS_MAX;
}

const struct fault_kind fault_kinds[] = {
	{ .name = "status",
	    .params = FAULT_STATUS | FAULT_RETRY_AFTER | FAULT_RETRY_AS | FAULT_BODY | FAULT_TEXT |
		FAULT_LOCATION | FAULT_CARRY_OUT,
	    .needed = FAULT_STATUS,
	    .before = status_before,
	    .after = status_after,
	    .help = "an HTTP status" },
	{ .name = "code",
	    .steps = FAULT_SCEP_STEPS,
	    .params = FAULT_CODE | FAULT_DESCRIPTION | FAULT_CARRY_OUT,
	    .needed = FAULT_CODE,
	    .before = code_before,
	    .help = "Intune's answer with this code, known or not" },
	{ .name = "aadsts",
	    .steps = FAULT_STEP(TOKEN),
	    .params = FAULT_NUMBER,
	    .needed = FAULT_NUMBER,
	    .before = aadsts_before,
	    .help = "Entra's refusal with this number" },
	{ .name = "move",
	    .steps = FAULT_STEP(DISCOVERY) | FAULT_SERVICE_STEPS,
	    .params = FAULT_URI,
	    .before = move_before,
	    .help = "the services move, and discovery tells where" },
	{ .name = "skew",
	    .params = FAULT_OFFSET,
	    .needed = FAULT_OFFSET,
	    .before = skew_before,
	    .help = "Date and the times of tokens are off" },
	{ .name = "drop",
	    .params = FAULT_MEMBER,
	    .needed = FAULT_MEMBER,
	    .after = drop_after,
	    .help = "a member of the answer is missing" },
	{ .name = "null",
	    .params = FAULT_MEMBER,
	    .needed = FAULT_MEMBER,
	    .after = null_after,
	    .help = "a member of the answer is null" },
	{ .name = "unknown", .after = unknown_after, .help = "a member that nobody knows" },
	{ .name = "duplicate",
	    .params = FAULT_MEMBER | FAULT_VALUE,
	    .needed = FAULT_MEMBER,
	    .after = duplicate_after,
	    .help = "a member is there twice" },
	{ .name = "garbage",
	    .params = FAULT_TEXT,
	    .after = garbage_after,
	    .help = "something that is no JSON" },
	{ .name = "empty", .after = empty_after, .help = "no body" },
	{ .name = "type",
	    .params = FAULT_TYPE,
	    .after = type_after,
	    .help = "another Content-Type" },
	{ .name = "gzip",
	    .params = FAULT_BROKEN,
	    .after = gzip_after,
	    .help = "compressed, whether asked for or not" },
	{ .name = "huge",
	    .params = FAULT_BYTES,
	    .bytes = 4u << 20,
	    .after = huge_after,
	    .help = "far too long" },
	{ .name = "delay", .params = FAULT_MS, .ms = 1000, .after = delay_after, .help = "late" },
	{ .name = "stall",
	    .params = FAULT_MS | FAULT_SENT,
	    .ms = 60000,
	    .percent = 50,
	    .after = stall_after,
	    .help = "a part, then silence" },
	{ .name = "cut",
	    .params = FAULT_SENT,
	    .percent = 50,
	    .after = cut_after,
	    .help = "a part, then the connection is closed" },
	{ .name = "reset",
	    .params = FAULT_SENT,
	    .after = reset_after,
	    .help = "the connection is reset" },
	{ .name = "chunked",
	    .params = FAULT_BYTES,
	    .bytes = 16,
	    .after = chunked_after,
	    .help = "Transfer-Encoding: chunked" },
	{ .name = "drip",
	    .params = FAULT_BYTES | FAULT_MS,
	    .bytes = 1,
	    .ms = 1,
	    .after = drip_after,
	    .help = "in drips" },
};
const size_t fault_kinds_n = sizeof(fault_kinds) / sizeof(fault_kinds[0]);
