#include "check_declare.h"

#include "foreign.h"
#include "layout.h"

#include <string.h>

/* Resolves an alias at its first use, so aliases may be declared in any order. */
static struct type *check_declare_alias(struct checker *checker, struct type_symbol *symbol) {
  if (symbol->resolving) {
    diag_error(checker->diag, symbol->place, "the type '%s' is an alias of itself", symbol->name);
    return symbol->type = checker->infer.error;
  }
  symbol->resolving = true;
  struct type *type = check_declare_type(checker, symbol->item->declaration.alias);
  symbol->resolving = false;
  if (!symbol->type)
    symbol->type = type;
  return symbol->type;
}

struct type *check_declare_type(struct checker *checker, const struct syntax_type *syntax) {
  const char *name = syntax->name.text;
  if (!name) {
    struct type **parameters = arena_array(checker->arena, syntax->count, sizeof(struct type *));
    for (size_t i = 0; i < syntax->count; i++)
      parameters[i] = check_declare_type(checker, syntax->arguments[i]);
    return infer_function(&checker->infer, parameters, syntax->count, check_declare_type(checker, syntax->result));
  }
  if (strcmp(name, "Result") == 0 && syntax->count == 2) {
    struct type *value = check_declare_type(checker, syntax->arguments[0]);
    const struct syntax_type *error = syntax->arguments[1];
    const char *spelled = error->name.text && !error->count ? error->name.text : "";
    bool math = strcmp(spelled, "MathError") == 0, is_text = math || strcmp(spelled, "Error") == 0;
    struct type *type = is_text ? checker->infer.string : check_declare_type(checker, error);
    if (!infer_unify(&checker->infer, type, checker->infer.string))
      diag_error(checker->diag, error->place, "the error type of a Result must be String, Error or MathError, found %s",
                 type_name(checker->arena, type));
    return infer_result(&checker->infer, value, math);
  }
  if (strcmp(name, "Result") == 0) {
    diag_error(checker->diag, syntax->place, "Result takes two types, a value and an error: Result<Int, String>");
    return checker->infer.error;
  }
  struct type_symbol *symbol = map_get(&checker->type_names, name);
  if (!symbol && library_leaves_out_type(name)) {
    *diag_error(checker->diag, syntax->name.place, "the type `%s` is part of Osprey, but not of ospreyc", name) =
        foreign_left_out(name);
    return checker->infer.error;
  }
  if (!symbol && map_get(checker->skipped, name))
    return checker->infer.error;
  if (!symbol) {
    struct diag_guess guess = {0};
    for (size_t i = 0; i < checker->type_names.capacity; i++)
      if (checker->type_names.entries[i].value)
        diag_guess_consider(&guess, name, checker->type_names.entries[i].key);
    diag_guess_consider(&guess, name, "Result");
    const char **hint = diag_error(checker->diag, syntax->name.place, "unknown type '%s'", name);
    *hint = foreign_type(name);
    const char *similar = guess.name ? guess.name : check_scope_kin(&checker->type_names, name);
    if (!*hint && similar)
      *hint = arena_printf(checker->arena, "did you mean '%s'?", similar);
    return checker->infer.error;
  }
  if (syntax->count)
    diag_error(checker->diag, syntax->place, "the type '%s' takes no parameters", symbol->name);
  return symbol->type ? symbol->type : check_declare_alias(checker, symbol);
}

struct type *check_declare_signature(struct checker *checker, const struct syntax_function *syntax) {
  struct type **parameters = arena_array(checker->arena, syntax->count, sizeof(struct type *));
  for (size_t i = 0; i < syntax->count; i++) {
    const struct syntax_type *type = syntax->parameters[i].type;
    parameters[i] = type ? check_declare_type(checker, type) : infer_variable(&checker->infer);
  }
  struct type *result = syntax->result ? check_declare_type(checker, syntax->result) : infer_variable(&checker->infer);
  return infer_function(&checker->infer, parameters, syntax->count, result);
}

