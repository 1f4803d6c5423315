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
  struct part {
    int64_t kind;
    LLVMValueRef value;
  } * items;
};

enum { PARTS_MAX = 64 }; /* of one call */

LLVMValueRef lower_string_literal(struct lower *lower, const char *bytes, size_t length) {
  LLVMValueRef content = lower_version_string(lower->llvm, bytes, length);
  LLVMValueRef text = lower_constant(lower, content, ".literal");
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
    parts->items[parts->count++] = (struct part){part_kind(expr->type), value};
  }
}

/* The array of parts, in the entry block. The parts of one string are stored after all of them are evaluated, so the
 * strings of a function share an array, which is as long as the longest of them. */
static LLVMValueRef parts_array(struct lower_function *fn, LLVMTypeRef part, size_t count) {
  LLVMValueRef length = lower_word(fn->lower, (int64_t)count);
  if (!fn->parts)
    fn->parts = lower_alloca(fn, part, length, "parts");
  if (count > LLVMConstIntGetZExtValue(LLVMGetOperand(fn->parts, 0)))
    LLVMSetOperand(fn->parts, 0, length);
  return fn->parts;
}

/* Stores parts, and calls the function with them. */
static LLVMValueRef parts_call(struct lower_function *fn, const struct part *parts, size_t count, const char *name,
                               LLVMTypeRef result) {
  struct lower *lower = fn->lower;
  LLVMTypeRef members[] = {lower->word, lower->word};
  LLVMTypeRef part = LLVMStructTypeInContext(lower->llvm, members, 2, false);
  LLVMValueRef array = count ? parts_array(fn, part, count) : LLVMConstNull(lower->pointer);
  for (size_t i = 0; i < count; i++) {
    LLVMValueRef value = parts[i].value, index = lower_word(lower, (int64_t)i);
    LLVMValueRef at = LLVMBuildInBoundsGEP2(lower->builder, part, array, &index, 1, "");
    LLVMBuildStore(lower->builder, lower_word(lower, parts[i].kind), at);
    at = LLVMBuildStructGEP2(lower->builder, part, at, 1, "");
    if (LLVMTypeOf(value) == lower->bit)
      value = LLVMBuildZExt(lower->builder, value, lower->word, "");
    LLVMBuildStore(lower->builder, value, at);
  }
  LLVMValueRef arguments[] = {array, lower_word(lower, (int64_t)count)};
  return lower_call_hook(lower, name, result, arguments, 2);
}

/* Joins the parts in groups, and the groups in groups, until few are left: LLVM takes quadratic time over the stores to
 * one long array, and the array takes stack. */
static void parts_join(struct lower_function *fn, struct parts *parts) {
  while (parts->count > PARTS_MAX) {
    size_t groups = 0;
    for (size_t from = 0; from < parts->count; from += PARTS_MAX) {
      size_t count = parts->count - from < PARTS_MAX ? parts->count - from : PARTS_MAX;
      LLVMValueRef text = parts_call(fn, parts->items + from, count, "osp_rt_format", fn->lower->pointer);
      lower_push(fn, text);
      parts->items[groups++] = (struct part){OSP_RT_TEXT, text};
    }
    parts->count = groups;
  }
}

/* Evaluates the parts, and calls the function with them. */
static LLVMValueRef parts_render(struct lower_function *fn, const struct ast_expr *whole, struct place place,
                                 const char *name, LLVMTypeRef result) {
  size_t depth = fn->cleanup_count;
  struct parts parts = {0};
  parts_collect(fn, &parts, whole);
  lower_debug_place(fn, place);
  parts_join(fn, &parts);
  LLVMValueRef rendered = parts_call(fn, parts.items, parts.count, name, result);
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
