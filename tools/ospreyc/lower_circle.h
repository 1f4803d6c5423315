#pragma once
/* Functions that call each other in a large circle are not inlined: each time LLVM inlines one into another, it visits
 * the whole circle. */
#include <stddef.h>

struct ast_function;
struct lower;

/* Which functions call which, by their numbers. */
struct lower_circle {
  struct lower_circle_call {
    unsigned from, to;
  } * calls;
  size_t count, capacity;
};

void lower_circle_add(struct lower *lower, const struct ast_function *from, const struct ast_function *to);

/* Marks the functions of the large circles, when all functions are lowered. */
void lower_circle_mark(struct lower *lower);
