/* speed.c - see speed.h. */
#include "bench/speed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "bench/child.h"

#define SPARE_MS 20000 /* beyond the time it is told to take: its set-up */

/* A line of `openssl speed -mr`: "+R1:COUNT:BITS:SECONDS", R1 private, R2 public. */
static bool
read_line(double *each, const char *text, const char *tag)
{
	const char *at = strstr(text, tag);
	unsigned long count;
	double seconds;

	if (at == NULL || sscanf(at + strlen(tag), ":%lu:2048:%lf", &count, &seconds) != 2 ||
	    count == 0)
		return false;
	*each = seconds / (double)count;
	return seconds > 0;
}

static enum rc
read_output(struct speed *out, const char *path, struct err *err)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, 64 * KIB);
	if ((rc = file_read(&b, path, 64 * KIB, err)) == RC_OK &&
	    (!read_line(&out->sign, buf_str(&b), "+R1") ||
		!read_line(&out->verify, buf_str(&b), "+R2")))
		rc = fail(err, RC_PARSE, "openssl speed says something that is not understood");
	buf_done(&b);
	return rc;
}

enum rc
speed_measure(
    struct speed *out, const char *dir, const struct cpus *cpus, unsigned seconds, struct err *err)
{
	char text[16], *log = NULL;
	const char *argv[] = { "openssl", "speed", "-mr", "-seconds", text, "rsa2048", NULL };
	struct child_spec spec = { "openssl speed", argv, &cpus->server, NULL };
	enum rc rc;

	(void)snprintf(text, sizeof(text), "%u", seconds);
	if ((rc = path_join(&log, dir, "speed.txt", err)) != RC_OK)
		return rc;
	spec.log = log;
	(void)unlink(log); /* of the measurement before */
	if ((rc = child_run(&spec, 2 * seconds * 1000 + SPARE_MS, err)) == RC_OK)
		rc = read_output(out, log, err);
	free(log);
	return rc;
}

double
speed_enrolment(const struct speed *s)
{
	return SPEED_PRIVATE * s->sign + SPEED_PUBLIC * s->verify;
}
