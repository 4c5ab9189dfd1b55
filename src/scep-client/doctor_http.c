/* doctor_http.c - what there is to say of HTTP and of the capabilities; see doctor.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "scep-client/doctor.h"

#define CLOCK_OFF_MAX 300 /* seconds: what Kerberos lets pass too */
#define CAPS_SHA      (SCEP_CAP_SHA1 | SCEP_CAP_SHA256 | SCEP_CAP_SHA512)

/* The answer that a device would get something out of. */
static bool
good(const struct facts *f, enum question q)
{
	return f->answers[q].status == 200;
}

/* What came instead of an answer, in a few words. */
static const char *
instead(const struct answer *a, char out[static 160])
{
	if (a->status == 0)
		(void)snprintf(out, 160, "no answer (%.120s)", a->why);
	else
		(void)snprintf(out, 160, "HTTP %d", a->status);
	return out;
}

static bool
is_html(const struct answer *a)
{
	const char *p = buf_str(&a->body);

	if (strncasecmp(a->type, "text/html", 9) == 0)
		return true;
	p += strspn(p, " \t\r\n");
	return strncasecmp(p, "<!doctype", 9) == 0 || strncasecmp(p, "<html", 5) == 0;
}

/* ---- that it answers at all, and how ---- */

static void
silent(struct findings *out, const struct facts *f, const struct check *c)
{
	check_says(out, c, 0, LEVEL_BAD, "GetCACaps: %s", f->answers[Q_CAPS].why);
}

static void
speed(struct findings *out, const struct facts *f, const struct check *c)
{
	unsigned worst = 0;

	for (size_t q = 0; q < Q__MAX; q++) {
		const struct answer *a = &f->answers[q];

		if (a->rc == RC_TIMEOUT)
			check_says(out, c, 0, LEVEL_BAD,
			    "no answer within %u s, when devices have given up: %s", a->ms / 1000,
			    a->why);
		else if (a->status != 0 && a->ms > worst)
			worst = a->ms;
	}
	if (worst > DOCTOR_SLOW_MS)
		check_says(out, c, 0, LEVEL_WARN,
		    "the slowest answer took %u.%u s; devices wait 30 s, and many may ask at once",
		    worst / 1000, worst % 1000 / 100);
	else if (out->n == 0 || out->v[out->n - 1].id != c->id)
		check_says(out, c, 0, LEVEL_OK, "the slowest answer took %u ms", worst);
}

static void
redirect(struct findings *out, const struct facts *f, const struct check *c)
{
	for (int q = Q_CAPS; q <= Q_CERTS_WINDOWS; q++) {
		const struct answer *a = &f->answers[q];

		if (a->status < 300 || a->status > 399)
			continue;
		check_says(out, c, 0, LEVEL_BAD,
		    "the server redirects (HTTP %d) to %s, and SCEP clients do not follow",
		    a->status, a->location[0] != '\0' ? a->location : "nowhere");
		return;
	}
}

/* Intune's Android profiles refuse the URL itself. */
static void
scheme(struct findings *out, const struct facts *f, const struct check *c)
{
	if (!f->https)
		check_says(out, c, 0, LEVEL_WARN,
		    "the URL is http, which Intune's profiles for Android do not take; SCEP itself "
		    "needs no TLS");
}

