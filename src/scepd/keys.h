/*
 * keys.h - opening the signer as the configuration has it; for the process that holds the keys.
 */
#ifndef SCEPD_SCEPD_KEYS_H
#define SCEPD_SCEPD_KEYS_H

#include "base/buf.h"
#include "scepd/config.h"
#include "signer/signer.h"

/* ---- passphrases and PINs ---- */

enum keys_secret { KEYS_PASSPHRASE, KEYS_PIN, KEYS_SECRET__MAX };

/* Who has keys, counted through: the CAs of the configuration, then its foreign CAs. */
struct keys_owner {
	const char *section, *name;           /* "cas" or "foreign_cas" */
	const char *secret[KEYS_SECRET__MAX]; /* a path, "credential:NAME", "prompt" or NULL */
};
size_t keys_owners(const struct config *c);
struct keys_owner keys_owner(const struct config *c, size_t i);
/* What a question for it is about: "Passphrase of the keys of CA issuing". */
#define KEYS_QUESTION_MAX 128
void keys_question(char out[static KEYS_QUESTION_MAX], const struct config *c, size_t owner,
    enum keys_secret kind);

/* One for each owner and kind, in locked memory that stays out of core files; wiped when freed. */
struct keys_secrets;

/*
 * Asks for one secret of an owner.  Appends to `out`.  For sources that
 * are "prompt": on a terminal, or what the supervisor has heard there.
 */
typedef enum rc keys_ask(
    void *arg, size_t owner, enum keys_secret kind, struct buf *out, struct err *err);

/* Reads all that the configuration names.  `ask` may be NULL: secret_read() asks on the terminal. */
enum rc keys_secrets_read(struct keys_secrets **out, const struct config *c, keys_ask *ask,
    void *arg, struct err *err) MUST_CHECK;
/* Only those that are "prompt", for who hands them on and has no use for the others. */
enum rc keys_secrets_type(struct keys_secrets **out, const struct config *c, keys_ask *ask,
    void *arg, struct err *err) MUST_CHECK;
void keys_secrets_free(struct keys_secrets *s);
/* NULL when there is none. */
const char *keys_secret0(const struct keys_secrets *s, size_t owner, enum keys_secret kind);
/* It is "prompt". */
bool keys_secret_is_typed(const struct config *c, size_t owner, enum keys_secret kind);

/* ---- keys ---- */

/* Every file that keys_open() reads: certificates and PEM keys.  Paths are lent. */
void keys_files(const struct config *c, void (*fn)(void *arg, const char *path), void *arg);
/* Some key is in a token. */
bool keys_in_token(const struct config *c);

/*
 * Every CA with its keys, bounded by the profiles of the endpoints that use it (and of the CA that
 * it replaces): an attacker who has the front gets no certificate that none of them allows.  And the
 * responders of foreign CAs, which sign nothing but OCSP answers.
 * `secrets` NULL: no key needs one.  state_dir NULL: nothing is kept.
 */
enum rc keys_open(struct signer **out, const struct config *c, const struct keys_secrets *secrets,
    const char *state_dir, struct err *err) MUST_CHECK;
/* For `scepctl check`: can the keys of one CA be opened, and do they belong to its certificates? */
enum rc keys_check(const struct config *c, const struct conf_ca *ca, struct err *err) MUST_CHECK;
/* The same of the responder of a foreign CA, which has one. */
enum rc keys_check_foreign(
    const struct config *c, const struct conf_foreign *f, struct err *err) MUST_CHECK;

#endif
