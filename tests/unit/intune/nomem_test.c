/*
 * nomem_test.c - memory runs out at each allocation in turn, in every public call that sends: no
 * crash, no leak (a sanitizer build looks for those), and never an INTUNE_OK whose effect is not
 * there.
 *
 * The linker sends the allocations of our own code through the wrappers below; jansson and libcurl
 * have hooks of their own.  The peer lives in a process of its own, so that it never runs out.
 */
#include "app_files.h"
#include "kit.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *s);
json_t *__real_json_loadb(const char *p, size_t len, size_t flags, json_error_t *error);
json_t *__wrap_json_loadb(const char *p, size_t len, size_t flags, json_error_t *error);

enum source { OURS, JANSSON, LIBCURL };

static enum source armed;
static atomic_long left = -1; /* allocations of that source until one fails; negative: none does */

static bool
runs_out(enum source s)
{
	return s == armed && atomic_load(&left) >= 0 && atomic_fetch_sub(&left, 1) == 0;
}

void *
__wrap_malloc(size_t size)
{
	return runs_out(OURS) ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return runs_out(OURS) ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
	return runs_out(OURS) ? NULL : __real_realloc(p, size);
}

char *
__wrap_strdup(const char *s)
{
	return runs_out(OURS) ? NULL : __real_strdup(s);
}

static _Thread_local bool parsing;

static void *
json_alloc(size_t size)
{
	return !parsing && runs_out(JANSSON) ? NULL : __real_malloc(size);
}

/*
 * jansson 2.14's parser does not survive want of memory: it frees a string twice when its node
 * cannot be had, and asserts when an escape could not be kept.  So a parse as a whole is what fails.
 */
json_t *
__wrap_json_loadb(const char *p, size_t len, size_t flags, json_error_t *error)
{
	json_t *v;

	if (runs_out(JANSSON)) {
		memset(error, 0, sizeof(*error));
		error->text[sizeof(error->text) - 1] = (char)json_error_out_of_memory;
		return NULL;
	}
	parsing = true;
	v = __real_json_loadb(p, len, flags, error);
	parsing = false;
	return v;
}

static void *
curl_alloc(size_t size)
{
	return runs_out(LIBCURL) ? NULL : __real_malloc(size);
}

static void *
curl_zalloc(size_t n, size_t size)
{
	return runs_out(LIBCURL) ? NULL : __real_calloc(n, size);
}

static void *
curl_regrow(void *p, size_t size)
{
	return runs_out(LIBCURL) ? NULL : __real_realloc(p, size);
}

static char *
curl_copy(const char *s)
{
	return runs_out(LIBCURL) ? NULL : __real_strdup(s);
}

/* ---- the peer's process ---- */

#define ROUNDS_PER_PEER 40 /* well below the connections and requests that a peer can record */
/* {"roles":["Directory.Read.All"]} */
#define JWT "e30.eyJyb2xlcyI6WyJEaXJlY3RvcnkuUmVhZC5BbGwiXX0.c2ln"

struct far_peer {
	pid_t pid;
	int hold; /* closed: the peer's process ends */
	char url[64];
};

#define SOME_ID "9bd5f4a2-93a6-4f2a-8f13-1d0a1b2c3d4e"

/* An object of the directory and a page with one at once. */
static void
script_directory(struct peer *p)
{
	char body[512];
	const struct play play = { .status = 200, .body = body };

	(void)snprintf(body, sizeof(body),
	    "{\"id\":\"" SOME_ID "\",\"userPrincipalName\":\"jane@x\",\"value\":[{\"id\":\"" SOME_ID
	    "\",\"serialNumber\":\"S\"}],\"@odata.deltaLink\":\"%s/next\"}",
	    peer_url(p));
	peer_always(p, ROUTE_OTHER, &play);
}

static void
script(struct peer *p, bool denies)
{
	static const struct play list = { 200, NULL,
		"{\"value\":[{\"requestContext\":\"c1\",\"serialNumber\":\"01\"},{},"
		"{\"requestContext\":\"c2\",\"serialNumber\":\"02\",\"issuerName\":\"i\"}]}",
		0, 0 };
	static const struct play token = { 200, NULL,
		"{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"" JWT "\"}", 0,
		0 };
	static const struct play denied = { 403, NULL,
		"{\"error\":{\"code\":\"Denied\",\"message\":\"{\\\"Message\\\":\\\"no\\\"}\"}}", 0,
		0 };
	enum route r;

	peer_always(p, ROUTE_TOKEN, &token);
	peer_always(p, ROUTE_DOWNLOAD, &list);
	script_directory(p);
	for (r = ROUTE_ACTION; denies && r <= ROUTE_OTHER; r++)
		peer_always(p, r, &denied);
}

