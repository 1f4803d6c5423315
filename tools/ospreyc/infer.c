#include "infer.h"

#include "arena.h"

#include <stdint.h>
#include <string.h>

enum {
  INFER_DEPTH_MAX = 200,
  INFER_STEPS_MAX = 100000,
};

/* ---- Making types ------------------------------------------------------------------------------------------------ */

static struct type *type_new(struct types *types, enum type_kind kind) {
  struct type *type = arena_alloc(types->arena, sizeof *type);
  type->kind = kind;
  return type;
}

static struct type *type_plain(struct types *types, enum type_kind kind) {
  struct type *type = type_new(types, kind);
  type->ground = type;
  return type;
}

void types_init(struct types *types, struct arena *arena) {
  *types = (struct types){.arena = arena};
  map_init(&types->interned, arena);
  types->unit = type_plain(types, TYPE_UNIT);
  types->integer = type_plain(types, TYPE_INT);
  types->real = type_plain(types, TYPE_FLOAT);
  types->boolean = type_plain(types, TYPE_BOOL);
  types->string = type_plain(types, TYPE_STRING);
  types->wrong = type_plain(types, TYPE_WRONG);
}

struct type *type_variable(struct types *types) {
  struct type *type = type_new(types, TYPE_VARIABLE);
  type->variable.level = types->level;
  return type;
}

struct type *type_result(struct types *types, struct type *value, bool math) {
  struct type *type = type_new(types, TYPE_RESULT);
  type->result.value = value;
  type->result.math = math;
  return type;
}

struct type *type_iterator(struct types *types, struct type *element) {
  struct type *type = type_new(types, TYPE_ITERATOR);
  type->iterator.element = element;
  return type;
}

struct type *type_function(struct types *types, struct type **parameters, size_t count, struct type *result) {
  struct type *type = type_new(types, TYPE_FUNCTION);
  type->function.parameters = parameters;
  type->function.parameter_count = count;
  type->function.result = result;
  return type;
}

struct type *type_resolve(struct type *type) {
  while (type->kind == TYPE_VARIABLE && type->variable.bound) {
    struct type *bound = type->variable.bound;
    if (bound->kind == TYPE_VARIABLE && bound->variable.bound)
      type->variable.bound = bound->variable.bound;
    type = bound;
  }
  return type;
}

/* ---- Bounded walks ----------------------------------------------------------------------------------------------- */

static void infer_begin(struct types *types) {
  types->depth = 0;
  types->steps = INFER_STEPS_MAX;
}

/* Goes one level down, if the bounds allow it; infer_leave goes up again. */
static bool infer_enter(struct types *types) {
  if (types->depth == INFER_DEPTH_MAX || types->steps == 0) {
    types->too_large = true;
    return false;
  }
  types->depth++;
  types->steps--;
  return true;
}

static void infer_leave(struct types *types) {
  types->depth--;
}

/* The parts of a type: its nth one, or NULL after the last. Records and unions are names, and have none. */
static struct type **infer_part(struct type *type, size_t n) {
  if (type->kind == TYPE_RESULT)
    return n == 0 ? &type->result.value : NULL;
  if (type->kind == TYPE_ITERATOR)
    return n == 0 ? &type->iterator.element : NULL;
  if (type->kind != TYPE_FUNCTION)
    return NULL;
  if (n < type->function.parameter_count)
    return &type->function.parameters[n];
  return n == type->function.parameter_count ? &type->function.result : NULL;
}

/* ---- Unification ------------------------------------------------------------------------------------------------- */

/* Whether a variable may be bound to a type: it must not occur in it. What does gets at most the variable's level. */
static bool infer_admit(struct types *types, struct type *variable, struct type *type) {
  type = type_resolve(type);
  if (type == variable)
    return false;
  if (type->kind == TYPE_VARIABLE && type->variable.level > variable->variable.level)
    type->variable.level = variable->variable.level;
  if (!infer_part(type, 0))
    return true;
  if (!infer_enter(types))
    return false;
  bool admitted = true;
  struct type **part;
  for (size_t i = 0; admitted && (part = infer_part(type, i)); i++)
    admitted = infer_admit(types, variable, *part);
  infer_leave(types);
  return admitted;
}

static bool infer_bind(struct types *types, struct type *variable, struct type *type) {
  if (!infer_admit(types, variable, type))
    return false;
  variable->variable.bound = type;
  return true;
}

static bool infer_unify(struct types *types, struct type *a, struct type *b) {
  a = type_resolve(a);
  b = type_resolve(b);
  if (a == b)
    return true;
  if (a->kind == TYPE_VARIABLE)
    return infer_bind(types, a, b);
  if (b->kind == TYPE_VARIABLE)
    return infer_bind(types, b, a);
  if (a->kind == TYPE_WRONG || b->kind == TYPE_WRONG)
    return true;
  if (a->kind != b->kind || a->kind == TYPE_RECORD || a->kind == TYPE_UNION)
    return false;
  if (!infer_enter(types))
    return false;
  bool equal = true;
  for (size_t i = 0; equal; i++) {
    struct type **left = infer_part(a, i), **right = infer_part(b, i);
    if (!left && !right)
      break;
    equal = left && right && infer_unify(types, *left, *right);
  }
  infer_leave(types);
  return equal;
}

