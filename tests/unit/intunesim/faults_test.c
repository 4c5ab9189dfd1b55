/*
 * faults_test.c - bad days: each kind as it is in the answer, which requests are hit, and rules as
 * text and JSON.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "intunesim/fault_kinds.h"
#include "intunesim/services.h"

#include "kit.h"

#define ENDPOINTS "/v1.0/servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints"

static void
put(struct answer *a, const struct kit *k, const char *body)
{
	call(a, k, &(struct request){ .method = "PUT", .path = "/sim/faults", .body = body });
}

/* One rule; the others go. */
static void
set_rule(const struct kit *k, const char *rule)
{
	char body[2048];
	struct answer a;

	snprintf(body, sizeof(body), "{\"seed\":7,\"rules\":[%s]}", rule);
	put(&a, k, body);
	if (a.status != 200)
		fail_msg("%s: %s", rule, buf_str(&a.body));
	answer_done(&a);
}

static int
well_again(void **state)
{
	const struct kit *k = *state;
	struct answer a;

	call(&a, k, &(struct request){ .method = "DELETE", .path = "/sim/faults" });
	assert_int_equal(a.status, 204);
	answer_done(&a);
	return 0;
}

/* validateRequest of what a check-in asked for. */
static void
validate_good(struct answer *a, const struct kit *k)
{
	json_t *scep = kit_checkin(k, "win-1", "Device");
	struct buf der;

	buf_init(&der, 1 << 18);
	kit_csr(&der, k, scep, &(struct tweak){ 0 });
	validate_csr(a, k, NULL, &der);
	buf_done(&der);
	json_decref(scep);
}

/* ---- kinds ---- */

static void
status_with_each_body(void **state)
{
	static const struct {
		const char *rule;
		int status;
		const char *type, *text; /* NULL: no body */
		unsigned retry_after;
	} rows[] = {
		{ "\"status\":500", 500, "application/json; charset=utf-8", "\"InternalError\"",
		    0 },
		{ "\"status\":503,\"retryAfter\":2", 503, "application/json; charset=utf-8",
		    "\"error\"", 2 },
		{ "\"status\":429,\"body\":\"empty\",\"retryAfter\":9", 429, NULL, NULL, 9 },
		{ "\"status\":502,\"body\":\"html\"", 502, "text/html", "<html>", 0 },
		{ "\"status\":200,\"body\":\"text\",\"text\":\"fine\"", 200, "text/plain", "fine",
		    0 },
		{ "\"status\":599,\"body\":\"empty\"", 599, NULL, NULL, 0 },
	};
	const struct kit *k = *state;
	char rule[256];
	struct answer a;

	for (size_t i = 0; i < N(rows); i++) {
		snprintf(rule, sizeof(rule), "{\"step\":\"validate\",\"fault\":\"status\",%s}",
		    rows[i].rule);
		set_rule(k, rule);
		validate_good(&a, k);
		assert_int_equal(a.status, rows[i].status);
		assert_int_equal(a.retry_after, rows[i].retry_after);
		if (rows[i].type == NULL) {
			assert_null(a.content_type);
			assert_int_equal(a.body.len, 0);
		} else {
			assert_string_equal(a.content_type, rows[i].type);
			assert_non_null(strstr(buf_str(&a.body), rows[i].text));
		}
		answer_done(&a);
	}
}

static void
retry_after_may_be_a_date_and_a_redirect_has_a_place(void **state)
{
	const struct kit *k = *state;
	const char *at;
	struct answer a;

	set_rule(k,
	    "{\"step\":\"validate\",\"fault\":\"status\",\"status\":307,\"retryAfter\":60,"
	    "\"retryAs\":\"date\",\"location\":\"http://127.0.0.1:1/\"}");
	validate_good(&a, k);
	assert_int_equal(a.retry_after, 0);
	at = strstr(buf_str(&a.headers), "Retry-After: ");
	assert_non_null(at);
	assert_non_null(strstr(at, " GMT\r\n"));
	assert_non_null(strstr(buf_str(&a.headers), "Location: http://127.0.0.1:1/\r\n"));
	answer_done(&a);
}

