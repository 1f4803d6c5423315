#pragma once
/* Lists of subprotocols (RFC 6455 section 1.9), as a program passes them and as clients offer them.
 *
 * A list is comma-separated: at most WS_SUBPROTOCOLS_MAX distinct tokens of at most WS_SUBPROTOCOL_MAX bytes. The cap
 * bounds the search for duplicates, which is quadratic.
 */
#include <stdbool.h>
#include <stddef.h>

#include "slice.h"

enum { WS_SUBPROTOCOL_MAX = 255, WS_SUBPROTOCOLS_MAX = 100 };

/* The names of one or more lists, in order, as slices of the texts. `count` starts at 0. */
struct ws_subprotocol_list {
  size_t count;
  struct ws_slice names[WS_SUBPROTOCOLS_MAX];
};

/* Adds the names of a comma-separated text. Returns NULL, or the error of the name *wrong ("is named twice"). */
const char *ws_subprotocol_list_add(struct ws_subprotocol_list *list, struct ws_slice text, struct ws_slice *wrong);

/* Returns true if the list contains the name; case matters. */
bool ws_subprotocol_list_contains(const struct ws_subprotocol_list *list, struct ws_slice name);

/* Validates a program's list, which may be blank. Returns as ws_subprotocol_list_add. */
const char *ws_subprotocol_check(struct ws_slice text, struct ws_slice *wrong);
