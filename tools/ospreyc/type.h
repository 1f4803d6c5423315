#pragma once
/* The types of Osprey.
 *
 * A type in a checked tree (ast.h) is *ground* and *interned*: it contains no variable and no alias (`WebSocketID`,
 * `type Alias = Int`, `Int` for `int`), and equal types are one object, so `==` compares them. TYPE_VARIABLE,
 * TYPE_ITERATOR and TYPE_ERROR exist only inside the checker.
 *
 * The error of a Result is always a string: `Result<T, string>` and `Result<T, MathError>` are one type with two
 * spellings.
 */
#include "source.h"

#include <stdbool.h>

struct arena;

enum type_kind {
  TYPE_UNIT,  /* also spelled Success in a type */
  TYPE_INT,   /* 64 bits, signed */
  TYPE_FLOAT, /* a double */
  TYPE_BOOL,
  TYPE_STRING, /* NUL-terminated UTF-8; U+0000 inside it is the two bytes C0 80 */
  TYPE_RESULT,
  TYPE_FUNCTION,
  TYPE_RECORD,   /* one constructor */
  TYPE_UNION,    /* one or more constructors */
  TYPE_ITERATOR, /* checker only: the type of range, map and filter */
  TYPE_VARIABLE, /* checker only: to be inferred */
  TYPE_ERROR,    /* checker only: the type of an expression with an error; unifies with every type */
};

struct type_field {
  const char *name; /* NULL for a field that has only a position */
  struct type *type;
};

/* A record has one constructor, named like the type; a union has one for each variant. */
struct type_constructor {
  const char *name;
  struct type *type; /* the type it constructs */
  unsigned tag;      /* its position in the declaration: 0 for a record */
  size_t field_count;
  struct type_field *fields; /* in the order of the declaration, which is the order of the layout */
  struct place place;
};

struct type {
  enum type_kind kind;
  union {
    struct {
      struct type *value;
      bool math; /* written or inferred as MathError: for diagnostics only */
    } result;
    struct {
      size_t parameter_count;
      struct type **parameters;
      struct type *result;
    } function;
    struct { /* TYPE_RECORD and TYPE_UNION */
      const char *name;
      size_t constructor_count;
      struct type_constructor *constructors;
    } named;
    struct {
      struct type *element;
    } iterator;
    struct {
      struct type *bound; /* its binding, or NULL */
      unsigned level;     /* INFER_FILE, INFER_FUNCTION or INFER_GENERIC */
    } variable;
  };
  struct type *ground; /* checker: the interned equal of this type, once known */
};

/* Returns true if values of the type are reference-counted pointers: strings, Results, functions, records, unions. */
bool type_is_managed(const struct type *type);

/* Appends a member to a block of `size` bytes, as lowering lays it out. Returns false if the member is a reference in a
 * word that the block's meta word cannot mark. */
bool type_append(const struct type *type, size_t *size);

/* Returns the type as README.md writes types: `fn(String) -> Result<Success, String>`. */
const char *type_name(struct arena *arena, const struct type *type);
