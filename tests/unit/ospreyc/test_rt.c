/* libosprey_rt: rendering, print, input, sleep, arguments. */
#include "runtime/osprey_rt.h"
#include "runtime/osprey_rt_library.h"

#include "osprey/osprey_mem.h"

#include <float.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct result_word {
  int64_t value;
  int8_t discriminant;
  const char *message;
};

struct result_bool {
  bool value;
  int8_t discriminant;
  const char *message;
};

static struct osp_rt_part part_int(int64_t value) {
  return (struct osp_rt_part){.kind = OSP_RT_INT, .integer = value};
}

static struct osp_rt_part part_float(double value) {
  return (struct osp_rt_part){.kind = OSP_RT_FLOAT, .real = value};
}

static struct osp_rt_part part_pointer(int64_t kind, const void *pointer) {
  return (struct osp_rt_part){.kind = kind, .pointer = pointer};
}

static void assert_renders(struct osp_rt_part part, const char *expected) {
  char *text = osp_rt_format(&part, 1);
  assert_string_equal(text, expected);
  osp_release(text);
}

/* RUN-TEXT-1 */
static void test_ints(void **state) {
  (void)state;
  assert_renders(part_int(0), "0");
  assert_renders(part_int(-7), "-7");
  assert_renders(part_int(INT64_MAX), "9223372036854775807");
  assert_renders(part_int(INT64_MIN), "-9223372036854775808");
}

/* RUN-TEXT-2 */
static void test_floats(void **state) {
  (void)state;
  assert_renders(part_float(1), "1.0");
  assert_renders(part_float(-0.0), "-0.0");
  assert_renders(part_float(2.5), "2.5");
  assert_renders(part_float(0.1), "0.1");
  assert_renders(part_float(0.1 + 0.2), "0.30000000000000004");
  assert_renders(part_float(1e100), "1e+100");
  assert_renders(part_float(-DBL_MAX), "-1.7976931348623157e+308");
  assert_renders(part_float(5e-324), "5e-324");
  assert_renders(part_float(-1e-310), "-1e-310");
  assert_renders(part_float((double)INFINITY), "inf");
  assert_renders(part_float((double)NAN), "nan");
  assert_renders(part_float(-(double)NAN), "nan");
}

/* RUN-TEXT-3 */
static void test_bool_and_unit(void **state) {
  (void)state;
  assert_renders((struct osp_rt_part){.kind = OSP_RT_BOOL, .integer = 1}, "true");
  assert_renders((struct osp_rt_part){.kind = OSP_RT_BOOL, .integer = 0}, "false");
  assert_renders((struct osp_rt_part){.kind = OSP_RT_UNIT}, "0");
}

/* RUN-TEXT-4 */
static void test_results(void **state) {
  (void)state;
  struct result_word good = {42, 0, NULL}, bad = {0, 1, "integer overflow"}, silent = {0, 1, NULL};
  struct result_bool yes = {true, 0, NULL}, no = {false, 1, "why not"};
  assert_renders(part_pointer(OSP_RT_RESULT + OSP_RT_INT, &good), "Success(42)");
  assert_renders(part_pointer(OSP_RT_RESULT + OSP_RT_UNIT, &good), "Success(0)");
  assert_renders(part_pointer(OSP_RT_RESULT + OSP_RT_INT, &bad), "Error(integer overflow)");
  assert_renders(part_pointer(OSP_RT_RESULT + OSP_RT_INT, &silent), "Error(Error)");
  assert_renders(part_pointer(OSP_RT_RESULT + OSP_RT_BOOL, &yes), "Success(true)");
  assert_renders(part_pointer(OSP_RT_RESULT + OSP_RT_BOOL, &no), "Error(why not)");
  struct result_word outer = {(int64_t)(intptr_t)&yes, 0, NULL};
  assert_renders(part_pointer(2 * OSP_RT_RESULT + OSP_RT_BOOL, &outer), "Success(Success(true))");
}

