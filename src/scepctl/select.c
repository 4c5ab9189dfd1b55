/* select.c - see select.h. */
#include "scepctl/select.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/binding.h"
#include "store/store_directory.h"

#define NAMESAKES_MAX 8   /* ids that are told when a name means several */
#define LINE_MAX_     512 /* of a file: a serial number and some words after it */

void
selection_done(struct selection *s)
{
	for (size_t i = 0; i < s->n_cas; i++)
		free(s->cas[i]);
	free(s->cas);
	free(s->v);
	*s = (struct selection){ 0 };
}

/* There are few CAs and many certificates. */
static enum rc
keep_ca(const char **out, struct selection *s, const char *ca, struct err *err)
{
	char **v;
	enum rc rc;

	*out = NULL;
	for (size_t i = 0; ca != NULL && *out == NULL && i < s->n_cas; i++)
		if (strcmp(s->cas[i], ca) == 0)
			*out = s->cas[i];
	if (ca == NULL || *out != NULL)
		return RC_OK;
	if ((v = reallocarray(s->cas, s->n_cas + 1, sizeof(*v))) == NULL)
		return fail(err, RC_NOMEM, "no memory for the names of CAs");
	s->cas = v;
	if ((rc = str_dup(&v[s->n_cas], ca, err)) == RC_OK)
		*out = v[s->n_cas++];
	return rc;
}

/* `ca` NULL: not told. */
static enum rc
add(struct selection *s, const char *serial, const char *ca, struct err *err)
{
	struct selected *v;
	size_t room = s->room == 0 ? 64 : 2 * s->room;
	enum rc rc;

	if (s->n == SELECT_MAX)
		return fail(err, RC_LIMIT, "more than %d certificates at once", SELECT_MAX);
	if (s->n == s->room) {
		if ((v = reallocarray(s->v, room, sizeof(*v))) == NULL)
			return fail(err, RC_NOMEM, "no memory for %zu certificates", room);
		s->v = v;
		s->room = room;
	}
	if ((rc = keep_ca(&s->v[s->n].ca, s, ca, err)) != RC_OK)
		return rc;
	(void)snprintf(s->v[s->n].serial, sizeof(s->v[s->n].serial), "%s", serial);
	s->v[s->n++].mark = 0;
	return RC_OK;
}

static int
compare(const void *a, const void *b)
{
	const struct selected *x = a, *y = b;
	int c = strcmp(x->serial, y->serial);

	/* Names of CAs are kept once: the same is the same pointer. */
	return c != 0 || x->ca == y->ca ? c : strcmp(x->ca, y->ca);
}

/* By several ids of one device, or twice in a file. */
static void
once(struct selection *s)
{
	size_t n = 0;

	if (s->n > 1)
		qsort(s->v, s->n, sizeof(s->v[0]), compare);
	for (size_t i = 0; i < s->n; i++)
		if (n == 0 || compare(&s->v[n - 1], &s->v[i]) != 0)
			s->v[n++] = s->v[i];
	s->n = n;
}

/* ---- by serial number ---- */

static enum rc
add_text(struct selection *s, const char *text, const char *ca, struct err *err)
{
	char serial[2 * SERIAL_MAX + 1];
	enum rc rc = ctl_serial(serial, text, err);

	return rc != RC_OK ? rc : add(s, serial, ca, err);
}

/* The first word of a line, as tables are saved: with a byte order mark on top, and in quotes; '#' begins a comment. */
static char *
first_word(char *line, size_t number)
{
	static const char mark[] = "\xef\xbb\xbf";
	char *rest;

	if (number == 1 && str_starts(line, mark))
		line += sizeof(mark) - 1;
	line[strcspn(line, "#")] = '\0';
	return strtok_r(line, " \t\r\n,;\"", &rest);
}

static enum rc
add_line(struct selection *s, char *line, const struct select_by *by, const char *path,
    size_t number, struct err *err)
{
	char *word;

	if (strchr(line, '\n') == NULL && strlen(line) == LINE_MAX_ - 1)
		return fail(err, RC_CONFIG, "%s:%zu: the line is too long", path, number);
	word = first_word(line, number);
	if (word == NULL || add_text(s, word, by->ca, NULL) == RC_OK)
		return RC_OK;
	if (s->n == SELECT_MAX)
		return fail(err, RC_LIMIT,
		    "%s:%zu: too many certificates for one command (\"%.60s\")", path, number,
		    word);
	(void)fail(
	    err, RC_CONFIG, "%s:%zu: \"%.60s\" is no serial number in hex", path, number, word);
	return err_hint(err,
	    "a line begins with a serial number; take out the names of columns, or put a # before "
	    "them. Nothing was changed");
}

