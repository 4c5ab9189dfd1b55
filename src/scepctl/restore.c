/*
 * restore.c - from a backup to a folder: read it whole, unpack beside the target, check, rename.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "ossl/alg.h"
#include "scepctl/backup.h"

#define CHUNK       (64u * KIB)
#define README_NAME "README.backup" /* beside scepd.yaml */
#define TOLD_MAX    MIB             /* bytes of lines for the administrator */

/* ---- the target ---- */

/* Nothing, or an empty folder. */
static enum rc
target_check(const char *dir, struct err *err)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	bool empty = true;
	enum rc rc;

	if (d == NULL && errno == ENOENT)
		return RC_OK;
	if (d == NULL)
		return fail_errno(err, "cannot look into %s", dir);
	while (empty && (e = readdir(d)) != NULL)
		empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
	(void)closedir(d);
	if (empty)
		return RC_OK;
	rc = fail(err, RC_CONFLICT, "%s is not empty", dir);
	err_hint(err, "name a folder that is not there yet; nothing is overwritten");
	return rc;
}

static enum rc
tmp_make(struct restore *r, struct err *err)
{
	char *tmp = NULL;
	enum rc rc = str_format(&tmp, err, "%s.restore-XXXXXX", r->dir);

	if (rc != RC_OK)
		return rc;
	if (mkdtemp(tmp) == NULL) {
		rc = fail_errno(err, "cannot make a folder beside %s", r->dir);
		free(tmp);
		return rc;
	}
	r->tmp = tmp;
	return RC_OK;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void
tmp_remove(struct restore *r)
{
	if (r->tmp != NULL)
		(void)nftw(r->tmp, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(r->tmp);
	r->tmp = NULL;
}

/* ---- unpacking ---- */

/* The folders above `path`, from `from` on. */
static enum rc
make_folders(char *path, size_t from, struct err *err)
{
	for (char *p = path + from; (p = strchr(p, '/')) != NULL; *p++ = '/') {
		*p = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return fail_errno(err, "cannot make folder %s", path);
	}
	return RC_OK;
}

static enum rc
place_of(char **out, const struct restore *r, const char *name, struct err *err)
{
	enum rc rc;

	if (strcmp(name, BACKUP_README) == 0)
		name = README_NAME;
	else if (str_starts(name, BACKUP_CONFIG))
		name += strlen(BACKUP_CONFIG);
	if ((rc = str_format(out, err, "%s/%s", r->tmp, name)) != RC_OK)
		return rc;
	rc = make_folders(*out, strlen(r->tmp) + 1, err);
	if (rc != RC_OK)
		free(*out);
	return rc;
}

static enum rc
write_all(int fd, const uint8_t *p, size_t len, const char *path, struct err *err)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, "cannot write %s", path);
		p += n;
		len -= (size_t)n;
	}
	return RC_OK;
}

static enum rc
copy_out(int fd, const struct backup_entry *e, const char *path, struct hash *h, struct err *err)
{
	uint8_t *chunk = malloc(CHUNK);
	size_t n = 1;
	enum rc rc = chunk == NULL ? fail(err, RC_NOMEM, "no memory to unpack") : RC_OK;

	while (rc == RC_OK && n > 0) {
		rc = backup_read(e, chunk, CHUNK, &n, err);
		if (rc == RC_OK)
			rc = hash_add(h, chunk, n, err);
		if (rc == RC_OK)
			rc = write_all(fd, chunk, n, path, err);
	}
	wipe_free(chunk, CHUNK);
	return rc;
}

/* On the disk when this returns; its mode never wider than 0600 while it is written. */
static enum rc
unpack_to(const char *path, const struct backup_entry *e, struct hash *h, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	enum rc rc;

	if (fd < 0)
		return fail_errno(err, "cannot create %s", path);
	rc = copy_out(fd, e, path, h, err);
	if (rc == RC_OK && fchmod(fd, e->mode & ~(mode_t)022) != 0)
		rc = fail_errno(err, "cannot set the mode of %s", path);
	if (rc == RC_OK && fsync(fd) != 0)
		rc = fail_errno(err, "cannot write %s to disk", path);
	if (close(fd) != 0 && rc == RC_OK)
		rc = fail_errno(err, "cannot write %s", path);
	return rc;
}

static enum rc
note_found(struct restore *r, const struct backup_entry *e, struct hash *h, struct err *err)
{
	uint8_t digest[32];
	char hex[65];
	json_t *o;
	enum rc rc = hash_end(h, digest, err);

	if (rc != RC_OK)
		return rc;
	hex_lower(hex, digest, sizeof(digest));
	o = json_pack("{s:I, s:s}", "size", (json_int_t)e->size, "sha256", hex);
	if (o == NULL || json_object_set_new(r->found, e->name, o) != 0)
		return fail(err, RC_NOMEM, "no memory for the list of files");
	r->n++;
	return RC_OK;
}

