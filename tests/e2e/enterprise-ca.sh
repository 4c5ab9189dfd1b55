#!/usr/bin/env bash
# enterprise-ca: CAs that come from elsewhere, served beside the first one: signed by an enterprise root, imported from PKCS#12, bound by name
# constraints, with keys in a token; and the openssl command as the relying party.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/softhsm.sh"
make_ca --static-challenge --static-domain lab.contoso.com --root-key ec:p256 --issuing-key ec:p256
secret=$T/ca/lab.secret
ctl() {
	local sub=$1
	shift
	scepctl ca "$sub" --config "$CONFIG" "$@" >"$T/ctl.out" 2>"$T/ctl.err" && return
	local status=$?
	cat "$T/ctl.err" # into the log of the claim
	return $status
}
# endpoint NAME: one more, of the CA of that name and with a profile of its own, for whoever knows the laboratory's secret
endpoint() {
	sed -i -e "s|^endpoints:|&\n  $1: { ca: $1, profile: $1, challenge: static, challenge_file: lab.secret }|" -e "s|^profiles:|&\n  $1:\n    subject: { allow: [\"CN=*.lab.contoso.com\"] }\n    san: { types: [dns], allow: [\"dns:*.lab.contoso.com\"] }\n    eku: { allow: [clientAuth] }\n    validity: { default: 30d, max: 30d }|" "$CONFIG"
}

# ---- an enterprise root with a policy of its own (openssl ca) signs what scepctl ca csr asks for ----
mkdir -p "$T/ent/new" && : >"$T/ent/index.txt" && echo 1000 >"$T/ent/serial"
cat >"$T/ent/ca.cnf" <<END
[ca]
default_ca = enterprise
[enterprise]
dir = $T/ent
database = $T/ent/index.txt
serial = $T/ent/serial
new_certs_dir = $T/ent/new
certificate = $T/ent/root.pem
private_key = $T/ent/root.key
default_md = sha256
default_days = 1500
policy = contoso_only
x509_extensions = subordinate
copy_extensions = none
[contoso_only]
organizationName = match
commonName = supplied
[subordinate]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
certificatePolicies = 1.3.6.1.4.1.99999.1
END
openssl req -x509 -newkey rsa:3072 -nodes -keyout "$T/ent/root.key" -out "$T/ent/root.pem" -subj "/O=Contoso/CN=Contoso Enterprise Root" -days 3000 \
	-addext keyUsage=critical,keyCertSign,cRLSign 2>>"$T/claim.log" || die "the enterprise root"
sign() { openssl ca -batch -config "$T/ent/ca.cnf" -in "$1" -out "$2" >>"$T/claim.log" 2>&1; }

(umask 077 && echo "correct horse battery" >"$T/passphrase")
claim "ca csr makes a key and a request" ctl csr --name ent --subject "O=Contoso,CN=Contoso Device CA" --passphrase-file "$T/passphrase"
claim "its key is encrypted at rest" grep -q "ENCRYPTED PRIVATE KEY" "$T/ca/ca/ent/issuing.key"
claim "the enterprise root signs it" sign "$T/ca/ca/ent/request.pem" "$T/ent/signed.pem"
claim "ADCS would hand it out as PKCS#7" openssl crl2pkcs7 -nocrl -certfile "$T/ent/signed.pem" -certfile "$T/ent/root.pem" -outform DER -out "$T/ent/signed.p7b"
ctl install --name ent --cert "$T/ent/root.pem" --passphrase-file "$T/passphrase"
claim "another certificate is not installed" grep -q "of another key" "$T/ctl.err"
claim "ca install takes the PKCS#7 and writes the configuration" ctl install --name ent --cert "$T/ent/signed.p7b" --passphrase-file "$T/passphrase" --write
claim "which scepd takes" scepd --config "$CONFIG" --check
endpoint ent

# ---- a CA that was in use before, as Windows backs it up (3DES, RC2) and as openssl does now ----
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/old.key" -out "$T/old.pem" -subj "/O=Contoso/CN=Contoso Old CA" -days 2000 \
	-addext keyUsage=critical,keyCertSign,cRLSign 2>>"$T/claim.log"
(umask 077 && echo sesam >"$T/p12.pass")
openssl pkcs12 -export -legacy -inkey "$T/old.key" -in "$T/old.pem" -passout pass:sesam -out "$T/old.p12" 2>>"$T/claim.log"
openssl pkcs12 -export -inkey "$T/ent/root.key" -in "$T/ent/root.pem" -passout pass:sesam -out "$T/new.p12" 2>>"$T/claim.log"
ctl import --name old --pkcs12 "$T/old.p12" --pkcs12-passphrase-file "$T/passphrase"
claim "a PKCS#12 does not open with another passphrase" grep -q "passphrase is wrong" "$T/ctl.err"
claim "and nothing is left of the attempt" test ! -e "$T/ca/ca/old/issuing.key"
claim "a PKCS#12 of old ciphers is imported" ctl import --name old --pkcs12 "$T/old.p12" --pkcs12-passphrase-file "$T/p12.pass" --write
claim "and one of today's" ctl import --name root2 --pkcs12 "$T/new.p12" --pkcs12-passphrase-file "$T/p12.pass" --dir "$T/root2"
endpoint old

# ---- a CA bound by name constraints ----
claim "ca init makes a CA with name constraints" ctl init --name wifi --org Contoso --kind ec:p256 --root-kind ec:p256 \
	--permit-dns wifi.lab.contoso.com --policy 1.3.6.1.4.1.99999.2,http://contoso.com/cps --write
