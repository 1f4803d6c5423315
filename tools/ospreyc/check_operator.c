#include "check_operator.h"

#include <string.h>

static const char *const check_operator_spelling[] = {
    [SYNTAX_ADD] = "+",       [SYNTAX_SUBTRACT] = "-",    [SYNTAX_MULTIPLY] = "*",       [SYNTAX_DIVIDE] = "/",
    [SYNTAX_REMAINDER] = "%", [SYNTAX_EQUAL] = "==",      [SYNTAX_NOT_EQUAL] = "!=",     [SYNTAX_LESS] = "<",
    [SYNTAX_GREATER] = ">",   [SYNTAX_LESS_EQUAL] = "<=", [SYNTAX_GREATER_EQUAL] = ">=",
};

/* An operand of arithmetic: a number, or a Result of one. */
struct operand {
  struct type *number; /* int, float, string (for +), a variable or the error type; NULL for any other type */
  bool is_result;
};

static struct operand check_operator_operand(const struct type *type) {
  struct operand operand = {.number = infer_resolve(type)};
  if (operand.number->kind == TYPE_RESULT) {
    operand.is_result = true;
    operand.number = infer_resolve(operand.number->result.value);
  }
  enum type_kind kind = operand.number->kind;
  if (kind != TYPE_INT && kind != TYPE_FLOAT && kind != TYPE_VARIABLE && kind != TYPE_ERROR &&
      (kind != TYPE_STRING || operand.is_result))
    operand.number = NULL;
  return operand;
}

static struct type *check_operator_left_type(const struct ast_expr *expr) {
  return infer_resolve(expr->kind == AST_NEGATE ? expr->operand->type : expr->binary.left->type);
}

static struct type *check_operator_right_type(const struct ast_expr *expr) {
  return infer_resolve(expr->kind == AST_NEGATE ? expr->operand->type : expr->binary.right->type);
}

struct operands {
  struct operand left, right;
  bool left_is_open, right_is_open; /* a variable */
};

static struct operands check_operator_operands(const struct ast_expr *expr) {
  struct operands both = {check_operator_operand(check_operator_left_type(expr)),
                          check_operator_operand(check_operator_right_type(expr)), false, false};
  both.left_is_open = both.left.number && both.left.number->kind == TYPE_VARIABLE;
  both.right_is_open = both.right.number && both.right.number->kind == TYPE_VARIABLE;
  return both;
}

/* The type of an operator on operands of known types, or NULL if it does not apply to them. */
static struct type *check_operator_result(struct checker *checker, enum syntax_operator op, struct operand left,
                                          struct operand right) {
  struct infer *infer = &checker->infer;
  if (!left.number || !right.number)
    return NULL;
  enum type_kind a = left.number->kind, b = right.number->kind;
  if (a == TYPE_ERROR || b == TYPE_ERROR)
    return infer->error;
  if (a == TYPE_STRING || b == TYPE_STRING)
    return op == SYNTAX_ADD && a == b ? infer->string : NULL;
  bool real = a == TYPE_FLOAT || b == TYPE_FLOAT;
  if (op == SYNTAX_DIVIDE)
    return infer_result(infer, infer->real, true);
  if (op == SYNTAX_REMAINDER || !real)
    return infer_result(infer, real ? infer->real : infer->integer, true);
  return left.is_result || right.is_result ? infer_result(infer, infer->real, true) : infer->real;
}

/* Whether the place of an expression is all of its text: names, numbers and operators without brackets. */
static bool check_operator_is_plain(const struct checker *checker, const struct ast_expr *expr) {
  if (expr->kind != AST_ARITHMETIC)
    return expr->kind == AST_VARIABLE || expr->kind == AST_INT || expr->kind == AST_FLOAT;
  const char *text = checker->diag->source->text + expr->place.offset;
  return !memchr(text, '(', expr->place.length) && !memchr(text, ')', expr->place.length) &&
         check_operator_is_plain(checker, expr->binary.left) && check_operator_is_plain(checker, expr->binary.right);
}

const char *check_operator_name(enum syntax_operator op) {
  return check_operator_spelling[op];
}

