#!/usr/bin/python3
"""Processes that are one cluster over NATS: what one sends, the clients of all get.

Usage: cluster.py CASE MEMBER [FOLLOWER NODE_MODULES OSPREYC SANITIZE]

CASE is one of the functions below, named case_CASE.
"""
import asyncio
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

import websockets

TESTS = pathlib.Path(__file__).parent.parent
sys.path[:0] = [str(TESTS / "conformance"), str(TESTS / "programs"), str(TESTS / "interop"), str(TESTS)]

from browser import Browser   # noqa: E402
from osprey_process import Failure, Process, ask_to_stop, expect, free_port   # noqa: E402
from programs import make_certificate   # noqa: E402

PATIENCE = 60
ENGINE = shutil.which("nats-server") or "/usr/sbin/nats-server"
BROADCASTS = "chat"   # the prefix


class Engine:
    """A nats-server on a free port. It can be killed and started again on the same port."""

    def __init__(self, *options, port=None, config=""):
        self.port = port or free_port()
        self.folder = tempfile.TemporaryDirectory()
        self.options, self.config, self.process = options, config, None
        self.start()

    def start(self):
        config = pathlib.Path(self.folder.name, "nats.conf")
        config.write_text(self.config)
        self.log = open(pathlib.Path(self.folder.name, "log"), "ab")
        self.process = subprocess.Popen([ENGINE, "-a", "127.0.0.1", "-p", str(self.port), "-c", str(config),
                                         *self.options], stdout=self.log, stderr=self.log)
        wait_until(self.answers, "nats-server accepts")

    def answers(self):
        expect("nats-server runs", None, self.process.poll())
        return accepts(self.port)

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait()

    def url(self, who="", prefix=BROADCASTS, scheme="nats"):
        return f"{scheme}://{who}127.0.0.1:{self.port}/{prefix}"

    def close(self):
        if self.process.poll() is None:
            self.kill()
        self.log.close()
        self.folder.cleanup()


def wait_until(ready, what, limit=PATIENCE):
    deadline = time.monotonic() + limit
    while not ready():
        if time.monotonic() > deadline:
            raise Failure(f"not in {limit} s: {what}")
        time.sleep(0.01)


class Member(Process):
    """A process of member.osp that listens."""

    def __init__(self, program, url, *words, secure=(), listens=True, port=None, **environment):
        self.port = port or free_port()
        self.scheme = "wss" if secure else "ws"
        super().__init__(program, self.port, url, *words, *(("secure", *secure) if secure else ()),
                         **{"OSPREY_WS_LOG": "info", **environment})
        if listens:
            self.wait_for("listening")

    def logged(self, text):
        return len(re.findall(text, self.errors()))

    def wait_for_log(self, text, times=1, limit=PATIENCE):
        wait_until(lambda: self.logged(text) >= times, f"the log has {text!r}:\n{self.errors()[-2000:]}", limit)

    def stop(self):
        ask_to_stop(self.child)
        expect("the exit status", 0, self.child.wait(PATIENCE))


class Client:
    """A WebSocket client of a member: what it got, in order."""

    def __init__(self, socket):
        self.socket = socket

    async def say(self, text):
        await self.socket.send(text)

    async def hear(self, patience=PATIENCE):
        return await asyncio.wait_for(self.socket.recv(), patience)

    async def expect(self, *texts):
        for text in texts:
            heard = await self.hear()
            if heard != text:
                raise Failure(f"expected {text[:80]!r} ({len(text)}), heard {heard[:80]!r} ({len(heard)})")

    async def expect_until(self, last):
        """Returns what comes before `last`."""
        heard = []
        while (text := await self.hear()) != last:
            heard.append(text)
        return heard


async def join(member, authority=None, **options):
    context = ssl.create_default_context(cafile=authority) if authority else None
    host = "localhost" if authority else "127.0.0.1"
    options = {"compression": None, "max_size": None, "max_queue": None, "ping_interval": None, **options}
    return Client(await websockets.connect(f"{member.scheme}://{host}:{member.port}/", ssl=context, **options))


async def settle(*clients):
    """Returns when what each client publishes reaches all of them: the members know each other, and their subscriptions
    have arrived."""
    for number, client in enumerate(clients):
        await client.say(f"all settle {number}")
    for client in clients:
        heard = sorted([await client.hear() for _ in clients])
        expect("what settles", [f"settle {number}" for number in range(len(clients))], heard)


async def subscribe(topic, publisher, *clients):
    """Subscribes, and returns when what the publisher sends arrives: a subscription takes effect elsewhere a moment
    later."""
    for client in clients:
        await client.say(f"sub {topic}")
        await client.expect(f"ok sub {topic}")
    waiting, number = list(clients), 0
    while waiting:
        await publisher.say(f"pub {topic} is it on? {number}")
        number += 1
        for client in list(waiting):
            with contextlib.suppress(asyncio.TimeoutError):
                while not (await client.hear(0.2)).startswith("is it on? "):
                    pass
                waiting.remove(client)
    await publisher.say(f"pub {topic} it is on")
    for client in clients:
        while await client.hear() != "it is on":
            pass


