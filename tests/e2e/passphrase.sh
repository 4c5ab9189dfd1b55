#!/usr/bin/env bash
# passphrase: the keys' passphrase from a file, from systemd's credentials and from the terminal, and where it is afterwards: in no process, but
# for what was typed, which the supervisor keeps in a locked page, as a signer that is started again needs it.
. "$(dirname "$0")/../lib/env.sh"
umask 077
in_token && { skip_claim "passphrases of key files" "the keys are in a token, whose PIN token.sh is about"; exit 0; }
make_ca --static-challenge --static-domain lab.contoso.com
mkdir "$T/credentials"
passphrase=the-passphrase-that-opens-the-keys-Zq7
echo "$passphrase" >"$T/credentials/keys"
printf 'passphrase %s\n' "$(printf %s "$passphrase" | xxd -p | tr -d '\n')" >"$T/secrets"
for k in issuing ra; do
	openssl pkcs8 -topk8 -v2 aes-256-cbc -in "$T/ca/ca/$k.key" -out "$T/key.new" -passout "file:$T/credentials/keys" && mv "$T/key.new" "$T/ca/ca/$k.key" || die "keys are encrypted"
done
rm "$T/ca/ca/root.key"
sed -i "s|^    ra_key: .*|&\n    passphrase_file: PASSPHRASE|" "$CONFIG"
cp -p "$CONFIG" "$T/scepd.yaml"
openssl genrsa -out "$T/device.key" 2048 2>/dev/null
source_is() { sed "s|passphrase_file: .*|passphrase_file: $1|" "$T/scepd.yaml" >"$CONFIG"; }
n=0
enrol() {
	n=$((n + 1))
	scep enroll --force --url "$SCEPD/scep/lab" --subject "CN=printer-$n.lab.contoso.com" --challenge-file "$T/ca/lab.secret" --key "$T/device.key" --out-dir "$T/dev" --retries 20 --retry-delay 1s
}
look() { # sets memory_why when memory cannot be read
	python3 "$SCEPD_TOP/tests/lib/memory_grep.py" "$T/secrets" tree "$scepd_pid" >"$T/memory" 2>"$T/memory.err"
	[ $? = 77 ] && memory_why=$(cat "$T/memory.err")
	cat "$T/memory" >>"$T/claim.log"
}
all_three() { test "$(grep '^process ' "$T/memory" | cut -d' ' -f2 | sort | tr '\n' ' ')" = "front signer supervisor "; }
nowhere() { all_three && ! grep -q '^passphrase ' "$T/memory"; }
kept_once() { all_three && test "$(grep '^passphrase ' "$T/memory" | sed 's/ [^ ]*$//')" = "passphrase supervisor raw x1" && grep -q '^passphrase .*+locked$' "$T/memory"; }
memory_why=
about_memory() { # CLAIM FUNCTION
	look
	if [ -n "$memory_why" ]; then skip_claim "$1" "$memory_why"; else claim "$1" "$2"; fi
}
another_signer() {
	kill -9 "$(process_of signer)"
	logged_within 20 'the signer is ready' $(($1 + 1))
}
again() { # WHAT FUNCTION
	another_signer "$(grep -c 'the signer is ready' "$T/scepd.log")" || not_ok "$1: another signer starts"
	claim "$1: a signer that is started again opens the keys too" enrol
	about_memory "$1: and the passphrase is where it was" "$2"
}

# ---- a file, and a credential
for source in "$T/credentials/keys" credential:keys; do
	what=${source%%:*}
	[ "$what" = credential ] || what=file
	source_is "$source"
	CREDENTIALS_DIRECTORY=$T/credentials start_scepd || die "$what: scepd starts"
	claim "$what: a device enrols" enrol
	about_memory "$what: the passphrase is in no process's memory" nowhere
	again "$what" nowhere
	stop_scepd
done

# ---- the terminal
source_is prompt
rm -f "$T/scepd.ready"
python3 "$SCEPD_TOP/tests/lib/pty_run.py" "$T/scepd.pid" "Passphrase" "$T/credentials/keys" "$T/transcript" \
	scepd --config "$CONFIG" --ready-file "$T/scepd.ready" 2>>"$T/scepd.log" &
pty_pid=$!
pids="$pids $pty_pid"
wait_for "$T/scepd.ready" "$pty_pid" || die "prompt: scepd starts"
scepd_pid=$(cat "$T/scepd.pid")
pids="$pids $scepd_pid"
claim "prompt: the terminal shows the question, and whose passphrase it is" grep -q "Passphrase of the keys of CA" "$T/transcript"
claim "prompt: ... and not the answer" sh -c "! grep -q '$passphrase' '$T/transcript'"
claim "prompt: a device enrols" enrol
about_memory "prompt: the passphrase is in one locked page of the supervisor, and nowhere else" kept_once
again prompt kept_once
kill -TERM "$scepd_pid"
wait "$pty_pid"
claim "prompt: SIGTERM ends it with status 0" test $? = 0
source_is "$T/gone.pass"
claim "a passphrase file that is not there is one finding of check" test "$(scepctl check --config "$CONFIG" 2>&1 | grep -c "gone.pass")" = 1
source_is prompt
claim "no log has the passphrase" sh -c "! grep -q '$passphrase' '$T/scepd.log'"

# ---- nobody who could be asked
claim "with nobody to ask scepd does not start" sh -c "! setsid scepd --config '$CONFIG' </dev/null 2>'$T/nobody.err'"
claim "... and says so" grep -qi "terminal" "$T/nobody.err"
