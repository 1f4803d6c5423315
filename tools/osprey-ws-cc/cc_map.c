#include "cc_map.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool cc_map_init(struct cc_map *map, const char *path) {
  struct stat status;
  *map = (struct cc_map){NULL, 0};
  if (stat(path, &status) || !S_ISREG(status.st_mode))
    return false;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  size_t size = (size_t)status.st_size;
  void *bytes = fd >= 0 && size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
  if (bytes != MAP_FAILED)
    *map = (struct cc_map){bytes, size};
  if (fd >= 0)
    close(fd);
  return fd >= 0 && (!size || bytes != MAP_FAILED); /* an empty file cannot be mapped */
}

void cc_map_deinit(struct cc_map *map) {
  if (map->size)
    munmap((void *)map->bytes, map->size);
  *map = (struct cc_map){NULL, 0};
}

bool cc_map_begins(const struct cc_map *map, const char *word) {
  size_t length = strlen(word);
  return map->size >= length && !memcmp(map->bytes, word, length);
}

bool cc_map_contains(const struct cc_map *map, const char *word, bool with_nul) {
  return map->size && memmem(map->bytes, map->size, word, strlen(word) + with_nul);
}
