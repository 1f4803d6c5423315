"""Frames, handshakes and sockets of the test peer, independent of the runtime under test.

Every received frame is checked: only clients mask, no mask repeats, lengths have their shortest form, only negotiated
reserved bits are set, control frames are short and not fragmented.
"""
import base64
import hashlib
import os
import select
import socket
import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NAMES = {CONTINUATION: "continuation", TEXT: "text", BINARY: "binary", CLOSE: "close", PING: "ping", PONG: "pong"}
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PATIENCE = float(os.environ.get("WS_PATIENCE", "60"))   # time limit in seconds for any answer


class Untidy(Exception):
    """The peer violated a rule that applies to every case."""


class Silence(Exception):
    """Nothing arrived in time."""


def xor(data, mask):
    """Applies a 4-byte mask with one integer operation."""
    if not data:
        return b""
    key = (mask * (len(data) // 4 + 1))[:len(data)]
    return (int.from_bytes(data, "little") ^ int.from_bytes(key, "little")).to_bytes(len(data), "little")


def readable(sock, patience):
    """Waits for bytes or the end. Returns False on timeout. (select cannot handle more than 1,024 descriptors.)"""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(patience * 1000))


def shown(data, limit=24):
    """Bytes as text for the report."""
    if len(data) > limit:
        return f"{data[:limit]!r}... ({len(data)} bytes)"
    return repr(data)


def build_frame(opcode, payload=b"", fin=True, rsv=0, mask=None, form=None):
    """The bytes of a frame. `form` is the number of length bits (7, 16 or 64); by default it is the smallest."""
    size = len(payload)
    form = form or (7 if size < 126 else 16 if size < 65536 else 64)
    head = bytes([fin << 7 | rsv << 4 | opcode])
    bit = 0x80 if mask is not None else 0
    head += (bytes([bit | size]) if form == 7 else bytes([bit | 126]) + struct.pack(">H", size) if form == 16
             else bytes([bit | 127]) + struct.pack(">Q", size))
    return head + payload if mask is None else head + mask + xor(payload, mask)


class Frame:
    def __init__(self, opcode, fin, rsv, payload):
        self.opcode, self.fin, self.rsv, self.payload = opcode, fin, rsv, payload

    @property
    def code(self):
        """The code of a close frame, or None."""
        return struct.unpack(">H", self.payload[:2])[0] if len(self.payload) >= 2 else None

    def __str__(self):
        if self.opcode == CLOSE:
            return f"close {self.code if self.payload else 'without code'}"
        tail = "" if self.fin else ", not final"
        return f"{NAMES[self.opcode]} {shown(self.payload)}{tail}"


class Wire:
    """A connection after its handshake. `masked` means that this side is the client."""

    def __init__(self, sock, masked, rest=b"", extensions=False):
        self.sock, self.masked, self.extensions = sock, masked, extensions
        self.buffer = bytearray(rest)
        self.ended = None
        self.masks = set()
        self.repeated = 0
        self.first_masks = None   # the first two masks of each earlier connection of this program
        self.latest_mask = b""
        sock.settimeout(PATIENCE)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def frame(self, opcode, payload=b"", **kind):
        """The bytes of a frame from this side of the connection."""
        return build_frame(opcode, payload, mask=os.urandom(4) if self.masked else None, **kind)

    def write(self, data, chop=None):
        """Sends bytes, `chop` at a time if given. If the connection is lost, the next read reports it."""
        try:
            for start in range(0, len(data), chop or max(len(data), 1)):
                self.sock.sendall(data[start:start + (chop or len(data))])
        except (ConnectionError, BrokenPipeError, OSError):
            self.ended = self.ended or "reset"

    def fill(self, patience):
        """Waits for more bytes. Returns False at the end of the connection."""
        if self.ended == "end":
            return False
        if not getattr(self.sock, "pending", int)() and not readable(self.sock, patience):
            raise Silence
        try:
            more = self.sock.recv(1 << 18)
        except (ConnectionError, OSError) as error:
            self.ended = f"reset ({type(error).__name__})"
            return False
        self.buffer += more
        if not more:
            self.ended = "end"
        return bool(more)

    def take(self, size, patience):
        while len(self.buffer) < size:
            if not self.fill(patience):
                return None
        taken = bytes(self.buffer[:size])
        del self.buffer[:size]
        return taken

    def read(self, patience=PATIENCE):
        """Returns the next frame, or None at the end of the connection. Raises Silence, or Untidy for an invalid
        frame."""
        head = self.take(2, patience)
        if head is None:
            return None
        opcode, fin, rsv = head[0] & 15, bool(head[0] & 128), head[0] >> 4 & 7
        masked, size = bool(head[1] & 128), head[1] & 127
        if size >= 126:
            field = self.take(2 if size == 126 else 8, patience)
            size, shortest = int.from_bytes(field, "big"), size == 126 and 126 or 65536
            if size < shortest:
                raise Untidy(f"a length of {size} in a field of {len(field)} bytes")
        if masked == self.masked:
            raise Untidy("a masked frame from a server" if masked else "a frame without a mask from a client")
        mask = self.take(4, patience) if masked else None
        payload = self.take(size, patience)
        if payload is None:
            raise Untidy("the connection ended inside a frame")
        if masked:
            self.note_mask(mask, payload)
            payload = xor(payload, mask)
        self.check(opcode, fin, rsv, payload)
        return Frame(opcode, fin, rsv, payload)

    def note_mask(self, mask, payload):
        # Among a thousand random masks, one may repeat by chance, but not two.
        self.repeated += bool(payload) and mask in self.masks
        if payload and mask == self.latest_mask or self.repeated > 1:
            raise Untidy("the same mask twice")
        self.masks.add(mask)
        if self.first_masks is not None and len(self.masks) == 2:
            if self.latest_mask + mask in self.first_masks:
                raise Untidy("the masks of an earlier run")   # WS-SEC-6
            self.first_masks.add(self.latest_mask + mask)
        self.latest_mask = mask

    def check(self, opcode, fin, rsv, payload):
        if opcode not in NAMES:
            raise Untidy(f"opcode {opcode}")
        if rsv and not (self.extensions and rsv == 4 and opcode in (TEXT, BINARY)):
            raise Untidy(f"reserved bits {rsv}")
        if opcode >= CLOSE and (not fin or len(payload) > 125):
            raise Untidy("a control frame that is fragmented or too long")
        if opcode == CLOSE and len(payload) == 1:
            raise Untidy("a close frame of one byte")

    def end_output(self):
        """Shuts down writing; reading continues. (On a TLS socket, SSLSocket.shutdown would end reading too.)"""
        try:
            socket.socket.shutdown(self.sock, socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        try:
            self.sock.close()
        except OSError:
            pass


def read_head(sock, patience=PATIENCE):
    """Reads an HTTP head. Returns its first line, its headers by lower-case name, and the bytes after it."""
    sock.settimeout(patience)
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            raise Untidy(f"the connection ended inside the head: {shown(data)}")
        data += more
    head, rest = data.split(b"\r\n\r\n", 1)
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), []).append(value.strip())
    return first, {name: ", ".join(values) for name, values in headers.items()}, rest


