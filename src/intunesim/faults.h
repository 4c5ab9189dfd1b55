/*
 * faults.h - bad days on demand: which requests go wrong, and how (docs/intunesim-api.md).
 *
 * Rules are asked in order, and the first that fits a request decides.  Whether one fits is drawn
 * from the seed, the rule's place, the step, and the request's number at that step: the same
 * requests of a run are hit again in the next one, however the steps interleave.
 *
 * Threads: a lock inside.
 */
#ifndef SCEPD_INTUNESIM_FAULTS_H
#define SCEPD_INTUNESIM_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "json/json.h"

#define FAULT_RULES_MAX  64   /* a day that is worse than that is nobody's idea */
#define FAULT_TEXT_MAX   1024 /* bytes of a body or description that a rule gives */
#define FAULT_NAME_MAX   128
#define FAULT_MS_MAX     600000      /* ten minutes: longer than any client waits */
#define FAULT_BYTES_MAX  (16u << 20) /* sixteen times what a client may take in */
#define FAULT_OFFSET_MAX (10 * 365 * 86400)

/* What a request is part of; SIM_STEP_NONE never goes wrong. */
enum sim_step {
	SIM_STEP_NONE,
	SIM_STEP_TOKEN,
	SIM_STEP_DISCOVERY,
	SIM_STEP_VALIDATE,
	SIM_STEP_SUCCESS,
	SIM_STEP_FAILURE,
	SIM_STEP_DOWNLOAD,
	SIM_STEP_UPLOAD,
	SIM_STEP_GRAPH,
	SIM_STEP_CHECKIN,
	SIM_STEP__MAX,
	SIM_STEP_ANY = SIM_STEP__MAX /* in rules: "*" */
};
const char *sim_step_name(int step); /* "validate"; static */

struct fault_kind;

/* A rule, with the parameters that its kind has; the table in fault_rule.c says which. */
struct fault_rule {
	int step;
	const struct fault_kind *kind; /* NULL: no rule */
	double share;                  /* of the requests that are left */
	uint64_t after, times; /* requests of a step let by before; hits at a step, 0: any */
	uint64_t status, retry_after, number, bytes, ms, percent;
	int body, retry_as, type; /* enums of fault_kinds.h */
	int64_t offset;           /* seconds */
	bool carry_out, broken;
	char code[FAULT_NAME_MAX], member[FAULT_NAME_MAX], value[FAULT_NAME_MAX];
	char location[FAULT_TEXT_MAX], uri[FAULT_TEXT_MAX];
	char text[FAULT_TEXT_MAX], description[FAULT_TEXT_MAX];
};

/*
 * The doors, fault_rule.c: "step=validate,fault=status,status=503,share=0.1" (a backslash takes the
 * next character as it is), and an object of the same names.  RC_CONFIG names the key.
 */
enum rc fault_rule_parse(
    struct fault_rule *out, const char *text, size_t len, struct err *err) MUST_CHECK;
enum rc fault_rule_read(struct fault_rule *out, const json_t *o, struct err *err) MUST_CHECK;
/* The reverse: what differs from the defaults.  NULL when out of memory. */
json_t *fault_rule_json(const struct fault_rule *r);

struct faults;
enum rc faults_new(struct faults **out, struct err *err) MUST_CHECK;
void faults_free(struct faults *f);
/* All rules at once; counting begins anew. */
void faults_set(struct faults *f, uint64_t seed, const struct fault_rule *rules, size_t n);
/*
 * {"seed","rules":[...]} as PUT /sim/faults takes it; without "seed" it stays.  On an error
 * (RC_CONFIG, RC_PARSE) the old rules stay too.
 */
enum rc faults_read(struct faults *f, const json_t *o, struct err *err) MUST_CHECK;
/* The same with "hits" per rule, and "requests": how many each step has seen. */
json_t *faults_json(struct faults *f);
/*
 * A request comes to a step.  True: *out is the rule that it meets, and *place where that stands,
 * from 0.  `moved`: it came to where the services have moved.
 */
bool faults_draw(
    struct faults *f, enum sim_step step, bool moved, struct fault_rule *out, size_t *place);
/* A rule has moved the services away from their old place: to `uri`, or "" for a place of ours. */
bool faults_moved(struct faults *f, char uri[static FAULT_TEXT_MAX]);

#endif
