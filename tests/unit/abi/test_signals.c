/* Signals end osp_ws_keep_alive. */
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/program.h"
#include "support/test.h"

static char *error;

static void *keep_alive_too(void *context) {
  char *problem;
  (void)context;
  osp_ws_keep_alive(&problem);
  expect_success(problem);
  return NULL;
}

static int keep_alive_twice(int port) {
  pthread_t thread;
  must_serve_on(port);
  pthread_create(&thread, NULL, keep_alive_too, NULL);
  program_say("ready\n");
  osp_ws_keep_alive(&error);
  expect_success(error);
  pthread_join(thread, NULL);
  struct sigaction now;
  sigaction(SIGTERM, NULL, &now);
  return now.sa_handler == SIG_DFL ? 3 : 4; /* as it was before */
}

static int keep_alive(int port) {
  must_serve_on(port);
  must_serve_on(peer_free_port());
  program_say("ready\n");
  osp_ws_keep_alive(&error);
  expect_success(error);
  program_say("stopped\n");
  char *again;
  osp_ws_stop_server(2, &again);
  expect_error_with(again, "is stopped");
  return 3;
}

/* As a program is that was started with the signals blocked. */
static int keep_alive_blocked(int port) {
  sigset_t both;
  sigemptyset(&both);
  sigaddset(&both, SIGINT);
  sigaddset(&both, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &both, NULL);
  return keep_alive(port);
}

/* WS-KEEPALIVE-1 */
static void test_signals_stop_every_server(void **state) {
  const int signals[] = {SIGINT, SIGTERM};
  (void)state;
  for (int i = 0; i < 4; i++) {
    char log[4096];
    int port = peer_free_port();
    struct program program = program_run(i < 2 ? keep_alive : keep_alive_blocked, port);
    program_expect_line(&program, "ready");
    struct peer peer = peer_open(port, "/chat");
    program_signal(&program, signals[i % 2]);
    peer_expect_close(&peer, 1001);
    program_expect_line(&program, "stopped");
    assert_int_equal(program_finish(&program, log, sizeof log), 3);
    peer_close(&peer);
  }
}

/* The system calls of poll, in which the loop waits too where it has no epoll, and of epoll_wait. */
#ifdef SYS_poll
enum { CALL_POLL = SYS_poll, CALL_EPOLL = SYS_epoll_wait };
#else
enum { CALL_POLL = SYS_ppoll, CALL_EPOLL = SYS_epoll_pwait };
#endif

/* Returns the number of the process's threads that wait in a system call. */
static int threads_in_call(pid_t pid, int call) {
  char path[64];
  int count = 0;
  snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
  DIR *tasks = opendir(path);
  assert_non_null(tasks);
  for (struct dirent *entry; (entry = readdir(tasks));) {
    int number = -1;
    snprintf(path, sizeof path, "/proc/%d/task/%.20s/syscall", (int)pid, entry->d_name);
    FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
    if (!file)
      continue;
    count += fscanf(file, "%d", &number) == 1 && number == call;
    fclose(file);
  }
  closedir(tasks);
  return count;
}

/* One signal ends the calls of two threads: WS-KEEPALIVE-1 */
static void test_a_signal_for_two_threads(void **state) {
  char log[4096];
  (void)state;
  int port;
  struct program program = program_serve(keep_alive_twice, &port);
  program_await_handler(&program, SIGTERM);
  WAIT_UNTIL(threads_in_call(program.pid, CALL_POLL) + threads_in_call(program.pid, CALL_EPOLL) >= 3);
  kill(program.pid, SIGTERM);
  assert_int_equal(program_finish(&program, log, sizeof log), 3);
}

/* The peer does not answer the close of the first signal; the second ends the program meanwhile: WS-KEEPALIVE-3 */
static void test_a_second_signal_ends_at_once(void **state) {
  const int signals[] = {SIGINT, SIGTERM};
  (void)state;
  for (int i = 0; i < 2; i++) {
    struct timespec start;
    int status;
    int port;
    struct program program = program_serve(keep_alive, &port);
    struct peer peer = peer_open(port, "/chat");
    program_signal(&program, SIGTERM);
    peer_expect_frame(&peer, 0x88);
    clock_gettime(CLOCK_MONOTONIC, &start);
    kill(program.pid, signals[i]);
    assert_int_equal(waitpid(program.pid, &status, 0), program.pid);
    assert_true(elapsed_ms(&start) < 4000);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), signals[i]);
    close(program.out);
    close(program.err);
    peer_close(&peer);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_signals_stop_every_server),
      cmocka_unit_test(test_a_signal_for_two_threads),
      cmocka_unit_test(test_a_second_signal_ends_at_once),
  };
  return cmocka_run_group_tests_name("signals", tests, NULL, NULL);
}
