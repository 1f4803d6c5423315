#include "io_test.h"

#include "io/loop.h"
#include "io/timer.h"

struct timed {
  struct ws_timer timer;
  int64_t deadline; /* of the last arming */
  int64_t fired_at;
  int fires;
  int order;             /* its place among all fires */
  int again;             /* how many more times it arms itself */
  struct timed *disarms; /* the callback disarms this one */
};

static int timed_fires;

static void timed_fire(struct ws_loop *loop, struct ws_timer *timer) {
  struct timed *self = (struct timed *)timer;
  self->fired_at = ws_loop_now(loop);
  self->fires++;
  self->order = ++timed_fires;
  if (self->again-- > 0)
    ws_timer_arm(loop, timer, ws_loop_now(loop));
  if (self->disarms)
    ws_timer_disarm(loop, &self->disarms->timer);
}

static int setup(void **state) {
  timed_fires = 0;
  *state = ws_loop_new();
  return *state ? 0 : -1;
}

static int teardown(void **state) {
  ws_loop_free(*state);
  return 0;
}

static void timed_init(struct ws_loop *loop, struct timed *timed) {
  *timed = (struct timed){0};
  assert_int_equal(ws_timer_init(loop, &timed->timer, timed_fire), 0);
}

/* The loop waits without a timeout, and the timer fires. */
static void test_fires_once_at_its_time(void **state) {
  struct ws_loop *loop = *state;
  struct timed timed;
  timed_init(loop, &timed);
  int64_t deadline = ws_loop_refresh(loop) + 30;
  ws_timer_arm(loop, &timed.timer, deadline);
  assert_true(ws_timer_armed(&timed.timer));
  while (timed.fires == 0) {
    assert_int_equal(ws_loop_turn(loop, -1), 0);
    assert_true(timed.fires == 0 || test_now() >= deadline);
  }
  assert_true(test_now() < deadline + 5000);
  assert_false(ws_timer_armed(&timed.timer));
  assert_int_equal(ws_loop_turn(loop, 0), 0);
  assert_int_equal(timed.fires, 1);
  ws_timer_deinit(loop, &timed.timer);
}

static void test_due_timers_fire_in_order(void **state) {
  static const int order[] = {5, 3, 9, 1, 7, 2, 8, 4, 6, 0};
  struct ws_loop *loop = *state;
  struct timed timed[10];
  int64_t now = ws_loop_refresh(loop);
  for (int i = 0; i < 10; i++) {
    timed_init(loop, &timed[i]);
    ws_timer_arm(loop, &timed[i].timer, now - 10 + order[i]);
  }
  assert_int_equal(ws_loop_turn(loop, -1), 0);
  for (int i = 0; i < 10; i++) {
    assert_int_equal(timed[i].order, order[i] + 1);
    ws_timer_deinit(loop, &timed[i].timer);
  }
}

static void test_disarmed_and_rearmed(void **state) {
  struct ws_loop *loop = *state;
  struct timed disarmed, later, earlier;
  int64_t now = ws_loop_refresh(loop);
  timed_init(loop, &disarmed);
  timed_init(loop, &later);
  timed_init(loop, &earlier);
  ws_timer_arm(loop, &disarmed.timer, now);
  ws_timer_arm(loop, &later.timer, now);
  ws_timer_arm(loop, &earlier.timer, now + 1000000);
  ws_timer_disarm(loop, &disarmed.timer);
  ws_timer_disarm(loop, &disarmed.timer);
  ws_timer_arm(loop, &later.timer, now + 1000000);
  ws_timer_arm(loop, &earlier.timer, now);
  assert_int_equal(ws_loop_turn(loop, -1), 0);
  assert_int_equal(disarmed.fires, 0);
  assert_int_equal(later.fires, 0);
  assert_int_equal(earlier.fires, 1);
  ws_timer_deinit(loop, &disarmed.timer);
  ws_timer_deinit(loop, &later.timer);
  ws_timer_deinit(loop, &earlier.timer);
}

