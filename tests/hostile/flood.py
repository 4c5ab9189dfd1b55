#!/usr/bin/env python3
"""flood.py - be one hostile host, until told to stop (SIGTERM); then print what was done, as JSON.

usage: flood.py KIND HOST PORT --from ADDRESS [--path PATH] [--connections N] [--messages FOLDER]

KIND is
    rubbish   POSTs of noise, as fast as they are answered
    refused   messages of the folder, well-formed and wrong, as fast as they are answered
    silent    connections that say nothing; as many as are let in, opened again when they are closed
    drip      a byte of a request every second, on as many
    half      bodies of a MiB of which the last byte never comes, on as many
    slow      GETs of PATH that are read a KiB a second, on as many
"""
import argparse
import json
import os
import selectors
import signal
import socket
import time

stop = False


def on_term(*_):
    global stop
    stop = True


class Host:
    def __init__(self, a):
        self.a, self.sel, self.n = a, selectors.DefaultSelector(), {"sent": 0, "answered": 0, "closed": 0, "refused": 0, "connected": 0}
        self.status, self.socks, self.due = {}, {}, 0.0
        self.messages = []
        if a.messages:
            for name in sorted(os.listdir(a.messages)):
                if not name.endswith("=400.der"):
                    with open(os.path.join(a.messages, name), "rb") as f:
                        self.messages.append(f.read())

    # ---- what each kind says
    def request(self, i):
        a = self.a
        if a.kind in ("rubbish", "refused"):
            body = os.urandom(1500) if a.kind == "rubbish" else self.messages[i % len(self.messages)]
            return b"POST %s?operation=PKIOperation HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (a.path.encode(), len(body)) + body
        if a.kind == "half":
            return b"POST %s?operation=PKIOperation HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n" % a.path.encode() + bytes(1048575)
        if a.kind == "slow":
            return b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % a.path.encode()
        return b""

    def open(self):
        s = socket.socket()
        try:
            if self.a.kind == "slow":
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.bind((self.a.source, 0))
            s.settimeout(2)
            s.connect((self.a.host, self.a.port))
        except OSError:
            s.close()
            return False
        s.setblocking(False)
        self.n["connected"] += 1
        self.socks[s] = bytearray(self.request(self.n["sent"]))
        self.n["sent"] += 1
        self.sel.register(s, selectors.EVENT_READ | (selectors.EVENT_WRITE if self.socks[s] else 0))
        return True

    def close(self, s):
        if s in self.sel.get_map():
            self.sel.unregister(s)
        del self.socks[s]
        s.close()
        self.n["closed"] += 1

    def write(self, s):
        out = self.socks[s]
        try:
            del out[:s.send(out[:65536])]
        except BlockingIOError:
            return
        except OSError:
            self.close(s)
            return
        if not out:
            self.sel.modify(s, selectors.EVENT_READ)

    def read(self, s):
        try:
            got = s.recv(1024 if self.a.kind == "slow" else 65536)
        except BlockingIOError:
            return
        except OSError:
            got = b""
        if not got:
            self.close(s)
            return
        if got.startswith(b"HTTP/1.1 "):
            self.n["answered"] += 1
            self.status[got[9:12].decode()] = self.status.get(got[9:12].decode(), 0) + 1
            if self.a.kind in ("rubbish", "refused"):
                self.socks[s] += self.request(self.n["sent"])
                self.n["sent"] += 1
                self.sel.modify(s, selectors.EVENT_READ | selectors.EVENT_WRITE)
        if self.a.kind == "slow":  # not again before the next second
            self.sel.unregister(s)

    def each_second(self):
        for s in list(self.socks):
            if self.a.kind == "drip":
                try:
                    s.send(b"G" if self.n["sent"] % 2 else b"E")
                except BlockingIOError:
                    pass
                except OSError:
                    self.close(s)
            elif self.a.kind == "slow" and s not in self.sel.get_map():
                self.sel.register(s, selectors.EVENT_READ)
        while not stop and len(self.socks) < self.a.connections and self.open():
            pass

    def run(self):
        while not stop:
            if time.monotonic() >= self.due:
                self.each_second()
                self.due = time.monotonic() + 1
            for key, what in self.sel.select(0.2):
                if what & selectors.EVENT_WRITE and key.fileobj in self.socks:
                    self.write(key.fileobj)
                if what & selectors.EVENT_READ and key.fileobj in self.socks:
                    self.read(key.fileobj)
        print(json.dumps({**self.n, "status": self.status}))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("kind", choices=["rubbish", "refused", "silent", "drip", "half", "slow"])
    p.add_argument("host")
    p.add_argument("port", type=int)
    p.add_argument("--from", dest="source", default="127.0.0.1")
    p.add_argument("--path", default="/scep/lab")
    p.add_argument("--connections", type=int, default=64)
    p.add_argument("--messages")
    signal.signal(signal.SIGTERM, on_term)
    Host(p.parse_args()).run()


main()
