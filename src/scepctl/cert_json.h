/*
 * cert_json.h - a stored certificate as words: its state, and its JSON.
 */
#ifndef SCEPD_SCEPCTL_CERT_JSON_H
#define SCEPD_SCEPCTL_CERT_JSON_H

#include "scepctl/ctl.h"

/* "valid", "expired", "revoked"; static. */
const char *cert_state(const struct store_cert_row *r, int64_t now);
/* The caller's reference; NULL when memory ran out. */
json_t *cert_json(const struct store_cert_row *r, int64_t now);

#endif
