#!/usr/bin/env bash
# client-doctor: scep doctor finds nothing at scepd, and at a server that does one thing wrong exactly that, for each check that there is.
. "$(dirname "$0")/../lib/env.sh"
make_ca --static-challenge --static-domain lab.example
exits() { # CODE COMMAND...
	local want=$1 got
	shift
	"$@" >"$T/exits.out" 2>&1
	got=$?
	cat "$T/exits.out"
	[ "$got" = "$want" ] || { echo "exit $got, not $want"; return 1; }
}
says() { # CODE TEXT COMMAND...
	local text=$2
	exits "$1" "${@:3}" && grep -q -e "$text" "$T/exits.out"
}

# ---- scepd ----
tls_port=$(free_port "$scepd_port") || die "free ports"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/tls.key" -out "$T/tls.pem" -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -days 30 2>/dev/null && chmod 600 "$T/tls.key" ||
	die "TLS certificate"
python3 - "$CONFIG" "$tls_port" "$T" <<'EOF2' || die "scepd.yaml"
import sys
path, port, t = sys.argv[1:]
text = open(path).read()
assert "listeners:\n" in text
text = text.replace("listeners:\n", "listeners:\n  - { address: \"127.0.0.1:%s\", certificate: %s/tls.pem, key: %s/tls.key }\n" % (port, t, t), 1)
open(path, "w").write(text)
EOF2
start_scepd || die "scepd starts"
LAB=$SCEPD/scep/lab
LABS=https://127.0.0.1:$tls_port/scep/lab
claim "the client says how a certificate is trusted that this machine does not know" says 74 "--ca-file names the root" scep getca --url "$LABS"
claim "scepd: nothing that any platform stumbles over" exits 0 scep doctor "$LABS" --probe --all --ca-file "$T/tls.pem"
cp "$T/exits.out" "$T/clean.out"
claim "... not even a warning" sh -c "! grep -E '^(warn|bad)' '$T/clean.out'"
claim "... for seven platforms" sh -c "test \$(grep -c 'should enrol\$' '$T/clean.out') = 7"
claim "... by http there is one, for Android" says 0 "^warn  https (Android)" scep doctor "$LAB"
sha1() { openssl x509 -in "$1" -noout -fingerprint -sha1 | cut -d = -f 2 | tr -d :; }
claim "quirk 21: it tells the thumbprint to choose for Windows, the issuing CA's" sh -c "tr -s ' \n' ' ' <'$T/clean.out' | grep -q 'choose the issuing CA: [^)]*$(sha1 "$T/ca/ca/issuing.pem")'"
claim "quirk 22: ... and for Android, the root's" sh -c "tr -s ' \n' ' ' <'$T/clean.out' | grep -q 'choose the root: [^)]*$(sha1 "$T/ca/ca/root.pem")'"
claim "R20-R22: a wrong challenge gets a signed FAILURE with all attributes, whatever platform sends it" sh -c "test \$(grep -cE '^ok +probe-' '$T/clean.out') = 8"
claim "... which issued nothing" sh -c "! scepctl list --config '$CONFIG' | grep -q scep-doctor"
claim "the default endpoint's NDES path too" exits 0 scep doctor "$SCEPD/certsrv/mscep/mscep.dll"
claim "a URL that is none is told" says 78 "is no URL" scep doctor ftp://ca.example.com/
claim "... one with a query too" says 78 "without a query" scep doctor "$LAB?operation=GetCACert"
closed=$(free_port)
claim "answers: nobody there" says 1 "^bad   answers" scep doctor "http://127.0.0.1:$closed/scep"

