#!/usr/bin/python3
"""Compiles and runs the programs of README.md, and the C programs of spec/adopting.md with the command after each.

Usage: readme.py ROOT BUILD

A recipe of README.md is known by the section that it stands in. A recipe without `main` is a function `serve`; the
program under Recipes completes it.
"""
import asyncio
import contextlib
import http.client
import json
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile

import websockets

TESTS = pathlib.Path(__file__).parent.parent
sys.path += [str(TESTS), str(TESTS / "programs")]
from osprey_process import ask_to_stop   # noqa: E402
from ports import free_port   # noqa: E402

DECLARATIONS = {"good": "declare ptr @websocketClose(i64)\n", "bad": "declare ptr @websocketClose(i32)\n"}
PATIENCE = 60


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def expect(what, wanted, observed):
    assert wanted == observed, f"{what}: expected {wanted!r}, observed {observed!r}"


def blocks_of(path):
    """The blocks of a document, as [section, language, text]."""
    section, blocks = "", []
    for title, language, text in re.findall(r"^#+ ([^\n]*)$|^```(\w+)\n(.*?)^```$", path.read_text(), re.M | re.S):
        section = title or section
        if language:
            blocks.append((section, language, text))
    return blocks


class Recipes:
    """The blocks of the README, compiled in a scratch directory."""

    def __init__(self, blocks, build, scratch):
        self.blocks, self.ospreyc, self.scratch = blocks, build / "tools/ospreyc/ospreyc", scratch

    def block(self, section, language="osprey"):
        return next(text for of, what, text in self.blocks if (of, what) == (section, language))

    def program(self, section, port):
        """The executable of a section's program. Its port is replaced, and an interval of a second is made shorter."""
        text = self.block(section)
        if "fn main" not in text:
            text = self.block("Recipes") + text
        source, program = self.scratch / "recipe.osp", self.scratch / "recipe"
        source.write_text(text.replace("8080", str(port)).replace("milliseconds: 1000", "milliseconds: 20")
                          .replace("firstDelayMs: 500", "firstDelayMs: 20"))
        done = run([self.ospreyc, source, "-o", program])
        assert done.returncode == 0 and not done.stderr, f"{section}: {done.stderr}"
        return program

    @contextlib.contextmanager
    def running(self, section, port, ending):
        """A program that is interrupted at the end, and then prints its ending."""
        process = subprocess.Popen([self.program(section, port)], cwd=self.scratch, stdout=subprocess.PIPE, text=True)
        try:
            yield process
            ask_to_stop(process, signal.SIGINT)
            expect(f"the output of {section}", ending, process.communicate(timeout=PATIENCE)[0])
        finally:
            process.kill()
            process.wait()


def check_first_program(recipes):
    """The Osprey program prints what the README shows."""
    source = recipes.scratch / "hello.osp"
    source.write_text(recipes.block("A first program").replace("8080", str(free_port())))
    done = run([recipes.ospreyc, source, "--run"])
    expect("the first program", (0, recipes.block("A first program", "text")), (done.returncode, done.stdout))


