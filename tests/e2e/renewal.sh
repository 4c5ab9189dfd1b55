#!/usr/bin/env bash
# renewal: what renews itself while scepd runs (RA and OCSP certificates), what is renewed on disk under a front that may open no file (TLS), and who is
# told of what will not be.
. "$(dirname "$0")/../lib/env.sh"
admin=127.0.0.1:$(free_port)
make_ca --static-challenge --static-domain lab.contoso.com --admin "$admin"
tls_port=$(free_port "$scepd_port")
days() { date -u -d "@$(($(date +%s) + $1))" +%Y%m%d%H%M%SZ; } # SECONDS from now
# near CA FILE KEY SUBJECT EXTENSIONS: a certificate by issuing or root, whose key is in a file, of a 40 days old life, that ends in an hour
near() {
	openssl req -new -key "$3" -subj "$4" -out "$T/near.csr" 2>/dev/null &&
		printf '%s\n' "$5" >"$T/near.ext" && : >"$T/near.db" && rm -f "$T/near.db.attr" &&
		openssl ca -batch -notext -config <(printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s\nrand_serial=yes\nnew_certs_dir=%s\npolicy=p\ndefault_md=sha256\n[p]\ncommonName=supplied\norganizationName=optional\n' "$T/near.db" "$T") \
			-cert "$T/ca/ca/$1.pem" -keyfile "$T/ca/ca/$1.key" -startdate "$(days -3456000)" -enddate "$(days 3600)" \
			-extfile "$T/near.ext" -preserveDN -in "$T/near.csr" -out "$2" >>"$T/near.log" 2>&1
}
# near_in_token FILE CERTIFICATE SUBJECT LINES: the same for the key of a certificate, by issuing, whose key is in the token: GnuTLS reaches it
near_in_token() {
	day() { date -u -d "@$(($(date +%s) + $1))" "+%Y-%m-%d %H:%M:%S UTC"; }
	printf '%s\n' "dn = \"$3\"" "activation_date = \"$(day -3456000)\"" "expiration_date = \"$(day 3600)\"" "$4" >"$T/near.template"
	openssl x509 -in "$2" -noout -pubkey >"$T/near.pub" &&
		GNUTLS_PIN=$TOKEN_PIN certtool --generate-certificate --template "$T/near.template" --load-pubkey "$T/near.pub" --hash SHA256 \
			--load-ca-certificate "$T/ca/ca/issuing.pem" --load-ca-privkey "$TOKEN_URI;object=issuing;type=private" --provider "$TOKEN_MODULE" \
			--outfile "$T/near.text" >>"$T/near.log" 2>&1 && openssl x509 -in "$T/near.text" -out "$1"
}
near_ra() { # FILE
	if in_token; then
		near_in_token "$1" "$T/ca/ca/ra.pem" "CN=Contoso SCEP RA,O=Contoso" $'signing_key\nencryption_key\ntls_www_client'
	else
		near issuing "$1" "$T/ca/ca/ra.key" "/O=Contoso/CN=Contoso SCEP RA" "keyUsage=critical,digitalSignature,keyEncipherment
extendedKeyUsage=clientAuth
basicConstraints=critical,CA:FALSE
authorityKeyIdentifier=keyid
subjectKeyIdentifier=hash"
	fi
}
near_responder() { # FILE
	if in_token; then
		near_in_token "$1" "$T/ca/signer/issuing-ocsp.pem" "CN=issuing OCSP responder" $'signing_key\nocsp_signing_key'
	else
		near issuing "$1" "$T/ca/signer/issuing-ocsp.key" "/CN=issuing OCSP responder" "keyUsage=critical,digitalSignature
extendedKeyUsage=OCSPSigning
noCheck=ignored
authorityKeyIdentifier=keyid
basicConstraints=critical,CA:FALSE"
	fi
}
tls_cert() { # DAYS NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -addext subjectAltName=IP:127.0.0.1 -days "$1" \
		-keyout "$T/ca/tls.key.new" -out "$T/ca/tls.pem.new" 2>/dev/null && chmod 600 "$T/ca/tls.key.new" &&
		mv "$T/ca/tls.key.new" "$T/ca/tls.key" && mv "$T/ca/tls.pem.new" "$T/ca/tls.pem"
}
serial_of() { openssl x509 -in "$1" -noout -serial; }
until_true() { within 70 "$@"; } # what is looked at once a minute
until_line() { until_true sh -c "[ \$(grep -cE '$1' '$T/scepd.log') -ge ${2:-1} ]"; }
enrol() { scep enroll --url "$SCEPD/scep/lab" --subject "CN=$1.lab.contoso.com" --challenge-file "$T/ca/lab.secret" --out-dir "$T/$1" "${@:2}"; }
# served_ra FILE: the RA certificate that GetCACert gives, which is the first
served_ra() {
	curl -fsS "$SCEPD/scep/lab?operation=GetCACert" | openssl pkcs7 -inform DER -print_certs 2>/dev/null |
		sed -n '/BEGIN/,/END/p;/END/q' >"$1" && [ -s "$1" ]
}
metric() { curl -fsS "http://$admin/metrics" | sed -n "s/^scepd_certificate_not_after_seconds{what=\"$1\",name=\"$2\"} //p"; }
metric_is() { [ "$(metric "$1" "$2")" = "$3" ]; }
end_of() { date -u -d "$(openssl x509 -in "$1" -noout -enddate | cut -d= -f2)" +%s; }
check() { scepctl check --config "$CONFIG" >"$T/check.out" 2>&1; grep -qE "$1" "$T/check.out"; }

# ---- an RA certificate in the last hour of its life
near_ra "$T/ra.pem" || die "an RA certificate near its end is made"
cp "$T/ra.pem" "$T/ca/ca/ra.pem"
tls_cert 2 first.lab.contoso.com
sed -i "s|^listeners:|&\n  - { address: \"127.0.0.1:$tls_port\", certificate: tls.pem, key: tls.key }|" "$CONFIG"
claim "check says that an RA certificate ends within the hour" check "^fail +issuing +the RA certificate expires at .* in 0 days: scepd renews it"
claim "check looks at the listener's certificate" check "^ok +127.0.0.1:$tls_port +the listener's certificate is valid"
start_scepd || die "scepd starts with an RA certificate that ends within the hour"
claim "the signer renews it" until_line 'certificate-renewed ca=issuing of=RA'
kill -HUP "$scepd_pid"
renewed() { served_ra "$T/served.pem" && [ "$(serial_of "$T/served.pem")" != "$(serial_of "$T/ra.pem")" ]; }
claim "GetCACert has the new one within a minute, or at once by SIGHUP" until_true renewed
claim "of the same key" sh -c "[ \"\$(openssl x509 -in '$T/served.pem' -noout -pubkey)\" = \"\$(openssl x509 -in '$T/ra.pem' -noout -pubkey)\" ]"
claim "it verifies up to the root" openssl verify -CAfile "$T/ca/ca/root.pem" -untrusted "$T/ca/ca/issuing.pem" "$T/served.pem"
claim "a device enrols with it" enrol new
# A device that has fetched the CA's certificates before encrypts to the old one, and names it.
cat "$T/ra.pem" "$T/ca/ca/issuing.pem" "$T/ca/ca/root.pem" >"$T/old-cacert.pem"
claim "a device with the old one enrols, too" enrol old --server-certs "$T/old-cacert.pem"
claim "the configured file is as it was" cmp -s "$T/ra.pem" "$T/ca/ca/ra.pem"
claim "metrics tell the end of the renewed one" until_true metric_is ra issuing "$(end_of "$T/served.pem")"
claim "and of the CA" test "$(metric ca issuing)" = "$(end_of "$T/ca/ca/issuing.pem")"
claim "and of the root" test "$(metric root issuing-1)" = "$(end_of "$T/ca/ca/root.pem")"
claim "check knows the renewed one" check "^ok +issuing +the RA certificate is valid until"
claim "ca show tells which is in use, and which is configured" sh -c "scepctl ca show --config '$CONFIG' | grep -A4 '^  RA ' | grep -q 'in use: renewed by scepd'"
claim "also in JSON" sh -c "scepctl ca show --config '$CONFIG' --json | jq -e '.[0].raRenewed.sha1 != .[0].ra.sha1'"
served_ra "$T/before.pem"
stop_scepd
start_scepd || die "scepd starts again"
served_ra "$T/after.pem"
claim "after a restart it is still the renewed one" cmp -s "$T/before.pem" "$T/after.pem"
claim "and it was renewed once" test "$(grep -c 'certificate-renewed ca=issuing of=RA' "$T/scepd.log")" = 1

# ---- the responder's
ocsp_ok() { openssl ocsp -issuer "$T/ca/ca/issuing.pem" -cert "$T/new/cert.pem" -url "$SCEPD/ocsp/issuing" -CAfile "$T/ca/ca/root.pem" \
	-verify_other "$T/ca/ca/issuing.pem" -resp_text "$@" >"$T/ocsp.out" 2>&1 && grep -q "cert.pem: good" "$T/ocsp.out"; }
claim "a responder's certificate was made" until_line 'certificate-renewed ca=issuing of="OCSP responder"'
claim "OCSP answers are good" ocsp_ok
has_metric() { [ -n "$(metric "$@")" ]; }
claim "metrics tell the end of the responder's certificate" until_true has_metric ocsp issuing
claim "check tells it as well" check "^ok +issuing +the OCSP responder's certificate is valid until"
stop_scepd
cp "$T/ca/signer/issuing-ocsp.pem" "$T/ocsp-first.pem"
near_responder "$T/ocsp.pem" || die "a responder's certificate near its end is made"
cat "$T/ocsp.pem" >"$T/ca/signer/issuing-ocsp.pem"
claim "check warns of a responder's certificate that was not renewed" check "^fail +issuing +the OCSP responder's certificate expires at .*scepd renews it by itself and has not"
start_scepd || die "scepd starts with a responder's certificate that ends within the hour"
claim "it is renewed" until_line 'certificate-renewed ca=issuing of="OCSP responder"' 2
claim "OCSP answers are good with it" ocsp_ok
claim "they carry the renewed one" sh -c "! grep -q \"\$(openssl x509 -in '$T/ocsp.pem' -noout -serial | cut -d= -f2 | tr A-F a-f | sed 's/../&:/g;s/:\$//')\" '$T/ocsp.out'"

# ---- a listener's certificate, replaced by rename under a front that may open no file
tls_name() { openssl s_client -connect "127.0.0.1:$tls_port" </dev/null 2>/dev/null | openssl x509 -noout -subject; }
claim "the listener has its certificate" sh -c "echo '$(tls_name)' | grep -q first.lab"
tls_cert 200 second.lab.contoso.com
kill -HUP "$scepd_pid"
is_second() { tls_name | grep -q second.lab; }
claim "a certificate and key that were replaced by rename are taken up" until_true is_second
claim "metrics have its end" until_true metric_is tls "127.0.0.1:$tls_port" "$(end_of "$T/ca/tls.pem")"
openssl x509 -in "$T/ca/tls.pem" -out "$T/keep.pem"
echo broken >"$T/ca/tls.pem.new" && mv "$T/ca/tls.pem.new" "$T/ca/tls.pem"
kill -HUP "$scepd_pid"
claim "a broken one is told of" until_line 'error reload .*the certificate in use stays'
claim "and leaves the old in use" is_second
near root "$T/ca/tls.pem.new" "$T/ca/tls.key" "/CN=third.lab.contoso.com" "basicConstraints=CA:FALSE" && mv "$T/ca/tls.pem.new" "$T/ca/tls.pem"
kill -HUP "$scepd_pid"
claim "one that ends within the hour is an error at once" until_line "error expiry .*127.0.0.1:$tls_port: the listener.s certificate expires at"
kill -HUP "$scepd_pid"
sleep 1
claim "and is told of once" test "$(grep -c "expiry .*the listener's certificate expires" "$T/scepd.log")" = 1
stop_scepd

# ---- a file of the system that the front's sandbox is for, replaced by rename: in a mount namespace that has an /etc of its own
mkdir "$T/etc" && cp -a /etc/hosts /etc/nsswitch.conf /etc/passwd /etc/group "$T/etc/" && echo "nameserver 127.0.0.1" >"$T/etc/resolv.conf"
for d in ssl ld.so.cache alternatives localtime; do [ -e "/etc/$d" ] && cp -a "/etc/$d" "$T/etc/"; done
own_etc="mount --bind '$T/etc' /etc"
as_root=$([ "$(id -u)" = 0 ] || echo -r)
if ! unshare $as_root -m sh -c "$own_etc" 2>"$T/unshare.err"; then
	skip_claim "a front whose /etc/resolv.conf was replaced is started again" "no mount namespace here: $(head -n 1 "$T/unshare.err")"
elif ! grep -qE 'sandbox process=front .*files=yes' "$T/scepd.log"; then
	skip_claim "a front whose /etc/resolv.conf was replaced is started again" "this kernel has no Landlock"
else
	scepd() { exec unshare $as_root -m sh -c "$own_etc && exec scepd \"\$@\"" sh "$@"; }
	start_scepd || die "scepd starts with an /etc of its own"
	front=$(process_of front) signer=$(process_of signer)
	kill -HUP "$scepd_pid"
	sleep 1
	claim "a front whose files are as they were stays" test "$(process_of front)" = "$front"
	echo "nameserver 127.0.0.2" >"$T/etc/resolv.conf.new" && mv "$T/etc/resolv.conf.new" "$T/etc/resolv.conf"
	kill -HUP "$scepd_pid"
	another_front() { local now; now=$(process_of front) && [ -n "$now" ] && [ "$now" != "$front" ]; }
	claim "a front whose /etc/resolv.conf was replaced is started again" until_true another_front
	claim "the log tells why" grep -q '/etc/resolv.conf was replaced' "$T/scepd.log"
	claim "its end was no failure" sh -c "! grep -q 'ended unexpectedly' '$T/scepd.log'"
	claim "the signer stayed" test "$(process_of signer)" = "$signer"
	claim "a device gets its certificate" enrol again --retries 20 --retry-delay 1s
	front=$(process_of front)
	kill -HUP "$scepd_pid"
	sleep 1
	claim "and it is started once" test "$(process_of front)" = "$front"
	stop_scepd
	claim "and all of it ends with status 0" test $? = 0
fi
