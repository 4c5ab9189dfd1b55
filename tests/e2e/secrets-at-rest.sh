#!/usr/bin/env bash
# secrets-at-rest: after a whole run (refusals, a crash, a restart, a failed token request, changed secrets; the log at level debug) every
# secret that was used is looked for in the database, its log, the logs, the backup, the processes' arguments, environment and memory.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/softhsm.sh"
umask 077
in_token && { skip_claim "secrets at rest" "the script has keys in files and in a token of its own, and is the same in each run"; exit 0; }
APP_KEY=the-first-app-secret-OLD~8Q make_ca --static-challenge --static-domain lab.contoso.com
challenge=$T/ca/lab.secret
properties=$(sed -n 's/^ *properties: *//p' "$CONFIG")
case $properties in /*) ;; *) properties=$T/ca/$properties ;; esac
sed -i 's/level: info/level: debug/' "$CONFIG"
mkdir "$T/stub" "$T/used"
python3 "$SCEPD_TOP/tests/lib/intune_stub.py" "$sim_port" "$T/stub" 2>>"$T/stub.log" &
pids="$pids $!"
wait_for "$T/stub/ready" $! || die "the stub starts"

# The CA's key under a passphrase, where this version takes one.
passphrase=
if grep -qs passphrase "$SCEPD_TOP/src/scepd/keys.c"; then
	passphrase=a-passphrase-of-the-CA-keys
	echo "$passphrase" >"$T/keys.pass"
	for k in issuing ra; do
		cp -p "$T/ca/ca/$k.key" "$T/used/$k.key"
		openssl pkcs8 -topk8 -v2 aes-256-cbc -in "$T/used/$k.key" -out "$T/ca/ca/$k.key" -passout "file:$T/keys.pass" || die "keys are encrypted"
		chmod 600 "$T/ca/ca/$k.key"
	done
	sed -i "s|^    ra_key: .*|&\n    passphrase_file: $T/keys.pass|" "$CONFIG"
else
	cp -p "$T/ca/ca/issuing.key" "$T/ca/ca/ra.key" "$T/used"
fi
rm "$T/ca/ca/root.key"
# The RA's key in a token, where there is one; a PIN that does not turn up by chance.
token=
TOKEN_WHY="this version opens no token"
grep -qs key_tokens_open "$SCEPD_TOP"/src/scepd/*.c && for label in one two three; do
	make_token "$label" || break
	[ ${#TOKEN_PIN} -ge 9 ] && token=yes && break
done
if [ -n "$token" ] && softhsm2-util --import "$T/used/ra.key" --token "$label" --label ra --id 01 --pin "$TOKEN_PIN" >>"$T/softhsm.log" 2>&1; then
	sed -i "s|^    ra_key: .*|    ra_key: \"$TOKEN_URI;object=ra\"\n    pin_file: $TOKEN_PIN_FILE|" "$CONFIG"
	printf 'pkcs11:\n  module: %s\n  paths: [%s]\n' "$TOKEN_MODULE" "$TOKEN_DIR" >>"$CONFIG"
else
	token=
fi

openssl genrsa -out "$T/device.key" 2048 2>/dev/null # making keys is what would take the time
hex() { xxd -p | tr -d '\n'; }
secret() { printf '%s %s\n' "$1" "$(printf %s "$2" | hex)" >>"$T/secrets"; } # LABEL TEXT
n=0
intune() { # LABEL: a device with a challenge of its own, known by LABEL
	n=$((n + 1))
	head -c 600 /dev/urandom | base64 -w0 >"$T/challenge"
	secret "$1" "$(head -c 200 "$T/challenge")" # a part: whatever wraps it in lines is found too
	scep enroll --force --url "$SCEPD/scep/default" --subject "CN=device-$n" --challenge-file "$T/challenge" --key "$T/device.key" --out-dir "$T/dev" ${2:-} >"$T/enroll.out" 2>&1
}
lab() { # CHALLENGE-FILE
	n=$((n + 1))
	scep enroll --force --url "$SCEPD/scep/lab" --subject "CN=printer-$n.lab.contoso.com" --challenge-file "$1" --key "$T/device.key" --out-dir "$T/lab" >"$T/enroll.out" 2>&1
}
refused() { ! "$@"; }
logged() { logged_within 10 "$1"; }

# ---- the run ----
secret app-key-old the-first-app-secret-OLD~8Q
cp -p "$challenge" "$T/old-challenge"
secret challenge-old "$(tr -d '\n' <"$challenge")"
[ -n "$token" ] && secret token-pin "$TOKEN_PIN"
[ -n "$passphrase" ] && secret passphrase "$passphrase"
start_scepd || die "scepd starts"
claim "a device of Intune's enrols" intune intune-taken
claim "... by GET too" intune intune-by-get --get
claim "a device with the static challenge enrols" lab "$T/old-challenge"
echo "a-challenge-that-somebody-guesses" >"$T/guess"
secret challenge-guess a-challenge-that-somebody-guesses
claim "one that guesses does not" refused lab "$T/guess"
echo '200 {"code":"SubjectNameMismatch","errorDescription":"no"}' >"$T/stub/validate"
claim "one that Intune does not know does not" refused intune intune-refused
rm "$T/stub/validate"
echo '200 {"code":"ChallengeExpired","errorDescription":"no"}' >"$T/stub/success"
claim "one whose certificate Intune does not take does not" refused intune intune-undelivered
echo '503 {}' >"$T/stub/success"
intune intune-unreachable
rm "$T/stub/success"
# A crash while Intune is asked: the request is in the database.
echo 'hang' >"$T/stub/validate"
intune intune-crashed &
crashed=$!
asked_six_times() { [ "$(grep -c '^validate' "$T/stub/calls")" -ge 6 ]; }
within 10 asked_six_times || die "Intune is asked once more"
sleep 0.5
python3 "$SCEPD_TOP/tests/lib/memory_grep.py" "$T/secrets" file "$T"/ca/scepd.db* >"$T/mid.out"
claim "while it waits for Intune no challenge is in the database or its log" test ! -s "$T/mid.out"
kill -9 "$scepd_pid"
wait "$scepd_pid" 2>/dev/null
wait "$crashed" 2>/dev/null
python3 "$SCEPD_TOP/tests/lib/memory_grep.py" "$T/secrets" file "$T"/ca/scepd.db* >"$T/crash.out"
claim "nor after a crash" test ! -s "$T/crash.out"
rm "$T/stub/validate"
# A token request that fails, with the secret in it.
echo '401 {"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}' >"$T/stub/token"
start_scepd || die "scepd starts again"
claim "with a token refused a device does not enrol" refused intune intune-no-token
rm "$T/stub/token"
within 10 intune intune-restarted
claim "with a token it does" test "$(openssl x509 -in "$T/dev/cert.pem" -noout -subject | sed 's/.*CN *= *//')" = "device-$n"

