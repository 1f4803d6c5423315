"""permessage-deflate of the test peer, with Python's zlib. RFC 7692.

Parameters are a dict with the four names. A window is a number, or True for client_max_window_bits without a value.
"""
import zlib

from peer import Peer
from wire import CONTINUATION, Untidy

TAIL = b"\x00\x00\xff\xff"
STRIDE = 64   # less than the 262 bytes of the window that a deflater does not use
NAMES = ("server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits", "client_max_window_bits")


def spelled(params):
    """The header value for these parameters."""
    return "; ".join(["permessage-deflate"]
                     + [n if params[n] is True else f"{n}={params[n]}" for n in NAMES if params.get(n)])


def parsed(header):
    """The parameters in a header value with one extension."""
    name, *listed = [part.strip() for part in header.split(";")]
    if name != "permessage-deflate":
        raise Untidy(f"the extension {name}")
    params = {}
    for entry in listed:
        key, _, value = entry.partition("=")
        if key not in NAMES or key in params:
            raise Untidy(f"the parameter {entry}")
        params[key] = int(value) if value else True
    return params


def check_answer(offer, answer):
    """Raises Untidy if the server's response does not match the offer."""
    if offer.get("server_no_context_takeover") and not answer.get("server_no_context_takeover"):
        raise Untidy("server_no_context_takeover was requested and not accepted")
    if "server_max_window_bits" in offer and "server_max_window_bits" not in answer:
        raise Untidy("server_max_window_bits was requested and not accepted")   # RFC 7692 section 7.1.2.1
    bits, most = answer.get("server_max_window_bits", 15), offer.get("server_max_window_bits", 15)
    if not 8 <= bits <= most:
        raise Untidy(f"server_max_window_bits {bits} in response to {most}")
    bits, most = answer.get("client_max_window_bits"), offer.get("client_max_window_bits", 0)
    if bits and (bits is True or not 8 <= bits <= (15 if most is True else most)):
        raise Untidy(f"client_max_window_bits {bits} in response to {most}")


class DeflatePeer(Peer):
    """Compresses and inflates with the negotiated parameters."""

    def __init__(self, wire, params):
        super().__init__(wire)
        mine, other = ("client", "server") if wire.masked else ("server", "client")
        self.my_bits, self.its_bits = self.window(params, mine), self.window(params, other)
        self.i_forget = f"{mine}_no_context_takeover" in params
        self.it_forgets = f"{other}_no_context_takeover" in params
        self.deflater = self.inflater = None
        self.compressed_answers = 0

    @staticmethod
    def window(params, side):
        bits = params.get(f"{side}_max_window_bits", 15)
        return 15 if bits is True else max(bits, 9)

    def deflated(self, data, level=6, strategy=zlib.Z_DEFAULT_STRATEGY):
        if self.deflater is None or self.i_forget:
            self.deflater = zlib.compressobj(level, zlib.DEFLATED, -self.my_bits, 8, strategy)
        return (self.deflater.compress(data) + self.deflater.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL) or b"\0"

    def inflated(self, data):
        """Inflates a message of the other side, and detects a window larger than negotiated. zlib can refer to all
        output of one call, so each call outputs little."""
        if self.inflater is None or self.it_forgets:
            self.inflater = zlib.decompressobj(-self.its_bits)
        self.compressed_answers += 1
        whole, data = bytearray(), data + TAIL
        try:
            while data:
                whole += self.inflater.decompress(data, STRIDE)
                data = self.inflater.unconsumed_tail
            while more := self.inflater.decompress(b"", STRIDE):   # output that zlib still buffers
                whole += more
        except zlib.error as error:
            raise Untidy(f"compressed data that does not inflate: {error}") from error
        return bytes(whole)

    def compressed(self, opcode, data, pieces=1, **how):
        """Sends a compressed message in `pieces` fragments."""
        payload = self.deflated(data, **how)
        self.compressed_payload(opcode, payload, pieces)

    def compressed_payload(self, opcode, payload, pieces=1, chop=None):
        step = -(-len(payload) // pieces) or 1
        cuts = [payload[i:i + step] for i in range(0, len(payload), step)]
        frames = [self.wire.frame(CONTINUATION if i else opcode, cut, fin=i == len(cuts) - 1, rsv=0 if i else 4)
                  for i, cut in enumerate(cuts)]
        self.wire.write(b"".join(frames), chop)
