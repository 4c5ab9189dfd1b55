#!/usr/bin/env bash
# signer-state: the signer's folder is lost, or damaged: what scepd says, what goes on, and what does not.
. "$(dirname "$0")/../lib/env.sh"
make_ca --static-challenge --static-domain lab.contoso.com
state=$T/ca/signer
openssl genrsa -out "$T/device.key" 2048 2>/dev/null && chmod 600 "$T/device.key"
enrol() { # NAME
	scep enroll --force --url "$SCEPD/scep/lab" --subject "CN=$1.lab.contoso.com" --challenge-file "$T/ca/lab.secret" --key "$T/device.key" --out-dir "$T/$1"
}
crl() { curl -fsS "$SCEPD/crl/issuing.crl" -o "$T/now.crl"; }
number() { crl && openssl crl -inform DER -in "$T/now.crl" -noout -crlnumber | sed 's/.*=0x//'; }
serial_of() { openssl x509 -in "$1" -noout -serial | sed 's/.*=//'; }
listed() { crl && openssl crl -inform DER -in "$T/now.crl" -noout -text | grep -qi "Serial Number: $1"; }
on_list() { within 30 listed "$1"; } # SERIAL: the next list comes within seconds
refuses() { ! start_scepd; }
loud() { grep -qE "warn signer-state msg=.*$state was empty, and the database has 2 certificates" "$T/scepd.log"; }

start_scepd || die "scepd starts"
claim "devices enrol" enrol first
enrol second >>"$T/claim.log" 2>&1
revoked=$(serial_of "$T/second/cert.pem")
claim "one is revoked" scepctl revoke --config "$CONFIG" --reason superseded "$revoked"
claim "... and on the list" on_list "$revoked"
before=$(number)
claim "a new CA's empty folder is no news" sh -c "! grep -q signer-state '$T/scepd.log'"
stop_scepd

# ---- lost
mv "$state" "$T/signer.kept"
start_scepd || die "scepd starts without the signer's folder"
claim "with the folder lost scepd starts, and says what is gone" loud
claim "a device enrols" enrol third
claim "the revoked one is on the list still" on_list "$revoked"
claim "... whose number has not gone back" test $((16#$(number))) -ge $((16#$before))
third=$(serial_of "$T/third/cert.pem")
claim "another is revoked" scepctl revoke --config "$CONFIG" --reason superseded "$third"
claim "... and on a list" on_list "$third"
claim "... with a greater number" test $((16#$(number))) -gt $((16#$before))
claim "both audits are whole" scepctl audit verify --config "$CONFIG"
stop_scepd
: >"$T/scepd.log"
start_scepd || die "scepd starts again"
claim "and it is said once" sh -c "! grep -q 'was empty' '$T/scepd.log'"
stop_scepd

# ---- older than the database, and changed
audit=$(ls "$state"/audit-* | head -n 1)
cp -p "$audit" "$T/audit.kept"
python3 - "$audit" <<'PY'
import sys
with open(sys.argv[1], "r+b") as f:
    text = bytearray(f.read())
    text[len(text) // 2] ^= 1
    f.seek(0)
    f.write(text)
PY
: >"$T/scepd.log"
claim "with one bit of the audit changed scepd does not start" refuses
claim "... but says where it does not hold" grep -qE "signer's folder $state: the signer's audit does not hold: .*line" "$T/scepd.log"
claim "... and what to do" grep -q "restore it together with the database (scepctl ca restore)" "$T/scepd.log"
claim "scepctl audit verify finds it too" sh -c "! scepctl audit verify --config '$CONFIG'"
cp -p "$T/audit.kept" "$audit"
head -n 1 "$T/audit.kept" >"$audit"
: >"$T/scepd.log"
claim "cut to an earlier state it is refused as well" refuses
claim "... and what is missing is told" grep -q "the signer's audit does not hold: it ends at line 1" "$T/scepd.log"
cp -p "$T/audit.kept" "$audit"
claim "put back as it was, it is taken" start_scepd
claim "and a device enrols" enrol fourth
stop_scepd

# ---- a full disk
if ! { mkdir "$T/small" && mount -t tmpfs -o size=256k,mode=700 tmpfs "$T/small"; } 2>>"$T/claim.log"; then
	skip_claim "a disk that is full" "a file system of its own cannot be mounted"
	exit 0
fi
trap 'umount -l "$T/small"; cleanup' EXIT
rm -rf "$T/ca"
make_ca --static-challenge --static-domain lab.contoso.com
printf 'processes:\n  signer_state: "%s"\n' "$T/small" >>"$CONFIG"
: >"$T/scepd.log"
start_scepd || die "scepd starts with its signer's folder on a small disk"
signer=$(process_of signer)
claim "a device enrols" enrol roomy
dd if=/dev/zero of="$T/small/filler" bs=4k >>"$T/claim.log" 2>&1
until_full() { # lines go on as long as the last page has room
	local i
	for i in $(seq 60); do enrol "full$i" --retries 0 >>"$T/claim.log" 2>&1 || return 0; done
	return 1
}
claim "with the disk full no certificate is signed" until_full
claim "... the log says why" grep -q "cannot write the signer's audit: No space left on device" "$T/scepd.log"
claim "... and the signer is not ended for it" test "$(process_of signer)" = "$signer"
rm "$T/small/filler"
claim "with room again a device enrols" enrol again
claim "... by the same signer" test "$(process_of signer)" = "$signer"
claim "... and the audit is whole" scepctl audit verify --config "$CONFIG"
stop_scepd
