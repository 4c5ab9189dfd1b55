/*
 * backup_write.c - files become a tar, the tar becomes segments of CMS, the segments a file; all at
 * once, in constant memory.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "ossl/alg.h"
#include "ossl/cms_password.h"
#include "scepctl/backup.h"

#define CHUNK (64u * KIB)

struct backup_writer {
	char *path, *tmp; /* tmp: what is written; NULL when there is nothing to remove */
	int fd;
	struct cms_sealer *sealer;
	struct archive *tar;
	json_t *list; /* of the manifest */
	size_t n;
	uint64_t written;
	struct err err; /* of a callback of libarchive's, which has no place for it */
	uint8_t chunk[CHUNK];
};

static enum rc
to_file(void *arg, const void *p, size_t len, struct err *err)
{
	struct backup_writer *w = arg;
	const uint8_t *from = p;

	while (len > 0) {
		ssize_t n = write(w->fd, from, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, "cannot write %s", w->path);
		from += n;
		len -= (size_t)n;
		w->written += (size_t)n;
	}
	return RC_OK;
}

static la_ssize_t
to_sealer(struct archive *a, void *arg, const void *p, size_t len)
{
	struct backup_writer *w = arg;

	if (cms_sealer_add(w->sealer, p, len, &w->err) == RC_OK)
		return (la_ssize_t)len;
	archive_set_error(a, EIO, "%s", w->err.msg);
	return -1;
}

/* What libarchive says of itself, or what a callback had to say. */
static enum rc
tar_fail(const struct backup_writer *w, struct err *err)
{
	const char *why = archive_error_string(w->tar);

	if (w->err.rc == RC_OK)
		return fail(
		    err, RC_IO, "%s: %s", w->path, why != NULL ? why : "cannot write the archive");
	if (err != NULL)
		*err = w->err;
	return w->err.rc;
}

static enum rc
tar_open(struct backup_writer *w, struct err *err)
{
	w->tar = archive_write_new();
	if (w->tar == NULL)
		return fail(err, RC_NOMEM, "no memory for an archive");
	/* Names as they are, whatever the locale. */
	if (archive_write_set_format_pax_restricted(w->tar) != ARCHIVE_OK ||
	    archive_write_set_format_option(w->tar, "pax", "hdrcharset", "BINARY") != ARCHIVE_OK ||
	    archive_write_add_filter_none(w->tar) != ARCHIVE_OK ||
	    archive_write_open(w->tar, w, NULL, to_sealer, NULL) != ARCHIVE_OK)
		return tar_fail(w, err);
	return RC_OK;
}

static enum rc
file_open(struct backup_writer *w, const char *path, struct err *err)
{
	char *tmp = NULL;
	enum rc rc;

	if (access(path, F_OK) == 0)
		return fail(err, RC_CONFLICT, "%s exists already", path);
	rc = str_dup(&w->path, path, err);
	if (rc == RC_OK)
		rc = str_format(&tmp, err, "%s.XXXXXX", path);
	if (rc != RC_OK)
		return rc;
	w->fd = mkostemp(tmp, O_CLOEXEC);
	if (w->fd >= 0) {
		w->tmp = tmp;
		return RC_OK;
	}
	rc = fail_errno(err, "cannot create %s", path);
	free(tmp);
	return rc;
}

enum rc
backup_writer_new(
    struct backup_writer **out, const char *path, const struct buf *passphrase, struct err *err)
{
	struct backup_writer *w = calloc(1, sizeof(*w));
	enum rc rc;

	if (w == NULL || (w->list = json_array()) == NULL) {
		free(w);
		return fail(err, RC_NOMEM, "no memory for a backup");
	}
	w->fd = -1;
	rc = file_open(w, path, err);
	if (rc == RC_OK)
		rc = cms_sealer_new(&w->sealer, passphrase->data, passphrase->len,
		    CMS_PASSWORD_ROUNDS, to_file, w, err);
	if (rc == RC_OK)
		rc = tar_open(w, err);
	if (rc == RC_OK)
		*out = w;
	else
		backup_writer_free(w);
	return rc;
}

uint64_t
backup_written(const struct backup_writer *w)
{
	return w->written;
}

/* ---- entries ---- */

static enum rc
entry_begin(struct backup_writer *w, const char *name, const struct stat *st, struct err *err)
{
	struct archive_entry *e;
	bool begun;

	if (w->n++ == BACKUP_ENTRIES_MAX)
		return fail(err, RC_LIMIT, "more than %d files for one backup", BACKUP_ENTRIES_MAX);
	e = archive_entry_new();
	if (e == NULL)
		return fail(err, RC_NOMEM, "no memory for an archive");
	archive_entry_set_pathname(e, name);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, st->st_mode & 0777);
	archive_entry_set_size(e, st->st_size);
	archive_entry_set_mtime(e, st->st_mtime, 0);
	begun = archive_write_header(w->tar, e) == ARCHIVE_OK;
	archive_entry_free(e);
	return begun ? RC_OK : tar_fail(w, err);
}

static enum rc
entry_data(struct backup_writer *w, const void *p, size_t len, struct hash *h, struct err *err)
{
	enum rc rc = hash_add(h, p, len, err);

	if (rc == RC_OK && archive_write_data(w->tar, p, len) != (la_ssize_t)len)
		rc = tar_fail(w, err);
	return rc;
}

