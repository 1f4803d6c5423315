#!/usr/bin/python3
"""The runtime makes every allocation and system call through a wrapper that a test build can make fail (FAULT-2).

Only the files of WRAPPERS contain the calls. The host library and the compatibility library are not part of the
runtime. Calls that cannot fail (clocks, signal handlers, locks) need no wrapper.

Usage: wrappers.py ROOT
"""
import pathlib
import re
import sys

WRAPPERS = {"runtime/base/mem.h", "runtime/base/tree.h", "runtime/osprey/hooks.h", "runtime/conn/random.c",
            "runtime/io/sys.h", "runtime/io/sys_linux.h", "runtime/io/sys_posix.h"}
# A failure to log is ignored.
WAIVED = {("runtime/osprey/log.c", call) for call in ("write", "poll", "send", "open", "close")}
APART = ("runtime/osprey/osprey_mem.", "runtime/abi/osp_ws_compat.")
CALLS = """\
malloc calloc realloc reallocarray aligned_alloc posix_memalign strdup strndup asprintf vasprintf free osp_alloc
osp_alloc_tagged osp_alloc_tagged_noinit socket bind listen accept accept4 connect setsockopt getsockopt getsockname
getpeername recv recvfrom recvmsg send sendto sendmsg shutdown close read write readv writev epoll_create
epoll_create1 epoll_ctl epoll_wait poll ppoll select eventfd pipe pipe2 open openat fopen dup dup2 fcntl ioctl
timerfd_create signalfd pthread_create getaddrinfo getrandom RAND_bytes tsearch""".split()
CALL = re.compile(r"(?<![\w.>])(" + "|".join(CALLS) + r")\s*\(")
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)


def bare_calls(path):
    """The line and name of each call. A declaration, which starts with a type, is not a call."""
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
            faults += [f"{name}:{line}: {call} is called without its wrapper" for line,
                       call in found if (name, call) not in WAIVED]
    if not {"malloc", "osp_alloc", "recv", "epoll_wait", "RAND_bytes"} <= seen:
        faults.append("the files of WRAPPERS do not contain the expected calls")
    print("\n".join([*faults, f"{len(faults)} faults"]))
    return 1 if faults else 0


sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
