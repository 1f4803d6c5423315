#include "attribute.h"
#include "check.h"
#include "closure.h"
#include "declare.h"
#include "result.h"
#include "type.h"

#include <llvm-c/Analysis.h>
#include <stdlib.h>
#include <string.h>

/* Lowers a module. This file and build.c are the entry points of the library. Both run all checks (check.c) before they
 * modify the module.
 *
 * Lowering iterates over the table of builtins, looks up the name and the alias of each in the module, and visits the
 * uses of that function only. Its cost depends on the number of these uses, not on the size of the module. */

static bool cg_is_call_of(LLVMValueRef user, LLVMValueRef function) {
  return (LLVMIsACallInst(user) || LLVMIsAInvokeInst(user) || LLVMIsACallBrInst(user)) &&
         LLVMGetCalledValue(user) == function;
}

/* The calls of a function, in the order of the module. LLVM lists uses from the last to the first. */
struct cg_calls {
  LLVMValueRef *items; /* to be freed; NULL if out of memory */
  size_t count;
};

static struct cg_calls cg_calls_of(LLVMValueRef function) {
  size_t count = 0;
  for (LLVMUseRef use = LLVMGetFirstUse(function); use; use = LLVMGetNextUse(use))
    count += cg_is_call_of(LLVMGetUser(use), function);
  struct cg_calls calls = {calloc(count + 1, sizeof *calls.items), 0};
  if (!calls.items)
    return calls;
  calls.count = count;
  for (LLVMUseRef use = LLVMGetFirstUse(function); use; use = LLVMGetNextUse(use))
    if (cg_is_call_of(LLVMGetUser(use), function))
      calls.items[--count] = LLVMGetUser(use);
  return calls;
}

static bool cg_takes_handler(const struct osp_ws_codegen_builtin *builtin) {
  for (size_t i = 0; i < builtin->parameter_count; i++)
    if (builtin->parameters[i].type->kind == OSP_WS_CODEGEN_HANDLER)
      return true;
  return false;
}

/* Whether an earlier lowering created the function's body. Linking modules may have added calls since. */
static bool cg_is_lowered(LLVMValueRef global, const struct osp_ws_codegen_builtin *builtin) {
  LLVMContextRef llvm = LLVMGetModuleContext(LLVMGetGlobalParent(global));
  return LLVMIsAFunction(global) && LLVMGetLinkage(global) == LLVMLinkOnceODRLinkage &&
         LLVMGetVisibility(global) == LLVMHiddenVisibility &&
         LLVMGlobalGetValueType(global) == osp_ws_codegen_function_type(llvm, builtin);
}

/* Returns the declaration of a builtin, or the body of an earlier lowering. Returns NULL if the module has neither, or
 * if the program defines the name itself. */
static LLVMValueRef cg_find_builtin(LLVMModuleRef module, const char *name,
                                    const struct osp_ws_codegen_builtin *builtin) {
  LLVMValueRef global = cg_declare_find(module, name);
  return global && (LLVMIsDeclaration(global) || cg_is_lowered(global, builtin)) ? global : NULL;
}

static bool cg_check_name(LLVMModuleRef module, const char *name, const struct osp_ws_codegen_builtin *builtin,
                          struct cg_diag *diag) {
  LLVMValueRef function = cg_find_builtin(module, name, builtin);
  if (!function)
    return false;
  if (!cg_check_function(function, name, builtin, diag))
    return true;
  struct cg_calls calls = cg_calls_of(function);
  if (!calls.items)
    cg_diag_error(diag, function, "out of memory");
  for (size_t i = 0; calls.items && i < calls.count; i++)
    cg_check_call(calls.items[i], name, builtin, diag);
  free(calls.items);
  return true;
}

static bool cg_names_any(LLVMModuleRef module) {
  size_t count;
  const struct osp_ws_codegen_builtin *builtins = osp_ws_codegen_builtins(&count);
  for (size_t i = 0; i < count; i++)
    if (cg_declare_find(module, builtins[i].name) || cg_declare_find(module, builtins[i].alias))
      return true;
  return false;
}

/* Reports every error in the use of builtins. */
static void cg_check_module(LLVMModuleRef module, struct cg_diag *diag) {
  bool any = false;
  size_t count;
  const struct osp_ws_codegen_builtin *builtins = osp_ws_codegen_builtins(&count);
  for (size_t i = 0; i < count; i++) {
    bool named = cg_check_name(module, builtins[i].name, &builtins[i], diag);
    bool aliased = cg_check_name(module, builtins[i].alias, &builtins[i], diag);
    if (named || aliased)
      cg_check_runtime(module, &builtins[i], diag);
    any = any || named || aliased;
  }
  if (any) {
    cg_check_alloc(module, diag);
    cg_check_target(module, diag);
  }
}

