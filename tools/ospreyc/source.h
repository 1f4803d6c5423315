#pragma once
/* Source files: reading them, and finding lines and columns in them.
 *
 * Lines and columns count from 1. A column counts characters: a tab is one, a multi-byte character is one.
 */
#include <stddef.h>
#include <stdint.h>

struct arena;

/* A range of the source text, in bytes. Inside the text: offset <= length of the source. */
struct place {
  uint32_t offset;
  uint32_t length;
};

/* A file: valid UTF-8 without NUL bytes, followed by a NUL. */
struct source {
  const char *path;
  const char *text;
  size_t length;
  uint32_t *line_starts; /* the offset of each line */
  size_t line_count;
};

/* Reads a file. Returns 0. On failure returns -1 with the reason in *problem and its place in *place; the source then
 * holds as much as is known. */
int source_read(struct source *source, struct arena *arena, const char *path, const char **problem,
                struct place *place);

/* The same for text in memory. Copies the text. */
int source_from_memory(struct source *source, struct arena *arena, const char *path, const char *text, size_t length,
                       const char **problem, struct place *place);

void source_position(const struct source *source, struct place place, unsigned *line, unsigned *column);
