/*
 * engine.h - one libcurl multi handle and the thread that drives it, with one set of settings for
 * its whole life.
 *
 * libcurl's socket interface with epoll: the cost of an event does not grow with the number of
 * calls that wait.
 */
#ifndef SCEPD_HTTP_ENGINE_H
#define SCEPD_HTTP_ENGINE_H

#include <semaphore.h>
#include <stdbool.h>
#include <sys/queue.h>

#include <curl/curl.h>

#include "http/client.h"

struct engine;

/* One call; lives on the caller's stack. */
struct engine_call {
	struct engine_call *next; /* in the queue */
	LIST_ENTRY(engine_call) active;
	CURL *easy;
	sem_t done;
	CURLcode code;
	char error[CURL_ERROR_SIZE];
	struct http_result *out;
	int64_t give_up; /* clock_mono_ms() by which libcurl must have ended it */
	bool too_big;
	bool cut_off; /* the engine was stopped */
	bool proxied; /* set by engine_run() */
};

/* The strings are copied. */
enum rc engine_new(
    struct engine **out, const struct http_client_conf *conf, struct err *err) MUST_CHECK;
/*
 * A handle with every setting that is the same for all calls, and where its data goes. NULL: no
 * memory.
 */
CURL *engine_handle(struct engine *e);
/* Give back the handle of a call that has ended, or was not begun. */
void engine_handle_back(struct engine *e, struct engine_call *call);
/* Run the call and wait for its end; sets code. */
void engine_run(struct engine *e, struct engine_call *call);
/* End the thread at once; what runs ends with CURLE_ABORTED_BY_CALLBACK. */
void engine_stop(struct engine *e);
void engine_free(struct engine *e);

#endif
