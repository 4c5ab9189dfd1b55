/*
 * peer.c - the scripted other side.
 */
#include "peer.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUESTS_MAX 4096
#define CONNS_MAX    256
#define PLAYS_MAX    512
#define KEPT_MAX     1024
#define RAW_MAX      (512 * 1024)
#define ENOUGH       512

struct queue {
	const struct play *play[PLAYS_MAX];
	size_t at, n;
	const struct play *always;
};

struct conn {
	struct peer *peer;
	pthread_t thread;
	int fd;
};

struct peer {
	int fd;
	uint16_t port;
	char url[64];
	pthread_t thread;
	pthread_mutex_t mu;
	bool stopping;
	struct queue queue[ROUTE__MAX];
	struct play kept[KEPT_MAX]; /* everything scripted, until the end: a connection may still be
				       sending it */
	size_t n_kept;
	char *raw[REQUESTS_MAX];
	enum route route[REQUESTS_MAX];
	size_t n_raw, first;
	struct conn conn[CONNS_MAX];
	size_t n_conn;
	int token_life;
	unsigned tokens;
	char reply[ENOUGH];
};

static enum route
route_of(const char *raw)
{
	static const char *const parts[] = { "/oauth2/", "/endpoints", "/ScepActions/",
		"/downloadRevocationRequests", "/uploadRevocationResults" };
	const char *end = strstr(raw, "\r\n");
	const char *at;
	unsigned r;

	for (r = 0; r < COUNT(parts); r++) {
		at = strstr(raw, parts[r]);
		if (at != NULL && at < end)
			return (enum route)r;
	}
	return ROUTE_OTHER;
}

