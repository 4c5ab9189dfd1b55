/* sweep_world.c - see sweep_world.h. */
#include "sweep_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

const char *
id(const char *kind, unsigned n)
{
	static char texts[8][40];
	static unsigned next;
	char *out = texts[next++ % 8];

	(void)snprintf(out, sizeof(texts[0]), "%s-%u", kind, n);
	return out;
}

struct store_object
object(enum dir_kind kind, unsigned n, int64_t known)
{
	struct store_object o = { .kind = kind,
		.presence = DIR_FOUND,
		.enabled = kind == DIR_MANAGED ? DIR_UNSAID : DIR_YES,
		.compliant = kind == DIR_USER ? DIR_UNSAID : DIR_YES,
		.known = known };

	(void)strcpy(o.tenant, "contoso");
	(void)strcpy(o.id,
	    id(kind == DIR_USER          ? "user"
		    : kind == DIR_DEVICE ? "device"
					 : "managed",
		n));
	(void)strcpy(o.management, kind == DIR_MANAGED ? "managed" : "");
	return o;
}

void
tell(struct world *w, const struct store_object *o)
{
	size_t changed;

	ok(&w->f, store_objects_put(w->f.s, o, 1, &changed, &w->f.err));
}

static void
changed(void *arg)
{
	++*(unsigned *)arg;
}

void
start(struct world *w)
{
	const struct sweeper_conf conf = { .store = w->f.s,
		.config = &w->config,
		.metrics = w->metrics,
		.changed = changed,
		.arg = &w->changed };

	sweeper_free(w->w);
	assert_int_equal(sweeper_new(&w->w, &conf, NULL), RC_OK);
}

const char *
serial(unsigned n)
{
	static struct sf_tx t;

	sf_tx(&t, n);
	return t.serial;
}

/* Behind the store's back and in one commit, as the disk of a busy machine is slow. */
static void
people_the_database(struct world *w)
{
	struct buf sql;

	buf_init(&sql, 1000000);
	buf_addf(&sql, "BEGIN;");
	for (unsigned i = 1; i <= MANY; i++)
		buf_addf(&sql,
		    "INSERT INTO cert(id, serial, tx_id, audit, issued, not_before, not_after, ca,"
		    " endpoint, profile, thumbprint, der) VALUES(%u, x'%s', 0, 0, 1000, 1000,"
		    " 4000000000, 'issuing', 'corp', 'wifi', '00', x'00');"
		    "INSERT INTO binding(cert_id, state, tenant, user, device, device_object,"
		    " managed, upn, serial_number, sid, platform, owner, enrolled, asked, tries)"
		    " VALUES(%u, 2, 'contoso', 'user-%u', 'entra-%u', 'device-%u', 'managed-%u',"
		    " '', '', '', '', '', 0, 0, 0);",
		    i, serial(i), i, i, i, i, i);
	buf_addf(&sql, "COMMIT;");
	assert_int_equal(buf_ok(&sql, "sql", NULL), RC_OK);
	sf_sql(&w->f, buf_str(&sql));
	buf_done(&sql);
}

void
all_are_well(struct world *w)
{
	struct store_object v[3 * MANY];
	size_t n = 0, changed;

	for (unsigned i = 1; i <= MANY; i++)
		for (int kind = DIR_USER; kind <= DIR_MANAGED; kind++)
			v[n++] = object((enum dir_kind)kind, i, w->now);
	ok(&w->f, store_objects_put(w->f.s, v, n, &changed, &w->f.err));
}

int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	void *f;

	assert_non_null(w);
	assert_int_equal(sf_setup(&f), 0);
	w->f = *(struct sf *)f;
	free(f);
	w->now = clock_now();
	w->rules[0] = (struct directory_rule){
		.name = "compliance", .when = WHEN_NOT_COMPLIANT, .then = CAUSE_HOLD
	};
	w->rules[1] = (struct directory_rule){
		.name = "off", .when = WHEN_USER_DISABLED, .then = CAUSE_HOLD
	};
	w->rules[2] = (struct directory_rule){
		.name = "wiped", .when = WHEN_DEVICE_WIPED, .then = CAUSE_REVOKE
	};
	w->config.rules = w->rules;
	w->config.n_rules = 3;
	w->config.revocation.brake = (struct conf_brake){ 10, 500, 3, 3600 };
	assert_int_equal(metrics_new(&w->metrics, NULL), RC_OK);
	people_the_database(w);
	all_are_well(w);
	start(w);
	*state = w;
	return 0;
}

