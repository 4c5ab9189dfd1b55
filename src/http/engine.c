/*
 * engine.c - see engine.h.
 */
#include "http/engine.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "http/thread.h"

#define EVENTS_ROUND 64
#define HANDLES_KEPT 64u /* idle easy handles: some 20 KiB each */
#define CONNECTIONS  64u
#define PATROL_MS    1000 /* while calls run: look for those that libcurl lost */

struct engine {
	CURLM *multi;
	int epoll_fd, wake_fd;
	pthread_t thread;
	bool runs;
	int64_t timer_ms;  /* when libcurl wants to be called; -1: never.  The thread's. */
	int64_t patrol_ms; /* when to look for lost calls again.  The thread's. */
	LIST_HEAD(, engine_call) active; /* the thread's */
	bool stopping;                   /* the thread's */
	pthread_mutex_t lock;
	struct engine_call *queue, **queue_tail; /* under lock */
	bool asleep, stop;                       /* under lock */
	CURL *handles[HANDLES_KEPT];             /* under lock */
	unsigned n_handles;
	char *user_agent, *ca_file, *proxy, *proxy_user, *proxy_pass;
	int (*tls_configure)(void *ssl_ctx, void *arg);
	void *tls_arg;
	bool has_ca_file; /* the caller's, or libcurl's own */
	/* The file's content: read here, as this process may have somebody else open its files. */
	struct buf ca_pem;
};

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	static const uint32_t masks[] = {
		[CURL_POLL_IN] = EPOLLIN,
		[CURL_POLL_OUT] = EPOLLOUT,
		[CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT,
	};
	struct engine *e = arg;
	struct epoll_event ev = { .data.fd = fd };

	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(e->epoll_fd, EPOLL_CTL_DEL, fd, &ev);
		return 0;
	}
	if (what < CURL_POLL_IN || what > CURL_POLL_INOUT)
		return 0;
	ev.events = masks[what];
	/*
	 * Known to us may be new to the kernel: the descriptor can have been closed and opened
	 * again.
	 */
	if (known != NULL && epoll_ctl(e->epoll_fd, EPOLL_CTL_MOD, fd, &ev) == 0)
		return 0;
	if (epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, fd, &ev) != 0)
		return -1;
	curl_multi_assign(e->multi, fd, e);
	return 0;
}

static int
on_timer(CURLM *multi, long ms, void *arg)
{
	struct engine *e = arg;

	e->timer_ms = ms < 0 ? -1 : clock_mono_ms() + ms;
	return 0;
}

static void
finish(struct engine *e, struct engine_call *call, CURLcode code)
{
	LIST_REMOVE(call, active);
	curl_multi_remove_handle(e->multi, call->easy);
	call->code = code;
	call->cut_off = e->stopping;
	sem_post(&call->done); /* and the caller's stack is gone */
}

static void
reap(struct engine *e)
{
	struct engine_call *call;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(e->multi, &left)) != NULL) {
		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &call);
		finish(e, call, m->data.result);
	}
}

static void
begin(struct engine *e, struct engine_call *call)
{
	LIST_INSERT_HEAD(&e->active, call, active);
	if (curl_multi_add_handle(e->multi, call->easy) != CURLM_OK)
		finish(e, call, CURLE_OUT_OF_MEMORY);
}

/*
 * Without memory libcurl can forget a handle: no event, no timer, no message about it will ever
 * come, and its caller would wait for good.  Which one it was is not told.
 */
static void
check(struct engine *e, CURLMcode m)
{
	struct engine_call *call;

	while (m == CURLM_OUT_OF_MEMORY && (call = LIST_FIRST(&e->active)) != NULL)
		finish(e, call, CURLE_OUT_OF_MEMORY);
}

/* The second net below check(): nothing waits longer than it was allowed to. */
static void
patrol(struct engine *e)
{
	struct engine_call *call, *next;
	int64_t now = clock_mono_ms();

	if (now < e->patrol_ms)
		return;
	e->patrol_ms = now + PATROL_MS;
	for (call = LIST_FIRST(&e->active); call != NULL; call = next) {
		next = LIST_NEXT(call, active);
		if (now >= call->give_up)
			finish(e, call, CURLE_OPERATION_TIMEDOUT);
	}
}

/* Take new calls.  False: the engine is to end. */
static bool
take_queue(struct engine *e)
{
	struct engine_call *call, *next;
	bool stop;

	pthread_mutex_lock(&e->lock);
	call = e->queue;
	e->queue = NULL;
	e->queue_tail = &e->queue;
	stop = e->stop;
	pthread_mutex_unlock(&e->lock);
	for (; call != NULL; call = next) {
		next = call->next;
		begin(e, call);
	}
	return !stop;
}

