/* foreign_crl.c - see foreign_crl.h. */
#include "scepd/foreign_crl.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "http/client.h"
#include "scepd/foreign_apply.h"
#include "scepd/publish.h"

#define AGAIN_MS 60000              /* after a failure, where the interval is longer */
#define TURN_MS  500                /* until it is looked whether another large list is done */
#define TELL_MS  (INT64_C(3600000)) /* a complaint that stands is told again */
#define KEPT_MAX 8 /* connections: no more threads than that fetch (background.c) */

struct watched {
	const struct conf_foreign *conf;
	const struct cert *ca; /* the server's */
	int64_t due_ms;        /* mono */
	atomic_bool hurry;     /* it is due whatever due_ms says */
	bool large;            /* it did not fit into FOREIGN_SMALL_MAX */
	bool looked;           /* `last` is what the store says */
	bool has;              /* a list was taken */
	struct store_foreign_crl last;
	char told[ERR_MSG_MAX]; /* the last complaint */
	int64_t told_ms;
	/* What `last` says, for metrics. */
	_Atomic bool known;
	_Atomic int64_t next_update;
	_Atomic uint64_t entries;
	/* Of the last look, wall seconds; 0: never. */
	_Atomic int64_t tried, good;
	atomic_bool failing;
};
struct foreign_crl {
	struct scepd *s;
	struct http_client *http; /* NULL: all are files */
	struct watched *v;
	size_t n;
	pthread_mutex_t large; /* held while a large list is fetched and done */
	pthread_mutex_t small; /* held while a small one is done */
};

/* ---- start and end ---- */

static enum rc
add(struct foreign_crl *f, const struct server_foreign *ca, struct err *err)
{
	static const struct http_client_conf hc = { .user_agent = "scepd",
		.connections_max = KEPT_MAX };
	struct watched *w = &f->v[f->n++];

	w->conf = ca->conf;
	w->ca = ca->cert;
	return config_is_url(ca->conf->crl) && f->http == NULL ? http_client_new(&f->http, &hc, err)
							       : RC_OK;
}

enum rc
foreign_crl_new(struct foreign_crl **out, struct scepd *s, struct err *err)
{
	struct foreign_crl *f = calloc(1, sizeof(*f));
	enum rc rc = RC_OK;

	if (f != NULL) {
		(void)pthread_mutex_init(&f->large, NULL);
		(void)pthread_mutex_init(&f->small, NULL);
		f->s = s;
		f->v = calloc(s->n_foreign + 1, sizeof(f->v[0]));
	}
	if (f == NULL || f->v == NULL)
		rc = fail(err, RC_NOMEM, "no memory for lists of foreign CAs");
	for (size_t i = 0; rc == RC_OK && i < s->n_foreign; i++)
		if (s->foreign[i].conf->crl != NULL)
			rc = add(f, &s->foreign[i], err);
	if (rc == RC_OK)
		*out = f;
	else
		foreign_crl_free(f);
	return rc;
}

void
foreign_crl_free(struct foreign_crl *f)
{
	if (f == NULL)
		return;
	http_client_free(f->http);
	(void)pthread_mutex_destroy(&f->large);
	(void)pthread_mutex_destroy(&f->small);
	free(f->v);
	free(f);
}

void
foreign_crl_stop(struct foreign_crl *f)
{
	if (f != NULL)
		http_client_stop(f->http);
}

/* ---- the bytes ---- */

static enum rc
not_there(int status, struct err *err)
{
	(void)fail(err, RC_IO, "the web server answers %d", status);
	return err_hint(err, "%s",
	    status / 100 == 3
		? "redirects are not followed: name the address of the list itself, or have "
		  "another "
		  "program fetch it into a file"
		: "fetch it with curl from this machine, and compare the address with the CA's");
}

static enum rc
fetch_http(struct foreign_crl *f, const char *url, struct buf *text, struct err *err)
{
	const struct http_call call = {
		.method = "GET", .url = url, .total_ms = FOREIGN_HTTP_MS, .reply_max = text->max
	};
	struct http_result r;
	enum rc rc = http_call(f->http, &call, &r, err);

	if (rc == RC_OK && r.status != 200)
		rc = not_there(r.status, err);
	if (rc == RC_OK) {
		buf_done(text);
		*text = r.body;
		buf_init(&r.body, 0);
	}
	http_result_done(&r);
	return rc;
}

