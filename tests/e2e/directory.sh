#!/usr/bin/env bash
# directory: the administrator's deeds in the simulator, over real HTTP, and what the CA's certificates have to do with them.
. "$(dirname "$0")/../lib/env.sh"
make_ca
start_intunesim
start_scepd || die "scepd starts"

t=$SIM/sim/tenants/contoso.com
# api METHOD URL [BODY]: the answer; fails unless the status is 2xx
api() { curl -fsS -X "$1" ${3:+-H 'Content-Type: application/json' -d "$3"} "$2"; }
# refused STATUS curl-arguments...
refused() { local want=$1; shift; [ "$(curl -s -o /dev/null -w '%{http_code}' "$@")" = "$want" ]; }
# get PYTHON-EXPRESSION over the answer `a`
get() { python3 -c "import json,sys; a=json.load(sys.stdin); print($1)"; }
enrol() { scep enroll --intune "$SIM" --device "$1" --out-dir "$T/dev-$1" "${@:2}"; }
serial() { openssl x509 -in "$(find "$T/dev-$1" -name cert.pem)" -noout -serial | sed 's/.*=//; s/^0*//'; }
# queued DEVICE CAUSE: its newest certificate is in the queue for that cause
queued() {
	api GET "$SIM/sim/revocations" |
		get "[r['cause'] for r in a['value'] if r['serialNumber'].lstrip('0').upper() == '$(serial "$1")'] == ['$2']" | grep -q True
}
not_queued() { ! queued "$1" "$2"; }

claim "a new user and a new device of theirs" api POST "$t/users" '{"upn":"eve.novak@contoso.com","email":"eve.novak@contoso.com","given_name":"Eve","surname":"Novak"}'
claim "the device" api POST "$t/devices" '{"name":"Eves-iPhone","platform":"ios","user":"eve.novak@contoso.com","serial":"EVE1"}'
claim "nothing is assigned to it yet" sh -c "curl -fsS -X POST '$SIM/sim/devices/Eves-iPhone/checkin' | grep -q '\"scep\":\\[\\]'"
claim "it joins the group" api POST "$t/groups/iPhones/members" '{"devices":["Eves-iPhone"]}'
claim "and enrols" enrol Eves-iPhone
claim "with its user's names in the certificate" sh -c "openssl x509 -in \"\$(find '$T/dev-Eves-iPhone' -name cert.pem)\" -noout -subject | grep -q 'CN = eve.novak'"

claim "a laptop enrols" enrol LAPTOP-7F3K2
claim "its user is disabled" api PATCH "$t/users/jane.doe@contoso.com" '{"enabled":false}'
claim "and nothing is queued for that" not_queued LAPTOP-7F3K2 leftGroup
claim "it leaves the group" api DELETE "$t/groups/Windows%20laptops/members" '{"devices":["LAPTOP-7F3K2"]}'
claim "and its certificate is queued for that" queued LAPTOP-7F3K2 leftGroup
claim "the report says that it is no longer assigned" sh -c "curl -fsS '$SIM/sim/report.txt' | grep 'LAPTOP-7F3K2' | grep -q 'no longer assigned'"

claim "a wipe is asked for" api POST "$t/devices/Eves-iPhone/wipe"
claim "nothing is queued before the device hears of it" not_queued Eves-iPhone wipe
claim "it hears of it, and gets no profile" refused 410 -X POST "$SIM/sim/devices/Eves-iPhone/checkin"
claim "then its certificate is queued" queued Eves-iPhone wipe
claim "and Intune knows the device no more" refused 404 -X POST "$SIM/sim/devices/Eves-iPhone/checkin"

claim "a Mac enrols" enrol Sorens-MacBook-Pro
claim "its profile gets another subject" api PATCH "$t/profiles/macOS%20user%20certificate" '{"subject":"CN={{UserName}},O=Contoso"}'
claim "and the certificate of the old one is queued" queued Sorens-MacBook-Pro profileChanged
rm -rf "$T/dev-Sorens-MacBook-Pro"
claim "it enrols again" enrol Sorens-MacBook-Pro
claim "for the new subject" sh -c "openssl x509 -in \"\$(find '$T/dev-Sorens-MacBook-Pro' -name cert.pem)\" -noout -subject | grep -q 'CN = soren.oberg, O = Contoso'"
claim "and that one is not queued" not_queued Sorens-MacBook-Pro profileChanged

