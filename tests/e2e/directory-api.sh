#!/usr/bin/env bash
# directory-api: by the admin API: all certificates of a device or a user are held, released and revoked; and a directory that says too much at
# once turns nobody before an administrator has said so.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/kinds.sh"
. "$(dirname "$0")/../lib/relying.sh"
admin_port=$(free_port) || die "a free port"
make_ca --admin "127.0.0.1:$admin_port"
ADMIN=http://127.0.0.1:$admin_port
sed -i '/^admin:/,/^[^ ]/s/^  address:/  tokens_file: admin.tokens\n&/' "$CONFIG"
cat >>"$CONFIG" <<'YAML'

revocation: { interval: 2s, recheck: 2s, brake: { minimum: 1, percent: 10 } }
rules:
  device-off: { when: device-disabled }
YAML
TOKEN=$(new_token chief --for sweeps,status) desk=$(new_token desk --for status) || die "tokens"
start_intunesim
start_scepd || die "scepd starts"
t=$SIM/sim/tenants/contoso.com
devices="LAPTOP-7F3K2 Omars-iPhone Meis-Pixel-8"
for d in $devices; do scep enroll --intune "$SIM" --device "$d" --out-dir "$T/$d" >"$T/enroll-$d.log" 2>&1 || die "$d enrols"; done
all_bound() { answered 200 GET "/api/v1/certificates" && for s in $(json '" ".join(r["serial"] for r in a["items"])'); do answered 200 GET "/api/v1/certificates/$s" && says bound 'a["bound"]["state"]' || return; done; }
claim "three devices are bound" within 30 all_bound
set_all() { for d in $devices; do curl -fsS -o /dev/null -X PATCH -H 'Content-Type: application/json' -d "{\"enabled\":$1}" "$t/devices/$d" || die "deed"; done; }
waits() { answered 200 GET /api/v1/sweeps && says "$1" '[s["id"] for s in a["items"] if s["state"] == "waiting"]'; }
waiting() { answered 200 GET /api/v1/sweeps && [ "$(json 'len([s for s in a["items"] if s["state"] == "waiting" and s["certificates"] == 3])')" = 1 ]; }
newest() { answered 200 GET /api/v1/sweeps >/dev/null && json 'a["items"][-1]["id"]'; }

states() { answered 200 GET /api/v1/certificates >>"$T/claim.log" && [ "$(json '" ".join(sorted(set(r["state"] for r in a["items"])))')" = "$1" ]; }

# ---- whole devices and users ----
C=/api/v1/certificates
entra=9a7b6c5d-1111-4b4b-8d8d-000000000201 intune=3e8d5a10-1111-4a4a-9c9c-000000000101 omar=0a1b2c3d-0001-4000-8000-000000000002
# many WHAT BODY CERTIFICATES CHANGED
many() { answered 200 POST "$C/$1" "$2" && says "($3, $4)" '(a["certificates"], a["changed"])'; }
one_is() { answered 200 GET "$C?state=$1" && says 1 'len(a["items"])'; }
claim "all of a device, by its id in Entra, are held" many hold "{\"device\":\"$entra\",\"comment\":\"ticket 7\"}" 1 1
claim "... once" many hold "{\"device\":\"$entra\",\"comment\":\"ticket 7\"}" 1 0
claim "... and no others" one_is hold
claim "by its id in Intune they are released" many release "{\"device\":\"$intune\"}" 1 1
claim "all of a user are held" many hold "{\"user\":\"$omar\",\"until\":\"8h\"}" 1 1
claim "... and released" many release "{\"user\":\"$omar\"}" 1 1
claim "of a device that has none, none" many hold '{"device":"00000000-0000-4000-8000-000000000000"}' 0 0
claim "without a device or user it is refused" answered 400 POST "$C/hold" '{"comment":"everybody"}'
claim "all are good again" states good

# ---- whom the directory does not know ----
# With a date on which nobody asks again in this test.
unsettled() { python3 - "$T/ca/scepd.db" "$1" <<'PY'
import sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=10) as c:
    c.execute("UPDATE binding SET " + sys.argv[2])
