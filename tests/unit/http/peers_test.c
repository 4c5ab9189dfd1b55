/*
 * peers_test.c - what an address holds, what it owes, and what of it is remembered; and whom a proxy
 * speaks for.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "http/forwarded.h"
#include "http/peers.h"

#define WRONG(...) (print_error(__VA_ARGS__), assert_true(false))

static struct address
address(const char *text)
{
	struct address a;

	assert_true(address_parse(&a, text, strlen(text)));
	return a;
}

static struct peers *
table(struct peers_conf conf)
{
	struct peers *p = NULL;
	struct err err;

	assert_int_equal(peers_new(&p, &conf, &err), RC_OK);
	return p;
}

static void
an_address_has_its_share_and_others_have_theirs(void **state)
{
	struct peers *p = table((struct peers_conf){ .connections = 2, .in_flight = 1 });
	struct address a = address("192.0.2.1"), b = address("192.0.2.2");
	struct peer *one = peer_connect(p, &a, false), *two = peer_connect(p, &a, false), *other;

	assert_non_null(one);
	assert_ptr_equal(one, two);
	assert_null(peer_connect(p, &a, false));
	assert_non_null(other = peer_connect(p, &b, false));
	assert_int_equal(peer_connections(one), 2);
	assert_int_equal(peers_connections(p, &a), 2);
	peer_disconnect(p, one);
	assert_ptr_equal(peer_connect(p, &a, false), one);

	assert_ptr_equal(peer_request(p, &a, &(unsigned){ 0 }), one);
	assert_null(peer_request(p, &a, &(unsigned){ 0 }));
	assert_ptr_equal(peer_request(p, &b, &(unsigned){ 0 }), other);
	peer_request_over(p, one);
	assert_ptr_equal(peer_request(p, &a, &(unsigned){ 0 }), one);
	assert_int_equal(peers_known(p), 2);
	peers_free(p);
}

/* Behind an IPv6 prefix one host has 2^64 addresses: they are one. */
static void
the_addresses_of_a_64_share(void **state)
{
	struct peers *p = table((struct peers_conf){ .connections = 100 });
	struct address a;
	char text[64];

	for (int i = 0; i < 101; i++) {
		(void)snprintf(text, sizeof text, "2001:db8::%x", i + 1);
		a = address(text);
		assert_int_equal(peer_connect(p, &a, false) != NULL, i < 100);
	}
	a = address("2001:db8:0:1::1");
	assert_non_null(peer_connect(p, &a, false));
	peers_free(p);
}

static void
a_trusted_proxy_is_counted_and_not_bounded(void **state)
{
	struct peers *p = table((struct peers_conf){ .connections = 1, .buffered = 10 });
	struct address a = address("192.0.2.1");
	struct peer *who = NULL;

	for (int i = 0; i < 5; i++)
		assert_non_null(who = peer_connect(p, &a, true));
	assert_int_equal(peer_connections(who), 0); /* and is not whom others have to yield to */
	assert_true(peer_buffer(p, who, 100));
	peers_free(p);
}

static void
read_buffers_have_a_share_too(void **state)
{
	struct peers *p = table((struct peers_conf){ .buffered = 100 });
	struct address a = address("192.0.2.1"), b = address("192.0.2.2");
	struct peer *who = peer_connect(p, &a, false), *other = peer_connect(p, &b, false);

	assert_true(peer_buffer(p, who, 60));
	assert_true(peer_buffer(p, who, 40));
	assert_false(peer_buffer(p, who, 1));
	assert_true(peer_buffer(p, other, 100));
	assert_true(peer_buffer(p, who, -40));
	assert_true(peer_buffer(p, who, 40));
	peers_free(p);
}

#define T0 INT64_C(1000000)

