/* What is built into the language itself: print, toString, input, sleep, and loops. */
#include "checker.h"

#include <string.h>

static struct ast_expr *intrinsic_operand(struct checker *checker, enum ast_kind kind, struct type *type,
                                          const struct syntax_expr *operand, const struct want *want,
                                          struct place place) {
  struct ast_expr *expr = check_new(checker, kind, type, place);
  if (operand)
    expr->operand = check_expr(checker, operand, want);
  return expr;
}

static struct ast_expr *intrinsic_range(struct checker *checker, const struct syntax_expr **arguments,
                                        struct place place) {
  struct want start = {checker->infer.integer, "the start of the range", NULL};
  struct want end = {checker->infer.integer, "the end of the range", NULL};
  struct ast_expr *expr = check_new(checker, AST_LOOP, infer_iterator(&checker->infer, checker->infer.integer), place);
  expr->loop.start = check_expr(checker, arguments[0], &start);
  expr->loop.end = check_expr(checker, arguments[1], &end);
  return expr;
}

/* The first argument of map, filter, forEach and fold: a loop that lacks its end. NULL after an error. */
static struct ast_expr *intrinsic_iterator(struct checker *checker, const struct symbol *symbol,
                                           const struct syntax_expr *argument) {
  struct ast_expr *expr = check_expr(checker, argument, NULL);
  if (expr->kind == AST_LOOP && check_type_of(expr)->kind == TYPE_ITERATOR)
    return expr;
  if (check_type_of(expr)->kind != TYPE_ERROR)
    *diag_error(checker->diag, expr->place, "'%s' wants a range before it, not %s", symbol->name,
                check_show(checker, check_type_of(expr))) = "range(start, end) |> …";
  return NULL;
}

/* A function of the parameters that are given and a result. */
static struct want intrinsic_function(struct checker *checker, const char *what, struct type *first,
                                      struct type *second, struct type *result) {
  struct type **parameters = arena_array(checker->arena, 2, sizeof(struct type *));
  parameters[0] = first;
  parameters[1] = second;
  return (struct want){infer_function(&checker->infer, parameters, second ? 2 : 1, result), what, NULL};
}

static void intrinsic_stage(struct checker *checker, struct ast_expr *loop, enum ast_stage_kind kind,
                            const struct syntax_expr *argument) {
  struct type *element = check_type_of(loop)->iterator.element;
  bool is_map = kind == AST_STAGE_MAP;
  struct type *result = is_map ? infer_variable(&checker->infer) : checker->infer.boolean;
  struct want want =
      intrinsic_function(checker, is_map ? "the function of map" : "the predicate of filter", element, NULL, result);
  size_t count = loop->loop.stage_count;
  struct ast_stage *stages = arena_array(checker->arena, count + 1, sizeof *stages);
  if (count)
    memcpy(stages, loop->loop.stages, count * sizeof *stages);
  stages[count] = (struct ast_stage){kind, check_expr(checker, argument, &want)};
  loop->loop.stages = stages;
  loop->loop.stage_count = count + 1;
  if (is_map)
    loop->type = infer_iterator(&checker->infer, result);
}

static void intrinsic_for_each(struct checker *checker, struct ast_expr *loop, const struct syntax_expr *argument) {
  struct type *element = check_type_of(loop)->iterator.element;
  struct want want =
      intrinsic_function(checker, "the function of forEach", element, NULL, infer_variable(&checker->infer));
  loop->loop.function = check_expr(checker, argument, &want);
  loop->type = checker->infer.unit;
}

static void intrinsic_fold(struct checker *checker, struct ast_expr *loop, const struct syntax_expr **arguments) {
  struct type *element = check_type_of(loop)->iterator.element;
  loop->loop.initial = check_expr(checker, arguments[1], NULL);
  struct type *accumulator = check_type_of(loop->loop.initial);
  struct want want = intrinsic_function(checker, "the function of fold", accumulator, element, accumulator);
  loop->loop.function = check_expr(checker, arguments[2], &want);
  loop->type = accumulator;
}

static struct ast_expr *intrinsic_loop(struct checker *checker, const struct symbol *symbol,
                                       const struct syntax_expr **arguments, struct place place) {
  struct ast_expr *loop = intrinsic_iterator(checker, symbol, arguments[0]);
  if (!loop) {
    for (size_t i = 1; i < symbol->parameter_count; i++)
      check_expr(checker, arguments[i], NULL);
    return check_wrong(checker, place);
  }
  if (symbol->intrinsic == INTRINSIC_MAP)
    intrinsic_stage(checker, loop, AST_STAGE_MAP, arguments[1]);
  else if (symbol->intrinsic == INTRINSIC_FILTER)
    intrinsic_stage(checker, loop, AST_STAGE_FILTER, arguments[1]);
  else if (symbol->intrinsic == INTRINSIC_FOR_EACH)
    intrinsic_for_each(checker, loop, arguments[1]);
  else
    intrinsic_fold(checker, loop, arguments);
  return loop;
}

struct ast_expr *check_intrinsic(struct checker *checker, const struct syntax_expr *syntax,
                                 const struct symbol *symbol) {
  const struct syntax_call *call = &syntax->call;
  struct parts parts = {call_quote(checker, symbol->name), "argument", symbol->parameter_count, symbol->parameters};
  const struct syntax_expr **arguments = parts_order(checker, &parts, call->arguments, call->count, syntax->place);
  if (!arguments)
    return parts_check_anyway(checker, call->arguments, call->count, syntax->place);
  struct infer *infer = &checker->infer;
  struct want milliseconds = {infer->integer, "argument 'milliseconds' of 'sleep'", NULL};
  switch (symbol->intrinsic) {
  case INTRINSIC_PRINT:
    return intrinsic_operand(checker, AST_PRINT, infer->unit, arguments[0], NULL, syntax->place);
  case INTRINSIC_TO_STRING:
    return intrinsic_operand(checker, AST_TO_STRING, infer->string, arguments[0], NULL, syntax->place);
  case INTRINSIC_INPUT:
    return intrinsic_operand(checker, AST_INPUT, infer->string, NULL, NULL, syntax->place);
  case INTRINSIC_SLEEP:
    return intrinsic_operand(checker, AST_SLEEP, infer->unit, arguments[0], &milliseconds, syntax->place);
  case INTRINSIC_RANGE:
    return intrinsic_range(checker, arguments, syntax->place);
  default:
    return intrinsic_loop(checker, symbol, arguments, syntax->place);
  }
}