/* RUN-TEXT-5 */
static void test_format_joins_parts(void **state) {
  (void)state;
  struct osp_rt_part parts[] = {part_pointer(OSP_RT_TEXT, "x="), part_int(1), part_pointer(OSP_RT_TEXT, ""),
                                part_float(0.5), part_pointer(OSP_RT_TEXT, "!")};
  char *text = osp_rt_format(parts, 5);
  assert_string_equal(text, "x=10.5!");
  osp_release(text);
  text = osp_rt_format(NULL, 0);
  assert_string_equal(text, "");
  osp_release(text);
}

/* RUN-TEXT-6 */
static void test_compare(void **state) {
  (void)state;
  assert_true(osp_rt_compare("a", "b") < 0);
  assert_true(osp_rt_compare("b", "a") > 0);
  assert_true(osp_rt_compare("\x7f", "\xc3\xa9") < 0);
  assert_int_equal(osp_rt_compare("same", "same"), 0);
}

static int saved_stdout;

/* Redirects standard output to a pipe until capture_stop. Returns the read end. */
static int capture_start(void) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  saved_stdout = dup(STDOUT_FILENO);
  dup2(ends[1], STDOUT_FILENO);
  close(ends[1]);
  return ends[0];
}

static void capture_stop(void) {
  dup2(saved_stdout, STDOUT_FILENO);
  close(saved_stdout);
}

/* RUN-IO-1: the line is in the pipe without a flush */
static void test_print_arrives_at_once(void **state) {
  (void)state;
  int out = capture_start();
  struct osp_rt_part parts[] = {part_pointer(OSP_RT_TEXT, "n="), part_int(3)};
  osp_rt_print(parts, 2);
  char line[16] = {0};
  ssize_t length = read(out, line, sizeof line - 1);
  capture_stop();
  close(out);
  assert_int_equal(length, 4);
  assert_string_equal(line, "n=3\n");
}

enum { LINES = 200, LINE_LENGTH = 3000, PRINTERS = 3 };

static void *print_lines(void *letter) {
  char text[LINE_LENGTH + 1] = {0};
  memset(text, *(const char *)letter, LINE_LENGTH);
  struct osp_rt_part part = part_pointer(OSP_RT_TEXT, text);
  for (int i = 0; i < LINES; i++)
    osp_rt_print(&part, 1);
  return NULL;
}

static void *read_lines(void *from) {
  FILE *lines = fdopen(*(int *)from, "r");
  char line[LINE_LENGTH + 2];
  intptr_t whole = 0;
  while (fgets(line, sizeof line, lines))
    whole += strspn(line, (char[2]){line[0], '\0'}) == LINE_LENGTH && line[LINE_LENGTH] == '\n';
  fclose(lines);
  return (void *)whole;
}

/* RUN-IO-2 */
static void test_lines_of_threads_do_not_mix(void **state) {
  (void)state;
  osp_mem_notify_multithreaded();
  int out = capture_start();
  pthread_t reader, printers[PRINTERS];
  pthread_create(&reader, NULL, read_lines, &out);
  for (int i = 0; i < PRINTERS; i++)
    pthread_create(&printers[i], NULL, print_lines, (void *)&"abc"[i]);
  for (int i = 0; i < PRINTERS; i++)
    pthread_join(printers[i], NULL);
  capture_stop();
  void *whole = NULL;
  pthread_join(reader, &whole);
  assert_int_equal((intptr_t)whole, LINES * PRINTERS);
}

/* RUN-IO-3 */
static void test_input(void **state) {
  (void)state;
  static const char lines[] = "first\n\nwith\0nul\nlast";
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(write(ends[1], lines, sizeof lines - 1), sizeof lines - 1);
  close(ends[1]);
  dup2(ends[0], STDIN_FILENO);
  close(ends[0]);
  const char *expected[] = {"first", "", "with\xc0\x80nul", "last", "", ""};
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    char *line = osp_rt_input();
    assert_string_equal(line, expected[i]);
    osp_release(line);
  }
}