/* A Result and a fallback of its type, as they are written in a place; NULL: its type has no plain value. */
static const char *check_operator_written(struct checker *checker, const struct ast_expr *result,
                                          enum check_where where) {
  enum { LONG = 40 };
  const struct type *type = infer_resolve(result->type);
  if (type->kind == TYPE_RESULT)
    type = infer_resolve(type->result.value);
  const char *fallback = type->kind == TYPE_INT      ? "0"
                         : type->kind == TYPE_FLOAT  ? "0.0"
                         : type->kind == TYPE_STRING ? "\"\""
                         : type->kind == TYPE_BOOL   ? "false"
                                                     : NULL;
  if (!fallback)
    return NULL;
  bool is_quoted = result->place.length <= LONG && check_operator_is_plain(checker, result);
  const char *text = is_quoted ? checker->diag->source->text + result->place.offset : "…";
  int length = (int)(is_quoted ? result->place.length : strlen(text));
  bool is_name = is_quoted && result->kind == AST_VARIABLE;
  const char *before[] = {[CHECK_ALONE] = "", [CHECK_IN_STRING] = "\"${", [CHECK_OPERAND] = "("};
  const char *after[] = {[CHECK_ALONE] = "", [CHECK_IN_STRING] = "}\"", [CHECK_OPERAND] = ")"};
  return arena_printf(checker->arena, "%s%s%.*s%s ?: %s%s", before[where], is_name ? "" : "(", length, text,
                      is_name ? "" : ")", fallback, after[where]);
}

const char *check_operator_with_fallback(struct checker *checker, const struct ast_expr *result) {
  const char *written = check_operator_written(checker, result, CHECK_ALONE);
  return written ? written : "… ?: …";
}

const char *check_operator_fallback(struct checker *checker, const struct ast_expr *result, enum check_where where) {
  const char *written = check_operator_written(checker, result, where);
  return written ? arena_printf(checker->arena, "give a fallback for an Err: %s", written)
                 : "a Result is never unwrapped silently: match it";
}

/* Types an operator if the types of its operands are known. Returns false if it is still pending. */
static bool check_operator_settle(struct checker *checker, const struct pending *pending) {
  const struct ast_expr *expr = pending->expr;
  const char *spelling = check_operator_spelling[pending->op];
  struct operands both = check_operator_operands(expr);
  if (both.left_is_open || both.right_is_open)
    return false;
  struct type *result = check_operator_result(checker, pending->op, both.left, both.right);
  struct type *type = infer_resolve(expr->type);
  if (!result && expr->kind == AST_NEGATE) {
    diag_error(checker->diag, pending->place, "'-' cannot be applied to %s",
               type_name(checker->arena, check_operator_left_type(expr)));
  } else if (!result) {
    struct type *left = check_operator_left_type(expr), *right = check_operator_right_type(expr);
    const char **hint = diag_error(checker->diag, pending->place, "'%s' cannot be applied to %s and %s", spelling,
                                   type_name(checker->arena, left), type_name(checker->arena, right));
    bool is_text = left->kind == TYPE_STRING || right->kind == TYPE_STRING;
    if (is_text && (left->kind == TYPE_RESULT || right->kind == TYPE_RESULT))
      *hint = check_operator_fallback(checker, left->kind == TYPE_RESULT ? expr->binary.left : expr->binary.right,
                                      CHECK_IN_STRING);
    else if (is_text && (left->kind == TYPE_RECORD || right->kind == TYPE_RECORD))
      *hint = "a record is not text: write one of its fields, as in message.data";
    else if (is_text && pending->op == SYNTAX_ADD)
      *hint = "convert it with toString(…) or \"${…}\"";
    else if (is_text && pending->op == SYNTAX_MULTIPLY)
      *hint = "to repeat a string, write repeat(s, n)";
    else if (is_text && pending->op == SYNTAX_REMAINDER)
      *hint = "write the value into the string: \"${…}\"";
  } else if (!infer_unify(&checker->infer, type, result)) {
    *diag_error(checker->diag, pending->place, "'%s' on %s: expected %s, found %s", spelling,
                type_name(checker->arena, both.left.number), type_name(checker->arena, type),
                type_name(checker->arena, result)) =
        result->kind == TYPE_RESULT ? "arithmetic on integers is checked: match it, or give a fallback with '?:'"
                                    : NULL;
  }
  return true;
}

/* Settles the operators whose operands have become known, until none is left. */
static void check_operator_settle_known(struct checker *checker) {
  size_t before;
  do {
    before = checker->pending_count;
    size_t kept = 0;
    for (size_t i = 0; i < before; i++) {
      struct pending pending = checker->pending[i];
      if (!check_operator_settle(checker, &pending))
        checker->pending[kept++] = pending;
    }
    checker->pending_count = kept;
  } while (checker->pending_count && checker->pending_count < before);
}

