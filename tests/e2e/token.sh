#!/usr/bin/env bash
# token: the keys of an RSA CA and of an EC CA (CA, RA and OCSP each) are in a SoftHSM token, made there; what devices and relying parties see,
# what happens when the token is gone, busy or locked against us, and that its PIN is nowhere.
SCEPD_KEYS=file
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/softhsm.sh"
make_token hsm || { skip_claim "keys in a token" "$TOKEN_WHY"; exit 0; }
SCEPD_KEYS=softhsm
chmod 755 "$T"
mkdir "$T/credentials" && (umask 077 && cp "$TOKEN_PIN_FILE" "$T/credentials/pin")
export CREDENTIALS_DIRECTORY=$T/credentials
port=$(free_port) admin_port=$(free_port "$port") || die "free ports"
SCEPD=http://127.0.0.1:$port ADMIN=http://127.0.0.1:$admin_port CONFIG=$T/ca/scepd.yaml

# ---- keys are made in the token
token_arguments --issuing-key rsa:2048 --root-key ec:p256
claim "scepctl init makes an RSA CA in the token" scepctl init --dir "$T/ca" --name Contoso --listen "127.0.0.1:$port" --admin "127.0.0.1:$admin_port" \
	--url "$SCEPD" --static-challenge --static-domain lab.contoso.com "${TOKEN_ARGUMENTS[@]}" || die "scepctl init"
token_config "$CONFIG" -algorithm RSA -pkeyopt rsa_keygen_bits:2048 || die "a key of the OCSP responder in the token"
claim "scepctl ca init an EC CA, the PIN from a systemd credential" scepctl ca init --config "$CONFIG" --name next --org Contoso --kind ec:p256 \
	--root-kind ec:p256 --key "$TOKEN_URI;object=next" --ra-key "$TOKEN_URI;object=next-ra" --pin-file credential:pin --write
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$T/ocsp2.pem" 2>/dev/null && token_import "$T/ocsp2.pem" next-ocsp && rm "$T/ocsp2.pem"
sed -i -e "s|^    certificate: .*ca/next/issuing.pem.*|&\n    replaces: issuing\n    ocsp_key: \"$TOKEN_URI;object=next-ocsp\"|" \
	-e "s|^  lab: { ca: issuing.*|&\n  next: { ca: next, profile: lab, challenge: static, challenge_file: lab.secret }|" "$CONFIG"
claim "the configuration names no key file, but the URIs" sh -c "! grep -E '^ +(key|ra_key|ocsp_key):' '$CONFIG' | grep -v pkcs11:"
claim "and the credential" grep -qE "pin_file: \"?credential:pin" "$CONFIG"
claim "no key file was made but the roots'" test "$(cd "$T/ca" && find . -name '*.key' | sort | tr '\n' ' ')" = "./ca/next/root.key ./ca/root.key "
claim "it has six keys in the token" test "$(grep -cE '^ +(key|ra_key|ocsp_key): "pkcs11:' "$CONFIG")" = 6
claim "scepctl check is content" scepctl check --config "$CONFIG"
claim "keys that are made in the token cannot leave it" sh -c "p11tool --provider '$TOKEN_MODULE' --login --set-pin '$TOKEN_PIN' --list-privkeys --info '$TOKEN_URI;object=next' |
	grep -q CKA_NEVER_EXTRACTABLE"

# ---- served
start_scepd || die "scepd starts"
openssl genrsa -out "$T/device.key" 2048 2>/dev/null && chmod 600 "$T/device.key"
enrol() { # ENDPOINT NAME [arguments]: into $T/NAME
	local endpoint=$1 name=$2
	shift 2
	scep enroll --force --url "$SCEPD/scep/$endpoint" --subject "CN=$name.lab.contoso.com" --challenge-file "$T/ca/lab.secret" --key "$T/device.key" \
		--out-dir "$T/$name" "$@" >"$T/enroll.out" 2>&1
}
folder() { [ "$1" = issuing ] && echo "$T/ca/ca" || echo "$T/ca/ca/$1"; }
status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; } # PID FIELD
metric() { curl -fsS "$ADMIN/metrics" | sed -n "s/^$1 //p"; }
signed_as() { openssl "$1" -in "$2" -noout -text | grep -q "Signature Algorithm: $3"; }
signer=$(process_of signer)
claim "the signer is in its sandbox" test "$(status_of "$signer" Seccomp)$(status_of "$signer" NoNewPrivs)" = 21
claim "and has the token's library" grep -q libsofthsm2 "/proc/$signer/maps"
for p in $scepd_pid $(process_of front); do
	claim "the $(tr '\0' ' ' <"/proc/$p/cmdline" | awk '{ print $2 == "front" ? "front" : "supervisor" }') has not" sh -c "! grep -q libsofthsm2 '/proc/$p/maps'"
