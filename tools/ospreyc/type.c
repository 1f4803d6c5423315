#include "type.h"

#include "arena.h"
#include "layout.h"
#include "infer.h"

#include <string.h>

enum { TYPE_NAME_MAX = 400, TYPE_NAME_DEPTH_MAX = 12 };

bool type_is_managed(const struct type *type) {
  switch (type->kind) {
  case TYPE_STRING:
  case TYPE_RESULT:
  case TYPE_FUNCTION:
  case TYPE_RECORD:
  case TYPE_UNION:
    return true;
  default:
    return false;
  }
}

bool type_append(const struct type *type, size_t *size) {
  enum { WORD = 8 };
  size_t length = type->kind == TYPE_BOOL ? 1 : WORD, at = (*size + length - 1) / length * length;
  *size = at + length;
  return !type_is_managed(type) || at / WORD < LAYOUT_META_mask_words;
}

struct type_text {
  char bytes[TYPE_NAME_MAX];
  size_t length;
  bool cut; /* truncated: it ends with "…" */
};

static void type_put(struct type_text *text, const char *part) {
  if (text->cut)
    return;
  text->cut = text->length + strlen(part) + sizeof "…" > sizeof text->bytes;
  if (text->cut)
    part = "…";
  size_t length = strlen(part);
  memcpy(text->bytes + text->length, part, length + 1);
  text->length += length;
}

static void type_write(struct type_text *text, const struct type *type, unsigned depth) {
  static const char *const plain[] = {[TYPE_UNIT] = "Unit", [TYPE_INT] = "Int",       [TYPE_FLOAT] = "Float",
                                      [TYPE_BOOL] = "Bool", [TYPE_STRING] = "String", [TYPE_ERROR] = "…"};
  while (type->kind == TYPE_VARIABLE && type->variable.bound)
    type = type->variable.bound;
  if (depth > TYPE_NAME_DEPTH_MAX || text->length + 8 > sizeof text->bytes) {
    type_put(text, "…");
    return;
  }
  switch (type->kind) {
  case TYPE_RESULT:
    type_put(text, "Result<");
    if (infer_resolve(type->result.value)->kind == TYPE_UNIT)
      type_put(text, "Success");
    else
      type_write(text, type->result.value, depth + 1);
    type_put(text, type->result.math ? ", MathError>" : ", String>");
    break;
  case TYPE_ITERATOR:
    type_put(text, "Iterator<");
    type_write(text, type->iterator.element, depth + 1);
    type_put(text, ">");
    break;
  case TYPE_FUNCTION:
    type_put(text, "fn(");
    for (size_t i = 0; i < type->function.parameter_count; i++) {
      if (i)
        type_put(text, ", ");
      type_write(text, type->function.parameters[i], depth + 1);
    }
    type_put(text, ") -> ");
    type_write(text, type->function.result, depth + 1);
    break;
  case TYPE_RECORD:
  case TYPE_UNION:
    type_put(text, type->named.name);
    break;
  case TYPE_VARIABLE:
    type_put(text, "_");
    break;
  default:
    type_put(text, plain[type->kind]);
    break;
  }
}

const char *type_name(struct arena *arena, const struct type *type) {
  struct type_text text = {.bytes = ""};
  type_write(&text, type, 0);
  return arena_copy(arena, text.bytes, text.length);
}
