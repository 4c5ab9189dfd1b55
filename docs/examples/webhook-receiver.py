#!/usr/bin/env python3
"""A receiver for scepd's webhook: decides on certificate requests by a list of rules.

    webhook-receiver.py --listen 127.0.0.1:8443 --certificate tls.pem --key tls.key --secret-file webhook.secret --rules rules.json

rules.json is a list; the first rule that fits decides, and without one the answer is "deny":

    [ {"subject": "CN=*.contoso.com,O=Contoso", "decision": "allow"},
      {"endpoint": "guests", "decision": "wait", "reason": "the front desk has to agree"} ]

A rule may have endpoint, subject, challenge and peer: shell patterns that all have to fit.  The file is read for every
question.  The protocol is described in webhook.md; nothing but Python's standard library is needed.
"""
import argparse
import base64
import fnmatch
import hashlib
import hmac
import http.server
import json
import ssl
import threading
import time

TOLERANCE = 300  # seconds that a question may be old, or our clock late
BODY_MAX = 1 << 20


def key_of(text):
    """The key in a secret file, as scepd reads it: "whsec_" and base64, or any text as it is."""
    text = text.removesuffix(b"\n")
    return base64.b64decode(text[6:], validate=True) if text.startswith(b"whsec_") else text


class Seen:
    """Ids of the last minutes: a question that somebody has recorded and sends again is not answered."""

    def __init__(self):
        self.lock = threading.Lock()
        self.ids = {}

    def first_time(self, name, now):
        with self.lock:
            self.ids = {k: t for k, t in self.ids.items() if now - t <= 2 * TOLERANCE}
            return self.ids.setdefault(name, now) is now


def is_genuine(key, headers, body, now, seen):
    """Signed with our key, fresh, and for the first time."""
    name, when, signatures = (headers.get("webhook-" + h, "") for h in ("id", "timestamp", "signature"))
    if not when.isdecimal() or abs(now - int(when)) > TOLERANCE:
        return False
    mac = hmac.new(key, b".".join((name.encode(), when.encode(), body)), hashlib.sha256).digest()
    wanted = "v1," + base64.b64encode(mac).decode()
    # The list may hold several, while a key is being replaced.
    if not any(hmac.compare_digest(wanted, s) for s in signatures.split(" ")):
        return False
    return seen.first_time(name, now)


def decide(rules, question):
    for rule in rules:
        wanted = {k: v for k, v in rule.items() if k in ("endpoint", "subject", "challenge", "peer")}
        if all(fnmatch.fnmatchcase(str(question.get(k, "")), v) for k, v in wanted.items()):
            return {"decision": rule["decision"], "reason": rule.get("reason", "")}
    return {"decision": "deny", "reason": "no rule fits"}


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        length = int(self.headers.get("Content-Length", "0"))
        if length > BODY_MAX:
            self.close_connection = True
            return self.answer(413, {"error": "too long"})
        body = self.rfile.read(length)
        if not is_genuine(self.server.key, self.headers, body, time.time(), self.server.seen):
            print("refused: not signed with this secret, too old, or here before", flush=True)
            return self.answer(401, {"error": "not signed by scepd, too old, or here before"})
        with open(self.server.rules) as f:
            rules = json.load(f)
        question = json.loads(body)
        said = decide(rules, question)
        print(question["endpoint"], question["subject"], said["decision"], flush=True)
        self.answer(200, said)

    def log_message(self, *args):
        pass


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--listen", default="127.0.0.1:8443")
    p.add_argument("--certificate", required=True)
    p.add_argument("--key", required=True)
    p.add_argument("--secret-file", required=True)
    p.add_argument("--rules", required=True)
    a = p.parse_args()
    host, port = a.listen.rsplit(":", 1)
    server = http.server.ThreadingHTTPServer((host, int(port)), Receiver)
    with open(a.secret_file, "rb") as f:
        server.key = key_of(f.read())
    server.rules, server.seen = a.rules, Seen()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(a.certificate, a.key)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    print("listening", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
