#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"
#include "tls_fixture.h"

enum { PEER_PATIENCE_S = 8, PEER_TOLERANT_PATIENCE_S = 2 };

static void peer_configure(int fd, int patience_s) {
  struct timeval patience = {.tv_sec = patience_s};
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static int peer_socket(int family) {
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  peer_configure(fd, PEER_PATIENCE_S);
  return fd;
}

int peer_listen(int *port) {
  int fd = peer_socket(AF_INET);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
  assert_int_equal(listen(fd, 64), 0);
  getsockname(fd, (struct sockaddr *)&address, &size);
  *port = ntohs(address.sin_port);
  return fd;
}

int peer_free_port(void) {
  int port;
  close(peer_listen(&port));
  return port;
}

struct peer peer_accept(int listener) {
  struct peer peer = {.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)};
  assert_true(peer.fd >= 0);
  peer_configure(peer.fd, PEER_PATIENCE_S);
  return peer;
}

struct peer peer_accept_tolerant(int listener) {
  struct peer peer = {.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), .tolerant = true};
  peer_configure(peer.fd, PEER_TOLERANT_PATIENCE_S);
  return peer;
}

static int peer_connect_to(int fd, int port) {
  struct sockaddr_in address = {
      .sin_family = AF_INET,
      .sin_port = htons((uint16_t)port),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
  };
  return connect(fd, (struct sockaddr *)&address, sizeof address);
}

struct peer peer_connect(int port) {
  struct peer peer = {.fd = peer_socket(AF_INET)};
  assert_int_equal(peer_connect_to(peer.fd, port), 0);
  return peer;
}

struct peer peer_connect_tolerant(int port) {
  struct peer peer = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .tolerant = true};
  peer_configure(peer.fd, PEER_TOLERANT_PATIENCE_S);
  (void)!peer_connect_to(peer.fd, port);
  return peer;
}

struct peer peer_connect6(int port) {
  struct sockaddr_in6 address = {
      .sin6_family = AF_INET6,
      .sin6_port = htons((uint16_t)port),
      .sin6_addr = in6addr_loopback,
  };
  struct peer peer = {.fd = peer_socket(AF_INET6)};
  assert_int_equal(connect(peer.fd, (struct sockaddr *)&address, sizeof address), 0);
  return peer;
}

void peer_start_tls(struct peer *peer, const struct tls_identity *identity) {
  SSL_CTX *context = SSL_CTX_new(TLS_method());
  assert_non_null(context);
  signal(SIGPIPE, SIG_IGN); /* SSL_write has no MSG_NOSIGNAL */
  if (identity) {
    assert_int_equal(SSL_CTX_use_certificate(context, identity->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, identity->key), 1);
  }
  peer->ssl = SSL_new(context);
  SSL_CTX_free(context);
  SSL_set_fd(peer->ssl, peer->fd);
  assert_int_equal(identity ? SSL_accept(peer->ssl) : SSL_connect(peer->ssl), 1);
}

void peer_close(struct peer *peer) {
  SSL_free(peer->ssl);
  close(peer->fd);
  free(peer->frame.payload);
  *peer = (struct peer){.fd = -1};
}

void peer_reset(struct peer *peer) {
  struct linger linger = {.l_onoff = 1};
  setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  peer_close(peer);
}

static ssize_t peer_write(struct peer *peer, const void *bytes, size_t n) {
  if (peer->ssl)
    return SSL_write(peer->ssl, bytes, (int)n);
  return send(peer->fd, bytes, n, MSG_NOSIGNAL);
}

void peer_send(struct peer *peer, const void *bytes, size_t n) {
  const char *at = bytes;
  while (n > 0) {
    ssize_t sent = peer_write(peer, at, n);
    if (sent < 0 && errno == EINTR && !peer->ssl)
      continue;
    if (sent <= 0 && peer->tolerant)
      return;
    assert_true(sent > 0);
    at += sent;
    n -= (size_t)sent;
  }
}

void peer_send_text(struct peer *peer, const char *text) {
  peer_send(peer, text, strlen(text));
}

