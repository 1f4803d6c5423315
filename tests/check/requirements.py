#!/usr/bin/python3
"""A test names every requirement of spec/*.md, and every ID in a test is a requirement.

A requirement is a list item that starts with its ID: "- [WS-SEND-2] ...". A test names it by the bare ID, in the name
or the text of a file under tests/. A word such as UTF-8 is not an ID, because no requirement has its prefix.

Usage: requirements.py ROOT
"""
import pathlib
import re
import sys

ID = r"[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*-[0-9]+"
ITEM = re.compile(rf"^- \[({ID})\] \S")
NAME = re.compile(rf"(?<![A-Za-z0-9-])({ID})(?![A-Za-z0-9-])")


def prefix(requirement):
    return requirement.rsplit("-", 1)[0]


def number(requirement):
    return int(requirement.rsplit("-", 1)[1])


def read_requirements(root):
    """Returns the place of each requirement, and the faults."""
    where, faults = {}, []
    for path in sorted((root / "spec").glob("*.md")):
        for line_number, line in enumerate(path.read_text().splitlines(), 1):
            place = f"{path.relative_to(root)}:{line_number}"
            item = ITEM.match(line)
            if item is None:
                if re.match(r"^\s*[-*] ?\[[A-Z0-9-]+\]", line):
                    faults.append(f"{place}: looks like a requirement but is not written '- [ID-1] text'")
            elif item[1] in where:
                faults.append(f"{place}: {item[1]} is already defined at {where[item[1]]}")
            else:
                where[item[1]] = place
    return where, faults


def read_tests(root, prefixes):
    """Returns the first place that names each ID."""
    named = {}
    for path in sorted((root / "tests").rglob("*")):
        if not path.is_file() or "check" in path.relative_to(root / "tests").parts[:1] or "__pycache__" in path.parts:
            continue
        place = path.relative_to(root)
        for found in NAME.findall(path.name):
            named.setdefault(found, f"{place}")
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        for line_number, line in enumerate(lines, 1):
            for found in NAME.findall(line):
                named.setdefault(found, f"{place}:{line_number}")
    return {found: place for found, place in named.items() if prefix(found) in prefixes}


def main(root):
    where, faults = read_requirements(root)
    named = read_tests(root, {prefix(requirement) for requirement in where})
    untested = sorted(where.keys() - named.keys(), key=lambda r: (where[r].split(":")[0], prefix(r), number(r)))
    faults += [f"{where[requirement]}: no test names {requirement}" for requirement in untested]
    faults += [f"{named[found]}: {found} is not a requirement" for found in sorted(named.keys() - where.keys())]
    for fault in faults:
        print(fault)
    print(f"{len(where)} requirements, {len(where) - len(untested)} named by tests, {len(faults)} faults")
    return 1 if faults or not where else 0


sys.exit(main(pathlib.Path(sys.argv[1])))
