#!/usr/bin/env bash
# foreign-hangs: foreign CAs whose web servers take connections and never answer, or stop in the middle of a large list, keep no other CA's revocations waiting; what
# became of each look is told.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/kinds.sh"
. "$(dirname "$0")/../lib/foreign.sh"
make_lab '
profiles:
  open: { san: { types: [dns] } }
endpoints:
  default: { ca: issuing, profile: open, challenge: otp }'
web_port=$(free_port "$admin_port") || die "a free port"
TOKEN=$(new_token jane) || die "a token"
mkdir "$T/web"
for ca in hung hung2 hung3 hung4 hung5 stuck good large; do other_ca "$ca" rsa:2048 || die "a CA"; done
{
	echo "foreign_cas:"
	for ca in hung hung2 hung3 hung4 hung5; do echo "  $ca: { certificate: $T/$ca/ca.pem, crl: \"http://127.0.0.1:$web_port/hang\", crl_interval: 10s }"; done
	echo "  stuck: { certificate: $T/stuck/ca.pem, crl: \"http://127.0.0.1:$web_port/stuck\", crl_interval: 10s }"
	echo "  good: { certificate: $T/good/ca.pem, crl: \"http://127.0.0.1:$web_port/good.crl\", crl_interval: 10s }"
	echo "  large: { certificate: $T/large/ca.pem, crl: \"http://127.0.0.1:$web_port/large.crl\", crl_interval: 10s }"
} >>"$CONFIG"
cat >"$T/web.py" <<'PY'
import http.server, socketserver, sys, time

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

class Slow(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.log_message("asked %s", self.path)
        if self.path == "/hang":
            time.sleep(3600)
        self.send_response(200)
        if self.path == "/stuck":
            self.send_header("Content-Length", "50000000")
            self.end_headers()
            self.wfile.write(b"\x30" * 20000000)
            self.wfile.flush()
            time.sleep(3600)
        body = open(sys.argv[2] + self.path, "rb").read()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

Server(("127.0.0.1", int(sys.argv[1])), Slow).serve_forever()
PY
list() { python3 "$SCEPD_TOP/tests/lib/crl_forge.py" "$T/$1/ca.pem" "$T/$1/ca.key" "$T/web/new" "$2" "${3:--}" && mv "$T/web/new" "$T/web/$1.crl"; }
: | list good 1 && list large 1 150000 || die "a list"
python3 "$T/web.py" "$web_port" "$T/web" 2>>"$T/web.log" &
pids="$pids $!"
start_scepd || die "scepd starts"
# soon SECONDS COMMAND...: without the minute that within() of env.sh adds, as that nobody waits for another's time limit (30 s) is what is claimed
soon() { local i; for i in $(seq $(($1 * 5))); do "${@:2}" >/dev/null 2>&1 && return 0; sleep 0.2; done; return 1; }
asked() { [ "$(grep -c "asked /$1" "$T/web.log")" -ge "$2" ]; }
shows() { scepctl show --config "$CONFIG" "$1" | grep -qE "$2"; }
metric() { curl -fsS "http://127.0.0.1:$admin_port/metrics" | grep -qE -e "$1"; }
told() { scepctl foreign list --config "$CONFIG" | awk -v ca="$1" '$1 == "Foreign" && $2 == "CA" { in_it = $3 == ca } in_it' | grep -qE -e "$2"; }

claim "five web servers are asked, and hang" within 20 asked hang 5
claim "one stops in the middle of a large list" within 20 asked stuck 2
claim "the list of another is read" soon 25 grep -q 'msg="a new list was read" ca=good' "$T/scepd.log"
echo "4711 $(date -u +%y%m%d%H%M%SZ) 1" | list good 2
kill -HUP "$scepd_pid"
begun=$SECONDS
claim "what it revokes meanwhile is revoked within seconds" soon 25 shows 4711 '^State +revoked'
echo "# after $((SECONDS - begun)) s"
claim "a look that was good is told" told good '^Looked at +[0-9-]+ .* and it was good'
claim "... also in metrics" metric '^scepd_foreign_crl_failing\{ca="good"\} 0$'
claim "one that hangs is given up" within 45 grep -q 'its list was not taken" ca=hung .*timed out' "$T/scepd.log"
claim "... which is told" within 5 told hung '^Looked at +[0-9-]+ .*in vain, and it was never good: .*timed out'
claim "... in JSON" sh -c "scepctl foreign list --json --config '$CONFIG' | grep -q '\"failure\": *\"[^\"]*timed out'"
claim "... by check" sh -c "scepctl check --config '$CONFIG' | grep -qE 'warn +hung +the last look at its list, .*timed out'"
claim "... and in metrics" metric '^scepd_foreign_crl_failing\{ca="hung"\} 1$'
claim "... with when it was tried, and never good" sh -c "curl -fsS 'http://127.0.0.1:$admin_port/metrics' | grep -c '^scepd_foreign_crl_\(tried\|good\)_seconds{ca=\"hung\"}' | grep -qx 1"
claim "another large list gets its turn" within 120 grep -q 'msg="a new list was read" ca=large' "$T/scepd.log"
claim "... and is done" shows 100000 '^State +revoked'
peak=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$(process_of front)/status")
echo "# the front had $((peak / 1024)) MB at the most"
claim "the front had 200 MB at the most" test "$peak" -lt 204800
ends_soon() { local from=$SECONDS; stop_scepd; [ $((SECONDS - from)) -lt 15 ]; } # of 30 that a look may take
claim "scepd ends without waiting for them" ends_soon
