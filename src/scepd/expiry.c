/* expiry.c - see expiry.h. */
#include "scepd/expiry.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#define DAY ((int64_t)86400)

#define RENEWS                                                                                     \
	"scepd renews it by itself and has not: look for certificate-not-renewed in its log, "     \
	"and whether the CA's key can be used"

/*
 * A CA's successor has to reach every device before the old one ends, and devices come by within
 * weeks or months; above it others decide, who take as long.  RA and OCSP certificates are renewed in
 * the last quarter and half of their lives (signer_renew.c): an eighth before the end that has not
 * happened.  A foreign CA's responder is renewed by hand, and ADCS gives some of them two weeks.  TLS certificates are renewed by programs, whatever their life, in its last third.
 */
static const struct expiry_row rows[EXPIRY__MAX] = {
	[EXPIRY_CA] = { "ca", "the issuing CA's certificate", 180 * DAY, 60 * DAY, 2,
	    "begin a rollover to a next CA" },
	[EXPIRY_INTERMEDIATE] = { "intermediate", "the certificate above the issuing CA", 180 * DAY,
	    60 * DAY, 2, "whoever runs that CA has to renew it" },
	[EXPIRY_ROOT] = { "root", "the root's certificate", 180 * DAY, 60 * DAY, 2,
	    "begin a rollover to a CA under a new root" },
	[EXPIRY_RA] = { "ra", "the RA certificate", 30 * DAY, 10 * DAY, 8, RENEWS },
	[EXPIRY_OCSP] = { "ocsp", "the OCSP responder's certificate", 30 * DAY, 10 * DAY, 8,
	    RENEWS },
	[EXPIRY_FOREIGN_CA] = { "foreign-ca", "the foreign CA's certificate", 60 * DAY, 14 * DAY, 2,
	    "whoever runs that CA has to renew it; put the new one in the place of the file" },
	[EXPIRY_FOREIGN_OCSP] = { "foreign-ocsp", "the certificate of the foreign CA's responder",
	    30 * DAY, 7 * DAY, 3,
	    "scepctl foreign csr makes the request for another, scepctl foreign install puts it in "
	    "place" },
	[EXPIRY_TLS] = { "tls", "the listener's certificate", 14 * DAY, 3 * DAY, 4,
	    "put a renewed one, and its key, in the place of the files" },
	[EXPIRY_APP_CERT] = { "app-certificate", "the app's certificate", 30 * DAY, 7 * DAY, 0,
	    "register a new one with the app in Entra and put it in the place of the old" },
	[EXPIRY_APP_KEY] = { "app-key", "the app's client secret", 30 * DAY, 7 * DAY, 0,
	    "make a new one with the app in Entra, put it in the place of the old, and set "
	    "app_key_expires" },
};

const struct expiry_row *
expiry_row(enum expiry_kind kind)
{
	return &rows[kind];
}

enum expiry_level
expiry_level(const struct expiry_thing *t, int64_t now)
{
	const struct expiry_row *r = &rows[t->kind];
	int64_t left = t->not_after - now, soon = r->soon, urgent = r->urgent;

	if (r->part != 0 && t->not_before != 0) {
		int64_t part = (t->not_after - t->not_before) / r->part;

		soon = part < soon ? part : soon;
		urgent = part / 2 < urgent ? part / 2 : urgent;
	}
	if (t->expected || left > soon)
		return EXPIRY_FAR;
	return left < 0 ? EXPIRY_OVER : left > urgent ? EXPIRY_SOON : EXPIRY_URGENT;
}

bool
expiry_ends_with(int64_t not_after, int64_t ca_not_after)
{
	return not_after > ca_not_after - DAY;
}

/* ---- a server's ---- */

struct seen {
	enum expiry_kind kind;
	char *name;
	int64_t not_after;
	enum expiry_level told;
	int64_t due; /* wall seconds: told again */
};

struct expiry {
	pthread_mutex_t mu; /* over all of it */
	struct seen *v;
	size_t n;
};

enum rc
expiry_new(struct expiry **out, struct err *err)
{
	struct expiry *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return fail(err, RC_NOMEM, "no memory for what expires");
	(void)pthread_mutex_init(&e->mu, NULL);
	*out = e;
	return RC_OK;
}

void
expiry_free(struct expiry *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; i < e->n; i++)
		free(e->v[i].name);
	free(e->v);
	(void)pthread_mutex_destroy(&e->mu);
	free(e);
}

/* NULL when memory ran out: the next round is a minute away. */
static struct seen *
find(struct expiry *e, const struct expiry_thing *t)
{
	struct seen *v;

	for (size_t i = 0; i < e->n; i++)
		if (e->v[i].kind == t->kind && strcmp(e->v[i].name, t->name) == 0)
			return &e->v[i];
	if ((v = realloc(e->v, (e->n + 1) * sizeof(*v))) == NULL)
		return NULL;
	e->v = v;
	v[e->n] = (struct seen){ .kind = t->kind };
	if (str_dup(&v[e->n].name, t->name, NULL) != RC_OK)
		return NULL;
	return &v[e->n++];
}

static void
tell(const struct expiry_thing *t, enum expiry_level level)
{
	const struct expiry_row *r = &rows[t->kind];
	char when[TIME_TEXT_MAX];

	time_rfc3339(when, t->not_after);
	if (level == EXPIRY_FAR)
		log_msg(
		    LOG_INFO, "expiry", "%s: %s is valid until %s now", t->name, r->called, when);
	else
		log_msg(level == EXPIRY_SOON ? LOG_WARN : LOG_ERROR, "expiry",
		    "%s: %s %s at %s: %s", t->name, r->called,
		    level == EXPIRY_OVER ? "has expired" : "expires", when, r->cure);
}

void
expiry_note(struct expiry *e, const struct expiry_thing *t, int64_t now)
{
	enum expiry_level level = expiry_level(t, now);
	bool say = false;
	struct seen *s;

	(void)pthread_mutex_lock(&e->mu);
	if ((s = find(e, t)) != NULL) {
		say = level > s->told || (level == EXPIRY_FAR && s->told != EXPIRY_FAR) ||
		    (level != EXPIRY_FAR && now >= s->due);
		s->not_after = t->not_after;
		s->told = level;
		if (say)
			s->due = now + DAY;
	}
	(void)pthread_mutex_unlock(&e->mu);
	if (say)
		tell(t, level);
}

/* A label's value: what the text format wants escaped. */
static void
add_label(struct buf *out, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			buf_addc(out, '\\');
		buf_addc(out, (char)(*value == '\n' ? ' ' : *value));
	}
}

void
expiry_metrics(struct expiry *e, struct buf *out)
{
	static const char name[] = "scepd_certificate_not_after_seconds";

	buf_addf(out,
	    "# HELP %s When it ends, in Unix time: certificates, and secrets whose end is "
	    "configured\n"
	    "# TYPE %s gauge\n",
	    name, name);
	(void)pthread_mutex_lock(&e->mu);
	for (size_t i = 0; i < e->n; i++) {
		buf_addf(out, "%s{what=\"%s\",name=\"", name, rows[e->v[i].kind].what);
		add_label(out, e->v[i].name);
		buf_addf(out, "\"} %lld\n", (long long)e->v[i].not_after);
	}
	(void)pthread_mutex_unlock(&e->mu);
}
