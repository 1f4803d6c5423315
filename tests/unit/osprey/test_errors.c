/* Each error of an entry point has its own message. */
#include <inttypes.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"

static int clear_journal(void **state) {
  (void)state;
  journal_clear();
  return 0;
}

static char *error;

/* Evaluates the call and expects the error message that the format describes. */
#define FAILS(call, ...)                                                                                               \
  do {                                                                                                                 \
    char sentence[1024];                                                                                               \
    (void)(call);                                                                                                      \
    snprintf(sentence, sizeof sentence, __VA_ARGS__);                                                                  \
    expect_error(error, sentence);                                                                                     \
  } while (0)

/* WS-ID-3 */
static void test_unknown_ids(void **state) {
  (void)state;
  FAILS(osp_ws_send(0, "x", &error), "send: there is no connection 0");
  FAILS(osp_ws_send(-7, "x", &error), "send: there is no connection -7");
  FAILS(osp_ws_send(INT64_MAX, "x", &error), "send: there is no connection 9223372036854775807");
  FAILS(osp_ws_send(INT64_MIN, "x", &error), "send: there is no connection -9223372036854775808");
  FAILS(osp_ws_close(1000001, &error), "close: there is no connection 1000001");
  FAILS(osp_ws_connection(1000001, &error), "connection: there is no connection 1000001");
  FAILS(osp_ws_remote_address(1000001, &error), "remote address: there is no connection 1000001");
  FAILS(osp_ws_queued_bytes(1000001, &error), "queued bytes: there is no connection 1000001");
  FAILS(osp_ws_request_header(1000001, "Host", &error), "request header: there is no connection 1000001");
  FAILS(osp_ws_request_path(1000001, &error), "request path: there is no connection 1000001");
  FAILS(osp_ws_request_query(1000001, "token", &error), "request query: there is no connection 1000001");
  FAILS(osp_ws_protocol(1000001, &error), "protocol: there is no connection 1000001");
  FAILS(osp_ws_send_binary(1000001, "", &error), "send binary: there is no connection 1000001");
  FAILS(osp_ws_on_close(1000001, on_close, &error), "on close: there is no connection 1000001");
  FAILS(osp_ws_server_listen(0, &error), "listen: there is no server 0");
  FAILS(osp_ws_server_listen(1000000, &error), "listen: there is no server 1000000");
  FAILS(osp_ws_server_broadcast(-1, "x", &error), "broadcast: there is no server -1");
  FAILS(osp_ws_server_connections(-1, &error), "server connections: there is no server -1");
  FAILS(osp_ws_stop_server(1000000, &error), "stop server: there is no server 1000000");
  FAILS(osp_ws_server_on_message(-1, on_message, &error), "on message: there is no server -1");
  FAILS(osp_ws_server_on_open(-1, on_open, &error), "on open: there is no server -1");
  FAILS(osp_ws_server_on_close(-1, on_close, &error), "on close: there is no server -1");
  FAILS(osp_ws_server_allow_origin(-1, "*", &error), "allow origin: there is no server -1");
  FAILS(osp_ws_server_limit(-1, "maxFragments", 1, &error), "limit: there is no server -1");
  FAILS(osp_ws_server_protocols(-1, "a", &error), "protocols: there is no server -1");
  FAILS(osp_ws_server_send(-1, 3, "x", &error), "server send: there is no server -1");
}

static char *url_of(int port) {
  static char url[64];
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", port);
  return url;
}

static void *tick(void *cell, int64_t timer) {
  (void)cell;
  (void)timer;
  return result_success();
}

static void *on_tick[] = {(void *)tick};

/* The ID of the server's end of the latest connection to a server of serve(). */
static _Atomic int64_t accepted;

static void *note_open(void *cell, const struct osprey_connection *connection) {
  accepted = connection->id;
  return hear_open(cell, connection);
}

static int64_t serve(int *port) {
  static void *on_noted_open[] = {(void *)note_open};
  *port = peer_free_port();
  int64_t server = must_create(*port, "/chat");
  osp_ws_server_on_open(server, on_noted_open, &error);
  expect_success(error);
  must_listen(server);
  return server;
}

