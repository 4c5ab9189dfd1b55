#!/usr/bin/env bash
# foreign-names: a CA with the name of an earlier one, foreign or our own, does not inherit what that one has issued; a renewed certificate is no other CA; what is known of
# a foreign CA that is over can be forgotten.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/kinds.sh"
. "$(dirname "$0")/../lib/foreign.sh"
make_lab '
profiles:
  open: { san: { types: [dns] } }
endpoints:
  default: { ca: issuing, profile: open, challenge: otp }'
TOKEN=$(new_token jane) || die "a token"
for ca in one two; do other_ca $ca rsa:2048 || die "a CA"; done
for n in a b; do leaf one $n || die "openssl ca"; done
leaf two c || die "openssl ca"
serial_of() { openssl x509 -in "$1" -noout -serial | sed 's/.*=//; s/^\(00\)*//'; }
a=$(serial_of "$T/one/a.pem") b=$(serial_of "$T/one/b.pem")
cp "$CONFIG" "$T/without.yaml"
# with NAME CERTIFICATE: a foreign CA of that name
with() { { cat "$T/without.yaml"; printf 'foreign_cas:\n  %s: { certificate: %s, crl: %s, crl_interval: 10s }\n' "$1" "$2" "$T/one.crl"; } >"$CONFIG"; }
ctl() { scepctl "${@:1:2}" --config "$CONFIG" "${@:3}"; }
# telling STATUS WORDS COMMAND...: it ends so, and says so
telling() { local want=$1 words=$2 got; shift 2; "$@" >"$T/said" 2>&1 </dev/null; got=$?; cat "$T/said"; [ "$got" = "$want" ] && grep -qE -e "$words" "$T/said"; }
# does_not_start WORDS
does_not_start() { telling "${2:-78}" "$1" timeout 60 scepd --config "$CONFIG"; }
starts() { start_scepd && [ -n "$(process_of front)" ]; }
state() { scepctl show --config "$CONFIG" "$1" 2>&1 | grep -qE "^State +$2\$"; }

echo "$a $(date -u +%y%m%d%H%M%SZ) 1" | python3 "$SCEPD_TOP/tests/lib/crl_forge.py" "$T/one/ca.pem" "$T/one/ca.key" "$T/one.crl" 1 - || die "a list"
with adcs "$T/one/ca.pem"
claim "a foreign CA's certificates are imported before scepd has ever run" telling 0 ' added' ctl foreign import adcs "$T/one/a.pem" "$T/one/b.pem"
claim "it starts with them" starts
claim "... and takes nothing of the signer's for lost, as it has issued none of them" sh -c "! grep -q 'was empty' '$T/scepd.log'"
claim "... one of which its list revokes" within 20 state "$a" revoked
claim "it is not forgotten while it is in the configuration" telling 73 'still in it, under foreign_cas' ctl foreign forget adcs
cp "$T/without.yaml" "$CONFIG"
claim "... nor while the scepd that runs has the configuration of before" telling 73 'was changed since the scepd that runs was started' ctl foreign forget adcs
stop_scepd

with old "$T/one/ca.pem"
claim "it is called otherwise: scepd does not start, as what is revoked stands under the name that it had" does_not_start 'CA old has the key of adcs'
claim "... and says what to do" grep -q 'call it adcs in scepd.yaml, as before, or.*scepctl foreign forget adcs' "$T/said"
claim "... check says so" telling 78 'fail +old +CA old has the key of adcs' scepctl check --config "$CONFIG"

# The same key in another certificate.
openssl req -x509 -key "$T/one/ca.key" -out "$T/one/renewed.pem" -days 400 -subj "/O=Contoso Old/CN=Contoso one CA" -addext basicConstraints=critical,CA:TRUE \
	-addext keyUsage=critical,keyCertSign,cRLSign >>"$T/openssl.log" 2>&1
with adcs "$T/one/renewed.pem"
claim "its certificate was renewed: scepd starts" starts
claim "... and imports" telling 0 'known already' ctl foreign import adcs "$T/one/a.pem"
stop_scepd

