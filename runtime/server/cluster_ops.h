#pragma once
/* What a server tells its cluster, if it has one (websocketServerCluster). The cluster is in an archive of its own,
 * which only programs that call the builtin link: the server knows it by these operations.
 *
 * The lock of the server's topics is held in `publish` and `topic`, so that the cluster takes messages in the order of
 * their numbers. Neither waits.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "osprey/error.h"

struct ws_broadcast;
struct ws_cluster;
struct ws_server;

enum ws_cluster_outcome {
  WS_CLUSTER_TAKEN,
  WS_CLUSTER_FULL, /* maxClusterQueuedBytes wait */
  WS_CLUSTER_NO_MEMORY,
};

struct ws_cluster_ops {
  /* Queues a message for the other members; `topic` is NULL for a broadcast. Shares the frame. Any thread. */
  enum ws_cluster_outcome (*publish)(struct ws_cluster *cluster, const char *topic,
                                     const struct ws_broadcast *broadcast);
  /* This process has subscribers of the topic from now on, or none any more. 0, or -1: no memory; only for `on`. */
  int (*topic)(struct ws_cluster *cluster, const char *topic, bool on);
  /* Waits for room in the queue, within WS_SEND_TIMEOUT_MS; not while the engine is away. Not on a loop thread. */
  void (*await_room)(struct ws_cluster *cluster);
  /* The server stops: sends what is queued, leaves, and calls ws_server_cluster_over on a thread of its own. Once. */
  void (*stop)(struct ws_cluster *cluster);
  /* The server is freed. */
  void (*free)(struct ws_cluster *cluster);
};

/* The head of what the archive of the cluster allocates. */
struct ws_cluster {
  const struct ws_cluster_ops *ops;
};
