#!/usr/bin/env bash
# http2: libintune speaks HTTP/2 where it is offered, to a server that we did not write (nghttpx before intunesim): one connection for all that
# goes to one host, however many threads ask.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/common.bash"
client=http2
PATH=$PATH:/usr/sbin
needs nghttpx nghttp2-proxy

make_ca
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/front.key" -out "$T/front.pem" -days 2 -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 >"$T/openssl.log" 2>&1 || die "a certificate"
front_port=$(free_port "$sim_port") || die "free port"
start_intunesim --public-url "https://127.0.0.1:$front_port"
SIM=https://127.0.0.1:$front_port
put_properties "$T/ca/contoso.properties"

# start_front ALPN...: every request leaves a line "protocol port-of-the-connection status request"
start_front() {
	nghttpx --conf=/dev/null --workers=1 --no-ocsp --errorlog-file="$T/front.log" --accesslog-file="$T/access.log" \
		--accesslog-format='$alpn $remote_port $status $request' --npn-list="$1" \
		--frontend="127.0.0.1,$front_port" --backend="127.0.0.1,$sim_port" "$T/front.key" "$T/front.pem" 2>>"$T/front.out" &
	front_pid=$!
	pids="$pids $front_pid"
	for _ in $(seq 600); do
		(exec 3<>"/dev/tcp/127.0.0.1/$front_port") 2>/dev/null && break
		kill -0 "$front_pid" 2>/dev/null || die "nghttpx starts"
		sleep 0.1
	done
	: >"$T/access.log"
}
connections() { awk '{ print $2 }' "$T/access.log" | sort -u | wc -l; }
all_spoke() { [ -s "$T/access.log" ] && ! grep -v "^$1 " "$T/access.log"; }
check() { scepctl check --online --config "$CONFIG"; }

sed -i "s|^    properties: contoso.properties|&\n    ca_file: $T/front.pem|" "$CONFIG"
start_front h2,http/1.1
claim "tokens and discovery over HTTP/2" check
claim "every request was HTTP/2" all_spoke h2
claim "... on one connection" test "$(connections)" = 1
# A line is written when its answer is out, which the client may have before.
lines_are() { [ "$(wc -l <"$T/access.log")" = "$1" ]; }
claim "... ten of them: tokens, the addresses, a look into the revocation queue, one for each right in the directory" within 5 lines_are 10

start_scepd || die "scepd starts"
: >"$T/access.log"
head -c 600 /dev/urandom | base64 -w0 >"$T/challenge"
chmod 600 "$T/challenge"
devices=
for i in $(seq 8); do
	scep enroll --url "$SCEPD/scep/default" --subject "CN=device-$i" --challenge-file "$T/challenge" --out-dir "$T/dev-$i" >"$T/enroll-$i.out" 2>&1 &
	devices="$devices $!"
done
wait $devices
asked_about() { [ "$(grep -c validateRequest "$T/access.log")" = "$1" ]; }
claim "eight devices at once: Intune was asked about each" within 5 asked_about 8
claim "... over HTTP/2" all_spoke h2
claim "... on one connection" test "$(connections)" = 1
stop_scepd
kill "$front_pid"
wait "$front_pid" 2>/dev/null

start_front http/1.1
claim "where HTTP/2 is not offered, HTTP/1.1 does" check
claim "... and is what was spoken" all_spoke http/1.1
