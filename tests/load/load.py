#!/usr/bin/python3
"""Load on a server written in Osprey: many connections, slow and dying peers, short connections.

Usage: load.py LOAD (SERVER) [COUNT [MS]]     The test for LOAD is the function load_LOAD.

The numbers may be a sample and the full size (../sample.py).

The server is a separate process, so that each has its own limit of descriptors.
"""
import os
import pathlib
import resource
import signal
import subprocess
import sys
import time

TESTS = pathlib.Path(__file__).parent.parent
sys.path[:0] = [str(TESTS / "conformance"), str(TESTS / "programs"), str(TESTS)]

from deflate import DeflatePeer, parsed, spelled   # noqa: E402
from peer import Peer   # noqa: E402
from osprey_process import catches   # noqa: E402
from programs import Server   # noqa: E402
from sample import size   # noqa: E402
from wire import CLOSE, TEXT, open_client, request   # noqa: E402

SLOW_PEER = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from wire import TEXT, open_client
import socket
sock = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
wire, _ = open_client(sock, "127.0.0.1:" + sys.argv[2], "/echo")
whole = wire.frame(TEXT, b"x" * 1000000)
wire.write(whole[:500000])
print("half", flush=True)
time.sleep(600)
"""


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def resident_kib(server):
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def join(server):
    return open_client(server.connect(), server.host, "/echo")[0]


def echo(wire, text):
    wire.write(wire.frame(TEXT, text))
    frame = wire.read()
    assert frame is not None and frame.payload == text, (str(frame), text)


def leave(wire):
    wire.write(wire.frame(CLOSE, b"\x03\xe8"))
    frame = wire.read()
    assert frame is not None and frame.code == 1000, str(frame)
    assert wire.read() is None
    wire.close()


def wait_for(what, holds, seconds=20):
    """Waits until holds() is true."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)


