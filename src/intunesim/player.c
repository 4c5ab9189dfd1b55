/*
 * player.c - one visit of a device.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "http/server.h"
#include "intunesim/player_int.h"
#include "intunesim/sim.h"
#include "json/json.h"
#include "scep-client/enrol.h"

#define RETRIES  3    /* of a message that got no answer, as Windows does it */
#define RETRY_MS 1000 /* before each of them */
#define URL_MAX  512

/* One device on one visit. */
struct visit {
	struct sim *sim;
	struct player *player;
	struct played_device *device;
	struct managed_device *checkin;
	struct player_counts *counts;
};

/* ---- what the device tells Intune ---- */

/* POST without a socket.  *answer is initialised by the call, and the caller's in any case. */
static enum rc
tell(const struct visit *v, const char *verb, const json_t *body, int *status, struct buf *answer,
    struct err *err)
{
	static const struct http_header headers[] = { { "Content-Type", "application/json" } };
	struct http_reply reply = { .status = 200 };
	char path[URL_MAX];
	struct buf text;
	enum rc rc = RC_OK;

	buf_init(answer, HTTP_REPLY_MAX);
	buf_init(&reply.headers, LIMIT_JSON);
	buf_init(&text, LIMIT_JSON);
	(void)snprintf(path, sizeof(path), "/sim/devices/%s/%s", v->device->id, verb);
	if (body == NULL || (rc = json_add_text(&text, body, err)) == RC_OK) {
		const struct http_request req = { .method = "POST",
			.target = path,
			.path = path,
			.query = "",
			.body = text.data,
			.body_len = text.len,
			.headers = headers,
			.n_headers = 1,
			.peer = "player",
			.minor = 1 };

		reply.body = *answer;
		sim_handle(v->sim, &req, &reply);
		*answer = reply.body;
		*status = reply.status;
		/* Bad days of check-ins have no wire to happen on. */
		if (reply.trouble.end != HTTP_END_WHOLE)
			rc = fail(err, RC_IO, "%s: the simulator's answer broke off", verb);
	}
	buf_done(&reply.headers);
	buf_done(&text);
	return rc;
}

