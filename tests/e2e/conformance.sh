#!/usr/bin/env bash
# conformance: rows of docs/conformance.md that no other test is about; each claim begins with the row's id.
. "$(dirname "$0")/../lib/env.sh"
. "$SCEPD_TOP/tests/interop/common.bash"
client=conformance
lab_ca
for shape in ca ra+ca ra+chain ra+chain+root; do endpoint "shape-${shape//+/-}" lab "getcacert: $shape"; done
endpoint default lab "getcacert: ra+chain+root" # what /certsrv/mscep is
tls_port=$(free_port "$scepd_port") || die "free port"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/ca/tls.key" -out "$T/ca/tls.pem" -days 2 -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 >"$T/tls.log" 2>&1 || die "a certificate for HTTPS"
chmod 600 "$T/ca/tls.key"
sed -i "s|^listeners:\$|&\n  - { address: \"127.0.0.1:$tls_port\", certificate: tls.pem, key: tls.key }|; s|level: info|level: debug|" "$CONFIG"
serve
HTTPS=https://127.0.0.1:$tls_port/scep/lab
get() { curl -fsS -m 20 "$@"; }
# enrol DIR NAME [arguments]: by our own client; its words are in $T/DIR.out
enrol() {
	local dir=$1 name=$2
	shift 2
	scep enroll --url "$URL" --subject "CN=$name.lab.contoso.com" --out-dir "$T/$dir" "$@" >"$T/$dir.out" 2>&1
}
refused() { enrol "$@"; [ $? = 3 ] && [ ! -e "$T/$1/cert.pem" ]; }
serials() { scepctl list --config "$CONFIG" --match "*$1*" --json | grep -c '"serial"'; }

# ---- GetCACaps
get "$URL?operation=GetCACaps" >"$T/caps" || die "GetCACaps"
listed() { for w in AES DES3 SHA-1 SHA-256 SHA-512 Renewal POSTPKIOperation SCEPStandard; do grep -qxF "$w" <(tr -d '\r' <"$T/caps") || return 1; done; }
claim "Q14, R37: GetCACaps lists what every platform looks for, in the RFC's letters" listed
no_others() { ! grep -vxE 'AES|DES3|SHA-1|SHA-256|SHA-384|SHA-512|Renewal|POSTPKIOperation|SCEPStandard|GetNextCACert' <(tr -d '\r' <"$T/caps"); }
claim "Q16: ... and nothing else: neither DES nor MD5" no_others
one_ending() { # every line ends in LF, or every line in CRLF, the last one too
	local lines crlf
	lines=$(wc -l <"$T/caps") crlf=$(grep -c $'\r$' "$T/caps")
	[ "$lines" -ge 8 ] && { [ "$crlf" = 0 ] || [ "$crlf" = "$lines" ]; } && [ "$(tail -c 1 "$T/caps" | xxd -p)" = 0a ]
}
claim "Q18: its lines all end the same way" one_ending
while_signer_hangs() {
	local signer status
	signer=$(process_of signer)
	kill -STOP "$signer" # for 25 s at the most it is left alone
	get -m 9 "$URL?operation=GetCACaps" | cmp - "$T/caps" && get -m 9 -o /dev/null "$URL?operation=GetCACert"
	status=$?
	kill -CONT "$signer"
	return $status
}
claim "Q16: GetCACaps and GetCACert are answered while the signer hangs" while_signer_hangs

