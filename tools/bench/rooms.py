#!/usr/bin/python3
"""A chat of 500 clients in 25 rooms for ten seconds: Osprey on one loop and on four, and Bun, in turn.

    rooms.py [--rounds N] [--seconds N] [--per-second N] ROOMS_LOAD OSPREY_ROOMS BUN BUN_PROGRAM

Each client sends ten messages a second, and everyone in its room receives them. A row is one run: what was received,
what was lost or out of order, how long half of the messages, 99 % and all took at most, and the CPU time of the server.
"""
import argparse
import os
import subprocess
import sys

from measure import free_port

CLIENTS, ROOMS = 500, 25


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(name, command, loops, arguments):
    port = free_port()
    server = subprocess.Popen([*command, str(port)], stdout=subprocess.PIPE, text=True,
                              env=dict(os.environ, OSPREY_WS_LOOPS=str(loops)))
    try:
        if server.stdout.readline().strip() != "listening":
            raise SystemExit(f"{name} does not listen")
        load = [arguments.load, port, CLIENTS, ROOMS, arguments.seconds, arguments.per_second]
        done = subprocess.run(list(map(str, load)), capture_output=True, text=True, timeout=300)
        used = cpu_seconds(server.pid)
    finally:
        server.terminate()
        server.wait(30)
    if not done.stdout:
        raise SystemExit(f"{name}: {done.stderr}")
    received, lost, disordered, half, most, longest = done.stdout.split()
    print(f"{name:18} {received:>9} {lost:>6} {disordered:>10} {half:>8} {most:>8} {longest:>8} {used:8.2f}",
          flush=True)
    return done.returncode


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--per-second", type=int, default=10)
    for program in ("load", "osprey", "bun", "bun_program"):
        parser.add_argument(program)
    arguments = parser.parse_args()
    print(f"{'server':18} {'received':>9} {'lost':>6} {'disordered':>10} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8} "
          f"{'CPU s':>8}")
    faults = 0
    for _ in range(arguments.rounds):
        faults += run("Osprey", [arguments.osprey], 1, arguments)
        faults += run("Osprey, 4 loops", [arguments.osprey], 4, arguments)
        faults += run("Bun", [arguments.bun, arguments.bun_program], 1, arguments)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
