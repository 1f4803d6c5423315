#include "server_cluster.h"

#include "server.h"
#include "server_settings.h"

int ws_server_cluster_check(struct ws_server *server, struct ws_error *error) {
  if (ws_server_settings_lock(server, "cluster", error))
    return -1;
  bool has = server->topics.cluster != NULL;
  pthread_mutex_unlock(&server->lock);
  if (has)
    ws_error_cluster_twice(error, server->id);
  return has ? -1 : 0;
}

int ws_server_cluster_join(struct ws_server *server, struct ws_cluster *cluster, struct ws_error *error) {
  if (ws_server_settings_lock(server, "cluster", error))
    return -1;
  bool has = server->topics.cluster != NULL;
  if (!has) {
    server->topics.cluster = cluster;
    atomic_store(&server->busy, 1);
  }
  pthread_mutex_unlock(&server->lock);
  if (has)
    ws_error_cluster_twice(error, server->id);
  return has ? -1 : 0;
}

void ws_server_cluster_over(struct ws_server *server) {
  ws_server_leave(server);
}

bool ws_server_cluster_has(struct ws_server *server, const char *topic) {
  struct ws_topic *found = ws_topics_get(&server->topics, topic);
  if (!found)
    return false;
  pthread_mutex_lock(&server->topics.lock);
  ws_topics_unref(&server->topics, found);
  pthread_mutex_unlock(&server->topics.lock);
  return true;
}