# ---- certificates with one thing wrong ----
F=$T/cases
mkdir "$F" && cd "$F" || die "folder"
openssl x509 -in "$T/ca/ca/root.pem" -outform DER -out upstream-root.der
cp "$T/ca/ca/ra.pem" upstream-ra.pem
in_token || cp "$T/ca/ca/ra.key" upstream-ra.key
touch index.txt
cat >ca.cnf <<'EOF2'
[ca]
default_ca = d
[d]
database = index.txt
rand_serial = yes
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
email_in_dn = no
[any]
commonName = supplied
EOF2
key() { # NAME KIND
	case $2 in
	ec) openssl ecparam -name prime256v1 -genkey -noout -out "$1.key" ;;
	*) openssl genrsa -out "$1.key" "$2" ;;
	esac 2>/dev/null
}
# issue NAME KEY ISSUER "extensions; ..." [FROM UNTIL DIGEST]; ISSUER "-": self-signed
issue() {
	local sign
	tr ';' '\n' <<<"$4" >ext
	openssl req -new -key "$2.key" -subj "/CN=$1" -config /dev/null -out csr 2>/dev/null || openssl req -new -key "$2.key" -subj "/CN=$1" -out csr || return 1
	if [ "$3" = - ]; then sign="-selfsign -keyfile $2.key"; else sign="-cert $3.pem -keyfile ${3%%.*}.key"; fi
	openssl ca -batch -config ca.cnf -notext $sign -in csr -out "$1.pem" -extfile ext -startdate "${5:-20240101000000Z}" -enddate "${6:-20450101000000Z}" \
		-md "${7:-sha256}" 2>>"$T/openssl.log"
}
CA="basicConstraints=critical,CA:TRUE;keyUsage=critical,keyCertSign,cRLSign,digitalSignature,keyEncipherment;subjectKeyIdentifier=hash"
RA="basicConstraints=critical,CA:FALSE;keyUsage=critical,digitalSignature,keyEncipherment;extendedKeyUsage=serverAuth"
key root 2048 && key sub 2048 && key ra 2048 && key ra-weak 1024 && key ra-ec ec && key ca-ec ec && key ca-weak 1024 || die "keys"
issue root root - "$CA" && issue sub sub root "$CA" && issue ra ra sub "$RA" || die "a CA by openssl"
list() { # CASE CERTIFICATE...: as they stand, which is what crl2pkcs7 does
	local c=$1 a=
	shift
	for x in "$@"; do a="$a -certfile $x.pem"; done
	openssl crl2pkcs7 -nocrl $a -outform DER -out "$c.p7"
}
one() { openssl x509 -in "$2.pem" -outform DER -out "$1.der"; }
list certs-good ra sub root
list certs-no-ra sub root
one certs-ca-good root
issue ca-no-ke root - "basicConstraints=critical,CA:TRUE;keyUsage=critical,keyCertSign,cRLSign,digitalSignature" && one certs-ca-no-ke ca-no-ke
issue ca-ec ca-ec - "$CA" && one certs-ca-ec ca-ec
issue ra-ec ra-ec sub "$RA" && list certs-ra-ec ra-ec sub root
issue ra-weak ra-weak sub "$RA" && list certs-ra-weak ra-weak sub root
issue ra-no-ku ra sub "extendedKeyUsage=serverAuth" && list certs-ra-no-ku ra-no-ku sub root
issue ra-no-ke ra sub "keyUsage=digitalSignature;extendedKeyUsage=serverAuth" && list certs-ra-no-ke ra-no-ke sub root
issue ra-no-eku ra sub "keyUsage=digitalSignature,keyEncipherment" && list certs-ra-no-eku ra-no-eku sub root
list certs-stranger ra root
issue ra-sign ra sub "keyUsage=digitalSignature;extendedKeyUsage=serverAuth"
issue ra-encrypt ra sub "keyUsage=keyEncipherment;extendedKeyUsage=serverAuth" && list certs-two ra-sign ra-encrypt sub root
issue ra-sign2 ra sub "keyUsage=digitalSignature;extendedKeyUsage=serverAuth" && list certs-two-signers ra-sign ra-sign2 sub root
list certs-order root sub ra
list certs-order-cas ra root sub
list certs-no-root ra sub
issue ra-expired ra sub "$RA" 20200101000000Z 20210101000000Z && list certs-expired ra-expired sub root
issue ra-future ra sub "$RA" 20440101000000Z 20450101000000Z && list certs-future ra-future sub root
issue ra-soon ra sub "$RA" 20240101000000Z "$(date -u -d '+9 days' +%Y%m%d%H%M%SZ)" && list certs-soon ra-soon sub root
issue ra-sha1 ra sub "$RA" "" "" sha1 && list certs-sha1 ra-sha1 sub root
issue sub-weak ca-weak root "$CA" && cp ca-weak.key sub-weak.key && issue ra-of-weak ra sub-weak "$RA" && list certs-ca-weak ra-of-weak sub-weak root
issue sub-eku sub root "$CA;extendedKeyUsage=serverAuth" && cp sub.key sub-eku.key && issue ra-of-eku ra sub-eku "$RA" && list certs-ca-eku ra-of-eku sub-eku root
cd / || die "folder"

