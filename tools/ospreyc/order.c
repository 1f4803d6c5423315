#include "order.h"

#include "arena.h"

#include <stdbool.h>

/* Tarjan's algorithm, with a stack of its own: a program may be a chain of any length. */
struct order_node {
  size_t index; /* when it was reached, from 1; 0 before */
  size_t low;   /* the earliest node on the stack that it leads to */
  size_t next_edge;
  bool on_stack;
};

struct order_walk {
  const struct order_edges *edges;
  struct order_node *nodes;
  size_t reached;
  size_t path_count; /* the nodes that are being walked, each leading to the next */
  size_t *path;
  size_t stack_count; /* the nodes whose group is not known yet */
  size_t *stack;
  struct order order;
  size_t done;
};

static void order_enter(struct order_walk *walk, size_t item) {
  struct order_node *node = &walk->nodes[item];
  node->index = node->low = ++walk->reached;
  node->on_stack = true;
  walk->path[walk->path_count++] = item;
  walk->stack[walk->stack_count++] = item;
}

/* Takes a group off the stack: all from `item` on. */
static void order_close_group(struct order_walk *walk, size_t item) {
  size_t member;
  do {
    member = walk->stack[--walk->stack_count];
    walk->nodes[member].on_stack = false;
    walk->order.items[walk->done++] = member;
  } while (member != item);
  walk->order.ends[walk->order.group_count++] = walk->done;
}

static void order_leave(struct order_walk *walk, size_t item) {
  struct order_node *node = &walk->nodes[item];
  walk->path_count--;
  if (walk->path_count) {
    struct order_node *before = &walk->nodes[walk->path[walk->path_count - 1]];
    if (node->low < before->low)
      before->low = node->low;
  }
  if (node->low == node->index)
    order_close_group(walk, item);
}

static void order_step(struct order_walk *walk) {
  size_t item = walk->path[walk->path_count - 1];
  struct order_node *node = &walk->nodes[item];
  if (node->next_edge == walk->edges[item].count) {
    order_leave(walk, item);
    return;
  }
  size_t target = walk->edges[item].targets[node->next_edge++];
  struct order_node *other = &walk->nodes[target];
  if (!other->index)
    order_enter(walk, target);
  else if (other->on_stack && other->index < node->low)
    node->low = other->index;
}

struct order order_items(struct arena *arena, const struct order_edges *edges, size_t count) {
  struct order_walk walk = {.edges = edges};
  walk.nodes = arena_array(arena, count, sizeof *walk.nodes);
  walk.path = arena_array(arena, count, sizeof *walk.path);
  walk.stack = arena_array(arena, count, sizeof *walk.stack);
  walk.order.items = arena_array(arena, count, sizeof *walk.order.items);
  walk.order.ends = arena_array(arena, count, sizeof *walk.order.ends);
  for (size_t item = 0; item < count; item++) {
    if (walk.nodes[item].index)
      continue;
    order_enter(&walk, item);
    while (walk.path_count)
      order_step(&walk);
  }
  return walk.order;
}
