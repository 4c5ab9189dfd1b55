/*
 * cert_stream_test.c - certificates out of files of every kind, and what is told of those that are none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/cert_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#undef fail
#include <cmocka.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* "3:DER=3003020105 4:SERIAL=05,0 5:why " */
static enum rc
note(void *arg, const struct cert_found *c, struct err *err)
{
	char hex[2 * SERIAL_MAX + 1];
	struct buf *out = arg;

	(void)err;
	buf_addf(out, "%zu:", c->line);
	if (c->der != NULL) {
		buf_adds(out, "DER=");
		for (size_t i = 0; i < c->der_len && i < 8; i++)
			buf_addf(out, "%02x", c->der[i]);
	} else if (c->serial != NULL) {
		serial_hex(hex, c->serial);
		buf_addf(out, "SERIAL=%s,%lld", hex, (long long)c->not_after);
	} else {
		buf_adds(out, c->why);
	}
	buf_addc(out, ' ');
	return RC_OK;
}

static enum rc
read_bytes(struct buf *out, const void *p, size_t len, struct err *err)
{
	FILE *f = len > 0 ? fmemopen((void *)p, len, "r") : fopen("/dev/null", "r");
	size_t rows;
	enum rc rc;

	assert_non_null(f);
	rc = cert_stream_read(f, &rows, note, out, err);
	(void)fclose(f);
	return rc;
}

#define PEM    "-----BEGIN CERTIFICATE-----\nMAMCAQU=\n-----END CERTIFICATE-----\n"
#define NO_END "has no END CERTIFICATE"

static const struct {
	const char *what, *text, *is; /* NULL: RC_PARSE */
} rows[] = {
	{ "one in PEM", PEM, "1:DER=3003020105 " },
	{ "several, with text around them",
	    "subject=\"CN = x\n" PEM "\nserialnumber,x\n-----BEGIN X509 CRL-----\nMAA=\n" PEM,
	    "2:DER=3003020105 9:DER=3003020105 " },
	{ "CR LF", "-----BEGIN CERTIFICATE-----\r\nMAMC\r\nAQU=\r\n-----END CERTIFICATE-----\r\n",
	    "1:DER=3003020105 " },
	{ "one that is damaged, and one that is not",
	    "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n" PEM,
	    "1:is no certificate in base64 4:DER=3003020105 " },
	{ "cut off", "-----BEGIN CERTIFICATE-----\nMAMCAQU=\n", "1:" NO_END " " },
	{ "a request is none", "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n", NULL },
	{ "nothing", "", NULL },
	{ "a byte", "0", NULL },
	{ "words", "hello\nworld\n", NULL },
	{ "a table without a column that is known", "a,b\n1,2\n", NULL },
	{ "serial numbers alone", "SerialNumber\n05\nAB:cd\n\n\"1 2\"\n",
	    "2:SERIAL=05,0 3:SERIAL=ABCD,0 5:SERIAL=12,0 " },
	{ "as certutil shows it, in any order",
	    "\"Request ID\",\"Certificate Expiration Date\",\"Serial Number\"\r\n"
	    "\"2\",\"2027-11-30 10:00\",\"1a0000000b\"\r\n"
	    "\"3\",\"11/30/2027 10:00 AM\",\"0x05\"\r\n"
	    "\"4\",\"EMPTY\",\"EMPTY\"\r\n",
	    "2:SERIAL=1A0000000B,1827568800 3:SERIAL=05,0 " },
	{ "raw certificates over several lines",
	    "\"Serial Number\",\"Binary Certificate\",x\n"
	    "\"05\",\"-----BEGIN CERTIFICATE-----\nMAMC\nAQU=\n-----END CERTIFICATE-----\n\",1\n"
	    "\"06\",\"MAMC\r\n AQY=\r\n\",\"a \"\"quoted\"\" word\"\n"
	    "\"07\",EMPTY,\n"
	    "08,%%,\n",
	    "2:DER=3003020105 7:DER=3003020106 10:SERIAL=07,0 11:is no certificate in base64 " },
	{ "translated names, a request beside it",
	    "\"Seriennummer\";\"SerialNumber\";\"Anforderung\";\"Zertifikat\"\n"
	    "x;05;\"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n\";\"" PEM "\"\n",
	    "2:DER=3003020105 " },
	{ "all names translated, as on a CA of Windows in German",
	    "\"Seriennummer\",\"Ablaufdatum\",\"Anforderung\",\"Bin\xc3\xa4res Zertifikat\"\r\n"
	    "\"05\",\"30.11.2027 10:00\",\"-----BEGIN NEW CERTIFICATE REQUEST-----\r\nMAA=\r\n\",\""
	    "-----BEGIN CERTIFICATE-----\r\nMAMC\r\nAQU=\r\n-----END CERTIFICATE-----\r\n\"\r\n"
	    "\"06\",\"30.11.2027 10:00\",\"EMPTY\",\"" PEM "\"\r\n",
	    "4:DER=3003020105 9:DER=3003020105 " },
	{ "translated names without certificates", "Seriennummer,Ablaufdatum\n05,30.11.2027\n",
	    NULL },
	{ "tabs and a byte order mark", "\xef\xbb\xbfSerial\tNotAfter\n05\t2027-01-02T03:04:05Z\n",
	    "2:SERIAL=05,1798859045 " },
	{ "what is no serial number",
	    "serial,x\nzz,1\n010203040506070809101112131415161718192021,1\n",
	    "2:has no serial number in hex 3:has no serial number in hex " },
	{ "a quote that nobody closes", "serial,x\n05,\"abc\n06,\n",
	    "2:is no row of the table, or too long " },
	{ "fewer and more fields than columns", "x,serial\n1\n1,05,9,9\n", "3:SERIAL=05,0 " },
};

