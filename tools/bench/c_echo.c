/* The echo of echo.osp in C, on the same entry points of the runtime. The difference between the two is the cost of
 * Osprey.
 *
 *   c_echo PORT
 */
#include <stdio.h>
#include <stdlib.h>

#include "osp_ws.h"
#include "osprey/osprey_mem.h"

struct connection {
  int64_t tag;
  int64_t id;
};

struct message {
  int64_t tag;
  const char *type;
  const char *data;
};

struct result {
  int64_t value;
  int8_t is_error;
  char *message;
};

static void *echo(void *cell, const struct connection *from, const struct message *message) {
  (void)cell;
  enum { MESSAGE_IS_A_REFERENCE = 1 << 10 };
  struct result *result = osp_alloc_tagged(sizeof *result, 1 | MESSAGE_IS_A_REFERENCE);
  char *error;
  result->value = message->type[0] == 't' ? osp_ws_send(from->id, message->data, &error)
                                          : osp_ws_send_binary(from->id, message->data, &error);
  result->is_error = error != NULL;
  result->message = error;
  return result;
}

static void check(const char *error) {
  if (!error)
    return;
  fprintf(stderr, "c_echo: %s\n", error);
  exit(1);
}

int main(int argc, char **argv) {
  static void *cell[] = {(void *)echo};
  char *error;
  osp_mem_boot();
  int64_t server = osp_ws_create_server(argc > 1 ? atoi(argv[1]) : 0, "127.0.0.1", "/", &error);
  check(error);
  osp_ws_server_limit(server, "maxConnections", 20000, &error);
  check(error);
  osp_ws_server_limit(server, "maxConnectionsPerAddress", 20000, &error);
  check(error);
  osp_ws_server_on_message(server, cell, &error);
  check(error);
  osp_ws_server_listen(server, &error);
  check(error);
  puts("listening");
  fflush(stdout);
  osp_ws_keep_alive(&error);
  check(error);
  return 0;
}
