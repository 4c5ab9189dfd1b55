#!/usr/bin/env bash
# micromdm's SCEP client: Debian's scepclient as it is, and a client out of the same library with the cipher turned up.
#
# scepclient 2.1.0 always encrypts with single DES and signs with SHA-1, whatever GetCACaps says: its PKCS#7 library has
# these defaults and the program no option for them (upstream's later versions are the same; micromdm/scep pull requests 252
# and 253 would add one).  RFC 8894 forbids DES, and scepd never takes it, so the program itself can only be refused: with a
# signed badAlg, which it verifies and reports.  The enrolments are made by micromdm/main.go: micromdm's library, from
# Debian's package of it, with the library's own cipher setting.
. "$SCEPD_TOP/tests/lib/env.sh"
. "$SCEPD_TOP/tests/interop/common.bash"
. "$SCEPD_TOP/tests/interop/clients.bash"
client="micromdm scepclient"
needs scepclient scep

# scepclient always adds these, and a static challenge's rule has to name all of a subject
mdm_ca() {
	lab_ca "$@"
	REST=",O=scep-client,OU=MDM,C=US" profile mdm
	endpoint mdm mdm "renewal: { window: 100 }" # at any time of a certificate's life
	URL=$SCEPD/scep/mdm
	serve
}
mdm_ca

# ---- the program
mkdir "$T/p"
program() { # DIR NAME CHALLENGE [arguments]
	local dir=$1 name=$2 challenge=$3
	shift 3
	timeout 60 scepclient -server-url "$URL" -private-key "$dir/key.pem" -certificate "$dir/cert.pem" -cn "$name" -challenge "$challenge" \
		-debug "$@" >"$dir/out" 2>&1
}
# It exits 1, says badAlg after checking the reply's signature, and has no certificate
refused_for_des() {
	! program "$@" && [ ! -e "$1/cert.pem" ] && grep -q 'failInfo: badAlg' "$1/out" && nobody_has "$2"
}
fingerprint() { openssl x509 -in "$1" -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr A-F a-f; }
listed() { # it read the three certificates of GetCACert, the RA's first
	grep -q 'msg=cacertlist count=3' "$T/p/out" && grep -q "number=0 .*hash=$(fingerprint "$RA")" "$T/p/out" &&
		grep -q "number=1 .*hash=$(fingerprint "$ISSUING")" "$T/p/out" && grep -q "number=2 .*hash=$(fingerprint "$ROOT")" "$T/p/out"
}
claim "$client: its DES is refused with a signed badAlg, which it verifies and reports" \
	refused_for_des "$T/p" des.lab.contoso.com "$CHALLENGE" -cacert-message "any text"
claim "$client: ... it reads capabilities and all certificates, RA first" listed
claim_log "$client: ... the log names the cipher" http=POST type=19 digest=sha1 result=FAILURE failInfo=0 \
	'reason="content cipher 1.3.14.3.2.7 (DES-CBC) is not taken"'
claim "$client: ... and tells the administrator about AES" hints AES
mkdir "$T/q"
claim "$client: ... also with the RA picked by fingerprint" \
	refused_for_des "$T/q" des2.lab.contoso.com "$CHALLENGE" -ca-fingerprint "$(fingerprint "$RA")"

# ---- the library
client="micromdm library"
if why=$(micromdm_missing); then
	skip_claim "$client: enrols" "$why"
	exit 0
fi
claim "$client: builds" micromdm_build || exit 1
name=mdm.lab.contoso.com
claim "$client: enrols" micromdm_enrol "$T/l" $name "$CHALLENGE"
claim_log "$client: ... over AES and SHA-256" http=POST type=19 cipher=aes128cbc digest=sha256 kt=rsa result=SUCCESS
claim_certificate "$T/l/cert.pem" "$T/l/key.pem" $name
again() { mv "$T/l/cert.pem" "$T/l/first.pem" && micromdm_enrol "$T/l" $name "$CHALLENGE" && same_certificate "$T/l/cert.pem" "$T/l/first.pem"; }
claim "$client: the same CSR again gets the same certificate" again

matrix() { micromdm_enrol "$T/$1-$2" "$1-$2.lab.contoso.com" "$CHALLENGE" -cipher "$1" -digest "$2" && verifies "$T/$1-$2/cert.pem"; }
for row in "aes128 sha1" "aes256 sha384" "aes256 sha512"; do
	read -r cipher digest <<<"$row"
	claim "$client: enrols with $cipher and $digest" matrix "$cipher" "$digest" &&
		claim_log "$client: ... and the log says so" cipher="${cipher}cbc" digest="$digest" result=SUCCESS
