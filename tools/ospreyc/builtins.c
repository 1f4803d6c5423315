/* The names that every program begins with. */
#include "checker.h"

#include <string.h>

/* ---- Types ------------------------------------------------------------------------------------------------------- */

static void builtin_type(struct checker *checker, const char *name, struct type *type) {
  struct type_symbol *symbol = arena_alloc(checker->arena, sizeof *symbol);
  *symbol = (struct type_symbol){.name = name, .type = type, .built_in = true};
  *map_slot(&checker->type_names, name, strlen(name)) = symbol;
}

static struct type *builtin_find_type(struct checker *checker, const char *name) {
  const struct type_symbol *symbol = map_get(&checker->type_names, name);
  return symbol->type;
}

struct builtin_parameter {
  const char *name;
  const char *type;
};

static void builtin_record(struct checker *checker, const char *name, const struct builtin_parameter *fields,
                           size_t count) {
  struct type *type = arena_alloc(checker->arena, sizeof *type);
  struct type_constructor *constructor = arena_alloc(checker->arena, sizeof *constructor);
  *constructor = (struct type_constructor){.name = name, .type = type, .field_count = count};
  constructor->fields = arena_array(checker->arena, count, sizeof *constructor->fields);
  for (size_t i = 0; i < count; i++)
    constructor->fields[i] = (struct type_field){fields[i].name, builtin_find_type(checker, fields[i].type)};
  type->kind = TYPE_RECORD;
  type->named.name = name;
  type->named.constructor_count = 1;
  type->named.constructors = constructor;
  builtin_type(checker, name, type);
  struct symbol *symbol = check_new_symbol(checker, SYMBOL_CONSTRUCTOR, name, (struct place){0});
  symbol->built_in = true;
  symbol->constructor = constructor;
  check_declare(checker, symbol);
}

static struct type *builtin_function_type(struct checker *checker, const struct builtin_parameter *parameters,
                                          size_t count, struct type *value) {
  struct type **types = arena_array(checker->arena, count, sizeof(struct type *));
  for (size_t i = 0; i < count; i++)
    types[i] = builtin_find_type(checker, parameters[i].type);
  return infer_function(&checker->infer, types, count, infer_result(&checker->infer, value, false));
}

static void builtin_handler(struct checker *checker, const char *name, const struct builtin_parameter *parameters,
                            size_t count) {
  builtin_type(checker, name, builtin_function_type(checker, parameters, count, checker->infer.unit));
}

/* ---- Functions --------------------------------------------------------------------------------------------------- */

static void builtin_function(struct checker *checker, const char *name, const char *result,
                             const struct builtin_parameter *parameters, size_t count) {
  struct symbol *symbol = check_new_symbol(checker, SYMBOL_BUILTIN, name, (struct place){0});
  symbol->built_in = true;
  symbol->type = builtin_function_type(checker, parameters, count, builtin_find_type(checker, result));
  symbol->parameter_count = count;
  symbol->parameters = arena_array(checker->arena, count, sizeof *symbol->parameters);
  for (size_t i = 0; i < count; i++)
    symbol->parameters[i] = parameters[i].name;
  check_declare(checker, symbol);
}

static void builtin_intrinsic(struct checker *checker, const char *name, enum intrinsic intrinsic,
                              const char *const *parameters, size_t count) {
  struct symbol *symbol = check_new_symbol(checker, SYMBOL_INTRINSIC, name, (struct place){0});
  symbol->built_in = true;
  symbol->intrinsic = intrinsic;
  symbol->parameter_count = count;
  symbol->parameters = arena_array(checker->arena, count, sizeof *symbol->parameters);
  for (size_t i = 0; i < count; i++)
    symbol->parameters[i] = parameters[i];
  check_declare(checker, symbol);
}

static void builtin_intrinsics(struct checker *checker) {
  builtin_intrinsic(checker, "print", INTRINSIC_PRINT, (const char *const[]){"value"}, 1);
  builtin_intrinsic(checker, "toString", INTRINSIC_TO_STRING, (const char *const[]){"value"}, 1);
  builtin_intrinsic(checker, "input", INTRINSIC_INPUT, NULL, 0);
  builtin_intrinsic(checker, "sleep", INTRINSIC_SLEEP, (const char *const[]){"milliseconds"}, 1);
  builtin_intrinsic(checker, "range", INTRINSIC_RANGE, (const char *const[]){"start", "end"}, 2);
  builtin_intrinsic(checker, "forEach", INTRINSIC_FOR_EACH, (const char *const[]){"iterator", "function"}, 2);
  builtin_intrinsic(checker, "map", INTRINSIC_MAP, (const char *const[]){"iterator", "function"}, 2);
  builtin_intrinsic(checker, "filter", INTRINSIC_FILTER, (const char *const[]){"iterator", "predicate"}, 2);
  builtin_intrinsic(checker, "fold", INTRINSIC_FOLD, (const char *const[]){"iterator", "initial", "function"}, 3);
}

