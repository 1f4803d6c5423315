#include "infer.h"

#include "arena.h"

#include <stdint.h>
#include <string.h>

enum { INFER_DEPTH_MAX = 200, INFER_STEPS_MAX = 100000 };

static struct type *infer_new(struct infer *infer, enum type_kind kind) {
  struct type *type = arena_alloc(infer->arena, sizeof *type);
  type->kind = kind;
  return type;
}

void infer_init(struct infer *infer, struct arena *arena) {
  *infer = (struct infer){.arena = arena};
  map_init(&infer->interned, arena);
  infer->unit = infer_new(infer, TYPE_UNIT);
  infer->integer = infer_new(infer, TYPE_INT);
  infer->real = infer_new(infer, TYPE_FLOAT);
  infer->boolean = infer_new(infer, TYPE_BOOL);
  infer->string = infer_new(infer, TYPE_STRING);
  infer->error = infer_new(infer, TYPE_ERROR);
}

struct type *infer_variable(struct infer *infer) {
  struct type *type = infer_new(infer, TYPE_VARIABLE);
  type->variable.level = infer->level;
  return type;
}

struct type *infer_result(struct infer *infer, struct type *value, bool math) {
  struct type *type = infer_new(infer, TYPE_RESULT);
  type->result.value = value;
  type->result.math = math;
  return type;
}

struct type *infer_iterator(struct infer *infer, struct type *element) {
  struct type *type = infer_new(infer, TYPE_ITERATOR);
  type->iterator.element = element;
  return type;
}

struct type *infer_function(struct infer *infer, struct type **parameters, size_t count, struct type *result) {
  struct type *type = infer_new(infer, TYPE_FUNCTION);
  type->function.parameters = parameters;
  type->function.parameter_count = count;
  type->function.result = result;
  return type;
}

struct type *infer_resolve(const struct type *unresolved) {
  struct type *type = (struct type *)unresolved;
  while (type->kind == TYPE_VARIABLE && type->variable.bound) {
    struct type *bound = type->variable.bound;
    if (bound->kind == TYPE_VARIABLE && bound->variable.bound)
      type->variable.bound = bound->variable.bound; /* path halving */
    type = bound;
  }
  return type;
}

/* Descends one level. Returns false at a bound. Each successful call is paired with infer_leave. */
static bool infer_enter(struct infer *infer) {
  if (infer->depth == 0)
    infer->steps = INFER_STEPS_MAX;
  if (infer->depth == INFER_DEPTH_MAX || infer->steps == 0) {
    infer->too_large = true;
    return false;
  }
  infer->depth++;
  infer->steps--;
  return true;
}

static void infer_leave(struct infer *infer) {
  infer->depth--;
}

/* The nth component of a type, or NULL after the last. Records and unions are nominal and have none. */
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

/* The occurs check: returns false if `type` contains `variable`. Lowers the level of the variables in `type` to its
 * level. */
static bool infer_occurs_check(struct infer *infer, struct type *variable, struct type *type) {
  type = infer_resolve(type);
  if (type == variable)
    return false;
  if (type->kind == TYPE_VARIABLE && type->variable.level > variable->variable.level)
    type->variable.level = variable->variable.level;
  if (!infer_part(type, 0))
    return true;
  if (!infer_enter(infer))
    return false;
  bool passed = true;
  struct type **part;
  for (size_t i = 0; passed && (part = infer_part(type, i)); i++)
    passed = infer_occurs_check(infer, variable, *part);
  infer_leave(infer);
  return passed;
}

bool infer_unify(struct infer *infer, struct type *a, struct type *b) {
  a = infer_resolve(a);
  b = infer_resolve(b);
  if (a == b)
    return true;
  if (a->kind == TYPE_VARIABLE || b->kind == TYPE_VARIABLE) {
    struct type *variable = a->kind == TYPE_VARIABLE ? a : b, *other = variable == a ? b : a;
    if (!infer_occurs_check(infer, variable, other))
      return false;
    variable->variable.bound = other;
    return true;
  }
  if (a->kind == TYPE_ERROR || b->kind == TYPE_ERROR)
    return true;
  if (a->kind != b->kind || a->kind == TYPE_RECORD || a->kind == TYPE_UNION || !infer_enter(infer))
    return false;
  bool equal = true;
  for (size_t i = 0; equal; i++) {
    struct type **left = infer_part(a, i), **right = infer_part(b, i);
    if (!left && !right)
      break;
    equal = left && right && infer_unify(infer, *left, *right);
  }
  infer_leave(infer);
  return equal;
}

