#!/usr/bin/env bash
# restore: a CA is saved while devices enrol, everything of it is deleted, and in an empty folder, from nothing but the programs, the
# backup and its passphrase, it goes on; what was changed or cut is refused and leaves nothing.
. "$(dirname "$0")/../lib/env.sh"
make_ca --static-challenge --static-domain lab.contoso.com
challenge=$T/ca/lab.secret
cp -p "$challenge" "$T/challenge"

# The keys encrypted, the passphrase outside the folder, and the database in another place: what packages do.
mkdir "$T/var" "$T/secrets"
echo "passphrase-of-the-keys" >"$T/secrets/keys.pass" && chmod 600 "$T/secrets/keys.pass"
encrypted=
if ! in_token; then
	for k in issuing ra; do
		openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000 -in "$T/ca/ca/$k.key" -out "$T/key.new" -passout "file:$T/secrets/keys.pass" &&
			mv "$T/key.new" "$T/ca/ca/$k.key" && chmod 600 "$T/ca/ca/$k.key"
	done
	sed -i "s|^    ra_key: .*|&\n    passphrase_file: $T/secrets/keys.pass|" "$CONFIG"
	encrypted=yes
fi
mv "$T/ca/scepd.db" "$T/var/ca.db"
sed -i "s|sqlite:scepd.db|sqlite:$T/var/ca.db|" "$CONFIG"
rm "$T/ca/ca/root.key"
echo "passphrase of the backup" >"$T/backup.pass" && chmod 600 "$T/backup.pass"
echo "another passphrase" >"$T/wrong.pass" && chmod 600 "$T/wrong.pass"

