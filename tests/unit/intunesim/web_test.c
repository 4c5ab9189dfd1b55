/*
 * web_test.c - the page: served whole, kept apart from everything else, and nothing of it from
 * elsewhere.
 */
#include <stdlib.h>
#include <string.h>

#include "intunesim/web.h"

#include "kit.h"

static void
ask(struct answer *a, const struct kit *k, const char *method, const char *path)
{
	call(a, k, &(struct request){ .method = method, .path = path });
}

static bool
says(const struct answer *a, const char *line)
{
	return memmem(a->headers.data, a->headers.len, line, strlen(line)) != NULL;
}

static void
path_of(char out[static 128], const struct web_asset *asset)
{
	snprintf(out, 128, "/sim/page/%s", asset->name);
}

static void
index_is_at_the_root_and_at_sim(void **state)
{
	static const char *const paths[] = { "/", "/sim", "/sim/", "/sim/page/index.html" };
	const struct web_asset *index = web_asset(WEB_INDEX);
	struct answer a;

	assert_non_null(index);
	for (size_t i = 0; i < N(paths); i++) {
		ask(&a, *state, "GET", paths[i]);
		assert_int_equal(a.status, 200);
		assert_string_equal(a.content_type, "text/html; charset=utf-8");
		assert_int_equal(a.body.len, index->len);
		assert_memory_equal(a.body.data, index->data, index->len);
		answer_done(&a);
	}
}

static const char *
type_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	assert_non_null(dot);
	if (strcmp(dot, ".css") == 0)
		return "text/css; charset=utf-8";
	if (strcmp(dot, ".js") == 0)
		return "text/javascript; charset=utf-8";
	assert_string_equal(dot, ".html");
	return "text/html; charset=utf-8";
}

static void
every_file_is_served_with_its_type_and_walls(void **state)
{
	static const char *const lines[] = {
		"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
		"connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; "
		"base-uri 'none'; form-action 'self'\r\n",
		"X-Content-Type-Options: nosniff\r\n",
		"X-Frame-Options: DENY\r\n",
		"Referrer-Policy: no-referrer\r\n",
		"Cache-Control: no-cache\r\n",
	};
	char path[128];
	struct answer a;

	assert_true(n_web_assets > 3);
	for (size_t i = 0; i < n_web_assets; i++) {
		path_of(path, &web_assets[i]);
		ask(&a, *state, "GET", path);
		assert_int_equal(a.status, 200);
		assert_string_equal(a.content_type, type_of(web_assets[i].name));
		assert_int_equal(a.body.len, web_assets[i].len);
		for (size_t j = 0; j < N(lines); j++) {
			if (!says(&a, lines[j]))
				fail_msg("%s lacks %s", path, lines[j]);
		}
		assert_true(says(&a, web_assets[i].etag));
		answer_done(&a);
	}
}

static void
tags_are_of_the_content(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_web_assets; i++) {
		assert_int_equal(strlen(web_assets[i].etag), 34);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(web_assets[i].etag, web_assets[j].etag);
	}
}

static void
what_the_browser_has_is_not_sent_again(void **state)
{
	const struct web_asset *css = web_asset("page.css");
	char list[128];
	const struct {
		const char *known;
		int status;
	} rows[] = { { css->etag, 304 }, { list, 304 }, { "*", 304 }, { "\"other\"", 200 },
		{ web_asset("app.js")->etag, 200 } };
	struct answer a;

	snprintf(list, sizeof(list), "\"other\", W/%s", css->etag);
	for (size_t i = 0; i < N(rows); i++) {
		call(&a, *state,
		    &(struct request){ .method = "GET",
			.path = "/sim/page/page.css",
			.if_none_match = rows[i].known });
		assert_int_equal(a.status, rows[i].status);
		assert_int_equal(a.body.len, rows[i].status == 304 ? 0 : css->len);
		assert_true(says(&a, css->etag));
		answer_done(&a);
	}
}

static void
only_get_and_head(void **state)
{
	static const struct {
		const char *method, *path;
		int status;
	} rows[] = {
		{ "HEAD", "/", 200 },
		{ "HEAD", "/sim/page/page.css", 200 },
		{ "POST", "/", 405 },
		{ "DELETE", "/sim/page/page.css", 405 },
		{ "GET", "/sim/page/none.js", 404 },
		{ "GET", "/sim/page/embed.py", 404 },
		{ "GET", "/sim/page/..", 404 },
		{ "GET", "/sim/page/a/b", 404 },
		{ "GET", "/sim/page", 404 },
	};
	struct answer a;

	for (size_t i = 0; i < N(rows); i++) {
		ask(&a, *state, rows[i].method, rows[i].path);
		if (a.status != rows[i].status)
			fail_msg("%s %s: %d", rows[i].method, rows[i].path, a.status);
		answer_done(&a);
	}
}

static void
names_that_were_made_to_point_here_get_no_page(void **state)
{
	struct answer a;

	call(&a, *state, &(struct request){ .method = "GET", .path = "/", .host = "evil.example" });
	assert_int_equal(a.status, 421);
	answer_done(&a);
}

static bool
holds(const struct web_asset *asset, const char *text)
{
	return memmem(asset->data, asset->len, text, strlen(text)) != NULL;
}

/* What would load, or run, what is not in these files; or make markup of what a peer has sent. */
static void
nothing_comes_from_elsewhere(void **state)
{
	static const char *const banned[] = { "http://", "https://", "url(", "@import", "innerHTML",
		"outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "srcdoc",
		"style=\"", "onclick=\"", "localStorage", "sessionStorage", "cookie" };

	(void)state;
	for (size_t i = 0; i < n_web_assets; i++) {
		for (size_t j = 0; j < N(banned); j++) {
			if (holds(&web_assets[i], banned[j]))
				fail_msg("%s holds %s", web_assets[i].name, banned[j]);
		}
	}
}

/* Every file that another one names is there. */
static void
every_import_is_in_the_program(void **state)
{
	char name[64];

	(void)state;
	for (size_t i = 0; i < n_web_assets; i++) {
		const char *text = (const char *)web_assets[i].data, *at = text;
		size_t left = web_assets[i].len;

		while ((at = memmem(at, left, " from \"./", 9)) != NULL) {
			at += 9;
			left = web_assets[i].len - (size_t)(at - text);
			assert_true(left > sizeof(name));
			snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, "\""), at);
			if (web_asset(name) == NULL)
				fail_msg("%s wants %s", web_assets[i].name, name);
		}
	}
	assert_true(holds(web_asset(WEB_INDEX), "/sim/page/app.js"));
	assert_true(holds(web_asset(WEB_INDEX), "/sim/page/page.css"));
	assert_non_null(web_asset("app.js"));
	assert_non_null(web_asset("page.css"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(index_is_at_the_root_and_at_sim),
		cmocka_unit_test(every_file_is_served_with_its_type_and_walls),
		cmocka_unit_test(tags_are_of_the_content),
		cmocka_unit_test(what_the_browser_has_is_not_sent_again),
		cmocka_unit_test(only_get_and_head),
		cmocka_unit_test(names_that_were_made_to_point_here_get_no_page),
		cmocka_unit_test(nothing_comes_from_elsewhere),
		cmocka_unit_test(every_import_is_in_the_program),
	};

	return cmocka_run_group_tests(tests, kit_new, kit_free);
}
