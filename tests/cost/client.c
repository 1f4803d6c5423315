/* The client of the suite cost: linked into the server that it measures, and run by that server's loop thread.
 *
 * Where the server would sleep, in epoll_wait, the client reads the answers of the last round and sends the next one:
 * over real sockets, but with one thread and so without a scheduler between two messages. Callgrind counts from the
 * first measured round to the last, except inside the functions of this file. What the server sees does not depend on
 * time: a round begins once the kernel has delivered all of the last one, and the clock advances by a fixed step.
 *
 * The variable COST says what to do, as numbers: connections, messages in flight on each, bytes of a message, rounds
 * before the count begins, rounds that are counted; and a word:
 *
 *   text, multibyte, binary   each connection sends, the server echoes
 *   deflate                   text, with permessage-deflate and both contexts kept
 *   tls                       text, over TLS
 *   broadcast                 the first connection sends, all receive
 *   open                      a round opens the connections and closes them again
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <valgrind/callgrind.h>
#include <zlib.h>

enum { HEADER = 14, ROOM = 512 * 1024, PATIENCE_MS = 20000, STEP_NS = 2000, MESSAGES_MAX = 64 };

static struct {
  int port;
  int connections;
  int in_flight;
  int size;
  int warm;
  int rounds;
  char word[16];
} work;

struct peer {
  int fd; /* -1: not connected */
  int server_fd;
  SSL *tls;
  bool asked;        /* the request was sent */
  bool open;         /* and answered */
  size_t got;        /* bytes in `answers` */
  uint8_t *answers;  /* of this round */
  uint64_t tls_sent; /* bytes of records, all rounds */
};

static struct peer *peers; /* NULL: the client has not begun */
static int accepted;       /* connections that the server has accepted, in this round if each round opens them */
static int rounds;         /* that were begun */
static bool counting;
static _Thread_local struct timespec time_now; /* zero on other threads than the loop's */
static uint8_t *payload;
static uint8_t *burst; /* the masked frames of one connection's round */
static size_t burst_size;
static SSL_CTX *tls_context;
static z_stream deflater;

static bool is(const char *word) {
  return strcmp(work.word, word) == 0;
}

static _Noreturn void die(const char *what) {
  fprintf(stderr, "cost: %s: %s\n", what, strerror(errno));
  _exit(1);
}

/* ---- messages */

/* JSON of numbers, which a compressor cannot guess. */
static void fill_json(uint32_t seed) {
  static uint32_t random = 1;
  int at = 0;
  random += seed;
  while (at < work.size) {
    random = random * 1664525 + 1013904223;
    char item[64];
    int n = snprintf(item, sizeof item, "{\"symbol\":\"OSP%u\",\"price\":%u.%02u,\"open\":true},", random >> 30,
                     random >> 20 & 0x3FF, random >> 8 & 0x3F);
    memcpy(payload + at, item, (size_t)(n < work.size - at ? n : work.size - at));
    at += n;
  }
}

static void fill_payload(void) {
  static const char multibyte[] = "\xd1\x8f\xe2\x82\xac\xf0\x9f\x90\xa6";
  size_t unit = is("multibyte") ? sizeof multibyte - 1 : 1;
  memset(payload, 'a', (size_t)work.size);
  for (size_t at = 0; unit > 1 && at + unit <= (size_t)work.size; at += unit)
    memcpy(payload + at, multibyte, unit);
}

static size_t put_frame(uint8_t *to, uint8_t head, const uint8_t *bytes, size_t n) {
  static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};
  size_t length = n < 126 ? 0 : n < 65536 ? 2 : 8;
  to[0] = head;
  to[1] = (uint8_t)(0x80 | (length == 0 ? n : length == 2 ? 126 : 127));
  for (size_t i = 0; i < length; i++)
    to[2 + i] = (uint8_t)(n >> 8 * (length - 1 - i));
  to += 2 + length;
  memcpy(to, key, sizeof key);
  for (size_t i = 0; i < n; i++)
    to[4 + i] = bytes[i] ^ key[i % 4];
  return 2 + length + 4 + n;
}

static size_t put_deflated(uint8_t *to) {
  static uint8_t packed[ROOM];
  fill_json(1);
  deflater.next_in = payload;
  deflater.avail_in = (uInt)work.size;
  deflater.next_out = packed;
  deflater.avail_out = sizeof packed;
  if (deflate(&deflater, Z_SYNC_FLUSH) != Z_OK)
    die("deflate");
  return put_frame(to, 0xC1, packed, sizeof packed - deflater.avail_out - 4);
}

