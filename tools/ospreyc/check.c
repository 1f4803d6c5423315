/* File scope: what is declared, in which order it is checked, which instances of generic functions there are. */
#include "check.h"

#include "checker.h"
#include "order.h"
#include "uses.h"

#include <string.h>

enum { CHECK_INSTANCES_MAX = 10000 };

/* ---- Symbols ----------------------------------------------------------------------------------------------------- */

struct symbol *check_new_symbol(struct checker *checker, enum symbol_kind kind, const char *name, struct place place) {
  struct symbol *symbol = arena_alloc(checker->arena, sizeof *symbol);
  *symbol = (struct symbol){.kind = kind, .name = name, .place = place};
  return symbol;
}

/* "already declared" and where. */
const char *check_declared_at(struct checker *checker, struct place place) {
  unsigned line, column;
  source_position(checker->diag->source, place, &line, &column);
  return arena_printf(checker->arena, "already declared, at line %u", line);
}

bool check_declare(struct checker *checker, struct symbol *symbol) {
  struct symbol **slot = (struct symbol **)map_slot(&checker->values, symbol->name, strlen(symbol->name));
  if (!*slot) {
    *slot = symbol;
    return true;
  }
  bool built_in = (*slot)->built_in || (*slot)->kind >= SYMBOL_SUCCESS;
  const char *taken = built_in ? "built in" : check_declared_at(checker, (*slot)->place);
  const char **hint = diag_error(checker->diag, symbol->place, "'%s' is %s", symbol->name, taken);
  if ((*slot)->kind == SYMBOL_BUILTIN && symbol->kind == SYMBOL_EXTERN)
    *hint = arena_printf(checker->arena, "it can be called without a declaration, or be declared as 'ws%s'",
                         symbol->name + strlen("websocket"));
  else if (built_in)
    *hint = "choose another name";
  return false;
}

static const char **check_parameter_names(struct checker *checker, const struct syntax_function *syntax) {
  const char **names = arena_array(checker->arena, syntax->count, sizeof *names);
  for (size_t i = 0; i < syntax->count; i++)
    names[i] = syntax->parameters[i].name.text;
  return names;
}

static bool check_is_annotated(const struct syntax_function *syntax) {
  bool annotated = syntax->result != NULL;
  for (size_t i = 0; i < syntax->count; i++)
    annotated = annotated && syntax->parameters[i].type;
  return annotated;
}

static void check_declare_function(struct checker *checker, const struct syntax_item *item, size_t index) {
  struct symbol *symbol = check_new_symbol(checker, SYMBOL_FUNCTION, item->name.text, item->name.place);
  struct check_function *function = arena_alloc(checker->arena, sizeof *function);
  symbol->function = function;
  symbol->item = index;
  symbol->parameter_count = item->function->count;
  symbol->parameters = check_parameter_names(checker, item->function);
  function->symbol = symbol;
  function->syntax = item->function;
  function->shell.name = item->name.text;
  function->annotated = check_is_annotated(item->function);
  if (check_declare(checker, symbol) && function->annotated)
    function->type = symbol->type = check_signature(checker, item->function);
}

/* What an extern leaves out is Unit; its parameters cannot be left out. */
static struct type *check_extern_type(struct checker *checker, const struct syntax_function *syntax) {
  struct type **parameters = arena_array(checker->arena, syntax->count, sizeof(struct type *));
  for (size_t i = 0; i < syntax->count; i++) {
    const struct syntax_parameter *parameter = &syntax->parameters[i];
    if (!parameter->type)
      diag_error(checker->diag, parameter->name.place, "a parameter of an extern function needs a type");
    parameters[i] = parameter->type ? check_type(checker, parameter->type) : infer_variable(&checker->infer);
  }
  struct type *result = syntax->result ? check_type(checker, syntax->result) : checker->infer.unit;
  return infer_ground(&checker->infer, infer_function(&checker->infer, parameters, syntax->count, result));
}

static void check_extern_allowed(struct checker *checker, const struct syntax_item *item) {
  const char *behind = builtin_behind(item->name.text);
  const char *flag = checker->options->forbidden_by;
  if (behind && flag)
    diag_error(checker->diag, item->name.place, "'%s' is not allowed with %s: it is '%s'", item->name.text, flag,
               behind);
  else if (checker->options->sandbox)
    diag_error(checker->diag, item->name.place, "the extern function '%s' is not allowed with --sandbox",
               item->name.text);
}

