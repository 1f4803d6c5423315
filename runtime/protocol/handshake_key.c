#include "handshake_key.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/mem.h"
#include "base64.h"

#define WS_HANDSHAKE_KEY_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

int ws_handshake_key_accept(char accept[WS_HANDSHAKE_ACCEPT_SIZE + 1], const char *key) {
  char text[WS_HANDSHAKE_KEY_SIZE + sizeof WS_HANDSHAKE_KEY_GUID - 1];
  uint8_t digest[20];
  int ok;
  memcpy(text, key, WS_HANDSHAKE_KEY_SIZE);
  memcpy(text + WS_HANDSHAKE_KEY_SIZE, WS_HANDSHAKE_KEY_GUID, sizeof WS_HANDSHAKE_KEY_GUID - 1);
  ok = EVP_Digest(text, sizeof text, digest, NULL, EVP_sha1(), NULL);
  ws_mem_wipe(text, sizeof text);
  if (ok != 1)
    return -1;
  ws_base64_encode(accept, digest, sizeof digest);
  return 0;
}

int ws_handshake_key_generate(char key[WS_HANDSHAKE_KEY_SIZE + 1], const struct ws_random *random) {
  uint8_t nonce[16];
  if (random->fill(random->ctx, nonce, sizeof nonce) < 0)
    return -1;
  ws_base64_encode(key, nonce, sizeof nonce);
  ws_mem_wipe(nonce, sizeof nonce);
  return 0;
}