/* Not more than text->max: RC_LIMIT. */
static enum rc
fetch(struct foreign_crl *f, const struct watched *w, struct buf *text, struct err *err)
{
	return config_is_url(w->conf->crl) ? fetch_http(f, w->conf->crl, text, err)
					   : file_read(text, w->conf->crl, text->max, err);
}

/* ---- one list ---- */

static void
remember(struct watched *w, const struct store_foreign_crl *crl)
{
	w->last = *crl;
	w->has = true;
	w->next_update = crl->next_update;
	w->entries = crl->entries;
	w->known = true;
}

/* Once, when the store runs. */
static enum rc
look_back(struct foreign_crl *f, struct watched *w, struct err *err)
{
	struct store_foreign_look look;
	struct store_foreign_crl last;
	enum rc rc;

	if (w->looked)
		return RC_OK;
	if (store_foreign_look_get(f->s->store, w->conf->name, &look, err) == RC_OK)
		w->good = look.good;
	rc = store_foreign_crl_get(f->s->store, w->conf->name, &last, err);
	if (rc == RC_OK)
		remember(w, &last);
	w->looked = rc == RC_OK || rc == RC_NOTFOUND;
	return w->looked ? RC_OK : rc;
}

static void
log_applied(
    const struct watched *w, const struct store_foreign_crl *crl, const struct foreign_applied *n)
{
	struct log_line l;

	log_begin(&l, n->taken > 0 || n->left > 0 ? LOG_WARN : LOG_INFO, "foreign");
	log_str(&l, "msg", "a new list was read");
	log_str(&l, "ca", w->conf->name);
	log_str(&l, "number", crl->number[0] != '\0' ? crl->number : NULL);
	log_int(&l, "entries", (int64_t)crl->entries);
	log_int(&l, "revoked", (int64_t)n->revoked);
	log_int(&l, "held", (int64_t)n->held);
	log_int(&l, "released", (int64_t)n->released);
	log_int(&l, "not_imported", (int64_t)n->bare);
	if (n->untold > 0)
		log_int(&l, "untold", (int64_t)n->untold);
	if (n->left > 0) {
		log_int(&l, "left", (int64_t)n->left);
		log_str(&l, "hint",
		    "more serial numbers that nobody has imported than are kept: import what the "
		    "CA "
		    "has issued");
	} else if (n->taken > 0) {
		log_int(&l, "taken", (int64_t)n->taken);
		log_str(&l, "hint",
		    "a CA of this server had this name and has issued certificates with these "
		    "serial "
		    "numbers, which were left alone: give the foreign CA another name");
	}
	log_end(&l);
}

/* Done, and remembered as such afterwards: what a crash interrupts is done again. */
static enum rc
take(struct foreign_crl *f, struct watched *w, const struct crl_list *l,
    struct store_foreign_crl *crl, const atomic_bool *stop, struct err *err)
{
	struct foreign_applied n;
	enum rc rc = foreign_apply(f->s->store, w->conf->name, l, FOREIGN_BARE_MAX, stop, &n, err);

	metric_add(f->s->metrics, METRIC_FOREIGN_REVOKED, n.revoked);
	metric_add(f->s->metrics, METRIC_FOREIGN_HELD, n.held);
	metric_add(f->s->metrics, METRIC_FOREIGN_RELEASED, n.released);
	if (n.revoked + n.held + n.released > 0)
		publish_wake(f->s); /* for OCSP, whose kept answers are of an earlier number */
	if (rc != RC_OK || !n.whole)
		return rc;
	/* What was left is done as soon as it is imported: the same list is read again. */
	if (n.left > 0)
		memset(crl->sha256, 0, sizeof(crl->sha256));
	crl->this_update = l->this_update;
	crl->next_update = l->next_update;
	crl->entries = l->n;
	crl->taken = clock_now();
	crl->untold = n.untold;
	if (l->number.len > 0)
		serial_hex(crl->number, &l->number);
	rc = store_foreign_crl_set(f->s->store, w->conf->name, crl, err);
	if (rc == RC_OK) {
		remember(w, crl);
		log_applied(w, crl, &n);
	}
	return rc;
}

