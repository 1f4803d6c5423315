#include "lower_type.h"

#include <stdlib.h>

LLVMTypeRef lower_type(struct lower *lower, const struct type *type) {
  switch (type->kind) {
  case TYPE_UNIT:
  case TYPE_INT:
    return lower->word;
  case TYPE_FLOAT:
    return lower->real;
  case TYPE_BOOL:
    return lower->bit;
  default:
    return lower->pointer;
  }
}

/* { T, i8, ptr } */
LLVMTypeRef lower_type_result(struct lower *lower, const struct type *value) {
  LLVMTypeRef members[] = {lower_type(lower, value), lower->byte, lower->pointer};
  return LLVMStructTypeInContext(lower->llvm, members, 3, false);
}

/* { i64 tag, fields… } */
LLVMTypeRef lower_type_constructor(struct lower *lower, const struct type_constructor *constructor) {
  LLVMTypeRef *members = calloc(constructor->field_count + 1, sizeof *members);
  members[0] = lower->word;
  for (size_t i = 0; i < constructor->field_count; i++)
    members[i + 1] = lower_type(lower, constructor->fields[i].type);
  LLVMTypeRef type = LLVMStructTypeInContext(lower->llvm, members, (unsigned)constructor->field_count + 1, false);
  free(members);
  return type;
}

/* { ptr code, captures… } */
LLVMTypeRef lower_type_cell(struct lower *lower, const struct ast_function *function) {
  LLVMTypeRef *members = calloc(function->capture_count + 1, sizeof *members);
  members[0] = lower->pointer;
  for (size_t i = 0; i < function->capture_count; i++)
    members[i + 1] = lower_type(lower, function->captures[i].variable->type);
  LLVMTypeRef type = LLVMStructTypeInContext(lower->llvm, members, (unsigned)function->capture_count + 1, false);
  free(members);
  return type;
}

/* T (parameters…), or T (ptr cell, parameters…) */
LLVMTypeRef lower_type_function(struct lower *lower, const struct type *type, bool with_cell) {
  size_t count = type->function.parameter_count;
  LLVMTypeRef *parameters = calloc(count + 1, sizeof *parameters);
  parameters[0] = lower->pointer;
  for (size_t i = 0; i < count; i++)
    parameters[i + with_cell] = lower_type(lower, type->function.parameters[i]);
  LLVMTypeRef result = lower_type(lower, type->function.result);
  LLVMTypeRef function = LLVMFunctionType(result, parameters, (unsigned)(count + with_cell), false);
  free(parameters);
  return function;
}

int64_t lower_type_meta(struct lower *lower, LLVMTypeRef block, const struct type *const *members, size_t count) {
  uint64_t mask = 0;
  for (size_t i = 0; i < count; i++) {
    if (!members[i] || !type_is_managed(members[i]))
      continue;
    uint64_t at = LLVMOffsetOfElement(lower->layout, block, (unsigned)i) / 8;
    if (at >= 56) {
      if (!lower->failed)
        fprintf(lower->err, "%s: error: a record, variant or closure has a reference beyond its 56th word\n",
                lower->program->source->path);
      lower->failed = true;
      continue;
    }
    mask |= (uint64_t)1 << at;
  }
  return mask ? (int64_t)(mask << 8 | 1) : 0;
}

/* With getelementptr, so that the IR contains no number that depends on the layout. */
LLVMValueRef lower_type_size(struct lower *lower, LLVMTypeRef block) {
  LLVMValueRef one = lower_word(lower, 1);
  LLVMValueRef end = LLVMConstGEP2(block, LLVMConstNull(lower->pointer), &one, 1);
  return LLVMConstPtrToInt(end, lower->word);
}
