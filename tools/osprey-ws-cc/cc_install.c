#include "cc_install.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char *cc_install_find(const char *built_folder, const char *name) {
  char self[PATH_MAX], *path = NULL;
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  self[length < 0 ? 0 : length] = '\0';
  const char *directory = dirname(self);
  if (asprintf(&path, "%s/%s/%s", directory, built_folder, name) < 0)
    return NULL;
  if (!access(path, R_OK))
    return path;
  free(path);
  return asprintf(&path, "%s/%s/%s", directory, OSPREY_WS_LIBDIR, name) < 0 ? NULL : path;
}
