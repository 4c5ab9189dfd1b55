/*
 * config_folder.h - what the tests of scepd.yaml share: a folder of one's own, files in it, a configuration read there.
 */
#ifndef SCEPD_TESTS_CONFIG_FOLDER_H
#define SCEPD_TESTS_CONFIG_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#undef fail /* cmocka's; ours is base/err.h's */

#include "scepd/config.h"

/* All that a configuration has to have: a CA, a tenant, a profile and an endpoint, in five lines. */
#define WHOLE                                                                                      \
	"listeners: [ { address: 127.0.0.1:8080 } ]\n"                                             \
	"cas: { issuing: { certificate: a, key: b, ra_certificate: c, ra_key: d } }\n"             \
	"tenants: { contoso: { properties: p } }\n"                                                \
	"profiles: { device: {} }\n"                                                               \
	"endpoints: { wifi: { ca: issuing, profile: device, challenge: intune, tenant: contoso } " \
	"}\n"

struct folder {
	char dir[64];
	char path[96]; /* of its scepd.yaml */
};

/* For a whole group of tests. */
int folder_new(void **state);
int folder_free(void **state);
/* "<dir>/<name>" in a static buffer; eight of them live at once. */
const char *in(const struct folder *f, const char *name);
void put(const struct folder *f, const char *name, const char *text, mode_t mode);
/* `yaml` as its scepd.yaml, which has to be well-formed (loaded), or not (load). */
struct config *loaded(const struct folder *f, const char *yaml);
enum rc load(const struct folder *f, struct config **out, const char *yaml, struct err *err);

#endif
