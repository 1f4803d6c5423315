#!/usr/bin/python3
"""Links, sections, paths and files in the documents exist, and so do the functions that tests/coverage.md names. The
README names every builtin and is shorter than 289 lines. .github/CONTRIBUTING.md lists every suite of tools/test. The
link lines of spec/adopting.md name the libraries of ws_system_libraries in runtime/meson.build.

Usage: docs.py ROOT
"""
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(sys.argv[1]).resolve() / "spec"))
from ws_tables import Tables  # noqa: E402

README_LINES = 288
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


def anchors(path):
    """The anchors of a document's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.M | re.S)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.*)$", text, re.M)}


def check_anchors(root, path):
    """The sections that a document links to exist."""
    for link, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]*)\)", path.read_text()):
        target = path.parent / link if link else path
        if target.is_file() and anchor not in anchors(target):
            yield f"{path.relative_to(root)}: {link}#{anchor} does not exist"


def check_readme(root, readme):
    """The README is short and has a row for each builtin, without the `websocket` that all begin with."""
    if readme.count("\n") > README_LINES:
        yield f"README.md: {readme.count(chr(10))} lines, at most {README_LINES}"
    for builtin in Tables(root).builtins:
        if f"`{builtin.name.removeprefix('websocket')}`" not in readme:
            yield f"README.md: {builtin.name} is not in its table"


def check_names(root, path):
    """The functions that a document names are in the runtime."""
    source = "".join(file.read_text() for file in (root / "runtime").rglob("*.[ch]"))
    for name in sorted(set(re.findall(r"`(ws_\w+)`", path.read_text()))):
        if not re.search(rf"\b{name}\b", source):
            yield f"{path.relative_to(root)}: there is no {name}"


def check_suites(root, path):
    """The document lists each suite of tools/test."""
    text = path.read_text()
    listed = subprocess.run([root / "tools/test", "--list"], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        name = line.split()[0]
        if f"| `{name}` |" not in text:
            yield f"{path.relative_to(root)}: the suite `{name}` is not in its table"


def check_link_lines(root, path):
    """Each link line of the document names the runtime's system libraries, in order."""
    listed = re.search(r"ws_system_libraries = \[(.*?)\]", (root / "runtime/meson.build").read_text())[1]
    libraries = " ".join(re.findall(r"-l\w+", listed))
    lines = re.findall(r"-lssl(?: -l\w+)*", path.read_text())
    for line in lines:
        if line != libraries:
            yield f"{path.relative_to(root)}: links {line}, expected {libraries}"
    if not lines:
        yield f"{path.relative_to(root)}: has no link line with {libraries}"


def main(root):
    documents = [root / "README.md", root / "tests/coverage.md", *sorted((root / "spec").glob("*.md")),
                 *sorted((root / ".github").glob("*.md"))]
    files = {file.name for top in TOPS[3:-2].split("|") for file in (root / top).rglob("*.[ch]")}
    faults = [f"{path.name}: missing" for path in documents if not path.is_file()]
    documents = [path for path in documents if path.is_file()]
    for path in documents:
        faults += [*check_document(root, path, files), *check_anchors(root, path)]
    faults += check_names(root, root / "tests/coverage.md")
    for name, check in ((".github/CONTRIBUTING.md", check_suites), ("spec/adopting.md", check_link_lines)):
        faults += check(root, root / name) if (root / name).is_file() else [f"{name}: missing"]
    if (root / "README.md").is_file():
        faults += check_readme(root, (root / "README.md").read_text())
    for fault in faults:
        print(fault)
    print(f"{len(documents)} documents, {len(faults)} faults")
    return 1 if faults else 0


sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
