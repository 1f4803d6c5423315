/* Look-ups and connecting. The getaddrinfo below stands in for name servers: it answers names under .slow, .broken and
 * .many itself, and passes every other name to the C library. */
#include "io_test.h"

#include <dlfcn.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <semaphore.h>

#include "io/dial.h"
#include "io/resolver.h"

static sem_t slow_may_answer, slow_was_asked, slow_has_answered;

static int real_getaddrinfo(const char *host, const struct addrinfo *hints, struct addrinfo **list) {
  int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
  return real(host, NULL, hints, list);
}

/* Two IPv6 addresses, then twenty of IPv4. */
static int many_addresses(const struct addrinfo *hints, struct addrinfo **list) {
  struct addrinfo **end = list;
  for (int i = 0; i < 22; i++) {
    char host[64];
    snprintf(host, sizeof host, i < 2 ? "2001:db8::%d" : "192.0.2.%d", i);
    int result = real_getaddrinfo(host, hints, end);
    if (result)
      return result;
    end = &(*end)->ai_next;
  }
  return 0;
}

static int slow_answer(const struct addrinfo *hints, struct addrinfo **list) {
  sem_post(&slow_was_asked);
  sem_wait(&slow_may_answer);
  int result = real_getaddrinfo("127.0.0.1", hints, list);
  sem_post(&slow_has_answered);
  return result;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list) {
  (void)service;
  const char *domain = strrchr(host, '.');
  if (domain && strcmp(domain, ".slow") == 0)
    return slow_answer(hints, list);
  if (domain && strcmp(domain, ".many") == 0)
    return many_addresses(hints, list);
  if (domain && strcmp(domain, ".broken") == 0) {
    errno = EMFILE;
    return EAI_SYSTEM;
  }
  return real_getaddrinfo(host, hints, list);
}

struct outcome {
  int calls;
  int fd;
  struct ws_why why;
};

static void dialled(void *context, int fd, const struct ws_why *why) {
  struct outcome *outcome = context;
  outcome->calls++;
  outcome->fd = fd;
  if (fd < 0)
    outcome->why = *why;
}

static int setup(void **state) {
  *state = ws_loop_new();
  sem_init(&slow_may_answer, 0, 0);
  sem_init(&slow_was_asked, 0, 0);
  sem_init(&slow_has_answered, 0, 0);
  return *state ? 0 : -1;
}

static int teardown(void **state) {
  ws_loop_free(*state);
  return 0;
}

static struct outcome dial(struct ws_loop *loop, const char *host, uint16_t port, int64_t timeout_ms) {
  struct outcome outcome = {.fd = -1};
  struct ws_why why;
  assert_non_null(ws_dial_start(loop, host, port, timeout_ms, dialled, &outcome, &why));
  assert_int_equal(outcome.calls, 0);
  turn_until(loop, outcome.calls == 1);
  return outcome;
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

/* Binds a port on which nobody listens, so that no other process can. */
static int reserve_port(const char *host, uint16_t *port) {
  struct ws_address address;
  assert_true(ws_address_parse(host, 0, &address));
  int fd = socket(address.any.sa_family, SOCK_STREAM, 0);
  assert_int_equal(bind(fd, &address.any, ws_address_length(&address)), 0);
  assert_int_equal(ws_address_of_socket(fd, &address), 0);
  *port = ws_address_port(&address);
  return fd;
}

static void assert_connected(struct ws_loop *loop, const char *host, int listening, uint16_t port) {
  struct outcome outcome = dial(loop, host, port, 5000);
  assert_true(outcome.fd >= 0);
  int no_delay = 0;
  socklen_t length = sizeof no_delay;
  assert_int_equal(getsockopt(outcome.fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &length), 0);
  assert_true(no_delay);
  assert_true(fcntl(outcome.fd, F_GETFL) & O_NONBLOCK);
  int accepted = accept(listening, NULL, NULL);
  assert_true(accepted >= 0);
  assert_int_equal(send(outcome.fd, "x", 1, 0), 1);
  char byte;
  assert_int_equal(recv(accepted, &byte, 1, 0), 1);
  close(accepted);
  close(outcome.fd);
}

static void test_connects(void **state) {
  struct ws_address address;
  int listening = test_listen("127.0.0.1", 5, &address);
  uint16_t port = ws_address_port(&address);
  assert_connected(*state, "127.0.0.1", listening, port);
  assert_connected(*state, "localhost", listening, port);
  assert_connected(*state, "LocalHost.", listening, port);
  sem_post(&slow_may_answer);
  assert_connected(*state, "host.slow", listening, port);
  close(listening);
  if (!have_ipv6())
    return;
  listening = test_listen("::1", 5, &address);
  assert_connected(*state, "::1", listening, ws_address_port(&address));
  close(listening);
}

/* WS-CONNECT-6 */
static void test_refused(void **state) {
  uint16_t port;
  char expected[256];
  int reserved = reserve_port("127.0.0.1", &port);
  int lowest = test_lowest_free_fd();
  struct outcome outcome = dial(*state, "127.0.0.1", port, 5000);
  snprintf(expected, sizeof expected, "connect 127.0.0.1:%u: Connection refused", port);
  assert_int_equal(outcome.fd, -1);
  assert_string_equal(outcome.why.text, expected);

  outcome = dial(*state, "localhost", port, 5000);
  assert_memory_equal(outcome.why.text, expected, strlen(expected));
  snprintf(expected, sizeof expected, "; connect [::1]:%u: ", port);
  assert_non_null(strstr(outcome.why.text, expected));
  assert_int_equal(test_lowest_free_fd(), lowest);
  close(reserved);
}

/* WS-CONNECT-5 */
static void test_unknown_name(void **state) {
  struct outcome outcome = dial(*state, "bad name", 80, 19000);
  assert_int_equal(outcome.fd, -1);
  assert_memory_equal(outcome.why.text, "resolve bad name: ", 18);
  assert_true(strlen(outcome.why.text) > 18);
}

/* Listens with a full accept queue: further clients get no answer. `fillers` are in the queue. */
static int deaf_listener(struct ws_address *address, int fillers[static 8]) {
  int listening = test_listen("127.0.0.1", 0, address);
  for (int i = 0; i < 8; i++) {
    fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)!connect(fillers[i], &address->any, ws_address_length(address));
  }
  return listening;
}

