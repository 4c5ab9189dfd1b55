/*
 * rollover_status.c - scepctl ca rollover status: per pair of CAs where each endpoint stands, how
 * many devices have moved, and what to do next.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/text.h"
#include "scepctl/ctl.h"
#include "scepctl/rollover.h"

const char *
grouped(char out[static GROUPED_MAX], uint64_t n)
{
	char digits[GROUPED_MAX];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n), at = 0;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}

/* An old CA and its next. */
struct pair {
	const struct succession *s;
	const struct counts *c;
	const struct conf_ca *from, *to;
};

/* How an endpoint stands to a pair: not at all, or with this share. */
static bool
share_in(const struct pair *p, const struct conf_endpoint *e, unsigned *share, bool *configured)
{
	const struct conf_ca *at = current_of(p->s, e), *ca = config_ca(p->s->config, e->ca);

	*configured = ca == p->to;
	*share = at == p->from ? share_between(p->s, e->name, p->from->name, p->to->name) : 100;
	for (; ca != NULL; ca = next_of(p->s->config, ca->name))
		if (ca == p->from)
			return at == p->from || *share == 100;
	return *configured;
}

/* Of the endpoints that scepd.yaml has not given to the next CA anyway. */
struct progress {
	size_t endpoints, at_none, at_all; /* with share 0, with 100 */
	const char *one;                   /* name of one that is not at 100 */
};

static void
progress_of(const struct pair *p, struct progress *out)
{
	const struct conf_endpoint *e = p->s->config->endpoints.v;
	unsigned share;
	bool configured;

	*out = (struct progress){ 0 };
	for (size_t i = 0; i < p->s->config->endpoints.n; i++) {
		if (!share_in(p, &e[i], &share, &configured) || configured)
			continue;
		out->endpoints++;
		out->at_none += share == 0;
		out->at_all += share == 100;
		if (share < 100 && out->one == NULL)
			out->one = e[i].name;
	}
}

/* One sentence. */
static enum rc
next_step(char **out, const struct pair *p, struct err *err)
{
	const struct ca_count *old = counts_ca(p->c, p->from);
	char n[GROUPED_MAX], when[CTL_TIME_MAX];
	struct progress g;

	progress_of(p, &g);
	if (!p->from->issues && old->valid == 0)
		return str_format(out, err,
		    "no valid certificate of %s is left: take it out of scepd.yaml, with the line "
		    "'replaces: %s', when nobody asks for its CRL any more",
		    p->from->name, p->from->name);
	if (!p->from->issues)
		return str_format(out, err,
		    "leave %s in scepd.yaml, for its CRL and OCSP, until its last certificate has "
		    "expired: %s",
		    p->from->name, ctl_time(when, old->last));
	if (ca_is_retired_in_store(p->s, p->from->name))
		return str_format(out, err,
		    "add 'issues: false' to cas.%s in scepd.yaml and restart scepd, so that its "
		    "signer refuses as well",
		    p->from->name);
	if (g.at_all < g.endpoints && ca_is_retired(p->s, p->to))
		return str_format(out, err,
		    "%s issues nothing any more: give another CA of scepd.yaml the line "
		    "'replaces: %s' in its place",
		    p->to->name, p->from->name);
	if (g.endpoints > 0 && g.at_none == g.endpoints)
		return str_format(out, err,
		    "make sure that devices and whoever verifies them (Wi-Fi, VPN) trust %s "
		    "('" PROG " ca show --intune'), then '" PROG " ca rollover move %s --share 5'",
		    p->to->name, g.one);
	if (g.at_all < g.endpoints)
		return str_format(out, err,
		    "when what was moved works, go on: '" PROG
		    " ca rollover move %s --share N'; if it does not: '" PROG
		    " ca rollover back %s'",
		    g.one, g.one);
	if (old->valid > 0)
		return str_format(out, err,
		    "wait: %s certificates of %s are still in use and move when their devices "
		    "renew; the last ends %s",
		    grouped(n, old->valid), p->from->name, ctl_time(when, old->last));
	return str_format(out, err, "'" PROG " ca rollover retire %s'", p->from->name);
}

/* ---- text ---- */

static void
print_ca(const struct pair *p, const struct conf_ca *ca)
{
	const struct ca_count *count = counts_ca(p->c, ca);
	char n[GROUPED_MAX], last[CTL_TIME_MAX];

	(void)printf("  %-20s %s valid certificates", ca->name, grouped(n, count->valid));
	if (count->valid > 0)
		(void)printf(", the last until %s", ctl_time(last, count->last));
	if (!ca->issues)
		(void)printf("; retired (issues: false)");
	else if (ca_is_retired_in_store(p->s, ca->name))
		(void)printf("; retired");
	(void)printf("\n");
}

