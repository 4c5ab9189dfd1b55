/* change.c - see change.h. */
#include "scepctl/change.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "scepctl/comment.h"
#include "store/store_foreign.h"

#define EACH_MAX 20 /* of more than these, only what did not turn is printed line by line */
#define PAUSE_MS 20 /* between two commits, at the least */

/* What becomes of one; in the order of how bad it is. */
enum fate {
	FATE_DUE, /* to be changed */
	FATE_DONE,
	FATE_ALREADY, /* it is what it is to be */
	FATE_HELD,    /* to be released, and somebody else holds it, too */
	FATE_REVOKED, /* to be held or released, and revoked */
	FATE_UNKNOWN, /* no certificate of ours */
	FATE__MAX
};

static const struct {
	enum rc rc;
	const char *word; /* of JSON */
	const char *text[3] /* by enum cause_effect */;
} fates[FATE__MAX] = {
	[FATE_DUE] = { RC_OK, "due", { "would be released", "would be held", "would be revoked" } },
	[FATE_DONE] = { RC_OK, "done", { "released", "held", "revoked" } },
	[FATE_ALREADY] = { RC_OK, "unchanged",
	    { "not held", "held so already", "revoked already" } },
	[FATE_HELD] = { RC_CONFLICT, "held", { "still held", "", "" } },
	[FATE_REVOKED] = { RC_CONFLICT, "revoked",
	    { "revoked, and that is for good", "revoked, and that is for good", "" } },
	[FATE_UNKNOWN] = { RC_NOTFOUND, "unknown",
	    { "no certificate of ours", "no certificate of ours", "no certificate of ours" } },
};

struct work {
	const struct change *c;
	struct store *store;
	struct selection sel;
	size_t counts[FATE__MAX];
};

static void
mark(struct work *w, struct selected *one, enum fate fate)
{
	w->counts[one->mark]--;
	w->counts[fate]++;
	one->mark = (uint8_t)fate;
}

/* ---- before ---- */

static bool
held_by_us(const struct store_status *s)
{
	for (size_t i = 0; i < s->n_causes; i++)
		if (s->causes[i].source == CAUSE_MANUAL)
			return true;
	return false;
}

static enum fate
fate_of(const struct store_status *s, enum cause_effect effect)
{
	if (s->state == CERT_REVOKED)
		return effect == CAUSE_REVOKE ? FATE_ALREADY : FATE_REVOKED;
	if (effect != CAUSE_GONE)
		return FATE_DUE;
	if (s->state == CERT_GOOD)
		return FATE_ALREADY;
	return held_by_us(s) ? FATE_DUE : FATE_HELD;
}

static enum rc
look(struct work *w, struct err *err)
{
	enum rc rc = RC_OK;

	w->counts[FATE_DUE] = w->sel.n;
	for (size_t i = 0; rc == RC_OK && i < w->sel.n; i++) {
		struct selected *one = &w->sel.v[i];
		struct store_status s = { 0 };

		rc = store_status_get(w->store, one->serial, one->ca, &s, err);
		if (rc == RC_OK)
			mark(w, one, fate_of(&s, w->c->effect));
		else if (rc == RC_NOTFOUND && (rc = RC_OK) == RC_OK)
			mark(w, one, FATE_UNKNOWN);
		store_status_done(&s);
	}
	return rc == RC_CONFLICT ? ctl_say_ca(err) : rc;
}

/* ---- the question ---- */

static void
subject_of(char *out, size_t size, const struct work *w, const struct selected *one)
{
	struct store_cert_row row = { 0 };
	enum rc rc = store_cert_get(w->store, one->serial, one->ca, &row, NULL);

	(void)ctl_safe(out, size, rc == RC_OK ? row.subject : NULL);
	store_cert_row_done(&row);
}

static void
print_due(const void *arg)
{
	const struct work *w = arg;
	char subject[512];
	size_t shown = 0;

	for (size_t i = 0; i < w->sel.n && shown < EACH_MAX; i++)
		if (w->sel.v[i].mark == FATE_DUE) {
			subject_of(subject, sizeof(subject), w, &w->sel.v[i]);
			(void)fprintf(stderr, "%-40s  %s\n", w->sel.v[i].serial, subject);
			shown++;
		}
	if (w->counts[FATE_DUE] > shown)
		(void)fprintf(stderr, "... and %zu more\n", w->counts[FATE_DUE] - shown);
}

/* One that is named by its number is meant; a device, a user or a file may be more than one thinks. */
static enum rc
confirm(const struct work *w, struct err *err)
{
	char question[80], nobody[48];
	struct ctl_question q = { w->c->yes || w->counts[FATE_DUE] < 2, print_due, w, question,
		"nothing was changed", nobody,
		"--yes does it without asking, --dry-run tells which" };

	(void)snprintf(nobody, sizeof(nobody), "%zu certificates", w->counts[FATE_DUE]);
	(void)snprintf(question, sizeof(question), "%s these %zu certificates%s?",
	    w->c->effect == CAUSE_REVOKE     ? "Revoke"
		: w->c->effect == CAUSE_HOLD ? "Hold"
					     : "Release",
	    w->counts[FATE_DUE], w->c->effect == CAUSE_REVOKE ? ", for good" : "");
	return ctl_confirm(&q, err);
}

