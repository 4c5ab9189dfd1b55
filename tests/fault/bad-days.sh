#!/usr/bin/env bash
# bad-days: every kind of bad day that the simulator knows, at each step where it matters, for a device that enrols through scepd.  Whatever
# happens, the device gets either a certificate that Intune was told of, or a signed FAILURE and none; the daemon goes on; and once the day is
# over the next device is served.
. "$(dirname "$0")/../lib/env.sh"

make_ca
sed -i 's/    properties: contoso.properties/&\n    timeout: 4s/' "$CONFIG"
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=elsewhere.invalid -addext subjectAltName=DNS:elsewhere.invalid -days 30 \
	-keyout "$T/bad.key" -out "$T/bad.pem" 2>>"$T/claim.log" || die "a bad certificate"
bad_port=$(free_port "$sim_port") || die "a free port"
start_intunesim --bad-listen "127.0.0.1:$bad_port" --bad-certificate "$T/bad.pem" --bad-key "$T/bad.key" \
	--fault 'step=failure,fault=status,status=500,times=1' --seed 3
start_scepd || die "scepd starts"

n=0
enroll() {
	n=$((n + 1))
	scep enroll --intune "$SIM" --device LAPTOP-7F3K2 --out-dir "$T/dev-$n" >"$T/enroll.out" 2>&1
}
good() { scepctl list --config "$CONFIG" --valid --json 2>>"$T/claim.log" | grep -c '"serial"'; }
rules() { curl -fsS -X PUT -H 'Content-Type: application/json' -d "{\"seed\":1,\"rules\":[$1]}" "$SIM/sim/faults" >"$T/rules" 2>&1; }
hits() { curl -fsS "$SIM/sim/faults" | tr ',{' '\n\n' | sed -n 's/.*"hits": *\([0-9]*\).*/\1/p' | head -n 1; }
well() { curl -fsS -X DELETE "$SIM/sim/faults"; }
# The certificates of the last device, and whether Intune has heard of all of them.
certs() { find "$T/dev-$n" -name '*.pem' 2>/dev/null | while read -r f; do openssl x509 -in "$f" -noout -fingerprint -sha1 2>/dev/null; done | sed 's/.*=//; s/://g'; }
all_reported() {
	local c any=1
	curl -fsS "$SIM/sim/report" >"$T/report"
	for c in $(certs); do grep -q "$c" "$T/report" && any=0; done
	return $any
}

claim "rules of the command line are in force" sh -c "curl -fsS '$SIM/sim/faults' | grep -q '\"times\": *1'"
claim "a rule that makes no sense is refused, and says why" sh -c "curl -sS -X PUT -H 'Content-Type: application/json' \
	-d '{\"rules\":[{\"step\":\"validate\",\"fault\":\"stall\",\"status\":1}]}' '$SIM/sim/faults' | grep -q 'has no such key'"
claim "a wrong rule on the command line ends with status 78 and its key" sh -c "intunesim --tenant '$SCEPD_TOP/docs/examples/contoso.yaml' \
	--fault step=token,fault=statsu 2>&1 | grep -q 'did you mean'"
well
enroll
claim "on a good day there is a certificate" test $? = 0
claim "and Intune has heard of it" all_reported

# A day: step|fault and its parameters|what becomes of the device: yes, no, either
day() { # STEP PARAMETERS WANT WHAT
	local before status after ok=1 hit i
	# A token or an address that is still remembered would hide the day.
	case $1 in token | discovery) stop_scepd; start_scepd || die "$4: scepd starts" ;; esac
	before=$(good)
	rules "{\"step\":\"$1\",$2}" || { not_ok "$1: $4: the rule is taken"; cat "$T/rules" >&2; return; }
	enroll
	status=$?
	hit=$(hits)
	after=$(good)
	case $status in
	0) [ "$3" != no ] && [ "$after" = $((before + 1)) ] && all_reported && ok=0 ;;
	3) [ "$3" != yes ] && [ "$after" = "$before" ] && [ -z "$(certs)" ] && ok=0 ;;
	esac
	[ "${hit:-0}" -gt 0 ] && kill -0 "$scepd_pid" 2>/dev/null || ok=1
	if [ $ok = 0 ]; then ok "$1: $4: $([ $status = 0 ] && echo "a certificate that was reported" || echo "a signed FAILURE and no certificate")"; else
		not_ok "$1: $4 (status $status, want $3, hits ${hit:-none}, good $before then $after)"
		tail -n 3 "$T/enroll.out" "$T/scepd.log" >&2
	fi
	well
	# A daemon that has learnt to leave Intune alone may take a while to ask again: an address that Graph has confirmed is believed for 30 s, and a
	# breaker that is open by then holds for 30 s at most.
	for i in $(seq 150); do
		enroll && return
		sleep 1
	done
	not_ok "$1: $4: afterwards devices are served again"
	tail -n 3 "$T/enroll.out" "$T/scepd.log" >&2
}

