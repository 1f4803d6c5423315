/* Timers. The tests that fork a program come first: a fork has no loop threads. */
#include <inttypes.h>

#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/program.h"
#include "support/test.h"

static char *error;

/* What a handler has seen, and what it is to do. */
struct ticking {
  _Atomic int count;
  _Atomic int depth;
  _Atomic int64_t id;
  _Atomic int64_t last_ms;
  int cancel_at; /* 0: never */
  int fail_at;
  int hold_at;
  int hold_ms;
};

static void *tick(void *cell, int64_t timer) {
  struct ticking *ticking = closure_context(cell);
  assert_int_equal(atomic_fetch_add(&ticking->depth, 1), 0);
  int count = ticking->count + 1;
  ticking->id = timer;
  ticking->last_ms = ws_clock_ms();
  if (count == ticking->cancel_at) {
    char *mine;
    osp_ws_cancel(timer, &mine);
    assert_null(mine);
  }
  if (count == ticking->hold_at)
    poll(NULL, 0, ticking->hold_ms);
  bool fails = count == ticking->fail_at;
  atomic_fetch_sub(&ticking->depth, 1);
  ticking->count = count; /* the test may go on, and *ticking end, from here */
  return fails ? result_error("enough") : result_success();
}

static int64_t must_every(int64_t ms, struct ticking *ticking) {
  void *handler = closure_new((void *)tick, ticking);
  int64_t id = osp_ws_every(ms, handler, &error);
  expect_success(error);
  osp_release(handler);
  return id;
}

static int64_t must_after(int64_t ms, struct ticking *ticking) {
  void *handler = closure_new((void *)tick, ticking);
  int64_t id = osp_ws_after(ms, handler, &error);
  expect_success(error);
  osp_release(handler);
  return id;
}

static void expect_over(int64_t timer) {
  char sentence[80];
  snprintf(sentence, sizeof sentence, "cancel: timer %" PRId64 " has ended", timer);
  osp_ws_cancel(timer, &error);
  expect_error(error, sentence);
}

/* Runs a timer of 1 ms to its end: what is due before is over then. */
static void let_timers_run(void) {
  struct ticking last = {0};
  must_after(1, &last);
  WAIT_UNTIL(last.count == 1);
}

/* WS-EVERY-1 WS-CANCEL-1 WS-CANCEL-3 */
static void test_every_ticks_until_it_is_cancelled(void **state) {
  struct ticking ticking = {0};
  (void)state;
  int64_t begun = ws_clock_ms();
  int64_t timer = must_every(20, &ticking);
  WAIT_UNTIL(ticking.count >= 3);
  assert_int_equal(ticking.id, timer);
  assert_true(ws_clock_ms() - begun >= 60);
  osp_ws_cancel(timer, &error);
  expect_success(error);
  expect_over(timer);
  let_timers_run();
  int count = ticking.count;
  poll(NULL, 0, 60);
  assert_int_equal(ticking.count, count);
}

/* WS-AFTER-1 */
static void test_after_ticks_once(void **state) {
  struct ticking ticking = {0};
  (void)state;
  int64_t begun = ws_clock_ms();
  int64_t timer = must_after(30, &ticking);
  WAIT_UNTIL(ticking.count == 1);
  assert_true(ticking.last_ms - begun >= 30);
  let_timers_run();
  expect_over(timer);
  assert_int_equal(ticking.count, 1);
}

/* WS-EVERY-2 */
static void test_intervals_have_a_range(void **state) {
  static const int64_t wrong[] = {0, -1, 2147483648, INT64_MAX, INT64_MIN};
  struct ticking ticking = {0};
  char sentence[128];
  (void)state;
  void *handler = closure_new((void *)tick, &ticking);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    snprintf(sentence, sizeof sentence, "every: milliseconds is 1 to 2147483647, not %" PRId64, wrong[i]);
    assert_int_equal(osp_ws_every(wrong[i], handler, &error), 0);
    expect_error(error, sentence);
    assert_int_equal(osp_ws_after(wrong[i], handler, &error), 0);
    expect_error_with(error, "after: milliseconds");
  }
  int64_t longest = osp_ws_after(INT32_MAX, handler, &error);
  expect_success(error);
  osp_ws_cancel(longest, &error);
  expect_success(error);
  osp_release(handler);
}

/* The ticks of a handler that holds its loop for ten intervals: one for those missed, then on time again. WS-EVERY-3
 * WS-EVERY-4 */
static void test_missed_ticks_run_once(void **state) {
  struct ticking ticking = {.hold_at = 1, .hold_ms = 1050, .cancel_at = 3};
  (void)state;
  int64_t begun = ws_clock_ms();
  must_every(100, &ticking); /* at 100, which ends at 1150; at 1150 for all from 200 to 1100; at 1200 */
  WAIT_UNTIL(ticking.count == 3);
  assert_true(ticking.last_ms - begun >= 1200);
}