static void
files_of_every_kind_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct err err = { 0 };
		struct buf out;
		enum rc rc;

		buf_init(&out, 10000);
		rc = read_bytes(&out, rows[i].text, strlen(rows[i].text), &err);
		if (rc != (rows[i].is == NULL ? RC_PARSE : RC_OK) ||
		    (rows[i].is != NULL && strcmp(buf_str(&out), rows[i].is) != 0))
			fail_msg("%s: %d %s\n%s", rows[i].what, rc, err.msg, buf_str(&out));
		buf_done(&out);
	}
}

static void
powershell_saves_utf_16(void **state)
{
	struct buf wide, out;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		const char *s = rows[i].text;

		if (rows[i].is == NULL || strchr(s, (char)0xef) != NULL)
			continue;
		buf_init(&wide, 100000);
		buf_init(&out, 10000);
		buf_adds(&wide, "\xff\xfe");
		for (; *s != '\0'; s++) {
			buf_addc(&wide, *s);
			buf_addc(&wide, '\0');
		}
		assert_int_equal(read_bytes(&out, wide.data, wide.len, &err), RC_OK);
		assert_string_equal(buf_str(&out), rows[i].is);
		buf_done(&wide);
		buf_done(&out);
	}
}

static void
der_is_one_certificate_and_has_its_limit(void **state)
{
	static const uint8_t der[] = { 0x30, 0x81, 2, '\n', '"' };
	uint8_t *big = malloc(200000);
	struct err err = { 0 };
	struct buf out;

	(void)state;
	buf_init(&out, 10000);
	assert_int_equal(read_bytes(&out, der, sizeof(der), &err), RC_OK);
	assert_string_equal(buf_str(&out), "0:DER=3081020a22 ");
	buf_reset(&out);
	memset(big, 0x30, 200000);
	big[1] = 0x82;
	assert_int_equal(read_bytes(&out, big, 200000, &err), RC_OK);
	assert_string_equal(buf_str(&out), "0:is longer than any certificate ");
	/* So has a block of PEM, and a field. */
	buf_reset(&out);
	memset(big, 'A', 200000);
	memcpy(big, "-----BEGIN CERTIFICATE-----\n", 28);
	for (size_t i = 91; i < 199000; i += 64)
		big[i] = '\n';
	memcpy(big + 199000, "\n-----END CERTIFICATE-----\n", 27);
	assert_int_equal(read_bytes(&out, big, 199027, &err), RC_OK);
	assert_string_equal(buf_str(&out), "1:is longer than any certificate ");
	free(big);
	buf_done(&out);
}

static void
no_prefix_and_no_changed_bit_does_harm(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		size_t len = strlen(rows[i].text);
		char *copy = malloc(len + 1);

		memcpy(copy, rows[i].text, len + 1);
		for (size_t n = 0; n < len; n++)
			for (int bit = -1; bit < 8; bit++) {
				struct buf out;

				buf_init(&out, 100000);
				if (bit >= 0)
					copy[n] ^= (char)(1 << bit);
				(void)!read_bytes(&out, copy, bit < 0 ? n : len, NULL);
				if (bit >= 0)
					copy[n] ^= (char)(1 << bit);
				assert_int_equal(out.rc, RC_OK);
				buf_done(&out);
			}
		free(copy);
	}
}

static enum rc
stop(void *arg, const struct cert_found *c, struct err *err)
{
	(void)c;
	++*(int *)arg;
	return err_fail_at(err, RC_CONFLICT, __func__, "enough");
}

static void
whoever_has_enough_ends_it(void **state)
{
	char text[] = "serial\n05\n06\n";
	FILE *f = fmemopen(text, strlen(text), "r");
	struct err err = { 0 };
	size_t n;
	int calls = 0;

	(void)state;
	assert_int_equal(cert_stream_read(f, &n, stop, &calls, &err), RC_CONFLICT);
	assert_int_equal(calls, 1);
	(void)fclose(f);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_every_kind_are_read),
		cmocka_unit_test(powershell_saves_utf_16),
		cmocka_unit_test(der_is_one_certificate_and_has_its_limit),
		cmocka_unit_test(no_prefix_and_no_changed_bit_does_harm),
		cmocka_unit_test(whoever_has_enough_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
