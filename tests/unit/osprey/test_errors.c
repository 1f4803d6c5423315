/* Every way to be wrong has its own sentence. */
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

/* Where calls report; every test is single-threaded. */
static char *error;

#define FAILS(call, sentence)                                                                                          \
  do {                                                                                                                 \
    (void)call;                                                                                                        \
    expect_error(error, sentence);                                                                                     \
  } while (0)

/* A number that was never an ID: WS-ID-3 */
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

/* WS-ID-1 WS-ID-4 WS-SERVERSEND-1 WS-SERVERSEND-2 WS-CLIENTCLOSE-3 WS-HEADER-3 */
static void test_ids_of_the_wrong_kind(void **state) {
  char sentence[200];
  char url[64];
  int port;
  int other_port;
  (void)state;
  int64_t server = must_serve(&port);
  int64_t other = must_serve(&other_port);
  snprintf(url, sizeof url, "ws://localhost:%d/chat", port);
  struct peer peer = peer_open(port, "/chat");
  journal_expect("open");
  peer_send_message(&peer, "who");
  peer_expect_text(&peer, "who");
  int64_t client = must_connect(url);
  assert_true(client != server && client != other && server != other);

  snprintf(sentence, sizeof sentence, "send: %lld is the ID of a server, not of a connection", (long long)server);
  FAILS(osp_ws_send(server, "x", &error), sentence);
  snprintf(sentence, sizeof sentence, "listen: %lld is the ID of a connection, not of a server", (long long)client);
  FAILS(osp_ws_server_listen(client, &error), sentence);
  snprintf(sentence, sizeof sentence, "server send: connection %lld is not a connection of server %lld",
           (long long)client, (long long)server);
  FAILS(osp_ws_server_send(server, client, "x", &error), sentence);
  snprintf(sentence, sizeof sentence, "request header: connection %lld is a client's and received no request",
           (long long)client);
  FAILS(osp_ws_request_header(client, "Host", &error), sentence);

  /* The server's ends of the connections: peer's, then client's. */
  int64_t mine = client - 4;
  int64_t second = client + 2;
  osp_ws_server_connections(server, &error);
  expect_success(error);
  int64_t accepted = 0;
  for (int64_t id = mine; id <= second; id += 2) {
    char *header = osp_ws_request_header(id, "Host", &error);
    if (error) {
      osp_release(error);
      continue;
    }
    osp_release(header);
    accepted = id;
  }
  assert_true(accepted > 0);
  osp_ws_server_send(server, accepted, "to you", &error);
  expect_success(error);
  snprintf(sentence, sizeof sentence, "server send: connection %lld is not a connection of server %lld",
           (long long)accepted, (long long)other);
  FAILS(osp_ws_server_send(other, accepted, "x", &error), sentence);
  snprintf(sentence, sizeof sentence, "on close: connection %lld belongs to a server: use websocketServerOnClose",
           (long long)accepted);
  FAILS(osp_ws_on_close(accepted, on_close, &error), sentence);
  peer_close(&peer);
  must_stop(server);
  must_stop(other);
}

/* WS-ID-2 WS-SEND-3 WS-LISTEN-3 WS-LISTEN-4 WS-BROADCAST-3 */
static void test_what_is_closed_stays_closed(void **state) {
  char sentence[200];
  char url[64];
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", port);
  int64_t first = must_connect(url);
  must_close(first);
  for (int i = 0; i < 2000; i++) {
    int64_t next = must_connect(url);
    assert_true(next != first);
    must_close(next);
  }
  snprintf(sentence, sizeof sentence, "send: connection %lld is closed", (long long)first);
  FAILS(osp_ws_send(first, "x", &error), sentence);
  snprintf(sentence, sizeof sentence, "close: connection %lld is closed", (long long)first);
  FAILS(osp_ws_close(first, &error), sentence);
  snprintf(sentence, sizeof sentence, "connection: connection %lld is closed", (long long)first);
  FAILS(osp_ws_connection(first, &error), sentence);
  snprintf(sentence, sizeof sentence, "listen: server %lld listens already", (long long)server);
  FAILS(osp_ws_server_listen(server, &error), sentence);
  must_stop(server);
  snprintf(sentence, sizeof sentence, "stop server: server %lld is stopped", (long long)server);
  FAILS(osp_ws_stop_server(server, &error), sentence);
  snprintf(sentence, sizeof sentence, "listen: server %lld is stopped", (long long)server);
  FAILS(osp_ws_server_listen(server, &error), sentence);
  snprintf(sentence, sizeof sentence, "broadcast: server %lld is stopped", (long long)server);
  FAILS(osp_ws_server_broadcast(server, "x", &error), sentence);
}

