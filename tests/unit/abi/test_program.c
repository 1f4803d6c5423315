/* How a program starts and ends. Each case runs in a process of its own. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/program.h"
#include "support/test.h"

static char *error;

static int listen_and_return(int port) {
  must_serve_on(port);
  return 0;
}

/* A wrong number of loops is logged, and one loop serves: WS-THREAD-3 */
static void test_numbers_of_loops(void **state) {
  static const struct {
    const char *text;
    bool complains;
  } cases[] = {{"", false}, {"2", false}, {"0", true}, {"-1", true}, {"1000000", true}, {"two", true}, {"2x", true}};
  char log[4096];
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    setenv("OSPREY_WS_LOOPS", cases[i].text, 1);
    struct program program = program_run(listen_and_return, peer_free_port());
    assert_int_equal(program_finish(&program, log, sizeof log), 0);
    assert_int_equal(strstr(log, "OSPREY_WS_LOOPS is a number from 1 to ") != NULL, cases[i].complains);
  }
  unsetenv("OSPREY_WS_LOOPS");
}

static int listen_without_descriptors(int port) {
  char path[64];
  close(0);
  close(2);
  must_serve_on(port);
  ssize_t n = readlink("/proc/self/fd/0", path, sizeof path - 1);
  path[n < 0 ? 0 : n] = '\0';
  return strcmp(path, "/dev/null");
}

/* WS-SEC-14 */
static void test_closed_descriptors_are_held(void **state) {
  char log[4096];
  (void)state;
  struct program program = program_run(listen_without_descriptors, peer_free_port());
  assert_int_equal(program_finish(&program, log, sizeof log), 0);
}

/* Sends a megabyte and returns from main at once. */
static int send_and_return(int port) {
  char url[64];
  size_t size = 1000000;
  char *text = malloc(size + 1);
  memset(text, 'z', size);
  text[size] = '\0';
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", port);
  int64_t id = must_connect(url);
  must_send(id, text);
  must_send(id, "last words");
  free(text);
  return 7;
}

/* WS-EXIT-1 */
static void test_queued_messages_are_sent(void **state) {
  char log[4096];
  char head[2048];
  int port;
  (void)state;
  int listener = peer_listen(&port);
  struct program program = program_run(send_and_return, port);
  struct peer peer = peer_accept(listener);
  peer_answer(&peer, head, sizeof head, "");
  assert_true(peer_read_frame(&peer));
  assert_int_equal(peer.frame.size, 1000000);
  peer_expect_text(&peer, "last words");
  peer_expect_close(&peer, 1001);
  assert_int_equal(program_finish(&program, log, sizeof log), 7);
  assert_string_equal(log, "");
  peer_close(&peer);
  close(listener);
}

static int serve_until_told(int port) {
  char byte;
  char url[64];
  must_serve_on(port);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", port);
  int64_t id = must_connect(url);
  must_set(osp_ws_on_close, id, on_close);
  program_say("ready\n");
  return read(0, &byte, 1) == 1 ? 0 : 1;
}

/* WS-EXIT-1 WS-EXIT-3 WS-ONCLOSE-1 */
static void test_servers_close_with_1001_at_the_end(void **state) {
  char log[4096];
  (void)state;
  int port = peer_free_port();
  int quiet[2];
  assert_int_equal(pipe(quiet), 0);
  int saved = dup(0);
  dup2(quiet[0], 0);
  struct program program = program_run(serve_until_told, port);
  dup2(saved, 0);
  program_expect_line(&program, "ready");
  struct peer peer = peer_open(port, "/chat");
  assert_int_equal(write(quiet[1], "x", 1), 1);
  peer_expect_close(&peer, 1001);
  assert_int_equal(program_finish(&program, log, sizeof log), 0);
  peer_close(&peer);
}

/* A peer that does not answer delays the end by 5 seconds: WS-EXIT-2 */
static void test_the_end_has_a_deadline(void **state) {
  struct timespec start;
  char log[4096];
  char head[2048];
  int port;
  (void)state;
  int listener = peer_listen(&port);
  struct program program = program_run(send_and_return, port);
  struct peer peer = peer_accept(listener);
  peer_answer(&peer, head, sizeof head, "");
  clock_gettime(CLOCK_MONOTONIC, &start);
  assert_int_equal(program_finish(&program, log, sizeof log), 7);
  assert_in_range((unsigned long)elapsed_ms(&start), 4000, 7999);
  peer_close(&peer);
  close(listener);
}

static void *stay(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  (void)cell;
  (void)connection;
  (void)message;
  program_say("staying\n");
  for (;;)
    pause();
  return NULL;
}

static void *on_stay[] = {(void *)stay};

static int serve_and_stay(int port) {
  int64_t server = must_create(port, "/chat");
  must_set(osp_ws_server_on_message, server, on_stay);
  must_listen(server);
  program_say("ready\n");
  osp_ws_keep_alive(&error);
  return 5;
}