static enum rc
add_file(struct selection *s, const struct select_by *by, struct err *err)
{
	const char *path = by->file;
	bool input = strcmp(path, "-") == 0;
	FILE *f = input ? stdin : fopen(path, "re");
	char line[LINE_MAX_];
	enum rc rc = RC_OK;

	if (f == NULL)
		return fail(err, errno == ENOENT ? RC_NOTFOUND : RC_IO, "cannot read %s: %s", path,
		    strerror(errno));
	for (size_t n = 1; rc == RC_OK && fgets(line, sizeof(line), f) != NULL; n++)
		rc = add_line(s, line, by, input ? "standard input" : path, n, err);
	if (rc == RC_OK && ferror(f))
		rc = fail(err, RC_IO, "cannot read %s", path);
	if (rc == RC_OK && s->n == 0)
		rc = fail(err, RC_NOTFOUND, "%s names no certificate", path);
	if (!input)
		(void)fclose(f);
	return rc;
}

/* ---- by what the directory calls somebody ---- */

struct namesakes {
	const char *word;
	bool user;
	char ids[NAMESAKES_MAX][40]; /* as in struct store_binding */
	size_t n;
};

static bool
is_called(const struct namesakes *w, const struct store_subject *c)
{
	const char *user[] = { c->binding->upn, c->user != NULL ? c->user->name : "", "" };
	const char *device[] = { c->binding->serial_number,
		c->device != NULL ? c->device->name : "",
		c->managed != NULL ? c->managed->name : "" };
	const char *const *names = w->user ? user : device;

	for (size_t i = 0; i < 3; i++)
		if (names[i][0] != '\0' && str_eq_nocase(names[i], w->word))
			return true;
	return false;
}

static int
on_subject(void *arg, const struct store_subject *c)
{
	struct namesakes *w = arg;
	const struct store_binding *b = c->binding;
	const char *id = w->user          ? b->user
	    : b->managed[0] != '\0'       ? b->managed
	    : b->device_object[0] != '\0' ? b->device_object
					  : b->device;

	/* What is not bound has hints at most: whoever enrolled has written them.  So has, of a device, what is bound to its
	 * user alone: an exception for a device's number would be his who has made up that he is it. */
	if (b->state != BINDING_BOUND || id[0] == '\0' || !is_called(w, c) ||
	    (!w->user && c->device == NULL && c->managed == NULL))
		return 0;
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->ids[i], id) == 0)
			return 0;
	(void)snprintf(w->ids[w->n++], sizeof(w->ids[0]), "%s", id);
	return w->n == NAMESAKES_MAX;
}

/* Several are so called: revoking the wrong one's certificates is for good, so a person has to say which. */
static enum rc
several(const struct namesakes *w, struct err *err)
{
	char ids[NAMESAKES_MAX * 42] = "";

	for (size_t i = 0; i < w->n; i++)
		(void)snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), "%s%s",
		    i > 0 ? ", " : "", w->ids[i]);
	(void)fail(err, RC_CONFIG, "%s%zu %ss are or were called \"%.100s\"",
	    w->n == NAMESAKES_MAX ? "at least " : "", w->n, w->user ? "user" : "device", w->word);
	return err_hint(err, "say which by id: %s", ids);
}

static enum rc
find_by_name(struct namesakes *w, struct store *s, int64_t valid_at, struct err *err)
{
	int64_t after = 0;
	bool more = true;
	enum rc rc = RC_OK;

	while (rc == RC_OK && more && w->n < NAMESAKES_MAX)
		rc = store_subjects_page(s, valid_at, &after, &more, on_subject, w, err);
	return rc == RC_OK && w->n > 1 ? several(w, err) : rc;
}

/* ---- by id ---- */

struct adding {
	struct selection *s;
	const char *only_ca; /* NULL: any */
	struct err *err;
	enum rc rc;
};

