/*
 * foreign_import.c - scepctl foreign import: what a CA of others has issued becomes rows of our store.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "scepctl/foreign_common.h"
#include "scepctl/foreign_intake.h"
#include "scepd/ca_identity.h"

#define NAMED_MAX 20 /* certificates that were not taken, and are named */
#define DEPTH_MAX 8  /* of folders in folders */

struct options {
	const char *config;
	bool json, dry_run;
};

static const struct opt opts[] = {
	OPT_CONFIG(options),
	OPT_FLAG_ROW(
	    "dry-run", options, dry_run, "say what would become of them, and change nothing"),
	OPT_FLAG_ROW("json", options, json, "the figures as JSON"),
	{ .name = NULL },
};

/* In the order of enum intake_fate; `bad`: the exit status says so. */
static const struct {
	const char *word, *text, *would, *name;
	enum rc bad;
} fates[INTAKE__MAX] = {
	[INTAKE_ADDED] = { "added", "added", "would be added", NULL, RC_OK },
	[INTAKE_FILLED] = { "filled", "completed", "would be completed", NULL, RC_OK },
	[INTAKE_UNCHANGED] = { "unchanged", "known already", "known already", NULL, RC_OK },
	[INTAKE_ITSELF] = { "itself", "the CA's own certificate, left out",
	    "the CA's own certificate, left out", NULL, RC_OK },
	[INTAKE_OTHER_CA] = { "otherCa", "of other CAs, left out", "of other CAs, left out",
	    "is of another CA", RC_OK },
	[INTAKE_TAKEN] = { "taken",
	    "not added: another certificate of this CA has the serial number",
	    "not to be added: another certificate of this CA has the serial number",
	    "is the serial number of another certificate of this CA", RC_CONFLICT },
	[INTAKE_FORGED] = { "notSigned", "refused: not signed by the CA",
	    "refused: not signed by the CA", "names the CA, whose key has not signed it",
	    RC_INTEGRITY },
	[INTAKE_UNREADABLE] = { "unreadable", "not understood", "not understood", NULL, RC_PARSE },
};

struct job {
	const struct options *o;
	struct intake in;
	bool terminal;
	size_t named, files;
};

static void
end_progress(const struct job *j)
{
	if (j->terminal)
		(void)fprintf(stderr, "\r%40s\r", "");
}

/* ---- told meanwhile ---- */

static void
on_refused(void *arg, enum intake_fate fate, const char *where, size_t line, const char *what)
{
	struct job *j = arg;
	char text[256], file[512], place[24] = "";

	if (j->named++ >= NAMED_MAX)
		return;
	end_progress(j);
	if (line > 0)
		(void)snprintf(place, sizeof(place), ":%zu", line);
	(void)fprintf(stderr, "%s%s: %s%s%s\n", ctl_safe(file, sizeof(file), where), place,
	    ctl_safe(text, sizeof(text), what), fates[fate].name != NULL ? " " : "",
	    fates[fate].name != NULL ? fates[fate].name : "");
}

static void
on_progress(void *arg, const struct intake *in)
{
	const struct job *j = arg;

	if (j->terminal)
		(void)fprintf(stderr, "\r%" PRIu64 " read, %" PRIu64 " new", in->read,
		    in->counts[INTAKE_ADDED]);
}

/* ---- files and folders ---- */

static enum rc
read_stream(struct job *j, FILE *f, struct err *err)
{
	size_t rows;
	enum rc rc = cert_stream_read(f, &rows, intake_take, &j->in, err);

	j->files++;
	return rc;
}

static enum rc
not_opened(const char *path, struct err *err)
{
	if (errno == ENOENT || errno == ENOTDIR)
		return fail(err, RC_NOTFOUND, "%s does not exist", path);
	return fail_errno(err, "cannot open %s", path);
}

static enum rc
read_file(struct job *j, const char *path, struct err *err)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	enum rc rc;

	if (f == NULL)
		return not_opened(path, err);
	j->in.where = f == stdin ? "standard input" : path;
	rc = read_stream(j, f, err);
	if (f != stdin)
		(void)fclose(f);
	if (rc == RC_PARSE || rc == RC_IO)
		(void)err_context(err, "%s", j->in.where);
	return rc;
}

static enum rc read_path(struct job *j, const char *path, unsigned depth, struct err *err);

/*
 * Who fills the folder need not be who imports it: a pipe nobody writes to or a device would be read for ever, and links
 * to folders round and round.  RC_PARSE: left out.
 */
