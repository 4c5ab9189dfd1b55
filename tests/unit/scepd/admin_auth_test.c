/* admin_auth_test.c - nobody administers who has no token, and a tokens file means one thing (S20). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#undef fail

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ossl/alg.h"
#include "scepd/admin_auth.h"

#define HASH64 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

/* ---- the file ---- */

static void
lines_are_taken_or_named(void **state)
{
	static const struct {
		const char *text, *why; /* NULL: taken */
		size_t n;
		unsigned may; /* of the last */
	} rows[] = {
		{ "", NULL, 0, 0 },
		{ "\n\n# a comment\n  \t\n", NULL, 0, 0 },
		{ "jane sha256:" HASH64, NULL, 1, ADMIN_MAY_ALL },
		{ "jane sha256:" HASH64 "\r\n", NULL, 1, ADMIN_MAY_ALL },
		{ "  jane \t sha256:" HASH64 "  otp \n", NULL, 1, ADMIN_MAY_OTP },
		{ "a sha256:" HASH64 " requests\nb sha256:" HASH64 " otp,requests\n", NULL, 2,
		    ADMIN_MAY_OTP | ADMIN_MAY_REQUESTS },
		{ "radius sha256:" HASH64 " verdict", NULL, 1, ADMIN_MAY_VERDICT },
		{ "a sha256:" HASH64 " status,sweeps", NULL, 1,
		    ADMIN_MAY_STATUS | ADMIN_MAY_SWEEPS },
		{ "a sha256:" HASH64 " otp,requests,verdict,status,sweeps", NULL, 1,
		    ADMIN_MAY_ALL },
		{ "jane@x.y_z-1 sha256:" HASH64, NULL, 1, ADMIN_MAY_ALL },
		{ "jane", "line 1: not of the form", 0, 0 },
		{ "\njane sha256:" HASH64 " otp more", "line 2: not of the form", 0, 0 },
		{ "jane sha1:" HASH64, "line 1: not sha256:", 0, 0 },
		{ "jane sha256:" HASH64 "00", "line 1: not sha256:", 0, 0 },
		{ "jane sha256:abc", "line 1: not sha256:", 0, 0 },
		{ "jane sha256:g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		    "line 1: not sha256:", 0, 0 },
		{ "ja:ne sha256:" HASH64, "line 1: a name is", 0, 0 },
		{ "jane sha256:" HASH64 " all", "line 1: \"all\" is not", 0, 0 },
		{ "jane sha256:" HASH64 " otp,", "line 1: \"\" is not", 0, 0 },
		{ "jane sha256:" HASH64 "\njane sha256:" HASH64, "line 2: jane is there twice", 0,
		    0 },
	};
	static struct admin_tokens t;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = { 0 };
		enum rc rc = admin_tokens_parse(&t, rows[i].text, strlen(rows[i].text), &err);

		if (rows[i].why == NULL ? rc != RC_OK
					: rc != RC_CONFIG || strstr(err.msg, rows[i].why) == NULL) {
			print_error("%zu: %s \"%s\"\n", i, rc_name(rc), err.msg);
			_fail(__FILE__, __LINE__);
		}
		if (rc != RC_OK)
			continue;
		assert_int_equal(t.n, rows[i].n);
		if (t.n > 0)
			assert_int_equal(t.v[t.n - 1].may, rows[i].may);
	}
}

static void
what_a_token_may_is_written_as_it_is_read(void **state)
{
	for (unsigned may = 1; may <= ADMIN_MAY_ALL; may++) {
		char text[ADMIN_MAY_TEXT_MAX];
		unsigned again = 0;
		struct err err = { 0 };

		admin_may_text(text, may);
		assert_int_equal(admin_may_parse(&again, text, &err), RC_OK);
		assert_int_equal(again, may);
	}
}

/* Nothing is read behind the end, and no bit makes a token of somebody else's. */
static void
prefixes_and_flipped_bits_are_survived(void **state)
{
	static const char text[] =
	    "# who\njane sha256:" HASH64 " otp\nmdm sha256:" HASH64 " requests\n";
	static struct admin_tokens t;
	size_t len = strlen(text);

	for (size_t n = 0; n <= len; n++) {
		char *copy = malloc(n > 0 ? n : 1);
		struct err err;

		assert_non_null(copy);
		memcpy(copy, text, n);
		if (admin_tokens_parse(&t, copy, n, &err) == RC_OK)
			assert_true(t.n <= 2);
		for (size_t bit = 0; bit < 8 * n; bit++) {
			copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
			if (admin_tokens_parse(&t, copy, n, &err) == RC_OK)
				for (size_t i = 0; i < t.n; i++)
					assert_true(admin_name_ok(t.v[i].name) &&
					    (t.v[i].may & ~(unsigned)ADMIN_MAY_ALL) == 0 &&
					    t.v[i].may != 0);
			copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
		}
		free(copy);
	}
}

