/*
 * manner.h - how the SCEP clients of the platforms speak, and what they insist on in an answer, as
 * rows: URL, query, User-Agent, form of a GET, algorithms, encoding; content types, capabilities and
 * certificates without which they stop.  Sources: the field notes on the clients that servers have to
 * live with.
 *
 * A manner deviates from the plain one on purpose: it is for finding out whether a server serves that
 * platform.  A platform's own words for what it dislikes say nothing; ours name the cause.
 */
#ifndef SCEPD_SCEP_CLIENT_MANNER_H
#define SCEPD_SCEP_CLIENT_MANNER_H

#include <stdbool.h>

#include "base/err.h"
#include "ossl/cert.h"
#include "scep.h"

/* How the base64 of a PKIMessage stands in the URL of a GET. */
enum get_form {
	GET_ESCAPED, /* everything that RFC 3986 wants escaped */
	GET_RAW,     /* '+' and '/' as they are, '=' escaped: Apple */
	GET_LINES, /* lines of 64 characters with %0A behind each; '+' as %2B: Cisco, strongSwan */
};

/* Which certificate of GetCACert's list an envelope is for, where several could be meant. */
enum recipient_pick {
	PICK_FIRST_RA, /* the first that is no CA and may encipher keys, else a CA that may */
	PICK_LAST_RA,  /* the last of these: sscep */
};

struct manner {
	const char *name, *title; /* "windows", "Windows" */
	const char *suffix;       /* put behind the configured URL, "" for none */
	const char *caps_message; /* of GetCACaps; NULL: left out */
	const char *message;      /* of GetCACert; NULL: left out */
	const char *user_agent;   /* NULL: our own; "": none */
	const char *content_type; /* of the POST; NULL: none at all */
	enum scep_message_type renews_as;
	enum get_form get_form;
	enum recipient_pick pick;
	bool get_only;       /* sends PKIOperation by GET whatever the server can do */
	bool http10;         /* HTTP/1.0 */
	bool closes;         /* Connection: close */
	bool oaep;           /* wraps the content key with RSAES-OAEP (SHA-1) */
	bool old_algorithms; /* 3DES and SHA-1 where the server names them */
	bool ber;            /* BER: indefinite lengths, OCTET STRINGs in pieces */
	bool sha1_id;        /* transactionID: lower-case hex of SHA-1 over the key */
	bool sends_validity; /* the profile's validity travels in the CSR */
	/* what it insists on */
	bool exact_types;   /* Content-Type to the letter */
	bool needs_apple;   /* of the capabilities: SHA-1/256/512, and 3DES or AES */
	bool needs_each;    /* of the capabilities: each algorithm that it uses */
	bool needs_renewal; /* does not renew unless Renewal is there */
	bool needs_usage;   /* of the RA certificate: keyUsage with both bits */
	bool needs_nonces;  /* of an answer: senderNonce beside recipientNonce */
	bool needs_eku;     /* of the RA certificate: an extended key usage */
};

/* NULL when there is none of that name. */
const struct manner *manner_by_name(const char *name);
const struct manner *manner_plain(void);
/* All names, for options and help. */
#define MANNER_NAMES "plain|windows|apple|ios|macos|android|cisco|jscep|strongswan|sscep"

/*
 * What this platform would stop at, as an error that names platform and cause.  `type` is the answer's
 * Content-Type as it came ("" for none), `want` what RFC 8894 wants of this answer.
 */
enum rc manner_takes_type(const struct manner *m, const char *operation, const char *type,
    const char *want, struct err *err) MUST_CHECK;
/* `renewing`: it is about to. */
enum rc manner_takes_caps(
    const struct manner *m, unsigned caps, bool renewing, struct err *err) MUST_CHECK;
/* The recipient that was picked out of `n` certificates. */
enum rc manner_takes_recipient(
    const struct manner *m, const struct cert *recipient, size_t n, struct err *err) MUST_CHECK;

#endif
