#include "callers.h"

#include "memory.h"

bool cg_callers_is_call(LLVMUseRef use) {
  LLVMValueRef user = LLVMGetUser(use);
  return (LLVMIsACallInst(user) || LLVMIsAInvokeInst(user) || LLVMIsACallBrInst(user)) &&
         LLVMGetOperandUse(user, (unsigned)LLVMGetNumOperands(user) - 1) == use;
}

enum { CG_KNOWN = 1, CG_UNKNOWN };

/* The address of a block calls nothing. */
static bool cg_is_known_use(LLVMUseRef use, LLVMValueRef function) {
  LLVMValueRef user = LLVMGetUser(use);
  return LLVMIsABlockAddress(user) ||
         (cg_callers_is_call(use) && LLVMGetCalledFunctionType(user) == LLVMGlobalGetValueType(function));
}

static void cg_number_parameters(struct cg_callers *callers, LLVMValueRef function) {
  unsigned index = 0;
  for (LLVMValueRef parameter = LLVMGetFirstParam(function); parameter; parameter = LLVMGetNextParam(parameter)) {
    size_t *number = cg_map_at(&callers->numbers, (uintptr_t)parameter);
    if (number)
      *number = ++index;
    else
      callers->failed = true;
  }
}

bool cg_callers_known(struct cg_callers *callers, LLVMValueRef parameter, unsigned *index) {
  LLVMValueRef function = LLVMGetParamParent(parameter);
  size_t *known = cg_map_at(&callers->known, (uintptr_t)function);
  if (!known) {
    callers->failed = true;
    return false;
  }
  if (!*known) {
    bool all = cg_memory_is_closed(function);
    for (LLVMUseRef use = LLVMGetFirstUse(function); use && all; use = LLVMGetNextUse(use))
      all = cg_is_known_use(use, function);
    *known = all ? CG_KNOWN : CG_UNKNOWN;
    if (all)
      cg_number_parameters(callers, function);
  }
  if (*known == CG_UNKNOWN || callers->failed)
    return false;
  *index = (unsigned)cg_map_find(&callers->numbers, (uintptr_t)parameter) - 1;
  return true;
}

void cg_callers_free(struct cg_callers *callers) {
  cg_map_free(&callers->known);
  cg_map_free(&callers->numbers);
}
