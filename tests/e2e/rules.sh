#!/usr/bin/env bash
# rules: what the directory says of users and devices puts certificates on hold, revokes them, lets them go; more than the brake allows waits
# for an administrator; exceptions; and 'rules try' says before what a rule would do.
. "$(dirname "$0")/../lib/env.sh"
make_ca
# Two administrators can be played by whoever is root.
[ "$(id -u)" = 0 ] && second=true || second=false
cat >>"$CONFIG" <<EOF
revocation:
  interval: 1s
  recheck: 1s
  brake: { percent: 40, count: 100, minimum: 1, window: 0 }
  exceptions: { max: 7d, second: $second }
rules:
  compliance: { when: not-compliant, then: hold }
  off: { when: user-disabled, then: hold }
  wiped: { when: device-wiped, then: revoke }
EOF
start_intunesim
start_scepd || die "scepd starts"

t=$SIM/sim/tenants/contoso.com
api() { curl -fsS -X "$1" ${3:+-H 'Content-Type: application/json' -d "$3"} "$2"; }
enrol() { scep enroll --intune "$SIM" --device "$1" --out-dir "$T/dev-$1" "${@:2}"; }
cert_of() { find "$T/dev-$1" -name cert.pem; }
serial() { openssl x509 -in "$(cert_of "$1")" -noout -serial | sed 's/.*=//; s/^0*//'; }
# by OCSP; a hold is revoked there, for certificateHold
ocsp() { openssl ocsp -issuer "$T/ca/ca/issuing.pem" -cert "$(cert_of "$1")" -url "$SCEPD/ocsp/issuing" -CAfile "$T/ca/ca/root.pem" -noverify 2>&1; }
good() { ocsp "$1" | grep -q ': good$'; }
held() { ocsp "$1" | grep -q 'certificateHold'; }
revoked() { local out; out=$(ocsp "$1"); grep -q ': revoked$' <<<"$out" && ! grep -q certificateHold <<<"$out"; }
ctl() { scepctl "${@:1:2}" --config "$CONFIG" "${@:3}"; }
said() { grep -q "$1" <<<"$2"; }

for d in LAPTOP-7F3K2 Omars-iPhone Sorens-MacBook-Pro Meis-Pixel-8; do
	claim "$d enrols" enrol "$d"
done
n=$(find "$T" -path '*dev-*' -name cert.pem | wc -l)
bound() { [ "$(ctl rules try "$CONFIG" --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["of"])')" = "$n" ]; }
claim "all four certificates are bound, and rules see them" within 60 bound
claim "nothing is held" good LAPTOP-7F3K2

claim "scepctl check knows the rules and the brake" sh -c "scepctl check --config '$CONFIG' | grep -A20 -q 'wiped.*when device-wiped: revoke'"

# ---- what check tells before anything goes wrong ----
# checked WORDS SED [arguments]: the findings about the configuration with that change
checked() { sed "$2" "$CONFIG" >"$T/ca/changed.yaml"; chmod 600 "$T/ca/changed.yaml"; scepctl check --config "$T/ca/changed.yaml" "${@:3}" >"$T/checked" 2>&1; cat "$T/checked"; grep -q -e "$1" "$T/checked"; }
claim "check --online: the app may ask about users and devices" checked '^ok .*the directory tells about users and devices' '' --online
claim "check says who is left alone without rules" checked '^ok .*no rule is about it' '/^rules:/,$d'
claim "check warns when nobody revokes" checked '^warn .*nobody but an administrator revokes' '/^rules:/,$d; s/^    properties:.*/&\n    revocation_queue: false/'
claim "a rule makes that good" sh -c "! scepctl check --config '$CONFIG' | grep -q 'nobody but'"
claim "check warns of a platform that nobody knows" checked '"Windos".*did you mean Windows' 's/when: not-compliant/&, platforms: [Windos]/'
claim "check warns of a grace that is seconds" checked '^warn .*A number alone is seconds' 's/when: not-compliant/&, grace: 48/'
claim "check shows a grace in full" checked 'not-compliant: hold, with a grace of 48 seconds' 's/when: not-compliant/&, grace: 48/'
claim "check warns of a brake whose count is never heard" checked '^warn .*count is never heard' 's/count: 100, minimum: 1/count: 5, minimum: 10/'
api POST "$t/apps" '{"id":"7d4e1c90-33b2-4b57-9f0e-1a2b3c4d5eaa","name":"Poor","secrets":[{"value":"secret-of-the-poor-app"}],"permissions":["scep_challenge_provider","Application.Read.All"]}' >"$T/claim.log"
sed 's/^AAD_APP_ID=.*/AAD_APP_ID=7d4e1c90-33b2-4b57-9f0e-1a2b3c4d5eaa/; s/^AAD_APP_KEY=.*/AAD_APP_KEY=secret-of-the-poor-app/' "$T/ca/contoso.properties" >"$T/ca/poor.properties"
chmod 600 "$T/ca/poor.properties"
claim "check --online: an app without rights in the directory fails where there are rules" checked '^fail .*does not tell about managed devices' 's/contoso.properties/poor.properties/' --online
claim "... and it says what to grant" grep -q 'grant the app .*DeviceManagementManagedDevices.Read.All' "$T/checked"
claim "... is warned of where there are none" checked '^warn .*does not tell about users' 's/contoso.properties/poor.properties/; /^rules:/,$d' --online
claim "... and a group that a rule names is asked for" checked '^fail .*a group 0a1b2c3d-0001-4000-8000-0000000000ff' 's/when: not-compliant/&, groups: [0a1b2c3d-0001-4000-8000-0000000000ff]/' --online

