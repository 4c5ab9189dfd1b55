#!/usr/bin/env bash
# flood: hostile hosts do what they can to a scepd, and honest devices enrol meanwhile.  Prints how fast, and claims that all of them were served.  By hand: the
# figures are of this machine, which plays the hosts as well.  HONEST=N enrolments each time (default 200);
# KINDS="refused drip" for some of the floods (default all).
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/lab.sh"
ulimit -n "$(ulimit -Hn)"
make_lab 'connections: 400, in_flight: 64, workers: 64'
start_scepd || die "scepd starts"
mkdir "$T/messages"
"$SCEPD_BUILD/tests/hostile/wrong" "$T/ca/ca/ra.pem" "$T/messages" || die "messages"
honest=${HONEST:-200}
# A list of revoked certificates of some megabytes, as an old CA has.
stop_scepd
sqlite3 "$T/ca/scepd.db" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
	INSERT INTO cert(serial, tx_id, audit, issued, not_before, not_after, revoked, reason, ca, endpoint, profile, thumbprint, der)
	SELECT unhex('41' || substr(hex(randomblob(15)), 1, 30)), 0, 1, unixepoch(), unixepoch(), unixepoch() + 90000000, unixepoch(), 4, 'issuing', 'lab', 'lab', '', x'30' FROM n" 2>"$T/sql.log" ||
	python3 - "$T/ca/scepd.db" <<'PY' || die "a long CRL"
import os, sqlite3, sys, time
db = sqlite3.connect(sys.argv[1])
now = int(time.time())
db.executemany("INSERT INTO cert(serial, tx_id, audit, issued, not_before, not_after, revoked, reason, ca, endpoint, profile, thumbprint, der) "
               "VALUES (?, 0, 1, ?, ?, ?, ?, 4, 'issuing', 'lab', 'lab', '', x'30')",
               ((b"\x41" + os.urandom(15), now, now, now + 90000000, now) for _ in range(100000)))
db.commit()
PY
start_scepd || die "scepd starts again"
rss() { awk '/VmRSS/ { print int($2 / 1024) }' "/proc/$(process_of front)/status"; }
# enrol NAME: honest devices, four at a time; a line of the table
enrol() {
	scepbench enroll --url "$SCEPD/scep/lab" --challenge-file "$T/ca/lab.secret" -n "$honest" -c 4 --keys 8 --json >"$T/bench.json" 2>>"$T/claim.log"
	python3 - "$1" "$T/bench.json" "$(rss)" "$T/flood.out" <<'PY'
import json, os, sys
name, path, rss, flood = sys.argv[1:]
b = json.load(open(path))
b = b.get("scepd") or b.get("server") or b
print(f"{name:<42} {b['succeeded']:>5} ok {b['perSecond']:>7.0f}/s  p50 {b['p50us'] / 1000:>6.0f} ms  p99 {b['p99us'] / 1000:>6.0f} ms  front {rss} MiB")
sys.exit(b["succeeded"] < b["count"] or b["firstFault"] != "")
PY
}
# against NAME KIND CONNECTIONS HOSTS [flood.py arguments]
against() {
	local name=$1 kind=$2 n=$3 hosts=$4 p mine= h
	shift 4
	case " ${KINDS:-$kind} " in *" $kind "*) ;; *) return ;; esac
	for h in $(seq "$hosts"); do
		python3 "$SCEPD_TOP/tests/hostile/flood.py" "$kind" 127.0.0.1 "$scepd_port" --from "127.0.0.$((65 + h))" --connections "$n" "$@" >"$T/flood.$h" 2>>"$T/claim.log" &
		mine="$mine $!"
	done
	pids="$pids $mine"
	sleep 4
	claim "honest devices are all served beside $name" enrol "$name"
	for p in $mine; do kill "$p" 2>/dev/null; wait "$p" 2>/dev/null; done
	sed "s/^/    the host says: /" "$T"/flood.[0-9]* | head -n 2
	rm -f "$T"/flood.[0-9]*
	grep -h "^$name" "$T/claim.log" | tail -n 1
	sleep 1
}
claim "honest devices alone" enrol "nobody else"
grep -h "^nobody" "$T/claim.log" | tail -n 1
against "rubbish from a host" rubbish 64 1
against "refused messages from a host" refused 64 1 --messages "$T/messages"
against "silent connections from two hosts" silent 600 2
against "a byte a second from two hosts" drip 600 2
against "bodies that never end from two hosts" half 300 2
against "readers of a long CRL, a KiB a second" slow 300 2 --path /crl/issuing.crl
claim "the administrator gets in, and sees what was turned away" sh -c "curl -fsS '$ADMIN/metrics' | grep -E '^scepd_http_(over|crowded)_total [1-9]'"
echo "    429: $(metric scepd_http_over_total), connections closed: $(metric scepd_http_crowded_total), refused: $(metric scepd_requests_refused_total), malformed: $(metric scepd_requests_malformed_total), log: $(wc -l <"$T/scepd.log") lines"
stop_scepd
