#!/usr/bin/python3
"""The commands of the compiler: running, cleaning up, linking, debug information.

    commands.py OSPREYC SANITIZERS PLATFORM
"""
import itertools
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile

from osprey_process import TIME_LIMIT, Failure, compile_program, expect, free_port, started

ARGUMENTS = """\
extern fn osp_rt_argument(n: int) -> string
extern fn exit(status: int) -> Unit
print("[${osp_rt_argument(1)}] [${osp_rt_argument(2)}] ${input()}")
exit(7)
"""
WAITING = """\
print("waiting")
sleep(3600000)
"""
STACK = """\
extern fn strlen(text: string) -> int
extern fn osp_rt_argument(n: int) -> string
fn deeper(text: string, scale: float, point: Point) -> int = {
  let length = strlen(text)
  let read = parseInt(text)
  print(length)
  print("${read} ${scale} ${point.x}")
  length
}
type Point = { x: int, flag: bool, name: string }
fn main() -> Int = {
  let text = osp_rt_argument(1)
  (deeper(text, 1.5, Point { x: 7, flag: true, name: "p" }) + 1) ?: 0
}
"""
FAULTY = """\
extern fn osp_rt_argument(n: int) -> string
extern fn osp_release(text: string) -> Unit
let text = osp_rt_argument(1)
osp_release(text)
print(text)
"""
# How a program crashes, by its argument. `deeper` calls a C function at each level, as most programs do.
CRASHING = """\
extern fn osp_rt_argument(n: int) -> string
extern fn getenv(name: string) -> string
extern fn labs(n: int) -> WebSocketConnection
extern fn memfd_create(name: string, flags: int) -> int
extern fn mmap(at: int, size: int, access: int, flags: int, fd: int, offset: int) -> WebSocketConnection
extern fn strlen(text: int) -> int
fn deeper(n: int) -> string = n == 0 ? "" : "x${deeper((n - 1) ?: 0)}"
fn unset() -> string =
  getenv("NOT_SET_BY_ANYONE")
fn field(of: WebSocketConnection) -> string = of.url
fn crash(how: string) -> Unit = match how {
  "deep" => print(deeper(1000000000))
  "null" => print(unset())
  "wild" => print(field(labs(8)))
  "past" => print(field(mmap(0, 4096, 1, 1, memfd_create("empty", 0), 0)))
  "in C" => print(strlen(8))
  _ => print(how)
}
fn hear(message: String) -> Result<Success, String> = Success()
fn crashing(from: WebSocketConnection, message: WebSocketMessage) -> Result<Success, String> = {
  crash(message.data)
  Success()
}
fn talk(server: int, port: int) -> Result<Success, String> = {
  let _ = websocketServerOnMessage(serverID: server, messageHandler: crashing)
  let _ = websocketServerListen(serverID: server)
  match websocketConnect(url: "ws://127.0.0.1:${port}/", messageHandler: hear) {
    Success id => match websocketSend(wsID: id, message: osp_rt_argument(1)) {
      Success _ => websocketKeepAlive()
      Err message => Err(message)
    }
    Err message => Err(message)
  }
}
fn main() -> Int = {
  let port = parseInt(osp_rt_argument(2)) ?: 0
  match port {
    0 => crash(osp_rt_argument(1))
    _ => match websocketCreateServer(port: port, address: "127.0.0.1", path: "/") {
      Success server => print("${talk(server, port)}")
      Err message => print(message)
    }
  }
  0
}
"""


class Bench:
    def __init__(self, ospreyc, scratch, platform):
        self.ospreyc, self.scratch, self.platform = ospreyc, pathlib.Path(scratch), platform

    def source(self, name, text):
        path = self.scratch / name
        path.write_text(text)
        return path

    def run(self, *arguments, **options):
        return subprocess.run([self.ospreyc, *map(str, arguments)], capture_output=True, text=True, timeout=TIME_LIMIT,
                              **options)


