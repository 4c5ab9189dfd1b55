/*
 * report.c - the deployment report, as JSON and as a table for people.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/services.h"

#define STATUS_TEXT_MAX (REPORT_TEXT_MAX + 64)

/* Everything a report is made of. */
struct report {
	struct deployment *deployments;
	size_t n_deployments;
	struct certificate *certificates;
	size_t n_certificates;
	struct state_counts counts;
};

static enum rc
report_take(struct report *r, struct state *s, struct err *err)
{
	enum rc rc;

	*r = (struct report){ 0 };
	state_counts(s, &r->counts);
	if ((rc = state_deployments(s, &r->deployments, &r->n_deployments, err)) != RC_OK)
		return rc;
	return state_certificates(s, &r->certificates, &r->n_certificates, err);
}

static void
report_done(struct report *r)
{
	free(r->deployments);
	free(r->certificates);
}

/* "installed", "refused: SubjectNameMismatch", "failed: the device has no IMEI" */
static void
status_text(char out[static STATUS_TEXT_MAX], const struct deployment *d)
{
	snprintf(out, STATUS_TEXT_MAX, "%s%s%s", deployment_status_name(d->status),
	    d->detail[0] != '\0' ? ": " : "", d->detail);
}

/* ---- JSON ---- */

static json_t *
deployment_json(const struct deployment *d)
{
	char status[STATUS_TEXT_MAX];

	status_text(status, d);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:b, s:s, s:o, s:o, s:i, s:i, s:o}",
	    "tenant", d->of.tenant, "profile", d->of.profile, "profileId", d->of.profile_id,
	    "device", d->of.device, "deviceId", d->of.device_id, "platform",
	    platform_name(d->of.platform), "user", json_text_or_null(d->of.user), "targeted",
	    d->targeted, "status", status, "changed", json_time_or_null(d->changed), "thumbprint",
	    json_text_or_null(d->thumbprint), "challenges", (int)d->challenges, "refusals",
	    (int)d->refusals, "lastError", json_text_or_null(d->last_error));
}

static json_t *
certificate_json(const struct certificate *c)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:s, s:o}",
	    "tenant", c->of.tenant, "device", c->of.device, "deviceId", c->of.device_id, "profile",
	    c->of.profile, "thumbprint", c->thumbprint, "serialNumber", c->serial, "subject",
	    c->subject, "expires", c->expires, "issuer", c->issuer, "caConfiguration",
	    json_text_or_null(c->ca_configuration), "certificateAuthority",
	    json_text_or_null(c->certificate_authority), "transactionId", c->transaction_id,
	    "callerInfo", c->caller, "issued", json_time_or_null(c->issued));
}

static json_t *
summary_json(const struct state_counts *n)
{
	json_t *o = json_object();

	for (int i = 0; i < DEPLOYMENT__MAX; i++)
		json_object_set_new(o, deployment_status_name((enum deployment_status)i),
		    json_integer(n->by_status[i]));
	json_object_set_new(o, "certificates", json_integer((json_int_t)n->certificates));
	json_object_set_new(o, "validateRequestSuccess", json_integer((json_int_t)n->validated));
	json_object_set_new(o, "validateRequestRefused", json_integer((json_int_t)n->refused));
	json_object_set_new(o, "refusedWithoutDevice", json_integer((json_int_t)n->unattributed));
	json_object_set_new(o, "successNotifications", json_integer((json_int_t)n->reported));
	return o;
}

static json_t *
report_to_json(const struct report *r)
{
	json_t *deployments = json_array(), *certificates = json_array();

	for (size_t i = 0; i < r->n_deployments; i++)
		json_array_append_new(deployments, deployment_json(&r->deployments[i]));
	for (size_t i = 0; i < r->n_certificates; i++)
		json_array_append_new(certificates, certificate_json(&r->certificates[i]));
	return json_pack("{s:o, s:o, s:o, s:o}", "generated", json_time_or_null(clock_now()),
	    "deployments", deployments, "certificates", certificates, "summary",
	    summary_json(&r->counts));
}

