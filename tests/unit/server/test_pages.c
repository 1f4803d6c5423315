/* Paths and pages of a server. */
#include <inttypes.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conn/handle.h"
#include "osprey/hooks.h"
#include "server/server.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"
#include "support/tls_fixture.h"

#define HOST "Host: localhost\r\n"
#define PAGE "<!doctype html><title>Chat</title>"
#define TYPE "text/html; charset=utf-8"

static char *error;

static void must_route(int64_t server, const char *path) {
  osp_ws_server_path(server, path, &error);
  expect_success(error);
}

static void must_page(int64_t server, const char *path, const char *body) {
  osp_ws_server_page(server, path, TYPE, body, &error);
  expect_success(error);
}

/* A server at "/chat" that echoes, and writes opens and closes to the journal. It does not listen yet. */
static int64_t create(int *port) {
  *port = peer_free_port();
  int64_t server = must_create(*port, "/chat");
  must_set(osp_ws_server_on_message, server, on_echo);
  must_set(osp_ws_server_on_open, server, on_learn_id);
  must_set(osp_ws_server_on_close, server, on_close);
  return server;
}

/* Sends a request, and reads the answer up to the end of the stream, which is no reset. Returns its size. */
static size_t ask(int port, const char *request, char *answer, size_t room) {
  struct peer peer = peer_connect(port);
  peer_send_text(&peer, request);
  size_t size = peer_read_all(&peer, answer, room);
  assert_int_equal(peer_receive(&peer, answer + size, 1), 0);
  peer_close(&peer);
  return size;
}

static void expect_status(int port, const char *request, const char *status_line) {
  char answer[4096];
  ask(port, request, answer, sizeof answer);
  assert_memory_equal(answer, status_line, strlen(status_line));
}

static const char *body_of(const char *answer) {
  const char *end = strstr(answer, "\r\n\r\n");
  assert_non_null(end);
  return end + 4;
}

/* Copies the value of a header. */
static void header_of(const char *answer, const char *name, char *value, size_t room) {
  char line[64];
  snprintf(line, sizeof line, "\r\n%s: ", name);
  const char *start = strstr(answer, line);
  assert_non_null(start);
  start += strlen(line);
  snprintf(value, room, "%.*s", (int)strcspn(start, "\r"), start);
}

static void expect_header(const char *answer, const char *name, const char *expected) {
  char value[256];
  header_of(answer, name, value, sizeof value);
  assert_string_equal(value, expected);
}

/* WS-PATH-1 WS-PATH-2 WS-PATH-3 */
static void test_endpoints(void **state) {
  static const char *const targets[] = {"/chat", "/other?x=1", "/rooms/7", "/rooms/%37/../8"};
  static const char *const paths[] = {"/chat", "/other", "/rooms/7", "/rooms/7/../8"};
  char url[128];
  int port;
  (void)state;
  int64_t server = create(&port);
  must_route(server, "/other");
  must_route(server, "/other");
  must_route(server, "/rooms/*");
  must_listen(server);
  for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
    struct peer peer = peer_open(port, targets[i]);
    struct osprey_connection *record = osp_ws_connection(latest_id, &error);
    expect_success(error);
    snprintf(url, sizeof url, "ws://127.0.0.1:%d%s", port, targets[i]);
    assert_string_equal(record->url, url);
    osp_release(record);
    char *path = osp_ws_request_path(latest_id, &error);
    expect_success(error);
    assert_string_equal(path, paths[i]);
    osp_release(path);
    peer_send_message(&peer, "echo");
    peer_expect_text(&peer, "echo");
    peer_close(&peer);
    journal_expect("close:1006:");
  }
  assert_int_equal(peer_status(port, "/rooms", ""), 404);
  assert_int_equal(peer_status(port, "/otherwise", ""), 404);
  must_stop(server);
}

