/* control_fuzz.c - packets that one of scepd's processes gets from another. */
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scepd/control.h"

#define PACKET_MAX 20000 /* a little more than a message can have */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct control_msg m;
	static int fds[2] = { -1, -1 };
	struct err err;

	if (fds[0] < 0 && control_pair(fds, &err) != RC_OK)
		return 0;
	if (len < 1 || len > PACKET_MAX || send(fds[0], data + 1, len - 1, 0) != (ssize_t)len - 1)
		return 0;
	if (control_recv(fds[1], data[0] & 1 ? CONTROL_FROM_CHILD : CONTROL_FROM_SUPERVISOR, &m,
		1000, &err) == RC_OK)
		control_drop(&m);
	return 0;
}
