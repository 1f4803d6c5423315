/* A chat: clients in rooms, each of which sends at a steady rate and receives what is said in its room.
 *
 *   rooms_load PORT CLIENTS ROOMS SECONDS PER_SECOND
 *
 * The first message of a client names its room. Each further one carries its sender, its number and the time at which
 * it was due: a server that delays the load counts too. Everything said must arrive, once and in the sender's order, at
 * everyone in the room. Prints one line: messages received, messages lost, messages out of order, and the milliseconds
 * that half of them, 99 % and all took at most.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 64 * 1024, PAYLOAD = 64, EVENTS = 256, QUIET_MS = 10000, MICROSECONDS_MAX = 20 * 1000 * 1000 };

struct client {
  int fd;
  int room;
  int sent;
  int *heard; /* by sender: the number of its latest message */
  size_t kept;
  uint8_t bytes[256]; /* the beginning of a frame */
};

static int client_count, room_count;
static struct client *clients;
static int epoll;
static uint32_t *latencies; /* how many messages took so many microseconds */
static long received, disordered;

static _Noreturn void die(const char *what) {
  fprintf(stderr, "rooms_load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
  exit(1);
}

static int64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Sends all, however long the server makes it wait. */
static void send_all(int fd, const void *bytes, size_t size) {
  const uint8_t *at = bytes;
  while (size > 0) {
    ssize_t n = send(fd, at, size, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN)
      die("send");
    if (n < 0)
      poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
    at += n < 0 ? 0 : n;
    size -= n < 0 ? 0 : (size_t)n;
  }
}

/* A text of under 126 bytes, with a mask of zeros. */
static void send_text(int fd, const char *text) {
  size_t size = strlen(text);
  uint8_t frame[6 + 125] = {0x81, (uint8_t)(0x80 | size)};
  memcpy(frame + 6, text, size);
  send_all(fd, frame, 6 + size);
}

static void open_client(struct client *client, int port, int number) {
  static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  char head[1024] = "";
  size_t size = 0;
  int on = 1;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  client->fd = socket(AF_INET, SOCK_STREAM, 0);
  client->room = number % room_count;
  client->heard = calloc((size_t)client_count, sizeof *client->heard);
  if (client->fd < 0 || !client->heard || connect(client->fd, (struct sockaddr *)&address, sizeof address))
    die("connect");
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  send_all(client->fd, request, sizeof request - 1);
  while (!strstr(head, "\r\n\r\n")) {
    ssize_t n = recv(client->fd, head + size, 1, 0); /* no byte of a frame */
    if (n <= 0 || ++size == sizeof head - 1)
      die("no answer to the handshake");
    head[size] = '\0';
  }
  if (strncmp(head, "HTTP/1.1 101", 12) != 0)
    die(head);
}

/* What is said in the room comes back to who says it: from then on, the client is in the room. */
static void enter_room(struct client *client) {
  char text[32];
  uint8_t frame[128];
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
  snprintf(text, sizeof text, "room %d", client->room);
  send_text(client->fd, text);
  send_text(client->fd, "here");
  if (recv(client->fd, frame, 6, MSG_WAITALL) != 6)
    die("not in the room");
  if (memcmp(frame, "\x81\x04here", 6) != 0)
    die("something else was said in the room");
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event))
    die("epoll");
}

static void hear(struct client *client, const char *text) {
  int sender = 0;
  int number = 0;
  int64_t due_us = 0;
  if (strncmp(text, "here", 4) == 0)
    return;
  if (sscanf(text, "%d %d %" SCNd64, &sender, &number, &due_us) != 3 || sender < 0 || sender >= client_count ||
      clients[sender].room != client->room)
    die("a message of another room");
  int64_t took_us = now_us() - due_us;
  disordered += number != client->heard[sender] + 1;
  client->heard[sender] = number;
  latencies[took_us < MICROSECONDS_MAX ? took_us : MICROSECONDS_MAX]++;
  received++;
}

/* Handles whole frames, all of which have under 126 bytes. Returns the bytes used. */
static size_t hear_frames(struct client *client, uint8_t *bytes, size_t size) {
  char text[126];
  size_t at = 0;
  while (size - at >= 2) {
    size_t length = bytes[at + 1];
    if (bytes[at] != 0x81 || length > 125)
      die("not a short text");
    if (size - at < 2 + length)
      break;
    memcpy(text, bytes + at + 2, length);
    text[length] = '\0';
    hear(client, text);
    at += 2 + length;
  }
  return at;
}

static void receive(struct client *client) {
  static uint8_t buffer[BUFFER];
  memcpy(buffer, client->bytes, client->kept);
  ssize_t n = recv(client->fd, buffer + client->kept, sizeof buffer - client->kept, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN)
    return;
  if (n <= 0)
    die("the server has closed a connection");
  size_t size = client->kept + (size_t)n;
  size_t used = hear_frames(client, buffer, size);
  client->kept = size - used;
  memcpy(client->bytes, buffer + used, client->kept);
}

static void receive_ready(int wait_ms) {
  struct epoll_event events[EVENTS];
  int count = epoll_wait(epoll, events, EVENTS, wait_ms);
  for (int i = 0; i < count; i++)
    receive(events[i].data.ptr);
}

static void say(int number, int64_t due_us) {
  char text[PAYLOAD + 1];
  struct client *client = &clients[number];
  int n = snprintf(text, sizeof text, "%d %d %" PRId64 " ", number, ++client->sent, due_us);
  memset(text + n, '.', (size_t)(PAYLOAD - n));
  text[PAYLOAD] = '\0';
  send_text(client->fd, text);
}

/* The clients take turns, so that the load is steady. Returns the messages that are to arrive. */
static long chat(int seconds, int per_second) {
  long total = (long)client_count * seconds * per_second;
  int64_t start_us = now_us();
  long said = 0;
  while (said < total) {
    int64_t due_us = start_us + said * 1000000 / ((int64_t)client_count * per_second);
    if (now_us() >= due_us)
      say((int)(said++ % client_count), due_us);
    receive_ready(now_us() >= due_us ? 0 : 1);
  }
  return total * (client_count / room_count);
}

static void await(long wanted) {
  int64_t latest_us = now_us();
  for (long before = received; received < wanted && now_us() - latest_us < QUIET_MS * 1000; before = received) {
    receive_ready(10);
    if (received != before)
      latest_us = now_us();
  }
}

static double within_ms(double part) {
  long left = (long)(part * (double)received);
  long us = 0;
  while (us < MICROSECONDS_MAX && (left -= latencies[us]) > 0)
    us++;
  return (double)us / 1000;
}

int main(int argc, char **argv) {
  if (argc != 6)
    die("rooms_load PORT CLIENTS ROOMS SECONDS PER_SECOND");
  client_count = atoi(argv[2]);
  room_count = atoi(argv[3]);
  clients = calloc((size_t)client_count, sizeof *clients);
  latencies = calloc(MICROSECONDS_MAX + 1, sizeof *latencies);
  epoll = epoll_create1(0);
  if (!clients || !latencies || epoll < 0 || client_count % room_count != 0)
    die("the clients do not fill the rooms");
  for (int i = 0; i < client_count; i++)
    open_client(&clients[i], atoi(argv[1]), i);
  for (int i = 0; i < client_count; i++)
    enter_room(&clients[i]);
  long wanted = chat(atoi(argv[4]), atoi(argv[5]));
  await(wanted);
  printf("%ld %ld %ld %.1f %.1f %.1f\n", received, wanted - received, disordered, within_ms(0.5), within_ms(0.99),
         within_ms(1));
  return received == wanted && disordered == 0 ? 0 : 1;
}
