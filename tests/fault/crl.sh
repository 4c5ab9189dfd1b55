#!/usr/bin/env bash
# crl: scepd is killed (SIGKILL) at each step of publishing a list: a file is the old list or the new one, whole; numbers only go upward; nothing
# that was revoked is forgotten.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/relying.sh"
lab_ca
sed -i "s|^    crl_validity: 7d\$|&\n    crl_dir: $T/www|" "$CONFIG"
start_scepd || die "scepd starts"
points="crl-numbered crl-signed crl-file crl-out"
for point in $points; do enrol $point; done
enrol good
file=$T/www/issuing.crl
wait_for "$file" "$scepd_pid" || die "a list as a file"
number() { openssl crl -inform DER -in "$file" -noout -crlnumber | sed 's/.*=0x//; s/.*=//'; }
whole() { openssl crl -inform DER -in "$file" -noout -CAfile "$ISSUING" 2>&1 | grep -q 'verify OK'; }
# has NAME...: all of them are in the file
has() { for name in "$@"; do openssl crl -inform DER -in "$file" -noout -text | grep -q "$(serial_of "$T/$name/cert.pem")" || return 1; done; }
stop_scepd
done_before=
for point in $points; do
	before=$((0x$(number))) sum=$(sha256sum <"$file")
	revoke "$point" keyCompromise || die "$point: revoke"
	# The list after this start is the first that has it, and the kill comes while that is published.
	SCEPD_FAULT=$point scepd --config "$CONFIG" 2>>"$T/scepd.log" &
	wait $! 2>/dev/null
	status=$?
	claim "$point: scepd is killed there" test $status = 137
	claim "$point: the file is a whole list of the CA" whole
	if [ "$point" = crl-out ]; then
		claim "$point: it is the new one" has "$point"
	else
		claim "$point: it is the old one" test "$(sha256sum <"$file")" = "$sum"
	fi
	start_scepd || die "$point: scepd starts again"
	done_before="$done_before $point"
	# shellcheck disable=SC2086
	claim "$point: after the next start all that is revoked is in it" within 15 has $done_before
	claim "$point: its number is greater" test $((0x$(number))) -gt $before
	claim "$point: it is whole" whole
	claim "$point: nothing half done lies beside it" test -z "$(find "$T/www" -type f ! -name '*.crl' ! -name '*.crt' ! -name '*.new')"
	stop_scepd
done
not_listed() { ! has good; }
claim "what was not revoked is in none" not_listed
claim "both audits are whole" scepctl audit verify --config "$CONFIG"
