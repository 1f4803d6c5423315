"""installed.py BUILD SOURCE LLVM_BIN SANITIZE PLATFORM: installs into a temporary directory, and uses it from there.

BODIES-5 CC-2 CC-6 PLUGIN-2 CG-26 PLAT-3 INSTALL-1 INSTALL-2: the installed driver finds its archives, clang loads the
installed plugin, and the versions and the manual page are right.
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

build, source, llvm_bin = (pathlib.Path(argument) for argument in sys.argv[1:4])
# Ends with 0 if closing an ID that nobody has is an Error.
CLOSE = """\
declare ptr @websocketClose(i64)
define i32 @main() {
  %result = call ptr @websocketClose(i64 1)
  %field = getelementptr { i64, i8, ptr }, ptr %result, i32 0, i32 1
  %discriminant = load i8, ptr %field
  %success = icmp eq i8 %discriminant, 0
  %status = zext i1 %success to i32
  ret i32 %status
}
"""
platform = sys.argv[5]
sanitize = [] if sys.argv[4] == "none" else ["-fsanitize=" + sys.argv[4]]


def run(*command, **environment):
    ran = subprocess.run(
        [str(part) for part in command], env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
    return ran.stdout


def find(root, name):
    found = [path for path in root.rglob(name) if not path.is_symlink()]
    assert len(found) == 1, f"{name} is installed as {found}"
    return found[0]




def check_versions(root, version):
    tools = [*(find(root, name) for name in ("ospreyc", "osprey-ws-lower", "osprey-ws-cc")), source / "tools/run"]
    for tool in tools:
        name = str(tool.relative_to(source)) if tool.is_relative_to(source) else tool.name
        begin = run(tool, "--version")[: len(name) + len(version) + 2]
        assert begin.rstrip(",\n") == f"{name} {version}", (tool, begin)


def check_manual(root, help_text):
    """The manual page has the options that --help lists, and the environment variables of the source."""
    page = find(root, "ospreyc.1")
    if shutil.which("groff"):
        assert not run("groff", "-man", "-ww", "-z", page)
    text = page.read_text().replace("\\-", "-")
    described = set(re.findall(r"^\.(?:B|BR|BI) (-[-\w]*)", text, re.M))
    listed = set(re.findall(r"^  (-[-\w]+)", help_text, re.M))
    assert listed and listed <= described, listed - described
    code = "".join(path.read_text() for path in (source / "tools/ospreyc").glob("*.c"))
    variables = set(re.findall(r'getenv\("(\w+)"\)', code))
    assert variables == set(re.findall(r"^\.B ([A-Z_]+)$", text, re.M)), variables


with tempfile.TemporaryDirectory() as directory:
    root = pathlib.Path(directory) / "with space"
    work = pathlib.Path(directory)
    run("meson", "install", "-C", build, "--destdir", root, "--no-rebuild", "--quiet")

    # A C compiler finds the libraries by pkg-config.
    package_config = {"PKG_CONFIG_PATH": str(find(root, "osprey-ws.pc").parent)}
    assert find(root, "osprey-ws-codegen.pc").parent == find(root, "osprey-ws.pc").parent
    relocatable = "prefix=${pcfiledir}/" in find(root, "osprey-ws.pc").read_text()
    assert relocatable, "run: meson configure -Dpkgconfig.relocatable=true " + str(build)
    flags = shlex.split(run("pkg-config", "--cflags", "--libs", "osprey-ws-codegen", "osprey-ws", **package_config))
    libraries = find(root, "libosprey_ws.a").parent
    version = run("pkg-config", "--modversion", "osprey-ws", **package_config).strip()
    assert version == run("pkg-config", "--modversion", "osprey-ws-codegen", **package_config).strip()
    check_versions(root, version)
    check_manual(root, run(find(root, "ospreyc"), "--help"))
    (work / "hello.osp").write_text('print("hello ${jsonLength(1, "")}")\n')
    assert run(find(root, "ospreyc"), work / "hello.osp", "-o", work / "hello", "--run") == "hello -1\n"
    symbols = run("readelf", "-sW", find(root, "libosprey_ws_codegen.a")).split("\n")
    symbols = [line.split() for line in symbols if re.search(r": [0-9a-f]{16} .* (GLOBAL|WEAK) ", line)]
    names = [symbol[7] for symbol in symbols if symbol[6] != "UND" and (symbol[5] != "HIDDEN" or platform == "linux")]
    assert names and all(name.startswith("osp_ws_codegen_") for name in names), names
    run("cc", *sanitize, source / "tests/embed/jit_host.c", "-o", work / "jit_host", *flags,
        libraries / "libosprey_mem.a")
    ran = run(work / "jit_host", LD_LIBRARY_PATH=str(libraries))
    assert "heard: hello from a JIT" in ran, ran

    # Clang finds the archive of bodies by pkg-config.
    flags = shlex.split(run("pkg-config", "--libs", "osprey-ws", **package_config))
    (work / "close.ll").write_text(CLOSE)
    run(llvm_bin / "clang", *sanitize, work / "close.ll", "-Wno-override-module", "-o", work / "close", *flags,
        libraries / "libosprey_mem.a")
    run(work / "close")
    # WS-CLUSTER-14: libnats is needed by who calls the cluster's builtin.
    if (libraries / "libosprey_ws_cluster.a").exists():
        cluster = CLOSE.replace("@websocketClose(i64 1", "@websocketServerCluster(i64 1, ptr null")
        (work / "cluster.ll").write_text(cluster.replace("@websocketClose(i64)", "@websocketServerCluster(i64, ptr)"))
        run(llvm_bin / "clang", *sanitize, work / "cluster.ll", "-Wno-override-module", "-o", work / "cluster", *flags,
            libraries / "libosprey_mem.a")
        assert ["libnats" in run("readelf", "-d", work / name) for name in ("close", "cluster")] == [False, True]
    prelude = find(root, "osprey-websocket.osp").read_text()
    assert "extern fn websocketClose(wsID: int) -> Result<Unit, string>" in prelude, prelude
    assert len({find(root, name).parent for name in ("osprey-bindings.osp", "osprey-websocket.osp", "abi.md",
                                                     "ws_builtins.def")}) == 1

    # The driver finds its archives, and clang the plugin.
    driver = find(root, "osprey-ws-cc")
    host = [build / "tests/ir/libhost.a", libraries / "libosprey_mem.a"]
    program = source / "tests/ir/programs/conversation.ll"
    run(driver, program, "-Wno-override-module", "-O2", *sanitize, "-o", work / "conversation", "--ws-compat", *host)
    ran = run(work / "conversation")
    assert "client 7:\nhello\n" in ran, ran
    plugin = find(root, "libosprey_ws_plugin.so")
    if not sanitize:  # clang cannot load a sanitized plugin
        ir = run(llvm_bin / "clang", f"-fpass-plugin={plugin}", "-O1", "-S", "-emit-llvm", "-o", "-",
                 source / "tests/embed/send.ll")
        assert "@osp_ws_send(" in ir, ir
    lowered = run(find(root, "osprey-ws-lower"), source / "tests/embed/send.ll")
    assert "define linkonce_odr hidden" in lowered, lowered
