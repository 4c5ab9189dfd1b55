#!/usr/bin/env bash
# outage: while Intune does not answer, scepd stops asking, says so once in the log and in the metrics, and goes on by itself when it answers.
. "$(dirname "$0")/../lib/env.sh"

make_ca
mkdir "$T/stub"
python3 "$SCEPD_TOP/tests/lib/intune_stub.py" "$sim_port" "$T/stub" 2>>"$T/stub.log" &
pids="$pids $!"
wait_for "$T/stub/ready" $! || die "the stub starts"
admin_port=$(free_port "$scepd_port") || die "free port"
grep -q '^admin:' "$CONFIG" || echo "admin: { address: \"127.0.0.1:$admin_port\" }" >>"$CONFIG"
start_scepd || die "scepd starts"
n=0
enroll() { # another device, with a challenge of its own
	n=$((n + 1))
	(umask 077 && head -c 600 /dev/urandom | base64 -w0 >"$T/challenge")
	scep enroll --url "$SCEPD/scep/default" --subject "CN=device-$n" --challenge-file "$T/challenge" --out-dir "$T/dev-$n" >"$T/enroll.out" 2>&1
}
gauge() { curl -sS "http://127.0.0.1:$admin_port/metrics" | grep -F "scepd_intune_breaker_open{tenant=\"contoso\",service=\"scep\"} $1"; }
told() { test "$(grep -c " intune .*scep $1" "$T/scepd.log")" = 1; }

enroll
claim "with Intune well there is a certificate" test $? = 0
claim "... and the breaker is closed" gauge 0
echo '503 {}' >"$T/stub/validate"
for _ in 1 2 3 4 5; do enroll; done
claim "after five devices without an answer the metric says so" gauge 1
claim "... and the log, once" told "does not answer"
rm "$T/stub/validate"
within 60 enroll
claim "once Intune is well, devices get certificates without anybody's help" test -s "$T/dev-$n/cert.pem"
claim "... the metric says so" gauge 0
claim "... and the log, once" told "answers again"
