#!/usr/bin/python3
"""Compiles each program of the README with the command after it, runs it, and checks its output.

Usage: readme.py ROOT BUILD
"""
import pathlib
import re
import socket
import subprocess
import sys
import tempfile

DECLARATIONS = {"good": "declare ptr @websocketClose(i64)\n", "bad": "declare ptr @websocketClose(i32)\n"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def check_first_program(blocks, build, scratch):
    """The Osprey program prints what the README shows."""
    index = next(i for i, (language, _) in enumerate(blocks) if language == "osprey")
    source = scratch / "hello.osp"
    source.write_text(blocks[index][1].replace("8080", free_port()))
    done = run([build / "tools/ospreyc/ospreyc", source, "--run"])
    assert (done.returncode, done.stdout) == (0, blocks[index + 1][1]), done


def check_rooms(blocks, build, scratch):
    """The functions of the recipe compile."""
    recipe = next(text for language, text in blocks if language == "osprey" and "websocketSubscribe" in text)
    (scratch / "recipe.osp").write_text(recipe)
    done = run([build / "tools/ospreyc/ospreyc", "--check", scratch / "recipe.osp"])
    assert done.returncode == 0, done


def compile_c(blocks, name, root, build, scratch):
    """Compiles the C block before the command `cc NAME.c`."""
    index = next(i for i, (language, text) in enumerate(blocks) if language == "console" and f"cc {name}.c" in text)
    (scratch / f"{name}.c").write_text(blocks[index - 1][1].replace("8080", free_port()))
    command = blocks[index][1].replace("$PWD/build/", "build/").replace("build/", f"{build}/")
    command = command.replace(f"cc {name}.c", f"cc {scratch}/{name}.c").replace(f"-o {name}", f"-o {scratch}/{name}")
    done = run(["sh", "-c", command], cwd=root)
    assert done.returncode == 0 and not done.stderr, done
    return scratch / name


def check_lower(program, scratch):
    results = {}
    for name, text in DECLARATIONS.items():
        (scratch / f"{name}.ll").write_text(text)
        results[name] = run([program, scratch / f"{name}.ll", scratch / f"{name}.bc"])
    assert results["good"].returncode == 0 and (scratch / "good.bc").stat().st_size > 0, results
    assert results["bad"].returncode == 1 and "websocketClose" in results["bad"].stderr, results


def main(root, build):
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", (root / "README.md").read_text(), re.M | re.S)
    with tempfile.TemporaryDirectory() as directory:
        scratch = pathlib.Path(directory)
        check_first_program(blocks, build, scratch)
        check_rooms(blocks, build, scratch)
        check_lower(compile_c(blocks, "lower", root, build, scratch), scratch)
        done = run([compile_c(blocks, "serve", root, build, scratch)])
        assert (done.returncode, done.stdout) == (0, "served\n"), done
    print("the programs of the README work")


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
