#!/usr/bin/env bash
# timing: whether the clock tells what was wrong inside an envelope (tests/hostile/timing.c): in one process with 10^5 messages (MESSAGES=N), and by the answers of
# a server that runs with a tenth of that (WIRE_MESSAGES=N).  By hand, on a machine that does nothing else.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/lab.sh"
messages=${MESSAGES:-100000}
wire_messages=${WIRE_MESSAGES:-$((messages / 10))}
timing=$SCEPD_BUILD/tests/hostile/timing
look() { # CLAIM ARGUMENTS...
	local text=$1
	shift
	if "$timing" "$@" >"$T/table" 2>&1; then ok "$text"; else not_ok "$text"; fi
	sed 's/^/    /' "$T/table"
}
look "S24: $messages messages, timed inside the process, do not tell one padding from another" --messages "$messages"
"$timing" --without-rsa --messages "$messages" >"$T/table" 2>&1 || : # shown, not judged: no attacker sees it
sed 's/^/    without the RSA operation: /' "$T/table"
make_lab 'refusals: 0'
start_scepd || die "scepd starts"
look "S24: $wire_messages answers of a running server do not either" --messages "$wire_messages" --host 127.0.0.1 --port "$scepd_port" --path /scep/lab --ra "$T/ca/ca/ra.pem"
stop_scepd
