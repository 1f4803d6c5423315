#!/usr/bin/python3
"""Random programs with their expected output: compiled at every level, run, and compared. LANG-1 LANG-6 LANG-12 LANG-22

The generator makes an expression of a given type as source text and as a Python function that evaluates it in an
environment of names. A failure prints its seed, which reproduces it. The output of a program shows its order of
evaluation; the memory report at its end shows that it leaks nothing.

Usage: random_programs.py OSPREYC [COUNT [FIRST_SEED]]
"""
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "programs"))
from osprey_functions import call as library_call, joined, to_bytes  # noqa: E402

TYPES = """type P = { a: int, b: string }
type L = Nil | Cons { head: int, tail: L } | Tag(string)
fn say(x) = { print("say ${x}") x }
fn length(l: L, n: int) -> int = match l { Nil => n Cons { head, tail } => length(tail, (n + 1) ?: 0) Tag(_) => n }
fn pick(c, a, b) = if c { a } else { b }
fn orElse(r, d) = match r { Success v => v Err _ => d }
fn apply(f, x) = f(x)
fn compose(f, g) = |x| => f(g(x))
"""
NAMES = [f"_{letter}" for letter in "abcdefgh"]  # names that may be unused: DIAG-11
SCALARS = ("int", "bool", "string", "result")
ALL = SCALARS + ("P", "L")
SPELLED = {"int": "int", "bool": "bool", "string": "string", "result": "Result<int, string>", "P": "P", "L": "L"}


class Failure(Exception):
    pass


def checked(value):
    return ("ok", value) if -2**63 <= value < 2**63 else ("err", "integer overflow")


def calculate(operator, left, right):
    for operand in (left, right):
        if operand[0] == "err":
            return operand
    a, b = left[1], right[1]
    if operator == "%":
        if b == 0:
            return ("err", "division by zero")
        return ("ok", abs(a) % abs(b) * (-1 if a < 0 else 1))
    return checked({"+": a + b, "-": a - b, "*": a * b}[operator])


def show(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple) and value[0] == "ok":
        return f"Success({value[1]})"
    if isinstance(value, tuple) and value[0] == "err":
        return f"Error({value[1]})"
    return str(value)


def list_length(value):
    count = 0
    while value[0] == "Cons":
        count, value = count + 1, value[2]
    return count


