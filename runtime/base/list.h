#pragma once
/* Intrusive containers: the node is a member of the object, so that adding and removing never allocate.
 *
 *   struct ws_list    any node can be removed in constant time; order: last added first
 *   struct ws_queue   first in, first out; half the size in the object
 *
 * Invariants: a list node's `link` points to the pointer that points to the node, and is NULL while the node is in no
 * list. A queue's `last` points to the final `next` pointer, which is NULL. Neither takes a lock or owns its nodes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The object of `type` whose `member` is at `pointer`. `pointer` is not NULL. */
#define ws_container_of(pointer, type, member) ((type *)(void *)((char *)(uintptr_t)(pointer)-offsetof(type, member)))

struct ws_list_node {
  struct ws_list_node *next;
  struct ws_list_node **link;
};

struct ws_list {
  struct ws_list_node *first;
};

static inline void ws_list_add(struct ws_list *list, struct ws_list_node *node) {
  node->next = list->first;
  node->link = &list->first;
  if (node->next)
    node->next->link = &node->next;
  list->first = node;
}

static inline bool ws_list_contains(const struct ws_list_node *node) {
  return node->link != NULL;
}

/* No effect on a node that is in no list. */
static inline void ws_list_remove(struct ws_list_node *node) {
  if (!node->link)
    return;
  *node->link = node->next;
  if (node->next)
    node->next->link = node->link;
  node->next = NULL;
  node->link = NULL;
}

struct ws_queue_node {
  struct ws_queue_node *next;
};

struct ws_queue {
  struct ws_queue_node *first;
  struct ws_queue_node **last;
};

static inline void ws_queue_init(struct ws_queue *queue) {
  queue->first = NULL;
  queue->last = &queue->first;
}

static inline bool ws_queue_is_empty(const struct ws_queue *queue) {
  return queue->first == NULL;
}

static inline void ws_queue_add(struct ws_queue *queue, struct ws_queue_node *node) {
  node->next = NULL;
  *queue->last = node;
  queue->last = &node->next;
}

/* Removes and returns the first node; NULL when the queue is empty. */
static inline struct ws_queue_node *ws_queue_pop(struct ws_queue *queue) {
  struct ws_queue_node *node = queue->first;
  if (!node)
    return NULL;
  queue->first = node->next;
  if (!queue->first)
    queue->last = &queue->first;
  return node;
}
