#include "lower_expr.h"

#include "lower_arithmetic.h"
#include "lower_call.h"
#include "lower_closure.h"
#include "lower_debug.h"
#include "lower_loop.h"
#include "lower_record.h"
#include "lower_result.h"
#include "lower_string.h"
#include "lower_type.h"

#include <assert.h>
#include <string.h>

static LLVMValueRef global_get(struct lower *lower, const struct ast_variable *variable) {
  char name[64];
  snprintf(name, sizeof name, "global.%u", variable->index);
  LLVMValueRef global = LLVMGetNamedGlobal(lower->module, name);
  if (global)
    return global;
  LLVMTypeRef type = lower_type(lower, variable->type);
  global = LLVMAddGlobal(lower->module, type, name);
  LLVMSetInitializer(global, LLVMConstNull(type));
  LLVMSetLinkage(global, LLVMInternalLinkage);
  return global;
}

/* A `let` binds a borrowed value without retaining it, because its owner outlives the binding. A global owns its
 * value. What the program frees is memory of C's: a release would look at it once more, when it is gone. */
static void expr_statements(struct lower_function *fn, const struct ast_block *block) {
  for (size_t i = 0; i < block->count; i++) {
    const struct ast_statement *statement = &block->statements[i];
    struct ast_variable *variable = statement->variable;
    lower_debug_place(fn, statement->place);
    struct lower_value value = lower_expr(fn, statement->value);
    if (!variable)
      lower_drop(fn, value);
    else if (variable->kind == AST_GLOBAL)
      LLVMBuildStore(fn->lower->builder, lower_own(fn, statement->value->type, value), global_get(fn->lower, variable));
    else
      lower_debug_bind(fn, variable, variable->is_freed ? value.ir : lower_keep(fn, value));
  }
}

/* The value of a variable. It is borrowed: it lives as long as the scope that binds it, the cell or the program. */
static struct lower_value expr_variable(struct lower_function *fn, const struct ast_variable *variable) {
  struct lower *lower = fn->lower;
  assert((variable->ir || variable->kind == AST_GLOBAL) && "a variable is bound before it is used");
  if (variable->kind != AST_GLOBAL)
    return lower_borrowed(variable->ir);
  LLVMTypeRef type = lower_type(lower, variable->type);
  return lower_borrowed(LLVMBuildLoad2(lower->builder, type, global_get(lower, variable), variable->name));
}

/* A block as a value: without a target, it needs no branch. */
static struct lower_value expr_block(struct lower_function *fn, const struct ast_expr *expr) {
  size_t depth = fn->cleanup_count;
  expr_statements(fn, &expr->block);
  struct lower_value value = lower_unit(fn->lower);
  if (expr->block.value) {
    value = lower_expr(fn, expr->block.value);
    value = lower_fresh(expr->type, lower_own_moving(fn, expr->type, value, depth));
  }
  lower_leave(fn, depth);
  return value;
}

static struct lower_value expr_compare(struct lower_function *fn, const struct ast_expr *expr) {
  static const LLVMIntPredicate int_predicates[] = {
      [AST_EQUAL] = LLVMIntEQ,    [AST_NOT_EQUAL] = LLVMIntNE,   [AST_LESS] = LLVMIntSLT,
      [AST_GREATER] = LLVMIntSGT, [AST_LESS_EQUAL] = LLVMIntSLE, [AST_GREATER_EQUAL] = LLVMIntSGE,
  };
  /* NaN is unequal to every number, itself included. */
  static const LLVMRealPredicate float_predicates[] = {
      [AST_EQUAL] = LLVMRealOEQ,   [AST_NOT_EQUAL] = LLVMRealUNE,  [AST_LESS] = LLVMRealOLT,
      [AST_GREATER] = LLVMRealOGT, [AST_LESS_EQUAL] = LLVMRealOLE, [AST_GREATER_EQUAL] = LLVMRealOGE,
  };
  struct lower *lower = fn->lower;
  struct lower_value left = lower_expr(fn, expr->binary.left);
  struct lower_value right = lower_expr(fn, expr->binary.right);
  enum ast_operator op = expr->binary.op;
  lower_debug_place(fn, expr->place);
  if (expr->binary.left->type->kind == TYPE_FLOAT)
    return lower_borrowed(LLVMBuildFCmp(lower->builder, float_predicates[op], left.ir, right.ir, ""));
  LLVMValueRef a = left.ir, b = right.ir;
  if (expr->binary.left->type->kind == TYPE_STRING) {
    a = lower_string_compare(lower, left.ir, right.ir);
    b = lower_word(lower, 0);
    lower_drop(fn, left);
    lower_drop(fn, right);
  }
  return lower_borrowed(LLVMBuildICmp(lower->builder, int_predicates[op], a, b, ""));
}

