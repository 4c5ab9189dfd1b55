#!/usr/bin/env bash
# graph-days: every bad day of the directory: nobody is revoked or held wrongly, nobody let go, and nothing of what happened meanwhile is forgotten.
. "$(dirname "$0")/../lib/env.sh"
make_ca
cat >>"$CONFIG" <<'EOF2'
revocation: { interval: 1s, recheck: 1s, brake: { minimum: 1000 } }
rules:
  disabled: { when: device-disabled, then: hold }
  gone: { when: device-deleted, then: revoke }
  wiped: { when: device-wiped, then: revoke }
  user-gone: { when: user-deleted, then: revoke }
  user-off: { when: user-disabled, then: hold }
  lapsed: { when: not-compliant, then: hold }
EOF2
start_intunesim
start_scepd || die "scepd starts"
t=$SIM/sim/tenants/contoso.com
api() { curl -fsS -X "$1" ${3:+-H 'Content-Type: application/json' -d "$3"} "$2" >/dev/null; }
enrol() { scep enroll --intune "$SIM" --device "$1" --out-dir "$T/$1"; }
serial() { openssl x509 -in "$(find "$T/$1" -name cert.pem)" -noout -serial | sed 's/.*=//'; }
state_is() { scepctl show --config "$CONFIG" "$1" | grep -qE "^State +$2\$"; }
for d in LAPTOP-7F3K2 Omars-iPhone Sorens-MacBook-Pro; do claim "$d enrols" enrol "$d"; done
laptop=$(serial LAPTOP-7F3K2) phone=$(serial Omars-iPhone) mac=$(serial Sorens-MacBook-Pro)
bound() { scepctl show --config "$CONFIG" "$1" | grep -q '^Bound .*by the ids'; }
for s in $laptop $phone $mac; do claim "$s is bound" within 20 bound "$s"; done
claim "the Mac's user is disabled, which holds" api PATCH "$t/users/$(curl -fsS "$t/devices/Sorens-MacBook-Pro" | python3 -c 'import json,sys; print(json.load(sys.stdin)["user"])')" '{"enabled":false}'
claim "... before the bad days begin" within 10 state_is "$mac" hold

n=0
# meanwhile WHAT RULE: while this lasts the phone is disabled, and nothing changes; afterwards that is seen, and the phone's return
meanwhile() {
	local what=$1 rule=$2
	n=$((n + 1))
	api PUT "$SIM/sim/faults" "{\"seed\":$n,\"rules\":[$rule]}" || { not_ok "$what: the rule is taken"; return; }
	api PATCH "$t/devices/Omars-iPhone" '{"enabled":false}' || not_ok "$what: the phone is disabled"
	sleep "${3:-3}"
	claim "$what: the laptop is good" state_is "$laptop" valid
	claim "$what: the Mac is held" state_is "$mac" hold
	api DELETE "$SIM/sim/faults"
	claim "$what: the phone's end is seen afterwards" within 90 state_is "$phone" hold
	api PATCH "$t/devices/Omars-iPhone" '{"enabled":true}'
	claim "$what: and its return" within 20 state_is "$phone" valid
}
g() { printf '{"step":"graph",%s}' "$1"; }
meanwhile "401" "$(g '"fault":"status","status":401')"
meanwhile "403" "$(g '"fault":"status","status":403,"body":"odata"')"
meanwhile "429" "$(g '"fault":"status","status":429,"retryAfter":1')"
meanwhile "500" "$(g '"fault":"status","status":500')"
meanwhile "404 for everything" "$(g '"fault":"status","status":404,"body":"odata","text":"Request_ResourceNotFound"')"
meanwhile "404 from a gateway" "$(g '"fault":"status","status":404,"body":"html"')"
meanwhile "an empty body" "$(g '"fault":"empty"')"
meanwhile "an empty page" "$(g '"fault":"status","status":200,"body":"text","text":"{\"value\":[]}"')"
meanwhile "half a page" "$(g '"fault":"cut","sent":50')"
meanwhile "pages without their list" "$(g '"fault":"drop","member":"value"')"
meanwhile "objects without ids" "$(g '"fault":"drop","member":"id"')"
meanwhile "objects that tell nothing of being enabled" "$(g '"fault":"drop","member":"accountEnabled"')"
meanwhile "no JSON" "$(g '"fault":"garbage","text":"<html>"')"
meanwhile "no token" '{"step":"token","fault":"status","status":503}'
meanwhile "yesterday's delta token" "$(g '"fault":"status","status":410,"body":"odata","text":"resyncRequired","times":4')"
claim "nobody was revoked" sh -c "! scepctl list --config '$CONFIG' --revoked --json | grep -q '\"revoked\"'"
claim "the log says when the directory failed, and when it was back" sh -c "grep -q 'directory .*result=FAILED' '$T/scepd.log' && grep -q 'directory .*result=RECOVERED' '$T/scepd.log'"
claim "the audit chain is whole" scepctl audit verify --config "$CONFIG"