/* WS-SEND-3: a close handshake that has begun. */
static void test_closing_is_not_closed(void **state) {
  char sentence[200];
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
  snprintf(sentence, sizeof sentence, "send: connection %lld is closing", (long long)id);
  for (int tries = 0;; tries++) {
    osp_ws_send(id, "x", &error);
    if (error)
      break;
    assert_true(tries < 2000);
    poll(NULL, 0, 1);
  }
  expect_error(error, sentence);
  snprintf(sentence, sizeof sentence, "close: connection %lld is closing", (long long)id);
  FAILS(osp_ws_close(id, &error), sentence);
  pthread_join(closer, NULL);
  close(listener);
}

/* WS-CREATE-2 WS-CREATE-3 WS-CREATE-4 WS-CREATE-6 */
static void test_servers_that_cannot_be(void **state) {
  (void)state;
  FAILS(osp_ws_create_server(0, "127.0.0.1", "/", &error), "create server: port 0 is not in 1 to 65535");
  FAILS(osp_ws_create_server(65536, "127.0.0.1", "/", &error), "create server: port 65536 is not in 1 to 65535");
  FAILS(osp_ws_create_server(-1, "127.0.0.1", "/", &error), "create server: port -1 is not in 1 to 65535");
  FAILS(osp_ws_create_server(INT64_MIN, "127.0.0.1", "/", &error),
        "create server: port -9223372036854775808 is not in 1 to 65535");
  FAILS(osp_ws_create_server(8080, "", "/", &error),
        "create server: address \"\" is neither an IP address nor a host name");
  FAILS(osp_ws_create_server(8080, "a b", "/", &error),
        "create server: address \"a b\" is neither an IP address nor a host name");
  const char *not_addresses[] = {"[", "[]", "[::1", "a:b:80", "a\x7F", "a\xC3\xA4", "\t"};
  for (size_t i = 0; i < sizeof not_addresses / sizeof *not_addresses; i++) {
    osp_ws_create_server(8080, not_addresses[i], "/", &error);
    expect_error_with(error, "create server: ");
  }
  char long_name[300] = "";
  memset(long_name, 'a', sizeof long_name - 1);
  osp_ws_create_server(8080, long_name, "/", &error);
  expect_error_with(error, "is neither an IP address nor a host name");
  const char *with_ports[] = {"127.0.0.1:80", "localhost:80", "[::1]:80"};
  for (int i = 0; i < 3; i++) {
    osp_ws_create_server(8080, with_ports[i], "/", &error);
    expect_error_with(error, "contains a port: pass it as the parameter port");
  }
  FAILS(osp_ws_create_server(8080, "127.0.0.1", "chat", &error),
        "create server: path \"chat\" does not begin with '/'");
  FAILS(osp_ws_create_server(8080, "127.0.0.1", "", &error), "create server: path \"\" does not begin with '/'");
  FAILS(osp_ws_create_server(8080, "127.0.0.1", "/a?b", &error),
        "create server: path \"/a?b\" holds a query or fragment ('?', '#')");
  FAILS(osp_ws_create_server(8080, "127.0.0.1", "/a b", &error),
        "create server: path \"/a b\" holds a space, a control character or a byte outside ASCII");
  FAILS(osp_ws_create_server(8080, "127.0.0.1", "/a\r\nX: y", &error),
        "create server: path \"/a\\x0d\\x0aX: y\" holds a space, a control character or a byte outside ASCII");
  static char long_path[8194];
  memset(long_path, '/', sizeof long_path - 1);
  osp_ws_create_server(8080, "127.0.0.1", long_path, &error);
  expect_error_with(error, "//…\" is too long");
  osp_ws_create_server(8080, "192.0.2.1", "/", &error);
  expect_error_with(error, "192.0.2.1:8080: Cannot assign requested address");
  osp_ws_create_server(8080, "no-such-host.invalid", "/", &error);
  expect_error_with(error, "no-such-host.invalid");
}

