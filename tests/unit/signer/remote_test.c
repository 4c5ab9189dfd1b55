/*
 * remote_test.c - a signer in another process is a signer; one that dies, hangs or talks nonsense
 * loses no call, and one channel's trouble is no other's.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "signer/signer_int.h"
#include "signer/signer_ipc.h"

#include "../ossl/crl_kit.h"
#include "wire.h"

/* ---- the same as here ---- */

static void
every_operation_crosses_the_wire(void **state)
{
	struct kit *k = *state;
	struct signer_stats stats;
	struct signer_server *v;
	struct signer_certs certs;
	struct signer *r;
	struct buf out;

	wire_both(k, k->s, 2, &r, &v);
	buf_init(&out, LIMIT_CHAIN);
	assert_true(wire_round(k, r));
	ok(k, signer_certs(r, "rsa", &certs, &k->err));
	assert_int_equal(certs.n_ra, 1);
	assert_non_null(certs.ocsp);
	ok(k, cert_verify_by(certs.ocsp, k->rsa.cert, &k->err));
	signer_certs_done(&certs);
	assert_int_equal(signer_next_ca(r, "rsa", &out, &k->err), RC_NOTFOUND);
	assert_int_equal(
	    signer_sign_ocsp(r, "rsa", (const uint8_t *)"0", 1, &out, &k->err), RC_PARSE);
	assert_int_equal(
	    signer_sign_certrep(r, "rsa", DIGEST_SHA256, (const uint8_t *)"0", 1, &out, &k->err),
	    RC_DENIED);
	assert_int_equal(
	    signer_sign_crl(r, "rsa", (const uint8_t *)"0", 1, &out, &k->err), RC_PARSE);
	assert_int_equal(out.len, 0);
	ok(k, signer_stats(r, &stats, &k->err));
	assert_true(stats.unwraps > 0 && stats.certs > 0 && stats.denied > 0 && stats.started > 0);
	assert_int_equal(stats.restarts, 0);
	signer_tick(r, 0);
	signer_close(r);
	signer_server_free(v);
	buf_done(&out);
}

static void
errors_have_kind_and_words(void **state)
{
	struct kit *k = *state;
	struct signer_server *v;
	struct cert_fields f;
	struct signer *r;
	struct buf tbs, out;

	wire_both(k, k->s, 1, &r, &v);
	buf_init(&tbs, LIMIT_CERT);
	buf_init(&out, LIMIT_CERT);
	kit_fields(k, &k->rsa, &f);
	f.is_ca = true;
	ok(k, cert_tbs_build(&tbs, &f, &k->err));
	assert_int_equal(signer_sign_cert(r, "rsa", tbs.data, tbs.len, &out, &k->err), RC_DENIED);
	assert_non_null(strstr(k->err.msg, "basicConstraints"));
	assert_int_equal(
	    signer_sign_cert(r, "nobody", tbs.data, tbs.len, &out, &k->err), RC_NOTFOUND);
	assert_non_null(strstr(k->err.msg, "nobody"));
	signer_close(r);
	signer_server_free(v);
	buf_done(&tbs);
	buf_done(&out);
}

/* A million entries are 40 MiB: they cross once, and only the signature comes back. */
static void
a_list_of_many_megabytes_crosses(void **state)
{
	static struct crl_entry entries[200000];
	struct kit *k = *state;
	struct crl_fields f = { .issuer = k->ec.cert,
		.digest = DIGEST_SHA256,
		.this_update = BEGIN,
		.next_update = BEGIN + DAY,
		.number = 100,
		.entries = entries,
		.n_entries = sizeof(entries) / sizeof(entries[0]) };
	struct signer_server *v;
	struct signer *r;
	struct buf tbs, crl;

	for (size_t i = 0; i < f.n_entries; i++) {
		entries[i] = (struct crl_entry){ { { 0x70 }, 16 }, BEGIN, -1 };
		memcpy(entries[i].serial.v + 4, &i, sizeof(i));
	}
	wire_both(k, k->s, 1, &r, &v);
	buf_init(&tbs, 32 * MIB);
	buf_init(&crl, 32 * MIB);
	crl_kit_tbs(&tbs, &f);
	assert_true(tbs.len > 5 * MIB);
	ok(k, signer_sign_crl(r, "ec", tbs.data, tbs.len, &crl, &k->err));
	ok(k, key_verify(k->ec.key, DIGEST_SHA256, tbs.data, tbs.len, crl.data, crl.len, &k->err));
	assert_true(wire_round(k, r)); /* and the channel goes on */
	signer_close(r);
	signer_server_free(v);
	buf_done(&tbs);
	buf_done(&crl);
}

