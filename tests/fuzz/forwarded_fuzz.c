/*
 * forwarded_fuzz.c - X-Forwarded-For of a trusted proxy, and networks as an administrator writes them.  The
 * input is two header lines, parted by the first newline.  Whoever is found has an address that reads as
 * itself; a line of one network is a network with the address in it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/forwarded.h"

static void
check_text(const struct address *a)
{
	char text[ADDRESS_TEXT_MAX];
	struct address again;

	address_text(text, a);
	if (!address_parse(&again, text, strlen(text)) || memcmp(a, &again, sizeof again) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_header h[2] = { { "X-Forwarded-For", "" }, { "x-forwarded-for", "" } };
	struct http_request req = { .headers = h, .n_headers = 2 };
	struct net nets[2] = { { .bits = 0 }, { .bits = 97 } };
	struct address a = { { [10] = 0xff, [11] = 0xff, [12] = 10 } }, b;
	char *text = malloc(size + 1), *second;
	struct net net;
	unsigned n;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	h[0].value = text;
	if ((second = strchr(text, '\n')) != NULL) {
		*second = '\0';
		h[1].value = second + 1;
	}
	for (n = 0; n <= 2; n++) {
		b = a;
		address_forwarded(&b, &req, nets, n); /* all, or none, is a trusted proxy */
		check_text(&b);
	}
	if (net_parse(&net, text, NULL) == RC_OK) {
		memcpy(b.v, net.v, sizeof b.v);
		if (net.bits > 128 || !address_in(&b, &net, 1))
			abort();
	}
	free(text);
	return 0;
}