static void cg_adapt_call(LLVMModuleRef module, LLVMValueRef call, const struct osp_ws_codegen_builtin *builtin) {
  for (unsigned i = 0; i < builtin->parameter_count; i++) {
    const struct osp_ws_codegen_type *type = builtin->parameters[i].type;
    if (type->kind != OSP_WS_CODEGEN_HANDLER)
      continue;
    LLVMValueRef operand = LLVMGetOperand(call, i);
    LLVMValueRef cell = cg_closure_adapt(module, operand, type);
    if (cell == operand)
      continue;
    LLVMSetOperand(call, i, cell);
    cg_closure_erase_unused(operand);
  }
}

static void cg_adapt_calls(LLVMModuleRef module, const struct cg_calls *calls,
                           const struct osp_ws_codegen_builtin *builtin) {
  for (size_t i = 0; i < calls->count; i++)
    cg_adapt_call(module, calls->items[i], builtin);
}

/*   %error = alloca ptr, align 8
 *   %answer = call T @osp_ws_NAME(parameters…, ptr %error)
 *   %failure = load ptr, ptr %error                          ; null on success
 *   … builds the Result block from %answer and %failure …
 *   ret ptr %result
 *
 * On failure the entry point returns zero or null, so no select is needed. If the result is Success, the answer is
 * ignored and 0 is stored. */
static void cg_build_body(LLVMModuleRef module, LLVMValueRef function, const struct osp_ws_codegen_builtin *builtin) {
  LLVMContextRef llvm = LLVMGetModuleContext(module);
  LLVMTypeRef pointer = cg_type_pointer(llvm);
  LLVMValueRef arguments[CG_TYPE_MOST_MEMBERS];
  unsigned count = LLVMCountParams(function);
  LLVMBuilderRef builder = LLVMCreateBuilderInContext(llvm);
  LLVMPositionBuilderAtEnd(builder, LLVMAppendBasicBlockInContext(llvm, function, "entry"));
  LLVMValueRef error = LLVMBuildAlloca(builder, pointer, "error");
  LLVMSetAlignment(error, 8);
  LLVMGetParams(function, arguments);
  arguments[count] = error;
  bool has_answer = builtin->result->kind != OSP_WS_CODEGEN_SUCCESS;
  LLVMValueRef answer = LLVMBuildCall2(builder, cg_type_entry(llvm, builtin), cg_declare_entry(module, builtin),
                                       arguments, count + 1, has_answer ? "answer" : "");
  LLVMValueRef failure = LLVMBuildLoad2(builder, pointer, error, "failure");
  LLVMSetAlignment(failure, 8);
  if (!has_answer)
    answer = LLVMConstNull(LLVMTypeOf(answer));
  LLVMBuildRet(builder, cg_result_build(builder, module, builtin->result, answer, failure));
  LLVMDisposeBuilder(builder);
}

/* The body gets the sanitizer attributes of the first caller. */
static void cg_lower_name(LLVMModuleRef module, const char *name, const struct osp_ws_codegen_builtin *builtin) {
  LLVMValueRef function = cg_find_builtin(module, name, builtin);
  if (!function)
    return;
  struct cg_calls calls = cg_calls_of(function);
  if (cg_takes_handler(builtin))
    cg_adapt_calls(module, &calls, builtin);
  if (LLVMIsDeclaration(function)) {
    cg_declare_mark_builtin(function, builtin);
    cg_build_body(module, function, builtin);
    if (calls.count)
      cg_attribute_copy_sanitizers(LLVMGetBasicBlockParent(LLVMGetInstructionParent(calls.items[0])), function);
  }
  free(calls.items);
}

static void cg_lower_all(LLVMModuleRef module) {
  size_t count;
  const struct osp_ws_codegen_builtin *builtins = osp_ws_codegen_builtins(&count);
  for (size_t i = 0; i < count; i++) {
    cg_lower_name(module, builtins[i].name, &builtins[i]);
    cg_lower_name(module, builtins[i].alias, &builtins[i]);
  }
}

static void cg_verify(LLVMModuleRef module, struct cg_diag *diag) {
  char *text = NULL;
  if (LLVMVerifyModule(module, LLVMReturnStatusAction, &text)) {
    size_t length = strlen(text);
    while (length && text[length - 1] == '\n')
      text[--length] = '\0';
    cg_diag_error(diag, NULL, "the module is not valid: %s", text);
  }
  LLVMDisposeMessage(text);
}

int osp_ws_codegen_lower_module(LLVMModuleRef module, const struct osp_ws_codegen_options *options,
                                osp_ws_codegen_report *report, void *context) {
  struct cg_diag diag = {report, context, 0};
  if (!module) {
    cg_diag_error(&diag, NULL, "there is no module to lower");
    return -1;
  }
  if (cg_names_any(module) && cg_check_context(LLVMGetModuleContext(module), &diag)) {
    cg_check_module(module, &diag);
    if (!diag.errors)
      cg_lower_all(module);
  }
  if (!diag.errors && !(options && options->no_verify))
    cg_verify(module, &diag);
  return diag.errors ? -1 : 0;
}
