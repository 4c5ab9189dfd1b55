#!/usr/bin/env bash
# foreign-hostile: two CAs of others, one of them hostile, and files that are not what they should be: nothing of anybody else's is touched, nothing hangs, and what is good
# beside it is taken.
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
odd many /CN=c "subjectAltName=$(for i in $(seq 10000); do printf 'DNS:h,'; done | sed 's/,$//')" || die "a certificate"
odd ours /CN=d "basicConstraints=CA:FALSE" "$ours" || die "a certificate"
odd known /CN=e "basicConstraints=CA:FALSE" "$(serial_of "$T/good/known.pem")" || die "a certificate"
odd escape "/CN=$(printf 'x\033[2J\342\200\256y')" "basicConstraints=CA:FALSE" || die "a certificate"
claim "a folder with everything in it is read to its end" says '[0-9] +added' import evil "$F"
for n in fifo loop endless dangling sub/up; do claim "... $n is named, and left out" grep -q "files/$n: .*left out" "$T/said"; done
for n in ours known; do claim "... a serial number that is taken ($n) is named" grep -q "files/$n.pem:1: .* is the serial number of another" "$T/said"; done
for n in spaces many escape table; do claim "... $n is named" grep -q "files/$n\..*:[1-9]" "$T/said"; done
claim "... the last is in it" says '1 +known' import evil "$F/z.pem"

# ---- a hostile list: serial numbers of everybody else, dates and reasons that nobody has ----
hurry() { kill -HUP "$scepd_pid"; }
state() { scepctl show --config "$CONFIG" "$1" 2>&1 | grep -qE "^State +$2\$"; }
# ocsp CA SERIAL WORDS
ocsp() { openssl ocsp -no_nonce -CAfile "$T/$1/ca.pem" -issuer "$T/$1/ca.pem" -serial "0x$2" -url "$SCEPD/ocsp/$1" >"$T/said" 2>&1; cat "$T/said"; grep -qE -e "$3" "$T/said"; }
known=$(serial_of "$T/good/known.pem") later=$(serial_of "$T/good/later.pem") last=$(serial_of "$T/good/last.pem") z=$(serial_of "$T/evil/z.pem") now=$(date -u +%y%m%d%H%M%SZ)
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
claim "the hostile list is read, and the log says that numbers of others are in it" within 20 grep -q 'warn foreign msg="a new list was read" ca=evil .*taken=2' "$T/scepd.log"
claim "what is ours is not touched" state "$ours" valid
claim "nor what the good CA has issued" state "$known" valid
claim "its own is held" state "$z" hold
for i in 1 2 3 4 5 6 7; do
	claim "a date that nobody has ($i): not good" state "1111000$i" '(revoked|hold)'
	claim "... by OCSP" ocsp evil "1111000$i" ': revoked'
done
claim "where good is said of what nobody has imported, it is" ocsp good 4711471147114711 ': good'
claim "... but not of a number that the hostile CA has put on its list first" ocsp good "$last" ': unknown'
echo "$later $now 4" | list good 2
hurry
claim "the good CA revokes one of these" within 20 grep -q 'ca=good number=02 .*taken=1' "$T/scepd.log"
claim "... which is not good" ocsp good "$later" ': unknown'

# ---- verdicts ----
# verdict STATUS FILE
verdict() { answered "$1" POST /api/v1/verdict "$(python3 -c 'import json,sys; print(json.dumps({"certificate": open(sys.argv[1]).read()}))' "$2")"; }
claim "a verdict about ours is good" verdict 200 "$dev/cert.pem"
claim "... good" says good json 'a["verdict"]'
for n in ours known; do
	claim "one that the hostile CA has made with the serial number of $n is answered" verdict 200 "$F/$n.pem"
	claim "... unknown" says unknown json 'a["verdict"]'
done
front=$(process_of front)
cat "$dev/cert.pem" "$F/ours.pem" >"$T/two.pem"
sed '$d' "$F/ours.pem" | cat "$dev/cert.pem" - >"$T/damaged.pem"
for n in two damaged; do claim "a good certificate and another ($n) are refused" verdict 400 "$T/$n.pem"; done
claim "... and the front lives" test "$(process_of front)" = "$front"
claim "... and answers" verdict 200 "$dev/cert.pem"

# ---- a hostile web server ----
echo "22220001 $now 1" | list evil 3
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
