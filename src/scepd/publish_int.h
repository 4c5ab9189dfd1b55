/*
 * publish_int.h - the lists of a CA.  For publish*.c alone.
 */
#ifndef SCEPD_SCEPD_PUBLISH_INT_H
#define SCEPD_SCEPD_PUBLISH_INT_H

#include "ossl/crl.h"
#include "scepd/publish.h"
#include "scepd/publish_path.h"

#define CRL_NAME_MAX  32 /* "delta", "255-of-256" */
#define CRL_ETAG_SIZE 40 /* two numbers in hex */

/* A list as it is out. */
struct crl_made {
	struct http_shared *der; /* NULL: none yet */
	char etag[CRL_ETAG_SIZE];
	uint64_t number;           /* RFC 5280 5.2.3 */
	int64_t made, next_update; /* wall seconds */
	size_t n, entries;         /* entries, and where they begin */
	size_t entries_len;
};

struct published {
	enum list_kind kind;
	unsigned part;
	char name[CRL_NAME_MAX];
	struct crl_made out; /* replaced under the lock of struct crl_lists */
	/* The publisher's own. */
	uint64_t status;     /* the store's sequence, of what is in it */
	int64_t renew_at;    /* wall seconds: a new one also if nothing changes */
	int64_t wait_ms;     /* monotonic: not before */
	unsigned failed;     /* in a row */
	bool to_file;        /* made, and not written yet */
	int64_t file_ms;     /* monotonic: not before */
	_Atomic uint64_t us; /* that the last one took */
	_Atomic uint64_t failures;
};

/* A complete list that somebody may still hold: deltas are of the oldest. */
struct crl_base {
	uint64_t number, status;
	int64_t made, next_update;
};
#define CRL_BASES_MAX 32 /* one for each 1/16 of a list's life, which are 17 */

struct crl_lists {
	pthread_mutex_t lock; /* over `out` of each, and `waiting` */
	pthread_cond_t made;  /* the first complete list */
	unsigned waiting;
	struct published *v; /* the complete one, the delta, the parts */
	size_t n;
	struct published *delta, *parts; /* NULL: there are none */
	unsigned n_parts;
	struct crl_base bases[CRL_BASES_MAX]; /* oldest first */
	size_t n_bases;
	uint64_t delta_changes; /* since the base, at most */
	bool cert_to_file;      /* the CA's certificate, which does not change: once */
	int64_t cert_file_ms;   /* monotonic: not before */
};

/* To crl_dir, which is set: what is still to be written and may be tried again.  What cannot be written is logged. */
void publish_files(struct server_ca *sca);

/* The list that a path names, or NULL. */
struct published *publish_list_of(const struct scepd *s, const char *path, struct server_ca **sca);
/* As it is out, with a reference; false: none yet. */
bool publish_take(struct server_ca *sca, const struct published *l, struct crl_made *out);

/* Make the lists of v[] (all of one kind) whose bit of `due` is set, by one walk through the store. */
void publish_make(struct scepd *s, struct server_ca *sca, struct published *v, size_t n,
    const bool *due, const atomic_bool *stop);

#endif
