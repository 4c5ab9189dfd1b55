#!/usr/bin/env bash
# HTTP as devices really write it, by curl: each row is a client that somebody met.
#
# One real PKCSReq, kept by tap.py, is sent in every form; each time the same certificate has to come back.
. "$SCEPD_TOP/tests/lib/env.sh"
. "$SCEPD_TOP/tests/interop/common.bash"
client=http
type=application/x-pki-message

lab_ca
tls_port=$(free_port) || die "free port"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/ca/tls.key" -out "$T/ca/tls.pem" -days 2 -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 >"$T/tls.log" 2>&1 || die "a certificate for HTTPS"
chmod 600 "$T/ca/tls.key"
sed -i "s|^listeners:\$|&\n  - { address: \"127.0.0.1:$tls_port\", certificate: tls.pem, key: tls.key }|" "$CONFIG"
serve
start_tap
scep enroll --url "$TAP/scep/lab" --subject CN=edge.lab.contoso.com --challenge-file "$SECRET" --out-dir "$T/c" >"$T/enrol.log" 2>&1 ||
	die "our own client enrols"
message=$T/tap/1.req
plain=$(base64 -w 0 "$message")
op="operation=PKIOperation"

# certificate ARGUMENTS: curl gets a CertRep, exactly so labelled, that holds our client's certificate
certificate() {
	local got
	got=$(curl -sS -m 20 -o "$T/rep" -w '%{http_code} %{content_type}' "$@") && echo "$got" && [ "$got" = "200 $type" ] &&
		issued "$T/rep" "$T/c/key.pem" >"$T/got.pem" && same_certificate "$T/got.pem" "$T/c/cert.pem"
}
post() { certificate --data-binary "@$message" -H "Content-Type: $type" "$@"; }
# answer STATUS ARGUMENTS: only the status
answer() {
	local want=$1 got
	shift
	got=$(curl -sS -m 20 -o "$T/answer" -w '%{http_code}' "$@")
	echo "$got, want $want"
	[ "$got" = "$want" ]
}
encoded() { python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1], safe=sys.argv[2]))' "$@"; }
lines() { sed -E "s/.{64}/&$1/g" <<<"$2"; }

# ---- PKIOperation by GET
claim "$client: GET with all of base64 percent-encoded" certificate "$URL?$op&message=$(encoded "$plain" '')"
claim "$client: GET with raw + and /, only = encoded (Apple)" certificate "$URL?$op&message=$(encoded "$plain" '+/')"
claim "$client: GET with raw + / and =" certificate "$URL?$op&message=$plain"
claim "$client: GET with + turned into a space on the way" certificate "$URL?$op&message=$(sed 's/+/%20/g' <<<"$plain")"
claim "$client: GET with base64url and no padding (old micromdm)" certificate "$URL?$op&message=$(tr -d = <<<"$plain" | tr '+/' '-_')"
claim "$client: GET in lines of 64 ended by %0A (Cisco)" certificate --http1.0 -A 'Mozilla/4.0 (compatible; MSIE 5.0; Cisco PKI)' \
	"$SCEPD/scep/lab/pkiclient.exe?$op&message=$(lines '%0A' "$plain")"
claim "$client: GET in lines of 64, %0A and %2B (strongSwan)" certificate "$URL?$op&message=$(lines '%0A' "$plain" | sed 's/+/%2B/g')"
claim "$client: GET in lines ended by %0D%0A" certificate "$URL?$op&message=$(lines '%0D%0A' "$plain")"
claim "$client: GET with message before operation" certificate "$URL?message=$(encoded "$plain" '')&$op"

# ---- by POST
claim "$client: POST" post "$URL?$op"
claim "$client: POST with message=default as well" post "$URL?$op&message=default"
claim "$client: POST with an empty message as well" post "$URL?$op&message="
claim "$client: POST without operation" post "$URL"
claim "$client: POST without Content-Type and User-Agent (sscep)" certificate --data-binary "@$message" -H Content-Type: -H User-Agent: "$URL?$op"
claim "$client: POST as application/octet-stream (micromdm)" certificate --data-binary "@$message" -H 'Content-Type: application/octet-stream' "$URL?$op"
claim "$client: POST as a form, curl's own label" certificate --data-binary "@$message" "$URL?$op"
claim "$client: POST by HTTP/1.0" post --http1.0 "$URL?$op"
claim "$client: POST in chunks (old macOS)" post -H 'Transfer-Encoding: chunked' "$URL?$op"
claim "$client: POST that waits for 100 Continue" post -H 'Expect: 100-continue' --expect100-timeout 15 -D "$T/head" "$URL?$op"
claim "$client: ... gets it" grep -q '^HTTP/1.1 100' "$T/head"
claim "$client: POST on a connection that closes" post -H 'Connection: close' "$URL?$op"

