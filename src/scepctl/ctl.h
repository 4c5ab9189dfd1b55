/*
 * ctl.h - what the commands of scepctl share.
 */
#ifndef SCEPD_SCEPCTL_CTL_H
#define SCEPD_SCEPCTL_CTL_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/opt.h"
#include "ca/reason.h"
#include "json/json.h"
#include "ossl/cert.h"
#include "scepd/config.h"
#include "store/store.h"

#define PROG           "scepctl"
#define CONFIG_DEFAULT "/etc/scepd/scepd.yaml"

/* One row for each command; main.c makes the table. */
extern const struct command cmd_init, cmd_check, cmd_list, cmd_show, cmd_revoke, cmd_hold,
    cmd_release, cmd_directory, cmd_audit, cmd_admin, cmd_requests, cmd_otp, cmd_rules, cmd_sweep,
    cmd_exception;
/* The commands of `scepctl ca`: cmd_ca.c makes the table. */
extern const struct command ca_show, ca_init_command, ca_csr, ca_install, ca_import, ca_rollover,
    ca_backup, ca_restore;
struct command ctl_ca(void);
/* The commands of `scepctl foreign`: cmd_foreign.c makes the table. */
extern const struct command foreign_csr, foreign_install, foreign_import, foreign_list,
    foreign_forget;
struct command ctl_foreign(void);

/* The row of --config, in every options struct that has a field `config`. */
#define OPT_CONFIG(s)                                                                              \
	{                                                                                          \
		.name = "config", .letter = 'c', .type = OPT_STR,                                  \
		.offset = offsetof(struct s, config), .value = "FILE",                             \
		.help = "configuration of scepd (default " CONFIG_DEFAULT ")"                      \
	}
#define OPT_FLAG_ROW(n, s, f, h)                                                                   \
	{                                                                                          \
		.name = (n), .type = OPT_FLAG, .offset = offsetof(struct s, f), .help = (h)        \
	}

/* NULL path: the default one.  A missing file gets a hint. */
enum rc ctl_config(struct config **out, const char *path, struct err *err) MUST_CHECK;
/* Configuration and, beside a running daemon or without one, its store.  Either may be asked for
 * alone by NULL. */
enum rc ctl_open(
    struct config **config, struct store **store, const char *path, struct err *err) MUST_CHECK;

/* Whether a scepd runs with this configuration, and whether that was changed since: then it has another one. */
enum ctl_running { CTL_RUNS_NOT, CTL_RUNS, CTL_RUNS_OLDER };
enum ctl_running ctl_running(const struct config *c);

/* "2026-11-21 06:20 UTC" */
#define CTL_TIME_MAX 32
const char *ctl_time(char out[static CTL_TIME_MAX], int64_t t);
/* A name in a terminal: control characters replaced; the caller's buffer of `size`. */
const char *ctl_safe(char *out, size_t size, const char *text);
/* Upper-case hex without separators from what people paste: colons, spaces, lower case, 0x. */
enum rc ctl_serial(
    char out[static 2 * SERIAL_MAX + 1], const char *text, struct err *err) MUST_CHECK;

/* Several CAs have given the serial number (RC_CONFLICT of the store): how to say which is meant. */
enum rc ctl_say_ca(struct err *err);

/* A row's number, 1 or more: RC_CONFIG in words about `what`. */
enum rc ctl_number(int64_t *out, const char *text, const char *what, struct err *err) MUST_CHECK;
/* Nothing was found: RC_NOTFOUND where no endpoint has this name now, which is then why.  Rows may be of one that
 * scepd.yaml had, so this is no question to ask before. */
enum rc ctl_endpoint(const struct config *c, const char *name, struct err *err) MUST_CHECK;
/* "Label         value", made safe; nothing for NULL or "". */
void ctl_line(FILE *f, const char *label, const char *value);
/* What --until says: time_parse_end() from now.  RC_CONFIG. */
enum rc ctl_until(int64_t *out, const char *text, struct err *err) MUST_CHECK;

/*
 * The word of a person before something is done that cannot be undone, or of --yes.  `before`, which may be NULL, prints what is
 * meant; it and the question ("Revoke this?") go to standard error.  RC_DENIED, with what is in `nobody` and `hint`, where there is no
 * terminal; with `no` for any answer but yes.
 */
struct ctl_question {
	bool yes;
	void (*before)(const void *arg);
	const void *arg;
	const char *question, *no, *nobody, *hint;
};
enum rc ctl_confirm(const struct ctl_question *q, struct err *err) MUST_CHECK;

/* Who runs this, for the audit trail: "jane (uid 1000)", "root (uid 0, sudo by jane)". */
#define CTL_WHO_MAX 128
void ctl_who(char out[static CTL_WHO_MAX]);

/* RFC 5280 5.3.1 by name; "unknown" for what is none. */
const char *ctl_reason_name(int reason);
/* -1 when unknown, or nothing an administrator may say of a leaf. */
int ctl_reason(const char *name);
/* All that ctl_reason() takes, with '|'. */
#define CTL_REASONS REASONS_GIVEN

/* Set a member; NULL becomes null.  False when memory ran out. */
bool ctl_json_str(json_t *o, const char *key, const char *value);
bool ctl_json_int(json_t *o, const char *key, int64_t value);
bool ctl_json_time(json_t *o, const char *key, int64_t t); /* RFC 3339; 0 becomes null */
/* Print an item of an array that is written as it comes, a line each; takes the reference.  False: it is
 * NULL, or memory ran out. */
bool ctl_json_item(json_t *o, bool first);
/* Print it (takes the reference) and give the exit code. `built`: whether all members could be set.
 */
int ctl_json_print(json_t *v, bool built);

/* A certificate request to a file, PEM unless `as_der`; what is there is replaced. */
enum rc ctl_write_request(
    const char *path, const struct buf *der, bool as_der, struct err *err) MUST_CHECK;

/* SHA-1 and SHA-256 thumbprints. */
struct thumbprints {
	char sha1[41], sha256[65];
};
enum rc ctl_thumbprints(struct thumbprints *out, const struct cert *c, struct err *err) MUST_CHECK;
/* Which certificate to name in Intune, per platform, as a few lines; `config` may be NULL. */
void ctl_print_intune_choice(FILE *f, const char *issuing_file, const struct thumbprints *issuing,
    const char *root_file, const struct thumbprints *root);
/* Intune's documents: Android profiles need an HTTPS URL.  Says so when `url` is none. */
void ctl_print_android_https(FILE *f, const char *url);

#endif
