/* What a whole program sees: its end, signals, its log. Each case runs in a process of its own. */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;

struct program {
  pid_t pid;
  int out; /* what it says */
  int err; /* what it logs */
};

/* Runs `body` as a program: what it returns is its status. */
static struct program run(int (*body)(int port), int port) {
  int out[2];
  int err[2];
  assert_int_equal(pipe(out), 0);
  assert_int_equal(pipe(err), 0);
  pid_t pid = fork();
  if (pid == 0) {
    dup2(out[1], 1);
    dup2(err[1], 2);
    close(out[0]);
    close(err[0]);
    exit(body(port));
  }
  close(out[1]);
  close(err[1]);
  return (struct program){pid, out[0], err[0]};
}

static int finish(struct program *program, char *log, size_t room) {
  int status;
  size_t used = 0;
  ssize_t n;
  while (used < room - 1 && (n = read(program->err, log + used, room - 1 - used)) > 0)
    used += (size_t)n;
  log[used] = '\0';
  assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
  close(program->out);
  close(program->err);
  if (!WIFEXITED(status))
    fail_msg("the program ended with signal %d: %s", WTERMSIG(status), log);
  return WEXITSTATUS(status);
}

static void read_line(struct program *program, char *line, size_t room) {
  size_t used = 0;
  while (used < room - 1 && read(program->out, line + used, 1) == 1 && line[used] != '\n')
    used++;
  line[used] = '\0';
}

static void say(const char *text) {
  assert_int_equal(write(1, text, strlen(text)), (ssize_t)strlen(text));
}

static int64_t serve_on(int port) {
  int64_t server = must_create(port, "/chat");
  osp_ws_server_on_message(server, on_echo, &error);
  expect_success(error);
  osp_ws_server_on_close(server, on_close, &error);
  expect_success(error);
  must_listen(server);
  return server;
}

/* ---- the end */

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
static void test_what_is_queued_is_sent(void **state) {
  char log[4096];
  char head[2048];
  int port;
  (void)state;
  int listener = peer_listen(&port);
  struct program program = run(send_and_return, port);
  struct peer peer = peer_accept(listener);
  peer_answer(&peer, head, sizeof head, "");
  assert_true(peer_read_frame(&peer));
  assert_int_equal(peer.frame.size, 1000000);
  peer_expect_text(&peer, "last words");
  peer_expect_close(&peer, 1001);
  assert_int_equal(finish(&program, log, sizeof log), 7);
  assert_string_equal(log, "");
  peer_close(&peer);
  close(listener);
}

static int serve_until_told(int port) {
  char byte;
  char url[64];
  serve_on(port);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", port);
  int64_t id = must_connect(url);
  osp_ws_on_close(id, on_close, &error);
  expect_success(error);
  say("ready\n");
  if (read(0, &byte, 1) != 1) {
    struct pollfd none = {.fd = -1};
    poll(&none, 1, 300);
  }
  return 0;
}

/* WS-EXIT-1 WS-EXIT-3 WS-ONCLOSE-5 */
static void test_servers_say_goodbye_at_the_end(void **state) {
  char log[4096];
  char line[64];
  (void)state;
  int port = peer_free_port();
  int quiet[2];
  assert_int_equal(pipe(quiet), 0);
  int saved = dup(0);
  dup2(quiet[0], 0);
  struct program program = run(serve_until_told, port);
  dup2(saved, 0);
  read_line(&program, line, sizeof line);
  assert_string_equal(line, "ready");
  struct peer peer = peer_open(port, "/chat");
  assert_int_equal(write(quiet[1], "x", 1), 1);
  peer_expect_close(&peer, 1001);
  assert_int_equal(finish(&program, log, sizeof log), 0);
  peer_close(&peer);
}

/* A peer that does not answer does not hold the program: WS-EXIT-2 */
static void test_the_end_has_a_deadline(void **state) {
  struct timespec start;
  struct timespec end;
  char log[4096];
  char head[2048];
  int port;
  (void)state;
  int listener = peer_listen(&port);
  struct program program = run(send_and_return, port);
  struct peer peer = peer_accept(listener);
  peer_answer(&peer, head, sizeof head, "");
  clock_gettime(CLOCK_MONOTONIC, &start);
  assert_int_equal(finish(&program, log, sizeof log), 7);
  clock_gettime(CLOCK_MONOTONIC, &end);
  assert_in_range((unsigned long)(end.tv_sec - start.tv_sec), 4, 7);
  peer_close(&peer);
  close(listener);
}

