#include "member.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cluster_url.h"
#include "conn/broadcast.h"
#include "conn/handle.h"
#include "conn/held.h"
#include "conn/loop_thread.h"
#include "conn/random.h"
#include "conn/send.h"
#include "io/sys.h"
#include "io/wait.h"
#include "osprey/log.h"
#include "outbox.h"
#include "payload.h"
#include "peers.h"
#include "server/server_broadcast.h"
#include "server/server_cluster.h"

enum {
  WS_MEMBER_BEAT_MS = 1000,
  WS_MEMBER_AGAIN_MS = 2000,  /* between attempts, after the engine's library has given up */
  WS_MEMBER_RETURN_MS = 1000, /* after the engine's return, for the other members to return too */
  WS_MEMBER_CONNECT_MS = 10000,
  WS_MEMBER_GRACE_MS = 1000,           /* for a connect that is about to fail by itself */
  WS_MEMBER_PENDING = 8 * 1024 * 1024, /* bytes of a subscription, in the engine's library: it hands over at once */
  WS_MEMBER_TURN = 256,                /* messages that a turn of the loop takes, for so many milliseconds */
  WS_MEMBER_TURN_MS = 4,
  WS_MEMBER_GATHER_NS =
      250000, /* from the first message that finds the thread idle: it hands over what has come since */
  WS_MEMBER_HANDFUL = 64 * 1024, /* bytes of messages, about, that it takes at a time */
};

enum ws_member_phase { WS_MEMBER_CONNECTING, WS_MEMBER_CONNECTED, WS_MEMBER_FAILED };

/* A topic that has subscribers in this process, or had them. */
struct ws_member_topic {
  struct ws_list_node of_all;
  struct ws_list_node dirty; /* of the member's list: the thread has to look at it */
  bool wanted;
  void *subscription; /* the thread's; NULL: none */
  const char *name;   /* behind it, in the same block */
};

/* What came from the engine. */
struct ws_member_arrival {
  struct ws_queue_node node;
  size_t size;              /* of all this */
  enum ws_wire_where where; /* WS_WIRE_NOWHERE: the topic is to be forgotten */
  uint8_t *bytes;           /* n of them, behind the topic, in the same block */
  size_t n;
  char topic[];
};

struct ws_member {
  struct ws_cluster cluster;
  struct ws_server *server;
  const struct ws_engine *engine;
  struct ws_cluster_url url;
  uint8_t id[WS_WIRE_ID];
  _Atomic int references; /* the server's, or that of the join; the thread's */

  pthread_mutex_t lock; /* of what follows */
  pthread_cond_t changed;
  _Atomic enum ws_member_phase phase;
  struct ws_why why; /* it failed */
  bool decided;      /* the join is over: the server has the member, or does not */
  bool stopping;
  int64_t stop_by_ms;
  struct ws_outbox outbox;
  _Atomic size_t waiting; /* bytes in it */
  struct ws_tree topics;  /* of struct ws_member_topic, by name */
  struct ws_list all;
  struct ws_list dirty;
  _Atomic bool away; /* the engine is */
  bool gone;         /* and its link is of no use */
  bool refused;      /* a subscription was: some are missing */
  bool change;       /* of `away`, not logged yet */
  struct ws_why away_why;
  int64_t away_since_ms;
  uint64_t given_up; /* messages that the engine did not take; not logged yet */

  /* The thread's. */
  void *link;
  void *always[2]; /* subscriptions to broadcasts and to beats */
  struct ws_payload payload;
  int64_t beat_ms;     /* when the next one is due */
  int64_t hold_ms;     /* until when messages wait for members that return later */
  const char *refusal; /* that was logged */
  bool gathered;       /* the messages have waited for each other */

  _Atomic bool joined;     /* the server has it: what comes is taken */
  pthread_mutex_t in_lock; /* of what follows */
  struct ws_queue arrivals;
  size_t arrived; /* bytes */
  uint64_t overflowed;
  bool posted;
  bool tick;
  struct ws_task task;

  struct ws_peers peers; /* the first loop thread's */
};

