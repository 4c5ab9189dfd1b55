#!/usr/bin/env bash
# foreign-hostile: two CAs of others, one of them hostile, and files that are not what they should be: nothing of anybody else's is touched, whatever serial numbers the hostile one
# gives and lists, nothing hangs, and what is good beside it is taken.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/kinds.sh"
. "$(dirname "$0")/../lib/foreign.sh"
make_lab '
profiles:
  open: { san: { types: [dns] } }
endpoints:
  default: { ca: issuing, profile: open, challenge: otp }'
web_port=$(free_port "$admin_port") || die "a free port"
other_ca good rsa:2048 && other_ca evil rsa:2048 || die "two CAs"
mkdir "$T/web" && cat >>"$CONFIG" <<EOC
foreign_cas:
  evil: { certificate: $T/evil/ca.pem, crl: "http://127.0.0.1:$web_port/evil.crl", crl_interval: 10s, ocsp_certificate: foreign/evil.pem, ocsp_key: foreign/evil.key }
  good: { certificate: $T/good/ca.pem, crl: $T/web/good.crl, crl_interval: 10s, ocsp_certificate: foreign/good.pem, ocsp_key: foreign/good.key, not_imported: good }
EOC
TOKEN=$(new_token jane)
says() { "${@:2}" >"$T/said" 2>&1 </dev/null; cat "$T/said"; grep -qE -e "$1" "$T/said"; }
serial_of() { openssl x509 -in "$1" -noout -serial | sed 's/.*=//; s/^\(00\)*//'; }
import() { timeout 120 scepctl foreign import "$@" --config "$CONFIG"; }
for ca in good evil; do
	scepctl foreign csr $ca --config "$CONFIG" --out "$T/$ca.csr" >>"$T/openssl.log" 2>&1 && signed_by $ca "$T/$ca.csr" "$T/$ca/responder.pem" responder &&
		scepctl foreign install $ca "$T/$ca/responder.pem" --config "$CONFIG" >>"$T/openssl.log" 2>&1 || die "a responder of $ca"
done
for n in known later last; do leaf good $n || die "openssl ca"; done
for n in a z; do leaf evil $n || die "openssl ca"; done
list() { python3 "$SCEPD_TOP/tests/lib/crl_forge.py" "$T/$1/ca.pem" "$T/$1/ca.key" "$T/web/new" "$2" "${3:--}" && mv "$T/web/new" "$T/web/$1.crl"; }
: | list good 1 || die "a list"

# evil's web server: what it does is in the file `how`
cat >"$T/web.py" <<'PY'
import gzip, http.server, os, socketserver, sys, time

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

