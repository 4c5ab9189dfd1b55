#!/usr/bin/env bash
# queue: what Intune wants revoked is revoked within an interval, by OCSP and CRL alike, and Intune is told; and nothing else is.
. "$(dirname "$0")/../lib/env.sh"
make_ca
cat >>"$CONFIG" <<'EOF'
revocation: { queue_interval: 2s }
EOF
start_intunesim
start_scepd || die "scepd starts"

t=$SIM/sim/tenants/contoso.com
api() { curl -fsS -X "$1" ${3:+-H 'Content-Type: application/json' -d "$3"} "$2"; }
get() { python3 -c "import json,sys; a=json.load(sys.stdin); print($1)"; }
enrol() { scep enroll --intune "$SIM" --device "$1" --out-dir "$T/dev-$1" "${@:2}"; }
cert_of() { find "$T/dev-$1" -name cert.pem; }
serial() { openssl x509 -in "$(cert_of "$1")" -noout -serial | sed 's/.*=//'; }
# in_queue DEVICE PYTHON over its item `r`
in_queue() {
	api GET "$SIM/sim/revocations" | get "[$2 for r in a['value'] if r['serialNumber'].upper().lstrip('0') == '$(serial "$1" | sed 's/^0*//')']"
}
is_revoked() { scepctl list --config "$CONFIG" --revoked --json | grep -q "\"$(serial "$1")\""; }
is_good() { ! is_revoked "$1"; }
ocsp_says() {
	openssl ocsp -issuer "$T/ca/ca/issuing.pem" -cert "$(cert_of "$1")" -url "$SCEPD/ocsp/issuing" -CAfile "$T/ca/ca/root.pem" 2>&1 | grep -q ": $2\$"
}
status_of() { in_queue "$1" "r['status'] + ' ' + str((r['result'] or {}).get('errorCode'))"; }

claim "a laptop enrols" enrol LAPTOP-7F3K2
claim "a phone enrols" enrol Omars-iPhone
claim "a Mac enrols" enrol Sorens-MacBook-Pro
claim "the laptop's certificate is good" ocsp_says LAPTOP-7F3K2 good

# ---- a wipe ----
claim "a wipe is asked for" api POST "$t/devices/LAPTOP-7F3K2/wipe"
curl -s -o /dev/null -X POST "$SIM/sim/devices/LAPTOP-7F3K2/checkin" # the device hears of it
begun=$(date +%s%N)
claim "its certificate is revoked within an interval" within 7 is_revoked LAPTOP-7F3K2
claim "OCSP says so" within 12 ocsp_says LAPTOP-7F3K2 revoked
echo "# from the deed to the refusal by OCSP: $((($(date +%s%N) - begun) / 1000000)) ms, with an interval of 2 s"
on_crl() { curl -fsS "$SCEPD/crl/issuing.crl" | openssl crl -inform DER -noout -text | grep -q "$(serial "$1")"; }
claim "and the revocation list" within 15 on_crl LAPTOP-7F3K2
claim "Intune has the result: revoked, once" within 5 sh -c "curl -fsS '$SIM/sim/revocations' | grep -q '\"status\": *\"revoked\"'"
claim "without an error" test "$(status_of LAPTOP-7F3K2)" = "['revoked None']"
claim "the reason is that it is not used any more" sh -c "scepctl show --config '$CONFIG' '$(serial LAPTOP-7F3K2)' | grep -q -i 'cessation'"
claim "and what for is Intune's request" sh -c "scepctl show --config '$CONFIG' '$(serial LAPTOP-7F3K2)' | grep -q -i intune"
claim "the log has a line" grep -q "revoked serial=$(serial LAPTOP-7F3K2).*by=intune tenant=contoso" "$T/scepd.log"
claim "the phone is good" is_good Omars-iPhone
claim "the Mac is good" is_good Sorens-MacBook-Pro
claim "the request does not come again" sh -c "sleep 4.5; test \"\$(grep -c ' queue tenant=contoso ' '$T/scepd.log')\" = 1"

