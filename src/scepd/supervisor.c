/*
 * supervisor.c - what the administrator starts: it starts signer and front, gives them channels to each other,
 * opens files for the front, and starts again whichever ends or hangs.  It reads nothing that comes
 * from the network and holds no key; passphrases that were typed stay here in locked memory, as a signer that is started again
 * needs them.
 *
 * Here is the loop; supervisor_int.h has the other parts.
 */
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/opt.h"
#include "scepd/control.h"
#include "scepd/notify.h"
#include "scepd/supervisor_int.h"

static void
on_signal(struct supervisor *s)
{
	struct signalfd_siginfo si;
	struct err err;

	if (read(s->signals, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;
	switch (si.ssi_signo) {
	case SIGCHLD:
		supervisor_reap(s);
		break;
	case SIGHUP:
		log_msg(LOG_INFO, "reload", "SIGHUP: certificates and secrets are read again");
		if (config_is_newer(s->config, s->env.lock_fd))
			log_msg(LOG_WARN, "reload",
			    "%s was changed since scepd was started: what it says counts after a "
			    "restart",
			    s->config->path);
		if (!supervisor_renew_front(s, clock_mono_ms()) && s->front.ready && !s->renewing &&
		    control_say(s->front.control, CONTROL_RELOAD, 0, NULL, 0, &err) != RC_OK)
			log_msg(LOG_ERROR, "reload", "%s", err.msg);
		break;
	default:
		log_msg(LOG_INFO, "stop", "%s: finishing what is in flight",
		    si.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
		supervisor_stop(s, EX_OK);
	}
}

static void
on_tick(struct supervisor *s)
{
	int64_t now = clock_mono_ms();
	struct err err;

	if (s->stopping) {
		if (now > s->stop_until_ms) {
			process_kill(&s->front);
			process_kill(&s->signer);
		}
		return;
	}
	supervisor_ping(&s->signer, now);
	if (!s->renewing) /* it was told to end, and listens no more */
		supervisor_ping(&s->front, now);
	supervisor_replace_channels(s, now);
	supervisor_check_start(&s->signer, now);
	supervisor_check_start(&s->front, now);
	if (now > s->look_at_ms)
		(void)supervisor_renew_front(s, now);
	if (s->renewing && now > s->renew_until_ms)
		process_kill(&s->front);
	if (supervisor_start_missing(s, &err) == RC_OK)
		return;
	log_msg(LOG_ERROR, "process", "%s", err.msg);
	if (!s->served)
		supervisor_stop(s, err_reaction(err.rc)->exit_code);
}

static void
wait_and_act(struct supervisor *s)
{
	struct pollfd p[] = { { .fd = s->signals, .events = POLLIN },
		{ .fd = s->signer.control, .events = POLLIN },
		{ .fd = s->front.control, .events = POLLIN },
		{ .fd = s->front.files, .events = POLLIN } };

	if (poll(p, sizeof(p) / sizeof(p[0]), s->served ? 500 : 50) <= 0)
		return;
	/* What a process said before it ended comes before its end. */
	if (p[1].revents != 0)
		supervisor_hear(s, &s->signer, p[1].fd);
	if (p[2].revents != 0)
		supervisor_hear(s, &s->front, p[2].fd);
	if (p[3].revents != 0 && p[3].fd == s->front.files)
		supervisor_hear(s, &s->front, p[3].fd);
	if (p[0].revents != 0)
		on_signal(s);
}

int
supervisor_main(const struct config *config, const struct scepd_options *o)
{
	struct supervisor s = { .config = config,
		.options = o,
		.env = { o->config, o->log_level, -1, -1 },
		.signals = -1,
		.manager = notify_open() };
	struct err err;

	process_init(&s.signer, "signer", false);
	process_init(&s.front, "front", true);
	if (supervisor_begin(&s, &err) != RC_OK) {
		keys_secrets_free(s.secrets);
		return err_report("scepd", &err);
	}
	while (!s.done) {
		on_tick(&s);
		if (!s.done)
			wait_and_act(&s);
	}
	keys_secrets_free(s.secrets);
	if (s.exit_code == EX_OK)
		log_msg(LOG_INFO, "stop", "done");
	return s.exit_code;
}
