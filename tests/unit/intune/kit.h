/*
 * kit.h - what the tests of calls share: a peer with a client on it, the three calls, and a look at
 * raw requests.
 */
#ifndef SCEPD_TESTS_INTUNE_KIT_H
#define SCEPD_TESTS_INTUNE_KIT_H

#include "peer.h"
#include "unit.h"

#define CSR_LEN    7
#define CSR_BASE64 "MAMCAQX7/w=="
extern const uint8_t csr[CSR_LEN];

struct fixture {
	struct peer *peer;
	struct intune_client *client;
	struct intune_error e;
};

int kit_setup(void **state);
int kit_teardown(void **state);

enum intune_status validate(struct fixture *f);
enum intune_status notify_success(struct fixture *f);
enum intune_status notify_failure(struct fixture *f);

/* Fail unless the raw request has this header line, or begins with this text. */
void expect_line(const char *raw, const char *name, const char *want);
void expect_start(const char *raw, const char *line);

#endif