static int ws_member_compare(const void *one, const void *other) {
  return strcmp(((const struct ws_member_topic *)one)->name, ((const struct ws_member_topic *)other)->name);
}

/* maxClusterQueuedBytes, which is constant once the server listens. */
static size_t ws_member_bound(const struct ws_member *member) {
  return (size_t)member->server->rules.limits.max_cluster_queued_bytes;
}

static struct ws_member *ws_member_of(struct ws_cluster *cluster) {
  return ws_container_of(cluster, struct ws_member, cluster);
}

/* ---- making and freeing */

static void ws_member_drop_topic(struct ws_member *member, struct ws_member_topic *topic) {
  ws_list_remove(&topic->dirty);
  ws_list_remove(&topic->of_all);
  ws_tree_remove(&member->topics, topic, ws_member_compare);
  ws_mem_free(topic);
}

static void ws_member_unref(struct ws_member *member) {
  struct ws_queue_node *node;
  if (atomic_fetch_sub(&member->references, 1) > 1)
    return;
  /* Without a server, which may be gone, nothing has arrived. */
  while ((node = ws_queue_pop(&member->arrivals)) != NULL)
    ws_mem_free(ws_container_of(node, struct ws_member_arrival, node));
  ws_peers_deinit(&member->peers);
  ws_outbox_deinit(&member->outbox);
  while (member->all.first)
    ws_member_drop_topic(member, ws_container_of(member->all.first, struct ws_member_topic, of_all));
  ws_cluster_url_deinit(&member->url);
  pthread_mutex_destroy(&member->lock);
  pthread_mutex_destroy(&member->in_lock);
  pthread_cond_destroy(&member->changed);
  ws_payload_deinit(&member->payload);
  ws_mem_free(member);
}

/* ---- what comes from the engine; on the first loop thread */

static void ws_member_refuse(const struct ws_member *member, const char *problem) {
  ws_log(WS_LOG_WARN, "server %" PRId64 ": a message of the cluster was dropped: %s", member->server->id, problem);
}

static void ws_member_hear_message(struct ws_member *member, const char *topic, const struct ws_wire *head,
                                   const uint8_t *bytes, size_t n, int64_t now_ms) {
  struct ws_peers_message message;
  const char *problem;
  enum ws_peers_outcome outcome =
      ws_peers_hear(&member->peers, head, ws_wire_stream(topic), bytes, n, now_ms, &message, &problem);
  if (outcome == WS_PEERS_WRONG)
    ws_member_refuse(member, problem);
  else if (outcome == WS_PEERS_WHOLE &&
           !ws_server_broadcast_foreign(member->server, topic, message.bytes, message.size))
    ws_peers_lost(&member->peers, head);
}

static void ws_member_hear_several(struct ws_member *member, const char *topic, const struct ws_wire *several,
                                   const uint8_t *bytes, int64_t now_ms) {
  struct ws_wire head = *several;
  for (uint32_t i = 0; i < several->total; i++) {
    const uint8_t *message;
    size_t n = ws_wire_next(&message, bytes);
    head.number = several->number + i;
    head.total = (uint32_t)n;
    ws_member_hear_message(member, topic, &head, message, n, now_ms);
    bytes = message + n;
  }
}

/* Returns how many messages it had. */
static uint32_t ws_member_hear(struct ws_member *member, const struct ws_member_arrival *arrival, int64_t now_ms) {
  struct ws_wire head;
  const char *topic = arrival->where == WS_WIRE_TOPIC ? arrival->topic : NULL;
  const uint8_t *bytes = arrival->bytes + WS_WIRE_HEAD;
  const char *problem = ws_wire_decode(&head, arrival->bytes, arrival->n);
  bool is_beat = head.kind == WS_WIRE_BEAT || head.kind == WS_WIRE_LEAVE;
  if (!problem && is_beat != (arrival->where == WS_WIRE_BEATS))
    problem = "its kind is not that of its subject";
  if (problem)
    ws_member_refuse(member, problem);
  else if (is_beat)
    ws_peers_beat(&member->peers, &head, bytes, now_ms);
  else if (head.kind == WS_WIRE_SEVERAL)
    ws_member_hear_several(member, topic, &head, bytes, now_ms);
  else
    ws_member_hear_message(member, topic, &head, bytes, arrival->n - WS_WIRE_HEAD, now_ms);
  return !problem && head.kind == WS_WIRE_SEVERAL ? head.total : 1;
}