/* A handler that never returns delays the end no longer than a peer does, and is logged: WS-EXIT-7 */
static void test_a_handler_that_never_returns(void **state) {
  struct timespec start;
  char log[4096];
  (void)state;
  int port;
  struct program program = program_serve(serve_and_stay, &port);
  struct peer peer = peer_open(port, "/chat");
  peer_send_message(&peer, "stay");
  program_expect_line(&program, "staying");
  clock_gettime(CLOCK_MONOTONIC, &start);
  program_signal(&program, SIGTERM);
  assert_int_equal(program_finish(&program, log, sizeof log), 5);
  assert_in_range((unsigned long)elapsed_ms(&start), 4000, 9999);
  assert_non_null(strstr(log, " has not stopped in time: a handler still runs, and connections are left: 1\n"));
  assert_non_null(strstr(log, ": the program ends while a handler still runs\n"));
  peer_close(&peer);
}

static void *exit_inside(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  (void)cell;
  (void)connection;
  exit(atoi(message->data));
}

static void *on_exit_inside[] = {(void *)exit_inside};

static int serve_exit(int port) {
  int64_t server = must_create(port, "/chat");
  must_set(osp_ws_server_on_message, server, on_exit_inside);
  must_listen(server);
  program_say("ready\n");
  pause();
  return 1;
}

/* WS-SEC-13 */
static void test_ending_the_program_inside_a_handler(void **state) {
  char log[4096];
  (void)state;
  int port;
  struct program program = program_serve(serve_exit, &port);
  struct peer peer = peer_open(port, "/chat");
  struct peer other = peer_open(port, "/chat");
  peer_send_message(&peer, "9");
  peer_expect_close(&other, 1001);
  assert_int_equal(program_finish(&program, log, sizeof log), 9);
  peer_close(&peer);
  peer_close(&other);
}

static void *say_closed(void *cell, const struct osprey_connection *connection, int64_t code, const char *reason) {
  (void)cell;
  (void)connection;
  (void)reason;
  program_say(code == 1001 ? "closed\n" : "closed otherwise\n");
  return result_success();
}

static atomic_int opened;

static void *count_open(void *cell, const struct osprey_connection *connection) {
  (void)cell;
  (void)connection;
  opened++;
  return result_success();
}

static void *on_count_open[] = {(void *)count_open};

/* Blocks its loop until the test connects again ("wait"), or ends the program. */
static void *wait_or_exit(void *cell, const struct osprey_connection *connection,
                          const struct osprey_message *message) {
  if (strcmp(message->data, "wait") != 0)
    return exit_inside(cell, connection, message);
  char *problem;
  program_say("waiting\n");
  WAIT_UNTIL(opened == 2);
  osp_ws_send(connection->id, "waited", &problem);
  expect_success(problem);
  return result_success();
}

static void *on_say_closed[] = {(void *)say_closed};
static void *on_wait_or_exit[] = {(void *)wait_or_exit};

static int serve_exit_on_two_loops(int port) {
  setenv("OSPREY_WS_LOOPS", "2", 1);
  int64_t server = must_create(port, "/chat");
  must_set(osp_ws_server_on_message, server, on_wait_or_exit);
  must_set(osp_ws_server_on_close, server, on_say_closed);
  must_set(osp_ws_server_on_open, server, on_count_open);
  must_listen(server);
  program_say("ready\n");
  pause();
  return 1;
}

/* A connection of another loop still does its close handshake: WS-EXIT-4 */
static void test_ending_the_program_inside_a_handler_of_one_loop(void **state) {
  char log[4096];
  (void)state;
  int port;
  struct program program = program_serve(serve_exit_on_two_loops, &port);
  struct peer peer = peer_open(port, "/chat");
  peer_send_message(&peer, "wait");
  program_expect_line(&program, "waiting");
  struct peer other = peer_open(port, "/chat"); /* the other loop's, since this one is blocked */
  peer_expect_text(&peer, "waited");
  peer_send_message(&peer, "9");
  assert_int_equal(peer_read_close(&other, NULL, 0), 1001);
  assert_true(peer_is_silent(&other, 100)); /* the program waits for the answer */
  peer_send_frame(&other, 0x88, "\x03\xe9", 2);
  program_expect_line(&program, "closed");
  assert_int_equal(program_finish(&program, log, sizeof log), 9);
  peer_close(&peer);
  peer_close(&other);
}

static int other_ports[2]; /* of a server that never answers, and of one whose accept queue is full */

struct late_connect {
  pthread_t thread;
  int port;
  int64_t until_closing; /* connects once this connection is closing; 0: at once */
};

static void *connect_and_say(void *context) {
  struct late_connect *c = context;
  char url[64];
  char *problem = NULL;
  while (c->until_closing) {
    struct osprey_connection *record = osp_ws_connection(c->until_closing, &problem);
    bool closing = problem || !record->is_connected;
    osp_release(problem ? problem : (void *)record);
    if (closing)
      break;
    sched_yield();
  }
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/", c->port);
  osp_ws_connect(url, on_text, &problem);
  bool ending = strstr(problem, "the program is ending");
  osp_release(problem);
  program_say(ending ? "ending\n" : "something else\n");
  return NULL;
}

static struct late_connect late_connects[3];

