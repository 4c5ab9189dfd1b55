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
	TOKEN_DIR=$T/softhsm TOKEN_PIN_FILE=$T/softhsm.pin TOKEN_URI="pkcs11:token=$label"
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
# pull_token, plug_token: the token is gone, and back
pull_token() { mv "$TOKEN_DIR/tokens" "$TOKEN_DIR/away" && mkdir "$TOKEN_DIR/tokens"; }
plug_token() { rmdir "$TOKEN_DIR/tokens" && mv "$TOKEN_DIR/away" "$TOKEN_DIR/tokens"; }