static void check_declare_extern(struct checker *checker, const struct syntax_item *item) {
  struct symbol *symbol = check_new_symbol(checker, SYMBOL_EXTERN, item->name.text, item->name.place);
  struct ast_extern *external = arena_alloc(checker->arena, sizeof *external);
  check_extern_allowed(checker, item);
  symbol->parameter_count = item->function->count;
  symbol->parameters = check_parameter_names(checker, item->function);
  symbol->type = check_extern_type(checker, item->function);
  symbol->external = external;
  *external = (struct ast_extern){item->name.text, symbol->type, symbol->parameters, item->name.place};
  check_declare(checker, symbol);
}

static void check_declare_global(struct checker *checker, const struct syntax_item *item, size_t index) {
  if (strcmp(item->name.text, "_") == 0)
    return;
  struct symbol *symbol = check_new_symbol(checker, SYMBOL_GLOBAL, item->name.text, item->name.place);
  symbol->item = index;
  if (item->value->kind == SYNTAX_LAMBDA) {
    symbol->parameter_count = item->value->function->count;
    symbol->parameters = check_parameter_names(checker, item->value->function);
  }
  symbol->type = item->type ? check_type(checker, item->type) : infer_variable(&checker->infer);
  symbol->variable = check_new_variable(checker, AST_GLOBAL, item->name.text, symbol->type, item->name.place);
  symbol->variable->index = (unsigned)checker->program->global_count;
  if (check_declare(checker, symbol))
    ARENA_PUSH(checker->arena, checker->program->globals, checker->program->global_count, checker->global_capacity,
               symbol->variable);
}

/* The types of fields are ground from the start: they can hold no variables. */
static void check_ground_fields(struct checker *checker) {
  for (size_t i = 0; i < checker->values.capacity; i++) {
    const struct symbol *symbol = checker->values.entries[i].value;
    if (!symbol || symbol->kind != SYMBOL_CONSTRUCTOR)
      continue;
    for (size_t j = 0; j < symbol->constructor->field_count; j++) {
      struct type_field *field = &symbol->constructor->fields[j];
      field->type = infer_ground(&checker->infer, field->type);
    }
  }
}