/* Ends after a byte on standard input, with connects at every stage on other threads. */
static int connect_and_return(int port) {
  char url[64];
  char byte;
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
  int64_t id = must_connect(url);
  late_connects[0].port = other_ports[0];
  late_connects[1].port = other_ports[1];
  late_connects[2] = (struct late_connect){.port = other_ports[0], .until_closing = id};
  for (int i = 0; i < 3; i++) {
    pthread_create(&late_connects[i].thread, NULL, connect_and_say, &late_connects[i]);
    pthread_detach(late_connects[i].thread); /* no thread is left to join them */
  }
  return read(0, &byte, 1) == 1 ? 5 : 6;
}

/* WS-EXIT-5 */
static void test_connects_under_way_at_the_end(void **state) {
  char log[4096];
  char head[4096];
  int port;
  int fillers[8];
  int quiet[2];
  (void)state;
  int listener = peer_listen(&port);
  int silent = peer_listen(&other_ports[0]);
  int deaf = peer_listen(&other_ports[1]);
  listen(deaf, 0); /* its accept queue is full from here on */
  for (int i = 0; i < 8; i++) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)other_ports[1]), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)!connect(fillers[i], (struct sockaddr *)&address, sizeof address);
  }
  assert_int_equal(pipe(quiet), 0);
  int saved = dup(0);
  dup2(quiet[0], 0);
  struct program program = program_run(connect_and_return, port);
  dup2(saved, 0);
  close(saved);
  struct peer peer = peer_accept(listener);
  peer_answer(&peer, head, sizeof head, "");
  struct peer stuck = peer_accept(silent);
  peer_read_head(&stuck, head, sizeof head);
  assert_int_equal(write(quiet[1], "x", 1), 1);
  assert_int_equal(peer_read_close(&peer, NULL, 0), 1001);
  for (int i = 0; i < 3; i++)
    program_expect_line(&program, "ending");
  peer_send_plain(&peer, 0x88, "\x03\xe9", 2);
  assert_int_equal(program_finish(&program, log, sizeof log), 5);
  peer_close(&peer);
  peer_close(&stuck);
  for (int i = 0; i < 8; i++)
    close(fillers[i]);
  close(deaf);
  close(silent);
  close(listener);
  close(quiet[0]);
  close(quiet[1]);
}

static int serve_stuck(int port) {
  char byte;
  int64_t server = must_create(port, "/chat");
  char url[64];
  char *problem;
  must_set(osp_ws_server_on_message, server, on_stay);
  must_listen(server);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", port);
  osp_ws_connect(url, on_text, &problem);
  osp_release(problem);
  program_say("ready\n");
  return read(0, &byte, 1) == 1 ? 4 : 5;
}

/* The end keeps its deadline despite a handler that never returns, which it waits for once, not for the servers and
 * again for the clients; and, inside a handler, despite a peer that does not answer: WS-EXIT-2 WS-EXIT-6 */
static void test_the_deadline_with_stuck_handlers(void **state) {
  char log[4096];
  char line[64];
  int quiet[2];
  struct timespec start;
  (void)state;
  int stuck_port = peer_free_port();
  assert_int_equal(pipe2(quiet, O_CLOEXEC), 0);
  int saved = dup(0);
  dup2(quiet[0], 0);
  struct program stuck = program_run(serve_stuck, stuck_port);
  dup2(saved, 0);
  close(saved);
  close(quiet[0]);
  int port = peer_free_port();
  struct program leaving = program_run(serve_exit, port);
  program_read_line(&stuck, line, sizeof line);
  program_read_line(&leaving, line, sizeof line);
  struct peer peer = peer_open(stuck_port, "/chat");
  peer_send_message(&peer, "never");
  program_read_line(&stuck, line, sizeof line);
  assert_string_equal(line, "staying");
  struct peer caller = peer_open(port, "/chat");
  struct peer other = peer_open(port, "/chat");
  clock_gettime(CLOCK_MONOTONIC, &start);
  peer_send_message(&caller, "9");
  assert_int_equal(write(quiet[1], "x", 1), 1);
  assert_int_equal(program_finish(&leaving, log, sizeof log), 9);
  assert_int_equal(program_finish(&stuck, log, sizeof log), 4);
  assert_in_range((unsigned long)elapsed_ms(&start), 4000, 9999);
  peer_close(&peer);
  peer_close(&caller);
  peer_close(&other);
  close(quiet[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_closed_descriptors_are_held),
      cmocka_unit_test(test_numbers_of_loops),
      cmocka_unit_test(test_queued_messages_are_sent),
      cmocka_unit_test(test_servers_close_with_1001_at_the_end),
      cmocka_unit_test(test_the_end_has_a_deadline),
      cmocka_unit_test(test_a_handler_that_never_returns),
      cmocka_unit_test(test_ending_the_program_inside_a_handler),
      cmocka_unit_test(test_ending_the_program_inside_a_handler_of_one_loop),
      cmocka_unit_test(test_connects_under_way_at_the_end),
      cmocka_unit_test(test_the_deadline_with_stuck_handlers),
  };
  return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
