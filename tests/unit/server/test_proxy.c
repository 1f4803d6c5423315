/* Trusted proxies: the client's address as a head tells it. */
#include <inttypes.h>
#include <signal.h>

#include "osprey/hooks.h"
#include "server/proxy.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/program.h"
#include "support/test.h"

static char *error;

/* ---- networks */

/* WS-PROXY-1 */
static void test_networks(void **state) {
  static const struct {
    const char *network;
    const char *address;
    bool contained;
  } rows[] = {
      {"127.0.0.1", "127.0.0.1", true},
      {"127.0.0.1", "127.0.0.2", false},
      {"127.0.0.1", "::ffff:127.0.0.1", true},
      {"::ffff:127.0.0.1", "127.0.0.1", true},
      {"10.0.0.0/8", "10.255.255.255", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.0.0.0/8", "::ffff:10.1.2.3", true},
      {"::ffff:10.0.0.0/104", "10.1.2.3", true},
      {"192.168.4.0/23", "192.168.5.255", true},
      {"192.168.4.0/23", "192.168.6.0", false},
      {"192.168.4.0/23", "192.168.3.255", false},
      {"0.0.0.0/0", "203.0.113.9", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"::/0", "2001:db8::1", true},
      {"::/0", "203.0.113.9", false},
      {"::/0", "::ffff:203.0.113.9", false},
      {"2001:db8::/33", "2001:db8:7fff::1", true},
      {"2001:db8::/33", "2001:db8:8000::1", false},
      {"2001:db8::1", "2001:db8::1", true},
      {"2001:db8::1/128", "2001:db8::2", false},
      {"192.0.2.1/32", "192.0.2.1", true},
  };
  static const char *const bad[] = {"",
                                    "localhost",
                                    "10.0.0.0/",
                                    "10.0.0.0/33",
                                    "10.0.0.0/-1",
                                    "10.0.0.0/8x",
                                    "10.0.0.0/0008",
                                    "10.0.0.0/ 8",
                                    "10.0.0.1/8",
                                    "10.0.0.0/8/8",
                                    "10.0.0/8",
                                    "10/8",
                                    "2001:db8::/129",
                                    "2001:db8::1/64",
                                    "[::1]",
                                    "fe80::1%lo",
                                    "127.0.0.1:80",
                                    "/8",
                                    "::/0000",
                                    "*",
                                    "10.128.0.0/8",
                                    "192.168.5.0/23",
                                    "10.0.0.0\xC0\x80",
                                    "0000000000000000000000000000000000000000000000000000000000000010.0.0.1"};
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct ws_network network;
    struct ws_address address;
    assert_null(ws_network_parse(rows[i].network, &network));
    assert_true(ws_address_parse(rows[i].address, 0, &address));
    if (ws_network_contains(&network, &address) != rows[i].contained)
      fail_msg("%s and %s", rows[i].network, rows[i].address);
  }
  int64_t server = must_create(peer_free_port(), "/");
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    osp_ws_server_trust_proxy(server, bad[i], &error);
    if (!error)
      fail_msg("%s is trusted", bad[i]);
    expect_error_with(error, "trust proxy: \"");
  }
  osp_ws_server_trust_proxy(server, "10.0.0.1/8", &error);
  expect_error(error, "trust proxy: \"10.0.0.1/8\" has bits set behind its prefix");
  osp_ws_server_trust_proxy(server, "10.0.0.1/33", &error);
  expect_error(error, "trust proxy: \"10.0.0.1/33\" has no valid prefix length behind the slash");
  osp_ws_server_trust_proxy(server, "localhost", &error);
  expect_error(error,
               "trust proxy: \"localhost\" is neither an IP address nor a network, such as 127.0.0.1 or 10.0.0.0/8; "
               "names are not looked up");
  osp_ws_server_trust_proxy(-1, "10.0.0.1", &error);
  expect_error(error, "trust proxy: there is no server -1");
  must_stop(server);
}

/* ---- heads */

#define X "X-Forwarded-For: "
#define F "Forwarded: "

