#!/usr/bin/env bash
# sim-page: what the simulator's page asks for, without a browser: its files over HTTP, and the calls behind its buttons.  (With a browser: tests/page.)
. "$(dirname "$0")/../lib/env.sh"
make_ca
start_intunesim
start_scepd || die "scepd starts"
origin() { curl -sS -H "Origin: $SIM" -H "Content-Type: application/json" "$@"; }
t=$SIM/sim/tenants/contoso.com
laptop=3e8d5a10-1111-4a4a-9c9c-000000000101

head=$(curl -sSI "$SIM/")
claim "the page is at the root" grep -q '^HTTP/1.1 200' <<<"$head"
claim "with a policy that lets nothing else in" grep -q "^Content-Security-Policy: default-src 'none'; script-src 'self'" <<<"$head"
claim "HEAD has the length and no body" test "$(curl -sSI "$SIM/" | sed -n 's/^Content-Length: \([0-9]*\).*/\1/p')" = "$(curl -sS "$SIM/" | wc -c)"

# Every file that the page or one of its scripts names.
files=$(curl -sS "$SIM/" | grep -oE '/sim/page/[a-z.]+')
for f in $files $(curl -sS "$SIM/sim/page/app.js" | grep -oE '"\./[a-z]+\.js"' | tr -d '"' | sed 's,^\./,/sim/page/,'); do
	tag=$(curl -sSI "$SIM$f" | sed -n 's/^ETag: \("[0-9a-f]*"\).*/\1/p')
	claim "$f is served, and not a second time" test "$(curl -sS -o "$T/again" -w '%{http_code}' -H "If-None-Match: $tag" "$SIM$f")" = 304
done

claim "the page of another origin is refused" test "$(curl -sS -o "$T/out" -w '%{http_code}' -H 'Origin: https://evil.example' "$t/users")" = 403
claim "a user is added" test "$(origin -o "$T/user" -w '%{http_code}' -d '{"upn":"ada@contoso.com","name":"Ada Lovelace"}' "$t/users")" = 201
claim "an error names its field" grep -q '"upn: ' <<<"$(origin -d '{"upn":"nobody"}' "$t/users")"
claim "a user goes to the recycle bin" test "$(origin -X DELETE -o "$T/out" -w '%{http_code}' "$t/users/ada@contoso.com")" = 204
id=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["id"])' "$T/user")
claim "and comes back" test "$(origin -X POST -o "$T/out" -w '%{http_code}' "$t/deleted/$id/restore")" = 200
claim "a device syncs and enrols" grep -q '"enrolled":1' <<<"$(origin -X POST "$t/devices/$laptop/sync")"
claim "an edit of the subject queues the certificate" sh -c "
	curl -sS -X PATCH -H 'Content-Type: application/json' -d '{\"subject\":\"CN={{DeviceName}}\"}' '$t/profiles/c0ffee00-0001-4c4c-8e8e-000000000301' &&
	curl -sS '$SIM/sim/revocations' | grep -q '\"cause\":\"profileChanged\"'"
claim "a wipe waits for the sync" sh -c "
	curl -sS -X POST -H 'Content-Type: application/json' '$t/devices/$laptop/wipe' &&
	curl -sS '$t/devices/$laptop' | grep -q '\"management_state\":\"wipePending\"'"
claim "and is carried out by it" grep -q '"gone":true' <<<"$(origin -X POST "$t/devices/$laptop/sync")"
claim "a bad day begins" grep -q '"fault":"aadsts"' <<<"$(origin -X PUT -d '{"rules":[{"step":"token","fault":"aadsts","number":7000222}]}' "$SIM/sim/faults")"
claim "and ends" sh -c "curl -sS -X DELETE -H 'Content-Type: application/json' '$SIM/sim/faults' && curl -sS '$SIM/sim/faults' | grep -q '\"rules\":\[\]'"
claim "no secret is in what the page is told" sh -c "! { curl -sS '$SIM/sim/requests'; curl -sS '$t/apps'; } | grep -qE 'simulated-secret|eyJ[A-Za-z0-9_-]{20}'"