static void
serve_until_closed(int hold, int tell, bool denies)
{
	struct peer *p = peer_start();
	const char *url = peer_url(p);
	char c;

	script(p, denies);
	(void)!write(tell, url, strlen(url) + 1);
	close(tell);
	(void)!read(hold, &c, 1);
	_exit(0);
}

static void
far_peer_start(struct far_peer *fp, bool denies)
{
	int hold[2], tell[2];
	ssize_t n;

	assert_int_equal(pipe(hold), 0);
	assert_int_equal(pipe(tell), 0);
	fp->pid = fork();
	assert_true(fp->pid >= 0);
	if (fp->pid == 0) {
		close(hold[1]);
		close(tell[0]);
		serve_until_closed(hold[0], tell[1], denies);
	}
	close(hold[0]);
	close(tell[1]);
	fp->hold = hold[1];
	n = read(tell[0], fp->url, sizeof(fp->url));
	assert_in_range(n, 10, sizeof(fp->url));
	close(tell[0]);
}

static void
far_peer_stop(struct far_peer *fp)
{
	close(fp->hold);
	assert_int_equal(waitpid(fp->pid, NULL, 0), fp->pid);
}

/* ---- the calls: each says with what status, and looks at the effect of an INTUNE_OK ---- */

typedef enum intune_status (*work)(
    struct intune_client **cl, const char *url, struct intune_error *e);

static char app_file[] = "/tmp/intune-nomem-XXXXXX"; /* the app's certificate and key */

static enum intune_status
make_with(struct intune_client **cl, const char *url, const char *secret, const char *certificate,
    struct intune_error *e)
{
	struct intune_config c;

	intune_config_init(&c);
	c.aad_app_id = "11111111-2222-3333-4444-555555555555";
	c.aad_app_key = secret;
	c.app_certificate_file = c.app_certificate_key_file = certificate;
	c.tenant = "contoso.example";
	c.provider_name_and_version = "UnitCA 1.0";
	c.auth_authority = url;
	c.ms_graph_resource_url = url;
	c.total_ms = 30000; /* for what hangs: a busy machine is not to be taken for that */
	return intune_client_new(cl, &c, e);
}

static enum intune_status
make_client(struct intune_client **cl, const char *url, struct intune_error *e)
{
	return make_with(cl, url, "s3cret~key/with+signs&more", NULL, e);
}

/* A token that costs an assertion, and so reading files, JSON and a signature. */
static enum intune_status
work_certificate(struct intune_client **cl, const char *url, struct intune_error *e)
{
	enum intune_status st = make_with(cl, url, NULL, app_file, e);

	assert_true((st == INTUNE_OK) == (*cl != NULL));
	return st == INTUNE_OK ? intune_check(*cl, e) : st;
}

static enum intune_status
work_set_key(struct intune_client **cl, const char *url, struct intune_error *e)
{
	enum intune_status st = intune_client_set_app_key(*cl, "another", e);

	return st == INTUNE_OK ? intune_check(*cl, e) : st;
}

static enum intune_status
work_reload(struct intune_client **cl, const char *url, struct intune_error *e)
{
	struct intune_credential c;

	return intune_client_reload(*cl, &c, e);
}

static enum intune_status
work_new(struct intune_client **cl, const char *url, struct intune_error *e)
{
	enum intune_status st = make_client(cl, url, e);

	assert_true((st == INTUNE_OK) == (*cl != NULL));
	return st;
}

static enum intune_status
work_check(struct intune_client **cl, const char *url, struct intune_error *e)
{
	return intune_check(*cl, e);
}

static int
leave_as_is(void *ssl_ctx, void *arg)
{
	return 0;
}

static enum intune_status
work_tls(struct intune_client **cl, const char *url, struct intune_error *e)
{
	return intune_client_set_tls_context(*cl, leave_as_is, NULL, e);
}

static enum intune_status
work_validate(struct intune_client **cl, const char *url, struct intune_error *e)
{
	enum intune_status st = intune_validate_request(*cl, "tx-1", csr, CSR_LEN, e);

	if (st == INTUNE_OK)
		assert_string_equal(e->code_text, "Success");
	return st;
}

