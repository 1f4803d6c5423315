/* osprey-ws-cc: a C compiler driver that knows the WebSocket builtins of Osprey.
 *
 * It takes clang's command line, lowers the inputs that hold LLVM IR, and calls clang with the lowered modules in their
 * place and, where clang links, with the runtime behind everything else:
 *
 *     prog.ll -o prog -O2 libhost.a  →  TMP/0/prog.bc -o prog -O2 libhost.a libosprey_ws.a libhost.a -lssl …
 *
 * All else is clang's business: it sees its arguments as they were and in their order, and its messages and exit status
 * are the driver's. */

#include "../osprey-ws-lower/ir_file.h"
#include "cc_clash.h"
#include "cc_command.h"
#include "cc_run.h"
#include "osprey_ws_codegen.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <llvm-c/Core.h>
#include <llvm/Config/llvm-config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Where things are ---- */

static bool option_is_set(const char *name) {
  const char *value = getenv(name);
  return value && *value && strcmp(value, "0") != 0;
}

static const char *find_clang(const struct cc_command *command) {
  const char *clang = getenv("OSPREY_WS_CLANG");
  if (command->clang)
    return command->clang;
  return clang && *clang ? clang : OSPREY_WS_CLANG_PATH;
}

/* The archives lie beside this program as they were built or installed. Returns the path of one, to be freed. */
static char *find_archive(const struct cc_command *command, const char *in_build, const char *name) {
  const char *given = command->runtime ? command->runtime : getenv("OSPREY_WS_RUNTIME");
  char self[PATH_MAX], *path = NULL;
  ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
  self[length < 0 ? 0 : length] = '\0';
  const char *directory = dirname(self);
  if (given && *given)
    return asprintf(&path, "%s/%s", given, name) < 0 ? NULL : path;
  if (asprintf(&path, "%s/%s/%s", directory, in_build, name) < 0)
    return NULL;
  if (!access(path, R_OK))
    return path;
  free(path);
  return asprintf(&path, "%s/%s/%s", directory, OSPREY_WS_LIBDIR, name) < 0 ? NULL : path;
}

/* ---- Lowering ---- */

/* The IR inputs of a command, in its order. */
struct inputs {
  struct ir_file *files;
  size_t *places; /* which argument each is */
  size_t count;
};

/* Reads and parses every IR input. One that cannot be parsed keeps a NULL module: clang will say what is wrong. */
static int read_inputs(struct inputs *inputs, const struct cc_command *command) {
  inputs->count = 0;
  inputs->files = calloc(command->count + 1, sizeof(*inputs->files));
  inputs->places = calloc(command->count + 1, sizeof(*inputs->places));
  if (!inputs->files || !inputs->places)
    return -1;
  for (size_t i = 0; i < command->count; i++) {
    if (command->arguments[i].role != CC_IR)
      continue;
    struct ir_file *file = &inputs->files[inputs->count];
    inputs->places[inputs->count++] = i;
    if (access(command->arguments[i].text, R_OK) && strcmp(command->arguments[i].text, "-") != 0)
      continue;
    if (ir_file_read(file, command->arguments[i].text))
      return -1;
    ir_file_parse(file, true);
  }
  return 0;
}

static void free_inputs(struct inputs *inputs) {
  for (size_t i = 0; i < inputs->count; i++)
    ir_file_deinit(&inputs->files[i]);
  free(inputs->files);
  free(inputs->places);
}

/* The path of the lowered module: DIRECTORY/NUMBER/NAME.bc, so that clang names its outputs as it would have. */
static char *name_output(const char *directory, size_t number, const char *input) {
  const char *slash = strrchr(input, '/');
  const char *base = slash ? slash + 1 : input;
  const char *dot = strrchr(base, '.');
  int length = dot && dot != base ? (int)(dot - base) : (int)strlen(base);
  char *path = NULL;
  if (asprintf(&path, "%s/%zu", directory, number) < 0)
    return NULL;
  int failed = mkdir(path, 0700);
  free(path);
  if (failed || asprintf(&path, "%s/%zu/%.*s.bc", directory, number, length, base) < 0)
    return NULL;
  return path;
}

