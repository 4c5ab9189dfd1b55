#!/usr/bin/env bash
# webhook: an outside service decides, by the receiver of docs/examples; and whatever is no decision is no certificate (S21).
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/kinds.sh"

# ---- the service, with a certificate that only ca_file trusts ----
mkdir -p "$T/hook"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/hook/tls.key" -out "$T/hook/tls.pem" -subj /CN=hook -addext subjectAltName=IP:127.0.0.1 -days 2 2>"$T/hook/openssl.log"
head -c 32 /dev/urandom | base64 | sed 's/^/whsec_/' >"$T/hook/secret"
printf 'static-words-for-the-hook' >"$T/hook/challenge"
chmod 600 "$T/hook/secret" "$T/hook/challenge"
rules() { printf '%s' "$1" >"$T/hook/rules.json.new" && mv "$T/hook/rules.json.new" "$T/hook/rules.json"; }
rules '[{"subject": "CN=good-*", "decision": "allow", "reason": "in the list"},
	{"challenge": "let-me-in-please", "decision": "allow"},
	{"subject": "CN=bad*", "decision": "deny", "reason": "stolen last week"},
	{"subject": "CN=later*", "decision": "wait", "reason": "ask the front desk"}]'
start_hook() {
	: >"$T/hook/out"
	python3 "$SCEPD_TOP/docs/examples/webhook-receiver.py" --listen "127.0.0.1:$hook_port" --certificate "$T/hook/tls.pem" --key "$T/hook/tls.key" \
		--secret-file "$T/hook/secret" --rules "$T/hook/rules.json" >"$T/hook/out" 2>>"$T/hook/err.log" &
	hook_pid=$!
	pids="$pids $hook_pid"
	wait_for "$T/hook/out" "$hook_pid" || die "the receiver starts"
}
hook_port=$(free_port) || die "a free port"
start_hook
python3 "$SCEPD_TOP/tests/lib/webhook_bad.py" "$T/hook/tls.pem" "$T/hook/tls.key" >"$T/hook/bad.port" 2>"$T/hook/bad.log" &
pids="$pids $!"
wait_for "$T/hook/bad.port" $! || die "the bad service starts"
bad=https://127.0.0.1:$(cat "$T/hook/bad.port")
HOOK="url: \"https://127.0.0.1:$hook_port/decide\", secret_file: $T/hook/secret, ca_file: $T/hook/tls.pem"
wrongs="500 403 201 html empty array string missing unknown true twice behind cut utf16 huge redirect hangup slow"
endpoints="
  default: { ca: issuing, profile: any, challenge: webhook, webhook: { $HOOK } }
  both: { ca: issuing, profile: any, challenge: webhook, challenge_file: $T/hook/challenge, webhook: { $HOOK } }
  sends: { ca: issuing, profile: any, challenge: webhook, webhook: { $HOOK, send_challenge: true } }
  untrusted: { ca: issuing, profile: any, challenge: webhook, webhook: { url: \"$bad/allow\", secret_file: $T/hook/secret } }
  wrong-allow: { ca: issuing, profile: any, challenge: webhook, webhook: { url: \"$bad/allow\", secret_file: $T/hook/secret, ca_file: $T/hook/tls.pem } }"
for w in $wrongs; do
	endpoints="$endpoints
  wrong-$w: { ca: issuing, profile: any, challenge: webhook, webhook: { url: \"$bad/$w\", secret_file: $T/hook/secret, ca_file: $T/hook/tls.pem, timeout: 2s } }"
done
make_lab "
profiles:
  any: { san: { types: [dns] } }
endpoints:$endpoints"
TOKEN=$(new_token jane)
check() { scepd --config "$1" --check >"$T/check.out" 2>&1; }
refuses_config() { # SED WORDS
	sed "$1" "$CONFIG" >"$T/ca/other.yaml"
	! check "$T/ca/other.yaml" && grep -q -e "$2" "$T/check.out"
}
claim "the configuration is good" check "$CONFIG"
claim "plain HTTP beyond this machine is a mistake in scepd.yaml" refuses_config "s|https://127.0.0.1:$hook_port|http://hook.example.com|" "webhook.url: has to be https"
claim "S23: a tenant beside a webhook is one" refuses_config "s|challenge: webhook, webhook|challenge: webhook, tenant: contoso, webhook|" "tenant"
start_scepd || die "scepd starts"
count() { scepctl list --config "$CONFIG" --json 2>>"$T/claim.log" | grep -c '"serial"'; }

# ---- decisions ----
claim "allow" enrolled default "CN=good-1"
claim "and the same message again gets the same certificate" enrolled default "CN=good-2" --repeat 1
claim "deny is a refusal" refused "badRequest: the webhook of endpoint default refused" default "CN=bad-1"
claim "whose reason is for the log alone" logged 'it said: .*stolen last week'
claim "the device is not told it" sh -c "! grep -q stolen '$T/enroll.out'"
claim "what fits no rule is refused" refused "the webhook of endpoint default refused" default "CN=nobody"
claim "a static challenge comes first where there is one" refused "challenge" both "CN=good-3"
claim "then the webhook" enrolled both "CN=good-3" --challenge-file "$T/hook/challenge"
claim "and it still has its say" refused "the webhook of endpoint both refused" both "CN=bad-3" --challenge-file "$T/hook/challenge"
printf 'let-me-in-please' >"$T/hook/sent"
chmod 600 "$T/hook/sent"
claim "the challenge is told where that is wanted" enrolled sends "CN=who" --challenge-file "$T/hook/sent"
claim "S03: and has to be there then" refused "carries no challenge" sends "CN=good-4"
claim "and not told elsewhere" refused "refused the request" default "CN=who" --challenge-file "$T/hook/sent"

# ---- what is no decision (S21) ----
before=$(count)
claim "the wrong service can be right" enrolled wrong-allow "CN=x"
for w in $wrongs; do
	claim "S21: no certificate from an answer that is wrong: $w" refused "could not complete the request; try again later" "wrong-$w" "CN=x"
done
claim "S21: nor where its certificate is not trusted" refused "try again later" untrusted "CN=x"
claim "S21: nothing was issued for any of them" sh -c "[ $(count) = $((before + 1)) ]"
claim "the log says what was wrong" logged 'step=auth.*gave no decision: HTTP 500.*hint='
claim "a redirect is not followed" sh -c "! grep -A1 'asked redirect' '$T/hook/bad.log' | grep -q 'asked allow'"
claim "they are counted" sh -c "[ '$(metric scepd_webhook_errors_total)' -ge 19 ] && [ '$(metric scepd_webhook_questions_total)' -gt '$(metric scepd_webhook_errors_total)' ]"

# ---- silence ----
kill "$hook_pid"; wait "$hook_pid" 2>/dev/null
for i in 1 2 3 4 5; do claim "S21: no service, no certificate ($i)" refused "try again later" default "CN=good-9"; done
# Held off for half a second at first, and twice that after each try.
held_off() { for _ in $(seq 20); do refused "try again later" default "CN=good-9" || return 1; logged "not asked, since [0-9]+ questions in a row had no answer" && return 0; done; return 1; }
claim "after five without an answer nobody waits for it" held_off
claim "that is a line, and a gauge" sh -c "grep -q 'webhook .*endpoint default: the webhook does not answer' '$T/scepd.log' && curl -fsS '$ADMIN/metrics' | grep -q '^scepd_webhook_breaker_open{endpoint=\"default\"} 1'"
start_hook
claim "it is asked again by itself" within 60 enrolled default "CN=good-9"
claim "and the log tells" logged "endpoint default: the webhook answers again"

# ---- another secret ----
printf 'another-secret-that-scepd-has-alone' >"$T/hook/secret"
kill -HUP "$scepd_pid"
claim "another secret is read at SIGHUP" logged_within 5 "endpoint default: the webhook's secret is read again"
claim "the page's receiver runs as docs/webhook.md calls it" sh -c "'$SCEPD_TOP/docs/examples/webhook-receiver.py' --help | grep -q secret-file"
claim "a question with another signature is not answered by the receiver" refused "try again later" default "CN=good-7"
claim "and the log says where to look" logged 'gave no decision: HTTP 401" hint="has the service the secret'
claim "S32: no challenge and no secret stands in the log" sh -c "! grep -qF -e let-me-in-please -e static-words -e whsec_ -e another-secret '$T/scepd.log'"
