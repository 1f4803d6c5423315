#pragma once
/* A WebSocket peer that shares no code with the runtime: blocking sockets, frames read and written byte by byte.
 *
 * A peer is a client or a server, over TCP or TLS. Every wait has a deadline. A failure or a passed deadline fails the
 * running test, except on a tolerant peer: there a read reports the end of the stream and a write is lost. Only
 * tolerant peers may be used outside CMocka's thread or in a forked process.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_identity;

enum { PEER_PAYLOAD_MAX = 4 * 1024 * 1024 };

/* Header lines of a client's handshake, for requests written by hand. */
#define PEER_KEY_LINE "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define PEER_VERSION_LINE "Sec-WebSocket-Version: 13\r\n"
#define PEER_UPGRADE_LINES "Upgrade: websocket\r\nConnection: Upgrade\r\n"
/* All of a request that a server on localhost admits, except the empty line. */
#define PEER_REQUEST(target)                                                                                           \
  "GET " target " HTTP/1.1\r\nHost: localhost\r\n" PEER_UPGRADE_LINES PEER_KEY_LINE PEER_VERSION_LINE

struct peer_frame {
  uint8_t head; /* FIN, RSV and opcode */
  bool masked;
  size_t size;
  uint8_t *payload; /* unmasked and NUL-terminated; valid until the peer's next read */
};

struct peer {
  int fd;
  bool tolerant;
  struct ssl_st *ssl; /* NULL: plain TCP */
  struct peer_frame frame;
};

/* Returns a port of loopback that is free at this moment. */
int peer_free_port(void);

/* Listens on a free port of 127.0.0.1 and sets *port. */
int peer_listen(int *port);
struct peer peer_accept(int listener);
/* Returns a tolerant peer, whose fd is -1 if the accept fails. */
struct peer peer_accept_tolerant(int listener);

/* Connects to 127.0.0.1, or to ::1. */
struct peer peer_connect(int port);
struct peer peer_connect6(int port);
struct peer peer_connect_tolerant(int port);
/* Shakes hands over TLS: as a server with this identity, or if that is NULL as a client that verifies nothing. */
void peer_start_tls(struct peer *peer, const struct tls_identity *identity);
void peer_close(struct peer *peer);
/* Closes with a reset. */
void peer_reset(struct peer *peer);

void peer_send(struct peer *peer, const void *bytes, size_t n);
void peer_send_text(struct peer *peer, const char *text);
/* Reads up to n bytes. Returns 0 at the end of the stream and -1 after a reset. */
long peer_receive(struct peer *peer, void *bytes, size_t n);
/* Reads up to the empty line, and NUL-terminates. Returns false at the end of the stream, if the peer is tolerant. */
bool peer_read_head(struct peer *peer, char *head, size_t room);
/* Reads up to the end of the stream, and NUL-terminates. Returns the size. */
size_t peer_read_all(struct peer *peer, char *bytes, size_t room);
/* Waits until the other end, a process of this machine, has read all that was sent over IPv4. */
void peer_await_reading(struct peer *peer);
/* Waits until all that was sent can be read by the other end. */
void peer_await_delivery(struct peer *peer);
/* Waits for `ms`. Returns false if something arrives. */
bool peer_is_silent(struct peer *peer, int ms);

/* Sends a client's handshake, with further header lines, each ending in CR LF. */
void peer_request(struct peer *peer, int port, const char *target, const char *headers);
/* Does a client's handshake, which must be answered with 101. */
void peer_shake(struct peer *peer, int port, const char *target, const char *headers);
/* Connects, and does a client's handshake. */
struct peer peer_open(int port, const char *target);
/* Does a client's handshake on a connection of its own. Returns the status of the answer, or 0: there was none. */
int peer_status(int port, const char *target, const char *headers);
/* Reads a client's handshake into `head`, and answers it with 101 and further header lines. */
void peer_answer(struct peer *peer, char *head, size_t room, const char *headers);
/* Computes the Sec-WebSocket-Accept for the key in a request (RFC 6455, 4.2.2). */
void peer_accept_key(const char *request, char accept[static 32]);

/* Sends a frame, masked as a client's. */
void peer_send_frame(struct peer *peer, uint8_t head, const void *payload, size_t n);
/* Sends a frame without a mask, as a server's. */
void peer_send_plain(struct peer *peer, uint8_t head, const void *payload, size_t n);
/* Sends a text message, masked. */
void peer_send_message(struct peer *peer, const char *text);

/* Returns false at the end of the stream. */
bool peer_read_frame(struct peer *peer);
/* Reads a frame, which must have this head. */
void peer_expect_frame(struct peer *peer, uint8_t head);
/* Skips pings; the next frame must be this text message. */
void peer_expect_text(struct peer *peer, const char *text);
/* Skips frames up to a close frame, which must have this code (0: none), answers it, and reads up to the end. */
void peer_expect_close(struct peer *peer, int code);
/* Skips frames up to a close frame. Returns its code, or 0, and copies its reason unless `reason` is NULL. */
int peer_read_close(struct peer *peer, char *reason, size_t room);
/* Reads up to the end of the stream. */
void peer_expect_end(struct peer *peer);
