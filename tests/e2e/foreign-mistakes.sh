#!/usr/bin/env bash
# foreign-mistakes: what an administrator gets wrong with a foreign CA, on the first day: scepctl says what, to what, and what to do next.
. "$(dirname "$0")/../lib/env.sh"
make_ca
O=$T/old
mkdir "$O" "$O/nothing"
quietly() { "$@" >>"$T/openssl.log" 2>&1; }
new_ca() { # NAME SUBJECT
	quietly openssl req -x509 -newkey rsa:2048 -noenc -keyout "$O/$1.key" -out "$O/$1.pem" -days 300 -subj "$2" -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}
new_ca ca "/CN=Contoso Old CA" && new_ca other "/CN=Other CA" || die "two CAs"
cat >"$O/conf" <<EOC
[ca]
default_ca = d
[d]
database = $O/index
crlnumber = $O/number
default_md = sha256
default_crl_days = 2
EOC
: >"$O/index" && echo 01 >"$O/number"
for n in ca other; do quietly openssl ca -config "$O/conf" -gencrl -cert "$O/$n.pem" -keyfile "$O/$n.key" -out "$O/$n.crl" || die "a list"; done
leaf() { # CA NAME
	quietly openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout "$O/$2.key" -out "$O/$2.csr" -subj "/CN=$2" &&
		quietly openssl x509 -req -in "$O/$2.csr" -CA "$O/$1.pem" -CAkey "$O/$1.key" -days 9 -out "$O/$2.pem"
}
leaf ca laptop && leaf other phone || die "two certificates"
cp "$CONFIG" "$T/before"
# with YAML: the configuration, and this under foreign_cas
with() { { cat "$T/before"; printf 'foreign_cas:\n'; printf '  %s\n' "$@"; } >"$CONFIG"; }
ctl() { scepctl "${@:1:2}" --config "$CONFIG" "${@:3}"; }
check() { scepctl check --config "$CONFIG" --quiet; }
# telling STATUS WORDS COMMAND...: it ends so, and says so
telling() { local want=$1 words=$2 got; shift 2; "$@" >"$T/said" 2>&1; got=$?; cat "$T/said"; [ "$got" = "$want" ] && grep -qE -e "$words" "$T/said"; }
silent_about() { check >"$T/said" 2>&1; cat "$T/said"; ! grep -qE -e "$1" "$T/said"; }

# ---- scepd.yaml ----
with "old: { certificate: $O/ca.pem }"
claim "a foreign CA is no failure" silent_about '^fail +old'
with "old: { certificate: $O/ca.pem }" "same: { certificate: $O/ca.pem }"
claim "check: the same CA under two names, with which scepd would not start" telling 78 '^fail +same .*ca.pem is the certificate of CA old, which is here already' check
with "ours: { certificate: $T/ca/ca/issuing.pem }"
claim "check: a CA of scepd's own" telling 78 '^fail +ours .*issuing.pem is the certificate of CA issuing, which is here already' check
scepd_refuses() { start_scepd && return 1; grep -q 'which is here already' "$T/scepd.log"; }
claim "... and scepd says the same" scepd_refuses
with "old: { certificate: $O/ca.pem, crl: 'ldap:///CN=Contoso%20Old%20CA' }"
claim "a list in a directory, as ADCS names it" telling 78 'foreign_cas.old.crl: is neither a file nor an http address' check
claim "... is told what will do instead" grep -q '^  http:// or https://.* or a path' "$T/said"
with "old: { certificate: $O/ca.pem, crl: $O/ca.crl }"
claim "a list in a file is read by check" silent_about '^fail +old'
with "old: { certificate: $O/ca.pem, crl: $O/none.crl }"
claim "check: a list that is not there" telling 78 '^fail +old +its list: .*none.crl does not exist' check
with "old: { certificate: $O/ca.pem, crl: $O/other.crl }"
claim "check: the list of another CA" telling 78 '^fail +old +its list, .*other.crl: ' check
with "old: { certificate: $O/ca.pem, crl: $O/ca.pem }"
claim "check: a certificate instead of a list" telling 78 '^fail +old +its list, .*ca.pem: is neither a revocation list' check

