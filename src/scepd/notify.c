/* notify.c - see notify.h. */
#include "scepd/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"

#define VARIABLE "NOTIFY_SOCKET"

/* A path, or a name of the kernel's own with '@' for the NUL in front of it. */
static enum rc
address(struct sockaddr_un *to, socklen_t *len, const char *name, struct err *err)
{
	size_t n = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || n < 2 || n >= sizeof(to->sun_path))
		return fail(err, RC_CONFIG, "$" VARIABLE " is no address of a socket");
	*to = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(to->sun_path, name, n);
	if (name[0] == '@')
		to->sun_path[0] = '\0';
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	return RC_OK;
}

static enum rc
open_to(int *out, const char *name, struct err *err)
{
	const struct timeval wait = { .tv_sec = NOTIFY_WAIT_S };
	struct sockaddr_un to;
	socklen_t len;
	enum rc rc = address(&to, &len, name, err);
	int fd;

	if (rc != RC_OK)
		return rc;
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
		return fail_errno(err, "cannot make a socket");
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0 ||
	    connect(fd, (const struct sockaddr *)&to, len) != 0) {
		rc = fail_errno(err, "cannot reach $" VARIABLE);
		(void)close(fd);
		return rc;
	}
	*out = fd;
	return RC_OK;
}

int
notify_open(void)
{
	const char *name = getenv(VARIABLE);
	int fd = -1;
	struct err err;

	if (name == NULL || name[0] == '\0')
		return -1;
	if (open_to(&fd, name, &err) != RC_OK)
		log_msg(LOG_WARN, "start", "%s: the service manager is told nothing", err.msg);
	(void)unsetenv(VARIABLE);
	return fd;
}

static void
say(int fd, const char *text)
{
	struct err err;

	if (fd < 0 || send(fd, text, strlen(text), MSG_NOSIGNAL) >= 0)
		return;
	(void)fail_errno(&err, "cannot tell the service manager");
	log_msg(LOG_WARN, "process", "%s", err.msg);
}

void
notify_serving(int fd)
{
	say(fd, "READY=1\nSTATUS=Serving");
}

void
notify_stopping(int fd, int64_t within_ms)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
	    "STOPPING=1\nSTATUS=Finishing what is in flight\nEXTEND_TIMEOUT_USEC=%lld",
	    (long long)within_ms * 1000);
	say(fd, text);
}
