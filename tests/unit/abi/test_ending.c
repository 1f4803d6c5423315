/* Builtins that other threads call while the program ends. Each case runs in processes of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"

/* ThreadSanitizer lets a process that ends sleep for a second otherwise. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) {
  return "atexit_sleep_ms=0";
}

enum { THREADS = 3, RUNS = 100 };

static char url[64];
static atomic_int connects;

/* Connects and closes until the process is gone. An Err is as good as Success here. */
static void *connect_and_close(void *context) {
  char *error;
  (void)context;
  for (;;) {
    int64_t id = osp_ws_connect(url, on_text, &error);
    osp_release(error);
    atomic_fetch_add(&connects, 1);
    if (!id)
      continue;
    osp_ws_close(id, &error);
    osp_release(error);
  }
  return NULL;
}

/* Creates, listens, looks up and stops until the process is gone. */
static void *serve_and_stop(void *context) {
  char *error;
  int port = *(int *)context;
  for (;;) {
    int64_t server = osp_ws_create_server(port, "127.0.0.1", "/", &error);
    osp_release(error);
    if (!server)
      continue;
    osp_ws_server_listen(server, &error);
    osp_release(error);
    osp_ws_server_broadcast(server, "to nobody", &error);
    osp_release(error);
    osp_ws_stop_server(server, &error);
    osp_release(error);
  }
  return NULL;
}

static int end_beside_threads(int run) {
  static int port, other_port;
  pthread_t thread;
  close(peer_listen(&other_port));
  must_serve(&port);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", port);
  for (int i = 0; i < THREADS; i++) {
    pthread_create(&thread, NULL, connect_and_close, NULL);
    pthread_detach(thread);
  }
  pthread_create(&thread, NULL, serve_and_stop, &other_port);
  pthread_detach(thread);
  while (atomic_load(&connects) < run % 10)
    sched_yield();
  return 0;
}

/* WS-THREAD-1 WS-EXIT-5: a hundred programs that end at different moments. */
static void test_builtins_while_the_program_ends(void **state) {
  (void)state;
  for (int run = 0; run < RUNS; run++) {
    int status;
    pid_t pid = fork();
    if (pid == 0)
      exit(end_beside_threads(run));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
      fail_msg("run %d ended with status %#x", run, (unsigned)status);
  }
}

int main(void) {
  setenv("OSPREY_WS_LOG", "off", 1);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_builtins_while_the_program_ends)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
