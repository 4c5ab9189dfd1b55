#!/usr/bin/env bash
# foreign: a CA that is not ours (openssl ca) is overlaid: what it has issued is imported, its own list is read from a file and by HTTP, rules about the directory and
# administrators add to that, and OCSP, verdicts and scepctl say the same.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/kinds.sh"
admin_port=$(free_port) || die "a free port"
make_ca --admin "127.0.0.1:$admin_port"
ADMIN=http://127.0.0.1:$admin_port
sed -i '/^admin:/,/^[^ ]/s/^  address:/  tokens_file: admin.tokens\n&/' "$CONFIG"
web_port=$(free_port "$admin_port") || die "a free port"

# ---- the CA ----
O=$T/old
mkdir "$O" "$O/certs" "$O/web" && : >"$O/index" && echo 0A >"$O/number" && cat >"$O/conf" <<EOC
[ca]
default_ca = d
[d]
database = $O/index
new_certs_dir = $O/certs
certificate = $O/ca.pem
private_key = $O/ca.key
rand_serial = yes
crlnumber = $O/number
default_md = sha256
default_days = 20
default_crl_days = 2
policy = any
copy_extensions = copy
unique_subject = no
crl_extensions = list
[any]
commonName = supplied
serialNumber = optional
[list]
authorityKeyIdentifier = keyid
[leaf]
basicConstraints = CA:FALSE
subjectKeyIdentifier = hash
extendedKeyUsage = clientAuth
[responder]
basicConstraints = CA:FALSE
EOC
quietly() { "$@" >>"$T/openssl.log" 2>&1; }
new_ca() { # KEY CERT NAME
	quietly openssl req -x509 -newkey rsa:2048 -noenc -keyout "$1" -out "$2" -days 300 -subj "$3" -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}
new_ca "$O/ca.key" "$O/ca.pem" "/CN=Contoso Old CA" || die "a CA"
new_ca "$O/third.key" "$O/third.pem" "/CN=Third CA" || die "another CA"
quietly openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$O/leaf.key"
# leaf NAME SUBJECT [extension]: $O/NAME.pem
leaf() {
	quietly openssl req -new -key "$O/leaf.key" -out "$O/$1.csr" -subj "$2" ${3:+-addext "$3"} &&
		quietly openssl ca -batch -notext -config "$O/conf" -in "$O/$1.csr" -out "$O/$1.pem" -extensions leaf
}
upn() { echo "subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:$1"; }
serial() { openssl x509 -in "$O/$1.pem" -noout -serial | sed 's/.*=//; s/^\(00\)*//'; }
# SIGHUP has it read at once; how long it takes by itself is told where seconds are printed.
hurry() { [ -z "${scepd_pid:-}" ] || kill -HUP "$scepd_pid"; }
list() { quietly openssl ca -config "$O/conf" -gencrl -out "$O/crl.pem" && openssl crl -in "$O/crl.pem" -outform DER -out "$O/new.crl" && mv "$O/new.crl" "$O/web/old.crl" && hurry; }
# revoke NAME REASON; unrevoke NAME, as openssl ca has no such command
revoke() { quietly openssl ca -config "$O/conf" -revoke "$O/$1.pem" -crl_reason "$2" && list; }
hold() { quietly openssl ca -config "$O/conf" -revoke "$O/$1.pem" -crl_hold holdInstructionCallIssuer && list; }
unhold() { sed -i "/\t$(serial "$1")\t/{s/^R/V/; s/\t[0-9]*Z,holdInstruction[^\t]*\t/\t\t/}" "$O/index" && list; }

leaf laptop /CN=9a7b6c5d-1111-4b4b-8d8d-000000000201
leaf phone "/CN=Omar" "$(upn omar.haddad@contoso.com)"
leaf mac /CN=mac "subjectAltName=URI:IntuneDeviceId://3e8d5a10-3333-4a4a-9c9c-000000000103"
for i in $(seq 27); do leaf "host$i" "/CN=host$i.contoso.com" || die "openssl ca"; done
leaf late /CN=late
list || die "a list of revoked certificates"

# ---- configured ----
cat >>"$CONFIG" <<EOC
revocation: { interval: 1s, recheck: 1s, brake: { minimum: 1000 } }
rules:
  device-off: { when: device-disabled, then: hold, profiles: [old] }
foreign_cas:
  old:
    certificate: $O/ca.pem
    tenant: contoso
    crl: http://127.0.0.1:$web_port/old.crl
    crl_interval: 10s
    ocsp_certificate: foreign/old.pem
    ocsp_key: foreign/old.key
  third: { certificate: $O/third.pem }