static void *stay(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  struct pollfd none = {.fd = -1};
  (void)cell;
  (void)connection;
  (void)message;
  say("staying\n");
  for (;;)
    poll(&none, 1, -1);
  return NULL;
}

static void *on_stay[] = {(void *)stay};

static int serve_and_stay(int port) {
  int64_t server = must_create(port, "/chat");
  osp_ws_server_on_message(server, on_stay, &error);
  expect_success(error);
  must_listen(server);
  say("ready\n");
  osp_ws_keep_alive(&error);
  return 5;
}

/* A handler that does not return does not hold the program for longer than a peer does, and the log says what is the matter:
 * WS-EXIT-7 */
static void test_a_handler_that_stays(void **state) {
  struct timespec start;
  struct timespec end;
  char log[4096];
  char line[64];
  (void)state;
  int port = peer_free_port();
  struct program program = run(serve_and_stay, port);
  read_line(&program, line, sizeof line);
  struct peer peer = peer_open(port, "/chat");
  peer_send_message(&peer, "stay");
  read_line(&program, line, sizeof line);
  assert_string_equal(line, "staying");
  clock_gettime(CLOCK_MONOTONIC, &start);
  kill(program.pid, SIGTERM);
  assert_int_equal(finish(&program, log, sizeof log), 5);
  clock_gettime(CLOCK_MONOTONIC, &end);
  assert_in_range((unsigned long)(end.tv_sec - start.tv_sec), 4, 9);
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
  osp_ws_server_on_message(server, on_exit_inside, &error);
  expect_success(error);
  must_listen(server);
  say("ready\n");
  pause();
  return 1;
}

/* WS-SEC-13 */
static void test_ending_the_program_inside_a_handler(void **state) {
  char log[4096];
  char line[64];
  (void)state;
  int port = peer_free_port();
  struct program program = run(serve_exit, port);
  read_line(&program, line, sizeof line);
  struct peer peer = peer_open(port, "/chat");
  struct peer other = peer_open(port, "/chat");
  peer_send_message(&peer, "9");
  peer_expect_close(&other, 1001);
  assert_int_equal(finish(&program, log, sizeof log), 9);
  peer_close(&peer);
  peer_close(&other);
}

static void *say_closed(void *cell, const struct osprey_connection *connection, int64_t code, const char *reason) {
  (void)cell;
  (void)connection;
  (void)reason;
  say(code == 1001 ? "closed\n" : "closed otherwise\n");
  return result_success();
}

/* Keeps its loop busy for a while, or ends the program. */
static void *wait_or_exit(void *cell, const struct osprey_connection *connection,
                          const struct osprey_message *message) {
  if (strcmp(message->data, "wait") != 0)
    return exit_inside(cell, connection, message);
  char *problem;
  poll(NULL, 0, 300);
  osp_ws_send(connection->id, "waited", &problem);
  expect_success(problem);
  return result_success();
}

static void *on_say_closed[] = {(void *)say_closed};
static void *on_wait_or_exit[] = {(void *)wait_or_exit};

static int serve_exit_on_two_loops(int port) {
  setenv("OSPREY_WS_LOOPS", "2", 1);
  int64_t server = must_create(port, "/chat");
  osp_ws_server_on_message(server, on_wait_or_exit, &error);
  expect_success(error);
  osp_ws_server_on_close(server, on_say_closed, &error);
  expect_success(error);
  must_listen(server);
  say("ready\n");
  pause();
  return 1;
}

