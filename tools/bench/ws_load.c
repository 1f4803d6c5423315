/* A load generator for WebSocket servers: N connections, each with M messages of S bytes in flight.
 *
 *   ws_load --port P [--pid SERVER] [--connections N] [--in-flight M] [--size S] [--messages T]
 *           [--kind binary|ascii|multibyte|json] [--bare] [--tls] [--deflate kept|fresh] [--spin]
 *           [--broadcast | --open | --idle | --idle-after-one]
 *
 *   (default)         the server echoes every message
 *   --broadcast       one connection sends; all connections receive each message
 *   --open            opens, handshakes and closes T connections, N at a time
 *   --idle            opens N connections and leaves them idle; --idle-after-one: after a message on each
 *   --bare            the peer is bare_echo: it receives the same bytes and returns them unchanged
 *   --tls             over TLS; the server's certificate is not checked
 *   --deflate         permessage-deflate; the server keeps its context, or is asked for a fresh one for each message
 *   --spin            never sleeps, so that no server pays for waking the load; fair only with a processor to itself
 *
 * Frames are masked (and compressed) in advance, and every received byte is compared with the expected one. Prints one
 * line: messages (or connections), seconds, messages per second, the server's CPU time per message in nanoseconds from
 * the process's clock (--idle: its resident bytes per connection), and the bytes of a reply.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

/* VARIED: messages of kind json that differ, more than a window of deflate holds at 1 KiB. */
enum { BUFFER = 256 * 1024, EVENTS = 256, HEADER = 14, VARIED = 64, SETTLING_S = 5 };

static struct {
  int port;
  int pid;
  int connections;
  int in_flight;
  size_t size;
  long messages;
  const char *kind;
  bool bare;
  bool broadcast;
  bool open;
  bool idle;
  bool after_one;
  bool tls;
  const char *deflate; /* "kept", "fresh", or NULL */
  bool spin;
} options = {.connections = 1, .in_flight = 1, .size = 16, .messages = 100000, .kind = "binary"};

/* The replies of a server that compresses. */
struct inflater {
  z_stream stream;
  size_t held;  /* bytes of an incomplete frame */
  int expected; /* index of the message */
  uint8_t frame[];
};

struct connection {
  int fd;
  SSL *tls;
  bool blocked;         /* waits for EPOLLOUT */
  int next;             /* index of the message to send next */
  size_t to_send;       /* bytes */
  size_t send_phase;    /* offset of the next byte in the requests */
  size_t receive_phase; /* offset of the next byte in the replies */
  struct inflater *inflater;
};

static struct connection *connections;
static int varied;             /* messages that differ, or in_flight equal ones */
static uint8_t *payloads;      /* of all */
static uint8_t *requests;      /* their masked frames, twice, so that all in flight are in one piece */
static size_t *request_length; /* of each */
static size_t requests_length;
static uint8_t *replies; /* of all, twice, to compare from any offset */
static size_t reply_length;
static uint8_t buffer[BUFFER];
static long received_bytes;
static SSL_CTX *tls_context;
static int epoll;

