#include "closure.h"

#include "constant.h"
#include "type.h"

#include <llvm-c/Comdat.h>
#include <llvm/Config/llvm-config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The names of forwarders and cells end with the name of the function. LLVM numbers names that are taken. */
static const char cg_forward_prefix[] = CG_ORIGIN_PREFIX "forward.";
static const char cg_cell_prefix[] = CG_ORIGIN_PREFIX "cell.";

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

/* What names a local function in a comdat has to go with it. */
static void cg_follow_comdat(LLVMValueRef global, LLVMComdatRef comdat) {
  if (comdat)
    LLVMSetComdat(global, comdat);
}

/* Adds an internal function that follows the rules of the module, and those of the model; NULL: those that all callers
 * share, when these are known. */
static LLVMValueRef cg_add_internal(struct cg_closures *closures, const char *name, LLVMTypeRef type,
                                    LLVMValueRef model) {
  LLVMValueRef function = LLVMAddFunction(closures->module, name, type);
  struct cg_attribute_shared shared = {NULL, {NULL}};
  LLVMSetLinkage(function, LLVMInternalLinkage);
  LLVMSetUnnamedAddress(function, LLVMGlobalUnnamedAddr);
  cg_attribute_add(function, CG_ATTRIBUTE_FUNCTION, "nounwind", 0);
  cg_attribute_add_text(function, CG_ORIGIN_MARK, "");
  cg_attribute_add_defaults(function);
  if (model) {
    cg_attribute_share(&shared, model);
    cg_attribute_add_shared(function, &shared);
  } else if (CG_GROW(closures->sharing, closures->sharing_count, closures->sharing_capacity)) {
    closures->sharing[closures->sharing_count++] = function;
  }
  return function;
}

/* define internal ptr @osp_ws.forward.NAME(ptr %cell, parameters…) {
 *   %result = tail call ptr @NAME(parameters…)
 *   ret ptr %result
 * }
 *
 * The call has the calling convention and the attributes of the function, the forwarder those that C gives it. An alias
 * may have another type than its function, whose attributes are for other parameters then. A declaration need not have
 * the attributes of its module's functions. */
static LLVMValueRef cg_build_forwarder(struct cg_closures *closures, LLVMValueRef raw) {
  const struct osp_ws_codegen_type *handler = closures->handler;
  LLVMContextRef llvm = LLVMGetModuleContext(closures->module);
  LLVMValueRef function = cg_constant_function_behind(raw);
  char *name = cg_joined_name(cg_forward_prefix, raw);
  LLVMValueRef forwarder =
      cg_add_internal(closures, name ? name : cg_forward_prefix, osp_ws_codegen_handler_type(llvm, handler),
                      function && !LLVMIsDeclaration(function) ? function : NULL);
  free(name);
  cg_follow_comdat(forwarder, cg_candidates_comdat(raw));
  LLVMValueRef parameters[CG_TYPE_MOST_MEMBERS];
  LLVMGetParams(forwarder, parameters);
  LLVMSetValueName2(parameters[0], "cell", 4);
  for (size_t i = 0; i < handler->member_count; i++)
    LLVMSetValueName2(parameters[i + 1], handler->members[i].name, strlen(handler->members[i].name));

  LLVMBuilderRef builder = LLVMCreateBuilderInContext(llvm);
  LLVMPositionBuilderAtEnd(builder, LLVMAppendBasicBlockInContext(llvm, forwarder, "entry"));
  LLVMTypeRef type = cg_type_raw_handler(llvm, handler);
  LLVMValueRef call = LLVMBuildCall2(builder, type, raw, parameters + 1, (unsigned)handler->member_count, "result");
  if (function)
    LLVMSetInstructionCallConv(call, LLVMGetFunctionCallConv(function));
  if (function && LLVMGlobalGetValueType(function) == type)
    cg_attribute_copy_to_call(function, call);
  LLVMSetTailCall(call, true);
  if (function && cg_form_find(LLVMGetValueName2(function, &(size_t){0})).name)
    cg_origin_mark(call);
  LLVMBuildRet(builder, call);
  LLVMDisposeBuilder(builder);
  return forwarder;
}

/* @osp_ws.cell.NAME = private unnamed_addr constant { ptr } { ptr @osp_ws.forward.NAME }, align 8 */
static LLVMValueRef cg_build_cell(struct cg_closures *closures, LLVMValueRef raw) {
  LLVMValueRef forwarder = cg_build_forwarder(closures, raw);
  LLVMValueRef initializer = LLVMConstStructInContext(LLVMGetModuleContext(closures->module), &forwarder, 1, false);
  char *name = cg_joined_name(cg_cell_prefix, raw);
  LLVMValueRef cell = LLVMAddGlobal(closures->module, LLVMTypeOf(initializer), name ? name : cg_cell_prefix);
  free(name);
  LLVMSetInitializer(cell, initializer);
  LLVMSetLinkage(cell, LLVMPrivateLinkage);
  LLVMSetUnnamedAddress(cell, LLVMGlobalUnnamedAddr);
  LLVMSetGlobalConstant(cell, true);
  LLVMSetAlignment(cell, 8);
  cg_follow_comdat(cell, cg_candidates_comdat(raw));
  return cell;
}

