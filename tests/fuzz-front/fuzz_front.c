/* Fuzzes the front end: on any input it terminates, stays in bounds, reports an error if and only if it rejects, and
 * otherwise returns a tree that satisfies ast.h. DIAG-10 */
#include "front.h"

#include "verify.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Whether a diagnostic is an error. The lines of the source that are shown are indented, whatever they say. */
static bool has_error(const char *said) {
  static const char file[] = "fuzz.osp:";
  for (const char *line = said; *line; line += strcspn(line, "\n"), line += *line == '\n') {
    const char *after = line + sizeof file - 1;
    if (strncmp(line, file, sizeof file - 1) == 0 &&
        strncmp(after + strspn(after, "0123456789:"), " error: ", sizeof " error: " - 1) == 0)
      return true;
  }
  return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const struct check_options options[] = {{NULL, false}, {"--sandbox", true}};
  char *said = NULL;
  size_t length = 0;
  FILE *err = open_memstream(&said, &length);
  struct arena arena;
  if (!err)
    abort();
  arena_init(&arena);
  const struct ast_program *program = front_text("fuzz.osp", (const char *)data, size, &options[size % 2], &arena, err);
  bool accepted = program != NULL;
  fclose(err);
  if (accepted == has_error(said)) /* what is accepted may have warnings */
    abort();
  if (accepted)
    verify_program(program);
  free(said);
  arena_deinit(&arena);
  return 0;
}
