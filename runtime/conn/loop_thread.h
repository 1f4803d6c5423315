#pragma once
/* The loop threads: one by default, OSPREY_WS_LOOPS of them (1 to 62) if that is set.
 *
 * They start with the first server or client and end with the program. The members of struct ws_loop_thread belong to
 * its own thread, except for those marked shared. A thread that is stuck in a handler when the program ends is left
 * running, with its memory.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "io/loop.h"
#include "osprey/error.h"
#include "osprey/call.h"
#include "protocol/deflate.h"
#include "protocol/deflater.h"

enum { WS_LOOP_THREADS_MAX = 62 };

struct ws_loop_thread {
  struct ws_loop *loop;
  unsigned index;
  int nesting;             /* handlers on the stack that wait for a connect */
  int64_t nested_deadline; /* of the innermost of those connects, which is the earliest */
  _Atomic int connections; /* shared: all connections of this thread */
  int handling;            /* connections with a handler on the stack */
  bool ending;             /* the program ends: nothing new is started */
  bool call_in_use;        /* `call` belongs to a handler on the stack */
  struct ws_call call;
  struct ws_queue queued; /* connections with output to write, or to be finished, at the end of the turn (turn.h) */
  struct ws_deferred end_of_turn;
  struct ws_queue buffered; /* connections with buffered TLS input, resumed at the end of the turn (input.h) */
  int buffered_count;
  struct ws_deferred resume;
  struct ws_list clients; /* client connections of this thread */
  /* By window bits, made on first use: for the connections that keep no compression context. */
  struct ws_deflater *deflaters[WS_DEFLATE_BITS_MAX + 1];
};

/* The work that connections do at the end of a turn. */
struct ws_loop_thread_work {
  void (*end_of_turn)(struct ws_loop *loop, struct ws_deferred *work);
  void (*resume)(struct ws_loop *loop, struct ws_deferred *work);
};

/* Starts the threads unless they run. 0, or -1 with the error set. Any thread. */
int ws_loop_threads_start(const char *op, const struct ws_loop_thread_work *work, struct ws_error *error);

/* Their number, and the one of an index. Any thread, after ws_loop_threads_start. */
unsigned ws_loop_threads_count(void);
struct ws_loop_thread *ws_loop_thread_at(unsigned index);

/* The calling loop thread; NULL on any other thread. */
struct ws_loop_thread *ws_loop_thread_current(void);

/* The thread for the next client: the caller's own if it is one, else each in turn. */
struct ws_loop_thread *ws_loop_thread_next(void);

/* Stops and frees the threads, whose connections have ended. Returns false, and frees nothing, if one is stuck in a
 * handler. Not on a loop thread. */
bool ws_loop_threads_end(void);

/* Stops and joins all but `here`, the caller. Returns false if one is stuck in a handler. */
bool ws_loop_threads_end_others(const struct ws_loop_thread *here);

/* Lends the room for one call of a handler: the thread's own, or an allocated one where calls nest. NULL: no memory. */
struct ws_call *ws_loop_thread_call_acquire(struct ws_loop_thread *thread);
void ws_loop_thread_call_release(struct ws_loop_thread *thread, struct ws_call *call);