static void close_all(int listening, const int fillers[static 8]) {
  close(listening);
  for (int i = 0; i < 8; i++)
    close(fillers[i]);
}

/* WS-CONNECT-9 */
static void test_deadline_of_connecting(void **state) {
  struct ws_address address;
  int fillers[8];
  char expected[256];
  int deaf = deaf_listener(&address, fillers);
  int lowest = test_lowest_free_fd();
  int64_t started = test_now();
  struct outcome outcome = dial(*state, "127.0.0.1", ws_address_port(&address), 120);
  assert_true(test_now() - started >= 120);
  snprintf(expected, sizeof expected, "connect 127.0.0.1:%u: no answer within 120 ms", ws_address_port(&address));
  assert_string_equal(outcome.why.text, expected);
  assert_int_equal(test_lowest_free_fd(), lowest);
  close_all(deaf, fillers);
}

/* One of two addresses refuses, the other does not answer. Then the deadline passes before the second is tried:
 * WS-CONNECT-6 WS-CONNECT-9 */
static void test_deadline_of_one_of_two(void **state) {
  if (!have_ipv6())
    skip();
  struct ws_address address;
  int fillers[8];
  char expected[256];
  int deaf = deaf_listener(&address, fillers);
  unsigned port = ws_address_port(&address);
  struct outcome outcome = dial(*state, "localhost", (uint16_t)port, 1000);
  snprintf(expected, sizeof expected,
           "connect [::1]:%u: Connection refused; connect 127.0.0.1:%u: no answer within 1000 ms", port, port);
  assert_string_equal(outcome.why.text, expected);
  outcome = dial(*state, "localhost", (uint16_t)port, 50);
  snprintf(expected, sizeof expected, "connect 127.0.0.1:%u: no answer within 50 ms", port);
  assert_string_equal(outcome.why.text, expected);
  close_all(deaf, fillers);
}

/* WS-CONNECT-5 */
static void test_errors_have_sentences(void **state) {
  (void)state;
  assert_string_equal(ws_why_errno(ECONNREFUSED), "Connection refused");
  assert_string_equal(ws_why_errno(123456), "Unknown error");
}

/* WS-CONNECT-9 */
static void test_deadline_of_the_look_up(void **state) {
  struct outcome outcome = dial(*state, "host.slow", 80, 50);
  assert_string_equal(outcome.why.text, "resolve host.slow: no answer within 50 ms");
  sem_post(&slow_may_answer);
  sem_wait(&slow_has_answered);
}

/* The first address of localhost does not answer, the second does: DIAL-5 */
static void test_stagger(void **state) {
  if (!have_ipv6())
    skip();
  struct ws_address deaf_address, address;
  int fillers[8];
  int deaf = deaf_listener(&deaf_address, fillers);
  assert_true(ws_address_parse("::1", ws_address_port(&deaf_address), &address));
  int listening = socket(AF_INET6, SOCK_STREAM, 0);
  assert_int_equal(bind(listening, &address.any, ws_address_length(&address)), 0);
  assert_int_equal(listen(listening, 5), 0);
  int64_t started = test_now();
  struct outcome outcome = dial(*state, "localhost", ws_address_port(&address), 10000);
  int64_t taken = test_now() - started;
  assert_true(outcome.fd >= 0);
  assert_true(taken >= 250 && taken < 5000);
  close(outcome.fd);
  close_all(deaf, fillers);

  started = test_now();
  outcome = dial(*state, "localhost", ws_address_port(&address), 10000);
  assert_true(outcome.fd >= 0);
  assert_true(test_now() - started < 250);
  close(outcome.fd);
  close(listening);
}

