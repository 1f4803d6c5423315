#pragma once
/* The head of a handshake, as it arrives.
 *
 * A head that comes in one piece is parsed where it lies. One that does not is gathered, in memory that grows with what
 * came. Both hold secrets (key, cookies, tokens) and are wiped when they have served.
 */
#include <stddef.h>
#include <stdint.h>

#include "protocol/http_head.h"

struct ws_head_reader {
  struct ws_http_head http;
  size_t size;
  size_t room;
  char *bytes;
};

enum { WS_HEAD_READER_NO_MEMORY = 3 }; /* besides enum ws_http_outcome */

/* Takes n more bytes; where that is not all of the head yet, wipes them. *kept is what was gathered (NULL at first). On
 * WS_HTTP_COMPLETE and WS_HTTP_PROBLEM *head is the parsed one, valid until ws_head_reader_wipe and the end of
 * `scratch`; *used is how many of the n bytes belong to it. */
int ws_head_reader_feed(struct ws_head_reader **kept, struct ws_http_head *scratch, enum ws_http_kind kind,
                        uint8_t *bytes, size_t n, struct ws_http_head **head, size_t *used);

/* Wipes and frees what was gathered, and wipes the `used` bytes of the last piece. */
void ws_head_reader_wipe(struct ws_head_reader **kept, uint8_t *bytes, size_t used);
