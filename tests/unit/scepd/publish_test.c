/*
 * publish_test.c - which lists are made, when, and what caches are told of them.
 */
#include "pipeline_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "scepd/publish_int.h"
#include "store/sqlite.h"
#include "store/store_status.h"

static const char yaml[] =
    "profiles:\n"
    "  lab: { subject: { allow: [ 'CN=*.lab.example' ] }, san: { types: [] } }\n"
    "endpoints:\n"
    "  lab: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret }\n";

#define CERTS 3
static struct rig rig;
static struct device devices[CERTS];
static struct server_ca *sca;

static void
open_with(const char *keys)
{
	static const struct wish pc = { .subject = "CN=pc.lab.example" };

	rig_open_with(&rig, keys, yaml);
	for (size_t i = 0; i < CERTS; i++)
		devices[i] = enrolled(&rig, "lab", rig.keys[i], &pc);
	sca = scepd_ca(rig.s, "issuing", 7);
}

static int
open_plain(void **state)
{
	open_with("");
	return 0;
}

static int
open_delta(void **state)
{
	open_with(", crl_delta: true, crl_validity: 1d");
	return 0;
}

static int
open_parts(void **state)
{
	open_with(", crl_partitions: 4");
	return 0;
}

static int
open_many_parts(void **state)
{
	open_with(", crl_partitions: 256");
	return 0;
}

static int
open_dir(void **state)
{
	open_with(", crl_delta: true, crl_dir: lists");
	assert_ok(dir_make(in_dir(rig.f, "lists"), 0755, err));
	return 0;
}

static int
close_rig(void **state)
{
	for (size_t i = 0; i < CERTS; i++)
		device_done(&devices[i]);
	rig_close(&rig);
	return 0;
}

/* A cause of an administrator's for certificate i is set or taken away. */
static void
turn(size_t i, enum cause_effect effect, int reason)
{
	char hex[2 * SERIAL_MAX + 1];
	struct store_cause_set set = { .serial = hex,
		.source = CAUSE_MANUAL,
		.effect = effect,
		.reason = reason,
		.who = "test" };
	struct store_cause_done done;

	serial_hex(hex, cert_serial0(devices[i].cert));
	assert_ok(store_causes_set(rig.s->store, &set, 1, &done, err));
	assert_int_equal(done.outcome, CAUSE_SET);
}

/* Seconds later, when nothing that was made keeps anything waiting. */
static void
later(int64_t seconds)
{
	static int64_t ahead;

	ahead = seconds < 0 ? 0 : ahead + seconds;
	clock_offset_set(ahead);
	for (size_t i = 0; i < sca->crl->n; i++)
		sca->crl->v[i].wait_ms = 0;
}

static void
round_later(int64_t seconds)
{
	later(seconds);
	publish_round(rig.s, clock_now_ms(), NULL);
}

static bool
text_says(const struct published *l, const char *words)
{
	char command[600], text[65536];
	const uint8_t *der;
	size_t len;
	FILE *f;

	der = http_shared_bytes(l->out.der, &len);
	assert_ok(file_write(in_dir(rig.f, "list.crl"), der, len, 0600, 1, err));
	(void)snprintf(command, sizeof(command),
	    "openssl crl -inform DER -in %s -CAfile %s -noout -text 2>&1",
	    in_dir(rig.f, "list.crl"), in_dir(rig.f, "ca/issuing.pem"));
	f = popen(command, "r");
	assert_non_null(f);
	len = fread(text, 1, sizeof(text) - 1, f);
	text[len] = '\0';
	assert_int_equal(pclose(f), 0);
	assert_non_null(strstr(text, "verify OK"));
	return strstr(text, words) != NULL;
}

static bool
lists(const struct published *l, size_t i)
{
	char hex[2 * SERIAL_MAX + 1];

	serial_hex(hex, cert_serial0(devices[i].cert));
	return text_says(l, hex);
}

#define die(...)                                                                                   \
	do {                                                                                       \
		print_error(__VA_ARGS__);                                                          \
		assert_true(false);                                                                \
	} while (0)

