/* cpus.c - see cpus.h. */
#include "bench/cpus.h"

enum rc
cpus_read(struct cpus *out, struct err *err)
{
	if (sched_getaffinity(0, sizeof(out->all), &out->all) != 0)
		return fail_errno(err, "which cores there are");
	out->n = CPU_COUNT(&out->all);
	out->server_cpu = 0;
	while (!CPU_ISSET(out->server_cpu, &out->all))
		out->server_cpu++;
	CPU_ZERO(&out->server);
	CPU_SET(out->server_cpu, &out->server);
	out->rest = out->all;
	if (out->n > 1)
		CPU_CLR(out->server_cpu, &out->rest);
	return RC_OK;
}

void
cpus_use(const cpu_set_t *set)
{
	/* Fails only for cores that vanished meanwhile; then nothing is pinned, which costs
	 * accuracy alone. */
	(void)sched_setaffinity(0, sizeof(*set), set);
}
