#!/usr/bin/python3
"""Compares the server with a bare TCP echo and with other WebSocket servers, on the same bytes in the same run.

    measure.py [--rounds N] [--only TEXT] [--spin] [--with NAME=COMMAND]... [--markdown] [--curve] [--svg FILE]
               FOLDER OSPREY_ECHO NODE_MODULES

Each piece of work runs on every server in turn, several times. A cell is the median of the server's CPU time per
message in microseconds (bytes, for idle connections). A ratio is the median of the ratios of the rounds, so that it
compares runs that were neighbours, with the least and the greatest. A row whose server is absent has no ratio. Servers
without a ratio run in the first round only.

A load generator that is faster than the server sleeps between replies, and the server pays for waking it. The baseline
keeps the load generator busy and may not pay. With --spin it never sleeps: fairer on an idle machine with two
processors.

--with adds a server, uWebSockets for one: a program that takes a port, then "broadcast" (each message to everyone),
"deflate", "deflate-fresh" (the same, asked for no context), "tls" with a certificate and a key, or nothing, and prints
"listening". --curve measures 10 to 10,000 connections too. --svg draws both.
"""
import argparse
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent.parent / "tests"))
from ports import free_port  # noqa: E402

BARE, OSPREY, IN_C, UWS = "bare", "Osprey", "C", "uWebSockets"
COMPARED = BARE, OSPREY, IN_C, UWS


class Work:
    """A row: what the servers do (mode), what ws_load does, and the aims of the ratio to other servers."""

    def __init__(self, name, options, mode="echo", unit="us", **aims):
        self.name, self.mode, self.unit, self.aims = name, mode, unit, aims
        self.options = [str(option) for option in options]

    def concerns(self, name):
        """The echo in C is Osprey's but for the language, so it has a row of its own; libwebsockets takes minutes to
        open some thousand connections."""
        if IN_C in self.aims or name == IN_C:
            return IN_C in self.aims and name in (IN_C, OSPREY, BARE)
        return name != "libwebsockets" or int(self.options[self.options.index("--connections") + 1]) <= 1000


def sized(size, connections, in_flight, messages, *more):
    return ["--size", size, "--connections", connections, "--in-flight", in_flight, "--messages", messages,
            "--kind", "ascii", *more]


def all_work():
    for connections in (1, 64, 1000):
        yield Work(f"16 B, {connections}", sized(16, connections, 1, 60000), uWebSockets=1.00)
    for connections in (1, 64, 1000):
        yield Work(f"16 B, {connections}, 16 in flight", sized(16, connections, 16, 400000), uWebSockets=1.00)
    yield Work("1 KiB, 64", sized(1024, 64, 1, 60000), bare=1.05)
    yield Work("1 KiB of multi-byte UTF-8, 64", sized(1024, 64, 1, 60000, "--kind", "multibyte"), uWebSockets=0.90)
    yield Work("64 KiB text, 8", sized(65536, 8, 1, 8000), bare=1.12)
    yield Work("64 KiB binary, 8", sized(65536, 8, 1, 8000, "--kind", "binary"), bare=1.30)
    yield Work("broadcast 128 B to 1,000", sized(128, 1000, 1, 200, "--broadcast"), "broadcast", bare=1.03)
    yield Work("broadcast 128 B, 16 in flight", sized(128, 1000, 16, 1600, "--broadcast"), "broadcast", bare=1.03)
    yield Work("broadcast 16 KiB to 1,000", sized(16384, 1000, 1, 100, "--broadcast"), "broadcast", bare=1.03)
    yield Work("TLS 16 B, 1", sized(16, 1, 1, 40000, "--tls"), "tls", bare=1.03)
    yield Work("TLS 16 B, 1, 16 in flight", sized(16, 1, 16, 400000, "--tls"), "tls", bare=1.03)
    yield Work("TLS 16 B, 200", sized(16, 200, 1, 40000, "--tls"), "tls", bare=1.03)
    yield Work("accept and handshake", sized(16, 50, 1, 4000, "--open"), bare=1.6)
    yield Work("accept and handshake over TLS", sized(16, 50, 1, 2000, "--open", "--tls"), "tls")
    yield Work("deflate 1 KiB JSON, contexts kept",
               sized(1024, 16, 1, 10000, "--kind", "json", "--deflate", "kept"), "deflate", uWebSockets=1.00)
    yield Work("deflate 1 KiB JSON, fresh contexts",
               sized(1024, 16, 1, 10000, "--kind", "json", "--deflate", "fresh"), "deflate-fresh", uWebSockets=1.00)
    yield Work("Osprey against C, 16 B, 64, 16 in flight", sized(16, 64, 16, 400000), C=1.05)
    yield Work("idle connection, of 9,000", sized(16, 9000, 1, 1, "--idle"), unit="bytes", uWebSockets=0.80)
    yield Work("idle connection over TLS, of 2,000", sized(16, 2000, 1, 1, "--idle", "--tls"), "tls", unit="bytes")
    yield Work("idle after one message", sized(16, 9000, 1, 1, "--idle-after-one"), unit="bytes", uWebSockets=0.95)


