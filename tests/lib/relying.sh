# relying.sh - for tests with those who rely on certificates: a CA with endpoint lab, certificates of it, their revocation, CRLs as files.
# Sourced after env.sh.

# lab_ca [scepctl init arguments]: a CA in $T/ca; sets CONFIG, URL, SECRET, ROOT, ISSUING
lab_ca() {
	scepd_port=$(free_port) || die "a free port"
	SCEPD=http://127.0.0.1:$scepd_port
	init_ca "$T/ca" --name Contoso --listen "127.0.0.1:$scepd_port" --url "$SCEPD" --static-challenge --static-domain lab.contoso.com "$@"
	CONFIG=$T/ca/scepd.yaml URL=$SCEPD/scep/lab SECRET=$T/ca/lab.secret
	ROOT=$T/ca/ca/root.pem ISSUING=$T/ca/ca/issuing.pem
}
# enrol NAME [arguments]: $T/NAME/{cert,key}.pem for CN=NAME.lab.contoso.com
enrol() {
	mkdir -p "$T/$1"
	scep enroll --url "$URL" --subject "CN=$1.lab.contoso.com" --challenge-file "$SECRET" --out-dir "$T/$1" "${@:2}" >"$T/enroll-$1.log" 2>&1 || die "enrol $1"
}
serial_of() { openssl x509 -in "$1" -noout -serial | sed 's/.*=//'; }
# revoke NAME REASON
revoke() { scepctl revoke --config "$CONFIG" --reason "$2" "$(serial_of "$T/$1/cert.pem")" >>"$T/revoke.log" 2>&1; }
# get_crl FILE [NAME]: the CRL that the certificate's issuer publishes, as PEM
get_crl() { curl -fsS "$SCEPD/crl/${2:-issuing}.crl" | openssl crl -inform DER -out "$1"; }
# root_crl FILE: the offline root's list, which is empty.  Who looks at the whole chain wants one.
root_crl() {
	local d=$T/root-crl
	mkdir -p "$d"
	: >"$d/index.txt"
	printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index.txt\ndefault_md=sha256\ndefault_crl_days=180\n' "$d" >"$d/openssl.cnf"
	openssl ca -config "$d/openssl.cnf" -gencrl -cert "$ROOT" -keyfile "${ROOT%.pem}.key" -out "$1"
} >>"$T/root-crl.log" 2>&1

# tell WORDS BEGAN: seconds since BEGAN (date +%s%N); for people
tell() { printf '%s: %d.%d s\n' "$1" $((($(date +%s%N) - $2) / 1000000000)) $((($(date +%s%N) - $2) / 100000000 % 10)); }
