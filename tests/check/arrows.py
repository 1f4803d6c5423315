#!/usr/bin/python3
"""Each part of the source includes only the parts below it.

The first row of PARTS that matches a file is its part. An include in quotes must name a file of the same part, of a
part that the row lists, or a table of spec/. An include in angle brackets must match the row's system headers.

Usage: arrows.py ROOT
"""
import fnmatch
import pathlib
import re
import sys

C = """assert.h ctype.h errno.h float.h inttypes.h limits.h math.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h
stdint.h stdio.h stdlib.h stdnoreturn.h string.h strings.h threads.h""".split()
SIMD = ["immintrin.h", "emmintrin.h", "tmmintrin.h", "arm_neon.h"]
POSIX = """dlfcn.h fcntl.h ftw.h getopt.h libgen.h pthread.h sched.h signal.h spawn.h sys/*.h time.h unistd.h
glob.h""".split()
SOCKETS = ["arpa/*.h", "linux/*.h", "net/*.h", "netdb.h", "netinet/*.h", "poll.h"]
LLVM_C = ["llvm-c/*.h"]

# (part, files, parts it may include, system headers it may include)
PARTS = [
    ("C interface", ["runtime/osp_ws.h"], [], C),
    ("host memory", ["runtime/osprey/osprey_mem.[ch]"], [], C + POSIX),
    ("old C functions", ["runtime/abi/osp_ws_compat.[ch]"], ["C interface"], C + POSIX),
    ("base", ["runtime/base/*"], [], C + ["search.h", "time.h"]),
    ("protocol", ["runtime/protocol/*"], ["base"],
     C + SIMD + ["zlib.h", "openssl/evp.h", "openssl/sha.h", "openssl/crypto.h"]),
    ("io", ["runtime/io/*"], ["base"], C + POSIX + SOCKETS + ["malloc.h", "openssl/*.h"]),
    ("osprey", ["runtime/osprey/*"], ["protocol", "base"], C + POSIX + ["poll.h"]),
    ("conn", ["runtime/conn/*"], ["osprey", "io", "protocol", "base"],
     C + POSIX + SOCKETS + ["openssl/crypto.h", "openssl/rand.h"]),
    ("client", ["runtime/client/*"], ["conn", "osprey", "io", "protocol", "base"],
     C + POSIX + SOCKETS + ["openssl/crypto.h"]),
    ("server", ["runtime/server/*"], ["conn", "osprey", "io", "protocol", "base"],
     C + POSIX + SOCKETS + ["openssl/crypto.h"]),
    ("abi", ["runtime/abi/*"], ["client", "server", "conn", "osprey", "io", "protocol", "base", "C interface"],
     C + POSIX + SOCKETS + ["openssl/crypto.h"]),
    ("cluster", ["runtime/cluster/*"],
     ["abi", "server", "conn", "osprey", "io", "protocol", "base", "C interface"], C + POSIX + ["nats/nats.h"]),
    ("codegen header", ["codegen/osprey_ws_codegen.h"], [], C + LLVM_C),
    ("pass plugin", ["codegen/pass_plugin.cpp"], ["codegen header", "codegen"],
     C + LLVM_C + ["llvm/*", "cstd*", "string", "optional"]),
    ("codegen", ["codegen/*.[ch]"], ["codegen header"], C + LLVM_C + ["llvm/Config/llvm-config.h"]),
    ("front end", ["tools/ospreyc/*"], ["codegen header", "host memory"],
     C + POSIX + LLVM_C + ["setjmp.h", "locale.h", "wchar.h", "llvm/Config/llvm-config.h", "jansson.h"]),
    ("tools", ["tools/*"], ["codegen header"],
     C + POSIX + LLVM_C + ["ar.h", "elf.h", "search.h", "llvm/Config/llvm-config.h"]),
]
# System headers that only some files may include.
LINUX = ["runtime/io/sys_linux.h"]
ONLY_IN = {"linux/*.h": LINUX, "sys/epoll.h": LINUX, "sys/eventfd.h": LINUX, "sys/ioctl.h": ["runtime/io/sys_*.h"],
           "sys/auxv.h": [], "sys/random.h": [],
           "netinet/tcp.h": ["runtime/io/sys_posix.h"], "openssl/ssl.h": ["runtime/io/*"],
           "zlib.h": ["runtime/protocol/*"], "jansson.h": ["tools/ospreyc/runtime/osprey_rt_json.c"],
           "nats/nats.h": ["runtime/cluster/nats.c"]}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def matches(name, patterns):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def part_of(name):
    return next((part for part in PARTS if matches(name, part[1])), None)


def resolve(root, path, quoted):
    """Finds the file of a quoted include: beside the includer, else the path in the tree that ends with its name."""
    beside = (path.parent / quoted).resolve()
    if beside.is_file():
        return str(beside.relative_to(root))
    tail = "/" + quoted.removeprefix("./")
    tops = ("spec", "runtime", "codegen", "tools", "tests")
    found = sorted(str(p.relative_to(root)) for top in tops for p in (root / top).rglob(pathlib.Path(quoted).name))
    return next((name for name in found if ("/" + name).endswith(tail)), None)


def check_include(root, path, quoted, system):
    """The fault of one include, or None."""
    name = str(path.relative_to(root))
    part, _, below, systems = part_of(name)
    if system is not None:
        only = next((files for header, files in ONLY_IN.items() if fnmatch.fnmatchcase(system, header)), ["*"])
        if not matches(name, only):
            return f"<{system}> may only be included by {' '.join(only) or 'no file'}"
        return None if matches(system, systems) else f"{part} may not include <{system}>"
    target = resolve(root, path, quoted)
    if target is None:
        return None if quoted == "config.h" else f'there is no file "{quoted}"'
    if target.startswith("spec/"):
        return None
    target_part = part_of(target)
    if target_part is None:
        return f"{part} may not include {target}"
    allowed = target_part[0] == part or target_part[0] in below
    return None if allowed else f"{part} may not include {target} ({target_part[0]})"


def check_file(root, path):
    name, faults, quoted_seen = str(path.relative_to(root)), [], []
    lines = path.read_text().splitlines()
    for line_number, line in enumerate(lines, 1):
        include = INCLUDE.match(line)
        if include is None:
            continue
        if include[1]:
            quoted_seen.append(pathlib.Path(include[1]).name)
        fault = check_include(root, path, include[1], include[2])
        if fault:
            faults.append(f"{name}:{line_number}: {fault}")
    if path.suffix == ".h" and "#pragma once" not in lines:
        faults.append(f"{name}: lacks #pragma once")
    own = path.with_suffix(".h")
    if path.suffix == ".c" and own.is_file() and quoted_seen[:1] != [own.name]:
        faults.append(f"{name}: does not include its own header, {own.name}, first")
    return faults


def main(root):
    faults, count = [], 0
    for top in ("runtime", "codegen", "tools"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in (".c", ".h", ".cpp") or "bench" in path.parts:
                continue
            count += 1
            if part_of(str(path.relative_to(root))) is None:
                faults.append(f"{path.relative_to(root)}: belongs to no part")
            else:
                faults += check_file(root, path)
    for fault in faults:
        print(fault)
    print(f"{count} files, {len(faults)} faults")
    return 1 if faults else 0


sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
