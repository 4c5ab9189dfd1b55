/*
 * kit.h - what the tests of src/intunesim share: a simulator with two tenants, calls without
 * sockets, and requests made from what a check-in says.
 */
#ifndef SCEPD_TESTS_INTUNESIM_KIT_H
#define SCEPD_TESTS_INTUNESIM_KIT_H

#include "intunesim/challenge.h"
#include "intunesim/document.h"
#include "intunesim/sim.h"
#include "json/json.h"
#include "ossl/csr.h"

/* cmocka has a macro of the same name as base/err.h; tests want cmocka's. */
#undef fail
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define assert_ok(call, e)                                                                         \
	do {                                                                                       \
		if ((call) != RC_OK)                                                               \
			fail_msg("%s: %s", #call, (e).msg);                                        \
	} while (0)

#define ALPHA_ID   "11111111-aaaa-4aaa-8aaa-000000000001"
#define BETA_ID    "22222222-bbbb-4bbb-8bbb-000000000002"
#define APP_ID     "aaaaaaaa-0000-4000-8000-000000000001" /* both permissions */
#define BARE_APP   "aaaaaaaa-0000-4000-8000-000000000002" /* no permission */
#define OFF_APP    "aaaaaaaa-0000-4000-8000-000000000003" /* disabled */
#define READER_APP "aaaaaaaa-0000-4000-8000-000000000004" /* may read the directory */
#define SECRET     "alpha+secret/="
#define OLD_SECRET "expired-secret"
#define GRAPH      "https://graph.microsoft.com/.default"
#define INTUNE     "https://api.manage.microsoft.com//.default"
#define HOST       "localhost:8090"
#define SERVICE                                                                                    \
	"/RACerts/ScepRequestValidationFEService/Gateway/StatelessScepRequestValidationService/"   \
	"ScepActions/"

#define GROUP_MIXED    "e0000000-0000-4000-8000-000000000001"
#define PROFILE_DEVICE "d0000000-0000-4000-8000-000000000001" /* on win-1 */

struct kit {
	struct sim *sim;
	const struct view *view; /* of the start */
	struct key *key, *hello_key;
	char *token; /* for Intune, of tenant alpha */
};

/* cmocka group setup and teardown; *state is a struct kit. */
int kit_new(void **state);
int kit_new_single_use(void **state);
int kit_free(void **state);
/* The tenant file that the simulator of kit_new() has read; free() it. */
char *kit_tenant_text(const struct kit *k);
/* The same with the first `from`, which has to be in it, replaced by `to`; buf_done() it. */
void kit_tenant_with(struct buf *out, const struct kit *k, const char *from, const char *to);
/* Load a tenant from text that replaces `from` by `to` in it; the error or RC_OK. */
enum rc kit_try_tenant(const struct kit *k, const char *from, const char *to, struct err *err);

/* An answer; reply_done() it. */
struct answer {
	int status;
	struct buf body, headers;
	json_t *json; /* NULL when the body is no JSON */
	const char *content_type;
	unsigned retry_after;
	struct http_trouble trouble;
};
void answer_done(struct answer *a);
/* {"error"}, {"error":{"code"}} or {"code"}: whichever there is. */
const char *answer_code(const struct answer *a);

struct request {
	const char *method; /* NULL: POST */
	const char *path, *body, *token;
	const char *content_type; /* NULL: application/json */
	const char *api_version;  /* NULL: 2018-02-20; "": none */
	const char *client_request_id;
	const char *host;          /* NULL: HOST */
	const char *origin;        /* NULL: none */
	const char *consistency;   /* ConsistencyLevel; NULL: none */
	const char *if_none_match; /* NULL: none */
};
void call(struct answer *a, const struct kit *k, const struct request *r);
/* POST without a token. */
void post(struct answer *a, const struct kit *k, const char *path, const char *body);
void get(struct answer *a, const struct kit *k, const char *path, const char *token);
/* POST a form to a tenant's token endpoint. */
void ask_token(struct answer *a, const struct kit *k, const char *tenant, const char *form);
/* A token that must be granted; free() it.  NULL: SECRET. */
char *kit_token(const struct kit *k, const char *tenant, const char *app, const char *scope);

/* Check in; the one profile of the answer's "scep" with this name, or the first.  json_decref(). */
json_t *kit_checkin(const struct kit *k, const char *device, const char *profile);

/* What a request differs in from what was asked for.  NULL and 0: as asked. */
struct tweak {
	const char *subject, *challenge;
	const char *san[4]; /* "uri:..." added */
	bool no_subject, no_san, no_eku, no_challenge, no_key_usage;
	const char *drop_san; /* type left out */
	unsigned key_usage;
	const char *eku[4]; /* instead */
	const struct key *key;
};
/* DER, appended. */
void kit_csr(struct buf *der, const struct kit *k, const json_t *scep, const struct tweak *t);
/* validateRequest; the code it answers.  `token` NULL: alpha's. */
void validate_csr(struct answer *a, const struct kit *k, const char *token, const struct buf *der);
/* All in one; static text, or the code as long as the answer lives in a static place. */
const char *kit_verdict(const struct kit *k, const json_t *scep, const struct tweak *t);

/* The payload of a challenge; json_decref(). */
json_t *kit_payload(const struct kit *k, const json_t *scep);
/* A challenge of tenant `i` with this payload; free() it. */
char *kit_seal(const struct kit *k, size_t i, const void *payload, size_t len);
char *kit_seal_json(const struct kit *k, size_t i, const json_t *payload);

/* Check in, and have the certificate reported with this serial number; its thumbprint too. */
void kit_enrol(const struct kit *k, const char *device, const char *profile, const char *serial);
/* Report a certificate for a profile of a check-in. */
void kit_report(const struct kit *k, const json_t *scep, const char *serial);

/*
 * The control API: `path` begins after "/sim/tenants/alpha.example/", or with '/'.  The status; and
 * the answer, when `a` is not NULL.
 */
int deed(
    struct answer *a, const struct kit *k, const char *method, const char *path, const char *body);
/* Alpha is again as it was in the beginning, and nothing is queued for it. */
void kit_put_back(const struct kit *k);

/* The row of GET /sim/report for a device and profile; json_decref(). */
json_t *kit_report_row(const struct kit *k, const char *device, const char *profile);

#endif