# ---- a hold comes and goes ----
claim "Omar's phone is not compliant any more" api PATCH "$t/devices/Omars-iPhone" '{"compliance":"noncompliant"}'
begun=$(date +%s%N)
claim "its certificate is on hold, by OCSP" within 30 held Omars-iPhone
echo "# from the deed to the refusal by OCSP: $((($(date +%s%N) - begun) / 1000000)) ms, with an interval of 1 s"
claim "scepctl show says which rule, and what Intune said" sh -c "scepctl show --config '$CONFIG' '$(serial Omars-iPhone)' | grep -q 'rule compliance.*noncompliant'"
claim "the log says so too" grep -q "held serial=.*rule=compliance" "$T/scepd.log"
claim "the others are good" good LAPTOP-7F3K2
claim "rules list counts it" sh -c "scepctl rules list --config '$CONFIG' | grep -E -q '^compliance +not-compliant +hold +1 '"
claim "it is compliant again" api PATCH "$t/devices/Omars-iPhone" '{"compliance":"compliant"}'
claim "and its certificate is good again" within 30 good Omars-iPhone

# ---- an exception ----
claim "an exception for the laptop" env SUDO_USER=jane scepctl exception add --config "$CONFIG" --certificate "$(serial LAPTOP-7F3K2)" --rule compliance --for 1d --comment 'in repair'
claim "not for longer than the configuration allows" sh -c "! scepctl exception add --config '$CONFIG' --certificate '$(serial LAPTOP-7F3K2)' --for 8d --comment x"
claim "nor from a rule that there is not" sh -c "scepctl exception add --config '$CONFIG' --certificate '$(serial LAPTOP-7F3K2)' --rule nosuch --for 1d --comment x 2>&1 | grep -q 'there is no rule'"
claim "the laptop is not compliant" api PATCH "$t/devices/LAPTOP-7F3K2" '{"compliance":"noncompliant"}'
if $second; then
	claim "it waits for a second administrator" sh -c "scepctl exception list --config '$CONFIG' | grep -q '1 .*waiting'"
	claim "who is not the same one" sh -c "! SUDO_USER=jane scepctl exception confirm --config '$CONFIG' 1"
	claim "so the laptop is held" within 30 held LAPTOP-7F3K2
	claim "somebody else confirms it" env SUDO_USER=joe scepctl exception confirm --config "$CONFIG" 1
	claim "and the laptop's certificate is good again, within a round" within 30 good LAPTOP-7F3K2
	claim "nobody needs to confirm it again" sh -c "SUDO_USER=jim scepctl exception confirm --config '$CONFIG' 1 2>&1 | grep -q 'in force already, confirmed by'"
else
	skip_claim "an exception that a second administrator confirms" "needs root"