/* Returns how many messages it had, or 1. */
static uint32_t ws_member_take(struct ws_member *member, const struct ws_member_arrival *arrival, int64_t now_ms) {
  if (arrival->where == WS_WIRE_NOWHERE)
    ws_peers_forget(&member->peers, ws_wire_stream(arrival->topic));
  else if (arrival->where != WS_WIRE_TOPIC || ws_server_cluster_has(member->server, arrival->topic))
    return ws_member_hear(member, arrival, now_ms);
  return 1;
}

/* Takes the first arrival; NULL: none is left. */
static struct ws_member_arrival *ws_member_pop(struct ws_member *member) {
  pthread_mutex_lock(&member->in_lock);
  struct ws_queue_node *node = ws_queue_pop(&member->arrivals);
  struct ws_member_arrival *arrival = node ? ws_container_of(node, struct ws_member_arrival, node) : NULL;
  if (arrival)
    member->arrived -= arrival->size;
  pthread_mutex_unlock(&member->in_lock);
  if (arrival)
    ws_held_add(&member->server->budget, -(int64_t)arrival->size);
  return arrival;
}

static void ws_member_tick(struct ws_member *member, uint64_t overflowed, int64_t now_ms) {
  if (overflowed > 0)
    ws_log(WS_LOG_WARN, "server %" PRId64 ": the loop is behind: messages of the cluster that were given up: %" PRIu64,
           member->server->id, overflowed);
  ws_peers_tick(&member->peers, !atomic_load(&member->away), now_ms);
}

/* Under in_lock, once the server has the member. */
static void ws_member_post(struct ws_member *member) {
  if (member->posted)
    return;
  member->posted = true;
  ws_handle_pin_again(member->server->id);
  ws_loop_post(ws_loop_thread_at(0)->loop, &member->task);
}

static void ws_member_run_task(struct ws_loop *loop, struct ws_task *task) {
  struct ws_member *member = ws_container_of(task, struct ws_member, task);
  struct ws_server *server = member->server;
  struct ws_member_arrival *arrival;
  int64_t now_ms = ws_loop_now(loop);
  int64_t until_ms = ws_clock_coarse_ms() + WS_MEMBER_TURN_MS;
  for (uint32_t heard = 0; heard < WS_MEMBER_TURN && (arrival = ws_member_pop(member)) != NULL;) {
    heard += ws_member_take(member, arrival, now_ms);
    ws_mem_free(arrival);
    if (ws_clock_coarse_ms() > until_ms)
      break;
  }
  pthread_mutex_lock(&member->in_lock);
  bool tick = member->tick;
  uint64_t overflowed = tick ? member->overflowed : 0;
  member->tick = false;
  member->posted = false;
  if (tick)
    member->overflowed = 0;
  if (!ws_queue_is_empty(&member->arrivals))
    ws_member_post(member);
  pthread_mutex_unlock(&member->in_lock);
  if (tick)
    ws_member_tick(member, overflowed, now_ms);
  ws_server_unpin(server);
}

/* Leaves a copy for the loop. */
static void ws_member_leave(struct ws_member *member, enum ws_wire_where where, const char *topic, const uint8_t *bytes,
                            size_t n) {
  size_t room = strlen(topic) + 1;
  struct ws_member_arrival *arrival = ws_mem_alloc(sizeof *arrival + room + n);
  if (arrival) {
    *arrival = (struct ws_member_arrival){.size = sizeof *arrival + room + n, .where = where, .n = n};
    memcpy(arrival->topic, topic, room);
    arrival->bytes = (uint8_t *)arrival->topic + room;
    if (n > 0)
      memcpy(arrival->bytes, bytes, n);
  }
  pthread_mutex_lock(&member->in_lock);
  bool fits = arrival && (member->arrived == 0 || where == WS_WIRE_NOWHERE ||
                          member->arrived + arrival->size <= ws_member_bound(member));
  if (fits) {
    member->arrived += arrival->size;
    ws_held_add(&member->server->budget, (int64_t)arrival->size);
    ws_queue_add(&member->arrivals, &arrival->node);
    ws_member_post(member);
  } else {
    member->overflowed++;
  }
  pthread_mutex_unlock(&member->in_lock);
  if (!fits)
    ws_mem_free(arrival);
}

