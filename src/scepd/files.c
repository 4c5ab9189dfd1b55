/* files.c - see files.h. */
#include "scepd/files.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "scepd/keys.h"
#include "scepd/properties.h"

/* ---- what is allowed ---- */

/* A path that is looked for among many. */
struct search {
	const char *path;
	bool found;
};

static void
look(void *arg, const char *path)
{
	struct search *s = arg;

	s->found |= path != NULL && strcmp(path, s->path) == 0;
}

static void
look_at_listeners(struct search *s, const struct config *c)
{
	const struct conf_listener *l = c->listeners.v;

	for (size_t i = 0; i < c->listeners.n; i++) {
		look(s, l[i].certificate);
		look(s, l[i].key);
	}
	look(s, c->admin.listener.certificate);
	look(s, c->admin.listener.key);
	look(s, c->admin.tokens_file);
}

static void
look_at_cas(struct search *s, const struct config *c)
{
	const struct conf_ca *ca = c->cas.v;

	for (size_t i = 0; i < c->cas.n; i++) {
		look(s, ca[i].certificate);
		look(s, ca[i].ra_certificate);
		for (size_t k = 0; k < ca[i].chain.n; k++)
			look(s, ca[i].chain.v[k]);
	}
}

/* What is read again while the server runs: the responder's certificate, and a list that is a file. */
static void
look_at_foreign(struct search *s, const struct config *c)
{
	const struct conf_foreign *f = c->foreign_cas.v;

	for (size_t i = 0; i < c->foreign_cas.n; i++) {
		look(s, f[i].certificate);
		look(s, f[i].ocsp_certificate);
		look(s, f[i].crl); /* an address is no path, and nobody asks for one */
	}
}

/* AAD_APP_KEY_FILE, APP_CERTIFICATE_FILE ...: a file that the properties name has "FILE" at the end of
 * its key.  Read anew each time, as the properties may have changed. */
static void
look_into_properties(struct search *s, const char *file)
{
	struct properties *p = NULL;

	if (properties_load(&p, file, NULL) != RC_OK)
		return;
	for (size_t i = 0; i < properties_count(p); i++) {
		const char *key, *value;
		int line;

		properties_get(p, i, &key, &value, &line);
		if (str_ends_nocase(key, "_FILE"))
			look(s, value);
	}
	properties_free(p);
}

static void
look_at_tenants(struct search *s, const struct config *c)
{
	const struct conf_tenant *t = c->tenants.v;

	for (size_t i = 0; i < c->tenants.n && !s->found; i++) {
		look(s, t[i].properties);
		look(s, t[i].app_key_file);
		look(s, t[i].certificate_file);
		look(s, t[i].certificate_key_file);
		look(s, t[i].federated_token_file);
		look(s, t[i].managed_identity_header_file);
		look(s, t[i].ca_file);
		look(s, t[i].proxy.password_file);
		if (!s->found && t[i].properties != NULL)
			look_into_properties(s, t[i].properties);
	}
}

static void
look_at_endpoints(struct search *s, const struct config *c)
{
	const struct conf_endpoint *e = c->endpoints.v;

	for (size_t i = 0; i < c->endpoints.n; i++) {
		look(s, e[i].challenge_file);
		look(s, e[i].webhook.secret_file);
		look(s, e[i].webhook.ca_file);
	}
}

/* By path and, as a path can be written in many ways, by file. */
static bool
is_one_of(const char *const *secret, size_t n, const char *path, const struct stat *wanted0)
{
	struct stat st;

	for (size_t k = 0; k < n; k++) {
		if (secret[k] == NULL)
			continue;
		if (strcmp(secret[k], path) == 0 ||
		    (wanted0 != NULL && stat(secret[k], &st) == 0 && st.st_dev == wanted0->st_dev &&
			st.st_ino == wanted0->st_ino))
			return true;
	}
	return false;
}

/* Keys and what opens them. */
static bool
is_of_a_key(const char *path, const struct stat *wanted0, const struct config *c)
{
	const struct conf_ca *ca = c->cas.v;
	const struct conf_foreign *f = c->foreign_cas.v;

	for (size_t i = 0; i < c->cas.n; i++) {
		const char *const secret[] = { ca[i].key, ca[i].ra_key, ca[i].ocsp_key,
			ca[i].passphrase_file, ca[i].pin_file };

		if (is_one_of(secret, sizeof(secret) / sizeof(secret[0]), path, wanted0))
			return true;
	}
	for (size_t i = 0; i < c->foreign_cas.n; i++) {
		const char *const secret[] = { f[i].ocsp_key, f[i].passphrase_file, f[i].pin_file };

		if (is_one_of(secret, sizeof(secret) / sizeof(secret[0]), path, wanted0))
			return true;
	}
	return false;
}

