/*
 * secret.c - a secret from where its owner keeps it.
 */
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"

#define PREFIX_CREDENTIAL "credential:"
#define CREDENTIAL_MAX    255          /* systemd.exec(5): a name is one file name */
#define ANSWER_MAX        1023         /* bytes somebody types; a terminal's line ends at 4095 */
#define PROMPT_MS         (300 * 1000) /* a service that nobody answers must not hang for good */

/* What ends or stops a program at its terminal; the echo has to be back by then. */
static const int prompt_signals[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP };

/* One question on a terminal. */
struct prompt {
	int tty, signals;
	struct termios before;
	sigset_t mask_before;
};

/* A secret is lent as a C string, so a NUL would cut it. */
static enum rc
refuse_nul(struct buf *out, size_t start, const char *what, struct err *err)
{
	size_t len = out->len - start;

	if (out->data == NULL || memchr(out->data + start, '\0', len) == NULL)
		return RC_OK;
	wipe(out->data + start, len);
	out->len = start;
	return fail(err, RC_CONFIG, "%s: a secret has no NUL byte in it", what);
}

/* A file that is not there is the administrator's to bring. */
static enum rc
read_file(struct buf *out, const char *path, struct err *err)
{
	size_t start = out->len;
	enum rc rc = file_read_secret(out, path, LIMIT_SECRET_FILE, err);

	if (rc == RC_NOTFOUND) {
		(void)fail(err, RC_CONFIG, "%s does not exist", path);
		return err_hint(err,
		    "it is named as the file of a secret: correct the name, or "
		    "make it with mode 0600");
	}
	return rc == RC_OK ? refuse_nul(out, start, path, err) : rc;
}

/* systemd.exec(5), LoadCredential=: one file name, and no way out of the folder. */
static enum rc
read_credential(struct buf *out, const char *name, struct err *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char *path = NULL;
	enum rc rc;

	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL ||
	    strlen(name) > CREDENTIAL_MAX)
		return fail(err, RC_CONFIG, "\"%s\" is no name of a credential", name);
	if (dir == NULL || dir[0] != '/') {
		rc = fail(err, RC_CONFIG, "no credential \"%s\": systemd has passed none", name);
		err_hint(err, "LoadCredential=%s:PATH in the unit (systemd.exec(5))", name);
		return rc;
	}
	if ((rc = path_join(&path, dir, name, err)) != RC_OK)
		return rc;
	if ((rc = read_file(out, path, err)) == RC_CONFIG)
		err_context(err, "credential \"%s\"", name);
	free(path);
	return rc;
}

