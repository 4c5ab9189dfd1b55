#!/usr/bin/env bash
# approval: requests wait until an administrator has decided by the admin API, or a webhook that said "wait" says something else; before
# that there is no certificate, and after a no there is none either.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/kinds.sh"
printf 'only-for-those-who-know' >"$T/known"
printf 'something-else-entirely' >"$T/unknown"
printf 'a-secret-of-the-webhook' >"$T/hook.secret"
chmod 600 "$T/known" "$T/unknown" "$T/hook.secret"
rules() { printf '%s' "$1" >"$T/rules.new" && mv "$T/rules.new" "$T/rules.json"; }
rules '[{"subject": "CN=*", "decision": "wait", "reason": "ask the front desk"}]'
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/tls.key" -out "$T/tls.pem" -subj /CN=hook -addext subjectAltName=IP:127.0.0.1 -days 2 2>"$T/openssl.log"
hook_port=$(free_port) || die "a free port"
python3 "$SCEPD_TOP/docs/examples/webhook-receiver.py" --listen "127.0.0.1:$hook_port" --certificate "$T/tls.pem" --key "$T/tls.key" --secret-file "$T/hook.secret" \
	--rules "$T/rules.json" >"$T/hook.out" 2>"$T/hook.log" &
pids="$pids $!"
wait_for "$T/hook.out" $! || die "the receiver starts"
make_lab "
profiles:
  any: { san: { types: [dns] } }
endpoints:
  default: { ca: issuing, profile: any, challenge: approval }
  known: { ca: issuing, profile: any, challenge: approval, challenge_file: $T/known }
  hook: { ca: issuing, profile: any, challenge: webhook, webhook: { url: \"https://127.0.0.1:$hook_port/\", secret_file: $T/hook.secret, ca_file: $T/tls.pem } }"
TOKEN=$(new_token jane)
start_scepd || die "scepd starts"
count() { scepctl list --config "$CONFIG" --json 2>>"$T/claim.log" | grep -c '"serial"'; }
for k in a b c d e f g; do openssl genrsa -out "$T/$k.key" 2048 2>>"$T/openssl.log"; done
# pending ENDPOINT SUBJECT KEY [arguments]: PENDING (status 4), and no certificate
pending() {
	local status
	enrol "$1" "$2" --key "$T/$3.key" "${@:4}"
	status=$?
	cat "$T/enroll.out"
	[ $status = 4 ] && [ ! -e "$dev/cert.pem" ]
}
waiting() { [ "$(api GET "/api/v1/requests?state=pending&endpoint=$1")" = 200 ] && says "$2" 'len(a["items"])'; }
# id_of SUBJECT: of the request that waits
id_of() { [ "$(api GET "/api/v1/requests?state=pending")" = 200 ] && json "[r['id'] for r in a['items'] if r['subject'] == '$1'][0]"; }

# ---- an administrator ----
claim "R10: a request waits" pending default "CN=phone-1" a --san dns:phone-1.example
claim "R10: nothing is issued meanwhile" sh -c "[ $(count) = 0 ]"
claim "asking again it still waits, once" pending default "CN=phone-1" a --san dns:phone-1.example
claim "the list has it once" waiting default 1
claim "the list says what it is" says "('CN=phone-1', 'dns:phone-1.example', 'rsa2048', '127.0.0.1', 'any')" '(lambda r: (r["subject"], r["san"], r["key"], r["peer"], r["profile"]))(a["items"][0])'
claim "a gauge counts it" sh -c "curl -fsS '$ADMIN/metrics' | grep -q '^scepd_requests_waiting{endpoint=\"default\"} 1'"
id=$(id_of CN=phone-1)
claim "it is approved" answered 200 POST "/api/v1/requests/$id/approve" '{"reason":"seen in person"}'
claim "by somebody" says "('approved', 'api:jane', 'seen in person')" '(a["verdict"], a["decidedBy"], a["reason"])'
claim "once" answered 409 POST "/api/v1/requests/$id/deny"
claim "the device asks again and gets its certificate" enrolled default "CN=phone-1" --key "$T/a.key" --san dns:phone-1.example
claim "S13: an approval is for that request alone: another name waits" pending default "CN=phone-1-admin" a
claim "S13: and so does another key" pending default "CN=phone-1" b --san dns:phone-1.example
claim "one certificate was issued" sh -c "[ $(count) = 1 ]"
claim "it is denied" answered 200 POST "/api/v1/requests/$(id_of CN=phone-1-admin)/deny" '{"reason":"who is that?"}'
claim "R10: and stays so" refused "refused" default "CN=phone-1-admin" --key "$T/a.key"
claim "what the administrator said is for the log alone" sh -c "! grep -q 'who is that' '$T/enroll.out'"
claim "the audit tells who decided" sh -c "scepctl audit list --config '$CONFIG' | grep -q 'approve.*api:jane' && scepctl audit list --config '$CONFIG' | grep -q 'deny.*api:jane'"
claim "S04: with a challenge_file strangers do not even wait" refused "challenge password is wrong" known "CN=stranger" --key "$T/c.key" --challenge-file "$T/unknown"
claim "S03: nor without a challenge" refused "carries no challenge" known "CN=stranger" --key "$T/c.key"
claim "and are not listed" waiting known 0
claim "who knows it waits" pending known "CN=friend" c --challenge-file "$T/known"

# ---- a webhook that says "wait" ----
claim "wait is PENDING" pending hook "CN=visitor-1" d
claim "and listed" waiting hook 1
rules '[{"subject": "CN=visitor-*", "decision": "allow", "reason": "the front desk agrees"}]'
claim "asked again, the webhook allows" enrolled hook "CN=visitor-1" --key "$T/d.key"
claim "the list knows whose word that was" sh -c "curl -fsS -H 'Authorization: Bearer $TOKEN' '$ADMIN/api/v1/requests?endpoint=hook' | grep -q '\"decidedBy\":\"webhook\"'"
rules '[{"subject": "CN=*", "decision": "wait"}]'
claim "another one waits" pending hook "CN=visitor-2" e
rules '[{"subject": "CN=*", "decision": "deny"}]'
claim "asked again, the webhook denies" refused "the webhook of endpoint hook refused" hook "CN=visitor-2" --key "$T/e.key"
claim "and it waits no more" waiting hook 0
rules '[{"subject": "CN=*", "decision": "wait"}]'
claim "a third one waits" pending hook "CN=visitor-3" f
claim "an administrator may say yes meanwhile" answered 200 POST "/api/v1/requests/$(id_of CN=visitor-3)/approve"
claim "and the device gets its certificate" enrolled hook "CN=visitor-3" --key "$T/f.key"
claim "a fourth one waits" pending hook "CN=visitor-4" g
claim "an administrator may say no" answered 200 POST "/api/v1/requests/$(id_of CN=visitor-4)/deny"
rules '[{"subject": "CN=nobody", "decision": "allow"}]'
claim "which stands" refused "refused" hook "CN=visitor-4" --key "$T/g.key"
rules '[{"subject": "CN=visitor-*", "decision": "allow"}]'
claim "whatever the webhook says later" refused "an administrator has refused" hook "CN=visitor-4" --key "$T/g.key"
claim "the audit chain is whole" scepctl audit verify --config "$CONFIG"