/* ---- the deed ---- */

static enum fate
fate_after(const struct store_cause_done *d, enum cause_effect effect)
{
	if (d->outcome == CAUSE_NO_CERT)
		return FATE_UNKNOWN;
	if (effect == CAUSE_REVOKE)
		return d->before == CERT_REVOKED ? FATE_ALREADY : FATE_DONE;
	if (d->after == CERT_REVOKED)
		return FATE_REVOKED;
	if (effect == CAUSE_GONE && d->after == CERT_HELD)
		return FATE_HELD;
	return d->outcome == CAUSE_AS_IT_WAS ? FATE_ALREADY : FATE_DONE;
}

static enum rc
set_batch(struct work *w, struct selected *const *batch, size_t n, const char *who, struct err *err)
{
	struct store_cause_set sets[STORE_CAUSES_BATCH] = { 0 };
	struct store_cause_done done[STORE_CAUSES_BATCH];
	const struct change *c = w->c;
	enum rc rc;

	for (size_t i = 0; i < n; i++)
		sets[i] = (struct store_cause_set){ .serial = batch[i]->serial,
			.ca = batch[i]->ca,
			.source = CAUSE_MANUAL,
			.effect = c->effect,
			.reason = c->effect == CAUSE_REVOKE ? c->reason : 0,
			.until = c->until,
			.who = who,
			.comment = c->comment };
	rc = store_causes_set(w->store, sets, n, done, err);
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		mark(w, batch[i], fate_after(&done[i], c->effect));
	return rc;
}

/* SQLite's lock has no queue: without a pause a daemon beside us waits for seconds until it happens to ask
 * at the right moment.  Half as long as we held it, and longer than most of its retries. */
void
change_give_way(uint64_t took_us)
{
	uint64_t pause = took_us / 2 > PAUSE_MS * 1000 ? took_us / 2 : PAUSE_MS * 1000;

	(void)usleep((useconds_t)pause);
}

static void
progress(const struct work *w, size_t at)
{
	if (w->sel.n > STORE_CAUSES_BATCH && isatty(STDERR_FILENO))
		(void)fprintf(stderr, "\r%zu of %zu%s", at, w->sel.n, at == w->sel.n ? "\n" : "");
}

static enum rc
set_all(struct work *w, struct err *err)
{
	struct selected *batch[STORE_CAUSES_BATCH];
	char who[CTL_WHO_MAX];
	enum rc rc = RC_OK;
	size_t n = 0;

	ctl_who(who);
	for (size_t i = 0; rc == RC_OK && i < w->sel.n; i++) {
		if (w->sel.v[i].mark == FATE_DUE)
			batch[n++] = &w->sel.v[i];
		if (n == STORE_CAUSES_BATCH || (i + 1 == w->sel.n && n > 0)) {
			uint64_t began = clock_mono_us();

			rc = set_batch(w, batch, n, who, err);
			progress(w, i + 1);
			if (i + 1 < w->sel.n)
				change_give_way(clock_mono_us() - began);
			n = 0;
		}
	}
	if (rc != RC_OK && w->counts[FATE_DONE] > 0)
		return err_hint(err,
		    "%zu certificates were changed before that; the same command again goes on",
		    w->counts[FATE_DONE]);
	return rc;
}

/* ---- what became of them ---- */

static void
text_of(struct buf *text, const struct work *w, const struct selected *one)
{
	struct store_status s = { 0 };

	if (store_status_get(w->store, one->serial, one->ca, &s, NULL) == RC_OK)
		store_status_text(text, &s);
	store_status_done(&s);
}

/* Its CA, which may be the only thing that tells two of them apart; looked up where the selection was by number alone. */
static bool
ca_json(json_t *o, const struct work *w, const struct selected *one)
{
	struct store_cert_row row = { .ca = NULL };
	bool fine;

	if (one->ca == NULL)
		(void)!store_cert_get(w->store, one->serial, NULL, &row, NULL);
	fine = ctl_json_str(o, "ca", one->ca != NULL ? one->ca : row.ca);
	store_cert_row_done(&row);
	return fine;
}

