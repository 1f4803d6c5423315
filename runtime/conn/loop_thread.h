#pragma once
/* The loop threads: one by default, OSPREY_WS_LOOPS of them (1 to 62) if that is set.
 *
 * They start with the first server or client and end with the program; their memory is never freed. The members of
 * struct ws_loop_thread belong to its own thread, except for those marked shared. A thread that is stuck in a handler
 * when the program ends is left running, with its memory.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "io/loop.h"
#include "io/timer.h"
#include "osprey/error.h"
#include "osprey/call.h"
#include "protocol/deflate.h"
#include "protocol/deflater.h"

enum { WS_LOOP_THREADS_MAX = 62, WS_LOOP_THREAD_RUNS = 40 };

/* The windows of messages that are compressed by themselves: two, so that a broadcast is compressed at most twice
 * whatever windows its receivers have. A receiver reads what a smaller window than its own has made. */
enum ws_window { WS_WINDOW_LARGE, WS_WINDOW_SMALL, WS_WINDOWS };

struct ws_conn;

/* A handler on the stack of a loop thread. */
struct ws_loop_thread_run {
  _Atomic(const char *) kind; /* shared; lives for ever */
  _Atomic int64_t id;         /* shared: of its connection or timer */
  struct ws_conn *conn;       /* NULL: a timer's */
  int64_t since_ms;           /* tally.h */
};

/* Connections that are awake (awake.h), the first of which the present look has not seen yet. */
struct ws_awake_queue {
  struct ws_queue queue;
  int count, unseen;
  int slept; /* how many, since memory was trimmed */
};

enum { WS_LOOP_ADDRESSES = 256 };

/* Connections whose input waits: those whose address had no other that waits, those that have sent little, and the
 * rest. Each kind has its time in a turn. */
enum ws_buffered { WS_BUFFERED_ALONE, WS_BUFFERED_LIGHT, WS_BUFFERED_HEAVY, WS_BUFFERED };

struct ws_loop_thread {
  struct ws_loop *loop;
  unsigned index;
  int nesting;             /* handlers on the stack that wait for a connect */
  int64_t nested_deadline; /* of the innermost of those connects, which is the earliest */
  int behind;              /* messages that it has posted to itself (server/server_broadcast.h) */
  _Atomic int connections; /* shared: all connections of this thread */
  _Atomic int handling;    /* shared: handlers on the stack */
  int ticking;             /* those of them that belong to timers, not to connections */
  _Atomic uint32_t calls;  /* shared: starts and returns of handlers */
  /* [1 .. handling]: the handlers on the stack, the outermost first; [0] stands for none. */
  struct ws_loop_thread_run runs[WS_LOOP_THREAD_RUNS];
  bool call_in_use; /* `call` belongs to a handler on the stack */
  struct ws_call call;
  struct ws_queue queued;    /* connections with output to write, or to be finished, at the end of the turn (turn.h) */
  struct ws_queue writing;   /* those of them with much to write (turn.c) */
  struct ws_queue ending;    /* those of them that have ended */
  struct ws_queue receivers; /* of broadcasts, with output to write at the end of the turn */
  bool receivers_wait;       /* some of them are left from an earlier turn (input.h) */
  struct ws_deferred end_of_turn;
  struct ws_queue buffered[WS_BUFFERED]; /* connections with buffered input, resumed at the end of the turn (input.h) */
  int buffered_count;                    /* in all of them */
  uint16_t buffered_of[WS_LOOP_ADDRESSES]; /* how many, by a hash of the address */
  int64_t work_left;                       /* of the connection that is being read (input.h) */
  bool work_ticked;                        /* its run ended because the clock did a step */
  int64_t work_until_ns;                   /* when it starts no further handler */
  int64_t spread;                          /* bytes of messages that were broadcast in this turn */
  int64_t work_caused;   /* by its broadcasts: to compress, to be written to receivers, to be taken by other threads */
  int64_t work_spread;   /* bytes of its broadcasts, whatever their number of receivers */
  int64_t delivery_work; /* what it costs it to queue a message of a broadcast for one receiver */
  struct ws_deferred resume;
  struct ws_timer resume_later; /* instead, while all of them wait for other loop threads */
  struct ws_queue shaking;      /* those that wait for a step of their TLS handshake, or with a late request (turn.c) */
  struct ws_deferred shake;
  struct ws_queue compressing; /* connections with unready output that can be written (compress_later.h) */
  struct ws_deferred compress;
  struct ws_awake_queue awake, awake_keeping; /* the latter keep buffers of TLS */
  struct ws_timer awake_timer;
  struct ws_list closes_waiting; /* close frames that wait for a sender on its way (end.h) */
  struct ws_list clients;        /* client connections of this thread */
  struct ws_list parked;         /* those that have ended, and whose IDs live on (client/stay.h) */
  int late;                      /* how many of these were not asked to dial again */
  /* Made on first use: for the connections that keep no compression context (compress.h). */
  struct ws_deflater *deflaters[WS_WINDOWS];
};

