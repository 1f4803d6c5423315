/* The loop. The suite runs these tests with each poller, which OSPREY_WS_POLLER selects: LOOP-2 PLAT-1 */
#include "io_test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

#include "io/loop_state.h"
#include "io/timer.h"

struct counted {
  struct ws_watch watch;
  unsigned events; /* of the last call */
  int calls;
  struct counted *victim; /* removed, closed and freed by the callback */
};

static void counted_ready(struct ws_loop *loop, struct ws_watch *watch, unsigned events) {
  struct counted *self = ws_container_of(watch, struct counted, watch);
  self->events = events;
  self->calls++;
  if (!self->victim)
    return;
  struct counted *victim = self->victim;
  ws_loop_watch(loop, &victim->watch, 0);
  close(victim->watch.fd);
  free(victim);
}

static struct counted *counted_new(int fd) {
  struct counted *counted = calloc(1, sizeof *counted);
  counted->watch = (struct ws_watch){.ready = counted_ready, .fd = fd};
  return counted;
}

struct fixture {
  struct ws_loop *loop;
  int fds[2];
};

static int setup(void **state) {
  struct fixture *fixture = calloc(1, sizeof *fixture);
  fixture->loop = ws_loop_new();
  test_tcp_pair(fixture->fds);
  *state = fixture;
  return fixture->loop ? 0 : -1;
}

static int teardown(void **state) {
  struct fixture *fixture = *state;
  ws_loop_free(fixture->loop);
  close(fixture->fds[0]);
  close(fixture->fds[1]);
  free(fixture);
  return 0;
}

/* LOOP-2 */
static void test_the_chosen_poller_is_used(void **state) {
  struct fixture *fixture = *state;
  const char *choice = getenv("OSPREY_WS_POLLER");
#ifdef OSPREY_WS_POSIX
  const struct ws_poller_ops *best = &ws_poll_ops;
#else
  const struct ws_poller_ops *best = &ws_epoll_ops;
#endif
  const struct ws_poller_ops *expected = choice && strcmp(choice, "poll") == 0 ? &ws_poll_ops : best;
  assert_ptr_equal(fixture->loop->ops, expected);
}

static void test_watch_hears_what_it_is_interested_in(void **state) {
  struct fixture *fixture = *state;
  struct ws_loop *loop = fixture->loop;
  struct counted *counted = counted_new(fixture->fds[0]);
  assert_int_equal(ws_loop_watch(loop, &counted->watch, WS_READ), 0);
  assert_int_equal(ws_loop_turn(loop, 0), 0);
  assert_int_equal(counted->calls, 0);

  assert_int_equal(ws_loop_watch(loop, &counted->watch, WS_READ | WS_WRITE), 0);
  turn_until(loop, counted->calls == 1);
  assert_int_equal(counted->events, WS_WRITE);

  assert_int_equal(ws_loop_watch(loop, &counted->watch, WS_READ), 0);
  assert_int_equal(write(fixture->fds[1], "x", 1), 1);
  turn_until(loop, counted->calls == 2);
  assert_int_equal(counted->events, WS_READ);

  ws_loop_watch(loop, &counted->watch, 0);
  assert_int_equal(ws_loop_turn(loop, 0), 0);
  assert_int_equal(counted->calls, 2);
  free(counted);
}

static void test_hang_up_is_not_told_to_who_is_not_interested(void **state) {
  struct fixture *fixture = *state;
  struct counted *counted = counted_new(fixture->fds[0]);
  assert_int_equal(ws_loop_watch(fixture->loop, &counted->watch, WS_READ), 0);
  ws_loop_watch(fixture->loop, &counted->watch, 0);
  shutdown(fixture->fds[0], SHUT_RDWR);
  assert_int_equal(ws_loop_turn(fixture->loop, 0), 0);
  assert_int_equal(counted->calls, 0);
  free(counted);
}

static void test_hang_up_is_readiness(void **state) {
  struct fixture *fixture = *state;
  struct ws_loop *loop = fixture->loop;
  shutdown(fixture->fds[0], SHUT_RDWR);
  for (unsigned interest = WS_READ; interest <= (WS_READ | WS_WRITE); interest++) {
    struct counted *counted = counted_new(fixture->fds[0]);
    assert_int_equal(ws_loop_watch(loop, &counted->watch, interest), 0);
    turn_until(loop, counted->calls > 0);
    assert_int_equal(counted->events, interest);
    ws_loop_watch(loop, &counted->watch, 0);
    free(counted);
  }
}