/* WS-ID-1 WS-ID-4 */
static void test_ids_of_the_wrong_kind(void **state) {
  int port;
  (void)state;
  int64_t server = serve(&port);
  int64_t client = must_connect(url_of(port));
  assert_true(client != server && accepted != server && client != accepted);
  FAILS(osp_ws_send(server, "x", &error), "send: %" PRId64 " is the ID of a server, not of a connection", server);
  FAILS(osp_ws_server_listen(client, &error), "listen: %" PRId64 " is the ID of a connection, not of a server", client);
  int64_t timer = osp_ws_after(60000, on_tick, &error);
  expect_success(error);
  FAILS(osp_ws_send(timer, "x", &error), "send: %" PRId64 " is the ID of a timer, not of a connection", timer);
  FAILS(osp_ws_cancel(server, &error), "cancel: %" PRId64 " is the ID of a server, not of a timer", server);
  FAILS(osp_ws_cancel(-1, &error), "cancel: there is no timer -1");
  must_stop(server);
}

/* WS-SERVERSEND-1 WS-SERVERSEND-2 */
static void test_server_send_to_a_foreign_connection(void **state) {
  int port;
  int other_port;
  (void)state;
  int64_t server = serve(&port);
  int64_t other = must_serve(&other_port);
  int64_t client = must_connect(url_of(port));
  osp_ws_server_send(server, accepted, "to you", &error);
  expect_success(error);
  FAILS(osp_ws_server_send(server, client, "x", &error),
        "server send: connection %" PRId64 " is not a connection of server %" PRId64, client, server);
  FAILS(osp_ws_server_send(other, accepted, "x", &error),
        "server send: connection %" PRId64 " is not a connection of server %" PRId64, accepted, other);
  must_stop(server);
  must_stop(other);
}

/* WS-CLIENTCLOSE-3 WS-HEADER-3 WS-REQUESTPATH-1 WS-REQUESTQUERY-3 */
static void test_calls_for_the_other_side(void **state) {
  int port;
  (void)state;
  int64_t server = serve(&port);
  int64_t client = must_connect(url_of(port));
  FAILS(osp_ws_request_header(client, "Host", &error),
        "request header: connection %" PRId64 " is a client's and received no request", client);
  FAILS(osp_ws_request_path(client, &error),
        "request path: connection %" PRId64 " is a client's and received no request", client);
  FAILS(osp_ws_request_query(client, "token", &error),
        "request query: connection %" PRId64 " is a client's and received no request", client);
  FAILS(osp_ws_request_query(accepted, "token", &error),
        "request query: the request of connection %" PRId64 " has no parameter \"token\"", accepted);
  FAILS(osp_ws_on_close(accepted, on_close, &error),
        "on close: connection %" PRId64 " belongs to a server: use websocketServerOnClose", accepted);
  must_stop(server);
}

/* WS-ID-2: also after many other IDs. */
static void test_id_of_a_closed_connection_is_not_reused(void **state) {
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  int64_t first = must_connect(url_of(port));
  must_close(first);
  for (int i = 0; i < 2000; i++) {
    int64_t next = must_connect(url_of(port));
    assert_true(next != first);
    must_close(next);
  }
  FAILS(osp_ws_send(first, "x", &error), "send: connection %" PRId64 " is closed", first);
  must_stop(server);
}

/* WS-SEND-3 */
static void test_closed_connection(void **state) {
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  int64_t id = must_connect(url_of(port));
  must_close(id);
  FAILS(osp_ws_send(id, "x", &error), "send: connection %" PRId64 " is closed", id);
  FAILS(osp_ws_close(id, &error), "close: connection %" PRId64 " is closed", id);
  FAILS(osp_ws_connection(id, &error), "connection: connection %" PRId64 " is closed", id);
  must_stop(server);
}

/* WS-LISTEN-3 */
static void test_second_listen(void **state) {
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  FAILS(osp_ws_server_listen(server, &error), "listen: server %" PRId64 " listens already", server);
  must_stop(server);
}

