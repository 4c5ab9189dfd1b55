/* ways_sockets.c - talking to somebody. */
#include "attempts.h"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

static int
made(int family, int type, int protocol)
{
	int fd = socket(family, type, protocol);
	int why = errno;

	if (fd < 0)
		return why;
	close(fd);
	return 0;
}

static int
connect_tcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	return result(connect(fd, (struct sockaddr *)&world.tcp, sizeof world.tcp));
}

static int
send_udp(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	return result(connect(fd, (struct sockaddr *)&world.tcp, sizeof world.tcp));
}

static int
connect_unix(void)
{
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	strcpy(u.sun_path, world.unix_path);
	return result(connect(fd, (struct sockaddr *)&u, sizeof u));
}

static int
connect_abstract(void)
{
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	strcpy(u.sun_path + 1, world.abstract);
	return result(connect(fd, (struct sockaddr *)&u, sizeof u));
}

static int
bind_tcp(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return result(bind(fd, (struct sockaddr *)&a, sizeof a));
}

/* Without bind() the kernel chooses a port. */
static int
listen_tcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	return result(listen(fd, 1));
}

static int
packets(void)
{
	return made(AF_PACKET, SOCK_DGRAM, 0);
}

static int
host(void)
{
	return made(AF_VSOCK, SOCK_STREAM, 0);
}

static int
kernel_crypto(void)
{
	return made(AF_ALG, SOCK_SEQPACKET, 0);
}

static int
raw(void)
{
	return made(AF_INET, SOCK_RAW, IPPROTO_TCP);
}

static int
ping(void)
{
	return made(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
}

static int
other_stream(void)
{
	return made(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
}

static int
netlink_route(void)
{
	return made(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

static int
netlink_other(void)
{
	return made(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
}

static int
datagram_pair(void)
{
	int p[2];

	return result(socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
}

/* The upper half of the register is no part of an int. */
static int
disguised_family(void)
{
	return result(syscall(SYS_socket, 0x100000000L | AF_UNIX, SOCK_STREAM, 0));
}

const struct way ways_sockets[] = {
	{ "connect by TCP: the front's work", connect_tcp, 0, 0, EACCES, 0 },
	{ "send by UDP: the front asks name servers", send_udp, 0, 0, EACCES, 0 },
	{ "connect to a unix socket", connect_unix, 0, EACCES, EACCES, 0 },
	{ "connect to an abstract unix socket", connect_abstract, 0, EACCES, EACCES, 0 },
	{ "bind a TCP port", bind_tcp, 0, EACCES, EACCES, 4 },
	{ "listen", listen_tcp, 0, EPERM, EACCES, 0 },
	{ "see packets (AF_PACKET)", packets, ANY, EACCES, EACCES, 0 },
	{ "talk to the host (AF_VSOCK)", host, ANY, EACCES, EACCES, 0 },
	{ "use the kernel's crypto (AF_ALG)", kernel_crypto, ANY, EACCES, EACCES, 0 },
	{ "make raw sockets", raw, ANY, ENOSYS, EACCES, 0 },
	{ "make ping sockets", ping, ANY, ENOSYS, EACCES, 0 },
	{ "use protocols beside TCP and UDP", other_stream, ANY, ENOSYS, EACCES, 0 },
	{ "ask for addresses by netlink: getaddrinfo() of the front", netlink_route, 0, 0, EACCES,
	    0 },
	{ "use any other netlink", netlink_other, 0, ENOSYS, EACCES, 0 },
	{ "make a datagram pair, which can be turned to others", datagram_pair, 0, ENOSYS, ENOSYS,
	    0 },
	{ "disguise a family in a register's upper half", disguised_family, 0, EACCES, EACCES, 0 },
};
const size_t n_ways_sockets = COUNT(ways_sockets);