/* ---- nonsense ---- */

/* true: the server has closed this channel without an answer. */
static bool
is_closed(int fd)
{
	char c;

	return recv(fd, &c, 1, 0) == 0;
}

static void
what_is_no_frame_ends_its_channel_and_no_other(void **state)
{
	static const uint8_t frames[][IPC_HEADER_LEN] = {
		{ 9, 1, 8, 0, 0, 0, 0, 1, 0, 0, 0, 6 },                 /* version */
		{ 1, 2, 8, 0, 0, 0, 0, 1, 0, 0, 0, 6 },                 /* an answer */
		{ 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 6 },                 /* operation */
		{ 1, 1, 200, 0, 0, 0, 0, 1, 0, 0, 0, 6 },               /* operation */
		{ 1, 1, 8, 7, 0, 0, 0, 1, 0, 0, 0, 6 },                 /* reserved */
		{ 1, 1, IPC_STATS, 0, 0, 0, 0, 1, 0, 0, 2, 0 },         /* too long for stats */
		{ 1, 1, IPC_UNWRAP, 0, 0, 0, 0, 1, 0, 1, 0, 0 },        /* ... for a wrapped key */
		{ 1, 1, IPC_SIGN_CRL, 0, 0, 0, 0, 1, 0xff, 255, 1, 1 }, /* ... for a list */
	};
	struct kit *k = *state;
	struct signer_server *v;
	struct signer *r;

	wire_both(k, k->s, 1, &r, &v);
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		int near, far;

		wire_pairs(&near, &far, 1);
		ok(k, signer_server_attach(v, &far, 1, &k->err));
		assert_int_equal(
		    send(near, frames[i], IPC_HEADER_LEN, MSG_NOSIGNAL), IPC_HEADER_LEN);
		assert_true(is_closed(near));
		close(near);
		assert_true(wire_round(k, r));
	}
	signer_close(r);
	signer_server_free(v);
}

/* A whole request of an unwrap, as the remote sends it. */
static size_t
frame_make(uint8_t *out, size_t wrapped_len)
{
	struct ipc_request q = { .transport = { TRANSPORT_PKCS1V15, 0, 0 }, .cek_len = 16 };
	struct ipc_header h = { IPC_UNWRAP, IPC_REQUEST, 5, 0 };
	size_t n;

	assert_int_equal(ipc_params_put(out + IPC_HEADER_LEN, &n, "rsa", &q, NULL), RC_OK);
	memset(out + IPC_HEADER_LEN + n, 1, wrapped_len);
	h.len = (uint32_t)(n + wrapped_len);
	ipc_header_put(out, &h);
	return IPC_HEADER_LEN + h.len;
}

static void
a_request_cut_short_at_any_length_harms_nobody(void **state)
{
	struct kit *k = *state;
	struct signer_server *v;
	uint8_t frame[1000];
	struct signer *r;
	size_t len = frame_make(frame, 40);

	wire_both(k, k->s, 1, &r, &v);
	for (size_t n = 0; n < len; n++) {
		int near, far;

		wire_pairs(&near, &far, 1);
		ok(k, signer_server_attach(v, &far, 1, &k->err));
		if (n > 0)
			assert_int_equal(send(near, frame, n, MSG_NOSIGNAL), (ssize_t)n);
		shutdown(near, SHUT_WR);
		assert_true(is_closed(near));
		close(near);
	}
	assert_true(wire_round(k, r));
	signer_close(r);
	signer_server_free(v);
}