class Case:
    """What a case starts is ended with it."""

    def __init__(self, program, follower, modules):
        self.program, self.follower, self.modules = program, follower, modules
        self.stack = contextlib.ExitStack()
        self.folder = self.stack.enter_context(tempfile.TemporaryDirectory())

    def engine(self, *options, **named):
        engine = Engine(*options, **named)
        self.stack.callback(engine.close)
        return engine

    def member(self, url, *words, **named):
        member = Member(self.program, url, *words, **named)
        self.stack.callback(member.kill)
        return member

    def members(self, count, url, *words, **named):
        return [self.member(url, *words, **named) for _ in range(count)]


async def case_messages(case):
    """WS-CLUSTER-4 WS-CLUSTER-5 WS-CLUSTER-6 WS-CLUSTER-7 WS-CLUSTER-8: from each member to all clients."""
    engine = case.engine()
    members = case.members(3, engine.url())
    clients = [await join(member) for member in members for _ in range(2)]
    first, _, second, _, third, _ = clients
    await settle(*clients)
    large = "x" * 1048576
    for number, sender in enumerate((first, second, third)):
        texts = [f"{number} {n}" for n in range(100)] + [f"{number} \0 nul \U0001f985", "", large, f"last {number}"]
        for text in texts:
            await sender.say(f"all {text}" if len(text) < 1000000 else f"all {text}"[:1048576])
        for client in clients:
            await client.expect(*texts[:-2], large[:1048572], texts[-1])
    await subscribe("a", first, second, third)
    strange = "b.>*\x01\0é\r\n"
    await subscribe(strange, third, first)
    for text in ("one", "two"):
        await first.say(f"pub a {text}")
        await second.say(f"from a {text} from")
    for sender in (first, second):
        await sender.say("all end")
    for client, expected in (second, ["one", "two"]), (third, ["one", "one from", "two", "two from"]):
        heard = await client.expect_until("end") + await client.expect_until("end")
        expect("what is heard of a topic", expected, sorted(heard))
    await third.say(f"pub {strange} to the strange topic")
    await first.expect_until("to the strange topic")
    for member in members:
        expect("messages that were missed", 0, member.logged("missed"))
    await first.say("count")
    await first.expect("ok count 2")
    for member in members:
        member.stop()


def numbers_of(texts, prefix):
    return [int(text.removeprefix(prefix)) for text in texts if text.startswith(prefix)]


def expect_rising(what, numbers):
    for before, after in zip(numbers, numbers[1:]):
        if after <= before:
            raise Failure(f"{what}: {after} comes after {before}")


def missed(member):
    """How many messages the member's log says that it missed."""
    return sum(map(int, re.findall(r"that were missed: (\d+)", member.errors())))


async def flood(client, count, text="all n {}"):
    for number in range(count):
        await client.say(text.format(number))
        if number % 100 == 0:
            await asyncio.sleep(0)   # the others of this process have their turn


async def case_many(case, count=100000):
    """WS-CLUSTER-4 WS-CLUSTER-5: as many messages as the members carry, each once, in order; compressed, over TLS."""
    certificate, key = make_certificate(case.folder)
    engine = case.engine()
    plain = case.member(engine.url())
    others = [case.member(engine.url(), "compression", 1, secure=(certificate, key)) for _ in range(2)]
    sender = await join(plain)
    hearers = [sender] + [await join(member, certificate, compression="deflate") for member in others]
    await settle(*hearers)

    async def hear_all(client):
        for number in range(count):
            text = await client.hear()
            if text != f"n {number}":
                raise Failure(f"{text!r} in the place of message {number}")
    await asyncio.gather(flood(sender, count), *(hear_all(client) for client in hearers))
    for member in (plain, *others):
        expect("messages that were missed", 0, member.logged("missed|given up"))
        member.stop()


async def case_node(case):
    """WS-CLUSTER-4: clients of Node on two members."""
    if not case.modules or not pathlib.Path(case.modules, "ws").is_dir():
        print("npm's ws is not installed")
        sys.exit(77)
    engine = case.engine()
    members = case.members(2, engine.url())
    watch = await join(members[0])
    node = subprocess.Popen(["node", str(TESTS / "cluster/node_client.js"), *(str(m.port) for m in members)],
                            env={**os.environ, "NODE_PATH": case.modules}, stdout=subprocess.PIPE, text=True)
    case.stack.callback(node.kill)
    expect("the output of Node", "each heard 2000 of 2000 in order\n", await asyncio.to_thread(node.stdout.readline))
    await watch.say("all end")
    expect("messages at the third client", 4000, len([t for t in await watch.expect_until("end") if t[:4] == "node"]))
    for member in members:
        expect("messages that were missed", 0, member.logged("missed"))


