#!/usr/bin/env python3
"""post.py - send the messages of `wrong` to a server that runs, and look at the answers.

usage: post.py HOST PORT PATH FOLDER [--from ADDRESS]

Prints one line for every answer that is not the one that the file's name wants, and exits 1.
"""
import http.client
import os
import sys

FAIL_INFO = bytes.fromhex("060a6086480186f845010904")  # 2.16.840.1.113733.1.9.4
PKI_STATUS = bytes.fromhex("060a6086480186f845010903")


def printable(body, oid):
    """The text of an attribute that is SET { PrintableString }."""
    at = body.find(oid)
    if at < 0:
        return None
    at += len(oid)
    if body[at] != 0x31 or body[at + 2] != 0x13:
        return None
    return body[at + 4:at + 4 + body[at + 3]].decode("ascii", "replace")


def answer(conn, path, message):
    conn.request("POST", path + "?operation=PKIOperation", body=message, headers={"Content-Type": "application/x-pki-message"})
    r = conn.getresponse()
    body = r.read()
    if r.status != 200:
        return str(r.status)
    status = printable(body, PKI_STATUS)
    return printable(body, FAIL_INFO) if status == "2" else f"pkiStatus {status}"


def main():
    host, port, path, folder = sys.argv[1:5]
    source = (sys.argv[6], 0) if len(sys.argv) > 6 else None
    bad = n = 0
    conn = http.client.HTTPConnection(host, int(port), timeout=20, source_address=source)
    for name in sorted(os.listdir(folder)):
        want = name.rsplit("=", 1)[1].removesuffix(".der")
        with open(os.path.join(folder, name), "rb") as f:
            message = f.read()
        try:
            got = answer(conn, path, message)
        except OSError as e:
            got = f"no answer ({e})"
            conn.close()
        n += 1
        if got is None or (got != want and not (want != "400" and len(got) == 1 and got in want)):
            print(f"{name}: {got} instead of {want}")
            bad += 1
    print(f"{n} messages, {bad} answered wrongly")
    return bad != 0 or n < 300


sys.exit(main())
