#include "backoff.h"

#include <string.h>

#include "conn/random.h"

void ws_backoff_start(struct ws_backoff *backoff, int64_t first_ms, int64_t longest_ms) {
  *backoff = (struct ws_backoff){.first_ms = first_ms, .longest_ms = longest_ms, .bound_ms = first_ms};
}

/* Scales 32 random bits to 0 to bound_ms. */
static int64_t ws_backoff_draw(int64_t bound_ms) {
  uint8_t bytes[4];
  uint32_t random;
  if (ws_random_mask(bytes))
    return bound_ms;
  memcpy(&random, bytes, sizeof random);
  return (int64_t)((uint64_t)random * (uint64_t)(bound_ms + 1) >> 32);
}

int64_t ws_backoff_next(struct ws_backoff *backoff) {
  int64_t delay_ms = ws_backoff_draw(backoff->bound_ms);
  int64_t doubled = 2 * backoff->bound_ms;
  backoff->bound_ms = doubled < backoff->longest_ms ? doubled : backoff->longest_ms;
  return delay_ms;
}

void ws_backoff_lasted(struct ws_backoff *backoff, int64_t ms) {
  if (ms > backoff->longest_ms)
    backoff->bound_ms = backoff->first_ms;
}
