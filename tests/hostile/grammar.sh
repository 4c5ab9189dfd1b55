#!/usr/bin/env bash
# grammar: messages that are wrong in every way that the library's tests know, to a server that runs: each gets the answer that it must, none gets a certificate,
# and the server goes on.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/lab.sh"
# as many refusals as this test makes are not what limits.refusals is for
make_lab 'refusals: 0'
start_scepd || die "scepd starts"
mkdir "$T/messages"
"$SCEPD_BUILD/tests/hostile/wrong" "$T/ca/ca/ra.pem" "$T/messages" || die "messages"
before=$(process_of front)
claim "R24 S01: every messageType, every attribute amiss, every envelope and signer gets its answer" \
	python3 "$SCEPD_TOP/tests/hostile/post.py" 127.0.0.1 "$scepd_port" "/scep/lab" "$T/messages"
claim "no certificate was made of them" sh -c "[ \"\$(scepctl list --config '$CONFIG' --json | grep -c '\"serial\"')\" = 0 ]"
claim "the same front and the same signer serve on" sh -c "[ '$before' = '$(process_of front)' ] && curl -fsS '$SCEPD/scep/lab?operation=GetCACaps' | grep -q POSTPKIOperation"
claim "nothing of it is a fault of ours in the log" sh -c "! grep -E ' (ERROR|error) ' '$T/scepd.log'"
stop_scepd
