#include "lower_program.h"

#include "lower_borrow.h"
#include "lower_circle.h"
#include "lower_closure.h"
#include "lower_debug.h"
#include "lower_expr.h"
#include "lower_type.h"

#include <stdlib.h>
#include <string.h>

/* LLVM's number for tailcc; the C API has no name for it. */
enum { TAIL_CALL_CONVENTION = 18 };

LLVMValueRef lower_program_function(struct lower *lower, const struct ast_function *function) {
  char *name = NULL;
  if (asprintf(&name, "osprey.%s", function->symbol) < 0)
    abort();
  LLVMValueRef ir = LLVMGetNamedFunction(lower->module, name);
  if (!ir) {
    ir = LLVMAddFunction(lower->module, name, lower_type_function(lower, function->type, function->capture_count > 0));
    LLVMSetLinkage(ir, LLVMInternalLinkage);
    LLVMSetFunctionCallConv(ir, TAIL_CALL_CONVENTION);
    lower_attribute(lower, ir, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "nounwind", 0);
  }
  free(name);
  return ir;
}

/* Pushes the parameters that the function owns. */
static void program_function_body(struct lower *lower, const struct ast_function *function) {
  struct lower_function fn = {.lower = lower, .ast = function, .ir = lower_program_function(lower, function)};
  fn.scope = lower_debug_function(lower, function, fn.ir);
  fn.entry = lower_block_new(&fn, "entry");
  LLVMBasicBlockRef start = lower_block_new(&fn, "start");
  LLVMPositionBuilderAtEnd(lower->builder, start);
  lower_debug_place(&fn, function->place);
  unsigned at = 0;
  if (function->capture_count > 0) {
    fn.cell = LLVMGetParam(fn.ir, at++);
    LLVMSetValueName2(fn.cell, "cell", strlen("cell"));
    if (!function->cell_borrowed)
      lower_push(&fn, fn.cell);
  }
  for (size_t i = 0; i < function->parameter_count; i++) {
    struct ast_variable *variable = function->parameters[i];
    variable->ir = LLVMGetParam(fn.ir, at++);
    LLVMSetValueName2(variable->ir, variable->name, strlen(variable->name));
    lower_debug_variable(&fn, variable);
    if (type_is_managed(variable->type) && !variable->borrowed)
      lower_push(&fn, variable->ir);
  }
  for (size_t i = 0; i < function->capture_count; i++) {
    function->captures[i].variable->ir = lower_closure_capture(&fn, i);
    lower_debug_variable(&fn, function->captures[i].variable);
  }
  lower_expr_to(&fn, function->body, &(struct lower_target){.returns = true});
  LLVMPositionBuilderAtEnd(lower->builder, fn.entry);
  LLVMSetCurrentDebugLocation2(lower->builder, NULL);
  LLVMBuildBr(lower->builder, start);
  free(fn.cleanups);
}

/* Calls a function without parameters from C's main, and drops its value. */
static void program_main_call(struct lower_function *fn, const struct ast_function *function) {
  struct lower *lower = fn->lower;
  lower_debug_place(fn, function->place);
  LLVMValueRef ir = lower_program_function(lower, function);
  LLVMValueRef value = LLVMBuildCall2(lower->builder, LLVMGlobalGetValueType(ir), ir, NULL, 0, "");
  LLVMSetInstructionCallConv(value, TAIL_CALL_CONVENTION);
  if (type_is_managed(function->type->function.result))
    lower_call_hook(lower, "osp_release", NULL, &value, 1);
}

/* With debug information, because what is inlined into a function that has none loses its own.
 *
 *     define i32 @main(i32 %argc, ptr %argv) {
 *       call void @osp_mem_boot()
 *       call void @osp_rt_boot(i32 %argc, ptr %argv)
 *       call tailcc i64 @osprey.init()
 *       call tailcc i64 @osprey.main()
 *       ret i32 0
 *     }
 */
static void program_main(struct lower *lower) {
  LLVMTypeRef status = LLVMInt32TypeInContext(lower->llvm);
  LLVMTypeRef parameters[] = {status, lower->pointer};
  LLVMValueRef ir = LLVMAddFunction(lower->module, "main", LLVMFunctionType(status, parameters, 2, false));
  LLVMPositionBuilderAtEnd(lower->builder, LLVMAppendBasicBlockInContext(lower->llvm, ir, "entry"));
  const struct ast_function *first = lower->program->main ? lower->program->main : lower->program->init;
  struct lower_function fn = {.lower = lower, .ir = ir, .scope = lower_debug_function(lower, first, ir)};
  lower_debug_place(&fn, first->place);
  LLVMValueRef arguments[] = {LLVMGetParam(ir, 0), LLVMGetParam(ir, 1)};
  lower_call_hook(lower, "osp_mem_boot", NULL, NULL, 0);
  lower_call_hook(lower, "osp_rt_boot", NULL, arguments, 2);
  program_main_call(&fn, lower->program->init);
  if (lower->program->main)
    program_main_call(&fn, lower->program->main);
  LLVMBuildRet(lower->builder, LLVMConstInt(status, 0, false));
}

LLVMModuleRef lower_program(const struct ast_program *program, LLVMContextRef llvm, const char *triple,
                            LLVMTargetDataRef layout, bool debug_variables, bool splits_blocks, FILE *err) {
  struct lower lower = {
      .program = program,
      .debug_variables = debug_variables,
      .splits_blocks = splits_blocks,
      .err = err,
      .llvm = llvm,
      .module = LLVMModuleCreateWithNameInContext(program->source->path, llvm),
      .builder = LLVMCreateBuilderInContext(llvm),
      .layout = layout,
      .bit = LLVMInt1TypeInContext(llvm),
      .byte = LLVMInt8TypeInContext(llvm),
      .word = LLVMInt64TypeInContext(llvm),
      .real = LLVMDoubleTypeInContext(llvm),
      .pointer = LLVMPointerTypeInContext(llvm, 0),
  };
  LLVMSetTarget(lower.module, triple);
  LLVMSetModuleDataLayout(lower.module, layout);
  lower_debug_begin(&lower);
  lower_borrow(program);
  for (size_t i = 0; i < program->function_count; i++)
    program->functions[i]->number = (unsigned)i;
  for (size_t i = 0; i < program->function_count; i++)
    program_function_body(&lower, program->functions[i]);
  program_main(&lower);
  lower_circle_mark(&lower);
  lower_debug_end(&lower);
  LLVMDisposeBuilder(lower.builder);
  if (!lower.failed)
    return lower.module;
  LLVMDisposeModule(lower.module);
  return NULL;
}
