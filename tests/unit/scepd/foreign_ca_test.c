/*
 * foreign_ca_test.c - what comes into the place of a foreign responder's certificate is offered to the signer, and what the
 * signer has refused once is not offered again before the file changes.
 */
#include "ocsp_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "scepd/foreign_ca.h"

#define DAY 86400

/* The rig, of whose foreign CAs OLD has its responder's certificate in a folder, where the log goes, too. */
struct place {
	struct rig *r;
	struct dir dir;
	char file[96], log[96];
	FILE *f;
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	void *r;

	assert_non_null(p);
	assert_int_equal(rig_setup(&r), 0);
	p->r = r;
	dir_make_temp(&p->dir);
	(void)snprintf(p->file, sizeof(p->file), "%s/old.pem", p->dir.path);
	(void)snprintf(p->log, sizeof(p->log), "%s/log", p->dir.path);
	p->f = fopen(p->log, "we");
	assert_non_null(p->f);
	log_setup(LOG_INFO, LOG_TEXT, fileno(p->f));
	p->r->foreign_conf[OLD].ocsp_certificate = p->file;
	p->r->foreign_conf[EASY].ocsp_certificate = NULL;
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;
	void *r = p->r;

	log_setup(LOG_INFO, LOG_TEXT, STDERR_FILENO);
	(void)fclose(p->f);
	dir_done(&p->dir);
	free(p);
	return rig_teardown(&r);
}

/* A responder's certificate with this serial number comes into the file. */
static void
put(struct place *p, const char *number, int64_t end)
{
	const struct cert *ca = p->r->foreign[OLD].cert;
	struct serial serial = fixture_serial(number);
	struct name n = fixture_name("CN=Responder");
	struct cert_fields f = { .serial = &serial,
		.issuer = cert_subject0(ca),
		.subject = &n,
		.not_before = clock_now() - 2 * DAY,
		.not_after = clock_now() + end,
		.subject_key = fixture_key("ec:p256"),
		.issuer_key = fixture_key("ec:p384"),
		.digest = DIGEST_SHA256,
		.path_len = -1 };
	struct err err = { 0 };
	struct cert *c;
	struct buf pem;

	assert_ok(cert_make(&c, &f, fixture_key("ec:p384"), &err), err);
	buf_init(&pem, 8192);
	cert_pem(&pem, c);
	assert_ok(file_write(p->file, pem.data, pem.len, 0644, 1, &err), err);
	buf_done(&pem);
	cert_free(c);
	name_done(&n);
}

static unsigned
lines(struct place *p, const char *text)
{
	struct buf log;
	unsigned n = 0;

	buf_init(&log, 1 << 20);
	dir_get(&p->dir, "log", &log);
	for (const char *at = buf_str(&log); (at = strstr(at, text)) != NULL; at++)
		n++;
	buf_done(&log);
	return n;
}

/* So many minutes pass; how often the signer was asked to take something in them. */
static unsigned
offered_in(struct place *p, unsigned minutes)
{
	unsigned before = fake.offered;

	while (minutes-- > 0)
		foreign_cas_refresh(&p->r->s);
	return fake.offered - before;
}

static void
what_is_new_is_offered_and_taken(void **state)
{
	struct place *p = *state;

	assert_int_equal(offered_in(p, 2), 0); /* there is none yet, which is no trouble */
	put(p, "0A01", DAY);
	assert_int_equal(offered_in(p, 1), 1);
	assert_int_equal(lines(p, "has a new certificate of the responder: in use"), 1);
}

static void
what_was_refused_is_offered_and_told_of_once(void **state)
{
	struct place *p = *state;

	fake.takes = RC_DENIED;
	put(p, "0A01", DAY);
	assert_int_equal(offered_in(p, 10), 1);
	assert_int_equal(lines(p, "it does not fit"), 1);
	put(p, "0A01", 2 * DAY); /* another one, whatever its number */
	assert_int_equal(offered_in(p, 10), 1);
	assert_int_equal(lines(p, "it does not fit"), 2);
	fake.takes = RC_OK;
	assert_int_equal(offered_in(p, 1), 0);
	put(p, "0A02", DAY);
	assert_int_equal(offered_in(p, 1), 1);
	assert_int_equal(lines(p, "in use"), 1);
}

/* Somebody has tried something else meanwhile. */
static void
what_was_refused_and_is_put_back_is_offered_again(void **state)
{
	struct place *p = *state;
	struct err err = { 0 };

	fake.takes = RC_DENIED;
	put(p, "0A01", DAY);
	assert_int_equal(offered_in(p, 2), 1);
	assert_int_equal(rename(p->file, p->log), 0);
	assert_ok(file_write(p->file, "nothing", 7, 0644, 1, &err), err);
	assert_int_equal(offered_in(p, 2), 0);
	assert_int_equal(rename(p->log, p->file), 0);
	assert_int_equal(offered_in(p, 2), 1);
}

static void
a_signer_that_cannot_be_asked_is_asked_again(void **state)
{
	struct place *p = *state;

	fake.takes = RC_TIMEOUT;
	put(p, "0A01", DAY);
	assert_int_equal(offered_in(p, 3), 3);
	fake.takes = RC_OK;
	assert_int_equal(offered_in(p, 1), 1);
}

static void
one_that_has_ended_is_not_offered(void **state)
{
	struct place *p = *state;

	put(p, "0A01", -DAY);
	assert_int_equal(offered_in(p, 2), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(what_is_new_is_offered_and_taken),
		T(what_was_refused_is_offered_and_told_of_once),
		T(what_was_refused_and_is_put_back_is_offered_again),
		T(a_signer_that_cannot_be_asked_is_asked_again),
		T(one_that_has_ended_is_not_offered),
	};

	return cmocka_run_group_tests(tests, NULL, rig_done);
}