fi
excepted() { ctl rules try "$CONFIG" --json | grep -q '"rule": *"compliance"[^}]*"excepted": *1\b'; }
claim "that is heard, and excepted" within 30 excepted
claim "and its certificate is good" good LAPTOP-7F3K2
claim "the exception is listed" sh -c "scepctl exception list --config '$CONFIG' | grep -q '1 .*in force.*compliance.*in repair'"
claim "it is ended" ctl exception end 1
claim "then the laptop is held" within 30 held LAPTOP-7F3K2
api PATCH "$t/devices/LAPTOP-7F3K2" '{"compliance":"compliant"}' >/dev/null
claim "and is good when it is compliant" within 30 good LAPTOP-7F3K2
# added WORDS ARGUMENTS...: what is said when an exception is added (and then ended)
added() {
	local said
	said=$(ctl exception add --rule compliance --comment x "${@:2}" 2>&1); echo "$said"
	said "$1" "$said" || return
	ctl exception end "$(sed -n 's/^exception \([0-9]*\):.*/\1/p' <<<"$said")"
}
refused() { local said; said=$(ctl exception add --rule compliance --comment x "${@:2}" 2>&1) && return 1; echo "$said"; said "$1" "$said"; }
claim "an exception for a device by its name, which ends at the end of a day" added "device 3e8d5a10-.* until $(date -u -d '+2 days' +%F) 23:59 UTC" --device laptop-7f3k2 --until "$(date -u -d '+2 days' +%F)"
claim "... of which it says how many certificates it has" added 'bound to it now: 1' --device LAPTOP-7F3K2 --for 1d
claim "for a user by the UPN" added 'user 0a1b2c3d-0001-4000-8000-000000000002' --user omar.haddad@contoso.com --until 1d
claim "for an id that nobody has, for whoever comes: it says so" added 'No valid certificate is bound' --device 00000000-0000-4000-8000-000000000000 --for 1d
claim "for a name that nobody has there is none" refused 'no valid certificate is bound to device "NOSUCH"' --device NOSUCH --for 1d
claim "nor for two ends" refused 'one of --for and --until' --device LAPTOP-7F3K2 --for 1d --until 2d
claim "nor to a day that is over" refused 'is over already' --device LAPTOP-7F3K2 --until 2020-12-24

# ---- what-if ----
printf '%s\n' 'rules:' '  everybody: { when: not-seen, days: 1, outage: { max_age: 0 } }' '  off: { when: user-disabled }' >"$T/new.yaml"
claim "a changed file of rules is tried" ctl rules try "$T/new.yaml"
printf 'rules: { x: { when: never } }\n' >"$T/bad.yaml"
claim "a wrong one is told where" sh -c "scepctl rules try --config '$CONFIG' '$T/bad.yaml' 2>&1 | grep -q 'bad.yaml:1: rules.x.when'"
# tried WORDS RULE [MORE]: what is said of that one rule
tried() { local said; printf 'rules:\n  r: %s\n%s\n' "$2" "${3:-}" >"$T/new.yaml"; said=$(ctl rules try "$T/new.yaml" 2>&1); echo "$said"; said "$1" "$said"; }
claim "a rule for a platform that nobody has names those that there are" tried 'no device that rules see is called "Windos". There are: .*Windows (1)' '{ when: not-compliant, platforms: [Windos] }'
claim "... also where it is left out" tried 'Rule r, except.platforms: .*"Kiosk"' '{ when: not-compliant, except: { platforms: [Kiosk] } }'
claim "a grace of 48 is said to be seconds" tried 'A number alone is seconds: write 48h' '{ when: not-compliant, grace: 48 }'
seen='when: not-seen, days: 1, outage: { max_age: 0 }'
everybody() { printf 'rules:\n  r: { when: device-disabled%s }\n' "$1" >"$T/new.yaml"; ctl rules try "$T/new.yaml" --json | python3 -c 'import json,sys; r = json.load(sys.stdin)["rules"][0]; print(r["clear"], r["notItsOwn"])'; }
claim "a rule sees everybody who has a device" test "$(everybody '')" = "3 0"
claim "... but whom it leaves out" test "$(everybody ', except: { platforms: [Windows], profiles: [nobody] }')" = ""
claim "a profile that there is not is refused there" sh -c "scepctl rules try --config '$CONFIG' '$T/new.yaml' 2>&1 | grep -q 'rules.r.except.profiles: there is no'"
claim "... but Windows" test "$(everybody ', except: { platforms: [Windows] }')" = "2 1"
claim "a file of rules has all of revocation:" tried 'Nothing was changed' "{ $seen }" 'revocation: { interval: 5m, queue_interval: 2m, brake: { count: 7 } }'
claim "a brake of 0 is answered with how to write that" tried 'percent: 1, count: 1, minimum: 0' "{ $seen }" 'revocation: { brake: 0 }'
claim "nothing was changed by trying" good LAPTOP-7F3K2

