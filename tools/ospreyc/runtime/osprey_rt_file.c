#undef _GNU_SOURCE /* which has another strerror_r than POSIX */
#include "osprey_rt_library.h"
#include "osprey_rt_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_FIRST = 64 * 1024 };

/* "readFile: PATH: REASON", as a string of the program. */
static const char *file_error(const char *function, const char *path, int number) {
  char reason[128];
  const char *why = strerror_r(number, reason, sizeof reason) == 0 ? reason : "unknown error";
  char *text = osprey_rt_text_alloc(strlen(function) + strlen(path) + strlen(why) + strlen(": : "));
  stpcpy(stpcpy(stpcpy(stpcpy(stpcpy(text, function), ": "), path), ": "), why);
  return text;
}

/* Reads a stream to its end, because the size of a pipe is not known before. Returns NULL with errno set. */
static char *file_read_all(FILE *file, size_t *length) {
  size_t capacity = FILE_FIRST, count;
  char *bytes = malloc(capacity);
  *length = 0;
  while (bytes && (count = fread(bytes + *length, 1, capacity - *length, file)) > 0) {
    *length += count;
    if (*length < capacity)
      continue;
    char *larger = realloc(bytes, capacity *= 2);
    if (!larger)
      free(bytes);
    bytes = larger;
  }
  if (!bytes || !ferror(file))
    return bytes;
  free(bytes);
  return NULL;
}

char *osp_rt_read_file(const char *path, const char **error) {
  size_t length = 0;
  FILE *file = fopen(path, "re");
  char *bytes = file ? file_read_all(file, &length) : NULL;
  int number = errno;
  if (file)
    fclose(file);
  *error = bytes ? NULL : file_error("readFile", path, number);
  char *text = bytes ? osprey_rt_text_of(bytes, length) : NULL;
  free(bytes);
  return text;
}

/* Writes the bytes of a text, in which C0 80 is the byte 0. */
static int64_t file_write_text(FILE *file, const char *text) {
  int64_t written = 0;
  while (*text) {
    const char *zero = strstr(text, "\xc0\x80");
    size_t count = zero ? (size_t)(zero - text) : strlen(text);
    if (fwrite(text, 1, count, file) != count || (zero && fputc('\0', file) == EOF))
      return -1;
    written += (int64_t)count + (zero != NULL);
    text += count + (zero ? 2 : 0);
  }
  return written;
}

/* A full disk may be noticed only when the file is closed. */
int64_t osp_rt_write_file(const char *path, const char *content, const char **error) {
  FILE *file = fopen(path, "we");
  int64_t written = file ? file_write_text(file, content) : -1;
  int number = errno;
  if (file && fclose(file) != 0 && written >= 0) {
    written = -1;
    number = errno;
  }
  *error = written >= 0 ? NULL : file_error("writeFile", path, number);
  return written >= 0 ? written : 0;
}
