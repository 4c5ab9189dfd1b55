#!/usr/bin/env bash
# processes: the supervisor, the signer and the front: what each holds, and that none of them can die or hang without being started again,
# and no request is lost by it.
. "$(dirname "$0")/../lib/env.sh"
make_ca --static-challenge --static-domain lab.contoso.com --admin "127.0.0.1:$(free_port)"
ADMIN=http://$(grep -A1 '^admin:' "$CONFIG" | grep -oE '127.0.0.1:[0-9]+')
chmod 755 "$T"

status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; } # PID FIELD
# enrol N NAME [arguments]: N devices in turn; how many got a certificate
enrol() {
	local i n=0 count=$1 name=$2
	shift 2
	for i in $(seq "$count"); do
		scep enroll --url "$SCEPD/scep/lab" --subject "CN=$name$i.lab.contoso.com" --challenge-file "$T/ca/lab.secret" \
			--out-dir "$T/$name$i" "$@" >>"$T/enroll.out" 2>&1 && n=$((n + 1))
	done
	echo $n
}
# until_new ROLE OLDPID [SECONDS]: the role's process is another one, for at most 100 s
until_new() {
	local i now
	for i in $(seq $((${3:-100} * 10))); do
		now=$(process_of "$1")
		[ -n "$now" ] && [ "$now" != "$2" ] && return 0
		sleep 0.1
	done
	return 1
}
until_line() { logged_within 30 "$@"; } # PATTERN COUNT

start_scepd || die "scepd starts"
front=$(process_of front) signer=$(process_of signer)
claim "scepd runs a signer and a front of its own" test -n "$front" -a -n "$signer" -a "$front" != "$signer"
for p in $front $signer; do
	role=$(tr '\0' ' ' <"/proc/$p/cmdline" | cut -d' ' -f2)
	claim "the $role may gain no privilege" test "$(status_of "$p" NoNewPrivs)" = 1
	claim "the $role's system calls are filtered" test "$(status_of "$p" Seccomp)" = 2
	claim "the $role has no capability" test "$(status_of "$p" CapEff)$(status_of "$p" CapPrm)$(status_of "$p" CapBnd)" = "$(printf '0%.0s' $(seq 48))"
