#!/usr/bin/env bash
# libintune: what a CA maker gets.  The library is built and installed by itself, the examples are compiled with nothing but what pkg-config says,
# and validate a device's request through a proxy that wants a password, with TLS trust of their own; the revocation queue is drained.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/common.bash"
. "$(dirname "$0")/squid.bash"
client=libintune
needs squid squid

# ---- by itself ----
claim "libintune builds by itself" sh -c "meson setup '$T/b' '$SCEPD_TOP' -Donly=libintune --prefix '$T/usr' && ninja -C '$T/b' -j 2"
claim "it asks for no event loop, HTTP parser, database or YAML" \
	sh -c "! grep -E 'event|llhttp|sqlite|yaml|cmocka' '$T/b/meson-logs/meson-log.txt' | grep 'dependency.*found: YES'"
claim "and installs" meson install -C "$T/b"
PKG_CONFIG_PATH=$(dirname "$(find "$T/usr" -name libintune.pc)")
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
export PKG_CONFIG_PATH LD_LIBRARY_PATH
claim "the manual page comes along" test -s "$T/usr/share/man/man3/intune.3"
claim "the library shows names of its own only" \
	sh -c "! nm -D --defined-only '$LD_LIBRARY_PATH/libintune.so' | awk '\$2 ~ /[TDB]/ {print \$3}' | grep -v '^intune_'"
claim "and every name that the header declares" sh -c "
	for f in \$(sed -nE 's/^[a-z].*[ *](intune_[a-z_]+)\\(.*/\\1/p' '$T/usr/include/intune.h'); do
		nm -D --defined-only '$LD_LIBRARY_PATH/libintune.so' | grep -q \" T \$f\$\" || { echo \"no \$f\"; exit 1; }
	done"
for f in validate validate-and-notify drain-revocations; do
	# shellcheck disable=SC2046
	claim "examples/$f.c compiles with what pkg-config says" \
		cc -Wall -Wextra -Werror "$SCEPD_TOP/examples/$f.c" $(pkg-config --cflags --libs libintune) -o "$T/$f"
done

# ---- the simulator behind TLS and a proxy ----
make_ca
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/sim.key" -out "$T/sim.pem" -days 2 -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 >"$T/openssl.log" 2>&1 || die "a certificate"
SIM=https://127.0.0.1:$sim_port
start_intunesim --certificate "$T/sim.pem" --key "$T/sim.key"
start_squid squid-basic basic
export APP_ID=2b9f0a6e-5a3d-4f0e-8b63-94f8f1d0a7c2 APP_KEY=simulated-secret-of-the-scep-server TENANT=contoso.onmicrosoft.com
export AUTHORITY=$SIM/ GRAPH=$SIM/ CA_FILE=$T/sim.pem
export PROXY_HOST=127.0.0.1 PROXY_PORT=$proxy_port PROXY_USER=jane PROXY_PASS=open-sesame

sim() { curl -fsS --noproxy '*' --cacert "$T/sim.pem" -H 'Content-Type: application/json' "$@"; }
csr=
request_of() { # DEVICE: $csr
	scep enroll --ca-file "$T/sim.pem" --intune "$SIM" --device "$1" --request-only --quiet --out-dir "$T/dev" || return 1
	csr=$(find "$T/dev" -name request.der | head -n 1)
}
claim "a device makes its request" request_of LAPTOP-7F3K2
validate() { "$T/validate" <"$csr" >"$T/validate.out" 2>&1; }
claim "30 lines of C validate it through the proxy" validate
claim "... which saw a CONNECT of its user" more squid-basic 0
PROXY_PASS=wrong-sesame
if validate; then not_ok "a wrong proxy password fails"; else ok "a wrong proxy password fails"; fi
claim "... and says that it is the proxy's" grep -F "PROXY_PASS" "$T/validate.out"
PROXY_PASS=open-sesame
if CA_FILE='' validate; then not_ok "the system's trust does not do for the simulator"; else ok "the system's trust does not do for the simulator"; fi
head -c 300 "$csr" >"$T/broken.der"
csr=$T/broken.der
if validate; then not_ok "a request that was cut is refused"; else ok "a request that was cut is refused"; fi
claim "... with Intune's code" grep -F CertificateRequestDecodingFailed "$T/validate.out"
csr=$(find "$T/dev" -name request.der | head -n 1)

# ---- notifications and revocation ----
put_properties "$T/contoso.properties"
printf 'PROXY_HOST=127.0.0.1\nPROXY_PORT=%s\nPROXY_USER=jane\nPROXY_PASS=open-sesame\n' "$proxy_port" >>"$T/contoso.properties"
claim "the second example reports an issued certificate" "$T/validate-and-notify" "$T/contoso.properties" "$csr" \
	00112233445566778899AABBCCDDEEFF00112233 0A0B0C0D 2027-11-21T06:20:57.000Z "Example CA"
claim "... and Intune's report has it" sh -c "curl -fsS --noproxy '*' --cacert '$T/sim.pem' '$SIM/sim/report' | grep -q 0A0B0C0D"
claim "it reports that nothing was issued" "$T/validate-and-notify" "$T/contoso.properties" "$csr"
sim -X POST -d '{}' "$SIM/sim/tenants/contoso.com/devices/LAPTOP-7F3K2/unenrol" >"$T/unenrol.out" 2>&1
printf '#!/bin/sh\necho "$1" >>%s\n' "$T/revoked" >"$T/revoke"
chmod +x "$T/revoke"
claim "the third example drains the revocation queue" "$T/drain-revocations" "$T/revoke"
claim "... of that certificate" grep -x 0A0B0C0D "$T/revoked"
claim "... once" sh -c "'$T/drain-revocations' '$T/revoke' && test \$(wc -l <'$T/revoked') = 1"
claim "... and Intune knows the result" sh -c "curl -fsS --noproxy '*' --cacert '$T/sim.pem' '$SIM/sim/revocations' | grep -q '\"status\": *\"revoked\"'"
