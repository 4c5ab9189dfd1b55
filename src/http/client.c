/*
 * client.c - the blocking face of the HTTP client.
 */
#include "http/client.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "http/client_result.h"
#include "http/curl_memory.h"
#include "http/engine.h"

#define CONNECT_MS  5000u
#define TOTAL_MS    15000u
#define LOST_MS     2000   /* after its total time: libcurl has lost the call */
#define HEADERS_MAX 65536u /* of a reply */

/* An engine in use; the newest is at the head, older ones finish what they have. */
struct lease {
	struct lease *next;
	struct engine *engine;
	unsigned users;
};

struct http_client {
	pthread_mutex_t lock;
	pthread_cond_t unused; /* some lease has lost its last user */
	struct lease *leases;
	struct http_client_conf conf; /* strings are ours */
	bool closing;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void
start_curl(void)
{
	curl_memory_start();
}

static enum rc
add_engine(struct http_client *c, const struct http_client_conf *conf, struct err *err)
{
	struct lease *l = calloc(1, sizeof *l);
	enum rc rc;

	if (l == NULL)
		return fail(err, RC_NOMEM, "no memory for an HTTP client");
	rc = engine_new(&l->engine, conf, err);
	if (rc != RC_OK) {
		free(l);
		return rc;
	}
	pthread_mutex_lock(&c->lock);
	l->next = c->leases;
	c->leases = l;
	pthread_mutex_unlock(&c->lock);
	return RC_OK;
}

static enum rc
copy_strings(struct http_client_conf *to, struct err *err)
{
	const char **fields[] = { &to->user_agent, &to->ca_file, &to->proxy_host, &to->proxy_user,
		&to->proxy_pass };
	const char *from[5];
	char *copy;
	size_t i;
	enum rc rc;

	for (i = 0; i < 5; i++) {
		from[i] = *fields[i];
		*fields[i] = NULL;
	}
	for (i = 0; i < 5; i++) {
		if (from[i] == NULL)
			continue;
		rc = str_dup(&copy, from[i], err);
		if (rc != RC_OK)
			return rc;
		*fields[i] = copy;
	}
	return RC_OK;
}

enum rc
http_client_new(struct http_client **out, const struct http_client_conf *conf, struct err *err)
{
	struct http_client *c;
	enum rc rc;

	pthread_once(&curl_once, start_curl);
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return fail(err, RC_NOMEM, "no memory for an HTTP client");
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->unused, NULL);
	c->conf = *conf;
	rc = copy_strings(&c->conf, err);
	if (rc == RC_OK)
		rc = add_engine(c, &c->conf, err);
	if (rc != RC_OK)
		http_client_free(c);
	else
		*out = c;
	return rc;
}

/* Older engines that nobody uses: under the lock, off the list. */
static struct lease *
take_unused(struct http_client *c)
{
	struct lease **at, *l, *found = NULL;

	if (c->leases == NULL)
		return NULL;
	for (at = &c->leases->next; (l = *at) != NULL;) {
		if (l->users > 0) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		l->next = found;
		found = l;
	}
	return found;
}

static void
free_leases(struct lease *l)
{
	struct lease *next;

	for (; l != NULL; l = next) {
		next = l->next;
		engine_free(l->engine);
		free(l);
	}
}

enum rc
http_client_tls_set(struct http_client *c, const char *ca_file,
    int (*tls_configure)(void *ssl_ctx, void *arg), void *arg, struct err *err)
{
	struct http_client_conf conf = c->conf;
	struct lease *old;
	enum rc rc;

	conf.ca_file = ca_file;
	conf.tls_configure = tls_configure;
	conf.tls_arg = arg;
	rc = add_engine(c, &conf, err);
	if (rc != RC_OK)
		return rc;
	pthread_mutex_lock(&c->lock);
	old = take_unused(c);
	pthread_mutex_unlock(&c->lock);
	free_leases(old);
	return RC_OK;
}

/* Under the lock: whoever drops a lease meanwhile may free engines that are on the list no more. */
void
http_client_stop(struct http_client *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	c->closing = true;
	for (struct lease *l = c->leases; l != NULL; l = l->next)
		engine_stop(l->engine);
	pthread_mutex_unlock(&c->lock);
}

void
http_client_free(struct http_client *c)
{
	struct lease *l;

	if (c == NULL)
		return;
	http_client_stop(c);
	pthread_mutex_lock(&c->lock);
	for (l = c->leases; l != NULL; l = l->next)
		while (l->users > 0)
			pthread_cond_wait(&c->unused, &c->lock);
	pthread_mutex_unlock(&c->lock);
	free_leases(c->leases);
	free((char *)c->conf.user_agent);
	free((char *)c->conf.ca_file);
	free((char *)c->conf.proxy_host);
	free((char *)c->conf.proxy_user);
	if (c->conf.proxy_pass != NULL)
		wipe_free((char *)c->conf.proxy_pass, strlen(c->conf.proxy_pass));
	pthread_cond_destroy(&c->unused);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static struct lease *
lease_take(struct http_client *c)
{
	struct lease *l;

	pthread_mutex_lock(&c->lock);
	l = c->closing ? NULL : c->leases;
	if (l != NULL)
		l->users++;
	pthread_mutex_unlock(&c->lock);
	return l;
}

/* The last user of an engine that was replaced also ends it. */
static void
lease_drop(struct http_client *c, struct lease *l)
{
	struct lease *old = NULL;

	pthread_mutex_lock(&c->lock);
	if (--l->users == 0 && c->closing)
		pthread_cond_signal(&c->unused);
	else if (l->users == 0 && l != c->leases)
		old = take_unused(c);
	pthread_mutex_unlock(&c->lock);
	free_leases(old);
}

static bool
add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *l = curl_slist_append(*list, line);

	if (l == NULL)
		return false;
	*list = l;
	return true;
}

