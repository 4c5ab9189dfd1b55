/*
 * store.h - what the CA remembers: transactions, certificates, audit rows, the outbox.
 *
 * The only interface to persistence; SQL stands in the backend's files and nowhere else.  Every
 * call is atomic, and durable when it returns (SQLite: WAL, synchronous=FULL) unless it says that
 * it does not wait; calls of many threads are grouped into one commit by a writer thread, so
 * durability costs one fsync for all that wait.  What was handed over without waiting is written in
 * its place among all calls: it is durable no later than any later call that waits, and by itself
 * within 50 ms.
 * Borrowed inputs live for the call; results are the caller's.
 *
 * A transaction is one row keyed (endpoint, transactionID, SHA-256 of the CSR):
 *
 *	received -> authorised -> reserved(serial) -> signed -> notified -> delivered
 *	    |           |             |                 +-> undelivered (certificate revoked)
 *	    +-----------+-------------+-> refused(reason)
 *
 * Only these arrows exist: a move from another state than the one expected is RC_CONFLICT and
 * changes nothing. A transaction that does not exist is RC_NOTFOUND.  A transaction that waits for an
 * administrator stays in received until it is decided (store_hold() below).
 *
 * A certificate is named by its serial number and the CA that has issued it (RFC 5280 4.1.2.2: unique within one CA).  Calls
 * take both: `ca` is a CA's name; STORE_OURS for the certificate of ours with that number, whichever of our CAs has
 * issued it (of 128 random bits, and the store takes none twice); or NULL where nothing but the number is known.  Of
 * NULL there may be several, as other CAs number theirs as they like: then RC_CONFLICT, with their CAs in the message, and
 * nothing is done.
 *
 * Threads: all calls from any thread.  More writers waiting than STORE_QUEUE_MAX for
 * STORE_QUEUE_WAIT_MS: RC_LIMIT.
 */
#ifndef SCEPD_STORE_STORE_H
#define SCEPD_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

struct store;
struct store_binding;

#define STORE_OURS "" /* in place of a CA's name: one of our own */

/* Bytes of a request as the caller has it kept: sealed, it is a little longer than LIMIT_CSR. */
#define STORE_REQUEST_MAX   (LIMIT_CSR + 64)
#define STORE_NAME_MAX      255   /* bytes; a name from the configuration */
#define STORE_QUEUE_MAX     1024  /* steps waiting for a commit: more than there are workers */
#define STORE_QUEUE_WAIT_MS 10000 /* a device gives up at about the same time */

enum tx_state {
	TX_RECEIVED = 1,
	TX_AUTHORISED,
	TX_RESERVED,
	TX_SIGNED,
	TX_NOTIFIED,
	TX_DELIVERED,
	TX_REFUSED,
	TX_UNDELIVERED,
	TX__MAX
};
const char *tx_state_name(enum tx_state s);

/* Where a request that waits for an administrator stands. */
enum hold_verdict {
	HOLD_NONE,    /* it does not wait and never did */
	HOLD_PENDING, /* nobody has decided yet */
	HOLD_APPROVED,
	HOLD_DENIED,
	HOLD_ENDED, /* without a certificate and without a no: nobody decided or fetched in time, or
		       the transaction was refused for another reason */
	HOLD__MAX
};
const char *hold_verdict_name(enum hold_verdict v);

struct tx_key {
	const char *endpoint;
	const char *transaction_id;
	const uint8_t *csr_sha256;    /* 32 bytes */
	const uint8_t *signer_sha256; /* 32 bytes: SPKI of the request's signer; not part of the
					 key, must match to get an answer (S13) */
	bool once; /* it never starts again after its certificate was handed over: RC_DENIED */
};

struct store_tx {
	int64_t id;
	enum tx_state state;
	unsigned attempt; /* 1 on the first; +1 each time the row starts again */
	char *endpoint, *transaction_id;
	uint8_t csr_sha256[32], signer_sha256[32];
	char *serial;             /* upper hex, NULL before reserved */
	char *reason;             /* of a refusal; NULL otherwise */
	int64_t created, changed; /* wall ms */
	uint8_t *csr;             /* as store_tx_begin() got it; NULL unless asked for */
	size_t csr_len;
	uint8_t *cert; /* DER from `signed` on */
	size_t cert_len;
	char *context;          /* what the front noted for recovery (JSON text), NULL if none */
	enum hold_verdict hold; /* of a row that was there before; by store_tx_begin() and
				   store_hold_find() */
};
void store_tx_done(struct store_tx *t);

