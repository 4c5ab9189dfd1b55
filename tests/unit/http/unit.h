/*
 * unit.h - cmocka and what it needs before it; every test of this folder begins with it.
 */
#ifndef SCEPD_TESTS_HTTP_UNIT_H
#define SCEPD_TESTS_HTTP_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#undef fail /* cmocka's, without arguments; ours is base/err.h's */

#endif