/* WS-CANCEL-2 */
static void test_a_handler_cancels_its_own_timer(void **state) {
  struct ticking ticking = {.cancel_at = 2};
  (void)state;
  int64_t timer = must_every(1, &ticking);
  WAIT_UNTIL(ticking.count == 2);
  let_timers_run();
  assert_int_equal(ticking.count, 2);
  expect_over(timer);
}

/* WS-EVERY-5 */
static void test_an_err_ends_the_timer(void **state) {
  struct ticking ticking = {.fail_at = 2};
  (void)state;
  int64_t timer = must_every(1, &ticking);
  WAIT_UNTIL(ticking.count == 2);
  let_timers_run();
  expect_over(timer);
  assert_int_equal(ticking.count, 2);
}

/* Starts and cancels from other threads while the timers tick: WS-CANCEL-1 WS-THREAD-1 */
static void *start_and_cancel(void *context) {
  (void)context;
  for (int i = 0; i < 300; i++) {
    static struct ticking ticking;
    void *handler = closure_new((void *)tick, &ticking);
    char *mine;
    int64_t timer = osp_ws_every(1 + i % 3, handler, &mine);
    assert_null(mine);
    if (i % 2)
      sched_yield();
    osp_ws_cancel(timer, &mine);
    assert_null(mine);
    osp_ws_cancel(timer, &mine);
    assert_non_null(mine);
    osp_release(mine);
    osp_release(handler);
  }
  return NULL;
}

static void test_timers_from_several_threads(void **state) {
  pthread_t threads[3];
  (void)state;
  for (int i = 0; i < 3; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, start_and_cancel, NULL), 0);
  for (int i = 0; i < 3; i++)
    pthread_join(threads[i], NULL);
  let_timers_run();
}

static _Atomic int64_t published;

/* Holds the loop until another thread has started a timer, whose start therefore waits. */
static void *cancel_the_published(void *cell, int64_t timer) {
  struct ticking *ticking = closure_context(cell);
  char *mine;
  (void)timer;
  ticking->count = 1;
  while (!published)
    sched_yield();
  osp_ws_cancel(published, &mine);
  assert_null(mine);
  ticking->count = 2;
  return result_success();
}

/* WS-CANCEL-1 */
static void test_a_timer_is_cancelled_before_it_begins(void **state) {
  struct ticking holding = {0};
  struct ticking never = {0};
  (void)state;
  void *handler = closure_new((void *)cancel_the_published, &holding);
  osp_ws_after(1, handler, &error);
  expect_success(error);
  osp_release(handler);
  WAIT_UNTIL(holding.count == 1);
  published = must_every(1, &never);
  WAIT_UNTIL(holding.count == 2);
  let_timers_run();
  assert_int_equal(never.count, 0);
  expect_over(published);
}

/* ---- the end of the program */

static struct ticking forever;

static int tick_and_return(int port) {
  (void)port;
  must_every(1, &forever);
  must_after(60000, &forever);
  WAIT_UNTIL(forever.count > 2);
  return 3;
}

static void *refused_tick(void *cell, const struct osprey_connection *connection, int64_t code, const char *reason) {
  char *mine;
  osp_ws_every(5, on_text, &mine);
  program_say(mine ? mine : "started\n");
  if (mine)
    osp_release(mine);
  (void)cell;
  (void)connection;
  (void)code;
  (void)reason;
  return result_success();
}

/* Stops the program once websocketKeepAlive awaits the signal. */
static void *stop_once_awaited(void *cell, int64_t timer) {
  struct sigaction present;
  (void)cell;
  (void)timer;
  sigaction(SIGTERM, NULL, &present);
  if (present.sa_handler != SIG_DFL)
    kill(getpid(), SIGTERM);
  return result_success();
}

/* The same while websocketKeepAlive stops the servers. */
static int refuse_at_the_stop(int port) {
  static void *on_refused[] = {(void *)refused_tick};
  static void *on_awaited[] = {(void *)stop_once_awaited};
  char url[64];
  int64_t server = must_create(port, "/chat");
  must_set(osp_ws_server_on_close, server, on_refused);
  must_listen(server);
  osp_ws_every(1, on_awaited, &error);
  expect_success(error);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", port);
  must_connect(url);
  osp_ws_keep_alive(&error);
  return 0;
}

static int refuse_at_the_end(int port) {
  static void *on_refused[] = {(void *)refused_tick};
  char url[64];
  must_serve_on(port);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", port);
  int64_t id = must_connect(url);
  must_set(osp_ws_on_close, id, on_refused);
  return 0;
}

