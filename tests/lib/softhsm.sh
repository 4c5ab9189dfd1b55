# softhsm.sh - a token of the test's own, in $T: SoftHSM 2.  Sourced after env.sh.
# make_token [LABEL]: sets TOKEN_MODULE (the library), TOKEN_PIN_FILE, TOKEN_URI ("pkcs11:token=LABEL": add ";object=..."), TOKEN_DIR (what a sandbox
# has to allow), and exports SOFTHSM2_CONF.  Fails, and says why in TOKEN_WHY, where SoftHSM is not installed.
make_token() {
	local label=${1:-scepd} m
	TOKEN_MODULE=
	for m in /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so /usr/lib64/softhsm/libsofthsm2.so /usr/lib64/pkcs11/libsofthsm2.so; do
		[ -r "$m" ] && { TOKEN_MODULE=$m; break; }
	done
	if [ -z "$TOKEN_MODULE" ] || ! command -v softhsm2-util >/dev/null; then
		TOKEN_WHY="SoftHSM 2 is not installed (package softhsm2)"
		return 1
	fi
	TOKEN_DIR=$T/softhsm TOKEN_PIN_FILE=$T/softhsm-$label.pin TOKEN_URI="pkcs11:token=$label"
	mkdir -p "$TOKEN_DIR/tokens"
	printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$TOKEN_DIR" >"$TOKEN_DIR/softhsm2.conf"
	export SOFTHSM2_CONF=$TOKEN_DIR/softhsm2.conf
	TOKEN_PIN=$((RANDOM * 32768 + RANDOM + 10000))
	(umask 077 && echo "$TOKEN_PIN" >"$TOKEN_PIN_FILE")
	softhsm2-util --init-token --free --label "$label" --pin "$TOKEN_PIN" --so-pin "so$TOKEN_PIN" >"$T/softhsm.log" 2>&1 || {
		TOKEN_WHY="softhsm2-util cannot make a token"
		return 1
	}
}
# token_import FILE OBJECT: a key of a PEM file, PKCS#8
token_import() {
	n_objects=$((n_objects + 1))
	softhsm2-util --import "$1" --token "${TOKEN_URI#pkcs11:token=}" --label "$2" --id "$(printf %04x $n_objects)" --pin "$TOKEN_PIN" >>"$T/softhsm.log" 2>&1
}
n_objects=0
# token_arguments [scepctl init arguments]: TOKEN_ARGUMENTS, the same with the keys of CA and RA in the token
token_arguments() {
	local issuing=rsa:3072 ra=rsa:2048
	TOKEN_ARGUMENTS=()
	while [ $# -gt 0 ]; do
		case $1 in
		--issuing-key) issuing=$2 && shift ;;
		--ra-key) ra=$2 && shift ;;
		*) TOKEN_ARGUMENTS+=("$1") ;;
		esac
		shift
	done
	TOKEN_ARGUMENTS+=(--issuing-key "$TOKEN_URI;object=issuing" --issuing-kind "$issuing" --ra-key "$TOKEN_URI;object=ra" --ra-kind "$ra"
		--pin-file "$TOKEN_PIN_FILE" --pkcs11-module "$TOKEN_MODULE")
}
# token_config FILE [openssl genpkey arguments]: the OCSP responder's key in the token, too, and what the sandbox has to allow
token_config() {
	local config=$1
	shift
	[ $# -gt 0 ] || set -- -algorithm EC -pkeyopt ec_paramgen_curve:P-256
	openssl genpkey "$@" -out "$T/ocsp.pem" 2>>"$T/softhsm.log" && token_import "$T/ocsp.pem" ocsp || return 1
	rm "$T/ocsp.pem"
	sed -i -e "s|^    ra_key: .*|&\n    ocsp_key: \"$TOKEN_URI;object=ocsp\"|" -e "s|^  module: .*|&\n  paths: [$TOKEN_DIR]|" "$config"
}
# pull_token, plug_token: the token is gone, and back
pull_token() { mv "$TOKEN_DIR/tokens" "$TOKEN_DIR/away" && mkdir "$TOKEN_DIR/tokens"; }
plug_token() { rmdir "$TOKEN_DIR/tokens" && mv "$TOKEN_DIR/away" "$TOKEN_DIR/tokens"; }