def accept_of(key):
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def request(host, path, headers=(), key=None, drop=(), first=None):
    """A client's handshake and its key. `headers` are added to the defaults or replace them; `drop` omits defaults."""
    fields = {"Host": host, "Upgrade": "websocket", "Connection": "Upgrade",
              "Sec-WebSocket-Key": key or base64.b64encode(os.urandom(16)).decode(), "Sec-WebSocket-Version": "13"}
    extra = []
    for name, value in headers:
        if name in fields:
            fields[name] = value
        else:
            extra.append((name, value))
    lines = [first or f"GET {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in [*fields.items(), *extra] if name not in drop]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), fields["Sec-WebSocket-Key"]


def open_client(sock, host, path, headers=()):
    """Performs the client's handshake on a connected socket. Returns the wire and the headers of the response."""
    ask, key = request(host, path, headers)
    sock.sendall(ask)
    first, answered, rest = read_head(sock)
    if not first.startswith("HTTP/1.1 101 "):
        raise Untidy(f"the response to the handshake is {first!r}")
    if answered.get("sec-websocket-accept") != accept_of(key):
        raise Untidy("the response has a wrong Sec-WebSocket-Accept")
    return Wire(sock, True, rest, "sec-websocket-extensions" in answered), answered


def open_server(sock, headers=()):
    """Performs the server's handshake on an accepted socket. Returns the wire and the headers of the request."""
    _, asked, rest = read_head(sock)
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
             f"Sec-WebSocket-Accept: {accept_of(asked['sec-websocket-key'])}", *(f"{n}: {v}" for n, v in headers)]
    sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    return Wire(sock, False, rest, any(n.lower() == "sec-websocket-extensions" for n, _ in headers)), asked