/* ---- the engine's events, on its threads */

static void ws_member_received(void *context, const char *subject, const uint8_t *bytes, size_t n) {
  struct ws_member *member = context;
  char topic[WS_TOPIC_MAX + 1] = "";
  enum ws_wire_where where = ws_wire_parse_subject(topic, member->url.prefix, subject);
  if (where != WS_WIRE_NOWHERE && atomic_load(&member->joined) &&
      ws_server_state(member->server) == WS_SERVER_LISTENING)
    ws_member_leave(member, where, topic, bytes, n);
}

static void ws_member_changed(void *context, enum ws_engine_state state, const char *why) {
  struct ws_member *member = context;
  pthread_mutex_lock(&member->lock);
  bool away = state != WS_ENGINE_READY;
  if (away != member->away)
    member->change = true;
  if (away && !member->away) {
    ws_why_set(&member->away_why, "%s", why);
    member->away_since_ms = ws_clock_ms();
  }
  member->away = away;
  member->gone |= state == WS_ENGINE_GONE;
  pthread_cond_signal(&member->changed);
  pthread_mutex_unlock(&member->lock);
  ws_wait_notify();
}

static const struct ws_engine_events ws_member_events = {.received = ws_member_received, .changed = ws_member_changed};

/* ---- what the member's thread does with the engine */

/* The lock is held, and left for the engine's calls. */
static void ws_member_beat(struct ws_member *member, int64_t now_ms) {
  size_t most;
  uint8_t *to = ws_payload_entries(&member->payload, &most);
  struct ws_list_node *next = member->outbox.named.first;
  do {
    size_t entries = ws_outbox_beat(&member->outbox, to, most, &next);
    pthread_mutex_unlock(&member->lock);
    ws_payload_send_beat(&member->payload, WS_WIRE_BEAT, entries);
    pthread_mutex_lock(&member->lock);
  } while (next);
  member->beat_ms = now_ms + WS_MEMBER_BEAT_MS;
}

/* Takes some messages at once, so that the lock is seldom in the way of those who publish. */
static void ws_member_publish_some(struct ws_member *member) {
  struct ws_outbox_message *taken[WS_WIRE_SEVERAL_MAX];
  size_t count = 0;
  for (size_t bytes = 0; count < WS_WIRE_SEVERAL_MAX && bytes < WS_MEMBER_HANDFUL; bytes += taken[count++]->bytes) {
    if ((taken[count] = ws_outbox_take(&member->outbox)) == NULL)
      break;
  }
  atomic_store(&member->waiting, member->outbox.bytes);
  pthread_mutex_unlock(&member->lock);
  ws_wait_notify();
  uint64_t given_up = ws_payload_send(&member->payload, taken, count);
  for (size_t i = 0; i < count; i++)
    ws_outbox_release(taken[i]);
  pthread_mutex_lock(&member->lock);
  while (count > 0)
    ws_outbox_give_back(&member->outbox, taken[--count]);
  member->given_up += given_up;
}

/* Subscribes to a topic, or unsubscribes, as it is wanted now. */
static void ws_member_settle_topic(struct ws_member *member) {
  char subject[WS_WIRE_SUBJECT];
  struct ws_member_topic *topic = ws_container_of(member->dirty.first, struct ws_member_topic, dirty);
  ws_list_remove(&topic->dirty);
  if (topic->wanted && !topic->subscription) {
    ws_wire_subject(subject, member->url.prefix, topic->name);
    pthread_mutex_unlock(&member->lock);
    void *subscription = member->engine->subscribe(member->link, subject, WS_MEMBER_PENDING);
    pthread_mutex_lock(&member->lock);
    topic->subscription = subscription;
    if (!subscription) {
      member->refused = true;
      ws_log(WS_LOG_ERROR, "server %" PRId64 ": the cluster's engine refused a subscription", member->server->id);
    }
  } else if (!topic->wanted && topic->subscription) {
    void *subscription = topic->subscription;
    topic->subscription = NULL;
    pthread_mutex_unlock(&member->lock);
    member->engine->unsubscribe(member->link, subscription);
    pthread_mutex_lock(&member->lock);
  }
  if (!topic->wanted && !topic->subscription && !ws_list_contains(&topic->dirty))
    ws_member_drop_topic(member, topic);
}

