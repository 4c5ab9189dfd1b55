#!/usr/bin/env bash
# directory-changes: names that change hands, users who come back, a server that is killed, names that nobody can be asked about, a permission that is gone.
. "$(dirname "$0")/../lib/env.sh"
admin_port=$(free_port) || die "a free port"
make_ca --admin "127.0.0.1:$admin_port"
cat >>"$CONFIG" <<'YAML'
revocation: { interval: 1s, recheck: 1s, brake: { minimum: 1000 } }
rules:
  device-off: { when: device-disabled, then: hold }
  user-off: { when: user-disabled, then: hold }
  user-gone: { when: user-deleted, then: revoke }
YAML
start_intunesim
start_scepd || die "scepd starts"

t=$SIM/sim/tenants/contoso.com
app=2b9f0a6e-5a3d-4f0e-8b63-94f8f1d0a7c2
# api METHOD PATH [BODY], of the tenant
api() { curl -fsS -o /dev/null -X "$1" ${3:+-H 'Content-Type: application/json' -d "$3"} "$t/$2"; }
enrol() { scep enroll --intune "$SIM" --device "$1" --out-dir "$T/$1"; }
serial() { openssl x509 -in "$(find "$T/$1" -name cert.pem)" -noout -serial | sed 's/.*=//'; }
show() { scepctl show --config "$CONFIG" "$1"; }
shows() { show "$1" | grep -qE "$2"; }
is() { shows "$1" "^State +$2\$"; }
bound() { shows "$1" '^Bound .*by the ids'; }
# a_round: twice as many questions as a round has were answered, and rules had their second
asked() { curl -fsS "$SIM/sim/faults" | python3 -c 'import json,sys; print(json.load(sys.stdin)["requests"].get("graph", 0))'; }
a_round() { local i from; from=$(asked); for i in $(seq 600); do [ "$(asked)" -gt $((from + 12)) ] && { sleep 1.5; return 0; }; sleep 0.2; done; return 1; }

for d in LAPTOP-7F3K2 Omars-iPhone Sorens-MacBook-Pro; do claim "$d enrols" enrol "$d"; done
laptop=$(serial LAPTOP-7F3K2) phone=$(serial Omars-iPhone) mac=$(serial Sorens-MacBook-Pro)
for s in $laptop $phone $mac; do claim "$s is bound within seconds" within 10 bound "$s"; done
claim "the laptop: by Intune's id" shows "$laptop" '3e8d5a10-1111-4a4a-9c9c-000000000101'
claim "the laptop: by Entra's id of the device" shows "$laptop" '9a7b6c5d-1111-4b4b-8d8d-000000000201'
claim "the phone: by its user's id" shows "$phone" '0a1b2c3d-0001-4000-8000-000000000002'

# ---- names change, ids do not ----
claim "the user gets another name" api PATCH users/omar.haddad@contoso.com '{"upn":"omar.h@contoso.com"}'
claim "somebody else gets the old one" api POST users '{"upn":"omar.haddad@contoso.com","email":"o2@contoso.com"}'
claim "who is disabled" api PATCH users/omar.haddad@contoso.com '{"enabled":false}'
claim "the device gets another name" api PATCH devices/Omars-iPhone '{"name":"iPhone-of-sales"}'
claim "... all of which was heard" a_round
claim "the certificate stays good" is "$phone" valid
claim "and bound to whom it was" shows "$phone" '0a1b2c3d-0001-4000-8000-000000000002'
claim "its own user is disabled, by the new name" api PATCH users/omar.h@contoso.com '{"enabled":false}'
claim "and that holds" within 10 is "$phone" hold
claim "and the rule is named" shows "$phone" 'user-off'
claim "enabled again" api PATCH users/omar.h@contoso.com '{"enabled":true}'
claim "it is let go" within 10 is "$phone" valid

claim "the laptop is disabled in Entra" api PATCH devices/LAPTOP-7F3K2 '{"enabled":false}'
claim "and held" within 10 is "$laptop" hold
claim "nobody else is" is "$mac" valid
claim "enabled again, it is let go" api PATCH devices/LAPTOP-7F3K2 '{"enabled":true}'
claim "... within seconds" within 10 is "$laptop" valid

