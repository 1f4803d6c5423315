#include "quoted.h"

struct ws_slice ws_quoted_value(struct ws_slice text, char room[WS_QUOTED_MAX]) {
  size_t size = 0;
  if (ws_slice_find(text, '\\') == text.size)
    return text;
  for (size_t i = 0; i < text.size && size < WS_QUOTED_MAX; i++) {
    if (text.data[i] == '\\' && i + 1 < text.size)
      i++;
    room[size++] = text.data[i];
  }
  return (struct ws_slice){room, size};
}