/* The work that connections do at the end of a turn, and once a second. */
struct ws_loop_thread_work {
  void (*end_of_turn)(struct ws_loop *loop, struct ws_deferred *work);
  void (*resume)(struct ws_loop *loop, struct ws_deferred *work);
  void (*resume_later)(struct ws_loop *loop, struct ws_timer *timer);
  void (*shake)(struct ws_loop *loop, struct ws_deferred *work);
  void (*compress)(struct ws_loop *loop, struct ws_deferred *work);
  void (*awake)(struct ws_loop *loop, struct ws_timer *timer);
};

/* Starts the threads unless they run. 0, or -1 with the error set. Any thread. */
int ws_loop_threads_start(const char *op, const struct ws_loop_thread_work *work, struct ws_error *error);

/* The number of loop threads, and the thread at an index. Any thread, after ws_loop_threads_start. */
unsigned ws_loop_threads_count(void);
struct ws_loop_thread *ws_loop_thread_at(unsigned index);

/* The calling loop thread; NULL on any other thread. */
struct ws_loop_thread *ws_loop_thread_current(void);

/* The thread for the next client: the caller's own if it is one, else each in turn. */
struct ws_loop_thread *ws_loop_thread_next(void);

/* Stops and joins the threads, whose connections have ended. Their memory stays, since other threads may still post to
 * them: what is posted from now on is not run. Returns false if one is stuck in a handler. Not on a loop thread. */
bool ws_loop_threads_end(void);

/* Stops and joins all but `here`, the caller. Returns false if one is stuck in a handler. */
bool ws_loop_threads_end_others(const struct ws_loop_thread *here);

/* The program is ending, or websocketKeepAlive stops its servers: no connect is started, a sleep ends at once, and
 * close handlers are given WS_END_OF_PROGRAM. Any thread. */
#define WS_END_OF_PROGRAM "the program is ending"
void ws_loop_threads_set_ending(bool ending);
bool ws_loop_threads_are_ending(void);

/* What one thread has seen of the handlers that run on the loop threads. Zeroed before the first use. */
struct ws_loop_thread_seen {
  int64_t since_ms; /* of ws_clock_ms */
  uint32_t calls;
  bool logged;
};

struct ws_loop_threads_seen {
  struct ws_loop_thread_seen thread[WS_LOOP_THREADS_MAX];
};

/* Returns true if a loop thread other than the caller was kept by one handler for `over_ms`, as far as earlier calls
 * with `seen` tell. */
bool ws_loop_threads_are_held(struct ws_loop_threads_seen *seen, int64_t over_ms);

/* Logs, once each, handlers that have run for over a second while something else waits for their thread. */
void ws_loop_threads_log_held(struct ws_loop_threads_seen *seen);

/* As ws_wait_until (io/wait.h), but gives up early if a loop thread is kept by one handler for WS_HELD_MS. */
enum { WS_HELD_MS = 5000 };
bool ws_loop_threads_wait(int64_t deadline_ms, bool (*ready)(void *context), void *context);

/* Counts work that the connection that is being read has caused: n bytes of a broadcast are to be written to each of
 * `count` receivers, or to be taken by other loop threads. Each costs as much as an event of input does. The run of the
 * connection ends as if it had sent the bytes itself: a byte of input may cause a long message. */
enum { WS_CAUSED_WORK = 256 };

/* With more than this spread over receivers in a turn, connections are read in the next turn. */
enum { WS_SPREAD = 1024 * 1024 };

static inline void ws_loop_thread_caused(struct ws_loop_thread *thread, size_t n, size_t count) {
  thread->work_caused += ((int64_t)n + WS_CAUSED_WORK) * (int64_t)count;
  thread->work_left -= count ? (int64_t)n : 0;
  thread->work_spread += count ? (int64_t)n : 0;
}

/* The innermost handler on the stack. */
static inline struct ws_loop_thread_run *ws_loop_thread_run(struct ws_loop_thread *thread) {
  return &thread->runs[atomic_load_explicit(&thread->handling, memory_order_relaxed)];
}

/* Bracket each handler that runs on the thread. */
void ws_loop_thread_handler_begins(struct ws_loop_thread *thread, const char *kind, int64_t id, struct ws_conn *conn);
void ws_loop_thread_handler_returns(struct ws_loop_thread *thread);

/* Lends the room for one call of a handler: the thread's own, or an allocated one where calls nest. NULL: no memory. */
struct ws_call *ws_loop_thread_call_acquire(struct ws_loop_thread *thread);
void ws_loop_thread_call_release(struct ws_loop_thread *thread, struct ws_call *call);
