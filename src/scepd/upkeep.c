/* upkeep.c - see upkeep.h. */
#include "scepd/upkeep.h"

#include "base/log.h"
#include "store/store_status.h"

#define EVERY_MS 60000 /* a minute more or less matters to nobody here */
/* Calls of a round, each of some hundred rows: what is left waits for the next one. */
#define CALLS_MAX 64

static void
log_replaced(const struct store_replaced *r)
{
	struct log_line l;

	log_begin(&l, LOG_INFO, "revoked");
	log_str(&l, "serial", r->serial);
	log_str(&l, "ca", r->ca);
	log_str(&l, "endpoint", r->endpoint);
	log_str(&l, "reason", "superseded");
	log_str(&l, "by", r->by);
	log_end(&l);
}

/* RC_OK with *n 0: nothing is left to do. */
static enum rc
revoke_replaced(struct scepd *s, int64_t now_ms, size_t *n, struct err *err)
{
	struct store_replaced *list;
	enum rc rc = store_replaced_revoke(s->store, now_ms / 1000, &list, n, err);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < *n; i++)
		log_replaced(&list[i]);
	if (*n > 0)
		metric_add(s->metrics, METRIC_REPLACED, *n);
	store_replaced_free(list, *n);
	return RC_OK;
}

static enum rc
end_holds(struct scepd *s, int64_t now_ms, size_t *n, struct err *err)
{
	enum rc rc = store_hold_sweep(s->store, now_ms, n, err);

	if (rc == RC_OK && *n > 0)
		log_msg(
		    LOG_INFO, "requests", "%zu were not decided on in time and are refused", *n);
	return rc;
}

static enum rc
release_held(struct scepd *s, int64_t now_ms, size_t *n, struct err *err)
{
	enum rc rc = store_holds_expire(s->store, now_ms / 1000, n, err);

	if (rc == RC_OK && *n > 0)
		log_msg(LOG_INFO, "status", "%zu holds have come to their end", *n);
	return rc;
}

static enum rc
forget_passwords(struct scepd *s, int64_t now_ms, size_t *n, struct err *err)
{
	return store_otp_sweep(s->store, now_ms, n, err);
}

static const struct {
	const char *what;
	enum rc (*run)(struct scepd *s, int64_t now_ms, size_t *n, struct err *err);
} duties[] = {
	{ "revoking replaced certificates", revoke_replaced },
	{ "ending requests that wait", end_holds },
	{ "ending holds of certificates", release_held },
	{ "forgetting one-time passwords", forget_passwords },
};

void
upkeep_run(struct scepd *s, int64_t now_ms, const atomic_bool *stop)
{
	if (now_ms < s->upkeep_due_ms)
		return;
	s->upkeep_due_ms = now_ms + EVERY_MS;
	for (size_t i = 0; i < sizeof(duties) / sizeof(duties[0]); i++) {
		enum rc rc = RC_OK;
		struct err err;
		size_t n = 1;

		for (size_t calls = 0; rc == RC_OK && n > 0 && calls < CALLS_MAX && !*stop; calls++)
			rc = duties[i].run(s, now_ms, &n, &err);
		if (rc != RC_OK)
			log_msg(LOG_ERROR, "store", "%s: %s", duties[i].what, err.msg);
	}
}