# Secrets that change.
APP_KEY=the-second-app-secret-NEW~9R put_properties "$properties"
secret app-key-new the-second-app-secret-NEW~9R
kill -HUP "$scepd_pid"
logged "SIGHUP: certificates and secrets are read" || die "the new secret is read"
claim "a device enrols after it" intune intune-new-secret
echo "the-second-static-challenge-NEW" >"$T/new-challenge"
secret challenge-new the-second-static-challenge-NEW
cp -p "$T/new-challenge" "$challenge"
kill -HUP "$scepd_pid"
logged "endpoint lab: the challenge is read again" || die "the new challenge is read"
claim "with the new static challenge a device enrols" lab "$T/new-challenge"
claim "with the old one none does" refused lab "$T/old-challenge"
echo "a-passphrase-of-the-backup" >"$T/backup.pass"
secret backup-passphrase a-passphrase-of-the-backup
claim "a backup is made" scepctl ca backup --config "$CONFIG" --out "$T/ca.backup" --passphrase-file "$T/backup.pass"

# The keys, as numbers and as lines of PEM.
for k in issuing ra; do
	openssl pkey -in "$T/used/$k.key" -outform DER 2>/dev/null | openssl rsa -inform DER -noout -text 2>/dev/null |
		python3 -c '
import re, sys
name, text = sys.argv[1], sys.stdin.read()
for field, label in (("privateExponent", "d"), ("prime1", "p"), ("prime2", "q")):
    digits = re.search(field + r":\s*\n((?:\s+[0-9a-f:]+\n)+)", text).group(1)
    digits = re.sub(r"[^0-9a-f]", "", digits)
    print(f"key-{name}-{label}", digits[2:] if digits.startswith("00") else digits)
