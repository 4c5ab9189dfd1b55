/*
 * cli.h - what the commands of `scep` share.
 */
#ifndef SCEPD_SCEP_CLIENT_CLI_H
#define SCEPD_SCEP_CLIENT_CLI_H

#include <stdbool.h>

#include "base/err.h"
#include "base/opt.h"
#include "json/json.h"
#include "ossl/cert.h"

#define PROG "scep"

/* Exit codes beyond those of err_reaction(): see scep(1). */
#define EXIT_REFUSED 3 /* the server answered FAILURE */
#define EXIT_PENDING 4 /* the server answered PENDING */

extern const struct command cmd_getcaps, cmd_getca, cmd_getnextca, cmd_enroll, cmd_doctor,
    cmd_renew, cmd_poll, cmd_getcert, cmd_getcrl;

/* Write PEM files; `name` inside `dir`. */
enum rc cli_write_cert(const char *dir, const char *name, const struct cert *const *certs, size_t n,
    struct err *err) MUST_CHECK;
enum rc cli_write_key(
    const char *dir, const char *name, const struct key *key, struct err *err) MUST_CHECK;
/* {"subject":..,"issuer":..,"serial":..,"sha1":..,"sha256":..,"notAfter":..}; NULL without memory.
 */
json_t *cli_cert_json(const struct cert *c);
/* Print and release. */
int cli_print_json(json_t *v);

#endif
