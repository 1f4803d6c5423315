#!/usr/bin/python3
"""Compiles an Osprey program at -O0 and -O2, runs it, and compares its behaviour with the files beside it.

    run_program.py OSPREYC PROGRAM.osp [TEXT=REPLACEMENT]

PROGRAM.expected is its standard output. Optionally, PROGRAM.stdin is its input, PROGRAM.args are its arguments, and
PROGRAM.live is the number of blocks that its globals keep live at exit (default 0). A replacement, as of a depth, is
made in the source. The stack is 256 KiB, which detects
tail calls that grow it.
"""
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

from osprey_process import EMULATOR, ENVIRONMENT

TIME_LIMIT = 120
STACK_LIMIT = 256 * 1024


def beside(program, suffix, default=""):
    path = program.with_suffix(suffix)
    return path.read_text() if path.exists() else default


def limit_stack():
    resource.setrlimit(resource.RLIMIT_STACK, (STACK_LIMIT, STACK_LIMIT))


def compile_program(ospreyc, program, level, output):
    done = subprocess.run([ospreyc, program, f"-O{level}", "-o", output], capture_output=True, text=True,
                          timeout=TIME_LIMIT)
    if done.returncode != 0 or done.stderr:
        sys.exit(f"{program} does not compile at -O{level} ({done.returncode}):\n{done.stdout}{done.stderr}")


def differs(what, expected, observed):
    if expected == observed:
        return False
    print(f"{what}: expected\n{expected}\n{what}: observed\n{observed}")
    return True


def check(program, level, executable):
    done = subprocess.run([*EMULATOR, executable, *beside(program, ".args").split()], input=beside(program, ".stdin"),
                          capture_output=True, text=True, timeout=TIME_LIMIT, env=ENVIRONMENT, preexec_fn=limit_stack)
    live = int(beside(program, ".live", "0"))
    wrong = [differs(f"-O{level} standard output", beside(program, ".expected"), done.stdout),
             differs(f"-O{level} standard error", f"osprey: {live} blocks live at exit\n", done.stderr),
             differs(f"-O{level} exit status", 0, done.returncode)]
    return not any(wrong)


def main():
    ospreyc, program = sys.argv[1], pathlib.Path(sys.argv[2])
    before, _, after = sys.argv[3].partition("=") if sys.argv[3:] else ("", "", "")
    good = True
    for level in (0, 2):
        with tempfile.TemporaryDirectory() as scratch:
            executable = os.path.join(scratch, program.stem)
            source = pathlib.Path(scratch, program.name)
            source.write_text(program.read_text().replace(before, after) if before else program.read_text())
            compile_program(ospreyc, source, level, executable)
            good &= check(program, level, executable)
    sys.exit(0 if good else 1)


main()
