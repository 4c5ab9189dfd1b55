# kinds.sh - for tests of the endpoint kinds: a CA with endpoints of the test's own, and the admin API.  Sourced after env.sh.

# make_lab EXTRA: a CA in $T/ca whose scepd.yaml goes on with the YAML of $1 (profiles, endpoints, ...) instead of Intune's; admin
# listener with tokens at $ADMIN
make_lab() {
	scepd_port=$(free_port) && admin_port=$(free_port "$scepd_port") || die "free ports"
	SCEPD=http://127.0.0.1:$scepd_port ADMIN=http://127.0.0.1:$admin_port
	init_ca "$T/ca" --name Contoso --listen "127.0.0.1:$scepd_port" --url "$SCEPD" --root-key rsa:2048 --issuing-key rsa:2048
	CONFIG=$T/ca/scepd.yaml
	sed -n '/^# Microsoft.s properties/q;p' "$CONFIG" >"$T/head.yaml"
	{
		cat "$T/head.yaml"
		echo "admin: { address: \"127.0.0.1:$admin_port\", tokens_file: admin.tokens }"
		printf '%s\n' "$1"
	} >"$CONFIG"
}

# new_token NAME [arguments]: prints it
new_token() { scepctl admin token --config "$CONFIG" "$@" 2>>"$T/token.log"; }

# api METHOD PATH [JSON]: with $TOKEN; the body goes to $T/api.out, and the status to standard output
api() {
	local data=()
	[ $# -gt 2 ] && data=(-H 'Content-Type: application/json' --data "$3")
	curl -sS -o "$T/api.out" -w '%{http_code}' -X "$1" -H "Authorization: Bearer $TOKEN" "${data[@]}" "$ADMIN$2"
}
# json EXPRESSION: of the last answer `a`, in Python
json() { python3 -c 'import json,sys; a = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$T/api.out" "$1"; }
# says VALUE EXPRESSION: of the last answer
says() { local got; got=$(json "$2"); echo "$2 is $got"; [ "$got" = "$1" ]; }
# answered STATUS METHOD PATH [JSON]
answered() {
	local want=$1 got
	shift
	got=$(api "$@")
	echo "$* -> $got: $(cat "$T/api.out")"
	[ "$got" = "$want" ]
}

# new_otp JSON: sets otp_id and otp_file, a file with the secret
n_otp=0
new_otp() {
	n_otp=$((n_otp + 1))
	[ "$(api POST /api/v1/otp "$1")" = 201 ] || return 1
	otp_id=$(json 'a["id"]')
	otp_file=$T/otp-$n_otp
	(umask 077 && json 'a["secret"]' >"$otp_file")
}

# enrol ENDPOINT SUBJECT [arguments]: each in a folder of its own, $T/dev-N; sets dev
n_dev=0
enrol() {
	n_dev=$((n_dev + 1))
	dev=$T/dev-$n_dev
	mkdir -p "$dev"
	scep enroll --url "$SCEPD/scep/$1" --subject "$2" --out-dir "$dev" "${@:3}" >"$T/enroll.out" 2>&1
}
enrolled() { enrol "$@" || { cat "$T/enroll.out"; return 1; }; test -s "$dev/cert.pem"; }
# refused WORDS ENDPOINT SUBJECT [arguments]: a signed FAILURE (status 3) that says WORDS, and no certificate
refused() {
	local words=$1 status
	shift
	enrol "$@"
	status=$?
	cat "$T/enroll.out"
	[ $status = 3 ] && grep -qE -e "$words" "$T/enroll.out" && [ ! -e "$dev/cert.pem" ]
}
logged() { grep -E -e "$1" "$T/scepd.log"; }
metric() { curl -fsS "$ADMIN/metrics" | sed -nE "s/^$1(\{[^}]*\})? //p"; }
