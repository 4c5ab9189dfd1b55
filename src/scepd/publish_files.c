/*
 * publish_files.c - the same as files, for a web server or what fills a CDN: crl_dir is its /crl/, with
 * CA.crl, CA/delta.crl and CA/K-of-N.crl in it, and CA.crt beside them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "scepd/publish_int.h"

#define FILE_MODE 0644 /* everybody may have it */
#define DIR_MODE  0755
#define RETRY_MS  30000

/* Under another name first, always the same, so that whatever is killed leaves no more than one behind. */
static enum rc
replace(const char *path, const void *p, size_t len, struct err *err)
{
	char *fresh = NULL, *dir = NULL;
	enum rc rc = str_format(&fresh, err, "%s.new", path);

	if (rc == RC_OK)
		rc = path_dir(&dir, path, err);
	if (rc == RC_OK)
		rc = file_write(fresh, p, len, FILE_MODE, 1, err);
	fault_point("crl-file");
	if (rc == RC_OK && rename(fresh, path) != 0)
		rc = fail_errno(err, "cannot give %s its name", path);
	if (rc == RC_OK)
		rc = folder_sync(dir, err);
	fault_point("crl-out");
	free(fresh);
	free(dir);
	return rc;
}

static enum rc
put(const struct server_ca *sca, const char *name, const char *suffix, const void *p, size_t len,
    struct err *err)
{
	const char *ca = sca->conf->name;
	char *dir = NULL, *path = NULL;
	enum rc rc;

	if (name == NULL) {
		rc = str_format(&path, err, "%s/%s%s", sca->conf->crl_dir, ca, suffix);
	} else {
		rc = str_format(&dir, err, "%s/%s", sca->conf->crl_dir, ca);
		if (rc == RC_OK)
			rc = dir_make(dir, DIR_MODE, err);
		if (rc == RC_OK)
			rc = str_format(&path, err, "%s/%s%s", dir, name, suffix);
	}
	if (rc == RC_OK)
		rc = replace(path, p, len, err);
	free(dir);
	free(path);
	return rc;
}

static void
tell(const struct server_ca *sca, const char *what, const struct err *err)
{
	struct log_line line;

	log_begin(&line, LOG_ERROR, "crl");
	log_str(&line, "ca", sca->conf->name);
	log_str(&line, "file", what);
	log_err(&line, err);
	log_end(&line);
}

static void
list_to_file(struct server_ca *sca, struct published *l)
{
	struct err err = { 0 };
	const uint8_t *p;
	size_t len;

	p = http_shared_bytes(l->out.der, &len);
	if (put(sca, l->kind == LIST_FULL ? NULL : l->name, ".crl", p, len, &err) == RC_OK) {
		l->to_file = false;
		return;
	}
	l->file_ms = clock_mono_ms() + RETRY_MS;
	atomic_fetch_add(&l->failures, 1);
	tell(sca, l->name, &err);
}

static void
cert_to_file(struct server_ca *sca)
{
	struct crl_lists *c = sca->crl;
	struct err err = { 0 };
	size_t len;
	const uint8_t *der = cert_der0(ca_cert0(sca->ca), &len);

	if (put(sca, NULL, ".crt", der, len, &err) == RC_OK) {
		c->cert_to_file = false;
		return;
	}
	c->cert_file_ms = clock_mono_ms() + RETRY_MS;
	tell(sca, "the certificate", &err);
}

void
publish_files(struct server_ca *sca)
{
	struct crl_lists *c = sca->crl;

	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].to_file && clock_mono_ms() >= c->v[i].file_ms)
			list_to_file(sca, &c->v[i]);
	if (c->cert_to_file && clock_mono_ms() >= c->cert_file_ms)
		cert_to_file(sca);
}
