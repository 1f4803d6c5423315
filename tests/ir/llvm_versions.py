"""llvm_versions.py SOURCE BUILD VERSION: builds what uses LLVM with another version of it, and runs the tests.

The build directory is kept for the next run.
"""

import pathlib
import subprocess
import sys

source, build, version = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
TARGETS = """codegen/libosprey_ws_codegen.so.2 codegen/libosprey_ws_plugin.so tools/osprey-ws-lower tools/osprey-ws-cc
tools/libosprey_ws_cc.so
tools/ospreyc/ospreyc tools/bench/lowering tests/ir/libhost.a tests/ir/bindings tests/ir/refused
tests/ir/generated.stamp runtime/libosprey_ws.a runtime/libosprey_ws_compat.a runtime/libosprey_mem.a
tools/ospreyc/libosprey_rt.a tests/embed/codegen_library tests/embed/jit_host tests/embed/dlopen_host""".split()
TESTS = ["ir", "codegen library", "jit host", "dlopen host"]


def run(*command):
    print("+", *command, flush=True)
    status = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL).returncode
    if status:
        sys.exit(status)


if not (build / "build.ninja").exists():
    run("meson", "setup", build, source, f"-Dllvm={version}")
run("ninja", "-C", build, *TARGETS)
run("meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs", *TESTS)
