/*
 * store_backend.h - what a database has to offer to stand behind store.h.
 *
 * store.c checks the arguments (lengths, hex, NULLs) and calls through this table; a backend sees
 * only values within bounds.  A backend's struct begins with a struct store.  The functions mean
 * what store.h says of their namesakes.
 */
#ifndef SCEPD_STORE_STORE_BACKEND_H
#define SCEPD_STORE_STORE_BACKEND_H

#include "store/store.h"
#include "store/store_directory.h"
#include "store/store_foreign.h"
#include "store/store_identity.h"
#include "store/store_status.h"
#include "store/store_sweep.h"

#define STORE_SERIAL_MAX 20     /* octets, RFC 5280 4.1.2.2 */
#define STORE_TEXT_MAX   65536u /* bytes of any text in a row: subject, SAN, context, detail */

/* How a certificate that was never handed out is revoked: cessationOfOperation, RFC 5280 5.3.1. */
#define STORE_REASON_UNDELIVERED 5

struct store {
	const struct store_backend *backend;
};

/* Big-endian magnitude without leading zeros: half the size of its text, and random, so it is
 * indexed. */
struct store_serial {
	uint8_t v[STORE_SERIAL_MAX];
	size_t len;
};

/* Of a certificate; `ca` as in store.h. */
struct store_cert_name {
	const char *ca;
	struct store_serial serial;
};

/* How a transaction ended without a certificate in a device's hands. */
struct store_ending {
	const char *reason;
	bool notify_failure;
	int64_t hresult;
};

typedef int store_cert_fn(void *arg, int64_t rowid, const struct store_cert_row *row);
typedef int store_audit_fn(
    void *arg, int64_t seq, int64_t when_ms, const char *event, const char *detail);

typedef int store_cert_brief_fn(void *arg, const struct store_cert_brief *c);

/* A share to be set, and by whom. */
struct store_rollover_change {
	const char *endpoint, *from_ca, *to_ca;
	unsigned share;
	const char *who;
};

/* A decision about a request that waits. */
struct store_decision {
	enum hold_verdict verdict;
	const char *who, *reason;
};
typedef int store_hold_fn(void *arg, const struct store_hold *row);
typedef int store_otp_fn(void *arg, const struct store_otp_row *row);

/* How a certificate that another has replaced is revoked: superseded, RFC 5280 5.3.1. */
#define STORE_REASON_REPLACED 4

typedef int store_crl_fn(void *arg, const struct store_crl_entry *e);
typedef int store_change_fn(void *arg, const struct store_change *c);
typedef int store_binding_fn(void *arg, const char *serial_hex, const char *ca, int64_t not_after,
    const struct store_binding *b);
typedef int store_bound_fn(void *arg, const char *serial_hex, const char *ca);

typedef int store_object_fn(void *arg, const struct store_object *o);
typedef int store_subject_fn(void *arg, const struct store_subject *c);
struct store_stale_query {
	const char *tenant;
	enum dir_kind kind;
	int64_t known_before;
	size_t max;
};
typedef int store_sweep_fn(void *arg, const struct store_sweep *row);
typedef int store_turn_fn(void *arg, const struct store_turn *t);
typedef int store_sweep_owner_fn(void *arg, const struct store_sweep_owner *o);
typedef int store_foreign_mark_fn(void *arg, const struct store_foreign_mark *m);
typedef int store_name_fn(void *arg, const char *name);
typedef int store_exception_fn(void *arg, const struct store_exception *row);

struct store_backend {
	const char *scheme; /* "sqlite:" */
	enum rc (*prepare)(struct store **out, const char *where, bool shared, struct err *err);
	enum rc (*start)(struct store *s, struct err *err);
	void (*files)(const struct store *s, void (*fn)(void *arg, const char *path), void *arg);
	void (*close)(struct store *s);
	enum rc (*flush)(struct store *s, struct err *err);

	enum rc (*tx_begin)(struct store *s, const struct tx_key *key, const uint8_t *csr,
	    size_t csr_len, struct store_tx *out, bool *fresh, struct err *err);
	enum rc (*tx_reserve)(struct store *s, int64_t id, const char *authority,
	    const struct store_serial *serial, const char *context, struct err *err);
	/* `replaces`: length 0 for none. */
	enum rc (*tx_signed)(struct store *s, int64_t id, const struct store_cert *cert,
	    const struct store_serial *serial, const struct store_serial *replaces, bool notify,
	    struct err *err);
	enum rc (*tx_notified)(struct store *s, int64_t id, struct err *err);
	void (*tx_delivered)(struct store *s, int64_t id);
	enum rc (*tx_refused)(
	    struct store *s, int64_t id, const struct store_ending *end, struct err *err);
	enum rc (*tx_undelivered)(
	    struct store *s, int64_t id, const struct store_ending *end, struct err *err);
	enum rc (*tx_unfinished)(
	    struct store *s, size_t max, struct store_tx **list, size_t *n, struct err *err);