/*
 * url: "sqlite:/path/file.db".  Creates the file (mode 0600) and the schema when there is none,
 * brings an older schema up to date, and keeps other daemons out by a lock on <file>.lock.
 * RC_CONFIG with one clear sentence for all that an administrator has to change: a schema newer
 * than this program, a file of another program, a folder that cannot be written, a second daemon.
 * On RC_OK err->hint is "" or a warning.
 */
enum rc store_open(struct store **out, const char *url, struct err *err) MUST_CHECK;
/*
 * The same in two halves, for a process that gives up its files in between.  After store_prepare()
 * the lock is held, the schema stands and nothing runs yet; no other call but these three and
 * store_close() is allowed.  store_start() starts the writer and opens no path but those of
 * store_files().
 */
enum rc store_prepare(struct store **out, const char *url, struct err *err) MUST_CHECK;
enum rc store_start(struct store *s, struct err *err) MUST_CHECK;
/* The files that it reads and writes while it runs: calls back with each path. */
void store_files(const struct store *s, void (*fn)(void *arg, const char *path), void *arg);
/*
 * For admin tools, beside a running daemon or without one: takes no lock, creates nothing and
 * changes no schema (RC_CONFIG when either would be needed); otherwise everything works, the audit
 * chain too.
 */
enum rc store_open_shared(struct store **out, const char *url, struct err *err) MUST_CHECK;
/* No other thread may be in a call.  Waits for what was handed over; NULL is allowed. */
void store_close(struct store *s);
/* Returns when everything that was handed over before is durable, or has failed. */
enum rc store_flush(struct store *s, struct err *err) MUST_CHECK;

/* ---- transactions ---- */

/* So long after it was handed over a certificate still answers the same request again. */
#define STORE_REPEAT_MS (INT64_C(24) * 3600 * 1000)
/*
 * Find or create the row of `key` in state received.  *fresh: it was created, or starts again
 * (attempt + 1), because it was refused or undelivered, or because the certificate that was handed
 * over is revoked, expired or older than STORE_REPEAT_MS (unless key->once).  Otherwise `out` is the row as it stands
 * (with cert from `signed` on).  RC_DENIED when the row belongs to another signer key. `csr` is kept for
 * recovery as it is: whatever the caller makes of the request, which holds a challenge.
 *
 * Does not wait for the commit of a new row, whose loss nobody could notice: nothing about it is
 * visible before `signed` or `refused`, which wait.  If it cannot be written the log says why, and
 * these find no transaction.  Until it is written every other begin of the same key finds it all
 * the same.
 */
enum rc store_tx_begin(struct store *s, const struct tx_key *key, const uint8_t *csr,
    size_t csr_len, struct store_tx *out, bool *fresh, struct err *err) MUST_CHECK;
/*
 * received -> authorised -> reserved in one step: verdict and serial number.  Does not wait: they
 * are durable no later than `signed`, before which no certificate leaves the process.  A reservation
 * that is not allowed or cannot be written changes nothing, the log says why, and `signed` with its
 * serial number is RC_CONFLICT.
 */
enum rc store_tx_reserve(struct store *s, int64_t id, const char *authority, const char *serial_hex,
    const char *context, struct err *err) MUST_CHECK;

/* A certificate as the store keeps it. */
struct store_cert {
	const char *serial; /* upper hex */
	const char *ca;
	const char *endpoint, *profile;
	const char *subject;    /* text */
	const char *san;        /* text, "upn:jane@contoso.com uri:..." */
	const char *thumbprint; /* SHA-1 upper hex */
	const uint8_t *der;
	size_t der_len;
	int64_t not_before, not_after; /* wall seconds */
	/* A renewal: the serial number of the certificate of ours that this one replaces, NULL for none, and
	 * when that is to be revoked (wall seconds, 0: never); see store_replaced_revoke(). */
	const char *replaces;
	int64_t revoke_replaced;
	const struct store_binding *binding; /* store_status.h; NULL: it names nobody */
};
/*
 * reserved -> signed: certificate, audit row and outbox row ("this transaction still has to be told
 * to Intune") commit together. `notify`: an outbox row is wanted.  RC_NOTFOUND also when there is no
 * certificate `replaces`.
 */