static enum rc
read_inside(struct job *j, const char *path, unsigned depth, struct err *err)
{
	struct stat st;
	bool linked = lstat(path, &st) == 0 && S_ISLNK(st.st_mode);

	if (stat(path, &st) != 0)
		return fail(err, RC_PARSE, "%s: %s", path, strerror(errno));
	if (linked && S_ISDIR(st.st_mode))
		return fail(err, RC_PARSE, "%s: is a link to a folder", path);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return fail(err, RC_PARSE, "%s: is neither a file nor a folder", path);
	return read_path(j, path, depth, err);
}

static enum rc
read_entries(struct job *j, DIR *d, const char *path, unsigned depth, struct err *err)
{
	struct dirent *e;
	enum rc rc = RC_OK;

	while (rc == RC_OK && (errno = 0, e = readdir(d)) != NULL) {
		char *inside = NULL;

		if (e->d_name[0] == '.')
			continue;
		rc = path_join(&inside, path, e->d_name, err);
		if (rc == RC_OK)
			rc = read_inside(j, inside, depth + 1, err);
		free(inside);
		/* Among certificates in a folder there may be a note about them. */
		if (rc == RC_PARSE) {
			j->in.counts[INTAKE_UNREADABLE]++;
			on_refused(j, INTAKE_UNREADABLE, err->msg, 0, "left out");
			rc = RC_OK;
		}
	}
	return rc == RC_OK && errno != 0 ? fail_errno(err, "read the folder %s", path) : rc;
}

static enum rc
read_path(struct job *j, const char *path, unsigned depth, struct err *err)
{
	struct stat st;
	DIR *d;
	enum rc rc;

	if (strcmp(path, "-") == 0)
		return read_file(j, path, err);
	if (stat(path, &st) != 0)
		return not_opened(path, err);
	if (!S_ISDIR(st.st_mode))
		return read_file(j, path, err);
	if (depth > DEPTH_MAX)
		return fail(err, RC_LIMIT, "%s: folders in folders, %d deep", path, DEPTH_MAX);
	if ((d = opendir(path)) == NULL)
		return not_opened(path, err);
	rc = read_entries(j, d, path, depth, err);
	(void)closedir(d);
	return rc;
}

/* ---- what became of them ---- */

static enum rc
worst_of(const struct job *j)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < INTAKE__MAX; i++)
		if (j->in.counts[i] > 0 && fates[i].bad != RC_OK)
			rc = fates[i].bad;
	return rc;
}

static int
print_json(const struct job *j)
{
	json_t *o = json_object();
	bool fine = o != NULL && ctl_json_str(o, "ca", j->in.conf->name) &&
	    json_object_set_new(o, "dryRun", json_boolean(j->o->dry_run)) == 0 &&
	    ctl_json_int(o, "files", (int64_t)j->files) &&
	    ctl_json_int(o, "read", (int64_t)j->in.read) &&
	    ctl_json_int(o, "serialsAlone", (int64_t)j->in.bare) &&
	    ctl_json_int(o, "twoNames", (int64_t)j->in.two_names) &&
	    ctl_json_int(o, "manyNames", (int64_t)j->in.many_names);

	for (size_t i = 0; fine && i < INTAKE__MAX; i++)
		fine = ctl_json_int(o, fates[i].word, (int64_t)j->in.counts[i]);
	return ctl_json_print(o, fine);
}

static void
print_text(const struct job *j)
{
	(void)printf("%s: %" PRIu64 " read", j->in.conf->name, j->in.read);
	if (j->in.bare > 0)
		(void)printf(
		    ", %" PRIu64 " of them serial numbers without a certificate", j->in.bare);
	(void)printf("\n");
	for (size_t i = 0; i < INTAKE__MAX; i++)
		if (j->in.counts[i] > 0)
			(void)printf("  %8" PRIu64 "  %s\n", j->in.counts[i],
			    j->o->dry_run ? fates[i].would : fates[i].text);
}

/* The wrong file, or the wrong CA: the usual mistakes, and each certificate is "of another CA". */
static void
print_nothing_of_it(const struct job *j)
{
	struct buf name;

	if (j->in.read > j->in.counts[INTAKE_OTHER_CA] + j->in.counts[INTAKE_ITSELF])
		return;
	buf_init(&name, LIMIT_CERT);
	name_text(&name, cert_subject0(j->in.ca));
	if (j->in.read == 0)
		(void)fprintf(stderr, "  there was no file to read\n");
	else if (name.rc == RC_OK)
		(void)fprintf(stderr,
		    "  nothing in there was issued by %s, which is %s: another file, or another "
		    "name?\n",
		    j->in.conf->name, buf_str(&name));
	buf_done(&name);
}

