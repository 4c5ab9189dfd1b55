/* intune_stub.c - see intune_stub.h. */
#include "bench/intune_stub.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "http/server.h"

#define TENANT     "7b1d2f3a-0c4e-4b58-9a67-1e2d3c4b5a69"
#define APP        "2f6c1e0d-8a9b-4c7d-b6e5-a4938271605f"
#define INTUNE_APP "0000000a-0000-0000-c000-000000000000" /* the service's well-known id */
#define SERVICE    "/RACerts/ScepRequestValidationFEService"

enum answer { TOKEN, DISCOVERY, VALIDATE, NOTIFY, OTHER, ANSWERS };

struct intune_stub {
	struct http_server *http;
	uint16_t port;
	char discovery[512];
	_Atomic uint64_t counts[ANSWERS];
};

static const char token[] = "{\"token_type\":\"Bearer\",\"expires_in\":3599,"
			    "\"ext_expires_in\":3599,\"access_token\":\"bench.bench.bench\"}";
static const char success[] = "{\"code\":\"Success\",\"errorDescription\":\"\"}";

/* What is asked is told by how the path ends. */
static const struct {
	const char *end;
	enum answer answer;
	const char *body; /* NULL: the stub's own list of services */
} answers[] = {
	{ "/oauth2/v2.0/token", TOKEN, token },
	{ "/servicePrincipals/appId=" INTUNE_APP "/endpoints", DISCOVERY, NULL },
	{ "/ScepActions/validateRequest", VALIDATE, success },
	{ "/ScepActions/successNotification", NOTIFY, success },
	{ "/ScepActions/failureNotification", OTHER, success },
};

static void
handle(void *ctx, const struct http_request *req, struct http_reply *reply)
{
	struct intune_stub *s = ctx;

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (!str_ends_nocase(req->path, answers[i].end))
			continue;
		atomic_fetch_add_explicit(&s->counts[answers[i].answer], 1, memory_order_relaxed);
		reply->content_type = "application/json";
		buf_adds(&reply->body, answers[i].body != NULL ? answers[i].body : s->discovery);
		return;
	}
	atomic_fetch_add_explicit(&s->counts[OTHER], 1, memory_order_relaxed);
	http_reply_text(reply, 404, "not found\n");
}

static enum rc
listen_and_start(struct intune_stub *s, struct err *err)
{
	enum rc rc;

	if ((rc = http_listen(s->http, "127.0.0.1:0", NULL, NULL, &s->port, err)) != RC_OK)
		return rc;
	(void)snprintf(s->discovery, sizeof(s->discovery),
	    "{\"value\":[{\"providerName\":\"ScepRequestValidationFEService\",\"uri\":\"http://"
	    "127.0.0.1:%u" SERVICE "\"}]}",
	    s->port);
	return http_server_start(s->http, err);
}

enum rc
intune_stub_start(struct intune_stub **out, struct err *err)
{
	struct intune_stub *s = calloc(1, sizeof(*s));
	struct http_server_conf conf = { .handler = handle, .ctx = s };
	enum rc rc;

	if (s == NULL)
		return fail(err, RC_NOMEM, "Intune's stand-in");
	if ((rc = http_server_new(&s->http, &conf, err)) == RC_OK &&
	    (rc = listen_and_start(s, err)) == RC_OK) {
		*out = s;
		return RC_OK;
	}
	intune_stub_stop(s);
	return rc;
}

void
intune_stub_stop(struct intune_stub *s)
{
	if (s == NULL)
		return;
	if (s->http != NULL)
		http_server_stop(s->http, 0);
	http_server_free(s->http);
	free(s);
}

enum rc
intune_stub_properties(const struct intune_stub *s, const char *path, struct err *err)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, 4 * KIB);
	buf_addf(&b,
	    "AAD_APP_ID=" APP "\nAAD_APP_KEY=bench\nTENANT=" TENANT
	    "\nPROVIDER_NAME_AND_VERSION=scepbench\n"
	    "AUTH_AUTHORITY=http://127.0.0.1:%u/\nMS_GRAPH_RESOURCE_URL=http://127.0.0.1:%u/\n"
	    "INTUNE_RESOURCE_URL=http://127.0.0.1:%u/intune\n",
	    s->port, s->port, s->port);
	if ((rc = buf_ok(&b, "properties", err)) == RC_OK)
		rc = file_write(path, b.data, b.len, 0600, 1, err);
	buf_done(&b);
	return rc;
}

void
intune_stub_counts(const struct intune_stub *s, struct intune_stub_counts *out)
{
	out->tokens = s->counts[TOKEN];
	out->discoveries = s->counts[DISCOVERY];
	out->validations = s->counts[VALIDATE];
	out->notifications = s->counts[NOTIFY];
	out->other = s->counts[OTHER];
}
