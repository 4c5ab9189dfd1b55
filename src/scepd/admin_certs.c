/* admin_certs.c - /api/v1/certificates: what was issued, why it is not good, and an administrator's word on it. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ca/reason.h"
#include "scepd/admin_int.h"
#include "scepd/publish.h"

/* ---- lists ---- */

static enum cert_state
state_of(const struct store_cert_row *r)
{
	return r->revoked == 0 ? CERT_GOOD : r->reason == REASON_HOLD ? CERT_HELD : CERT_REVOKED;
}

static int
add_cert(void *arg, int64_t rowid, const struct store_cert_row *row)
{
	json_t *o = admin_cert_json(row);

	if (o != NULL &&
	    json_object_set_new(o, "state", json_string(cert_state_name(state_of(row)))) != 0) {
		json_decref(o);
		o = NULL;
	}
	return admin_list_add(arg, rowid, o);
}

static enum rc
state_by_name(struct store_cert_filter *f, const char *name, struct err *err)
{
	static const int filters[] = {
		[CERT_GOOD] = CERTS_GOOD, [CERT_HELD] = CERTS_HELD, [CERT_REVOKED] = CERTS_REVOKED
	};

	f->revoked = -1;
	for (int s = CERT_GOOD; s <= CERT_REVOKED; s++)
		if (strcmp(cert_state_name((enum cert_state)s), name) == 0)
			f->revoked = filters[s];
	if (name[0] != '\0' && f->revoked < 0)
		return fail(err, RC_PARSE, "state is good, hold or revoked");
	return RC_OK;
}

static enum rc
binding_by_name(struct store_cert_filter *f, const char *name, struct err *err)
{
	f->unsettled = (int)binding_unsettled_by_name(name);
	if (name[0] != '\0' && f->unsettled == 0)
		return fail(err, RC_PARSE, "binding is unknown, partial or open");
	return RC_OK;
}

void
admin_certs_list(struct admin_call *c)
{
	struct store_cert_filter f = { .revoked = -1 };
	char match[ADMIN_TEXT_MAX + 1], binding[16];
	struct admin_list l;
	struct err err = { 0 };
	enum rc rc;

	if ((rc = admin_list_begin(&l, c, &err)) == RC_OK &&
	    (rc = admin_query(match, sizeof(match), c->req->query, "match", &err)) == RC_OK &&
	    (rc = admin_query(binding, sizeof(binding), c->req->query, "binding", &err)) == RC_OK &&
	    (rc = binding_by_name(&f, binding, &err)) == RC_OK &&
	    (rc = state_by_name(&f, l.page.state, &err)) == RC_OK) {
		f.endpoint = l.page.endpoint[0] != '\0' ? l.page.endpoint : NULL;
		f.text = match[0] != '\0' ? match : NULL;
		f.after_rowid = l.page.after;
		rc = store_cert_page(c->s->store, &f, l.page.limit, &l.next, add_cert, &l, &err);
	}
	admin_list_reply(&l, c, rc, &err);
}

static json_t *
whole_json(const struct store_cert_row *row, const struct store_status *status,
    const struct store_binding *binding)
{
	json_t *o = admin_cert_json(row);
	struct buf text;
	bool ok;

	buf_init(&text, 4096);
	store_status_text(&text, status);
	ok = o != NULL && text.rc == RC_OK &&
	    json_object_set_new(o, "text", json_string(buf_str(&text))) == 0 &&
	    json_object_set_new(o, "status", admin_status_json(status)) == 0 &&
	    json_object_set_new(o, "bound", admin_binding_json(binding)) == 0;
	buf_done(&text);
	if (!ok) {
		json_decref(o);
		return NULL;
	}
	return o;
}

/* The certificate of the path, of the CA of ?ca= if that is there; from here on its CA is known. */
static enum rc
find(struct store_cert_row *row, struct admin_call *c, struct err *err)
{
	char ca[STORE_NAME_MAX + 1];
	enum rc rc = admin_query(ca, sizeof(ca), c->req->query, "ca", err);

	if (rc != RC_OK)
		return rc;
	rc = store_cert_get(c->s->store, c->serial, ca[0] != '\0' ? ca : NULL, row, err);
	if (rc == RC_CONFLICT)
		(void)err_hint(err, "say which is meant, by ?ca=NAME");
	return rc;
}