/* A port in use names address, port and cause: WS-CREATE-5 */
static void test_used_port(void **state) {
  char sentence[200];
  int port;
  (void)state;
  int listener = peer_listen(&port);
  osp_ws_create_server(port, "127.0.0.1", "/", &error);
  snprintf(sentence, sizeof sentence, "127.0.0.1:%d: Address already in use", port);
  expect_error_with(error, sentence);
  close(listener);
  /* Bound by both, listened on by none. */
  int64_t first = must_create(port, "/");
  osp_ws_create_server(port, "127.0.0.1", "/", &error);
  expect_error_with(error, sentence);
  must_stop(first);
  /* WS-STOP-1: never listened, and the port is free. */
  int64_t third = must_create(port, "/");
  must_listen(third);
  must_stop(third);
}

/* WS-SECURE-2 */
static void test_secure_server_without_certificate(void **state) {
  (void)state;
  osp_ws_create_secure_server(peer_free_port(), "127.0.0.1", "/", "/no/such/cert.pem", "/no/such/key.pem", &error);
  expect_error_with(error, "/no/such/cert.pem");
}

/* WS-LIMIT-2 WS-LIMIT-3 WS-LISTEN-5 WS-LIMIT-7 */
static void test_settings(void **state) {
  char sentence[200];
  (void)state;
  int64_t server = must_create(peer_free_port(), "/");
  FAILS(osp_ws_server_limit(server, "maxMessagebytes", 1, &error),
        "limit: there is no limit \"maxMessagebytes\"; the limits are maxMessageBytes, maxFragments, maxQueuedBytes, "
        "maxConnections, maxConnectionsPerAddress, maxMessagesPerSecond, handshakeTimeoutMs, idleTimeoutMs, "
        "compression, maxCompressionRatio");
  FAILS(osp_ws_server_limit(server, "maxMessageBytes", 0, &error), "limit: maxMessageBytes is 1 to 1073741824, not 0");
  FAILS(osp_ws_server_limit(server, "maxMessageBytes", (1 << 30) + 1, &error),
        "limit: maxMessageBytes is 1 to 1073741824, not 1073741825");
  FAILS(osp_ws_server_limit(server, "maxFragments", 0, &error), "limit: maxFragments is 1 to 1073741824, not 0");
  FAILS(osp_ws_server_limit(server, "maxConnections", 0, &error), "limit: maxConnections is 1 to 16777216, not 0");
  FAILS(osp_ws_server_limit(server, "maxConnectionsPerAddress", -1, &error),
        "limit: maxConnectionsPerAddress is 0 to 16777216, not -1");
  FAILS(osp_ws_server_limit(server, "maxMessagesPerSecond", -1, &error),
        "limit: maxMessagesPerSecond is 0 to 1073741824, not -1");
  FAILS(osp_ws_server_limit(server, "handshakeTimeoutMs", 0, &error),
        "limit: handshakeTimeoutMs is 1 to 2147483647, not 0");
  FAILS(osp_ws_server_limit(server, "idleTimeoutMs", -1, &error), "limit: idleTimeoutMs is 0 to 2147483647, not -1");
  FAILS(osp_ws_server_limit(server, "compression", 2, &error), "limit: compression is 0 to 1, not 2");
  FAILS(osp_ws_server_limit(server, "maxQueuedBytes", 1000, &error),
        "limit: maxQueuedBytes is 1048576 (a message of maxMessageBytes) to 4294967296, not 1000");
  FAILS(osp_ws_server_limit(server, "maxQueuedBytes", INT64_MAX, &error),
        "limit: maxQueuedBytes is 1048576 (a message of maxMessageBytes) to 4294967296, not 9223372036854775807");
  must_limit(server, "maxMessageBytes", 1000);
  must_limit(server, "maxQueuedBytes", 1000);
  must_limit(server, "maxMessageBytes", 1 << 30);
  must_limit(server, "maxConnectionsPerAddress", 0);
  FAILS(osp_ws_server_broadcast(server, "x", &error), ({
          snprintf(sentence, sizeof sentence,
                   "broadcast: server %lld does not listen yet: call websocketServerListen first", (long long)server);
          sentence;
        }));
  must_listen(server);
  const char *ops[] = {"limit", "on message", "on open", "on close", "allow origin", "protocols"};
  for (int i = 0; i < 6; i++) {
    snprintf(sentence, sizeof sentence, "%s: server %lld listens already: call this before websocketServerListen",
             ops[i], (long long)server);
    switch (i) {
    case 0:
      osp_ws_server_limit(server, "maxFragments", 5, &error);
      break;
    case 1:
      osp_ws_server_on_message(server, on_message, &error);
      break;
    case 2:
      osp_ws_server_on_open(server, on_open, &error);
      break;
    case 3:
      osp_ws_server_on_close(server, on_close, &error);
      break;
    case 4:
      osp_ws_server_allow_origin(server, "*", &error);
      break;
    default:
      osp_ws_server_protocols(server, "a", &error);
      break;
    }
    expect_error(error, sentence);
  }
  must_stop(server);
}

