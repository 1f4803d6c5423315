#include "topics.h"

#include <string.h>

#include "base/mem.h"
#include "conn/broadcast.h"
#include "conn/handle.h"
#include "cluster_ops.h"

/* A topic on one loop thread. */
struct ws_topic_share {
  struct ws_list subscriptions; /* that thread's */
  uint32_t count;               /* of the register */
};

struct ws_topic {
  const char *name; /* behind the shares, in the same block */
  struct ws_topic_share *shares;
  size_t size;       /* of the block */
  size_t references; /* subscriptions, and messages on their way */
  uint32_t open;     /* OPEN subscribers */
};

/* A connection that has topics. */
struct ws_subscriber {
  int64_t id;
  int64_t count;
  struct ws_list all;
  struct ws_tree topics; /* its subscriptions, by topic */
};

struct ws_subscription {
  struct ws_topic *topic;
  struct ws_conn *conn;
  struct ws_list_node of_conn;  /* in the register: of the subscriber's */
  struct ws_list_node of_topic; /* in the topic's list, if `listed` */
  uint64_t after;               /* takes messages with higher numbers */
  _Atomic uint64_t until;       /* takes none with a higher number */
  bool open;                    /* its topic counts it as OPEN */
  bool listed;                  /* the loop thread's */
  bool ended;                   /* the loop thread's: it ended before it was listed */
};

/* What entries hold; the blocks' own parts are a guess. */
enum { WS_TOPICS_ALLOCATOR = 16, WS_TOPICS_ENTRY = WS_TOPICS_ALLOCATOR + WS_TREE_NODE };

static int ws_topics_compare_names(const void *one, const void *other) {
  return strcmp(((const struct ws_topic *)one)->name, ((const struct ws_topic *)other)->name);
}

static int ws_topics_compare_subscribers(const void *one, const void *other) {
  int64_t a = ((const struct ws_subscriber *)one)->id;
  int64_t b = ((const struct ws_subscriber *)other)->id;
  return (a > b) - (a < b);
}

static int ws_topics_compare_topics(const void *one, const void *other) {
  uintptr_t a = (uintptr_t)((const struct ws_subscription *)one)->topic;
  uintptr_t b = (uintptr_t)((const struct ws_subscription *)other)->topic;
  return (a > b) - (a < b);
}

void ws_topics_init(struct ws_topics *topics, struct ws_budget *budget) {
  pthread_mutex_init(&topics->lock, NULL);
  topics->budget = budget;
}

void ws_topics_deinit(struct ws_topics *topics) {
  pthread_mutex_destroy(&topics->lock);
}

/* ---- topics; the lock is held */

static struct ws_topic *ws_topics_find(const struct ws_topics *topics, const char *name) {
  const struct ws_topic wanted = {.name = name};
  return ws_tree_find(&topics->names, &wanted, ws_topics_compare_names);
}

/* Finds or makes a topic, with a reference. NULL: no memory. */
static struct ws_topic *ws_topics_make(struct ws_topics *topics, const char *name) {
  struct ws_topic *topic = ws_topics_find(topics, name);
  if (topic) {
    topic->references++;
    return topic;
  }
  size_t shares = topics->loops * sizeof *topic->shares;
  size_t size = sizeof *topic + shares + strlen(name) + 1;
  topic = ws_mem_calloc(1, size);
  if (!topic)
    return NULL;
  topic->shares = (struct ws_topic_share *)(topic + 1);
  topic->name = strcpy((char *)(topic->shares + topics->loops), name);
  topic->size = size;
  topic->references = 1;
  if (ws_tree_add(&topics->names, topic, ws_topics_compare_names)) {
    ws_mem_free(topic);
    return NULL;
  }
  if (topics->cluster && topics->cluster->ops->topic(topics->cluster, name, true)) {
    ws_tree_remove(&topics->names, topic, ws_topics_compare_names);
    ws_mem_free(topic);
    return NULL;
  }
  ws_held_add(topics->budget, (int64_t)(size + WS_TOPICS_ENTRY));
  return topic;
}

void ws_topics_ref(struct ws_topic *topic) {
  topic->references++;
}

void ws_topics_unref(struct ws_topics *topics, struct ws_topic *topic) {
  if (--topic->references > 0)
    return;
  if (topics->cluster)
    topics->cluster->ops->topic(topics->cluster, topic->name, false);
  ws_tree_remove(&topics->names, topic, ws_topics_compare_names);
  ws_held_add(topics->budget, -(int64_t)(topic->size + WS_TOPICS_ENTRY));
  ws_mem_free(topic);
}