async def case_member_killed(case):
    """WS-CLUSTER-9: a member is killed while it sends. The others hear a beginning of it, and go on."""
    engine = case.engine()
    members = case.members(3, engine.url())
    doomed, left, right = [await join(member) for member in members]
    await settle(doomed, left, right)
    sending = asyncio.create_task(flood(doomed, 200000, "all doomed {}"))
    while await left.hear() != "doomed 500":
        pass
    members[0].child.kill()
    with contextlib.suppress(websockets.ConnectionClosed):
        await sending
    # What the killed member had sent may wait in the engine: it is heard before the member is called silent.
    for member in members[1:]:
        await asyncio.to_thread(member.wait_for_log, "member [0-9a-f]{8} of the cluster has become silent")
    await left.say("all still here")
    heard = [numbers_of(await client.expect_until("still here"), "doomed ") for client in (left, right)]
    heard[0] = list(range(501)) + heard[0]
    for numbers in heard:
        expect("what is heard of the killed member", list(range(len(numbers))), numbers)
    again = case.member(engine.url())
    client = await join(again)
    await settle(client, left, right)


async def case_engine_killed(case):
    """WS-CLUSTER-4 WS-CLUSTER-9 WS-CLUSTER-10: the engine is killed, and comes back."""
    engine = case.engine()
    members = case.members(3, engine.url())
    clients = [await join(member) for member in members]
    await settle(*clients)
    counts = [0, 0, 0]

    async def send(number):
        while counts[number] < 10000:
            await clients[number].say(f"all {number} {counts[number]}")
            counts[number] += 1
            if counts[number] % 50 == 0:
                await asyncio.sleep(0.001)   # paces the senders: the engine is killed in their midst
    sending = [asyncio.create_task(send(number)) for number in range(3)]
    while counts[0] < 2000:
        await asyncio.sleep(0.001)
    engine.kill()
    for member in members:
        await asyncio.to_thread(member.wait_for_log, "the cluster's engine is lost")
    engine.start()
    for member in members:
        await asyncio.to_thread(member.wait_for_log, "the cluster's engine is back after")
    await asyncio.gather(*sending)
    for client in clients:
        await client.say("all last")
    heard = []
    for client in clients:
        texts, ends = [], 0
        while ends < 3:
            text = await client.hear()
            ends += text == "last"
            texts.append(text)
        heard.append(texts)
    missing = 0
    for hearer, texts in enumerate(heard):
        for sender in range(3):
            numbers = numbers_of(texts, f"{sender} ")
            expect_rising(f"what {hearer} hears of {sender}", numbers)
            missing += counts[sender] - len(numbers)
            if hearer == sender:
                expect("what a sender hears of itself", list(range(counts[sender])), numbers)
    for member in members:
        expect("lines of the loss", 1, member.logged("the cluster's engine is lost"))
        expect("lines of the return", 1, member.logged("the cluster's engine is back"))

    await asyncio.to_thread(wait_until, lambda: sum(map(missed, members)) == missing,
                            f"{missing} messages are missing, and counted")


async def case_queue(case):
    """WS-CLUSTER-11 WS-CLUSTER-13: what waits for the engine is bounded; the rest is an Err, though delivered here."""
    engine = case.engine()
    members = case.members(2, engine.url(), "maxClusterQueuedBytes", 65536)
    here, there = [await join(member) for member in members]
    await settle(here, there)
    engine.kill()
    for member in members:
        await asyncio.to_thread(member.wait_for_log, "the cluster's engine is lost")
    await flood(here, 100, "all {} " + "x" * 2000)
    refused, delivered = 0, []
    while len(delivered) < 100:
        text = await here.hear()
        if text.startswith("err "):
            refused += 1
            expect("the Err", "err broadcast: the cluster of server 2 has no room: maxClusterQueuedBytes (65536) wait "
                   "for its engine; only the connections of this process got the message", text)
        else:
            delivered.append(int(text.split()[0]))
    expect("what is delivered here", list(range(100)), delivered)
    engine.start()
    for member in members:
        await asyncio.to_thread(member.wait_for_log, "the cluster's engine is back")
    await here.say("all end")   # the last refusals are before it
    refused += len(await here.expect_until("end"))
    texts = [text for text in await there.expect_until("end") if text[0].isdigit()]
    expect_rising("what waited", [int(text.split()[0]) for text in texts])
    await asyncio.to_thread(wait_until, lambda: missed(members[1]) + len(texts) == 100 - refused,
                            "what waited is heard, or counted: the other member may have come back later")
    if not 50 <= refused < 100:
        raise Failure(f"{refused} messages of 2,000 bytes were refused")
    engine.kill()
    await asyncio.to_thread(members[0].wait_for_log, "the cluster's engine is lost", 2)
    await here.say("all too late")
    await here.expect("too late")
    members[0].stop()
    expect("messages that were given up", 1, members[0].logged("messages that the cluster's engine did not take: 1"))


