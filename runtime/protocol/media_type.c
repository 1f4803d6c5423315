#include "media_type.h"

#include <string.h>

#include "slice.h"

static const struct {
  const char *end;
  const char *type;
} ws_media_types[] = {
    {"html", "text/html; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"js", "text/javascript; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"json", "application/json; charset=utf-8"},
    {"map", "application/json; charset=utf-8"},
    {"txt", "text/plain; charset=utf-8"},
    {"xml", "text/xml; charset=utf-8"},
    {"svg", "image/svg+xml; charset=utf-8"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"ico", "image/x-icon"},
    {"webp", "image/webp"},
    {"wasm", "application/wasm"},
    {"woff2", "font/woff2"},
};

bool ws_media_type_valid(const char *type) {
  struct ws_slice whole = ws_slice_of(type);
  struct ws_slice essence = ws_slice_trim((struct ws_slice){type, ws_slice_find(whole, ';')});
  size_t slash = ws_slice_find(essence, '/');
  if (whole.size > WS_MEDIA_TYPE_MAX || slash == essence.size || essence.data != type ||
      !ws_slice_is_token((struct ws_slice){type, slash}) || !ws_slice_is_token(ws_slice_from(essence, slash + 1)))
    return false;
  for (size_t i = 0; i < whole.size; i++)
    if (type[i] < ' ' || type[i] > '~')
      return false;
  return type[whole.size - 1] != ' ';
}

const char *ws_media_type_of(const char *file) {
  const char *name = strrchr(file, '/') ? strrchr(file, '/') : file;
  const char *dot = strrchr(name, '.');
  for (size_t i = 0; dot && i < sizeof ws_media_types / sizeof *ws_media_types; i++)
    if (ws_slice_equal_nocase(ws_slice_of(dot + 1), ws_slice_of(ws_media_types[i].end)))
      return ws_media_types[i].type;
  return "application/octet-stream";
}