static void
a_request_with_one_bit_changed_is_answered_or_ends_its_channel(void **state)
{
	struct kit *k = *state;
	struct signer_server *v;
	uint8_t frame[1000], answer[4000];
	struct signer *r;
	size_t len = frame_make(frame, 8);

	wire_both(k, k->s, 1, &r, &v);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		int near, far;

		wire_pairs(&near, &far, 1);
		ok(k, signer_server_attach(v, &far, 1, &k->err));
		frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(send(near, frame, len, MSG_NOSIGNAL), (ssize_t)len);
		frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
		shutdown(near, SHUT_WR);
		while (recv(near, answer, sizeof(answer), 0) > 0)
			;
		close(near);
	}
	assert_true(wire_round(k, r));
	signer_close(r);
	signer_server_free(v);
}

static void
more_than_one_request_at_a_time_ends_the_channel(void **state)
{
	struct kit *k = *state;
	uint8_t frame[2000];
	size_t len = frame_make(frame, 40);
	struct signer_server *v;
	int near, far;

	memcpy(frame + len, frame, len);
	wire_pairs(&near, &far, 1);
	ok(k, signer_server_new(&v, k->s, &k->err));
	ok(k, signer_server_attach(v, &far, 1, &k->err));
	assert_int_equal(send(near, frame, 2 * len, MSG_NOSIGNAL), (ssize_t)(2 * len));
	assert_true(is_closed(near));
	close(near);
	signer_server_free(v);
}

/* The other direction: a far end that answers with these bytes, whatever it is asked. */
struct liar {
	int fd;
	const uint8_t *bytes;
	size_t len;
};

static void *
lie(void *arg)
{
	struct liar *l = arg;
	uint8_t in[4000];

	while (recv(l->fd, in, sizeof(in), 0) > 0)
		if (send(l->fd, l->bytes, l->len, MSG_NOSIGNAL) < 0 ||
		    shutdown(l->fd, SHUT_WR) != 0)
			break;
	close(l->fd);
	return NULL;
}

#define SOON 20 /* ms: there is no other signer to wait for */

static enum rc
ask_liars(struct kit *k, const uint8_t *bytes, size_t len, int64_t wait_ms)
{
	static const struct transport t = { TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE };
	struct liar liars[3];
	pthread_t threads[3];
	uint8_t cek[16], wrapped[40] = { 1 };
	int near[3], far[3];
	struct signer *r;
	enum rc rc;

	wire_pairs(near, far, 3);
	ok(k, signer_remote_new(&r, &k->err));
	signer_remote_wait_set(r, wait_ms);
	for (int i = 0; i < 3; i++) {
		liars[i] = (struct liar){ far[i], bytes, len };
		assert_int_equal(pthread_create(&threads[i], NULL, lie, &liars[i]), 0);
	}
	signer_remote_attach(r, near, 3);
	rc = signer_unwrap(r, "rsa", &t, wrapped, sizeof(wrapped), cek, 16, &k->err);
	signer_close(r);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	return rc;
}

static size_t
answer_make(uint8_t *out)
{
	struct ipc_header h = { IPC_UNWRAP, IPC_ANSWER, 1, 17 };

	ipc_header_put(out, &h);
	out[IPC_HEADER_LEN] = RC_OK;
	memset(out + IPC_HEADER_LEN + 1, 'k', 16);
	return IPC_HEADER_LEN + 17;
}

