#pragma once
/* Sec-WebSocket-Key and Sec-WebSocket-Accept (RFC 6455 section 4).
 *
 * A key is 16 random bytes in base64. The caller zeroes keys, and buffers that held one, before it frees them.
 */
#include <stddef.h>
#include <stdint.h>

enum { WS_HANDSHAKE_KEY_SIZE = 24, WS_HANDSHAKE_ACCEPT_SIZE = 28 }; /* characters, without the NUL */

/* A source of randomness that is fit for keys. `fill` writes n bytes and returns 0, or returns -1. */
struct ws_random {
  int (*fill)(void *ctx, uint8_t *bytes, size_t n);
  void *ctx;
};

/* Generates a key, NUL-terminated. Returns 0, or -1 without randomness. */
int ws_handshake_key_generate(char key[WS_HANDSHAKE_KEY_SIZE + 1], const struct ws_random *random);

/* Computes the Sec-WebSocket-Accept, NUL-terminated, for a key of WS_HANDSHAKE_KEY_SIZE characters. Returns 0, or -1 if
 * the digest fails. */
int ws_handshake_key_accept(char accept[WS_HANDSHAKE_ACCEPT_SIZE + 1], const char *key);
