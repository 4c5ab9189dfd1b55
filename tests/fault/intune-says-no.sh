#!/usr/bin/env bash
# intune-says-no: whatever Intune does but an exact Success, no certificate reaches a device; a certificate that was signed and could not be
# reported is revoked and on the CRL; and a device that asks again once Intune is well gets one.
. "$(dirname "$0")/../lib/env.sh"

make_ca
mkdir "$T/stub"
python3 "$SCEPD_TOP/tests/lib/intune_stub.py" "$sim_port" "$T/stub" 2>>"$T/stub.log" &
pids="$pids $!"
wait_for "$T/stub/ready" $! || die "the stub starts"
sed -i 's/max: 4096/max: 3072/; s/    properties: contoso.properties/&\n    timeout: 2s/' "$CONFIG"
start_scepd || die "scepd starts"

# The stub does not look at challenges, so any of the right form will do; scepd lets each be used for one request.
n=0
enroll() { # further arguments
	n=$((n + 1))
	(umask 077 && head -c 600 /dev/urandom | base64 -w0 >"$T/challenge")
	cut -c1-60 "$T/challenge" >>"$T/challenges"
	scep enroll --url "$SCEPD/certsrv/mscep/mscep.dll" --subject "CN=device-$n" --challenge-file "$T/challenge" --out-dir "$T/dev-$n" "$@" >"$T/enroll.out" 2>&1
}
good() { scepctl list --config "$CONFIG" --valid --json 2>>"$T/claim.log" | grep -c '"serial"'; }
revoked() { scepctl list --config "$CONFIG" --revoked --json 2>>"$T/claim.log" | grep -c '"serial"'; }
last() { grep -E ' scep .*op=PKIOperation' "$T/scepd.log" | tail -n 1; }
calls() { touch "$T/stub/calls"; grep -c "^$1 " "$T/stub/calls"; }

enroll
claim "with Success to both calls there is a certificate" test $? = 0
base=$(good)

# validate: STATUS BODY
while IFS='|' read -r what answer; do
	echo "$answer" >"$T/stub/validate"
	enroll
	status=$?
	cat "$T/enroll.out" >>"$T/enroll.all"
	if [ $status = 3 ] && [ "$(good)" = "$base" ] && [ ! -e "$T/dev-$n/cert.pem" ]; then ok "validate: $what: refused with a signed FAILURE, nothing issued"; else
		not_ok "validate: $what: refused with a signed FAILURE, nothing issued (status $status)"
		last >&2
	fi
	case $(last) in *' hint='*) ;; *) not_ok "validate: $what: the log has a hint"; last >&2 ;; esac
done <<'EOF'
a refusal|200 {"code":"ChallengeExpired","errorDescription":"SCEP challenge has expired."}
a code nobody knows|200 {"code":"SomethingNew","errorDescription":"The moon is full."}
success in lower case|200 {"code":"success","errorDescription":""}
the code as a number|200 {"code":1,"errorDescription":""}
no code|200 {"errorDescription":""}
an empty body|200 
HTML|200 <html>Success</html>
Success behind status 500|500 {"code":"Success","errorDescription":""}
an internal error|500 {"error":{"code":"InternalError","message":"x"}}
401|401 
403|403 {}
too many requests|429 {}
a dropped connection|reset
no answer in time|hang
EOF
rm "$T/stub/validate"
claim "what Intune says beside a code nobody knows is in the log" grep -q 'SomethingNew.* hint=.*The moon is full' "$T/scepd.log"
claim "and the device gets the code alone" sh -c "grep -q SomethingNew '$T/enroll.all' && ! grep -q 'The moon' '$T/enroll.all'"
claim "no success was reported for any of them" test "$(calls success)" = 1
claim "and no failure either: validate's own failures are not reported" test "$(calls failure)" = 0

# success notification
rev=$(revoked)
while IFS='|' read -r what answer; do
	echo "$answer" >"$T/stub/success"
	enroll
	status=$?
	rev=$((rev + 1))
	if [ $status = 3 ] && [ "$(good)" = "$base" ] && [ "$(revoked)" = $rev ]; then ok "success notification: $what: FAILURE, and the certificate is revoked"; else
		not_ok "success notification: $what: FAILURE, and the certificate is revoked (status $status, good $(good), revoked $(revoked))"
		last >&2
	fi
done <<'EOF'
Intune's no|200 {"code":"CertificateRequestDecodingFailed","errorDescription":"x"}
500|500 {"error":{"code":"InternalError","message":"x"}}
HTML|200 <html></html>
no answer in time|hang
EOF
serial=$(scepctl list --config "$CONFIG" --revoked --json | grep -oE '"serial": ?"[0-9A-F]+"' | head -n 1 | grep -oE '[0-9A-F]{16,}')
on_crl() { curl -fsS "$SCEPD/crl/issuing.crl" -o "$T/issuing.crl" && openssl crl -inform DER -in "$T/issuing.crl" -noout -text | grep -qi "$serial"; }
claim "an undelivered certificate is on the CRL" within 11 on_crl # which is at most ten seconds old
claim "the CRL is signed by the issuing CA" sh -c "openssl crl -inform DER -in '$T/issuing.crl' -CAfile '$T/ca/ca/issuing.pem' -noout 2>&1 | grep -q 'verify OK'"

# Once Intune is well again, so are enrolments.
echo "500 {}" >"$T/stub/success"
enroll
claim "while Intune is unwell the device is refused" test $? = 3
rm "$T/stub/success"
enroll
claim "and afterwards it is served" test $? = 0

# A failure of ours after Intune's yes is reported, and reported again until Intune takes it.
echo "503 {}" >"$T/stub/failure"
before=$(calls failure)
enroll --new-key rsa:4096
claim "a key that the profile does not take: refused" test $? = 3
more_failures() { [ "$(calls failure)" -gt "$1" ]; }
claim "the failure is reported to Intune" within 10 more_failures "$before"
rm "$T/stub/failure"
tries=$(calls failure)
claim "and again, as Intune did not take it" within 45 more_failures "$tries"
claim "with a Win32 code as a number" grep -qE '"hResult": ?[0-9]+' "$T/stub/calls"

claim "no token is in the log" sh -c "! grep -q stub-token-not-to-be-logged '$T/scepd.log'"
claim "no challenge is in the log" sh -c "! grep -qFf '$T/challenges' '$T/scepd.log'"
claim "no secret is in the log" sh -c "! grep -q simulated-secret '$T/scepd.log'"