static void
run(const char *command)
{
	if (system(command) != 0)
		die("%s", command);
}

/* Append it to a file of PEM, or begin the file. */
static void
save(const struct published *l, const char *name, bool append)
{
	char command[600];
	const uint8_t *der;
	size_t len;

	der = http_shared_bytes(l->out.der, &len);
	assert_ok(file_write(in_dir(rig.f, "list.crl"), der, len, 0600, 1, err));
	(void)snprintf(command, sizeof(command), "openssl crl -inform DER -in %s %s %s",
	    in_dir(rig.f, "list.crl"), append ? ">>" : ">", in_dir(rig.f, name));
	run(command);
}

/* What openssl verify makes of certificate i by the lists of this file. */
static bool
is_good_by(const char *crls, size_t i)
{
	char command[1000];
	struct buf pem;

	buf_init(&pem, 65536);
	cert_pem(&pem, devices[i].cert);
	assert_ok(file_write(in_dir(rig.f, "leaf.pem"), pem.data, pem.len, 0600, 1, err));
	buf_done(&pem);
	(void)snprintf(command, sizeof(command),
	    "openssl verify -crl_check -extended_crl -use_deltas -CAfile %s -untrusted %s "
	    "-CRLfile %s %s >%s 2>&1",
	    in_dir(rig.f, "ca/root.pem"), in_dir(rig.f, "ca/issuing.pem"), in_dir(rig.f, crls),
	    in_dir(rig.f, "leaf.pem"), in_dir(rig.f, "verified"));
	if (system(command) == 0)
		return true;
	(void)snprintf(command, sizeof(command), "grep -q 'certificate revoked' %s",
	    in_dir(rig.f, "verified"));
	run(command);
	return false;
}

/* ---- the complete list ---- */

static void
a_list_is_signed_when_something_changes_and_not_before(void **state)
{
	struct published *full = &sca->crl->v[0];
	struct http_shared *first;
	uint64_t number;

	round_later(-1);
	first = full->out.der;
	number = full->out.number;
	assert_non_null(first);
	assert_true(text_says(full, "No Revoked Certificates"));
	round_later(60);
	assert_ptr_equal(full->out.der, first);
	turn(0, CAUSE_HOLD, REASON_HOLD);
	round_later(1);
	assert_true(full->out.number > number);
	assert_true(lists(full, 0) && text_says(full, "Certificate Hold"));
	assert_false(lists(full, 1));
	number = full->out.number;
	turn(0, CAUSE_GONE, 0);
	turn(1, CAUSE_REVOKE, 1);
	publish_round(rig.s, clock_now_ms(), NULL); /* not at once, as one was just made */
	assert_int_equal(full->out.number, number);
	round_later(1);
	assert_true(lists(full, 1) && text_says(full, "Key Compromise"));
	assert_false(lists(full, 0));
}

static void
a_change_of_another_ca_is_none(void **state)
{
	struct published *other = &scepd_ca(rig.s, "other", 5)->crl->v[0];
	struct http_shared *first;

	round_later(-1);
	first = other->out.der;
	turn(0, CAUSE_REVOKE, 1);
	other->wait_ms = 0;
	round_later(1);
	assert_ptr_equal(other->out.der, first);
}

static void
a_list_is_signed_again_halfway_to_its_end(void **state)
{
	struct published *full = &sca->crl->v[0];
	uint64_t number;

	round_later(-1);
	number = full->out.number;
	round_later(3 * DAY);
	assert_int_equal(full->out.number, number);
	round_later(DAY);
	assert_true(full->out.number > number);
}

/* RFC 5280 3.3 */
static void
the_expired_stay_until_a_regular_list_has_had_them(void **state)
{
	struct published *full = &sca->crl->v[0];
	int64_t end = cert_not_after(devices[0].cert);

	later(-1);
	turn(0, CAUSE_REVOKE, 1);
	later(end - clock_now() + DAY);
	round_later(0);
	assert_true(lists(full, 0));
	round_later(4 * DAY);
	assert_true(lists(full, 0));
	round_later(4 * DAY); /* crl_validity is 7 days */
	assert_false(lists(full, 0));
}

