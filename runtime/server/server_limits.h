#pragma once
/* The limits of a server: the only list. Order: name, default, lowest, highest.
 *
 * maxQueuedBytes has a lower bound of its own: a message of maxMessageBytes with its header.
 */
#include <stdint.h>

#define WS_GIB ((int64_t)1 << 30)
#define WS_LIMITS(WS_LIMIT)                                                                                            \
  WS_LIMIT(maxMessageBytes, 1048576, 1, WS_GIB)                                                                        \
  WS_LIMIT(maxFragments, 100000, 1, WS_GIB)                                                                            \
  WS_LIMIT(maxQueuedBytes, 16777216, 1, 4 * WS_GIB)                                                                    \
  WS_LIMIT(maxConnections, 10000, 1, (int64_t)1 << 24)                                                                 \
  WS_LIMIT(maxConnectionsPerAddress, 1000, 0, (int64_t)1 << 24)                                                        \
  WS_LIMIT(maxMessagesPerSecond, 0, 0, WS_GIB)                                                                         \
  WS_LIMIT(handshakeTimeoutMs, 10000, 1, INT32_MAX)                                                                    \
  WS_LIMIT(idleTimeoutMs, 120000, 0, INT32_MAX)                                                                        \
  WS_LIMIT(compression, 0, 0, 1)                                                                                       \
  WS_LIMIT(maxCompressionRatio, 100, 1, 1032)

enum ws_limit {
#define WS_LIMIT(name, initial, low, high) WS_LIMIT_##name,
  WS_LIMITS(WS_LIMIT)
#undef WS_LIMIT
      WS_LIMIT_COUNT,
};