done

refused() { # NAME FAILINFO CHALLENGE [arguments]
	local name=$1 why=$2 challenge=$3
	shift 3
	! micromdm_enrol "$T/$name" "$name" "$challenge" "$@" && [ ! -e "$T/$name/cert.pem" ] && grep -q "pkiStatus 2, failInfo $why" "$T/$name/err" &&
		nobody_has "$name"
}
claim "$client: a wrong challenge is refused, signed, as badRequest" refused wrong.lab.contoso.com badRequest not-the-challenge
claim "$client: DES is refused, signed, as badAlg" refused single.lab.contoso.com badAlg "$CHALLENGE" -cipher des
claim "$client: AES-GCM in an EnvelopedData is refused, signed, as badAlg" refused gcm.lab.contoso.com badAlg "$CHALLENGE" -cipher aes128gcm

# Renewal: RenewalReq (17), signed with the certificate that is replaced, for another key
start_tap
URL=$TAP/scep/mdm
renew() { rm -f "$1/new-key.pem" "$1/new-csr.pem" "$1/new-cert.pem"; micromdm_enrol "$1" "${WHO:-$name}" "" -renew "${@:2}"; }
not_renewed() { ! renew "$@" && [ ! -e "$1/new-cert.pem" ] && grep -q "pkiStatus 2, failInfo badRequest" "$1/err"; }
claim "$client: R05: renews by RenewalReq (17), for another key, without a challenge" renew "$T/l"
claim_log "$client: ... and the log says that it is a renewal" http=POST type=17 renewal=1 cipher=aes128cbc digest=sha256 result=SUCCESS
claim_certificate "$T/l/new-cert.pem" "$T/l/new-key.pem" $name
to_the_old() { issued "$T/tap/1.rep" "$T/l/key.pem" >"$T/opened.pem" && same_certificate "$T/opened.pem" "$T/l/new-cert.pem" && ! issued "$T/tap/1.rep" "$T/l/new-key.pem"; }
claim "$client: R06: ... the reply was enveloped to the old certificate's key" to_the_old
mkdir "$T/o" && cp "$T/l/new-key.pem" "$T/o/key.pem" && cp "$T/l/new-cert.pem" "$T/o/cert.pem"
claim "$client: renews with aes256 and sha512" renew "$T/l" -cipher aes256 -digest sha512
claim "$client: DES is refused of a renewal, too" test "$(renew "$T/l" -cipher des; grep -c 'failInfo badAlg' "$T/l/err")" = 1
copied_names() { # signed by a CA of the impostor's that has our CA's name
	mkdir "$T/i" && openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/i/ca.key" -out "$T/i/ca.pem" -days 9 -subj "/O=Contoso/CN=Contoso Issuing CA" 2>/dev/null &&
		openssl genrsa -traditional -out "$T/i/key.pem" 2048 2>/dev/null &&
		openssl req -new -key "$T/i/key.pem" -subj "/C=US/O=scep-client/OU=MDM/CN=$name" -out "$T/i/csr" &&
		openssl x509 -req -in "$T/i/csr" -CA "$T/i/ca.pem" -CAkey "$T/i/ca.key" -days 9 -out "$T/i/cert.pem" \
			-set_serial "0x$(openssl x509 -in "$T/l/cert.pem" -noout -serial | sed 's/.*=//')" 2>/dev/null &&
		not_renewed "$T/i"
}
claim "$client: S06: names and serial number of the issued certificate, signed by somebody else, are refused" copied_names
claim_log "$client: ... and cost no more than a look into the records" type=17 result=FAILURE failInfo=2 step=signer
WHO=other.lab.contoso.com
claim "$client: S07: a renewal for another name is refused" not_renewed "$T/l"
WHO=
mkdir "$T/x" && cp "$T/l/key.pem" "$T/l/cert.pem" "$T/x" && revoke "$T/l/cert.pem" >"$T/revoke.log" || die "a certificate is revoked"
claim "$client: S06: a revoked certificate renews nothing" not_renewed "$T/x"

# A CA with elliptic keys: the RA's key is RSA, so the client notices nothing
stop_scepd
mv "$T/ca" "$T/ca.rsa"
mdm_ca --root-key ec:p384 --issuing-key ec:p256
claim "$client: enrols at a CA with elliptic keys" micromdm_enrol "$T/ec" ec.lab.contoso.com "$CHALLENGE"
claim "$client: ... the certificate verifies" verifies "$T/ec/cert.pem"
claim "$client: S06: a certificate of another server's CA of the same name renews nothing here" not_renewed "$T/o"
