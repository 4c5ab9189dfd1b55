#!/usr/bin/env bash
# client-poll: requests that an administrator decides, asked for again by scep poll and by --wait; GetCert and GetCRL; keys of other kinds.
. "$(dirname "$0")/../lib/env.sh"
make_ca --static-challenge --static-domain lab.example
python3 - "$CONFIG" <<'EOF2' || die "scepd.yaml"
import sys
path = sys.argv[1]
text = open(path).read()
line = "  lab: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret }\n"
assert line in text
text = text.replace(line, line + """  ask: { ca: issuing, profile: lab, challenge: approval, getcert: own, getcrl: true, renewal: { window: 100, ask: never } }
  curves: { ca: issuing, profile: curves, challenge: approval, transient_signer: true }
""")
text = text.replace("profiles:\n", """profiles:
  curves:
    subject: { allow: ["CN=*.lab.example"] }
    keys: { ec: [p256, p384] }
    key_usage: { allow: [digitalSignature, keyEncipherment, keyAgreement] }
    validity: { default: 90d, max: 365d }
""", 1)
open(path, "w").write(text)
EOF2
start_scepd || die "scepd starts"
ASK=$SCEPD/scep/ask
scepctl requests list --config "$CONFIG" >"$T/list.out" 2>&1 || die "scepctl requests list"
exits() { # CODE COMMAND...
	local want=$1 got
	shift
	"$@" >"$T/exits.out" 2>&1
	got=$?
	cat "$T/exits.out"
	[ "$got" = "$want" ] || { echo "exit $got, not $want"; return 1; }
}
says() { # CODE TEXT COMMAND...
	local text=$2
	exits "$1" "${@:3}" && grep -q -e "$text" "$T/exits.out"
}
pair() { [ -s "$1/cert.pem" ] && [ "$(openssl x509 -in "$1/cert.pem" -noout -pubkey)" = "$(openssl pkey -in "$1/key.pem" -pubout)" ]; }
verifies() { openssl verify -x509_strict -CAfile "$T/ca/ca/root.pem" -untrusted "$T/ca/ca/issuing.pem" "$1"; }
enrol() { local d=$1; shift; scep enroll --url "$ASK" --subject "CN=${d##*/}.lab.example" --out-dir "$d" "$@"; }
# number_of NAME: of the request that waits
number_of() {
	scepctl requests list --config "$CONFIG" --json | python3 -c '
import json, sys
print([r["id"] for r in json.load(sys.stdin) if sys.argv[1] in json.dumps(r)][-1])' "$1"
}
decide() { # approve|deny NAME [arguments]
	local n
	n=$(number_of "$2") || return 1
	if [ "$1" = approve ]; then set -- "$@" --yes; fi
	scepctl requests "$1" --config "$CONFIG" "$n" "${@:3}"
}

# ---- pending, later ----
D=$T/r1
claim "R10: a request that has to be approved is pending: exit 4" exits 4 enrol "$D"
claim "... and the client says how to go on" grep -q "scep poll --out-dir $D" "$T/exits.out"
claim "... what it needs for that is in a folder for its owner alone" sh -c "
	test \"\$(stat -c '%n %a' '$D/pending' '$D/pending/key.pem' '$D/pending/state.json' | sed 's,.*/,,' | tr '\n' ' ')\" = 'pending 700 key.pem 600 state.json 600 '"
claim "... no certificate and no key.pem yet" sh -c "! test -e '$D/cert.pem' && ! test -e '$D/key.pem'"
claim "a second enroll does not make a second request" says 73 "waits for approval" enrol "$D"
claim "... while one waits in another process, neither does a renewal" sh -c "flock '$D' scep renew --url '$ASK' --out-dir '$D' >'$T/lock.out' 2>&1; test \$? = 73 && grep -q 'another scep is at work' '$T/lock.out'"
claim "... and renew asks for the one that waits" sh -c "scep renew --url '$ASK' --out-dir '$D' --quiet 2>/dev/null; test \$? = 4 && grep -q '\"polls\": 1' '$D/pending/state.json'"
claim "... so does poll" exits 4 scep poll --out-dir "$D"
claim "... counted" grep -q '"polls": 2' "$D/pending/state.json"
claim "... as JSON" says 4 '"status": "PENDING"' scep poll --out-dir "$D" --json
claim "--wait gives up after --max-wait, in words" says 4 "still pending after .*; asking again in 1s, for 3s at most" scep poll --out-dir "$D" --wait --interval 1s --max-wait 3s
claim "R35: with another transactionID the server knows nothing" sh -c "
	cp -a '$D' '$T/forged' && sed -i 's/\"transactionId\": \"[0-9A-F]*\"/\"transactionId\": \"ABCDEF\"/' '$T/forged/pending/state.json' &&
	scep poll --out-dir '$T/forged' >'$T/forged.out' 2>&1; test \$? = 3 && grep -q badCertId '$T/forged.out'"
claim "S13: with another signer neither" sh -c "
	cp -a '$D' '$T/thief' && openssl req -x509 -newkey rsa:2048 -nodes -keyout '$T/thief/pending/signer-key.pem' -out '$T/thief/pending/signer.pem' -subj /CN=r1.lab.example -days 5 2>/dev/null &&
	chmod 600 '$T/thief/pending/signer-key.pem' && scep poll --out-dir '$T/thief' >'$T/thief.out' 2>&1; test \$? = 3 && grep -q badCertId '$T/thief.out'"
