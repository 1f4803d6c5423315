#include "peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "program.h"

enum { OUT_MOST = 20000, READ_MOST = 65536 };

bool peer_is_healthy(const struct peer *peer) {
  return peer->plan->kind == PEER_HEALTHY || peer->plan->kind == PEER_SLOW;
}

static int64_t in(struct peer *peer, int64_t low, int64_t high) {
  return sim_random_in(&peer->chance, low, high);
}

/* ---- frames (RFC 6455 section 5.2) */

static void put(struct peer *peer, const void *bytes, size_t n) {
  if (peer->out_sent == peer->out_size)
    peer->out_sent = peer->out_size = 0;
  if (peer->out_size + n > peer->out_room) {
    peer->out_room = (peer->out_size + n) * 2;
    peer->out = __real_realloc(peer->out, peer->out_room);
  }
  memcpy(peer->out + peer->out_size, bytes, n);
  peer->out_size += n;
}

static void put_frame(struct peer *peer, uint8_t head, const void *payload, size_t n) {
  uint8_t header[14] = {head};
  size_t size = 2;
  uint8_t masked = peer->is_server ? 0 : 0x80;
  if (n < 126) {
    header[1] = masked | (uint8_t)n;
  } else if (n < 65536) {
    header[1] = masked | 126;
    header[2] = (uint8_t)(n >> 8);
    header[3] = (uint8_t)n;
    size = 4;
  } else {
    header[1] = masked | 127;
    for (int i = 0; i < 8; i++)
      header[2 + i] = (uint8_t)((uint64_t)n >> (56 - 8 * i));
    size = 10;
  }
  uint8_t key[4] = {0};
  if (masked) {
    for (int i = 0; i < 4; i++)
      header[size++] = key[i] = (uint8_t)in(peer, 0, 255);
  }
  put(peer, header, size);
  put(peer, payload, n);
  for (size_t i = 0; i < n; i++)
    peer->out[peer->out_size - n + i] ^= key[i % 4];
}

static void put_close(struct peer *peer, int code) {
  uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};
  if (!peer->sent_close)
    put_frame(peer, 0x88, payload, code ? 2 : 0);
  peer->sent_close = true;
}

/* One message of its stream, in fragments, perhaps with a ping between. */
static void put_message(struct peer *peer) {
  const struct plan_peer *p = peer->plan;
  char *message = oracle_message(peer->stream, p->command, p->argument, (size_t)p->size);
  size_t n = strlen(message);
  size_t at = 0;
  int fragments = p->fragments;
  oracle_send_begins(peer->stream);
  for (int i = 0; i < fragments; i++) {
    size_t size = i == fragments - 1 ? n - at : (size_t)in(peer, 0, (int64_t)(n - at));
    put_frame(peer, (uint8_t)((i == fragments - 1 ? 0x80 : 0) | (i == 0 ? 1 : 0)), message + at, size);
    at += size;
    if (fragments > 1 && in(peer, 1, 3) == 1)
      put_frame(peer, 0x89, "between", 7);
  }
  oracle_send_ends(peer->stream, true);
  __real_free(message);
  peer->sent++;
}

