#pragma once
/*
 * Fault injection: the one counter that a test build arms.
 *
 * Every allocation and every system call of the runtime goes through a wrapper (base/mem.h, hooks.h, io/sys.h, random.c; a
 * check of the source holds that). Built with the meson option fault_injection, a wrapper first asks whether it is to
 * fail: the nth question since ws_fault_arm(n) is answered yes, once, and that call fails with a plausible errno instead
 * of being made. After ws_fault_arm_drought(n) system calls are made, and every allocation from the nth question on
 * fails. Without the option the answer is the constant false and costs nothing.
 */
#include <stdbool.h>

#ifdef OSPREY_WS_FAULT_INJECTION
#include <stdatomic.h>

/* Questions so far, the number of the one that is answered yes (0: none), and whether memory is gone from there on. Weak:
 * each file that includes this defines them once more. */
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

/* How many questions were asked since the counter was armed. */
static inline long ws_fault_count(void) {
  return atomic_load(&ws_fault_calls);
}

/* Whether this system call is to fail. */
static inline bool ws_fault_hit(void) {
  bool reached = atomic_fetch_add(&ws_fault_calls, 1) + 1 == atomic_load(&ws_fault_target);
  return reached && !atomic_load(&ws_fault_drought);
}

/* Whether this allocation is. */
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
