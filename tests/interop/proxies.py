#!/usr/bin/python3
"""The dashboard program behind nginx and HAProxy from Debian, over ws and wss on both sides of the proxy.

Usage: proxies.py PROXY DASHBOARD [full]

The proxies have the configuration of spec/operating.md and their default settings, except that their idle timeouts are
a twentieth (nginx: 3 s for 60 s; HAProxy, as Debian configures it: 2.5 s for 50 s), and so is the server's. With "full"
all have their defaults. A quiet connection must outlive twice the proxy's timeout. If the proxy is not installed, the
test is skipped (exit status 77).
"""
import concurrent.futures
import contextlib
import http.client
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

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "conformance"))

from programs import HOST, Server, ask_to_stop, free_port, make_certificate   # noqa: E402
from wire import CLOSE, PATIENCE, PING, PONG, TEXT, Silence, Wire, accept_of, read_head, request   # noqa: E402

NGINX = """\
daemon off;
pid {directory}/{port}.pid;
error_log stderr;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen {host}:{port}{secure};
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    {timeout}
    {location}
  }}
}}
"""


HAPROXY = """\
defaults
  mode http
  timeout connect 5s
  timeout client {timeout}
  timeout server {timeout}
frontend public
  bind {host}:{port}{secure}
  option forwardfor
  http-request del-header Forwarded
  default_backend osprey
backend osprey
  server osprey {host}:{server}{scheme}
"""


def nginx_location(scheme, server):
    """The block of spec/operating.md, with the server's address."""
    text = (HERE.parent.parent / "spec/operating.md").read_text()
    location = re.search(r"In nginx:\n\n```text\n(.*?)```", text, re.S)[1]
    assert "http://127.0.0.1:8080;" in location, location
    return location.replace("http://127.0.0.1:8080", f"{scheme}://{HOST}:{server}")


class Proxy:
    """A proxy in front of the server's port; `secure` are its sides with TLS: the client's and the server's."""

    def __init__(self, parts, server, secure, full):
        self.port = free_port()
        self.tls = secure[0] and ssl.create_default_context(cafile=parts.certificate)
        values = {"directory": parts.directory.name, "host": HOST, "port": self.port, "server": server,
                  "certificate": parts.certificate, "key": parts.key}
        configuration = pathlib.Path(parts.directory.name, f"{parts.name}.{self.port}.conf")
        if parts.name == "nginx":
            text = NGINX.format(secure=" ssl" if secure[0] else "",
                                location=nginx_location("https" if secure[1] else "http", server),
                                timeout="" if full else "proxy_read_timeout 3s; proxy_send_timeout 3s;", **values)
            command = ["nginx", "-e", "stderr", "-p", parts.directory.name, "-c", str(configuration)]
        else:
            text = HAPROXY.format(secure=f" ssl crt {parts.pem}" if secure[0] else "",
                                  scheme=" ssl verify none" if secure[1] else "",
                                  timeout="50s" if full else "2500ms", **values)
            command = ["haproxy", "-db", "-f", str(configuration)]
        configuration.write_text(text)
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self.wait()

    def wait(self):
        """Waits until the proxy accepts."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection((HOST, self.port), 1).close()
                return
            except ConnectionRefusedError:
                assert self.process.poll() is None and time.monotonic() < deadline, "the proxy does not listen"
                time.sleep(0.01)

    def connect(self, address):
        """A connection from this address of the machine."""
        sock = socket.create_connection((HOST, self.port), PATIENCE, (address, 0))
        return self.tls.wrap_socket(sock, server_hostname="localhost") if self.tls else sock

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Parts:
    def __init__(self, name, dashboard):
        self.name, self.dashboard = name, dashboard
        self.directory = tempfile.TemporaryDirectory()
        self.certificate, self.key = make_certificate(self.directory.name)
        self.pem = pathlib.Path(self.directory.name, "both.pem")   # as HAProxy has it
        self.pem.write_text(pathlib.Path(self.certificate).read_text() + pathlib.Path(self.key).read_text())


TOKEN = "Authorization: Bearer open-sesame"
COOKIE = "Cookie: session=open-sesame"


def shake(proxy, *headers, address="127.0.0.9", host="dash.example.com"):
    """A handshake through the proxy. Returns the first line, the headers, what followed, and the socket."""
    sock = proxy.connect(address)
    ask, key = request(host, "/live", [header.split(": ", 1) for header in headers])
    sock.sendall(ask)
    first, answered, rest = read_head(sock)
    if first.startswith("HTTP/1.1 101 "):
        assert answered["sec-websocket-accept"] == accept_of(key), answered
    return first, answered, rest, sock


def open_live(proxy, *headers, **options):
    first, answered, rest, sock = shake(proxy, *headers, **options)
    assert first.startswith("HTTP/1.1 101 "), (first, answered)
    return Wire(sock, True, rest), answered


def read_text(wire):
    """The next text message. Answers pings."""
    while True:
        frame = wire.read()
        assert frame is not None, "the connection ended"
        if frame.opcode == PING:
            wire.write(wire.frame(PONG, frame.payload))
        elif frame.opcode == TEXT:
            return frame.payload.decode()


def ask(wire, text):
    wire.write(wire.frame(TEXT, text.encode()))
    return read_text(wire)


def check_admission(proxy):
    """WS-REFUSE-1, WS-ANSWER-1: a client without the token is told what is missing, one with it gets a cookie."""
    for headers in ([], ["Authorization: Bearer wrong"], ["Cookie: session=wrong"]):
        first, answered, rest, sock = shake(proxy, *headers)
        assert first == "HTTP/1.1 401 Unauthorized", first
        assert answered["www-authenticate"] == 'Bearer realm="dashboard"', answered
        while len(rest) < int(answered["content-length"]):
            rest += sock.recv(4096)
        assert rest == b"a token is needed\n", rest
        sock.close()
    wire, answered = open_live(proxy, TOKEN)
    assert answered["set-cookie"].startswith("session=open-sesame;"), answered
    wire.close()
    open_live(proxy, COOKIE)[0].close()


def check_names(parts, proxy):
    """WS-HOST-1, WS-ORIGIN-2: the host that the proxy passes on, and pages of it; no other."""
    open_live(proxy, TOKEN, "Origin: https://dash.example.com")[0].close()
    for host, headers in (("rebound.example", []), ("dash.example.com", ["Origin: https://evil.example"])):
        first, _, _, sock = shake(proxy, TOKEN, *headers, host=host)
        assert first == "HTTP/1.1 403 Forbidden", (host, first)
        sock.close()


def check_addresses(proxy):
    """WS-PROXY-2, WS-PROXY-3: the client's address, whatever the client itself sends."""
    for headers in ([], ["X-Forwarded-For: 1.2.3.4"], ["Forwarded: for=1.2.3.4"], ['Forwarded: for="1.2.3.4'],
                    ["X-Forwarded-For: 127.0.0.1, junk", "X-Forwarded-For: 1.2.3.4"]):
        wire, _ = open_live(proxy, TOKEN, *headers)
        assert ask(wire, "who") == "You are 127.0.0.9", headers
        wire.close()


