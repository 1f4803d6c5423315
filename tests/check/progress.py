#!/usr/bin/python3
"""tools/run and tools/test show on a terminal what they do. In a pipe they are silent, unless it fails.

Usage: progress.py ROOT
"""
import contextlib
import os
import pty
import subprocess
import sys

BUILDS = "quietly printf '[1/2] compiles a\\n[2/2] links b\\n'"
FAILS = "quietly sh -c 'echo [1/2] compiles a; echo no such file; exit 3'"


def run(root, script, stderr):
    """Runs a script like tools/run. Returns its exit status and its standard output."""
    done = subprocess.run(["bash", "-c", f"set -euo pipefail; . tools/lib.sh; ME=tools/run; {script}"], cwd=root,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, timeout=60, check=False)
    return done.returncode, done.stdout


def in_pipe(root, script):
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as cat:
        status = run(root, script, cat.stdin)
        return status, cat.communicate()[0].decode()


def on_terminal(root, script):
    ours, theirs = pty.openpty()
    status = run(root, script, theirs)
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):   # EIO: all is read
        while data := os.read(ours, 65536):
            said += data
    os.close(ours)
    return status, said.decode()


def main(root):
    clear = "\r\x1b[K"
    shown = f"{clear}tools/run: [1/2] compiles a"
    assert in_pipe(root, BUILDS) == ((0, b""), ""), in_pipe(root, BUILDS)
    assert on_terminal(root, BUILDS) == ((0, b""), f"{shown}{clear}tools/run: [2/2] links b{clear}")
    (status, output), said = in_pipe(root, FAILS)
    assert (status, output) == (1, b"") and said.startswith("[1/2] compiles a\nno such file\ntools/run: failed: "), said
    (status, output), said = on_terminal(root, FAILS)
    assert (status, output) == (1, b"") and said.startswith(shown), said
    assert f"{clear}[1/2] compiles a\r\nno such file\r\ntools/run: failed: " in said, said
    print("4 runs, 0 faults")


main(sys.argv[1])
