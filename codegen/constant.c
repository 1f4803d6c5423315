#include "constant.h"

#include "attribute.h"

#include <stddef.h>

/* dso_local_equivalent, no_cfi and ptrauth have no kind in the C API: constants of pointer type whose first operand is
 * the function. */
static bool cg_is_wrapper(LLVMValueRef value) {
  return LLVMIsAConstant(value) && !LLVMIsAConstantExpr(value) && !LLVMIsAGlobalValue(value) &&
         !LLVMIsABlockAddress(value) && !LLVMIsAConstantPointerNull(value) && !LLVMIsUndef(value) &&
         LLVMGetTypeKind(LLVMTypeOf(value)) == LLVMPointerTypeKind && LLVMGetNumOperands(value) > 0;
}

/* A signed pointer has a key and a discriminator besides. The cell of a plain function would have to be signed too. */
bool cg_constant_is_signed(LLVMValueRef value) {
  return cg_is_wrapper(value) && LLVMGetNumOperands(value) > 1;
}

LLVMValueRef cg_constant_strip(LLVMValueRef value) {
  while (cg_is_wrapper(value) || (LLVMIsAConstantExpr(value) && (LLVMGetConstOpcode(value) == LLVMBitCast ||
                                                                 LLVMGetConstOpcode(value) == LLVMAddrSpaceCast)))
    value = LLVMGetOperand(value, 0);
  return value;
}

LLVMValueRef cg_constant_pointer_in(LLVMValueRef constant) {
  while (LLVMIsAConstantExpr(constant) && LLVMGetConstOpcode(constant) == LLVMPtrToInt)
    constant = LLVMGetOperand(constant, 0);
  return constant;
}

bool cg_constant_is_function(LLVMValueRef value) {
  return LLVMIsAFunction(value) || ((LLVMIsAGlobalAlias(value) || LLVMIsAGlobalIFunc(value)) &&
                                    LLVMGetTypeKind(LLVMGlobalGetValueType(value)) == LLVMFunctionTypeKind);
}

LLVMValueRef cg_constant_function_behind(LLVMValueRef value) {
  while (LLVMIsAGlobalAlias(value))
    value = cg_constant_strip(LLVMAliasGetAliasee(value));
  return LLVMIsAFunction(value) ? value : NULL;
}

bool cg_constant_is_unserved(LLVMValueRef value) {
  LLVMValueRef function = cg_constant_function_behind(value);
  return function && cg_attribute_unserved(function);
}

LLVMValueRef cg_constant_code_of(LLVMValueRef cell) {
  LLVMValueRef word = LLVMGetInitializer(cell);
  while (word && (LLVMGetTypeKind(LLVMTypeOf(word)) == LLVMStructTypeKind ||
                  LLVMGetTypeKind(LLVMTypeOf(word)) == LLVMArrayTypeKind))
    word = LLVMGetAggregateElement(word, 0);
  return word && LLVMGetTypeKind(LLVMTypeOf(word)) == LLVMPointerTypeKind ? word : NULL;
}

bool cg_constant_is_no_cell(LLVMValueRef value) {
  return LLVMIsAConstantPointerNull(value) || LLVMIsUndef(value) || LLVMIsABlockAddress(value) ||
         (LLVMIsAConstantExpr(value) && LLVMGetConstOpcode(value) == LLVMIntToPtr);
}