static bool
send_all(int fd, const void *p, size_t len)
{
	const char *at = p;

	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

/* Read one request; NULL at the end of the connection. */
static char *
read_request(int fd)
{
	char *raw = malloc(RAW_MAX + 1);
	size_t len = 0, want = 0;
	const char *body, *value;
	ssize_t n;

	while (raw != NULL && len < RAW_MAX) {
		n = recv(fd, raw + len, RAW_MAX - len, 0);
		if (n <= 0)
			break;
		len += (size_t)n;
		raw[len] = '\0';
		body = strstr(raw, "\r\n\r\n");
		if (body == NULL)
			continue;
		if (want == 0) {
			value = raw_header(raw, "content-length");
			want = (size_t)(body + 4 - raw) +
			    (value != NULL ? strtoul(value, NULL, 10) : 0);
		}
		if (len >= want)
			return raw;
	}
	free(raw);
	return NULL;
}

/* Or until the end: one that is never to answer in time costs its test nothing. */
static void
pause_ms(struct peer *p, unsigned ms)
{
	struct timespec t = { 0, 10 * 1000000L };
	bool stopping = false;

	for (; ms > 0 && !stopping; ms -= ms < 10 ? ms : 10) {
		nanosleep(&t, NULL);
		pthread_mutex_lock(&p->mu);
		stopping = p->stopping;
		pthread_mutex_unlock(&p->mu);
	}
}

static const char *
good_body(struct peer *p, enum route r, const char *raw, char out[ENOUGH])
{
	switch (r) {
	case ROUTE_TOKEN:
		(void)snprintf(out, ENOUGH,
		    "{\"token_type\":\"Bearer\",\"expires_in\":%d,\"access_token\":\"%s-token-%"
		    "u\"}",
		    p->token_life,
		    strstr(raw_body(raw), "manage.microsoft") != NULL ? "intune" : "graph",
		    ++p->tokens);
		break;
	case ROUTE_LIST:
		(void)snprintf(out, ENOUGH,
		    "{\"value\":[{\"providerName\":\"ScepRequestValidationFEService\",\"uri\":\"%s/"
		    "svc/Stateless\"},{\"providerName\":\"PkiConnectorFEService\",\"uri\":\"%s/pki/"
		    "Stateless\"}]}",
		    p->url, p->url);
		break;
	case ROUTE_ACTION:
		(void)snprintf(out, ENOUGH, "{\"code\":\"Success\",\"errorDescription\":\"\"}");
		break;
	case ROUTE_DOWNLOAD:
		(void)snprintf(out, ENOUGH, "{\"value\":[]}");
		break;
	case ROUTE_UPLOAD:
		(void)snprintf(out, ENOUGH, "{\"value\":true}");
		break;
	default:
		(void)snprintf(out, ENOUGH, "{}");
	}
	return out;
}

/* Record and decide under the lock; false closes the connection. */
static bool
answer(struct peer *p, int fd, char *raw)
{
	char good[ENOUGH], head[ENOUGH];
	struct play play = { .status = 200 };
	struct queue *q;
	enum route r;
	size_t len;

	pthread_mutex_lock(&p->mu);
	r = route_of(raw);
	q = &p->queue[r];
	if (p->n_raw == REQUESTS_MAX) {
		pthread_mutex_unlock(&p->mu);
		free(raw);
		return false;
	}
	p->route[p->n_raw] = r;
	p->raw[p->n_raw++] = raw;
	if (q->at < q->n)
		play = *q->play[q->at++];
	else if (q->always != NULL)
		play = *q->always;
	else
		play.body = good_body(p, r, raw, good);
	pthread_mutex_unlock(&p->mu);

	if (play.delay_ms > 0)
		pause_ms(p, play.delay_ms);
	if (play.status == 0)
		return false;
	len = play.len != 0 || play.body == NULL ? play.len : strlen(play.body);
	(void)snprintf(head, sizeof(head),
	    "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n",
	    play.status, len, play.headers != NULL ? play.headers : "");
	return send_all(fd, head, strlen(head)) && (len == 0 || send_all(fd, play.body, len));
}

static void *
serve(void *arg)
{
	struct conn *c = arg;
	char *raw;

	while ((raw = read_request(c->fd)) != NULL) {
		if (!answer(c->peer, c->fd, raw))
			break;
	}
	shutdown(c->fd, SHUT_RDWR);
	return NULL;
}

static void *
accept_all(void *arg)
{
	struct peer *p = arg;
	struct conn *c;
	int fd, one = 1;

	while ((fd = accept(p->fd, NULL, NULL)) >= 0) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		pthread_mutex_lock(&p->mu);
		if (p->stopping || p->n_conn == CONNS_MAX) {
			close(fd);
		} else {
			c = &p->conn[p->n_conn];
			c->peer = p;
			c->fd = fd;
			if (pthread_create(&c->thread, NULL, serve, c) == 0)
				p->n_conn++;
			else
				close(fd);
		}
		pthread_mutex_unlock(&p->mu);
	}
	return NULL;
}

static int
listen_any(uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 128), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

struct peer *
peer_start(void)
{
	struct peer *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->fd = listen_any(&p->port);
	p->token_life = 3599;
	(void)snprintf(p->url, sizeof(p->url), "http://127.0.0.1:%u", p->port);
	pthread_mutex_init(&p->mu, NULL);
	assert_int_equal(pthread_create(&p->thread, NULL, accept_all, p), 0);
	return p;
}

