# clients.bash - how each client is run, for the interop scripts and for tests/vectors/capture.sh.  Sourced after common.bash.

# ---- strongSwan: pki --scepca and pki --scep
# It complains about plugins that are not there (a TPM's) on stderr; that is no failure
pki_get_ca() { LC_ALL=C pki --scepca --url "$1" --caout "$2/ca.pem" --raout "$2/ra.pem" --outform pem >"$2/ca.log" 2>&1; }
# By openssl: pki --gen takes half a minute where the machine is busy
pki_key() { openssl genrsa -out "$1" 2048 2>"$1.err"; }
# pki_enrol URL DIR NAME KEY OUT [pki arguments]; DIR holds the CA's certificates
pki_enrol() {
	local url=$1 dir=$2 name=$3 key=$4 out=$5
	shift 5
	LC_ALL=C timeout "${PKI_SECONDS:-60}" pki --scep --url "$url" --in "$key" --dn "CN=$name" --san "$name" --cacert-enc "$dir/ra.pem" --cacert-sig "$dir/ra.pem" \
		--cacert "$dir/ca.pem" --cacert "$dir/ca-1.pem" --outform pem "$@" >"$out" 2>"$out.err"
}

# ---- certmonger: the daemon, for one test alone.  The session's variant needs no root and does not take the system's lock; it is on a private
# socket instead of D-Bus, with its state in the test's folder.
monger_helpers=/usr/lib/certmonger
[ -d $monger_helpers ] || monger_helpers=/usr/libexec/certmonger
# with_daemon SCRIPT: run it with a certmonger of its own, which ends when SCRIPT does; its state is in $T/certmonger
with_daemon() {
	local D=$T/certmonger
	mkdir -p "$D"/{requests,cas,local,tmp,config,home} && chmod 700 "$D" "$D"/*/ || return
	env -i PATH="$PATH" HOME="$D/home" CERTMONGER_CONFIG_DIR="$D/config" CERTMONGER_REQUESTS_DIR="$D/requests" \
		CERTMONGER_CAS_DIR="$D/cas" CERTMONGER_LOCAL_CA_DIR="$D/local" CERTMONGER_TMPDIR="$D/tmp" \
		timeout --kill-after=5 "${MONGER_SECONDS:-240}" $monger_helpers/certmonger-session -L -P "$D/socket" -n -d 1 -c "/bin/bash $1" >>"$D/daemon.log" 2>&1
}

# ---- micromdm's library: $T/enrol is micromdm/main.go, built from Debian's package of the library
micromdm_sources=/usr/share/gocode/src
micromdm_missing() { # prints what is
	local f
	for f in github.com/micromdm/scep github.com/fullsailor/pkcs7; do
		[ -d $micromdm_sources/$f ] && command -v go >/dev/null 2>&1 && continue
		echo "needs golang-go and golang-github-micromdm-scep-dev"
		return 0
	done
	return 1
}
micromdm_build() {
	local go=$T/go
	mkdir -p "$go/src/github.com/micromdm/scep" "$go/src/go.mozilla.org" "$go/src/enrol" &&
		ln -s $micromdm_sources/github.com/micromdm/scep "$go/src/github.com/micromdm/scep/v2" &&
		cp -r $micromdm_sources/github.com/fullsailor/pkcs7 "$go/src/go.mozilla.org/pkcs7" &&
		sed -i 's/digestOid: OIDDigestAlgorithmSHA1}/digestOid: DefaultDigest}/' "$go/src/go.mozilla.org/pkcs7/sign.go" &&
		grep -q DefaultDigest "$go/src/go.mozilla.org/pkcs7/sign.go" &&
		echo 'var DefaultDigest = OIDDigestAlgorithmSHA1' >>"$go/src/go.mozilla.org/pkcs7/sign.go" &&
		cp "$SCEPD_TOP/tests/interop/micromdm/main.go" "$go/src/enrol/" &&
		(cd "$go/src/enrol" && GOCACHE=$T/go/cache HOME=$T GO111MODULE=off GOPATH=$go:/usr/share/gocode CGO_ENABLED=0 \
			go build -p 2 -o "$T/enrol" .)
}
# micromdm_enrol DIR NAME CHALLENGE [arguments]: at $URL
micromdm_enrol() {
	local dir=$1 name=$2 challenge=$3
	shift 3
	mkdir -p "$dir" && timeout 60 "$T/enrol" -url "$URL" -dir "$dir" -cn "$name" -challenge "$challenge" "$@" 2>"$dir/err"
}
