#pragma once
/* Reads the HTTP head of a handshake.
 *
 * A head that arrives in one piece is parsed in place. Otherwise it is gathered in memory that grows with what has
 * arrived. Both hold secrets (key, cookies, tokens) and are wiped after use.
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

/* Feeds n bytes. *kept is what was gathered so far (NULL at first). Returns an outcome of the parser, or NO_MEMORY.
 * WS_HTTP_PARTIAL: the bytes were gathered and wiped. WS_HTTP_COMPLETE and WS_HTTP_PROBLEM: *head is the parsed head,
 * valid until ws_head_reader_wipe and while `scratch` lives; *used is how many of the n bytes belong to it. */
int ws_head_reader_feed(struct ws_head_reader **kept, struct ws_http_head *scratch, enum ws_http_kind kind,
                        uint8_t *bytes, size_t n, struct ws_http_head **head, size_t *used);

/* Wipes and frees what was gathered, and wipes the `used` bytes of the last piece. */
void ws_head_reader_wipe(struct ws_head_reader **kept, uint8_t *bytes, size_t used);
