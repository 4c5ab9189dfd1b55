/*
 * siphash.h - SipHash-2-4 (Aumasson, Bernstein 2012): a short keyed hash that nobody without the key
 * can steer.
 */
#ifndef SCEPD_BASE_SIPHASH_H
#define SCEPD_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t siphash24(const uint8_t key[static 16], const void *p, size_t len);

#endif
