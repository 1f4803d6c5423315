/* Stands in, by the linker's --wrap, for the question whether this machine can check UTF-8 by blocks: it cannot. */
#include <stdbool.h>

bool __wrap_ws_utf8_blocks_usable(void);

bool __wrap_ws_utf8_blocks_usable(void) {
  return false;
}