EOC
token=$(new_token radius --for verdict) || die "a token"
start_intunesim
(cd "$O/web" && exec python3 -m http.server --bind 127.0.0.1 "$web_port") >>"$T/web.log" 2>&1 &
web_pid=$!
pids="$pids $web_pid"
ctl() { scepctl "${@:1:2}" --config "$CONFIG" "${@:3}"; }
said() { grep -qE -e "$1" "$T/said"; }
# telling STATUS WORDS COMMAND...: it ends so, and says so
telling() { local want=$1 words=$2 got; shift 2; "$@" >"$T/said" 2>&1; got=$?; cat "$T/said"; [ "$got" = "$want" ] && said "$words"; }
figure() { python3 -c 'import json,sys; a = json.load(open(sys.argv[1])); print(a[sys.argv[2]])' "$T/said" "$1"; }
quietly ctl foreign csr old --out "$O/responder.csr"
quietly openssl ca -batch -notext -config "$O/conf" -in "$O/responder.csr" -out "$O/responder.pem" -extensions responder
claim "the CA certifies a responder" ctl foreign install old "$O/responder.pem"
start_scepd || die "scepd starts"

# ---- imported ----
cat "$O/laptop.pem" "$O/phone.pem" >"$O/bundle.pem"
openssl x509 -in "$O/mac.pem" -outform DER -out "$O/mac.der"
claim "a dry run says what there is" telling 0 '2 +would be added' ctl foreign import old "$O/bundle.pem" --dry-run
claim "... and changes nothing" telling 0 '^Certificates +0,' ctl foreign list
claim "PEM with several certificates, and DER, beside a running scepd" telling 0 '3 +added' ctl foreign import old "$O/bundle.pem" "$O/mac.der"
# As certutil -view writes it, saved by PowerShell.
table() { # NAME...
	local n
	printf '"Request ID","Serial Number","Certificate Expiration Date","Binary Certificate"\r\n'
	for n; do printf '"7","%s","11/30/2027 10:00 AM","%s\r\n"\r\n' "$(serial "$n" | tr 'A-F' 'a-f')" "$(sed 's/$/\r/' "$O/$n.pem")"; done
	printf '"8","EMPTY","EMPTY","EMPTY"\r\n'
}
table $(seq -f 'host%g' 20) | iconv -t UTF-16LE | { printf '\xff\xfe'; cat; } >"$O/issued.csv"
claim "the table of certutil" telling 0 '20 +added' ctl foreign import old "$O/issued.csv"
{ printf 'SerialNumber,NotAfter\n'; for i in 21 22; do echo "$(serial host$i),2031-01-01"; done; } >"$O/serials.csv"
claim "a table of serial numbers alone" telling 0 '2 of them serial numbers without' ctl foreign import old "$O/serials.csv"
claim "a folder, with what is there already" telling 0 '"filled": *2\b' ctl foreign import old "$O/certs" --json
claim "... counted" test "$(figure added) $(figure filled) $(figure unchanged)" = "7 2 23"
claim "the same again changes nothing" telling 0 '"added": *0' ctl foreign import old "$O/certs" "$O/issued.csv" "$O/serials.csv" --json
claim "... and is known" test "$(figure filled) $(figure unchanged)" = "0 54"
piped() { cat "$O/bundle.pem" | ctl foreign import old -; }
claim "standard input is a file, too" telling 0 '2 +known already' piped
claim "foreign list counts them" telling 0 '^Certificates +32, of which 0 by serial' ctl foreign list

