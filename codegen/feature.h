#pragma once
/* The attribute "target-features": "+avx2,-sse4a,…". */

#include <stddef.h>

/* Writes the features of code that both functions may run: "+" where both lists have it, "-" where either has, because
 * "target-cpu" implies features that are in no list. `shared` has room for both and a comma. Of several entries for one
 * feature the last holds. Returns the length; 0 if there are none, or out of memory. */
size_t cg_feature_share(const char *first, size_t first_length, const char *second, size_t second_length, char *shared);
