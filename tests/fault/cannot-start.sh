#!/usr/bin/env bash
# cannot-start: what ends cannot be started again, as the configuration was broken meanwhile or somebody took the port.  The supervisor
# tries, ever more rarely, and gives up after ten ends in a row; each says why.  (Two minutes: the tries of all take place at the same time.)
. "$(dirname "$0")/../lib/env.sh"

# begin NAME: a server of its own, in $T/NAME
begin() {
	rm -rf "$T/ca"
	make_ca --static-challenge --static-domain lab.contoso.com
	mv "$T/ca" "$T/$1"
	CONFIG=$T/$1/scepd.yaml
	rm -f "$T/scepd.ready"
	scepd --config "$CONFIG" --ready-file "$T/scepd.ready" 2>"$T/$1.log" &
	scepd_pid=$!
	pids="$pids $scepd_pid"
	wait_for "$T/scepd.ready" "$scepd_pid" || die "$1: scepd starts"
}
enrol() { # URL FOLDER
	scep enroll --force --url "$1/scep/lab" --subject "CN=a.lab.contoso.com" --challenge-file "$T/$2/lab.secret" --out-dir "$T/dev" --retries 60 --retry-delay 1s
}
take_port() { # PORT: holds it, until killed
	python3 -c '
import socket, sys, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen()
print("taken", flush=True)
time.sleep(600)' "$1" >"$T/taken" 2>>"$T/claim.log" &
	taker=$!
	pids="$pids $taker"
	wait_for "$T/taken" "$taker"
}

# ---- a secret that is gone when the front ends (scepd.yaml is read once: processes.sh)
begin front
front_top=$scepd_pid
mv "$T/front/lab.secret" "$T/front/lab.secret.away"
kill -9 "$(process_of front)"
# ---- a key that is gone when the signer ends
begin signer
signer_top=$scepd_pid
if in_token; then
	# From a token that is there: for one that is not the supervisor waits.  SoftHSM now and then does not start in the moment
	# after another process that used it was killed; that is another reason, and said too.
	gone="object=issuing|libsofthsm2.so does not start: CKR_GENERAL_ERROR"
	p11tool --provider "$TOKEN_MODULE" --batch --login --set-pin "$TOKEN_PIN" --delete "$TOKEN_URI;object=issuing;type=private" >>"$T/claim.log" 2>&1 ||
		die "the key is taken out of the token"
else
	gone=issuing.key
	mv "$T/signer/ca/issuing.key" "$T/signer/ca/issuing.key.away"
fi
kill -9 "$(process_of signer)"
# ---- a port that somebody else takes when the front ends, and gives back
begin port
port_top=$scepd_pid
kill -STOP "$scepd_pid"
front=$(process_of front)
kill -9 "$front"
for i in $(seq 50); do take_port "$scepd_port" && break; sleep 0.1; done
kill -CONT "$scepd_pid"
claim "port: while it is taken the front says so" within 30 grep -qE "127.0.0.1:$scepd_port.*in use" "$T/port.log"
kill "$taker"
wait "$taker" 2>/dev/null
within 40 curl -s -o "$T/page" "$SCEPD/scep/lab" # the next try is up to 30 s away
claim "port: once it is free devices are served" enrol "$SCEPD" port
claim "port: by the same scepd" kill -0 "$port_top"
kill "$port_top"
wait "$port_top"
claim "port: which ends with status 0 when told to" test $? = 0

for role in front signer; do
	eval "wait \$${role}_top"
	claim "$role: after ten ends in a row scepd gives up with status 70" test $? = 70
	claim "$role: ... and says so" grep -q "the $role cannot be started: it has ended 10 times in a row; ending" "$T/$role.log"
	claim "$role: ... and nine times that it is started again" test "$(grep -c "error process process=$role .*it is started again" "$T/$role.log")" = 9
done
claim "front: each says that the secret is gone" test "$(grep -c lab.secret "$T/front.log")" -ge 9
claim "signer: each says that the key is gone" sh -c "test \$(grep -cE '$gone' $T/signer.log) -ge 9 && test \$(grep -c '${gone%%|*}' $T/signer.log) -ge 7"
claim "none is left behind" sh -c "! pgrep -f '^scepd (front|signer) $T/'"
