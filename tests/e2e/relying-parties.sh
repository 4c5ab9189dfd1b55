#!/usr/bin/env bash
# relying-parties: programs that judge a certificate by scepd's CRL and OCSP: openssl verify, GnuTLS, strongSwan's pki, mail that is signed.  What is
# good is taken by each, what is revoked refused by each.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/relying.sh"
lab_ca
sed -i 's/^profiles:$/&\n  mail: { subject: { allow: ["CN=*.lab.contoso.com"] }, san: { types: [email], allow: ["email:*@lab.contoso.com"] }, eku: { allow: [emailProtection], default: [emailProtection] } }/' "$CONFIG"
echo "  mail: { ca: issuing, profile: mail, challenge: static, challenge_file: lab.secret }" >>"$CONFIG"
start_scepd || die "scepd starts"
for name in good stolen; do enrol $name; done
URL=$SCEPD/scep/mail enrol writer --san email:writer@lab.contoso.com
URL=$SCEPD/scep/mail enrol leaver --san email:leaver@lab.contoso.com
printf 'Please pay the bill.\r\n' >"$T/letter"
sign() { openssl cms -sign -in "$T/letter" -signer "$T/$1/cert.pem" -inkey "$T/$1/key.pem" -certfile "$ISSUING" -out "$T/$1.eml" 2>>"$T/sign.log"; }
sign writer && sign leaver || die "two letters are signed"
cat "$ISSUING" "$ROOT" >"$T/chain.pem"
if in_token; then whole_chain=; else root_crl "$T/root.crl.pem" || die "the root's own CRL"; whole_chain=1; fi

# says WORDS COMMAND...: whatever its exit status
says() { "${@:2}" >"$T/said" 2>&1 </dev/null; cat "$T/said"; grep -qE -e "$1" "$T/said"; }
# fails WORDS COMMAND...
fails() { "${@:2}" >"$T/said" 2>&1 </dev/null && { cat "$T/said"; return 1; }; cat "$T/said"; grep -qE -e "$1" "$T/said"; }
read_letter() { # openssl cms takes CRLs from the file of the CAs
	cat "$ROOT" "$T/issuing.crl.pem" >"$T/mail-trust.pem"
	openssl cms -verify -in "$T/$1.eml" -CAfile "$T/mail-trust.pem" -crl_check -purpose smimesign -out /dev/null
}
by_crl() { openssl verify -x509_strict -CAfile "$ROOT" -untrusted "$ISSUING" -crl_check -CRLfile "$T/issuing.crl.pem" "$T/$1/cert.pem"; }

get_crl "$T/issuing.crl.pem" || die "the CRL before"
claim "S/MIME: openssl cms takes a letter of one whose certificate is good" read_letter leaver
claim "openssl verify -crl_check takes a certificate" by_crl stolen
began=$(date +%s%N)
revoke stolen keyCompromise && revoke leaver cessationOfOperation || die "revoke"
listed() {
	get_crl "$T/issuing.crl.pem" &&
		openssl crl -in "$T/issuing.crl.pem" -noout -text >"$T/crl.txt" && grep -q "$(serial_of "$T/leaver/cert.pem")" "$T/crl.txt"
}
claim "both are on the CRL soon" within 30 listed
tell "from scepctl revoke to the CRL" "$began"
claim "... with their reasons" sh -c "grep -q 'Key Compromise' '$T/crl.txt' && grep -q 'Cessation Of Operation' '$T/crl.txt'"

# ---- openssl ----
claim "openssl verify -crl_check: good" by_crl good
claim "openssl verify -crl_check: revoked" fails 'certificate revoked' by_crl stolen
if [ -n "$whole_chain" ]; then
	cat "$T/issuing.crl.pem" "$T/root.crl.pem" >"$T/crls.pem"
	all() { openssl verify -CAfile "$ROOT" -untrusted "$ISSUING" -crl_check_all -CRLfile "$T/crls.pem" "$T/$1/cert.pem"; }
	claim "openssl verify -crl_check_all, with the root's list: good" all good
	claim "openssl verify -crl_check_all: revoked" fails 'certificate revoked' all stolen
