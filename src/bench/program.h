/*
 * program.h - where the programs are that a run starts.
 */
#ifndef SCEPD_BENCH_PROGRAM_H
#define SCEPD_BENCH_PROGRAM_H

#include <stdbool.h>

#include "base/err.h"

/* `given`, or the program of that name beside this one - in its build tree or installed -, or the
 * bare name for PATH.  *out is the caller's. */
enum rc program_find(char **out, const char *given, const char *name, struct err *err) MUST_CHECK;
/* It can be executed: a path, or a name found in PATH. */
bool program_there(const char *name);

#endif
