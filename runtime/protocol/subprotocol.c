#include "subprotocol.h"

bool ws_subprotocol_list_contains(const struct ws_subprotocol_list *list, struct ws_slice name) {
  for (size_t i = 0; i < list->count; i++) {
    if (ws_slice_equal(list->names[i], name))
      return true;
  }
  return false;
}

const char *ws_subprotocol_list_add(struct ws_subprotocol_list *list, struct ws_slice text, struct ws_slice *wrong) {
  while (ws_slice_next(&text, ',', wrong)) {
    if (wrong->size == 0)
      return "is empty";
    if (wrong->size > WS_SUBPROTOCOL_MAX)
      return "is longer than 255 bytes";
    if (!ws_slice_is_token(*wrong))
      return "contains a character that is not valid in a token";
    if (ws_subprotocol_list_contains(list, *wrong))
      return "is named twice";
    if (list->count == WS_SUBPROTOCOLS_MAX)
      return "is one more than the 100 that a list may name";
    list->names[list->count++] = *wrong;
  }
  return NULL;
}

const char *ws_subprotocol_check(struct ws_slice text, struct ws_slice *wrong) {
  struct ws_subprotocol_list list;
  list.count = 0;
  return ws_slice_trim(text).size == 0 ? NULL : ws_subprotocol_list_add(&list, text, wrong);
}
