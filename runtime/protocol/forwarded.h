#pragma once
/* The addresses that proxies add to a request: X-Forwarded-For, and the parameter "for" of Forwarded (RFC 7239), over
 * all fields of the name, from the left to the right. Takes time linear in the head. */
#include <stdbool.h>
#include <stddef.h>

#include "http_head.h"
#include "quoted.h"
#include "slice.h"

enum ws_forwarded_kind { WS_FORWARDED_X_FOR, WS_FORWARDED_RFC };

struct ws_forwarded {
  const struct ws_http_head *head;
  enum ws_forwarded_kind kind;
  size_t field;         /* the next one to look at */
  struct ws_slice rest; /* of the present one; absent: none */
};

enum ws_forwarded_outcome { WS_FORWARDED_END, WS_FORWARDED_NODE, WS_FORWARDED_MALFORMED };

void ws_forwarded_begin(struct ws_forwarded *forwarded, const struct ws_http_head *head, enum ws_forwarded_kind kind);

/* The next node, as it stands in the head, also with its quotes; absent if an element of Forwarded has no "for".
 * Malformed, of Forwarded only: what follows cannot be told apart. */
enum ws_forwarded_outcome ws_forwarded_next(struct ws_forwarded *forwarded, struct ws_slice *node);

/* The host of a node that is there: its address without brackets and port, or what stands for it ("unknown",
 * "_hidden"); empty if it has no readable part. A part of the node, or of `room`. */
struct ws_slice ws_forwarded_host(enum ws_forwarded_kind kind, struct ws_slice node, char room[WS_QUOTED_MAX]);
