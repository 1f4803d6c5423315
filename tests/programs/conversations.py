#!/usr/bin/python3
"""Runs the example programs against each other and compares their output line by line.

    conversations.py OSPREYC [NAME…]
"""
import asyncio
import http.client
import itertools
import json
import os
import re
import socket
import struct
import sys
import tempfile

import websockets

from osprey_process import PROGRAMS, Failure, compile_program, expect, free_port, started


class Stage:
    """Compiles and starts programs in one scratch directory."""

    def __init__(self, ospreyc, scratch):
        self.ospreyc, self.scratch = ospreyc, scratch

    def start(self, name, *arguments, **environment):
        return started(compile_program(self.ospreyc, PROGRAMS / f"{name}.osp", self.scratch), *arguments, **environment)


def chat(stage):
    """A server and two clients in three processes: each client receives the messages of both."""
    port = free_port()
    with stage.start("chat_server", port) as server:
        server.wait_for(f"Server listening on ws://127.0.0.1:{port}/chat")
        with stage.start("chat_client", port) as ada, stage.start("chat_client", port) as bob:
            ada.wait_for("Connected")
            bob.wait_for("Connected")
            server.wait_for_lines(3)
            ada.say("Hello from Ada\n")
            heard = next_said(server, 4, "Hello from Ada")
            ada.wait_for(f"> {heard}")
            bob.wait_for(f"> {heard}")
            bob.say("How is everyone?\n\n")
            heard = next_said(server, 5, "How is everyone?")
            ada.wait_for(f"> {heard}")
            expect("Bob's last line", "Disconnected", bob.finish()[-1])
            server.wait_for_lines(6)
            ada.end_input()
            expect("Ada's last line", "Disconnected", ada.finish()[-1])
        server.wait_for_lines(7)
        server.signal()
        lines = server.finish()
    expect("comings", 2, sum(line.endswith(" joined") for line in lines))
    expect("goings", 2, sum(line.endswith(" left") for line in lines))
    expect("last line", "Stopped", lines[-1])


def next_said(server, count, text):
    server.wait_for_lines(count)
    line = server.lines[count - 1]
    if not line.endswith(f": {text}"):
        raise Failure(f"expected the announcement of {text!r}, observed {line!r}")
    return line


def both_ends(stage):
    """A client receives the broadcasts of a server in the same process."""
    with stage.start("both_ends", free_port()) as process:
        lines = process.finish()
    expect("first lines", ["Starting WebSocket chat server...", "Connected to chat server"], lines[:2])
    expect("last line", "Disconnected from chat", lines[-1])
    expect("the output of the handler",
           ["Chat: Welcome to Osprey Chat!", "Received message: Welcome to Osprey Chat!", "Chat: ping",
                                     "Received ping, stopping the server"],
           [line for line in lines if line.startswith(("Chat: ", "Received "))])
    for line in ("First message sent", "Welcome message broadcasted"):
        expect(f"times of {line!r}", 1, lines.count(line))


def lookups(stage):
    """Lookups: WS-REMOTE-1, WS-QUEUED-1, WS-COUNT-1, WS-PROTOCOL-1, WS-CONNECTION-1, WS-REQUESTPATH-1,
    WS-REQUESTQUERY-1"""
    port = free_port()
    url = f"ws://127.0.0.1:{port}/look/a%2Fb?at=1&to+be=%C3%A9+%2B"
    with stage.start("lookups", port) as process:
        lines = process.finish()
    expect("the output",
           ["open Success(0)", "serving Success(0)", f"opening: {url}, connected false",
                             "asked for Success(talk.v2, talk.v1)", "speaks Success(talk.v1)",
                             "at Success(/look/a/b)", "with Success(é +) and Success(1)",
            f"peer Success(127.0.0.1:{port})",
                             "subprotocol Success(talk.v1)", "queued Success(0)", "open Success(1)",
                             f"record {url}, connected true", "looked Success(0)",
            "stopped Success(0)"], lines)


def token(stage):
    """Only a client with the token is admitted."""
    port = free_port()
    with stage.start("token_server", port) as server:
        server.wait_for(f"Server listening on ws://127.0.0.1:{port}/private")
        with stage.start("token_client", port, "open-sesame") as client:
            expect("the admitted client", sorted(["Said hello", "> You said: hello", "Disconnected"]),
                   sorted(client.finish()))
        for arguments in ([port, "wrong"], [port]):
            with stage.start("token_client", *arguments) as client:
                lines = client.finish()
            if len(lines) != 1 or not lines[0].startswith("Failed to connect: ") or "403" not in lines[0]:
                raise Failure(f"the refused client said {lines}")
        server.signal()
        lines = server.finish()
    expect("the server", ["admitted", "refused: the wrong token", "refused: no token", "Stopped"], lines[1:])


