/* metrics.c - see metrics.h. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "http/server.h"
#include "scepd/metrics.h"
#include "signer/signer.h"
#include "store/store.h"

static const struct {
	const char *name, *help;
} rows[METRIC__MAX] = {
	[METRIC_GETCACAPS] = { "scepd_getcacaps_total", "GetCACaps answered" },
	[METRIC_GETCACERT] = { "scepd_getcacert_total", "GetCACert answered" },
	[METRIC_GETNEXTCACERT] = { "scepd_getnextcacert_total", "GetNextCACert asked for" },
	[METRIC_PKIOPERATION] = { "scepd_pkioperation_total", "PKIOperation messages received" },
	[METRIC_ISSUED] = { "scepd_certificates_issued_total", "Certificates signed" },
	[METRIC_RENEWED] = { "scepd_certificates_renewed_total",
	    "Certificates signed for the holder of an older one" },
	[METRIC_REPLACED] = { "scepd_certificates_replaced_total",
	    "Certificates revoked because another has taken their place" },
	[METRIC_PENDING] = { "scepd_requests_pending_total", "Answers PENDING" },
	[METRIC_POLLS] = { "scepd_certpoll_total", "CertPoll messages" },
	[METRIC_GETCERT] = { "scepd_getcert_total", "GetCert messages" },
	[METRIC_GETCRL] = { "scepd_getcrl_total", "GetCRL messages" },
	[METRIC_DELIVERED] = { "scepd_certificates_delivered_total",
	    "Answers with a certificate handed to the network" },
	[METRIC_REPEATED] = { "scepd_requests_repeated_total",
	    "Repeated requests answered with the certificate already issued" },
	[METRIC_REFUSED] = { "scepd_requests_refused_total",
	    "Requests answered with a signed FAILURE" },
	[METRIC_BAD_REQUEST] = { "scepd_requests_malformed_total",
	    "Requests answered with a plain 4xx" },
	[METRIC_UNDELIVERED] = { "scepd_certificates_undelivered_total",
	    "Certificates signed, not reported to Intune, and revoked" },
	[METRIC_INTUNE_VALIDATE] = { "scepd_intune_validate_total", "validateRequest calls" },
	[METRIC_INTUNE_NOTIFY] = { "scepd_intune_notify_total", "successNotification calls" },
	[METRIC_INTUNE_ERRORS] = { "scepd_intune_errors_total",
	    "Calls to which Intune or Entra gave no verdict" },
	[METRIC_SID_REFUSED] = { "scepd_sid_refused_total",
	    "Requests with a SID that is not that of whom they are for, or gets no certificate" },
	[METRIC_NAMES_REFUSED] = { "scepd_names_refused_total",
	    "Requests with two UPNs, IntuneDeviceId:// URIs or SIDs that differ" },
	[METRIC_OTP_TAKEN] = { "scepd_otp_taken_total",
	    "One-time passwords that let a request in" },
	[METRIC_OTP_REFUSED] = { "scepd_otp_refused_total",
	    "Requests with a one-time password that is none, over, or for somebody else" },
	[METRIC_WEBHOOK_ASKED] = { "scepd_webhook_questions_total", "Questions to webhooks" },
	[METRIC_WEBHOOK_ERRORS] = { "scepd_webhook_errors_total",
	    "Questions to which a webhook gave no decision" },
	[METRIC_ADMIN] = { "scepd_admin_requests_total",
	    "Calls of the admin API and mscep_admin by somebody with a token" },
	[METRIC_ADMIN_DENIED] = { "scepd_admin_denied_total",
	    "Calls of the admin API and mscep_admin without a good token" },
	[METRIC_VERDICTS] = { "scepd_verdicts_total",
	    "Certificates that the verdict call was asked about" },
	[METRIC_VERDICTS_AGAINST] = { "scepd_verdicts_against_total",
	    "Of these, certificates that were not good" },
	[METRIC_OCSP] = { "scepd_ocsp_requests_total", "OCSP requests received" },
	[METRIC_OCSP_SIGNED] = { "scepd_ocsp_signed_total",
	    "OCSP answers signed; the other requests were answered from memory or refused" },
	[METRIC_OCSP_REFUSED] = { "scepd_ocsp_refused_total",
	    "OCSP requests answered with an error status" },
	[METRIC_OCSP_FOREIGN] = { "scepd_ocsp_foreign_signed_total",
	    "OCSP answers signed about certificates of foreign CAs" },
	[METRIC_QUEUE_REQUESTS] = { "scepd_queue_requests_total",
	    "Requests of Intune's revocation queue for certificates of this CA" },
	[METRIC_QUEUE_REVOKED] = { "scepd_queue_revoked_total",
	    "Certificates revoked because Intune wants it" },
	[METRIC_QUEUE_UNKNOWN] = { "scepd_queue_unknown_total",
	    "Requests of the queue for certificates that are not the tenant's, or none" },
	[METRIC_QUEUE_FOREIGN] = { "scepd_queue_foreign_total",
	    "Of these: for certificates of another tenant" },
	[METRIC_QUEUE_CONFLICTS] = { "scepd_queue_conflicts_total",
	    "Requests of the queue for certificates that were revoked already" },
	[METRIC_QUEUE_LATER] = { "scepd_queue_later_total",
	    "Requests of the queue that could not be done when they came" },
	[METRIC_QUEUE_ERRORS] = { "scepd_queue_errors_total",
	    "Polls of the queue that did not go well" },
	[METRIC_QUEUE_UPLOAD_ERRORS] = { "scepd_queue_upload_errors_total",
	    "Of these: results that Intune did not take" },
	[METRIC_FOREIGN_CRL_FAILURES] = { "scepd_foreign_crl_failures_total",
	    "Times that the list of a foreign CA could not be had, or not be believed" },
	[METRIC_FOREIGN_REVOKED] = { "scepd_foreign_revoked_total",
	    "Certificates that the list of a foreign CA revoked" },
	[METRIC_FOREIGN_HELD] = { "scepd_foreign_held_total",
	    "Certificates that the list of a foreign CA put on hold" },
	[METRIC_FOREIGN_RELEASED] = { "scepd_foreign_released_total",
	    "Certificates that are good again as their CA's list names them no more" },
	[METRIC_RULE_HELD] = { "scepd_rules_held_total",
	    "Certificates that rules about the directory put on hold" },
	[METRIC_RULE_REVOKED] = { "scepd_rules_revoked_total", "Certificates that rules revoked" },
	[METRIC_RULE_RELEASED] = { "scepd_rules_released_total",
	    "Certificates that are good again as rules let them go" },
	[METRIC_SWEEPS_STOPPED] = { "scepd_sweeps_stopped_total",
	    "Times that rules would have turned too many devices and users and were stopped" },
};

/* Upper bounds in microseconds: from a repeated request to the patience of a SCEP client (30 s). */
static const uint64_t bounds[] = { 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
	1000000, 2500000, 5000000, 10000000, 30000000 };
