#include "lower_borrow.h"

#include "lower_call.h"

#include <stddef.h>

/* Beyond these passes over the program every parameter is owned, so the time is linear. */
enum { BORROW_PASSES = 16 };

struct borrow {
  const struct ast_function *function;
  bool changed;
};

static void borrow_end(struct borrow *borrow, bool *borrowed) {
  borrow->changed |= *borrowed;
  *borrowed = false;
}

/* Whether a value lives longer than the frame of the function, without a reference of the function's own. */
static bool borrow_outlives(const struct borrow *borrow, const struct ast_expr *expr) {
  const struct ast_variable *variable = expr->variable;
  switch (expr->kind) {
  case AST_STRING:
    return true;
  case AST_VARIABLE:
    if (variable->kind == AST_CAPTURED)
      return borrow->function->cell_borrowed;
    return variable->kind == AST_GLOBAL || variable->borrowed;
  case AST_FIELD:
    return borrow_outlives(borrow, expr->field.record);
  case AST_CLOSURE:
    return expr->function->capture_count == 0;
  case AST_SELF:
    return borrow->function->capture_count == 0 || borrow->function->cell_borrowed;
  default:
    return false;
  }
}

/* Gives the reference of a parameter away. */
static void borrow_give(struct borrow *borrow, const struct ast_expr *expr) {
  if (expr->kind == AST_VARIABLE && expr->variable->kind == AST_PARAMETER)
    borrow_end(borrow, &expr->variable->borrowed);
}

static void borrow_tail_call(struct borrow *borrow, const struct ast_call *call) {
  struct ast_function *callee = call->function;
  bool keeps_cell = call->callee == AST_CALL_SELF ? borrow->function->cell_borrowed
                                                  : call->value && borrow_outlives(borrow, call->value);
  if (callee->capture_count > 0 && !keeps_cell)
    borrow_end(borrow, &callee->cell_borrowed);
  for (size_t i = 0; i < callee->parameter_count; i++) {
    struct ast_variable *parameter = callee->parameters[i];
    const struct ast_expr *argument = call->arguments.items[i];
    if (parameter->borrowed && !borrow_outlives(borrow, argument))
      borrow_end(borrow, &parameter->borrowed);
    if (!parameter->borrowed)
      borrow_give(borrow, argument);
  }
}

static void borrow_tail(struct borrow *borrow, const struct ast_expr *expr);

static void borrow_match(struct borrow *borrow, const struct ast_match *match) {
  bool outlives = borrow_outlives(borrow, match->subject);
  for (size_t i = 0; i < match->count; i++) {
    const struct ast_arm *arm = &match->arms[i];
    if (arm->variable)
      arm->variable->borrowed = outlives;
    for (size_t j = 0; arm->bindings && j < arm->constructor->field_count; j++)
      if (arm->bindings[j])
        arm->bindings[j]->borrowed = outlives;
    borrow_tail(borrow, arm->body);
  }
}

/* Only what is in tail position can give a parameter away. */
static void borrow_tail(struct borrow *borrow, const struct ast_expr *expr) {
  switch (expr->kind) {
  case AST_BLOCK:
    for (size_t i = 0; i < expr->block.count; i++) {
      const struct ast_statement *statement = &expr->block.statements[i];
      if (statement->variable)
        statement->variable->borrowed = borrow_outlives(borrow, statement->value);
    }
    if (expr->block.value)
      borrow_tail(borrow, expr->block.value);
    break;
  case AST_IF:
    borrow_tail(borrow, expr->branch.then);
    borrow_tail(borrow, expr->branch.otherwise);
    break;
  case AST_AND:
  case AST_OR:
  case AST_ELVIS:
    borrow_tail(borrow, expr->binary.right);
    break;
  case AST_MATCH:
    borrow_match(borrow, &expr->match);
    break;
  case AST_CALL:
    if (lower_call_is_tail(expr))
      borrow_tail_call(borrow, &expr->call);
    break;
  default:
    borrow_give(borrow, expr);
    break;
  }
}

static void borrow_set(const struct ast_program *program, bool borrowed) {
  for (size_t i = 0; i < program->function_count; i++) {
    struct ast_function *function = program->functions[i];
    function->cell_borrowed = borrowed;
    for (size_t j = 0; j < function->parameter_count; j++)
      function->parameters[j]->borrowed = borrowed;
  }
}

/* A pass may end a borrowing, and never begins one. A chain of functions is settled in one pass from its end to its
 * start, so the passes alternate in direction. */
void lower_borrow(const struct ast_program *program) {
  size_t count = program->function_count;
  borrow_set(program, true);
  for (unsigned pass = 0; pass < BORROW_PASSES; pass++) {
    struct borrow borrow = {0};
    for (size_t i = 0; i < count; i++) {
      borrow.function = program->functions[pass % 2 ? count - 1 - i : i];
      borrow_tail(&borrow, borrow.function->body);
    }
    if (!borrow.changed)
      return;
  }
  borrow_set(program, false);
}