static void
numbers_go_up_after_a_restart(void **state)
{
	uint64_t number;

	round_later(-1);
	number = sca->crl->v[0].out.number;
	rig_restart(&rig);
	sca = scepd_ca(rig.s, "issuing", 7);
	round_later(1);
	assert_true(sca->crl->v[0].out.number > number);
}

/* The signer has signed a later number than the database knows of. */
static void
a_list_that_cannot_be_made_leaves_the_last_good_one(void **state)
{
	struct published *full = &sca->crl->v[0];
	struct crl_scope scope = ca_crl_scope(sca->ca);
	struct http_shared *first;
	struct crl_writer w;
	struct buf b;

	round_later(-1);
	first = full->out.der;
	buf_init(&b, 65536);
	scope.this_update = clock_now();
	scope.next_update = clock_now() + 1;
	assert_ok(crl_begin(&w, &b, &scope, err));
	assert_ok(ca_crl_sign(sca->ca, &w, full->out.number + 2, NULL, err));
	buf_done(&b);
	turn(0, CAUSE_REVOKE, 1);
	round_later(1);
	assert_ptr_equal(full->out.der, first);
	assert_int_equal(full->failed, 1);
	assert_true(full->wait_ms > clock_mono_ms());
	round_later(1); /* the number before last */
	round_later(1); /* the next one */
	assert_ptr_not_equal(full->out.der, first);
	assert_int_equal(full->failed, 0);
	assert_true(lists(full, 0));
}

/* ---- deltas ---- */

static void
a_delta_holds_what_changed_since_its_base(void **state)
{
	struct published *full = &sca->crl->v[0], *delta = sca->crl->delta;
	char base[64];

	later(-1);
	turn(0, CAUSE_HOLD, REASON_HOLD);
	round_later(0);
	assert_true(text_says(full, "http://ca.contoso.com/crl/issuing/delta.crl"));
	assert_true(text_says(full, "Freshest CRL"));
	save(full, "base.pem", false);
	save(full, "both.pem", false);
	assert_null(delta->out.der); /* never in one second with the complete one */
	(void)snprintf(base, sizeof(base),
	    "X509v3 Delta CRL Indicator: critical\n                %llu",
	    (unsigned long long)full->out.number);
	round_later(1);
	assert_true(delta->out.number > full->out.number);
	assert_true(text_says(delta, "No Revoked Certificates"));
	assert_false(text_says(delta, "Freshest"));
	turn(0, CAUSE_GONE, 0);
	turn(1, CAUSE_REVOKE, 1);
	round_later(1);
	assert_true(lists(delta, 0) && text_says(delta, "Remove From CRL"));
	assert_true(lists(delta, 1) && text_says(delta, "Key Compromise"));
	assert_true(text_says(delta, base));
	save(delta, "both.pem", true);
	assert_true(!is_good_by("base.pem", 0) && is_good_by("base.pem", 1));
	assert_true(is_good_by("both.pem", 0) && !is_good_by("both.pem", 1));
	assert_true(is_good_by("both.pem", 2));
	round_later(1); /* and the complete one a second later */
	assert_true(full->out.number > delta->out.number);
	assert_true(lists(full, 1));
	assert_false(lists(full, 0) || text_says(full, "Remove From CRL"));
	/* What was never held comes into no delta. */
	assert_false(lists(delta, 2));
}

static void
a_delta_s_base_is_the_oldest_list_that_still_holds(void **state)
{
	struct published *full = &sca->crl->v[0], *delta = sca->crl->delta;
	uint64_t first;

	round_later(-1);
	first = full->out.number;
	for (int hours = 1; hours <= 60; hours++) {
		round_later(3600);
		round_later(1);
		assert_true(sca->crl->n_bases > 0 && sca->crl->n_bases < CRL_BASES_MAX);
		assert_true(sca->crl->bases[0].number < delta->out.number);
		if (hours < 24)
			assert_int_equal(sca->crl->bases[0].number, first);
	}
	assert_true(sca->crl->bases[0].number > first);
	assert_true(sca->crl->n_bases == 1 || sca->crl->bases[1].next_update > clock_now() - 3602);
}