/* Returns the cell of a function, alias or ifunc. */
static LLVMValueRef cg_cell_of(struct cg_closures *closures, LLVMValueRef raw) {
  size_t *known = cg_map_at(&closures->cells, (uintptr_t)raw);
  if (known && *known)
    return (LLVMValueRef)*known;
  LLVMValueRef cell = cg_build_cell(closures, raw);
  if (known)
    *known = (size_t)cell;
  return cell;
}

/*   %is = icmp eq ptr %handler, @NAME
 *   %cell = select i1 %is, ptr @osp_ws.cell.NAME, ptr %handler
 *   … one such pair for each candidate of the group … */
static LLVMValueRef cg_build_comparisons(struct cg_closures *closures, LLVMBuilderRef builder, LLVMValueRef handler,
                                         size_t group) {
  const struct cg_candidates *candidates = &closures->candidates;
  LLVMValueRef cell = handler;
  for (size_t i = candidates->groups[group].first; i != CG_CANDIDATES_END; i = candidates->items[i].next) {
    LLVMValueRef constant = candidates->items[i].constant;
    if (LLVMTypeOf(constant) != LLVMTypeOf(handler))
      constant = LLVMConstAddrSpaceCast(constant, LLVMTypeOf(handler));
    LLVMValueRef is = LLVMBuildICmp(builder, LLVMIntEQ, handler, constant, "is");
    cell = LLVMBuildSelect(builder, is, cg_cell_of(closures, cg_constant_strip(constant)), cell, "cell");
  }
  return cell;
}

/* LLVM's optimiser takes quadratic time for a long chain of comparisons, which it cannot shorten. */
static void cg_keep_from_optimiser(const struct cg_candidates *candidates, size_t group, LLVMValueRef function) {
  enum { MANY = 256 };
  size_t count = 0;
  for (size_t i = candidates->groups[group].first; i != CG_CANDIDATES_END && count <= MANY; count++)
    i = candidates->items[i].next;
  bool for_size = cg_attribute_has(function, CG_ATTRIBUTE_FUNCTION, "optsize") ||
                  cg_attribute_has(function, CG_ATTRIBUTE_FUNCTION, "minsize");
  if (count <= MANY || for_size)
    return;
  cg_attribute_add(function, CG_ATTRIBUTE_FUNCTION, "noinline", 0);
  cg_attribute_add(function, CG_ATTRIBUTE_FUNCTION, "optnone", 0);
}

static LLVMValueRef cg_build_to_cell(struct cg_closures *closures, size_t group);

/* Returns the function that compares with a group and with the candidates of every other code; NULL: there are none. */
static LLVMValueRef cg_to_cell_of(struct cg_closures *closures, size_t group) {
  struct cg_candidate_group *known = &closures->candidates.groups[group];
  if (!known->to_cell && known->first != CG_CANDIDATES_END)
    known->to_cell = cg_build_to_cell(closures, group);
  return known->to_cell;
}

/* define internal ptr @osp_ws.to_cell(ptr %handler)
 *
 * That of a comdat calls the one for all code of the module: if each compared with all, their size would be
 * quadratic. */
static LLVMValueRef cg_build_to_cell(struct cg_closures *closures, size_t group) {
  LLVMContextRef llvm = LLVMGetModuleContext(closures->module);
  LLVMTypeRef pointer = cg_type_pointer(llvm), type = LLVMFunctionType(pointer, &pointer, 1, false);
  bool is_everywhere = group == CG_CANDIDATES_EVERYWHERE;
  LLVMValueRef everywhere = is_everywhere ? NULL : cg_to_cell_of(closures, CG_CANDIDATES_EVERYWHERE);
  LLVMValueRef function = cg_add_internal(closures, "osp_ws.to_cell", type, NULL);
  LLVMValueRef handler = LLVMGetParam(function, 0);
  size_t first = closures->candidates.groups[group].first;
  if (!is_everywhere)
    cg_follow_comdat(function, cg_candidates_comdat(cg_constant_strip(closures->candidates.items[first].constant)));
  cg_keep_from_optimiser(&closures->candidates, group, function);
  LLVMSetValueName2(handler, "handler", 7);
  LLVMBuilderRef builder = LLVMCreateBuilderInContext(llvm);
  LLVMPositionBuilderAtEnd(builder, LLVMAppendBasicBlockInContext(llvm, function, "entry"));
  LLVMValueRef cell = cg_build_comparisons(closures, builder, handler, group);
  if (everywhere)
    cell = LLVMBuildCall2(builder, type, everywhere, &cell, 1, "cell");
  LLVMBuildRet(builder, cell);
  LLVMDisposeBuilder(builder);
  return function;
}

