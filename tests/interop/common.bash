# common.bash - what the client scripts share.  Sourced after tests/lib/env.sh; not a script of its own.
# `client` names the client in the claims.

# lab_ca [scepctl init arguments]: a CA in $T/ca with endpoint lab (static challenge, CN=*.lab.contoso.com);
# sets URL, CONFIG, SECRET (file), CHALLENGE, ROOT, ISSUING, RA
lab_ca() {
	scepd_port=$(free_port) || die "free port"
	SCEPD=http://127.0.0.1:$scepd_port
	init_ca "$T/ca" --name Contoso --listen "127.0.0.1:$scepd_port" --url "$SCEPD" --root-key rsa:2048 \
		--static-challenge --static-domain lab.contoso.com "$@"
	CONFIG=$T/ca/scepd.yaml URL=$SCEPD/scep/lab SECRET=$T/ca/lab.secret
	CHALLENGE=$(cat "$SECRET")
	ROOT=$T/ca/ca/root.pem ISSUING=$T/ca/ca/issuing.pem RA=$T/ca/ca/ra.pem
}
# endpoint NAME PROFILE [more keys]: one more; `endpoints:` is the last block of the generated file
endpoint() { echo "  $1: { ca: issuing, profile: $2, challenge: static, challenge_file: lab.secret${3:+, $3} }" >>"$CONFIG"; }
# profile NAME [more keys]: like lab, with the rest of a subject in $REST; among `profiles:`
profile() {
	local row="  $1: { subject: { allow: [\"CN=*.lab.contoso.com${REST:-}\"] }, san: { types: [dns], allow: [\"dns:*.lab.contoso.com\"] }${2:+, $2} }"
	sed -i "s/^profiles:\$/&\n$(printf '%s' "$row" | sed 's/[&/\]/\\&/g')/" "$CONFIG"
}
serve() {
	scepctl check --config "$CONFIG" >"$T/check.log" 2>&1 || die "scepctl check"
	start_scepd || die "scepd starts"
}

# The log: the last PKIOperation, and a value of it
pki_line() { grep -E ' scep .*op=PKIOperation' "$T/scepd.log" | tail -n 1; }
field() { pki_line | sed -nE "s/.* $1=(\"([^\"]*)\"|([^ ]*)).*/\2\3/p"; }
# claim_log TEXT KEY=VALUE...: the last PKIOperation's line has all of them
claim_log() {
	local text=$1 row want
	shift
	row=" $(pki_line) "
	for want in "$@"; do
		[[ $row == *" $want "* ]] && continue
		not_ok "$text"
		echo "--- no $want in:$row" >&2
		return 1
	done
	ok "$text"
}
# hints WORD: the last line's hint has it
hints() { [[ $(field hint) == *"$1"* ]]; }

public_key() { openssl pkey -in "$1" -pubout 2>/dev/null; }
same_key() { [ -n "$(public_key "$2")" ] && [ "$(openssl x509 -in "$1" -noout -pubkey)" = "$(public_key "$2")" ]; }
verifies() { openssl verify -x509_strict -CAfile "$ROOT" -untrusted "$ISSUING" -purpose sslclient "$1"; }
has_cn() { openssl x509 -in "$1" -noout -subject -nameopt multiline | grep -qx " *commonName *= $2"; }
ext() { openssl x509 -in "$1" -noout -ext "$2" 2>/dev/null | tail -n +2 | sed 's/^ *//'; }
fits_profile() {
	[ "$(ext "$1" keyUsage)" = "Digital Signature, Key Encipherment" ] &&
		[ "$(ext "$1" extendedKeyUsage)" = "TLS Web Client Authentication" ] &&
		[ "$(ext "$1" basicConstraints)" = "CA:FALSE" ]
}
same_certificate() { [ -s "$1" ] && [ "$(openssl x509 -in "$1" -outform DER | sha256sum)" = "$(openssl x509 -in "$2" -outform DER | sha256sum)" ]; }
on_record() {
	local serial
	serial=$(openssl x509 -in "$1" -noout -serial | sed 's/.*=//')
	scepctl list --config "$CONFIG" --json 2>/dev/null | grep -qi "$serial"
}
revoke() { scepctl revoke --config "$CONFIG" --reason superseded "$(openssl x509 -in "$1" -noout -serial | sed 's/.*=//')"; }
# decide approve|deny NAME [arguments]: an administrator's word on the request of that name, which is waited for
decide() {
	local id
	for _ in $(seq 600); do
		id=$(scepctl requests list --config "$CONFIG" --json 2>/dev/null |
			python3 -c 'import json, sys; print(*[r["id"] for r in json.load(sys.stdin) if sys.argv[1] in r["subject"]])' "$2")
		[ -n "$id" ] && break
		sleep 0.1
	done
	scepctl requests "$1" --config "$CONFIG" "${@:3}" "$id"
}
# nobody_has NAME: no certificate for it exists
nobody_has() { ! scepctl list --config "$CONFIG" --match "*$1*" --json | grep -q '"serial"'; }

# claim_certificate CERT KEY CN: all that is claimed of every certificate
claim_certificate() {
	claim "$client: the certificate for $3 verifies against root and issuing CA" verifies "$1"
	claim "$client: ... holds the client's key" same_key "$1" "$2"
	claim "$client: ... has the subject asked for" has_cn "$1" "$3"
	claim "$client: ... has key usage, extended key usage and CA:FALSE of the profile" fits_profile "$1"
	claim "$client: ... is in the CA's records" on_record "$1"
}

# needs PROGRAM PACKAGE: or every claim of this script is skipped
needs() {
	command -v "$1" >/dev/null 2>&1 || [ -x "$1" ] && return 0
	skip_claim "$client" "$1 is not here (Debian package $2)"
	exit 0
}

# start_tap: $TAP is the server's URL through tap.py, which keeps requests and replies in $T/tap
start_tap() {
	mkdir -p "$T/tap"
	rm -f "$T/tap"/*
	python3 "$SCEPD_TOP/tests/interop/tap.py" "$scepd_port" "$T/tap" 2>"$T/tap.log" &
	tap_pid=$!
	pids="$pids $tap_pid"
	wait_for "$T/tap/port" $tap_pid || die "tap.py starts"
	TAP=http://127.0.0.1:$(cat "$T/tap/port")
}
# issued REPLY KEY: what openssl finds in a CertRep: the certificate, or nothing
issued() {
	openssl cms -verify -inform DER -in "$1" -noverify -out "$1.env" 2>/dev/null &&
		openssl cms -decrypt -inform DER -in "$1.env" -inkey "$2" -outform DER -out "$1.p7" 2>/dev/null &&
		openssl pkcs7 -inform DER -in "$1.p7" -print_certs 2>/dev/null | openssl x509 2>/dev/null
}
