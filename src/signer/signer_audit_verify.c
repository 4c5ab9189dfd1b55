/*
 * signer_audit_verify.c - the audit of a signer that may run at the same time, from its first line to its last.
 */
#include <inttypes.h>
#include <string.h>

#include "signer/signer.h"
#include "signer/signer_chain.h"

/* The last file may end in the middle of a line that is being written, and no other. */
static enum rc
verify_file(struct chain *c, const char *dir, uint64_t first, bool last, struct err *err)
{
	struct buf text;
	size_t used = 0;
	enum rc rc;

	if (first != c->next)
		return fail(err, RC_INTEGRITY,
		    "the signer's audit does not hold: after line %" PRIu64 " comes line %" PRIu64,
		    c->next - 1, first);
	buf_init(&text, SEGMENT_READ_MAX);
	rc = segment_read(&text, dir, first, err);
	if (rc == RC_OK)
		rc = chain_follow(c, text.data, text.len, &used, 0, NULL, NULL, err);
	if (rc == RC_OK && used != text.len &&
	    (!last || memchr(text.data + used, '\0', text.len - used) != NULL))
		rc = fail(err, RC_INTEGRITY,
		    "the signer's audit does not hold: line %" PRIu64 " is not whole", c->next);
	buf_done(&text);
	return rc;
}

bool
signer_audit_is_there(const char *state_dir)
{
	struct segments s;
	enum rc rc = segments_list(&s, state_dir, NULL);
	bool some;

	if (rc != RC_OK)
		return rc != RC_NOTFOUND; /* whoever opens it says what is wrong */
	some = s.n > 0;
	segments_done(&s);
	return some;
}

enum rc
signer_audit_verify(const char *state_dir, uint64_t *lines, struct err *err)
{
	struct segments s;
	struct chain c;
	enum rc rc = segments_list(&s, state_dir, err);

	if (rc != RC_OK)
		return rc;
	chain_begin(&c);
	if (s.n == 0)
		rc = fail(err, RC_NOTFOUND, "%s holds no audit of a signer", state_dir);
	for (size_t i = 0; rc == RC_OK && i < s.n; i++)
		rc = verify_file(&c, state_dir, s.first[i], i + 1 == s.n, err);
	segments_done(&s);
	if (rc == RC_OK)
		*lines = c.next - 1;
	return rc;
}
