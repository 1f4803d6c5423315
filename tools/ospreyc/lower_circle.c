#include "lower_circle.h"

#include "lower.h"
#include "lower_program.h"

#include <stdlib.h>

enum { INLINED_CIRCLE_MAX = 64 };

/* A function in Tarjan's algorithm. */
struct circle_node {
  size_t first, next; /* its calls that are not followed yet, in `targets` */
  unsigned order;     /* when it was reached; 0: not yet */
  unsigned low;       /* the earliest function that it reaches */
  bool done;          /* its circle is known */
};

struct circle_search {
  struct lower *lower;
  struct circle_node *nodes; /* with one more at the end */
  unsigned *targets;
  unsigned *path, *open; /* stacks: the calls that are being followed, and the functions whose circle is not known */
  size_t path_count, open_count;
  unsigned reached;
};

void lower_circle_add(struct lower *lower, const struct ast_function *from, const struct ast_function *to) {
  struct lower_circle *circle = &lower->circle;
  if (circle->count == circle->capacity) {
    circle->capacity = circle->capacity ? 2 * circle->capacity : 64;
    circle->calls = realloc(circle->calls, circle->capacity * sizeof *circle->calls);
  }
  circle->calls[circle->count++] = (struct lower_circle_call){from->number, to->number};
}

/* The calls, sorted by their callers. */
static void circle_sort(struct circle_search *search, const struct lower_circle *circle, size_t count) {
  struct circle_node *nodes = search->nodes;
  for (size_t i = 0; i < circle->count; i++)
    nodes[circle->calls[i].from + 1].first++;
  for (size_t i = 0; i < count; i++)
    nodes[i + 1].first += nodes[i].first;
  for (size_t i = 0; i < count; i++)
    nodes[i].next = nodes[i].first;
  for (size_t i = 0; i < circle->count; i++)
    search->targets[nodes[circle->calls[i].from].next++] = circle->calls[i].to;
  for (size_t i = 0; i < count; i++)
    nodes[i].next = nodes[i].first;
}

static void circle_lower(struct circle_node *node, unsigned low) {
  if (low < node->low)
    node->low = low;
}

/* Takes the circle that was entered at a function off the stack. */
static void circle_end(struct circle_search *search, unsigned entered) {
  size_t from = search->open_count;
  do
    search->nodes[search->open[--from]].done = true;
  while (search->open[from] != entered);
  for (size_t i = from; i < search->open_count && search->open_count - from > INLINED_CIRCLE_MAX; i++) {
    struct lower *lower = search->lower;
    LLVMValueRef ir = lower_program_function(lower, lower->program->functions[search->open[i]]);
    lower_attribute(lower, ir, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "noinline", 0);
  }
  search->open_count = from;
}

/* Follows the next call of the function at the end of the path, or leaves it. */
static void circle_step(struct circle_search *search) {
  unsigned at = search->path[search->path_count - 1];
  struct circle_node *node = &search->nodes[at];
  if (!node->order) {
    node->order = node->low = ++search->reached;
    search->open[search->open_count++] = at;
  }
  if (node->next < node[1].first) {
    unsigned to = search->targets[node->next++];
    const struct circle_node *target = &search->nodes[to];
    if (!target->order)
      search->path[search->path_count++] = to;
    else if (!target->done)
      circle_lower(node, target->order);
    return;
  }
  search->path_count--;
  if (search->path_count)
    circle_lower(&search->nodes[search->path[search->path_count - 1]], node->low);
  if (node->low == node->order)
    circle_end(search, at);
}

void lower_circle_mark(struct lower *lower) {
  size_t count = lower->program->function_count;
  struct circle_search search = {
      .lower = lower,
      .nodes = calloc(count + 1, sizeof *search.nodes),
      .targets = calloc(lower->circle.count + 1, sizeof *search.targets),
      .path = calloc(count, sizeof *search.path),
      .open = calloc(count, sizeof *search.open),
  };
  circle_sort(&search, &lower->circle, count);
  for (unsigned i = 0; i < count; i++) {
    if (search.nodes[i].order)
      continue;
    search.path[search.path_count++] = i;
    while (search.path_count)
      circle_step(&search);
  }
  free(search.nodes);
  free(search.targets);
  free(search.path);
  free(search.open);
  free(lower->circle.calls);
}