static void
more_tokens_than_there_may_be_are_refused(void **state)
{
	static struct admin_tokens t;
	struct err err = { 0 };
	struct buf b;

	buf_init(&b, 1u << 20);
	for (int i = 0; i < ADMIN_TOKENS_MAX; i++)
		buf_addf(&b, "t%d sha256:" HASH64 "\n", i);
	assert_int_equal(admin_tokens_parse(&t, b.data, b.len, &err), RC_OK);
	assert_int_equal(t.n, ADMIN_TOKENS_MAX);
	buf_adds(&b, "one-more sha256:" HASH64 "\n");
	assert_int_equal(admin_tokens_parse(&t, b.data, b.len, &err), RC_CONFIG);
	buf_done(&b);
}

/* ---- who ---- */

#define TOKEN "wZ1c4Qx6m3y0b8dVtq5JpLr7sHkUe2Ag9nXoFiBhTzE"

struct rig {
	char dir[64], path[96];
	struct admin_auth *auth;
};

static void
put_tokens(const struct rig *r, const char *may)
{
	uint8_t sha256[32];
	char hex[65], line[200];
	struct err err = { 0 };

	assert_int_equal(digest_bytes(sha256, DIGEST_SHA256, TOKEN, strlen(TOKEN), &err), RC_OK);
	hex_lower(hex, sha256, sizeof(sha256));
	(void)snprintf(
	    line, sizeof(line), "other sha256:" HASH64 "\njane sha256:%s %s\n", hex, may);
	assert_int_equal(file_write(r->path, line, strlen(line), 0600, 1, &err), RC_OK);
}

static int
rig_new(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct err err = { 0 };

	assert_non_null(r);
	strcpy(r->dir, "/tmp/scepd-admin-test.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	(void)snprintf(r->path, sizeof(r->path), "%s/tokens", r->dir);
	put_tokens(r, "otp");
	assert_int_equal(admin_auth_open(&r->auth, r->path, &err), RC_OK);
	*state = r;
	return 0;
}

static int
rig_free(void **state)
{
	struct rig *r = *state;

	admin_auth_free(r->auth);
	(void)unlink(r->path);
	(void)rmdir(r->dir);
	free(r);
	return 0;
}

static enum admin_answer
ask(struct rig *r, const char *header, const char *peer, unsigned may, int64_t now)
{
	char who[ADMIN_NAME_MAX + 1];
	unsigned wait_s;
	enum admin_answer a = admin_auth_ask(r->auth, header, peer, may, now, who, &wait_s);

	if (a == ADMIN_YES || a == ADMIN_MAY_NOT)
		assert_string_equal(who, "jane");
	else
		assert_string_equal(who, "");
	if (a == ADMIN_TOO_OFTEN)
		assert_in_range(wait_s, 1, 60);
	return a;
}

static const char *
basic(const char *user, const char *token)
{
	static char header[400];
	char pair[200];
	struct buf b;

	(void)snprintf(pair, sizeof(pair), "%s:%s", user, token);
	buf_init(&b, sizeof(header));
	base64_add(&b, (const uint8_t *)pair, strlen(pair));
	(void)snprintf(header, sizeof(header), "Basic %s", buf_str(&b));
	buf_done(&b);
	return header;
}

static void
test_S20_only_a_token_lets_in_and_for_what_it_is(void **state)
{
	struct rig *r = *state;
	static const char *const wrong[] = { "", "Bearer", "Bearer ", "Bearer " TOKEN "x",
		"Bearer x" TOKEN, "Digest " TOKEN, TOKEN, "Basic", "Basic ", "Basic !",
		"Basic Og==", "Basic amFuZQ==", "Bearer sha256:" HASH64 };
	char peer[32];

	assert_int_equal(ask(r, NULL, "192.0.2.1", ADMIN_MAY_OTP, 0), ADMIN_WHO);
	assert_int_equal(ask(r, "Bearer " TOKEN, "192.0.2.1", ADMIN_MAY_OTP, 0), ADMIN_YES);
	assert_int_equal(ask(r, "bearer  " TOKEN, "192.0.2.1", ADMIN_MAY_OTP, 0), ADMIN_YES);
	assert_int_equal(
	    ask(r, "Bearer " TOKEN, "192.0.2.1", ADMIN_MAY_REQUESTS, 0), ADMIN_MAY_NOT);
	assert_int_equal(ask(r, "Bearer " TOKEN, "192.0.2.1", ADMIN_MAY_ALL, 0), ADMIN_MAY_NOT);
	assert_int_equal(ask(r, basic("jane", TOKEN), "192.0.2.1", ADMIN_MAY_OTP, 0), ADMIN_YES);
	assert_int_equal(ask(r, basic("other", TOKEN), "192.0.2.2", ADMIN_MAY_OTP, 0), ADMIN_WHO);
	assert_int_equal(ask(r, basic("", TOKEN), "192.0.2.2", ADMIN_MAY_OTP, 0), ADMIN_WHO);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)snprintf(peer, sizeof(peer), "198.51.100.%zu", i);
		assert_int_equal(ask(r, wrong[i], peer, ADMIN_MAY_OTP, 0), ADMIN_WHO);
	}
}