	enum rc (*hold)(struct store *s, int64_t id, const struct store_hold_ask *ask,
	    struct store_hold *out, struct err *err);
	enum rc (*hold_find)(struct store *s, const char *endpoint, const char *transaction_id,
	    const uint8_t *signer_sha256, struct store_tx *tx, struct store_hold *out,
	    struct err *err);
	enum rc (*hold_get)(struct store *s, int64_t id, struct store_hold *out, struct err *err);
	enum rc (*hold_decide)(
	    struct store *s, int64_t id, const struct store_decision *d, struct err *err);
	enum rc (*hold_resume)(struct store *s, int64_t id, struct err *err);
	enum rc (*hold_sweep)(struct store *s, int64_t now_ms, size_t *refused, struct err *err);
	enum rc (*hold_each)(struct store *s, const struct store_hold_filter *f, size_t max,
	    store_hold_fn *fn, void *arg, struct err *err);
	enum rc (*hold_count)(struct store *s, const char *endpoint, uint64_t *n, struct err *err);

	enum rc (*otp_add)(
	    struct store *s, const struct store_otp *otps, size_t n, int64_t *ids, struct err *err);
	enum rc (*otp_find)(struct store *s, const char *endpoint, const uint8_t *sha256,
	    struct store_otp_row *out, struct err *err);
	enum rc (*otp_get)(struct store *s, int64_t id, struct store_otp_row *out, struct err *err);
	enum rc (*otp_take)(struct store *s, int64_t otp_id, int64_t tx_id, struct err *err);
	enum rc (*otp_revoke)(
	    struct store *s, int64_t id, const char *who, const char *why, struct err *err);
	enum rc (*otp_sweep)(struct store *s, int64_t now_ms, size_t *gone, struct err *err);
	enum rc (*otp_each)(struct store *s, const struct store_otp_filter *f, size_t max,
	    store_otp_fn *fn, void *arg, struct err *err);
	enum rc (*otp_count)(struct store *s, const char *endpoint, uint64_t *n, struct err *err);

	enum rc (*renewal_get)(struct store *s, const struct store_cert_name *name,
	    struct store_renewal *out, struct err *err);
	enum rc (*replaced_revoke)(
	    struct store *s, int64_t now, struct store_replaced **list, size_t *n, struct err *err);

	enum rc (*outbox_due)(struct store *s, int64_t now_ms, size_t max, struct outbox_row **rows,
	    size_t *n, struct err *err);
	enum rc (*outbox_done)(struct store *s, int64_t id, struct err *err);
	enum rc (*outbox_retry)(struct store *s, int64_t id, int64_t due_ms, struct err *err);

	enum rc (*cert_get)(struct store *s, const struct store_cert_name *name,
	    struct store_cert_row *out, struct err *err);
	enum rc (*cert_same)(struct store *s, const struct store_serial *serial, const uint8_t *der,
	    size_t der_len, struct store_cert_row *out, struct err *err);
	enum rc (*cert_status)(struct store *s, const struct store_serial *serial, const char *ca,
	    struct store_cert_status *out, struct err *err);
	enum rc (*cert_revoke)(struct store *s, const struct store_cert_name *name, int reason,
	    const char *why, struct err *err);
	enum rc (*cert_page)(struct store *s, const struct store_cert_filter *f, size_t max,
	    int64_t *next, store_cert_fn *fn, void *arg, struct err *err);
	enum rc (*crl_numbers)(
	    struct store *s, const char *ca, unsigned n, uint64_t *first, struct err *err);