static void
print_hints(const struct job *j)
{
	if (j->named > NAMED_MAX)
		(void)fprintf(stderr, "... and %zu more to be told of\n", j->named - NAMED_MAX);
	print_nothing_of_it(j);
	if (j->in.counts[INTAKE_FORGED] > 0)
		(void)fprintf(stderr,
		    "  a CA that was renewed with a new key is another one under foreign_cas: it "
		    "signs "
		    "with another key\n");
	if (j->in.two_names > 0)
		(void)fprintf(stderr,
		    "  %" PRIu64
		    " name two users or two devices: revoke those that nobody can account for\n",
		    j->in.two_names);
	if (j->in.counts[INTAKE_TAKEN] > 0)
		(void)fprintf(stderr,
		    "  a serial number is one certificate of its CA: scepctl show tells which one "
		    "has it here\n");
	if (j->in.conf->tenant == NULL && j->in.counts[INTAKE_ADDED] > j->in.bare)
		(void)fprintf(stderr,
		    "  foreign_cas.%s.tenant is not set: no directory is asked whom these "
		    "certificates "
		    "name; set, the same import again tells it\n",
		    j->in.conf->name);
}

/* Before anything is read: rows that are there under its name may be another CA's. */
static enum rc
check_name(const struct job *j, struct err *err)
{
	const struct ca_identity ca = { j->in.conf->name, false, j->in.ca };

	return j->o->dry_run ? ca_identity_check(j->in.store, &ca, NULL, err)
			     : ca_identity_claim(j->in.store, &ca, err);
}

static enum rc
import(struct job *j, int nargs, char **args, struct err *err)
{
	enum rc rc = check_name(j, err);

	if (rc == RC_OK)
		rc = intake_begin(&j->in, err);
	for (int i = 1; rc == RC_OK && i < nargs; i++)
		rc = read_path(j, args[i], 0, err);
	if (rc == RC_OK)
		rc = intake_flush(&j->in, err);
	end_progress(j);
	if (rc != RC_OK && j->in.counts[INTAKE_ADDED] + j->in.counts[INTAKE_FILLED] > 0 &&
	    !j->o->dry_run)
		return err_hint(err,
		    "%" PRIu64
		    " certificates were added before that; the same command again goes on",
		    j->in.counts[INTAKE_ADDED] + j->in.counts[INTAKE_FILLED]);
	return rc;
}

static int
report(const struct job *j)
{
	enum rc worst = worst_of(j);
	int status = EX_OK;

	if (j->o->json)
		status = print_json(j);
	else
		print_text(j);
	print_hints(j);
	return status != EX_OK || worst == RC_OK ? status : err_reaction(worst)->exit_code;
}

static int
run(const void *options, int nargs, char **args)
{
	struct job j = { .o = options, .terminal = isatty(STDERR_FILENO) != 0 };
	struct config *c = NULL;
	struct store *store = NULL;
	struct cert *ca = NULL;
	struct err err = { 0 };
	enum rc rc = ctl_config(&c, j.o->config, &err);
	int status;

	if (rc == RC_OK)
		rc = foreign_find(&j.in.conf, c, args[0], &err);
	if (rc == RC_OK)
		rc = cert_load(&ca, j.in.conf->certificate, &err);
	if (rc == RC_OK)
		rc = ctl_open(NULL, &store, j.o->config, &err);
	j.in.store = store;
	j.in.ca = ca;
	j.in.dry_run = j.o->dry_run;
	j.in.refused = on_refused;
	j.in.progress = on_progress;
	j.in.arg = &j;
	if (rc == RC_OK)
		rc = import(&j, nargs, args, &err);
	status = rc == RC_OK ? report(&j) : err_report(PROG, &err);
	intake_done(&j.in);
	cert_free(ca);
	store_close(store);
	config_free(c);
	return status;
}

const struct command foreign_import = {
	.name = "import",
	.args = "NAME FILE...",
	.help = "what a foreign CA has issued, from PEM, DER, folders or certutil's table",
	.about =
	    "Only certificates that the CA's key has signed are taken; others are counted and "
	    "named.  A table without\n"
	    "certificates gives serial numbers alone.  Safe to repeat, beside a running scepd.\n\n"
	    "On a Windows CA:\n"
	    "  certutil -view -restrict \"Disposition=20,NotAfter>=now\" -out "
	    "\"SerialNumber,NotAfter,RawCertificate\" csv "
	    "> issued.csv\n"
	    "Examples:\n"
	    "  scepctl foreign import adcs issued.csv --dry-run\n"
	    "  scepctl foreign import old /etc/old-ca/newcerts\n",
	.opts = opts,
	.size = sizeof(struct options),
	.min_args = 2,
	.max_args = 10000,
	.run = run,
};