void
report_json(struct call *c)
{
	struct report r;
	struct err err;

	if (report_take(&r, c->sim->state, &err) == RC_OK)
		call_json(c, 200, report_to_json(&r));
	else
		call_broken(c, &err);
	report_done(&r);
}

/* ---- text ---- */

#define COLUMNS_MAX 7
#define CELL_MAX    64 /* characters; a longer text is cut with "..." */

/* Rows of cells, each cell a string that outlives the printing. */
struct grid {
	const char *head[COLUMNS_MAX];
	size_t n_columns;
	size_t width[COLUMNS_MAX];
};

/* Characters, as far as a terminal is concerned (wide ones count as one). */
static size_t
text_width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n < CELL_MAX ? n : CELL_MAX;
}

static void
grid_measure(struct grid *g, const char *const *cells)
{
	for (size_t i = 0; i < g->n_columns; i++) {
		size_t w = text_width(cells[i]);

		if (w > g->width[i])
			g->width[i] = w;
	}
}

/* Add at most CELL_MAX characters; returns how many. */
static size_t
add_cell(struct buf *b, const char *s)
{
	size_t n = 0, full = 0;
	const char *p;

	for (p = s; *p != '\0'; p++)
		full += ((unsigned char)*p & 0xc0) != 0x80;
	for (p = s; *p != '\0' && (n < CELL_MAX - 3 || full <= CELL_MAX);) {
		buf_addc(b, *p++);
		while (((unsigned char)*p & 0xc0) == 0x80)
			buf_addc(b, *p++);
		n++;
	}
	if (full > CELL_MAX)
		buf_adds(b, "...");
	return full > CELL_MAX ? n + 3 : n;
}

static void
grid_row(struct buf *b, const struct grid *g, const char *const *cells)
{
	buf_adds(b, "  ");
	for (size_t i = 0; i < g->n_columns; i++) {
		size_t n = add_cell(b, cells[i]);

		/* No trailing blanks. */
		if (i + 1 < g->n_columns)
			buf_addf(b, "%*s", (int)(g->width[i] - n + 2), "");
	}
	buf_addc(b, '\n');
}

static void
grid_rule(struct buf *b, const struct grid *g)
{
	buf_adds(b, "  ");
	for (size_t i = 0; i < g->n_columns; i++) {
		for (size_t n = 0; n < g->width[i]; n++)
			buf_addc(b, '-');
		buf_adds(b, i + 1 < g->n_columns ? "  " : "\n");
	}
}

/* One line of the deployment table. */
struct deployment_cells {
	char status[STATUS_TEXT_MAX], when[TIME_TEXT_MAX];
	const char *v[COLUMNS_MAX];
};

static void
short_time(char out[static TIME_TEXT_MAX], int64_t t)
{
	if (t == 0) {
		snprintf(out, TIME_TEXT_MAX, "-");
		return;
	}
	time_rfc3339(out, t);
	out[10] = ' ';
	out[strcspn(out, "Z")] = '\0';
}

static void
deployment_cells(struct deployment_cells *c, const struct deployment *d)
{
	status_text(c->status, d);
	if (!d->targeted)
		snprintf(c->status + strlen(c->status), sizeof(c->status) - strlen(c->status),
		    ", no longer assigned");
	short_time(c->when, d->changed);
	c->v[0] = d->of.device;
	c->v[1] = platform_name(d->of.platform);
	c->v[2] = d->of.user[0] != '\0' ? d->of.user : "-";
	c->v[3] = d->of.profile;
	c->v[4] = c->status;
	c->v[5] = c->when;
}