/* WS-LISTEN-4 WS-BROADCAST-3 */
static void test_stopped_server(void **state) {
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  must_stop(server);
  FAILS(osp_ws_stop_server(server, &error), "stop server: server %" PRId64 " is stopped", server);
  FAILS(osp_ws_server_listen(server, &error), "listen: server %" PRId64 " is stopped", server);
  FAILS(osp_ws_server_broadcast(server, "x", &error), "broadcast: server %" PRId64 " is stopped", server);
}

/* WS-SEND-3: the close handshake has begun. */
static void test_closing_connection(void **state) {
  char url[64];
  char head[2048];
  int port;
  (void)state;
  int listener = peer_listen(&port);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
  struct osprey_options options = {.headers = "", .protocols = ""};
  pid_t server = fork();
  if (server == 0) {
    struct peer peer = peer_accept(listener);
    peer_answer(&peer, head, sizeof head, "");
    peer_read_close(&peer, NULL, 0);
    peer_expect_end(&peer); /* never answers */
    _exit(0);
  }
  int64_t id = must_connect_with(url, &options, on_message);
  pthread_t closer;
  pthread_create(&closer, NULL, (void *(*)(void *))(void (*)(void))must_close, (void *)(intptr_t)id);
  for (int tries = 0; osp_ws_send(id, "x", &error), !error; tries++) {
    assert_true(tries < 2000);
    poll(NULL, 0, 1);
  }
  osp_release(error);
  FAILS(osp_ws_send(id, "x", &error), "send: connection %" PRId64 " is closing", id);
  FAILS(osp_ws_close(id, &error), "close: connection %" PRId64 " is closing", id);
  pthread_join(closer, NULL);
  close(listener);
}

/* WS-CREATE-2 */
static void test_port_out_of_range(void **state) {
  static const int64_t ports[] = {0, 65536, -1, INT64_MIN};
  (void)state;
  for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
    FAILS(osp_ws_create_server(ports[i], "127.0.0.1", "/", &error),
          "create server: port %" PRId64 " is not in 1 to 65535", ports[i]);
}

/* WS-CREATE-3 */
static void test_malformed_address(void **state) {
  static const char *const malformed[] = {"[", "[]", "[::1", "a:b:80", "a\x7F", "a\xC3\xA4", "\t"};
  static const char *const urls[] = {"http://localhost", "ws://127.0.0.1:80/", "localhost/live", "/"};
  static const char *const with_port[] = {"127.0.0.1:80", "localhost:80", "[::1]:80"};
  char long_name[300] = "";
  (void)state;
  FAILS(osp_ws_create_server(8080, "", "/", &error),
        "create server: address \"\" is neither an IP address nor a host name");
  FAILS(osp_ws_create_server(8080, "a b", "/", &error),
        "create server: address \"a b\" is neither an IP address nor a host name");
  for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
    osp_ws_create_server(8080, malformed[i], "/", &error);
    expect_error_with(error, "create server: ");
  }
  memset(long_name, 'a', sizeof long_name - 1);
  osp_ws_create_server(8080, long_name, "/", &error);
  expect_error_with(error, "is neither an IP address nor a host name");
  for (size_t i = 0; i < sizeof with_port / sizeof *with_port; i++) {
    osp_ws_create_server(8080, with_port[i], "/", &error);
    expect_error_with(error, "contains a port: pass it as the parameter port");
  }
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
    FAILS(osp_ws_create_server(8080, urls[i], "/", &error),
          "create server: address \"%s\" has a scheme or a path: pass the host alone, such as 127.0.0.1", urls[i]);
}

/* WS-CREATE-4 */
static void test_address_of_another_machine(void **state) {
  (void)state;
  osp_ws_create_server(8080, "192.0.2.1", "/", &error);
  expect_error_with(error, "192.0.2.1:8080: Cannot assign requested address");
  osp_ws_create_server(8080, "no-such-host.invalid", "/", &error);
  expect_error_with(error, "no-such-host.invalid");
}