claim "an Android phone of the organisation enrols" enrol Meis-Pixel-8
claim "it is unenrolled" api POST "$t/devices/Meis-Pixel-8/unenrol"
claim "and Intune does not revoke" not_queued Meis-Pixel-8 unenrol

claim "a deleted user waits in the recycle bin" sh -c "curl -fsS -X DELETE '$t/users/mei.lin@contoso.com' && curl -fsS '$t/deleted' | grep -q mei.lin@contoso.com"
claim "and comes back" api POST "$t/deleted/0a1b2c3d-0001-4000-8000-000000000004/restore"

claim "what a tenant file could not say is refused, by its key" sh -c "curl -s -X PATCH -H 'Content-Type: application/json' -d '{\"platform\":\"symbian\"}' '$t/devices/LAPTOP-7F3K2' | grep -q 'platform'"
claim "a page of another origin may do nothing" refused 403 -X POST -H 'Origin: https://evil.example' "$t/devices/LAPTOP-7F3K2/wipe"
claim "nor one that was looked up by a name of its own" refused 421 -H 'Host: evil.example' "$t/users"
claim "a form may do nothing" refused 415 -X POST -d 'upn=x@y' "$t/users"
claim "no secret is in the log or in the requests" sh -c "! grep -q simulated-secret '$T/sim.log' && ! curl -fsS '$SIM/sim/requests' | grep -q simulated-secret"

# ---- what libintune says of all this ----
directory() { scepctl directory --config "$CONFIG" "$@" >"$T/directory.out" 2>&1; }
says() { local kind=$1 id=$2; shift 2; directory "$kind" "$id" && grep -E "$1" "$T/directory.out"; }
claim "a disabled user is found, and disabled" says user jane.doe@contoso.com '^Enabled +no'
claim "a device of Entra is found" says device 9a7b6c5d-1111-4b4b-8d8d-000000000201 '^Directory +found'
claim "a device of Intune is found" says managed-device 3e8d5a10-1111-4a4a-9c9c-000000000101 '^Management +managed'
claim "and by its serial number" says serial PF3K7XW2 '^Name +LAPTOP-7F3K2'
claim "a wipe that is asked for shows" sh -c "curl -fsS -X POST '$t/devices/LAPTOP-7F3K2/wipe' && scepctl directory --config '$CONFIG' serial PF3K7XW2 | grep -E '^Management +wipePending'"
claim "a deleted user is in the recycle bin" sh -c "curl -fsS -X DELETE '$t/users/mei.lin@contoso.com' && scepctl directory --config '$CONFIG' user 0a1b2c3d-0001-4000-8000-000000000004 | grep -E '^Directory +deleted'"
claim "one deleted for good is gone" sh -c "curl -fsS -X POST '$t/users' -H 'Content-Type: application/json' -d '{\"id\":\"0a1b2c3d-0001-4000-8000-0000000000ff\",\"upn\":\"temp@contoso.com\"}' &&
	curl -fsS -X DELETE '$t/users/temp@contoso.com?permanent=true' && scepctl directory --config '$CONFIG' user 0a1b2c3d-0001-4000-8000-0000000000ff | grep -E '^Directory +gone'"
claim "a name that nobody has proves nothing" says user temp@contoso.com '^Directory +not listed'
claim "the same as JSON" sh -c "scepctl directory --config '$CONFIG' --json device 9a7b6c5d-1111-4b4b-8d8d-000000000201 | grep -q '\"accountEnabled\": *true'"
app=2b9f0a6e-5a3d-4f0e-8b63-94f8f1d0a7c2
claim "the app loses a permission" api PATCH "$t/apps/$app" '{"permissions":["scep_challenge_provider","Application.Read.All"]}'
if directory user jane.doe@contoso.com; then not_ok "then a look-up fails"; else ok "then a look-up fails"; fi
claim "and the permission is named" grep -F User.Read.All "$T/directory.out"
api PATCH "$t/apps/$app" '{"permissions":["scep_challenge_provider","Application.Read.All","User.Read.All"]}' >/dev/null
api PUT "$SIM/sim/faults" '{"rules":[{"step":"graph","fault":"status","status":503}]}' >/dev/null
if directory user 0a1b2c3d-0001-4000-8000-0000000000ff; then not_ok "with Graph down nobody is gone"; else ok "with Graph down nobody is gone"; fi
claim "and it says that Graph does not answer" grep -F 503 "$T/directory.out"