static bool
logged(const char *words)
{
	char all[16384];
	ssize_t n = pread(rig.log, all, sizeof(all) - 1, 0);

	all[n > 0 ? n : 0] = '\0';
	return strstr(all, words) != NULL;
}

/* A delta of more than it is good for is none: it is of a younger complete list, or waits for one. */
static void
a_delta_never_holds_more_changes_than_it_is_good_for(void **state)
{
	struct published *full = &sca->crl->v[0], *delta = sca->crl->delta;
	uint64_t first, second, out;

	sca->crl->delta_changes = 2;
	round_later(-1);
	first = full->out.number;
	round_later(1);
	assert_int_equal(sca->crl->bases[0].number, first);
	turn(0, CAUSE_HOLD, REASON_HOLD);
	turn(1, CAUSE_REVOKE, 1);
	round_later(1); /* two changes: of the first list still */
	assert_int_equal(sca->crl->bases[0].number, first);
	assert_true(lists(delta, 0) && lists(delta, 1));
	round_later(1);
	second = full->out.number;
	assert_true(second > first && lists(full, 1));
	turn(0, CAUSE_GONE, 0);
	round_later(
	    1); /* three since the first, one since the second, which is no base by its age */
	assert_int_equal(sca->crl->n_bases, 1);
	assert_int_equal(sca->crl->bases[0].number, second);
	assert_true(logged("ca=issuing list=delta left-base=") && logged(" changes=3"));
	assert_true(lists(delta, 0) && text_says(delta, "Remove From CRL"));
	assert_false(lists(delta, 1));
	round_later(1);
	assert_false(lists(full, 0));
	/* Three at once: no delta before the complete list that has them, and then one of that. */
	sca->crl->delta_changes = 1;
	out = delta->out.number;
	turn(0, CAUSE_REVOKE, 1);
	turn(2, CAUSE_REVOKE, 1);
	round_later(1);
	assert_int_equal(delta->out.number, out);
	assert_true(lists(full, 0) && lists(full, 2));
	round_later(1);
	assert_true(delta->out.number > full->out.number);
	assert_int_equal(sca->crl->bases[0].number, full->out.number);
	assert_true(text_says(delta, "No Revoked Certificates"));
}

/* Changes of another CA push the base of this one out of reach, and nothing of its own is signed: its complete list
 * is as good as a new one, and the delta goes on. */
static void
a_delta_goes_on_when_others_have_changed_much(void **state)
{
	struct published *full = &sca->crl->v[0], *delta = sca->crl->delta;
	uint64_t number;

	round_later(-1);
	number = full->out.number;
	round_later(1);
	turn(0, CAUSE_HOLD, REASON_HOLD);
	turn(0, CAUSE_GONE, 0); /* as little of its own: nothing new in the complete list */
	turn(1, CAUSE_HOLD, REASON_HOLD);
	turn(1, CAUSE_GONE, 0);
	sca->crl->delta_changes = 1;
	round_later(1); /* the complete list is looked at, and is as it was */
	assert_int_equal(full->out.number, number);
	round_later(24 * 900); /* a delta holds for a quarter of a day, and is due halfway */
	assert_int_equal(full->out.number, number);
	assert_true(delta->out.number > number && delta->out.made >= clock_now() - 1);
	assert_int_equal(sca->crl->bases[0].number, number);
	assert_true(sca->crl->bases[0].status > 0);
}

/* ---- partitions ---- */