#define N_BOUNDS (sizeof(bounds) / sizeof(bounds[0]))

struct metrics {
	_Atomic uint64_t value[METRIC__MAX];
	_Atomic uint64_t bucket[N_BOUNDS + 1];
	_Atomic uint64_t sum_us;
};

enum rc
metrics_new(struct metrics **out, struct err *err)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return fail(err, RC_NOMEM, "metrics");
	*out = m;
	return RC_OK;
}

void
metrics_free(struct metrics *m)
{
	free(m);
}

void
metric_add(struct metrics *m, enum metric which, uint64_t n)
{
	atomic_fetch_add_explicit(&m->value[which], n, memory_order_relaxed);
}

uint64_t
metric_get(const struct metrics *m, enum metric which)
{
	return atomic_load_explicit(&m->value[which], memory_order_relaxed);
}

void
metric_time(struct metrics *m, uint64_t us)
{
	size_t i = 0;

	while (i < N_BOUNDS && us > bounds[i])
		i++;
	atomic_fetch_add_explicit(&m->bucket[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&m->sum_us, us, memory_order_relaxed);
}

static void
histogram_text(struct metrics *m, struct buf *out)
{
	const char *name = "scepd_pkioperation_seconds";
	uint64_t count = 0;

	buf_addf(out, "# HELP %s Time from a complete request to its answer\n# TYPE %s histogram\n",
	    name, name);
	for (size_t i = 0; i < N_BOUNDS; i++) {
		count += atomic_load_explicit(&m->bucket[i], memory_order_relaxed);
		buf_addf(out, "%s_bucket{le=\"%g\"} %llu\n", name, (double)bounds[i] / 1e6,
		    (unsigned long long)count);
	}
	count += atomic_load_explicit(&m->bucket[N_BOUNDS], memory_order_relaxed);
	buf_addf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.6f\n%s_count %llu\n", name,
	    (unsigned long long)count, name,
	    (double)atomic_load_explicit(&m->sum_us, memory_order_relaxed) / 1e6, name,
	    (unsigned long long)count);
}