/* Declares the name of a type. Its body is checked when all names are known. */
static void check_declare_type_name(struct checker *checker, const struct syntax_item *item) {
  const char *name = item->name.text;
  struct type_symbol **slot = (struct type_symbol **)map_slot(&checker->type_names, name, strlen(name));
  if (*slot && (*slot)->built_in)
    return;
  bool built_in = strcmp(name, "Result") == 0 || strcmp(name, "MathError") == 0;
  if (*slot || built_in) {
    diag_error(checker->diag, item->name.place, "the type '%s' is %s", name,
               built_in ? "built in" : check_scope_declared_at(checker, (*slot)->place));
    return;
  }
  *slot = arena_alloc(checker->arena, sizeof **slot);
  **slot = (struct type_symbol){.name = name, .item = item, .place = item->name.place};
  if (item->declaration.alias)
    return;
  struct type *type = (*slot)->type = arena_alloc(checker->arena, sizeof *type);
  type->kind = item->declaration.is_record ? TYPE_RECORD : TYPE_UNION;
  type->named.name = name;
}

static void check_declare_fields(struct checker *checker, const struct syntax_variant *syntax,
                                 struct type_constructor *constructor) {
  constructor->field_count = syntax->count;
  constructor->fields = arena_array(checker->arena, syntax->count, sizeof *constructor->fields);
  for (size_t i = 0; i < syntax->count; i++) {
    const struct syntax_field *field = &syntax->fields[i];
    constructor->fields[i] = (struct type_field){field->name.text, check_declare_type(checker, field->type)};
    for (size_t j = 0; field->name.text && j < i; j++)
      if (strcmp(constructor->fields[j].name, field->name.text) == 0)
        diag_error(checker->diag, field->name.place, "the field '%s' is already declared", field->name.text);
  }
}

/* Returns true if a declaration repeats a built-in type exactly. */
static bool check_declare_repeats(struct checker *checker, const struct syntax_item *item, const struct type *type) {
  const struct syntax_declaration *declaration = &item->declaration;
  if (declaration->alias)
    return infer_resolve(check_declare_type(checker, declaration->alias)) == type;
  if (!declaration->is_record || type->kind != TYPE_RECORD)
    return false;
  struct type_constructor written = {0};
  const struct type_constructor *known = &type->named.constructors[0];
  check_declare_fields(checker, &declaration->variants[0], &written);
  if (written.field_count != known->field_count)
    return false;
  for (size_t i = 0; i < known->field_count; i++)
    if (strcmp(written.fields[i].name, known->fields[i].name) != 0 ||
        infer_resolve(written.fields[i].type) != known->fields[i].type)
      return false;
  return true;
}

static void check_declare_type_body(struct checker *checker, const struct syntax_item *item) {
  struct type_symbol *symbol = map_get(&checker->type_names, item->name.text);
  if (!symbol)
    return;
  if (symbol->built_in) {
    if (!check_declare_repeats(checker, item, symbol->type))
      *diag_error(checker->diag, item->name.place, "'%s' is built in, and this declaration differs from it",
                  item->name.text) = "remove the declaration, or rename the type";
    return;
  }
  if (symbol->item != item)
    return;
  if (item->declaration.alias) {
    if (!symbol->type)
      check_declare_alias(checker, symbol);
    return;
  }
  const struct syntax_declaration *declaration = &item->declaration;
  struct type *type = symbol->type;
  struct type_constructor *constructors = arena_array(checker->arena, declaration->count, sizeof *constructors);
  type->named.constructors = constructors;
  type->named.constructor_count = declaration->count;
  for (size_t i = 0; i < declaration->count; i++) {
    const struct syntax_variant *variant = &declaration->variants[i];
    constructors[i] = (struct type_constructor){
        .name = variant->name.text, .type = type, .tag = (unsigned)i, .place = variant->name.place};
    check_declare_fields(checker, variant, &constructors[i]);
    struct symbol *value = check_scope_symbol(checker, SYMBOL_CONSTRUCTOR, variant->name.text, variant->name.place);
    value->constructor = &constructors[i];
    value->parameter_count = constructors[i].field_count;
    struct type **parameters = arena_array(checker->arena, variant->count, sizeof(struct type *));
    for (size_t j = 0; j < variant->count; j++)
      parameters[j] = constructors[i].fields[j].type;
    value->type = infer_function(&checker->infer, parameters, variant->count, type);
    check_scope_declare(checker, value);
  }
}