static void
answers_that_are_none_are_no_result(void **state)
{
	struct kit *k = *state;
	uint8_t answer[100];
	size_t len = answer_make(answer);

	assert_int_equal(ask_liars(k, answer, len, 60000), RC_OK);
	for (size_t n = 0; n < len; n++)
		assert_int_equal(ask_liars(k, answer, n, SOON), RC_IO);
	/* Of the header every bit counts; behind it, the kind of the result. */
	for (size_t bit = 0; bit < 8 * (IPC_HEADER_LEN + 1); bit++) {
		answer[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(ask_liars(k, answer, len, SOON), RC_OK);
		answer[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	/* More than was asked for. */
	answer[len] = 'k';
	assert_int_equal(ask_liars(k, answer, len + 1, SOON), RC_IO);
}

/* ---- a signer that dies ---- */

/* A process with the keys, at the far end of n channels; killed by its number. */
static pid_t
signer_process(struct kit *k, int *near, size_t n)
{
	int far[SIGNER_CHANNELS_MAX];
	struct signer_server *v;
	struct signer *s;
	pid_t pid;

	wire_pairs(near, far, n);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct signer_ca cas[2];

		prctl(PR_SET_PDEATHSIG, SIGKILL); /* when a claim fails, nobody kills it */
		struct signer_conf conf = { .cas = cas, .n_cas = 2 };

		for (size_t i = 0; i < n; i++)
			close(near[i]);
		kit_ca_conf(k, cas);
		if (signer_open(&s, &conf, &k->err) != RC_OK ||
		    signer_server_new(&v, s, &k->err) != RC_OK ||
		    signer_server_attach(v, far, n, &k->err) != RC_OK)
			_exit(9);
		for (;;)
			pause();
	}
	for (size_t i = 0; i < n; i++)
		close(far[i]);
	return pid;
}

#define CALLERS  8
#define LIVES    12
#define CHANNELS 4

struct caller {
	struct kit *k;
	struct signer *r;
	atomic_bool *stop;
	atomic_uint *lost, done;
};

static void *
keep_calling(void *arg)
{
	struct caller *c = arg;

	while (!atomic_load(c->stop)) {
		if (!wire_round(c->k, c->r))
			atomic_fetch_add(c->lost, 1);
		atomic_fetch_add(&c->done, 1);
	}
	return NULL;
}

/* Of each: so none of them has the same call in flight when the next signer dies, as one that three died of is refused. */
static void
wait_until_each_has_one_more(struct caller *v)
{
	unsigned then[CALLERS];

	for (int i = 0; i < CALLERS; i++)
		then[i] = atomic_load(&v[i].done);
	for (int i = 0; i < CALLERS; i++)
		while (atomic_load(&v[i].done) == then[i])
			usleep(1000);
}

static void
no_call_is_lost_when_the_signer_is_killed(void **state)
{
	struct kit *k = *state;
	atomic_bool stop = false;
	atomic_uint lost = 0;
	pthread_t threads[CALLERS];
	struct caller c[CALLERS];
	struct signer *r;
	struct signer_stats stats;
	int near[LIVES + 1][CHANNELS];
	pid_t pid[LIVES + 1];

	/* Made before there is a thread: a fork() of many has the locks of one. */
	for (int life = 0; life <= LIVES; life++)
		pid[life] = signer_process(k, near[life], CHANNELS);
	ok(k, signer_remote_new(&r, &k->err));
	signer_remote_wait_set(r, 60000);
	for (int i = 0; i < CALLERS; i++) {
		c[i] = (struct caller){ k, r, &stop, &lost, 0 };
		assert_int_equal(pthread_create(&threads[i], NULL, keep_calling, &c[i]), 0);
	}
	for (int life = 0; life < LIVES; life++) {
		signer_remote_attach(r, near[life], CHANNELS);
		wait_until_each_has_one_more(c); /* ... and in the middle of others it dies */
		assert_int_equal(kill(pid[life], SIGKILL), 0);
		assert_int_equal(waitpid(pid[life], NULL, 0), pid[life]);
	}
	atomic_store(&stop, true);
	signer_remote_attach(r, near[LIVES], CHANNELS);
	for (int i = 0; i < CALLERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(lost, 0);
	ok(k, signer_stats(r, &stats, &k->err));
	assert_int_equal(stats.restarts, LIVES);
	signer_close(r);
	kill(pid[LIVES], SIGKILL);
	waitpid(pid[LIVES], NULL, 0);
}

static void
without_a_signer_a_call_ends_in_time(void **state)
{
	struct kit *k = *state;
	struct signer_stats stats;
	struct signer *r;

	ok(k, signer_remote_new(&r, &k->err));
	signer_remote_wait_set(r, 50);
	assert_int_equal(signer_stats(r, &stats, &k->err), RC_IO);
	assert_non_null(strstr(k->err.msg, "no channel"));
	signer_close(r);
}

/* One that dies of every request, and is started again. */
struct fragile {
	struct signer *r;
	int far[5];
	atomic_uint lives;
};

static void *
die_of_requests(void *arg)
{
	struct fragile *f = arg;
	char byte;

	for (int i = 0; i < 5 && recv(f->far[i], &byte, 1, 0) > 0; i++) {
		int near;

		atomic_fetch_add(&f->lives, 1);
		close(f->far[i]);
		if (i == 4)
			break;
		wire_pairs(&near, &f->far[i + 1], 1);
		signer_remote_attach(f->r, &near, 1);
	}
	return NULL;
}

static void
a_request_that_ends_three_signers_is_not_sent_to_a_fourth(void **state)
{
	struct kit *k = *state;
	struct signer_stats stats;
	struct fragile f = { .lives = 0 };
	pthread_t thread;
	int near;

	wire_pairs(&near, &f.far[0], 1);
	ok(k, signer_remote_new(&f.r, &k->err));
	signer_remote_attach(f.r, &near, 1);
	assert_int_equal(pthread_create(&thread, NULL, die_of_requests, &f), 0);
	assert_int_equal(signer_stats(f.r, &stats, &k->err), RC_IO);
	assert_non_null(strstr(k->err.msg, "3 of them ended"));
	signer_close(f.r);
	pthread_join(thread, NULL);
	assert_int_equal(f.lives, 3);
	close(f.far[3]);
}

static void
a_dead_signers_channels_count_as_one(void **state)
{
	struct kit *k = *state;
	int near[8], far[8];
	struct signer_stats stats;
	struct signer *r;

	wire_pairs(near, far, 8);
	for (int i = 0; i < 7; i++)
		close(far[i + 1]); /* the first is tried last */
	ok(k, signer_remote_new(&r, &k->err));
	signer_remote_attach(r, near, 8);
	{
		struct signer_server *v;

		ok(k, signer_server_new(&v, k->s, &k->err));
		ok(k, signer_server_attach(v, far, 1, &k->err));
		ok(k, signer_stats(r, &stats, &k->err));
		signer_close(r);
		signer_server_free(v);
	}
}

/* ---- a signer that lives, and closes channels ---- */

/* Whoever is told that channels are wanted: those that he gives are a server's, or closed again. */
struct giver {
	struct kit *k;
	struct signer *r;
	struct signer_server *v;
	size_t asked, times;
};

static void
give(void *arg, size_t n)
{
	struct giver *g = arg;
	int near[SIGNER_CHANNELS_MAX], far[SIGNER_CHANNELS_MAX];

	g->asked = n;
	g->times++;
	wire_pairs(near, far, n);
	if (g->v != NULL)
		ok(g->k, signer_server_attach(g->v, far, n, &g->k->err));
	else
		for (size_t i = 0; i < n; i++)
			close(far[i]);
	signer_remote_add(g->r, near, n);
}

static void
give_nothing(void *arg, size_t n)
{
	struct giver *g = arg;

	g->asked = n;
	g->times++;
}

/* A front whose channels, n of them, the signer has closed. */
static void
closed_by_the_signer(struct giver *g, size_t n, signer_wanted_fn *fn)
{
	int near[SIGNER_CHANNELS_MAX], far[SIGNER_CHANNELS_MAX];

	wire_pairs(near, far, n);
	ok(g->k, signer_remote_new(&g->r, &g->k->err));
	signer_remote_on_wanted(g->r, fn, g);
	signer_remote_attach(g->r, near, n);
	for (size_t i = 0; i < n; i++)
		close(far[i]);
}

static void
channels_that_a_living_signer_closes_are_replaced(void **state)
{
	struct giver g = { .k = *state };
	struct signer_stats stats;
	int near, far;

	ok(g.k, signer_server_new(&g.v, g.k->s, &g.k->err));
	closed_by_the_signer(&g, 5, give);
	assert_true(wire_round(g.k, g.r));
	assert_in_range(g.asked, 1, 5);
	assert_int_equal(g.times, 1);
	ok(g.k, signer_stats(g.r, &stats, &g.k->err));
	assert_int_equal(stats.restarts, 0);
	/* Those of the next signer are of another life, and all there are. */
	wire_pairs(&near, &far, 1);
	ok(g.k, signer_server_attach(g.v, &far, 1, &g.k->err));
	signer_remote_attach(g.r, &near, 1);
	ok(g.k, signer_stats(g.r, &stats, &g.k->err));
	assert_int_equal(stats.restarts, 1);
	assert_int_equal(g.times, 1);
	signer_close(g.r);
	signer_server_free(g.v);
}

static void
channels_are_asked_for_once_a_second(void **state)
{
	struct giver g = { .k = *state };
	struct signer_stats stats;

	closed_by_the_signer(&g, 3, give_nothing);
	signer_remote_wait_set(g.r, 1500);
	assert_int_equal(signer_stats(g.r, &stats, &g.k->err), RC_IO);
	assert_non_null(strstr(g.k->err.msg, "no channel"));
	assert_int_equal(g.asked, 3); /* the first time one was known */
	assert_int_equal(g.times, 2);
	signer_close(g.r);
}

static void
a_request_does_not_use_up_channels_for_ever(void **state)
{
	struct giver g = { .k = *state };
	struct buf out;

	buf_init(&out, LIMIT_CHAIN);
	closed_by_the_signer(&g, 3, give);
	signer_remote_wait_set(g.r, 60000);
	assert_int_equal(signer_next_ca(g.r, "rsa", &out, &g.k->err), RC_IO);
	assert_non_null(strstr(g.k->err.msg, "3 of them ended"));
	assert_int_equal(g.times, 3);
	signer_close(g.r);
	buf_done(&out);
}

/* ---- a signer that hangs ---- */

struct slow {
	struct signer base;
	atomic_bool go;
	atomic_uint within;
};

static enum rc
slow_stats(struct signer *s, struct signer_stats *out, struct err *err)
{
	struct slow *slow = (struct slow *)s;

	atomic_fetch_add(&slow->within, 1);
	while (!atomic_load(&slow->go))
		usleep(1000);
	*out = (struct signer_stats){ .certs = 42 };
	return RC_OK;
}

static const struct signer_ops slow_ops = { .stats = slow_stats };

/* A question that was sent is read whenever the signer's thread has its turn. */
static void
until_asked(struct slow *slow)
{
	for (int i = 0; i < 60000 && atomic_load(&slow->within) == 0; i++)
		usleep(1000);
}

/* A rush: calls that get a channel when their time is nearly up.  Nothing is wrong with the channel. */
static void
a_late_answer_costs_no_channel(void **state)
{
	struct kit *k = *state;
	struct slow slow = { { &slow_ops }, false, 0 };
	struct signer_stats stats;
	struct signer_server *v;
	struct signer *r;

	wire_both(k, &slow.base, 1, &r, &v);
	signer_remote_wait_set(r, 20);
	for (int i = 0; i < 3; i++)
		assert_int_equal(signer_stats(r, &stats, &k->err), RC_IO);
	until_asked(&slow);
	assert_int_equal(atomic_load(&slow.within), 1); /* the others found it busy */
	atomic_store(&slow.go, true);
	signer_remote_wait_set(r, 60000);
	for (unsigned i = 2; i < 5; i++) {
		ok(k, signer_stats(r, &stats, &k->err));
		assert_int_equal(atomic_load(&slow.within), i);
	}
	signer_close(r);
	signer_server_free(v);
}

static void
a_signer_that_hangs_is_seen_from_both_ends(void **state)
{
	/* Below what one recv() waits at most, and above. */
	static const int64_t patience[2] = { 100, 300 };
	struct kit *k = *state;
	struct slow slow = { { &slow_ops }, false, 0 };
	struct signer_stats stats;
	struct signer_server *v;
	struct signer *r;

	wire_both(k, &slow.base, 3, &r, &v);
	assert_int_equal(signer_server_busy_ms(v), 0);
	for (size_t i = 0; i < 2; i++) {
		int64_t start = clock_mono_ms();

		signer_remote_wait_set(r, patience[i]);
		assert_int_equal(signer_stats(r, &stats, &k->err), RC_IO);
		assert_non_null(strstr(k->err.msg, "no answer to stats in time"));
		assert_true(clock_mono_ms() - start >= patience[i]);
	}
	for (int i = 0; i < 60000 && signer_server_busy_ms(v) <= 0; i++)
		usleep(1000);
	assert_true(signer_server_busy_ms(v) > 0);
	atomic_store(&slow.go, true);
	/* The last channel is as good as before; the late answer is nobody's. */
	signer_remote_wait_set(r, 60000);
	ok(k, signer_stats(r, &stats, &k->err));
	assert_int_equal(stats.certs, 42);
	signer_close(r);
	signer_server_free(v);
}

static void *
ask_stats(void *arg)
{
	struct signer_stats stats = { 0 };

	(void)!signer_stats(arg, &stats, NULL);
	return (void *)(uintptr_t)stats.certs;
}

static void *
let_go(void *arg)
{
	struct slow *slow = arg;

	usleep(50000);
	atomic_store(&slow->go, true);
	return NULL;
}

static void
an_operation_in_progress_is_answered_before_the_end(void **state)
{
	struct kit *k = *state;
	struct slow slow = { { &slow_ops }, false, 0 };
	struct signer_server *v;
	pthread_t asker, goer;
	struct signer *r;
	void *certs;

	wire_both(k, &slow.base, 4, &r, &v);
	assert_int_equal(pthread_create(&asker, NULL, ask_stats, r), 0);
	while (atomic_load(&slow.within) == 0)
		usleep(1000);
	assert_int_equal(pthread_create(&goer, NULL, let_go, &slow), 0);
	signer_server_free(v);
	pthread_join(asker, &certs);
	pthread_join(goer, NULL);
	assert_int_equal((uintptr_t)certs, 42);
	signer_close(r);
}

/* ---- channels ---- */

static void
channels_are_bounded_and_their_places_used_again(void **state)
{
	struct kit *k = *state;
	struct signer_server *v;
	int near, far;

	ok(k, signer_server_new(&v, k->s, &k->err));
	for (int i = 0; i < 3 * SIGNER_CHANNELS_MAX; i++) {
		/* The place of one whose thread is at its end is free a moment later. */
		for (int tries = 0;; tries++) {
			wire_pairs(&near, &far, 1);
			if (signer_server_attach(v, &far, 1, &k->err) == RC_OK)
				break;
			close(near);
			assert_in_range(tries, 0, 60000);
			usleep(1000);
		}
		shutdown(near, SHUT_WR);
		assert_true(is_closed(near)); /* its thread is at its end */
		close(near);
	}
	signer_server_free(v);
	{
		int many_near[SIGNER_CHANNELS_MAX + 1], many_far[SIGNER_CHANNELS_MAX + 1];

		wire_pairs(many_near, many_far, SIGNER_CHANNELS_MAX + 1);
		ok(k, signer_server_new(&v, k->s, &k->err));
		assert_int_equal(
		    signer_server_attach(v, many_far, SIGNER_CHANNELS_MAX + 1, &k->err), RC_LIMIT);
		assert_true(is_closed(many_near[SIGNER_CHANNELS_MAX]));
		for (int i = 0; i <= SIGNER_CHANNELS_MAX; i++)
			close(many_near[i]);
		signer_server_free(v);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_call_is_lost_when_the_signer_is_killed),
		cmocka_unit_test(every_operation_crosses_the_wire),
		cmocka_unit_test(errors_have_kind_and_words),
		cmocka_unit_test(a_list_of_many_megabytes_crosses),
		cmocka_unit_test(what_is_no_frame_ends_its_channel_and_no_other),
		cmocka_unit_test(a_request_cut_short_at_any_length_harms_nobody),
		cmocka_unit_test(a_request_with_one_bit_changed_is_answered_or_ends_its_channel),
		cmocka_unit_test(more_than_one_request_at_a_time_ends_the_channel),
		cmocka_unit_test(answers_that_are_none_are_no_result),
		cmocka_unit_test(without_a_signer_a_call_ends_in_time),
		cmocka_unit_test(a_request_that_ends_three_signers_is_not_sent_to_a_fourth),
		cmocka_unit_test(a_dead_signers_channels_count_as_one),
		cmocka_unit_test(channels_that_a_living_signer_closes_are_replaced),
		cmocka_unit_test(channels_are_asked_for_once_a_second),
		cmocka_unit_test(a_request_does_not_use_up_channels_for_ever),
		cmocka_unit_test(a_late_answer_costs_no_channel),
		cmocka_unit_test(a_signer_that_hangs_is_seen_from_both_ends),
		cmocka_unit_test(an_operation_in_progress_is_answered_before_the_end),
		cmocka_unit_test(channels_are_bounded_and_their_places_used_again),
	};

	return cmocka_run_group_tests(tests, kit_setup, kit_teardown);
}