/* All connections send the same. */
static void prepare_burst(void) {
  if (burst_size > 0 && !is("deflate"))
    return;
  burst_size = 0;
  for (int i = 0; i < work.in_flight; i++)
    burst_size += is("deflate") ? put_deflated(burst + burst_size)
                                : put_frame(burst + burst_size, is("binary") ? 0x82 : 0x81, payload, (size_t)work.size);
}

/* The size of the frame at `at`, checked against what was sent; 0 if it is incomplete. */
static size_t answer_at(const uint8_t *at, size_t n) {
  if (n < 4)
    return 0;
  size_t header = at[1] < 126 ? 2 : at[1] == 126 ? 4 : 10, size = at[1] < 126 ? at[1] : 0;
  for (size_t i = 2; i < header && n >= header; i++)
    size = size << 8 | at[i];
  if (n < header + size)
    return 0;
  bool plain = !is("deflate");
  if (at[0] != burst[0] || (plain && (size != (size_t)work.size || memcmp(at + header, payload, size) != 0)))
    die("the server answered something else");
  return header + size;
}

static bool is_answered(const struct peer *peer) {
  size_t at = 0;
  for (int i = 0; i < work.in_flight; i++) {
    size_t size = answer_at(peer->answers + at, peer->got - at);
    if (size == 0)
      return false;
    at += size;
  }
  return true;
}

/* ---- sockets */

