#pragma once
/* Operators on operands whose types may still be unknown.
 *
 * The type of `a + b` depends on the types of its operands, which inference may only find later. Until then the
 * operator is pending, and its type is a variable. Pending operators are settled at the end of each group of items; an
 * undetermined operand takes the type of the other one, or defaults to int.
 */
#include "check_scope.h"

/* Types an AST_ARITHMETIC or AST_NEGATE whose operands are checked, now or when they are known. */
struct ast_expr *check_operator_arithmetic(struct checker *checker, struct ast_expr *expr, enum syntax_operator op,
                                           struct place place);

/* Types an AST_COMPARE whose operands are checked: of one type, or an int and a float. */
struct ast_expr *check_operator_compare(struct checker *checker, struct ast_expr *expr, struct place place);

/* Returns true if a unary plus can be applied to the type. */
bool check_operator_is_numeric(const struct type *type);

/* Settles every pending operator. */
void check_operator_settle_all(struct checker *checker);

/* Resolves a type. If it is a variable, first settles the pending operators that can be settled. */
struct type *check_operator_force(struct checker *checker, struct type *type);

/* Makes the operands of pending comparisons int, unless their type is known or generic. */
void check_operator_settle_comparisons(struct checker *checker);

/* How a comparison or an operator of arithmetic is written. */
const char *check_operator_name(enum syntax_operator op);

/* A Result and a fallback of its type, as they are written. */
const char *check_operator_with_fallback(struct checker *checker, const struct ast_expr *result);

/* A hint for a Result where its value belongs: the expression with a fallback, as it is written in that place. '?:'
 * binds looser than every other operator. */
enum check_where { CHECK_ALONE, CHECK_IN_STRING, CHECK_OPERAND };
const char *check_operator_fallback(struct checker *checker, const struct ast_expr *result, enum check_where where);
