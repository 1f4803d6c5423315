#include "awake.h"

#include "base/mem.h"
#include "base/path.h"
#include "held.h"
#include "io/sys.h"
#include "osprey/roots.h"

/* A look at many is taken in steps: the connections of one, and the milliseconds between two. */
enum { WS_AWAKE_STEP = 256, WS_AWAKE_STEP_MS = 20 };

/* The allocator keeps what they give up. When so many fell asleep, it is told to give it up too. */
enum { WS_AWAKE_TRIM = 4096 };

static void ws_awake_add(struct ws_awake_queue *queue, struct ws_awake *awake) {
  ws_queue_add(&queue->queue, &awake->node);
  queue->count++;
}

/* Returns false if the connection is in use: a handler has its record, or a part of a record of TLS waits. */
static bool ws_awake_sleeps(struct ws_awake *awake) {
  struct ws_conn *conn = awake->conn;
  if (conn && (conn->handling || (conn->keeps_buffers && !ws_stream_keep_buffers(&conn->stream, false))))
    return false;
  ws_roots_drop(awake->record);
  ws_mem_free(awake);
  if (!conn)
    return true;
  conn->awake = NULL;
  if (conn->keeps_buffers) {
    conn->keeps_buffers = false;
    ws_held_slept(conn);
  }
  return true;
}

/* Looks at the first of the queue: it sleeps, or goes to the end. */
static void ws_awake_next(struct ws_awake_queue *queue, const struct ws_loop *loop) {
  struct ws_awake *awake = ws_container_of(ws_queue_pop(&queue->queue), struct ws_awake, node);
  queue->count--;
  queue->unseen -= queue->unseen > 0;
  bool used = awake->conn && ws_activity_silent(&awake->conn->activity, loop) < WS_AWAKE_MS;
  if (used || !ws_awake_sleeps(awake))
    ws_awake_add(queue, awake);
  else
    queue->slept++;
}

void ws_awake_end(struct ws_conn *conn) {
  struct ws_awake *awake = conn->awake;
  if (!awake)
    return;
  ws_roots_drop(awake->record);
  awake->record = NULL;
  awake->conn = NULL;
  conn->awake = NULL;
}

/* Takes the root of a record, in place of the one that the connection may have. Returns false if out of memory. */
static bool ws_awake_begin(struct ws_conn *conn, void **record) {
  struct ws_loop_thread *thread = conn->group->thread;
  if (conn->awake) {
    ws_roots_drop(conn->awake->record);
    conn->awake->record = record;
    return true;
  }
  conn->awake = ws_mem_alloc(sizeof *conn->awake);
  if (!conn->awake)
    return false;
  *conn->awake = (struct ws_awake){.conn = conn, .record = record};
  conn->keeps_buffers = ws_stream_is_secure(&conn->stream) && thread->awake_keeping.count < WS_AWAKE_KEEPING;
  if (conn->keeps_buffers)
    ws_stream_keep_buffers(&conn->stream, true);
  ws_awake_add(conn->keeps_buffers ? &thread->awake_keeping : &thread->awake, conn->awake);
  if (!ws_timer_armed(&thread->awake_timer))
    ws_timer_arm(thread->loop, &thread->awake_timer, ws_loop_now(thread->loop) + WS_AWAKE_MS);
  return true;
}

WS_ASIDE static void *ws_awake_make_record(struct ws_conn *conn) {
  void **root = ws_roots_acquire();
  void *record = root ? ws_conn_new_record(conn) : NULL;
  if (root)
    *root = record;
  if (record && ws_awake_begin(conn, root))
    return record;
  if (record)
    ws_roots_drop(root);
  else
    ws_roots_release(root);
  ws_awake_end(conn);
  return NULL;
}

void *ws_awake_record(struct ws_conn *conn) {
  void *record = conn->awake ? *conn->awake->record : NULL;
  if (record && ws_value_is_connected(record) == (ws_conn_state(conn) == WS_CONN_OPEN))
    return record;
  return ws_awake_make_record(conn);
}

static void ws_awake_trim(struct ws_loop_thread *thread) {
  if (thread->awake.slept + thread->awake_keeping.slept < WS_AWAKE_TRIM)
    return;
  thread->awake.slept = thread->awake_keeping.slept = 0;
  ws_sys_trim_memory();
}

void ws_awake_look(struct ws_loop *loop, struct ws_timer *timer) {
  struct ws_loop_thread *thread = ws_container_of(timer, struct ws_loop_thread, awake_timer);
  struct ws_awake_queue *queues[] = {&thread->awake, &thread->awake_keeping};
  int most = WS_AWAKE_STEP, left = 0, unseen = 0;
  for (int i = 0; i < 2; i++) {
    struct ws_awake_queue *queue = queues[i];
    for (; queue->unseen > 0 && most > 0; most--)
      ws_awake_next(queue, loop);
    unseen += queue->unseen;
    left += queue->count;
  }
  if (unseen == 0) {
    ws_awake_trim(thread);
    thread->awake.unseen = thread->awake.count;
    thread->awake_keeping.unseen = thread->awake_keeping.count;
  }
  if (left > 0)
    ws_timer_arm(loop, timer, ws_loop_now(loop) + (unseen > 0 ? WS_AWAKE_STEP_MS : WS_AWAKE_MS));
}