class Hostile(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        folder = sys.argv[2]
        how = open(folder + "/how").read().strip() if os.path.exists(folder + "/how") else "plain"
        body = open(folder + "/evil.crl", "rb").read()
        self.log_message("%s", how)
        if how == "redirect":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            return self.end_headers()
        self.send_response(200)
        if how == "gzip":
            body = gzip.compress(b"\0" * 200000000)
            self.send_header("Content-Encoding", "gzip")
        if how not in ("endless", "drip"):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if how == "endless":
            while True:
                self.wfile.write(body[:4] + b"\0" * 1000000)
        for i in range(len(body) if how == "drip" else 0):
            self.wfile.write(body[i:i + 1])
            self.wfile.flush()
            time.sleep(0.5)
        self.wfile.write(body)

Server(("127.0.0.1", int(sys.argv[1])), Hostile).serve_forever()
PY
: | list evil 1 || die "a list"
python3 "$T/web.py" "$web_port" "$T/web" 2>>"$T/web.log" &
pids="$pids $!"
start_scepd || die "scepd starts"
new_otp '{"endpoint":"default","subject":"CN=ours"}' && claim "a certificate of ours" enrolled default CN=ours --challenge-file "$otp_file"
ours=$(serial_of "$dev/cert.pem")
peak_kb() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$(process_of front)/status"; }

# ---- files ----
claim "a certificate of the good CA is imported" says '1 +added' import good "$T/good/known.pem"
F=$T/files
mkdir "$F" "$F/sub" && cp "$T/evil/a.pem" "$F/a.pem" && cp "$T/evil/z.pem" "$F/z.pem" && mkfifo "$F/fifo" && ln -s . "$F/loop" && ln -s "$F" "$F/sub/up" && ln -s /dev/zero "$F/endless"
ln -s /nowhere "$F/dangling" && printf 'SerialNumber,x\n"=cmd|calc",1\n"47\0' >"$F/table.csv"
odd() { # NAME SUBJECT EXTENSION: signed by evil, whatever it is
	openssl req -new -key "$T/evil/a.key" -out "$T/odd.csr" -subj "$2" -utf8 >>"$T/openssl.log" 2>&1 && printf '%s\n' "$3" >"$T/odd.ext" &&
		openssl x509 -req -in "$T/odd.csr" -CA "$T/evil/ca.pem" -CAkey "$T/evil/ca.key" -set_serial "0x${4:-$(openssl rand -hex 9)}" -days 9 -extfile "$T/odd.ext" -out "$F/$1.pem" >>"$T/openssl.log" 2>&1
}
odd spaces /CN=b "subjectAltName=$(for i in $(seq 25); do printf 'URI:x:%s,' "$(printf '%1800s' '' | tr ' ' '\\\\')"; done | sed 's/,$//')" || die "a certificate"
odd hundred /CN=f "subjectAltName=$(for i in $(seq 100); do printf 'DNS:h%s,' "$i"; done | sed 's/,$//')" || die "a certificate"
odd many /CN=c "subjectAltName=$(for i in $(seq 10000); do printf 'DNS:h,'; done | sed 's/,$//')" || die "a certificate"
odd ours /CN=d "basicConstraints=CA:FALSE" "$ours" || die "a certificate"
odd known /CN=e "basicConstraints=CA:FALSE" "$(serial_of "$T/good/known.pem")" || die "a certificate"
odd escape "/CN=$(printf 'x\033[2J\342\200\256y')" "basicConstraints=CA:FALSE" || die "a certificate"
claim "a folder with everything in it is read to its end" says '[0-9] +added' import evil "$F"
for n in fifo loop endless dangling sub/up; do claim "... $n is named, and left out" grep -q "files/$n: .*left out" "$T/said"; done
claim "... with ten thousand names is taken, and said to be known by the first of them" grep -q 'files/many.pem:1: .* has 10000 alternative names: those after the first 64' "$T/said"
for n in spaces many escape table; do claim "... $n is named" grep -q "files/$n\..*:[1-9]" "$T/said"; done
claim "... the one with ten thousand names can be seen" says '^State +valid' scepctl show --config "$CONFIG" "$(serial_of "$F/many.pem")"
claim "... the last is in it" says '1 +known' import evil "$F/z.pem"
subject() { scepctl show --config "$CONFIG" "$1" --ca "$2" 2>&1 | grep -qE "^Subject +$3\$"; }
known=$(serial_of "$T/good/known.pem")
claim "a certificate with a serial number of ours is the hostile CA's own" subject "$ours" evil CN=d
claim "... and ours is ours" subject "$ours" issuing CN=ours
claim "one with a serial number of the good CA's is the hostile CA's own" subject "$known" evil CN=e
claim "... and the good CA's is its" says '^CA +good' scepctl show --config "$CONFIG" "$known" --ca good
F=$T/again && mkdir "$F" && odd twice /CN=g "basicConstraints=CA:FALSE" "$ours" || die "a certificate"
claim "a second certificate of one CA and number is refused" says 'is the serial number of another certificate of this CA' import evil "$F/twice.pem"
import evil "$F/twice.pem" >/dev/null 2>&1
claim "... with exit status 73" test $? = 73
claim "... and nothing is overwritten" subject "$ours" evil CN=d
F=$T/files

# ---- a hostile list: serial numbers of everybody else, dates and reasons that nobody has ----
hurry() { kill -HUP "$scepd_pid"; }
# state SERIAL STATE [CA]
state() { scepctl show --config "$CONFIG" "$1" ${3:+--ca "$3"} 2>&1 | grep -qE "^State +$2\$"; }
# ocsp CA SERIAL WORDS
ocsp() { openssl ocsp -no_nonce -CAfile "$T/$1/ca.pem" -issuer "$T/$1/ca.pem" -serial "0x$2" -url "$SCEPD/ocsp/$1" >"$T/said" 2>&1; cat "$T/said"; grep -qE -e "$3" "$T/said"; }
later=$(serial_of "$T/good/later.pem") last=$(serial_of "$T/good/last.pem") z=$(serial_of "$T/evil/z.pem") now=$(date -u +%y%m%d%H%M%SZ)
list evil 2 <<EOC
$ours $now 1
$known $now 1
$later $now 1
$last $now 6
$z $now 6
11110001 700101000000Z 1
11110002 500101000000Z 4
11110003 99991231235959Z 0
11110004 491231235959Z 7
11110005 00000101000000Z 1
11110006 700101000000Z 6
11110007 16000101000000Z 1
EOC
hurry
claim "the hostile list is read" within 20 grep -q 'foreign msg="a new list was read" ca=evil number=02' "$T/scepd.log"
claim "what is ours is not touched" state "$ours" valid issuing
claim "nor what the good CA has issued" state "$known" valid good
claim "... by OCSP" ocsp good "$known" ': good'
claim "its own of the same numbers are revoked" state "$ours" revoked evil
claim "... and by OCSP" ocsp evil "$known" ': revoked'
claim "its own is held" state "$z" hold
for i in 1 2 3 4 5 6 7; do
	claim "a date that nobody has ($i): not good" state "1111000$i" '(revoked|hold)'
	claim "... by OCSP" ocsp evil "1111000$i" ': revoked'
done
claim "where good is said of what nobody has imported, it is" ocsp good 4711471147114711 ': good'
claim "... also of a number that the hostile CA has put on its list first" ocsp good "$last" ': good'
claim "... which is the hostile CA's and held" state "$last" hold evil
printf '%s\n' "$later $now 4" "$z $now 1" | list good 2
hurry
claim "the good CA revokes one of these, and one of a number of the hostile CA's" within 20 grep -q 'ca=good number=02 .*revoked=2' "$T/scepd.log"
claim "... which is so" ocsp good "$later" ': revoked'
claim "... and the hostile CA's is what it was" state "$z" hold evil
: | list evil 3
hurry
claim "the hostile CA takes its list back" within 20 grep -q 'ca=evil number=03 .*released=' "$T/scepd.log"
claim "... which lets go of its own" state "$z" valid evil
claim "... and not of what the good CA has revoked" state "$z" revoked good

# ---- a number that several have given, and nothing else ----
claim "a number alone is an error that names the CAs" says 'several CAs .* evil, issuing' scepctl show --config "$CONFIG" "$ours"
claim "... and says how to tell" grep -q -e '--ca NAME' "$T/said"
scepctl revoke --config "$CONFIG" "$ours" --reason superseded >"$T/said" 2>&1
claim "... of whoever wants to revoke it, too" test $? = 73
claim "... who has revoked nothing" state "$ours" valid issuing
claim "with its CA it is held" scepctl hold --config "$CONFIG" "$ours" --ca issuing --comment lost
claim "... it" state "$ours" hold issuing
claim "... and not the other" state "$ours" revoked evil
claim "... and released" scepctl release --config "$CONFIG" "$ours" --ca issuing
claim "one that there is not of this CA is not found" says 'there is no certificate of CA good|no certificate of ours' scepctl hold --config "$CONFIG" "$ours" --ca good
claim "the admin API says the same" answered 409 GET "/api/v1/certificates/$ours"
claim "... and takes ?ca=" answered 200 GET "/api/v1/certificates/$ours?ca=evil"
claim "... which is that CA's" says evil json 'a["ca"]'
claim "... also for a change" answered 200 POST "/api/v1/certificates/$ours/hold?ca=issuing" '{}'
claim "... of that one" says hold json 'a["status"]["state"]'
claim "... and back" answered 200 POST "/api/v1/certificates/$ours/release?ca=issuing" '{}'
claim "a verdict by the number alone is none" answered 409 GET "/api/v1/verdict?serial=$ours"
claim "... of our CA it is" answered 200 GET "/api/v1/verdict?serial=$ours&ca=issuing"
claim "... good" says good json 'a["verdict"]'
claim "... and of the other" answered 200 GET "/api/v1/verdict?serial=$ours&ca=evil"
claim "... revoked" says revoked json 'a["verdict"]'
ski=$(openssl x509 -in "$dev/cert.pem" -noout -ext subjectKeyIdentifier | sed -n 's/^ *\([0-9A-F:]*\)$/\1/p')
claim "a RADIUS server, which has the key identifier, needs no more" answered 200 GET "/api/v1/verdict/radius?serial=$ours&ski=$ski"

# ---- verdicts ----
# verdict STATUS FILE
verdict() { answered "$1" POST /api/v1/verdict "$(python3 -c 'import json,sys; print(json.dumps({"certificate": open(sys.argv[1]).read()}))' "$2")"; }
claim "a verdict about ours is good" verdict 200 "$dev/cert.pem"
claim "... good" says good json 'a["verdict"]'
for n in ours known; do
	claim "one that the hostile CA has made with the serial number of $n is answered" verdict 200 "$F/$n.pem"
	claim "... as the hostile CA's own" says 'evil revoked' json 'a["certificate"]["ca"] + " " + a["verdict"]'
done
claim "one about a certificate with a hundred names is answered" verdict 200 "$F/hundred.pem"
claim "... good" says good json 'a["verdict"]'
front=$(process_of front)
cat "$dev/cert.pem" "$F/ours.pem" >"$T/two.pem"
sed '$d' "$F/ours.pem" | cat "$dev/cert.pem" - >"$T/damaged.pem"
for n in two damaged; do claim "a good certificate and another ($n) are refused" verdict 400 "$T/$n.pem"; done
claim "... and the front lives" test "$(process_of front)" = "$front"
claim "... and answers" verdict 200 "$dev/cert.pem"

# ---- a hostile web server ----
echo "22220001 $now 1" | list evil 4
how() { echo "$1" >"$T/web/how" && hurry; }
# told WORDS: by the log, since the last
told() { sed "1,${lines}d" "$T/scepd.log" | grep -qE -e "$1"; }
# answers HOW WORDS SECONDS
answers() { lines=$(wc -l <"$T/scepd.log") && how "$1" && within "$3" told "$2"; }
claim "a redirect is not followed" answers redirect 'evil.*answers 302' 20
claim "a list that becomes two hundred megabytes when unpacked is not" answers gzip 'evil.*too large' 30
claim "a drop now and then is waited for half a minute" answers drip 'evil.*timed out after 30' 45
claim "one without an end is not read to it" answers endless 'evil.*too large' 45
claim "nothing of that was believed" sh -c "! scepctl show --config '$CONFIG' 22220001"
claim "a list that is one is read again" answers plain 'revoked ca=evil serial=22220001' 20
peak=$(peak_kb)
echo "# the front had $((peak / 1024)) MB at the most"
claim "the front had 200 MB at the most" test "$peak" -lt 204800
echo drip >"$T/web/how"
n=$(grep -c drip "$T/web.log") && hurry
drips() { [ "$(grep -c drip "$T/web.log")" -gt "$n" ]; }
claim "while it drips" within 20 drips
begun=$(date +%s%N)
stop_scepd
took=$((($(date +%s%N) - begun) / 1000000))
echo "# scepd ended in $took ms"
claim "... scepd does not wait for it to end" test "$took" -lt 15000 # half a minute is what the list may take
claim "the audit trail is whole" scepctl audit verify --config "$CONFIG"
