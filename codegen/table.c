#include "osprey_ws_codegen.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The indices of all types in one array: scalars, records, handlers. The table is included once for each group, so the
 * groups do not depend on the order of its rows. */
enum cg_type_index {
  CG_TYPE_INT,
  CG_TYPE_BOOL,
  CG_TYPE_STRING,
  CG_TYPE_SUCCESS,
#define WS_RECORD(name, fields) CG_TYPE_##name,
#include "ws_builtins.def"
  CG_FIRST_HANDLER,
  CG_BEFORE_HANDLERS = CG_FIRST_HANDLER - 1, /* numbers the first handler CG_FIRST_HANDLER */
#define WS_HANDLER(type, parameters) CG_TYPE_##type,
#include "ws_builtins.def"
  CG_TYPES,
};
#define CG_FIRST_RECORD (CG_TYPE_SUCCESS + 1)

static const struct osp_ws_codegen_type cg_types[CG_TYPES];

/* The members of each record, handler and builtin. An empty element at the end makes every array non-empty. */
#define WS_P(name, type) {#name, &cg_types[CG_TYPE_##type]},
#define WS_RECORD(name, fields) static const struct osp_ws_codegen_member cg_members_##name[] = {fields{NULL, NULL}};
#define WS_HANDLER(type, parameters)                                                                                   \
  static const struct osp_ws_codegen_member cg_members_##type[] = {parameters{NULL, NULL}};
#define WS_BUILTIN(name, alias, symbol, result, requirement, parameters, doc)                                          \
  static const struct osp_ws_codegen_member cg_members_##name[] = {parameters{NULL, NULL}};
#include "ws_builtins.def"

#define CG_MEMBERS(name) cg_members_##name, sizeof(cg_members_##name) / sizeof(cg_members_##name[0]) - 1

static const struct osp_ws_codegen_type cg_types[CG_TYPES] = {
    [CG_TYPE_INT] = {OSP_WS_CODEGEN_INT, "Int", NULL, 0},
    [CG_TYPE_BOOL] = {OSP_WS_CODEGEN_BOOL, "Bool", NULL, 0},
    [CG_TYPE_STRING] = {OSP_WS_CODEGEN_STRING, "String", NULL, 0},
    [CG_TYPE_SUCCESS] = {OSP_WS_CODEGEN_SUCCESS, "Success", NULL, 0},
#define WS_RECORD(name, fields) [CG_TYPE_##name] = {OSP_WS_CODEGEN_RECORD, #name, CG_MEMBERS(name)},
#define WS_HANDLER(type, parameters) [CG_TYPE_##type] = {OSP_WS_CODEGEN_HANDLER, #type, CG_MEMBERS(type)},
#include "ws_builtins.def"
};

static const struct osp_ws_codegen_builtin cg_builtins[] = {
#define WS_BUILTIN(name, alias, symbol, result, requirement, parameters, doc)                                          \
  {#name, #alias, #symbol, requirement, doc, CG_MEMBERS(name), &cg_types[CG_TYPE_##result]},
#include "ws_builtins.def"
};

static const struct osp_ws_codegen_alias cg_aliases[] = {
#define WS_ALIAS(name, type) {#name, &cg_types[CG_TYPE_##type]},
#include "ws_builtins.def"
};

unsigned osp_ws_codegen_version(void) {
  return OSP_WS_CODEGEN_VERSION;
}

const struct osp_ws_codegen_builtin *osp_ws_codegen_builtins(size_t *count) {
  *count = sizeof cg_builtins / sizeof cg_builtins[0];
  return cg_builtins;
}

const struct osp_ws_codegen_type *osp_ws_codegen_records(size_t *count) {
  *count = CG_FIRST_HANDLER - CG_FIRST_RECORD;
  return &cg_types[CG_FIRST_RECORD];
}

const struct osp_ws_codegen_type *osp_ws_codegen_handlers(size_t *count) {
  *count = CG_TYPES - CG_FIRST_HANDLER;
  return &cg_types[CG_FIRST_HANDLER];
}

const struct osp_ws_codegen_alias *osp_ws_codegen_aliases(size_t *count) {
  *count = sizeof cg_aliases / sizeof cg_aliases[0];
  return cg_aliases;
}

const struct osp_ws_codegen_builtin *osp_ws_codegen_find(const char *name) {
  size_t count;
  const struct osp_ws_codegen_builtin *builtins = osp_ws_codegen_builtins(&count);
  for (size_t i = 0; i < count; i++)
    if (!strcmp(builtins[i].name, name) || !strcmp(builtins[i].alias, name))
      return &builtins[i];
  return NULL;
}

/* Appends to a text of `length` bytes in a buffer of `size` and returns the new length, which may exceed the size. */
static size_t cg_append(char *text, size_t size, size_t length, const char *words) {
  bool fits = length < size;
  return length + (size_t)snprintf(fits ? text + length : NULL, fits ? size - length : 0, "%s", words);
}

/* A handler is spelled fn(String, Int) -> Result<Success, String>, any other type by its name. */
static size_t cg_append_type(char *text, size_t size, size_t length, const struct osp_ws_codegen_type *type) {
  if (type->kind != OSP_WS_CODEGEN_HANDLER)
    return cg_append(text, size, length, type->name);
  length = cg_append(text, size, length, "fn(");
  for (size_t i = 0; i < type->member_count; i++) {
    length = cg_append(text, size, length, i ? ", " : "");
    length = cg_append_type(text, size, length, type->members[i].type);
  }
  return cg_append(text, size, length, ") -> Result<Success, String>");
}

size_t osp_ws_codegen_spell_type(const struct osp_ws_codegen_type *type, char *text, size_t size) {
  return cg_append_type(text, size, 0, type);
}

size_t osp_ws_codegen_spell_builtin(const struct osp_ws_codegen_builtin *builtin, char *text, size_t size) {
  size_t length = cg_append(text, size, 0, builtin->name);
  for (size_t i = 0; i < builtin->parameter_count; i++) {
    length = cg_append(text, size, length, i ? ", " : "(");
    length = cg_append(text, size, length, builtin->parameters[i].name);
    length = cg_append(text, size, length, ": ");
    length = cg_append_type(text, size, length, builtin->parameters[i].type);
  }
  length = cg_append(text, size, length, builtin->parameter_count ? ") -> Result<" : "() -> Result<");
  length = cg_append_type(text, size, length, builtin->result);
  return cg_append(text, size, length, ", String>");
}