/* WS-ORIGIN-7 WS-PROTOCOLS-2 WS-TEXT-5 */
static void test_origins_and_protocols(void **state) {
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
  FAILS(osp_ws_server_protocols(server, "a,,b", &error), "protocols: subprotocol \"\" is empty");
  FAILS(osp_ws_server_protocols(server, "a, b, a", &error), "protocols: subprotocol \"a\" is named twice");
  FAILS(osp_ws_server_protocols(server, "a b", &error),
        "protocols: subprotocol \"a b\" holds a character that no token can");
  osp_ws_server_protocols(server, "x\xC0\x80", &error);
  expect_error_with(error, "holds a character that no token can");
  osp_ws_server_protocols(server, "chat.v2, chat.v1", &error);
  expect_success(error);
  osp_ws_server_protocols(server, "", &error);
  expect_success(error);
  must_stop(server);
}

/* WS-CLOSEWITH-2 WS-CLOSEWITH-3 WS-SENDBINARY-2 WS-TEXT-4 */
static void test_arguments_of_messages(void **state) {
  char url[64];
  char reason[130];
  char sentence[100];
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", port);
  int64_t id = must_connect(url);
  const int64_t codes[] = {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535, -1000, INT64_MAX};
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    snprintf(sentence, sizeof sentence, "close: code %lld is not one of 1000 to 1003, 1007 to 1014 or 3000 to 4999",
             (long long)codes[i]);
    FAILS(osp_ws_close_with(id, codes[i], "", &error), sentence);
  }
  memset(reason, 'r', sizeof reason);
  reason[124] = '\0';
  FAILS(osp_ws_close_with(id, 1000, reason, &error), "close: the reason has 124 bytes, at most 123 fit");
  FAILS(osp_ws_close_with(id, 1000, "\xff", &error), "close: the reason is not UTF-8: wrong byte at offset 0");
  FAILS(osp_ws_close_with(id, 1000, "a\xC0\x80", &error), "close: the reason holds U+0000");
  FAILS(osp_ws_send(id, "ab\xC3", &error), "send: the message is not UTF-8: wrong byte at offset 2");
  FAILS(osp_ws_send(id, "ab\xC3(", &error), "send: the message is not UTF-8: wrong byte at offset 2");
  FAILS(osp_ws_send(id, "\xED\xA0\x80", &error), "send: the message is not UTF-8: wrong byte at offset 0");
  FAILS(osp_ws_server_broadcast(server, "abc\x80", &error),
        "broadcast: the message is not UTF-8: wrong byte at offset 3");
  FAILS(osp_ws_send_binary(id, "QUJD!", &error),
        "send binary: not base64 (RFC 4648 section 4, padded): wrong character at offset 4");
  FAILS(osp_ws_send_binary(id, "=", &error),
        "send binary: not base64 (RFC 4648 section 4, padded): wrong character at offset 0");
  FAILS(osp_ws_server_send(server, id, "abc\x80", &error),
        "server send: the message is not UTF-8: wrong byte at offset 3");
  FAILS(osp_ws_send_binary(id, "QQ=", &error),
        "send binary: not base64 (RFC 4648 section 4, padded): wrong character at offset 2");
  FAILS(osp_ws_send_binary(id, "QR==", &error),
        "send binary: not base64 (RFC 4648 section 4, padded): wrong character at offset 1");
  FAILS(osp_ws_send_binary(id, "Q=Q=", &error),
        "send binary: not base64 (RFC 4648 section 4, padded): wrong character at offset 1");
  must_close(id);
  must_stop(server);
}

