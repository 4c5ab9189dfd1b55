/* pending.c - see pending.h. */
#include "scep-client/pending.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "scep-client/cli.h"
#include "scep-client/manner.h"

#define FOLDER "pending"
/* Removed in this order: state.json makes the folder what it is, so it goes first. */
static const char *const names[] = { "state.json", "signer-key.pem", "signer.pem", "key.pem" };

/* ---- reading ---- */

static enum rc
parse_subject(struct name *out, const char *text, struct err *err)
{
	struct buf der;
	enum rc rc;

	buf_init(&der, LIMIT_CERT);
	if ((rc = base64_decode(&der, text, strlen(text), BASE64_STRICT, err)) == RC_OK)
		rc = name_parse(out, der.data, der.len, err);
	buf_done(&der);
	return rc == RC_OK ? rc : err_context(err, "subject");
}

static enum rc
parse_members(struct pending *p, struct err *err)
{
	const char *subject;
	size_t len;
	enum rc rc;

	if ((rc = json_need_str(&p->url, p->state, "url", err)) != RC_OK ||
	    (rc = json_need_str(&p->manner, p->state, "manner", err)) != RC_OK ||
	    (rc = json_need_str(&p->transaction_id, p->state, "transactionId", err)) != RC_OK ||
	    (rc = json_need_str(&subject, p->state, "subject", err)) != RC_OK ||
	    (rc = json_get_i64(&p->since, p->state, "since", 0, err)) != RC_OK ||
	    (rc = json_get_i64(&p->polls, p->state, "polls", 0, err)) != RC_OK)
		return rc;
	p->fingerprint = json_get_str(p->state, "fingerprint");
	p->renewal = json_is_true(json_object_get(p->state, "renewal"));
	len = strlen(p->transaction_id);
	if (len == 0 || len > LIMIT_TXID)
		return fail(err, RC_PARSE, "a transactionId of %zu characters", len);
	if (manner_by_name(p->manner) == NULL)
		return fail(err, RC_PARSE, "manner \"%s\"", p->manner);
	return parse_subject(&p->subject, subject, err);
}

enum rc
pending_parse(struct pending *out, const void *json, size_t len, struct err *err)
{
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = json_parse_object(&out->state, "state.json", json, len, err)) == RC_OK)
		rc = parse_members(out, err);
	if (rc != RC_OK)
		pending_done(out);
	return rc;
}

static enum rc
load_keys(struct pending *p, const char *folder, struct err *err)
{
	char *key = NULL, *signer = NULL, *signer_key = NULL;
	enum rc rc;

	if ((rc = path_join(&key, folder, "key.pem", err)) == RC_OK &&
	    (rc = path_join(&signer, folder, "signer.pem", err)) == RC_OK &&
	    (rc = path_join(&signer_key, folder, "signer-key.pem", err)) == RC_OK &&
	    (rc = key_load(&p->key, key, err)) == RC_OK &&
	    (rc = cert_load(&p->signer, signer, err)) == RC_OK) {
		if (access(signer_key, F_OK) == 0)
			rc = key_load(&p->signer_key, signer_key, err);
		else
			p->signer_key = key_ref(p->key);
	}
	free(key);
	free(signer);
	free(signer_key);
	return rc;
}

enum rc
pending_load(struct pending *out, const char *dir, struct err *err)
{
	char *folder = NULL, *state = NULL;
	struct buf text;
	enum rc rc;

	buf_init(&text, LIMIT_SECRET_FILE);
	if ((rc = path_join(&folder, dir, FOLDER, err)) == RC_OK &&
	    (rc = path_join(&state, folder, "state.json", err)) == RC_OK)
		rc = file_read(&text, state, LIMIT_SECRET_FILE, err);
	if (rc == RC_NOTFOUND)
		(void)fail(err, rc, "no request of %s is pending", dir);
	else if (rc == RC_OK && (rc = pending_parse(out, text.data, text.len, err)) != RC_OK)
		(void)err_context(err, "%s", state);
	if (rc == RC_OK && (rc = load_keys(out, folder, err)) != RC_OK)
		pending_done(out);
	buf_done(&text);
	free(folder);
	free(state);
	return rc;
}