static void builtin_plain_types(struct checker *checker) {
  struct infer *infer = &checker->infer;
  builtin_type(checker, "int", infer->integer);
  builtin_type(checker, "Int", infer->integer);
  builtin_type(checker, "float", infer->real);
  builtin_type(checker, "Float", infer->real);
  builtin_type(checker, "bool", infer->boolean);
  builtin_type(checker, "Bool", infer->boolean);
  builtin_type(checker, "string", infer->string);
  builtin_type(checker, "String", infer->string);
  builtin_type(checker, "Unit", infer->unit);
  builtin_type(checker, "unit", infer->unit);
  builtin_type(checker, "Success", infer->unit);
}

/* The types of the table under its own names, while it is expanded: a type of the table is looked up as any other. */
static void builtin_table_types(struct checker *checker) {
  builtin_type(checker, "INT", checker->infer.integer);
  builtin_type(checker, "BOOL", checker->infer.boolean);
  builtin_type(checker, "STRING", checker->infer.string);
  builtin_type(checker, "SUCCESS", checker->infer.unit);
}

/* Names that only the table uses are none of the program's. */
static void builtin_forget_type(struct checker *checker, const char *name) {
  *map_slot(&checker->type_names, name, strlen(name)) = NULL;
}

static void builtin_forget_table_types(struct checker *checker) {
  builtin_forget_type(checker, "INT");
  builtin_forget_type(checker, "BOOL");
  builtin_forget_type(checker, "STRING");
  builtin_forget_type(checker, "SUCCESS");
#define WS_P(name, type)
#define WS_HANDLER(type, parameters) builtin_forget_type(checker, #type);
#include "ws_builtins.def"
}

static void builtin_table(struct checker *checker) {
  /* Each list ends with an empty item, so that one without parameters is no empty array. */
#define WS_P(name, type) {#name, #type},
#define WS_LIST(...) ((const struct builtin_parameter[]){__VA_ARGS__{NULL, NULL}})
#define WS_COUNT(...) (sizeof WS_LIST(__VA_ARGS__) / sizeof(struct builtin_parameter) - 1)
#define WS_ALIAS(name, type) builtin_type(checker, #name, builtin_find_type(checker, #type));
#define WS_RECORD(name, fields) builtin_record(checker, #name, WS_LIST(fields), WS_COUNT(fields));
#define WS_HANDLER(type, parameters) builtin_handler(checker, #type, WS_LIST(parameters), WS_COUNT(parameters));
#define WS_BUILTIN(name, alias, symbol, result, requirement, parameters, doc)                                          \
  builtin_function(checker, #name, #result, WS_LIST(parameters), WS_COUNT(parameters));
#include "ws_builtins.def"
#undef WS_LIST
#undef WS_COUNT
}

void check_declare_builtins(struct checker *checker) {
  builtin_plain_types(checker);
  builtin_intrinsics(checker);
  check_declare(checker, check_new_symbol(checker, SYMBOL_SUCCESS, "Success", (struct place){0}));
  check_declare(checker, check_new_symbol(checker, SYMBOL_ERROR, "Error", (struct place){0}));
  check_declare(checker, check_new_symbol(checker, SYMBOL_ERROR, "Err", (struct place){0}));
  builtin_table_types(checker);
  builtin_table(checker);
  builtin_forget_table_types(checker);
}

const char *builtin_behind(const char *extern_name) {
  static const struct {
    const char *name, *alias, *symbol;
  } builtins[] = {
#define WS_P(name, type)
#define WS_BUILTIN(name, alias, symbol, result, requirement, parameters, doc) {#name, #alias, #symbol},
#include "ws_builtins.def"
  };
  for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
    if (strcmp(builtins[i].alias, extern_name) == 0 || strcmp(builtins[i].symbol, extern_name) == 0)
      return builtins[i].name;
  return NULL;
}