/* WS-PAGE-1 WS-PAGE-2 WS-PAGE-3 WS-PAGE-4 WS-PAGE-5 WS-PAGE-9 */
static void test_a_page(void **state) {
  char answer[4096], again[4096], etag[64], request[256];
  int port;
  (void)state;
  int64_t server = create(&port);
  must_page(server, "/", "first");
  must_page(server, "/", PAGE);
  must_page(server, "/chat", "");
  must_listen(server);

  ask(port, "GET /?query HTTP/1.1\r\n" HOST "Origin: https://evil.example\r\n\r\n", answer, sizeof answer);
  assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
  assert_string_equal(body_of(answer), PAGE);
  expect_header(answer, "Content-Type", TYPE);
  expect_header(answer, "Content-Length", "34");
  expect_header(answer, "X-Content-Type-Options", "nosniff");
  expect_header(answer, "Cache-Control", "no-cache");
  expect_header(answer, "Connection", "close");
  assert_non_null(strstr(answer, " GMT\r\n"));
  header_of(answer, "ETag", etag, sizeof etag);

  ask(port, "HEAD / HTTP/1.1\r\n" HOST "\r\n", again, sizeof again);
  assert_memory_equal(again, "HTTP/1.1 200 OK\r\n", 17);
  assert_string_equal(body_of(again), "");
  expect_header(again, "Content-Length", "34");
  expect_header(again, "ETag", etag);

  for (int head = 0; head < 2; head++) {
    snprintf(request, sizeof request, "%s / HTTP/1.1\r\n" HOST "If-None-Match: \"x\", W/%s\r\n\r\n",
             head ? "HEAD" : "GET", etag);
    ask(port, request, answer, sizeof answer);
    assert_memory_equal(answer, "HTTP/1.1 304 Not Modified\r\n", 27);
    assert_string_equal(body_of(answer), "");
    assert_null(strstr(answer, "Content-Length"));
    expect_header(answer, "ETag", etag);
  }

  ask(port, "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", answer, sizeof answer);
  assert_memory_equal(answer, "HTTP/1.1 405 ", 13);
  expect_header(answer, "Allow", "GET, HEAD");
  ask(port, "GET /chat HTTP/1.1\r\n" HOST "\r\n", answer, sizeof answer);
  expect_header(answer, "Content-Length", "0");
  assert_string_equal(body_of(answer), "");

  expect_status(port, "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ");
  expect_status(port, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "HTTP/1.1 403 "); /* WS-ORIGIN-5 */
  expect_status(port, "GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", "HTTP/1.1 400 ");
  expect_status(port, "GET /none HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 404 ");
  assert_int_equal(peer_status(port, "/", ""), 404);
  assert_int_equal(osp_ws_server_connections(server, &error), 0);
  expect_success(error);
  assert_int_equal(journal_left(), 0);

  struct peer peer = peer_open(port, "/chat");
  peer_send_message(&peer, "echo");
  peer_expect_text(&peer, "echo");
  peer_close(&peer);
  must_stop(server);
}

/* HTTP-9 */
static void test_an_empty_line_first(void **state) {
  char answer[4096];
  int port;
  (void)state;
  int64_t server = create(&port);
  must_page(server, "/", PAGE);
  must_listen(server);
  ask(port, "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", answer, sizeof answer);
  assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
  assert_string_equal(body_of(answer), PAGE);
  ask(port, "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", answer, sizeof answer);
  assert_memory_equal(answer, "HTTP/1.1 400 ", 13);
  must_stop(server);
}

/* The answer of a HEAD that is refused has no body: RFC 9110 section 9.3.2, HS-2 HS-8 */
static void test_a_refused_head(void **state) {
  char answer[4096];
  int port;
  (void)state;
  int64_t server = create(&port);
  must_page(server, "/", PAGE);
  must_listen(server);
  ask(port, "HEAD /chat HTTP/1.1\r\n" HOST "\r\n", answer, sizeof answer);
  assert_memory_equal(answer, "HTTP/1.1 405 ", 13);
  assert_string_equal(body_of(answer), "");
  ask(port, "HEAD /none HTTP/1.1\r\n" HOST "\r\n", answer, sizeof answer);
  assert_memory_equal(answer, "HTTP/1.1 404 ", 13);
  assert_null(strstr(answer, "Allow"));
  assert_string_equal(body_of(answer), "");
  must_stop(server);
}

