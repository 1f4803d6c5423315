#include "source.h"

#include "arena.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCE_MAX_BYTES = 64 * 1024 * 1024 };

/* The length of the UTF-8 sequence at p, which has n bytes: 1 to 4, or 0 if it is not valid. */
static size_t source_sequence(const unsigned char *p, size_t n) {
  unsigned char lead = p[0];
  if (lead < 0x80)
    return 1;
  size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || length > n)
    return 0;
  for (size_t i = 1; i < length; i++)
    if ((p[i] & 0xc0) != 0x80)
      return 0;
  bool overlong = (lead == 0xe0 && p[1] < 0xa0) || (lead == 0xf0 && p[1] < 0x90);
  bool surrogate = lead == 0xed && p[1] > 0x9f;
  bool too_large = lead == 0xf4 && p[1] > 0x8f;
  return overlong || surrogate || too_large ? 0 : length;
}

static void source_find_lines(struct source *source, struct arena *arena) {
  size_t count = 1;
  for (size_t i = 0; i < source->length; i++)
    count += source->text[i] == '\n';
  source->line_starts = arena_array(arena, count, sizeof *source->line_starts);
  source->line_count = count;
  size_t line = 1;
  for (size_t i = 0; i < source->length; i++)
    if (source->text[i] == '\n')
      source->line_starts[line++] = (uint32_t)i + 1;
}

int source_from_memory(struct source *source, struct arena *arena, const char *path, const char *text, size_t length,
                       const char **problem, struct place *place) {
  *source = (struct source){.path = path, .text = ""};
  *place = (struct place){0};
  *problem = length > SOURCE_MAX_BYTES ? "the file is larger than 64 MiB" : length ? NULL : "the file is empty";
  if (!*problem) {
    source->text = arena_copy(arena, text, length);
    source->length = length;
  }
  for (size_t i = 0, step; i < source->length && !*problem; i += step) {
    step = source_sequence((const unsigned char *)text + i, length - i);
    if (text[i] == '\0')
      *problem = "the file contains a NUL byte: it is not an Osprey program";
    else if (!step)
      *problem = "the file is not valid UTF-8";
    if (*problem)
      *place = (struct place){(uint32_t)i, 1};
  }
  source_find_lines(source, arena);
  return *problem ? -1 : 0;
}

/* Reads a stream to its end, or until it exceeds the limit. Returns malloc'ed memory, or NULL with errno set. */
static char *source_slurp(FILE *file, size_t *length) {
  char *text = NULL;
  *length = 0;
  for (size_t capacity = 16 * 1024;; capacity *= 2) {
    char *larger = realloc(text, capacity);
    if (!larger)
      break;
    text = larger;
    *length += fread(text + *length, 1, capacity - *length, file);
    if (ferror(file))
      break;
    if (*length < capacity || *length > SOURCE_MAX_BYTES)
      return text;
  }
  int error = errno ? errno : EIO;
  free(text);
  errno = error;
  return NULL;
}

int source_read(struct source *source, struct arena *arena, const char *path, const char **problem,
                struct place *place) {
  size_t length = 0;
  errno = 0;
  FILE *file = fopen(path, "rb");
  char *text = file ? source_slurp(file, &length) : NULL;
  int error = errno;
  if (file)
    fclose(file);
  if (!text) {
    *source = (struct source){.path = path, .text = ""};
    *place = (struct place){0};
    source_find_lines(source, arena);
    *problem = arena_printf(arena, "cannot read the file: %s", strerror(error));
    return -1;
  }
  int outcome = source_from_memory(source, arena, path, text, length, problem, place);
  free(text);
  return outcome;
}

void source_position(const struct source *source, struct place place, unsigned *line, unsigned *column) {
  size_t low = 0, high = source->line_count;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (source->line_starts[middle] <= place.offset)
      low = middle;
    else
      high = middle;
  }
  unsigned characters = 0;
  for (uint32_t i = source->line_starts[low]; i < place.offset; i++)
    characters += (source->text[i] & 0xc0) != 0x80;
  *line = (unsigned)low + 1;
  *column = characters + 1;
}
