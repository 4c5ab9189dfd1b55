#!/usr/bin/env bash
# directory-large: a certificate is bound within seconds while a walk over a whole directory, slow and of many pages, is still under way.
. "$(dirname "$0")/../lib/env.sh"
admin_port=$(free_port) || die "a free port"
make_ca --admin "127.0.0.1:$admin_port"
python3 - "$SCEPD_TOP/docs/examples/contoso.yaml" "$T/large.yaml" <<'PY'
import sys
text = open(sys.argv[1]).read()
many = "".join("  - { id: 0a1b2c3d-0002-4000-8000-%012d, upn: user%d@contoso.com, email: user%d@contoso.com }\n" % (i, i, i) for i in range(4000))
open(sys.argv[2], "w").write(text.replace("\ngroups:\n", "\n" + many + "\ngroups:\n", 1))
PY
TENANT_FILE=$T/large.yaml
start_intunesim
curl -fsS -o /dev/null -X PUT -H 'Content-Type: application/json' -d '{"rules":[{"step":"graph","fault":"delay","ms":700}]}' "$SIM/sim/faults" || die "a rule"
start_scepd || die "scepd starts"

# walked: the first walk over all users has come to its end
walked() { curl -fsS "http://127.0.0.1:$admin_port/metrics" | grep -qE '^scepd_directory_age_seconds\{.*asked="users"\} [0-9]'; }
bound() { scepctl show --config "$CONFIG" "$1" | grep -q '^Bound .*by the ids'; }
claim "a phone enrols" scep enroll --intune "$SIM" --device Omars-iPhone --out-dir "$T/phone"
phone=$(openssl x509 -in "$(find "$T/phone" -name cert.pem)" -noout -serial | sed 's/.*=//')
began=$(date +%s%N)
claim "it is bound" within 30 bound "$phone"
echo "# after $((($(date +%s%N) - began) / 1000000)) ms"
if walked; then not_ok "... before the walk is over"; else ok "... before the walk is over"; fi
claim "the walk comes to its end" within 120 walked
claim "and was one walk" [ "$(grep -c 'directory .*result=FAILED' "$T/scepd.log")" = 0 ]
