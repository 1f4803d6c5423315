/* Masking keys. */
#include "conn/random.h"
#include "support/test.h"

/* One pair in a thousand masks may be equal by chance: WS-SEC-6 */
static void test_masks_do_not_repeat(void **state) {
  enum { MANY = 1000 };
  static uint32_t masks[MANY];
  int repeated = 0;
  (void)state;
  for (int i = 0; i < MANY; i++) {
    uint8_t mask[4];
    assert_int_equal(ws_random_mask(mask), 0);
    memcpy(&masks[i], mask, 4);
    for (int j = 0; j < i; j++)
      repeated += masks[i] == masks[j];
  }
  assert_in_range(repeated, 0, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_masks_do_not_repeat),
  };
  return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
