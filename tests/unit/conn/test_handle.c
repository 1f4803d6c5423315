/* IDs: issue, pin, retire. */
#include "conn/handle.h"
#include "support/test.h"

static int object, other;

static void assert_no_pin(enum ws_handle_kind kind, int64_t id, enum ws_handle_state reason) {
  enum ws_handle_state why;
  assert_null(ws_handle_pin(kind, id, &why));
  assert_int_equal(why, reason);
}

static void test_an_id_belongs_to_its_owner_and_kind(void **state) {
  (void)state;
  int64_t id = ws_handle_issue(WS_HANDLE_CONNECTION, &object, 5);
  assert_ptr_equal(ws_handle_owned(WS_HANDLE_CONNECTION, id, 5), &object);
  assert_null(ws_handle_owned(WS_HANDLE_CONNECTION, id, 4));
  assert_null(ws_handle_owned(WS_HANDLE_SERVER, id, 5));
  assert_no_pin(WS_HANDLE_SERVER, id, WS_HANDLE_OTHER_KIND); /* WS-ID-4 */
  assert_true(ws_handle_retire(id));
}

/* WS-ID-2 */
static void test_the_last_unpin_frees_a_retired_id(void **state) {
  enum ws_handle_state why;
  (void)state;
  int64_t id = ws_handle_issue(WS_HANDLE_CONNECTION, &object, 5);
  assert_ptr_equal(ws_handle_pin(WS_HANDLE_CONNECTION, id, &why), &object);
  ws_handle_pin_again(id);
  assert_true(ws_handle_is_alive(WS_HANDLE_CONNECTION, id));
  assert_false(ws_handle_retire(id)); /* pinned */
  assert_false(ws_handle_is_alive(WS_HANDLE_CONNECTION, id));
  assert_no_pin(WS_HANDLE_CONNECTION, id, WS_HANDLE_GONE);
  assert_false(ws_handle_unpin(id));
  assert_true(ws_handle_unpin(id));
  assert_no_pin(WS_HANDLE_SERVER, id, WS_HANDLE_OTHER_KIND);
}

/* WS-ID-3 */
static void test_ids_that_were_never_issued(void **state) {
  (void)state;
  int64_t id = ws_handle_issue(WS_HANDLE_CONNECTION, &object, 5);
  assert_true(ws_handle_retire(id));
  assert_false(ws_handle_is_alive(WS_HANDLE_SERVER, id + 2 * 4096));
  assert_null(ws_handle_owned(WS_HANDLE_SERVER, id + 2 * 4096, 0));
  assert_no_pin(WS_HANDLE_SERVER, id + 2 * 4096, WS_HANDLE_UNKNOWN);
  assert_no_pin(WS_HANDLE_CONNECTION, id + ((int64_t)1 << 40), WS_HANDLE_UNKNOWN); /* a later generation */
  assert_no_pin(WS_HANDLE_CONNECTION, 1, WS_HANDLE_UNKNOWN);                       /* slot 0 */
}

/* Each connection pins its server, so a server has room for more pins than maxConnections: WS-LIMIT-1 */
static void test_a_server_has_a_pin_for_each_connection(void **state) {
  enum { PINS = (1 << 24) + 1000 };
  enum ws_handle_state why;
  (void)state;
  int64_t server = ws_handle_issue(WS_HANDLE_SERVER, &object, WS_HANDLE_NO_OWNER);
  for (int i = 0; i < PINS; i++)
    ws_handle_pin_again(server);
  assert_ptr_equal(ws_handle_pin(WS_HANDLE_SERVER, server, &why), &object);
  assert_false(ws_handle_retire(server));
  for (int i = 0; i < PINS; i++)
    assert_false(ws_handle_unpin(server));
  assert_true(ws_handle_unpin(server));
}

/* One more is refused as if the object were gone: WS-ID-2 */
static void test_a_slot_full_of_pins(void **state) {
  enum { PINS = (1 << 25) - 1 };
  (void)state;
  int64_t server = ws_handle_issue(WS_HANDLE_SERVER, &object, WS_HANDLE_NO_OWNER);
  for (int i = 0; i < PINS; i++)
    ws_handle_pin_again(server);
  assert_no_pin(WS_HANDLE_SERVER, server, WS_HANDLE_GONE);
  assert_false(ws_handle_retire(server));
  for (int i = 1; i < PINS; i++)
    assert_false(ws_handle_unpin(server));
  assert_true(ws_handle_unpin(server));
}

/* A slot is issued again, its ID is not: WS-ID-1 WS-ID-2 */
static void test_ids_do_not_repeat(void **state) {
  enum { MANY = 3000 };
  static int64_t ids[MANY];
  (void)state;
  int64_t first = ws_handle_issue(WS_HANDLE_CONNECTION, &object, 0);
  assert_true(ws_handle_retire(first));
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < MANY; i++) {
      ids[i] = ws_handle_issue(WS_HANDLE_CONNECTION, &other, 0);
      assert_true(ids[i] > 0 && ids[i] != first);
      assert_true(i == 0 || ids[i] != ids[i - 1]);
    }
    if (round > 0) { /* by now the slot has been issued again */
      assert_false(ws_handle_is_alive(WS_HANDLE_CONNECTION, first));
      assert_null(ws_handle_owned(WS_HANDLE_CONNECTION, first, 0));
      assert_no_pin(WS_HANDLE_CONNECTION, first, WS_HANDLE_GONE);
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
      cmocka_unit_test(test_an_id_belongs_to_its_owner_and_kind),
      cmocka_unit_test(test_the_last_unpin_frees_a_retired_id),
      cmocka_unit_test(test_ids_that_were_never_issued),
      cmocka_unit_test(test_a_server_has_a_pin_for_each_connection),
      cmocka_unit_test(test_a_slot_full_of_pins),
      cmocka_unit_test(test_ids_do_not_repeat),
  };
  return cmocka_run_group_tests_name("handle", tests, NULL, NULL);
}
