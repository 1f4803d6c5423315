/* The delays before attempts to connect again. */
#include <stdbool.h>

#include "client/backoff.h"
#include "support/test.h"

/* WS-RECONNECT-2 */
static void test_the_bound_doubles(void **state) {
  static const int64_t bounds[] = {100, 200, 400, 800, 1000, 1000};
  struct ws_backoff backoff;
  (void)state;
  ws_backoff_start(&backoff, 100, 1000);
  for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
    assert_int_equal(backoff.bound_ms, bounds[i]);
    assert_in_range((uint64_t)ws_backoff_next(&backoff), 0, (uint64_t)bounds[i]);
  }
}

/* WS-RECONNECT-3 */
static void test_only_a_long_connection_starts_over(void **state) {
  struct ws_backoff backoff;
  (void)state;
  ws_backoff_start(&backoff, 100, 1000);
  ws_backoff_next(&backoff);
  ws_backoff_lasted(&backoff, 1000);
  assert_int_equal(backoff.bound_ms, 200);
  ws_backoff_lasted(&backoff, 1001);
  assert_int_equal(backoff.bound_ms, 100);
}

/* Full jitter: every value from 0 to the bound, evenly. Each of 20 parts gets 500 of 10,000 delays; that one of them is
 * off by 140, over six standard deviations, has a chance of about 10^-8. WS-RECONNECT-2 */
static void test_delays_are_spread_evenly(void **state) {
  enum { DELAYS = 10000, PARTS = 20, BOUND = 999 };
  int counts[PARTS] = {0};
  struct ws_backoff backoff;
  (void)state;
  ws_backoff_start(&backoff, BOUND, BOUND);
  for (int i = 0; i < DELAYS; i++)
    counts[ws_backoff_next(&backoff) * PARTS / (BOUND + 1)]++;
  for (int i = 0; i < PARTS; i++)
    assert_in_range((unsigned)counts[i], DELAYS / PARTS - 140, DELAYS / PARTS + 140);
}

static void test_extreme_delays(void **state) {
  bool seen[2] = {false};
  struct ws_backoff backoff;
  (void)state;
  ws_backoff_start(&backoff, 1, 1);
  for (int i = 0; i < 200; i++)
    seen[ws_backoff_next(&backoff)] = true;
  assert_true(seen[0] && seen[1]);
  ws_backoff_start(&backoff, INT32_MAX, INT32_MAX);
  for (int i = 0; i < 200; i++)
    assert_in_range((uint64_t)ws_backoff_next(&backoff), 0, INT32_MAX);
  assert_int_equal(backoff.bound_ms, INT32_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_bound_doubles),
      cmocka_unit_test(test_only_a_long_connection_starts_over),
      cmocka_unit_test(test_delays_are_spread_evenly),
      cmocka_unit_test(test_extreme_delays),
  };
  return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