/* 10.0.0.0/8 and 2001:db8:ffff::/48 are trusted: WS-PROXY-2 WS-PROXY-6 */
static const struct {
  const char *fields;
  const char *client; /* NULL: the peer's own address; a digit: the status of the refusal */
} heads[] = {
    {"", NULL},
    {X "203.0.113.5\r\n", "203.0.113.5"},
    {"x-forwarded-FOR: 203.0.113.5\r\n", "203.0.113.5"},
    {X "203.0.113.5:51342\r\n", "203.0.113.5"},
    {X "2001:db8::7\r\n", "2001:db8::7"},
    {X "[2001:db8::7]\r\n", "2001:db8::7"},
    {X "[2001:db8::7]:443\r\n", "2001:db8::7"},
    {X "::ffff:203.0.113.5\r\n", "203.0.113.5"},
    /* From the right: what a client sent itself stands on the left. */
    {X "1.2.3.4, 203.0.113.5\r\n", "203.0.113.5"},
    {X "1.2.3.4, 203.0.113.5, 10.0.0.1\r\n", "203.0.113.5"},
    {X "203.0.113.5, 10.0.0.1, 10.0.0.2\r\n", "203.0.113.5"},
    {X "203.0.113.5,10.0.0.1:1,2001:db8:ffff::1\r\n", "203.0.113.5"},
    {X "203.0.113.5, 192.0.2.1, 10.0.0.2\r\n", "192.0.2.1"},
    {X "::ffff:10.0.0.1\r\n", "10.0.0.1"},
    {X "10.0.0.3, 10.0.0.2, 10.0.0.1\r\n", "10.0.0.3"},
    {X "1.2.3.4\r\n" X "203.0.113.5\r\n" X "10.0.0.1\r\n", "203.0.113.5"},
    {X "203.0.113.5, , 10.0.0.1, \r\n", "203.0.113.5"},
    {X "\r\n", NULL},
    {X ",,,\r\n", NULL},
    /* What is no address ends the reading before it. */
    {X "203.0.113.5, unknown\r\n", NULL},
    {X "203.0.113.5, unknown, 10.0.0.1\r\n", "10.0.0.1"},
    {X "unknown, 203.0.113.5\r\n", "203.0.113.5"},
    {X "203.0.113.5, unix:, 10.0.0.2, 10.0.0.1\r\n", "10.0.0.2"},
    {X "203.0.113.256\r\n", NULL},
    {X "203.0.113.5:x\r\n", NULL},
    {X "203.0.113.5:123456\r\n", NULL},
    {X "203.0.113.5:\r\n", NULL},
    {X "203.0.113.5:/\r\n", NULL},
    {X "000000000000000000000000000000000000000000000203.0.113.5\r\n", NULL},
    {X "[2001:db8::7\r\n", NULL},
    {X "[2001:db8::7]x\r\n", NULL},
    {X "[203.0.113.5\r\n", NULL},
    {X "[]\r\n", NULL},
    {X "[\r\n", NULL},
    {X ":\r\n", NULL},
    {X "fe80::1%lo\r\n", NULL},
    {X "203.0.113.5 10.0.0.1\r\n", NULL},
    {X "\"203.0.113.5\"\r\n", NULL},
    {X "0x7f.1\r\n", NULL},
    /* Forwarded, RFC 7239 */
    {F "for=203.0.113.5\r\n", "203.0.113.5"},
    {F "For=\"203.0.113.5:51342\"\r\n", "203.0.113.5"},
    {F "for=\"[2001:db8:cafe::17]:4711\"\r\n", "2001:db8:cafe::17"},
    {F "for=\"[2001:db8:cafe::17]\";proto=https;by=10.0.0.1\r\n", "2001:db8:cafe::17"},
    {F "proto=https ; for=203.0.113.5 ; host=\"a,b;c\\\"=\"\r\n", "203.0.113.5"},
    {F "for=1.2.3.4, for=203.0.113.5;proto=http , for=10.0.0.1\r\n", "203.0.113.5"},
    {F "for=1.2.3.4\r\n" F "for=203.0.113.5\r\n" F "for=10.0.0.1\r\n", "203.0.113.5"},
    {F "for=203.0.113.5:80\r\n", "203.0.113.5"},
    {F "for=\"203.0.113.5:_port\"\r\n", "203.0.113.5"},
    {F "for=203.0.113.5, for=unknown\r\n", NULL},
    {F "for=203.0.113.5, for=\"_hidden\", for=10.0.0.1\r\n", "10.0.0.1"},
    {F "for=203.0.113.5, by=10.0.0.9, for=10.0.0.1\r\n", "10.0.0.1"},
    {F "proto=https\r\n", NULL},
    {F "\r\n", NULL},
    {F ", ;, for=203.0.113.5,;\r\n", "203.0.113.5"},
    {F "for=\"203.0\\.113.5\"\r\n", "203.0.113.5"},
    {F "for=\"\\[2001:db8\\:\\:17\\]\\:\\4711\", for=10.0.0.1\r\n", "2001:db8::17"},
    {F "for=\"203.0.113.5\\\"\"\r\n", NULL},
    {F "for=\"203.0.113.5\\\\\"\r\n", NULL},
    {F "for=203.0\\.113.5\r\n", NULL},
    {F "for=\"\\203.0.113.5:_0123456789012345678901234567890123456789012345678901234567890123456789\"\r\n",
     "203.0.113.5"},
    {F "for=\"\\203.0.113.5:0000000000000000000000000000000000000000000000000000000000000000000080\"\r\n", NULL},
    {X "203.0\\.113.5\r\n", NULL},
    {F "for=\"\"\r\n", NULL},
    {F "for=\"203.0.113.5\r\n", "400"},
    {F "for=\"203.0.113.5\\\r\n", "400"},
    {F "for=1.2.3.4;for=203.0.113.5\r\n", "400"},
    {F "for\r\n", "400"},
    {F "for=\r\n", "400"},
    {F "for=, for=203.0.113.5\r\n", "400"},
    {F "for =203.0.113.5\r\n", "400"},
    {F "for= 203.0.113.5\r\n", "400"},
    {F "for=203.0.113.5 x\r\n", "400"},
    {F "for=\"203.0.113.5\"x\r\n", "400"},
    {F "=203.0.113.5\r\n", "400"},
    {F "203.0.113.5\r\n", "400"},
    {F "for=203.0.113.5\"\r\n", "400"},
    /* A quote that a client left open swallows what the proxy adds behind it. */
    {F "for=\"1.2.3.4, for=203.0.113.5\r\n", "400"},
    /* Both. */
    {X "203.0.113.5\r\n" F "for=203.0.113.5;proto=https\r\n", "203.0.113.5"},
    {X "203.0.113.5\r\n" F "for=\"[::ffff:203.0.113.5]:1\"\r\n", "203.0.113.5"},
    {X "203.0.113.5\r\n" F "for=\"203.0.113\\.5\"\r\n", "203.0.113.5"},
    {X "203.0.113.5\r\n" F "proto=https\r\n", "203.0.113.5"},
    {X "203.0.113.5\r\n" F "proto=https\r\n" F "by=10.0.0.9, ;\r\n", "203.0.113.5"},
    {X "203.0.113.5\r\n" F "for=1.2.3.4\r\n", "400"},
    {X "203.0.113.5\r\n" F "for=\"\r\n", "400"},
    /* Both, and the client of one is no address: the other may be what the client sent. */
    {X "unknown\r\n" F "for=203.0.113.5\r\n", "400"},
    {X "\r\n" F "for=203.0.113.5\r\n", "203.0.113.5"},
    {X "1.2.3.4\r\n" F "for=unknown\r\n", "400"},
    {X "1.2.3.4\r\n" F "for=_x\r\n", "400"},
    {X "1.2.3.4\r\n" F "for=\"_x:80\"\r\n", "400"},
    {X "1.2.3.4\r\n" F "for=\"203.0.113\\.5\"\r\n", "400"},
    {X "1.2.3.4\r\n" F "for=\"\"\r\n", "400"},
    {X "1.2.3.4\r\n" F "for=\"[::1\"\r\n", "400"},
    {X "1.2.3.4\r\n" F "for=1.2.3.4:x\r\n", "400"},
    {X "1.2.3.4\r\n" F "for=1.2.3.4, for=_x\r\n", "400"},
    {X "1.2.3.4\r\n" F "for=_x;by=10.0.0.9, proto=https\r\n", "400"},
    {X "1.2.3.4, 10.0.0.1\r\n" F "for=_x, for=10.0.0.1\r\n", "400"},
    {X "unknown\r\n" F "for=_x\r\n", NULL},
    {X "\r\n" F "for=_x\r\n", NULL},
};

