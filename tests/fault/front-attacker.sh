#!/usr/bin/env bash
# front-attacker: somebody runs code in the front (a build with -Dattack_hook=true): every system call with every argument, its descriptors and its
# memory.  What he cannot get is claimed one by one, and what he can as well, for docs/security.md says both.  Afterwards devices enrol, and
# both audits are whole.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/foreign.sh"
if ! scepd --version | grep -q 'hook for attackers'; then
	skip_claim "an attacker in the front" "needs a build with -Dattack_hook=true"
	exit 0
fi
ok "a build with the hook says so in its version"
PER_HOUR=60
admin_port=$(free_port)
# The keys begin as files, so that the numbers that make them are known; in_token puts them into a token afterwards.
SCEPD_KEYS=file make_ca --static-challenge --static-domain lab.contoso.com --admin "127.0.0.1:$admin_port"
ADMIN=http://127.0.0.1:$admin_port
scepctl init --dir "$T/g0" --name "Contoso Old" --static-challenge --root-key rsa:2048 --issuing-key rsa:2048 >"$T/g0.log" 2>&1 || die "a second CA"
mv "$T/g0/ca" "$T/ca/old"
hex() { xxd -p | tr -d '\n'; }
# The numbers that make the keys, before they are encrypted or in the token: looked for in the front's memory.
umask 077
for k in issuing ra; do
	for part in privateExponent prime1 prime2; do
		printf '%s-%s %s\n' "$k" "$part" "$(openssl pkey -in "$T/ca/ca/$k.key" -noout -text 2>/dev/null |
			sed -n "/^$part:/,/^[a-z]/p" | grep '^ ' | tr -d ' :\n' | sed 's/^00//')" >>"$T/secrets"
	done
done
if in_token; then
	make_token attacked || die "a token: $TOKEN_WHY"
	key_pass=$TOKEN_PIN_FILE
	for k in issuing ra; do
		token_import "$T/ca/ca/$k.key" $k || die "a key in the token"
		sed -i "s|key: ca/$k.key|key: \"$TOKEN_URI;object=$k\"|" "$CONFIG"
	done
	rm "$T/ca/ca/issuing.key" "$T/ca/ca/ra.key"
	sed -i "s|^    ra_key: .*|&\n    pin_file: KEY_PASS|" "$CONFIG"
	printf 'pkcs11:\n  module: %s\n' "$TOKEN_MODULE" >>"$CONFIG"
	token_config "$CONFIG" || die "the responder's key in the token"
	# What the token's files are called says nothing of whose they are: any will do.
	key_file=$(find "$TOKEN_DIR/tokens" -name '*.object' | head -n 1)
	ra_file=$(find "$TOKEN_DIR/tokens" -name '*.object' | tail -n 1) responder_file=$(find "$TOKEN_DIR/tokens" -name token.object)
else
	key_pass=$T/keys.pass key_file=$T/ca/ca/issuing.key ra_file=$T/ca/ca/ra.key
	echo "a-passphrase-of-the-CA-keys" >"$key_pass"
	for k in issuing ra; do
		openssl pkcs8 -topk8 -v2 aes-256-cbc -in "$T/ca/ca/$k.key" -out "$T/ca/ca/$k.enc" -passout "file:$key_pass" && mv "$T/ca/ca/$k.enc" "$T/ca/ca/$k.key"
	done
	sed -i "s|^    ra_key: .*|&\n    passphrase_file: KEY_PASS|" "$CONFIG"
fi
python3 - "$CONFIG" "$PER_HOUR" "$key_pass" <<'PY' || die "scepd.yaml"
import re, sys
path, per_hour, key_pass = sys.argv[1:]
text = open(path).read()
text = re.sub(r"(?m)^cas:\n", """cas:
  old:
    certificate: old/issuing.pem
    key: old/issuing.key
    chain: [old/root.pem]
    ra_certificate: old/ra.pem
    ra_key: old/ra.key
    issues: false
""", text)
text = text.replace("KEY_PASS", f"{key_pass}\n    max_per_hour: {per_hour}")
open(path, "w").write(text + "processes:\n  signer_threads: 64\n")
PY
grep -q max_per_hour "$CONFIG" || die "the configuration has a rate"
printf 'passphrase %s\n' "$(tr -d '\n' <"$key_pass" | hex)" >>"$T/secrets"
grep -q 'ra-prime2 [0-9a-f]\{100\}' "$T/secrets" || die "the keys' numbers"
# A foreign CA: its responder, another that somebody made who has the CA's name and not its key, a device's certificate.
other_ca adcs rsa:2048 && leaf adcs device || die "a foreign CA"
cat >>"$CONFIG" <<EOC
foreign_cas:
  adcs: { certificate: $T/adcs/ca.pem, ocsp_certificate: foreign/adcs.pem, ocsp_key: foreign/adcs.key }
