#!/usr/bin/env bash
# crl: revocation lists as they are published: complete, delta and partitions; what caches and old clients get; files for a web server.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/relying.sh"
lab_ca
sed -i "s|^    crl_validity: 7d\$|&\n    crl_delta: true\n    crl_partitions: 4\n    crl_dir: $T/www|" "$CONFIG"
start_scepd || die "scepd starts"
for name in good stolen; do enrol $name; done
cdp() { openssl x509 -in "$T/$1/cert.pem" -noout -ext crlDistributionPoints | sed -n 's/.*URI://p'; }
# fetch PATH FILE: as PEM
fetch() { curl -fsS "$SCEPD/crl/$1" | openssl crl -inform DER -out "$2"; }
number_of() { openssl crl -in "$1" -noout -crlnumber | sed 's/.*=0x//; s/.*=//'; }
part=$((0x$(serial_of "$T/stolen/cert.pem" | tail -c 2) % 4))

claim "a certificate names its partition" test "$(cdp stolen)" = "$SCEPD/crl/issuing/$part-of-4.crl"
claim "before: the complete list" fetch issuing.crl "$T/base.pem"
delta() { fetch issuing/delta.crl "$T/delta.pem" 2>/dev/null; }
claim "before: the delta, a second after it" within 10 delta
claim "the delta's number is greater than that of its base" test $((0x$(number_of "$T/delta.pem"))) -gt $((0x$(number_of "$T/base.pem")))

began=$(date +%s%N)
revoke stolen keyCompromise || die "revoke"
has() { fetch "$1" "$T/now.pem" && openssl crl -in "$T/now.pem" -noout -text | grep -q "$(serial_of "$T/stolen/cert.pem")"; }
claim "the delta has it within seconds" within 8 has issuing/delta.crl
tell "from scepctl revoke to the delta" "$began"
cp "$T/now.pem" "$T/delta.pem"
claim "the complete list has it" within 8 has issuing.crl
cp "$T/now.pem" "$T/full.pem"
claim "its partition has it" within 8 has "issuing/$part-of-4.crl"
cp "$T/now.pem" "$T/part.pem"
tell "from scepctl revoke to all three" "$began"
not_there() { ! has "issuing/$(((part + 1) % 4))-of-4.crl"; }
claim "another partition does not" not_there

# ---- openssl ----
by() { openssl verify -x509_strict -CAfile "$ROOT" -untrusted "$ISSUING" -crl_check "${@:3}" -CRLfile "$2" "$T/$1/cert.pem" 2>&1; }
revoked_by() { by "$@" | tee "$T/said" | grep -q 'certificate revoked'; }
cat "$T/base.pem" "$T/delta.pem" >"$T/both.pem"
claim "openssl verify: good by the base, which is older" by stolen "$T/base.pem" -extended_crl
claim "openssl verify -use_deltas: revoked by base and delta" revoked_by stolen "$T/both.pem" -extended_crl -use_deltas
claim "openssl verify -use_deltas: another is good" by good "$T/both.pem" -extended_crl -use_deltas
claim "openssl verify: revoked by the complete list" revoked_by stolen "$T/full.pem"
claim "openssl verify -extended_crl: revoked by the partition that it names" revoked_by stolen "$T/part.pem" -extended_crl
fetch "issuing/$(((part + 1) % 4))-of-4.crl" "$T/wrong.pem" || die "another partition"
out_of_scope() { by stolen "$T/wrong.pem" -extended_crl | grep -qiE "unable to get certificate CRL|different CRL scope"; }
claim "openssl verify: another partition is no list for it" out_of_scope
download() { openssl verify -CAfile "$ROOT" -untrusted "$ISSUING" -crl_check -extended_crl -crl_download "$T/$1/cert.pem" 2>&1; }
claim "openssl verify -crl_download takes the partition by the certificate's word: good" download good
revoked_online() { download stolen | grep -q 'certificate revoked'; }
claim "openssl verify -crl_download: revoked" revoked_online
claim "openssl crl: the partition's name is critical, and the certificate's" sh -c "openssl crl -in '$T/part.pem' -noout -text | grep -A4 'Issuing Distribution Point: critical' | grep -q 'URI:$(cdp stolen)'"
claim "openssl crl: the complete list tells where deltas are" sh -c "openssl crl -in '$T/full.pem' -noout -text | grep -A3 'Freshest CRL' | grep -q '$SCEPD/crl/issuing/delta.crl'"
claim "openssl crl: all are signed by the CA" sh -c "for f in base delta full part; do openssl crl -in '$T/'\$f.pem -noout -CAfile '$ISSUING' 2>&1 | grep -q 'verify OK' || exit 1; done"

# ---- GnuTLS ----
info() { certtool --crl-info --infile "$T/$1.pem" >"$T/info" 2>&1 && grep -qi "$2" "$T/info"; }
for list in full delta part; do claim "certtool --crl-info reads the list: $list" info $list "$(serial_of "$T/stolen/cert.pem")"; done
claim "certtool --verify-crl" sh -c "certtool --verify-crl --load-ca-certificate '$ISSUING' --infile '$T/full.pem' 2>&1 | grep -q 'Verified'"