bool type_unify(struct types *types, struct type *a, struct type *b) {
  infer_begin(types);
  return infer_unify(types, a, b);
}

/* ---- Schemes ----------------------------------------------------------------------------------------------------- */

static bool infer_generalise(struct types *types, struct type *type) {
  type = type_resolve(type);
  if (type->kind == TYPE_VARIABLE) {
    if (type->variable.level == INFER_FUNCTION)
      type->variable.level = INFER_GENERIC;
    return type->variable.level == INFER_GENERIC;
  }
  if (!infer_part(type, 0) || !infer_enter(types))
    return false;
  bool generic = false;
  struct type **part;
  for (size_t i = 0; (part = infer_part(type, i)); i++)
    generic |= infer_generalise(types, *part);
  infer_leave(types);
  return generic;
}

bool type_generalise(struct types *types, struct type *type) {
  infer_begin(types);
  return infer_generalise(types, type);
}

/* The fresh variables of one instance. */
struct infer_fresh {
  size_t count;
  size_t capacity;
  struct type **pairs; /* a generic variable, then the fresh one in its place */
};

static struct type *infer_fresh_for(struct types *types, struct infer_fresh *fresh, struct type *variable) {
  for (size_t i = 0; i < fresh->count; i += 2)
    if (fresh->pairs[i] == variable)
      return fresh->pairs[i + 1];
  struct type *replacement = type_variable(types);
  ARENA_PUSH(types->arena, fresh->pairs, fresh->count, fresh->capacity, variable);
  ARENA_PUSH(types->arena, fresh->pairs, fresh->count, fresh->capacity, replacement);
  return replacement;
}

static struct type *infer_copy(struct types *types, struct infer_fresh *fresh, struct type *type) {
  type = type_resolve(type);
  if (type->kind == TYPE_VARIABLE)
    return type->variable.level == INFER_GENERIC ? infer_fresh_for(types, fresh, type) : type;
  if (!infer_part(type, 0) || !infer_enter(types))
    return type;
  struct type *copy = type_new(types, type->kind);
  *copy = *type;
  copy->ground = NULL;
  if (type->kind == TYPE_FUNCTION)
    copy->function.parameters =
        arena_array(types->arena, type->function.parameter_count, sizeof *copy->function.parameters);
  struct type **part;
  for (size_t i = 0; (part = infer_part(type, i)); i++)
    *infer_part(copy, i) = infer_copy(types, fresh, *part);
  infer_leave(types);
  return copy;
}

struct type *type_instantiate(struct types *types, struct type *type) {
  struct infer_fresh fresh = {0};
  infer_begin(types);
  return infer_copy(types, &fresh, type);
}

/* ---- Ground types ------------------------------------------------------------------------------------------------ */

/* Finds the interned type that has a type's kind and parts, which are ground, or makes it that one. */
static struct type *infer_intern(struct types *types, struct type *type, uintptr_t *key, size_t count) {
  void **slot = map_slot(&types->interned, (const char *)key, count * sizeof *key);
  if (!*slot)
    *slot = type;
  return *slot;
}

static struct type *infer_ground(struct types *types, struct type *type) {
  type = type_resolve(type);
  if (type->kind == TYPE_VARIABLE) {
    type->variable.bound = types->unit;
    return types->unit;
  }
  if (type->ground)
    return type->ground;
  if (!infer_part(type, 0))
    return type->ground = type;
  if (!infer_enter(types))
    return types->unit;
  size_t count = type->kind == TYPE_FUNCTION ? type->function.parameter_count + 1 : 1;
  struct type *ground = type_new(types, type->kind);
  uintptr_t *key = arena_array(types->arena, count + 1, sizeof *key);
  if (type->kind == TYPE_FUNCTION) {
    ground->function.parameter_count = count - 1;
    ground->function.parameters = arena_array(types->arena, count - 1, sizeof *ground->function.parameters);
  }
  key[0] = (uintptr_t)type->kind;
  for (size_t i = 0; i < count; i++) {
    *infer_part(ground, i) = infer_ground(types, *infer_part(type, i));
    key[i + 1] = (uintptr_t)*infer_part(ground, i);
  }
  infer_leave(types);
  type->ground = infer_intern(types, ground, key, count + 1);
  type->ground->ground = type->ground;
  return type->ground;
}

struct type *type_ground(struct types *types, struct type *type) {
  infer_begin(types);
  return infer_ground(types, type);
}