const char **check_declare_parameter_names(struct checker *checker, const struct syntax_function *syntax) {
  const char **names = arena_array(checker->arena, syntax->count, sizeof *names);
  for (size_t i = 0; i < syntax->count; i++)
    names[i] = syntax->parameters[i].name.text;
  return names;
}

static void check_declare_function(struct checker *checker, const struct syntax_item *item, size_t index) {
  struct symbol *symbol = check_scope_symbol(checker, SYMBOL_FUNCTION, item->name.text, item->name.place);
  struct check_function *function = arena_alloc(checker->arena, sizeof *function);
  symbol->function = function;
  symbol->item = index;
  symbol->parameter_count = item->function->count;
  symbol->parameters = check_declare_parameter_names(checker, item->function);
  function->symbol = symbol;
  function->syntax = item->function;
  function->placeholder.name = item->name.text;
  function->annotated = item->function->result != NULL;
  for (size_t i = 0; i < item->function->count; i++)
    function->annotated = function->annotated && item->function->parameters[i].type;
  if (check_scope_declare(checker, symbol) && function->annotated)
    function->type = symbol->type = check_declare_signature(checker, item->function);
}

static bool check_declare_is_c_int(const struct syntax_type *type) {
  return type && type->name.text && strcmp(type->name.text, "CInt") == 0;
}

/* The parameters of an extern must be annotated. Its result defaults to Unit. */
static void check_declare_extern(struct checker *checker, const struct syntax_item *item) {
  struct symbol *symbol = check_scope_symbol(checker, SYMBOL_EXTERN, item->name.text, item->name.place);
  struct ast_extern *external = arena_alloc(checker->arena, sizeof *external);
  const struct syntax_function *function = item->function;
  const char *behind = check_scope_builtin_behind(item->name.text), *flag = checker->options->forbidden_by;
  if (behind && flag)
    diag_error(checker->diag, item->name.place, "'%s' is not allowed with %s: it is '%s'", item->name.text, flag,
               behind);
  else if (checker->options->sandbox)
    diag_error(checker->diag, item->name.place, "the extern function '%s' is not allowed with --sandbox",
               item->name.text);
  else if (!strcmp(item->name.text, "main"))
    diag_error(checker->diag, item->name.place, "an extern function cannot be called 'main': it is the program's own");
  symbol->parameter_count = function->count;
  symbol->parameters = check_declare_parameter_names(checker, function);
  struct type **types = arena_array(checker->arena, function->count, sizeof(struct type *));
  for (size_t i = 0; i < function->count; i++) {
    const struct syntax_parameter *parameter = &function->parameters[i];
    if (!parameter->type)
      diag_error(checker->diag, parameter->name.place, "a parameter of an extern function needs a type");
    types[i] = parameter->type ? check_declare_type(checker, parameter->type) : infer_variable(&checker->infer);
  }
  struct type *result = function->result ? check_declare_type(checker, function->result) : checker->infer.unit;
  bool *is_c_int = arena_array(checker->arena, function->count + 1, sizeof *is_c_int);
  for (size_t i = 0; i < function->count; i++)
    is_c_int[i] = check_declare_is_c_int(function->parameters[i].type);
  is_c_int[function->count] = check_declare_is_c_int(function->result);
  symbol->type = infer_ground(&checker->infer, infer_function(&checker->infer, types, function->count, result));
  symbol->external = external;
  bool frees = !strcmp(item->name.text, "free") || !strcmp(item->name.text, "realloc");
  *external = (struct ast_extern){item->name.text, symbol->type, symbol->parameters, is_c_int, frees, item->name.place};
  check_scope_declare(checker, symbol);
}