/* Take the signals in hand, then the echo away.  What was typed ahead is dropped. */
static enum rc
prompt_begin(struct prompt *p, struct err *err)
{
	struct termios quiet;
	sigset_t held;
	size_t i;

	sigemptyset(&held);
	for (i = 0; i < sizeof prompt_signals / sizeof prompt_signals[0]; i++)
		sigaddset(&held, prompt_signals[i]);
	if (tcgetattr(p->tty, &p->before) != 0)
		return fail_errno(err, "cannot ask on the terminal");
	if ((p->signals = signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		return fail_errno(err, "cannot watch for signals");
	pthread_sigmask(SIG_BLOCK, &held, &p->mask_before);
	quiet = p->before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	quiet.c_lflag |= ICANON | ISIG;
	if (tcsetattr(p->tty, TCSAFLUSH, &quiet) == 0)
		return RC_OK;
	(void)fail_errno(err, "cannot turn off the terminal's echo");
	pthread_sigmask(SIG_SETMASK, &p->mask_before, NULL);
	close(p->signals);
	return RC_IO;
}

/* The terminal first: a signal that was held is delivered by the second line. */
static void
prompt_end(struct prompt *p)
{
	(void)tcsetattr(p->tty, TCSAFLUSH, &p->before);
	pthread_sigmask(SIG_SETMASK, &p->mask_before, NULL);
	close(p->signals);
}

static enum rc
say(int tty, const char *what, const char *after, struct err *err)
{
	if (dprintf(tty, "%s%s", what, after) < 0)
		return fail_errno(err, "cannot ask on the terminal");
	return RC_OK;
}

/*
 * Wait for a line.  *held: a signal came first, and is still pending, so that it takes its usual course
 * once prompt_end() lets it through.
 */
static enum rc
wait_for_line(const struct prompt *p, bool *held, struct err *err)
{
	struct pollfd fds[] = { { p->tty, POLLIN, 0 }, { p->signals, POLLIN, 0 } };
	int n;

	do {
		n = poll(fds, 2, PROMPT_MS);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail_errno(err, "cannot wait for the terminal");
	if (n == 0)
		return fail(err, RC_TIMEOUT, "nobody answered on the terminal within %d s",
		    PROMPT_MS / 1000);
	*held = fds[1].revents != 0;
	return RC_OK;
}

/* One line; a terminal gives a whole one to each read(). */
static enum rc
read_line(struct buf *out, int tty, struct err *err)
{
	char line[ANSWER_MAX + 1];
	ssize_t n = read(tty, line, sizeof line);
	enum rc rc = RC_OK;

	if (n < 0)
		rc = fail_errno(err, "cannot read from the terminal");
	else if (n == 0)
		rc = fail(err, RC_CONFIG, "there was no answer on the terminal");
	else if (line[n - 1] != '\n' && n == (ssize_t)sizeof line)
		rc = fail(err, RC_LIMIT, "the answer is longer than %d bytes", ANSWER_MAX);
	else
		buf_add(out, line, (size_t)n - (line[n - 1] == '\n'));
	wipe(line, sizeof line);
	return rc == RC_OK ? buf_ok(out, "secret", err) : rc;
}

/* One time through; *again when the program was stopped meanwhile and goes on. */
static enum rc
ask_once(struct buf *out, int tty, const char *what, bool *again, struct err *err)
{
	struct prompt p = { .tty = tty };
	bool held = false;
	enum rc rc;

	if ((rc = prompt_begin(&p, err)) != RC_OK)
		return rc;
	rc = say(tty, what, ": ", err);
	if (rc == RC_OK)
		rc = wait_for_line(&p, &held, err);
	if (rc == RC_OK && !held)
		rc = read_line(out, tty, err);
	(void)say(tty, "", "\n", NULL);
	prompt_end(&p);
	*again = rc == RC_OK && held;
	return rc;
}

/* A signal that does not end the program (SIGTSTP and fg, or a handler) leads to the same question. */
static enum rc
ask(struct buf *out, const char *what, struct err *err)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY), times;
	size_t start = out->len;
	bool again = true;
	enum rc rc = RC_OK;

	if (tty < 0) {
		rc = fail(err, RC_CONFIG, "%s: there is no terminal to ask on", what);
		err_hint(err, "name a file or credential:NAME instead of prompt");
		return rc;
	}
	for (times = 0; rc == RC_OK && again && times < 3; times++)
		rc = ask_once(out, tty, what, &again, err);
	if (rc == RC_OK && again)
		rc = fail(err, RC_CONFIG, "%s: interrupted", what);
	close(tty);
	return rc == RC_OK ? refuse_nul(out, start, what, err) : rc;
}

enum rc
secret_read(struct buf *out, const char *source, const char *what, struct err *err)
{
	if (strcmp(source, "prompt") == 0)
		return ask(out, what, err);
	if (str_starts(source, PREFIX_CREDENTIAL))
		return read_credential(out, source + strlen(PREFIX_CREDENTIAL), err);
	return read_file(out, source, err);
}

static enum rc
ask_again(const struct buf *first, size_t start, const char *what, struct err *err)
{
	struct buf second;
	char *again = NULL;
	enum rc rc;

	buf_init(&second, ANSWER_MAX + 1);
	rc = str_format(&again, err, "%s, again", what);
	if (rc == RC_OK)
		rc = ask(&second, again, err);
	if (rc == RC_OK &&
	    !bytes_eq_ct(first->data + start, first->len - start, second.data, second.len))
		rc = fail(err, RC_CONFIG, "%s: the two answers differ", what);
	buf_wipe(&second);
	free(again);
	return rc;
}

enum rc
secret_read_new(struct buf *out, const char *source, const char *what, struct err *err)
{
	size_t start = out->len;
	enum rc rc = secret_read(out, source, what, err);

	if (rc == RC_OK && out->len == start)
		rc = fail(err, RC_CONFIG, "%s: an empty secret protects nothing", what);
	if (rc == RC_OK && strcmp(source, "prompt") == 0)
		rc = ask_again(out, start, what, err);
	if (rc != RC_OK && out->len > start) {
		wipe(out->data + start, out->len - start);
		out->len = start;
	}
	return rc;
}
