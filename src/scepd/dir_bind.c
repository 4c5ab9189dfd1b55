/* dir_bind.c - see dir_bind.h. */
#include "scepd/dir_bind.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/binding.h"

/* ---- what libintune says, as rows ---- */

static const enum dir_presence presences[] = {
	[INTUNE_PRESENCE_UNKNOWN] = DIR_UNKNOWN,
	[INTUNE_PRESENCE_FOUND] = DIR_FOUND,
	[INTUNE_PRESENCE_NOT_LISTED] = DIR_NOT_LISTED,
	[INTUNE_PRESENCE_DELETED] = DIR_DELETED,
	[INTUNE_PRESENCE_GONE] = DIR_GONE,
};

/* Names are what users typed: cut where they do not fit, and fit for a terminal. */
static void
copy_text(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (; text[n] != '\0' && n + 1 < size; n++)
		out[n] = (unsigned char)text[n] < 0x20 || text[n] == 0x7f ? ' ' : text[n];
	/* Not in the middle of a character. */
	while (n > 0 && text[n] != '\0' && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	out[n] = '\0';
}

static void
copy_id(char out[static GUID_SIZE], const char *id)
{
	if (!guid_take(out, id))
		out[0] = '\0';
}

static void
begin(struct store_object *out, enum dir_kind kind, const char *tenant, const char *id,
    enum intune_presence presence, int64_t now)
{
	*out = (struct store_object){ .kind = kind,
		.presence = presences[presence],
		.enabled = DIR_UNSAID,
		.compliant = DIR_UNSAID,
		.known = now };
	copy_text(out->tenant, sizeof(out->tenant), tenant);
	copy_id(out->id, id);
}

void
dir_object_of_user(
    struct store_object *out, const char *tenant, const struct intune_user *u, int64_t now)
{
	begin(out, DIR_USER, tenant, u->id, u->presence, now);
	out->enabled = (enum dir_said)u->account_enabled;
	copy_text(out->name, sizeof(out->name), u->user_principal_name);
}

void
dir_object_of_device(
    struct store_object *out, const char *tenant, const struct intune_device *d, int64_t now)
{
	begin(out, DIR_DEVICE, tenant, d->id, d->presence, now);
	out->enabled = (enum dir_said)d->account_enabled;
	out->compliant = (enum dir_said)d->is_compliant;
	copy_text(out->name, sizeof(out->name), d->display_name);
	copy_text(out->platform, sizeof(out->platform), d->operating_system);
	out->last_seen = d->last_sign_in;
	out->enrolled = d->registered;
}

/* Intune's words for compliance; what they do not decide stays untold. */
static enum dir_said
compliant(const char *state)
{
	static const struct {
		const char *word;
		enum dir_said is;
	} words[] = {
		{ "compliant", DIR_YES },
		{ "inGracePeriod", DIR_YES }, /* Intune itself waits */
		{ "noncompliant", DIR_NO },
		{ "conflict", DIR_NO },
		{ "error", DIR_NO },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, state) == 0)
			return words[i].is;
	return DIR_UNSAID;
}

void
dir_object_of_managed(struct store_object *out, const char *tenant,
    const struct intune_managed_device *m, int64_t now)
{
	begin(out, DIR_MANAGED, tenant, m->id, m->presence, now);
	out->compliant = compliant(m->compliance_state);
	copy_text(out->compliance, sizeof(out->compliance), m->compliance_state);
	copy_text(out->management, sizeof(out->management), m->management_state);
	copy_text(out->name, sizeof(out->name), m->device_name);
	copy_text(out->platform, sizeof(out->platform), m->operating_system);
	copy_text(out->owner, sizeof(out->owner), m->owner_type);
	out->enrolled = m->enrolled;
	out->last_seen = m->last_sync;
}

enum rc
dir_error(struct err *err, const struct intune_error *e)
{
	(void)fail(err, e->status == INTUNE_E_NOMEM ? RC_NOMEM : RC_IO, "%s", e->message);
	return e->hint[0] != '\0' ? err_hint(err, "%s", e->hint) : RC_IO;
}

