/*
 * rollover_test.c - which CA issues for whom, what an endpoint tells meanwhile, and that requests
 * keep what they began with while it changes.
 */
#include "../ca/fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "scepd/keys.h"
#include "scepd/rollover.h"

struct server {
	struct fixture *f;
	struct scepd *s;
	struct endpoint *e;
	struct err err;
};

static const char yaml[] =
    "listeners: [ { address: '127.0.0.1:0' } ]\n"
    "public_url: http://ca.contoso.com\n"
    "store: { url: 'sqlite:%s/%u.db' }\n"
    "cas:\n"
    "  old: { certificate: ca/issuing.pem, key: ca/issuing.key, chain: [ ca/root.pem ],\n"
    "    ra_certificate: ca/ra.pem, ra_key: ca/ra.key }\n"
    "  new: { certificate: next/issuing.pem, key: next/issuing.key, chain: [ next/root.pem ],\n"
    "    ra_certificate: next/ra.pem, ra_key: next/ra.key, replaces: old }\n"
    "  last: { certificate: last/issuing.pem, key: last/issuing.key, chain: [ last/root.pem ],\n"
    "    ra_certificate: last/ra.pem, ra_key: last/ra.key, replaces: new }\n"
    "profiles:\n"
    "  lab: { subject: { allow: [ 'CN=*.lab.example' ] }, san: { types: [] } }\n"
    "endpoints:\n"
    "  lab: { ca: old, profile: lab, challenge: static, challenge_file: lab.secret }\n"
    "  moved: { ca: new, profile: lab, challenge: static, challenge_file: lab.secret }\n"
    "  alone: { ca: last, profile: lab, challenge: static, challenge_file: lab.secret }\n"
    "  short: { ca: old, profile: lab, challenge: static, challenge_file: lab.secret, getcacert: "
    "ca,\n"
    "    capabilities: [ AES ] }\n";

/* fail_msg() is cmocka's, and fail() is ours. */
static void
must(enum rc rc, const struct err *e)
{
	if (rc != RC_OK)
		print_error("%s: %s\n", rc_name(rc), e->msg);
	assert_int_equal(rc, RC_OK);
}

static void
make_another(const struct fixture *f, const char *dir, const char *name)
{
	struct ca_init in = small_ca(in_dir(f, dir));
	struct err why;

	in.name = name;
	in.issuing_key = "ec:p256";
	must(ca_init(&in, &why), &why);
}

static void
server_open(struct server *v)
{
	struct scepd_parts parts = { .signer = NULL };
	struct config *config;

	must(config_load(&config, in_dir(v->f, "scepd.yaml"), &v->err), &v->err);
	must(keys_open(&parts.signer, config, NULL, NULL, &v->err), &v->err);
	must(scepd_store_prepare(&parts, config, &v->err), &v->err);
	must(scepd_new(&v->s, config, &parts, &v->err), &v->err);
	v->e = scepd_endpoint(v->s, "lab", 3);
	assert_non_null(v->e);
}

/* The CAs are made once, since keys take time; each test has a database of its own. */
static struct fixture *made;

static int
cas_new(void **state)
{
	void *f;

	assert_int_equal(fixture_new(&f), 0);
	made = f;
	make_another(made, "next", "Contoso G2");
	make_another(made, "last", "Contoso G3");
	return 0;
}

static int
cas_free(void **state)
{
	void *f = made;

	return fixture_free(&f);
}

static int
server_new(void **state)
{
	static unsigned n;
	struct server *v = calloc(1, sizeof(*v));
	char text[4096];

	assert_non_null(v);
	v->f = made;
	(void)snprintf(text, sizeof(text), yaml, v->f->dir, n++);
	must(file_write(in_dir(v->f, "scepd.yaml"), text, strlen(text), 0600, 1, &v->err), &v->err);
	must(file_write(in_dir(v->f, "lab.secret"), CHALLENGE "\n", strlen(CHALLENGE) + 1, 0600, 1,
		 &v->err),
	    &v->err);
	server_open(v);
	*state = v;
	return 0;
}

static int
server_free(void **state)
{
	struct server *v = *state;

	scepd_free(v->s);
	free(v);
	return 0;
}

static void
set_share(struct server *v, const char *from, const char *to, unsigned share)
{
	unsigned before;

	must(store_rollover_set(v->s->store, "lab", from, to, share, "test", &before, &v->err),
	    &v->err);
	scepd_refresh_rollover(v->s);
}