static void read_head(const struct ws_proxies *proxies, const char *fields, char *client) {
  static char text[20000];
  struct ws_http_head head;
  struct ws_address address;
  bool found;
  size_t n = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\n%s\r\n", fields);
  ws_http_head_init(&head, WS_HTTP_REQUEST);
  assert_int_equal(ws_http_head_parse(&head, text, n), WS_HTTP_COMPLETE);
  enum ws_refusal refusal = ws_proxy_client(proxies, &head, &address, &found);
  if (refusal != WS_REFUSAL_NONE)
    snprintf(client, WS_ADDRESS_TEXT, "%d", ws_refusal_status(refusal));
  else if (found)
    ws_address_format_host(&address, client);
  else
    client[0] = '\0';
}

static void test_heads(void **state) {
  struct ws_network networks[2];
  const struct ws_proxies proxies = {networks, 2};
  (void)state;
  assert_null(ws_network_parse("10.0.0.0/8", &networks[0]));
  assert_null(ws_network_parse("2001:db8:ffff::/48", &networks[1]));
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
    char client[WS_ADDRESS_TEXT];
    read_head(&proxies, heads[i].fields, client);
    if (strcmp(client, heads[i].client ? heads[i].client : "") != 0)
      fail_msg("%s: %s, not %s", heads[i].fields, client, heads[i].client);
  }
}