struct lower_value lower_expr(struct lower_function *fn, const struct ast_expr *expr) {
  struct lower *lower = fn->lower;
  struct lower_target target;
  LLVMValueRef ir;
  lower_debug_place(fn, expr->place);
  switch (expr->kind) {
  case AST_UNIT:
    return lower_unit(lower);
  case AST_INT:
    return lower_borrowed(lower_word(lower, expr->integer));
  case AST_FLOAT:
    return lower_borrowed(LLVMConstReal(lower->real, expr->real));
  case AST_BOOL:
    return lower_borrowed(LLVMConstInt(lower->bit, expr->truth, false));
  case AST_STRING:
    return lower_borrowed(lower_string_literal(lower, expr->text.bytes, expr->text.length));
  case AST_VARIABLE:
    return expr_variable(fn, expr->variable);
  case AST_CLOSURE:
    return lower_closure(fn, expr->function);
  case AST_SELF:
    return lower_closure_self(fn);
  case AST_CALL:
    return lower_call(fn, expr);
  case AST_PRINT:
    return lower_string_print(fn, expr);
  case AST_INTERPOLATE:
  case AST_CONCAT:
  case AST_TO_STRING:
    return lower_string_format(fn, expr);
  case AST_INPUT:
    return lower_fresh(expr->type, lower_call_hook(lower, "osp_rt_input", lower->pointer, NULL, 0));
  case AST_SLEEP:
    ir = lower_expr(fn, expr->operand).ir;
    lower_call_hook(lower, "osp_rt_sleep", NULL, &ir, 1);
    return lower_unit(lower);
  case AST_NOT:
    return lower_borrowed(LLVMBuildNot(lower->builder, lower_expr(fn, expr->operand).ir, ""));
  case AST_TO_FLOAT:
  case AST_NEGATE:
  case AST_ARITHMETIC:
    return lower_arithmetic(fn, expr);
  case AST_COMPARE:
    return expr_compare(fn, expr);
  case AST_BLOCK:
    return expr_block(fn, expr);
  case AST_CONSTRUCT:
    return lower_record_construct(fn, expr);
  case AST_UPDATE:
    return lower_record_update(fn, expr);
  case AST_FIELD:
    return lower_record_field(fn, expr);
  case AST_SUCCESS:
  case AST_ERROR:
    return lower_result(fn, expr);
  case AST_LOOP:
    return lower_loop(fn, expr);
  case AST_AND:
  case AST_OR:
  case AST_IF:
  case AST_ELVIS:
  case AST_MATCH:
    lower_target_begin(fn, &target, expr->type);
    lower_expr_to(fn, expr, &target);
    return lower_target_end(fn, &target, expr->type);
  }
  assert(false && "every kind of expression is lowered");
  return lower_unit(lower);
}

/* `left && right`, `left || right`: the right operand decides if it is evaluated, so it is in tail position. */
static void to_logic(struct lower_function *fn, const struct ast_expr *expr, const struct lower_target *target) {
  LLVMValueRef left = lower_expr(fn, expr->binary.left).ir;
  LLVMBasicBlockRef right = lower_block_new(fn, "right"), decided = lower_block_new(fn, "decided");
  bool and = expr->kind == AST_AND;
  LLVMBuildCondBr(fn->lower->builder, left, and? right : decided, and? decided : right);
  lower_block_enter(fn, decided);
  lower_deliver(fn, expr->type, lower_borrowed(LLVMConstInt(fn->lower->bit, !and, false)), target);
  lower_block_enter(fn, right);
  lower_expr_to(fn, expr->binary.right, target);
}

/* `result ?: fallback`: the Result is released before the fallback is evaluated, so the fallback is in tail
 * position. */
static void to_elvis(struct lower_function *fn, const struct ast_expr *expr, const struct lower_target *target) {
  size_t depth = fn->cleanup_count;
  struct lower_open open;
  lower_result_open(fn, expr->binary.left, &open);
  LLVMBasicBlockRef fallback = lower_block_new(fn, "fallback"), success = lower_block_new(fn, "success");
  LLVMBuildCondBr(fn->lower->builder, open.failed, fallback, success);
  lower_block_enter(fn, success);
  lower_result_assume(fn, &open, true, false);
  lower_deliver(fn, expr->type, lower_borrowed(open.value), target);
  lower_block_enter(fn, fallback);
  lower_result_assume(fn, &open, true, true);
  lower_leave(fn, depth);
  lower_expr_to(fn, expr->binary.right, target);
}

/* The subject of a match in the form that its patterns need, borrowed from the scope of the match. */
struct subject {
  const struct type *type;
  LLVMValueRef ir;        /* NULL for a Result that no arm binds as a whole */
  LLVMValueRef tag;       /* of a union */
  struct lower_open open; /* of a Result */
};

