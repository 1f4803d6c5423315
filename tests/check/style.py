#!/usr/bin/python3
"""Checks the style of the source. Everywhere: the width of lines, no banners, no needless parentheses after sizeof. In
runtime/ and codegen/: no include cycles. In runtime/: ws_container_of. In C: the prefix of exported names.

An exported function of x.c is called `x`, `x_...` or `xs_...`, in the runtime and codegen behind `ws_` and `cg_`. Entry
points (`osp_...`) and the old C functions (`websocket_...`) are exempt. A file is x.c with x.h and the private
x_state.h.

Usage: style.py ROOT
"""
import pathlib
import re
import sys

TOPS = ["spec", "runtime", "codegen", "tools", "tests"]
ROOMS = ["base", "protocol", "io", "osprey", "conn", "client", "server", "abi", "cluster"]
NAMESPACES = {"codegen": "cg_", "tools/ospreyc": "", "tools/osprey-ws-cc": "", "tools/osprey-ws-lower": ""}
C = {".c", ".h", ".cpp"}
WIDTH = 120
BANNER = re.compile(r"^[ \t]*/\*.*---[ \t]*\*/$|^[ \t]*(?://|#)[ \t]*-{3,}|^[ \t]*(?://|#)[^\n]*-{4,}$", re.M)
SIZEOF = re.compile(r"\bsizeof ?\(([^()]*)\)")
MACRO = re.compile(r"^#define(?:.*\\\n)*.*$", re.M)  # its operands may be expressions
TYPE = re.compile(r"(?:const )?(?:struct|enum|union|void|bool|char|short|int|long|unsigned|signed|float|double|\w+_t"
                  r"|LLVM\w+Ref)\b")
DEFINITION = re.compile(r"^(?!static\b|typedef\b|extern\b|struct \w+ \{|enum\b|#)[a-z][\w ]*?\**\b(\w+)\([^;]*$", re.M)
INCLUDE = re.compile(r'^#include "([\w/]+)\.h"', re.M)


def sources(root):
    """The C, C++, Python and shell files of the tree."""
    for top in TOPS:
        for path in sorted((root / top).rglob("*")):
            if not path.is_file() or "__pycache__" in path.parts:
                continue
            if path.suffix in C | {".def", ".py", ".sh"} or not path.suffix and path.read_bytes().startswith(b"#!"):
                yield path


def line_of(text, match):
    return text.count("\n", 0, match.start()) + 1


def layout_faults(path):
    text = path.read_text()
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > WIDTH:
            yield number, f"{len(line)} columns, more than {WIDTH}"
    for match in BANNER.finditer(text):
        yield line_of(text, match), "remove the banner"
    text = MACRO.sub(lambda match: "\n" * match[0].count("\n"), text)
    for match in SIZEOF.finditer(text) if path.suffix in C else ():
        if not TYPE.match(match[1]):
            yield line_of(text, match), f"sizeof {match[1]} needs no parentheses"


def exported_names(path):
    return [name for name in DEFINITION.findall(path.read_text())
            if name != "main" and not name.startswith(("osp_", "websocket_"))]


def prefix_faults(path, namespace):
    prefix = namespace + path.stem
    for name in exported_names(path):
        if name != prefix and not name.startswith((prefix + "_", prefix + "s_")):
            yield f"{name} does not start with {prefix}"


def cycles(root, room):
    """Pairs of files of one room that include each other, directly or through others."""
    includes = {}
    for path in (root / room).glob("*.[ch]"):
        stem = path.stem.removesuffix("_state")
        names = (pathlib.PurePath(name) for name in INCLUDE.findall(path.read_text()))
        inside = (".", room.removeprefix("runtime/"))
        local = {name.name.removesuffix("_state") for name in names if str(name.parent) in inside}
        includes.setdefault(stem, set()).update(local - {stem})
    reached = {name: set(below) for name, below in includes.items()}
    for _ in reached:
        for name in reached:
            reached[name].update(*(reached.get(below, ()) for below in list(reached[name])))
    return {tuple(sorted((a, b))) for a in reached for b in reached[a] if a != b and a in reached.get(b, ())}


def room_faults(root, room):
    for path in sorted((root / "runtime" / room).glob("*.[ch]")):
        name = path.relative_to(root)
        if path.suffix == ".c":
            yield from (f"{name}: {fault}" for fault in prefix_faults(path, "ws_"))
        if "- offsetof(" in path.read_text():
            yield f"{name}: use ws_container_of"
    yield from (f"{room}: {a} and {b} include each other" for a, b in sorted(cycles(root, f"runtime/{room}")))


def main(root):
    faults, count = [], 0
    for path in sources(root):
        count += 1
        faults += [f"{path.relative_to(root)}:{line}: {fault}" for line, fault in sorted(layout_faults(path))]
    for room in ROOMS:
        faults += room_faults(root, room)
    faults += [f"codegen: {a} and {b} include each other" for a, b in sorted(cycles(root, "codegen"))]
    for folder, namespace in NAMESPACES.items():
        for path in sorted((root / folder).glob("*.c")):
            faults += [f"{path.relative_to(root)}: {fault}" for fault in prefix_faults(path, namespace)]
    print("\n".join([*faults, f"{count} files, {len(faults)} faults"]))
    return 1 if faults else 0


sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
