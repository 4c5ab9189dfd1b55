#!/usr/bin/env bash
# fleet: forty devices of all platforms enrol and renew twice on a compressed calendar, against scepd; the summary, the exit status, the
# simulator's report and the CA's list agree.
. "$(dirname "$0")/../lib/env.sh"
make_ca
start_scepd || die "scepd starts"
# fleet NAME ARGUMENTS...: the summary in $T/NAME.json
fleet() {
	local name=$1
	shift
	intunesim fleet --listen "127.0.0.1:$sim_port" --scep-url "$SCEPD/certsrv/mscep/mscep.dll" --root "*=$T/ca/ca/issuing.pem" --reuse-keys 4 \
		--json "$@" >"$T/$name.json" 2>"$T/$name.err"
}
figure() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$T/$1.json" "$2"; }
listed() { scepctl list --config "$CONFIG" --json 2>>"$T/claim.log" | grep -c '"serial"'; }

# Certificates live a year and are renewed on day 292; the last of the roll-out renews for the second time on day 588.
claim "forty devices live through two renewals" fleet all --devices 40 --days 600 --rollout 5 --check-in 100 --concurrency 4 --port-file "$T/fleet.port"
claim "each enrolled once" test "$(figure all enrolled)" = 40
claim "and renewed twice" test "$(figure all renewed)" = 80
claim "nothing was refused or failed" test "$(figure all refused) $(figure all failed) $(figure all notDelivered)" = "0 0 0"
claim "the CA has every certificate" test "$(listed)" = 120
claim "of every platform" sh -c "for p in Win32 profiled mdmclient Dalvik; do grep -q \"\$p\" '$T/scepd.log' || exit 1; done"
claim "progress is told without a terminal" grep -q "day .* of 600: 40 of 40 devices" "$T/all.err"

# On top of a tenant file: made-up devices join the groups of those that they are like.
claim "devices are made up after those of a tenant file" fleet contoso --tenant "$SCEPD_TOP/docs/examples/contoso.yaml" --devices 8 --days 3 --rollout 2
claim "and get the profiles of these" test "$(figure contoso enrolled) $(figure contoso renewed)" = "8 0"

# Not all goes well.
claim "without the address of a CA it does not begin" sh -c "intunesim fleet --listen 127.0.0.1:0 --devices 2 --days 2 2>&1 | grep -q 'give --scep-url'"
claim "nor with one that is no URL" sh -c "intunesim fleet --listen 127.0.0.1:0 --devices 2 --days 2 --scep-url ca.example/scep 2>&1 | grep -q 'wants http://'"
claim "with bad days of Intune the exit status says so" sh -c "! \"\$@\"" sh intunesim fleet --listen "127.0.0.1:$sim_port" \
	--scep-url "$SCEPD/certsrv/mscep/mscep.dll" --root "*=$T/ca/ca/issuing.pem" --reuse-keys 1 --devices 4 --days 1 --rollout 1 \
	--fault step=validate,fault=code,code=ChallengeExpired
refused=$(grep -oE 'refused +[0-9]+' "$T/claim.log" | tail -n 1 | grep -oE '[0-9]+')
claim "and the summary counts the refusals" test "$refused" = 4
intunesim fleet --listen "127.0.0.1:$sim_port" --scep-url "$SCEPD/certsrv/mscep/mscep.dll" --root "*=$T/ca/ca/issuing.pem" --reuse-keys 1 \
	--devices 4 --rollout 1 --day 100 --port-file "$T/stop.port" >"$T/stop.out" 2>"$T/stop.err" &
fleet_pid=$!
pids="$pids $fleet_pid"
all_enrolled() { curl -fsS "$SIM/sim/report" 2>/dev/null | grep -q '"installed": \?4'; }
within 20 all_enrolled || die "four devices enrol"
kill -INT "$fleet_pid"
wait "$fleet_pid"
claim "Ctrl-C ends it with status 1" test $? = 1
claim "and prints the summary so far" grep -q "stopped by a signal" "$T/stop.out"
claim "which counts what was done" grep -qE "enrolled +4$" "$T/stop.out"
