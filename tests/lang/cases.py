#!/usr/bin/python3
"""Runs the cases of a file through `ospreyc --check`.

A case begins with a line `#### ACCEPT ID title`, `#### WARN ID title` or `#### REJECT ID title`, optionally ending with
ospreyc options in square brackets; the program follows. After a rejected program, and after one that is accepted with
warnings, `#### SAYS` begins the exact diagnostics, in which the file is called case.osp.

Usage: cases.py OSPREYC FILE...
       cases.py --rewrite OSPREYC FILE...    rewrites the expected diagnostics; review the diff
"""
import pathlib
import re
import subprocess
import sys
import tempfile

HEAD = re.compile(r"#### (ACCEPT|WARN|REJECT) (\S+) (.*?)(?: \[(.*)\])?$")


class Case:
    def __init__(self, head, line):
        self.kind, self.requirement, self.title, options = HEAD.match(head).groups()
        self.options = options.split() if options else []
        self.line, self.head, self.program, self.says = line, head, "", ""

    def run(self, ospreyc, directory):
        (directory / "case.osp").write_text(self.program)
        return subprocess.run([ospreyc, "--check", *self.options, "case.osp"], cwd=directory, capture_output=True,
                              text=True, timeout=60, check=False)

    def fault(self, done):
        if done.stdout:
            return f"printed to standard output: {done.stdout}"
        if self.kind == "ACCEPT" and (done.returncode or done.stderr):
            return f"was refused (exit status {done.returncode}):\n{done.stderr}"
        status = int(self.kind == "REJECT")
        if done.returncode != status:
            return f"exit status {done.returncode} instead of {status}\n{done.stderr}"
        if self.kind != "ACCEPT" and done.stderr != self.says:
            return f"says\n{done.stderr}instead of\n{self.says}"
        return None


def read_cases(path):
    cases, part = [], "program"
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if HEAD.match(line):
            cases.append(Case(line, number))
            part = "program"
        elif line == "#### SAYS":
            part = "says"
        elif line.startswith("####"):
            sys.exit(f"{path}:{number}: not a case: {line}")
        elif cases:
            setattr(cases[-1], part, getattr(cases[-1], part) + line + "\n")
    return cases


def write_cases(path, cases):
    with path.open("w") as file:
        for case in cases:
            file.write(f"{case.head}\n{case.program}")
            if case.kind != "ACCEPT":
                file.write(f"#### SAYS\n{case.says}")


def main(arguments):
    rewrite = arguments[:1] == ["--rewrite"]
    ospreyc, *paths = arguments[1:] if rewrite else arguments
    ospreyc = str(pathlib.Path(ospreyc).resolve())
    failed = count = 0
    with tempfile.TemporaryDirectory() as name:
        for path in map(pathlib.Path, paths):
            cases = read_cases(path)
            for case in cases:
                count += 1
                done = case.run(ospreyc, pathlib.Path(name))
                if rewrite and case.kind != "ACCEPT":
                    case.says = done.stderr
                fault = case.fault(done)
                if fault:
                    failed += 1
                    print(f"{path}:{case.line}: {case.requirement} {case.title}: {fault}")
            if rewrite:
                write_cases(path, cases)
    print(f"{count} cases, {failed} failed")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
