/* binding.c - see binding.h. */
#include "ca/binding.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "ca/rules.h"

#define DEVICE_URI "IntuneDeviceId://"

bool
guid_take(char out[static GUID_SIZE], const char *text)
{
	size_t i;

	for (i = 0; i < GUID_SIZE - 1 && text[i] != '\0'; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : isxdigit((unsigned char)text[i]) == 0)
			return false;
		out[i] = (char)tolower((unsigned char)text[i]);
	}
	out[i] = '\0';
	return i == GUID_SIZE - 1 && text[i] == '\0';
}

/* What does not fit is no hint: half a name would be somebody else's.  Nor is what no directory could be asked for:
 * the question would fail each time, and everybody's after it wait. */
static bool
copy(char *out, size_t size, const char *text)
{
	if (text == NULL || !utf8_plain(text, size - 1))
		return false;
	memcpy(out, text, strlen(text) + 1);
	return true;
}

static void
take_upn(struct store_binding *b, const char *text)
{
	const char *at = strchr(text, '@');

	if (at != NULL && at > text && at[1] != '\0')
		(void)copy(b->upn, sizeof(b->upn), text);
}

static void
take_subject(struct store_binding *b, const struct name *subject)
{
	const char *cn = name_get0(subject, "CN", 0);
	char guid[GUID_SIZE];

	if (cn != NULL && guid_take(guid, cn)) {
		memcpy(b->managed, guid, sizeof(guid));
		memcpy(b->device, guid, sizeof(guid));
	} else if (cn != NULL) {
		take_upn(b, cn);
	}
	(void)copy(
	    b->serial_number, sizeof(b->serial_number), name_get0(subject, "SERIALNUMBER", 0));
}

static void
take_uri(struct store_binding *b, const char *uri)
{
	size_t len = sizeof(DEVICE_URI) - 1;
	char guid[GUID_SIZE];

	if (strncasecmp(uri, DEVICE_URI, len) == 0 && guid_take(guid, uri + len)) {
		/* It says which; what the CN looks like does not count then. */
		if (strcmp(b->device, b->managed) == 0)
			b->device[0] = '\0';
		memcpy(b->managed, guid, sizeof(guid));
	} else if (sid_of_uri(uri) != NULL) {
		(void)copy(b->sid, sizeof(b->sid), sid_of_uri(uri));
	}
}

void
binding_of_names(struct store_binding *out, const char *tenant, const struct name *subject,
    const struct san_list *san)
{
	*out = (struct store_binding){ .state = BINDING_NONE };
	if (tenant == NULL || !copy(out->tenant, sizeof(out->tenant), tenant))
		return;
	take_subject(out, subject);
	for (size_t i = 0; i < san->n; i++) {
		if (san->v[i].type == SAN_UPN)
			take_upn(out, san->v[i].value);
		else if (san->v[i].type == SAN_URI)
			take_uri(out, san->v[i].value);
	}
	if (out->managed[0] != '\0' || out->device[0] != '\0' || out->upn[0] != '\0' ||
	    out->serial_number[0] != '\0')
		out->state = BINDING_OPEN;
}

/* ---- one name of a kind ---- */

/* The name that a SAN has of one kind; NULL: it has none. */
static const char *
upn_of(const struct san *s)
{
	return s->type == SAN_UPN ? s->value : NULL;
}

static const char *
device_of(const struct san *s)
{
	bool is =
	    s->type == SAN_URI && strncasecmp(s->value, DEVICE_URI, sizeof(DEVICE_URI) - 1) == 0;

	return is ? s->value + sizeof(DEVICE_URI) - 1 : NULL;
}

static const char *
sid_of(const struct san *s)
{
	return s->type == SAN_URI ? sid_of_uri(s->value) : NULL;
}

enum rc
binding_names_agree(const struct san_list *san, struct err *err)
{
	static const struct {
		const char *what;
		const char *(*of)(const struct san *s);
	} kinds[] = { { "user principal names", upn_of }, { "IntuneDeviceId:// URIs", device_of },
		{ "SIDs", sid_of } };

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		const char *first = NULL;

		for (size_t i = 0; i < san->n; i++) {
			const char *name = kinds[k].of(&san->v[i]);

			if (name != NULL && first != NULL && strcasecmp(first, name) != 0)
				return fail(err, RC_DENIED, "the request has two %s that differ",
				    kinds[k].what);
			if (first == NULL)
				first = name;
		}
	}
	return RC_OK;
}

/* ---- SIDs ---- */

/* MS-DTYP 2.4.2.1: 32 bits.  Written in one way only: whoever reads "0500", or 500 more than 32 bits hold, as a
 * number has the administrator. */
static bool
is_part(const char *p, size_t digits)
{
	return digits > 0 && (digits == 1 || p[0] != '0') &&
	    (digits < 10 || (digits == 10 && strncmp(p, "4294967295", 10) <= 0));
}

bool
sid_is_valid(const char *text)
{
	unsigned parts = 0;

	if (strncasecmp(text, "S-1-", 4) != 0)
		return false;
	for (const char *p = text + 4; *p != '\0'; parts++) {
		size_t digits = strspn(p, "0123456789");

		if (!is_part(p, digits) || parts > 15)
			return false;
		p += digits;
		if (*p == '-' && p[1] != '\0')
			p++;
		else if (*p != '\0')
			return false;
	}
	return parts >= 2;
}

const char *
sid_of_uri(const char *uri)
{
	static const char prefix[] = SID_URI_PREFIX;
	size_t len = sizeof(prefix) - 1;

	return strncasecmp(uri, prefix, len) == 0 ? uri + len : NULL;
}

/* Microsoft's list of well-known SIDs: those with rights over a domain. */
static const char *const denied_rids[] = {
	"498", /* enterprise read-only domain controllers */
	"500", /* administrator */
	"502", /* krbtgt */
	"512", /* domain admins */
	"516", /* domain controllers */
	"518", /* schema admins */
	"519", /* enterprise admins */
	"520", /* group policy creator owners */
	"521", /* read-only domain controllers */
	"526", /* key admins */
	"527", /* enterprise key admins */
};

bool
sid_is_denied(const char *sid, const char *const *list, size_t n)
{
	const char *rid = strrchr(sid, '-');

	/* Short ones, like S-1-5-32-544, are the machine's own and built in: nobody's certificate. */
	if (rid == NULL || strncasecmp(sid, "S-1-5-21-", 9) != 0)
		return strncasecmp(sid, "S-1-12-1-", 9) != 0;
	rid++;
	for (size_t i = 0; i < sizeof(denied_rids) / sizeof(denied_rids[0]); i++)
		if (strcmp(rid, denied_rids[i]) == 0)
			return true;
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(list[i], sid) == 0 || strcmp(list[i], rid) == 0)
			return true;
	return false;
}