# ---- refused ----
new_ca "$O/evil.key" "$O/evil.pem" "/CN=Contoso Old CA"
quietly openssl x509 -req -in "$O/laptop.csr" -CA "$O/evil.pem" -CAkey "$O/evil.key" -set_serial 0x4711 -days 9 -out "$O/forged.pem"
quietly openssl x509 -req -in "$O/host1.csr" -CA "$O/evil.pem" -CAkey "$O/evil.key" -set_serial "0x$(serial laptop)" -days 9 -out "$O/stolen.pem"
theirs() { quietly openssl x509 -req -in "$O/${3:-host1}.csr" -CA "$O/third.pem" -CAkey "$O/third.key" -set_serial "0x$1" -days 9 -out "$O/theirs${2:-}.pem"; }
theirs 4712 && theirs 4712 -again host2 && theirs "$(serial host20)" -too
claim "a certificate that names the CA, which has not signed it, is refused and named" telling 65 'forged.pem:1: 4711 names the CA' ctl foreign import old "$O/forged.pem"
claim "one of another CA is left out" telling 0 '1 +of other CAs' ctl foreign import old "$O/theirs.pem"
claim "a serial number that another CA has given, too, is no matter" telling 0 '1 +added' ctl foreign import third "$O/theirs-too.pem"
claim "... it is each CA's own" telling 0 '^CA +third' ctl show "$(serial host20)" --ca third
claim "... and who names no CA hears of both" telling 73 'several CAs .*: old, third' ctl show "$(serial host20)"
claim "one that the same CA has given twice is told, nothing is overwritten, and the rest of a file is taken" telling 73 'theirs-again.pem:1: 4712 is the serial number of another certificate of this CA' ctl foreign import third "$O/theirs.pem" "$O/theirs-again.pem"
claim "... as the first" said '1 +added'
claim "the CA itself is left out" telling 0 "1 +the CA's own" ctl foreign import old "$O/ca.pem"
claim "what is none is told with its place" telling 65 'holds neither' ctl foreign import old "$O/conf"
claim "a foreign CA that there is not" telling 66 'no foreign CA "odl"|there is no foreign' ctl foreign import odl "$O/laptop.pem"
claim "none of that was imported" telling 0 '^Certificates +32, of which 0' ctl foreign list
leaf two /CN=two "$(upn jane.doe@contoso.com),otherName:1.3.6.1.4.1.311.20.2.3;UTF8:omar.haddad@contoso.com"
claim "one that names two users is imported, and told" telling 0 'two.pem:1: .* names two users' ctl foreign import old "$O/two.pem"
claim "... is counted" telling 0 '"twoNames": *1' ctl foreign import old "$O/two.pem" "$O/phone.pem" --json

# ---- seen ----
is() { scepctl show --config "$CONFIG" "$(serial "$1")" >"$T/said" 2>&1; said "^State +$2\$"; }
shows() { scepctl show --config "$CONFIG" "$(serial "$1")" >"$T/said" 2>&1; said "$2"; }
verdict() { TOKEN=$token answered 200 GET "/api/v1/verdict?serial=$(serial "$1")" && says "$2" 'a["verdict"]'; }
whole() { TOKEN=$token answered 200 POST /api/v1/verdict "$(python3 -c 'import json,sys; print(json.dumps({"certificate": open(sys.argv[1]).read()}))' "$O/$1.pem")" && says "$2" 'a["verdict"]'; }
ocsp() { openssl ocsp -issuer "$O/ca.pem" -cert "$O/$1.pem" -url "$SCEPD/ocsp/old" -CAfile "$O/ca.pem" >"$T/said" 2>&1; cat "$T/said"; said 'Response verify OK' && said "$2"; }
claim "scepctl show has it as any, of a foreign CA" shows laptop 'a foreign one'
claim "scepctl list names the CA" sh -c "scepctl list --config '$CONFIG' --ca old | grep -q '(old)'"
claim "a verdict by serial number" verdict laptop good
claim "a verdict by the whole certificate" whole laptop good
claim "a forged certificate with the same serial number is unknown" whole stolen unknown
claim "OCSP says good" ocsp laptop ': good'
bound() { shows "$1" '^Bound .*by the ids'; }
for n in laptop phone mac; do claim "$n is bound to whom it names" within 20 bound "$n"; done
# Whoever chooses his names by himself: a device that nobody has, by the number that an administrator may type.
leaf liar /CN=1b7b6c5d-9999-4b4b-8d8d-000000000999/serialNumber=KIOSK-77 "$(upn omar.haddad@contoso.com)"
claim "one that names a user, and a device that there is not, is imported" telling 0 '1 +added' ctl foreign import old "$O/liar.pem"
users_alone() { scepctl show --config "$CONFIG" --json "$(serial liar)" | python3 -c 'import json,sys; b = json.load(sys.stdin)["bound"]; exit(not (b["user"] and b["serialNumber"] == "KIOSK-77"))'; }
claim "... and bound to the user" within 20 users_alone
claim "... but an exception for that device is not his" telling 66 'no valid certificate is bound to device "KIOSK-77"' ctl exception add --device KIOSK-77 --for 1d --comment 'the new kiosk'
claim "... nor is he held as that device" telling 66 'no certificate is bound to device|no valid certificate is bound' scepctl hold --config "$CONFIG" --device KIOSK-77 --comment lost
claim "its list was read by HTTP" within 20 telling 0 'Its list +number 0A .* 0 entries, good until' ctl foreign list
claim "scepctl check says so" sh -c "scepctl check --config '$CONFIG' | grep -q '^ok .*old .*its list, of 0 entries'"
claim "metrics say so" sh -c "[ \$(curl -fsS '$ADMIN/metrics' | sed -n 's/^scepd_foreign_crl_next_update_seconds{ca=\"old\"} //p') -gt 170000 ]"

