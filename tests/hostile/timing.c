/*
 * timing.c - does the time of an answer tell what was wrong inside an envelope?
 *
 *	timing [--messages N] [--seed N]                          in this process
 *	timing --without-rsa ...                                  the same, but the private operation was done beforehand
 *	timing --host H --port P --path /scep/NAME --ra PEM ...   by the answers of a running server
 *
 * Whoever can tell a wrong PKCS#1 padding from a right one decrypts what he likes with the RA's key, with
 * some 10^4 to 10^6 messages (Bleichenbacher 1998); whoever can tell a wrong CBC padding does so with
 * 128 a byte (Vaudenay 2002).  So messages that are wrong in different places, prepared beforehand and
 * in an order drawn at random, are timed from their first byte to the verdict, and kinds are compared
 * by a Welch t-test on several crops of the sample, as dudect does it (Reparaz, Balasch,
 * Verbauwhede 2017): the slowest are cut away, as noise has a long tail and a leak is in the bulk.
 * On a machine that does other work the fastest tenth are those that nobody disturbed.
 * |t| beyond 5 is a difference that this many messages tell; with 8 crops and 5 pairs it comes by chance not more often than
 * once in 4 * 10^4 runs.  Answers are compared as well: their text, failInfo and step have to be equal.
 *
 * In this process the clock is the thread's own, so that others on the machine add little.  Without the
 * RSA operation, whose blinding is most of the noise, differences of some nanoseconds show that no attacker
 * could see: that run says where a leak would be.
 *
 * Prints a table; exit status 1 when a difference was told, 2 when something went wrong.  Not for a machine that does
 * other things: noise hides leaks.
 */
#include "../unit/scep/wrong_kit.h"

#include <math.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "scep/attrs.h"
#include "scep/request_csr.h"

#define POOL     128 /* prepared messages of a kind: more, and the test would be of the caches */
#define TOLD     5.0
#define CROP_MIN 30 /* of each kind: fewer have no mean that Welch's test could be made with */
#define ANSWER   65536

static const char *host, *port = "80", *path = "/scep/default";
static bool without_rsa;
static struct actor target; /* the RA of the server, or world.ra; its key may be unknown */

/* ---- the private operation, done beforehand ---- */

static uint8_t unwrapped[CEK_SIZE_MAX];

static int
no_sign(void *ctx, enum scep_digest digest, const uint8_t *tbs, size_t tbs_len, uint8_t *sig,
    size_t *sig_len)
{
	return -1;
}

static int
hand_over(void *ctx, const struct scep_transport *t, const uint8_t *wrapped, size_t wrapped_len,
    uint8_t *cek, size_t cek_len)
{
	memcpy(cek, unwrapped, cek_len);
	return 0;
}

/* What the RA's key makes of the message: for a wrong padding that is a random key. */
static void
unwrap_now(const struct buf *envelope, uint8_t cek[static 16])
{
	static const struct transport v15 = { TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE };
	struct cms_enveloped *e = NULL;
	struct err err = { 0 };
	struct der wrapped;

	assert_ok(cms_enveloped_parse(&e, envelope->data, envelope->len, &err), err);
	wrapped = cms_enveloped_key0(e, 0);
	assert_ok(key_unwrap(cek, 16, target.key, &v15, wrapped.p, wrapped.len, &err), err);
	cms_enveloped_free(e);
}

static struct buf
message_of(enum wrong k, uint8_t cek[static 16])
{
	struct buf e = envelope_wrong(k, &target), m = message_around(&e);

	if (without_rsa)
		unwrap_now(&e, cek);
	buf_done(&e);
	return m;
}

/* ---- verdicts ---- */

static struct scep_identity *judge_id;

static double
now_us(void)
{
	struct timespec t;

	(void)clock_gettime(host != NULL ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* What an answer tells, without what is fresh in each. */
static void
judge_here(const struct buf *b, char *verdict, size_t room)
{
	struct scep_message *m = NULL;
	struct scep_request *r = NULL;
	struct scep_error se = { 0 };
	struct csr *csr = NULL;
	struct err err = { 0 };
	bool own;

	if (scep_message_parse(&m, b->data, b->len, &se) != SCEP_OK)
		(void)snprintf(verdict, room, "no message: %s", se.text);
	else if (scep_request_open(&r, m, &judge_id, 1, &se) != SCEP_OK)
		(void)snprintf(verdict, room, "failInfo %d: %s", (int)se.fail_info, se.text);
	else if (scep_request_csr(&csr, &own, r, &err) != RC_OK)
		(void)snprintf(verdict, room, "failInfo %d: %s",
		    (int)err_reaction(err.rc)->fail_info, err.msg);
	else
		(void)snprintf(verdict, room, "taken");
	csr_free(csr);
	scep_request_free(r);
	scep_message_free(m);
}

static int
dial_server(void)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *a = NULL;
	int fd = -1;

	if (getaddrinfo(host, port, &hints, &a) == 0) {
		fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0)
			(void)close(fd), fd = -1;
		freeaddrinfo(a);
	}
	if (fd < 0) {
		fprintf(stderr, "timing: cannot connect to %s:%s\n", host, port);
		exit(2);
	}
	return fd;
}

