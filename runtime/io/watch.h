#pragma once
/* A watch: a descriptor, and what to call when it is ready. Embedded by its owner, who owns the descriptor too: the
 * loop never closes it.
 */
#include <stdint.h>

struct ws_loop;

enum {
  WS_READ = 1,
  WS_WRITE = 2,
  WS_EXCLUSIVE = 4, /* given with WS_READ: of the loops that watch this listening socket, wake one */
};

struct ws_watch {
  void (*ready)(struct ws_loop *loop, struct ws_watch *watch, unsigned events);
  int fd;
  uint8_t interest; /* what ws_loop_watch was last given */
};
