#!/usr/bin/python3
"""Writes a seed corpus: each program of the language tests and each example program as a file.

Usage: seeds.py TESTS DIRECTORY
"""
import pathlib
import re
import sys


def programs(tests):
    for path in sorted(tests.rglob("*.osp")):
        yield path.read_bytes()
    for path in sorted(tests.rglob("lang/*.case")):
        for part in re.split(r"^#### .*\n", path.read_text(), flags=re.MULTILINE):
            if part and not part.startswith("case.osp"):
                yield part.encode()


def main(tests, directory):
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    for number, program in enumerate(programs(pathlib.Path(tests))):
        (directory / f"{number:04}.osp").write_bytes(program)


if __name__ == "__main__":
    main(*sys.argv[1:])
