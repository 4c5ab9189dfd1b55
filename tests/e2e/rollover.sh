#!/usr/bin/env bash
# rollover: from one CA to the next, by share, there and back, through a kill -9 and a restart, to the end of the old one; nobody is moved
# twice, every certificate verifies, and both lists are answered all the while.
. "$(dirname "$0")/../lib/env.sh"
DEVICES=${ROLLOVER_DEVICES:-20}
admin_port=$(free_port)
make_ca --static-challenge --static-domain lab.example --issuing-key ec:p256 --root-key ec:p256 --admin "127.0.0.1:$admin_port"
ADMIN=http://127.0.0.1:$admin_port

# The next CA, below another root, beside the old one.
scepctl init --dir "$T/g2" --name "Contoso G2" --static-challenge --root-key ec:p256 --issuing-key ec:p256 >"$T/g2.log" 2>&1 || die "a second CA"
mv "$T/g2/ca" "$T/ca/next"
python3 - "$CONFIG" <<'EOF' || die "scepd.yaml"
import re, sys
path = sys.argv[1]
text = open(path).read()
text = re.sub(r"(?m)^cas:\n", """cas:
  next:
    certificate: next/issuing.pem
    key: next/issuing.key
    chain: [next/root.pem]
    ra_certificate: next/ra.pem
    ra_key: next/ra.key
    replaces: issuing
""", text)
open(path, "w").write(text)
EOF

start_intunesim
start_scepd || die "scepd starts with both CAs"
LAB=$SCEPD/scep/lab
rollover() { scepctl ca rollover --config "$CONFIG" "$@"; }
openssl genrsa -out "$T/device.key" 2048 2>/dev/null

