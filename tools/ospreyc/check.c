#include "check.h"

#include "check_declare.h"
#include "check_expr.h"
#include "check_ground.h"
#include "check_operator.h"
#include "check_order.h"

#include <string.h>

/* ---- items */

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
    function->type = symbol->type = check_declare_signature(checker, function->syntax);
}

static void check_function_item(struct checker *checker, struct check_item *item) {
  struct check_function *function = item->symbol->function;
  function->code = arena_alloc(checker->arena, sizeof *function->code);
  check_expr_function(checker, function->code, function->syntax, function->type, function->symbol->name, false, NULL);
}

static void check_global_item(struct checker *checker, const struct syntax_item *syntax, struct check_item *item) {
  struct symbol *symbol = item->symbol;
  struct want want = {symbol->type, arena_printf(checker->arena, "the value of '%s'", symbol->name), NULL};
  item->statement.variable = symbol->variable;
  item->statement.value = check_expr(checker, syntax->value, syntax->type ? &want : NULL);
  check_expr_meet(checker, item->statement.value, &want);
}

static void check_item_body(struct checker *checker, struct check_file *file, size_t index) {
  const struct syntax_item *syntax = &file->syntax->items[index];
  struct check_item *item = &file->items[index];
  size_t errors = checker->diag->errors;
  checker->uses = &item->uses;
  checker->infer.level = syntax->kind == SYNTAX_ITEM_FUNCTION ? INFER_FUNCTION : INFER_FILE;
  item->statement.place = syntax->place;
  if (syntax->kind == SYNTAX_ITEM_EXPR)
    check_expr_statement(checker, syntax, &item->statement);
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
    if (file->items[symbol->item].failed && check_order_is_inferred(symbol, file->syntax))
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
  size_t errors = checker->diag->errors, defaulted = checker->defaulted_count;
  check_operator_settle_all(checker);
  for (size_t i = 0; i < count; i++) {
    struct symbol *symbol = file->items[group[i]].symbol;
    if (symbol && symbol->function)
      symbol->function->defaulted = defaulted != checker->defaulted_count;
    file->items[group[i]].failed |= errors != checker->diag->errors;
    check_end_item(checker, file, group[i]);
  }
}

/* ---- instances */

static const char *check_instance_symbol(struct checker *checker, const struct check_function *function,
                                         const struct type *type) {
  const char *name = function->symbol->name;
  if (!function->generic)
    return check_scope_unique(checker, name);
  const char *list = "";
  for (size_t i = 0; i < type->function.parameter_count; i++)
    list = arena_printf(checker->arena, "%s%s%s", list, i ? ", " : "",
                        type_name(checker->arena, type->function.parameters[i]));
  return check_scope_unique(checker, arena_printf(checker->arena, "%s<%s>", name, list));
}

/* Checks the body of a generic function for the types of an instance. */
static void check_instance(struct checker *checker, const struct check_instance *instance) {
  struct check_function *function = instance->function;
  size_t errors = checker->diag->errors;
  checker->infer.level = INFER_FUNCTION;
  checker->instance = instance;
  const char *symbol = check_instance_symbol(checker, function, instance->type);
  check_expr_function(checker, instance->code, function->syntax, (struct type *)instance->type, symbol, false, NULL);
  check_operator_settle_all(checker);
  check_operator_settle_comparisons(checker);
  checker->instance = NULL;
  if (errors == checker->diag->errors)
    check_ground_function(checker, instance->code);
  if (errors != checker->diag->errors)
    diag_error(checker->diag, instance->place, "'%s' cannot be used as %s", function->symbol->name,
               type_name(checker->arena, instance->type));
}

/* ---- globals used too early */

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

/* ---- the program */

static void check_finish_functions(struct checker *checker, struct check_file *file) {
  for (size_t i = 0; i < file->syntax->count; i++) {
    struct symbol *symbol = file->items[i].symbol;
    struct check_function *function = symbol ? symbol->function : NULL;
    if (!function || function->failed || function->generic)
      continue;
    function->code->symbol = check_scope_unique(checker, symbol->name);
    check_ground_instantiate(checker, function, infer_ground(&checker->infer, function->type), symbol->place);
    check_ground_function(checker, function->code);
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
  check_ground_function(checker, init);
}

static void check_finish(struct checker *checker, struct check_file *file) {
  check_operator_settle_comparisons(checker);
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
    checker->program->main = check_ground_instantiate(
        checker, symbol->function, infer_ground(&checker->infer, infer_instantiate(&checker->infer, function->type)),
        symbol->place);
}

static struct ast_function *check_new_init(struct checker *checker) {
  struct ast_function *init = arena_alloc(checker->arena, sizeof *init);
  init->name = "init";
  init->symbol = check_scope_unique(checker, "init");
  init->type = infer_function(&checker->infer, NULL, 0, checker->infer.unit);
  init->body = ast_expr_new(checker->arena, AST_BLOCK, checker->infer.unit, (struct place){0});
  return init;
}

static void check_bodies(struct checker *checker, struct check_file *file) {
  struct check_order order = check_order(checker, file->syntax);
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
  check_declare_program(&checker, syntax);
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
