#include "library.h"

#include <string.h>

/* The types that the table names. */
enum {
  LIBRARY_INT = TYPE_INT,
  LIBRARY_FLOAT = TYPE_FLOAT,
  LIBRARY_BOOL = TYPE_BOOL,
  LIBRARY_STRING = TYPE_STRING,
};

/* Each list ends with an empty element, because C has no empty arrays. */
#define FN_P(name, type) {#name, (enum type_kind)LIBRARY_##type},
#define LIBRARY_LIST(...) ((const struct library_parameter[]){__VA_ARGS__{NULL, TYPE_UNIT}})

const struct library_function library_functions[] = {
#define FN_FUNCTION(group, name, symbol, outcome, result, parameters, doc)                                             \
  {LIBRARY_##group,                                                                                                    \
   #name,                                                                                                              \
   #symbol,                                                                                                            \
   LIBRARY_##outcome,                                                                                                  \
   (enum type_kind)LIBRARY_##result,                                                                                   \
   LIBRARY_LIST(parameters),                                                                                           \
   sizeof LIBRARY_LIST(parameters) / sizeof(struct library_parameter) - 1},
#include "functions.def"
};

const size_t library_function_count = sizeof library_functions / sizeof *library_functions;

static bool library_has(const char *const *names, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(names[i], name) == 0)
      return true;
  return false;
}

bool library_leaves_out(const char *name) {
  static const char *const names[] = {
#define FN_LEFT_OUT(name) #name,
#include "functions.def"
  };
  return library_has(names, sizeof names / sizeof *names, name) || library_leaves_out_word(name);
}

bool library_leaves_out_word(const char *word) {
  static const char *const words[] = {
#define FN_WORD_LEFT_OUT(word) #word,
#include "functions.def"
  };
  return library_has(words, sizeof words / sizeof *words, word);
}

bool library_leaves_out_type(const char *name) {
  static const char *const names[] = {
#define FN_TYPE_LEFT_OUT(name) #name,
#include "functions.def"
  };
  return library_has(names, sizeof names / sizeof *names, name);
}
