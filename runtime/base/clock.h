#pragma once
/* The monotonic clock, in milliseconds from an arbitrary start. Any thread. */
#include <stdint.h>
#include <time.h>

static inline int64_t ws_clock_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#ifdef OSPREY_WS_POSIX
#define WS_CLOCK_COARSE CLOCK_MONOTONIC
#else
#define WS_CLOCK_COARSE CLOCK_MONOTONIC_COARSE
#endif

/* On Linux cheaper to read, but late by up to one tick of the kernel's timer (4 ms on most systems). */
static inline int64_t ws_clock_coarse_ms(void) {
  struct timespec now;
  clock_gettime(WS_CLOCK_COARSE, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The same in nanoseconds, for what is read at each message: it takes no division. */
enum { WS_CLOCK_NS = 1000000 }; /* in a millisecond */

static inline int64_t ws_clock_coarse_ns(void) {
  struct timespec now;
  clock_gettime(WS_CLOCK_COARSE, &now);
  return (int64_t)now.tv_sec * 1000 * WS_CLOCK_NS + now.tv_nsec;
}