static enum rc
read_list(struct foreign_crl *f, struct watched *w, const struct buf *text, struct buf *room,
    const atomic_bool *stop, struct err *err)
{
	struct store_foreign_crl crl = { .number = "" };
	struct crl_list l;
	struct der der;
	enum rc rc = crl_unpack(&der, room, text->data, text->len, err);

	if (rc == RC_OK)
		rc = digest_bytes(crl.sha256, DIGEST_SHA256, der.p, der.len, err);
	if (rc != RC_OK)
		return rc;
	/* The same as before: only its end may have come. */
	if (w->has && memcmp(crl.sha256, w->last.sha256, sizeof(crl.sha256)) == 0) {
		l = (struct crl_list){ .this_update = w->last.this_update,
			.next_update = w->last.next_update };
		return foreign_judge(&l, NULL, clock_now(), err);
	}
	rc = crl_read(&l, der.p, der.len, w->ca, err);
	if (rc == RC_OK)
		rc = foreign_judge(&l, w->has ? &w->last : NULL, clock_now(), err);
	if (rc != RC_OK)
		return rc;
	if (!w->large)
		(void)pthread_mutex_lock(&f->small);
	rc = take(f, w, &l, &crl, stop, err);
	if (!w->large)
		(void)pthread_mutex_unlock(&f->small);
	return rc;
}

/* RC_LIMIT: among others, it is larger than w->large has it. */
static enum rc
look(struct foreign_crl *f, struct watched *w, const atomic_bool *stop, struct err *err)
{
	struct buf text, room;
	enum rc rc = look_back(f, w, err);

	buf_init(&text, w->large ? CRL_TEXT_MAX : FOREIGN_SMALL_MAX);
	buf_init(&room, CRL_READ_MAX);
	if (rc == RC_OK)
		rc = fetch(f, w, &text, err);
	if (rc == RC_OK)
		rc = read_list(f, w, &text, &room, stop, err);
	if (rc == RC_OK && text.len <= FOREIGN_SMALL_MAX / 2)
		w->large = false;
	buf_done(&room);
	buf_done(&text);
	return rc;
}

/* ---- rounds ---- */

/* "timed out after 5001 ms" and "... 5003 ms" are one complaint. */
static bool
same_but_figures(const char *a, const char *b)
{
	static const char figures[] = "0123456789";

	for (;; a++, b++) {
		a += strspn(a, figures);
		b += strspn(b, figures);
		if (*a != *b || *a == '\0')
			return *a == *b;
	}
}

/* err NULL: nothing to complain of. */
static void
complain(struct watched *w, const struct err *err, int64_t now_ms)
{
	const char *message = err != NULL ? err->msg : "";
	bool again = err != NULL && now_ms - w->told_ms >= TELL_MS;
	struct log_line l;

	if (same_but_figures(w->told, message) && !again)
		return;
	(void)snprintf(w->told, sizeof(w->told), "%s", message);
	w->told_ms = now_ms;
	log_begin(&l, err != NULL ? LOG_WARN : LOG_INFO, "foreign");
	log_str(&l, "msg", err != NULL ? "its list was not taken" : "its list is read again");
	log_str(&l, "ca", w->conf->name);
	log_str(&l, "from", w->conf->crl);
	if (err != NULL)
		log_err(&l, err);
	log_end(&l);
}

/* For scepctl beside us, and for metrics.  err NULL: it was good. */
static void
note(struct foreign_crl *f, struct watched *w, const struct err *err)
{
	char failure[ERR_MSG_MAX] = "";
	struct err not_kept = { 0 };
	int64_t now = clock_now();

	if (err != NULL) {
		(void)snprintf(failure, sizeof(failure), "%s", err->msg);
		str_printable(failure);
	} else {
		w->good = now;
	}
	w->tried = now;
	w->failing = err != NULL;
	if (store_foreign_look_set(f->s->store, w->conf->name, now, failure, &not_kept) != RC_OK)
		log_msg(LOG_ERROR, "foreign", "%s: what became of its list is not kept: %s",
		    w->conf->name, not_kept.msg);
}