static void
each_certificate_is_in_the_one_list_that_it_names(void **state)
{
	struct crl_lists *c = sca->crl;

	later(-1);
	for (size_t i = 0; i < CERTS; i++)
		turn(i, CAUSE_REVOKE, 1);
	round_later(1);
	assert_int_equal(c->n_parts, 4);
	for (size_t i = 0; i < CERTS; i++) {
		const struct serial *serial = cert_serial0(devices[i].cert);
		unsigned part = serial->v[serial->len - 1] & 3;
		char url[100];
		size_t len;
		const uint8_t *der = cert_der0(devices[i].cert, &len);

		(void)snprintf(
		    url, sizeof(url), "http://ca.contoso.com/crl/issuing/%u-of-4.crl", part);
		assert_non_null(memmem(der, len, url, strlen(url)));
		for (unsigned k = 0; k < 4; k++)
			assert_int_equal(lists(&c->parts[k], i), k == part);
		assert_true(text_says(&c->parts[part], "Issuing Distribution Point: critical"));
		assert_true(text_says(&c->parts[part], url));
		assert_true(lists(&c->v[0], i));
	}
	assert_false(text_says(&c->v[0], "Issuing Distribution Point"));
	for (unsigned k = 0; k < 4; k++)
		save(&c->parts[k], "parts.pem", k > 0);
	for (size_t i = 0; i < CERTS; i++)
		assert_false(is_good_by("parts.pem", i));
}

/* Pages of the database that were looked at since this was asked last, by the one connection for reading that a
 * test with one thread makes. */
static int
pages(void)
{
	struct sq_conn *c;
	int hit, miss, most;

	assert_ok(sq_reader_get(&c, rig.s->store, err));
	(void)sqlite3_db_status(c->db, SQLITE_DBSTATUS_CACHE_HIT, &hit, &most, 1);
	(void)sqlite3_db_status(c->db, SQLITE_DBSTATUS_CACHE_MISS, &miss, &most, 1);
	sq_reader_put(rig.s->store, c);
	return hit + miss;
}

/* By each of 256 lists for itself, as it once was, this took a look at the database of several pages each. */
static void
a_change_is_looked_for_once_for_all_partitions(void **state)
{
	const struct serial *serial = cert_serial0(devices[0].cert);
	struct crl_lists *c = sca->crl;
	unsigned part = serial->v[serial->len - 1];

	round_later(-1);
	assert_int_equal(c->n_parts, 256);
	turn(0, CAUSE_REVOKE, 1);
	(void)pages();
	round_later(1);
	assert_in_range(pages(), 1, 200);
	assert_true(lists(&c->parts[part], 0));
	for (unsigned i = 0; i < c->n_parts; i++)
		assert_int_equal(c->parts[i].status, c->v[0].status);
}

static void
a_change_signs_one_partition_anew(void **state)
{
	const struct serial *serial = cert_serial0(devices[0].cert);
	unsigned part = serial->v[serial->len - 1] & 3;
	uint64_t before[4];

	round_later(-1);
	for (unsigned k = 0; k < 4; k++)
		before[k] = sca->crl->parts[k].out.number;
	turn(0, CAUSE_REVOKE, 1);
	round_later(1);
	for (unsigned k = 0; k < 4; k++)
		assert_int_equal(sca->crl->parts[k].out.number != before[k], k == part);
}

/* ---- addresses and caches ---- */