static void set_buffers(int fd) {
  int size = ROOM;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

/* Connects, unless the server does not listen yet. */
static void dial(struct peer *peer) {
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)work.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int on = 1;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  set_buffers(fd);
  if (connect(fd, (struct sockaddr *)&to, sizeof to)) {
    if (errno != ECONNREFUSED)
      die("connect");
    close(fd);
    return;
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ioctl(fd, FIONBIO, &on);
  if (tls_context) {
    peer->tls = SSL_new(tls_context);
    SSL_set_fd(peer->tls, fd);
    SSL_set_connect_state(peer->tls);
  }
  peer->fd = fd;
}

static void put(struct peer *peer, const void *bytes, size_t n) {
  ssize_t sent = peer->tls ? SSL_write(peer->tls, bytes, (int)n) : send(peer->fd, bytes, n, MSG_NOSIGNAL);
  if (sent != (ssize_t)n)
    die("send");
}

/* Reads what there is. */
static void get(struct peer *peer) {
  ssize_t n;
  do {
    size_t room = ROOM - peer->got;
    n = peer->tls ? SSL_read(peer->tls, peer->answers + peer->got, (int)room)
                  : recv(peer->fd, peer->answers + peer->got, room, 0);
    if (n == 0 && !peer->tls)
      die("the server closed a connection");
    if (n > 0)
      peer->got += (size_t)n;
  } while (n > 0);
}

/* Waits until the server can read n bytes, or the end of the connection if n is 0. */
static void await_delivery(const struct peer *peer, int n) {
  for (int ms = 0; ms < PATIENCE_MS; ms++) {
    struct pollfd server = {.fd = peer->server_fd, .events = POLLIN};
    int there = 0;
    if (n > 0 && ioctl(peer->server_fd, FIONREAD, &there) == 0 && there >= n)
      return;
    if (n == 0 && poll(&server, 1, 0) == 1 && server.revents & (POLLHUP | POLLERR))
      return;
    poll(NULL, 0, 1);
  }
  die("the kernel does not deliver");
}

/* ---- opening */

static void ask(struct peer *peer) {
  char text[512];
  int n = snprintf(text, sizeof text,
                   "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                   is("deflate") ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
  put(peer, text, (size_t)n);
  peer->asked = true;
}

/* A step of the opening. Returns true once the connection is open. */
static bool opens(struct peer *peer) {
  if (peer->fd < 0)
    dial(peer);
  if (peer->fd < 0 || (peer->tls && SSL_do_handshake(peer->tls) != 1))
    return false;
  if (!peer->asked)
    ask(peer);
  if (peer->open)
    return true;
  get(peer);
  peer->open = peer->got >= 4 && memcmp(peer->answers + peer->got - 4, "\r\n\r\n", 4) == 0;
  if (peer->open && memcmp(peer->answers, "HTTP/1.1 101 ", 13) != 0)
    die("the server refused");
  return peer->open;
}

/* One after the other, so that the server accepts them in this order. */
static bool all_open(void) {
  for (int i = 0; i < work.connections; i++)
    if (!opens(&peers[i]))
      return false;
  return true;
}

static void drop(struct peer *peer) {
  struct linger at_once = {.l_onoff = 1};
  setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(peer->fd);
  await_delivery(peer, 0);
  *peer = (struct peer){.fd = -1, .answers = peer->answers};
}

/* ---- rounds */

static void send_to_server(struct peer *peer) {
  put(peer, burst, burst_size);
  int sent = (int)burst_size;
  if (peer->tls) {
    uint64_t before = peer->tls_sent;
    peer->tls_sent = BIO_number_written(SSL_get_wbio(peer->tls));
    sent = (int)(peer->tls_sent - before);
  }
  /* Of the first round, the windows of TCP may not admit all. */
  if (rounds > 1)
    await_delivery(peer, sent);
}

static void send_messages(void) {
  prepare_burst();
  for (int i = 0; i < work.connections; i++)
    peers[i].got = 0;
  for (int i = 0; i < (is("broadcast") ? 1 : work.connections); i++)
    send_to_server(&peers[i]);
}

static bool all_answered(void) {
  for (int i = 0; i < work.connections; i++) {
    if (!is_answered(&peers[i]))
      get(&peers[i]);
    if (!is_answered(&peers[i]))
      return false;
  }
  return true;
}

/* Opens all connections at once, or drops them: the server learns of the end in the same round. */
static void open_or_drop(void) {
  bool opening = rounds % 2 == 1;
  accepted = 0;
  for (int i = 0; i < work.connections; i++) {
    if (!opening)
      drop(&peers[i]);
    else if (!opens(&peers[i]) && peers[i].fd < 0)
      return; /* the server does not listen yet */
  }
}

static bool opened_or_dropped(void) {
  return rounds % 2 == 0 || all_open();
}

/* The server is about to sleep: the last round may be complete. */
static void begin_round(void) {
  bool anew = is("open");
  bool complete = anew ? opened_or_dropped() : rounds == 0 ? all_open() : all_answered();
  if (!complete)
    return;
  if (rounds == work.warm + work.rounds)
    _exit(0);
  if (rounds++ == work.warm) {
    CALLGRIND_START_INSTRUMENTATION;
    counting = true;
  }
  if (anew)
    open_or_drop();
  else
    send_messages();
}

static void begin(void) {
  const char *cost = getenv("COST");
  if (!cost || sscanf(cost, "%d %d %d %d %d %d %15s", &work.port, &work.connections, &work.in_flight, &work.size,
                      &work.warm, &work.rounds, work.word) != 7)
    die("the variable COST");
  peers = calloc((size_t)work.connections, sizeof *peers);
  payload = malloc((size_t)work.size + 1);
  burst = malloc((size_t)work.in_flight * ((size_t)work.size + HEADER));
  for (int i = 0; i < work.connections; i++)
    peers[i] = (struct peer){.fd = -1, .answers = malloc(ROOM)};
  deflateInit2(&deflater, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
  if (is("tls"))
    tls_context = SSL_CTX_new(TLS_client_method());
  fill_payload();
  clock_gettime(CLOCK_MONOTONIC, &time_now);
}

/* ---- in place of the system's functions, on the loop thread */

static void act(int epoll) {
  struct pollfd server = {.fd = epoll, .events = POLLIN};
  if (!peers)
    begin();
  begin_round();
  while (poll(&server, 1, 0) == 0) {
    poll(NULL, 0, 1);
    begin_round();
  }
}

int epoll_wait(int epoll, struct epoll_event *events, int size, int timeout_ms) {
  if (counting)
    CALLGRIND_TOGGLE_COLLECT;
  if (timeout_ms != 0)
    act(epoll);
  int count = (int)syscall(SYS_epoll_wait, epoll, events, size, timeout_ms);
  if (counting)
    CALLGRIND_TOGGLE_COLLECT;
  return count;
}

int accept4(int listener, struct sockaddr *address, socklen_t *length, int flags) {
  int fd = (int)syscall(SYS_accept4, listener, address, length, flags);
  if (fd < 0)
    return fd;
  set_buffers(fd);
  peers[accepted++].server_fd = fd;
  return fd;
}

/* From the client's beginning, each call takes a step. */
int clock_gettime(clockid_t clock, struct timespec *now) {
  if (time_now.tv_sec == 0)
    return (int)syscall(SYS_clock_gettime, clock, now);
  time_now.tv_nsec += STEP_NS;
  if (time_now.tv_nsec >= 1000000000)
    time_now = (struct timespec){.tv_sec = time_now.tv_sec + 1};
  *now = time_now;
  return 0;
}
