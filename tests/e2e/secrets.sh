#!/usr/bin/env bash
# secrets: what changes in a file is taken up by the running daemon, and a broken file leaves in use what was there.
. "$(dirname "$0")/../lib/env.sh"
APP_KEY=a-secret-that-is-wrong make_ca --static-challenge --static-domain lab.contoso.com
challenge=$(find "$T/ca" -name '*secret*' -o -name '*challenge*' | head -n 1)
properties=$(sed -n 's/^ *properties: *//p' "$CONFIG")
case $properties in /*) ;; *) properties=$T/ca/$properties ;; esac

start_intunesim
start_scepd || die "scepd starts"
n=0
device() { # enrol a device of the simulator's
	n=$((n + 1))
	scep enroll --intune "$SIM" --device LAPTOP-7F3K2 --out-dir "$T/dev-$n" >"$T/enroll.out" 2>&1
}
lab() { # CHALLENGE-FILE
	scep enroll --force --url "$SCEPD/scep/lab" --subject CN=printer.lab.contoso.com --challenge-file "$1" --out-dir "$T/lab" >"$T/enroll.out" 2>&1
}
logged() { logged_within 10 "$1"; } # PATTERN: it comes into the log
refused() { ! "$@"; }

claim "the log says with what and in which cloud" logged "info tenant .*tenant contoso: client secret, cloud public"
claim "with a wrong app secret no device gets a certificate" refused device
put_properties "$properties"
kill -HUP "$scepd_pid"
claim "SIGHUP is told" logged "SIGHUP: certificates and secrets are read again"
claim "the new secret of the properties file is in use without a restart" within 10 device
sed -i 's/^AAD_APP_KEY=.*/AAD_APP_KEY=/' "$properties"
kill -HUP "$scepd_pid"
claim "an emptied secret is warned of" logged "warn reload .*tenant contoso: .*AAD_APP_KEY is empty"
claim "and devices are served meanwhile" device
put_properties "$properties"
kill -HUP "$scepd_pid"
claim "that it is there again is told" logged "info reload .*tenant contoso: "

cp -p "$challenge" "$T/old-challenge"
claim "a static challenge is taken" lab "$T/old-challenge"
echo "another-long-challenge" >"$T/new-challenge" && chmod 600 "$T/new-challenge"
cp -p "$T/new-challenge" "$challenge"
kill -HUP "$scepd_pid"
claim "a changed static challenge is read" logged "endpoint lab: the challenge is read again"
claim "and taken" lab "$T/new-challenge"
claim "and the old one is not any more" refused lab "$T/old-challenge"
: >"$challenge"
kill -HUP "$scepd_pid"
claim "an emptied challenge file is warned of" logged "warn reload .*endpoint lab: .*the challenge in use stays"
claim "and the challenge stays" lab "$T/new-challenge"
claim "no secret is in the log" refused grep -qE "another-long-challenge|simulated-secret|a-secret-that-is-wrong" "$T/scepd.log"
stop_scepd

# The app's certificate: complete offline, its end is told, and the simulator's Entra takes what it signs.
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=scepd -days 12 -keyout "$T/app.key" -out "$T/app.pem" 2>/dev/null
chmod 600 "$T/app.key"
cp -p "$T/new-challenge" "$challenge"
# tenant NAME KEYS...: $T/ca/NAME.yaml, the tenant proven by these keys instead of by the properties file
tenant() {
	local name=$1 keys=
	shift
	for k in "$@"; do keys="$keys\\1$k\n"; done
	sed "s|^\( *\)properties: .*|${keys%\\n}|" "$T/ca/scepd.yaml" >"$T/ca/$name.yaml"
	CONFIG=$T/ca/$name.yaml
}
app="app_id: 2b9f0a6e-5a3d-4f0e-8b63-94f8f1d0a7c2"
sim=("auth_authority: $SIM/" "graph_url: $SIM/")
tenant high "$app" "tenant: contoso.onmicrosoft.com" "certificate_file: $T/app.pem" "certificate_key_file: $T/app.key" "cloud: gcchigh"
claim "a certificate is a complete credential" scepd --config "$CONFIG" --check
scepctl check --config "$CONFIG" >"$T/check.out" 2>&1
claim "scepctl check names the kind and the cloud" grep -qE "contoso +certificate, cloud gcchigh" "$T/check.out"
claim "and warns of the certificate's end" grep -qE "^warn +contoso +the app's certificate expires at " "$T/check.out"
tenant half "$app" "tenant: contoso.onmicrosoft.com" "certificate_file: $T/app.pem"
scepctl check --config "$CONFIG" >"$T/check.out" 2>&1
claim "what is missing is told by its name in scepd.yaml" grep -q "certificate_key_file" "$T/check.out"

kill "$sim_pid" && wait "$sim_pid" 2>/dev/null
sed "s|^    name: SCEP server\$|&\n    certificates: [{ file: $T/app.pem }]\n    managed_identity: true|" "$SCEPD_TOP/docs/examples/contoso.yaml" >"$T/tenant.yaml"
TENANT_FILE=$T/tenant.yaml start_intunesim
for alg in PS256 RS256; do
	tenant "cert-$alg" "$app" "tenant: contoso.onmicrosoft.com" "certificate_file: $T/app.pem" "certificate_key_file: $T/app.key" "assertion_alg: $alg" "${sim[@]}"
	: >"$T/scepd.log"
	start_scepd || die "scepd starts with a certificate"
	claim "$alg: scepd warns of the certificate's end at its start" logged "warn expiry .*contoso: the app's certificate expires"
	claim "$alg: a device gets its certificate on the strength of the app's" device
	stop_scepd
done
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=scepd -days 400 -keyout "$T/app.key" -out "$T/app.pem" 2>/dev/null
scepctl check --online --config "$CONFIG" >"$T/check.out" 2>&1
claim "a certificate that is not registered is refused, and Entra's code is told" grep -q AADSTS700027 "$T/check.out"
tenant machine "managed_identity: system" "managed_identity_endpoint: $SIM/metadata/identity/oauth2/token" "graph_url: $SIM/"
start_scepd || die "scepd starts with a managed identity"
claim "a device gets its certificate on the strength of the machine's identity" device
stop_scepd
