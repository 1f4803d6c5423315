/* Secrets of a handshake are wiped before their memory is freed: WS-SEC-3. The program is linked with wrappers of free
 * and realloc, which search each block first. */
#include <malloc.h>
#include <unistd.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

void __real_free(void *block);
void *__real_realloc(void *block, size_t size);
void __wrap_free(void *block);
void *__wrap_realloc(void *block, size_t size);

enum { NEEDLES = 3 };

/* Guards needles and found. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char needles[NEEDLES][32];
static int found[NEEDLES];
static atomic_bool looking;

static void search(const void *block) {
  if (!block || !looking)
    return;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < NEEDLES; i++) {
    size_t n = strlen(needles[i]);
    found[i] += n && memmem(block, malloc_usable_size((void *)(uintptr_t)block), needles[i], n);
  }
  pthread_mutex_unlock(&lock);
}

void __wrap_free(void *block) {
  search(block);
  __real_free(block);
}

void *__wrap_realloc(void *block, size_t size) {
  search(block);
  return __real_realloc(block, size);
}

static void look_for(int i, const char *needle, size_t n) {
  pthread_mutex_lock(&lock);
  snprintf(needles[i], sizeof needles[i], "%.*s", (int)n, needle);
  found[i] = 0;
  pthread_mutex_unlock(&lock);
  looking = true;
}

static void look_for_these(const char *a, const char *b, const char *c) {
  look_for(0, a, 31);
  look_for(1, b, 31);
  look_for(2, c, 31);
}

/* Ends the search. Returns the number of blocks that held needle i. The lock waits for a thread that is searching. */
static int stop_looking(int i) {
  looking = false;
  pthread_mutex_lock(&lock);
  int n = found[i];
  pthread_mutex_unlock(&lock);
  return n;
}

static void expect_nothing_found(void) {
  for (int i = 0; i < NEEDLES; i++) {
    int n = stop_looking(i);
    if (n)
      fail_msg("\"%s\" was left in %d freed blocks", needles[i], n);
  }
}

static char *error;

/* The search finds what is not wiped. */
static void test_the_search(void **state) {
  (void)state;
  char *volatile block = malloc(100);
  assert_non_null(block);
  look_for_these("left behind", "", "");
  memcpy(block, "what was left behind", 20);
  block = realloc(block, 200);
  free(block);
  assert_int_equal(stop_looking(0), 2);
}

/* Heads in one piece, in pieces that outgrow their buffer, refused, and never completed. */
static void test_a_server_wipes_the_heads_of_its_clients(void **state) {
  char request[4096];
  char filler[1501];
  char head[1024];
  int port = peer_free_port();
  (void)state;
  int64_t server = must_create(port, "/chat");
  must_limit(server, "handshakeTimeoutMs", 60000); /* on a busy machine, small pieces take long */
  must_set(osp_ws_server_on_open, server, on_open);
  must_set(osp_ws_server_on_close, server, on_close);
  must_listen(server);
  memset(filler, 'f', sizeof filler);
  filler[1500] = '\0';
  const char *const paths[] = {"/chat", "/nowhere"};
  for (int refused = 0; refused < 2; refused++) {
    for (size_t piece = 4096; piece >= 64; piece /= 8) {
      look_for_these("c2VjcmV0IGtleSBvZiAxNg==", "cookie-of-a-client", "token-of-a-client");
      size_t n = (size_t)snprintf(
          request, sizeof request,
          "GET %s HTTP/1.1\r\nCookie: cookie-of-a-client\r\nSec-WebSocket-Key: c2VjcmV0IGtleSBvZiAxNg==\r\n"
          "Authorization: Bearer token-of-a-client\r\nX-Filler: %s\r\nHost: localhost\r\n" PEER_UPGRADE_LINES
              PEER_VERSION_LINE "\r\n",
          paths[refused], filler);
      struct peer peer = peer_connect(port);
      for (size_t at = 0; at < n; at += piece) {
        peer_send(&peer, request + at, n - at < piece ? n - at : piece);
        peer_await_reading(&peer);
      }
      peer_read_head(&peer, head, sizeof head);
      assert_int_equal(atoi(head + 9), refused ? 404 : 101);
      if (!refused) {
        journal_expect("open");
        peer_send_frame(&peer, 0x88, "\x03\xe8", 2);
        peer_expect_close(&peer, 1000);
        journal_expect("close:1000:");
      }
      peer_close(&peer);
      WAIT_UNTIL(osp_ws_server_connections(server, &error) == 0);
      expect_nothing_found();
    }
  }
  look_for_these("c2VjcmV0IGtleSBvZiAxNg==", "cookie-of-a-client", "");
  struct peer peer = peer_connect(port);
  peer_send_text(&peer,
                 "GET /chat HTTP/1.1\r\nCookie: cookie-of-a-client\r\nSec-WebSocket-Key: c2VjcmV0IGtleSBvZiAxNg==\r\n");
  peer_await_reading(&peer);
  peer_close(&peer);
  must_stop(server);
  expect_nothing_found();
}