static enum rc
report(const struct visit *v, const char *verb, json_t *body, struct err *err)
{
	struct buf answer;
	int status = 0;
	enum rc rc;

	if (body == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	if ((rc = tell(v, verb, body, &status, &answer, err)) == RC_OK && status / 100 != 2)
		rc = fail(err, RC_IO, "report %s: the simulator answered %d", verb, status);
	buf_done(&answer);
	json_decref(body);
	return rc;
}

static enum rc
report_installed(
    const struct visit *v, const struct device_profile *p, const struct cert *c, struct err *err)
{
	struct buf b64;
	const uint8_t *der;
	json_t *body;
	size_t len;

	der = cert_der0(c, &len);
	buf_init(&b64, 2 * LIMIT_CERT);
	base64_add(&b64, der, len);
	body = json_pack("{s:s, s:s}", "profileId", p->id, "certificate", buf_str(&b64));
	buf_done(&b64);
	return report(v, "installed", body, err);
}

/* ---- one profile ---- */

static int64_t
calendar(const struct player *p)
{
	return clock_now() + atomic_load(&p->ahead);
}

static enum rc
take_key(struct key **out, struct player *player, unsigned bits, struct err *err)
{
	const struct player_options *o = &player->options;
	char spec[24];

	if (o->n_keys > 0) {
		*out = key_ref(o->keys[atomic_fetch_add(&player->next_key, 1) % o->n_keys]);
		return RC_OK;
	}
	(void)snprintf(spec, sizeof(spec), "rsa:%u", bits);
	return key_generate(out, spec, err);
}

static enum rc
ask_ca(struct enrol_result *out, const struct visit *v, const struct device_profile *p,
    struct key *key, struct err *err)
{
	const struct player_options *o = &v->player->options;
	const struct enrol_request req = {
		.csr = p->build, .key = key, .retries = RETRIES, .retry_delay_ms = RETRY_MS
	};
	uint64_t began = clock_mono_us();
	struct session *s = NULL;
	enum rc rc;

	if ((rc = device_session(&s, v->checkin, p, NULL, o->ca_file, err)) == RC_OK)
		rc = enrol(s, &req, out, err);
	session_free(s);
	if (rc == RC_OK && out->status == SCEP_SUCCESS && o->took != NULL)
		o->took(o->took_arg, clock_mono_us() - began);
	return rc;
}

/* The device has it: Intune hears of it, and the old one is gone. */
static enum rc
install(struct visit *v, const struct device_profile *p, struct key *key, struct enrol_result *r,
    struct err *err)
{
	struct cert *cert = r->cert;
	/* The CA lives in real time, whatever calendar the devices have. */
	int64_t ca_now = clock_now() - clock_offset(),
		at = keep_renew_at(cert, p->renewal_threshold, ca_now, calendar(v->player));
	enum rc rc;

	if ((rc = report_installed(v, p, cert, err)) != RC_OK)
		return rc;
	r->cert = NULL;
	return keep_put(v->device, p, key, cert, at, err);
}

/* Why it has no certificate, for Intune and for the counts. */
static void
give_up(struct visit *v, const struct device_profile *p, enum played how, const char *why)
{
	struct err ignored;
	json_t *body = json_pack("{s:s, s:s}", "profileId", p->id, "error", why);

	v->counts->by[how]++;
	if (v->counts->why[0] == '\0') {
		(void)snprintf(
		    v->counts->why, sizeof(v->counts->why), "%.100s: %.280s", p->name, why);
		/* A cut may have split a character, and JSON takes no half ones. */
		str_printable(v->counts->why);
	}
	/* A profile that was unassigned meanwhile has no row for it. */
	(void)(report(v, "failed", body, &ignored) == RC_OK);
}

static void
play_profile(struct visit *v, const struct device_profile *p)
{
	const struct held *held = keep_find(v->device, p->id);
	bool renewal = held != NULL;
	struct enrol_result r = { .status = SCEP_PENDING };
	struct key *key = NULL;
	struct err err;

	if (held != NULL && held->renew_at > calendar(v->player) &&
	    strcmp(held->revision, p->revision) == 0) {
		v->counts->kept++;
		return;
	}
	if (take_key(&key, v->player, p->key_bits, &err) != RC_OK ||
	    ask_ca(&r, v, p, key, &err) != RC_OK)
		give_up(v, p, PLAYED_FAILED, err.msg);
	else if (r.status != SCEP_SUCCESS)
		give_up(v, p, PLAYED_REFUSED,
		    r.fail_text[0] != '\0' ? r.fail_text : scep_pki_status_name(r.status));
	else if (install(v, p, key, &r, &err) != RC_OK)
		give_up(v, p, PLAYED_FAILED, err.msg);
	else
		v->counts->by[renewal ? PLAYED_RENEWED : PLAYED_ENROLLED]++;
	enrol_result_done(&r);
	key_free(key);
}

/* ---- the visit ---- */

/* What is assigned stays, also when it could not be filled this time. */
static void
mark_assigned(struct visit *v)
{
	const json_t *list = json_object_get(v->checkin->checkin, "notDelivered"), *item;
	struct held *h;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *id = json_get_str(item, "profileId");

		v->counts->not_delivered++;
		if (id != NULL && (h = keep_find(v->device, id)) != NULL)
			h->seen = true;
	}
	for (i = 0; i < v->checkin->n_profiles; i++) {
		if ((h = keep_find(v->device, v->checkin->profiles[i].id)) != NULL)
			h->seen = true;
	}
}

/* RC_NOTFOUND: Intune does not know the device (any more). */
static enum rc
check_in(struct visit *v, struct err *err)
{
	struct buf answer;
	int status = 0;
	enum rc rc;

	if ((v->checkin = calloc(1, sizeof(*v->checkin))) == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	rc = tell(v, "checkin", NULL, &status, &answer, err);
	if (rc == RC_OK && (status == 404 || status == 410))
		rc = fail(err, RC_NOTFOUND, "Intune does not know the device");
	else if (rc == RC_OK && status != 200)
		rc = fail(err, RC_IO, "check-in: the simulator answered %d", status);
	else if (rc == RC_OK)
		rc = device_parse(v->checkin, answer.data, answer.len, err);
	buf_wipe(&answer); /* challenges */
	return rc;
}

static enum rc
visit(struct visit *v, struct err *err)
{
	enum rc rc = check_in(v, err);

	if (rc == RC_NOTFOUND) {
		v->counts->gone = true;
		v->counts->removed = keep_sweep(v->device);
		return RC_OK;
	}
	if (rc != RC_OK)
		return rc;
	mark_assigned(v);
	v->counts->removed = keep_sweep(v->device);
	for (size_t i = 0; i < v->checkin->n_profiles; i++)
		play_profile(v, &v->checkin->profiles[i]);
	for (struct held *h = v->device->held; h != NULL; h = h->next)
		h->seen = false;
	return RC_OK;
}

enum rc
player_sync(struct sim *s, const char *id, struct player_counts *out, struct err *err)
{
	struct player_counts counts = { .gone = false };
	struct visit v = { .sim = s, .player = s->player, .counts = &counts };
	enum rc rc;

	if ((rc = keep_take(&v.device, v.player, id, err)) != RC_OK)
		return rc;
	rc = visit(&v, err);
	device_free(v.checkin);
	keep_release(v.player, v.device);
	if (rc == RC_OK)
		*out = counts;
	return rc;
}