/* Cancels before the look-up has answered, after it, and while connecting. */
static void test_cancel(void **state) {
  struct ws_address address;
  int fillers[8];
  int deaf = deaf_listener(&address, fillers);
  int lowest = test_lowest_free_fd();
  for (int turns = 0; turns < 4; turns++) {
    struct outcome outcome = {.fd = -1};
    struct ws_why why;
    struct ws_dial *started =
        ws_dial_start(*state, "127.0.0.1", ws_address_port(&address), 10000, dialled, &outcome, &why);
    for (int i = 0; i < turns; i++)
      assert_int_equal(ws_loop_turn(*state, 0), 0);
    assert_int_equal(test_lowest_free_fd() > lowest, turns > 0);
    ws_dial_cancel(started);
    assert_int_equal(ws_loop_turn(*state, 0), 0);
    assert_int_equal(outcome.calls, 0);
    assert_int_equal(test_lowest_free_fd(), lowest);
  }
  close_all(deaf, fillers);
}

static void looked_up(void *context, const struct ws_addresses *addresses, const struct ws_why *why) {
  (void)why;
  *(int *)context = addresses ? addresses->count : -1;
}

static void test_cancelled_look_up_outlives_its_loop(void **state) {
  (void)state;
  struct ws_loop *loop = ws_loop_new();
  struct ws_why why;
  int count = 0;
  struct ws_resolver *lookup = ws_resolver_start(loop, "host.slow", 80, looked_up, &count, &why);
  assert_non_null(lookup);
  sem_wait(&slow_was_asked);
  ws_resolver_cancel(lookup);
  ws_loop_free(loop);
  sem_post(&slow_may_answer);
  sem_wait(&slow_has_answered);
  assert_int_equal(count, 0);
}

/* Cancels when the answer has been posted and the loop has not run it. */
static void test_cancelled_after_the_answer(void **state) {
  struct ws_why why;
  int count = 0;
  ws_resolver_cancel(ws_resolver_start(*state, "127.0.0.1", 80, looked_up, &count, &why));
  assert_int_equal(ws_loop_turn(*state, 0), 0);
  assert_int_equal(count, 0);
}

/* DIAL-8 */
static void test_fast_answers(void **state) {
  static const char *const hosts[] = {"127.0.0.1", "::1", "localhost", "LOCALHOST."};
  (void)state;
  for (int i = 0; i < 4; i++) {
    struct ws_addresses addresses;
    struct ws_why why;
    assert_int_equal(ws_resolver_resolve(hosts[i], 8080, 0, &addresses, &why), 0);
    assert_int_equal(addresses.count, i < 2 ? 1 : 2);
    assert_int_equal(ws_address_port(&addresses.at[0]), 8080);
    assert_true(ws_address_is_loopback(&addresses.at[addresses.count - 1]));
  }
}

static void test_waiting_look_up_has_a_deadline(void **state) {
  (void)state;
  struct ws_addresses addresses;
  struct ws_why why;
  int64_t started = test_now();
  assert_int_equal(ws_resolver_resolve("host.slow", 80, 40, &addresses, &why), -1);
  assert_string_equal(why.text, "resolve host.slow: no answer within 40 ms");
  assert_true(test_now() - started >= 40);
  sem_post(&slow_may_answer);
  sem_wait(&slow_has_answered);
  sem_post(&slow_may_answer);
  assert_int_equal(ws_resolver_resolve("host.slow", 80, 10000, &addresses, &why), 0);
  assert_int_equal(addresses.count, 1);
}

/* WS-CONNECT-5 */
static void test_look_up_that_the_system_fails(void **state) {
  (void)state;
  struct ws_addresses addresses;
  struct ws_why why;
  assert_int_equal(ws_resolver_resolve("host.broken", 80, 10000, &addresses, &why), -1);
  assert_string_equal(why.text, "resolve host.broken: Too many open files");
}

