#pragma once
/* Fault injection: a counter that a test build arms.
 *
 * Every allocation and every system call of the runtime goes through a wrapper (base/mem.h, osprey/hooks.h, io/sys.h,
 * conn/random.c; the check `wrappers` enforces this), and so does what a cluster's engine may refuse (cluster/nats.c).
 * With the Meson option fault_injection, each wrapper first increments the counter. After ws_fault_arm(n) the nth call
 * fails, once, with a plausible errno. After ws_fault_arm_drought(n) system calls succeed, and every allocation from
 * the nth call on fails. Without the option, the wrappers cost nothing.
 */
#include <stdbool.h>

#ifdef OSPREY_WS_FAULT_INJECTION
#include <stdatomic.h>

/* Calls so far; the number of the call that fails (0: none); whether all later allocations fail. Weak, because each
 * file that includes this header defines them. */
__attribute__((weak)) _Atomic long ws_fault_calls;
__attribute__((weak)) _Atomic long ws_fault_target;
__attribute__((weak)) _Atomic bool ws_fault_drought;

static inline void ws_fault_arm(long nth) {
  atomic_store(&ws_fault_calls, 0);
  atomic_store(&ws_fault_target, nth);
}

static inline void ws_fault_arm_drought(long nth) {
  atomic_store(&ws_fault_drought, true);
  ws_fault_arm(nth);
}

/* Calls since the counter was armed. */
static inline long ws_fault_count(void) {
  return atomic_load(&ws_fault_calls);
}

/* Returns true if this system call must fail. */
static inline bool ws_fault_hit(void) {
  bool reached = atomic_fetch_add(&ws_fault_calls, 1) + 1 == atomic_load(&ws_fault_target);
  return reached && !atomic_load(&ws_fault_drought);
}

/* Returns true if this allocation must fail. */
static inline bool ws_fault_hit_memory(void) {
  long call = atomic_fetch_add(&ws_fault_calls, 1) + 1;
  long target = atomic_load(&ws_fault_target);
  return call == target || (target && call > target && atomic_load(&ws_fault_drought));
}
#else
static inline bool ws_fault_hit(void) {
  return false;
}

static inline bool ws_fault_hit_memory(void) {
  return false;
}
#endif