void
metrics_text(struct metrics *m, struct buf *out)
{
	for (int i = 0; i < METRIC__MAX; i++)
		buf_addf(out, "# HELP %s %s\n# TYPE %s counter\n%s %llu\n", rows[i].name,
		    rows[i].help, rows[i].name, rows[i].name,
		    (unsigned long long)metric_get(m, (enum metric)i));
	histogram_text(m, out);
}

/* ---- the signer and the network ---- */

static void
plain_row(struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, type, name,
	    (unsigned long long)value);
}

static void
signatures_text(struct buf *out, const struct signer_stats *st)
{
	static const char name[] = "scepd_signer_signatures_total";
	const struct {
		const char *operation;
		uint64_t n;
	} kinds[] = { { "certificate", st->certs }, { "crl", st->crls },
		{ "certrep", st->certreps }, { "unwrap", st->unwraps }, { "ocsp", st->ocsps } };

	buf_addf(out,
	    "# HELP %s Private-key operations since the signer's start\n# TYPE %s counter\n", name,
	    name);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		buf_addf(out, "%s{operation=\"%s\"} %llu\n", name, kinds[i].operation,
		    (unsigned long long)kinds[i].n);
}

void
metrics_signer_text(struct signer *s, struct buf *out)
{
	struct signer_stats st = { 0 };
	struct err err;
	bool up = signer_stats(s, &st, &err) == RC_OK;

	plain_row(out, "scepd_signer_up", "gauge", "1 when the signer answers", up);
	if (!up)
		return;
	plain_row(out, "scepd_signer_restarts_total", "counter",
	    "How often the signer was started again", st.restarts);
	plain_row(out, "scepd_signer_denied_total", "counter",
	    "What the signer refused because a rule says no", st.denied);
	plain_row(out, "scepd_signer_limited_total", "counter",
	    "What the signer refused because of a rate", st.limited);
	plain_row(out, "scepd_signer_failed_total", "counter",
	    "Operations that the signer could not do", st.failed);
	signatures_text(out, &st);
}

/* Expired ones are among them: the database keeps these figures, and nothing counts by date. */
void
metrics_store_text(struct store *s, struct buf *out)
{
	static const char name[] = "scepd_certificates";
	struct store_figures st;
	struct err err;

	if (store_figures(s, &st, &err) != RC_OK)
		return;
	buf_addf(out, "# HELP %s Certificates that were issued, by status\n# TYPE %s gauge\n", name,
	    name);
	buf_addf(out,
	    "%s{status=\"good\"} %llu\n%s{status=\"hold\"} %llu\n%s{status=\"revoked\"} %llu\n",
	    name, (unsigned long long)(st.certs - st.held - st.revoked), name,
	    (unsigned long long)st.held, name, (unsigned long long)st.revoked);
}

void
metrics_http_text(struct http_server *s, struct buf *out)
{
	struct http_server_stats st;

	http_server_stats(s, &st);
	plain_row(out, "scepd_http_connections", "gauge", "Open connections", st.connections);
	plain_row(
	    out, "scepd_http_in_flight", "gauge", "Requests worked on or waiting", st.in_flight);
	plain_row(out, "scepd_http_addresses", "gauge",
	    "Addresses that are connected, or remembered for what they were refused", st.addresses);
	plain_row(out, "scepd_http_refused_total", "counter",
	    "Requests refused before they were looked at: malformed, late, or too many",
	    st.refused);
	plain_row(out, "scepd_http_over_total", "counter",
	    "Messages not worked on as their address was refused too often (429)", st.over);
	plain_row(out, "scepd_http_crowded_total", "counter",
	    "Connections closed because an address had its share of them", st.crowded);
}