bool ws_topics_is_on(const struct ws_topic *topic, unsigned loop) {
  return topic->shares[loop].count > 0;
}

struct ws_topic *ws_topics_get(struct ws_topics *topics, const char *name) {
  pthread_mutex_lock(&topics->lock);
  struct ws_topic *topic = ws_topics_find(topics, name);
  if (topic)
    topic->references++;
  pthread_mutex_unlock(&topics->lock);
  return topic;
}

uint32_t ws_topics_count(struct ws_topics *topics, const char *name) {
  pthread_mutex_lock(&topics->lock);
  const struct ws_topic *topic = ws_topics_find(topics, name);
  uint32_t count = topic ? topic->open : 0;
  pthread_mutex_unlock(&topics->lock);
  return count;
}

/* ---- the register; the lock is held */

/* Counts what the register holds for a connection: with the connection, as its values are. */
static void ws_topics_charge(struct ws_conn *conn, int64_t bytes) {
  atomic_fetch_add(&conn->kept, (uint32_t)bytes);
}

static struct ws_subscriber *ws_topics_find_subscriber(const struct ws_topics *topics, int64_t id) {
  const struct ws_subscriber wanted = {.id = id};
  return ws_tree_find(&topics->subscribers, &wanted, ws_topics_compare_subscribers);
}

/* The first node of a connection's subscriptions; NULL: it has none. */
static struct ws_list_node *ws_topics_first(const struct ws_topics *topics, int64_t id) {
  const struct ws_subscriber *subscriber = ws_topics_find_subscriber(topics, id);
  return subscriber ? subscriber->all.first : NULL;
}

static struct ws_subscription *ws_topics_find_subscription(const struct ws_topics *topics, int64_t id,
                                                           struct ws_topic *topic) {
  const struct ws_subscriber *subscriber = ws_topics_find_subscriber(topics, id);
  const struct ws_subscription wanted = {.topic = topic};
  return subscriber && topic ? ws_tree_find(&subscriber->topics, &wanted, ws_topics_compare_topics) : NULL;
}

/* Finds or makes the entry of a connection. NULL: no memory. */
static struct ws_subscriber *ws_topics_make_subscriber(struct ws_topics *topics, struct ws_conn *conn) {
  struct ws_subscriber *subscriber = ws_topics_find_subscriber(topics, conn->id);
  if (subscriber)
    return subscriber;
  subscriber = ws_mem_calloc(1, sizeof *subscriber);
  if (!subscriber)
    return NULL;
  subscriber->id = conn->id;
  if (ws_tree_add(&topics->subscribers, subscriber, ws_topics_compare_subscribers)) {
    ws_mem_free(subscriber);
    return NULL;
  }
  ws_topics_charge(conn, sizeof *subscriber + WS_TOPICS_ENTRY);
  return subscriber;
}

/* Frees the entry of a connection that has no topics. */
static void ws_topics_trim_subscriber(struct ws_topics *topics, struct ws_conn *conn,
                                      struct ws_subscriber *subscriber) {
  if (subscriber->count > 0)
    return;
  ws_tree_remove(&topics->subscribers, subscriber, ws_topics_compare_subscribers);
  ws_topics_charge(conn, -(int64_t)(sizeof *subscriber + WS_TOPICS_ENTRY));
  ws_mem_free(subscriber);
}

static void ws_subscription_set_open(struct ws_subscription *subscription, bool open) {
  if (subscription->open == open)
    return;
  subscription->open = open;
  subscription->topic->open += open ? 1 : (uint32_t)-1;
}

static struct ws_topic_share *ws_subscription_share(const struct ws_subscription *subscription) {
  return &subscription->topic->shares[subscription->conn->group->thread->index];
}

/* A subscription to a topic whose reference it takes over. NULL: no memory; the reference is still the caller's. */
static struct ws_subscription *ws_topics_register(struct ws_topics *topics, struct ws_conn *conn,
                                                  struct ws_topic *topic) {
  struct ws_subscriber *subscriber = ws_topics_make_subscriber(topics, conn);
  struct ws_subscription *subscription = subscriber ? ws_mem_calloc(1, sizeof *subscription) : NULL;
  if (!subscription)
    goto no_subscription;
  subscription->topic = topic;
  subscription->conn = conn;
  subscription->after = topics->published;
  atomic_init(&subscription->until, UINT64_MAX);
  if (ws_tree_add(&subscriber->topics, subscription, ws_topics_compare_topics))
    goto not_added;
  ws_list_add(&subscriber->all, &subscription->of_conn);
  subscriber->count++;
  ws_subscription_share(subscription)->count++;
  ws_subscription_set_open(subscription, ws_conn_state(conn) == WS_CONN_OPEN);
  ws_topics_charge(conn, sizeof *subscription + WS_TOPICS_ENTRY);
  return subscription;
not_added:
  ws_mem_free(subscription);
no_subscription:
  if (subscriber)
    ws_topics_trim_subscriber(topics, conn, subscriber);
  return NULL;
}

