/*
 * ipc_test.c - frames: what is written is read, and nothing else.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "signer/signer_ipc.h"
#include "signer/signer_ops.h"

#include "fixture.h"

/* ---- headers ---- */

static void
a_header_comes_back(void **state)
{
	struct ipc_header h = { IPC_UNWRAP, IPC_REQUEST, 0xdeadbeef, 0x01020304 }, back;
	uint8_t bytes[IPC_HEADER_LEN];

	ipc_header_put(bytes, &h);
	assert_int_equal(ipc_header_take(&back, bytes, NULL), RC_OK);
	assert_int_equal(back.op, h.op);
	assert_int_equal(back.kind, h.kind);
	assert_int_equal(back.id, h.id);
	assert_int_equal(back.len, h.len);
}

static void
headers_of_nothing_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *part;
	} t[] = {
		{ 0, 0, "version 0" },
		{ 0, 2, "version 2" },
		{ 1, 0, "kind" },
		{ 1, 3, "kind" },
		{ 2, 0, "operation" },
		{ 2, IPC_OP__MAX, "operation" },
		{ 2, 255, "operation" },
		{ 3, 1, "operation" },
	};
	struct ipc_header h = { IPC_STATS, IPC_REQUEST, 1, 2 };
	struct err err;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint8_t bytes[IPC_HEADER_LEN];

		ipc_header_put(bytes, &h);
		bytes[t[i].at] = t[i].value;
		assert_int_equal(ipc_header_take(&h, bytes, &err), RC_PARSE);
		assert_non_null(strstr(err.msg, t[i].part));
	}
}

static void
rows_say_what_is_admitted(void **state)
{
	struct err err;

	for (enum ipc_op op = IPC_SIGN_CERT; op < IPC_OP__MAX; op++) {
		const struct op_row *row = op_row0(op);
		struct ipc_header h = { op, IPC_REQUEST, 1, row->request_max };

		assert_non_null(row->name);
		assert_true(row->request_max >= IPC_PARAMS_MAX && row->answer_max > 600);
		assert_int_equal(ops_admit(&h, OPS_SERVING, &err), RC_OK);
		assert_int_equal(
		    ops_admit(&h, OPS_ENDING, &err), op == IPC_STATS ? RC_OK : RC_CONFLICT);
		h.len++;
		assert_int_equal(ops_admit(&h, OPS_SERVING, &err), RC_LIMIT);
		h.len = 0;
		h.kind = IPC_ANSWER;
		assert_int_equal(ops_admit(&h, OPS_SERVING, &err), RC_PARSE);
	}
}

/* ---- requests ---- */

static size_t
request_make(uint8_t *out, const char *ca, const void *data, size_t len)
{
	struct ipc_request q = { .digest = DIGEST_SHA384,
		.transport = { TRANSPORT_OAEP, DIGEST_SHA256, DIGEST_SHA1 },
		.cek_len = 24 };
	size_t n;

	assert_int_equal(ipc_params_put(out, &n, ca, &q, NULL), RC_OK);
	memcpy(out + n, data, len);
	return n + len;
}

static void
a_request_comes_back(void **state)
{
	uint8_t bytes[IPC_PARAMS_MAX + 100];
	size_t len = request_make(bytes, "issuing", "data", 4);
	struct ipc_request q;

	assert_int_equal(ipc_request_take(&q, bytes, len, NULL), RC_OK);
	assert_string_equal(q.ca, "issuing");
	assert_int_equal(q.digest, DIGEST_SHA384);
	assert_int_equal(q.transport.kind, TRANSPORT_OAEP);
	assert_int_equal(q.transport.oaep_digest, DIGEST_SHA256);
	assert_int_equal(q.transport.mgf1_digest, DIGEST_SHA1);
	assert_int_equal(q.cek_len, 24);
	assert_int_equal(q.data.len, 4);
	assert_memory_equal(q.data.p, "data", 4);
}

