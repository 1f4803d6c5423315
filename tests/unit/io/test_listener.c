#include "io_test.h"

#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "io/listener.h"

struct fixture {
  struct ws_loop *loop;
  struct ws_bound bound;
  struct ws_listener listener;
  int accepted[64];
  int count;
  int troubles;
  bool stop_at_once;
  char peer[WS_ADDRESS_TEXT];
  char trouble[64];
};

static void fixture_accepted(struct ws_listener *listener, int fd, const struct ws_address *peer) {
  struct fixture *fixture = ws_container_of(listener, struct fixture, listener);
  fixture->accepted[fixture->count++ % 64] = fd;
  ws_address_format(peer, fixture->peer);
  if (fixture->stop_at_once)
    ws_listener_stop(listener);
}

static void fixture_troubled(struct ws_listener *listener, const char *why) {
  struct fixture *fixture = ws_container_of(listener, struct fixture, listener);
  fixture->troubles++;
  snprintf(fixture->trouble, sizeof fixture->trouble, "%s", why);
}

static const struct ws_listener_events fixture_events = {fixture_accepted, fixture_troubled};

static struct fixture *fixture_new(const char *address) {
  struct ws_why why = {""};
  struct fixture *fixture = calloc(1, sizeof *fixture);
  fixture->loop = ws_loop_new();
  if (ws_bound_open(&fixture->bound, address, 0, 1000, &why) || ws_bound_listen(&fixture->bound, &why) ||
      ws_listener_start(&fixture->listener, fixture->loop, &fixture->bound, false, &fixture_events, &why))
    fail_msg("%s", why.text);
  return fixture;
}

static void fixture_free(struct fixture *fixture) {
  for (int i = 0; i < fixture->count; i++)
    close(fixture->accepted[i]);
  ws_listener_stop(&fixture->listener);
  ws_listener_stop(&fixture->listener);
  ws_bound_close(&fixture->bound);
  ws_bound_close(&fixture->bound);
  ws_loop_free(fixture->loop);
  free(fixture);
}

/* Connects a blocking client to the fixture's address. */
static int connect_to(const struct ws_address *address) {
  int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(connect(fd, &address->any, ws_address_length(address)), 0);
  return fd;
}

static bool have_ipv6(void) {
  struct ws_address address;
  assert_true(ws_address_parse("::1", 0, &address));
  int fd = socket(AF_INET6, SOCK_STREAM, 0);
  bool have = fd >= 0 && bind(fd, &address.any, ws_address_length(&address)) == 0;
  if (fd >= 0)
    close(fd);
  return have;
}

static void assert_reachable(struct fixture *fixture, const char *host, const char *peer_prefix) {
  struct ws_address address;
  int before = fixture->count;
  assert_true(ws_address_parse(host, ws_address_port(&fixture->bound.addresses[0]), &address));
  int client = connect_to(&address);
  turn_until(fixture->loop, fixture->count == before + 1);
  assert_memory_equal(fixture->peer, peer_prefix, strlen(peer_prefix));
  close(client);
}

/* WS-CREATE-3 */
static void test_ipv4(void **state) {
  (void)state;
  struct fixture *fixture = fixture_new("127.0.0.1");
  assert_true(ws_bound_is_loopback(&fixture->bound));
  assert_reachable(fixture, "127.0.0.1", "127.0.0.1:");
  fixture_free(fixture);
  fixture = fixture_new("0.0.0.0");
  assert_false(ws_bound_is_loopback(&fixture->bound));
  assert_reachable(fixture, "127.0.0.1", "127.0.0.1:");
  fixture_free(fixture);
}

/* WS-CREATE-3 */
static void test_ipv6_and_names(void **state) {
  (void)state;
  struct fixture *fixture = fixture_new("localhost");
  assert_true(ws_bound_is_loopback(&fixture->bound));
  assert_int_equal(fixture->bound.count, have_ipv6() ? 2 : 1);
  assert_reachable(fixture, "127.0.0.1", "127.0.0.1:");
  if (have_ipv6())
    assert_reachable(fixture, "::1", "[::1]:");
  fixture_free(fixture);
  if (!have_ipv6())
    return;
  fixture = fixture_new("::1");
  assert_reachable(fixture, "::1", "[::1]:");
  fixture_free(fixture);
  fixture = fixture_new("::");
  assert_reachable(fixture, "::1", "[::1]:");
  assert_reachable(fixture, "127.0.0.1", "127.0.0.1:");
  fixture_free(fixture);
}

/* WS-CREATE-5 */
static void test_used_port(void **state) {
  (void)state;
  struct fixture *fixture = fixture_new("127.0.0.1");
  struct ws_bound bound;
  struct ws_why why;
  char expected[128], text[WS_ADDRESS_TEXT];
  uint16_t port = ws_address_port(&fixture->bound.addresses[0]);
  snprintf(expected, sizeof expected, "%s: Address already in use",
           ws_address_format(&fixture->bound.addresses[0], text));
  assert_int_equal(ws_bound_open(&bound, "127.0.0.1", port, 1000, &why), -1);
  assert_string_equal(why.text, expected);
  assert_int_equal(ws_bound_open(&bound, "0.0.0.0", port, 1000, &why), -1);
  fixture_free(fixture);
}