/* What a client wrote before its proxies costs little, however much it is: WS-PROXY-2 */
static void test_a_long_way(void **state) {
  struct ws_network network;
  const struct ws_proxies proxies = {&network, 1};
  (void)state;
  assert_null(ws_network_parse("10.0.0.0/8", &network));
  for (int hops = 63; hops <= 64; hops++) {
    char fields[2048] = X "203.0.113.5";
    char client[WS_ADDRESS_TEXT];
    for (int i = 0; i < hops; i++)
      strcat(fields, ",10.0.0.1");
    strcat(fields, "\r\n");
    read_head(&proxies, fields, client);
    assert_string_equal(client, hops < 64 ? "203.0.113.5" : "10.0.0.1");
  }
}

/* ---- servers */

/* Writes the remote address of the client. */
static void *tell_address(void *cell, const struct osprey_connection *connection) {
  char *problem;
  (void)cell;
  char *address = osp_ws_remote_address(connection->id, &problem);
  journal_write("%s", problem ? problem : address);
  osp_release(problem ? problem : address);
  return result_success();
}

static void *on_tell_address[] = {(void *)tell_address};

static void trust(int64_t server, const char *network) {
  osp_ws_server_trust_proxy(server, network, &error);
  expect_success(error);
}

static int64_t serve(int port, const char *address, const char *network, int cap) {
  int64_t server = osp_ws_create_server(port, address, "/", &error);
  expect_success(error);
  if (network)
    trust(server, network);
  must_limit(server, "maxConnectionsPerAddress", cap);
  must_set(osp_ws_server_on_open, server, on_tell_address);
  must_listen(server);
  return server;
}

static struct peer open_as(int port, const char *fields) {
  struct peer peer = peer_connect(port);
  peer_shake(&peer, port, "/", fields);
  return peer;
}

