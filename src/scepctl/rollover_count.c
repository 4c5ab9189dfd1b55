/*
 * rollover_count.c - devices and certificates of each CA.  A device is an identity: endpoint, subject
 * and alternative names.  That it has two certificates, of the old CA and of the next, does not make
 * it two devices.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ossl/alg.h"
#include "scepctl/rollover.h"

#define KEY_SIZE    16                /* of a SHA-256: two of 2^32 devices meet once in 2^64 */
#define DEVICES_MAX ((size_t)1 << 25) /* a table of 2 GiB; nobody is that large */

struct device {
	uint8_t key[KEY_SIZE];
	uint64_t cas;      /* bit i: has a certificate of the i-th CA; 0: a free place */
	uint32_t endpoint; /* number in the configuration */
};

static bool
table_make(struct counts *c, size_t room)
{
	struct device *v = calloc(room, sizeof(*v));

	if (v == NULL)
		return false;
	c->devices = v;
	c->room = room;
	return true;
}

/* The place of a key: its own, or the free one where it belongs. */
static struct device *
place(const struct counts *c, const uint8_t key[static KEY_SIZE])
{
	size_t i;

	memcpy(&i, key, sizeof(i));
	for (i &= c->room - 1; c->devices[i].cas != 0; i = (i + 1) & (c->room - 1))
		if (memcmp(c->devices[i].key, key, KEY_SIZE) == 0)
			break;
	return &c->devices[i];
}

static bool
grow(struct counts *c)
{
	struct device *old = c->devices;
	size_t n = c->room;

	if (n >= DEVICES_MAX || !table_make(c, n * 2))
		return false;
	for (size_t i = 0; i < n; i++)
		if (old[i].cas != 0)
			*place(c, old[i].key) = old[i];
	free(old);
	return true;
}

struct walk {
	struct counts *c;
	enum rc rc;
	struct err *err;
};

static enum rc
device_key(uint8_t key[static KEY_SIZE], const struct store_cert_brief *b, struct err *err)
{
	const char *const parts[] = { b->endpoint, b->subject, b->san };
	uint8_t md[32];
	struct buf text;
	enum rc rc;

	buf_init(&text, 3 * 65536);
	for (size_t i = 0; i < 3; i++)
		buf_add(&text, parts[i] != NULL ? parts[i] : "",
		    parts[i] != NULL ? strlen(parts[i]) + 1 : 1);
	if ((rc = buf_ok(&text, "identity of a device", err)) == RC_OK &&
	    (rc = digest_bytes(md, DIGEST_SHA256, text.data, text.len, err)) == RC_OK)
		memcpy(key, md, KEY_SIZE);
	buf_done(&text);
	return rc;
}

static ssize_t
ca_number(const struct config *c, const char *name)
{
	const struct conf_ca *ca = c->cas.v;

	for (size_t i = 0; i < c->cas.n; i++)
		if (strcmp(ca[i].name, name) == 0)
			return (ssize_t)i;
	return -1;
}

static ssize_t
endpoint_number(const struct config *c, const char *name)
{
	const struct conf_endpoint *e = c->endpoints.v;

	for (size_t i = 0; i < c->endpoints.n; i++)
		if (strcmp(e[i].name, name) == 0)
			return (ssize_t)i;
	return -1;
}

static enum rc
count_device(struct counts *c, const struct store_cert_brief *b, size_t ca, struct err *err)
{
	ssize_t endpoint = endpoint_number(c->config, b->endpoint);
	uint8_t key[KEY_SIZE];
	struct device *d;
	enum rc rc;

	if (endpoint < 0)
		return RC_OK; /* of an endpoint that is gone: it counts for its CA only */
	if (c->n * 2 >= c->room && !grow(c))
		return fail(err, RC_NOMEM, "no memory for %zu devices", c->n);
	if ((rc = device_key(key, b, err)) != RC_OK)
		return rc;
	d = place(c, key);
	if (d->cas == 0) {
		memcpy(d->key, key, KEY_SIZE);
		d->endpoint = (uint32_t)endpoint;
		c->n++;
	}
	d->cas |= UINT64_C(1) << ca;
	return RC_OK;
}

static int
on_cert(void *arg, const struct store_cert_brief *b)
{
	struct walk *w = arg;
	ssize_t ca = ca_number(w->c->config, b->ca);
	struct ca_count *count;

	if (ca < 0)
		return 0;
	count = &w->c->ca[ca];
	count->valid++;
	if (b->not_after > count->last)
		count->last = b->not_after;
	w->rc = count_device(w->c, b, (size_t)ca, w->err);
	return w->rc != RC_OK;
}

enum rc
counts_make(struct counts *out, struct store *store, const struct config *c, struct err *err)
{
	struct counts got = { .config = c };
	struct walk w = { &got, RC_OK, err };
	int64_t after = 0, now = clock_now();
	bool more = true;
	enum rc rc = RC_OK;

	if (c->cas.n > COUNT_CAS_MAX)
		return fail(err, RC_LIMIT, "more than %d CAs", COUNT_CAS_MAX);
	if (!table_make(&got, 4096))
		return fail(err, RC_NOMEM, "no memory to count devices");
	while (rc == RC_OK && more) {
		rc = store_cert_brief_page(store, now, &after, &more, on_cert, &w, err);
		if (rc == RC_OK)
			rc = w.rc;
	}
	if (rc == RC_OK)
		*out = got;
	else
		counts_done(&got);
	return rc;
}

void
counts_done(struct counts *c)
{
	free(c->devices);
	*c = (struct counts){ 0 };
}

void
counts_devices(const struct counts *c, const struct conf_endpoint *e, const struct conf_ca *from,
    const struct conf_ca *to, uint64_t *all, uint64_t *moved)
{
	uint64_t a = UINT64_C(1) << ca_number(c->config, from->name),
		 b = UINT64_C(1) << ca_number(c->config, to->name);
	ssize_t endpoint = endpoint_number(c->config, e->name);

	*all = *moved = 0;
	for (size_t i = 0; i < c->room; i++) {
		const struct device *d = &c->devices[i];

		if (d->cas == 0 || d->endpoint != (uint32_t)endpoint)
			continue;
		*all += (d->cas & (a | b)) != 0;
		*moved += (d->cas & b) != 0;
	}
}

const struct ca_count *
counts_ca(const struct counts *c, const struct conf_ca *ca)
{
	return &c->ca[ca_number(c->config, ca->name)];
}
