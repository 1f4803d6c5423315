#!/usr/bin/python3
"""Every test file on disk is registered in the meson.build that covers its folder.

A file is registered if meson.build quotes its name, or composes it around a variable, as 'test_' + name + '.c' does,
and quotes the part that the variable stands for. Otherwise configuration fails, and so does the suite check.

Usage: registered.py TESTS
"""
import pathlib
import re
import sys

# The files of each suite whose tests are listed one by one, and the folder of the meson.build that lists them.
SUITES = [("unit/*/test_*.c", "."), ("fuzz/fuzz_*.c", "."), ("fuzz-front/fuzz_*.c", "."), ("embed/test_*.c", "."),
          ("lang/*.case", "."), ("programs/language/*.osp", "..")]
COMPOSED = re.compile(r"(?:'([^']*)'( *[+/] *))?\bname *\+ *'([^']*)'")


def is_registered(name, text):
    quoted = set(re.findall(r"'([^']*)'", text))
    if name in quoted:
        return True
    # A folder before the variable ('language' / name) is no part of the file's name.
    parts = [("" if "/" in joint else before, after) for before, joint, after in COMPOSED.findall(text)]
    return any(name == before + part + after for before, after in parts for part in quoted)


def main(tests):
    missing = []
    for pattern, folder in SUITES:
        for path in sorted(tests.glob(pattern)):
            build = (path.parent / folder / "meson.build").resolve()
            text = re.sub(r"^\s*#.*", "", build.read_text(), flags=re.M)
            if not is_registered(path.name, text):
                missing.append(f"{path.relative_to(tests)} is not registered in {build.relative_to(tests)}")
    print("\n".join(missing), end="")
    return 1 if missing else 0


sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
