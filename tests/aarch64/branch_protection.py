#!/usr/bin/python3
"""Branch protection of AArch64, in force: an indirect branch to an instruction that is no landing pad is SIGILL.

    branch_protection.py OSPREY_WS_CC LLVM_CONFIG HOST MEMORY ARCHIVE...
"""
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile

DRIVER, LLVM_CONFIG, HOST, *ARCHIVES = sys.argv[1:]
EMULATOR = shlex.split(os.environ["EMULATOR"])
LLVM = pathlib.Path(subprocess.check_output([LLVM_CONFIG, "--bindir"], text=True).strip())
CONVERSATION = pathlib.Path(__file__).parent.parent / "ir/programs/conversation.ll"
# In the place of Debian's crt1.o, crtbegin.o and libgcc's lse-init.o, whose functions have no landing pads.
START = """\
int main(int, char **);
__attribute__((visibility("hidden"))) void *__dso_handle = &__dso_handle;
_Bool __aarch64_have_lse_atomics;
int __libc_start_main(int (*)(int, char **), int, char **, void (*)(void), void (*)(void), void (*)(void), void *);
__asm__(".globl _start\\n_start: bti c\\n mov x0, sp\\n bl begin");
void begin(long *stack) { __libc_start_main(main, (int)*stack, (char **)(stack + 1), 0, 0, 0, stack); }
"""
TARGET = ["--target=aarch64-linux-gnu", "-Wno-override-module", "-nostartfiles", "-Wl,-z,force-bti"]
# What clang adds for -mbranch-protection=standard.
PROTECTED = """
attributes #99 = { "branch-target-enforcement"="true" "sign-return-address"="non-leaf" }
!llvm.module.flags = !{!990, !991}
!990 = !{i32 8, !"branch-target-enforcement", i32 1}
!991 = !{i32 8, !"sign-return-address", i32 1}
"""
NO_PAD = """\
__attribute__((target("branch-protection=none"), noinline)) static int unprotected(int n) { return n + 1; }
int (*volatile chosen)(int) = unprotected;
int main(int argc, char **argv) { return argc > 1 ? chosen(argc) : 0; }
"""


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, **options)


def must(*command, **options):
    done = run(*command, **options)
    if done.returncode != 0:
        sys.exit(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def compile_protected(scratch, name, text):
    source, made = scratch / f"{name}.c", scratch / f"{name}.o"
    source.write_text(text)
    must(LLVM / "clang", TARGET[0], "-mbranch-protection=standard", "-O1", "-fPIC", "-c", source, "-o", made)
    return made


def it_is_in_force(scratch):
    """The emulator ends a program that branches to a function without a landing pad, and only then."""
    program = scratch / "no_pad"
    must(LLVM / "clang", *TARGET, scratch / "start.o", compile_protected(scratch, "no_pad", NO_PAD), "-o", program)
    must(*EMULATOR, program)
    ended = run(*EMULATOR, program, "branch").returncode
    if ended != -signal.SIGILL:
        sys.exit(f"branch protection is not in force: {ended}")


def a_protected_program_runs(scratch):
    """ARM-3 CG-17: raw handlers, whose forwarders the runtime calls, constant cells and closures."""
    source, program = scratch / "protected.ll", scratch / "protected"
    source.write_text(re.sub(r"^(define .*) \{$", r"\1 #99 {", CONVERSATION.read_text(), flags=re.M) + PROTECTED)
    for level in ("-O0", "-O2"):
        must(DRIVER, *TARGET, level, scratch / "start.o", source, HOST, ARCHIVES[0], "-o", program)
        must(LLVM / "FileCheck", CONVERSATION, input=must(*EMULATOR, program))


def what_programs_are_linked_with_is_protected():
    """ARM-3: every object says so, or the linker would leave the protection out."""
    for archive in ARCHIVES:
        notes = must(LLVM / "llvm-readelf", "--notes", archive)
        objects, protected = notes.count("File: "), notes.count("aarch64 feature: BTI, PAC")
        if objects == 0 or objects != protected:
            sys.exit(f"{archive}: {protected} of {objects} objects are protected")


with tempfile.TemporaryDirectory() as directory:
    compile_protected(pathlib.Path(directory), "start", START)
    it_is_in_force(pathlib.Path(directory))
    a_protected_program_runs(pathlib.Path(directory))
what_programs_are_linked_with_is_protected()
