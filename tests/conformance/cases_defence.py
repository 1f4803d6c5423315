"""Attacks that other implementations failed: hostile lengths, floods, vanished peers. Each case ends with a check that
the program still works.

WS-SEC-4, FRAME-4, WS-SEC-6, WS-SEC-11, MSG-7, MSG-8, WS-LIMIT-14, WS-CONNECTWITH-6
"""
import os
import socket
import struct

from cases import Group
from wire import BINARY, CLOSE, CONTINUATION, PING, TEXT, build_frame, open_client, read_head, request

MIB = 1 << 20
CAP = 32 * MIB   # of the echo programs

group = Group("20", "hostile frames")
for title, size in (("2^32", 1 << 32), ("2^32 - 1", (1 << 32) - 1), ("2^31", 1 << 31), ("2^40", 1 << 40),
                    ("2^63 - 1", (1 << 63) - 1),
                    ("one more than the cap", CAP + 1)):
    for opcode in (TEXT, BINARY):
        def announced(peer, size=size, opcode=opcode):
            bit = 0x80 if peer.wire.masked else 0
            peer.wire.write(bytes([0x80 | opcode, bit | 127]) + struct.pack(">Q", size) + (b"mask" if bit else b""))
            peer.fails(1009)
        group.add(f"a frame that announces {title} bytes, opcode {opcode}", announced)


@group.case("small fragments that exceed the cap in total")
def fragments_over_cap(peer):
    for i in range(CAP // MIB):
        peer.send(CONTINUATION if i else BINARY, bytes(MIB), fin=False)
    peer.part(CONTINUATION, b"", 1, fin=False)
    peer.fails(1009)


@group.case("100,001 empty fragments")
def empty_fragments(peer):
    frame = peer.wire.frame(CONTINUATION, b"", fin=False)
    peer.wire.write(peer.wire.frame(TEXT, b"", fin=False) + frame * 100_000)
    peer.fails(1008)


@group.case("100,000 fragments of one byte each are a valid message")
def many_fragments(peer):
    frame = peer.wire.frame(CONTINUATION, b"a", fin=False)
    peer.wire.write(peer.wire.frame(TEXT, b"a", fin=False) + frame * 99_998 + peer.wire.frame(CONTINUATION, b"a"))
    peer.echoes(TEXT, b"a" * 100_000)
    peer.closes()


for opcode in (TEXT, BINARY, PING, CLOSE):
    def wrong_mask(peer, opcode=opcode):
        peer.wire.write(build_frame(opcode, b"\x03\xe8", mask=None if peer.wire.masked else os.urandom(4)))
        peer.fails(1002)
    group.add(f"a frame with the masking of the other role, opcode {opcode}", wrong_mask)


@group.case("1,000 pings at once")
def ping_flood(peer):
    peer.wire.write(peer.wire.frame(PING, b"p") * 1000)
    for _ in range(1000):
        peer.pong(b"p")
        del peer.expected[1:], peer.observed[1:]
    peer.closes()


@group.case("a mask of zeros")
def zero_mask(peer):
    peer.wire.write(build_frame(TEXT, b"Hello", mask=b"\0\0\0\0" if peer.wire.masked else None))
    peer.echoes(TEXT, b"Hello")
    peer.closes()


group = Group("21", "clients that vanish")


def vanish(sock):
    """Resets a connection."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def survives(title):
    """Decorates an attack on the server. After it, a new connection must still work."""
    def decorate(script):
        def whole(peer):
            script(peer)
            sock = peer.connect()
            sock.sendall(request(peer.host, peer.path)[0])
            first, _, _ = read_head(sock)
            peer.expect("HTTP/1.1 101", first, first.startswith("HTTP/1.1 101 "))
            sock.close()
        group.add(title, whole, raw=True, roles=("server",))
        return whole
    return decorate


@survives("1,500 connections, one after another")
def many_connections(peer):
    for _ in range(1500):
        wire, _ = open_client(peer.connect(), peer.host, peer.path)
        wire.write(wire.frame(CLOSE, b"\x03\xe8"))
        frame = wire.read()
        peer.expect("close 1000", str(frame), frame is not None and frame.code == 1000)
        wire.close()
        del peer.expected[1:], peer.observed[1:]


@survives("a client that sends 16 MiB, reads nothing, and resets")
def unread_echo(peer):
    for _ in range(10):
        wire, _ = open_client(peer.connect(), peer.host, peer.path)
        wire.write(wire.frame(BINARY, bytes(16 * MIB)))
        vanish(wire.sock)


@survives("a client that resets in the middle of a message")
def reset_inside(peer):
    for size in (1, 10, 70000):
        wire, _ = open_client(peer.connect(), peer.host, peer.path)
        whole = wire.frame(TEXT, b"x" * size)
        wire.write(whole[:len(whole) // 2])
        vanish(wire.sock)


@survives("a client that ends without a close frame")
def end_without_close(peer):
    for _ in range(20):
        wire, _ = open_client(peer.connect(), peer.host, peer.path)
        wire.write(wire.frame(TEXT, b"x" * 1000))
        wire.close()


@survives("500 connections that send nothing")
def silent_connections(peer):
    peer.silent = [peer.connect() for _ in range(500)]


@survives("500 connections that stop in the middle of the request")
def half_requests(peer):
    ask, _ = request(peer.host, peer.path)
    peer.silent = [peer.connect() for _ in range(500)]
    for sock in peer.silent:
        sock.sendall(ask[:len(ask) // 2])


@survives("a reset right after the request")
def reset_after_request(peer):
    for _ in range(50):
        sock = peer.connect()
        sock.sendall(request(peer.host, peer.path)[0])
        vanish(sock)


@survives("bytes that are not HTTP")
def nonsense(peer):
    for data in (b"\0" * 100, os.urandom(5000), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"SSH-2.0-x\r\n",
                 b"\r\n\r\n\r\n"):
        sock = peer.connect()
        try:
            sock.sendall(data)
            while sock.recv(65536):
                pass
        except OSError:
            pass
        sock.close()
