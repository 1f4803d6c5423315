#include "lower_record.h"

#include "lower_expr.h"
#include "layout.h"
#include "lower_type.h"

#include <stdlib.h>

static LLVMValueRef field_address(struct lower_function *fn, const struct type_constructor *constructor, unsigned index,
                                  LLVMValueRef record) {
  LLVMTypeRef type = lower_type_constructor(fn->lower, constructor);
  return LLVMBuildStructGEP2(fn->lower->builder, type, record, LAYOUT_RECORD_fields + index, "");
}

LLVMValueRef lower_record_load(struct lower_function *fn, const struct type_constructor *constructor, unsigned index,
                               LLVMValueRef record) {
  const struct type_field *field = &constructor->fields[index];
  LLVMValueRef address = field_address(fn, constructor, index, record);
  return LLVMBuildLoad2(fn->lower->builder, lower_type(fn->lower, field->type), address,
                        field->name ? field->name : "");
}

LLVMValueRef lower_record_tag(struct lower_function *fn, LLVMValueRef record) {
  return LLVMBuildLoad2(fn->lower->builder, fn->lower->word, record, "tag");
}

static int64_t record_meta(struct lower *lower, const struct type_constructor *constructor) {
  const struct type **members = calloc(LAYOUT_RECORD_fields + constructor->field_count, sizeof *members);
  for (size_t i = 0; i < constructor->field_count; i++)
    members[LAYOUT_RECORD_fields + i] = constructor->fields[i].type;
  int64_t meta = lower_type_meta(lower, lower_type_constructor(lower, constructor), members,
                                 LAYOUT_RECORD_fields + constructor->field_count);
  free(members);
  return meta;
}

/* A record that takes ownership of the values of its fields. A variant without fields is a constant. */
static struct lower_value record_new(struct lower_function *fn, const struct type_constructor *constructor,
                                     const LLVMValueRef *values) {
  struct lower *lower = fn->lower;
  LLVMValueRef tag = lower_word(lower, constructor->tag);
  if (constructor->field_count == 0) {
    LLVMValueRef content = LLVMConstStructInContext(lower->llvm, &tag, 1, false);
    return lower_borrowed(lower_constant(lower, content, ".record"));
  }
  LLVMTypeRef type = lower_type_constructor(lower, constructor);
  LLVMValueRef record = lower_alloc_record(lower, type, record_meta(lower, constructor));
  LLVMBuildStore(lower->builder, tag, record);
  for (unsigned i = 0; i < constructor->field_count; i++)
    LLVMBuildStore(lower->builder, values[i], field_address(fn, constructor, i, record));
  return lower_fresh(constructor->type, record);
}

struct lower_value lower_record_construct(struct lower_function *fn, const struct ast_expr *expr) {
  const struct type_constructor *constructor = expr->construct.constructor;
  LLVMValueRef *values = calloc(constructor->field_count + 1, sizeof *values);
  for (size_t i = 0; i < constructor->field_count; i++)
    values[i] = lower_own(fn, constructor->fields[i].type, lower_expr(fn, expr->construct.values[i]));
  struct lower_value record = record_new(fn, constructor, values);
  free(values);
  return record;
}

struct lower_value lower_record_update(struct lower_function *fn, const struct ast_expr *expr) {
  const struct type_constructor *constructor = &expr->type->named.constructors[0];
  struct lower_value old = lower_expr(fn, expr->update.record);
  LLVMValueRef *values = calloc(constructor->field_count + 1, sizeof *values);
  for (unsigned i = 0; i < constructor->field_count; i++) {
    const struct ast_expr *replacement = expr->update.values[i];
    struct lower_value value =
        replacement ? lower_expr(fn, replacement) : lower_borrowed(lower_record_load(fn, constructor, i, old.ir));
    values[i] = lower_own(fn, constructor->fields[i].type, value);
  }
  lower_drop(fn, old);
  struct lower_value record = record_new(fn, constructor, values);
  free(values);
  return record;
}

/* The field of an owned record is retained before the record is released. */
struct lower_value lower_record_field(struct lower_function *fn, const struct ast_expr *expr) {
  const struct type_constructor *constructor = &expr->field.record->type->named.constructors[0];
  struct lower_value record = lower_expr(fn, expr->field.record);
  LLVMValueRef value = lower_record_load(fn, constructor, expr->field.index, record.ir);
  if (!record.owned)
    return lower_borrowed(value);
  lower_own(fn, expr->type, lower_borrowed(value));
  lower_drop(fn, record);
  return lower_fresh(expr->type, value);
}