python3 "$SCEPD_TOP/tests/lib/bad_scep_server.py" "$LAB" "$F" "$T/bad.port" 2>>"$T/bad.log" &
bad_pid=$!
pids="$pids $bad_pid"
wait_for "$T/bad.port" "$bad_pid" || die "the bad server starts"
BAD=http://127.0.0.1:$(cat "$T/bad.port")

# finds "LEVEL:CHECK[:PLATFORM,...] ..." URL [arguments]: these findings and no others; "" for none; exit code 1 exactly when one is bad
finds() {
	local want=$1
	shift
	scep doctor "$@" --json >"$T/found.json"
	EXIT=$? WANT=$want python3 - "$T/found.json" <<'EOF2'
import json, os, sys
found = json.load(open(sys.argv[1]))
got = {}
for f in found["findings"]:
    assert f["text"] and f["platforms"] and f["level"] in ("ok", "warn", "bad"), f
    if f["level"] != "ok":
        assert f["advice"], "no advice: %r" % f
        got.setdefault((f["level"], f["check"]), set()).update(f["platforms"])
        print(f["level"], f["check"], f["platforms"], f["text"])
want = {}
for w in os.environ["WANT"].split():
    level, check, *who = w.split(":")
    want[level, check] = set(who[0].split(",")) if who else None
# Nearly all of it is asked by http, which is one warning more.
if found["url"].startswith("http:") and ("bad", "answers") not in want:
    want["warn", "https"] = {"Android"}
assert set(got) == set(want), (set(got), set(want))
for k, who in want.items():
    assert who is None or got[k] == who, (k, got[k], who)
bad = any(k[0] == "bad" for k in want)
assert int(os.environ["EXIT"]) == (1 if bad else 0), os.environ["EXIT"]
assert found["worst"] == ("bad" if bad else "warn" if want else "ok"), found["worst"]
EOF2
}
# case NAME "FINDINGS": what doctor says of it
case_() { claim "$1: ${2:-nothing}" finds "$2" "$BAD/$1"; }

case_ good ""
claim "a path that is no endpoint is not told of as if chunks were the matter" finds "bad:caps-status bad:cacert-status" "${LAB}x"
case_ slow "warn:speed"
claim "silent, with --timeout: bad:speed, and no certificates to judge" finds "bad:speed bad:cacert-status" "$BAD/silent" --timeout 4s
case_ redirect "bad:redirect bad:caps-status bad:cacert-status"
case_ html-caps "bad:html bad:caps-status warn:caps-type:jscep"
case_ html-certs "bad:html bad:cacert-status"
case_ html-errors "warn:html"
case_ caps-404 "bad:caps-status"
case_ caps-empty "bad:caps-status"
case_ caps-type "warn:caps-type"
case_ caps-case "warn:caps-form"
case_ caps-blank "warn:caps-form"
case_ caps-ends "warn:caps-form"
case_ caps-crlf ""
case_ caps-no-sha "bad:caps-apple:Apple bad:caps-strongswan:strongSwan"
case_ caps-no-cipher "bad:caps-apple:Apple bad:caps-strongswan:strongSwan"
case_ caps-old "bad:caps-strongswan:strongSwan"
case_ caps-no-renewal "bad:caps-renewal:Apple,strongSwan"
case_ caps-no-post "bad:caps-post:Windows,Apple"
case_ caps-standard "warn:caps-post:Apple"
case_ cacert-500 "bad:cacert-status"
case_ cacert-noise "bad:cacert-status"
case_ cacert-type "bad:cacert-type"
case_ cacert-charset "bad:cacert-type:jscep,sscep"
case_ no-message "bad:message-apple:Apple,Android"
case_ other-message "warn:message-apple"
case_ no-suffix "bad:path-windows:Windows,Cisco"
case_ chunks "warn:content-length"
case_ needs-host "warn:http-1.0:Cisco"
case_ short-lines "warn:get-length:Cisco"
case_ no-chunks "warn:post-chunked:Apple"
case_ no-post "bad:post-chunked"
case_ unknown-500 "warn:unknown-operation"
case_ unknown-200 "warn:unknown-operation"
case_ next-named "warn:next-ca"
case_ next-unnamed "warn:next-ca"
case_ next-type "warn:next-ca"
case_ clock "warn:clock"
case_ certs-good ""
case_ certs-ca-good ""
case_ certs-no-ra "bad:ra:Apple,Android"
case_ certs-ca-no-ke "bad:ra"
case_ certs-ca-ec "bad:ra"
case_ certs-ra-ec "bad:ra-key"
case_ certs-ra-weak "bad:ra-key"
case_ certs-ra-no-ku "bad:ra-key-usage:Windows,Apple,jscep"
case_ certs-ra-no-ke "bad:ra-key-usage"
case_ certs-ra-no-eku "bad:ra-eku:Windows"
case_ certs-stranger "bad:ra-issuer"
case_ certs-two "warn:ra-several"
case_ certs-two-signers "warn:ra-several bad:ra-key-usage"
case_ certs-order "warn:order"
case_ certs-order-cas "warn:order"
case_ certs-no-root "warn:chain"
case_ certs-expired "bad:expiry"
case_ certs-future "bad:expiry"
case_ certs-soon "warn:expiry"
case_ certs-sha1 "bad:signature:Apple,Android"
case_ certs-ca-weak "bad:signature"
case_ certs-ca-eku "warn:ca-eku"