/* WS-CREATE-6 */
static void test_malformed_path(void **state) {
  static char long_path[8194];
  (void)state;
  FAILS(osp_ws_create_server(8080, "127.0.0.1", "chat", &error),
        "create server: path \"chat\" does not begin with '/'");
  FAILS(osp_ws_create_server(8080, "127.0.0.1", "", &error), "create server: path \"\" does not begin with '/'");
  FAILS(osp_ws_create_server(8080, "127.0.0.1", "/a?b", &error),
        "create server: path \"/a?b\" holds a query or fragment ('?', '#')");
  FAILS(osp_ws_create_server(8080, "127.0.0.1", "/a b", &error),
        "create server: path \"/a b\" holds a space, a control character or a byte outside ASCII");
  FAILS(osp_ws_create_server(8080, "127.0.0.1", "/a\r\nX: y", &error),
        "create server: path \"/a\\x0d\\x0aX: y\" holds a space, a control character or a byte outside ASCII");
  memset(long_path, '/', sizeof long_path - 1);
  osp_ws_create_server(8080, "127.0.0.1", long_path, &error);
  expect_error_with(error, "//…\" is too long");
}

/* WS-CREATE-5: whether a foreign socket listens, or a server of this program is only bound. */
static void test_port_in_use(void **state) {
  char sentence[200];
  int port;
  (void)state;
  int listener = peer_listen(&port);
  snprintf(sentence, sizeof sentence, "127.0.0.1:%d: Address already in use", port);
  osp_ws_create_server(port, "127.0.0.1", "/", &error);
  expect_error_with(error, sentence);
  close(listener);
  int64_t first = must_create(port, "/");
  osp_ws_create_server(port, "127.0.0.1", "/", &error);
  expect_error_with(error, sentence);
  must_stop(first);
}

/* WS-STOP-1 */
static void test_stop_without_listen_frees_the_port(void **state) {
  int port = (int)peer_free_port();
  (void)state;
  must_stop(must_create(port, "/"));
  int64_t second = must_create(port, "/");
  must_listen(second);
  must_stop(second);
}

/* WS-SECURE-2 */
static void test_secure_server_without_certificate(void **state) {
  (void)state;
  osp_ws_create_secure_server(peer_free_port(), "127.0.0.1", "/", "/no/such/cert.pem", "/no/such/key.pem", &error);
  expect_error_with(error, "/no/such/cert.pem");
}

/* WS-LIMIT-3 */
static void test_unknown_limit(void **state) {
  (void)state;
  int64_t server = must_create(peer_free_port(), "/");
  FAILS(osp_ws_server_limit(server, "maxMessagebytes", 1, &error),
        "limit: there is no limit \"maxMessagebytes\"; the limits are maxMessageBytes, maxFragments, maxQueuedBytes, "
        "maxConnections, maxConnectionsPerAddress, maxMessagesPerSecond, maxMemoryBytes, maxValueBytes, "
        "maxServerValueBytes, maxClusterQueuedBytes, maxTopics, handshakeTimeoutMs, idleTimeoutMs, closeTimeoutMs, "
        "compression, "
        "maxCompressionRatio");
  must_stop(server);
}

/* WS-LIMIT-2 */
static void test_limit_out_of_range(void **state) {
  static const struct {
    const char *limit;
    int64_t value;
    const char *range;
  } cases[] = {
      {"maxMessageBytes", 0, "1 to 1073741824"},
      {"maxMessageBytes", (1 << 30) + 1, "1 to 1073741824"},
      {"maxFragments", 0, "1 to 1073741824"},
      {"maxConnections", 0, "1 to 16777216"},
      {"maxConnectionsPerAddress", -1, "0 to 16777216"},
      {"maxMessagesPerSecond", -1, "0 to 1073741824"},
      {"handshakeTimeoutMs", 0, "1 to 2147483647"},
      {"idleTimeoutMs", -1, "0 to 2147483647"},
      {"compression", 3, "0 to 2"},
  };
  (void)state;
  int64_t server = must_create(peer_free_port(), "/");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    FAILS(osp_ws_server_limit(server, cases[i].limit, cases[i].value, &error), "limit: %s is %s, not %" PRId64,
          cases[i].limit, cases[i].range, cases[i].value);
  must_limit(server, "maxConnectionsPerAddress", 0);
  must_stop(server);
}