static _Noreturn void die(const char *what) {
  fprintf(stderr, "ws_load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
  exit(1);
}

/* ---- requests and replies */

/* JSON of numbers, which a compressor cannot guess. */
static void fill_json(uint8_t *payload, size_t size) {
  static uint32_t random = 1;
  for (size_t at = 0; at < size;) {
    char item[64];
    random = random * 1664525 + 1013904223;
    int length = snprintf(item, sizeof item, "{\"symbol\":\"OSP%u\",\"price\":%u.%02u,\"open\":true},", random >> 30,
                          random >> 20 & 0x3FF, random >> 8 & 0x3F);
    size_t step = (size_t)length < size - at ? (size_t)length : size - at;
    memcpy(payload + at, item, step);
    at += step;
  }
}

static void fill_payload(uint8_t *payload, size_t size) {
  static const char multibyte[] = "\xd1\x8f\xe2\x82\xac\xf0\x9f\x90\xa6";
  size_t unit = sizeof multibyte - 1;
  memset(payload, 'a', size);
  if (strcmp(options.kind, "json") == 0)
    fill_json(payload, size);
  if (strcmp(options.kind, "multibyte") == 0)
    for (size_t at = 0; at + unit <= size; at += unit)
      memcpy(payload + at, multibyte, unit);
}

static size_t put_header(uint8_t *at, size_t size, bool masked) {
  uint8_t mask = masked ? 0x80 : 0;
  at[0] = (uint8_t)((strcmp(options.kind, "binary") == 0 ? 0x82 : 0x81) | (options.deflate ? 0x40 : 0));
  if (size < 126) {
    at[1] = (uint8_t)(mask | size);
    return 2;
  }
  size_t bytes = size < 65536 ? 2 : 8;
  at[1] = (uint8_t)(mask | (bytes == 2 ? 126 : 127));
  for (size_t i = 0; i < bytes; i++)
    at[2 + i] = (uint8_t)(size >> 8 * (bytes - 1 - i));
  return 2 + bytes;
}

/* Compresses without a context of messages before, which every server accepts. Returns the bytes. */
static size_t compress_payload(const uint8_t *payload, uint8_t *to, size_t room) {
  z_stream stream = {.next_in = (Bytef *)payload, .avail_in = (uInt)options.size};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY))
    die("deflateInit2");
  stream.next_out = to;
  stream.avail_out = (uInt)room;
  if (deflate(&stream, Z_SYNC_FLUSH) != Z_OK || stream.avail_out == 0)
    die("deflate");
  deflateEnd(&stream);
  return room - stream.avail_out - 4;
}

static size_t put_request(uint8_t *at, const uint8_t *payload, uint8_t *scratch, size_t room) {
  static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
  size_t size = options.size;
  if (options.deflate) {
    size = compress_payload(payload, scratch, room);
    payload = scratch;
  }
  size_t header = put_header(at, size, true);
  memcpy(at + header, mask, 4);
  for (size_t i = 0; i < size; i++)
    at[header + 4 + i] = payload[i] ^ mask[i % 4];
  return header + 4 + size;
}

static void prepare_frames(void) {
  size_t room = options.size + options.size / 8 + 64;
  varied = strcmp(options.kind, "json") == 0 ? VARIED : options.in_flight;
  size_t count = (size_t)varied;
  payloads = malloc(count * options.size);
  requests = malloc(2 * count * (room + HEADER));
  replies = malloc(2 * count * (room + HEADER));
  request_length = calloc(count, sizeof *request_length);
  uint8_t *scratch = malloc(room);
  if (!payloads || !requests || !replies || !request_length || !scratch)
    die("no memory");
  for (size_t i = 0; i < count; i++) {
    uint8_t *payload = payloads + i * options.size;
    fill_payload(payload, options.size);
    request_length[i] = put_request(requests + requests_length, payload, scratch, room);
    requests_length += request_length[i];
    reply_length += put_header(replies + reply_length, options.size, false);
    memcpy(replies + reply_length, payload, options.size);
    reply_length += options.size;
  }
  free(scratch);
  if (options.bare) {
    reply_length = requests_length;
    memcpy(replies, requests, requests_length);
  }
  memcpy(requests + requests_length, requests, requests_length);
  memcpy(replies + reply_length, replies, reply_length);
}

/* ---- opening connections, one at a time, blocking */

static ssize_t put_bytes(const struct connection *to, const void *bytes, size_t length) {
  if (!to->tls)
    return send(to->fd, bytes, length, MSG_NOSIGNAL);
  int sent = SSL_write(to->tls, bytes, (int)length);
  errno = sent <= 0 && SSL_get_error(to->tls, sent) == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
  return sent;
}

static ssize_t get_bytes(const struct connection *from, void *bytes, size_t length) {
  if (!from->tls)
    return recv(from->fd, bytes, length, 0);
  int got = SSL_read(from->tls, bytes, (int)length);
  errno = got <= 0 && SSL_get_error(from->tls, got) == SSL_ERROR_WANT_READ ? EAGAIN : EPROTO;
  return got;
}

static const char *extensions(void) {
  if (!options.deflate)
    return "";
  return strcmp(options.deflate, "fresh") == 0
             ? "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
               "client_no_context_takeover\r\n"
             : "Sec-WebSocket-Extensions: permessage-deflate\r\n";
}

