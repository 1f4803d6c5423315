# The IR tests. They run the tools of one build directory and of the LLVM that it was built with.
import glob
import os
import sys

import lit.formats

source = os.path.dirname(__file__)
sys.path.insert(0, os.path.join(source, "..", "..", "spec"))
from ws_tables import Tables

param = lit_config.params
llvm_bin, version = param["llvm_bin"], int(param["llvm_version"])
build = param["build"]

config.name = "osprey-websocket IR, LLVM %d" % version
config.test_format = lit.formats.ShTest(True)
config.suffixes = [".ll", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = source
config.test_exec_root = os.path.join(build, "tests", "ir", "out")
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
    config.environment[name] = os.environ.get(name, "")
config.available_features.add("llvm%d" % version)

# What LLVM versions spell differently. The names begin with $ so that CHECK-LABEL does not clear them.
nocapture_first = "nocapture " if version < 21 else ""
nocapture_last = "" if version < 21 else "captures(none) "
tables = Tables(os.path.join(source, "..", ".."))
record = nocapture_first + "noundef nonnull readonly align 8 " + nocapture_last + "dereferenceable(%d)"
spellings = {
    **{name: record % tables.record_layout(name).size for name in tables.records},
    "STRING": nocapture_first + "noundef nonnull readonly " + nocapture_last + "dereferenceable(1)",
    "CELL": "noundef nonnull align 8 dereferenceable(8)",
    "SLOT": nocapture_first + "noundef nonnull align 8 " + nocapture_last + "dereferenceable(8)",
    "INBOUNDS": "inbounds" if version < 20 else "inbounds nuw",
    "ERRNO": "" if version < 21 else ", errnomem: readwrite",
}
definitions = " ".join("'-D$%s=%s'" % item for item in spellings.items())

substitutions = {
    "%FileCheck": os.path.join(llvm_bin, "FileCheck") + " --enable-var-scope " + definitions,
    "%llvm_link": os.path.join(llvm_bin, "llvm-link"),
    "%llvm_ar": os.path.join(llvm_bin, "llvm-ar"),
    "%llvm_as": os.path.join(llvm_bin, "llvm-as"),
    "%llvm_dis": os.path.join(llvm_bin, "llvm-dis"),
    "%llc": os.path.join(llvm_bin, "llc"),
    "%llvm_lto2": os.path.join(llvm_bin, "llvm-lto2"),
    "%llvm_nm": os.path.join(llvm_bin, "llvm-nm"),
    "%split_file": os.path.join(llvm_bin, "split-file"),
    "%clang": os.path.join(llvm_bin, "clang"),
    "%opt": os.path.join(llvm_bin, "opt"),
    "%not": os.path.join(llvm_bin, "not"),
    "%lower": os.path.join(build, "tools", "osprey-ws-lower"),
    "%plugin": os.path.join(build, "codegen", "libosprey_ws_plugin.so"),
}

# Libraries that host programs link. libhost.a stands for the archive of a host.
def built(*path):
    return os.path.join(build, *path)


if param["sanitize"] == "none":
    config.available_features.add("plugin")  # LLVM's own tools cannot load one that is sanitized
sanitize = " -fsanitize=" + param["sanitize"] if param["sanitize"] != "none" else ""
substitutions["%osprey_cc"] = built("tools", "osprey-ws-cc")
substitutions["%ospreyc"] = built("tools", "ospreyc", "ospreyc")
substitutions["%refused"] = built("tests", "ir", "refused")
substitutions["%bindings"] = built("tests", "ir", "bindings")
substitutions["%bindings_file"] = os.path.join(source, "..", "..", "spec", "osprey-bindings.osp")
substitutions["%prelude_file"] = os.path.join(source, "..", "..", "spec", "osprey-websocket.osp")
substitutions["%ws_library"] = built("runtime", "libosprey_ws.a")
substitutions["%compat_library"] = built("runtime", "libosprey_ws_compat.a")
memory = " " + built("runtime", "libosprey_mem.a") + sanitize
substitutions["%host_libraries"] = built("tests", "ir", "libhost.a") + memory
substitutions["%rt_libraries"] = built("tools", "ospreyc", "libosprey_rt.a") + memory
substitutions["%system_libraries"] = param["system_libraries"]
# The linker and the sanitizer runtime of the same version, if Debian's packages are installed.
has_lld = os.path.exists(os.path.join(llvm_bin, "ld.lld"))
has_asan = glob.glob(os.path.join(llvm_bin, "..", "lib", "clang", "*", "lib", "*", "libclang_rt.asan*.a"))
substitutions["%thinlto"] = "-flto=thin -fuse-ld=lld" if has_lld else ""
substitutions["%asan"] = "-fsanitize=address" if has_asan else "-fno-sanitize=all"
substitutions["%free_port"] = "%s %s" % (sys.executable, os.path.join(os.path.dirname(__file__), "..", "ports.py"))

config.substitutions += [(key + r"\b", value) for key, value in sorted(substitutions.items(), reverse=True)]
