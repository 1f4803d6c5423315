#include "lower_string.h"

#include "lower_debug.h"
#include "lower_expr.h"
#include "lower_version.h"

#include "runtime/osprey_rt.h"

#include <assert.h>
#include <stdlib.h>

/* The evaluated parts of one string, borrowed from the current scope. */
struct parts {
  size_t count, capacity;
  struct {
    int64_t kind;
    LLVMValueRef value;
  } * items;
};

LLVMValueRef lower_string_literal(struct lower *lower, const char *bytes, size_t length) {
  LLVMValueRef content = lower_version_string(lower->llvm, bytes, length);
  LLVMValueRef text = lower_constant(lower, content, "text");
  LLVMSetAlignment(text, 1);
  return text;
}

static int64_t part_kind(const struct type *type) {
  switch (type->kind) {
  case TYPE_STRING:
    return OSP_RT_TEXT;
  case TYPE_INT:
    return OSP_RT_INT;
  case TYPE_FLOAT:
    return OSP_RT_FLOAT;
  case TYPE_BOOL:
    return OSP_RT_BOOL;
  case TYPE_UNIT:
    return OSP_RT_UNIT;
  default:
    assert(type->kind == TYPE_RESULT && "the checker lets nothing else be rendered");
    return OSP_RT_RESULT + part_kind(type->result.value);
  }
}

/* Evaluates an expression into parts. Flattens nested concatenations, so that all is joined once. */
static void parts_collect(struct lower_function *fn, struct parts *parts, const struct ast_expr *expr) {
  if (expr->kind == AST_INTERPOLATE) {
    for (size_t i = 0; i < expr->list.count; i++)
      parts_collect(fn, parts, expr->list.items[i]);
  } else if (expr->kind == AST_CONCAT) {
    parts_collect(fn, parts, expr->binary.left);
    parts_collect(fn, parts, expr->binary.right);
  } else if (expr->kind == AST_TO_STRING) {
    parts_collect(fn, parts, expr->operand);
  } else {
    LLVMValueRef value = lower_keep(fn, lower_expr(fn, expr));
    if (parts->count == parts->capacity) {
      parts->capacity = parts->capacity ? 2 * parts->capacity : 8;
      parts->items = realloc(parts->items, parts->capacity * sizeof *parts->items);
    }
    parts->items[parts->count].kind = part_kind(expr->type);
    parts->items[parts->count++].value = value;
  }
}

/* Adds the array to the entry block. */
static LLVMValueRef parts_array(struct lower_function *fn, LLVMTypeRef type) {
  LLVMBuilderRef builder = fn->lower->builder;
  LLVMBasicBlockRef here = LLVMGetInsertBlock(builder);
  LLVMMetadataRef place = LLVMGetCurrentDebugLocation2(builder);
  LLVMPositionBuilderAtEnd(builder, fn->entry);
  LLVMSetCurrentDebugLocation2(builder, NULL);
  LLVMValueRef array = LLVMBuildAlloca(builder, type, "parts");
  LLVMPositionBuilderAtEnd(builder, here);
  LLVMSetCurrentDebugLocation2(builder, place);
  return array;
}

/* Evaluates the parts, stores them, and calls the function with them. */
static LLVMValueRef parts_render(struct lower_function *fn, const struct ast_expr *whole, struct place place,
                                 const char *name, LLVMTypeRef result) {
  struct lower *lower = fn->lower;
  LLVMTypeRef members[] = {lower->word, lower->word};
  LLVMTypeRef part = LLVMStructTypeInContext(lower->llvm, members, 2, false);
  size_t depth = fn->cleanup_count;
  struct parts parts = {0};
  parts_collect(fn, &parts, whole);
  lower_debug_place(fn, place);
  LLVMTypeRef type = lower_version_array(part, parts.count);
  LLVMValueRef array = parts.count ? parts_array(fn, type) : LLVMConstNull(lower->pointer);
  for (size_t i = 0; i < parts.count; i++) {
    LLVMValueRef value = parts.items[i].value;
    LLVMValueRef index[] = {lower_word(lower, 0), lower_word(lower, (int64_t)i)};
    LLVMValueRef at = LLVMBuildInBoundsGEP2(lower->builder, type, array, index, 2, "");
    LLVMBuildStore(lower->builder, lower_word(lower, parts.items[i].kind), at);
    at = LLVMBuildStructGEP2(lower->builder, part, at, 1, "");
    if (LLVMTypeOf(value) == lower->bit)
      value = LLVMBuildZExt(lower->builder, value, lower->word, "");
    LLVMBuildStore(lower->builder, value, at);
  }
  LLVMValueRef arguments[] = {array, lower_word(lower, (int64_t)parts.count)};
  LLVMValueRef rendered = lower_call_hook(lower, name, result, arguments, 2);
  free(parts.items);
  lower_leave(fn, depth);
  return rendered;
}

struct lower_value lower_string_format(struct lower_function *fn, const struct ast_expr *expr) {
  if (expr->kind == AST_TO_STRING && expr->operand->type->kind == TYPE_STRING)
    return lower_expr(fn, expr->operand);
  return lower_fresh(expr->type, parts_render(fn, expr, expr->place, "osp_rt_format", fn->lower->pointer));
}

struct lower_value lower_string_print(struct lower_function *fn, const struct ast_expr *expr) {
  parts_render(fn, expr->operand, expr->place, "osp_rt_print", NULL);
  return lower_unit(fn->lower);
}

LLVMValueRef lower_string_compare(struct lower *lower, LLVMValueRef left, LLVMValueRef right) {
  LLVMValueRef arguments[] = {left, right};
  return lower_call_hook(lower, "osp_rt_compare", lower->word, arguments, 2);
}
