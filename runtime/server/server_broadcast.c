#include "server_broadcast.h"

#include "base/clock.h"
#include "base/mem.h"
#include "conn/broadcast.h"
#include "conn/handle.h"
#include "conn/send.h"
#include "io/wait.h"

struct ws_server_broadcast_task {
  struct ws_task task;
  struct ws_server_share *share; /* its server is pinned */
  struct ws_broadcast broadcast;
};

/* What a posted broadcast holds until its loop thread has run it; the allocator's own part is a guess. */
static size_t ws_server_broadcast_held(const struct ws_broadcast *broadcast) {
  enum { ALLOCATOR = 32 };
  return sizeof(struct ws_server_broadcast_task) + sizeof(struct ws_chunk) + ALLOCATOR + broadcast->frame->size;
}

static void ws_server_broadcast_run(struct ws_loop *loop, struct ws_task *task) {
  struct ws_server_broadcast_task *work = ws_container_of(task, struct ws_server_broadcast_task, task);
  struct ws_server *server = work->share->server;
  (void)loop;
  ws_broadcast_send(&work->broadcast, &work->share->connections, true);
  atomic_fetch_sub(&work->share->group.broadcasts, 1);
  atomic_fetch_sub(&server->broadcasting, ws_server_broadcast_held(&work->broadcast));
  ws_chunk_unref(work->broadcast.frame);
  ws_mem_free(work);
  ws_server_unpin(server);
  ws_wait_notify();
}

static int ws_server_broadcast_post(struct ws_server_share *share, const struct ws_broadcast *broadcast) {
  struct ws_server_broadcast_task *work = ws_mem_alloc(sizeof *work);
  if (!work)
    return -1;
  *work =
      (struct ws_server_broadcast_task){.task.run = ws_server_broadcast_run, .share = share, .broadcast = *broadcast};
  ws_chunk_ref(broadcast->frame);
  ws_handle_pin_again(share->server->id);
  atomic_fetch_add(&share->server->broadcasting, ws_server_broadcast_held(broadcast));
  atomic_fetch_add(&share->group.broadcasts, 1);
  ws_loop_post(share->group.thread->loop, &work->task);
  return 0;
}

/* Returns true if the loop threads keep up with the broadcasts so far, or waiting is pointless. */
static bool ws_server_broadcast_has_room(void *context) {
  struct ws_server *server = context;
  return atomic_load(&server->broadcasting) < (size_t)server->rules.limits.max_queued_bytes ||
         ws_server_state(server) != WS_SERVER_LISTENING;
}

static int ws_server_broadcast_check(struct ws_server *server, const struct ws_outgoing *out, struct ws_error *error) {
  if (out->size > (size_t)server->rules.limits.max_queued_bytes) {
    ws_error_too_big(error, out->op, out->size, (size_t)server->rules.limits.max_queued_bytes);
    return -1;
  }
  bool room = ws_server_broadcast_has_room(server);
  if (!room && !ws_loop_thread_current())
    room = ws_wait_until(ws_clock_ms() + WS_SEND_TIMEOUT_MS, ws_server_broadcast_has_room, server);
  if (room)
    return 0;
  ws_error_broadcasts_pending(error, server->id);
  return -1;
}

static int ws_server_broadcast_distribute(struct ws_server *server, const struct ws_broadcast *broadcast) {
  struct ws_loop_thread *here = ws_loop_thread_current();
  for (unsigned i = 0; i < server->share_count; i++) {
    struct ws_server_share *share = &server->shares[i];
    if (share->group.thread == here)
      ws_broadcast_send(broadcast, &share->connections, false);
    else if (ws_server_broadcast_post(share, broadcast))
      return -1;
  }
  return 0;
}

int ws_server_broadcast(struct ws_server *server, const char *message, struct ws_error *error) {
  struct ws_outgoing out;
  struct ws_broadcast broadcast;
  if (ws_server_state(server) == WS_SERVER_CREATED) {
    ws_error_not_listening(error, "broadcast", server->id);
    return -1;
  }
  if (ws_server_state(server) == WS_SERVER_STOPPED) {
    ws_error_stopped(error, "broadcast", server->id);
    return -1;
  }
  if (ws_outgoing_text(&out, "broadcast", message, error) || ws_server_broadcast_check(server, &out, error))
    return -1;
  if (ws_broadcast_init(&broadcast, &out, &server->budget.held)) {
    ws_error_memory(error, "broadcast");
    return -1;
  }
  int outcome = ws_server_broadcast_distribute(server, &broadcast);
  if (outcome)
    ws_error_memory(error, "broadcast");
  ws_chunk_unref(broadcast.frame);
  return outcome;
}
