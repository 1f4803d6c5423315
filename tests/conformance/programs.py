"""The programs under test: one server for all cases, or one client process per case."""
import atexit
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(TESTS), str(TESTS / "programs")]
from osprey_process import ask_to_stop   # noqa: E402
from ports import free_port   # noqa: E402
from wire import PATIENCE, Untidy   # noqa: E402

HOST = "127.0.0.1"


def make_certificate(directory):
    """Makes a self-signed certificate for localhost and 127.0.0.1. Returns the paths of the certificate and the key."""
    certificate, key = os.path.join(directory, "certificate.pem"), os.path.join(directory, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


class Server:
    """A server process. Its arguments are its port and, for TLS, certificate and key. It prints a line when it
    listens."""

    def __init__(self, command, tls, *arguments):
        self.port = free_port()
        self.tls = tls and ssl.create_default_context(cafile=tls[0])
        self.process = subprocess.Popen([*command, str(self.port), *(tls or arguments)], stdout=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL)
        atexit.register(self.process.kill)   # even if a test fails
        said = self.process.stdout.readline().decode()
        if "listening" not in said:
            raise SystemExit(f"the server printed {said!r}, expected \"listening\"")
        self.host, self.path = f"localhost:{self.port}", "/echo"

    def connect(self):
        sock = socket.create_connection((HOST, self.port), PATIENCE)
        return self.tls.wrap_socket(sock, server_hostname="localhost") if self.tls else sock

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        """Stops the server with SIGTERM. Returns its exit status."""
        ask_to_stop(self.process)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "none: it did not stop"


class Client:
    """A client process, started for each case with the URL and whether to offer compression."""

    def __init__(self, command, tls):
        self.command, self.path = command, "/echo?case=1"
        self.environment = dict(os.environ)
        self.tls = None
        if tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*tls)
            self.environment["SSL_CERT_FILE"] = tls[0]
        self.keys, self.first_masks = set(), set()
        self.listener = socket.create_server((HOST, 0))
        self.listener.settimeout(PATIENCE)
        self.host = f"localhost:{self.listener.getsockname()[1]}"

    def start(self, compression):
        """Starts the program and accepts its connection."""
        url = f"{'wss' if self.tls else 'ws'}://{self.host}{self.path}"
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen([*self.command, url, "true" if compression else "false"], stdout=self.output,
                                        stdin=subprocess.DEVNULL, env=self.environment)
        sock, _ = self.listener.accept()
        return self.tls.wrap_socket(sock, server_side=True) if self.tls else sock

    def note(self, key):
        """Checks that every handshake has a new key. WS-SEC-6"""
        if key in self.keys:
            raise Untidy("the key of an earlier handshake")
        self.keys.add(key)

    def finish(self):
        """Waits for the client to exit. Returns its exit status and its output."""
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = "none: it did not end"
        self.output.seek(0)
        return status, self.output.read().decode(errors="replace")
