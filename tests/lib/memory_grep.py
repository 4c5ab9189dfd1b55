#!/usr/bin/env python3
"""memory_grep.py - looks for secrets in files and in the memory of processes, in every form in which they may stand there.

usage: memory_grep.py SECRETS file PATH...      prints "LABEL PATH FORM" for each that is found
       memory_grep.py SECRETS memory PID        prints "LABEL ROLE FORM xCOUNT REGION"; exit 77 when memory cannot be read
       memory_grep.py SECRETS tree PID          the same for the process and all below it; roles: signer, front, supervisor, scepd;
                                               "process ROLE PID" before each

SECRETS holds lines "LABEL HEX".  Forms: raw, hex, base64 (at any of the three places within a longer text), URL-encoded, and, for
binary ones, reversed: as libcrypto keeps numbers.
"""
import base64
import os
import sys
import urllib.parse


def forms(secret):
    out = {"raw": secret, "hex": secret.hex().encode(), "HEX": secret.hex().upper().encode()}
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + secret)
        # Cut what neighbours have a part in.
        out[f"base64+{shift}"] = text[[0, 2, 3][shift]: len(text) - (4 if (shift + len(secret)) % 3 else 0)]
    url = urllib.parse.quote_from_bytes(secret, safe="").encode()
    if url != secret:
        out["url"] = url
    try:
        secret.decode("ascii")
    except UnicodeDecodeError:
        out["reversed"] = secret[::-1]
    return {name: value for name, value in out.items() if len(value) >= 8}


def read_secrets(path):
    with open(path) as f:
        return [(label, forms(bytes.fromhex(digits))) for label, digits in (line.split() for line in f)]


def regions(pid):
    """(start, end, name); "+locked" behind the name of what is never swapped out."""
    with open(f"/proc/{pid}/smaps") as f:
        for line in f:
            parts = line.split(None, 5)
            if not parts[0].endswith(":"):
                start, end = (int(x, 16) for x in parts[0].split("-"))
                name, readable = os.path.basename(parts[5].strip()) if len(parts) > 5 else "anonymous", "r" in parts[1]
            elif parts[0] == "VmFlags:" and readable and name not in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
                yield start, end, name + ("+locked" if "lo" in line.split() else "")


def memory(pid):
    """(name, bytes) of what can be read; a region that goes meanwhile is left out."""
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for start, end, name in regions(pid):
            try:
                mem.seek(start)
                yield name, mem.read(end - start)
            except (OSError, ValueError):
                pass


def role(pid, top):
    with open(f"/proc/{pid}/cmdline", "rb") as f:
        words = f.read().split(b"\0")
    if words[1:2] in ([b"signer"], [b"front"]):
        return words[1].decode()
    return "supervisor" if pid == top and len(descendants(top)) > 1 else "scepd"


def descendants(top):
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as f:
                    parents[int(name)] = int(f.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                pass
    found = [top]
    for pid in found:
        found += [p for p, parent in parents.items() if parent == pid]
    return found


def grep_memory(secrets, pid, who):
    found = {}
    for region, content in memory(pid):
        for label, shapes in secrets:
            for form, value in shapes.items():
                n = content.count(value)
                if n:
                    key = (label, form, region)
                    found[key] = found.get(key, 0) + n
                    if os.environ.get("MEMORY_GREP_CONTEXT"):
                        at = content.find(value)
                        print(f"# {label} {content[max(0, at - 96):at]!r} ... {content[at + len(value):at + len(value) + 96]!r}")
    for (label, form, region), n in sorted(found.items()):
        print(f"{label} {who} {form} x{n} {region}")


def main():
    secrets = read_secrets(sys.argv[1])
    if sys.argv[2] == "file":
        for path in sys.argv[3:]:
            with open(path, "rb") as f:
                content = f.read()
            for label, shapes in secrets:
                for form, value in shapes.items():
                    if value in content:
                        print(f"{label} {path} {form}")
        return 0
    top = int(sys.argv[3])
    try:
        for pid in descendants(top) if sys.argv[2] == "tree" else [top]:
            print(f"process {role(pid, top)} {pid}")
            grep_memory(secrets, pid, role(pid, top))
    except PermissionError as e:
        print(f"memory cannot be read: {e}", file=sys.stderr)
        return 77
    return 0


sys.exit(main())