/* Takes a subscription out of the register; its place in the list remains. */
static void ws_topics_unregister(struct ws_topics *topics, struct ws_subscription *subscription) {
  struct ws_conn *conn = subscription->conn;
  struct ws_subscriber *subscriber = ws_topics_find_subscriber(topics, conn->id);
  ws_subscription_set_open(subscription, false);
  atomic_store_explicit(&subscription->until, topics->published, memory_order_relaxed);
  ws_subscription_share(subscription)->count--;
  ws_list_remove(&subscription->of_conn);
  ws_tree_remove(&subscriber->topics, subscription, ws_topics_compare_topics);
  ws_topics_charge(conn, -(int64_t)(sizeof *subscription + WS_TOPICS_ENTRY));
  subscriber->count--;
  ws_topics_trim_subscriber(topics, conn, subscriber);
}

/* ---- the lists; on the loop thread, with the lock */

static void ws_subscription_list(struct ws_subscription *subscription) {
  subscription->listed = true;
  ws_list_add(&ws_subscription_share(subscription)->subscriptions, &subscription->of_topic);
}

static void ws_topics_free_subscription(struct ws_topics *topics, struct ws_subscription *subscription) {
  ws_list_remove(&subscription->of_topic);
  ws_topics_unref(topics, subscription->topic);
  ws_mem_free(subscription);
}

static void ws_topics_posted_list(struct ws_topics *topics, struct ws_subscription *subscription) {
  if (subscription->ended)
    ws_topics_free_subscription(topics, subscription);
  else
    ws_subscription_list(subscription);
}

/* If its task for the list is still posted, that frees it. */
static void ws_topics_unlist(struct ws_topics *topics, struct ws_subscription *subscription) {
  if (subscription->listed)
    ws_topics_free_subscription(topics, subscription);
  else
    subscription->ended = true;
}

/* ---- changes of the lists by other threads */

struct ws_topics_task {
  struct ws_task task;
  struct ws_topics *topics;
  struct ws_conn *conn; /* pinned, and its server with it */
  struct ws_subscription *subscription;
  void (*change)(struct ws_topics *topics, struct ws_subscription *subscription);
};

static void ws_topics_run(struct ws_loop *loop, struct ws_task *task) {
  struct ws_topics_task *work = ws_container_of(task, struct ws_topics_task, task);
  (void)loop;
  pthread_mutex_lock(&work->topics->lock);
  work->change(work->topics, work->subscription);
  pthread_mutex_unlock(&work->topics->lock);
  ws_conn_unpin(work->conn);
  ws_mem_free(work);
}

/* Under the lock, so that it stands between the messages whose numbers it stands between. */
static void ws_topics_post(struct ws_topics_task *work, struct ws_topics *topics, struct ws_subscription *subscription,
                           void (*change)(struct ws_topics *, struct ws_subscription *)) {
  struct ws_conn *conn = subscription->conn;
  *work = (struct ws_topics_task){{.run = ws_topics_run}, topics, conn, subscription, change};
  ws_handle_pin_again(conn->id);
  ws_loop_post(ws_conn_loop(conn), &work->task);
}

/* ---- operations */

/* *made: the new subscription; NULL: there is one already. */
static enum ws_topics_outcome ws_topics_add(struct ws_topics *topics, struct ws_conn *conn, const char *name,
                                            int64_t cap, struct ws_subscription **made) {
  *made = NULL;
  /* Under the lock: whoever ends the connection forgets its topics afterwards. */
  if (ws_conn_state(conn) > WS_CONN_OPEN)
    return WS_TOPICS_CLOSING;
  if (ws_topics_find_subscription(topics, conn->id, ws_topics_find(topics, name)))
    return WS_TOPICS_DONE;
  const struct ws_subscriber *subscriber = ws_topics_find_subscriber(topics, conn->id);
  if ((subscriber ? subscriber->count : 0) >= cap)
    return WS_TOPICS_FULL;
  struct ws_topic *topic = ws_topics_make(topics, name);
  if (!topic)
    return WS_TOPICS_NO_MEMORY;
  *made = ws_topics_register(topics, conn, topic);
  if (!*made)
    ws_topics_unref(topics, topic);
  return *made ? WS_TOPICS_DONE : WS_TOPICS_NO_MEMORY;
}

