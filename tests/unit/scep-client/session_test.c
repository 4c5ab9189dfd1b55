/* session_test.c - what a server says of itself, and servers that are none. */
#include "responder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scep-client/session.h"

static struct responder server;

static int
set_up(void **state)
{
	responder_start(&server);
	return 0;
}

static int
tear_down(void **state)
{
	responder_stop(&server);
	return fixture_done(state);
}

static int
before_each(void **state)
{
	responder_reset(&server);
	return 0;
}

static enum rc
open_url(struct session **s, const char *url, struct err *err)
{
	struct session_conf conf = { .url = url, .timeout_ms = 60000 };

	*s = NULL;
	return session_open(s, &conf, err);
}

static struct session *
open_one(void)
{
	struct session *s;
	struct err err;

	assert_ok(open_url(&s, server.url, &err), err);
	return s;
}

static void
expect_no_server(enum listing listing, enum rc want, const char *word)
{
	struct session *s;
	struct err err;

	server.listing = listing;
	assert_int_equal(open_url(&s, server.url, &err), want);
	assert_null(s);
	if (strstr(err.msg, word) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.msg, word);
}

/* Devices keep what they fetched once. */
static void
certificates_from_a_file_take_getcacerts_place(void **state)
{
	char path[] = "/tmp/scepd-session-test.XXXXXX";
	struct session_conf conf = { .url = server.url, .timeout_ms = 60000, .server_certs = path };
	int fd = mkstemp(path);
	struct session *s;
	struct err err;
	struct buf pem;

	assert_true(fd >= 0);
	buf_init(&pem, 65536);
	cert_pem(&pem, server.ra_cert);
	cert_pem(&pem, server.ca_cert);
	assert_int_equal(write(fd, pem.data, pem.len), pem.len);
	close(fd);
	buf_done(&pem);
	assert_ok(session_open(&s, &conf, &err), err);
	assert_int_equal(server.getcacert.count, 0);
	assert_int_equal(server.getcaps.count, 1);
	assert_int_equal(s->n_ca, 2);
	assert_int_equal(s->recipient, 0);
	session_free(s);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_not_equal(session_open(&s, &conf, &err), RC_OK);
	assert_non_null(strstr(err.msg, path));
	assert_int_equal(unlink(path), 0);
}

static void
a_server_without_a_next_ca_says_so(void **state)
{
	struct session *s = open_one();
	struct cert *certs[SESSION_CERTS_MAX];
	struct err err;
	size_t n;

	assert_int_equal(session_next_ca(s, certs, &n, &err), RC_NOTFOUND);
	assert_non_null(strstr(err.msg, "no next one"));
	session_free(s);
}

static void
an_ra_is_the_recipient_before_its_ca(void **state)
{
	struct session *s = open_one();

	assert_int_equal(s->n_ca, 2);
	assert_int_equal(s->recipient, 0);
	assert_string_equal(session_role_of(s->ca, s->n_ca, 0), "RA");
	assert_string_equal(session_role_of(s->ca, s->n_ca, 1), "root CA");
	session_free(s);
	server.listing = LIST_CA_ALONE;
	s = open_one();
	assert_int_equal(s->n_ca, 1);
	assert_int_equal(s->recipient, 0);
	session_free(s);
}

static void
no_capabilities_are_no_error(void **state)
{
	struct session *s;

	server.caps = NULL;
	s = open_one();
	assert_false(s->caps_known);
	assert_int_equal(s->caps, 0);
	session_free(s);
	server.caps = "";
	s = open_one();
	assert_true(s->caps_known);
	assert_int_equal(s->caps, 0);
	session_free(s);
}

static void
a_server_without_usable_certificates_is_refused(void **state)
{
	expect_no_server(LIST_HTML, RC_PARSE, "sent no certificates");
	expect_no_server(LIST_404, RC_IO, "HTTP 404");
	expect_no_server(LIST_EC_CA_ALONE, RC_ALG, "encrypted request");
	expect_no_server(LIST_TOO_MANY, RC_PARSE, "certificates");
}

/* What a platform says nothing about, before a device is sent to find out. */
static void
a_platform_that_would_stop_says_why(void **state)
{
	static const struct {
		const char *manner, *caps, *word;
		bool renewing;
	} rows[] = {
		{ "apple", "SCEPStandard\nPOSTPKIOperation\n", "no SHA-1, SHA-256 or SHA-512",
		    false },
		{ "apple", "SHA-256\nPOSTPKIOperation\n", "no AES or DES3", false },
		{ "apple", "AES\nSHA-256\n", "do not name Renewal", true },
		{ "strongswan", "SCEPStandard\n", "do not name SHA-256", false },
		{ "strongswan", "SHA-256\nDES3\n", "do not name AES", false },
		{ "strongswan", "SHA-256\nAES\n", "do not name Renewal", true },
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct session_conf conf = { .url = server.url,
			.manner = manner_by_name(rows[i].manner),
			.renewing = rows[i].renewing };
		struct session *s = NULL;
		struct err err;

		server.caps = rows[i].caps;
		assert_int_equal(session_open(&s, &conf, &err), RC_ALG);
		assert_null(s);
		if (strstr(err.msg, rows[i].word) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", err.msg, rows[i].word);
	}
}

static void
nobody_there_is_told(void **state)
{
	struct session *s;
	struct err err;

	/* Port 1 (tcpmux): nobody listens there. */
	assert_int_equal(open_url(&s, "http://127.0.0.1:1/scep", &err), RC_IO);
	assert_null(s);
}

static void
fingerprints_are_found_as_people_paste_them(void **state)
{
	struct session *s = open_one();
	struct session_conf conf = { .url = server.url };
	struct session *pinned = NULL;
	char sha1[41], sha256[65], colons[64] = "", lower[65];
	struct err err;

	assert_ok(cert_thumbprint_sha1(sha1, server.ca_cert, &err), err);
	assert_ok(cert_thumbprint_sha256(sha256, server.ca_cert, &err), err);
	for (size_t i = 0; i < 40; i += 2)
		(void)snprintf(colons + i / 2 * 3, 4, "%.2s:", sha1 + i);
	for (size_t i = 0; i < sizeof(lower); i++)
		lower[i] = (char)(sha256[i] >= 'A' ? sha256[i] | 0x20 : sha256[i]);
	assert_ptr_equal(session_find_fingerprint(s, sha1), s->ca[1]);
	assert_ptr_equal(session_find_fingerprint(s, colons), s->ca[1]);
	assert_ptr_equal(session_find_fingerprint(s, lower), s->ca[1]);
	sha1[39] = sha1[39] == '0' ? '1' : '0';
	assert_null(session_find_fingerprint(s, sha1));
	assert_null(session_find_fingerprint(s, ""));
	conf.fingerprint = colons;
	assert_ok(session_open(&pinned, &conf, &err), err);
	session_free(pinned);
	conf.fingerprint = sha1;
	assert_int_equal(session_open(&pinned, &conf, &err), RC_INTEGRITY);
	sha256[63] = '\0'; /* one digit short */
	assert_null(session_find_fingerprint(s, sha256));
	session_free(s);
}

#define T(f) cmocka_unit_test_setup(f, before_each)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(certificates_from_a_file_take_getcacerts_place),
		T(a_server_without_a_next_ca_says_so),
		T(an_ra_is_the_recipient_before_its_ca),
		T(no_capabilities_are_no_error),
		T(a_server_without_usable_certificates_is_refused),
		T(a_platform_that_would_stop_says_why),
		T(nobody_there_is_told),
		T(fingerprints_are_found_as_people_paste_them),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
