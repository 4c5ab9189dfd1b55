#!/usr/bin/env bash
# OCSP as others see it: the openssl program and GnuTLS's ocsptool ask scepd about certificates; curl and a bare socket carry what they
# would send.
. "$SCEPD_TOP/tests/lib/env.sh"
. "$SCEPD_TOP/tests/interop/common.bash"
client=ocsp

lab_ca
# A second CA of the same name, as a rollover has it; what happens in the log, and the numbers.
scepctl init --dir "$T/ca2" --name Contoso --listen "127.0.0.1:$scepd_port" --url "$SCEPD" --root-key rsa:2048 --issuing-key ec:p256 \
	--static-challenge --static-domain lab.contoso.com >"$T/init2.log" 2>&1 || die "a second CA"
N=$T/ca2/ca
sed -i "s,^cas:\$,&\n  next: { certificate: $N/issuing.pem; key: $N/issuing.key; chain: [$N/root.pem]; ra_certificate: $N/ra.pem; ra_key: $N/ra.key }," "$CONFIG"
sed -i '/^  next:/s/;/,/g; s/level: info/level: debug/; s/^#admin:/admin:/; s/^#  address: .*/  address: "127.0.0.1:0"/' "$CONFIG"
profile next
endpoint new next
sed -i '/^  new:/s/issuing/next/' "$CONFIG"
serve
OCSP=$SCEPD/ocsp/issuing
cat "$ISSUING" "$ROOT" >"$T/chain.pem"

# enrol NAME: $T/NAME/cert.pem
enrol() {
	scep enroll --url "$URL" --subject "CN=$1.lab.contoso.com" --challenge-file "$SECRET" --out-dir "$T/$1" >"$T/$1.log" 2>&1 || die "enrol $1"
}
serial() { openssl x509 -in "$T/$1/cert.pem" -noout -serial | sed 's/.*=//'; }
for name in good stolen gone; do enrol $name; done
URL=$SCEPD/scep/new enrol later
scepctl revoke --config "$CONFIG" --reason keyCompromise "$(serial stolen)" >"$T/revoke.log" 2>&1 || die "revoke"

# ---- openssl ocsp
ask() { openssl ocsp -CAfile "$ROOT" -verify_other "$ISSUING" -issuer "$ISSUING" "$@" >"$T/answer.txt" 2>&1; }
says() { grep -q "$1" "$T/answer.txt" || { cat "$T/answer.txt"; return 1; }; }
verified() { says 'Response verify OK' && ! grep -qi warning "$T/answer.txt"; }
is() { # STATUS openssl-arguments: the answer verifies and says so
	local status=$1
	shift
	ask "$@" && verified && says ": $status\$"
}
claim "$client: the certificate names the responder" test "$(openssl x509 -in "$T/good/cert.pem" -noout -ocsp_uri)" = "$OCSP"
claim "$client: openssl: a certificate in use is good" is good -url "$OCSP" -cert "$T/good/cert.pem"
claim "$client: ... asked with SHA-256" is good -url "$OCSP" -sha256 -cert "$T/good/cert.pem"
claim "$client: ... with SHA-384" is good -url "$OCSP" -sha384 -cert "$T/good/cert.pem"
claim "$client: ... with SHA-512" is good -url "$OCSP" -sha512 -cert "$T/good/cert.pem"
claim "$client: ... without a nonce" is good -no_nonce -url "$OCSP" -cert "$T/good/cert.pem"
claim "$client: ... at the URL in any case, with a slash behind it" is good -url "$SCEPD/OCSP/Issuing/" -cert "$T/good/cert.pem"
reason() { is revoked "$@" && says 'Reason: keyCompromise' && says 'Revocation Time: '; }
claim "$client: a certificate that scepctl revoked beside the daemon is revoked, with time and reason" reason -url "$OCSP" -cert "$T/stolen/cert.pem"
claim "$client: a serial number that was never given is unknown" is unknown -url "$OCSP" -serial 0x1234567890ABCDEF1234567890ABCDEF
claim "$client: ... zero, too" is unknown -url "$OCSP" -serial 0
claim "$client: the RA's own certificate is good" is good -url "$OCSP" -cert "$RA"
several() {
	is good -url "$OCSP" -cert "$T/good/cert.pem" -sha256 -cert "$T/stolen/cert.pem" -sha1 -serial 0x4711 && says 'stolen.*: revoked' && says '0x4711: unknown\|4711: unknown'
}
claim "$client: three certificates in one request get an answer each" several
claim "$client: a request that is signed is answered like any other" is good -url "$OCSP" -cert "$T/good/cert.pem" \
	-signer "$T/good/cert.pem" -signkey "$T/good/key.pem"
