#pragma once
/* websocketSubscribe, websocketUnsubscribe, websocketPublish, websocketPublishFrom, websocketSubscribers: topics of a
 * server's connections. Any thread. Those that fail return 0 and set the error. */
#include <stdint.h>

#include "osprey/error.h"

void ws_rooms_subscribe(int64_t id, const char *topic, struct ws_error *error);
void ws_rooms_unsubscribe(int64_t id, const char *topic, struct ws_error *error);
void ws_rooms_publish(int64_t server_id, const char *topic, const char *message, struct ws_error *error);
void ws_rooms_publish_from(int64_t id, const char *topic, const char *message, struct ws_error *error);
int64_t ws_rooms_subscribers(int64_t server_id, const char *topic, struct ws_error *error);
