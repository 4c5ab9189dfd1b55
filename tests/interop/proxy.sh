#!/usr/bin/env bash
# proxy: Intune through a real proxy (Debian's squid) that wants a password, Basic or Digest, with CONNECT and trust anchors of one's own; a
# wrong password, a dead proxy, and two tenants behind different proxies in one scepd.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/common.bash"
. "$(dirname "$0")/squid.bash"
client=proxy
needs squid squid

make_ca
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/sim.key" -out "$T/sim.pem" -days 2 -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 >"$T/openssl.log" 2>&1 || die "a certificate"
SIM=https://127.0.0.1:$sim_port
start_intunesim --certificate "$T/sim.pem" --key "$T/sim.key"

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
# What scepd asks by itself would be in the logs of the proxies too.
sed -i "s|timeout: 5s, ca_file|directory: false, revocation_queue: false, &|; s|^    timeout: 5s|&\n    directory: false\n    revocation_queue: false|" "$CONFIG"
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
