#!/usr/bin/python3
"""Shows how the clients that a server loses at one moment come back (WS-RECONNECT-2).

    reconnect.py [--clients N] [--first MS] [--longest MS] OSPREYC

A process of N clients (stay.osp) connects to a server of this script, which resets all of them at once, and from then
on closes every connection that it accepts. For each of a client's first attempts it prints how many clients came in
each tenth of the bound of their delay, counted from the moment at which the client was lost or turned away: with full
jitter, about a tenth in each, and on a busy machine some later. The last lines have all attempts over time.
"""
import argparse
import asyncio
import base64
import collections
import contextlib
import hashlib
import os
import pathlib
import resource
import subprocess
import tempfile
import time

ATTEMPTS = 4
PARTS = 10


def field(head, name):
    return next(line.split(b":", 1)[1].strip() for line in head.split(b"\r\n") if line.lower().startswith(name))


class Crowd:
    """The clients as the server sees them."""

    def __init__(self):
        self.writers = {}
        self.turned_away = {}  # when, by the client's number
        self.delays = collections.defaultdict(list)  # of each client, in seconds
        self.lost, self.arrivals = None, []

    async def serve(self, reader, writer):
        now = time.monotonic()
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            number = field(head, b"x-number")
            if self.lost is None:
                self.admit(number, head, writer)
                return
            self.arrivals.append(now - self.lost)
            self.delays[number].append(now - self.turned_away[number])
            self.turned_away[number] = time.monotonic()
        writer.transport.abort()

    def admit(self, number, head, writer):
        digest = hashlib.sha1(field(head, b"sec-websocket-key") + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n")
        self.writers[number] = writer

    def lose_all(self):
        self.lost = time.monotonic()
        for number, writer in self.writers.items():
            self.turned_away[number] = time.monotonic()
            writer.transport.abort()


async def measure(options, executable):
    crowd = Crowd()
    server = await asyncio.start_server(crowd.serve, "127.0.0.1", 0, backlog=4096)
    port = server.sockets[0].getsockname()[1]
    child = await asyncio.create_subprocess_exec(
        executable, str(port), str(options.clients), str(options.first), str(options.longest),
        stdout=subprocess.PIPE, env=dict(os.environ, OSPREY_WS_LOG="error"))
    try:
        line = (await child.stdout.readline()).decode().strip()
        if line != "connected":
            raise SystemExit(f"the clients did not connect: {line}")
        crowd.lose_all()
        await asyncio.sleep(sum(bounds(options)) / 1000 + 0.5)
        return crowd
    finally:
        child.kill()
        await child.wait()
        server.close()


def bounds(options):
    return [min(options.first << attempt, options.longest) for attempt in range(ATTEMPTS)]


def report(options, crowd):
    print(f"{options.clients} clients lost at one moment: of each attempt, how many came in each tenth of its bound")
    for attempt, bound in enumerate(bounds(options)):
        delays = [delays[attempt] * 1000 for delays in crowd.delays.values() if len(delays) > attempt]
        tenths = collections.Counter(min(PARTS, int(delay * PARTS / bound)) for delay in delays)
        print(f"  attempt {attempt + 1}, 0 to {bound:5} ms: {' '.join(f'{tenths[part]:4}' for part in range(PARTS))}, "
              f"later {tenths[PARTS]}")
    step = options.first / PARTS / 1000
    slices = collections.Counter(int(at / step) for at in crowd.arrivals)
    print(f"all attempts, in steps of {step * 1000:.0f} ms:")
    print("  " + " ".join(str(slices[at]) for at in range(2 * PARTS)) + " ...")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--first", type=int, default=4000)
    parser.add_argument("--longest", type=int, default=8000)
    parser.add_argument("ospreyc")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory() as scratch:
        executable = os.path.join(scratch, "stay")
        source = pathlib.Path(__file__).parent / "stay.osp"
        subprocess.run([options.ospreyc, source, "-O2", "-o", executable], check=True)
        crowd = asyncio.run(measure(options, executable))
    report(options, crowd)


main()