# ---- a hold, and its end ----
word() { scepctl "$1" --config "$CONFIG" "$(serial_of "$T/good/cert.pem")" >>"$T/hold.log" 2>&1; }
# entry LIST WORDS: the certificate's entry in a list says so
entry() { fetch "$1" "$T/now.pem" && openssl crl -in "$T/now.pem" -noout -text | grep -A4 "$(serial_of "$T/good/cert.pem")" | grep -q "$2"; }
claim "scepctl hold" word hold
claim "a hold is in the delta" within 10 entry issuing/delta.crl 'Certificate Hold'
claim "a hold is in the complete list" within 10 entry issuing.crl 'Certificate Hold'
cp "$T/now.pem" "$T/held.pem"
claim "scepctl release" word release
claim "the delta says removeFromCRL" within 10 entry issuing/delta.crl 'Remove From CRL'
cat "$T/held.pem" "$T/now.pem" >"$T/both.pem"
claim "openssl verify: revoked by the list from meanwhile" revoked_by good "$T/held.pem"
claim "openssl verify -use_deltas: good by that list and the delta" by good "$T/both.pem" -extended_crl -use_deltas
gone() { fetch issuing.crl "$T/now.pem" && ! openssl crl -in "$T/now.pem" -noout -text | grep -q "$(serial_of "$T/good/cert.pem")"; }
claim "it is gone from the complete list" within 10 gone
fetch issuing.crl "$T/full.pem"

# ---- HTTP ----
header() { grep -i "^$1:" "$T/head" | sed 's/^[^:]*: //; s/\r$//'; }
status() { rm -f "$T/body"; curl -sS -o "$T/body" -D "$T/head" -w '%{http_code}' "$@"; }
claim "HEAD: 200, with the length and no body" sh -c "curl -sSI '$SCEPD/crl/issuing.crl' | tr -d '\r' | grep -q '^Content-Length: [1-9]'"
[ "$(status "$SCEPD/crl/issuing.crl")" = 200 ] || die "GET"
etag=$(header etag) modified=$(header last-modified)
claim "a cache may answer by itself for a minute" test "$(header cache-control)" = "public, max-age=60, must-revalidate"
claim "If-None-Match: 304" test "$(status -H "If-None-Match: $etag" "$SCEPD/crl/issuing.crl")" = 304
claim "... without a body" test ! -s "$T/body"
claim "If-Modified-Since: 304" test "$(status -H "If-Modified-Since: $modified" "$SCEPD/crl/issuing.crl")" = 304
claim "If-None-Match of a cache that compresses: 304" test "$(status -H "If-None-Match: \"x\", W/$etag" "$SCEPD/crl/issuing.crl")" = 304
part_of() { status -H 'Range: bytes=0-9' "$SCEPD/crl/issuing.crl" && curl -fsS "$SCEPD/crl/issuing.crl" | cmp - "$T/body"; }
claim "Range: the whole list all the same, since half a list is none" part_of
claim "another ETag: 200" test "$(status -H 'If-None-Match: "x"' "$SCEPD/crl/issuing.crl")" = 200
claim "POST: 405" test "$(status -X POST -d x "$SCEPD/crl/issuing.crl")" = 405
claim "what is no list: 404" test "$(status "$SCEPD/crl/issuing/9-of-4.crl")" = 404
once() { curl -fsS "$SCEPD/crl/issuing.crl" -o "$T/complete" && curl -fsS "$SCEPD/crl/issuing/7-of-16.crl" | cmp -s - "$T/complete"; }
claim "a partition of another number of parts: the complete list" once
old() { exec 3<>"/dev/tcp/127.0.0.1/$scepd_port" && printf 'GET /crl/issuing/delta.crl HTTP/1.0\r\n\r\n' >&3 && head -c 12 <&3 | grep -q ' 200'; }
claim "HTTP/1.0 without Host" old
[ "$(status "$SCEPD/ca/issuing.crt")" = 200 ] || die "GET of the certificate"
claim "the CA's certificate, with an ETag" test "$(status -H "If-None-Match: $(header etag)" "$SCEPD/ca/issuing.crt")" = 304

# ---- files ----
same() { curl -fsS "$SCEPD/$1" | cmp -s - "$T/www/$2"; }
for f in issuing.crl issuing/delta.crl "issuing/$part-of-4.crl"; do claim "as a file: $f" within 8 same "crl/$f" "$f"; done
claim "as a file: the CA's certificate" same ca/issuing.crt issuing.crt
claim "nothing else lies there" test -z "$(find "$T/www" -type f ! -name '*.crl' ! -name '*.crt')"

# ---- after a restart ----
before=$((0x$(number_of "$T/full.pem")))
stop_scepd
start_scepd || die "scepd starts again"
fetch issuing.crl "$T/again.pem" || die "the list after a restart"
claim "numbers go on upward after a restart" test $((0x$(number_of "$T/again.pem"))) -gt $before
claim "... and it still has what it had" sh -c "openssl crl -in '$T/again.pem' -noout -text | grep -q '$(serial_of "$T/stolen/cert.pem")'"
