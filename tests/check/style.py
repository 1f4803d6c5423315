#!/usr/bin/python3
"""What a check can hold of the runtime's dialect: the width of lines, the prefix of exported names, one container_of,
and no circle of includes.

A file is a .c with its .h, and with a private x_state.h. An exported function's name is `ws_` and its file's name,
alone or followed by `_` or `s_`; the entry points `osp_*` and the old C functions `websocket_*` are apart.

Usage: style.py ROOT
"""
import pathlib
import re
import sys

ROOMS = ["base", "protocol", "io", "osprey", "conn", "client", "server", "abi"]
# Rooms that do not follow yet. Nothing may be added to this list.
WAIVED = {"protocol", "osprey"}
DEFINITION = re.compile(r"^(?!static\b|typedef\b|extern\b|struct \w+ \{|enum\b|#)[a-z][\w ]*?\**\b(\w+)\([^;]*$", re.M)
INCLUDE = re.compile(r'^#include "([\w/]+)\.h"', re.M)


def wide_lines(root, path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if len(line) > 120:
            yield f"{path.relative_to(root)}:{number}: {len(line)} columns, more than 120"


def exported_names(path):
    return [name for name in DEFINITION.findall(path.read_text()) if not name.startswith(("osp_", "websocket_"))]


def prefix_faults(root, path):
    prefix = f"ws_{path.stem}"
    for name in exported_names(path):
        if name != prefix and not name.startswith((prefix + "_", prefix + "s_")):
            yield f"{path.relative_to(root)}: {name} does not start with {prefix}"


def circles(root, room):
    """Pairs of files of one room that include each other, also through others."""
    includes = {}
    for path in (root / "runtime" / room).glob("*.[ch]"):
        stem = path.stem.removesuffix("_state")
        names = (pathlib.PurePath(name) for name in INCLUDE.findall(path.read_text()))
        local = {name.name.removesuffix("_state") for name in names if str(name.parent) in (".", room)}
        includes.setdefault(stem, set()).update(local - {stem})
    reached = {name: set(below) for name, below in includes.items()}
    for _ in reached:
        for name in reached:
            reached[name].update(*(reached.get(below, ()) for below in list(reached[name])))
    return {tuple(sorted((a, b))) for a in reached for b in reached[a] if a != b and a in reached.get(b, ())}


def main(root):
    faults = []
    for room in (name for name in ROOMS if name not in WAIVED):
        for path in sorted((root / "runtime" / room).glob("*.[ch]")):
            faults += wide_lines(root, path)
            if path.suffix == ".c":
                faults += prefix_faults(root, path)
            if "- offsetof(" in path.read_text():
                faults.append(f"{path.relative_to(root)}: ws_container_of does this")
        faults += [f"{room}: {a} and {b} include each other" for a, b in sorted(circles(root, room))]
    print("\n".join([*faults, f"{len(faults)} faults"]))
    return 1 if faults else 0


sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