static void
print_endpoint(const struct pair *p, const struct conf_endpoint *e)
{
	char a[GROUPED_MAX], b[GROUPED_MAX];
	uint64_t all, moved;
	unsigned share;
	bool configured;

	if (!share_in(p, e, &share, &configured))
		return;
	counts_devices(p->c, e, p->from, p->to, &all, &moved);
	(void)printf("  endpoint %-20s share %3u %%   %s of %s devices moved%s\n", e->name, share,
	    grouped(a, moved), grouped(b, all), configured ? "   (by scepd.yaml)" : "");
}

static enum rc
print_pair(const struct pair *p, struct err *err)
{
	const struct conf_endpoint *e = p->s->config->endpoints.v;
	char *next = NULL;
	enum rc rc = next_step(&next, p, err);

	if (rc != RC_OK)
		return rc;
	(void)printf("%s -> %s\n", p->from->name, p->to->name);
	print_ca(p, p->from);
	print_ca(p, p->to);
	for (size_t i = 0; i < p->s->config->endpoints.n; i++)
		print_endpoint(p, &e[i]);
	(void)printf("  next: %s\n\n", next);
	free(next);
	return RC_OK;
}

/* ---- JSON ---- */

static bool
append(json_t *list, json_t *o, bool ok)
{
	if (ok)
		return json_array_append_new(list, o) == 0;
	json_decref(o);
	return false;
}

static bool
add_endpoint(json_t *list, const struct pair *p, const struct conf_endpoint *e)
{
	uint64_t all, moved;
	unsigned share;
	bool configured;
	json_t *o;

	if (!share_in(p, e, &share, &configured))
		return true;
	counts_devices(p->c, e, p->from, p->to, &all, &moved);
	o = json_object();
	return append(list, o,
	    o != NULL && ctl_json_str(o, "name", e->name) && ctl_json_int(o, "share", share) &&
		ctl_json_int(o, "devices", (int64_t)all) &&
		ctl_json_int(o, "moved", (int64_t)moved) &&
		json_object_set_new(o, "configured", json_boolean(configured)) == 0);
}

static bool
add_ca(json_t *pair, const char *key, const struct pair *p, const struct conf_ca *ca)
{
	const struct ca_count *count = counts_ca(p->c, ca);
	json_t *o = json_object();

	if (o == NULL || !ctl_json_str(o, "name", ca->name) ||
	    !ctl_json_int(o, "validCertificates", (int64_t)count->valid) ||
	    !ctl_json_time(o, "lastNotAfter", count->last) ||
	    json_object_set_new(o, "retired", json_boolean(ca_is_retired(p->s, ca))) != 0 ||
	    json_object_set_new(o, "issues", json_boolean(ca->issues)) != 0) {
		json_decref(o);
		return false;
	}
	return json_object_set_new(pair, key, o) == 0;
}

static enum rc
add_pair(json_t *list, const struct pair *p, bool *built, struct err *err)
{
	const struct conf_endpoint *e = p->s->config->endpoints.v;
	json_t *o = json_object(), *endpoints = json_array();
	char *next = NULL;
	enum rc rc = next_step(&next, p, err);
	bool ok = rc == RC_OK && o != NULL && endpoints != NULL;

	for (size_t i = 0; ok && i < p->s->config->endpoints.n; i++)
		ok = add_endpoint(endpoints, p, &e[i]);
	ok = ok && add_ca(o, "from", p, p->from) && add_ca(o, "to", p, p->to) &&
	    ctl_json_str(o, "next", next);
	if (!ok) {
		json_decref(endpoints);
	} else {
		ok = json_object_set_new(o, "endpoints", endpoints) == 0;
	}
	*built = append(list, o, ok) && *built;
	free(next);
	return rc;
}

int
rollover_status(const struct succession *s, const struct counts *c, bool json)
{
	const struct conf_ca *ca = s->config->cas.v;
	json_t *list = json ? json_array() : NULL;
	bool built = !json || list != NULL;
	struct err err = { 0 };
	enum rc rc = RC_OK;
	size_t n = 0;

	for (size_t i = 0; rc == RC_OK && built && i < s->config->cas.n; i++) {
		struct pair p = { s, c, NULL, &ca[i] };

		if (ca[i].replaces == NULL ||
		    (p.from = config_ca(s->config, ca[i].replaces)) == NULL)
			continue;
		n++;
		rc = json ? add_pair(list, &p, &built, &err) : print_pair(&p, &err);
	}
	if (rc != RC_OK) {
		json_decref(list);
		return err_report(PROG, &err);
	}
	if (json)
		return ctl_json_print(list, built);
	if (n == 0)
		(void)printf(
		    "no CA replaces another: declare the next one under cas in scepd.yaml, with "
		    "'replaces: OLD'\n");
	return EX_OK;
}
