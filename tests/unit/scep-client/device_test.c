/* device_test.c - the door through which a check-in comes. */
#include "../ossl/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scep-client/device.h"

#define PROFILE                                                                                    \
	"{\"profile\":\"Wi-Fi\",\"profileId\":\"p1\",\"urls\":[\"http://127.0.0.1/a\",\"http://"   \
	"127.0.0.1/b\"],\"challenge\":\"Y2hhbGxlbmdl\",\"subject\":\"CN=x,O=y\","                  \
	"\"san\":[{\"type\":\"upn\",\"value\":\"jane@contoso.com\"},{\"type\":\"dns\","            \
	"\"value\":\"x.contoso.com\"}],\"keyUsage\":[\"digitalSignature\",\"keyEncipherment\"],"   \
	"\"eku\":[\"1.3.6.1.5.5.7.3.2\"],\"keySize\":2048,\"hash\":\"sha512\",\"validity\":"       \
	"{\"period\":\"Years\",\"units\":\"1\"},\"caThumbprint\":\"AB\"}"
#define DEVICE(platform)                                                                           \
	"{\"device\":{\"id\":\"d1\",\"name\":\"LAPTOP-01\",\"platform\":\"" platform               \
	"\",\"user\":\"jane@contoso.com\"}"
#define CHECK_IN DEVICE("windows") ",\"scep\":[" PROFILE "]}"

static enum rc
parse(struct managed_device **out, const void *p, size_t len, struct err *err)
{
	struct managed_device *d = calloc(1, sizeof(*d));
	enum rc rc;

	assert_non_null(d);
	rc = device_parse(d, p, len, err);
	if (rc == RC_OK && out != NULL)
		*out = d;
	else
		device_free(d);
	return rc;
}

static enum rc
door(const void *p, size_t len)
{
	struct err err;

	return parse(NULL, p, len, &err);
}

static struct managed_device *
must_parse(const char *text)
{
	struct managed_device *d = NULL;
	struct err err;

	assert_ok(parse(&d, text, strlen(text), &err), err);
	return d;
}

static void
a_profile_becomes_a_request(void **state)
{
	struct managed_device *d = must_parse(CHECK_IN);
	const struct device_profile *p = &d->profiles[0];

	assert_string_equal(d->name, "LAPTOP-01");
	assert_string_equal(d->user, "jane@contoso.com");
	assert_string_equal(d->manner->name, "windows");
	assert_int_equal(d->n_profiles, 1);
	assert_string_equal(p->name, "Wi-Fi");
	assert_string_equal(p->id, "p1");
	assert_int_equal(p->n_urls, 2);
	assert_string_equal(p->urls[1], "http://127.0.0.1/b");
	assert_string_equal(p->build.challenge, "Y2hhbGxlbmdl");
	assert_ptr_equal(p->build.subject, &p->subject);
	assert_int_equal(p->build.san.n, 2);
	assert_int_equal(p->build.san.v[0].type, san_type_by_name("upn"));
	assert_string_equal(p->build.san.v[1].value, "x.contoso.com");
	assert_int_equal(p->build.key_usage, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	assert_int_equal(p->build.n_eku, 1);
	assert_string_equal(p->build.eku[0], "1.3.6.1.5.5.7.3.2");
	assert_int_equal(p->key_bits, 2048);
	assert_int_equal(p->build.digest, DIGEST_SHA512);
	assert_string_equal(p->build.validity_period, "Years");
	assert_string_equal(p->build.validity_units, "1");
	assert_string_equal(p->ca_thumbprint, "AB");
	device_free(d);
}

/* RFC 8894 knows no validity; Windows and Android put the profile's into the CSR, Apple does not.
 */
static void
apple_devices_never_send_a_validity(void **state)
{
	struct managed_device *d = must_parse(DEVICE("ios") ",\"scep\":[" PROFILE "]}");

	assert_null(d->profiles[0].build.validity_period);
	assert_null(d->profiles[0].build.validity_units);
	device_free(d);
}

static void
what_may_be_absent_has_a_default(void **state)
{
	struct managed_device *d = must_parse(
	    DEVICE("toaster") ",\"scep\":[{\"profile\":\"a\",\"profileId\":\"b\",\"urls\":[\"u\"],"
			      "\"challenge\":\"c\",\"subject\":\"CN=s\"}]}");
	const struct device_profile *p = &d->profiles[0];

	assert_ptr_equal(d->manner, manner_plain());
	assert_int_equal(p->key_bits, 2048);
	assert_int_equal(p->build.digest, DIGEST_SHA256);
	assert_int_equal(p->build.san.n, 0);
	assert_int_equal(p->build.key_usage, 0);
	assert_string_equal(p->ca_thumbprint, "");
	device_free(d);
	d = must_parse(DEVICE("macos") "}");
	assert_int_equal(d->n_profiles, 0);
	device_free(d);
}

#define WITH(members)                                                                              \
	DEVICE("windows")                                                                          \
	",\"scep\":[{\"profile\":\"a\",\"profileId\":\"b\",\"urls\":[\"u\"],"                      \
	"\"challenge\":\"c\",\"subject\":\"CN=s\"," members "}]}"
#define WITHOUT(members) DEVICE("windows") ",\"scep\":[{" members "}]}"

static void
wrong_check_ins_are_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"{}",
		"[]",
		"null",
		"{\"device\":{}}",
		"{\"device\":{\"name\":\"x\"}}",
		"{\"device\":{\"name\":7,\"platform\":\"ios\"}}",
		WITHOUT("\"profile\":\"a\""),
		WITHOUT("\"profile\":\"a\",\"profileId\":\"b\",\"challenge\":\"c\",\"subject\":"
			"\"CN=s\""),
		WITHOUT("\"profile\":\"a\",\"profileId\":\"b\",\"urls\":[],\"challenge\":\"c\","
			"\"subject\":\"CN=s\""),
		WITHOUT("\"profile\":\"a\",\"profileId\":\"b\",\"urls\":[1],\"challenge\":\"c\","
			"\"subject\":\"CN=s\""),
		WITHOUT("\"profile\":\"a\",\"profileId\":\"b\",\"urls\":[\"u\"],\"challenge\":"
			"null,\"subject\":\"CN=s\""),
		WITHOUT("\"profile\":\"a\",\"profileId\":\"b\",\"urls\":[\"u\"],\"challenge\":"
			"\"c\",\"subject\":\"no name\""),
		WITH("\"san\":[{\"type\":\"smell\",\"value\":\"x\"}]"),
		WITH("\"san\":[{\"type\":\"dns\"}]"),
		WITH("\"san\":[7]"),
		WITH("\"keyUsage\":[\"everything\"]"),
		WITH("\"keyUsage\":[7]"),
		WITH("\"eku\":[7]"),
		WITH("\"keySize\":512"),
		WITH("\"keySize\":65536"),
		WITH("\"keySize\":-2048"),
		WITH("\"keySize\":\"big\""),
	};

	for (size_t i = 0; i < N(rows); i++)
		if (door(rows[i], strlen(rows[i])) == RC_OK)
			fail_msg("taken: %s", rows[i]);
}