static void
names_are_bounded(void **state)
{
	char name[IPC_CA_MAX + 2];
	uint8_t bytes[IPC_PARAMS_MAX];
	struct ipc_request q = { .cek_len = 0 };
	size_t n;

	memset(name, 'x', sizeof(name));
	name[IPC_CA_MAX + 1] = '\0';
	assert_int_equal(ipc_params_put(bytes, &n, name, &q, NULL), RC_LIMIT);
	name[IPC_CA_MAX] = '\0';
	assert_int_equal(ipc_params_put(bytes, &n, name, &q, NULL), RC_OK);
	assert_int_equal(n, IPC_PARAMS_MAX);
	assert_int_equal(ipc_request_take(&q, bytes, n, NULL), RC_OK);
	assert_string_equal(q.ca, name);
	bytes[3] = '\0';
	assert_int_equal(ipc_request_take(&q, bytes, n, NULL), RC_PARSE);
}

/* Memory of just that size, so that a read past it is seen. */
static uint8_t *
exactly(const void *p, size_t len)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);

	assert_non_null(copy);
	memcpy(copy, p, len);
	return copy;
}

static void
a_request_cut_short_or_changed_is_refused_or_another(void **state)
{
	uint8_t bytes[IPC_PARAMS_MAX + 100];
	size_t len = request_make(bytes, "issuing", "", 0);
	struct ipc_request q;

	for (size_t n = 0; n < len; n++) {
		uint8_t *cut = exactly(bytes, n);

		assert_int_equal(ipc_request_take(&q, cut, n, NULL), RC_PARSE);
		free(cut);
	}
	for (size_t bit = 0; bit < 8 * len; bit++) {
		uint8_t *changed = exactly(bytes, len);

		changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (ipc_request_take(&q, changed, len, NULL) == RC_OK) {
			assert_true(q.digest < DIGEST__MAX && q.transport.kind <= TRANSPORT_OAEP);
			assert_true(q.transport.oaep_digest < DIGEST__MAX);
			assert_true(q.transport.mgf1_digest < DIGEST__MAX);
			assert_true(q.cek_len <= CEK_SIZE_MAX && strlen(q.ca) <= len);
		}
		free(changed);
	}
}

/* ---- answers ---- */

static void
an_error_crosses_the_wire_whole(void **state)
{
	struct err err = { 0 }, back = { 0 };
	struct ipc_header h;
	struct der result;
	struct buf out;

	err_fail_at(&err, RC_DENIED, "test", "signer: no");
	err_hint(&err, "ask again");
	buf_init(&out, 4096);
	assert_true(ipc_answer_room(&out));
	ipc_answer_begin(&out);
	buf_adds(&out, "half a result");
	ipc_answer_fail(&out, RC_DENIED, &err);
	ipc_answer_end(&out, IPC_STATS, 7);
	assert_int_equal(ipc_header_take(&h, out.data, NULL), RC_OK);
	assert_int_equal(h.kind, IPC_ANSWER);
	assert_int_equal(h.id, 7);
	assert_int_equal(h.len, out.len - IPC_HEADER_LEN);
	assert_int_equal(
	    ipc_answer_take(&result, out.data + IPC_HEADER_LEN, h.len, &back), RC_DENIED);
	assert_int_equal(back.rc, RC_DENIED);
	assert_string_equal(back.msg, "signer: no");
	assert_string_equal(back.hint, "ask again");
	assert_int_equal(
	    ipc_answer_take(&result, out.data + IPC_HEADER_LEN, h.len, NULL), RC_DENIED);
	/* Control characters in it stay one line; longest texts fit. */
	memset(err.msg, '\n', ERR_MSG_MAX - 1);
	memset(err.hint, 'h', ERR_HINT_MAX - 1);
	err.msg[ERR_MSG_MAX - 1] = err.hint[ERR_HINT_MAX - 1] = '\0';
	ipc_answer_fail(&out, RC_IO, &err);
	assert_int_equal(out.rc, RC_OK);
	assert_int_equal(
	    ipc_answer_take(&result, out.data + IPC_HEADER_LEN, out.len - IPC_HEADER_LEN, &back),
	    RC_IO);
	assert_null(strchr(back.msg, '\n'));
	assert_int_equal(strlen(back.hint), ERR_HINT_MAX - 1);
	buf_done(&out);
}

