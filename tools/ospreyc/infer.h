#pragma once
/* Type inference: type variables, unification, generalisation.
 *
 * A variable has a level: INFER_FILE if it was made while a statement at file scope was checked, INFER_FUNCTION if a
 * function was. When the type of a function is known, its INFER_FUNCTION variables become INFER_GENERIC, and each use
 * of the function gets fresh variables in their place. A variable that is unified with one of a lower level takes the
 * lower level, so a type that a global shares is never generalised.
 *
 * Types are graphs with shared nodes and can grow exponentially in contrived programs. Every walk is therefore
 * bounded: it sets `too_large` at a bound, and the caller reports it.
 */
#include "map.h"
#include "type.h"

enum { INFER_FILE = 0, INFER_FUNCTION = 1, INFER_GENERIC = 2 };

struct infer {
  struct arena *arena;
  struct map interned;
  struct type *unit, *integer, *real, *boolean, *string, *error;
  unsigned level; /* of new variables */
  unsigned depth; /* of the current walk */
  unsigned steps; /* that the current walk may still take */
  bool too_large;
};

void infer_init(struct infer *infer, struct arena *arena);

struct type *infer_variable(struct infer *infer);

/* `math`: print the error type as MathError. */
struct type *infer_result(struct infer *infer, struct type *value, bool math);
struct type *infer_iterator(struct infer *infer, struct type *element);

/* A function type. Keeps the array of parameters. */
struct type *infer_function(struct infer *infer, struct type **parameters, size_t count, struct type *result);

/* Follows the bindings of variables. Never returns a bound variable. */
struct type *infer_resolve(const struct type *type);

/* Makes two types equal by binding variables. Returns false if that is impossible; some variables may then be bound. */
bool infer_unify(struct infer *infer, struct type *a, struct type *b);

/* Makes the variables of a function's type generic. Returns true if there are any. */
bool infer_generalise(struct infer *infer, struct type *type);

/* A copy with fresh variables in place of the generic ones. */
struct type *infer_instantiate(struct infer *infer, struct type *type);

/* The interned ground type equal to this one. Variables that are still unbound become Unit. */
struct type *infer_ground(struct infer *infer, const struct type *type);