claim "the administrator approves" decide approve r1.lab.example
claim "R33: then the poll gets the certificate" says 0 "issued CN=r1.lab.example" scep poll --out-dir "$D"
claim "... with its key" pair "$D"
claim "... that verifies" verifies "$D/cert.pem"
claim "... and nothing is pending any more" sh -c "! test -e '$D/pending' && ! scep poll --out-dir '$D' 2>/dev/null"

# ---- --wait ----
D=$T/r2
enrol "$D" --wait --interval 1s --max-wait 5m >"$T/wait.out" 2>&1 &
waiter=$!
pids="$pids $waiter"
within 30 number_of r2.lab.example >"$T/n.out" 2>&1
claim "enroll --wait polls while the administrator thinks" decide approve r2.lab.example
wait "$waiter"
claim "... and ends with the certificate" test $? = 0
claim "... in its place" pair "$D"
claim "denied: the poll says so, with the reason: exit 3" sh -c "
	scep enroll --url '$ASK' --subject CN=r3.lab.example --out-dir '$T/r3' --quiet 2>/dev/null; test \$? = 4"
decide deny r3.lab.example --reason 'no such router' >>"$T/claim.log" 2>&1 || not_ok "scepctl requests deny"
claim "... badRequest" says 3 "the server refused" scep poll --out-dir "$T/r3"
claim "... and it is over" sh -c "! test -e '$T/r3/pending'"

# ---- a renewal ----
D=$T/r1
before=$(openssl x509 -in "$D/cert.pem" -noout -serial)
claim "R05: a renewal by the certificate needs nobody's approval" scep renew --url "$ASK" --out-dir "$D" --quiet
claim "... and is another one" sh -c "test \"\$(openssl x509 -in '$D/cert.pem' -noout -serial)\" != '$before'"

# ---- GetCert, GetCRL ----
serial=$(openssl x509 -in "$D/cert.pem" -noout -serial | cut -d = -f 2)
claim "R43: the holder of a certificate fetches it again" sh -c "scep getcert --url '$ASK' --out-dir '$D' --serial '$serial' | cmp - '$D/cert.pem'"
claim "... into a file, as JSON" sh -c "scep getcert --url '$ASK' --out-dir '$D' --serial '$serial' --out '$T/again.pem' --json | grep -qi '\"serial\": \"$serial\"' && cmp '$T/again.pem' '$D/cert.pem'"
claim "... and one that there is not is badCertId: exit 3" says 3 badCertId scep getcert --url "$ASK" --out-dir "$D" --serial 0123456789
claim "S37: nobody else's" says 3 badCertId scep getcert --url "$ASK" --out-dir "$D" --serial "$(openssl x509 -in "$T/r2/cert.pem" -noout -serial | cut -d = -f 2)"
claim "S37: an endpoint that does not offer it refuses" exits 3 scep getcert --url "$SCEPD/scep/lab" --out-dir "$D" --serial "$serial"
claim "R44: the revocation list by SCEP" says 0 "revocation list of" scep getcrl --url "$ASK" --out-dir "$D" --out "$T/ask.crl"
claim "... is the CA's, as openssl sees it" sh -c "openssl crl -in '$T/ask.crl' -inform DER -CAfile '$T/ca/ca/issuing.pem' -noout 2>&1 | grep -q 'verify OK'"
claim "... the one that is published" sh -c "curl -fsS '$SCEPD/crl/issuing.crl' | openssl crl -inform DER -noout -crlnumber >'$T/a' && openssl crl -in '$T/ask.crl' -inform DER -noout -crlnumber | cmp - '$T/a'"
claim "... by jscep's BER and Cisco's GET too" sh -c "scep getcrl --url '$ASK' --out-dir '$D' --out '$T/b.crl' --as jscep --quiet && scep getcrl --url '$ASK' --out-dir '$D' --out '$T/c.crl' --as cisco --quiet &&
	cmp '$T/ask.crl' '$T/b.crl' && cmp '$T/ask.crl' '$T/c.crl'"

# ---- keys on curves, pending too: three ways to sign and to be answered ----
for k in ec:p256 ec:p384; do
	D=$T/curve-${k#ec:}
	scep enroll --url "$SCEPD/scep/curves" --subject "CN=${D##*/}.lab.example" --new-key "$k" --key-usage digitalSignature --out-dir "$D" --quiet 2>>"$T/claim.log"
	decide approve "${D##*/}.lab.example" >>"$T/claim.log" 2>&1
	claim "$k: signed by the key itself, answered by agreement" scep poll --out-dir "$D" --quiet
	claim "... a pair" pair "$D"
done
D=$T/transient
scep enroll --url "$SCEPD/scep/curves" --subject CN=transient.lab.example --new-key ec:p256 --rsa-signer --key-usage digitalSignature --out-dir "$D" --quiet 2>>"$T/claim.log"
claim "an EC key behind a throw-away RSA signer: both keys are kept" sh -c "test -s '$D/pending/key.pem' && test -s '$D/pending/signer-key.pem'"
decide approve transient.lab.example >>"$T/claim.log" 2>&1
claim "... the answer is to the RSA key, the certificate for the other" scep poll --out-dir "$D" --quiet
claim "... a pair" pair "$D"
claim "Ed25519 signs no SCEP message, and that is said before" sh -c "
	openssl genpkey -algorithm ed25519 -out '$T/ed.pem' 2>/dev/null && chmod 600 '$T/ed.pem' &&
	scep enroll --url '$ASK' --subject CN=ed.lab.example --key '$T/ed.pem' --out-dir '$T/ed' 2>&1 | grep -q 'has to be RSA or EC'"
