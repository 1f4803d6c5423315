#!/usr/bin/python3
"""Sends many messages through an Osprey echo program and checks its memory.

    soak.py OSPREYC SANITIZERS COUNT

After the last tenth of the messages, the resident memory must be within 1 % or 512 KiB of that after the first tenth.
The full test has ten million messages; sample.py explains COUNT. Tests RUN-MEM-7 over time. A sanitizer delays the
reuse of freed memory, so a sanitized build does not check the growth.
"""
import sys
import tempfile
import time

from osprey_process import PROGRAMS, Failure, compile_program, free_port, started

sys.path.append(str(PROGRAMS.parent))
from sample import size   # noqa: E402

ALLOWED_KIB = 512
ALLOWED_SHARE = 0.01


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    raise Failure("no resident memory")


def main():
    ospreyc, sanitizers, count = sys.argv[1], sys.argv[2], size(sys.argv[3])
    interval = count // 10
    with tempfile.TemporaryDirectory() as scratch:
        executable = compile_program(ospreyc, PROGRAMS / "echo_soak.osp", scratch)
        resident = []
        begin = time.monotonic()
        with started(executable, free_port(), count, interval) as process:
            for tenth in range(1, 11):
                process.wait_for(f"{tenth * interval} messages", limit=60 + interval / 1000)
                resident.append(resident_kib(process.child.pid))
                print(f"{tenth * interval} messages, {time.monotonic() - begin:.1f} s, {resident[-1]} KiB", flush=True)
            process.say("\n")
            process.wait_for("Done")
            process.finish()
    grown = resident[-1] - resident[0]
    if sanitizers == "none" and grown > max(ALLOWED_KIB, ALLOWED_SHARE * resident[0]):
        raise Failure(f"grew by {grown} KiB: {resident}")
    first, last = resident[0], resident[-1]
    print(f"resident memory: {first} KiB after the first tenth, {last} KiB after the last ({grown:+} KiB)")


main()
