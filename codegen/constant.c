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

bool cg_constant_has_no_offset(LLVMValueRef gep) {
  for (unsigned i = 1; i < (unsigned)LLVMGetNumOperands(gep); i++)
    if (!LLVMIsAConstantInt(LLVMGetOperand(gep, i)) || !LLVMIsNull(LLVMGetOperand(gep, i)))
      return false;
  return true;
}

/* What is no number may be the distance to anything, such as an entry of a table of distances. */
static bool cg_has_distance(LLVMValueRef gep) {
  for (unsigned i = 1; i < (unsigned)LLVMGetNumOperands(gep); i++)
    if (!LLVMIsAConstantInt(LLVMGetOperand(gep, i)))
      return true;
  return false;
}

/* Arithmetic on an address has it on either side. */
LLVMValueRef cg_constant_base(LLVMValueRef value, bool *is_place, bool *may_leave) {
  for (;;) {
    value = cg_constant_strip(value);
    if (LLVMIsAGlobalAlias(value) && !cg_constant_is_function(value)) {
      value = LLVMAliasGetAliasee(value);
    } else if (!LLVMIsAConstantExpr(value)) {
      return value;
    } else if (LLVMGetConstOpcode(value) == LLVMGetElementPtr) {
      *is_place |= !cg_constant_has_no_offset(value);
      *may_leave |= cg_has_distance(value);
      value = LLVMGetOperand(value, 0);
    } else if (LLVMGetConstOpcode(value) == LLVMIntToPtr || LLVMGetConstOpcode(value) == LLVMPtrToInt) {
      value = LLVMGetOperand(value, 0);
    } else if (LLVMGetTypeKind(LLVMTypeOf(value)) == LLVMIntegerTypeKind && LLVMGetNumOperands(value) == 2) {
      bool is_left = LLVMIsAConstantInt(LLVMGetOperand(value, 0));
      *is_place = true;
      *may_leave |= !is_left && !LLVMIsAConstantInt(LLVMGetOperand(value, 1));
      value = LLVMGetOperand(value, is_left ? 1 : 0);
    } else {
      return value;
    }
  }
}

/* The linker may take another definition than the one that is seen, or the content comes from elsewhere. */
static bool cg_is_replaceable(LLVMValueRef global) {
  LLVMLinkage linkage = LLVMGetLinkage(global);
  return linkage == LLVMWeakAnyLinkage || linkage == LLVMLinkOnceAnyLinkage ||
         (LLVMIsAGlobalVariable(global) && LLVMIsExternallyInitialized(global));
}

bool cg_constant_is_replaceable_alias(LLVMValueRef value) {
  for (; LLVMIsAGlobalAlias(value); value = cg_constant_strip(LLVMAliasGetAliasee(value)))
    if (cg_is_replaceable(value))
      return true;
  return false;
}

LLVMValueRef cg_constant_code_of(LLVMValueRef variable) {
  bool is_known = LLVMIsGlobalConstant(variable) && !cg_is_replaceable(variable);
  LLVMValueRef word = is_known ? LLVMGetInitializer(variable) : NULL;
  while (word && (LLVMGetTypeKind(LLVMTypeOf(word)) == LLVMStructTypeKind ||
                  LLVMGetTypeKind(LLVMTypeOf(word)) == LLVMArrayTypeKind ||
                  LLVMGetTypeKind(LLVMTypeOf(word)) == LLVMVectorTypeKind))
    word = LLVMGetAggregateElement(word, 0);
  if (word && LLVMIsAConstantExpr(word) && LLVMGetConstOpcode(word) == LLVMPtrToInt)
    word = LLVMGetOperand(word, 0);
  return word ? cg_constant_strip(word) : NULL;
}

bool cg_constant_is_no_address(LLVMValueRef value) {
  return LLVMIsAConstantPointerNull(value) || LLVMIsUndef(value) || LLVMIsABlockAddress(value) ||
         LLVMIsAConstantInt(value) || LLVMIsAConstantFP(value);
}