static enum intune_status
work_success(struct intune_client **cl, const char *url, struct intune_error *e)
{
	const struct intune_success s = { "tx-1", csr, CSR_LEN, "AA", "01",
		"2027-11-21T06:20:57.000Z", "CN=I", "conf", "ca" };
	enum intune_status st = intune_send_success_notification(*cl, &s, e);

	if (st == INTUNE_OK)
		assert_string_equal(e->code_text, "Success");
	return st;
}

static enum intune_status
work_failure(struct intune_client **cl, const char *url, struct intune_error *e)
{
	enum intune_status st =
	    intune_send_failure_notification(*cl, "tx-1", csr, CSR_LEN, 5, "down", e);

	if (st == INTUNE_OK)
		assert_string_equal(e->code_text, "Success");
	return st;
}

static enum intune_status
work_download(struct intune_client **cl, const char *url, struct intune_error *e)
{
	struct intune_revocation_list *l = NULL;
	enum intune_status st =
	    intune_download_revocation_requests(*cl, "tx-1", 500, "issuer", &l, e);

	assert_true((st == INTUNE_OK) == (l != NULL));
	if (st == INTUNE_OK) {
		assert_int_equal(intune_revocation_list_count(l), 2);
		assert_string_equal(intune_revocation_list_get(l, 1)->issuer_name, "i");
	}
	intune_revocation_list_free(l);
	return st;
}

static enum intune_status
work_upload(struct intune_client **cl, const char *url, struct intune_error *e)
{
	static const struct intune_revocation_result r[] = {
		{ "c1", true, INTUNE_REVOCATION_NONE, NULL },
		{ "c2", false, INTUNE_REVOCATION_CONFLICT, "there" },
	};

	return intune_upload_revocation_results(*cl, "tx-1", r, COUNT(r), e);
}

static enum intune_status
work_user(struct intune_client **cl, const char *url, struct intune_error *e)
{
	struct intune_user u;
	enum intune_status st = intune_find_user(*cl, SOME_ID, &u, e);

	assert_int_equal(
	    u.presence, st == INTUNE_OK ? INTUNE_PRESENCE_FOUND : INTUNE_PRESENCE_UNKNOWN);
	return st;
}

static enum intune_status
work_managed(struct intune_client **cl, const char *url, struct intune_error *e)
{
	struct intune_managed_device m;
	enum intune_status st =
	    intune_find_managed_device_by(*cl, INTUNE_BY_SERIAL_NUMBER, "S", &m, e);

	assert_int_equal(
	    m.presence, st == INTUNE_OK ? INTUNE_PRESENCE_FOUND : INTUNE_PRESENCE_UNKNOWN);
	return st;
}

static int
count_change(const struct intune_change *change, void *arg)
{
	++*(int *)arg;
	return 0;
}

static enum intune_status
work_delta(struct intune_client **cl, const char *url, struct intune_error *e)
{
	char *link = NULL;
	int n = 0;
	enum intune_status st =
	    intune_follow_changes(*cl, INTUNE_DELTA_USERS, NULL, count_change, &n, &link, e);

	assert_true((st == INTUNE_OK) == (link != NULL && n == 1));
	free(link);
	return st;
}

static int
count_device(const struct intune_managed_device *device, void *arg)
{
	++*(int *)arg;
	return 0;
}

static enum intune_status
work_devices(struct intune_client **cl, const char *url, struct intune_error *e)
{
	int n = 0;
	enum intune_status st = intune_list_managed_devices(*cl, 1, count_device, &n, e);

	assert_true(st != INTUNE_OK || n == 1);
	return st;
}

static int
count_member(const struct intune_member *member, void *arg)
{
	++*(int *)arg;
	return 0;
}

static enum intune_status
work_members(struct intune_client **cl, const char *url, struct intune_error *e)
{
	int n = 0;
	enum intune_status st = intune_list_group_members(*cl, SOME_ID, count_member, &n, e);

	assert_true(st != INTUNE_OK || n == 1);
	return st;
}

static enum intune_status
work_risk(struct intune_client **cl, const char *url, struct intune_error *e)
{
	struct intune_risk r;
	enum intune_status st = intune_find_risk(*cl, SOME_ID, &r, e);

	assert_int_equal(
	    r.presence, st == INTUNE_OK ? INTUNE_PRESENCE_FOUND : INTUNE_PRESENCE_UNKNOWN);
	return st;
}

struct job {
	const char *name;
	work call;
	bool without_client; /* it makes the client itself */
	bool warm;           /* with tokens and addresses at hand */
	bool denied;         /* the peer denies what is asked of Intune */
};