with adcs "$T/two/ca.pem"
claim "another CA of that name: scepd does not start" does_not_start 'CA adcs has another key .* was a foreign CA'
claim "... and says what to do" grep -q 'another name.*scepctl foreign forget adcs' "$T/said"
claim "... check says so" telling 78 'fail +adcs +CA adcs has another key' scepctl check --config "$CONFIG"
claim "... nothing is imported" telling 78 'another key' ctl foreign import adcs "$T/two/c.pem"
claim "... not even tried" telling 78 'another key' ctl foreign import adcs "$T/two/c.pem" --dry-run

# One of our own with that name, after the foreign one has left.
cp "$T/without.yaml" "$CONFIG"
sed -i 's/^  issuing:/  adcs:/; s/ca: issuing,/ca: adcs,/' "$CONFIG"
claim "one of our own of that name: scepd does not start" does_not_start 'CA adcs has another key .* was a foreign CA'
claim "how much there is to forget is told" telling 0 'adcs: 2 certificates would be forgotten' ctl foreign forget adcs --dry-run
claim "... in JSON, too" telling 0 '"forgotten": *false' ctl foreign forget adcs --dry-run --json
claim "nothing is forgotten unless somebody says yes" telling 77 'nobody is here to say yes to forgetting 2 certificates' ctl foreign forget adcs
claim "... who is asked, and says no" sh -c "printf 'n\n' | script -qec \"scepctl foreign forget --config '$CONFIG' adcs\" /dev/null | grep -q 'nothing was forgotten'"
claim "... so that it is all there" state "$a" revoked
cp "$T/without.yaml" "$CONFIG"
claim "... nothing is, by that" telling 0 'not in scepd.yaml any more' ctl foreign list
claim "without any of that name scepd starts" starts
claim "... and knows the certificates of the one that is over" state "$a" revoked
claim "which is forgotten" telling 0 'adcs: 2 certificates are forgotten' ctl foreign forget adcs --yes
claim "... nothing is known of its certificates" telling 66 'no certificate' scepctl show --config "$CONFIG" "$b"
claim "... nor of it" telling 66 'nothing is known of a foreign CA' ctl foreign forget adcs
claim "... but by the audit trail" sh -c "scepctl audit list --config '$CONFIG' | grep -q 'foreign-forget.*certificates=2 ca=\"adcs\" who='"
claim "... which is whole" scepctl audit verify --config "$CONFIG"
stop_scepd
with adcs "$T/two/ca.pem"
claim "the name is free for another" starts
claim "... whose certificates are imported" telling 0 '1 +added' ctl foreign import adcs "$T/two/c.pem"
stop_scepd

# Our own.
sed 's/^  issuing:/  next:/; s/ca: issuing,/ca: next,/' "$T/without.yaml" >"$CONFIG"
claim "our own CA is called otherwise: scepd does not start" does_not_start 'CA next has the key of issuing'
claim "... and says what to do" grep -q 'call it issuing in scepd.yaml, as before$' "$T/said"
claim "what we have issued is not forgotten" telling 73 'never forgotten' ctl foreign forget issuing

# Our own, renewed with its key.
cp "$T/without.yaml" "$CONFIG"
if in_token; then
	skip_claim "our own CA's certificate is renewed with its key: scepd starts" "its key is in a token"
else
	C=$T/ca/ca
	printf 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign,digitalSignature\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' >"$T/ext"
	openssl x509 -in "$C/issuing.pem" -x509toreq -signkey "$C/issuing.key" -out "$T/issuing.csr" >>"$T/openssl.log" 2>&1 &&
		openssl x509 -req -in "$T/issuing.csr" -CA "$C/root.pem" -CAkey "$C/root.key" -set_serial 0x4711 -days 3000 -extfile "$T/ext" -out "$T/renewed.pem" >>"$T/openssl.log" 2>&1 &&
		cat "$T/renewed.pem" >"$C/issuing.pem" || die "a renewed certificate"
	claim "our own CA's certificate is renewed with its key: scepd starts" starts
	claim "... and check has nothing against it" sh -c "! scepctl check --config '$CONFIG' | grep 'another key'"
	stop_scepd
fi
