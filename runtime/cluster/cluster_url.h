#pragma once
/* The URL of websocketServerCluster: (nats|tls)://[user[:password]@]host[:port][,host[:port]…]/PREFIX. User and
 * password may have %XX for a byte. */
#include "engine.h"
#include "wire.h"

enum { WS_CLUSTER_URL_HOSTS = 32, WS_CLUSTER_URL_SHOWN = 160 };

struct ws_cluster_url {
  struct ws_engine_address address; /* points into what follows */
  const char *hosts[WS_CLUSTER_URL_HOSTS];
  char prefix[WS_WIRE_PREFIX_MAX + 1];
  char shown[WS_CLUSTER_URL_SHOWN]; /* the hosts, for messages */
  char *text;                       /* a copy of the URL, cut into pieces; wiped when it is freed */
  size_t size;
};

/* Returns what is wrong with the URL, without its credentials; NULL: nothing, and the caller calls _deinit. The struct
 * must not move. */
const char *ws_cluster_url_init(struct ws_cluster_url *parsed, const char *url);
void ws_cluster_url_deinit(struct ws_cluster_url *parsed);
