#include "random.h"

#include <openssl/rand.h>
#include <string.h>

#include "base/fault.h"

enum { WS_RANDOM_STORE = 1024 };

static _Thread_local uint8_t ws_random_store[WS_RANDOM_STORE];
static _Thread_local size_t ws_random_left;

static int ws_random_fill(void *context, uint8_t *bytes, size_t n) {
  (void)context;
  if (ws_fault_hit())
    return -1;
  return RAND_bytes(bytes, (int)n) == 1 ? 0 : -1;
}

const struct ws_random ws_random_keys = {.fill = ws_random_fill};

int ws_random_mask(uint8_t mask[4]) {
  if (ws_random_left < 4) {
    if (ws_random_fill(NULL, ws_random_store, sizeof ws_random_store))
      return -1;
    ws_random_left = sizeof ws_random_store;
  }
  ws_random_left -= 4;
  memcpy(mask, ws_random_store + ws_random_left, 4);
  memset(ws_random_store + ws_random_left, 0, 4);
  return 0;
}
