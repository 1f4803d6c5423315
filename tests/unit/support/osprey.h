#pragma once
/* What a compiled Osprey program does, done in C: closure cells, Results, calls of builtins with their errors.
 *
 * Handlers write what they hear into a journal, as lines; a test waits for the lines it expects, in order.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "osp_ws.h"

struct osprey_connection {
  int64_t tag, id;
  const char *url;
  bool is_connected;
};

struct osprey_message {
  int64_t tag;
  const char *type, *data;
  int64_t timestamp;
};

struct osprey_options {
  int64_t tag;
  const char *headers, *protocols;
  bool compression;
  int64_t max_message_bytes, timeout_ms, keep_alive_ms;
};

/* ---- the journal */

void journal_clear(void);
__attribute__((format(printf, 1, 2))) void journal_write(const char *format, ...);
/* Waits for the next line and compares. */
void journal_expect(const char *line);
/* Waits for a line anywhere among those not yet read, and takes it out. */
void journal_find(const char *line);
/* The next line, as long as the next call; fails where there is none in time. */
const char *journal_next(void);
/* How many lines are there that were not read. */
size_t journal_left(void);

/* ---- closures */

/* A cell with one word of context, from the host's heap: one reference, the caller's. */
void *closure_new(void *code, void *context);
/* A constant cell that no allocator knows. */
#define CLOSURE(name, code) static void *name[] = {(void *)code}

void *closure_context(void *cell);

void *result_success(void);
void *result_error(const char *message);

/* Handlers that write "text:…", "<type>:<data>", "open", "close:<code>:<reason>" and succeed. */
void *hear_text(void *cell, const char *text);
void *hear_message(void *cell, const struct osprey_connection *connection, const struct osprey_message *message);
void *hear_open(void *cell, const struct osprey_connection *connection);
void *hear_close(void *cell, const struct osprey_connection *connection, int64_t code, const char *reason);
/* Sends the message back as it came. */
void *echo_message(void *cell, const struct osprey_connection *connection, const struct osprey_message *message);

extern void *on_text[], *on_message[], *on_open[], *on_close[], *on_echo[];

/* ---- builtins that must succeed */

int64_t must_connect(const char *url);
int64_t must_connect_with(const char *url, const struct osprey_options *options, void *handler);
int64_t must_create(int port, const char *path);
void must_listen(int64_t server);
/* A server on a free port of 127.0.0.1, path "/chat", that echoes, writes opens and closes, and listens. */
int64_t must_serve(int *port);
void must_stop(int64_t server);
void must_send(int64_t id, const char *text);
void must_close(int64_t id);
void must_limit(int64_t server, const char *limit, int64_t value);

/* Ends the expression's error check: the call must have failed with exactly this sentence, or one that holds it. */
void expect_error(char *error, const char *sentence);
void expect_error_with(char *error, const char *part);
void expect_success(char *error);

/* Waits until the condition holds. */
#define WAIT_UNTIL(condition)                                                                                          \
  do {                                                                                                                 \
    for (int tries_ = 0; !(condition); tries_++) {                                                                     \
      if (tries_ > 4000)                                                                                               \
        fail_msg("never true: %s", #condition);                                                                        \
      poll(NULL, 0, 2);                                                                                                \
    }                                                                                                                  \
  } while (0)