enum rc store_tx_signed(struct store *s, int64_t id, const struct store_cert *cert, bool notify,
    struct err *err) MUST_CHECK;
/* signed -> notified; the outbox row goes. */
enum rc store_tx_notified(struct store *s, int64_t id, struct err *err) MUST_CHECK;
/* notified -> delivered.  Does not wait for the commit; losing it is harmless. */
void store_tx_delivered(struct store *s, int64_t id);
/* any state before signed -> refused; audit row. `notify_failure`: leave an outbox row of kind
 * failure with hresult + text (after a good validation).  A one-time password that was taken for it
 * gets its use back, and a request that waits for an administrator waits no more. */
enum rc store_tx_refused(struct store *s, int64_t id, const char *reason, bool notify_failure,
    int64_t hresult, struct err *err) MUST_CHECK;
/* signed (or notified) -> undelivered; certificate revoked (cessationOfOperation, 5), outbox
 * success row replaced by a failure row if `notify_failure`; audit.  A one-time password gets its
 * use back. */
enum rc store_tx_undelivered(struct store *s, int64_t id, const char *reason, bool notify_failure,
    int64_t hresult, struct err *err) MUST_CHECK;
/* Rows a crash left between received and signed, oldest first, with csr and cert; at most `max`.
 * Without those that an administrator has to decide or has approved: they are where they should be.
 * *list free with store_tx_list_free(). */
enum rc store_tx_unfinished(
    struct store *s, size_t max, struct store_tx **list, size_t *n, struct err *err) MUST_CHECK;
void store_tx_list_free(struct store_tx *list, size_t n);

/* ---- requests that wait for an administrator ---- */

/*
 * Waiting per endpoint.  Anybody who reaches an endpoint that asks nobody else can make requests wait;
 * this is more than a person can look through, and a few MB.
 */
#define STORE_HOLDS_MAX         10000
#define STORE_HOLD_TEXT_MAX     4096 /* bytes of each text; nobody reads a longer subject */
#define STORE_HOLD_LIFETIME_MAX (INT64_C(90) * 24 * 3600 * 1000) /* ms */
#define STORE_HOLD_KEPT_MS      (INT64_C(30) * 24 * 3600 * 1000) /* a row, after it expired */

/* What an administrator has to see; texts may be NULL. */
struct store_hold_ask {
	const char *profile, *subject, *san;
	const char *key;     /* "RSA-2048" */
	const char *peer;    /* where the request came from */
	int64_t lifetime_ms; /* to decide, and after a yes to fetch; 1 to STORE_HOLD_LIFETIME_MAX */
};
/* A request that waits or waited. */
struct store_hold {
	int64_t id; /* of the transaction */
	enum hold_verdict verdict;
	enum tx_state state;
	char *endpoint, *transaction_id, *profile, *subject, *san, *key, *peer;
	uint8_t signer_sha256[32];      /* SPKI of the request's signer */
	char *who, *reason;             /* of the decision; NULL: none */
	char *serial;                   /* upper hex, NULL: no certificate yet */
	int64_t held, expires, decided; /* wall ms; decided 0: not */
};
void store_hold_done(struct store_hold *h);
/*
 * A transaction in received waits: `out` tells where it stands, and it is durable.  That is
 * HOLD_PENDING when it is new, and whatever it was when it waited before:
 *  - an approval is good for this very request until it expires or has led to a certificate that was
 *    handed over, also when an attempt failed after it;
 *  - a denial stands until the request would have expired, however often the device asks;
 *  - what expired begins to wait anew.
 * RC_CONFLICT when it is not in received; RC_LIMIT when STORE_HOLDS_MAX wait on its endpoint.  Audit
 * row "hold" when it begins to wait.
 */
enum rc store_hold(struct store *s, int64_t id, const struct store_hold_ask *ask,
    struct store_hold *out, struct err *err) MUST_CHECK;
