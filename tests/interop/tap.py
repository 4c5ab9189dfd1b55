#!/usr/bin/env python3
"""tap.py - stands between a SCEP client and scepd and keeps what they say.

usage: tap.py UPSTREAM-PORT DIR
Listens on a free port of 127.0.0.1 and writes it to DIR/port.  The body of the Nth POST goes to DIR/N.req, the answer to
DIR/N.rep; nothing is changed on the way.
"""
import http.client
import http.server
import os
import sys

upstream, folder = int(sys.argv[1]), sys.argv[2]
posts = 0


class Tap(http.server.BaseHTTPRequestHandler):
    def forward(self, body=None):
        peer = http.client.HTTPConnection("127.0.0.1", upstream, timeout=20)
        peer.request(self.command, self.path, body, {"Content-Type": "application/x-pki-message"} if body else {})
        reply = peer.getresponse()
        data = reply.read()
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.headers["Content-Type"])
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        peer.close()
        return data

    def do_GET(self):
        self.forward()

    def do_POST(self):
        global posts
        posts += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        for end, data in ("req", body), ("rep", self.forward(body)):
            with open(os.path.join(folder, f"{posts}.{end}"), "wb") as f:
                f.write(data)

    def log_message(self, *args):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Tap)
with open(os.path.join(folder, "port.new"), "w") as f:
    f.write(f"{server.server_port}\n")
os.rename(os.path.join(folder, "port.new"), os.path.join(folder, "port"))
server.serve_forever()