static void
show(struct admin_call *c, const struct store_cert_row *row)
{
	struct store_status status = { 0 };
	struct store_binding binding;
	struct err err = { 0 };

	if (store_status_get(c->s->store, row->serial, row->ca, &status, &err) == RC_OK &&
	    store_binding_get(c->s->store, row->serial, row->ca, &binding, &err) == RC_OK)
		admin_reply_json(c->reply, 200, whole_json(row, &status, &binding));
	else
		admin_reply_error(c->reply, &err);
	store_status_done(&status);
}

void
admin_certs_show(struct admin_call *c)
{
	struct store_cert_row row = { 0 };
	struct err err = { 0 };

	if (find(&row, c, &err) == RC_OK)
		show(c, &row);
	else
		admin_reply_error(c->reply, &err);
	store_cert_row_done(&row);
}

/* ---- changes ---- */

static const char *const deeds[] = {
	[CAUSE_GONE] = "release",
	[CAUSE_HOLD] = "hold",
	[CAUSE_REVOKE] = "revoke",
};

static void
log_change(const struct admin_call *c, enum cause_effect effect, const char *serial, const char *ca,
    const struct err *err0)
{
	struct log_line l;

	log_begin(&l, err0 == NULL ? LOG_INFO : LOG_WARN, "admin");
	log_str(&l, "what", deeds[effect]);
	log_str(&l, "serial", serial);
	log_str(&l, "ca", ca);
	log_str(&l, "who", c->who);
	log_str(&l, "ip", c->req->peer);
	if (err0 != NULL)
		log_str(&l, "reason", err0->msg);
	log_end(&l);
}

static void
fill(struct store_cause_set *set, const struct admin_call *c, enum cause_effect effect,
    const struct admin_status_ask *ask, const char *serial, const char *ca)
{
	*set = (struct store_cause_set){ .serial = serial,
		.ca = ca,
		.source = CAUSE_MANUAL,
		.effect = effect,
		.reason = ask->reason,
		.until = ask->until,
		.who = c->who,
		.comment = ask->comment[0] != '\0' ? ask->comment : NULL };
}

static enum rc
judge(const struct store_cause_done *done, const char *serial, struct err *err)
{
	if (done->outcome == CAUSE_NO_CERT)
		return fail(err, RC_NOTFOUND, "there is no certificate %s", serial);
	if (done->outcome == CAUSE_IS_FINAL)
		return fail(
		    err, RC_CONFLICT, "%s is revoked already, and that is for good", serial);
	return RC_OK;
}

static void
change_one(struct admin_call *c, enum cause_effect effect)
{
	struct store_cert_row row = { 0 };
	struct store_cause_done done;
	struct store_cause_set set;
	struct admin_status_ask ask;
	struct err err = { 0 };
	enum rc rc = admin_status_parse(
	    &ask, effect, false, clock_now(), c->req->body, c->req->body_len, &err);

	if (rc == RC_OK && (rc = find(&row, c, &err)) == RC_OK) {
		fill(&set, c, effect, &ask, row.serial, row.ca);
		rc = store_causes_set(c->s->store, &set, 1, &done, &err);
	}
	if (rc == RC_OK)
		rc = judge(&done, c->serial, &err);
	publish_wake(c->s);
	log_change(c, effect, c->serial, row.ca, rc == RC_OK ? NULL : &err);
	if (rc == RC_OK)
		show(c, &row);
	else
		admin_reply_error(c->reply, &err);
	store_cert_row_done(&row);
}

void
admin_certs_revoke(struct admin_call *c)
{
	change_one(c, CAUSE_REVOKE);
}

void
admin_certs_hold(struct admin_call *c)
{
	change_one(c, CAUSE_HOLD);
}

void
admin_certs_release(struct admin_call *c)
{
	change_one(c, CAUSE_GONE);
}

/* ---- all of a device, or of a user ---- */

/* Certificates that one device or user may have and still be dealt with in one call; the rest is scepctl's. */
#define MANY_MAX 1000

struct one {
	char serial[2 * SERIAL_MAX + 1], ca[STORE_NAME_MAX + 1];
};
struct many {
	struct one *v;
	size_t n;
};

static int
take_cert(void *arg, const char *serial, const char *ca)
{
	struct many *m = arg;
	size_t len = strlen(serial), ca_len = strlen(ca);

	for (size_t i = 0; i < m->n; i++) /* by another of its ids already */
		if (strcmp(m->v[i].serial, serial) == 0 && strcmp(m->v[i].ca, ca) == 0)
			return 0;
	if (m->n == MANY_MAX || len >= sizeof(m->v[0].serial) || ca_len >= sizeof(m->v[0].ca))
		return 1;
	memcpy(m->v[m->n].serial, serial, len + 1);
	memcpy(m->v[m->n++].ca, ca, ca_len + 1);
	return 0;
}

