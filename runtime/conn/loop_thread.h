#pragma once
/* The loop threads: one by default, OSPREY_WS_LOOPS of them where that is set (1 to 62).
 *
 * They are started with the first server or connection and end with the program. A worker's members are its own thread's,
 * those marked apart.
 *
 * A thread that is stuck in a handler at the end of the program is left alone, with its memory.
 */
#include <stdbool.h>
#include <stdint.h>

#include "osprey/error.h"
#include "io/loop.h"
#include "protocol/deflate.h"
#include "osprey/value.h"

struct ws_conn;
struct ws_client;

enum { WS_LOOP_THREADS_MAX = 62 };

struct ws_loop_thread {
  struct ws_loop *loop;
  unsigned index;
  int nesting;             /* handlers on the stack that wait for their connect */
  _Atomic int connections; /* all there are; shared */
  int handling;            /* those with a handler on the stack */
  int finishing;           /* those whose close handler is on the stack, within the innermost turn */
  int64_t patience_ms;     /* the deadline of the innermost of those that wait, which is their earliest */
  bool ending;             /* the program's end: nothing new is begun */
  bool call_taken;         /* `call` is in use by a handler on the stack */
  struct ws_call call;
  struct ws_conn *dirty; /* connections with output to be written at the end of the turn */
  struct ws_deferred flush;
  struct ws_conn *unread; /* connections that have had their turn, with input left that no event announces */
  struct ws_conn **unread_end;
  int unread_count;
  struct ws_deferred read_on;
  struct ws_client *clients; /* every client connection of this thread, list by client->next */
  /* By window bits, made when first needed: compress for the connections that keep no context of their own. */
  struct ws_deflater *deflaters[WS_DEFLATE_BITS_MAX + 1];
};

/* Starts the workers if they are not. 0, or -1 with the error set. Any thread. */
int ws_loop_threads_start(const char *op, struct ws_error *error);

/* How many there are; the one of an index. After ws_loop_threads_start, any thread. */
unsigned ws_loop_threads_count(void);
struct ws_loop_thread *ws_loop_thread_at(unsigned index);

/* The worker whose thread calls, or NULL on any other thread. */
struct ws_loop_thread *ws_loop_thread_current(void);

/* The worker for the next client connection: the caller's own if it is one, else each in turn. */
struct ws_loop_thread *ws_loop_thread_next(void);

/* Stops and frees the workers, whose connections have ended. False: one of them is stuck in a handler, nothing is freed. Not
 * on a loop thread. */
bool ws_loop_threads_end(void);

/* Stops and joins the others than `here`, whose thread calls. False: one of them is stuck in a handler. */
bool ws_loop_threads_end_others(const struct ws_loop_thread *here);

/* The room for one call of a handler: the worker's own, or where calls nest, another. NULL: no memory. */
struct ws_call *ws_loop_thread_call_acquire(struct ws_loop_thread *thread);
void ws_loop_thread_call_release(struct ws_loop_thread *thread, struct ws_call *call);