static void
what_is_answered_instead_is_not_done_unless_wanted(void **state)
{
	const struct kit *k = *state;
	struct answer a;
	json_t *row;

	set_rule(k, "{\"step\":\"validate\",\"fault\":\"status\",\"status\":500}");
	validate_good(&a, k);
	answer_done(&a);
	row = kit_report_row(k, "win-1", "Device");
	assert_string_equal(json_get_str(row, "status"), "challengeIssued");
	json_decref(row);
	set_rule(
	    k, "{\"step\":\"validate\",\"fault\":\"status\",\"status\":500,\"carryOut\":true}");
	validate_good(&a, k);
	assert_int_equal(a.status, 500);
	answer_done(&a);
	row = kit_report_row(k, "win-1", "Device");
	assert_string_equal(json_get_str(row, "status"), "validated");
	json_decref(row);
}

/* Those of Microsoft's libraries, one that only the service knows, and one that nobody does. */
static void
every_code_can_be_had(void **state)
{
	const struct kit *k = *state;
	char rule[256];
	struct answer a;

	for (int i = 0; i <= CODE__MAX; i++) {
		const char *name =
		    i < CODE__MAX ? scep_code_name((enum scep_code)i) : "SomethingNew";

		snprintf(rule, sizeof(rule),
		    "{\"step\":\"validate\",\"fault\":\"code\",\"code\":\"%s\"}", name);
		set_rule(k, rule);
		validate_good(&a, k);
		assert_int_equal(a.status, 200);
		assert_string_equal(answer_code(&a), name);
		assert_non_null(strstr(json_get_str(a.json, "errorDescription"), "Simulated."));
		answer_done(&a);
	}
	set_rule(k,
	    "{\"step\":\"*\",\"fault\":\"code\",\"code\":\"KeyLengthMismatch\","
	    "\"description\":\"too short\"}");
	validate_good(&a, k);
	assert_string_equal(json_get_str(a.json, "errorDescription"), "too short");
	answer_done(&a);
}

/* A code is for those who may ask: the token is looked at all the same. */
static void
a_code_does_not_open_what_a_token_does_not(void **state)
{
	const struct kit *k = *state;
	struct answer a;

	set_rule(k, "{\"step\":\"validate\",\"fault\":\"code\",\"code\":\"Success\"}");
	post(&a, k, SERVICE "validateRequest", "{}");
	assert_int_equal(a.status, 401);
	answer_done(&a);
}

static void
entra_refuses_by_number(void **state)
{
	static const struct {
		const char *rule;
		int status;
		const char *error;
	} rows[] = {
		{ "7000222", 401, "invalid_client" },
		{ "50034", 400, "invalid_grant" },
		{ "53003", 400, "invalid_grant" },
		{ "50196", 400, "invalid_grant" },
		{ "90033", 503, "temporarily_unavailable" },
		{ "123456", 400, "invalid_request" },
	};
	const struct kit *k = *state;
	char rule[256];
	struct answer a;

	for (size_t i = 0; i < N(rows); i++) {
		snprintf(rule, sizeof(rule),
		    "{\"step\":\"token\",\"fault\":\"aadsts\",\"number\":%s}", rows[i].rule);
		set_rule(k, rule);
		ask_token(&a, k, ALPHA_ID, "");
		assert_int_equal(a.status, rows[i].status);
		assert_string_equal(answer_code(&a), rows[i].error);
		assert_non_null(strstr(buf_str(&a.body), rows[i].rule));
		answer_done(&a);
	}
}

static void
members_go_missing_or_are_null(void **state)
{
	static const struct {
		const char *rule, *member;
		bool there;
	} rows[] = {
		{ "{\"step\":\"validate\",\"fault\":\"drop\",\"member\":\"code\"}", "code", false },
		{ "{\"step\":\"validate\",\"fault\":\"drop\",\"member\":\"errorDescription\"}",
		    "errorDescription", false },
		{ "{\"step\":\"validate\",\"fault\":\"null\",\"member\":\"errorDescription\"}",
		    "errorDescription", true },
	};
	const struct kit *k = *state;
	struct answer a;

	for (size_t i = 0; i < N(rows); i++) {
		set_rule(k, rows[i].rule);
		validate_good(&a, k);
		assert_int_equal(a.status, 200);
		assert_non_null(a.json);
		assert_null(json_get_str(a.json, rows[i].member));
		assert_int_equal(json_object_get(a.json, rows[i].member) != NULL, rows[i].there);
		answer_done(&a);
	}
}

