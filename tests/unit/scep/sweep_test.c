/*
 * sweep_test.c - a whole PKCSReq and a whole CertRep, cut everywhere and changed in every bit:
 * refused, or the same.
 */
#include "scep_kit.h"

#include <string.h>

static struct scep_pending pending;

/* Taken only if the content is the CSR that was sent. */
static enum rc
request_door(const void *p, size_t len)
{
	struct scep_message *m = NULL;
	struct scep_request *r = NULL;
	enum rc rc = RC_PARSE;
	size_t n;

	if (scep_message_parse(&m, p, len, NULL) != SCEP_OK)
		return rc;
	if (scep_request_open(&r, m, &world.ra_id, 1, NULL) == SCEP_OK) {
		if (scep_request_content(r, &n) == NULL || n != world.csr.len ||
		    memcmp(scep_request_content(r, &n), world.csr.data, n) != 0)
			fail_msg("another content is taken");
		rc = RC_OK;
	}
	scep_request_free(r);
	scep_message_free(m);
	return rc;
}

static enum rc
answer_door(const void *p, size_t len)
{
	struct scep_bytes ra = bytes_of_der(world.ra.c.der);
	struct scep_certrep rep;

	if (scep_certrep_open(&rep, p, len, &pending, &ra, 1, world.device_id, NULL) != SCEP_OK)
		return RC_PARSE;
	if (rep.status != SCEP_SUCCESS || rep.n_certs != 1 ||
	    memcmp(rep.certs[0].data, world.curve.c.der.p, world.curve.c.der.len) != 0)
		fail_msg("another answer is believed");
	scep_certrep_done(&rep);
	return RC_OK;
}

static void
no_prefix_of_a_request_is_taken(void **state)
{
	struct scep_bytes b = make_request(&usual, NULL);

	sweep_prefixes(request_door, b.data, b.len, 1);
	scep_bytes_free(&b);
}

static void
no_changed_bit_of_a_request_changes_its_content(void **state)
{
	struct scep_bytes b = make_request(&usual, NULL);

	assert_true(sweep_flips(request_door, b.data, b.len, 3) < b.len);
	scep_bytes_free(&b);
}

static void
no_prefix_and_no_changed_bit_of_an_answer_is_believed(void **state)
{
	struct scep_bytes leaf = bytes_of_der(world.curve.c.der), b, out;
	struct scep_message *m;
	struct scep_request *r;

	b = make_request(&usual, &pending);
	assert_int_equal(scep_message_parse(&m, b.data, b.len, NULL), SCEP_OK);
	assert_int_equal(scep_request_open(&r, m, &world.ra_id, 1, NULL), SCEP_OK);
	assert_int_equal(scep_reply_success(&out, r, world.ra_id, &leaf, 1, NULL), SCEP_OK);
	sweep_prefixes(answer_door, out.data, out.len, 1);
	assert_true(sweep_flips(answer_door, out.data, out.len, 3) < out.len);
	scep_bytes_free(&out);
	scep_request_free(r);
	scep_message_free(m);
	scep_bytes_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_prefix_of_a_request_is_taken),
		cmocka_unit_test(no_changed_bit_of_a_request_changes_its_content),
		cmocka_unit_test(no_prefix_and_no_changed_bit_of_an_answer_is_believed),
	};

	return cmocka_run_group_tests(tests, world_make, world_done);
}