	/* names[i] is v[i].serial and v[i].ca. */
	enum rc (*causes_set)(struct store *s, const struct store_cause_set *v,
	    const struct store_cert_name *names, size_t n, struct store_cause_done *done,
	    struct err *err);
	enum rc (*holds_expire)(struct store *s, int64_t now, size_t *n, struct err *err);
	enum rc (*status_get)(struct store *s, const struct store_cert_name *name,
	    struct store_status *out, struct err *err);
	enum rc (*status_number)(struct store *s, uint64_t *number, struct err *err);
	enum rc (*changes_each)(struct store *s, const char *ca, uint64_t since, uint64_t *number,
	    store_change_fn *fn, void *arg, struct err *err);
	enum rc (*crl_each)(struct store *s, const struct store_crl_query *q, uint64_t *number,
	    store_crl_fn *fn, void *arg, struct err *err);
	enum rc (*binding_get)(struct store *s, const struct store_cert_name *name,
	    struct store_binding *out, struct err *err);
	enum rc (*binding_set)(struct store *s, const struct store_cert_name *name,
	    const struct store_binding *b, struct err *err);
	enum rc (*binding_due)(struct store *s, const char *tenant, int64_t now, size_t max,
	    store_binding_fn *fn, void *arg, struct err *err);
	enum rc (*binding_count)(struct store *s, const char *tenant, enum binding_state state,
	    int64_t now, uint64_t *n, struct err *err);
	enum rc (*objects_put)(struct store *s, const struct store_object *v, size_t n,
	    size_t *changed, struct err *err);
	enum rc (*object_get)(struct store *s, const char *tenant, enum dir_kind kind,
	    const char *id, struct store_object *out, struct err *err);
	enum rc (*objects_confirm)(
	    struct store *s, const char *tenant, enum dir_kind kind, int64_t now, struct err *err);
	enum rc (*objects_stale)(struct store *s, const struct store_stale_query *q,
	    store_object_fn *fn, void *arg, struct err *err);
	enum rc (*risk_put)(struct store *s, const char *tenant, const char *user, const char *risk,
	    int64_t now, struct err *err);
	enum rc (*delta_link)(
	    struct store *s, const char *tenant, enum dir_kind kind, char **link, struct err *err);
	enum rc (*delta_link_set)(struct store *s, const char *tenant, enum dir_kind kind,
	    const char *link, struct err *err);
	enum rc (*group_set)(struct store *s, const char *tenant, const char *group,
	    const char *const *ids, size_t n, int64_t now, struct err *err);
	enum rc (*group_has)(struct store *s, const char *tenant, const char *group, const char *id,
	    bool *has, int64_t *known, struct err *err);
	enum rc (*subjects_page)(struct store *s, int64_t valid_at, int64_t *after, bool *more,
	    store_subject_fn *fn, void *arg, struct err *err);

	enum rc (*binding_certs)(struct store *s, const char *tenant, enum binding_key key,
	    const char *id, int64_t valid_at, size_t max, store_bound_fn *fn, void *arg,
	    struct err *err);

	enum rc (*cert_brief_page)(struct store *s, int64_t valid_at, int64_t *after, bool *more,
	    store_cert_brief_fn *fn, void *arg, struct err *err);

	enum rc (*succession_read)(struct store *s, struct store_succession *out, struct err *err);
	enum rc (*rollover_set)(struct store *s, const struct store_rollover_change *change,
	    unsigned *before, struct err *err);
	enum rc (*ca_retire)(
	    struct store *s, const char *ca, const char *who, const char *detail, struct err *err);

	/* store_sweep.h */
	enum rc (*sweep_begin)(
	    struct store *s, const struct store_sweep_new *n, int64_t *id, struct err *err);
	enum rc (*sweep_add)(struct store *s, int64_t id, uint64_t first,
	    const struct store_turn *v, size_t n, struct err *err);
	enum rc (*sweep_ready)(struct store *s, int64_t id, struct err *err);
	enum rc (*sweep_current)(struct store *s, struct store_sweep *out, struct err *err);
	enum rc (*sweep_get)(struct store *s, int64_t id, struct store_sweep *out, struct err *err);
	enum rc (*sweep_each)(struct store *s, int64_t after, size_t max, store_sweep_fn *fn,
	    void *arg, struct err *err);
	enum rc (*sweep_turns)(struct store *s, int64_t id, uint64_t after, size_t max,
	    store_turn_fn *fn, void *arg, struct err *err);
	enum rc (*sweep_decide)(struct store *s, int64_t id, enum sweep_state verdict,
	    const char *who, struct err *err);
	enum rc (*sweep_owners)(struct store *s, int64_t id, size_t max, store_sweep_owner_fn *fn,
	    void *arg, struct err *err);
	enum rc (*sweep_beside)(struct store *s, int64_t id, uint64_t waiting, struct err *err);
	enum rc (*sweep_obsolete)(struct store *s, int64_t id, const char *why, struct err *err);
	enum rc (*sweep_dealt)(
	    struct store *s, int64_t id, uint64_t dealt, uint64_t applied, struct err *err);
	enum rc (*sweep_tidy)(struct store *s, int64_t before, size_t *n, struct err *err);
	enum rc (*rule_causes_each)(
	    struct store *s, store_rule_mark_fn *fn, void *arg, struct err *err);
	enum rc (*ignored_each)(
	    struct store *s, store_rule_mark_fn *fn, void *arg, struct err *err);
	enum rc (*ignored_forget)(
	    struct store *s, const struct store_rule_mark *v, size_t n, struct err *err);
	enum rc (*sweep_marks)(
	    struct store *s, int64_t id, store_rule_mark_fn *fn, void *arg, struct err *err);
	enum rc (*turned_add)(struct store *s, int64_t now, const uint64_t *owners, size_t n,
	    int64_t beside, struct err *err);
	enum rc (*turned_since)(
	    struct store *s, int64_t since, store_owner_fn *fn, void *arg, struct err *err);
	enum rc (*exception_add)(struct store *s, const struct store_exception *e,
	    bool needs_second, int64_t *id, struct err *err);
	enum rc (*exception_confirm)(struct store *s, int64_t id, const char *who, struct err *err);
	enum rc (*exception_end)(struct store *s, int64_t id, const char *who, struct err *err);
	enum rc (*exception_each)(struct store *s, int64_t live_at, int64_t after, size_t max,
	    store_exception_fn *fn, void *arg, struct err *err);

