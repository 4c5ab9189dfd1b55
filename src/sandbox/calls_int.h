/*
 * calls_int.h - rows of the tables of system calls.
 */
#ifndef SCEPD_SANDBOX_CALLS_INT_H
#define SCEPD_SANDBOX_CALLS_INT_H

#include <errno.h>
#include <seccomp.h>

#include "sandbox/sandbox_int.h"

#define CALL_ARGS_MAX 3

/*
 * One call that a role may or may not make.  A call may have several rows; what none of them is for gets
 * the filter's default.  libseccomp takes no two rows that meet in the same arguments: conditions of
 * rows with different actions exclude each other.
 */
struct call {
	int nr; /* negative: this machine has no such call; libseccomp leaves it out */
	unsigned roles;
	unsigned needs; /* HAS_*: the row is there only with it; 0: always */
	unsigned lacks; /* HAS_*: the row is there only without it */
	uint32_t action;
	struct scmp_arg_cmp args[CALL_ARGS_MAX]; /* all hold; the rest zero */
	const char *why;
};

/* Conditions.  An int is compared without what lies above it in the register: so does the kernel. */
#define BITS(n, mask, value)                                                                       \
	{                                                                                          \
		(n), SCMP_CMP_MASKED_EQ, (scmp_datum_t)(mask), (scmp_datum_t)(value)               \
	}
#define INT(n, value) BITS(n, 0xffffffffu, (uint32_t)(value))
#define NIL(n)                                                                                     \
	{                                                                                          \
		(n), SCMP_CMP_EQ, 0, 0                                                             \
	}
/* This process, and any other: the number is put in when the filter is made. */
#define OWN_PID UINT64_C(0xfffffffffffffffe)
#define SELF(n)                                                                                    \
	{                                                                                          \
		(n), SCMP_CMP_EQ, OWN_PID, 0                                                       \
	}
#define OTHERS(n)                                                                                  \
	{                                                                                          \
		(n), SCMP_CMP_NE, OWN_PID, 0                                                       \
	}

extern const struct call calls_allowed[], calls_fatal[];
extern const size_t n_calls_allowed, n_calls_fatal;

#endif
