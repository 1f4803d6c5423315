"""dlopen_host.py HOST LIBRARY IN.ll: prints the builtins and the lowered module, or reports what is missing."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "spec"))
from ws_tables import Tables  # noqa: E402

host, library, module = sys.argv[1:]


def run(*arguments):
    return subprocess.run([host, *arguments], capture_output=True, text=True, timeout=60)


lowered = run(library, module)
assert lowered.returncode == 0, lowered.stderr
assert "; websocketSend(wsID: Int, message: String) -> Result<Success, String>\n" in lowered.stdout, lowered.stdout
assert lowered.stdout.count("; websocket") == len(Tables(ROOT).builtins), lowered.stdout
assert "call i64 @osp_ws_send(i64 %wsID, ptr %message, ptr %error)" in lowered.stdout, lowered.stdout

missing = run(library + ".none", module)
assert missing.returncode == 1 and "cannot open shared object file" in missing.stderr, missing.stderr

nothing = run(library, module + ".none")
assert nothing.returncode == 1 and "No such file" in nothing.stderr, nothing.stderr
