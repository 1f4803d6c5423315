#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <poll.h>

#include "base/clock.h"
#include "io/wait.h"

struct late {
  int64_t deadline_ms;
  int64_t until_ms; /* the first look lasts until then */
  int looks;
};

/* As a stop of the process does, the first look takes the thread past its deadline. */
static bool late_look(void *context) {
  struct late *late = context;
  late->looks++;
  while (ws_clock_ms() < late->until_ms)
    poll(NULL, 0, 10);
  return late->looks > 2;
}

/* WS-TIME-1: what a waiter waits for may have come while the process was stopped, so it looks once more. */
static void test_late_waiter(void **state) {
  int64_t now = ws_clock_ms();
  struct late late = {.deadline_ms = now + 100, .until_ms = now + 1000};
  (void)state;
  assert_true(ws_wait_until(late.deadline_ms, late_look, &late));
  assert_int_equal(late.looks, 3);
}

static bool never(void *context) {
  (void)context;
  return false;
}

static void test_waiter_in_time(void **state) {
  (void)state;
  assert_false(ws_wait_until(ws_clock_ms() + 100, never, NULL));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_late_waiter), cmocka_unit_test(test_waiter_in_time)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
