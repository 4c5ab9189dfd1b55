/*
 * ca_backup.c - scepctl ca backup: everything that an empty machine needs, in one encrypted file.
 */
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"
#include "ossl/cms_password.h"
#include "scepctl/backup.h"
#include "scepctl/ctl.h"

#define README_MAX (1u << 20)

struct options {
	const char *config, *out, *passphrase_file;
	bool json;
};

static const struct opt opts[] = {
	OPT_CONFIG(options),
	{ .name = "out",
	    .letter = 'o',
	    .type = OPT_STR,
	    .offset = offsetof(struct options, out),
	    .value = "FILE",
	    .required = true,
	    .help = "the backup, a new file" },
	{ .name = "passphrase-file",
	    .type = OPT_STR,
	    .offset = offsetof(struct options, passphrase_file),
	    .value = "SOURCE",
	    .help = "its passphrase: a file, credential:NAME or prompt (default prompt)" },
	OPT_FLAG_ROW("json", options, json, "say what was made as JSON"),
	{ .name = NULL },
};

/* A backup as it is made. */
struct job {
	const struct config *config;
	struct backup_files files;
	struct backup_writer *w;
	char *snapshot; /* copy of the database, beside it; removed at the end */
	int64_t made, told_ms;
	uint64_t bytes; /* of it, once it is whole */
};

/* ---- words ---- */

/* Long work tells now and then that it goes on. */
static void
progress(void *arg, uint64_t done, uint64_t all)
{
	struct job *j = arg;

	if (clock_mono_ms() - j->told_ms < 5000 || all == 0)
		return;
	j->told_ms = clock_mono_ms();
	(void)fprintf(stderr, PROG ": database: %llu %%\n", (unsigned long long)(done * 100 / all));
}

static void
readme_needs(struct buf *b, const struct backup_files *f)
{
	if (f->n_needs == 0) {
		buf_adds(b,
		    "Nothing is missing: all keys and secrets that scepd.yaml names are in "
		    "here.\n");
		return;
	}
	buf_adds(b, "NOT in here, and needed to go on:\n");
	for (size_t i = 0; i < f->n_needs; i++)
		buf_addf(b, "  %s: %s: %s\n", f->needs[i].of, f->needs[i].what, f->needs[i].where);
	buf_adds(b,
	    "A key in a token (pkcs11:) stays in the token: bring the token, or its own backup.\n"
	    "\"prompt\" is what somebody types, \"credential:\" what systemd passes.\n");
}

static void
readme(struct buf *b, const struct job *j)
{
	char when[CTL_TIME_MAX];

	buf_addf(b, "A certification authority (scepd), saved %s from %s.\n\n",
	    ctl_time(when, j->made), j->files.folder);
	buf_adds(b,
	    "Stop the old machine for good before this one starts: two that issue for one CA give\n"
	    "lists of revoked certificates that contradict each other.\n\n"
	    "  scepctl ca restore THIS-BACKUP --dir DIR      an empty folder\n"
	    "  scepctl check --config DIR/scepd.yaml\n"
	    "  scepd --config DIR/scepd.yaml\n\n"
	    "config/ is the folder of scepd.yaml, external/ what it names elsewhere, by whole "
	    "path.\n"
	    "A root's key that is kept off the machine is not in here.\n\n");
	readme_needs(b, &j->files);
}

/* ---- the manifest ---- */

/* Where a file will be, from scepd.yaml's point of view. */
static const char *
place_of(const char *name)
{
	return str_starts(name, BACKUP_CONFIG) ? name + strlen(BACKUP_CONFIG) : name;
}

/* As it is written in scepd.yaml: whole, or from its folder upwards ("../ca.pem"). */
static bool
add_path(json_t *list, const struct backup_files *f, const struct backup_file *file)
{
	size_t len = strlen(f->folder);
	const char *is = place_of(file->name);

	if (json_array_append_new(list, json_pack("{s:s, s:s}", "was", file->path, "is", is)) != 0)
		return false;
	if (strncmp(file->path, f->folder, len) != 0 || file->path[len] != '/' ||
	    strcmp(file->path + len + 1, is) == 0)
		return true;
	return json_array_append_new(
		   list, json_pack("{s:s, s:s}", "was", file->path + len + 1, "is", is)) == 0;
}

static json_t *
paths_of(const struct backup_files *f)
{
	json_t *list = json_array();
	bool ok = list != NULL && add_path(list, f, &f->database) &&
	    (f->state.path == NULL || add_path(list, f, &f->state));

	for (size_t i = 1; ok && i < f->n; i++) /* 0: scepd.yaml itself */
		ok = add_path(list, f, &f->v[i]);
	if (ok)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *
needs_of(const struct backup_files *f)
{
	json_t *list = json_array();
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < f->n_needs; i++)
		ok = json_array_append_new(list,
			 json_pack("{s:s, s:s, s:s}", "of", f->needs[i].of, "what",
			     f->needs[i].what, "where", f->needs[i].where)) == 0;
	if (ok)
		return list;
	json_decref(list);
	return NULL;
}