static void check_declare_global(struct checker *checker, const struct syntax_item *item, size_t index) {
  if (strcmp(item->name.text, "_") == 0)
    return;
  struct symbol *symbol = check_scope_symbol(checker, SYMBOL_GLOBAL, item->name.text, item->name.place);
  symbol->item = index;
  if (item->value->kind == SYNTAX_LAMBDA) {
    symbol->parameter_count = item->value->function->count;
    symbol->parameters = check_declare_parameter_names(checker, item->value->function);
  }
  symbol->type = item->type ? check_declare_type(checker, item->type) : infer_variable(&checker->infer);
  symbol->variable = check_scope_variable(checker, AST_GLOBAL, item->name.text, symbol->type, item->name.place);
  symbol->variable->index = (unsigned)checker->program->global_count;
  if (check_scope_declare(checker, symbol))
    ARENA_PUSH(checker->arena, checker->program->globals, checker->program->global_count, checker->global_capacity,
               symbol->variable);
}

/* Grounds the fields of a constructor: their types contain no variables. */
static void check_declare_ground(struct checker *checker, const struct type_constructor *constructor) {
  size_t size = LAYOUT_TAG_BYTES;
  for (size_t i = 0; i < constructor->field_count; i++) {
    struct type_field *field = &constructor->fields[i];
    field->type = infer_ground(&checker->infer, field->type);
    if (!type_append(field->type, &size)) {
      *diag_error(checker->diag, constructor->place, "'%s' has a reference beyond its %dth word: field %zu",
                  constructor->name, LAYOUT_META_mask_words, i + 1) =
          "move some of the fields to a record of their own";
      return;
    }
  }
}

void check_declare_program(struct checker *checker, const struct syntax_program *syntax) {
  for (size_t i = 0; i < syntax->count; i++)
    if (syntax->items[i].kind == SYNTAX_ITEM_TYPE)
      check_declare_type_name(checker, &syntax->items[i]);
  for (size_t i = 0; i < syntax->count; i++)
    if (syntax->items[i].kind == SYNTAX_ITEM_TYPE)
      check_declare_type_body(checker, &syntax->items[i]);
  for (size_t i = 0; i < checker->values.capacity; i++) {
    const struct symbol *symbol = checker->values.entries[i].value;
    if (symbol && symbol->kind == SYMBOL_CONSTRUCTOR)
      check_declare_ground(checker, symbol->constructor);
  }
  for (size_t i = 0; i < syntax->count; i++) {
    const struct syntax_item *item = &syntax->items[i];
    if (item->kind == SYNTAX_ITEM_FUNCTION)
      check_declare_function(checker, item, i);
    else if (item->kind == SYNTAX_ITEM_EXTERN)
      check_declare_extern(checker, item);
    else if (item->kind == SYNTAX_ITEM_LET)
      check_declare_global(checker, item, i);
  }
}

static void check_declare_builtin_type(struct checker *checker, const char *name, struct type *type) {
  struct type_symbol *symbol = arena_alloc(checker->arena, sizeof *symbol);
  *symbol = (struct type_symbol){.name = name, .type = type, .built_in = true};
  *map_slot(&checker->type_names, name, strlen(name)) = symbol;
}

static struct type *check_declare_builtin_find_type(struct checker *checker, const char *name) {
  const struct type_symbol *symbol = map_get(&checker->type_names, name);
  return symbol->type;
}

struct check_declare_parameter {
  const char *name;
  const char *type;
};

