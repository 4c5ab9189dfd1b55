#!/usr/bin/env bash
# tenant-hangs: a tenant whose services take connections and never answer keeps no other tenant's bindings, rules and revocations waiting.
. "$(dirname "$0")/../lib/env.sh"
admin_port=$(free_port) || die "a free port"
make_ca --admin "127.0.0.1:$admin_port"
cat >>"$CONFIG" <<'YAML'
revocation: { interval: 1s, recheck: 1s, queue_interval: 5s, brake: { minimum: 1000 } }
rules:
  device-off: { when: device-disabled }
YAML
hang_port=$(free_port "$sim_port") || die "a free port"
python3 - "$hang_port" "$T/hang.ready" <<'PY' &
import socket, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
print("ready", file=open(sys.argv[2], "w"), flush=True)
held = []
while True:
    held.append(s.accept()[0])
    open(sys.argv[2] + ".asked", "w").close()
PY
pids="$pids $!"
wait_for "$T/hang.ready" $! || die "the server that hangs starts"
# The one that hangs is the first of the two, and may take its time: more than anything that is waited for here.
SIM=http://127.0.0.1:$hang_port TENANT_ID=fabrikam.example put_properties "$T/ca/fabrikam.properties"
profile_of=$(sed -n '/^endpoints:/,$p' "$CONFIG" | sed -nE 's/.*profile: *([A-Za-z0-9_-]+).*/\1/p' | head -n 1)
sed -i "s|^tenants:\$|&\n  fabrikam: { properties: fabrikam.properties, timeout: 120s }|; s|^endpoints:\$|&\n  fabrikam: { ca: issuing, profile: $profile_of, challenge: intune, tenant: fabrikam }|" "$CONFIG"
start_intunesim
start_scepd || die "scepd starts"

t=$SIM/sim/tenants/contoso.com
api() { curl -fsS -o /dev/null -X "$1" ${3:+-H 'Content-Type: application/json' -d "$3"} "$t/$2"; }
enrol() { scep enroll --intune "$SIM" --device "$1" --out-dir "$T/$1"; }
serial() { openssl x509 -in "$(find "$T/$1" -name cert.pem)" -noout -serial | sed 's/.*=//'; }
shows() { scepctl show --config "$CONFIG" "$1" | grep -qE "$2"; }
metric() { curl -fsS "http://127.0.0.1:$admin_port/metrics" | grep -qE "$1"; }

claim "one tenant is asked, and hangs" within 20 [ -e "$T/hang.ready.asked" ]
claim "a laptop of the other enrols" enrol LAPTOP-7F3K2
claim "... and a Mac" enrol Sorens-MacBook-Pro
laptop=$(serial LAPTOP-7F3K2) mac=$(serial Sorens-MacBook-Pro)
claim "... are bound within seconds" within 10 shows "$laptop" '^Bound .*by the ids'
claim "the laptop is disabled" api PATCH devices/LAPTOP-7F3K2 '{"enabled":false}'
claim "... and held within seconds" within 10 shows "$laptop" '^State +hold'
claim "the Mac's profile is assigned no more" api PATCH 'profiles/macOS%20user%20certificate' '{"subject":"CN={{UserName}},O=Contoso"}'
claim "... and its certificate revoked by Intune's queue within seconds" within 12 shows "$mac" '^State +revoked'
claim "the one that hangs was never answered all the while" metric '^scepd_directory_age_seconds\{tenant="fabrikam",asked="users"\} -1$'
claim "the other was" within 9 metric '^scepd_directory_age_seconds\{tenant="contoso[^"]*",asked="users"\} [0-9]$'
kill -9 "$scepd_pid"
wait "$scepd_pid" 2>/dev/null
sed -i 's/timeout: 120s/timeout: 20s/' "$CONFIG"
rm "$T/hang.ready.asked"
start_scepd || die "scepd starts with another time limit"
claim "the one that hangs is asked again" within 20 [ -e "$T/hang.ready.asked" ]
ends_soon() { local from=$SECONDS; stop_scepd; [ $((SECONDS - from)) -lt 60 ]; }
claim "scepd ends when the time limit of what is under way is over, at the latest" ends_soon
