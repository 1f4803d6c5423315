#include "back.h"

#include "arena.h"
#include "diag.h"
#include "emit.h"
#include "link.h"
#include "lower_program.h"
#include "lower_table.h"

#include "osprey_ws_codegen.h"

#include <llvm-c/Core.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct back {
  LLVMContextRef llvm;
  LLVMModuleRef module;
  struct emit_machine machine;
};

struct back_reports {
  const struct ast_program *program;
  FILE *err;
};

/* Returns the program's own declaration of what a diagnostic is about, or NULL. */
static const struct ast_extern *back_find_extern(const struct ast_program *program, LLVMValueRef about) {
  size_t length;
  const char *name = about && LLVMIsAFunction(about) ? LLVMGetValueName2(about, &length) : "";
  for (size_t i = 0; i < program->extern_count; i++)
    if (!strcmp(program->externs[i]->name, name))
      return program->externs[i];
  return NULL;
}

/* Only an extern function of the runtime's name can give lowering a cause. */
static void back_report(const struct osp_ws_codegen_diagnostic *diagnostic, void *context) {
  const struct back_reports *reports = context;
  const struct ast_extern *external = back_find_extern(reports->program, diagnostic->value);
  if (!external) {
    bool error = diagnostic->severity == OSP_WS_CODEGEN_ERROR;
    fprintf(reports->err, "%s: %s\n", error ? "error" : "warning", diagnostic->message);
    return;
  }
  struct arena arena;
  struct diag diag;
  arena_init(&arena);
  diag_init(&diag, &arena, reports->program->source);
  diag_error(&diag, external->place, "%s", diagnostic->message);
  diag_print(&diag, reports->err);
  arena_deinit(&arena);
}

static void back_end(struct back *back) {
  if (back->module)
    LLVMDisposeModule(back->module);
  emit_machine_deinit(&back->machine);
  LLVMContextDispose(back->llvm);
}

/* Lowers the program to a verified module, and optimises it unless the level is negative. */
static int back_begin(struct back *back, const struct ast_program *program, bool keep_builtins, bool debug_variables,
                      int optimise, FILE *err) {
  *back = (struct back){.llvm = LLVMContextCreate()};
  osp_ws_codegen_prepare_context(back->llvm);
  if (emit_machine_init(&back->machine, optimise < 0 ? 0 : (unsigned)optimise, err) < 0)
    return -1;
  back->module = lower_program(program, back->llvm, back->machine.triple, back->machine.layout, debug_variables,
                               optimise == 0, err);
  if (!back->module)
    return -1;
  struct osp_ws_codegen_options options = {.size = sizeof options, .no_verify = 1};
  struct back_reports reports = {program, err};
  if (!keep_builtins && osp_ws_codegen_lower_module(back->module, &options, back_report, &reports) < 0)
    return -1;
  if (emit_verify(back->module, err) < 0)
    return -1;
  return optimise < 0 ? 0 : emit_optimise(&back->machine, back->module, (unsigned)optimise, err);
}

int back_print(const struct ast_program *program, const struct back_options *options, FILE *out, FILE *err) {
  struct back back;
  int outcome = back_begin(&back, program, options->keep_builtins, options->debug, options->optimise, err);
  if (outcome == 0) {
    char *text = LLVMPrintModuleToString(back.module);
    fputs(text, out);
    LLVMDisposeMessage(text);
  }
  back_end(&back);
  return outcome;
}

/* Compiles and links the program by way of an object in the scratch directory. */
static int back_build(const struct ast_program *program, const struct back_options *options, const char *scratch,
                      const char *output, FILE *err) {
  struct back back;
  char *object = NULL;
  if (asprintf(&object, "%s/program.o", scratch) < 0)
    return -1;
  int optimise = options->optimise >= 0 ? options->optimise : options->debug ? 0 : 2;
  int outcome = back_begin(&back, program, options->keep_builtins, true, optimise, err);
  if (outcome == 0) {
    lower_table(program, back.module);
    outcome = emit_object(&back.machine, back.module, object, err);
  }
  if (outcome == 0)
    outcome = link_program(program, object, output, err);
  unlink(object);
  free(object);
  back_end(&back);
  return outcome;
}

int back_compile(const struct ast_program *program, const struct back_options *options, const char *output, FILE *err) {
  char *scratch = link_scratch(err);
  if (!scratch)
    return -1;
  int outcome = back_build(program, options, scratch, output, err);
  rmdir(scratch);
  free(scratch);
  return outcome;
}

int back_run(const struct ast_program *program, const struct back_options *options, const char *output,
             char *const *arguments, FILE *err) {
  if (output)
    return back_compile(program, options, output, err) < 0 ? -1 : link_run(output, NULL, arguments, err);
  char *file = NULL, *scratch = link_scratch(err);
  if (scratch && asprintf(&file, "%s/program", scratch) >= 0) {
    if (back_build(program, options, scratch, file, err) == 0) {
      link_run(file, scratch, arguments, err);
    } else {
      unlink(file);
      rmdir(scratch);
    }
    free(file);
  }
  free(scratch);
  return -1;
}
