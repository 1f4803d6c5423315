#include "rooms.h"

#include <string.h>

#include "conn/conn.h"
#include "lookup.h"
#include "server/server.h"
#include "server/server_broadcast.h"
#include "server/topics.h"

/* 0, or -1 with the error set. */
static int ws_rooms_check(const char *op, const char *topic, struct ws_error *error) {
  size_t size = strlen(topic);
  if (size > 0 && size <= WS_TOPIC_MAX)
    return 0;
  ws_error_topic(error, op, size);
  return -1;
}

/* Looks up a connection of a server, which it keeps alive. NULL with the error set. */
static struct ws_server *ws_rooms_find(const char *op, int64_t id, const char *topic, struct ws_found *found,
                                       struct ws_error *error) {
  if (ws_rooms_check(op, topic, error) || ws_lookup_conn(op, id, found, error))
    return NULL;
  if (found->conn->group->ops->server_id)
    return ws_server_share_of(found->conn)->server;
  ws_error_no_topics(error, op, id);
  ws_lookup_release(found);
  return NULL;
}

static void ws_rooms_failed(const char *op, enum ws_topics_outcome outcome, const struct ws_conn *conn,
                            struct ws_error *error) {
  if (outcome == WS_TOPICS_CLOSING)
    ws_conn_check_open(op, conn, error);
  else if (outcome == WS_TOPICS_FULL)
    ws_error_topics_full(error, op, conn->id, conn->group->rules->limits.max_topics);
  else if (outcome == WS_TOPICS_NO_MEMORY)
    ws_error_memory(error, op);
}

void ws_rooms_subscribe(int64_t id, const char *topic, struct ws_error *error) {
  struct ws_found found;
  struct ws_server *server = ws_rooms_find("subscribe", id, topic, &found, error);
  if (!server)
    return;
  enum ws_topics_outcome outcome =
      ws_topics_subscribe(&server->topics, found.conn, found.local, topic, server->rules.limits.max_topics);
  ws_rooms_failed("subscribe", outcome, found.conn, error);
  ws_lookup_release(&found);
}

void ws_rooms_unsubscribe(int64_t id, const char *topic, struct ws_error *error) {
  struct ws_found found;
  struct ws_server *server = ws_rooms_find("unsubscribe", id, topic, &found, error);
  if (!server)
    return;
  enum ws_topics_outcome outcome = ws_topics_unsubscribe(&server->topics, found.conn, found.local, topic);
  ws_rooms_failed("unsubscribe", outcome, found.conn, error);
  ws_lookup_release(&found);
}

void ws_rooms_publish(int64_t server_id, const char *topic, const char *message, struct ws_error *error) {
  struct ws_server *server =
      ws_rooms_check("publish", topic, error) ? NULL : ws_lookup_server("publish", server_id, error);
  if (!server)
    return;
  ws_server_broadcast_to_topic(server, "publish", topic, message, 0, error);
  ws_server_unpin(server);
}

void ws_rooms_publish_from(int64_t id, const char *topic, const char *message, struct ws_error *error) {
  struct ws_found found;
  struct ws_server *server = ws_rooms_find("publish from", id, topic, &found, error);
  if (!server)
    return;
  ws_server_broadcast_to_topic(server, "publish from", topic, message, id, error);
  ws_lookup_release(&found);
}

int64_t ws_rooms_subscribers(int64_t server_id, const char *topic, struct ws_error *error) {
  struct ws_server *server =
      ws_rooms_check("subscribers", topic, error) ? NULL : ws_lookup_server("subscribers", server_id, error);
  if (!server)
    return 0;
  int64_t count = ws_topics_count(&server->topics, topic);
  ws_server_unpin(server);
  return count;
}
