/* A load generator for WebSocket servers: N connections, each with M messages of S bytes in flight.
 *
 *   ws_load --port P [--path /PATH] [--pid SERVER] [--connections N] [--in-flight M] [--size S] [--messages T]
 *           [--kind binary|ascii|multibyte] [--bare] [--spin] [--broadcast | --open | --idle]
 *
 *   (default)     the server echoes every message
 *   --broadcast   one connection sends; all connections receive each message
 *   --open        opens, handshakes and closes T connections, N at a time
 *   --idle        opens N connections and leaves them idle
 *   --bare        the peer is bare_echo: it receives the same bytes and returns them unchanged
 *   --spin        never sleeps, so that no server pays for waking the load; fair only with a processor to itself
 *
 * Frames are masked in advance, and every received byte is compared with the expected one. Prints one line: messages
 * (or connections), seconds, messages per second, and the server's CPU time per message in nanoseconds from the
 * process's clock (--idle: its resident bytes per connection).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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

enum { BUFFER = 256 * 1024, EVENTS = 256, HEADER = 14 };

static struct {
  int port;
  const char *path;
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
  bool spin;
} options = {.path = "/", .connections = 1, .in_flight = 1, .size = 16, .messages = 100000, .kind = "binary"};

struct connection {
  int fd;
  bool blocked;         /* waits for EPOLLOUT */
  size_t to_send;       /* bytes */
  size_t send_phase;    /* offset of the next byte in the request */
  size_t receive_phase; /* offset of the next byte in the reply */
};

static struct connection *connections;
static uint8_t *requests; /* in_flight masked frames */
static size_t request_length;
static uint8_t *replies; /* two replies, to compare a whole one from any offset */
static size_t reply_length;
static uint8_t buffer[BUFFER];
static int epoll;

static _Noreturn void die(const char *what) {
  fprintf(stderr, "ws_load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
  exit(1);
}

/* ---- requests and replies */

static void fill_payload(uint8_t *payload, size_t size) {
  static const char multibyte[] = "\xd1\x8f\xe2\x82\xac\xf0\x9f\x90\xa6";
  size_t unit = sizeof multibyte - 1;
  memset(payload, 'a', size);
  if (strcmp(options.kind, "multibyte") == 0)
    for (size_t at = 0; at + unit <= size; at += unit)
      memcpy(payload + at, multibyte, unit);
}

static size_t put_header(uint8_t *at, size_t size, bool masked) {
  uint8_t mask = masked ? 0x80 : 0;
  at[0] = strcmp(options.kind, "binary") == 0 ? 0x82 : 0x81;
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

static void prepare_frames(void) {
  static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
  size_t count = (size_t)options.in_flight;
  requests = malloc((options.size + HEADER) * count);
  replies = malloc((options.size + HEADER) * 2);
  if (!requests || !replies)
    die("no memory");
  size_t header = put_header(requests, options.size, true);
  memcpy(requests + header, mask, 4);
  uint8_t *payload = requests + header + 4;
  fill_payload(payload, options.size);
  reply_length = put_header(replies, options.size, false) + options.size;
  memcpy(replies + reply_length - options.size, payload, options.size);
  for (size_t i = 0; i < options.size; i++)
    payload[i] ^= mask[i % 4];
  request_length = header + 4 + options.size;
  for (size_t i = 1; i < count; i++)
    memcpy(requests + i * request_length, requests, request_length);
  if (options.bare) {
    reply_length = request_length;
    memcpy(replies, requests, request_length);
  }
  memcpy(replies + reply_length, replies, reply_length);
}

/* ---- opening connections, one at a time, blocking */

static void send_all(int fd, const char *text) {
  size_t length = strlen(text);
  if (send(fd, text, length, MSG_NOSIGNAL) != (ssize_t)length)
    die("send");
}

static void shake_hands(int fd) {
  char request[512], answer[2048];
  snprintf(request, sizeof request,
           "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
           options.path, options.port);
  send_all(fd, request);
  size_t length = 0;
  do {
    ssize_t count = recv(fd, answer + length, sizeof answer - 1 - length, 0);
    if (count <= 0)
      die("the handshake was not answered");
    length += (size_t)count;
    answer[length] = '\0';
  } while (!strstr(answer, "\r\n\r\n"));
  errno = 0;
  if (!options.bare && strncmp(answer, "HTTP/1.1 101 ", 13) != 0)
    die(answer);
}

static int open_connection(void) {
  int on = 1;
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) ||
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on))
    die("connect");
  return fd;
}