static void put_violation(struct peer *peer) {
  static const struct {
    const char *bytes;
    size_t n;
  } violations[] = {{"\xC1\x80\0\0\0\0", 6},
                    {"\x83\x80\0\0\0\0", 6},
                    {"\x81\x02hi", 4},
                    {"\x81\x81\0\0\0\0\xff", 7},
                    {"\x80\x80\0\0\0\0", 6},
                    {"\x88\x81\0\0\0\0x", 7},
                    {"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14},
                    {"\x09\x80\0\0\0\0", 6}};
  int which = (int)in(peer, 0, sizeof violations / sizeof *violations - 1);
  if (which == 2 && peer->is_server) /* unmasked is right for a server */
    which = 0;
  put(peer, violations[which].bytes, violations[which].n);
}

/* Returns false if no whole frame is there. */
static bool take_frame(struct peer *peer, uint8_t *head, const uint8_t **payload, size_t *n, size_t *used) {
  const uint8_t *in_bytes = peer->in;
  if (peer->in_size < 2)
    return false;
  size_t at = 2;
  uint64_t size = in_bytes[1] & 0x7f;
  int more = size == 126 ? 2 : size == 127 ? 8 : 0;
  if (peer->in_size < at + (size_t)more)
    return false;
  if (more)
    size = 0;
  for (int i = 0; i < more; i++)
    size = size << 8 | in_bytes[at++];
  bool masked = in_bytes[1] & 0x80;
  if (masked == !peer->is_server)
    sim_fail("1 messages", "%s got a frame that is %smasked", peer->name, masked ? "" : "not ");
  size_t key = at;
  at += masked ? 4 : 0;
  if (peer->in_size < at + size)
    return false;
  for (size_t i = 0; masked && i < size; i++)
    peer->in[at + i] ^= peer->in[key + i % 4];
  *head = in_bytes[0];
  *payload = in_bytes + at;
  *n = (size_t)size;
  *used = at + (size_t)size;
  return true;
}

static void got_close(struct peer *peer, const uint8_t *payload, size_t n) {
  peer->got_close = true;
  peer->close_code = n >= 2 ? payload[0] << 8 | payload[1] : 1005;
  snprintf(peer->close_reason, sizeof peer->close_reason, "%.*s", n > 2 ? (int)n - 2 : 0, (const char *)payload + 2);
  sim_note("%s got a close frame: %d %s", peer->name, peer->close_code, peer->close_reason);
  if (peer->plan->kind != PEER_DEAF && peer->plan->kind != PEER_MUTE)
    put_close(peer, peer->close_code == 1005 ? 0 : peer->close_code);
}

static void got_message(struct peer *peer, uint8_t head, const uint8_t *payload, size_t n) {
  int argument;
  if ((head & 0x0f) != 0) {
    peer->message_size = 0;
  }
  peer->message = __real_realloc(peer->message, peer->message_size + n + 1);
  memcpy(peer->message + peer->message_size, payload, n);
  peer->message_size += n;
  peer->message[peer->message_size] = '\0';
  if (head & 0x80)
    oracle_received(&peer->receiver, (const char *)peer->message, peer->message_size, &argument);
}

static void got_frame(struct peer *peer, uint8_t head, const uint8_t *payload, size_t n) {
  if (peer->got_close)
    sim_fail("1 messages", "%s got a frame behind a close frame", peer->name);
  if (head & 0x70)
    sim_fail("1 messages", "%s got a frame with reserved bits", peer->name);
  switch (head & 0x0f) {
  case 0x8:
    got_close(peer, payload, n);
    break;
  case 0x9:
    if (peer->plan->kind != PEER_MUTE && !peer->sent_close && peer->out_size - peer->out_sent < 100000)
      put_frame(peer, 0x8A, payload, n);
    break;
  case 0xA:
    break;
  default:
    got_message(peer, head, payload, n);
  }
}

/* ---- the handshake */

static void answer_request(struct peer *peer, const char *head) {
  char text[256], key[128];
  unsigned char digest[20];
  char accept[32];
  const char *line = strstr(head, "Sec-WebSocket-Key: ");
  if (peer->plan->kind == PEER_REFUSES) {
    static const char refusal[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Type: text/plain\r\n"
                                  "Content-Length: 9\r\n\r\nnot today";
    put(peer, refusal, sizeof refusal - 1);
    peer->broken = true;
    return;
  }
  if (!line) {
    peer->broken = true;
    return;
  }
  int n = snprintf(key, sizeof key, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", line + 19);
  SHA1((const unsigned char *)key, (size_t)n, digest);
  EVP_EncodeBlock((unsigned char *)accept, digest, 20);
  n = snprintf(text, sizeof text,
               "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Accept: %s\r\n\r\n",
               accept);
  put(peer, text, (size_t)n);
  peer->open = true;
}

static void take_head(struct peer *peer) {
  peer->in[peer->in_size] = '\0';
  char *end = strstr((char *)peer->in, "\r\n\r\n");
  if (!end)
    return;
  *end = '\0';
  size_t used = (size_t)((uint8_t *)end - peer->in) + 4;
  if (peer->is_server) {
    answer_request(peer, (char *)peer->in);
  } else if (strncmp((char *)peer->in, "HTTP/1.1 101 ", 13) == 0) {
    peer->open = true;
    sim_note("%s is admitted", peer->name);
  } else {
    sim_note("%s is refused: %.40s", peer->name, (char *)peer->in);
    peer->broken = true;
  }
  peer->in_size -= used;
  memmove(peer->in, peer->in + used, peer->in_size);
}

/* ---- the script */

static bool reads(const struct peer *peer) {
  return !(peer->plan->kind == PEER_STALLED && peer->open);
}

/* Returns false at the end of the stream. */
static bool read_some(struct peer *peer) {
  size_t most = peer->plan->kind == PEER_SLOW && peer->open ? (size_t)peer->plan->read_bytes : READ_MOST;
  if (!reads(peer) || sim_now() < peer->next_read)
    return true;
  if (peer->in_room < peer->in_size + most + 1) {
    peer->in_room = (peer->in_size + most + 1) * 2;
    peer->in = __real_realloc(peer->in, peer->in_room);
  }
  ssize_t n = sim_sock_recv(peer->sock, peer->in + peer->in_size, most);
  if (n == 0 || (n < 0 && errno != EAGAIN))
    return false;
  if (n > 0) {
    peer->in_size += (size_t)n;
    if (most < READ_MOST)
      peer->next_read = sim_now() + peer->plan->pause_us;
  }
  uint8_t head;
  const uint8_t *payload;
  size_t size, used;
  if (!peer->open && !peer->broken)
    take_head(peer);
  size_t at = 0;
  uint8_t *start = peer->in;
  size_t total = peer->in_size;
  while (peer->open &&
         (peer->in = start + at, peer->in_size = total - at, take_frame(peer, &head, &payload, &size, &used))) {
    got_frame(peer, head, payload, size);
    at += used;
  }
  peer->in = start;
  peer->in_size = total - at;
  if (at)
    memmove(start, start + at, peer->in_size);
  return true;
}

static void write_some(struct peer *peer) {
  while (peer->out_sent < peer->out_size) {
    ssize_t n = sim_sock_send(peer->sock, peer->out + peer->out_sent, peer->out_size - peer->out_sent);
    if (n <= 0)
      return;
    peer->out_sent += (size_t)n;
  }
}

/* What comes next of its own accord. Returns false if the peer leaves. */
static bool go_on(struct peer *peer) {
  const struct plan_peer *p = peer->plan;
  if (!peer->open || peer->sent_close || sim_now() < peer->next_send || peer->out_size - peer->out_sent > OUT_MOST)
    return true;
  if (peer->sent < p->count) {
    put_message(peer);
    peer->next_send = sim_now() + p->gap_us;
    return true;
  }
  peer->next_send = SIM_FOREVER;
  switch (p->kind) {
  case PEER_HOSTILE:
    peer->broken = true;
    put_violation(peer);
    break;
  case PEER_RESETS:
    write_some(peer);
    sim_sock_break(peer->sock);
    return false;
  case PEER_VANISHES:
    write_some(peer);
    return false;
  case PEER_HALF:
    write_some(peer);
    sim_sock_shutdown(peer->sock);
    break;
  case PEER_TRICKLES:
    if (peer->sent == p->count) {
      put(peer, peer->is_server ? "\x01\x7e\x40\0" : "\x01\xfe\x40\0\0\0\0\0", peer->is_server ? 4 : 8);
      peer->sent++;
    }
    put(peer, "x", 1);
    peer->next_send = sim_now() + SIM_S;
    break;
  default:
    if (p->closes && !peer->got_close) {
      peer->began_close = true;
      put_close(peer, p->argument % 2 ? 1000 : 0);
    }
  }
  return true;
}

static void converse(struct peer *peer) {
  peer->next_send = sim_now();
  for (;;) {
    bool ended = !read_some(peer);
    bool leaves = !ended && !go_on(peer);
    write_some(peer);
    if (ended || leaves)
      break;
    int64_t until = SIM_FOREVER;
    if (peer->open && !peer->sent_close && peer->out_size - peer->out_sent <= OUT_MOST)
      until = peer->next_send;
    if (reads(peer) && sim_sock_readable(peer->sock) > 0 && peer->next_read < until)
      until = peer->next_read;
    if (peer->sock->state == SIM_DEAD ||
        (peer->broken && peer->plan->kind == PEER_REFUSES && peer->out_sent == peer->out_size))
      break;
    sim_block(peer->sock, until);
  }
  sim_note("%s leaves%s", peer->name, peer->sock->reset ? ", reset" : "");
  sim_sock_close(peer->sock);
}

/* Reads what is there. */
static void gather(struct peer *peer) {
  for (ssize_t n = 1; n > 0;) {
    if (peer->in_room < peer->in_size + READ_MOST) {
      peer->in_room = 2 * (peer->in_size + READ_MOST);
      peer->in = __real_realloc(peer->in, peer->in_room);
    }
    n = sim_sock_recv(peer->sock, peer->in + peer->in_size, READ_MOST - 1);
    peer->in_size += n > 0 ? (size_t)n : 0;
  }
}

/* A page that has come to its end is whole: WS-PAGE-6. */
static void check_page(struct peer *peer) {
  peer->in[peer->in_size] = '\0';
  const char *head = (const char *)peer->in;
  const char *body = strstr(head, "\r\n\r\n");
  size_t size = body ? strspn(body + 4, PROGRAM_PAGE_LETTER) : 0;
  sim_note("%s got %zu bytes of a page: %.40s", peer->name, size, head);
  if (body && strncmp(head, "HTTP/1.1 200 ", 13) == 0 && size != PROGRAM_PAGE_SIZE && !peer->sock->reset &&
      !peer->sock->troubled && sim_now() < plan.length_us && !sim_faults_struck)
    sim_fail("1 messages", "%s got %zu bytes of a page, and the end", peer->name, size);
}

/* Asks for the page. Who does not read is cut off after 5 s, or after closeTimeoutMs: WS-PAGE-6. */
static void fetch_page(struct peer *peer) {
  static const char request[] = "GET /page HTTP/1.1\r\nHost: " PROGRAM_ADDRESS "\r\n\r\n";
  put(peer, request, sizeof request - 1);
  write_some(peer);
  if (peer->number % 2)
    sim_sock_shutdown(peer->sock);
  if (peer->plan->closes) {
    while (gather(peer), !peer->sock->eof && !peer->sock->reset)
      sim_block(peer->sock, SIM_FOREVER);
    gather(peer);
    check_page(peer);
  } else {
    const struct sim_sock *accepted = peer->sock->other;
    int64_t away;
    do {
      away = sim_away_in_all(0) + sim_stopped_us();
      sim_sleep(30 * SIM_S);
    } while (accepted->fd >= 0 && sim_now() - accepted->opened_at < 30 * SIM_S);
    if (sim_away_in_all(0) + sim_stopped_us() == away && accepted->fd >= 0 && !peer->sock->troubled &&
        !program_stuck_handlers)
      sim_fail("5 time", "%s has not read its page for 30 s, and is not cut off", peer->name);
  }
  sim_sock_close(peer->sock);
}

static void connect_run(void *context) {
  struct peer *peer = context;
  const struct plan_peer *p = peer->plan;
  char text[256];
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(PROGRAM_PORT + p->server))};
  inet_pton(AF_INET, PROGRAM_ADDRESS, &to.sin_addr);
  sim_sleep(p->start_us);
  peer->sock->owner = peer;
  peer->sock->bound = true;
  peer->sock->local =
      (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a010000u + (unsigned)peer->number)};
  sim_sock_connect(peer->sock, (struct sockaddr *)&to);
  while (peer->sock->state == SIM_CONNECTING)
    sim_block(peer->sock, SIM_FOREVER);
  if (peer->sock->state != SIM_CONNECTED)
    return;
  int n = snprintf(text, sizeof text,
                   "GET /sim HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                   PROGRAM_ADDRESS);
  if (p->kind == PEER_PAGE) {
    fetch_page(peer);
    return;
  }
  bool hello = p->kind == PEER_BURST && plan.servers[p->server].secure;
  if (hello)
    put(peer, program_hello, (size_t)program_hello_size);
  if (p->kind == PEER_GARBAGE)
    put(peer, p->argument % 2 ? "\x16\x03\x01\x02\0\x01" : "hello?\r\n\r\n", p->argument % 2 ? 6 : 10);
  for (int i = 0; p->kind == PEER_LATE && i < n - (p->argument % 2); i++) {
    put(peer, text + i, 1);
    write_some(peer);
    sim_sleep(p->argument % 3 ? 10 * SIM_MS : 200 * SIM_MS);
  }
  if (p->kind != PEER_GARBAGE && p->kind != PEER_LATE && !hello)
    put(peer, text, (size_t)n);
  converse(peer);
}

static void serve_run(void *context) {
  struct peer *peer = context;
  if (peer->plan->kind == PEER_LATE)
    sim_sleep(peer->plan->argument * SIM_MS);
  if (peer->plan->kind == PEER_GARBAGE)
    put(peer, "hello?\r\n\r\n", 10);
  converse(peer);
}

static struct peer *peer_new(const struct plan_peer *p, struct sim_sock *sock) {
  static int count;
  struct peer *peer = __real_calloc(1, sizeof *peer);
  peer->number = ++count;
  peer->plan = p;
  peer->is_server = p->server < 0;
  peer->sock = sock;
  peer->chance.state = sim_mix(plan.seed * 1000003 + (uint64_t)count);
  snprintf(peer->name, sizeof peer->name, "peer %d.%d", (int)(p - plan.peers), count);
  peer->receiver.name = peer->name;
  peer->stream = oracle_stream(peer->name, -peer->number, 0);
  return peer;
}

static void listen_run(void *context) {
  struct sim_sock *listener = context;
  struct plan_peer *p = listener->owner;
  for (;;) {
    struct sim_sock *sock = sim_sock_accept(listener);
    if (!sock) {
      sim_block(listener, SIM_FOREVER);
      continue;
    }
    struct peer *peer = peer_new(p, sock);
    sock->owner = peer;
    sim_thread_new(peer->name, false, serve_run, peer);
  }
}

void peers_start(void) {
  for (int i = 0; i < PLAN_PEERS; i++) {
    struct plan_peer *p = &plan.peers[i];
    if (!p->on)
      continue;
    int count = p->kind == PEER_BURST || p->kind == PEER_PAGE ? p->argument : 1;
    for (int n = 0; p->server >= 0 && n < count; n++) {
      struct peer *peer = peer_new(p, sim_sock_new(false));
      sim_thread_new(peer->name, false, connect_run, peer);
    }
    if (p->server >= 0)
      continue;
    struct sim_sock *listener = sim_sock_new(false);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(PEER_PORT + i))};
    inet_pton(AF_INET, PEER_ADDRESS, &at.sin_addr);
    listener->owner = p;
    sim_sock_bind(listener, (struct sockaddr *)&at);
    sim_sock_listen(listener);
    sim_thread_new("listening peer", false, listen_run, listener);
  }
}