/* WS-PROXY-3 */
static void test_the_address_of_a_client(void **state) {
  static const struct {
    const char *fields;
    const char *address;
  } rows[] = {
      {X "203.0.113.5\r\n", "203.0.113.5"},
      {X "203.0.113.5:80\r\n", "203.0.113.5"},
      {F "for=\"[2001:db8::7]:80\"\r\n", "2001:db8::7"},
      {X "::ffff:203.0.113.5\r\n", "203.0.113.5"},
  };
  char own[WS_ADDRESS_TEXT];
  static const char *const addresses[] = {"127.0.0.1", "::"}; /* at "::" the peer's address is a mapped one */
  (void)state;
  for (size_t k = 0; k < 2; k++) {
    int port = peer_free_port();
    int64_t server = serve(port, addresses[k], "127.0.0.0/8", 1000);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
      struct peer peer = open_as(port, rows[i].fields);
      journal_expect(rows[i].address);
      peer_close(&peer);
    }
    struct peer peer = open_as(port, X "unknown\r\n");
    snprintf(own, sizeof own, "%s", journal_next());
    assert_memory_equal(own, "127.0.0.1:", 10);
    peer_close(&peer);
    must_stop(server);
  }
}

/* WS-PROXY-5 */
static void test_another_peer_is_not_believed(void **state) {
  static const char *const networks[] = {NULL, "10.0.0.0/8", "127.0.0.2", "::1"};
  (void)state;
  for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
    int port = peer_free_port();
    int64_t server = serve(port, "127.0.0.1", networks[i], 1);
    struct peer peer = open_as(port, X "203.0.113.5\r\n" F "for=1.2.3.4\r\n");
    assert_memory_equal(journal_next(), "127.0.0.1:", 10);
    /* Nor does it evade the cap, or is refused for a header that is not read. */
    assert_int_equal(peer_status(port, "/", X "203.0.113.6\r\n"), 429);
    peer_close(&peer);
    WAIT_UNTIL(peer_status(port, "/", F "for=\"\r\n") == 101);
    must_stop(server);
  }
}

/* WS-PROXY-4 WS-LIMIT-9 */
static void test_the_cap_of_an_address(void **state) {
  static const char *const clients[] = {X "203.0.113.5\r\n", X "203.0.113.6\r\n", X "2001:db8::1\r\n", ""};
  enum { CLIENTS = 4, CAP = 2 };
  struct peer peers[CLIENTS][CAP];
  char answer[1024];
  (void)state;
  int port = peer_free_port();
  int64_t server = serve(port, "127.0.0.1", "127.0.0.1", CAP);
  for (int i = 0; i < CLIENTS * CAP; i++)
    peers[i / CAP][i % CAP] = open_as(port, clients[i / CAP]);
  for (int i = 0; i < CLIENTS; i++)
    assert_int_equal(peer_status(port, "/", clients[i]), 429);
  /* The same address in another form, and another of the same /64. */
  assert_int_equal(peer_status(port, "/", F "for=\"[::ffff:203.0.113.5]\"\r\n"), 429);
  assert_int_equal(peer_status(port, "/", X "2001:db8::2\r\n"), 429);
  assert_int_equal(peer_status(port, "/", X "2001:db8:0:1::2\r\n"), 101);
  assert_int_equal(peer_status(port, "/", X "203.0.113.7\r\n"), 101);
  /* Refusals are counted while they last. */
  struct peer refused = peer_connect(port);
  peer_request(&refused, port, "/", X "203.0.113.5\r\n");
  peer_read_all(&refused, answer, sizeof answer);
  assert_non_null(strstr(answer, "there are too many connections from this address"));
  peer_close(&refused);
  peer_close(&peers[0][0]);
  WAIT_UNTIL(peer_status(port, "/", clients[0]) == 101);
  for (int i = 1; i < CLIENTS * CAP; i++)
    peer_close(&peers[i / CAP][i % CAP]);
  must_stop(server);
}

/* Past the cap 256 are answered, the others closed: WS-PROXY-4 WS-LIMIT-16 */
static void test_many_past_the_cap(void **state) {
  enum { ANSWERED = 256, MORE = 20 };
  static struct peer peers[ANSWERED + MORE];
  char head[1024];
  int closed = 0;
  (void)state;
  int port = peer_free_port();
  int64_t server = serve(port, "127.0.0.1", "127.0.0.1", 1);
  struct peer first = open_as(port, X "203.0.113.5\r\n");
  /* The heads arrive together, so that the refused are still there. */
  for (int i = 0; i < ANSWERED + MORE; i++) {
    peers[i] = peer_connect(port);
    peers[i].tolerant = true;
    peer_request(&peers[i], port, "/", X "203.0.113.5\r\n");
  }
  for (int i = 0; i < ANSWERED + MORE; i++) {
    if (!peer_read_head(&peers[i], head, sizeof head))
      closed++;
    else
      assert_int_equal(atoi(head + 9), 429);
  }
  assert_int_equal(closed, MORE);
  for (int i = 0; i < ANSWERED + MORE; i++)
    peer_close(&peers[i]);
  assert_int_equal(peer_status(port, "/", X "203.0.113.6\r\n"), 101);
  peer_close(&first);
  must_stop(server);
}

