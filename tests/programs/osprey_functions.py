"""What the language's own functions give, for the random programs: FN-3, RUN-FN-1, RUN-FN-2.

A string is a Python string in which a byte that is not UTF-8 is a surrogate. A Result is ("Success", value) or
("Error", message).
"""
import re

BIGGEST, SMALLEST, LONGEST = 2**63 - 1, -2**63, 2**31 - 1
SPACE = b" \t\n\r\v\f"


def to_bytes(text):
    return text.encode("utf-8", "surrogateescape")


def to_text(data):
    return data.decode("utf-8", "surrogateescape")


def joined(left, right):
    """Bytes that are not UTF-8 apart may be together."""
    return to_text(to_bytes(left) + to_bytes(right))


def failure(name, reason):
    return "Error", f"{name}: {reason}"


def checked(number):
    return ("Success", number) if SMALLEST <= number <= BIGGEST else ("Error", "integer overflow")


def index_of(s, needle):
    at = s.find(needle)
    return ("Success", at) if at >= 0 else failure("indexOf", "substring not found")


def substring(s, start, end):
    if 0 <= start <= end <= len(s):
        return "Success", s[start:end]
    return failure("substring", "index out of range")


def byte_at(s, i):
    return ("Success", s[i]) if 0 <= i < len(s) else failure("byteAt", "index out of range")


def code_point_at(s, i):
    if not 0 <= i < len(s):
        return failure("codePointAt", "index out of range")
    width = next((w for w, mask, lead in ((1, 0x80, 0), (2, 0xe0, 0xc0), (3, 0xf0, 0xe0), (4, 0xf8, 0xf0))
                  if s[i] & mask == lead), 0)
    if width == 0:
        return failure("codePointAt", "invalid UTF-8 lead byte")
    if i + width > len(s):
        return failure("codePointAt", "truncated codepoint")
    if any(byte & 0xc0 != 0x80 for byte in s[i + 1:i + width]):
        return failure("codePointAt", "invalid continuation byte")
    try:
        return "Success", ord(s[i:i + width].decode())
    except UnicodeDecodeError:
        return failure("codePointAt", "invalid UTF-8 sequence")


def code_point_width(codepoint):
    if not 0 <= codepoint <= 0x10ffff:
        return failure("codePointWidth", "code point out of range")
    if 0xd800 <= codepoint <= 0xdfff:
        return failure("codePointWidth", "surrogate is not a scalar")
    return "Success", len(chr(codepoint).encode())


def from_code_point(codepoint):
    if codepoint == 0 or code_point_width(codepoint)[0] == "Error":
        return failure("fromCodePoint", "invalid code point")
    return "Success", chr(codepoint).encode()


def replace(s, needle, replacement):
    if not needle:
        return failure("replace", "needle must not be empty")
    return "Success", s.replace(needle, replacement)


def repeat(s, n):
    if n < 0:
        return failure("repeat", "count must not be negative")
    if n * len(s) > LONGEST:
        return failure("repeat", "the string would be too long")
    return "Success", s * n if s else s


def pad(name, s, length, fill):
    if not fill:
        return failure(name, "fill must not be empty")
    if length > LONGEST:
        return failure(name, "the string would be too long")
    count = max(0, length - len(s))
    padding = (fill * (count // len(fill) + 1))[:count]
    return "Success", padding + s if name == "padStart" else s + padding


def parse_int(s):
    if re.fullmatch(rb"[-+]?[0-9]+", s) and SMALLEST <= int(s) <= BIGGEST:
        return "Success", int(s)
    return failure("parseInt", "invalid integer")


def int_div(a, b):
    if b == 0:
        return "Error", "division by zero"
    return checked(abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1))


# A name, with the types of the parameters and of the result. A count is a small int.
FUNCTIONS = {
    "byteLength": (["string"], "int", len),
    "isEmpty": (["string"], "bool", lambda s: not s),
    "contains": (["string", "string"], "bool", lambda s, needle: needle in s),
    "startsWith": (["string", "string"], "bool", lambda s, prefix: s.startswith(prefix)),
    "endsWith": (["string", "string"], "bool", lambda s, suffix: s.endswith(suffix)),
    "indexOf": (["string", "string"], "Result<int, string>", index_of),
    "substring": (["string", "count", "count"], "Result<string, string>", substring),
    "take": (["string", "int"], "string", lambda s, n: s[:max(0, n)]),
    "drop": (["string", "int"], "string", lambda s, n: s[max(0, n):]),
    "byteAt": (["string", "count"], "Result<int, string>", byte_at),
    "codePointAt": (["string", "count"], "Result<int, string>", code_point_at),
    "codePointWidth": (["int"], "Result<int, string>", code_point_width),
    "fromCodePoint": (["int"], "Result<string, string>", from_code_point),
    "toUpperCase": (["string"], "string", lambda s: bytes(b - 32 if 97 <= b <= 122 else b for b in s)),
    "toLowerCase": (["string"], "string", lambda s: bytes(b + 32 if 65 <= b <= 90 else b for b in s)),
    "trim": (["string"], "string", lambda s: s.strip(SPACE)),
    "trimStart": (["string"], "string", lambda s: s.lstrip(SPACE)),
    "trimEnd": (["string"], "string", lambda s: s.rstrip(SPACE)),
    "reverse": (["string"], "string", lambda s: s[::-1]),
    "replace": (["string", "string", "string"], "Result<string, string>", replace),
    "repeat": (["string", "count"], "Result<string, string>", repeat),
    "padStart": (["string", "count", "string"], "Result<string, string>", lambda *a: pad("padStart", *a)),
    "padEnd": (["string", "count", "string"], "Result<string, string>", lambda *a: pad("padEnd", *a)),
    "parseInt": (["string"], "Result<int, string>", parse_int),
    "abs": (["int"], "Result<int, string>", lambda n: checked(abs(n))),
    "intDiv": (["int", "int"], "Result<int, string>", int_div),
}


def apply(name, arguments):
    """What the function gives for these arguments."""
    value = FUNCTIONS[name][2](*(to_bytes(a) if isinstance(a, str) else a for a in arguments))
    if isinstance(value, tuple) and isinstance(value[1], bytes):
        return value[0], to_text(value[1])
    return to_text(value) if isinstance(value, bytes) else value


def call(random, wanted, expression):
    """A random call with a result of a type, as its text and its evaluation; `expression` makes those of an argument of
    a type."""
    name = random.choice([name for name, (_, of, _) in FUNCTIONS.items() if of == wanted])
    arguments = []
    for of in FUNCTIONS[name][0]:
        if of == "count":
            count = random.choice([-1, 0, 1, 2, 3, 5, 5_000_000_000])
            arguments.append((f"({count})" if count < 0 else str(count), lambda env, count=count: count))
        else:
            arguments.append(expression(of))
    subject, *others = (text for text, _ in arguments)
    listed = ", ".join(others)
    form = random.choice([f"{name}({', '.join([subject, *others])})", f"({subject}).{name}({listed})",
                          f"(({subject}) |> {name}({listed}))"])
    return form, lambda env: apply(name, [evaluate(env) for _, evaluate in arguments])
