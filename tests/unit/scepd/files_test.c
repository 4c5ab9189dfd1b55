/*
 * files_test.c - which files the front gets from the supervisor: those that the configuration names for
 * it, under the names that it has there, and never a key of a CA.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#undef fail /* cmocka's; ours is base/err.h's */

#include "base/file.h"
#include "scepd/files.h"

static char dir[64];
static struct config *config;

static const char *
in(const char *name)
{
	static char paths[8][160];
	static unsigned next;
	char *out = paths[next++ % 8];

	snprintf(out, sizeof(paths[0]), "%s/%s", dir, name);
	return out;
}

static void
put(const char *name, const char *text)
{
	struct err err = { 0 };

	if (file_write(in(name), text, strlen(text), 0600, 1, &err) != RC_OK)
		print_error("%s\n", err.msg);
	assert_int_equal(err.rc, RC_OK);
}

static const char yaml[] =
    "listeners:\n"
    "  - { address: \"127.0.0.1:8443\", certificate: tls.pem, key: tls.key }\n"
    "cas:\n"
    "  issuing:\n"
    "    certificate: issuing.pem\n"
    "    key: issuing.key\n"
    "    chain: [root.pem]\n"
    "    ra_certificate: ra.pem\n"
    "    ra_key: ra.key\n"
    "    ocsp_key: ocsp.key\n"
    "    passphrase_file: passphrase\n"
    "    pin_file: pin\n"
    "foreign_cas:\n"
    "  old: { certificate: old.pem, crl: old.crl, ocsp_certificate: responder.pem, ocsp_key: "
    "responder.key, passphrase_file: responder.passphrase, pin_file: responder.pin }\n"
    "tenants:\n"
    "  contoso: { properties: contoso.properties, ca_file: anchors.pem }\n"
    "  other: { app_id: a, tenant: t, app_key_file: app.secret, proxy: { host: h, port: 1, user: "
    "u, "
    "password_file: proxy.secret } }\n"
    "profiles:\n"
    "  device: {}\n"
    "  lab: { subject: { allow: [\"CN=*.lab.example\"] }, san: { types: [] } }\n"
    "admin: { address: \"127.0.0.1:9443\", certificate: admin.pem, key: admin.key, tokens_file: "
    "admin.tokens }\n"
    "endpoints:\n"
    "  hook: { ca: issuing, profile: lab, challenge: webhook, webhook: { url: "
    "\"https://hook.example/\", "
    "secret_file: hook.secret, ca_file: hook.pem } }\n"
    "  default: { ca: issuing, profile: device, challenge: intune, tenant: contoso }\n"
    "  lab: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret }\n";

static const char *const granted[] = { "tls.pem", "tls.key", "issuing.pem", "root.pem", "ra.pem",
	"contoso.properties", "anchors.pem", "app.secret", "proxy.secret", "lab.secret",
	"from-properties.secret", "admin.pem", "admin.key", "admin.tokens", "hook.secret",
	"hook.pem", "old.pem", "old.crl", "responder.pem" };
static const char *const refused[] = { "issuing.key", "ra.key", "ocsp.key", "passphrase", "pin",
	"responder.key", "responder.passphrase", "responder.pin", "scepd.yaml", "scepd.db",
	"nothing" };

static int
enter(void **state)
{
	struct err err = { 0 };

	strcpy(dir, "/tmp/scepd-files-test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < sizeof(granted) / sizeof(granted[0]); i++)
		put(granted[i], "correct horse battery");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]) - 1; i++)
		put(refused[i], "a key");
	put("scepd.yaml", yaml);
	if (config_load(&config, in("scepd.yaml"), &err) != RC_OK)
		print_error("%s\n", err.msg);
	assert_non_null(config);
	return 0;
}

static int
leave(void **state)
{
	config_free(config);
	for (size_t i = 0; i < sizeof(granted) / sizeof(granted[0]); i++)
		(void)unlink(in(granted[i]));
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		(void)unlink(in(refused[i]));
	return rmdir(dir);
}

