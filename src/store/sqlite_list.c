/*
 * sqlite_list.c - what all lists and counts of the store have in common.
 */
#include "store/sqlite.h"

static enum rc
each_read(struct sq_conn *c, enum sq_stmt id, const struct sq_arg *args, size_t n, size_t max,
    sq_lend_fn *lend, void *arg, struct err *err)
{
	struct sq_cursor cur;
	bool row = true;
	enum rc rc = sq_query(&cur, c, id, args, n, err);

	while (rc == RC_OK && max > 0 && (rc = sq_next(&cur, &row, err)) == RC_OK && row)
		rc = lend(&cur, &max, arg, err);
	sq_end(&cur);
	return rc;
}

enum rc
sq_each(struct store *s, enum sq_stmt id, const struct sq_arg *args, size_t n, size_t max,
    sq_lend_fn *lend, void *arg, struct err *err)
{
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = each_read(c, id, args, n, max, lend, arg, err);
	sq_reader_put(s, c);
	return rc;
}

enum rc
sq_count(struct store *s, enum sq_stmt id, const struct sq_arg *args, size_t n, uint64_t *out,
    struct err *err)
{
	struct sq_conn *c;
	int64_t count = 0;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = sq_number_of(c, id, args, n, &count, err);
	sq_reader_put(s, c);
	if (rc == RC_OK)
		*out = (uint64_t)count;
	return rc;
}
