#!/usr/bin/env python3
"""attacker.py - plays who runs code in the front: every system call there, with memory of its own (src/scepd/attack.h).

usage: attacker.py PORT DIR SCENARIO [argument]     with SCEPD_ATTACK=PORT in scepd's environment
       attacker.py list                             names of the calls that end the process, one a line

DIR holds what the attacker knows: leaf.pem (a certificate that a device got), issuing.pem, old.pem, ra.pem, and more by scenario.
Prints "ok CLAIM" when the wall held, "not ok CLAIM: GOT WHAT" when it did not, and "ok ... gets ..." for what is known to be possible.
"""
import errno
import hashlib
import os
import platform
import socket
import struct
import subprocess
import sys
import tempfile
import time

NAMES = ("read write close mmap mprotect prctl socket connect bind listen clone kill tgkill openat setrlimit prlimit64 seccomp memfd_create "
         "getsockname sendto recvfrom sendmsg exit_group dup execve ptrace process_vm_readv setuid setresuid capset unshare setns mount chroot "
         "init_module finit_module bpf io_uring_setup keyctl perf_event_open pidfd_getfd symlinkat linkat renameat getsockopt").split()
NUMBERS = {
    "x86_64": (0, 1, 3, 9, 10, 157, 41, 42, 49, 50, 56, 62, 234, 257, 160, 302, 317, 319, 51, 44, 45, 46, 231, 32, 59, 101, 310, 105, 117, 126,
               272, 308, 165, 161, 175, 313, 321, 425, 250, 298, 438, 266, 265, 264, 55),
    "aarch64": (63, 64, 57, 222, 226, 167, 198, 203, 200, 201, 220, 129, 131, 56, 164, 261, 277, 279, 204, 206, 207, 211, 94, 23, 221, 117, 270,
                146, 147, 91, 97, 268, 40, 51, 105, 273, 280, 425, 219, 241, 438, 36, 37, 38, 209),
}
FATAL = ("execve ptrace process_vm_readv setuid capset unshare init_module bpf io_uring_setup pidfd_getfd").split()
SYSCALL = dict(zip(NAMES, NUMBERS.get(platform.machine(), ())))

CONTROL_FD, FILES_FD = 3, 4  # roles.h
MAGIC, OPEN, READY, SECRET, WANTED = 0x53434331, 9, 8, 2, 10  # control.h
CERT, CRL, CERTREP, UNWRAP, OCSP, NEXT, CERTS, STATS, TAKE = range(1, 10)  # signer_ipc.h
SHA1, SHA256 = 1, 2
PKCS1 = 1
OK, LIMIT, PARSE, DENIED, NOTFOUND = 0, 2, 3, 4, 7  # err.h


class Ended(Exception):
    """The front is no more."""


# ---- the foothold ----

