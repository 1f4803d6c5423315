"""UTF-8: valid text is echoed unchanged; invalid text fails the connection at the first invalid byte. RFC 6455, section
8.1.

UTF8-2, WS-TEXT-2, WS-TEXT-3, WS-TEXT-5
"""
from cases import Group
from wire import CONTINUATION, TEXT

VALID = [
    ("ASCII", b"Hello"), ("two-byte characters", "Fischadler gr\u00fc\u00dfen \u00c6r\u00f8".encode()),
    ("three-byte characters", "\u03ba\u1f79\u03c3\u03bc\u03b5 \u65e5\u672c\u8a9e \u20ac".encode()),
    ("four-byte characters", "\U0001f985 \U0001d11e \U00020000".encode()),
         ("mixed", "a\u00e9\u20ac\U0001f985z".encode()),
    ("U+0000", b"\x00"), ("U+0000 in the middle", b"before\x00after"), ("U+0000 twice at the end", b"end\x00\x00"),
    ("U+007F", b"\x7f"), ("U+0080", b"\xc2\x80"), ("U+07FF", b"\xdf\xbf"), ("U+0800", b"\xe0\xa0\x80"),
         ("U+0FFF", b"\xe0\xbf\xbf"),
    ("U+1000", b"\xe1\x80\x80"), ("U+CFFF", b"\xec\xbf\xbf"), ("U+D000", b"\xed\x80\x80"), ("U+D7FF", b"\xed\x9f\xbf"),
    ("U+E000", b"\xee\x80\x80"), ("U+FFFD", b"\xef\xbf\xbd"), ("U+FEFF, a byte order mark", b"\xef\xbb\xbf"),
    ("U+10000", b"\xf0\x90\x80\x80"), ("U+3FFFF", b"\xf0\xbf\xbf\xbf"), ("U+40000", b"\xf1\x80\x80\x80"),
         ("U+FFFFF", b"\xf3\xbf\xbf\xbf"),
    ("U+100000", b"\xf4\x80\x80\x80"), ("U+10FFFF", b"\xf4\x8f\xbf\xbf"),
]
VALID += [(f"the noncharacter U+{p:04X}", chr(p).encode())
          for p in (0xFFFE, 0xFFFF, 0xFDD0, 0xFDEF, *range(0x1FFFE, 0x110000, 0x10000))]

# Each with the number of bytes after which it is known to be invalid.
INVALID = [
    ("a lone continuation byte 80", b"\x80", 1), ("a lone continuation byte BF", b"\xbf", 1),
           ("two continuation bytes", b"\x80\xbf", 1),
    ("C0 80, U+0000 overlong", b"\xc0\x80", 1), ("C1 BF, overlong", b"\xc1\xbf", 1),
           ("E0 80 80, overlong", b"\xe0\x80\x80", 2),
    ("E0 9F BF, overlong", b"\xe0\x9f\xbf", 2), ("F0 80 80 80, overlong", b"\xf0\x80\x80\x80", 2),
           ("F0 8F BF BF, overlong", b"\xf0\x8f\xbf\xbf", 2),
    ("C0 AF, a slash overlong", b"\xc0\xaf", 1), ("E0 80 AF, a slash overlong", b"\xe0\x80\xaf", 2),
           ("F0 80 80 AF, a slash overlong", b"\xf0\x80\x80\xaf", 2),
    ("F8, five bytes", b"\xf8\x88\x80\x80\x80", 1), ("FC, six bytes", b"\xfc\x84\x80\x80\x80\x80", 1),
           ("FE", b"\xfe", 1), ("FF", b"\xff", 1),
    ("U+D800, a surrogate", b"\xed\xa0\x80", 2), ("U+DB7F, a surrogate", b"\xed\xad\xbf", 2),
           ("U+DC00, a surrogate", b"\xed\xb0\x80", 2),
    ("U+DFFF, a surrogate", b"\xed\xbf\xbf", 2), ("a pair of surrogates", b"\xed\xa0\xbd\xed\xb8\x80", 2),
    ("U+110000", b"\xf4\x90\x80\x80", 2), ("F4 BF", b"\xf4\xbf\xbf\xbf", 2), ("F5", b"\xf5\x80\x80\x80", 1),
           ("F7", b"\xf7\xbf\xbf\xbf", 1),
    ("a letter after C3", b"\xc3A", 2), ("a letter after E2 82", b"\xe2\x82A", 3), ("a letter after E2", b"\xe2A", 2),
           ("a letter after F0 9F", b"\xf0\x9fA", 3),
    ("a letter after F0 9F A6", b"\xf0\x9f\xa6A", 4), ("C3 after C3", b"\xc3\xc3\xa9", 2),
           ("F0 after E2 82", b"\xe2\x82\xf0\x9f\xa6\x85", 3),
    ("Latin-1", b"gr\xfc\xdfe", 3), ("UTF-16", b"\xff\xfeH\x00", 1),
]
UNFINISHED = [("C3", b"\xc3"), ("E2", b"\xe2"), ("E2 82", b"\xe2\x82"), ("F0", b"\xf0"), ("F0 9F", b"\xf0\x9f"),
              ("F0 9F A6", b"\xf0\x9f\xa6")]