/* Of two watches that are ready in one turn, the first callback removes the other. */
static void test_callback_frees_another_whose_event_is_collected(void **state) {
  struct fixture *fixture = *state;
  struct counted *one = counted_new(dup(fixture->fds[0]));
  struct counted *two = counted_new(dup(fixture->fds[0]));
  one->victim = two;
  two->victim = one;
  assert_int_equal(ws_loop_watch(fixture->loop, &one->watch, WS_WRITE), 0);
  assert_int_equal(ws_loop_watch(fixture->loop, &two->watch, WS_WRITE), 0);
  assert_int_equal(ws_loop_turn(fixture->loop, -1), 0);
  struct counted *survivor = fcntl(one->watch.fd, F_GETFD) >= 0 ? one : two;
  assert_int_equal(survivor->calls, 1);
  ws_loop_watch(fixture->loop, &survivor->watch, 0);
  close(survivor->watch.fd);
  free(survivor);
}

static void test_callback_frees_itself(void **state) {
  struct fixture *fixture = *state;
  struct counted *one = counted_new(dup(fixture->fds[0]));
  int fd = one->watch.fd;
  one->victim = one;
  assert_int_equal(ws_loop_watch(fixture->loop, &one->watch, WS_WRITE), 0);
  assert_int_equal(ws_loop_turn(fixture->loop, -1), 0);
  assert_false(test_fd_is_open(fd));
}

enum { POSTERS = 4, POSTS = 20000 };

struct numbered {
  struct ws_task task;
  int poster;
  int number;
};

struct posting {
  struct ws_loop *loop;
  pthread_t loop_thread;
  struct numbered *tasks;
  int poster;
};

static int posting_next[POSTERS];
static int posting_out_of_order;
static int posting_ran;
static pthread_t posting_loop_thread;

static void numbered_run(struct ws_loop *loop, struct ws_task *task) {
  (void)loop;
  struct numbered *numbered = (struct numbered *)task;
  posting_out_of_order += numbered->number != posting_next[numbered->poster]++;
  posting_out_of_order += !pthread_equal(pthread_self(), posting_loop_thread);
  posting_ran++;
}

static void *posting_thread(void *context) {
  struct posting *posting = context;
  for (int i = 0; i < POSTS; i++) {
    posting->tasks[i] = (struct numbered){{NULL, numbered_run}, posting->poster, i};
    ws_loop_post(posting->loop, &posting->tasks[i].task);
  }
  return NULL;
}

static void test_tasks_of_many_threads(void **state) {
  struct fixture *fixture = *state;
  struct posting postings[POSTERS];
  pthread_t threads[POSTERS];
  posting_ran = 0;
  posting_out_of_order = 0;
  posting_loop_thread = pthread_self();
  memset(posting_next, 0, sizeof posting_next);
  for (int i = 0; i < POSTERS; i++) {
    postings[i] = (struct posting){.loop = fixture->loop, .tasks = calloc(POSTS, sizeof(struct numbered)), .poster = i};
    assert_int_equal(pthread_create(&threads[i], NULL, posting_thread, &postings[i]), 0);
  }
  /* Waits without a timeout: a lost wake-up would hang. */
  while (posting_ran < POSTERS * POSTS)
    assert_int_equal(ws_loop_turn(fixture->loop, -1), 0);
  assert_int_equal(posting_out_of_order, 0);
  for (int i = 0; i < POSTERS; i++) {
    pthread_join(threads[i], NULL);
    free(postings[i].tasks);
  }
}

static void counting_run(struct ws_loop *loop, struct ws_task *task) {
  (void)loop;
  (void)task;
  posting_ran++;
}

static void test_post_to_a_loop_that_is_awake_makes_no_system_call(void **state) {
  struct fixture *fixture = *state;
  struct ws_task task = {NULL, counting_run};
  posting_ran = 0;
  ws_loop_post(fixture->loop, &task);
  uint64_t count;
  assert_int_equal(read(fixture->loop->waker.fd, &count, sizeof count), -1);
  assert_int_equal(errno, EAGAIN);
  assert_int_equal(ws_loop_turn(fixture->loop, -1), 0);
  assert_int_equal(posting_ran, 1);
}

static void test_free_runs_what_is_posted(void **state) {
  (void)state;
  struct ws_loop *loop = ws_loop_new();
  struct ws_task tasks[3];
  posting_ran = 0;
  for (int i = 0; i < 3; i++) {
    tasks[i].run = counting_run;
    ws_loop_post(loop, &tasks[i]);
  }
  ws_loop_free(loop);
  assert_int_equal(posting_ran, 3);
}

/* A process that was stopped is interrupted when it goes on: what arrived meanwhile is read in that turn, before
 * timers. WS-TIME-1 */
