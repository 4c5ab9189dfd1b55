#!/usr/bin/env bash
# What the openssl program, which knows CMS and X.509 but nothing of SCEP, makes of scepd's replies, certificates and CRL.
#
# The requests are this project's client's, kept by tap.py and sent again by curl.
. "$SCEPD_TOP/tests/lib/env.sh"
. "$SCEPD_TOP/tests/interop/common.bash"
client=openssl
type=application/x-pki-message

lab_ca
serve
start_tap
cat "$ISSUING" "$ROOT" >"$T/chain.pem"

# ask NAME [scep enroll arguments]: an enrolment of our client through the tap; its request is $T/NAME.req
requests=0
ask() {
	local name=$1
	shift
	requests=$((requests + 1))
	scep enroll --url "$TAP/scep/lab" --subject "CN=$name.lab.contoso.com" --challenge-file "${WITH:-$SECRET}" --out-dir "$T/$name" "$@" \
		>"$T/$name.out" 2>&1
	cp "$T/tap/$requests.req" "$T/$name.req"
}
# again NAME: the same request by curl; $T/NAME.rep
again() {
	local got
	got=$(curl -sS -o "$T/$1.rep" -w '%{http_code} %{content_type}' -H "Content-Type: $type" --data-binary "@$T/$1.req" \
		"$URL?operation=PKIOperation") && [ "$got" = "200 $type" ]
}
dump() { openssl cms -cmsout -print -noout -inform DER -in "$1"; }
# signed by a certificate inside that chains to the root: exactly one, the RA's
signed_by_ra() {
	openssl cms -verify -inform DER -in "$1" ${2:+-content /dev/null} -CAfile "$T/chain.pem" -purpose any -signer "$T/signer.pem" \
		-out "$T/content" && same_certificate "$T/signer.pem" "$RA" && [ "$(openssl pkcs7 -inform DER -in "$1" -print_certs | grep -c BEGIN)" = 1 ]
}
# Signed attributes, each once, in the order of DER (RFC 5652 5.3), which openssl prints as found
attributes() {
	local found
	found=$(dump "$1" | sed -n '/signedAttrs/,/signatureAlgorithm/s/^ *object: .*(\(.*\))$/\1/p')
	[ "$(sort <<<"$found")" = "$(printf '%s\n' "${@:2}" | sort)" ]
}
attributes_sorted() { # the SET OF as it was signed is in ascending order
	python3 - "$1" <<'PY'
import subprocess, sys
rows = subprocess.run(["openssl", "asn1parse", "-inform", "DER", "-in", sys.argv[1]], capture_output=True, text=True, check=True).stdout
data, sets, start = open(sys.argv[1], "rb").read(), [], None
for row in rows.splitlines():
    head, rest = row.split(":", 1)
    at, depth = int(head), int(rest.split("=")[1].split()[0])
    hl, length = int(rest.split("hl=")[1].split()[0]), int(rest.split("l=")[2].split()[0])
    if depth == 5 and "cont [ 0 ]" in row:  # SignerInfo's
        start = at + hl, at + hl + length
    elif start and depth == 6 and start[0] <= at < start[1]:
        sets.append(data[at:at + hl + length])
sys.exit(len(sets) < 7 or sets != sorted(sets))
PY
}
common="1.2.840.113549.1.9.3 1.2.840.113549.1.9.4 1.2.840.113549.1.9.5 2.16.840.1.113733.1.9.2 2.16.840.1.113733.1.9.3
2.16.840.1.113733.1.9.5 2.16.840.1.113733.1.9.6 2.16.840.1.113733.1.9.7"
# The value of an attribute, as openssl prints it
attribute() { dump "$1" | sed -n "/($2)/,/object:/s/^ *[A-Z ]*STRING:\(.*\)/\1/p" | head -n 1; }
nonces_match() { # the reply's recipientNonce is the request's senderNonce, its senderNonce is another
	local theirs
	theirs=$(dump "$1" | sed -n '/113733\.1\.9\.5)/,/object:/p' | grep '^ *0000')
	[ -n "$theirs" ] && [ "$theirs" = "$(dump "$2" | sed -n '/113733\.1\.9\.6)/,/object:/p' | grep '^ *0000')" ] &&
		[ "$theirs" != "$(dump "$2" | sed -n '/113733\.1\.9\.5)/,/object:/p' | grep '^ *0000')" ]
}
algorithms() { # REPLY DIGEST CIPHER TRANSPORT: of the signature, and of the envelope inside
	dump "$1" >"$1.txt" && dump "$1.env" >"$1.env.txt" && grep -A4 digestAlgorithm: "$1.txt" | grep -q "($2)\|: $2 " &&
		grep -A1 contentEncryptionAlgorithm "$1.env.txt" | grep -q ": $3 " &&
		grep -A1 keyEncryptionAlgorithm "$1.env.txt" | grep -q ": $4 "
}
certs_only() { # of the message that the envelope holds: RFC 8894 3.4
	openssl cms -cmsout -print -noout -inform DER -in "$1.p7" >"$1.p7.txt" && grep -q 'eContent: <ABSENT>' "$1.p7.txt" &&
		sed -n '/signerInfos/,$p' "$1.p7.txt" | grep -q 'EMPTY'
}
leaf_only() { [ "$(openssl pkcs7 -inform DER -in "$1.p7" -print_certs | grep -c BEGIN)" = 1 ]; }
opened() { issued "$1" "$2/key.pem" >"$2/opened.pem" && same_certificate "$2/opened.pem" "$2/cert.pem"; }