class Front:
    def __init__(self, port):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", port))
            s.listen(1)
            s.settimeout(90)
            self.sock, _ = s.accept()
        self.sock.settimeout(90)
        self.lines = self.sock.makefile("r")
        self.base, self.size = (int(x) for x in self.line().split())
        self.used = 0
        self.busy = set()

    def line(self):
        try:
            text = self.lines.readline()
        except ConnectionError:
            text = ""
        if not text:
            raise Ended
        return text.strip()

    def order(self, text):
        try:
            self.sock.sendall(text.encode() + b"\n")
        except (BrokenPipeError, ConnectionError):
            raise Ended from None
        return self.line()

    def put(self, data):
        """Bytes into the front's memory; their address."""
        if self.used + len(data) + 64 > self.size:
            self.used = 0
        at, self.used = self.used, (self.used + len(data) + 15) // 16 * 16
        self.order(f"w {at} {data.hex()}")
        return self.base + at

    def get(self, address, n):
        return bytes.fromhex(self.order(f"r {address - self.base} {n}"))

    def call(self, name, *args):
        """Arguments are numbers, or bytes whose address is meant."""
        a = [self.put(x) if isinstance(x, bytes) else x for x in args] + [0] * (6 - len(args))
        return int(self.order(" ".join(["s", str(SYSCALL[name])] + [str(x) for x in a])))

    # ---- the channels to the signer ----

    def maker(self, fd):
        """Who made a pair of sockets (SO_PEERCRED): its pid, or nothing for what is none."""
        room = self.put(struct.pack("=I", 12) + bytes(12))
        return self.get(room + 4, 4) if self.call("getsockopt", fd, 1, 17, room + 4, room) == 0 else b""

    def channels(self):
        """What the supervisor made beside its own two."""
        supervisor = self.maker(CONTROL_FD)
        return [fd for fd in range(6, 200) if self.maker(fd) == supervisor]

    def send(self, fd, data):
        while data:
            n = self.call("sendto", fd, data[:200000], len(data[:200000]), 0x4000, 0, 0)  # MSG_NOSIGNAL
            if n < 0:
                return False
            data = data[n:]
        return True

    def receive(self, fd, n, seconds=10.0):
        """n bytes; fewer at its end; None when nothing more comes."""
        out, until = b"", time.monotonic() + seconds
        room = self.put(bytes(n))
        while len(out) < n:
            got = self.call("recvfrom", fd, room, n - len(out), 0x40, 0, 0)  # MSG_DONTWAIT
            if got == 0 or got in (-104, -32):
                return out
            if got < 0:
                if time.monotonic() > until:
                    return None
                time.sleep(0.01)
                continue
            out += self.get(room, got)
        return out

    def frame(self, op, ca="issuing", data=b"", digest=0, kind=0, cek=0):
        body = bytes([len(ca)]) + ca.encode() + bytes([digest, kind, 0, 0, cek]) + data
        return struct.pack(">BBBBII", 1, 1, op, 0, 77, len(body)) + body

    def ask(self, fd, op, *args, **more):
        """(enum rc, result or message); (None, why) when the channel has ended."""
        if not self.send(fd, self.frame(op, *args, **more)):
            return None, "the channel is closed"
        head = self.receive(fd, 12)
        if head is None or len(head) < 12:
            return None, "no answer"
        body = self.receive(fd, struct.unpack(">I", head[8:])[0])
        if body[0] == OK:
            return OK, body[1:]
        n = struct.unpack(">H", body[1:3])[0]
        return body[0], body[3:3 + n].decode()

    # ---- the supervisor ----

    def say(self, fd, kind, text=b"", number=1, n_fds=0, passed=None):
        packet = struct.pack("=IIqII", MAGIC, kind, number, len(text), n_fds) + text
        if passed is None:
            return self.call("sendto", fd, packet, len(packet), 0x4000 | 0x40, 0, 0)
        iov = self.put(struct.pack("=QQ", self.put(packet), len(packet)))
        rights = self.put(struct.pack("=QiiII", 20, 1, 1, passed, 0))
        return self.call("sendmsg", fd, struct.pack("=QIIQQQQI4x", 0, 0, 0, iov, 1, rights, 24, 0), 0x4000)

    def open_by_asking(self, path):
        """errno, 0 when the file was opened."""
        self.say(FILES_FD, OPEN, path.encode(), number=12345)
        until = time.monotonic() + 10
        room = self.put(bytes(64))
        while time.monotonic() < until:
            if self.call("recvfrom", FILES_FD, room, 64, 0x40, 0, 0) >= 24:
                number = struct.unpack("=q", self.get(room + 8, 8))[0]
                if number // 4096 == 12345:
                    return number % 4096
            time.sleep(0.01)
        return None


# ---- claims ----

def held(what, good, detail=""):
    if good:
        print(f"ok out of reach: {what}" + (f" ({detail})" if detail else ""), flush=True)
    else:
        print(f"not ok out of reach: {what}: GOT {detail}", flush=True)


def gets(what, good, detail=""):
    print(f"{'ok' if good else 'not ok'} within reach, as docs/security.md says: {what}" + ("" if good else f": {detail}"), flush=True)


def errno_name(n):
    return "SUCCESS" if n >= 0 else errno.errorcode.get(-n, str(-n))


# ---- DER ----

def tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    size = bytes([n]) if n < 128 else (lambda b: bytes([0x80 | len(b)]) + b)(n.to_bytes((n.bit_length() + 7) // 8, "big"))
    return bytes([tag]) + size + body


def children(der):
    """(tag, content, whole) of the elements within the first element of `der`."""
    def one(p):
        n, at = der[p + 1], p + 2
        if n & 0x80:
            k = n & 0x7f
            n, at = int.from_bytes(der[at:at + k], "big"), at + k
        return der[p], at, at + n
    _, p, end = one(0)
    out = []
    while p < end:
        tag, at, after = one(p)
        out.append((tag, der[at:after], der[p:after]))
        p = after
    return out


def oid(text):
    a = [int(x) for x in text.split(".")]
    out = b""
    for v in [40 * a[0] + a[1]] + a[2:]:
        part = [v & 0x7f]
        while v := v >> 7:
            part.insert(0, 0x80 | v & 0x7f)
        out += bytes(part)
    return tlv(6, out)


def seq(*p): return tlv(0x30, *p)
def octets(b): return tlv(4, b)
def integer(v): return tlv(2, v.to_bytes(v.bit_length() // 8 + 1, "big"))
def bits(b): return tlv(3, b"\0" + b)
def ext(o, value, critical=False): return seq(oid(o), tlv(1, b"\xff") if critical else b"", octets(value))
def moment(t): return tlv(0x18, time.strftime("%Y%m%d%H%M%SZ", time.gmtime(t)).encode())
def name(cn): return seq(tlv(0x31, seq(oid("2.5.4.3"), tlv(0x0c, cn.encode()))))


def validity_time(t):
    return tlv(0x17, time.strftime("%y%m%d%H%M%SZ", time.gmtime(t)).encode())


class Cert:
    def __init__(self, path):
        self.der = subprocess.run(["openssl", "x509", "-in", path, "-outform", "DER"], capture_output=True, check=True).stdout
        self.tbs = children(self.der)[0][2]
        (self.version, self.serial, self.alg, self.issuer, self.validity, self.subject, self.spki, self.exts) = (
            c[2] for c in children(self.tbs))

    def ext_list(self):
        return [(e[1], e[2]) for e in children(children(self.exts)[0][2])]

    def key_bits(self):
        return children(self.spki)[1][1][1:]


def serial():
    return integer(int.from_bytes(b"\x5a" + os.urandom(15), "big"))


def tbs(leaf, without=(), also=(), **over):
    """The leaf's TBSCertificate with another serial number, other fields, fewer and more extensions."""
    exts = [whole for _, whole in leaf.ext_list() if not any(oid(o) in whole[:20] for o in without)]
    f = {k: getattr(leaf, k) for k in ("version", "alg", "issuer", "validity", "subject", "spki")}
    f.update(serial=serial(), exts=tlv(0xa3, seq(*exts, *also)))
    f.update(over)
    return seq(*(f[k] for k in ("version", "serial", "alg", "issuer", "validity", "subject", "spki", "exts")))


BASIC, KU, EKU, SID = "2.5.29.19", "2.5.29.15", "2.5.29.37", "1.3.6.1.4.1.311.25.2"


def spki_rsa(n_bits, e=65537):
    n = int.from_bytes(os.urandom(n_bits // 8), "big") | 1 << (n_bits - 1) | 1
    return seq(seq(oid("1.2.840.113549.1.1.1"), tlv(5)), bits(seq(integer(n), integer(e))))


def spki_ec(curve, size):
    return seq(seq(oid("1.2.840.10045.2.1"), oid(curve)), bits(b"\x04" + os.urandom(2 * size)))


def with_eku(leaf, o):
    return tbs(leaf, without=(EKU,), also=(ext(EKU, seq(oid(o))),))


# ---- scenarios ----

def files(front, where, known):
    """Files, all of which are there, by the front's own calls and by the supervisor's service."""
    paths = [line.strip() for line in open(os.path.join(where, "paths"))]
    for label, path in (p.rsplit(" ", 1) for p in paths):
        for how, p in (("", path), (" through /proc/self/root", "/proc/self/root" + path)):
            n = front.call("openat", -100, p.encode() + b"\0", 0, 0)
            held(f"open {label}{how}", n < 0 and n != -errno.ENOENT, errno_name(n))
    folder, base = os.path.split(known)
    forms = {"under its own path": known, "as ./": f"{folder}/./{base}", "as ../": f"{folder}/../{os.path.basename(folder)}/{base}",
             "as //": f"{folder}//{base}", "relative": "ca/" + base, "with a NUL behind a file that is allowed": os.path.join(where, "allowed") + "\0" + known}
    for how, p in forms.items():
        n = front.open_by_asking(p)
        held(f"have the supervisor open the CA's key {how}", n not in (0, None), errno_name(-(n or 0)))
    for label, path in (p.rsplit(" ", 1) for p in paths):
        n = front.open_by_asking(path)
        held(f"have the supervisor open {label}", n not in (0, None, errno.ENOENT), errno_name(-(n or 0)))
    gets("files that are the front's: a tenant's properties, challenges, keys of TLS", front.open_by_asking(open(os.path.join(where, "own")).read().strip()) == 0)
    for label, call in (("make a link to the key in its database's folder",
                         lambda: front.call("linkat", -100, known.encode() + b"\0", -100, where.encode() + b"/stolen\0", 0)),
                        ("make a symbolic link", lambda: front.call("symlinkat", known.encode() + b"\0", -100, where.encode() + b"/stolen\0")),
                        ("move the key", lambda: front.call("renameat", -100, known.encode() + b"\0", -100, where.encode() + b"/stolen\0"))):
        n = call()
        held(label, n < 0, errno_name(n))


def linked(front, where, known):
    for path in open(os.path.join(where, "links")).read().split():
        n = front.open_by_asking(path)
        held(f"have the supervisor open the key that {os.path.basename(path)} of the properties leads to", n not in (0, None), errno_name(-(n or 0)))


def kernel(front, where, pids):
    signer, supervisor = (int(p) for p in pids.split(","))
    for who, pid in (("signer", signer), ("supervisor", supervisor)):
        for f in ("mem", "maps", "environ", "fd/3"):
            n = front.call("openat", -100, f"/proc/{pid}/{f}".encode() + b"\0", 0, 0)
            held(f"open /proc/PID/{f} of the {who}", n < 0, errno_name(n))
        for sig in (9, 19):
            n = front.call("kill", pid, sig)
            held(f"send signal {sig} to the {who}", n < 0, errno_name(n))
        n = front.call("tgkill", pid, pid, 9)
        held(f"end the {who} (tgkill)", n < 0, errno_name(n))
    n = front.call("openat", -100, b"/proc/self/mem\0", 2, 0)
    held("write to its own code", n < 0, errno_name(n))
    page = 4096
    tries = [
        ("fork", lambda: front.call("clone", 17, 0, 0, 0, 0)),
        ("map memory as code", lambda: front.call("mmap", 0, page, 7, 0x22, -1, 0)),
        ("make its memory code", lambda: front.call("mprotect", front.base // page * page, page, 7)),
        ("make a program in memory", lambda: front.call("memfd_create", b"x\0", 0)),
        ("make a unix socket", lambda: front.call("socket", socket.AF_UNIX, socket.SOCK_STREAM, 0)),
        ("make a raw socket", lambda: front.call("socket", socket.AF_INET, socket.SOCK_RAW, 255)),
        ("raise its limits (setrlimit)", lambda: front.call("setrlimit", 7, struct.pack("=QQ", 1 << 20, 1 << 20))),
        ("raise its limits (prlimit)", lambda: front.call("prlimit64", 0, 7, struct.pack("=QQ", 1 << 20, 1 << 20), 0)),
        ("set the signer's limits", lambda: front.call("prlimit64", signer, 7, struct.pack("=QQ", 0, 0), 0)),
        ("open its memory to its user", lambda: front.call("prctl", 4, 1, 0, 0, 0)),
        ("take no_new_privs off", lambda: front.call("prctl", 38, 0, 0, 0, 0)),
        ("take its filter off (prctl)", lambda: front.call("prctl", 22, 0, 0, 0, 0)),
        ("take its filter off (seccomp)", lambda: front.call("seccomp", 0, 0, 0)),
    ]
    for label, call in tries:
        n = call()
        held(label, n < 0, errno_name(n))
    s = front.call("socket", socket.AF_INET, socket.SOCK_STREAM, 0)
    address = struct.pack(">H", 0).rjust(2, b"\0") + b"\x7f\0\0\1" + bytes(8)
    front.call("bind", s, struct.pack("=H", socket.AF_INET) + address, 16)
    n = front.call("listen", s, 5)
    held("open a port that listens", n < 0, errno_name(n))
    front.call("close", s)
    gets("a connection to any address that the machine can reach: this very one", True)


def fatal(front, where, what):
    page = b"\0" * 64
    args = {"execve": (b"/bin/sh\0", 0, 0), "ptrace": (16, os.getpid(), 0, 0), "process_vm_readv": (os.getpid(), page, 1, page, 1, 0),
            "mount": (b"x\0", b"/\0", b"tmpfs\0", 0, 0), "chroot": (b"/\0",), "unshare": (0x10000000,), "setns": (0, 0)}.get(what, (0, 0, 0, 0, 0))
    try:
        n = front.call(what, *args)
        held(f"call {what}", False, f"{errno_name(n)}, and lives on")
    except Ended:
        held(f"call {what}", True, "the front is killed")


def verify(where, leaf, made, sig):
    with tempfile.NamedTemporaryFile(suffix=".der") as f, tempfile.NamedTemporaryFile("wb", suffix=".pem") as p:
        f.write(seq(made, leaf.alg, bits(sig)))
        f.flush()
        p.write(subprocess.run(["openssl", "x509", "-inform", "DER", "-in", f.name], capture_output=True).stdout)
        p.flush()
        return subprocess.run(["openssl", "verify", "-partial_chain", "-CAfile", f"{where}/issuing.pem", p.name], capture_output=True).returncode == 0


def bad_certs(leaf, ca, old):
    now = time.time()
    return [
        ("of a CA", tbs(leaf, without=(BASIC,), also=(ext(BASIC, seq(tlv(1, b"\xff")), True),))),
        ("without basicConstraints", tbs(leaf, without=(BASIC,))),
        ("with keyCertSign", tbs(leaf, without=(KU,), also=(ext(KU, b"\x03\x02\x01\x06", True),))),
        ("without keyUsage", tbs(leaf, without=(KU,))),
        ("of another issuer", tbs(leaf, issuer=name("Somebody else"))),
        ("in the name of another CA of this server", tbs(leaf, issuer=old.subject)),
        ("for ten years", tbs(leaf, validity=seq(validity_time(now), validity_time(now + 3650 * 86400)))),
        ("that begins next month", tbs(leaf, validity=seq(validity_time(now + 30 * 86400), validity_time(now + 60 * 86400)))),
        ("for any purpose", with_eku(leaf, "2.5.29.37.0")),
        ("for smart card logon", with_eku(leaf, "1.3.6.1.4.1.311.20.2.2")),
        ("for code signing", with_eku(leaf, "1.3.6.1.5.5.7.3.3")),
        ("for another OCSP responder", with_eku(leaf, "1.3.6.1.5.5.7.3.9")),
        ("without an extendedKeyUsage", tbs(leaf, without=(EKU,))),
        ("with the CA's name", tbs(leaf, subject=ca.subject)),
        ("with the CA's key", tbs(leaf, spki=ca.spki)),
        ("for RSA of 1024 bits", tbs(leaf, spki=spki_rsa(1024))),
        ("for RSA with the exponent 1", tbs(leaf, spki=spki_rsa(2048, 1))),
        ("on a curve that no profile lists", tbs(leaf, spki=spki_ec("1.3.132.0.33", 28))),
        ("for Ed25519", tbs(leaf, spki=seq(seq(oid("1.3.101.112")), bits(os.urandom(32))))),
        ("with SHA-1", tbs(leaf, alg=seq(oid("1.2.840.113549.1.1.5"), tlv(5)))),
        ("with the SID of an account", tbs(leaf, also=(ext(SID, octets(b"S-1-5-21-1-2-3-500")),))),
        ("with an unknown critical extension", tbs(leaf, also=(ext("1.2.3.4.5", b"\x05\0", True),))),
        ("with an extension twice", tbs(leaf, also=(ext(EKU, seq(oid("1.3.6.1.5.5.7.3.2"))),))),
        ("of version 1", tbs(leaf, version=b"")),
        ("with a serial number of four octets", tbs(leaf, serial=integer(0x12345678))),
    ]


def crl(ca, number, issuer=None, this=None, validity=7 * 86400, entries=b""):
    this = time.time() - 60 if this is None else this
    aki = ext("2.5.29.35", seq(tlv(0x80, hashlib.sha1(ca.key_bits()).digest())))
    return seq(integer(1), seq(oid("1.2.840.113549.1.1.11"), tlv(5)), issuer or ca.subject, validity_time(this), validity_time(this + validity), entries,
               tlv(0xa0, seq(aki, ext("2.5.29.20", integer(number)))))


def attrs(digest=None, also=(), message_type=b"3", content="1.2.840.113549.1.7.1", without=()):
    one = lambda o, v: seq(oid(o), tlv(0x31, v))
    base = "2.16.840.1.113733.1.9."
    parts = {"type": one("1.2.840.113549.1.9.3", oid(content)), "digest": one("1.2.840.113549.1.9.4", octets(digest or os.urandom(32))),
             "message": one(base + "2", tlv(0x13, message_type)), "status": one(base + "3", tlv(0x13, b"0")), "id": one(base + "7", tlv(0x13, b"attack"))}
    return tlv(0x31, *sorted([v for k, v in parts.items() if k not in without] + list(also)))


def ocsp(ca, responder, until=86400, produced=0, no_until=False):
    now = time.time()
    ident = seq(seq(oid("1.3.14.3.2.26"), tlv(5)), octets(hashlib.sha1(ca.subject).digest()), octets(hashlib.sha1(ca.key_bits()).digest()), integer(12345))
    single = seq(ident, tlv(0x80), moment(now - 60), b"" if no_until else tlv(0xa0, moment(now + until)))
    return seq(tlv(0xa2, octets(responder)), moment(now + produced), seq(single))


def denied(front, fd, what, op, data, ca="issuing", **more):
    rc, said = front.ask(fd, op, ca, data, **more)
    held(what, rc not in (OK, None), said if rc not in (OK,) else "a signature")


def signing(front, where, _):
    leaf, ca, old = (Cert(f"{where}/{n}.pem") for n in ("leaf", "issuing", "old"))
    fd = front.channels()[0]
    good = tbs(leaf, subject=name("whoever-the-attacker-likes"))
    rc, sig = front.ask(fd, CERT, "issuing", good)
    gets("a certificate within the profiles, in any name", rc == OK and verify(where, leaf, good, sig), str(sig))
    again = front.ask(fd, CERT, "issuing", good)
    held("another signature's bytes than before for the same certificate again", again == (OK, sig), str(again))
    for what, t in bad_certs(leaf, ca, old):
        denied(front, fd, f"a certificate {what}", CERT, t)
    used = children(good)[1][2]
    denied(front, fd, "a serial number for a second certificate", CERT, tbs(leaf, serial=used, subject=name("another")))
    denied(front, fd, "a certificate of a CA that is retired", CERT, tbs(leaf, issuer=old.subject), ca="old")
    denied(front, fd, "a certificate of a CA that there is none of", CERT, good, ca="nobody")
    request = seq(integer(0), leaf.subject, leaf.spki, tlv(0xa0))
    digest = hashlib.sha256(b"anything").digest()
    info = seq(seq(oid("2.16.840.1.101.3.4.2.1"), tlv(5)), octets(digest))
    list_ = crl(ca, 1000)
    for what, data in (("a CSR", request), ("a digest", digest), ("a DigestInfo", info), ("a list", list_), ("attributes of a CertRep", attrs()),
                       ("nothing", b"")):
        denied(front, fd, f"{what}, signed as a certificate", CERT, data)
    for what, data in (("a certificate", good), ("a CSR", request), ("a digest", digest)):
        denied(front, fd, f"{what}, signed as a list", CRL, data)
        denied(front, fd, f"{what}, signed as a CertRep", CERTREP, data, digest=SHA256)
        denied(front, fd, f"{what}, signed as an OCSP answer", OCSP, data)

    rc, said = front.ask(fd, CRL, "issuing", crl(ca, 500))
    gets("a list that leaves out what is revoked", rc == OK, str(said))
    for what, data in (("with a lower number", crl(ca, 499)), ("with the same number and other content", crl(ca, 500, this=time.time() - 120)),
                       ("with a number far ahead, so that no other list could follow", crl(ca, 1 << 60)), ("of another issuer", crl(ca, 501, issuer=name("Evil"))),
                       ("that begins next month", crl(ca, 501, this=time.time() + 30 * 86400)), ("that holds for ten years", crl(ca, 501, validity=3650 * 86400))):
        denied(front, fd, f"a list {what}", CRL, data)

    rc, said = front.ask(fd, CERTS, "issuing")
    responder = b""
    if rc == OK:
        n = struct.unpack(">I", said[1:5])[0]
        der = said[5:5 + n]
        spki = children(children(der)[0][2])[6][2]
        responder = hashlib.sha1(children(spki)[1][1][1:]).digest()
    rc, said = front.ask(fd, OCSP, "issuing", ocsp(ca, responder))
    gets("\"good\" about any certificate, for a week at most", rc == OK, str(said))
    for what, data in (("for another CA's certificate", ocsp(old, responder)), ("that holds for a year", ocsp(ca, responder, until=365 * 86400)),
                       ("for ever", ocsp(ca, responder, no_until=True)), ("of yesterday", ocsp(ca, responder, produced=-86400)),
                       ("of tomorrow", ocsp(ca, responder, produced=86400)), ("of another responder", ocsp(ca, os.urandom(20)))):
        denied(front, fd, f"an OCSP answer {what}", OCSP, data)

    rc, said = front.ask(fd, CERTREP, "issuing", attrs(), digest=SHA256)
    gets("a CertRep over anything, until the RA certificate ends", rc == OK, str(said))
    for what, data in (("with an attribute that none has", attrs(also=(seq(oid("1.2.3.4"), tlv(0x31, tlv(5))),))), ("of a request (messageType 19)", attrs(message_type=b"19")),
                       ("over signed content", attrs(content="1.2.840.113549.1.7.2")), ("without a messageType", attrs(without=("message",))),
                       ("without a status", attrs(without=("status",))), ("with a digest of another size", attrs(digest=os.urandom(20)))):
        denied(front, fd, f"a CertRep {what}", CERTREP, data, digest=SHA256)
    rc, said = front.ask(fd, NEXT, "issuing")
    held("the announcement of a next CA where there is none", rc == NOTFOUND, str(said))


def foreign(front, where, _):
    """A CA that is not scepd's has certified a responder; its key is nowhere here."""
    leaf, ca, ours, responder, forged, other = (
        Cert(f"{where}/{n}.pem") for n in ("leaf", "foreign", "issuing", "foreign-responder", "foreign-forged", "foreign-device"))
    by = hashlib.sha1(responder.key_bits()).digest()
    fd = front.channels()[0]
    rc, said = front.ask(fd, OCSP, "adcs", ocsp(ca, by))
    gets("\"good\" about any certificate of a foreign CA, for a week at most", rc == OK, str(said))
    for what, data in (("for a certificate of ours", ocsp(ours, by)), ("that holds for a year", ocsp(ca, by, until=365 * 86400)),
                       ("for ever", ocsp(ca, by, no_until=True)), ("of yesterday", ocsp(ca, by, produced=-86400)), ("of another responder", ocsp(ca, os.urandom(20)))):
        denied(front, fd, f"an OCSP answer in a foreign CA's name {what}", OCSP, data, ca="adcs")
    for what, op, data, more in (("a certificate", CERT, tbs(leaf, issuer=ca.subject), {}), ("a list", CRL, crl(ca, 1), {}),
                                 ("a CertRep", CERTREP, attrs(), {"digest": SHA256}), ("an opened message", UNWRAP, bytes(256), {"kind": PKCS1, "cek": 32}),
                                 ("an announcement", NEXT, b"", {})):
        denied(front, fd, f"{what} in a foreign CA's name", op, data, ca="adcs", **more)
    for what, cert in (("that he has made", forged), ("of another key", other), ("that is the CA's own", ca)):
        denied(front, fd, f"a foreign CA's responder with a certificate {what}", TAKE, cert.der, ca="adcs")
    denied(front, fd, "a responder of ours with a certificate of his choice", TAKE, responder.der)
    rc, said = front.ask(fd, OCSP, "adcs", ocsp(ca, by))
    held("another certificate in an answer than that of the responder", rc == OK and responder.der in said and forged.der not in said, "the responder's")


def encrypt(cert, data, padding="pkcs1"):
    return subprocess.run(["openssl", "pkeyutl", "-encrypt", "-certin", "-inkey", cert, "-pkeyopt", f"rsa_padding_mode:{padding}"], input=data,
                          capture_output=True, check=True).stdout


def unwrapping(front, where, _):
    """Keys of messages that devices sent to the RA; and whether answers tell paddings apart (Bleichenbacher)."""
    fd = front.channels()[0]
    secret = os.urandom(32)
    ask = lambda wrapped, ca="issuing": front.ask(fd, UNWRAP, ca, wrapped, kind=PKCS1, cek=32)
    rc, key = ask(encrypt(f"{where}/ra.pem", secret))
    gets("the content of messages to the RA, challenges included", rc == OK and key == secret)
    rc, key = ask(encrypt(f"{where}/issuing.pem", secret))
    held("a message to the CA's own key opened", key != secret, str(key))
    block = lambda head: head + os.urandom(256 - len(head))
    bad = {"random bytes": encrypt(f"{where}/ra.pem", block(b"\0"), "none"), "block type 1": encrypt(f"{where}/ra.pem", block(b"\0\1"), "none"),
           "block type 2 without an end": encrypt(f"{where}/ra.pem", b"\0\2" + b"\x55" * 254, "none"),
           "padding that is too short": encrypt(f"{where}/ra.pem", b"\0\2\x55\x55\0" + os.urandom(251), "none"),
           "a key of 31 bytes": encrypt(f"{where}/ra.pem", secret[:31]), "a key of 33 bytes": encrypt(f"{where}/ra.pem", secret + b"x"), "no key": encrypt(f"{where}/ra.pem", b"")}
    kinds = {label: ask(c) for label, c in bad.items()}
    for label, (rc, key) in kinds.items():
        held(f"that a wrapped key has a wrong padding: {label}", rc == OK and len(key) == 32 and secret[:31] not in key, f"answer {rc}, as to a good one")


def rate(front, where, most):
    leaf = Cert(f"{where}/leaf.pem")
    fd, n = front.channels()[0], 0
    while n <= int(most) + 5:
        rc, said = front.ask(fd, CERT, "issuing", tbs(leaf))
        if rc != OK:
            break
        n += 1
    held(f"more certificates than max_per_hour ({most})", rc == LIMIT and n <= int(most), f"{n} more, then: {said}" if rc == LIMIT else f"{n}: {said}")


def frames(front, where, _):
    good = front.frame(STATS)
    fds = front.channels()
    head = lambda op=STATS, n=0, version=1, kind=1, zero=0: struct.pack(">BBBBII", version, kind, op, zero, 1, n)
    garbage = {"an unknown operation": head(op=200), "operation 0": head(op=0), "an answer": head(kind=2, n=1), "another version": head(version=9),
               "a body of four gigabytes": head(op=CERT, n=0xffffffff), "a certificate of 1 MB": head(op=CERT, n=1 << 20), "noise": os.urandom(64),
               "two requests at once": good + good, "text": b"GET / HTTP/1.1\r\n\r\n"}
    for what, data in garbage.items():
        fd = fds.pop()
        front.send(fd, data)
        got = front.receive(fd, 12, 5)
        held(f"anything for {what}: the channel ends", got == b"" or (what == "two requests at once" and got is not None), str(got))
    rc, said = front.ask(fds.pop(), CERT, "x" * 255, b"")
    held("anything for a CA's name of 255 bytes", rc not in (OK, None), str(said))
    fd = fds.pop()
    front.send(fd, head(op=CERT, n=3) + b"\xffab")
    got = front.receive(fd, 13, 5)
    held("anything for a body that is cut short", got is not None and (len(got) < 13 or got[12] == PARSE), str(got))
    kept = fds[:2]
    for n in range(1, min(len(good), len(fds) - 2)):
        fd = fds.pop()
        front.send(fd, good[:n])
        front.call("dup", fd)
    rc, _ = front.ask(kept[0], STATS)
    held("the signer's end by every beginning of a request", rc == OK)


def flood(front):
    """Asks, and never takes an answer."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        front.say(FILES_FD, OPEN, b"/etc/shadow")
    front.call("exit_group", 7)


def supervisor(front, where, how):
    """Each must end the front, and nothing else."""
    acts = {
        "control-noise": lambda: front.call("sendto", CONTROL_FD, os.urandom(64), 64, 0x4000, 0, 0),
        "control-open": lambda: front.say(CONTROL_FD, OPEN, b"/etc/shadow"),
        "control-ready": lambda: front.say(CONTROL_FD, READY, b"http 127.0.0.1:1\n"),
        "control-secret": lambda: front.say(CONTROL_FD, SECRET, b"1234"),
        "files-noise": lambda: front.call("sendto", FILES_FD, os.urandom(6000), 6000, 0x4000, 0, 0),
        "files-descriptor": lambda: front.say(FILES_FD, OPEN, b"/etc/shadow", n_fds=1, passed=CONTROL_FD),
        "files-long": lambda: front.say(FILES_FD, OPEN, b"/" * 5000),
        "files-flood": lambda: flood(front),
        "exit": lambda: front.call("exit_group", 7),
    }
    try:
        acts[how]()
        until = time.monotonic() + 25
        while time.monotonic() < until:
            front.order("r 0 1")
            time.sleep(0.05)
        print(f"not ok out of reach: the supervisor, by {how}: GOT on with it", flush=True)
    except Ended:
        print(f"ok out of reach: the supervisor, by {how} (the front is ended)", flush=True)


def wanting(front, where, _):
    """Says for some seconds that channels are closed, of which none is."""
    until = time.monotonic() + 6
    said = 0
    while time.monotonic() < until:
        said += front.say(CONTROL_FD, WANTED, number=1 << 40) > 0
    gets("channels without end, once a second", said > 100, f"{said} times")


SCENARIOS = {f.__name__: f for f in (files, linked, kernel, fatal, signing, foreign, unwrapping, rate, frames, supervisor, wanting)}


def main():
    if sys.argv[1:] == ["list"]:
        print("\n".join(FATAL))
        return 0
    if not SYSCALL:
        return 77
    port, where, scenario = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    try:
        SCENARIOS[scenario](Front(port), where, sys.argv[4] if len(sys.argv) > 4 else "")
    except Ended:
        print(f"not ok {scenario}: the front ended before the attacker was done", flush=True)
    return 0


sys.exit(main())