/* WS-LIMIT-7: the queue has room for a message of maxMessageBytes. */
static void test_queue_holds_a_message(void **state) {
  static const int64_t sizes[] = {1000, INT64_MAX};
  (void)state;
  int64_t server = must_create(peer_free_port(), "/");
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    FAILS(osp_ws_server_limit(server, "maxQueuedBytes", sizes[i], &error),
          "limit: maxQueuedBytes is 1048576 (a message of maxMessageBytes) to 4294967296, not %" PRId64, sizes[i]);
  must_limit(server, "maxMessageBytes", 1000);
  must_limit(server, "maxQueuedBytes", 1000);
  must_limit(server, "maxMessageBytes", 1 << 30);
  must_stop(server);
}

/* WS-BROADCAST-3 */
static void test_broadcast_before_listen(void **state) {
  (void)state;
  int64_t server = must_create(peer_free_port(), "/");
  FAILS(osp_ws_server_broadcast(server, "x", &error),
        "broadcast: server %" PRId64 " does not listen yet: call websocketServerListen first", server);
  must_stop(server);
}

/* WS-LISTEN-5 */
static void test_settings_after_listen(void **state) {
  int port;
  (void)state;
  int64_t server = must_serve(&port);
#define TOO_LATE(op, call)                                                                                             \
  FAILS(call, op ": server %" PRId64 " listens already: call this before websocketServerListen", server)
  TOO_LATE("limit", osp_ws_server_limit(server, "maxFragments", 5, &error));
  TOO_LATE("on message", osp_ws_server_on_message(server, on_message, &error));
  TOO_LATE("on open", osp_ws_server_on_open(server, on_open, &error));
  TOO_LATE("on close", osp_ws_server_on_close(server, on_close, &error));
  TOO_LATE("allow origin", osp_ws_server_allow_origin(server, "*", &error));
  TOO_LATE("allow host", osp_ws_server_allow_host(server, "a", &error));
  TOO_LATE("trust proxy", osp_ws_server_trust_proxy(server, "::1", &error));
  TOO_LATE("protocols", osp_ws_server_protocols(server, "a", &error));
  must_stop(server);
}

/* WS-ORIGIN-7 WS-TEXT-5 */
static void test_malformed_origin(void **state) {
  (void)state;
  int64_t server = must_create(peer_free_port(), "/");
  const char *bad[] = {"",
                       "example.org",
                       "https://",
                       "://x",
                       "https://a/b",
                       "https://example.org/",
                       "ws://example.org",
                       "WSS://example.org",
                       "https://a b",
                       "null",
                       "ht tp://x",
                       "https://example.org:99999",
                       "https://user@example.org",
                       "1http://x",
                       "-x://x",
                       "ht@tp://x",
                       "ht[tp://x",
                       "ht`tp://x",
                       "ht{tp://x",
                       "ht/tp://x",
                       "a-scheme-that-is-longer-than-any-of-them://x",
                       "https://x\xC0\x80"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    osp_ws_server_allow_origin(server, bad[i], &error);
    expect_error_with(error,
                      "is neither \"*\" nor a page's origin: scheme://host or scheme://host:port, without a path");
  }
  const char *good[] = {"*",
                        "https://example.org",
                        "http://[::1]:8080",
                        "chrome-extension://abc",
                        "HTTPS://example.org",
                        "a1+b.c0-z9AZ://x"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    osp_ws_server_allow_origin(server, good[i], &error);
    expect_success(error);
  }
  must_stop(server);
}

/* WS-PROTOCOLS-2 WS-TEXT-5 */
static void test_malformed_subprotocols(void **state) {
  (void)state;
  int64_t server = must_create(peer_free_port(), "/");
  FAILS(osp_ws_server_protocols(server, "a,,b", &error), "protocols: subprotocol \"\" is empty");
  FAILS(osp_ws_server_protocols(server, "a, b, a", &error), "protocols: subprotocol \"a\" is named twice");
  FAILS(osp_ws_server_protocols(server, "a b", &error),
        "protocols: subprotocol \"a b\" contains a character that is not valid in a token");
  osp_ws_server_protocols(server, "x\xC0\x80", &error);
  expect_error_with(error, "contains a character that is not valid in a token");
  osp_ws_server_protocols(server, "chat.v2, chat.v1", &error);
  expect_success(error);
  osp_ws_server_protocols(server, "", &error);
  expect_success(error);
  must_stop(server);
}

