/* IDs: issue, pin, retire. */
#include "conn/handle.h"
#include "support/test.h"

/* WS-ID-1 WS-ID-2 WS-ID-3 WS-ID-4 WS-LIMIT-1 */
static void test_handles(void **state) {
  enum { MANY = 3000 };
  static int64_t ids[MANY];
  enum ws_handle_state why;
  int object;
  int other;
  (void)state;
  int64_t first = ws_handle_issue(WS_HANDLE_CONNECTION, &object, 5);
  assert_ptr_equal(ws_handle_owned(WS_HANDLE_CONNECTION, first, 5), &object);
  assert_null(ws_handle_owned(WS_HANDLE_CONNECTION, first, 4));
  assert_null(ws_handle_owned(WS_HANDLE_SERVER, first, 5));
  assert_ptr_equal(ws_handle_pin(WS_HANDLE_CONNECTION, first, &why), &object);
  ws_handle_pin_again(first);
  assert_true(ws_handle_is_alive(WS_HANDLE_CONNECTION, first));
  assert_false(ws_handle_retire(first)); /* pinned */
  assert_false(ws_handle_is_alive(WS_HANDLE_CONNECTION, first));
  assert_null(ws_handle_pin(WS_HANDLE_CONNECTION, first, &why));
  assert_int_equal(why, WS_HANDLE_GONE);
  assert_false(ws_handle_unpin(first));
  assert_true(ws_handle_unpin(first)); /* the last pin: the object can go */
  assert_null(ws_handle_pin(WS_HANDLE_SERVER, first, &why));
  assert_int_equal(why, WS_HANDLE_OTHER_KIND);
  assert_false(ws_handle_is_alive(WS_HANDLE_SERVER, first + 2 * 4096));
  assert_null(ws_handle_owned(WS_HANDLE_SERVER, first + 2 * 4096, 0));
  assert_null(ws_handle_pin(WS_HANDLE_SERVER, first + 2 * 4096, &why));
  assert_int_equal(why, WS_HANDLE_UNKNOWN);
  /* Another generation than any that was issued. */
  assert_null(ws_handle_pin(WS_HANDLE_CONNECTION, first + ((int64_t)1 << 40), &why));
  assert_int_equal(why, WS_HANDLE_UNKNOWN);
  assert_null(ws_handle_pin(WS_HANDLE_CONNECTION, 1, &why)); /* place 0 */
  assert_int_equal(why, WS_HANDLE_UNKNOWN);
  /* Every connection of a server pins it: as many as maxConnections may say, and some. */
  int64_t server = ws_handle_issue(WS_HANDLE_SERVER, &object, WS_HANDLE_NO_OWNER);
  for (int i = 0; i < (1 << 24) + 1000; i++)
    ws_handle_pin_again(server);
  assert_ptr_equal(ws_handle_pin(WS_HANDLE_SERVER, server, &why), &object);
  assert_false(ws_handle_retire(server));
  for (int i = 0; i < (1 << 24) + 1000; i++)
    assert_false(ws_handle_unpin(server));
  assert_true(ws_handle_unpin(server));
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < MANY; i++) {
      ids[i] = ws_handle_issue(WS_HANDLE_CONNECTION, &other, 0);
      assert_true(ids[i] > 0 && ids[i] != first);
      assert_true(i == 0 || ids[i] != ids[i - 1]);
    }
    if (round > 0) { /* in a place that another has since */
      assert_false(ws_handle_is_alive(WS_HANDLE_CONNECTION, first));
      assert_null(ws_handle_owned(WS_HANDLE_CONNECTION, first, 0));
      assert_null(ws_handle_pin(WS_HANDLE_CONNECTION, first, &why));
      assert_int_equal(why, WS_HANDLE_GONE);
    }
    for (int i = 0; i < MANY; i++) {
      assert_ptr_equal(ws_handle_owned(WS_HANDLE_CONNECTION, ids[i], 0), &other);
      assert_true(ws_handle_retire(ids[i]));
      assert_null(ws_handle_owned(WS_HANDLE_CONNECTION, ids[i], 0));
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_handles),
  };
  return cmocka_run_group_tests_name("handle", tests, NULL, NULL);
}
