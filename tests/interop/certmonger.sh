#!/usr/bin/env bash
# certmonger: the daemon enrols through its scep-submit helper, and scep-submit is run by hand.
#
# It picks algorithms itself from GetCACaps (AES-256 and SHA-256 or better) and sends PKIOperation by GET.
. "$SCEPD_TOP/tests/lib/env.sh"
. "$SCEPD_TOP/tests/interop/common.bash"
. "$SCEPD_TOP/tests/interop/clients.bash"
client=certmonger
submit=$monger_helpers/scep-submit
needs getcert certmonger
needs $submit certmonger

lab_ca
endpoint renew lab "renewal: { window: 100 }"
endpoint readable lab "no_content: empty"
echo "  asks: { ca: issuing, profile: lab, challenge: approval, no_content: empty }" >>"$CONFIG"
serve

# ---- the daemon
D=$T/certmonger
mkdir -p "$D"
# at ENDPOINT: the CA that is asked from now on
at() { ca=at-$1 CA_URL=$SCEPD/scep/$1; }
# ask ID NAME CHALLENGE-FILE: one certificate of CA $ca, waited for; getcert's words in $D/ID.out, the end state in $D/ID.list
at lab
ask() {
	cat >"$D/ask.sh" <<END
getcert list-cas -c $ca 2>/dev/null | grep -q scep-submit || getcert add-scep-ca -c $ca -u "$CA_URL"
getcert request -c $ca -I $1 -k "$D/$1.key" -f "$D/$1.pem" -F "$D/$1.chain" -N "CN=$2" -D "$2" -l "$3" -w --wait-timeout=60 >"$D/$1.out" 2>&1
getcert list -i $1 >"$D/$1.list" 2>&1
END
	with_daemon "$D/ask.sh"
}
got() { ask "$@" && [ -s "$D/$1.pem" ] && grep -q 'status: MONITORING' "$D/$1.list"; }
has_san() { [ "$(ext "$1" subjectAltName)" = "DNS:$2" ]; }
name=node.lab.contoso.com
claim "$client: the daemon finds out what the CA can do and enrols" got first $name "$SECRET"
claim_log "$client: ... by GET, over AES and SHA-256" http=GET type=19 cipher=aes256cbc digest=sha256 kt=rsa result=SUCCESS
claim_certificate "$D/first.pem" "$D/first.key" $name
claim "$client: ... has the alternative name asked for" has_san "$D/first.pem" $name

# A refusal carries no content, as RFC 8894 3.3.2.2 wants it; scep-submit's OpenSSL call takes that for an error, so that
# the daemon says "failed to verify signature" and asks again later instead of CA_REJECTED.  `no_content: empty` helps.
printf not-the-challenge >"$D/wrong.secret"
refused() {
	ask wrong wrong.lab.contoso.com "$D/wrong.secret"
	[ ! -e "$D/wrong.pem" ] && nobody_has wrong.lab.contoso.com && grep -q 'status: CA_\(REJECTED\|UNREACHABLE\)' "$D/wrong.list" &&
		grep -q 'ca-error: ' "$D/wrong.list"
}
claim "$client: a wrong challenge gets no certificate, and the daemon says so" refused
claim_log "$client: ... and the log names the step" http=GET result=FAILURE failInfo=2 step=auth

at readable
told() {
	ask told told.lab.contoso.com "$D/wrong.secret"
	[ ! -e "$D/told.pem" ] && nobody_has told.lab.contoso.com && grep -q 'status: CA_REJECTED' "$D/told.list" &&
		grep -q 'ca-error: Transaction either is not permitted or is not supported' "$D/told.list" # its words for badRequest
}
claim "$client: Q54: with an empty content instead of none it can read the refusal: CA_REJECTED" told

# ---- PENDING: an administrator decides, and it asks again by the same PKCSReq (though it has made a CertPoll, too)
at asks
waits() {
	cat >"$D/waits.sh" <<END
getcert add-scep-ca -c $ca -u "$CA_URL"
getcert request -c $ca -I waits -k "$D/waits.key" -f "$D/waits.pem" -N CN=waits.lab.contoso.com -D waits.lab.contoso.com
for i in \$(seq 600); do [ -e "$D/approved" ] && break; sleep 0.1; done
timeout 30 getcert list -i waits >"$D/pending.list" 2>&1
for i in 1 2 3 4 5; do
	timeout 30 getcert refresh -i waits
	for j in \$(seq 100); do [ -s "$D/waits.pem" ] && break 2; sleep 0.1; done
done
sleep 1
END
	(decide approve waits.lab.contoso.com --yes && touch "$D/approved") >"$T/decide.log" 2>&1 &
	with_daemon "$D/waits.sh"
	wait $!
	grep -q 'status: CA_WORKING' "$D/pending.list" && [ -s "$D/waits.pem" ]
}
claim "$client: R33: it waits while PENDING, and has its certificate when an administrator has approved" waits
claim_log "$client: ... by the same PKCSReq again" http=GET type=19 result=SUCCESS
claim_certificate "$D/waits.pem" "$D/waits.key" waits.lab.contoso.com

