"""Closing. RFC 6455, sections 5.5.1 and 7."""
import struct

from cases import Group
from peer import PROMPT
from wire import BINARY, CLOSE, CONTINUATION, PING, TEXT

VALID_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3999, 4000, 4001,
               4999)
INVALID_CODES = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1017, 1100, 1999, 2000, 2001, 2999, 5000, 5001, 32768, 65535)

group = Group("7.1", "the close handshake")


@group.case("a message, then close 1000")
def message_then_close(peer):
    peer.text("Hello")
    peer.echoes(TEXT, b"Hello")
    peer.closes(1000)


@group.case("two closes: the second is ignored")
def two_closes(peer):
    peer.wire.write(peer.wire.frame(CLOSE, struct.pack(">H", 1000))  + peer.wire.frame(CLOSE, struct.pack(">H", 1001)))
    peer.close_answered(1000)


for title, after in (("a text", (TEXT, b"late")), ("a binary", (BINARY, b"late")), ("a ping", (PING, b"late")),
                     ("a reserved opcode", (7, b"late"))):
    def data_after_close(peer, after=after):
        peer.wire.write(peer.wire.frame(CLOSE, struct.pack(">H", 1000)) + peer.wire.frame(*after))
        peer.close_answered(1000)
    group.add(f"{title} after the close is ignored", data_after_close)


@group.case("a close inside a fragmented message")
def close_inside(peer):
    peer.text("begun", fin=False)
    peer.closes(1000)


@group.case("a close, then the rest of a fragmented message")
def close_then_rest(peer):
    peer.text("begun", fin=False)
    peer.wire.write(peer.wire.frame(CLOSE, struct.pack(">H", 1000)) + peer.wire.frame(CONTINUATION, b"ended"))
    peer.close_answered(1000)


@group.case("256 KiB of text, then a close and a ping: the whole text is echoed before the close is answered")
def large_then_close(peer):
    data = b"x" * 262144
    peer.text(data)
    peer.send(CLOSE, struct.pack(">H", 1000))
    peer.send(PING, b"late")
    peer.echoes(TEXT, data)
    peer.close_answered(1000)


@group.case("a close, byte by byte")
def close_chopped(peer):
    peer.send(CLOSE, struct.pack(">H", 1000) + b"farewell", chop=1)
    peer.close_answered(1000)


for title, bad, code in (("a reserved opcode", (7,), 1002), ("text that is not UTF-8", (TEXT, b"\xff"), 1007)):
    # WS-SEC-11: the connection ends even if the peer does not answer.
    def unanswered(peer, bad=bad, code=code):
        peer.send(*bad)
        frame = peer.next_frame(f"close {code}")
        peer.expect(f"close {code}", str(frame), frame.opcode == CLOSE and frame.code == code)
        frame = peer.wire.read(PROMPT)
        peer.expect("the connection's end", str(frame or "the connection's end"), frame is None)
    group.add(f"failed for {title}, without an answer to the close: the connection still ends", unanswered)

    def messages_after(peer, bad=bad, code=code):
        peer.wire.write(peer.wire.frame(*bad) + peer.wire.frame(TEXT, b"late") + peer.wire.frame(PING, b"late"))
        peer.fails(code)
    group.add(f"failed for {title}: further frames are ignored", messages_after)


@group.case("a message and a ping after the close was answered are ignored")
def late_segment(peer):
    peer.send(CLOSE, struct.pack(">H", 1000))
    frame = peer.next_frame("close 1000")
    peer.expect("close 1000", str(frame), frame.opcode == CLOSE and frame.code == 1000)
    peer.text("late")
    peer.send(PING, b"late")
    peer.ends()


@group.case("a server that keeps the connection open after the close: the client closes it", roles=("client",))
def server_stays(peer):
    peer.send(CLOSE, struct.pack(">H", 1000))
    frame = peer.next_frame("close 1000")
    peer.expect("close 1000", str(frame), frame.opcode == CLOSE and frame.code == 1000)
    frame = peer.wire.read(PROMPT)
    peer.expect("the connection's end", str(frame or "the connection's end"), frame is None)


group = Group("7.3", "close payloads")
group.add("none", lambda peer: peer.closes(None))
group.add("a code and no reason", lambda peer: peer.closes(1000))
group.add("a code and a reason", lambda peer: peer.closes(1000, b"farewell"))
group.add("a reason of 123 bytes", lambda peer: peer.closes(1000, b"x" * 123))
group.add("a reason that is not ASCII",
          lambda peer: peer.closes(1000, "\u03ba\u1f79\u03c3\u03bc\u03b5 \U0001f985".encode()))


@group.case("one byte")
def one_byte(peer):
    peer.send(CLOSE, b"\x03")
    peer.fails(1002)


@group.case("a reason of 124 bytes")
def long_reason(peer):
    rest = peer.part(CLOSE, struct.pack(">H", 1000), 126)
    peer.fails(1002, rest)


for title, reason in (("overlong", b"\xc0\xaf"), ("a surrogate", b"bad \xed\xa0\x80"), ("cut short", b"bad \xe2\x82"),
                      ("FF", b"\xff"), ("C0 80", b"\xc0\x80")):
    def bad_reason(peer, reason=reason):
        peer.send(CLOSE, struct.pack(">H", 1000) + reason)
        peer.fails(1007)
    group.add(f"a reason that is not UTF-8: {title}", bad_reason)

group = Group("7.7", "close codes that are valid")
for code in VALID_CODES:
    group.add(str(code), lambda peer, code=code: peer.closes(code))
    group.add(f"{code} with a reason", lambda peer, code=code: peer.closes(code, b"because"))

group = Group("7.9", "close codes that are not valid")
for code in INVALID_CODES:
    def bad_code(peer, code=code, reason=b""):
        peer.send(CLOSE, struct.pack(">H", code) + reason)
        peer.fails(1002)
    group.add(str(code), bad_code)
    group.add(f"{code} with a reason", lambda peer, code=code: bad_code(peer, code, b"because"))
