/*
 * sim_actor.h - for fuzz targets: a simulator with one tenant, whose app has a secret and a
 * certificate, and requests to it without sockets.
 */
#ifndef SCEPD_TESTS_SIM_ACTOR_H
#define SCEPD_TESTS_SIM_ACTOR_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "intunesim/sim.h"

#define SIM_TENANT "11111111-aaaa-4aaa-8aaa-000000000001"
#define SIM_APP    "aaaaaaaa-0000-4000-8000-000000000001"

static struct cert *
sim_cert(struct key **key)
{
	struct name name = { 0 };
	struct serial serial;
	struct cert_fields f = {
		.serial = &serial,
		.issuer = &name,
		.subject = &name,
		.not_before = clock_now() - 3600,
		.not_after = clock_now() + 365 * 86400,
		.digest = DIGEST_SHA256,
		.key_usage = KU_DIGITAL_SIGNATURE,
		.path_len = -1,
	};
	struct cert *cert = NULL;

	if (key_generate(key, "rsa:2048", NULL) != RC_OK || serial_random(&serial, NULL) != RC_OK ||
	    name_from_text(&name, "CN=fuzz", NULL) != RC_OK)
		abort();
	f.subject_key = f.issuer_key = *key;
	if (cert_make(&cert, &f, *key, NULL) != RC_OK)
		abort();
	name_done(&name);
	return cert;
}

/* Made at the first call, and never freed: one for the whole run. */
static struct sim *
sim_actor(void)
{
	static struct sim *sim;
	struct sim_options options = { 0 };
	struct tenant *tenant;
	struct buf yaml, pem;
	struct cert *cert;
	struct key *key;

	if (sim != NULL)
		return sim;
	log_setup(LOG_ERROR, LOG_TEXT, STDERR_FILENO);
	cert = sim_cert(&key);
	buf_init(&yaml, 1 << 16);
	buf_init(&pem, 1 << 16);
	cert_pem(&pem, cert);
	buf_adds(&yaml,
	    "tenant: {id: " SIM_TENANT ", domain: fuzz.example}\n"
	    "apps:\n  - id: " SIM_APP "\n    secrets: [{value: s}]\n"
	    "    permissions: [scep_challenge_provider, Application.Read.All]\n"
	    "    certificates:\n      - pem: \"");
	for (size_t i = 0; i < pem.len; i++) {
		if (pem.data[i] == '\n')
			buf_adds(&yaml, "\\n");
		else
			buf_addc(&yaml, (char)pem.data[i]);
	}
	buf_adds(&yaml, "\"\n");
	if (tenant_parse(&tenant, "fuzz", yaml.data, yaml.len, NULL, 0, NULL) != RC_OK ||
	    sim_new(&sim, &options, &tenant, 1, NULL) != RC_OK)
		abort();
	buf_done(&yaml);
	buf_done(&pem);
	cert_free(cert);
	key_free(key);
	return sim;
}

/* The status of the answer, which must be one. */
static inline int
sim_ask(const char *method, const char *path, const struct http_header *headers, size_t n,
    const void *body, size_t len)
{
	struct http_request req = { .method = method,
		.target = path,
		.path = path,
		.query = "",
		.body = body,
		.body_len = len,
		.headers = headers,
		.n_headers = n,
		.peer = "192.0.2.7",
		.minor = 1 };
	struct http_reply reply = { .status = 200 };

	buf_init(&reply.body, HTTP_REPLY_MAX);
	buf_init(&reply.headers, 1 << 16);
	sim_handle(sim_actor(), &req, &reply);
	if (reply.status < 200 || reply.status > 599 || reply.body.rc != RC_OK)
		abort();
	buf_done(&reply.body);
	buf_done(&reply.headers);
	return reply.status;
}

#endif
