#!/usr/bin/env bash
# intune-matrix: every row of Microsoft's test matrix on every platform, each a real enrolment over HTTP; see rows.py for the rows.
. "$(dirname "$0")/../lib/env.sh"
rows() { python3 "$SCEPD_TOP/tests/matrix/rows.py" "$@"; }

make_ca
# tenant NAME: another way to the same tenant
tenant() {
	local name=$1 key=simulated-secret-of-the-scep-server
	case $name in wrong-key-*) key=not-the-secret-of-the-app ;; esac
	APP_KEY=$key put_properties "$T/ca/$name.properties"
	sed -i "s/^tenants:/&\n  $name:\n    properties: $name.properties\n    timeout: 5s/" "$CONFIG"
}
cat >"$T/profiles" <<'EOF'
  sha1: { sha1_csr: true }
  usages: { eku: { allow: [clientAuth, ipsecTunnel, 1.3.6.1.4.1.32473.7.1], default: [clientAuth] } }
EOF
sed -i "/^profiles:/r $T/profiles" "$CONFIG"
while read -r endpoint profile tenant; do
	[ "$tenant" = contoso ] || tenant "$tenant"
	echo "  $endpoint: { ca: issuing, profile: $profile, challenge: intune, tenant: $tenant }" >>"$CONFIG"
done < <(rows endpoints)

for bits in 1024 2048 4096; do (umask 077 && openssl genrsa -traditional -out "$T/key-$bits.pem" $bits 2>>"$T/openssl.log") || die "a key of $bits bits"; done
rows tenant "$SCEPD" >"$T/matrix.yaml" || die "the tenant file is made"
intunesim --tenant "$T/matrix.yaml" --listen "127.0.0.1:$sim_port" --port-file "$T/sim.port" --root "*=$T/ca/ca/issuing.pem" 2>>"$T/sim.log" &
pids="$pids $!"
wait_for "$T/sim.port" $! || die "intunesim starts with the tenant of the matrix"
start_scepd || die "scepd starts"

rows run "$T" "$SIM" "$CONFIG" "$T/table"
cat "$T/table"
[ -z "${MATRIX_TABLE:-}" ] || cp "$T/table" "$MATRIX_TABLE"
claim "matrix: no secret is in a log" sh -c "! grep -qE 'simulated-secret|not-the-secret' '$T'/*.log"
# A tenant cannot even say this: the variable has no value on Android.
sed "s|\"$(printf %s 'tag:microsoft.com,2022-09-14:sid:S-1-5-21-[-0-9]*')\"|\"{{OnPremisesSecurityIdentifier}}\"|" "$T/matrix.yaml" >"$T/android.yaml"
claim "matrix: android: the SID's variable is refused, as Android has none" sh -c "
	! timeout 20 intunesim --tenant '$T/android.yaml' --listen 127.0.0.1:0 2>'$T/android.err' && grep -q 'no value on android' '$T/android.err'"