/* ---- calls in Windows funclets, which have an operand bundle with the pad, and beside which another call needs the
 * same */

#if LLVM_VERSION_MAJOR < 18
/* The operands of a call are its arguments, its bundles, its successors and the callee. */
static bool cg_is_in_funclet(LLVMValueRef call) {
  for (unsigned i = LLVMGetNumArgOperands(call); i < (unsigned)LLVMGetNumOperands(call); i++)
    if (LLVMIsAFuncletPadInst(LLVMGetOperand(call, i)))
      return true;
  return false;
}

/* The C API of this version has no bundles, so that the comparisons are at the call. Returns the handler if there are
 * none. */
static LLVMValueRef cg_build_look_up(struct cg_closures *closures, LLVMBuilderRef builder, LLVMValueRef call,
                                     LLVMValueRef handler, size_t group) {
  LLVMValueRef to_cell = cg_to_cell_of(closures, group), cell = handler;
  if (!cg_is_in_funclet(call))
    return to_cell ? LLVMBuildCall2(builder, LLVMGlobalGetValueType(to_cell), to_cell, &handler, 1, "cell") : handler;
  cell = cg_build_comparisons(closures, builder, handler, group);
  if (group != CG_CANDIDATES_EVERYWHERE)
    cell = cg_build_comparisons(closures, builder, cell, CG_CANDIDATES_EVERYWHERE);
  if (cell != handler)
    cg_origin_mark(cell);
  return cell;
}
#else
/* Returns the bundle of a call in a funclet, to be disposed of, or NULL. */
static LLVMOperandBundleRef cg_funclet_of(LLVMValueRef call) {
  for (unsigned i = 0; i < LLVMGetNumOperandBundles(call); i++) {
    size_t length;
    LLVMOperandBundleRef bundle = LLVMGetOperandBundleAtIndex(call, i);
    const char *tag = LLVMGetOperandBundleTag(bundle, &length);
    if (length == 7 && !memcmp(tag, "funclet", length))
      return bundle;
    LLVMDisposeOperandBundle(bundle);
  }
  return NULL;
}

/* Returns the handler if there is nothing to compare it with. */
static LLVMValueRef cg_build_look_up(struct cg_closures *closures, LLVMBuilderRef builder, LLVMValueRef call,
                                     LLVMValueRef handler, size_t group) {
  LLVMValueRef to_cell = cg_to_cell_of(closures, group);
  if (!to_cell)
    return handler;
  LLVMOperandBundleRef funclet = cg_funclet_of(call);
  LLVMValueRef cell = LLVMBuildCallWithOperandBundles(builder, LLVMGlobalGetValueType(to_cell), to_cell, &handler, 1,
                                                      &funclet, funclet ? 1 : 0, "cell");
  if (funclet)
    LLVMDisposeOperandBundle(funclet);
  return cell;
}
#endif

/* Erases bitcasts that have no use any more. */
static void cg_erase_unused(LLVMValueRef value) {
  while (LLVMIsABitCastInst(value) && !LLVMGetFirstUse(value)) {
    LLVMValueRef operand = LLVMGetOperand(value, 0);
    LLVMInstructionEraseFromParent(value);
    value = operand;
  }
}

/* What the call says of a plain function does not hold of its cell. */
static void cg_set_cell(LLVMValueRef call, unsigned operand, LLVMValueRef cell) {
  LLVMSetOperand(call, operand, cell);
  cg_attribute_remove_places(call, operand + 1);
}

void cg_closure_adapt(struct cg_closures *closures, LLVMValueRef call, unsigned operand) {
  LLVMValueRef handler = LLVMGetOperand(call, operand);
  LLVMValueRef caller = LLVMGetBasicBlockParent(LLVMGetInstructionParent(call));
  struct cg_origin origin = cg_origins_get(closures->origins, handler);
  if (!origin.plain && !origin.compared)
    return;
  cg_attribute_share(&closures->shared, caller);
  if (origin.plain) {
    cg_set_cell(call, operand, cg_cell_of(closures, origin.plain));
    cg_erase_unused(handler);
    return;
  }
  LLVMBuilderRef builder = LLVMCreateBuilderInContext(LLVMGetModuleContext(closures->module));
  LLVMPositionBuilderBefore(builder, call); /* takes its debug location too */
  size_t group = cg_candidates_group(&closures->candidates, caller);
  cg_set_cell(call, operand, cg_build_look_up(closures, builder, call, handler, group));
  LLVMDisposeBuilder(builder);
}

void cg_closure_finish(struct cg_closures *closures) {
  for (size_t i = 0; i < closures->sharing_count; i++)
    cg_attribute_add_shared(closures->sharing[i], &closures->shared);
}

void cg_closure_free(struct cg_closures *closures) {
  cg_origins_free(closures->origins);
  cg_candidates_free(&closures->candidates);
  cg_map_free(&closures->cells);
  free(closures->sharing);
}