# ---- what only --probe shows ----
all_probes="bad:probe-windows bad:probe-apple bad:probe-apple-get bad:probe-android bad:probe-strongswan bad:probe-cisco bad:probe-jscep bad:probe-sscep"
claim "good, through the front: every platform is refused as it should be" finds "" "$BAD/good" --probe
# A GET of 60 KB and a POST that is no message are answered 500 too, which says nothing.
claim "probe-500: an HTTP error for a refusal is bad for all" finds "$all_probes" "$BAD/probe-500" --probe
claim "probe-html: so is a page" finds "$all_probes warn:html" "$BAD/probe-html" --probe
if in_token; then
	skip_claim "probe-attributes: so is a SignedData without the attributes of RFC 8894" "the RA's key is in the token"
else
	claim "probe-attributes: so is a SignedData without the attributes of RFC 8894" finds "$all_probes" "$BAD/probe-attributes" --probe
	claim "... and it says which one" says 1 "transactionID" scep doctor "$BAD/probe-attributes" --probe --platform windows
fi
claim "--platform counts what concerns that one alone: strongSwan has no quarrel with an RA without EKU" exits 0 scep doctor "$BAD/certs-ra-no-eku" --platform strongswan
claim "... Windows has" says 1 "Windows  *will stumble" scep doctor "$BAD/certs-ra-no-eku" --platform windows
claim "what is fine is shown with --all only" sh -c "! scep doctor '$BAD/good' | grep -q '^ok *speed'"

# ---- TLS ----
# with_tls MODE: sets TLS
with_tls() {
	local pid
	rm -f "$T/tls.port"
	python3 "$SCEPD_TOP/tests/lib/bad_scep_server.py" "$LAB" "$F" "$T/tls.port" "$T/tls.pem" "$T/tls.key" "$1" 2>>"$T/bad.log" &
	pid=$!
	pids="$pids $pid"
	wait_for "$T/tls.port" "$pid" || die "the bad server starts with TLS"
	TLS=https://127.0.0.1:$(cat "$T/tls.port")
}
with_tls plain
claim "https: nothing" finds "" "$TLS/good" --ca-file "$T/tls.pem"
claim "... says which version" says 0 "TLS 1.3, with a certificate" scep doctor "$TLS/good" --ca-file "$T/tls.pem" --all
claim "tls-trust: a certificate that the machine does not trust" finds "bad:answers bad:tls-trust" "$TLS/good"
with_tls min13
claim "tls-1.2: a server without TLS 1.2 is bad for Windows" finds "bad:tls-1.2:Windows" "$TLS/good" --ca-file "$T/tls.pem"
with_tls ask-client
claim "tls-client-certificate: asking for one is bad for Windows" finds "bad:tls-client-certificate:Windows" "$TLS/good" --ca-file "$T/tls.pem"
with_tls old
claim "tls-old: TLS 1.1 is still spoken" finds "warn:tls-old" "$TLS/good" --ca-file "$T/tls.pem"
with_tls only-old
claim "tls-old: nothing newer is spoken" finds "bad:answers bad:tls-trust bad:tls-old" "$TLS/good" --ca-file "$T/tls.pem"