static bool declares_builtin(LLVMModuleRef module) {
  size_t count;
  const struct osp_ws_codegen_builtin *builtins = osp_ws_codegen_builtins(&count);
  for (size_t i = 0; i < count; i++)
    if (LLVMGetNamedFunction(module, builtins[i].name) || LLVMGetNamedFunction(module, builtins[i].alias))
      return true;
  return false;
}

/* Whether clang can take an input as the caller named it. Standard input cannot be read twice. */
static bool stays_as_it_is(const struct inputs *inputs, size_t which, const char *name) {
  const struct ir_file *file = &inputs->files[which];
  bool changes = file->module && (cc_hide_clashes(inputs->files, inputs->count, which) > 0 || declares_builtin(file->module));
  return !changes && strcmp(name, "-") != 0;
}

/* Lowers a module for the machine that the command line names, if it names one: clang will take it over the module's. */
static int lower_for_target(struct ir_file *file, const char *target) {
  char *triple = strdup(LLVMGetTarget(file->module)), *layout = strdup(LLVMGetDataLayoutStr(file->module));
  int status = triple && layout ? 0 : -1;
  if (!status && target) {
    LLVMSetTarget(file->module, target);
    LLVMSetDataLayout(file->module, "");
  }
  if (!status && ir_file_lower(file))
    status = -1;
  if (!status && target) {
    LLVMSetTarget(file->module, triple);
    LLVMSetDataLayout(file->module, layout);
  }
  free(triple);
  free(layout);
  return status;
}

/* Lowers one input into the directory and puts the result in its place in the command. */
static int lower_input(struct inputs *inputs, size_t which, struct cc_command *command, const char *directory) {
  struct ir_file *file = &inputs->files[which];
  struct cc_argument *argument = &command->arguments[inputs->places[which]];
  if (stays_as_it_is(inputs, which, argument->text))
    return 0;
  char *path = name_output(directory, which, argument->text);
  if (!path)
    return -1;
  if (file->module ? lower_for_target(file, command->target) || ir_file_write(file, path, false) : ir_file_write_bytes(file, path)) {
    free(path);
    return -1;
  }
  free(argument->text);
  argument->text = path;
  return 0;
}

/* A clang older than the LLVM that wrote a module may misread it without a word. */
static int check_clang(const struct cc_command *command) {
  const char *clang = find_clang(command);
  int version = strcmp(clang, OSPREY_WS_CLANG_PATH) != 0 ? cc_clang_version(clang) : 0;
  if (version == 0 || version >= LLVM_VERSION_MAJOR)
    return 0;
  fprintf(stderr, "osprey-ws-cc: error: '%s' is clang %d, but it has to read what LLVM %d wrote: name clang %d or later\n",
          clang, version, LLVM_VERSION_MAJOR, LLVM_VERSION_MAJOR);
  return -1;
}

static int lower_inputs(struct cc_command *command, const char *directory) {
  struct inputs inputs;
  int status = read_inputs(&inputs, command);
  bool lowered = false;
  for (size_t i = 0; i < inputs.count && !status; i++) {
    const char *before = command->arguments[inputs.places[i]].text;
    status = lower_input(&inputs, i, command, directory);
    lowered = lowered || command->arguments[inputs.places[i]].text != before;
  }
  if (lowered && !status)
    status = check_clang(command);
  free_inputs(&inputs);
  return status;
}

/* ---- Linking ---- */

static int append_archive(struct cc_command *command, const char *in_build, const char *name) {
  char *path = find_archive(command, in_build, name);
  int status = path ? cc_command_append(command, CC_LIBRARY, path) : -1;
  free(path);
  return status;
}

/* The archive of the old C functions goes in front of the first library: the linker takes the first definition. Where
 * a member of the host's archive is needed for other functions too, the second definition must not be an error. */
