/*
 * sqlite.h - the SQLite backend as its files share it: one writer, a pool of readers, and who
 * implements what.
 */
#ifndef SCEPD_STORE_SQLITE_H
#define SCEPD_STORE_SQLITE_H

#include "store/sqlite_conn.h"
#include "store/sqlite_fresh.h"
#include "store/sqlite_writer.h"
#include "store/store_backend.h"

struct sq_store;

struct sq_writer *sq_store_writer(struct store *s);
struct sq_fresh *sq_store_fresh(struct store *s); /* NULL beside a daemon */
/* Borrow a connection for reading; give it back when its statements have ended. */
enum rc sq_reader_get(struct sq_conn **out, struct store *s, struct err *err) MUST_CHECK;
void sq_reader_put(struct store *s, struct sq_conn *c);

/* sqlite_list.c */

/* Takes the cursor's row and lends it to whoever asked: *left goes down for one that counts, and to 0 when the caller has
 * enough. */
typedef enum rc sq_lend_fn(struct sq_cursor *cur, size_t *left, void *arg, struct err *err);
/* A list: rows of a statement, by a connection that is borrowed meanwhile, until `max` have counted. */
enum rc sq_each(struct store *s, enum sq_stmt id, const struct sq_arg *args, size_t n, size_t max,
    sq_lend_fn *lend, void *arg, struct err *err) MUST_CHECK;
/* A statement that yields one number. */
enum rc sq_count(struct store *s, enum sq_stmt id, const struct sq_arg *args, size_t n,
    uint64_t *out, struct err *err) MUST_CHECK;

/* sqlite_tx.c */
enum rc sqlite_tx_begin(struct store *s, const struct tx_key *key, const uint8_t *csr,
    size_t csr_len, struct store_tx *out, bool *fresh, struct err *err);
enum rc sqlite_tx_reserve(struct store *s, int64_t id, const char *authority,
    const struct store_serial *serial, const char *context, struct err *err);
enum rc sqlite_tx_notified(struct store *s, int64_t id, struct err *err);
enum rc sqlite_tx_unfinished(
    struct store *s, size_t max, struct store_tx **list, size_t *n, struct err *err);
/* Read TX_COLUMNS of sqlite_sql.c. */
void sqlite_tx_take(struct store_tx *t, struct sq_cursor *cur);
/* Does its certificate answer no more?  `over`: it is revoked or expired. */
bool sqlite_tx_spent(const struct store_tx *t, bool over, int64_t now_ms);
/* Why a move from another state than the one expected changed nothing: RC_CONFLICT or RC_NOTFOUND.
 */
enum rc sqlite_tx_why_not(struct sq_conn *c, int64_t id, const char *move, struct err *err);
enum rc sqlite_tx_delivered_step(struct sq_writer *w, int64_t id, struct err *err);

/* sqlite_end.c */
enum rc sqlite_tx_signed(struct store *s, int64_t id, const struct store_cert *cert,
    const struct store_serial *serial, const struct store_serial *replaces, bool notify,
    struct err *err);
enum rc sqlite_tx_refused(
    struct store *s, int64_t id, const struct store_ending *end, struct err *err);
enum rc sqlite_tx_undelivered(
    struct store *s, int64_t id, const struct store_ending *end, struct err *err);

/* Within a step. */
enum rc sqlite_tx_refuse_step(
    struct sq_writer *w, int64_t id, const struct store_ending *end, struct err *err);

/* sqlite_hold.c */
enum rc sqlite_hold(struct store *s, int64_t id, const struct store_hold_ask *ask,
    struct store_hold *out, struct err *err);
enum rc sqlite_hold_find(struct store *s, const char *endpoint, const char *transaction_id,
    const uint8_t *signer_sha256, struct store_tx *tx, struct store_hold *out, struct err *err);
enum rc sqlite_hold_get(struct store *s, int64_t id, struct store_hold *out, struct err *err);
enum rc sqlite_hold_decide(
    struct store *s, int64_t id, const struct store_decision *d, struct err *err);
enum rc sqlite_hold_resume(struct store *s, int64_t id, struct err *err);
enum rc sqlite_hold_each(struct store *s, const struct store_hold_filter *f, size_t max,
    store_hold_fn *fn, void *arg, struct err *err);
enum rc sqlite_hold_count(struct store *s, const char *endpoint, uint64_t *n, struct err *err);
/* Within a step: where transaction `t` stands; HOLD_NONE costs one look-up. */
enum rc sqlite_hold_verdict(struct sq_conn *c, const struct store_tx *t, int64_t now_ms,
    enum hold_verdict *v, struct err *err);