class Stranger:
    """Speaks NATS's protocol itself, and publishes what no member would."""

    def __init__(self, engine):
        self.socket = socket.create_connection(("127.0.0.1", engine.port))
        self.socket.sendall(b'CONNECT {"verbose":false,"pedantic":false,"echo":false}\r\n')
        self.stream = self.socket.makefile("rb")

    def subscribe(self, subject):
        self.socket.sendall(b"SUB %s 1\r\nPING\r\n" % subject.encode())
        while self.stream.readline() != b"PONG\r\n":
            pass

    def hear(self, count):
        """So many messages of members, in order, and how many payloads they took."""
        texts, payloads, parts = [], 0, b""
        while len(texts) < count:
            words = self.stream.readline().split()
            if words[0] == b"PING":
                self.socket.sendall(b"PONG\r\n")
            if words[0] != b"MSG":
                continue
            payload = self.stream.read(int(words[-1]) + 2)[:-2]
            payloads += 1
            kind, total, body = payload[4:5], int.from_bytes(payload[40:44], "big"), payload[48:]
            if kind == b"M":
                parts += body
                if len(parts) == total:
                    texts.append(parts.decode())
                    parts = b""
            for _ in range(total if kind == b"S" else 0):
                size = 4 + int.from_bytes(body[:4], "big")
                texts.append(body[4:size].decode())
                body = body[size:]
        return texts, payloads

    def publish(self, subject, payload):
        self.socket.sendall(b"PUB %s %d\r\n%s\r\n" % (subject.encode(), len(payload), payload))


def head(kind=b"M", number=1, total=0, offset=0, sender=b"hostile!hostile!", opcode=1, since=0):
    return (b"OWC\x02" + kind + bytes([opcode, 0, 0]) + sender + since.to_bytes(8, "big") + number.to_bytes(8, "big") +
            total.to_bytes(4, "big") + offset.to_bytes(4, "big"))


def several(number, *messages, claims=None):
    return head(b"S", number=number, total=claims or len(messages)) + b"".join(
        len(message).to_bytes(4, "big") + message for message in messages)


async def case_together(case):
    """WS-CLUSTER-15: what is sent at once travels together, in order, and each message once."""
    engine = case.engine(config="max_payload: 4096\n")
    members = case.members(2, engine.url())
    clients = [await join(member) for member in members]
    await settle(*clients)
    listener = Stranger(engine)
    listener.subscribe("chat.all")
    texts = [f"{number} " + (number % 7) * "x" for number in range(300)]
    texts[100:102] = [5000 * "a", 4044 * "b"]   # one that travels in parts, and one that fits just so
    await asyncio.gather(*(clients[0].say(f"all {text}") for text in texts))
    for client in clients:
        await client.expect(*texts)
    heard, payloads = await asyncio.to_thread(listener.hear, len(texts))
    expect("texts", texts, heard)
    if payloads > len(texts) / 2:
        raise Failure(f"{len(texts)} messages that were sent at once took {payloads} payloads")
    for member in members:
        expect("messages that were missed", 0, member.logged("missed|given up|dropped"))


async def case_stranger(case):
    """WS-CLUSTER-6 WS-CLUSTER-12: what another application or a hostile member sends under the prefix."""
    engine = case.engine()
    member = case.member(engine.url(), "maxMessageBytes", 10000)
    client = await join(member)
    await settle(client)
    await client.say("sub here")
    await client.expect("ok sub here")
    stranger = Stranger(engine)
    wrong = [b"", b"hello", head()[:47], head(b"X"), head(number=0), head(number=9, total=3) + b"abcd",
             b"OWC\x01" + head()[4:], head(number=10, total=2, offset=3), head(number=11, total=5),
             head(b"B", number=7), head(b"L"), head(number=12, total=2) + b"\xc0\x80",
             head(number=13, total=4, opcode=2) + b"\0bin", head(number=14, total=10001) + b"x" * 10001,
             head(number=15, total=4000000000) + b"x", several(1) + b"!", several(1, b"a", claims=2),
             several(1, b"a", claims=4000000000), several(1, *65 * [b"a"])]
    for payload in wrong:
        stranger.publish("chat.all", payload)
    stranger.publish("chat.beat", head(number=16, total=1) + b"!")
    stranger.publish("chat.beat", head(b"B", number=1000000))
    for subject in ("chat", "chat.topic", "chat.topic.zz", "chat.topic.00", "chat.topic.6865726", "chat.all.more",
                    "chatter.all"):
        stranger.publish(subject, head(number=17, total=4) + b"oops")
    await asyncio.to_thread(member.wait_for_log, "a message of the cluster was dropped", len(wrong) + 2)
    for number in range(20, 25):   # parts: without a beginning, without an end, again, in a wrong order, whole
        stranger.publish("chat.all", head(number=20, total=6, offset=3) + b"end")
        stranger.publish("chat.all", head(number=number, total=6) + b"one")
    stranger.publish("chat.all", head(number=24, total=6, offset=4) + b"xx")
    stranger.publish("chat.all", head(number=30, total=6) + b"one")
    stranger.publish("chat.all", head(number=30, total=6, offset=3) + b"two")
    await client.expect("onetwo")
    for number in (31, 31, 30, 5, 32):
        stranger.publish("chat.all", head(number=number, total=2) + b"%02d" % number)
    stranger.publish("chat.topic.68657265", head(number=1, total=5) + b"topic")
    stranger.publish("chat.all", several(33, b"33", b"\xc0\x80", b"", b"36", 10001 * b"x", b"38"))
    stranger.publish("chat.all", several(36, b"again", b"again", b"again", b"39"))
    await client.expect("31", "32", "topic", "33", "", "36", "38", "39")
    await asyncio.to_thread(member.wait_for_log, "a message of the cluster was dropped", len(wrong) + 4)
    await asyncio.to_thread(member.wait_for_log, "messages of member 686f7374 of the cluster that were missed: ")
    await client.say("all still here")
    await client.expect("still here")
    member.stop()


