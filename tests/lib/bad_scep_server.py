#!/usr/bin/env python3
"""bad_scep_server - a front of a good SCEP server that does one thing wrong: which, is the first part of the path.

usage: bad_scep_server.py UPSTREAM FOLDER PORT-FILE [CERT KEY MODE]

/CASE?operation=... goes to UPSTREAM as it is, unless the case says otherwise.  A case that FOLDER has a file of
(CASE.p7 or CASE.der) answers GetCACert with that file.  With CERT and KEY it speaks TLS; MODE is one of
plain, min13, old (1.2 and what is older), only-old (nothing newer than 1.1), ask-client.
"""
import http.server
import os
import re
import socketserver
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from email.utils import formatdate

UPSTREAM, FOLDER, PORT_FILE = sys.argv[1:4]
HTML = (200, "text/html", b"<!DOCTYPE html><html><body>Please sign in</body></html>")
GOOD = b"AES\nDES3\nPOSTPKIOperation\nRenewal\nSCEPStandard\nSHA-1\nSHA-256\nSHA-512\n"


class Asked:
    """One request, as far as the cases want to know it."""

    def __init__(self, handler, body):
        path, _, query = handler.path.partition("?")
        self.case, self.suffix = re.fullmatch(r"/([a-z0-9-]+)(/.*)?", path).groups()
        self.query, self.body, self.method = query, body, handler.command
        fields = urllib.parse.parse_qs(query, keep_blank_values=True)
        self.op = fields.get("operation", ["PKIOperation"])[0]
        self.message = fields.get("message", [None])[0]
        self.host = handler.headers.get("Host")
        self.chunked = "chunked" in (handler.headers.get("Transfer-Encoding") or "")
        self.length = len(handler.path)

    def forward(self):
        """What the good server says: status, Content-Type, body."""
        url = UPSTREAM + "?" + self.query
        req = urllib.request.Request(url, data=self.body if self.method == "POST" else None, method=self.method)
        try:
            with urllib.request.urlopen(req, timeout=20) as r:
                return r.status, r.headers.get("Content-Type"), r.read()
        except urllib.error.HTTPError as e:
            return e.code, e.headers.get("Content-Type"), e.read()


def caps(text, ctype="text/plain"):
    return lambda a: (200, ctype, text) if a.op == "GetCACaps" else None


def on(op, answer):
    """`answer` for one operation."""
    return lambda a: answer if a.op == op else None


def unsigned_attributes(a):
    """A SignedData by the RA, as any CMS tool makes it: without the attributes of RFC 8894 3.2.1."""
    if a.op != "PKIOperation":
        return None
    der = subprocess.run(
        ["openssl", "cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-signer", os.path.join(FOLDER, "upstream-ra.pem"),
         "-inkey", os.path.join(FOLDER, "upstream-ra.key")], input=b"", capture_output=True, check=True).stdout
    return 200, "application/x-pki-message", der


def wrong_type(a):
    if a.op != "GetCACert":
        return None
    status, _, body = a.forward()
    return status, "application/octet-stream", body


def charset(a):
    if a.op != "GetCACert":
        return None
    status, ctype, body = a.forward()
    return status, ctype + "; charset=utf-8", body


def slow(seconds):
    def answer(a):
        if a.op == "GetCACert" and a.message is None and not a.suffix:
            time.sleep(seconds)
    return answer


