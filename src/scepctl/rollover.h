/*
 * rollover.h - scepctl ca rollover: where each endpoint stands, and how many devices have come along.
 */
#ifndef SCEPD_SCEPCTL_ROLLOVER_H
#define SCEPD_SCEPCTL_ROLLOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "json/json.h"
#include "scepd/config.h"
#include "store/store.h"

/* Configuration and state together. */
struct succession {
	const struct config *config;
	struct store_succession st;
};

/* By what it is told: the CA that replaces this one, or NULL. */
const struct conf_ca *next_of(const struct config *c, const char *ca);
/* Not by the configuration alone: retired by `scepctl ca rollover retire`, too. */
bool ca_is_retired(const struct succession *s, const struct conf_ca *ca);
bool ca_is_retired_in_store(const struct succession *s, const char *ca);
/* 0 where nothing has been moved. */
unsigned share_between(
    const struct succession *s, const char *endpoint, const char *from, const char *to);
/* The CA that the endpoint issues from, for those devices at least that are not moved on. */
const struct conf_ca *current_of(const struct succession *s, const struct conf_endpoint *e);

/* rollover_count.c: devices and certificates. */

#define COUNT_CAS_MAX 64 /* CAs of a configuration that has rollovers: a bit each */

struct ca_count {
	uint64_t valid; /* certificates, neither revoked nor expired */
	int64_t last;   /* notAfter of the last of them; 0: none */
};
struct counts {
	const struct config *config;
	struct ca_count ca[COUNT_CAS_MAX]; /* in the order of the configuration */
	struct device *devices;            /* a hash table */
	size_t room, n;
};
/* One walk over the valid certificates: seconds for a million. */
enum rc counts_make(
    struct counts *out, struct store *store, const struct config *c, struct err *err) MUST_CHECK;
void counts_done(struct counts *c);
/* Devices of an endpoint that have a valid certificate of either CA, and how many of them one of `to`. */
void counts_devices(const struct counts *c, const struct conf_endpoint *e,
    const struct conf_ca *from, const struct conf_ca *to, uint64_t *all, uint64_t *moved);
const struct ca_count *counts_ca(const struct counts *c, const struct conf_ca *ca);

/* rollover_status.c: what `status` prints. */
int rollover_status(const struct succession *s, const struct counts *c, bool json);
/* "1,912" */
#define GROUPED_MAX 32
const char *grouped(char out[static GROUPED_MAX], uint64_t n);

#endif
