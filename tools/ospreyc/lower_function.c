/* Functions of the program.
 *
 *     define internal tailcc T @osprey.NAME(ptr %cell, parameters…)     %cell only where it captures
 *
 * Internal, so that an Osprey `fn close` is not the C library's, and by that prefix, so that LLVM does not take it for that
 * either. tailcc, so that a tail call reuses the stack whatever the two parameter lists are. The parameters are owned.
 */
#include "lower.h"

#include <stdlib.h>
#include <string.h>

/* LLVM's number for tailcc; the C API has no name for it. */
enum { TAIL_CALL_CONVENTION = 18 };

static LLVMValueRef function_add(struct lower *lower, const char *name, const struct ast_function *function) {
  LLVMTypeRef type = lower_type_function(lower, function->type, function->capture_count > 0);
  LLVMValueRef ir = LLVMAddFunction(lower->module, name, type);
  LLVMSetLinkage(ir, LLVMInternalLinkage);
  LLVMSetFunctionCallConv(ir, TAIL_CALL_CONVENTION);
  unsigned nounwind = LLVMGetEnumAttributeKindForName("nounwind", strlen("nounwind"));
  LLVMAddAttributeAtIndex(ir, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                          LLVMCreateEnumAttribute(lower->llvm, nounwind, 0));
  return ir;
}

LLVMValueRef lower_program_function(struct lower *lower, const struct ast_function *function) {
  char *name = NULL;
  if (asprintf(&name, "osprey.%s", function->symbol) < 0)
    abort();
  LLVMValueRef ir = LLVMGetNamedFunction(lower->module, name);
  if (!ir)
    ir = function_add(lower, name, function);
  free(name);
  return ir;
}

/* Binds the parameters, and pushes those that are counted. */
static void function_parameters(struct lower_function *fn) {
  const struct ast_function *function = fn->ast;
  unsigned at = 0;
  if (function->capture_count > 0) {
    fn->cell = LLVMGetParam(fn->ir, at++);
    LLVMSetValueName2(fn->cell, "cell", strlen("cell"));
    lower_push(fn, fn->cell);
  }
  for (size_t i = 0; i < function->parameter_count; i++) {
    const struct ast_variable *variable = function->parameters[i];
    LLVMValueRef ir = LLVMGetParam(fn->ir, at++);
    LLVMSetValueName2(ir, variable->name, strlen(variable->name));
    lower_bind(fn->lower, variable, ir);
    if (type_is_managed(variable->type))
      lower_push(fn, ir);
  }
}

static void function_captures(struct lower_function *fn) {
  for (size_t i = 0; i < fn->ast->capture_count; i++)
    lower_bind(fn->lower, fn->ast->captures[i].variable, lower_closure_capture(fn, i));
}

void lower_function_body(struct lower *lower, const struct ast_function *function) {
  struct lower_function fn = {.lower = lower, .ast = function, .ir = lower_program_function(lower, function)};
  fn.scope = lower_debug_function(lower, function, fn.ir);
  fn.entry = lower_block_new(&fn, "entry");
  LLVMBasicBlockRef start = lower_block_new(&fn, "start");
  LLVMPositionBuilderAtEnd(lower->builder, start);
  lower_debug_place(&fn, function->place);
  function_parameters(&fn);
  function_captures(&fn);
  lower_expr_to(&fn, function->body, &(struct lower_target){.returns = true});
  LLVMPositionBuilderAtEnd(lower->builder, fn.entry);
  LLVMSetCurrentDebugLocation2(lower->builder, NULL);
  LLVMBuildBr(lower->builder, start);
  free(fn.cleanups);
}

/* Calls a function without parameters from C's main, and drops its value. */
static void main_call(struct lower *lower, const struct ast_function *function) {
  LLVMValueRef ir = lower_program_function(lower, function);
  LLVMValueRef value = LLVMBuildCall2(lower->builder, LLVMGlobalGetValueType(ir), ir, NULL, 0, "");
  LLVMSetInstructionCallConv(value, TAIL_CALL_CONVENTION);
  if (type_is_managed(function->type->function.result))
    lower_call_hook(lower, "osp_release", NULL, &value, 1);
}

/*     define i32 @main(i32 %argc, ptr %argv) {
 *       call void @osp_mem_boot()
 *       call void @osp_rt_boot(i32 %argc, ptr %argv)
 *       call tailcc i64 @osprey.init()
 *       call tailcc i64 @osprey.main()
 *       ret i32 0
 *     }
 */
void lower_main(struct lower *lower) {
  LLVMTypeRef status = LLVMInt32TypeInContext(lower->llvm);
  LLVMTypeRef parameters[] = {status, lower->pointer};
  LLVMValueRef ir = LLVMAddFunction(lower->module, "main", LLVMFunctionType(status, parameters, 2, false));
  LLVMPositionBuilderAtEnd(lower->builder, LLVMAppendBasicBlockInContext(lower->llvm, ir, "entry"));
  LLVMSetCurrentDebugLocation2(lower->builder, NULL);
  LLVMValueRef arguments[] = {LLVMGetParam(ir, 0), LLVMGetParam(ir, 1)};
  lower_call_hook(lower, "osp_mem_boot", NULL, NULL, 0);
  lower_call_hook(lower, "osp_rt_boot", NULL, arguments, 2);
  main_call(lower, lower->program->init);
  if (lower->program->main)
    main_call(lower, lower->program->main);
  LLVMBuildRet(lower->builder, LLVMConstInt(status, 0, false));
}