' "$k" >>"$T/secrets"
	sed -n '5p' "$T/used/$k.key" | tr -d '\n' >"$T/line"
	secret "key-$k-pem" "$(cat "$T/line")"
done

# ---- what is left of it ----
grep_files() { # CLAIM FILE...
	local text=$1
	shift
	python3 "$SCEPD_TOP/tests/lib/memory_grep.py" "$T/secrets" file "$@" >"$T/found" 2>&1
	cat "$T/found" >>"$T/claim.log"
	claim "$text" test ! -s "$T/found"
}
grep_files "no secret is in the database, its log or its free pages" "$T"/ca/scepd.db*
grep_files "... in the logs" "$T/scepd.log" "$T/init.log"
grep_files "... in the backup" "$T/ca.backup"
grep_files "... in the ready file" "$T/scepd.ready"
for p in "$scepd_pid" $(pgrep -P "$scepd_pid"); do
	cat "/proc/$p/cmdline" >>"$T/cmdline" 2>/dev/null
	cat "/proc/$p/environ" >>"$T/environ" 2>/dev/null
done
grep_files "... in arguments or environment of the processes" "$T/cmdline" "$T/environ"

# Others follow: as many at a time as there were, so that each thread has something else to do.
for _ in 1 2 3; do
	for i in 1 2 3 4 5 6 7 8; do
		head -c 600 /dev/urandom | base64 -w0 >"$T/other-$i"
		scep enroll --force --url "$SCEPD/scep/default" --subject "CN=other-$i" --challenge-file "$T/other-$i" --key "$T/device.key" --out-dir "$T/other-dev-$i" >/dev/null 2>&1 &
		eval "other_$i=\$!"
	done
	for i in 1 2 3 4 5 6 7 8; do eval "wait \$other_$i"; done
done
python3 "$SCEPD_TOP/tests/lib/memory_grep.py" "$T/secrets" tree "$scepd_pid" >"$T/memory" 2>"$T/memory.err"
rc=$?
cat "$T/memory" >>"$T/claim.log"
if [ $rc = 77 ]; then
	skip_claim "memory of the processes" "$(cat "$T/memory.err")"
	exit 0
fi
none() { ! grep -qE "^($1) $2" "$T/memory"; }
some() { grep -qE "^($1) $2" "$T/memory"; }
claim "memory: of the supervisor, the signer and the front" test "$(grep '^process ' "$T/memory" | cut -d' ' -f2 | sort | tr '\n' ' ')" = "front signer supervisor "
# What has to be found shows that the search finds.
claim "memory: the app's secret in use is found where libintune keeps it, the front" some app-key-new "front raw"
claim "memory: the CA's key is found in the signer" some 'key-issuing-[dpq]' signer
claim "memory: the CA's and RA's keys in no other" none 'key-.*' '(supervisor|front)'
claim "memory: the app's secret in no other" none 'app-key-.*' '(supervisor|signer)'
claim "memory: no challenge in another process" none '(challenge|intune)-.*' '(supervisor|signer)'
claim "memory: the CA's and RA's keys not as PEM" none 'key-.*-pem' ''
claim "memory: the app's old secret nowhere" none app-key-old ''
claim "memory: static challenges nowhere, old or in use: a hash is compared" none 'challenge-(old|new)' ''
claim "memory: a guess nowhere" none challenge-guess ''
claim "memory: no challenge of a device's" none 'intune-.*' ''
claim "memory: the app's secret in use in one form only" none app-key-new '[a-z]* (hex|HEX|base64|url)'
if [ -n "$passphrase" ]; then claim "memory: the passphrase of the keys nowhere" none passphrase ''; else skip_claim "the passphrase of the keys" "this version takes none"; fi
if [ -n "$token" ]; then
	claim "memory: the token's PIN is in locked memory of the signer" some token-pin "signer raw x1 .*\+locked"
	claim "memory: ... and nowhere else" test "$(grep -c '^token-pin ' "$T/memory")" = 1
else
	skip_claim "a token's PIN" "${TOKEN_WHY:-no token could be made}"
fi
stop_scepd
