#include "args.h"

#include <stdio.h>
#include <string.h>

#include "protocol/handshake.h"

static const char *ws_args_protocol_problem(struct ws_slice list, struct ws_slice name) {
  struct ws_slice other;
  if (name.size == 0)
    return "is empty";
  if (name.size > WS_PROTOCOL_MAX)
    return "is longer than 255 bytes";
  if (!ws_slice_is_token(name))
    return "holds a character that no token can";
  while (ws_slice_next(&list, ',', &other)) {
    if (other.data != name.data && ws_slice_equal(other, name))
      return "is named twice";
  }
  return NULL;
}

int ws_args_protocols(const char *op, const char *protocols, struct ws_error *error) {
  struct ws_slice list = ws_slice_of(protocols);
  struct ws_slice rest = list;
  struct ws_slice name;
  char shown[WS_PROTOCOL_MAX + 1];
  if (ws_slice_trim(list).size == 0)
    return 0;
  if (list.size > UINT16_MAX) {
    ws_error_protocols(error, op, "…", "stands in a list of more than 65535 bytes");
    return -1;
  }
  while (ws_slice_next(&rest, ',', &name)) {
    const char *problem = ws_args_protocol_problem(list, name);
    if (problem) {
      snprintf(shown, sizeof shown, "%.*s", (int)name.size, name.data);
      ws_error_protocols(error, op, shown, problem);
      return -1;
    }
  }
  return 0;
}
