#pragma once
/* The order in which items at file scope are checked.
 *
 * An item depends on the functions and globals it mentions whose types are inferred. It is checked after those. Items
 * that depend on each other form a group: a strongly connected component of the dependency graph.
 */
#include "check_scope.h"

/* All items. Group g is items[ends[g - 1]] (from 0 for the first) up to, but excluding, items[ends[g]]. */
struct check_order {
  size_t *items;
  size_t group_count;
  size_t *ends;
};

struct check_order check_order(struct checker *checker, const struct syntax_program *syntax);

/* Returns true if the type of a function or global is known only after its item is checked. */
bool check_order_is_inferred(const struct symbol *symbol, const struct syntax_program *syntax);
