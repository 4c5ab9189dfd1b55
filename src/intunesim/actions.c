/*
 * actions.c - ScepActions: validateRequest, successNotification, failureNotification.
 *
 * A refusal is HTTP 200 with another code than Success; HTTP errors are for callers without the
 * right token and for bodies that are no request at all.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/gateway.h"
#include "intunesim/services.h"
#include "intunesim/validate.h"

#define API_VERSION "2018-02-20"
#define CONTEXT                                                                                    \
	"https://fef.msua01.manage.microsoft.com/RACerts/StatelessScepRequestValidationService/"   \
	"%s/"                                                                                      \
	"$metadata#microsoft.management.services.scepRequestValidationService.api."                \
	"scepActionResult"

/* Takes the description over. */
static void
answer_name(struct call *c, const char *name, json_t *description)
{
	call_json(c, 200,
	    json_pack("{s:o, s:s, s:o}", "@odata.context",
		json_sprintf(CONTEXT, c->tenant->account_id), "code", name, "errorDescription",
		description));
}

/* A bad day has it: some code, whatever the request is like. */
static void
answer_forced(struct call *c)
{
	const struct fault_rule *r = c->forced;

	call_note(c, "forced", "%s", r->code);
	answer_name(c, r->code,
	    r->description[0] != '\0'
		? json_string(r->description)
		: json_sprintf("%sSimulated.", scep_code_sentence(scep_code_by_name(r->code))));
}

/* {"@odata.context","code","errorDescription"}: "<fixed sentence>.<detail>". */
static void
answer(struct call *c, enum scep_code code, const char *detail)
{
	if (c->forced != NULL) {
		answer_forced(c);
		return;
	}
	call_note(c, scep_code_name(code), "%s", detail);
	answer_name(c, scep_code_name(code),
	    code == CODE_SUCCESS ? json_string("")
				 : json_sprintf("%s%s", scep_code_sentence(code), detail));
}

/* What the request asks for is done, though the answer may say otherwise. */
static bool
is_carried_out(const struct call *c)
{
	return c->forced == NULL || c->forced->carry_out;
}

/* What the three actions have in common. */
struct action {
	struct call *call;
	json_t *body;
	const json_t *args; /* of `body`: "request" or "notification" */
	const char *transaction_id;
	struct validation v;
};

static bool
read_action(struct action *a, const char *member)
{
	struct call *c = a->call;

	if (!gateway_body(&a->body, c))
		return false;
	a->args = json_object_get(a->body, member);
	a->transaction_id = json_get_str(a->args, "transactionId");
	a->v.request_b64 = json_get_str(a->args, "certificateRequest");
	if (a->transaction_id == NULL || a->transaction_id[0] == '\0' || a->v.request_b64 == NULL ||
	    json_get_str(a->args, "callerInfo") == NULL) {
		gateway_error(c, 400, "BadRequest", "A required property is missing.");
		return false;
	}
	return true;
}

/* False when an answer has been given already. */
static bool
begin(struct action *a, struct call *c, const char *member, enum validate_depth depth)
{
	struct err err;

	*a = (struct action){ .call = c };
	if (!gateway_admit(c, API_VERSION) || !read_action(a, member))
		return false;
	a->v.sim = c->sim;
	a->v.view = c->view;
	a->v.caller = c->tenant;
	if (validate(&a->v, depth, &err) != RC_OK) {
		call_broken(c, &err);
		return false;
	}
	c->device = a->v.device;
	c->profile = a->v.profile;
	return true;
}

static void
end(struct action *a)
{
	validation_done(&a->v);
	json_decref(a->body);
}

static void
judge(struct action *a)
{
	struct state *s = a->call->sim->state;

	if (!is_carried_out(a->call))
		state_refused(
		    s, a->v.device, a->v.profile, scep_code_by_name(a->call->forced->code));
	else if (a->v.code == CODE_SUCCESS)
		state_validated(s, a->v.device, a->v.profile);
	else
		state_refused(s, a->v.device, a->v.profile, a->v.code);
	answer(a->call, a->v.code, a->v.detail);
}

void
action_validate(struct call *c)
{
	struct action a;

	if (begin(&a, c, "request", VALIDATE_ALL))
		judge(&a);
	end(&a);
}

static void
take(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text != NULL ? text : "");
	str_printable(out);
}

/* The strings of a notification that stand in the report. */
static const struct {
	const char *member;
	size_t offset, size;
} notes[] = {
#define NOTE(m, f)                                                                                 \
	{                                                                                          \
		m, offsetof(struct certificate, f), sizeof(((struct certificate *)0)->f)           \
	}
	NOTE("transactionId", transaction_id),
	NOTE("certificateThumbprint", thumbprint),
	NOTE("certificateSerialNumber", serial),
	NOTE("certificateExpirationDateUtc", expires),
	NOTE("issuingCertificateAuthority", issuer),
	NOTE("caConfiguration", ca_configuration),
	NOTE("certificateAuthority", certificate_authority),
	NOTE("callerInfo", caller),
#undef NOTE
};

static void
record_certificate(struct action *a)
{
	struct certificate cert = {
		.issued = clock_now(),
	};
	struct buf subject;

	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
		take((char *)&cert + notes[i].offset, notes[i].size,
		    json_get_str(a->args, notes[i].member));
	buf_init(&subject, 64 * 1024);
	name_text(&subject, csr_subject0(a->v.csr));
	take(cert.subject, sizeof(cert.subject), buf_str(&subject));
	buf_done(&subject);
	state_issued(a->call->sim->state, a->v.device, a->v.profile, &cert);
}

void
action_success(struct call *c)
{
	struct action a;

	if (begin(&a, c, "notification", VALIDATE_IDENTITY)) {
		if (a.v.code == CODE_SUCCESS && is_carried_out(c))
			record_certificate(&a);
		answer(c, a.v.code, a.v.detail);
	}
	end(&a);
}

/*
 * hResult is a 64-bit number that some callers sign-extend; its low half is the Win32 code.  A
 * number in a string is taken too.
 */
static void
failure_text(char *out, size_t size, const struct action *a)
{
	const char *text = json_get_str(a->args, "errorDescription");
	int64_t hresult = 0;

	if (json_get_i64(&hresult, a->args, "hResult", 0, NULL) != RC_OK)
		hresult = 0;
	snprintf(out, size, "%.160s (0x%08x)", text != NULL ? text : "", (unsigned)hresult);
}

void
action_failure(struct call *c)
{
	char text[REPORT_TEXT_MAX];
	struct action a;

	if (begin(&a, c, "notification", VALIDATE_IDENTITY)) {
		failure_text(text, sizeof(text), &a);
		if (a.v.code == CODE_SUCCESS && is_carried_out(c))
			state_failed(c->sim->state, a.v.device, a.v.profile, text);
		answer(c, a.v.code, a.v.code == CODE_SUCCESS ? text : a.v.detail);
	}
	end(&a);
}
