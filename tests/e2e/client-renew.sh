#!/usr/bin/env bash
# client-renew: scep renew against scepd: both message types, the same key and a new one, names kept, files replaced as one; guises.
. "$(dirname "$0")/../lib/env.sh"
make_ca --static-challenge --static-domain lab.example
python3 - "$CONFIG" <<'EOF2' || die "scepd.yaml"
import sys
path = sys.argv[1]
text = open(path).read()
line = "  lab: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret }\n"
assert line in text
text = text.replace(line, """  lab:
    ca: issuing
    profile: lab
    challenge: static
    challenge_file: lab.secret
    renewal: { window: 100 }
  late: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret, renewal: { window: 1 } }
  curves: { ca: issuing, profile: curves, challenge: static, challenge_file: lab.secret, renewal: { window: 100 } }
""")
text = text.replace("profiles:\n", """profiles:
  curves:
    subject: { allow: ["CN=*.lab.example"] }
    san: { types: [] }
    keys: { ec: [p256, p384] }
    key_usage: { allow: [digitalSignature] }
    validity: { default: 90d, max: 365d }
""", 1)
open(path, "w").write(text)
EOF2
start_scepd || die "scepd starts"
LAB=$SCEPD/scep/lab
SECRET=$T/ca/lab.secret
serial() { openssl x509 -in "$1" -noout -serial | cut -d = -f 2; }
spki() { openssl x509 -in "$1" -noout -pubkey | sha256sum; }
pair() { [ -s "$1/cert.pem" ] && [ "$(openssl x509 -in "$1/cert.pem" -noout -pubkey)" = "$(openssl pkey -in "$1/key.pem" -pubout)" ]; }
verifies() { openssl verify -x509_strict -CAfile "$T/ca/ca/root.pem" -untrusted "$T/ca/ca/issuing.pem" "$1"; }
differs() { [ "$1" != "$2" ]; }
# enrol DIR [arguments]
enrol() { local d=$1; shift; scep enroll --url "$LAB" --subject "CN=${d##*/}.lab.example" --san "dns:${d##*/}.lab.example" --challenge-file "$SECRET" --out-dir "$d" --quiet "$@"; }
renew() { local d=$1; shift; scep renew --url "$LAB" --out-dir "$d" "$@"; }
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

# ---- a new key ----
D=$T/pc1
enrol "$D" || die "enrol"
old=$(serial "$D/cert.pem") old_spki=$(spki "$D/cert.pem")
cp -a "$D" "$T/pc1.before"
claim "R05 R09: a renewal signed by the old certificate needs no challenge" renew "$D" --quiet
claim "... it is another certificate" differs "$old" "$(serial "$D/cert.pem")"
claim "... for a new key" differs "$old_spki" "$(spki "$D/cert.pem")"
claim "... whose key is beside it" pair "$D"
claim "... that verifies" verifies "$D/cert.pem"
claim "... with the names of the old one" sh -c "
	test \"\$(openssl x509 -in '$D/cert.pem' -noout -subject -ext subjectAltName)\" = \"\$(openssl x509 -in '$T/pc1.before/cert.pem' -noout -subject -ext subjectAltName)\""
claim "... what was there is kept by its serial number" sh -c "cmp '$D/replaced-$old/cert.pem' '$T/pc1.before/cert.pem' && cmp '$D/replaced-$old/key.pem' '$T/pc1.before/key.pem'"
claim "... keys and folder of the old ones are for their owner alone" sh -c "
	test \"\$(stat -c %a '$D/key.pem' '$D/replaced-$old/key.pem' '$D/replaced-$old' | tr '\n' ' ')\" = '600 600 700 '"
claim "... nothing half-done is left" sh -c "! ls -A '$D' | grep -vE '^(key|cert|chain)\.pem$|^replaced-$old$'"
claim "the log says messageType 17 and that it was a renewal" sh -c "grep 'type=17' '$T/scepd.log' | grep -q 'result=SUCCESS'"

# ---- the same key, type 19 ----
old=$(serial "$D/cert.pem") old_spki=$(spki "$D/cert.pem")
claim "quirk 39: a renewal by PKCSReq (19) with the same key" renew "$D" --type 19 --same-key --quiet
claim "... is another certificate" differs "$old" "$(serial "$D/cert.pem")"
claim "... for the same key" test "$old_spki" = "$(spki "$D/cert.pem")"
second=$(serial "$D/cert.pem")
claim "quirk 57: renewed once more with the same key, it is not the one from before" sh -c "scep renew --url '$LAB' --out-dir '$D' --same-key --quiet &&
	test \"\$(openssl x509 -in '$D/cert.pem' -noout -serial)\" != 'serial=$second'"
claim "a renewal with the right challenge too" renew "$D" --challenge-file "$SECRET" --quiet
printf 'wrong' >"$T/wrong" && chmod 600 "$T/wrong"
cp -a "$D" "$T/pc1.kept"
claim "R09, quirk 40: with a wrong challenge it is refused" says 3 "the server refused" renew "$D" --challenge-file "$T/wrong"
claim "... and the folder is as it was" diff -r "$D" "$T/pc1.kept"
claim "S07: other names are refused" says 3 "the server refused" renew "$D" --subject CN=other.lab.example
mkdir "$T/self"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/self/key.pem" -out "$T/self/cert.pem" -subj /CN=pc1.lab.example -days 5 2>/dev/null || die "openssl req"
chmod 600 "$T/self/key.pem"
claim "S06: a certificate that nobody has signed renews nothing" says 3 "the server refused" renew "$T/self"
claim "a key that is not the certificate's is told before anything is sent" says 78 "is not the key of" renew "$D" --cert-key "$T/self/key.pem"