static void
deployment_table(struct buf *b, const struct report *r)
{
	struct grid g = { .head = { "DEVICE", "PLATFORM", "USER", "PROFILE", "STATUS",
			      "SINCE (UTC)" },
		.n_columns = 6 };
	struct deployment_cells c;

	grid_measure(&g, g.head);
	for (size_t i = 0; i < r->n_deployments; i++) {
		deployment_cells(&c, &r->deployments[i]);
		grid_measure(&g, c.v);
	}
	buf_adds(b, "Deployment status\n\n");
	grid_row(b, &g, g.head);
	grid_rule(b, &g);
	for (size_t i = 0; i < r->n_deployments; i++) {
		const struct deployment *d = &r->deployments[i];

		deployment_cells(&c, d);
		grid_row(b, &g, c.v);
		if (d->last_error[0] != '\0' && strcmp(d->last_error, d->detail) != 0)
			buf_addf(b, "      last refusal or failure: %s\n", d->last_error);
	}
}

#define CERTIFICATES_SHOWN 50

/* The CA's time as far as the day; what it sent, if that is no time. */
static void
certificate_cells(
    const char *v[static COLUMNS_MAX], char day[static 11], const struct certificate *c)
{
	snprintf(day, 11, "%.10s", c->expires);
	v[0] = c->of.device;
	v[1] = day;
	v[2] = c->serial;
	v[3] = c->thumbprint;
}

static void
certificate_row(struct buf *b, const struct grid *g, const struct certificate *c)
{
	const char *v[COLUMNS_MAX];
	char day[11];

	certificate_cells(v, day, c);
	grid_row(b, g, v);
	buf_addf(b, "      %s, by %s\n", c->subject[0] != '\0' ? c->subject : "(empty subject)",
	    c->issuer);
}

static void
certificate_table(struct buf *b, const struct report *r)
{
	struct grid g = { .head = { "DEVICE", "UNTIL", "SERIAL", "THUMBPRINT" }, .n_columns = 4 };
	size_t first = 0;
	const char *v[COLUMNS_MAX];
	char day[11];

	if (r->n_certificates == 0)
		return;
	if (r->n_certificates > CERTIFICATES_SHOWN)
		first = r->n_certificates - CERTIFICATES_SHOWN;
	grid_measure(&g, g.head);
	for (size_t i = first; i < r->n_certificates; i++) {
		certificate_cells(v, day, &r->certificates[i]);
		grid_measure(&g, v);
	}
	buf_addf(b, "\nCertificates reported%s\n\n",
	    first > 0 ? ", the newest 50 (all: /sim/report)" : "");
	grid_row(b, &g, g.head);
	grid_rule(b, &g);
	for (size_t i = first; i < r->n_certificates; i++)
		certificate_row(b, &g, &r->certificates[i]);
}

/* "4 installed, 1 refused"; what there is none of is not said. */
static void
summary_line(struct buf *b, const struct state_counts *n)
{
	const char *sep = "";

	for (int i = 0; i < DEPLOYMENT__MAX; i++) {
		if (n->by_status[i] == 0)
			continue;
		buf_addf(b, "%s%u %s", sep, n->by_status[i],
		    deployment_status_name((enum deployment_status)i));
		sep = ", ";
	}
	buf_addf(b, "%s%llu validated and %llu refused by validateRequest, %llu reported issued\n",
	    sep[0] != '\0' ? "; " : "", (unsigned long long)n->validated,
	    (unsigned long long)n->refused, (unsigned long long)n->reported);
	if (n->unattributed > 0)
		buf_addf(b, "%llu refusals could not be attributed to a device\n",
		    (unsigned long long)n->unattributed);
}

void
report_text(struct call *c)
{
	struct buf *b = &c->reply->body;
	struct report r;
	struct err err;

	if (report_take(&r, c->sim->state, &err) != RC_OK) {
		call_broken(c, &err);
	} else {
		deployment_table(b, &r);
		certificate_table(b, &r);
		buf_adds(b, "\n");
		summary_line(b, &r.counts);
		c->reply->status = 200;
		c->reply->content_type = "text/plain; charset=utf-8";
	}
	report_done(&r);
}

void
report_requests(struct call *c)
{
	json_t *list = requests_json(c->sim->requests);

	if (list == NULL)
		call_json(c, 500, NULL);
	else
		call_json(c, 200, json_pack("{s:o}", "requests", list));
}
