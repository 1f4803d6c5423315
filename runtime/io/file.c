#include "file.h"

#include <sys/stat.h>

#include "sys.h"

/* Reads until the end of the file or of the chunk. The size, or -1 with errno. */
static ssize_t ws_file_fill(int fd, struct ws_chunk *chunk) {
  size_t size = 0;
  ssize_t n = 1;
  while (n > 0 && size < chunk->size) {
    n = ws_sys_read_file(fd, chunk->bytes + size, chunk->size - size);
    if (n < 0)
      return -1;
    size += (size_t)n;
  }
  return (ssize_t)size;
}

/* A chunk with room for the file. NULL with the reason. */
static struct ws_chunk *ws_file_room(int fd, size_t cap, struct ws_why *why) {
  struct stat status;
  struct ws_chunk *chunk = NULL;
  if (fstat(fd, &status))
    ws_why_set(why, "%s", ws_why_errno(errno));
  else if (!S_ISREG(status.st_mode))
    ws_why_set(why, "%s", S_ISDIR(status.st_mode) ? ws_why_errno(EISDIR) : "it is not a regular file");
  else if ((size_t)status.st_size > cap)
    ws_why_set(why, "it has %zu bytes, and there is room for %zu", (size_t)status.st_size, cap);
  else if (!(chunk = ws_chunk_new((size_t)status.st_size)))
    ws_why_set(why, "out of memory");
  return chunk;
}

struct ws_chunk *ws_file_read(const char *file, size_t cap, struct ws_why *why) {
  int fd = ws_sys_open(file);
  if (fd < 0) {
    ws_why_set(why, "%s", ws_why_errno(errno));
    return NULL;
  }
  struct ws_chunk *chunk = ws_file_room(fd, cap, why);
  ssize_t size = chunk ? ws_file_fill(fd, chunk) : 0;
  if (size < 0) {
    ws_why_set(why, "%s", ws_why_errno(errno));
    ws_chunk_unref(chunk);
    chunk = NULL;
  }
  ws_sys_close(fd);
  return chunk && (size_t)size < chunk->size ? ws_chunk_shrink(chunk, (size_t)size) : chunk;
}