class Peers:
    """Clients of the server at a port."""

    def __init__(self, port):
        self.port, self.open = port, []

    async def connect(self, path, host=None, **headers):
        """Connects, once the server listens."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        for _ in range(PATIENCE * 100):
            try:
                peer = await websockets.connect(f"ws://{host or f'127.0.0.1:{self.port}'}{path}", host="127.0.0.1",
                                                port=self.port, extra_headers=headers)
                self.open.append(peer)
                return peer
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)
        raise AssertionError(f"nothing listens at port {self.port}")

    async def fetch(self, path):
        return await asyncio.to_thread(fetch, self.port, path)


async def converse(talk, port):
    peers = Peers(port)
    await talk(peers)
    for peer in peers.open:
        await peer.close()


async def hears(peer, *lines):
    for line in lines:
        expect("heard", line, await asyncio.wait_for(peer.recv(), PATIENCE))


async def rooms(peers):
    ada, eve = await peers.connect("/rooms/tea"), await peers.connect("/rooms/coffee")
    for peer, nick in (ada, "Ada"), (eve, "Eve"):
        await peer.send(nick)
        await hears(peer, f"{nick} joined")
    bob = await peers.connect("/rooms/te%61?nick=Bob", host=f"localhost:{peers.port}")
    await bob.send("Bob")
    await hears(ada, "Bob joined")
    await bob.send("hello")
    await hears(bob, "Bob joined", "Bob: hello")
    await bob.close()
    await hears(ada, "Bob: hello")
    await eve.send("still here")
    await hears(eve, "Eve: still here")


def fetch(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


async def page(peers):
    one, two = await peers.connect("/live"), await peers.connect("/live")
    await one.send("hello")
    await hears(two, "hello")
    status, text = await peers.fetch("/")
    expect("the page", (200, True), (status, "new WebSocket" in text))
    expect("health", (200, "ok"), await peers.fetch("/healthz"))
    status, text = await peers.fetch("/metrics")
    expect("metrics", (200, True), (status, "osprey_ws_open_connections 2\n" in text))


async def tokens(peers):
    own = f"http://127.0.0.1:{peers.port}"
    by_query = await peers.connect("/live?theme=dark&token=open%2Dsesame", Origin=own)
    cookie = by_query.response_headers["Set-Cookie"].split(";")[0]
    await peers.connect("/live", Origin=own, Cookie=f"theme=dark; {cookie}")
    await peers.connect("/live", Authorization="Bearer open-sesame")
    for headers in {}, {"Cookie": f"{cookie}-or-not"}, {"Authorization": "Bearer shut"}:
        try:
            await peers.connect("/live", **headers)
            raise AssertionError(f"admitted with {headers}")
        except websockets.InvalidStatusCode as refused:
            expect("the status", 401, refused.status_code)
    stranger = await peers.connect("/live?token=open-sesame-not", Origin=own)
    await asyncio.wait_for(stranger.wait_closed(), PATIENCE)
    expect("the close", (4401, "a token is needed"), (stranger.close_code, stranger.close_reason))


async def json_messages(peers):
    peer = await peers.connect("/live")
    for name in "Ada", 'é"\\\0\n':
        await peer.send(json.dumps({"user": {"name": name}}))
        expect("the answer", {"hello": name}, json.loads(await asyncio.wait_for(peer.recv(), PATIENCE)))
    for text in "{", '{"user": "Ada"}':
        await peer.send(text)
        expect("the answer", ["error"], list(json.loads(await asyncio.wait_for(peer.recv(), PATIENCE))))


async def push(peers):
    await hears(await peers.connect("/live"), "1 watching", "1 watching")


async def binary(peers):
    peer = await peers.connect("/live")
    for number in 0, 1, 0x123456, 0x7FFFFF:
        await peer.send(number.to_bytes(3, "big"))
        await hears(peer, (2 * number).to_bytes(3, "big"))
    await peer.send(bytes(1 << 20))
    await asyncio.wait_for(peer.wait_closed(), PATIENCE)
    expect("the close", (4400, "a number has three bytes"), (peer.close_code, peer.close_reason))


async def proxy(peers):
    await peers.connect("/live", host="dash.example.com", X_Forwarded_For="203.0.113.5")


async def stay(program):
    """The client subscribes at each of two servers on one port, of which the first goes away."""
    port, subscribed = free_port(), asyncio.Queue()

    async def serve(peer):
        subscribed.put_nowait(await peer.recv())
        await peer.send("42")
        await peer.wait_closed()

    for number in range(2):
        async with websockets.serve(serve, "127.0.0.1", port):
            if number == 0:
                process = program(port)
            expect("subscribed", "subscribe prices", await asyncio.wait_for(subscribed.get(), PATIENCE))
            expect("the client", "42\n", await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), PATIENCE))
    ask_to_stop(process, signal.SIGINT)
    expect("the end", "followed: Success(0)\n", await asyncio.to_thread(process.stdout.read))
    process.wait()


def check_stay(recipes):
    processes = []

    def program(port):
        path = recipes.program("A client that stays", port)
        processes.append(subprocess.Popen([path], stdout=subprocess.PIPE, text=True))
        return processes[0]

    try:
        asyncio.run(stay(program))
    finally:
        for process in processes:
            process.kill()


def check_linking(recipes):
    """The command of the README, with the compiler in place of tools/run."""
    text = recipes.readme
    flags, name = re.search(r"`(OSPREYC_LDFLAGS=\S+) tools/run (\w+)\.osp`", text).groups()
    (recipes.scratch / f"{name}.osp").write_text(recipes.block("Linking C"))
    done = run(["env", flags, recipes.ospreyc, f"{name}.osp", "--run"], cwd=recipes.scratch)
    expect("the checksum", (0, "4211854571\n"), (done.returncode, done.stdout))


SERVERS = {"Rooms": rooms, "A page on the same port": page, "Tokens and browsers": tokens, "JSON": json_messages,
           "Periodic push": push,
           "Binary": binary, "Behind a reverse proxy": proxy}
OTHERS = {"A first program": check_first_program, "A client that stays": check_stay, "Linking C": check_linking}


def check_recipes(recipes):
    (recipes.scratch / "chat.html").write_text(recipes.block("A page on the same port", "html"))
    (recipes.scratch / "token").write_text("open-sesame\n")
    for section, talk in SERVERS.items():
        port = free_port()
        with recipes.running(section, port, "served: Success(0)\n"):
            asyncio.run(converse(talk, port))
    for check in OTHERS.values():
        check(recipes)
    sections = {section for section, language, _ in recipes.blocks if language == "osprey"}
    expect("the sections with programs", {"Recipes", *SERVERS, *OTHERS}, sections)


def compile_c(blocks, name, root, build, scratch):
    """Compiles the C block before the command `cc NAME.c`."""
    index = next(i for i, (_, language, text) in enumerate(blocks) if language == "console" and f"cc {name}.c" in text)
    (scratch / f"{name}.c").write_text(blocks[index - 1][2].replace("8080", str(free_port())))
    command = blocks[index][2].replace("$PWD/build/", "build/").replace("build/", f"{shlex.quote(str(build))}/")
    command = command.replace(f"cc {name}.c", f"cc {scratch}/{name}.c").replace(f"-o {name}", f"-o {scratch}/{name}")
    done = run(["sh", "-c", command], cwd=root)
    assert done.returncode == 0 and not done.stderr, done
    return scratch / name


def check_lower(program, scratch):
    results = {}
    for name, text in DECLARATIONS.items():
        (scratch / f"{name}.ll").write_text(text)
        results[name] = run([program, scratch / f"{name}.ll", scratch / f"{name}.bc"])
    assert results["good"].returncode == 0 and (scratch / "good.bc").stat().st_size > 0, results
    assert results["bad"].returncode == 1 and "websocketClose" in results["bad"].stderr, results


def main(root, build):
    with tempfile.TemporaryDirectory() as directory:
        scratch = pathlib.Path(directory)
        recipes = Recipes(blocks_of(root / "README.md"), build, scratch)
        recipes.readme = (root / "README.md").read_text()
        check_recipes(recipes)
        blocks = blocks_of(root / "spec/adopting.md")
        check_lower(compile_c(blocks, "lower", root, build, scratch), scratch)
        done = run([compile_c(blocks, "serve", root, build, scratch)])
        assert (done.returncode, done.stdout) == (0, "served\n"), done
    print("the programs of the documents work")


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