/* The thread looks at all topics again. The lock is held. */
static void ws_member_mark_topics(struct ws_member *member) {
  member->refused = false;
  for (struct ws_list_node *node = member->all.first; node; node = node->next) {
    struct ws_member_topic *topic = ws_container_of(node, struct ws_member_topic, of_all);
    if (!ws_list_contains(&topic->dirty))
      ws_list_add(&member->dirty, &topic->dirty);
  }
}

/* Ends the link with its subscriptions, if there is one. The thread alone touches them. */
static void ws_member_disconnect(struct ws_member *member) {
  const struct ws_engine *engine = member->engine;
  if (!member->link)
    return;
  for (size_t i = 0; i < sizeof member->always / sizeof *member->always; i++) {
    if (member->always[i])
      engine->unsubscribe(member->link, member->always[i]);
    member->always[i] = NULL;
  }
  pthread_mutex_lock(&member->lock);
  for (struct ws_list_node *node = member->all.first; node; node = node->next) {
    struct ws_member_topic *topic = ws_container_of(node, struct ws_member_topic, of_all);
    if (topic->subscription)
      engine->unsubscribe(member->link, topic->subscription);
    topic->subscription = NULL;
  }
  pthread_mutex_unlock(&member->lock);
  engine->close(member->link);
  member->link = NULL;
}

/* Connects, with a payload buffer and the two subjects of every member. 0, or -1 with the reason. */
static int ws_member_connect(struct ws_member *member, struct ws_why *why) {
  char all[WS_WIRE_SUBJECT];
  char beats[WS_WIRE_SUBJECT];
  const struct ws_engine *engine = member->engine;
  const char *refusal = NULL;
  member->link = engine->connect(&member->url.address, WS_MEMBER_CONNECT_MS, &ws_member_events, member, why);
  if (!member->link)
    return -1;
  ws_wire_subject(all, member->url.prefix, NULL);
  ws_wire_beat_subject(beats, member->url.prefix);
  bool has_payload = ws_payload_open(&member->payload, engine, member->link, member->id, member->url.prefix) == 0;
  member->always[0] = engine->subscribe(member->link, all, WS_MEMBER_PENDING);
  member->always[1] = engine->subscribe(member->link, beats, WS_MEMBER_PENDING);
  if (has_payload && member->always[0] && member->always[1]) {
    engine->flush(member->link, WS_MEMBER_CONNECT_MS);
    refusal = engine->refusal(member->link);
    if (!refusal)
      return 0;
  }
  if (refusal)
    ws_why_set(why, "its user may not use subjects under %s: %s", member->url.prefix, refusal);
  else
    ws_why_set(why, has_payload ? "a subscription was refused" : "out of memory, or of messages that are too small");
  ws_member_disconnect(member);
  return -1;
}

/* The engine's library has given up, after which only a new link helps. The lock is held. */
static void ws_member_connect_again(struct ws_member *member) {
  struct ws_why ignored;
  member->gone = false;
  ws_member_mark_topics(member);
  pthread_mutex_unlock(&member->lock);
  ws_member_disconnect(member);
  int outcome = ws_member_connect(member, &ignored);
  pthread_mutex_lock(&member->lock);
  if (outcome == 0 && member->away) {
    member->away = false;
    member->change = true;
  }
}

/* ---- the member's thread; the lock is held, but for the calls of the engine */

