"""Programs under test as processes: compile, start, wait for a line, stop. Every wait is for an event."""
import contextlib
import os
import pathlib
import re
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import time

TIME_LIMIT = 60
PROGRAMS = pathlib.Path(__file__).parent

sys.path.append(str(PROGRAMS.parent))
from ports import free_port   # noqa: E402, F401: for those who import this

# A finding of a sanitizer ends the program, so that its test fails.
ENVIRONMENT = dict(os.environ, OSPREY_MEM_REPORT="1", UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1")

# What runs the programs of a cross build.
EMULATOR = shlex.split(os.environ.get("EMULATOR", ""))


class Failure(Exception):
    """A program did not behave as expected."""


def compile_program(ospreyc, source, scratch, level=2, may_warn=False):
    output = os.path.join(scratch, pathlib.Path(source).stem)
    done = subprocess.run([ospreyc, source, f"-O{level}", "-o", output], capture_output=True, text=True,
                          timeout=TIME_LIMIT)
    if done.returncode != 0 or (done.stderr and not may_warn):
        raise Failure(f"{source} does not compile:\n{done.stdout}{done.stderr}")
    return output


def catches(pid, number):
    """Returns true if the process has a handler for the signal, or is gone."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True
    caught = re.search(r"^SigCgt:\s*(\w+)", status, re.M)
    return not caught or bool(int(caught[1], 16) >> (number - 1) & 1)


def ask_to_stop(child, number=signal.SIGTERM):
    """Sends the signal once the program catches it: a server is ready before it is in websocketKeepAlive."""
    deadline = time.monotonic() + TIME_LIMIT
    while time.monotonic() < deadline and child.poll() is None and not catches(child.pid, number):
        time.sleep(0.002)
    child.send_signal(number)


class Process:
    """A running program. Reads its standard output line by line."""

    def __init__(self, executable, *arguments, **environment):
        self.name = pathlib.Path(executable).name
        self.lines = []
        self._pending = b""
        self._errors = tempfile.TemporaryFile()
        self.child = subprocess.Popen([*EMULATOR, executable, *map(str, arguments)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=self._errors,
                                      env=dict(ENVIRONMENT, **environment))

    def _read(self, deadline):
        """Reads available output. Returns False at the end of the output."""
        ready, _, _ = select.select([self.child.stdout], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            raise Failure(f"{self.name} printed nothing more:\n{self.transcript()}")
        data = os.read(self.child.stdout.fileno(), 65536)
        *lines, self._pending = (self._pending + data).split(b"\n")
        self.lines += [line.decode() for line in lines]
        return bool(data)

    def wait_for(self, line, times=1, limit=TIME_LIMIT):
        """Waits until the line was printed `times` times."""
        deadline = time.monotonic() + limit
        while self.lines.count(line) < times:
            if not self._read(deadline):
                raise Failure(f"{self.name} ended without the line {line!r}:\n{self.transcript()}")

    def wait_for_lines(self, count, limit=TIME_LIMIT):
        deadline = time.monotonic() + limit
        while len(self.lines) < count:
            if not self._read(deadline):
                raise Failure(f"{self.name} ended before its line {count}:\n{self.transcript()}")

    def say(self, text):
        self.child.stdin.write(text.encode())
        self.child.stdin.flush()

    def end_input(self):
        self.child.stdin.close()

    def signal(self, number=None):
        if number:
            self.child.send_signal(number)
        else:
            ask_to_stop(self.child)

    def errors(self):
        """What it has written to standard error so far. The offset is the child's too: no seek, it would overwrite."""
        log = self._errors.fileno()
        return os.pread(log, os.fstat(log).st_size, 0).decode(errors="replace")

    def transcript(self):
        return "\n".join(self.lines) + "\n--- standard error\n" + self.errors()

    def finish(self, live=0, limit=TIME_LIMIT):
        """Waits for the program to exit. Its status must be 0, with exactly `live` live blocks."""
        deadline = time.monotonic() + limit
        while self._read(deadline):
            pass
        status = self.child.wait(max(1, deadline - time.monotonic()))
        if status != 0:
            raise Failure(f"{self.name} ended with status {status}:\n{self.transcript()}")
        if f"osprey: {live} blocks live at exit\n" not in self.errors():
            raise Failure(f"{self.name} should have {live} live blocks:\n{self.transcript()}")
        return self.lines

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        self.child.stdout.close()
        self.child.stdin.close()
        self._errors.close()


@contextlib.contextmanager
def started(executable, *arguments, **environment):
    process = Process(executable, *arguments, **environment)
    try:
        yield process
    finally:
        process.kill()


def expect(what, expected, observed):
    if expected != observed:
        raise Failure(f"{what}: expected {expected!r}, observed {observed!r}")