static enum rc
list_add(struct backup_writer *w, const char *name, const char *was, const struct stat *st,
    struct hash *h, struct err *err)
{
	uint8_t digest[32];
	char hex[65], mode[8];
	json_t *o;
	enum rc rc = hash_end(h, digest, err);

	if (rc != RC_OK)
		return rc;
	hex_lower(hex, digest, sizeof(digest));
	snprintf(mode, sizeof(mode), "%04o", (unsigned)(st->st_mode & 0777));
	o = json_pack("{s:s, s:s?, s:s, s:I, s:s}", "name", name, "was", was, "mode", mode, "size",
	    (json_int_t)st->st_size, "sha256", hex);
	if (o == NULL || json_array_append_new(w->list, o) != 0)
		return fail(err, RC_NOMEM,
		    "%s cannot be listed: no memory, or its name is not UTF-8", name);
	return RC_OK;
}

/* Exactly so much as the header has promised. */
static enum rc
copy_data(struct backup_writer *w, int fd, const char *path, uint64_t left, struct hash *h,
    struct err *err)
{
	while (left > 0) {
		size_t want = left < CHUNK ? (size_t)left : CHUNK;
		ssize_t n = read(fd, w->chunk, want);
		enum rc rc;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, "cannot read %s", path);
		if (n == 0)
			return fail(err, RC_CONFLICT, "%s became shorter while it was read", path);
		if ((rc = entry_data(w, w->chunk, (size_t)n, h, err)) != RC_OK)
			return rc;
		left -= (size_t)n;
	}
	return RC_OK;
}

static enum rc
add_open_file(
    struct backup_writer *w, int fd, const struct backup_file *f, const char *was, struct err *err)
{
	struct hash *h = NULL;
	struct stat st;
	enum rc rc;

	if (fstat(fd, &st) != 0)
		return fail_errno(err, "cannot look at %s", f->path);
	if (!S_ISREG(st.st_mode))
		return fail(err, RC_CONFIG, "%s is no file", f->path);
	if ((rc = hash_new(&h, err)) != RC_OK)
		return rc;
	rc = entry_begin(w, f->name, &st, err);
	if (rc == RC_OK)
		rc = copy_data(w, fd, f->path, (uint64_t)st.st_size, h, err);
	if (rc == RC_OK)
		rc = list_add(w, f->name, was, &st, h, err);
	hash_free(h);
	wipe(w->chunk, sizeof(w->chunk));
	return rc;
}

enum rc
backup_add(struct backup_writer *w, const struct backup_file *f, const char *was, struct err *err)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum rc rc;

	if (fd < 0 && errno == ENOENT)
		return fail(err, RC_NOTFOUND, "%s does not exist", f->path);
	if (fd < 0)
		return fail_errno(err, "cannot open %s", f->path);
	rc = add_open_file(w, fd, f, was, err);
	(void)close(fd);
	return rc;
}

enum rc
backup_add_text(struct backup_writer *w, const char *name, const struct buf *text, struct err *err)
{
	struct stat st = { .st_mode = 0600, .st_size = (off_t)text->len, .st_mtime = clock_now() };
	enum rc rc = entry_begin(w, name, &st, err);

	if (rc == RC_OK &&
	    archive_write_data(w->tar, text->data, text->len) != (la_ssize_t)text->len)
		rc = tar_fail(w, err);
	return rc;
}

/* ---- the end ---- */

static enum rc
put_in_place(struct backup_writer *w, struct err *err)
{
	char *dir = NULL;
	enum rc rc;

	if (fsync(w->fd) != 0)
		return fail_errno(err, "cannot write %s to disk", w->path);
	/* Unlike rename() it does not replace what somebody has put there meanwhile. */
	if (link(w->tmp, w->path) != 0)
		return fail_errno(err, "cannot create %s", w->path);
	/* Its name too: who has made a backup may take the machine away. */
	rc = path_dir(&dir, w->path, err);
	if (rc == RC_OK)
		rc = folder_sync(dir, err);
	free(dir);
	return rc;
}

enum rc
backup_writer_end(struct backup_writer *w, json_t *manifest, struct err *err)
{
	struct buf b;
	enum rc rc;

	if (json_object_set(manifest, "files", w->list) != 0)
		return fail(err, RC_NOMEM, "no memory for the list of files");
	buf_init(&b, BACKUP_MANIFEST_MAX);
	rc = json_add_pretty(&b, manifest, err);
	if (rc == RC_OK)
		rc = backup_add_text(w, BACKUP_MANIFEST, &b, err);
	buf_done(&b);
	if (rc == RC_OK && archive_write_close(w->tar) != ARCHIVE_OK)
		rc = tar_fail(w, err);
	if (rc == RC_OK)
		rc = cms_sealer_end(w->sealer, err);
	return rc == RC_OK ? put_in_place(w, err) : rc;
}

void
backup_writer_free(struct backup_writer *w)
{
	if (w == NULL)
		return;
	if (w->tar != NULL)
		(void)archive_write_free(w->tar);
	cms_sealer_free(w->sealer);
	if (w->fd >= 0)
		(void)close(w->fd);
	if (w->tmp != NULL)
		(void)unlink(w->tmp);
	json_decref(w->list);
	free(w->tmp);
	free(w->path);
	free(w);
}