start_intunesim
start_scepd || die "scepd starts"
openssl genrsa -out "$T/device.key" 2048 2>/dev/null && chmod 600 "$T/device.key"
lab() { # NAME FOLDER
	scep enroll --force --url "$SCEPD/scep/lab" --subject "CN=$1.lab.contoso.com" --challenge-file "$T/challenge" --key "$T/device.key" --out-dir "$2" >"$T/enroll.out" 2>&1
}
serial_of() { openssl x509 -in "$1" -noout -serial | sed 's/.*=//'; }
crl_to() { curl -fsS "$SCEPD/crl/issuing.crl" -o "$1"; }
number_of() { openssl crl -inform DER -in "$1" -noout -crlnumber | sed 's/.*=0x//'; }
on_crl() { openssl crl -inform DER -in "$1" -noout -text | grep -qi "Serial Number: $2"; }
above() { test $((16#$1)) -gt $((16#$2)); }
refused() { ! "$@"; }

claim "a device enrols" lab kept "$T/kept"
claim "another does" lab stolen "$T/stolen"
claim "a device of Intune's does" scep enroll --intune "$SIM" --device LAPTOP-7F3K2 --out-dir "$T/laptop"
revoked=$(serial_of "$T/stolen/cert.pem")
claim "one is revoked" scepctl revoke --config "$CONFIG" --reason keyCompromise "$revoked"
crl_to "$T/before.crl"
number=$(number_of "$T/before.crl")

# Under load: devices enrol while the backup is made.
: >"$T/load"
(n=0; while [ -e "$T/load" ]; do n=$((n + 1)); scep enroll --force --url "$SCEPD/scep/lab" --subject "CN=load$n.lab.contoso.com" --challenge-file "$T/challenge" --key "$T/device.key" --out-dir "$T/loads" >/dev/null 2>&1 && echo "$n" >>"$T/loaded"; done) &
load_pid=$!
pids="$pids $load_pid"
sleep 1
claim "a backup is made beside the running daemon" scepctl ca backup --config "$CONFIG" --out "$T/ca.backup" --passphrase-file "$T/backup.pass"
rm "$T/load"
wait "$load_pid"
claim "... while devices enrolled" test -s "$T/loaded"
claim "it is for its owner only" test "$(stat -c %a "$T/ca.backup")" = 600
claim "no copy of the database is left beside it" refused compgen -G "$T/var/*backup*"
claim "a backup does not replace another" refused scepctl ca backup --config "$CONFIG" --out "$T/ca.backup" --passphrase-file "$T/backup.pass"
claim "a backup is told as JSON" sh -c "scepctl ca backup --config '$CONFIG' --out '$T/b.backup' --passphrase-file '$T/backup.pass' --json >'$T/backup.json'"
claim "... with its size" python3 -c 'import json,os,sys; a = json.load(open(sys.argv[1])); sys.exit(not (a["file"] == sys.argv[2] and a["bytes"] == os.path.getsize(sys.argv[2]) and isinstance(a["notInIt"], list)))' "$T/backup.json" "$T/b.backup"
claim "nothing in it can be read" refused grep -qaE "BEGIN|SQLite|passphrase-of-the-keys|issuing" "$T/ca.backup"
stop_scepd
cp "$T/ca/ca/root.pem" "$T/root.pem"
cp "$T/ca/ca/issuing.pem" "$T/issuing.pem"
cp -rp "$T/ca/signer" "$T/signer.old"

# Everything else is gone: another machine.
rm -rf "$T/ca" "$T/var" "$T/secrets"
mkdir "$T/new"
cp "$T/ca.backup" "$T/backup.pass" "$T/wrong.pass" "$T/new"
# The token is another device, which moves with its keys; its library has to find it.
token_env=(${SOFTHSM2_CONF:+"SOFTHSM2_CONF=$SOFTHSM2_CONF"})
bare() { (cd "$T/new" && env -i "${token_env[@]}" TMPDIR="$T" "$@"); }
restore() { bare "$B/scepctl/scepctl" ca restore "$@"; }
nothing_left() { test "$(ls "$T/new" | sort | tr '\n' ' ')" = "backup.pass ca.backup wrong.pass "; }

restore ca.backup --list --passphrase-file backup.pass >"$T/list.out" 2>&1
claim "--list says what is in it" grep -q "config/ca/issuing.pem" "$T/list.out"
claim "... and how to restore" grep -q "scepctl ca restore" "$T/list.out"
restore ca.backup --list --json --passphrase-file backup.pass >"$T/list.json" 2>>"$T/claim.log"
claim "... as JSON, too" python3 -c 'import json,sys; a = json.load(open(sys.argv[1])); sys.exit(not [f for f in a if f["name"] == "config/ca/issuing.pem" and f["size"] > 100])' "$T/list.json"
claim "... and writes nothing" nothing_left
claim "a wrong passphrase is refused" refused restore ca.backup --dir ca --passphrase-file wrong.pass
claim "... and leaves nothing" nothing_left
size=$(stat -c %s "$T/new/ca.backup")
changed() { # WHAT COMMAND: a copy that was changed is refused, and nothing is left
	cp "$T/new/ca.backup" "$T/changed.backup"
	eval "$2"
	claim "a backup that was $1 is refused" refused restore "$T/changed.backup" --dir ca --passphrase-file backup.pass
	claim "... and leaves nothing" nothing_left
}
changed "cut in the middle" 'truncate -s $((size / 2)) "$T/changed.backup"'
changed "cut by one byte" 'truncate -s $((size - 1)) "$T/changed.backup"'
changed "emptied" 'truncate -s 0 "$T/changed.backup"'
flip() { python3 -c 'import sys; f=open(sys.argv[1],"r+b"); f.seek(int(sys.argv[2])); b=f.read(1); f.seek(int(sys.argv[2])); f.write(bytes([b[0]^1]))' "$T/changed.backup" "$1"; }
changed "changed by one bit near its start" 'flip 700'
changed "changed by one bit in the middle" 'flip $((size / 2))'
changed "changed by one bit of its tag" 'flip $((size - 10))'
changed "made longer" 'echo more >>"$T/changed.backup"'
changed "given another's middle" 'dd if=/dev/urandom of="$T/changed.backup" bs=1 seek=$((size / 3)) count=64 conv=notrunc 2>/dev/null'

# The last resort: no program of ours.
openssl cms -decrypt -binary -inform DER -in "$T/ca.backup" -pwri_password "$(cat "$T/backup.pass")" 2>"$T/cms.err" | tar t >"$T/by-hand" 2>>"$T/cms.err"
claim "openssl and tar open it by hand" grep -qx "config/ca/$(in_token && echo issuing.pem || echo issuing.key)" "$T/by-hand"
in_token && claim "... and no key is in it: those are in the token" refused grep -q "issuing\.key\|ra\.key" "$T/by-hand"
claim "... the database too" grep -qx "external$T/var/ca.db" "$T/by-hand"

restore ca.backup --dir ca --passphrase-file backup.pass >"$T/restore.out" 2>&1
claim "it is restored" test $? = 0
cat "$T/restore.out" >>"$T/claim.log"
claim "the time of the backup is told, and what that means" grep -q "Certificates issued after" "$T/restore.out"
claim "the old machine is to be stopped" grep -q "Stop the old machine" "$T/restore.out"
claim "paths elsewhere are told" grep -q "$T/var/ca.db is now external" "$T/restore.out"
if [ -n "$encrypted" ]; then
	claim "keys are for their owner only" test "$(stat -c %a "$T/new/ca/ca/issuing.key")" = 600
	claim "encrypted keys stayed encrypted" grep -q "BEGIN ENCRYPTED PRIVATE KEY" "$T/new/ca/ca/issuing.key"
else
	claim "no key came with it" test ! -e "$T/new/ca/ca/issuing.key"
	claim "the token is told of" grep -q "token" "$T/restore.out"
fi
claim "a folder that holds something is not restored into" refused restore ca.backup --dir ca --passphrase-file backup.pass
CONFIG=$T/new/ca/scepd.yaml
claim "scepctl check is content" bare "$B/scepctl/scepctl" check --config "$CONFIG"
start_bare() {
	rm -f "$T/scepd.ready"
	env -i "${token_env[@]}" "$B/scepd/scepd" --config "$CONFIG" --ready-file "$T/scepd.ready" 2>>"$T/scepd2.log" &
	scepd_pid=$!
	pids="$pids $scepd_pid"
	wait_for "$T/scepd.ready" "$scepd_pid"
}
claim "scepd starts" start_bare || die "scepd starts"
claim "a device enrols" lab fresh "$T/fresh"
claim "a device that had a certificate gets its next one" lab kept "$T/kept2"
claim "a device of Intune's does, by the app's secret" scep enroll --intune "$SIM" --device LAPTOP-7F3K2 --force --out-dir "$T/laptop"
crl_to "$T/after.crl"
claim "the revoked one is on the list" on_crl "$T/after.crl" "$revoked"
claim "... whose number is greater" above "$(number_of "$T/after.crl")" "$number"
claim "... by more than the old machine can have given" test $((16#$(number_of "$T/after.crl") - 16#$number)) -gt 1000000
cat "$T/root.pem" "$T/issuing.pem" >"$T/both.pem"
openssl crl -inform DER -in "$T/after.crl" -out "$T/after.pem"
claim "a certificate from before verifies, and is not revoked" openssl verify -CAfile "$T/both.pem" -crl_check -CRLfile "$T/after.pem" "$T/kept/cert.pem"
claim "the stolen one does not" refused openssl verify -CAfile "$T/both.pem" -crl_check -CRLfile "$T/after.pem" "$T/stolen/cert.pem"
claim "the signer's audit was saved and verified" grep -q "^Signer: audit of" "$T/restore.out"
lines() { cat "$1"/audit-*; }
saved=$(sed -n 's/^Signer: audit of \([0-9]*\) .*/\1/p' "$T/restore.out")
claim "... and goes on where it was" test "$(lines "$T/new/ca/signer" | head -n "$saved")" = "$(lines "$T/signer.old" | head -n "$saved")" -a "$(lines "$T/new/ca/signer" | wc -l)" -gt "$saved"
claim "... with the list whose number was far ahead" sh -c "tail -n +$((saved + 1)) '$T'/new/ca/signer/audit-* | grep -q ' crl issuing '"
# In a token it needs no saving.
in_token || claim "the OCSP responder's key is the one it had" cmp "$T/new/ca/signer/issuing-ocsp.key" "$T/signer.old/issuing-ocsp.key"
claim "the audit's chain is whole" scepctl audit verify --config "$CONFIG"
claim "... and tells of the restore" sh -c "scepctl audit list --config '$CONFIG' | grep -q restored"
claim "what was saved can be saved again" scepctl ca backup --config "$CONFIG" --out "$T/second.backup" --passphrase-file "$T/backup.pass"
claim "... and restored again" restore "$T/second.backup" --dir ca2 --passphrase-file backup.pass
stop_scepd