endpoint wifi

# ---- a CA whose keys never leave a token ----
if make_token ca; then
	claim "ca init makes keys inside a token" ctl init --name hsm --org Contoso --kind ec:p256 --root-kind ec:p256 --key "$TOKEN_URI;object=issuing" \
		--ra-key "$TOKEN_URI;object=ra" --pin-file "$TOKEN_PIN_FILE" --pkcs11-module "$TOKEN_MODULE" --write
	claim "and no key file" sh -c "! ls '$T/ca/ca/hsm/issuing.key' '$T/ca/ca/hsm/ra.key' 2>/dev/null | grep -q ."
	ctl init --name hsm2 --org Contoso --kind ec:p256 --self-signed --key "$TOKEN_URI;object=issuing" --pin-file "$TOKEN_PIN_FILE"
	claim "and overwrites none that is in the token" test $? = 73
	endpoint hsm
	in_token || sed -i "s|^  module: .*|&\n  paths: [$TOKEN_DIR]|" "$CONFIG"
else
	skip_claim "a CA with its keys in a token" "$TOKEN_WHY"
fi

scepctl check --config "$CONFIG" >"$T/check.out" 2>&1
claim "scepctl check opens the keys of them all" test "$(grep -c 'the keys belong to the certificates' "$T/check.out")" = "$(grep -cE '^    certificate:' "$CONFIG")"
scepctl ca show --config "$CONFIG" >"$T/show.out" 2>&1
claim "scepctl ca show knows what the wifi CA permits" grep -q "permits dns:wifi.lab.contoso.com" "$T/show.out"

# ---- several CAs in one server ----
start_scepd || die "scepd starts"
# enrol ENDPOINT HOST: into $T/ENDPOINT
enrol() { scep enroll --force --url "$SCEPD/scep/$1" --out-dir "$T/out-$1" --subject "CN=$2" --san "dns:$2" --challenge-file "$secret" >"$T/enroll.out" 2>&1; }
claim "an endpoint of the enterprise's CA issues" enrol ent pc1.lab.contoso.com
claim "what openssl verifies with the enterprise root alone" openssl verify -x509_strict -purpose sslclient -CAfile "$T/ent/root.pem" \
	-untrusted "$T/out-ent/chain.pem" "$T/out-ent/cert.pem"
claim "an endpoint of the imported CA issues" enrol old pc2.lab.contoso.com
claim "what openssl verifies with the old root" openssl verify -purpose sslclient -CAfile "$T/old.pem" "$T/out-old/cert.pem"
claim "the first CA issues as before" enrol lab pc3.lab.contoso.com
claim "each by its own issuer" test "$(openssl x509 -in "$T/out-lab/cert.pem" -noout -issuer)" != "$(openssl x509 -in "$T/out-ent/cert.pem" -noout -issuer)"
for ca in issuing ent old wifi; do
	claim "the revocation list of $ca is signed by it" sh -c "curl -fsS '$SCEPD/crl/$ca.crl' | openssl crl -inform DER -noout -CAfile '$T/ca/ca/$([ $ca = issuing ] || echo $ca/)issuing.pem'"
done
if [ -n "${TOKEN_PIN_FILE:-}" ] && [ -e "$T/ca/ca/hsm/root.pem" ]; then
	claim "an endpoint of the CA in the token issues" enrol hsm pc4.lab.contoso.com
	claim "what openssl verifies with its root" openssl verify -purpose sslclient -CAfile "$T/ca/ca/hsm/root.pem" -untrusted "$T/out-hsm/chain.pem" "$T/out-hsm/cert.pem"
fi

# ---- names ----
wifi_verifies() { openssl verify -purpose sslclient -CAfile "$T/ca/ca/wifi/root.pem" -untrusted "$T/ca/ca/wifi/issuing.pem" "$1"; }
claim "the wifi CA issues within its name constraints" enrol wifi pc5.wifi.lab.contoso.com
claim "what openssl verifies" wifi_verifies "$T/out-wifi/cert.pem"
enrol wifi pc6.lab.contoso.com
claim "a name outside them is refused, though the profile allows it" test $? = 3
claim "with the reason in the log" grep -q "name constraints: the CA wifi permits no" "$T/scepd.log"
# The same name signed by the CA's key behind scepd's back: what the refusal has spared everybody.
openssl req -newkey rsa:2048 -nodes -keyout "$T/bad.key" -out "$T/bad.csr" -subj /CN=x 2>>"$T/claim.log"
printf 'subjectAltName=DNS:pc6.lab.contoso.com\n' >"$T/bad.ext"
openssl x509 -req -in "$T/bad.csr" -CA "$T/ca/ca/wifi/issuing.pem" -CAkey "$T/ca/ca/wifi/issuing.key" -CAcreateserial -extfile "$T/bad.ext" -days 9 -out "$T/bad.pem" 2>>"$T/claim.log"
wifi_verifies "$T/bad.pem" >"$T/verify.out" 2>&1
claim "openssl verify would refuse it too" grep -q "permitted subtree violation" "$T/verify.out"
claim "no passphrase is in a log" sh -c "! grep -qF 'correct horse' '$T'/*.log '$T/ctl.err' '$T/ctl.out'"
stop_scepd
claim "SIGTERM ends it with status 0" test $? = 0