/*
 * For CertPoll: the newest transaction with this name whose signer has this key, if it waits or
 * waited, in whatever state it is: `tx` with csr (while it is not over), cert (from signed on) and
 * hold; `out` (may be NULL) is the rest.  RC_NOTFOUND (R35): there is none, it is another signer's
 * (S13), or its certificate answers no more: revoked, expired, or handed over STORE_REPEAT_MS ago.
 */
enum rc store_hold_find(struct store *s, const char *endpoint, const char *transaction_id,
    const uint8_t signer_sha256[static 32], struct store_tx *tx, struct store_hold *out,
    struct err *err) MUST_CHECK;
enum rc store_hold_get(struct store *s, int64_t id, struct store_hold *out,
    struct err *err) MUST_CHECK; /* RC_NOTFOUND */
/*
 * HOLD_APPROVED, or HOLD_DENIED, which refuses the transaction in the same commit.  `reason` may be
 * NULL.  RC_NOTFOUND; RC_CONFLICT in words when it is decided already or has expired.  Audit row
 * "approve" or "deny".
 */
enum rc store_hold_decide(struct store *s, int64_t id, enum hold_verdict verdict, const char *who,
    const char *reason, struct err *err) MUST_CHECK;
/* An approved transaction whose certificate could not be made for a reason that may pass: reserved ->
 * received.  RC_CONFLICT when it is not approved, or not there.  What a crash left between
 * the two goes back by itself at the next store_start(). */
enum rc store_hold_resume(struct store *s, int64_t id, struct err *err) MUST_CHECK;
/*
 * Some hundred rows a call: transactions that expired at `now_ms` are refused, and rows that nobody
 * needs any more go.  *refused: how many; call again when that is not 0.
 */
enum rc store_hold_sweep(
    struct store *s, int64_t now_ms, size_t *refused, struct err *err) MUST_CHECK;
struct store_hold_filter {
	const char *endpoint;      /* NULL: any */
	enum hold_verdict verdict; /* HOLD_NONE: any */
	int64_t after_id;          /* paging */
};
/* In order of ids; `row` is lent; a non-zero return stops. */
enum rc store_hold_each(struct store *s, const struct store_hold_filter *f, size_t max,
    int (*fn)(void *arg, const struct store_hold *row), void *arg, struct err *err) MUST_CHECK;
/* How many wait, on one endpoint or (NULL) in all. */
enum rc store_hold_count(
    struct store *s, const char *endpoint, uint64_t *n, struct err *err) MUST_CHECK;

/* ---- one-time passwords ---- */

#define STORE_OTPS_MAX         100000 /* live; a class of schools, with some 20 MB */
#define STORE_OTP_BATCH        1000   /* made in one commit */
#define STORE_OTP_USES_MAX     10000
#define STORE_OTP_LIFETIME_MAX (INT64_C(90) * 24 * 3600 * 1000) /* ms */
#define STORE_OTP_TEXT_MAX     1024                             /* bytes of each text */
#define STORE_OTP_KEPT_MS      (INT64_C(7) * 24 * 3600 * 1000)  /* after it expired */

/* The secret is not here: its SHA-256 says nothing about it, since it has 128 random bits or more
 * (ca/otp.h). */
struct store_otp {
	const char *endpoint;
	uint8_t sha256[32];
	const char *subject, *san; /* what it is good for, as patterns; NULL: anything */
	int64_t expires;           /* wall ms */
	unsigned uses;
	const char *who, *comment; /* comment may be NULL */
};
/* All or none, in one commit; ids[n].  An audit row "otp-new" each.  RC_LIMIT past STORE_OTPS_MAX;
 * RC_CONFLICT when one is there already. */
enum rc store_otp_add(struct store *s, const struct store_otp *otps, size_t n, int64_t *ids,
    struct err *err) MUST_CHECK;

enum otp_state { OTP_LIVE = 1, OTP_USED, OTP_EXPIRED, OTP_REVOKED, OTP__MAX };
const char *otp_state_name(enum otp_state s);
struct store_otp_row {
	int64_t id;
	enum otp_state state; /* now */
	char *endpoint, *subject, *san, *who, *comment;
	unsigned uses, used;
	int64_t created, expires, revoked, last_used; /* wall ms; 0: not */
	char *last_transaction_id;                    /* that it was used for; NULL: none */
};
void store_otp_row_done(struct store_otp_row *r);
/* By the hash of what a device sent.  RC_NOTFOUND.  Whether it may be used is store_otp_take()'s to
 * say: one that is used up still serves the transaction that has used it. */
