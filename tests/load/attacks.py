#!/usr/bin/python3
"""What one hostile client costs: each attack beside a quiet client that echoes, as a table. The server of the npm
package ws stands beside it, if the package is installed.

Usage: attacks.py (PRESSURE_SERVER) NODE_MODULES NODE_SERVER [ATTACK...]     all attacks by default

A row of ours fails if the quiet client waits, or the server grows, by more than its bound. The bounds are for a busy
machine.
"""
import contextlib
import multiprocessing
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import zlib

TESTS = pathlib.Path(__file__).parent.parent
sys.path[:0] = [str(TESTS / "conformance"), str(TESTS / "programs"), str(TESTS / "pressure")]

from osprey_process import free_port, started   # noqa: E402
from pressure import flood   # noqa: E402
from programs import make_certificate   # noqa: E402
from wire import PING, TEXT, Silence, build_frame, open_client, request   # noqa: E402

SECONDS, PATIENCE = 4, 10
DEFLATE = [("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")]


def connect(port, headers=()):
    sock = socket.create_connection(("127.0.0.1", port))
    return open_client(sock, f"127.0.0.1:{port}", "/", headers)[0].sock


def send_for_ever(socks, data, listeners=()):
    """Writes the same bytes to each socket, and reads what comes back, also to the listeners."""
    sent = dict.fromkeys(socks, 0)
    for sock in [*socks, *listeners]:
        sock.setblocking(False)
    while True:
        for sock in socks:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                sent[sock] = (sent[sock] + sock.send(data[sent[sock]:])) % len(data)
        for sock in [*socks, *listeners]:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                sock.recv(1 << 18)
        time.sleep(0.001)


def messages(port):
    flood(port, 100, b"x" * 20)


def large(port):
    """Messages of 1 MiB, which come back."""
    send_for_ever([connect(port) for _ in range(100)], build_frame(TEXT, b"x" * 1048575, mask=b"abcd"))


def pings(port):
    send_for_ever([connect(port) for _ in range(100)], build_frame(PING, b"x" * 20, mask=b"abcd") * 2000)


