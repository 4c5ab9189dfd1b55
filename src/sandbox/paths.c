/*
 * paths.c - the files of the system that a role needs, whatever the configuration says.
 *
 * All of them are optional: distributions differ.  A symbolic link is followed, so what a link of
 * /etc leads to stands here by itself where that is replaced while the server runs.
 */
#include "sandbox/sandbox_int.h"

#define R(roles_, path_, why_)                                                                     \
	{                                                                                          \
		(roles_), { (path_), SANDBOX_READ, true }, (why_), false                           \
	}
/* A single file that is read again whenever it has changed: see replaced.c. */
#define L(roles_, path_, why_)                                                                     \
	{                                                                                          \
		(roles_), { (path_), SANDBOX_READ, true }, (why_), true                            \
	}

const struct system_path system_paths[] = {
	/* Names into addresses: getaddrinfo() of libcurl, each time. */
	L(BOTH, "/etc/resolv.conf", "which name servers to ask"),
	R(BOTH, "/run/systemd/resolve", "what resolv.conf is a link to under systemd-resolved"),
	R(BOTH, "/run/resolvconf", "and under resolvconf"),
	R(BOTH, "/run/NetworkManager", "and under NetworkManager"),
	L(BOTH, "/etc/hosts", "names that are fixed"),
	L(BOTH, "/etc/host.conf", "how names are looked up"),
	L(BOTH, "/etc/nsswitch.conf", "where names are looked up"),
	L(BOTH, "/etc/gai.conf", "in which order addresses are tried"),
	R(BOTH, "/etc/services", "names of ports in a listener's or proxy's address"),

	/* Code that is loaded late: libnss_*, a PKCS#11 module with what it needs, libgcc_s. */
	R(BOTH, "/lib", "shared objects"),
	R(BOTH, "/lib64", "shared objects"),
	R(BOTH, "/usr/lib", "shared objects"),
	R(BOTH, "/usr/lib64", "shared objects"),
	R(BOTH, "/usr/local/lib", "shared objects that the administrator has built"),
	R(BOTH, "/etc/ld.so.cache", "where shared objects are"),

	/* TLS towards Entra and Intune, and whatever else libcrypto reads by itself. */
	R(BOTH, "/etc/ssl/openssl.cnf", "libcrypto's configuration"),
	R(BOTH, "/etc/pki/tls/openssl.cnf", "the same in Fedora"),
	R(BOTH, "/etc/crypto-policies", "what that includes"),
	R(FRONT, "/etc/ssl/certs", "roots; a folder, for update-ca-certificates replaces the file"),
	R(FRONT, "/usr/share/ca-certificates", "what its links lead to"),
	R(FRONT, "/usr/local/share/ca-certificates", "and the administrator's own"),
	R(FRONT, "/etc/pki/tls/certs", "roots in Fedora"),
	R(FRONT, "/etc/pki/ca-trust", "what its links lead to"),

	/* The C library. */
	R(BOTH, "/etc/localtime", "local time in a log"),
	R(BOTH, "/usr/share/zoneinfo", "what it is a link to"),
	R(BOTH, "/dev/null", "an empty file"),
	R(BOTH, "/dev/urandom",
	    "seeds of hash tables (jansson), names of temporary files (SQLite)"),
	R(BOTH, "/sys/devices/system/cpu", "sysconf(_SC_NPROCESSORS_ONLN)"),
	R(BOTH, "/proc/sys/vm/overcommit_memory", "malloc() decides how to give memory back"),
	R(BOTH, "/proc/sys/crypto/fips_enabled", "libcrypto and libgcrypt ask"),
#if SANITIZED
	R(BOTH, "/proc/self", "sanitizers read maps and tasks"),
#endif
};
const size_t n_system_paths = COUNT(system_paths);
