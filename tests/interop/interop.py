#!/usr/bin/python3
"""Osprey programs exchange messages with other implementations.

Usage: interop.py PEER ECHO_SERVER CLIENT_TALK CHAT_SERVER CHAT_SITE MODULES

The test for PEER is the function test_PEER. MODULES is the directory of the npm modules. If the peer is not installed,
the test is skipped (exit status 77).
"""
import base64
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import zlib

HERE = pathlib.Path(__file__).parent
PICTURE = HERE.parent.parent / "spec/chat.png"
sys.path.insert(0, str(HERE.parent / "conformance"))

from browser import Browser, Firefox, Site   # noqa: E402
from programs import HOST, Server, make_certificate   # noqa: E402
from wire import TEXT, open_client   # noqa: E402

PYTHON = "/usr/bin/python3"
HEARD = ["heard text κόσμε 🦅", "heard text ", "heard text a\ufffd\ufffdb", "heard binary AAH+/w==", "heard text last",
         "ended 3001 enough"]


class Parts:
    """The programs, and a temporary directory with a certificate."""

    def __init__(self, echo_server, client_talk, chat_server, chat_site, modules):
        self.echo_server, self.client_talk, self.chat_server = echo_server, client_talk, chat_server
        self.chat_site = chat_site
        self.modules = modules
        self.directory = tempfile.TemporaryDirectory()
        self.certificate, self.key = make_certificate(self.directory.name)

    def node(self):
        """The node command. Skips the test if node or its modules are missing."""
        if not shutil.which("node") or not pathlib.Path(self.modules, "ws").is_dir():
            skip("node and the npm package ws")
        return shutil.which("node")


def skip(what):
    print(f"skipped: {what} not installed")
    sys.exit(77)


