#!/usr/bin/env bash
# binding: certificates are bound to ids that do not change, a SID is its owner's or there is no certificate (S18), and a directory that is down keeps nobody else waiting.
. "$(dirname "$0")/../lib/env.sh"
admin_port=$(free_port) || die "a free port"
make_ca --admin "127.0.0.1:$admin_port"
echo 'revocation: { interval: 1s, recheck: 1s, denied_sids: ["4711"] }' >>"$CONFIG"
cat >>"$CONFIG" <<'EOF2'
rules:
  off: { when: user-disabled, then: hold }
  strangers: { when: unknown-to-directory }
EOF2
# Profiles are changed here, for which Intune revokes the certificates of before.
sed -i 's|^    properties: contoso.properties|&\n    revocation_queue: false|' "$CONFIG"
start_intunesim
start_scepd || die "scepd starts"
t=$SIM/sim/tenants/contoso.com
api() { curl -fsS -X "$1" ${3:+-H 'Content-Type: application/json' -d "$3"} "$2" >/dev/null; }
enrol() { scep enroll --intune "$SIM" --device "$1" --out-dir "$T/$2"; }
serial() { openssl x509 -in "$(find "$T/$1" -name cert.pem)" -noout -serial | sed 's/.*=//'; }
shown() { scepctl show --config "$CONFIG" "$1" | grep -qiE "$2"; }
# refused DEVICE DIR TEXT: no certificate, and the server's log says why
refused() {
	local from
	from=$(wc -l <"$T/scepd.log")
	! enrol "$1" "$2" || { echo "it enrolled"; return 1; }
	tail -n "+$((from + 1))" "$T/scepd.log" | grep -E "$3" && [ -z "$(find "$T/$2" -name cert.pem)" ]
}

# ---- ids ----
claim "a phone with a user's certificate enrols" enrol Omars-iPhone phone
phone=$(serial phone)
claim "... and is bound within seconds" within 15 shown "$phone" '^Bound .*by the ids'
claim "... to the user" shown "$phone" '0a1b2c3d-0001-4000-8000-000000000002'
claim "... and to the device" shown "$phone" '3e8d5a10-2222-4a4a-9c9c-000000000102'
claim "the user is renamed" api PATCH "$t/users/omar.haddad@contoso.com" '{"upn":"omar.h@contoso.com"}'
sleep 3
claim "... which changes nothing" shown "$phone" '^State +valid'
claim "the renamed user is disabled" api PATCH "$t/users/omar.h@contoso.com" '{"enabled":false}'
claim "... which holds the certificate that has the old name" within 15 shown "$phone" '^State +hold'
claim "... and says why" shown "$phone" '^Why .*rule off'
claim "enabled again" api PATCH "$t/users/omar.h@contoso.com" '{"enabled":true}'
claim "... it is good again" within 15 shown "$phone" '^State +valid'

# ---- SIDs ----
claim "a laptop whose SID is its own enrols" enrol LAPTOP-7F3K2 laptop
profile=$(python3 -c 'import urllib.parse; print(urllib.parse.quote("Windows device certificate"))')
with_sid() { api PATCH "$t/profiles/$profile" "{\"san\":[{\"type\":\"uri\",\"value\":\"IntuneDeviceId://{{DeviceId}}\"},{\"type\":\"uri\",\"value\":\"tag:microsoft.com,2022-09-14:sid:$1\"}]}"; }
claim "the profile names another's SID" with_sid S-1-5-21-2127521184-1604012920-1887927527-9999
claim "... which is refused" refused LAPTOP-7F3K2 other 'error sid .*not that of whom'
claim "... and Intune hears that it failed" within 10 sh -c "curl -fsS '$SIM/sim/requests' | grep -q failureNotification"
claim "a domain administrator's SID" with_sid S-1-5-21-2127521184-1604012920-1887927527-500
claim "... is refused" refused LAPTOP-7F3K2 admin 'error sid .*gets no certificate'
claim "one that the configuration denies" with_sid S-1-5-21-2127521184-1604012920-1887927527-4711
claim "... is refused" refused LAPTOP-7F3K2 denied 'error sid .*gets no certificate'
api PATCH "$t/profiles/$profile" '{"san":[{"type":"uri","value":"IntuneDeviceId://{{DeviceId}}"},{"type":"uri","value":"{{OnPremisesSecurityIdentifier}}"}]}'