static void
paths_name_lists(void **state)
{
	static const struct {
		const char *path, *list;
	} rows[] = {
		{ "/crl/issuing.crl", "full" },
		{ "/CRL/Issuing.CRL", "full" },
		{ "/crl/issuing/0-of-1.crl", "full" },
		{ "/crl/issuing/3-of-4.crl", "3-of-4" },
		{ "/crl/issuing/15-of-16.crl", "full" }, /* another number of parts, once */
		{ "/crl/issuing/255-of-256.crl", "full" },
		{ "/crl/issuing/4-of-4.crl", NULL },
		{ "/crl/issuing/0-of-3.crl", NULL },
		{ "/crl/issuing/0-of-0.crl", NULL },
		{ "/crl/issuing/0-of-512.crl", NULL },
		{ "/crl/issuing/-1-of-4.crl", NULL },
		{ "/crl/issuing/+1-of-4.crl", NULL },
		{ "/crl/issuing/01-of-4.crl", NULL },
		{ "/crl/issuing/1-of-4x.crl", NULL },
		{ "/crl/issuing/ 1-of-4.crl", NULL },
		{ "/crl/issuing/99999999999999999-of-4.crl", NULL },
		{ "/crl/issuing/delta.crl", NULL }, /* there are none here */
		{ "/crl/issuing/.crl", NULL },
		{ "/crl/issuing/full.crl", NULL },
		{ "/crl/issuing/a/3-of-4.crl", NULL },
		{ "/crl/.crl", NULL },
		{ "/crl/", NULL },
		{ "/crl/issuing", NULL },
		{ "/crl/nobody.crl", NULL },
		{ "/crl/a/b/issuing.crl", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct server_ca *of = NULL;
		struct published *l = publish_list_of(rig.s, rows[i].path, &of);

		if ((l == NULL) != (rows[i].list == NULL) ||
		    (l != NULL && strcmp(l->name, rows[i].list) != 0))
			die("%s: %s", rows[i].path, l != NULL ? l->name : "nothing");
	}
}

struct got {
	int status;
	size_t len;
	char headers[4096];
};

static struct got
get(const char *method, const char *header, const char *value)
{
	const struct http_header one = { header, value };
	struct http_request req = { .method = method,
		.path = "/crl/issuing.crl",
		.headers = &one,
		.n_headers = header != NULL };
	struct http_reply reply = { .status = 200 };
	struct got g = { .status = 0 };

	buf_init(&reply.body, HTTP_REPLY_MAX);
	buf_init(&reply.headers, 4096);
	publish_crl(rig.s, req.path, &req, &reply);
	g.status = reply.status;
	if (reply.shared != NULL)
		(void)http_shared_bytes(reply.shared, &g.len);
	(void)snprintf(g.headers, sizeof(g.headers), "%s", buf_str(&reply.headers));
	http_shared_free(reply.shared);
	buf_done(&reply.body);
	buf_done(&reply.headers);
	return g;
}

static char *
header_of(const struct got *g, const char *name)
{
	const char *at = strstr(g->headers, name);
	static char value[200];

	assert_non_null(at);
	(void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + strlen(name) + 2, "\r\n"),
	    at + strlen(name) + 2);
	return value;
}

static void
caches_are_told_what_they_need(void **state)
{
	struct got first, g;
	char etag[200], date[200], several[300];

	later(-1);
	first = get("GET", NULL, NULL);
	assert_int_equal(first.status, 200);
	assert_true(first.len > 300);
	assert_string_equal(
	    header_of(&first, "Cache-Control"), "public, max-age=60, must-revalidate");
	assert_non_null(header_of(&first, "Expires"));
	(void)strcpy(etag, header_of(&first, "ETag"));
	(void)strcpy(date, header_of(&first, "Last-Modified"));
	(void)snprintf(several, sizeof(several), "W/\"other\", %s", etag);
	assert_int_equal(get("HEAD", NULL, NULL).status, 200);
	assert_int_equal(get("GET", "If-None-Match", etag).status, 304);
	assert_int_equal(get("GET", "If-None-Match", several).status, 304);
	assert_int_equal(get("GET", "If-None-Match", "*").status, 304);
	assert_int_equal(get("GET", "If-None-Match", "\"other\"").status, 200);
	assert_int_equal(get("GET", "If-Modified-Since", date).status, 304);
	assert_int_equal(
	    get("GET", "If-Modified-Since", "Sat, 01 Jan 2000 00:00:00 GMT").status, 200);
	assert_int_equal(get("POST", NULL, NULL).status, 405);
	turn(0, CAUSE_REVOKE, 1);
	later(1);
	g = get("GET", "If-None-Match", etag);
	assert_int_equal(g.status, 200);
	assert_string_not_equal(header_of(&g, "ETag"), etag);
}

/* ---- files ---- */