done
gone() { # PID ...: none runs; who waits for the last parent to notice its end does not run
	local p
	for p in "$@"; do
		case $(status_of "$p" State 2>/dev/null) in '' | Z*) ;; *) return 1 ;; esac
	done
}
sockets() { # PID: other sockets than unix ones
	local l n=0
	for l in $(readlink /proc/"$1"/fd/* | sed -n 's/^socket:\[\(.*\)\]$/\1/p'); do
		awk -v i="$l" '$7 == i { found = 1 } END { exit !found }' /proc/net/unix || n=$((n + 1))
	done
	echo $n
}
claim "the signer has no socket but those to its own" test "$(sockets "$signer")" = 0
claim "the front has listening sockets" test "$(sockets "$front")" -ge 2
claim "the front has no key file open" sh -c "! readlink /proc/$front/fd/* | grep -q '\.key'"
claim "the signer has no database open" sh -c "! readlink /proc/$signer/fd/* | grep -q scepd.db"
claim "the log says what each sandbox holds" test "$(grep -c ' sandbox process=' "$T/scepd.log")" = 3
claim "a device gets a certificate" test "$(enrol 1 first)" = 1

# ---- the signer dies
kill -9 "$signer"
claim "a device that comes while the signer is dead gets its certificate" test "$(enrol 1 second)" = 1
claim "another signer was started" until_new signer "$signer"
claim "the front stayed" test "$(process_of front)" = "$front"
claim "the log tells of it" grep -qE "error process process=signer pid=$signer signal=Killed" "$T/scepd.log"
enrol 20 storm >"$T/storm" &
storm=$!
# A device that is served between two kills is another one than that in flight at either: a request that three signers died of is refused (signer_remote.c).
for i in 1 2 3; do
	logged_within 30 'subj="CN=storm.* result=SUCCESS' $i
	kill_signer
done
wait $storm
claim "of 20 devices none loses its certificate to a signer that dies three times" test "$(cat "$T/storm")" = 20
claim "the signer is there again" within 30 signer_is_ready

# ---- the signer stands still for a while
signer=$(process_of signer)
kill -STOP "$signer"
enrol 3 pause --retries 0 >"$T/pause" &
pause=$!
sleep 5
kill -CONT "$signer"
wait $pause
claim "a signer that stands still for 5 s costs devices nothing but the wait" test "$(cat "$T/pause")" = 3
claim "... and is not started again" test "$(process_of signer)" = "$signer"

# ---- the signer hangs
kill -STOP "$signer"
claim "a signer that hangs is ended and started again" until_new signer "$signer"
claim "and devices are served" test "$(enrol 1 third --retries 20 --retry-delay 1s)" = 1
claim "metrics count its restarts" sh -c "curl -fsS '$ADMIN/metrics' | grep -qE '^scepd_signer_restarts_total [1-9]'"
claim "and its signatures" sh -c "curl -fsS '$ADMIN/metrics' | grep -qE '^scepd_signer_signatures_total.operation=.certificate.. [1-9]'"
claim "readyz knows of both" sh -c "curl -fsS '$ADMIN/readyz' | grep -q ready"

# Each end in a row doubles the wait for the next start, and how many of the storm's kills met a signer is chance: what follows counts anew.
again() {
	stop_scepd
	start_scepd || die "scepd starts again"
}

# ---- either is started again while the administrator is in the middle of a change
again
front=$(process_of front) signer=$(process_of signer)
cp "$CONFIG" "$T/scepd.yaml.before"
printf 'ruels: {}\n' >>"$CONFIG"
kill -9 "$front" "$signer"
claim "a mistake in scepd.yaml keeps no front from being started again" until_new front "$front"
claim "... nor a signer" until_new signer "$signer"
claim "... devices are served as before" test "$(enrol 1 amid --retries 20 --retry-delay 1s)" = 1
claim "... and they have no descriptor of what was kept of it" sh -c "! readlink /proc/$(process_of front)/fd/* /proc/$(process_of signer)/fd/* | grep -q memfd:scepd.yaml"
mv "$T/scepd.yaml.before" "$CONFIG"

# ---- the signer lives, and closes every channel
signer=$(process_of signer)
if [ "$(id -u)" != 0 ]; then
	skip_claim "channels that a living signer closes are replaced" "needs root, to speak on the front's channels"
else
	front=$(process_of front)
	broken=$(python3 "$SCEPD_TOP/tests/lib/break_channels.py" "$front")
	claim "32 channels hear what is no frame" test "$broken" -ge 32
	claim "devices are served although the signer has closed every channel" test "$(enrol 3 replaced --retries 0)" = 3
	claim "... the log says so" until_line 'warn process msg="the signer has closed [0-9]+ channels' 1
	claim "... with the reason" grep -q 'error signer-channel msg="channel: version 255' "$T/scepd.log"
	claim "... and neither was started again" test "$(process_of signer) $(process_of front)" = "$signer $front"
fi

# ---- the signer dies while the front reads everything again, and waits for its answer
again
lines_before=$(wc -l <"$T/scepd.log")
signer=$(process_of signer)
kill -STOP "$signer"
renew_secret() { (umask 077 && echo "$1" >"$T/ca/lab.secret.new" && mv "$T/ca/lab.secret.new" "$T/ca/lab.secret"); }
renew_secret "a-static-challenge-that-is-new"
kill -HUP "$scepd_pid"
sleep 1
kill -9 "$signer"
claim "a reload that has met a dead signer comes to its end" until_line 'endpoint lab: the challenge is read again' 1
claim "with the answer of the next signer" sh -c "! tail -n +$((lines_before + 1)) '$T/scepd.log' | grep -q 'no channel to it became free'"
claim "which is there" until_new signer "$signer"

# ---- the supervisor is held up
signer=$(process_of signer)
kill -STOP "$scepd_pid"
sleep 22
kill -CONT "$scepd_pid"
sleep 1
claim "a supervisor that was held up does not take its signer for hung" test "$(process_of signer)" = "$signer"

# ---- the front stands still, and hangs
front=$(process_of front)
kill -STOP "$front"
sleep 30
kill -CONT "$front"
claim "a front that stands still for 30 s is left alone" test "$(process_of front)" = "$front"
claim "... and serves" test "$(enrol 1 paused)" = 1
kill -STOP "$front"
claim "a front that hangs is ended and started again" until_new front "$front" 150
claim "... the log says why" grep -q 'error process msg="the front does not answer: it is ended"' "$T/scepd.log"
claim "... and devices are served" test "$(enrol 1 unhung --retries 20 --retry-delay 1s)" = 1

# ---- the front dies
front=$(process_of front)
signer=$(process_of signer)
kill -9 "$front"
claim "a front that dies is started again" until_new front "$front"
claim "devices are served" test "$(enrol 1 fourth --retries 20 --retry-delay 1s)" = 1
claim "the signer stayed" test "$(process_of signer)" = "$signer"
claim "no serial number was signed twice, and the signer's audit is whole" scepctl audit verify --config "$CONFIG"

# ---- a front that asks for what is not its own
claim "the roles are no commands" sh -c "! scepd signer '$CONFIG' </dev/null 3</dev/null 2>'$T/role.err'"
claim "SIGHUP reaches the front" sh -c "kill -HUP $scepd_pid; sleep 1; grep -q 'SIGHUP: certificates and secrets' '$T/scepd.log'"

# ---- the supervisor
front=$(process_of front) signer=$(process_of signer)
kill -TERM "$front" "$signer"
sleep 0.5
claim "signals to the group are the supervisor's alone" kill -0 "$front" "$signer"
kill -9 "$scepd_pid"
wait "$scepd_pid" 2>/dev/null
start_scepd || die "scepd starts at once after it was killed"
claim "with the supervisor all of scepd ends" gone "$front" "$signer"
claim "and what starts next is whole" test "$(enrol 1 fifth)" = 1
stop_scepd
claim "SIGTERM ends all three with status 0" test $? = 0
claim "and leaves none behind" sh -c "! pgrep -f '^scepd (front|signer) $CONFIG'"

# ---- without standard streams
rm -f "$T/scepd.ready"
scepd --config "$CONFIG" --ready-file "$T/scepd.ready" <&- >&- 2>&- &
scepd_pid=$!
pids="$pids $scepd_pid"
wait_for "$T/scepd.ready" "$scepd_pid" || die "scepd starts without standard streams"
for p in $scepd_pid $(process_of front) $(process_of signer); do
	claim "no file of scepd's takes the place of a standard stream" sh -c "! readlink /proc/$p/fd/0 /proc/$p/fd/1 /proc/$p/fd/2 | grep -v '^/dev/null$' && [ -e /proc/$p/fd/2 ]"
done
claim "and it serves" test "$(enrol 1 nostreams)" = 1
stop_scepd

# ---- one process
start_scepd --single-process || die "scepd starts in one process"
claim "--single-process has no others" test -z "$(process_of front)$(process_of signer)"
claim "another scepd with its configuration does not start beside it" sh -c "! scepd --config '$CONFIG' 2>'$T/beside.err' && grep -q 'another scepd runs with this configuration' '$T/beside.err'"
claim "... nor a second such" sh -c "! scepd --single-process --config '$CONFIG' 2>'$T/beside.err' && grep -q 'another scepd runs with this configuration' '$T/beside.err'"
touch "$CONFIG"
claim "check knows that it runs, and since when" sh -c "scepctl check --config '$CONFIG' | grep -qE '^warn .*was changed since the scepd that runs was started'"
claim "... also as JSON without what is well" sh -c "scepctl check --quiet --json --config '$CONFIG' >'$T/quiet.json' && python3 -c 'import json, sys; r = {x[\"result\"] for x in json.load(sys.stdin)}; sys.exit(r != {\"warn\"})' <'$T/quiet.json'"
claim "says so loudly" grep -q "warn process msg=\"--single-process" "$T/scepd.log"
claim "and serves" test "$(enrol 1 sixth)" = 1
stop_scepd
claim "and ends with status 0" test $? = 0

# ---- other accounts
if [ "$(id -u)" != 0 ]; then
	skip_claim "each process under its own account" "needs root"
else
	mkdir "$T/ca/db" && mv "$T"/ca/scepd.db* "$T/ca/db/" && chown -R nobody "$T/ca/db" && chown -R daemon "$T/ca/signer" && chmod 755 "$T/ca" "$T/ca/ca"
	if in_token; then chown -R daemon "$TOKEN_DIR"; fi
	check() { scepctl check --config "$CONFIG" >"$T/check.out" 2>&1; grep -qE "$1" "$T/check.out"; }
	claim "check warns of a server that is root all over" check "^warn +processes +started as root, scepd would serve the network as root"
	printf 'processes:\n  front_user: nobody\n  signer_user: daemon\n' >>"$CONFIG"
	claim "check finds that the database is not the front's" check "^fail +store +nobody .front_user. may not write"
	sed -i 's|sqlite:scepd.db|sqlite:db/scepd.db|' "$CONFIG"
	claim "and nothing wrong once it is" sh -c "scepctl check --config '$CONFIG' >'$T/check.out' && grep -qE '^ok +store +nobody .front_user. may write' '$T/check.out' && grep -qE '^ok +processes +front and signer have accounts' '$T/check.out'"
	cp "$CONFIG" "$T/no-lists.yaml"
	sed -i 's|^    crl_validity: .*|&\n    crl_dir: crl|' "$CONFIG"
	claim "check finds that the front may not make the folder of lists" check "^fail +issuing +crl_dir: nobody .front_user. may not write"
	mkdir "$T/ca/crl"
	claim "nor write to one that is not its own" check "^fail +issuing +crl_dir: nobody .front_user. may not write"
	chown nobody "$T/ca/crl"
	claim "and that it may, once it is" check "^ok +issuing +nobody .front_user. may write revocation lists"
	cp "$T/no-lists.yaml" "$CONFIG"
	touch "$T/ca/signer/stray"
	claim "check finds what is not the signer's in its folder" check "^fail +signer_state .*stray is not daemon's"
	rm "$T/ca/signer/stray"
	chmod 750 "$T/ca/signer"
	claim "check finds that its folder is open to others" check "^fail +signer_state .*is open to others"
	chmod 700 "$T/ca/signer"
	sed -i 's|signer_user: daemon|signer_user: nobody|' "$CONFIG"
	claim "check warns of one account for both" check "^warn +processes +front_user and signer_user are both nobody"
	sed -i 's|signer_user: nobody|signer_user: daemon|' "$CONFIG"
	start_scepd || die "scepd starts with accounts"
	claim "the front runs as its own account" test "$(status_of "$(process_of front)" Uid | tr -s '\t ' '\n' | sort -u)" = "$(id -u nobody)"
	claim "the signer runs as another" test "$(status_of "$(process_of signer)" Uid | tr -s '\t ' '\n' | sort -u)" = "$(id -u daemon)"
	claim "keys, or the PIN of their token, stay root's" test "$(stat -c %u "$(in_token && echo "$TOKEN_PIN_FILE" || echo "$T/ca/ca/issuing.key")")" = 0
	claim "a device gets its certificate from them" test "$(enrol 1 seventh)" = 1
	kill -9 "$(process_of signer)"
	claim "also after the signer was started again" test "$(enrol 1 eighth --retries 20 --retry-delay 1s)" = 1
	renew_secret "another-long-static-challenge"
	kill -HUP "$scepd_pid"
	claim "a secret of root's that is replaced is taken up" until_line 'endpoint lab: the challenge is read again' 2
	claim "and used" test "$(enrol 1 ninth)" = 1
	stop_scepd
fi
