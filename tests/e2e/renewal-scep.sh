#!/usr/bin/env bash
# renewal-scep: what becomes of a certificate that was renewed, and that a certificate never stands for Intune's word: renewals at an
# Intune endpoint are asked about, refused and reported as enrolments are.
. "$(dirname "$0")/../lib/env.sh"
make_ca --static-challenge --static-domain lab.example
python3 - "$CONFIG" <<'EOF2' || die "scepd.yaml"
import sys
path = sys.argv[1]
text = open(path).read()
line = "  lab: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret }\n"
assert line in text
text = text.replace(line, line + """  tidy: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret, renewal: { window: 100, revoke_replaced: 1s } }
  other: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret, renewal: { window: 100 } }
  late: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret, renewal: { window: 1 } }
""")
open(path, "w").write(text)
EOF2
start_intunesim
start_scepd || die "scepd starts"
serial() { openssl x509 -in "$1" -noout -serial | cut -d = -f 2; }
count() { scepctl list --config "$CONFIG" --json 2>>"$T/claim.log" | grep -c '"serial"'; }
last() { grep ' scep tx=' "$T/scepd.log" | tail -n 1; }
# refused WORDS COMMAND...: a signed FAILURE, nothing issued, and the log says WORDS
refused() {
	local words=$1 before status
	shift
	before=$(count)
	"$@"
	status=$?
	last
	[ $status = 3 ] && [ "$(count)" = "$before" ] && last | grep -q "result=FAILURE" && last | grep -q "$words"
}
enrol() { local d=$1 at=$2; shift 2; scep enroll --url "$SCEPD/scep/$at" --subject "CN=${d##*/}.lab.example" --challenge-file "$T/ca/lab.secret" --out-dir "$d" --quiet "$@"; }
renew() { local d=$1 at=$2; shift 2; scep renew --url "$SCEPD/scep/$at" --out-dir "$d" --quiet "$@"; }

# ---- the old certificate ----
enrol "$T/pc1" tidy || die "enrol"
cp -a "$T/pc1" "$T/pc1.old"
old=$(serial "$T/pc1/cert.pem")
claim "R05: RenewalReq (17) renews" renew "$T/pc1" tidy --type 17
claim "... the log says renewal=1 and which was replaced" sh -c "grep ' scep tx=' '$T/scepd.log' | tail -n 1 | grep -q 'type=17 renewal=1 .*result=SUCCESS .*replaced=$old'"
new=$(serial "$T/pc1/cert.pem")
claim "quirk 39: PKCSReq (19) renews" renew "$T/pc1" tidy --type 19
sleep 2
stop_scepd
start_scepd || die "scepd starts again"
logged_within 10 "revoked serial=($old|$new)" 2
claim "both that were replaced are revoked after the delay, each with its line" sh -c "grep -q 'revoked serial=$old .*reason=superseded' '$T/scepd.log' && grep -q 'revoked serial=$new .*reason=superseded' '$T/scepd.log'"
claim "scepctl show says why" sh -c "scepctl show --config '$CONFIG' '$old' | grep -qi 'superseded'"
claim "OCSP too" sh -c "openssl ocsp -issuer '$T/ca/ca/issuing.pem' -cert '$T/pc1.old/cert.pem' -url '$SCEPD/ocsp/issuing' -CAfile '$T/ca/ca/root.pem' 2>&1 | grep -qi 'superseded'"
claim "and the CRL, within seconds" within 20 sh -c "curl -fsS '$SCEPD/crl/issuing.crl' | openssl crl -inform DER -noout -text | grep -A 4 '$old' | grep -q Superseded"
claim "what is in use is not revoked" sh -c "! scepctl show --config '$CONFIG' '$(serial "$T/pc1/cert.pem")' | grep -qi superseded"
claim "S06: a certificate that was revoked for that renews nothing" refused "is revoked (reason 4)" renew "$T/pc1.old" tidy
claim "the audit chain is whole" scepctl audit verify --config "$CONFIG"

