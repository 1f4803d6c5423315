"""archive.py OSPREYC LLVM_BIN BUILD SOURCE SANITIZE: a host that does not lower. Its IR, in which builtins are declared
and handlers are closure cells, is compiled by clang and linked with libosprey_ws_builtins.a.

BODIES-1 BODIES-2 BODIES-3 BODIES-4 BODIES-5: the archive, and every builtin in the conversations of tests/programs.
BODIES-6 ABI-23: the link line and the examples of spec/adopting.md.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

ospreyc, llvm_bin, build, source = (pathlib.Path(argument) for argument in sys.argv[1:5])
sanitize = [] if sys.argv[5] == "none" else ["-fsanitize=" + sys.argv[5]]
sys.path.insert(0, str(source / "spec"))
from ws_tables import Tables  # noqa: E402

ARCHIVE = build / "tools/libosprey_ws_builtins.a"
# websocketServerCluster calls an archive of its own, if this build has it.
CLUSTER = [path for path in [build / "runtime/libosprey_ws_cluster.a"] if path.exists()]
LIBRARIES = [*(build / "tools/ospreyc" / name for name in ("libosprey_json.a", "libosprey_rt.a")), ARCHIVE, *CLUSTER,
             *(build / "runtime" / name for name in ("libosprey_ws.a", "libosprey_mem.a")),
             "-lssl", "-lcrypto", "-lz", "-ljansson", "-lpthread", "-lm", *(["-lnats"] if CLUSTER else [])]
RUNTIME = build / "runtime/libosprey_ws.a"
MEMORY = build / "runtime/libosprey_mem.a"
ADOPTING = source / "spec/adopting.md"
CONVERSATIONS = source / "tests/programs/conversations.py"
# These only compile, or need a fixed port.
NOT_HERE = {"specification", "specification_compiles"}
# In the place of ospreyc: FILE -O2 -o OUTPUT. The level is the host's own.
HOST = """\
#!/bin/sh -e
{ospreyc} --llvm --no-lower "$1" -o "$4.ll"
{clang} {level} -Wno-override-module -Wl,-z,text "$4.ll" -o "$4" {libraries}
cp "$4.ll" {kept}
"""
# A program's own definition of a builtin wins, and what another module defines after lowering is no second definition.
OWN = "define ptr @websocketSend(i64 %n, ptr %s) {\n  ret ptr null\n}\n"
USES = ("declare ptr @websocketClose(i64)\ndeclare ptr @websocketSend(i64, ptr)\ndefine i32 @main() {\n"
        "  %r = call ptr @websocketClose(i64 1)\n  %s = call ptr @websocketSend(i64 1, ptr null)\n"
        "  %own = icmp ne ptr %s, null\n  %status = zext i1 %own to i32\n  ret i32 %status\n}\n")
# A host's memory hooks, for an archive in which each is a member of its own.
HOOKS = {
    "osp_alloc": "void *osp_alloc(long size) { return malloc(size); }",
    "osp_alloc_tagged": "void *osp_alloc_tagged(long size, long meta) { return meta, calloc(1, size); }",
    "osp_alloc_tagged_noinit": "void *osp_alloc_tagged_noinit(long size, long meta) { return meta, malloc(size); }",
    "osp_retain": "void osp_retain(void *block) {}",
    "osp_release": "void osp_release(void *block) {}",
    "osp_mem_notify_multithreaded": "void osp_mem_notify_multithreaded(void) {}",
}
# Programs that use no hook themselves. The first ends with 0 if a send to an ID that nobody has returns a block.
WITHOUT_HOOKS = {
    "body": "declare ptr @websocketSend(i64, ptr)\n@text = constant [2 x i8] c\"x\\00\"\ndefine i32 @main() {\n"
            "  %r = call ptr @websocketSend(i64 1, ptr @text)\n  %none = icmp eq ptr %r, null\n"
            "  %status = zext i1 %none to i32\n  ret i32 %status\n}\n",
    "nothing": "define i32 @main() {\n  ret i32 0\n}\n",
}
# What surrounds the cell with captures. It ends when the handler has run.
GREET = """\
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
void *osp_alloc(long);
void osp_release(void *);
void *greetLater(const char *, long);
static sem_t greeted;
static const struct { long value; char discriminant; void *message; } success;
const void *greet(const char *name, long times, long timer) {
  printf("%s %ld %d\\n", name, times, timer > 0);
  sem_post(&greeted);
  return &success;
}
int main(void) {
  sem_init(&greeted, 0, 0);
  char *name = strcpy(osp_alloc(4), "Ada");
  osp_release(greetLater(name, 7));
  osp_release(name);
  return sem_wait(&greeted);
}
"""
CHECKED = """\
declare ptr @websocketConnect(ptr, ptr)
@url = constant [1 x i8] zeroinitializer
@success = private constant { i64, i8, ptr } zeroinitializer
@cell = private constant { ptr } { ptr @hear.code }
define internal ptr @hear(ptr %message) {
  ret ptr @success
}
define internal ptr @hear.code(ptr %cell, ptr %message) {
  %result = call ptr @hear(ptr %message)
  ret ptr %result
}
define i32 @main() {
  %id = call ptr @websocketConnect(ptr @url, ptr HANDLER)
  ret i32 0
}
"""
SLEEP = "extern void host_sleep(long), *websocketClose(long);\nint main(void) { host_sleep(1); return !CLOSED; }\n"
LOWERED = "declare ptr @websocketClose(i64)\n@close = constant ptr @websocketClose\n"


def run(*command):
    ran = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
    return ran.stdout


def symbols_of(builtin):
    """BODIES-1, BODIES-2, BODIES-3: the names in the member of a builtin, and how they are bound."""
    symbols = {builtin.name: "W", f"{builtin.name}.unboxed": "W", "osp_alloc_tagged": "U", builtin.symbol: "U"}
    if builtin.result == "SUCCESS":
        symbols["osp_ws.success"] = "V"
    return symbols


def check_archive(tables):
    members, name = {}, None
    for line in run(llvm_bin / "llvm-nm", ARCHIVE).splitlines():
        if line.endswith(":"):
            name = line.removesuffix(":").split("/")[-1]
            members[name] = {}
        elif line:
            kind, symbol = line.split()[-2:]
            members[name][symbol] = kind
    expected = {f"{builtin.name}.o": symbols_of(builtin) for builtin in tables.builtins}
    assert members == expected, {name: (members.get(name), expected.get(name)) for name in {*members, *expected}
                                 if members.get(name) != expected.get(name)}
    assert ".eh_frame" in run(llvm_bin / "llvm-readobj", "--sections", ARCHIVE)


def check_definitions(work):
    for name, text in ("own", OWN), ("uses", USES), ("lowered", LOWERED):
        (work / f"{name}.ll").write_text(text)
    run(build / "tools/osprey-ws-lower", work / "lowered.ll", "-o", work / "lowered.bc")
    run(llvm_bin / "clang", *sanitize, "-Wno-override-module", "-rdynamic", work / "own.ll", work / "uses.ll",
        work / "lowered.bc", *LIBRARIES, "-o", work / "own")
    run(work / "own")
    exported = run(llvm_bin / "llvm-nm", "-D", "--defined-only", work / "own")
    assert "websocketSend" in exported and "websocketClose" not in exported, exported


def link(archive, *inputs, output):
    """BODIES-6: links by the line of spec/adopting.md, with this archive of hooks."""
    line = re.search(r"^clang PROG.ll -O2 -o PROG (.*)$", ADOPTING.read_text(), re.M)[1]
    files = {"YOURS.a": archive, "libosprey_ws_builtins.a": ARCHIVE, "libosprey_ws.a": RUNTIME}
    run(llvm_bin / "clang", *sanitize, "-Wno-override-module", *inputs, "-O2", "-o", output,
        *(files.get(word, word) for word in line.split()))


def check_link_line(work):
    archive = work / "libhooks.a"
    for name, text in HOOKS.items():
        (work / f"{name}.c").write_text(f"#include <stdlib.h>\n{text}\n")
        run(llvm_bin / "clang", *sanitize, "-w", "-c", work / f"{name}.c", "-o", work / f"{name}.o")
    run("ar", "rcs", archive, *(work / f"{name}.o" for name in HOOKS))
    for name, text in WITHOUT_HOOKS.items():
        (work / f"{name}.ll").write_text(text)
        link(archive, work / f"{name}.ll", output=work / name)
        run(work / name)
    nothing = run(llvm_bin / "llvm-readobj", "--needed-libs", "--symbols", work / "nothing")
    assert not re.search(r"libssl|libcrypto|libz|osp_", nothing), nothing


def example(language, name):
    """The code of spec/adopting.md that has this name in it."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", ADOPTING.read_text(), re.M | re.S)
    return next(block for block in blocks if name in block)