int
teardown(void **state)
{
	struct world *w = *state;
	struct sf *f = malloc(sizeof(*f));
	void *p = f;

	assert_non_null(f);
	*f = w->f;
	sweeper_free(w->w);
	metrics_free(w->metrics);
	free(w);
	return sf_teardown(&p);
}

void
round_at(struct world *w, int64_t secs)
{
	sweeper_run(w->w, (w->now + secs) * 1000, &w->stop);
}

void
sweep(struct world *w)
{
	round_at(w, 0);
}

int64_t
stopped(struct world *w, unsigned first, unsigned last)
{
	compliant(w, first, last, DIR_NO);
	sweep(w);
	return current(w, SWEEP_WAITING);
}

void
decided(struct world *w, int64_t which, enum sweep_state verdict)
{
	ok(&w->f, store_sweep_decide(w->f.s, which, verdict, "jane", &w->f.err));
}

void
not_decided(struct world *w, int64_t which)
{
	assert_int_equal(
	    store_sweep_decide(w->f.s, which, SWEEP_APPROVED, "jane", &w->f.err), RC_CONFLICT);
}

enum cert_state
state_of(struct world *w, unsigned n)
{
	struct store_status s = { 0 };
	enum cert_state is;

	ok(&w->f, store_status_get(w->f.s, serial(n), NULL, &s, &w->f.err));
	is = s.state;
	store_status_done(&s);
	return is;
}

/* Certificates 1 to MANY that are so. */
unsigned
how_many(struct world *w, enum cert_state is)
{
	unsigned n = 0;

	for (unsigned i = 1; i <= MANY; i++)
		n += state_of(w, i) == is;
	return n;
}

void
user_is(struct world *w, unsigned n, enum dir_said enabled)
{
	struct store_object user = object(DIR_USER, n, w->now);

	user.enabled = enabled;
	tell(w, &user);
}

void
compliant(struct world *w, unsigned first, unsigned last, enum dir_said said)
{
	struct store_object v[MANY];
	size_t n = 0, changed;

	for (unsigned i = first; i <= last; i++) {
		v[n] = object(DIR_MANAGED, i, w->now);
		v[n++].compliant = said;
	}
	ok(&w->f, store_objects_put(w->f.s, v, n, &changed, &w->f.err));
}

int64_t
current(struct world *w, enum sweep_state want)
{
	struct store_sweep s = { 0 };
	int64_t at;

	ok(&w->f, store_sweep_current(w->f.s, &s, &w->f.err));
	assert_int_equal(s.state, want);
	at = s.id;
	store_sweep_done(&s);
	return at;
}

void
nothing_waits(struct world *w)
{
	struct store_sweep s;

	assert_int_equal(store_sweep_current(w->f.s, &s, &w->f.err), RC_NOTFOUND);
}

enum sweep_state
sweep_state(struct world *w, int64_t which)
{
	struct store_sweep s = { 0 };
	enum sweep_state is;

	ok(&w->f, store_sweep_get(w->f.s, which, &s, &w->f.err));
	is = s.state;
	store_sweep_done(&s);
	return is;
}

void
same_owner(struct world *w, unsigned first, unsigned last)
{
	char sql[400];

	(void)snprintf(sql, sizeof(sql),
	    "UPDATE binding SET user = 'user-%u', device = 'entra-%u', device_object = 'device-%u',"
	    " managed = 'managed-%u' WHERE cert_id BETWEEN %u AND %u",
	    first, first, first, first, first, last);
	sf_sql(&w->f, sql);
}