static void shake_hands(const struct connection *with) {
  char request[512], answer[2048];
  int size = snprintf(request, sizeof request,
                      "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                      options.port, extensions());
  if (put_bytes(with, request, (size_t)size) != size)
    die("send");
  size_t length = 0;
  do {
    ssize_t count = get_bytes(with, answer + length, sizeof answer - 1 - length);
    if (count <= 0)
      die("the handshake was not answered");
    length += (size_t)count;
    answer[length] = '\0';
  } while (!strstr(answer, "\r\n\r\n"));
  errno = 0;
  if (!options.bare && strncmp(answer, "HTTP/1.1 101 ", 13) != 0)
    die(answer);
  if (options.deflate && !strstr(answer, "permessage-deflate"))
    die("the server does not compress");
}

static struct connection open_connection(void) {
  int on = 1;
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct connection opened = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (opened.fd < 0 || connect(opened.fd, (struct sockaddr *)&address, sizeof address) ||
      setsockopt(opened.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on))
    die("connect");
  if (options.tls) {
    opened.tls = SSL_new(tls_context);
    SSL_set_fd(opened.tls, opened.fd);
    if (SSL_connect(opened.tls) != 1)
      die("the TLS handshake");
  }
  return opened;
}

static struct inflater *make_inflater(void) {
  struct inflater *made = calloc(1, sizeof *made + 2 * (options.size + HEADER + 64));
  if (!made || inflateInit2(&made->stream, -15))
    die("no memory");
  return made;
}

static void open_connections(void) {
  connections = calloc((size_t)options.connections, sizeof *connections);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < options.connections; i++) {
    struct connection *connection = &connections[i];
    *connection = open_connection();
    if (!options.bare || !options.broadcast)
      shake_hands(connection);
    if (options.deflate)
      connection->inflater = make_inflater();
    fcntl(connection->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event))
      die("epoll_ctl");
  }
}

/* ---- measuring */

static int64_t clock_ns(clockid_t clock) {
  struct timespec now;
  if (clock_gettime(clock, &now))
    die("clock_gettime");
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t server_cpu_ns(void) {
  clockid_t clock;
  if (!options.pid)
    return 0;
  errno = clock_getcpuclockid(options.pid, &clock);
  if (errno)
    die("the server's clock");
  return clock_ns(clock);
}

static long server_resident_bytes(void) {
  char path[64], line[256];
  long kib = 0;
  snprintf(path, sizeof path, "/proc/%d/status", options.pid);
  FILE *file = fopen(path, "r");
  while (file && fgets(line, sizeof line, file))
    if (sscanf(line, "VmRSS: %ld", &kib) == 1)
      break;
  if (file)
    fclose(file);
  return kib * 1024;
}

struct moment {
  int64_t wall;
  int64_t cpu;
};

static struct moment now(void) {
  return (struct moment){clock_ns(CLOCK_MONOTONIC), server_cpu_ns()};
}

static void report(struct moment start, long count) {
  struct moment end = now();
  double seconds = (double)(end.wall - start.wall) / 1e9;
  printf("%ld %.3f %.0f %.0f %.0f\n", count, seconds, (double)count / seconds,
         (double)(end.cpu - start.cpu) / (double)count, (double)received_bytes / (double)count);
}

/* ---- sending and receiving */

static void set_blocked(struct connection *connection, bool blocked) {
  if (connection->blocked == blocked)
    return;
  connection->blocked = blocked;
  struct epoll_event event = {.events = EPOLLIN | (blocked ? (uint32_t)EPOLLOUT : 0), .data.ptr = connection};
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, connection->fd, &event))
    die("epoll_ctl");
}

static void send_more(struct connection *connection) {
  while (connection->to_send > 0) {
    size_t length = requests_length * 2 - connection->send_phase;
    if (length > connection->to_send)
      length = connection->to_send;
    ssize_t sent = put_bytes(connection, requests + connection->send_phase, length);
    if (sent <= 0 && errno != EAGAIN)
      die("send");
    if (sent <= 0)
      break;
    connection->to_send -= (size_t)sent;
    connection->send_phase = (connection->send_phase + (size_t)sent) % requests_length;
  }
  set_blocked(connection, connection->to_send > 0);
}