def refused(case, url, cause, *absent, **environment):
    started = time.monotonic()
    member = Member(case.program, url, listens=False, **environment)
    case.stack.callback(member.kill)
    member.wait_for_lines(1)
    member.child.wait(PATIENCE)
    if not member.lines[0].startswith("Err cluster") or not re.search(cause, member.lines[0]):
        raise Failure(f"{url}: expected {cause!r}, observed {member.lines[0]!r}")
    if time.monotonic() - started > 15:
        raise Failure(f"{url}: the Err took {time.monotonic() - started} s")
    for secret in absent:
        if secret in member.transcript():
            raise Failure(f"{secret!r} is in {member.transcript()!r}")


async def case_refused(case):
    """WS-CLUSTER-1 WS-CLUSTER-2 WS-CLUSTER-3: an engine or a URL that is refused is an Err, without what is secret."""
    engine = case.engine("--user", "ada", "--pass", "s%cret")
    member = case.member(engine.url("ada:s%25cret@"))
    client = await join(member)
    await settle(client)
    refused(case, engine.url("ada:wr0ng@"), "Authorization", "ada", "wr0ng")
    refused(case, engine.url("t0ken@"), "Authorization", "t0ken")
    refused(case, engine.url(), "Authorization")
    refused(case, f"nats://127.0.0.1:{free_port()}/chat", "refused|No server")
    for url in ("chat", "http://localhost/chat", "nats://localhost", "nats://localhost/", "nats://localhost/a.b",
                "nats://localhost/a*", "nats://localhost/" + 65 * "a", "nats:///chat", "nats://local host/chat",
                "nats://localhost:0/chat", "nats://localhost:65536/chat", "nats://s3cret:%zz@localhost/chat",
                "nats://:s3cret@localhost/chat", "nats://s3cret:s3cret@localhost,/chat"):
        refused(case, url, "^Err cluster: the (URL|prefix|user)", "s3cret")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        refused(case, f"nats://s3cret:s3cret@127.0.0.1:{silent.getsockname()[1]}/chat", "127.0.0.1", "s3cret")
    expect("the log has the password", 0, member.logged("cret") + client_errors(member, "ada"))


PERMISSIONS = """authorization { users = [
  { user: ada, password: pw, permissions: { publish: "chat.>", subscribe: "chat.>" } }
  { user: eve, password: pw, permissions: { publish: "elsewhere.>", subscribe: "chat.>" } } ] }
"""


async def case_permissions(case):
    """WS-CLUSTER-1: an engine that does not permit its user the subjects of the prefix."""
    engine = case.engine(config=PERMISSIONS)
    members = case.members(2, engine.url("ada:pw@"))
    clients = [await join(member) for member in members]
    await settle(*clients)
    refused(case, engine.url("ada:pw@").replace("/chat", "/romos"), "may not use subjects under romos", "pw")
    mute = case.member(engine.url("eve:pw@"))
    await asyncio.to_thread(mute.wait_for_log, "the cluster's engine refuses subjects under chat: ")
    expect("refusals of a member that may do all", 0, members[0].logged("refuses"))


