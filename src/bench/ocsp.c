/*
 * ocsp.c - see ocsp.h.
 */
#include "bench/ocsp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "bench/program.h"
#include "bench/report.h"
#include "bench/server.h"
#include "bench/stop.h"
#include "bench/workdir.h"
#include "ossl/ext.h"
#include "ossl/ocsp.h"

#define OID_SHA1  "1.3.14.3.2.26"
#define OID_NONCE "1.3.6.1.5.5.7.48.1.2"
#define ROW       "  %-24s"

#define GOAL_NGINX 60 /* percent of what nginx does with a file of the answer's size */

static const struct section {
	const char *name, *path, *type, *json;
} sections[OCSP__SECTIONS] = {
	[OCSP_FILE] = { "the CA's certificate", "/ca/issuing.crt", "application/octet-stream",
	    "file" },
	[OCSP_SAME] = { "the same question", "/ocsp/issuing", "application/ocsp-request", "same" },
	[OCSP_NONCES] = { "questions with nonces", "/ocsp/issuing", "application/ocsp-request",
	    "nonces" },
	[OCSP_NGINX] = { "nginx: a file of the answer's size", "/file", "application/octet-stream",
	    "nginx" },
};

struct run {
	const struct ocsp_spec *spec;
	struct ocsp_figures *figures;
	struct cpus cpus;
	struct progress progress;
	char *dir, *scepd, *scepctl;
	struct server server;
	struct ocsp_issuer issuer;
	struct buf answer; /* one of the same question's */
};

/* ---- questions */

static void
add_nonce(struct buf *b, uint64_t nonce)
{
	size_t tagged = der_open(b, DER_CTX_CONS(2)), list = der_open(b, DER_SEQUENCE);
	struct ext_mark m = ext_open(b, OID_NONCE, false);
	uint8_t octets[16] = { 0 };

	memcpy(octets, &nonce, sizeof(nonce));
	der_add(b, DER_OCTET_STRING, octets, sizeof(octets));
	ext_close(b, m);
	der_close(b, list);
	der_close(b, tagged);
}

/* About one certificate; nonce 0: without one. */
static void
add_question(struct buf *b, const struct ocsp_issuer *issuer, uint64_t nonce)
{
	size_t whole = der_open(b, DER_SEQUENCE), tbs = der_open(b, DER_SEQUENCE),
	       list = der_open(b, DER_SEQUENCE), one = der_open(b, DER_SEQUENCE),
	       id = der_open(b, DER_SEQUENCE), alg = der_open(b, DER_SEQUENCE);

	(void)der_add_oid(b, OID_SHA1);
	der_close(b, alg);
	der_add(b, DER_OCTET_STRING, issuer->name[DIGEST_SHA1], digest_size(DIGEST_SHA1));
	der_add(b, DER_OCTET_STRING, issuer->key[DIGEST_SHA1], digest_size(DIGEST_SHA1));
	der_add_u64(b, 4711);
	der_close(b, id);
	der_close(b, one);
	der_close(b, list);
	if (nonce != 0)
		add_nonce(b, nonce);
	der_close(b, tbs);
	der_close(b, whole);
}

static bool
is_file(enum ocsp_section section)
{
	return section == OCSP_FILE || section == OCSP_NGINX;
}

/* All of them lie in `bytes`, one after the other and of the same length. */
static enum rc
make_shots(struct shot **out, struct buf *bytes, size_t n, const struct ocsp_issuer *issuer,
    enum ocsp_section section, struct err *err)
{
	struct shot *shots = calloc(n, sizeof(*shots));
	enum rc rc = shots != NULL ? RC_OK : fail(err, RC_NOMEM, "questions");
	size_t len;

	for (size_t i = 0; rc == RC_OK && !is_file(section) && i < n; i++)
		add_question(bytes, issuer, section == OCSP_NONCES ? UINT64_C(1) << 56 | i : 0);
	if (rc == RC_OK)
		rc = buf_ok(bytes, "questions", err);
	len = bytes->len / n;
	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		shots[i].body = bytes->data + i * len;
		shots[i].len = len;
	}
	if (rc == RC_OK)
		*out = shots;
	else
		free(shots);
	return rc;
}

/* ---- answers */