static void
answers_cut_short_or_changed_are_never_more_than_they_say(void **state)
{
	struct err err = { 0 }, back;
	struct der result;
	struct buf out;

	err_fail_at(&err, RC_DENIED, "test", "signer: no");
	err_hint(&err, "ask again");
	buf_init(&out, 4096);
	ipc_answer_begin(&out);
	ipc_answer_fail(&out, RC_DENIED, &err);
	for (size_t n = 0; n < out.len - IPC_HEADER_LEN; n++) {
		uint8_t *cut = exactly(out.data + IPC_HEADER_LEN, n);

		assert_int_equal(ipc_answer_take(&result, cut, n, &back), RC_PARSE);
		free(cut);
	}
	for (size_t bit = 0; bit < 8 * (out.len - IPC_HEADER_LEN); bit++) {
		size_t len = out.len - IPC_HEADER_LEN;
		uint8_t *changed = exactly(out.data + IPC_HEADER_LEN, len);

		changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (ipc_answer_take(&result, changed, len, &back) == RC_OK)
			assert_true(result.p >= changed && result.p + result.len <= changed + len);
		free(changed);
	}
	buf_done(&out);
}

/* ---- certificates and numbers ---- */

static void
certificates_come_back(void **state)
{
	struct kit *k = *state;
	struct signer_certs c = { { k->ra.cert, k->rsa.cert }, 2, k->ec.cert }, back;
	struct buf out;

	buf_init(&out, 100000);
	ipc_certs_put(&out, &c);
	ok(k, ipc_certs_take(&back, out.data, out.len, &k->err));
	assert_int_equal(back.n_ra, 2);
	assert_true(name_same(cert_subject0(back.ra[0]), cert_subject0(k->ra.cert)));
	assert_true(name_same(cert_subject0(back.ra[1]), cert_subject0(k->rsa.cert)));
	assert_true(name_same(cert_subject0(back.ocsp), cert_subject0(k->ec.cert)));
	signer_certs_done(&back);
	for (size_t n = 0; n < out.len; n++) {
		uint8_t *cut = exactly(out.data, n);

		assert_int_not_equal(ipc_certs_take(&back, cut, n, NULL), RC_OK);
		free(cut);
	}
	for (size_t bit = 0; bit < 8 * out.len; bit++) {
		out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (ipc_certs_take(&back, out.data, out.len, NULL) == RC_OK)
			signer_certs_done(&back);
		out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	buf_addc(&out, '\0');
	assert_int_equal(ipc_certs_take(&back, out.data, out.len, NULL), RC_PARSE);
	buf_reset(&out);
	c = (struct signer_certs){ .n_ra = 0 };
	ipc_certs_put(&out, &c);
	ok(k, ipc_certs_take(&back, out.data, out.len, &k->err));
	assert_int_equal(back.n_ra, 0);
	assert_null(back.ocsp);
	buf_done(&out);
}

static void
numbers_come_back(void **state)
{
	struct signer_stats s = { 1, 2, 3, 4, 5, 6, 7, 8, 9, -10 }, back;
	struct buf out;

	buf_init(&out, 1000);
	ipc_stats_put(&out, &s);
	assert_int_equal(ipc_stats_take(&back, out.data, out.len, NULL), RC_OK);
	assert_memory_equal(&s, &back, sizeof(s));
	for (size_t n = 0; n < out.len; n++)
		assert_int_equal(ipc_stats_take(&back, out.data, n, NULL), RC_PARSE);
	buf_done(&out);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_comes_back),
		cmocka_unit_test(headers_of_nothing_are_refused),
		cmocka_unit_test(rows_say_what_is_admitted),
		cmocka_unit_test(a_request_comes_back),
		cmocka_unit_test(names_are_bounded),
		cmocka_unit_test(a_request_cut_short_or_changed_is_refused_or_another),
		cmocka_unit_test(an_error_crosses_the_wire_whole),
		cmocka_unit_test(answers_cut_short_or_changed_are_never_more_than_they_say),
		cmocka_unit_test(certificates_come_back),
		cmocka_unit_test(numbers_come_back),
	};

	return cmocka_run_group_tests(tests, kit_setup, kit_teardown);
}
