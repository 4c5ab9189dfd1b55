#!/usr/bin/env bash
# capture.sh - record the messages of tests/vectors again: every client sends to a scepd of its own through tests/interop/tap.py.
#   SCEPD_TOP=$PWD SCEPD_BUILD=$PWD/build tests/vectors/capture.sh [DIR]     (default: tests/vectors)
# All vectors are made anew, with another RA key; what a client that is not installed would have sent is named, and the script ends with 1.
# Afterwards the expectations in tests/unit/scep/vectors_test.c tell what has changed in a client.
: "${SCEPD_TOP:=$(cd "$(dirname "$0")/../.." && pwd)}" "${SCEPD_BUILD:=$SCEPD_TOP/build}"
. "$SCEPD_TOP/tests/lib/env.sh"
. "$SCEPD_TOP/tests/interop/common.bash"
. "$SCEPD_TOP/tests/interop/clients.bash"
client=capture
to=$(cd "${1:-$SCEPD_TOP/tests/vectors}" && pwd) || exit 1
status=0
fails() { echo "capture.sh: $*" >&2; status=1; }

lab_ca
# One profile for all: scepclient's subjects have more than a common name, and old clients sign the CSR with SHA-1 as well
REST=",O=scep-client,OU=MDM,C=US" profile mdm "sha1_csr: true"
profile old "sha1_csr: true"
endpoint mdm mdm
endpoint old old "renewal: { window: 100 }"
echo "  asks: { ca: issuing, profile: lab, challenge: approval, no_content: empty }" >>"$CONFIG"
serve
start_tap
at() { URL=$TAP/scep/$1; }

# kept NAME N: the Nth message from now on is the vector NAME; `begin` forgets those before
seen=0
begin() { seen=$(find "$T/tap" -name '*.req' | wc -l); }
kept() {
	local f=$T/tap/$((seen + ${2:-1})).req
	if [ -s "$f" ]; then cp "$f" "$to/$1.der"; else fails "no message for $1"; fi
}
# kept_poll NAME: the first CertPoll from now on
kept_poll() {
	local n
	for n in $(seq $((seen + 1)) "$(find "$T/tap" -name '*.req' | wc -l)"); do
		openssl cms -cmsout -print -noout -inform DER -in "$T/tap/$n.req" | grep -A2 '113733\.1\.9\.2)' | grep -q 'STRING:20$' || continue
		cp "$T/tap/$n.req" "$to/$1.der"
		return
	done
	fails "no message for $1"
}
have() { command -v "$1" >/dev/null 2>&1 || [ -x "$1" ] || { fails "$1 is not installed (Debian package $2): its vectors stay as they are"; return 1; }; }

strongswan() {
	have pki strongswan-pki || return
	local d=$T/s
	mkdir "$d" && at old
	pki_get_ca "$URL" "$d" && pki_key "$d/key.pem" && pki_key "$d/new.pem" || fails "pki --scepca"
	begin
	pki_enrol "$URL" "$d" strongswan.lab.contoso.com "$d/key.pem" "$d/cert.pem" --password "$CHALLENGE" || fails "pki --scep"
	kept strongswan-pkcsreq
	begin
	pki_enrol "$URL" "$d" strongswan-old.lab.contoso.com "$d/key.pem" "$d/old.pem" --password "$CHALLENGE" --cipher des3 --digest sha1 ||
		fails "pki --scep with 3DES"
	kept strongswan-pkcsreq-des3-sha1
	begin
	pki_enrol "$URL" "$d" strongswan.lab.contoso.com "$d/new.pem" "$d/renewed.pem" --cert "$d/cert.pem" --key "$d/key.pem"
	kept strongswan-renewalreq
	begin
	at asks
	pki_enrol "$URL" "$d" strongswan-asks.lab.contoso.com "$d/new.pem" "$d/asks.pem" --interval 1 --maxpolltime 2
	kept_poll strongswan-certpoll
}

certmonger() {
	have getcert certmonger || return
	at lab
	cat >"$T/ask.sh" <<END
getcert add-scep-ca -c lab -u "$URL"
getcert request -c lab -I one -k "$T/one.key" -f "$T/one.pem" -N CN=certmonger.lab.contoso.com -D certmonger.lab.contoso.com -l "$SECRET" -w --wait-timeout=30
getcert resubmit -i one -w --wait-timeout=30
getcert rekey -i one -w --wait-timeout=30
END
	begin
	with_daemon "$T/ask.sh"
	kept certmonger-pkcsreq 1
	kept certmonger-renewal 2
	kept certmonger-rekey 3
}

micromdm() {
	at mdm
	if have scepclient scep; then
		mkdir "$T/p"
		begin
		timeout 20 scepclient -server-url "$URL" -private-key "$T/p/key.pem" -certificate "$T/p/cert.pem" -cn scepclient.lab.contoso.com \
			-challenge "$CHALLENGE" >"$T/p/out" 2>&1
		kept scepclient-pkcsreq-des
	fi
	micromdm_missing >/dev/null && { fails "micromdm's library: $(micromdm_missing)"; return; }
	micromdm_build >"$T/go.log" 2>&1 || { fails "micromdm's library does not build"; return; }
	begin
	micromdm_enrol "$T/m" micromdm.lab.contoso.com "$CHALLENGE" || fails "micromdm's library"
	kept micromdm-pkcsreq
	begin
	micromdm_enrol "$T/m" micromdm.lab.contoso.com "" -cipher aes256 -digest sha512 -renew
	kept micromdm-renewalreq
}

# Our own client in the manner of devices that cannot be had here
guises() {
	local name
	at old
	for name in windows apple android cisco jscep sscep; do
		begin
		scep enroll --url "$URL" --as $name --subject "CN=$name.lab.contoso.com" --challenge-file "$SECRET" --out-dir "$T/$name" >"$T/$name.out" 2>&1 ||
			fails "scep enroll --as $name"
		kept guise-$name
	done
	begin
	scep renew --url "$URL" --as apple --out-dir "$T/apple" >"$T/apple.out" 2>&1 || fails "scep renew --as apple"
	kept guise-apple-renewal
}

strongswan
certmonger
micromdm
guises
cp "$RA" "$to/ra.pem"
{
	echo "The private key of the RA that the messages beside this file were sent to, made for them and used for nothing else: worthless."
	openssl pkey -in "$T/ca/ca/ra.key"
} >"$to/ra-worthless.key"
chmod 644 "$to/ra-worthless.key"
for p in strongswan-pki certmonger scep golang-github-micromdm-scep-dev; do dpkg-query -W -f '${Package} ${Version}\n' "$p" 2>/dev/null; done
scep --version 2>/dev/null | head -n 1
date -u +%Y-%m-%d
exit $status
