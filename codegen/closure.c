#include "closure.h"

#include "attribute.h"
#include "constant.h"
#include "memory.h"
#include "type.h"

#include <llvm-c/Comdat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The names of forwarders and cells end with the name of the function. LLVM numbers names that are taken. */
static const char cg_forward_prefix[] = "osp_ws.forward.";
static const char cg_cell_prefix[] = "osp_ws.cell.";

/* Returns the prefix and the function's name, to be freed, or NULL if out of memory. */
static char *cg_joined_name(const char *prefix, LLVMValueRef function) {
  size_t length;
  const char *name = LLVMGetValueName2(function, &length);
  size_t size = strlen(prefix) + length + 1;
  char *joined = malloc(size);
  if (joined)
    snprintf(joined, size, "%s%.*s", prefix, (int)length, name);
  return joined;
}

/* A linker that drops a comdat drops a local function in it, and what names the function has to go too. */
static void cg_follow_comdat(LLVMValueRef global, LLVMValueRef function) {
  if (function && cg_memory_is_local(function) && LLVMGetComdat(function))
    LLVMSetComdat(global, LLVMGetComdat(function));
}

/* Adds an internal function that follows the rules of the module, and those of the model (may be NULL). */
static LLVMValueRef cg_add_internal(LLVMModuleRef module, const char *name, LLVMTypeRef type, LLVMValueRef model) {
  LLVMValueRef function = LLVMAddFunction(module, name, type);
  struct cg_attribute_shared shared = {NULL, {NULL}};
  LLVMSetLinkage(function, LLVMInternalLinkage);
  LLVMSetUnnamedAddress(function, LLVMGlobalUnnamedAddr);
  cg_attribute_add(function, CG_ATTRIBUTE_FUNCTION, "nounwind", 0);
  cg_attribute_add_defaults(function);
  cg_attribute_share(&shared, model);
  cg_attribute_add_shared(function, &shared);
  return function;
}

/* define internal ptr @osp_ws.forward.NAME(ptr %cell, parameters…) {
 *   %result = tail call ptr @NAME(parameters…)
 *   ret ptr %result
 * }
 *
 * The call has the calling convention and the attributes of the function, the forwarder those that C gives it. A
 * declaration need not have the attributes of its module's functions: the caller is the model then. */
static LLVMValueRef cg_build_forwarder(const struct cg_closures *closures, LLVMValueRef raw, LLVMValueRef caller) {
  const struct osp_ws_codegen_type *handler = closures->handler;
  LLVMContextRef llvm = LLVMGetModuleContext(closures->module);
  LLVMValueRef function = cg_constant_function_behind(raw);
  char *name = cg_joined_name(cg_forward_prefix, raw);
  LLVMValueRef forwarder =
      cg_add_internal(closures->module, name ? name : cg_forward_prefix, osp_ws_codegen_handler_type(llvm, handler),
                      function && !LLVMIsDeclaration(function) ? function : caller);
  free(name);
  cg_follow_comdat(forwarder, function);
  LLVMValueRef parameters[CG_TYPE_MOST_MEMBERS];
  LLVMGetParams(forwarder, parameters);
  LLVMSetValueName2(parameters[0], "cell", 4);
  for (size_t i = 0; i < handler->member_count; i++)
    LLVMSetValueName2(parameters[i + 1], handler->members[i].name, strlen(handler->members[i].name));

  LLVMBuilderRef builder = LLVMCreateBuilderInContext(llvm);
  LLVMPositionBuilderAtEnd(builder, LLVMAppendBasicBlockInContext(llvm, forwarder, "entry"));
  LLVMValueRef call = LLVMBuildCall2(builder, cg_type_raw_handler(llvm, handler), raw, parameters + 1,
                                     (unsigned)handler->member_count, "result");
  if (function) {
    LLVMSetInstructionCallConv(call, LLVMGetFunctionCallConv(function));
    cg_attribute_copy_to_call(function, call);
  }
  LLVMSetTailCall(call, true);
  LLVMBuildRet(builder, call);
  LLVMDisposeBuilder(builder);
  return forwarder;
}

/* @osp_ws.cell.NAME = private unnamed_addr constant { ptr } { ptr @osp_ws.forward.NAME }, align 8 */
static LLVMValueRef cg_build_cell(const struct cg_closures *closures, LLVMValueRef raw, LLVMValueRef caller) {
  LLVMValueRef forwarder = cg_build_forwarder(closures, raw, caller);
  LLVMValueRef initializer = LLVMConstStructInContext(LLVMGetModuleContext(closures->module), &forwarder, 1, false);
  char *name = cg_joined_name(cg_cell_prefix, raw);
  LLVMValueRef cell = LLVMAddGlobal(closures->module, LLVMTypeOf(initializer), name ? name : cg_cell_prefix);
  free(name);
  LLVMSetInitializer(cell, initializer);
  LLVMSetLinkage(cell, LLVMPrivateLinkage);
  LLVMSetUnnamedAddress(cell, LLVMGlobalUnnamedAddr);
  LLVMSetGlobalConstant(cell, true);
  LLVMSetAlignment(cell, 8);
  cg_follow_comdat(cell, cg_constant_function_behind(raw));
  return cell;
}