async def watch(url):
    try:
        async with websockets.connect(url):
            raise Failure("a client without a token was admitted")
    except websockets.InvalidStatusCode as refused:
        expect("the refusal", (401, 'Bearer realm="dashboard"'),
               (refused.status_code, refused.headers["WWW-Authenticate"]))
    async with websockets.connect(url, extra_headers={"Authorization": "Bearer open-sesame"}) as first:
        cookie = first.response_headers["Set-Cookie"].split(";")[0]
        headers = {"Cookie": cookie, "X-Forwarded-For": "198.51.100.1, 203.0.113.5"}
        async with websockets.connect(url, extra_headers=headers) as second:
            await second.send("who")
            wanted = {"You are 203.0.113.5", "2 watching"}
            while wanted:
                wanted.discard(await second.recv())
        while await first.recv() != "1 watching":
            pass


def dashboard(stage):
    """WS-REFUSE-1, WS-ANSWER-1, WS-PROXY-3: a token admits, then a cookie; figures are pushed until a clean stop."""
    port = free_port()
    with stage.start("dashboard", port, 20) as server:
        server.wait_for(f"Server listening on port {port}: Success(0)")
        asyncio.run(watch(f"ws://127.0.0.1:{port}/live"))
        server.signal()
        lines = server.finish()
    expect("the server's last line", "Stopped: Success(0)", lines[-1])


def capturing(stage):
    """Captured values are valid on the thread that calls the handler."""
    with stage.start("capturing", free_port()) as process:
        lines = process.finish()
    expect("lines", ["server on port: Ada", "Ada's client hears: Good day, Ada!", "server on port: Bob",
                     "Bob's client hears: Good day, Bob!", "Done"], lines)


def leaving(stage):
    """The end of main closes everything. The client, which is closed too, may or may not receive the last message."""
    with stage.start("leaving", free_port()) as process:
        lines = process.finish()
    lines.remove("leaving")
    if lines not in ([], ["the client hears: goodbye"]):
        raise Failure(f"unexpected output: {lines}")