def run_replaces_the_compiler(bench):
    """RUN-CMD-2: arguments, input, exit status, signals; RUN-CMD-3: no file is left."""
    source = bench.source("arguments.osp", ARGUMENTS)
    temporary = bench.scratch / "temporary"
    temporary.mkdir()
    environment = dict(os.environ, TMPDIR=str(temporary))
    done = bench.run(source, "--run", "one", "two words", input="typed\n", env=environment)
    expect("output", "[one] [two words] typed\n", done.stdout)
    expect("exit status", 7, done.returncode)
    expect("left behind", [], list(temporary.iterdir()))
    source = bench.source("waiting.osp", WAITING)
    with started(bench.ospreyc, source, "--run", TMPDIR=str(temporary)) as process:
        process.wait_for("waiting")
        expect("left behind while it runs", [], list(temporary.iterdir()))
        process.signal(signal.SIGTERM)
        expect("death by the signal", -signal.SIGTERM, process.child.wait(TIME_LIMIT))


def all_levels_behave_the_same(bench):
    """RUN-CMD-1"""
    source = pathlib.Path(__file__).parent / "language" / "closures.osp"
    outputs = {bench.run(source, f"-O{level}", "--run").stdout for level in range(4)}
    expect("outputs", {source.with_suffix(".expected").read_text()}, outputs)


def a_link_that_fails_is_reported(bench):
    """RUN-CMD-4, RUN-CMD-3, RUN-EXTERN-3"""
    source = bench.source("missing.osp",
                          "extern fn nobody_defines_this(n: int) -> int\nprint(nobody_defines_this(1))\n")
    temporary = bench.scratch / "failing"
    temporary.mkdir()
    output = bench.scratch / "missing"
    done = bench.run(source, "-o", output, env=dict(os.environ, TMPDIR=str(temporary)))
    expect("exit status", 3, done.returncode)
    expect("the message", f"{source}:1:11: error: no linked library has the extern function 'nobody_defines_this'\n"
           "  extern fn nobody_defines_this(n: int) -> int\n            ^~~~~~~~~~~~~~~~~~~\n"
           "  hint: name its library or object in OSPREYC_LDFLAGS: OSPREYC_LDFLAGS=-lNAME ospreyc …\n", done.stderr)
    expect("output", False, output.exists())
    expect("left behind", [], list(temporary.iterdir()))
    done = bench.run(source, "-o", output,
                     env=dict(os.environ, OSPREYC_LDFLAGS="-Wl,--defsym=nobody_defines_this=main"))
    expect("exit status with a definition", (0, ""), (done.returncode, done.stderr))
    done = bench.run(source, "-o", output, env=dict(os.environ, OSPREYC_CC="no-such-driver"))
    expect("exit status without a driver", 3, done.returncode)
    if "no-such-driver" not in done.stderr:
        raise Failure(f"the driver is not named:\n{done.stderr}")


def the_source_names_the_executable(bench):
    """RUN-CMD-6"""
    for name, output in (("named.osp", "named"), ("noext", "a.out")):
        done = bench.run(bench.source(name, "print(1)\n"), cwd=bench.scratch)
        expect("the compiler's end", (0, ""), (done.returncode, done.stderr))
        expect("what the program prints", "1\n", subprocess.check_output([bench.scratch / output], text=True))


def only_json_needs_jansson(bench):
    """RUN-FN-7"""
    needs = {}
    for name, text in (("plain", 'print("x".trim())\n'), ("json", 'print(jsonParse("1"))\n')):
        program = compile_program(bench.ospreyc, bench.source(f"{name}.osp", text), bench.scratch)
        listed = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True).stdout
        needs[name] = "libjansson" in listed
    expect("needs libjansson", {"plain": False, "json": True}, needs)


def a_signal_leaves_nothing_behind(bench):
    """RUN-CMD-3: the signals that end a compiler while it links."""
    source = bench.source("linking.osp", "print(1)\n")
    driver = bench.source("driver.sh", "#!/bin/sh\necho linking\nexec sleep 600\n")
    driver.chmod(0o755)
    temporary = bench.scratch / "signals"
    temporary.mkdir()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue   # this test runs under nohup: what was ignored stays so
        output = bench.scratch / "never"
        with started(bench.ospreyc, source, "-o", output, TMPDIR=str(temporary), OSPREYC_CC=str(driver)) as process:
            process.wait_for("linking")
            expect("while it links", 1, len(list(temporary.iterdir())))
            process.signal(number)
            expect("death by the signal", -number, process.child.wait(TIME_LIMIT))
            expect("left behind", [], list(temporary.iterdir()))


