"""The tables ws_builtins.def and ws_layouts.def, for what is generated from them or checked against them."""
import collections
import pathlib
import re

Builtin = collections.namedtuple("Builtin", "name alias symbol result requirement parameters doc")
Layout = collections.namedtuple("Layout", "ir size meta")

_OSPREY = {"INT": "Int", "BOOL": "Bool", "STRING": "String", "SUCCESS": "Success"}
_IDS = {"websocketConnect": "WebSocketID", "websocketConnectWith": "WebSocketID",
        "websocketCreateServer": "ServerID", "websocketCreateSecureServer": "ServerID",
        "websocketEvery": "TimerID", "websocketAfter": "TimerID"}
_MEMBER = re.compile(r"WS_P\((\w+), (\w+)\)")


def _rows(path):
    """Each row as its macro's name and the text of its arguments."""
    text = re.sub(r"^#[^\n]*$|/\*.*?\*/", "", path.read_text(), flags=re.M | re.S)
    rows = re.findall(r'^(WS_\w+)\(((?:[^()"]|"(?:[^"\\]|\\.)*"|\([^()]*\))*)\)', text, re.M)
    if len(rows) != len(re.findall(r"^WS_", text, re.M)):
        raise SystemExit(f"{path}: a row is not understood")
    return rows


def snake(name):
    """certificateFile as C spells it: certificate_file."""
    return re.sub(r"(?<=[a-z0-9])([A-Z]+)", r"_\1", name).lower()


class Tables:
    """The rows, in their order. A member is a pair of a name and the table's name of a type."""

    def __init__(self, root):
        self.aliases, self.records, self.handlers, self.builtins = {}, {}, {}, []
        self.ir, self.types, self.fields, self.meta = {}, {}, collections.defaultdict(list), {}
        for macro, text in _rows(pathlib.Path(root) / "spec/ws_builtins.def"):
            name, rest = (part.strip() for part in text.split(",", 1))
            if macro == "WS_ALIAS":
                self.aliases[name] = rest
            elif macro == "WS_BUILTIN":
                alias, symbol, result, requirement = re.match(r'(\w+), (\w+), (\w+), "([A-Z-]+)"', rest).groups()
                doc = re.search(r'"((?:[^"\\]|\\.)*)"\s*$', rest)[1].replace('\\"', '"')
                self.builtins.append(Builtin(name, alias, symbol, result, requirement, _MEMBER.findall(rest), doc))
            else:
                {"WS_RECORD": self.records, "WS_HANDLER": self.handlers}[macro][name] = _MEMBER.findall(rest)
        for macro, text in _rows(pathlib.Path(root) / "spec/ws_layouts.def"):
            name, *rest = (part.strip() for part in text.split(","))
            if macro == "WS_IR":
                self.ir[name] = (rest[0], int(rest[1]))
            elif macro == "WS_TYPE":
                self.types[name] = (rest[0], int(rest[1]))
            elif macro == "WS_META_VALUE":
                self.meta[name] = int(rest[0])
            else:
                self.fields[macro].append((name, rest[1], rest[2]))

    def kind(self, type_name):
        """The row of WS_TYPE for a type: INT, BOOL, STRING, SUCCESS, RECORD or HANDLER."""
        return "RECORD" if type_name in self.records else "HANDLER" if type_name in self.handlers else type_name

    def ir_type(self, type_name):
        return self.types[self.kind(type_name)][0]

    def layout(self, fields):
        """The layout of fields, each a pair of an LLVM type and whether it is counted."""
        size = references = 0
        for ir, counted in fields:
            width = self.ir[ir][1]
            size = -(-size // width) * width
            references |= int(counted) << size // self.ir["ptr"][1]
            size += width
        meta = references << self.meta["mask_shift"] | self.meta["kind_masked"]
        return Layout("{ " + ", ".join(ir for ir, _ in fields) + " }", size, meta)

    def result_layout(self, type_name):
        """The Result block of a value."""
        value = self.types[self.kind(type_name)]
        return self.layout([value if ir == "T" else (ir, counted) for _, ir, counted in self.fields["WS_RESULT_FIELD"]])

    def record_layout(self, name):
        fixed = [(ir, counted) for _, ir, counted in self.fields["WS_RECORD_FIELD"] if ir != "T"]
        return self.layout(fixed + [self.types[self.kind(type_name)] for _, type_name in self.records[name]])

    def osprey(self, type_name):
        """A type as Osprey spells it."""
        if type_name in self.handlers:
            parameters = ", ".join(self.osprey(of) for _, of in self.handlers[type_name])
            return f"fn({parameters}) -> Result<Success, String>"
        return _OSPREY.get(type_name, type_name)

    def parameters(self, builtin):
        return ", ".join(f"{name}: {self.osprey(of)}" for name, of in builtin.parameters)

    def signature(self, builtin):
        """The signature in the documents: without a result of Success, with the aliases of IDs."""
        result = f" -> Result<{_IDS.get(builtin.name, self.osprey(builtin.result))}, String>"
        return f"{builtin.name}({self.parameters(builtin)}){'' if builtin.result == 'SUCCESS' else result}"
