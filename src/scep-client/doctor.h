/*
 * doctor.h - a SCEP server as the devices of each platform would find it, in words.
 *
 * Three parts: doctor_look() asks the server questions and keeps the answers (facts); doctor_judge()
 * makes findings of them by a table of checks and talks to nobody; doctor_probe() sends requests that a
 * server has to refuse, in the manner of each platform.
 */
#ifndef SCEPD_SCEP_CLIENT_DOCTOR_H
#define SCEPD_SCEP_CLIENT_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "http/client.h"
#include "ossl/cert.h"
#include "ossl/tls_look.h"
#include "scep-client/session.h"
#include "scep.h"

/* ---- findings ---- */

enum platform {
	ON_WINDOWS = 1 << 0,
	ON_APPLE = 1 << 1,
	ON_ANDROID = 1 << 2,
	ON_STRONGSWAN = 1 << 3,
	ON_CISCO = 1 << 4,
	ON_JSCEP = 1 << 5,
	ON_SSCEP = 1 << 6,
	ON_ALL = (1 << 7) - 1,
};
#define PLATFORMS 7
/* "Windows", "Apple" ... by number of the bit; static. */
const char *platform_name(unsigned bit);

enum level { LEVEL_OK, LEVEL_WARN, LEVEL_BAD };
const char *level_name(enum level l); /* "ok", "warn", "bad"; static */

struct finding {
	const char *id;     /* static: "ra-eku" */
	unsigned platforms; /* who stumbles, or for LEVEL_OK whose wish this is */
	enum level level;
	char text[512];   /* a sentence; what a server sent is printable in it */
	char advice[320]; /* what to do; "" when there is nothing */
};

#define FINDINGS_MAX 128 /* some 35 checks, few of which have more than one thing to say */

struct findings {
	struct finding v[FINDINGS_MAX];
	size_t n;
};
void findings_add(struct findings *f, const char *id, unsigned platforms, enum level level,
    const char *advice, const char *fmt, ...) PRINTF_LIKE(6, 7);
enum level findings_worst(const struct findings *f);

/* ---- facts ---- */

enum question {
	Q_CAPS,          /* GetCACaps */
	Q_CAPS_EMPTY,    /* ... with message=, as Apple */
	Q_CAPS_WINDOWS,  /* ... /pkiclient.exe, message=default */
	Q_CAPS_HTTP10,   /* ... HTTP/1.0 without Host */
	Q_CERTS,         /* GetCACert */
	Q_CERTS_APPLE,   /* ... message=CA%20IDENT */
	Q_CERTS_WINDOWS, /* ... /pkiclient.exe, message=default */
	Q_NEXT,          /* GetNextCACert */
	Q_UNKNOWN,       /* an operation that there is not */
	Q_LONG_GET,      /* a PKIOperation of nearly 64 KiB in the URL, that is no message */
	Q_POST,          /* a PKIOperation that is no message */
	Q_POST_CHUNKED,  /* the same with Transfer-Encoding: chunked */
	Q__MAX
};

struct answer {
	int status; /* 0: none came, see why */
	enum rc rc;
	enum http_step failed;
	char type[128], location[256], why[ERR_MSG_MAX];
	bool has_length;
	int64_t date;     /* of the server, wall seconds; 0: not told */
	int64_t asked_at; /* our wall seconds */
	unsigned ms;
	struct buf body;
};

struct handshake {
	bool tried, done;
	int version;
	bool asked_for_client;
	char why[ERR_MSG_MAX];
};

struct facts {
	bool https;
	int64_t now; /* wall seconds that certificates are judged at */
	struct answer answers[Q__MAX];
	struct handshake tls[3]; /* by enum tls_age */
	/* out of the answers, as far as they could be read */
	bool caps_known;
	unsigned caps;
	struct cert *certs[SESSION_CERTS_MAX];
	size_t n_certs;
	bool is_list;        /* a SignedData, not one certificate */
	char certs_why[256]; /* why there are none */
};
void facts_done(struct facts *f);

struct doctor_conf {
	const char *url;
	const char *ca_file; /* trust anchors for https; NULL: the system's */
	unsigned timeout_ms; /* of one question; 0: 30000, which is what devices wait */
	/* Told what is being asked, a line each; may be NULL. */
	void (*progress)(void *arg, const char *what);
	void *progress_arg;
};
/* Ask everything.  What goes wrong with the server is a fact; RC_CONFIG for a URL that is none. */
enum rc doctor_look(struct facts *out, const struct doctor_conf *conf, struct err *err) MUST_CHECK;
/* Out of the bodies: capabilities, certificates.  A door; done by doctor_look(). */
void facts_read(struct facts *f);
/* All checks; appends. */
void doctor_judge(struct findings *out, const struct facts *f);

/*
 * A request with a wrong challenge in the manner of each platform; each has to be answered HTTP 200 and
 * a signed CertRep FAILURE with all its attributes (RFC 8894 3.2.1, 3.3.2.2).  Appends.
 */
void doctor_probe(struct findings *out, const struct doctor_conf *conf);
/*
 * The door of these answers: why it is not the FAILURE that RFC 8894 wants, "" when it is.  Structure
 * and attributes; no signature is verified.
 */
void doctor_failure_form(
    char out[static 256], const void *p, size_t len, const struct scep_pending *pending);

/* ---- checks (internal: one function a row) ---- */

struct check {
	const char *id;
	unsigned platforms;
	const char *fine; /* the sentence when nothing was found; NULL: the check says it itself */
	void (*look)(struct findings *out, const struct facts *f, const struct check *c);
	const char *advice;
};
/* The tables, ended by a NULL id; checks_silent is for a server that gives no answer. */
extern const struct check checks_silent[], checks_http[], checks_tls[], checks_certs[];
/* As findings_add() with the row's id and advice. */
void check_says(struct findings *out, const struct check *c, unsigned platforms, enum level level,
    const char *fmt, ...) PRINTF_LIKE(5, 6);

/* Said to be slow: devices wait 30 s, and an enrolment is several exchanges. */
#define DOCTOR_SLOW_MS 5000
#define DOCTOR_SOON    (30 * 86400) /* seconds: an end that has to be planned for */

#endif