static void ws_member_log_change(struct ws_member *member, int64_t now_ms) {
  member->change = false;
  if (member->away) {
    ws_log(WS_LOG_WARN,
           "server %" PRId64 ": the cluster's engine is lost (%s): what is published waits for it, up to "
           "maxClusterQueuedBytes",
           member->server->id, member->away_why.text);
  } else {
    ws_log(WS_LOG_WARN, "server %" PRId64 ": the cluster's engine is back after %" PRId64 " ms", member->server->id,
           now_ms - member->away_since_ms);
    member->hold_ms = now_ms + WS_MEMBER_RETURN_MS;
    ws_outbox_tell_again(&member->outbox);
  }
}

static void ws_member_log_given_up(struct ws_member *member) {
  if (member->given_up > 0)
    ws_log(WS_LOG_WARN, "server %" PRId64 ": messages that the cluster's engine did not take: %" PRIu64,
           member->server->id, member->given_up);
  member->given_up = 0;
}

/* Once for a link: what is refused stays so. */
static void ws_member_log_refusal(struct ws_member *member) {
  const char *refusal = member->link ? member->engine->refusal(member->link) : NULL;
  if (refusal && !member->refusal)
    ws_log(WS_LOG_WARN, "server %" PRId64 ": the cluster's engine refuses subjects under %s: %s", member->server->id,
           member->url.prefix, refusal);
  member->refusal = refusal;
}

static void ws_member_wait(struct ws_member *member, int64_t until_ms) {
  struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
  ws_sys_condition_wait(&member->changed, &member->lock, &until);
}

/* A wake-up and a system call for each message would cost more than all else, so they wait for each other a moment. */
static void ws_member_gather(struct ws_member *member) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += WS_MEMBER_GATHER_NS;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  ws_sys_condition_wait(&member->changed, &member->lock, &until);
  member->gathered = true;
}

/* Once a second, whether the engine is there or not. */
static void ws_member_second(struct ws_member *member, int64_t now_ms) {
  ws_member_log_given_up(member);
  ws_member_log_refusal(member);
  if (member->refused)
    ws_member_mark_topics(member);
  pthread_mutex_lock(&member->in_lock);
  member->tick = true;
  if (atomic_load(&member->joined))
    ws_member_post(member);
  pthread_mutex_unlock(&member->in_lock);
  if (member->away)
    member->beat_ms = now_ms + WS_MEMBER_BEAT_MS;
  else
    ws_member_beat(member, now_ms);
}

/* Does one thing, or waits. Returns false when the member has left. */
static bool ws_member_step(struct ws_member *member, int64_t *again_ms) {
  int64_t now_ms = ws_clock_ms();
  bool has_messages = !ws_queue_is_empty(&member->outbox.messages);
  if (member->stopping && (member->away || !has_messages || now_ms >= member->stop_by_ms))
    return false;
  if (member->change) {
    ws_member_log_change(member, now_ms);
  } else if ((member->gone || !member->link) && now_ms >= *again_ms) {
    ws_member_connect_again(member);
    *again_ms = ws_clock_ms() + WS_MEMBER_AGAIN_MS;
  } else if (now_ms >= member->beat_ms) {
    ws_member_second(member, now_ms);
  } else if (member->link && member->dirty.first) {
    ws_member_settle_topic(member);
  } else if (!member->away && has_messages && now_ms < member->hold_ms && !member->stopping) {
    ws_member_wait(member, member->hold_ms < member->beat_ms ? member->hold_ms : member->beat_ms);
  } else if (!member->away && has_messages && !member->gathered && !member->stopping) {
    ws_member_gather(member);
  } else if (!member->away && has_messages) {
    ws_member_publish_some(member);
  } else {
    member->gathered = false;
    ws_member_wait(member, member->beat_ms);
  }
  return true;
}

/* Says farewell and ends the link. Without the lock: nothing is added any more. */
static void ws_member_finish(struct ws_member *member) {
  int64_t left_ms = member->stop_by_ms - ws_clock_ms();
  member->given_up += ws_outbox_drop(&member->outbox);
  ws_member_log_given_up(member);
  if (!member->link)
    return;
  if (!member->away) {
    ws_payload_send_beat(&member->payload, WS_WIRE_LEAVE, 0);
    if (left_ms > 0)
      member->engine->flush(member->link, left_ms);
  }
  ws_member_disconnect(member);
}