static void
name_in_properties(const char *file)
{
	char text[400];

	snprintf(text, sizeof(text), "AAD_APP_ID=x\nAAD_APP_KEY_FILE=%s\n", in(file));
	put("contoso.properties", text);
}

static void
what_the_configuration_names_is_granted(void **state)
{
	name_in_properties("from-properties.secret");
	for (size_t i = 0; i < sizeof(granted) / sizeof(granted[0]); i++)
		assert_true(files_allowed(config, in(granted[i])));
}

static void
keys_and_everything_else_are_refused(void **state)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_false(files_allowed(config, in(refused[i])));
	assert_false(files_allowed(config, "/etc/shadow"));
	assert_false(files_allowed(config, ""));
	assert_false(files_allowed(config, in("../../etc/shadow")));
	assert_false(files_allowed(config, in("./tls.pem"))); /* another name is another file */
}

/* Somebody who can write the properties may not get a key by naming it there. */
static void
no_name_leads_to_a_key(void **state)
{
	name_in_properties("issuing.key");
	assert_false(files_allowed(config, in("issuing.key")));
	name_in_properties("link");
	assert_int_equal(symlink(in("issuing.key"), in("link")), 0);
	assert_false(files_allowed(config, in("link")));
	(void)unlink(in("link"));
	assert_int_equal(link(in("ra.key"), in("link")), 0);
	assert_false(files_allowed(config, in("link")));
	(void)unlink(in("link"));
	name_in_properties("from-properties.secret");
}

/* ---- both ends ---- */

/* As the supervisor: in a process of its own, whose readers open files by themselves.  Exits with the number of
 * its answers. */
static pid_t
serve(int fds[2])
{
	struct control_msg m;
	struct err err;
	int answered = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	(void)close(fds[1]);
	while (control_recv(fds[0], CONTROL_FROM_CHILD, &m, -1, &err) == RC_OK) {
		if (files_answer(fds[0], config, &m, &err) == RC_OK)
			answered++;
		control_drop(&m);
	}
	_exit(answered);
}

static void
readers_get_their_files_by_asking(void **state)
{
	struct err err = { 0 };
	struct buf b;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(control_pair(fds, &err), RC_OK);
	pid = serve(fds);
	(void)close(fds[0]);
	files_ask(fds[1]);
	buf_init(&b, 1000);
	assert_int_equal(file_read_secret(&b, in("lab.secret"), 100, &err), RC_OK);
	assert_string_equal(buf_str(&b), "correct horse battery");
	assert_int_equal(file_read(&b, in("issuing.key"), 100, &err), RC_IO);
	assert_non_null(strstr(err.msg, "Permission denied"));
	/* As open(2) would: gone, changed by rename, a device that would block. */
	(void)rename(in("app.secret"), in("nothing"));
	assert_int_equal(file_read(&b, in("app.secret"), 100, &err), RC_NOTFOUND);
	assert_int_equal(mkfifo(in("app.secret"), 0600), 0);
	assert_int_equal(file_read(&b, in("app.secret"), 100, &err), RC_IO);
	(void)rename(in("nothing"), in("app.secret"));
	buf_reset(&b);
	assert_int_equal(file_read(&b, in("app.secret"), 100, &err), RC_OK);
	assert_string_equal(buf_str(&b), "correct horse battery");
	buf_done(&b);
	/* Without a supervisor nothing can be opened, and nobody waits for ever. */
	(void)shutdown(fds[1], SHUT_RDWR);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 5 << 8);
	assert_int_equal(file_read(&b, in("lab.secret"), 100, &err), RC_IO);
	file_opener_set(NULL, NULL);
	(void)close(fds[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_configuration_names_is_granted),
		cmocka_unit_test(keys_and_everything_else_are_refused),
		cmocka_unit_test(no_name_leads_to_a_key),
		cmocka_unit_test(readers_get_their_files_by_asking),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
