#!/usr/bin/env bash
# daemon: start, stop, and the mistakes of the first day: one clear sentence and a non-zero exit for each.
. "$(dirname "$0")/../lib/env.sh"
make_ca --static-challenge --static-domain lab.contoso.com --admin "127.0.0.1:$(free_port)"
ADMIN=http://$(grep -A1 '^admin:' "$CONFIG" | grep -oE '127.0.0.1:[0-9]+')
secret=$(find "$T/ca" -name '*secret*' -o -name '*challenge*' | head -n 1)

claim "--check accepts what init made" scepd --config "$CONFIG" --check
# says WHAT EXIT PATTERN COMMAND...: one sentence with PATTERN on standard error
says() {
	local what=$1 want=$2 pattern=$3 status
	shift 3
	timeout 20 "$@" >"$T/out" 2>"$T/err"
	status=$?
	if [ $status = "$want" ] && grep -qE "$pattern" "$T/err"; then ok "$what: $(head -n 1 "$T/err" | sed "s|$T|...|g")"; else
		not_ok "$what: exit $status, want $want and /$pattern/"
		cat "$T/out" "$T/err" >&2
	fi
}
broken() { # WHAT SED-EXPRESSION PATTERN: a configuration with this change is refused, with file, line and key
	cp "$CONFIG" "$T/ca/broken.yaml"
	sed -i "$2" "$T/ca/broken.yaml"
	says "$1" 78 "broken.yaml:[0-9]+: .*$3" scepd --config "$T/ca/broken.yaml" --check
}
broken "an unknown key" 's/public_url:/publik_url:/' 'publik_url'
broken "a wrong choice" 's/challenge: intune/challenge: maybe/' 'endpoints.default.challenge'
broken "a tenant that does not exist" 's/tenant: contoso/tenant: fabrikam/' 'endpoints.default'
broken "a profile that does not exist" 's/profile: intune/profile: nothing/' 'endpoints.default'
broken "a store that is none" 's|url: sqlite:|url: postgres:|' 'store.url'
broken "a tab" "s/^  level:/\tlevel:/" '.'
says "a configuration that is not there" 66 "nowhere.yaml" scepd --config "$T/nowhere.yaml"
says "an unknown option" 64 "frobnicate" scepd --frobnicate
if in_token; then
	for o in gone ra; do sed "s|;object=issuing|;object=$o|" "$CONFIG" >"$T/ca/key-$o.yaml"; done
	says "a key that the token has not" 78 "object=gone" scepd --config "$T/ca/key-gone.yaml" --check
	says "a key of another certificate" 78 "object=ra|issuing.pem" scepd --config "$T/ca/key-ra.yaml" --check
	chmod 644 "$TOKEN_PIN_FILE"
	says "a PIN that others can read" 78 "$(basename "$TOKEN_PIN_FILE")" scepd --config "$CONFIG" --check
	chmod 600 "$TOKEN_PIN_FILE"
else
	cp "$CONFIG" "$T/ca/nokey.yaml" && sed -i 's|ca/issuing.key|ca/gone.key|' "$T/ca/nokey.yaml"
	says "a key file that is not there" 78 "gone.key" scepd --config "$T/ca/nokey.yaml" --check
	cp "$CONFIG" "$T/ca/wrongkey.yaml" && sed -i 's|ca/issuing.key|ca/root.key|' "$T/ca/wrongkey.yaml"
	says "a key of another certificate" 78 "root.key|issuing.pem" scepd --config "$T/ca/wrongkey.yaml" --check
	chmod 644 "$T/ca/ca/issuing.key"
	says "a key that others can read" 78 "issuing.key" scepd --config "$CONFIG" --check
	chmod 600 "$T/ca/ca/issuing.key"
fi
chmod 644 "$secret"
says "a challenge that others can read" 78 "$(basename "$secret")" scepd --config "$CONFIG" --check
chmod 600 "$secret"
says "init into a folder that has a CA" 73 "already|exists" scepctl init --dir "$T/ca" --name Contoso

