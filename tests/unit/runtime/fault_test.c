/* Every allocation and every system call of the runtime fails in turn while a conversation runs.
 *
 * Each run is a process of its own: a server and two clients of it converse, one call fails, and whatever then happens,
 * every builtin reports a success or an error, no message comes twice or out of order, and the process ends by itself, in
 * time and in good order (under a sanitizer: without a leak). WS-SEC-11 WS-SEC-12
 *
 *   runtime_fault_test [FIRST [LAST]]
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fault.h"
#include "hooks.h"
#include "osprey.h"
#include "peer.h"

enum { MESSAGES = 6, BROADCAST = 100, PATIENCE_S = 30, QUIET_MS = 400 };

static _Atomic int heard_next[2]; /* the lowest number that a client may hear */
static _Atomic int heard_broadcast[2];
static _Atomic int heard_count[2];
static _Atomic int opens;
static _Atomic int closes;

static void complain(const char *what) {
  fprintf(stderr, "%s\n", what);
  _exit(90);
}

/* Texts are "<number>" and padding; each client hears its own numbers, rising. */
static void hear(int client, const char *text) {
  int number = atoi(text);
  if (number == BROADCAST ? heard_broadcast[client]++ : number < heard_next[client])
    complain("a message came twice or out of order");
  if (number != BROADCAST)
    heard_next[client] = number + 1;
  heard_count[client]++;
}

static void *hear_first(void *cell, const char *text) {
  (void)cell;
  hear(0, text);
  return result_success();
}

static void *hear_second(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  (void)cell;
  (void)connection;
  hear(1, message->data);
  return result_success();
}

static void *admit(void *cell, const struct osprey_connection *connection) {
  char *error;
  (void)cell;
  char *host = osp_ws_request_header(connection->id, "Host", &error);
  osp_release(error ? error : host);
  opens++;
  return result_success();
}

static void *say_goodbye(void *cell, const struct osprey_connection *connection, int64_t code, const char *reason) {
  (void)cell;
  (void)connection;
  (void)code;
  (void)reason;
  closes++;
  return result_success();
}

static void *on_first[] = {(void *)hear_first};
static void *on_second[] = {(void *)hear_second};
static void *on_admit[] = {(void *)admit};
static void *on_goodbye[] = {(void *)say_goodbye};

/* Success or an error: both are fine; says which. */
static bool went_well(char *error) {
  if (error)
    osp_release(error);
  return error == NULL;
}

static void send_numbers(int64_t id) {
  char *text = malloc(70000);
  char *error;
  for (int i = 0; i < MESSAGES; i++) {
    size_t size = i == MESSAGES - 1 ? 66000 : 20;
    memset(text, ' ', size);
    text[size] = '\0';
    text[snprintf(text, 8, "%d", i)] = ' ';
    osp_ws_send(id, text, &error);
    went_well(error);
  }
  free(text);
}

/* Waits until everything was heard, or nothing more comes. */
static void wait_for_answers(void) {
  int before = -1;
  for (int quiet = 0; quiet < QUIET_MS && heard_count[0] + heard_count[1] < 2 * MESSAGES + 2; quiet++) {
    int now = heard_count[0] + heard_count[1];
    if (now != before)
      quiet = 0;
    before = now;
    poll(NULL, 0, 1);
  }
}

static void converse_with(int port, int64_t server) {
  struct osprey_options options = {
      .headers = "X-Test: 1", .protocols = "a, b", .compression = true, .timeout_ms = 2000, .keep_alive_ms = 60000};
  char url[64];
  char *error;
  snprintf(url, sizeof url, "ws://localhost:%d/chat", port);
  int64_t first = osp_ws_connect(url, on_first, &error);
  bool has_first = went_well(error);
  int64_t second = osp_ws_connect_with(url, &options, on_second, &error);
  bool has_second = went_well(error);
  if (has_first) {
    osp_ws_on_close(first, on_goodbye, &error);
    went_well(error);
    send_numbers(first);
  }
  if (has_second)
    send_numbers(second);
  osp_ws_server_broadcast(server, "100", &error);
  went_well(error);
  wait_for_answers();
  if (has_second) {
    void *record = osp_ws_connection(second, &error);
    osp_release(error ? error : record);
    osp_ws_close(second, &error);
    went_well(error);
  }
}

static void converse(void) {
  char *error;
  int port = peer_free_port();
  int64_t server = osp_ws_create_server(port, "127.0.0.1", "/chat", &error);
  if (!went_well(error))
    return;
  osp_ws_server_on_message(server, on_echo, &error);
  went_well(error);
  osp_ws_server_on_open(server, on_admit, &error);
  went_well(error);
  osp_ws_server_on_close(server, on_goodbye, &error);
  went_well(error);
  osp_ws_server_allow_origin(server, "https://example.org", &error);
  went_well(error);
  osp_ws_server_protocols(server, "b, a", &error);
  went_well(error);
  osp_ws_server_limit(server, "compression", 1, &error);
  went_well(error);
  osp_ws_server_listen(server, &error);
  if (went_well(error))
    converse_with(port, server);
  osp_ws_stop_server(server, &error);
  went_well(error);
}

/* One run: how many calls there were. */
static long run_with_fault(long nth) {
  int counted[2];
  long calls = -1;
  int status;
  assert_int_equal(pipe(counted), 0);
  pid_t pid = fork();
  if (pid == 0) {
    alarm(PATIENCE_S);
    ws_fault_arm(nth);
    converse();
    calls = ws_fault_count();
    if (write(counted[1], &calls, sizeof calls) != sizeof calls)
      _exit(91);
    exit(0);
  }
  close(counted[1]);
  ssize_t n = read(counted[0], &calls, sizeof calls);
  close(counted[0]);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  if (n != sizeof calls || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    fail_msg("with call %ld failing: %s %d", nth, WIFEXITED(status) ? "status" : "signal",
             WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
  return calls;
}

static long first_fault = 1;
static long last_fault = 100000;

static void test_every_call_fails_in_turn(void **state) {
  (void)state;
  setenv("OSPREY_WS_LOG", "off", 0);
  long nth = first_fault;
  while (nth <= last_fault && run_with_fault(nth) >= nth)
    nth++;
  print_message("%ld calls failed in turn\n", nth - first_fault);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_call_fails_in_turn)};
  if (argc > 1)
    first_fault = atol(argv[1]);
  if (argc > 2)
    last_fault = atol(argv[2]);
  return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