/* How long epoll may wait, ms; the callers ring when it is more than 0. */
static int
sleep_ms(struct engine *e)
{
	int64_t ms = e->timer_ms < 0 ? -1 : e->timer_ms - clock_mono_ms();

	if (e->timer_ms >= 0 && ms < 0)
		ms = 0;
	if (!LIST_EMPTY(&e->active) && (ms < 0 || ms > PATROL_MS))
		ms = PATROL_MS;
	pthread_mutex_lock(&e->lock);
	if (e->queue != NULL || e->stop)
		ms = 0;
	e->asleep = ms != 0;
	pthread_mutex_unlock(&e->lock);
	return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

static void
wait_for_events(struct engine *e)
{
	struct epoll_event ev[EVENTS_ROUND];
	int i, mask, running, n, ms = sleep_ms(e);

	n = epoll_wait(e->epoll_fd, ev, EVENTS_ROUND, ms);
	pthread_mutex_lock(&e->lock);
	e->asleep = false;
	pthread_mutex_unlock(&e->lock);
	for (i = 0; i < n; i++) {
		if (ev[i].data.fd == e->wake_fd)
			continue;
		mask = (ev[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
		    (ev[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		    (ev[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
		check(e, curl_multi_socket_action(e->multi, ev[i].data.fd, mask, &running));
	}
}

static void *
engine_main(void *arg)
{
	struct engine *e = arg;
	struct engine_call *call;
	int running;

	while (take_queue(e)) {
		if (e->timer_ms >= 0 && e->timer_ms <= clock_mono_ms()) {
			e->timer_ms = -1;
			check(e,
			    curl_multi_socket_action(e->multi, CURL_SOCKET_TIMEOUT, 0, &running));
		}
		reap(e);
		wait_for_events(e);
		reap(e);
		patrol(e);
	}
	e->stopping = true;
	while ((call = LIST_FIRST(&e->active)) != NULL)
		finish(e, call, CURLE_ABORTED_BY_CALLBACK);
	return NULL;
}

static void
ring(struct engine *e)
{
	uint64_t one = 1;

	if (e->asleep)
		(void)!write(e->wake_fd, &one, sizeof one);
	e->asleep = false;
}

void
engine_run(struct engine *e, struct engine_call *call)
{
	bool taken;

	call->next = NULL;
	call->proxied = e->proxy != NULL;
	call->code = CURLE_ABORTED_BY_CALLBACK;
	call->cut_off = true;
	if (sem_init(&call->done, 0, 0) != 0)
		return;
	pthread_mutex_lock(&e->lock);
	taken = !e->stop;
	if (taken) {
		*e->queue_tail = call;
		e->queue_tail = &call->next;
		ring(e);
	}
	pthread_mutex_unlock(&e->lock);
	while (taken && sem_wait(&call->done) != 0)
		; /* a signal came between */
	sem_destroy(&call->done);
}

static CURLcode
on_ssl_ctx(CURL *easy, void *ssl_ctx, void *arg)
{
	struct engine *e = arg;

	return e->tls_configure(ssl_ctx, e->tls_arg) == 0 ? CURLE_OK : CURLE_ABORTED_BY_CALLBACK;
}

static size_t
on_data(char *p, size_t size, size_t n, void *arg)
{
	struct engine_call *call = arg;

	buf_add(&call->out->body, p, n);
	if (call->out->body.rc == RC_LIMIT)
		call->too_big = true;
	return call->out->body.rc == RC_OK ? n : 0;
}

/* One line of the header.  A status line begins another answer (100 Continue, or after 407). */
static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
	struct engine_call *call = arg;

	if (n > 5 && memcmp(p, "HTTP/", 5) == 0)
		buf_reset(&call->out->headers);
	else if (n > 2)
		buf_add(&call->out->headers, p, n);
	if (call->out->headers.rc == RC_LIMIT)
		call->too_big = true;
	return call->out->headers.rc == RC_OK ? n : 0;
}

#define SET(easy, option, value) (curl_easy_setopt((easy), (option), (value)) == CURLE_OK)

static bool
set_tls(struct engine *e, CURL *h)
{
	bool ok = SET(h, CURLOPT_SSL_VERIFYPEER, 1L) && SET(h, CURLOPT_SSL_VERIFYHOST, 2L) &&
	    SET(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);

	if (e->ca_file != NULL) {
		struct curl_blob pem = { e->ca_pem.data, e->ca_pem.len, CURL_BLOB_NOCOPY };

		ok = ok && curl_easy_setopt(h, CURLOPT_CAINFO_BLOB, &pem) == CURLE_OK;
	}
	/*
	 * With a folder of certificates libcurl cannot keep the parsed store from one connection to
	 * the next.
	 */
	if (e->has_ca_file)
		ok = ok && SET(h, CURLOPT_CAPATH, NULL);
	if (e->tls_configure != NULL)
		ok = ok && SET(h, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx) &&
		    SET(h, CURLOPT_SSL_CTX_DATA, e);
	return ok;
}

/* An empty proxy also says: none from the environment. */
static bool
set_proxy(struct engine *e, CURL *h)
{
	if (!SET(h, CURLOPT_PROXY, e->proxy != NULL ? e->proxy : "") ||
	    !SET(h, CURLOPT_NOPROXY, ""))
		return false;
	if (e->proxy == NULL)
		return true;
	return SET(h, CURLOPT_PROXYTYPE, (long)CURLPROXY_HTTP) &&
	    SET(h, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) &&
	    (e->proxy_user == NULL ||
		(SET(h, CURLOPT_PROXYUSERNAME, e->proxy_user) &&
		    SET(h, CURLOPT_PROXYPASSWORD, e->proxy_pass != NULL ? e->proxy_pass : "") &&
		    SET(h, CURLOPT_PROXYAUTH, (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST))));
}

static bool
set_general(struct engine *e, CURL *h)
{
	/* QUICK_EXIT: a call whose time is up does not wait for its resolver thread, with all
	 * others behind it. */
	return SET(h, CURLOPT_NOSIGNAL, 1L) && SET(h, CURLOPT_QUICK_EXIT, 1L) &&
	    SET(h, CURLOPT_PROTOCOLS_STR, "http,https") && SET(h, CURLOPT_FOLLOWLOCATION, 0L) &&
	    SET(h, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) && SET(h, CURLOPT_PATH_AS_IS, 1L) &&
	    SET(h, CURLOPT_ACCEPT_ENCODING, "gzip, deflate") && SET(h, CURLOPT_TCP_KEEPALIVE, 1L) &&
	    SET(h, CURLOPT_WRITEFUNCTION, on_data) && SET(h, CURLOPT_HEADERFUNCTION, on_header) &&
	    (e->user_agent == NULL || SET(h, CURLOPT_USERAGENT, e->user_agent));
}

static bool
set_all(struct engine *e, CURL *h)
{
	return set_general(e, h) && set_proxy(e, h) && set_tls(e, h);
}

static CURL *
handle_new(struct engine *e)
{
	CURL *h = curl_easy_init();

	if (h != NULL && set_all(e, h))
		return h;
	curl_easy_cleanup(h);
	return NULL;
}

CURL *
engine_handle(struct engine *e)
{
	CURL *h = NULL;

	pthread_mutex_lock(&e->lock);
	if (e->n_handles > 0)
		h = e->handles[--e->n_handles];
	pthread_mutex_unlock(&e->lock);
	return h != NULL ? h : handle_new(e);
}

/*
 * What every call sets for itself and what points into the last one: nothing of it may be used
 * again.
 */
static bool
forget_call(CURL *h)
{
	return SET(h, CURLOPT_HTTPGET, 1L) && SET(h, CURLOPT_CUSTOMREQUEST, NULL) &&
	    SET(h, CURLOPT_POSTFIELDS, NULL) && SET(h, CURLOPT_HTTPHEADER, NULL) &&
	    SET(h, CURLOPT_ERRORBUFFER, NULL) && SET(h, CURLOPT_WRITEDATA, NULL) &&
	    SET(h, CURLOPT_HEADERDATA, NULL) && SET(h, CURLOPT_PRIVATE, NULL);
}

/*
 * A handle that has done a whole call over a kept connection serves as it is: setting it up costs
 * more than sending a short request.  Any other begins anew: libcurl (before 8) counts retries
 * of stale connections over a handle's life and fails at the sixth, and a proxy's challenges are
 * remembered.
 */
static bool
fit_for_more(struct engine *e, const struct engine_call *call)
{
	long connects = 1;

	return call->code == CURLE_OK && e->proxy == NULL &&
	    curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &connects) == CURLE_OK &&
	    connects == 0 && forget_call(call->easy);
}

void
engine_handle_back(struct engine *e, struct engine_call *call)
{
	CURL *h = call->easy;

	if (!fit_for_more(e, call)) {
		curl_easy_reset(h);
		if (!set_all(e, h)) {
			curl_easy_cleanup(h);
			return;
		}
	}
	pthread_mutex_lock(&e->lock);
	if (e->n_handles < HANDLES_KEPT) {
		e->handles[e->n_handles++] = h;
		h = NULL;
	}
	pthread_mutex_unlock(&e->lock);
	curl_easy_cleanup(h);
}

static enum rc
copy_string(char **out, const char *s, struct err *err)
{
	return s != NULL ? str_dup(out, s, err) : RC_OK;
}

static enum rc
copy_conf(struct engine *e, const struct http_client_conf *conf, struct err *err)
{
	bool v6 = conf->proxy_host != NULL && strchr(conf->proxy_host, ':') != NULL &&
	    conf->proxy_host[0] != '[';
	enum rc rc = copy_string(&e->user_agent, conf->user_agent, err);

	if (rc == RC_OK)
		rc = copy_string(&e->ca_file, conf->ca_file, err);
	if (rc == RC_OK && e->ca_file != NULL)
		rc = file_read(&e->ca_pem, e->ca_file, LIMIT_CONFIG, err);
	if (rc == RC_OK)
		rc = copy_string(&e->proxy_user, conf->proxy_user, err);
	if (rc == RC_OK)
		rc = copy_string(&e->proxy_pass, conf->proxy_pass, err);
	if (rc == RC_OK && conf->proxy_host != NULL)
		rc = str_format(&e->proxy, err, v6 ? "http://[%s]:%u" : "http://%s:%u",
		    conf->proxy_host, (unsigned)conf->proxy_port);
	e->has_ca_file = e->ca_file != NULL || curl_version_info(CURLVERSION_NOW)->cainfo != NULL;
	e->tls_configure = conf->tls_configure;
	e->tls_arg = conf->tls_arg;
	return rc;
}

static enum rc
set_up_multi(struct engine *e, const struct http_client_conf *conf, struct err *err)
{
	long kept = conf->connections_max != 0 ? (long)conf->connections_max : (long)CONNECTIONS;
	/* Edge-triggered: a ring needs no reading. */
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };

	e->multi = curl_multi_init();
	if (e->multi == NULL)
		return fail(err, RC_NOMEM, "no memory for an HTTP client");
	curl_multi_setopt(e->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(e->multi, CURLMOPT_SOCKETDATA, e);
	curl_multi_setopt(e->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(e->multi, CURLMOPT_TIMERDATA, e);
	curl_multi_setopt(e->multi, CURLMOPT_MAXCONNECTS, kept);
	e->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	e->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ev.data.fd = e->wake_fd;
	if (e->epoll_fd < 0 || e->wake_fd < 0 ||
	    epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, e->wake_fd, &ev) != 0)
		return fail_errno(err, "epoll");
	return RC_OK;
}

enum rc
engine_new(struct engine **out, const struct http_client_conf *conf, struct err *err)
{
	struct engine *e = calloc(1, sizeof *e);
	enum rc rc;

	if (e == NULL)
		return fail(err, RC_NOMEM, "no memory for an HTTP client");
	e->epoll_fd = e->wake_fd = -1;
	e->timer_ms = -1;
	buf_init(&e->ca_pem, LIMIT_CONFIG);
	e->queue_tail = &e->queue;
	pthread_mutex_init(&e->lock, NULL);
	rc = copy_conf(e, conf, err);
	if (rc == RC_OK)
		rc = set_up_multi(e, conf, err);
	if (rc == RC_OK)
		rc = thread_start(&e->thread, engine_main, e, err);
	e->runs = rc == RC_OK;
	if (rc != RC_OK)
		engine_free(e);
	else
		*out = e;
	return rc;
}

void
engine_stop(struct engine *e)
{
	if (!e->runs)
		return;
	pthread_mutex_lock(&e->lock);
	e->stop = true;
	ring(e);
	pthread_mutex_unlock(&e->lock);
	pthread_join(e->thread, NULL);
	e->runs = false;
}

void
engine_free(struct engine *e)
{
	unsigned i;

	if (e == NULL)
		return;
	engine_stop(e);
	for (i = 0; i < e->n_handles; i++)
		curl_easy_cleanup(e->handles[i]);
	if (e->multi != NULL)
		curl_multi_cleanup(e->multi);
	if (e->epoll_fd >= 0)
		close(e->epoll_fd);
	if (e->wake_fd >= 0)
		close(e->wake_fd);
	free(e->user_agent);
	free(e->ca_file);
	buf_done(&e->ca_pem);
	free(e->proxy);
	free(e->proxy_user);
	if (e->proxy_pass != NULL)
		wipe_free(e->proxy_pass, strlen(e->proxy_pass));
	pthread_mutex_destroy(&e->lock);
	free(e);
}