/* WS-CONNECT-4 WS-CONNECT-5 WS-CONNECT-6 WS-SEC-8 */
static void test_urls_that_cannot_be(void **state) {
  char url[64];
  (void)state;
  FAILS(osp_ws_connect("http://localhost/", on_text, &error),
        "connect http://localhost/: the URL starts with neither ws:// nor wss://");
  FAILS(osp_ws_connect("ws://localhost/#top", on_text, &error),
        "connect ws://localhost/#…: the URL holds a fragment (\"#\")");
  FAILS(osp_ws_connect("ws://:80/", on_text, &error), "connect ws://:80/: the URL has no host");
  FAILS(osp_ws_connect("ws://localhost:0/", on_text, &error),
        "connect ws://localhost:0/: the URL's port is not a number from 1 to 65535");
  FAILS(osp_ws_connect("ws://user:secret@localhost/", on_text, &error),
        "connect ws://…@localhost/: the URL holds user information (\"@\")");
  FAILS(osp_ws_connect("ws://localhost/a b", on_text, &error),
        "connect ws://localhost/a b: the URL holds a space, a control character or a byte outside ASCII");
  FAILS(osp_ws_connect("ws://localhost/\r\nX: y", on_text, &error),
        "connect ws://localhost/\\x0d\\x0aX: y: the URL holds a space, a control character or a byte outside ASCII");
  osp_ws_connect("ws://no-such-host.invalid/", on_text, &error);
  expect_error_with(error, "connect ws://no-such-host.invalid/: ");
  int port = peer_free_port();
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/?token=secret", port);
  osp_ws_connect(url, on_text, &error);
  assert_null(strstr(error, "secret"));
  expect_error_with(error, "Connection refused");
  snprintf(url, sizeof url, "ws://localhost:%d/", port);
  osp_ws_connect(url, on_text, &error);
  assert_non_null(strstr(error, "127.0.0.1:"));
  expect_error_with(error, "[::1]:");
}

/* WS-CONNECTWITH-3 WS-CONNECTWITH-9 */
static void test_options_that_cannot_be(void **state) {
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
  static char endless[300]; /* a line that has no colon, of which the beginning is told */
  memset(endless, 'x', sizeof endless - 1);
  struct osprey_options options = {.headers = endless, .protocols = ""};
  osp_ws_connect_with("ws://127.0.0.1:9/", &options, on_message, &error);
  expect_error_with(error, "xxxxxxxx\"");
  options.headers = "X-A-Header-Of-Some-Length: may be sent";
  osp_ws_connect_with("ws://127.0.0.1:9/", &options, on_message, &error);
  expect_error_with(error, "connect 127.0.0.1:9: Connection refused");
  options.headers = "";
#define OPTION_FAILS(field, value, sentence)                                                                           \
  options.field = value;                                                                                               \
  FAILS(osp_ws_connect_with("ws://127.0.0.1:9/", &options, on_message, &error), sentence);                             \
  options.field = 0
  OPTION_FAILS(max_message_bytes, -1, "connect ws://127.0.0.1:9/: maxMessageBytes is 0 to 1073741824, not -1");
  OPTION_FAILS(max_message_bytes, (1 << 30) + 1,
               "connect ws://127.0.0.1:9/: maxMessageBytes is 0 to 1073741824, not 1073741825");
  OPTION_FAILS(timeout_ms, -1, "connect ws://127.0.0.1:9/: timeoutMs is 0 to 2147483647, not -1");
  OPTION_FAILS(keep_alive_ms, -5, "connect ws://127.0.0.1:9/: keepAliveMs is 0 to 1073741824, not -5");
  options.protocols = "a,a";
  FAILS(osp_ws_connect_with("ws://127.0.0.1:9/", &options, on_message, &error),
        "connect ws://127.0.0.1:9/: subprotocol \"a\" is named twice");
}

/* Each within its own cap, but not all together: WS-CONNECTWITH-10 */
static void test_a_request_too_long(void **state) {
  enum { LINES = 2048, NAMES = 96, ROOM = 680 }; /* of 4 bytes; of 255 bytes, the rest of their room is blank */
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
      cmocka_unit_test_setup(test_what_is_closed_stays_closed, clear_journal),
      cmocka_unit_test_setup(test_closing_is_not_closed, clear_journal),
      cmocka_unit_test_setup(test_servers_that_cannot_be, clear_journal),
      cmocka_unit_test_setup(test_used_port, clear_journal),
      cmocka_unit_test_setup(test_secure_server_without_certificate, clear_journal),
      cmocka_unit_test_setup(test_settings, clear_journal),
      cmocka_unit_test_setup(test_origins_and_protocols, clear_journal),
      cmocka_unit_test_setup(test_arguments_of_messages, clear_journal),
      cmocka_unit_test_setup(test_urls_that_cannot_be, clear_journal),
      cmocka_unit_test_setup(test_options_that_cannot_be, clear_journal),
      cmocka_unit_test_setup(test_a_request_too_long, clear_journal),
  };
  return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
