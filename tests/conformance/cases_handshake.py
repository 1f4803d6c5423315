"""The opening handshake. RFC 6455, section 4.

Cases for a server send a request and read the status. Cases for a client respond to its request and read its output.
"""
import base64

from cases import Group
from deflate import NAMES, parsed
from wire import TEXT, Wire, accept_of, read_head, request, shown

group = Group("0.1", "requests that a server accepts")


def accepted(title, chop=None, spelled=(b"", b""), **change):
    def script(peer):
        ask, key = request(peer.host, peer.path, **change)
        peer.write(ask.replace(*spelled, 1), chop)
        first, headers, rest = read_head(peer.sock)
        peer.expect("HTTP/1.1 101", first, first.startswith("HTTP/1.1 101 "))
        peer.expect(accept_of(key), headers.get("sec-websocket-accept"),
                    headers.get("sec-websocket-accept") == accept_of(key))
        peer.expect("upgrade", headers.get("connection", "").lower(),
                    headers.get("connection", "").lower() == "upgrade")
        peer.expect("websocket", headers.get("upgrade", "").lower(), headers.get("upgrade", "").lower() == "websocket")
        for name in ("sec-websocket-protocol", "sec-websocket-extensions"):
            peer.expect(f"no {name}", headers.get(name, f"no {name}"), name not in headers)
        talk = peer.talk(Wire(peer.sock, True, rest))
        talk.text(b"Hello")
        talk.echoes(TEXT, b"Hello")
        talk.closes()
    group.add(title, script, raw=True, roles=("server",))


# HS-12, HS-1, HS-8, WS-ORIGIN-1, WS-ORIGIN-2
accepted("minimal")
accepted("byte by byte", chop=1)
accepted("in chops of seven bytes", chop=7)
accepted("a query after the path", first="GET /echo?room=1&x=%20 HTTP/1.1")
accepted("Connection: keep-alive, Upgrade", headers=[("Connection", "keep-alive, Upgrade")])
accepted("Connection: upgrade", headers=[("Connection", "upgrade")])
accepted("Connection with empty elements", headers=[("Connection", ", ,Upgrade,")])
accepted("Upgrade: WebSocket", headers=[("Upgrade", "WebSocket")])
accepted("header names in lower case", drop=["Upgrade", "Connection", "Sec-WebSocket-Version"],
         headers=[("upgrade", "websocket"), ("connection", "Upgrade"), ("sec-websocket-version", "13")])
accepted("header names in upper case", drop=["Upgrade", "Connection"],
         headers=[("UPGRADE", "websocket"), ("CONNECTION", "Upgrade")])
accepted("blanks and tabs around values", headers=[("Upgrade", "  websocket\t "), ("Connection", "\tUpgrade")])
accepted("no blank before a value", spelled=(b"Upgrade: websocket", b"Upgrade:websocket"))
accepted("an empty line before the first", spelled=(b"GET", b"\r\nGET"))  # HTTP-9
accepted("an empty line before the first, byte by byte", chop=1, spelled=(b"GET", b"\r\nGET"))
accepted("the version HTTP/1.2", first="GET /echo HTTP/1.2")  # HTTP-5
accepted("100 headers", headers=[(f"X-Header-{i}", "value") for i in range(95)])
accepted("a header of 8,000 bytes", headers=[("Cookie", "c" * 8000)])
accepted("a header that is not ASCII", headers=[("X-Name", "\xe9")])
accepted("a subprotocol that the server does not speak", headers=[("Sec-WebSocket-Protocol", "chess")])
accepted("an unknown extension", headers=[("Sec-WebSocket-Extensions", "x-unknown; level=3, x-other")])
accepted("the RFC's own key", key="dGhlIHNhbXBsZSBub25jZQ==")
accepted("Content-Length: 0", headers=[("Content-Length", "0")])
accepted("Connection and Upgrade in several headers", headers=[("connection", "keep-alive"), ("upgrade", "h2c")])

group = Group("0.2", "requests that a server refuses")