# enrol_one DEVICE ROUND [arguments]: a request of its own, whose answer is verified; prints the CA's name
enrol_one() {
	local i=$1 round=$2 dir=$T/dev/$1-$2
	shift 2
	mkdir -p "$T/dev"
	scep enroll --url "$LAB" --subject "CN=pc$i.lab.example" --challenge-file "$T/ca/lab.secret" --key "$T/device.key" \
		--transaction-id "pc$i-$round" --out-dir "$dir" --quiet "$@" >>"$T/claim.log" 2>&1 || { echo failed; return; }
	if verifies ca "$dir/cert.pem"; then echo old
	elif verifies next "$dir/cert.pem"; then echo new
	else echo unverified; fi
}
# verifies FOLDER CERTIFICATE: under the root and issuing CA of that folder
verifies() { openssl verify -x509_strict -CAfile "$T/ca/$1/root.pem" -untrusted "$T/ca/$1/issuing.pem" "$2" >>"$T/claim.log" 2>&1; }
# round NAME: every device once; $T/NAME.round has "number ca" lines
round() {
	local i
	for i in $(seq "$DEVICES"); do echo "$i $(enrol_one "$i" "$1")"; done >"$T/$1.round"
}
count() { grep -c " $2\$" "$T/$1.round"; }
all() { [ "$(count "$1" "$2")" = "$DEVICES" ] || { cat "$T/$1.round"; return 1; }; }
# Those that round A has at the new CA are there in round B too.
forward() { grep ' new$' "$T/$1.round" | while read -r i _; do grep -qx "$i new" "$T/$2.round" || { echo "$i moved back"; return 1; }; done; }
# The daemon takes up what was moved: its metrics say so.
has_share() { curl -fsS "$ADMIN/metrics" | grep -qx "scepd_rollover_share{endpoint=\"lab\",from=\"issuing\",to=\"next\"} $1"; }
taken_up() { # SHARE
	within 30 has_share "$1"
}
told() { scep getca --url "$LAB" --json | python3 -c '
import json, sys
print(" ".join(c["role"].split()[0] + ":" + ("new" if "G2" in c["subject"] else "old") for c in json.load(sys.stdin)["certificates"]))'; }
says() { [ "$(told)" = "$1" ] || { told; return 1; }; }
crl_is_by() { # NAME CERTIFICATE
	curl -fsS "$SCEPD/crl/$1.crl" >"$T/$1.crl" && openssl crl -in "$T/$1.crl" -inform DER -CAfile "$2" -noout 2>&1 | grep -q "verify OK"
}
refused_with() { # TEXT COMMAND...
	local text=$1 out
	shift
	if out=$("$@" 2>&1); then echo "$out"; return 1; fi
	echo "$out"
	grep -q -e "$text" <<<"$out"
}

# ---- declared, and nothing moved ----
scep getca --url "$LAB" --out-dir "$T/old-certs" >/dev/null || die "getca"
cat "$T"/old-certs/ca-*.pem >"$T/old-certs.pem"
round start
claim "while nothing is moved, every device is issued by the old CA" all start old
claim "... and GetCACert tells the old CA alone" says "RA:old issuing:old root:old"
claim "scepd's capabilities have GetNextCACert while there is a next CA" sh -c "scep getcaps --url '$LAB' | grep -qx GetNextCACert"
curl -fsS -D "$T/next.head" "$LAB?operation=GetNextCACert" >"$T/next.p7"
claim "GetNextCACert: application/x-x509-next-ca-cert" grep -qi "^content-type: application/x-x509-next-ca-cert.\?$" "$T/next.head"
claim "... is signed by the current CA, as openssl cms sees it" openssl cms -verify -in "$T/next.p7" -inform DER -certfile "$T/ca/ca/issuing.pem" \
	-nointern -CAfile "$T/ca/ca/root.pem" -purpose any -binary -out "$T/next.p7b"
claim "... not by anybody else" sh -c "! openssl cms -verify -in '$T/next.p7' -inform DER -certfile '$T/ca/next/issuing.pem' -nointern -noverify -binary -out /dev/null"
claim "... and holds the next CA's certificate" sh -c "openssl pkcs7 -in '$T/next.p7b' -inform DER -print_certs | openssl x509 -noout -fingerprint >/dev/null &&
	openssl pkcs7 -in '$T/next.p7b' -inform DER -print_certs | grep -q 'Contoso G2 Issuing CA'"
claim "scep getnextca verifies and prints it" sh -c "scep getnextca --url '$LAB' --out-dir '$T/next-certs' | grep -q 'Contoso G2'"
cat "$T"/next-certs/next-*.pem >"$T/next-certs.pem"
claim "a request enveloped to the next CA is issued by the next CA (RFC 8894 5.1)" test "$(enrol_one 1 early --server-certs "$T/next-certs.pem")" = new
claim "status counts it" sh -c "scepctl ca rollover --config '$CONFIG' status | grep -q 'endpoint lab  *share   0 %   1 of $DEVICES devices moved'"

# ---- by share ----
claim "a third of the devices is moved" rollover move lab --share 30
claim "... which the running daemon takes up" taken_up 30
claim "... and GetCACert tells the old CA first, the new one's certificates behind" says "RA:old issuing:old root:old issuing:new root:new"
round third
n=$(count third new)
claim "about that share of $DEVICES devices is issued by the new CA: $n" test "$n" -ge $((DEVICES * 10 / 100)) -a "$n" -le $((DEVICES * 60 / 100))
claim "... and all others by the old one" test $(($(count third old) + n)) = "$DEVICES"
round again
claim "each device stays where it is when it asks again" cmp "$T/third.round" "$T/again.round"
mover=$(grep ' new$' "$T/third.round" | head -n 1 | cut -d ' ' -f 1)
claim "a moved certificate names the new CA's list, and address" sh -c "openssl x509 -in '$T/dev/$mover-third/cert.pem' -noout -text | grep -q 'URI:$SCEPD/crl/next.crl' &&
	openssl x509 -in '$T/dev/$mover-third/cert.pem' -noout -text | grep -q 'CA Issuers - URI:$SCEPD/ca/next.crt'"
claim "both CAs' revocation lists are answered" crl_is_by issuing "$T/ca/ca/issuing.pem"
claim "... the new one's too" crl_is_by next "$T/ca/next/issuing.pem"
serial=$(openssl x509 -in "$T/dev/$mover-third/cert.pem" -noout -serial | cut -d = -f 2)
claim "a moved certificate is revoked" scepctl revoke --config "$CONFIG" "$serial" --reason superseded
revoked_on() { curl -fsS "$SCEPD/crl/$1.crl" | openssl crl -inform DER -noout -text | grep -qi "$serial"; }
claim "... on the new CA's list" within 20 revoked_on next
claim "... and not on the old one's" sh -c "! curl -fsS '$SCEPD/crl/issuing.crl' | openssl crl -inform DER -noout -text | grep -qi '$serial'"
claim "status --json has the numbers" sh -c "scepctl ca rollover --config '$CONFIG' status --json | python3 -c '
import json, sys
p = json.load(sys.stdin)[0]
e = [e for e in p[\"endpoints\"] if e[\"name\"] == \"lab\"][0]
assert e[\"share\"] == 30 and e[\"devices\"] == $DEVICES and $n <= e[\"moved\"] <= $n + 1, e
assert p[\"from\"][\"name\"] == \"issuing\" and p[\"to\"][\"name\"] == \"next\" and p[\"from\"][\"validCertificates\"] > 0, p'"
claim "the audit trail says who moved" sh -c "scepctl audit list --config '$CONFIG' | grep -q 'rollover  *endpoint=\"lab\" from=\"issuing\" to=\"next\" share=30 before=0 who=\"$(id -un) (uid $(id -u)'"

# ---- a crash in the middle ----
kill -9 "$scepd_pid"; wait "$scepd_pid" 2>/dev/null
start_scepd || die "scepd starts again"
round restarted
claim "after kill -9 and a restart each device is where it was" cmp "$T/third.round" "$T/restarted.round"

# ---- further, back, to the end ----
rollover move lab --share 60 >/dev/null && taken_up 60
round further
claim "a greater share moves devices forward only" forward third further
claim "... and more of them" test "$(count further new)" -ge "$n"
claim "and back" rollover back lab
claim "... which the daemon takes up" taken_up 0
round back
claim "then every device is issued by the old CA again" all back old
rollover move lab --share 60 >/dev/null && taken_up 60
round once-more
claim "the same devices are moved the next time" cmp "$T/further.round" "$T/once-more.round"
claim "all of them" rollover move --all --share 100
claim "... which the daemon takes up" taken_up 100
round moved
claim "then every device is issued by the new CA" all moved new
claim "... GetCACert tells the new CA first" says "RA:new issuing:new root:new issuing:old root:old"
claim "... GetNextCACert is gone: 404, and no keyword" sh -c "test \"\$(curl -s -o /dev/null -w '%{http_code}' '$LAB?operation=GetNextCACert')\" = 404 &&
	! scep getcaps --url '$LAB' | grep -q GetNextCACert"
claim "... scep getnextca says that there is none" refused_with "has no next one" scep getnextca --url "$LAB"
# judged by the certificates of both: a device that has kept the old ones finds the answer signed by the RA that it encrypted to
cat "$T/old-certs.pem" "$T/ca/next/issuing.pem" >"$T/kept.pem"
claim "a device that has kept the old RA's certificate is served, and issued by the new CA" test "$(enrol_one 2 kept --server-certs "$T/kept.pem")" = new
claim "... and one that it refuses is told so by the RA it knows" refused_with "badRequest" scep enroll --url "$LAB" --subject "CN=evil.example" \
	--challenge-file "$T/ca/lab.secret" --key "$T/device.key" --out-dir "$T/evil" --server-certs "$T/old-certs.pem"
claim "an Intune device is issued by the new CA, and Intune told of it" sh -c "
	scep enroll --intune '$SIM' --device LAPTOP-7F3K2 --out-dir '$T/intune' --quiet &&
	openssl verify -x509_strict -CAfile '$T/ca/next/root.pem' -untrusted '$T/ca/next/issuing.pem' \$(find '$T/intune' -name cert.pem)"

# ---- the end of the old one ----
claim "retire is refused while certificates of the old CA are valid, with their number" refused_with "certificates of issuing are still valid" rollover retire issuing
claim "... and of a CA that issues" refused_with "endpoints still issue from next" rollover retire next
scepctl list --config "$CONFIG" --valid --ca issuing --json | grep -o '"serial": *"[0-9A-F]*"' | grep -o '[0-9A-F]\{8,\}' | while read -r s; do
	scepctl revoke --config "$CONFIG" "$s" --reason superseded >>"$T/claim.log" 2>&1
done
claim "status says what is next" sh -c "scepctl ca rollover --config '$CONFIG' status | grep -q \"next: 'scepctl ca rollover retire issuing'\""
claim "without any it is retired, and the line for scepd.yaml said" sh -c "scepctl ca rollover --config '$CONFIG' retire issuing | grep -q '^    issues: false'"
claim "check says that scepd.yaml does not know yet" sh -c "scepctl check --config '$CONFIG' | grep -qE '^warn +issuing +the CA is retired: set issues: false'"
claim "ca show --intune says that no profile is to choose it any more" sh -c "scepctl ca show --intune --config '$CONFIG' | grep -q '^It is retired: let no SCEP profile choose it'"
claim "there is no way back then" refused_with "is retired" rollover back lab
claim "the daemon tells the new CA alone" within 30 says "RA:new issuing:new root:new"
python3 - "$CONFIG" <<'EOF'
import sys
path = sys.argv[1]
text = open(path).read().replace("  issuing:\n", "  issuing:\n    issues: false\n", 1)
open(path, "w").write(text)
EOF
stop_scepd
start_scepd || die "scepd starts with issues: false"
round retired
claim "the old CA issues nothing, every device is issued by the new one" all retired new
claim "... and its revocation list is still answered" crl_is_by issuing "$T/ca/ca/issuing.pem"
claim "the audit chain is whole" scepctl audit verify --config "$CONFIG"
claim "nothing went wrong unnoticed" sh -c "! grep -E '^[^ ]+ error ' '$T/scepd.log'"