/* ---- buckets ---- */

static unsigned
bucket(const struct server *v, const char *endpoint, const struct wish *w)
{
	struct csr *c = request(v->f, w);
	unsigned b = 1000;
	struct err why;

	must(rollover_bucket(&b, endpoint, c, &why), &why);
	assert_true(b < 100);
	csr_free(c);
	return b;
}

static void
a_device_keeps_its_bucket(void **state)
{
	struct server *v = *state;
	const struct wish a = { .subject = "CN=pc1", .san = { "dns:pc1", "upn:jane@contoso.com" } },
			  b = { .subject = "CN=pc1",
				  .san = { "upn:jane@contoso.com", "dns:pc1" },
				  .key = v->f->rsa3072,
				  .challenge = "another" };
	unsigned first = bucket(v, "lab", &a);

	assert_int_equal(bucket(v, "lab", &a), first);
	assert_int_equal(bucket(v, "lab", &b), first); /* another key, order and challenge */
}

/* Not one number for all, and not the same devices first on every endpoint. */
static void
devices_are_spread_over_the_buckets(void **state)
{
	struct server *v = *state;
	unsigned below = 0, other = 0, n = 400;

	for (unsigned i = 0; i < n; i++) {
		char subject[64];
		struct wish w = { .subject = subject, .key = v->f->p256 };
		unsigned b;

		(void)snprintf(subject, sizeof(subject), "CN=pc%u", i);
		b = bucket(v, "lab", &w);
		below += b < 30;
		other += b != bucket(v, "wifi", &w);
	}
	assert_in_range(below, n * 20 / 100, n * 40 / 100);
	assert_true(other > n * 9 / 10);
}

/* ---- which CA ---- */

static struct server_ca *
chosen(struct server *v, size_t recipient, unsigned b)
{
	struct offer *o = endpoint_offer(v->e);
	struct server_ca *ca = NULL;

	assert_true(recipient < o->n_id);
	if (offer_choose(&ca, o, o->id[recipient], b, &v->err) != RC_OK)
		ca = NULL;
	offer_release(o);
	return ca;
}

#define CA(v, name) scepd_ca((v)->s, (name), strlen(name))

static void
the_share_decides_and_only_moves_devices_forward(void **state)
{
	struct server *v = *state;

	for (unsigned share = 0; share <= 99; share += 33) {
		set_share(v, "old", "new", share);
		for (unsigned b = 0; b < 100; b++)
			assert_ptr_equal(chosen(v, 0, b), CA(v, b < share ? "new" : "old"));
	}
	set_share(v, "old", "new", 100);
	for (unsigned b = 0; b < 100; b++)
		assert_ptr_equal(chosen(v, 0, b), CA(v, "new"));
	set_share(v, "old", "new", 0);
	assert_ptr_equal(chosen(v, 0, 0), CA(v, "old"));
}

/* RFC 8894 5.1: "the CA will use the envelope to determine which key to use". */
static void
a_request_to_the_next_ca_is_issued_by_it(void **state)
{
	struct server *v = *state;
	struct offer *o = endpoint_offer(v->e);

	assert_int_equal(o->n_id, 2);
	assert_int_equal(o->place[0], 0);
	assert_int_equal(o->place[1], 1);
	assert_int_equal(o->plan.share, 0);
	offer_release(o);
	assert_ptr_equal(chosen(v, 1, 99), CA(v, "new"));
	set_share(v, "old", "new", 100);
	o = endpoint_offer(v->e);
	assert_int_equal(o->n_id, 3); /* new first; old and last are opened too */
	assert_int_equal(o->place[0], 1);
	offer_release(o);
	assert_ptr_equal(chosen(v, 1, 99), CA(v, "new"));  /* to the RA of old */
	assert_ptr_equal(chosen(v, 2, 99), CA(v, "last")); /* to the RA of the next after that */
}

static void
one_generation_follows_another(void **state)
{
	struct server *v = *state;

	set_share(v, "old", "new", 100);
	set_share(v, "new", "last", 50);
	assert_ptr_equal(chosen(v, 0, 49), CA(v, "last"));
	assert_ptr_equal(chosen(v, 0, 50), CA(v, "new"));
	set_share(v, "new", "last", 100);
	assert_ptr_equal(chosen(v, 0, 99), CA(v, "last"));
}

