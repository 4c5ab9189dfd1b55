/*
 * ctl.c - what the commands of scepctl share.
 */
#include "scepctl/ctl.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"

enum rc
ctl_config(struct config **out, const char *path, struct err *err)
{
	enum rc rc = config_load(out, path != NULL ? path : CONFIG_DEFAULT, err);

	if (rc == RC_NOTFOUND && path == NULL)
		return err_hint(
		    err, "name the file with --config, or make a new CA with '" PROG " init'");
	return rc;
}

/* Who runs scepd has the lock of its supervisor, a file as old as that scepd. */
enum ctl_running
ctl_running(const struct config *c)
{
	enum ctl_running is = CTL_RUNS_NOT;
	char *path = NULL;
	int fd = -1;

	if (path_join(&path, c->processes.signer_state, "supervisor.lock", NULL) == RC_OK)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		is = config_is_newer(c, fd) ? CTL_RUNS_OLDER : CTL_RUNS;
	if (fd >= 0)
		(void)close(fd);
	free(path);
	return is;
}

enum rc
ctl_open(struct config **config, struct store **store, const char *path, struct err *err)
{
	struct config *c = NULL;
	enum rc rc = ctl_config(&c, path, err);

	if (rc == RC_OK && store != NULL)
		rc = store_open_shared(store, c->store.url, err);
	if (rc != RC_OK || config == NULL) {
		config_free(c);
		return rc;
	}
	*config = c;
	return RC_OK;
}

const char *
ctl_time(char out[static CTL_TIME_MAX], int64_t t)
{
	char whole[TIME_TEXT_MAX];

	time_rfc3339(whole, t);
	(void)snprintf(
	    out, CTL_TIME_MAX, "%.10s %.5s UTC", whole, strlen(whole) > 16 ? whole + 11 : "");
	return out;
}

const char *
ctl_safe(char *out, size_t size, const char *text)
{
	(void)snprintf(out, size, "%s", text != NULL ? text : "");
	str_printable(out);
	return out;
}

enum rc
ctl_serial(char out[static 2 * SERIAL_MAX + 1], const char *text, struct err *err)
{
	const char *p = str_starts(text, "0x") || str_starts(text, "0X") ? text + 2 : text;
	char digits[2 * SERIAL_MAX + 2];
	struct serial serial;
	size_t n = 0;

	for (; *p != '\0' && n < sizeof(digits) - 1; p++) {
		if (*p != ':' && *p != ' ' && *p != '-')
			digits[n++] = *p;
	}
	digits[n] = '\0';
	if (*p != '\0' || serial_from_hex(&serial, digits, NULL) != RC_OK) {
		(void)fail(err, RC_CONFIG, "\"%.60s\" is no serial number in hex", text);
		return err_hint(
		    err, "'" PROG " list --match WORD' finds a certificate by its names");
	}
	serial_hex(out, &serial);
	return RC_OK;
}

enum rc
ctl_say_ca(struct err *err)
{
	return err_hint(err, "say which CA's is meant: --ca NAME");
}

enum rc
ctl_number(int64_t *out, const char *text, const char *what, struct err *err)
{
	uint64_t v;

	if (parse_u64(&v, text, 1, INT64_MAX, what, NULL) != RC_OK)
		return fail(err, RC_CONFIG, "\"%.40s\" is no number of a %s", text, what);
	*out = (int64_t)v;
	return RC_OK;
}

enum rc
ctl_endpoint(const struct config *c, const char *name, struct err *err)
{
	const struct conf_endpoint *v = c->endpoints.v;

	for (size_t i = 0; i < c->endpoints.n; i++)
		if (strcmp(v[i].name, name) == 0)
			return RC_OK;
	return fail(err, RC_NOTFOUND, "%s: there is no endpoint \"%.60s\"", c->path, name);
}

void
ctl_line(FILE *f, const char *label, const char *value)
{
	char safe[4200];

	if (value != NULL && value[0] != '\0')
		(void)fprintf(f, "%-13s %s\n", label, ctl_safe(safe, sizeof(safe), value));
}

void
ctl_who(char out[static CTL_WHO_MAX])
{
	const char *sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	const struct passwd *pw = getpwuid(getuid());

	(void)snprintf(out, CTL_WHO_MAX, "%.40s (uid %u%s%.40s)", pw != NULL ? pw->pw_name : "?",
	    (unsigned)getuid(), sudo != NULL ? ", sudo by " : "", sudo != NULL ? sudo : "");
	str_printable(out);
}

const char *
ctl_reason_name(int reason)
{
	return reason_name(reason);
}

int
ctl_reason(const char *name)
{
	return reason_given(name);
}

bool
ctl_json_str(json_t *o, const char *key, const char *value)
{
	return json_object_set_new(o, key, value != NULL ? json_string(value) : json_null()) == 0;
}

