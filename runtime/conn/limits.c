#include "limits.h"

#include <stdio.h>
#include <string.h>

#include "protocol/frame.h"

static const struct ws_limit ws_limits_table[] = {
#define WS_LIMIT(name, member, initial, low, high) {#name, initial, low, high, offsetof(struct ws_limits, member)},
    WS_LIMITS(WS_LIMIT)
#undef WS_LIMIT
};

enum { WS_LIMITS_COUNT = sizeof ws_limits_table / sizeof *ws_limits_table };

static int64_t *ws_limits_member(struct ws_limits *limits, const struct ws_limit *limit) {
  return (int64_t *)(void *)((char *)limits + limit->offset);
}

void ws_limits_init(struct ws_limits *limits) {
  for (size_t i = 0; i < WS_LIMITS_COUNT; i++)
    *ws_limits_member(limits, &ws_limits_table[i]) = ws_limits_table[i].initial;
}

const struct ws_limit *ws_limits_find(const char *name) {
  for (size_t i = 0; i < WS_LIMITS_COUNT; i++) {
    if (strcmp(name, ws_limits_table[i].name) == 0)
      return &ws_limits_table[i];
  }
  return NULL;
}

int64_t ws_limits_lowest(const struct ws_limits *limits, const struct ws_limit *limit) {
  return limit->offset == offsetof(struct ws_limits, max_queued_bytes) ? limits->max_message_bytes : limit->low;
}

void ws_limits_set(struct ws_limits *limits, const struct ws_limit *limit, int64_t value) {
  int64_t least = value + WS_FRAME_HEADER_MAX;
  *ws_limits_member(limits, limit) = value;
  if (limit->offset == offsetof(struct ws_limits, max_message_bytes) && limits->max_queued_bytes < least)
    limits->max_queued_bytes = least;
}

void ws_limits_names(char *to, size_t room) {
  size_t used = 0;
  for (size_t i = 0; i < WS_LIMITS_COUNT && used < room; i++)
    used += (size_t)snprintf(to + used, room - used, "%s%s", i ? ", " : "", ws_limits_table[i].name);
}
