#!/usr/bin/env bash
# Microsoft's own C# library, as Microsoft wrote it, against intunesim under Microsoft's own host names.
#
# The library is not part of this project.  SCEPD_MICROSOFT_LIBRARY names its project file, ScepValidation.csproj;
# docs/microsoft-library.md tells more.  Everything after the build runs in a network namespace of its own, where login.microsoftonline.com, graph.microsoft.com and the rest are 127.0.0.1, so that nothing can leave the machine.
if [ -z "${SCEPD_MICROSOFT_LIBRARY:-}" ]; then
	echo "skip Microsoft's C# library: SCEPD_MICROSOFT_LIBRARY does not name its project file"
	exit 0
fi
. "$SCEPD_TOP/tests/lib/env.sh"
client="Microsoft's C#"
LOGIN=login.microsoftonline.com GRAPH=graph.microsoft.com FEF=fef.msua01.manage.microsoft.com
names="$LOGIN $GRAPH graph.windows.net api.manage.microsoft.com $FEF"

if [ -z "${MS_DRIVER:-}" ]; then
	command -v dotnet >/dev/null || { skip_claim "$client library" "dotnet is not here"; exit 0; }
	unshare -rnm true 2>/dev/null || { skip_claim "$client library" "no namespaces here (unshare -rnm)"; exit 0; }
	cp -r "$SCEPD_TOP/tests/microsoft/csharp" "$T/driver"
	# the key that signs the assembly is not published; whether it is signed changes nothing on the wire
	(cd "$T/driver" && dotnet build -c Release -p:Library="$(realpath "$SCEPD_MICROSOFT_LIBRARY")" -p:SignAssembly=false -o "$T/out") \
		>"$T/build.log" 2>&1 || die "$client library: it builds unchanged"
	ok "$client library: it builds unchanged"
	MS_DRIVER=$T/out/driver.dll unshare -rnm bash "$0"
	exit
fi