static long peer_receive_tls(struct peer *peer, void *bytes, size_t n) {
  int got = SSL_read(peer->ssl, bytes, (int)n);
  if (got > 0)
    return got;
  int reason = SSL_get_error(peer->ssl, got);
  if (reason == SSL_ERROR_WANT_READ && !peer->tolerant)
    fail_msg("nothing arrived over TLS within %d s", PEER_PATIENCE_S);
  return reason == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

long peer_receive(struct peer *peer, void *bytes, size_t n) {
  if (peer->ssl)
    return peer_receive_tls(peer, bytes, n);
  for (;;) {
    ssize_t got = recv(peer->fd, bytes, n, 0);
    if (got >= 0)
      return got;
    if (errno == ECONNRESET || (peer->tolerant && errno != EINTR))
      return -1;
    if (errno != EINTR)
      fail_msg("recv: %s", strerror(errno));
  }
}

bool peer_read_head(struct peer *peer, char *head, size_t room) {
  size_t used = 0;
  while (used < 4 || memcmp(head + used - 4, "\r\n\r\n", 4) != 0) {
    assert_true(used + 1 < room);
    if (peer_receive(peer, head + used, 1) != 1) {
      if (!peer->tolerant)
        fail_msg("the stream ended within a head: %.*s", (int)used, head);
      return false;
    }
    used++;
  }
  head[used] = '\0';
  return true;
}

size_t peer_read_all(struct peer *peer, char *bytes, size_t room) {
  size_t used = 0;
  long got;
  while (used < room - 1 && (got = peer_receive(peer, bytes + used, room - 1 - used)) > 0)
    used += (size_t)got;
  bytes[used] = '\0';
  return used;
}

/* Returns the number of bytes that the socket between these ports has received and its program has not read. */
static unsigned peer_unread(unsigned local_port, unsigned remote_port) {
  char line[256];
  unsigned unread = 0;
  FILE *sockets = fopen("/proc/net/tcp", "r");
  assert_non_null(sockets);
  while (fgets(line, sizeof line, sockets)) {
    unsigned local, remote, queued;
    if (sscanf(line, "%*d: %*8x:%x %*8x:%x %*x %*x:%x", &local, &remote, &queued) == 3 && local == local_port &&
        remote == remote_port)
      unread = queued;
  }
  fclose(sockets);
  return unread;
}

/* Returns true once the other end's kernel has acknowledged all that was sent. A busy kernel delivers late. */
static bool peer_has_delivered(struct peer *peer) {
  int left;
  assert_int_equal(ioctl(peer->fd, TIOCOUTQ, &left), 0);
  return left == 0;
}

void peer_await_delivery(struct peer *peer) {
  WAIT_UNTIL(peer_has_delivered(peer));
}

void peer_await_reading(struct peer *peer) {
  struct sockaddr_in here;
  struct sockaddr_in there;
  socklen_t size = sizeof here;
  assert_int_equal(getsockname(peer->fd, (struct sockaddr *)&here, &size), 0);
  assert_int_equal(getpeername(peer->fd, (struct sockaddr *)&there, &size), 0);
  peer_await_delivery(peer);
  WAIT_UNTIL(peer_unread(ntohs(there.sin_port), ntohs(here.sin_port)) == 0);
}

bool peer_is_silent(struct peer *peer, int ms) {
  struct pollfd watched = {.fd = peer->fd, .events = POLLIN};
  return poll(&watched, 1, ms) == 0;
}

void peer_request(struct peer *peer, int port, const char *target, const char *headers) {
  char request[40000];
  int n =
      snprintf(request, sizeof request,
               "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" PEER_UPGRADE_LINES PEER_KEY_LINE PEER_VERSION_LINE "%s\r\n",
               target, port, headers);
  assert_true(n > 0 && (size_t)n < sizeof request);
  peer_send(peer, request, (size_t)n);
}

void peer_shake(struct peer *peer, int port, const char *target, const char *headers) {
  char head[4096];
  peer_request(peer, port, target, headers);
  peer_read_head(peer, head, sizeof head);
  if (strncmp(head, "HTTP/1.1 101 ", 13) != 0)
    fail_msg("not admitted: %s", head);
  assert_non_null(strstr(head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

struct peer peer_open(int port, const char *target) {
  struct peer peer = peer_connect(port);
  peer_shake(&peer, port, target, "");
  return peer;
}

int peer_status(int port, const char *target, const char *headers) {
  char head[4096] = {0};
  struct peer peer = peer_connect_tolerant(port);
  peer_request(&peer, port, target, headers);
  peer_read_head(&peer, head, sizeof head);
  peer_close(&peer);
  return atoi(head + 9);
}

void peer_accept_key(const char *request, char accept[static 32]) {
  char text[64];
  unsigned char digest[SHA_DIGEST_LENGTH];
  const char *key = strcasestr(request, "Sec-WebSocket-Key: ");
  assert_non_null(key);
  snprintf(text, sizeof text, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + 19);
  SHA1((const unsigned char *)text, strlen(text), digest);
  EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
}

void peer_answer(struct peer *peer, char *head, size_t room, const char *headers) {
  char accept[32];
  char response[2048];
  if (!peer_read_head(peer, head, room))
    return;
  peer_accept_key(head, accept);
  int n = snprintf(response, sizeof response,
                   "HTTP/1.1 101 Switching Protocols\r\n" PEER_UPGRADE_LINES "Sec-WebSocket-Accept: %s\r\n%s\r\n",
                   accept, headers);
  assert_true(n > 0 && (size_t)n < sizeof response);
  peer_send(peer, response, (size_t)n);
}

static size_t peer_header(uint8_t *to, uint8_t head, size_t n, uint8_t mask) {
  size_t size = 2;
  to[0] = head;
  if (n < 126) {
    to[1] = (uint8_t)(mask | n);
  } else if (n < 65536) {
    to[1] = (uint8_t)(mask | 126);
    to[2] = (uint8_t)(n >> 8);
    to[3] = (uint8_t)n;
    size = 4;
  } else {
    to[1] = (uint8_t)(mask | 127);
    for (int i = 0; i < 8; i++)
      to[2 + i] = (uint8_t)((uint64_t)n >> (56 - 8 * i));
    size = 10;
  }
  return size;
}

void peer_send_frame(struct peer *peer, uint8_t head, const void *payload, size_t n) {
  static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};
  const uint8_t *from = payload;
  uint8_t *bytes = malloc(n + 14);
  assert_non_null(bytes);
  size_t size = peer_header(bytes, head, n, 0x80);
  memcpy(bytes + size, key, 4);
  size += 4;
  for (size_t i = 0; i < n; i++)
    bytes[size + i] = from[i] ^ key[i % 4];
  peer_send(peer, bytes, size + n);
  free(bytes);
}

void peer_send_plain(struct peer *peer, uint8_t head, const void *payload, size_t n) {
  uint8_t bytes[14];
  peer_send(peer, bytes, peer_header(bytes, head, n, 0));
  if (n)
    peer_send(peer, payload, n);
}

void peer_send_message(struct peer *peer, const char *text) {
  peer_send_frame(peer, 0x81, text, strlen(text));
}

static bool peer_read_exactly(struct peer *peer, void *bytes, size_t n) {
  size_t used = 0;
  while (used < n) {
    long got = peer_receive(peer, (char *)bytes + used, n - used);
    if (got <= 0)
      return false;
    used += (size_t)got;
  }
  return true;
}

/* Reads the rest of a frame. It may be cut short only if the peer is tolerant. */
static bool peer_read_rest(struct peer *peer, void *bytes, size_t n) {
  bool complete = peer_read_exactly(peer, bytes, n);
  assert_true(complete || peer->tolerant);
  return complete;
}

bool peer_read_frame(struct peer *peer) {
  struct peer_frame *frame = &peer->frame;
  uint8_t header[2];
  uint8_t more[8];
  uint8_t key[4] = {0};
  if (!peer_read_exactly(peer, header, 2))
    return false;
  frame->head = header[0];
  frame->masked = header[1] & 0x80;
  frame->size = header[1] & 0x7F;
  size_t extra = frame->size == 127 ? 8 : frame->size == 126 ? 2 : 0;
  if (!peer_read_rest(peer, more, extra))
    return false;
  if (extra)
    frame->size = 0;
  for (size_t i = 0; i < extra; i++)
    frame->size = frame->size << 8 | more[i];
  if (frame->masked && !peer_read_rest(peer, key, 4))
    return false;
  assert_true(frame->size <= PEER_PAYLOAD_MAX);
  free(frame->payload);
  frame->payload = malloc(frame->size + 1);
  assert_non_null(frame->payload);
  if (!peer_read_exactly(peer, frame->payload, frame->size))
    return false;
  for (size_t i = 0; i < frame->size; i++)
    frame->payload[i] ^= key[i % 4];
  frame->payload[frame->size] = '\0';
  return true;
}

void peer_expect_frame(struct peer *peer, uint8_t head) {
  assert_true(peer_read_frame(peer));
  assert_int_equal(peer->frame.head, head);
}

void peer_expect_text(struct peer *peer, const char *text) {
  do {
    if (!peer_read_frame(peer))
      fail_msg("the stream ended instead of \"%s\"", text);
  } while (peer->frame.head == 0x89);
  assert_int_equal(peer->frame.head, 0x81);
  assert_string_equal((char *)peer->frame.payload, text);
}

int peer_read_close(struct peer *peer, char *reason, size_t room) {
  do {
    if (!peer_read_frame(peer))
      fail_msg("the stream ended without a close frame");
  } while ((peer->frame.head & 0x0F) != 8);
  const struct peer_frame *frame = &peer->frame;
  if (reason)
    snprintf(reason, room, "%s", frame->size > 2 ? (char *)frame->payload + 2 : "");
  return frame->size < 2 ? 0 : frame->payload[0] << 8 | frame->payload[1];
}

void peer_expect_end(struct peer *peer) {
  char rest[4096];
  peer_read_all(peer, rest, sizeof rest);
}

void peer_expect_close(struct peer *peer, int code) {
  uint8_t answer[2] = {(uint8_t)(code >> 8), (uint8_t)code};
  int got = peer_read_close(peer, NULL, 0);
  if (got != code)
    fail_msg("closed with %d (%s), not %d", got, peer->frame.size > 2 ? (char *)peer->frame.payload + 2 : "", code);
  if (peer->frame.masked)
    peer_send_plain(peer, 0x88, answer, code ? 2 : 0);
  else
    peer_send_frame(peer, 0x88, answer, code ? 2 : 0);
  if (peer->frame.masked)
    shutdown(peer->fd, SHUT_WR);
  peer_expect_end(peer);
}
