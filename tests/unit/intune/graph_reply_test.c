/*
 * graph_reply_test.c - the doors for what Graph says: odd members are not told, odd objects are not
 * there, and no prefix and no flipped bit removes anybody.
 */
#include "unit.h"

#include "base/text.h"
#include "intune/graph_reply.h"

#define ID "9bd5f4a2-93a6-4f2a-8f13-1d0a1b2c3d4e"
#define PAGE                                                                                       \
	"{\"@odata.context\":\"c\",\"@odata.nextLink\":\"https://g/n\",\"value\":["                \
	"{\"id\":\"" ID "\",\"userPrincipalName\":\"a@x\",\"accountEnabled\":true},"               \
	"{\"id\":\"" ID "\",\"accountEnabled\":null},"                                             \
	"{\"id\":\"" ID "\",\"userPrincipalName\":\"b@x\"}]}"

static enum rc
parse_user(struct intune_user *u, const char *text)
{
	union graph_object o;
	enum rc rc = graph_object_parse(&o, GRAPH_USER, text, strlen(text), NULL);

	if (rc == RC_OK)
		*u = o.user;
	return rc;
}

static void
odd_members_are_not_told(void **state)
{
	static const struct {
		const char *members;
		enum intune_tristate enabled;
		int64_t from;
		const char *upn;
	} rows[] = {
		{ "", INTUNE_UNSAID, 0, "" },
		{ ",\"accountEnabled\":null,\"userPrincipalName\":null,"
		  "\"signInSessionsValidFromDateTime\":null",
		    INTUNE_UNSAID, 0, "" },
		{ ",\"accountEnabled\":\"false\"", INTUNE_UNSAID, 0, "" },
		{ ",\"accountEnabled\":0", INTUNE_UNSAID, 0, "" },
		{ ",\"accountEnabled\":[]", INTUNE_UNSAID, 0, "" },
		{ ",\"accountenabled\":false", INTUNE_UNSAID, 0, "" },
		{ ",\"accountEnabled\":false", INTUNE_NO, 0, "" },
		{ ",\"accountEnabled\":true", INTUNE_YES, 0, "" },
		{ ",\"userPrincipalName\":{}", INTUNE_UNSAID, 0, "" },
		{ ",\"userPrincipalName\":7", INTUNE_UNSAID, 0, "" },
		{ ",\"signInSessionsValidFromDateTime\":\"soon\"", INTUNE_UNSAID, 0, "" },
		{ ",\"signInSessionsValidFromDateTime\":1767323045", INTUNE_UNSAID, 0, "" },
		{ ",\"signInSessionsValidFromDateTime\":\"2026-02-30T00:00:00Z\"", INTUNE_UNSAID, 0,
		    "" },
		{ ",\"signInSessionsValidFromDateTime\":\"0001-01-01T00:00:00Z\"", INTUNE_UNSAID, 0,
		    "" },
		{ ",\"signInSessionsValidFromDateTime\":\"2026-01-02T03:04:05Z\"", INTUNE_UNSAID,
		    1767323045, "" },
		{ ",\"@removed\":null", INTUNE_UNSAID, 0, "" },
	};
	struct intune_user u;
	char text[256];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		(void)snprintf(text, sizeof(text), "{\"id\":\"" ID "\"%s}", rows[i].members);
		assert_int_equal(parse_user(&u, text), RC_OK);
		assert_int_equal(u.presence, INTUNE_PRESENCE_FOUND);
		assert_string_equal(u.id, ID);
		assert_int_equal(u.account_enabled, rows[i].enabled);
		assert_int_equal(u.sign_in_sessions_valid_from, rows[i].from);
		assert_string_equal(u.user_principal_name, rows[i].upn);
	}
}

static void
without_a_guid_there_is_no_object(void **state)
{
	static const char *const rows[] = {
		"",
		"{}",
		"{\"id\":null}",
		"{\"id\":7}",
		"{\"id\":\"\"}",
		"{\"id\":\"x\"}",
		"{\"id\":\"" ID " \"}",
		"{\"id\":\"" ID "0\"}",
		"{\"id\":\"00000000-0000-0000-0000-000000000000\"}",
		"{\"id\":\"" ID "\",\"id\":\"" ID "\"}",
		"{\"id\":\"" ID "\"} {}",
		"[{\"id\":\"" ID "\"}]",
		"{\"value\":[{\"id\":\"" ID "\"}]}",
		"{\"value\":{}}",
		"{\"ID\":\"" ID "\"}",
		"{\"id\":\"" ID "\",\"@removed\":{}}",
		"\"" ID "\"",
	};
	struct intune_user u = { .presence = INTUNE_PRESENCE_NOT_LISTED };
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		if (parse_user(&u, rows[i]) != RC_PARSE)
			give_up("taken: %s\n", rows[i]);
		assert_int_equal(u.presence, INTUNE_PRESENCE_NOT_LISTED);
	}
}