# ---- retired, and revoked by an administrator before ----
claim "an administrator revokes the phone's certificate" scepctl revoke --config "$CONFIG" --reason keyCompromise "$(serial Omars-iPhone)"
claim "the phone is retired" api POST "$t/devices/Omars-iPhone/retire"
curl -s -o /dev/null -X POST "$SIM/sim/devices/Omars-iPhone/checkin"
claim "Intune hears that it was revoked already" within 7 sh -c "curl -fsS '$SIM/sim/revocations' | grep -q ConflictError"
claim "the administrator's reason stands" sh -c "scepctl show --config '$CONFIG' '$(serial Omars-iPhone)' | grep -q -i 'key.*compromise'"

# ---- the queue is down ----
stop_scepd
claim "the Mac's profile changes while scepd is down" api PATCH "$t/profiles/macOS%20user%20certificate" '{"subject":"CN={{UserName}},O=Contoso"}'
start_scepd || die "scepd starts again"
claim "its certificate is revoked after the start" within 7 is_revoked Sorens-MacBook-Pro

# ---- another tenant's queue, filled by whoever administers that tenant ----
stop_scepd
stub_port=$(free_port "$sim_port") || die "free port"
mkdir "$T/stub"
python3 "$SCEPD_TOP/tests/lib/intune_stub.py" "$stub_port" "$T/stub" 2>>"$T/stub.log" &
pids="$pids $!"
wait_for "$T/stub/ready" $! || die "the stub starts"
SIM=http://127.0.0.1:$stub_port TENANT_ID=fabrikam.example put_properties "$T/ca/fabrikam.properties"
profile_of=$(sed -n '/^endpoints:/,$p' "$CONFIG" | sed -nE 's/.*profile: *([A-Za-z0-9_-]+).*/\1/p' | head -n 1)
sed -i "s|^tenants:\$|&\n  fabrikam: { properties: fabrikam.properties }|; s|^endpoints:\$|&\n  fabrikam: { ca: issuing, profile: $profile_of, challenge: intune, tenant: fabrikam }|" "$CONFIG"
rm -rf "$T/dev-Sorens-MacBook-Pro"
start_scepd || die "scepd starts with two tenants"
claim "the Mac of the first tenant enrols again" enrol Sorens-MacBook-Pro
theft="{\"requestContext\":\"theft\",\"serialNumber\":\"$(serial Sorens-MacBook-Pro)\",\"issuerName\":null,\"caConfiguration\":\"issuing\"}"
echo "200 {\"value\":[$theft]}" >"$T/stub/downloadRevocationRequests"
claim "another tenant's Intune wants its certificate revoked and hears that there is none" within 10 grep -q '^uploadRevocationResults .*"theft".*"4004"' "$T/stub/calls"
claim "the log says what was tried" grep -q "warn queue tenant=fabrikam serial=$(serial Sorens-MacBook-Pro) " "$T/scepd.log"
claim "and the certificate is good" is_good Sorens-MacBook-Pro
claim "OCSP says so as well" ocsp_says Sorens-MacBook-Pro good
stop_scepd
sed -i '/^  fabrikam: /d' "$CONFIG"
start_scepd || die "scepd starts with one tenant again"

claim "scepctl check sees the queue" sh -c "scepctl check --online --config '$CONFIG' | grep -q 'revocation queue can be read'"
stop_scepd

# ---- not wanted ----
sed -i 's|^    properties: contoso.properties|&\n    revocation_queue: false|' "$CONFIG"
claim "check warns when the queue is not wanted" sh -c "scepctl check --online --config '$CONFIG' | grep -q 'revocation_queue is false'"
start_scepd || die "scepd starts without the queue"
claim "it is unenrolled" api POST "$t/devices/Sorens-MacBook-Pro/unenrol"
sleep 4.5
claim "and its certificate is good, as nobody reads the queue" is_good Sorens-MacBook-Pro
stop_scepd

# ---- wanted again ----
sed -i '/revocation_queue: false/d' "$CONFIG"
start_scepd || die "scepd starts with the queue again"
claim "once it is wanted again, what has waited in it is done" within 10 is_revoked Sorens-MacBook-Pro
stop_scepd
claim "no secret is in the log" sh -c "! grep -q simulated-secret '$T/scepd.log'"
claim "the audit chain is whole" scepctl audit verify --config "$CONFIG"
