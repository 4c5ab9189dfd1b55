/*
 * peers.c - see peers.h.
 */
#include "http/peers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/siphash.h"
#include "ossl/alg.h"

#define CHAINS    4096u /* a power of two; four to a chain when all remembered ones are there */
#define MINUTE_MS 60000

struct peer {
	LIST_ENTRY(peer) chain;
	TAILQ_ENTRY(peer) idle; /* while nothing is held by it */
	struct address key;
	atomic_uint connections; /* changed under the lock */
	unsigned in_flight;
	size_t buffered;
	bool exempt; /* since it was first connected */
	unsigned debt;
	int64_t debt_ms; /* when `debt` was right */
	unsigned lines;  /* told in the minute that began at lines_ms */
	int64_t lines_ms;
	uint64_t unsaid;
};

struct peers {
	struct peers_conf conf;
	uint8_t hash_key[16];
	pthread_mutex_t lock;
	LIST_HEAD(chain, peer) chains[CHAINS];
	TAILQ_HEAD(idles, peer) idle; /* the one left alone for the longest first */
	unsigned n_idle, n;
};

enum rc
peers_new(struct peers **out, const struct peers_conf *conf, struct err *err)
{
	struct peers *p = calloc(1, sizeof *p);
	enum rc rc;

	if (p == NULL)
		return fail(err, RC_NOMEM, "no memory for a table of addresses");
	rc = random_bytes(p->hash_key, sizeof p->hash_key, err);
	if (rc != RC_OK) {
		free(p);
		return rc;
	}
	p->conf = *conf;
	TAILQ_INIT(&p->idle);
	pthread_mutex_init(&p->lock, NULL);
	*out = p;
	return RC_OK;
}

