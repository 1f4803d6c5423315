/* Operators. What `+` means depends on its operands' types, which inference may only find later: until then the operator
 * waits, and its own type is a variable. */
#include "checker.h"

#include <string.h>

static const char *const operator_spelling[] = {
    [SYNTAX_ADD] = "+",         [SYNTAX_SUBTRACT] = "-",       [SYNTAX_MULTIPLY] = "*",
    [SYNTAX_DIVIDE] = "/",      [SYNTAX_REMAINDER] = "%",      [SYNTAX_EQUAL] = "==",
    [SYNTAX_NOT_EQUAL] = "!=",  [SYNTAX_LESS] = "<",           [SYNTAX_GREATER] = ">",
    [SYNTAX_LESS_EQUAL] = "<=", [SYNTAX_GREATER_EQUAL] = ">=", [SYNTAX_AND] = "&&",
    [SYNTAX_OR] = "||",         [SYNTAX_ELVIS] = "?:",         [SYNTAX_NOT] = "!",
    [SYNTAX_PLUS] = "+",        [SYNTAX_NEGATE] = "-",
};

/* ---- Arithmetic -------------------------------------------------------------------------------------------------- */

/* What arithmetic sees of an operand's type: the number in it, and whether it is in a Result. */
struct operand {
  struct type *number; /* int, float, string (for +), a variable or wrong; NULL if it is nothing of these */
  bool is_result;
};