/* The second request on a connection is not answered, nor are bytes behind the first taken for frames: WS-PAGE-6 */
static void test_one_request_a_connection(void **state) {
  char answer[4096];
  int port;
  (void)state;
  int64_t server = create(&port);
  must_page(server, "/", PAGE);
  must_listen(server);
  ask(port, "GET / HTTP/1.1\r\n" HOST "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", answer, sizeof answer);
  assert_string_equal(body_of(answer), PAGE);
  /* Byte by byte, with the end of the client's stream behind. */
  struct peer peer = peer_connect(port);
  for (const char *at = "GET / HTTP/1.1\r\n" HOST "\r\n"; *at; at++)
    peer_send(&peer, at, 1);
  shutdown(peer.fd, SHUT_WR);
  peer_read_all(&peer, answer, sizeof answer);
  assert_string_equal(body_of(answer), PAGE);
  peer_close(&peer);
  must_stop(server);
}

/* WS-FILE-1 WS-FILE-2 */
static void test_a_file(void **state) {
  enum { BIG = 3 << 20 };
  char *answer = malloc(BIG + 4096);
  char *big = malloc(BIG + 1);
  char path[128];
  int port;
  (void)state;
  for (int i = 0; i < BIG; i++)
    big[i] = (char)('a' + i % 23);
  big[BIG] = '\0';
  int64_t server = create(&port);
  snprintf(path, sizeof path, "%s", tls_fixture_write("page.html", big));
  osp_ws_server_file(server, "/big", path, &error);
  expect_success(error);
  tls_fixture_write("page.html", "changed");
  const char *empty = tls_fixture_write("none.bin", "");
  osp_ws_server_file(server, "/empty", empty, &error);
  expect_success(error);
  must_listen(server);
  ask(port, "GET /big HTTP/1.1\r\n" HOST "\r\n", answer, BIG + 4096);
  expect_header(answer, "Content-Type", TYPE);
  expect_header(answer, "Content-Length", "3145728");
  assert_true(strcmp(body_of(answer), big) == 0);
  ask(port, "GET /empty HTTP/1.1\r\n" HOST "\r\n", answer, BIG + 4096);
  expect_header(answer, "Content-Type", "application/octet-stream");
  expect_header(answer, "Content-Length", "0");
  must_stop(server);
  free(answer);
  free(big);
}

/* The system says that such a file has a page of bytes, and gives less: WS-FILE-1 */
static void test_a_file_that_is_shorter_than_its_size(void **state) {
  static const char file[] = "/sys/devices/system/cpu/online";
  char answer[4096], content[64] = "", size[24];
  int port;
  (void)state;
  FILE *opened = fopen(file, "r");
  if (!opened)
    skip();
  assert_non_null(fgets(content, sizeof content, opened));
  fclose(opened);
  int64_t server = create(&port);
  osp_ws_server_file(server, "/", file, &error);
  expect_success(error);
  must_listen(server);
  ask(port, "GET / HTTP/1.1\r\n" HOST "\r\n", answer, sizeof answer);
  snprintf(size, sizeof size, "%zu", strlen(content));
  expect_header(answer, "Content-Length", size);
  assert_string_equal(body_of(answer), content);
  must_stop(server);
}

