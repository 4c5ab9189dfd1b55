#!/usr/bin/env bash
# verdict: what a network hears of a certificate, and what an administrator's program does to it by the admin API: held, released, revoked; the
# same everywhere, and nothing with a token that is for something else.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/kinds.sh"
. "$(dirname "$0")/../lib/relying.sh"
admin_port=$(free_port) || die "a free port"
lab_ca --admin "127.0.0.1:$admin_port"
ADMIN=http://127.0.0.1:$admin_port
sed -i '/^admin:/,/^[^ ]/s/^  address:/  tokens_file: admin.tokens\n&/' "$CONFIG"
radius=$(new_token radius --for verdict) desk=$(new_token desk --for status) otp=$(new_token mdm --for otp) sweeps=$(new_token chief --for sweeps)
start_scepd || die "scepd starts"
issue() { # NAME: $T/NAME, and its serial number in the variable of that name
	mkdir -p "$T/$1"
	scep enroll --url "$URL" --subject "CN=$1.lab.contoso.com" --challenge-file "$SECRET" --out-dir "$T/$1" >"$T/enroll-$1.log" 2>&1 || die "enrol $1"
	printf -v "$1" '%s' "$(serial_of "$T/$1/cert.pem")"
}
for name in laptop phone; do issue $name; done
C=/api/v1/certificates V=/api/v1/verdict

# ---- asked by RADIUS servers and gateways ----
TOKEN=$radius
claim "a certificate in use is good, by its serial number" answered 200 GET "$V?serial=$laptop"
claim "... and lets in" says "('good', True, 'good')" '(a["verdict"], a["admit"], a["status"]["state"])'
claim "... with what it is" says "('CN=laptop.lab.contoso.com', 'issuing', 'lab')" '(a["certificate"]["subject"], a["certificate"]["ca"], a["certificate"]["profile"])'
claim "... bound to nobody, as it names nobody of a directory" says "none" 'a["bound"]["state"]'
claim "a serial number in the manner of FreeRADIUS" answered 200 GET "$V?serial=$(tr 'A-F' 'a-f' <<<"$laptop")&ca=issuing"
claim "... is understood" says good 'a["verdict"]'
claim "of another CA it is none that is known" answered 200 GET "$V?serial=$laptop&ca=other"
claim "... which does not let in, and tells nothing of ours" says "('unknown', False, None)" '(a["verdict"], a["admit"], a["certificate"])'
claim "a serial number that was never given is unknown" answered 200 GET "$V?serial=4711"
claim "... with words" says "no certificate of this server has that serial number" 'a["text"]'
whole() { python3 -c 'import json,sys; print(json.dumps({"certificate": open(sys.argv[1]).read()}))' "$1"; }
base64_of() { printf '{"certificate":"%s"}' "$(openssl x509 -in "$1" -outform DER | base64 -w0)"; }
claim "a whole certificate in PEM" answered 200 POST $V "$(whole "$T/laptop/cert.pem")"
claim "... is good" says good 'a["verdict"]'
claim "a whole certificate in base64 of DER" answered 200 POST $V "$(base64_of "$T/phone/cert.pem")"
claim "... is good" says good 'a["verdict"]'
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$T/forged.key" -out "$T/forged.pem" -subj "/CN=laptop.lab.contoso.com" -set_serial "0x$laptop" >>"$T/server.log" 2>&1
claim "somebody else's certificate with a serial number of ours" answered 200 POST $V "$(whole "$T/forged.pem")"
claim "... is unknown" says "('unknown', None)" '(a["verdict"], a["certificate"])'
claim "what is no serial number is an error, and no verdict" answered 400 GET "$V?serial=laptop"
claim "so is nothing at all" answered 400 GET "$V"
claim "so is a body with another member" answered 400 POST $V "{\"serial\":\"$laptop\",\"trust\":true}"
claim "this token does not look at lists" answered 403 GET $C
claim "nor hold" answered 403 POST "$C/$laptop/hold"
TOKEN=$otp claim "a token for passwords gets no verdict" answered 403 GET "$V?serial=$laptop"
claim "nor does who has none" sh -c "[ \$(curl -s -o /dev/null -w '%{http_code}' '$ADMIN$V?serial=$laptop') = 401 ]"
claim "nothing of it is on a public listener" sh -c "[ \$(curl -s -o /dev/null -w '%{http_code}' -u 'radius:$radius' '$SCEPD$V?serial=$laptop') = 404 ]"

