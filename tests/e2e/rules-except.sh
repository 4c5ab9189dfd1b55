#!/usr/bin/env bash
# rules-except: a rule leaves out a group that nothing else names: its members are asked for, they are left alone, everybody else is not; and who is
# left out only later is let go.
. "$(dirname "$0")/../lib/env.sh"
make_ca
start_intunesim
t=$SIM/sim/tenants/contoso.com
api() { curl -fsS -X "$1" ${3:+-H 'Content-Type: application/json' -d "$3"} "$2"; }
group=$(api GET "$t/groups/iPhones" | python3 -c 'import json,sys; print(json.load(sys.stdin)["id"])') || die "the group has an id"
app=7d4e1c90-33b2-4b57-9f0e-1a2b3c4d5eab
api POST "$t/apps" "{\"id\":\"$app\",\"name\":\"Members too\",\"secrets\":[{\"value\":\"secret-of-members-too\"}],\"permissions\":[\"scep_challenge_provider\",
\"Application.Read.All\",\"User.Read.All\",\"Device.Read.All\",\"DeviceManagementManagedDevices.Read.All\",\"GroupMember.Read.All\"]}" >"$T/claim.log" || die "an app that may read members"
cp "$T/ca/contoso.properties" "$T/ca/poor.properties"
sed -i "s/^AAD_APP_ID=.*/AAD_APP_ID=$app/; s/^AAD_APP_KEY=.*/AAD_APP_KEY=secret-of-members-too/" "$T/ca/contoso.properties"
cat >>"$CONFIG" <<YAML
revocation: { interval: 1s, recheck: 1s, brake: { minimum: 100 } }
rules:
  off: { when: device-disabled, except: { groups: [$group] } }
YAML
claim "check --online asks about the group" sh -c "scepctl check --config '$CONFIG' --online >'$T/check' 2>&1"
sed 's/contoso.properties/poor.properties/' "$CONFIG" >"$T/ca/poor.yaml"
chmod 600 "$T/ca/poor.yaml" "$T/ca/poor.properties"
claim "... and an app that may not read members fails" sh -c "scepctl check --config '$T/ca/poor.yaml' --online 2>&1 | grep -q '^fail .*a group $group'"
start_scepd || die "scepd starts"

enrol() { scep enroll --intune "$SIM" --device "$1" --out-dir "$T/dev-$1"; }
serial() { openssl x509 -in "$(find "$T/dev-$1" -name cert.pem)" -noout -serial | sed 's/.*=//; s/^0*//'; }
is() { scepctl list --config "$CONFIG" --status "$2" | grep -q "$(serial "$1")"; }
# of its one rule: how many certificates it says WORD of
says() { scepctl rules try --config "$CONFIG" "$CONFIG" --json | python3 -c 'import json,sys; print([r for r in json.load(sys.stdin)["rules"] if r["rule"] == "off"][0][sys.argv[1]])' "$1"; }
says_of() { [ "$(says "$1")" = "$2" ]; }
for d in LAPTOP-7F3K2 Omars-iPhone; do claim "$d enrols" enrol "$d"; done
claim "both are well" within 20 says_of clear 2
for d in LAPTOP-7F3K2 Omars-iPhone; do api PATCH "$t/devices/$d" '{"enabled":false}' >/dev/null || die "deed"; done
claim "both disabled: the laptop is held" within 20 is LAPTOP-7F3K2 hold
claim "the phone of the group is heard of and left alone" within 20 says_of notItsOwn 1
claim "... it is good" is Omars-iPhone good
claim "a rule without the exception would hold it" sh -c "sed 's/, except: .*/ }/' '$CONFIG' >'$T/ca/all.yaml' && chmod 600 '$T/ca/all.yaml' && scepctl rules try --config '$CONFIG' '$T/ca/all.yaml' | grep -q '$(serial Omars-iPhone) .*hold'"
stop_scepd
sed -i "s/except: {.*/except: { platforms: [windows] } }/" "$CONFIG"
start_scepd || die "scepd starts with another exception"
claim "the laptop is left out now, and let go" within 20 is LAPTOP-7F3K2 good
claim "and the phone is held" within 20 is Omars-iPhone hold