foreign() { ! openssl ocsp -url "$OCSP" -issuer "$ROOT" -serial 1 >"$T/answer.txt" 2>&1; says 'unauthorized (6)'; }
claim "$client: certificates of a CA that is not ours: unauthorized" foreign
mixed() { ! openssl ocsp -url "$OCSP" -issuer "$ISSUING" -serial 1 -issuer "$ROOT" -serial 1 >"$T/answer.txt" 2>&1; says 'unauthorized (6)'; }
claim "$client: ... also beside one of ours" mixed

# ---- both CAs of a rollover
next() {
	openssl ocsp -CAfile "$N/root.pem" -verify_other "$N/issuing.pem" -issuer "$N/issuing.pem" -cert "$T/later/cert.pem" -url "$1" >"$T/answer.txt" 2>&1
	verified && says ': good$'
}
claim "$client: the other CA answers at its own URL" next "$SCEPD/ocsp/next"
claim "$client: ... at the first one's, too, with its own signature" next "$OCSP"
claim "$client: ... and the first at the other's" is good -url "$SCEPD/ocsp/next" -cert "$T/good/cert.pem"
claim "$client: ... a serial number of the one is unknown to the other" is unknown -url "$OCSP" -serial "0x$(serial later)"
both() { ! openssl ocsp -url "$OCSP" -issuer "$ISSUING" -serial 1 -issuer "$N/issuing.pem" -serial 1 >"$T/answer.txt" 2>&1; says 'unauthorized (6)'; }
claim "$client: ... both in one request: unauthorized" both

# ---- the responder's certificate
responder() {
	openssl ocsp -url "$OCSP" -issuer "$ISSUING" -serial 1 -resp_text -noverify 2>/dev/null | sed -n '/BEGIN CERT/,/END CERT/p' >"$T/responder.pem"
	openssl verify -CAfile "$ROOT" -untrusted "$ISSUING" "$T/responder.pem"
}
claim "$client: the answer holds the responder's certificate, which the issuing CA has signed" responder
for_ocsp_only() { [ "$(ext "$T/responder.pem" extendedKeyUsage)" = "OCSP Signing" ] && openssl x509 -in "$T/responder.pem" -noout -text | grep -q 'OCSP No Check'; }
claim "$client: ... good for OCSP alone, and not to be asked about itself" for_ocsp_only