/* Read HOLD_COLUMNS of sqlite_sql.c.  *lifetime (may be NULL) is what is not in a row of the caller's. */
void sqlite_hold_take(struct store_hold *h, struct sq_cursor *cur, int64_t now, int64_t *lifetime);
/* sqlite_hold_sweep.c */
enum rc sqlite_hold_sweep(struct store *s, int64_t now_ms, size_t *refused, struct err *err);

/* sqlite_otp.c */
enum rc sqlite_otp_add(
    struct store *s, const struct store_otp *otps, size_t n, int64_t *ids, struct err *err);
enum rc sqlite_otp_find(struct store *s, const char *endpoint, const uint8_t *sha256,
    struct store_otp_row *out, struct err *err);
enum rc sqlite_otp_get(struct store *s, int64_t id, struct store_otp_row *out, struct err *err);
enum rc sqlite_otp_take(struct store *s, int64_t otp_id, int64_t tx_id, struct err *err);
enum rc sqlite_otp_revoke(
    struct store *s, int64_t id, const char *who, const char *why, struct err *err);
enum rc sqlite_otp_sweep(struct store *s, int64_t now_ms, size_t *gone, struct err *err);
enum rc sqlite_otp_each(struct store *s, const struct store_otp_filter *f, size_t max,
    store_otp_fn *fn, void *arg, struct err *err);
enum rc sqlite_otp_count(struct store *s, const char *endpoint, uint64_t *n, struct err *err);
/* Within a step: give back what this attempt of a transaction has used, if anything. */
enum rc sqlite_otp_back_step(struct sq_writer *w, int64_t tx_id, int64_t attempt,
    const char *transaction_id, struct err *err);

/* sqlite_directory.c */
enum rc sqlite_objects_put(
    struct store *s, const struct store_object *v, size_t n, size_t *changed, struct err *err);
enum rc sqlite_object_get(struct store *s, const char *tenant, enum dir_kind kind, const char *id,
    struct store_object *out, struct err *err);
enum rc sqlite_objects_confirm(
    struct store *s, const char *tenant, enum dir_kind kind, int64_t now, struct err *err);
enum rc sqlite_objects_stale(struct store *s, const struct store_stale_query *q,
    store_object_fn *fn, void *arg, struct err *err);
enum rc sqlite_risk_put(struct store *s, const char *tenant, const char *user, const char *risk,
    int64_t now, struct err *err);
enum rc sqlite_delta_link(
    struct store *s, const char *tenant, enum dir_kind kind, char **link, struct err *err);
enum rc sqlite_delta_link_set(
    struct store *s, const char *tenant, enum dir_kind kind, const char *link, struct err *err);
enum rc sqlite_group_set(struct store *s, const char *tenant, const char *group,
    const char *const *ids, size_t n, int64_t now, struct err *err);
enum rc sqlite_group_has(struct store *s, const char *tenant, const char *group, const char *id,
    bool *has, int64_t *known, struct err *err);
enum rc sqlite_subjects_page(struct store *s, int64_t valid_at, int64_t *after, bool *more,
    store_subject_fn *fn, void *arg, struct err *err);

/* sqlite_renewal.c */
enum rc sqlite_renewal_get(struct store *s, const struct store_cert_name *name,
    struct store_renewal *out, struct err *err);
enum rc sqlite_replaced_revoke(
    struct store *s, int64_t now, struct store_replaced **list, size_t *n, struct err *err);
/* Within a step: the newest certificate replaces the one of ours with this serial number. */
enum rc sqlite_renewal_step(
    struct sq_writer *w, const struct store_serial *replaces, int64_t due, struct err *err);

/* sqlite_outbox.c */
enum rc sqlite_outbox_due(struct store *s, int64_t now_ms, size_t max, struct outbox_row **rows,
    size_t *n, struct err *err);
enum rc sqlite_outbox_done(struct store *s, int64_t id, struct err *err);
enum rc sqlite_outbox_retry(struct store *s, int64_t id, int64_t due_ms, struct err *err);

/* Attempts of one transaction: what an outbox row's id has room for beside the transaction's. */
#define SQ_ATTEMPT_BITS 20
#define SQ_ATTEMPT_MAX  ((1u << SQ_ATTEMPT_BITS) - 1)

/* sqlite_cert.c */
enum rc sqlite_cert_get(struct store *s, const struct store_cert_name *name,
    struct store_cert_row *out, struct err *err);
enum rc sqlite_cert_same(struct store *s, const struct store_serial *serial, const uint8_t *der,
    size_t der_len, struct store_cert_row *out, struct err *err);
enum rc sqlite_cert_status(struct store *s, const struct store_serial *serial, const char *ca,
    struct store_cert_status *out, struct err *err);
enum rc sqlite_cert_revoke(struct store *s, const struct store_cert_name *name, int reason,
    const char *why, struct err *err);