/* A connection of another loop is closed in good order all the same: WS-EXIT-4 */
static void test_ending_the_program_inside_a_handler_of_one_loop(void **state) {
  char log[4096];
  char line[64];
  (void)state;
  int port = peer_free_port();
  struct program program = run(serve_exit_on_two_loops, port);
  read_line(&program, line, sizeof line);
  struct peer peer = peer_open(port, "/chat");
  peer_send_message(&peer, "wait");
  poll(NULL, 0, 50);
  struct peer other = peer_open(port, "/chat"); /* the other loop's, since this one is busy */
  peer_expect_text(&peer, "waited");
  peer_send_message(&peer, "9");
  assert_int_equal(peer_read_close(&other, NULL, 0), 1001);
  poll(NULL, 0, 100); /* the program waits for the answer */
  peer_send_frame(&other, 0x88, "\x03\xe9", 2);
  read_line(&program, line, sizeof line);
  assert_string_equal(line, "closed");
  assert_int_equal(finish(&program, log, sizeof log), 9);
  peer_close(&peer);
  peer_close(&other);
}

/* ---- connects and the end */

static int other_ports[2]; /* one whose server never answers, one whose connections are never made */

struct late_connect {
  pthread_t thread;
  int port;
  int64_t until_closing; /* begins when this connection is being closed; 0: at once */
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
  say(ending ? "ending\n" : "something else\n");
  return NULL;
}

static struct late_connect late_connects[3];

/* Ends when it is told to, with connects at every stage on other threads. */
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
    pthread_detach(late_connects[i].thread); /* nobody is left to join them */
  }
  return read(0, &byte, 1) == 1 ? 5 : 6;
}

/* WS-EXIT-5 */
static void test_connects_under_way_at_the_end(void **state) {
  char log[4096];
  char line[64];
  char head[4096];
  int port;
  int fillers[8];
  int quiet[2];
  (void)state;
  int listener = peer_listen(&port);
  int silent = peer_listen(&other_ports[0]);
  int deaf = peer_listen(&other_ports[1]);
  listen(deaf, 0); /* its queue is full from here on */
  for (int i = 0; i < 8; i++) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)other_ports[1]), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)!connect(fillers[i], (struct sockaddr *)&address, sizeof address);
  }
  assert_int_equal(pipe(quiet), 0);
  int saved = dup(0);
  dup2(quiet[0], 0);
  struct program program = run(connect_and_return, port);
  dup2(saved, 0);
  close(saved);
  struct peer peer = peer_accept(listener);
  peer_answer(&peer, head, sizeof head, "");
  struct peer stuck = peer_accept(silent);
  peer_read_head(&stuck, head, sizeof head);
  assert_int_equal(write(quiet[1], "x", 1), 1);
  assert_int_equal(peer_read_close(&peer, NULL, 0), 1001);
  for (int i = 0; i < 3; i++) {
    read_line(&program, line, sizeof line);
    assert_string_equal(line, "ending");
  }
  peer_send_plain(&peer, 0x88, "\x03\xe9", 2);
  assert_int_equal(finish(&program, log, sizeof log), 5);
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

static void *never_return(void *cell, const struct osprey_connection *connection,
                          const struct osprey_message *message) {
  (void)cell;
  (void)connection;
  (void)message;
  say("stuck\n");
  for (;;)
    pause();
  return NULL;
}

static void *on_never_return[] = {(void *)never_return};

static int serve_stuck(int port) {
  char byte;
  int64_t server = must_create(port, "/chat");
  osp_ws_server_on_message(server, on_never_return, &error);
  expect_success(error);
  must_listen(server);
  say("ready\n");
  return read(0, &byte, 1) == 1 ? 4 : 5;
}

/* Neither a handler that never returns, nor a peer that does not answer to a program that ends inside a handler, holds it longer than
 * it may take: WS-EXIT-2 WS-EXIT-6 */
