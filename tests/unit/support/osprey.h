#pragma once
/* What a compiled Osprey program does, in C: closure cells, Results, builtins that are called with checked errors.
 *
 * Handlers, which run on loop threads, write lines to a journal. The test's thread waits for the lines that it expects,
 * in order. Journal calls may be made on any thread, but only one thread may read. Every wait has a deadline, and fails
 * the running test when it passes.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "osp_ws.h"
#include "test.h"

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

/* Empties the journal. journal_setup is this as a setup function of CMocka's. */
void journal_clear(void);
int journal_setup(void **state);
__attribute__((format(printf, 1, 2))) void journal_write(const char *format, ...);
/* Waits for the next line, which must be this one. */
void journal_expect(const char *line);
/* Waits for a line at any place among the unread ones, and removes it. */
void journal_find(const char *line);
/* Waits for the next line. It is valid until the next call. */
const char *journal_next(void);
/* Returns the number of unread lines. */
size_t journal_left(void);

/* Allocates a closure cell with one word of context on the host's heap. The caller owns the reference. */
void *closure_new(void *code, void *context);
void *closure_context(void *cell);

void *result_success(void);
/* A NULL message makes an Err without a text. */
void *result_error(const char *message);

/* Handlers that succeed after writing "text:DATA", "TYPE:DATA", "open" and "close:CODE:REASON" to the journal. */
void *hear_text(void *cell, const char *text);
void *hear_message(void *cell, const struct osprey_connection *connection, const struct osprey_message *message);
void *hear_open(void *cell, const struct osprey_connection *connection);
void *hear_close(void *cell, const struct osprey_connection *connection, int64_t code, const char *reason);
/* Sends the message back unchanged. */
void *echo_message(void *cell, const struct osprey_connection *connection, const struct osprey_message *message);
/* An open handler that stores the connection's ID in latest_id. */
void *learn_id(void *cell, const struct osprey_connection *connection);

extern void *on_text[], *on_message[], *on_open[], *on_close[], *on_echo[], *on_learn_id[];
extern _Atomic int64_t latest_id;

/* Builtins that must succeed. */

int64_t must_connect(const char *url);
int64_t must_connect_with(const char *url, const struct osprey_options *options, void *handler);
int64_t must_create(int port, const char *path);
void must_listen(int64_t server);
/* Listens on a free port of 127.0.0.1, path "/chat". The server echoes, and writes opens and closes to the journal. */
int64_t must_serve(int *port);
int64_t must_serve_on(int port);
/* Listens on a free port, path "/", with limits given as name, value, …, NULL. Echoes, and writes closes. */
int64_t must_serve_with(int *port, ...);
/* The same with one handler, set by `set` (one of osp_ws_server_on_*), in place of those. */
int64_t must_handle(int *port, int64_t (*set)(int64_t id, void *handler, char **error), void *handler, ...);
/* Sets a handler, by one of the three osp_ws_server_on_* or osp_ws_on_close. */
void must_set(int64_t (*set)(int64_t id, void *handler, char **error), int64_t id, void *handler);
void must_stop(int64_t server);
void must_send(int64_t id, const char *text);
void must_close(int64_t id);
/* In a handler: broadcasts on another thread, then here, so that messages of this thread wait on its own loop. */
void fall_behind(int64_t server);
void must_limit(int64_t server, const char *limit, int64_t value);

/* A client's connect on a thread of its own, so that the test's thread can be the server. */
struct connecting {
  pthread_t thread;
  char url[128];
  const struct osprey_options *options; /* NULL: osp_ws_connect */
  void *handler;                        /* NULL: on_text */
  int64_t id;
  char *error;
};

/* Connects to ws://127.0.0.1, or to wss://127.0.0.1. `target` is the path and query. */
void connecting_start(struct connecting *connecting, int port, const char *target);
void connecting_start_secure(struct connecting *connecting, int port, const char *target);
/* Waits for the end of the connect. Returns the ID, or 0 after an error. */
int64_t connecting_join(struct connecting *connecting);

/* Check the error of a call, and release it. */
void expect_error(char *error, const char *sentence);
void expect_error_with(char *error, const char *part);
void expect_success(char *error);

/* Listens on a free port for handlers to connect to: they find it in handlers_port. */
int listen_for_handlers(void);
extern _Atomic int handlers_port;

/* Returns the milliseconds since a time of CLOCK_MONOTONIC. */
long elapsed_ms(const struct timespec *since);
/* Returns the number of descriptors that the process has open. */
int count_descriptors(void);