/* The answer's attributes that are not fresh: status, failInfo and failInfoText of a CertRep. */
static void
judge_there(const struct buf *b, char *verdict, size_t room)
{
	static int fd = -1;
	static char answer[ANSWER];
	char head[512];
	size_t got = 0, want = 0;
	struct cms_signed *s = NULL;
	struct cms_value v;
	char *body = NULL;
	struct err err;
	ssize_t n;
	int len;

	if (fd < 0)
		fd = dial_server();
	len = snprintf(head, sizeof(head),
	    "POST %s?operation=PKIOperation HTTP/1.1\r\nHost: %s\r\nContent-Length: %zu\r\n\r\n",
	    path, host, b->len);
	if (send(fd, head, (size_t)len, MSG_MORE) != len ||
	    send(fd, b->data, b->len, 0) != (ssize_t)b->len)
		goto broken;
	while (body == NULL || got < want) {
		if ((n = recv(fd, answer + got, sizeof(answer) - 1 - got, 0)) <= 0)
			goto broken;
		got += (size_t)n;
		answer[got] = '\0';
		if (body == NULL && (body = strstr(answer, "\r\n\r\n")) != NULL) {
			const char *cl = strstr(answer, "Content-Length: ");

			body += 4;
			want =
			    (size_t)(body - answer) + (cl != NULL ? strtoul(cl + 16, NULL, 10) : 0);
			if (want >= sizeof(answer))
				goto broken;
		}
	}
	(void)snprintf(verdict, room, "%.12s", answer);
	if (cms_signed_parse(&s, (uint8_t *)body, want - (size_t)(body - answer), &err) == RC_OK) {
		if (cms_signed_attr(s, OID_FAIL_INFO_TEXT, &v, NULL) == RC_OK)
			(void)snprintf(verdict, room, "%.12s: %.*s", answer, (int)v.whole.len - 2,
			    (const char *)v.whole.p + 2);
		cms_signed_free(s);
	}
	return;
broken:
	fprintf(stderr, "timing: the server ended the conversation\n");
	exit(2);
}

/* ---- statistics ---- */

struct sample {
	double *us;
	size_t n;
};

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
moments(const struct sample *s, double below, double *mean, double *var, double *n)
{
	double sum = 0, squares = 0;

	*n = 0;
	for (size_t i = 0; i < s->n; i++)
		if (s->us[i] <= below) {
			sum += s->us[i];
			*n += 1;
		}
	*mean = *n > 0 ? sum / *n : 0;
	for (size_t i = 0; i < s->n; i++)
		if (s->us[i] <= below)
			squares += (s->us[i] - *mean) * (s->us[i] - *mean);
	*var = *n > 1 ? squares / (*n - 1) : 0;
}

/*
 * The greatest |t| over the crops; *difference: of the means in that crop.  *finest: the least difference that the quietest
 * crop would have told, without which "not told apart" says nothing.
 */
static double
compare(const struct sample *a, const struct sample *b, double *difference, double *error,
    double *finest)
{
	static const double crops[] = { 1.0, 0.99, 0.95, 0.9, 0.75, 0.5, 0.25, 0.1 };
	struct sample both = { malloc((a->n + b->n) * sizeof(double)), a->n + b->n };
	double worst = 0;

	if (both.us == NULL)
		exit(2);
	memcpy(both.us, a->us, a->n * sizeof(double));
	memcpy(both.us + a->n, b->us, b->n * sizeof(double));
	qsort(both.us, both.n, sizeof(double), by_size);
	for (size_t i = 0; i < N(crops); i++) {
		double below = both.us[(size_t)((double)(both.n - 1) * crops[i])], ma, va, na, mb,
		       vb, nb, se, t;

		moments(a, below, &ma, &va, &na);
		moments(b, below, &mb, &vb, &nb);
		if (na < CROP_MIN || nb < CROP_MIN)
			continue;
		se = sqrt(va / na + vb / nb);
		t = se > 0 ? fabs(mb - ma) / se : 0;
		if (se > 0 && (*finest == 0 || TOLD * se < *finest))
			*finest = TOLD * se;
		if (t >= worst) {
			worst = t;
			*difference = mb - ma;
			*error = se;
		}
	}
	free(both.us);
	return worst;
}

static double
median(const struct sample *s)
{
	qsort(s->us, s->n, sizeof(double), by_size);
	return s->us[s->n / 2];
}

/*
 * What an attacker compares: the same content with another padding.  How far a request inside can be read costs
 * up to 2 us more or less, and is shown; who changes blocks to learn of it needs 10^5 messages for one
 * bit, and limits.refusals lets an address have 300 a minute.
 */