def a_crash_is_explained(bench):
    """RUN-CRASH-1 RUN-CRASH-2 RUN-CRASH-3 PLAT-5 RUN-EXTERN-2: on the main thread, in a handler if a port is given"""
    source = bench.source("crashing.osp", CRASHING)
    inlined = f"{source}:[0-9]+: invalid memory access in '[a-z]+'\n"
    overflow = f"{source}:7: stack overflow in THREAD thread: 'deeper' calls itself too deeply\n"
    crashes = [("deep", signal.SIGSEGV, overflow),
               ("null", signal.SIGSEGV, f"{source}:9:3: extern fn 'getenv' returned NULL instead of a string\n"),
               ("wild", signal.SIGSEGV, f"{source}:10: invalid memory access in 'field'\n"),
               ("past", signal.SIGBUS, f"{source}:10: invalid memory access in 'field'\n"),
               ("in C", signal.SIGSEGV, "osprey: invalid memory access in a C function\n")]
    for level in (0, 2):
        program = compile_program(bench.ospreyc, source, bench.scratch, level)
        for (how, number, line), port in itertools.product(crashes, (None, free_port())):
            done = subprocess.run([program, how, *([str(port)] if port else [])], capture_output=True, text=True,
                                  timeout=TIME_LIMIT, env=dict(os.environ, OSPREY_WS_LOG="off"))
            expect(f"the end of {how} at -O{level}", -number, done.returncode)
            pattern = inlined if level and "'field'" in line else re.escape(line)
            pattern = pattern.replace("THREAD", "another" if port else "the main")
            if bench.platform == "posix" and how != "null":
                pattern = ""
            if not re.fullmatch(pattern, done.stderr):
                raise Failure(f"{how} at -O{level}, expected {pattern!r}, observed {done.stderr!r}")


def a_signal_is_not_explained(bench):
    """RUN-CRASH-3: SIGSEGV from another process"""
    program = compile_program(bench.ospreyc, bench.source("waiting.osp", WAITING), bench.scratch)
    with started(program) as process:
        process.wait_for("waiting")
        process.signal(signal.SIGSEGV)
        expect("death by the signal", -signal.SIGSEGV, process.child.wait(TIME_LIMIT))
        expect("standard error", "", process.errors())


def debugged(program, *commands):
    """What gdb prints of a program, without a warning about its debug information."""
    done = subprocess.run(["gdb", "-nx", "-batch", *(word for command in commands for word in ("-ex", command)),
                           program],
                          capture_output=True, text=True, timeout=TIME_LIMIT)
    if re.search("warning: .*debug", done.stderr):
        raise Failure(f"gdb complains:\n{done.stderr}")
    return done.stdout


def a_debugger_knows_the_source(bench):
    """RUN-DEBUG-1, RUN-DEBUG-3"""
    source = bench.source("stack.osp", STACK)
    program = bench.scratch / "stack"
    described = "DILocalVariable(name: \"length\""
    for options, variables in (["--llvm"], False), (["--llvm", "-g"], True):
        expect(f"variables with {options}", variables, described in bench.run(source, *options).stdout)
    where = ["break main", "break stack.osp:6", "run hello", "backtrace", "continue", "backtrace"]
    values = ["info args", "info locals", "print *point", "print *read", "continue"]
    shown = {"-O2": ["Breakpoint 1, main .*stack.osp:11", "deeper .*stack.osp:6", "main .*stack.osp:13"],
             "-g": ["Breakpoint 1, main .*stack.osp:11", "deeper .*stack.osp:6", "main .*stack.osp:13",
                    r'text = 0x\w+ "hello"', "scale = 1.5", "length = 5",
                    r'x = 7, flag = true, name = 0x\w+ (<\w+> )?"p"',
                    r'failed = true, message = 0x\w+ (<\w+> )?"parseInt: invalid integer"']}
    for option, parts in shown.items():
        expect(f"exit status of {option}", 0, bench.run(source, option, "-o", program).returncode)
        output = debugged(program, *where, *values)
        for part in parts:
            if not re.search(part, output):
                raise Failure(f"with {option}, gdb does not show {part}:\n{output}")


