/* The entry point of websocketServerCluster, in an archive of its own: programs that do not call it need no library of
 * an engine. */
#include "abi/lookup.h"
#include "member.h"
#include "nats.h"
#include "osp_ws.h"

int64_t osp_ws_server_cluster(int64_t server_id, const char *url, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_lookup_server("cluster", server_id, &failure);
  if (server) {
    ws_member_join(server, url, &ws_nats_engine, &failure);
    ws_server_unpin(server);
  }
  *error = ws_error_is_set(&failure) ? ws_error_give(&failure) : NULL;
  return 0;
}