enum rc store_otp_find(struct store *s, const char *endpoint, const uint8_t sha256[static 32],
    struct store_otp_row *out, struct err *err) MUST_CHECK;
enum rc store_otp_get(
    struct store *s, int64_t id, struct store_otp_row *out, struct err *err) MUST_CHECK;
/*
 * Use it once for a transaction in received (otherwise RC_CONFLICT), durably; audit row "otp-use".
 * The same attempt of the same transaction may take it again and uses it once.  RC_DENIED, in words
 * for the log, when it is used up, expired, revoked or of another endpoint.
 */
enum rc store_otp_take(struct store *s, int64_t otp_id, int64_t tx_id, struct err *err) MUST_CHECK;
/* RC_NOTFOUND; RC_CONFLICT in words when it is live no more.  Audit row "otp-revoke". */
enum rc store_otp_revoke(
    struct store *s, int64_t id, const char *who, const char *why, struct err *err) MUST_CHECK;
/* Some hundred rows a call that expired STORE_OTP_KEPT_MS ago; *gone: how many. */
enum rc store_otp_sweep(struct store *s, int64_t now_ms, size_t *gone, struct err *err) MUST_CHECK;
struct store_otp_filter {
	const char *endpoint; /* NULL: any */
	bool live;            /* only what can be used */
	int64_t after_id;     /* paging */
};
/* In order of ids; `row` is lent; a non-zero return stops. */
enum rc store_otp_each(struct store *s, const struct store_otp_filter *f, size_t max,
    int (*fn)(void *arg, const struct store_otp_row *row), void *arg, struct err *err) MUST_CHECK;
/* How many are live, of one endpoint or (NULL) in all. */
enum rc store_otp_count(
    struct store *s, const char *endpoint, uint64_t *n, struct err *err) MUST_CHECK;

/* ---- outbox: what still has to be told to Intune ---- */

enum outbox_kind { OUTBOX_SUCCESS = 1, OUTBOX_FAILURE };
struct outbox_row {
	int64_t id, tx_id;
	enum outbox_kind kind;
	unsigned attempts;
	int64_t due; /* wall ms */
	int64_t hresult;
	char *text;
	char *endpoint, *transaction_id;
	uint8_t *csr;
	size_t csr_len;
};
/* Failure rows that are due, oldest first (success rows belong to the pipeline and to recovery). */
enum rc outbox_due(struct store *s, int64_t now_ms, size_t max, struct outbox_row **rows, size_t *n,
    struct err *err) MUST_CHECK;
void outbox_rows_free(struct outbox_row *rows, size_t n);
enum rc outbox_done(struct store *s, int64_t id, struct err *err) MUST_CHECK;
enum rc outbox_retry(struct store *s, int64_t id, int64_t due_ms, struct err *err) MUST_CHECK;

/* ---- certificates ---- */

struct store_cert_row {
	char *serial, *ca, *endpoint, *profile, *subject, *san, *thumbprint, *transaction_id,
	    *revoked_why;
	uint8_t *der;
	size_t der_len;
	int64_t not_before, not_after, issued; /* wall seconds */
	int64_t revoked;                       /* wall seconds since it is not good, 0: it is */
	int reason;                            /* RFC 5280 5.3.1; 6: held */
};
void store_cert_row_done(struct store_cert_row *r);
enum rc store_cert_get(struct store *s, const char *serial_hex, const char *ca,
    struct store_cert_row *out, struct err *err) MUST_CHECK; /* RC_NOTFOUND */
/* The certificate that has these very bytes, which name it better than anything; ours before the same of others. */
enum rc store_cert_same(struct store *s, const char *serial_hex, const uint8_t *der, size_t der_len,
    struct store_cert_row *out, struct err *err) MUST_CHECK; /* RC_NOTFOUND */
/* What an OCSP responder has to know of a certificate, and no more: read without the rest of its row. */
struct store_cert_status {
	int64_t revoked; /* wall seconds since it is not good, 0: it is */
	int reason;      /* RFC 5280 5.3.1; 6: held */
};
/* RC_NOTFOUND: CA `ca` has issued none with this serial number. */
enum rc store_cert_status(struct store *s, const char *serial_hex, const char *ca,
    struct store_cert_status *out, struct err *err) MUST_CHECK;
