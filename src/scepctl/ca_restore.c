/*
 * ca_restore.c - scepctl ca restore: a backup becomes a CA again.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"
#include "ossl/cms_password.h"
#include "scepctl/backup.h"
#include "scepctl/listing.h"

struct options {
	const char *dir, *passphrase_file;
	bool list, json;
};

static const struct opt opts[] = {
	{ .name = "dir",
	    .letter = 'd',
	    .type = OPT_STR,
	    .offset = offsetof(struct options, dir),
	    .value = "DIR",
	    .help = "where to: a folder that is not there yet, or empty" },
	{ .name = "passphrase-file",
	    .type = OPT_STR,
	    .offset = offsetof(struct options, passphrase_file),
	    .value = "SOURCE",
	    .help = "its passphrase: a file, credential:NAME or prompt (default prompt)" },
	OPT_FLAG_ROW("list", options, list, "only say what is in it; nothing is written"),
	OPT_FLAG_ROW("json", options, json, "with --list: the files as a JSON array"),
	{ .name = NULL },
};

struct told {
	int64_t ms;
};

static void
progress(void *arg, uint64_t done, uint64_t all)
{
	struct told *t = arg;

	if (clock_mono_ms() - t->ms < 5000 || all == 0)
		return;
	t->ms = clock_mono_ms();
	(void)fprintf(stderr, PROG ": read: %llu %%\n", (unsigned long long)(done * 100 / all));
}

/* ---- --list ---- */

static enum rc
list_readme(const struct backup_entry *e, struct err *err)
{
	char chunk[4096];
	size_t n = 1;
	enum rc rc = RC_OK;

	while (rc == RC_OK && n > 0) {
		rc = backup_read(e, chunk, sizeof(chunk), &n, err);
		if (rc == RC_OK)
			(void)fwrite(chunk, 1, n, stdout);
	}
	(void)printf("\n");
	return rc;
}

static enum rc
list_entry(void *arg, const struct backup_entry *e, struct err *err)
{
	char when[CTL_TIME_MAX], name[512];

	if (strcmp(e->name, BACKUP_README) == 0)
		return list_readme(e, err);
	(void)printf("%04o %12llu  %s  %s\n", (unsigned)e->mode, (unsigned long long)e->size,
	    ctl_time(when, e->mtime), ctl_safe(name, sizeof(name), e->name));
	return RC_OK;
}

static json_t *
entry_json(const struct backup_entry *e)
{
	json_t *o = json_object();
	char mode[8];

	(void)snprintf(mode, sizeof(mode), "%04o", (unsigned)e->mode);
	if (o != NULL && ctl_json_str(o, "name", e->name) && ctl_json_str(o, "mode", mode) &&
	    ctl_json_int(o, "size", (int64_t)e->size) && ctl_json_time(o, "modified", e->mtime))
		return o;
	json_decref(o);
	return NULL;
}

static enum rc
list_entry_json(void *arg, const struct backup_entry *e, struct err *err)
{
	struct listing *l = arg;

	(void)listing_item(l, 0, entry_json(e));
	return listing_end(l, RC_OK, err);
}

static enum rc
list(const struct backup_source *src, bool json, struct err *err)
{
	struct listing l = { .json = json };
	enum rc rc = backup_verify(src, err);

	if (rc == RC_OK)
		rc = backup_each(src, json ? list_entry_json : list_entry, &l, err);
	if (rc == RC_OK && json)
		listing_close(&l, "");
	return rc;
}

/* ---- restore ---- */

static void
tell_needs(const struct restore *r)
{
	const json_t *list = json_object_get(r->manifest, "needs"), *one;
	char where[512];
	size_t i;

	json_array_foreach(list, i, one)
	{
		(void)printf("needed, and not in the backup: %s of %s: %s\n",
		    json_get_str(one, "what"), json_get_str(one, "of"),
		    ctl_safe(where, sizeof(where), json_get_str(one, "where")));
	}
}

static void
tell(const struct restore *r)
{
	const char *name = json_get_str(r->manifest, "config"), *owner;
	char when[CTL_TIME_MAX], host[256];

	(void)printf("Restored to %s, as it was %s on %s.\n\n%s", r->dir, ctl_time(when, r->made),
	    ctl_safe(host, sizeof(host), json_get_str(r->manifest, "host")), buf_str(&r->told));
	tell_needs(r);
	owner = json_get_str(r->manifest, "owner");
	if (geteuid() == 0 && owner != NULL && strcmp(owner, "root") != 0)
		(void)printf("The database was %s's: chown -R %s %s\n", owner, owner, r->dir);
	(void)printf(
	    "\nStop the old machine for good before this one starts.\n"
	    "Certificates issued after %s are unknown to this CA: it cannot revoke them, and "
	    "their devices\n"
	    "enrol anew when they renew.  What was revoked after it has to be revoked again.\n\n"
	    "  scepctl check --config %s/%s\n  scepd --config %s/%s\n",
	    ctl_time(when, r->made), r->dir, name + strlen(BACKUP_CONFIG), r->dir,
	    name + strlen(BACKUP_CONFIG));
}

static enum rc
restore(const struct options *o, const struct backup_source *src, struct err *err)
{
	struct restore r = { .src = *src };
	char *dir = NULL;
	size_t len;
	enum rc rc;

	if (o->dir == NULL)
		return fail(err, RC_CONFIG, "where to? --dir DIR, or --list");
	len = strlen(o->dir);
	while (len > 1 && o->dir[len - 1] == '/')
		len--;
	if ((rc = str_ndup(&dir, o->dir, len, err)) != RC_OK)
		return rc;
	r.dir = dir;
	rc = restore_run(&r, err);
	if (rc == RC_OK)
		tell(&r);
	restore_done(&r);
	free(dir);
	return rc;
}

static int
run(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	struct told told = { clock_mono_ms() };
	struct buf passphrase;
	struct backup_source src = { args[0], &passphrase, progress, &told };
	struct err err = { 0 };
	enum rc rc = RC_OK;

	buf_init(&passphrase, CMS_PASSWORD_LEN_MAX);
	if (o->json && !o->list)
		rc = fail(&err, RC_CONFIG, "--json goes with --list");
	if (rc == RC_OK)
		rc = secret_read(&passphrase,
		    o->passphrase_file != NULL ? o->passphrase_file : "prompt",
		    "Passphrase of the backup", &err);
	if (rc == RC_OK)
		rc = o->list ? list(&src, o->json, &err) : restore(o, &src, &err);
	buf_wipe(&passphrase);
	return rc == RC_OK ? EX_OK : err_report(PROG, &err);
}

const struct command ca_restore = {
	.name = "restore",
	.args = "FILE",
	.help = "a backup becomes a CA again, in an empty folder",
	.about = "The file is read to its end and checked before anything of it is used.\n\n"
		 "Examples:\n"
		 "  scepctl ca restore ca-2026-11-30.backup --list\n"
		 "  scepctl ca restore ca-2026-11-30.backup --dir /etc/scepd\n",
	.opts = opts,
	.size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