done
for row in "issuing lab sha256WithRSAEncryption" "next next ecdsa-with-SHA256"; do
	read -r ca endpoint alg <<<"$row"
	dir=$(folder "$ca")
	claim "$ca: a device gets a certificate" enrol "$endpoint" "$ca"
	claim "$ca: openssl verifies it" openssl verify -x509_strict -purpose sslclient -CAfile "$dir/root.pem" -untrusted "$dir/issuing.pem" "$T/$ca/cert.pem"
	claim "$ca: it is signed with $alg" signed_as x509 "$T/$ca/cert.pem" "$alg"
	claim "$ca: its revocation list is signed by it" sh -c "curl -fsS '$SCEPD/crl/$ca.crl' | openssl crl -inform DER -noout -CAfile '$dir/issuing.pem'"
	cat "$dir/root.pem" "$dir/issuing.pem" >"$T/$ca.both"
	openssl ocsp -CAfile "$dir/root.pem" -verify_other "$dir/issuing.pem" -issuer "$dir/issuing.pem" -cert "$T/$ca/cert.pem" -url "$SCEPD/ocsp/$ca" -resp_text >"$T/$ca.ocsp" 2>&1
	claim "$ca: its OCSP responder answers" grep -q "cert.pem: good" "$T/$ca.ocsp"
	claim "$ca: and the answer verifies" grep -q "Response verify OK" "$T/$ca.ocsp"
done
claim "GetNextCACert is signed with the key in the token" sh -c "curl -fsS '$SCEPD/scep/lab?operation=GetNextCACert' -o '$T/next.p7' &&
	openssl cms -verify -inform DER -in '$T/next.p7' -certfile '$T/ca/ca/issuing.pem' -nointern -CAfile '$T/ca/ca/root.pem' -purpose any -binary -out '$T/next.p7b'"

# ---- gone, and back
failed=$(metric scepd_signer_failed_total)
pull_token
claim "with the token gone a device gets no certificate" sh -c "! timeout 60 scep enroll --force --url '$SCEPD/scep/lab' --subject CN=gone.lab.contoso.com \
	--challenge-file '$T/ca/lab.secret' --key '$T/device.key' --out-dir '$T/gone' --retries 0 >'$T/gone.out' 2>&1"
claim "... and HTTP 503, as nothing can be signed" grep -q 503 "$T/gone.out"
claim "the log says so in words" grep -q "opening token hsm: the token is not there" "$T/scepd.log"
claim "metrics count what the signer could not do" test "$(metric scepd_signer_failed_total)" -gt "$failed"
claim "the signer stayed" test "$(process_of signer)" = "$signer"
claim "the last revocation list is still answered" sh -c "curl -fsS '$SCEPD/crl/issuing.crl' | openssl crl -inform DER -noout -CAfile '$T/ca/ca/issuing.pem'"
openssl ocsp -CAfile "$T/ca/ca/root.pem" -verify_other "$T/ca/ca/issuing.pem" -issuer "$T/ca/ca/issuing.pem" -cert "$T/issuing/cert.pem" -url "$SCEPD/ocsp/issuing" >"$T/gone.ocsp" 2>&1
claim "an OCSP request that needs a new answer is told to come later" grep -qi "trylater" "$T/gone.ocsp"
plug_token
claim "with the token back devices are served" within 60 enrol lab back --retries 0
claim "also by the other CA" enrol next back2
claim "without a restart" test "$(process_of signer)" = "$signer"
pull_token
enrol lab waits --retries 40 --retry-delay 1s &
waiting=$!
sleep 2
plug_token
claim "a device that tries again gets its certificate once the token is back" wait "$waiting"

# ---- the signer is killed while the token is in use
crowd() { # N: as many devices at the same time; how many got a certificate
	local i n=0 crowd=()
	for i in $(seq "$1"); do
		scep enroll --force --url "$SCEPD/scep/$([ $((i % 2)) = 0 ] && echo lab || echo next)" --subject "CN=crowd$i.lab.contoso.com" --challenge-file "$T/ca/lab.secret" \
			--key "$T/device.key" --out-dir "$T/crowd$i" --retries 20 --retry-delay 1s >"$T/crowd$i.out" 2>&1 &
		crowd+=($!)
	done
	for i in "${crowd[@]}"; do wait "$i" && n=$((n + 1)); done
	echo $n
}
crowd 24 >"$T/crowd" &
crowd_pid=$!
for _ in 1 2; do
	sleep 0.7
	kill_signer
done
wait "$crowd_pid"
claim "of 24 devices none loses its certificate to a signer that is killed at work" test "$(cat "$T/crowd")" = 24
stop_scepd
claim "SIGTERM ends it with status 0" test $? = 0

# ---- more threads than sessions
printf 'processes:\n  signer_threads: 40\n' >>"$CONFIG"
start_scepd || die "scepd starts with 40 threads"
claim "40 signing threads share 16 sessions" test "$(crowd 40)" = 40
claim "no serial number was signed twice, and the signer's audit is whole" scepctl audit verify --config "$CONFIG"

