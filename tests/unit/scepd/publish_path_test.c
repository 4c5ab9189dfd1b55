/*
 * publish_path_test.c - the paths of lists and certificates, as anybody may write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "scepd/publish_path.h"

#include <cmocka.h>

/* As text: "issuing full", "issuing 3/16"; "": no CA. */
static const char *
text_of(const char *path)
{
	static char text[400];
	struct crl_path p;

	text[0] = '\0';
	if (!crl_path_parse(&p, path))
		return text;
	(void)snprintf(text, sizeof(text), "%.*s ", (int)p.ca_len, p.ca);
	if (p.kind == LIST_PART)
		(void)snprintf(
		    text + strlen(text), sizeof(text) - strlen(text), "%u/%u", p.part, p.parts);
	else
		(void)strcat(text,
		    p.kind == LIST_FULL        ? "full"
			: p.kind == LIST_DELTA ? "delta"
					       : "none");
	return text;
}

static void
a_path_names_a_list_by_one_spelling(void **state)
{
	static const char *const rows[][2] = {
		{ "/crl/issuing.crl", "issuing full" },
		{ "/CRL/Issuing.CRL", "Issuing full" },
		{ "/crl/a.crl.crl", "a.crl full" },
		{ "/crl/issuing/delta.crl", "issuing delta" },
		{ "/crl/issuing/DELTA.crl", "issuing delta" },
		{ "/crl/issuing/0-of-1.crl", "issuing 0/1" },
		{ "/crl/issuing/3-of-16.crl", "issuing 3/16" },
		{ "/crl/issuing/255-of-256.crl", "issuing 255/256" },
		/* no list */
		{ "/crl/issuing/.crl", "issuing none" },
		{ "/crl/issuing/full.crl", "issuing none" },
		{ "/crl/issuing/delta/.crl", "issuing none" },
		{ "/crl/issuing/a/3-of-4.crl", "issuing none" },
		{ "/crl/issuing/3-of-4/.crl", "issuing none" },
		{ "/crl/issuing/4-of-4.crl", "issuing none" },
		{ "/crl/issuing/0-of-0.crl", "issuing none" },
		{ "/crl/issuing/0-of-3.crl", "issuing none" },
		{ "/crl/issuing/0-of-512.crl", "issuing none" },
		{ "/crl/issuing/00-of-4.crl", "issuing none" },
		{ "/crl/issuing/1-of-04.crl", "issuing none" },
		{ "/crl/issuing/-1-of-4.crl", "issuing none" },
		{ "/crl/issuing/+1-of-4.crl", "issuing none" },
		{ "/crl/issuing/ 1-of-4.crl", "issuing none" },
		{ "/crl/issuing/1 -of-4.crl", "issuing none" },
		{ "/crl/issuing/1-of-4 .crl", "issuing none" },
		{ "/crl/issuing/1-of-4x.crl", "issuing none" },
		{ "/crl/issuing/1-OF-4.crl", "issuing none" },
		{ "/crl/issuing/1-of.crl", "issuing none" },
		{ "/crl/issuing/1-of-.crl", "issuing none" },
		{ "/crl/issuing/1.crl", "issuing none" },
		{ "/crl/issuing/1-of-4294967298.crl", "issuing none" },
		{ "/crl/issuing/4294967297-of-4.crl", "issuing none" },
		{ "/crl/issuing/../issuing.crl", "issuing none" },
		{ "/crl/a/b/issuing.crl", "a none" },
		/* no CA */
		{ "/crl/.crl", "" },
		{ "/crl//delta.crl", "" },
		{ "/crl//.crl", "" },
		{ "/crl/", "" },
		{ "/crl/issuing", "" },
		{ "/crl/issuing.crl/", "" },
		{ "/crl.crl", "" },
		{ "/ca/issuing.crl", "" },
		{ "crl/issuing.crl", "" },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(text_of(rows[i][0]), rows[i][1]) != 0)
			fail_msg("%s: %s", rows[i][0], text_of(rows[i][0]));
}

static void
a_path_names_a_certificate_or_nothing(void **state)
{
	static const char *const rows[][2] = {
		{ "/ca/issuing.crt", "issuing" },
		{ "/CA/issuing.CRT", "issuing" },
		{ "/ca/a.crt.crt", "a.crt" },
		{ "/ca/.crt", NULL },
		{ "/ca/a/b.crt", NULL },
		{ "/ca//.crt", NULL },
		{ "/ca/issuing.cer", NULL },
		{ "/ca/issuing", NULL },
		{ "/ca/", NULL },
		{ "/crl/issuing.crt", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *ca = NULL;
		size_t len = 0;
		bool is = cert_path_parse(&ca, &len, rows[i][0]);

		if (is != (rows[i][1] != NULL) ||
		    (is && (len != strlen(rows[i][1]) || memcmp(ca, rows[i][1], len) != 0)))
			fail_msg("%s", rows[i][0]);
	}
}

/* What holds of whatever is taken: the name is a part of the path, and a list is written again as it was. */
static void
holds(const char *path)
{
	char again[64];
	struct crl_path p;

	if (!crl_path_parse(&p, path))
		return;
	assert_true(p.ca > path && p.ca_len > 0 && p.ca + p.ca_len < path + strlen(path));
	assert_null(memchr(p.ca, '/', p.ca_len));
	if (p.kind != LIST_PART)
		return;
	assert_true(p.parts <= CRL_PARTS_MAX && p.part < p.parts);
	(void)snprintf(again, sizeof(again), "/%u-of-%u.", p.part, p.parts);
	assert_memory_equal(p.ca + p.ca_len, again, strlen(again));
}

static void
every_prefix_and_bit_flip_of_a_path_is_a_list_as_it_is_written(void **state)
{
	static const char *const paths[] = { "/crl/issuing/127-of-128.crl",
		"/crl/issuing/delta.crl", "/crl/issuing.crl", "/ca/issuing.crt" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char copy[64];
		size_t len = strlen(paths[i]);

		for (size_t n = 0; n <= len; n++) {
			memcpy(copy, paths[i], n);
			copy[n] = '\0';
			holds(copy);
		}
		for (size_t n = 0; n < len * 8; n++) {
			memcpy(copy, paths[i], len + 1);
			copy[n / 8] ^= (char)(1 << n % 8);
			holds(copy);
		}
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_names_a_list_by_one_spelling),
		cmocka_unit_test(a_path_names_a_certificate_or_nothing),
		cmocka_unit_test(every_prefix_and_bit_flip_of_a_path_is_a_list_as_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