/* `n` times `item` between `head` and `tail`. */
static enum rc
door_many(const char *head, const char *item, size_t n, const char *tail)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, 1 << 20);
	buf_adds(&b, head);
	for (size_t i = 0; i < n; i++) {
		buf_adds(&b, i > 0 ? "," : "");
		buf_adds(&b, item);
	}
	buf_adds(&b, tail);
	rc = door(b.data, b.len);
	buf_done(&b);
	return rc;
}

static void
counts_are_bounded(void **state)
{
	const char *scep = DEVICE("windows") ",\"scep\":[";
	const char *urls = DEVICE("windows") ",\"scep\":[{\"profile\":\"a\",\"profileId\":\"b\","
					     "\"challenge\":\"c\",\"subject\":\"CN=s\",\"urls\":[";
	const char *eku = DEVICE("windows") ",\"scep\":[{\"profile\":\"a\",\"profileId\":\"b\","
					    "\"challenge\":\"c\",\"subject\":\"CN=s\",\"urls\":["
					    "\"u\"],\"eku\":[";

	assert_int_equal(door_many(scep, PROFILE, 64, "]}"), RC_OK);
	assert_int_not_equal(door_many(scep, PROFILE, 65, "]}"), RC_OK);
	assert_int_equal(door_many(urls, "\"u\"", DEVICE_URLS_MAX, "]}]}"), RC_OK);
	assert_int_not_equal(door_many(urls, "\"u\"", DEVICE_URLS_MAX + 1, "]}]}"), RC_OK);
	assert_int_equal(door_many(eku, "\"1.2.3\"", DEVICE_EKU_MAX, "]}]}"), RC_OK);
	assert_int_not_equal(door_many(eku, "\"1.2.3\"", DEVICE_EKU_MAX + 1, "]}]}"), RC_OK);
}

static void
no_prefix_is_taken_and_no_bit_flip_is_fatal(void **state)
{
	sweep_prefixes(door, CHECK_IN, strlen(CHECK_IN), 1);
	/* Letters in strings may turn into other letters. */
	assert_true(sweep_flips(door, CHECK_IN, strlen(CHECK_IN), 1) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_profile_becomes_a_request),
		cmocka_unit_test(apple_devices_never_send_a_validity),
		cmocka_unit_test(what_may_be_absent_has_a_default),
		cmocka_unit_test(wrong_check_ins_are_refused),
		cmocka_unit_test(counts_are_bounded),
		cmocka_unit_test(no_prefix_is_taken_and_no_bit_flip_is_fatal),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_done);
}
