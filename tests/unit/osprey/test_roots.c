/* Roots. */
#include "osprey/roots.h"
#include "osprey/hooks.h"
#include "support/test.h"

/* Slots keep their values, and are reused. */
static void test_roots(void **state) {
  enum { MANY = 2000 };
  static void **slots[MANY];
  (void)state;
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < MANY; i++) {
      slots[i] = ws_roots_acquire();
      assert_null(*slots[i]);
      *slots[i] = &slots[i];
    }
    for (int i = 0; i < MANY; i++)
      assert_ptr_equal(*slots[i], &slots[i]);
    for (int i = 0; i < MANY; i++)
      ws_roots_release(slots[i]);
  }
  ws_roots_release(NULL);
  ws_roots_drop(NULL);
  void *value = osp_alloc(8);
  void **kept = ws_roots_keep(value);
  osp_release(value);
  ws_roots_drop(kept);
  slots[0] = ws_roots_acquire();
  ws_roots_free_all(); /* has no effect while a slot is acquired */
  assert_null(*slots[0]);
  ws_roots_release(slots[0]);
  ws_roots_free_all();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_roots),
  };
  return cmocka_run_group_tests_name("roots", tests, NULL, NULL);
}