def bombs(port):
    """Messages of 1 MiB in 1,033 bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = (packer.compress(bytes(1048575)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    send_for_ever([connect(port, DEFLATE) for _ in range(10)], build_frame(TEXT, packed, rsv=4, mask=b"abcd") * 50)


def fragments(port):
    """Messages of 90,000 empty fragments."""
    def frame(head):
        return bytes([head, 0x80]) + b"abcd"
    send_for_ever([connect(port) for _ in range(100)], frame(1) + frame(0) * 90000 + frame(0x80))


def bomb_each(port):
    """One message of 1 MiB in 1,033 bytes from each of 500 new clients at once, again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = (packer.compress(bytes(1048575)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    frame = build_frame(TEXT, packed, rsv=4, mask=b"abcd")
    while True:
        socks = [connect(port, DEFLATE) for _ in range(500)]
        for sock in socks:
            sock.sendall(frame)
        for sock in socks:
            sock.recv(1)
            sock.close()


def large_broadcasts(port):
    """A message of 8 bytes makes the server send 1 MiB to each of 900 receivers that do not read, every second."""
    socks = [connect(port) for _ in range(900)]
    while True:
        socks[0].sendall(build_frame(TEXT, b"everyone", mask=b"abcd"))
        time.sleep(1)


def broadcasts(port):
    """A message of 8 bytes makes the server compress 1 MiB for each of 100 receivers that keep a context."""
    socks = [connect(port, DEFLATE) for _ in range(100)]
    send_for_ever(socks[:1], build_frame(TEXT, b"everyone", mask=b"abcd") * 50, listeners=socks[1:])


def rooms(port):
    """A room of 100 clients that send to it without pause."""
    socks = [connect(port) for _ in range(100)]
    for sock in socks:
        sock.sendall(build_frame(TEXT, b"join", mask=b"abcd"))
    send_for_ever(socks, build_frame(TEXT, b"room", mask=b"abcd") * 200)


def unfinished(port):
    """Messages that lack their last byte."""
    frame = build_frame(TEXT, b"x" * 1048575, mask=b"abcd")[:-1]
    socks = [connect(port) for _ in range(500)]
    for sock in socks:
        sock.sendall(frame)
    time.sleep(600)


def handshakes(port):
    """Handshakes of a byte a second."""
    socks = [socket.create_connection(("127.0.0.1", port)) for _ in range(500)]
    for byte in request(f"127.0.0.1:{port}", "/")[0]:
        for sock in socks:
            with contextlib.suppress(OSError):
                sock.send(bytes([byte]))
        time.sleep(1)


def refusals(port):
    """Requests for a path that is not served."""
    ask, _ = request(f"127.0.0.1:{port}", "/nowhere")
    while True:
        with contextlib.suppress(OSError):
            with socket.create_connection(("127.0.0.1", port)) as sock:
                sock.sendall(ask)
                sock.recv(4096)


def secured():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def hellos(port):
    """Over TLS: the same ClientHello on 400 connections at once, again and again."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        secured().wrap_bio(incoming, outgoing).do_handshake()
    hello = outgoing.read()
    while True:
        socks = [socket.create_connection(("127.0.0.1", port)) for _ in range(400)]
        for sock in socks:
            sock.sendall(hello)
        for sock in socks:
            sock.recv(1)
            sock.close()


# attack, connections, most milliseconds that the quiet client waits (p99), most MiB that the server grows by
ATTACKS = [(messages, 100, 500, 128), (large, 100, 500, 512), (pings, 100, 500, 128), (bombs, 10, 500, 128),
           (bomb_each, 500, 500, 640), (fragments, 100, 500, 128), (large_broadcasts, 900, 500, 128),
           (broadcasts, 100, 500, 128), (rooms, 100, 500, 128), (unfinished, 500, 500, 640),
           (handshakes, 500, 500, 64), (refusals, 1, 500, 64), (hellos, 400, 250, 64)]
SECURE = [hellos]
ALONE = [hellos, fragments]   # ws refuses so many fragments


def status(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return (int(fields[11]) + int(fields[12])) / 100, next(int(line.split()[1]) for line in lines if "VmHWM" in line)


def wait_for_echo(quiet):
    """Seconds until the echo, or until patience ends."""
    sent = time.monotonic()
    quiet.write(quiet.frame(TEXT, b"quick"))
    with contextlib.suppress(Silence):
        while (left := sent + PATIENCE - time.monotonic()) > 0:
            frame = quiet.read(left)
            if frame.payload == b"quick":
                break
            assert frame.payload == b"" or len(frame.payload) == 1 << 20, str(frame)   # a ping, or a broadcast
    return time.monotonic() - sent


def measure(attack, port, pid):
    """CPU as a share of a core, growth of memory in MiB, and the waits of the quiet client in milliseconds, sorted."""
    sock = socket.create_connection(("127.0.0.1", port))
    sock = secured().wrap_socket(sock) if attack in SECURE else sock
    quiet, waits = open_client(sock, f"127.0.0.1:{port}", "/")[0], []
    cpu_before, memory_before = status(pid)
    attacker = multiprocessing.Process(target=attack, args=(port,), daemon=True)
    attacker.start()
    begun = time.monotonic()
    while time.monotonic() - begun < SECONDS:
        waits.append(wait_for_echo(quiet) * 1000)
        time.sleep(0.005)
    cpu, memory = status(pid)
    attacker.kill()
    attacker.join()
    return (cpu - cpu_before) / (time.monotonic() - begun), (memory - memory_before) / 1024, sorted(waits)


@contextlib.contextmanager
def ours(program, secure):
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        tls = ("secure", *make_certificate(directory)) if secure else ()
        with started(program, port, "compression", 1, "maxConnectionsPerAddress", 0, *tls) as process:
            process.wait_for("listening")
            yield port, process.child.pid


@contextlib.contextmanager
def npm_ws(modules, script):
    command = ["node", script, str(pathlib.Path(modules).resolve())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        try:
            yield int(server.stdout.readline()), server.pid
        finally:
            server.kill()


def row(name, attack, connections, server):
    with server as (port, pid):
        cpu, memory, waits = measure(attack, port, pid)
    p99 = waits[len(waits) * 99 // 100]
    print(f"{attack.__name__:16} {connections:5} {name:7} {cpu * 100:5.0f} % {memory:7.1f} MiB {p99:8.1f} ms", end="")
    return p99, memory


def main(program, modules, script, *wanted):
    beside = shutil.which("node") and pathlib.Path(modules, "ws").is_dir()
    faults = 0
    print("attack           conns server      CPU      memory   quiet p99  bound")
    for attack, connections, most_ms, most_mib in ATTACKS:
        if wanted and attack.__name__ not in wanted:
            continue
        p99, memory = row("osprey", attack, connections, ours(program, attack in SECURE))
        kept = p99 <= most_ms and memory <= most_mib
        faults += not kept
        print(f"  {most_ms} ms, {most_mib} MiB: {'kept' if kept else 'EXCEEDED'}")
        if beside and attack not in ALONE:
            row("npm ws", attack, connections, npm_ws(modules, script))
            print()
    return 1 if faults else 0


sys.exit(main(*sys.argv[1:]))
