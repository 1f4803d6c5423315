/* Arguments of builtins. */
#include "conn/args.h"
#include "osprey/error.h"
#include "support/test.h"

static void test_protocol_lists(void **state) {
  struct ws_error error;
  char name[300];
  (void)state;
  ws_error_clear(&error);
  assert_int_equal(ws_args_protocols("op", "", &error), 0);
  assert_int_equal(ws_args_protocols("op", "  ", &error), 0);
  assert_int_equal(ws_args_protocols("op", "a , b", &error), 0);
  memset(name, 'n', sizeof name);
  name[256] = '\0';
  assert_int_equal(ws_args_protocols("op", name, &error), -1);
  name[255] = '\0';
  assert_int_equal(ws_args_protocols("op", name, &error), 0);
  char *list = malloc(70001);
  assert_non_null(list);
  memset(list, ',', 70000);
  list[70000] = '\0';
  assert_int_equal(ws_args_protocols("op", list, &error), -1);
  free(list);
}

/* WS-PROTOCOLS-4 WS-CONNECTWITH-11: a hundred names are a list, one more is an error that names it and the cap. */
static void test_too_many_protocols_are_an_error(void **state) {
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
      cmocka_unit_test(test_protocol_lists),
      cmocka_unit_test(test_too_many_protocols_are_an_error),
  };
  return cmocka_run_group_tests_name("args", tests, NULL, NULL);
}
