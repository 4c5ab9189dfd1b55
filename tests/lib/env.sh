# env.sh - for tests/e2e, interop and fault: a folder of their own, servers on free ports, and an end that leaves nothing behind.
# Sourced.  Needs SCEPD_BUILD and SCEPD_TOP.  Claims are made with ok / not_ok / claim / skip_claim.
# SCEPD_KEYS=softhsm: the keys of every CA that init_ca makes (CA, RA, OCSP) are in a SoftHSM token instead of files.
set -u
SCEPD_KEYS=${SCEPD_KEYS:-file}
B=$SCEPD_BUILD/src
# Debian's own tools before others of the same name: a version manager's shim takes ten times as long to start python3.
PATH=$B/scepd:$B/scepctl:$B/scep-client:$B/intunesim:$B/bench:/usr/bin:/bin:$PATH
T=$(mktemp -d "${TMPDIR:-/tmp}/scepd-e2e.XXXXXX")
pids=
cleanup() {
	local p
	for p in $pids; do kill "$p" 2>/dev/null; done
	for p in $pids; do wait "$p" 2>/dev/null; done
	rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

ok() { echo "ok $*"; }
not_ok() { echo "not ok $*"; }
skip_claim() { echo "skip $1: $2"; }
# claim TEXT COMMAND...
claim() {
	local text=$1
	shift
	if "$@" >>"$T/claim.log" 2>&1; then ok "$text"; else not_ok "$text"; echo "--- $text: $*" >&2; tail -n 30 "$T/claim.log" >&2; return 1; fi
}
die() { echo "not ok $*"; for f in "$T"/*.log; do [ -e "$f" ] && { echo "--- $f" >&2; tail -n 40 "$f" >&2; }; done; exit 1; }

# Bounds of waiting are for what never comes: a machine that does other things takes its time, and nobody waits longer for what is there.
# wait_for FILE PID: until the file is there, or the process is gone, or 90 s have passed
wait_for() {
	local i
	for i in $(seq 900); do
		[ -s "$1" ] && return 0
		kill -0 "$2" 2>/dev/null || { [ -s "$1" ]; return; }
		sleep 0.1
	done
	return 1
}
# within SECONDS COMMAND...: until it succeeds. So many seconds are enough where nothing else runs, and a busy machine has a minute more.
within() {
	local end=$((SECONDS + $1 + 60)) status
	while :; do
		"${@:2}" && return 0
		status=$?
		[ $SECONDS -lt $end ] || return $status
		sleep 0.2
	done
}
# logged_within SECONDS PATTERN [COUNT]: the log of scepd has so many such lines (1)
logged_within() { within "$1" has_lines "$2" "${3:-1}"; }
has_lines() { [ "$(grep -cE -e "$1" "$T/scepd.log")" -ge "$2" ]; }
# kill_signer: kill -9 to a signer that is ready. Not to one that starts: SoftHSM 2.6 writes its token's file anew at each login (ftruncate, then write), and who
# is killed between the two has lost the token for good.
kill_signer() { within 30 signer_is_ready && kill -9 "$(process_of signer)"; }
signer_is_ready() {
	local p
	p=$(process_of signer)
	[ -n "$p" ] && has_lines "the signer is ready, pid $p\"" 1
}

# free_port: one that nothing on loopback listens on just now, below the range that the kernel gives to clients
# Scripts that run at the same time have a thousand each (SCEPD_SLOT), lest two be given the same before either listens.
free_port() { # [not this one]
	local p first=20000 count=12000
	[ -z "${SCEPD_SLOT:-}" ] || first=$((20000 + SCEPD_SLOT % 12 * 1000)) count=1000
	for _ in $(seq 50); do
		p=$((first + RANDOM % count))
		[ "$p" != "${1:-}" ] && ! (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null && { echo "$p"; return; }
	done
	return 1
}

# put_properties FILE: Microsoft's properties for tenant contoso of the simulator at $SIM
put_properties() {
	cat >"$1" <<EOF
AAD_APP_ID=${APP_ID:-2b9f0a6e-5a3d-4f0e-8b63-94f8f1d0a7c2}
AAD_APP_KEY=${APP_KEY:-simulated-secret-of-the-scep-server}
TENANT=${TENANT_ID:-contoso.onmicrosoft.com}
PROVIDER_NAME_AND_VERSION=scepd-test 1.0
AUTH_AUTHORITY=$SIM/
MS_GRAPH_RESOURCE_URL=$SIM/
EOF
	chmod 600 "$1"
}

# in_token: do the CA's own keys live in a token?
in_token() { [ "$SCEPD_KEYS" = softhsm ]; }
in_token && . "$(dirname "${BASH_SOURCE[0]}")/softhsm.sh"
# init_ca FOLDER [scepctl init arguments]: a new CA, each with a token of its own if its keys are to be in one
n_ca=0
init_ca() {
	local dir=$1
	shift
	if ! in_token; then
		scepctl init --dir "$dir" "$@" >"$T/init.log" 2>&1 || die "scepctl init"
		return
	fi
	n_ca=$((n_ca + 1))
	make_token "scepd$n_ca" || die "a token: $TOKEN_WHY"
	token_arguments "$@"
	scepctl init --dir "$dir" "${TOKEN_ARGUMENTS[@]}" >"$T/init.log" 2>&1 || die "scepctl init with a token"
	token_config "$dir/scepd.yaml" || die "a key of the OCSP responder in the token"
}

# make_ca [scepctl init arguments]: state in $T/ca; sets SCEPD and SIM (URLs on free ports) and their ports
# RSA of 2048 bits unless the arguments say which: to find primes for the default of 4096 and 3072 takes five times as long as all the rest, and the
# demo (tests/e2e/demo.sh) has those.
make_ca() {
	local keys=(--root-key rsa:2048 --issuing-key rsa:2048)
	[[ " $* " != *"-key "* ]] || keys=()
	# Not the one that --admin has, either.
	while scepd_port=$(free_port) && [[ " $* " == *":$scepd_port "* ]]; do :; done
	while sim_port=$(free_port "$scepd_port") && [[ " $* " == *":$sim_port "* ]]; do :; done
	[ -n "$scepd_port" ] && [ -n "$sim_port" ] || die "free ports"
	SCEPD=http://127.0.0.1:$scepd_port SIM=http://127.0.0.1:$sim_port
	put_properties "$T/contoso.properties"
	init_ca "$T/ca" --name Contoso --listen "127.0.0.1:$scepd_port" --url "$SCEPD" --tenant-properties "$T/contoso.properties" "${keys[@]}" "$@"
	CONFIG=$T/ca/scepd.yaml
}

# start_intunesim [arguments]: tenant contoso at $SIM, its profiles pointing at $SCEPD; sets sim_pid
start_intunesim() {
	rm -f "$T/sim.port"
	intunesim --tenant "${TENANT_FILE:-$SCEPD_TOP/docs/examples/contoso.yaml}" --listen "127.0.0.1:$sim_port" --port-file "$T/sim.port" \
		--scep-url "$SCEPD/certsrv/mscep/mscep.dll" --root "*=$T/ca/ca/root.pem" --root "Contoso CA (Windows)=$T/ca/ca/issuing.pem" \
		"$@" 2>>"$T/sim.log" &
	sim_pid=$!
	pids="$pids $sim_pid"
	wait_for "$T/sim.port" "$sim_pid" || die "intunesim starts"
}

# start_scepd [arguments]: with $CONFIG; sets scepd_pid
start_scepd() {
	rm -f "$T/scepd.ready"
	scepd --config "$CONFIG" --ready-file "$T/scepd.ready" "$@" 2>>"$T/scepd.log" &
	scepd_pid=$!
	pids="$pids $scepd_pid"
	wait_for "$T/scepd.ready" "$scepd_pid"
}
# process_of ROLE: pid of scepd's process of that role (front, signer)
process_of() { pgrep -P "$scepd_pid" -f "^scepd $1 "; }
stop_scepd() { kill "$scepd_pid" 2>/dev/null; wait "$scepd_pid" 2>/dev/null; }
# at_once COMMAND...: what is said to a directory while scepd is away it hears in one round
at_once() { stop_scepd; "$@"; start_scepd || die "scepd starts again"; }
