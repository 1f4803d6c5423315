#pragma once
/* Osprey's strings and records (spec/abi.md defines their layouts).
 *
 * Each function returns a value with one reference, which the caller owns, or NULL if out of memory.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* WebSocketOptions, as a program passes it. */
struct ws_options_record {
  int64_t tag;
  const char *headers;
  const char *protocols;
  bool compression;
  int64_t max_message_bytes;
  int64_t timeout_ms;
  int64_t keep_alive_ms;
};

/* A string of n bytes without NUL. */
char *ws_value_string(const char *text, size_t n);

/* A string for a received text of n bytes: U+0000 becomes C0 80 (protocol/text.h). */
char *ws_value_text(const uint8_t *bytes, size_t n);

/* A WebSocketConnection. Copies `url`. */
void *ws_value_connection(int64_t id, const char *url, bool is_connected);

/* The field isConnected of a WebSocketConnection. */
bool ws_value_is_connected(const void *connection);
