/*
 * metrics.h - counters for /metrics (Prometheus text format).  Rows of a table; adding one is a
 * line there and a line in scepd(8).
 */
#ifndef SCEPD_SCEPD_METRICS_H
#define SCEPD_SCEPD_METRICS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum metric {
	METRIC_GETCACAPS,
	METRIC_GETCACERT,
	METRIC_GETNEXTCACERT,
	METRIC_PKIOPERATION,
	METRIC_ISSUED,   /* certificates signed */
	METRIC_RENEWED,  /* of these, for a holder of an older one */
	METRIC_REPLACED, /* certificates revoked because another took their place */
	METRIC_PENDING,  /* answers that say to ask again later */
	METRIC_POLLS,    /* CertPoll */
	METRIC_GETCERT,
	METRIC_GETCRL,
	METRIC_DELIVERED,   /* replies with a certificate handed to the kernel */
	METRIC_REPEATED,    /* answered from the store */
	METRIC_REFUSED,     /* signed FAILURE */
	METRIC_BAD_REQUEST, /* plain 4xx */
	METRIC_UNDELIVERED, /* signed, not reported, revoked */
	METRIC_INTUNE_VALIDATE,
	METRIC_INTUNE_NOTIFY,
	METRIC_INTUNE_ERRORS, /* unreachable, not "no" */
	METRIC_SID_REFUSED,   /* requests with somebody else's SID */
	METRIC_NAMES_REFUSED, /* requests that name two of a kind */
	METRIC_OTP_TAKEN,
	METRIC_OTP_REFUSED,
	METRIC_WEBHOOK_ASKED,
	METRIC_WEBHOOK_ERRORS,   /* no decision, not "no" */
	METRIC_ADMIN,            /* calls of the admin API and mscep_admin with a good token */
	METRIC_ADMIN_DENIED,     /* without one */
	METRIC_VERDICTS,         /* certificates asked about by RADIUS servers and their like */
	METRIC_VERDICTS_AGAINST, /* of these, not good */
	METRIC_OCSP,             /* OCSP requests */
	METRIC_OCSP_SIGNED,      /* answers signed for them */
	METRIC_OCSP_REFUSED,     /* answered with an error */
	METRIC_OCSP_FOREIGN,     /* signed, about certificates of foreign CAs */
	METRIC_QUEUE_REQUESTS,   /* of Intune's revocation queue that were ours */
	METRIC_QUEUE_REVOKED,
	METRIC_QUEUE_UNKNOWN, /* no such certificate */
	METRIC_QUEUE_FOREIGN, /* of these, another tenant's */
	METRIC_QUEUE_CONFLICTS,
	METRIC_QUEUE_LATER, /* could not be revoked just now */
	METRIC_QUEUE_ERRORS,
	METRIC_QUEUE_UPLOAD_ERRORS,
	METRIC_FOREIGN_CRL_FAILURES, /* lists of foreign CAs that could not be had or believed */
	METRIC_FOREIGN_REVOKED,      /* certificates, by such a list */
	METRIC_FOREIGN_HELD,
	METRIC_FOREIGN_RELEASED,
	METRIC_RULE_HELD, /* certificates that rules held, revoked, let go */
	METRIC_RULE_REVOKED,
	METRIC_RULE_RELEASED,
	METRIC_SWEEPS_STOPPED, /* by the brake */
	METRIC__MAX
};

struct metrics;
enum rc metrics_new(struct metrics **out, struct err *err) MUST_CHECK;
void metrics_free(struct metrics *m);
void metric_add(struct metrics *m, enum metric which, uint64_t n); /* atomic */
uint64_t metric_get(const struct metrics *m, enum metric which);
/* A duration of a whole PKIOperation into the histogram; microseconds. */
void metric_time(struct metrics *m, uint64_t us);
void metrics_text(struct metrics *m, struct buf *out);
/* What the signer has done, and whether it is there. */
struct signer;
void metrics_signer_text(struct signer *s, struct buf *out);
/* How many certificates are good, held, revoked; nothing while the store does not answer. */
struct store;
void metrics_store_text(struct store *s, struct buf *out);
/* What the public listeners carry, and what they have turned away. */
struct http_server;
void metrics_http_text(struct http_server *s, struct buf *out);

#endif
