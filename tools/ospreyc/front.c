#include "front.h"

#include "diag.h"
#include "lex.h"
#include "parse.h"

/* Reports a file that cannot be read. Its text is not printed, because it may be binary. */
static struct ast_program *front_unreadable(const struct source *source, const char *problem, struct place place,
                                            FILE *err) {
  unsigned line, column;
  if (!source->length) {
    fprintf(err, "%s: error: %s\n", source->path, problem);
    return NULL;
  }
  source_position(source, place, &line, &column);
  fprintf(err, "%s:%u:%u: error: %s\n", source->path, line, column, problem);
  return NULL;
}

/* Lexes, parses and checks, what could be parsed. A token that could not be read may have been meant to be anything. */
static struct ast_program *front_source(const struct source *source, const struct check_options *options,
                                        struct arena *arena, FILE *err) {
  struct diag diag;
  diag_init(&diag, arena, source);
  struct token_list tokens = lex(source, arena, &diag);
  size_t unread = diag.errors;
  struct syntax_program syntax = parse(tokens, arena, &diag);
  struct ast_program *program = unread ? NULL : check(&syntax, source, options, arena, &diag);
  diag_print(&diag, err);
  return program;
}

struct ast_program *front_file(const char *path, const struct check_options *options, struct arena *arena, FILE *err) {
  struct source *source = arena_alloc(arena, sizeof *source);
  const char *problem;
  struct place place;
  if (source_read(source, arena, path, &problem, &place) != 0)
    return front_unreadable(source, problem, place, err);
  return front_source(source, options, arena, err);
}

struct ast_program *front_text(const char *path, const char *text, size_t length, const struct check_options *options,
                               struct arena *arena, FILE *err) {
  struct source *source = arena_alloc(arena, sizeof *source);
  const char *problem;
  struct place place;
  if (source_from_memory(source, arena, path, text, length, &problem, &place) != 0)
    return front_unreadable(source, problem, place, err);
  return front_source(source, options, arena, err);
}