static void test_what_does_not_end_does_not_hold_the_end(void **state) {
  char log[4096];
  char line[64];
  int quiet[2];
  struct timespec start, end;
  (void)state;
  int stuck_port = peer_free_port();
  assert_int_equal(pipe2(quiet, O_CLOEXEC), 0);
  int saved = dup(0);
  dup2(quiet[0], 0);
  struct program stuck = run(serve_stuck, stuck_port);
  dup2(saved, 0);
  close(saved);
  close(quiet[0]);
  int port = peer_free_port();
  struct program leaving = run(serve_exit, port);
  read_line(&stuck, line, sizeof line);
  read_line(&leaving, line, sizeof line);
  struct peer peer = peer_open(stuck_port, "/chat");
  peer_send_message(&peer, "never");
  read_line(&stuck, line, sizeof line);
  assert_string_equal(line, "stuck");
  struct peer caller = peer_open(port, "/chat");
  struct peer other = peer_open(port, "/chat");
  clock_gettime(CLOCK_MONOTONIC, &start);
  peer_send_message(&caller, "9");
  assert_int_equal(write(quiet[1], "x", 1), 1);
  assert_int_equal(finish(&leaving, log, sizeof log), 9);
  assert_int_equal(finish(&stuck, log, sizeof log), 4);
  clock_gettime(CLOCK_MONOTONIC, &end);
  assert_in_range((unsigned long)(end.tv_sec - start.tv_sec), 4, 9);
  peer_close(&peer);
  peer_close(&caller);
  peer_close(&other);
  close(quiet[1]);
}

/* ---- signals */

static void *keep_alive_too(void *context) {
  char *problem;
  (void)context;
  osp_ws_keep_alive(&problem);
  expect_success(problem);
  return NULL;
}

static int keep_alive_twice(int port) {
  pthread_t thread;
  serve_on(port);
  pthread_create(&thread, NULL, keep_alive_too, NULL);
  say("ready\n");
  osp_ws_keep_alive(&error);
  expect_success(error);
  pthread_join(thread, NULL);
  struct sigaction now;
  sigaction(SIGTERM, NULL, &now);
  return now.sa_handler == SIG_DFL ? 3 : 4; /* as it was before */
}

static int keep_alive(int port) {
  serve_on(port);
  serve_on(peer_free_port());
  say("ready\n");
  osp_ws_keep_alive(&error);
  expect_success(error);
  say("stopped\n");
  char *again;
  osp_ws_stop_server(2, &again);
  expect_error_with(again, "is stopped");
  return 3;
}

/* Until the program has a handler for the signal, which it installs after all that it can say. */
static void await_handler(pid_t pid, int signal) {
  unsigned long long caught = 0;
  char path[64];
  char line[256];
  snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
  while (!(caught >> (signal - 1) & 1)) {
    FILE *status = fopen(path, "r");
    assert_non_null(status);
    while (fgets(line, sizeof line, status) && sscanf(line, "SigCgt: %llx", &caught) != 1)
      ;
    fclose(status);
    sched_yield();
  }
}

/* WS-KEEPALIVE-1 */
static void test_signals_stop_every_server(void **state) {
  const int signals[] = {SIGINT, SIGTERM};
  (void)state;
  for (int i = 0; i < 2; i++) {
    char log[4096];
    char line[64];
    int port = peer_free_port();
    struct program program = run(keep_alive, port);
    read_line(&program, line, sizeof line);
    assert_string_equal(line, "ready");
    struct peer peer = peer_open(port, "/chat");
    await_handler(program.pid, signals[i]);
    kill(program.pid, signals[i]);
    peer_expect_close(&peer, 1001);
    read_line(&program, line, sizeof line);
    assert_string_equal(line, "stopped");
    assert_int_equal(finish(&program, log, sizeof log), 3);
    peer_close(&peer);
  }
}

/* How many of a process's threads wait in a system call of this number. */
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

/* Two threads wait; one signal is for both. WS-KEEPALIVE-1 */
static void test_a_signal_for_two_that_wait(void **state) {
  char log[4096];
  char line[64];
  (void)state;
  int port = peer_free_port();
  struct program program = run(keep_alive_twice, port);
  read_line(&program, line, sizeof line);
  await_handler(program.pid, SIGTERM);
  for (int tries = 0; threads_in_call(program.pid, SYS_poll) < 2 && tries < 2000; tries++)
    poll(NULL, 0, 1);
  kill(program.pid, SIGTERM);
  assert_int_equal(finish(&program, log, sizeof log), 3);
}

/* ---- the log */

static void *angry_message(void *cell, const struct osprey_connection *connection,
                           const struct osprey_message *message) {
  (void)cell;
  (void)connection;
  (void)message;
  return result_error("angry\nhandler\x1b[31m");
}

static void *on_angry[] = {(void *)angry_message};