start_intunesim
start_scepd || die "scepd starts"
cp "$CONFIG" "$T/ca/second.yaml" && sed -i "s/$scepd_port/$(free_port)/" "$T/ca/second.yaml"
says "a second daemon on the same database" 78 "scepd.db" scepd --config "$T/ca/second.yaml"
mkdir "$T/other" && cp -r "$T/ca" "$T/other/" && rm -f "$T"/other/ca/scepd.db*
says "a busy port" 74 "127.0.0.1:$scepd_port" scepd --config "$T/other/ca/scepd.yaml"

for p in "$scepd_pid" "$(process_of front)" "$(process_of signer)"; do
	claim "a crash of process $(tr '\0' ' ' <"/proc/$p/cmdline" | cut -d' ' -f1-2) would leave no core file with keys in it" \
		grep -qE "^Max core file size +0 +0 " "/proc/$p/limits"
done
claim "healthz" sh -c "curl -fsS '$ADMIN/healthz' | grep -q ok"
claim "readyz" sh -c "curl -fsS '$ADMIN/readyz' | grep -q ready"
claim "the admin listener has no SCEP" sh -c "test \$(curl -s -o /dev/null -w '%{http_code}' '$ADMIN/scep/lab?operation=GetCACaps') = 404"
claim "the public listener has no metrics" sh -c "test \$(curl -s -o /dev/null -w '%{http_code}' '$SCEPD/metrics') = 404"
claim "a browser gets 403 and a line" sh -c "test \$(curl -s -o '$T/page' -w '%{http_code}' '$SCEPD/certsrv/mscep/mscep.dll') = 403 && grep -q SCEP '$T/page'"

lab() { scep enroll --force --url "$SCEPD/scep/lab" --out-dir "$T/lab" "$@" >"$T/enroll.out" 2>&1; }
claim "a static endpoint issues within its rule" lab --subject CN=printer.lab.contoso.com --challenge-file "$secret"
says "the client spares a key that is there" 73 "key.pem is there already" scep enroll --url "$SCEPD/scep/lab" --out-dir "$T/lab" --subject CN=x
echo "wrong-wrong-wrong" >"$T/wrong" && chmod 600 "$T/wrong"
lab --subject CN=printer.lab.contoso.com --challenge-file "$T/wrong"
claim "and refuses a wrong challenge" test $? = 3
lab --subject CN=printer.lab.contoso.com
claim "and none" test $? = 3
lab --subject CN=dc01.contoso.com --challenge-file "$secret"
claim "and a name outside its rule" test $? = 3
lab --subject CN=printer.lab.contoso.com --san upn:administrator@contoso.com --challenge-file "$secret"
claim "and a UPN" test $? = 3
scep enroll --url "$SCEPD/certsrv/mscep/mscep.dll" --subject CN=x --challenge-file "$secret" --out-dir "$T/x" >"$T/enroll.out" 2>&1
claim "an Intune endpoint does not take a static challenge" test $? = 3
claim "and does not ask Intune about it" sh -c "! curl -fsS '$SIM/sim/requests' | grep -q validateRequest"
claim "metrics count them" sh -c "curl -fsS '$ADMIN/metrics' | grep -qE '^scepd_requests_refused_total 5'"
serial=$(openssl x509 -in "$T/lab/cert.pem" -noout -serial | sed 's/.*=//')
claim "scepctl shows a certificate" sh -c "scepctl show '$serial' --config '$CONFIG' | grep -q printer.lab.contoso.com"
claim "scepctl holds it beside the running daemon" scepctl hold "$serial" --comment 'left in a taxi' --config "$CONFIG"
claim "it is listed, with the reason" sh -c "scepctl list --status hold --config '$CONFIG' | grep -q '$serial' && scepctl show '$serial' --config '$CONFIG' | grep -q 'left in a taxi'"
claim "metrics count it" sh -c "curl -fsS '$ADMIN/metrics' | grep -qF 'scepd_certificates{status=\"hold\"} 1'"
claim "and it is released" sh -c "scepctl release '$serial' --config '$CONFIG' && curl -fsS '$ADMIN/metrics' | grep -qF 'scepd_certificates{status=\"hold\"} 0'"
claim "scepctl revokes it beside the running daemon" scepctl revoke "$serial" --reason keyCompromise --config "$CONFIG"
scepctl revoke "$serial" --reason keyCompromise --config "$CONFIG" >/dev/null 2>&1
claim "once" test $? != 0
claim "the audit chain is whole" scepctl audit verify --config "$CONFIG"

