#!/usr/bin/env bash
# otp: one-time passwords let in whom they were made for, as often and as long as they were made for, and nobody else.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/kinds.sh"
make_lab '
profiles:
  open: { san: { types: [dns] } }
  lab: { subject: { allow: ["CN=*.lab.example"] }, san: { types: [] } }
endpoints:
  default: { ca: issuing, profile: open, challenge: otp }
  lab: { ca: issuing, profile: lab, challenge: otp, otp: { lifetime: 10m, max_lifetime: 1h } }'
TOKEN=$(new_token jane)
start_scepd || die "scepd starts"

count() { scepctl list --config "$CONFIG" --json 2>>"$T/claim.log" | grep -c '"serial"'; }
otp() { claim "$1" new_otp "$2" || die "no password"; }

otp "a password for one subject" '{"endpoint":"default","subject":"CN=printer-7,O=Contoso","comment":"hall"}'
claim "S15: it is not for another common name" refused "not for this subject" default "CN=administrator,O=Contoso" --challenge-file "$otp_file"
claim "S15: nor for an attribute more" refused "not for this subject" default "CN=printer-7,O=Contoso,OU=Admins" --challenge-file "$otp_file"
claim "S15: nor for a second common name" refused "not for this subject" default "CN=administrator,CN=printer-7,O=Contoso" --challenge-file "$otp_file"
claim "S15: nor for a DNS name that nobody wrote down" refused "cannot vouch" default "CN=printer-7,O=Contoso" --san dns:dc01.contoso.com --challenge-file "$otp_file"
claim "the password is still there" answered 200 GET "/api/v1/otp/$otp_id"
claim "none of these has spent it" says "('live', 0)" '(a["state"], a["used"])'
claim "it is for that subject, and a repeated message gets the same certificate" enrolled default "CN=printer-7,O=Contoso" --challenge-file "$otp_file" --repeat 2
claim "one certificate was issued" sh -c "[ $(count) = 1 ]"
claim "R08: a second use is refused" refused "used up|used" default "CN=printer-7,O=Contoso" --challenge-file "$otp_file"
claim "by whom, is for the log alone" sh -c "grep -q 'was used already' '$T/scepd.log' && ! grep -q 'last by' '$T/enroll.out'"
claim "R08: the device is not told by whom it was used" sh -c "! grep -Eq 'last by|for [0-9A-F]{64}' '$T/enroll.out'"
claim "R08: and leaves a line that can be watched for" logged "WARN +security|warn security.*once more.*endpoint=default.*otp=$otp_id"
claim "R08: no certificate came of it" sh -c "[ $(count) = 1 ]"
claim "the list tells it" answered 200 GET "/api/v1/otp/$otp_id"
claim "the list tells by which transaction" says "('used', 1, True, 'api:jane')" '(a["state"], a["used"], a["lastTransactionId"] is not None, a["madeBy"])'

otp "a password for two uses, with a DNS name" '{"endpoint":"default","subject":"CN=host-?.contoso.com","san":"dns:host-?.contoso.com","uses":2}'
claim "first use" enrolled default "CN=host-1.contoso.com" --san dns:host-1.contoso.com --challenge-file "$otp_file"
claim "S15: another DNS name is not the password's" refused "not for the name dns:dc01" default "CN=host-2.contoso.com" --san dns:dc01.contoso.com --challenge-file "$otp_file"
claim "second use" enrolled default "CN=host-2.contoso.com" --san dns:host-2.contoso.com --challenge-file "$otp_file"
claim "R08: third use is refused" refused "used up|used" default "CN=host-3.contoso.com" --san dns:host-3.contoso.com --challenge-file "$otp_file"

otp "a password that lives for a second" '{"endpoint":"default","subject":"CN=late","lifetime":1}'
sleep 2
claim "S05: expired is a refusal, and not as good as none" refused "has expired" default "CN=late" --challenge-file "$otp_file"
claim "S05: and is logged" logged "security.*has expired.*otp=$otp_id"

otp "a password that is taken back" '{"endpoint":"default","subject":"CN=gone"}'
claim "it is revoked" answered 204 DELETE "/api/v1/otp/$otp_id"
claim "and of no use then" refused "was revoked" default "CN=gone" --challenge-file "$otp_file"

otp "a password without subject where the profile bounds one" '{"endpoint":"lab"}'
claim "S15: the profile bounds it" refused "fits no pattern" lab "CN=administrator" --challenge-file "$otp_file"
claim "R08: the refusal by the profile gave its use back" enrolled lab "CN=a.lab.example" --challenge-file "$otp_file"
otp "a password of the other endpoint" '{"endpoint":"lab","subject":"CN=b.lab.example"}'
claim "a password is good at its own endpoint alone" refused "not known" default "CN=b.lab.example" --challenge-file "$otp_file"
claim "typed in small letters and without hyphens it is the same" sh -c "tr -d - <'$otp_file' | tr A-Z a-z >'$otp_file.typed' && chmod 600 '$otp_file.typed'"
claim "as people type it" enrolled lab "CN=b.lab.example" --challenge-file "$otp_file.typed"
claim "S15: where the profile bounds nothing a password needs a subject" answered 400 POST /api/v1/otp '{"endpoint":"default"}'
claim "S15: and one that binds something" answered 400 POST /api/v1/otp '{"endpoint":"default","subject":"CN=*"}'
claim "no longer life than the endpoint allows" answered 400 POST /api/v1/otp '{"endpoint":"lab","lifetime":"2h"}'

printf 'NOBODY-KNOWS-THIS-ONE-22' >"$T/wrong"
chmod 600 "$T/wrong"
claim "S04: a password that nobody made is refused" refused "not known" default "CN=printer-7,O=Contoso" --challenge-file "$T/wrong"
printf '      ' >"$T/blank"
chmod 600 "$T/blank"
claim "S03: a blank one is none" refused "no challenge|carries no" default "CN=printer-7,O=Contoso" --challenge-file "$T/blank"
claim "S03: without a password there is no certificate" refused "no challenge|carries no" default "CN=printer-7,O=Contoso"

claim "the metrics count them" sh -c "[ '$(metric scepd_otp_taken_total)' -ge 5 ] && [ '$(metric scepd_otp_refused_total)' -ge 8 ]"
stop_scepd
secret=$(head -n 1 "$otp_file")
claim "S32, R49: no password stands in the log or the database" sh -c "! grep -aqF -e '$secret' -e '$(tr -d - <"$otp_file")' '$T/scepd.log' '$T/ca/scepd.db'"
claim "S32: nor the token" sh -c "! grep -aqF -e '$TOKEN' '$T/scepd.log' '$T/ca/scepd.db' '$T/ca/admin.tokens'"
claim "the audit chain is whole" scepctl audit verify --config "$CONFIG"