static int arriving;

static void signal_arrives(int number) {
  (void)number;
  (void)!write(arriving, "x", 1);
}

static void test_input_is_read_after_an_interruption(void **state) {
  struct fixture *fixture = *state;
  struct itimerval soon = {.it_value.tv_usec = 30000};
  struct sigaction before, action = {.sa_handler = signal_arrives};
  arriving = fixture->fds[1];
  struct counted *arrived = counted_new(fixture->fds[0]);
  assert_int_equal(ws_loop_watch(fixture->loop, &arrived->watch, WS_READ), 0);
  sigaction(SIGALRM, &action, &before);
  setitimer(ITIMER_REAL, &soon, NULL);
  assert_int_equal(ws_loop_turn(fixture->loop, 10000), 0);
  assert_int_equal(arrived->calls, 1);
  sigaction(SIGALRM, &before, NULL);
  ws_loop_watch(fixture->loop, &arrived->watch, 0);
  free(arrived);
}

/* A callback that holds the loop is time away from the moment that the loop's clock tells of it, not only from the next
 * turn on, so that no deadline of this turn counts it. WS-TIME-2 */
enum { HELD_MS = WS_LOOP_AWAY_MS + 100 };

static void deferred_hold(struct ws_loop *loop, struct ws_deferred *work) {
  int64_t began = ws_loop_now(loop);
  int64_t before = ws_loop_away(loop);
  (void)work;
  while (ws_clock_ms() < began + HELD_MS)
    ;
  assert_int_equal(ws_loop_away(loop), before);
  assert_true(ws_loop_refresh(loop) - ws_loop_away(loop) <= began - before + WS_LOOP_AWAY_MS);
}

static void test_away_is_as_late_as_the_clock(void **state) {
  struct fixture *fixture = *state;
  struct ws_deferred work = {.run = deferred_hold};
  ws_loop_defer(fixture->loop, &work);
  assert_int_equal(ws_loop_turn(fixture->loop, 0), 0);
  int64_t away = ws_loop_away(fixture->loop);
  assert_true(away >= HELD_MS - WS_LOOP_AWAY_MS);
  assert_int_equal(ws_loop_turn(fixture->loop, 0), 0);
  assert_true(ws_loop_away(fixture->loop) >= away);
}

static struct ws_loop *signal_loop;

static void signal_wakes(int number) {
  (void)number;
  ws_loop_wake(signal_loop);
}

static void test_wake_from_a_signal_handler(void **state) {
  struct fixture *fixture = *state;
  signal_loop = fixture->loop;
  void (*before)(int) = signal(SIGUSR1, signal_wakes);
  raise(SIGUSR1);
  assert_int_equal(ws_loop_turn(fixture->loop, -1), 0);
  signal(SIGUSR1, before);
}

struct deferred {
  struct ws_deferred work;
  int runs;
  int again; /* how many more times it defers itself */
};

static void deferred_run(struct ws_loop *loop, struct ws_deferred *work) {
  struct deferred *self = (struct deferred *)work;
  self->runs++;
  if (self->again-- > 0)
    ws_loop_defer(loop, work);
}

static void test_deferred_work_runs_once(void **state) {
  struct fixture *fixture = *state;
  struct deferred works[3] = {{.work.run = deferred_run}, {.work.run = deferred_run}, {.work.run = deferred_run}};
  for (int twice = 0; twice < 2; twice++)
    for (int i = 0; i < 3; i++)
      ws_loop_defer(fixture->loop, &works[i].work);
  ws_loop_undefer(fixture->loop, &works[1].work);
  ws_loop_undefer(fixture->loop, &works[1].work);
  assert_true(ws_deferred_waits(&works[0].work));
  assert_false(ws_deferred_waits(&works[1].work));
  assert_int_equal(ws_loop_turn(fixture->loop, -1), 0);
  assert_int_equal(ws_loop_turn(fixture->loop, 0), 0);
  assert_int_equal(works[0].runs, 1);
  assert_int_equal(works[1].runs, 0);
  assert_int_equal(works[2].runs, 1);
}

/* Undefers the last, and defers more behind the new last. */
static void test_deferred_work_taken_back_from_the_end(void **state) {
  struct fixture *fixture = *state;
  struct deferred works[3] = {{.work.run = deferred_run}, {.work.run = deferred_run}, {.work.run = deferred_run}};
  ws_loop_defer(fixture->loop, &works[0].work);
  ws_loop_defer(fixture->loop, &works[1].work);
  ws_loop_undefer(fixture->loop, &works[1].work);
  ws_loop_defer(fixture->loop, &works[2].work);
  assert_int_equal(ws_loop_turn(fixture->loop, -1), 0);
  assert_int_equal(works[0].runs + works[1].runs * 10 + works[2].runs, 2);
}

