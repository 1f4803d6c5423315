#include "server_broadcast.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cluster_ops.h"
#include "conn/broadcast.h"
#include "conn/handle.h"
#include "conn/send.h"
#include "io/wait.h"

/* A message, and who gets it. */
struct ws_server_message {
  struct ws_broadcast broadcast;
  struct ws_topic *topic; /* a reference; NULL: every connection */
  uint64_t number;
  int64_t except;
  const char *name; /* of the topic, for the cluster; borrowed for the call */
  bool nobody;      /* the topic has no subscribers in this process */
  bool foreign;     /* it comes from the cluster */
};

struct ws_server_broadcast_task {
  struct ws_task task;
  struct ws_server_share *share; /* its server is pinned */
  struct ws_server_message message;
  _Atomic size_t *ahead; /* of its sender */
  bool own;              /* the loop thread itself posted it */
};

/* What a posted broadcast holds until its loop thread has run it; the allocator's own part is a guess. */
static size_t ws_server_broadcast_held(const struct ws_broadcast *broadcast) {
  enum { ALLOCATOR = 32 };
  return sizeof(struct ws_server_broadcast_task) + sizeof(struct ws_chunk) + ALLOCATOR + broadcast->frame->size;
}

/* What the calling thread has posted, and that waits: each loop by itself, so that one flood is not the Err of all. */
static _Atomic size_t *ws_server_broadcast_ahead(struct ws_server *server) {
  const struct ws_loop_thread *here = ws_loop_thread_current();
  return here ? &server->shares[here->index].group.ahead : &server->broadcasting;
}

/* ---- on a loop thread */

/* A walk over all connections of a share that a broadcast reaches. */
struct ws_server_broadcast_walk {
  struct ws_list_node *next;
  bool posted;
};

static struct ws_conn *ws_server_broadcast_next(void *context) {
  struct ws_server_broadcast_walk *walk = context;
  while (walk->next) {
    struct ws_conn *conn = ws_conn_of_member(walk->next);
    walk->next = walk->next->next;
    if (ws_broadcast_reaches(conn, walk->posted))
      return conn;
  }
  return NULL;
}

static void ws_server_broadcast_deliver(struct ws_server_share *share, const struct ws_server_message *message,
                                        bool posted) {
  struct ws_server_broadcast_walk all = {share->connections.first, posted};
  struct ws_topics_walk walk;
  if (!message->topic) {
    ws_broadcast_send(&message->broadcast, ws_server_broadcast_next, &all);
    return;
  }
  ws_topics_walk_begin(&walk, message->topic, share->group.thread->index, message->number, message->except, posted);
  ws_broadcast_send(&message->broadcast, ws_topics_walk_next, &walk);
}

/* NULL has no effect. */
static void ws_server_broadcast_unref(struct ws_server *server, struct ws_topic *topic) {
  if (!topic)
    return;
  pthread_mutex_lock(&server->topics.lock);
  ws_topics_unref(&server->topics, topic);
  pthread_mutex_unlock(&server->topics.lock);
}

static void ws_server_broadcast_run(struct ws_loop *loop, struct ws_task *task) {
  struct ws_server_broadcast_task *work = ws_container_of(task, struct ws_server_broadcast_task, task);
  struct ws_server_share *share = work->share;
  struct ws_server *server = share->server;
  (void)loop;
  ws_server_broadcast_deliver(share, &work->message, true);
  atomic_fetch_sub(&share->group.broadcasts, 1);
  if (work->own)
    share->group.thread->behind--;
  ws_server_broadcast_unref(server, work->message.topic);
  atomic_fetch_sub(work->ahead, ws_server_broadcast_held(&work->message.broadcast));
  ws_chunk_unref(work->message.broadcast.frame);
  ws_mem_free(work);
  ws_server_unpin(server);
  ws_wait_notify();
}

/* ---- to the loop threads; the lock of the topics is held */

/* Returns true if the message can reach the share's connections at once. */
static bool ws_server_broadcast_is_next(const struct ws_server_share *share) {
  const struct ws_loop_thread *here = ws_loop_thread_current();
  return share->group.thread == here && !here->behind && atomic_load(&share->group.broadcasts) == 0;
}