static void
wrong_tokens_of_an_address_are_counted_and_forgotten(void **state)
{
	struct rig *r = *state;
	int64_t t = 1000000;

	for (int i = 0; i < ADMIN_FAILURES_MAX; i++)
		assert_int_equal(ask(r, "Bearer wrong", "203.0.113.9", 1, t + i), ADMIN_WHO);
	assert_int_equal(ask(r, "Bearer wrong", "203.0.113.9", 1, t + 100), ADMIN_TOO_OFTEN);
	assert_int_equal(ask(r, "Bearer " TOKEN, "203.0.113.9", 1, t + 200), ADMIN_TOO_OFTEN);
	assert_int_equal(ask(r, "Bearer " TOKEN, "203.0.113.9", 1, t + 59999), ADMIN_TOO_OFTEN);
	assert_int_equal(ask(r, "Bearer " TOKEN, "203.0.113.9", 1, t + 60000), ADMIN_YES);
	assert_int_equal(ask(r, "Bearer wrong", "203.0.113.9", 1, t + 60001), ADMIN_WHO);
	assert_int_equal(ask(r, "Bearer " TOKEN, "203.0.113.9", 1, t + 60002), ADMIN_YES);
	/* Asking without any is what browsers do first. */
	for (int i = 0; i < 3 * ADMIN_FAILURES_MAX; i++)
		assert_int_equal(ask(r, NULL, "203.0.113.10", 1, t), ADMIN_WHO);
	assert_int_equal(ask(r, "Bearer " TOKEN, "203.0.113.10", 1, t), ADMIN_YES);
}

static void
a_changed_file_is_taken_up_and_a_broken_one_is_not(void **state)
{
	struct rig *r = *state;
	struct err err = { 0 };
	int64_t t = 9000000;

	put_tokens(r, "otp,requests,verdict,status,sweeps");
	admin_auth_reload(r->auth);
	assert_int_equal(ask(r, "Bearer " TOKEN, "192.0.2.1", ADMIN_MAY_ALL, t), ADMIN_YES);
	assert_int_equal(file_write(r->path, "nonsense\n", 9, 0600, 1, &err), RC_OK);
	admin_auth_reload(r->auth);
	assert_int_equal(ask(r, "Bearer " TOKEN, "192.0.2.1", ADMIN_MAY_ALL, t), ADMIN_YES);
	assert_int_equal(file_write(r->path, "", 0, 0600, 1, &err), RC_OK);
	admin_auth_reload(r->auth);
	assert_int_equal(ask(r, "Bearer " TOKEN, "192.0.2.1", ADMIN_MAY_OTP, t), ADMIN_WHO);
	put_tokens(r, "otp");
	admin_auth_reload(r->auth);
}

static void
a_missing_or_open_file_is_a_configuration_error(void **state)
{
	struct rig *r = *state;
	struct admin_auth *a = NULL;
	struct err err = { 0 };
	char other[128], want[192];

	(void)snprintf(other, sizeof(other), "%s/nowhere", r->dir);
	assert_int_equal(admin_auth_open(&a, other, &err), RC_NOTFOUND);
	assert_non_null(strstr(err.hint, "scepctl admin token"));
	(void)snprintf(want, sizeof(want), "admin.tokens_file: %s does not exist", other);
	assert_string_equal(err.msg, want);
	assert_int_equal(chmod(r->path, 0644), 0);
	assert_int_equal(admin_auth_open(&a, r->path, &err), RC_CONFIG);
	assert_null(a);
	assert_int_equal(chmod(r->path, 0600), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_taken_or_named),
		cmocka_unit_test(what_a_token_may_is_written_as_it_is_read),
		cmocka_unit_test(prefixes_and_flipped_bits_are_survived),
		cmocka_unit_test(more_tokens_than_there_may_be_are_refused),
		cmocka_unit_test(test_S20_only_a_token_lets_in_and_for_what_it_is),
		cmocka_unit_test(wrong_tokens_of_an_address_are_counted_and_forgotten),
		cmocka_unit_test(a_changed_file_is_taken_up_and_a_broken_one_is_not),
		cmocka_unit_test(a_missing_or_open_file_is_a_configuration_error),
	};

	return cmocka_run_group_tests_name("admin_auth", tests, rig_new, rig_free);
}
