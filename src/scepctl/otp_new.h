/*
 * otp_new.h - scepctl otp new, and what all its commands are given.
 */
#ifndef SCEPD_SCEPCTL_OTP_NEW_H
#define SCEPD_SCEPCTL_OTP_NEW_H

#include "scepctl/ctl.h"

struct otp_options {
	const char *config, *endpoint, *subject, *san, *comment;
	int64_t lifetime; /* seconds; 0: the endpoint's */
	uint64_t uses, count;
	bool json, hex, live, all;
};

/* The row of --endpoint, which all of them have. */
#define OTP_ENDPOINT_ROW(h)                                                                        \
	{                                                                                          \
		.name = "endpoint", .letter = 'e', .type = OPT_STR,                                \
		.offset = offsetof(struct otp_options, endpoint), .value = "NAME", .help = (h)     \
	}

extern const struct opt otp_new_opts[];
int otp_new_run(const void *options, int nargs, char **args);

#endif
