/*
 * backup_read.c - the way back: a file, CMS, tar, entries; and what an entry may be.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "ossl/cms_password.h"
#include "scepctl/backup.h"

#define CHUNK (64u * KIB)

/* A file that is being opened. */
struct reader {
	const struct backup_source *src;
	int fd;
	uint64_t done, all;
	struct cms_opener *opener;
	struct err err; /* of a callback of libarchive's */
	uint8_t chunk[CHUNK];
};

static enum rc
from_file(void *arg, void *p, size_t size, size_t *n, struct err *err)
{
	struct reader *r = arg;
	ssize_t got;

	do {
		got = read(r->fd, p, size);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return fail_errno(err, "cannot read %s", r->src->path);
	*n = (size_t)got;
	r->done += *n;
	if (r->src->progress != NULL)
		r->src->progress(r->src->arg, r->done, r->all);
	return RC_OK;
}

static enum rc
why_not(const struct reader *r, enum rc rc, struct err *err)
{
	err_context(err, "%s", r->src->path);
	if (rc == RC_DENIED)
		return err_hint(err, "another passphrase? or its first bytes were changed");
	if (rc == RC_PARSE || rc == RC_INTEGRITY)
		return err_hint(err, "nothing of it was used: take another copy of the backup");
	return rc;
}

static enum rc
reader_open(struct reader *r, const struct backup_source *src, struct err *err)
{
	struct stat st;
	enum rc rc;

	*r = (struct reader){ .src = src };
	r->fd = open(src->path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		return fail_errno(err, "cannot open %s", src->path);
	if (fstat(r->fd, &st) == 0)
		r->all = (uint64_t)st.st_size;
	rc = cms_opener_new(
	    &r->opener, src->passphrase->data, src->passphrase->len, from_file, r, err);
	if (rc != RC_OK) {
		(void)why_not(r, rc, err);
		(void)close(r->fd);
	}
	return rc;
}

static void
reader_close(struct reader *r)
{
	cms_opener_free(r->opener);
	(void)close(r->fd);
	wipe(r->chunk, sizeof(r->chunk));
}

/* To the end, where the tag is. */
static enum rc
drain(struct reader *r, struct err *err)
{
	size_t n = 1;
	enum rc rc = RC_OK;

	while (rc == RC_OK && n > 0)
		rc = cms_opener_read(r->opener, r->chunk, sizeof(r->chunk), &n, err);
	return rc == RC_OK ? rc : why_not(r, rc, err);
}

enum rc
backup_verify(const struct backup_source *src, struct err *err)
{
	struct reader *r = malloc(sizeof(*r));
	enum rc rc;

	if (r == NULL)
		return fail(err, RC_NOMEM, "no memory to read a backup");
	if ((rc = reader_open(r, src, err)) == RC_OK) {
		rc = drain(r, err);
		reader_close(r);
	}
	free(r);
	return rc;
}

/* ---- entries ---- */

static la_ssize_t
to_tar(struct archive *a, void *arg, const void **p)
{
	struct reader *r = arg;
	size_t n;

	if (cms_opener_read(r->opener, r->chunk, sizeof(r->chunk), &n, &r->err) != RC_OK) {
		archive_set_error(a, EIO, "%s", r->err.msg);
		return -1;
	}
	*p = r->chunk;
	return (la_ssize_t)n;
}

static enum rc
tar_fail(const struct reader *r, struct archive *tar, struct err *err)
{
	const char *why = archive_error_string(tar);

	if (r->err.rc == RC_OK)
		return fail(
		    err, RC_INTEGRITY, "%s: %s", r->src->path, why != NULL ? why : "no tar");
	if (err != NULL)
		*err = r->err;
	return why_not(r, r->err.rc, err);
}

/* Every step leads downwards: "config/ca/issuing.pem". */
static bool
steps_are_safe(const char *name)
{
	size_t len;

	for (;; name += len + 1) {
		len = strcspn(name, "/");
		if (len == 0 || (len == 1 && name[0] == '.') ||
		    (len == 2 && name[0] == '.' && name[1] == '.'))
			return false;
		if (name[len] == '\0')
			return true;
	}
}

static bool
name_is_safe(const char *name)
{
	if (strnlen(name, BACKUP_NAME_MAX + 1) > BACKUP_NAME_MAX || !steps_are_safe(name) ||
	    !utf8_plain(name, BACKUP_NAME_MAX))
		return false;
	return strcmp(name, BACKUP_README) == 0 || strcmp(name, BACKUP_MANIFEST) == 0 ||
	    str_starts(name, BACKUP_CONFIG) || str_starts(name, BACKUP_EXTERNAL);
}

static enum rc
entry_check(struct backup_entry *out, struct archive *tar, struct archive_entry *e, struct err *err)
{
	const char *name = archive_entry_pathname(e);

	if (name == NULL || !name_is_safe(name))
		return fail(err, RC_INTEGRITY, "an entry \"%.100s\" is in no backup",
		    name != NULL ? name : "?");
	if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e) != NULL ||
	    archive_entry_symlink(e) != NULL || archive_entry_sparse_count(e) > 0 ||
	    !archive_entry_size_is_set(e) || archive_entry_size(e) < 0)
		return fail(err, RC_INTEGRITY, "the entry \"%.100s\" is no plain file", name);
	*out = (struct backup_entry){ .name = name,
		.size = (uint64_t)archive_entry_size(e),
		.mode = archive_entry_perm(e) & 0777,
		.mtime = archive_entry_mtime(e),
		.from = tar };
	return RC_OK;
}