PY
}
listed() { answered 200 GET "$C?binding=$1" && says "$2" '[r["serial"] for r in a["items"]]'; }
all=$(answered 200 GET "$C" >/dev/null && json '[r["serial"] for r in a["items"]]')
claim "of those whom the directory does not know there are none" listed unknown '[]'
unsettled "due = 4000000000, state = 3 WHERE cert_id = (SELECT max(cert_id) FROM binding)"
unsettled "due = 4000000000 WHERE cert_id = (SELECT min(cert_id) FROM binding)"
claim "one is listed whom it does not know" listed unknown "$(python3 -c "print($all[-1:])")"
claim "... and one of whom it knows not all" listed partial "$(python3 -c "print($all[:1])")"
claim "... and none who are to be asked for" listed open '[]'
claim "... with the other filters" answered 200 GET "$C?binding=unknown&state=revoked&match=*"
claim "... of which none fits" says '[]' 'a["items"]'
claim "another word is refused" answered 400 GET "$C?binding=bound"
claim "... and a long one" answered 400 GET "$C?binding=unknownunknownunknown"
unsettled "due = 0, state = 2"

# ---- sweeps ----
at_once set_all false
claim "all devices disabled at once: a sweep waits" within 30 waiting
id=$(newest)
claim "... and nobody is held" states good
claim "it says why" answered 200 GET "/api/v1/sweeps/$id"
claim "... whose it is" says "(3, 3, 3, 3)" '(a["owners"], a["ofOwners"], a["certificates"], a["of"])'
claim "... and so do the metrics" sh -c "curl -fsS '$ADMIN/metrics' | grep -E -c '^scepd_sweep_waiting(_owners)? 3\$' | grep -qx 2"
claim "it says why" answered 200 GET "/api/v1/sweeps/$id"
claim "... in words" says True '"3 of 3" in a["why"] and a["state"] == "waiting"'
claim "its turns are told" answered 200 GET "/api/v1/sweeps/$id/turns?limit=2"
claim "... by the page" says "(2, {'hold'}, {'device-off'}, 2)" '(len(a["items"]), {r["effect"] for r in a["items"]}, {r["rule"] for r in a["items"]}, a["next"])'
claim "the rest" answered 200 GET "/api/v1/sweeps/$id/turns?after=2"
claim "... is one" says "(1, None)" '(len(a["items"]), a["next"])'
with_desk() { local TOKEN=$desk; answered "$@"; }
claim "a token for certificates does not decide" with_desk 403 POST "/api/v1/sweeps/$id/approve"
claim "the chief approves" answered 200 POST "/api/v1/sweeps/$id/approve"
claim "... by name" says "api:chief" 'a["who"]'
claim "then all are held" within 30 states hold
claim "it is not approved twice" answered 409 POST "/api/v1/sweeps/$id/approve"
claim "nor discarded any more" answered 409 POST "/api/v1/sweeps/$id/discard"

at_once set_all true
claim "all enabled at once: that waits, too" within 30 waiting
id=$(newest)
claim "... and all are held" states hold
claim "it is approved" answered 200 POST "/api/v1/sweeps/$id/approve"
claim "then all are good" within 30 states good

at_once set_all false
claim "disabled once more: a sweep waits" within 30 waiting
id=$(newest)
claim "this time it is a mistake, and discarded" answered 200 POST "/api/v1/sweeps/$id/discard"
claim "... which says so" says discarded 'a["state"]'
sleep 6
claim "it does not come again" waits '[]'
claim "and nobody is held" states good
claim "all of a lost phone are revoked" many revoke "{\"user\":\"$omar\",\"reason\":\"keyCompromise\"}" 1 1
claim "... for good" many revoke "{\"user\":\"$omar\",\"reason\":\"keyCompromise\"}" 1 0
claim "... and no others" one_is revoked
claim "the log tells who decided" logged " admin what=sweep-discard id=$id who=api:chief"
claim "the audit chain is whole" scepctl audit verify --config "$CONFIG"