# ---- renewal: a PKCSReq (19) signed with the issued certificate, and the challenge again if it knows one
# then_do ID NAME COMMANDS: in one run of the daemon, ask for certificate ID, and do what follows
then_do() {
	cat >"$D/then.sh" <<END
# getcert waits for a request, but not for a renewal: until there is another certificate.  (Many calls of getcert would not do: on a
# private socket the daemon sometimes stops hearing after one.)
until_renewed() {
	for i in \$(seq 300); do
		cmp -s "$D/$1.pem" "$D/$1.first.pem" || break
		sleep 0.1
	done
}
getcert add-scep-ca -c $ca -u "$CA_URL"
getcert request -c $ca -I $1 -k "$D/$1.key" -f "$D/$1.pem" -N "CN=$2" -D "$2" -l "$SECRET" -w --wait-timeout=60
cp "$D/$1.pem" "$D/$1.first.pem"; cp "$D/$1.key" "$D/$1.first.key"
$3
sleep 1
END
	with_daemon "$D/then.sh" && [ -s "$D/$1.pem" ] && [ -s "$D/$1.first.pem" ]
}
in_place() { ! same_certificate "$D/$1.pem" "$D/$1.first.pem"; }
renewed() { then_do "$1" "$2" "$3 -i $1; until_renewed" && in_place "$1"; }
at renew
issued_anew() { grep -E "CN=$1.* type=19 renewal=1 .*result=SUCCESS|type=19 renewal=1 .*CN=$1.*result=SUCCESS" "$T/scepd.log"; }
# claim_renewed CLAIM ID NAME COMMAND: a daemon that did not write down in time what it was sent says nothing about the server, whose log does
claim_renewed() {
	if ! renewed "$2" "$3" "$4" && issued_anew "$3" >>"$T/claim.log"; then
		skip_claim "$1" "certmonger's daemon was sent the certificate and did not write it within 30 s, as happens on its private socket"
	else
		claim "$1" in_place "$2"
	fi
}
claim_renewed "$client: Q39: 'getcert resubmit' renews, for the same key" same same.lab.contoso.com 'getcert resubmit'
claim_log "$client: ... by PKCSReq under the issued certificate, and the log says that it is a renewal" http=GET type=19 renewal=1 result=SUCCESS
claim_certificate "$D/same.pem" "$D/same.key" same.lab.contoso.com
claim "$client: ... the key is the old one" same_key "$D/same.pem" "$D/same.first.key"
claim_renewed "$client: 'getcert rekey' renews, for another key" rekey rekey.lab.contoso.com 'getcert rekey'
claim_log "$client: ... and the log says so" http=GET type=19 renewal=1 result=SUCCESS
claim_certificate "$D/rekey.pem" "$D/rekey.key" rekey.lab.contoso.com
another_key() { ! same_key "$D/rekey.pem" "$D/rekey.first.key"; }
in_place rekey && claim "$client: ... the key is another one" another_key

# ---- scep-submit by hand
client=scep-submit
capabilities() { $submit -u "$URL" -c >"$D/caps" && diff <(sed '/^$/d' "$D/caps") <(curl -fsS "$URL?operation=GetCACaps"); }
claim "$client: -c prints the capabilities" capabilities
ca_certificates() { # the RA's, the self-signed one, then the others
	$submit -u "$URL" -C >"$D/certs.pem" || return
	csplit -sz -f "$D/got." "$D/certs.pem" '/BEGIN CERTIFICATE/' '{*}'
	same_certificate "$D/got.00" "$RA" && same_certificate "$D/got.01" "$ROOT" && same_certificate "$D/got.02" "$ISSUING"
}
claim "$client: -C prints RA and CA certificates" ca_certificates

# The PKCSReq that the daemon made stays in its state: a ready message (of the first request: the files have no order)
sed -n '/^scep_req=/,/END/p' $(grep -lx 'id=first' "$D"/requests/*) | sed 's/^scep_req=//; s/^ //; /END/q' >"$D/message.pem"
send() { # URL OUT: 0 when the server gave a certificate; the PKCS#7 that holds it is in OUT
	timeout 60 $submit -u "$1" -r "$RA" -N "$ROOT" -I "$ISSUING" -p "$D/message.pem" >"$2" 2>&1
}
open_it() { # what came, opened with the client's key by openssl
	openssl cms -decrypt -inform PEM -in <(sed -n '/BEGIN/,/END/p' "$1") -inkey "$D/first.key" -outform DER 2>/dev/null |
		openssl pkcs7 -inform DER -print_certs | openssl x509
}
sent() { send "$URL" "$D/sent" && open_it "$D/sent" >"$D/sent.pem" && same_certificate "$D/sent.pem" "$D/first.pem"; }
claim "$client: -p sends the daemon's message again and gets the same certificate" sent

# ---- a CA with elliptic keys: only the RA's is RSA
client=certmonger
stop_scepd
mv "$T/ca" "$T/ca.rsa"
lab_ca --root-key ec:p384 --issuing-key ec:p256
serve
at lab
ca=elliptic
claim "$client: enrols at a CA with elliptic keys" got curve curve.lab.contoso.com "$SECRET"
claim "$client: ... the certificate verifies" verifies "$D/curve.pem"
