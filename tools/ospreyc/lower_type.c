#include "lower_type.h"

#include "layout.h"

#include <assert.h>
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

/* The LLVM types that spec/ws_layouts.def names. */
#define LOWER_i8 lower->byte
#define LOWER_ptr lower->pointer

/* { T, i8, ptr } */
LLVMTypeRef lower_type_result(struct lower *lower, const struct type *value) {
  LLVMTypeRef members[] = {
#define LOWER_T lower_type(lower, value)
#define WS_RESULT_FIELD(field, index, ir, counted) [index] = LOWER_##ir,
#include "ws_layouts.def"
#undef LOWER_T
  };
  return LLVMStructTypeInContext(lower->llvm, members, sizeof members / sizeof *members, false);
}

/* { i64 tag, fields… } */
LLVMTypeRef lower_type_constructor(struct lower *lower, const struct type_constructor *constructor) {
  unsigned count = LAYOUT_RECORD_fields + (unsigned)constructor->field_count;
  LLVMTypeRef *members = calloc(count, sizeof *members);
  members[LAYOUT_RECORD_tag] = lower->word;
  for (size_t i = 0; i < constructor->field_count; i++)
    members[LAYOUT_RECORD_fields + i] = lower_type(lower, constructor->fields[i].type);
  LLVMTypeRef type = LLVMStructTypeInContext(lower->llvm, members, count, false);
  free(members);
  return type;
}

/* { ptr code, captures… } */
LLVMTypeRef lower_type_cell(struct lower *lower, const struct ast_function *function) {
  unsigned count = LAYOUT_CELL_captures + (unsigned)function->capture_count;
  LLVMTypeRef *members = calloc(count, sizeof *members);
  members[LAYOUT_CELL_code] = lower->pointer;
  for (size_t i = 0; i < function->capture_count; i++)
    members[LAYOUT_CELL_captures + i] = lower_type(lower, function->captures[i].variable->type);
  LLVMTypeRef type = LLVMStructTypeInContext(lower->llvm, members, count, false);
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
    assert(at < LAYOUT_META_mask_words && "the checker lets no larger block pass");
    mask |= (uint64_t)1 << at;
  }
  return mask ? (int64_t)(mask << LAYOUT_META_mask_shift | LAYOUT_META_kind_masked) : 0;
}

/* With getelementptr, so that the IR contains no number that depends on the layout. */
LLVMValueRef lower_type_size(struct lower *lower, LLVMTypeRef block) {
  LLVMValueRef one = lower_word(lower, 1);
  LLVMValueRef end = LLVMConstGEP2(block, LLVMConstNull(lower->pointer), &one, 1);
  return LLVMConstPtrToInt(end, lower->word);
}