/* A certificate, or an OCSPResponse of status successful. */
static bool
is_answer(const struct shot *s, enum ocsp_section section)
{
	struct der in = { s->reply.data, s->reply.len }, body, status;

	if (s->status != 200 || !der_take(&in, DER_SEQUENCE, &body) || in.len != 0)
		return false;
	return is_file(section) ||
	    (der_take(&body, DER_ENUMERATED, &status) && status.len == 1 && status.p[0] == 0);
}

static enum rc
measure_section(struct run *r, enum ocsp_section section, struct err *err)
{
	struct measured *m = &r->figures->by[section];
	struct measure_spec ms = { .url = r->server.url,
		.type = sections[section].type,
		.server = r->server.child,
		.n = (size_t)r->spec->count,
		.concurrency = (unsigned)r->spec->concurrency,
		.cpus = &r->cpus,
		.progress = &r->progress };
	struct shot *shots;
	struct buf bytes;
	char *path = strchr(r->server.url + strlen("http://"), '/');
	enum rc rc;

	*m = (struct measured){
		.n = ms.n, .warm = measure_warm(&ms), .concurrency = ms.concurrency
	};
	(void)snprintf(path, sizeof(r->server.url) - (size_t)(path - r->server.url), "%s",
	    sections[section].path);
	buf_init(&bytes, 256 * (m->n + m->warm));
	rc = make_shots(&shots, &bytes, m->n + m->warm, &r->issuer, section, err);
	if (rc == RC_OK) {
		rc = measure_shots(m, &ms, shots, sections[section].name, err);
		for (size_t i = 0; rc == RC_OK && i < m->n + m->warm; i++)
			m->verdict.ok += is_answer(&shots[i], section);
		if (rc == RC_OK && section == OCSP_SAME)
			buf_add(&r->answer, shots[0].reply.data, shots[0].reply.len);
		shots_done(shots, m->n + m->warm);
		free(shots);
	}
	buf_done(&bytes);
	return rc;
}

/* ---- the run */

static enum rc
read_issuer(struct run *r, struct err *err)
{
	struct cert *ca = NULL;
	char *path;
	enum rc rc;

	if ((rc = path_join(&path, r->dir, "scepd/ca/issuing.pem", err)) != RC_OK)
		return rc;
	if ((rc = cert_load(&ca, path, err)) == RC_OK)
		rc = ocsp_issuer_of(&r->issuer, ca, err);
	cert_free(ca);
	free(path);
	return rc;
}

/* Where there is none, there is nothing to compare with. */
static enum rc
measure_nginx(struct run *r, struct err *err)
{
	struct server_spec ss = { r->dir, &r->cpus, "nginx", NULL, NULL, false };
	enum rc rc;

	if (!program_there(ss.program)) {
		r->figures->nginx_absent = "nginx is not installed";
		return RC_OK;
	}
	if ((rc = buf_ok(&r->answer, "answer", err)) == RC_OK &&
	    (rc = server_start_nginx(&r->server, &ss, &r->answer, err)) == RC_OK)
		rc = measure_section(r, OCSP_NGINX, err);
	server_stop(&r->server);
	return rc;
}

static enum rc
measure_all(struct run *r, struct err *err)
{
	struct server_spec ss = { r->dir, &r->cpus, r->scepd, r->scepctl, NULL, false };
	enum rc rc;

	progress_show(&r->progress, "making a CA and starting scepd", 0, 0);
	if ((rc = server_init_scepd(&ss, err)) == RC_OK)
		rc = server_start_scepd(&r->server, &ss, err);
	progress_clear(&r->progress);
	if (rc == RC_OK)
		rc = read_issuer(r, err);
	for (enum ocsp_section s = 0; rc == RC_OK && s < OCSP_NGINX; s++)
		rc = measure_section(r, s, err);
	server_stop(&r->server);
	return rc == RC_OK ? measure_nginx(r, err) : rc;
}

enum rc
ocsp_run(struct ocsp_figures *out, const struct ocsp_spec *spec, struct err *err)
{
	struct run r = { .spec = spec, .figures = out };
	enum rc rc;

	memset(out, 0, sizeof(*out));
	stop_block();
	progress_init(&r.progress);
	buf_init(&r.answer, LIMIT_CERT);
	if ((rc = cpus_read(&r.cpus, err)) == RC_OK &&
	    (rc = program_find(&r.scepd, spec->scepd, "scepd", err)) == RC_OK &&
	    (rc = program_find(&r.scepctl, spec->scepctl, "scepctl", err)) == RC_OK &&
	    (rc = workdir_make(&r.dir, err)) == RC_OK) {
		out->cores = r.cpus.n;
		cpus_use(&r.cpus.rest);
		rc = measure_all(&r, err);
	}
	workdir_remove(r.dir);
	buf_done(&r.answer);
	free(r.scepd);
	free(r.scepctl);
	return rc;
}