static int serve_angry(int port) {
  int64_t server = must_create(port, "/chat");
  osp_ws_server_on_message(server, on_angry, &error);
  expect_success(error);
  must_listen(server);
  say("ready\n");
  osp_ws_keep_alive(&error);
  return 0;
}

/* Requests that are refused for every part of them, each with a secret in every place where one may stand. */
static void be_refused(int port) {
  static const struct {
    const char *target, *host, *headers;
    int status;
  } requests[] = {
      {"/chat?token=SECRET", "localhost", "Sec-WebSocket-Key: SECRET\r\nSec-WebSocket-Version: 13\r\n", 400},
      {"/chat?token=SECRET", "localhost",
       "Sec-WebSocket-Key: U0VDUkVUU0VDUkVUU0VDUg==\r\nSec-WebSocket-Version: 12\r\n", 426},
      {"/chat?token=SECRET", "rebound.example", "Sec-WebSocket-Key: U0VDUkVUU0VDUkVUU0VDUg==\r\n", 403},
      {"/chat?token=SECRET", "user:SECRET@localhost", "", 400},
      {"/chat?token=SECRET", "localhost", "Sec-WebSocket-Protocol: SECRET SECRET\r\n", 400},
      {"/chat?token=SECRET", "localhost", "Content-Length: 6\r\n\r\nSECRET", 400},
      {"/chat?token=SECRET#SECRET", "localhost", "", 400},
      {"SECRET", "localhost", "", 400},
      {"/chat?token=SECRET", "localhost", "Broken SECRET\r\n", 400},
  };
  char request[1024];
  char head[2048];
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
    struct peer peer = peer_connect(port);
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: %s\r\n" PEER_UPGRADE_LINES "Cookie: SECRET\r\n"
             "Authorization: SECRET\r\n%s\r\n",
             requests[i].target, requests[i].host, requests[i].headers);
    peer_send_text(&peer, request);
    peer_read_head(&peer, head, sizeof head);
    if (atoi(head + 9) != requests[i].status)
      fail_msg("%s%s", request, head);
    peer_close(&peer);
  }
}

static void converse_and_log(const char *level, char *log, size_t room) {
  char line[64];
  char target[1024];
  int port = peer_free_port();
  if (level)
    setenv("OSPREY_WS_LOG", level, 1);
  else
    unsetenv("OSPREY_WS_LOG");
  struct program program = run(serve_angry, port);
  read_line(&program, line, sizeof line);
  assert_int_equal(peer_status(port, "/chat?token=SECRET", "Origin: http://evil\r\nCookie: SECRET\r\n"), 403);
  assert_int_equal(peer_status(port, "/chat", "Origin: http://odd?SECRET\r\n"), 403);
  snprintf(target, sizeof target, "http://127.0.0.1:%d/nowhere?token=SECRET", port);
  assert_int_equal(peer_status(port, target, ""), 404);
  snprintf(target, sizeof target, "/%0200d?token=SECRET", 0);
  assert_int_equal(peer_status(port, target, ""), 404);
  be_refused(port);
  struct peer peer = peer_connect(port);
  peer_shake(&peer, port, "/chat?token=SECRET", "Authorization: SECRET\r\nX-Api-Token: SECRET\r\n");
  peer_send_message(&peer, "SECRET payload");
  peer_expect_close(&peer, 1011);
  peer_close(&peer);
  peer = peer_open(port, "/chat");
  peer_send_frame(&peer, 0x83, "SECRET", 6);
  peer_expect_close(&peer, 1002);
  peer_close(&peer);
  peer = peer_open(port, "/chat");
  peer_send(&peer, "\x82\xFF\0\0\0\0\0\x20\0\0", 10);
  peer_expect_close(&peer, 1009);
  peer_close(&peer);
  peer = peer_open(port, "/chat");
  peer_send_frame(&peer, 0x88, "\x03\xE8SECRET", 8);
  assert_true(peer_read_frame(&peer));
  peer_close(&peer);
  peer = peer_connect(port);
  peer_send(&peer, "\x16\x03\x01\x00\x05SECRET", 11);
  peer_read_head(&peer, target, sizeof target);
  peer_close(&peer);
  kill(program.pid, SIGTERM);
  assert_int_equal(finish(&program, log, room), 0);
  assert_null(strstr(log, "SECRET"));
  assert_null(strstr(log, "dGhlIHNhbXBsZSBub25jZQ"));
  assert_null(strstr(log, "U0VDUkVU"));
  assert_null(strstr(log, "connection 0 ")); /* what stood behind a refused request was not read as frames */
}

