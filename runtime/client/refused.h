#pragma once
/* The response of a server that refused the handshake, told as one sentence: its status, Retry-After, and the first
 * line of its body. The server's text is cut, and cleaned of all but printable ASCII. HTML and compressed bodies are
 * left out. On the loop thread.
 */
#include <stdbool.h>
#include <stddef.h>

#include "protocol/http_head.h"

struct ws_refused;

/* For a complete head whose status is not 101. NULL: no memory. */
struct ws_refused *ws_refused_new(const struct ws_http_head *head);
void ws_refused_free(struct ws_refused *refused);

/* Takes n bytes of the body. Returns true if no more is needed. */
bool ws_refused_feed(struct ws_refused *refused, const char *bytes, size_t n);

/* The sentence, which lives as long as `refused`. */
const char *ws_refused_text(struct ws_refused *refused);
