/* manner.c - see manner.h. */
#include <stddef.h>
#include <string.h>

#include "scep-client/manner.h"

static const struct manner manners[] = {
	{ .name = "plain",
	    .suffix = "",
	    .content_type = "application/x-pki-message",
	    .sends_validity = true },
	{ .name = "windows",
	    .suffix = "/pkiclient.exe",
	    .message = "default",
	    .user_agent = "Mozilla/4.0 (compatible; Win32; NDES client 10.0.26100.1/ge_release)",
	    .content_type = "application/x-pki-message",
	    .oaep = true,
	    .sends_validity = true },
	{ .name = "ios",
	    .suffix = "",
	    .message = "",
	    .user_agent = "profiled/1.0 CFNetwork/1568 Darwin/24",
	    .content_type = "application/x-pki-message",
	    .raw_base64 = true },
	{ .name = "macos",
	    .suffix = "",
	    .message = "",
	    .user_agent = "mdmclient/1.0 CFNetwork/1568 Darwin/24",
	    .content_type = "application/x-pki-message",
	    .raw_base64 = true },
	{ .name = "android",
	    .suffix = "",
	    .message = "ca",
	    .user_agent = "Dalvik/2.1.0 (Linux; U; Android 15)",
	    .content_type = "application/octet-stream",
	    .sends_validity = true },
};

const struct manner *
manner_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++)
		if (strcmp(manners[i].name, name) == 0)
			return &manners[i];
	return NULL;
}

const struct manner *
manner_plain(void)
{
	return &manners[0];
}