bool
ctl_json_int(json_t *o, const char *key, int64_t value)
{
	return json_object_set_new(o, key, json_integer(value)) == 0;
}

bool
ctl_json_time(json_t *o, const char *key, int64_t t)
{
	char text[TIME_TEXT_MAX];

	if (t != 0)
		time_rfc3339(text, t);
	return ctl_json_str(o, key, t != 0 ? text : NULL);
}

bool
ctl_json_item(json_t *o, bool first)
{
	struct buf b;
	bool fine;

	buf_init(&b, 1u << 20);
	fine = o != NULL && json_add_text(&b, o, NULL) == RC_OK;
	if (fine)
		(void)printf("%s%s", first ? "[" : ",\n ", buf_str(&b));
	buf_done(&b);
	json_decref(o);
	return fine;
}

int
ctl_json_print(json_t *v, bool built)
{
	struct err err = { 0 };
	struct buf b;
	enum rc rc;

	buf_init(&b, 64u << 20);
	rc = v != NULL && built ? json_add_pretty(&b, v, &err)
				: fail(&err, RC_NOMEM, "out of memory for JSON");
	if (rc == RC_OK)
		(void)fputs(buf_str(&b), stdout);
	buf_done(&b);
	json_decref(v);
	return rc == RC_OK ? EX_OK : err_report(PROG, &err);
}

enum rc
ctl_thumbprints(struct thumbprints *out, const struct cert *c, struct err *err)
{
	enum rc rc = cert_thumbprint_sha1(out->sha1, c, err);

	return rc == RC_OK ? cert_thumbprint_sha256(out->sha256, c, err) : rc;
}

enum rc
ctl_write_request(const char *path, const struct buf *der, bool as_der, struct err *err)
{
	struct buf pem;
	enum rc rc;

	buf_init(&pem, 2 * LIMIT_CSR);
	if (as_der)
		buf_add(&pem, der->data, der->len);
	else
		pem_add(&pem, "CERTIFICATE REQUEST", der->data, der->len); /* RFC 7468 7 */
	rc = buf_ok(&pem, "request", err);
	if (rc == RC_OK)
		rc = file_write(path, pem.data, pem.len, 0644, 1, err);
	buf_done(&pem);
	return rc;
}

/* Windows looks for the profile's certificate by SHA-1 in GetCACert and wants the issuer; Android
 * wants the root. */
void
ctl_print_intune_choice(FILE *f, const char *issuing_file, const struct thumbprints *issuing,
    const char *root_file, const struct thumbprints *root)
{
	(void)fprintf(f, "Thumbprints\n");
	(void)fprintf(f, "  issuing CA  SHA-1    %s\n              SHA-256  %s\n", issuing->sha1,
	    issuing->sha256);
	if (strcmp(issuing->sha256, root->sha256) == 0) {
		(void)fprintf(f,
		    "\nIn Intune every platform's SCEP profile names this one certificate: %s\n",
		    issuing_file);
		return;
	}
	(void)fprintf(f, "  root CA     SHA-1    %s\n              SHA-256  %s\n\n", root->sha1,
	    root->sha256);
	(void)fprintf(f,
	    "In Intune, make trusted certificate profiles of both, and in the SCEP profile "
	    "choose\n");
	(void)fprintf(f, "  Windows             the issuing CA   %s\n", issuing_file);
	(void)fprintf(f, "  Android             the root CA      %s\n", root_file);
	(void)fprintf(f, "  iOS, iPadOS, macOS  assign both; choose the root CA\n");
	(void)fprintf(f,
	    "Intune takes only files named .cer: upload copies, say issuing.cer and "
	    "root.cer.\n");
}

void
ctl_print_android_https(FILE *f, const char *url)
{
	if (str_starts(url, "http://"))
		(void)fprintf(f,
		    "Android takes no http: add a listener with certificate: and key:, and give "
		    "Android's profiles\n"
		    "the same URL with https.  CRLs stay on http.\n");
}

enum rc
ctl_until(int64_t *out, const char *text, struct err *err)
{
	struct err why = { 0 };

	if (time_parse_end(out, text, clock_now(), &why) == RC_OK)
		return RC_OK;
	return fail(err, RC_CONFIG, "--until: %s", why.msg);
}

enum rc
ctl_confirm(const struct ctl_question *q, struct err *err)
{
	char line[16];

	if (q->yes)
		return RC_OK;
	if (!isatty(STDIN_FILENO)) {
		(void)fail(err, RC_DENIED, "nobody is here to say yes to %s", q->nobody);
		return err_hint(err, "%s", q->hint);
	}
	if (q->before != NULL)
		q->before(q->arg);
	(void)fprintf(stderr, "\n%s [y/N] ", q->question);
	(void)fflush(stderr);
	if (fgets(line, sizeof(line), stdin) != NULL && (line[0] == 'y' || line[0] == 'Y'))
		return RC_OK;
	return fail(err, RC_DENIED, "%s", q->no);
}
