/*
 * content_test.c - what a request of each type must hold (RFC 8894 3.3): the doors, and that a message
 * with anything else inside is refused.
 */
#include "scep_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scep/attrs.h"
#include "scep/content.h"

static const struct transport v15 = { TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE };

/* CN=a, and CN=b + an empty value of an odd type */
#define NAME_A "\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x61"
#define NAME_B "\x30\x0b\x31\x09\x30\x07\x06\x03\x55\x04\x03\x05\x00"
#define NO_CSR "\x30\x06\x30\x00\x30\x00\x03\x00"

static const struct {
	const char *what;
	struct der bytes;
	enum content_form form;
	enum rc rc;
} cases[] = {
	{ "a poll", DER_TEXT("\x30\x1b" NAME_A NAME_B), FORM_ISSUER_AND_SUBJECT, RC_OK },
	{ "a poll with empty names", DER_TEXT("\x30\x04\x30\x00\x30\x00"), FORM_ISSUER_AND_SUBJECT,
	    RC_OK },
	{ "a serial number", DER_TEXT("\x30\x12" NAME_A "\x02\x02\x00\x80"), FORM_ISSUER_AND_SERIAL,
	    RC_OK },
	{ "a negative serial number", DER_TEXT("\x30\x11" NAME_A "\x02\x01\x80"),
	    FORM_ISSUER_AND_SERIAL, RC_OK },
	{ "the outline of a CSR", DER_TEXT(NO_CSR), FORM_CSR, RC_OK },

	{ "nothing", DER_TEXT(""), FORM_CSR, RC_PARSE },
	{ "nothing as a poll", DER_TEXT(""), FORM_ISSUER_AND_SUBJECT, RC_PARSE },
	{ "nothing as a serial number", DER_TEXT(""), FORM_ISSUER_AND_SERIAL, RC_PARSE },
	{ "an empty SEQUENCE", DER_TEXT("\x30\x00"), FORM_CSR, RC_PARSE },
	{ "an empty SEQUENCE as a poll", DER_TEXT("\x30\x00"), FORM_ISSUER_AND_SUBJECT, RC_PARSE },
	{ "an empty SEQUENCE as a serial number", DER_TEXT("\x30\x00"), FORM_ISSUER_AND_SERIAL,
	    RC_PARSE },
	{ "a SET", DER_TEXT("\x31\x04\x30\x00\x30\x00"), FORM_ISSUER_AND_SUBJECT, RC_PARSE },
	{ "bytes behind it", DER_TEXT("\x30\x04\x30\x00\x30\x00\x00"), FORM_ISSUER_AND_SUBJECT,
	    RC_PARSE },
	{ "indefinite length", DER_TEXT("\x30\x80\x30\x00\x30\x00\x00\x00"),
	    FORM_ISSUER_AND_SUBJECT, RC_PARSE },
	{ "a third name", DER_TEXT("\x30\x06\x30\x00\x30\x00\x30\x00"), FORM_ISSUER_AND_SUBJECT,
	    RC_PARSE },
	{ "one name", DER_TEXT("\x30\x02\x30\x00"), FORM_ISSUER_AND_SUBJECT, RC_PARSE },
	{ "a name that is text", DER_TEXT("\x30\x05\x30\x00\x0c\x01\x61"), FORM_ISSUER_AND_SUBJECT,
	    RC_PARSE },
	{ "a name of SEQUENCEs", DER_TEXT("\x30\x06\x30\x02\x30\x00\x30\x00"),
	    FORM_ISSUER_AND_SUBJECT, RC_PARSE },
	{ "an empty RDN", DER_TEXT("\x30\x06\x30\x02\x31\x00\x30\x00"), FORM_ISSUER_AND_SUBJECT,
	    RC_PARSE },
	{ "an attribute without a value",
	    DER_TEXT("\x30\x0d\x30\x09\x31\x07\x30\x05\x06\x03\x55\x04\x03\x30\x00"),
	    FORM_ISSUER_AND_SUBJECT, RC_PARSE },
	{ "an attribute without a type",
	    DER_TEXT("\x30\x0b\x30\x07\x31\x05\x30\x03\x0c\x01\x61\x30\x00"),
	    FORM_ISSUER_AND_SUBJECT, RC_PARSE },
	{ "a poll as a serial number", DER_TEXT("\x30\x1b" NAME_A NAME_B), FORM_ISSUER_AND_SERIAL,
	    RC_PARSE },
	{ "a poll as a CSR", DER_TEXT("\x30\x1b" NAME_A NAME_B), FORM_CSR, RC_PARSE },
	{ "a serial number as a poll", DER_TEXT("\x30\x12" NAME_A "\x02\x02\x00\x80"),
	    FORM_ISSUER_AND_SUBJECT, RC_PARSE },
	{ "a serial number as a CSR", DER_TEXT("\x30\x12" NAME_A "\x02\x02\x00\x80"), FORM_CSR,
	    RC_PARSE },
	{ "a CSR as a poll", DER_TEXT(NO_CSR), FORM_ISSUER_AND_SUBJECT, RC_PARSE },
	{ "a CSR as a serial number", DER_TEXT(NO_CSR), FORM_ISSUER_AND_SERIAL, RC_PARSE },
	{ "a CSR and more", DER_TEXT("\x30\x08\x30\x00\x30\x00\x03\x00\x05\x00"), FORM_CSR,
	    RC_PARSE },
	{ "an empty INTEGER", DER_TEXT("\x30\x10" NAME_A "\x02\x00"), FORM_ISSUER_AND_SERIAL,
	    RC_PARSE },
	{ "an INTEGER and more", DER_TEXT("\x30\x13" NAME_A "\x02\x01\x01\x05\x00"),
	    FORM_ISSUER_AND_SERIAL, RC_PARSE },
	{ "an ENUMERATED", DER_TEXT("\x30\x11" NAME_A "\x0a\x01\x01"), FORM_ISSUER_AND_SERIAL,
	    RC_PARSE },
};

