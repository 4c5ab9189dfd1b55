/*
 * address_test.c - addresses as proxies and administrators write them, and who is counted as one.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"

#define WRONG(...) (print_error(__VA_ARGS__), assert_true(false))

static const struct {
	const char *text, *is; /* NULL: no address */
} written[] = {
	{ "192.0.2.1", "192.0.2.1" },
	{ "192.0.2.1:4711", "192.0.2.1" }, /* as Azure's gateway writes it */
	{ "2001:db8::1", "2001:db8::1" },
	{ "[2001:db8::1]", "2001:db8::1" },
	{ "[2001:db8::1]:4711", "2001:db8::1" },
	{ "::ffff:192.0.2.1", "192.0.2.1" },
	{ "::", "::" },
	{ "", NULL },
	{ "unknown", NULL },
	{ "_hidden", NULL },
	{ "192.0.2", NULL },
	{ "192.0.2.256", NULL },
	{ "192.0.2.1:", NULL },
	{ "192.0.2.1:65536", NULL },
	{ "192.0.2.1:x", NULL },
	{ "192.0.2.1 ", NULL },
	{ "[192.0.2.1]", NULL },
	{ "[2001:db8::1", NULL },
	{ "[2001:db8::1]x", NULL },
	{ "[2001:db8::1]:", NULL },
	{ "2001:db8::1%eth0", NULL },
	{ "\"192.0.2.1\"", NULL },
	{ "2001:db8:0000:0000:0000:0000:0000:0000:0000:0001:0000:0000:0000:0000", NULL },
};

static void
an_address_is_read_as_proxies_write_it(void **state)
{
	for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
		char text[ADDRESS_TEXT_MAX] = "none";
		struct address a;

		if (address_parse(&a, written[i].text, strlen(written[i].text)))
			address_text(text, &a);
		if (strcmp(text, written[i].is != NULL ? written[i].is : "none") != 0)
			WRONG("\"%s\" is read as %s", written[i].text, text);
	}
	assert_false(address_parse(&(struct address){ { 0 } }, "192.0.2.1\0", 10));
}

/* Every prefix from memory that ends there, for the sanitisers. */
static void
no_prefix_is_read_beyond(void **state)
{
	static const char all[] = "[2001:db8::ffff:192.0.2.1]:65535";

	for (size_t len = 0; len < sizeof all; len++) {
		char *copy = malloc(len + 1);
		struct address a;

		assert_non_null(copy);
		memcpy(copy, all, len);
		(void)address_parse(&a, copy, len);
		copy = realloc(copy, len > 0 ? len : 1);
		assert_non_null(copy);
		(void)address_parse(&a, copy, len);
		free(copy);
	}
}

static const struct {
	const char *net, *address;
	bool has;
} nets[] = {
	{ "192.0.2.0/24", "192.0.2.255", true },
	{ "192.0.2.0/24", "192.0.3.0", false },
	{ "192.0.2.4/31", "192.0.2.5", true },
	{ "192.0.2.4/31", "192.0.2.6", false },
	{ "192.0.2.4", "192.0.2.4", true },
	{ "192.0.2.4", "192.0.2.5", false },
	{ "0.0.0.0/0", "203.0.113.9", true },
	{ "0.0.0.0/0", "2001:db8::1", false }, /* all of IPv4 is not all */
	{ "::/0", "192.0.2.1", true },
	{ "2001:db8::/33", "2001:db8:7fff::1", true },
	{ "2001:db8::/33", "2001:db8:8000::1", false },
	{ "2001:db8::1", "2001:db8::1", true },
};
static const char *const no_nets[] = { "", "/", "/24", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1",
	"192.0.2.0/2x", "2001:db8::/129", "proxy.contoso.com", "192.0.2.1:80", "[2001:db8::1]",
	"192.0.2.0/24/24", "192.0.2.1, 192.0.2.2" };

static void
a_network_has_its_addresses_and_no_other(void **state)
{
	struct address a;
	struct net net;
	struct err err;

	for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
		assert_int_equal(net_parse(&net, nets[i].net, &err), RC_OK);
		assert_true(address_parse(&a, nets[i].address, strlen(nets[i].address)));
		if (address_in(&a, &net, 1) != nets[i].has)
			WRONG("%s in %s", nets[i].address, nets[i].net);
	}
	for (size_t i = 0; i < sizeof no_nets / sizeof no_nets[0]; i++)
		if (net_parse(&net, no_nets[i], &err) != RC_CONFIG)
			WRONG("\"%s\" was taken for a network", no_nets[i]);
	assert_false(address_in(&a, NULL, 0));
}

static void
an_ipv6_host_is_its_64_and_an_ipv4_host_itself(void **state)
{
	static const struct {
		const char *a, *b;
		bool one;
	} rows[] = {
		{ "2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true },
		{ "2001:db8:0:1::1", "2001:db8:0:2::1", false },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.1", "::ffff:192.0.2.1", true },
	};
	struct address a, b;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_true(address_parse(&a, rows[i].a, strlen(rows[i].a)));
		assert_true(address_parse(&b, rows[i].b, strlen(rows[i].b)));
		address_whole(&a, &a);
		address_whole(&b, &b);
		assert_int_equal(memcmp(&a, &b, sizeof a) == 0, rows[i].one);
	}
}

static void
a_socket_tells_its_address(void **state)
{
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr local = { .sa_family = AF_UNIX };
	char text[ADDRESS_TEXT_MAX];
	struct address a;

	assert_int_equal(inet_pton(AF_INET, "192.0.2.7", &four.sin_addr), 1);
	assert_true(address_of_socket(&a, (struct sockaddr *)&four));
	address_text(text, &a);
	assert_string_equal(text, "192.0.2.7");
	assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.7", &six.sin6_addr), 1);
	assert_true(address_of_socket(&a, (struct sockaddr *)&six));
	address_text(text, &a);
	assert_string_equal(text, "192.0.2.7");
	assert_false(address_of_socket(&a, &local));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_read_as_proxies_write_it),
		cmocka_unit_test(no_prefix_is_read_beyond),
		cmocka_unit_test(a_network_has_its_addresses_and_no_other),
		cmocka_unit_test(an_ipv6_host_is_its_64_and_an_ipv4_host_itself),
		cmocka_unit_test(a_socket_tells_its_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
