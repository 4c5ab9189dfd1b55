#!/usr/bin/env bash
# sweep-kill: scepd is killed (SIGKILL) while it writes a sweep that is to wait, while it carries out one that was approved (between the two
# commits of a batch, and after them), and goes on at the next start: nothing is forgotten, nothing is done that was not approved.
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
# Certificates of N devices, each heard of just now.
python3 - "$DB" "$N" <<'EOF'
import sqlite3, sys, time
c, n, now = sqlite3.connect(sys.argv[1]), int(sys.argv[2]), int(time.time())
for i in range(1, n + 1):
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
held() { sql "SELECT count(*) FROM cause WHERE source = 3 AND rule = 'compliance' AND effect = 1"; }
waiting() { sql "SELECT count(*) FROM sweep WHERE state = 1 AND turns = $N"; }
# dies_at POINT: a start with that fault ends by itself
dies_at() {
	local i
	SCEPD_FAULT=$1 start_scepd
	for i in $(seq 400); do
		kill -0 "$scepd_pid" 2>/dev/null || { wait "$scepd_pid"; return 0; }
		sleep 0.1
	done
	return 1
}
# within SECONDS COMMAND...
within() { local i; for i in $(seq $(($1 * 10))); do "${@:2}" >/dev/null 2>&1 && return 0; sleep 0.1; done; return 1; }
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
id=$(sql 'SELECT id FROM sweep WHERE state = 1')
claim "it is approved" scepctl sweep approve --config "$CONFIG" "$id" --yes
claim "killed between the two commits of the first batch" dies_at sweep-set
claim "which is done, and not yet noted" test "$(held) $(sql "SELECT dealt FROM sweep WHERE id = $id")" = "200 0"
claim "killed after both of the next" dies_at sweep-dealt
claim "no batch is lost" test "$(sql "SELECT dealt FROM sweep WHERE id = $id")" -ge 200
claim "killed once more" dies_at sweep-set
before=$(held)
claim "and some are not done yet" test "$before" -lt "$N"

start_scepd || die "scepd starts"
claim "a laptop enrols while it goes on" enrol going
claim "all are held in the end" within 120 is held "$N"
done_now() { sql "SELECT state || ' ' || dealt FROM sweep WHERE id = $id"; }
claim "the sweep is done" within 20 is done_now "4 $N"
claim "every certificate says so, and no other" test "$(sql "SELECT count(*) FROM cert WHERE reason = 6 AND revoked <> 0")" = "$N"
claim "nothing waits, and nothing else was begun" test "$(sql 'SELECT count(*) FROM sweep')" = 1
claim "each has one line in the audit trail" test "$(sql "SELECT count(*) FROM audit WHERE event = 'cert-hold'")" = "$N"
claim "which is whole" scepctl audit verify --config "$CONFIG"