enum rc sqlite_cert_page(struct store *s, const struct store_cert_filter *f, size_t max,
    int64_t *next, store_cert_fn *fn, void *arg, struct err *err);
enum rc sqlite_figures(struct store *s, struct store_figures *out, struct err *err);
/* Within a read. */
enum rc sqlite_figures_read(struct sq_conn *c, struct store_figures *out, struct err *err);
enum rc sqlite_crl_numbers(
    struct store *s, const char *ca, unsigned n, uint64_t *first, struct err *err);
/* Row number and revocation of a certificate.  RC_NOTFOUND; RC_CONFLICT: several are meant. */
enum rc sqlite_cert_find(struct sq_conn *c, const struct store_cert_name *name, int64_t *id,
    int64_t *revoked, struct err *err);
/* Within a step: revoke the row and write the audit row. RC_CONFLICT when it is revoked already. */
enum rc sqlite_cert_revoke_step(struct sq_writer *w, int64_t id, enum cause_source source,
    int reason, const char *why, struct err *err);

/* sqlite_status.c */
enum rc sqlite_status_get(
    struct store *s, const struct store_cert_name *name, struct store_status *out, struct err *err);
enum rc sqlite_status_number(struct store *s, uint64_t *number, struct err *err);
enum rc sqlite_causes_set(struct store *s, const struct store_cause_set *v,
    const struct store_cert_name *names, size_t n, struct store_cause_done *done, struct err *err);
enum rc sqlite_holds_expire(struct store *s, int64_t now, size_t *n, struct err *err);
/* Within a step, of a row that is there; v->serial and v->ca are not looked at. */
enum rc sqlite_cause_step(struct sq_writer *w, int64_t cert, const struct store_cause_set *v,
    struct store_cause_done *done, struct err *err);
/* sqlite_crl.c */
enum rc sqlite_changes_each(struct store *s, const char *ca, uint64_t since, uint64_t *number,
    store_change_fn *fn, void *arg, struct err *err);
enum rc sqlite_crl_each(struct store *s, const struct store_crl_query *q, uint64_t *number,
    store_crl_fn *fn, void *arg, struct err *err);
/* sqlite_binding.c */
enum rc sqlite_binding_get(struct store *s, const struct store_cert_name *name,
    struct store_binding *out, struct err *err);
enum rc sqlite_binding_set(struct store *s, const struct store_cert_name *name,
    const struct store_binding *b, struct err *err);
enum rc sqlite_binding_due(struct store *s, const char *tenant, int64_t now, size_t max,
    store_binding_fn *fn, void *arg, struct err *err);
enum rc sqlite_binding_count(struct store *s, const char *tenant, enum binding_state state,
    int64_t now, uint64_t *n, struct err *err);
enum rc sqlite_binding_certs(struct store *s, const char *tenant, enum binding_key key,
    const char *id, int64_t valid_at, size_t max, store_bound_fn *fn, void *arg, struct err *err);
/* Within a step. */
enum rc sqlite_binding_put(
    struct sq_writer *w, int64_t cert, const struct store_binding *b, struct err *err);
void sqlite_binding_take(struct store_binding *b, struct sq_cursor *cur);

/* sqlite_rollover.c */
enum rc sqlite_cert_brief_page(struct store *s, int64_t valid_at, int64_t *after, bool *more,
    store_cert_brief_fn *fn, void *arg, struct err *err);
enum rc sqlite_succession_read(struct store *s, struct store_succession *out, struct err *err);
enum rc sqlite_rollover_set(
    struct store *s, const struct store_rollover_change *change, unsigned *before, struct err *err);
enum rc sqlite_ca_retire(
    struct store *s, const char *ca, const char *who, const char *detail, struct err *err);
/* sqlite_backup.c */
enum rc sqlite_backup(
    struct store *s, const char *path, store_progress_fn *progress, void *arg, struct err *err);
enum rc sqlite_crl_skip(
    struct store *s, const char *ca, uint64_t by, const char *why, struct err *err);
enum rc sqlite_spent_elsewhere(
    struct store *s, const char *why, uint64_t *otps, uint64_t *holds, struct err *err);

/* sqlite_sweep.c */
enum rc sqlite_sweep_begin(
    struct store *s, const struct store_sweep_new *n, int64_t *id, struct err *err);
enum rc sqlite_sweep_add(struct store *s, int64_t id, uint64_t first, const struct store_turn *v,
    size_t n, struct err *err);
enum rc sqlite_sweep_ready(struct store *s, int64_t id, struct err *err);
enum rc sqlite_sweep_current(struct store *s, struct store_sweep *out, struct err *err);
enum rc sqlite_sweep_get(struct store *s, int64_t id, struct store_sweep *out, struct err *err);
enum rc sqlite_sweep_each(
    struct store *s, int64_t after, size_t max, store_sweep_fn *fn, void *arg, struct err *err);
