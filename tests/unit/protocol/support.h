#pragma once
/* Support for the protocol's tests.
 *
 * Input is placed directly before an inaccessible page, so that reading past it crashes. The events of a session are
 * recorded as text and compared with the expected lines:
 *
 *   text 5 hello            a message: kind, size, and its bytes (NUL as ~), or a hash of more than 125
 *   ping 0 / pong 2 ab      a control frame
 *   close 1000 3 bye        a close frame
 *   fail 1002 a reserved bit is set
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/session.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Copies n bytes, at most 32 MiB, to the end of accessible memory. Overwrites the previous input. */
uint8_t *guard_place(const void *bytes, size_t n);

struct record {
  char log[16384];
  size_t size;
  bool pause; /* every event returns WS_SINK_PAUSE */
  size_t events;
  size_t stop_after; /* the number of the event that frees the session and stops; 0: none */
  struct ws_session *session;
};

extern const struct ws_session_sink record_sink;

/* Writes the line of an event, at most 200 bytes. Returns its size. */
size_t event_line(char *to, const char *what, const uint8_t *bytes, size_t n);

/* The parameters of a session. Zeroed: a server with limits of 1 MiB and 1000 fragments. */
struct setup {
  enum ws_role role;
  uint32_t max_message_bytes;
  uint32_t max_fragments;
  struct ws_deflate_params deflate;
};

/* How bytes are fed. */
struct way {
  size_t first;  /* size of the first piece */
  size_t step;   /* size of the other pieces */
  bool pause;    /* pause after each event */
  bool reserved; /* as the runtime: into ws_session_reserve's room, and whole messages by ws_session_feed_whole */
};

/* Feeds the bytes and records the events. */
void play(struct record *record, const struct setup *setup, const void *bytes, size_t n, struct way way);

/* Feeds the bytes whole, byte by byte and at every split into two (at some for long inputs), with and without pauses
 * and reserved room. Compares the events with `expected`. */
void check_play(const char *name, const struct setup *setup, const void *bytes, size_t n, const char *expected);

/* A frame to encode; masked if the receiver is a server. */
struct frame_spec {
  unsigned head; /* END_OF_FRAMES ends a list */
  const char *payload;
  size_t size; /* 0: strlen */
};

#define FIN 0x80u
#define RSV1 0x40u
#define CONT 0x00u
#define TEXT 0x01u
#define BIN 0x02u
#define CLOSE 0x88u
#define PING 0x89u
#define PONG 0x8Au
#define END_OF_FRAMES 0xFFFFu

/* Appends a frame that `receiver` accepts to *bytes, which is reallocated. */
void frame_append(uint8_t **bytes, size_t *n, enum ws_role receiver, unsigned head, const void *payload, size_t size);

/* Returns one frame of n bytes that inflates to `size` zeros. The caller frees it. */
uint8_t *bomb(enum ws_role receiver, size_t size, size_t *n);

/* Parses "81 05 48". Returns the number of bytes. */
size_t from_hex(uint8_t *to, const char *hex);

/* A reproducible sequence of pseudo-random numbers. */
uint32_t next_random(uint32_t *state);

uint32_t hash_bytes(const uint8_t *bytes, size_t n);
