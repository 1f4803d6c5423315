#pragma once
/*
 * Fault injection: the one counter that a test build arms.
 *
 * Every allocation and every system call of the runtime goes through a wrapper (alloc.h, io/sys.h). Built with the meson
 * option fault_injection, a wrapper first asks ws_fault_hit(): the nth question since ws_fault_arm(n) is answered yes,
 * once, and that call fails with a plausible errno instead of being made. Without the option the question is the
 * constant false and costs nothing.
 *
 * In a program that no test has a hand in, the environment arms it: OSPREY_WS_FAULT=n. At exit such a program says on
 * stderr how many calls there were, so that a driver knows when n is past the last.
 */
#include <stdbool.h>

#ifdef OSPREY_WS_FAULT_INJECTION
#include <stdatomic.h>

/* Calls made so far, and the number of the one that fails (0: none). Weak: each file that includes this defines it once more. */
__attribute__((weak)) _Atomic long ws_fault_calls;
__attribute__((weak)) _Atomic long ws_fault_target;

static inline void ws_fault_arm(long nth) {
  atomic_store(&ws_fault_calls, 0);
  atomic_store(&ws_fault_target, nth);
}

/* How many calls were made since the counter was armed. */
static inline long ws_fault_count(void) {
  return atomic_load(&ws_fault_calls);
}

static inline bool ws_fault_hit(void) {
  return atomic_fetch_add(&ws_fault_calls, 1) + 1 == atomic_load(&ws_fault_target);
}
#else
static inline bool ws_fault_hit(void) {
  return false;
}
#endif