# ---- the PIN
hex=$(printf %s "$TOKEN_PIN" | xxd -p)
for p in $scepd_pid $(pgrep -P "$scepd_pid"); do cat "/proc/$p/cmdline" "/proc/$p/environ" >>"$T/processes" 2>/dev/null; done
claim "the PIN is in no log" sh -c "! grep -qE '$TOKEN_PIN|$hex' '$T'/*.log '$T'/*.out '$T/ca/signer/'*"
claim "in no argument or environment of the processes" sh -c "test -s '$T/processes' && ! grep -qaF '$TOKEN_PIN' '$T/processes'"
claim "nor in the configuration or the database" sh -c "! grep -qaF '$TOKEN_PIN' '$CONFIG' '$T'/ca/scepd.db*"
stop_scepd
claim "and it ends with status 0" test $? = 0

# ---- a wrong PIN, and what else an administrator gets wrong
ends_with() { # WHAT STATUS PATTERN: scepd does not start, and says why in one line
	rm -f "$T/scepd.ready"
	timeout 90 scepd --config "$CONFIG" --ready-file "$T/scepd.ready" 2>"$T/refused.log"
	claim "$1: scepd ends with status $2" test $? = "$2"
	claim "$1: it says so" grep -qE "$3" "$T/refused.log"
}
(umask 077 && cp "$TOKEN_PIN_FILE" "$T/pin.right" && echo 999999999999 >"$TOKEN_PIN_FILE")
ends_with "two PINs for one token" 78 "not the PIN that it was opened with"
cp "$TOKEN_PIN_FILE" "$T/credentials/pin"
ends_with "a wrong PIN" 78 "the PIN is wrong"
claim "a wrong PIN: the signer was not started again" sh -c "! grep -qE 'process=signer.*(again|restart)' '$T/refused.log'"
claim "a wrong PIN: one try, one message" test "$(grep -c 'the PIN is wrong' "$T/refused.log")" = 1
cp "$T/pin.right" "$TOKEN_PIN_FILE" && cp "$T/pin.right" "$T/credentials/pin"
claim "with the right one it starts" start_scepd
stop_scepd
pull_token
ends_with "no token, which may come" 75 "no token fits the URI"
tried_no_more() { sed -n 's/^RestartPreventExitStatus=/ /p' "$SCEPD_TOP/packaging/scepd.service.in" | grep -qw "$1"; }
claim "the unit's manager tries a wrong PIN no more" tried_no_more 78
claim "... and that again" sh -c "! grep -E '^RestartPreventExitStatus=' '$SCEPD_TOP/packaging/scepd.service.in' | grep -qw 75"
plug_token
cp "$CONFIG" "$T/config.right"
sed -i "s|^  module: .*|  module: $T/nowhere.so|" "$CONFIG"
ends_with "no library" 78 "nowhere.so"
cp "$T/config.right" "$CONFIG"
sed -i "s|^  paths: .*|  paths: [$T/credentials]|" "$CONFIG"
ends_with "a folder of tokens that pkcs11.paths does not allow" 75 "pkcs11.paths|no token fits the URI|library"
cp "$T/config.right" "$CONFIG"

# ---- a library that calls a daemon, by a unix socket
client=
for m in /usr/lib/*/pkcs11/p11-kit-client.so /usr/lib64/pkcs11/p11-kit-client.so; do [ -r "$m" ] && client=$m; done
if [ -z "$client" ] || ! command -v p11-kit >/dev/null; then
	skip_claim "a token behind a daemon" "p11-kit and p11-kit-modules are not installed"
	exit 0
fi
p11-kit server -f --provider "$TOKEN_MODULE" -n "$T/p11.sock" "$TOKEN_URI" >"$T/p11.out" 2>&1 &
p11_pid=$!
pids="$pids $p11_pid"
wait_for "$T/p11.out" $p11_pid || die "p11-kit server"
export P11_KIT_SERVER_ADDRESS=unix:path=$T/p11.sock
conf=$SOFTHSM2_CONF
unset SOFTHSM2_CONF # the daemon has the token; the signer has none of its files
sed -i -e "s|^  module: .*|  module: $client|" -e "s|^  paths: .*|  sockets: [$T/p11.sock]|" "$CONFIG"
claim "with pkcs11.sockets scepd starts on a token behind a daemon" start_scepd
claim "and a device gets its certificate" enrol lab daemon
stop_scepd
sed -i "/^  sockets: /d" "$CONFIG"
ends_with "without pkcs11.sockets" 75 "does not start: CKR_"
claim "without pkcs11.sockets: the hint names it" grep -q "pkcs11.sockets" "$T/refused.log"
export SOFTHSM2_CONF=$conf