# ---- who may not ----
claim "S06: not at another endpoint" refused "was issued at endpoint tidy" renew "$T/pc1" other
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/fake.key" -out "$T/fake-ca.pem" -subj "/O=Contoso/CN=Contoso Issuing CA" -days 5 2>/dev/null
mkdir "$T/forged"
openssl req -newkey rsa:2048 -nodes -keyout "$T/forged/key.pem" -subj /CN=pc1.lab.example 2>/dev/null |
	openssl x509 -req -CA "$T/fake-ca.pem" -CAkey "$T/fake.key" -set_serial "0x$(serial "$T/pc1/cert.pem")" -days 5 -out "$T/forged/cert.pem" 2>/dev/null
chmod 600 "$T/forged/key.pem"
claim "S06: a certificate with our names and number, of a CA with our name" refused "is not the certificate" renew "$T/forged" tidy
claim "S07: another subject" refused "the subject is not that of the certificate" renew "$T/pc1" tidy --subject CN=admin.lab.example
claim "S07: another purpose" refused "extended key usage\|key usages that" renew "$T/pc1" tidy --key-usage digitalSignature --key-usage keyEncipherment --eku 1.3.6.1.5.5.7.3.1
enrol "$T/pc2" late || die "enrol"
claim "too early" refused "too early" renew "$T/pc2" late

# ---- Intune ----
phone=$T/phone
scep enroll --intune "$SIM" --device LAPTOP-7F3K2 --out-dir "$phone" >"$T/enroll.out" 2>&1 || die "enrol with Intune"
cert=$(find "$phone" -name cert.pem | head -n 1)
device=$(dirname "$cert")
for type in 17 19; do
	claim "S08: a renewal ($type) without a challenge is refused at an Intune endpoint" \
		refused "carries no challenge" scep renew --url "$SCEPD/certsrv/mscep/mscep.dll" --out-dir "$device" --type $type --quiet
	claim "S08: with some password too ($type)" \
		refused "form of an Intune challenge" scep renew --url "$SCEPD/certsrv/mscep/mscep.dll" --out-dir "$device" --type $type --challenge-file "$T/ca/lab.secret" --quiet
done
claim "the device is given another challenge" scep enroll --intune "$SIM" --device LAPTOP-7F3K2 --profile "Windows device certificate" --request-only --out-dir "$T/again"
request=$(find "$T/again" -name request.der | head -n 1)
openssl req -inform DER -in "$request" -noout -text | sed -n 's/^ *challengePassword *: *//p' >"$T/challenge"
chmod 600 "$T/challenge"
claim "which is a long one" test "$(wc -c <"$T/challenge")" -gt 256
sed 's/^..../AAAA/' "$T/challenge" >"$T/challenge.bad" && chmod 600 "$T/challenge.bad"
wishes=(--key-usage digitalSignature --key-usage keyEncipherment --eku 1.3.6.1.5.5.7.3.2 --eku 1.3.6.1.5.5.7.3.17) # as the profile has them
claim "S08: with one that Intune does not know it is refused, and Intune was asked" refused "intune.code=" \
	scep renew --url "$SCEPD/certsrv/mscep/mscep.dll" --out-dir "$device" --challenge-file "$T/challenge.bad" --quiet "${wishes[@]}"
claim "S08: with a valid one it is renewed" scep renew --url "$SCEPD/certsrv/mscep/mscep.dll" --out-dir "$device" --challenge-file "$T/challenge" --quiet "${wishes[@]}"
claim "... and reported to Intune as an enrolment" sh -c "grep ' scep tx=' '$T/scepd.log' | tail -n 1 | grep -q 'renewal=1 .*intune.code=Success .*result=SUCCESS .*notify=Success'"
claim "S14: the same challenge leads to no certificate for another key" refused "has led to a certificate for another request" \
	scep renew --url "$SCEPD/certsrv/mscep/mscep.dll" --out-dir "$device" --challenge-file "$T/challenge" --quiet "${wishes[@]}"