def every_err(stage):
    """The text of each Err. IDs come from the first line that contains them; {number} matches any number."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        ports = {"port": free_port(), "other": free_port(), "deaf": deaf.getsockname()[1]}
        with stage.start("every_err", *ports.values(), os.fsdecode(b"\xff")) as process:
            lines = process.finish(live=3)  # three strings and records at file scope
    introduction = next(line for line in lines if line.startswith("server "))
    server, client = re.fullmatch(r"server (\d+), client (\d+)", introduction).groups()
    peer = re.search(r"connection (\d+)", next(line for line in lines if line.startswith("no_header"))).group(1)
    expected = (PROGRAMS / "every_err.expected").read_text().splitlines()
    for want, line in itertools.zip_longest(expected, lines, fillvalue="nothing"):
        pattern = re.escape(want).replace(r"\{number\}", r"\d+")
        for name, value in dict(ports, server=server, client=client, peer=peer).items():
            pattern = pattern.replace(r"\{" + name + r"\}", str(value))
        if not re.fullmatch(pattern, line):
            raise Failure(f"expected {want!r}, observed {line!r}")


async def echoed(url, messages):
    async with websockets.connect(url) as peer:
        for message in messages:
            await peer.send(message)
            expect("echo", message, await peer.recv())


def echo(stage):
    """Another implementation receives text and binary messages unchanged."""
    port = free_port()
    with stage.start("echo_server", port) as server:
        server.wait_for(f"Server listening on ws://127.0.0.1:{port}/")
        messages = ("", "text", "é" * 1000, "U+0000: \0", b"", b"\0\xff binary", bytes(range(256)) * 1000)
        asyncio.run(echoed(f"ws://127.0.0.1:{port}/", messages))
        server.signal()
        expect("last line", "Stopped", server.finish()[-1])


async def lengths_of(url, messages):
    async with websockets.connect(url) as connection:
        for message, answer in messages:
            await connection.send(message)
            expect(f"the answer to {message!r:.20}", answer, await connection.recv())


def lengths(stage):
    """RUN-FN-9: one message after the other in the same string."""
    port = free_port()
    with stage.start("lengths", port) as server:
        server.wait_for("Server listening")
        messages = (("hello", "5 -1"), ("hi", "2 -1"), ("a longer one", "12 32"), ("", "0 -1"), (b"a", "4 -1"),
                    (b"abcdefghi", "12 90"), ("y" * 200000, "200000 121"), ("z", "1 -1"))
        asyncio.run(lengths_of(f"ws://127.0.0.1:{port}/", messages))
        server.signal()
        expect("last line", "served: Success(0)", server.finish()[-1])


async def stream(rounds, connection):
    """A round of the stream: what the client subscribes to, until the server stops."""
    if connection.request_headers["Authorization"] != "Bearer open-sesame":
        raise Failure("the token is not sent again")
    if await connection.recv() != "subscribe":
        raise Failure("the client does not subscribe first")
    for part in ("one", "two"):
        await connection.send(f"{len(rounds)} {part}")
    async for message in connection:
        rounds[-1].append(message)


async def served_thrice(client, port, rounds):
    """A server that is stopped and started again. While it is away, sends are an Err."""
    for number in range(1, 4):
        rounds.append([])
        async with websockets.serve(lambda connection: stream(rounds, connection), "127.0.0.1", port):
            if number == 1:
                client.go_on()
            await client.wait(f"> {number} two")
            await client.say(f"hello {number}\n", f"hello {number}: Success(0)")
            while not rounds[-1]:
                await asyncio.sleep(0.005)
        await client.wait("lost with 1001, connected false", times=number)
        await client.say("?\n", "connected false, stream", times=number)
        away = f"away {number}"
        await client.say(f"{away}\n", f"{away}: Error(send: connection 3 is lost, and is reconnecting)")


class AsyncClient:
    """A process that a coroutine waits for without holding its own server up. It starts when the server does."""

    def __init__(self, stage, *arguments):
        self.stage, self.arguments, self.context = stage, arguments, None

    def go_on(self):
        self.context = self.stage.start(*self.arguments)
        self.process = self.context.__enter__()

    async def wait(self, line, times=1):
        await asyncio.to_thread(self.process.wait_for, line, times)

    async def say(self, text, answer, times=1):
        self.process.say(text)
        await self.wait(answer, times)


def staying(stage):
    """A streaming client stays while its server is stopped and started again: WS-RECONNECT-1, WS-RECONNECT-5,
    WS-RECONNECT-6, WS-RECONNECT-7, WS-CLOSE-4"""
    port, rounds = free_port(), []
    client = AsyncClient(stage, "staying", port, "open-sesame")
    try:
        asyncio.run(served_thrice(client, port, rounds))
        client.process.end_input()
        lines = client.process.finish(live=2)  # strings and records at file scope
    finally:
        if client.context:
            client.context.__exit__(None, None, None)
    expect("what the servers heard", [["hello 1"], ["hello 2"], ["hello 3"]], rounds)
    expect("the stream", [f"> {number} {part}" for number in range(1, 4) for part in ("one", "two")],
           [line for line in lines if line.startswith("> ")])
    expect("its returns", ["back, connected true"] * 2, [line for line in lines if line.startswith("back")])
    expect("the end", ["left: Success(0)", "after it: Error(send: connection 3 is closed)"], lines[-2:])


async def visit(url, *said):
    peer = await websockets.connect(url)
    for text in said:
        await peer.send(text)
    return peer


async def hears(peer, *lines):
    for line in lines:
        expect("heard", line, await asyncio.wait_for(peer.recv(), 30))


async def in_rooms(url):
    ada = await visit(url, "Ada", "tea")
    await hears(ada, "Ada joined tea")
    for n in range(12):
        await ada.send(f"line {n}")
        await hears(ada, f"Ada: line {n}")
    bob = await visit(url, "Bob", "tea")
    await hears(bob, *(f"Ada: line {n}" for n in range(2, 12)), "Bob joined tea")
    await hears(ada, "Bob joined tea")
    eve = await visit(url, "Eve", "coffee", "only for coffee")
    await hears(eve, "Eve joined coffee", "Eve: only for coffee")
    await bob.send("hello")
    for peer in (ada, bob):
        await hears(peer, "Bob: hello")
        await peer.send("/who")
        await hears(peer, "2 in tea")
    await bob.send("/leave")
    await bob.send("r" * 256)
    await hears(bob, "subscribe: the topic has 256 bytes; it has 1 to 255")
    await bob.send("coffee")
    await hears(bob, "Eve: only for coffee", "Bob joined coffee")
    await hears(ada, "Bob left")
    await hears(eve, "Bob joined coffee")
    await bob.close()
    await hears(eve, "Bob left")
    await ada.send("/who")
    await hears(ada, "1 in tea")
    for peer in (ada, eve):  # the server would wait for them when it stops
        await peer.close()


def rooms(stage):
    """Clients of another implementation in rooms, with nicknames and history, on one loop and on four."""
    for loops in "14":
        port = free_port()
        with stage.start("rooms_server", port, OSPREY_WS_LOOPS=loops) as server:
            server.wait_for(f"Serving ws://127.0.0.1:{port}/chat: Success(0)")
            asyncio.run(in_rooms(f"ws://127.0.0.1:{port}/chat"))
            server.signal()
            expect("last line", "Stopping: Success(0)", server.finish()[-1])


async def counted(url):
    async with websockets.connect(url) as one, websockets.connect(url) as other:
        for peer, request, value in (
                (one, (0, 7, 9), 0), (one, (1, 7, 1), 1), (other, (1, 7, 0xFFFFFFFE), 0xFFFFFFFF),
                (one, (0, 7, 0), 0xFFFFFFFF), (one, (1, 7, 3), 2), (other, (2, 255, 0xFBEFBE), 0xFBEFBE),
                (other, (0, 255, 0), 0xFBEFBE), (other, (0, 7, 0), 2), (one, (2, 0, 0), 0)):
            await peer.send(struct.pack(">BBI", *request))
            answer = struct.unpack(">BBI", await asyncio.wait_for(peer.recv(), 30))
            expect(f"the answer to {request}", (*request[:2], value), answer)
    for wrong, reason in (("AAAAAAAA", "a request has six bytes"), (b"", "a request has six bytes"),
                          (b"12345", "a request has six bytes"), (b"1234567", "a request has six bytes"),
                          (b"\3\0\0\0\0\0", "nothing is to be done for 3")):
        async with websockets.connect(url) as peer:
            await peer.send(wrong)
            await asyncio.wait_for(peer.wait_closed(), 30)
            expect(f"the close after {wrong!r}", (1008, reason), (peer.close_code, peer.close_reason))


def counters(stage):
    """Another implementation counts by a binary protocol, whose violations close their connection."""
    port = free_port()
    with stage.start("counters", port) as server:
        url = f"ws://127.0.0.1:{port}/counters"
        server.wait_for(f"Serving {url}: Success(0)")
        asyncio.run(counted(url))
        server.signal()
        expect("last line", "Stopped: Success(0)", server.finish()[-1])


async def over_the_bridge(here, there):
    async with websockets.connect(here) as ada, websockets.connect(there) as bob:
        await ada.send("/count")
        await hears(ada, "1 here, 1 there")
        async with websockets.connect(there) as eve:
            await ada.send("hello κόσμε")
            await ada.send("")
            await bob.send("hello back")
            for peer in (bob, eve):
                await hears(peer, "hello κόσμε", "")
                await peer.send("/count")
                await hears(peer, "2 here, 1 there")
            await hears(ada, "hello back")
            await ada.send("/count")
            await hears(ada, "1 here, 2 there")
            await eve.send(b"binary")
            await asyncio.wait_for(eve.wait_closed(), 30)
            expect("the close", (1003, "text only"), (eve.close_code, eve.close_reason))


def bridge(stage):
    """Clients of another implementation on both sides of a bridge, on one loop and on four."""
    for loops in "14":
        ports = free_port(), free_port()
        with stage.start("bridge", *ports, OSPREY_WS_LOOPS=loops) as server:
            server.wait_for("Serving: Success(0)")
            asyncio.run(over_the_bridge(*(f"ws://127.0.0.1:{port}/" for port in ports)))
            server.signal()
            expect("last line", "Stopped: Success(0)", server.finish()[-1])


def fetch(port, path, method="GET", **headers):
    """Returns status, headers and body, from a connection that the server closes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    body = answer.read().decode()
    expect(f"the end of {path}", b"", connection.sock.recv(1) if connection.sock else b"")
    return answer.status, answer.headers, body