/* ---- figures */

static void
print_section(const struct ocsp_figures *f, enum ocsp_section s)
{
	const struct measured *m = &f->by[s], *file = &f->by[OCSP_FILE];
	size_t bad = m->n + m->warm - m->verdict.ok;

	printf("\n%s\n", sections[s].name);
	printf(ROW "%.0f a second (%zu in %.2f s, %u at a time)\n", "answers", m->per_second, m->n,
	    m->elapsed, m->concurrency);
	if (bad != 0)
		printf(ROW "%zu\n", "FAILED", bad);
	printf(ROW "p50 %.2f ms, p99 %.2f ms, max %.2f ms\n", "time to the answer",
	    (double)m->p50_us / 1e3, (double)m->p99_us / 1e3, (double)m->max_us / 1e3);
	printf(ROW "%.4f ms an answer\n", "server CPU", measured_cpu(m) * 1e3);
	if (!is_file(s))
		printf(ROW "%.0f %% of the answers, %.0f %% by CPU time\n", "to the file",
		    m->per_second / file->per_second * 100,
		    measured_cpu(file) / measured_cpu(m) * 100);
}

/* The goal is of answers that are kept: a signature for each nonce is what it costs. */
static void
print_to_nginx(const struct ocsp_figures *f)
{
	const struct measured *m = &f->by[OCSP_SAME], *nginx = &f->by[OCSP_NGINX];
	double share = m->per_second / nginx->per_second * 100;

	printf(ROW "%.0f %% of its answers, goal %d %%: %s; by CPU time %.0f %%\n",
	    "the same question to it", share, GOAL_NGINX,
	    share >= GOAL_NGINX ? "reached" : "MISSED",
	    measured_cpu(nginx) / measured_cpu(m) * 100);
}

void
ocsp_print(const struct ocsp_figures *f)
{
	printf("scepd on one core of %d\n", f->cores);
	for (enum ocsp_section s = 0; s < OCSP_NGINX; s++)
		print_section(f, s);
	if (f->nginx_absent != NULL) {
		printf("\n" ROW "not measured: %s\n", "to nginx", f->nginx_absent);
		return;
	}
	print_section(f, OCSP_NGINX);
	print_to_nginx(f);
}

static enum ocsp_section
sections_of(const struct ocsp_figures *f)
{
	return f->nginx_absent == NULL ? OCSP__SECTIONS : OCSP_NGINX;
}

static json_t *
section_json(const struct ocsp_figures *f, enum ocsp_section s)
{
	const struct measured *m = &f->by[s], *file = &f->by[OCSP_FILE];

	return json_pack("{s:I, s:I, s:i, s:I, s:f, s:f, s:I, s:I, s:I, s:f, s:f, s:f}", "count",
	    (json_int_t)m->n, "warmUp", (json_int_t)m->warm, "concurrency", (int)m->concurrency,
	    "succeeded", (json_int_t)m->verdict.ok, "seconds", m->elapsed, "perSecond",
	    m->per_second, "p50us", (json_int_t)m->p50_us, "p99us", (json_int_t)m->p99_us, "maxus",
	    (json_int_t)m->max_us, "cpuMsPerAnswer", measured_cpu(m) * 1e3, "throughputToFile",
	    m->per_second / file->per_second, "fileToCpuTime",
	    measured_cpu(m) > 0 ? measured_cpu(file) / measured_cpu(m) : 0.0);
}

int
ocsp_print_json(const struct ocsp_figures *f)
{
	json_t *v = json_pack("{s:s, s:i}", "program", "scepd", "cores", f->cores);

	for (enum ocsp_section s = 0; s < sections_of(f); s++)
		(void)json_object_set_new(v, sections[s].json, section_json(f, s));
	if (f->nginx_absent == NULL)
		(void)json_object_set_new(v, "sameToNginx",
		    json_real(f->by[OCSP_SAME].per_second / f->by[OCSP_NGINX].per_second));
	return report_json(v);
}

bool
ocsp_all_ok(const struct ocsp_figures *f)
{
	for (enum ocsp_section s = 0; s < sections_of(f); s++)
		if (f->by[s].verdict.ok != f->by[s].n + f->by[s].warm)
			return false;
	return true;
}
