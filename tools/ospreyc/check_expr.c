/* Expressions and statements. */
#include "checker.h"

#include <string.h>

/* ---- Types met and wanted ---------------------------------------------------------------------------------------- */

/* The type of a node whose type is not ground yet. The tree shows it as constant to those who read it later. */
struct type *check_type_of(const struct ast_expr *expr) {
  return infer_resolve(expr->type);
}

const char *check_show(struct checker *checker, const struct type *type) {
  return type_name(checker->arena, type);
}

struct ast_expr *check_wrong(struct checker *checker, struct place place) {
  return check_new(checker, AST_UNIT, checker->infer.error, place);
}

/* What might have been meant where one type stands for another. */
static const char *check_mismatch_hint(struct checker *checker, const struct ast_expr *expr, struct type *wanted,
                                       struct type *found) {
  wanted = infer_resolve(wanted);
  found = infer_resolve(found);
  if (found->kind == TYPE_VARIABLE || wanted->kind == TYPE_VARIABLE)
    return "its type would contain itself";
  bool functions = wanted->kind == TYPE_FUNCTION && found->kind == TYPE_FUNCTION;
  if (functions && infer_resolve(wanted->function.result)->kind == TYPE_RESULT &&
      infer_resolve(found->function.result)->kind == TYPE_UNIT)
    return "its body has to end with a Result: Success()";
  if (wanted->kind == TYPE_FUNCTION && expr->kind == AST_CALL)
    return "pass the function itself, without calling it";
  if (found->kind == TYPE_RESULT && wanted->kind == TYPE_UNIT)
    return "a Result is not dropped silently: match it";
  if (found->kind == TYPE_RESULT && wanted->kind != TYPE_RESULT && wanted->kind != TYPE_FUNCTION)
    return "a Result is never unwrapped silently: match it, or give a fallback with '?:'";
  if (wanted->kind == TYPE_RESULT && found->kind != TYPE_RESULT &&
      infer_unify(&checker->infer, wanted->result.value, found))
    return found->kind == TYPE_UNIT ? "a success without a value is Success()" : "wrap it: Success(…)";
  if (wanted->kind == TYPE_STRING && (found->kind == TYPE_INT || found->kind == TYPE_FLOAT || found->kind == TYPE_BOOL))
    return "toString(…) makes a string of it, and so does \"${…}\"";
  if (found->kind == TYPE_FUNCTION && wanted->kind != TYPE_FUNCTION)
    return "a function is called with '(…)'";
  return NULL;
}

struct ast_expr *check_meet(struct checker *checker, struct ast_expr *expr, const struct want *want) {
  if (!want)
    return expr;
  struct type *found = check_type_of(expr);
  if (infer_unify(&checker->infer, want->type, found))
    return expr;
  const char **hint = diag_error(checker->diag, expr->place, "%s: expected %s, found %s", want->what,
                                 check_show(checker, want->type), check_show(checker, found));
  bool is_int = infer_resolve(want->type)->kind == TYPE_INT;
  *hint = want->hint && is_int ? want->hint : check_mismatch_hint(checker, expr, want->type, found);
  return expr;
}

/* ---- Literals ---------------------------------------------------------------------------------------------------- */

static struct ast_expr *check_literal(struct checker *checker, const struct syntax_expr *syntax,
                                      const struct want *want) {
  struct infer *infer = &checker->infer;
  struct ast_expr *expr;
  switch (syntax->kind) {
  case SYNTAX_INT:
    expr = check_new(checker, AST_INT, infer->integer, syntax->place);
    expr->integer = (int64_t)syntax->integer;
    break;
  case SYNTAX_FLOAT:
    expr = check_new(checker, AST_FLOAT, infer->real, syntax->place);
    expr->real = syntax->real;
    break;
  case SYNTAX_BOOL:
    expr = check_new(checker, AST_BOOL, infer->boolean, syntax->place);
    expr->truth = syntax->truth;
    break;
  default:
    expr = check_new(checker, AST_STRING, infer->string, syntax->place);
    expr->text = syntax->text;
    break;
  }
  return check_meet(checker, expr, want);
}

static struct ast_expr *check_interpolation(struct checker *checker, const struct syntax_expr *syntax,
                                            const struct want *want) {
  struct ast_expr *expr = check_new(checker, AST_INTERPOLATE, checker->infer.string, syntax->place);
  expr->list.count = syntax->list.count;
  expr->list.items = arena_array(checker->arena, syntax->list.count, sizeof(struct ast_expr *));
  for (size_t i = 0; i < syntax->list.count; i++)
    expr->list.items[i] = check_expr(checker, syntax->list.items[i], NULL);
  return check_meet(checker, expr, want);
}

/* ---- Statements -------------------------------------------------------------------------------------------------- */

/* A range is a loop that is not written yet: it can be used on the spot, but not kept. */
static void check_kept(struct checker *checker, const struct ast_expr *expr) {
  if (check_type_of(expr)->kind == TYPE_ITERATOR)
    *diag_error(checker->diag, expr->place, "an iterator is not a value") =
        "end the chain with forEach or fold where it stands";
}

