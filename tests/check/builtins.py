#!/usr/bin/python3
"""The tables of spec/ agree with the documents and the tests. Every builtin has its signature and a requirement in
spec/websocket.md and a program that calls it. The layouts in spec/abi.md are those of the table. The generated files
are up to date.

Usage: builtins.py ROOT
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(ROOT / "spec"))
from ws_tables import Tables, snake  # noqa: E402


def check_rows(tables):
    """Faults within the table of builtins."""
    seen = set()
    for builtin in tables.builtins:
        if builtin.alias != builtin.name.replace("websocket", "ws", 1):
            yield f"{builtin.name}: its alias is {builtin.alias}"
        if builtin.symbol != "osp_ws_" + snake(builtin.name.removeprefix("websocket")):
            yield f"{builtin.name}: its C entry point is {builtin.symbol}"
        for word in builtin[:3] + (builtin.requirement,):
            if word in seen:
                yield f"{builtin.name}: {word} appears twice"
            seen.add(word)


def text_of(*patterns):
    paths = sorted(path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file())
    return re.sub(r"\s+", " ", "\n".join(path.read_text(errors="replace") for path in paths))


def check_builtins(tables):
    """Faults between the table and the text and programs written by hand."""
    spec = text_of("spec/websocket.md")
    programs = text_of("tests/programs/**/*.osp", "tests/conformance/**/*.osp", "tests/cluster/*.osp")
    for builtin in tables.builtins:
        if f"`{tables.signature(builtin)}`" not in spec:
            yield f"spec/websocket.md: lacks `{tables.signature(builtin)}`"
        if f"- [{builtin.requirement}-1] " not in spec:
            yield f"spec/websocket.md: {builtin.name} has no requirement {builtin.requirement}-1"
        if not re.search(rf"\b{builtin.name}\b", programs):
            yield f"tests/programs: nothing calls {builtin.name}"
    for name, fields in tables.records.items():
        listed = ", ".join(f"{field}: {tables.osprey(of)}" for field, of in fields)
        listed = listed.replace("id: Int", "id: WebSocketID")
        if not re.search(rf"type {name} += \{{ {re.escape(listed)} \}}", spec):
            yield f"spec/websocket.md: lacks type {name} = {{ {listed} }}"


def check_layouts(tables):
    """Faults between the table of layouts and spec/abi.md."""
    abi = text_of("spec/abi.md")
    for name in tables.records:
        layout = tables.record_layout(name)
        if f"`{name}` `{layout.ir}` ({layout.size} bytes" not in abi:
            yield f"spec/abi.md: lacks `{name}` `{layout.ir}` ({layout.size} bytes)"
    for type_name in ("INT", "STRING", "BOOL"):
        meta = tables.result_layout(type_name).meta
        if not re.search(rf"\b{meta} (?:where|if) (?:`T`|it) is (?:a )?`{tables.osprey(type_name)}`", abi):
            yield f"spec/abi.md: lacks {meta} where `T` is `{tables.osprey(type_name)}`"


def check_generated():
    stale = subprocess.run([ROOT / "tools/generate", "--check"], capture_output=True, text=True)
    yield from (stale.stdout + stale.stderr).splitlines()


def main():
    tables = Tables(ROOT)
    faults = [*check_rows(tables), *check_builtins(tables), *check_layouts(tables), *check_generated()]
    print("\n".join([*faults, f"{len(tables.builtins)} builtins, {len(faults)} faults"]))
    return 1 if faults else 0


sys.exit(main())
