#!/usr/bin/env bash
# one-process-dies: the front alone, or the signer alone, is killed (SIGKILL) between two steps of an enrolment, and the supervisor starts it
# again.  A device whose front dies goes on sending and gets its certificate; one whose signer dies does not notice.  Either way Intune has
# heard of exactly one certificate more, the signer has signed no serial number for two, and both audits are whole.
. "$(dirname "$0")/../lib/env.sh"

make_ca
start_intunesim
good_certs() { scepctl list --config "$CONFIG" --valid --json 2>>"$T/claim.log" | grep -c '"serial"'; }
reported() { curl -fsS "$SIM/sim/report" | grep -oE '"thumbprint": ?"[0-9A-Fa-f]{40}"' | sort -u | wc -l; }
deaths() { grep -cE "error process process=$1 pid=[0-9]+ signal=Killed" "$T/scepd.log"; }
# enrol_over ROLE POINT [arguments of scep]
enrol_over() {
	local role=$1 point=$2 before told died
	shift 2
	before=$(good_certs) told=$(reported) died=$(deaths "$role")
	claim "$role, $point: a device gets its certificate, and the same again" \
		scep enroll --intune "$SIM" --device LAPTOP-7F3K2 --out-dir "$T/$role-$point" --repeat 2 "$@"
	claim "$role, $point: the $role died there, once" test "$(deaths "$role")" = $((died + 1))
	claim "$role, $point: one good certificate more" test "$(good_certs)" = $((before + 1))
	claim "$role, $point: Intune has heard of exactly one more" test "$(reported)" = $((told + 1))
	stop_scepd
}
# Lines of the signer's audit: NUMBER TIME OP CA ID SHA-256 HASH.
signed_twice() { cat "$T"/ca/signer/audit-* | awk '$3 ~ /cert$/ { k = $4 " " $5; if (k in sha && sha[k] != $6) print k; sha[k] = $6 }'; }

: >"$T/scepd.log"
start_scepd || die "scepd starts" # the responder's certificate is signed, so that the next to be signed is a device's
stop_scepd
for point in received authorised reserved issued signed told notified replying; do
	SCEPD_FAULT_FRONT=$point start_scepd || die "$point: scepd starts"
	enrol_over front "$point" --retries 60 --retry-delay 1s
done
for point in signer-asked signer-noted signer-signed; do
	SCEPD_FAULT_SIGNER=$point start_scepd || die "$point: scepd starts"
	enrol_over signer "$point" --retries 0
done
claim "the signer's audit has lines of certificates" test "$(cat "$T"/ca/signer/audit-* | awk '$3 == "cert"' | wc -l)" -ge 11
claim "no serial number was signed for two certificates" test -z "$(signed_twice)"
claim "both audits are whole" scepctl audit verify --config "$CONFIG"