static void
files_are_what_is_served(void **state)
{
	static const char *const names[] = { "lists/issuing.crl", "lists/issuing/delta.crl",
		"lists/issuing.crt" };
	struct buf b;

	round_later(-1);
	round_later(1);
	for (size_t i = 0; i < 3; i++) {
		const uint8_t *p;
		size_t len;

		buf_init(&b, 65536);
		assert_ok(file_read(&b, in_dir(rig.f, names[i]), 65536, err));
		p = i == 2 ? cert_der0(ca_cert0(sca->ca), &len)
			   : http_shared_bytes(sca->crl->v[i].out.der, &len);
		assert_int_equal(len, b.len);
		assert_memory_equal(p, b.data, len);
		buf_done(&b);
	}
}

static void
the_certificate_is_written_once_its_folder_lets(void **state)
{
	struct stat st;

	(void)unlink(in_dir(rig.f, "lists/issuing.crt"));
	/* Its name before it is whole is that of a folder. */
	assert_int_equal(mkdir(in_dir(rig.f, "lists/issuing.crt.new"), 0755), 0);
	round_later(-1);
	assert_int_not_equal(stat(in_dir(rig.f, "lists/issuing.crt"), &st), 0);
	assert_int_equal(rmdir(in_dir(rig.f, "lists/issuing.crt.new")), 0);
	sca->crl->cert_file_ms = 0; /* half a minute later */
	round_later(1);
	assert_int_equal(stat(in_dir(rig.f, "lists/issuing.crt"), &st), 0);
}

static void
metrics_tell_of_each_list(void **state)
{
	static const char *const words[] = { "scepd_crl_number{ca=\"issuing\",list=\"full\"} ",
		"scepd_crl_entries{ca=\"issuing\",list=\"delta\"} 0",
		"scepd_crl_failures_total{ca=\"other\",list=\"full\"} 0" };
	struct buf b;

	round_later(-1);
	round_later(1);
	buf_init(&b, 65536);
	publish_metrics(rig.s, &b);
	for (size_t i = 0; i < 3; i++)
		if (strstr(buf_str(&b), words[i]) == NULL)
			die("%s is not in\n%s", words[i], buf_str(&b));
	buf_done(&b);
}

int
main(void)
{
#define PLAIN(t) cmocka_unit_test_setup_teardown(t, open_plain, close_rig)
#define DELTA(t) cmocka_unit_test_setup_teardown(t, open_delta, close_rig)
#define PARTS(t) cmocka_unit_test_setup_teardown(t, open_parts, close_rig)
#define FILES(t) cmocka_unit_test_setup_teardown(t, open_dir, close_rig)
	const struct CMUnitTest tests[] = {
		PLAIN(a_list_is_signed_when_something_changes_and_not_before),
		PLAIN(a_change_of_another_ca_is_none),
		PLAIN(a_list_is_signed_again_halfway_to_its_end),
		PLAIN(the_expired_stay_until_a_regular_list_has_had_them),
		PLAIN(numbers_go_up_after_a_restart),
		PLAIN(a_list_that_cannot_be_made_leaves_the_last_good_one),
		DELTA(a_delta_holds_what_changed_since_its_base),
		DELTA(a_delta_s_base_is_the_oldest_list_that_still_holds),
		DELTA(a_delta_never_holds_more_changes_than_it_is_good_for),
		DELTA(a_delta_goes_on_when_others_have_changed_much),
		PARTS(each_certificate_is_in_the_one_list_that_it_names),
		PARTS(a_change_signs_one_partition_anew),
		cmocka_unit_test_setup_teardown(
		    a_change_is_looked_for_once_for_all_partitions, open_many_parts, close_rig),
		PARTS(paths_name_lists),
		PLAIN(caches_are_told_what_they_need),
		FILES(files_are_what_is_served),
		FILES(the_certificate_is_written_once_its_folder_lets),
		FILES(metrics_tell_of_each_list),
	};

	return cmocka_run_group_tests(tests, rig_cas_new, rig_cas_free);
}
