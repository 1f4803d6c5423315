#!/usr/bin/python3
"""Writes the seeds of a fuzz target into a directory.

Usage: seeds.py TARGET DIRECTORY
"""
import pathlib
import struct
import sys
import zlib

KEY = bytes.fromhex("37fa213d")
HEAD = (b"GET /chat HTTP/1.1\r\nHost: localhost:80\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n")
MORE = [b"", b"Origin: http://localhost\r\n", b"Origin: https://page.example\r\n",
        b"Sec-WebSocket-Protocol: v1, v2\r\n",
        b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x; y=\"1\"\r\n",
        b"Content-Length: 0\r\n"]
ANSWER = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")
ANSWER_MORE = [b"", b"Sec-WebSocket-Protocol: v1\r\n",
               b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n"]
TEXTS = [b"", b"hello", "h\u00e9 \u4e2d \U0001f600".encode(), b"a" * 200, ("\u043f" * 100 + "x" * 70).encode(),
         b"ab\xff", b"\xed\xa0\x80", b"\x00\x00", b"Zm9vYg=="]


def frame(head, payload, masked):
    n = len(payload)
    bit = 0x80 if masked else 0
    if n < 126:
        header = struct.pack("!BB", head, bit | n)
    elif n < 65536:
        header = struct.pack("!BBH", head, bit | 126, n)
    else:
        header = struct.pack("!BBQ", head, bit | 127, n)
    if masked:
        header += KEY
        payload = bytes(b ^ KEY[i % 4] for i, b in enumerate(payload))
    return header + payload


def compress(message):
    stream = zlib.compressobj(wbits=-15)
    return (stream.compress(message) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


def conversation(masked, compressed):
    yield frame(0x81, b"hello", masked) + frame(0x82, b"\x00\xff", masked) + frame(0x89, b"ping", masked)
    yield frame(0x01, b"he", masked) + frame(0x8A, b"", masked) + frame(0x00, b"", masked) + frame(0x80, b"llo", masked)
    yield frame(0x82, b"x" * 9000, masked) + frame(0x81, b"\xe2\x82\xac" * 90, masked)
    yield frame(0x88, b"\x03\xe8bye", masked)
    yield frame(0x81, b"\xe2\x82", masked)
    if compressed:
        payload = compress(b"hello hello hello" * 30)
        yield frame(0xC1, payload, masked) + frame(0xC1, payload, masked)
        yield frame(0x41, payload[:5], masked) + frame(0x89, b"", masked) + frame(0x80, payload[5:], masked)
        yield frame(0xC2, bytes.fromhex("f348cdc9c9070000"), masked)


def seeds(target):
    if target == "forwarded":
        for name, value in [("X-Forwarded-For", "1.2.3.4, [2001:db8::1]:80, unknown, 10.0.0.1:8"),
                            ("Forwarded",
                             'for="[2001:db8::1]:_p";by=x;proto=https, For="1.2\\.3.4" ; host="a\\",b", for=_x')]:
            yield f"GET / HTTP/1.1\r\n{name}: {value}\r\n{name}: for=\r\n\r\n".encode()
    elif target == "page":
        yield from (b"/rooms/*\n/rooms/7", b"/*\n/", b"/chat\n/chat", b"index.html", b"text/html; charset=utf-8")
        known = b'"97ef98f924d843749ab0e7f56c8362af"'
        for tags in (b"*", known, b'W/"x", ,W/' + known, b'"'):
            yield b"GET / HTTP/1.1\r\nIf-None-Match: " + tags + b"\r\n\r\n"
    elif target == "frame":
        for masked in (0, 1):
            for head in (0x81, 0x02, 0x80, 0x89, 0x88, 0xC1):
                for size in (0, 125, 126, 65536):
                    yield bytes([masked | 2]) + frame(head, b"x" * size, masked)[:20]
    elif target == "session":
        for flags in range(64):
            for bytes_ in conversation(not flags & 1, flags & 2):
                yield bytes([flags, 0x3F, flags * 7 % 256, flags % 8]) + bytes_
    elif target == "http_head":
        for more in MORE:
            yield b"\x00\x05" + HEAD + more + b"\r\n"
        for more in ANSWER_MORE:
            yield b"\x01\x05" + ANSWER + more + b"\r\n"
    elif target == "handshake":
        for flags in range(0, 32, 2):
            for more in MORE:
                yield bytes([flags]) + HEAD + more + b"\r\n"
        for flags in range(1, 8, 2):
            for more in ANSWER_MORE + [b"X: y\r\n"]:
                yield bytes([flags]) + ANSWER + more + b"\r\n"
        yield b"\x01HTTP/1.1 404 Not Found\r\n\r\n"
    elif target == "url":
        for url in (b"ws://example.com", b"wss://a.b:8443/c/d?e=f", b"ws://127.0.0.1:80/", b"ws://[::1]:9/x",
                    b"ws://[1:2::1.2.3.4]?q"):
            for headers in (b"", b"\nA: b", b"\nCookie: a=b\r\nOrigin: http://a\n"):
                yield url + headers
    elif target == "target":
        for text in ("/", "/rooms/gr%C3%BCn%2F%00?token=a+b%2Bc&x&=y", "/%F0%9F%98?%FF=%", "/?%74oken=%4"):
            yield text.encode()
    elif target == "inflate":
        for flags in range(0, 32, 3):
            for text in TEXTS:
                yield bytes([flags & 0xFE]) + text
                yield bytes([flags | 1]) + compress(text)
        for value in (b"permessage-deflate",
                      b"permessage-deflate; server_no_context_takeover; client_no_context_takeover",
                      b"x, permessage-deflate; server_max_window_bits=10; client_max_window_bits=\"12\""):
            yield b"\x00" + value
    elif target == "text":
        for text in TEXTS:
            yield b"\x05" + KEY + text


def main():
    directory = pathlib.Path(sys.argv[2])
    for i, seed in enumerate(seeds(sys.argv[1])):
        (directory / f"{i:04}").write_bytes(seed)


main()
