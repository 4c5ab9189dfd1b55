#!/usr/bin/env python3
"""intune_stub.py - an Entra, Graph and Intune that misbehave as told, for what the faithful simulator does not do.

usage: intune_stub.py PORT DIR

DIR/validate, DIR/success, DIR/failure hold the answer to each action, DIR/token that to a token request, DIR/downloadRevocationRequests and
DIR/uploadRevocationResults those of the revocation queue, as a line "STATUS BODY"; absent: 200 and code Success, an empty queue, results taken.
STATUS may be "hang" (no answer for 60 s) or "reset" (connection closed).  Every action received is appended to DIR/calls as "ACTION BODY".
"""
import http.server
import json
import os
import socket
import struct
import sys
import time

PORT, DIR = int(sys.argv[1]), sys.argv[2]
SUCCESS = '{"code":"Success","errorDescription":""}'
USUAL = {"downloadRevocationRequests": '{"value":[]}', "uploadRevocationResults": '{"value":true}'}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        uri = f"http://127.0.0.1:{PORT}/svc"
        names = ["ScepRequestValidationFEService", "PkiConnectorFEService"]
        self.answer(200, json.dumps({"value": [{"providerName": name, "uri": uri} for name in names]}))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path.endswith("/token"):
            self.reply_to("token", '{"token_type":"Bearer","expires_in":3599,"access_token":"stub-token-not-to-be-logged"}')
            return
        action = self.path.rsplit("/", 1)[-1].replace("validateRequest", "validate").replace("Notification", "")
        with open(os.path.join(DIR, "calls"), "a") as f:
            f.write(f"{action} {body}\n")
        self.reply_to(action, USUAL.get(action, SUCCESS))

    def reply_to(self, action, usual):
        try:
            with open(os.path.join(DIR, action)) as f:
                status, _, reply = f.read().rstrip("\n").partition(" ")
        except FileNotFoundError:
            status, reply = "200", usual
        if status == "hang":
            time.sleep(60)
        elif status == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
        else:
            self.answer(int(status), reply)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
server.daemon_threads = True
open(os.path.join(DIR, "ready"), "w").write("ready\n")
server.serve_forever()
