/*
 * unit.h - what every test of this folder includes: cmocka and what cmocka wants first.
 */
#ifndef SCEPD_TESTS_UNIT_H
#define SCEPD_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* cmocka's fail() stands in the way of base/err.h's. */
#undef fail

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif
