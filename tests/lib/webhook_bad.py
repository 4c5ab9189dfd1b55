"""A webhook that answers wrongly: /WHAT says how.  Prints its port; --certificate and --key make it HTTPS."""
import http.server
import json
import ssl
import sys
import time

ALLOW = json.dumps({"decision": "allow"}).encode()
ANSWERS = {  # status, headers, body
    "allow": (200, {}, ALLOW),
    "500": (500, {}, ALLOW),
    "403": (403, {}, ALLOW),
    "201": (201, {}, ALLOW),
    "html": (200, {}, b"<html><body>Welcome</body></html>"),
    "empty": (200, {}, b""),
    "array": (200, {}, b'["allow"]'),
    "string": (200, {}, b'"allow"'),
    "missing": (200, {}, b'{"reason": "fine"}'),
    "unknown": (200, {}, b'{"decision": "Allow"}'),
    "true": (200, {}, b'{"decision": true}'),
    "twice": (200, {}, b'{"decision": "deny", "decision": "allow"}'),
    "behind": (200, {}, ALLOW + b" {}"),
    "cut": (200, {}, ALLOW[:-1]),
    "utf16": (200, {}, ALLOW.decode().encode("utf-16")),
    "huge": (200, {}, b'{"decision": "allow", "reason": "' + b"a" * 70000 + b'"}'),
    "redirect": (302, {"Location": "/allow"}, b""),
}


class Bad(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        what = self.path.lstrip("/")
        print("asked", what, file=sys.stderr, flush=True)
        if what == "slow":
            time.sleep(4)
            what = "allow"
        if what == "hangup":
            self.close_connection = True
            return
        status, headers, body = ANSWERS[what]
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bad)
if len(sys.argv) > 2:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[1], sys.argv[2])
    server.socket = tls.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