# ---- the brake ----
both() { local d; for d in LAPTOP-7F3K2 Omars-iPhone; do api PATCH "$t/devices/$d" "{\"compliance\":\"$1\"}" >/dev/null; done; }
waiting() { ctl sweep list --json | python3 -c 'import json,sys; print(([s["id"] for s in json.load(sys.stdin) if s["state"] == "waiting"] or [""])[0])'; }
waits() { [ -n "$(waiting)" ]; }
at_once both noncompliant
claim "two of four are too many" within 60 waits
claim "an error in the log asks for an administrator" grep -q 'error sweep .*rules would turn' "$T/scepd.log"
claim "scepctl check says that one waits" sh -c "scepctl check --config '$CONFIG' | grep -q 'sweep .*waits for an administrator'"
out=$(ctl sweep show 2>&1)
claim "and of how many devices and users" said '^Whose *2 devices and users, of 4$' "$out"
claim "the sweep shows what it would turn" said 'compliance.*hold.*noncompliant' "$out"
claim "... and whose that is" said 'compliance.*hold .*LAPTOP-7F3K2 .*noncompliant' "$out"
claim "... and who waits with everything" said ' LAPTOP-7F3K2  *1$' "$out"
id=$(waiting)
claim "meanwhile a third one is not compliant" api PATCH "$t/devices/Meis-Pixel-8" '{"compliance":"noncompliant"}'
claim "... and is held, as it alone is within the brake" within 30 held Meis-Pixel-8
two_good() { good LAPTOP-7F3K2 && good Omars-iPhone; }
claim "... and the sweep waits on" test "$(waiting)" = "$id"
claim "... and the two of it are good" two_good
api PATCH "$t/devices/Meis-Pixel-8" '{"compliance":"compliant"}' >/dev/null
claim "... and it is let go as soon as it is compliant" within 30 good Meis-Pixel-8
claim "... while the sweep waits" test "$(waiting)" = "$id"
beside() { ctl sweep show --json | python3 -c 'import json,sys; a = json.load(sys.stdin); print(a["sweep"]["beside"], a["sweep"]["besideWaiting"], sorted(o["device"] for o in a["owners"]))'; }
claim "... which tells how many went on, and who waits" test "$(beside)" = "1 0 ['LAPTOP-7F3K2', 'Omars-iPhone']"
claim "without a terminal a decision wants --yes" sh -c "scepctl sweep approve --config '$CONFIG' $id </dev/null 2>&1 | grep -q -- --yes"
both compliant
state() { ctl sweep show "$id" | grep -q "^State *$1"; }
claim "when the directory is sensible again it is over by itself" within 30 state obsolete
claim "and too late to be approved" sh -c "! scepctl sweep approve --config '$CONFIG' $id --yes"
all_good() { good LAPTOP-7F3K2 && good Omars-iPhone; }
claim "and all are good" within 30 all_good

at_once both noncompliant
claim "again" within 60 waits
id=$(waiting)
ctl sweep approve "$id" --yes >"$T/a1" 2>&1 & one=$!
ctl sweep discard "$id" --yes >"$T/a2" 2>&1 & two=$!
wait $one; r1=$?; wait $two; r2=$?
claim "of two administrators who decide at once one is heard" test $(((r1 == 0) + (r2 == 0))) = 1
claim "and the other is told who was first" sh -c "cat '$T/a1' '$T/a2' | grep -q 'already, by '"
turns=$(ctl sweep show "$id" --json | python3 -c 'import json,sys; print(" ".join(t["serial"] for t in json.load(sys.stdin)["turns"]))')
of_it() { local s; for s in $turns; do scepctl show --config "$CONFIG" "$s" | grep -q 'rule compliance' || return 1; done; }
none_of_it() { ! of_it; }
if [ $r1 = 0 ]; then
	claim "what was approved is done" within 30 of_it
	claim "the sweep is done" within 30 state 'done'
else
	sleep 5
	claim "what was discarded is not done" none_of_it
	claim "the sweep is discarded" state discarded
fi
claim "the audit trail names whoever it was" sh -c "scepctl audit list --config '$CONFIG' | grep -E -q 'sweep-(approved|discarded).*who='"
both compliant
claim "all are good when they are compliant, or wait for the brake" within 30 sh -c "scepctl sweep list --config '$CONFIG' | grep -q ' waiting ' || ! scepctl rules list --config '$CONFIG' | grep -E -q '^compliance +not-compliant +hold +[1-9]'"

# ---- what is final ----
if waits; then claim "letting go of both is approved as well" ctl sweep approve "$(waiting)" --yes; fi
claim "all are good" within 40 all_good
claim "the phone is to be wiped" api POST "$t/devices/Meis-Pixel-8/wipe"
claim "as long as that can be called off it is on hold" within 30 held Meis-Pixel-8
curl -s -o /dev/null -X POST "$SIM/sim/devices/Meis-Pixel-8/checkin" # it hears of it
claim "wiped, its certificate is revoked for good" within 40 revoked Meis-Pixel-8

claim "the audit trail is whole" scepctl audit verify --config "$CONFIG"
