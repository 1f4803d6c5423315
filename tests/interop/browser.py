"""A headless Chromium or Firefox, and the HTTP server for a page."""
import functools
import http.server
import json
import os
import pathlib
import queue
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from wire import TEXT, open_client

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]

# Without these, Firefox opens pages of its own, and asks the network.
PREFERENCES = {"browser.shell.checkDefaultBrowser": False, "browser.startup.homepage_override.mstone": "ignore",
               "datareporting.policy.dataSubmissionEnabled": False, "app.update.enabled": False,
               "network.captive-portal-service.enabled": False, "network.connectivity-service.enabled": False}


class Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, page, reports, *rest):
        self.page, self.reports = page, reports
        super().__init__(*rest)

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(self.page if self.path.startswith("/chat.html") else b"", "text/html; charset=utf-8")

    def do_POST(self):
        self.reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer(b"", "text/plain")

    def log_message(self, *_):
        pass


class Site:
    """Serves the page, and collects its reports."""

    def __init__(self):
        self.reports = queue.Queue()
        page = (pathlib.Path(__file__).parent / "chat.html").read_bytes()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, page, self.reports))
        self.origin = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait_for(self, key, seconds=30):
        """Returns the next report with `key`, and skips others."""
        while True:
            report = self.reports.get(timeout=seconds)
            if key in report:
                return report

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Browser:
    """Opens each page in a tab, with a new profile."""

    def __init__(self, *urls):
        self.profile = tempfile.mkdtemp(prefix="browser-")
        self.start(urls)

    def run(self, *command):
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env=dict(os.environ, HOME=self.profile))

    def start(self, urls):
        """Without a window, Chromium takes one page from the command line. The others are asked for on the port that
        it writes to a file."""
        self.run(shutil.which("chromium"), *FLAGS, f"--user-data-dir={self.profile}", "--remote-debugging-port=0",
                 urls[0])
        for url in urls[1:]:
            self.ask("PUT", f"new?{urllib.parse.quote(url)}")

    def ask(self, method, what):
        """Asks Chromium's port, once it has one. Returns the answer."""
        file = pathlib.Path(self.profile, "DevToolsActivePort")
        while not (file.exists() and file.read_text().count("\n")):
            assert self.process.poll() is None, "chromium has ended"
            time.sleep(0.05)
        url = f"http://127.0.0.1:{file.read_text().splitlines()[0]}/json/{what}"
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=60) as answer:
            return json.load(answer)

    def inspect(self):
        """Returns a function that calls a method of the first page's debugger."""
        address = next(tab for tab in self.ask("GET", "list") if tab["type"] == "page")["webSocketDebuggerUrl"]
        url = urllib.parse.urlsplit(address)
        wire, _ = open_client(socket.create_connection((url.hostname, url.port), 60), url.netloc, url.path)

        def call(method, **parameters):
            wire.write(wire.frame(TEXT, json.dumps({"id": 1, "method": method, "params": parameters}).encode()))
            while "id" not in (answer := json.loads(wire.read(60).payload)):
                pass
            assert "result" in answer, answer
            return answer["result"]
        return call

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)


class Firefox(Browser):
    def start(self, urls):
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items())
        pathlib.Path(self.profile, "user.js").write_text("".join(lines))
        self.run(shutil.which("firefox-esr"), "--headless", "--no-remote", "--profile", self.profile, *urls)
