#!/usr/bin/python3
"""The table of builtins agrees with what is written beside it: the signatures in spec/websocket.md, the README's table,
the bindings, and the tests that use each builtin.

Usage: builtins.py ROOT            prints what disagrees
       builtins.py ROOT --table    prints the README's table
"""
import pathlib
import re
import sys

TYPES = {"INT": "Int", "BOOL": "Bool", "STRING": "String", "SUCCESS": "Success"}
NAMED_IDS = {"websocketConnect": "WebSocketID", "websocketConnectWith": "WebSocketID",
             "websocketCreateServer": "ServerID", "websocketCreateSecureServer": "ServerID"}
PARAMETER = re.compile(r"WS_P\((\w+), (\w+)\)")


class Table:
    """spec/ws_builtins.def, read as text."""

    def __init__(self, root):
        text = (root / "spec/ws_builtins.def").read_text()
        text = re.sub(r"^#[^\n]*$|/\*.*?\*/", "", text, flags=re.M | re.S)
        self.handlers = {name: PARAMETER.findall(body) for name, body in
                         re.findall(r"WS_HANDLER\((\w+), ((?:WS_P\([^)]*\)\s*)+)\)", text)}
        self.records = {name: PARAMETER.findall(body) for name, body in
                        re.findall(r"WS_RECORD\((\w+), ((?:WS_P\([^)]*\)\s*)+)\)", text)}
        rows = re.findall(r'WS_BUILTIN\((\w+), (\w+), (\w+), (\w+), "([A-Z-]+)",\s*'
                          r'((?:WS_P\([^)]*\)\s*)+|WS_NONE),\s*"((?:[^"\\]|\\.)*)"\)', text)
        self.builtins = [(name, alias, symbol, result, requirement, PARAMETER.findall(parameters),
                          doc.replace('\\"', '"'))
                         for name, alias, symbol, result, requirement, parameters, doc in rows]
        if len(self.builtins) != text.count("WS_BUILTIN("):
            sys.exit("spec/ws_builtins.def: a row of WS_BUILTIN is not understood")

    def type_text(self, type_name):
        if type_name in self.handlers:
            parameters = ", ".join(self.type_text(t) for _, t in self.handlers[type_name])
            return f"fn({parameters}) -> Result<Success, String>"
        return TYPES.get(type_name, type_name)

    def signature(self, builtin):
        name, _, _, result, _, parameters, _ = builtin
        listed = ", ".join(f"{p}: {self.type_text(t)}" for p, t in parameters)
        tail = "" if result == "SUCCESS" else f" -> Result<{NAMED_IDS.get(name, self.type_text(result))}, String>"
        return f"{name}({listed}){tail}"

    def readme_rows(self):
        yield "| builtin | what it does |"
        yield "|---|---|"
        for builtin in self.builtins:
            yield f"| `{self.signature(builtin)}` | {builtin[6]} |"


def snake(name):
    return re.sub(r"([A-Z])", lambda m: "_" + m[1].lower(), name)


def check_rows(table):
    """Faults within the table itself."""
    seen = set()
    for name, alias, symbol, _, requirement, _, _ in table.builtins:
        if alias != name.replace("websocket", "ws", 1):
            yield f"{name}: its alias is {alias}"
        if symbol != "osp_ws" + snake(name.removeprefix("websocket")):
            yield f"{name}: its C entry point is {symbol}"
        for word in (name, alias, symbol, requirement):
            if word in seen:
                yield f"{name}: {word} appears twice"
            seen.add(word)


def text_of(root, pattern):
    paths = sorted(path for path in root.glob(pattern) if path.is_file())
    return "\n".join(path.read_text(errors="replace") for path in paths)


def check_texts(root, table):
    """Faults between the table and what repeats or uses it."""
    spec = re.sub(r"\s+", " ", text_of(root, "spec/websocket.md"))
    readme = text_of(root, "README.md").splitlines()
    header = text_of(root, "runtime/osp_ws.h")
    bindings = text_of(root, "spec/osprey-bindings.osp")
    programs = text_of(root, "tests/programs/**/*.osp") + text_of(root, "tests/conformance/**/*.osp")
    golden = text_of(root, "tests/ir/**/*")
    for builtin in table.builtins:
        name, alias, symbol, _, requirement, _, _ = builtin
        if f"`{table.signature(builtin)}`" not in spec:
            yield f"spec/websocket.md: lacks `{table.signature(builtin)}`"
        if f"- [{requirement}-1] " not in spec:
            yield f"spec/websocket.md: {name} has no requirement {requirement}-1"
        for where, text, word in (("runtime/osp_ws.h", header, symbol), ("spec/osprey-bindings.osp", bindings, alias),
                                  ("tests/programs", programs, name), ("tests/ir", golden, name)):
            if not re.search(rf"\b{word}\b", text):
                yield f"{where}: nothing names {word}"
    for row in table.readme_rows():
        if row not in readme:
            yield f"README.md: lacks the row {row}"
    for name, fields in table.records.items():
        listed = ", ".join(f"{f}: {TYPES[t]}" for f, t in fields).replace("id: Int", "id: WebSocketID")
        if not re.search(rf"type {name} += \{{ {re.escape(listed)} \}}", spec):
            yield f"spec/websocket.md: lacks type {name} = {{ {listed} }}"


def main(root, wanted):
    table = Table(root)
    if wanted == ["--table"]:
        print("\n".join(table.readme_rows()))
        return 0
    faults = [*check_rows(table), *check_texts(root, table)]
    for fault in faults:
        print(fault)
    print(f"{len(table.builtins)} builtins, {len(faults)} faults")
    return 1 if faults else 0


sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2:]))
