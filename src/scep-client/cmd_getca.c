/* cmd_getca.c - scep getcaps, scep getca, scep getnextca. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "scep-client/cli.h"
#include "scep-client/session.h"

struct options {
	const char *url, *ca_file, *as, *out_dir, *fingerprint;
	bool json;
};

static const struct opt common[] = {
	{ "url", 'u', OPT_STR, offsetof(struct options, url), "URL",
	    "of the SCEP server, as a device's profile has it", .required = true },
	{ "ca-file", 0, OPT_STR, offsetof(struct options, ca_file), "FILE",
	    "PEM trust anchors for https (default: the system's)" },
	{ "as", 0, OPT_CHOICE, offsetof(struct options, as), "PLATFORM",
	    "speak as this platform's client does (default plain)", .choices = MANNER_NAMES },
	{ "json", 0, OPT_FLAG, offsetof(struct options, json), NULL, "print JSON" },
	{ "out-dir", 'o', OPT_STR, offsetof(struct options, out_dir), "DIR",
	    "write each certificate there as ca-N.pem (getca) or next-N.pem (getnextca)" },
	{ "fingerprint", 0, OPT_STR, offsetof(struct options, fingerprint), "HEX",
	    "fail unless a certificate of the server has this SHA-1 or SHA-256 (getca, "
	    "getnextca)" },
	{ 0 },
};

static enum rc
open_session(struct session **s, const struct options *o, struct err *err)
{
	struct session_conf conf = { .url = o->url,
		.ca_file = o->ca_file,
		.fingerprint = o->fingerprint,
		.manner = manner_by_name(o->as) };

	return session_open(s, &conf, err);
}

/* ---- getcaps ---- */

static int
print_caps(const struct session *s, bool json)
{
	struct scep_bytes text;
	struct scep_error se;
	json_t *list;
	char *save = NULL;

	if (scep_caps_encode(&text, s->caps, &se) != SCEP_OK) {
		fprintf(stderr, "%s: %s\n", PROG, se.text);
		return 70;
	}
	if (!json) {
		printf("%.*s", (int)text.len, (const char *)text.data);
		scep_bytes_free(&text);
		return 0;
	}
	list = json_array();
	for (char *w = strtok_r((char *)text.data, "\n", &save); w != NULL;
	     w = strtok_r(NULL, "\n", &save))
		(void)json_array_append_new(list, json_string(w));
	scep_bytes_free(&text);
	return cli_print_json(json_pack("{s:o}", "capabilities", list));
}

static int
run_getcaps(const void *opts, int nargs, char **args)
{
	const struct options *o = opts;
	struct session *s;
	struct err err;
	int code;

	if (open_session(&s, o, &err) != RC_OK)
		return err_report(PROG, &err);
	code = print_caps(s, o->json);
	session_free(s);
	return code;
}

/* ---- getca ---- */

static void
print_cert(const struct cert *cert, const char *role, bool recipient)
{
	json_t *c = cli_cert_json(cert);

	printf("%s\n", role);
	printf("  subject      %s\n", json_get_str(c, "subject"));
	printf("  issuer       %s\n", json_get_str(c, "issuer"));
	printf("  key          %s\n", key_info0(cert_key0(cert))->name);
	printf("  valid until  %s\n", json_get_str(c, "notAfter"));
	printf("  SHA-1        %s\n", json_get_str(c, "sha1"));
	printf("  SHA-256      %s\n", json_get_str(c, "sha256"));
	if (recipient)
		printf("  requests are encrypted to this one\n");
	json_decref(c);
}

/* Certificates as a server told them; recipient == n: none of them is known to be one. */
struct told {
	struct cert *const *v;
	size_t n, recipient;
	const char *file; /* of --out-dir: "ca", "next" */
};

static int
print_certs(const struct told *t, bool json)
{
	json_t *list = json ? json_array() : NULL;

	for (size_t i = 0; i < t->n; i++) {
		const char *role = session_role_of(t->v, t->n, i);
		json_t *c;

		if (!json) {
			print_cert(t->v[i], role, i == t->recipient);
			continue;
		}
		c = cli_cert_json(t->v[i]);
		(void)json_object_set_new(c, "role", json_string(role));
		(void)json_array_append_new(list, c);
	}
	return json ? cli_print_json(json_pack("{s:o}", "certificates", list)) : 0;
}

static enum rc
write_certs(const struct told *t, const char *dir, struct err *err)
{
	enum rc rc = dir_make(dir, 0755, err);

	for (size_t i = 0; rc == RC_OK && i < t->n; i++) {
		const struct cert *c = t->v[i];
		char name[32];

		(void)snprintf(name, sizeof(name), "%s-%zu.pem", t->file, i);
		rc = cli_write_cert(dir, name, &c, 1, err);
	}
	return rc;
}

static int
show(const struct told *t, const struct options *o, struct err *err)
{
	if (o->out_dir != NULL && write_certs(t, o->out_dir, err) != RC_OK)
		return err_report(PROG, err);
	return print_certs(t, o->json);
}

static int
run_getca(const void *opts, int nargs, char **args)
{
	const struct options *o = opts;
	struct session *s;
	struct err err;
	int code;

	if (open_session(&s, o, &err) != RC_OK)
		return err_report(PROG, &err);
	code = show(&(struct told){ s->ca, s->n_ca, s->recipient, "ca" }, o, &err);
	session_free(s);
	return code;
}

/* ---- getnextca ---- */

static int
run_getnextca(const void *opts, int nargs, char **args)
{
	const struct options *o = opts;
	struct cert *next[SESSION_CERTS_MAX];
	struct session *s;
	size_t n = 0;
	struct err err;
	enum rc rc;
	int code;

	if (open_session(&s, o, &err) != RC_OK)
		return err_report(PROG, &err);
	rc = session_next_ca(s, next, &n, &err);
	code = rc == RC_OK ? show(&(struct told){ next, n, n, "next" }, o, &err)
			   : err_report(PROG, &err);
	while (n > 0)
		cert_free(next[--n]);
	session_free(s);
	return code;
}

static const struct options defaults = { .as = "plain" };

const struct command cmd_getcaps = { .name = "getcaps",
	.args = "",
	.help = "ask a server for its capabilities",
	.about = "  scep getcaps --url http://ca.example.com/scep/wifi",
	.opts = common,
	.size = sizeof(struct options),
	.defaults = &defaults,
	.run = run_getcaps };

const struct command cmd_getca = { .name = "getca",
	.args = "",
	.help = "fetch a server's certificates and show their fingerprints",
	.about = "Prints RA and CA certificates in the order in which the server sends them.\n\n"
		 "  scep getca --url http://ca.example.com/scep/wifi --out-dir ca",
	.opts = common,
	.size = sizeof(struct options),
	.defaults = &defaults,
	.run = run_getca };

const struct command cmd_getnextca = { .name = "getnextca",
	.args = "",
	.help = "fetch the certificates of a server's next CA, signed by the current one",
	.about = "Verifies the signature by a CA certificate of the server, whose fingerprint "
		 "--fingerprint checks.\n\n"
		 "  scep getnextca --url http://ca.example.com/scep/wifi --out-dir next",
	.opts = common,
	.size = sizeof(struct options),
	.defaults = &defaults,
	.run = run_getnextca };