/* WS-CLOSEWITH-2 */
static void test_invalid_close_code(void **state) {
  static const int64_t codes[] = {0,    999,  1004, 1005, 1006,  1015,  1016,
                                  1100, 2000, 2999, 5000, 65535, -1000, INT64_MAX};
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  int64_t id = must_connect(url_of(port));
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
    FAILS(osp_ws_close_with(id, codes[i], "", &error),
          "close: code %" PRId64 " is not one of 1000 to 1003, 1007 to 1014 or 3000 to 4999", codes[i]);
  must_close(id);
  must_stop(server);
}

/* WS-CLOSEWITH-3 WS-TEXT-5 */
static void test_invalid_close_reason(void **state) {
  char reason[125] = "";
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  int64_t id = must_connect(url_of(port));
  memset(reason, 'r', sizeof reason - 1);
  FAILS(osp_ws_close_with(id, 1000, reason, &error), "close: the reason has 124 bytes, at most 123 fit");
  FAILS(osp_ws_close_with(id, 1000, "\xff", &error), "close: the reason is not UTF-8: wrong byte at offset 0");
  FAILS(osp_ws_close_with(id, 1000, "a\xC0\x80", &error), "close: the reason holds U+0000");
  must_close(id);
  must_stop(server);
}

/* WS-TEXT-4 */
static void test_message_that_is_not_utf8(void **state) {
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  int64_t id = must_connect(url_of(port));
  FAILS(osp_ws_send(id, "ab\xC3", &error), "send: the message is not UTF-8: wrong byte at offset 2");
  FAILS(osp_ws_send(id, "ab\xC3(", &error), "send: the message is not UTF-8: wrong byte at offset 2");
  FAILS(osp_ws_send(id, "\xED\xA0\x80", &error), "send: the message is not UTF-8: wrong byte at offset 0");
  FAILS(osp_ws_server_broadcast(server, "abc\x80", &error),
        "broadcast: the message is not UTF-8: wrong byte at offset 3");
  FAILS(osp_ws_server_send(server, id, "abc\x80", &error),
        "server send: the message is not UTF-8: wrong byte at offset 3");
  must_close(id);
  must_stop(server);
}

/* WS-SENDBINARY-2 */
static void test_message_that_is_not_base64(void **state) {
  static const struct {
    const char *text;
    int offset;
  } cases[] = {{"QUJD!", 4}, {"=Q", 0}, {"QQ=!", 2}, {"Q=Q", 1}, {"QR==", 1}, {"Q=Q=", 1}};
  static const char *const incomplete[] = {"QUJ", "QQ=", "=", "QUJDQ", "QUJDQ=="};
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  int64_t id = must_connect(url_of(port));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    FAILS(osp_ws_send_binary(id, cases[i].text, &error),
          "send binary: not base64 (RFC 4648 section 4, padded): wrong character at offset %d", cases[i].offset);
  for (size_t i = 0; i < sizeof incomplete / sizeof *incomplete; i++)
    FAILS(osp_ws_send_binary(id, incomplete[i], &error),
          "send binary: not base64 (RFC 4648 section 4, padded): the length is %zu, not a multiple of 4",
          strlen(incomplete[i]));
  must_close(id);
  must_stop(server);
}

/* WS-CONNECT-4 WS-SEC-8 */
static void test_malformed_url(void **state) {
  (void)state;
  FAILS(osp_ws_connect("http://localhost/", on_text, &error),
        "connect http://localhost/: the URL starts with neither ws:// nor wss://");
  FAILS(osp_ws_connect("ws://localhost/#top", on_text, &error),
        "connect ws://localhost/#…: the URL contains a fragment (\"#\")");
  FAILS(osp_ws_connect("ws://:80/", on_text, &error), "connect ws://:80/: the URL has no host");
  FAILS(osp_ws_connect("ws://localhost:0/", on_text, &error),
        "connect ws://localhost:0/: the URL's port is not a number from 1 to 65535");
  FAILS(osp_ws_connect("ws://user:secret@localhost/", on_text, &error),
        "connect ws://…@localhost/: the URL contains user information (\"@\")");
  FAILS(osp_ws_connect("ws://localhost/a b", on_text, &error),
        "connect ws://localhost/a b: the URL contains a space, a control character or a byte outside ASCII");
  FAILS(osp_ws_connect("ws://localhost/\r\nX: y", on_text, &error),
        "connect ws://localhost/\\x0d\\x0aX: y: the URL contains a space, a control character or a byte outside ASCII");
}

