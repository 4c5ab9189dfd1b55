/*
 * sqlite_sql.c - every statement that runs on a ready database.  States are those of
 * enum tx_state.
 *
 * CROSS JOIN keeps SQLite from choosing another order: it has no figures (ANALYZE) to see that
 * pending and outbox are short and tx and cert are long.
 */
#include "store/sqlite_conn.h"

/* The columns that tx_take() in sqlite_tx.c reads. */
#define TX_COLUMNS                                                                                 \
	"t.id, t.state, t.attempt, t.created, t.changed, t.csr_sha256, t.signer_sha256,"           \
	" t.endpoint, t.transaction_id, t.serial, t.reason, t.context"

/* The columns that cert_take() in sqlite_cert.c reads. */
#define CERT_COLUMNS                                                                               \
	"c.id, c.serial, c.ca, c.endpoint, c.profile, c.subject, c.san, c.thumbprint,"             \
	" t.transaction_id, c.revoked_why, c.not_before, c.not_after, c.issued, c.revoked,"        \
	" c.reason, c.der"

/* Revoked for good; 6 is a hold, which may come off. */
#define OVER(of) "(" of "revoked <> 0 AND " of "reason <> 6)"

/* The columns that hold_take() in sqlite_hold.c reads. */
#define HOLD_COLUMNS                                                                               \
	"a.tx_id, a.verdict, t.state, a.held, a.expires, a.decided, a.lifetime, a.signer_sha256,"  \
	" a.endpoint, a.transaction_id, a.profile, a.subject, a.san, a.key, a.peer, a.who,"        \
	" a.reason, t.serial"

/* The columns that otp_take() in sqlite_otp.c reads. */
#define OTP_COLUMNS                                                                                \
	"o.id, o.uses, o.used, o.created, o.expires, o.revoked, u.at, o.endpoint, o.subject,"      \
	" o.san, o.who, o.comment, t.transaction_id"
/* A password with the last use that was made of it. */
#define OTP_FROM                                                                                   \
	" FROM otp o LEFT JOIN otp_use u ON u.otp_id = o.id"                                       \
	" AND u.at = (SELECT max(at) FROM otp_use WHERE otp_id = o.id)"                            \
	" LEFT JOIN tx t ON t.id = u.tx_id"

/* The columns that sqlite_binding_take() reads. */
#define BINDING_COLUMNS                                                                            \
	"b.state, b.tenant, b.user, b.device, b.device_object, b.managed, b.upn,"                  \
	" b.serial_number, b.sid, b.platform, b.owner, b.enrolled, b.asked, b.tries, b.due"

/* The condition of the index binding_due. */
#define BINDING_DUE(order)                                                                         \
	"SELECT c.serial, c.ca, c.not_after, " BINDING_COLUMNS " FROM binding b CROSS JOIN cert c" \
	" ON c.id = b.cert_id WHERE b.tenant = ?1 AND b.due > 0 AND b.due <= ?2"                   \
	" ORDER BY b.due " order " LIMIT ?3"

/* Nobody has said anything else since; kind 4 is that of risks. */
#define KNOWN(o)                                                                                   \
	"CASE WHEN " o ".presence = 1 THEN max(" o ".known, coalesce((SELECT confirmed"            \
	" FROM dir_sync WHERE tenant = " o ".tenant AND kind = " o ".kind), 0)) ELSE " o           \
	".known END"
#define RISK_AT(o)                                                                                 \
	"max(" o ".risk_known, coalesce((SELECT confirmed FROM dir_sync WHERE tenant = " o         \
	".tenant AND kind = 4), 0))"
/* The columns that take() of sqlite_directory.c reads. */
#define OBJECT_COLUMNS(o)                                                                          \
	o ".kind, " o ".tenant, " o ".id, " o ".presence, " o ".enabled, " o ".compliant, " o      \
	  ".compliance, " o ".management, CASE WHEN " o ".kind = 1 AND " o                         \
	  ".risk = '' AND " RISK_AT(o) " > 0 THEN 'none' ELSE " o ".risk END, " o ".name, " o      \
				       ".platform, " o ".owner, " o ".enrolled, " o                \
				       ".last_seen, " KNOWN(o) ", CASE WHEN " o                    \
							       ".kind = 1 THEN " RISK_AT(          \
								   o) " ELSE 0 END"
#define OBJECT_OF(o, of, column)                                                                   \
	" LEFT JOIN dir_object " o " ON " o ".tenant = b.tenant AND " o ".kind = " of " AND " o    \
	".id = b." column

/* The index of a column is partial, so that the condition has to be said again. */
#define BINDING_BY(column)                                                                         \
	"SELECT c.serial, c.ca FROM binding b CROSS JOIN cert c ON c.id = b.cert_id WHERE "        \
	"b." column " = ?1 AND b." column                                                          \
	" <> '' AND (?2 IS NULL OR b.tenant = ?2) AND c.not_after > ?3"                            \
	" ORDER BY b.cert_id LIMIT ?4"

/* The columns that sweep_take() in sqlite_sweep.c reads. */
#define SWEEP_COLUMNS                                                                              \
	"id, state, created, decided, turns, dealt, applied, certs, total,"                        \
	" owners, total_owners, beside, beside_waiting, why, who"

/* The columns that exception_take() in sqlite_exception.c reads. */
#define EXCEPTION_COLUMNS                                                                          \
	"e.id, e.kind, e.target, e.ca, e.rule, e.created, e.until, e.confirmed, e.ended, e.who,"   \
	" e.confirmed_by, e.ended_by, e.comment"

/* The few that are not good have an index, which SQLite would not choose without figures. */
#define CERT_EACH(index, status)                                                                   \
	"SELECT " CERT_COLUMNS " FROM cert c " index " LEFT JOIN tx t ON t.id = c.tx_id"           \
	" WHERE c.id > ?1 AND (?2 IS NULL OR c.ca = ?2) AND (?3 IS NULL OR c.endpoint = ?3)"       \
	" AND c.not_after >= ?4 AND c.id <= ?5 " status " ORDER BY c.id"