async def case_engine_hangs(case):
    """WS-CLUSTER-9 WS-CLUSTER-10: an engine that does not answer for a while, and forgets what it was told."""
    engine = case.engine()
    members = case.members(2, engine.url())
    one, other = [await join(member) for member in members]
    await settle(one, other)
    engine.process.send_signal(signal.SIGSTOP)
    for number in range(100):
        await one.say(f"all {number}")
    for member in members:
        await asyncio.to_thread(member.wait_for_log, "the cluster's engine is lost")
    engine.process.send_signal(signal.SIGCONT)
    for member in members:
        await asyncio.to_thread(member.wait_for_log, "the cluster's engine is back")
    await one.say("all last")
    heard = await other.expect_until("last")
    await asyncio.to_thread(wait_until, lambda: missed(members[1]) == 100 - len(numbers_of(heard, "")),
                            f"{100 - len(numbers_of(heard, ''))} messages are missing, and counted")


async def case_backlog(case):
    """WS-CLUSTER-10: what waited for the engine reaches members that return a little later."""
    engine = case.engine()
    members = case.members(3, engine.url())
    clients = [await join(member) for member in members]
    await settle(*clients)
    engine.kill()
    for member in members:
        await asyncio.to_thread(member.wait_for_log, "the cluster's engine is lost")
    texts = [f"waits {number}" for number in range(200)]
    for text in texts:
        await clients[0].say(f"all {text}")
    await clients[0].expect(*texts)
    engine.start()
    for client in clients[1:]:
        await client.expect(*texts)


def client_errors(member, text):
    return member.errors().count(text)


async def case_tls(case):
    """WS-CLUSTER-1: an engine over TLS, whose certificate is checked."""
    certificate, key = make_certificate(case.folder)
    engine = case.engine("--tls", "--tlscert", certificate, "--tlskey", key)
    url = engine.url(scheme="tls").replace("127.0.0.1", "localhost")
    members = case.members(2, url, SSL_CERT_FILE=certificate)
    clients = [await join(member) for member in members]
    await settle(*clients)
    refused(case, url, "certificate|SSL", SSL_CERT_FILE="/etc/ssl/certs/ca-certificates.crt")


async def case_parts(case):
    """WS-CLUSTER-6: messages that are larger than the engine's payload."""
    engine = case.engine(config="max_payload: 4096\n")
    members = case.members(2, engine.url(), "maxMessageBytes", 4000000)
    clients = [await join(member) for member in members]
    await settle(*clients)
    texts = [letter * size for letter, size in zip("abcdefgh", (4047, 4048, 4049, 8096, 8097, 100000, 3000000, 1))]
    for sender in clients:
        for text in texts:
            await sender.say(f"all {text}")
        for client in clients:
            await client.expect(*texts)
    for member in members:
        expect("messages that were missed", 0, member.logged("missed|given up|dropped"))


async def case_nats_cluster(case):
    """WS-CLUSTER-9 WS-CLUSTER-10: three engines that are one cluster of NATS, of which one is killed."""
    routes = [free_port() for _ in range(3)]
    peers = ",".join(f"nats://127.0.0.1:{port}" for port in routes)
    engines = [case.engine("--cluster_name", "c", "--cluster", f"nats://127.0.0.1:{port}", "--routes", peers)
               for port in routes]
    hosts = ",".join(f"127.0.0.1:{engine.port}" for engine in engines)
    members = case.members(3, f"nats://{hosts}/chat")
    clients = [await join(member) for member in members]

    async def connect_all():
        """Until the routes between the engines are there, members hear less."""
        heard, number = [set(), set(), set()], 0
        while any(len(known) < 3 for known in heard):
            for sender, client in enumerate(clients):
                await client.say(f"all {sender}")
            number += 1
            for known, client in zip(heard, clients):
                with contextlib.suppress(asyncio.TimeoutError):
                    while True:
                        known.add((await client.hear(0.1)).split()[0])
    await asyncio.wait_for(connect_all(), PATIENCE)
    engines[0].kill()
    await asyncio.wait_for(connect_all(), PATIENCE)
    for sender, client in enumerate(clients):
        await client.say(f"all last {sender}")
    for client in clients:
        ends = set()
        while len(ends) < 3:
            text = await client.hear()
            if text.startswith("last"):
                ends.add(text)


PROXY = """\
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
frontend chat
  bind 127.0.0.1:{port}
  default_backend copies
backend copies
  balance leastconn
  option redispatch
  server one 127.0.0.1:{one} check inter 100ms
  server two 127.0.0.1:{two} check inter 100ms
"""