static void
members_of_a_list_go_missing_too(void **state)
{
	const struct kit *k = *state;
	char *token = kit_token(k, "alpha.example", APP_ID, GRAPH);
	struct answer a;

	set_rule(k, "{\"step\":\"discovery\",\"fault\":\"drop\",\"member\":\"providerName\"}");
	get(&a, k, ENDPOINTS, token);
	assert_int_equal(a.status, 200);
	assert_null(strstr(buf_str(&a.body), "providerName"));
	assert_non_null(strstr(buf_str(&a.body), "\"uri\""));
	answer_done(&a);
	free(token);
}

static void
unknown_members_do_no_harm_and_duplicates_are_there_twice(void **state)
{
	const struct kit *k = *state;
	struct answer a;

	set_rule(k, "{\"step\":\"validate\",\"fault\":\"unknown\"}");
	validate_good(&a, k);
	assert_string_equal(answer_code(&a), "Success");
	assert_non_null(json_object_get(a.json, "@sim.unknown"));
	answer_done(&a);
	set_rule(k,
	    "{\"step\":\"validate\",\"fault\":\"duplicate\",\"member\":\"code\",\"value\":\"No\"}");
	validate_good(&a, k);
	/* Our own door refuses it, as it should. */
	assert_null(a.json);
	assert_true(str_starts(buf_str(&a.body), "{\"code\":\"No\","));
	assert_non_null(strstr(buf_str(&a.body), "\"code\":\"Success\""));
	answer_done(&a);
	set_rule(k, "{\"step\":\"validate\",\"fault\":\"duplicate\",\"member\":\"code\"}");
	validate_good(&a, k);
	assert_true(str_starts(buf_str(&a.body), "{\"code\":\"Success\","));
	answer_done(&a);
}

static void
bodies_are_garbage_empty_of_another_type_or_huge(void **state)
{
	const struct kit *k = *state;
	struct answer a;

	set_rule(k, "{\"step\":\"validate\",\"fault\":\"garbage\"}");
	validate_good(&a, k);
	assert_int_equal(a.status, 200);
	assert_true(a.body.len > 0);
	assert_null(a.json);
	answer_done(&a);
	set_rule(k, "{\"step\":\"validate\",\"fault\":\"empty\"}");
	validate_good(&a, k);
	assert_int_equal(a.status, 200);
	assert_int_equal(a.body.len, 0);
	answer_done(&a);
	set_rule(k, "{\"step\":\"validate\",\"fault\":\"type\",\"type\":\"application/xml\"}");
	validate_good(&a, k);
	assert_string_equal(a.content_type, "application/xml");
	assert_string_equal(answer_code(&a), "Success");
	answer_done(&a);
	set_rule(k, "{\"step\":\"validate\",\"fault\":\"type\",\"type\":\"none\"}");
	validate_good(&a, k);
	assert_null(a.content_type);
	answer_done(&a);
	set_rule(k, "{\"step\":\"validate\",\"fault\":\"huge\",\"bytes\":3000000}");
	validate_good(&a, k);
	assert_true(a.body.len > 3000000);
	assert_non_null(strstr(buf_str(&a.body), "\"code\":\"Success\""));
	answer_done(&a);
}

/* What gunzip makes of the body; its exit status. */
static int
gunzip(const struct buf *body, char *out, size_t room)
{
	char path[] = "/tmp/faults_test.XXXXXX", cmd[128];
	int fd = mkstemp(path);
	size_t n;
	FILE *f;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, body->data, body->len), body->len);
	close(fd);
	snprintf(cmd, sizeof(cmd), "gzip -dc < %s 2>/dev/null", path);
	f = popen(cmd, "r");
	assert_non_null(f);
	n = fread(out, 1, room - 1, f);
	out[n] = '\0';
	unlink(path);
	return pclose(f);
}

static void
gzip_is_gzip_unless_broken(void **state)
{
	const struct kit *k = *state;
	static char text[200000];
	struct buf big;
	struct answer a;

	set_rule(k, "{\"step\":\"validate\",\"fault\":\"gzip\"}");
	validate_good(&a, k);
	assert_non_null(strstr(buf_str(&a.headers), "Content-Encoding: gzip\r\n"));
	assert_int_equal(gunzip(&a.body, text, sizeof(text)), 0);
	assert_non_null(strstr(text, "\"code\":\"Success\""));
	answer_done(&a);
	set_rule(k, "{\"step\":\"validate\",\"fault\":\"gzip\",\"broken\":true}");
	validate_good(&a, k);
	assert_int_not_equal(gunzip(&a.body, text, sizeof(text)), 0);
	answer_done(&a);
	/* More than one block; and none. */
	buf_init(&big, 1 << 20);
	memset(buf_grow(&big, 150000), 'g', 150000);
	fault_gzip(&big, false);
	assert_int_equal(gunzip(&big, text, sizeof(text)), 0);
	assert_int_equal(strlen(text), 150000);
	buf_reset(&big);
	fault_gzip(&big, false);
	assert_int_equal(gunzip(&big, text, sizeof(text)), 0);
	assert_int_equal(strlen(text), 0);
	buf_done(&big);
}