/* ---- whom the names belong to ---- */

/* Within a minute of the issue "gone" may be "not yet": the service's copies need time to agree. */
#define GONE_TRIES 3

struct asking {
	struct intune_client *c;
	struct store_binding *b;
	struct dir_found *found;
	int64_t now;
	struct intune_error *err;
	bool device, managed; /* the binding's are ids, and no hints any more */
};

static struct store_object *
next_object(struct asking *a)
{
	return &a->found->v[a->found->n++];
}

static void
took_managed(struct asking *a, const struct intune_managed_device *m)
{
	struct store_binding *b = a->b;

	a->managed = true;
	copy_id(b->managed, m->id);
	if (m->entra_device_id[0] != '\0')
		copy_id(b->device, m->entra_device_id);
	copy_text(b->serial_number, sizeof(b->serial_number), m->serial_number);
	copy_text(b->platform, sizeof(b->platform), m->operating_system);
	copy_text(b->owner, sizeof(b->owner), m->owner_type);
	b->enrolled = m->enrolled;
	dir_object_of_managed(next_object(a), b->tenant, m, a->now);
}

/* It was asked for by its id, and Graph itself says that there is none. */
static void
took_gone(struct asking *a, struct intune_managed_device *m)
{
	a->managed = true;
	memcpy(m->id, a->b->managed, sizeof(a->b->managed));
	dir_object_of_managed(next_object(a), a->b->tenant, m, a->now);
}

/* `either`: the id may be Entra's as well, so that Intune's "gone" proves nothing. */
static enum intune_status
ask_managed(struct asking *a, bool either)
{
	struct intune_managed_device m;
	enum intune_status st;

	if (a->b->managed[0] == '\0')
		return INTUNE_OK;
	st = intune_find_managed_device(a->c, a->b->managed, &m, a->err);
	if (st != INTUNE_OK)
		return st;
	if (m.presence == INTUNE_PRESENCE_FOUND) {
		if (either)
			a->b->device[0] = '\0';
		took_managed(a, &m);
	} else if (m.presence == INTUNE_PRESENCE_GONE && !either && a->b->tries >= GONE_TRIES) {
		took_gone(a, &m);
	}
	return st;
}

/* A managed device that is not registered with Entra says so with an id of zeros. */
static bool
is_nobody(const char *guid)
{
	return guid[0] == '\0' || strspn(guid, "0-") == strlen(guid);
}

static enum intune_status
ask_managed_of(struct asking *a)
{
	struct intune_managed_device m;
	enum intune_status st = intune_find_managed_device_by(
	    a->c, INTUNE_BY_ENTRA_DEVICE_ID, a->b->device, &m, a->err);

	if (st == INTUNE_OK && m.presence == INTUNE_PRESENCE_FOUND)
		took_managed(a, &m);
	return st;
}

static enum intune_status
ask_device(struct asking *a, bool either)
{
	struct intune_device d;
	enum intune_status st;

	if (is_nobody(a->b->device))
		return INTUNE_OK;
	st = intune_find_device(a->c, a->b->device, &d, a->err);
	if (st != INTUNE_OK || d.presence != INTUNE_PRESENCE_FOUND)
		return st;
	a->device = true;
	if (either) /* it was Entra's id */
		a->b->managed[0] = '\0';
	copy_id(a->b->device_object, d.id);
	copy_text(a->found->device_sid, sizeof(a->found->device_sid), d.on_premises_sid);
	if (a->b->platform[0] == '\0')
		copy_text(a->b->platform, sizeof(a->b->platform), d.operating_system);
	dir_object_of_device(next_object(a), a->b->tenant, &d, a->now);
	return a->managed ? st : ask_managed_of(a);
}

/* By neither id, and one whose maker gave it a number of its own: what the ids said is nobody's. */
static enum intune_status
ask_serial_number(struct asking *a)
{
	struct intune_managed_device m;
	enum intune_status st;

	if (a->device || a->managed || a->b->serial_number[0] == '\0')
		return INTUNE_OK;
	st = intune_find_managed_device_by(
	    a->c, INTUNE_BY_SERIAL_NUMBER, a->b->serial_number, &m, a->err);
	if (st != INTUNE_OK || m.presence != INTUNE_PRESENCE_FOUND || m.ambiguous)
		return st;
	a->b->device[0] = '\0';
	took_managed(a, &m);
	return ask_device(a, false);
}