void
pending_done(struct pending *p)
{
	json_decref(p->state);
	name_done(&p->subject);
	cert_free(p->signer);
	key_free(p->key);
	key_free(p->signer_key);
	memset(p, 0, sizeof(*p));
}

/* ---- writing ---- */

static enum rc
write_state(const char *folder, const json_t *state, struct err *err)
{
	char *path = NULL;
	struct buf text;
	enum rc rc;

	if (state == NULL)
		return fail(err, RC_NOMEM, "state.json");
	buf_init(&text, LIMIT_SECRET_FILE);
	if ((rc = json_add_pretty(&text, state, err)) == RC_OK &&
	    (rc = path_join(&path, folder, "state.json", err)) == RC_OK)
		rc = file_write(path, text.data, text.len, 0600, 1, err);
	free(path);
	buf_done(&text);
	return rc;
}

static json_t *
new_state(const struct pending_new *p)
{
	struct buf subject;
	json_t *v;

	buf_init(&subject, 2 * LIMIT_CERT);
	base64_add(&subject, p->subject->der, p->subject->der_len);
	v = json_pack("{s:s, s:s, s:s, s:s, s:s*, s:b, s:I, s:i}", "url", p->url, "manner",
	    p->manner, "transactionId", p->transaction_id, "subject", buf_str(&subject),
	    "fingerprint", p->fingerprint, "renewal", p->renewal, "since", (json_int_t)clock_now(),
	    "polls", 0);
	buf_done(&subject);
	return v;
}

/* state.json last: without it the folder says nothing. */
enum rc
pending_save(const char *dir, const struct pending_new *p, struct err *err)
{
	json_t *state = new_state(p);
	char *folder = NULL;
	enum rc rc;

	if ((rc = dir_make(dir, 0755, err)) == RC_OK && (rc = pending_drop(dir, err)) == RC_OK &&
	    (rc = path_join(&folder, dir, FOLDER, err)) == RC_OK &&
	    (rc = dir_make(folder, 0700, err)) == RC_OK &&
	    (rc = cli_write_key(folder, "key.pem", p->key, err)) == RC_OK &&
	    (rc = cli_write_cert(folder, "signer.pem", &p->signer, 1, err)) == RC_OK &&
	    (key_same_public(p->key, p->signer_key) ||
		(rc = cli_write_key(folder, "signer-key.pem", p->signer_key, err)) == RC_OK))
		rc = write_state(folder, state, err);
	json_decref(state);
	free(folder);
	return rc;
}

enum rc
pending_count(const char *dir, struct pending *p, struct err *err)
{
	char *folder = NULL;
	enum rc rc;

	p->polls++;
	if (json_object_set_new(p->state, "polls", json_integer(p->polls)) != 0)
		return fail(err, RC_NOMEM, "state.json");
	if ((rc = path_join(&folder, dir, FOLDER, err)) == RC_OK)
		rc = write_state(folder, p->state, err);
	free(folder);
	return rc;
}

enum rc
pending_drop(const char *dir, struct err *err)
{
	char *folder = NULL;
	enum rc rc;

	if ((rc = path_join(&folder, dir, FOLDER, err)) != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = NULL;

		if ((rc = path_join(&path, folder, names[i], err)) == RC_OK && unlink(path) != 0 &&
		    errno != ENOENT)
			rc = fail_errno(err, "cannot remove %s", path);
		free(path);
	}
	if (rc == RC_OK && rmdir(folder) != 0 && errno != ENOENT)
		rc = fail_errno(err, "cannot remove %s", folder);
	free(folder);
	return rc;
}
