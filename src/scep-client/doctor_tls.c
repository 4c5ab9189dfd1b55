/* doctor_tls.c - what there is to say of https; see doctor.h. */
#include "scep-client/doctor.h"

static void
trust(struct findings *out, const struct facts *f, const struct check *c)
{
	const struct handshake *h = &f->tls[TLS_AGE_NOW];

	if (!h->done)
		check_says(out, c, 0, LEVEL_BAD, "no TLS connection: %s", h->why);
	else
		check_says(out, c, 0, LEVEL_OK, "%s, with a certificate that this machine trusts",
		    tls_look_version(h->version));
}

static void
windows(struct findings *out, const struct facts *f, const struct check *c)
{
	if (f->tls[TLS_AGE_NOW].done && !f->tls[TLS_AGE_WINDOWS].done)
		check_says(out, c, 0, LEVEL_BAD,
		    "the server does not speak TLS 1.2, and the SCEP client of Windows no 1.3 "
		    "(0x80072f8f): %s",
		    f->tls[TLS_AGE_WINDOWS].why);
}

static void
old(struct findings *out, const struct facts *f, const struct check *c)
{
	const struct handshake *h = &f->tls[TLS_AGE_OLD];

	if (h->done && !f->tls[TLS_AGE_WINDOWS].done && !f->tls[TLS_AGE_NOW].done)
		check_says(out, c, 0, LEVEL_BAD,
		    "the server speaks nothing newer than %s, which no platform takes any more",
		    tls_look_version(h->version));
	else if (h->done)
		check_says(out, c, 0, LEVEL_WARN, "the server still speaks %s",
		    tls_look_version(h->version));
}

static void
client_certificate(struct findings *out, const struct facts *f, const struct check *c)
{
	if (f->tls[TLS_AGE_NOW].asked_for_client || f->tls[TLS_AGE_WINDOWS].asked_for_client)
		check_says(out, c, 0, LEVEL_BAD,
		    "the server asks for a client certificate, and Windows breaks the connection "
		    "off "
		    "then (0x80072f78), even where it is optional");
}

const struct check checks_tls[] = {
	{ "tls-trust", ON_ALL, NULL, trust,
	    "Send the whole chain with the server's certificate, and roll its root out to devices "
	    "first; --ca-file names a root that this machine does not know." },
	{ "tls-1.2", ON_WINDOWS, "TLS 1.2 is spoken", windows, "Allow TLS 1.2 besides 1.3." },
	{ "tls-old", ON_ALL, "nothing older than TLS 1.2 is spoken", old,
	    "Allow TLS 1.2 and 1.3 only." },
	{ "tls-client-certificate", ON_WINDOWS, "no client certificate is asked for",
	    client_certificate,
	    "Turn client certificates off for this host (nginx ssl_verify_client, Apache "
	    "SSLVerifyClient, IIS \"ignore\")." },
	{ 0 },
};
