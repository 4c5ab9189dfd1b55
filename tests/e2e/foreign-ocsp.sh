#!/usr/bin/env bash
# foreign-ocsp: CAs that are not ours (openssl ca, RSA and EC): a responder's request, its certificate, and what openssl, GnuTLS and strongSwan make of the answers; and a
# responder that has ended, is another's, or has another key.  Certificates are put into the database as an import would.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/relying.sh"
. "$(dirname "$0")/../lib/foreign.sh"
umask 077
admin_port=$(free_port) || die "a free port"
lab_ca --admin "127.0.0.1:$admin_port"
if in_token; then where="the key in a token" secret="pin_file: $TOKEN_PIN_FILE"; else where="the key in a file" secret="passphrase_file: $T/passphrase"; fi
key_of() { if in_token; then echo "$TOKEN_URI;object=$1-ocsp"; else echo "foreign/$1.key"; fi; }
echo "correct horse battery" >"$T/passphrase"

# ---- the other CAs ----
other_ca old rsa:2048 && other_ca ez ec -pkeyopt ec_paramgen_curve:P-256 || die "other CAs"
for ca in old ez; do for name in fine stolen stranger; do leaf $ca $name || die "a certificate of CA $ca"; done; done
cat >>"$CONFIG" <<EOC
foreign_cas:
  old: { certificate: $T/old/ca.pem, ocsp_certificate: foreign/old.pem, ocsp_key: "$(key_of old)", $secret }
  ez: { certificate: $T/ez/ca.pem, ocsp_certificate: foreign/ez.pem, ocsp_key: "$(key_of ez)", $secret, ocsp_validity: 10m, not_imported: good }
  silent: { certificate: $T/silent/ca.pem }
EOC
other_ca silent ec -pkeyopt ec_paramgen_curve:P-256 || die "a third CA"

says() { "${@:2}" >"$T/said" 2>&1 </dev/null; cat "$T/said"; grep -qE -e "$1" "$T/said"; }
fails() { "${@:2}" >"$T/said" 2>&1 </dev/null && { cat "$T/said"; return 1; }; cat "$T/said"; grep -qE -e "$1" "$T/said"; }
check() { scepctl check --config "$CONFIG"; }
csr() { scepctl foreign csr "$@" --config "$CONFIG"; }
install() { scepctl foreign install "$@" --config "$CONFIG"; }

