#!/usr/bin/env bash
# wifi: a laptop at an access point whose FreeRADIUS looks at CRLs, or asks by OCSP: it is let in with a certificate of scepd, and refused once
# that is revoked.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/kinds.sh"
. "$(dirname "$0")/../lib/radius.sh"
. "$(dirname "$0")/../lib/relying.sh"
needs_radius
admin_port=$(free_port) || die "a free port"
lab_ca --admin "127.0.0.1:$admin_port"
ADMIN=http://127.0.0.1:$admin_port
sed -i '/^admin:/,/^[^ ]/s/^  address:/  tokens_file: admin.tokens\n&/' "$CONFIG"
token=$(scepctl admin token --config "$CONFIG" --for verdict radius 2>>"$T/token.log") || die "a token for FreeRADIUS"
TOKEN=$(scepctl admin token --config "$CONFIG" --for status desk 2>>"$T/token.log") || die "a token for the help desk"
start_scepd || die "scepd starts"
make_server_certificate || die "a certificate for RADIUS"
for name in stays lost late gone stolen roams; do enrol $name; done

lets_in() { wifi "$T/$1/cert.pem" "$T/$1/key.pem"; }
keeps_out() { wifi_refused "$T/$1/cert.pem" "$T/$1/key.pem" "$2" "$3"; }
word() { answered 200 POST "/api/v1/certificates/$(serial_of "$T/$2/cert.pem")/$1"; } # hold|release NAME

# ---- by CRL ----
make_radius by-crl "$(recipe "mods-available/eap, section tls-config, by CRL" | sed "s,/etc/freeradius/3.0/scepd,$T/by-crl/trust,")"
cat "$ISSUING" "$ROOT" >"$T/by-crl/trust.pem"
fetch_crl "$T/by-crl/trust" || die "a CRL for FreeRADIUS"
start_radius by-crl || die "FreeRADIUS starts"
claim "FreeRADIUS with a CRL: a laptop with a certificate of scepd is let in" lets_in lost
began=$(date +%s%N)
revoke lost keyCompromise || die "revoke"
shut_out() { fetch_crl "$T/by-crl/trust" && keeps_out lost 'certificate revoked' by-crl; }
claim "... refused once it is revoked, with that as the reason" within 30 shut_out
tell "from scepctl revoke to the refusal, by CRL" "$began"
claim "... while another is let in" lets_in stays
claim "... a laptop that roams is let in" lets_in roams
word hold roams >>"$T/claim.log" || die "hold"
held_out() { fetch_crl "$T/by-crl/trust" && keeps_out roams 'certificate revoked' by-crl; }
claim "... refused while it is held" within 30 held_out
began=$(date +%s%N)
word release roams >>"$T/claim.log" || die "release"
in_again() { fetch_crl "$T/by-crl/trust" && lets_in roams; }
claim "... and let in when it is released" within 30 in_again
tell "from the release to the Access-Accept, by CRL" "$began"

# What docs/nac.md says of other ways to bring a list; ca_path_reload_interval takes five minutes and is not waited for here.
hash=$(openssl crl -in "$(ls "$T/by-crl/trust"/*.r0)" -noout -hash) n=0
while [ -e "$T/by-crl/trust/$hash.r$((n + 1))" ]; do n=$((n + 1)); done
last=$T/by-crl/trust/$hash.r$n
revoke late keyCompromise || die "revoke"
has_late() { get_crl "$T/late.pem" && openssl crl -in "$T/late.pem" -noout -text | grep -q "$(serial_of "$T/late/cert.pem")"; }
claim "another revocation is on the list" within 30 has_late
cp "$T/late.pem" "$T/late.new" && mv "$T/late.new" "$last" || die "a list in place of the last one"
claim "FreeRADIUS does not see a list under a number that it has read" lets_in late
hup() { kill -HUP "$radius_pid" && within 10 grep -q 'HUP - loading modules' "$T/by-crl/radius.log"; }
claim "... it takes a HUP" hup
claim "... and does not see it then either" lets_in late
cp "$T/late.pem" "$T/by-crl/trust/$hash.r$((n + 1))" || die "the next number"
claim "... but under the next number, at the next login" keeps_out late 'certificate revoked' by-crl
stop_radius