CASES = {
    "good": lambda a: None,
    "slow": slow(5.3),
    "silent": slow(6),
    "redirect": lambda a: (302, None, b"") if a.op in ("GetCACaps", "GetCACert") else None,
    "html-caps": on("GetCACaps", HTML),
    "html-certs": on("GetCACert", HTML),
    "html-errors": lambda a: (400, "text/html", HTML[2]) if a.op == "GetCAWell" else None,
    "caps-404": on("GetCACaps", (404, "text/plain", b"no\n")),
    "caps-empty": caps(b""),
    "caps-type": caps(GOOD, "application/octet-stream"),
    "caps-case": caps(GOOD.replace(b"SHA-256", b"sha-256")),
    "caps-blank": caps(GOOD.replace(b"Renewal", b"Renewal ")),
    "caps-ends": caps(GOOD.replace(b"AES\n", b"AES\r\n")),
    "caps-crlf": caps(GOOD.replace(b"\n", b"\r\n")),
    "caps-no-sha": caps(b"AES\nPOSTPKIOperation\nRenewal\nSCEPStandard\n"),
    "caps-no-cipher": caps(b"POSTPKIOperation\nRenewal\nSHA-256\n"),
    "caps-old": caps(b"DES3\nPOSTPKIOperation\nRenewal\nSHA-1\n"),
    "caps-no-renewal": caps(GOOD.replace(b"Renewal\n", b"")),
    "caps-no-post": caps(GOOD.replace(b"POSTPKIOperation\nRenewal\nSCEPStandard\n", b"Renewal\n")),
    "caps-standard": caps(GOOD.replace(b"POSTPKIOperation\n", b"")),
    "cacert-500": on("GetCACert", (500, "text/plain", b"out of order\n")),
    "cacert-noise": on("GetCACert", (200, "application/x-x509-ca-ra-cert", b"\x30\x82\x01")),
    "cacert-type": wrong_type,
    "cacert-charset": charset,
    "no-message": lambda a: (404, "text/plain", b"which CA?\n") if a.message not in (None, "default") and a.op in ("GetCACaps", "GetCACert") else None,
    "other-message": lambda a: (200, "application/x-x509-ca-cert", read("upstream-root.der")) if a.message == "CA IDENT" else None,
    "no-suffix": lambda a: (404, "text/plain", b"no\n") if a.suffix else None,
    "chunks": lambda a: None,
    "needs-host": lambda a: (400, "text/plain", b"Host\n") if a.host is None else None,
    "short-lines": lambda a: (414, "text/plain", b"long\n") if a.length > 8192 else None,
    "no-chunks": lambda a: (411, "text/plain", b"length\n") if a.chunked else None,
    "no-post": lambda a: (405, "text/plain", b"GET\n") if a.method == "POST" else None,
    "unknown-500": on("GetCAWell", (500, "text/plain", b"oops\n")),
    "unknown-200": on("GetCAWell", (200, "text/plain", b"fine\n")),
    "next-named": caps(GOOD + b"GetNextCACert\n"),
    "next-unnamed": on("GetNextCACert", (200, "application/x-x509-next-ca-cert", b"\x30\x00")),
    "next-type": lambda a: (200, "text/plain", GOOD + b"GetNextCACert\n") if a.op == "GetCACaps" else (200, "application/octet-stream", b"\x30\x00") if a.op == "GetNextCACert" else None,
    "clock": lambda a: None,
    "probe-500": lambda a: (500, "text/plain", b"denied\n") if a.op == "PKIOperation" else None,
    "probe-html": on("PKIOperation", HTML),
    "probe-attributes": unsigned_attributes,
}


def read(name):
    with open(os.path.join(FOLDER, name), "rb") as f:
        return f.read()


def certs_of(case):
    """The file of a case, if it has one."""
    for end, ctype in ((".p7", "application/x-x509-ca-ra-cert"), (".der", "application/x-x509-ca-cert")):
        if os.path.exists(os.path.join(FOLDER, case + end)):
            return 200, ctype, read(case + end)
    return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self):
        if "chunked" not in (self.headers.get("Transfer-Encoding") or ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        out = b""
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            out += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                return out

    def answer(self):
        a = Asked(self, self.body())
        case = CASES.get(a.case, lambda _: None)
        status, ctype, body = case(a) or (certs_of(a.case) if a.op == "GetCACert" else None) or a.forward()
        self.send_response_only(status)
        self.send_header("Date", formatdate(time.time() - (7200 if a.case == "clock" else 0), usegmt=True))
        if ctype:
            self.send_header("Content-Type", ctype)
        if status == 302:
            self.send_header("Location", "https://login.example.com/")
        if a.case == "chunks" and self.request_version == "HTTP/1.1":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *args):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # handshakes that fail are what some cases are about


def tls(cert, key, mode):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(cert, key)
    if mode == "min13":
        ctx.minimum_version = ssl.TLSVersion.TLSv1_3
    if mode in ("old", "only-old"):
        ctx.set_ciphers("ALL:@SECLEVEL=0")
        ctx.minimum_version = ssl.TLSVersion.TLSv1
    if mode == "only-old":
        ctx.maximum_version = ssl.TLSVersion.TLSv1_1
    if mode == "ask-client":
        ctx.load_verify_locations(cert)
        ctx.verify_mode = ssl.CERT_OPTIONAL
    return ctx


server = Server(("127.0.0.1", 0), Handler)
if len(sys.argv) > 4:
    server.socket = tls(*sys.argv[4:7]).wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
with open(PORT_FILE + ".part", "w") as f:
    f.write(str(server.server_address[1]))
os.rename(PORT_FILE + ".part", PORT_FILE)
server.serve_forever()