static void
refusals_add_up_and_time_forgives_them(void **state)
{
	struct peers *p = table((struct peers_conf){ .debt_max = 60 });
	struct address a = address("192.0.2.1"), b = address("192.0.2.2");
	struct peer *who = peer_connect(p, &a, false), *other = peer_connect(p, &b, false);

	for (int i = 0; i < 6; i++) {
		assert_false(peer_is_over(p, who, T0));
		peer_blame(p, who, HTTP_BLAME_DEAR, T0);
	}
	assert_true(peer_is_over(p, who, T0));
	assert_false(peer_is_over(p, other, T0));
	/* 60 a minute: one unit a second; asking meanwhile changes nothing */
	for (int ms = 0; ms < 1000; ms += 100)
		assert_true(peer_is_over(p, who, T0 + ms));
	assert_false(peer_is_over(p, who, T0 + 1000));
	peer_blame(p, who, HTTP_BLAME_CHEAP, T0 + 1000);
	assert_true(peer_is_over(p, who, T0 + 1000));
	/* whoever goes on for an hour is served a minute after he has stopped */
	for (int i = 0; i < 3600; i++)
		peer_blame(p, who, HTTP_BLAME_DEAR, T0 + 1000 + i * 1000);
	assert_true(peer_is_over(p, who, T0 + 3600 * 1000));
	assert_false(peer_is_over(p, who, T0 + 3600 * 1000 + 61000));
	peers_free(p);
}

/* Requests at a time: while one is looked at, no more of them get in than the debt has room for. */
static void
nothing_slips_in_beside_the_refusal_too_many(void **state)
{
	struct peers *p = table((struct peers_conf){ .debt_max = 100 });
	struct address a = address("192.0.2.1");
	struct peer *who = NULL;
	unsigned let_in = 0;

	for (int i = 0; i < 40; i++) /* an honest crowd that starts together owes nothing */
		assert_false(peer_is_over(p, who = peer_request(p, &a, &(unsigned){ 0 }), T0));
	for (int i = 0; i < 40; i++)
		peer_request_over(p, who);
	for (int i = 0; i < 8; i++)
		peer_blame(p, who, HTTP_BLAME_DEAR, T0);
	for (int i = 0; i < 40; i++)
		let_in += !peer_is_over(p, who = peer_request(p, &a, &(unsigned){ 0 }), T0);
	assert_int_equal(let_in, 2);
	peers_free(p);
}

static void
whoever_is_granted_something_is_forgiven_mistakes(void **state)
{
	struct peers *p = table((struct peers_conf){ .debt_max = 600 });
	struct address a = address("192.0.2.1");
	struct peer *who = peer_connect(p, &a, false);

	/* a site: one of eight devices has a wrong profile, and tries again and again */
	for (int i = 0; i < 10000; i++) {
		peer_blame(p, who, i % 8 == 0 ? HTTP_BLAME_DEAR : HTTP_BLAME_CREDIT, T0);
		assert_false(peer_is_over(p, who, T0));
	}
	/* and what was granted is no store of forgiveness for later */
	for (int i = 0; i < 60; i++)
		peer_blame(p, who, HTTP_BLAME_DEAR, T0);
	assert_true(peer_is_over(p, who, T0));
	peers_free(p);
}

static void
a_limit_of_0_is_none(void **state)
{
	struct peers *p = table((struct peers_conf){ .connections = 0 });
	struct address a = address("192.0.2.1");
	struct peer *who = NULL;

	for (int i = 0; i < 5000; i++) {
		assert_non_null(who = peer_connect(p, &a, false));
		assert_non_null(peer_request(p, &a, &(unsigned){ 0 }));
		peer_blame(p, who, HTTP_BLAME_DEAR, T0);
	}
	assert_false(peer_is_over(p, who, T0));
	assert_true(peer_buffer(p, who, 1 << 30));
	peers_free(p);
}

static void
a_debt_outlives_its_connection_and_the_table_has_an_end(void **state)
{
	struct peers *p = table((struct peers_conf){ .debt_max = 10 });
	struct address a = address("198.51.100.1"), b;
	struct peer *who = peer_connect(p, &a, false), *held;
	char text[64];

	peer_blame(p, who, HTTP_BLAME_DEAR, T0);
	peer_disconnect(p, who);
	who = peer_connect(p, &a, false);
	assert_true(peer_is_over(p, who, T0));
	peer_disconnect(p, who);
	b = address("198.51.100.2");
	held = peer_connect(p, &b, false);
	peer_blame(p, held, HTTP_BLAME_DEAR, T0);
	for (unsigned i = 0; i < PEERS_REMEMBERED + 1000; i++) {
		(void)snprintf(text, sizeof text, "2001:db8:%x:%x::1", i >> 12, i & 0xfff);
		b = address(text);
		assert_non_null(who = peer_connect(p, &b, false));
		peer_disconnect(p, who);
	}
	assert_in_range(peers_known(p), PEERS_REMEMBERED, PEERS_REMEMBERED + 1);
	assert_true(peer_is_over(p, held, T0)); /* who is here is never forgotten */
	who = peer_connect(p, &a, false);
	assert_false(peer_is_over(p, who, T0)); /* who left first is */
	peers_free(p);
}

