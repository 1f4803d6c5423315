#include "lower_program.h"
#include "lower.h"

#include <stdlib.h>

static void lower_begin(struct lower *lower, const char *triple) {
  lower->module = LLVMModuleCreateWithNameInContext(lower->program->source->path, lower->llvm);
  LLVMSetTarget(lower->module, triple);
  LLVMSetModuleDataLayout(lower->module, lower->layout);
  lower->builder = LLVMCreateBuilderInContext(lower->llvm);
  lower->bit = LLVMInt1TypeInContext(lower->llvm);
  lower->byte = LLVMInt8TypeInContext(lower->llvm);
  lower->word = LLVMInt64TypeInContext(lower->llvm);
  lower->real = LLVMDoubleTypeInContext(lower->llvm);
  lower->pointer = LLVMPointerTypeInContext(lower->llvm, 0);
  lower_debug_begin(lower);
}

static void lower_end(struct lower *lower) {
  lower_debug_end(lower);
  LLVMDisposeBuilder(lower->builder);
  free(lower->bindings.keys);
  free(lower->bindings.values);
}

LLVMModuleRef lower_program(const struct ast_program *program, LLVMContextRef llvm, const char *triple,
                            LLVMTargetDataRef layout, FILE *err) {
  struct lower lower = {.program = program, .err = err, .llvm = llvm, .layout = layout};
  lower_begin(&lower, triple);
  for (size_t i = 0; i < program->function_count; i++)
    lower_function_body(&lower, program->functions[i]);
  lower_main(&lower);
  lower_end(&lower);
  if (!lower.failed)
    return lower.module;
  LLVMDisposeModule(lower.module);
  return NULL;
}
