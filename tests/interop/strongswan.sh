#!/usr/bin/env bash
# strongSwan's pki --scepca and pki --scep: every cipher and digest it offers, refusals, a repeat, a CA with elliptic keys.
#
# pki 5.9.8 mixes up the capability bits: it believes in AES only if SHA-384 is listed, and POSTs whether or not
# POSTPKIOperation is.  With the list that scepd sends by default it works; see docs/interop.md.
. "$SCEPD_TOP/tests/lib/env.sh"
. "$SCEPD_TOP/tests/interop/common.bash"
. "$SCEPD_TOP/tests/interop/clients.bash"
client="strongSwan pki"
needs pki strongswan-pki

has_san() { [ "$(ext "$1" subjectAltName)" = "DNS:$2" ]; }
its_certificates() { same_certificate "$1/ca.pem" "$ROOT" && same_certificate "$1/ca-1.pem" "$ISSUING" && same_certificate "$1/ra.pem" "$RA"; }

lab_ca
profile old "keys: { rsa: { min: 2048 } }, sha1_csr: true"
endpoint old old
serve
mkdir "$T/s"
claim "$client: fetches root, issuing CA and RA and tells them apart" pki_get_ca "$URL" "$T/s"
claim "$client: ... they are ours" its_certificates "$T/s"
claim "$client: ... it trusts the chain of the RA" grep -q "^RA cert is trusted" "$T/s/ca.log"

pki_key "$T/s/key.pem"
name=gate.lab.contoso.com
claim "$client: enrols with its defaults" pki_enrol "$URL" "$T/s" $name "$T/s/key.pem" "$T/s/cert.pem" --password "$CHALLENGE"
claim_log "$client: ... over AES and SHA-256" http=POST type=19 cipher=aes128cbc digest=sha256 kt=rsa result=SUCCESS
claim_certificate "$T/s/cert.pem" "$T/s/key.pem" $name
claim "$client: ... has the alternative name asked for" has_san "$T/s/cert.pem" $name
claim "$client: ... it trusts the certificate" grep -q "^Issued certificate is trusted" "$T/s/cert.pem.err"

again() { pki_enrol "$URL" "$T/s" $name "$T/s/key.pem" "$T/s/again.pem" --password "$CHALLENGE" && same_certificate "$T/s/again.pem" "$T/s/cert.pem"; }
claim "$client: the same request again gets the same certificate" again
revoked() { scepctl revoke --config "$CONFIG" --reason superseded "$(openssl x509 -in "$T/s/again.pem" -noout -serial | sed 's/.*=//')"; }
claim "$client: (the certificate is revoked)" revoked
anew() { pki_enrol "$URL" "$T/s" $name "$T/s/key.pem" "$T/s/anew.pem" --password "$CHALLENGE" && ! same_certificate "$T/s/anew.pem" "$T/s/cert.pem"; }
claim "$client: ... then the same request gets a new one" anew
claim "$client: ... which holds the same key" same_key "$T/s/anew.pem" "$T/s/key.pem"

# Everything it offers.  With --digest sha1 it signs the CSR with SHA-1 too, which a profile has to allow (sha1_csr).
matrix() { # CIPHER DIGEST URL
	local out=$T/s/$1-$2.pem
	pki_enrol "$3" "$T/s" "$1-$2.lab.contoso.com" "$T/s/key.pem" "$out" --password "$CHALLENGE" --cipher "$1" --digest "$2" && verifies "$out"
}
for cipher in aes des3; do
	for digest in sha1 sha256 sha384 sha512; do
		url=$URL logged=aes128cbc
		[ $cipher = aes ] || logged=des3cbc
		[ $digest != sha1 ] || url=$SCEPD/scep/old
		claim "$client: enrols with $cipher and $digest" matrix $cipher $digest "$url" &&
			claim_log "$client: ... and the log says so" cipher=$logged digest=$digest result=SUCCESS
	done
done

# refused NAME REASON [arguments]: it reports a signed FAILURE with this failInfo and writes no certificate
refused() {
	local out=$T/s/refused.pem who=$1 why=$2
	shift 2
	! pki_enrol "$URL" "$T/s" "$who" "$T/s/key.pem" "$out" "$@" && [ ! -s "$out" ] && grep -q "failInfo: *$why" "$out.err" && nobody_has "$who"
}
claim "$client: a wrong challenge is refused and it says badRequest" refused wrong.lab.contoso.com badRequest --password not-the-challenge
claim_log "$client: ... and the log names the step" result=FAILURE failInfo=2 step=auth
claim "$client: ... and says where to look" hints challenge_file
claim "$client: no challenge is refused and it says badRequest" refused none.lab.contoso.com badRequest
claim "$client: a name outside the profile is refused" refused www.evil.example badRequest --password "$CHALLENGE"
claim_log "$client: ... and the log names the step" result=FAILURE failInfo=2 step=policy
claim "$client: ... and says where to look" hints scepd.yaml
claim "$client: a CSR signed with SHA-1 is refused where the profile does not allow it" \
	refused weak-csr.lab.contoso.com badAlg --password "$CHALLENGE" --digest sha1
claim "$client: SHA-224, which is not in GetCACaps, is refused as badAlg" refused sha224.lab.contoso.com badAlg --password "$CHALLENGE" --digest sha224
claim "$client: RSASSA-PSS, which SCEP does not have, is refused as badAlg" refused pss.lab.contoso.com badAlg --password "$CHALLENGE" --rsa-padding pss

# A CA with elliptic keys: only the RA's is RSA.  (ECDSA needs strongSwan's openssl plugin.)
stop_scepd
mv "$T/ca" "$T/ca.rsa"
lab_ca --root-key ec:p384 --issuing-key ec:p256
serve
mkdir "$T/e"
if pki --gen --type ecdsa --size 256 >/dev/null 2>&1; then
	claim "$client: fetches the certificates of a CA with elliptic keys" pki_get_ca "$URL" "$T/e"
	claim "$client: ... enrols there" pki_enrol "$URL" "$T/e" ec.lab.contoso.com "$T/s/key.pem" "$T/e/cert.pem" --password "$CHALLENGE"
	claim "$client: ... the certificate verifies" verifies "$T/e/cert.pem"
else
	skip_claim "$client: a CA with elliptic keys" "needs libstrongswan-standard-plugins"
fi
