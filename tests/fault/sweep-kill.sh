#!/usr/bin/env bash
# sweep-kill: scepd is killed (SIGKILL) while it writes a sweep that is to wait, while it turns somebody beside it, while a larger one takes
# its place, while it carries out one that was approved (between the two commits of a batch, and after them), and goes on at the next start:
# nothing is forgotten, nothing is done that was not approved.
# Certificates are issued meanwhile.  Needs a build with -Dfault_points=true.
. "$(dirname "$0")/../lib/env.sh"
N=${SWEEP_CERTS:-1600} # eight batches of 200

make_ca
sed -i 's/^\(  *\)properties: \(.*contoso.properties.*\)$/\1properties: \2\n\1directory: false/' "$CONFIG" # facts stay as they are written below
cat >>"$CONFIG" <<'EOF'
revocation: { interval: 1s }
rules:
  compliance: { when: not-compliant, then: hold }
EOF
grep -q 'directory: false' "$CONFIG" || die "the configuration has the tenant's properties"
start_intunesim
start_scepd || die "scepd starts"
enrol() { scep enroll --intune "$SIM" --device LAPTOP-7F3K2 --out-dir "$T/$1"; }
claim "a laptop enrols" enrol first
stop_scepd

DB=$T/ca/scepd.db
sql() { python3 - "$DB" "$1" <<'EOF'
import sqlite3, sys
c = sqlite3.connect(sys.argv[1], timeout=20)
for row in c.execute(sys.argv[2]):
    print(*row)
c.commit()
EOF
}
# devices FIRST LAST: certificates of so many devices, each heard of just now, none compliant
devices() { python3 - "$DB" "$1" "$2" <<'EOF'
import sqlite3, sys, time
c, now = sqlite3.connect(sys.argv[1], timeout=20), int(time.time())
for i in range(int(sys.argv[2]), int(sys.argv[3]) + 1):
    k = c.execute("INSERT INTO cert(serial, tx_id, audit, issued, not_before, not_after, ca, endpoint, profile, subject, thumbprint, der)"
                  " VALUES(?,0,0,1,1,4000000000,'issuing','default','device',?,'00',x'3000')",
                  (bytes([0x7d]) + i.to_bytes(15, "big"), f"CN=device-{i}")).lastrowid
    c.execute("INSERT INTO binding(cert_id, state, tenant, user, device, device_object, managed, upn, serial_number, sid, platform, owner,"
              " enrolled, asked, tries) VALUES(?,2,'contoso','','','',?,'','','','Windows','company',1,?,0)", (k, f"m-{i}", now))
    c.execute("INSERT INTO dir_object(tenant, kind, id, presence, enabled, compliant, compliance, management, risk, name, platform, owner,"
              " enrolled, last_seen, known, risk_known) VALUES('contoso',3,?,1,-1,0,'noncompliant','managed','',?,'Windows','company',1,?,?,0)",
              (f"m-{i}", f"device-{i}", now, now))
c.commit()
EOF
}
devices 1 "$N"
held() { sql "SELECT count(*) FROM cause WHERE source = 3 AND rule = 'compliance' AND effect = 1"; }
waiting() { sql "SELECT count(*) FROM sweep WHERE state = 1 AND turns = $N"; }
# dies_at POINT: a start with that fault ends by itself
dies_at() {
	local i
	SCEPD_FAULT=$1 start_scepd
	for i in $(seq 1200); do
		kill -0 "$scepd_pid" 2>/dev/null || { wait "$scepd_pid"; return 0; }
		sleep 0.1
	done
	return 1
}
is() { [ "$("$1")" = "$2" ]; }

claim "scepd is killed in the midst of writing a sweep" dies_at sweep-written
claim "what it has written does not count" is waiting 0
claim "and nobody is held" is held 0
claim "killed when it was written" dies_at sweep-ready
claim "it waits, whole" is waiting 1
claim "there is one, and no rest of the other" test "$(sql 'SELECT count(*) FROM sweep_turn')" = "$N"
claim "and nobody is held yet" is held 0

start_scepd || die "scepd starts"
claim "a laptop enrols while it waits" enrol waiting
stop_scepd

# ---- somebody beside the sweep that waits ----
devices $((N + 1)) $((N + 1))
claim "killed when it is noted who is turned beside the sweep" dies_at sweep-noted
claim "who is not turned yet" is held 0
claim "and counts already" test "$(sql 'SELECT count(*) FROM turned_owner')" = 1
start_scepd || die "scepd starts"
claim "that one is held after the next start" within 60 is held 1
claim "counts once" test "$(sql 'SELECT count(*) FROM turned_owner')" = 1
claim "and the sweep waits on, as it was" is waiting 1
stop_scepd

# ---- a larger one takes its place ----
first=$(sql 'SELECT id FROM sweep WHERE state = 1')
devices $((N + 2)) $((N + 401)) # more than 10 %
N=$((N + 400))
log_from=$(wc -l <"$T/scepd.log")
start_scepd || die "scepd starts"
beside() { tail -n "+$log_from" "$T/scepd.log" | grep -q 'with 400 devices and users beside it'; }
claim "what is too much beside a young sweep waits" within 60 beside
claim "and is not held" is held 1
stop_scepd
sql "UPDATE sweep SET created = created - 600000 WHERE id = $first"
claim "killed when the sweep is over and the larger one not begun" dies_at sweep-obsolete
claim "there is none" test "$(sql 'SELECT count(*) FROM sweep WHERE state IN (1, 2)')" = 0
claim "killed in the midst of writing the larger one" dies_at sweep-written
claim "it does not count" is waiting 0
start_scepd || die "scepd starts"
claim "it waits after the next start, whole" within 60 is waiting 1
id=$(sql 'SELECT id FROM sweep WHERE state = 1')
claim "the smaller one can not be approved" sh -c "! scepctl sweep approve --config '$CONFIG' $first --yes >'$T/late' 2>&1"
claim "... and whoever tries is told the new number" grep -q "sweep $id has taken its place" "$T/late"
claim "nobody else is held" is held 1
stop_scepd
claim "it is approved" scepctl sweep approve --config "$CONFIG" "$id" --yes
claim "killed between the two commits of the first batch" dies_at sweep-set
claim "which is done, and not yet noted" test "$(held) $(sql "SELECT dealt FROM sweep WHERE id = $id")" = "201 0"
claim "killed after both of the next" dies_at sweep-dealt
claim "no batch is lost" test "$(sql "SELECT dealt FROM sweep WHERE id = $id")" -ge 200
claim "killed once more" dies_at sweep-set
before=$(held)
claim "and some are not done yet" test "$before" -lt "$N"

start_scepd || die "scepd starts"
claim "a laptop enrols while it goes on" enrol going
claim "all are held in the end" within 120 is held "$((N + 1))"
done_now() { sql "SELECT state || ' ' || dealt FROM sweep WHERE id = $id"; }
claim "the sweep is done" within 20 is done_now "4 $N"
claim "every certificate says so, and no other" test "$(sql "SELECT count(*) FROM cert WHERE reason = 6 AND revoked <> 0")" = "$((N + 1))"
claim "nothing waits, and nothing else was begun" test "$(sql 'SELECT count(*) FROM sweep')" = 2
claim "each has one line in the audit trail" test "$(sql "SELECT count(*) FROM audit WHERE event = 'cert-hold'")" = "$((N + 1))"
claim "which is whole" scepctl audit verify --config "$CONFIG"
