#include "closure.h"

#include "attribute.h"
#include "type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

LLVMValueRef cg_closure_strip_casts(LLVMValueRef value) {
  for (;;) {
    if (LLVMIsABitCastInst(value) || (LLVMIsAConstantExpr(value) && LLVMGetConstOpcode(value) == LLVMBitCast))
      value = LLVMGetOperand(value, 0);
    else if (LLVMIsAGlobalAlias(value))
      value = LLVMAliasGetAliasee(value);
    else
      return value;
  }
}

/* Prefixes of the names of forwarders and cells; the name of the function follows. No Osprey name contains a dot. LLVM
 * numbers those of unnamed functions. */
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

/* define internal ptr @osp_ws.forward.NAME(ptr %cell, parameters…) {
 *   %result = tail call ptr @NAME(parameters…)
 *   ret ptr %result
 * } */
static LLVMValueRef cg_build_forwarder(LLVMModuleRef module, LLVMValueRef raw, const char *name,
                                       const struct osp_ws_codegen_type *handler) {
  LLVMContextRef llvm = LLVMGetModuleContext(module);
  LLVMValueRef forwarder = LLVMAddFunction(module, name, osp_ws_codegen_handler_type(llvm, handler));
  LLVMValueRef parameters[CG_TYPE_MOST_MEMBERS];
  LLVMGetParams(forwarder, parameters);
  LLVMSetValueName2(parameters[0], "cell", 4);
  for (size_t i = 0; i < handler->member_count; i++)
    LLVMSetValueName2(parameters[i + 1], handler->members[i].name, strlen(handler->members[i].name));
  LLVMSetLinkage(forwarder, LLVMInternalLinkage);
  LLVMSetUnnamedAddress(forwarder, LLVMGlobalUnnamedAddr);
  cg_attribute_add(forwarder, CG_ATTRIBUTE_FUNCTION, "nounwind", 0);
  cg_attribute_copy_sanitizers(raw, forwarder);

  LLVMBuilderRef builder = LLVMCreateBuilderInContext(llvm);
  LLVMPositionBuilderAtEnd(builder, LLVMAppendBasicBlockInContext(llvm, forwarder, "entry"));
  LLVMValueRef call = LLVMBuildCall2(builder, cg_type_raw_handler(llvm, handler), raw, parameters + 1,
                                     (unsigned)handler->member_count, "result");
  LLVMSetInstructionCallConv(call, LLVMGetFunctionCallConv(raw));
  LLVMSetTailCall(call, true);
  LLVMBuildRet(builder, call);
  LLVMDisposeBuilder(builder);
  return forwarder;
}

/* @osp_ws.cell.NAME = private unnamed_addr constant { ptr } { ptr @osp_ws.forward.NAME }, align 8 */
static LLVMValueRef cg_build_cell(LLVMModuleRef module, LLVMValueRef raw, const char *name,
                                  const struct osp_ws_codegen_type *handler) {
  char *forward_name = cg_joined_name(cg_forward_prefix, raw);
  LLVMValueRef forwarder = cg_build_forwarder(module, raw, forward_name ? forward_name : cg_forward_prefix, handler);
  free(forward_name);
  LLVMValueRef initializer = LLVMConstStructInContext(LLVMGetModuleContext(module), &forwarder, 1, false);
  LLVMValueRef cell = LLVMAddGlobal(module, LLVMTypeOf(initializer), name);
  LLVMSetInitializer(cell, initializer);
  LLVMSetLinkage(cell, LLVMPrivateLinkage);
  LLVMSetUnnamedAddress(cell, LLVMGlobalUnnamedAddr);
  LLVMSetGlobalConstant(cell, true);
  LLVMSetAlignment(cell, 8);
  return cell;
}

