#!/usr/bin/env bash
# proxy: Intune through a real proxy (Debian's squid) that wants a password, Basic or Digest, with CONNECT and trust anchors of one's own; a
# wrong password, a dead proxy, and two tenants behind different proxies in one scepd.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/common.bash"
client=proxy
PATH=$PATH:/usr/sbin
needs squid squid
helpers=/usr/lib/squid

make_ca
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/sim.key" -out "$T/sim.pem" -days 2 -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 >"$T/openssl.log" 2>&1 || die "a certificate"
SIM=https://127.0.0.1:$sim_port
start_intunesim --certificate "$T/sim.pem" --key "$T/sim.key"

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
	for _ in $(seq 100); do
		(exec 3<>"/dev/tcp/127.0.0.1/$proxy_port") 2>/dev/null && return
		kill -0 "$proxy_pid" 2>/dev/null || break
		sleep 0.1
	done
	cat "$d/out.log" "$d/cache.log" >&2
	die "squid ($2) starts"
}
# tenant NAME PORT PASSWORD: its properties, behind the proxy at PORT
tenant() {
	put_properties "$T/$1.properties"
	cat >>"$T/$1.properties" <<END
PROXY_HOST=127.0.0.1
PROXY_PORT=$2
PROXY_USER=jane
PROXY_PASS=$3
END
	cp -p "$T/$1.properties" "$T/ca/$1.properties"
}
check() { scepctl check --online --config "$CONFIG" >"$T/check.out" 2>&1; }
says() { grep -F -e "$1" "$T/check.out"; }
silent_on() { ! grep -F -e "$1" "$T/check.out"; }
tunnels() { grep -c "CONNECT 127.0.0.1:$sim_port jane " "$T/$1/access.log"; }
more() { # NAME COUNT: tunnels by now; a few seconds for the log
	for _ in $(seq 50); do
		[ "$(tunnels "$1")" -gt "$2" ] && return 0
		sleep 0.1
	done
	return 1
}

start_squid squid-basic basic
basic_port=$proxy_port basic_pid=$proxy_pid
start_squid squid-digest digest
digest_port=$proxy_port
sed -i "s|^    properties: contoso.properties|&\n    timeout: 5s\n    ca_file: $T/sim.pem|" "$CONFIG"

for kind in basic digest; do
	port=${kind}_port
	tenant contoso "${!port}" open-sesame
	claim "$kind: with the right password Entra and Graph answer through the proxy" check
	claim "$kind: the proxy's log has CONNECT with the user" more "squid-$kind" 0
	tenant contoso "${!port}" wrong-sesame
	if check; then not_ok "$kind: a wrong password fails the check"; else ok "$kind: a wrong password fails the check"; fi
	claim "$kind: ... and the proxy is named" says "127.0.0.1:${!port}"
	claim "$kind: ... with what to look at" says PROXY_PASS
	claim "$kind: ... and without the password" silent_on wrong-sesame
done

tenant contoso "$basic_port" open-sesame
sed -i "/ca_file: /d" "$CONFIG"
if check; then not_ok "a server of an unknown CA is refused inside the tunnel"; else ok "a server of an unknown CA is refused inside the tunnel"; fi
sed -i "s|^    timeout: 5s|&\n    ca_file: $T/sim.pem|" "$CONFIG"

# Two tenants, two proxies, one daemon
tenant fabrikam "$digest_port" open-sesame
sed -i "s|^tenants:\$|&\n  fabrikam: { properties: fabrikam.properties, timeout: 5s, ca_file: $T/sim.pem }|" "$CONFIG"
profile_of=$(sed -n '/^endpoints:/,$p' "$CONFIG" | sed -nE 's/.*profile: *([A-Za-z0-9_-]+).*/\1/p' | head -n 1)
echo "  second: { ca: issuing, profile: $profile_of, challenge: intune, tenant: fabrikam }" >>"$CONFIG"
claim "two tenants behind two proxies pass the check" check
head -c 600 /dev/urandom | base64 -w0 >"$T/challenge"
chmod 600 "$T/challenge"
# ask ENDPOINT: an enrolment that Intune refuses, so it was asked.  squid logs a tunnel when it ends, so scepd has to end before one counts.
ask() {
	start_scepd || return 1
	scep enroll --url "$SCEPD/scep/$1" --subject CN=device --challenge-file "$T/challenge" --out-dir "$T/dev-$1" >"$T/enroll.out" 2>&1
	stop_scepd
	grep -E " scep .*endpoint=$1 .*intune.code=Challenge" "$T/scepd.log"
}
b=$(tunnels squid-basic) d=$(tunnels squid-digest)
claim "Intune answers the first tenant's endpoint" ask default
claim "... through the first tenant's proxy" more squid-basic "$b"
claim "... and no other" test "$(tunnels squid-digest)" = "$d"
b=$(tunnels squid-basic)
claim "Intune answers the second tenant's endpoint" ask second
claim "... through the second tenant's proxy" more squid-digest "$d"
claim "... and no other" test "$(tunnels squid-basic)" = "$b"

kill "$basic_pid"
wait "$basic_pid" 2>/dev/null
if check; then not_ok "a proxy that is down fails the check"; else ok "a proxy that is down fails the check"; fi
claim "... and is named" says "127.0.0.1:$basic_port"
claim "... while the other tenant is well" says "Entra gave tokens"