bool infer_generalise(struct infer *infer, struct type *type) {
  type = infer_resolve(type);
  if (type->kind == TYPE_VARIABLE) {
    if (type->variable.level == INFER_FUNCTION)
      type->variable.level = INFER_GENERIC;
    return type->variable.level == INFER_GENERIC;
  }
  if (!infer_part(type, 0) || !infer_enter(infer))
    return false;
  bool generic = false;
  struct type **part;
  for (size_t i = 0; (part = infer_part(type, i)); i++)
    generic |= infer_generalise(infer, *part);
  infer_leave(infer);
  return generic;
}

/* Maps each generic variable to the fresh one that replaces it: pairs[0] to pairs[1], and so on. */
struct infer_fresh {
  size_t count;
  size_t capacity;
  struct type **pairs;
};

static struct type *infer_copy(struct infer *infer, struct infer_fresh *fresh, struct type *type) {
  type = infer_resolve(type);
  if (type->kind == TYPE_VARIABLE && type->variable.level == INFER_GENERIC) {
    for (size_t i = 0; i < fresh->count; i += 2)
      if (fresh->pairs[i] == type)
        return fresh->pairs[i + 1];
    struct type *replacement = infer_variable(infer);
    ARENA_PUSH(infer->arena, fresh->pairs, fresh->count, fresh->capacity, type);
    ARENA_PUSH(infer->arena, fresh->pairs, fresh->count, fresh->capacity, replacement);
    return replacement;
  }
  if (!infer_part(type, 0) || !infer_enter(infer))
    return type;
  struct type *copy = infer_new(infer, type->kind);
  *copy = *type;
  copy->ground = NULL;
  if (type->kind == TYPE_FUNCTION)
    copy->function.parameters = arena_array(infer->arena, type->function.parameter_count, sizeof(struct type *));
  struct type **part;
  for (size_t i = 0; (part = infer_part(type, i)); i++)
    *infer_part(copy, i) = infer_copy(infer, fresh, *part);
  infer_leave(infer);
  return copy;
}

struct type *infer_instantiate(struct infer *infer, struct type *type) {
  struct infer_fresh fresh = {0};
  return infer_copy(infer, &fresh, type);
}

struct type *infer_ground(struct infer *infer, const struct type *unresolved) {
  struct type *type = infer_resolve(unresolved);
  if (type->kind == TYPE_VARIABLE)
    return type->variable.bound = infer->unit;
  if (type->ground)
    return type->ground;
  if (!infer_part(type, 0))
    return type->ground = type;
  if (!infer_enter(infer))
    return infer->unit;
  size_t count = type->kind == TYPE_FUNCTION ? type->function.parameter_count + 1 : 1;
  struct type *ground = infer_new(infer, type->kind);
  if (type->kind == TYPE_FUNCTION) {
    ground->function.parameter_count = count - 1;
    ground->function.parameters = arena_array(infer->arena, count - 1, sizeof(struct type *));
  }
  /* The key of the interning table: the kind, then the interned components. */
  uintptr_t *key = arena_array(infer->arena, count + 1, sizeof *key);
  key[0] = (uintptr_t)type->kind;
  for (size_t i = 0; i < count; i++) {
    *infer_part(ground, i) = infer_ground(infer, *infer_part(type, i));
    key[i + 1] = (uintptr_t)*infer_part(ground, i);
  }
  infer_leave(infer);
  void **slot = map_slot(&infer->interned, (const char *)key, (count + 1) * sizeof *key);
  if (!*slot)
    *slot = ground;
  type->ground = *slot;
  return type->ground->ground = type->ground;
}