static void check_declare_builtin_record(struct checker *checker, const char *name,
                                         const struct check_declare_parameter *fields, size_t count) {
  struct type *type = arena_alloc(checker->arena, sizeof *type);
  struct type_constructor *constructor = arena_alloc(checker->arena, sizeof *constructor);
  *constructor = (struct type_constructor){.name = name, .type = type, .field_count = count};
  constructor->fields = arena_array(checker->arena, count, sizeof *constructor->fields);
  for (size_t i = 0; i < count; i++)
    constructor->fields[i] =
        (struct type_field){fields[i].name, check_declare_builtin_find_type(checker, fields[i].type)};
  type->kind = TYPE_RECORD;
  type->named.name = name;
  type->named.constructor_count = 1;
  type->named.constructors = constructor;
  check_declare_builtin_type(checker, name, type);
  struct symbol *symbol = check_scope_symbol(checker, SYMBOL_CONSTRUCTOR, name, (struct place){0});
  symbol->built_in = true;
  symbol->constructor = constructor;
  check_scope_declare(checker, symbol);
}

/* A function type from the table's type names; its result is a Result of `value`. */
static struct type *check_declare_builtin_function_type(struct checker *checker,
                                                        const struct check_declare_parameter *parameters, size_t count,
                                                        const char *value) {
  struct type **types = arena_array(checker->arena, count, sizeof(struct type *));
  for (size_t i = 0; i < count; i++)
    types[i] = check_declare_builtin_find_type(checker, parameters[i].type);
  struct type *result = infer_result(&checker->infer, check_declare_builtin_find_type(checker, value), false);
  return infer_function(&checker->infer, types, count, result);
}

static void check_declare_builtin_function(struct checker *checker, const char *name, const char *result,
                                           const struct check_declare_parameter *parameters, size_t count) {
  struct symbol *symbol = check_scope_symbol(checker, SYMBOL_BUILTIN, name, (struct place){0});
  symbol->built_in = true;
  symbol->type = check_declare_builtin_function_type(checker, parameters, count, result);
  symbol->parameter_count = count;
  symbol->parameters = arena_array(checker->arena, count, sizeof *symbol->parameters);
  for (size_t i = 0; i < count; i++)
    symbol->parameters[i] = parameters[i].name;
  check_scope_declare(checker, symbol);
}

/* Expands spec/ws_builtins.def. The table's own type names (INT, STRING, its handlers) exist only during the
 * expansion. */