def refused(title, status, chop=None, body=b"", raw=None, demands=None, **change):
    def script(peer):
        ask = raw if raw is not None else request(peer.host, peer.path, **change)[0]
        peer.write(ask + body, chop)
        first, headers, rest = read_head(peer.sock)
        peer.expect(f"HTTP/1.1 {status}", first, first.startswith(f"HTTP/1.1 {status} "))
        for name, value in (demands or {}).items():
            peer.expect(f"{name}: {value}", f"{name}: {headers.get(name.lower())}", headers.get(name.lower()) == value)
        size = int(headers.get("content-length", "0"))
        while len(rest) < size:
            rest += peer.sock.recv(4096)
        peer.expect("a body that states the cause", shown(rest), len(rest) == size > 10)
        peer.expect_end()
    group.add(title, script, raw=True, roles=("server",))


# HS-12, HTTP-2, WS-ORIGIN-3, WS-ORIGIN-4, WS-ORIGIN-5
UPGRADE, VERSION = {"Upgrade": "websocket"}, {"Sec-WebSocket-Version": "13"}
for method in ("POST", "PUT", "DELETE", "OPTIONS", "get"):
    refused(f"the method {method}", 405, first=f"{method} /echo HTTP/1.1", demands={"Allow": "GET"})
for version in ("HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/2.1", "HTTP/1.1x", "http/1.1", "HTTP/11"):
    refused(f"the version {version}", 400, first=f"GET /echo {version}")
for title, first in (("no version", "GET /echo"), ("no path", "GET HTTP/1.1"), ("two blanks", "GET  /echo HTTP/1.1"),
                     ("a blank in the path", "GET /echo /x HTTP/1.1"), ("a tab", "GET\t/echo HTTP/1.1")):
    refused(f"the first line: {title}", 400, first=first)
for path in ("/", "/other", "/echo/", "/Echo", "/echoo", "/ech", "/%65cho"):
    refused(f"the path {path}", 404, first=f"GET {path} HTTP/1.1")
for method in ("POST", "OPTIONS", "get"):
    refused(f"the path /other with the method {method}", 404, first=f"{method} /other HTTP/1.1")
refused("no Host", 400, drop=["Host"])
refused("an empty Host", 400, headers=[("Host", "")])
refused("two Hosts", 400, headers=[("host", "localhost")])
refused("a Host with a path", 400, headers=[("Host", "localhost/x")])
refused("a Host with a user", 400, headers=[("Host", "user@localhost")])
refused("a Host with a wrong port", 400, headers=[("Host", "localhost:99999")])
refused("a foreign Host on a loopback address", 403, headers=[("Host", "example.org")])
refused("no Upgrade", 426, drop=["Upgrade"], demands=UPGRADE)
refused("another Upgrade", 426, headers=[("Upgrade", "h2c")], demands=UPGRADE)
refused("Upgrade: websockets", 426, headers=[("Upgrade", "websockets")], demands=UPGRADE)
refused("no Connection", 400, drop=["Connection"])
refused("Connection: close", 400, headers=[("Connection", "close")])
refused("Connection: Upgraded", 400, headers=[("Connection", "Upgraded")])
refused("no version of WebSocket", 400, drop=["Sec-WebSocket-Version"])
for version in ("12", "14", "8", "0", "131"):
    refused(f"the version {version} of WebSocket", 426, headers=[("Sec-WebSocket-Version", version)], demands=VERSION)
refused("two versions of WebSocket", 400, headers=[("sec-websocket-version", "13")])
refused("no key", 400, drop=["Sec-WebSocket-Key"])
refused("two keys", 400, headers=[("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")])
for title, key in (("15 bytes", base64.b64encode(b"x" * 15).decode()),
                   ("17 bytes", base64.b64encode(b"x" * 17).decode()),
                   ("18 bytes", base64.b64encode(b"x" * 18).decode()), ("no padding", "dGhlIHNhbXBsZSBub25jZQ"),
                   ("one pad too few", "dGhlIHNhbXBsZSBub25jZQA="), ("nonzero unused bits", "dGhlIHNhbXBsZSBub25jZR=="),
                   ("the URL alphabet", "dGhlIHNhbXBsZSBub25j-_=="), ("a blank inside", "dGhlIHNhbXBs SBub25jZQ=="),
                   ("nonsense", "x")):
    refused(f"a key of {title}", 400, headers=[("Sec-WebSocket-Key", key)])
