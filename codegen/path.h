#pragma once
/* The way to a part of an aggregate or a vector: at most CG_PATH_MOST indices, counted from 1, of CG_PATH_BITS bits.
 * The lowest is the outermost. No index: the whole value. */

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t cg_path;
enum { CG_PATH_BITS = 16, CG_PATH_MOST = 4, CG_PATH_ANY = (1 << CG_PATH_BITS) - 1 };

/* The step for an index: CG_PATH_ANY stands for every index, as that of a variable or a large one. */
unsigned cg_path_step(uint64_t index);

unsigned cg_path_first(cg_path path);
cg_path cg_path_rest(cg_path path);

/* Put a step before or behind the others. Return false if the path is full. */
bool cg_path_prepend(cg_path *path, unsigned step);
bool cg_path_append(cg_path *path, unsigned step);
