#pragma once
/* This process as a member of a server's cluster.
 *
 *   publish, broadcast, subscribe            the engine's threads
 *     │ outbox, topics that changed            │ a copy of what came
 *     ▼ (member->lock)                         ▼ (member->in_lock)
 *   the member's thread ──► engine           a task on the first loop ──► peers ──► connections
 *
 * The member's thread alone calls the engine: it may wait, for a socket or a name, where no loop may. The engine's
 * threads only leave what they have and post the task. The locks are taken in the order: the server's topics, lock; no
 * other is taken under in_lock.
 */
#include "engine.h"
#include "osprey/error.h"
#include "server/server.h"

/* Connects, and makes the server a member. 0, or -1 with the error set. Not on a loop thread; the server is pinned. */
int ws_member_join(struct ws_server *server, const char *url, const struct ws_engine *engine, struct ws_error *error);
