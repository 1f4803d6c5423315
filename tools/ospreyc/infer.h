#pragma once
/* Inference: types with variables, unification, schemes.
 *
 * A variable has a level: INFER_FILE for one that came up while a statement at file scope was checked, INFER_FUNCTION while
 * a function was. When a function's type is known, its INFER_FUNCTION variables become INFER_GENERIC, and each use of the
 * function gets fresh ones in their place. A variable that meets one of a lower level takes that level, so that what is
 * shared with a global is never generalised.
 *
 * Types form graphs with shared parts, and can grow exponentially in contrived programs: every walk is bounded, and
 * `too_large` says that a bound was reached, which the caller reports.
 */
#include "map.h"
#include "types.h"

enum { INFER_FILE = 0, INFER_FUNCTION = 1, INFER_GENERIC = 2 };

struct types {
  struct arena *arena;
  struct map interned;
  struct type *unit, *integer, *real, *boolean, *string, *wrong;
  unsigned level; /* of new variables */
  unsigned depth; /* of the walk that is going on, and what is left of its steps */
  unsigned steps;
  bool too_large;
};

void types_init(struct types *types, struct arena *arena);

struct type *type_variable(struct types *types);
struct type *type_result(struct types *types, struct type *value, bool math);
struct type *type_iterator(struct types *types, struct type *element);

/* A function type; the array of parameters is kept. */
struct type *type_function(struct types *types, struct type **parameters, size_t count, struct type *result);

/* What a type turned out to be: never a bound variable. */
struct type *type_resolve(struct type *type);

/* Makes two types equal, as far as they can be. Returns whether they are. */
bool type_unify(struct types *types, struct type *a, struct type *b);

/* Makes the variables of a function's type generic. Returns whether there are any. */
bool type_generalise(struct types *types, struct type *type);

/* A copy with fresh variables in the place of the generic ones. */
struct type *type_instantiate(struct types *types, struct type *type);

/* The interned type equal to this one. A variable that nothing determines is Unit. */
struct type *type_ground(struct types *types, struct type *type);
