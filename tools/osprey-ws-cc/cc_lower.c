#include "cc_lower.h"

#include <llvm-c/Core.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../osprey-ws-lower/ir_file.h"
#include "cc_clash.h"
#include "osprey_ws_codegen.h"

/* The IR inputs of a command, in order. */
struct cc_lower_files {
  struct ir_file *files;
  size_t *places; /* the argument of each file */
  size_t count;
};

/* Reads and parses every IR input. If one cannot be parsed its module is NULL: clang reports the error. */
static int cc_lower_read(struct cc_lower_files *inputs, const struct cc_command *command) {
  inputs->count = 0;
  inputs->files = calloc(command->count + 1, sizeof *inputs->files);
  inputs->places = calloc(command->count + 1, sizeof *inputs->places);
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

static void cc_lower_free(struct cc_lower_files *inputs) {
  for (size_t i = 0; i < inputs->count; i++)
    ir_file_deinit(&inputs->files[i]);
  free(inputs->files);
  free(inputs->places);
}

/* Returns the path for a lowered module, DIRECTORY/NUMBER/NAME.bc: clang derives the names of its outputs from NAME. */
static char *cc_lower_output_path(const char *directory, size_t number, const char *input) {
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

/* A builtin has two forms under each of its names. */
static bool cc_lower_declares(LLVMModuleRef module, const char *name) {
  char unboxed[128];
  snprintf(unboxed, sizeof unboxed, "%s.unboxed", name);
  return LLVMGetNamedFunction(module, name) || LLVMGetNamedFunction(module, unboxed);
}

static bool cc_lower_declares_builtin(LLVMModuleRef module) {
  size_t count;
  const struct osp_ws_codegen_builtin *builtins = osp_ws_codegen_builtins(&count);
  for (size_t i = 0; i < count; i++)
    if (cc_lower_declares(module, builtins[i].name) || cc_lower_declares(module, builtins[i].alias))
      return true;
  return false;
}

/* Hides clashing names. Returns true if clang can read the original input: the module is unchanged and needs no
 * lowering. Standard input cannot be read a second time. */
static bool cc_lower_keeps_input(const struct cc_lower_files *inputs, size_t which, const char *name) {
  const struct ir_file *file = &inputs->files[which];
  bool changes = file->module &&
                 (cc_clash_hide(inputs->files, inputs->count, which) > 0 || cc_lower_declares_builtin(file->module));
  return !changes && strcmp(name, "-") != 0;
}

/* Lowers a module for the target of the command line if it has one: clang prefers that to the module's. */
static int cc_lower_for_target(struct ir_file *file, const char *target) {
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

/* Lowers one input into the directory and replaces its argument, unless clang can read the original. */
static int cc_lower_input(struct cc_lower_files *inputs, size_t which, struct cc_command *command,
                          const char *directory, bool *lowered) {
  struct ir_file *file = &inputs->files[which];
  struct cc_argument *argument = &command->arguments[inputs->places[which]];
  if (cc_lower_keeps_input(inputs, which, argument->text))
    return 0;
  char *path = cc_lower_output_path(directory, which, argument->text);
  if (!path)
    return -1;
  if (file->module ? cc_lower_for_target(file, command->target) || ir_file_write(file, path, false)
                   : ir_file_write_bytes(file, path)) {
    free(path);
    return -1;
  }
  free(argument->text);
  argument->text = path;
  *lowered = true;
  return 0;
}

int cc_lower_inputs(struct cc_command *command, const char *directory, bool *lowered) {
  struct cc_lower_files inputs;
  int status = cc_lower_read(&inputs, command);
  *lowered = false;
  for (size_t i = 0; i < inputs.count && !status; i++)
    status = cc_lower_input(&inputs, i, command, directory, lowered);
  cc_lower_free(&inputs);
  return status;
}