# Rubbish in place of messages: a plain 4xx, and the daemon goes on.
for body in "" "x" "$(head -c 3000 /dev/zero | tr '\0' 'A')"; do
	code=$(printf %s "$body" | curl -s -o /dev/null -w '%{http_code}' --data-binary @- "$SCEPD/scep/lab?operation=PKIOperation")
	claim "a body of ${#body} bytes of rubbish is a 400" test "$code" = 400
done
claim "no challenge is in the log" sh -c "! grep -qF \"\$(cat '$secret')\" '$T/scepd.log'"
stop_scepd
claim "SIGTERM ends it with status 0" test $? = 0
claim "and it says so" grep -q 'stop msg=done' "$T/scepd.log"

# Idle connections may not take the descriptors that calls to Intune need.
idle() { ( for _ in $(seq 300); do exec {fd}<>"/dev/tcp/127.0.0.1/$scepd_port" || break; done 2>/dev/null; sleep 2; ls "/proc/$(process_of front)/fd" | wc -l >"$T/fds" ); }
rm -f "$T/scepd.ready"
( ulimit -n 256; exec scepd --config "$CONFIG" --ready-file "$T/scepd.ready" 2>>"$T/few.log" ) &
scepd_pid=$!
pids="$pids $scepd_pid"
wait_for "$T/scepd.ready" "$scepd_pid"
claim "with few descriptors it says how many connections there can be" grep -q "instead of limits.connections" "$T/few.log"
idle
claim "and keeps some for its own calls ($(cat "$T/fds") of 256 in use)" test "$(cat "$T/fds")" -lt 200
stop_scepd

# As a service: its manager hears on a socket how it goes, and the journal, which is whatever file $JOURNAL_STREAM says, has priorities.
manager() {
	python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(60)
said = ""
while not said.startswith("STOPPING"):
    said = s.recv(4096).decode()
    print(said.split("\n")[0], flush=True)' "$T/notify" >"$T/notified"
}
manager &
manager_pid=$!
pids="$pids $manager_pid"
for _ in $(seq 100); do [ -S "$T/notify" ] && break; sleep 0.1; done
: >"$T/journal.log"
rm -f "$T/scepd.ready"
NOTIFY_SOCKET=$T/notify JOURNAL_STREAM=$(stat -c %d:%i "$T/journal.log") scepd --config "$CONFIG" --ready-file "$T/scepd.ready" 2>>"$T/journal.log" &
scepd_pid=$!
pids="$pids $scepd_pid"
wait_for "$T/notified" "$scepd_pid"
claim "a service manager hears that it serves" grep -qx READY=1 "$T/notified"
claim "when it does" curl -fsS -o "$T/page" "$SCEPD/scep/lab?operation=GetCACaps"
claim "none of its processes can say so, too" sh -c "! grep -qzh '^NOTIFY_SOCKET=' /proc/$(process_of front)/environ /proc/$(process_of signer)/environ"
stop_scepd
wait "$manager_pid"
claim "and that it ends" test "$(tail -n 1 "$T/notified")" = STOPPING=1
claim "each line has its priority in the journal" sh -c "grep -q '^<6>.* info stop msg=done' '$T/journal.log' && ! grep -v '^<[3467]>' '$T/journal.log'"

sqlite3 "$T/ca/scepd.db" "PRAGMA user_version = 9999" 2>>"$T/claim.log"
says "a database from a newer version" 78 "newer" scepd --config "$CONFIG"