async def tell(peer, **message):
    await peer.send(json.dumps(message))


async def hears_line(peer, nick, text):
    expect("heard", {"nick": nick, "text": text}, json.loads(await asyncio.wait_for(peer.recv(), 30)))


async def talk_in_rooms(port):
    room = f"ws://127.0.0.1:{port}/rooms/a"
    async with websockets.connect(room) as ada, websockets.connect(f"ws://127.0.0.1:{port}/chat") as eve:
        await tell(ada, nick="Ada")
        await hears_line(ada, "Ada", "joined")
        async with websockets.connect(room) as bob:
            await tell(bob, nick='"Bob"')
            await hears_line(ada, '"Bob"', "joined")
            await hears_line(bob, '"Bob"', "joined")
            await tell(ada, say="héllo\n\\")
            await hears_line(ada, "Ada", "héllo\n\\")
            await hears_line(bob, "Ada", "héllo\n\\")
        await hears_line(ada, '"Bob"', "left")
        for wrong in ("{", "{}", '{"nick": "Ann"}'):
            await ada.send(wrong)
            expect("the answer", ["error"], list(json.loads(await asyncio.wait_for(ada.recv(), 30))))
        await tell(eve, nick="Eve")
        await hears_line(eve, "Eve", "joined")
        return fetch(port, "/metrics")[2]


