#!/usr/bin/env bash
# web-clients: nginx asks browsers for a certificate of scepd and looks at the CRL, or asks by OCSP: who is revoked stays outside.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/relying.sh"
. "$(dirname "$0")/../lib/radius.sh"
NGINX=$(command -v nginx || echo /usr/sbin/nginx)
[ -x "$NGINX" ] || { skip_claim "nginx" "it is not here (Debian package nginx)"; exit 0; }
lab_ca
sed -i "s|^    crl_validity: 7d\$|&\n    crl_dir: $T/www|" "$CONFIG"
not() { ! "$@"; }
start_scepd || die "scepd starts"
make_server_certificate || die "a certificate for nginx"
for name in stays lost gone cached; do enrol $name; done
cat "$ISSUING" "$ROOT" >"$T/chain.pem"

# start_nginx NAME SETTINGS: sets WEB and nginx_pid; its master reads the configuration again on SIGHUP
start_nginx() {
	local d=$T/$1 port
	port=$(free_port) || die "a free port"
	WEB=https://127.0.0.1:$port nginx_dir=$d
	mkdir -p "$d"
	cat >"$d/nginx.conf" <<CONF
daemon off;
worker_processes 1;
$([ "$(id -u)" != 0 ] || echo "user root;")
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
	RECIPES=crl.md recipe_script /usr/local/sbin/scepd-crl-pem "$T/scepd-crl-pem"
	# systemctl notes what it is asked for, and does what "during" says: this machine's services are left alone.
	mkdir "$T/bin"
	cat >"$T/bin/systemctl" <<-END
		#!/bin/sh
		echo "\$*" >>"$T/systemctl.log"
		[ ! -e "$T/during" ] || { . "$T/during"; rm -f "$T/during"; }
	END
	chmod 755 "$T/bin/systemctl"
	together() { PATH=$T/bin:$PATH "$T/scepd-crl-pem" "$1" web.service "${@:2}" "$T/root.crl.pem"; }
	asked() { [ "$(grep -cx 'try-reload-or-restart web.service' "$T/systemctl.log")" = "$1" ]; }
	# What the path unit of docs/crl.md starts when scepd has written its file; nothing is fetched.
	put_together() { together "$T/crls.pem" "$T/www/issuing.crl"; }
	fresh_crls() { wait_for "$T/www/issuing.crl" $scepd_pid && put_together; }
	workers() { pgrep -P "$nginx_pid" | sort; }
	# reload: as "systemctl reload nginx" does; until its new workers have taken over, or it says why not
	reload() {
		local before line
		before=$(workers) line=$(wc -l <"$nginx_dir/error.log")
		kill -HUP "$nginx_pid"
		for _ in $(seq 600); do
			sleep 0.1
			tail -n "+$((line + 1))" "$nginx_dir/error.log" | grep -q '\[emerg\]' && return 1
			[ -n "$(workers)" ] && ! workers | grep -qxF "$before" && return 0
		done
		return 1
	}
	fresh_crls || die "CRLs for nginx"
	start_nginx by-crl "ssl_crl $T/crls.pem;" || die "nginx starts"
	claim "nginx with ssl_crl: a browser is let in" is_in lost
	# session NAME FILE [arguments]: a TLS session is opened, or taken up, and a page asked for
	session() {
		printf 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' | timeout 60 openssl s_client -connect "${WEB#https://}" -tls1_2 -CAfile "$T/server/ca.pem" \
			-cert "$T/$1/cert.pem" -key "$T/$1/key.pem" "${@:2}" -ign_eof >"$T/session" 2>&1
	}
	session lost -sess_out "$T/ticket" && grep -q '^SUCCESS' "$T/session" || die "a session"
	took_it_up() { session "$1" -sess_in "$T/ticket" && grep -q '^Reused' "$T/session" && grep -q '^SUCCESS' "$T/session"; }
	claim "... and takes up its session" took_it_up lost
	began=$(date +%s%N)
	revoke lost keyCompromise || die "revoke"
	listed() { openssl crl -in "$T/www/issuing.crl" -noout -text | grep -q "$(serial_of "$T/$1/cert.pem")"; }
	claim "the file in crl_dir has a revocation within seconds" within 15 listed lost
	put_together || die "CRLs for nginx"
	claim "... which nginx has not read: who is revoked is still let in" is_in lost
	claim "nginx is reloaded" reload
	claim "... and new workers refuse who is revoked" is_out lost '\(23:certificate revoked\)' by-crl
	tell "from scepctl revoke to the refusal, by CRL" "$began"
	not_taken_up() { ! took_it_up lost && ! grep -q '^SUCCESS' "$T/session"; }
	claim "... also with a session from before" not_taken_up
	claim "... while another is let in" is_in stays
	cp "$T/crls.pem" "$T/good.pem"
	head -c 400 "$T/good.pem" >"$T/crls.pem"
	claim "a reload with half a list fails" not reload
	claim "... and changes nothing: who is revoked stays outside" is_out lost '\(23:certificate revoked\)' by-crl
	claim "... and who is not is let in" is_in stays
	cp "$T/good.pem" "$T/crls.pem"
	echo nonsense >"$T/no-list"
	claim "the script leaves the old file alone where a list is none" not together "$T/good.pem" "$T/no-list"
	claim "... which is whole" openssl crl -in "$T/good.pem" -noout
	rm -f "$T/systemctl.log"
	together "$T/again.pem" "$T/www/issuing.crl" && together "$T/again.pem" "$T/www/issuing.crl"
	claim "the script has nginx read a list once" asked 1
	cp "$T/www/issuing.crl" "$T/one.crl" && cp "$T/root.crl.pem" "$T/next.crl"
	echo "mv '$T/next.crl' '$T/one.crl'" >"$T/during"
	rm -f "$T/systemctl.log"
	together "$T/during.pem" "$T/one.crl"
	claim "... and once more when one is replaced meanwhile" asked 2
	claim "... by what was written before" test "$(grep -cFf <(sed -n 2,3p "$T/root.crl.pem") "$T/during.pem")" = 4
	stop_nginx
	# What docs/crl.md warns of: it is so today, and if this fails one day, the warning may go.
	put_together || die "CRLs for nginx"
	start_nginx by-cache "ssl_crl $T/crls.pem; ssl_session_cache shared:all:1m; ssl_session_tickets off;" || die "nginx starts"
	session cached -sess_out "$T/ticket" && grep -q '^SUCCESS' "$T/session" || die "a session"
	revoke cached keyCompromise || die "revoke"
	claim "another revocation is in the file" within 15 listed cached
	put_together && reload || die "nginx is reloaded"
	claim "new workers refuse who is revoked, if he comes anew" is_out cached '\(23:certificate revoked\)' by-cache
	claim "... and with a shared ssl_session_cache take up his session, as docs/crl.md warns" took_it_up cached
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