static enum rc
find_many(struct many *m, struct admin_call *c, const struct admin_status_ask *ask, int64_t now,
    struct err *err)
{
	static const enum binding_key device_keys[] = { BINDING_BY_DEVICE, BINDING_BY_DEVICE_OBJECT,
		BINDING_BY_MANAGED };
	struct store *store = c->s->store;
	enum rc rc = RC_OK;

	if (ask->user[0] != '\0')
		rc = store_binding_certs(
		    store, NULL, BINDING_BY_USER, ask->user, now, MANY_MAX, take_cert, m, err);
	for (size_t i = 0; rc == RC_OK && ask->device[0] != '\0' && i < 3; i++)
		rc = store_binding_certs(
		    store, NULL, device_keys[i], ask->device, now, MANY_MAX, take_cert, m, err);
	if (rc == RC_OK && m->n == MANY_MAX)
		return fail(err, RC_LIMIT, "%d certificates or more: use scepctl", MANY_MAX);
	return rc;
}

/* In commits of STORE_CAUSES_BATCH; a failure between two leaves the first done, and may be repeated. */
static enum rc
set_many(const struct many *m, const struct admin_call *c, enum cause_effect effect,
    const struct admin_status_ask *ask, size_t changed[static CAUSE_OUTCOME__MAX], struct err *err)
{
	struct store_cause_set sets[STORE_CAUSES_BATCH];
	struct store_cause_done done[STORE_CAUSES_BATCH];
	enum rc rc = RC_OK;

	for (size_t at = 0, n; rc == RC_OK && at < m->n; at += n) {
		n = m->n - at < STORE_CAUSES_BATCH ? m->n - at : STORE_CAUSES_BATCH;
		for (size_t i = 0; i < n; i++)
			fill(&sets[i], c, effect, ask, m->v[at + i].serial, m->v[at + i].ca);
		rc = store_causes_set(c->s->store, sets, n, done, err);
		for (size_t i = 0; rc == RC_OK && i < n; i++) {
			changed[done[i].outcome]++;
			if (done[i].outcome == CAUSE_SET)
				log_change(c, effect, m->v[at + i].serial, m->v[at + i].ca, NULL);
		}
	}
	publish_wake(c->s);
	return rc;
}

static enum rc
do_many(struct many *m, struct admin_call *c, enum cause_effect effect,
    size_t changed[static CAUSE_OUTCOME__MAX], struct err *err)
{
	struct admin_status_ask ask;
	int64_t now = clock_now();
	enum rc rc =
	    admin_status_parse(&ask, effect, true, now, c->req->body, c->req->body_len, err);

	if (rc == RC_OK && (m->v = calloc(MANY_MAX, sizeof(m->v[0]))) == NULL)
		rc = fail(err, RC_NOMEM, "list of certificates");
	if (rc == RC_OK && (rc = find_many(m, c, &ask, now, err)) == RC_OK)
		rc = set_many(m, c, effect, &ask, changed, err);
	return rc;
}

static void
change_many(struct admin_call *c, enum cause_effect effect)
{
	size_t changed[CAUSE_OUTCOME__MAX] = { 0 };
	struct many m = { .n = 0 };
	struct err err = { 0 };

	if (do_many(&m, c, effect, changed, &err) == RC_OK)
		admin_reply_json(c->reply, 200,
		    json_pack("{s:I, s:I, s:I, s:I}", "certificates", (json_int_t)m.n, "changed",
			(json_int_t)changed[CAUSE_SET], "asTheyWere",
			(json_int_t)changed[CAUSE_AS_IT_WAS], "revokedBefore",
			(json_int_t)changed[CAUSE_IS_FINAL]));
	else
		admin_reply_error(c->reply, &err);
	free(m.v);
}

void
admin_certs_revoke_many(struct admin_call *c)
{
	change_many(c, CAUSE_REVOKE);
}

void
admin_certs_hold_many(struct admin_call *c)
{
	change_many(c, CAUSE_HOLD);
}

void
admin_certs_release_many(struct admin_call *c)
{
	change_many(c, CAUSE_GONE);
}
