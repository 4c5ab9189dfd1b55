/*
 * wire.c - channels for tests.
 */
#include "wire.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"

void
wire_pairs(int *near, int *far, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int sv[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
		near[i] = sv[0];
		far[i] = sv[1];
	}
}

void
wire_both(
    struct kit *k, struct signer *s, size_t n, struct signer **remote, struct signer_server **v)
{
	int near[SIGNER_CHANNELS_MAX], far[SIGNER_CHANNELS_MAX];

	wire_pairs(near, far, n);
	ok(k, signer_server_new(v, s, &k->err));
	ok(k, signer_server_attach(*v, far, n, &k->err));
	ok(k, signer_remote_new(remote, &k->err));
	signer_remote_attach(*remote, near, n);
}

static bool
round_cert(const struct kit *k, struct signer *s, const char *name, const struct party *ca)
{
	struct cert_fields f;
	struct buf tbs, der;
	struct cert *c = NULL;
	struct err err = { 0 };
	bool fine;

	buf_init(&tbs, LIMIT_CERT);
	buf_init(&der, LIMIT_CERT);
	kit_fields(k, ca, &f);
	fine = cert_tbs_build(&tbs, &f, &err) == RC_OK &&
	    signer_sign_cert(s, name, tbs.data, tbs.len, &der, &err) == RC_OK &&
	    cert_parse(&c, der.data, der.len, &err) == RC_OK &&
	    cert_verify_by(c, ca->cert, &err) == RC_OK;
	if (!fine)
		print_error("certificate: %s\n", err.msg);
	cert_free(c);
	buf_done(&tbs);
	buf_done(&der);
	return fine;
}

static bool
round_unwrap(const struct kit *k, struct signer *s)
{
	static const struct transport t = { TRANSPORT_OAEP, DIGEST_SHA256, DIGEST_SHA1 };
	static const uint8_t cek[32] = "thirty-two octets, or nearly so";
	struct err err = { 0 };
	struct buf wrapped;
	uint8_t back[32];
	bool fine;

	buf_init(&wrapped, 1024);
	fine = key_wrap(&wrapped, cert_key0(k->ra.cert), &t, cek, 32, &err) == RC_OK &&
	    signer_unwrap(s, "rsa", &t, wrapped.data, wrapped.len, back, 32, &err) == RC_OK &&
	    memcmp(back, cek, 32) == 0;
	if (!fine)
		print_error("unwrap: %s\n", err.msg);
	buf_done(&wrapped);
	return fine;
}

bool
wire_round(const struct kit *k, struct signer *s)
{
	return round_unwrap(k, s) && round_cert(k, s, "ec", &k->ec) &&
	    round_cert(k, s, "rsa", &k->rsa);
}
