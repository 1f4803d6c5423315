#include "unparsed.h"

#include <string.h>

#include "base/mem.h"

struct ws_unparsed *ws_unparsed_new(const uint8_t *bytes, size_t n) {
  struct ws_unparsed *unparsed = ws_mem_alloc(sizeof *unparsed + n);
  if (!unparsed)
    return NULL;
  *unparsed = (struct ws_unparsed){.size = n};
  memcpy(unparsed->bytes, bytes, n);
  return unparsed;
}

void ws_unparsed_free(struct ws_unparsed *unparsed) {
  if (unparsed)
    ws_mem_wipe(unparsed->bytes, unparsed->size);
  ws_mem_free(unparsed);
}
