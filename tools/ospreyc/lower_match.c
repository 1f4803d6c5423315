/* match: the arms are tried in order.
 *
 *     br i1 %matches, label %arm, label %next
 *   arm:
 *     …                                      bindings, borrowed from the subject; the body; away to the target
 *   next:
 *     …                                      the next arm
 */
#include "lower.h"

#include <string.h>

/* The subject, in the form in which its patterns want it. It is borrowed from the scope of the match. */
struct subject {
  const struct type *type;
  LLVMValueRef ir;        /* NULL for a Result that no arm binds whole */
  LLVMValueRef tag;       /* of a union */
  struct lower_open open; /* of a Result */
};

static bool binds_whole(const struct ast_match *match) {
  for (size_t i = 0; i < match->count; i++)
    if (match->arms[i].kind == AST_PATTERN_ANY && match->arms[i].variable)
      return true;
  return false;
}

static void subject_open(struct lower_function *fn, const struct ast_match *match, struct subject *subject) {
  *subject = (struct subject){.type = match->subject->type};
  if (subject->type->kind == TYPE_RESULT && !binds_whole(match)) {
    lower_result_open(fn, match->subject, &subject->open);
    return;
  }
  subject->ir = lower_keep(fn, lower_expr(fn, match->subject));
  if (subject->type->kind == TYPE_RESULT)
    lower_result_open_block(fn, subject->type, lower_borrowed(subject->ir), &subject->open);
  if (subject->type->kind == TYPE_UNION)
    subject->tag = lower_record_tag(fn, subject->ir);
}

/* Whether the arm's pattern matches, as an i1; NULL where it always does. */
static LLVMValueRef arm_matches(struct lower_function *fn, const struct subject *subject, const struct ast_arm *arm) {
  struct lower *lower = fn->lower;
  LLVMBuilderRef builder = lower->builder;
  switch (arm->kind) {
  case AST_PATTERN_INT:
    return LLVMBuildICmp(builder, LLVMIntEQ, subject->ir, lower_word(lower, arm->integer), "");
  case AST_PATTERN_BOOL:
    return arm->truth ? subject->ir : LLVMBuildNot(builder, subject->ir, "");
  case AST_PATTERN_STRING: {
    LLVMValueRef text = lower_string_literal(lower, arm->text.bytes, arm->text.length);
    LLVMValueRef order = lower_string_compare(lower, subject->ir, text);
    return LLVMBuildICmp(builder, LLVMIntEQ, order, lower_word(lower, 0), "");
  }
  case AST_PATTERN_CONSTRUCTOR:
    if (!subject->tag)
      return NULL;
    return LLVMBuildICmp(builder, LLVMIntEQ, subject->tag, lower_word(lower, arm->constructor->tag), "");
  case AST_PATTERN_SUCCESS:
    return LLVMBuildNot(builder, subject->open.failed, "");
  case AST_PATTERN_ERROR:
    return subject->open.failed;
  default:
    return NULL;
  }
}

static void arm_bind_fields(struct lower_function *fn, const struct subject *subject, const struct ast_arm *arm) {
  for (unsigned i = 0; i < arm->constructor->field_count; i++) {
    if (arm->bindings && arm->bindings[i])
      lower_bind(fn->lower, arm->bindings[i], lower_record_load(fn, arm->constructor, i, subject->ir));
  }
}

/* A message that its maker left out is the word "Error". */
static LLVMValueRef arm_message(struct lower_function *fn, const struct subject *subject) {
  static const char silent[] = "Error";
  struct lower *lower = fn->lower;
  if (!subject->open.counted || LLVMIsConstant(subject->open.message))
    return subject->open.message;
  LLVMValueRef none = LLVMBuildIsNull(lower->builder, subject->open.message, "");
  return lower_select(lower, none, lower_string_literal(lower, silent, strlen(silent)), subject->open.message);
}

static void arm_bind(struct lower_function *fn, const struct subject *subject, const struct ast_arm *arm) {
  if (arm->kind == AST_PATTERN_CONSTRUCTOR)
    arm_bind_fields(fn, subject, arm);
  else if (!arm->variable)
    return;
  else if (arm->kind == AST_PATTERN_SUCCESS)
    lower_bind(fn->lower, arm->variable, subject->open.value);
  else if (arm->kind == AST_PATTERN_ERROR)
    lower_bind(fn->lower, arm->variable, arm_message(fn, subject));
  else
    lower_bind(fn->lower, arm->variable, subject->ir);
}

/* Lowers a match whose value goes to the target. The block is ended. */
void lower_match(struct lower_function *fn, const struct ast_expr *expr, const struct lower_target *target) {
  const struct ast_match *match = &expr->match;
  size_t depth = fn->cleanup_count;
  struct subject subject;
  subject_open(fn, match, &subject);
  for (size_t i = 0; i < match->count; i++) {
    const struct ast_arm *arm = &match->arms[i];
    lower_debug_place(fn, arm->place);
    /* The arms are exhaustive: the last one needs no test. */
    LLVMValueRef matches = i + 1 < match->count ? arm_matches(fn, &subject, arm) : NULL;
    LLVMBasicBlockRef next = NULL;
    if (matches) {
      LLVMBasicBlockRef body = lower_block_new(fn, "arm");
      next = lower_block_new(fn, "next");
      LLVMBuildCondBr(fn->lower->builder, matches, body, next);
      lower_block_enter(fn, body);
    }
    arm_bind(fn, &subject, arm);
    lower_expr_to(fn, arm->body, target);
    if (!matches)
      break;
    lower_block_enter(fn, next);
  }
  lower_pop_to(fn, depth);
}