/* A timer that arms itself for a past time does not prolong the turn. */
static void test_callback_arms_itself_again(void **state) {
  struct ws_loop *loop = *state;
  struct timed timed;
  timed_init(loop, &timed);
  timed.again = 3;
  ws_timer_arm(loop, &timed.timer, ws_loop_refresh(loop));
  assert_int_equal(ws_loop_turn(loop, -1), 0);
  assert_int_equal(timed.fires, 1);
  turn_until(loop, timed.fires == 4);
  assert_false(ws_timer_armed(&timed.timer));
  ws_timer_deinit(loop, &timed.timer);
}

static void test_callback_disarms_another_that_is_due(void **state) {
  struct ws_loop *loop = *state;
  struct timed first, second;
  timed_init(loop, &first);
  timed_init(loop, &second);
  first.disarms = &second;
  int64_t now = ws_loop_refresh(loop);
  ws_timer_arm(loop, &first.timer, now - 1);
  ws_timer_arm(loop, &second.timer, now);
  assert_int_equal(ws_loop_turn(loop, -1), 0);
  assert_int_equal(first.fires, 1);
  assert_int_equal(second.fires, 0);
  ws_timer_deinit(loop, &first.timer);
  ws_timer_deinit(loop, &second.timer);
}

static void freeing_fire(struct ws_loop *loop, struct ws_timer *timer) {
  ws_timer_deinit(loop, timer);
  free(timer);
  timed_fires++;
}

static void test_callback_frees_its_timer(void **state) {
  struct ws_loop *loop = *state;
  struct ws_timer *timer = malloc(sizeof *timer);
  assert_int_equal(ws_timer_init(loop, timer, freeing_fire), 0);
  ws_timer_arm(loop, timer, ws_loop_refresh(loop));
  assert_int_equal(ws_loop_turn(loop, -1), 0);
  assert_int_equal(timed_fires, 1);
}

/* Arming allocates nothing: ws_timer_init has reserved the memory. */
static void test_seats_are_reserved(void **state) {
  struct ws_loop *loop = *state;
  struct timed timed[100];
  for (int i = 0; i < 100; i++)
    timed_init(loop, &timed[i]);
  const void *entries = ws_loop_timers(loop)->entries;
  assert_true(ws_loop_timers(loop)->room >= 100);
  for (int i = 0; i < 100; i++)
    ws_timer_arm(loop, &timed[i].timer, i);
  assert_ptr_equal(ws_loop_timers(loop)->entries, entries);
  for (int i = 0; i < 100; i++)
    ws_timer_deinit(loop, &timed[i].timer);
  assert_int_equal(ws_loop_timers(loop)->seats, 0);
}

enum { MANY = 10000 };

/* Compares with a model that keeps deadlines in an array. The test sets the time. */
static void test_ten_thousand(void **state) {
  struct ws_loop *loop = *state;
  struct timed *timed = calloc(MANY, sizeof *timed);
  for (int i = 0; i < MANY; i++)
    timed_init(loop, &timed[i]);
  srandom(7);
  int64_t now = 0;
  for (int step = 0; step < 200; step++) {
    for (int change = 0; change < MANY / 4; change++) {
      struct timed *one = &timed[random() % MANY];
      if (random() % 4 == 0) {
        ws_timer_disarm(loop, &one->timer);
        one->deadline = 0;
      } else {
        one->deadline = now + 1 + random() % 500;
        ws_timer_arm(loop, &one->timer, one->deadline);
      }
    }
    now += 10;
    while (ws_timer_heap_next(ws_loop_timers(loop)) <= now)
      ws_timer_heap_run(ws_loop_timers(loop), loop, now);
    for (int i = 0; i < MANY; i++) {
      bool due = timed[i].deadline != 0 && timed[i].deadline <= now;
      assert_int_equal(timed[i].fires, due);
      assert_int_equal(ws_timer_armed(&timed[i].timer), timed[i].deadline > now);
      if (due)
        timed[i].deadline = timed[i].fires = 0;
    }
  }
  for (int i = 0; i < MANY; i++)
    ws_timer_deinit(loop, &timed[i].timer);
  free(timed);
}

#define timer_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      timer_test(test_fires_once_at_its_time),
      timer_test(test_due_timers_fire_in_order),
      timer_test(test_disarmed_and_rearmed),
      timer_test(test_callback_arms_itself_again),
      timer_test(test_callback_disarms_another_that_is_due),
      timer_test(test_callback_frees_its_timer),
      timer_test(test_seats_are_reserved),
      timer_test(test_ten_thousand),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
