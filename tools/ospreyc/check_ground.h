#pragma once
/* The last pass over a checked body.
 *
 * All types are known now. Each node gets its ground type, operators get their conversions, calls of generic functions
 * become calls of an instance, and calls in tail position are marked. The checks that need ground types are here:
 * printable values, comparable values, dropped Results.
 */
#include "check_scope.h"

/* Grounds a checked function and the functions nested in it, and adds them to the program. */
void check_ground_function(struct checker *checker, struct ast_function *function);

/* The instance of a function for a ground type. A new instance of a generic function is queued, to be checked later. */
struct ast_function *check_ground_instantiate(struct checker *checker, struct check_function *function,
                                              const struct type *type, struct place place);