/* WS-EVERY-6 */
static void test_timers_end_with_the_program(void **state) {
  char log[4096];
  char line[128];
  (void)state;
  struct program program = program_run(tick_and_return, 0);
  assert_int_equal(program_finish(&program, log, sizeof log), 3);
  assert_string_equal(log, "");
  program = program_run(refuse_at_the_end, peer_free_port());
  program_read_line(&program, line, sizeof line);
  assert_string_equal(line, "every: the program is ending");
  assert_int_equal(program_finish(&program, log, sizeof log), 0);
  program = program_run(refuse_at_the_stop, peer_free_port());
  program_read_line(&program, line, sizeof line);
  assert_string_equal(line, "every: the program is ending");
  assert_int_equal(program_finish(&program, log, sizeof log), 0);
}

/* Starts a timer, and cancels another before it has begun. */
static void *start_others(void *cell, int64_t timer) {
  struct ticking *other = closure_context(cell);
  char *mine;
  (void)timer;
  void *handler = closure_new((void *)tick, other);
  int64_t cancelled = osp_ws_every(1, handler, &mine);
  assert_null(mine);
  osp_ws_cancel(cancelled, &mine);
  assert_null(mine);
  osp_ws_after(1, handler, &mine);
  assert_null(mine);
  osp_release(handler);
  return result_success();
}

/* WS-THREAD-1 */
static void test_a_handler_starts_and_cancels_timers(void **state) {
  struct ticking other = {0};
  (void)state;
  void *handler = closure_new((void *)start_others, &other);
  osp_ws_after(1, handler, &error);
  expect_success(error);
  osp_release(handler);
  WAIT_UNTIL(other.count == 1);
  let_timers_run();
  assert_int_equal(other.count, 1);
}

static void *sleep_to_the_end(void *cell, int64_t timer) {
  struct ticking *ticking = closure_context(cell);
  char *mine;
  ticking->count++;
  osp_ws_sleep(60000); /* until the program ends */
  osp_ws_cancel(timer, &mine);
  program_say(mine ? "over\n" : "cancelled\n");
  if (mine)
    osp_release(mine);
  return result_success();
}

static int return_while_it_ticks(int port) {
  static struct ticking sleeping;
  (void)port;
  void *handler = closure_new((void *)sleep_to_the_end, &sleeping);
  osp_ws_every(1, handler, &error);
  expect_success(error);
  osp_release(handler);
  WAIT_UNTIL(sleeping.count == 1);
  return 5;
}

static void *exit_now(void *cell, int64_t timer) {
  (void)cell;
  (void)timer;
  exit(6);
}

static int wait_for_exit(int port) {
  static void *on_exit_now[] = {(void *)exit_now};
  (void)port;
  must_every(1, &forever);
  must_limit(must_create(peer_free_port(), "/created"), "closeTimeoutMs", 120000); /* and it does not listen */
  osp_ws_after(5, on_exit_now, &error);
  expect_success(error);
  poll(NULL, 0, 60000);
  return 0;
}

/* A handler that runs at the end, and one that ends the program: WS-EVERY-6 WS-SEC-13 */
static void test_the_end_beside_a_running_handler(void **state) {
  char log[4096];
  char line[128];
  (void)state;
  struct program program = program_run(return_while_it_ticks, 0);
  program_read_line(&program, line, sizeof line);
  assert_int_equal(program_finish(&program, log, sizeof log), 5);
  program = program_run(wait_for_exit, 0);
  assert_int_equal(program_finish(&program, log, sizeof log), 6);
}

/* The server that `exit_when_open` looks at. */
static int64_t watched;

static void *exit_when_open(void *cell, int64_t timer) {
  char *mine;
  (void)cell;
  (void)timer;
  if (osp_ws_server_connections(watched, &mine) > 0)
    exit(7);
  return result_success();
}

static int exit_beside_keep_alive(int port) {
  static void *on_exit_when_open[] = {(void *)exit_when_open};
  watched = must_serve_on(port);
  osp_ws_every(1, on_exit_when_open, &error);
  expect_success(error);
  program_say("serves\n");
  osp_ws_keep_alive(&error);
  return 0;
}

/* Queues more than a socket holds, then ends the program. */
static void *broadcast_and_exit(void *cell, int64_t timer) {
  enum { SIZE = 4000000 };
  char *mine;
  (void)cell;
  (void)timer;
  if (osp_ws_server_connections(watched, &mine) == 0)
    return result_success();
  char *text = malloc(SIZE + 1);
  memset(text, 'b', SIZE);
  text[SIZE] = '\0';
  for (int i = 0; i < 3; i++) {
    osp_ws_server_broadcast(watched, text, &mine);
    assert_null(mine);
  }
  free(text);
  exit(8);
}