BEFORE = "\u03ba\u1f79\u03c3\u03bc\u03b5 ".encode()

group = Group("6.1", "valid UTF-8")
for title, text in VALID:
    def whole(peer, text=text):
        peer.text(text)
        peer.echoes(TEXT, text)
        peer.closes()

    def by_byte(peer, text=BEFORE + text + b"."):
        peer.fragments(TEXT, [text[i:i + 1] for i in range(len(text))])
        peer.echoes(TEXT, text)
        peer.closes()

    def chopped(peer, text=BEFORE + text + b"."):
        peer.text(text, chop=1)
        peer.echoes(TEXT, text)
        peer.closes()
    group.add(title, whole)
    group.add(f"{title}, one fragment per byte", by_byte)
    group.add(f"{title}, byte by byte", chopped)

group = Group("6.2", "invalid UTF-8")
for title, text, at in INVALID:
    def whole_frame(peer, text=text):
        peer.text(text)
        peer.fails(1007)

    def fail_fast(peer, text=text, at=at):
        rest = peer.part(TEXT, BEFORE + text[:at], len(BEFORE) + 200)
        peer.fails(1007, rest)

    def fail_fast_late(peer, text=text, at=at):
        good = BEFORE * 5000
        rest = peer.part(TEXT, good + text[:at], len(good) + 100000)
        peer.fails(1007, rest)

    def fragments(peer, text=BEFORE + text, at=len(BEFORE) + at):
        for i in range(at):
            peer.send(CONTINUATION if i else TEXT, text[i:i + 1], fin=False)
        peer.fails(1007, peer.wire.frame(CONTINUATION, text[at:]))
    group.add(f"{title}: a whole message", whole_frame)
    group.add(f"{title}: detected inside a frame", fail_fast)
    group.add(f"{title}: detected inside a frame, after 65,000 bytes", fail_fast_late)
    group.add(f"{title}: detected with one fragment per byte", fragments)

group = Group("6.3", "text that ends inside a character")
for title, text in UNFINISHED:
    def unfinished(peer, text=text):
        peer.text(b"abc" + text)
        peer.fails(1007)

    def unfinished_fragment(peer, text=text):
        peer.fragments(TEXT, [b"abc", text])
        peer.fails(1007)

    def finished_later(peer, text=text):
        whole = {0xc3: "\u00e9", 0xe2: "\u20ac", 0xf0: "\U0001f985"}[text[0]].encode()
        whole = whole if whole.startswith(text) else {0xe2: b"\xe2\x82\xac", 0xf0: b"\xf0\x9f\xa6\x85"}[text[0]]
        peer.fragments(TEXT, [b"abc" + text, whole[len(text):]])
        peer.echoes(TEXT, b"abc" + whole)
        peer.closes()
    group.add(f"{title} at the end of a message", unfinished)
    group.add(f"{title} at the end of the last fragment", unfinished_fragment)
    group.add(f"{title} at the end of a fragment, the rest in the next", finished_later)


@group.case("an empty last fragment does not complete a character")
def empty_last(peer):
    peer.fragments(TEXT, [b"\xe2\x82", b""])
    peer.fails(1007)