for origin in ("http://evil.example", "https://localhost", "http://localhost.evil.example", "null",
               "http://127.0.0.1:1", "file://", "localhost"):
    refused(f"the origin {origin}", 403, headers=[("Origin", origin)])
refused("two origins", 400, headers=[("Origin", "http://a.example"), ("origin", "http://b.example")])
refused("Content-Length: 5", 400, headers=[("Content-Length", "5")], body=b"Hello")
refused("Transfer-Encoding: chunked", 400, headers=[("Transfer-Encoding", "chunked")], body=b"0\r\n\r\n")
refused("a malformed subprotocol", 400, headers=[("Sec-WebSocket-Protocol", "a b")])
refused("a malformed extension", 400, headers=[("Sec-WebSocket-Extensions", "permessage-deflate; =1")])
refused("101 headers", 431, headers=[(f"X-Header-{i}", "v") for i in range(96)])
refused("a header of 17,000 bytes", 431, headers=[("Cookie", "c" * 17000)])
refused("a request of 20,000 bytes, in chops of 100", 431, headers=[("Cookie", "c" * 20000)], chop=100)


def spoiled(title, old, new):
    """The minimal request with one replacement."""
    def script(peer):
        ask = request(peer.host, peer.path)[0]
        peer.write(ask.replace(old, new, 1))
        first, _, _ = read_head(peer.sock)
        peer.expect("HTTP/1.1 400", first, first.startswith("HTTP/1.1 400 "))
        peer.expect_end()
    group.add(title, script, raw=True, roles=("server",))


spoiled("a line that ends in LF alone", b"websocket\r\n", b"websocket\n")
spoiled("a CR inside a value", b"Upgrade: websocket", b"Upgrade: web\rsocket")
spoiled("a CR at the end of a value", b"websocket\r\n", b"websocket\r\r\n")
spoiled("a NUL inside a value", b"Upgrade: websocket", b"Upgrade: web\0socket")
spoiled("a control character inside a value", b"Upgrade: websocket", b"Upgrade: web\x01socket")
spoiled("DEL inside a value", b"Upgrade: websocket", b"Upgrade: web\x7fsocket")
spoiled("a folded line", b"Upgrade: websocket", b"Upgrade:\r\n websocket")
spoiled("a blank before the colon", b"Upgrade: ", b"Upgrade : ")
spoiled("a line without a colon", b"Upgrade: websocket", b"Upgrade websocket")
spoiled("a line without a name", b"Upgrade: ", b": ")
spoiled("a name with a blank", b"Upgrade: ", b"Up grade: ")
spoiled("a first line that ends in LF alone", b"HTTP/1.1\r\n", b"HTTP/1.1\n")
spoiled("two empty lines before the first", b"GET", b"\r\n\r\nGET")

group = Group("0.3", "responses that a client accepts")


def answer_of(key, change):
    """A server's response with changes. None omits a header."""
    lines = {"first": "HTTP/1.1 101 Switching Protocols", "Upgrade": "websocket", "Connection": "Upgrade",
             "Sec-WebSocket-Accept": accept_of(key)}
    lines.update({name: value(key) if callable(value) else value for name, value in change.items()})
    first = lines.pop("first")
    return "\r\n".join([first] + [f"{n}: {v}" for n, v in lines.items() if v is not None] + ["", ""]).encode("latin-1")


def client_accepts(title, chop=None, early=b"", before=b"", **change):
    change = {name.replace("_", "-"): value for name, value in change.items()}

    def script(peer):
        first, asked, _ = read_head(peer.sock)
        peer.expect(f"GET {peer.path} HTTP/1.1", first, first == f"GET {peer.path} HTTP/1.1")
        wire = Wire(peer.sock, False)
        answer = before + answer_of(asked["sec-websocket-key"], change)
        peer.write(answer + (wire.frame(TEXT, early) if early else b""), chop)
        talk = peer.talk(wire)
        if early:
            talk.echoes(TEXT, early)
        talk.text(b"Hello")
        talk.echoes(TEXT, b"Hello")
        talk.closes()
        peer.says("open")
    group.add(title, script, raw=True, roles=("client",))


