#!/usr/bin/python3
"""Random well-typed programs, compared with an interpreter.

    generated.py OSPREYC FIRST COUNT

Each seed gives one program. It must compile, print at every level what the interpreter predicts, and leave no live
block: RUN-MEM-7, RUN-CMD-1, RUN-ORDER-1, RUN-RESULT-3. A failing program is printed with its seed.

An expression is a pair: its text, and a Python function from an environment (a dict of variables) to its value. A
record is a tuple. A union value is a tuple that starts with the name of the variant. A Result is ("Success", value) or
("Error", message). A function is a callable.
"""
import random
import subprocess
import sys
import tempfile

from osprey_functions import call as library_call, joined, to_bytes
from osprey_process import EMULATOR, ENVIRONMENT, PROGRAMS, Failure, compile_program

sys.path.append(str(PROGRAMS.parent))
from sample import size   # noqa: E402

BIGGEST, SMALLEST = 2**63 - 1, -2**63
TYPES = ["int", "float", "string", "bool", "Pair", "Tree", "Act", "Result<int, string>", "Result<string, string>",
         "fn(string) -> string",
         "fn(int) -> int"]
DECLARATIONS = """\
type Pair = { number: int, text: string, tree: Tree, twist: fn(string) -> string }
type Act = Still | Act { run: fn(int) -> int, label: string }
type Tree = Leaf | Word { text: string } | Node { left: Tree, number: int, right: Tree }
"""