/* The wire is seen in tests of src/http; here, that a rule gets there. */
static void
trouble_on_the_wire_reaches_the_server(void **state)
{
	static const struct {
		const char *rule;
		struct http_trouble want;
	} rows[] = {
		{ "\"delay\",\"ms\":1500", { .wait_ms = 1500, .limit_ms = 31500 } },
		{ "\"stall\"", { .end = HTTP_END_STALL, .percent = 50, .limit_ms = 60000 } },
		{ "\"stall\",\"ms\":200,\"sent\":0", { .end = HTTP_END_STALL, .limit_ms = 200 } },
		{ "\"cut\"", { .end = HTTP_END_CUT, .percent = 50 } },
		{ "\"reset\"", { .end = HTTP_END_RESET } },
		{ "\"reset\",\"sent\":90", { .end = HTTP_END_RESET, .percent = 90 } },
		{ "\"chunked\",\"bytes\":3", { .chunk = 3 } },
		{ "\"drip\"", { .piece = 1, .piece_ms = 1, .limit_ms = 600000 } },
		{ "\"skew\",\"offset\":\"-2h\"", { .date_offset = -7200 } },
	};
	const struct kit *k = *state;
	char rule[256];
	struct answer a;

	for (size_t i = 0; i < N(rows); i++) {
		const struct http_trouble *w = &rows[i].want;

		snprintf(rule, sizeof(rule), "{\"step\":\"validate\",\"fault\":%s}", rows[i].rule);
		set_rule(k, rule);
		validate_good(&a, k);
		assert_int_equal(a.trouble.wait_ms, w->wait_ms);
		assert_int_equal(a.trouble.end, w->end);
		assert_int_equal(a.trouble.percent, w->percent);
		assert_int_equal(a.trouble.limit_ms, w->limit_ms);
		assert_int_equal(a.trouble.chunk, w->chunk);
		assert_int_equal(a.trouble.piece, w->piece);
		assert_int_equal(a.trouble.piece_ms, w->piece_ms);
		assert_int_equal(a.trouble.date_offset, w->date_offset);
		/* The request was carried out: the answer is what suffers. */
		assert_string_equal(answer_code(&a), "Success");
		answer_done(&a);
	}
}

static void
tokens_of_a_clock_that_is_wrong_open_nothing(void **state)
{
	const struct kit *k = *state;
	struct answer a;
	char *token;

	set_rule(k, "{\"step\":\"token\",\"fault\":\"skew\",\"offset\":\"-3h\"}");
	token = kit_token(k, "alpha.example", APP_ID, GRAPH);
	get(&a, k, ENDPOINTS, token);
	assert_int_equal(a.status, 401);
	answer_done(&a);
	free(token);
}

/* ---- services that move ---- */

static void
expect_uri(const struct kit *k, const char *token, const char *uri)
{
	struct answer a;

	get(&a, k, ENDPOINTS, token);
	assert_int_equal(a.status, 200);
	if (strstr(buf_str(&a.body), uri) == NULL)
		fail_msg("%s: %s", uri, buf_str(&a.body));
	answer_done(&a);
}

static void
service_moves_and_discovery_tells_where(void **state)
{
	const struct kit *k = *state;
	char *token = kit_token(k, "alpha.example", APP_ID, GRAPH);
	struct answer a;

	set_rule(k, "{\"step\":\"validate\",\"fault\":\"move\",\"after\":1}");
	expect_uri(k, token, "http://" HOST "/RACerts/");
	validate_good(&a, k);
	assert_int_equal(a.status, 200);
	answer_done(&a);
	expect_uri(k, token, "http://" HOST "/RACerts/");
	for (int i = 0; i < 3; i++) {
		validate_good(&a, k);
		assert_int_equal(a.status, 404);
		answer_done(&a);
	}
	expect_uri(k, token, "http://" HOST "/moved/RACerts/");
	call(&a, k,
	    &(struct request){
		.path = "/moved" SERVICE "validateRequest", .body = "{}", .token = k->token });
	/* It is there, and looks at the body. */
	assert_int_equal(a.status, 400);
	answer_done(&a);
	well_again(state);
	expect_uri(k, token, "http://" HOST "/RACerts/");
	free(token);
}