static int insert_compat(struct cc_command *command) {
  size_t place = 0;
  while (place < command->count && command->arguments[place].role != CC_LIBRARY)
    place++;
  char *path = find_archive(command, "../runtime/compat", "libosprey_ws_compat.a");
  int status = !path || cc_command_insert(command, place, CC_LIBRARY, path) ||
                       cc_command_insert(command, place, CC_OPTION, "-Wl,--allow-multiple-definition")
                   ? -1
                   : 0;
  free(path);
  return status;
}

/* The runtime, then the caller's libraries once more, for the runtime needs their memory hooks, then what it needs of
 * the system. */
static int append_runtime(struct cc_command *command) {
  static const char *const system_libraries[] = {"-Wl,--push-state,--as-needed", "-lssl", "-lcrypto", "-lz",
                                                 "-Wl,--pop-state", "-lpthread"};
  size_t own = command->count;
  if (command->language_set && (cc_command_append(command, CC_OPTION, "-x") || cc_command_append(command, CC_OPTION, "none")))
    return -1;
  if (append_archive(command, "../runtime", "libosprey_ws.a"))
    return -1;
  for (size_t i = 0; i < own; i++)
    if (command->arguments[i].role == CC_LIBRARY && cc_command_append(command, CC_LIBRARY, command->arguments[i].text))
      return -1;
  for (size_t i = 0; i < sizeof(system_libraries) / sizeof(system_libraries[0]); i++)
    if (cc_command_append(command, CC_LIBRARY, system_libraries[i]))
      return -1;
  return 0;
}

static int link_runtime(struct cc_command *command) {
  if (!command->links)
    return 0;
  if ((command->compat || option_is_set("OSPREY_WS_COMPAT")) && insert_compat(command))
    return -1;
  return append_runtime(command);
}

/* ---- What clang does not say ---- */

static const char help[] =
    "\n"
    "OSPREY-WS-CC: clang, with the WebSocket builtins of Osprey lowered in its LLVM IR inputs\n"
    "  --ws-compat        Put the functions of the old runtime in front of the host's (OSPREY_WS_COMPAT=1)\n"
    "  --ws-clang=PATH    The clang to call (OSPREY_WS_CLANG)\n"
    "  --ws-runtime=DIR   Where libosprey_ws.a is (OSPREY_WS_RUNTIME)\n";

/* Whether a file that the caller names holds a word; what cannot be read may. */
static bool file_holds(const char *path, const char *word) {
  struct ir_file file;
  if (access(path, R_OK))
    return true;
  bool holds = ir_file_read(&file, path) != IR_OK || memmem(file.bytes, file.size, word, strlen(word) + 1);
  ir_file_deinit(&file);
  return holds;
}

/* Whether none of the objects and archives that the caller names can have the memory hooks: then the host's archive was
 * forgotten, and the linker's complaints do not say so. */
static bool lacks_hooks(const struct cc_command *command) {
  if (!command->links)
    return false;
  for (size_t i = 0; i < command->count; i++) {
    const struct cc_argument *argument = &command->arguments[i];
    if (argument->role == CC_LIBRARY || argument->role == CC_INPUT)
      if (argument->text[0] == '-' || file_holds(argument->text, "osp_alloc"))
        return false;
  }
  return true;
}

static int run(struct cc_command *command, const char *directory) {
  bool hookless = lacks_hooks(command);
  if (lower_inputs(command, directory) || link_runtime(command))
    return CC_FAILED;
  int status = cc_run(command, find_clang(command), directory);
  if (command->help)
    fputs(help, stdout);
  if (status && hookless)
    fputs("osprey-ws-cc: note: the memory hooks (osp_alloc, osp_release, …) come with the host's archive; "
          "libosprey_mem.a has them too\n", stderr);
  return status;
}

int main(int argc, char **argv) {
  struct cc_command command;
  char *directory = cc_make_directory();
  int status = CC_FAILED;
  if (directory && !cc_command_init(&command, argc, argv)) {
    status = run(&command, directory);
    cc_command_deinit(&command);
  }
  cc_remove_directory(directory);
  return cc_end(status);
}
