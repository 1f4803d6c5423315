/* One loop with many descriptors. */
#include "io_test.h"

#include <sys/eventfd.h>
#include <sys/resource.h>

enum { MANY = 5000 };

struct one {
  struct ws_watch watch;
  int calls;
};

static int calls;

static void one_ready(struct ws_loop *loop, struct ws_watch *watch, unsigned events) {
  (void)loop;
  assert_int_equal(events, WS_READ);
  uint64_t count;
  assert_int_equal(read(watch->fd, &count, sizeof count), sizeof count);
  ((struct one *)watch)->calls++;
  calls++;
}

static void ring(const struct one *one) {
  uint64_t count = 1;
  assert_int_equal(write(one->watch.fd, &count, sizeof count), sizeof count);
}

/* All are ready at once, then one in a thousand. Each readiness is one call. */
static void test_five_thousand_descriptors(void **state) {
  (void)state;
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  assert_true(limit.rlim_max >= MANY + 50);
  struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &raised), 0);
  struct ws_loop *loop = ws_loop_new();
  struct one *all = calloc(MANY, sizeof *all);
  for (int i = 0; i < MANY; i++) {
    all[i].watch = (struct ws_watch){.ready = one_ready, .fd = eventfd(0, EFD_NONBLOCK)};
    assert_int_equal(ws_loop_watch(loop, &all[i].watch, WS_READ), 0);
    ring(&all[i]);
  }
  turn_until(loop, calls == MANY);
  for (int i = 0; i < MANY; i += 1000)
    ring(&all[i]);
  turn_until(loop, calls == MANY + MANY / 1000);
  assert_int_equal(ws_loop_turn(loop, 0), 0);
  for (int i = 0; i < MANY; i++) {
    assert_int_equal(all[i].calls, i % 1000 ? 1 : 2);
    ws_loop_watch(loop, &all[i].watch, 0);
    close(all[i].watch.fd);
  }
  assert_int_equal(ws_loop_turn(loop, 0), 0);
  assert_int_equal(calls, MANY + MANY / 1000);
  free(all);
  ws_loop_free(loop);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_five_thousand_descriptors)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