static void
html(struct findings *out, const struct facts *f, const struct check *c)
{
	static const struct {
		enum question q;
		const char *name;
	} rows[] = { { Q_CAPS, "GetCACaps" }, { Q_CERTS, "GetCACert" },
		{ Q_UNKNOWN, "an unknown operation" }, { Q_POST, "a message that is none" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct answer *a = &f->answers[rows[i].q];
		bool counts = rows[i].q == Q_CAPS || rows[i].q == Q_CERTS;

		if (a->status == 0 || (a->status >= 300 && a->status < 400) || !is_html(a))
			continue;
		check_says(out, c, 0, counts ? LEVEL_BAD : LEVEL_WARN,
		    "%s is answered with an HTML page (HTTP %d), which jscep cannot get past and "
		    "others try to decode",
		    rows[i].name, a->status);
	}
}

static void
length(struct findings *out, const struct facts *f, const struct check *c)
{
	if (good(f, Q_CERTS) && !f->answers[Q_CERTS].has_length)
		check_says(out, c, 0, LEVEL_WARN,
		    "GetCACert's answer has no Content-Length; clients without chunked transfer "
		    "cannot read it");
}

static void
server_clock(struct findings *out, const struct facts *f, const struct check *c)
{
	const struct answer *a = &f->answers[Q_CAPS];
	long long off = a->date != 0 ? (long long)(a->date - a->asked_at) : 0;

	if (off > CLOCK_OFF_MAX || off < -CLOCK_OFF_MAX)
		check_says(out, c, 0, LEVEL_WARN,
		    "the server's clock is %lld s %s this machine's: certificates may be \"not yet "
		    "valid\" to devices",
		    off < 0 ? -off : off, off < 0 ? "behind" : "ahead of");
}

/* ---- GetCACaps ---- */

static void
caps_status(struct findings *out, const struct facts *f, const struct check *c)
{
	const struct answer *a = &f->answers[Q_CAPS];
	char words[160];

	if (!good(f, Q_CAPS))
		check_says(out, c, 0, LEVEL_BAD,
		    "GetCACaps is answered with %s; devices then fall back to 3DES, SHA-1 and GET, "
		    "sscep to DES and MD5",
		    instead(a, words));
	else if (f->caps == 0)
		check_says(out, c, 0, LEVEL_BAD,
		    "GetCACaps names no capability; devices then fall back to 3DES, SHA-1 and GET, "
		    "sscep to DES and MD5");
}

static void
caps_type(struct findings *out, const struct facts *f, const struct check *c)
{
	const char *type = f->answers[Q_CAPS].type;

	if (good(f, Q_CAPS) && strncasecmp(type, "text/plain", 10) != 0)
		check_says(out, c, 0, LEVEL_WARN,
		    "GetCACaps has the Content-Type \"%s\", not text/plain (RFC 8894 3.5.2)", type);
}

static const char *const keywords[] = { "AES", "DES3", "GetNextCACert", "POSTPKIOperation",
	"Renewal", "SHA-1", "SHA-256", "SHA-384", "SHA-512", "SCEPStandard", "Update" };

/* RFC 8894 3.5.2: keywords are compared octet by octet. */
static void
caps_form(struct findings *out, const struct facts *f, const struct check *c)
{
	const struct buf *body = &f->answers[Q_CAPS].body;
	const char *p = buf_str(body);
	size_t lf = 0, crlf = 0;

	if (!good(f, Q_CAPS) || is_html(&f->answers[Q_CAPS]))
		return;
	while (*p != '\0') {
		size_t len = strcspn(p, "\r\n"), end = len;

		for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
			if (strlen(keywords[i]) == len && strncasecmp(p, keywords[i], len) == 0 &&
			    strncmp(p, keywords[i], len) != 0)
				check_says(out, c, 0, LEVEL_WARN,
				    "the capability \"%.*s\" is spelled %s in the RFC; strict "
				    "clients "
				    "overlook it",
				    (int)len, p, keywords[i]);
		if (len > 0 && (p[0] == ' ' || p[len - 1] == ' '))
			check_says(out, c, 0, LEVEL_WARN,
			    "there is a blank around the capability \"%.*s\"",
			    (int)(len < 40 ? len : 40), p);
		crlf += p[end] == '\r' && p[end + 1] == '\n';
		lf += p[end] == '\n';
		end += p[end] == '\r';
		end += p[end] == '\n';
		p += end;
	}
	if (lf > 0 && crlf > 0)
		check_says(out, c, 0, LEVEL_WARN,
		    "capabilities end with LF here and with CR LF there; RFC 8894 3.5.2 takes one "
		    "or the other");
}

/* Without capabilities, caps-status has said all. */
static bool
has_caps(const struct facts *f)
{
	return f->caps_known && f->caps != 0;
}

static void
caps_apple(struct findings *out, const struct facts *f, const struct check *c)
{
	if (has_caps(f) && (f->caps & CAPS_SHA) == 0)
		check_says(out, c, 0, LEVEL_BAD,
		    "the capabilities name none of SHA-1, SHA-256, SHA-512; iOS and macOS stop "
		    "there");
	if (has_caps(f) && (f->caps & (SCEP_CAP_AES | SCEP_CAP_DES3)) == 0)
		check_says(out, c, 0, LEVEL_BAD,
		    "the capabilities name neither AES nor DES3; iOS and macOS stop there");
}

static void
caps_strongswan(struct findings *out, const struct facts *f, const struct check *c)
{
	static const struct {
		enum scep_cap cap;
		const char *name;
	} rows[] = { { SCEP_CAP_SHA256, "SHA-256" }, { SCEP_CAP_AES, "AES" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (has_caps(f) && (f->caps & rows[i].cap) == 0)
			check_says(out, c, 0, LEVEL_BAD,
			    "the capabilities do not name %s, and pki --scep stops unless told to "
			    "use "
			    "another; SCEPStandard does not count for it",
			    rows[i].name);
}

static void
caps_renewal(struct findings *out, const struct facts *f, const struct check *c)
{
	if (has_caps(f) && (f->caps & SCEP_CAP_RENEWAL) == 0)
		check_says(out, c, 0, LEVEL_BAD,
		    "the capabilities do not name Renewal: macOS and strongSwan will not renew");
}

static void
caps_post(struct findings *out, const struct facts *f, const struct check *c)
{
	if (!has_caps(f) || (f->caps & SCEP_CAP_POST_PKI_OPERATION) != 0)
		return;
	if ((f->caps & SCEP_CAP_SCEP_STANDARD) != 0)
		check_says(out, c, ON_APPLE, LEVEL_WARN,
		    "the capabilities name SCEPStandard and not POSTPKIOperation: Apple sends its "
		    "messages by GET then");
	else
		check_says(out, c, ON_WINDOWS | ON_APPLE, LEVEL_BAD,
		    "the capabilities do not name POSTPKIOperation: Windows sends POST all the "
		    "same, "
		    "Apple a GET whose '+' many servers take for a space");
}

/* ---- GetCACert ---- */

static void
cacert_status(struct findings *out, const struct facts *f, const struct check *c)
{
	const struct answer *a = &f->answers[Q_CERTS];
	char words[160];

	if (!good(f, Q_CERTS))
		check_says(
		    out, c, 0, LEVEL_BAD, "GetCACert is answered with %s", instead(a, words));
	else if (f->n_certs == 0)
		check_says(out, c, 0, LEVEL_BAD, "GetCACert's answer holds no certificates: %s",
		    f->certs_why);
}

static void
cacert_type(struct findings *out, const struct facts *f, const struct check *c)
{
	const char *type = f->answers[Q_CERTS].type;
	const char *want = f->is_list ? SESSION_CA_RA_CERT : SESSION_CA_CERT;
	size_t bare = strcspn(type, "; ");

	if (!good(f, Q_CERTS) || f->n_certs == 0 || strcasecmp(type, want) == 0)
		return;
	if (bare == strlen(want) && strncasecmp(type, want, bare) == 0)
		check_says(out, c, 0, LEVEL_BAD,
		    "GetCACert has the Content-Type \"%s\"; certmonger and sscep take %s without "
		    "parameters only",
		    type, want);
	else
		check_says(out, c, ON_ALL, LEVEL_BAD,
		    "GetCACert has the Content-Type \"%s\" for %s, which is %s (RFC 8894 4.2.1)",
		    type, f->is_list ? "a list of certificates" : "a single certificate", want);
}

/* The same certificates, whatever stands behind message=. */
static bool
same_certs(const struct facts *f, enum question q)
{
	const struct buf *a = &f->answers[Q_CERTS].body, *b = &f->answers[q].body;

	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static void
message_apple(struct findings *out, const struct facts *f, const struct check *c)
{
	char words[160];

	if (good(f, Q_CAPS) && !good(f, Q_CAPS_EMPTY))
		check_says(out, c, 0, LEVEL_BAD, "GetCACaps with an empty message= gets %s",
		    instead(&f->answers[Q_CAPS_EMPTY], words));
	if (!good(f, Q_CERTS))
		return;
	if (!good(f, Q_CERTS_APPLE))
		check_says(out, c, 0, LEVEL_BAD,
		    "GetCACert with a name in message= gets %s; Apple puts the profile's there",
		    instead(&f->answers[Q_CERTS_APPLE], words));
	else if (!same_certs(f, Q_CERTS_APPLE))
		check_says(out, c, 0, LEVEL_WARN,
		    "GetCACert with a name in message= tells other certificates than without");
}

static void
path_windows(struct findings *out, const struct facts *f, const struct check *c)
{
	char words[160];

	if (good(f, Q_CAPS) && !good(f, Q_CAPS_WINDOWS))
		check_says(out, c, 0, LEVEL_BAD,
		    "GetCACaps at the URL with /pkiclient.exe, message=default, gets %s; Windows "
		    "puts that there (404 is its 0x80190194)",
		    instead(&f->answers[Q_CAPS_WINDOWS], words));
	if (!good(f, Q_CERTS))
		return;
	if (!good(f, Q_CERTS_WINDOWS))
		check_says(out, c, 0, LEVEL_BAD,
		    "GetCACert at the URL with /pkiclient.exe, message=default, gets %s",
		    instead(&f->answers[Q_CERTS_WINDOWS], words));
	else if (!same_certs(f, Q_CERTS_WINDOWS))
		check_says(out, c, 0, LEVEL_WARN,
		    "GetCACert with message=default tells other certificates than without");
}

/* ---- forms of HTTP ---- */

static void
http10(struct findings *out, const struct facts *f, const struct check *c)
{
	char words[160];

	if (good(f, Q_CAPS) && !good(f, Q_CAPS_HTTP10))
		check_says(out, c, 0, LEVEL_WARN,
		    "HTTP/1.0 without a Host header gets %s: old IOS routers speak that, and "
		    "appliances when they fetch lists",
		    instead(&f->answers[Q_CAPS_HTTP10], words));
}

static void
get_length(struct findings *out, const struct facts *f, const struct check *c)
{
	const struct answer *a = &f->answers[Q_LONG_GET];
	bool posts = (f->caps & SCEP_CAP_POST_PKI_OPERATION) != 0;
	char words[160];

	if (a->status == 0 || a->status == 413 || a->status == 414 || a->status == 431)
		check_says(out, c, posts ? ON_CISCO : ON_CISCO | ON_APPLE,
		    posts ? LEVEL_WARN : LEVEL_BAD,
		    "a GET of 60 KB gets %s; who sends messages by GET needs some 4 to 60 KB",
		    instead(a, words));
}

static void
post_chunked(struct findings *out, const struct facts *f, const struct check *c)
{
	const struct answer *plain = &f->answers[Q_POST], *chunked = &f->answers[Q_POST_CHUNKED];
	char a[160], b[160];

	if (plain->status == 404 && f->answers[Q_CAPS].status == 404 &&
	    f->answers[Q_CERTS].status == 404)
		return; /* nothing is there: a path, and no matter of POST */
	if (plain->status == 0 || plain->status == 404 || plain->status == 405)
		check_says(out, c, ON_ALL, LEVEL_BAD,
		    "a POST to PKIOperation gets %s: it does not reach the SCEP server",
		    instead(plain, a));
	else if (plain->status != chunked->status)
		check_says(out, c, 0, LEVEL_WARN,
		    "a POST in chunks gets %s where one with a Content-Length gets %s",
		    instead(chunked, a), instead(plain, b));
}

static void
unknown_operation(struct findings *out, const struct facts *f, const struct check *c)
{
	const struct answer *a = &f->answers[Q_UNKNOWN];

	if (a->status == 200 || a->status >= 500)
		check_says(out, c, 0, LEVEL_WARN,
		    "an operation that there is not is answered HTTP %d", a->status);
}

static void
next_ca(struct findings *out, const struct facts *f, const struct check *c)
{
	bool named = (f->caps & SCEP_CAP_GET_NEXT_CA_CERT) != 0, told = good(f, Q_NEXT);
	const char *want = "application/x-x509-next-ca-cert";
	char words[160];

	if (named && !told)
		check_says(out, c, 0, LEVEL_WARN,
		    "the capabilities name GetNextCACert, which gets %s: the keyword is to be "
		    "there "
		    "only while there is a next CA",
		    instead(&f->answers[Q_NEXT], words));
	else if (!named && told && has_caps(f) && !is_html(&f->answers[Q_NEXT]))
		check_says(out, c, 0, LEVEL_WARN,
		    "GetNextCACert is answered, and the capabilities do not name it: nobody will "
		    "ask");
	else if (named && strcasecmp(f->answers[Q_NEXT].type, want) != 0)
		check_says(out, c, 0, LEVEL_WARN,
		    "GetNextCACert has the Content-Type \"%s\", not %s", f->answers[Q_NEXT].type,
		    want);
}

const struct check checks_silent[] = {
	{ "answers", ON_ALL, NULL, silent,
	    "Look at name, port and firewall from where devices are; Windows uses the proxy of the "
	    "machine, not of the user." },
	{ 0 },
};

const struct check checks_http[] = {
	{ "speed", ON_ALL, NULL, speed,
	    "Look at what the server waits for: its database, its HSM, Intune; enrolments in "
	    "number "
	    "make it slower." },
	{ "https", ON_ANDROID, "the URL is https", scheme,
	    "Serve it by https too, with a certificate that devices trust, and give Android that "
	    "URL." },
	{ "redirect", ON_ALL, "no redirects", redirect,
	    "Serve SCEP at the URL that the profile has; take it out of any redirect to https or "
	    "to "
	    "another name." },
	{ "html", ON_ALL, "no HTML pages", html,
	    "Let the SCEP server's own answers through: no error pages, no sign-in pages, no "
	    "portals on this path." },
	{ "caps-status", ON_ALL, "GetCACaps is answered", caps_status,
	    "GetCACaps must never fail; check the path of the URL, and the reverse proxy." },
	{ "caps-type", ON_JSCEP, "GetCACaps is text/plain", caps_type,
	    "Send Content-Type: text/plain." },
	{ "caps-form", ON_ALL, "capabilities are spelled as in RFC 8894", caps_form,
	    "One keyword a line, case and hyphens as in RFC 8894 3.5.2, nothing else." },
	{ "caps-apple", ON_APPLE, "capabilities: a SHA and AES or DES3", caps_apple,
	    "Name AES, SHA-256 (and SHA-512) in GetCACaps." },
	{ "caps-strongswan", ON_STRONGSWAN, "capabilities: SHA-256 and AES, each by its name",
	    caps_strongswan, "Name AES and SHA-256, beside SCEPStandard." },
	{ "caps-renewal", ON_APPLE | ON_STRONGSWAN, "capabilities: Renewal", caps_renewal,
	    "Name Renewal in GetCACaps." },
	{ "caps-post", ON_WINDOWS | ON_APPLE, "capabilities: POSTPKIOperation", caps_post,
	    "Name POSTPKIOperation, and take POST." },
	{ "cacert-status", ON_ALL, "GetCACert is answered", cacert_status,
	    "Is the path of the URL right, and does the reverse proxy leave binary bodies alone?" },
	{ "cacert-type", ON_SSCEP | ON_JSCEP, "GetCACert has the exact Content-Type", cacert_type,
	    "A list is application/x-x509-ca-ra-cert, one certificate application/x-x509-ca-cert, "
	    "no charset." },
	{ "message-apple", ON_APPLE | ON_ANDROID, "message= may be empty, or any name",
	    message_apple, "Ignore the parameter message of GetCACaps and GetCACert." },
	{ "path-windows", ON_WINDOWS | ON_CISCO, "/pkiclient.exe and message=default are taken",
	    path_windows,
	    "Serve the URL with /pkiclient.exe behind it too, and ignore the parameter message." },
	{ "content-length", ON_CISCO | ON_SSCEP, "answers have a Content-Length", length,
	    "Keep the proxy from turning answers into chunks." },
	{ "http-1.0", ON_CISCO, "HTTP/1.0 without Host is answered", http10,
	    "Let the SCEP host be the default host of this address." },
	{ "get-length", ON_CISCO | ON_APPLE, "a GET of 60 KB is taken", get_length,
	    "Allow request lines of 64 KB: nginx large_client_header_buffers, Apache "
	    "LimitRequestLine, IIS maxUrl and maxQueryString with MaxFieldLength." },
	{ "post-chunked", ON_APPLE, "POST is taken, in chunks too", post_chunked,
	    "Take Transfer-Encoding: chunked, or have the proxy buffer requests." },
	{ "unknown-operation", ON_ALL, "an unknown operation is refused", unknown_operation,
	    "Answer 400 or 404 with a line of text." },
	{ "next-ca", ON_ALL, "GetNextCACert is as the capabilities say", next_ca,
	    "Name GetNextCACert exactly while there is a next CA." },
	{ "clock", ON_ALL, "the server's clock agrees with this machine's", server_clock,
	    "Set both by NTP." },
	{ 0 },
};