/* WS-CONNECT-5 */
static void test_unknown_host(void **state) {
  (void)state;
  osp_ws_connect("ws://no-such-host.invalid/", on_text, &error);
  expect_error_with(error, "connect ws://no-such-host.invalid/: ");
}

/* WS-CONNECT-6 */
static void test_connection_refused(void **state) {
  char url[64];
  int port = peer_free_port();
  (void)state;
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/?token=secret", port);
  osp_ws_connect(url, on_text, &error);
  assert_null(strstr(error, "secret"));
  expect_error_with(error, "Connection refused");
  snprintf(url, sizeof url, "ws://localhost:%d/", port);
  osp_ws_connect(url, on_text, &error);
  assert_non_null(strstr(error, "127.0.0.1:"));
  expect_error_with(error, "[::1]:");
}

/* WS-CONNECTWITH-3 */
static void test_malformed_headers(void **state) {
  (void)state;
  const char *headers[] = {"NoColon",    "Bad Name: x",   "X: a\x01",    "Host: x", "Sec-WebSocket-Key: x",
                           "Upgrade: x", "X: \xC0\x80\r", "Good: x\n: x"};
  const char *names[] = {"\"NoColon\"",           "\"Bad Name\"", "\"X\"", "\"Host\"",
                         "\"Sec-WebSocket-Key\"", "\"Upgrade\"",  "\"X\"", "\"\""};
  for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
    struct osprey_options options = {.headers = headers[i], .protocols = ""};
    osp_ws_connect_with("ws://127.0.0.1:9/", &options, on_message, &error);
    assert_true(strlen(headers[i]) == 3 || strstr(error, names[i]));
    expect_error_with(error, "connect ws://127.0.0.1:9/: header \"");
  }
  static char endless[300]; /* without a colon: the error shows its start */
  memset(endless, 'x', sizeof endless - 1);
  struct osprey_options options = {.headers = endless, .protocols = ""};
  osp_ws_connect_with("ws://127.0.0.1:9/", &options, on_message, &error);
  expect_error_with(error, "xxxxxxxx\"");
  options.headers = "X-A-Header-Of-Some-Length: may be sent";
  osp_ws_connect_with("ws://127.0.0.1:9/", &options, on_message, &error);
  expect_error_with(error, "connect 127.0.0.1:9: Connection refused");
}

/* WS-CONNECTWITH-9 */
static void test_options_out_of_range(void **state) {
  struct osprey_options options = {.headers = "", .protocols = ""};
  (void)state;
#define OPTION_FAILS(field, value, sentence)                                                                           \
  options.field = value;                                                                                               \
  FAILS(osp_ws_connect_with("ws://127.0.0.1:9/", &options, on_message, &error), sentence);                             \
  options.field = 0
  OPTION_FAILS(max_message_bytes, -1, "connect ws://127.0.0.1:9/: maxMessageBytes is 0 to 1073741824, not -1");
  OPTION_FAILS(max_message_bytes, (1 << 30) + 1,
               "connect ws://127.0.0.1:9/: maxMessageBytes is 0 to 1073741824, not 1073741825");
  OPTION_FAILS(timeout_ms, -1, "connect ws://127.0.0.1:9/: timeoutMs is 0 to 2147483647, not -1");
  OPTION_FAILS(keep_alive_ms, -5, "connect ws://127.0.0.1:9/: keepAliveMs is 0 to 1073741824, not -5");
}

static void test_repeated_subprotocol(void **state) {
  struct osprey_options options = {.headers = "", .protocols = "a,a"};
  (void)state;
  FAILS(osp_ws_connect_with("ws://127.0.0.1:9/", &options, on_message, &error),
        "connect ws://127.0.0.1:9/: subprotocol \"a\" is named twice");
}

