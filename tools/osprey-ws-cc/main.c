/* osprey-ws-cc: a C compiler driver that knows the WebSocket builtins of Osprey.
 *
 * It takes clang's command line, lowers the inputs that hold LLVM IR, and calls clang with the lowered modules in their
 * place and, where clang links, with the runtime behind everything else:
 *
 *     prog.ll -o prog -O2 libhost.a  →  TMP/0/prog.bc -o prog -O2 libhost.a libosprey_ws.a libhost.a -lssl …
 *
 * All else is clang's business: it sees its arguments as they were and in their order, and its messages and exit status
 * are the driver's. */

#include "cc_command.h"
#include "cc_link.h"
#include "cc_lower.h"
#include "cc_run.h"

#include <llvm/Config/llvm-config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- clang ---- */

static const char *find_clang(const struct cc_command *command) {
  const char *clang = getenv("OSPREY_WS_CLANG");
  if (command->clang)
    return command->clang;
  return clang && *clang ? clang : OSPREY_WS_CLANG_PATH;
}

/* A clang older than the LLVM that wrote a module may misread it without a word. */
static int check_clang(const char *clang) {
  int version = strcmp(clang, OSPREY_WS_CLANG_PATH) != 0 ? cc_run_clang_version(clang) : 0;
  if (version == 0 || version >= LLVM_VERSION_MAJOR)
    return 0;
  fprintf(stderr,
          "osprey-ws-cc: error: '%s' is clang %d, but it has to read what LLVM %d wrote: name clang %d or later\n",
          clang, version, LLVM_VERSION_MAJOR, LLVM_VERSION_MAJOR);
  return -1;
}

/* ---- What clang does not say ---- */

static const char help[] =
    "\n"
    "OSPREY-WS-CC: clang, with the WebSocket builtins of Osprey lowered in its LLVM IR inputs\n"
    "  --ws-compat        Put the functions of the old runtime in front of the host's (OSPREY_WS_COMPAT=1)\n"
    "  --ws-clang=PATH    The clang to call (OSPREY_WS_CLANG)\n"
    "  --ws-runtime=DIR   Where libosprey_ws.a is (OSPREY_WS_RUNTIME)\n";

static int run(struct cc_command *command, const char *directory) {
  const char *clang = find_clang(command);
  bool hookless = cc_link_lacks_hooks(command), lowered;
  if (cc_lower_inputs(command, directory, &lowered) || (lowered && check_clang(clang)) || cc_link_runtime(command))
    return CC_FAILED;
  int status = cc_run(command, clang, directory);
  if (command->help)
    fputs(help, stdout);
  if (status && hookless)
    fputs("osprey-ws-cc: note: the memory hooks (osp_alloc, osp_release, …) come with the host's archive; "
          "libosprey_mem.a has them too\n",
          stderr);
  return status;
}

int main(int argc, char **argv) {
  struct cc_command command;
  char *directory = cc_run_scratch_new();
  int status = CC_FAILED;
  if (directory && !cc_command_init(&command, argc, argv)) {
    status = run(&command, directory);
    cc_command_deinit(&command);
  }
  cc_run_scratch_free(directory);
  return cc_run_exit(status);
}
