/* sweep_whose.c - see sweep_whose.h. */
#include "scepctl/sweep_whose.h"

#include "store/store_sweep.h"

static json_t *
owner_json(const struct store_sweep_owner *w)
{
	json_t *o = json_object();

	if (o != NULL && ctl_json_str(o, "user", w->person) &&
	    ctl_json_str(o, "userId", w->person_id) && ctl_json_str(o, "device", w->device) &&
	    ctl_json_str(o, "deviceId", w->device_id) && ctl_json_str(o, "serial", w->serial) &&
	    ctl_json_int(o, "certificates", (int64_t)w->certs))
		return o;
	json_decref(o);
	return NULL;
}

/* Whom nothing has a name for is known by the first of the certificates. */
static void
print_owner(const struct store_sweep_owner *w, bool first)
{
	char person[64], device[64];
	bool nameless = w->person == NULL && w->device == NULL;

	if (first)
		(void)printf("%-32s  %-32s  %s\n", "PERSON", "DEVICE", "CERTIFICATES");
	(void)printf("%-32s  %-32s  %llu%s%s\n",
	    ctl_safe(person, sizeof(person), w->person != NULL ? w->person : w->person_id),
	    ctl_safe(device, sizeof(device), w->device != NULL ? w->device : w->device_id),
	    (unsigned long long)w->certs, nameless ? ": " : "", nameless ? w->serial : "");
}

static int
on_owner(void *arg, const struct store_sweep_owner *owner)
{
	struct whose *w = arg;

	if (w->json)
		w->failed = !ctl_json_item(owner_json(owner), w->n == 0);
	else if (w->n < w->max)
		print_owner(owner, w->n == 0);
	w->n++;
	return w->failed;
}

/* JSON has all of them; of the table one more than are printed, to know that there are more. */
enum rc
whose_show(struct store *s, int64_t sweep, struct whose *w, struct err *err)
{
	size_t max = w->json ? STORE_SWEEP_TURNS_MAX : w->max + 1;
	enum rc rc = store_sweep_owners(s, sweep, max, on_owner, w, err);

	return rc == RC_OK && w->failed ? fail(err, RC_NOMEM, "out of memory for JSON") : rc;
}
