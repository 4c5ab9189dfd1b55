#!/usr/bin/env python3
"""embed.py - files as a table in C (../web.h), for the build.

usage: embed.py OUTPUT.c FILE...

The tag of a file is of its content, so that it changes with the file and not with the build.
"""
import hashlib
import os
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
PER_LINE = 20


def array(number, data):
    rows = [data[i:i + PER_LINE] for i in range(0, len(data), PER_LINE)]
    yield f"static const unsigned char file_{number}[] = {{"
    for row in rows:
        yield "\t" + " ".join(f"{byte}," for byte in row)
    yield "};"


def entry(number, path, data):
    name = os.path.basename(path)
    tag = hashlib.sha256(data).hexdigest()[:32]
    kind = TYPES[os.path.splitext(name)[1]]
    return f'\t{{ "{name}", "{kind}", "\\"{tag}\\"", file_{number}, sizeof(file_{number}) }},'


def main(output, paths):
    files = []
    for path in paths:
        with open(path, "rb") as f:
            data = f.read()
        if not data:
            sys.exit(f"embed.py: {path} is empty")
        files.append((path, data))
    lines = ["/* Made by web/embed.py. */", '#include "intunesim/web.h"', ""]
    for number, (_, data) in enumerate(files):
        lines += array(number, data)
    lines.append("const struct web_asset web_assets[] = {")
    lines += [entry(number, path, data) for number, (path, data) in enumerate(files)]
    lines += ["};", "const size_t n_web_assets = sizeof(web_assets) / sizeof(web_assets[0]);", ""]
    with open(output, "w", encoding="ascii") as out:
        out.write("\n".join(lines))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
