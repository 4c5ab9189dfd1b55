/*
 * init_tell.h - the options of scepctl init, and what it tells when all is made.
 */
#ifndef SCEPD_SCEPCTL_INIT_TELL_H
#define SCEPD_SCEPCTL_INIT_TELL_H

#include "scepctl/init_files.h"
#include "scepctl/init_keys.h"
#include "scepd/config.h"

struct init_options {
	const char *dir, *name, *root_key;
	struct init_keys_options keys;
	int64_t root_validity, issuing_validity, ra_validity;
	const char *listen, *admin, *url, *properties, *domain;
	bool static_challenge, json;
};

/* What was made, and from what; all borrowed. */
struct init_made {
	const struct init_options *o;
	const struct init_text *text;
	const char *tenant; /* of the properties file's name */
	const struct config *config;
};
/* On standard output: the files, what to put into Intune, what to do next; as JSON if that was asked for.  The exit status. */
int init_tell(const struct init_made *m);

#endif
