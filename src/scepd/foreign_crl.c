/* foreign_crl.c - see foreign_crl.h. */
#include "scepd/foreign_crl.h"

#include <inttypes.h>
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

#define IDLE_MS  60000              /* with nothing to read */
#define AGAIN_MS 60000              /* after a failure, where the interval is longer */
#define TELL_MS  (INT64_C(3600000)) /* a complaint that stands is told again */

struct watched {
	const struct conf_foreign *conf;
	const struct cert *ca; /* the server's */
	int64_t due_ms;        /* mono */
	bool looked;           /* `last` is what the store says */
	bool has;              /* a list was taken */
	struct store_foreign_crl last;
	char told[ERR_MSG_MAX]; /* the last complaint */
	int64_t told_ms;
	/* What `last` says, for metrics. */
	_Atomic bool known;
	_Atomic int64_t next_update;
	_Atomic uint64_t entries;
};
struct foreign_crl {
	struct scepd *s;
	struct http_client *http; /* NULL: all are files */
	struct watched *v;
	size_t n;
	atomic_bool hurry;
};

/* ---- start and end ---- */

static enum rc
add(struct foreign_crl *f, const struct server_foreign *ca, struct err *err)
{
	static const struct http_client_conf hc = { .user_agent = "scepd", .connections_max = 4 };
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
		.method = "GET", .url = url, .total_ms = FOREIGN_HTTP_MS, .reply_max = CRL_TEXT_MAX
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

static enum rc
fetch(struct foreign_crl *f, const struct watched *w, struct buf *text, struct err *err)
{
	return config_is_url(w->conf->crl) ? fetch_http(f, w->conf->crl, text, err)
					   : file_read(text, w->conf->crl, CRL_TEXT_MAX, err);
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
	struct store_foreign_crl last;
	enum rc rc;

	if (w->looked)
		return RC_OK;
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
	if (n->untold > 0)
		log_int(&l, "untold", (int64_t)n->untold);
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
	crl->untold = n.untold;
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
	return rc == RC_OK ? take(f, w, &l, &crl, stop, err) : rc;
}

static enum rc
look(struct foreign_crl *f, struct watched *w, const atomic_bool *stop, struct err *err)
{
	struct buf text, room;
	enum rc rc = look_back(f, w, err);

	buf_init(&text, CRL_TEXT_MAX);
	buf_init(&room, CRL_READ_MAX);
	if (rc == RC_OK)
		rc = fetch(f, w, &text, err);
	if (rc == RC_OK)
		rc = read_list(f, w, &text, &room, stop, err);
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

static void
look_at(struct foreign_crl *f, struct watched *w, const atomic_bool *stop)
{
	int64_t wait_ms = w->conf->crl_interval * 1000;
	struct err err = { 0 };

	if (look(f, w, stop, &err) == RC_OK) {
		complain(w, NULL, clock_mono_ms());
	} else if (!*stop) {
		metric_add(f->s->metrics, METRIC_FOREIGN_CRL_FAILURES, 1);
		complain(w, &err, clock_mono_ms());
		wait_ms = wait_ms < AGAIN_MS ? wait_ms : AGAIN_MS;
	}
	w->due_ms = clock_mono_ms() + wait_ms;
}

int64_t
foreign_crl_round(struct foreign_crl *f, int64_t now_ms, const atomic_bool *stop)
{
	int64_t next = now_ms + IDLE_MS;
	bool now = atomic_exchange(&f->hurry, false);

	for (size_t i = 0; i < f->n && !*stop; i++) {
		struct watched *w = &f->v[i];

		if (now || w->due_ms <= now_ms)
			look_at(f, w, stop);
		if (w->due_ms < next)
			next = w->due_ms;
	}
	return next;
}

void
foreign_crl_hurry(struct foreign_crl *f)
{
	f->hurry = true;
}

/* ---- metrics ---- */

void
foreign_crl_metrics(struct foreign_crl *f, struct buf *out)
{
	static const char end[] = "scepd_foreign_crl_next_update_seconds",
			  entries[] = "scepd_foreign_crl_entries";
	int64_t now = clock_now();

	if (f == NULL || f->n == 0)
		return;
	buf_addf(out,
	    "# HELP %s Until the list of a foreign CA ends; below 0 it has ended\n# TYPE %s "
	    "gauge\n",
	    end, end);
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].known && f->v[i].next_update != 0)
			buf_addf(out, "%s{ca=\"%s\"} %" PRId64 "\n", end, f->v[i].conf->name,
			    f->v[i].next_update - now);
	buf_addf(out, "# HELP %s Entries of the list of a foreign CA\n# TYPE %s gauge\n", entries,
	    entries);
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].known)
			buf_addf(out, "%s{ca=\"%s\"} %" PRIu64 "\n", entries, f->v[i].conf->name,
			    f->v[i].entries);
}
