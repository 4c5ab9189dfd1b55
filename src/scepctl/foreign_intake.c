/* foreign_intake.c - see foreign_intake.h. */
#include "scepctl/foreign_intake.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "ca/binding.h"
#include "scepctl/change.h"

#define TEXT_MAX 65536u /* bytes of a subject or of alternative names, as the store takes them */

/* One that waits for its commit; what is allocated is its own. */
struct intake_item {
	char serial[2 * SERIAL_MAX + 1], thumbprint[41];
	uint8_t *der;
	size_t der_len;
	char *subject, *san;
	int64_t not_before, not_after;
	struct store_binding binding;
	char *where; /* the file may be over when its certificates are told of */
	size_t line;
};

static void
item_done(struct intake_item *i)
{
	free(i->der);
	free(i->subject);
	free(i->san);
	free(i->where);
	*i = (struct intake_item){ .der = NULL };
}

enum rc
intake_begin(struct intake *in, struct err *err)
{
	ctl_who(in->who);
	in->items = calloc(STORE_CAUSES_BATCH, sizeof(in->items[0]));
	return in->items != NULL
	    ? RC_OK
	    : fail(err, RC_NOMEM, "no memory for %d certificates", STORE_CAUSES_BATCH);
}

void
intake_done(struct intake *in)
{
	for (size_t i = 0; in->items != NULL && i < in->n; i++)
		item_done(&in->items[i]);
	free(in->items);
	in->items = NULL;
	in->n = 0;
}

static void
count(struct intake *in, enum intake_fate fate, const char *where, size_t line, const char *what)
{
	in->counts[fate]++;
	if (fate >= INTAKE_OTHER_CA)
		in->refused(in->arg, fate, where, line, what);
}

/* ---- to the store ---- */

static enum intake_fate
fate_of(enum foreign_outcome o)
{
	static const enum intake_fate fates[FOREIGN_OUTCOME__MAX] = {
		[FOREIGN_ADDED] = INTAKE_ADDED,
		[FOREIGN_FILLED] = INTAKE_FILLED,
		[FOREIGN_AS_IT_WAS] = INTAKE_UNCHANGED,
		[FOREIGN_TAKEN] = INTAKE_TAKEN,
	};

	return fates[o];
}

static bool
is_news(const enum foreign_outcome *outcomes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (outcomes[i] == FOREIGN_ADDED || outcomes[i] == FOREIGN_FILLED)
			return true;
	return false;
}

/* A look first: what is there already is no reason to have the daemon beside us wait. */
static enum rc
put(struct intake *in, enum foreign_outcome *outcomes, struct err *err)
{
	struct store_foreign_cert v[STORE_CAUSES_BATCH];
	enum rc rc;

	for (size_t i = 0; i < in->n; i++) {
		const struct intake_item *t = &in->items[i];

		v[i] = (struct store_foreign_cert){ .serial = t->serial,
			.subject = t->subject,
			.san = t->san,
			.thumbprint = t->der != NULL ? t->thumbprint : NULL,
			.der = t->der,
			.der_len = t->der_len,
			.not_before = t->not_before,
			.not_after = t->not_after,
			.binding = t->der != NULL ? &t->binding : NULL };
	}
	rc = store_foreign_look(in->store, in->conf->name, v, in->n, outcomes, err);
	in->wrote = rc == RC_OK && !in->dry_run && is_news(outcomes, in->n);
	return in->wrote
	    ? store_foreign_add(in->store, in->conf->name, in->who, v, in->n, outcomes, err)
	    : rc;
}

enum rc
intake_flush(struct intake *in, struct err *err)
{
	enum foreign_outcome outcomes[STORE_CAUSES_BATCH];
	enum rc rc = in->n > 0 ? put(in, outcomes, err) : RC_OK;

	for (size_t i = 0; i < in->n; i++) {
		struct intake_item *t = &in->items[i];

		if (rc == RC_OK)
			count(in, fate_of(outcomes[i]), t->where, t->line, t->serial);
		item_done(t);
	}
	in->n = 0;
	if (rc == RC_OK)
		in->progress(in->arg, in);
	return rc;
}

static enum rc
flush_if_full(struct intake *in, struct err *err)
{
	uint64_t began = clock_mono_us();
	enum rc rc;

	if (in->n < STORE_CAUSES_BATCH)
		return RC_OK;
	rc = intake_flush(in, err);
	if (rc == RC_OK && in->wrote)
		change_give_way(clock_mono_us() - began);
	return rc;
}

/* ---- judged ---- */

static enum rc
text_of(char **out, const struct cert *c, bool san, struct err *err)
{
	struct buf b;
	size_t len;
	enum rc rc;

	buf_init(&b, TEXT_MAX);
	if (san)
		san_list_text(&b, cert_san0(c));
	else
		name_text(&b, cert_subject0(c));
	rc = buf_ok(&b, "a name in a certificate", err);
	if (rc == RC_OK)
		*out = (char *)buf_take(&b, &len);
	buf_done(&b);
	return rc;
}

/* The next one that waits; it counts when in->n does. */
static enum rc
begin_item(struct intake_item **out, struct intake *in, const struct cert_found *f, struct err *err)
{
	struct intake_item *t = &in->items[in->n];

	*t = (struct intake_item){ .line = f->line, .not_after = f->not_after };
	*out = t;
	return str_dup(&t->where, in->where, err);
}

