/*
 * file.c - bounded reading, crash-safe writing, paths.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define READ_CHUNK 16384u /* bytes asked for at a time; config files and secrets fit in one */

static struct {
	file_opener *fn;
	void *arg;
} opener;

void
file_opener_set(file_opener *fn, void *arg)
{
	opener.fn = fn;
	opener.arg = arg;
}

static enum rc
open_for_read(int *fd, const char *path, struct err *err)
{
	*fd = opener.fn != NULL ? opener.fn(opener.arg, path)
				: open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (*fd >= 0)
		return RC_OK;
	if (errno == ENOENT || errno == ENOTDIR)
		return fail(err, RC_NOTFOUND, "%s does not exist", path);
	return fail_errno(err, "cannot open %s", path);
}

/* read() that is not disturbed by signals. */
static ssize_t
read_some(int fd, void *p, size_t len)
{
	ssize_t n;

	do {
		n = read(fd, p, len);
	} while (n < 0 && errno == EINTR);
	return n;
}

/* One step of reading: *done at the end of the file. */
static enum rc
read_chunk(struct buf *out, int fd, const char *path, size_t room, bool *done, struct err *err)
{
	size_t want = room < READ_CHUNK ? room : READ_CHUNK;
	uint8_t *to = buf_grow(out, want);
	ssize_t n;

	if (to == NULL)
		return buf_ok(out, path, err);
	n = read_some(fd, to, want);
	if (n < 0)
		return fail_errno(err, "cannot read %s", path);
	out->len -= want - (size_t)n;
	out->data[out->len] = '\0';
	*done = n == 0;
	return RC_OK;
}

/* Only the end of the file may follow. */
static enum rc
read_end(int fd, const char *path, size_t max, struct err *err)
{
	char more;
	ssize_t n = read_some(fd, &more, 1);

	if (n < 0)
		return fail_errno(err, "cannot read %s", path);
	if (n > 0)
		return fail(err, RC_LIMIT, "%s is longer than %zu bytes", path, max);
	return RC_OK;
}

/* Read to the end; on failure `out` is as it was. */
static enum rc
read_fd(struct buf *out, int fd, const char *path, size_t max, struct err *err)
{
	size_t start = out->len;
	bool done = false;
	enum rc rc = RC_OK;

	if (max > out->max - start)
		max = out->max - start;
	while (rc == RC_OK && !done) {
		size_t room = max - (out->len - start);

		if (room > 0) {
			rc = read_chunk(out, fd, path, room, &done, err);
		} else {
			rc = read_end(fd, path, max, err);
			done = true;
		}
	}
	if (rc != RC_OK && out->data != NULL) {
		wipe(out->data + start, out->len - start);
		out->len = start;
	}
	return rc;
}

enum rc
file_read(struct buf *out, const char *path, size_t max, struct err *err)
{
	enum rc rc;
	int fd;

	rc = open_for_read(&fd, path, err);
	if (rc != RC_OK)
		return rc;
	rc = read_fd(out, fd, path, max, err);
	close(fd);
	return rc;
}

/*
 * Nobody but the owner.  Root's files may be readable by a group: that is how
 * packages (0640) and systemd credentials (0440) hand a secret to a service.
 */
static enum rc
secret_mode_check(int fd, const char *path, struct err *err)
{
	struct stat st;
	mode_t others;
	enum rc rc;

	if (fstat(fd, &st) != 0)
		return fail_errno(err, "cannot look at %s", path);
	others = st.st_mode & 077;
	if (st.st_uid == 0)
		others &= ~(mode_t)040;
	if (others == 0)
		return RC_OK;
	rc = fail(err, RC_CONFIG, "%s holds a secret and has mode %04o", path,
	    (unsigned)(st.st_mode & 07777));
	err_hint(err, "chmod 600 %s", path);
	return rc;
}

static void
drop_newline(struct buf *b, size_t start)
{
	if (b->len > start && b->data[b->len - 1] == '\n')
		b->len--;
	else
		return;
	if (b->len > start && b->data[b->len - 1] == '\r')
		b->len--;
	b->data[b->len] = '\0';
}

enum rc
file_read_secret(struct buf *out, const char *path, size_t max, struct err *err)
{
	size_t start = out->len;
	enum rc rc;
	int fd;

	rc = open_for_read(&fd, path, err);
	if (rc != RC_OK)
		return rc;
	rc = secret_mode_check(fd, path, err);
	if (rc == RC_OK)
		rc = read_fd(out, fd, path, max, err);
	if (rc == RC_OK)
		drop_newline(out, start);
	close(fd);
	return rc;
}