/* Both are bound before either listens: WS-CREATE-5 */
static void test_used_port_seen_by_listen(void **state) {
  (void)state;
  struct ws_bound first, second;
  struct ws_why why;
  assert_int_equal(ws_bound_open(&first, "127.0.0.1", 0, 1000, &why), 0);
  assert_int_equal(ws_bound_open(&second, "127.0.0.1", ws_address_port(&first.addresses[0]), 1000, &why), 0);
  assert_int_equal(ws_bound_listen(&first, &why), 0);
  assert_int_equal(ws_bound_listen(&second, &why), -1);
  assert_non_null(strstr(why.text, ": Address already in use"));
  ws_bound_close(&first);
  ws_bound_close(&second);
}

/* WS-CREATE-4 */
static void test_addresses_that_cannot_be(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"", "the address is empty"},
      {"192.0.2.1", "192.0.2.1:0: Cannot assign requested address"},
      {"a-label-of-more-than-sixty-three-characters-which-no-name-server-can-ever-be-asked.example",
       "resolve a-label-of"},
      {"bad name", "resolve bad name: "},
      {"1::", "[1::]:0: "},
      {"0:0:1::", "[0:0:1::]:0: "},
      {"::1:0:0:0", "[::1:0:0:0]:0: "},
      {"::2", "[::2]:0: "},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ws_bound bound;
    struct ws_why why = {""};
    assert_int_equal(ws_bound_open(&bound, cases[i][0], 0, 20000, &why), -1);
    assert_memory_equal(why.text, cases[i][1], strlen(cases[i][1]));
  }
}

static void test_accepted_sockets(void **state) {
  (void)state;
  struct fixture *fixture = fixture_new("127.0.0.1");
  int client = connect_to(&fixture->bound.addresses[0]);
  turn_until(fixture->loop, fixture->count == 1);
  int fd = fixture->accepted[0];
  int no_delay = 0;
  socklen_t length = sizeof no_delay;
  assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &length), 0);
  assert_true(no_delay);
  assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
  assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  close(client);
  fixture_free(fixture);
}

/* Lowers the limit of descriptors and opens all. Returns how many. */
static int exhaust(int fds[static 64], struct rlimit *before) {
  assert_int_equal(getrlimit(RLIMIT_NOFILE, before), 0);
  struct rlimit low = {.rlim_cur = (rlim_t)test_lowest_free_fd() + 32, .rlim_max = before->rlim_max};
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
  int count = 0;
  while (count < 64 && (fds[count] = dup(STDERR_FILENO)) >= 0)
    count++;
  assert_int_equal(errno, EMFILE);
  return count;
}

/* WS-SEC-12 */
static void test_descriptors_run_out(void **state) {
  (void)state;
  struct fixture *fixture = fixture_new("127.0.0.1");
  int clients[3];
  for (int i = 0; i < 3; i++)
    clients[i] = connect_to(&fixture->bound.addresses[0]);
  int fds[64];
  struct rlimit before;
  int taken = exhaust(fds, &before);
  turn_until(fixture->loop, fixture->troubles > 0);
  assert_int_equal(ws_loop_turn(fixture->loop, 0), 0);
  assert_int_equal(fixture->count, 0);
  assert_int_equal(fixture->troubles, 1);
  assert_string_equal(fixture->trouble, "Too many open files");
  for (int i = 0; i < 3; i++) {
    char byte;
    assert_true(recv(clients[i], &byte, 1, 0) <= 0);
    close(clients[i]);
  }
  while (taken > 0)
    close(fds[--taken]);
  setrlimit(RLIMIT_NOFILE, &before);
  assert_reachable(fixture, "127.0.0.1", "127.0.0.1:");
  fixture_free(fixture);
}

/* Without the spare descriptor, the timer resumes accepting: WS-SEC-12 */
static void test_descriptors_run_out_without_a_spare(void **state) {
  (void)state;
  struct fixture *fixture = fixture_new("127.0.0.1");
  close(fixture->listener.spare);
  fixture->listener.spare = -1;
  int client = connect_to(&fixture->bound.addresses[0]);
  int fds[64];
  struct rlimit before;
  int taken = exhaust(fds, &before);
  turn_until(fixture->loop, fixture->troubles > 0);
  while (taken > 0)
    close(fds[--taken]);
  setrlimit(RLIMIT_NOFILE, &before);
  turn_until(fixture->loop, fixture->count == 1);
  assert_true(fixture->listener.spare >= 0);
  assert_int_equal(fixture->troubles, 1);
  close(client);
  fixture_free(fixture);
}

