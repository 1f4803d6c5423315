#!/usr/bin/python3
"""COST-1: what the server's loop thread executes for a message, counted by callgrind.

    cost.py [--only TEXT] [--write] [--profile FOLDER] ECHO COMPILER

Each piece of work runs in a process of its own: tools/bench/echo.osp with client.c, which explains how the counts come
to be the same each time. The count is of the rounds after the first few, so the start of the program is not in it.
figures.txt has the figures of the compiler that it names; with another compiler there is nothing to compare, and the
test is skipped. --write replaces the figures: the commit says why any of them rises. --profile keeps callgrind's files.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "conformance"))
from programs import free_port  # noqa: E402

FIGURES = pathlib.Path(__file__).with_name("figures.txt")
MORE = 1.03  # what a figure may grow by


class Work:
    """Connections, messages in flight on each, bytes, rounds before and in the count, and what client.c does."""

    def __init__(self, name, connections, in_flight, size, warm, rounds, word="text"):
        self.name, self.word = name, word
        self.numbers = (connections, in_flight, size, warm, rounds)
        # Rounds that open the connections alternate with rounds that drop them.
        self.messages = connections * in_flight * (rounds // 2 if word == "open" else rounds)


WORK = [
    Work("echo 16 B, 64 connections, 16 in flight", 64, 16, 16, 2, 20),
    Work("echo 16 B, 64 connections", 64, 1, 16, 4, 60),
    Work("echo 16 B, 1 connection", 1, 1, 16, 20, 1000),
    Work("echo 1 KiB", 64, 1, 1024, 2, 40),
    Work("echo 1 KiB of multi-byte characters", 64, 1, 1024, 2, 40, "multibyte"),
    Work("echo 64 KiB", 4, 1, 65536, 4, 20),
    Work("echo 64 KiB, binary", 4, 1, 65536, 4, 20, "binary"),
    Work("broadcast 128 B to 1,000, each", 1000, 1, 128, 2, 10, "broadcast"),
    Work("echo 1 KiB, compressed", 8, 1, 1024, 4, 20, "deflate"),
    Work("accept, handshake and end", 16, 1, 1, 4, 20, "open"),
    Work("echo 16 B over TLS", 16, 1, 16, 4, 60, "tls"),
]


def certificate(folder):
    files = [f"{folder}/certificate.pem", f"{folder}/key.pem"]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=localhost", "-out", files[0], "-keyout", files[1]],
                   check=True, stderr=subprocess.DEVNULL)
    return files


def count(work, echo, folder, profile):
    """Returns the instructions per message."""
    port = free_port()
    out = f"{profile}/{re.sub('[^a-zA-Z0-9]+', '-', work.name)}" if profile else "/dev/null"
    log = f"{folder}/{port}.log"
    arguments = [work.word] + (certificate(folder) if work.word == "tls" else [])
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--collect-atstart=no", f"--callgrind-out-file={out}",
         f"--log-file={log}", echo, str(port), *arguments],
        env={"PATH": os.environ["PATH"], "COST": " ".join(map(str, (port, *work.numbers, work.word)))},
        capture_output=True, text=True, timeout=500)
    collected = re.search(r"Collected : (\d+)", pathlib.Path(log).read_text())
    if done.returncode or not collected:
        raise SystemExit(f"{work.name}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return int(collected[1]) / work.messages


def read_figures():
    compiler, figures = None, {}
    for line in FIGURES.read_text().splitlines():
        if line.startswith("compiler: "):
            compiler = line.split(": ", 1)[1]
        elif line and not line.startswith("#"):
            figure, name = line.split(None, 1)
            figures[name] = int(figure)
    return compiler, figures


def write_figures(compiler, figures):
    comment = [line for line in FIGURES.read_text().splitlines() if line.startswith("#")]
    rows = [f"{round(figures[work.name]):9} {work.name}" for work in WORK]
    FIGURES.write_text("\n".join([*comment, f"compiler: {compiler}", *rows]) + "\n")


def report(figures, counts):
    """Prints the table. Returns the names of what costs too much."""
    over = []
    print(f"{'instructions per message':42} {'now':>9} {'figure':>9}")
    for name, now in counts.items():
        figure = figures.get(name)
        too_much = figure is None or now > MORE * figure
        over += [name] if too_much else []
        print(f"{name:42} {now:9.0f} {figure or '-':>9} {'too much' if too_much else ''}")
    return over


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--profile")
    parser.add_argument("echo")
    parser.add_argument("compiler")
    options = parser.parse_args()
    compiler, figures = read_figures()
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    chosen = [work for work in WORK if options.only in work.name]
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = dict(zip([work.name for work in chosen],
                          pool.map(lambda work: count(work, options.echo, folder, options.profile), chosen)))
    over = report(figures, counts)
    if options.write:
        write_figures(options.compiler, figures | counts)
        return 0
    if options.compiler != compiler:
        print(f"the figures are those of {compiler}; this is {options.compiler}")
        return 77
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