static enum rc
each_entry(struct reader *r, struct archive *tar, backup_entry_fn *fn, void *arg, struct err *err)
{
	struct archive_entry *e;
	struct backup_entry entry;
	enum rc rc = RC_OK;
	int code;

	for (size_t n = 0; rc == RC_OK; n++) {
		if ((code = archive_read_next_header(tar, &e)) == ARCHIVE_EOF)
			return RC_OK;
		if (code != ARCHIVE_OK)
			return tar_fail(r, tar, err);
		if (n > BACKUP_ENTRIES_MAX)
			return fail(err, RC_LIMIT, "%s has more than %d entries", r->src->path,
			    BACKUP_ENTRIES_MAX);
		rc = entry_check(&entry, tar, e, err);
		if (rc == RC_OK)
			rc = fn(arg, &entry, err);
	}
	return rc;
}

static enum rc
tar_open(struct reader *r, struct archive *tar, struct err *err)
{
	if (archive_read_support_format_tar(tar) != ARCHIVE_OK ||
	    archive_read_support_filter_none(tar) != ARCHIVE_OK ||
	    archive_read_open(tar, r, NULL, to_tar, NULL) != ARCHIVE_OK)
		return tar_fail(r, tar, err);
	return RC_OK;
}

static enum rc
each_of(struct reader *r, backup_entry_fn *fn, void *arg, struct err *err)
{
	struct archive *tar = archive_read_new();
	enum rc rc;

	if (tar == NULL)
		return fail(err, RC_NOMEM, "no memory to read a backup");
	rc = tar_open(r, tar, err);
	if (rc == RC_OK)
		rc = each_entry(r, tar, fn, arg, err);
	(void)archive_read_free(tar);
	return rc == RC_OK ? drain(r, err) : rc;
}

enum rc
backup_each(const struct backup_source *src, backup_entry_fn *fn, void *arg, struct err *err)
{
	struct reader *r = malloc(sizeof(*r));
	enum rc rc;

	if (r == NULL)
		return fail(err, RC_NOMEM, "no memory to read a backup");
	if ((rc = reader_open(r, src, err)) == RC_OK) {
		rc = each_of(r, fn, arg, err);
		reader_close(r);
	}
	free(r);
	return rc;
}

enum rc
backup_read(const struct backup_entry *e, void *p, size_t size, size_t *n, struct err *err)
{
	la_ssize_t got = archive_read_data(e->from, p, size);
	const char *why = archive_error_string(e->from);

	if (got < 0)
		return fail(
		    err, RC_INTEGRITY, "%.100s: %s", e->name, why != NULL ? why : "no data");
	*n = (size_t)got;
	return RC_OK;
}
