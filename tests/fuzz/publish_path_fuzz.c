/* publish_path_fuzz.c - paths behind /crl/ and /ca/. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scepd/publish_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The name is a part of the path, and a list is written again as it was. */
static void
list(const char *path)
{
	char again[64];
	struct crl_path p;

	if (!crl_path_parse(&p, path))
		return;
	if (p.ca_len == 0 || p.ca < path || p.ca + p.ca_len >= path + strlen(path) ||
	    memchr(p.ca, '/', p.ca_len) != NULL)
		abort();
	if (p.kind != LIST_PART)
		return;
	(void)snprintf(again, sizeof(again), "/%u-of-%u.", p.part, p.parts);
	if (p.parts > CRL_PARTS_MAX || p.part >= p.parts || (p.parts & (p.parts - 1)) != 0 ||
	    strncmp(p.ca + p.ca_len, again, strlen(again)) != 0)
		abort();
}

static void
certificate(const char *path)
{
	const char *ca;
	size_t len;

	if (cert_path_parse(&ca, &len, path) &&
	    (len == 0 || ca < path || ca + len >= path + strlen(path) ||
		memchr(ca, '/', len) != NULL))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);

	if (text == NULL)
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	list(text);
	certificate(text);
	free(text);
	return 0;
}