static void *ws_member_run(void *context) {
  struct ws_member *member = context;
  struct ws_server *server = member->server;
  struct ws_why why;
  int64_t again_ms = 0;
  int outcome = ws_member_connect(member, &why);
  pthread_mutex_lock(&member->lock);
  if (outcome)
    member->why = why;
  atomic_store(&member->phase, outcome ? WS_MEMBER_FAILED : WS_MEMBER_CONNECTED);
  ws_wait_notify();
  member->beat_ms = ws_clock_ms();
  while (!member->decided)
    pthread_cond_wait(&member->changed, &member->lock);
  bool joined = atomic_load(&member->joined);
  while (joined && ws_member_step(member, &again_ms))
    continue;
  pthread_mutex_unlock(&member->lock);
  if (outcome == 0)
    ws_member_finish(member);
  ws_member_unref(member);
  if (joined)
    ws_server_cluster_over(server);
  return NULL;
}

/* ---- what the server calls */

static enum ws_cluster_outcome ws_member_publish(struct ws_cluster *cluster, const char *topic,
                                                 const struct ws_broadcast *broadcast) {
  static const enum ws_cluster_outcome outcomes[] = {
      [WS_OUTBOX_TAKEN] = WS_CLUSTER_TAKEN,
      [WS_OUTBOX_FULL] = WS_CLUSTER_FULL,
      [WS_OUTBOX_NO_MEMORY] = WS_CLUSTER_NO_MEMORY,
  };
  struct ws_member *member = ws_member_of(cluster);
  pthread_mutex_lock(&member->lock);
  bool was_empty = ws_queue_is_empty(&member->outbox.messages);
  enum ws_outbox_outcome outcome = ws_outbox_add(&member->outbox, ws_member_bound(member), topic, broadcast->frame,
                                                 broadcast->offset, broadcast->opcode);
  atomic_store(&member->waiting, member->outbox.bytes);
  if (was_empty)
    pthread_cond_signal(&member->changed);
  pthread_mutex_unlock(&member->lock);
  return outcomes[outcome];
}

static bool ws_member_has_room(void *context) {
  struct ws_member *member = context;
  return atomic_load(&member->waiting) < ws_member_bound(member) || atomic_load(&member->away) ||
         ws_server_state(member->server) == WS_SERVER_STOPPED;
}

static void ws_member_await_room(struct ws_cluster *cluster) {
  struct ws_member *member = ws_member_of(cluster);
  if (!ws_member_has_room(member))
    ws_wait_until(ws_clock_ms() + WS_SEND_TIMEOUT_MS, ws_member_has_room, member);
}

/* The lock is held. NULL: no memory. */
static struct ws_member_topic *ws_member_make_topic(struct ws_member *member, const char *name) {
  size_t room = strlen(name) + 1;
  struct ws_member_topic *topic = ws_mem_calloc(1, sizeof *topic + room);
  if (!topic)
    return NULL;
  topic->name = memcpy(topic + 1, name, room);
  if (ws_tree_add(&member->topics, topic, ws_member_compare)) {
    ws_mem_free(topic);
    return NULL;
  }
  ws_list_add(&member->all, &topic->of_all);
  return topic;
}

static int ws_member_want(struct ws_cluster *cluster, const char *name, bool on) {
  struct ws_member *member = ws_member_of(cluster);
  const struct ws_member_topic wanted = {.name = name};
  pthread_mutex_lock(&member->lock);
  struct ws_member_topic *topic = ws_tree_find(&member->topics, &wanted, ws_member_compare);
  if (!topic && on)
    topic = ws_member_make_topic(member, name);
  if (topic) {
    topic->wanted = on;
    if (!ws_list_contains(&topic->dirty))
      ws_list_add(&member->dirty, &topic->dirty);
    pthread_cond_signal(&member->changed);
  }
  pthread_mutex_unlock(&member->lock);
  if (!on)
    ws_member_leave(member, WS_WIRE_NOWHERE, name, NULL, 0);
  return topic || !on ? 0 : -1;
}