ip link set lo up || die "the namespace's loopback"
echo "127.0.0.1 localhost $names" >"$T/hosts"
mount --bind "$T/hosts" /etc/hosts || die "the namespace's /etc/hosts"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/tls.key" -out "$T/tls.pem" -days 2 -subj "/CN=intunesim" \
	-addext "subjectAltName=DNS:${names// /,DNS:}" >"$T/tls.log" 2>&1 || die "a certificate for HTTPS"
chmod 600 "$T/tls.key"
export SSL_CERT_FILE=$T/tls.pem SSL_CERT_DIR=$T/none
# two more tenants: one that another CA belongs to, one without Intune
other() { # DIGIT NAME INTUNE
	sed "s/6f1c2b1e-6d0a/6f1c2b1e-${1}d0a/; s/\[contoso.onmicrosoft.com, contoso.com\]/[$2]\n  intune: $3/" \
		"$SCEPD_TOP/docs/examples/contoso.yaml" >"$T/$2.yaml"
	sed -i "s/@contoso.com/@$2/" "$T/$2.yaml"
}
other 7 fabrikam.com true
other 8 unlicensed.com false
intunesim --tenant "$SCEPD_TOP/docs/examples/contoso.yaml" --tenant "$T/fabrikam.com.yaml" --tenant "$T/unlicensed.com.yaml" \
	--listen 127.0.0.1:443 --certificate "$T/tls.pem" --key "$T/tls.key" --port-file "$T/sim.port" --public-url "https://$FEF" \
	2>"$T/sim.log" &
pids=$!
wait_for "$T/sim.port" $pids || die "intunesim starts"
sim() { curl -sS --fail-with-body --cacert "$T/tls.pem" -H 'Content-Type: application/json' "https://$FEF$1" "${@:2}"; }

coproc DRIVER { dotnet "$MS_DRIVER" 2>"$T/driver.log"; }
pids="$pids $DRIVER_PID"
ask() { # VERB ARGUMENTS...: into $answer
	local IFS=$'\t'
	printf '%s\n' "$*" >&"${DRIVER[1]}" && read -r -t 60 answer <&"${DRIVER[0]}" || die "the driver answers"
	echo "$1: $answer" >>"$T/answers"
}
good() { ask "$@"; echo "$answer"; [[ $answer == "ok "* ]]; }
# refusal PATTERN VERB ARGUMENTS...
refusal() {
	local want=$1
	shift
	ask "$@"
	echo "$answer"
	[[ $answer == "no "$want ]]
}
# as TENANT APP SECRET [more lines]: a new client with these properties
as() {
	printf '%s\n' "AAD_APP_ID=$2" "AAD_APP_KEY=$3" "TENANT=$1" "PROVIDER_NAME_AND_VERSION=driver 1.0" "${@:4}" >"$T/props"
	good properties "$T/props" >/dev/null || die "the library takes the properties: $answer"
}
APP=2b9f0a6e-5a3d-4f0e-8b63-94f8f1d0a7c2 SECRET=simulated-secret-of-the-scep-server
seen() { grep -c " info $1 " "$T/sim.log"; } # requests of this kind that the simulator has had
# asks_no_more KIND COMMAND...: the command brings no request of this kind
asks_no_more() {
	local before
	before=$(seen "$1")
	"${@:2}" && [ "$(seen "$1")" = "$before" ]
}
# asks_again KIND COMMAND...: it brings one
asks_again() {
	local before
	before=$(seen "$1")
	"${@:2}" && [ "$(seen "$1")" = $((before + 1)) ]
}
# logged KIND PATTERN: the last request of the kind
logged() { grep " info $1 " "$T/sim.log" | tail -n 1 | grep -E "$2"; }

# csr FILE DEVICE [SUBJECT]: what the device's first profile asks for, with its challenge; base64 of the DER
csr() {
	sim "/sim/devices/$2/checkin" -X POST >"$T/checkin.json" || die "a check-in"
	python3 - "$T/checkin.json" "${3:-}" >"$T/csr.cnf" <<'EOF'
import json, sys
p = json.load(open(sys.argv[1]))["scep"][0]
kinds = {"dns": "DNS", "uri": "URI", "email": "email", "upn": "otherName"}
upn = "1.3.6.1.4.1.311.20.2.3;UTF8:"
print("[req]\nprompt=no\nstring_mask=utf8only\ndistinguished_name=dn\nattributes=at\nreq_extensions=ex\n[dn]")
for i, rdn in enumerate((sys.argv[2] or p["subject"]).split(",")):
    print("%d.%s" % (i, rdn))
print("[at]\nchallengePassword=" + p["challenge"] + "\n[ex]\nkeyUsage=" + ",".join(p["keyUsage"]))
print("extendedKeyUsage=" + ",".join(p["eku"]))
print("subjectAltName=@san\n[san]")
for i, n in enumerate(p["san"]):
    print("%s.%d=%s%s" % (kinds[n["type"]], i, upn if n["type"] == "upn" else "", n["value"]))
EOF
	[ -s "$T/key.pem" ] || openssl genrsa -out "$T/key.pem" 2048 2>/dev/null
	openssl req -new -config "$T/csr.cnf" -key "$T/key.pem" -outform DER 2>"$T/csr.log" | base64 -w 0 >"$1"
	[ -s "$1" ] || die "a certificate request"
}

# reported EXPRESSION: of Python, over the report r
reported() { sim /sim/report | python3 -c "import json, sys; r = json.load(sys.stdin); print($1); sys.exit(not ($1))"; }
row="[d for d in r['deployments'] if d['device'] == 'LAPTOP-7F3K2' and d['tenant'].startswith('contoso')][0]"

# ---- a request that is as it should be, all names the library's defaults
as contoso.onmicrosoft.com $APP $SECRET
csr "$T/csr" LAPTOP-7F3K2
claim "$client: validate, with its default names" good validate tx-1 "$T/csr"
claim "$client: ... after asking login.microsoftonline.com which authorities there are" logged instance detail=login.microsoftonline.com
claim "$client: ... with a token for https://api.manage.microsoft.com/" logged token 'detail="for https://api.manage.microsoft.com/"'
claim "$client: again with the token it has" asks_no_more token good validate tx-1 "$T/csr"
thumbprint=0123456789ABCDEF0123456789ABCDEF01234567
claim "$client: success" good success tx-1 "$T/csr" $thumbprint 4D2 2027-11-21T07:20:57.000Z "CN=Contoso Issuing CA"
claim "$client: ... is in the report" reported "[c for c in r['certificates'] if c['thumbprint'] == '$thumbprint' and c['serialNumber'] == '4D2']"
claim "$client: failure, in UTF-8 and with an unsigned hResult" good failure tx-2 "$T/csr" 8000ffff "could not, because of ü and €"
claim "$client: ... as it was sent" logged failureNotification 'could not, because of ü and € \(0x8000ffff\)'

# ---- refusals of the service, which are HTTP 200
csr "$T/csr-other" LAPTOP-7F3K2 "CN=somebody-else,O=Contoso"
claim "$client: SubjectNameMismatch" refusal "IntuneScepServiceException SubjectNameMismatch *" validate tx-3 "$T/csr-other"
claim "$client: ... counts in the report" reported "$row['refusals'] == 1"
echo garbage >"$T/bad"
claim "$client: CertificateRequestDecodingFailed" refusal "IntuneScepServiceException CertificateRequestDecodingFailed *" validate tx-3 "$T/bad"
as fabrikam.com $APP $SECRET
claim "$client: another tenant's request; the code is none that the library knows" \
	refusal "ArgumentException *'BadTenantIdInChallenge'*" validate tx-3 "$T/csr"

# ---- revocation
as contoso.com $APP $SECRET
claim "$client: results before the first download, whose names begin with capitals, are read" \
	refusal "IntuneClientException *\"value\": false*" upload tx-4 nonsense None
claim "$client: nothing to revoke" good download tx-4 10
claim "$client: ... is an empty list" [ "$answer" = "ok 0" ]
sim /sim/revocations -d '{"serialNumber":"4D2"}' >"$T/revoke.log" || die "an administrator revokes"
claim "$client: a revocation request" good download tx-4 10
read -r _ number context serial <<<"$answer"
claim "$client: ... names the certificate" [ "$number $serial" = "1 4D2" ]
claim "$client: an unknown context is answered false" refusal "IntuneClientException Results not successfully recorded *" upload tx-4 nonsense None
claim "$client: upload, with the code's name" good upload tx-4 "$context" CertificateNotFoundError
claim "$client: ... and the request does not come again" good download tx-4 10
claim "$client: ... but the list is empty" [ "$answer" = "ok 0" ]

# ---- Entra and Graph say no; the library then asks once more in the old way and tells the second answer
as contoso.com $APP wrong
claim "$client: a wrong secret" refusal "AdalServiceException AADSTS7000215: *" validate tx-5 "$T/csr"
as nowhere.com $APP $SECRET
claim "$client: an unknown tenant" refusal "AdalServiceException AADSTS90002: *" validate tx-5 "$T/csr"
as no_tenant $APP $SECRET
claim "$client: no tenant at all" refusal "AdalServiceException AADSTS900023: *" validate tx-5 "$T/csr"
as contoso.com 7d4e1c90-33b2-4b57-9f0e-1a2b3c4d5eff $SECRET
claim "$client: an unknown app" refusal "AdalServiceException AADSTS700016: *" validate tx-5 "$T/csr"
as contoso.com 7d4e1c90-33b2-4b57-9f0e-1a2b3c4d5e6f simulated-secret-without-consent
claim "$client: an app without consent" refusal "HttpRequestException *403 (Forbidden)*" validate tx-5 "$T/csr"
as unlicensed.com $APP $SECRET
claim "$client: a tenant without Intune" refusal "IntuneServiceNotFoundException *ScepRequestValidationFEService*" validate tx-5 "$T/csr"
as contoso.com $APP $SECRET "INTUNE_RESOURCE_URL=https://nobody.example/"
claim "$client: a resource that nobody has" refusal "MsalServiceException AADSTS500011: *" validate tx-5 "$T/csr"
as contoso.com $APP $SECRET "INTUNE_RESOURCE_URL=https://api.manage.microsoft.com"
claim "$client: the resource without its slash" good validate tx-5 "$T/csr"

# ---- bad days
faults() { sim /sim/faults -X PUT -d "$1" >"$T/faults.log" || die "the simulator takes the faults"; }
faults '{"rules":[{"step":"token","fault":"aadsts","number":90033,"times":2}]}'
as contoso.com $APP $SECRET
claim "$client: a transient error of Entra, twice: then the old way leads to Intune as well" good validate tx-6 "$T/csr"
claim "$client: ... by graph.windows.net" grep -q 'info token .*detail="for https://graph.windows.net/"' "$T/sim.log"
as contoso.com $APP $SECRET
faults '{"rules":[{"step":"validate","fault":"code","code":"SomethingNew","times":1},
	{"step":"validate","fault":"status","status":500,"times":1}, {"step":"validate","fault":"garbage","times":1},
	{"step":"validate","fault":"drop","member":"errorDescription","times":1}]}'
claim "$client: a code that nobody knows" refusal "ArgumentException *'SomethingNew'*" validate tx-6 "$T/csr"
claim "$client: 500" refusal "HttpRequestException *500 (*" validate tx-6 "$T/csr"
claim "$client: no JSON, after discovery is asked again" asks_again endpoints refusal "IntuneClientException Failed to parse JSON *" validate tx-6 "$T/csr"
claim "$client: Success without a description" good validate tx-6 "$T/csr"
claim "$client: and then as ever" asks_no_more endpoints good validate tx-6 "$T/csr"

# ---- what does not work with it, so that the manual may say so
as contoso.com $APP $SECRET "AUTH_AUTHORITY=https://$FEF/"
claim "$client: an authority of another name is refused by the library itself" \
	asks_no_more validateRequest refusal "MsalClientException *different cloud*" validate tx-7 "$T/csr"