static bool
print_json(const struct work *w)
{
	bool fine = true;

	for (size_t i = 0; fine && i < w->sel.n; i++) {
		const struct selected *one = &w->sel.v[i];
		json_t *o = json_object();
		struct buf text;

		buf_init(&text, 4096);
		text_of(&text, w, one);
		fine = ctl_json_str(o, "serial", one->serial) && ca_json(o, w, one) &&
		    ctl_json_str(o, "outcome", fates[one->mark].word) &&
		    ctl_json_str(o, "text", text.len > 0 ? buf_str(&text) : NULL);
		buf_done(&text);
		if (!fine)
			json_decref(o);
		fine = fine && ctl_json_item(o, i == 0);
	}
	(void)printf("]\n");
	return fine;
}

static void
print_one(const struct work *w, const struct selected *one)
{
	FILE *f = fates[one->mark].rc == RC_OK ? stdout : stderr;
	char subject[512], why[2100];
	struct buf text;

	buf_init(&text, 4096);
	subject_of(subject, sizeof(subject), w, one);
	text_of(&text, w, one);
	(void)fprintf(f, "%s: %s%s%s", one->serial, fates[one->mark].text[w->c->effect],
	    subject[0] != '\0' ? ": " : "", subject);
	(void)fprintf(f, "%s%s\n", text.len > 0 ? "; it is " : "",
	    ctl_safe(why, sizeof(why), text.len > 0 ? buf_str(&text) : NULL));
	buf_done(&text);
}

static int
note_one(void *arg, const char *ca)
{
	*(bool *)arg = true;
	return 1;
}

/* Of the changed ones.  They are looked up only where there are foreign CAs. */
static size_t
count_foreign(const struct work *w)
{
	bool any = false;
	size_t n = 0;

	(void)!store_foreign_cas(w->store, note_one, &any, NULL);
	for (size_t i = 0; any && i < w->sel.n; i++) {
		struct store_cert_row row = { 0 };

		if (w->sel.v[i].mark != FATE_DONE)
			continue;
		if (store_cert_get(w->store, w->sel.v[i].serial, w->sel.v[i].ca, &row, NULL) ==
		    RC_OK)
			n += row.endpoint[0] == '\0';
		store_cert_row_done(&row);
	}
	return n;
}

/* A foreign CA's list is signed by its own key: whoever believes it here would leave a door open there. */
static void
print_where(const struct work *w)
{
	size_t foreign = count_foreign(w);

	if (w->counts[FATE_DONE] > foreign)
		(void)printf("OCSP and the CRL say so within seconds; relying parties may keep an "
			     "older CRL until its nextUpdate.\n");
	if (foreign > 0)
		(void)printf(
		    "%zu of a foreign CA: OCSP and verdicts of this server say so, and that "
		    "CA's own CRL does not, unless the CA is told as well.\n",
		    foreign);
}

static void
print_text(const struct work *w)
{
	for (size_t i = 0; i < w->sel.n; i++)
		if (w->sel.n <= EACH_MAX || fates[w->sel.v[i].mark].rc != RC_OK)
			print_one(w, &w->sel.v[i]);
	for (int f = 0; w->sel.n > 1 && f < FATE__MAX; f++)
		if (w->counts[f] > 0)
			(void)printf("%zu %s\n", w->counts[f], fates[f].text[w->c->effect]);
	if (w->counts[FATE_HELD] > 0)
		(void)fprintf(stderr,
		    "What a rule, or the CA of a foreign certificate, holds is let go when the "
		    "cause "
		    "has gone.  Of a rule sooner, and for a time:\n"
		    "  " PROG " exception add --certificate SERIAL --rule NAME --for 1d --comment "
		    "WHY\n");
	print_where(w);
}

/* A certificate that is to be revoked and is revoked already was somebody else's before. */
static int
tell(const struct work *w)
{
	enum rc worst = RC_OK;

	if (w->c->json && !print_json(w))
		return EX_OSERR;
	if (!w->c->json)
		print_text(w);
	for (int f = 0; f < FATE__MAX; f++)
		if (w->counts[f] > 0 && fates[f].rc != RC_OK)
			worst = fates[f].rc;
	if (w->c->effect == CAUSE_REVOKE && w->counts[FATE_ALREADY] == w->sel.n)
		worst = RC_CONFLICT;
	return err_reaction(worst)->exit_code;
}

/* ---- all of it ---- */

int
change_run(const struct change *c, int nargs, char **args)
{
	struct work w = { .c = c };
	struct err err = { 0 };
	int status;
	enum rc rc = ctl_comment_check(c->comment, &err);

	if (rc == RC_OK)
		rc = ctl_open(NULL, &w.store, c->config, &err);
	if (rc == RC_OK)
		rc = selection_make(&w.sel, w.store, &c->by, clock_now(), nargs, args, &err);
	if (rc == RC_OK)
		rc = look(&w, &err);
	if (rc == RC_OK && !c->dry_run && (rc = confirm(&w, &err)) == RC_OK)
		rc = set_all(&w, &err);
	status = rc == RC_OK ? tell(&w) : err_report(PROG, &err);
	selection_done(&w.sel);
	store_close(w.store);
	return status;
}
