/*
 * revocation_api.c - PkiConnectorFEService: what Intune wants revoked is fetched, results come back.
 *
 * As the real service was seen to behave: `issuerName` is compared with the caConfiguration of the
 * success notification, and only after the list has been cut to maxRequests; there are no pages; an
 * item comes again until a result for it has been uploaded, and after a result that asks for it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "intunesim/gateway.h"
#include "intunesim/revocations.h"
#include "intunesim/services.h"

#define API_VERSION  "5019-05-05" /* sic */
#define BATCH_MAX    500          /* maxRequests at most; results of one upload too */
#define CONTEXT      "https://manage.microsoft.com/RACerts/StatelessPkiConnectorService/$metadata#"
#define CONTEXT_LIST CONTEXT "Collection(microsoft.management.services.api.caRevocationRequest)"
#define CONTEXT_TRUE CONTEXT "Edm.Boolean"

/* ---- download ---- */

static json_t *
request_json(const struct revocation *r)
{
	const struct certificate *c = &r->certificate;

	return json_pack("{s:s, s:s, s:s?, s:s?}", "requestContext", r->context, "serialNumber",
	    c->serial, "issuerName", c->issuer[0] != '\0' ? c->issuer : NULL, "caConfiguration",
	    c->ca_configuration[0] != '\0' ? c->ca_configuration : NULL);
}

static void
answer_list(struct call *c, const struct revocation *rows, size_t n, const char *filter)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		if (filter == NULL || strcmp(filter, rows[i].certificate.ca_configuration) == 0)
			json_array_append_new(list, request_json(&rows[i]));
	}
	call_note(c, "revocations", "%zu of %zu requests", json_array_size(list), n);
	call_json(c, 200, json_pack("{s:s, s:o}", "@odata.context", CONTEXT_LIST, "value", list));
}

/* {"downloadParameters":{"maxRequests","issuerName"}}; false when 400 has been answered. */
static bool
read_parameters(struct call *c, const json_t *body, size_t *max, const char **issuer)
{
	const json_t *args = json_object_get(body, "downloadParameters");
	int64_t n;

	if (!json_is_object(args) || json_get_i64(&n, args, "maxRequests", 0, NULL) != RC_OK ||
	    n < 1 || n > BATCH_MAX) {
		gateway_error(c, 400, "BadRequest", "maxRequests must be from 1 to 500.");
		return false;
	}
	*max = (size_t)n;
	*issuer = json_get_str(args, "issuerName");
	return true;
}

void
revocation_download(struct call *c)
{
	struct revocation *rows;
	const char *issuer;
	json_t *body;
	size_t max;

	if (!gateway_admit(c, API_VERSION) || !gateway_body(&body, c))
		return;
	if (read_parameters(c, body, &max, &issuer)) {
		if ((rows = calloc(max, sizeof(*rows))) == NULL)
			call_json(c, 500, NULL);
		else
			answer_list(c, rows,
			    revocations_take(c->sim->revocations, c->tenant->id, rows, max),
			    issuer);
		free(rows);
	}
	json_decref(body);
}

/* ---- upload ---- */

static const struct code {
	long number;
	const char *name;
} codes[] = {
	{ 0, "None" },
	{ 4000, "NonRetryableServiceException" },
	{ 4001, "DataSerializationError" },
	{ 4002, "ParameterDataInvalidError" },
	{ 4003, "CryptographyError" },
	{ 4004, "CertificateNotFoundError" },
	{ 4005, "ConflictError" },
	{ 4006, "NotSupportedError" },
	{ 4007, "PayloadTooLargeError" },
	{ 4100, "RetryableServiceException" },
	{ 4101, "ServiceUnavailableException" },
	{ 4102, "ServiceTooBusyException" },
	{ 4103, "AuthenticationException" },
};
#define FIRST_RETRYABLE 4100

static const struct code *
code_by_number(long long n)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].number == n)
			return &codes[i];
	}
	return NULL;
}

/* Its name, its number as a string (the Java library), or a number; absent is None. */
static const struct code *
read_code(const json_t *v)
{
	const char *s = json_string_value(v);
	char *end;
	long n;

	if (v == NULL || json_is_null(v))
		return &codes[0];
	if (json_is_integer(v))
		return code_by_number(json_integer_value(v));
	if (s == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (str_eq_nocase(codes[i].name, s))
			return &codes[i];
	}
	n = strtol(s, &end, 10);
	return s[0] != '\0' && *end == '\0' ? code_by_number(n) : NULL;
}

/*
 * A member in camel case or, as the C# library writes it when it has not downloaded anything yet, in
 * Pascal case.
 */
static const json_t *
member(const json_t *o, const char *name)
{
	char pascal[32];
	const json_t *v = json_object_get(o, name);

	snprintf(pascal, sizeof(pascal), "%c%s", name[0] - 'a' + 'A', name + 1);
	return v != NULL ? v : json_object_get(o, pascal);
}

static bool
read_result(struct revocation_result *out, const json_t *o)
{
	const json_t *succeeded = member(o, "succeeded");
	const struct code *code = read_code(member(o, "errorCode"));

	out->context = json_string_value(member(o, "requestContext"));
	out->succeeded = json_is_true(succeeded);
	out->message = json_string_value(member(o, "errorMessage"));
	if (out->context == NULL || !json_is_boolean(succeeded) || code == NULL ||
	    (out->succeeded && code->number != 0))
		return false;
	out->error = code->number != 0 ? code->name : NULL;
	out->retry = code->number >= FIRST_RETRYABLE;
	return true;
}

/* All or nothing: what cannot be read must not end requests by chance. */
static bool
read_results(struct call *c, const json_t *list, struct revocation_result *out)
{
	size_t n = json_array_size(list);

	if (n == 0 || n > BATCH_MAX) {
		gateway_error(c, 400, "BadRequest", "results must hold from 1 to 500 items.");
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!read_result(&out[i], json_array_get(list, i))) {
			gateway_error(c, 400, "BadRequest",
			    "A result lacks requestContext, succeeded or a known errorCode.");
			return false;
		}
	}
	return true;
}

/* `value` false when some result named no request of this tenant; the others count all the same. */
static void
take_results(struct call *c, const struct revocation_result *r, size_t n)
{
	size_t known = 0;

	for (size_t i = 0; i < n; i++)
		known += revocations_result(c->sim->revocations, c->tenant->id, &r[i]);
	call_note(c, known == n ? "results" : "unknownContext", "%zu of %zu results", known, n);
	call_json(
	    c, 200, json_pack("{s:s, s:b}", "@odata.context", CONTEXT_TRUE, "value", known == n));
}

void
revocation_upload(struct call *c)
{
	struct revocation_result *results;
	const json_t *list;
	json_t *body;

	if (!gateway_admit(c, API_VERSION) || !gateway_body(&body, c))
		return;
	list = member(body, "results");
	results = calloc(BATCH_MAX, sizeof(*results));
	if (results == NULL)
		call_json(c, 500, NULL);
	else if (read_results(c, list, results))
		take_results(c, results, json_array_size(list));
	free(results);
	json_decref(body);
}
