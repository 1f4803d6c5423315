#include "ast.h"

#include "arena.h"

struct ast_expr *ast_expr_new(struct arena *arena, enum ast_kind kind, const struct type *type, struct place place) {
  struct ast_expr *expr = arena_alloc(arena, sizeof *expr);
  expr->kind = kind;
  expr->type = type;
  expr->place = place;
  return expr;
}