/* Returns the cell of a raw function. A module has one for each function. */
static LLVMValueRef cg_cell_of(LLVMModuleRef module, LLVMValueRef raw, const struct osp_ws_codegen_type *handler) {
  size_t length;
  char *name = cg_joined_name(cg_cell_prefix, raw);
  LLVMValueRef cell = NULL;
  if (name && *LLVMGetValueName2(raw, &length))
    cell = LLVMGetNamedGlobal(module, name);
  if (!cell)
    cell = cg_build_cell(module, raw, name ? name : cg_cell_prefix, handler);
  free(name);
  return cell;
}

bool cg_closure_is_choice(LLVMValueRef value) {
  return LLVMIsAPHINode(value) || LLVMIsASelectInst(value);
}

unsigned cg_closure_first_alternative(LLVMValueRef choice) {
  return LLVMIsASelectInst(choice) ? 1 : 0; /* operand 0 is the condition */
}

const struct cg_closure_choice *cg_closure_find_choice(const struct cg_closure_choice *chain, LLVMValueRef value) {
  while (chain && chain->value != value)
    chain = chain->outer;
  return chain;
}

/* Whether a raw function is among the alternatives of a value. */
static bool cg_may_be_raw(LLVMValueRef value, const struct cg_closure_choice *outer) {
  value = cg_closure_strip_casts(value);
  if (LLVMIsAFunction(value))
    return true;
  if (!cg_closure_is_choice(value) || cg_closure_find_choice(outer, value))
    return false;
  struct cg_closure_choice here = {value, NULL, outer};
  for (unsigned i = cg_closure_first_alternative(value); i < (unsigned)LLVMGetNumOperands(value); i++)
    if (cg_may_be_raw(LLVMGetOperand(value, i), &here))
      return true;
  return false;
}

static LLVMValueRef cg_adapt(LLVMModuleRef module, LLVMValueRef operand, const struct osp_ws_codegen_type *handler,
                             const struct cg_closure_choice *outer);

/* Copies a phi or select and adapts its alternatives. */
static LLVMValueRef cg_adapt_choice(LLVMModuleRef module, LLVMValueRef choice,
                                    const struct osp_ws_codegen_type *handler, const struct cg_closure_choice *outer) {
  LLVMBuilderRef builder = LLVMCreateBuilderInContext(LLVMGetModuleContext(module));
  LLVMPositionBuilderBefore(builder, choice);
  struct cg_closure_choice here = {choice, LLVMInstructionClone(choice), outer};
  LLVMInsertIntoBuilderWithName(builder, here.copy, "handler");
  LLVMDisposeBuilder(builder);
  for (unsigned i = cg_closure_first_alternative(choice); i < (unsigned)LLVMGetNumOperands(choice); i++)
    LLVMSetOperand(here.copy, i, cg_adapt(module, LLVMGetOperand(choice, i), handler, &here));
  return here.copy;
}

static LLVMValueRef cg_adapt(LLVMModuleRef module, LLVMValueRef operand, const struct osp_ws_codegen_type *handler,
                             const struct cg_closure_choice *outer) {
  LLVMValueRef value = cg_closure_strip_casts(operand);
  if (LLVMIsAFunction(value))
    return cg_cell_of(module, value, handler);
  const struct cg_closure_choice *visited = cg_closure_find_choice(outer, value);
  if (visited)
    return visited->copy;
  if (cg_closure_is_choice(value) && cg_may_be_raw(value, outer))
    return cg_adapt_choice(module, value, handler, outer);
  return operand;
}

LLVMValueRef cg_closure_adapt(LLVMModuleRef module, LLVMValueRef operand, const struct osp_ws_codegen_type *handler) {
  return cg_adapt(module, operand, handler, NULL);
}

void cg_closure_erase_unused(LLVMValueRef value) {
  while ((LLVMIsABitCastInst(value) || LLVMIsASelectInst(value)) && !LLVMGetFirstUse(value)) {
    LLVMValueRef operand = LLVMGetOperand(value, LLVMIsASelectInst(value) ? 1 : 0);
    LLVMInstructionEraseFromParent(value);
    value = operand;
  }
}
