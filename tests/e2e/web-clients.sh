#!/usr/bin/env bash
# web-clients: nginx asks browsers for a certificate of scepd and looks at the CRL, or asks by OCSP: who is revoked stays outside.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/relying.sh"
. "$(dirname "$0")/../lib/radius.sh"
NGINX=$(command -v nginx || echo /usr/sbin/nginx)
[ -x "$NGINX" ] || { skip_claim "nginx" "it is not here (Debian package nginx)"; exit 0; }
lab_ca
start_scepd || die "scepd starts"
make_server_certificate || die "a certificate for nginx"
for name in stays lost gone; do enrol $name; done
cat "$ISSUING" "$ROOT" >"$T/chain.pem"

# start_nginx NAME SETTINGS: sets WEB and nginx_pid
start_nginx() {
	local d=$T/$1 port
	port=$(free_port) || die "a free port"
	WEB=https://127.0.0.1:$port
	mkdir -p "$d"
	cat >"$d/nginx.conf" <<CONF
daemon off;
master_process off;
pid $d/nginx.pid;
error_log $d/error.log info;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path $d/body; proxy_temp_path $d/proxy; fastcgi_temp_path $d/fastcgi; uwsgi_temp_path $d/uwsgi; scgi_temp_path $d/scgi;
	server {
		listen 127.0.0.1:$port ssl;
		ssl_certificate $T/server/cert.pem;
		ssl_certificate_key $T/server/key.pem;
		ssl_verify_client on;
		ssl_client_certificate $T/chain.pem;
		ssl_verify_depth 2;
		$2
		location / { return 200 "\$ssl_client_verify \$ssl_client_s_dn\n"; }
	}
}
CONF
	"$NGINX" -c "$d/nginx.conf" -e "$d/error.log" -p "$d" 2>>"$d/error.log" &
	nginx_pid=$!
	pids="$pids $nginx_pid"
	wait_for "$d/nginx.pid" $nginx_pid || { cat "$d/error.log" >&2; return 1; }
}
stop_nginx() { kill "$nginx_pid"; wait "$nginx_pid"; } 2>/dev/null
visit() { curl -sS --cacert "$T/server/ca.pem" --cert "$T/$1/cert.pem" --key "$T/$1/key.pem" -o "$T/page" -w '%{http_code}\n' "$WEB/" >"$T/code"; cat "$T/code" "$T/page"; }
is_in() { visit "$1"; [ "$(cat "$T/code")" = 200 ] && grep -q "SUCCESS .*CN=$1" "$T/page"; }
# is_out NAME WORDS SERVER: 400 "The SSL certificate error", with WORDS in nginx's log
is_out() { visit "$1"; [ "$(cat "$T/code")" = 400 ] && grep -q 'SSL certificate error' "$T/page" && grep -E -e "$2" "$T/$3/error.log"; }

# ---- by CRL: nginx looks at the whole chain, so the root's list has to be in the file as well ----
if in_token; then
	skip_claim "nginx with a CRL" "the root's key is in the token, and openssl ca wants a file"
	revoke lost keyCompromise || die "revoke"
else
	root_crl "$T/root.crl.pem" || die "the root's own CRL"
	fresh_crls() { get_crl "$T/issuing.crl.pem" && cat "$T/issuing.crl.pem" "$T/root.crl.pem" >"$T/crls.pem"; }
	fresh_crls || die "CRLs for nginx"
	start_nginx by-crl "ssl_crl $T/crls.pem;" || die "nginx starts"
	claim "nginx with ssl_crl: a browser is let in" is_in lost
	began=$(date +%s%N)
	revoke lost keyCompromise || die "revoke"
	# nginx reads the file when it starts or is reloaded, which is what a timer does
	again() { fresh_crls && stop_nginx; start_nginx by-crl "ssl_crl $T/crls.pem;" && is_out lost '\(23:certificate revoked\)' by-crl; }
	claim "... and refused once it is revoked" within 30 again
	tell "from scepctl revoke to the refusal, by CRL" "$began"
	claim "... while another is let in" is_in stays
	stop_nginx
fi

# ---- by OCSP, at the URL that the certificate names; the root's certificate names none ----
start_nginx by-ocsp "ssl_ocsp leaf;" || die "nginx starts"
claim "nginx with ssl_ocsp: a browser is let in" is_in gone
claim "... the one that is on the CRL is not" is_out lost 'certificate status "revoked"|certificate revoked' by-ocsp
began=$(date +%s%N)
revoke gone cessationOfOperation || die "revoke"
refused_now() { is_out gone 'certificate status "revoked" in the OCSP response.*|certificate revoked' by-ocsp; }
claim "... nor one soon after its revocation" within 30 refused_now
tell "from scepctl revoke to the refusal, by OCSP" "$began"
claim "... while another is let in" is_in stays
