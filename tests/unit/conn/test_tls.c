/* wss, client and server: certificates, deadlines, fairness, and peers that do not speak TLS. */
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/tls_fixture.h"
#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;
static struct tls_identity authority;
static struct tls_identity good;
static struct tls_identity other_host;
static struct tls_identity expired;
static struct tls_identity stranger;

static int make_identities(void **state) {
  (void)state;
  tls_fixture_issue(&authority,
                    &(struct tls_request){.name = "authority", .to_days = 10, .from_days = -1, .authority = 1});
  tls_fixture_issue(&good, &(struct tls_request){.name = "good",
                                                 .alternatives = "DNS:localhost,IP:127.0.0.1",
                                                 .from_days = -1,
                                                 .to_days = 10,
                                                 .issuer = &authority});
  tls_fixture_issue(&other_host, &(struct tls_request){.name = "other",
                                                       .alternatives = "DNS:elsewhere.example",
                                                       .from_days = -1,
                                                       .to_days = 10,
                                                       .issuer = &authority});
  tls_fixture_issue(&expired, &(struct tls_request){.name = "expired",
                                                    .alternatives = "DNS:localhost,IP:127.0.0.1",
                                                    .from_days = -10,
                                                    .to_days = -1,
                                                    .issuer = &authority});
  tls_fixture_issue(
      &stranger, &(struct tls_request){
                     .name = "stranger", .alternatives = "DNS:localhost,IP:127.0.0.1", .from_days = -1, .to_days = 10});
  setenv("SSL_CERT_FILE", authority.certificate_file, 1);
  return 0;
}

static int free_identities(void **state) {
  (void)state;
  struct tls_identity *all[] = {&authority, &good, &other_host, &expired, &stranger};
  for (int i = 0; i < 5; i++)
    tls_fixture_free(all[i]);
  tls_fixture_remove();
  return 0;
}

static int64_t serve_secure(int *port, const struct tls_identity *identity) {
  *port = peer_free_port();
  int64_t server =
      osp_ws_create_secure_server(*port, "127.0.0.1", "/", identity->certificate_file, identity->key_file, &error);
  expect_success(error);
  must_set(osp_ws_server_on_message, server, on_echo);
  must_set(osp_ws_server_on_close, server, on_close);
  must_listen(server);
  return server;
}

static void *learn_url(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  (void)cell;
  journal_write("%s %zu %.5s", connection->url, strlen(message->data), message->data);
  return result_success();
}

static void *on_learn[] = {(void *)learn_url};

/* WS-SECURE-1 TLS-1 */
static void test_a_secure_conversation(void **state) {
  struct osprey_options options = {.headers = "", .protocols = ""};
  char url[64];
  char line[128];
  int port;
  (void)state;
  int64_t server = serve_secure(&port, &good);
  const char *hosts[] = {"localhost", "127.0.0.1"};
  for (int i = 0; i < 2; i++) {
    snprintf(url, sizeof url, "wss://%s:%d/", hosts[i], port);
    int64_t id = must_connect_with(url, &options, on_learn);
    must_send(id, "hello");
    snprintf(line, sizeof line, "%s 5 hello", url);
    journal_expect(line);
    size_t size = 1000000;
    char *text = malloc(size + 1);
    assert_non_null(text);
    memset(text, 'x', size);
    text[size] = '\0';
    must_send(id, text);
    snprintf(line, sizeof line, "%s 1000000 xxxxx", url);
    journal_expect(line);
    osp_ws_server_broadcast(server, text, &error);
    expect_success(error);
    journal_expect(line);
    free(text);
    must_close(id);
    journal_expect("close:1000:");
  }
  must_stop(server);
}