static int
on_cert(void *arg, const char *serial, const char *ca)
{
	struct adding *a = arg;

	if (a->only_ca == NULL || strcmp(a->only_ca, ca) == 0)
		a->rc = add(a->s, serial, ca, a->err);
	return a->rc != RC_OK;
}

static enum rc
add_bound(struct selection *s, struct store *store, bool user, const char *id, const char *only_ca,
    int64_t valid_at, struct err *err)
{
	static const enum binding_key keys[] = { BINDING_BY_USER, BINDING_BY_DEVICE,
		BINDING_BY_DEVICE_OBJECT, BINDING_BY_MANAGED };
	struct adding a = { s, only_ca, err, RC_OK };
	enum rc rc = RC_OK;

	for (size_t i = user ? 0 : 1; rc == RC_OK && i < (user ? 1 : 4); i++) {
		rc = store_binding_certs(
		    store, NULL, keys[i], id, valid_at, SELECT_MAX + 1, on_cert, &a, err);
		if (rc == RC_OK)
			rc = a.rc;
	}
	return rc;
}

/* One id, or none where nobody is so called. */
static enum rc
who_is(struct namesakes *w, struct store *store, int64_t valid_at, struct err *err)
{
	char id[GUID_SIZE];

	if (!guid_take(id, w->word))
		return find_by_name(w, store, valid_at, err);
	(void)snprintf(w->ids[w->n++], sizeof(w->ids[0]), "%s", id);
	return RC_OK;
}

static enum rc
nobodys(const struct namesakes *w, const char *only_ca, int64_t valid_at, struct err *err)
{
	(void)fail(err, RC_NOTFOUND, "no %scertificate %s%.100s%sis bound to %s \"%.100s\"",
	    valid_at != 0 ? "valid " : "", only_ca != NULL ? "of CA " : "",
	    only_ca != NULL ? only_ca : "", only_ca != NULL ? " " : "", w->user ? "user" : "device",
	    w->word);
	return err_hint(err, "'" PROG " list --match' looks into the certificates' own names");
}

static enum rc
add_of(struct selection *s, struct store *store, const struct select_by *by, int64_t valid_at,
    struct err *err)
{
	bool user = by->user != NULL;
	struct namesakes w = { .word = user ? by->user : by->device, .user = user };
	enum rc rc = who_is(&w, store, valid_at, err);

	if (rc == RC_OK && w.n == 1)
		rc = add_bound(s, store, user, w.ids[0], by->ca, valid_at, err);
	return rc == RC_OK && s->n == 0 ? nobodys(&w, by->ca, valid_at, err) : rc;
}

enum rc
select_id(char out[static 40], size_t *bound, struct store *s, bool user, const char *word,
    int64_t valid_at, struct err *err)
{
	struct namesakes w = { .word = word, .user = user };
	struct selection found = { 0 };
	enum rc rc = who_is(&w, s, valid_at, err);

	if (rc == RC_OK && w.n == 0)
		rc = nobodys(&w, NULL, valid_at, err);
	if (rc == RC_OK)
		rc = add_bound(&found, s, user, w.ids[0], NULL, valid_at, err);
	if (rc == RC_OK) {
		once(&found);
		*bound = found.n;
		(void)snprintf(out, sizeof(w.ids[0]), "%s", w.ids[0]);
	}
	selection_done(&found);
	return rc;
}

/* ---- all of it ---- */

enum rc
selection_make(struct selection *out, struct store *s, const struct select_by *by, int64_t valid_at,
    int nargs, char **args, struct err *err)
{
	struct selection made = { 0 };
	enum rc rc = RC_OK;

	if ((nargs > 0) + (by->device != NULL) + (by->user != NULL) + (by->file != NULL) != 1)
		return fail(err, RC_CONFIG,
		    "say which certificates: serial numbers, or one of --device, --user and "
		    "--file");
	for (int i = 0; rc == RC_OK && i < nargs; i++)
		rc = add_text(&made, args[i], by->ca, err);
	if (rc == RC_OK && by->file != NULL)
		rc = add_file(&made, by, err);
	if (rc == RC_OK && (by->device != NULL || by->user != NULL))
		rc = add_of(&made, s, by, valid_at, err);
	if (rc != RC_OK) {
		selection_done(&made);
		return rc;
	}
	once(&made);
	*out = made;
	return RC_OK;
}