claim "R03: the server's fingerprint is compared" sh -c "scep renew --url '$LAB' --out-dir '$D' --same-key --quiet --fingerprint \$(openssl x509 -in '$T/ca/ca/issuing.pem' -noout -fingerprint -sha256 | cut -d = -f 2)"
claim "... and another one stops it" says 65 "has the fingerprint" renew "$D" --fingerprint "$(openssl x509 -in "$T/self/cert.pem" -noout -fingerprint -sha256 | cut -d = -f 2)"

# ---- when ----
claim "--expires-within: not yet, and nothing is sent" says 0 "nothing to do yet" renew "$D" --expires-within 1d
claim "... as JSON too" says 0 '"status": "not yet"' renew "$D" --expires-within 1d --json
claim "... and then it is time" renew "$D" --expires-within 1y --quiet
claim "outside the endpoint's window the server says no" says 3 "the server refused" scep renew --url "$SCEPD/scep/late" --out-dir "$D"

# ---- a crash between two renames ----
cp -a "$D" "$T/crash"
mkdir "$T/crash/renewed"
enrol "$T/next" || die "enrol"
cp "$T/next/key.pem" "$T/crash/key.pem"
cp "$T/next/cert.pem" "$T/next/chain.pem" "$T/crash/renewed/"
claim "after a crash in the middle of a replacement the folder is no pair" sh -c "! test \"\$(openssl x509 -in '$T/crash/cert.pem' -noout -pubkey)\" = \"\$(openssl pkey -in '$T/crash/key.pem' -pubout)\""
claim "... the next renewal finishes it first" says 0 "nothing to do yet" renew "$T/crash" --expires-within 1d
claim "... and it is a pair" sh -c "cmp '$T/crash/cert.pem' '$T/next/cert.pem' && test ! -e '$T/crash/renewed'"

# ---- guises, algorithms ----
for g in windows apple cisco jscep android strongswan sscep; do
	enrol "$T/$g" --as $g || not_ok "$g enrols"
	claim "$g renews as that platform does" renew "$T/$g" --as $g --quiet
done
claim "quirk 15: Apple's renewal is a PKCSReq (19) by the old certificate" sh -c "grep 'profiled/1.0' '$T/scepd.log' | grep -c 'type=19.*result=SUCCESS' | grep -qx 2"
claim "quirk 7: Cisco's goes by GET over HTTP, in 3DES and SHA-1" sh -c "grep 'Cisco PKI' '$T/scepd.log' | grep -c 'http=GET.*digest=sha1.*cipher=des3cbc.*result=SUCCESS' | grep -qx 2"
claim "quirk 31: Windows wraps its keys with OAEP" sh -c "grep 'Win32; NDES' '$T/scepd.log' | grep -c 'kt=oaep-sha1.*result=SUCCESS' | grep -qx 2"
claim "by GET, RSAES-OAEP with SHA-256, AES-256, SHA-512, recipient by key identifier" renew "$T/android" --get --transport oaep-sha256 --cipher aes256 --digest sha512 --recipient-by-ski --quiet

for form in escaped raw lines; do claim "R40: GET, base64 $form" renew "$T/android" --get-form $form --quiet; done
claim "... by GET each" sh -c "tail -n 40 '$T/scepd.log' | grep -c 'ua=scep-client op=PKIOperation http=GET' | grep -qE '^[4-9]'"

# ---- a key on a curve, whose certificate can only sign ----
D=$T/curve
E=$SCEPD/scep/curves
claim "R15: an EC key enrols; the answer is by key agreement" says 0 '"envelope": "ecdh"' scep enroll --url "$E" --subject CN=curve.lab.example --new-key ec:p256 \
	--key-usage digitalSignature --challenge-file "$SECRET" --out-dir "$D" --json
claim "... renewed by its certificate, which is for signatures alone, under the challenge (RFC 8894 3.1)" says 0 '"envelope": "password"' scep renew --url "$E" --out-dir "$D" \
	--challenge-file "$SECRET" --json
claim "... as a pair" pair "$D"
claim "... for a new key of the same kind" sh -c "openssl x509 -in '$D/cert.pem' -noout -text | grep -q 'ASN1 OID: prime256v1'"
claim "R15: without a challenge there is no way to answer: badAlg" says 3 badAlg scep renew --url "$E" --out-dir "$D"
claim "a throw-away RSA signer is refused where the endpoint does not allow it" says 3 "the server refused" scep enroll --url "$E" --subject CN=t.lab.example --new-key ec:p256 \
	--rsa-signer --challenge-file "$SECRET" --out-dir "$T/t"

# ---- the folder is looked at first ----
n=$(grep -c 'op=PKIOperation' "$T/scepd.log")
claim "--out-dir without a parent is refused" says 78 "mkdir -p $T/none" enrol "$T/none/pc9"
claim "... a file in its place" says 78 "is no folder" enrol "$T/wrong"
mkdir -m 555 "$T/closed"
if [ "$(id -u)" = 0 ]; then
	skip_claim "... and one that cannot be written to" "root writes everywhere"
else
	claim "... and one that cannot be written to" says 78 "nothing can be written" enrol "$T/closed/pc9"
fi
claim "... before anything is sent" test "$(grep -c 'op=PKIOperation' "$T/scepd.log")" = "$n"
claim "--force keeps the pair that it replaces" sh -c "
	scep enroll --url '$LAB' --subject CN=pc1.lab.example --challenge-file '$SECRET' --out-dir '$T/pc1' --force --quiet && test \$(ls -d '$T/pc1'/replaced-* | wc -l) -ge 4"