static void
a_retired_ca_issues_nothing(void **state)
{
	struct server *v = *state;

	assert_int_equal(store_ca_retire(v->s->store, "last", "test", NULL, &v->err), RC_OK);
	set_share(v, "old", "new", 100);
	set_share(v, "new", "last", 50);
	assert_ptr_equal(chosen(v, 0, 0), CA(v, "new")); /* no step towards it */
	assert_int_equal(store_ca_retire(v->s->store, "new", "test", NULL, &v->err), RC_OK);
	scepd_refresh_rollover(v->s);
	assert_null(chosen(v, 0, 0));
	assert_int_equal(v->err.rc, RC_DENIED);
	assert_non_null(strstr(v->err.msg, "retired"));
}

static void
who_retires_a_ca_by_force_moves_its_devices(void **state)
{
	struct server *v = *state;

	assert_int_equal(store_ca_retire(v->s->store, "old", "test", NULL, &v->err), RC_OK);
	scepd_refresh_rollover(v->s);
	assert_ptr_equal(chosen(v, 0, 99), CA(v, "new"));
}

static void
the_state_outlives_a_restart(void **state)
{
	struct server *v = *state;

	set_share(v, "old", "new", 60);
	scepd_free(v->s);
	server_open(v);
	assert_ptr_equal(chosen(v, 0, 59), CA(v, "new"));
	assert_ptr_equal(chosen(v, 0, 60), CA(v, "old"));
}

/* ---- answers ---- */

/* The answer to GetCACert as words: "ra:old ca:old root:old". */
static void
told(char *out, size_t size, struct server *v, const char *endpoint)
{
	static const char *const names[] = { "old", "new", "last" };
	static const char *const dirs[] = { "ca", "next", "last" };
	static const char *const files[] = { "ra", "issuing", "root" };
	struct offer *o = endpoint_offer(scepd_endpoint(v->s, endpoint, strlen(endpoint)));
	struct scep_bytes *list;
	size_t n;

	out[0] = '\0';
	assert_int_equal(
	    scep_ca_certs_parse(&list, &n, o->ca_certs.data, o->ca_certs.len, NULL), SCEP_OK);
	for (size_t i = 0; i < n; i++)
		for (size_t d = 0; d < 9; d++) {
			char path[64];
			struct cert *c;
			const uint8_t *der;
			size_t len;

			(void)snprintf(path, sizeof(path), "%s/%s.pem", dirs[d / 3], files[d % 3]);
			assert_int_equal(cert_load(&c, in_dir(v->f, path), &v->err), RC_OK);
			der = cert_der0(c, &len);
			if (len == list[i].len && memcmp(der, list[i].data, len) == 0)
				(void)snprintf(out + strlen(out), size - strlen(out), "%s%s:%s",
				    out[0] != '\0' ? " " : "", files[d % 3], names[d / 3]);
			cert_free(c);
		}
	assert_string_equal(o->ca_certs_type,
	    n == 1 ? "application/x-x509-ca-cert" : "application/x-x509-ca-ra-cert");
	scep_bytes_list_free(list, n);
	offer_release(o);
}

static void
tells(struct server *v, const char *endpoint, const char *want)
{
	char got[512];

	told(got, sizeof(got), v, endpoint);
	assert_string_equal(got, want);
}

/* The RA and the CA that issue come first (quirks 19, 27); the other CA follows without an RA (24). */
static void
getcacert_tells_both_cas_while_devices_are_moved(void **state)
{
	struct server *v = *state;

	tells(v, "lab", "ra:old issuing:old root:old");
	tells(v, "short", "issuing:old");
	set_share(v, "old", "new", 30);
	tells(v, "lab", "ra:old issuing:old root:old issuing:new root:new");
	set_share(v, "old", "new", 100);
	tells(v, "lab", "ra:new issuing:new root:new issuing:old root:old");
	assert_int_equal(store_ca_retire(v->s->store, "old", "test", NULL, &v->err), RC_OK);
	scepd_refresh_rollover(v->s);
	tells(v, "lab", "ra:new issuing:new root:new");
	set_share(v, "old", "new", 0); /* retired: there is no way back */
	tells(v, "lab", "ra:new issuing:new root:new");
	tells(v, "moved", "ra:new issuing:new root:new"); /* never was at the old one */
}