# ---- the directory is down ----
claim "the directory answers nothing" api PUT "$SIM/sim/faults" '{"seed":1,"rules":[{"step":"graph","fault":"status","status":503}]}'
claim "a request with a SID fails for now" refused LAPTOP-7F3K2 later 'step=sid'
claim "one without enrols" enrol Sorens-MacBook-Pro mac
mac=$(serial mac)
claim "... and is bound to nobody yet" shown "$mac" '^Bound .*(not yet|open|nobody|later|asked)'
claim "the directory is back" api DELETE "$SIM/sim/faults"
claim "... the laptop enrols" within 60 enrol LAPTOP-7F3K2 again
claim "... and the Mac is bound" within 60 shown "$mac" '^Bound .*by the ids'
# ---- who names two, or nobody whom the directory knows ----
mac_profile() { api PATCH "$t/profiles/macOS%20user%20certificate" "$1"; }
metric() { curl -fsS "http://127.0.0.1:$admin_port/metrics" | grep -qE "$1"; }
upn='{"type":"upn","value":"{{UserPrincipalName}}"}'
claim "a profile with another's UPN beside one's own" mac_profile "{\"subject\":\"CN={{UserName}}\",\"san\":[$upn,{\"type\":\"upn\",\"value\":\"jane.doe@contoso.com\"}]}"
claim "... is refused" refused Sorens-MacBook-Pro two 'error names .*two user principal names that differ'
claim "... and counted" metric '^scepd_names_refused_total 1$'
claim "the same UPN twice" mac_profile "{\"san\":[$upn,$upn]}"
claim "... is one name" enrol Sorens-MacBook-Pro twice
claim "a made-up id beside the device's own serial number" mac_profile '{"subject":"CN=99999999-0000-0000-0000-000000000000,SERIALNUMBER={{SerialNumber}}","san":[]}'
claim "... enrols" enrol Sorens-MacBook-Pro made-up
madeup=$(serial made-up)
claim "... and is bound within seconds" within 15 shown "$madeup" '^Bound .*by the ids'
claim "... to the device of that serial number" shown "$madeup" '^Intune id +3e8d5a10-3333-4a4a-9c9c-000000000103'
claim "a made-up id alone" mac_profile '{"subject":"CN=99999999-0000-0000-0000-000000000000"}'
claim "... enrols" enrol Sorens-MacBook-Pro stranger
stranger=$(serial stranger)
claim "a made-up id beside one's own UPN" mac_profile "{\"san\":[$upn]}"
claim "... enrols" enrol Sorens-MacBook-Pro half
half=$(serial half)
claim "... and is bound to the user within seconds" within 15 shown "$half" '^Bound .*in part'
claim "... whose id it has" shown "$half" '0a1b2c3d-0001-4000-8000-000000000003'
listed() { scepctl list --config "$CONFIG" --binding "$1" | grep -q "^$2"; }
claim "it is listed as such" listed partial "$half"
claim "the stranger is still asked for" listed open "$stranger"
# The three hours of asking have passed.
later() { python3 - "$T/ca/scepd.db" <<'PY'
import sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=10) as c:
    c.execute("UPDATE binding SET tries = max(tries, 7), due = 1 WHERE due > 0")
PY
}
# told RESULT: once more as long as it is not, as an answer that is under way puts its own time into the row.
told() { grep -qi "serial=$stranger ca=[^ ]* result=$1" "$T/scepd.log" || { later && false; }; }
claim "after the last try" later
claim "... the log names the stranger" within 15 told UNKNOWN
claim "... and it is listed as unknown" listed unknown "$stranger"
claim "... and nobody else is" [ "$(scepctl list --config "$CONFIG" --binding unknown | wc -l)" = 2 ]
claim "... and held by the rule about strangers" within 15 shown "$stranger" '^Why .*rule strangers'
claim "... as is what names a made-up device" within 15 shown "$half" '^Why .*rule strangers'
claim "... and the others are not" shown "$madeup" '^State +valid'
claim "metrics count it" within 30 metric '^scepd_bindings\{tenant="[^"]*",state="unknown"\} 1$'
claim "scepctl check warns" sh -c "scepctl check --config '$CONFIG' 2>&1 | grep -q '1 certificates name nobody whom the directory knows'"
claim "the device comes to be known" api POST "$t/devices" '{"name":"New-Mac","platform":"macos","user":"soren.oberg@contoso.com","serial":"NEW1","id":"99999999-0000-0000-0000-000000000000"}'
claim "... and is asked for" later
claim "... the log says so" within 20 told BOUND
claim "... which lets it go" within 20 shown "$stranger" '^State +valid'
claim "... as the other" within 20 shown "$half" '^State +valid'
claim "the audit chain is whole" scepctl audit verify --config "$CONFIG"