/* Makes the tasks of all shares with receivers but those that are next. 0, or -1: no memory, nothing is left. */
static int ws_server_broadcast_prepare(struct ws_server *server, const struct ws_server_message *message,
                                       struct ws_task **tasks) {
  *tasks = NULL;
  for (unsigned i = 0; i < server->share_count; i++) {
    struct ws_server_share *share = &server->shares[i];
    if (ws_server_broadcast_is_next(share) || (message->topic && !ws_topics_is_on(message->topic, i)))
      continue;
    struct ws_server_broadcast_task *work = ws_mem_alloc(sizeof *work);
    if (!work) {
      while (*tasks) {
        work = ws_container_of(*tasks, struct ws_server_broadcast_task, task);
        *tasks = work->task.next;
        ws_mem_free(work);
      }
      return -1;
    }
    *work = (struct ws_server_broadcast_task){
        .task = {.next = *tasks, .run = ws_server_broadcast_run},
        .share = share,
        .message = *message,
        .ahead = ws_server_broadcast_ahead(server),
        .own = share->group.thread == ws_loop_thread_current(),
    };
    *tasks = &work->task;
  }
  return 0;
}

static void ws_server_broadcast_post(struct ws_server_broadcast_task *work) {
  struct ws_server_share *share = work->share;
  atomic_fetch_add(&share->group.broadcasts, 1);
  if (work->own)
    share->group.thread->behind++;
  if (work->message.topic)
    ws_topics_ref(work->message.topic);
  ws_chunk_ref(work->message.broadcast.frame);
  ws_handle_pin_again(share->server->id);
  size_t held = ws_server_broadcast_held(&work->message.broadcast);
  atomic_fetch_add(work->ahead, held);
  if (ws_loop_thread_current())
    ws_loop_thread_caused(ws_loop_thread_current(), held, 1);
  ws_loop_post(share->group.thread->loop, &work->task);
}

/* Numbers the message and posts it. *next: the share that it can reach at once; NULL: none. */
static int ws_server_broadcast_post_all(struct ws_server *server, struct ws_server_message *message,
                                        struct ws_server_share **next) {
  struct ws_loop_thread *here = ws_loop_thread_current();
  struct ws_task *tasks;
  *next = here && ws_server_broadcast_is_next(&server->shares[here->index]) ? &server->shares[here->index] : NULL;
  message->number = ++server->topics.published;
  if (ws_server_broadcast_prepare(server, message, &tasks))
    return -1;
  while (tasks) {
    struct ws_task *task = tasks;
    tasks = task->next;
    ws_server_broadcast_post(ws_container_of(task, struct ws_server_broadcast_task, task));
  }
  return 0;
}

/* ---- the builtins */

/* Returns true if the loop threads keep up with what the caller has sent so far, or waiting is pointless. */
static bool ws_server_broadcast_has_room(void *context) {
  struct ws_server *server = context;
  return atomic_load(ws_server_broadcast_ahead(server)) < (size_t)server->rules.limits.max_queued_bytes ||
         ws_server_state(server) != WS_SERVER_LISTENING;
}

static int ws_server_broadcast_check(struct ws_server *server, struct ws_outgoing *out, const char *op,
                                     const char *message, struct ws_error *error) {
  if (ws_server_state(server) == WS_SERVER_CREATED)
    ws_error_not_listening(error, op, server->id);
  else if (ws_server_state(server) == WS_SERVER_STOPPED)
    ws_error_stopped(error, op, server->id);
  else if (ws_outgoing_text(out, op, message, error) == 0 && out->size > (size_t)server->rules.limits.max_queued_bytes)
    ws_error_too_big(error, op, out->size, (size_t)server->rules.limits.max_queued_bytes);
  return ws_error_is_set(error) ? -1 : 0;
}

static int ws_server_broadcast_await_room(struct ws_server *server, const char *op, struct ws_error *error) {
  bool room = ws_server_broadcast_has_room(server);
  if (server->topics.cluster && !ws_loop_thread_current())
    server->topics.cluster->ops->await_room(server->topics.cluster);
  if (!room && !ws_loop_thread_current())
    room = ws_wait_until(ws_clock_ms() + WS_SEND_TIMEOUT_MS, ws_server_broadcast_has_room, server);
  if (!room)
    ws_error_broadcasts_pending(error, op, server->id);
  return room ? 0 : -1;
}