# Without a Host header, as HTTP/1.0 may (curl cannot): bytes, and the server closes
raw() {
	exec 3<>"/dev/tcp/127.0.0.1/$scepd_port" && printf 'GET /scep/lab?operation=GetCACaps HTTP/1.0\r\n\r\n' >&3 && timeout 10 cat <&3 >"$T/raw"
	local status=$?
	exec 3>&-
	[ $status = 0 ] && head -n 1 "$T/raw" | grep -q '^HTTP/1.[01] 200' && grep -q '^AES$' <(tr -d '\r' <"$T/raw") && ! grep -qi '^transfer-encoding' "$T/raw"
}
claim "$client: HTTP/1.0 without Host gets an answer of known length, and the connection closes" raw
keeps_alive() { [ "$(curl -sS -o /dev/null -w '%{num_connects}' "$URL?operation=GetCACaps" -o /dev/null "$URL?operation=GetCACert")" = 10 ]; }
claim "$client: HTTP/1.1 keeps the connection" keeps_alive

# ---- paths
for path in /scep/lab/ /scep/lab/pkiclient.exe /scep/lab/pkiclient.exe/pkiclient.exe /scep/lab/mscep.dll/pkiclient.exe /SCEP/Lab/PKICLIENT.EXE \
	/scep/lab//pkiclient.exe; do
	claim "$client: POST to $path" post "$SCEPD$path?$op"
done
claim "$client: an absolute URL in the request line" post --request-target "$URL?$op" "$URL"

# ---- GetCACaps and GetCACert
same_answer() { # OPERATION TYPE ARGUMENTS: as without
	local operation=$1 want=$2 got
	shift 2
	curl -fsS "$URL?operation=$operation" -o "$T/plain" && got=$(curl -sS -o "$T/got" -w '%{http_code} %{content_type}' "$@") &&
		[ "$got" = "200 $want" ] && cmp "$T/plain" "$T/got"
}
for row in "GetCACaps text/plain" "GetCACert application/x-x509-ca-ra-cert"; do
	read -r name label <<<"$row"
	claim "$client: $name with message=default (Windows)" same_answer "$name" "$label" -A 'Mozilla/4.0 (compatible; Win32; NDES client 10.0)' \
		"$SCEPD/scep/lab/pkiclient.exe?operation=$name&message=default"
	claim "$client: $name with an empty message (Apple)" same_answer "$name" "$label" "$URL?operation=$name&message="
	claim "$client: $name with any text as message" same_answer "$name" "$label" "$URL?operation=$name&message=Contoso%20CA%2fname"
	claim "$client: $name by HTTP/1.0" same_answer "$name" "$label" --http1.0 "$URL?operation=$name&message=trustpoint"
	claim "$client: $name in other letters" same_answer "$name" "$label" "$URL?operation=${name,,}"
done

# ---- what is not an enrolment
claim "$client: a browser gets 403 and a sentence" answer 403 "$URL"
claim "$client: ... in plain text" grep -q 'no page for browsers' "$T/answer"
claim "$client: an unknown operation gets 400" answer 400 "$URL?operation=GetCert"
claim "$client: GetNextCACert gets 404 while no CA is to follow" answer 404 "$URL?operation=GetNextCACert"
claim "$client: an empty operation gets 400" answer 400 "$URL?operation="
claim "$client: PKIOperation without message gets 400" answer 400 "$URL?$op"
claim "$client: PKIOperation with a message that is not base64 gets 400" answer 400 "$URL?$op&message=%21%21%21"
claim "$client: PKIOperation with a bad escape gets 400" answer 400 "$URL?$op&message=AA%zz"
claim "$client: an empty POST gets 400" answer 400 -X POST -H 'Content-Length: 0' "$URL?$op"
printf 'hello' >"$T/hello"
claim "$client: a POST that is not CMS gets 400" answer 400 --data-binary "@$T/hello" "$URL?$op"
head -c 1000 "$message" >"$T/half"
claim "$client: half a message gets 400" answer 400 --data-binary "@$T/half" "$URL?$op"
claim "$client: PUT gets 405" answer 405 -X PUT --data-binary "@$T/hello" "$URL?$op"
claim "$client: an endpoint that is not there gets 404" answer 404 "$SCEPD/scep/nobody?operation=GetCACaps"
claim "$client: another path gets 404" answer 404 "$SCEPD/admin"