def a_sanitizer_names_the_line(bench):
    """RUN-DEBUG-2: a string used after its release"""
    source = bench.source("faulty.osp", FAULTY)
    program = compile_program(bench.ospreyc, source, bench.scratch, level=0)
    done = subprocess.run([program, "hello"], capture_output=True, text=True, timeout=TIME_LIMIT)
    if not all(part in done.stderr for part in ("heap-use-after-free", "faulty.osp:5", "faulty.osp:4")):
        raise Failure(f"the report does not name the line:\n{done.stderr}")


def a_sanitizer_reports_a_crash(bench):
    """RUN-CRASH-3: the handler of a sanitizer stays"""
    source = bench.source("crashing.osp", CRASHING)
    program = compile_program(bench.ospreyc, source, bench.scratch, level=0)
    done = subprocess.run([program, "deep"], capture_output=True, text=True, timeout=TIME_LIMIT)
    if "AddressSanitizer: stack-overflow" not in done.stderr or "crashing.osp:7" not in done.stderr:
        raise Failure(f"the report does not name the line:\n{done.stderr}")


def compile_seconds(bench, level, text):
    """The processor time of a compilation, without the link."""
    source = bench.source("long.osp", text)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = bench.run(source, level, "-o", bench.scratch / "long", env=dict(os.environ, OSPREYC_CC="true"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    expect("exit status", (0, ""), (done.returncode, done.stderr))
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def prints(count):
    lines = "".join(f'  print("a{i} ${{n}} ${{n}}")\n' for i in range(count))
    return f"fn long(n: int) -> Unit = {{\n{lines}}}\nlong(1)\n"


def one_string(count):
    return 'fn long(n: int) -> Unit = print("' + "".join(f"a{i} ${{n}}" for i in range(count)) + '")\nlong(1)\n'


def circle(count):
    return "".join(f"fn f{i}(n: int) -> int = if n == 0 {{ {i} }} else {{ f{(i + 1) % count}((n - 1) ?: 0) }}\n"
                   for i in range(count)) + "print(f0(1000000))\n"


def circle_of_lambdas(count):
    return "".join(f"fn f{i}(n) = if n == 0 {{ {i} }} else {{ (|m| => f{(i + 1) % count}(m))((n - 1) ?: 0) }}\n"
                   for i in range(count)) + "print(f0(1000000))\n"


def sums(count):
    return "fn long(a: int) = {\n" + "  print(a + a * a)\n" * count + "}\nlong(1)\n"


def compiling_is_linear(bench):
    """RUN-CMD-5: four times the length takes at most ten times as long."""
    for program, count, level in [(prints, 4000, "-O2"), (one_string, 4000, "-O2"), (circle, 2400, "-O2"),
                                  (circle_of_lambdas, 1200, "-O2"), (sums, 400, "-O0")]:
        short, long = (compile_seconds(bench, level, program(length)) for length in (count // 4, count))
        if long > 10 * short:
            raise Failure(f"{program.__name__} of {count // 4} took {short:.2f} s, of {count} {long:.2f} s")


TESTS = [run_replaces_the_compiler, all_levels_behave_the_same, a_link_that_fails_is_reported,
         only_json_needs_jansson, the_source_names_the_executable, a_signal_leaves_nothing_behind,
         a_debugger_knows_the_source]
# Without sanitizers, which explain a crash in their way and take their time.
PLAIN = [a_crash_is_explained, a_signal_is_not_explained, compiling_is_linear]


def main():
    ospreyc, sanitizers, platform = pathlib.Path(sys.argv[1]).resolve(), *sys.argv[2:4]
    tests = TESTS + (PLAIN if sanitizers == "none" else [])
    tests += [a_sanitizer_names_the_line, a_sanitizer_reports_a_crash] if "address" in sanitizers else []
    for test in tests:
        with tempfile.TemporaryDirectory() as scratch:
            test(Bench(ospreyc, scratch, platform))
        print(f"{test.__name__}: as expected")


main()