static enum rc
write_fd(int fd, const void *p, size_t len, const char *path, struct err *err)
{
	const char *from = p;

	while (len > 0) {
		ssize_t n = write(fd, from, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, "cannot write %s", path);
		from += n;
		len -= (size_t)n;
	}
	return RC_OK;
}

/* Content and mode are on the disk when this returns RC_OK; closes fd in any case. */
static enum rc
fill_and_close(int fd, const void *p, size_t len, mode_t mode, const char *path, struct err *err)
{
	enum rc rc = write_fd(fd, p, len, path, err);

	if (rc == RC_OK && fchmod(fd, mode) != 0)
		rc = fail_errno(err, "cannot set the mode of %s", path);
	if (rc == RC_OK && fsync(fd) != 0)
		rc = fail_errno(err, "cannot write %s to disk", path);
	if (close(fd) != 0 && rc == RC_OK)
		rc = fail_errno(err, "cannot write %s", path);
	return rc;
}

/* Give the finished file its name.  link() refuses an existing name in one step. */
static enum rc
put_in_place(const char *tmp, const char *path, int replace, struct err *err)
{
	if (replace) {
		if (rename(tmp, path) != 0)
			return fail_errno(err, "cannot replace %s", path);
		return RC_OK;
	}
	if (link(tmp, path) != 0) {
		if (errno == EEXIST)
			return fail(err, RC_CONFLICT, "%s exists already", path);
		return fail_errno(err, "cannot create %s", path);
	}
	(void)unlink(tmp);
	return RC_OK;
}

enum rc
folder_sync(const char *dir, struct err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum rc rc = RC_OK;

	if (fd < 0)
		return fail_errno(err, "cannot open folder %s", dir);
	/* EINVAL: a file system without it */
	if (fsync(fd) != 0 && errno != EINVAL)
		rc = fail_errno(err, "cannot write folder %s to disk", dir);
	close(fd);
	return rc;
}

enum rc
file_write(const char *path, const void *p, size_t len, mode_t mode, int replace, struct err *err)
{
	char *dir = NULL, *tmp = NULL;
	enum rc rc;
	int fd;

	rc = path_dir(&dir, path, err);
	if (rc == RC_OK)
		rc = str_format(&tmp, err, "%s.XXXXXX", path);
	if (rc != RC_OK)
		goto out;
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0) {
		rc = fail_errno(err, "cannot create %s", path);
		goto out;
	}
	rc = fill_and_close(fd, p, len, mode, path, err);
	if (rc == RC_OK)
		rc = put_in_place(tmp, path, replace, err);
	if (rc != RC_OK)
		(void)unlink(tmp);
	else
		rc = folder_sync(dir, err);
out:
	free(tmp);
	free(dir);
	return rc;
}

static enum rc
dir_exists(const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return fail_errno(err, "cannot look at %s", path);
	if (!S_ISDIR(st.st_mode))
		return fail(err, RC_CONFLICT, "%s exists and is no folder", path);
	return RC_OK;
}

/*
 * The umask must not decide what the caller has stated.  Through a descriptor: a process in a sandbox
 * may change no mode by a path.
 */
static enum rc
dir_mode(const char *path, mode_t mode, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	enum rc rc = RC_OK;

	if (fd < 0)
		return fail_errno(err, "cannot open folder %s", path);
	if (fchmod(fd, mode) != 0)
		rc = fail_errno(err, "cannot set the mode of %s", path);
	close(fd);
	return rc;
}

enum rc
dir_make(const char *path, mode_t mode, struct err *err)
{
	char *parent = NULL;
	enum rc rc;

	if (mkdir(path, mode) != 0) {
		if (errno == EEXIST)
			return dir_exists(path, err);
		return fail_errno(err, "cannot create folder %s", path);
	}
	if ((rc = dir_mode(path, mode, err)) != RC_OK)
		return rc;
	rc = path_dir(&parent, path, err);
	if (rc == RC_OK)
		rc = folder_sync(parent, err);
	free(parent);
	return rc;
}

enum rc
path_join(char **out, const char *dir, const char *name, struct err *err)
{
	size_t len = strlen(dir);

	if (name[0] == '/' || len == 0)
		return str_dup(out, name, err);
	return str_format(out, err, "%s%s%s", dir, dir[len - 1] == '/' ? "" : "/", name);
}

enum rc
path_dir(char **out, const char *path, struct err *err)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	while (len > 0 && path[len - 1] != '/')
		len--;
	if (len == 0)
		return str_dup(out, ".", err);
	while (len > 1 && path[len - 1] == '/')
		len--;
	return str_ndup(out, path, len, err);
}
