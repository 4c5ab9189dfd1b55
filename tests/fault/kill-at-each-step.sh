#!/usr/bin/env bash
# kill-at-each-step: the daemon is killed (SIGKILL) between any two steps of an enrolment and started again, while the device goes on
# sending the same message.  Nothing may be lost or duplicated: the device gets its certificate, gets the same one when it asks again, Intune
# has heard of exactly that one, and the store holds one good certificate more than before.
. "$(dirname "$0")/../lib/env.sh"

make_ca
start_intunesim
good_certs() { scepctl list --config "$CONFIG" --valid --json 2>>"$T/claim.log" | grep -c '"serial"'; }
# By thumbprint: one that was told twice (killed between telling and noting it) is still one.
reported() { curl -fsS "$SIM/sim/report" | grep -oE '"thumbprint": ?"[0-9A-Fa-f]{40}"' | sort -u | wc -l; }

for point in received authorised reserved issued signed told notified replying; do
	before=$(good_certs) told=$(reported)
	SCEPD_FAULT=$point start_scepd || die "$point: scepd starts"
	scep enroll --intune "$SIM" --device LAPTOP-7F3K2 --out-dir "$T/$point" --retries 60 --retry-delay 1s --repeat 2 >"$T/$point.out" 2>&1 &
	device=$!
	wait "$scepd_pid" 2>/dev/null
	status=$?
	if [ $status = 137 ]; then ok "$point: the daemon is killed there"; else not_ok "$point: the daemon is killed there (it ended with $status)"; fi
	start_scepd || die "$point: scepd starts again"
	if wait "$device"; then ok "$point: the device gets its certificate, and the same again"; else
		not_ok "$point: the device gets its certificate, and the same again"
		cat "$T/$point.out" >&2
		tail -n 5 "$T/scepd.log" >&2
	fi
	claim "$point: one good certificate more" test "$(good_certs)" = $((before + 1))
	claim "$point: Intune has heard of exactly one more" test "$(reported)" = $((told + 1))
	stop_scepd
done
start_scepd || die "scepd starts"
claim "the audit chain is whole" scepctl audit verify --config "$CONFIG"