/* A CN may be either's id, and is Entra's as a rule; that Entra has none costs one request, and that Intune has none three. */
static enum intune_status
ask_devices(struct asking *a)
{
	bool either = a->b->managed[0] != '\0' && strcmp(a->b->managed, a->b->device) == 0;
	enum intune_status st;

	/* Both were told by an earlier answer, and ids do not change hands: the user alone is still looked for. */
	if (a->b->device_object[0] != '\0' && a->b->managed[0] != '\0') {
		a->device = a->managed = true;
		return INTUNE_OK;
	}
	st = either ? ask_device(a, true) : INTUNE_OK;
	if (st != INTUNE_OK || a->device)
		return st;
	st = ask_managed(a, either);
	if (st == INTUNE_OK && (!either || a->managed))
		st = ask_device(a, false);
	return st == INTUNE_OK ? ask_serial_number(a) : st;
}

static enum intune_status
ask_user(struct asking *a)
{
	struct intune_user u;
	enum intune_status st;

	/* By name once: it may be somebody else's by now. */
	if (a->b->upn[0] == '\0' || a->b->user[0] != '\0')
		return INTUNE_OK;
	st = intune_find_user(a->c, a->b->upn, &u, a->err);
	if (st != INTUNE_OK ||
	    (u.presence != INTUNE_PRESENCE_FOUND && u.presence != INTUNE_PRESENCE_DELETED))
		return st;
	copy_id(a->b->user, u.id);
	copy_text(a->found->user_sid, sizeof(a->found->user_sid), u.on_premises_sid);
	dir_object_of_user(next_object(a), a->b->tenant, &u, a->now);
	return st;
}

static void
conclude(struct asking *a)
{
	struct store_binding *b = a->b;
	struct dir_found *f = a->found;
	bool named = b->managed[0] != '\0' || b->device[0] != '\0' || b->serial_number[0] != '\0';
	bool device = a->device || a->managed || b->device_object[0] != '\0';

	f->unknown_user = b->upn[0] != '\0' && b->user[0] == '\0';
	f->unknown_device = named && !device;
	f->unmanaged = device && !a->managed;
	b->asked = a->now;
	b->state = device || b->user[0] != '\0' ? BINDING_BOUND : BINDING_UNKNOWN;
	if (b->sid[0] == '\0')
		copy_text(
		    b->sid, sizeof(b->sid), f->user_sid[0] != '\0' ? f->user_sid : f->device_sid);
}

bool
dir_error_is_of_names(const struct intune_error *e)
{
	return e->status == INTUNE_E_ARGUMENT ||
	    (e->status == INTUNE_E_REFUSED && e->http_status == 400);
}

/* Who chooses a name that nobody can be asked about hides neither his device nor himself. */
static bool
goes_on(struct asking *a, enum intune_status st, struct intune_error *kept)
{
	if (st == INTUNE_OK)
		return true;
	if (!dir_error_is_of_names(a->err))
		return false;
	a->found->refused = true;
	*kept = *a->err;
	return true;
}

enum intune_status
dir_bind(struct intune_client *c, struct store_binding *b, struct dir_found *found, int64_t now,
    struct intune_error *err)
{
	struct store_binding got = *b;
	struct asking a = { .c = c, .b = &got, .found = found, .now = now, .err = err };
	struct intune_error refusal;
	enum intune_status st;

	*found = (struct dir_found){ .n = 0 };
	if (!goes_on(&a, st = ask_devices(&a), &refusal) ||
	    !goes_on(&a, st = ask_user(&a), &refusal))
		return st;
	if (found->refused)
		*err = refusal;
	conclude(&a);
	if (found->refused && got.state == BINDING_UNKNOWN)
		return err->status;
	*b = got;
	return INTUNE_OK;
}