static enum rc
take_manifest(struct restore *r, const struct backup_entry *e, struct err *err)
{
	uint8_t chunk[4096];
	size_t n = 1;
	enum rc rc = RC_OK;

	while (rc == RC_OK && n > 0) {
		rc = backup_read(e, chunk, sizeof(chunk), &n, err);
		if (rc == RC_OK)
			buf_add(&r->manifest_text, chunk, n);
	}
	return rc == RC_OK ? buf_ok(&r->manifest_text, BACKUP_MANIFEST, err) : rc;
}

static enum rc
unpack(void *arg, const struct backup_entry *e, struct err *err)
{
	struct restore *r = arg;
	struct hash *h = NULL;
	char *path = NULL;
	enum rc rc;

	if (strcmp(e->name, BACKUP_MANIFEST) == 0)
		return take_manifest(r, e, err);
	if ((rc = place_of(&path, r, e->name, err)) != RC_OK)
		return rc;
	if ((rc = hash_new(&h, err)) == RC_OK && (rc = unpack_to(path, e, h, err)) == RC_OK &&
	    strcmp(e->name, BACKUP_README) != 0)
		rc = note_found(r, e, h, err);
	hash_free(h);
	free(path);
	return rc;
}

/* ---- the manifest ---- */

static enum rc
file_matches(const struct restore *r, const json_t *listed, struct err *err)
{
	const char *name = json_get_str(listed, "name"), *want = json_get_str(listed, "sha256");
	const json_t *found = name != NULL ? json_object_get(r->found, name) : NULL;
	const char *is = found != NULL ? json_get_str(found, "sha256") : NULL;

	if (want == NULL || is == NULL)
		return fail(err, RC_INTEGRITY, "%s lacks the file %.100s of its list", r->src.path,
		    name != NULL ? name : "?");
	if (strcmp(want, is) != 0)
		return fail(
		    err, RC_INTEGRITY, "%s: %.100s is not what was saved", r->src.path, name);
	return RC_OK;
}

static enum rc
manifest_check(struct restore *r, struct err *err)
{
	const json_t *files, *one;
	int64_t format = 0;
	size_t i;
	enum rc rc = json_parse_object(
	    &r->manifest, BACKUP_MANIFEST, r->manifest_text.data, r->manifest_text.len, err);

	if (rc == RC_OK && (rc = json_get_i64(&format, r->manifest, "format", 0, err)) == RC_OK &&
	    format != BACKUP_FORMAT) {
		rc = fail(err, RC_CONFIG, "%s is a backup of format %lld, this program knows %d",
		    r->src.path, (long long)format, BACKUP_FORMAT);
		err_hint(err, "use the scepctl of the version that made it");
		return rc;
	}
	if (rc == RC_OK)
		rc = json_get_i64(&r->made, r->manifest, "made", 0, err);
	files = json_object_get(r->manifest, "files");
	if (rc == RC_OK && json_array_size(files) != r->n)
		rc = fail(err, RC_INTEGRITY, "%s: its list has %zu files, it holds %zu",
		    r->src.path, json_array_size(files), r->n);
	json_array_foreach(files, i, one)
	{
		if (rc == RC_OK)
			rc = file_matches(r, one, err);
	}
	return rc;
}

/* ---- all of it ---- */

static enum rc
unpack_all(struct restore *r, struct err *err)
{
	enum rc rc = tmp_make(r, err);

	if (rc == RC_OK)
		rc = backup_each(&r->src, unpack, r, err);
	if (rc == RC_OK)
		rc = manifest_check(r, err);
	return rc;
}

/* Names too are on the disk before the folder gets its own. */
static enum rc
put_in_place(struct restore *r, struct err *err)
{
	char *parent = NULL;
	int fd = open(r->tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum rc rc;

	if (fd < 0 || syncfs(fd) != 0) {
		rc = fail_errno(err, "cannot write %s to disk", r->tmp);
		if (fd >= 0)
			(void)close(fd);
		return rc;
	}
	(void)close(fd);
	if (rename(r->tmp, r->dir) != 0)
		return fail_errno(err, "cannot rename %s to %s", r->tmp, r->dir);
	free(r->tmp);
	r->tmp = NULL;
	rc = path_dir(&parent, r->dir, err);
	if (rc == RC_OK && (fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0) {
		(void)fsync(fd);
		(void)close(fd);
	}
	free(parent);
	return rc;
}

enum rc
restore_run(struct restore *r, struct err *err)
{
	enum rc rc;

	buf_init(&r->manifest_text, BACKUP_MANIFEST_MAX);
	buf_init(&r->told, TOLD_MAX);
	if ((r->found = json_object()) == NULL)
		return fail(err, RC_NOMEM, "no memory to restore");
	if ((rc = target_check(r->dir, err)) == RC_OK &&
	    (rc = backup_verify(&r->src, err)) == RC_OK && (rc = unpack_all(r, err)) == RC_OK &&
	    (rc = restore_paths(r, err)) == RC_OK && (rc = restore_check(r, err)) == RC_OK)
		rc = put_in_place(r, err);
	tmp_remove(r);
	return rc;
}

void
restore_done(struct restore *r)
{
	tmp_remove(r);
	json_decref(r->manifest);
	json_decref(r->found);
	buf_done(&r->manifest_text);
	buf_done(&r->told);
}
