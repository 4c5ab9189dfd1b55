/*
 * deed_fuzz.c - bodies of the control API.  A deed that the rules take makes a tenant whose
 * document, read again, is itself: no text means something else the second time.
 */
#include <stdint.h>

#include "intunesim/deeds.h"

#include "sim_actor.h"

/* NULL when the rules refuse the document. */
static struct tenant *
read_again(const struct tenant *old, const json_t *document)
{
	struct tenant *t = NULL;
	struct buf text;

	buf_init(&text, 1 << 22);
	if (document_text(&text, document, NULL) == RC_OK &&
	    tenant_renew(&t, old, "fuzz", text.data, text.len, NULL) != RC_OK)
		t = NULL;
	buf_done(&text);
	return t;
}

static void
round_trip(const struct deed *d)
{
	struct tenant *first = read_again(d->tenant, d->document), *second;
	json_t *a, *b;

	if (first == NULL)
		return;
	a = document_make(first, true);
	if ((second = read_again(first, a)) == NULL)
		abort();
	b = document_make(second, true);
	if (!json_equal(a, b))
		abort();
	tenant_free(first);
	tenant_free(second);
	json_decref(a);
	json_decref(b);
}

static enum rc
act(struct deed *d, uint8_t how, const json_t *body)
{
	const struct object_type *type = object_type((enum object_kind)(how % OBJECT__MAX));
	char id[GUID_TEXT_MAX];

	if (type->kind == OBJECT_APP && how >= 128)
		return object_patch(d, type, SIM_APP, body, id, NULL);
	return object_create(d, type, body, id, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says what is done with the JSON that follows. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct deed d;
	json_t *body;

	if (size == 0 || json_parse(&body, data + 1, size - 1, NULL) != RC_OK)
		return 0;
	if (json_is_object(body)) {
		if (deed_begin(&d, sim_actor(), SIM_TENANT, NULL) != RC_OK)
			abort();
		if (act(&d, data[0], body) == RC_OK)
			round_trip(&d);
		deed_end(&d);
	}
	json_decref(body);
	return 0;
}
