/*
 * app_files.h - the files by which an app proves itself: secrets, keys, self-signed certificates.
 */
#ifndef SCEPD_TESTS_INTUNE_APP_FILES_H
#define SCEPD_TESTS_INTUNE_APP_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ossl/key.h"

#define DAY 86400

void put(const char *path, const char *text, mode_t mode);
void put_key(const char *path, struct key *key, mode_t mode);
/* Valid since long ago, until `ends` (wall seconds); before it in the file its key, if asked for. */
void put_cert(const char *path, struct key *key, int64_t ends, bool with_key);

#endif