static void
the_doors_take_their_form_and_no_other(void **state)
{
	struct content c;
	struct err err;
	size_t i;
	enum rc rc;

	for (i = 0; i < N(cases); i++) {
		memset(&c, 0, sizeof(c));
		err = (struct err){ 0 };
		rc = content_parse(&c, cases[i].form, cases[i].bytes.p, cases[i].bytes.len, &err);
		if (rc != cases[i].rc)
			fail_msg("%s: %s", cases[i].what, err.msg);
		if (rc != RC_OK)
			assert_true(
			    c.issuer.p == NULL && c.subject.p == NULL && c.serial.p == NULL);
	}
}

static void
a_serial_number_of_64_octets_is_the_longest(void **state)
{
	uint8_t serial[SCEP_SERIAL_MAX + 1];
	struct content c = { .issuer = DER_TEXT(NAME_A), .serial = { serial, SCEP_SERIAL_MAX } };
	struct buf b = new_buf();
	struct err err = { 0 };

	memset(serial, 0x7f, sizeof(serial));
	assert_ok(content_add(&b, FORM_ISSUER_AND_SERIAL, &c, &err), err);
	c.serial.len++;
	assert_int_equal(content_add(&b, FORM_ISSUER_AND_SERIAL, &c, &err), RC_LIMIT);
	buf_done(&b);
}

static enum rc
poll_door(const void *p, size_t len)
{
	struct content c;
	enum rc rc = content_parse(&c, FORM_ISSUER_AND_SUBJECT, p, len, NULL);

	if (rc == RC_OK)
		assert_int_equal(2 + c.issuer.len + c.subject.len, len);
	return rc;
}

static enum rc
serial_door(const void *p, size_t len)
{
	struct content c;
	enum rc rc = content_parse(&c, FORM_ISSUER_AND_SERIAL, p, len, NULL);

	if (rc == RC_OK)
		assert_int_equal(2 + c.issuer.len + 2 + c.serial.len, len);
	return rc;
}

static enum rc
csr_door(const void *p, size_t len)
{
	struct content c;

	return content_parse(&c, FORM_CSR, p, len, NULL);
}

/* A changed bit may make another name or number, never another form. */
static void
no_prefix_and_no_changed_bit_is_misread(void **state)
{
	static const struct der poll = DER_TEXT("\x30\x1b" NAME_A NAME_B),
				serial = DER_TEXT("\x30\x12" NAME_A "\x02\x02\x00\x80");

	sweep_prefixes(poll_door, poll.p, poll.len, 1);
	assert_true(sweep_flips(poll_door, poll.p, poll.len, 1) < poll.len * 8);
	sweep_prefixes(serial_door, serial.p, serial.len, 1);
	assert_true(sweep_flips(serial_door, serial.p, serial.len, 1) < serial.len * 8);
	sweep_prefixes(csr_door, world.csr.data, world.csr.len, 1);
	assert_true(sweep_flips(csr_door, world.csr.data, world.csr.len, 5) < world.csr.len * 8);
}

/* ---- in messages ------------------------------------------------------------------------ */

static enum scep_status
open_with(int type, struct der content, struct scep_request **r, struct scep_error *err)
{
	struct buf envelope = envelop(&world.ra, content, CIPHER_AES128, v15, false), b;
	uint8_t value[6] = { DER_PRINTABLE };
	enum scep_status st;
	struct forged f;

	value[1] = (uint8_t)snprintf((char *)value + 2, 4, "%d", type % 1000);
	forged_init(&f, &envelope);
	forged_set(&f, OID_MESSAGE_TYPE, (struct der){ value, 2u + value[1] });
	b = forge(&f);
	st = open_it(r, &b, err);
	buf_done(&b);
	buf_done(&envelope);
	return st;
}

