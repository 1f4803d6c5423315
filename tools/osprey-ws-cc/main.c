/* osprey-ws-cc: a C compiler driver that implements Osprey's WebSocket builtins.
 *
 * It accepts clang's command line, lowers the LLVM IR inputs, and runs clang on the lowered modules. If clang links,
 * the runtime follows all other inputs:
 *
 *     prog.ll -o prog -O2 libhost.a  →  TMP/0/prog.bc -o prog -O2 libhost.a libosprey_ws.a libhost.a -lssl …
 *
 * All other arguments reach clang unchanged and in order. Messages and exit status are clang's. A command that has
 * nothing to do with WebSockets becomes clang at once (cc_uses.h).
 */
#include <dlfcn.h>
#include <llvm/Config/llvm-config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cc_command.h"
#include "cc_install.h"
#include "cc_link.h"
#include "cc_lower.h"
#include "cc_run.h"
#include "cc_uses.h"

static const char *find_clang(const struct cc_command *command) {
  const char *clang = getenv("OSPREY_WS_CLANG");
  if (command->clang)
    return command->clang;
  return clang && *clang ? clang : OSPREY_WS_CLANG_PATH;
}

/* Rejects a clang older than the LLVM that wrote the lowered modules: it may misread them without an error. */
static int check_clang(const char *clang) {
  int version = strcmp(clang, OSPREY_WS_CLANG_PATH) != 0 ? cc_run_clang_version(clang) : 0;
  if (version == 0 || version >= LLVM_VERSION_MAJOR)
    return 0;
  fprintf(stderr,
          "osprey-ws-cc: error: '%s' is clang %d, but it has to read what LLVM %d wrote: name clang %d or later\n",
          clang, version, LLVM_VERSION_MAJOR, LLVM_VERSION_MAJOR);
  return -1;
}

static const char help[] =
    "usage: osprey-ws-cc [options] file...\n"
    "\n"
    "Clang, with the WebSocket builtins of Osprey lowered in its LLVM IR inputs, and their runtime linked.\n"
    "\n"
    "  --ws-compat        put the functions of the old runtime in front of the host's (OSPREY_WS_COMPAT=1)\n"
    "  --ws-clang=PATH    the clang to call (OSPREY_WS_CLANG)\n"
    "  --ws-runtime=DIR   where libosprey_ws.a is (OSPREY_WS_RUNTIME)\n"
    "\n"
    "All other options are clang's:\n"
    "\n";

/* Answers --help and --version for the driver; clang answers for itself after it. */
static void print_about(const struct cc_command *command) {
  if (command->help)
    fputs(help, stdout);
  if (command->version)
    puts("osprey-ws-cc " OSPREY_WS_VERSION);
  fflush(stdout);
}

/* Loads cc_lower.c and lowers. The names of the libraries that come with it are global, for cc_clash.c to find. */
static int lower_inputs(struct cc_command *command, const char *scratch, bool *lowered) {
  char *path = cc_install_find(".", "libosprey_ws_cc.so");
  void *library = path ? dlopen(path, RTLD_NOW | RTLD_GLOBAL) : NULL;
  void *symbol = library ? dlsym(library, "cc_lower_inputs") : NULL;
  __typeof__(cc_lower_inputs) *lower;
  free(path);
  if (!symbol) {
    fprintf(stderr, "osprey-ws-cc: error: %s\n", dlerror());
    return -1;
  }
  memcpy(&lower, &symbol, sizeof lower); /* ISO C has no conversion to a function's address */
  return lower(command, scratch, lowered);
}

static int run(struct cc_command *command, bool uses, const char *scratch) {
  const char *clang = find_clang(command);
  bool hookless = cc_link_lacks_hooks(command), lowered = false;
  if (uses && (lower_inputs(command, scratch, &lowered) || (lowered && check_clang(clang)) || cc_link_runtime(command)))
    return CC_RUN_FAILED;
  int status = cc_run(command, clang, scratch);
  if (status && uses && hookless)
    fputs("osprey-ws-cc: note: the memory hooks (osp_alloc, osp_release, …) come with the host's archive; "
          "libosprey_mem.a has them too\n",
          stderr);
  return status;
}

int main(int argc, char **argv) {
  struct cc_command command;
  if (cc_command_init(&command, argc, argv))
    return 1;
  bool uses = cc_link_has_compat(&command) || cc_uses_websockets(&command);
  print_about(&command);
  if (!uses && !command.from_response_file)
    return cc_run_replace(&command, find_clang(&command));
  char *scratch = cc_run_scratch_new();
  int status = scratch ? run(&command, uses, scratch) : CC_RUN_FAILED;
  cc_command_deinit(&command);
  cc_run_scratch_free(scratch);
  return cc_run_exit(status);
}