static void send_messages(struct connection *connection, long count) {
  for (; count > 0; count--) {
    connection->to_send += request_length[connection->next];
    connection->next = (connection->next + 1) % varied;
  }
  send_more(connection);
}

static _Noreturn void differs(void) {
  errno = 0;
  die("the server answered something else");
}

/* Returns the number of replies that the bytes complete. */
static long compare(struct connection *connection, const uint8_t *bytes, size_t length) {
  size_t phase = connection->receive_phase, each = reply_length / (size_t)varied;
  size_t before = phase / each, total = phase + length;
  while (length > 0) {
    size_t step = length < reply_length ? length : reply_length;
    if (memcmp(bytes, replies + phase, step) != 0)
      differs();
    bytes += step;
    length -= step;
    phase = (phase + step) % reply_length;
  }
  connection->receive_phase = phase;
  return (long)(total / each - before);
}

static void compare_inflated(struct inflater *inflater, const uint8_t *bytes, size_t length) {
  static uint8_t tail[] = {0, 0, 0xFF, 0xFF}, text[BUFFER];
  z_stream *stream = &inflater->stream;
  stream->next_out = text;
  stream->avail_out = sizeof text;
  stream->next_in = (Bytef *)bytes;
  stream->avail_in = (uInt)length;
  inflate(stream, Z_SYNC_FLUSH);
  stream->next_in = tail;
  stream->avail_in = sizeof tail;
  inflate(stream, Z_SYNC_FLUSH);
  const uint8_t *expected = payloads + (size_t)inflater->expected * options.size;
  if (sizeof text - stream->avail_out != options.size || memcmp(text, expected, options.size) != 0)
    differs();
  inflater->expected = (inflater->expected + 1) % varied;
}

/* The size of the frame at `at`; 0 if it is incomplete. */
static size_t frame_at(const uint8_t *at, size_t length, size_t *header) {
  *header = length < 2 || at[1] < 126 ? 2 : 4;
  if (length < *header)
    return 0;
  if (at[0] != (options.deflate ? 0xC1 : 0x81) || at[1] > 126)
    differs();
  size_t size = *header + (*header == 2 ? at[1] : (size_t)at[2] << 8 | at[3]);
  return length < size ? 0 : size;
}

/* As compare, of replies that are compressed. */
static long compare_frames(struct connection *connection, const uint8_t *bytes, size_t length) {
  struct inflater *inflater = connection->inflater;
  size_t room = 2 * (options.size + HEADER + 64), header, size;
  long complete = 0;
  while (length > 0) {
    size_t step = length < room - inflater->held ? length : room - inflater->held;
    memcpy(inflater->frame + inflater->held, bytes, step);
    inflater->held += step;
    bytes += step;
    length -= step;
    for (; (size = frame_at(inflater->frame, inflater->held, &header)) > 0; complete++) {
      compare_inflated(inflater, inflater->frame + header, size - header);
      inflater->held -= size;
      memmove(inflater->frame, inflater->frame + size, inflater->held);
    }
  }
  return complete;
}

/* Returns the number of replies that the received bytes complete. */
static long receive(struct connection *connection) {
  long complete = 0;
  ssize_t count;
  do {
    count = get_bytes(connection, buffer, BUFFER);
    if (count == 0 || (count < 0 && errno != EAGAIN))
      die("the server closed a connection");
    if (count < 0)
      break;
    received_bytes += count;
    complete += connection->inflater ? compare_frames(connection, buffer, (size_t)count)
                                     : compare(connection, buffer, (size_t)count);
  } while (connection->tls); /* a read gives a record at most */
  return complete;
}

/* Runs until `target` replies are received. Each reply makes its connection send the next message. */
static void echo(long target) {
  for (long done = 0; done < target;) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(epoll, events, EVENTS, options.spin ? 0 : -1);
    for (int i = 0; i < count; i++) {
      struct connection *connection = events[i].data.ptr;
      long complete = events[i].events & ~(uint32_t)EPOLLOUT ? receive(connection) : 0;
      done += complete;
      send_messages(connection, complete);
    }
  }
}

