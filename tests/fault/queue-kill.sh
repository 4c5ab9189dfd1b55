#!/usr/bin/env bash
# queue-kill: scepd is killed (SIGKILL) at each step of emptying Intune's revocation queue, and Intune does not take results or does not answer.
# Nothing may be forgotten, revoked twice or reported otherwise: in the end the certificate is revoked for one cause, and Intune has its result.
. "$(dirname "$0")/../lib/env.sh"
make_ca
cat >>"$CONFIG" <<'EOF'
revocation: { queue_interval: 1s }
EOF
start_intunesim

t=$SIM/sim/tenants/contoso.com
api() { curl -fsS -X "$1" ${3:+-H 'Content-Type: application/json' -d "$3"} "$2"; }
get() { python3 -c "import json,sys; a=json.load(sys.stdin); print($1)"; }
serial() { openssl x509 -in "$(find "$T/$1" -name cert.pem)" -noout -serial | sed 's/.*=//'; }
revoked() { scepctl list --config "$CONFIG" --revoked --json | grep -q "\"$1\""; }
good() { ! revoked "$1"; }
# item SERIAL PYTHON over its row `r` in the simulator's queue
item() { api GET "$SIM/sim/revocations" | get "[$2 for r in a['value'] if r['serialNumber'].upper().lstrip('0') == '$(echo "$1" | sed 's/^0*//')']"; }
has_result() { [ "$(item "$1" "r['status']")" = "['revoked']" ]; }
revocations_of() { grep -c " revoked serial=$1 " "$T/scepd.log"; }
# one_more NAME: a certificate of the laptop, in $T/NAME
one_more() {
	start_scepd || die "$1: scepd starts"
	scep enroll --intune "$SIM" --device LAPTOP-7F3K2 --out-dir "$T/$1" >"$T/$1.out" 2>&1 || die "$1: a certificate"
	stop_scepd
	s=$(serial "$1")
}
want_revoked() { api POST "$SIM/sim/revocations" "{\"serialNumber\":\"$s\"}"; }

for point in queue-fetched queue-revoked queue-answered; do
	one_more "$point"
	want_revoked || die "$point: it is queued"
	SCEPD_FAULT=$point start_scepd # or is killed before it is ready
	wait "$scepd_pid" 2>/dev/null
	status=$?
	if [ $status = 137 ]; then ok "$point: the daemon is killed there"; else not_ok "$point: the daemon is killed there (it ended with $status)"; fi
	if [ $point = queue-fetched ]; then claim "$point: nothing is revoked yet" good "$s"; else claim "$point: it is revoked" revoked "$s"; fi
	if [ $point = queue-answered ]; then claim "$point: Intune has the result" has_result "$s"; else claim "$point: Intune has no result yet" test "$(item "$s" "r['status']")" = "['pending']"; fi
	start_scepd || die "$point: scepd starts again"
	claim "$point: after the restart Intune has the result" within 10 has_result "$s"
	claim "$point: which is: revoked, without an error" test "$(item "$s" "(r['result'] or {}).get('errorCode')")" = "[None]"
	claim "$point: it is revoked" revoked "$s"
	claim "$point: once" test "$(scepctl show --config "$CONFIG" "$s" --json 2>/dev/null | grep -o 'request [0-9a-f-]*' | sort -u | wc -l)" = 1
	stop_scepd
done

# ---- Intune has a bad day ----
start_scepd || die "scepd starts"
hit() { api GET "$SIM/sim/faults" | get "'hit' if a['rules'][0]['hits'] > 0 else 'not yet'" | grep -qx hit; }
while IFS='|' read -r name what rule; do
	scep enroll --intune "$SIM" --device LAPTOP-7F3K2 --out-dir "$T/$name" >"$T/$name.out" 2>&1 || die "$name: a certificate"
	s=$(serial "$name")
	api PUT "$SIM/sim/faults" "{\"seed\":7,\"rules\":[$rule]}" >/dev/null || die "$name: the rule"
	want_revoked || die "$name: it is queued"
	case $what in
	download)
		within 10 hit || die "$name: scepd asks"
		claim "$name: without a list nothing is revoked" good "$s"
		;;
	upload)
		within 10 hit || die "$name: scepd answers"
		claim "$name: it is revoked though the answer went wrong" revoked "$s"
		;;
	esac
	curl -fsS -o /dev/null -X DELETE "$SIM/sim/faults" || die "$name: the day is over"
	claim "$name: when the day is over Intune has the result" within 45 has_result "$s"
	claim "$name: and it was revoked once" test "$(revocations_of "$s")" = 1
done <<'EOF'
download-500|download|{"step":"download","fault":"status","status":500}
download-401|download|{"step":"download","fault":"status","status":401}
download-403|download|{"step":"download","fault":"status","status":403}
download-429|download|{"step":"download","fault":"status","status":429,"retryAfter":2}
download-half|download|{"step":"download","fault":"cut"}
download-empty|download|{"step":"download","fault":"empty"}
download-no-list|download|{"step":"download","fault":"drop","member":"value"}
upload-500|upload|{"step":"upload","fault":"status","status":500}
upload-false|upload|{"step":"upload","fault":"status","status":200,"body":"text","text":"{\"value\":false}"}
upload-lost|upload|{"step":"upload","fault":"status","status":503,"carryOut":true}
upload-half|upload|{"step":"upload","fault":"cut"}
EOF
claim "the audit chain is whole" scepctl audit verify --config "$CONFIG"