# ---- limits
path="/scep/lab?operation=GetCACaps&message="
url_of() { printf 'url = "%s%s%s"\n' "$SCEPD" "$path" "$(head -c $(($1 - ${#path})) /dev/zero | tr '\0' a)" >"$T/url.conf"; }
url_of 65534
claim "$client: a URL of 65,534 bytes is taken" answer 200 -K "$T/url.conf"
url_of 65535
claim "$client: a URL of 65,535 bytes gets 414" answer 414 -K "$T/url.conf"
head -c 1048576 /dev/zero >"$T/mib"
head -c 1048577 /dev/zero >"$T/mib1"
claim "$client: a body of 1 MiB is read (and is no CMS: 400)" answer 400 --data-binary "@$T/mib" "$URL?$op"
claim "$client: a body of 1 MiB and a byte gets 413" answer 413 --data-binary "@$T/mib1" -H Expect: "$URL?$op"
claim "$client: ... also in chunks" answer 413 --data-binary "@$T/mib1" -H Expect: -H 'Transfer-Encoding: chunked' "$URL?$op"
claim "$client: ... and when it waits for 100 Continue" answer 413 --data-binary "@$T/mib1" -H 'Expect: 100-continue' --expect100-timeout 15 "$URL?$op"

# ---- HTTPS
client=https
HTTPS=https://127.0.0.1:$tls_port/scep/lab
claim "$client: POST by TLS 1.2 (Windows)" post --cacert "$T/ca/tls.pem" --tlsv1.2 --tls-max 1.2 "$HTTPS?$op"
claim "$client: POST by TLS 1.3" post --cacert "$T/ca/tls.pem" --tlsv1.3 "$HTTPS?$op"
claim "$client: GET by TLS" certificate --cacert "$T/ca/tls.pem" "$HTTPS?$op&message=$(encoded "$plain" '')"
old_tls() { # the server says so: alert 70, protocol_version
	! openssl s_client -connect "127.0.0.1:$tls_port" "$1" -cipher 'ALL:@SECLEVEL=0' </dev/null >"$T/s_client" 2>&1 &&
		grep -q 'alert number 70' "$T/s_client"
}
claim "$client: TLS 1.1 is refused" old_tls -tls1_1
claim "$client: TLS 1.0 is refused" old_tls -tls1
asks_nobody() {
	openssl s_client -connect "127.0.0.1:$tls_port" -CAfile "$T/ca/tls.pem" "$1" </dev/null >"$T/s_client" 2>&1 &&
		grep -q 'Verify return code: 0' "$T/s_client" && grep -q 'No client certificate CA names sent' "$T/s_client" &&
		! grep -q 'Client Certificate Types\|Requested Signature Algorithms' "$T/s_client"
}
claim "$client: TLS 1.2 asks for no client certificate" asks_nobody -tls1_2
claim "$client: TLS 1.3 asks for no client certificate" asks_nobody -tls1_3
claim "$client: plain HTTP on the HTTPS port gets no answer" sh -c '! curl -sS -m 10 "$1" >/dev/null 2>&1' - "http://127.0.0.1:$tls_port/scep/lab?operation=GetCACaps"

one() { [ "$(scepctl list --config "$CONFIG" --json | grep -c '"serial"')" = 1 ]; }
claim "http: after all this there is one certificate" one
alive() { kill -0 "$scepd_pid" && answer 200 "$URL?operation=GetCACaps"; }
claim "http: and the server is well" alive
