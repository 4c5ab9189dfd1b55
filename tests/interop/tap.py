#!/usr/bin/env python3
"""tap.py - stands between a SCEP client and scepd and keeps what they say.

usage: tap.py UPSTREAM-PORT DIR
Listens on a free port of 127.0.0.1 and writes it to DIR/port.  The Nth PKIOperation's message, by POST or by GET, goes to
DIR/N.req, the answer to DIR/N.rep; nothing is changed on the way.
"""
import base64
import http.client
import http.server
import os
import re
import sys
import urllib.parse

upstream, folder = int(sys.argv[1]), sys.argv[2]
operations = 0


def message_of(target):
    """The PKIMessage in the target of a GET, or None: base64 in any of the forms that devices write."""
    query = target.partition("?")[2]
    fields = dict(f.partition("=")[::2] for f in query.split("&"))
    if fields.get("operation", "").lower() != "pkioperation":
        return None
    text = re.sub(r"\s", "", urllib.parse.unquote(fields.get("message", "")).replace(" ", "+"))
    return base64.b64decode(text.translate(str.maketrans("-_", "+/")) + "==")


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

    def keep(self, message, body=None):
        global operations
        operations += 1
        number = operations
        for end, data in ("req", message), ("rep", self.forward(body)):
            with open(os.path.join(folder, f"{number}.{end}"), "wb") as f:
                f.write(data)

    def do_GET(self):
        message = message_of(self.path)
        if message is None:
            self.forward()
        else:
            self.keep(message)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.keep(body, body)

    def log_message(self, *args):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Tap)
with open(os.path.join(folder, "port.new"), "w") as f:
    f.write(f"{server.server_port}\n")
os.rename(os.path.join(folder, "port.new"), os.path.join(folder, "port"))
server.serve_forever()
