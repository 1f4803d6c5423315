#pragma once
/* The language's own functions (spec/functions.def), as the checker and the lowering need them. */
#include "type.h"

enum library_group {
#define FN_GROUP(group, title) LIBRARY_##group,
#include "functions.def"
};

enum library_outcome { LIBRARY_VALUE, LIBRARY_ERROR, LIBRARY_MATH };

struct library_parameter {
  const char *name;
  enum type_kind type;
};

struct library_function {
  enum library_group group;
  const char *name;
  const char *symbol; /* of the C function */
  enum library_outcome outcome;
  enum type_kind result; /* if the function can fail, of its Success */
  const struct library_parameter *parameters;
  size_t parameter_count;
};

extern const struct library_function library_functions[];
extern const size_t library_function_count;

/* Whether a name, keyword or type belongs to Osprey but not to ospreyc. */
bool library_leaves_out(const char *name);
bool library_leaves_out_word(const char *word);
bool library_leaves_out_type(const char *name);
