#!/usr/bin/python3
"""Mutants: small wrong changes of codegen/, tools/ospreyc/ and tools/osprey-ws-cc/, each of which a test must
notice.

    mutants.py SOURCE BUILD LLVM_VERSION LLVM_BIN LIT [NUMBER...]

Each worker has a copy of the source with a build of its own, in BUILD/tests/mutants. For each mutant of
mutations.py it changes one place of one file, builds, and runs the test that kills the mutant. The suite fails if a
mutant lives, does not compile, or has a text that is not in its file exactly once, and if a test fails without a
mutant. With NUMBERs, only those mutants.
"""
import concurrent.futures
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile

from mutations import MUTANTS

TIME_LIMIT = 120
ARCHIVES = ["runtime/libosprey_ws.a", "runtime/libosprey_mem.a", "tools/ospreyc/libosprey_rt.a",
            "tools/ospreyc/libosprey_json.a"]
TARGETS = ["tools/ospreyc/ospreyc", "tools/osprey-ws-lower", "tools/osprey-ws-cc", "tools/libosprey_ws_cc.so",
           "codegen/libosprey_ws_plugin.so", "tests/ir/refused"]


class Stop(Exception):
    """The suite cannot go on."""


def numbered(number):
    path, text, *_ = MUTANTS[number]
    return f"{number}: {path}: {text.strip().splitlines()[0]}"


def faults(source):
    """The mutants whose text is not in its file exactly once."""
    for number, (path, text, replacement, _) in enumerate(MUTANTS):
        count = (source / path).read_text().count(text) if (source / path).exists() else 0
        if count != 1 or text == replacement:
            yield f"{numbered(number)}: found {count} times"


class Worker:
    def __init__(self, number, source, build, llvm):
        self.version, self.llvm_bin, self.lit = llvm
        self.tree = build / "tests/mutants" / str(number)
        self.copy(source)
        self.build = self.tree / "build"
        if not (self.build / "build.ninja").exists():
            # Gold links with LLVM's library five times as fast as the usual linker.
            self.run(["meson", "setup", "--buildtype=debug", "-Dwerror=false", "-Dc_link_args=-fuse-ld=gold",
                      f"-Dllvm={self.version}", self.build, self.tree])
        for archive in ARCHIVES:
            (self.build / archive).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(build / archive, self.build / archive)

    def copy(self, source):
        """Copies what differs, so that a build from an earlier run is still good."""
        for path in source.rglob("*"):
            inside = path.relative_to(source)
            if inside.parts[0].startswith(("build", ".")) or path.is_dir() or "__pycache__" in inside.parts:
                continue
            target = self.tree / inside
            if not target.exists() or target.read_bytes() != path.read_bytes():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)

    @staticmethod
    def run(command):
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise Stop(f"{' '.join(map(str, command))}:\n{done.stdout}")

    def make(self, path):
        targets = TARGETS[:1] if path.startswith("tools/ospreyc/") else TARGETS
        self.run(["ninja", "-C", self.build, "-j1", *targets])

    def command(self, test):
        """The command of a test: ir/FILE, lang/CASES, lang/files/NAME or programs/NAME."""
        suite, name = test.split("/", 1)
        tests, ospreyc = self.tree / "tests", self.build / TARGETS[0]
        if suite == "ir":
            parameters = {"build": self.build, "llvm_bin": self.llvm_bin, "llvm_version": self.version,
                          "system_libraries": "", "sanitize": "none"}
            named = [word for key, value in parameters.items() for word in ("--param", f"{key}={value}")]
            return [sys.executable, self.lit, "-q", *named, tests / "ir" / name]
        if name.startswith("files/"):
            return [sys.executable, tests / "lang/files.py", ospreyc, "Files." + name.removeprefix("files/")]
        if suite == "lang":
            return [sys.executable, tests / "lang/cases.py", ospreyc, tests / "lang" / f"{name}.case"]
        return [sys.executable, tests / "programs/run_program.py", ospreyc, tests / f"programs/language/{name}.osp"]

    def passes(self, test):
        """A test that does not end in time fails. What it started ends with it."""
        with tempfile.TemporaryFile() as output:
            child = subprocess.Popen(list(map(str, self.command(test))), stdout=output, stderr=output,
                                     start_new_session=True)
            try:
                return child.wait(TIME_LIMIT) == 0
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, 9)
                child.wait()
                return False

    def outcome(self, number):
        path, text, replacement, test = MUTANTS[number]
        file = self.tree / path
        original = file.read_text()
        file.write_text(original.replace(text, replacement))
        try:
            self.make(path)
            return "LIVES" if self.passes(test) else "killed"
        except Stop as stop:
            return f"DOES NOT COMPILE\n{stop}"
        finally:
            file.write_text(original)

    def work(self, files, report):
        """Takes all mutants of a file at a time, so that each costs one compilation."""
        while True:
            try:
                numbers = files.get_nowait()
            except queue.Empty:
                return
            for number in numbers:
                report(number, self.outcome(number))
            self.make(MUTANTS[numbers[0]][0])


def main():
    source, build = map(pathlib.Path, sys.argv[1:3])
    wanted = list(map(int, sys.argv[6:])) or range(len(MUTANTS))
    wrong = list(faults(source))
    if wrong:
        sys.exit("\n".join(wrong))
    count = max(1, min(4, os.cpu_count()))
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        def begin(number):
            worker = Worker(number, source, build, sys.argv[3:6])
            worker.make("codegen/")
            return worker

        workers = list(pool.map(begin, range(count)))
        tests = sorted({MUTANTS[number][3] for number in wanted})
        broken = [test for test, passes in zip(tests, pool.map(workers[0].passes, tests)) if not passes]
        if broken:
            sys.exit(f"these fail without a mutant: {' '.join(broken)}")
        files, outcomes = queue.Queue(), {}
        for path in sorted({MUTANTS[number][0] for number in wanted}):
            files.put([number for number in wanted if MUTANTS[number][0] == path])

        def report(number, outcome):
            outcomes[number] = outcome
            print(f"{outcome.splitlines()[0]:8} {numbered(number)}\n{outcome if outcome[0] == 'D' else ''}", end="",
                  flush=True)

        for future in [pool.submit(worker.work, files, report) for worker in workers]:
            future.result()
    killed = sum(outcome == "killed" for outcome in outcomes.values())
    print(f"{killed} of {len(wanted)} mutants are killed")
    return killed != len(wanted)


sys.exit(main())
