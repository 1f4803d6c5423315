#pragma once
/* A WebSocket peer of the tests' own: blocking sockets, frames written and read byte by byte, nothing of the runtime.
 *
 * Everything fails the running test where it cannot do what it says within a few seconds.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PEER_PAYLOAD_MAX = 4 * 1024 * 1024 };

struct peer_frame {
  uint8_t head; /* FIN | RSV | opcode */
  bool masked;
  size_t size;
  uint8_t *payload; /* unmasked; NUL behind it; valid until the next read of this peer */
};

struct peer {
  int fd;
  struct peer_frame frame;
};

/* A port of loopback that is free at this moment. */
int peer_free_port(void);

/* A listening socket on a free port of 127.0.0.1; *port is set. */
int peer_listen(int *port);
/* Accepts one connection. */
struct peer peer_accept(int listener);

/* Connects to 127.0.0.1 (or ::1). */
struct peer peer_connect(int port);
struct peer peer_connect6(int port);
void peer_close(struct peer *peer);
/* Closes so that the other end is reset. */
void peer_reset(struct peer *peer);

void peer_send(struct peer *peer, const void *bytes, size_t n);
void peer_send_text(struct peer *peer, const char *text);
/* Reads up to n bytes at once: 0 at the end, -1 where it was reset. */
long peer_receive(struct peer *peer, void *bytes, size_t n);
/* Reads until the empty line; NUL-terminated. */
void peer_read_head(struct peer *peer, char *head, size_t room);
/* Everything until the end of the stream. */
size_t peer_read_all(struct peer *peer, char *bytes, size_t room);
/* Nothing comes for this long. */
bool peer_is_silent(struct peer *peer, int ms);

/* The client's handshake; fails the test unless it is answered 101. Further header lines end in CR LF each. */
void peer_shake(struct peer *peer, int port, const char *target, const char *headers);
struct peer peer_open(int port, const char *target);
/* The status with which a handshake is answered; `headers` replaces nothing but is added. */
int peer_status(int port, const char *target, const char *headers);
/* The server's handshake: reads the request into `head` and answers 101, with further header lines. */
void peer_answer(struct peer *peer, char *head, size_t room, const char *headers);

/* One frame, masked as a client's. */
void peer_send_frame(struct peer *peer, uint8_t head, const void *payload, size_t n);
/* One frame, not masked. */
void peer_send_plain(struct peer *peer, uint8_t head, const void *payload, size_t n);
void peer_send_message(struct peer *peer, const char *text);

/* Reads a frame. False: the stream ended. */
bool peer_read_frame(struct peer *peer);
/* The next frame that is no ping: a whole text of this content. */
void peer_expect_text(struct peer *peer, const char *text);
/* A close frame with this code (0: none), then, after it is answered (masked for a server's peer), the end of the stream. */
void peer_expect_close(struct peer *peer, int code);
/* A close frame, not answered. */
int peer_read_close(struct peer *peer, char *reason, size_t room);
/* The stream ends. */
void peer_expect_end(struct peer *peer);