/* By an administrator; reason 6 holds it.  RC_NOTFOUND; RC_CONFLICT when already revoked. Audit row.  All else
 * about statuses is in store_status.h. */
enum rc store_cert_revoke(struct store *s, const char *serial_hex, const char *ca, int reason,
    const char *why, struct err *err) MUST_CHECK;
enum { CERTS_GOOD, CERTS_NOT_GOOD, CERTS_HELD, CERTS_REVOKED };
struct store_cert_filter {
	const char *ca, *endpoint; /* NULL: any */
	const char *text;          /* glob over subject, SAN, serial; NULL: any */
	int revoked;               /* -1 any, or one of CERTS_... */
	int64_t valid_at;          /* only certificates not expired then; 0: any */
	int64_t after_rowid;       /* paging: rows after this one */
	/* enum binding_state of those whom the directory does not know (BINDING_UNKNOWN), not all of whom it knows
	 * (BINDING_BOUND) or who are still to be asked for (BINDING_OPEN); 0: any certificate. */
	int unsettled;
};
/*
 * One page: calls back for `max` certificates at most, in order of issue; `row` is lent; a non-zero return
 * stops.  It looks at STORE_LOOK_MAX rows at most, however few of them fit, so that a request takes a bounded
 * time and no list keeps a view of the database for long: *next is the after_rowid of the next page, or 0 when
 * that was all.  A page may be empty and not the last one.  With `unsettled`, or else with `revoked` of what is not good,
 * only such rows are looked at.
 */
#define STORE_LOOK_MAX 10000 /* a tenth of a second of a slow core, with a pattern */
enum rc store_cert_page(struct store *s, const struct store_cert_filter *f, size_t max,
    int64_t *next, int (*fn)(void *arg, int64_t rowid, const struct store_cert_row *row), void *arg,
    struct err *err) MUST_CHECK;
/* The next `n` CRL numbers of a CA, in one commit: *first is one more than was ever given, the others follow it. */
enum rc store_crl_numbers(
    struct store *s, const char *ca, unsigned n, uint64_t *first, struct err *err) MUST_CHECK;

/* What an overview needs of a certificate; lent, texts may be NULL. */
struct store_cert_brief {
	const char *ca, *endpoint, *subject, *san;
	int64_t not_after; /* wall seconds */
};
/*
 * Certificates that are neither revoked nor expired at `valid_at`, some thousand rows a call, so
 * that a walk over all of them holds no view of the database for long: begin with *after 0 and call
 * until *more is false.  A non-zero return of fn ends the walk.  It reads the whole table (two
 * seconds of a core and 1.4 GB of file for a million certificates): for tools, never for a request.
 */
enum rc store_cert_brief_page(struct store *s, int64_t valid_at, int64_t *after, bool *more,
    int (*fn)(void *arg, const struct store_cert_brief *c), void *arg, struct err *err) MUST_CHECK;

/* ---- certificates that were renewed ---- */

struct store_renewal {
	char *replaces;      /* the certificate before this one; NULL: none */
	char *replaced_by;   /* the newest that replaces this one; NULL: none */
	int64_t replaced_at; /* wall seconds */
	unsigned times;      /* how many certificates replace this one */
	int64_t revoke_at;   /* wall seconds: when it is to be revoked for that, 0: never */
};
void store_renewal_done(struct store_renewal *r);
/* RC_NOTFOUND: there is no such certificate. */
enum rc store_renewal_get(struct store *s, const char *serial_hex, const char *ca,
    struct store_renewal *out, struct err *err) MUST_CHECK;
/* A certificate that was revoked because another has replaced it. */
struct store_replaced {
	char *serial, *ca, *endpoint, *by;
};
#define STORE_REPLACED_MAX                                                                         \
	100 /* of one call, so that enrolments wait for some milliseconds at most */
/*
 * Revoke (superseded, 4) the replaced certificates whose time has come, in one commit with their
 * audit rows.  Not before the new certificate was handed over: until then the old one is looked at
 * again day by day, and it stays for good when the new one was revoked.  Call again when *n is not 0;
 * *list free with store_replaced_free().
 */