# ---- its own list ----
cp "$O/web/old.crl" "$O/first.crl"
hurry() { :; }
claim "the CA revokes one" revoke host1 keyCompromise
begun=$(date +%s%N)
claim "which is revoked here" within 20 is host1 revoked
echo "# from the CA's list to scepctl show: $((($(date +%s%N) - begun) / 1000000)) ms, with an interval of 10 s"
hurry() { kill -HUP "$scepd_pid"; }
claim "... by the CA that has issued it, for the CA's reason" shows host1 'the CA that has issued it'
claim "... by OCSP" ocsp host1 'keyCompromise'
claim "... by verdict" verdict host1 revoked
claim "the CA holds one" hold host2
claim "which is held here" within 20 is host2 hold
claim "the CA lets it go" unhold host2
claim "which is good here" within 20 is host2 valid
claim "what it has revoked stays so" is host1 revoked
claim "the log names them" grep -q "foreign msg=\"held\" ca=\"*old\|foreign msg=held ca=old" "$T/scepd.log"
leaf unseen /CN=unseen.contoso.com
claim "the CA revokes one that nobody has imported" revoke unseen superseded
claim "... which is known by its serial number" within 20 is unseen revoked
claim "... revoked by OCSP" ocsp unseen ': revoked'
claim "... revoked for whoever shows it" whole unseen revoked
claim "... and says that it was not imported" shows unseen 'not imported'
claim "... in JSON, too" sh -c "scepctl show --config '$CONFIG' --json '$(serial unseen)' | python3 -c 'import json,sys; a = json.load(sys.stdin); exit(not (a[\"pem\"] is None and a[\"notAfter\"] is None))'"
claim "imported later it has the rest" telling 0 '1 +completed' ctl foreign import old "$O/unseen.pem"
claim "... and stays revoked" is unseen revoked

# ---- rules and administrators beside it ----
t=$SIM/sim/tenants/contoso.com
device() { curl -fsS -o /dev/null -X PATCH -H 'Content-Type: application/json' -d "$2" "$t/devices/$1"; }
claim "a device is disabled" device LAPTOP-7F3K2 '{"enabled":false}'
claim "... its certificate is held by the rule" within 20 is laptop hold
claim "... which is named" shows laptop 'device-off'
claim "... by OCSP" ocsp laptop 'certificateHold'
claim "the CA holds it, too" hold laptop
two() { shows laptop '1 more cause|issued it'; }
claim "... both are told" within 20 two
claim "the device is enabled" device LAPTOP-7F3K2 '{"enabled":true}'
only_ca() { is laptop hold && ! shows laptop 'device-off'; }
claim "... the CA's hold stays" within 20 only_ca
claim "the CA lets go" unhold laptop
claim "... it is good" within 20 is laptop valid
claim "an administrator holds one" scepctl hold --config "$CONFIG" "$(serial host3)" --comment lost
claim "... it is held" verdict host3 hold
claim "... and let go" scepctl release --config "$CONFIG" "$(serial host3)"
claim "an administrator revokes one, and is told that the CA's own list does not say so" telling 0 "1 of a foreign CA: .* own CRL does not" scepctl revoke --config "$CONFIG" --yes "$(serial host3)" --reason cessationOfOperation
only_foreign() { ! said 'OCSP and the CRL say so'; }
claim "... and nothing else" only_foreign
claim "... it is revoked, whatever the CA's list says" is host3 revoked