/* Returns the cell of a plain function. */
static LLVMValueRef cg_cell_of(struct cg_closures *closures, LLVMValueRef constant, LLVMValueRef caller) {
  LLVMValueRef raw = cg_constant_strip(constant);
  size_t *known = cg_map_at(&closures->cells, (uintptr_t)raw);
  if (known && *known)
    return (LLVMValueRef)*known;
  LLVMValueRef cell = cg_build_cell(closures, raw, caller);
  if (known)
    *known = (size_t)cell;
  return cell;
}

/*   %is = icmp eq ptr %handler, @NAME
 *   %cell = select i1 %is, ptr @osp_ws.cell.NAME, ptr %handler
 *   … one such pair for each function that a choice may give … */
static LLVMValueRef cg_build_comparisons(struct cg_closures *closures, LLVMBuilderRef builder, LLVMValueRef handler,
                                         LLVMValueRef caller) {
  LLVMValueRef cell = handler;
  size_t count;
  const LLVMValueRef *choices = cg_flow_choices(closures->flow, &count);
  for (size_t i = 0; i < count; i++) {
    LLVMValueRef is = LLVMBuildICmp(builder, LLVMIntEQ, handler, choices[i], "is");
    cell = LLVMBuildSelect(builder, is, cg_cell_of(closures, choices[i], caller), cell, "cell");
  }
  return cell;
}

/* define internal ptr @osp_ws.to_cell(ptr %handler) */
static LLVMValueRef cg_build_to_cell(struct cg_closures *closures, LLVMValueRef caller) {
  LLVMContextRef llvm = LLVMGetModuleContext(closures->module);
  LLVMTypeRef pointer = cg_type_pointer(llvm);
  LLVMValueRef function =
      cg_add_internal(closures->module, "osp_ws.to_cell", LLVMFunctionType(pointer, &pointer, 1, false), caller);
  LLVMValueRef handler = LLVMGetParam(function, 0);
  cg_attribute_add_text(function, CG_FLOW_MARK, "");
  LLVMSetValueName2(handler, "handler", 7);
  LLVMBuilderRef builder = LLVMCreateBuilderInContext(llvm);
  LLVMPositionBuilderAtEnd(builder, LLVMAppendBasicBlockInContext(llvm, function, "entry"));
  LLVMBuildRet(builder, cg_build_comparisons(closures, builder, handler, caller));
  LLVMDisposeBuilder(builder);
  return function;
}

/* A call in a Windows funclet has an operand bundle with the pad, and a call that is added beside it would need the
 * same. The operands of a call are its arguments, its bundles, its successors and the callee. */
static bool cg_is_in_funclet(LLVMValueRef call) {
  for (unsigned i = LLVMGetNumArgOperands(call); i < (unsigned)LLVMGetNumOperands(call); i++)
    if (LLVMIsAFuncletPadInst(LLVMGetOperand(call, i)))
      return true;
  return false;
}

static LLVMValueRef cg_build_look_up(struct cg_closures *closures, LLVMValueRef call, LLVMValueRef handler) {
  LLVMValueRef caller = LLVMGetBasicBlockParent(LLVMGetInstructionParent(call)), cell;
  LLVMBuilderRef builder = LLVMCreateBuilderInContext(LLVMGetModuleContext(closures->module));
  LLVMPositionBuilderBefore(builder, call); /* takes its debug location too */
  if (cg_is_in_funclet(call)) {
    cell = cg_build_comparisons(closures, builder, handler, caller);
    cg_flow_mark(cell);
  } else {
    if (!closures->to_cell)
      closures->to_cell = cg_build_to_cell(closures, caller);
    LLVMTypeRef type = LLVMGlobalGetValueType(closures->to_cell);
    cell = LLVMBuildCall2(builder, type, closures->to_cell, &handler, 1, "cell");
  }
  LLVMDisposeBuilder(builder);
  return cell;
}

/* Erases bitcasts that have no use any more. */
static void cg_erase_unused(LLVMValueRef value) {
  while (LLVMIsABitCastInst(value) && !LLVMGetFirstUse(value)) {
    LLVMValueRef operand = LLVMGetOperand(value, 0);
    LLVMInstructionEraseFromParent(value);
    value = operand;
  }
}

void cg_closure_adapt(struct cg_closures *closures, LLVMValueRef call, unsigned operand) {
  LLVMValueRef handler = LLVMGetOperand(call, operand), value = cg_flow_operand(handler);
  if (!cg_flow_facts(closures->flow, handler).witness[CG_FACT_RAW])
    return;
  if (LLVMIsConstant(value) && cg_constant_is_function(cg_constant_strip(value))) {
    LLVMValueRef caller = LLVMGetBasicBlockParent(LLVMGetInstructionParent(call));
    LLVMSetOperand(call, operand, cg_cell_of(closures, value, caller));
    cg_erase_unused(handler);
  } else {
    LLVMSetOperand(call, operand, cg_build_look_up(closures, call, handler));
  }
}

void cg_closure_free(struct cg_closures *closures) {
  cg_flow_free(closures->flow);
  cg_map_free(&closures->cells);
}