def show(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"{value[0]}({show(value[1])})"
    return str(value)


def checked(number):
    return ("Success", number) if SMALLEST <= number <= BIGGEST else ("Error", "integer overflow")


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.names = 0
        self.functions = []

    def fresh(self):
        self.names += 1
        return f"_v{self.names}"  # a name that may be unused: DIAG-11

    def expression(self, wanted, scope, depth):
        """An expression of a type; `scope` lists the variables as (name, type)."""
        variables = [name for name, type_ in scope if type_ == wanted]
        if depth <= 0 or self.random.random() < 0.1:
            if variables and self.random.random() < 0.8:
                return self.variable(self.random.choice(variables))
            return self.literal(wanted, scope)
        forms = [self.variable_form, self.block, self.choice, self.match_result, self.match_tree, self.match_act,
                 self.fallback, self.call, self.loop,
                 self.field, self.match_text, *self.own_forms(wanted)]
        return self.random.choice(forms)(wanted, scope, depth - 1)

    def library(self, wanted, scope, depth):
        """A call of one of the language's own functions."""
        return library_call(self.random, wanted, lambda type_: self.expression(type_, scope, depth))

    def own_forms(self, wanted):
        forms = self.forms_of(wanted)
        if wanted in ("int", "string", "bool", "Result<int, string>", "Result<string, string>"):
            forms += [self.library] * 2
        return forms

    def forms_of(self, wanted):
        return {"int": [self.apply_int] * 2, "float": [self.float_arithmetic] * 3, "Act": [self.act] * 2,
                "string": [self.joined, self.interpolated, self.apply_text] * 2,
                "bool": [self.compared, self.logic] * 2, "Pair": [self.pair, self.update] * 2,
                "Tree": [self.word, self.node] * 2,
                "Result<int, string>": [self.arithmetic, self.made] * 3, "Result<string, string>": [self.made] * 3,
                "fn(string) -> string": [self.lambda_] * 3, "fn(int) -> int": [self.lambda_] * 3}[wanted]

    @staticmethod
    def variable(name):
        return name, lambda env: env[name]

    def variable_form(self, wanted, scope, depth):
        variables = [name for name, type_ in scope if type_ == wanted]
        return self.variable(self.random.choice(variables)) if variables else self.literal(wanted, scope)

    def literal(self, wanted, scope):
        if wanted == "int":
            number = self.random.choice([0, 1, 2, 7, 1000, BIGGEST])
            return str(number), lambda env: number
        if wanted == "string":
            text = self.random.choice(["", "a", "bc", "é", " B ", "-7", "12"])
            return f'"{text}"', lambda env: text
        if wanted == "bool":
            truth = self.random.random() < 0.5
            return show(truth), lambda env: truth
        if wanted == "float":
            real = self.random.choice([0.0, 0.5, 1.25, 3.0, 1024.0])
            return str(real), lambda env: real
        if wanted == "Act":
            return "Still", lambda env: ("Still",)
        if wanted == "Tree":
            return "Leaf", lambda env: ("Leaf",)
        return self.random.choice(self.own_forms(wanted))(wanted, scope, 0)

    def block(self, wanted, scope, depth):
        type_, name = self.random.choice(TYPES), self.fresh()
        bound, evaluate_bound = self.expression(type_, scope, depth)
        body, evaluate_body = self.expression(wanted, [*scope, (name, type_)], depth)
        return (f"{{\n  let {name}: {type_} = {bound}\n  {body}\n}}",
                lambda env: evaluate_body({**env, name: evaluate_bound(env)}))

    def choice(self, wanted, scope, depth):
        condition, evaluate_condition = self.expression("bool", scope, depth)
        then, evaluate_then = self.expression(wanted, scope, depth)
        otherwise, evaluate_otherwise = self.expression(wanted, scope, depth)
        return (f"(if {condition} {{ {then} }} else {{ {otherwise} }})",
                lambda env: evaluate_then(env) if evaluate_condition(env) else evaluate_otherwise(env))

    def match_result(self, wanted, scope, depth):
        value = self.random.choice(["int", "string"])
        subject, evaluate_subject = self.expression(f"Result<{value}, string>", scope, depth)
        good, bad = self.fresh(), self.fresh()
        success, evaluate_success = self.expression(wanted, [*scope, (good, value)], depth)
        error, evaluate_error = self.expression(wanted, [*scope, (bad, "string")], depth)

        def evaluate(env):
            kind, content = evaluate_subject(env)
            return evaluate_success({**env, good: content}) if kind == "Success" else evaluate_error({**env,
                                                                                                      bad: content})
        # Bound to a typed variable first, because an Err alone does not determine the type of its Success.
        name = self.fresh()
        return (f"{{\n  let {name}: Result<{value}, string> = {subject}\n"
                f"  match {name} {{\n  Success {good} => {success}\n  Err {bad} => {error}\n}}\n}}", evaluate)

    def match_tree(self, wanted, scope, depth):
        subject, evaluate_subject = self.expression("Tree", scope, depth)
        text, left, number, right = (self.fresh() for _ in range(4))
        word, evaluate_word = self.expression(wanted, [*scope, (text, "string")], depth)
        inside = [*scope, (left, "Tree"), (number, "int"), (right, "Tree")]
        node, evaluate_node = self.expression(wanted, inside, depth)
        leaf, evaluate_leaf = self.expression(wanted, scope, depth)

        def evaluate(env):
            tree = evaluate_subject(env)
            if tree[0] == "Word":
                return evaluate_word({**env, text: tree[1]})
            if tree[0] == "Node":
                return evaluate_node({**env, left: tree[1], number: tree[2], right: tree[3]})
            return evaluate_leaf(env)
        return (f"match {subject} {{\n  Word({text}) => {word}\n  Node({left}, {number}, {right}) => {node}\n"
                f"  Leaf => {leaf}\n}}", evaluate)

    def match_act(self, wanted, scope, depth):
        subject, evaluate_subject = self.expression("Act", scope, depth)
        run, label, total = (self.fresh() for _ in range(3))
        argument, evaluate_argument = self.expression("int", [*scope, (label, "string")], depth)
        body, evaluate_body = self.expression(wanted, [*scope, (run, "fn(int) -> int"), (total, "int")], depth)
        still, evaluate_still = self.expression(wanted, scope, depth)

        def evaluate(env):
            act = evaluate_subject(env)
            if act[0] == "Still":
                return evaluate_still(env)
            value = act[1](evaluate_argument({**env, label: act[2]}))
            return evaluate_body({**env, run: act[1], total: value})
        return (f"match {subject} {{\n  Act({run}, {label}) => {{\n  let {total} = {run}({argument})\n  {body}\n}}\n"
                f"  Still => {still}\n}}", evaluate)

    def act(self, wanted, scope, depth):
        run, evaluate_run = self.expression("fn(int) -> int", scope, depth)
        label, evaluate_label = self.expression("string", scope, depth)
        return f"Act {{ run: {run}, label: {label} }}", lambda env: ("Act", evaluate_run(env), evaluate_label(env))

    def float_arithmetic(self, wanted, scope, depth):
        """Sums of a few binary fractions, which are exact and print the same in Python."""
        sign = self.random.choice("+-")
        left, evaluate_left = self.expression("float", scope, depth)
        right, evaluate_right = self.expression("float", scope, depth)
        return f"({left} {sign} {right})", lambda env: (
            lambda a, b: a + b if sign == "+" else a - b)(evaluate_left(env), evaluate_right(env))

    def match_text(self, wanted, scope, depth):
        subject, evaluate_subject = self.expression("string", scope, depth)
        first, evaluate_first = self.expression(wanted, scope, depth)
        name = self.fresh()
        rest, evaluate_rest = self.expression(wanted, [*scope, (name, "string")], depth)

        def evaluate(env):
            text = evaluate_subject(env)
            return evaluate_first(env) if text == "a" else evaluate_rest({**env, name: text})
        return f'match {subject} {{\n  "a" => {first}\n  {name} => {rest}\n}}', evaluate

    def fallback(self, wanted, scope, depth):
        if wanted not in ("int", "string"):
            return self.choice(wanted, scope, depth)
        result, evaluate_result = self.expression(f"Result<{wanted}, string>", scope, depth)
        other, evaluate_other = self.expression(wanted, scope, depth)

        def evaluate(env):
            kind, content = evaluate_result(env)
            return content if kind == "Success" else evaluate_other(env)
        return f"(({result}) ?: ({other}))", evaluate

    def call(self, wanted, scope, depth):
        candidates = [function for function in self.functions if function[2] == wanted]
        if not candidates:
            return self.block(wanted, scope, depth)
        name, parameters, _, run = self.random.choice(candidates)
        arguments = [self.expression(type_, scope, depth) for _, type_ in parameters]
        return (f"{name}({', '.join(text for text, _ in arguments)})",
                lambda env: run([evaluate(env) for _, evaluate in arguments]))

    def loop(self, wanted, scope, depth):
        start, evaluate_start = self.expression(wanted, scope, depth)
        total, i = self.fresh(), self.fresh()
        body, evaluate_body = self.expression(wanted, [*scope, (total, wanted), (i, "int")], min(depth, 1))

        def evaluate(env):
            value = evaluate_start(env)
            for index in range(3):
                value = evaluate_body({**env, total: value, i: index})
            return value
        return f"(range(0, 3) |> fold({start}, fn({total}: {wanted}, {i}: int) -> {wanted} => {body}))", evaluate

    def field(self, wanted, scope, depth):
        place = {"int": ("number", 0), "string": ("text", 1), "Tree": ("tree", 2),
                 "fn(string) -> string": ("twist", 3)}.get(wanted)
        if not place:
            return self.block(wanted, scope, depth)
        record, evaluate_record = self.expression("Pair", scope, 0)
        return f"({record}).{place[0]}", lambda env: evaluate_record(env)[place[1]]

    def apply(self, wanted, scope, depth):
        function, evaluate_function = self.expression(f"fn({wanted}) -> {wanted}", scope, depth)
        argument, evaluate_argument = self.expression(wanted, scope, depth)
        name = self.fresh()
        return (f"{{\n  let {name} = {function}\n  {name}({argument})\n}}",
                lambda env: evaluate_function(env)(evaluate_argument(env)))

    apply_int = apply_text = apply

    def joined(self, wanted, scope, depth):
        left, evaluate_left = self.expression("string", scope, depth)
        right, evaluate_right = self.expression("string", scope, depth)
        return f"({left} + {right})", lambda env: joined(evaluate_left(env), evaluate_right(env))

    def interpolated(self, wanted, scope, depth):
        type_ = self.random.choice(["int", "float", "bool", "string", "Result<int, string>", "Result<string, string>"])
        value, evaluate = self.expression(type_, scope, depth)
        return f'"<${{{value}}}>"', lambda env: f"<{show(evaluate(env))}>"

    def compared(self, wanted, scope, depth):
        type_, sign = self.random.choice(["int", "float", "string"]), self.random.choice(["==", "!=", "<", ">="])
        left, evaluate_left = self.expression(type_, scope, depth)
        right, evaluate_right = self.expression(type_, scope, depth)

        def evaluate(env):
            a, b = (to_bytes(value) if type_ == "string" else value
                    for value in (evaluate_left(env), evaluate_right(env)))
            return {"==": a == b, "!=": a != b, "<": a < b, ">=": a >= b}[sign]
        return f"({left} {sign} {right})", evaluate

    def logic(self, wanted, scope, depth):
        sign = self.random.choice(["&&", "||"])
        left, evaluate_left = self.expression("bool", scope, depth)
        right, evaluate_right = self.expression("bool", scope, depth)
        if sign == "&&":
            return f"({left} && !{right})", lambda env: evaluate_left(env) and not evaluate_right(env)
        return f"({left} || {right})", lambda env: evaluate_left(env) or evaluate_right(env)

    def pair(self, wanted, scope, depth):
        fields = [self.expression(type_, scope, depth) for type_ in ("int", "string", "Tree",
                                                                              "fn(string) -> string")]
        number, text, tree, twist = (field[0] for field in fields)
        return (f"Pair {{ number: {number}, text: {text}, tree: {tree}, twist: {twist} }}",
                lambda env: tuple(evaluate(env) for _, evaluate in fields))

    def update(self, wanted, scope, depth):
        variables = [name for name, type_ in scope if type_ == "Pair"]
        if not variables:
            return self.pair(wanted, scope, depth)
        name = self.random.choice(variables)
        text, evaluate = self.expression("string", scope, depth)
        return f"{name} {{ text: {text} }}", lambda env: (env[name][0], evaluate(env), *env[name][2:])

    def word(self, wanted, scope, depth):
        text, evaluate = self.expression("string", scope, depth)
        return f"Word {{ text: {text} }}", lambda env: ("Word", evaluate(env))

    def node(self, wanted, scope, depth):
        fields = [self.expression(type_, scope, depth) for type_ in ("Tree", "int", "Tree")]
        left, number, right = (field[0] for field in fields)
        return (f"Node {{ left: {left}, number: {number}, right: {right} }}",
                lambda env: ("Node", *(evaluate(env) for _, evaluate in fields)))

    def arithmetic(self, wanted, scope, depth):
        sign = self.random.choice("+-*%")
        left, evaluate_left = self.expression("int", scope, depth)
        right, evaluate_right = self.expression("int", scope, depth)

        def evaluate(env):
            a, b = evaluate_left(env), evaluate_right(env)
            if sign == "%":
                return ("Success", abs(a) % abs(b) * (-1 if a < 0 else 1)) if b else ("Error", "division by zero")
            return checked({"+": a + b, "-": a - b, "*": a * b}[sign])
        return f"({left} {sign} {right})", evaluate

    def made(self, wanted, scope, depth):
        value = wanted[len("Result<"):wanted.index(",")]
        if self.random.random() < 0.6:
            text, evaluate = self.expression(value, scope, depth)
            return f"Success({text})", lambda env: ("Success", evaluate(env))
        text, evaluate = self.expression("string", scope, depth)
        return f"Err({text})", lambda env: ("Error", evaluate(env))

    def lambda_(self, wanted, scope, depth):
        type_, name = wanted[3:wanted.index(")")], self.fresh()
        body, evaluate = self.expression(type_, [*scope, (name, type_)], depth)
        return f"fn({name}: {type_}) -> {type_} => {body}", lambda env: lambda value: evaluate({**env, name: value})

    def function(self, index):
        parameters = [(self.fresh(), self.random.choice(TYPES)) for _ in range(self.random.randint(0, 3))]
        result, name = self.random.choice(TYPES), f"f{index}"
        body, evaluate = self.expression(result, parameters, 3)
        listed = ", ".join(f"{parameter}: {type_}" for parameter, type_ in parameters)
        self.functions.append((name, parameters, result,
                               lambda arguments: evaluate({parameter: value for (parameter, _),
                                                           value in zip(parameters, arguments)})))
        return f"fn {name}({listed}) -> {result} = {body}\n"

    def program(self):
        """Returns the text of a program and its expected output lines."""
        text = DECLARATIONS + "".join(self.function(index) for index in range(6))
        text, printed = text + "fn main() -> int = {\n", []
        for _ in range(6):
            type_ = self.random.choice(["int", "float", "string", "bool", "Result<string, string>"])
            line, evaluate = self.expression(type_, [], 4)
            text += f"print({line})\n"
            printed.append(show(evaluate({})))
        return text + "0\n}\n", printed


def check(ospreyc, seed):
    text, printed = Generator(seed).program()
    expected = "".join(line + "\n" for line in printed)
    with tempfile.TemporaryDirectory() as scratch:
        source = f"{scratch}/seed{seed}.osp"
        with open(source, "w") as file:
            file.write(text)
        for level in range(4):
            program = compile_program(ospreyc, source, scratch, level, may_warn=True)  # it shows Results in strings
            done = subprocess.run([*EMULATOR, program], capture_output=True, timeout=60, env=ENVIRONMENT)
            observed = (done.stdout, done.stderr, done.returncode)
            if observed != (to_bytes(expected), b"osprey: 0 blocks live at exit\n", 0):
                raise Failure(f"seed {seed} at -O{level}:\n{text}\nexpected:\n{to_bytes(expected)}\n"
                              f"observed:\n{observed}")


def main():
    ospreyc, first, count = sys.argv[1], int(sys.argv[2]), size(sys.argv[3])
    for seed in range(first, first + count):
        check(ospreyc, seed)
    print(f"{count} programs from seed {first} on did what they should")


main()
