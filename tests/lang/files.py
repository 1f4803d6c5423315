#!/usr/bin/python3
"""Malformed files, extreme sizes and command lines: the messages and exit status of ospreyc.

Usage: files.py OSPREYC
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

OSPREYC = ""


class Files(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.TemporaryDirectory()
        self.addCleanup(self.home.cleanup)
        self.path = pathlib.Path(self.home.name)

    def run_ospreyc(self, *arguments, timeout=60):
        return subprocess.run([OSPREYC, *arguments], cwd=self.path, capture_output=True, timeout=timeout, check=False)

    def check(self, content, *options):
        (self.path / "p.osp").write_bytes(content if isinstance(content, bytes) else content.encode())
        return self.run_ospreyc("--check", *options, "p.osp")

    def assert_says(self, content, message, *options):
        done = self.check(content, *options)
        self.assertEqual(done.stderr.decode(), message)
        self.assertEqual(done.returncode, 1)

    def assert_mentions(self, content, message):
        done = self.check(content)
        self.assertIn(message, done.stderr.decode())
        self.assertEqual(done.returncode, 1)

    def assert_accepted(self, content):
        done = self.check(content)
        self.assertEqual(done.stderr.decode(), "")
        self.assertEqual(done.returncode, 0)

    def test_LEX_1_not_utf8(self):
        """LEX-1"""
        self.assert_says(b'let a = 1\nlet b = "x\xff"\n', "p.osp:2:11: error: the file is not valid UTF-8\n")
        for wrong in (b"\x80", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82",
                      b"\xf8\x88\x80\x80\x80"):
            self.assert_mentions(b'let a = "' + wrong + b'"\n', "p.osp:1:10: error: the file is not valid UTF-8")
        self.assert_accepted('let a = "\u00e9 \u20ac \U0001f600"\n')

    def test_LEX_1_binary(self):
        """LEX-1"""
        self.assert_says(b"let a\0 = 1",
                         "p.osp:1:6: error: the file contains a NUL byte: it is not an Osprey program\n")
        self.assert_mentions(pathlib.Path(OSPREYC).read_bytes(), "p.osp:1:")

    def test_LEX_1_empty(self):
        """LEX-1"""
        self.assert_says(b"", "p.osp: error: the file is empty\n")
        self.assert_mentions(b"// nothing\n", "error: the program is empty")

    def test_LEX_1_missing(self):
        """LEX-1"""
        done = self.run_ospreyc("--check", "missing.osp")
        self.assertEqual(done.stderr.decode(), "missing.osp: error: cannot read the file: No such file or directory\n")
        self.assertEqual(done.returncode, 1)
        done = self.run_ospreyc("--check", ".")
        self.assertEqual(done.stderr.decode(), ".: error: cannot read the file: Is a directory\n")
        self.assertEqual(done.returncode, 1)

    def test_LEX_1_too_large(self):
        """LEX-1"""
        with open(self.path / "p.osp", "wb") as file:
            file.truncate(64 * 1024 * 1024 + 1)
        done = self.run_ospreyc("--check", "p.osp")
        self.assertEqual(done.stderr.decode(), "p.osp: error: the file is larger than 64 MiB\n")

    def test_LEX_1_byte_order_mark_and_line_ends(self):
        """LEX-1"""
        self.assert_accepted(b"\xef\xbb\xbflet a = 1\r\nlet b = a\r\n")
        self.assert_mentions(b"let a = \xef\xbb\xbf1\n", "unexpected character")

    def test_LEX_6_nesting(self):
        """LEX-6"""
        deep = 'let a = ' + '"${' * 64 + "1" + '}"' * 64
        self.assert_accepted(deep)
        self.assert_mentions('let a = ' + '"${' * 65 + "1" + '}"' * 65, "strings are nested more than 64 deep")

    def test_PARSE_9_nesting(self):
        """PARSE-9"""
        for opening, closing in (("(", ")"), ("{", "}"), ("!", ""), ("-", ""), ("|x| => ", ""),
                                 ("if true { 1 } else ", ""),
                                 ("true ? 1 : ", ""), ("f(", ")"), ("fn() => ", ""), ("match 1 { _ => ", "}")):
            for count in (400, 100000):
                done = self.check("fn f(x) = 1\nlet a = " + opening * count + "1" + closing * count)
                self.assertIn(done.returncode, (0, 1), (opening, done.stderr[-300:]))
                if count == 100000:
                    self.assertIn("error: ", done.stderr.decode(), opening)
        nested = "nested more than 500 levels deep"
        for opening, closing, leaf in (("(", ")", "1"), ("{ ", " }", "1"), ("f(", ")", "1"), ("1 % 1 ?: ", "", "1"),
                                       ("!", "", "true"), ("fn() => ", "", "1"), ("match 1 { _ => ", " }", "1"),
                                       ("if true { ", " } else { 1 }", "1"), ("if true { 1 } else ", "", "{ 1 }"),
                                       ("if ", " { 1 } else { 2 }", "true"), ("match ", " { _ => 1 }", "1"),
                                       ("true ? 1 : ", "", "1"), ("R { x: ", " }", "1"), ("x { x: ", " }", "1")):
            for count in (500, 501):
                done = self.check("fn f(x) = 1\nlet a = " + opening * count + leaf + closing * count)
                self.assertEqual(nested in done.stderr.decode(), count > 500, (opening, count, done.stderr[:300]))
        for opening, closing in (("Result<", ", string>"), ("fn(int) -> ", ""), ("fn(", ") -> int")):
            for count in (500, 501):
                done = self.check("fn f(x: " + opening * count + "int" + closing * count + ") = 1")
                self.assertEqual(nested in done.stderr.decode(), count > 500, (opening, count, done.stderr[:300]))
        self.assert_mentions("let a = " + "(" * 100000, "the program is nested more than 500 levels deep here")
        self.assert_mentions("fn f(x: " + "fn(int) -> " * 100000 + "int) = 1", "nested more than 500 levels deep")
        self.assert_mentions("fn f(x: " + "Result<" * 100000, "nested more than 500 levels deep")

    def test_PARSE_9_height(self):
        """PARSE-9"""
        self.assert_accepted("let a = 1" + " + 1" * 900)
        self.assert_accepted('let a = "x"' + ' + "x"' * 900)
        for link in (" + 1", " |> toString", ".x", "(1)", " { x: 1 }", " == 1", " && true"):
            self.assert_mentions("let a = b" + link * 100000, "error: the expression is longer than 1000 operators")

    def test_large_programs_are_linear(self):
        functions = "".join(f"fn f{i}(x) = f{i + 1}(x)\n" for i in range(20000)) + "fn f20000(x) = x\n"
        self.assert_accepted(functions)
        self.assert_accepted("fn f() = {\n" + '  print("x")\n' * 50000 + "  0\n}\n")
        lets = "".join(f"  let a{i} = {i}\n  print(a{i})\n" for i in range(20000))
        self.assert_accepted("fn f() = {\n" + lets + "  0\n}\n")
        self.assert_accepted("".join(f'let a{i} = "text ${{{i}}}"\n' for i in range(20000)))
        arms = "".join(f"  {i} => {i}\n" for i in range(20000))
        self.assert_accepted("fn f(n) = match n {\n" + arms + "  _ => 0\n}\n")

    def test_TYPE_9_too_many_instances(self):
        """TYPE-9"""
        names = [f"T{i}" for i in range(101)]
        program = "".join(f"type {name} = {{ x: int }}\n" for name in names) + "fn pair(a, b) = 0\nfn main() = {\n"
        program += "".join(f"  pair({a} {{ x: 1 }}, {b} {{ x: 1 }})\n" for a in names for b in names) + "  0\n}\n"
        self.assert_mentions(program, "the generic functions have more than 10000 instances")

    def test_TYPE_15_references_beyond_what_a_block_marks(self):
        """TYPE-15: 55 words follow the tag of a record, or the code of a function"""
        def record(bools, strings):
            fields = [f"b{i}: bool" for i in range(bools)] + [f"s{i}: string" for i in range(strings)]
            return "type Wide = Small | Wide { " + ", ".join(fields) + " }\nlet a = 1\n"

        def closure(count):
            lets = "".join(f'  let v{i} = "${{{i}}}"\n' for i in range(count))
            uses = "".join(f"${{v{i}}}" for i in range(count))
            return f'fn f() = {{\n{lets}  fn() => "{uses}"\n}}\nlet a = f()()\n'

        for accepted in record(0, 55), record(8, 54), record(16, 53), closure(55):
            self.assert_accepted(accepted)
            self.assertEqual(self.run_ospreyc("--llvm", "p.osp").returncode, 0)
        self.assert_mentions(record(0, 56), "p.osp:1:21: error: 'Wide' has a reference beyond its 56th word: field 56")
        self.assert_mentions(record(9, 54), "error: 'Wide' has a reference beyond its 56th word: field 63")
        self.assert_mentions(closure(56), "p.osp:58:3: error: this function captures too much: 'v55' is a reference")

    def test_TYPE_14_growing_types(self):
        """TYPE-14"""
        steps = "".join(f"fn f{i + 1}(x) = f{i}(f{i}(x))\n" for i in range(24))
        doubling = "fn f0(x) = |y| => x\n" + steps + "let a = f24(1)\n"
        self.assert_mentions(doubling, "error: ")
        pairs = "fn p0(x) = |k| => k(x, x)\n" + "".join(f"fn p{i + 1}(x) = p{i}(|k| => k(x, x))\n" for i in range(40))
        self.assertIn(self.check(pairs + "let a = p40(1)\n").returncode, (0, 1))

    def test_DIAG_1_control_characters_and_long_lines(self):
        """DIAG-1"""
        self.assert_says(b'let a = "\x1b" + 1 + \x1b\n', "p.osp:1:19: error: unexpected control character U+001B\n"
                         '  let a = "?" + 1 + ?\n                    ^\n')
        self.assert_says('let a = "\x9b" + \x85\n'.encode(), "p.osp:1:15: error: unexpected control character U+0085\n"
                         '  let a = "?" + ?\n                ^\n')
        done = self.check('let a = "' + "x" * 100000 + '" + b + "' + "y" * 100000 + '"')
        self.assertLess(len(done.stderr), 500)
        self.assertIn("p.osp:1:100014: error: unknown name 'b'", done.stderr.decode())
        first, line, caret = done.stderr.decode().splitlines()[:3]
        self.assertEqual(line[caret.index("^")], "b", (first, line, caret))

    def test_DIAG_2_many_errors(self):
        """DIAG-2"""
        done = self.check("".join(f"let a{i} = missing{i}\n" for i in range(3000)))
        lines = done.stderr.decode().splitlines()
        self.assertEqual(sum("unknown name" in line for line in lines), 50)
        self.assertEqual(lines[-1], "p.osp: 2950 more errors")

    def test_DIAG_9_usage(self):
        """DIAG-9"""
        for arguments, message in (
                ((), "no file to compile"),
                (("a.osp", "b.osp"), "unexpected argument 'b.osp': only one file is compiled at a time"),
                (("--frobnicate", "a.osp"), "unknown option '--frobnicate'"),
                (("-O4", "a.osp"), "unknown optimisation level '-O4': use -O0, -O1, -O2 or -O3"),
                (("a.osp", "-o"), "-o needs a file name"),
                (("--check", "--run", "a.osp"), "--run, --check and --llvm exclude each other"),
                (("--check", "-o", "x", "a.osp"), "-o and --check exclude each other"),
                (("--no-lower", "a.osp"), "--no-lower needs --llvm")):
            done = self.run_ospreyc(*arguments)
            self.assertEqual(done.stderr.decode(), f"ospreyc: error: {message}\nTry 'ospreyc --help'.\n")
            self.assertEqual(done.returncode, 2)

    def test_DIAG_9_the_source_is_not_overwritten(self):
        """DIAG-9"""
        (self.path / "p.osp").write_text("let a = 1\n")
        done = self.run_ospreyc("p.osp", "-o", "./p.osp")
        self.assertEqual(done.stderr.decode(),
                         "ospreyc: error: -o would overwrite the source file 'p.osp'\nTry 'ospreyc --help'.\n")
        self.assertEqual(done.returncode, 2)
        self.assertEqual((self.path / "p.osp").read_text(), "let a = 1\n")

    def test_DIAG_9_help_and_version(self):
        """DIAG-9"""
        done = self.run_ospreyc("--help")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn("a.out if FILE does not end in .osp", done.stdout.decode())
        for option in ("-o OUT", "--run", "--check", "--llvm", "--no-lower", "-O0", "--sandbox", "--no-websocket"):
            self.assertIn(option, done.stdout.decode())
        self.assertRegex(self.run_ospreyc("--version").stdout.decode(), r"^ospreyc \d+\.\d+\.\d+\n$")

    def test_DIAG_9_a_file_name_with_a_leading_dash(self):
        """DIAG-9"""
        (self.path / "-p.osp").write_text("let a = 1\n")
        self.assertEqual(self.run_ospreyc("--check", "--", "-p.osp").returncode, 0)

    def test_DIAG_10_truncated_and_damaged_programs(self):
        """DIAG-10: a valid program without one of its bytes, or without all bytes from one on."""
        program = pathlib.Path(__file__).with_name("pieces.osp").read_bytes()
        self.assert_accepted(program)
        pieces = [program[:i] for i in range(0, len(program), 7)]
        pieces += [program[:i] + program[i + 1:] for i in range(0, len(program), 7)]
        for piece in pieces:
            done = self.check(piece)
            self.assertIn(done.returncode, (0, 1), piece)
            self.assertEqual(done.returncode == 1, b"error: " in done.stderr, piece)


if __name__ == "__main__":
    OSPREYC = os.path.abspath(sys.argv.pop(1))
    unittest.main()
