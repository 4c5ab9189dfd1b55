/*
 * conf.h - YAML files (scepd.yaml, intunesim's tenant file) read by schema tables.
 *
 * A schema is rows of (key, type, where it goes, range, default).  Unknown keys,
 * keys given twice, wrong types and values out of range are errors that name
 * file, line and the whole key ("scepd.yaml:12: endpoints.wifi.challenge: ...").
 * Aliases, tags and multiple documents are refused; depth, node count and size are bounded.
 *
 * A conf owns every string and array that it put into the caller's struct:
 * these live until conf_free().  Threads: immutable after conf_load().
 */
#ifndef SCEPD_CONF_CONF_H
#define SCEPD_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct conf;

enum conf_type {
	CONF_STR,      /* const char * */
	CONF_BOOL,     /* bool; true|false|yes|no|on|off */
	CONF_U64,      /* uint64_t within min..max */
	CONF_DURATION, /* int64_t seconds within min..max; "24h", "365d" */
	CONF_CHOICE,   /* int: index into `choices` "a|b|c" */
	CONF_PATH,     /* const char *, made absolute against the folder of the file */
	CONF_STR_LIST, /* struct conf_strs; a list of scalars, or one scalar */
	CONF_MAP,      /* a struct in place, described by `sub` */
	CONF_LIST,     /* struct conf_items: a list of structs described by `sub` */
	CONF_NAMED,    /* struct conf_items: a map from name to struct; the name goes to
			  sub->name_offset */
	CONF_PAIRS,    /* struct conf_pairs: a map of free keys to scalar values */
};

struct conf_strs {
	const char **v;
	size_t n;
};
struct conf_pair {
	const char *key, *value;
	int line;
};
struct conf_pairs {
	struct conf_pair *v;
	size_t n;
};
struct conf_items {
	void *v; /* array of sub->size structs */
	size_t n;
};

struct conf_schema;

struct conf_row {
	const char *key; /* NULL ends the rows */
	enum conf_type type;
	size_t offset;
	bool required;
	const char *dflt;    /* as it would be written; NULL: zero */
	const char *choices; /* CONF_CHOICE; for CONF_STR_LIST: each value must be one of these */
	uint64_t min, max;   /* CONF_U64, CONF_DURATION (max 0: none); CONF_*LIST, NAMED, PAIRS:
				number of items (max 0: 256) */
	const struct conf_schema *sub;
	const char *help; /* one line, for generated documentation */
	const char
	    *hint; /* CONF_U64, CONF_MAP: what to write instead of a wrong value; may be NULL */
	size_t
	    key_line_offset; /* of an int that gets the line of the key when it is there; 0: none */
};

struct conf_schema {
	const char *what; /* "endpoint" */
	size_t size;      /* of the struct that the rows fill */
	const struct conf_row *rows;
	size_t name_offset; /* CONF_NAMED: offset of the const char * name */
	size_t line_offset; /* offset of an int that gets the line where the struct starts;
			       SIZE_MAX: none */
};

#define CONF_NO_LINE SIZE_MAX

/* Read `path` into `out` (zeroed by the call).  *conf is the caller's. RC_CONFIG, RC_NOTFOUND,
 * RC_IO, RC_NOMEM. */
enum rc conf_load(struct conf **conf, const char *path, const struct conf_schema *schema, void *out,
    struct err *err) MUST_CHECK;
/* Its bytes: what conf_load() parses.  RC_CONFIG when longer than LIMIT_CONFIG. */
enum rc conf_read(struct buf *text, const char *path, struct err *err) MUST_CHECK;
/* The same from memory (the door). `name` stands for the path. */
enum rc conf_parse(struct conf **conf, const char *name, const void *bytes, size_t len,
    const struct conf_schema *schema, void *out, struct err *err) MUST_CHECK;
void conf_free(struct conf *conf);

/* "file:line: what: message" as RC_CONFIG, for rules across fields; a macro as fail() is. */
#define conf_fail(...)                                                                             \
	({                                                                                         \
		(void)conf_fail_at(__VA_ARGS__);                                                   \
		(enum rc) RC_CONFIG;                                                               \
	})
enum rc conf_fail_at(const struct conf *conf, struct err *err, int line, const char *key,
    const char *fmt, ...) PRINTF_LIKE(5, 6);

#endif