bool
files_allowed(const struct config *c, const char *path)
{
	struct search s = { .path = path };
	struct stat st;

	look_at_listeners(&s, c);
	look_at_cas(&s, c);
	look_at_foreign(&s, c);
	look_at_endpoints(&s, c);
	look_at_tenants(&s, c);
	return s.found && !is_of_a_key(path, stat(path, &st) == 0 ? &st : NULL, c);
}

/* A question is numbered, and its answer has that number and an errno in one: an answer that came too late
 * for its question is none to the next. */
#define ERRNO_MAX 4096 /* as the kernel's own */

/* ---- the supervisor's end ---- */

/* A pipe or device would hold the supervisor up; O_NONBLOCK opens them, and they are not taken. */
static int
open_regular(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		return fd;
	(void)close(fd);
	return -EINVAL;
}

/* One thread answers. */
static int
refuse(const char *path)
{
	static struct log_limit limit;
	struct log_line l;
	uint64_t left_out;

	if (!log_within(&limit, clock_mono_ms(), &left_out))
		return -EACCES;
	log_begin(&l, LOG_ERROR, "process");
	log_str(&l, "msg", "the front asked for a file that is none of its own");
	log_str(&l, "path", path);
	if (left_out > 0)
		log_int(&l, "left_out", (int64_t)left_out);
	log_end(&l);
	return -EACCES;
}

/* What was opened is judged once more: a link may have come to lead to a key since its name was looked at. */
static int
open_allowed(const struct config *c, const char *path)
{
	struct stat st;
	int fd;

	if (!files_allowed(c, path))
		return refuse(path);
	fd = open_regular(path, &st);
	if (fd < 0 || !is_of_a_key(path, &st, c))
		return fd;
	(void)close(fd);
	return refuse(path);
}

enum rc
files_answer(int fd, const struct config *c, const struct control_msg *m, struct err *err)
{
	struct control_msg answer = { .kind = CONTROL_OPENED };
	int64_t question = m->number & INT32_MAX; /* theirs: any number */
	int file;
	enum rc rc;

	/* A NUL inside would make it another path than the one that was looked for. */
	file = strlen(m->text) == m->len ? open_allowed(c, m->text) : refuse(m->text);
	if (file >= 0)
		answer.fds[answer.n_fds++] = file;
	answer.number = question * ERRNO_MAX + (file >= 0 ? 0 : -file);
	rc = control_send(fd, &answer, err);
	if (file >= 0)
		(void)close(file);
	return rc;
}

/* ---- the front's end ---- */

static struct {
	pthread_mutex_t lock;
	int fd;
	int64_t question;
} asker = { PTHREAD_MUTEX_INITIALIZER, -1, 0 };

/* The answer to the last question: a descriptor, or -1 with errno. */
static int
answer_of(struct control_msg *m)
{
	int fd = -1;

	if (m->kind == CONTROL_OPENED && m->n_fds == 1) {
		fd = m->fds[0];
		m->n_fds = 0;
	}
	errno = fd < 0 && m->number % ERRNO_MAX > 0 ? (int)(m->number % ERRNO_MAX) : EIO;
	return fd;
}

static int
ask(const char *path)
{
	struct control_msg m;
	int fd;

	asker.question = (asker.question + 1) & INT32_MAX;
	if (control_say(asker.fd, CONTROL_OPEN, asker.question, path, strlen(path), NULL) !=
	    RC_OK) {
		errno = EIO;
		return -1;
	}
	for (;;) {
		if (control_recv(asker.fd, CONTROL_FROM_SUPERVISOR, &m, CONTROL_WAIT_MS, NULL) !=
		    RC_OK) {
			errno = EIO;
			return -1;
		}
		if (m.number / ERRNO_MAX == asker.question)
			break;
		control_drop(&m);
	}
	fd = answer_of(&m);
	control_drop(&m);
	return fd;
}

static int
open_by_asking(void *arg, const char *path)
{
	int fd, saved;

	(void)pthread_mutex_lock(&asker.lock);
	fd = ask(path);
	saved = errno;
	(void)pthread_mutex_unlock(&asker.lock);
	errno = saved;
	return fd;
}

void
files_ask(int fd)
{
	asker.fd = fd;
	file_opener_set(open_by_asking, NULL);
}