/* Hands the message to the loop threads, then to the cluster. The lock is held. 0, or -1: no memory, and nothing is
 * left. */
static int ws_server_broadcast_hand_out(struct ws_server *server, struct ws_server_message *message,
                                        struct ws_server_share **next, enum ws_cluster_outcome *elsewhere) {
  struct ws_cluster *cluster = message->foreign ? NULL : server->topics.cluster;
  *next = NULL;
  if (!message->nobody && ws_server_broadcast_post_all(server, message, next))
    return -1;
  if (cluster)
    *elsewhere = cluster->ops->publish(cluster, message->name, &message->broadcast);
  return 0;
}

/* Sends the message to the receivers of this process, and of the others. 0, or -1 with the error set. */
static int ws_server_broadcast_send_frame(struct ws_server *server, struct ws_server_message *message, const char *op,
                                          struct ws_error *error) {
  struct ws_server_share *next;
  enum ws_cluster_outcome elsewhere = WS_CLUSTER_TAKEN;
  pthread_mutex_lock(&server->topics.lock);
  bool stopped = ws_server_state(server) == WS_SERVER_STOPPED;
  int outcome = stopped ? -1 : ws_server_broadcast_hand_out(server, message, &next, &elsewhere);
  pthread_mutex_unlock(&server->topics.lock);
  if (stopped)
    ws_error_stopped(error, op, server->id);
  else if (outcome || elsewhere == WS_CLUSTER_NO_MEMORY)
    ws_error_memory(error, op);
  else if (elsewhere == WS_CLUSTER_FULL)
    ws_error_cluster_full(error, op, server->id, server->rules.limits.max_cluster_queued_bytes);
  if (outcome == 0 && next)
    ws_server_broadcast_deliver(next, message, false);
  return ws_error_is_set(error) ? -1 : 0;
}

static int ws_server_broadcast_send(struct ws_server *server, struct ws_server_message *message,
                                    const struct ws_outgoing *out, struct ws_error *error) {
  if (ws_server_broadcast_await_room(server, out->op, error))
    return -1;
  if (ws_broadcast_init(&message->broadcast, out, &server->budget.held)) {
    ws_error_memory(error, out->op);
    return -1;
  }
  int outcome = ws_server_broadcast_send_frame(server, message, out->op, error);
  ws_chunk_unref(message->broadcast.frame);
  return outcome;
}

int ws_server_broadcast(struct ws_server *server, const char *message, struct ws_error *error) {
  struct ws_outgoing out;
  struct ws_server_message to_all = {0};
  if (ws_server_broadcast_check(server, &out, "broadcast", message, error))
    return -1;
  return ws_server_broadcast_send(server, &to_all, &out, error);
}

int ws_server_broadcast_to_topic(struct ws_server *server, const char *op, const char *topic, const char *message,
                                 int64_t except, struct ws_error *error) {
  struct ws_outgoing out;
  struct ws_server_message published = {.except = except, .name = topic};
  if (ws_server_broadcast_check(server, &out, op, message, error))
    return -1;
  published.topic = ws_topics_get(&server->topics, topic);
  published.nobody = !published.topic;
  if (published.nobody && !server->topics.cluster)
    return 0;
  int outcome = ws_server_broadcast_send(server, &published, &out, error);
  ws_server_broadcast_unref(server, published.topic);
  return outcome;
}

bool ws_server_broadcast_foreign(struct ws_server *server, const char *topic, const uint8_t *text, size_t size) {
  const struct ws_outgoing out = {
      .op = "cluster", .text = (const char *)text, .size = size, .opcode = WS_OPCODE_TEXT, .plain = true};
  struct ws_server_message message = {.foreign = true};
  struct ws_error ignored;
  ws_error_clear(&ignored);
  if (ws_server_state(server) != WS_SERVER_LISTENING)
    return true;
  message.topic = topic ? ws_topics_get(&server->topics, topic) : NULL;
  if (topic && !message.topic)
    return true;
  int outcome = ws_server_broadcast_send(server, &message, &out, &ignored);
  ws_server_broadcast_unref(server, message.topic);
  return outcome == 0;
}