def curve_work():
    for connections in (10, 30, 100, 300, 1000, 3000, 10000):
        yield Work(f"{connections}", sized(16, connections, 1, max(40000, 6 * connections)))


class Programs:
    """The servers by name: a function that makes the command for a mode, or None if it has not got it."""

    def __init__(self, folder, osprey, modules, certificate, others):
        self.certificate = certificate
        modules = pathlib.Path(modules).resolve()
        ws, bun = str(modules / "ws"), next(modules.glob("@oven/*/bin/bun"))
        scripts = pathlib.Path(__file__).parent
        lws = [f"{folder}/echo_lws"] if os.access(f"{folder}/echo_lws", os.X_OK) else None
        self.commands = {BARE: [f"{folder}/bare_echo"], **{name: command.split() for name, command in others},
                         "Bun": [str(bun), str(scripts / "echo_bun.js")],
                         "ws": ["node", str(scripts / "echo_ws.js"), ws],
                         "libwebsockets": lws, IN_C: [f"{folder}/c_echo"], OSPREY: [osprey]}

    def command(self, name, mode, port):
        """None: the server cannot do this work."""
        words = {"echo": [], "tls": ["tls", *self.certificate]}.get(mode, [mode])
        if name == BARE:
            options = {"echo": [], "broadcast": ["--broadcast"], "tls": ["--tls", *self.certificate]}.get(mode)
            return None if options is None else [*self.commands[BARE], *options]
        if name == "libwebsockets" and mode not in ("echo", "tls") or name == IN_C and mode != "echo":
            return None
        # Asked for by the client, where the server leaves it to the client.
        if mode == "deflate-fresh" and name in (OSPREY, "ws"):
            words = ["deflate"]
        if mode == "deflate-fresh" and name == "Bun":
            return None
        return self.commands[name] and [*self.commands[name], str(port), *words]