else
	skip_claim "openssl verify -crl_check_all" "the root's key is in the token, and openssl ca wants a file"
fi
download() { openssl verify -CAfile "$ROOT" -untrusted "$ISSUING" -crl_check -crl_download "$T/$1/cert.pem"; }
claim "openssl verify -crl_download finds the list by the certificate's own words: good" download good
claim "openssl verify -crl_download: revoked" fails 'certificate revoked' download stolen
ocsp() { openssl ocsp -CAfile "$ROOT" -issuer "$ISSUING" -cert "$T/$1/cert.pem" -url "$(openssl x509 -in "$T/$1/cert.pem" -noout -ocsp_uri)" "${@:2}"; }
claim "openssl ocsp: good" says 'cert.pem: good' ocsp good
claim "openssl ocsp: revoked, for the CRL's reason" says 'Reason: keyCompromise' ocsp stolen
claim "openssl ocsp: the answer verifies by the root alone" says 'Response verify OK' ocsp stolen

# ---- GnuTLS ----
gnutls() { certtool --verify --infile "$T/$1/full.pem" --load-ca-certificate "$ROOT" --load-crl "$T/issuing.crl.pem"; }
for name in good stolen; do cat "$T/$name/cert.pem" "$ISSUING" >"$T/$name/full.pem"; done
claim "certtool --verify with the CRL: good" says 'Chain verification output: Verified\. The certificate is trusted' gnutls good
claim "certtool --verify with the CRL: revoked" says 'certificate chain is revoked|revoked' gnutls stolen
claim "certtool reads the CRL, and it is of the issuing CA" says 'Verification output: Verified' sh -c "certtool --verify-crl --load-ca-certificate '$ISSUING' --infile '$T/issuing.crl.pem'"
asked_by_ocsptool() { ocsptool --ask="$(openssl x509 -in "$T/$1/cert.pem" -noout -ocsp_uri)" --load-cert "$T/$1/cert.pem" --load-issuer "$ISSUING" --load-trust "$T/chain.pem"; }
claim "ocsptool: good" says 'Certificate Status: good' asked_by_ocsptool good
claim "ocsptool: revoked" says 'Certificate Status: revoked' asked_by_ocsptool stolen

# ---- strongSwan: it asks by OCSP first, unless it is told not to ----
openssl crl -in "$T/issuing.crl.pem" -outform DER -out "$T/issuing.crl"
for way in ocsp crl; do printf 'pki {\n plugins {\n  revocation {\n   enable_%s = no\n  }\n }\n}\n' $way >"$T/no-$way.conf"; done
swan() { STRONGSWAN_CONF=$T/$2.conf pki --verify --in "$T/$1/cert.pem" --cacert "$ROOT" --cacert "$ISSUING" "${@:3}"; }
judged() { # WORDS, then swan's arguments
	says "$1" swan "${@:2}" && grep -q 'certificate trusted, lifetimes valid' "$T/said" && grep -q 'certificate status is good' "$T/said"
}
claim "strongSwan's pki --verify --crl: good" judged 'crl correctly signed by "O=Contoso, CN=Contoso Issuing CA"' good no-ocsp --crl "$T/issuing.crl"
claim "strongSwan's pki --verify --crl: revoked" fails 'certificate was revoked on .*reason: key compromise' swan stolen no-ocsp --crl "$T/issuing.crl"
claim "strongSwan's pki --verify --online, by the list that it fetches: good" judged 'fetching crl from' good no-ocsp --online
claim "strongSwan's pki --verify --online, by the list: revoked" fails 'reason: key compromise' swan stolen no-ocsp --online
claim "strongSwan's pki --verify --online, by OCSP: good" judged 'requesting ocsp status from' good no-crl --online
claim "strongSwan's pki --verify --online, by OCSP: revoked" fails 'reason: key compromise' swan stolen no-crl --online

# ---- mail ----
claim "S/MIME: a letter of one who is still here is taken" read_letter writer
claim "S/MIME: a letter of one who has left is refused" fails 'certificate revoked' read_letter leaver