static void
discovery_may_tell_any_place(void **state)
{
	const struct kit *k = *state;
	char *token = kit_token(k, "alpha.example", APP_ID, GRAPH);

	set_rule(k,
	    "{\"step\":\"discovery\",\"fault\":\"move\",\"uri\":\"http://127.0.0.1:1\","
	    "\"times\":1}");
	expect_uri(k, token, "http://127.0.0.1:1/RACerts/");
	expect_uri(k, token, "http://" HOST "/RACerts/");
	free(token);
}

/* ---- which requests are hit ---- */

#define ROUNDS 200

/* 'x' for every request of the step that is hit. */
static void
pattern(char out[static ROUNDS + 1], struct faults *f, enum sim_step step)
{
	struct fault_rule r;
	size_t place;

	for (int i = 0; i < ROUNDS; i++)
		out[i] = faults_draw(f, step, false, &r, &place) ? (char)('a' + place) : '.';
	out[ROUNDS] = '\0';
}

static size_t
count(const char *s, char c)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += *s == c;
	return n;
}

static struct fault_rule
rule_of(const char *text)
{
	struct fault_rule r;
	struct err e;

	assert_ok(fault_rule_parse(&r, text, strlen(text), &e), e);
	return r;
}

static void
hits_depend_on_seed_step_and_number_only(void **state)
{
	struct fault_rule rules[2] = { rule_of("step=*,fault=empty,share=0.3"),
		rule_of("step=validate,fault=cut,share=0.5") };
	char first[ROUNDS + 1], again[ROUNDS + 1], other[ROUNDS + 1];
	struct fault_rule r;
	struct faults *f;
	size_t place;
	struct err e;

	assert_ok(faults_new(&f, &e), e);
	faults_set(f, 1, rules, 2);
	pattern(first, f, SIM_STEP_VALIDATE);
	/* About that many, by this seed. */
	assert_in_range(count(first, 'a'), ROUNDS / 5, ROUNDS / 2);
	assert_in_range(count(first, 'b'), ROUNDS / 5, ROUNDS / 2);
	pattern(other, f, SIM_STEP_SUCCESS);
	assert_string_not_equal(first, other);
	assert_int_equal(count(other, 'b'), 0);
	/* The same again, whatever happens at other steps meanwhile. */
	faults_set(f, 1, rules, 2);
	for (int i = 0; i < 17; i++)
		faults_draw(f, SIM_STEP_TOKEN, false, &r, &place);
	pattern(again, f, SIM_STEP_VALIDATE);
	assert_string_equal(first, again);
	faults_set(f, 2, rules, 2);
	pattern(other, f, SIM_STEP_VALIDATE);
	assert_string_not_equal(first, other);
	faults_free(f);
}

#define THREADS 8

struct drawing {
	struct faults *f;
	size_t hits;
};

static void *
draw_many(void *arg)
{
	struct drawing *d = arg;
	struct fault_rule r;
	size_t place;

	for (int i = 0; i < ROUNDS; i++) {
		if (faults_draw(d->f, SIM_STEP_VALIDATE, false, &r, &place))
			d->hits++;
		if (i % 50 == 0)
			json_decref(faults_json(d->f));
	}
	return NULL;
}