/* Families alternate, starting with that of the first address, up to the capacity of the list: DIAL-5 */
static void test_families_take_turns(void **state) {
  (void)state;
  static const char *const expected[] = {"[2001:db8::]:80", "192.0.2.2:80", "[2001:db8::1]:80", "192.0.2.3:80",
                                         "192.0.2.4:80"};
  struct ws_addresses addresses;
  struct ws_why why;
  char text[WS_ADDRESS_TEXT];
  assert_int_equal(ws_resolver_resolve("host.many", 80, 10000, &addresses, &why), 0);
  assert_int_equal(addresses.count, WS_RESOLVER_MAX);
  for (int i = 0; i < 5; i++)
    assert_string_equal(ws_address_format(&addresses.at[i], text), expected[i]);
}

/* WS-REMOTE-1 */
static void test_addresses_as_text(void **state) {
  static const char *const cases[][2] = {
      {"192.0.2.1", "192.0.2.1:80"},       {"::1", "[::1]:80"},
      {"2001:DB8::1", "[2001:db8::1]:80"}, {"::ffff:192.0.2.1", "192.0.2.1:80"},
      {"fe80::1%1", "[fe80::1%1]:80"},     {"fe80::1%lo", "[fe80::1%1]:80"},
      {"fe80::1%77", "[fe80::1%77]:80"},
  };
  static const char *const wrong[] = {"",       "localhost",       "1.2.3",       "1.2.3.4.5",         "256.1.1.1",
                                      "::1%",   "[::1]",           "::1%nowhere", "1:2:3:4:5:6:7:8:9", " ::1",
                                      "0x7f.1", "::1%99999999999", "::1%7x"};
  (void)state;
  struct ws_address address;
  char text[WS_ADDRESS_TEXT];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_true(ws_address_parse(cases[i][0], 80, &address));
    assert_string_equal(ws_address_format(&address, text), cases[i][1]);
  }
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    assert_false(ws_address_parse(wrong[i], 80, &address));
}

static void test_networks(void **state) {
  (void)state;
  struct ws_address one, other, network, same;
  assert_true(ws_address_parse("2001:db8::1", 1, &one) && ws_address_parse("2001:db8::a:b:c:d", 1, &other));
  assert_true(ws_address_network(&one, &network) && ws_address_network(&other, &same));
  assert_memory_equal(&network.v6.sin6_addr, &same.v6.sin6_addr, 16);
  assert_true(ws_address_parse("2001:db8:0:1::1", 1, &other) && ws_address_network(&other, &same));
  assert_memory_not_equal(&network.v6.sin6_addr, &same.v6.sin6_addr, 16);
  assert_true(ws_address_parse("::ffff:10.0.0.1", 1, &one) && ws_address_parse("10.0.0.1", 1, &other));
  assert_false(ws_address_network(&one, &network) || ws_address_network(&other, &network));
}

static void test_host_of_an_address(void **state) {
  (void)state;
  struct ws_address address;
  uint8_t plain[16], mapped[16], other[16];
  assert_true(ws_address_parse("192.0.2.1", 80, &address));
  ws_address_host(&address, plain);
  assert_true(ws_address_parse("::ffff:192.0.2.1", 81, &address));
  ws_address_host(&address, mapped);
  assert_true(ws_address_parse("192.0.2.2", 80, &address));
  ws_address_host(&address, other);
  assert_memory_equal(plain, mapped, 16);
  assert_memory_not_equal(plain, other, 16);
  assert_false(ws_address_is_loopback(&address));
  assert_true(ws_address_parse("::ffff:127.9.9.9", 80, &address));
  assert_true(ws_address_is_loopback(&address));
  assert_true(ws_address_parse("::ffff:192.0.2.1", 80, &address));
  assert_false(ws_address_is_loopback(&address));
  static const char *const others[] = {"::2",
                                       "1::1",
                                       "0:0:1::1",
                                       "0:0:0:0:1::1",
                                       "0:0:0:0:0:1::1",
                                       "1::ffff:127.0.0.1",
                                       "0:0:1:0:0:ffff:127.0.0.1",
                                       "0:0:0:0:1:ffff:127.0.0.1"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    assert_true(ws_address_parse(others[i], 80, &address));
    assert_false(ws_address_is_loopback(&address));
  }
}

#define dial_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      dial_test(test_connects),
      dial_test(test_refused),
      dial_test(test_unknown_name),
      dial_test(test_deadline_of_connecting),
      dial_test(test_deadline_of_one_of_two),
      dial_test(test_errors_have_sentences),
      dial_test(test_deadline_of_the_look_up),
      dial_test(test_stagger),
      dial_test(test_cancel),
      dial_test(test_cancelled_look_up_outlives_its_loop),
      dial_test(test_cancelled_after_the_answer),
      dial_test(test_fast_answers),
      dial_test(test_waiting_look_up_has_a_deadline),
      dial_test(test_look_up_that_the_system_fails),
      dial_test(test_families_take_turns),
      dial_test(test_addresses_as_text),
      dial_test(test_host_of_an_address),
      dial_test(test_networks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