static struct operand operand_of(struct type *type) {
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

static bool operand_is_wrong(struct operand operand) {
  return operand.number && operand.number->kind == TYPE_ERROR;
}

static struct type *operator_left_type(const struct ast_expr *expr) {
  return check_type_of(expr->kind == AST_NEGATE ? expr->operand : expr->binary.left);
}

static struct type *operator_right_type(const struct ast_expr *expr) {
  return check_type_of(expr->kind == AST_NEGATE ? expr->operand : expr->binary.right);
}

/* What an operator gives for operands whose types are known; NULL if it is not for them. */
static struct type *operator_result(struct checker *checker, enum syntax_operator op, struct operand left,
                                    struct operand right) {
  struct infer *infer = &checker->infer;
  if (!left.number || !right.number)
    return NULL;
  if (operand_is_wrong(left) || operand_is_wrong(right))
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

static void operator_refuse(struct checker *checker, const struct pending *pending) {
  const char *spelling = operator_spelling[pending->op];
  struct type *left = operator_left_type(pending->expr), *right = operator_right_type(pending->expr);
  if (pending->expr->kind == AST_NEGATE) {
    diag_error(checker->diag, pending->place, "'-' cannot be applied to %s", check_show(checker, left));
    return;
  }
  const char **hint = diag_error(checker->diag, pending->place, "'%s' cannot be applied to %s and %s", spelling,
                                 check_show(checker, left), check_show(checker, right));
  bool texts = left->kind == TYPE_STRING || right->kind == TYPE_STRING;
  if (texts && pending->op == SYNTAX_ADD)
    *hint = "write \"${…}\", or make a string of it with toString(…)";
}

/* Gives an operator its type if its operands' are known. Returns whether it need not wait any longer. */
static bool operator_settle(struct checker *checker, const struct pending *pending) {
  struct ast_expr *expr = pending->expr;
  struct operand left = operand_of(operator_left_type(expr)), right = operand_of(operator_right_type(expr));
  bool known =
      (!left.number || left.number->kind != TYPE_VARIABLE) && (!right.number || right.number->kind != TYPE_VARIABLE);
  if (!known)
    return false;
  struct type *result = operator_result(checker, pending->op, left, right);
  struct type *type = check_type_of(expr);
  if (!result) {
    operator_refuse(checker, pending);
    return true;
  }
  if (!infer_unify(&checker->infer, type, result))
    *diag_error(checker->diag, pending->place, "'%s' on %s: expected %s, found %s", operator_spelling[pending->op],
                check_show(checker, left.number), check_show(checker, type), check_show(checker, result)) =
        result->kind == TYPE_RESULT ? "arithmetic on integers is checked: match it, or give a fallback with '?:'"
                                    : NULL;
  return true;
}

/* Decides what an operator is applied to where nothing else does: the same as its other operand, or int. */
static void operator_assume(struct checker *checker, const struct pending *pending) {
  struct operand left = operand_of(operator_left_type(pending->expr));
  struct operand right = operand_of(operator_right_type(pending->expr));
  struct type *assumed = checker->infer.integer;
  if (left.number && left.number->kind != TYPE_VARIABLE)
    assumed = left.number;
  if (right.number && right.number->kind != TYPE_VARIABLE)
    assumed = right.number;
  checker->assumed_count += assumed == checker->infer.integer;
  if (left.number && left.number->kind == TYPE_VARIABLE)
    infer_unify(&checker->infer, left.number, assumed);
  if (right.number && right.number->kind == TYPE_VARIABLE)
    infer_unify(&checker->infer, right.number, assumed);
}

static bool operator_is_half_known(const struct pending *pending) {
  struct operand left = operand_of(operator_left_type(pending->expr));
  struct operand right = operand_of(operator_right_type(pending->expr));
  return (left.number && left.number->kind != TYPE_VARIABLE) || (right.number && right.number->kind != TYPE_VARIABLE);
}

/* Settles all that can be. */
static void operators_settle_known(struct checker *checker) {
  size_t before;
  do {
    before = checker->pending_count;
    size_t kept = 0;
    for (size_t i = 0; i < before; i++) {
      struct pending pending = checker->pending[i];
      if (!operator_settle(checker, &pending))
        checker->pending[kept++] = pending;
    }
    checker->pending_count = kept;
  } while (checker->pending_count && checker->pending_count < before);
}

/* Whether an operand is what another waiting operator gives: that one has to be decided first. */
static bool operator_waits_for_another(const struct checker *checker, const struct pending *pending) {
  struct operand left = operand_of(operator_left_type(pending->expr));
  struct operand right = operand_of(operator_right_type(pending->expr));
  for (size_t i = 0; i < checker->pending_count; i++) {
    const struct type *result = check_type_of(checker->pending[i].expr);
    if (result == left.number || result == right.number)
      return true;
  }
  return false;
}

/* Which of the waiting operators to decide first: one with an operand that is known, else the innermost. */
static const struct pending *operators_next(const struct checker *checker) {
  for (size_t i = 0; i < checker->pending_count; i++)
    if (operator_is_half_known(&checker->pending[i]) && !operator_waits_for_another(checker, &checker->pending[i]))
      return &checker->pending[i];
  return &checker->pending[0];
}

void check_settle(struct checker *checker) {
  operators_settle_known(checker);
  while (checker->pending_count) {
    operator_assume(checker, operators_next(checker));
    operators_settle_known(checker);
  }
}

struct type *check_force(struct checker *checker, struct type *type) {
  type = infer_resolve(type);
  if (type->kind != TYPE_VARIABLE)
    return type;
  operators_settle_known(checker);
  return infer_resolve(type);
}

static struct ast_expr *operator_wait(struct checker *checker, struct ast_expr *expr, enum syntax_operator op,
                                      struct place place) {
  struct pending pending = {expr, op, place};
  if (!operator_settle(checker, &pending))
    ARENA_PUSH(checker->arena, checker->pending, checker->pending_count, checker->pending_capacity, pending);
  return expr;
}

/* With `+` one string is enough to know that the other operand is one too. */
static void operator_spread_string(struct checker *checker, struct ast_expr *expr) {
  struct type *left = operator_left_type(expr), *right = operator_right_type(expr);
  if (left->kind == TYPE_STRING && right->kind == TYPE_VARIABLE)
    infer_unify(&checker->infer, left, right);
  if (right->kind == TYPE_STRING && left->kind == TYPE_VARIABLE)
    infer_unify(&checker->infer, left, right);
}

static struct ast_expr *check_arithmetic(struct checker *checker, const struct syntax_expr *syntax) {
  const struct syntax_binary *binary = &syntax->binary;
  struct ast_expr *expr = check_new(checker, AST_ARITHMETIC, infer_variable(&checker->infer), syntax->place);
  expr->binary.op = (enum ast_operator)binary->op;
  expr->binary.left = check_expr(checker, binary->left, NULL);
  expr->binary.right = check_expr(checker, binary->right, NULL);
  if (binary->op == SYNTAX_ADD)
    operator_spread_string(checker, expr);
  return operator_wait(checker, expr, binary->op, binary->place);
}

/* ---- The others -------------------------------------------------------------------------------------------------- */

static bool operator_is_number(const struct type *type) {
  return type->kind == TYPE_INT || type->kind == TYPE_FLOAT;
}

/* Both operands are of one type, or one is an int and the other a float. finish.c sees to which types can be compared. */
static struct ast_expr *check_comparison(struct checker *checker, const struct syntax_expr *syntax) {
  const struct syntax_binary *binary = &syntax->binary;
  struct ast_expr *expr = check_new(checker, AST_COMPARE, checker->infer.boolean, syntax->place);
  expr->binary.op = (enum ast_operator)binary->op;
  expr->binary.left = check_expr(checker, binary->left, NULL);
  expr->binary.right = check_expr(checker, binary->right, NULL);
  struct type *left = check_type_of(expr->binary.left), *right = check_type_of(expr->binary.right);
  if (left->kind == TYPE_VARIABLE || right->kind == TYPE_VARIABLE)
    ARENA_PUSH(checker->arena, checker->comparisons, checker->comparison_count, checker->comparison_capacity, expr);
  if (operator_is_number(left) && operator_is_number(right))
    return expr;
  if (infer_unify(&checker->infer, left, right))
    return expr;
  const char **hint = diag_error(checker->diag, binary->place, "'%s' cannot compare %s with %s",
                                 operator_spelling[binary->op], check_show(checker, left), check_show(checker, right));
  if (left->kind == TYPE_RESULT || right->kind == TYPE_RESULT)
    *hint = "a Result is never unwrapped silently: match it, or give a fallback with '?:'";
  return expr;
}

void check_settle_comparisons(struct checker *checker) {
  for (size_t i = 0; i < checker->comparison_count; i++) {
    struct type *type = check_type_of(checker->comparisons[i]->binary.left);
    if (type->kind == TYPE_VARIABLE && type->variable.level != INFER_GENERIC)
      infer_unify(&checker->infer, type, checker->infer.integer);
  }
  checker->comparison_count = 0;
}

static struct ast_expr *check_logical(struct checker *checker, const struct syntax_expr *syntax) {
  const struct syntax_binary *binary = &syntax->binary;
  bool is_and = binary->op == SYNTAX_AND;
  struct want want = {checker->infer.boolean, is_and ? "an operand of '&&'" : "an operand of '||'", NULL};
  struct ast_expr *expr = check_new(checker, is_and ? AST_AND : AST_OR, checker->infer.boolean, syntax->place);
  expr->binary.left = check_expr(checker, binary->left, &want);
  expr->binary.right = check_expr(checker, binary->right, &want);
  return expr;
}

static struct ast_expr *check_elvis(struct checker *checker, const struct syntax_expr *syntax) {
  struct type *value = infer_variable(&checker->infer);
  struct want result = {infer_result(&checker->infer, value, false), "what stands before '?:'", NULL};
  struct want fallback = {value, "the fallback after '?:'", NULL};
  struct ast_expr *expr = check_new(checker, AST_ELVIS, value, syntax->place);
  struct ast_expr *left = check_expr(checker, syntax->binary.left, NULL);
  struct type *type = check_force(checker, check_type_of(left));
  if (type->kind != TYPE_RESULT && type->kind != TYPE_VARIABLE && type->kind != TYPE_ERROR) {
    *diag_error(checker->diag, left->place, "'?:' wants a Result before it, not %s", check_show(checker, type)) =
        "only a Result can fail: leave '?:' and the fallback out";
    return check_wrong(checker, syntax->place);
  }
  expr->binary.left = check_meet(checker, left, &result);
  expr->binary.right = check_expr(checker, syntax->binary.right, &fallback);
  return expr;
}

struct ast_expr *check_binary(struct checker *checker, const struct syntax_expr *syntax, const struct want *want) {
  enum syntax_operator op = syntax->binary.op;
  struct ast_expr *expr = op <= SYNTAX_REMAINDER       ? check_arithmetic(checker, syntax)
                          : op <= SYNTAX_GREATER_EQUAL ? check_comparison(checker, syntax)
                          : op <= SYNTAX_OR            ? check_logical(checker, syntax)
                                                       : check_elvis(checker, syntax);
  return check_meet(checker, expr, want);
}

/* A plus before a number is that number. */
static struct ast_expr *check_plus(struct checker *checker, const struct syntax_expr *syntax) {
  struct ast_expr *operand = check_expr(checker, syntax->binary.left, NULL);
  struct type *type = check_force(checker, check_type_of(operand));
  struct operand number = operand_of(type);
  if (!number.number || number.number->kind == TYPE_STRING)
    diag_error(checker->diag, syntax->binary.place, "'+' cannot be applied to %s", check_show(checker, type));
  return operand;
}

static struct ast_expr *check_negation(struct checker *checker, const struct syntax_expr *syntax) {
  struct ast_expr *expr = check_new(checker, AST_NEGATE, infer_variable(&checker->infer), syntax->place);
  expr->operand = check_expr(checker, syntax->binary.left, NULL);
  return operator_wait(checker, expr, SYNTAX_SUBTRACT, syntax->binary.place);
}

struct ast_expr *check_unary(struct checker *checker, const struct syntax_expr *syntax, const struct want *want) {
  if (syntax->binary.op == SYNTAX_PLUS)
    return check_meet(checker, check_plus(checker, syntax), want);
  if (syntax->binary.op == SYNTAX_NEGATE)
    return check_meet(checker, check_negation(checker, syntax), want);
  struct want truth = {checker->infer.boolean, "the operand of '!'", NULL};
  struct ast_expr *expr = check_new(checker, AST_NOT, checker->infer.boolean, syntax->place);
  expr->operand = check_expr(checker, syntax->binary.left, &truth);
  return check_meet(checker, expr, want);
}
