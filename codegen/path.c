#include "path.h"

unsigned cg_path_step(uint64_t index) {
  return index < CG_PATH_ANY - 1 ? (unsigned)index + 1 : CG_PATH_ANY;
}

unsigned cg_path_first(cg_path path) {
  return (unsigned)(path & CG_PATH_ANY);
}

cg_path cg_path_rest(cg_path path) {
  return path >> CG_PATH_BITS;
}

bool cg_path_prepend(cg_path *path, unsigned step) {
  bool fits = *path >> CG_PATH_BITS * (CG_PATH_MOST - 1) == 0;
  *path = *path << CG_PATH_BITS | step;
  return fits;
}

bool cg_path_append(cg_path *path, unsigned step) {
  unsigned level = 0;
  while (level < CG_PATH_MOST && *path >> CG_PATH_BITS * level)
    level++;
  if (level < CG_PATH_MOST)
    *path |= (cg_path)step << CG_PATH_BITS * level;
  return level < CG_PATH_MOST;
}