enum rc store_replaced_revoke(struct store *s, int64_t now, struct store_replaced **list, size_t *n,
    struct err *err) MUST_CHECK;
void store_replaced_free(struct store_replaced *list, size_t n);

/* ---- rollover: which CA an endpoint issues from ---- */

#define STORE_SUCCESSION_MAX 4096 /* rows of either kind: endpoints times CAs of a configuration */

/* An endpoint on its way from one CA to the next. */
struct store_rollover {
	char *endpoint, *from_ca, *to_ca;
	unsigned share;  /* percent of the devices that the next CA issues for */
	int64_t changed; /* wall seconds */
};
/* What has been decided about CAs beside the configuration. */
struct store_succession {
	struct store_rollover *rollovers;
	size_t n_rollovers;
	char **retired; /* names of CAs */
	size_t n_retired;
};
/* RC_LIMIT past STORE_SUCCESSION_MAX. */
enum rc store_succession_read(
    struct store *s, struct store_succession *out, struct err *err) MUST_CHECK;
void store_succession_done(struct store_succession *s);
/* Set the share (0 to 100); audit row with `who`.  *before: what it was (0 without a row). */
enum rc store_rollover_set(struct store *s, const char *endpoint, const char *from_ca,
    const char *to_ca, unsigned share, const char *who, unsigned *before,
    struct err *err) MUST_CHECK;
/* Record that a CA issues nothing any more; audit row with `who` and `detail`.  RC_CONFLICT when it is
 * retired already. */
enum rc store_ca_retire(struct store *s, const char *ca, const char *who, const char *detail,
    struct err *err) MUST_CHECK;

/* ---- audit ---- */

/* Rows of issue, refuse, revoke ... form a hash chain: hash = SHA-256(previous hash | row). Written
 * by the calls above, and by: */
enum rc store_audit(
    struct store *s, const char *event, const char *detail, struct err *err) MUST_CHECK;
/* Walk the chain; RC_INTEGRITY names the first row that does not fit. *rows: how many. */
enum rc store_audit_verify(struct store *s, uint64_t *rows, struct err *err) MUST_CHECK;
enum rc store_audit_each(struct store *s, int64_t after, size_t max,
    int (*fn)(void *arg, int64_t seq, int64_t when_ms, const char *event, const char *detail),
    void *arg, struct err *err) MUST_CHECK;

struct store_stats {
	uint64_t certs, revoked, held, tx[TX__MAX], outbox; /* revoked: for good */
	uint64_t commits, writes; /* of this process: writes / commits = size of a group */
};
/* For tools: it counts the transactions that failed, which may be many. */
enum rc store_stats(struct store *s, struct store_stats *out, struct err *err) MUST_CHECK;

/* The first three alone; however many there are, it reads a few rows. */
struct store_figures {
	uint64_t certs, revoked, held;
};
enum rc store_figures(struct store *s, struct store_figures *out, struct err *err) MUST_CHECK;

/* ---- moving to another machine ---- */

/* Of `all` units, how many are done. */
typedef void store_progress_fn(void *arg, uint64_t done, uint64_t all);
/*
 * Copy the database as it is now into the new file `path` (mode 0600), beside a daemon that writes on.  The
 * copy is one file that store_open() takes.  RC_CONFLICT when something is there; on any failure nothing is.  `progress` may
 * be NULL.
 */
enum rc store_backup(struct store *s, const char *path, store_progress_fn *progress, void *arg,
    struct err *err) MUST_CHECK;
/*
 * A database from the past goes on: leave out `by` CRL numbers of a CA, which its other copy may have
 * given since.  Audit row "restored" with `why`.
 */
#define STORE_SKIP_MAX (UINT64_C(1) << 40)
enum rc store_crl_skip(
    struct store *s, const char *ca, uint64_t by, const char *why, struct err *err) MUST_CHECK;
/*
 * What its other copy may have spent since is good no more: one-time passwords that are live are revoked
 * (*otps: how many), and requests that were approved and have no certificate yet wait to be decided again
 * (*holds).  Audit row "restored" with `why` if there were any.
 */
enum rc store_spent_elsewhere(
    struct store *s, const char *why, uint64_t *otps, uint64_t *holds, struct err *err) MUST_CHECK;

#endif
