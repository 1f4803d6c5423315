#pragma once
/* Who has subscribed to what: the topics of one server.
 *
 * Two structures. The register says which connection has which topic; it is under the lock, and what a builtin changes
 * in it is true at once. The lists of a topic, one for each loop thread, say where a published message is queued; only
 * that thread touches its list, so that a walk over it needs no lock. A change by another thread is posted, behind what
 * that thread has published before.
 *
 * Messages have numbers, given under the lock (server_broadcast.c). A subscription takes those from its opening to its
 * end, whatever is posted meanwhile. A topic ends with its last subscription and the last message on its way.
 *
 * The lists of a connection are left when it is finished: nothing leaves a list while it is walked.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/tree.h"
#include "conn/conn.h"
#include "conn/held.h"

enum { WS_TOPIC_MAX = 255 };

struct ws_topics {
  pthread_mutex_t lock;
  struct ws_tree names;       /* of struct ws_topic */
  struct ws_tree subscribers; /* connections that have topics, by ID */
  uint64_t published;         /* the number of the latest message */
  struct ws_budget *budget;
  unsigned loops;             /* loop threads; 0 before listen */
  struct ws_cluster *cluster; /* is told of topics (server_cluster.h); NULL: none. Constant from listen on */
};

/* A topic, with a reference. */
struct ws_topic;

enum ws_topics_outcome {
  WS_TOPICS_DONE,
  WS_TOPICS_CLOSING, /* the connection does not take messages any more */
  WS_TOPICS_FULL,    /* it has as many topics as it may have */
  WS_TOPICS_NO_MEMORY,
};

void ws_topics_init(struct ws_topics *topics, struct ws_budget *budget);
void ws_topics_deinit(struct ws_topics *topics);

/* Any thread; the connection is pinned, or `local`: of the calling loop thread. */
enum ws_topics_outcome ws_topics_subscribe(struct ws_topics *topics, struct ws_conn *conn, bool local, const char *name,
                                           int64_t cap);
enum ws_topics_outcome ws_topics_unsubscribe(struct ws_topics *topics, struct ws_conn *conn, bool local,
                                             const char *name);

/* OPEN subscribers of a topic. Any thread. */
uint32_t ws_topics_count(struct ws_topics *topics, const char *name);

/* The connection is about to be OPEN: what was published so far is not for it. It is OPEN from now on, or no longer. It
 * is finished. On its loop thread. */
void ws_topics_opens(struct ws_topics *topics, struct ws_conn *conn);
void ws_topics_opened(struct ws_topics *topics, struct ws_conn *conn, bool open);
void ws_topics_forget(struct ws_topics *topics, struct ws_conn *conn);

/* Takes a reference to a topic; NULL: it has no subscribers. Any thread. */
struct ws_topic *ws_topics_get(struct ws_topics *topics, const char *name);

/* Under the lock: gives the reference back, or takes one more. */
void ws_topics_unref(struct ws_topics *topics, struct ws_topic *topic);
void ws_topics_ref(struct ws_topic *topic);

/* Under the lock: the topic has subscribers on this loop thread. */
bool ws_topics_is_on(const struct ws_topic *topic, unsigned loop);

/* A walk over the connections of the calling loop thread that take a message. */
struct ws_topics_walk {
  struct ws_list_node *next;
  uint64_t number;
  int64_t except; /* the ID of one that does not; 0: none */
  bool posted;    /* as in conn/broadcast.h */
};

void ws_topics_walk_begin(struct ws_topics_walk *walk, const struct ws_topic *topic, unsigned loop, uint64_t number,
                          int64_t except, bool posted);

/* The next connection, NULL after the last. `walk` is a struct ws_topics_walk. */
struct ws_conn *ws_topics_walk_next(void *walk);