static void
the_log_hears_of_an_address_so_often_a_minute(void **state)
{
	struct peers *p = table((struct peers_conf){ .connections = 0 });
	struct address a = address("192.0.2.1");
	struct peer *who = peer_connect(p, &a, false);
	uint64_t unsaid = 99;
	unsigned said = 0;

	for (int i = 0; i < 1000; i++)
		said += peer_may_speak(p, who, T0 + i, &unsaid);
	assert_int_equal(said, PEERS_LINES);
	assert_int_equal(unsaid, 0);
	assert_true(peer_may_speak(p, who, T0 + 60000, &unsaid));
	assert_int_equal(unsaid, 1000 - PEERS_LINES);
	peers_free(p);
}

/* ---- X-Forwarded-For (S31) ---- */

static const struct {
	const char *first, *second; /* header lines; NULL: none */
	const char *is;             /* for a connection of 10.0.0.1; 10.0.0.0/8 is trusted */
} forwarded[] = {
	{ NULL, NULL, "10.0.0.1" },
	{ "192.0.2.9", NULL, "192.0.2.9" },
	{ "192.0.2.9:1234", NULL, "192.0.2.9" },
	{ "203.0.113.1, 192.0.2.9", NULL, "192.0.2.9" }, /* the first was the client's own */
	{ "203.0.113.1", "192.0.2.9", "192.0.2.9" },     /* the same, a line each */
	{ "203.0.113.1, 192.0.2.9 , 10.0.0.2", NULL, "192.0.2.9" }, /* two proxies of ours */
	{ "192.0.2.9", "10.0.0.2", "192.0.2.9" },
	{ "10.0.0.3, 10.0.0.2", NULL, "10.0.0.3" },    /* a client inside */
	{ "192.0.2.9, unknown", NULL, "10.0.0.1" },    /* what our own proxy wrote is none */
	{ "192.0.2.9, , 10.0.0.2", NULL, "10.0.0.2" }, /* as far as it is well-formed */
	{ "", NULL, "10.0.0.1" },
	{ ",", NULL, "10.0.0.1" },
	{ "2001:db8::7", NULL, "2001:db8::7" },
};

static void
a_trusted_proxy_says_who_it_speaks_for(void **state)
{
	struct net trusted;
	struct err err;

	assert_int_equal(net_parse(&trusted, "10.0.0.0/8", &err), RC_OK);
	for (size_t i = 0; i < sizeof forwarded / sizeof forwarded[0]; i++) {
		struct http_header h[2] = { { "X-Forwarded-For", forwarded[i].first },
			{ "x-forwarded-for", forwarded[i].second } };
		struct http_request req = { .headers = h };
		struct address a = address("10.0.0.1");
		char text[ADDRESS_TEXT_MAX];

		req.n_headers = (forwarded[i].first != NULL) + (forwarded[i].second != NULL);
		address_forwarded(&a, &req, &trusted, 1);
		address_text(text, &a);
		if (strcmp(text, forwarded[i].is) != 0)
			WRONG("row %zu: %s instead of %s", i, text, forwarded[i].is);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_has_its_share_and_others_have_theirs),
		cmocka_unit_test(the_addresses_of_a_64_share),
		cmocka_unit_test(a_trusted_proxy_is_counted_and_not_bounded),
		cmocka_unit_test(read_buffers_have_a_share_too),
		cmocka_unit_test(refusals_add_up_and_time_forgives_them),
		cmocka_unit_test(nothing_slips_in_beside_the_refusal_too_many),
		cmocka_unit_test(whoever_is_granted_something_is_forgiven_mistakes),
		cmocka_unit_test(a_limit_of_0_is_none),
		cmocka_unit_test(a_debt_outlives_its_connection_and_the_table_has_an_end),
		cmocka_unit_test(the_log_hears_of_an_address_so_often_a_minute),
		cmocka_unit_test(a_trusted_proxy_says_who_it_speaks_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
