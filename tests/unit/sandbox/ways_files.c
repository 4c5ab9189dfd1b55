/* ways_files.c - reading and changing what is not on the list. */
#include "attempts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int
opened(int fd)
{
	int why = errno;

	if (fd < 0)
		return why;
	close(fd);
	return 0;
}

static int
read_file(void)
{
	return opened(open(in_world(world.outside, "file"), O_RDONLY));
}

static int
read_key(void)
{
	return opened(open(in_world(world.outside, "key"), O_RDONLY));
}

static int
read_passwd(void)
{
	return opened(open("/etc/passwd", O_RDONLY));
}

static int
list_folder(void)
{
	return opened(open(world.outside, O_RDONLY | O_DIRECTORY));
}

static int
through_folder_fd(void)
{
	return opened(openat(world.outside_fd, "key", O_RDONLY));
}

static int
through_proc_root(void)
{
	char path[160];

	(void)snprintf(path, sizeof path, "/proc/self/root%s/key", world.outside);
	return opened(open(path, O_RDONLY));
}

static int
through_dots(void)
{
	return opened(open(in_world(world.state, "../outside/key"), O_RDONLY));
}

static int
through_symlink(void)
{
	return opened(open(in_world(world.state, "link"), O_RDONLY));
}

/* Cannot be opened, so cannot be passed on by SCM_RIGHTS: O_PATH gives a name, not the bytes. */
static int
through_path_fd(void)
{
	char path[64];
	int fd = open(in_world(world.outside, "key"), O_PATH);

	if (fd < 0)
		return errno;
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return opened(open(path, O_RDONLY));
}

static int
make_symlink(void)
{
	return result(symlink(in_world(world.outside, "key"), in_world(world.state, "new")));
}

static int
link_key_in(void)
{
	return result(link(in_world(world.outside, "key"), in_world(world.state, "new")));
}

static int
rename_key_in(void)
{
	return result(rename(in_world(world.outside, "key"), in_world(world.state, "new")));
}

static int
rename_out(void)
{
	return result(rename(in_world(world.state, "mine"), in_world(world.outside, "new")));
}

static int
create(void)
{
	return opened(open(in_world(world.outside, "new"), O_WRONLY | O_CREAT | O_EXCL, 0600));
}

static int
create_in_readable(void)
{
	return opened(open(in_world(world.readable, "new"), O_WRONLY | O_CREAT | O_EXCL, 0600));
}

static int
make_folder(void)
{
	return result(mkdir(in_world(world.outside, "new"), 0700));
}

static int
remove_file(void)
{
	return result(unlink(in_world(world.outside, "file")));
}

static int
write_readable(void)
{
	return opened(open(in_world(world.readable, "file"), O_WRONLY));
}

static int
empty_readable(void)
{
	return opened(open(in_world(world.readable, "file"), O_RDONLY | O_TRUNC));
}

static int
truncate_file(void)
{
	return result(truncate(in_world(world.outside, "file"), 0));
}

static int
change_mode(void)
{
	return result(chmod(in_world(world.outside, "key"), 0644));
}

static int
change_times(void)
{
	return result(utimensat(AT_FDCWD, in_world(world.outside, "key"), NULL, 0));
}

static int
make_device(void)
{
	return result(mkfifo(in_world(world.state, "pipe"), 0600));
}

const struct way ways_files[] = {
	{ "read a file of another program", read_file, 0, EACCES, EACCES, 1 },
	{ "read a key file of its own user", read_key, 0, EACCES, EACCES, 1 },
	{ "read /etc/passwd", read_passwd, 0, EACCES, EACCES, 1 },
	{ "list a folder", list_folder, 0, EACCES, EACCES, 1 },
	{ "read a key through a folder's inherited descriptor", through_folder_fd, 0, EACCES,
	    EACCES, 1 },
	{ "read a key through /proc/self/root", through_proc_root, 0, EACCES, EACCES, 1 },
	{ "read a key through .. of a folder on the list", through_dots, 0, EACCES, EACCES, 1 },
	{ "read a key through a symbolic link on the list", through_symlink, 0, EACCES, EACCES, 1 },
	{ "read a key through an O_PATH descriptor", through_path_fd, 0, EACCES, EACCES, 1 },
	{ "make a symbolic link", make_symlink, 0, ENOSYS, ENOSYS, 0 },
	{ "link a key into a folder on the list", link_key_in, 0, EXDEV, EXDEV, 1 },
	{ "move a key into a folder on the list", rename_key_in, 0, EACCES, EACCES, 1 },
	{ "move a file out of a folder on the list", rename_out, 0, EACCES, EACCES, 1 },
	{ "create a file", create, 0, EACCES, EACCES, 1 },
	{ "create a file where it may read", create_in_readable, 0, EACCES, EACCES, 1 },
	{ "make a folder", make_folder, 0, EACCES, EACCES, 1 },
	{ "remove a file", remove_file, 0, EACCES, EACCES, 1 },
	{ "write to a file that it may read", write_readable, 0, EACCES, EACCES, 1 },
	{ "empty a file that it may read", empty_readable, 0, EPERM, EPERM, 0 },
	{ "empty a file by its path", truncate_file, 0, ENOSYS, ENOSYS, 0 },
	{ "change a key's mode", change_mode, 0, ENOSYS, ENOSYS, 0 },
	{ "change a key's times", change_times, 0, ENOSYS, ENOSYS, 0 },
	{ "make a pipe or device", make_device, 0, ENOSYS, ENOSYS, 0 },
};
const size_t n_ways_files = COUNT(ways_files);
