# squid.bash - Debian's squid as a proxy that wants a password, and its log.  Sourced after tests/lib/env.sh; not a script of its own.
# Needs sim_port, the one port that tunnels may lead to.
PATH=$PATH:/usr/sbin
helpers=/usr/lib/squid

# squid gives up root when it has it: then its folder must be its user's
squid_user=
[ "$(id -u)" != 0 ] || squid_user=proxy
# start_squid NAME SCHEME: sets proxy_port; its log is $T/NAME/access.log
start_squid() {
	local d=$T/$1 auth
	mkdir "$d"
	proxy_port=$(free_port) || die "free port"
	if [ "$2" = basic ]; then
		printf 'jane:%s\n' "$(openssl passwd -apr1 open-sesame)" >"$d/users"
		auth="auth_param basic program $helpers/basic_ncsa_auth $d/users
auth_param basic realm $1"
	else
		printf 'jane:open-sesame\n' >"$d/users"
		auth="auth_param digest program $helpers/digest_file_auth $d/users
auth_param digest realm $1
auth_param digest children 1"
	fi
	cat >"$d/squid.conf" <<END
http_port 127.0.0.1:$proxy_port
$auth
acl known proxy_auth REQUIRED
acl CONNECT method CONNECT
acl sim_port port $sim_port
http_access deny !known
http_access allow CONNECT sim_port
http_access deny all
access_log stdio:$d/access.log
cache_log $d/cache.log
pid_filename $d/pid
coredump_dir $d
cache deny all
shutdown_lifetime 0 seconds
pinger_enable off
visible_hostname $1.invalid
netdb_filename none
END
	if [ -n "$squid_user" ]; then
		chmod 755 "$T"
		chown -R "$squid_user" "$d"
	fi
	squid --foreground -n "t${proxy_port}" -f "$d/squid.conf" >"$d/out.log" 2>&1 &
	proxy_pid=$!
	pids="$pids $proxy_pid"
	for _ in $(seq 600); do
		(exec 3<>"/dev/tcp/127.0.0.1/$proxy_port") 2>/dev/null && return
		kill -0 "$proxy_pid" 2>/dev/null || break
		sleep 0.1
	done
	cat "$d/out.log" "$d/cache.log" >&2
	die "squid ($2) starts"
}
# CONNECT of user jane, in the log of squid NAME
tunnels() { grep -c "CONNECT 127.0.0.1:$sim_port jane " "$T/$1/access.log"; }
# more NAME COUNT: tunnels by now; a few seconds for the log
more() { within 5 has_more "$@"; }
has_more() { [ "$(tunnels "$1")" -gt "$2" ]; }