/* Whose the database is: who restores as root has to give it to the same account. */
static const char *
owner_of(const char *path)
{
	struct stat st;
	struct passwd *pw = stat(path, &st) == 0 ? getpwuid(st.st_uid) : NULL;

	return pw != NULL ? pw->pw_name : NULL;
}

static enum rc
manifest_of(json_t **out, const struct job *j, struct err *err)
{
	const struct backup_files *f = &j->files;
	char when[TIME_TEXT_MAX], host[256] = "";
	json_t *o;

	time_rfc3339(when, j->made);
	(void)gethostname(host, sizeof(host) - 1);
	o = json_pack("{s:i, s:I, s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:o, s:o}", "format",
	    BACKUP_FORMAT, "made", (json_int_t)j->made, "when", when, "host", host, "folder",
	    f->folder, "config", f->v[0].name, "database", f->database.name, "state", f->state.name,
	    "owner", owner_of(f->database.path), "paths", paths_of(f), "needs", needs_of(f));
	if (o == NULL)
		return fail(
		    err, RC_NOMEM, "cannot list the files: no memory, or a path is not UTF-8");
	*out = o;
	return RC_OK;
}

/* ---- what goes in ---- */

static enum rc
add_readme(struct job *j, struct err *err)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, README_MAX);
	readme(&b, j);
	rc = buf_ok(&b, BACKUP_README, err);
	if (rc == RC_OK)
		rc = backup_add_text(j->w, BACKUP_README, &b, err);
	buf_done(&b);
	return rc;
}

static enum rc
add_files(struct job *j, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < j->files.n; i++)
		rc = backup_add(j->w, &j->files.v[i], j->files.v[i].path, err);
	return rc;
}

/* The copy lies beside the database, where its content is as safe as there; it must not fill the
 * daemon's disk. */
static enum rc
room_for_copy(const struct job *j, struct err *err)
{
	struct statvfs fs;
	struct stat st;
	uint64_t room;
	enum rc rc;

	if (stat(j->files.database.path, &st) != 0 || statvfs(j->files.database.path, &fs) != 0)
		return fail_errno(err, "cannot look at %s", j->files.database.path);
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room / 2 >= (uint64_t)st.st_size)
		return RC_OK;
	rc = fail(err, RC_IO, "%s: a copy needs %llu MB beside it, twice that has to be free",
	    j->files.database.path, (unsigned long long)((uint64_t)st.st_size >> 20));
	err_hint(err, "make room on the disk: a full one would stop the daemon, too");
	return rc;
}

static enum rc
add_database(struct job *j, struct err *err)
{
	struct backup_file copy = { .name = j->files.database.name };
	struct store *store = NULL;
	enum rc rc = room_for_copy(j, err);

	if (rc == RC_OK)
		rc = str_format(
		    &j->snapshot, err, "%s.backup-%ld", j->files.database.path, (long)getpid());
	if (rc == RC_OK)
		rc = store_open_shared(&store, j->config->store.url, err);
	if (rc == RC_OK)
		rc = store_backup(store, j->snapshot, progress, j, err);
	store_close(store);
	if (rc != RC_OK)
		return rc;
	copy.path = j->snapshot;
	return backup_add(j->w, &copy, j->files.database.path, err);
}

/* ---- the signer's folder ---- */

/* The signer makes its table of serial numbers again from the audit (signer_serials.h); a copy of it that was taken
 * while it grew would be worse than none. */
static bool
is_left_out(const char *name)
{
	return name[0] == '.' || strcmp(name, "lock") == 0 || str_starts(name, "serials");
}

/* Files that are only appended to come last: what others say of their length holds then. */
static bool
is_appended(const char *name)
{
	return str_starts(name, "audit-");
}

