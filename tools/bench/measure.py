#!/usr/bin/python3
"""Compares the server's CPU time with that of a bare TCP echo on the same bytes in the same run.

    measure.py [--rounds N] [--only TEXT] [--spin] BARE_ECHO WS_LOAD OSPREY_ECHO C_ECHO

Each workload runs on the baseline and on the server alternately, several times. The cheapest run of each counts,
because other load only adds. A row has both costs in nanoseconds of CPU time per message, their ratio, and the limit of
the ratio.

A load generator that is faster than the server sleeps between replies, and the server pays for waking it. The baseline
keeps the load generator busy and may not pay. With --spin it never sleeps: fairer on an idle machine with two
processors.
"""
import argparse
import contextlib
import os
import socket
import subprocess
import sys


class Server:
    """A server process and the port it listens on."""

    def __init__(self, command, port=None):
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                                      env=dict(os.environ, OSPREY_WS_LOG="error"))
        line = self.child.stdout.readline().strip()
        if port is None and line.isdigit():
            port = int(line)
        elif line != "listening":
            raise SystemExit(f"{command[0]} does not listen: {line}")
        self.port = port

    def stop(self):
        self.child.terminate()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(*command, with_port=False):
    port = free_port() if with_port else None
    command = [command[0], str(port), *command[1:]] if with_port else list(command)
    server = Server(command, port)
    try:
        yield server
    finally:
        server.stop()


def echo_work():
    for size, kind, limit, total in ((16, "ascii", 1.05, 60000), (1024, "ascii", 1.05, 50000),
                                     (65536, "ascii", 1.15, 5000), (65536, "multibyte", 1.15, 5000),
                                     (1048576, "ascii", 1.15, 300)):
        for connections in (1, 64, 1000) if size <= 1024 else (1, 8):
            for in_flight in (1, 16) if size <= 1024 else (1,):
                messages = total * (6 if in_flight > 1 and size == 16 else 2 if in_flight > 1 else 1)
                yield (f"echo {size} {kind}, {connections} x {in_flight}", limit,
                       ["--size", size, "--kind", kind, "--connections", connections, "--in-flight", in_flight,
                        "--messages", messages])


def broadcast_work():
    for size in (64, 1024, 16384):
        for in_flight in (1, 16):
            messages = 200 if in_flight == 1 or size > 64 else 800
            yield (f"broadcast {size} to 1000 x {in_flight}", 1.05, size,
                   ["--size", size, "--kind", "ascii", "--connections", 1000, "--in-flight", in_flight, "--messages",
                    messages, "--broadcast"])


class Table:
    def __init__(self, load, rounds, only, spin):
        self.load, self.rounds, self.only = load, rounds, only
        self.extra = ["--spin"] if spin else []
        self.over = 0
        print(f"{'work':40} {'baseline':>10} {'server':>10} {'ratio':>6} {'limit':>6}")

    def wanted(self, name):
        return self.only in name

    def cost(self, server, options):
        command = [self.load, "--port", server.port, "--pid", server.child.pid, *self.extra, *options]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, command))}\n{done.stderr}")
        return float(done.stdout.split()[3])

    def row(self, name, limit, baseline, baseline_options, server, options):
        costs = [(self.cost(baseline, baseline_options), self.cost(server, options)) for _ in range(self.rounds)]
        limit_cost, cost = (min(column) for column in zip(*costs))
        ratio = cost / limit_cost
        self.over += ratio > limit
        over = " over" if ratio > limit else ""
        print(f"{name:40} {limit_cost:10.0f} {cost:10.0f} {ratio:6.2f} {limit:6.2f}{over}", flush=True)


def measure_echo(table, programs):
    with running(programs.bare_echo) as bare, running(programs.osprey_echo, with_port=True) as osprey, \
            running(programs.c_echo, with_port=True) as in_c:
        for name, limit, options in echo_work():
            if table.wanted(name):
                table.row(name, limit, bare, ["--bare", *options], osprey, options)
        for size, messages in ((16, 300000), (65536, 5000)):
            name = f"Osprey against C, echo {size}, 64 x 16"
            options = ["--size", size, "--kind", "ascii", "--connections", 64, "--in-flight", 16, "--messages",
                       messages]
            if table.wanted(name):
                table.row(name, 1.1, in_c, options, osprey, options)
        options = ["--open", "--connections", 50, "--messages", 3000]
        if table.wanted("open"):
            table.row("open", 1.8, bare, ["--bare", *options], osprey, options)


def measure_broadcast(table, programs):
    for name, limit, size, options in broadcast_work():
        if not table.wanted(name):
            continue
        # The baseline returns the four bytes of the mask too, so its messages are four bytes shorter.
        bare_options = ["--bare", *options]
        bare_options[bare_options.index("--size") + 1] = size - 4
        with running(programs.bare_echo, "--broadcast") as bare, \
                running(programs.osprey_echo, "broadcast", with_port=True) as osprey:
            table.row(name, limit, bare, bare_options, osprey, options)


def measure_idle(table, programs):
    if not table.wanted("idle"):
        return
    with running(programs.osprey_echo, with_port=True) as osprey:
        resident = table.cost(osprey, ["--idle", "--connections", 9000])
    table.over += resident > 256
    over = " over" if resident > 256 else ""
    print(f"{'idle connection, bytes resident':40} {'':10} {resident:10.0f} {'':6} {256:6}{over}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--spin", action="store_true")
    for program in ("bare_echo", "ws_load", "osprey_echo", "c_echo"):
        parser.add_argument(program)
    programs = parser.parse_args()
    table = Table(programs.ws_load, programs.rounds, programs.only, programs.spin)
    measure_echo(table, programs)
    measure_broadcast(table, programs)
    measure_idle(table, programs)
    print(f"{table.over} over the limit" if table.over else "all within their limits")
    return 0


if __name__ == "__main__":
    sys.exit(main())
