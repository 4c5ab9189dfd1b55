#!/usr/bin/env bash
# strict: endpoints of the two kinds side by side: what each offers and takes, and the shapes that replies can have.
. "$(dirname "$0")/../lib/env.sh"
make_ca --static-challenge --static-domain lab.example
python3 - "$CONFIG" <<'EOF2' || die "scepd.yaml"
import sys
path = sys.argv[1]
text = open(path).read()
line = "  lab: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret }\n"
assert line in text
text = text.replace(line, line + """  strict: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret, compat: strict, renewal: { window: 100 } }
  cisco: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret, reply_chain: true, no_content: empty }
""")
open(path, "w").write(text)
EOF2
start_scepd || die "scepd starts"
count() { scepctl list --config "$CONFIG" --json 2>>"$T/claim.log" | grep -c '"serial"'; }
last() { grep ' scep tx=' "$T/scepd.log" | tail -n 1; }
n=0
enrol() { # ENDPOINT [arguments]
	n=$((n + 1))
	scep enroll --url "$SCEPD/scep/$1" --subject "CN=pc$n.lab.example" --challenge-file "$T/ca/lab.secret" --out-dir "$T/pc$n" "${@:2}"
}
# refused INFO WORDS ENDPOINT [arguments]
refused() {
	local info=$1 words=$2 before status
	before=$(count)
	enrol "${@:3}"
	status=$?
	last
	[ $status = 3 ] && [ "$(count)" = "$before" ] && last | grep -q "failInfo=$info .*$words"
}
claim "S38: a strict endpoint does not offer 3DES" sh -c "! scep getcaps --url '$SCEPD/scep/strict' | grep -qx DES3"
claim "S38: nor SHA-1" sh -c "! scep getcaps --url '$SCEPD/scep/strict' | grep -qx SHA-1"
claim "... but AES and SHA-2" sh -c "scep getcaps --url '$SCEPD/scep/strict' | tr '\n' ' ' | grep -q 'AES.*SHA-256.*SHA-384.*SHA-512'"
claim "R12: one for the field offers all" sh -c "scep getcaps --url '$SCEPD/scep/lab' | tr '\n' ' ' | grep -q 'AES DES3.*SHA-1 '"
claim "S38: 3DES is refused though the client asks for it" refused 0 "step=strict" strict --cipher des3
claim "S38: SHA-1 too" refused 0 "step=strict" strict --digest sha1
claim "R12: both are taken where devices need them" enrol lab --cipher des3 --digest sha1
claim "a message by the book is taken" enrol strict
claim "... by GET as well" enrol strict --get
claim "a renewal by the book too" scep renew --url "$SCEPD/scep/strict" --out-dir "$T/pc$n" --quiet
claim "S14: the same request again gets the same certificate" enrol strict --repeat 3
claim "scepctl check is content" scepctl check --config "$CONFIG"
stop_scepd
sed -i 's/compat: strict,/compat: strict, capabilities: [AES, DES3],/' "$CONFIG"
claim "S38: a configuration that offers what it refuses is refused itself" sh -c "scepd --config '$CONFIG' --check 2>&1 | grep -q 'DES3 and SHA-1 are not taken with compat: strict'"
