/*
 * cert_json.h - a stored certificate as words: its state, why, whose it is, and its JSON.
 */
#ifndef SCEPD_SCEPCTL_CERT_JSON_H
#define SCEPD_SCEPCTL_CERT_JSON_H

#include "scepctl/ctl.h"
#include "store/store_status.h"

/* "valid", "expired", "hold", "revoked"; static. */
const char *cert_state(const struct store_cert_row *r, int64_t now);
/* The caller's reference; NULL when memory ran out. */
json_t *cert_json(const struct store_cert_row *r, int64_t now);
/* Members "status" (with all causes), "text" (the same in a line) and "bound"; false when memory ran out. */
bool cert_json_status(json_t *o, const struct store_status *s);
bool cert_json_binding(json_t *o, const struct store_binding *b);
/* The same as lines. */
void cert_print_status(FILE *f, const struct store_status *s);
void cert_print_binding(FILE *f, const struct store_binding *b);

#endif