def check_other_client(parts, make_command):
    """Runs another client against the echo server, over TCP and TLS."""
    for tls in (None, (parts.certificate, parts.key)):
        server = Server([parts.echo_server], tls)
        url = f"{'wss' if tls else 'ws'}://{server.host.replace('localhost', HOST)}/echo"
        done = subprocess.run([*make_command(url), *((parts.certificate,) if tls else ())], capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 0 and done.stdout == "done\n", (url, done)
        assert server.stop() == 0


def check_other_server(parts, command):
    """Runs the Osprey client against another echo server, over TCP and TLS, with and without compression."""
    for tls in ((), (parts.certificate, parts.key)):
        server = subprocess.Popen([*command, *tls], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        port = int(server.stdout.readline())
        for compression in ("false", "true"):
            url = f"{'wss' if tls else 'ws'}://localhost:{port}/"
            done = subprocess.run([parts.client_talk, url, compression], capture_output=True, timeout=60,
                                  env={"SSL_CERT_FILE": parts.certificate})
            said = done.stdout.decode(errors="replace").splitlines()
            heard = [line for line in said if not line.startswith("sent ")]
            assert done.returncode == 0 and heard == HEARD, (url, compression, said, done.stderr)
        server.communicate()


def test_node_client(parts):
    check_other_client(parts, lambda url: [parts.node(), HERE / "node_client.js", parts.modules, url])


def test_python_client(parts):
    check_other_client(parts, lambda url: [PYTHON, HERE / "python_client.py", url])


def test_node_server(parts):
    check_other_server(parts, [parts.node(), HERE / "node_server.js", parts.modules])


def test_python_server(parts):
    check_other_server(parts, [PYTHON, HERE / "python_server.py"])


def open_chat(server):
    return open_client(server.connect(), server.host, "/chat")[0]


def hear(wire, words):
    """Reads until a text message contains `words`."""
    while True:
        frame = wire.read()
        assert frame is not None, f"the chat ended before {words!r}"
        if frame.opcode == TEXT and words in frame.payload.decode():
            return


def test_browser(parts):
    """WS-ORIGIN-2, WS-ORIGIN-3: a page of an allowed origin can chat; another page is refused."""
    if not shutil.which("chromium"):
        skip("chromium")
    site, other = Site(), Site()
    server = Server([parts.chat_server], None, site.origin)
    address = urllib.parse.urlencode({"chat": f"ws://{HOST}:{server.port}/chat", "say": "hello from the page"})
    stranger = open_chat(server)
    browser = Browser(f"{site.origin}/chat.html?{address}")
    try:
        site.wait_for("open")
        hear(stranger, "hello from the page")
        stranger.write(stranger.frame(TEXT, "hello page \U0001f985".encode()))
        while "hello page \U0001f985" not in site.wait_for("heard")["heard"]:
            pass
        stranger.write(stranger.frame(TEXT, b"goodbye"))
        closed = site.wait_for("closed")
        assert closed == {"closed": 3001, "clean": True}, closed
    finally:
        browser.close()
    browser = Browser(f"{other.origin}/chat.html?{address}")
    try:
        closed = other.wait_for("closed")
        assert closed == {"closed": 1006, "clean": False}, closed
        assert other.reports.empty()
    finally:
        browser.close()
    stranger.close()
    assert server.stop() == 0
    site.close()
    other.close()


def fetch(server, path):
    with urllib.request.urlopen(f"http://{HOST}:{server.port}{path}", timeout=30) as answer:
        return answer.status, answer.read().decode()


def heard(wire, text):
    """Reads until a line of the chat has this text, and returns its nickname."""
    while True:
        frame = wire.read(60)   # a browser takes its time to start
        assert frame is not None, f"the chat ended before {text!r}"
        if frame.opcode == TEXT and (line := json.loads(frame.payload)).get("text") == text:
            return line["nick"]


def check_pages(parts, browser):
    """WS-PATH-1, WS-FILE-1: the server's own page, in several tabs, talks to it on the same port."""
    tabs = {"/chat": "/?nick=one&say=hello", "/rooms/two": "/?room=two&nick=two&say=hello",
            "/rooms/tr%C3%A8s": "/?room=tr%C3%A8s&nick=tr%C3%A8s&say=hello"}
    server = Server([parts.chat_site], None, str(HERE.parent / "programs/chat_site.html"))
    strangers = [open_client(server.connect(), server.host, path)[0] for path in tabs]
    pages = browser(*(f"http://{HOST}:{server.port}{tab}" for tab in tabs.values()))
    try:
        assert [heard(stranger, "hello") for stranger in strangers] == ["one", "two", "très"]
        assert fetch(server, "/healthz") == (200, "ok\n")
        assert "\nosprey_ws_open_connections 6\n" in fetch(server, "/metrics")[1]
        for stranger in strangers:
            stranger.write(stranger.frame(TEXT, b'{"nick": "stranger"}') + stranger.frame(TEXT, b'{"say": "goodbye"}'))
        assert [heard(stranger, "left") for stranger in strangers] == ["one", "two", "très"]
        lines = [server.process.stdout.readline().decode().strip() for _ in range(3 * len(tabs))]
        joined = [line.split(str(server.port))[1] for line in lines if line.startswith("joined ")]
        assert sorted(joined) == sorted([*tabs, *tabs]), lines
        assert lines.count("left with 3001") == len(tabs), lines
    finally:
        pages.close()
    for stranger in strangers:
        stranger.close()
    assert server.stop() == 0


def test_pages_in_chromium(parts):
    if not shutil.which("chromium"):
        skip("chromium")
    check_pages(parts, Browser)


def test_pages_in_firefox(parts):
    if not shutil.which("firefox-esr"):
        skip("firefox-esr")
    check_pages(parts, Firefox)


# The end of the picture of the README holds the text of the page that it shows.
PICTURE_END = b"\0\0\0\0IEND\xaeB`\x82"
PICTURE_TEXT = b"Description\0\0\0\0\0"


def with_text(png, text):
    chunk = b"iTXt" + PICTURE_TEXT + text.encode()
    chunk = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return png.removesuffix(PICTURE_END) + chunk + PICTURE_END


def text_of(png):
    return png.partition(PICTURE_TEXT)[2].removesuffix(PICTURE_END)[:-4].decode()


def test_picture(parts):
    """WS-FILE-1: the page of the chat shows what it shows in the README. CHAT_PICTURE=FILE takes the picture again."""
    if not shutil.which("chromium"):
        skip("chromium")
    server = Server([parts.chat_site], None, str(HERE.parent / "programs/chat_site.html"))
    grace, linus = (open_client(server.connect(), server.host, "/rooms/osprey")[0] for _ in range(2))
    grace.write(grace.frame(TEXT, b'{"nick": "Grace"}'))
    heard(grace, "joined")
    greeting = urllib.parse.quote("Is anyone here?")
    browser = Browser(f"http://{HOST}:{server.port}/?room=osprey&nick=Ada&say={greeting}")
    try:
        heard(grace, "Is anyone here?")
        for wire, line in ((grace, {"say": "Yes, welcome!"}), (linus, {"nick": "Linus"}),
                           (linus, {"say": "Grüße aus dem Terminal"})):
            wire.write(wire.frame(TEXT, json.dumps(line).encode()))
            heard(grace, line.get("say", "joined"))
        linus.close()
        call = browser.inspect()
        shown = call("Runtime.evaluate", awaitPromise=True, returnByValue=True, expression="""new Promise(done => {
            const check = () => said.lastChild?.textContent === "Linus: left" && done(document.body.innerText);
            new MutationObserver(check).observe(said, { childList: true });
            check();
        })""")["result"]["value"]
        if os.environ.get("CHAT_PICTURE"):
            call("Emulation.setDeviceMetricsOverride", width=480, height=360, deviceScaleFactor=1, mobile=False)
            png = base64.b64decode(call("Page.captureScreenshot", format="png")["data"])
            pathlib.Path(os.environ["CHAT_PICTURE"]).write_bytes(with_text(png, shown))
        assert text_of(PICTURE.read_bytes()) == shown, (text_of(PICTURE.read_bytes()), shown)
        assert PICTURE.stat().st_size < 60000
    finally:
        browser.close()
    grace.close()
    assert server.stop() == 0


def main():
    peer, *rest = sys.argv[1:]
    globals()["test_" + peer.replace("-", "_")](Parts(*rest))
    print(f"{peer}: ok")


main()
