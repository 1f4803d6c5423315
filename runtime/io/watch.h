#pragma once
/* A watch: a descriptor and the callback for its readiness. The owner embeds it and owns the descriptor: the loop never
 * closes it.
 */
#include <stdint.h>

struct ws_loop;

enum {
  WS_READ = 1,
  WS_WRITE = 2,
  WS_EXCLUSIVE = 4, /* with WS_READ, on a listening socket: wake only one of the loops that watch it */
};

struct ws_watch {
  void (*ready)(struct ws_loop *loop, struct ws_watch *watch, unsigned events);
  int fd;
  uint8_t interest; /* set by ws_loop_watch */
};
