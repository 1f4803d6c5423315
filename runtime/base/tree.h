#pragma once
/* An ordered set of pointers: the C library's balanced tree, whose adding a test build can make fail (fault.h). Its
 * cost does not depend on what the keys are, so a peer cannot choose bad ones.
 *
 * `compare` orders two elements. A search may use another function that agrees with this order, but takes more elements
 * for equal: it finds any of them. The tree takes no lock and does not own its elements.
 */
#include <errno.h>
#include <search.h>
#include <stddef.h>

#include "fault.h"

typedef int ws_tree_compare(const void *one, const void *other);

struct ws_tree {
  void *root;
};

/* What the tree allocates for an element, in bytes: an estimate. */
enum { WS_TREE_NODE = 48 };

/* 0, or -1: no memory. The tree has no element that is equal. */
static inline int ws_tree_add(struct ws_tree *tree, void *element, ws_tree_compare *compare) {
  if (ws_fault_hit_memory() || !tsearch(element, &tree->root, compare)) {
    errno = ENOMEM;
    return -1;
  }
  return 0;
}

/* The element that is equal to `key`; NULL: none. */
static inline void *ws_tree_find(const struct ws_tree *tree, const void *key, ws_tree_compare *compare) {
  void **found = tfind(key, &tree->root, compare);
  return found ? *found : NULL;
}

static inline void ws_tree_remove(struct ws_tree *tree, const void *element, ws_tree_compare *compare) {
  tdelete(element, &tree->root, compare);
}
