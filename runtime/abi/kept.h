#pragma once
/* websocketSetValue, websocketValue, websocketRemoveValue: strings kept with a connection or a server. Any thread. */
#include <stdint.h>

#include "osprey/error.h"

/* 0, or -1 with the error set. */
int ws_kept_set(int64_t id, const char *key, const char *value, struct ws_error *error);
int ws_kept_remove(int64_t id, const char *key, struct ws_error *error);

/* A copy of the value, which the caller frees; NULL with the error set. */
char *ws_kept_get(int64_t id, const char *key, struct ws_error *error);
