"""permessage-deflate. RFC 7692.

WS-LIMIT-13, WS-CONNECTWITH-5, DEFLATE-6
"""
import json
import os
import random
import zlib

from cases import Group
from deflate import TAIL
from wire import BINARY, CONTINUATION, PING, TEXT

SIZES = (16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072)


def words(size):
    """Compressible text with characters of one to four bytes."""
    choice = random.Random(size)
    listed = "osprey talon fishing r\u00edo \u6d77 \U0001f985 nest wing plunge estuary".split()
    text = ""
    while len(text) < size:
        text += choice.choice(listed) + " "
    data = text.encode()[:size]
    while True:
        try:
            data.decode()
            return data + b"." * (size - len(data))
        except UnicodeDecodeError:
            data = data[:-1]


def listing(size):
    """JSON, a common kind of message."""
    rows = [{"id": i, "name": f"bird {i % 7}", "wings": 2, "at": [i * 3, i * 5]} for i in range(size // 50 + 1)]
    return json.dumps(rows).encode()[:size]


def distant():
    """Noise that repeats at distances just inside and just outside each window of 9 to 15 bits."""
    noise = random.Random(0).randbytes(32768)
    return b"".join(noise[:distance] * 2 for bits in range(9, 16)
                    for distance in (2 ** bits - 300, 2 ** bits + 2 ** bits // 4)
                    if distance <= len(noise))


KINDS = (("words", TEXT, words), ("JSON", TEXT, listing),
         ("noise", BINARY, lambda size: random.Random(size).randbytes(size)),
         ("one byte repeated", BINARY, lambda size: b"\x5a" * size))

group = Group("12", "compressed messages")
for kind, opcode, make in KINDS:
    for size in SIZES:
        for pieces in (1, 5):
            def sized(peer, opcode=opcode, data=make(size), pieces=pieces):
                for _ in range(5):
                    peer.compressed(opcode, data, pieces)
                    peer.echoes(opcode, data)
                peer.closes()
            group.add(f"{kind}, {size} bytes, five times" + (f", in {pieces} fragments" if pieces > 1 else ""), sized,
                      offer={})


@group.case("compressible messages come back compressed", offer={})
def comes_back_compressed(peer):
    data = words(4096)
    peer.compressed(TEXT, data)
    peer.echoes(TEXT, data)
    peer.expect("a compressed answer", f"{peer.compressed_answers} compressed answers", peer.compressed_answers == 1)
    peer.closes()


DISTANT = distant()
group = Group("13", "compression parameters")
for server_forgets in (False, True):
    for client_forgets in (False, True):
        for server_bits in (None, *range(8, 16)):
            for client_bits in (None, True, *range(8, 16)):
                params = {"server_no_context_takeover": server_forgets, "client_no_context_takeover": client_forgets,
                          "server_max_window_bits": server_bits, "client_max_window_bits": client_bits}
                params = {name: value for name, value in params.items() if value}

                def negotiated(peer):
                    messages = [(TEXT, words(16)), (TEXT, words(1000)), (TEXT, words(40000)), (TEXT, words(1000)),
                                (BINARY, DISTANT)]
                    for opcode, data in messages:
                        peer.compressed(opcode, data, pieces=3 if len(data) > 1000 else 1)
                        peer.echoes(opcode, data)
                    peer.expect("compressed answers", f"{peer.compressed_answers} of 5", peer.compressed_answers == 5)
                    peer.closes()
                # Groups 0.5 and 0.6 test 8-bit windows: the server declines them in an offer, the client rejects them
                # in a response.
                roles = [role for role,
                         fits in (("server", server_bits != 8), ("client", client_bits not in (True, 8))) if fits]
                group.add(", ".join(f"{n}" if v is True else f"{n}={v}" for n, v in params.items()) or "no parameter",
                          negotiated,
                          offer=params, roles=roles)

group = Group("13.r", "forms of compressed data")
# The examples of RFC 7692, section 7.2.3.
for title, payloads in (("one block", ["f248cdc9c90700"]),
                        ("one block, twice, with the context kept", ["f248cdc9c90700", "f200110000"]),
                        ("a block that is not compressed", ["000500faff48656c6c6f00"]),
                        ("a final block", ["f348cdc9c9070000"]),
                        ("two blocks", ["f248050000 00ffffcac9c90700".replace(" ", "")])):
    def hello(peer, payloads=payloads):
        for payload in payloads:
            peer.compressed_payload(TEXT, bytes.fromhex(payload))
            peer.echoes(TEXT, b"Hello")
        peer.closes()

    def hello_by_byte(peer, payloads=payloads):
        for payload in payloads:
            data = bytes.fromhex(payload)
            peer.compressed_payload(TEXT, data, pieces=len(data), chop=1)
            peer.echoes(TEXT, b"Hello")
        peer.closes()
    group.add(title, hello, offer={})
    group.add(f"{title}, a fragment for each byte", hello_by_byte, offer={})
for title, how in (("stored", {"level": 0}), ("fixed codes", {"strategy": zlib.Z_FIXED}),
                   ("Huffman codes alone", {"strategy": zlib.Z_HUFFMAN_ONLY}),
                   ("runs", {"strategy": zlib.Z_RLE}), ("the best", {"level": 9})):
    def made_by(peer, how=how):
        data = words(20000)
        peer.compressed(TEXT, data, **how)
        peer.echoes(TEXT, data)
        peer.closes()
    group.add(f"zlib strategy: {title}", made_by, offer={})


@group.case("an empty message, as 00 and as 02 00", offer={})
def empty(peer):
    for payload in (b"\x00", b"\x02\x00"):
        peer.compressed_payload(TEXT, payload)
        peer.echoes(TEXT, b"")
    peer.closes()


@group.case("compressed and uncompressed messages alternate", offer={})
def alternating(peer):
    for size in (10, 1000, 30000):
        data = words(size)
        peer.compressed(TEXT, data)
        peer.echoes(TEXT, data)
        peer.text(data)
        peer.echoes(TEXT, data)
    peer.closes()


@group.case("a ping between the fragments of a compressed message", offer={})
def ping_inside(peer):
    payload = peer.deflated(b"Hello, Hello, Hello")
    peer.send(TEXT, payload[:4], fin=False, rsv=4)
    peer.send(PING, b"now")
    peer.pong(b"now")
    peer.send(CONTINUATION, payload[4:])
    peer.echoes(TEXT, b"Hello, Hello, Hello")
    peer.closes()


group = Group("13.w", "invalid compressed messages")


@group.case("reserved bit 1 in a continuation", offer={})
def bit_in_continuation(peer):
    payload = peer.deflated(words(100))
    peer.send(TEXT, payload[:10], fin=False, rsv=4)
    peer.send(CONTINUATION, payload[10:], rsv=4)
    peer.fails(1002)


@group.case("reserved bit 1 in a ping", offer={})
def bit_in_ping(peer):
    peer.send(PING, b"Hello", rsv=4)
    peer.fails(1002)


for bits in (1, 2, 3, 5, 6, 7):
    def other_bits(peer, bits=bits):
        peer.send(TEXT, b"Hello", rsv=bits)
        peer.fails(1002)
    group.add(f"reserved bits {bits:03b} with compression negotiated", other_bits, offer={})

for title, payload in (("a block of the reserved type", b"\x06\x00"),
                       ("a distance before the beginning", bytes.fromhex("4b04a20000")),
                       ("a stored block whose lengths disagree", bytes.fromhex("000500fa0048656c6c6f00")),
                       ("FF", b"\xff" * 20)):
    def corrupt(peer, payload=payload):
        try:
            zlib.decompressobj(-15).decompress(payload + TAIL)
            peer.expect("data that zlib rejects", "data that it accepts", False)
        except zlib.error:
            pass
        peer.compressed_payload(BINARY, payload)
        peer.fails(1007)
    group.add(f"corrupt data: {title}", corrupt, offer={})


@group.case("a reference to the previous message without context takeover",
            offer={"server_no_context_takeover": True, "client_no_context_takeover": True})
def dropped_context(peer):
    peer.compressed_payload(TEXT, bytes.fromhex("f248cdc9c90700"))
    peer.echoes(TEXT, b"Hello")
    peer.compressed_payload(TEXT, bytes.fromhex("f200110000"))
    peer.fails(1007)


@group.case("inflated text that is not UTF-8", offer={})
def not_text(peer):
    peer.compressed(TEXT, b"good" * 100 + b"\xed\xa0\x80")
    peer.fails(1007)


@group.case("inflated text that is not UTF-8: detected before the message ends", offer={})
def not_text_early(peer):
    payload = peer.deflated(b"\xff" + os.urandom(2000))
    peer.send(TEXT, payload[:1000], fin=False, rsv=4)
    peer.fails(1007, peer.wire.frame(CONTINUATION, payload[1000:]))


@group.case("a bomb: 60 MiB of zeros in 60 KiB, in fragments, fails with 1009 before its end", offer={})
def bomb(peer):
    payload = peer.deflated(bytes(60 << 20), level=9)
    peer.send(BINARY, payload[:40000], fin=False, rsv=4)
    peer.fails(1009, peer.wire.frame(CONTINUATION, payload[40000:]))