/* WS-CONNECTWITH-10: URL, headers and subprotocols are within their limits, but not together. */
static void test_request_too_long(void **state) {
  enum { LINES = 2048, NAMES = 96, ROOM = 680 }; /* lines of 4 bytes; names of 255 bytes, padded with blanks */
  static char url[8001];
  static char headers[4 * LINES];
  static char protocols[ROOM * NAMES];
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  memset(url, 'u', sizeof url - 1);
  memcpy(url, "ws://127.0.0.1:", 15);
  url[15 + snprintf(url + 15, 8, "%d", port)] = '/';
  for (int i = 0; i < LINES; i++)
    memcpy(headers + 4 * (size_t)i, "a:b\n", 4);
  headers[sizeof headers - 1] = '\0';
  memset(protocols, ' ', sizeof protocols);
  for (int i = 0; i < NAMES; i++) {
    char *name = protocols + ROOM * (size_t)i;
    memset(name, 'p', 255);
    name[snprintf(name, 8, "%d", i)] = 'p';
    if (i > 0)
      name[-1] = ',';
  }
  protocols[sizeof protocols - 1] = '\0';
  struct osprey_options options = {.headers = headers, .protocols = protocols};
  osp_ws_connect_with(url, &options, on_message, &error);
  expect_error_with(error, ": the request is too long");
  must_stop(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_unknown_ids, clear_journal),
      cmocka_unit_test_setup(test_ids_of_the_wrong_kind, clear_journal),
      cmocka_unit_test_setup(test_server_send_to_a_foreign_connection, clear_journal),
      cmocka_unit_test_setup(test_calls_for_the_other_side, clear_journal),
      cmocka_unit_test_setup(test_id_of_a_closed_connection_is_not_reused, clear_journal),
      cmocka_unit_test_setup(test_closed_connection, clear_journal),
      cmocka_unit_test_setup(test_second_listen, clear_journal),
      cmocka_unit_test_setup(test_stopped_server, clear_journal),
      cmocka_unit_test_setup(test_closing_connection, clear_journal),
      cmocka_unit_test_setup(test_port_out_of_range, clear_journal),
      cmocka_unit_test_setup(test_malformed_address, clear_journal),
      cmocka_unit_test_setup(test_address_of_another_machine, clear_journal),
      cmocka_unit_test_setup(test_malformed_path, clear_journal),
      cmocka_unit_test_setup(test_port_in_use, clear_journal),
      cmocka_unit_test_setup(test_stop_without_listen_frees_the_port, clear_journal),
      cmocka_unit_test_setup(test_secure_server_without_certificate, clear_journal),
      cmocka_unit_test_setup(test_unknown_limit, clear_journal),
      cmocka_unit_test_setup(test_limit_out_of_range, clear_journal),
      cmocka_unit_test_setup(test_queue_holds_a_message, clear_journal),
      cmocka_unit_test_setup(test_broadcast_before_listen, clear_journal),
      cmocka_unit_test_setup(test_settings_after_listen, clear_journal),
      cmocka_unit_test_setup(test_malformed_origin, clear_journal),
      cmocka_unit_test_setup(test_malformed_subprotocols, clear_journal),
      cmocka_unit_test_setup(test_invalid_close_code, clear_journal),
      cmocka_unit_test_setup(test_invalid_close_reason, clear_journal),
      cmocka_unit_test_setup(test_message_that_is_not_utf8, clear_journal),
      cmocka_unit_test_setup(test_message_that_is_not_base64, clear_journal),
      cmocka_unit_test_setup(test_malformed_url, clear_journal),
      cmocka_unit_test_setup(test_unknown_host, clear_journal),
      cmocka_unit_test_setup(test_connection_refused, clear_journal),
      cmocka_unit_test_setup(test_malformed_headers, clear_journal),
      cmocka_unit_test_setup(test_options_out_of_range, clear_journal),
      cmocka_unit_test_setup(test_repeated_subprotocol, clear_journal),
      cmocka_unit_test_setup(test_request_too_long, clear_journal),
  };
  return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