static int connect_twice(int port) {
  struct osprey_options options = {
      .headers = "Authorization: SECRET\nCookie: SECRET", .protocols = "", .timeout_ms = 5000};
  char url[128];
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat?token=SECRET", port);
  int64_t id = osp_ws_connect_with(url, &options, on_angry, &error);
  expect_success(error);
  WAIT_UNTIL((osp_ws_queued_bytes(id, &error), error));
  osp_release(error);
  osp_ws_connect_with(url, &options, on_angry, &error);
  say(strstr(error, "SECRET") ? "leaked\n" : "refused\n");
  osp_release(error);
  return 0;
}

/* The same of a client. WS-LOG-2 WS-LOG-3 */
static void test_the_log_of_a_client(void **state) {
  char log[16384];
  char head[4096];
  char line[64];
  int port;
  (void)state;
  int listener = peer_listen(&port);
  setenv("OSPREY_WS_LOG", "debug", 1);
  struct program program = run(connect_twice, port);
  struct peer peer = peer_accept(listener);
  peer_answer(&peer, head, sizeof head, "Set-Cookie: SECRET\r\n");
  const char *key = strstr(head, "Sec-WebSocket-Key: ");
  assert_non_null(key);
  peer_send_plain(&peer, 0x81, "SECRET payload", 14);
  peer_expect_close(&peer, 1011);
  peer_close(&peer);
  peer = peer_accept(listener);
  char second[4096];
  peer_read_head(&peer, second, sizeof second);
  peer_send_text(&peer, "HTTP/1.1 403 Forbidden\r\nSet-Cookie: SECRET\r\n\r\n");
  shutdown(peer.fd, SHUT_WR);
  read_line(&program, line, sizeof line);
  assert_string_equal(line, "refused");
  peer_close(&peer);
  assert_int_equal(finish(&program, log, sizeof log), 0);
  unsetenv("OSPREY_WS_LOG");
  close(listener);
  snprintf(line, sizeof line, " to ws://127.0.0.1:%d/chat?… is open\n", port);
  assert_non_null(strstr(log, line));
  assert_non_null(strstr(log, " has ended with 1011\n"));
  assert_null(strstr(log, "SECRET"));
  snprintf(line, sizeof line, "%.22s", key + 19);
  assert_null(strstr(log, line));
}

/* WS-LOG-1 WS-LOG-2 WS-LOG-3 WS-LOG-4 */
static void test_the_log(void **state) {
  char log[16384];
  (void)state;
  converse_and_log("off", log, sizeof log);
  assert_string_equal(log, "");
  converse_and_log("error", log, sizeof log);
  assert_string_equal(log, "");
  const char *levels[] = {NULL, "warn", "nonsense", ""};
  for (int i = 0; i < 4; i++) {
    converse_and_log(levels[i], log, sizeof log);
    assert_non_null(strstr(log, "Z websocket warn: server 2 refuses 127.0.0.1:"));
    assert_non_null(strstr(
        log, " with 403: pages of this origin may not connect: http://evil (websocketServerAllowOrigin admits it)\n"));
    /* What cannot be admitted is not said to be. */
    assert_non_null(
        strstr(log, " with 403: pages of this origin may not connect: it is not of the form scheme://host:port\n"));
    assert_non_null(strstr(log, " with 404: nothing is served at this path: /nowhere\n"));
    assert_non_null(strstr(log, "the message handler failed: angry\\x0ahandler\\x1b[31m\n"));
    assert_non_null(strstr(log, ") was closed with 1002: a reserved opcode\n"));
    assert_non_null(strstr(log, ") was closed with 1009: a message is too big (maxMessageBytes is 1048576)\n"));
    assert_non_null(strstr(log, ": this is TLS, and the server is one of ws://\n"));
    assert_null(strstr(log, " info: "));
    assert_int_equal(strstr(log, "nonsense") != NULL, i == 2);
  }
  converse_and_log("info", log, sizeof log);
  assert_non_null(strstr(log, " info: server 2 listens on ws://127.0.0.1:"));
  assert_non_null(strstr(log, " is open: 127.0.0.1:"));
  assert_non_null(strstr(log, " has ended with 1011\n"));
  assert_non_null(strstr(log, " info: server 2 has stopped\n"));
  assert_null(strstr(log, " debug: "));
  converse_and_log("debug", log, sizeof log);
  assert_non_null(strstr(log, ": a close frame with 1002 goes out\n"));
  assert_non_null(strstr(log, ": the peer closes with 1000\n"));
  unsetenv("OSPREY_WS_LOG");
}

