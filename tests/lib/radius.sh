# radius.sh - for tests of Wi-Fi: a FreeRADIUS with a configuration of its own on a free port of loopback, and eapol_test as the laptop at the
# access point.  Sourced after env.sh.
RADIUSD=$(command -v freeradius || command -v radiusd || echo /usr/sbin/freeradius)
EAPOL_TEST=$(command -v eapol_test || echo /usr/bin/eapol_test)

# needs_radius: or every claim of this script is skipped
needs_radius() {
	[ -x "$RADIUSD" ] && [ -x "$EAPOL_TEST" ] && return 0
	skip_claim "Wi-Fi" "FreeRADIUS or eapol_test is not here (Debian packages freeradius, freeradius-rest, eapoltest)"
	exit 0
}

# make_server_certificate: for RADIUS and web servers, from a CA of their own, as it often is: $T/server/{ca,cert,key}.pem
make_server_certificate() {
	local d=$T/server
	mkdir -p "$d"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$d/ca.key" -out "$d/ca.pem" -days 30 -subj "/CN=Servers of the test" \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign &&
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$d/key.pem" -out "$d/csr.pem" -subj "/CN=radius.contoso.test" &&
		printf 'subjectAltName=DNS:radius.contoso.test,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n' >"$d/ext" &&
		openssl x509 -req -in "$d/csr.pem" -CA "$d/ca.pem" -CAkey "$d/ca.key" -set_serial 1 -days 30 -extfile "$d/ext" -out "$d/cert.pem"
} >>"$T/server.log" 2>&1

# make_radius NAME [TLS] [MODULES] [SITE]: a configuration in $T/NAME; TLS goes into the section tls-config, MODULES among the modules, SITE is
# the virtual server check-eap-tls. The file $T/NAME/trust.pem has the CAs.
make_radius() {
	local d=$T/$1 libdir port
	libdir=$(dirname "$(find /usr/lib/freeradius /usr/lib64/freeradius /usr/lib/*/freeradius -name 'rlm_eap_tls.so*' 2>/dev/null | head -n 1)")
	port=$(free_port) || die "a free port"
	mkdir -p "$d/trust" "$d/run"
	cat >"$d/radiusd.conf" <<CONF
prefix = $d
libdir = $libdir
logdir = $d
run_dir = $d/run
db_dir = $d
raddbdir = $d
pidfile = $d/run/radiusd.pid
max_requests = 1024
hostname_lookups = no
log {
	destination = stdout
	auth = yes
}
thread pool {
	start_servers = 2
	max_servers = 4
	min_spare_servers = 1
	max_spare_servers = 2
}
client lab {
	ipaddr = 127.0.0.1
	secret = testing123
	require_message_authenticator = yes
}
modules {
	always reject {
		rcode = reject
	}
	eap {
		default_eap_type = tls
		tls-config lab {
			private_key_file = $T/server/key.pem
			certificate_file = $T/server/cert.pem
			ca_file = $d/trust.pem
			tls_min_version = "1.2"
			tls_max_version = "1.2"
${2:-}
		}
		tls {
			tls = lab
${4:+			virtual_server = check-eap-tls}
		}
	}
${3:-}
}
${4:-}
server lab {
	listen {
		type = auth
		ipaddr = 127.0.0.1
		port = $port
	}
	authorize {
		eap
	}
	authenticate {
		eap
	}
}
CONF
}

# start_radius NAME: sets radius_pid and radius_port; its words go to $T/NAME/radius.log
start_radius() {
	local d=$T/$1 i
	radius_port=$(sed -n 's/^\t\tport = //p' "$d/radiusd.conf")
	: >"$d/radius.log"
	"$RADIUSD" -fxx -l stdout -d "$d" -n radiusd >"$d/radius.log" 2>&1 &
	radius_pid=$!
	pids="$pids $radius_pid"
	for i in $(seq 600); do
		grep -q 'Ready to process requests' "$d/radius.log" && return 0
		kill -0 "$radius_pid" 2>/dev/null || break
		sleep 0.1
	done
	grep -iE 'error|fail|/radiusd.conf\[' "$d/radius.log" | tail -n 30 >&2
	return 1
}
stop_radius() { kill "$radius_pid" 2>/dev/null; wait "$radius_pid" 2>/dev/null; }

# wifi CERT KEY: the laptop wants to the network; 0: it is let in, by a RADIUS that has taken its certificate
wifi() {
	cat >"$T/wifi.conf" <<CONF
network={
	ssid="contoso"
	key_mgmt=WPA-EAP
	eap=TLS
	identity="host/laptop"
	ca_cert="$T/server/ca.pem"
	domain_match="radius.contoso.test"
	client_cert="$1"
	private_key="$2"
}
CONF
	timeout 60 "$EAPOL_TEST" -c "$T/wifi.conf" -a 127.0.0.1 -p "$radius_port" -s testing123 -t 30 -r 0 >"$T/wifi.log" 2>&1
	local status=$?
	tail -n 2 "$T/wifi.log"
	[ $status = 0 ] && [ "$(tail -n 1 "$T/wifi.log")" = SUCCESS ]
}
# wifi_refused CERT KEY WORDS NAME: an Access-Reject of an answering server, which says WORDS in its log
wifi_refused() {
	local d=$T/$4 before
	before=$(wc -l <"$d/radius.log")
	wifi "$1" "$2" && return 1
	grep -q 'EAP-Failure\|Access-Reject\|EAP: Received EAP-Failure\|code=3' "$T/wifi.log" || { tail -n 20 "$T/wifi.log"; return 1; }
	tail -n "+$((before + 1))" "$d/radius.log" | grep -E -e "$3" || { tail -n 40 "$d/radius.log"; return 1; }
}

# recipe NAME: the block of docs/nac.md, or of the document that RECIPES names, whose first line is "# NAME", as it stands there without that line.
# recipe_script NAME FILE: a script, which begins with what runs it and says "# NAME" in its second line, all of it, to be run as an administrator's would be.
recipe() {
	awk -v want="# $1" '/^```/ { inside = !inside; first = inside; take = 0; next } inside && first { first = 0; take = ($0 == want); next } take' \
		"$SCEPD_TOP/docs/${RECIPES:-nac.md}"
}
recipe_script() {
	awk -v want="# $1 " '/^```/ { inside = !inside; n = take = 0; next }
		inside { if (++n == 1) first = $0; if (n == 2 && index($0, want) == 1) { take = 1; print first } if (take) print }' \
		"$SCEPD_TOP/docs/${RECIPES:-nac.md}" >"$2" && chmod 755 "$2"
}
# fetch_crl FOLDER: what a timer of the RADIUS server does
fetch_crl() {
	[ -s "$T/scepd-crl" ] || recipe_script /usr/local/sbin/scepd-crl "$T/scepd-crl"
	"$T/scepd-crl" "$SCEPD/crl/issuing.crl" "$1"
}