/* All types with all contents: only the diagonal is taken, and all others look like noise. */
static void
R18_content_that_is_not_of_its_type_is_refused(void **state)
{
	static const int types[] = { 17, 19, 20, 21, 22 };
	static const struct der contents[] = { DER_TEXT(NO_CSR), DER_TEXT("\x30\x1b" NAME_A NAME_B),
		DER_TEXT("\x30\x12" NAME_A "\x02\x02\x00\x80"), DER_TEXT("\x05\x00") };
	static const size_t right[] = { 0, 0, 1, 2, 2 };
	struct scep_request *r;
	struct scep_error err;
	size_t t, c;

	for (t = 0; t < N(types); t++) {
		for (c = 0; c < N(contents); c++) {
			r = NULL;
			if (open_with(types[t], contents[c], &r, &err) == SCEP_OK) {
				if (c != right[t])
					fail_msg("type %d takes content %zu", types[t], c);
				scep_request_free(r);
				continue;
			}
			if (c == right[t])
				fail_msg("type %d: %s", types[t], err.text);
			assert_int_equal(err.fail_info, SCEP_BAD_MESSAGE_CHECK);
			assert_string_equal(err.text, "the envelope cannot be decrypted");
			assert_null(r);
		}
	}
}

static void
R18_a_sender_that_knows_the_content_is_told(void **state)
{
	static const int types[] = { 20, 21, 22 };
	struct buf longer = new_buf();
	struct scep_request *r = NULL;
	struct scep_error err;
	size_t t;

	for (t = 0; t < N(types); t++) {
		assert_int_equal(open_with(types[t], der_of(&world.csr), &r, &err), SCEP_E_TYPE);
		assert_int_equal(err.fail_info, SCEP_BAD_REQUEST);
		assert_non_null(strstr(err.text, "RFC 8894 3.2"));
	}
	buf_add(&longer, world.csr.data, world.csr.len);
	buf_add(&longer, "x", 1);
	assert_int_equal(open_with(19, der_of(&longer), &r, &err), SCEP_E_TYPE);
	assert_null(r);
	buf_done(&longer);
}

static void
what_is_asked_for_can_be_read(void **state)
{
	const struct der a = DER_TEXT(NAME_A), b = DER_TEXT(NAME_B);
	struct scep_slice issuer, subject, serial = { NULL, 1 };
	struct scep_request *r;
	struct scep_error err;
	int type;

	assert_int_equal(open_with(20, DER_TEXT("\x30\x1b" NAME_A NAME_B), &r, &err), SCEP_OK);
	assert_int_equal(scep_request_issuer_subject(r, &issuer, &subject), SCEP_OK);
	assert_int_equal(issuer.len, a.len);
	assert_memory_equal(issuer.data, a.p, a.len);
	assert_int_equal(subject.len, b.len);
	assert_memory_equal(subject.data, b.p, b.len);
	assert_int_equal(scep_request_issuer_serial(r, &issuer, &serial), SCEP_E_TYPE);
	assert_null(serial.data);
	scep_request_free(r);
	for (type = 21; type <= 22; type++) {
		assert_int_equal(
		    open_with(type, DER_TEXT("\x30\x12" NAME_A "\x02\x02\x00\x80"), &r, &err),
		    SCEP_OK);
		assert_int_equal(scep_request_issuer_serial(r, &issuer, &serial), SCEP_OK);
		assert_int_equal(issuer.len, a.len);
		assert_memory_equal(serial.data, "\x00\x80", 2);
		assert_int_equal(serial.len, 2);
		assert_int_equal(scep_request_issuer_subject(r, &issuer, &subject), SCEP_E_TYPE);
		scep_request_free(r);
	}
	assert_int_equal(open_with(19, der_of(&world.csr), &r, &err), SCEP_OK);
	assert_int_equal(scep_request_issuer_subject(r, &issuer, &subject), SCEP_E_TYPE);
	assert_int_equal(scep_request_issuer_serial(r, &issuer, &serial), SCEP_E_TYPE);
	scep_request_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_doors_take_their_form_and_no_other),
		cmocka_unit_test(a_serial_number_of_64_octets_is_the_longest),
		cmocka_unit_test(no_prefix_and_no_changed_bit_is_misread),
		cmocka_unit_test(R18_content_that_is_not_of_its_type_is_refused),
		cmocka_unit_test(R18_a_sender_that_knows_the_content_is_told),
		cmocka_unit_test(what_is_asked_for_can_be_read),
	};

	return cmocka_run_group_tests(tests, world_make, world_done);
}
