#!/usr/bin/env bash
# administrator: the word of scepctl beside a running daemon: requests that wait are approved and denied, one-time passwords are made and
# revoked; and a daemon that is killed forgets none of it.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/kinds.sh"
make_lab '
profiles:
  any: { san: { types: [dns] } }
endpoints:
  default: { ca: issuing, profile: any, challenge: approval }
  slips: { ca: issuing, profile: any, challenge: otp, otp: { lifetime: 1h, max_lifetime: 2d } }'
TOKEN=$(new_token jane) # which scepd wants to be there
start_scepd || die "scepd starts"
ctl() { scepctl "$1" "$2" --config "$CONFIG" "${@:3}"; }
count() { scepctl list --config "$CONFIG" --json 2>>"$T/claim.log" | grep -c '"serial"'; }
for k in a b c d; do openssl genrsa -out "$T/$k.key" 2048 2>>"$T/openssl.log"; done
pending() {
	local status
	enrol default "$1" --key "$T/$2.key" "${@:3}"
	status=$?
	cat "$T/enroll.out"
	[ $status = 4 ] && [ ! -e "$dev/cert.pem" ]
}
# all of it at once, at an unhappy moment
kill_scepd() {
	kill -9 "$scepd_pid" "$(process_of front)"
	wait "$scepd_pid" 2>/dev/null
}
# number SUBJECT: of the request that waits
number() { ctl requests list --json | python3 -c 'import json,sys; print([r["id"] for r in json.load(sys.stdin) if r["subject"] == sys.argv[1]][0])' "$1"; }
# exits STATUS WORDS COMMAND...: with these words on either stream
exits() {
	local status
	"${@:3}" >"$T/said" 2>&1 </dev/null
	status=$?
	cat "$T/said"
	[ $status = "$1" ] && grep -qE -e "$2" "$T/said"
}

# ---- requests that wait ----
claim "nothing waits" exits 0 "^no requests wait$" ctl requests list
claim "R10: a router waits" pending "CN=router-1" a --san dns:router-1.example
claim "R10: another one, too" pending "CN=router-2" b
one=$(number CN=router-1) two=$(number CN=router-2)
spki=$(openssl pkey -in "$T/a.key" -pubout -outform DER | sha256sum | cut -d' ' -f1)
claim "the key is shown as the device would tell it" exits 0 "Key SHA-256 +$spki" ctl requests show "$one"
claim "so are the names that it wants" exits 0 "dns:router-1.example" ctl requests show "$one"
claim "nobody approves by accident" exits 77 "nobody is here to say yes" ctl requests approve "$one"
claim "and the router waits on" pending "CN=router-1" a --san dns:router-1.example
claim "R10: approved by hand" exits 0 "Key SHA-256 +$spki" ctl requests approve "$one" --yes --reason "key compared"
claim "not twice" exits 73 "was approved at" ctl requests approve "$one" --yes
kill_scepd
start_scepd || die "scepd starts again"
claim "an approval outlives a daemon that is killed" enrolled default "CN=router-1" --key "$T/a.key" --san dns:router-1.example
claim "and so does what waits" exits 0 "pending .*CN=router-2" ctl requests list
claim "R10: denied by hand" exits 0 "denied request" ctl requests deny "$two" --reason "no such router"
claim "it is told" refused "refused|badRequest" default "CN=router-2" --key "$T/b.key"
claim "and not listed again however often it asks" exits 0 "^no requests wait$" ctl requests list
claim "the reason is kept" exits 0 "no such router" ctl requests show "$two"
claim "what does not fit on a full disk is no success" exits 74 "standard output: not all could be written: No space" sh -c "scepctl requests list --config '$CONFIG' --all >/dev/full"
claim "... neither is a help text" exits 74 "not all could be written" sh -c "scepctl --help >/dev/full"
claim "one certificate was issued" sh -c "[ $(count) = 1 ]"

# ---- one-time passwords ----
(umask 077 && ctl otp new --subject 'CN=pad-?' --count 3 >"$T/slips" 2>"$T/words")
claim "three passwords, and on standard output nothing else" sh -c "[ \$(grep -cxE '([A-Z2-7]{4}-){6}[A-Z2-7]{4}' '$T/slips') = 3 ] && [ \$(wc -l <'$T/slips') = 3 ]"
claim "it says what they are good for" grep -q "CN=pad-?; no other attribute" "$T/words"
for n in 1 2 3; do (umask 077 && sed -n "${n}p" "$T/slips" >"$T/slip-$n"); done
claim "S15: the daemon beside knows them, and for whom they are" refused "not for this subject" slips "CN=administrator" --challenge-file "$T/slip-1"
claim "the first serves" enrolled slips "CN=pad-1" --challenge-file "$T/slip-1"
claim "R08: once" refused "used" slips "CN=pad-2" --challenge-file "$T/slip-1"
claim "the second is revoked" exits 0 "revoked one-time password 2" ctl otp revoke 2 --comment lost
claim "and of no use" refused "was revoked" slips "CN=pad-2" --challenge-file "$T/slip-2"
kill_scepd
start_scepd || die "scepd starts a third time"
claim "R08: what was used is used after a kill" refused "used" slips "CN=pad-3" --challenge-file "$T/slip-1"
claim "and the third is good" enrolled slips "CN=pad-3" --challenge-file "$T/slip-3"
claim "the list tells all of it" sh -c "scepctl otp list --config '$CONFIG' >'$T/list' && grep -q '^1 .* used .*1 of 1' '$T/list' && grep -q '^2 .* revoked .*0 of 1' '$T/list'"
claim "a lifetime beyond the endpoint's is refused" exits 78 "more than 2d" ctl otp new --subject CN=x --lifetime 3d
claim "S15: so is a password for everybody" exits 78 "fits any name" ctl otp new --subject 'CN=*'
stop_scepd
claim "S32: no password stands in log or database" sh -c "! grep -aqF -f '$T/slips' '$T/scepd.log' '$T'/ca/scepd.db*"
claim "the audit names who did it" sh -c "scepctl audit list --config '$CONFIG' | grep -E 'approve .*who=.*uid' | grep -q 'key compared'"
claim "the audit chain is whole" scepctl audit verify --config "$CONFIG"