# ---- FreeRADIUS's rlm_rest ----
ski_of() { openssl x509 -in "$T/$1/cert.pem" -noout -ext subjectKeyIdentifier | tail -n 1 | tr -d ' '; }
claim "a serial number and its key" answered 200 GET "$V?serial=$laptop&ski=$(ski_of laptop)"
claim "... is good" says good 'a["verdict"]'
claim "a serial number and another key" answered 200 GET "$V?serial=$laptop&ski=$(ski_of phone)"
claim "... is unknown" says unknown 'a["verdict"]'
plain() { [ "$(api GET "$V/radius?serial=$1&ski=$(ski_of laptop)")" = "$2" ] && cat "$T/api.out" && grep -qE -e "$3" "$T/api.out"; }
claim "rlm_rest: good is 200, with attributes that are not expanded" plain "$laptop" 200 '"control:Tmp-String-0":\{"do_xlat":false,"is_json":false,"op":":=","value":\["good"\]\}'
claim "rlm_rest: a serial number alone is not enough" answered 400 GET "$V/radius?serial=$laptop&ski="
claim "rlm_rest: unknown is 404" plain 4711 404 'no certificate of this server'

# ---- held, released, revoked ----
ocsp_says() { openssl ocsp -CAfile "$ROOT" -issuer "$ISSUING" -cert "$T/$1/cert.pem" -url "$SCEPD/ocsp/issuing" 2>/dev/null >"$T/ocsp"; cat "$T/ocsp"; grep -qE -e "$2" "$T/ocsp"; }
crl_has() { get_crl "$T/crl.pem" && openssl crl -in "$T/crl.pem" -noout -text | grep -A5 "Serial Number: $1" >"$T/entry"; cat "$T/entry"; grep -qE -e "$2" "$T/entry"; }
crl_lacks() { get_crl "$T/crl.pem" && ! openssl crl -in "$T/crl.pem" -noout -text | grep "Serial Number: $1"; }
verdict_is() { TOKEN=$radius; answered 200 GET "$V?serial=$1" && says "$2" 'a["verdict"]'; }
TOKEN=$desk
claim "the help desk holds a laptop that is lost" answered 200 POST "$C/$laptop/hold" '{"comment":"ticket 4711"}'
claim "... and sees what it has done" says "('hold', 'manual', 'api:desk', 'ticket 4711')" \
	'(a["status"]["state"], a["status"]["causes"][0]["source"], a["status"]["causes"][0]["who"], a["status"]["causes"][0]["comment"])'
