/* Recently closed connections of clients. */
#include "client/recently_closed.h"
#include "support/osprey.h"
#include "support/test.h"

/* The client remembers its last 256 closed connections. */
static void test_the_oldest_are_forgotten(void **state) {
  (void)state;
  for (int64_t id = 1; id <= 300; id++)
    ws_recently_closed_add(id, "ws://h/", 1000, id % 2 ? "reason" : NULL);
  assert_false(ws_recently_closed_has(44));
  assert_true(ws_recently_closed_has(45));
  assert_true(ws_recently_closed_has(300));
  assert_false(ws_recently_closed_has(0));
  assert_false(ws_recently_closed_has(-1));
  /* If it has been forgotten since the look-up, the handler is dropped and not called: WS-CLIENTCLOSE-2 */
  ws_recently_closed_call(NULL, 44, on_close);
  ws_recently_closed_free_all();
  assert_false(ws_recently_closed_has(300));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_oldest_are_forgotten),
  };
  return cmocka_run_group_tests_name("recently closed", tests, NULL, NULL);
}
