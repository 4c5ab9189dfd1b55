/*
 * foreign_list.c - scepctl foreign list: CAs of others, and what is known of their certificates.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/text.h"
#include "scepctl/listing.h"
#include "store/store_foreign.h"

struct options {
	const char *config;
	bool json;
};

static const struct opt opts[] = {
	OPT_CONFIG(options),
	OPT_FLAG_ROW("json", options, json, "a JSON array instead of text"),
	{ .name = NULL },
};

/* One CA; conf NULL: it has rows, and is in the configuration no more. */
struct known {
	const char *name;
	const struct conf_foreign *conf;
	uint64_t rows, bare;
	bool has_crl;
	struct store_foreign_crl crl;
	bool has_look;
	struct store_foreign_look look;
	struct cert *responder;
	struct err no_responder; /* why it cannot be read */
};

static enum rc
know(struct known *k, struct store *store, struct err *err)
{
	enum rc rc = store_foreign_count(store, k->name, &k->rows, &k->bare, err);

	if (rc == RC_OK) {
		rc = store_foreign_crl_get(store, k->name, &k->crl, err);
		k->has_crl = rc == RC_OK;
		rc = rc == RC_NOTFOUND ? RC_OK : rc;
	}
	if (rc == RC_OK) {
		rc = store_foreign_look_get(store, k->name, &k->look, err);
		k->has_look = rc == RC_OK;
		rc = rc == RC_NOTFOUND ? RC_OK : rc;
	}
	if (k->conf != NULL && k->conf->ocsp_certificate != NULL)
		(void)!cert_load(&k->responder, k->conf->ocsp_certificate, &k->no_responder);
	return rc;
}

/* ---- words ---- */

static void
crl_text(char *out, size_t size, const struct known *k, int64_t now)
{
	char from[CTL_TIME_MAX], to[CTL_TIME_MAX];

	if (!k->has_crl) {
		(void)snprintf(out, size, "%s",
		    k->conf == NULL || k->conf->crl == NULL ? "not read (crl is not set)"
							    : "none was read yet");
		return;
	}
	(void)snprintf(out, size, "number %s of %s, %" PRIu64 " entries, %s %s",
	    k->crl.number[0] != '\0' ? k->crl.number : "none", ctl_time(from, k->crl.this_update),
	    k->crl.entries,
	    k->crl.next_update == 0        ? "without an end"
		: k->crl.next_update < now ? "ended"
					   : "good until",
	    k->crl.next_update == 0 ? "" : ctl_time(to, k->crl.next_update));
}

/* When it was looked at last, and what became of that. */
static void
look_text(char *out, size_t size, const struct known *k)
{
	char tried[CTL_TIME_MAX], good[CTL_TIME_MAX];
	const struct store_foreign_look *l = &k->look;

	if (l->failure[0] == '\0')
		(void)snprintf(out, size, "%s, and it was good", ctl_time(tried, l->tried));
	else
		(void)snprintf(out, size, "%s, in vain, %s%s: %s", ctl_time(tried, l->tried),
		    l->good != 0 ? "the last good one was " : "and it was never good",
		    l->good != 0 ? ctl_time(good, l->good) : "", l->failure);
}

static void
responder_text(char *out, size_t size, const struct known *k, int64_t now)
{
	char when[CTL_TIME_MAX];

	if (k->responder != NULL)
		(void)snprintf(out, size, "%s %s",
		    cert_not_after(k->responder) < now ? "expired" : "good until",
		    ctl_time(when, cert_not_after(k->responder)));
	else if (k->conf != NULL && k->conf->ocsp_certificate != NULL)
		(void)snprintf(out, size, "cannot be read: %s", k->no_responder.msg);
	else
		(void)snprintf(out, size, "none: verdicts alone");
}

static void
print_text(const struct known *k, bool first, int64_t now)
{
	char text[ERR_MSG_MAX + 128];

	if (!first)
		(void)printf("\n");
	ctl_line(stdout, "Foreign CA", k->name);
	if (k->conf == NULL)
		ctl_line(stdout, "", "not in scepd.yaml any more: nothing is answered for it");
	(void)snprintf(text, sizeof(text),
	    "%" PRIu64 ", of which %" PRIu64 " by serial number alone", k->rows, k->bare);
	ctl_line(stdout, "Certificates", text);
	crl_text(text, sizeof(text), k, now);
	ctl_line(stdout, "Its list", text);
	if (k->conf == NULL)
		return;
	ctl_line(stdout, "From", k->conf->crl);
	if (k->conf->crl != NULL && k->has_look) {
		look_text(text, sizeof(text), k);
		ctl_line(stdout, "Looked at", text);
	}
	ctl_line(stdout, "Directory", k->conf->tenant != NULL ? k->conf->tenant : "none is asked");
	responder_text(text, sizeof(text), k, now);
	ctl_line(stdout, "Responder", text);
}