static void subject_open(struct lower_function *fn, const struct ast_match *match, struct subject *subject) {
  const struct type *type = match->subject->type;
  bool bound = type->kind != TYPE_RESULT; /* as a whole, by an arm */
  for (size_t i = 0; i < match->count; i++)
    bound |= match->arms[i].kind == AST_PATTERN_ANY && match->arms[i].variable;
  *subject = (struct subject){.type = type};
  if (!bound) {
    lower_result_open(fn, match->subject, &subject->open);
    return;
  }
  subject->ir = lower_keep(fn, lower_expr(fn, match->subject));
  if (type->kind == TYPE_RESULT)
    lower_result_open_block(fn, type, lower_borrowed(subject->ir), &subject->open);
  if (type->kind == TYPE_UNION)
    subject->tag = lower_record_tag(fn, subject->ir);
}

/* Returns an i1 that is true if the arm's pattern matches, or NULL if it always does. */
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

/* Binds the variables of an arm. An error without a message has the message "Error". */
static void arm_bind(struct lower_function *fn, const struct subject *subject, const struct ast_arm *arm) {
  struct lower *lower = fn->lower;
  if (arm->kind == AST_PATTERN_CONSTRUCTOR) {
    for (unsigned i = 0; i < arm->constructor->field_count; i++)
      if (arm->bindings && arm->bindings[i])
        lower_debug_bind(fn, arm->bindings[i], lower_record_load(fn, arm->constructor, i, subject->ir));
    return;
  }
  if (!arm->variable)
    return;
  LLVMValueRef value = arm->kind == AST_PATTERN_SUCCESS ? subject->open.value : subject->ir;
  if (arm->kind == AST_PATTERN_ERROR) {
    LLVMValueRef message = subject->open.message;
    if (subject->open.counted && !subject->open.unboxed && !LLVMIsConstant(message)) {
      LLVMValueRef none = LLVMBuildIsNull(lower->builder, message, "");
      message = lower_select(lower, none, lower_string_literal(lower, "Error", strlen("Error")), message);
    }
    value = message;
  }
  lower_debug_bind(fn, arm->variable, value);
}

/*     br i1 %matches, label %arm, label %next
 *   arm:
 *     …                                      the bindings, borrowed from the subject; the body, to the target
 *   next:
 *     …                                      the next arm
 */
static void to_match(struct lower_function *fn, const struct ast_expr *expr, const struct lower_target *target) {
  const struct ast_match *match = &expr->match;
  size_t depth = fn->cleanup_count;
  struct subject subject;
  subject_open(fn, match, &subject);
  for (size_t i = 0; i < match->count; i++) {
    const struct ast_arm *arm = &match->arms[i];
    lower_debug_place(fn, arm->place);
    /* The arms are exhaustive, so the last one needs no test. */
    LLVMValueRef matches = i + 1 < match->count ? arm_matches(fn, &subject, arm) : NULL;
    LLVMBasicBlockRef next = NULL;
    if (matches) {
      LLVMBasicBlockRef body = lower_block_new(fn, "arm");
      next = lower_block_new(fn, "next");
      LLVMBuildCondBr(fn->lower->builder, matches, body, next);
      lower_block_enter(fn, body);
    }
    arm_bind(fn, &subject, arm);
    bool failed = arm->kind == AST_PATTERN_ERROR;
    lower_result_assume(fn, &subject.open, failed || arm->kind == AST_PATTERN_SUCCESS, failed);
    lower_expr_to(fn, arm->body, target);
    if (!matches)
      break;
    lower_block_enter(fn, next);
  }
  lower_pop_to(fn, depth);
}

void lower_expr_to(struct lower_function *fn, const struct ast_expr *expr, const struct lower_target *target) {
  size_t depth = fn->cleanup_count;
  lower_debug_place(fn, expr->place);
  if (expr->kind == AST_BLOCK) {
    expr_statements(fn, &expr->block);
    if (expr->block.value)
      lower_expr_to(fn, expr->block.value, target);
    else
      lower_deliver(fn, expr->type, lower_unit(fn->lower), target);
    lower_pop_to(fn, depth);
  } else if (expr->kind == AST_IF) {
    LLVMValueRef condition = lower_expr(fn, expr->branch.condition).ir;
    LLVMBasicBlockRef then = lower_block_new(fn, "then"), otherwise = lower_block_new(fn, "else");
    LLVMBuildCondBr(fn->lower->builder, condition, then, otherwise);
    lower_block_enter(fn, then);
    lower_expr_to(fn, expr->branch.then, target);
    lower_block_enter(fn, otherwise);
    lower_expr_to(fn, expr->branch.otherwise, target);
  } else if (expr->kind == AST_AND || expr->kind == AST_OR) {
    to_logic(fn, expr, target);
  } else if (expr->kind == AST_ELVIS) {
    to_elvis(fn, expr, target);
  } else if (expr->kind == AST_MATCH) {
    to_match(fn, expr, target);
  } else if (target->returns && lower_call_is_tail(expr)) {
    lower_call_tail(fn, expr);
  } else {
    lower_deliver(fn, expr->type, lower_expr(fn, expr), target);
  }
}