# ---- request and certificate ----
claim "a request is made, $where" csr old
claim "and one of another kind" csr ez --key ec:p256 --out "$T/ez.csr"
claim "the key that is there is used again" sh -c "openssl req -in '$T/ca/foreign/old.pem.csr' -noout -pubkey >'$T/pub1' && scepctl foreign csr old --config '$CONFIG' && openssl req -in '$T/ca/foreign/old.pem.csr' -noout -pubkey | cmp - '$T/pub1'"
json_says() { python3 -c 'import json,sys; a = json.load(open(sys.argv[1])); got = str(eval(sys.argv[3])); print(got); sys.exit(got != sys.argv[2])' "$T/json" "$1" "$2"; }
claim "what was made is told as JSON" sh -c "scepctl foreign csr old --json --config '$CONFIG' >'$T/json'"
claim "... and that the key was there" json_says "('old', 'rsa2048', False, True)" '(a["ca"], a["kind"], a["made"], a["request"].endswith("foreign/old.pem.csr"))'
claim "unless another kind is wanted" fails 'there already, and it is ec-p256' csr ez --key rsa:2048
claim "the request is for OCSPSigning, and for nocheck" sh -c "openssl req -in '$T/ca/foreign/old.pem.csr' -noout -text -verify >'$T/text' 2>&1 && grep -q 'OCSP Signing' '$T/text' && grep -q 'OCSP No Check' '$T/text' && grep -q 'CN = Contoso old CA OCSP responder (scepd)' '$T/text'"
in_token || claim "the key is the owner's alone, and encrypted" sh -c "test \$(stat -c %a '$T/ca/foreign/old.key') = 600 && grep -q ENCRYPTED '$T/ca/foreign/old.key'"
claim "check tells what is missing" says 'warn .*foreign/old.pem does not exist' check
claim "check tells of one without a responder" says 'ok .*silent.*verdicts about its certificates, no OCSP' check
start_scepd || die "scepd starts between request and certificate"
for ca in old ez; do imported $ca fine && imported $ca stolen 1 || die "certificates of CA $ca in the database"; done
ask() { # CA NAME [openssl ocsp arguments]
	openssl ocsp -CAfile "$T/$1/ca.pem" -issuer "$T/$1/ca.pem" -cert "$T/$1/$2.pem" -url "$SCEPD/ocsp/$1" "${@:3}"
}
enrol ours
ours() { openssl ocsp -CAfile "$ROOT" -issuer "$ISSUING" -cert "$T/ours/cert.pem" -url "$SCEPD/ocsp/issuing" 2>&1 | grep -q 'cert.pem: good'; }
claim "until there is a certificate, who asks about that CA is sent away" says 'unauthorized' ask old fine
claim "and who asks about ours is answered" ours
signed_by old "$T/ca/foreign/old.pem.csr" "$T/old/responder.pem" responder || die "the responder of CA old is certified"
signed_by ez "$T/ez.csr" "$T/ez/responder.pem" responder || die "the responder of CA ez is certified"
signed_by ez "$T/ca/foreign/old.pem.csr" "$T/other.pem" responder || die "the responder of CA old is certified by another CA"
claim "a certificate of another CA is not installed" fails 'was not signed by that CA' install old "$T/other.pem"
claim "nor one of a device" fails 'no certificate for the key' install old "$T/old/fine.pem"
claim "nor is there anything at its place" test ! -e "$T/ca/foreign/old.pem"
openssl crl2pkcs7 -nocrl -certfile "$T/old/ca.pem" -certfile "$T/old/responder.pem" -out "$T/old.p7b" || die "PKCS#7"
claim "the certificate is installed, out of a PKCS#7 with the CA's" install old "$T/old.p7b"
claim "and that of CA ez, told as JSON" sh -c "scepctl foreign install ez '$T/ez/responder.pem' --json --config '$CONFIG' >'$T/json'"
claim "... with its number and where relying parties ask" json_says "('ez', True, True, True)" '(a["ca"], a["ocspNocheck"], a["url"].endswith("/ocsp/ez"), len(a["serial"]) > 8)'
kill -HUP "$scepd_pid"
claim "scepd takes it without a restart" within 20 says 'fine.pem: good' ask old fine
claim "check has nothing against the responders" sh -c "scepctl check --config '$CONFIG' >'$T/said'; ! grep -E '^(warn|fail) +(old|ez) ' '$T/said' | grep -vE 'was imported|list is not read'"

# ---- answers ----
for ca in old ez; do
	claim "$ca: openssl ocsp: good" says 'fine.pem: good' ask $ca fine
	claim "$ca: revoked, for the reason in the database" says 'Reason: keyCompromise' ask $ca stolen
	claim "$ca: the answer verifies by that CA alone" says 'Response verify OK' ask $ca stolen
	claim "$ca: with a nonce, too" sh -c "openssl ocsp -nonce -CAfile '$T/$ca/ca.pem' -issuer '$T/$ca/ca.pem' -cert '$T/$ca/fine.pem' -url '$SCEPD/ocsp/$ca' 2>&1 | grep -q good"
	claim "$ca: whatever URL it is asked at" says 'fine.pem: good' openssl ocsp -CAfile "$T/$ca/ca.pem" -issuer "$T/$ca/ca.pem" -cert "$T/$ca/fine.pem" -url "$SCEPD/ocsp/issuing"
	gnutls() { ocsptool --ask="$SCEPD/ocsp/$ca" --load-cert "$T/$ca/$1.pem" --load-issuer "$T/$ca/ca.pem" --load-trust "$T/$ca/ca.pem"; }
	claim "$ca: ocsptool: good" says 'Certificate Status: good' gnutls fine
	claim "$ca: ocsptool: revoked" says 'Certificate Status: revoked' gnutls stolen
	swan() { STRONGSWAN_CONF=$T/no-crl.conf pki --verify --in "$T/$ca/$1.pem" --cacert "$T/$ca/ca.pem" --online; }
	printf 'pki {\n plugins {\n  revocation {\n   enable_crl = no\n  }\n }\n}\n' >"$T/no-crl.conf"
	claim "$ca: strongSwan, at the address in the certificate: good" says 'certificate status is good' swan fine
	claim "$ca: strongSwan: revoked" fails 'reason: key compromise' swan stolen