while IFS='|' read -r step parameters want what; do
	day "$step" "$parameters" "$want" "$what"
done <<EOF
token|"fault":"aadsts","number":7000222|no|the secret has expired
token|"fault":"aadsts","number":90033|no|a transient error
token|"fault":"status","status":429,"retryAfter":30,"body":"empty"|no|too many requests
token|"fault":"status","status":502,"body":"html"|no|a gateway's HTML
token|"fault":"drop","member":"access_token"|no|no token in the answer
token|"fault":"garbage"|no|no JSON
token|"fault":"skew","offset":"-3h"|no|Entra's clock is three hours behind
token|"fault":"stall"|no|half an answer, then silence
token|"fault":"unknown"|yes|a member that nobody knows
discovery|"fault":"status","status":403|no|no permission
discovery|"fault":"drop","member":"uri"|no|entries without address
discovery|"fault":"huge"|no|4 MiB of list
discovery|"fault":"move","uri":"http://127.0.0.1:1"|no|an address where nobody listens
discovery|"fault":"move","uri":"https://127.0.0.1:$bad_port"|no|a certificate of somebody else
discovery|"fault":"reset"|no|a reset
discovery|"fault":"unknown"|yes|members that nobody knows
validate|"fault":"status","status":500|no|500
validate|"fault":"status","status":503,"retryAfter":60,"retryAs":"date","body":"html"|no|503 in HTML, Retry-After as a date
validate|"fault":"status","status":307,"location":"http://127.0.0.1:1/"|no|a redirect
validate|"fault":"status","status":200,"body":"text","text":"Success"|no|the word Success
validate|"fault":"status","status":500,"carryOut":true|no|500 after it was done
validate|"fault":"code","code":"SubjectNameMismatch"|no|a refusal
validate|"fault":"code","code":"SomethingNew"|no|a code that nobody knows
validate|"fault":"code","code":"success"|no|Success in lower case
validate|"fault":"drop","member":"code"|no|no code
validate|"fault":"drop","member":"errorDescription"|either|no description
validate|"fault":"null","member":"errorDescription"|either|a null description
validate|"fault":"null","member":"code"|no|a null code
validate|"fault":"duplicate","member":"code","value":"ChallengeExpired"|no|two codes
validate|"fault":"unknown"|yes|a member that nobody knows
validate|"fault":"garbage"|no|no JSON
validate|"fault":"empty"|no|an empty body
validate|"fault":"type","type":"text/html"|either|JSON that says it is HTML
validate|"fault":"gzip"|either|compressed
validate|"fault":"gzip","broken":true|no|compressed, and broken
validate|"fault":"huge"|no|4 MiB
validate|"fault":"delay","ms":700|yes|late
validate|"fault":"delay","ms":9000|no|later than anybody waits
validate|"fault":"stall"|no|half an answer, then silence
validate|"fault":"cut"|no|half an answer
validate|"fault":"reset"|no|a reset
validate|"fault":"reset","sent":80|no|a reset near the end
validate|"fault":"chunked","bytes":1|yes|chunks of one byte
validate|"fault":"drip","bytes":8|yes|drips of eight bytes
validate|"fault":"move"|either|the service has moved
validate|"fault":"skew","offset":"2h"|yes|a Date two hours ahead
success|"fault":"status","status":500|no|500
success|"fault":"status","status":500,"carryOut":true|no|500 after it was done
success|"fault":"code","code":"Unknown"|no|a refusal
success|"fault":"drop","member":"code"|no|no code
success|"fault":"stall"|no|half an answer, then silence
success|"fault":"reset"|no|a reset after it was done
success|"fault":"drip","bytes":8|yes|drips of eight bytes
*|"fault":"delay","ms":300|yes|everything is late
*|"fault":"status","status":500,"share":0.4|either|four in ten fail
EOF

claim "each hit is in the simulator's log" grep -qE ' validateRequest .*fault=status rule=0' "$T/sim.log"
claim "no token is in the logs" sh -c "! grep -qE 'eyJ[A-Za-z0-9_-]{20}' '$T/scepd.log' '$T/sim.log'"
claim "the audit chain is whole" scepctl audit verify --config "$CONFIG"