/* When it is due next. */
static int64_t
look_at(struct foreign_crl *f, struct watched *w, const atomic_bool *stop)
{
	int64_t wait_ms = w->conf->crl_interval * 1000;
	struct err err = { 0 };
	enum rc rc = look(f, w, stop, &err);

	if (rc == RC_LIMIT && !w->large) {
		w->large = true;
		w->hurry = true;
		return 0;
	}
	if (*stop) /* what was begun is not done */
		return clock_mono_ms() + wait_ms;
	if (rc == RC_OK) {
		complain(w, NULL, clock_mono_ms());
		note(f, w, NULL);
	} else {
		metric_add(f->s->metrics, METRIC_FOREIGN_CRL_FAILURES, 1);
		complain(w, &err, clock_mono_ms());
		note(f, w, &err);
		wait_ms = wait_ms < AGAIN_MS ? wait_ms : AGAIN_MS;
	}
	return clock_mono_ms() + wait_ms;
}

size_t
foreign_crl_count(const struct foreign_crl *f)
{
	return f != NULL ? f->n : 0;
}

/* Whoever has a large list and finds another under way keeps no thread meanwhile: small ones need it. */
int64_t
foreign_crl_round(struct foreign_crl *f, size_t i, int64_t now_ms, const atomic_bool *stop)
{
	struct watched *w = &f->v[i];
	bool large = w->large;

	if ((!w->hurry && w->due_ms > now_ms) || *stop)
		return w->due_ms;
	if (large && pthread_mutex_trylock(&f->large) != 0)
		return now_ms + TURN_MS;
	w->hurry = false;
	w->due_ms = look_at(f, w, stop);
	if (large)
		(void)pthread_mutex_unlock(&f->large);
	return w->due_ms;
}

void
foreign_crl_hurry(struct foreign_crl *f)
{
	for (size_t i = 0; i < f->n; i++)
		f->v[i].hurry = true;
}

/* ---- metrics ---- */

static void
add_gauge(struct buf *out, const struct foreign_crl *f, const char *name, const char *help,
    bool (*of)(const struct watched *w, int64_t now, int64_t *value))
{
	int64_t value, now = clock_now();

	buf_addf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
	for (size_t i = 0; i < f->n; i++)
		if (of(&f->v[i], now, &value))
			buf_addf(
			    out, "%s{ca=\"%s\"} %" PRId64 "\n", name, f->v[i].conf->name, value);
}

static bool
until_end(const struct watched *w, int64_t now, int64_t *value)
{
	*value = w->next_update - now;
	return w->known && w->next_update != 0;
}

static bool
entries_of(const struct watched *w, int64_t now, int64_t *value)
{
	*value = (int64_t)w->entries;
	return w->known;
}

static bool
since_tried(const struct watched *w, int64_t now, int64_t *value)
{
	*value = now - w->tried;
	return w->tried != 0;
}

static bool
since_good(const struct watched *w, int64_t now, int64_t *value)
{
	*value = now - w->good;
	return w->good != 0;
}

static bool
is_failing(const struct watched *w, int64_t now, int64_t *value)
{
	*value = w->failing;
	return w->tried != 0;
}

void
foreign_crl_metrics(struct foreign_crl *f, struct buf *out)
{
	if (f == NULL || f->n == 0)
		return;
	add_gauge(out, f, "scepd_foreign_crl_next_update_seconds",
	    "Until the list of a foreign CA ends; below 0 it has ended", until_end);
	add_gauge(
	    out, f, "scepd_foreign_crl_entries", "Entries of the list of a foreign CA", entries_of);
	add_gauge(out, f, "scepd_foreign_crl_tried_seconds",
	    "Since the list of a foreign CA was looked at last", since_tried);
	add_gauge(out, f, "scepd_foreign_crl_good_seconds",
	    "Since a look at the list of a foreign CA was good", since_good);
	add_gauge(out, f, "scepd_foreign_crl_failing",
	    "Whether the last look at the list of a foreign CA was in vain", is_failing);
}