/* Runs until all connections have received `target` messages. The first connection sends the next after each. */
static void broadcast(long target) {
  static long received; /* messages received by all connections */
  long begun = received / options.connections;
  while (received / options.connections - begun < target) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(epoll, events, EVENTS, options.spin ? 0 : -1);
    long before = received / options.connections;
    for (int i = 0; i < count; i++)
      received += receive(events[i].data.ptr);
    send_messages(&connections[0], received / options.connections - before);
  }
}

static void run_messages(void) {
  open_connections();
  int senders = options.broadcast ? 1 : options.connections;
  for (int i = 0; i < senders; i++)
    send_messages(&connections[i], options.in_flight);
  void (*run)(long) = options.broadcast ? broadcast : echo;
  run(options.messages / 10 + 1);
  received_bytes = 0;
  struct moment start = now();
  run(options.messages);
  report(start, options.broadcast ? options.messages * options.connections : options.messages);
}

static void run_open(void) {
  struct moment start = now();
  struct connection *opened = malloc((size_t)options.connections * sizeof *opened);
  for (long done = 0; done < options.messages; done += options.connections) {
    for (int i = 0; i < options.connections; i++) {
      opened[i] = open_connection();
      shake_hands(&opened[i]);
    }
    for (int i = 0; i < options.connections; i++) {
      struct linger at_once = {.l_onoff = 1};
      setsockopt(opened[i].fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      SSL_free(opened[i].tls);
      close(opened[i].fd);
    }
  }
  free(opened);
  report(start, options.messages);
}

static void exchange_one(struct connection *connection) {
  struct pollfd answer = {.fd = connection->fd, .events = POLLIN};
  send_messages(connection, 1);
  for (long complete = 0; complete == 0; complete = receive(connection))
    poll(&answer, 1, -1);
}

static void run_idle(void) {
  struct connection first = open_connection();
  shake_hands(&first);
  long before = server_resident_bytes();
  open_connections();
  for (int i = 0; options.after_one && i < options.connections; i++)
    exchange_one(&connections[i]);
  /* A server may give memory back once a connection has been idle for some time. */
  if (options.after_one)
    poll(NULL, 0, SETTLING_S * 1000);
  printf("%d 0 0 %ld 0\n", options.connections, (server_resident_bytes() - before) / options.connections);
}

static void parse_options(int argc, char **argv) {
  static const struct option names[] = {
      {"port", 1, NULL, 'p'},      {"pid", 1, NULL, 'i'},     {"connections", 1, NULL, 'c'},
      {"in-flight", 1, NULL, 'f'}, {"size", 1, NULL, 's'},    {"kind", 1, NULL, 'k'},
      {"messages", 1, NULL, 'm'},  {"bare", 0, NULL, 'b'},    {"tls", 0, NULL, 't'},
      {"open", 0, NULL, 'o'},      {"deflate", 1, NULL, 'd'}, {"spin", 0, NULL, 'S'},
      {"broadcast", 0, NULL, 'B'}, {"idle", 0, NULL, 'I'},    {"idle-after-one", 0, NULL, 'A'},
      {NULL, 0, NULL, 0},
  };
  for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
    switch (option) {
    case 'p':
      options.port = atoi(optarg);
      break;
    case 't':
      options.tls = true;
      break;
    case 'd':
      options.deflate = optarg;
      break;
    case 'i':
      options.pid = atoi(optarg);
      break;
    case 'c':
      options.connections = atoi(optarg);
      break;
    case 'f':
      options.in_flight = atoi(optarg);
      break;
    case 's':
      options.size = strtoul(optarg, NULL, 10);
      break;
    case 'm':
      options.messages = atol(optarg);
      break;
    case 'k':
      options.kind = optarg;
      break;
    case 'b':
      options.bare = true;
      break;
    case 'B':
      options.broadcast = true;
      break;
    case 'o':
      options.open = true;
      break;
    case 'I':
      options.idle = true;
      break;
    case 'A':
      options.idle = options.after_one = true;
      break;
    case 'S':
      options.spin = true;
      break;
    default:
      exit(2);
    }
  }
}

int main(int argc, char **argv) {
  parse_options(argc, argv);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (options.tls) {
    tls_context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(tls_context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  }
  prepare_frames();
  if (options.open)
    run_open();
  else if (options.idle)
    run_idle();
  else
    run_messages();
  return 0;
}
