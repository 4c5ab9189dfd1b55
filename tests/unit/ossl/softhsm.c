/*
 * softhsm.c - a token of the test's own.
 */
#include "softhsm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Debian and Fedora, with and without the machine's name in the path. */
static const char *const modules[] = { "/usr/lib/softhsm/libsofthsm2.so",
	"/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
	"/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so",
	"/usr/lib64/pkcs11/libsofthsm2.so" };

void
softhsm_add(struct softhsm *h, const char *label)
{
	char cmd[200];

	snprintf(cmd, sizeof cmd,
	    "softhsm2-util --init-token --free --label %s --pin " SOFTHSM_PIN " --so-pin 5678",
	    label);
	assert_int_equal(dir_run(&h->d, NULL, cmd), 0);
}

void
softhsm_start(struct softhsm *h)
{
	char conf[200];
	size_t i;

	*h = (struct softhsm){ .module = NULL };
	dir_make_temp(&h->d);
	for (i = 0; i < N(modules) && h->module == NULL; i++)
		if (access(modules[i], R_OK) == 0)
			h->module = modules[i];
	if (h->module == NULL ||
	    dir_run(&h->d, NULL, "command -v softhsm2-util && mkdir tokens") != 0) {
		h->module = NULL;
		print_message("skipped: SoftHSM 2 is not installed (package softhsm2)\n");
		return;
	}
	snprintf(conf, sizeof conf,
	    "directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n",
	    h->d.path);
	dir_put(&h->d, "softhsm2.conf", conf, strlen(conf), 0600);
	snprintf(conf, sizeof conf, "%s/softhsm2.conf", h->d.path);
	assert_int_equal(setenv("SOFTHSM2_CONF", conf, 1), 0);
	softhsm_add(h, "scepd");
}

void
softhsm_stop(struct softhsm *h)
{
	(void)unsetenv("SOFTHSM2_CONF");
	assert_int_equal(dir_run(&h->d, NULL, "rm -rf tokens away"), 0);
	dir_done(&h->d);
}

void
softhsm_import(struct softhsm *h, const struct key *k, const char *label, const char *id)
{
	struct err err = { 0 };
	struct buf pem;
	char cmd[300];

	buf_init(&pem, 1 << 16);
	assert_ok(key_private_pem(&pem, k, &err), err);
	dir_put(&h->d, "import.pem", pem.data, pem.len, 0600);
	buf_wipe(&pem);
	snprintf(cmd, sizeof cmd,
	    "softhsm2-util --import import.pem --token scepd --label %s --id %s --force "
	    "--pin " SOFTHSM_PIN " && rm import.pem",
	    label, id);
	assert_int_equal(dir_run(&h->d, NULL, cmd), 0);
}

void
softhsm_pull(const struct softhsm *h)
{
	assert_int_equal(dir_run(&h->d, NULL, "mv tokens away && mkdir tokens"), 0);
}

void
softhsm_plug(const struct softhsm *h)
{
	assert_int_equal(dir_run(&h->d, NULL, "rmdir tokens && mv away tokens"), 0);
}