static void ws_member_stop(struct ws_cluster *cluster) {
  struct ws_member *member = ws_member_of(cluster);
  pthread_mutex_lock(&member->lock);
  member->stopping = true;
  member->stop_by_ms = ws_clock_ms() + member->server->rules.limits.close_timeout_ms;
  pthread_cond_signal(&member->changed);
  pthread_mutex_unlock(&member->lock);
}

static void ws_member_free(struct ws_cluster *cluster) {
  ws_member_unref(ws_member_of(cluster));
}

static const struct ws_cluster_ops ws_member_ops = {
    .publish = ws_member_publish,
    .topic = ws_member_want,
    .await_room = ws_member_await_room,
    .stop = ws_member_stop,
    .free = ws_member_free,
};

/* ---- joining */

static struct ws_member *ws_member_new(struct ws_server *server, const struct ws_engine *engine) {
  struct ws_member *member = ws_mem_calloc(1, sizeof *member);
  if (!member)
    return NULL;
  *member = (struct ws_member){
      .cluster.ops = &ws_member_ops,
      .server = server,
      .engine = engine,
      .references = 1,
      .task.run = ws_member_run_task,
  };
  pthread_mutex_init(&member->lock, NULL);
  pthread_mutex_init(&member->in_lock, NULL);
  ws_sys_condition_init(&member->changed);
  ws_queue_init(&member->arrivals);
  ws_outbox_init(&member->outbox);
  if (ws_random_keys.fill(NULL, member->id, sizeof member->id) == 0) {
    ws_peers_init(&member->peers, server, member->id);
    return member;
  }
  ws_member_unref(member);
  return NULL;
}

static bool ws_member_is_settled(void *context) {
  struct ws_member *member = context;
  return atomic_load(&member->phase) != WS_MEMBER_CONNECTING;
}

/* 0 once connected, or -1 with the error set. */
static int ws_member_start(struct ws_member *member, struct ws_error *error) {
  pthread_t thread;
  atomic_fetch_add(&member->references, 1);
  int failed = ws_sys_thread(&thread, ws_member_run, member);
  if (failed) {
    ws_member_unref(member);
    ws_error_cluster_connect(error, member->url.shown, ws_why_errno(failed));
    return -1;
  }
  pthread_detach(thread);
  if (!ws_wait_until(ws_clock_ms() + WS_MEMBER_CONNECT_MS + WS_MEMBER_GRACE_MS, ws_member_is_settled, member)) {
    ws_error_cluster_connect(error, member->url.shown, "it did not answer in time");
    return -1;
  }
  if (atomic_load(&member->phase) == WS_MEMBER_CONNECTED)
    return 0;
  pthread_mutex_lock(&member->lock);
  ws_error_cluster_connect(error, member->url.shown, member->why.text);
  pthread_mutex_unlock(&member->lock);
  return -1;
}

/* From now on the member belongs to the server, or to the thread alone. */
static void ws_member_decide(struct ws_member *member, bool joined) {
  char name[WS_WIRE_NAME];
  pthread_mutex_lock(&member->lock);
  atomic_store(&member->joined, joined);
  member->decided = true;
  pthread_cond_signal(&member->changed);
  pthread_mutex_unlock(&member->lock);
  if (joined)
    ws_log(WS_LOG_INFO, "server %" PRId64 ": it is member %s of the cluster %s", member->server->id,
           ws_wire_name(name, member->id), member->url.prefix);
  else
    ws_member_unref(member);
}

int ws_member_join(struct ws_server *server, const char *url, const struct ws_engine *engine, struct ws_error *error) {
  if (ws_loop_thread_current()) {
    ws_error_on_loop(error, "cluster");
    return -1;
  }
  if (ws_server_cluster_check(server, error))
    return -1;
  struct ws_member *member = ws_member_new(server, engine);
  if (!member) {
    ws_error_memory(error, "cluster");
    return -1;
  }
  const char *problem = ws_cluster_url_init(&member->url, url);
  if (problem)
    ws_error_cluster_url(error, problem);
  bool joined =
      !problem && ws_member_start(member, error) == 0 && ws_server_cluster_join(server, &member->cluster, error) == 0;
  ws_member_decide(member, joined);
  return joined ? 0 : -1;
}
