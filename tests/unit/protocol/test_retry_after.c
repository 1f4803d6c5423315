/* Retry-After: WS-RECONNECT-4 */
#include "support.h"

#include "protocol/retry_after.h"

enum { HOUR = 3600 };

/* 2026-11-27 08:49:37 UTC */
static const int64_t now = 1795769377;

static int64_t after(const char *value) {
  return ws_retry_after(ws_slice_of(value), now, HOUR);
}

static void test_seconds(void **state) {
  (void)state;
  assert_int_equal(after("0"), 0);
  assert_int_equal(after("30"), 30);
  assert_int_equal(after("007"), 7);
  assert_int_equal(after("3600"), HOUR);
  assert_int_equal(after("3601"), HOUR);
  assert_int_equal(after("99999999999999999999999999"), HOUR);
}

static void test_dates(void **state) {
  (void)state;
  assert_int_equal(after("Fri, 27 Nov 2026 08:50:07 GMT"), 30);
  assert_int_equal(after("Fri, 27 Nov 2026 08:49:37 GMT"), 0);
  assert_int_equal(after("Fri, 27 Nov 2026 08:49:07 GMT"), 0);
  assert_int_equal(after("Tue, 01 Jan 2030 00:00:00 GMT"), HOUR);
  assert_int_equal(after("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
  /* the day after 28 February of leap years and of others */
  const int64_t most = INT64_MAX;
  assert_int_equal(ws_retry_after(ws_slice_of("Tue, 29 Feb 2000 00:00:00 GMT"), 0, most), 951782400);
  assert_int_equal(ws_retry_after(ws_slice_of("Mon, 01 Mar 2100 00:00:00 GMT"), 0, most), 4107542400);
  assert_int_equal(ws_retry_after(ws_slice_of("Fri, 31 Dec 2027 23:59:60 GMT"), 0, most), 1830297600);
}

static void test_what_is_neither(void **state) {
  static const char *const wrong[] = {
      "",
      "soon",
      "-5",
      "3.5",
      "30 s",
      "Friday, 27-Nov-26 08:50:07 GMT",
      "Fri Nov 27 08:50:07 2026",
      "Fri, 27 Nov 2026 08:50:07 UTC",
      "Fri, 27 Nuv 2026 08:50:07 GMT",
      "Fri, 00 Nov 2026 08:50:07 GMT",
      "Fri, 32 Nov 2026 08:50:07 GMT",
      "Fri, 27 Nov 2026 24:50:07 GMT",
      "Fri, 27 Nov 2026 08:60:07 GMT",
      "Fri, 27 Nov 2026 08:50:61 GMT",
      "Fri, x7 Nov 2026 08:50:07 GMT",
      "Fri, 27 Nov 1969 08:50:07 GMT",
      "Fri, 27 Nov 2026 08-50:07 GMT",
      "Fri; 27 Nov 2026 08:50:07 GMT",
      "Fri, 27-Nov 2026 08:50:07 GMT",
      "Fri, 27 Nov-2026 08:50:07 GMT",
      "Fri, 27 Nov 2026-08:50:07 GMT",
      "Fri, 27 Nov 2026 08:50-07 GMT",
      "Fri, 27 Nov 2026 x8:50:07 GMT",
      "Fri, 27 Nov 2026 08:x0:07 GMT",
      "Fri, 27 Nov 2026 08:50:x7 GMT",
  };
  (void)state;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    assert_int_equal(after(wrong[i]), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_seconds),
      cmocka_unit_test(test_dates),
      cmocka_unit_test(test_what_is_neither),
  };
  return cmocka_run_group_tests_name("retry after", tests, NULL, NULL);
}