static enum rc
fill_item(struct intake_item *t, const struct intake *in, const struct cert *c, struct err *err)
{
	const uint8_t *der = cert_der0(c, &t->der_len);
	enum rc rc;

	serial_hex(t->serial, cert_serial0(c));
	t->not_before = cert_not_before(c);
	t->not_after = cert_not_after(c);
	binding_of_names(&t->binding, in->conf->tenant, cert_subject0(c), cert_san0(c));
	if ((t->der = malloc(t->der_len)) == NULL)
		return fail(err, RC_NOMEM, "no memory for a certificate");
	memcpy(t->der, der, t->der_len);
	rc = cert_thumbprint_sha1(t->thumbprint, c, err);
	if (rc == RC_OK)
		rc = text_of(&t->subject, c, false, err);
	return rc == RC_OK ? text_of(&t->san, c, true, err) : rc;
}

/* INTAKE_ADDED: it is the CA's. */
static enum intake_fate
judge(const struct intake *in, const struct cert *c, struct err *why)
{
	enum rc rc;

	if (cert_same(c, in->ca))
		return INTAKE_ITSELF;
	if (!name_same(cert_issuer0(c), cert_subject0(in->ca)))
		return INTAKE_OTHER_CA;
	if ((rc = cert_verify_by(c, in->ca, why)) != RC_OK)
		return rc == RC_INTEGRITY ? INTAKE_FORGED : INTAKE_UNREADABLE;
	return INTAKE_ADDED;
}

/* One is bound to, and whoever reads the certificate may take the other.  A request for it would be refused
 * (sid_guard.h); this one is there already, and somebody may ask about it. */
static void
tell_two_names(struct intake *in, const struct cert_found *f, const struct cert *c)
{
	char text[2 * SERIAL_MAX + 64];
	struct err why;

	if (in->conf->tenant == NULL || binding_names_agree(cert_san0(c), &why) == RC_OK)
		return;
	in->two_names++;
	serial_hex(text, cert_serial0(c));
	(void)strcat(text, " names two users or two devices: rules see one");
	in->refused(in->arg, INTAKE_ADDED, in->where, f->line, text);
}

/* What is bound, and listed, is what the first names say; whoever reads the certificate may go by another. */
static void
tell_left_out(struct intake *in, const struct cert_found *f, const struct cert *c)
{
	size_t left_out = cert_san_left_out(c);
	char serial[2 * SERIAL_MAX + 1], text[2 * SERIAL_MAX + 120];

	if (left_out == 0)
		return;
	in->many_names++;
	serial_hex(serial, cert_serial0(c));
	(void)snprintf(text, sizeof(text),
	    "%s has %zu alternative names: those after the first %u are left out", serial,
	    left_out + LIMIT_SAN, LIMIT_SAN);
	in->refused(in->arg, INTAKE_ADDED, in->where, f->line, text);
}

static enum rc
take_cert(struct intake *in, const struct cert_found *f, const struct cert *c, struct err *err)
{
	char serial[2 * SERIAL_MAX + 1];
	struct err why = { 0 };
	enum intake_fate fate = judge(in, c, &why);
	struct intake_item *t;
	enum rc rc;

	serial_hex(serial, cert_serial0(c));
	if (fate != INTAKE_ADDED) {
		count(in, fate, in->where, f->line, fate == INTAKE_UNREADABLE ? why.msg : serial);
		return RC_OK;
	}
	rc = begin_item(&t, in, f, err);
	if (rc == RC_OK)
		rc = fill_item(t, in, c, err);
	if (rc != RC_OK)
		item_done(t);
	/* Names of which the text is longer than the store takes: the next certificates are not to suffer for it. */
	if (rc == RC_LIMIT) {
		count(in, INTAKE_UNREADABLE, in->where, f->line, err->msg);
		return RC_OK;
	}
	if (rc != RC_OK)
		return rc;
	tell_two_names(in, f, c);
	tell_left_out(in, f, c);
	in->n++;
	return flush_if_full(in, err);
}

static enum rc
take_der(struct intake *in, const struct cert_found *f, struct err *err)
{
	struct cert *c = NULL;
	struct err why = { 0 };
	enum rc rc = cert_parse_known(&c, f->der, f->der_len, &why);

	if (rc == RC_NOMEM)
		return fail(err, RC_NOMEM, "%s", why.msg);
	if (rc != RC_OK) {
		count(in, INTAKE_UNREADABLE, in->where, f->line, why.msg);
		return RC_OK;
	}
	rc = take_cert(in, f, c, err);
	cert_free(c);
	return rc;
}

static enum rc
take_serial(struct intake *in, const struct cert_found *f, struct err *err)
{
	char serial[2 * SERIAL_MAX + 1];
	struct intake_item *t;
	enum rc rc;

	serial_hex(serial, f->serial);
	if (strspn(serial, "0") == strlen(serial)) {
		count(in, INTAKE_UNREADABLE, in->where, f->line, "0 is no serial number");
		return RC_OK;
	}
	if ((rc = begin_item(&t, in, f, err)) != RC_OK)
		return rc;
	memcpy(t->serial, serial, sizeof(serial));
	in->bare++;
	in->n++;
	return flush_if_full(in, err);
}

enum rc
intake_take(void *arg, const struct cert_found *c, struct err *err)
{
	struct intake *in = arg;

	in->read++;
	if (c->der != NULL)
		return take_der(in, c, err);
	if (c->serial != NULL)
		return take_serial(in, c, err);
	count(in, INTAKE_UNREADABLE, in->where, c->line, c->why);
	return RC_OK;
}
