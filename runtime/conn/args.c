#include "args.h"

#include <stdio.h>

#include "protocol/subprotocol.h"

int ws_args_protocols(const char *op, const char *protocols, struct ws_error *error) {
  struct ws_slice list = ws_slice_of(protocols);
  struct ws_slice name;
  char shown[WS_SUBPROTOCOL_MAX + 1];
  if (list.size > UINT16_MAX) {
    ws_error_protocols(error, op, "…", "stands in a list of more than 65535 bytes");
    return -1;
  }
  const char *problem = ws_subprotocol_check(list, &name);
  if (!problem)
    return 0;
  snprintf(shown, sizeof shown, "%.*s", name.size < sizeof shown ? (int)name.size : (int)sizeof shown - 1, name.data);
  ws_error_protocols(error, op, shown, problem);
  return -1;
}
