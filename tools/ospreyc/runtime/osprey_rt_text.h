#pragma once
/* Rendering, between the files of libosprey_rt. */
#include "osprey_rt.h"

#include <stddef.h>

/* A string block for `length` bytes and the NUL; never null. */
char *text_alloc(size_t length);

/* An upper bound of the length of the rendered parts. */
size_t text_bound_all(const struct osp_rt_part *parts, int64_t count);

/* Renders the parts at `at`, ends them with a NUL and returns its place. */
char *text_put_all(char *at, const struct osp_rt_part *parts, int64_t count);
