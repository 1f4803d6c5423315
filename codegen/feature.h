#pragma once
/* The attribute "target-features": "+avx2,-sse4a,…". */

#include <stddef.h>

/* Writes the features that two lists share, in the order of the first; `shared` has room for the first. Of several
 * entries for one feature the last holds. Returns the length; 0 if none is shared, or out of memory. */
size_t cg_feature_share(const char *first, size_t first_length, const char *second, size_t second_length, char *shared);