/* ---- JSON ---- */

static json_t *
crl_json(const struct known *k)
{
	json_t *o;

	if (!k->has_crl)
		return json_null();
	if ((o = json_object()) != NULL &&
	    ctl_json_str(o, "number", k->crl.number[0] != '\0' ? k->crl.number : NULL) &&
	    ctl_json_time(o, "thisUpdate", k->crl.this_update) &&
	    ctl_json_time(o, "nextUpdate", k->crl.next_update) &&
	    ctl_json_int(o, "entries", (int64_t)k->crl.entries) &&
	    ctl_json_time(o, "read", k->crl.taken))
		return o;
	json_decref(o);
	return NULL;
}

static json_t *
look_json(const struct known *k)
{
	json_t *o;

	if (!k->has_look)
		return json_null();
	if ((o = json_object()) != NULL && ctl_json_time(o, "tried", k->look.tried) &&
	    ctl_json_time(o, "good", k->look.good) &&
	    ctl_json_str(o, "failure", k->look.failure[0] != '\0' ? k->look.failure : NULL))
		return o;
	json_decref(o);
	return NULL;
}

static json_t *
known_json(const struct known *k)
{
	json_t *o = json_object();

	if (o != NULL && ctl_json_str(o, "name", k->name) &&
	    json_object_set_new(o, "configured", json_boolean(k->conf != NULL)) == 0 &&
	    ctl_json_int(o, "certificates", (int64_t)k->rows) &&
	    ctl_json_int(o, "serialsAlone", (int64_t)k->bare) &&
	    ctl_json_str(o, "tenant", k->conf != NULL ? k->conf->tenant : NULL) &&
	    ctl_json_str(o, "crl", k->conf != NULL ? k->conf->crl : NULL) &&
	    json_object_set_new(o, "lastCrl", crl_json(k)) == 0 &&
	    json_object_set_new(o, "lastLook", look_json(k)) == 0 &&
	    ctl_json_time(
		o, "responderNotAfter", k->responder != NULL ? cert_not_after(k->responder) : 0))
		return o;
	json_decref(o);
	return NULL;
}

/* ---- all ---- */

struct all {
	const struct config *c;
	struct store *store;
	struct err *err;
	struct listing rows;
	enum rc rc;
};

static enum rc
tell(struct all *l, const char *name, const struct conf_foreign *conf)
{
	struct known k = { .name = name, .conf = conf };
	enum rc rc = know(&k, l->store, l->err);

	if (rc == RC_OK && l->rows.json) {
		(void)listing_item(&l->rows, 0, known_json(&k));
	} else if (rc == RC_OK) {
		print_text(&k, l->rows.n == 0, clock_now());
		(void)listing_printed(&l->rows, 0);
	}
	cert_free(k.responder);
	return listing_end(&l->rows, rc, l->err);
}

static int
tell_forgotten(void *arg, const char *name)
{
	struct all *l = arg;

	if (config_foreign(l->c, name) == NULL)
		l->rc = tell(l, name, NULL);
	return l->rc != RC_OK;
}

static enum rc
list(struct all *l)
{
	const struct conf_foreign *v = l->c->foreign_cas.v;
	enum rc rc;

	for (size_t i = 0; l->rc == RC_OK && i < l->c->foreign_cas.n; i++)
		l->rc = tell(l, v[i].name, &v[i]);
	if (l->rc != RC_OK)
		return l->rc;
	rc = store_foreign_cas(l->store, tell_forgotten, l, l->err);
	return rc != RC_OK ? rc : l->rc;
}

static int
run(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	struct config *c = NULL;
	struct store *store = NULL;
	struct err err = { 0 };
	struct all l = { .err = &err, .rows.json = o->json };
	enum rc rc = ctl_open(&c, &store, o->config, &err);

	l.c = c;
	l.store = store;
	if (rc == RC_OK)
		rc = list(&l);
	store_close(store);
	config_free(c);
	if (rc != RC_OK)
		return err_report(PROG, &err);
	listing_close(&l.rows, "no foreign CAs\n");
	return EX_OK;
}

const struct command foreign_list = {
	.name = "list",
	.args = "",
	.help = "foreign CAs: their certificates, their list, the responder",
	.about = "Example:\n  scepctl foreign list --json\n",
	.opts = opts,
	.size = sizeof(struct options),
	.run = run,
};
