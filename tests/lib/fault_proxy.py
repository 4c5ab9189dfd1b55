#!/usr/bin/env python3
"""fault_proxy.py - stands before intunesim, passes everything on, and answers one of Intune's actions itself.

usage: fault_proxy.py PORT UPSTREAM_PORT ACTION STATUS READY_FILE

ACTION is the last part of a path: validateRequest, successNotification ...  The Host header is passed on, so that discovery names the proxy.
"""
import http.client
import http.server
import sys

PORT, UPSTREAM, ACTION, STATUS, READY = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5]
HOP_BY_HOP = ("connection", "content-length", "transfer-encoding")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self, body):
        headers = {k: v for k, v in self.headers.items() if k.lower() != "connection"}
        upstream = http.client.HTTPConnection("127.0.0.1", UPSTREAM, timeout=20)
        upstream.request(self.command, self.path, body, headers)
        reply = upstream.getresponse()
        data = reply.read()
        upstream.close()
        return reply.status, [(k, v) for k, v in reply.getheaders() if k.lower() not in HOP_BY_HOP], data

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.split("?")[0].endswith("/" + ACTION):
            status, headers, data = STATUS, [("Content-Type", "application/json")], b'{"error":{"code":"InternalError","message":"x"}}'
        else:
            status, headers, data = self.pass_on(body)
        self.send_response(status)
        for k, v in headers:
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = serve

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
server.daemon_threads = True
with open(READY, "w") as f:
    f.write("ready\n")
server.serve_forever()