# ---- lists that change nothing ----
# replaced FILE WORDS: put in the list's place, the log says WORDS, and nothing is different
replaced() { local n; n=$(grep -cE -e "$2" "$T/scepd.log"); cp "$1" "$O/x.crl" && mv "$O/x.crl" "$O/web/old.crl"; hurry; more_lines() { [ "$(grep -cE -e "$2" "$T/scepd.log")" -gt "$1" ]; }; within 25 more_lines "$n" "$2"; }
cp "$O/web/old.crl" "$O/last.crl"
claim "an old list is known as such" replaced "$O/first.crl" 'older than that of'
claim "... and nothing is released" is host1 revoked
quietly openssl ca -config "$O/conf" -gencrl -keyfile "$O/evil.key" -cert "$O/evil.pem" -out "$O/evil-crl.pem"
claim "a list that another has signed is not believed" replaced "$O/evil-crl.pem" 'not signed by'
head -c 200 "$O/last.crl" >"$O/short.crl"
claim "half a list is none" replaced "$O/short.crl" 'malformed'
rm "$O/web/old.crl"
hurry
gone() { grep -q 'answers 404' "$T/scepd.log"; }
claim "no list at all is told" within 25 gone
claim "... failures are counted" sh -c "[ \$(curl -fsS '$ADMIN/metrics' | sed -n 's/^scepd_foreign_crl_failures_total //p') -gt 3 ]"
hurry; sleep 1
claim "... and once is enough in the log" test "$(grep -c 'answers 404' "$T/scepd.log")" = 1
claim "what was known stays" is host1 revoked
list
again() { grep -q 'its list is read again' "$T/scepd.log"; }
claim "and it goes on" within 75 again

# ---- a restart, and the list as a file ----
stop_scepd
sed -i "s|crl: http.*|crl: $O/web/old.crl|" "$CONFIG"
cp "$O/web/old.crl" "$O/last.crl"
cp "$O/first.crl" "$O/web/old.crl"
start_scepd || die "scepd starts again"
old_after() { [ "$(grep -c 'older than that of' "$T/scepd.log")" -ge 2 ]; }
claim "after a restart an old list is known as such, too" within 20 old_after
claim "... all is as it was" is host1 revoked
cp "$O/last.crl" "$O/x" && mv "$O/x" "$O/web/old.crl"
claim "a list in a file is read: the CA holds one" hold host4
claim "... which is held" within 20 is host4 hold

# ---- killed over a long list ----
python3 - "$O/index" <<'PY'
import os, sys
with open(sys.argv[1], "a") as f:
    for i in range(20000):
        f.write("R\t401130235959Z\t260101000000Z,superseded\t7F%s\tunknown\t/CN=n%d\n" % (os.urandom(9).hex().upper(), i))
PY
revoked_rows() { python3 -c 'import sqlite3,sys; print(sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM cert WHERE revoked <> 0 AND reason = 4").fetchone()[0])' "$T/ca/scepd.db"; }
some() { [ "$(revoked_rows)" -gt 400 ]; }
list
within 20 some
kill -9 "$scepd_pid"
wait "$scepd_pid" 2>/dev/null
echo "# killed when $(revoked_rows) of 20000 were revoked"
again_started() { start_scepd; }
within 20 again_started || die "scepd starts after kill -9"
all_of_them() { [ "$(revoked_rows)" -ge 20000 ] && ctl foreign list | grep -q ' 20[0-9]* entries'; }
claim "kill -9 over a list of 20000: the rest is done after the start" within 60 all_of_them
claim "... and what was held and let go is as the list says" is host4 hold

stop_scepd
start_scepd --single-process || die "scepd --single-process starts"
claim "in one process: the CA lets go" unhold host4
claim "... it is good" within 20 is host4 valid
claim "the audit trail is whole" ctl audit verify
trail() { python3 -c 'import sqlite3,sys; print([r[0] for r in sqlite3.connect(sys.argv[1]).execute("SELECT detail FROM audit WHERE event = ?", (sys.argv[2],))])' "$T/ca/scepd.db" "$1" | grep -E -e "$2"; }
claim "... and tells of imports, and who did them" trail foreign-import 'added=20 filled=0 ca="old" who="'
claim "... and of lists" trail foreign-crl 'entries=1 ca="old" number="'

# ---- taken out of the configuration ----
stop_scepd
python3 - "$CONFIG" <<'PY'
import re, sys
s = open(sys.argv[1]).read()
s = s[:s.index("foreign_cas:")].replace(", profiles: [old]", "")
open(sys.argv[1], "w").write(s)
PY
start_scepd || die "scepd starts without the CA"
claim "without the CA its rows are there" is host1 revoked
claim "... and show says that it is gone" shows laptop 'not in scepd.yaml any more'
claim "... so does foreign list" telling 0 'not in scepd.yaml any more' ctl foreign list
claim "... what was revoked is refused" verdict host1 revoked
claim "... and nobody else is let in" verdict laptop unknown
