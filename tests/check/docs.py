#!/usr/bin/python3
"""Links, paths and files in the documents exist, and so do the functions that tests/coverage.md names. The README lists
every suite of tools/test, and its link lines name the libraries of ws_system_libraries in runtime/meson.build.

Usage: docs.py ROOT
"""
import pathlib
import re
import subprocess
import sys

TOPS = r"(?:spec|runtime|codegen|tools|tests)/"


def check_document(root, path, files):
    """The broken links and paths of one document."""
    text = path.read_text()
    targets = [(path.parent / link, link) for link in re.findall(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)", text)]
    targets += [(root / span, span) for span in re.findall(rf"`({TOPS}[\w./-]*\w/?)`", text)]
    targets += [(root / word, word) for word in re.findall(rf"(?m)^(?:\$ )?({TOPS}[\w./-]+\w)", text)]
    for target, word in targets:
        if not target.exists():
            yield f"{path.relative_to(root)}: {word} does not exist"
    for name in sorted(set(re.findall(r"`(?:[\w-]+/)*([\w-]+\.[ch])`", text)) - files):
        yield f"{path.relative_to(root)}: there is no {name}"


def check_names(root, path):
    """The functions that a document names are in the runtime."""
    source = "".join(file.read_text() for file in (root / "runtime").rglob("*.[ch]"))
    for name in sorted(set(re.findall(r"`(ws_\w+)`", path.read_text()))):
        if not re.search(rf"\b{name}\b", source):
            yield f"{path.relative_to(root)}: there is no {name}"


def check_suites(root, readme):
    """The README lists each suite of tools/test."""
    listed = subprocess.run([root / "tools/test", "--list"], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        name = line.split()[0]
        if f"| `{name}` |" not in readme:
            yield f"README.md: the suite `{name}` is not in its table"


def check_link_lines(root, readme):
    """Each link line of the README names the runtime's system libraries, in order."""
    listed = re.search(r"ws_system_libraries = \[(.*?)\]", (root / "runtime/meson.build").read_text())[1]
    libraries = " ".join(re.findall(r"-l\w+", listed))
    lines = re.findall(r"-lssl(?: -l\w+)*", readme)
    for line in lines:
        if line != libraries:
            yield f"README.md: links {line}, expected {libraries}"
    if not lines:
        yield f"README.md: has no link line with {libraries}"


def main(root):
    documents = [root / "README.md", root / "tests/coverage.md", *sorted((root / "spec").glob("*.md")),
                 *sorted((root / ".github").glob("*.md"))]
    files = {file.name for top in TOPS[3:-2].split("|") for file in (root / top).rglob("*.[ch]")}
    faults = [f"{path.name}: missing" for path in documents if not path.is_file()]
    documents = [path for path in documents if path.is_file()]
    for path in documents:
        faults += check_document(root, path, files)
    faults += check_names(root, root / "tests/coverage.md")
    if (root / "README.md").is_file():
        readme = (root / "README.md").read_text()
        faults += [*check_suites(root, readme), *check_link_lines(root, readme)]
    for fault in faults:
        print(fault)
    print(f"{len(documents)} documents, {len(faults)} faults")
    return 1 if faults else 0


sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