void
peer_stop(struct peer *p)
{
	size_t i;

	pthread_mutex_lock(&p->mu);
	p->stopping = true;
	for (i = 0; i < p->n_conn; i++)
		shutdown(p->conn[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&p->mu);
	shutdown(p->fd, SHUT_RDWR);
	pthread_join(p->thread, NULL);
	close(p->fd);
	for (i = 0; i < p->n_conn; i++) {
		pthread_join(p->conn[i].thread, NULL);
		close(p->conn[i].fd);
	}
	for (i = 0; i < p->n_raw; i++)
		free(p->raw[i]);
	for (i = 0; i < p->n_kept; i++)
		free((void *)(uintptr_t)p->kept[i].body);
	pthread_mutex_destroy(&p->mu);
	free(p);
}

uint16_t
peer_port(const struct peer *p)
{
	return p->port;
}

const char *
peer_url(const struct peer *p)
{
	return p->url;
}

static const struct play *
keep(struct peer *p, const struct play *play)
{
	struct play *k = &p->kept[p->n_kept];
	char *body;

	assert_true(p->n_kept < KEPT_MAX);
	p->n_kept++;
	*k = *play;
	if (play->body == NULL)
		return k;
	k->len = play->len != 0 ? play->len : strlen(play->body);
	body = calloc(1, k->len + 1);
	assert_non_null(body);
	k->body = memcpy(body, play->body, k->len);
	return k;
}

void
peer_play(struct peer *p, enum route r, const struct play *play)
{
	struct queue *q = &p->queue[r];

	pthread_mutex_lock(&p->mu);
	assert_true(q->n < PLAYS_MAX);
	q->play[q->n++] = keep(p, play);
	pthread_mutex_unlock(&p->mu);
}

void
peer_answer(struct peer *p, enum route r, int status, const char *body)
{
	const struct play play = { .status = status, .body = body };

	peer_play(p, r, &play);
}

void
peer_always(struct peer *p, enum route r, const struct play *play)
{
	pthread_mutex_lock(&p->mu);
	p->queue[r].always = keep(p, play);
	pthread_mutex_unlock(&p->mu);
}

void
peer_token_life(struct peer *p, int seconds)
{
	p->token_life = seconds;
}

const char *
peer_recorded(struct peer *p, enum route r, size_t n)
{
	const char *found = NULL;
	size_t i;

	pthread_mutex_lock(&p->mu);
	for (i = p->first; i < p->n_raw && found == NULL; i++) {
		if (p->route[i] == r && n-- == 0)
			found = p->raw[i];
	}
	pthread_mutex_unlock(&p->mu);
	return found;
}

size_t
peer_count(struct peer *p, enum route r)
{
	size_t n = 0;

	while (peer_recorded(p, r, n) != NULL)
		n++;
	return n;
}

size_t
peer_count_scope(struct peer *p, const char *part)
{
	size_t i, n = 0;
	const char *raw;

	for (i = 0; (raw = peer_recorded(p, ROUTE_TOKEN, i)) != NULL; i++)
		n += strstr(raw_body(raw), part) != NULL;
	return n;
}

void
peer_forget(struct peer *p)
{
	pthread_mutex_lock(&p->mu);
	p->first = p->n_raw;
	pthread_mutex_unlock(&p->mu);
}

const char *
raw_header(const char *raw, const char *name)
{
	static _Thread_local char value[4096];
	const char *line = strstr(raw, "\r\n"), *end;
	size_t len = strlen(name);

	for (; line != NULL && strncmp(line, "\r\n\r\n", 4) != 0; line = strstr(line + 2, "\r\n")) {
		if (strncasecmp(line + 2, name, len) != 0 || line[2 + len] != ':')
			continue;
		line += 3 + len;
		while (*line == ' ')
			line++;
		end = strstr(line, "\r\n");
		(void)snprintf(value, sizeof(value), "%.*s", (int)(end - line), line);
		return value;
	}
	return NULL;
}

const char *
raw_body(const char *raw)
{
	const char *at = strstr(raw, "\r\n\r\n");

	return at != NULL ? at + 4 : "";
}

void
peer_config(struct peer *p, struct intune_config *c)
{
	intune_config_init(c);
	c->aad_app_id = "11111111-2222-3333-4444-555555555555";
	c->aad_app_key = "s3cret~key/with+signs&more";
	c->tenant = "contoso.example";
	c->provider_name_and_version = "UnitCA 1.0";
	c->auth_authority = p->url;
	c->ms_graph_resource_url = p->url;
	c->connect_ms = 10000;
	c->total_ms = 20000;
}

struct intune_client *
peer_client(struct peer *p)
{
	struct intune_client *cl = NULL;
	struct intune_config c;
	struct intune_error e;

	peer_config(p, &c);
	if (intune_client_new(&cl, &c, &e) != INTUNE_OK)
		give_up("%s\n", e.message);
	return cl;
}

uint16_t
port_closed(void)
{
	uint16_t port;

	close(listen_any(&port));
	return port;
}