static const struct job jobs[] = {
	{ "new", work_new, true, false, false },
	{ "certificate", work_certificate, true, false, false },
	{ "set app key", work_set_key, false, false, false },
	{ "reload", work_reload, false, false, false },
	{ "TLS context", work_tls, false, false, false },
	{ "validate", work_validate, false, false, false },
	{ "success", work_success, false, true, false },
	{ "failure", work_failure, false, true, false },
	{ "download", work_download, false, true, false },
	{ "upload", work_upload, false, true, false },
	{ "check", work_check, false, true, false },
	{ "user", work_user, false, true, false },
	{ "managed device", work_managed, false, true, false },
	{ "changes", work_delta, false, true, false },
	{ "devices", work_devices, false, true, false },
	{ "members", work_members, false, true, false },
	{ "risk", work_risk, false, true, false },
	{ "members, denied", work_members, false, true, true },
	{ "user, denied", work_user, false, true, true },
	{ "validate, denied", work_validate, false, true, true },
	{ "upload, denied", work_upload, false, true, true },
};

/* One round with the n-th allocation failing.  True when it came so far. */
static bool
play_round(const struct job *j, enum source s, long n, const char *url)
{
	struct intune_client *cl = NULL;
	struct intune_error e = { 0 };
	enum intune_status st;
	bool failed_one;

	if (!j->without_client)
		assert_int_equal(make_client(&cl, url, &e), INTUNE_OK);
	if (j->warm)
		assert_int_equal(intune_check(cl, &e), INTUNE_OK);
	armed = s;
	atomic_store(&left, n);
	st = j->call(&cl, url, &e);
	failed_one = atomic_load(&left) < 0;
	atomic_store(&left, -1);
	intune_client_free(cl);

	if (st == INTUNE_OK ? j->denied : e.message[0] == '\0' && !failed_one)
		give_up(
		    "%s, allocation %ld: %s %s\n", j->name, n, intune_status_name(st), e.message);
	if (!failed_one && (st == INTUNE_OK) == j->denied)
		give_up(
		    "%s: %s without a reason: %s\n", j->name, intune_status_name(st), e.message);
	/* strerror's words, because libcurl had none: it had lost the call, and a timer found it. */
	if (strstr(e.message, "Timeout was reached") != NULL)
		give_up("%s, allocation %ld: %s\n", j->name, n, e.message);
	/* libcurl may call it by another name. */
	if (failed_one && s != LIBCURL && !j->denied && st != INTUNE_OK && st != INTUNE_E_NOMEM)
		give_up(
		    "%s, allocation %ld: %s %s\n", j->name, n, intune_status_name(st), e.message);
	return failed_one;
}

static void
sweep(enum source s, long at_least)
{
	struct far_peer fp;
	size_t i;
	long n, total = 0;
	bool more;

	for (i = 0; i < COUNT(jobs); i++) {
		for (n = 0, more = true; more && n < 5000; n++) {
			if (n % ROUNDS_PER_PEER == 0) {
				if (n > 0)
					far_peer_stop(&fp);
				far_peer_start(&fp, jobs[i].denied);
			}
			more = play_round(&jobs[i], s, n, fp.url);
		}
		far_peer_stop(&fp);
		assert_false(more);
		total += n - 1;
	}
	assert_true(total >= at_least); /* the wrappers do see the allocations */
}

static void
calls_survive_each_allocation_of_ours(void **state)
{
	sweep(OURS, 50);
}

static void
calls_survive_each_allocation_of_jansson(void **state)
{
	sweep(JANSSON, 20);
}

static void
calls_survive_each_allocation_of_libcurl(void **state)
{
	sweep(LIBCURL, 300);
}

/* Before memory runs out for anybody. */
static void
make_app_file(void)
{
	struct key *key;
	struct err err;
	int fd = mkstemp(app_file);

	assert_true(fd >= 0 && close(fd) == 0);
	if (key_generate(&key, "rsa:2048", &err) != RC_OK)
		give_up("%s\n", err.msg);
	put_cert(app_file, key, clock_now() + 300 * DAY, true);
	key_free(key);
}

int
main(void)
{
	int failed;

	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_survive_each_allocation_of_ours),
		cmocka_unit_test(calls_survive_each_allocation_of_jansson),
		cmocka_unit_test(calls_survive_each_allocation_of_libcurl),
	};

	make_app_file();
	json_set_alloc_funcs(json_alloc, free);
	/* Before the client's own initialisation, which then only counts. */
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_alloc, free, curl_regrow, curl_copy,
		curl_zalloc) != CURLE_OK)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(app_file);
	return failed;
}
