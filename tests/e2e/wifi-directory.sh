#!/usr/bin/env bash
# wifi-directory: from what an administrator does in Entra and Intune to the answer at the access point, by CRL, by OCSP and by the verdict call
# alike: disabled, not compliant and let in again when that is over; wiped, for good.  The seconds are told.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/kinds.sh"
. "$(dirname "$0")/../lib/radius.sh"
. "$(dirname "$0")/../lib/relying.sh"
needs_radius
interval=5
# What is promised, an interval and five seconds, and what is added for a machine that has other things to do.
promised=$((interval + 5)) reserve=60
admin_port=$(free_port) || die "a free port"
make_ca --admin "127.0.0.1:$admin_port"
ADMIN=http://127.0.0.1:$admin_port ROOT=$T/ca/ca/root.pem ISSUING=$T/ca/ca/issuing.pem
sed -i '/^admin:/,/^[^ ]/s/^  address:/  tokens_file: admin.tokens\n&/' "$CONFIG"
cat >>"$CONFIG" <<YAML

revocation: { interval: ${interval}s, recheck: ${interval}s, queue_interval: ${interval}s, brake: { minimum: 100 } }
rules:
  device-off: { when: device-disabled }
  device-unfit: { when: not-compliant }
  device-wiped: { when: device-wiped, then: revoke }
  user-off: { when: user-disabled }
YAML
radius_token=$(new_token radius --for verdict) && TOKEN=$(new_token desk --for status) || die "tokens"
start_intunesim
start_scepd || die "scepd starts"
make_server_certificate || die "a certificate for RADIUS"
t=$SIM/sim/tenants/contoso.com
deed() { curl -fsS -o /dev/null -X "$1" ${3:+-H 'Content-Type: application/json' -d "$3"} "$t/$2" || die "deed $*"; }
for d in LAPTOP-7F3K2 Omars-iPhone; do
	scep enroll --intune "$SIM" --device "$d" --out-dir "$T/$d" >"$T/enroll-$d.log" 2>&1 || die "$d enrols"
	folder=$(dirname "$(find "$T/$d" -name cert.pem)")
	[ "$folder" = "$T/$d" ] || cp "$folder"/*.pem "$T/$d/"
done
serial() { serial_of "$T/$1/cert.pem"; }
is_bound() { answered 200 GET "/api/v1/certificates/$(serial "$1")" && says bound 'a["bound"]["state"]'; }
for d in LAPTOP-7F3K2 Omars-iPhone; do claim "$d: its certificate is bound to ids of the directory" within $((promised + reserve)) is_bound "$d"; done

# ---- three access points ----
make_radius crl "$(recipe "mods-available/eap, section tls-config, by CRL" | sed "s,/etc/freeradius/3.0/scepd,$T/crl/trust,")"
make_radius ocsp "$(recipe "mods-available/eap, section tls-config, by OCSP")"
make_radius verdict "" "$(recipe mods-available/scepd | sed "s,127.0.0.1:9080,127.0.0.1:$admin_port,; s,TOKEN,$radius_token,")" "$(recipe sites-available/check-eap-tls)"
for way in crl ocsp verdict; do
	cat "$ISSUING" "$ROOT" >"$T/$way/trust.pem"
	[ $way != crl ] || fetch_crl "$T/crl/trust" || die "a CRL"
	start_radius $way || die "FreeRADIUS starts"
done
# at WAY DEVICE: 0 let in, 1 refused
at() {
	radius_port=$(sed -n 's/^\t\tport = //p' "$T/$1/radiusd.conf")
	[ "$1" != crl ] || fetch_crl "$T/crl/trust"
	if wifi "$T/$2/cert.pem" "$T/$2/key.pem"; then echo in >"$T/answer"; else echo out >"$T/answer"; fi
	grep -q "$3" "$T/answer"
}
# comes DEVICE in|out WORDS: at all three, in time
comes() {
	local began left=" crl ocsp verdict " way ms limit=$(((promised + reserve) * 1000))
	began=$(date +%s%N)
	while [ "$left" != " " ]; do
		for way in $left; do
			at "$way" "$1" "$2" >>"$T/claim.log" 2>&1
			local status=$?
			ms=$((($(date +%s%N) - began) / 1000000))
			if [ $status = 0 ]; then
				left=${left/ $way / }
				if [ $ms -le $limit ]; then ok "$3, by $way"; else not_ok "$3, by $way"; fi
				printf '%s, by %s: %d.%d s (promised: %d)\n' "$3" "$way" $((ms / 1000)) $((ms / 100 % 10)) $promised
			elif [ $ms -gt $limit ]; then
				left=${left/ $way / }
				not_ok "$3, by $way"
				tail -n 5 "$T/claim.log" "$T/scepd.log" >&2
			fi
		done
	done
}
now() { for way in crl ocsp verdict; do claim "$3, by $way" at $way "$1" "$2"; done; }
reason_is() { answered 200 GET "/api/v1/certificates/$(serial "$1")" && json 'a["text"]' | grep -qE -e "$2"; }

now LAPTOP-7F3K2 in "a managed laptop is let in"
now Omars-iPhone in "a managed phone is let in"

deed PATCH devices/LAPTOP-7F3K2 '{"enabled":false}'
comes LAPTOP-7F3K2 out "disabled in Entra, the laptop is refused"
claim "... for the rule that says so" reason_is LAPTOP-7F3K2 'held since .* by rule device-off'
now Omars-iPhone in "... while the phone is let in"
deed PATCH devices/LAPTOP-7F3K2 '{"enabled":true}'
comes LAPTOP-7F3K2 in "enabled again, the laptop is let in"

deed PATCH devices/LAPTOP-7F3K2 '{"compliance":"noncompliant"}'
comes LAPTOP-7F3K2 out "not compliant, the laptop is refused"
claim "... for the rule that says so" reason_is LAPTOP-7F3K2 'held since .* by rule device-unfit'
deed PATCH devices/LAPTOP-7F3K2 '{"compliance":"compliant"}'
comes LAPTOP-7F3K2 in "compliant again, the laptop is let in"

deed PATCH users/omar.haddad@contoso.com '{"enabled":false}'
comes Omars-iPhone out "its user disabled, the phone is refused"
deed PATCH users/omar.haddad@contoso.com '{"enabled":true}'
comes Omars-iPhone in "its user enabled again, the phone is let in"

deed POST devices/LAPTOP-7F3K2/wipe
curl -s -o /dev/null -X POST "$SIM/sim/devices/LAPTOP-7F3K2/checkin" # the device hears of it, and is wiped
comes LAPTOP-7F3K2 out "wiped, the laptop is refused"
is_revoked() { reason_is LAPTOP-7F3K2 'revoked since'; }
claim "... for good" within $((promised + reserve)) is_revoked
now Omars-iPhone in "... while the phone is let in"