/* WS-FILE-3 WS-PAGE-7 WS-PAGE-8 WS-LISTEN-5 WS-CREATE-6 */
static void test_misuse(void **state) {
  char sentence[512], file[128];
  int port;
  (void)state;
  int64_t server = create(&port);
  must_limit(server, "maxMemoryBytes", 1 << 20);
  osp_ws_server_path(server, "rooms", &error);
  expect_error(error, "server path: path \"rooms\" does not begin with '/'");
  osp_ws_server_page(server, "/a?b", TYPE, "", &error);
  expect_error(error, "server page: path \"/a?b\" holds a query or fragment ('?', '#')");
  osp_ws_server_file(server, "", "/etc/hostname", &error);
  expect_error(error, "server file: path \"\" does not begin with '/'");
  osp_ws_server_page(server, "/", "text/html\r\nSet-Cookie: a=b", "", &error);
  expect_error_with(error, "is not type/subtype, with parameters behind a semicolon or without");
  osp_ws_server_file(server, "/", "", &error);
  expect_error(error, "server file: \"\": the name is empty");
  osp_ws_server_file(server, "/", "/nowhere/page.html", &error);
  expect_error(error, "server file: /nowhere/page.html: No such file or directory");
  osp_ws_server_file(server, "/", tls_fixture_directory(), &error);
  snprintf(sentence, sizeof sentence, "server file: %s: Is a directory", tls_fixture_directory());
  expect_error(error, sentence);
  osp_ws_server_file(server, "/", "/dev/null", &error);
  expect_error(error, "server file: /dev/null: it is not a regular file");
  snprintf(file, sizeof file, "%s/fifo", tls_fixture_directory());
  assert_int_equal(mkfifo(file, 0600), 0);
  osp_ws_server_file(server, "/", file, &error);
  expect_error_with(error, "it is not a regular file");
  unlink(file);

  char *half = malloc((1 << 19) + 1);
  memset(half, 'h', 1 << 19);
  half[1 << 19] = '\0';
  must_page(server, "/half", half + 1);
  osp_ws_server_page(server, "/two", TYPE, "2b", &error);
  expect_error(error, "server page: /two has 2 bytes, and there is room for 1: pages hold at most half of "
                      "maxMemoryBytes");
  osp_ws_server_file(server, "/two", tls_fixture_write("two", "2b"), &error);
  expect_error_with(error, ": it has 2 bytes, and there is room for 1");
  must_page(server, "/one", "1");
  osp_ws_server_page(server, "/one", TYPE, "1", &error);
  expect_error_with(error, "there is room for 0");
  free(half);

  must_listen(server);
  snprintf(sentence, sizeof sentence, ": server %" PRId64 " listens already: call this before websocketServerListen",
           server);
  osp_ws_server_path(server, "/", &error);
  expect_error_with(error, sentence);
  osp_ws_server_page(server, "/", TYPE, "", &error);
  expect_error_with(error, sentence);
  osp_ws_server_file(server, "/", "/etc/hostname", &error);
  expect_error_with(error, sentence);
  /* Kept pages are no reason to end a connection. */
  struct peer peer = peer_open(port, "/chat");
  peer_send_message(&peer, "echo");
  peer_expect_text(&peer, "echo");
  peer_close(&peer);
  must_stop(server);
  osp_ws_server_path(server, "/", &error);
  expect_error_with(error, "is stopped");
  osp_ws_server_page(999999, "/", TYPE, "", &error);
  expect_error(error, "server page: there is no server 999999");
  osp_ws_server_path(999999, "/", &error);
  expect_error(error, "server path: there is no server 999999");
  osp_ws_server_file(999999, "/", "/etc/hostname", &error);
  expect_error(error, "server file: there is no server 999999");
  osp_ws_server_metrics(999999, "/", &error);
  expect_error(error, "server metrics: there is no server 999999");
}

/* Not cut to 32 bits: WS-PAGE-7 */
static void test_a_file_of_four_gibibytes(void **state) {
  char file[128];
  int port;
  (void)state;
  int64_t server = create(&port);
  must_limit(server, "maxMemoryBytes", (int64_t)1 << 40);
  snprintf(file, sizeof file, "%s", tls_fixture_write("big.bin", ""));
  assert_int_equal(truncate(file, (int64_t)1 << 32), 0);
  osp_ws_server_file(server, "/", file, &error);
  expect_error_with(error, "it has 4294967296 bytes, and there is room for 4294967295");
  must_stop(server);
}

/* WS-PAGE-5 WS-LIMIT-8 WS-LIMIT-9 */
static void test_the_caps_apply(void **state) {
  static const char *const limits[] = {"maxConnections", "maxConnectionsPerAddress"};
  static const char *const answers[] = {"HTTP/1.1 503 ", "HTTP/1.1 429 "};
  (void)state;
  for (int i = 0; i < 2; i++) {
    int port;
    int64_t server = create(&port);
    must_page(server, "/", PAGE);
    must_limit(server, limits[i], 1);
    must_listen(server);
    struct peer peer = peer_open(port, "/chat");
    expect_status(port, "GET / HTTP/1.1\r\n" HOST "\r\n", answers[i]);
    peer_close(&peer);
    journal_expect("close:1006:");
    must_stop(server);
  }
}

