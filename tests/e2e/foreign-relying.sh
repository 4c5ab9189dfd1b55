#!/usr/bin/env bash
# foreign-relying: FreeRADIUS and nginx ask scepd about certificates of a CA that is not ours, by the settings of docs/foreign.md: let in, and refused once an
# administrator of scepd has revoked or held one, although the CA's own list says nothing.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/radius.sh"
. "$(dirname "$0")/../lib/relying.sh"
. "$(dirname "$0")/../lib/foreign.sh"
NGINX=$(command -v nginx || echo /usr/sbin/nginx)
RECIPES=foreign.md
needs_radius
lab_ca
other_ca old rsa:2048 || die "another CA"
for name in stays gone roams; do leaf old $name || die "a certificate of the other CA"; done
cat >>"$CONFIG" <<EOC
foreign_cas:
  adcs: { certificate: $T/old/ca.pem, ocsp_certificate: foreign/old.pem, ocsp_key: foreign/old.key }
EOC
recipe openssl.cnf | sed 's/^\[responder\]/[documented]/' >>"$T/old/ca.cnf"
sed -i 's/^copy_extensions = copy/copy_extensions = none/' "$T/old/ca.cnf"
scepctl foreign csr adcs --config "$CONFIG" >"$T/csr.log" 2>&1 && signed_by old "$T/ca/foreign/old.pem.csr" "$T/responder.pem" documented &&
	scepctl foreign install adcs "$T/responder.pem" --config "$CONFIG" >>"$T/csr.log" 2>&1 || die "a responder"
claim "the responder is what docs/foreign.md has for openssl, with nocheck" sh -c "openssl x509 -in '$T/responder.pem' -noout -text | grep -q 'OCSP No Check' && ! grep -q nocheck '$T/csr.log'"
start_scepd || die "scepd starts"
for name in stays gone roams; do imported old $name 0 adcs || die "certificates of the other CA in the database"; done
enrol ours
make_server_certificate || die "a certificate for RADIUS and nginx"
address() { sed "s,http://ca.contoso.com,$SCEPD,"; }
word() { scepctl "$1" --config "$CONFIG" --yes "$(serial_of "$T/old/$2.pem")" "${@:3}" >>"$T/claim.log" 2>&1; }

# ---- FreeRADIUS ----
make_radius by-ocsp "$(recipe "mods-available/eap, section tls-config, by OCSP of a foreign CA" | address)"
cat "$T/old/ca.pem" "$ISSUING" "$ROOT" >"$T/by-ocsp/trust.pem"
start_radius by-ocsp || die "FreeRADIUS starts"
lets_in() { wifi "$T/old/$1.pem" "$T/old/$1.key"; }
keeps_out() { wifi_refused "$T/old/$1.pem" "$T/old/$1.key" "$2" by-ocsp; }
claim "FreeRADIUS: a laptop with a certificate of the other CA is let in" lets_in gone
claim "... and one with a certificate of ours, by the same address" wifi "$T/ours/cert.pem" "$T/ours/key.pem"
began=$(date +%s%N)
word revoke gone --reason cessationOfOperation || die "scepctl revoke of a certificate of the other CA"
claim "... the first is refused once scepctl has revoked its certificate" within 30 keeps_out gone revoked
tell "from scepctl revoke to the refusal" "$began"
word hold roams || die "scepctl hold"
claim "... one that is held is refused" within 30 keeps_out roams revoked
word release roams || die "scepctl release"
claim "... and let in when it is released" within 30 lets_in roams
claim "... another is let in all the time" lets_in stays
stop_radius

# ---- nginx ----
[ -x "$NGINX" ] || { skip_claim "nginx" "it is not here (Debian package nginx)"; exit 0; }
port=$(free_port) || die "a free port"
mkdir -p "$T/nginx"
cat >"$T/nginx/nginx.conf" <<CONF
daemon off;
master_process off;
pid $T/nginx/nginx.pid;
error_log $T/nginx/error.log info;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path $T/nginx/body; proxy_temp_path $T/nginx/proxy; fastcgi_temp_path $T/nginx/fastcgi; uwsgi_temp_path $T/nginx/uwsgi; scgi_temp_path $T/nginx/scgi;
	server {
		listen 127.0.0.1:$port ssl;
		ssl_certificate $T/server/cert.pem;
		ssl_certificate_key $T/server/key.pem;
		ssl_verify_client on;
		ssl_client_certificate $T/old/ca.pem;
$(recipe "nginx, server" | address)
		location / { return 200 "\$ssl_client_verify \$ssl_client_s_dn\n"; }
	}
}
CONF
"$NGINX" -c "$T/nginx/nginx.conf" -e "$T/nginx/error.log" -p "$T/nginx" 2>>"$T/nginx/error.log" &
nginx_pid=$!
pids="$pids $nginx_pid"
wait_for "$T/nginx/nginx.pid" $nginx_pid || die "nginx starts"
visit() { curl -sS --cacert "$T/server/ca.pem" --cert "$T/old/$1.pem" --key "$T/old/$1.key" -o "$T/page" -w '%{http_code}\n' "https://127.0.0.1:$port/" >"$T/code"; cat "$T/code" "$T/page"; }
is_in() { visit "$1"; [ "$(cat "$T/code")" = 200 ] && grep -q "SUCCESS .*CN=$1" "$T/page"; }
is_out() { visit "$1"; [ "$(cat "$T/code")" = 400 ] && grep -q 'SSL certificate error' "$T/page" && grep -E 'certificate status "revoked"|certificate revoked' "$T/nginx/error.log"; }
claim "nginx: a browser with a certificate of the other CA is let in" is_in stays
claim "... one whose certificate was revoked is not" is_out gone