claim "the verdict is the same, at once" verdict_is "$laptop" hold
claim "... and says why" says True '"ticket 4711" in a["text"] and a["admit"] is False'
TOKEN=$radius claim "rlm_rest: a hold is 403, with the reason as text" plain "$laptop" 403 'ticket 4711'
claim "OCSP says certificateHold" ocsp_says laptop 'Reason: certificateHold'
claim "the CRL says it soon" within 30 crl_has "$laptop" 'Certificate Hold'
TOKEN=$desk
claim "the list shows what is held" answered 200 GET "$C?state=hold"
claim "... and nothing else" says "['$laptop']" '[r["serial"] for r in a["items"]]'
claim "found again: released" answered 200 POST "$C/$laptop/release" '{"comment":"found in the bag"}'
claim "... it is good" says good 'a["status"]["state"]'
claim "the verdict is the same, at once" verdict_is "$laptop" good
claim "OCSP is good again" within 15 ocsp_says laptop ': good'
claim "the CRL has it no more, soon" within 30 crl_lacks "$laptop"
TOKEN=$desk
claim "held for seconds" answered 200 POST "$C/$phone/hold" "{\"until\":\"$(date -u -d '+10 seconds' +%Y-%m-%dT%H:%M:%SZ)\"}"
claim "a hold that is over in the past is none" answered 400 POST "$C/$phone/hold" '{"until":"2020-01-01T00:00:00Z"}'
claim "a revocation wants a reason" answered 400 POST "$C/$laptop/revoke" '{}'
claim "... one that there is" answered 400 POST "$C/$laptop/revoke" '{"reason":"certificateHold"}'
claim "revoked" answered 200 POST "$C/$laptop/revoke" '{"reason":"keyCompromise","comment":"it was stolen"}'
claim "... with the reason" says "('revoked', 'keyCompromise')" '(a["status"]["state"], a["status"]["reason"])'
claim "the verdict is the same" verdict_is "$laptop" revoked
claim "so is OCSP's" ocsp_says laptop 'Reason: keyCompromise'
TOKEN=$desk
claim "it is not released any more" answered 409 POST "$C/$laptop/release"
held_beside() { api POST "$C/$laptop/hold" >>"$T/claim.log"; answered 200 GET "$C/$laptop" && says revoked 'a["status"]["state"]'; }
claim "a hold does not make it less revoked" held_beside
claim "what was never issued can't be revoked" answered 404 POST "$C/4711/revoke" '{"reason":"superseded"}'
TOKEN=$sweeps
claim "no sweep waits" answered 200 GET /api/v1/sweeps
claim "... and the list says so" says "([], None)" '(a["items"], a["next"])'
claim "one that there is not is not approved" answered 404 POST /api/v1/sweeps/1/approve
claim "... nor looked at" answered 404 GET /api/v1/sweeps/1/turns
TOKEN=$desk claim "nor anything with a token for certificates" answered 403 POST /api/v1/sweeps/1/approve
TOKEN=$sweeps claim "a token for sweeps does not revoke" answered 403 POST "$C/$phone/revoke" '{"reason":"superseded"}'
claim "the hold for seconds has come to its end by itself, within a minute" within 75 verdict_is "$phone" good
claim "... which the log tells" logged " status msg=.*holds have come to their end"
claim "the log tells who did it" logged " admin what=revoke serial=$laptop ca=[^ ]* who=api:desk"
claim "the audit, too" sh -c "scepctl audit list --config '$CONFIG' | grep -E 'who=\"?api:desk' | grep -q 'it was stolen'"
claim "the audit chain is whole" scepctl audit verify --config "$CONFIG"

# ---- a long list ----
# Certificates as a year leaves them, none of which a pattern fits, and at last one.
many() {
	sqlite3 "$T/ca/scepd.db" "PRAGMA busy_timeout = 9000; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
		INSERT INTO cert(serial, tx_id, audit, issued, not_before, not_after, ca, endpoint, profile, subject, thumbprint, der)
		SELECT randomblob(16), 0, 1, 5, 5, 4000000000, 'issuing', 'lab', 'lab', CASE i WHEN 20000 THEN 'CN=needle' ELSE 'CN=hay' END, '', x'30' FROM n" >>"$T/claim.log"
}
TOKEN=$desk
many || die "many certificates"
claim "a list that nothing fits is not walked to its end by one call" answered 200 GET "$C?match=*needle*"
claim "... it is empty and says where to go on" says "([], 10000)" '(a["items"], a["next"])'
follow() {
	local next=0 calls=0
	while [ "$next" != None ] && [ $calls -lt 9 ]; do
		answered 200 GET "$C?match=*needle*&after=$next" || return 1
		says "['CN=needle']" '[c["subject"] for c in a["items"]]' && echo "found by call $calls" && return 0
		next=$(json 'a["next"]') calls=$((calls + 1))
	done
	return 1
}
claim "... and whoever does finds what is there" follow
scepctl list --config "$CONFIG" --match needle >"$T/list" || die "scepctl list"
claim "scepctl list looks at all" grep -q 'CN=needle' "$T/list"
claim "no token stands in the log" sh -c "! grep -qF -e '$radius' -e '$desk' '$T/scepd.log'"