static enum rc
add_state_file(struct job *j, const char *name, struct err *err)
{
	struct backup_file f = { NULL };
	struct stat st;
	enum rc rc = path_join(&f.path, j->files.state.path, name, err);

	if (rc == RC_OK)
		rc = path_join(&f.name, j->files.state.name, name, err);
	/* A temporary file may be gone again; a socket or folder is nobody's state. */
	if (rc == RC_OK && lstat(f.path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (rc = backup_add(j->w, &f, f.path, err)) == RC_NOTFOUND)
		rc = RC_OK;
	free(f.path);
	free(f.name);
	return rc;
}

static enum rc
add_state(struct job *j, bool appended, struct err *err)
{
	struct dirent **list = NULL;
	enum rc rc = RC_OK;
	int n;

	if (j->files.state.path == NULL)
		return RC_OK;
	n = scandir(j->files.state.path, &list, NULL, alphasort);
	if (n < 0)
		return fail_errno(err, "cannot look into %s", j->files.state.path);
	for (int i = 0; i < n; i++) {
		if (rc == RC_OK && !is_left_out(list[i]->d_name) &&
		    is_appended(list[i]->d_name) == appended)
			rc = add_state_file(j, list[i]->d_name, err);
		free(list[i]);
	}
	free(list);
	return rc;
}

/*
 * The database first: what the signer has written since is more than the database knows, never less.
 */
static enum rc
fill(struct job *j, struct err *err)
{
	json_t *manifest = NULL;
	enum rc rc;

	if ((rc = manifest_of(&manifest, j, err)) == RC_OK && (rc = add_readme(j, err)) == RC_OK &&
	    (rc = add_files(j, err)) == RC_OK && (rc = add_database(j, err)) == RC_OK &&
	    (rc = add_state(j, false, err)) == RC_OK && (rc = add_state(j, true, err)) == RC_OK)
		rc = backup_writer_end(j->w, manifest, err);
	json_decref(manifest);
	return rc;
}

static enum rc
make(struct job *j, const char *out, const struct buf *passphrase, struct err *err)
{
	enum rc rc = backup_writer_new(&j->w, out, passphrase, err);

	if (rc == RC_OK)
		rc = fill(j, err);
	if (rc == RC_OK)
		j->bytes = backup_written(j->w);
	backup_writer_free(j->w);
	if (j->snapshot != NULL)
		(void)unlink(j->snapshot);
	free(j->snapshot);
	return rc;
}

static json_t *
needs_json(const struct backup_files *f)
{
	json_t *v = json_array();

	for (size_t i = 0; v != NULL && i < f->n_needs; i++)
		if (json_array_append_new(v,
			json_pack("{s:s, s:s, s:s}", "what", f->needs[i].what, "of", f->needs[i].of,
			    "where", f->needs[i].where)) != 0) {
			json_decref(v);
			v = NULL;
		}
	return v;
}

static enum rc
tell_json(const struct job *j, const char *out, struct err *err)
{
	json_t *o = json_object();
	bool built = o != NULL && ctl_json_str(o, "file", out) &&
	    ctl_json_int(o, "bytes", (int64_t)j->bytes) && ctl_json_time(o, "made", j->made) &&
	    json_object_set_new(o, "notInIt", needs_json(&j->files)) == 0;

	if (ctl_json_print(o, built) == EX_OK)
		return RC_OK;
	return fail(err, RC_NOMEM, "%s was made, and there is no memory to tell of it", out);
}

static void
tell(const struct job *j, const char *out)
{
	const struct backup_files *f = &j->files;

	(void)printf("%s: %llu bytes\n", out, (unsigned long long)j->bytes);
	for (size_t i = 0; i < f->n_needs; i++)
		(void)printf("not in it: %s of %s: %s\n", f->needs[i].what, f->needs[i].of,
		    f->needs[i].where);
	(void)printf("Keep the passphrase apart from the file: without it nothing opens it.\n");
}

static enum rc
backup(const struct options *o, struct err *err)
{
	struct job j = { .made = clock_now(), .told_ms = clock_mono_ms() };
	struct config *config = NULL;
	struct buf passphrase;
	enum rc rc = ctl_config(&config, o->config, err);

	if (rc != RC_OK)
		return rc;
	j.config = config;
	buf_init(&passphrase, CMS_PASSWORD_LEN_MAX);
	if ((rc = backup_files_find(&j.files, config, err)) == RC_OK) {
		rc = secret_read_new(&passphrase,
		    o->passphrase_file != NULL ? o->passphrase_file : "prompt",
		    "Passphrase of the backup", err);
		if (rc == RC_OK)
			rc = make(&j, o->out, &passphrase, err);
		if (rc == RC_OK && o->json)
			rc = tell_json(&j, o->out, err);
		else if (rc == RC_OK)
			tell(&j, o->out);
		backup_files_done(&j.files);
	}
	buf_wipe(&passphrase);
	config_free(config);
	return rc;
}

static int
run(const void *options, int nargs, char **args)
{
	struct err err = { 0 };

	return backup(options, &err) == RC_OK ? EX_OK : err_report(PROG, &err);
}

const struct command ca_backup = {
	.name = "backup",
	.args = "",
	.help = "everything that an empty machine needs to go on, in one encrypted file",
	.about = "Beside a running daemon or without one.  Keys in tokens are not in it.\n\n"
		 "Examples:\n"
		 "  scepctl ca backup --out /mnt/usb/ca-2026-11-30.backup\n"
		 "  scepctl ca backup --out ca.backup --passphrase-file credential:backup\n",
	.opts = opts,
	.size = sizeof(struct options),
	.run = run,
};