enum ws_topics_outcome ws_topics_subscribe(struct ws_topics *topics, struct ws_conn *conn, bool local, const char *name,
                                           int64_t cap) {
  struct ws_subscription *made;
  struct ws_topics_task *work = local ? NULL : ws_mem_alloc(sizeof *work);
  if (!local && !work)
    return WS_TOPICS_NO_MEMORY;
  pthread_mutex_lock(&topics->lock);
  enum ws_topics_outcome outcome = ws_topics_add(topics, conn, name, cap, &made);
  if (made && local) {
    ws_subscription_list(made);
  } else if (made) {
    ws_topics_post(work, topics, made, ws_topics_posted_list);
    work = NULL;
  }
  pthread_mutex_unlock(&topics->lock);
  ws_mem_free(work);
  if (made && local)
    ws_conn_queue(conn); /* counts what it holds */
  return outcome;
}

enum ws_topics_outcome ws_topics_unsubscribe(struct ws_topics *topics, struct ws_conn *conn, bool local,
                                             const char *name) {
  struct ws_topics_task *work = local ? NULL : ws_mem_alloc(sizeof *work);
  if (!local && !work)
    return WS_TOPICS_NO_MEMORY;
  pthread_mutex_lock(&topics->lock);
  struct ws_subscription *subscription = ws_topics_find_subscription(topics, conn->id, ws_topics_find(topics, name));
  if (subscription)
    ws_topics_unregister(topics, subscription);
  if (subscription && local) {
    ws_topics_unlist(topics, subscription);
  } else if (subscription) {
    ws_topics_post(work, topics, subscription, ws_topics_unlist);
    work = NULL;
  }
  pthread_mutex_unlock(&topics->lock);
  ws_mem_free(work);
  return WS_TOPICS_DONE;
}

void ws_topics_opens(struct ws_topics *topics, struct ws_conn *conn) {
  pthread_mutex_lock(&topics->lock);
  for (struct ws_list_node *node = ws_topics_first(topics, conn->id); node; node = node->next)
    ws_container_of(node, struct ws_subscription, of_conn)->after = topics->published;
  pthread_mutex_unlock(&topics->lock);
}

void ws_topics_opened(struct ws_topics *topics, struct ws_conn *conn, bool open) {
  pthread_mutex_lock(&topics->lock);
  for (struct ws_list_node *node = ws_topics_first(topics, conn->id); node; node = node->next)
    ws_subscription_set_open(ws_container_of(node, struct ws_subscription, of_conn), open);
  pthread_mutex_unlock(&topics->lock);
}

void ws_topics_forget(struct ws_topics *topics, struct ws_conn *conn) {
  struct ws_list_node *node;
  pthread_mutex_lock(&topics->lock);
  while ((node = ws_topics_first(topics, conn->id)) != NULL) {
    struct ws_subscription *subscription = ws_container_of(node, struct ws_subscription, of_conn);
    ws_topics_unregister(topics, subscription);
    ws_topics_unlist(topics, subscription);
  }
  pthread_mutex_unlock(&topics->lock);
}

/* ---- walks */

void ws_topics_walk_begin(struct ws_topics_walk *walk, const struct ws_topic *topic, unsigned loop, uint64_t number,
                          int64_t except, bool posted) {
  *walk = (struct ws_topics_walk){topic->shares[loop].subscriptions.first, number, except, posted};
}

static bool ws_topics_walk_takes(const struct ws_topics_walk *walk, struct ws_subscription *subscription) {
  return walk->number > subscription->after &&
         walk->number <= atomic_load_explicit(&subscription->until, memory_order_relaxed) &&
         subscription->conn->id != walk->except && ws_broadcast_reaches(subscription->conn, walk->posted);
}

struct ws_conn *ws_topics_walk_next(void *context) {
  struct ws_topics_walk *walk = context;
  while (walk->next) {
    struct ws_subscription *subscription = ws_container_of(walk->next, struct ws_subscription, of_topic);
    walk->next = walk->next->next;
    if (ws_topics_walk_takes(walk, subscription))
      return subscription->conn;
  }
  return NULL;
}
