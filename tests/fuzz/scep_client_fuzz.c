/*
 * scep_client_fuzz.c - what the client reads beside CertReps and check-ins: a server's GetCACaps and GetCACert
 * as doctor sees them, its refusals, revocation lists, and the folder's own state.json.  The first octet
 * chooses.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "scep-client/ask.h"
#include "scep-client/ber.h"
#include "scep-client/doctor.h"
#include "scep-client/pending.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
judge(enum question q, const uint8_t *p, size_t len)
{
	static struct findings found;
	struct facts f = { .now = 1700000000 };
	struct buf *body = &f.answers[q].body;

	found.n = 0;
	f.answers[q].status = 200;
	buf_init(body, LIMIT_CHAIN);
	buf_add(body, p, len);
	facts_read(&f);
	doctor_judge(&found, &f);
	facts_done(&f);
}

static void
refusal(const uint8_t *p, size_t len)
{
	static const struct scep_pending pending = { .transaction_id = "T1" };
	char why[256];

	doctor_failure_form(why, p, len, &pending);
}

static void
list(const uint8_t *p, size_t len)
{
	static const struct session none;
	struct crl_facts facts;
	struct err err;

	(void)!crl_look(&facts, &none, p, len, &err);
}

static void
state(const uint8_t *p, size_t len)
{
	struct pending out;
	struct err err;

	if (pending_parse(&out, p, len, &err) == RC_OK)
		pending_done(&out);
}

static void
ber(const uint8_t *p, size_t len)
{
	struct buf out;
	struct err err;

	buf_init(&out, LIMIT_SCEP_MESSAGE);
	(void)!ber_signed(&out, p, len, &err);
	buf_reset(&out);
	(void)!ber_enveloped(&out, p, len, &err);
	buf_done(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0]) {
	case 0:
		judge(Q_CAPS, data + 1, size - 1);
		break;
	case 1:
		judge(Q_CERTS, data + 1, size - 1);
		break;
	case 2:
		refusal(data + 1, size - 1);
		break;
	case 3:
		list(data + 1, size - 1);
		break;
	case 4:
		state(data + 1, size - 1);
		break;
	default:
		ber(data + 1, size - 1);
	}
	return 0;
}