/*
 * The caller's lines, and libcurl's own habits switched off: "Expect: 100-continue", and a form's
 * Content-Type for any body.
 */
static enum rc
make_headers(struct curl_slist **list, const struct http_call *call, struct err *err)
{
	const char *const *h = call->headers;
	bool has_type = false, ok = add_header(list, "Expect:");

	for (; h != NULL && *h != NULL && ok; h++) {
		if ((*h)[strcspn(*h, "\r\n")] != '\0')
			return fail(err, RC_CONFIG, "a request header of more than one line");
		has_type = has_type || strncasecmp(*h, "Content-Type:", 13) == 0;
		ok = add_header(list, *h);
	}
	if (ok && !has_type)
		ok = add_header(list, "Content-Type:");
	return ok ? RC_OK : fail(err, RC_NOMEM, "no memory for request headers");
}

#define SET(easy, option, value) (curl_easy_setopt((easy), (option), (value)) == CURLE_OK)

static bool
set_method(CURL *h, const struct http_call *call)
{
	bool post = strcmp(call->method, "POST") == 0, head = strcmp(call->method, "HEAD") == 0;
	bool plain = post || head || strcmp(call->method, "GET") == 0;
	bool ok = SET(h, CURLOPT_HTTPGET, 1L);

	if (post || (call->body_len > 0 && !head))
		ok = ok && SET(h, CURLOPT_POST, 1L) &&
		    SET(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len) &&
		    SET(h, CURLOPT_POSTFIELDS, call->body_len > 0 ? call->body : "");
	if (head)
		ok = ok && SET(h, CURLOPT_NOBODY, 1L);
	return ok &&
	    SET(h, CURLOPT_CUSTOMREQUEST,
		plain && !(call->body_len > 0 && !post) ? NULL : call->method);
}

static bool
set_call(CURL *h, const struct http_call *call, struct engine_call *e, struct curl_slist *headers)
{
	long connect_ms = call->connect_ms != 0 ? call->connect_ms : CONNECT_MS;
	long total_ms = call->total_ms != 0 ? call->total_ms : TOTAL_MS;

	return set_method(h, call) && SET(h, CURLOPT_URL, call->url) &&
	    SET(h, CURLOPT_HTTPHEADER, headers) && SET(h, CURLOPT_CONNECTTIMEOUT_MS, connect_ms) &&
	    SET(h, CURLOPT_TIMEOUT_MS, total_ms) &&
	    (!call->direct || SET(h, CURLOPT_NOPROXY, "*")) &&
	    SET(h, CURLOPT_HTTP_VERSION,
		call->http10 ? (long)CURL_HTTP_VERSION_1_0 : (long)CURL_HTTP_VERSION_2TLS) &&
	    SET(h, CURLOPT_PIPEWAIT, strncasecmp(call->url, "https:", 6) == 0 ? 1L : 0L) &&
	    SET(h, CURLOPT_ERRORBUFFER, e->error) && SET(h, CURLOPT_WRITEDATA, e) &&
	    SET(h, CURLOPT_HEADERDATA, e) && SET(h, CURLOPT_PRIVATE, e);
}

static enum rc
run(struct engine *engine, const struct http_call *call, struct http_result *out, struct err *err)
{
	struct engine_call e = { .out = out, .code = CURLE_ABORTED_BY_CALLBACK };
	struct curl_slist *headers = NULL;
	enum rc rc = make_headers(&headers, call, err);

	if (rc == RC_OK)
		e.easy = engine_handle(engine);
	if (rc == RC_OK && (e.easy == NULL || !set_call(e.easy, call, &e, headers)))
		rc = fail(err, RC_NOMEM, "no memory for an HTTP call");
	if (rc == RC_OK) {
		e.give_up =
		    clock_mono_ms() + LOST_MS + (call->total_ms != 0 ? call->total_ms : TOTAL_MS);
		engine_run(engine, &e);
		if (e.code != CURLE_OK)
			rc = client_fail(&e, call, err);
		else
			client_understand(&e);
	}
	if (e.easy != NULL)
		engine_handle_back(engine, &e);
	curl_slist_free_all(headers);
	return rc;
}

enum rc
http_call(
    struct http_client *c, const struct http_call *call, struct http_result *out, struct err *err)
{
	uint64_t start = clock_mono_us();
	struct lease *l;
	enum rc rc;

	*out = (struct http_result){ .retry_after = -1 };
	buf_init(&out->body, call->reply_max != 0 ? call->reply_max : LIMIT_JSON);
	buf_init(&out->headers, HEADERS_MAX);
	l = lease_take(c);
	if (l == NULL)
		return fail(err, RC_IO, "the HTTP client is shutting down");
	rc = run(l->engine, call, out, err);
	lease_drop(c, l);
	out->elapsed_us = clock_mono_us() - start;
	return rc;
}

void
http_result_done(struct http_result *r)
{
	buf_done(&r->body);
	buf_done(&r->headers);
}
