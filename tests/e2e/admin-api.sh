#!/usr/bin/env bash
# admin-api: the admin API is for those who have a token and for nobody else; what it takes is checked, and what it did is told.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/kinds.sh"
make_lab '
profiles:
  lab: { subject: { allow: ["CN=*.lab.example"] }, san: { types: [] } }
endpoints:
  default: { ca: issuing, profile: lab, challenge: otp }
  asks: { ca: issuing, profile: lab, challenge: approval, decide_within: 1h }'

# ---- the configuration ----
scepd --config "$CONFIG" --check >"$T/check.out" 2>&1
claim "without a tokens file scepd says how to make one" grep -q "scepctl admin token" "$T/check.out"
claim "a token is made" sh -c "scepctl admin token --config '$CONFIG' jane >'$T/jane' 2>>'$T/claim.log' && [ \$(wc -c <'$T/jane') = 44 ]"
claim "the file is the owner's alone" sh -c "[ \$(stat -c %a '$T/ca/admin.tokens') = 600 ]"
claim "S32: and holds no token" sh -c "! grep -qF \"\$(cat '$T/jane')\" '$T/ca/admin.tokens'"
claim "a second one of that name is not" sh -c "! scepctl admin token --config '$CONFIG' jane"
claim "scepd --check says ok, and tells of nothing that it keeps" sh -c "scepd --config '$CONFIG' --check >'$T/check.out' 2>&1 && [ \$(grep -c . '$T/check.out') = 1 ]"
claim "tokens are listed" sh -c "scepctl admin list --config '$CONFIG' | grep -q '^jane  *otp,requests'"
claim "scepctl check looks at the file" sh -c "scepctl check --config '$CONFIG' | grep -q 'admin API is for those who have a token'"
sed "s/127.0.0.1:$admin_port/0.0.0.0:$admin_port/" "$CONFIG" >"$T/ca/open.yaml"
claim "S20: tokens on plain HTTP beyond loopback are a mistake in scepd.yaml" sh -c "! scepd --config '$T/ca/open.yaml' --check >'$T/open.out' 2>&1 && grep -q 'admin.tokens_file: needs HTTPS' '$T/open.out'"
echo 'nonsense' >>"$T/ca/admin.tokens"
claim "a line that is none is named" sh -c "! scepd --config '$CONFIG' --check >'$T/bad.out' 2>&1 && grep -q 'admin.tokens: line 2: not of the form' '$T/bad.out'"
sed -i '$d' "$T/ca/admin.tokens"

start_scepd || die "scepd starts"
TOKEN=$(cat "$T/jane")

# ---- who ----
status() { curl -sS -o "$T/api.out" -w '%{http_code}' "$@"; }
gets() { local want=$1 got; shift; got=$(status "$@"); echo "$* -> $got: $(cat "$T/api.out")"; [ "$got" = "$want" ]; }
claim "S20: no token, no API" gets 401 "$ADMIN/api/v1/otp"
claim "S20: nor the page of NDES" gets 401 "$ADMIN/certsrv/mscep_admin/"
claim "S20: nor what there is" gets 401 "$ADMIN/api/v1/nothing"
claim "S20: neither is on a public listener" gets 404 -u "jane:$TOKEN" "$SCEPD/api/v1/otp"
claim "S20: mscep_admin is not on a public listener" sh -c "[ \$(curl -s -o /dev/null -w '%{http_code}' -u 'jane:$TOKEN' '$SCEPD/certsrv/mscep_admin/') = 404 ]"
claim "Bearer" gets 200 -H "Authorization: Bearer $TOKEN" "$ADMIN/api/v1/otp"
claim "Basic, with the name" gets 200 -u "jane:$TOKEN" "$ADMIN/api/v1/otp"
claim "Basic with another's name is wrong" gets 401 -u "joe:$TOKEN" "$ADMIN/api/v1/otp"
claim "metrics and health need none" gets 200 "$ADMIN/healthz"
claim "a page of another site asks in vain" gets 403 -H "Sec-Fetch-Site: cross-site" -u "jane:$TOKEN" "$ADMIN/api/v1/otp"
claim "nor by a form without a field, from a browser that says no more than its origin" gets 403 -X POST -H "Origin: http://evil.example" -u "jane:$TOKEN" "$ADMIN/api/v1/requests/1/approve"
claim "nor from a page that hides its origin" gets 403 -X POST -H "Origin: null" -u "jane:$TOKEN" "$ADMIN/api/v1/requests/1/approve"
claim "a page of its own may" gets 404 -X POST -H "Origin: $ADMIN" -u "jane:$TOKEN" "$ADMIN/api/v1/requests/1/approve"
claim "a form is no JSON" gets 415 -u "jane:$TOKEN" -d endpoint=default "$ADMIN/api/v1/otp"
scepctl admin token --config "$CONFIG" --for otp mdm >"$T/mdm" 2>>"$T/claim.log"
kill -HUP "$scepd_pid"
taken_up() { gets 200 -H "Authorization: Bearer $(cat "$T/mdm")" "$ADMIN/api/v1/otp"; }
claim "a new token is taken up at SIGHUP" within 10 taken_up
claim "a token for passwords does not decide" gets 403 -H "Authorization: Bearer $(cat "$T/mdm")" "$ADMIN/api/v1/requests"

