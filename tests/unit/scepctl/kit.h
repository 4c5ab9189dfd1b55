/*
 * kit.h - what the tests of scepctl share: a folder of one's own, the program run in it, what it said.
 */
#ifndef SCEPD_TESTS_SCEPCTL_KIT_H
#define SCEPD_TESTS_SCEPCTL_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#undef fail /* cmocka's; ours is base/err.h's */

#include "json/json.h"
#include "store/store.h"

struct box {
	char dir[64];     /* removed at the end */
	char out[262144]; /* what the last run printed, both streams */
};

/* Which program; false when there is none. */
bool kit_program(const char *path);
const char *kit_path(void); /* of it, absolute */
/* "<dir>/<name>" in a static buffer; eight of them live at once. */
const char *in(const struct box *b, const char *name);
/* Run `scepctl ARGS` in the box's folder; the exit status. */
int run(struct box *b, const char *args);
/* Run a shell command there; the exit status. */
int shell(struct box *b, const char *cmd);
/* The last run printed it; prints what there was if not. */
bool says(const struct box *b, const char *text);
/* 0: it is not there. */
mode_t mode_of(const struct box *b, const char *name);
void put(const struct box *b, const char *name, const char *text, mode_t mode);
/* The file as text; the caller frees. */
char *content(const struct box *b, const char *name);
/* What the last run printed, as JSON; a member's text. */
json_t *parsed(const struct box *b);
const char *member(const json_t *o, const char *key);
/* The store of the CA in the folder x. */
struct store *opened(const struct box *b);
int box_new(void **state);
int box_free(void **state);
/* A CA in the folder x, with `more` at the end of its scepd.yaml, made once for a program's tests as making one takes its time; and a copy of
 * it in another box.  0 is well, as cmocka has it. */
int master_make(const char *more);
void master_copy(struct box *b);
int master_free(void **state);

#define assert_run(box, want, args)                                                                \
	do {                                                                                       \
		int status_ = run((box), (args));                                                  \
		if (status_ != (want))                                                             \
			print_error("scepctl %s: status %d\n%s\n", (args), status_, (box)->out);   \
		assert_int_equal(status_, (want));                                                 \
	} while (0)
#define assert_says(box, text)      assert_true(says((box), (text)))
#define assert_silent_on(box, text) assert_null(strstr((box)->out, (text)))

/* Elliptic keys, as they are made in no time. */
#define INIT                                                                                       \
	"init --name Contoso --root-key ec:p256 --issuing-key ec:p256 --listen 127.0.0.1:8080 "    \
	"--url http://ca.contoso.com "
#define LAB INIT "--static-challenge --static-domain lab.contoso.com "

#endif