# ---- GET (RFC 5019 5), caching (RFC 5019 6)
openssl ocsp -issuer "$ISSUING" -cert "$T/good/cert.pem" -no_nonce -reqout "$T/get.req"
openssl ocsp -issuer "$ISSUING" -cert "$T/good/cert.pem" -nonce -reqout "$T/nonce.req"
base64 -w0 "$T/get.req" >"$T/get.b64"
escaped=$(sed 's/+/%2B/g; s,/,%2F,g; s/=/%3D/g' "$T/get.b64")
get() { # URL-TAIL curl-arguments
	local tail=$1
	shift
	[ "$(curl -sS --path-as-is -o "$T/get.rsp" -D "$T/get.head" -w '%{http_code} %{content_type}' "$@" "$SCEPD$tail")" = "200 application/ocsp-response" ] || return
	ask -no_nonce -respin "$T/get.rsp" -cert "$T/good/cert.pem" && verified && says ': good$'
}
header() { tr -d '\r' <"$T/get.head" | sed -n "s/^$1: //p"; }
claim "$client: GET with the request in the path, percent-encoded" get "/ocsp/issuing/$escaped"
claim "$client: ... as base64 has it" get "/ocsp/issuing/$(cat "$T/get.b64")"
claim "$client: ... behind two slashes" get "/ocsp/issuing//$escaped"
claim "$client: ... without padding" get "/ocsp/issuing/$(tr -d = <"$T/get.b64")"
claim "$client: ... by HTTP/1.0 without Host" get "/ocsp/issuing/$escaped" --http1.0 -H Host:
sloppy() { # a certificate whose request has '+' and '/' in base64, which not all have
	local i
	for i in $(seq 400); do
		openssl ocsp -issuer "$ISSUING" -serial "$((RANDOM * 65536 + RANDOM))" -no_nonce -reqout "$T/s.req"
		base64 -w0 "$T/s.req" >"$T/s.b64"
		grep -q '+' "$T/s.b64" && grep -q / "$T/s.b64" && break
	done
	curl -sS --path-as-is -o "$T/s.rsp" "$OCSP/$(cat "$T/s.b64")" && openssl ocsp -respin "$T/s.rsp" -noverify -resp_text | grep -q 'Cert Status: unknown'
}
claim "$client: ... with + and / as they are" sloppy
get "/ocsp/issuing/$escaped"
caching() { [[ $(header Cache-Control) =~ ^max-age=[0-9]+,\ public,\ no-transform,\ must-revalidate$ ]] && [ -n "$(header ETag)" ]; }
claim "$client: a GET without nonce may be cached" caching
rfc_date() { TZ=GMT date -d "$(sed -n "s/^[[:space:]]*$1: //p" "$T/answer.txt" | head -n 1)" '+%a, %d %b %Y %H:%M:%S GMT'; }
updates() {
	[ "$(header Last-Modified)" = "$(LC_ALL=C rfc_date 'This Update')" ] && [ "$(header Expires)" = "$(LC_ALL=C rfc_date 'Next Update')" ]
}
claim "$client: ... from thisUpdate to nextUpdate" updates
same_again() { # the answer is another one every ten seconds, and it may be just then
	for _ in 1 2 3; do
		get "/ocsp/issuing/$escaped" || return
		[ "$(curl -sS -o /dev/null -w '%{http_code}' -H "If-None-Match: $(header ETag)" "$OCSP/$escaped")" = 304 ] && return
	done
	return 1
}
claim "$client: ... and is not sent again to who has it" same_again
no_store() { curl -sS -o /dev/null -D "$T/get.head" "$OCSP/$(base64 -w0 "$T/nonce.req" | sed 's/+/%2B/g; s,/,%2F,g')" && [ "$(header Cache-Control)" = no-store ]; }
claim "$client: a GET with a nonce may not" no_store

# ---- POST, and what is no request
post() { curl -sS -o "$T/post.rsp" -w '%{http_code} %{content_type}' -H 'Content-Type: application/ocsp-request' --data-binary "@$1" "$OCSP"; }
posted() { [ "$(post "$T/nonce.req")" = "200 application/ocsp-response" ] && ask -respin "$T/post.rsp" -reqin "$T/nonce.req" && verified; }
claim "$client: POST: the answer has the request's nonce" posted
bare() { # by hand: HTTP/1.0, POST
	exec 3<>"/dev/tcp/127.0.0.1/$scepd_port" || return
	printf 'POST /ocsp/issuing HTTP/1.0\r\nContent-Length: %d\r\n\r\n' "$(wc -c <"$T/get.req")" >&3
	cat "$T/get.req" >&3
	cat <&3 >"$T/bare"
	exec 3<&-
	head -c 15 "$T/bare" | grep -q 'HTTP/1.1 200 OK' && python3 - "$T/bare" "$T/bare.rsp" <<'PY' && ask -no_nonce -respin "$T/bare.rsp" -cert "$T/good/cert.pem" && verified
import sys
open(sys.argv[2], "wb").write(open(sys.argv[1], "rb").read().split(b"\r\n\r\n", 1)[1])
PY
}
claim "$client: POST by HTTP/1.0 on a bare socket" bare
malformed() { [ "$1" = "200 application/ocsp-response" ] && ! openssl ocsp -respin "$2" -noverify >"$T/answer.txt" 2>&1; says 'malformedrequest (1)'; }
head -c 3000 /dev/urandom >"$T/rubbish"
head -c 100000 /dev/zero >"$T/zeros"
: >"$T/nothing"
rubbish() { malformed "$(post "$T/$1")" "$T/post.rsp"; }
for what in rubbish zeros nothing; do claim "$client: POST of $what: malformedRequest" rubbish $what; done
rubbish_get() { malformed "$(curl -sS -o "$T/get.rsp" -w '%{http_code} %{content_type}' "$OCSP/$1")" "$T/get.rsp"; }
claim "$client: GET of what is no base64: malformedRequest" rubbish_get 'MEow!!!'
claim "$client: GET of what is no request: malformedRequest" rubbish_get 'MAA='
code() { [ "$(curl -sS -o /dev/null -w '%{http_code}' "${@:2}")" = "$1" ]; }
claim "$client: no such CA: 404" code 404 "$SCEPD/ocsp/nobody"
claim "$client: a browser gets 400" code 400 "$OCSP"
claim "$client: PUT gets 405" code 405 -X PUT --data-binary "@$T/get.req" "$OCSP"

# ---- a revocation is out within ten seconds, also where the good answer was in memory
seen() {
	is good -no_nonce -url "$OCSP" -cert "$T/gone/cert.pem" || return
	scepctl revoke --config "$CONFIG" --reason cessationOfOperation "$(serial gone)" >>"$T/revoke.log" 2>&1 || return
	is revoked -url "$OCSP" -cert "$T/gone/cert.pem" || return # with a nonce: at once
	within 15 is revoked -no_nonce -url "$OCSP" -cert "$T/gone/cert.pem"
}
claim "$client: a revocation is seen at once with a nonce, and soon without" seen

# ---- many, and the numbers
signed() { curl -fsS "http://$admin/metrics" | sed -n 's/^scepd_ocsp_signed_total //p'; }
admin=$(sed -n 's/^admin //p' "$T/scepd.ready")
flood() {
	local before after
	curl -sS -o /dev/null "$OCSP/$escaped"
	before=$(signed)
	for _ in $(seq 200); do echo "url = $OCSP/$escaped"; echo "output = /dev/null"; done | curl -sS --parallel --parallel-max 20 -K - || return
	after=$(signed)
	[ $((after - before)) -le 10 ] # one in ten seconds
}
claim "$client: the same question 200 times costs few signatures" flood
number() { sed -n "s/^scepd_ocsp_$1_total //p" "$T/metrics"; }
counted() { curl -fsS "http://$admin/metrics" >"$T/metrics" && [ "$(number requests)" -gt 200 ] && [ "$(number refused)" -ge 5 ]; }
claim "$client: ... requests and refusals are counted" counted
logged() { grep -q ' ocsp .*ca=issuing .*status=revoked' "$T/scepd.log" && grep -q ' ocsp .*result=malformedRequest' "$T/scepd.log"; }
claim "$client: the log tells of answers and of refusals" logged

# ---- strongSwan
online() { pki --verify --in "$T/$1/cert.pem" --cacert "$ROOT" --cacert "$ISSUING" --online >"$T/answer.txt" 2>&1; says "$2"; }
asked() { grep -c ' ocsp .*http=POST' "$T/scepd.log"; }
if command -v pki >/dev/null 2>&1; then
	before=$(asked)
	claim "$client: strongSwan's pki --verify --online: a certificate in use is not revoked" online good 'ocsp response is valid\|not revoked'
	claim "$client: ... one that was revoked is" online stolen 'revoked'
	claim "$client: ... and it did ask" test "$(asked)" -gt "$before"
else
	skip_claim "$client: strongSwan's pki --verify --online" "it is not here (Debian package strongswan-pki)"
fi

# ---- GnuTLS
if command -v ocsptool >/dev/null 2>&1; then
	gnutls() { # CERT WORDS
		ocsptool --ask="$SCEPD/ocsp/issuing" --load-cert "$T/$1/cert.pem" --load-issuer "$ISSUING" --load-trust "$T/chain.pem" >"$T/answer.txt" 2>&1 </dev/null
		says "$2" && says 'Verifying OCSP Response: Success'
	}
	claim "$client: ocsptool: a certificate in use is good" gnutls good 'Certificate Status: good'
	claim "$client: ocsptool: one that was revoked is revoked" gnutls stolen 'Certificate Status: revoked'
	nonce() { ocsptool --nonce --ask="$SCEPD/ocsp/issuing" --load-cert "$T/good/cert.pem" --load-issuer "$ISSUING" --load-trust "$T/chain.pem" >"$T/answer.txt" 2>&1 </dev/null && says 'Nonce: '; }
	claim "$client: ocsptool: ... with a nonce" nonce
else
	skip_claim "$client: ocsptool" "it is not here (Debian package gnutls-bin)"
fi