static void
long_texts_are_cut_between_characters(void **state)
{
	struct intune_user u;
	char text[1200];
	size_t i, n;

	for (n = 250; n < 262; n++) {
		(void)snprintf(text, sizeof(text), "{\"id\":\"" ID "\",\"userPrincipalName\":\"");
		for (i = 0; i < n; i++)
			strcat(text, "x");
		strcat(text, "\xf0\x9f\x94\x91\xc3\xb6\"}");
		assert_int_equal(parse_user(&u, text), RC_OK);
		assert_true(strlen(u.user_principal_name) < sizeof(u.user_principal_name));
		assert_true(utf8_valid(
		    (const uint8_t *)u.user_principal_name, strlen(u.user_principal_name)));
		assert_true(strlen(u.user_principal_name) >= (n < 255 ? n : 255));
	}
}

/* Count a page's objects; -1: it is no page. */
static int
walk(const void *p, size_t len, int *removed)
{
	struct graph_page page;
	union graph_object o;
	int n = 0;
	enum rc rc = graph_page_parse(&page, p, len, NULL);

	*removed = 0;
	while (rc == RC_OK && graph_page_next(&page, GRAPH_USER, &o)) {
		assert_string_equal(o.user.id, ID);
		*removed += o.user.presence != INTUNE_PRESENCE_FOUND;
		n++;
	}
	graph_page_done(&page);
	return rc == RC_OK ? n : -1;
}

static void
no_part_of_a_page_is_a_page(void **state)
{
	size_t n, len = strlen(PAGE);
	int removed;
	char *copy;

	assert_int_equal(walk(PAGE, len, &removed), 3);
	for (n = 0; n < len; n++) {
		copy = malloc(n + 1); /* of the very length: a sanitizer sees a read past it */
		memcpy(copy, PAGE, n);
		assert_int_equal(walk(copy, n, &removed), -1);
		free(copy);
	}
}

static void
a_flipped_bit_removes_nobody(void **state)
{
	char text[sizeof(PAGE)];
	struct graph_page page;
	union graph_object o;
	size_t i;
	unsigned bit;

	for (i = 0; i < sizeof(PAGE) - 1; i++) {
		for (bit = 0; bit < 8; bit++) {
			memcpy(text, PAGE, sizeof(text));
			text[i] = (char)(text[i] ^ (1u << bit));
			if (graph_page_parse(&page, text, sizeof(text) - 1, NULL) == RC_OK) {
				while (graph_page_next(&page, GRAPH_USER, &o))
					assert_int_equal(o.user.presence, INTUNE_PRESENCE_FOUND);
			}
			graph_page_done(&page);
		}
	}
}

static void
a_page_has_a_maximum_of_entries(void **state)
{
	struct graph_page page;
	struct buf b;
	unsigned i, n;

	for (n = GRAPH_ENTRIES_MAX; n <= GRAPH_ENTRIES_MAX + 1; n++) {
		buf_init(&b, 1u << 20);
		buf_adds(&b, "{\"value\":[");
		for (i = 0; i < n; i++)
			buf_adds(&b, i == 0 ? "{}" : ",{}");
		buf_adds(&b, "]}");
		assert_int_equal(graph_page_parse(&page, b.data, b.len, NULL),
		    n == GRAPH_ENTRIES_MAX ? RC_OK : RC_PARSE);
		graph_page_done(&page);
		buf_done(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(odd_members_are_not_told),
		cmocka_unit_test(without_a_guid_there_is_no_object),
		cmocka_unit_test(long_texts_are_cut_between_characters),
		cmocka_unit_test(no_part_of_a_page_is_a_page),
		cmocka_unit_test(a_flipped_bit_removes_nobody),
		cmocka_unit_test(a_page_has_a_maximum_of_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
