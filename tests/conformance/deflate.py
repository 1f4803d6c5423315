"""permessage-deflate as the peer that tests speaks it, on Python's zlib. RFC 7692.

Parameters are a dict of the four names; a window is a number, True for client_max_window_bits without a value.
"""
import zlib

from peer import Peer
from wire import CONTINUATION, Untidy

TAIL = b"\x00\x00\xff\xff"
STRIDE = 64   # less than what a deflater leaves unused of its window, 262 bytes
NAMES = ("server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits", "client_max_window_bits")


def spelled(params):
    """The extension's entry in a header."""
    return "; ".join(["permessage-deflate"] + [n if params[n] is True else f"{n}={params[n]}" for n in NAMES if params.get(n)])


def parsed(header):
    """The parameters of a header's single entry."""
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
    """Raises Untidy where a server's answer is not one to this offer."""
    if offer.get("server_no_context_takeover") and not answer.get("server_no_context_takeover"):
        raise Untidy("server_no_context_takeover was offered and not agreed to")
    if offer.get("server_max_window_bits") and not 8 <= answer.get("server_max_window_bits", 15) <= offer["server_max_window_bits"]:
        raise Untidy(f"server_max_window_bits {answer.get('server_max_window_bits')} in answer to {offer['server_max_window_bits']}")
    bits = answer.get("client_max_window_bits")
    if bits and ("client_max_window_bits" not in offer or bits is True or bits < 8 or bits > int(offer["client_max_window_bits"] is True and 15 or offer["client_max_window_bits"])):
        raise Untidy(f"client_max_window_bits {bits} in answer to {offer.get('client_max_window_bits')}")


class DeflatePeer(Peer):
    """Compresses and inflates by the parameters that the handshake agreed on."""

    def __init__(self, wire, params):
        super().__init__(wire)
        mine, other = ("client", "server") if wire.masked else ("server", "client")
        self.my_bits, self.its_bits = self.window(params, mine), self.window(params, other)
        self.i_forget, self.it_forgets = f"{mine}_no_context_takeover" in params, f"{other}_no_context_takeover" in params
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
        """What a compressed message of the other side stands for. A window larger than was agreed on shows here: zlib itself looks
        back on all that one call has put out, so each call puts out little."""
        if self.inflater is None or self.it_forgets:
            self.inflater = zlib.decompressobj(-self.its_bits)
        self.compressed_answers += 1
        whole, data = bytearray(), data + TAIL
        try:
            while data:
                whole += self.inflater.decompress(data, STRIDE)
                data = self.inflater.unconsumed_tail
            while more := self.inflater.decompress(b"", STRIDE):   # what zlib still holds of the last bytes
                whole += more
        except zlib.error as error:
            raise Untidy(f"compressed data that does not inflate: {error}") from error
        return bytes(whole)

    def compressed(self, opcode, data, pieces=1, **how):
        """Sends a message compressed, in so many fragments."""
        payload = self.deflated(data, **how)
        self.compressed_payload(opcode, payload, pieces)

    def compressed_payload(self, opcode, payload, pieces=1, chop=None):
        step = -(-len(payload) // pieces) or 1
        cuts = [payload[i:i + step] for i in range(0, len(payload), step)]
        frames = [self.wire.frame(CONTINUATION if i else opcode, cut, fin=i == len(cuts) - 1, rsv=0 if i else 4)
                  for i, cut in enumerate(cuts)]
        self.wire.write(b"".join(frames), chop)
