#!/usr/bin/env python3
"""crl_forge.py - lists of a hostile CA: whatever entries, signed by its key with openssl.

usage: crl_forge.py CA.pem CA.key OUT NUMBER ENTRIES [how]
ENTRIES: a number of entries to make up, or "-": lines "SERIAL DATE REASON" from standard input (hex, as DER writes times, number or -).
"""
import subprocess
import sys
import time


def tlv(tag, body):
    n = len(body)
    size = bytes([n]) if n < 128 else (lambda b: bytes([0x80 | len(b)]) + b)(n.to_bytes((n.bit_length() + 7) // 8, "big"))
    return bytes([tag]) + size + body


def oid(*parts):
    out = [40 * parts[0] + parts[1]]
    for p in parts[2:]:
        low = [p & 0x7F]
        while p := p >> 7:
            low.insert(0, 0x80 | (p & 0x7F))
        out += low
    return tlv(6, bytes(out))


def when(text):
    return tlv(0x17 if len(text) == 13 else 0x18, text.encode())


def number(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def entry(serial, date, reason):
    body = number(int(serial, 16)) + when(date)
    if reason != "-":
        body += tlv(0x30, tlv(0x30, oid(2, 5, 29, 21) + tlv(4, tlv(10, bytes([int(reason)])))))
    return tlv(0x30, body)


def made_up(n):
    """The smallest entries that there are: three octets of serial number, no extension."""
    date = when("260101000000Z")
    return b"".join(b"\x30" + bytes([5 + len(date)]) + b"\x02\x03" + (0x100000 + i).to_bytes(3, "big") + date for i in range(n))


def subject_of(pem):
    der = subprocess.run(["openssl", "x509", "-in", pem, "-outform", "DER"], check=True, stdout=subprocess.PIPE).stdout

    def inside(b):  # what a TLV holds, and what comes after it
        n, at = b[1], 2
        if n & 0x80:
            at += n & 0x7F
            n = int.from_bytes(b[2:at], "big")
        return b[at:at + n], b[:at + n], b[at + n:]

    rest = inside(inside(der)[0])[0]
    fields = []
    while rest:
        _, whole, rest = inside(rest)
        fields.append(whole)
    return fields[5]  # version, serial number, algorithm, issuer, validity, subject


def main():
    pem, key, out, num, entries = sys.argv[1:6]
    alg = tlv(0x30, oid(1, 2, 840, 113549, 1, 1, 11) + tlv(5, b""))
    now = time.time()
    run = made_up(int(entries)) if entries != "-" else b"".join(entry(*line.split()) for line in sys.stdin)
    tbs = tlv(0x30, number(1) + alg + subject_of(pem) + when(time.strftime("%y%m%d%H%M%SZ", time.gmtime(now))) +
              when(time.strftime("%y%m%d%H%M%SZ", time.gmtime(now + 86400))) + (tlv(0x30, run) if run else b"") +
              tlv(0xA0, tlv(0x30, tlv(0x30, oid(2, 5, 29, 20) + tlv(4, number(int(num)))))))
    sig = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=tbs, check=True, stdout=subprocess.PIPE).stdout
    with open(out, "wb") as f:
        f.write(tlv(0x30, tbs + alg + tlv(3, b"\0" + sig)))


main()
