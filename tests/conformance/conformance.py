#!/usr/bin/python3
"""Tests a server or a client against RFC 6455 and RFC 7692, case by case, and writes a report.

Usage: conformance.py [--tls] [--only PREFIX] [--without PREFIX...] [--report DIRECTORY] (server|client) COMMAND...

The server is started once, with its port (and certificate and key) as arguments. It prints a line with "listening" and
serves /echo until SIGTERM. The client is started for each case, with a URL and "true" or "false" (whether to offer
compression). It prints "open", or "Err" and the reason, echoes messages, and exits when its connection ends.
"""
import argparse
import os
import ssl
import sys
import tempfile

# These add their cases to Group.everything.
import cases_close, cases_defence, cases_deflate, cases_frames, cases_handshake, cases_text   # noqa: E401, F401
from cases import Group
from deflate import DeflatePeer, check_answer, parsed, spelled
from peer import PROMPT, Failed, Peer, run_case
from programs import Client, Server, make_certificate
from report import Result, summary, write_html, write_text
from wire import PATIENCE, Silence, Untidy, open_client, open_server, shown


class RawPeer:
    """A connection before its handshake. `connect` opens another one to the server under test. `client` is the client
    under test."""

    def __init__(self, sock, program):
        self.sock, self.host, self.path = sock, program.host, program.path
        self.client = program if isinstance(program, Client) else None
        self.connect = None if self.client else program.connect
        self.expected, self.observed, self.late = [], [], False
        sock.settimeout(PATIENCE)

    def write(self, data, chop=None):
        try:
            for start in range(0, len(data), chop or max(len(data), 1)):
                self.sock.sendall(data[start:start + (chop or len(data))])
        except OSError:
            pass   # the case reads the response next

    def expect(self, what, seen, right):
        self.expected.append(what)
        self.observed.append(seen)
        if not right:
            raise Failed

    def expect_end(self):
        """Expects the peer to close the connection. For a client under test, this side closes."""
        if self.client:
            self.sock.close()
            return
        try:
            self.sock.settimeout(PROMPT)
            rest = self.sock.recv(4096)
        except ConnectionError:
            rest = b""
        except TimeoutError:
            rest = b"nothing, still open"
        self.expect("the connection's end", shown(rest) if rest else "the connection's end", not rest)

    def talk(self, wire):
        """The same connection after its handshake."""
        peer = Peer(wire)
        peer.expected, peer.observed = self.expected, self.observed
        return peer

    def says(self, words):
        """Expects that the client exits and that its output contains `words`."""
        status, said = self.client.finish()
        self.expect(f"the program says {words}", f"status {status}: {said.strip()}", status == 0 and words in said)


def connect_to_server(server, case):
    sock = server.connect()
    if case.raw:
        return RawPeer(sock, server)
    headers = [] if case.offer is None else [("Sec-WebSocket-Extensions", spelled(case.offer))]
    wire, answered = open_client(sock, server.host, server.path, headers)
    if case.offer is None:
        if "sec-websocket-extensions" in answered or "sec-websocket-protocol" in answered:
            raise Untidy("the response has an extension or subprotocol that was not offered")
        return Peer(wire)
    agreed = parsed(answered.get("sec-websocket-extensions", "nothing"))
    check_answer(case.offer, agreed)
    return DeflatePeer(wire, agreed)


def connect_to_client(client, case):
    sock = client.start(case.offer is not None)
    if case.raw:
        return RawPeer(sock, client)
    headers = [] if case.offer is None else [("Sec-WebSocket-Extensions", spelled(case.offer))]
    wire, asked = open_server(sock, headers)
    client.note(asked["sec-websocket-key"])
    wire.first_masks = client.first_masks
    if case.offer is None:
        if "sec-websocket-extensions" in asked:
            raise Untidy("an unexpected offer of compression")
        return Peer(wire)
    parsed(asked.get("sec-websocket-extensions", "nothing"))
    return DeflatePeer(wire, case.offer)


def run_one(program, case):
    """Runs one case on a new connection."""
    is_client = isinstance(program, Client)
    peer = None
    try:
        peer = (connect_to_client if is_client else connect_to_server)(program, case)
        verdict, seconds = run_case(case, peer)
    except (Untidy, Silence, OSError, ssl.SSLError, ValueError) as fault:
        expected, observed = (peer.expected, peer.observed) if peer else ([], [])
        result = Result(case, "FAILED", 0, [*expected, "a connection"], [*observed, f"{type(fault).__name__}: {fault}"])
    else:
        result = Result(case, verdict, seconds, peer.expected, peer.observed)
    if peer:
        (peer.sock if case.raw else peer.wire).close()
    if is_client and not case.raw:
        status, said = program.finish()
        if status != 0:
            result.verdict = "FAILED"
            result.observed += f"; the program's exit status is {status}: {said.strip()}"
    if not is_client and not program.alive():
        result.verdict, result.observed = "FAILED", f"{result.observed}; the server has exited"
    return result


def run_all(role, command, tls, only, without):
    program = (Server if role == "server" else Client)(command, tls)
    results = []
    for case in Group.everything:
        if role in case.roles and case.name.startswith(only) and not case.name.startswith(tuple(without)):
            results.append(run_one(program, case))
            if role == "server" and not program.alive():
                program = Server(command, tls)
    if role == "server":
        status = program.stop()
        if status != 0:
            sys.exit(f"the server's exit status is {status}")
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=("server", "client"))
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--report", default=".")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        results = run_all(options.role, options.command, make_certificate(directory) if options.tls else None,
                          options.only, options.without)
    name = f"{options.role}-{'wss' if options.tls else 'ws'}"
    title = f"RFC 6455 and RFC 7692, the {options.role} over {'TLS' if options.tls else 'TCP'}"
    os.makedirs(options.report, exist_ok=True)
    write_text(os.path.join(options.report, f"{name}.txt"), title, results)
    write_html(os.path.join(options.report, f"{name}.html"), title, results)
    for result in results:
        if result.verdict != "OK":
            print(f"{result.case.name} {result.verdict}: {result.case.title}\n"
                  f"    expected {result.expected}\n    observed {result.observed}")
    print(f"{title}: {summary(results)}")
    print(f"report: {os.path.join(options.report, name)}.html")
    return 0 if results and all(result.verdict == "OK" for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
