/* Arguments of builtins. */
#include "conn/args.h"
#include "osprey/error.h"
#include "support/test.h"

static void assert_protocols(const char *list, int result) {
  struct ws_error error;
  ws_error_clear(&error);
  assert_int_equal(ws_args_protocols("op", list, &error), result);
}

static void test_lists_of_protocols(void **state) {
  (void)state;
  assert_protocols("", 0);
  assert_protocols("  ", 0);
  assert_protocols("a , b", 0);
}

static void test_the_length_of_a_protocol(void **state) {
  char name[257];
  (void)state;
  memset(name, 'n', sizeof name);
  name[256] = '\0';
  assert_protocols(name, -1);
  name[255] = '\0';
  assert_protocols(name, 0);
}

static void test_a_list_of_nothing_but_commas(void **state) {
  enum { COMMAS = 70000 };
  (void)state;
  char *list = malloc(COMMAS + 1);
  assert_non_null(list);
  memset(list, ',', COMMAS);
  list[COMMAS] = '\0';
  assert_protocols(list, -1);
  free(list);
}

/* The error names the first protocol past the cap: WS-PROTOCOLS-2 */
static void test_the_number_of_protocols(void **state) {
  enum { MOST = 100 };
  char list[8 * (MOST + 1)] = "p0";
  struct ws_error error;
  (void)state;
  ws_error_clear(&error);
  for (int i = 1; i < MOST; i++)
    snprintf(list + strlen(list), sizeof list - strlen(list), ",p%d", i);
  assert_int_equal(ws_args_protocols("op", list, &error), 0);
  snprintf(list + strlen(list), sizeof list - strlen(list), ",last");
  assert_int_equal(ws_args_protocols("op", list, &error), -1);
  assert_string_equal(error.text, "op: subprotocol \"last\" is one more than the 100 that a list may name");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lists_of_protocols),
      cmocka_unit_test(test_the_length_of_a_protocol),
      cmocka_unit_test(test_a_list_of_nothing_but_commas),
      cmocka_unit_test(test_the_number_of_protocols),
  };
  return cmocka_run_group_tests_name("args", tests, NULL, NULL);
}