# ---- by OCSP, at the URL that the certificate names ----
make_radius by-ocsp "$(recipe "mods-available/eap, section tls-config, by OCSP")"
cat "$ISSUING" "$ROOT" >"$T/by-ocsp/trust.pem"
start_radius by-ocsp || die "FreeRADIUS starts"
claim "FreeRADIUS with OCSP: a laptop is let in" lets_in gone
claim "... the one that is on the CRL is not" keeps_out lost 'certificate has been revoked|revoked' by-ocsp
began=$(date +%s%N)
revoke gone cessationOfOperation || die "revoke"
claim "... nor one from its revocation on" within 30 keeps_out gone 'revoked' by-ocsp
tell "from scepctl revoke to the refusal, by OCSP" "$began"
claim "... while another is let in" lets_in stays
word hold roams >>"$T/claim.log" || die "hold"
claim "... a laptop that is held is refused" within 30 keeps_out roams 'revoked' by-ocsp
word release roams >>"$T/claim.log" || die "release"
claim "... and let in when it is released" within 30 lets_in roams
stop_radius

# ---- by the verdict call, as docs/nac.md has it ----
module=$(recipe mods-available/scepd | sed "s,127.0.0.1:9080,127.0.0.1:$admin_port,; s,TOKEN,$token,")
make_radius by-verdict "" "$module" "$(recipe sites-available/check-eap-tls)"
cat "$ISSUING" "$ROOT" "$T/server/ca.pem" >"$T/by-verdict/trust.pem"
start_radius by-verdict || die "FreeRADIUS starts"
claim "FreeRADIUS with the verdict call: a laptop is let in" lets_in stolen
claim "... the one that is on the CRL is not, and the log says why" keeps_out lost 'Login incorrect .*revoked' by-verdict
began=$(date +%s%N)
revoke stolen keyCompromise || die "revoke"
claim "... nor one from its revocation on" within 30 keeps_out stolen 'Login incorrect .*revoked' by-verdict
tell "from scepctl revoke to the refusal, by the verdict call" "$began"
claim "... while another is let in" lets_in stays
word hold roams >>"$T/claim.log" || die "hold"
claim "... a laptop that is held is refused, and the log says by whom" within 30 keeps_out roams 'Login incorrect .*held since .*desk' by-verdict
word release roams >>"$T/claim.log" || die "release"
claim "... and let in when it is released" within 30 lets_in roams
openssl req -newkey rsa:2048 -nodes -keyout "$T/server/client.key" -out "$T/server/client.csr" -subj "/CN=stays.lab.contoso.com" >>"$T/server.log" 2>&1
printf 'extendedKeyUsage=clientAuth\n' >"$T/server/client.ext"
openssl x509 -req -in "$T/server/client.csr" -CA "$T/server/ca.pem" -CAkey "$T/server/ca.key" -set_serial "0x$(serial_of "$T/stays/cert.pem" | sed 's/^./7/')" -days 30 \
	-extfile "$T/server/client.ext" -out "$T/server/client.pem" >>"$T/server.log" 2>&1
claim "... a certificate of another CA that FreeRADIUS trusts is refused: scepd does not know it" \
	wifi_refused "$T/server/client.pem" "$T/server/client.key" 'Login incorrect .*scepd has issued no such certificate' by-verdict
verdicts() { curl -fsS "$ADMIN/metrics" | grep -q '^scepd_verdicts_against_total [1-9]' && grep -q 'info verdict verdict=revoked .*who=api:radius' "$T/scepd.log"; }
claim "scepd's log and metrics tell of the refusals" verdicts

# ---- nobody answers ----
stop_scepd
claim "... nobody is let in, as it is set up there, while scepd is away" keeps_out stays 'Login incorrect' by-verdict
stop_radius
start_radius by-ocsp || die "FreeRADIUS starts"
claim "... nor by OCSP, without softfail" keeps_out stays 'OCSP|ocsp' by-ocsp
stop_radius