/* The linker wraps it (--wrap). */
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
static _Atomic size_t largest_write;

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags) {
  size_t size = 0;
  for (size_t i = 0; i < message->msg_iovlen; i++)
    size += message->msg_iov[i].iov_len;
  if (size > largest_write)
    largest_write = size;
  return __real_sendmsg(fd, message, flags);
}

static int64_t create_with_big_page(int *port, char **page) {
  enum { BIG = 8 << 20 };
  *page = malloc(BIG + 1);
  memset(*page, 'b', BIG);
  (*page)[BIG] = '\0';
  int64_t server = create(port);
  must_page(server, "/", *page);
  return server;
}

/* Asks for a page, and takes nothing of it. The socket's buffer is small. */
static struct peer ask_slowly(int port) {
  struct peer peer = peer_connect(port);
  int size = 128 * 1024;
  assert_int_equal(setsockopt(peer.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
  peer_send_text(&peer, "GET / HTTP/1.1\r\n" HOST "\r\n");
  return peer;
}

/* Eight readers of 8 MiB hold no more than the page, and none is closed for it, nor is a quiet client: WS-PAGE-7 */
static void test_readers_share_the_page(void **state) {
  enum { READERS = 8 };
  struct peer readers[READERS];
  char *page;
  int port;
  (void)state;
  int64_t server = create_with_big_page(&port, &page);
  must_limit(server, "maxMemoryBytes", 16 << 20);
  must_listen(server);
  struct peer quiet = peer_open(port, "/chat");
  largest_write = 0;
  for (int i = 0; i < READERS; i++)
    readers[i] = ask_slowly(port);
  char *answer = malloc((8 << 20) + 4096);
  for (int i = 0; i < READERS; i++) {
    peer_read_all(&readers[i], answer, (8 << 20) + 4096);
    assert_int_equal(strlen(body_of(answer)), 8 << 20);
    peer_close(&readers[i]);
  }
  peer_send_message(&quiet, "echo");
  peer_expect_text(&quiet, "echo");
  peer_close(&quiet);
  assert_in_range(largest_write, 1, 64 * 1024); /* WS-TIME-9 */
  must_stop(server);
  free(answer);
  free(page);
}

/* The client ends its side behind the request: WS-PAGE-6 */
static void test_a_client_that_ends_its_side(void **state) {
  char *answer = malloc((8 << 20) + 4096);
  char *page;
  int port;
  (void)state;
  int64_t server = create_with_big_page(&port, &page);
  must_listen(server);
  struct peer reader = ask_slowly(port);
  shutdown(reader.fd, SHUT_WR);
  assert_int_equal(peer_receive(&reader, answer, 1), 1);
  peer_read_all(&reader, answer + 1, (8 << 20) + 4095);
  assert_int_equal(strlen(body_of(answer)), 8 << 20);
  peer_close(&reader);
  must_stop(server);
  free(answer);
  free(page);
}

/* A reader that takes nothing is cut off: WS-PAGE-6 */
static void test_a_reader_that_stalls(void **state) {
  char bytes[65536];
  char *page;
  int port;
  (void)state;
  int64_t server = create_with_big_page(&port, &page);
  must_limit(server, "closeTimeoutMs", 300);
  must_listen(server);
  struct peer reader = ask_slowly(port);
  long got, all = 0;
  assert_int_equal(peer_receive(&reader, bytes, 1), 1);
  struct ws_server *held;
  enum ws_handle_state ignored;
  held = ws_handle_pin(WS_HANDLE_SERVER, server, &ignored);
  assert_non_null(held);
  WAIT_UNTIL(atomic_load(&held->connections) == 0);
  ws_server_unpin(held);
  reader.tolerant = true;
  while ((got = peer_receive(&reader, bytes, sizeof bytes)) > 0)
    all += got;
  assert_true(all < 8 << 20);
  peer_close(&reader);
  assert_int_equal(journal_left(), 0);
  must_stop(server);
  free(page);
}

/* What was asked for before the stop is delivered: WS-PAGE-6 WS-STOP-2 */
static void test_a_page_outlives_the_stop(void **state) {
  char *answer = malloc((8 << 20) + 4096);
  char *page;
  int port;
  (void)state;
  int64_t server = create_with_big_page(&port, &page);
  must_listen(server);
  struct peer reader = ask_slowly(port);
  assert_int_equal(peer_receive(&reader, answer, 1), 1);
  pthread_t thread;
  pthread_create(&thread, NULL, (void *(*)(void *))(void *)must_stop, (void *)(intptr_t)server);
  size_t size = peer_read_all(&reader, answer + 1, (8 << 20) + 4095);
  assert_true(size > 8 << 20);
  peer_close(&reader);
  pthread_join(thread, NULL);
  free(answer);
  free(page);
}

/* The client ends its side behind the request, by an alert and by the end of the stream, by the alert alone, or without
 * it (RFC 8446 section 6.1): WS-PAGE-6 */
static void half_close(struct peer *peer, int how) {
  if (how & 1)
    assert_true(SSL_shutdown(peer->ssl) >= 0);
  if (how & 2)
    shutdown(peer->fd, SHUT_WR);
}

/* WS-PAGE-1 WS-PAGE-6 WS-SECURE-1 */
static void test_a_page_over_tls(void **state) {
  enum { BIG = 8 << 20 };
  struct tls_identity identity;
  char *answer = malloc(BIG + 4096);
  char *big = malloc(BIG + 1);
  (void)state;
  memset(big, 'b', BIG);
  big[BIG] = '\0';
  tls_fixture_issue(&identity, &(struct tls_request){.name = "pages", .from_days = -1, .to_days = 1});
  int port = peer_free_port();
  int64_t server =
      osp_ws_create_secure_server(port, "127.0.0.1", "/chat", identity.certificate_file, identity.key_file, &error);
  expect_success(error);
  must_page(server, "/", PAGE);
  must_page(server, "/big", big);
  must_listen(server);
  for (int i = 0; i < 8; i++) {
    struct peer peer = peer_connect(port);
    peer_start_tls(&peer, NULL);
    peer_send_text(&peer, i & 4 ? "GET /big HTTP/1.1\r\n" HOST "\r\n" : "GET / HTTP/1.1\r\n" HOST "\r\n");
    half_close(&peer, i & 3);
    peer_read_all(&peer, answer, BIG + 4096);
    assert_true(strcmp(body_of(answer), i & 4 ? big : PAGE) == 0);
    peer_close(&peer);
  }
  must_stop(server);
  tls_fixture_free(&identity);
  free(answer);
  free(big);
}

static int remove_files(void **state) {
  (void)state;
  tls_fixture_remove();
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_endpoints, journal_setup),
      cmocka_unit_test_setup(test_a_page, journal_setup),
      cmocka_unit_test_setup(test_an_empty_line_first, journal_setup),
      cmocka_unit_test_setup(test_a_refused_head, journal_setup),
      cmocka_unit_test_setup(test_one_request_a_connection, journal_setup),
      cmocka_unit_test_setup(test_a_file, journal_setup),
      cmocka_unit_test_setup(test_a_file_that_is_shorter_than_its_size, journal_setup),
      cmocka_unit_test_setup(test_misuse, journal_setup),
      cmocka_unit_test_setup(test_a_file_of_four_gibibytes, journal_setup),
      cmocka_unit_test_setup(test_the_caps_apply, journal_setup),
      cmocka_unit_test_setup(test_readers_share_the_page, journal_setup),
      cmocka_unit_test_setup(test_a_client_that_ends_its_side, journal_setup),
      cmocka_unit_test_setup(test_a_reader_that_stalls, journal_setup),
      cmocka_unit_test_setup(test_a_page_outlives_the_stop, journal_setup),
      cmocka_unit_test_setup(test_a_page_over_tls, journal_setup),
  };
  return cmocka_run_group_tests_name("pages", tests, NULL, remove_files);
}