claim "a user in the recycle bin" api DELETE users/soren.oberg@contoso.com
claim "holds what would be revoked" within 10 is "$mac" hold
claim "a user who comes back" api POST deleted/0a1b2c3d-0001-4000-8000-000000000003/restore
claim "lets it go" within 10 is "$mac" valid

# ---- killed meanwhile ----
claim "the changes so far are not read again after kill -9" a_round
kill -9 "$scepd_pid" $(pgrep -P "$scepd_pid") 2>/dev/null
wait "$scepd_pid" 2>/dev/null
claim "meanwhile the user is disabled" api PATCH users/omar.h@contoso.com '{"enabled":false}'
# Of the latest 128 requests.
whole() { curl -fsS "$SIM/sim/requests" | grep -o '/delta?\$select' | wc -l; }
before=$(whole)
start_scepd || die "scepd starts again"
claim "it is seen" within 15 is "$phone" hold
claim "by the changes alone: no walk from the beginning" [ "$(whole)" -le "$before" ]
api PATCH users/omar.h@contoso.com '{"enabled":true}'
claim "and undone" within 10 is "$phone" valid

# ---- names that nobody can be asked about ----
claim "a profile that names nobody's name" api PATCH 'profiles/macOS%20user%20certificate' '{"subject":"CN=@{{UserName}}","san":[]}'
rm -rf "$T/Sorens-MacBook-Pro"
claim "the Mac enrols by it" enrol Sorens-MacBook-Pro
odd=$(serial Sorens-MacBook-Pro)
sleep 2
rm -rf "$T/LAPTOP-7F3K2"
claim "the laptop enrols behind it" enrol LAPTOP-7F3K2
claim "and is bound within seconds all the same" within 10 bound "$(serial LAPTOP-7F3K2)"
claim "the odd one is good, and bound to nobody" is "$odd" valid

fault() { curl -fsS -o /dev/null -X PUT -H 'Content-Type: application/json' -d "{\"rules\":[$1]}" "$SIM/sim/faults"; }
claim "Graph calls every question a bad one" fault '{"step":"graph","fault":"status","status":400,"body":"odata","text":"BadRequest"}'
api PATCH 'profiles/Windows%20device%20certificate' '{"san":[{"type":"uri","value":"IntuneDeviceId://{{DeviceId}}"}]}'
rm -rf "$T/LAPTOP-7F3K2"
claim "the laptop enrols" enrol LAPTOP-7F3K2
laptop=$(serial LAPTOP-7F3K2)
claim "the log says which certificate that is about" within 10 grep -qi "serial=$laptop ca=[^ ]* result=REFUSED" "$T/scepd.log"
claim "and it is not bound to nobody for that" shows "$laptop" '^Bound .*not yet'
fault ''
claim "but bound when Graph takes the question" within 60 bound "$laptop"

# ---- without permission ----
# A token keeps what it was given for; a new one is asked for by a new process.
stop_scepd
lines() { grep -c 'directory .*asked=users .*result=FAILED' "$T/scepd.log"; }
before=$(lines)
api PATCH apps/$app '{"permissions":["scep_challenge_provider","Application.Read.All","Device.Read.All"]}'
start_scepd || die "scepd starts without a permission"
claim "a permission that was taken away is noticed" within 30 sh -c "[ \$(grep -c 'directory .*asked=users .*result=FAILED' '$T/scepd.log') -gt $before ]"
claim "by its name" sh -c "grep 'asked=users .*result=FAILED' '$T/scepd.log' | tail -n 1 | grep -q User.Read.All"
sleep 3
claim "and said once" [ "$(lines)" = $((before + 1)) ]
claim "nobody is held or revoked for it" is "$phone" valid
claim "metrics tell how old each answer is" sh -c "curl -fsS 'http://127.0.0.1:$admin_port/metrics' | grep -q 'scepd_directory_age_seconds{.*asked=\"users\"}'"
claim "the audit chain is whole" scepctl audit verify --config "$CONFIG"
