#pragma once
/* The names that an item at file scope takes from outside itself. */
#include "syntax.h"

struct arena;

struct uses {
  size_t count;
  size_t capacity;
  const char **names; /* may repeat */
};

struct uses uses_of(const struct syntax_item *item, struct arena *arena);
