#pragma once
/* The order in which items at file scope are checked: what an item depends on comes before it, and items that depend on
 * each other form a group (a strongly connected component of the graph of dependencies). */
#include <stddef.h>

struct arena;

/* The items that an item depends on. */
struct order_edges {
  size_t count;
  size_t *targets;
};

/* `items` holds all items; group g is items[ends[g - 1]] (0 for the first) up to, and without, items[ends[g]]. */
struct order {
  size_t *items;
  size_t group_count;
  size_t *ends;
};

struct order order_items(struct arena *arena, const struct order_edges *edges, size_t count);