def check_messages(proxy):
    wire, _ = open_live(proxy, TOKEN)
    for size in (0, 1, 125, 126, 65535, 65536, 1000000):
        assert ask(wire, "x" * size) == "x" * size, size
    wire.close()


def fetch(connection, path):
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Host": "dash.example.com"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def check_pages(proxy, server, server_tls):
    """WS-PAGE-4, WS-METRICS-2: the page passes the proxy, the metrics do not."""
    def through(path):
        connection = http.client.HTTPConnection(HOST)
        connection.sock = proxy.connect("127.0.0.9")
        return fetch(connection, path)

    assert through("/") == (200, "The figures are at /live.\n"), through("/")
    assert through("/metrics")[0] == 403, through("/metrics")
    status, metrics = fetch(http.client.HTTPSConnection(HOST, server, context=server_tls) if server_tls
                            else http.client.HTTPConnection(HOST, server), "/metrics")
    assert status == 200 and "osprey_ws_open_connections " in metrics, (status, metrics)


def stay_quiet(wire, seconds):
    """Says nothing but pongs for so long."""
    end = time.monotonic() + seconds
    pings = 0
    while (left := end - time.monotonic()) > 0:
        try:
            frame = wire.read(left)
        except Silence:
            break
        assert frame is not None and frame.opcode == PING, f"{frame} on a quiet connection"
        wire.write(wire.frame(PONG, frame.payload))
        pings += 1
    return pings


def check_silence(proxy, seconds):
    """WS-LIMIT-12: pings keep a quiet connection alive in the proxy."""
    wire, _ = open_live(proxy, TOKEN)
    assert stay_quiet(wire, seconds) > 0
    assert ask(wire, "still here") == "still here"
    return wire


def check_end(wire, server):
    """WS-STOP-2: a clean stop reaches the client through the proxy."""
    ask_to_stop(server.process)
    frame = wire.read()
    while frame is not None and frame.opcode != CLOSE:
        frame = wire.read()
    assert frame is not None and frame.code == 1001, frame
    wire.write(wire.frame(CLOSE, frame.payload))
    wire.close()
    assert server.process.wait(PATIENCE) == 0


def check_pushes(parts):
    """WS-EVERY-1: figures arrive through the proxy as they are pushed."""
    server = Server([parts.dashboard], None, "20")
    proxy = Proxy(parts, server.port, (False, False), False)
    try:
        wire, _ = open_live(proxy, TOKEN)
        assert [read_text(wire) for _ in range(5)] == ["1 watching"] * 5
        check_end(wire, server)
    finally:
        proxy.stop()


def check_timeout(parts):
    """Without pings the proxy ends a quiet connection: the timeouts above are in force."""
    server = Server([parts.dashboard], None, "0")
    proxy = Proxy(parts, server.port, (False, False), False)
    try:
        wire, _ = open_live(proxy, TOKEN)
        assert wire.read() is None
        wire.close()
        assert server.stop() == 0
    finally:
        proxy.stop()


def check(parts, secure, full):
    idle = "120000" if full else "2500"   # half of it passes before a ping: 25 s, and a twentieth
    server = Server([parts.dashboard], None, "0", idle, *((parts.certificate, parts.key) if secure[1] else ()))
    proxy = Proxy(parts, server.port, secure, full)
    try:
        if not full:
            check_admission(proxy)
            check_names(parts, proxy)
            check_addresses(proxy)
            check_messages(proxy)
            check_pages(proxy, server.port, secure[1] and ssl.create_default_context(cafile=parts.certificate))
        timeout = 60 if parts.name == "nginx" else 50
        wire = check_silence(proxy, 2.1 * timeout / (1 if full else 20))
        check_end(wire, server)
    finally:
        proxy.stop()
    print(f"{parts.name}: {'wss' if secure[0] else 'ws'} to {'wss' if secure[1] else 'ws'} as expected")


def main(name, dashboard, full=""):
    if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin"):
        print(f"skipped: {name} is not installed")
        sys.exit(77)
    os.environ["PATH"] += ":/usr/sbin"
    parts = Parts(name, dashboard)
    sides = [(client, server) for client in (False, True) for server in (False, True)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        checks = [pool.submit(check, parts, secure, full == "full") for secure in sides]
        if not full:
            checks += [pool.submit(check_timeout, parts), pool.submit(check_pushes, parts)]
    for done in checks:
        done.result()


main(*sys.argv[1:])
