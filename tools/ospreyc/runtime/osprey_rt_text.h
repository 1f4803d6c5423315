#pragma once
/* Rendering, internal to libosprey_rt. */
#include "osprey_rt.h"

#include <stddef.h>

/* Allocates a string block for `length` bytes and a NUL; never NULL. */
char *osprey_rt_text_alloc(size_t length);

/* Copies bytes to a string. A NUL byte becomes C0 80, because it would end the string. */
char *osprey_rt_text_of(const char *bytes, size_t length);

/* Returns an upper bound of the length of the rendered parts. */
size_t osprey_rt_text_bound(const struct osp_rt_part *parts, int64_t count);

/* Renders the parts and a NUL to `at`. Returns the address of the NUL. */
char *osprey_rt_text_put(char *at, const struct osp_rt_part *parts, int64_t count);
