#include "cc_lower.h"

#include <llvm-c/Core.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../osprey-ws-lower/ir_file.h"
#include "cc_clash.h"
#include "cc_object.h"
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

/* Returns true if the name is a builtin's, with or without ".unboxed". */
static bool cc_lower_is_builtin(const char *name) {
  static const char suffix[] = ".unboxed";
  size_t length = strlen(name), suffix_length = sizeof suffix - 1;
  bool has_suffix = length > suffix_length && !strcmp(name + length - suffix_length, suffix);
  char *builtin = strndup(name, has_suffix ? length - suffix_length : length);
  bool is_builtin = builtin && osp_ws_codegen_find(builtin);
  free(builtin);
  return is_builtin;
}

static bool cc_lower_has_builtin(LLVMModuleRef module) {
  size_t length;
  for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
    if (cc_lower_is_builtin(LLVMGetValueName2(f, &length)))
      return true;
  return false;
}

/* Hides clashing names. Returns true if clang can read the original input: the module is unchanged and needs no
 * lowering. Standard input cannot be read a second time. */
static bool cc_lower_keeps_input(const struct cc_lower_files *inputs, size_t which, const char *name) {
  const struct ir_file *file = &inputs->files[which];
  bool changes =
      file->module && (cc_clash_hide(inputs->files, inputs->count, which) > 0 || cc_lower_has_builtin(file->module));
  return !changes && strcmp(name, "-") != 0;
}

/* A function that another input defines is the program's own, though it has a builtin's name. */
static const char cc_lower_aside[] = ".elsewhere";

static void cc_lower_rename(LLVMValueRef function, size_t length, const char *suffix) {
  size_t all;
  char *name = NULL;
  if (asprintf(&name, "%.*s%s", (int)length, LLVMGetValueName2(function, &all), suffix) >= 0)
    LLVMSetValueName2(function, name, strlen(name));
  free(name);
}

/* Renames the declarations of such functions, so that they are not lowered. */
static void cc_lower_set_aside(const struct cc_lower_files *inputs, size_t which) {
  LLVMModuleRef module = inputs->files[which].module;
  size_t length;
  for (LLVMValueRef f = module ? LLVMGetFirstFunction(module) : NULL; f; f = LLVMGetNextFunction(f)) {
    const char *name = LLVMGetValueName2(f, &length);
    if (LLVMIsDeclaration(f) && cc_lower_is_builtin(name) &&
        cc_clash_is_defined_elsewhere(inputs->files, inputs->count, which, name))
      cc_lower_rename(f, length, cc_lower_aside);
  }
}

static void cc_lower_put_back(LLVMModuleRef module) {
  const size_t suffix = sizeof cc_lower_aside - 1;
  size_t length;
  for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f)) {
    const char *name = LLVMGetValueName2(f, &length);
    if (length > suffix && !strcmp(name + length - suffix, cc_lower_aside))
      cc_lower_rename(f, length - suffix, "");
  }
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
  cc_lower_put_back(file->module);
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
  cc_lower_set_aside(inputs, which);
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

/* What an object defines cannot be hidden any more. */
static void cc_lower_warn_of(const char *name, void *path) {
  if (cc_clash_is_reserved(name))
    fprintf(stderr,
            "%s: warning: it defines '%s', a name of the C library's or the runtime's, whose calls may reach it; if it "
            "was made of a .ll, pass that to this command\n",
            (const char *)path, name);
}

static void cc_lower_check_objects(const struct cc_command *command) {
  for (size_t i = 0; command->links && i < command->count; i++)
    if (command->arguments[i].role == CC_INPUT)
      cc_object_each_definition(command->arguments[i].text, cc_lower_warn_of, command->arguments[i].text);
}

int cc_lower_inputs(struct cc_command *command, const char *directory, bool *lowered) {
  struct cc_lower_files inputs;
  int status = cc_lower_read(&inputs, command);
  *lowered = false;
  if (command->is_static)
    cc_clash_reserve_archives();
  for (size_t i = 0; i < inputs.count && !status; i++)
    status = cc_lower_input(&inputs, i, command, directory, lowered);
  cc_lower_free(&inputs);
  if (!status)
    cc_lower_check_objects(command);
  return status;
}