void
peers_free(struct peers *p)
{
	struct peer *who;

	if (p == NULL)
		return;
	for (unsigned i = 0; i < CHAINS; i++)
		while ((who = LIST_FIRST(&p->chains[i])) != NULL) {
			LIST_REMOVE(who, chain);
			free(who);
		}
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* ---- finding; all of these under the lock ---- */

static bool
is_idle(const struct peer *who)
{
	return who->connections == 0 && who->in_flight == 0;
}

static void
forget(struct peers *p, struct peer *who)
{
	TAILQ_REMOVE(&p->idle, who, idle);
	LIST_REMOVE(who, chain);
	p->n_idle--;
	p->n--;
	free(who);
}

/* Nothing is held by it any more: it waits in the queue for being forgotten. */
static void
rest(struct peers *p, struct peer *who)
{
	if (!is_idle(who))
		return;
	TAILQ_INSERT_TAIL(&p->idle, who, idle);
	if (++p->n_idle > PEERS_REMEMBERED)
		forget(p, TAILQ_FIRST(&p->idle));
}

static void
rouse(struct peers *p, struct peer *who)
{
	if (!is_idle(who))
		return;
	TAILQ_REMOVE(&p->idle, who, idle);
	p->n_idle--;
}

static struct chain *
chain_of(struct peers *p, const struct address *key)
{
	return &p->chains[siphash24(p->hash_key, key->v, sizeof key->v) % CHAINS];
}

static struct peer *
look_up(struct chain *chain, const struct address *key)
{
	struct peer *who;

	LIST_FOREACH(who, chain, chain)
	if (memcmp(who->key.v, key->v, sizeof key->v) == 0)
		return who;
	return NULL;
}

/* Found or made; at rest if it was. */
static struct peer *
find(struct peers *p, const struct address *a)
{
	struct address key;
	struct chain *chain;
	struct peer *who;

	address_whole(&key, a);
	chain = chain_of(p, &key);
	if ((who = look_up(chain, &key)) != NULL || (who = calloc(1, sizeof *who)) == NULL)
		return who;
	who->key = key;
	atomic_init(&who->connections, 0);
	LIST_INSERT_HEAD(chain, who, chain);
	p->n++;
	TAILQ_INSERT_TAIL(&p->idle, who, idle);
	p->n_idle++;
	return who;
}

/* ---- what is held ---- */

static bool
has_share(unsigned holds, unsigned share)
{
	return share > 0 && holds >= share;
}

struct peer *
peer_connect(struct peers *p, const struct address *a, bool exempt)
{
	struct peer *who;

	pthread_mutex_lock(&p->lock);
	if ((who = find(p, a)) != NULL) {
		if (!exempt && has_share(who->connections, p->conf.connections)) {
			who = NULL;
		} else {
			rouse(p, who);
			if (who->connections == 0)
				who->exempt = exempt;
			who->connections++;
		}
	}
	pthread_mutex_unlock(&p->lock);
	return who;
}

void
peer_disconnect(struct peers *p, struct peer *who)
{
	pthread_mutex_lock(&p->lock);
	who->connections--;
	rest(p, who);
	pthread_mutex_unlock(&p->lock);
}

struct peer *
peer_request(struct peers *p, const struct address *a, unsigned *n)
{
	struct peer *who;

	pthread_mutex_lock(&p->lock);
	if ((who = find(p, a)) != NULL) {
		if (has_share(who->in_flight, p->conf.in_flight)) {
			who = NULL;
		} else {
			rouse(p, who);
			*n = ++who->in_flight;
		}
	}
	pthread_mutex_unlock(&p->lock);
	return who;
}

void
peer_request_over(struct peers *p, struct peer *who)
{
	pthread_mutex_lock(&p->lock);
	who->in_flight--;
	rest(p, who);
	pthread_mutex_unlock(&p->lock);
}

unsigned
peer_connections(const struct peer *who)
{
	return who->exempt ? 0 : atomic_load_explicit(&who->connections, memory_order_relaxed);
}

unsigned
peers_connections(struct peers *p, const struct address *a)
{
	struct address key;
	struct peer *who;
	unsigned n = 0;

	address_whole(&key, a);
	pthread_mutex_lock(&p->lock);
	if ((who = look_up(chain_of(p, &key), &key)) != NULL)
		n = peer_connections(who);
	pthread_mutex_unlock(&p->lock);
	return n;
}

bool
peer_buffer(struct peers *p, struct peer *who, ptrdiff_t more)
{
	bool has_room;

	pthread_mutex_lock(&p->lock);
	has_room = more <= 0 || who->exempt || p->conf.buffered == 0 ||
	    who->buffered + (size_t)more <= p->conf.buffered;
	if (has_room)
		who->buffered += (size_t)more;
	pthread_mutex_unlock(&p->lock);
	return has_room;
}

/* ---- what it was refused ---- */

static void
forgive(const struct peers *p, struct peer *who, int64_t now_ms)
{
	int64_t passed = now_ms - who->debt_ms;
	uint64_t forgiven;

	if (passed >= MINUTE_MS || who->debt == 0) {
		who->debt = 0;
		who->debt_ms = now_ms;
		return;
	}
	forgiven = (uint64_t)(passed > 0 ? passed : 0) * p->conf.debt_max / MINUTE_MS;
	if (forgiven == 0)
		return; /* so that nothing is lost to rounding */
	who->debt = forgiven < who->debt ? who->debt - (unsigned)forgiven : 0;
	who->debt_ms = now_ms;
}

/*
 * Whose debt is great is not believed to get all that it has in flight granted: or whatever comes while the
 * one refusal too many is still being worked on would slip in with it.
 */
static unsigned
expected_debt(const struct peers *p, const struct peer *who)
{
	return who->debt > p->conf.debt_max / 2 ? who->debt + who->in_flight * HTTP_BLAME_DEAR
						: who->debt;
}

bool
peer_is_over(struct peers *p, struct peer *who, int64_t now_ms)
{
	bool is_over;

	if (p->conf.debt_max == 0)
		return false;
	pthread_mutex_lock(&p->lock);
	forgive(p, who, now_ms);
	is_over = who->debt >= p->conf.debt_max || expected_debt(p, who) > p->conf.debt_max;
	pthread_mutex_unlock(&p->lock);
	return is_over;
}

/* No more debt than a minute forgives: whoever stops is served again within it. */
void
peer_blame(struct peers *p, struct peer *who, int blame, int64_t now_ms)
{
	int64_t debt;

	if (p->conf.debt_max == 0 || blame == 0)
		return;
	pthread_mutex_lock(&p->lock);
	forgive(p, who, now_ms);
	debt = (int64_t)who->debt + blame;
	if (debt > p->conf.debt_max)
		debt = p->conf.debt_max;
	who->debt = debt > 0 ? (unsigned)debt : 0;
	pthread_mutex_unlock(&p->lock);
}

bool
peer_may_speak(struct peers *p, struct peer *who, int64_t now_ms, uint64_t *unsaid)
{
	bool may;

	pthread_mutex_lock(&p->lock);
	if (now_ms - who->lines_ms >= MINUTE_MS || who->lines_ms == 0) {
		who->lines_ms = now_ms;
		who->lines = 0;
	}
	may = who->lines < PEERS_LINES;
	if (may) {
		who->lines++;
		*unsaid = who->unsaid;
		who->unsaid = 0;
	} else {
		who->unsaid++;
	}
	pthread_mutex_unlock(&p->lock);
	return may;
}

unsigned
peers_known(struct peers *p)
{
	unsigned n;

	pthread_mutex_lock(&p->lock);
	n = p->n;
	pthread_mutex_unlock(&p->lock);
	return n;
}