def check_examples(work):
    (work / "cell.ll").write_text(example("llvm", "@greetLater"))
    (work / "greet.c").write_text(GREET)
    link(MEMORY, work / "cell.ll", work / "greet.c", output=work / "greet")
    ran = subprocess.run([work / "greet"], env={**os.environ, "OSPREY_MEM_REPORT": "1", "OSPREY_WS_LOG": "off"},
                         capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("Ada 7 1\n", "osprey: 0 blocks live at exit\n"), ran

    (work / "sleep.c").write_text(example("c", "host_sleep"))
    for closed in "1", "websocketClose(1)":
        (work / "sleeps.c").write_text(SLEEP.replace("CLOSED", closed))
        link(MEMORY, work / "sleep.c", work / "sleeps.c", output=work / "sleeps")
        run(work / "sleeps")
        has_runtime = " T osp_ws_sleep\n" in run(llvm_bin / "llvm-nm", work / "sleeps").replace(" t ", " T ")
        assert has_runtime == (closed != "1"), closed


def check_the_check(work):
    """The command of spec/adopting.md that finds a plain function where a cell must be."""
    command = re.search(r"^osprey-ws-lower PROG.ll .*$", ADOPTING.read_text(), re.M)[0]
    path = {"PATH": f"{build / 'tools'}:{os.environ['PATH']}"}
    for handler, status in ("@cell", 0), ("@hear", 1), ("null", 1):
        (work / "PROG.ll").write_text(CHECKED.replace("HANDLER", handler))
        ran = subprocess.run(command, shell=True, cwd=work, env={**os.environ, **path}, capture_output=True, text=True,
                             timeout=60)
        assert ran.returncode == status, (handler, ran)


def conversations():
    listed = re.search(r"^CONVERSATIONS = \{[^(]*\(([^)]*)\)", CONVERSATIONS.read_text(), re.M)[1]
    return [name for name in re.findall(r"\w+", listed) if name not in NOT_HERE]


def converse(level, work):
    """Runs the conversations with a host of this level. Returns the forms of builtins that their programs declare."""
    kept, host = work / f"ir{level}", work / f"host{level}"
    kept.mkdir()
    libraries = " ".join(map(str, [*sanitize, *LIBRARIES]))
    host.write_text(HOST.format(ospreyc=ospreyc, clang=llvm_bin / "clang", level=level, libraries=libraries, kept=kept))
    host.chmod(0o755)
    run("/usr/bin/python3", CONVERSATIONS, host, *conversations())
    if CLUSTER:
        run(host, source / "tests/cluster/member.osp", level, "-o", work / f"member{level}")
    ir = "".join(path.read_text() for path in kept.glob("*.ll"))
    assert not re.search(r"define [^\n]*@websocket", ir)
    return set(re.findall(r"^declare [^\n]*@(websocket\w+)", ir, re.M))


def main():
    tables = Tables(source)
    check_archive(tables)
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        check_definitions(work)
        check_link_line(work)
        check_examples(work)
        check_the_check(work)
        for level in "-O0", "-O2":
            missing = {builtin.name for builtin in tables.builtins} - converse(level, work)
            missing -= set() if CLUSTER else {"websocketServerCluster"}
            assert not missing, f"no conversation has {missing}"


main()
