#include "callers.h"

bool cg_callers_is_call(LLVMUseRef use) {
  LLVMValueRef user = LLVMGetUser(use);
  return (LLVMIsACallInst(user) || LLVMIsAInvokeInst(user) || LLVMIsACallBrInst(user)) &&
         LLVMGetOperandUse(user, (unsigned)LLVMGetNumOperands(user) - 1) == use;
}
