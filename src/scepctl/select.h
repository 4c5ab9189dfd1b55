/*
 * select.h - which certificates a command is about: by serial number, from a file, or all of a device or user; of any
 * CA, or of one.
 */
#ifndef SCEPD_SCEPCTL_SELECT_H
#define SCEPD_SCEPCTL_SELECT_H

#include "scepctl/ctl.h"

#define SELECT_MAX 200000 /* certificates of one command, with 10 MB */

struct select_by {
	/* An id, or what the directory calls it: a UPN, a device's name or hardware serial number.  NULL: not so. */
	const char *device, *user;
	const char *file; /* serial numbers, one a line; "-": standard input */
	const char *ca;   /* of this CA alone, ours or a foreign one; NULL: of any */
};

/* The rows of --device, --user and --file, in an options struct with the field `by`. */
#define OPT_DEVICE(s)                                                                              \
	{                                                                                          \
		.name = "device", .type = OPT_STR, .offset = offsetof(struct s, by.device),        \
		.value = "ID",                                                                     \
		.help = "those of this device: Entra or Intune id, name, or hardware serial "      \
			"number"                                                                   \
	}
#define OPT_USER(s)                                                                                \
	{                                                                                          \
		.name = "user", .type = OPT_STR, .offset = offsetof(struct s, by.user),            \
		.value = "ID", .help = "those of this user: Entra id or UPN"                       \
	}
#define OPT_FILE(s)                                                                                \
	{                                                                                          \
		.name = "file", .type = OPT_STR, .offset = offsetof(struct s, by.file),            \
		.value = "FILE",                                                                   \
		.help = "serial numbers from a file, one a line; - is standard "                   \
			"input"                                                                    \
	}

/* As "--ca" of revoke, hold, release: also where the number alone would do. */
#define OPT_CA(s)                                                                                  \
	{                                                                                          \
		.name = "ca", .type = OPT_STR, .offset = offsetof(struct s, by.ca),                \
		.value = "NAME",                                                                   \
		.help = "of this CA, ours or a foreign one: several may have given the same "      \
			"serial number"                                                            \
	}

struct selected {
	char serial[2 * SERIAL_MAX + 1];
	uint8_t mark; /* the caller's; 0 at first */
	const char
	    *ca; /* the selection's; NULL: not told, so that the number has to be one CA's alone */
};
struct selection {
	struct selected *v;
	size_t n, room;
	char **cas; /* each once */
	size_t n_cas;
};
void selection_done(struct selection *s);
/*
 * Each certificate once, in the order of serial numbers when there is more than one.  Exactly one way has to be
 * used, or RC_CONFIG; RC_NOTFOUND when a file names none, or a device or user has none that is valid after `valid_at` (wall seconds,
 * 0: at any time); RC_CONFIG with the ids when several devices or users go by that name.  That a serial number
 * is one of ours is not looked at.
 */
enum rc selection_make(struct selection *out, struct store *s, const struct select_by *by,
    int64_t valid_at, int nargs, char **args, struct err *err) MUST_CHECK;
/*
 * Of one device or user (`word` as in select_by): its id, and how many certificates are bound to it that are valid after
 * `valid_at`.  A word in the form of an id is taken for one, whether or not there is anybody (*bound 0).  RC_NOTFOUND when
 * nobody is so called; RC_CONFIG with the ids when several are.
 */
enum rc select_id(char out[static 40], size_t *bound, struct store *s, bool user, const char *word,
    int64_t valid_at, struct err *err) MUST_CHECK;

#endif
