/*
 * unit.h - what every test of this folder includes.
 */
#ifndef SCEPD_TESTS_INTUNE_UNIT_H
#define SCEPD_TESTS_INTUNE_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#undef fail /* cmocka's, with no arguments; ours is base/err.h's */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intune.h"

#define give_up(...) (print_error(__VA_ARGS__), _fail(__FILE__, __LINE__))
#define COUNT(a)     (sizeof(a) / sizeof((a)[0]))

#endif