def site(stage):
    """One port for the page, rooms, health and metrics: WS-PAGE-1, WS-FILE-1, WS-PATH-2, WS-METRICS-1"""
    port = free_port()
    page = (PROGRAMS / "chat_site.html").read_text()
    with stage.start("chat_site", port, PROGRAMS / "chat_site.html") as server:
        server.wait_for(f"Server listening on http://127.0.0.1:{port}/: Success(0)")
        status, headers, body = fetch(port, "/")
        expect("the page", (200, "text/html; charset=utf-8", page), (status, headers["Content-Type"], body))
        expect("the known page", (304, ""), fetch(port, "/", If_None_Match=headers["ETag"])[::2])
        expect("the head", (200, ""), fetch(port, "/", "HEAD")[::2])
        expect("health", (200, "ok\n"), fetch(port, "/healthz")[::2])
        expect("nothing", 404, fetch(port, "/rooms")[0])
        metrics = asyncio.run(talk_in_rooms(port)).splitlines()
        for line in ("osprey_ws_open_connections 2", "osprey_ws_accepted_total 3",
                     'osprey_ws_refused_total{status="404"} 1', 'osprey_ws_messages_total{direction="received"} 7',
                     'osprey_ws_messages_total{direction="sent"} 10'):
            expect(f"times of {line!r}", 1, metrics.count(line))
        expect("behind a proxy", 403, fetch(port, "/metrics", X_Forwarded_For="127.0.0.1")[0])
        server.wait_for("left with 1000", times=3)
        server.signal()
        lines = server.finish()
    expect("joins", [f"joined ws://127.0.0.1:{port}{path}" for path in ("/rooms/a", "/chat", "/rooms/a")], lines[1:4])
    expect("last line", "Stopped: Success(0)", lines[-1])


def specification_compiles(stage):
    """The programs in the specification of the language compile unchanged."""
    for name in ("chat", "chat_client"):
        compile_program(stage.ospreyc, PROGRAMS / "specification" / f"{name}.osp", stage.scratch)


def specification(stage):
    """The same programs run: the server on port 8080 for ten seconds, the client for two."""
    with stage.start("specification/chat") as server:
        server.wait_for("Welcome message broadcasted")
        with stage.start("specification/chat_client") as client:
            lines = client.finish()
            expect("the client", ["First message sent", "Second message sent", "Ping sent", "Disconnected from chat"],
                   lines[1:])
            if not re.fullmatch(r"Connected to chat server with ID: \d+", lines[0]):
                raise Failure(f"the client said {lines[0]!r}")
        lines = server.finish()
    if not re.fullmatch(r"WebSocket server created with ID: \d+", lines.pop(1)):
        raise Failure(f"the server said {server.lines[1]!r}")
    expect("the server", ["Starting WebSocket chat server...", "Server listening on ws://127.0.0.1:8080/chat",
                          "Welcome message broadcasted", "Server stopped successfully"], lines)


CONVERSATIONS = {test.__name__: test for test in (
    chat, both_ends, capturing, leaving, lookups, token, dashboard, echo, lengths, staying, site, every_err,
    rooms, counters, bridge, specification_compiles, specification)}


def main():
    ospreyc, names = sys.argv[1], sys.argv[2:] or CONVERSATIONS
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            CONVERSATIONS[name](Stage(ospreyc, scratch))
            print(f"{name}: as expected")


main()