# ---- GetCACert
shape() { # SHAPE TYPE FILE...: exactly these certificates in this order
	local type f n=0
	type=$(curl -fsS -o "$T/shape" -w '%{content_type}' "$SCEPD/scep/shape-$1?operation=GetCACert") && [ "$type" = "$2" ] || return
	shift 2
	rm -f "$T"/shape.*
	if [ $# = 1 ]; then
		openssl x509 -inform DER -in "$T/shape" -out "$T/shape.00" || return
	else
		openssl pkcs7 -inform DER -in "$T/shape" -print_certs -out "$T/shapes" && csplit -sz -f "$T/shape." "$T/shapes" '/^subject/' '{*}' || return
	fi
	[ "$(ls "$T"/shape.[0-9]* | wc -l)" = $# ] || return
	for f; do
		same_certificate "$T/shape.0$n" "$f" || return
		n=$((n + 1))
	done
}
claim "R02, Q19: a CA alone is a bare certificate of type x-x509-ca-cert" shape ca application/x-x509-ca-cert "$ISSUING"
claim "R02, Q20: RA and CA are certs-only of type x-x509-ca-ra-cert" shape ra-ca application/x-x509-ca-ra-cert "$RA" "$ISSUING"
claim "Q20: ... with the chain without the root, where that is configured" shape ra-chain application/x-x509-ca-ra-cert "$RA" "$ISSUING"
claim "Q20, Q27: ... with the root, in this order" shape ra-chain-root application/x-x509-ca-ra-cert "$RA" "$ISSUING" "$ROOT"

# ---- enrolments
claim "Q59: a device enrols" enrol first twin --challenge-file "$SECRET"
claim "Q59: another one of the same name does, too" enrol second twin --challenge-file "$SECRET"
claim "Q59: ... and both certificates are valid" test "$(serials twin)" = 2
claim "R47: a device that lost everything but its name gets another certificate" enrol third twin --challenge-file "$SECRET" --transaction-id lost-the-reply
not_opened() { ! enrol to-ca to-ca --challenge-file "$SECRET" --server-certs "$ISSUING" && [ "$(serials to-ca)" = 0 ]; }
claim "R48: a message enveloped to the CA itself is not opened" not_opened
claim_log "R48: ... it is refused before any key is used" result=FAILURE step=recipient
URL=$HTTPS
claim "R51: over HTTPS a device without the challenge is refused like any other" refused tls-none tls --ca-file "$T/ca/tls.pem"
(umask 077 && printf 'not-the-challenge' >"$T/wrong.secret")
claim "R51: ... and one with another challenge" refused tls-wrong tls --ca-file "$T/ca/tls.pem" --challenge-file "$T/wrong.secret"
claim "R51: ... while the right one is taken" enrol tls tls --ca-file "$T/ca/tls.pem" --challenge-file "$SECRET"
URL=$SCEPD/scep/lab

# ---- nothing but SCEP
plain_words() { # STATUS URL: text without a way elsewhere
	local got
	got=$(curl -sS -m 10 -o "$T/body" -D "$T/head" -w '%{http_code} %{content_type}' "$2") && [[ $got == "$1 text/plain"* ]] &&
		! grep -qi '^location:' "$T/head" && ! grep -qi '<html' "$T/body"
}
no_redirect() {
	plain_words 403 "$URL" && plain_words 403 "$SCEPD/certsrv/mscep/mscep.dll" && plain_words 400 "$URL?operation=nothing" &&
		plain_words 404 "$SCEPD/scep/nobody?operation=GetCACaps" && plain_words 400 "$URL?operation=PKIOperation"
}
claim "Q11: nothing on the SCEP path is a redirect or HTML" no_redirect

# ---- who asks
get -H 'X-Forwarded-For: 203.0.113.9' -H 'Forwarded: for=203.0.113.9' -H 'X-Real-IP: 203.0.113.9' -H 'X-SSL-Client-Cert: any' -A S31 \
	"$URL?operation=GetCACaps" >/dev/null
own_address() { grep 'ua=S31' "$T/scepd.log" | grep -q ' ip=127.0.0.1 ' && ! grep -q '203\.0\.113\.9' "$T/scepd.log"; }
claim "S31: what a proxy's headers say is not believed" own_address

# ---- what the log may not hold (it is at level debug)
message=$(printf 'MIIsecret%.0s' $(seq 200))
curl -s -o /dev/null "$URL?operation=PKIOperation&message=$message"
claim "S32: the challenge is not in the log, at level debug either" sh -c "grep -q 'level: debug' '$CONFIG' && ! grep -qF '$CHALLENGE' '$T/scepd.log'"
claim "S32: ... nor the message of a GET" sh -c "! grep -q 'MIIsecretMIIsecret' '$T/scepd.log'"

# ---- revocation lists
raw_crl() { # HTTP/1.0 without Host, as old RADIUS servers ask
	exec 3<>"/dev/tcp/127.0.0.1/$scepd_port" && printf 'GET /crl/issuing.crl HTTP/1.0\r\n\r\n' >&3 && timeout 10 cat <&3 >"$T/raw"
	exec 3>&-
	head -n 1 "$T/raw" | grep -q ' 200' && sed '1,/^\r$/d' "$T/raw" | openssl crl -inform DER -noout -CAfile "$ISSUING"
}
claim "Q61: the revocation list is there for HTTP/1.0 without Host" raw_crl