static bool
offers_next(struct server *v, const char *endpoint)
{
	struct offer *o = endpoint_offer(scepd_endpoint(v->s, endpoint, strlen(endpoint)));
	bool caps = memmem(o->caps_text.data, o->caps_text.len, "GetNextCACert\n", 14) != NULL;

	assert_int_equal(caps, o->next_ca.len > 0); /* the keyword and the answer go together */
	offer_release(o);
	return caps;
}

/* The certificates of the next CA, RA first, on the word of the current one. */
static void
getnextcacert_is_the_current_cas_word(void **state)
{
	struct server *v = *state;
	struct offer *o = endpoint_offer(v->e);
	struct scep_bytes ca, *list;
	size_t n, len;
	bool found = false;

	ca.data = (uint8_t *)(uintptr_t)cert_der0(ca_cert0(CA(v, "old")->ca), &ca.len);
	assert_int_equal(
	    scep_next_ca_open(&list, &n, o->next_ca.data, o->next_ca.len, &ca, 1, NULL), SCEP_OK);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *der = cert_der0(ca_cert0(CA(v, "new")->ca), &len);

		found = found || (len == list[i].len && memcmp(der, list[i].data, len) == 0);
	}
	assert_true(found);
	scep_bytes_list_free(list, n);
	offer_release(o);
	assert_true(offers_next(v, "lab"));
	assert_true(offers_next(v, "moved"));
	assert_false(offers_next(v, "alone"));
	assert_false(offers_next(v, "short")); /* its capabilities do not list it */
}

static void
metrics_tell_shares_and_certificates(void **state)
{
	struct server *v = *state;
	struct buf b;

	set_share(v, "old", "new", 30);
	buf_init(&b, 65536);
	rollover_metrics(v->s, &b);
	assert_non_null(strstr(
	    buf_str(&b), "scepd_rollover_share{endpoint=\"lab\",from=\"old\",to=\"new\"} 30\n"));
	assert_non_null(strstr(buf_str(&b), "scepd_ca_certificates_total{ca=\"old\"} 0\n"));
	assert_null(strstr(buf_str(&b), "endpoint=\"alone\""));
	buf_done(&b);
}

/* ---- many at once ---- */

#define READERS 4
#define ROUNDS  200

struct reading {
	struct server *v;
	atomic_bool stop;
	_Atomic unsigned seen;
};

/* What one offer says is of one moment: the first RA's certificate is the first in the list. */
static void *
read_offers(void *arg)
{
	struct reading *r = arg;

	while (!r->stop) {
		struct offer *o = endpoint_offer(r->v->e);
		const uint8_t *der;
		size_t len;

		der = scep_identity_cert(o->id[0], &len);
		if (memmem(o->ca_certs.data, o->ca_certs.len, der, len) == NULL ||
		    o->place[0] != o->plan.current)
			abort();
		r->seen++;
		offer_release(o);
	}
	return NULL;
}

static void
requests_keep_what_they_began_with_while_it_changes(void **state)
{
	struct server *v = *state;
	struct reading r = { .v = v };
	pthread_t t[READERS];

	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, read_offers, &r), 0);
	for (unsigned i = 0; i < ROUNDS || r.seen < ROUNDS; i++) {
		set_share(v, "old", "new", i % 2 == 0 ? 100 : i % 100);
		if (i % 20 == 0)
			scepd_refresh_cas(v->s);
	}
	r.stop = true;
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, server_new, server_free)
	const struct CMUnitTest tests[] = {
		T(a_device_keeps_its_bucket),
		T(devices_are_spread_over_the_buckets),
		T(the_share_decides_and_only_moves_devices_forward),
		T(a_request_to_the_next_ca_is_issued_by_it),
		T(one_generation_follows_another),
		T(a_retired_ca_issues_nothing),
		T(who_retires_a_ca_by_force_moves_its_devices),
		T(the_state_outlives_a_restart),
		T(getcacert_tells_both_cas_while_devices_are_moved),
		T(getnextcacert_is_the_current_cas_word),
		T(metrics_tell_shares_and_certificates),
		T(requests_keep_what_they_began_with_while_it_changes),
	};

	return cmocka_run_group_tests(tests, cas_new, cas_free);
}