static void open_connections(void) {
  connections = calloc((size_t)options.connections, sizeof *connections);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < options.connections; i++) {
    struct connection *connection = &connections[i];
    connection->fd = open_connection();
    if (!options.bare || !options.broadcast)
      shake_hands(connection->fd);
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
  printf("%ld %.3f %.0f %.0f\n", count, seconds, (double)count / seconds,
         (double)(end.cpu - start.cpu) / (double)count);
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
  size_t burst = request_length * (size_t)options.in_flight;
  while (connection->to_send > 0) {
    size_t length = burst - connection->send_phase;
    if (length > connection->to_send)
      length = connection->to_send;
    ssize_t sent = send(connection->fd, requests + connection->send_phase, length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
      die("send");
    if (sent < 0)
      break;
    connection->to_send -= (size_t)sent;
    connection->send_phase = (connection->send_phase + (size_t)sent) % request_length;
  }
  set_blocked(connection, connection->to_send > 0);
}

static void compare(const struct connection *connection, const uint8_t *bytes, size_t length) {
  size_t phase = connection->receive_phase;
  while (length > 0) {
    size_t step = length < reply_length ? length : reply_length;
    if (memcmp(bytes, replies + phase, step) != 0) {
      errno = 0;
      die("the server answered something else");
    }
    bytes += step;
    length -= step;
    phase = (phase + step) % reply_length;
  }
}

/* Returns the number of replies that the received bytes complete. */
static long receive(struct connection *connection) {
  ssize_t count = recv(connection->fd, buffer, BUFFER, 0);
  if (count == 0 || (count < 0 && errno != EAGAIN))
    die("the server closed a connection");
  if (count < 0)
    return 0;
  compare(connection, buffer, (size_t)count);
  size_t total = connection->receive_phase + (size_t)count;
  connection->receive_phase = total % reply_length;
  return (long)(total / reply_length);
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
      connection->to_send += (size_t)complete * request_length;
      send_more(connection);
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
    connections[0].to_send += (size_t)(received / options.connections - before) * request_length;
    send_more(&connections[0]);
  }
}

static void run_messages(void) {
  open_connections();
  int senders = options.broadcast ? 1 : options.connections;
  for (int i = 0; i < senders; i++) {
    connections[i].to_send = request_length * (size_t)options.in_flight;
    send_more(&connections[i]);
  }
  void (*run)(long) = options.broadcast ? broadcast : echo;
  run(options.messages / 10 + 1);
  struct moment start = now();
  run(options.messages);
  report(start, options.broadcast ? options.messages * options.connections : options.messages);
}

static void run_open(void) {
  struct moment start = now();
  int *fds = malloc((size_t)options.connections * sizeof *fds);
  for (long done = 0; done < options.messages; done += options.connections) {
    for (int i = 0; i < options.connections; i++)
      shake_hands(fds[i] = open_connection());
    for (int i = 0; i < options.connections; i++) {
      struct linger at_once = {.l_onoff = 1};
      setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      close(fds[i]);
    }
  }
  free(fds);
  report(start, options.messages);
}

static void run_idle(void) {
  shake_hands(open_connection());
  long before = server_resident_bytes();
  open_connections();
  printf("%d 0 0 %ld\n", options.connections, (server_resident_bytes() - before) / options.connections);
}

static void parse_options(int argc, char **argv) {
  static const struct option names[] = {
      {"port", 1, NULL, 'p'},        {"path", 1, NULL, 'P'},      {"pid", 1, NULL, 'i'},
      {"connections", 1, NULL, 'c'}, {"in-flight", 1, NULL, 'f'}, {"size", 1, NULL, 's'},
      {"messages", 1, NULL, 'm'},    {"kind", 1, NULL, 'k'},      {"bare", 0, NULL, 'b'},
      {"broadcast", 0, NULL, 'B'},   {"open", 0, NULL, 'o'},      {"idle", 0, NULL, 'I'},
      {"spin", 0, NULL, 'S'},        {NULL, 0, NULL, 0},
  };
  for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
    switch (option) {
    case 'p':
      options.port = atoi(optarg);
      break;
    case 'P':
      options.path = optarg;
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
  prepare_frames();
  if (options.open)
    run_open();
  else if (options.idle)
    run_idle();
  else
    run_messages();
  return 0;
}
