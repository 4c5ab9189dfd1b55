#!/usr/bin/env bash
# slow-disk: what the signer does every minute stands still for 40 s, as before a disk that does not answer: the signer is sound, signs, and is
# not taken for hung.
. "$(dirname "$0")/../lib/env.sh"
make_ca --static-challenge --static-domain lab.contoso.com
enrol() { # NAME
	scep enroll --url "$SCEPD/scep/lab" --subject "CN=$1.lab.contoso.com" --challenge-file "$T/ca/lab.secret" --out-dir "$T/$1"
}

SCEPD_STALL=signer-tick start_scepd || die "scepd starts"
signer=$(process_of signer)
claim "a device enrols while the signer's disk does not answer" enrol first
sleep 35 # five pings without an answer are 25
claim "the signer is not taken for hung" test "$(process_of signer)" = "$signer"
claim "... and the log has no word of it" sh -c "! grep -q 'does not answer' '$T/scepd.log'"
claim "another device enrols" enrol second
stop_scepd
claim "scepd ends with status 0" test $? = 0
claim "both audits are whole" scepctl audit verify --config "$CONFIG"