/* Which thread's request is the 17th is chance; that the 17th is hit is not. */
static void
threads_share_the_same_hits(void **state)
{
	struct fault_rule rule = rule_of("step=validate,fault=empty,share=0.3,times=400");
	struct drawing d[THREADS] = { 0 }, alone = { 0 };
	pthread_t t[THREADS];
	size_t sum = 0;
	struct err e;

	assert_ok(faults_new(&alone.f, &e), e);
	faults_set(alone.f, 5, &rule, 1);
	for (int i = 0; i < THREADS; i++)
		draw_many(&alone);
	faults_set(alone.f, 5, &rule, 1);
	for (int i = 0; i < THREADS; i++) {
		d[i].f = alone.f;
		assert_int_equal(pthread_create(&t[i], NULL, draw_many, &d[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], NULL);
		sum += d[i].hits;
	}
	assert_int_equal(sum, alone.hits);
	assert_in_range(sum, 1, 400);
	faults_free(alone.f);
}

static void
after_and_times_bound_a_rule_per_step(void **state)
{
	struct fault_rule rules[2] = { rule_of("step=*,fault=empty,after=2,times=3"),
		rule_of("step=validate,fault=cut") };
	char p[ROUNDS + 1];
	struct fault_rule r;
	struct faults *f;
	size_t place;
	struct err e;

	assert_ok(faults_new(&f, &e), e);
	faults_set(f, 0, rules, 2);
	pattern(p, f, SIM_STEP_VALIDATE);
	assert_true(str_starts(p, "bbaaabbbb"));
	pattern(p, f, SIM_STEP_TOKEN);
	assert_true(str_starts(p, "..aaa...."));
	/* What has no step never goes wrong. */
	assert_false(faults_draw(f, SIM_STEP_NONE, false, &r, &place));
	rules[0] = rule_of("step=*,fault=empty,share=0");
	faults_set(f, 0, rules, 1);
	pattern(p, f, SIM_STEP_TOKEN);
	assert_int_equal(count(p, 'a'), 0);
	faults_free(f);
}

static void
every_step_is_met_somewhere(void **state)
{
	static const struct {
		const char *step, *method, *path;
	} rows[] = {
		{ "token", "POST", "/alpha.example/oauth2/v2.0/token" },
		{ "token", "POST", "/alpha.example/oauth2/token" },
		{ "token", "GET", "/metadata/identity/oauth2/token" },
		{ "token", "GET", "/msi/token" },
		{ "discovery", "GET", ENDPOINTS },
		{ "discovery", "GET",
		    "/alpha.example/servicePrincipalsByAppId/"
		    "0000000a-0000-0000-c000-000000000000/serviceEndpoints" },
		{ "validate", "POST", SERVICE "validateRequest" },
		{ "success", "POST", SERVICE "successNotification" },
		{ "failure", "POST", SERVICE "failureNotification" },
		{ "download", "POST",
		    REVOCATION_SERVICE_PATH
		    "/CertificateAuthorityRequests/downloadRevocationRequests" },
		{ "upload", "POST",
		    REVOCATION_SERVICE_PATH
		    "/CertificateAuthorityRequests/uploadRevocationResults" },
		{ "graph", "GET", "/v1.0/users" },
		{ "graph", "GET", "/v1.0/devices/delta" },
		{ "graph", "GET", "/beta/deviceManagement/managedDevices" },
		{ "checkin", "POST", "/sim/devices/win-1/checkin" },
	};
	const struct kit *k = *state;
	char rule[128];
	struct answer a;

	for (size_t i = 0; i < N(rows); i++) {
		snprintf(rule, sizeof(rule),
		    "{\"step\":\"%s\",\"fault\":\"status\",\"status\":555,\"body\":\"odata\"}",
		    rows[i].step);
		set_rule(k, rule);
		call(&a, k, &(struct request){ .method = rows[i].method, .path = rows[i].path });
		if (a.status != 555 || a.json == NULL)
			fail_msg("%s: %d %s", rows[i].path, a.status, buf_str(&a.body));
		answer_done(&a);
		get(&a, k, "/sim/faults", NULL);
		assert_int_equal(json_integer_value(json_object_get(
				     json_object_get(a.json, "requests"), rows[i].step)),
		    1);
		answer_done(&a);
	}
}

/* ---- rules ---- */

static void
get_shows_rules_as_put_takes_them_and_counts_hits(void **state)
{
	static const char rules[] =
	    "{\"seed\":7,\"rules\":[{\"step\":\"validate\",\"fault\":\"status\",\"share\":0.5,"
	    "\"after\":1,\"times\":5,\"status\":503,\"retryAfter\":2,\"retryAs\":\"date\","
	    "\"body\":\"html\",\"carryOut\":true},{\"step\":\"token\",\"fault\":\"skew\","
	    "\"offset\":\"-2h\"},{\"step\":\"*\",\"fault\":\"drip\",\"ms\":0}]}";
	const struct kit *k = *state;
	struct answer a, b, c;
	char body[1024];
	json_t *shown;

	put(&a, k, rules);
	assert_int_equal(a.status, 400); /* ms=0 */
	assert_non_null(strstr(buf_str(&a.body), "rules: 2: ms"));
	answer_done(&a);
	snprintf(body, sizeof(body), "%s", rules);
	memcpy(strstr(body, "\"ms\":0"), "\"ms\":9", 6);
	put(&a, k, body);
	assert_int_equal(a.status, 200);
	get(&b, k, "/sim/faults", NULL);
	assert_true(json_equal(a.json, b.json));
	assert_int_equal(json_integer_value(json_object_get(b.json, "seed")), 7);
	shown = json_array_get(json_object_get(b.json, "rules"), 0);
	assert_int_equal(json_integer_value(json_object_get(shown, "hits")), 0);
	assert_string_equal(json_get_str(shown, "retryAs"), "date");
	/* It comes back as it was shown. */
	put(&c, k, buf_str(&b.body));
	assert_int_equal(c.status, 200);
	assert_true(json_equal(b.json, c.json));
	answer_done(&a);
	answer_done(&b);
	answer_done(&c);
	set_rule(k, "{\"step\":\"validate\",\"fault\":\"empty\"}");
	validate_good(&a, k);
	answer_done(&a);
	get(&a, k, "/sim/faults", NULL);
	assert_int_equal(json_integer_value(json_object_get(
			     json_array_get(json_object_get(a.json, "rules"), 0), "hits")),
	    1);
	assert_int_equal(
	    json_integer_value(json_object_get(json_object_get(a.json, "requests"), "validate")),
	    1);
	answer_done(&a);
}

static void
bad_rules_are_refused_and_the_old_ones_stay(void **state)
{
	static const struct {
		const char *body, *why;
	} rows[] = {
		{ "", "" },
		{ "[]", "object" },
		{ "{}", "rules" },
		{ "{\"rules\":{}}", "rules" },
		{ "{\"rules\":[1]}", "rules: 0" },
		{ "{\"rules\":[],\"seed\":\"x\"}", "seed" },
		{ "{\"rules\":[],\"sed\":1}", "sed" },
		{ "{\"rules\":[{}]}", "step" },
		{ "{\"rules\":[{\"step\":\"x\",\"fault\":\"empty\"}]}", "none of token" },
		{ "{\"rules\":[{\"step\":\"none\",\"fault\":\"empty\"}]}", "none of token" },
		{ "{\"rules\":[{\"step\":\"*\"}]}", "fault" },
		{ "{\"rules\":[{\"step\":\"*\",\"fault\":\"statsu\"}]}", "did you mean" },
		{ "{\"rules\":[{\"step\":\"*\",\"fault\":\"status\"}]}", "needs it" },
		{ "{\"rules\":[{\"step\":\"*\",\"fault\":\"empty\",\"ms\":1}]}", "no such key" },
		{ "{\"rules\":[{\"step\":\"*\",\"fault\":\"empty\",\"x\":1}]}", "no such key" },
		{ "{\"rules\":[{\"step\":\"token\",\"fault\":\"code\",\"code\":\"x\"}]}",
		    "means nothing" },
		{ "{\"rules\":[{\"step\":\"*\",\"fault\":\"empty\",\"share\":1.5}]}", "share" },
		{ "{\"rules\":[{\"step\":\"*\",\"fault\":\"empty\",\"share\":\"nan\"}]}", "share" },
		{ "{\"rules\":[{\"step\":\"*\",\"fault\":\"empty\",\"share\":[]}]}", "share" },
		{ "{\"rules\":[{\"step\":\"*\",\"fault\":\"status\",\"status\":199}]}", "status" },
		{ "{\"rules\":[{\"step\":\"*\",\"fault\":\"status\",\"status\":600}]}", "status" },
		{ "{\"rules\":[{\"step\":\"*\",\"fault\":\"huge\",\"bytes\":99999999}]}", "bytes" },
		{ "{\"rules\":[{\"step\":\"*\",\"fault\":\"delay\",\"ms\":600001}]}", "ms" },
		{ "{\"rules\":[{\"step\":\"*\",\"fault\":\"skew\",\"offset\":\"99y\"}]}",
		    "offset" },
		{ "{\"rules\":[{\"step\":\"*\",\"fault\":\"gzip\",\"broken\":2}]}", "broken" },
	};
	const struct kit *k = *state;
	struct answer a, before, after;

	set_rule(k, "{\"step\":\"graph\",\"fault\":\"empty\"}");
	get(&before, k, "/sim/faults", NULL);
	for (size_t i = 0; i < N(rows); i++) {
		put(&a, k, rows[i].body);
		if (a.status != 400 || strstr(buf_str(&a.body), rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].body, buf_str(&a.body));
		answer_done(&a);
	}
	get(&after, k, "/sim/faults", NULL);
	assert_true(json_equal(before.json, after.json));
	answer_done(&before);
	answer_done(&after);
}

static void
rules_in_one_argument(void **state)
{
	static const struct {
		const char *text, *why; /* NULL: taken */
	} rows[] = {
		{ "step=validate,fault=status,status=503,share=0.1", NULL },
		{ "step=validate,fault=status,status=200,body=text,text=a\\,b=c\\\\", NULL },
		{ "step=*,fault=empty,", NULL },
		{ "", "step" },
		{ "step", "KEY=VALUE" },
		{ "step=*,fault", "KEY=VALUE" },
		{ "step=*,step=*,fault=empty", "twice" },
		{ "step=*,fault=empty,=x", "no such key" },
		{ "step=*,fault=garbage,text=\xff", "UTF-8" },
	};
	struct fault_rule r;
	struct err e;

	for (size_t i = 0; i < N(rows); i++) {
		enum rc rc = fault_rule_parse(&r, rows[i].text, strlen(rows[i].text), &e);

		assert_int_equal(rc, rows[i].why == NULL ? RC_OK : RC_CONFIG);
		if (rows[i].why != NULL && strstr(e.msg, rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].text, e.msg);
	}
	r = rule_of(rows[1].text);
	assert_string_equal(r.text, "a,b=c\\");
	r = rule_of(rows[0].text);
	assert_true(r.share == 0.1);
}

static void
cut_or_changed_rules_do_no_harm(void **state)
{
	static const char text[] = "step=validate,fault=status,status=503,body=text,text=a\\,b,"
				   "share=0.25,after=1,times=2,retryAfter=9,retryAs=date";
	struct fault_rule r;
	char copy[sizeof(text)];

	for (size_t len = 0; len < sizeof(text); len++) {
		char *exact = malloc(len + (len == 0));

		assert_non_null(exact);
		memcpy(exact, text, len);
		(void)!fault_rule_parse(&r, exact, len, NULL);
		free(exact);
	}
	for (size_t bit = 0; bit < 8 * (sizeof(text) - 1); bit++) {
		memcpy(copy, text, sizeof(text));
		copy[bit / 8] ^= (char)(1 << bit % 8);
		(void)!fault_rule_parse(&r, copy, sizeof(text) - 1, NULL);
	}
}

static void
faults_are_not_for_the_simulator_itself(void **state)
{
	const struct kit *k = *state;
	struct answer a;

	set_rule(k, "{\"step\":\"*\",\"fault\":\"status\",\"status\":500}");
	get(&a, k, "/sim/report", NULL);
	assert_int_equal(a.status, 200);
	answer_done(&a);
	get(&a, k, "/sim/faults", NULL);
	assert_int_equal(a.status, 200);
	answer_done(&a);
	get(&a, k, "/moved/sim/faults", NULL);
	assert_int_equal(a.status, 404);
	answer_done(&a);
}

#define TEST(f) cmocka_unit_test_teardown(f, well_again)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(status_with_each_body),
		TEST(retry_after_may_be_a_date_and_a_redirect_has_a_place),
		TEST(what_is_answered_instead_is_not_done_unless_wanted),
		TEST(every_code_can_be_had),
		TEST(a_code_does_not_open_what_a_token_does_not),
		TEST(entra_refuses_by_number),
		TEST(members_go_missing_or_are_null),
		TEST(members_of_a_list_go_missing_too),
		TEST(unknown_members_do_no_harm_and_duplicates_are_there_twice),
		TEST(bodies_are_garbage_empty_of_another_type_or_huge),
		TEST(gzip_is_gzip_unless_broken),
		TEST(trouble_on_the_wire_reaches_the_server),
		TEST(tokens_of_a_clock_that_is_wrong_open_nothing),
		TEST(service_moves_and_discovery_tells_where),
		TEST(discovery_may_tell_any_place),
		TEST(hits_depend_on_seed_step_and_number_only),
		TEST(threads_share_the_same_hits),
		TEST(after_and_times_bound_a_rule_per_step),
		TEST(every_step_is_met_somewhere),
		TEST(get_shows_rules_as_put_takes_them_and_counts_hits),
		TEST(bad_rules_are_refused_and_the_old_ones_stay),
		TEST(rules_in_one_argument),
		TEST(cut_or_changed_rules_do_no_harm),
		TEST(faults_are_not_for_the_simulator_itself),
	};

	return cmocka_run_group_tests(tests, kit_new, kit_free);
}