static int64_t elapsed_ms(void (*run)(void)) {
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  run();
  clock_gettime(CLOCK_MONOTONIC, &to);
  return (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
}

static void sleep_30(void) {
  osp_rt_sleep(30);
}

static void sleep_negative(void) {
  osp_rt_sleep(-1000000);
}

/* RUN-IO-4 */
static void test_sleep(void **state) {
  (void)state;
  assert_true(elapsed_ms(sleep_30) >= 29);
  assert_true(elapsed_ms(sleep_negative) < 1000);
}

/* RUN-IO-5 */
static void test_arguments(void **state) {
  (void)state;
  char *argv[] = {"program", "one", "", "three", NULL};
  osp_rt_boot(4, argv);
  const char *expected[] = {"", "one", "", "three", "", ""};
  const int64_t asked[] = {0, 1, 2, 3, 4, -1};
  for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
    char *argument = osp_rt_argument(asked[i]);
    assert_string_equal(argument, expected[i]);
    osp_release(argument);
  }
}

static void assert_environment(const char *name, const char *rendered) {
  void *result = osp_rt_environment(name);
  assert_renders(part_pointer(OSP_RT_RESULT + OSP_RT_TEXT, result), rendered);
  osp_release(result);
}

/* RUN-IO-7 */
static void test_environment(void **state) {
  (void)state;
  setenv("OSPREY_TEST", "a secret", 1);
  assert_environment("OSPREY_TEST", "Success(a secret)");
  setenv("OSPREY_TEST", "", 1);
  assert_environment("OSPREY_TEST", "Success()");
  unsetenv("OSPREY_TEST");
  assert_environment("OSPREY_TEST", "Error(OSPREY_TEST is not set in the environment)");
  assert_environment("", "Error( is not set in the environment)");
  assert_environment("PATH=", "Error(PATH= is not set in the environment)");
}

static void assert_owned(char *text, const char *expected) {
  assert_string_equal(text, expected);
  osp_release(text);
}

/* RUN-FN-9: behind the first call, a NUL amid the string is not noticed, so no function counts the bytes again. */
static void test_a_string_is_counted_once(void **state) {
  (void)state;
  const char *error;
  struct osp_rt_part part = part_pointer(OSP_RT_TEXT, "0123456789");
  char *text = osp_rt_format(&part, 1);
  assert_int_equal(osp_rt_length(text), 10);
  text[3] = '\0';
  assert_int_equal(osp_rt_length(text), 10);
  assert_int_equal(osp_rt_byte_at(text, 9, &error), '9');
  assert_null(error);
  assert_int_equal(osp_rt_code_point_at(text, 8, &error), '8');
  assert_null(error);
  assert_true(osp_rt_ends_with(text, "89"));
  assert_owned(osp_rt_substring(text, 5, 7, &error), "56");
  assert_owned(osp_rt_drop(text, 8), "89");
  assert_int_equal(osp_rt_byte_at(text, 10, &error), 0);
  assert_string_equal(error, "byteAt: index out of range");
  osp_release(text);
}

static int check_no_leaks(void **state) {
  (void)state;
  return osp_mem_live() != 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ints),
      cmocka_unit_test(test_floats),
      cmocka_unit_test(test_bool_and_unit),
      cmocka_unit_test(test_results),
      cmocka_unit_test(test_format_joins_parts),
      cmocka_unit_test(test_compare),
      cmocka_unit_test(test_print_arrives_at_once),
      cmocka_unit_test(test_lines_of_threads_do_not_mix),
      cmocka_unit_test(test_input),
      cmocka_unit_test(test_sleep),
      cmocka_unit_test(test_arguments),
      cmocka_unit_test(test_environment),
      cmocka_unit_test(test_a_string_is_counted_once),
  };
  return cmocka_run_group_tests(tests, NULL, check_no_leaks);
}
