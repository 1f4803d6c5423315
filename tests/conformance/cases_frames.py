"""Messages, control frames, reserved bits and opcodes, fragmentation, large messages. RFC 6455, section 5."""
from cases import Group
from wire import BINARY, CLOSE, CONTINUATION, NAMES, PING, PONG, TEXT

LETTERS = "The osprey, a fish hawk of rivers and coasts. "


def text_of(size):
    return (LETTERS * (size // len(LETTERS) + 1))[:size].encode()


BLOCK = bytes((i * 7 + (i >> 8)) & 255 for i in range(65536))


def bytes_of(size):
    return (BLOCK * (size // 65536 + 1))[:size]


def data_of(opcode, size):
    return text_of(size) if opcode == TEXT else bytes_of(size)


def echoed(opcode, payload, **kind):
    def script(peer):
        peer.send(opcode, payload, **kind)
        peer.echoes(opcode, payload)
        peer.closes()
    return script


# Group 1: WS-TEXT-1, WS-TYPE-2, WS-TYPE-3, WS-ONMESSAGE-1, WS-SENDBINARY-1
for number, opcode in (("1.1", TEXT), ("1.2", BINARY)):
    group = Group(number, f"{NAMES[opcode]} messages")
    for size in (0, 1, 124, 125, 126, 127, 128, 4096, 65534, 65535, 65536, 65537):
        group.add(f"{size} bytes", echoed(opcode, data_of(opcode, size)))
    for size, chop in ((125, 1), (128, 1), (65536, 997), (65536, 4096)):
        group.add(f"{size} bytes in chops of {chop}", echoed(opcode, data_of(opcode, size), chop=chop))
    for size, form in ((5, 16), (5, 64), (125, 16), (126, 64), (65535, 64)):
        def padded_length(peer, opcode=opcode, size=size, form=form):
            rest = peer.part(opcode, b"", size, form=form)
            peer.fails(1002, rest)
        group.add(f"{size} bytes, with the length in a {form}-bit field, which is not the shortest", padded_length)

    def huge_length(peer, opcode=opcode):
        head = bytes([0x80 | opcode, 0xff if peer.wire.masked else 0x7f]) + b"\xff" * 8
        peer.wire.write(head)
        peer.fails(1002)
    # WS-SEC-4
    group.add("a 64-bit length with the top bit set", huge_length)

# Group 2
group = Group("2", "pings and pongs")
for title, payload in (("empty", b""), ("of five bytes", b"Hello"), ("not UTF-8", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"),
                       ("of 124 bytes", b"\xfe" * 124), ("of 125 bytes", b"\xfe" * 125)):
    for chop in (None, 1):
        def ping(peer, payload=payload, chop=chop):
            peer.send(PING, payload, chop=chop)
            peer.pong(payload)
            peer.closes()
        group.add(f"a ping {title}" + (", byte by byte" if chop else ""), ping)
for opcode in (PING, PONG):
    def too_long(peer, opcode=opcode):
        rest = peer.part(opcode, b"", 126)
        peer.fails(1002, rest)
    group.add(f"a {NAMES[opcode]} of 126 bytes", too_long)
for payload in (b"", b"unsolicited"):
    def unsolicited(peer, payload=payload):
        peer.send(PONG, payload)
        peer.send(PING, b"after")
        peer.pong(b"after")
        peer.closes()
    group.add(f"an unsolicited pong of {len(payload)} bytes, then a ping", unsolicited)
for chop in (None, 1):
    def ten_pings(peer, chop=chop):
        peer.wire.write(b"".join(peer.wire.frame(PING, b"ping %d" % i) for i in range(10)), chop)
        for i in range(10):
            peer.pong(b"ping %d" % i)
        peer.closes()
    group.add("ten pings in a row" + (", byte by byte" if chop else ""), ten_pings)


@group.case("a message, a ping and a message in one segment are answered in order")
def mixed(peer):
    peer.wire.write(peer.wire.frame(TEXT, b"one") + peer.wire.frame(PING, b"two") + peer.wire.frame(BINARY, b"three"))
    seen = sorted([str(peer.next_frame("three answers")) for _ in range(3)])
    peer.expect("text one, pong two, binary three", ", ".join(seen),
                seen == ["binary b'three'", "pong b'two'", "text b'one'"])
    peer.closes()


# Group 3
group = Group("3", "reserved bits")
for rsv in range(1, 8):
    for opcode in (TEXT, BINARY, PING, PONG, CLOSE):
        def reserved(peer, rsv=rsv, opcode=opcode):
            rest = peer.part(opcode, b"", 4, rsv=rsv)
            peer.fails(1002, rest)
        group.add(f"bits {rsv:03b} in a {NAMES[opcode]} frame", reserved)

    def reserved_after(peer, rsv=rsv):
        peer.text("good")
        peer.text("bad", rsv=rsv)
        peer.echoes(TEXT, b"good")
        peer.fails(1002)
    group.add(f"bits {rsv:03b} in a text after a good one", reserved_after)

    def reserved_chopped(peer, rsv=rsv):
        peer.wire.write(peer.wire.frame(TEXT, b"good") + peer.wire.frame(TEXT, b"", rsv=rsv), 1)
        peer.echoes(TEXT, b"good")
        peer.fails(1002)
    group.add(f"bits {rsv:03b} in a text after a good one, byte by byte", reserved_chopped)

    def reserved_continuation(peer, rsv=rsv):
        peer.text("begun", fin=False)
        peer.send(CONTINUATION, b"ended", rsv=rsv)
        peer.fails(1002)
    group.add(f"bits {rsv:03b} in a continuation", reserved_continuation)

# Group 4
group = Group("4", "reserved opcodes")
for opcode in (*range(3, 8), *range(11, 16)):
    def bare(peer, opcode=opcode):
        peer.send(opcode)
        peer.fails(1002)
    group.add(f"opcode {opcode} without payload", bare)

    def with_payload(peer, opcode=opcode):
        rest = peer.part(opcode, b"", 10)
        peer.fails(1002, rest)
    group.add(f"opcode {opcode} with payload", with_payload)

    def after_text(peer, opcode=opcode):
        peer.wire.write(peer.wire.frame(TEXT, b"good") + peer.wire.frame(opcode, b"bad") + peer.wire.frame(PING), 1)
        peer.echoes(TEXT, b"good")
        peer.fails(1002)
    group.add(f"opcode {opcode} between a text and a ping, byte by byte", after_text)

# Group 5: WS-TEXT-1
group = Group("5", "fragmentation")
for opcode in (PING, PONG, CLOSE):
    def fragmented_control(peer, opcode=opcode):
        peer.send(opcode, b"", fin=False)
        peer.fails(1002)
    group.add(f"a {NAMES[opcode]} that is not final", fragmented_control)

    def fragmented_control_inside(peer, opcode=opcode):
        peer.text("begun", fin=False)
        rest = peer.part(opcode, b"", 5, fin=False)
        peer.fails(1002, rest)
    group.add(f"a {NAMES[opcode]} that is not final, inside a message", fragmented_control_inside)
for opcode in (TEXT, BINARY):
    for pieces in ([b"fragment1", b"fragment2"], [b"", b"", b""], [b"", b"middle", b""], [b"all", b""],
                   [b"a", b"b", b"c", b"d", b"e"]):
        for chop in (None, 1):
            def fragmented(peer, opcode=opcode, pieces=pieces, chop=chop):
                peer.fragments(opcode, pieces, chop)
                peer.echoes(opcode, b"".join(pieces))
                peer.closes()
            group.add(f"{NAMES[opcode]} in fragments of {', '.join(str(len(p)) for p in pieces)} bytes"
                      + (", byte by byte" if chop else ""), fragmented)
    for chop in (None, 1):
        def interleaved(peer, opcode=opcode, chop=chop):
            wire = peer.wire
            wire.write(wire.frame(opcode, b"one ", fin=False) + wire.frame(PING, b"first")
                       + wire.frame(CONTINUATION, b"two ", fin=False)
                       + wire.frame(PONG) + wire.frame(PING, b"second") + wire.frame(CONTINUATION, b"three"), chop)
            peer.pong(b"first")
            peer.pong(b"second")
            peer.echoes(opcode, b"one two three")
            peer.closes()
        group.add(f"{NAMES[opcode]} in three fragments with pings and a pong between"
                  + (", byte by byte" if chop else ""), interleaved)

    def waited_for(peer, opcode=opcode):
        peer.send(opcode, b"begun ", fin=False)
        peer.send(PING, b"now")
        peer.pong(b"now")
        peer.send(CONTINUATION, b"ended")
        peer.echoes(opcode, b"begun ended")
        peer.closes()
    group.add(f"a ping inside a {NAMES[opcode]} is answered before the message ends", waited_for)
for fin in (True, False):
    def nothing_to_continue(peer, fin=fin):
        rest = peer.part(CONTINUATION, b"", 12, fin=fin)
        peer.fails(1002, rest)
    group.add(f"a {'' if fin else 'not '}final continuation with nothing to continue", nothing_to_continue)

    def nothing_left_to_continue(peer, fin=fin):
        peer.fragments(TEXT, [b"one ", b"two"])
        peer.send(CONTINUATION, b"three", fin=fin)
        peer.echoes(TEXT, b"one two")
        peer.fails(1002)
    group.add(f"a {'' if fin else 'not '}final continuation after the end of a message", nothing_left_to_continue)

    def message_inside(peer, fin=fin):
        peer.text("begun", fin=False)
        rest = peer.part(TEXT, b"", 5, fin=fin)
        peer.fails(1002, rest)
    group.add(f"a {'' if fin else 'not '}final text inside a text", message_inside)

    for outer, inner in ((TEXT, BINARY), (BINARY, TEXT), (BINARY, BINARY)):
        def other_inside(peer, fin=fin, outer=outer, inner=inner):
            peer.send(outer, b"begun", fin=False)
            peer.wire.write(peer.wire.frame(inner, b"other", fin=fin), 1)
            peer.fails(1002)
        group.add(f"a {'' if fin else 'not '}final {NAMES[inner]} inside a {NAMES[outer]}, byte by byte", other_inside)

# FRAME-7, DEFLATE-4: a violation in the first bytes of a header is detected although the rest never arrives.
group = Group("5.h", "violations detected from part of a header")


def shown_by(title, head, rest=b"\0" * 14, needs=None):
    def script(peer):
        peer.text("good")
        peer.echoes(TEXT, b"good")
        peer.fails(1002, peer.begun(head, rest))
    group.add(title, script, **(needs or {}))


for rsv in range(1, 8):
    shown_by(f"bits {rsv:03b} in a text: its first byte", bytes([0x81 | rsv << 4]))
    for opcode in (CONTINUATION, PING, PONG, CLOSE):
        shown_by(f"bits {rsv:03b} in a {NAMES[opcode]} with compression negotiated: its first byte",
                 bytes([0x80 | opcode | rsv << 4]), needs={"offer": {}})
    if rsv != 4:
        for opcode in (TEXT, BINARY):
            shown_by(f"bits {rsv:03b} in a {NAMES[opcode]} with compression negotiated: its first byte",
                     bytes([0x80 | opcode | rsv << 4]),
                     needs={"offer": {}})
for opcode in (*range(3, 8), *range(11, 16)):
    for fin in (0x80, 0):
        shown_by(f"opcode {opcode}, {'' if fin else 'not '}final: its first byte", bytes([fin | opcode]))
for opcode in (PING, PONG, CLOSE):
    shown_by(f"a {NAMES[opcode]} that is not final: its first byte", bytes([opcode]))
    for form in (126, 127):
        shown_by(f"a {NAMES[opcode]} with a length field {'of 16' if form == 126 else 'of 64'} bits: its second byte",
                 bytes([0x80 | opcode, form]))
for opcode in (TEXT, BINARY, CONTINUATION):
    shown_by(f"a {NAMES[opcode]} with a 64-bit length with the top bit set: its third byte",
             bytes([0x80 | opcode, 127, 0x80]))
    shown_by(f"a {NAMES[opcode]} with a 64-bit length that would fit into 16 bits: its eighth byte",
             bytes([0x80 | opcode, 127]) + b"\0" * 6)
    shown_by(f"a {NAMES[opcode]} of 125 bytes with a 16-bit length: its fourth byte",
             bytes([0x80 | opcode, 126, 0, 125]))


for opcode in (TEXT, BINARY):   # MSG-6, MSG-5: detected from the first byte and the frames before it
    for fin in (0x80, 0):
        def inside_shown(peer, opcode=opcode, fin=fin):
            peer.text("begun", fin=False)
            peer.fails(1002, peer.begun(bytes([fin | opcode]), b"\0" * 14))
        group.add(f"a {'' if fin else 'not '}final {NAMES[opcode]} inside a message: its first byte", inside_shown)
for fin in (0x80, 0):
    shown_by(f"a {'' if fin else 'not '}final continuation with nothing to continue: its first byte",
             bytes([fin | CONTINUATION]))
for opcode in (TEXT, BINARY):   # MSG-7: the cap is 32 MiB
    for field, byte in ((b"\x7f", "third"), (b"\0\0\x01", "fifth"), (b"\0\0\0\0\x02\0\0\x01", "tenth")):
        def size_shown(peer, opcode=opcode, field=field):
            peer.fails(1009, peer.begun(bytes([0x80 | opcode, 127]) + field, b"\0" * (12 - len(field))))
        group.add(f"a {NAMES[opcode]} of more bytes than the cap: the {byte} byte", size_shown)


@group.case("a frame with the masking of the other role: its second byte")
def mask_shown(peer):
    peer.wire.write(bytes([0x80 | BINARY, 0 if peer.wire.masked else 0x80]))
    peer.fails(1002, b"\0" * 4)

# Group 9
group = Group("9", "large and many messages")
KIB, MIB = 1 << 10, 1 << 20
for opcode in (TEXT, BINARY):
    for size in (64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB):
        group.add(f"{NAMES[opcode]} of {size // KIB} KiB", echoed(opcode, data_of(opcode, size)))
    for piece in (64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB):
        def in_pieces(peer, opcode=opcode, piece=piece, size=4 * MIB):
            data = data_of(opcode, size)
            peer.fragments(opcode, [data[i:i + piece] for i in range(0, size, piece)])
            peer.echoes(opcode, data)
            peer.closes()
        group.add(f"{NAMES[opcode]} of 4 MiB in fragments of {piece} bytes", in_pieces)
    for chop in (64, 128, 256, 512, 1024, 2048):
        group.add(f"{NAMES[opcode]} of 1 MiB in chops of {chop} bytes", echoed(opcode, data_of(opcode, MIB), chop=chop))
    for size in (0, 16, 64, 256, 1024, 4096, 16384):
        def thousand(peer, opcode=opcode, size=size):
            data = data_of(opcode, size)
            for _ in range(1000):
                peer.send(opcode, data)
                peer.echoes(opcode, data)
                del peer.expected[1:], peer.observed[1:]
            peer.closes()
        group.add(f"a thousand {NAMES[opcode]} messages of {size} bytes in sequence", thousand)

# Group 10
group = Group("10", "messages that a sender fragments automatically")
for piece in (1, 125, 126, 1300, 65535):
    def automatic(peer, piece=piece):
        data = text_of(65536 if piece > 1 else 4096)
        peer.fragments(TEXT, [data[i:i + piece] for i in range(0, len(data), piece)])
        peer.echoes(TEXT, data)
        peer.closes()
    group.add(f"a text in fragments of {piece} bytes", automatic)
