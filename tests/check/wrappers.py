#!/usr/bin/python3
"""Every allocation and every system call of the runtime goes through a wrapper that a test build can make fail: what
FAULT-2 promises of each is tested of each.

The calls themselves stand in the files of WRAPPERS and nowhere else. The host library and the compatibility library are
programs' and not the runtime's. Not counted: what cannot fail (clocks, signal handlers, locks).

Usage: wrappers.py ROOT
"""
import pathlib
import re
import sys

WRAPPERS = {"runtime/base/mem.h", "runtime/osprey/hooks.h", "runtime/io/sys.h", "runtime/conn/random.c"}
WAIVED = {("runtime/osprey/log.c", "write"), ("runtime/osprey/log.c", "poll")}   # a log that cannot be written is no failure
APART = ("runtime/osprey/osprey_mem.", "runtime/abi/osp_ws_compat.")
CALLS = """malloc calloc realloc reallocarray aligned_alloc posix_memalign strdup strndup asprintf vasprintf free
osp_alloc osp_alloc_tagged osp_alloc_tagged_noinit
socket bind listen accept accept4 connect setsockopt getsockopt getsockname getpeername recv recvfrom recvmsg send sendto sendmsg
shutdown close read write readv writev epoll_create epoll_create1 epoll_ctl epoll_wait poll ppoll select eventfd pipe pipe2 open openat
fopen dup dup2 fcntl ioctl timerfd_create signalfd pthread_create getaddrinfo getrandom RAND_bytes""".split()
CALL = re.compile(r"(?<![\w.>])(" + "|".join(CALLS) + r")\s*\(")
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)


def bare_calls(path):
    """Line and name of each call that goes past the wrappers. Declarations of a hook are no calls: they begin with a type."""
    text = COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), path.read_text())
    return [(text.count("\n", 0, match.start()) + 1, match[1]) for match in CALL.finditer(text)]


def main(root):
    faults, seen = [], set()
    for path in sorted((root / "runtime").rglob("*.[ch]")):
        name = str(path.relative_to(root))
        if name.startswith(APART):
            continue
        found = bare_calls(path)
        if name in WRAPPERS:
            seen.update(call for _, call in found)
        else:
            faults += [f"{name}:{line}: {call} goes past its wrapper" for line, call in found if (name, call) not in WAIVED]
    if not {"malloc", "osp_alloc", "recv", "epoll_wait", "RAND_bytes"} <= seen:
        faults.append("the wrappers are not where this check looks for them")
    print("\n".join([*faults, f"{len(faults)} faults"]))
    return 1 if faults else 0


sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