done
claim "what nobody has imported is unknown" says 'stranger.pem: unknown' ask old stranger
claim "or good, if so configured" says 'stranger.pem: good' ask ez stranger
ask ez fine >"$T/answer" 2>/dev/null
update() { sed -n "s/^.*$1 Update: //p" "$T/answer" | date -f - +%s; }
claim "an answer holds as long as configured, and begins five minutes earlier" test $(($(update Next) - $(update This))) = 900
claim "one without a responder is none" says 'unauthorized|404|Error querying' openssl ocsp -issuer "$T/silent/ca.pem" -serial 1 -url "$SCEPD/ocsp/silent"
claim "their lists and certificates are not ours to serve" sh -c "for p in crl/old.crl ca/old.crt; do test \$(curl -s -o /dev/null -w '%{http_code}' '$SCEPD/'\$p) = 404 || exit 1; done"
kill -9 "$(process_of signer)"
claim "a signer that is started again answers as before" within 20 says 'fine.pem: good' ask old fine
claim "ours is answered, too" ours

# ---- a certificate that is exchanged ----
signed_by old "$T/ca/foreign/old.pem.csr" "$T/old/next.pem" responder -days 40 || die "the next certificate"
claim "the next certificate is installed" install old "$T/old/next.pem"
kill -HUP "$scepd_pid"
# carries FILE: an answer about CA old has the certificate in it
carries() {
	ask old fine -respout "$T/resp.der" >/dev/null 2>&1 &&
		python3 -c 'import ssl, sys; sys.exit(ssl.PEM_cert_to_DER_cert(open(sys.argv[1]).read()) not in open(sys.argv[2], "rb").read())' "$1" "$T/resp.der"
}
claim "and its answers carry it" within 20 carries "$T/old/next.pem"
metric() { curl -fsS "http://127.0.0.1:$admin_port/metrics" | sed -n "s/^$1 //p"; }
end_is() { test "$(metric 'scepd_certificate_not_after_seconds{what="foreign-ocsp",name="old"}')" = "$(date -d "$(openssl x509 -in "$1" -noout -enddate | cut -d= -f2)" +%s)"; }
claim "metrics have its end" within 20 end_is "$T/old/next.pem"
claim "and that of its CA" test -n "$(metric 'scepd_certificate_not_after_seconds{what="foreign-ca",name="old"}')"
claim "answers about foreign certificates are counted, and ours not among them" test "$(metric scepd_ocsp_foreign_signed_total)" -lt "$(metric scepd_ocsp_signed_total)"
cp "$T/other.pem" "$T/ca/foreign/old.pem" && kill -HUP "$scepd_pid"
claim "one that does not fit is told of" within 20 grep -q 'foreign-responder.*not signed by that CA' "$T/scepd.log"
refusals() { grep -c 'foreign-responder.*not signed by that CA' "$T/scepd.log"; }
for _ in 1 2 3; do kill -HUP "$scepd_pid"; sleep 0.5; done
claim "... once" test "$(refusals)" = 1
claim "and the one before stays in use" says 'fine.pem: good' ask old fine
cp "$T/ca/foreign/old.pem" "$T/other.now" && echo "not a certificate" >"$T/ca/foreign/old.pem" && kill -HUP "$scepd_pid"
claim "one that cannot be read is told of, too" within 20 grep -q 'foreign-responder.*old.pem: holds no certificate' "$T/scepd.log"
claim "... and the one before stays in use" says 'fine.pem: good' ask old fine
cp "$T/other.now" "$T/ca/foreign/old.pem"
stop_scepd
start_scepd && not_ok "scepd starts with a responder that another CA has certified"
claim "at the start it is refused with its name" grep -q 'OCSP responder of foreign CA old: .*foreign/old.pem: it was not signed by that CA' "$T/scepd.log"
claim "check says so too" fails 'fail .*old .*not signed by that CA' check