EOC
scepctl foreign csr adcs --config "$CONFIG" >>"$T/openssl.log" 2>&1 && signed_by adcs "$T/ca/foreign/adcs.pem.csr" "$T/foreign-responder.pem" responder &&
	scepctl foreign install adcs "$T/foreign-responder.pem" --config "$CONFIG" >>"$T/openssl.log" 2>&1 || die "a responder of the foreign CA"
cp "$T/adcs/ca.pem" "$T/foreign.pem" && cp "$T/adcs/device.pem" "$T/foreign-device.pem"
openssl req -x509 -key "$T/adcs/device.key" -out "$T/forger.pem" -days 30 -subj "/O=Contoso Old/CN=Contoso adcs CA" >>"$T/openssl.log" 2>&1 &&
	openssl x509 -req -in "$T/ca/foreign/adcs.pem.csr" -CA "$T/forger.pem" -CAkey "$T/adcs/device.key" -copy_extensions copyall -out "$T/foreign-forged.pem" >>"$T/openssl.log" 2>&1 ||
	die "a forged responder"
cp "$T/ca/ca/issuing.pem" "$T/ca/ca/ra.pem" "$T"
cp "$T/ca/old/issuing.pem" "$T/old.pem"
openssl genrsa -out "$T/device.key" 2048 2>/dev/null

attack_port=$(free_port "$admin_port")
export SCEPD_ATTACK=$attack_port
attack() { # SCENARIO [argument]
	timeout 300 python3 "$SCEPD_TOP/tests/lib/attacker.py" "$attack_port" "$T" "$@" 2>>"$T/attack.err" | tee -a "$T/attack.out"
	[ "${PIPESTATUS[0]}" = 0 ] || { not_ok "the attack $1 runs to its end"; tail -n 20 "$T/attack.err" >&2; }
}
n=0
enrols() {
	n=$((n + 1))
	scep enroll --url "$SCEPD/scep/lab" --subject "CN=pc$n.lab.contoso.com" --challenge-file "$T/ca/lab.secret" --key "$T/device.key" \
		--out-dir "$T/dev$n" --retries 30 --retry-delay 1s
}
metric() { curl -fsS "$ADMIN/metrics" | sed -n "s/^$1 //p"; }
until_new() { # OLDPID: the front is another one and serves
	for _ in $(seq 900); do
		now=$(process_of front)
		[ -n "$now" ] && [ "$now" != "$1" ] && grep -q "front is ready, pid $now" "$T/scepd.log" && return 0
		sleep 0.1
	done
	return 1
}

start_scepd || die "scepd starts"
claim "and in its log" grep -q 'error attack .*tests alone' "$T/scepd.log"
claim "a device enrols" enrols
cp "$T/dev1/cert.pem" "$T/leaf.pem"
signer=$(process_of signer)

# ---- files
cat >"$T/paths" <<PATHS
the CA's key $key_file
the RA's key $ra_file
the passphrase of the keys $key_pass
the signer's audit $(ls "$T"/ca/signer/audit* | head -1)
the responder's key ${responder_file:-$(ls "$T"/ca/signer/*.key | head -1)}
the key of a foreign CA's responder $T/ca/foreign/adcs.key
the configuration's folder $T/ca
the passwords of the system /etc/shadow
the accounts of the system /etc/passwd
PATHS
echo "$T/ca/lab.secret" >"$T/own"
printf %s "$T/ca/ca/issuing.pem" >"$T/allowed"
attack files "$key_file"
ln -s "$key_file" "$T/ca/symlink"
ln "$key_file" "$T/ca/hardlink"
ln -s "$key_pass" "$T/ca/passlink"
printf '%s\n' "$T/ca/symlink" "$T/ca/hardlink" "$T/ca/passlink" "$key_file" >"$T/links"
cp -p "$T/contoso.properties" "$T/properties.kept"
{
	i=0
	while read -r link; do i=$((i + 1)); echo "X${i}_FILE=$link"; done <"$T/links"
} >>"$T/contoso.properties"
attack linked "$key_file"
cp -p "$T/properties.kept" "$T/contoso.properties"
rm "$T/ca/symlink" "$T/ca/hardlink" "$T/ca/passlink"

