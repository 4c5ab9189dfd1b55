#!/usr/bin/env bash
# A CA whose keys sign messages instead of digests: nothing between the command that makes it and a device's certificate assumes RSA or EC.
. "$(dirname "$0")/../lib/env.sh"
in_token && { skip_claim "a CA of Ed25519 or ML-DSA" "scepd uses RSA and EC keys of tokens"; exit 0; }

port=$(free_port) || die "free port"
URL=http://127.0.0.1:$port
scepctl init --dir "$T/ca" --name Lab --root-key ed25519 --issuing-key ed25519 --static-challenge --static-domain lab.example \
	--listen "127.0.0.1:$port" --url "$URL" >"$T/init.log" 2>&1 || die "scepctl init makes an Ed25519 CA"
CONFIG=$T/ca/scepd.yaml
start_scepd || die "scepd starts with an Ed25519 CA"
claim "a device gets a certificate of an Ed25519 CA" \
	scep enroll --url "$URL/scep/lab" --subject CN=a.lab.example --challenge-file "$T/ca/lab.secret" --out-dir "$T/out"
claim "openssl verifies it up to the root" \
	openssl verify -CAfile "$T/ca/ca/root.pem" -untrusted "$T/ca/ca/issuing.pem" "$T/out/cert.pem"
signed_by() { openssl x509 -in "$1" -noout -text | grep -q "Signature Algorithm: ED25519"; }
claim "it is signed with Ed25519" signed_by "$T/out/cert.pem"
crl_verifies() {
	local url
	url=$(openssl x509 -in "$T/out/cert.pem" -noout -ext crlDistributionPoints | sed -n 's/.*URI://p' | head -n 1)
	curl -sf "$url" -o "$T/crl" && openssl crl -inform DER -in "$T/crl" -CAfile "$T/ca/ca/issuing.pem" -noout 2>&1 | grep "verify OK"
}
claim "its revocation list verifies" crl_verifies
words=$(scepctl init --help)
case $words in
*ed25519*ml-dsa-65*) ok "the help names the kinds of key" ;;
*) not_ok "the help names the kinds of key" ;;
esac
if scepctl init --dir "$T/pq" --name Lab --root-key ml-dsa-65 --issuing-key ml-dsa-65 --static-challenge >"$T/pq.log" 2>&1; then
	claim "an ML-DSA CA is made" openssl verify -CAfile "$T/pq/ca/root.pem" "$T/pq/ca/issuing.pem"
elif grep -q "not in this OpenSSL" "$T/pq.log"; then
	ok "an OpenSSL without ML-DSA is named as the reason"
	skip_claim "an ML-DSA CA is made" "this OpenSSL has no ML-DSA; 3.5 has"
else
	not_ok "an ML-DSA CA is made"
	cat "$T/pq.log" >&2
fi