static int serve_until_stopped(int port) {
  serve_on(port);
  say("ready\n");
  osp_ws_keep_alive(&error);
  expect_success(error);
  return 0;
}

/* The server writes lines that nobody hears, and serves. */
static void expect_service(int port) {
  for (int i = 0; i < 100; i++)
    assert_int_equal(peer_status(port, "/a-path-that-the-server-does-not-have-and-that-takes-room-in-the-log", ""),
                     404);
  struct peer peer = peer_open(port, "/chat");
  peer_send_message(&peer, "still here");
  peer_expect_text(&peer, "still here");
  peer_close(&peer);
}

/* WS-LOG-5 */
static void test_a_log_that_nobody_reads(void **state) {
  char log[16384];
  char line[64];
  (void)state;
  for (int closed = 0; closed < 2; closed++) {
    int port = peer_free_port();
    struct program program = run(serve_until_stopped, port);
    read_line(&program, line, sizeof line);
    if (closed)
      program.err = dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), program.err);
    else
      assert_true(fcntl(program.err, F_SETPIPE_SZ, 8192) >= 8192);
    expect_service(port);
    if (!closed) {
      assert_true(read(program.err, log, sizeof log) > 0);
      assert_int_equal(peer_status(port, "/nowhere", ""), 404);
    }
    kill(program.pid, SIGTERM);
    assert_int_equal(finish(&program, log, sizeof log), 0);
    if (!closed) {
      assert_non_null(strstr(log, " lines were not written: nobody read them\n"));
      assert_non_null(strstr(log, " with 404: nothing is served at this path: /nowhere\n"));
    }
  }
}

/* ---- how many loops */

static int listen_and_return(int port) {
  serve_on(port);
  return 0;
}

/* What is no number of loops is said so, and one serves. WS-THREAD-3 */
static void test_numbers_of_loops(void **state) {
  static const struct {
    const char *text;
    bool complains;
  } cases[] = {{"", false}, {"2", false}, {"0", true}, {"-1", true}, {"1000000", true}, {"two", true}, {"2x", true}};
  char log[4096];
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    setenv("OSPREY_WS_LOOPS", cases[i].text, 1);
    struct program program = run(listen_and_return, peer_free_port());
    assert_int_equal(finish(&program, log, sizeof log), 0);
    assert_int_equal(strstr(log, "OSPREY_WS_LOOPS is a number from 1 to ") != NULL, cases[i].complains);
  }
  unsetenv("OSPREY_WS_LOOPS");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_is_queued_is_sent),
      cmocka_unit_test(test_servers_say_goodbye_at_the_end),
      cmocka_unit_test(test_the_end_has_a_deadline),
      cmocka_unit_test(test_a_handler_that_stays),
      cmocka_unit_test(test_ending_the_program_inside_a_handler),
      cmocka_unit_test(test_ending_the_program_inside_a_handler_of_one_loop),
      cmocka_unit_test(test_connects_under_way_at_the_end),
      cmocka_unit_test(test_what_does_not_end_does_not_hold_the_end),
      cmocka_unit_test(test_signals_stop_every_server),
      cmocka_unit_test(test_a_signal_for_two_that_wait),
      cmocka_unit_test(test_the_log),
      cmocka_unit_test(test_the_log_of_a_client),
      cmocka_unit_test(test_a_log_that_nobody_reads),
      cmocka_unit_test(test_numbers_of_loops),
  };
  return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