def load_connections(server, count=10_000):
    """Many open connections all receive a broadcast. WS-BROADCAST-1, WS-LIMIT-1"""
    wires = [join(server) for _ in range(count // 10)]   # the server's one-time allocations are done
    before = resident_kib(server)
    wires += [join(server) for _ in range(count - len(wires))]
    each = (resident_kib(server) - before) * 1024 / (count - count // 10)
    wires[0].write(wires[0].frame(TEXT, b"all"))
    for wire in wires:
        frame = wire.read(60)
        assert frame is not None and frame.payload == b"to all", str(frame)
    print(f"{count} connections received the broadcast; {each:.0f} bytes per idle connection")
    for wire in wires:
        wire.close()


def load_cycles(server, count=100_000):
    """Closed connections leave no descriptor and no memory behind. WS-SEC-11"""
    for _ in range(1000):
        leave(join(server))
    open_before, memory_before = descriptors(server), resident_kib(server)
    for i in range(count):
        wire = join(server)
        if i % 3 == 0:
            echo(wire, b"hello")
        if i % 2:
            leave(wire)
        else:
            wire.close()
    wait_for("the descriptors are closed", lambda: descriptors(server) <= open_before)
    grown = resident_kib(server) - memory_before
    print(f"{count} connections: {descriptors(server) - open_before} descriptors and {grown} KiB more")
    assert grown < 1024, grown


def join_compressing(server, offer):
    wire, answered = open_client(server.connect(), server.host, "/echo", [("Sec-WebSocket-Extensions", spelled(offer))])
    return DeflatePeer(wire, parsed(answered["sec-websocket-extensions"]))


def load_broadcast(server, count=1000):
    """A broadcast reaches every receiver, with any compression parameters or none. WS-BROADCAST-1, DEFLATE-12"""
    forgetful = {"server_no_context_takeover": True}
    offers = [{}, forgetful, {**forgetful, "server_max_window_bits": 9}, {"server_max_window_bits": 12},
              {**forgetful, "server_max_window_bits": 9}]
    peers = [Peer(join(server)) if i % 6 == 5 else join_compressing(server, offers[i % 6]) for i in range(count)]
    for times in range(1, 4):
        peers[0].text(b"all")
        for peer in peers:
            peer.message(TEXT, b"to all")
            assert getattr(peer, "compressed_answers", times) == times
    for peer in peers:
        leave(peer.wire)
    print(f"three broadcasts reached {count} connections, with five kinds of compression and without")


def compressing(server, count, offer):
    """Opens connections with compression and sends on each. Returns the memory of each in KiB."""
    before = resident_kib(server)
    peers = [join_compressing(server, offer) for _ in range(count)]
    for i, peer in enumerate(peers):
        text = b"".join(b"%d, said %d; " % (n * i, n) for n in range(8000))
        peer.compressed(TEXT, text)
        peer.echoes(TEXT, text)
    each = (resident_kib(server) - before) / count
    for peer in peers:
        leave(peer.wire)
    return each


def load_compression(server, count=1000):
    """The memory of connections with compression is as specified: DEFLATE-10, DEFLATE-11"""
    forgetful = compressing(server, count, {"server_no_context_takeover": True, "client_no_context_takeover": True})
    narrow = compressing(server, count, {"server_max_window_bits": 10, "client_max_window_bits": 10})
    whole = compressing(server, count, {})
    print(f"{count} connections with compression use {whole:.0f} KiB each, with 10-bit windows {narrow:.0f} KiB, "
          f"without context takeover {forgetful:.1f} KiB")
    # Shared by all connections: the loop's buffers, a compressor, and the current message.
    shared = 4096 / count
    assert whole <= 40 + 200 + 8 + shared, whole
    assert narrow <= 9 + 28 + 8 + shared, narrow
    assert forgetful <= 4 + shared, forgetful


def send_bytes(sock, data):
    try:
        sock.sendall(data)
    except OSError:
        pass   # the server dropped the connection, as the test expects


def starved(server):
    """Seconds for which the server and this process could run, but had no processor."""
    threads = pathlib.Path(f"/proc/{server.process.pid}/task").glob("*/schedstat")
    return sum(int(path.read_text().split()[1]) for path in [*threads, pathlib.Path("/proc/self/schedstat")]) / 1e9


def load_slow(server, count=100, pause_ms=1000):
    """Peers that send one byte per second delay nobody. Handshakes that slow are dropped. WS-LIMIT-11, WS-SEC-11"""
    ask, _ = request(server.host, "/echo")
    handshakes = [server.connect() for _ in range(count)]
    wires = [join(server) for _ in range(count)]
    frames = [wire.frame(TEXT, b"x" * 50) for wire in wires]
    busy, longest = join(server), 0
    for tick in range(24):   # far longer than the time limit of 3 s for a handshake
        for sock in handshakes:
            send_bytes(sock, ask[tick:tick + 1])
        for wire, frame in zip(wires, frames):
            wire.write(frame[tick:tick + 1])
        begun, lost = time.monotonic(), starved(server)
        for _ in range(200):
            echo(busy, b"quick")
        longest = max(longest, time.monotonic() - begun - (starved(server) - lost))
        time.sleep(pause_ms / 1000)
    assert longest < 2, f"200 messages took {longest:.1f} s"
    for sock in handshakes:
        sock.settimeout(5)
        try:
            while sock.recv(4096):
                pass
        except ConnectionError:
            pass
    for wire, frame in zip(wires, frames):
        wire.write(frame[24:])
        heard = wire.read()
        assert heard is not None and heard.payload == b"x" * 50, str(heard)
        wire.close()
    print(f"at one byte per {pause_ms} ms, {count} slow handshakes were dropped, {count} slow messages were echoed, "
          f"and 200 messages took at most {longest * 1000:.0f} ms")


def load_kill(server, count=20):
    """A peer killed in the middle of a message ends only its own connection. WS-ONCLOSE-3, WS-SEC-11"""
    wire = join(server)
    # Behind its "listening" comes websocketKeepAlive, which has descriptors of its own.
    wait_for("the program waits for signals", lambda: catches(server.process.pid, signal.SIGTERM))
    open_before = descriptors(server)
    for _ in range(count):
        peer = subprocess.Popen([sys.executable, "-c", SLOW_PEER,
                                 str(TESTS / "conformance"), str(server.port)], stdout=subprocess.PIPE)
        try:
            assert peer.stdout.readline() == b"half\n"
            wait_for("its descriptor is open", lambda: descriptors(server) == open_before + 1)
        finally:
            peer.send_signal(signal.SIGKILL)
            peer.wait()
        assert server.process.stdout.readline() == b"ended 1006\n"
        wait_for("its descriptor is closed", lambda: descriptors(server) == open_before)
        echo(wire, b"still here")
    wire.close()
    print(f"{count} peers were killed in the middle of a message")


def main():
    load, program, *numbers = sys.argv[1:]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    run = globals()["load_" + load]
    server = Server([program], None)
    if load != "kill":
        drain(server)
    run(server, *map(size, numbers))
    assert server.alive()
    assert server.stop() == 0


def drain(server):
    """Discards the output of the server."""
    subprocess.Popen(["cat"], stdin=server.process.stdout, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
