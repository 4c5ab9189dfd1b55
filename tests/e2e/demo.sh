#!/usr/bin/env bash
# demo: scripts/demo --once says what it did, and its exit status is true.
. "$(dirname "$0")/../lib/env.sh"
BUILD=$SCEPD_BUILD "$SCEPD_TOP/scripts/demo" --once $(in_token && echo --token) --dir "$T/demo" >"$T/demo.out" 2>"$T/demo.err"
status=$?
last=$(tail -n 1 "$T/demo.out")
claim "the demo ends well" test $status = 0 || { cat "$T/demo.out" "$T/demo.err" >&2; }
claim "its last line says 4, 4, 1" test "$last" = "demo: 4 enrolled, 4 reported to Intune, 1 refused as it should be"
claim "each certificate verifies with openssl" test "$(grep -c 'openssl: chain to' "$T/demo.out")" = 4
claim "Intune's reason is SubjectNameMismatch" grep -q "Intune: SubjectNameMismatch" "$T/demo.out"
claim "the report shows four devices installed" grep -q "4 installed" "$T/demo.out"
claim "no secret and no challenge is in a log" sh -c "! grep -q simulated-secret '$T'/demo/*.log"
# Every server of the demo listened on ports that are closed again.
for port in $(grep -oE 'http://127.0.0.1:[0-9]+' "$T/demo.out" | sort -u | grep -oE '[0-9]+$'); do
	claim "nothing listens on a port of the demo any more" bash -c "! (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null"
done
