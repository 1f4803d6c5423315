#pragma once
/* Expressions and statements. */
#include "check_scope.h"

/* The type an expression is expected to have. */
struct want {
  struct type *type;
  const char *what; /* names the expression in a message: "argument 'message' of 'websocketSend'" */
  const char *hint; /* a hint for a mismatch with int, or NULL */
};

/* Checks an expression. With a `want` (or NULL), unifies its type with the wanted one or reports the mismatch. */
struct ast_expr *check_expr(struct checker *checker, const struct syntax_expr *syntax, const struct want *want);

/* Unifies the type of a checked expression with the wanted one, or reports the mismatch. */
struct ast_expr *check_expr_meet(struct checker *checker, struct ast_expr *expr, const struct want *want);

/* Reports a Result that nothing uses, if it is known to be one. */
void check_expr_unused(struct checker *checker, const struct ast_expr *value);

void check_expr_statement(struct checker *checker, const struct syntax_item *item, struct ast_statement *statement);

/* Checks the body of a function of a known type in a new frame. If it has an environment, the enclosing names are in
 * scope, and `self_name` (or NULL) is its own name there. */
void check_expr_function(struct checker *checker, struct ast_function *function, const struct syntax_function *syntax,
                         struct type *type, const char *symbol, bool has_environment, const char *self_name);
