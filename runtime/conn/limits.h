#pragma once
/* The limits of a server and of a client: the one table.
 *
 *   WS_LIMIT(name in Osprey, member, default, lowest, highest)
 *
 * A server's limits are set by websocketServerLimit. A client has the defaults, but for what WebSocketOptions says.
 * Invariant, kept by ws_limits_set: maxQueuedBytes is at least maxMessageBytes. An empty queue takes any message.
 */
#include <stddef.h>
#include <stdint.h>

#define WS_GIB ((int64_t)1 << 30)
#define WS_LIMITS(WS_LIMIT)                                                                                            \
  WS_LIMIT(maxMessageBytes, max_message_bytes, 1048576, 1, WS_GIB)                                                     \
  WS_LIMIT(maxFragments, max_fragments, 100000, 1, WS_GIB)                                                             \
  WS_LIMIT(maxQueuedBytes, max_queued_bytes, 16777216, 1, 4 * WS_GIB)                                                  \
  WS_LIMIT(maxConnections, max_connections, 10000, 1, (int64_t)1 << 24)                                                \
  WS_LIMIT(maxConnectionsPerAddress, max_connections_per_address, 1000, 0, (int64_t)1 << 24)                           \
  WS_LIMIT(maxMessagesPerSecond, max_messages_per_second, 0, 0, WS_GIB)                                                \
  WS_LIMIT(maxMemoryBytes, max_memory_bytes, WS_GIB, 1048576, 1024 * WS_GIB)                                           \
  WS_LIMIT(maxValueBytes, max_value_bytes, 65536, 0, WS_GIB)                                                           \
  WS_LIMIT(maxServerValueBytes, max_server_value_bytes, 16777216, 0, WS_GIB)                                           \
  WS_LIMIT(maxClusterQueuedBytes, max_cluster_queued_bytes, 8388608, 65536, 4 * WS_GIB)                                \
  WS_LIMIT(maxTopics, max_topics, 256, 0, 65536)                                                                       \
  WS_LIMIT(handshakeTimeoutMs, handshake_timeout_ms, 10000, 1, INT32_MAX)                                              \
  WS_LIMIT(idleTimeoutMs, idle_timeout_ms, 120000, 0, INT32_MAX)                                                       \
  WS_LIMIT(closeTimeoutMs, close_timeout_ms, 60000, 1, INT32_MAX)                                                      \
  WS_LIMIT(compression, compression, 0, 0, 2)                                                                          \
  WS_LIMIT(maxCompressionRatio, max_ratio, 1032, 1, 1032)

enum { WS_COMPRESSION_OFF, WS_COMPRESSION_ON, WS_COMPRESSION_WITHOUT_CONTEXT };

struct ws_limits {
#define WS_LIMIT(name, member, initial, low, high) int64_t member;
  WS_LIMITS(WS_LIMIT)
#undef WS_LIMIT
};

/* A row of the table. */
struct ws_limit {
  const char *name;
  int64_t initial, low, high;
  size_t offset; /* in struct ws_limits */
};

void ws_limits_init(struct ws_limits *limits);

/* The row of this name; NULL if there is none. */
const struct ws_limit *ws_limits_find(const char *name);

/* The lowest value that `limit` may have beside the other limits. */
int64_t ws_limits_lowest(const struct ws_limits *limits, const struct ws_limit *limit);

/* Sets a value between ws_limits_lowest and limit->high. Raising maxMessageBytes raises maxQueuedBytes with it. */
void ws_limits_set(struct ws_limits *limits, const struct ws_limit *limit, int64_t value);

/* Writes "maxMessageBytes, maxFragments, …", cut to `room`. */
void ws_limits_names(char *to, size_t room);