static void check_declare_all(struct checker *checker, const struct syntax_program *syntax) {
  for (size_t i = 0; i < syntax->count; i++)
    if (syntax->items[i].kind == SYNTAX_ITEM_TYPE)
      check_declare_type(checker, &syntax->items[i]);
  for (size_t i = 0; i < syntax->count; i++)
    if (syntax->items[i].kind == SYNTAX_ITEM_TYPE)
      check_define_type(checker, &syntax->items[i]);
  check_ground_fields(checker);
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

/* ---- The order --------------------------------------------------------------------------------------------------- */

/* Whether the type of what an item declares is only known when the item has been checked. */
static bool check_is_inferred(const struct symbol *symbol, const struct syntax_program *syntax) {
  if (symbol->kind == SYMBOL_FUNCTION)
    return !symbol->function->annotated;
  return symbol->kind == SYMBOL_GLOBAL && !syntax->items[symbol->item].type;
}

static struct order check_order(struct checker *checker, const struct syntax_program *syntax) {
  struct order_edges *edges = arena_array(checker->arena, syntax->count, sizeof *edges);
  for (size_t i = 0; i < syntax->count; i++) {
    struct uses uses = uses_of(&syntax->items[i], checker->arena);
    edges[i].targets = arena_array(checker->arena, uses.count, sizeof *edges[i].targets);
    for (size_t j = 0; j < uses.count; j++) {
      const struct symbol *symbol = map_get(&checker->values, uses.names[j]);
      if (symbol && check_is_inferred(symbol, syntax))
        edges[i].targets[edges[i].count++] = symbol->item;
    }
  }
  return order_items(checker->arena, edges, syntax->count);
}

/* ---- Checking ---------------------------------------------------------------------------------------------------- */

/* An item at file scope while it is checked. */
struct check_item {
  struct check_uses uses;
  struct symbol *symbol;          /* what it declares, or NULL: it is a statement, or its name was taken */
  struct ast_statement statement; /* of init */
  bool is_statement;
  bool failed; /* an error was found in it, or its type rests on something that failed: what is left
                                      open in it says nothing, so that it is not finished */
};

struct check_file {
  const struct syntax_program *syntax;
  struct check_item *items;
  struct frame frame; /* of init */
};

static struct symbol *check_declared_by(const struct checker *checker, const struct syntax_item *item, size_t index) {
  if (item->kind != SYNTAX_ITEM_FUNCTION && item->kind != SYNTAX_ITEM_LET)
    return NULL;
  struct symbol *symbol = map_get(&checker->values, item->name.text);
  bool same = symbol && (symbol->kind == SYMBOL_FUNCTION || symbol->kind == SYMBOL_GLOBAL) && symbol->item == index;
  return same ? symbol : NULL;
}

/* The types of the functions in a group have to be there before their bodies are checked. */
static void check_begin_function(struct checker *checker, struct symbol *symbol) {
  struct check_function *function = symbol->function;
  if (!function->annotated)
    function->type = symbol->type = check_signature(checker, function->syntax);
}

static void check_function_item(struct checker *checker, struct check_item *item) {
  struct check_function *function = item->symbol->function;
  function->code = arena_alloc(checker->arena, sizeof *function->code);
  check_function_body(checker, function->code, function->syntax, function->type, function->symbol->name, false, NULL);
}

static void check_global_item(struct checker *checker, const struct syntax_item *syntax, struct check_item *item) {
  struct symbol *symbol = item->symbol;
  struct want want = {symbol->type, arena_printf(checker->arena, "the value of '%s'", symbol->name), NULL};
  item->statement.variable = symbol->variable;
  item->statement.value = check_expr(checker, syntax->value, syntax->type ? &want : NULL);
  check_meet(checker, item->statement.value, &want);
}

static void check_item_body(struct checker *checker, struct check_file *file, size_t index) {
  const struct syntax_item *syntax = &file->syntax->items[index];
  struct check_item *item = &file->items[index];
  size_t errors = checker->diag->errors;
  checker->uses = &item->uses;
  checker->infer.level = syntax->kind == SYNTAX_ITEM_FUNCTION ? INFER_FUNCTION : INFER_FILE;
  item->statement.place = syntax->place;
  if (syntax->kind == SYNTAX_ITEM_EXPR)
    check_statement(checker, syntax, &item->statement);
  else if (syntax->kind == SYNTAX_ITEM_LET && item->symbol)
    check_global_item(checker, syntax, item);
  else if (syntax->kind == SYNTAX_ITEM_LET)
    item->statement.value = check_expr(checker, syntax->value, NULL);
  else if (item->symbol)
    check_function_item(checker, item);
  item->is_statement = syntax->kind == SYNTAX_ITEM_EXPR || syntax->kind == SYNTAX_ITEM_LET;
  item->failed = errors != checker->diag->errors;
  checker->uses = NULL;
}

/* Whether an item mentions one that failed and whose type was to be inferred. */
static bool check_rests_on_failed(const struct check_file *file, const struct check_item *item) {
  for (size_t i = 0; i < item->uses.count; i++) {
    const struct symbol *symbol = item->uses.symbols[i];
    if (file->items[symbol->item].failed && check_is_inferred(symbol, file->syntax))
      return true;
  }
  return false;
}

static void check_end_item(struct checker *checker, struct check_file *file, size_t index) {
  struct check_item *item = &file->items[index];
  struct check_function *function = item->symbol ? item->symbol->function : NULL;
  item->failed = item->failed || check_rests_on_failed(file, item);
  if (!function)
    return;
  function->failed = item->failed;
  if (!function->annotated)
    function->generic = infer_generalise(&checker->infer, function->type);
}

/* Checks items that depend on each other. What their operators are applied to is settled when all bodies are seen. */
static void check_group(struct checker *checker, struct check_file *file, const size_t *group, size_t count) {
  checker->infer.level = INFER_FUNCTION;
  for (size_t i = 0; i < count; i++) {
    struct check_item *item = &file->items[group[i]];
    item->symbol = check_declared_by(checker, &file->syntax->items[group[i]], group[i]);
    if (item->symbol && item->symbol->function)
      check_begin_function(checker, item->symbol);
  }
  for (size_t i = 0; i < count; i++)
    check_item_body(checker, file, group[i]);
  size_t errors = checker->diag->errors, assumed = checker->assumed_count;
  check_settle(checker);
  for (size_t i = 0; i < count; i++) {
    struct symbol *symbol = file->items[group[i]].symbol;
    if (symbol && symbol->function)
      symbol->function->assumed = assumed != checker->assumed_count;
    file->items[group[i]].failed |= errors != checker->diag->errors;
    check_end_item(checker, file, group[i]);
  }
}

/* ---- Instances --------------------------------------------------------------------------------------------------- */

static const char *check_instance_symbol(struct checker *checker, const struct check_function *function,
                                         const struct type *type) {
  const char *name = function->symbol->name;
  if (!function->generic)
    return check_unique_symbol(checker, name);
  const char *list = "";
  for (size_t i = 0; i < type->function.parameter_count; i++)
    list =
        arena_printf(checker->arena, "%s%s%s", list, i ? ", " : "", check_show(checker, type->function.parameters[i]));
  return check_unique_symbol(checker, arena_printf(checker->arena, "%s<%s>", name, list));
}

static struct check_instance *check_add_instance(struct checker *checker, struct check_function *function,
                                                 const struct type *type, struct place place) {
  struct check_instance *instance = arena_alloc(checker->arena, sizeof *instance);
  *instance = (struct check_instance){
      .type = type, .function = function, .code = function->code, .place = place, .next = function->instances};
  if (function->generic) {
    instance->code = arena_alloc(checker->arena, sizeof *instance->code);
    ARENA_PUSH(checker->arena, checker->queue, checker->queue_count, checker->queue_capacity, instance);
  }
  function->instances = instance;
  return instance;
}

struct ast_function *check_instantiate(struct checker *checker, struct check_function *function,
                                       const struct type *type, struct place place) {
  if (function->failed || checker->queue_count > CHECK_INSTANCES_MAX)
    return &function->shell;
  for (struct check_instance *instance = function->instances; instance; instance = instance->next)
    if (instance->type == type)
      return instance->code;
  if (checker->queue_count == CHECK_INSTANCES_MAX)
    diag_error(checker->diag, place, "the generic functions have more than %d instances", CHECK_INSTANCES_MAX);
  return check_add_instance(checker, function, type, place)->code;
}

/* Checks the body of a generic function for the types of an instance. */
static void check_instance(struct checker *checker, const struct check_instance *instance) {
  struct check_function *function = instance->function;
  size_t errors = checker->diag->errors;
  checker->infer.level = INFER_FUNCTION;
  checker->instance = instance;
  const char *symbol = check_instance_symbol(checker, function, instance->type);
  check_function_body(checker, instance->code, function->syntax, (struct type *)instance->type, symbol, false, NULL);
  check_settle(checker);
  check_settle_comparisons(checker);
  checker->instance = NULL;
  if (errors == checker->diag->errors)
    finish_function(checker, instance->code);
  if (errors != checker->diag->errors)
    diag_error(checker->diag, instance->place, "'%s' cannot be used as %s", function->symbol->name,
               check_show(checker, instance->type));
}

/* ---- The result -------------------------------------------------------------------------------------------------- */

static void check_finish_functions(struct checker *checker, struct check_file *file) {
  for (size_t i = 0; i < file->syntax->count; i++) {
    struct symbol *symbol = file->items[i].symbol;
    struct check_function *function = symbol ? symbol->function : NULL;
    if (!function || function->failed || function->generic)
      continue;
    function->code->symbol = check_unique_symbol(checker, symbol->name);
    check_instantiate(checker, function, infer_ground(&checker->infer, function->type), symbol->place);
    finish_function(checker, function->code);
  }
}

/* The function that runs the statements at file scope. */
static void check_finish_init(struct checker *checker, struct check_file *file) {
  struct ast_function *init = checker->program->init;
  struct ast_block *block = &init->body->block;
  block->statements = arena_array(checker->arena, file->syntax->count, sizeof *block->statements);
  for (size_t i = 0; i < file->syntax->count; i++) {
    const struct check_item *item = &file->items[i];
    if (item->is_statement && !item->failed)
      block->statements[block->count++] = item->statement;
  }
  finish_function(checker, init);
}

static void check_finish(struct checker *checker, struct check_file *file) {
  check_settle_comparisons(checker);
  for (size_t i = 0; i < checker->program->global_count; i++) {
    struct ast_variable *global = checker->program->globals[i];
    global->type = infer_ground(&checker->infer, global->type);
  }
  check_finish_init(checker, file);
  check_finish_functions(checker, file);
  for (size_t i = 0; i < checker->queue_count; i++)
    check_instance(checker, checker->queue[i]);
}

static void check_list_externs(struct checker *checker) {
  struct ast_program *program = checker->program;
  for (size_t i = 0; i < checker->values.capacity; i++) {
    const struct symbol *symbol = checker->values.entries[i].value;
    if (symbol && symbol->kind == SYMBOL_EXTERN && symbol->external_used)
      ARENA_PUSH(checker->arena, program->externs, program->extern_count, checker->extern_capacity, symbol->external);
  }
}

static void check_main(struct checker *checker) {
  const struct symbol *symbol = map_get(&checker->values, "main");
  if (!symbol || symbol->kind != SYMBOL_FUNCTION)
    return;
  const struct check_function *function = symbol->function;
  checker->program->main = function->code;
  if (function->syntax->count)
    diag_error(checker->diag, symbol->place, "'main' takes no parameters");
  else if (function->generic)
    checker->program->main = check_instantiate(
        checker, symbol->function, infer_ground(&checker->infer, infer_instantiate(&checker->infer, function->type)),
        symbol->place);
}

/* ---- Globals before their time ----------------------------------------------------------------------------------- */

/* A walk from a statement through all functions it may call, looking for a global that is set later. */
struct check_reach {
  struct check_file *file;
  size_t *stamps; /* the statement for which an item was last seen, plus one */
  size_t *stack;
  size_t stack_count;
};

static const struct symbol *check_reach_late(struct check_reach *reach, size_t statement) {
  reach->stack_count = 0;
  reach->stack[reach->stack_count++] = statement;
  reach->stamps[statement] = statement + 1;
  while (reach->stack_count) {
    const struct check_uses *uses = &reach->file->items[reach->stack[--reach->stack_count]].uses;
    for (size_t i = 0; i < uses->count; i++) {
      const struct symbol *symbol = uses->symbols[i];
      if (symbol->kind == SYMBOL_GLOBAL && symbol->item >= statement)
        return symbol;
      if (symbol->kind != SYMBOL_FUNCTION || reach->stamps[symbol->item] == statement + 1)
        continue;
      reach->stamps[symbol->item] = statement + 1;
      reach->stack[reach->stack_count++] = symbol->item;
    }
  }
  return NULL;
}

/* A global has no value until its `let` has run. */
static void check_early_uses(struct checker *checker, struct check_file *file) {
  size_t count = file->syntax->count;
  if (!checker->program->global_count)
    return;
  struct check_reach reach = {.file = file};
  reach.stamps = arena_array(checker->arena, count, sizeof *reach.stamps);
  reach.stack = arena_array(checker->arena, count + 1, sizeof *reach.stack);
  for (size_t i = 0; i < count; i++) {
    if (!file->items[i].is_statement)
      continue;
    const struct symbol *late = check_reach_late(&reach, i);
    if (late)
      *diag_error(checker->diag, file->syntax->items[i].place, "'%s' has no value yet when this runs", late->name) =
          "statements at file scope run in the order in which they stand";
  }
}

/* ---- The whole --------------------------------------------------------------------------------------------------- */

static struct ast_function *check_new_init(struct checker *checker) {
  struct ast_function *init = arena_alloc(checker->arena, sizeof *init);
  init->name = "init";
  init->symbol = check_unique_symbol(checker, "init");
  init->type = infer_function(&checker->infer, NULL, 0, checker->infer.unit);
  init->body = check_new(checker, AST_BLOCK, checker->infer.unit, (struct place){0});
  return init;
}

static void check_bodies(struct checker *checker, struct check_file *file) {
  struct order order = check_order(checker, file->syntax);
  size_t from = 0;
  for (size_t i = 0; i < order.group_count; i++) {
    check_group(checker, file, order.items + from, order.ends[i] - from);
    from = order.ends[i];
  }
}

static void check_too_large(struct checker *checker) {
  if (!checker->infer.too_large)
    return;
  *diag_error(checker->diag, (struct place){0}, "the types of this program are too large") =
      "a function that takes or gives functions of functions may double a type at each step";
}

struct ast_program *check(const struct syntax_program *syntax, const struct source *source,
                          const struct check_options *options, struct arena *arena, struct diag *diag) {
  struct checker checker = {.arena = arena, .diag = diag, .options = options};
  struct check_file file = {.syntax = syntax};
  file.items = arena_array(arena, syntax->count, sizeof *file.items);
  infer_init(&checker.infer, arena);
  map_init(&checker.locals, arena);
  map_init(&checker.values, arena);
  map_init(&checker.type_names, arena);
  map_init(&checker.symbols_made, arena);
  checker.program = arena_alloc(arena, sizeof *checker.program);
  checker.program->source = source;
  check_declare_builtins(&checker);
  file.frame.function = checker.program->init = check_new_init(&checker);
  checker.frame = &file.frame;
  check_declare_all(&checker, syntax);
  check_bodies(&checker, &file);
  if (!checker.infer.too_large) {
    check_main(&checker);
    check_finish(&checker, &file);
    check_early_uses(&checker, &file);
  }
  check_too_large(&checker);
  check_list_externs(&checker);
  return diag->errors ? NULL : checker.program;
}