/* Connections of a proxy that send no head are charged to nobody, and leave nothing. */
static void test_a_proxy_that_is_silent(void **state) {
  struct peer silent[20];
  (void)state;
  int port = peer_free_port();
  int64_t server = serve(port, "127.0.0.1", "127.0.0.1", 1);
  for (int i = 0; i < 20; i++)
    silent[i] = peer_connect(port);
  peer_send_text(&silent[0], "GET / HTTP/1.0\r\n" X "203.0.113.5\r\n\r\n");
  struct peer peer = open_as(port, "");
  assert_int_equal(peer_status(port, "/", ""), 429);
  for (int i = 0; i < 20; i++)
    peer_close(&silent[i]);
  peer_close(&peer);
  must_stop(server);
}

/* WS-PROXY-6 */
static void test_refused_heads(void **state) {
  (void)state;
  int port = peer_free_port();
  int64_t server = serve(port, "127.0.0.1", "127.0.0.1", 1000);
  assert_int_equal(peer_status(port, "/", F "for=\"1.2.3.4\r\n"), 400);
  assert_int_equal(peer_status(port, "/", X "203.0.113.5\r\n" F "for=1.2.3.4\r\n"), 400);
  assert_int_equal(peer_status(port, "/", X "1.2.3.4\r\n" F "for=_x\r\n"), 400);
  must_stop(server);
}

static int serve_until_stopped(int port) {
  serve(port, "127.0.0.1", "127.0.0.1", 1);
  program_say("ready\n");
  osp_ws_keep_alive(&error);
  expect_success(error);
  return 0;
}

/* WS-PROXY-3 */
static void test_the_log(void **state) {
  char line[64];
  char log[4096];
  int port = peer_free_port();
  (void)state;
  setenv("OSPREY_WS_LOG", "info", 1);
  struct program program = program_run(serve_until_stopped, port);
  unsetenv("OSPREY_WS_LOG");
  program_read_line(&program, line, sizeof line);
  struct peer peer = open_as(port, X "203.0.113.5\r\n");
  assert_int_equal(peer_status(port, "/", X "203.0.113.5\r\n"), 429);
  assert_int_equal(peer_status(port, "/nowhere", X "2001:db8::7\r\n"), 404);
  assert_int_equal(peer_status(port, "/", X "203.0.113.6\r\n" F "for=1.2.3.4\r\n"), 400);
  peer_close(&peer);
  program_signal(&program, SIGTERM);
  assert_int_equal(program_finish(&program, log, sizeof log), 0);
  assert_non_null(strstr(log, " is open: 203.0.113.5\n"));
  assert_non_null(strstr(log, " refuses 203.0.113.5 with 429: "));
  assert_non_null(strstr(log, " refuses 2001:db8::7 with 404: "));
  assert_non_null(strstr(log, "name different clients: the proxy has to remove the header that it does not set\n"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_the_log, journal_setup), /* forks: before any loop runs */
      cmocka_unit_test_setup(test_networks, journal_setup),
      cmocka_unit_test_setup(test_heads, journal_setup),
      cmocka_unit_test_setup(test_a_long_way, journal_setup),
      cmocka_unit_test_setup(test_the_address_of_a_client, journal_setup),
      cmocka_unit_test_setup(test_another_peer_is_not_believed, journal_setup),
      cmocka_unit_test_setup(test_the_cap_of_an_address, journal_setup),
      cmocka_unit_test_setup(test_many_past_the_cap, journal_setup),
      cmocka_unit_test_setup(test_a_proxy_that_is_silent, journal_setup),
      cmocka_unit_test_setup(test_refused_heads, journal_setup),
  };
  return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