/* Undefers the other, the only one still deferred. */
static struct deferred last_to_run;

static void deferred_take_back(struct ws_loop *loop, struct ws_deferred *work) {
  (void)work;
  ws_loop_undefer(loop, &last_to_run.work);
}

/* The one before it undefers the last. */
static void test_deferred_work_taken_back_by_another(void **state) {
  struct fixture *fixture = *state;
  struct deferred first = {.work.run = deferred_take_back};
  last_to_run = (struct deferred){.work.run = deferred_run};
  ws_loop_defer(fixture->loop, &first.work);
  ws_loop_defer(fixture->loop, &last_to_run.work);
  assert_int_equal(ws_loop_turn(fixture->loop, -1), 0);
  assert_int_equal(last_to_run.runs, 0);
  assert_false(ws_deferred_waits(&last_to_run.work));
}

static void wait_no_more(struct ws_loop *loop, struct ws_timer *timer) {
  (void)loop;
  (void)timer;
}

/* A post ends a wait whose timeout, or whose next timer, is further away than a poller can express. */
static void test_waits_of_more_than_a_poller_can_say(void **state) {
  struct fixture *fixture = *state;
  struct counted *counted = counted_new(fixture->fds[0]);
  struct ws_timer timer;
  assert_int_equal(ws_loop_watch(fixture->loop, &counted->watch, WS_WRITE), 0);
  assert_int_equal(ws_loop_turn(fixture->loop, INT64_MAX), 0);
  assert_int_equal(counted->calls, 1);
  assert_int_equal(ws_timer_init(fixture->loop, &timer, wait_no_more), 0);
  ws_timer_arm(fixture->loop, &timer, ws_loop_now(fixture->loop) + ((int64_t)1 << 40));
  assert_int_equal(ws_loop_turn(fixture->loop, -1), 0);
  assert_int_equal(counted->calls, 2);
  ws_loop_watch(fixture->loop, &counted->watch, 0);
  free(counted);
}

static void test_deferred_work_that_comes_again_does_not_keep_events_out(void **state) {
  struct fixture *fixture = *state;
  struct deferred stubborn = {.work.run = deferred_run, .again = 1000000};
  struct counted *counted = counted_new(fixture->fds[0]);
  assert_int_equal(ws_loop_watch(fixture->loop, &counted->watch, WS_WRITE), 0);
  ws_loop_defer(fixture->loop, &stubborn.work);
  turn_until(fixture->loop, counted->calls == 3);
  assert_true(stubborn.runs >= 2);
  ws_loop_undefer(fixture->loop, &stubborn.work);
  ws_loop_watch(fixture->loop, &counted->watch, 0);
  free(counted);
}

struct nesting {
  struct ws_watch watch;
  struct ws_task task;
  struct ws_deferred work;
  struct ws_timer timer;
  struct nesting *other;
  int calls;
  int tasks;
  int works;
  int timers;
  bool nested_saw_all;
};

static void nesting_task(struct ws_loop *loop, struct ws_task *task) {
  (void)loop;
  ws_container_of(task, struct nesting, task)->tasks++;
}

static void nesting_work(struct ws_loop *loop, struct ws_deferred *work) {
  (void)loop;
  ws_container_of(work, struct nesting, work)->works++;
}

static void nesting_timer(struct ws_loop *loop, struct ws_timer *timer) {
  (void)loop;
  ws_container_of(timer, struct nesting, timer)->timers++;
}

/* Removes itself, adds one of everything, and turns the loop. All of it, and the other watch, must run inside. */
static void nesting_ready(struct ws_loop *loop, struct ws_watch *watch, unsigned events) {
  (void)events;
  struct nesting *self = ws_container_of(watch, struct nesting, watch);
  self->calls++;
  ws_loop_watch(loop, watch, 0);
  if (self->other->calls > 0)
    return;
  ws_loop_post(loop, &self->task);
  ws_loop_defer(loop, &self->work);
  ws_timer_arm(loop, &self->timer, ws_loop_now(loop));
  assert_int_equal(ws_loop_turn(loop, -1), 0);
  self->nested_saw_all = self->other->calls == 1 && self->tasks == 1 && self->works == 1 && self->timers == 1;
}

