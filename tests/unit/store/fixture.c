/*
 * fixture.c - folders, numbered transactions, a look into the file.
 */
#include "fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

int
sf_setup_closed(void **state)
{
	struct sf *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	if (f == NULL)
		return -1;
	snprintf(f->dir, sizeof(f->dir), "%s/scepd-store-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(f->dir) == NULL) {
		free(f);
		return -1;
	}
	snprintf(f->path, sizeof(f->path), "%s/scepd.db", f->dir);
	snprintf(f->url, sizeof(f->url), "sqlite:%s", f->path);
	*state = f;
	return 0;
}

int
sf_setup(void **state)
{
	struct sf *f;

	if (sf_setup_closed(state) != 0)
		return -1;
	f = *state;
	return store_open(&f->s, f->url, &f->err) == RC_OK ? 0 : -1;
}

static void
folder_remove(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[600];

	while (d != NULL && (e = readdir(d)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		(void)unlink(path);
	}
	if (d != NULL)
		closedir(d);
	(void)rmdir(dir);
}

int
sf_teardown(void **state)
{
	struct sf *f = *state;

	store_close(f->s);
	folder_remove(f->dir);
	free(f);
	return 0;
}

void
sf_ok(struct sf *f, enum rc rc, const char *file, int line)
{
	if (rc != RC_OK)
		print_error("%s: %s\n", rc_name(rc), f->err.msg);
	_assert_int_equal(rc, RC_OK, file, line);
}

void
sf_restart(struct sf *f)
{
	store_close(f->s);
	f->s = NULL;
	ok(f, store_open(&f->s, f->url, &f->err));
}

void
sf_tx(struct sf_tx *t, unsigned n)
{
	memset(t, 0, sizeof(*t));
	snprintf(t->transaction_id, sizeof(t->transaction_id), "TX%u", n);
	/* Spread like random ones. */
	snprintf(t->serial, sizeof(t->serial), "%08X0000000000000000%08X",
	    n * 2654435761u | 0x10000000u, n);
	snprintf(t->subject, sizeof(t->subject), "CN=Device %u,O=Contoso", n);
	snprintf(t->san, sizeof(t->san), "upn:user%u@contoso.com", n);
	memset(t->csr_sha256, (int)(n & 0xff), 32);
	memcpy(t->csr_sha256, &n, sizeof(n));
	memset(t->signer_sha256, 7, 32);
	memset(t->csr, (int)(n & 0xff), sizeof(t->csr));
	memset(t->der, (int)(~n & 0xff), sizeof(t->der));
	t->key = (struct tx_key){ "corp", t->transaction_id, t->csr_sha256, t->signer_sha256 };
	t->cert = (struct store_cert){
		.serial = t->serial,
		.ca = "issuing",
		.endpoint = "corp",
		.profile = "wifi",
		.subject = t->subject,
		.san = t->san,
		.thumbprint = "00112233445566778899AABBCCDDEEFF00112233",
		.der = t->der,
		.der_len = sizeof(t->der),
		.not_before = 1000,
		.not_after = 4000000000 + n,
	};
}

int64_t
sf_begin(struct sf *f, unsigned n, enum tx_state want)
{
	struct store_tx row;
	struct sf_tx t;
	int64_t id;
	bool fresh;

	sf_tx(&t, n);
	ok(f, store_tx_begin(f->s, &t.key, t.csr, sizeof(t.csr), &row, &fresh, &f->err));
	assert_int_equal(row.state, want);
	id = row.id;
	store_tx_done(&row);
	return id;
}

/* How each state is reached from the one named. */
static const enum tx_state before[TX__MAX] = {
	[TX_RESERVED] = TX_RECEIVED,
	[TX_SIGNED] = TX_RESERVED,
	[TX_NOTIFIED] = TX_SIGNED,
	[TX_DELIVERED] = TX_NOTIFIED,
	[TX_REFUSED] = TX_RECEIVED,
	[TX_UNDELIVERED] = TX_SIGNED,
};

int64_t
sf_drive(struct sf *f, unsigned n, enum tx_state to)
{
	struct sf_tx t;
	int64_t id;

	if (to == TX_RECEIVED)
		return sf_begin(f, n, TX_RECEIVED);
	id = sf_drive(f, n, before[to]);
	sf_tx(&t, n);
	if (to == TX_RESERVED)
		ok(f, store_tx_reserve(f->s, id, "intune:contoso", t.serial, "{\"n\":1}", &f->err));
	else if (to == TX_SIGNED)
		ok(f, store_tx_signed(f->s, id, &t.cert, true, &f->err));
	else if (to == TX_NOTIFIED)
		ok(f, store_tx_notified(f->s, id, &f->err));
	else if (to == TX_REFUSED)
		ok(f, store_tx_refused(f->s, id, "Intune said no", false, 0, &f->err));
	else if (to == TX_UNDELIVERED)
		ok(f, store_tx_undelivered(f->s, id, "Intune was not told", false, 0, &f->err));
	else if (to == TX_DELIVERED) {
		store_tx_delivered(f->s, id);
		/* It rides along with the next commit. */
		ok(f, store_audit(f->s, "test", NULL, &f->err));
	}
	assert_int_equal(sf_state(f, id), to);
	return id;
}

enum tx_state
sf_state(struct sf *f, int64_t id)
{
	char sql[80];

	snprintf(sql, sizeof(sql), "SELECT state FROM tx WHERE id = %lld", (long long)id);
	return (enum tx_state)sf_number(f, sql);
}

int64_t
sf_number(struct sf *f, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *q;
	int64_t v = 0;

	if (f->s != NULL)
		ok(f, store_flush(f->s, &f->err));
	assert_int_equal(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
	if (sqlite3_step(q) == SQLITE_ROW)
		v = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	sqlite3_close(db);
	return v;
}

void
sf_sql(struct sf *f, const char *sql)
{
	sqlite3 *db;
	char *why = NULL;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	sqlite3_close(db);
}