/* The server is OpenSSL, without the runtime: TLS-1 */
static void test_a_client_of_another_tls_server(void **state) {
  struct connecting c = {.options = &(struct osprey_options){.headers = "", .protocols = ""}, .handler = on_message};
  char head[4096];
  int port;
  (void)state;
  int listener = peer_listen(&port);
  connecting_start_secure(&c, port, "/");
  struct peer peer = peer_accept(listener);
  peer_start_tls(&peer, &good);
  peer_answer(&peer, head, sizeof head, "");
  int64_t id = connecting_join(&c);
  expect_success(c.error);
  peer_send_plain(&peer, 0x81, "hello", 5);
  journal_expect("text:hello");
  must_send(id, "and back");
  peer_expect_text(&peer, "and back");
  peer_send_plain(&peer, 0x88, "\x03\xe8", 2);
  peer_expect_close(&peer, 1000);
  peer_close(&peer);
  close(listener);
}

/* Connects to a server with this identity. The error must have this part. */
static void refused(const struct tls_identity *identity, const char *part) {
  char url[64];
  int port;
  int64_t server = serve_secure(&port, identity);
  snprintf(url, sizeof url, "wss://localhost:%d/", port);
  osp_ws_connect(url, on_text, &error);
  expect_error_with(error, part);
  must_stop(server);
}

/* TLS-1 */
static void test_certificates_that_are_refused(void **state) {
  (void)state;
  refused(&other_host, "localhost");
  refused(&expired, "expired");
  refused(&stranger, "trust");
}

/* WS-SECURE-2 */
static void test_a_key_of_another_certificate(void **state) {
  (void)state;
  osp_ws_create_secure_server(peer_free_port(), "127.0.0.1", "/", good.certificate_file, expired.key_file, &error);
  expect_error_with(error, expired.key_file);
}