static void test_stopped_while_accepting(void **state) {
  (void)state;
  struct fixture *fixture = fixture_new("127.0.0.1");
  fixture->stop_at_once = true;
  int clients[3];
  for (int i = 0; i < 3; i++)
    clients[i] = connect_to(&fixture->bound.addresses[0]);
  turn_until(fixture->loop, fixture->count == 1);
  assert_int_equal(ws_loop_turn(fixture->loop, 0), 0);
  assert_int_equal(fixture->count, 1);
  for (int i = 0; i < 3; i++)
    close(clients[i]);
  fixture_free(fixture);
}

/* The server closes first, which leaves its port with a connection in TIME_WAIT: WS-CREATE-8 */
static void test_port_can_be_bound_again(void **state) {
  (void)state;
  struct fixture *fixture = fixture_new("127.0.0.1");
  uint16_t port = ws_address_port(&fixture->bound.addresses[0]);
  int client = connect_to(&fixture->bound.addresses[0]);
  turn_until(fixture->loop, fixture->count == 1);
  fixture_free(fixture);
  char byte;
  assert_int_equal(recv(client, &byte, 1, 0), 0);
  close(client);
  struct ws_bound again;
  struct ws_why why = {""};
  assert_int_equal(ws_bound_open(&again, "127.0.0.1", port, 1000, &why), 0);
  assert_int_equal(ws_bound_listen(&again, &why), 0);
  ws_bound_close(&again);
}

struct sharer {
  struct ws_loop *loop;
  struct ws_listener listener;
  pthread_t thread;
  struct ws_task stop;
  bool stopped;
  int count;
};

static atomic_int shared_count;

static void sharer_accepted(struct ws_listener *listener, int fd, const struct ws_address *peer) {
  (void)peer;
  ws_container_of(listener, struct sharer, listener)->count++;
  atomic_fetch_add(&shared_count, 1);
  close(fd);
}

static const struct ws_listener_events sharer_events = {sharer_accepted, fixture_troubled};

static void sharer_stop(struct ws_loop *loop, struct ws_task *task) {
  (void)loop;
  struct sharer *sharer = ws_container_of(task, struct sharer, stop);
  ws_listener_stop(&sharer->listener);
  sharer->stopped = true;
}

static void *sharer_run(void *context) {
  struct sharer *sharer = context;
  intptr_t result = 0;
  while (!sharer->stopped && result == 0)
    result = ws_loop_turn(sharer->loop, -1);
  return (void *)result;
}

static void test_loops_share_a_socket(void **state) {
  enum { LOOPS = 3, CLIENTS = 300 };
  (void)state;
  struct ws_bound bound;
  struct ws_why why = {""};
  struct sharer sharers[LOOPS] = {0};
  assert_int_equal(ws_bound_open(&bound, "127.0.0.1", 0, 1000, &why), 0);
  assert_int_equal(ws_bound_listen(&bound, &why), 0);
  atomic_store(&shared_count, 0);
  for (int i = 0; i < LOOPS; i++) {
    sharers[i].loop = ws_loop_new();
    sharers[i].stop.run = sharer_stop;
    assert_int_equal(ws_listener_start(&sharers[i].listener, sharers[i].loop, &bound, true, &sharer_events, &why), 0);
    assert_int_equal(pthread_create(&sharers[i].thread, NULL, sharer_run, &sharers[i]), 0);
  }
  for (int i = 0; i < CLIENTS; i++) {
    char byte;
    int fd = connect_to(&bound.addresses[0]);
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    close(fd);
  }
  int total = 0;
  for (int i = 0; i < LOOPS; i++) {
    void *result;
    ws_loop_post(sharers[i].loop, &sharers[i].stop);
    pthread_join(sharers[i].thread, &result);
    assert_null(result);
    total += sharers[i].count;
    ws_loop_free(sharers[i].loop);
  }
  assert_int_equal(total, CLIENTS);
  ws_bound_close(&bound);
}

/* Stopping a zeroed listener has no effect. */
static void test_stopping_what_never_started(void **state) {
  (void)state;
  struct ws_listener listener = {0};
  ws_listener_stop(&listener);
  assert_null(listener.loop);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ipv4),
      cmocka_unit_test(test_ipv6_and_names),
      cmocka_unit_test(test_used_port),
      cmocka_unit_test(test_used_port_seen_by_listen),
      cmocka_unit_test(test_addresses_that_cannot_be),
      cmocka_unit_test(test_accepted_sockets),
      cmocka_unit_test(test_descriptors_run_out),
      cmocka_unit_test(test_descriptors_run_out_without_a_spare),
      cmocka_unit_test(test_stopped_while_accepting),
      cmocka_unit_test(test_port_can_be_bound_again),
      cmocka_unit_test(test_loops_share_a_socket),
      cmocka_unit_test(test_stopping_what_never_started),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