row=0
while read -r name cipher digest transport ocipher odigest otransport; do
	row=$((row + 1))
	ask "$name" --cipher "$cipher" --digest "$digest" --transport "$transport" || not_ok "$client: our client enrols with $cipher, $digest, $transport"
	claim "$client: $cipher, $digest, $transport: curl gets an $type" again "$name" || continue
	claim "$client: ... signed by the RA, whose certificate alone is inside, up to our root" signed_by_ra "$T/$name.rep"
	claim "$client: ... opens it with the client's key and finds the client's certificate" opened "$T/$name.rep" "$T/$name"
	claim "$client: ... the leaf alone" leaf_only "$T/$name.rep"
	claim "$client: R36: ... its inner SignedData has no content and no signer" certs_only "$T/$name.rep"
	claim "$client: ... in the algorithms of the request" algorithms "$T/$name.rep" "$odigest" "$ocipher" "$otransport"
	[ $row = 1 ] || continue
	# shellcheck disable=SC2086
	claim "$client: ... has the signed attributes of a success and no others" attributes "$T/$name.rep" $common
	claim "$client: ... they are sorted as DER wants it" attributes_sorted "$T/$name.rep"
	claim "$client: ... messageType is CertRep" test "$(attribute "$T/$name.rep" 2.16.840.1.113733.1.9.2)" = 3
	claim "$client: ... pkiStatus is SUCCESS" test "$(attribute "$T/$name.rep" 2.16.840.1.113733.1.9.3)" = 0
	claim "$client: ... the transactionID is the request's" \
		test "$(attribute "$T/$name.rep" 2.16.840.1.113733.1.9.7)" = "$(attribute "$T/$name.req" 2.16.840.1.113733.1.9.7)"
	claim "$client: ... recipientNonce answers senderNonce" nonces_match "$T/$name.req" "$T/$name.rep"
done <<'EOT'
aes128 aes128 sha256 rsa aes-128-cbc sha256 rsaEncryption
aes256 aes256 sha512 oaep aes-256-cbc sha512 rsaesOaep
oaep256 aes192 sha384 oaep-sha256 aes-192-cbc sha384 rsaesOaep
des3 des3 sha1 rsa des-ede3-cbc sha1 rsaEncryption
EOT

# ---- a refusal
(umask 077 && printf not-the-challenge >"$T/wrong.secret")
WITH=$T/wrong.secret ask refused
no_content() { dump "$1" | sed -n '/encapContentInfo/,/certificates/p' | grep -q 'eContent: <ABSENT>'; }
claim "$client: a refusal comes as $type too" again refused
claim "$client: ... signed by the RA" signed_by_ra "$T/refused.rep" detached
claim "$client: ... without content" no_content "$T/refused.rep"
# shellcheck disable=SC2086
claim "$client: ... has the signed attributes of a failure and no others" \
	attributes "$T/refused.rep" $common 2.16.840.1.113733.1.9.4 1.3.6.1.5.5.7.24.1
claim "$client: ... pkiStatus is FAILURE, failInfo badRequest" \
	test "$(attribute "$T/refused.rep" 2.16.840.1.113733.1.9.3)$(attribute "$T/refused.rep" 2.16.840.1.113733.1.9.4)" = 22