def accepts(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def balance(case, one, two):
    """HAProxy before two servers. Returns its port."""
    port = free_port()
    config = pathlib.Path(case.folder, "haproxy.cfg")
    config.write_text(PROXY.format(port=port, one=one, two=two))
    haproxy = subprocess.Popen([shutil.which("haproxy") or "/usr/sbin/haproxy", "-q", "-db", "-f", config])
    case.stack.callback(haproxy.wait)
    case.stack.callback(haproxy.kill)
    wait_until(lambda: accepts(port), "HAProxy accepts")
    return port


async def case_rolling(case):
    """WS-CLUSTER-4 WS-CLUSTER-13: members behind HAProxy are restarted one after the other. Their clients move to the
    other one, and hear all that is published from then on."""
    engine = case.engine()
    members = [case.member(engine.url()) for _ in range(2)]
    port = balance(case, *(member.port for member in members))
    followers = [Process(case.follower, port) for _ in range(4)]
    for follower in followers:
        case.stack.callback(follower.kill)
    number = 0

    async def publish(member, count):
        """Until all followers hear it, and then `count` messages more. Returns their numbers."""
        nonlocal number
        publisher = await join(member)

        async def say():
            nonlocal number
            number += 1
            await publisher.say(f"pub news {number}")
            return str(number)
        deadline = time.monotonic() + PATIENCE
        for follower in followers:
            before = len(follower.lines)
            while len(follower.lines) == before:
                if time.monotonic() > deadline:
                    raise Failure(f"a follower does not hear the member:\n{member.errors()[-2000:]}")
                await say()
                with contextlib.suppress(Failure):
                    follower.wait_for_lines(before + 1, limit=0.02)
        numbers = [await say() for _ in range(count)]
        for follower in followers:
            follower.wait_for(numbers[-1])
        await publisher.socket.close()
        return numbers
    whole = await publish(members[0], 100)
    for number_of_turn in range(4):
        leaving, staying = number_of_turn % 2, 1 - number_of_turn % 2
        await asyncio.to_thread(members[leaving].stop)
        whole += await publish(members[staying], 100)
        members[leaving] = case.member(engine.url(), port=members[leaving].port)
    for follower in followers:
        heard = [int(line) for line in follower.lines if line.isdigit()]
        expect_rising("what a follower hears", heard)
        expect("what a follower has not heard", set(), set(map(int, whole)) - set(heard))
    for member in members:
        expect("messages that were given up", 0, member.logged("given up|did not take"))


LISTEN = "    .then(fn(_) => websocketServerListen(serverID: server))\n"


def copies_of(case, name, *arguments):
    """Two copies of a program, which becomes a cluster by one line. Returns them, and the balancer's port."""
    engine = case.engine()
    source = (TESTS / f"programs/{name}.osp").read_text()
    line = f'    .then(fn(_) => websocketServerCluster(serverID: server, url: "{engine.url()}"))\n'
    expect("the place for the line", 1, source.count(LISTEN))
    changed, program = pathlib.Path(case.folder, f"{name}.osp"), pathlib.Path(case.folder, name)
    changed.write_text(source.replace(LISTEN, line + LISTEN))
    subprocess.run([case.ospreyc, changed, "-o", program], check=True)
    copies = []
    for _ in range(2):
        port = free_port()
        copy = Process(program, port, *arguments)
        case.stack.callback(copy.kill)
        copy.wait_for_lines(1)
        copy.port = port
        copies.append(copy)
    return copies, balance(case, *(copy.port for copy in copies))


async def case_chat(case):
    """WS-CLUSTER-4: the chat with rooms becomes a cluster by one line. Two copies behind HAProxy are one room, also
    when one of them is killed, whose clients come again."""
    copies, port = copies_of(case, "rooms_server")

    async def enter(nick):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                client = Client(await websockets.connect(f"ws://127.0.0.1:{port}/chat", ping_interval=None))
                break
            except (OSError, websockets.InvalidHandshake, websockets.InvalidMessage):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.05)   # until HAProxy and a copy answer
        await client.say(nick)
        await client.say("lobby")
        while await client.hear() != f"{nick} joined lobby":
            pass
        return client

    async def talk(speaker, hearers, text):
        """Until it is heard everywhere: a subscription takes effect elsewhere a moment later."""
        waiting, number = list(hearers), 0
        while waiting:
            number += 1
            await speaker.say(f"{text} {number}")
            for client in list(waiting):
                with contextlib.suppress(asyncio.TimeoutError):
                    while text not in await client.hear(0.5):
                        pass
                    waiting.remove(client)
    people = [await enter(nick) for nick in ("Ada", "Grace", "Linus", "Ken")]
    for number, speaker in enumerate(people):
        await talk(speaker, people, f"hello from {number}")
    copies[0].child.kill()
    gone = []
    for number, client in enumerate(people):
        with contextlib.suppress(websockets.ConnectionClosed, asyncio.TimeoutError):
            while await client.hear(2):
                pass
        if client.socket.closed:
            gone.append(number)
    expect("the clients of the copy that was killed", 2, len(gone))
    for number in gone:
        people[number] = await enter(f"again{number}")
    for number, speaker in enumerate(people):
        await talk(speaker, people, f"hello again from {number}")