# ---- the kernel, other processes
attack kernel "$signer,$scepd_pid"
claim "signer and supervisor live" kill -0 "$signer" "$scepd_pid"

# ---- signatures
attack signing
claim "what was refused is in the log with its rule" grep -qE 'warn signer-denied operation=sign-cert ca=issuing .*reason=' "$T/scepd.log"
claim "but not without bound" test "$(grep -c ' signer-denied ' "$T/scepd.log")" -le 80
denied=$(metric scepd_signer_denied_total)
claim "and each is counted (${denied:-none})" test "${denied:-0}" -ge 60
attack foreign
attack unwrapping
claim "a device enrols" enrols
attack rate $PER_HOUR
claim "past the rate the log says so" grep -qE 'signer-denied operation=sign-cert .*past its rate' "$T/scepd.log"

# ---- memory
python3 "$SCEPD_TOP/tests/lib/memory_grep.py" "$T/secrets" memory "$(process_of front)" >"$T/front.memory" 2>>"$T/attack.err"
if [ $? = 77 ]; then
	skip_claim "no part of a private key and no passphrase is in the front's memory" "its memory cannot be read by this user"
else
	claim "no part of a private key and no passphrase is in the front's memory" sh -c "grep -q '^process front ' '$T/front.memory' && ! grep -v '^process ' '$T/front.memory' >&2"
	python3 "$SCEPD_TOP/tests/lib/memory_grep.py" "$T/secrets" memory "$signer" >"$T/signer.memory" 2>>"$T/attack.err"
	if in_token; then
		skip_claim "they are in the signer's memory, so that looking for them is worth something" "what a token's library has there is its own"
	else
		claim "they are in the signer's, so that looking for them is worth something" grep -q 'issuing-prime1' "$T/signer.memory"
	fi
	printf 'app-key %s\n' "$(sed -n 's/^AAD_APP_KEY=//p' "$T/contoso.properties" | tr -d '\n' | hex)" >"$T/front.secrets"
	claim "within reach, as docs/security.md says: the app's secret" \
		sh -c "python3 '$SCEPD_TOP/tests/lib/memory_grep.py' '$T/front.secrets' memory $(process_of front) | grep -q app-key"
fi
stop_scepd
claim "the audits are whole after it" scepctl audit verify --config "$CONFIG"
# The buckets are full again after a restart of the signer, which the attacker cannot bring about.

# ---- frames
start_scepd || die "scepd starts"
signer=$(process_of signer) front=$(process_of front)
attack frames
claim "the signer is the one that it was" test "$(process_of signer)" = "$signer"
claim "a device enrols, by channels in place of those that he has spent" enrols
claim "... and the front is the one that it was" test "$(process_of front)" = "$front"

# ---- channels
descriptors() { ls "/proc/$1/fd" | wc -l; }
attack wanting
claim "the signer has no more channels than places" test "$(descriptors "$signer")" -le 100
claim "the supervisor has none" test "$(descriptors "$scepd_pid")" -le 20
claim "the log tells of it, and not without bound" sh -c "n=\$(grep -c 'the signer has closed' '$T/scepd.log'); test \$n -ge 1 -a \$n -le 60"
claim "a device enrols" enrols
stop_scepd

# ---- the supervisor
for how in control-noise control-open control-ready control-secret files-noise files-descriptor files-long files-flood exit; do
	start_scepd || die "$how: scepd starts"
	front=$(process_of front) signer=$(process_of signer)
	attack supervisor $how
	claim "$how: the front is started again" until_new "$front"
	claim "$how: supervisor and signer live on" kill -0 "$scepd_pid" "$signer"
	claim "$how: a device enrols" enrols
	kill -9 "$scepd_pid"
	wait "$scepd_pid" 2>/dev/null
done
claim "what he asked for in vain is in the log, and not without bound" sh -c "n=\$(grep -c 'none of its own' '$T/scepd.log'); test \$n -ge 10 -a \$n -le 200"

# ---- calls that end him
for call in $(python3 "$SCEPD_TOP/tests/lib/attacker.py" list); do
	start_scepd || die "$call: scepd starts"
	attack fatal "$call"
	kill -9 "$scepd_pid"
	wait "$scepd_pid" 2>/dev/null
done
claim "the log names the signal" grep -qE 'process=front .*signal="?Bad system call' "$T/scepd.log"

# ---- afterwards
unset SCEPD_ATTACK
start_scepd || die "scepd starts"
claim "without a port nobody comes in, and devices enrol" enrols
stop_scepd
claim "both audits are whole" scepctl audit verify --config "$CONFIG"