static void check_let(struct checker *checker, const struct syntax_item *item, struct ast_statement *statement) {
  struct want want = {.what = arena_printf(checker->arena, "the value of '%s'", item->name.text)};
  if (item->type)
    want.type = check_type(checker, item->type);
  statement->value = check_expr(checker, item->value, item->type ? &want : NULL);
  check_kept(checker, statement->value);
  struct type *type = item->type ? want.type : check_type_of(statement->value);
  statement->variable = check_new_variable(checker, AST_LOCAL, item->name.text, type, item->name.place);
  struct local *local = check_bind(checker, statement->variable);
  if (item->value->kind != SYNTAX_LAMBDA)
    return;
  local->known = item->value->function;
  local->code = statement->value->function;
}

void check_statement(struct checker *checker, const struct syntax_item *item, struct ast_statement *statement) {
  statement->place = item->place;
  if (item->kind == SYNTAX_ITEM_LET)
    check_let(checker, item, statement);
  else if (item->kind == SYNTAX_ITEM_FUNCTION)
    check_nested_function(checker, item, statement);
  else
    statement->value = check_dropped(checker, item->value);
}

/* ---- Blocks ------------------------------------------------------------------------------------------------------ */

/* A block's value is its last expression. What it binds is forgotten at its end. */
static struct ast_expr *check_block(struct checker *checker, const struct syntax_expr *syntax, const struct want *want,
                                    bool dropped) {
  const struct syntax_block *block = &syntax->block;
  struct ast_expr *expr = check_new(checker, AST_BLOCK, checker->infer.unit, syntax->place);
  struct local *locals = checker->frame->locals;
  bool has_value = !dropped && block->count && block->items[block->count - 1].kind == SYNTAX_ITEM_EXPR;
  size_t count = block->count - has_value;
  expr->block.statements = arena_array(checker->arena, count, sizeof *expr->block.statements);
  expr->block.count = count;
  for (size_t i = 0; i < count; i++)
    check_statement(checker, &block->items[i], &expr->block.statements[i]);
  if (has_value) {
    expr->block.value = check_expr(checker, block->items[count].value, want);
    expr->type = expr->block.value->type;
  } else if (want) {
    struct place place = expr->place;
    if (place.length)
      expr->place = (struct place){place.offset + place.length - 1, 1};
    check_meet(checker, expr, want);
    expr->place = place;
  }
  check_unbind(checker, locals);
  return expr;
}

static struct ast_expr *check_if(struct checker *checker, const struct syntax_expr *syntax, const struct want *want,
                                 bool dropped) {
  struct want condition = {checker->infer.boolean, "the condition", NULL};
  struct ast_expr *expr = check_new(checker, AST_IF, checker->infer.unit, syntax->place);
  expr->branch.condition = check_expr(checker, syntax->branch.condition, &condition);
  if (dropped) {
    expr->branch.then = check_dropped_arm(checker, syntax->branch.then);
    expr->branch.otherwise = check_dropped_arm(checker, syntax->branch.otherwise);
    return expr;
  }
  expr->branch.then = check_expr(checker, syntax->branch.then, want);
  struct want same = {check_type_of(expr->branch.then), "the other side of the condition", NULL};
  expr->branch.otherwise = check_expr(checker, syntax->branch.otherwise, want ? want : &same);
  expr->type = expr->branch.then->type;
  return expr;
}

struct ast_expr *check_dropped(struct checker *checker, const struct syntax_expr *syntax) {
  if (syntax->kind == SYNTAX_IF)
    return check_if(checker, syntax, NULL, true);
  if (syntax->kind == SYNTAX_MATCH)
    return check_match(checker, syntax, NULL, true);
  if (syntax->kind == SYNTAX_BLOCK)
    return check_block(checker, syntax, NULL, true);
  struct ast_expr *value = check_expr(checker, syntax, NULL);
  check_kept(checker, value);
  return value;
}

/* The same as a value of Unit: what an arm of a dropped match gives is the value of a statement. */
struct ast_expr *check_dropped_arm(struct checker *checker, const struct syntax_expr *syntax) {
  struct ast_expr *value = check_dropped(checker, syntax);
  bool is_unit = value->type == checker->infer.unit;
  if (is_unit)
    return value;
  struct ast_expr *expr = check_new(checker, AST_BLOCK, checker->infer.unit, syntax->place);
  expr->block.statements = arena_array(checker->arena, 1, sizeof *expr->block.statements);
  expr->block.count = 1;
  expr->block.statements[0] = (struct ast_statement){.value = value, .place = syntax->place};
  return expr;
}

struct ast_expr *check_expr(struct checker *checker, const struct syntax_expr *syntax, const struct want *want) {
  switch (syntax->kind) {
  case SYNTAX_INTERPOLATE:
    return check_interpolation(checker, syntax, want);
  case SYNTAX_NAME:
    return check_name(checker, syntax->name, syntax->place, want);
  case SYNTAX_CALL:
    return check_call(checker, syntax, want);
  case SYNTAX_FIELD:
    return check_field(checker, syntax, want);
  case SYNTAX_RECORD:
    return check_record(checker, syntax, want);
  case SYNTAX_UNARY:
    return check_unary(checker, syntax, want);
  case SYNTAX_BINARY:
    return check_binary(checker, syntax, want);
  case SYNTAX_IF:
    return check_if(checker, syntax, want, false);
  case SYNTAX_BLOCK:
    return check_block(checker, syntax, want, false);
  case SYNTAX_MATCH:
    return check_match(checker, syntax, want, false);
  case SYNTAX_LAMBDA:
    return check_lambda(checker, syntax, want);
  default:
    return check_literal(checker, syntax, want);
  }
}
