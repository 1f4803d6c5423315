#pragma once
/* The delays before the attempts to connect again: exponential, with full jitter.
 *
 * Each delay is drawn evenly from 0 to a bound, which doubles from the first to the longest. So the clients that a
 * server loses at one moment do not come back at one moment.
 */
#include <stdint.h>

struct ws_backoff {
  int64_t first_ms, longest_ms;
  int64_t bound_ms; /* of the next delay */
};

/* 1 <= first_ms <= longest_ms < 2^31. */
void ws_backoff_start(struct ws_backoff *backoff, int64_t first_ms, int64_t longest_ms);

/* Draws the next delay. Without random bytes it is the bound. */
int64_t ws_backoff_next(struct ws_backoff *backoff);

/* A connection ended after this time: the bound starts over if it lasted longer than the longest delay. A server that
 * accepts and then fails is not healthy. */
void ws_backoff_lasted(struct ws_backoff *backoff, int64_t ms);
