#!/usr/bin/python3
"""What osprey-ws-cc costs a program without WebSockets: the CPU time of a compilation beside clang's, in pairs.

    driver.py CLANG OSPREY_WS_CC [PAIRS]

The programs are a hello world and one of 500 functions, linked with an archive that stands for a host's. Prints the
median of the pairs' ratios, and the ratio of the least times.
"""
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

PUTS = "@text = private constant [6 x i8] c\"hello\\00\"\ndeclare i32 @puts(ptr)\n"
FUNCTION = """\
define i64 @f{0}(i64 %n) {{
  %small = icmp slt i64 %n, {0}
  br i1 %small, label %less, label %more
less:
  %sum = add i64 %n, {0}
  ret i64 %sum
more:
  %product = mul i64 %n, %n
  %shown = call i32 @puts(ptr @text)
  ret i64 %product
}}
"""
MAIN = "define i32 @main() {\n  %r = call i32 @puts(ptr @text)\n  ret i32 0\n}\n"
PROGRAMS = {"hello": PUTS + MAIN, "functions": PUTS + "".join(map(FUNCTION.format, range(500))) + MAIN}


def seconds(command, work):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=work, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main(clang, driver, pairs):
    with tempfile.TemporaryDirectory() as work:
        (pathlib.Path(work) / "host.c").write_text("int host(void);\nint host(void) { return 0; }\n")
        subprocess.run([clang, "-c", "host.c"], cwd=work, check=True)
        subprocess.run(["ar", "rc", "libhost.a", "host.o"], cwd=work, check=True)
        for name, text in PROGRAMS.items():
            (pathlib.Path(work) / f"{name}.ll").write_text(text)
            arguments = [f"{name}.ll", "-Wno-override-module", "-O2", "-o", name, "libhost.a"]
            times = [[seconds([command, *arguments], work) for command in (clang, driver)] for _ in range(pairs)]
            alone, driven = zip(*times)
            median = statistics.median(b / a for a, b in times)
            print(f"{name}: clang {min(alone) * 1000:.1f} ms, osprey-ws-cc {min(driven) * 1000:.1f} ms, "
                  f"ratio {median:.3f} (median of {pairs} pairs), {min(driven) / min(alone):.3f} (least)")


main(*(os.path.abspath(path) for path in sys.argv[1:3]), int(sys.argv[3]) if len(sys.argv) > 3 else 30)