static int exit_behind_output(int port) {
  static void *on_broadcast_and_exit[] = {(void *)broadcast_and_exit};
  must_serve_on(peer_free_port()); /* another, which has no output */
  watched = must_serve_on(port);
  osp_ws_every(1, on_broadcast_and_exit, &error);
  expect_success(error);
  program_say("serves\n");
  osp_ws_keep_alive(&error);
  return 0;
}

/* exit() in a handler delivers what is queued: WS-EXIT-1 WS-EXIT-4 */
static void test_exit_delivers_what_is_queued(void **state) {
  char log[4096];
  int port;
  (void)state;
  struct program program = program_serve(exit_behind_output, &port);
  struct peer peer = peer_open(port, "/chat");
  for (int i = 0; i < 3; i++) {
    peer_expect_frame(&peer, 0x81);
    assert_int_equal(peer.frame.size, 4000000);
  }
  peer_expect_close(&peer, 1001);
  assert_int_equal(program_finish(&program, log, sizeof log), 8);
  peer_close(&peer);
}

/* A signal arrives while exit() waits for a peer that does not answer: WS-EXIT-10 */
static void test_a_signal_leaves_the_status_of_exit(void **state) {
  char log[4096];
  int port;
  (void)state;
  struct program program = program_serve(exit_beside_keep_alive, &port);
  struct peer peer = peer_open(port, "/chat");
  while (peer_read_frame(&peer) && (peer.frame.head & 15) != 8)
    continue;
  peer_is_silent(&peer, 1000); /* exit() waits for the answer */
  assert_int_equal(kill(program.pid, SIGTERM), 0);
  assert_int_equal(program_finish(&program, log, sizeof log), 7);
  peer_close(&peer);
}

static int fail_and_return(int port) {
  struct ticking ticking = {.fail_at = 1};
  (void)port;
  setenv("OSPREY_WS_LOG", "warn", 1);
  must_after(1, &ticking);
  WAIT_UNTIL(ticking.count == 1);
  let_timers_run();
  return 0;
}

/* WS-EVERY-5 */
static void test_the_err_is_logged(void **state) {
  char log[4096];
  (void)state;
  struct program program = program_run(fail_and_return, 0);
  assert_int_equal(program_finish(&program, log, sizeof log), 0);
  assert_non_null(strstr(log, "timer 4 has ended: its handler failed: enough"));
}

/* WS-EVERY-7 */
static void test_the_number_of_timers_is_bounded(void **state) {
  enum { MOST = 250000 };
  struct ticking ticking = {0};
  int64_t *timers = malloc(MOST * sizeof *timers);
  (void)state;
  void *handler = closure_new((void *)tick, &ticking);
  let_timers_run();
  for (int i = 0; i < MOST; i++) {
    timers[i] = osp_ws_after(INT32_MAX, handler, &error);
    expect_success(error);
  }
  assert_int_equal(osp_ws_after(1, handler, &error), 0);
  expect_error(error, "after: the program has 250000 timers, as many as it may have");
  assert_int_equal(osp_ws_every(1, handler, &error), 0);
  expect_error(error, "every: the program has 250000 timers, as many as it may have");
  for (int i = 0; i < MOST; i++) {
    osp_ws_cancel(timers[i], &error);
    expect_success(error);
  }
  free(timers);
  /* The loop thread ends those that another thread cancels. */
  for (int tries = 0; osp_ws_after(1, handler, &error) == 0; tries++) {
    osp_release(error);
    assert_true(tries < 4000);
    poll(NULL, 0, 2);
  }
  osp_release(handler);
  WAIT_UNTIL(ticking.count == 1);
  let_timers_run();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_err_is_logged),
      cmocka_unit_test(test_timers_end_with_the_program),
      cmocka_unit_test(test_the_end_beside_a_running_handler),
      cmocka_unit_test(test_exit_delivers_what_is_queued),
      cmocka_unit_test(test_a_signal_leaves_the_status_of_exit),
      cmocka_unit_test(test_a_handler_starts_and_cancels_timers),
      cmocka_unit_test(test_every_ticks_until_it_is_cancelled),
      cmocka_unit_test(test_after_ticks_once),
      cmocka_unit_test(test_intervals_have_a_range),
      cmocka_unit_test(test_missed_ticks_run_once),
      cmocka_unit_test(test_a_handler_cancels_its_own_timer),
      cmocka_unit_test(test_an_err_ends_the_timer),
      cmocka_unit_test(test_a_timer_is_cancelled_before_it_begins),
      cmocka_unit_test(test_timers_from_several_threads),
      cmocka_unit_test(test_the_number_of_timers_is_bounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
