/*
 * foreign_common.h - what the commands about one foreign CA have in common.
 */
#ifndef SCEPD_SCEPCTL_FOREIGN_COMMON_H
#define SCEPD_SCEPCTL_FOREIGN_COMMON_H

#include "ossl/key_source.h"
#include "scepctl/ctl.h"

/* Of the configuration; RC_NOTFOUND names those that it has. */
enum rc foreign_find(const struct conf_foreign **out, const struct config *c, const char *name,
    struct err *err) MUST_CHECK;

/* One run of such a command: the configuration, the CA, and what opens the responder's key. */
struct foreign_session {
	struct config *config;
	const struct conf_foreign *conf;
	struct cert *ca;
	struct buf passphrase, pin; /* empty: none */
	bool tokens;
	bool key_there; /* a file is at ocsp_key; of a key in a token only the token knows */
};
/* RC_CONFIG when no responder is configured for it. */
enum rc foreign_session_open(
    struct foreign_session *s, const char *config, const char *name, struct err *err) MUST_CHECK;
/* Reads the secrets and loads the token's library.  `fresh`: the passphrase is a new one. */
enum rc foreign_session_unlock(struct foreign_session *s, bool fresh, struct err *err) MUST_CHECK;
/* Where the responder's key is, with what opens it; borrowed. */
struct key_source foreign_session_key(const struct foreign_session *s);
void foreign_session_close(struct foreign_session *s);

#endif
