#include "check_operator.h"

static const char *const check_operator_spelling[] = {
    [SYNTAX_ADD] = "+",       [SYNTAX_SUBTRACT] = "-",    [SYNTAX_MULTIPLY] = "*",       [SYNTAX_DIVIDE] = "/",
    [SYNTAX_REMAINDER] = "%", [SYNTAX_EQUAL] = "==",      [SYNTAX_NOT_EQUAL] = "!=",     [SYNTAX_LESS] = "<",
    [SYNTAX_GREATER] = ">",   [SYNTAX_LESS_EQUAL] = "<=", [SYNTAX_GREATER_EQUAL] = ">=",
};

/* ---- operands */

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
  bool is_number = operand.number->kind == TYPE_INT || operand.number->kind == TYPE_FLOAT;
  bool is_text = operand.number->kind == TYPE_STRING && !operand.is_result;
  bool is_open = operand.number->kind == TYPE_VARIABLE || operand.number->kind == TYPE_ERROR;
  if (!is_number && !is_text && !is_open)
    operand.number = NULL;
  return operand;
}

static struct type *check_operator_left_type(const struct ast_expr *expr) {
  return infer_resolve(expr->kind == AST_NEGATE ? expr->operand->type : expr->binary.left->type);
}

static struct type *check_operator_right_type(const struct ast_expr *expr) {
  return infer_resolve(expr->kind == AST_NEGATE ? expr->operand->type : expr->binary.right->type);
}

/* ---- arithmetic */

/* The type of an operator on operands of known types, or NULL if it does not apply to them. */
static struct type *check_operator_result(struct checker *checker, enum syntax_operator op, struct operand left,
                                          struct operand right) {
  struct infer *infer = &checker->infer;
  if (!left.number || !right.number)
    return NULL;
  if (left.number->kind == TYPE_ERROR || right.number->kind == TYPE_ERROR)
    return infer->error;
  bool texts = left.number->kind == TYPE_STRING || right.number->kind == TYPE_STRING;
  if (texts)
    return op == SYNTAX_ADD && left.number == right.number ? infer->string : NULL;
  bool real = left.number->kind == TYPE_FLOAT || right.number->kind == TYPE_FLOAT;
  if (op == SYNTAX_DIVIDE)
    return infer_result(infer, infer->real, true);
  if (op == SYNTAX_REMAINDER || !real)
    return infer_result(infer, real ? infer->real : infer->integer, true);
  return left.is_result || right.is_result ? infer_result(infer, infer->real, true) : infer->real;
}

static void check_operator_refuse(struct checker *checker, const struct pending *pending) {
  const char *spelling = check_operator_spelling[pending->op];
  struct type *left = check_operator_left_type(pending->expr), *right = check_operator_right_type(pending->expr);
  if (pending->expr->kind == AST_NEGATE) {
    diag_error(checker->diag, pending->place, "'-' cannot be applied to %s", type_name(checker->arena, left));
    return;
  }
  const char **hint = diag_error(checker->diag, pending->place, "'%s' cannot be applied to %s and %s", spelling,
                                 type_name(checker->arena, left), type_name(checker->arena, right));
  bool texts = left->kind == TYPE_STRING || right->kind == TYPE_STRING;
  if (texts && pending->op == SYNTAX_ADD)
    *hint = "convert it with toString(…) or \"${…}\"";
}

/* Types an operator if the types of its operands are known. Returns false if it is still pending. */
static bool check_operator_settle(struct checker *checker, const struct pending *pending) {
  struct ast_expr *expr = pending->expr;
  struct operand left = check_operator_operand(check_operator_left_type(expr)),
                 right = check_operator_operand(check_operator_right_type(expr));
  bool known =
      (!left.number || left.number->kind != TYPE_VARIABLE) && (!right.number || right.number->kind != TYPE_VARIABLE);
  if (!known)
    return false;
  struct type *result = check_operator_result(checker, pending->op, left, right);
  struct type *type = infer_resolve(expr->type);
  if (!result) {
    check_operator_refuse(checker, pending);
    return true;
  }
  if (!infer_unify(&checker->infer, type, result))
    *diag_error(checker->diag, pending->place, "'%s' on %s: expected %s, found %s",
                check_operator_spelling[pending->op], type_name(checker->arena, left.number),
                type_name(checker->arena, type), type_name(checker->arena, result)) =
        result->kind == TYPE_RESULT ? "arithmetic on integers is checked: match it, or give a fallback with '?:'"
                                    : NULL;
  return true;
}

/* Fixes the type of an operand that nothing determines: the type of the other operand, or int. */
static void check_operator_assume(struct checker *checker, const struct pending *pending) {
  struct operand left = check_operator_operand(check_operator_left_type(pending->expr));
  struct operand right = check_operator_operand(check_operator_right_type(pending->expr));
  struct type *assumed = checker->infer.integer;
  if (left.number && left.number->kind != TYPE_VARIABLE)
    assumed = left.number;
  if (right.number && right.number->kind != TYPE_VARIABLE)
    assumed = right.number;
  checker->defaulted_count += assumed == checker->infer.integer;
  if (left.number && left.number->kind == TYPE_VARIABLE)
    infer_unify(&checker->infer, left.number, assumed);
  if (right.number && right.number->kind == TYPE_VARIABLE)
    infer_unify(&checker->infer, right.number, assumed);
}

static bool check_operator_is_half_known(const struct pending *pending) {
  struct operand left = check_operator_operand(check_operator_left_type(pending->expr));
  struct operand right = check_operator_operand(check_operator_right_type(pending->expr));
  return (left.number && left.number->kind != TYPE_VARIABLE) || (right.number && right.number->kind != TYPE_VARIABLE);
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

/* Returns true if an operand is the result of another pending operator, which must be settled first. */
static bool check_operator_waits_for_another(const struct checker *checker, const struct pending *pending) {
  struct operand left = check_operator_operand(check_operator_left_type(pending->expr));
  struct operand right = check_operator_operand(check_operator_right_type(pending->expr));
  for (size_t i = 0; i < checker->pending_count; i++) {
    const struct type *result = infer_resolve(checker->pending[i].expr->type);
    if (result == left.number || result == right.number)
      return true;
  }
  return false;
}

/* The pending operator to fix next: one with a known operand, otherwise the innermost. */
static const struct pending *check_operator_next(const struct checker *checker) {
  for (size_t i = 0; i < checker->pending_count; i++)
    if (check_operator_is_half_known(&checker->pending[i]) &&
        !check_operator_waits_for_another(checker, &checker->pending[i]))
      return &checker->pending[i];
  return &checker->pending[0];
}

void check_operator_settle_all(struct checker *checker) {
  check_operator_settle_known(checker);
  while (checker->pending_count) {
    check_operator_assume(checker, check_operator_next(checker));
    check_operator_settle_known(checker);
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

/* ---- comparisons */

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
    *hint = "a Result is never unwrapped silently: match it, or give a fallback with '?:'";
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
