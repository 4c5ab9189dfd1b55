#!/usr/bin/env bash
# risk: who is at risk gets no good certificate, also when that was said long before his first one: then no list of changes names him.
. "$(dirname "$0")/../lib/env.sh"
admin_port=$(free_port) || die "a free port"
make_ca --admin "127.0.0.1:$admin_port"
cat >>"$CONFIG" <<'YAML'
revocation: { interval: 1s, brake: { minimum: 1000 } }
rules:
  risk: { when: user-risk, risk: [medium, high], then: hold }
YAML
start_intunesim
t=$SIM/sim/tenants/contoso.com
app=2b9f0a6e-5a3d-4f0e-8b63-94f8f1d0a7c2
api() { curl -fsS -o /dev/null -X "$1" ${3:+-H 'Content-Type: application/json' -d "$3"} "$2"; }
enrol() { scep enroll --intune "$SIM" --device "$1" --out-dir "$T/$1"; }
serial() { openssl x509 -in "$(find "$T/$1" -name cert.pem)" -noout -serial | sed 's/.*=//'; }
is() { scepctl show --config "$CONFIG" "$1" | grep -qE "^State +$2\$"; }
# The risks were listed, and since then only what has changed.
risks_listed() { curl -fsS "http://127.0.0.1:$admin_port/metrics" | grep -qE '^scepd_directory_age_seconds\{.*asked="risks"\} [0-9]'; }
# Those since some time, of the latest requests.
changes_listed() { [ "$(curl -fsS "$SIM/sim/requests" | grep -o 'riskyUsers?[^"]*filter' | wc -l)" -gt 1 ]; }

# A token has the permissions that were there when it was asked for.
claim "the app may ask who is at risk" api PATCH "$t/apps/$app" '{"permissions":["scep_challenge_provider","Application.Read.All","User.Read.All","Device.Read.All","DeviceManagementManagedDevices.Read.All","GroupMember.Read.All","IdentityRiskyUser.Read.All"]}'
claim "an hour ago" api PUT "$SIM/sim/clock" '{"offset":"-1h"}'
claim "... a user was found to be at risk" api PATCH "$t/users/omar.haddad@contoso.com" '{"risk_level":"high","risk_state":"atRisk"}'
claim "... and now is now" api PUT "$SIM/sim/clock" '{"offset":"0s"}'
start_scepd || die "scepd starts"
claim "all who are at risk are listed while nobody has a certificate" within 20 risks_listed
claim "... and then changes alone" within 20 changes_listed
claim "somebody else enrols" enrol Sorens-MacBook-Pro
claim "... and the user at risk" enrol Omars-iPhone
phone=$(serial Omars-iPhone) mac=$(serial Sorens-MacBook-Pro)
claim "... whose certificate is held within seconds" within 20 is "$phone" hold
claim "... by the rule" sh -c "scepctl show --config '$CONFIG' $phone | grep -q 'rule risk'"
claim "the other's is good" is "$mac" valid
claim "the risk is remedied" api PATCH "$t/users/omar.haddad@contoso.com" '{"risk_state":"remediated"}'
claim "... which lets go" within 20 is "$phone" valid
claim "the audit chain is whole" scepctl audit verify --config "$CONFIG"
