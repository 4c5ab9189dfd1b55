#!/usr/bin/env bash
# refusals: every deviation of a CSR from its profile is found by (simulated) Intune, refused with a signed FAILURE that names the code, and
# leaves no certificate anywhere.
. "$(dirname "$0")/../lib/env.sh"
make_ca
start_intunesim
start_scepd || die "scepd starts"
count() { scepctl list --config "$CONFIG" --json 2>>"$T/claim.log" | grep -c '"serial"'; }
last() { grep ' scep tx=' "$T/scepd.log" | tail -n 1; }
n=0
# refused WHAT CODE DEVICE ARGUMENTS...
refused() {
	local what=$1 code=$2 device=$3 status
	shift 3
	n=$((n + 1))
	scep enroll --intune "$SIM" --device "$device" --out-dir "$T/dev-$n" "$@" >"$T/enroll.out" 2>&1
	status=$?
	if [ $status = 3 ] && grep -q "badRequest: Intune refused the request: $code" "$T/enroll.out" && [ "$(count)" = "$base" ] &&
		[ -z "$(find "$T/dev-$n" -name cert.pem 2>/dev/null)" ] && last | grep -q "intune.code=$code .*hint="; then
		ok "$what: $code, and a hint in the log"
	else
		not_ok "$what: $code, and a hint in the log (status $status)"
		cat "$T/enroll.out" >&2
		last >&2
	fi
}
base=0
refused "another subject" SubjectNameMismatch LAPTOP-7F3K2 --tamper-subject "CN=administrator"
refused "an attribute more in the subject" SubjectNameMismatch Omars-iPhone --tamper-subject "CN=omar.haddad,E=omar.haddad@contoso.com,OU=Admins"
refused "a UPN more" SubjectAltNameMismatch Sorens-MacBook-Pro --tamper-san upn:administrator@contoso.com
refused "a DNS name more" SubjectAltNameMismatch Meis-Pixel-8 --tamper-san dns:dc01.contoso.com
refused "another key size" KeyLengthMismatch LAPTOP-7F3K2 --tamper-key rsa:3072
claim "the simulator counts them as refused" sh -c "curl -fsS '$SIM/sim/report.txt' | grep -q '$n refused by validateRequest'"

# Each platform's manner, each way of sending, ends with the same kind of certificate.
enrolled() { # WHAT DEVICE ARGUMENTS...
	local what=$1 device=$2
	shift 2
	n=$((n + 1))
	claim "$what: enrolled, and the same certificate when it asks again" scep enroll --intune "$SIM" --device "$device" --out-dir "$T/dev-$n" --repeat 2 "$@"
	claim "$what: openssl verifies it" sh -c "openssl verify -CAfile '$T/ca/ca/root.pem' -untrusted '$T/ca/ca/issuing.pem' -x509_strict \$(find '$T/dev-$n' -name cert.pem)"
}
enrolled "Windows" LAPTOP-7F3K2
enrolled "iOS by GET with raw + and /" Omars-iPhone --get
enrolled "Windows with OAEP and SHA-256" LAPTOP-7F3K2 --transport oaep-sha256 --cipher aes256 --digest sha512
enrolled "Android with 3DES and SHA-1" Meis-Pixel-8 --cipher des3 --digest sha1
enrolled "macOS, recipient by key identifier" Sorens-MacBook-Pro --recipient-by-ski
windows=$(find "$T" -path '*Windows-device-certificate/cert.pem' | head -n 1)
text=$(openssl x509 -in "$windows" -noout -text)
has() { claim "the Windows certificate has $1" grep -qE "$2" <<<"$text"; }
has "key usage for both" "Digital Signature, Key Encipherment"
has "EKU for TLS clients" "TLS Web Client Authentication"
has "no CA flag" "CA:FALSE|X509v3 Basic Constraints: critical"
has "the CRL's address" "URI:$SCEPD/crl/issuing.crl"
has "the OCSP responder's address" "OCSP - URI:$SCEPD/ocsp/issuing"
has "the CA certificate's address" "CA Issuers - URI:$SCEPD/ca/issuing.crt"
has "the SID as the URI that Intune put there" "tag:microsoft.com,2022-09-14:sid:S-1-5-21"
claim "it is backdated by a day and ends a year from now" sh -c "
	a=\$(date -d \"\$(openssl x509 -in '$windows' -noout -startdate | sed 's/.*=//')\" +%s)
	b=\$(date -d \"\$(openssl x509 -in '$windows' -noout -enddate | sed 's/.*=//')\" +%s)
	now=\$(date +%s); test \$((now - a)) -ge 86000 && test \$((now - a)) -le 87000 && test \$((b - now)) -ge 31530000 && test \$((b - now)) -le 31540000"
claim "the CA certificate can be fetched" sh -c "curl -fsS '$SCEPD/ca/issuing.crt' | openssl x509 -inform DER -noout -subject | grep -q 'Contoso Issuing CA'"
claim "scepctl check is content" scepctl check --config "$CONFIG"
