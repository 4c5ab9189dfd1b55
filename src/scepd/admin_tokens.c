/* admin_tokens.c - the door for the tokens file; see admin_auth.h. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "scepd/admin_auth.h"

#define TOKEN_LINE_MAX 256 /* bytes: a name, a hash, two words */
#define HASH_WORD      "sha256:"

bool
admin_name_ok(const char *name)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-";
	size_t len = strlen(name);

	return len > 0 && len <= ADMIN_NAME_MAX && strspn(name, letters) == len;
}

static const struct {
	const char *word;
	unsigned may;
} words[] = {
	{ "otp", ADMIN_MAY_OTP },
	{ "requests", ADMIN_MAY_REQUESTS },
	{ "verdict", ADMIN_MAY_VERDICT },
	{ "status", ADMIN_MAY_STATUS },
	{ "sweeps", ADMIN_MAY_SWEEPS },
};
#define N_WORDS (sizeof(words) / sizeof(words[0]))

enum rc
admin_may_parse(unsigned *out, const char *text, struct err *err)
{
	unsigned may = 0;

	for (const char *at = text;; at++) {
		size_t len = strcspn(at, ","), i;

		for (i = 0; i < N_WORDS; i++)
			if (strlen(words[i].word) == len && memcmp(words[i].word, at, len) == 0)
				break;
		if (i == N_WORDS)
			return fail(err, RC_CONFIG,
			    "\"%.40s\" is not what a token can be for: " ADMIN_MAY_WORDS, at);
		may |= words[i].may;
		at += len;
		if (*at == '\0')
			break;
	}
	*out = may;
	return RC_OK;
}

void
admin_may_text(char out[static ADMIN_MAY_TEXT_MAX], unsigned may)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < N_WORDS; i++)
		if ((may & words[i].may) != 0 && len < ADMIN_MAY_TEXT_MAX)
			len += (size_t)snprintf(out + len, ADMIN_MAY_TEXT_MAX - len, "%s%s",
			    len > 0 ? "," : "", words[i].word);
}

static enum rc
parse_hash(uint8_t out[static 32], const char *word, struct err *err)
{
	if (!str_starts(word, HASH_WORD) || strlen(word) != strlen(HASH_WORD) + 64 ||
	    hex_decode(out, 32, word + strlen(HASH_WORD), 64, NULL) != RC_OK)
		return fail(err, RC_CONFIG, "not " HASH_WORD " and 64 hex digits");
	return RC_OK;
}

/* One line, taken apart in place. */
static enum rc
parse_line(struct admin_token *out, char *line, struct err *err)
{
	char *save = NULL, *name = strtok_r(line, " \t", &save),
	     *hash = strtok_r(NULL, " \t", &save), *may = strtok_r(NULL, " \t", &save);
	enum rc rc;

	if (hash == NULL || strtok_r(NULL, " \t", &save) != NULL)
		return fail(err, RC_CONFIG, "not of the form NAME " HASH_WORD "HEX [WORD[,WORD]]");
	if (!admin_name_ok(name))
		return fail(err, RC_CONFIG,
		    "a name is 1 to %d of letters, digits, '.', '_', '@' and '-'", ADMIN_NAME_MAX);
	memcpy(out->name, name, strlen(name) + 1);
	out->may = ADMIN_MAY_ALL;
	if ((rc = parse_hash(out->sha256, hash, err)) != RC_OK)
		return rc;
	return may != NULL ? admin_may_parse(&out->may, may, err) : RC_OK;
}

static bool
known(const struct admin_tokens *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->v[i].name, name) == 0)
			return true;
	return false;
}

static enum rc
take_line(struct admin_tokens *out, const char *at, size_t len, struct err *err)
{
	char line[TOKEN_LINE_MAX];
	struct admin_token *t = &out->v[out->n];
	enum rc rc;

	if (len > 0 && at[len - 1] == '\r')
		len--;
	if (len >= sizeof(line) || memchr(at, '\0', len) != NULL)
		return fail(err, RC_CONFIG, "longer than %d bytes, or no text", TOKEN_LINE_MAX - 1);
	memcpy(line, at, len);
	line[len] = '\0';
	if (line[strspn(line, " \t")] == '\0' || line[strspn(line, " \t")] == '#')
		return RC_OK;
	if (out->n == ADMIN_TOKENS_MAX)
		return fail(err, RC_CONFIG, "more than %d tokens", ADMIN_TOKENS_MAX);
	if ((rc = parse_line(t, line, err)) != RC_OK)
		return rc;
	if (known(out, t->name))
		return fail(err, RC_CONFIG, "%s is there twice", t->name);
	out->n++;
	return RC_OK;
}

enum rc
admin_tokens_parse(struct admin_tokens *out, const void *text, size_t len, struct err *err)
{
	const char *at = text, *end = at + len;
	unsigned line = 0;
	enum rc rc;

	for (out->n = 0; at < end;) {
		const char *nl = memchr(at, '\n', (size_t)(end - at)), *to = nl != NULL ? nl : end;

		line++;
		if ((rc = take_line(out, at, (size_t)(to - at), err)) != RC_OK) {
			(void)err_context(err, "line %u", line);
			return rc;
		}
		at = nl != NULL ? nl + 1 : end;
	}
	return RC_OK;
}