static void test_turns_nest(void **state) {
  struct fixture *fixture = *state;
  struct nesting pair[2] = {{.other = &pair[1]}, {.other = &pair[0]}};
  for (int i = 0; i < 2; i++) {
    pair[i].watch = (struct ws_watch){.ready = nesting_ready, .fd = dup(fixture->fds[0])};
    pair[i].task.run = nesting_task;
    pair[i].work.run = nesting_work;
    assert_int_equal(ws_timer_init(fixture->loop, &pair[i].timer, nesting_timer), 0);
    assert_int_equal(ws_loop_watch(fixture->loop, &pair[i].watch, WS_WRITE), 0);
  }
  assert_int_equal(ws_loop_turn(fixture->loop, -1), 0);
  assert_true(pair[0].nested_saw_all || pair[1].nested_saw_all);
  assert_int_equal(pair[0].calls, 1);
  assert_int_equal(pair[1].calls, 1);
  assert_int_equal(pair[0].works + pair[1].works, 1);
  for (int i = 0; i < 2; i++) {
    ws_timer_deinit(fixture->loop, &pair[i].timer);
    close(pair[i].watch.fd);
  }
}

struct chain {
  struct ws_task task;
  struct chain *waits_for;
  bool done;
};

static void chain_run(struct ws_loop *loop, struct ws_task *task) {
  struct chain *self = (struct chain *)task;
  turn_until(loop, !self->waits_for || self->waits_for->done);
  self->done = true;
}

/* A task turns the loop until another task, collected with it, has run. */
static void test_task_waits_for_a_later_task(void **state) {
  struct fixture *fixture = *state;
  struct chain later = {.task.run = chain_run};
  struct chain first = {.task.run = chain_run, .waits_for = &later};
  ws_loop_post(fixture->loop, &first.task);
  ws_loop_post(fixture->loop, &later.task);
  assert_int_equal(ws_loop_turn(fixture->loop, -1), 0);
  assert_true(first.done && later.done);
}

/* A nested borrower gets a buffer of its own. */
static void test_receive_buffer_is_lent_once(void **state) {
  struct fixture *fixture = *state;
  uint8_t *lent[4];
  for (int i = 0; i < 4; i++) {
    lent[i] = ws_loop_buffer_acquire(fixture->loop);
    memset(lent[i], i, WS_LOOP_BUFFER_SIZE);
    for (int j = 0; j < i; j++)
      assert_ptr_not_equal(lent[i], lent[j]);
  }
  for (int i = 0; i < 4; i++)
    ws_loop_buffer_release(fixture->loop, lent[i]);
  uint8_t *again = ws_loop_buffer_acquire(fixture->loop);
  assert_true(again == lent[0] || again == lent[1]);
  ws_loop_buffer_release(fixture->loop, again);
}

/* A descriptor that cannot be watched is an error, or reported as ready, and never silent: LOOP-2 */
static void test_watching_a_closed_descriptor(void **state) {
  struct fixture *fixture = *state;
  struct counted closed = {.watch = {.ready = counted_ready, .fd = 10000}};
  if (ws_loop_watch(fixture->loop, &closed.watch, WS_READ)) {
    assert_int_equal(errno, EBADF);
    assert_int_equal(closed.watch.interest, 0);
    return;
  }
  assert_int_equal(ws_loop_turn(fixture->loop, -1), 0);
  assert_int_equal(closed.calls, 1);
  ws_loop_watch(fixture->loop, &closed.watch, 0);
}

#define loop_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      loop_test(test_the_chosen_poller_is_used),
      loop_test(test_watch_hears_what_it_is_interested_in),
      loop_test(test_hang_up_is_not_told_to_who_is_not_interested),
      loop_test(test_hang_up_is_readiness),
      loop_test(test_callback_frees_another_whose_event_is_collected),
      loop_test(test_callback_frees_itself),
      loop_test(test_tasks_of_many_threads),
      loop_test(test_post_to_a_loop_that_is_awake_makes_no_system_call),
      loop_test(test_free_runs_what_is_posted),
      loop_test(test_input_is_read_after_an_interruption),
      loop_test(test_away_is_as_late_as_the_clock),
      loop_test(test_wake_from_a_signal_handler),
      loop_test(test_deferred_work_runs_once),
      loop_test(test_deferred_work_taken_back_from_the_end),
      loop_test(test_deferred_work_taken_back_by_another),
      loop_test(test_waits_of_more_than_a_poller_can_say),
      loop_test(test_deferred_work_that_comes_again_does_not_keep_events_out),
      loop_test(test_turns_nest),
      loop_test(test_task_waits_for_a_later_task),
      loop_test(test_receive_buffer_is_lent_once),
      loop_test(test_watching_a_closed_descriptor),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