static void check_declare_table(struct checker *checker) {
  /* Each list ends with an empty element, because C has no empty arrays. */
#define WS_P(name, type) {#name, #type},
#define WS_LIST(...) ((const struct check_declare_parameter[]){__VA_ARGS__{NULL, NULL}})
#define WS_COUNT(...) (sizeof WS_LIST(__VA_ARGS__) / sizeof(struct check_declare_parameter) - 1)
#define WS_ALIAS(name, type)                                                                                           \
  check_declare_builtin_type(checker, #name, check_declare_builtin_find_type(checker, #type));
#define WS_RECORD(name, fields) check_declare_builtin_record(checker, #name, WS_LIST(fields), WS_COUNT(fields));
#define WS_HANDLER(type, parameters)                                                                                   \
  check_declare_builtin_type(                                                                                          \
      checker, #type,                                                                                                  \
      check_declare_builtin_function_type(checker, WS_LIST(parameters), WS_COUNT(parameters), "SUCCESS"));
#define WS_BUILTIN(name, alias, symbol, result, requirement, parameters, doc)                                          \
  check_declare_builtin_function(checker, #name, #result, WS_LIST(parameters), WS_COUNT(parameters));
#include "ws_builtins.def"
#undef WS_LIST
#undef WS_COUNT
  static const char *const forgotten[] = {
      "INT",
      "BOOL",
      "STRING",
      "SUCCESS",
#define WS_P(name, type)
#define WS_HANDLER(type, parameters) #type,
#include "ws_builtins.def"
  };
  for (size_t i = 0; i < sizeof forgotten / sizeof *forgotten; i++)
    *map_slot(&checker->type_names, forgotten[i], strlen(forgotten[i])) = NULL;
}

static void check_declare_library(struct checker *checker, const struct library_function *function) {
  struct infer *infer = &checker->infer;
  struct type *const types[] = {[TYPE_INT] = infer->integer,
                                [TYPE_FLOAT] = infer->real,
                                [TYPE_BOOL] = infer->boolean,
                                [TYPE_STRING] = infer->string};
  struct symbol *symbol = check_scope_symbol(checker, SYMBOL_LIBRARY, function->name, (struct place){0});
  struct type **parameters = arena_array(checker->arena, function->parameter_count, sizeof(struct type *));
  struct type *result = types[function->result];
  if (function->outcome != LIBRARY_VALUE)
    result = infer_result(infer, result, function->outcome == LIBRARY_MATH);
  symbol->library = function;
  symbol->parameter_count = function->parameter_count;
  symbol->parameters = arena_array(checker->arena, function->parameter_count, sizeof *symbol->parameters);
  for (size_t i = 0; i < function->parameter_count; i++) {
    symbol->parameters[i] = function->parameters[i].name;
    parameters[i] = types[function->parameters[i].type];
  }
  symbol->type = infer_function(infer, parameters, function->parameter_count, result);
  *map_slot(&checker->library, function->name, strlen(function->name)) = symbol;
}

void check_declare_builtins(struct checker *checker) {
  static const char *const parameters[][3] = {
      [INTRINSIC_PRINT] = {"value"},
      [INTRINSIC_TO_STRING] = {"value"},
      [INTRINSIC_INPUT] = {NULL},
      [INTRINSIC_SLEEP] = {"milliseconds"},
      [INTRINSIC_RANGE] = {"start", "end"},
      [INTRINSIC_FOR_EACH] = {"iterator", "function"},
      [INTRINSIC_MAP] = {"iterator", "function"},
      [INTRINSIC_FILTER] = {"iterator", "predicate"},
      [INTRINSIC_FOLD] = {"iterator", "initial", "function"},
  };
  static const char *const names[] = {"print",   "toString", "input",  "sleep", "range",
                                      "forEach", "map",      "filter", "fold"};
  struct infer *infer = &checker->infer;
  const struct {
    const char *name;
    struct type *type;
  } types[] = {
      {"CInt", infer->integer},  {"int", infer->integer},  {"Int", infer->integer},   {"float", infer->real},
      {"Float", infer->real},    {"bool", infer->boolean}, {"Bool", infer->boolean},  {"string", infer->string},
      {"String", infer->string}, {"Unit", infer->unit},    {"unit", infer->unit},     {"Success", infer->unit},
      {"INT", infer->integer},   {"BOOL", infer->boolean}, {"STRING", infer->string}, {"SUCCESS", infer->unit},
  };
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    check_declare_builtin_type(checker, types[i].name, types[i].type);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    struct symbol *symbol = check_scope_symbol(checker, SYMBOL_INTRINSIC, names[i], (struct place){0});
    symbol->built_in = true;
    symbol->intrinsic = (enum intrinsic)i;
    symbol->parameters = arena_array(checker->arena, 3, sizeof *symbol->parameters);
    while (symbol->parameter_count < 3 && parameters[i][symbol->parameter_count]) {
      symbol->parameters[symbol->parameter_count] = parameters[i][symbol->parameter_count];
      symbol->parameter_count++;
    }
    check_scope_declare(checker, symbol);
  }
  check_scope_declare(checker, check_scope_symbol(checker, SYMBOL_SUCCESS, "Success", (struct place){0}));
  check_scope_declare(checker, check_scope_symbol(checker, SYMBOL_ERROR, "Error", (struct place){0}));
  check_scope_declare(checker, check_scope_symbol(checker, SYMBOL_ERROR, "Err", (struct place){0}));
  check_declare_table(checker);
  for (size_t i = 0; i < library_function_count; i++)
    check_declare_library(checker, &library_functions[i]);
}
