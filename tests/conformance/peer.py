"""The actions and expectations of a case. The report lists every expectation; the first that fails ends the case."""
import struct
import time

from wire import BINARY, CLOSE, CONTINUATION, PATIENCE, PING, PONG, TEXT, Silence, Untidy, shown

PROMPT = min(PATIENCE, 3.0)   # time limit in seconds for the answer to a violation


class Failed(Exception):
    pass


class Peer:
    def __init__(self, wire):
        self.wire = wire
        self.expected, self.observed = [], []
        self.late = False

    # Sending.

    def send(self, opcode, payload=b"", chop=None, **kind):
        self.wire.write(self.wire.frame(opcode, payload, **kind), chop)

    def text(self, payload, **kind):
        self.send(TEXT, payload if isinstance(payload, bytes) else payload.encode(), **kind)

    def binary(self, payload, **kind):
        self.send(BINARY, payload, **kind)

    def fragments(self, opcode, pieces, chop=None):
        """Sends one message, one frame per piece."""
        frames = [self.wire.frame(CONTINUATION if i else opcode, piece, fin=i == len(pieces) - 1)
                  for i, piece in enumerate(pieces)]
        self.wire.write(b"".join(frames), chop)

    def part(self, opcode, payload, size, **kind):
        """Sends the first bytes of a frame of `size` bytes. Returns the rest of the frame."""
        whole = self.wire.frame(opcode, payload + b"\0" * (size - len(payload)), **kind)
        cut = len(whole) - (size - len(payload))
        self.wire.write(whole[:cut])
        return whole[cut:]

    def begun(self, head, rest):
        """Sends the first bytes of a frame header, with the mask bit of this role. Returns `rest`."""
        if len(head) > 1:
            head = head[:1] + bytes([head[1] | (0x80 if self.wire.masked else 0)]) + head[2:]
        self.wire.write(head)
        return rest

    # Expecting.

    def expect(self, what, seen, right):
        self.expected.append(what)
        self.observed.append(seen)
        if not right:
            raise Failed

    def next_frame(self, what, patience=PATIENCE):
        try:
            frame = self.wire.read(patience)
        except Silence:
            return self.expect(what, "nothing", False)
        except Untidy as untidy:
            return self.expect(what, str(untidy), False)
        if frame is None:
            return self.expect(what, f"the connection's {self.wire.ended}", False)
        return frame

    def message(self, opcode, payload):
        """Expects a message with any fragmentation."""
        what = f"{'text' if opcode == TEXT else 'binary'} {shown(payload)}"
        frame = self.next_frame(what)
        first, data, rsv = frame.opcode, bytearray(frame.payload), frame.rsv
        while frame.opcode in (TEXT, BINARY, CONTINUATION) and not frame.fin:
            frame = self.next_frame(what)
            self.expect(what, str(frame), frame.opcode == CONTINUATION) if frame.opcode != CONTINUATION else None
            data += frame.payload
        data = self.inflated(bytes(data)) if rsv else bytes(data)
        self.expect(what, str(frame) if first != opcode else f"{what.split()[0]} {shown(data)}",
                    first == opcode and data == payload)

    def inflated(self, data):
        raise Untidy("a compressed message without negotiated compression")

    def echoes(self, opcode, payload):
        self.message(opcode, payload)

    def pong(self, payload=b""):
        frame = self.next_frame(f"pong {shown(payload)}")
        self.expect(f"pong {shown(payload)}", str(frame), frame.opcode == PONG and frame.payload == payload)

    def quiet(self, seconds=0.2):
        """Expects that nothing arrives."""
        try:
            frame = self.wire.read(seconds)
        except Silence:
            return self.expect("nothing", "nothing", True)
        return self.expect("nothing", str(frame) if frame else f"the connection's {self.wire.ended}", False)

    def fails(self, code, rest=b""):
        """Expects that the peer fails the connection with `code` before it receives `rest`."""
        what = f"close {code}" + (" before the rest is sent" if rest else "")
        if rest:
            try:
                frame = self.wire.read(PROMPT)
            except Silence:
                self.late = True
                self.wire.write(rest)
                frame = self.next_frame(what)
        else:
            frame = self.next_frame(what)
        seen = "the connection's end without a close frame" if frame is None else str(frame)
        self.expect(what, seen + (", after the rest was sent" if self.late else ""),
                    frame is not None and frame.opcode == CLOSE and frame.code == code)
        self.answer_close(frame)
        self.ends()

    def answer_close(self, frame):
        self.send(CLOSE, frame.payload[:2])

    def ends(self):
        """Expects the end of the connection within PROMPT. A server ends it first."""
        if not self.wire.masked:
            self.wire.end_output()
        what = "the connection's end"
        try:
            frame = self.wire.read(PROMPT)
        except Silence:
            return self.expect(what, "still open", False)
        except Untidy as untidy:
            return self.expect(what, str(untidy), False)
        # A reset loses nothing here: the close frames have been exchanged.
        return self.expect(what, str(frame) if frame else what, frame is None)

    def closes(self, code=1000, reason=b"", reply=None):
        """Sends a close frame, and expects its answer and the end of the connection."""
        payload = b"" if code is None else struct.pack(">H", code) + reason
        self.send(CLOSE, payload)
        self.close_answered(code if reply is None else reply)

    def close_answered(self, code):
        what = f"close {'without code' if code is None else code}"
        frame = self.next_frame(what)
        self.expect(what, str(frame), frame.opcode == CLOSE and frame.code == code)
        self.ends()


def run_case(case, peer):
    """Returns the verdict and the duration in seconds."""
    start = time.monotonic()
    try:
        case.script(peer)
        verdict = "NON-STRICT" if peer.late else "OK"
    except Failed:
        verdict = "FAILED"
    except (Untidy, Silence) as fault:
        peer.observed.append(str(fault) or type(fault).__name__)
        verdict = "FAILED"
    return verdict, time.monotonic() - start