# WS-CONNECT-1, WS-TEXT-1
client_accepts("minimal")
client_accepts("byte by byte", chop=1)
client_accepts("a message in the same segment", early=b"welcome")
client_accepts("an interim response", before=b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
client_accepts("interim responses, byte by byte", chop=1, before=b"HTTP/1.1 100 Continue\r\n\r\n" * 2)
client_accepts("another reason", first="HTTP/1.1 101 Web Socket Protocol Handshake")
client_accepts("no reason", first="HTTP/1.1 101 ")
client_accepts("Upgrade: WebSocket", Upgrade="WebSocket")
client_accepts("Connection: keep-alive, Upgrade", Connection="keep-alive, Upgrade")
client_accepts("a header that is not ASCII", X_Name="\xe9")
client_accepts("100 headers", **{f"X-{i}": "value" for i in range(97)})
client_accepts("fifty more headers", **{f"X-{i}": "value" for i in range(50)})

group = Group("0.4", "responses that a client rejects")


def client_refuses(title, words, raw=None, **change):
    change = {name.replace("_", "-"): value for name, value in change.items()}

    def script(peer):
        _, asked, _ = read_head(peer.sock)
        peer.write(raw if raw is not None else answer_of(asked["sec-websocket-key"], change))
        peer.expect_end()
        peer.says(words)
    group.add(title, script, raw=True, roles=("client",))


# WS-CONNECT-7, WS-CONNECT-8
for status in ("200 OK", "301 Moved Permanently", "400 Bad Request", "401 Unauthorized", "403 Forbidden",
               "404 Not Found", "426 Upgrade Required",
               "500 Internal Server Error", "503 Service Unavailable"):
    client_refuses(f"the status {status}", f"HTTP {status}", first=f"HTTP/1.1 {status}")
client_refuses("no Upgrade", "Upgrade", Upgrade=None)
client_refuses("another Upgrade", "Upgrade", Upgrade="h2c")
client_refuses("a list with another Upgrade", "Upgrade", Upgrade="h2c, websocket")
client_refuses("two headers Upgrade", "Upgrade", upgrade="websocket")
client_refuses("no Connection", "Connection", Connection=None)
client_refuses("another Connection", "Connection", Connection="close")
client_refuses("no Sec-WebSocket-Accept", "Accept", Sec_WebSocket_Accept=None)
client_refuses("the accept of another key", "Accept", Sec_WebSocket_Accept=accept_of("dGhlIHNhbXBsZSBub25jZQ=="))
client_refuses("the key itself as accept", "Accept", Sec_WebSocket_Accept=lambda key: key)
client_refuses("two accepts", "Accept", sec_websocket_accept=accept_of)
client_refuses("an accept followed by more text", "Accept", Sec_WebSocket_Accept=lambda key: f"{accept_of(key)}, x")
client_refuses("an accept cut short", "Accept", Sec_WebSocket_Accept=lambda key: accept_of(key)[:-1])
client_refuses("Upgrade: websockets", "Upgrade", Upgrade="websockets")
client_refuses("Connection: Upgraded", "Connection", Connection="Upgraded")
client_refuses("two subprotocols that were not offered", "Sec-WebSocket-Protocol", Sec_WebSocket_Protocol="chess",
               sec_websocket_protocol="go")
client_refuses("an accept in lower case", "Accept", Sec_WebSocket_Accept=lambda key: accept_of(key).lower())
client_refuses("a subprotocol that was not offered", "Sec-WebSocket-Protocol", Sec_WebSocket_Protocol="chess")
client_refuses("an extension that was not offered", "Sec-WebSocket-Extensions", Sec_WebSocket_Extensions="x-unknown")
client_refuses("permessage-deflate that was not offered", "Sec-WebSocket-Extensions",
               Sec_WebSocket_Extensions="permessage-deflate")
client_refuses("HTTP/1.0", "Err", first="HTTP/1.0 101 Switching Protocols")
client_refuses("not HTTP", "Err", raw=b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
client_refuses("an empty line before the first", "start line", raw=b"\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n")
client_refuses("a head without end", "Err", raw=b"HTTP/1.1 101 Switching Protocols\r\nX-Long: " + b"x" * 20000)
client_refuses("a header with a NUL", "Err", X_Bad="a\0b")
client_refuses("101 headers", "Err", **{f"X-{i}": "value" for i in range(98)})
client_refuses("a folded line", "Err", X_Bad="a\r\n b")
client_refuses("a CR inside a value", "Err", X_Bad="a\rb")
client_refuses("a LF inside a value", "Err", X_Bad="a\nb")
client_refuses("a blank before a colon", "Err", **{"X-Bad ": "a"})
client_refuses("only the end of the connection", "Err", raw=b"")

group = Group("0.5", "offers of compression that a server declines or accepts")


def offered(title, offer, agreed):
    def script(peer):
        peer.write(request(peer.host, peer.path, headers=[("Sec-WebSocket-Extensions", offer)])[0])
        first, headers, rest = read_head(peer.sock)
        peer.expect("HTTP/1.1 101", first, first.startswith("HTTP/1.1 101 "))
        answer = headers.get("sec-websocket-extensions")
        taken = answer is not None and all(parsed(answer).get(name) == value for name, value in (agreed or {}).items())
        peer.expect(str(agreed), str(answer), taken if agreed is not None else answer is None)
        talk = peer.talk(Wire(peer.sock, True, rest, extensions=False))
        talk.closes()
    group.add(title, script, raw=True, roles=("server",))


SERVER_FORGETS, CLIENT_FORGETS, SERVER_BITS, CLIENT_BITS = NAMES
offered("the second of two", f"permessage-deflate; {SERVER_BITS}=8, permessage-deflate", {})
offered("the first of two", f"permessage-deflate; {SERVER_BITS}=10, permessage-deflate", {SERVER_BITS: 10})
offered("after an unknown extension", "x-unknown, permessage-deflate", {})
offered("a parameter in upper case", f"permessage-deflate; {SERVER_FORGETS.upper()}", {SERVER_FORGETS: True})
offered("a value in quotes", f'permessage-deflate; {SERVER_BITS}="10"', {SERVER_BITS: 10})
for title, parameter in (("a server's window of 8", f"{SERVER_BITS}=8"), ("a server's window of 7", f"{SERVER_BITS}=7"),
                         ("a server's window of 16", f"{SERVER_BITS}=16"),
                         ("a server's window of 010", f"{SERVER_BITS}=010"),
                         ("a server's window without value", SERVER_BITS),
                         ("a client's window of 16", f"{CLIENT_BITS}=16"),
                         ("a client's window of x", f"{CLIENT_BITS}=x"),
                         ("a parameter with an unexpected value", f"{SERVER_FORGETS}=1"),
                         ("a parameter twice", f"{CLIENT_FORGETS}; {CLIENT_FORGETS}"),
                         ("an unknown parameter", "unknown")):
    offered(title, f"permessage-deflate; {parameter}", None)

group = Group("0.6", "responses to an offer of compression that a client rejects")


def client_refuses_params(title, answer):
    def script(peer):
        _, asked, _ = read_head(peer.sock)
        offer = asked.get("sec-websocket-extensions", "")
        peer.expect("an offer of permessage-deflate", offer, "permessage-deflate" in offer)
        peer.write(answer_of(asked["sec-websocket-key"], {"Sec-WebSocket-Extensions": answer}))
        peer.expect_end()
        peer.says("Sec-WebSocket-Extensions")
    group.add(title, script, raw=True, roles=("client",), offer={})


for title, parameter in (("a client's window of 8", f"{CLIENT_BITS}=8"), ("a client's window of 7", f"{CLIENT_BITS}=7"),
                         ("a client's window of 16", f"{CLIENT_BITS}=16"),
                         ("a client's window without value", CLIENT_BITS),
                         ("a server's window of 7", f"{SERVER_BITS}=7"),
                         ("a server's window of 16", f"{SERVER_BITS}=16"),
                         ("a server's window without value", SERVER_BITS), ("an unknown parameter", "unknown"),
                         ("a parameter twice", f"{SERVER_FORGETS}; {SERVER_FORGETS}"),
                         ("a parameter with an unexpected value", f"{CLIENT_FORGETS}=true")):
    client_refuses_params(title, f"permessage-deflate; {parameter}")
client_refuses_params("the extension twice", "permessage-deflate, permessage-deflate")
client_refuses_params("an unknown extension", "permessage-bzip2")