# ---- what ----
claim "a password is made" answered 201 POST /api/v1/otp '{"endpoint":"default","subject":"CN=a.lab.example","uses":3,"lifetime":"2h","comment":"für Søren"}'
otp_id=$(json 'a["id"]')
claim "its secret comes once" says True 'len(a["secret"]) > 30'
claim "an answer is not for caches" sh -c "curl -sSi -u 'jane:$TOKEN' '$ADMIN/api/v1/otp' | grep -qi '^cache-control: no-store'"
claim "the list has it" answered 200 GET "/api/v1/otp?endpoint=default"
claim "without its secret" says "(1, 'für Søren', False)" '(len(a["items"]), a["items"][0]["comment"], "secret" in a["items"][0])'
claim "pages" answered 200 GET "/api/v1/otp?limit=1"
claim "the next page is named" says "$otp_id" 'a["next"]'
claim "and empty" sh -c "curl -fsS -u 'jane:$TOKEN' '$ADMIN/api/v1/otp?limit=1&after=$otp_id' | grep -q '\"items\":\[\]'"
claim "it is revoked" answered 204 DELETE "/api/v1/otp/$otp_id"
claim "once" answered 409 DELETE "/api/v1/otp/$otp_id"
claim "there is no other" answered 404 DELETE /api/v1/otp/99999
claim "no such thing" answered 404 GET /api/v1/otp/1/2
claim "not this method" answered 405 PUT /api/v1/otp
for bad in '' '[]' '{' '{"endpoint":"default","subjct":"CN=a"}' '{"endpoint":7}' '{"endpoint":"default","uses":0}' '{"endpoint":"default","uses":"3"}' \
	'{"endpoint":"default","lifetime":-1}' '{"endpoint":"default","lifetime":"soon"}' '{"endpoint":"default","endpoint":"default"}' \
	'{"endpoint":"default","comment":"a\u0000b"}' '{"endpoint":"default","comment":"a\nb"}' '{"endpoint":"asks"}' '{"endpoint":"default","subject":"printer"}'; do
	claim "not taken: $bad" answered 400 POST /api/v1/otp "$bad"
done
claim "nobody could use it: the profile takes no such name" answered 400 POST /api/v1/otp '{"endpoint":"default","subject":"CN=a.lab.exampel"}'
claim "nor such an attribute" answered 400 POST /api/v1/otp '{"endpoint":"default","subject":"CN=a.lab.example,XY=b"}'
claim "no endpoint of that name" answered 404 POST /api/v1/otp '{"endpoint":"nowhere"}'
head -c 20000 /dev/zero | tr '\0' ' ' >"$T/long"
claim "a body that is too long is refused" sh -c "[ \$(curl -sS -o /dev/null -w '%{http_code}' -u 'jane:$TOKEN' -H 'Content-Type: application/json' --data-binary @'$T/long' '$ADMIN/api/v1/otp') -ge 400 ]"
claim "nothing waits" answered 200 GET "/api/v1/requests?state=pending"
claim "and nobody decides on it" answered 404 POST /api/v1/requests/1/approve
claim "no such state" answered 400 GET "/api/v1/requests?state=maybe"
claim "what was made and refused is logged, with who" sh -c "grep -q 'admin what=otp-new id=.* who=api:jane' '$T/scepd.log' && grep -q 'admin what=otp-revoke' '$T/scepd.log'"
claim "and is in the audit" sh -c "scepctl audit list --config '$CONFIG' | grep -q 'otp-new.*api:jane'"

claim "a token that is not for what was asked is logged by its name" logged 'security.*not good for what was asked" who=mdm ip='

# ---- too often ----
for _ in $(seq 12); do status -H "Authorization: Bearer wrong" "$ADMIN/api/v1/otp" >"$T/last"; done
claim "after ten wrong tokens in a minute an address is not looked at" sh -c "[ \$(cat '$T/last') = 429 ]"
claim "nor with a good one" gets 429 -u "jane:$TOKEN" "$ADMIN/api/v1/otp"
claim "wrong tokens are logged" logged "security.*a wrong token for the admin API.*ip=127.0.0.1"
claim "and counted" sh -c "[ '$(metric scepd_admin_denied_total)' -ge 12 ] && [ '$(metric scepd_admin_requests_total)' -ge 20 ]"
claim "S32: no token stands in the log" sh -c "! grep -qF -e '$TOKEN' -e \"\$(cat '$T/mdm')\" '$T/scepd.log'"
scepctl admin revoke --config "$CONFIG" jane
claim "a revoked token is gone from the list" sh -c "! scepctl admin list --config '$CONFIG' | grep -q jane"
stop_scepd

# ---- HTTPS ----
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/ca/admin.key" -out "$T/ca/admin.pem" -subj /CN=admin -addext subjectAltName=IP:127.0.0.1 -days 2 2>>"$T/claim.log"
chmod 600 "$T/ca/admin.key"
sed -i "s|^admin: .*|admin: { address: \"0.0.0.0:$admin_port\", certificate: admin.pem, key: admin.key, tokens_file: admin.tokens }|" "$CONFIG"
start_scepd || die "scepd starts with HTTPS for the administrator"
claim "the admin listener speaks HTTPS" gets 200 --cacert "$T/ca/admin.pem" -H "Authorization: Bearer $(cat "$T/mdm")" "https://127.0.0.1:$admin_port/api/v1/otp"
claim "and the revoked token is worth nothing" gets 401 --cacert "$T/ca/admin.pem" -H "Authorization: Bearer $TOKEN" "https://127.0.0.1:$admin_port/api/v1/otp"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/ca/admin.key.new" -out "$T/ca/admin.pem.new" -subj /CN=renewed -addext subjectAltName=IP:127.0.0.1 -days 2 2>>"$T/claim.log"
chmod 600 "$T/ca/admin.key.new"
mv "$T/ca/admin.key.new" "$T/ca/admin.key" && mv "$T/ca/admin.pem.new" "$T/ca/admin.pem"
kill -HUP "$scepd_pid"
renewed() { gets 200 --cacert "$T/ca/admin.pem" "https://127.0.0.1:$admin_port/healthz"; }
claim "a certificate that was replaced is taken up" within 10 renewed
