"""A headless Chromium, and the HTTP server for its page."""
import functools
import http.server
import json
import pathlib
import queue
import shutil
import subprocess
import tempfile
import threading

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]


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
    """Opens one page with a new profile."""

    def __init__(self, url):
        self.profile = tempfile.mkdtemp(prefix="chromium-")
        command = shutil.which("chromium")
        self.process = subprocess.Popen([command, *FLAGS, f"--user-data-dir={self.profile}",
                                         "--remote-debugging-port=0", url],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)
