/*
 * backup.h - everything that an empty machine needs to go on as this CA, in one encrypted file.
 *
 * The file is a tar under a passphrase (ossl/cms_password.h), so that two commands open it by hand.  In it:
 *
 *	README            for people: what is missing here, and how to restore
 *	config/...        scepd.yaml and what lies beside and below it
 *	external/...      files that scepd.yaml names elsewhere, by their whole path
 *	manifest.json     last: size and SHA-256 of each, and where it was
 *
 * Nothing here is believed before the whole file has been read once and its tag was right.
 *
 * Threads: one.
 */
#ifndef SCEPD_SCEPCTL_BACKUP_H
#define SCEPD_SCEPCTL_BACKUP_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "json/json.h"
#include "scepd/config.h"

#define BACKUP_FORMAT       1
#define BACKUP_ENTRIES_MAX  200000      /* the signer's audit has at most 100,000 files */
#define BACKUP_NAME_MAX     4095        /* bytes of a path */
#define BACKUP_MANIFEST_MAX (64u << 20) /* bytes; 300 a file */

#define BACKUP_README   "README"
#define BACKUP_MANIFEST "manifest.json"
#define BACKUP_CONFIG   "config/"
#define BACKUP_EXTERNAL "external/"

/* ---- what belongs to a CA: backup_files.c ---- */

struct backup_file {
	char *path; /* where it is */
	char *name; /* in the backup */
};
/* What is asked for, made or reached elsewhere, and so cannot be in a backup. */
struct backup_need {
	const char *of, *what; /* "issuing", "passphrase" */
	char *where;           /* "prompt", "pkcs11:token=ca;object=issuing" */
};
struct backup_files {
	char *folder;          /* of scepd.yaml, absolute */
	struct backup_file *v; /* scepd.yaml first; each path once */
	size_t n;
	struct backup_need *needs;
	size_t n_needs;
	struct backup_file database,
	    state; /* the signer's folder; state.path NULL: none is there */
};
/* Follows the configuration; reads nothing but the names in folders. */
enum rc backup_files_find(
    struct backup_files *out, const struct config *c, struct err *err) MUST_CHECK;
void backup_files_done(struct backup_files *f);

/* ---- writing: backup_write.c ---- */

struct backup_writer;
/* Makes `path` (mode 0600), which appears when backup_writer_end() has succeeded. */
enum rc backup_writer_new(struct backup_writer **out, const char *path,
    const struct buf *passphrase, struct err *err) MUST_CHECK;
/*
 * Add a file as long as it is now: what is appended meanwhile is not in it.  `was`: its path for the
 * manifest.  RC_NOTFOUND: it is gone.
 */
enum rc backup_add(struct backup_writer *w, const struct backup_file *f, const char *was,
    struct err *err) MUST_CHECK;
enum rc backup_add_text(
    struct backup_writer *w, const char *name, const struct buf *text, struct err *err) MUST_CHECK;
/* Bytes so far. */
uint64_t backup_written(const struct backup_writer *w);
/* `manifest` gets the list of files, and is written. */
enum rc backup_writer_end(struct backup_writer *w, json_t *manifest, struct err *err) MUST_CHECK;
void backup_writer_free(struct backup_writer *w); /* without _end: nothing is left */

/* ---- reading: backup_read.c ---- */

struct backup_entry {
	const char *name; /* safe: relative, no "..", of the four above */
	uint64_t size;
	mode_t mode;
	int64_t mtime;
	void *from; /* backup_read()'s */
};
typedef enum rc backup_entry_fn(void *arg, const struct backup_entry *e, struct err *err);
/* Told now and then how many bytes have been read, of how many. */
typedef void backup_progress_fn(void *arg, uint64_t done, uint64_t all);

struct backup_source {
	const char *path;
	const struct buf *passphrase;
	backup_progress_fn *progress; /* may be NULL */
	void *arg;
};
/* The whole file, once: RC_OK says that it is what was sealed with this passphrase. */
enum rc backup_verify(const struct backup_source *src, struct err *err) MUST_CHECK;
/* Give each entry to `fn`, after backup_verify(); the tag is checked again at the end.  RC_INTEGRITY: an entry that
 * no backup has: a link, a folder, a path that leads elsewhere. */
enum rc backup_each(
    const struct backup_source *src, backup_entry_fn *fn, void *arg, struct err *err) MUST_CHECK;
/* Of an entry, within `fn`: *n 0 at its end. */
enum rc backup_read(
    const struct backup_entry *e, void *p, size_t size, size_t *n, struct err *err) MUST_CHECK;

/* ---- restoring: restore.c, restore_paths.c, restore_check.c ---- */

/* A restore as it goes on. */
struct restore {
	struct backup_source src;
	const char *dir; /* where to, without a slash at the end */
	char *tmp;       /* beside it: holds everything until it is renamed */
	json_t *manifest;
	struct buf manifest_text;
	struct buf told; /* lines for the administrator */
	json_t *found;   /* name: [size, SHA-256] of what was unpacked */
	size_t n;
	int64_t made; /* wall seconds of the backup */
};
/* Verify, unpack, check, rename to `dir`; on failure nothing is left.  RC_CONFLICT: `dir` holds something. */
enum rc restore_run(struct restore *r, struct err *err) MUST_CHECK;
void restore_done(struct restore *r);

/* Paths in scepd.yaml that were absolute point into the restored folder afterwards. */
enum rc restore_paths(struct restore *r, struct err *err) MUST_CHECK;
/* Replace each path of `was` that stands by itself in `text` by the one of `is`; *n: how many. */
struct path_pair {
	const char *was, *is;
};
enum rc paths_replace(struct buf *out, const char *text, const struct path_pair *pairs,
    size_t n_pairs, size_t *n, struct err *err) MUST_CHECK;
/* The configuration loads, keys fit certificates, chains are whole; CRL numbers go on. */
enum rc restore_check(struct restore *r, struct err *err) MUST_CHECK;

#endif