static const struct {
	enum wrong a, b;
	bool counts;
} pairs[] = {
	{ WRONG_TRANSPORT, WRONG_CEK_LENGTH, true },
	{ WRONG_TRANSPORT, WRONG_CBC_NOISE, true },
	{ WRONG_TRANSPORT, WRONG_CONTENT, true },
	{ WRONG_CBC, WRONG_TRAILING, true },
	{ WRONG_CBC, WRONG_SIGNATURE, true },
	{ WRONG_TRANSPORT, WRONG_TRUNCATED, false },
	{ WRONG_TRANSPORT, WRONG_CBC, false },
};

static int
report(struct sample *s, size_t messages)
{
	int told = 0;

	printf("%zu messages %s\n", messages, host != NULL ? "over the wire" : "in this process");
	for (size_t i = 0; i < N(pairs); i++) {
		double diff = 0, se = 0, finest = 0;
		double t = compare(&s[pairs[i].a], &s[pairs[i].b], &diff, &se, &finest);

		told |= t > TOLD && pairs[i].counts;
		printf("  %-44s %s %-36s |t| %5.1f  %+.3f us (+- %.3f)  %s (%.1f us would be)\n",
		    wrong_names[pairs[i].b], pairs[i].counts ? "against" : "beside ",
		    wrong_names[pairs[i].a], t, diff, 1.96 * se,
		    t > TOLD ? "TOLD APART" : "not told apart", finest);
	}
	for (int k = 0; k < WRONG__MAX; k++)
		printf("  median %-44s %.1f us\n", wrong_names[k], median(&s[k]));
	return told;
}

/* ---- the run ---- */

static int
run(size_t messages)
{
	void (*judge)(const struct buf *, char *, size_t) = host != NULL ? judge_there : judge_here;
	static struct buf pool[WRONG__MAX][POOL];
	static uint8_t ceks[WRONG__MAX][POOL][16];
	struct sample s[WRONG__MAX];
	char first[512] = "", verdict[512];
	int rc;

	for (int k = 0; k < WRONG__MAX; k++) {
		s[k] = (struct sample){ calloc(messages, sizeof(double)), 0 };
		if (s[k].us == NULL)
			return 2;
		for (int i = 0; i < POOL; i++)
			pool[k][i] = message_of((enum wrong)k, ceks[k][i]);
	}
	judge(&pool[0][0], first, sizeof(first)); /* and warm up */
	printf("every answer has to be \"%s\"\n", first);
	for (size_t i = 0; i < messages; i++) {
		int k = (int)(random() % WRONG__MAX), j = (int)(random() % POOL);
		double start;

		memcpy(unwrapped, ceks[k][j], 16);
		start = now_us();
		judge(&pool[k][j], verdict, sizeof(verdict));
		s[k].us[s[k].n++] = now_us() - start;
		if (strcmp(verdict, first) != 0) {
			/* noise for a key makes a right padding once in 256, and a request never */
			printf("%s is answered \"%s\"\n", wrong_names[k], verdict);
			return 1;
		}
	}
	rc = report(s, messages);
	for (int k = 0; k < WRONG__MAX; k++) {
		free(s[k].us);
		for (int i = 0; i < POOL; i++)
			buf_done(&pool[k][i]);
	}
	return rc;
}

static void
load_ra(const char *file)
{
	struct err err = { 0 };

	assert_ok(cert_load(&target.cert, file, &err), err);
	target.c.der.p = cert_der0(target.cert, &target.c.der.len);
	assert_ok(cms_cert_peek(&target.c, target.c.der.p, target.c.der.len, &err), err);
	target.key = cert_key0(target.cert);
}

static struct scep_identity *
identity_that_knows(void)
{
	static const struct scep_key_ops ops = { no_sign, hand_over };
	struct scep_identity *id = NULL;

	if (scep_identity_new(&id, world.ra.c.der.p, world.ra.c.der.len, &ops, NULL, NULL) !=
	    SCEP_OK)
		exit(2);
	return id;
}

int
main(int argc, char **argv)
{
	size_t messages = 100000;
	const char *ra = NULL;
	int rc;

	srandom((unsigned)time(NULL));
	if (argc > 1 && strcmp(argv[1], "--without-rsa") == 0) {
		without_rsa = true;
		argc--, argv++;
	}
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--messages") == 0)
			messages = strtoul(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--seed") == 0)
			srandom((unsigned)strtoul(argv[i + 1], NULL, 10));
		else if (strcmp(argv[i], "--host") == 0)
			host = argv[i + 1];
		else if (strcmp(argv[i], "--port") == 0)
			port = argv[i + 1];
		else if (strcmp(argv[i], "--path") == 0)
			path = argv[i + 1];
		else if (strcmp(argv[i], "--ra") == 0)
			ra = argv[i + 1];
		else
			return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	(void)world_make(NULL);
	target = world.ra;
	judge_id = without_rsa ? identity_that_knows() : world.ra_id;
	if (ra != NULL)
		load_ra(ra);
	rc = run(messages);
	if (without_rsa)
		scep_identity_free(judge_id);
	if (ra != NULL)
		cert_free(target.cert);
	(void)world_done(NULL);
	return rc;
}