# ---- certificates
cert=$T/aes128/cert.pem
text() { openssl x509 -in "$1" -noout -text; }
serial_bits() { [ "$(openssl x509 -in "$1" -noout -serial | sed 's/.*=//' | tr -d '\n' | wc -c)" -ge 28 ]; }
in_force() { openssl x509 -in "$1" -noout -checkend $((89 * 86400)) && ! openssl x509 -in "$1" -noout -checkend $((91 * 86400)); }
backdated() { # notBefore lies HOURS in the past; the quarter of an hour is for a machine that is busy
	local age=$(($(date +%s) - $(date -d "$(openssl x509 -in "$1" -noout -startdate | sed 's/.*=//')" +%s)))
	[ $age -ge $(($2 * 3600 - 60)) ] && [ $age -lt $(($2 * 3600 + 900)) ]
}
ca_file() { # AIA: the address in the certificate holds the issuer
	local url
	url=$(text "$cert" | sed -n 's/.*CA Issuers - URI://p') && curl -fsS "$url" -o "$T/aia.crt" && openssl x509 -inform DER -in "$T/aia.crt" -out "$T/aia.pem" &&
		same_certificate "$T/aia.pem" "$ISSUING"
}
get_crl() {
	local url
	url=$(text "$cert" | sed -n 's/^ *URI:\(.*crl\)$/\1/p') && curl -fsS "$url" | openssl crl -inform DER -out "$T/issuing.crl"
}
on_crl() { openssl verify -crl_check -CAfile "$ROOT" -untrusted "$ISSUING" -CRLfile "$T/issuing.crl" "$1"; }
claim "$client: the certificate verifies, strictly, for TLS clients" verifies "$cert"
claim "$client: ... not for TLS servers" sh -c '! openssl verify -CAfile "$1" -untrusted "$2" -purpose sslserver "$3"' - "$ROOT" "$ISSUING" "$cert"
claim "$client: ... version 3, serial of 128 random bits" serial_bits "$cert"
claim "$client: ... good for the profile's 90 days" in_force "$cert"
claim "$client: ... backdated by 24 hours" backdated "$cert" 24
claim "$client: ... its AIA address holds the issuing CA" ca_file
claim "$client: ... its CRL address holds a CRL" get_crl
claim "$client: ... which the issuing CA has signed" openssl crl -in "$T/issuing.crl" -noout -CAfile "$ISSUING"
claim "$client: ... and which does not list it" on_crl "$cert"
revoked() {
	scepctl revoke --config "$CONFIG" --reason keyCompromise "$(openssl x509 -in "$cert" -noout -serial | sed 's/.*=//')" >"$T/revoke.log" 2>&1 || return
	for _ in $(seq 20); do
		get_crl
		on_crl "$cert" >"$T/revoked.txt" 2>&1 || break
		sleep 0.5
	done
	grep -q 'certificate revoked' "$T/revoked.txt"
}
claim "$client: ... after scepctl revoke it does" revoked

# ---- GetCACert
ca_certs() { # certs-only PKCS#7: RA, issuing CA, root in this order
	local got
	got=$(curl -sS -o "$T/cacert" -w '%{http_code} %{content_type}' "$URL?operation=GetCACert") && [ "$got" = "200 application/x-x509-ca-ra-cert" ] &&
		openssl pkcs7 -inform DER -in "$T/cacert" -print_certs -out "$T/cacerts.pem" &&
		csplit -sz -f "$T/cacert." "$T/cacerts.pem" '/^subject/' '{*}' &&
		same_certificate "$T/cacert.00" "$RA" && same_certificate "$T/cacert.01" "$ISSUING" && same_certificate "$T/cacert.02" "$ROOT"
}
claim "$client: GetCACert is a certs-only PKCS#7 with RA, issuing CA and root in this order" ca_certs
ra_usage() {
	[ "$(ext "$RA" keyUsage)" = "Digital Signature, Key Encipherment" ] && [ -n "$(ext "$RA" extendedKeyUsage)" ] &&
		[ "$(ext "$RA" basicConstraints)" = "CA:FALSE" ]
}
claim "$client: the RA's certificate has both key usages, an extended key usage and no CA right" ra_usage
claim "$client: ... and verifies up to the root" openssl verify -x509_strict -CAfile "$ROOT" -untrusted "$ISSUING" "$RA"