class Generator:
    """Makes expressions. `scope` lists the known names with their types; a function type is ("fn", from, to)."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.output = []
        self.budget = 120

    def choose(self, *options):
        return self.random.choice(options)

    def expression(self, kind, depth, scope):
        """Returns source text and a function from the environment to its value."""
        self.budget -= 1
        if isinstance(kind, tuple):
            return self.function(kind, depth, scope)
        if depth <= 0 or self.budget < 0:
            return self.leaf(kind, scope)
        general = (self.leaf_any, self.condition, self.block, self.match_any, self.call_function, self.called_lambda,
                   self.said, self.generic, self.recursion)
        special = {"int": (self.elvis, self.elvis, self.field_a, self.fold, self.measured, self.library),
                   "string": (self.concatenation, self.interpolation, self.field_b, self.to_string, self.fold_text,
                              self.library, self.library),
                   "bool": (self.comparison, self.comparison, self.logic, self.negation, self.library),
                   "result": (self.arithmetic, self.arithmetic, self.wrapped, self.failed, self.library),
                   "P": (self.record, self.update), "L": (self.variant, self.variant)}[kind]
        return self.choose(*general, *special, *special)(kind, depth - 1, scope)

    # Leaves.

    def leaf_any(self, kind, _, scope):
        return self.leaf(kind, scope)

    def leaf(self, kind, scope):
        known = [name for name, of in scope.items() if of == kind]
        if known and self.random.random() < 0.6:
            name = self.choose(*known)
            return name, lambda env: env[name]
        if kind == "int":
            value = self.choose(0, 1, 2, 3, 7, -1, -5, 100, 2**63 - 1, -2**63)
            return f"({value})" if value < 0 else str(value), lambda env: value
        if kind == "bool":
            value = self.choose(True, False)
            return show(value), lambda env: value
        if kind == "string":
            value = self.choose("", "x", "y z", "äß", "${", "quote\"", "a\\b")
            text = value.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
            return f'"{text}"', lambda env: value
        if kind == "result":
            value = self.choose(0, 4)
            return f"Success({value})", lambda env: ("ok", value)
        if kind == "P":
            return 'P { a: 1, b: "p" }', lambda env: ("P", 1, "p")
        return "Nil", lambda env: ("Nil",)

    # Any type.

    def condition(self, kind, depth, scope):
        test, decide = self.expression("bool", depth, scope)
        first, then = self.expression(kind, depth, scope)
        second, otherwise = self.expression(kind, depth, scope)
        spelled = self.choose(f"(({test}) ? ({first}) : ({second}))", f"if {test} {{ {first} }} else {{ {second} }}")
        return spelled, lambda env: then(env) if decide(env) else otherwise(env)

    def block(self, kind, depth, scope):
        name, of = self.choose(*NAMES), self.choose(*ALL, ("fn", "int", kind))
        bound, give = self.expression(of, depth, scope)
        body, then = self.expression(kind, depth, {**scope, name: of})
        return f"{{ let {name} = {bound}\n {body} }}", lambda env: then({**env, name: give(env)})

    def match_any(self, kind, depth, scope):
        of = self.choose(*ALL)
        subject, give = self.expression(of, depth, scope)
        name = self.choose(*NAMES)
        other, otherwise = self.expression(kind, depth, scope)
        if of == "result":
            body, then = self.expression(kind, depth, {**scope, name: "int"})
            arms = self.choose(f"Success {name} => {body}\n Err _ => {other}",
                               f"Err(_) => {other}\n Success({name}) => {body}")
            return self.matched(subject, arms), lambda env: (
                lambda v: then({**env, name: v[1]}) if v[0] == "ok" else otherwise(env))(give(env))
        if of == "L":
            body, then = self.expression(kind, depth, {**scope, "head": "int", "tail": "L"})
            arms = f"Cons {{ head, tail }} => {body}\n Tag => {other}\n Nil => {other}"
            return self.matched(subject, arms), lambda env: (
                lambda v: then({**env, "head": v[1], "tail": v[2]}) if v[0] == "Cons" else otherwise(env))(give(env))
        if of == "P":
            body, then = self.expression(kind, depth, {**scope, "a": "int", "b": "string"})
            return self.matched(subject, f"P {{ b, a }} => {body}"), lambda env: (
                lambda v: then({**env, "a": v[1], "b": v[2]}))(give(env))
        literal, value = self.leaf(of, {})
        literal = literal.strip("()")
        expected = value({})
        body, then = self.expression(kind, depth, scope)
        rest, catch = self.expression(kind, depth, {**scope, name: of})
        return self.matched(subject, f"{literal} => {body}\n {name} => {rest}"), lambda env: (
            lambda v: then(env) if v == expected else catch({**env, name: v}))(give(env))

    @staticmethod
    def matched(subject, arms):
        return f"match {subject} {{ {arms} }}"

    def call_function(self, kind, depth, scope):
        known = [(name, of) for name, of in scope.items() if isinstance(of, tuple) and of[2] == kind]
        if not known:
            return self.leaf(kind, scope)
        name, (_, of, _) = self.choose(*known)
        argument, give = self.expression(of, depth, scope)
        spelled = self.choose(f"{name}({argument})", f"apply({name}, {argument})", f"({argument}) |> {name}")
        if "apply" in spelled or "|>" in spelled:
            return spelled, lambda env: self.ordered(env, name, give)
        return spelled, lambda env: self.ordered(env, name, give)

    @staticmethod
    def ordered(env, name, give):
        function = env[name]
        return function(give(env))

    def called_lambda(self, kind, depth, scope):
        of = self.choose(*ALL)
        source, make = self.function(("fn", of, kind), depth, scope)
        argument, give = self.expression(of, depth, scope)
        return f"({source})({argument})", lambda env: (lambda f: f(give(env)))(make(env))

    def function(self, kind, depth, scope):
        _, of, to = kind
        name = self.choose(*NAMES)
        body, give = self.expression(to, depth - 1, {**scope, name: of})
        spelled = f"fn({name}: {SPELLED[of]}) => {body}"
        return f"({spelled})", lambda env: lambda value: give({**env, name: value})

    def said(self, kind, depth, scope):
        if kind not in SCALARS:
            return self.leaf(kind, scope)
        source, give = self.expression(kind, depth, scope)

        def evaluate(env):
            value = give(env)
            self.output.append(f"say {show(value)}")
            return value
        return f"say({source})", evaluate

    def generic(self, kind, depth, scope):
        test, decide = self.expression("bool", depth, scope)
        first, one = self.expression(kind, depth, scope)
        second, two = self.expression(kind, depth, scope)

        def evaluate(env):
            chosen, left, right = decide(env), one(env), two(env)
            return left if chosen else right
        named = f"pick(b: {second}, c: {test}, a: {first})"
        return self.choose(f"pick({test}, {first}, {second})", named), evaluate

    def recursion(self, kind, depth, scope):
        """A nested function that calls itself in tail position, and what it captures."""
        if isinstance(kind, tuple):
            return self.leaf(kind, scope)
        step, give = self.expression(kind, depth, {**scope, "acc": kind, "n": "int"})
        start, begin = self.expression(kind, depth, scope)
        count = self.random.randint(0, 4)
        body = (f"{{ fn go(n: int, acc: {SPELLED[kind]}) -> {SPELLED[kind]} = if n <= 0 {{ acc }} else "
                f"{{ go((n - 1) ?: 0, {step}) }}\n go({count}, {start}) }}")

        def evaluate(env):
            acc = begin(env)
            for n in range(count, 0, -1):
                acc = give({**env, "acc": acc, "n": n})
            return acc
        return body, evaluate

    def library(self, kind, depth, scope):
        """A call of one of the language's own functions. The program's own `length` hides that of the language."""
        def result(value):
            return {"Success": ("ok", value[1]), "Error": ("err", value[1])}[value[0]]
        wanted = "Result<int, string>" if kind == "result" else kind
        source, give = library_call(self.random, wanted, lambda of: self.expression(of, depth, scope))
        return source, (lambda env: result(give(env))) if kind == "result" else give

    # int

    def elvis(self, _, depth, scope):
        source, give = self.expression("result", depth, scope)
        other, otherwise = self.expression("int", depth, scope)

        def evaluate(env):
            result = give(env)
            return result[1] if result[0] == "ok" else otherwise(env)
        if self.random.random() < 0.2:
            return f"orElse({source}, {other})", lambda env: (
                lambda r, d: r[1] if r[0] == "ok" else d)(give(env), otherwise(env))
        return f"(({source}) ?: ({other}))", evaluate

    def field_a(self, _, depth, scope):
        source, give = self.expression("P", depth, scope)
        return f"({source}).a", lambda env: give(env)[1]

    def measured(self, _, depth, scope):
        source, give = self.expression("L", depth, scope)
        return f"length({source}, 0)", lambda env: list_length(give(env))

    def fold(self, _, depth, scope):
        low, high = self.random.randint(0, 3), self.random.randint(0, 6)
        step, give = self.expression("int", depth, {**scope, "s": "int", "i": "int"})
        start, begin = self.expression("int", depth, scope)

        def evaluate(env):
            total = begin(env)
            for i in range(low, high):
                if i * 3 != 6:
                    total = give({**env, "s": total, "i": i * 3})
            return total
        return (f"(range({low}, {high}) |> map(|i| => (i * 3) ?: 0) |> filter(|i| => i != 6) "
                f"|> fold({start}, fn(s: int, i: int) => {step}))"), evaluate

    # string

    def concatenation(self, _, depth, scope):
        left, first = self.expression("string", depth, scope)
        right, second = self.expression("string", depth, scope)
        return f"(({left}) + ({right}))", lambda env: joined(first(env), second(env))

    def interpolation(self, _, depth, scope):
        of = self.choose(*SCALARS)
        source, give = self.expression(of, depth, scope)
        return f'"<${{{source}}}>"', lambda env: f"<{show(give(env))}>"

    def field_b(self, _, depth, scope):
        source, give = self.expression("P", depth, scope)
        return f"({source}).b", lambda env: give(env)[2]

    def to_string(self, _, depth, scope):
        of = self.choose(*SCALARS)
        source, give = self.expression(of, depth, scope)
        return f"toString({source})", lambda env: show(give(env))

    def fold_text(self, _, depth, scope):
        count = self.random.randint(0, 4)
        step, give = self.expression("string", depth, {**scope, "s": "string", "i": "int"})

        def evaluate(env):
            text = ""
            for i in range(count):
                text = give({**env, "s": text, "i": i})
            return text
        return f'(range(0, {count}) |> fold("", fn(s: string, i: int) => {step}))', evaluate

    # bool

    def comparison(self, _, depth, scope):
        of = self.choose("int", "string")
        left, first = self.expression(of, depth, scope)
        right, second = self.expression(of, depth, scope)
        operator = self.choose("==", "!=", "<", ">", "<=", ">=")

        def evaluate(env):
            a, b = first(env), second(env)
            if of == "string":
                a, b = to_bytes(a), to_bytes(b)
            return {"==": a == b, "!=": a != b, "<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[operator]
        return f"(({left}) {operator} ({right}))", evaluate

    def logic(self, _, depth, scope):
        left, first = self.expression("bool", depth, scope)
        right, second = self.expression("bool", depth, scope)
        if self.random.random() < 0.5:
            return f"({left} && {right})", lambda env: first(env) and second(env)
        return f"({left} || {right})", lambda env: first(env) or second(env)

    def negation(self, _, depth, scope):
        source, give = self.expression("bool", depth, scope)
        return f"!({source})", lambda env: not give(env)

    # result

    def arithmetic(self, _, depth, scope):
        of, other = self.choose("int", "result"), self.choose("int", "result")
        left, first = self.expression(of, depth, scope)
        right, second = self.expression(other, depth, scope)
        operator = self.choose("+", "-", "*", "%")

        def evaluate(env):
            a, b = first(env), second(env)
            return calculate(operator, a if of == "result" else ("ok", a), b if other == "result" else ("ok", b))
        return f"(({left}) {operator} ({right}))", evaluate

    def wrapped(self, _, depth, scope):
        source, give = self.expression("int", depth, scope)
        return self.choose(f"Success({source})", f"Success {{ value: {source} }}"), lambda env: ("ok", give(env))

    def failed(self, _, depth, scope):
        source, give = self.expression("string", depth, scope)
        return self.choose(f"Err({source})", f"Error {{ message: {source} }}"), lambda env: ("err", give(env))

    # P and L

    def record(self, _, depth, scope):
        a, first = self.expression("int", depth, scope)
        b, second = self.expression("string", depth, scope)
        return self.choose(f"P {{ b: {b}, a: {a} }}", f"P({a}, {b})"), lambda env: ("P", first(env), second(env))

    def update(self, _, depth, scope):
        source, give = self.expression("P", depth, scope)
        b, second = self.expression("string", depth, scope)
        return f"({source}) {{ b: {b} }}", lambda env: (lambda p: ("P", p[1], second(env)))(give(env))

    def variant(self, _, depth, scope):
        if self.random.random() < 0.3:
            text, give = self.expression("string", depth, scope)
            return f"Tag({text})", lambda env: ("Tag", give(env))
        head, first = self.expression("int", depth, scope)
        tail, second = self.expression("L", depth, scope)
        return f"Cons {{ tail: {tail}, head: {head} }}", lambda env: ("Cons", first(env), second(env))

    # The program.

    def program(self):
        """The source, and the lines it prints."""
        lines, env, scope = [TYPES + "fn main() = {"], {}, {}
        for number in range(self.random.randint(2, 5)):
            self.budget = 120
            name, of = f"_g{number}", self.choose(*ALL, ("fn", "int", "int"), ("fn", "string", "result"))
            source, give = self.expression(of, 4, scope)
            lines.append(f"let {name} = {source}")
            env[name], scope[name] = give(env), of
        for _ in range(self.random.randint(2, 6)):
            self.budget = 150
            source, give = self.expression(self.choose(*SCALARS), 5, scope)
            lines.append(f"print({source})")
            self.output.append(show(give(env)))
        return "\n".join(lines) + "\n0\n}\n", self.output


def run_once(ospreyc, path, level):
    environment = {**os.environ, "OSPREY_MEM_REPORT": "1"}
    done = subprocess.run([ospreyc, str(path), level, "--run"], capture_output=True, timeout=120, check=False,
                          env=environment)
    report = re.search(rb"osprey: (\d+) blocks live at exit", done.stderr)
    if done.returncode or (done.stderr and not report):
        raise Failure(f"exit status {done.returncode}\n{done.stderr.decode(errors='replace')}")
    if report and int(report[1]):
        raise Failure(report[0].decode())
    return done.stdout


def run_seed(ospreyc, path, seed):
    source, lines = Generator(seed).program()
    path.write_text(source)
    expected = to_bytes("\n".join(lines) + "\n")
    for level in ("-O0", "-O1", "-O2", "-O3"):
        printed = run_once(ospreyc, path, level)
        if printed != expected:
            raise Failure(f"printed at {level}\n{printed}\ninstead of\n{expected}")


def main(ospreyc, count=40, first=1):
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        path = pathlib.Path(name) / "random.osp"
        for seed in range(int(first), int(first) + int(count)):
            try:
                run_seed(ospreyc, path, seed)
            except Failure as failure:
                failed += 1
                print(f"seed {seed}: {failure}\n{path.read_text()}")
    print(f"{count} programs, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.setrecursionlimit(10000)
    sys.exit(main(*sys.argv[1:]))
