/* What the protocol's tests share.
 *
 * Bytes are placed right before a page that may not be touched, so that reading one byte too far ends the test. A session's
 * events are written down as text, one line each, and compared with the line the case expects:
 *
 *   text 5 hello            a message: kind, size, and its bytes (NUL as ~), or their hash where there are over 125
 *   ping 0 / pong 2 ab      a control frame
 *   close 1000 bye          a close frame
 *   fail 1002 a reserved bit is set
 */
#pragma once

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

/* Copies n bytes to the end of memory; what was placed before is gone. At most 32 MiB. */
uint8_t *guard_place(const void *bytes, size_t n);

struct record {
  char log[16384];
  size_t size;
  bool pause; /* every event asks for a pause */
  size_t events;
  size_t stop_after; /* this event frees the session and stops; 0: none */
  struct ws_session *session;
};

extern const struct ws_session_sink record_sink;

/* Writes the line of an event, at most 200 bytes; returns its size. */
size_t event_line(char *to, const char *what, const uint8_t *bytes, size_t n);

/* How a session is set up; zeroes are a server's with caps of 1 MiB and 1000 fragments. */
struct setup {
  enum ws_role role;
  uint32_t max_message_bytes;
  uint32_t max_fragments;
  struct ws_deflate_params deflate;
};

struct way {
  size_t first;  /* size of the first piece */
  size_t step;   /* size of the others */
  bool pause;    /* pause after each event */
  bool reserved; /* receive into the message's own buffer where it is offered */
};

/* Feeds bytes in a way; the record holds what happened. */
void play(struct record *record, const struct setup *setup, const void *bytes, size_t n, struct way way);

/* Plays whole, byte by byte and at every split into two (of long inputs: at some), with and without pauses and reserved room, and compares
 * each with `expected`. */
void check_play(const char *name, const struct setup *setup, const void *bytes, size_t n, const char *expected);

/* A frame to be encoded for a role: masked where it goes to a server. */
struct frame_spec {
  unsigned head; /* 0 ends a list of frames: use END */
  const char *payload;
  size_t size; /* 0: up to the NUL */
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

/* Appends a frame that `receiver` accepts to bytes that malloc made. */
void frame_append(uint8_t **bytes, size_t *n, enum ws_role receiver, unsigned head, const void *payload, size_t size);

/* A message of `size` zeros, compressed as far as zlib goes, as one frame of n bytes. The caller frees it. */
uint8_t *bomb(enum ws_role receiver, size_t size, size_t *n);

/* The bytes of "81 05 48"; returns how many. */
size_t from_hex(uint8_t *to, const char *hex);

/* A reproducible sequence of pseudo-random numbers. */
uint32_t next_random(uint32_t *state);

uint32_t hash_bytes(const uint8_t *bytes, size_t n);