/* The key and the program's headers, of a client that is admitted, refused or not answered. */
static void test_a_client_wipes_its_request(void **state) {
  char head[4096];
  (void)state;
  for (int outcome = 0; outcome < 3; outcome++) {
    struct osprey_options options = {.headers = "Cookie: cookie-of-a-program\nAuthorization: token-of-a-program",
                                     .protocols = "",
                                     .timeout_ms = 300};
    struct connecting c = {.options = &options, .handler = on_message};
    int port;
    int listener = peer_listen(&port);
    look_for_these("cookie-of-a-program", "token-of-a-program", "");
    connecting_start(&c, port, "/");
    struct peer peer = peer_accept(listener);
    if (outcome == 0)
      peer_answer(&peer, head, sizeof head, "");
    else
      peer_read_head(&peer, head, sizeof head);
    const char *key = strcasestr(head, "Sec-WebSocket-Key: ");
    assert_non_null(key);
    look_for(2, key + 19, 22);
    if (outcome == 1)
      peer_send_text(&peer, "HTTP/1.1 403 Forbidden\r\n\r\n");
    assert_int_equal(connecting_join(&c) > 0, outcome == 0);
    if (outcome > 0) {
      osp_release(c.error);
    } else {
      must_send(c.id, "after the handshake");
      peer_expect_text(&peer, "after the handshake");
      peer_send_plain(&peer, 0x88, "\x03\xe8", 2);
      peer_expect_close(&peer, 1000);
      WAIT_UNTIL((osp_ws_queued_bytes(c.id, &error), error));
      osp_release(error);
    }
    peer_close(&peer);
    close(listener);
    poll(NULL, 0, 20); /* the loop frees the connection: no event tells */
    expect_nothing_found();
  }
}

/* Admits a client with a cookie and a message behind it, or refuses it. */
static void *give_cookie(void *cell, const struct osprey_connection *connection) {
  char *problem;
  (void)cell;
  for (int i = 0; i < 3; i++) {
    osp_ws_answer_header(connection->id, "Set-Cookie", "cookie-of-a-server", &problem);
    osp_release(problem);
  }
  osp_ws_send(connection->id, "behind the answer", &problem);
  osp_release(problem);
  return strstr(connection->url, "?refuse") ? result_error("no") : result_success();
}

static void *on_give_cookie[] = {(void *)give_cookie};

/* WS-ANSWER-5 */
static void test_a_server_wipes_its_answer(void **state) {
  static const char *const targets[] = {"/?admit", "/?refuse"};
  char head[1024];
  int port;
  (void)state;
  int64_t server = must_handle(&port, osp_ws_server_on_open, on_give_cookie, NULL);
  for (int i = 0; i < 2; i++) {
    look_for_these("cookie-of-a-server", "", "");
    struct peer peer = peer_connect(port);
    peer_request(&peer, port, targets[i], "");
    peer_read_head(&peer, head, sizeof head);
    assert_non_null(strstr(head, "cookie-of-a-server"));
    if (i == 0)
      peer_expect_text(&peer, "behind the answer");
    peer_close(&peer);
  }
  must_stop(server);
  expect_nothing_found();
}

static void *succeed_open(void *cell, const struct osprey_connection *connection) {
  (void)cell;
  (void)connection;
  return result_success();
}

static void *on_succeed_open[] = {(void *)succeed_open};

/* A client that dials again sends them with each request, and keeps them until it has ended: WS-RECONNECT-14 */
static void test_a_client_that_stays_wipes_them_at_its_end(void **state) {
  char head[4096];
  int port;
  struct osprey_options options = {.headers = "Cookie: cookie-of-a-program\nAuthorization: token-of-a-program",
                                   .protocols = ""};
  struct connecting c = {.options = &options, .handler = on_message};
  (void)state;
  int listener = peer_listen(&port);
  look_for_these("cookie-of-a-program", "token-of-a-program", ""); /* the record of an open handler has the URL */
  connecting_start(&c, port, "/?query-of-a-program");
  for (int i = 0; i < 3; i++) {
    struct peer peer = peer_accept(listener);
    peer_answer(&peer, head, sizeof head, "");
    assert_non_null(strstr(head, "token-of-a-program"));
    if (i == 0) {
      connecting_join(&c);
      expect_success(c.error);
      osp_ws_reconnect(c.id, 1, 1, on_succeed_open, &error);
      expect_success(error);
    }
    peer_send_plain(&peer, 0x88, "\x03\xe8", 2);
    peer_expect_close(&peer, 1000);
    peer_close(&peer);
  }
  struct peer peer = peer_accept(listener); /* it dials */
  must_close(c.id);
  peer_read_all(&peer, head, sizeof head);
  peer_close(&peer);
  close(listener);
  expect_nothing_found();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_search),
      cmocka_unit_test_setup(test_a_server_wipes_the_heads_of_its_clients, journal_setup),
      cmocka_unit_test_setup(test_a_client_wipes_its_request, journal_setup),
      cmocka_unit_test_setup(test_a_server_wipes_its_answer, journal_setup),
      cmocka_unit_test_setup(test_a_client_that_stays_wipes_them_at_its_end, journal_setup),
  };
  return cmocka_run_group_tests_name("secrets", tests, NULL, NULL);
}