	/* store_foreign.h; serials[i] is v[i].serial, not_after is never 0, thumbprint never NULL. */
	enum rc (*foreign_add)(struct store *s, const char *ca, const char *who,
	    const struct store_foreign_cert *v, const struct store_serial *serials, size_t n,
	    enum foreign_outcome *outcomes, struct err *err);
	enum rc (*foreign_look)(struct store *s, const char *ca, const struct store_foreign_cert *v,
	    const struct store_serial *serials, size_t n, enum foreign_outcome *outcomes,
	    struct err *err);
	enum rc (*foreign_count)(
	    struct store *s, const char *ca, uint64_t *rows, uint64_t *bare, struct err *err);
	enum rc (*foreign_cas)(struct store *s, store_name_fn *fn, void *arg, struct err *err);
	enum rc (*foreign_marks)(
	    struct store *s, const char *ca, store_foreign_mark_fn *fn, void *arg, struct err *err);
	enum rc (*foreign_crl_get)(
	    struct store *s, const char *ca, struct store_foreign_crl *out, struct err *err);
	enum rc (*foreign_crl_set)(
	    struct store *s, const char *ca, const struct store_foreign_crl *crl, struct err *err);
	enum rc (*foreign_look_get)(
	    struct store *s, const char *ca, struct store_foreign_look *out, struct err *err);
	enum rc (*foreign_look_set)(
	    struct store *s, const char *ca, int64_t tried, const char *failure, struct err *err);

	/* store_identity.h */
	enum rc (*identity_get)(
	    struct store *s, const char *ca, struct store_identity *out, struct err *err);
	enum rc (*identity_set)(
	    struct store *s, const char *ca, const struct store_identity *id, struct err *err);
	enum rc (*identity_other)(struct store *s, const char *ca, const uint8_t *key_sha256,
	    char *name, struct err *err);
	enum rc (*identity_witness)(
	    struct store *s, const char *ca, bool own, uint8_t **der, size_t *len, struct err *err);
	enum rc (*identity_has_crl)(struct store *s, const char *ca, bool *has, struct err *err);
	enum rc (*foreign_forget)(
	    struct store *s, const char *ca, const char *who, size_t *n, struct err *err);

	enum rc (*audit)(struct store *s, const char *event, const char *detail, struct err *err);
	enum rc (*audit_verify)(struct store *s, uint64_t *rows, struct err *err);
	enum rc (*audit_each)(struct store *s, int64_t after, size_t max, store_audit_fn *fn,
	    void *arg, struct err *err);

	enum rc (*stats)(struct store *s, struct store_stats *out, struct err *err);
	enum rc (*figures)(struct store *s, struct store_figures *out, struct err *err);

	enum rc (*backup)(struct store *s, const char *path, store_progress_fn *progress, void *arg,
	    struct err *err);
	enum rc (*crl_skip)(
	    struct store *s, const char *ca, uint64_t by, const char *why, struct err *err);
	enum rc (*spent_elsewhere)(
	    struct store *s, const char *why, uint64_t *otps, uint64_t *holds, struct err *err);
};

extern const struct store_backend sqlite_backend;

void store_replaced_done(struct store_replaced *r);

/* The name under which a row is found: SHA-256 over endpoint, transactionID and the CSR's hash. */
#define TX_ROW_KEY_SIZE 32
enum rc tx_row_key(
    uint8_t out[static TX_ROW_KEY_SIZE], const struct tx_key *key, struct err *err) MUST_CHECK;

#endif