/* While operators are pending, fixes the operands of one that is ready, otherwise of the innermost: an open operand
 * takes the type of the other one, or defaults to int. An operator is ready if one operand is known and the other is
 * not the result of another pending operator, which comes first. */
void check_operator_settle_all(struct checker *checker) {
  struct infer *infer = &checker->infer;
  for (check_operator_settle_known(checker); checker->pending_count; check_operator_settle_known(checker)) {
    struct operands both = check_operator_operands(checker->pending[0].expr);
    bool found = false;
    for (size_t i = 0; i < checker->pending_count && !found; i++) {
      struct operands other = check_operator_operands(checker->pending[i].expr);
      found = (other.left.number && !other.left_is_open) || (other.right.number && !other.right_is_open);
      for (size_t j = 0; found && j < checker->pending_count; j++) {
        const struct type *result = infer_resolve(checker->pending[j].expr->type);
        found = result != other.left.number && result != other.right.number;
      }
      if (found)
        both = other;
    }
    struct type *number = infer->integer;
    if (both.left.number && !both.left_is_open)
      number = both.left.number;
    if (both.right.number && !both.right_is_open)
      number = both.right.number;
    checker->defaulted_count += number == infer->integer;
    if (both.left_is_open)
      infer_unify(infer, both.left.number, number);
    if (both.right_is_open)
      infer_unify(infer, both.right.number, number);
  }
}

struct type *check_operator_force(struct checker *checker, struct type *type) {
  type = infer_resolve(type);
  if (type->kind != TYPE_VARIABLE)
    return type;
  check_operator_settle_known(checker);
  return infer_resolve(type);
}

struct ast_expr *check_operator_arithmetic(struct checker *checker, struct ast_expr *expr, enum syntax_operator op,
                                           struct place place) {
  struct type *left = check_operator_left_type(expr), *right = check_operator_right_type(expr);
  bool one_string = (left->kind == TYPE_STRING && right->kind == TYPE_VARIABLE) ||
                    (right->kind == TYPE_STRING && left->kind == TYPE_VARIABLE);
  if (op == SYNTAX_ADD && one_string)
    infer_unify(&checker->infer, left, right);
  struct pending pending = {expr, op, place};
  if (!check_operator_settle(checker, &pending))
    ARENA_PUSH(checker->arena, checker->pending, checker->pending_count, checker->pending_capacity, pending);
  return expr;
}

bool check_operator_is_numeric(const struct type *type) {
  struct operand operand = check_operator_operand(type);
  return operand.number && operand.number->kind != TYPE_STRING;
}

struct ast_expr *check_operator_compare(struct checker *checker, struct ast_expr *expr, struct place place) {
  struct type *left = check_operator_left_type(expr), *right = check_operator_right_type(expr);
  if (left->kind == TYPE_VARIABLE || right->kind == TYPE_VARIABLE)
    ARENA_PUSH(checker->arena, checker->comparisons, checker->comparison_count, checker->comparison_capacity, expr);
  bool numbers =
      (left->kind == TYPE_INT || left->kind == TYPE_FLOAT) && (right->kind == TYPE_INT || right->kind == TYPE_FLOAT);
  if (numbers || infer_unify(&checker->infer, left, right))
    return expr;
  const char **hint =
      diag_error(checker->diag, place, "'%s' cannot compare %s with %s", check_operator_spelling[expr->binary.op],
                 type_name(checker->arena, left), type_name(checker->arena, right));
  if (left->kind == TYPE_RESULT || right->kind == TYPE_RESULT)
    *hint = check_operator_fallback(checker, left->kind == TYPE_RESULT ? expr->binary.left : expr->binary.right,
                                    CHECK_OPERAND);
  else if (left->kind == TYPE_BOOL && expr->binary.left->kind == AST_COMPARE)
    *hint = "compare twice: a < b && b < c";
  else if (left->kind == TYPE_BOOL || right->kind == TYPE_BOOL)
    *hint = "a bool is a condition by itself, without '=='";
  else if (left->kind == TYPE_STRING || right->kind == TYPE_STRING)
    *hint = "parseInt(…) makes a Result of a number from a string, and toString(…) a string from a number";
  return expr;
}

void check_operator_settle_comparisons(struct checker *checker) {
  for (size_t i = 0; i < checker->comparison_count; i++) {
    struct type *type = infer_resolve(checker->comparisons[i]->binary.left->type);
    if (type->kind == TYPE_VARIABLE && type->variable.level != INFER_GENERIC)
      infer_unify(&checker->infer, type, checker->infer.integer);
  }
  checker->comparison_count = 0;
}