enum rc sqlite_sweep_turns(struct store *s, int64_t id, uint64_t after, size_t max,
    store_turn_fn *fn, void *arg, struct err *err);
enum rc sqlite_sweep_decide(
    struct store *s, int64_t id, enum sweep_state verdict, const char *who, struct err *err);
enum rc sqlite_sweep_owners(
    struct store *s, int64_t id, size_t max, store_sweep_owner_fn *fn, void *arg, struct err *err);
enum rc sqlite_sweep_beside(struct store *s, int64_t id, uint64_t waiting, struct err *err);
enum rc sqlite_sweep_obsolete(struct store *s, int64_t id, const char *why, struct err *err);
enum rc sqlite_sweep_dealt(
    struct store *s, int64_t id, uint64_t dealt, uint64_t applied, struct err *err);
enum rc sqlite_sweep_tidy(struct store *s, int64_t before, size_t *n, struct err *err);
/* sqlite_marks.c */
enum rc sqlite_rule_causes_each(
    struct store *s, store_rule_mark_fn *fn, void *arg, struct err *err);
enum rc sqlite_ignored_each(struct store *s, store_rule_mark_fn *fn, void *arg, struct err *err);
enum rc sqlite_ignored_forget(
    struct store *s, const struct store_rule_mark *v, size_t n, struct err *err);
enum rc sqlite_sweep_marks(
    struct store *s, int64_t id, store_rule_mark_fn *fn, void *arg, struct err *err);
enum rc sqlite_turned_add(struct store *s, int64_t now, const uint64_t *owners, size_t n,
    int64_t beside, struct err *err);
enum rc sqlite_turned_since(
    struct store *s, int64_t since, store_owner_fn *fn, void *arg, struct err *err);
/* sqlite_exception.c */
enum rc sqlite_exception_add(struct store *s, const struct store_exception *e, bool needs_second,
    int64_t *id, struct err *err);
enum rc sqlite_exception_confirm(struct store *s, int64_t id, const char *who, struct err *err);
enum rc sqlite_exception_end(struct store *s, int64_t id, const char *who, struct err *err);
enum rc sqlite_exception_each(struct store *s, int64_t live_at, int64_t after, size_t max,
    store_exception_fn *fn, void *arg, struct err *err);

/* sqlite_foreign.c */
enum rc sqlite_foreign_add(struct store *s, const char *ca, const char *who,
    const struct store_foreign_cert *v, const struct store_serial *serials, size_t n,
    enum foreign_outcome *outcomes, struct err *err);
enum rc sqlite_foreign_look(struct store *s, const char *ca, const struct store_foreign_cert *v,
    const struct store_serial *serials, size_t n, enum foreign_outcome *outcomes, struct err *err);
enum rc sqlite_foreign_count(
    struct store *s, const char *ca, uint64_t *rows, uint64_t *bare, struct err *err);
enum rc sqlite_foreign_cas(struct store *s, store_name_fn *fn, void *arg, struct err *err);
enum rc sqlite_foreign_marks(
    struct store *s, const char *ca, store_foreign_mark_fn *fn, void *arg, struct err *err);
enum rc sqlite_foreign_crl_get(
    struct store *s, const char *ca, struct store_foreign_crl *out, struct err *err);
enum rc sqlite_foreign_crl_set(
    struct store *s, const char *ca, const struct store_foreign_crl *crl, struct err *err);
enum rc sqlite_foreign_look_get(
    struct store *s, const char *ca, struct store_foreign_look *out, struct err *err);
enum rc sqlite_foreign_look_set(
    struct store *s, const char *ca, int64_t tried, const char *failure, struct err *err);

/* sqlite_identity.c */
enum rc sqlite_identity_get(
    struct store *s, const char *ca, struct store_identity *out, struct err *err);
enum rc sqlite_identity_set(
    struct store *s, const char *ca, const struct store_identity *id, struct err *err);
enum rc sqlite_identity_other(
    struct store *s, const char *ca, const uint8_t *key_sha256, char *name, struct err *err);
enum rc sqlite_identity_witness(
    struct store *s, const char *ca, bool own, uint8_t **der, size_t *len, struct err *err);
enum rc sqlite_identity_has_crl(struct store *s, const char *ca, bool *has, struct err *err);
/* sqlite_forget.c */
enum rc sqlite_foreign_forget(
    struct store *s, const char *ca, const char *who, size_t *n, struct err *err);

/* sqlite_audit.c */
enum rc sqlite_audit(struct store *s, const char *event, const char *detail, struct err *err);
enum rc sqlite_audit_verify(struct store *s, uint64_t *rows, struct err *err);
enum rc sqlite_audit_each(
    struct store *s, int64_t after, size_t max, store_audit_fn *fn, void *arg, struct err *err);

#endif
