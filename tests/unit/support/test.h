#pragma once
/* CMocka, the headers that it needs before it, and waiting for a condition. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Polls the condition, which has no event to wait for, until it holds. */
#define WAIT_UNTIL(condition)                                                                                          \
  do {                                                                                                                 \
    for (int tries_ = 0; !(condition); tries_++) {                                                                     \
      if (tries_ > 4000)                                                                                               \
        fail_msg("never true: %s", #condition);                                                                        \
      poll(NULL, 0, 2);                                                                                                \
    }                                                                                                                  \
  } while (0)