# ---- one that has ended ----
signed_by old "$T/ca/foreign/old.pem.csr" "$T/old/ended.pem" responder -startdate 20200101000000Z -enddate 20200201000000Z || die "a certificate that has ended"
claim "one that has ended is not installed" fails 'it has ended' install old "$T/old/ended.pem"
cp "$T/old/ended.pem" "$T/ca/foreign/old.pem"
claim "scepd starts with one" start_scepd
claim "who asks about that CA is sent away" says 'unauthorized' ask old fine
claim "who asks about others is answered" sh -c "openssl ocsp -CAfile '$T/ez/ca.pem' -issuer '$T/ez/ca.pem' -cert '$T/ez/fine.pem' -url '$SCEPD/ocsp/ez' 2>&1 | grep -q 'fine.pem: good'"
claim "and about ours" ours
claim "the log says it" within 70 grep -q "old: the certificate of the foreign CA's responder has expired .*scepctl foreign csr" "$T/scepd.log"
claim "check fails, and says what to do" fails "fail .*old .*the certificate of the foreign CA's responder expired .*scepctl foreign csr" check
claim "a new one heals it" sh -c "scepctl foreign install old '$T/old/next.pem' --config '$CONFIG' && kill -HUP $scepd_pid"
claim "without a restart" within 20 says 'fine.pem: good' ask old fine

# ---- one process, other keys, backups ----
stop_scepd
start_scepd --single-process || not_ok "scepd --single-process starts"
claim "one process answers as three" says 'fine.pem: good' ask old fine
claim "and takes a certificate that is exchanged" sh -c "scepctl foreign install old '$T/old/responder.pem' --config '$CONFIG' && kill -HUP $scepd_pid"
claim "... soon" within 20 carries "$T/old/responder.pem"
stop_scepd
claim "a backup has the responders" sh -c "scepctl ca backup --out '$T/a.backup' --passphrase-file '$T/passphrase' --config '$CONFIG' && scepctl ca restore '$T/a.backup' --list --passphrase-file '$T/passphrase' >'$T/said' && grep -q 'foreign/old.pem' '$T/said'"
cp "$CONFIG" "$T/scepd.yaml.fine"
if in_token; then answers=$TOKEN_PIN_FILE question="PIN of the token of foreign CA old"; else answers=$T/passphrase question="Passphrase of the keys of foreign CA old"; fi
sed -i "/^  old: /s,\(_file:\) [^ ,}]*,\1 prompt," "$CONFIG"
rm -f "$T/scepd.ready"
python3 "$SCEPD_TOP/tests/lib/pty_run.py" "$T/scepd.pid" "$question" "$answers" "$T/transcript" scepd --config "$CONFIG" --ready-file "$T/scepd.ready" 2>>"$T/scepd.log" &
pty_pid=$!
pids="$pids $pty_pid"
wait_for "$T/scepd.ready" "$pty_pid" || not_ok "scepd starts with what is typed"
scepd_pid=$(cat "$T/scepd.pid")
claim "what opens the key may be typed" says 'fine.pem: good' ask old fine
kill -9 "$(process_of signer)"
claim "once, however often the signer is started" within 20 says 'fine.pem: good' ask old fine
kill "$scepd_pid" && wait "$pty_pid"
cp "$T/scepd.yaml.fine" "$CONFIG"
sed -i "s|ocsp_key: \"$(key_of old)\"|ocsp_key: \"$(key_of ez)\"|" "$CONFIG"
start_scepd && not_ok "scepd starts with the key of another responder"
claim "the key of another responder is refused" grep -q "OCSP responder of foreign CA old: .*the responder's key does not belong to it" "$T/scepd.log"
claim "check says so" fails "fail .*old .*key does not belong to it" check
cp "$T/scepd.yaml.fine" "$CONFIG"
sed -i "s|certificate: $T/silent/ca.pem|certificate: $ISSUING|" "$CONFIG"
start_scepd && not_ok "scepd starts with its own CA among the foreign ones"
claim "our own CA is no foreign one" grep -q 'foreign CA silent: .*is the certificate of CA issuing, which is here already' "$T/scepd.log"
sed -i "s|certificate: $ISSUING}|certificate: $T/nowhere.pem}|; s|certificate: $ISSUING }|certificate: $T/nowhere.pem }|" "$CONFIG"
scepd --config "$CONFIG" 2>>"$T/scepd.log"
claim "a file that is not there is for the administrator: status 78" test $? = 78
claim "... and is named" grep -q "foreign CA silent: $T/nowhere.pem does not exist" "$T/scepd.log"