/* CERTS_... of store.h, or -1. */
#define CERT_IS(wanted)                                                                            \
	"CASE " wanted " WHEN 0 THEN c.revoked = 0 WHEN 1 THEN c.revoked <> 0"                     \
	" WHEN 2 THEN c.revoked <> 0 AND c.reason = 6"                                             \
	" WHEN 3 THEN c.revoked <> 0 AND c.reason <> 6 ELSE 1 END"

const char *const sq_sql[Q__MAX] = {
	[Q_BEGIN] = "BEGIN IMMEDIATE",
	[Q_BEGIN_READ] = "BEGIN",
	[Q_COMMIT] = "COMMIT",
	[Q_ROLLBACK] = "ROLLBACK",
	[Q_SAVE] = "SAVEPOINT step",
	[Q_SAVE_RELEASE] = "RELEASE step",
	[Q_SAVE_ROLLBACK] = "ROLLBACK TO step",

	[Q_TX_FIND] = "SELECT " TX_COLUMNS " FROM tx t WHERE t.key = ?1",
	[Q_TX_KNOWN] = "SELECT 1 FROM tx WHERE key = ?1",
	[Q_TX_STATE] = "SELECT state FROM tx WHERE id = ?1",
	[Q_TX_NEW] = "INSERT INTO tx(id, key, state, attempt, created, changed, csr_sha256,"
		     " signer_sha256, endpoint, transaction_id)"
		     " VALUES(?7,?1,1,1,?2,?2,?3,?4,?5,?6)",
	[Q_TX_AGAIN] =
	    "UPDATE tx SET state = 1, attempt = attempt + 1, changed = ?2, authority = NULL,"
	    " serial = NULL, reason = NULL, context = NULL WHERE id = ?1 AND state >= 5",
	[Q_TX_RESERVE] = "UPDATE tx SET state = 3, changed = ?2, authority = ?3, serial = ?4,"
			 " context = ?5 WHERE id = ?1 AND state <= 2",
	[Q_TX_SIGNED] =
	    "UPDATE tx SET state = 4, changed = ?2, notify = ?4 WHERE id = ?1 AND state = 3"
	    " AND serial = ?3 RETURNING attempt, authority, transaction_id",
	[Q_TX_NOTIFIED] =
	    "UPDATE tx SET state = 5, changed = ?2, notify = 0 WHERE id = ?1 AND state = 4",
	[Q_TX_DELIVERED] =
	    "UPDATE tx SET state = 6, changed = ?2, context = NULL WHERE id = ?1 AND state = 5",
	[Q_TX_REFUSED] = "UPDATE tx SET state = 7, changed = ?2, reason = ?3, context = NULL"
			 " WHERE id = ?1 AND state <= 3"
			 " RETURNING attempt, endpoint, transaction_id, serial",
	[Q_TX_UNDELIVERED] =
	    "UPDATE tx SET state = 8, changed = ?2, notify = 0, reason = ?3, context = NULL"
	    " WHERE id = ?1 AND state IN (4, 5)"
	    " RETURNING attempt, endpoint, transaction_id, serial",
	[Q_TX_UNFINISHED] = "SELECT " TX_COLUMNS ", p.csr, c.der"
			    " FROM pending p CROSS JOIN tx t ON t.id = p.tx_id"
			    " LEFT JOIN cert c ON c.serial = t.serial AND c.tx_id = t.id"
			    " WHERE t.state <= 4"
			    " AND (t.state > 2 OR NOT EXISTS (SELECT 1 FROM approval a"
			    "  WHERE a.tx_id = p.tx_id AND a.verdict IN (1, 2)))"
			    " ORDER BY p.tx_id LIMIT ?1",
	[Q_TX_COUNT] = "SELECT max(id) FROM tx",
	[Q_TX_COUNT_OPEN] =
	    "SELECT t.state, count(*) FROM pending p CROSS JOIN tx t ON t.id = p.tx_id"
	    " WHERE t.state <= 5 GROUP BY t.state",
	[Q_TX_COUNT_FAILED] = "SELECT state, count(*) FROM tx WHERE state >= 7 GROUP BY state",
	[Q_PENDING_PUT] = "INSERT OR REPLACE INTO pending(tx_id, csr) VALUES(?1, ?2)",
	/* A failure of an earlier attempt may still have to be told, with this request. */
	[Q_PENDING_DROP] = "DELETE FROM pending WHERE tx_id = ?1"
			   " AND NOT EXISTS (SELECT 1 FROM outbox WHERE tx_id = ?1)",
	[Q_PENDING_DROP_FINAL] = "DELETE FROM pending WHERE tx_id = ?1"
				 " AND (SELECT state FROM tx WHERE id = ?1) >= 6",

	[Q_OUTBOX_PUT] = "INSERT OR REPLACE INTO"
			 " outbox(tx_id, attempt, attempts, due, hresult, text)"
			 " VALUES(?1, ?2, 0, ?3, ?4, ?5)",
	[Q_OUTBOX_DROP_EARLIER] = "DELETE FROM outbox WHERE tx_id = ?1",
	/* Not while a later attempt of the same transaction is under way: that may end well. */
	[Q_OUTBOX_DUE] = "SELECT o.tx_id, o.attempt, o.attempts, o.due, o.hresult, o.text,"
			 " t.endpoint, t.transaction_id, p.csr"
			 " FROM outbox o CROSS JOIN tx t ON t.id = o.tx_id CROSS JOIN pending p ON "
			 "p.tx_id = o.tx_id"
			 " WHERE o.due <= ?1 AND t.state >= 7 ORDER BY o.due LIMIT ?2",
	[Q_OUTBOX_DONE] = "DELETE FROM outbox WHERE tx_id = ?1 AND attempt = ?2",
	[Q_OUTBOX_RETRY] = "UPDATE outbox SET attempts = attempts + 1, due = ?3"
			   " WHERE tx_id = ?1 AND attempt = ?2",
	[Q_OUTBOX_COUNT] =
	    "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*)"
	    " FROM pending p CROSS JOIN tx t ON t.id = p.tx_id WHERE t.state = 4 AND t.notify = 1)",

	/* One of ours has no other's number of ours, whichever of our CAs has issued it; foreign ones may have it. */
	[Q_CERT_NEW] = "INSERT INTO cert(serial, tx_id, audit, issued, not_before, not_after, ca,"
		       " endpoint, profile, subject, san, thumbprint, der)"
		       " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13"
		       " WHERE NOT EXISTS (SELECT 1 FROM cert WHERE serial = ?1 AND tx_id <> 0)",
	[Q_CERT_GET] = "SELECT " CERT_COLUMNS " FROM cert c LEFT JOIN tx t ON t.id = c.tx_id"
		       " WHERE c.id = ?1",
	[Q_CERT_DER] = "SELECT der, " OVER("") " OR not_after <= ?2 FROM cert"
					       " WHERE serial = ?1 AND tx_id = ?3",
	/* Whose: ?2, or one of our CAs (''), or whoever's (NULL). */
	[Q_CERT_FIND] = "SELECT id, revoked, ca FROM cert WHERE serial = ?1"
			" AND (?2 IS NULL OR ca = ?2 OR (?2 = '' AND tx_id <> 0)) ORDER BY ca",
	[Q_CERT_SAME] =
	    "SELECT id FROM cert WHERE serial = ?1 AND der = ?2 ORDER BY tx_id = 0, ca LIMIT 1",
	[Q_CERT_NAME] = "SELECT serial, ca FROM cert WHERE id = ?1",
	[Q_CERT_STATE] = "SELECT revoked, reason FROM cert WHERE serial = ?1 AND ca = ?2",
	[Q_CERT_REVOKE] =
	    "UPDATE cert SET revoked = ?2, reason = ?3, revoked_why = ?4 WHERE id = ?1",
	[Q_CERT_EACH] = CERT_EACH("", ""),
	[Q_CERT_EACH_GOOD] = CERT_EACH("", "AND c.revoked = 0"),
	[Q_CERT_EACH_REVOKED] = CERT_EACH("INDEXED BY cert_revoked", "AND c.revoked <> 0"),
	[Q_CERT_EACH_HELD] =
	    CERT_EACH("INDEXED BY cert_held", "AND c.revoked <> 0 AND c.reason = 6"),
	[Q_CERT_EACH_OVER] =
	    CERT_EACH("INDEXED BY cert_revoked", "AND c.revoked <> 0 AND c.reason <> 6"),
	[Q_CERT_EACH_UNSETTLED] =
	    "SELECT " CERT_COLUMNS " FROM binding b INDEXED BY binding_unsettled"
	    " CROSS JOIN cert c ON c.id = b.cert_id LEFT JOIN tx t ON t.id = c.tx_id"
	    " WHERE b.state = ?6 AND b.due > 0 AND b.cert_id > ?1 AND b.cert_id <= ?5"
	    " AND (?2 IS NULL OR c.ca = ?2) AND (?3 IS NULL OR c.endpoint = ?3)"
	    " AND c.not_after >= ?4 AND " CERT_IS("?7") " ORDER BY b.cert_id",
	[Q_CERT_COUNT] = "SELECT max(id) FROM cert",
	/* Where a page ends that looks at ?2 + 1 rows of the index. */
	[Q_CERT_UPTO_REVOKED] = "SELECT id FROM cert INDEXED BY cert_revoked"
				" WHERE revoked <> 0 AND id > ?1 ORDER BY id LIMIT 1 OFFSET ?2",
	[Q_CERT_UPTO_HELD] = "SELECT id FROM cert INDEXED BY cert_held WHERE revoked <> 0"
			     " AND reason = 6 AND id > ?1 ORDER BY id LIMIT 1 OFFSET ?2",
	[Q_CERT_UPTO_UNSETTLED] = "SELECT cert_id FROM binding INDEXED BY binding_unsettled"
				  " WHERE state = ?3 AND due > 0 AND cert_id > ?1"
				  " ORDER BY cert_id LIMIT 1 OFFSET ?2",
	[Q_CERT_FIGURES] =
	    "SELECT coalesce((SELECT max(id) FROM cert), 0) - gone, listed, held FROM cert_figures",
	[Q_CERT_LAST_AUDIT] = "SELECT audit FROM cert ORDER BY id DESC LIMIT 1",
	/* A window of ids and not a number of rows: however few of them are valid, a page ends. */
	[Q_CERT_BRIEF] = "SELECT ca, endpoint, subject, san, not_after FROM cert"
			 " WHERE id > ?1 AND id <= ?2 AND revoked = 0 AND not_after > ?3",
	[Q_CRL_NEXT] = "INSERT INTO crl(ca, number) VALUES(?1, ?2)"
		       " ON CONFLICT(ca) DO UPDATE SET number = number + ?2 RETURNING number",

	[Q_HOLD_GET] = "SELECT " HOLD_COLUMNS " FROM approval a CROSS JOIN tx t ON t.id = a.tx_id"
		       " WHERE a.tx_id = ?1",
	[Q_HOLD_TX] =
	    "SELECT state, endpoint, transaction_id, signer_sha256, attempt FROM tx WHERE id = ?1",
	[Q_HOLD_VERDICT] = "SELECT verdict, expires FROM approval WHERE tx_id = ?1",
	[Q_HOLD_PUT] = "INSERT OR REPLACE INTO approval(tx_id, verdict, held, expires, lifetime,"
		       " endpoint, transaction_id, signer_sha256, profile, subject, san, key, peer)"
		       " VALUES(?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
	[Q_HOLD_FIND] = "SELECT tx_id FROM approval WHERE endpoint = ?1 AND transaction_id = ?2"
			" AND signer_sha256 = ?3 ORDER BY held DESC, tx_id DESC LIMIT 1",
	[Q_HOLD_FOUND] = "SELECT " TX_COLUMNS ", p.csr, c.der, " OVER(
	    "c.") " OR c.not_after <= ?2 FROM tx t"
		  " LEFT JOIN pending p ON p.tx_id = t.id"
		  " LEFT JOIN cert c ON c.serial = t.serial AND c.tx_id = t.id AND t.state BETWEEN "
		  "4 AND 6"
		  " WHERE t.id = ?1",
	[Q_HOLD_DECIDE] = "UPDATE approval SET verdict = ?2, decided = ?3, expires = ?4, who = ?5,"
			  " reason = ?6 WHERE tx_id = ?1",
	[Q_HOLD_END] = "UPDATE approval SET verdict = 4 WHERE tx_id = ?1 AND verdict = 1",
	[Q_HOLD_LAPSE] = "UPDATE approval SET verdict = 4 WHERE tx_id = ?1",
	[Q_HOLD_DROP] = "DELETE FROM approval WHERE tx_id = ?1",
	[Q_HOLD_UNDECIDE] =
	    /* What was refused after the approval asks anew, if it asks again. */
	"UPDATE approval SET decided = 0, who = NULL, reason = NULL,"
	" verdict = CASE WHEN (SELECT state FROM tx WHERE id = tx_id) <= 2 THEN 1 ELSE 4 END"
	" WHERE verdict = 2 AND (SELECT state FROM tx WHERE id = tx_id) NOT IN (4, 5, 6)",
	[Q_HOLD_BACK] = "UPDATE tx SET state = 1, authority = NULL, serial = NULL, context = NULL"
			" WHERE id = ?1 AND state <= 3"
			" AND (SELECT verdict FROM approval WHERE tx_id = ?1) = 2",
	[Q_HOLD_BACK_ALL] =
	    "UPDATE tx SET state = 1, authority = NULL, serial = NULL, context = NULL"
	    " WHERE id IN (SELECT tx_id FROM approval WHERE verdict = 2) AND state IN (2, 3)",
	[Q_HOLD_EXPIRED] =
	    "SELECT " HOLD_COLUMNS " FROM approval a CROSS JOIN tx t ON t.id = a.tx_id"
	    " WHERE a.verdict = ?1 AND a.expires <= ?2 ORDER BY a.expires LIMIT ?3",
	[Q_HOLD_CLEAN] = "DELETE FROM approval WHERE tx_id IN (SELECT tx_id FROM approval"
			 " WHERE verdict = ?1 AND expires <= ?2 LIMIT ?3)",
	[Q_HOLD_EACH] = "SELECT " HOLD_COLUMNS " FROM approval a CROSS JOIN tx t ON t.id = a.tx_id"
			" WHERE a.tx_id > ?1 AND (?2 IS NULL OR a.endpoint = ?2)"
			/* What has expired and was not swept is 4 by the time that it is read. */
			" AND (?3 = 0 OR a.verdict = ?3 OR (?3 = 4 AND a.verdict <= 2))"
			" ORDER BY a.tx_id",
	[Q_HOLD_COUNT] = "SELECT count(*) FROM approval WHERE verdict = 1 AND expires > ?1",
	[Q_HOLD_COUNT_OF] = "SELECT count(*) FROM approval"
			    " WHERE verdict = 1 AND endpoint = ?2 AND expires > ?1",

	[Q_OTP_NEW] = "INSERT INTO otp(endpoint, sha256, created, expires, uses, subject, san, who,"
		      " comment) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[Q_OTP_FIND] =
	    "SELECT " OTP_COLUMNS OTP_FROM " WHERE o.endpoint = ?1 AND o.sha256 = ?2 LIMIT 1",
	[Q_OTP_GET] = "SELECT " OTP_COLUMNS OTP_FROM " WHERE o.id = ?1 LIMIT 1",
	[Q_OTP_TAKEN] = "SELECT otp_id FROM otp_use WHERE tx_id = ?1 AND attempt = ?2",
	[Q_OTP_USE] = "UPDATE otp SET used = used + 1 WHERE id = ?1",
	[Q_OTP_USE_PUT] = "INSERT INTO otp_use(tx_id, attempt, otp_id, at) VALUES(?1, ?2, ?3, ?4)",
	[Q_OTP_USE_DROP] = "DELETE FROM otp_use WHERE tx_id = ?1 AND attempt = ?2 RETURNING otp_id",
	[Q_OTP_BACK] = "UPDATE otp SET used = used - 1 WHERE id = ?1 AND used > 0",
	[Q_OTP_REVOKE] = "UPDATE otp SET revoked = ?2 WHERE id = ?1",
	/* Uses first, as there may be many of one password. */
	[Q_OTP_CLEAN_USES] =
	    "DELETE FROM otp_use WHERE (tx_id, attempt) IN (SELECT u.tx_id, u.attempt"
	    " FROM otp o CROSS JOIN otp_use u ON u.otp_id = o.id WHERE o.expires <= ?1 LIMIT ?2)",
	/* For a daemon's copy that nobody uses yet: it may take its time. */
	[Q_OTP_REVOKE_LIVE] = "UPDATE otp SET revoked = ?1 WHERE id IN (SELECT id FROM otp"
			      " WHERE used < uses AND revoked = 0 AND expires > ?1)",
	[Q_OTP_CLEAN] = "DELETE FROM otp WHERE id IN (SELECT o.id FROM otp o WHERE o.expires <= ?1"
			" AND NOT EXISTS (SELECT 1 FROM otp_use u WHERE u.otp_id = o.id) LIMIT ?2)",
	[Q_OTP_EACH] =
	    "SELECT " OTP_COLUMNS OTP_FROM " WHERE o.id > ?1 AND (?2 IS NULL OR o.endpoint = ?2)"
	    " AND (?3 = 0 OR (o.used < o.uses AND o.revoked = 0 AND o.expires > ?3))"
	    " GROUP BY o.id ORDER BY o.id",
	[Q_OTP_COUNT] =
	    "SELECT count(*) FROM otp WHERE used < uses AND revoked = 0 AND expires > ?1",
	[Q_OTP_COUNT_OF] = "SELECT count(*) FROM otp WHERE used < uses AND revoked = 0"
			   " AND endpoint = ?2 AND expires > ?1",

	[Q_CAUSE_EACH] =
	    "SELECT source, rule, effect, reason, since, until, who, comment FROM cause"
	    " WHERE cert_id = ?1",
	[Q_CAUSE_PUT] = "INSERT OR REPLACE INTO cause(cert_id, source, rule, effect, reason, since,"
			" until, who, comment) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[Q_CAUSE_DROP] = "DELETE FROM cause WHERE cert_id = ?1 AND source = ?2 AND rule = ?3",
	[Q_CAUSE_EXPIRED] = "SELECT k.cert_id FROM cause k"
			    " WHERE k.until > 0 AND k.until <= ?1 AND k.effect = 1 AND k.source = 1"
			    " ORDER BY k.until LIMIT ?2",
	[Q_CERT_END] = "SELECT not_after FROM cert WHERE id = ?1",
	[Q_CERT_OVER] = "SELECT " OVER("") " FROM cert WHERE id = ?1",
	[Q_STATUS_CHANGED] =
	    "INSERT OR REPLACE INTO status_change(cert_id, number, at)"
	    " VALUES(?1, (SELECT coalesce(max(number), 0) + 1 FROM status_change), ?2)",
	[Q_STATUS_NUMBER] = "SELECT max(number) FROM status_change",
	[Q_CRL_FULL] = "SELECT serial, revoked, reason FROM cert"
		       " WHERE ca = ?1 AND revoked <> 0 AND not_after >= ?2 ORDER BY serial",
	[Q_CHANGES] = "SELECT c.serial, s.number FROM status_change s"
		      " CROSS JOIN cert c ON c.id = s.cert_id WHERE s.number > ?2 AND c.ca = ?1",
	[Q_CRL_DELTA] =
	    "SELECT c.serial, c.revoked, c.reason, s.at FROM status_change s"
	    " CROSS JOIN cert c ON c.id = s.cert_id"
	    " WHERE s.number > ?3 AND c.ca = ?1 AND c.not_after >= ?2 ORDER BY c.serial",
	[Q_BINDING_GET] = "SELECT " BINDING_COLUMNS " FROM binding b WHERE b.cert_id = ?1",
	[Q_BINDING_PUT] =
	    "INSERT OR REPLACE INTO binding(cert_id, state, tenant, user, device, device_object,"
	    " managed, upn, serial_number, sid, platform, owner, enrolled, asked, tries, due)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
	[Q_BINDING_DUE] = BINDING_DUE("ASC"),
	[Q_BINDING_DUE_LATEST] = BINDING_DUE("DESC"),
	[Q_BINDING_COUNT] =
	    "SELECT count(*) FROM (SELECT 1 FROM binding b INDEXED BY binding_unsettled"
	    " CROSS JOIN cert c ON c.id = b.cert_id"
	    " WHERE b.state = ?1 AND b.due > 0 AND b.tenant = ?2 AND c.not_after > ?3"
	    " AND (c.revoked = 0 OR c.reason = 6) LIMIT ?4)",
	[Q_BINDING_BY_USER] = BINDING_BY("user"),
	[Q_BINDING_BY_DEVICE] = BINDING_BY("device"),
	[Q_BINDING_BY_DEVICE_OBJECT] = BINDING_BY("device_object"),
	[Q_BINDING_BY_MANAGED] = BINDING_BY("managed"),

	/* A row of ours has a transaction. */
	[Q_FOREIGN_FIND] = "SELECT c.id, c.tx_id = 0, length(c.der), c.der = ?3,"
			   " c.not_after, EXISTS (SELECT 1 FROM binding WHERE cert_id = c.id)"
			   " FROM cert c WHERE c.serial = ?1 AND c.ca = ?2",
	[Q_FOREIGN_NEW] =
	    "INSERT INTO cert(serial, tx_id, audit, issued, not_before, not_after, ca,"
	    " endpoint, profile, subject, san, thumbprint, der)"
	    " VALUES(?1, 0, ?2, ?3, ?4, ?5, ?6, '', ?6, ?7, ?8, ?9, ?10)",
	[Q_FOREIGN_FILL] =
	    "UPDATE cert SET issued = ?2, not_before = ?3, not_after = ?4, subject = ?5, san = ?6,"
	    " thumbprint = ?7, der = ?8 WHERE id = ?1",
	[Q_FOREIGN_COUNT] = "SELECT count(*) FROM cert INDEXED BY cert_foreign"
			    " WHERE tx_id = 0 AND ca = ?1",
	[Q_FOREIGN_BARE] = "SELECT count(*) FROM cert INDEXED BY cert_bare"
			   " WHERE tx_id = 0 AND thumbprint = '' AND ca = ?1",
	[Q_FOREIGN_NEXT_CA] = "SELECT ca FROM cert INDEXED BY cert_foreign"
			      " WHERE tx_id = 0 AND ca > ?1 ORDER BY ca LIMIT 1",
	/* Whatever has a cause is not good, and cert_listed has those in order; 6 is CAUSE_ISSUER. */
	[Q_FOREIGN_MARKS] = "SELECT c.serial, k.effect, k.reason FROM cert c INDEXED BY cert_listed"
			    " CROSS JOIN cause k ON k.cert_id = c.id AND k.source = 6"
			    " WHERE c.ca = ?1 AND c.revoked <> 0 ORDER BY c.serial",
	[Q_FOREIGN_CRL] = "SELECT number, this_update, next_update, entries, taken, sha256"
			  " FROM foreign_crl WHERE ca = ?1",
	[Q_FOREIGN_CRL_SET] =
	    "INSERT OR REPLACE INTO foreign_crl(ca, number, this_update, next_update, entries,"
	    " taken, sha256) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[Q_FOREIGN_LOOK] = "SELECT tried, good, failure FROM foreign_look WHERE ca = ?1",
	[Q_FOREIGN_LOOK_SET] =
	    "INSERT INTO foreign_look(ca, tried, good, failure) VALUES(?1, ?2, ?3, ?4)"
	    " ON CONFLICT(ca) DO UPDATE SET tried = ?2, failure = ?4,"
	    " good = CASE WHEN ?3 > 0 THEN ?3 ELSE good END",
	[Q_ISSUER_TURNS] = "SELECT thumbprint = '',"
			   " coalesce((SELECT n FROM issuer_turns WHERE cert_id = cert.id), 0)"
			   " FROM cert WHERE id = ?1",
	[Q_ISSUER_TURNED] = "INSERT INTO issuer_turns(cert_id, n) VALUES(?1, 1)"
			    " ON CONFLICT(cert_id) DO UPDATE SET n = n + 1",

	[Q_IDENTITY_GET] = "SELECT own, key_sha256, since FROM ca_identity WHERE ca = ?1",
	/* A walk over as many rows as there were CAs. */
	[Q_IDENTITY_OTHER] =
	    "SELECT ca FROM ca_identity WHERE key_sha256 = ?1 AND ca <> ?2 ORDER BY ca LIMIT 1",
	[Q_IDENTITY_SET] =
	    "INSERT OR REPLACE INTO ca_identity(ca, own, key_sha256, since) VALUES(?1, ?2, ?3, ?4)",
	/* There is no index by the name of our own CAs: the newest rows have to do. */
	[Q_IDENTITY_WITNESS_OWN] =
	    "SELECT der FROM cert WHERE id > (SELECT max(id) FROM cert) - ?2 AND ca = ?1"
	    " AND tx_id <> 0 ORDER BY id DESC LIMIT 1",
	[Q_IDENTITY_WITNESS_FOREIGN] =
	    "SELECT der FROM (SELECT der, thumbprint FROM cert INDEXED BY cert_foreign"
	    " WHERE tx_id = 0 AND ca = ?1 LIMIT ?2) WHERE thumbprint <> '' LIMIT 1",
	[Q_IDENTITY_HAS_CRL] = "SELECT 1 FROM crl WHERE ca = ?1",

	[Q_FORGET_PAGE] = "SELECT id FROM cert INDEXED BY cert_foreign"
			  " WHERE tx_id = 0 AND ca = ?1 ORDER BY rowid LIMIT ?2",
	[Q_FORGET_CERT] = "DELETE FROM cert WHERE id = ?1 AND tx_id = 0",
	[Q_FORGET_CAUSES] = "DELETE FROM cause WHERE cert_id = ?1",
	[Q_FORGET_BINDING] = "DELETE FROM binding WHERE cert_id = ?1",
	/* The sequence never goes back: of nobody, its last number stays. */
	[Q_FORGET_CHANGE_LAST] =
	    "UPDATE OR REPLACE status_change SET cert_id = 0 WHERE cert_id = ?1"
	    " AND number = (SELECT max(number) FROM status_change)",
	[Q_FORGET_CHANGE] = "DELETE FROM status_change WHERE cert_id = ?1",
	[Q_FORGET_TURNS] = "DELETE FROM issuer_turns WHERE cert_id = ?1",
	[Q_FORGET_SWEEP] = "DELETE FROM sweep_turn WHERE NOT EXISTS"
			   " (SELECT 1 FROM cert WHERE id = sweep_turn.cert_id)",
	[Q_FORGET_EXCEPTIONS] =
	    "UPDATE exception SET ended = ?2, ended_by = ?3 WHERE ca = ?1 AND ended = 0",
	[Q_FORGET_FIGURES] =
	    "UPDATE cert_figures SET gone = (SELECT coalesce(max(id), 0) FROM cert) - ?1",
	[Q_FORGET_CRL] = "DELETE FROM foreign_crl WHERE ca = ?1",
	[Q_FORGET_LOOK] = "DELETE FROM foreign_look WHERE ca = ?1",
	[Q_FORGET_IDENTITY] = "DELETE FROM ca_identity WHERE ca = ?1 AND own = 0",

	[Q_OBJECT_GET] =
	    "SELECT " OBJECT_COLUMNS("o") " FROM dir_object o"
					  " WHERE o.tenant = ?1 AND o.kind = ?2 AND o.id = ?3",
	[Q_OBJECT_PUT] =
	    "INSERT INTO dir_object(tenant, kind, id, presence, enabled, compliant, compliance,"
	    " management, name, platform, owner, enrolled, last_seen, known)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
	    " ON CONFLICT(tenant, kind, id) DO UPDATE SET presence = ?4, enabled = ?5,"
	    " compliant = ?6, compliance = ?7, management = ?8, name = ?9, platform = ?10,"
	    " owner = ?11, enrolled = ?12, last_seen = ?13, known = ?14",
	[Q_OBJECT_KNOWN] = "UPDATE dir_object SET known = ?4"
			   " WHERE tenant = ?1 AND kind = ?2 AND id = ?3 AND known < ?4",
	[Q_OBJECT_STALE] = "SELECT " OBJECT_COLUMNS(
	    "o") " FROM dir_object o"
		 " WHERE o.tenant = ?1 AND o.kind = ?2 AND o.known < ?3 AND o.presence <> 4"
		 " ORDER BY o.known LIMIT ?4",
	[Q_RISK_PUT] = "UPDATE dir_object SET risk = ?3, risk_known = ?4"
		       " WHERE tenant = ?1 AND kind = 1 AND id = ?2",
	[Q_BOUND_USER] =
	    "SELECT 1 FROM binding WHERE user = ?1 AND user <> '' AND tenant = ?2 LIMIT 1",
	[Q_BOUND_OBJECT] = "SELECT 1 FROM binding WHERE device_object = ?1 AND device_object <> ''"
			   " AND tenant = ?2 LIMIT 1",
	[Q_BOUND_MANAGED] =
	    "SELECT 1 FROM binding WHERE managed = ?1 AND managed <> '' AND tenant = ?2 LIMIT 1",
	[Q_SYNC_CONFIRM] =
	    "INSERT INTO dir_sync(tenant, kind, confirmed) VALUES(?1, ?2, ?3)"
	    " ON CONFLICT(tenant, kind) DO UPDATE SET confirmed = max(confirmed, ?3)",
	[Q_SYNC_LINK] = "SELECT link FROM dir_sync WHERE tenant = ?1 AND kind = ?2",
	[Q_SYNC_LINK_SET] = "INSERT INTO dir_sync(tenant, kind, link) VALUES(?1, ?2, ?3)"
			    " ON CONFLICT(tenant, kind) DO UPDATE SET link = ?3",
	[Q_GROUP_SAME] = "SELECT 1 FROM dir_group WHERE tenant = ?1 AND name = ?2 AND digest = ?3",
	[Q_GROUP_CLEAR] = "DELETE FROM dir_member WHERE tenant = ?1 AND name = ?2",
	[Q_GROUP_ADD] = "INSERT OR IGNORE INTO dir_member(tenant, name, id) VALUES(?1, ?2, ?3)",
	[Q_GROUP_KNOWN] =
	    "INSERT OR REPLACE INTO dir_group(tenant, name, known, digest) VALUES(?1, ?2, ?3, ?4)",
	[Q_GROUP_WHEN] = "SELECT known FROM dir_group WHERE tenant = ?1 AND name = ?2",
	[Q_GROUP_HAS] = "SELECT 1 FROM dir_member WHERE tenant = ?1 AND name = ?2 AND id = ?3",
	[Q_SUBJECT_NEXT] =
	    "SELECT cert_id FROM binding WHERE cert_id > ?1 ORDER BY cert_id LIMIT 1",
	[Q_SUBJECTS] =
	    "SELECT c.id, c.serial, c.ca, c.endpoint, c.profile, c.subject, c.issued, c.not_after,"
	    " c.revoked, c.reason, " BINDING_COLUMNS
	    ", " OBJECT_COLUMNS("u") ", " OBJECT_COLUMNS("d") ", " OBJECT_COLUMNS(
		"m") " FROM binding b CROSS JOIN cert c ON c.id = b.cert_id" OBJECT_OF("u", "1",
		"user") OBJECT_OF("d", "2", "device_object")
		OBJECT_OF("m", "3", "managed") " WHERE b.cert_id > ?1 AND b.cert_id <= ?2 AND "
					       "b.state >= 2 AND c.not_after > ?3"
					       " ORDER BY b.cert_id",

	[Q_RENEWAL_PUT] = "INSERT INTO renewal(cert_id, old_id, due) VALUES(?1, ?2, ?3)",
	[Q_RENEWAL_OF] = "SELECT o.serial FROM renewal r CROSS JOIN cert o ON o.id = r.old_id"
			 " WHERE r.cert_id = ?1",
	[Q_RENEWAL_BY] = "SELECT n.serial, n.issued, r.due FROM renewal r CROSS JOIN cert n"
			 " ON n.id = r.cert_id WHERE r.old_id = ?1 ORDER BY r.cert_id DESC LIMIT 1",
	[Q_RENEWAL_COUNT] = "SELECT count(*) FROM renewal WHERE old_id = ?1",
	/* Delivered counts for the certificate that the transaction has now. */
	[Q_RENEWAL_DUE] =
	    "SELECT r.cert_id, r.old_id, o.serial, n.serial, o.ca, o.endpoint,"
	    " " OVER("o.") " OR o.not_after <= ?1 OR " OVER(
		"n.") ","
		      " t.state = 6 AND t.serial = n.serial"
		      " FROM renewal r CROSS JOIN cert n ON n.id = r.cert_id CROSS JOIN tx t "
		      "ON t.id = n.tx_id"
		      " CROSS JOIN cert o ON o.id = r.old_id"
		      " WHERE r.due > 0 AND r.due <= ?1 ORDER BY r.due LIMIT ?2",
	[Q_RENEWAL_MOVE] = "UPDATE renewal SET due = ?2 WHERE cert_id = ?1",

	[Q_ROLLOVER_ALL] = "SELECT endpoint, from_ca, to_ca, share, changed FROM rollover LIMIT ?1",
	[Q_ROLLOVER_SHARE] =
	    "SELECT share FROM rollover WHERE endpoint = ?1 AND from_ca = ?2 AND to_ca = ?3",
	[Q_ROLLOVER_SET] =
	    "INSERT OR REPLACE INTO rollover(endpoint, from_ca, to_ca, share, changed)"
	    " VALUES(?1, ?2, ?3, ?4, ?5)",
	[Q_RETIRED_ALL] = "SELECT ca FROM retired LIMIT ?1",
	[Q_RETIRE] = "INSERT OR IGNORE INTO retired(ca, at) VALUES(?1, ?2)",
	[Q_CRL_SKIP] = "INSERT INTO crl(ca, number) VALUES(?1, ?2)"
		       " ON CONFLICT(ca) DO UPDATE SET number = number + ?2",

	/* Of sweeps there are few; of their turns, a hundred thousand. */
	[Q_SWEEP_OPEN] = "SELECT id FROM sweep WHERE state IN (1, 2) ORDER BY id LIMIT 1",
	[Q_SWEEP_WAITS] = "SELECT id FROM sweep WHERE state = 1",
	[Q_SWEEP_NEW] = "INSERT INTO sweep(state, created, certs, total, owners, total_owners, why)"
			" VALUES(0, ?1, ?2, ?3, ?4, ?5, ?6)",
	[Q_SWEEP_TURN_PUT] = "INSERT INTO sweep_turn(sweep_id, n, cert_id, effect, reason, rule,"
			     " comment, owner) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[Q_SWEEP_READY] =
	    "UPDATE sweep SET state = 1, turns = (SELECT coalesce(max(n), 0) FROM sweep_turn"
	    " WHERE sweep_id = ?1) WHERE id = ?1 AND state = 0",
	[Q_SWEEP_CURRENT] = "SELECT " SWEEP_COLUMNS " FROM sweep WHERE state IN (1, 2) LIMIT 1",
	[Q_SWEEP_GET] = "SELECT " SWEEP_COLUMNS " FROM sweep WHERE id = ?1 AND state > 0",
	[Q_SWEEP_EACH] =
	    "SELECT " SWEEP_COLUMNS " FROM sweep WHERE id > ?1 AND state > 0 ORDER BY id LIMIT ?2",
	[Q_SWEEP_TURNS] =
	    "SELECT t.cert_id, c.serial, c.ca, t.rule, t.effect, t.reason, t.comment,"
	    " coalesce(nullif(u.name, ''), nullif(b.upn, '')), coalesce(nullif(m.name, ''), "
	    "nullif(d.name, ''))"
	    " FROM sweep_turn t CROSS JOIN cert c ON c.id = t.cert_id"
	    " LEFT JOIN binding b ON b.cert_id = t.cert_id" OBJECT_OF("u", "1", "user")
		OBJECT_OF("d", "2", "device_object") OBJECT_OF("m", "3",
		    "managed") " WHERE t.sweep_id = ?1 AND t.n > ?2 ORDER BY t.n LIMIT ?3",
	[Q_SWEEP_DECIDE] =
	    "UPDATE sweep SET state = ?2, decided = ?3, who = ?4 WHERE id = ?1 AND state = 1",
	/* Of a sweep that an older version has written each certificate is by itself. */
	[Q_SWEEP_OWNERS] =
	    "SELECT c.serial, coalesce(nullif(u.name, ''), nullif(b.upn, '')),"
	    " coalesce(nullif(m.name, ''), nullif(d.name, '')), nullif(b.user, ''),"
	    " coalesce(nullif(b.managed, ''), nullif(b.device, '')), g.certs"
	    " FROM (SELECT min(n) AS n, count(DISTINCT cert_id) AS certs FROM sweep_turn"
	    "  WHERE sweep_id = ?1 GROUP BY CASE owner WHEN 0 THEN cert_id ELSE owner END"
	    "  ORDER BY 1 LIMIT ?2) g"
	    " CROSS JOIN sweep_turn t ON t.sweep_id = ?1 AND t.n = g.n"
	    " CROSS JOIN cert c ON c.id = t.cert_id"
	    " LEFT JOIN binding b ON b.cert_id = t.cert_id" OBJECT_OF("u", "1", "user")
		OBJECT_OF("d", "2", "device_object") OBJECT_OF("m", "3", "managed") " ORDER BY g.n",
	[Q_SWEEP_BESIDE] = "UPDATE sweep SET beside_waiting = ?2 WHERE id = ?1 AND state = 1",
	[Q_SWEEP_BESIDE_MORE] = "UPDATE sweep SET beside = beside + ?2 WHERE id = ?1",
	[Q_SWEEP_OBSOLETE] = "UPDATE sweep SET state = 5, decided = ?2 WHERE id = ?1 AND state = 1",
	[Q_SWEEP_DEALT] =
	    "UPDATE sweep SET dealt = ?2, applied = ?3, state = CASE WHEN ?2 >= turns THEN 4"
	    " ELSE 2 END WHERE id = ?1 AND state = 2 RETURNING state, turns",
	[Q_SWEEP_OLD] =
	    "SELECT id FROM sweep WHERE state = 0 OR (state IN (4, 5) AND decided < ?1)"
	    " OR (state = 3 AND decided < ?1 AND NOT EXISTS"
	    " (SELECT 1 FROM sweep_turn WHERE sweep_id = sweep.id)) ORDER BY id LIMIT 1",
	[Q_SWEEP_TURNS_DROP] =
	    "DELETE FROM sweep_turn WHERE sweep_id = ?1 AND n IN"
	    " (SELECT n FROM sweep_turn WHERE sweep_id = ?1 ORDER BY n LIMIT ?2)",
	[Q_SWEEP_DROP] = "DELETE FROM sweep WHERE id = ?1",
	[Q_RULE_CAUSES] = "SELECT cert_id, rule, effect FROM cause WHERE source = 3"
			  " ORDER BY cert_id, rule",
	[Q_SWEEP_MARKS] = "SELECT cert_id, rule, effect FROM sweep_turn WHERE sweep_id = ?1"
			  " ORDER BY n",
	[Q_IGNORED] = "SELECT t.cert_id, t.rule, t.effect, t.sweep_id, t.n FROM sweep w"
		      " CROSS JOIN sweep_turn t ON t.sweep_id = w.id WHERE w.state = 3",
	[Q_IGNORED_DROP] = "DELETE FROM sweep_turn WHERE sweep_id = ?1 AND n = ?2",
	[Q_TURNED_ADD] = "INSERT INTO turned_owner(owner, minute) VALUES(?1, ?2)"
			 " ON CONFLICT(owner) DO UPDATE SET minute = max(minute, ?2)",
	[Q_TURNED_BESIDE] = "SELECT count(*) FROM turned_owner WHERE owner = ?1"
			    " AND minute >= (SELECT created / 60000 FROM sweep WHERE id = ?2)",
	[Q_TURNED_SINCE] = "SELECT owner FROM turned_owner WHERE minute > ?1 ORDER BY owner",
	[Q_TURNED_DROP] = "DELETE FROM turned_owner WHERE minute < ?1",

	[Q_EXCEPTION_NEW] = "INSERT INTO exception(kind, target, rule, created, until, confirmed,"
			    " who, comment, ca) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[Q_EXCEPTION_GET] = "SELECT " EXCEPTION_COLUMNS " FROM exception e WHERE e.id = ?1",
	[Q_EXCEPTION_CONFIRM] =
	    "UPDATE exception SET confirmed = ?2, confirmed_by = ?3 WHERE id = ?1",
	[Q_EXCEPTION_END] = "UPDATE exception SET ended = ?2, ended_by = ?3 WHERE id = ?1",
	[Q_EXCEPTION_EACH] =
	    "SELECT " EXCEPTION_COLUMNS " FROM exception e WHERE e.id > ?1 ORDER BY e.id LIMIT ?2",
	[Q_EXCEPTION_EACH_LIVE] = "SELECT " EXCEPTION_COLUMNS " FROM exception e WHERE e.ended = 0"
				  " AND e.until > ?3 AND e.id > ?1 ORDER BY e.id LIMIT ?2",
	[Q_EXCEPTION_COUNT] = "SELECT count(*) FROM exception WHERE ended = 0 AND until > ?1",

	[Q_AUDIT_HEAD] = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1",
	[Q_AUDIT_ADD] =
	    "INSERT INTO audit(seq, at, event, detail, hash) VALUES(?1, ?2, ?3, ?4, ?5)",
	[Q_AUDIT_EACH] =
	    "SELECT seq, at, event, detail, hash FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2",
};
