/*
 * reply.h - the doors: bytes that Entra, Graph and Intune answered with become values here, or a
 * reason why not.
 *
 * Nothing is believed: JSON is strict and bounded, strings are checked before they may become a
 * header or a URL, and no error text quotes the reply.
 */
#ifndef SCEPD_INTUNE_REPLY_H
#define SCEPD_INTUNE_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "intune.h"
#include "intune/settings.h"
#include "json/json.h"

#define TOKEN_MAX                                                                                  \
	(16u * 1024) /* Entra's tokens are 1 to 3 KiB; servers refuse longer header lines */
#define ROLES_TEXT 128u

/* Any JSON object: *out is the caller's.  RC_PARSE for everything else, RC_NOMEM. */
enum rc reply_object(json_t **out, const void *p, size_t len, struct err *err) MUST_CHECK;
/* The same of a page of a list, which may be LIMIT_JSON_PAGE long. */
enum rc reply_page(json_t **out, const void *p, size_t len, struct err *err) MUST_CHECK;

struct token_reply {
	char *access_token; /* visible ASCII; wipe_free() it */
	int64_t expires_in; /* seconds, at least 1 */
};
/* The body of a 2xx of the token endpoint. */
enum rc reply_token(struct token_reply *out, const void *p, size_t len, struct err *err) MUST_CHECK;

struct entra_error {
	char error[64]; /* "invalid_client"; "" when the body is no OAuth error */
	char description[512];
	long aadsts; /* 0: none */
	char trace_id[64];
};
/* The body of any other answer.  RC_PARSE when it says nothing. */
enum rc reply_entra_error(
    struct entra_error *out, const void *p, size_t len, struct err *err) MUST_CHECK;

#define NAMES_TEXT 160u

struct discovery_page {
	/* of the first usable entry with the service's name, without slashes at its end; or NULL */
	char *uri[SERVICE__MAX];
	char *next;             /* @odata.nextLink, or NULL; not checked further */
	size_t entries;         /* in the list, odd ones included */
	char names[NAMES_TEXT]; /* the names seen, cut; for a hint */
};
/* One page of the list.  Release with discovery_page_done(), also after a failure. */
enum rc reply_discovery(
    struct discovery_page *out, const void *p, size_t len, struct err *err) MUST_CHECK;
/* As the list spells it: "ScepRequestValidationFEService"; static. */
const char *service_name(enum service_id id);
void discovery_page_done(struct discovery_page *d);

struct action_reply {
	bool success; /* the code is a string and exactly "Success" */
	enum intune_code code;
	char code_text[96];
	char description[512];
};
/* The body of a 2xx of a ScepActions call.  RC_PARSE unless it is an object with a string `code`.
 */
enum rc reply_action(
    struct action_reply *out, const void *p, size_t len, struct err *err) MUST_CHECK;

struct json_t;

/* With its own strings inside. */
struct intune_revocation_list {
	struct json_t *text; /* the answer, from which the requests borrow */
	size_t n, skipped;   /* entries taken, and not */
	struct intune_revocation_request v[];
};
/*
 * The body of a 2xx of downloadRevocationRequests.  Entries without a usable requestContext and
 * serialNumber are skipped, and whatever follows the first INTUNE_REVOCATION_MAX good ones.  Members
 * that may be NULL are when they are no strings.  Release with intune_revocation_list_free().
 */
enum rc reply_revocation_list(
    struct intune_revocation_list **out, const void *p, size_t len, struct err *err) MUST_CHECK;
/* The body of a 2xx of uploadRevocationResults: the value true or false, also as a string. */
enum rc reply_upload(bool *taken, const void *p, size_t len, struct err *err) MUST_CHECK;

struct odata_error {
	char code[96];
	char message[512]; /* the inner "Message", where the service wraps JSON in a string */
	char request_id[64];
};
/* The body of a failure of Graph or Intune.  RC_PARSE when it is not OData's error object. */
enum rc reply_odata_error(
    struct odata_error *out, const void *p, size_t len, struct err *err) MUST_CHECK;

/*
 * The names in the `roles` claim of a JWT, "a, b", "none" when it has no such claim; "" when the
 * token is not a JWT one can read.  For hints only: nothing is verified.
 */
void reply_token_roles(char out[ROLES_TEXT], const char *jwt, size_t len);

#endif