class Page:
    """The page of chat_site.osp in a browser of its own."""

    def __init__(self, case, port, nick):
        self.nick = nick
        browser = Browser(f"http://127.0.0.1:{port}/?room=osprey&nick={nick}")
        case.stack.callback(browser.close)
        self.call = browser.inspect()

    def evaluate(self, script):
        return self.call("Runtime.evaluate", returnByValue=True, expression=script)["result"].get("value")

    def is_open(self):
        return self.evaluate("state.textContent") == "Connected"

    def say(self, text):
        self.evaluate(f"line.value = '{text}'; form.requestSubmit()")

    def has_heard(self, text):
        return self.evaluate(f"[...said.children].some(entry => entry.textContent === '{text}')")


def talk(speaker, hearer, text):
    """Types until the other one hears it."""
    def is_heard():
        if speaker.is_open():
            speaker.say(text)
        return hearer.has_heard(f"{speaker.nick}: {text}")
    wait_until(is_heard, f"{hearer.nick} hears {speaker.nick}")


def sockets_of(copy):
    """The open WebSocket connections of a copy of chat_site."""
    metrics = urllib.request.urlopen(f"http://127.0.0.1:{copy.port}/metrics").read().decode()
    return int(re.search("^osprey_ws_open_connections ([0-9]+)$", metrics, re.M)[1])


async def case_browsers(case):
    """WS-CLUSTER-4: two browsers are in one room, of two copies behind HAProxy, also when one copy is killed."""
    if not shutil.which("chromium"):
        print("chromium is not installed")
        sys.exit(77)
    copies, port = copies_of(case, "chat_site", TESTS / "programs/chat_site.html")
    pages = [Page(case, port, "Ada")]
    wait_until(pages[0].is_open, "the first page is connected")
    pages.append(Page(case, port, "Grace"))
    wait_until(pages[1].is_open, "the second page is connected")
    expect("the connections of each copy", [1, 1], [sockets_of(copy) for copy in copies])
    talk(*pages, "hello")
    talk(*reversed(pages), "hello yourself")
    copies[0].child.kill()
    wait_until(lambda: sockets_of(copies[1]) == 2, "both pages are with the copy that is left")
    talk(*pages, "still here?")
    talk(*reversed(pages), "yes, still here")


def needed(program):
    """The libraries that a program needs."""
    return set(re.findall(r"NEEDED.*\[(.*?)\]", subprocess.check_output(["readelf", "-d", program], text=True)))


async def case_linked(case):
    """WS-CLUSTER-14: who does not call the builtin is linked as if there was no cluster."""
    build = pathlib.Path(case.ospreyc).resolve().parents[2]
    chat = TESTS / "programs/rooms_server.osp"
    member = TESTS / "cluster/member.osp"
    without = pathlib.Path(case.folder, "build")
    for path in [build / "tools/ospreyc/ospreyc", *build.glob("runtime/libosprey_*.a"),
                 *build.glob("tools/ospreyc/libosprey_*.a")]:
        if path.name != "libosprey_ws_cluster.a":
            (without / path.relative_to(build).parent).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, without / path.relative_to(build))
    copy = without / "tools/ospreyc"
    for number, compiler in enumerate((case.ospreyc, copy / "ospreyc")):
        subprocess.run([compiler, chat, "-o", f"{case.folder}/chat{number}"], check=True)
    programs = [pathlib.Path(case.folder, f"chat{number}").read_bytes() for number in range(2)]
    expect("the program is the same without the archive of the cluster", True, programs[0] == programs[1])
    done = subprocess.run([copy / "ospreyc", member, "-o", f"{case.folder}/none"], capture_output=True, text=True)
    expect("ospreyc says what is lacking", (3, True),
           (done.returncode, "this build has no cluster: websocketServerCluster needs libnats-dev" in done.stderr))

    for name, source, expected in ("chat", chat, False), ("member", member, True):
        expect(f"ospreyc: {name} needs libnats", expected,
               any("nats" in library for library in needed(f"{case.folder}/chat0" if name == "chat" else case.program)))
        ir = f"{case.folder}/{name}.ll"
        subprocess.run([case.ospreyc, "--llvm", "--no-lower", source, "-o", ir], check=True)
        subprocess.run([build / "tools/osprey-ws-cc", "-Wno-override-module", *case.instrumentation, ir, "-o",
                        f"{case.folder}/{name}", build / "tools/ospreyc/libosprey_rt.a",
                        build / "runtime/libosprey_mem.a", "-lm"], check=True)
        expect(f"osprey-ws-cc: {name} needs libnats", expected,
               any("nats" in library for library in needed(f"{case.folder}/{name}")))


def main(case, program, follower=None, modules=None, ospreyc=None, *instrumentation):
    function = globals()[f"case_{case}"]
    parts = Case(program, follower, modules)
    parts.ospreyc, parts.instrumentation = ospreyc, instrumentation
    try:
        asyncio.run(asyncio.wait_for(function(parts), 10 * PATIENCE))
    finally:
        parts.stack.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