/* WS-SECURE-3 TLS-1 WS-CONNECT-9 */
static void test_ends_that_do_not_speak_tls(void **state) {
  struct osprey_options options = {.headers = "", .protocols = "", .timeout_ms = 300};
  char url[64];
  char rest[512];
  int port;
  (void)state;
  int64_t server = serve_secure(&port, &good);
  struct peer peer = peer_connect(port);
  peer_send_text(&peer, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  peer_read_all(&peer, rest, sizeof rest);
  assert_null(strstr(rest, "101"));
  peer_close(&peer);
  struct peer silent = peer_connect(port);
  snprintf(url, sizeof url, "wss://localhost:%d/", port);
  int64_t id = must_connect(url); /* the server serves others */
  must_close(id);
  peer_close(&silent);
  must_stop(server);
  int64_t plain = must_serve(&port);
  snprintf(url, sizeof url, "wss://127.0.0.1:%d/chat", port);
  osp_ws_connect(url, on_text, &error);
  expect_error_with(error, "TLS");
  must_stop(plain);
  int listener = peer_listen(&port);
  snprintf(url, sizeof url, "wss://127.0.0.1:%d/", port);
  osp_ws_connect_with(url, &options, on_message, &error);
  expect_error_with(error, "no answer within 300 ms, during the TLS handshake");
  close(listener);
}

struct flood {
  pthread_t thread;
  struct peer peer; /* tolerant: it is shut down while it sends */
  atomic_bool over;
  atomic_int rounds; /* batches sent */
};

static void *flood_run(void *argument) {
  struct flood *flood = argument;
  static const uint8_t ping[] = {0x89, 0x80, 1, 2, 3, 4};
  uint8_t pings[2666 * sizeof ping]; /* ends within a TLS record */
  for (size_t i = 0; i < sizeof pings; i++)
    pings[i] = ping[i % sizeof ping];
  while (!atomic_load(&flood->over)) {
    peer_send(&flood->peer, pings, sizeof pings);
    atomic_fetch_add(&flood->rounds, 1);
  }
  return NULL;
}

static struct peer open_tls(int port) {
  struct peer peer = peer_connect(port);
  peer_start_tls(&peer, NULL);
  peer_shake(&peer, port, "/", "");
  return peer;
}

static void flood_connect(struct flood *flood, int port) {
  *flood = (struct flood){.peer = open_tls(port)};
  flood->peer.tolerant = true;
}

/* Starts a client that sends pings as fast as it can and reads nothing. */
static void flood_begin(struct flood *flood, int port) {
  flood_connect(flood, port);
  assert_int_equal(pthread_create(&flood->thread, NULL, flood_run, flood), 0);
}

static void flood_end(struct flood *flood) {
  atomic_store(&flood->over, true);
  shutdown(flood->peer.fd, SHUT_RDWR);
  pthread_join(flood->thread, NULL);
  peer_close(&flood->peer);
}

/* A peer that sends as fast as it is read does not starve the others: WS-SEC-11 */
static void test_a_flood_delays_nobody(void **state) {
  struct flood flood;
  char url[64];
  int port;
  (void)state;
  int64_t server = serve_secure(&port, &good);
  snprintf(url, sizeof url, "wss://localhost:%d/", port);
  int64_t id = must_connect(url);
  flood_begin(&flood, port);
  WAIT_UNTIL(atomic_load(&flood.rounds) >= 3);
  for (int i = 0; i < 20; i++) {
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    must_send(id, "still there?");
    journal_expect("text:still there?");
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(after.tv_sec - before.tv_sec <= 4); /* the flood lasts as long as the loop */
  }
  flood_end(&flood);
  journal_expect("close:1006:");
  must_close(id);
  journal_expect("close:1000:");
  must_stop(server);
}

/* A peer that sends nothing but key updates is told, and closed: TLS-18 */
static void test_a_flood_of_key_updates(void **state) {
  int port;
  (void)state;
  int64_t server = serve_secure(&port, &good);
  struct peer peer = open_tls(port);
  peer_send_message(&peer, "first");
  peer_expect_text(&peer, "first");
  for (int i = 0; i < 200; i++) {
    assert_int_equal(SSL_key_update(peer.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    if (SSL_do_handshake(peer.ssl) != 1)
      break; /* the server has closed already */
  }
  char reason[64] = "";
  peer.tolerant = true;
  assert_int_equal(peer_read_close(&peer, reason, sizeof reason), 1008);
  assert_string_equal(reason, "too many TLS messages without data, such as key updates");
  journal_expect("close:1008:too many TLS messages without data, such as key updates");
  peer_close(&peer);
  must_stop(server);
}

enum { TALKERS = 2, TALKS = 20, TALK_BYTES = 40000 };

/* Sends all its messages at once. Each begins with its number. */
static void *talk(void *context) {
  struct flood *talker = context;
  uint8_t *frames = calloc(TALKS, 8 + TALK_BYTES);
  uint8_t *at = frames;
  for (int i = 0; i < TALKS; i++, at += 8 + TALK_BYTES) {
    memcpy(at, "\x81\xFE\x9C\x40\0\0\0\0", 8);
    memset(at + 8, ' ', TALK_BYTES);
    at[8 + snprintf((char *)at + 8, 8, "%d", i)] = ' ';
  }
  peer_send(&talker->peer, frames, TALKS * (8 + TALK_BYTES));
  free(frames);
  return NULL;
}

/* Used by the loop thread alone. */
static int talks_heard[TALKERS];
static int64_t talkers[TALKERS];

/* Sleeps in each call, so that a turn ends before everything is handled. */
static void *hear_slowly(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  (void)cell;
  int talker = 0;
  while (talkers[talker] && talkers[talker] != connection->id)
    talker++;
  talkers[talker] = connection->id;
  if (atoi(message->data) != talks_heard[talker]++)
    journal_write("out of order: %.10s", message->data);
  if (talks_heard[talker] == TALKS)
    journal_write("heard");
  poll(NULL, 0, 20);
  return result_success();
}

static void *on_hear_slowly[] = {(void *)hear_slowly};

/* Input that a turn leaves decrypted, for which no event comes, is handled in later turns: WS-TEXT-1 WS-SEC-11 */
static void test_decrypted_input_left_by_a_turn(void **state) {
  struct flood talking[TALKERS];
  (void)state;
  int port = peer_free_port();
  int64_t server = osp_ws_create_secure_server(port, "127.0.0.1", "/", good.certificate_file, good.key_file, &error);
  expect_success(error);
  must_set(osp_ws_server_on_message, server, on_hear_slowly);
  must_listen(server);
  for (int i = 0; i < TALKERS; i++)
    flood_connect(&talking[i], port);
  for (int i = 0; i < TALKERS; i++)
    assert_int_equal(pthread_create(&talking[i].thread, NULL, talk, &talking[i]), 0);
  for (int i = 0; i < TALKERS; i++)
    journal_expect("heard");
  for (int i = 0; i < TALKERS; i++)
    flood_end(&talking[i]);
  must_stop(server);
  assert_int_equal(journal_left(), 0);
}

/* One deadline covers both handshakes, TLS and WebSocket: WS-LIMIT-11 WS-SECURE-3 */
static void test_a_slow_handshake_over_tls(void **state) {
  struct timespec start;
  char rest[64];
  (void)state;
  int port = peer_free_port();
  int64_t server = osp_ws_create_secure_server(port, "127.0.0.1", "/", good.certificate_file, good.key_file, &error);
  expect_success(error);
  must_limit(server, "handshakeTimeoutMs", 3000);
  must_listen(server);
  clock_gettime(CLOCK_MONOTONIC, &start);
  struct peer silent = peer_connect(port);
  struct peer slow = peer_connect(port);
  peer_send(&silent, "\x16\x03\x01", 3);
  poll(NULL, 0, 2000); /* uses up two thirds of the deadline */
  peer_start_tls(&slow, NULL);
  assert_true(peer_receive(&slow, rest, sizeof rest) <= 0);
  assert_in_range((unsigned long)elapsed_ms(&start), 2950, 4900); /* a second deadline would end at 5000 */
  assert_true(peer_receive(&silent, rest, sizeof rest) <= 0);
  assert_in_range((unsigned long)elapsed_ms(&start), 2950, 4900);
  peer_close(&silent);
  peer_close(&slow);
  must_stop(server);
}

/* ---- many handshakes at once */

enum { SHAKERS = 300, SHAKES_IN_A_TURN = 8, HELLO_START = 3 };

static struct peer shakers[SHAKERS];
static struct peer established; /* after its first message the loop thread's, until `quiet_rounds` have passed */
static atomic_bool hellos_are_sent;
static int quiet_rounds;
static int quiet_hold_ms;
static size_t answered[64]; /* hellos, at each message of the established peer */
static size_t answers;

/* The number of peers to which an answer has come. An end of the stream is none. */
static size_t count_answered(void) {
  size_t count = 0;
  for (int i = 0; i < SHAKERS; i++) {
    char byte;
    count += recv(shakers[i].fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
  }
  return count;
}

/* In its first call it holds the loop until all hellos are sent. In each call it counts the answers to them, and sends
 * itself a message, which is ready in the next turn. */
static void *be_quiet(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  (void)cell;
  (void)connection;
  (void)message;
  int64_t until_ms = ws_clock_ms() + quiet_hold_ms;
  while (!atomic_load(&hellos_are_sent) || ws_clock_ms() < until_ms)
    poll(NULL, 0, 1);
  answered[answers++] = count_answered();
  if (answers < (size_t)quiet_rounds) {
    peer_send_message(&established, "and again");
    peer_await_delivery(&established);
  } else {
    journal_write("quiet");
  }
  return result_success();
}

static void *on_be_quiet[] = {(void *)be_quiet};

/* Writes a ClientHello. Returns its size. */
static size_t make_hello(uint8_t *bytes, size_t room) {
  SSL_CTX *context = SSL_CTX_new(TLS_method());
  SSL *ssl = SSL_new(context);
  BIO *out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
  SSL_connect(ssl);
  int size = BIO_read(out, bytes, (int)room);
  assert_in_range(size, HELLO_START + 1, room);
  SSL_free(ssl);
  SSL_CTX_free(context);
  return (size_t)size;
}

/* Sends all hellos at once, while the loop is held. They have begun before, so that all are accepted. */
static void shake_all_at_once(int port) {
  uint8_t hello[4096];
  size_t size = make_hello(hello, sizeof hello);
  for (int i = 0; i < SHAKERS; i++) {
    shakers[i] = peer_connect(port);
    peer_send(&shakers[i], hello, HELLO_START);
  }
  peer_await_reading(&shakers[SHAKERS - 1]);
  answers = 0;
  atomic_store(&hellos_are_sent, false);
  peer_send_message(&established, "hold");
  for (int i = 0; i < SHAKERS; i++)
    peer_send(&shakers[i], hello + HELLO_START, size - HELLO_START);
  atomic_store(&hellos_are_sent, true);
}

static int64_t serve_quietly(int *port, int64_t timeout_ms) {
  *port = peer_free_port();
  int64_t server = osp_ws_create_secure_server(*port, "127.0.0.1", "/", good.certificate_file, good.key_file, &error);
  expect_success(error);
  must_set(osp_ws_server_on_message, server, on_be_quiet);
  must_limit(server, "handshakeTimeoutMs", timeout_ms);
  must_listen(server);
  established = open_tls(*port);
  return server;
}

static void shaken(int64_t server) {
  for (int i = 0; i < SHAKERS; i++)
    peer_close(&shakers[i]);
  peer_close(&established);
  must_stop(server);
}

/* Each turn takes a few steps of handshakes, and in each an established connection is served: WS-TIME-10 */
static void test_many_handshakes_delay_nobody(void **state) {
  int port;
  (void)state;
  quiet_rounds = 10;
  quiet_hold_ms = 0;
  int64_t server = serve_quietly(&port, 60000);
  shake_all_at_once(port);
  journal_expect("quiet");
  /* One turn more than rounds: a turn dispatches 256 events, and the hellos come before the message or behind it. */
  for (size_t i = 0; i < answers; i++)
    assert_in_range(answered[i], 0, (i + 1) * SHAKES_IN_A_TURN);
  WAIT_UNTIL(count_answered() == SHAKERS);
  shaken(server);
}

/* No deadline passes for those whose turn has not come: WS-TIME-2 WS-TIME-10 */
static void test_who_waits_for_its_handshake_is_not_late(void **state) {
  int port;
  (void)state;
  quiet_rounds = 14;
  quiet_hold_ms = 200; /* less than what counts as an absence of the loop */
  int64_t server = serve_quietly(&port, 2000);
  shake_all_at_once(port);
  journal_expect("quiet");
  WAIT_UNTIL(count_answered() == SHAKERS);
  shaken(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_a_secure_conversation, journal_setup),
      cmocka_unit_test_setup(test_a_client_of_another_tls_server, journal_setup),
      cmocka_unit_test_setup(test_certificates_that_are_refused, journal_setup),
      cmocka_unit_test_setup(test_a_key_of_another_certificate, journal_setup),
      cmocka_unit_test_setup(test_ends_that_do_not_speak_tls, journal_setup),
      cmocka_unit_test_setup(test_a_flood_delays_nobody, journal_setup),
      cmocka_unit_test_setup(test_a_flood_of_key_updates, journal_setup),
      cmocka_unit_test_setup(test_decrypted_input_left_by_a_turn, journal_setup),
      cmocka_unit_test_setup(test_a_slow_handshake_over_tls, journal_setup),
      cmocka_unit_test_setup(test_many_handshakes_delay_nobody, journal_setup),
      cmocka_unit_test_setup(test_who_waits_for_its_handshake_is_not_late, journal_setup),
  };
  return cmocka_run_group_tests_name("tls", tests, make_identities, free_identities);
}