@contextlib.contextmanager
def running(command, port):
    """The process and its port."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ, OSPREY_WS_LOG="error"))
    try:
        line = child.stdout.readline().strip()
        if not line.isdigit() and line != "listening":
            raise SystemExit(f"{' '.join(command)} does not listen: {line}")
        yield child, int(line) if line.isdigit() else port
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def cost(load, name, command, port, work, spin):
    """CPU nanoseconds (or bytes) per message, and the bytes of a reply."""
    options = list(work.options)
    if name == BARE:
        options.append("--bare")
        if work.mode == "broadcast":
            # The baseline returns the four bytes of the mask too, so its messages are four bytes shorter.
            at = options.index("--size") + 1
            options[at] = str(int(options[at]) - 4)
    with running(command, port) as (child, port):
        done = subprocess.run([load, "--port", str(port), "--pid", str(child.pid), *options, *["--spin"] * spin],
                              capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise SystemExit(f"{name}, {work.name}: {done.stderr}")
    fields = done.stdout.split()
    return float(fields[3]), float(fields[4])


class Row:
    def __init__(self, work):
        self.work = work
        self.costs = {}    # server -> of each round
        self.replies = {}  # server -> bytes

    def measure(self, programs, load, rounds, spin):
        for number in range(rounds):
            for name in programs.commands:
                if number > 0 and name not in COMPARED:
                    continue
                port = free_port()
                command = programs.command(name, self.work.mode, port)
                if command and self.work.concerns(name):
                    value, self.replies[name] = cost(load, name, command, port, self.work, spin)
                    self.costs.setdefault(name, []).append(value)

    def cell(self, name):
        """The median, in microseconds or bytes."""
        if name not in self.costs:
            return None
        median = statistics.median(self.costs[name])
        return median if self.work.unit == "bytes" else median / 1000

    def ratios(self, to):
        return sorted(a / b for a, b in zip(self.costs[OSPREY], self.costs.get(to, ())) if b > 0)

    def judge(self, to):
        """The ratio to a server in words, and whether the aim is met (None: there is no aim)."""
        ratios = self.ratios(to)
        if not ratios:
            return "", None
        median = statistics.median(ratios)
        aim = self.work.aims.get(to)
        return f"{median:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})", None if aim is None else median <= aim


def shown(value):
    """Three digits."""
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3g}"


class Table:
    """Prints rows as they come, in columns or as Markdown."""

    def __init__(self, names, markdown):
        self.names = [name for name in names if name != IN_C]
        self.markdown = markdown
        self.met = self.missed = 0
        head = ["work", *self.names, f"to {BARE}", f"to {UWS}", "aim"]
        self.line(head)
        if markdown:
            self.line(["---"] * len(head))

    def line(self, cells):
        if self.markdown:
            print("|", " | ".join(cells), "|", flush=True)
        else:
            print(f"{cells[0]:42}", *(f"{cell:>13}" for cell in cells[1:-3]),
                  *(f"{cell:>22}" for cell in cells[-3:-1]), f" {cells[-1]}", flush=True)

    def row(self, row):
        verdicts = []
        for to, aim in row.work.aims.items():
            text, met = row.judge(to)
            if met is not None:
                self.met += met
                self.missed += not met
                extra = "" if to in (BARE, UWS) else f": {text}"
                verdicts.append(f"{aim:.2f} {to}{extra}, {'met' if met else 'not met'}")
            else:
                verdicts.append(f"{aim:.2f} {to}")
        if row.work.mode.startswith("deflate"):
            verdicts.append("bytes of a reply " + ", ".join(f"{n} {row.replies[n]:.0f}" for n in row.replies))
        self.line([row.work.name, *(shown(row.cell(name)) for name in self.names), row.judge(BARE)[0],
                   row.judge(UWS)[0], "; ".join(verdicts)])


COLOURS = {BARE: "#9aa0a6", UWS: "#1f77b4", "Bun": "#d9a441", "ws": "#2ca02c", "libwebsockets": "#9467bd",
           OSPREY: "#d62728"}


def draw(rows, curve, file):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "font.size": 9, "svg.hashsalt": "osprey"})
    from matplotlib import pyplot
    rows = [row for row in rows if row.work.unit == "us" and row.costs.get(BARE)]
    names = [name for name in COLOURS if any(name in row.costs for row in rows)]
    figure, (bars, lines) = pyplot.subplots(1, 2, figsize=(11, 0.34 * len(rows) + 1.6), width_ratios=(3, 2))
    for at, row in enumerate(reversed(rows)):
        for name in names[1:]:
            if name in row.costs:
                ratio = statistics.median(a / b for a, b in zip(row.costs[name], row.costs[BARE]))
                bars.plot(ratio, at, "o", color=COLOURS[name], markersize=7 if name == OSPREY else 5)
    bars.axvline(1, color=COLOURS[BARE])
    bars.set(xscale="log", xlabel="CPU time of a message, of a bare TCP echo's", yticks=range(len(rows)),
             yticklabels=[row.work.name for row in reversed(rows)])
    ticks = [1, 1.5, 2, 3, 5, 10, 20]
    bars.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    bars.minorticks_off()
    for name in names:
        points = [(int(row.work.name), row.cell(name)) for row in curve if name in row.costs]
        if points:
            lines.plot(*zip(*points), "o-", color=COLOURS[name], label=name, markersize=4)
    lines.set(xscale="log", xlabel="connections", ylabel="CPU time of a 16-byte echo, microseconds")
    lines.set_ylim(0)
    lines.legend()
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})


def make_certificate(folder):
    files = [f"{folder}/certificate.pem", f"{folder}/key.pem"]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=localhost", "-out", files[0], "-keyout", files[1]],
                   check=True, stderr=subprocess.DEVNULL)
    return files


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--spin", action="store_true")
    parser.add_argument("--with", dest="others", action="append", default=[], type=lambda text: text.split("=", 1))
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--curve", action="store_true")
    parser.add_argument("--svg")
    for program in ("folder", "osprey_echo", "modules"):
        parser.add_argument(program)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        programs = Programs(options.folder, options.osprey_echo, options.modules, make_certificate(work),
                            options.others)
        load = f"{options.folder}/ws_load"
        table, rows, curve = Table(list(programs.commands), options.markdown), [], []
        for work in all_work():
            if options.only in work.name:
                rows.append(Row(work))
                rows[-1].measure(programs, load, options.rounds, options.spin)
                table.row(rows[-1])
        for work in curve_work() if options.curve else ():
            curve.append(Row(work))
            curve[-1].measure(programs, load, options.rounds, options.spin)
            table.row(curve[-1])
    print(f"{table.met} met, {table.missed} not met")
    if options.svg:
        draw(rows, curve, options.svg)
    return 0


if __name__ == "__main__":
    sys.exit(main())