# ---- a running scepd does not know what was written since ----
cp "$T/before" "$CONFIG"
start_scepd || die "scepd starts"
claim "check: scepd was started after the last change" silent_about '^warn +config'
with "old: { certificate: $O/ca.pem }"
claim "check: scepd.yaml was changed, and scepd not restarted" telling 0 '^warn +config .*counts after a restart' check
warned() { kill -HUP "$scepd_pid"; logged_within 5 'warn reload .*counts after a restart'; }
claim "... the log says so when a reload is tried" warned
stop_scepd
claim "check: of a scepd that does not run nothing is said" silent_about 'config .*(restart|started)'
start_scepd || die "scepd starts again"
claim "check: restarted" silent_about '^warn +config'
stop_scepd

# ---- import ----
with "old: { certificate: $O/ca.pem, ocsp_certificate: foreign/old.pem, ocsp_key: foreign/old.key }" "other: { certificate: $O/other.pem }"
claim "a file that is not there" telling 66 'issued.csv does not exist' ctl foreign import old "$O/issued.csv"
claim "the export of another CA" telling 0 'nothing in there was issued by old, which is CN=Contoso Old CA: another file, or another name' ctl foreign import old "$O/phone.pem"
claim "one that fits among others" telling 0 '1 +added' ctl foreign import old "$O/phone.pem" "$O/laptop.pem"
claim "... and no doubt of the name is voiced" sh -c "! grep -q 'another name' '$T/said'"
claim "a folder with nothing in it" telling 0 'there was no file to read' ctl foreign import old "$O/nothing"
claim "a request instead of a certificate" telling 65 'laptop.csr: holds neither' ctl foreign import old "$O/laptop.csr"
claim "... is told what will do instead" grep -q '^  certificates are PEM or DER; of a table' "$T/said"

# ---- the responder ----
claim "the request says how OpenSSL signs it" telling 0 'openssl ca .*-extensions ([a-z]+) -days 365' ctl foreign csr old
section=$(sed -nE 's/.* -extensions ([a-z]+) .*/\1/p' "$T/said")
claim "... by a section that docs/foreign.md has" grep -qx "\[$section\]" "$SCEPD_TOP/docs/foreign.md"
claim "a certificate for another key" telling 78 'it is that of another request' ctl foreign install old "$O/laptop.pem"
printf '[responder]\nbasicConstraints = CA:FALSE\nkeyUsage = critical, digitalSignature\nextendedKeyUsage = OCSPSigning\nnoCheck = yes\n' >"$O/extensions"
# responder NAME START END: what the CA signs with its clock
responder() {
	mkdir -p "$O/new"
	cat >"$O/ca.conf" <<EOC
[ca]
default_ca = d
[d]
database = $O/index
new_certs_dir = $O/new
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
EOC
	quietly openssl ca -batch -notext -config "$O/ca.conf" -cert "$O/ca.pem" -keyfile "$O/ca.key" -in "$T/ca/foreign/old.pem.csr" -extfile "$O/extensions" -extensions responder -startdate "$2" -enddate "$3" -out "$O/$1.pem"
}
day() { date -u -d "$1 days" +%Y%m%d%H%M%SZ; }
responder over "$(day -20)" "$(day -10)" && responder later "$(day +10)" "$(day +20)" && responder now "$(day -1)" "$(day +60)" || die "responders"
claim "a responder that has ended" telling 78 'it has ended: ' ctl foreign install old "$O/over.pem"
claim "one that has not begun, as the clocks differ" telling 78 'later.pem .*it begins ' ctl foreign install old "$O/later.pem"
claim "... is told to compare them" grep -q '^  compare the clocks' "$T/said"
claim "nothing is in its place" test ! -e "$T/ca/foreign/old.pem"
cp "$O/later.pem" "$T/ca/foreign/old.pem"
claim "check: one that has not begun, put there by other means" telling 78 '^fail +old .*begins .*nobody believes it' check
claim "one of now" telling 0 'is in place' ctl foreign install old "$O/now.pem"
claim "check has nothing against it" silent_about '^fail +old'
