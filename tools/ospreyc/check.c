#include "check.h"

#include "check_declare.h"
#include "check_expr.h"
#include "check_ground.h"
#include "check_operator.h"
#include "check_order.h"

/* An item at file scope. */
struct check_item {
  struct check_uses uses;
  struct symbol *symbol;          /* what it declares; NULL for a statement, or if the name was taken */
  struct ast_statement statement; /* of init */
  bool is_statement;
  bool failed; /* has an error, or its type depends on an item that failed: it is not grounded */
};

struct check_file {
  const struct syntax_program *syntax;
  struct check_item *items;
  struct frame frame; /* of init */
};

/* Whether an item that is no function is indented: it seems to be part of the function before it. */
static bool check_item_is_indented(const struct checker *checker, const struct check_file *file, size_t index) {
  const struct syntax_item *item = &file->syntax->items[index];
  bool is_statement = item->kind == SYNTAX_ITEM_EXPR || item->kind == SYNTAX_ITEM_LET;
  const char *text = checker->diag->source->text;
  size_t at = item->place.offset;
  while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '\t'))
    at--;
  return is_statement && at < item->place.offset && at > 0 && text[at - 1] == '\n';
}

static void check_item_body(struct checker *checker, struct check_file *file, size_t index) {
  const struct syntax_item *syntax = &file->syntax->items[index];
  struct check_item *item = &file->items[index];
  struct symbol *symbol = item->symbol;
  size_t errors = checker->diag->errors, recorded = checker->diag->count;
  checker->uses = &item->uses;
  size_t begin = index;
  while (begin > 0 && check_item_is_indented(checker, file, begin))
    begin--;
  bool follows = begin < index && file->syntax->items[begin].kind == SYNTAX_ITEM_FUNCTION;
  bool is_next = index > 0 && syntax[-1].kind == SYNTAX_ITEM_FUNCTION && syntax->kind != SYNTAX_ITEM_FUNCTION &&
                 checker->diag->source->text[syntax->place.offset - 1] != '\n';
  checker->before = follows ? file->syntax->items[begin].function : is_next ? syntax[-1].function : NULL;
  checker->infer.level = syntax->kind == SYNTAX_ITEM_FUNCTION ? INFER_FUNCTION : INFER_FILE;
  item->statement.place = syntax->place;
  item->is_statement = syntax->kind == SYNTAX_ITEM_EXPR || syntax->kind == SYNTAX_ITEM_LET;
  if (syntax->kind == SYNTAX_ITEM_EXPR) {
    check_expr_statement(checker, syntax, &item->statement);
  } else if (syntax->kind == SYNTAX_ITEM_LET && symbol) {
    struct want want = {symbol->type, arena_printf(checker->arena, "the value of '%s'", symbol->name), NULL};
    item->statement.variable = symbol->variable;
    item->statement.value = check_expr(checker, syntax->value, syntax->type ? &want : NULL);
    check_expr_meet(checker, item->statement.value, &want);
  } else if (syntax->kind == SYNTAX_ITEM_LET) {
    item->statement.value = check_expr(checker, syntax->value, NULL);
  } else if (symbol) {
    struct check_function *function = symbol->function;
    function->code = arena_alloc(checker->arena, sizeof *function->code);
    check_expr_function(checker, function->code, function->syntax, function->type, symbol->name, false, NULL);
  }
  item->failed = errors != checker->diag->errors;
  bool goes_on =
      follows && checker->before->body->kind != SYNTAX_BLOCK && item->failed && recorded < checker->diag->count;
  if (goes_on) {
    diag_drop_since(checker->diag, recorded);
    *diag_error(checker->diag, file->syntax->items[begin + 1].place, "the body of '%s' has ended before this line",
                checker->before->name.text) = "put its expressions in { … }";
  }
  checker->before = NULL;
  checker->uses = NULL;
}

/* Checks a group of items that depend on each other. The type of each function exists before any body of the group is
 * checked. The operators are settled when all bodies have been checked. */
static void check_group(struct checker *checker, struct check_file *file, const size_t *group, size_t count) {
  checker->infer.level = INFER_FUNCTION;
  for (size_t i = 0; i < count; i++) {
    const struct syntax_item *syntax = &file->syntax->items[group[i]];
    bool declares = syntax->kind == SYNTAX_ITEM_FUNCTION || syntax->kind == SYNTAX_ITEM_LET;
    struct symbol *symbol = declares ? map_get(&checker->values, syntax->name.text) : NULL;
    if (!symbol || (symbol->kind != SYMBOL_FUNCTION && symbol->kind != SYMBOL_GLOBAL) || symbol->item != group[i])
      continue;
    file->items[group[i]].symbol = symbol;
    if (symbol->function && !symbol->function->annotated)
      symbol->function->type = symbol->type = check_declare_signature(checker, symbol->function->syntax);
  }
  for (size_t i = 0; i < count; i++)
    check_item_body(checker, file, group[i]);
  size_t errors = checker->diag->errors, defaulted = checker->defaulted_count;
  check_operator_settle_all(checker);
  for (size_t i = 0; i < count; i++) {
    struct check_item *item = &file->items[group[i]];
    struct check_function *function = item->symbol ? item->symbol->function : NULL;
    item->failed |= errors != checker->diag->errors;
    for (size_t j = 0; j < item->uses.count && !item->failed; j++) {
      const struct symbol *used = item->uses.symbols[j];
      item->failed = file->items[used->item].failed && check_order_is_inferred(used, file->syntax);
    }
    if (!function)
      continue;
    function->defaulted = defaulted != checker->defaulted_count;
    function->failed = item->failed;
    if (!function->annotated)
      function->generic = infer_generalise(&checker->infer, function->type);
  }
}

/* Checks the body of a generic function for the types of an instance. */
static void check_instance(struct checker *checker, const struct check_instance *instance) {
  struct check_function *function = instance->function;
  size_t errors = checker->diag->errors;
  checker->infer.level = INFER_FUNCTION;
  checker->instance = instance;
  const char *types = "";
  for (size_t i = 0; i < instance->type->function.parameter_count; i++)
    types = arena_printf(checker->arena, "%s%s%s", types, i ? ", " : "",
                         type_name(checker->arena, instance->type->function.parameters[i]));
  const char *symbol =
      check_scope_unique(checker, arena_printf(checker->arena, "%s<%s>", function->symbol->name, types));
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

/* A global has no value until its `let` has run. Walks from each statement through all functions that it may call,
 * looking for a global that is set later. */
static void check_early_uses(struct checker *checker, struct check_file *file) {
  size_t count = file->syntax->count;
  if (!checker->program->global_count)
    return;
  /* The statement for which an item was last reached, plus one; and the items to visit. */
  size_t *stamps = arena_array(checker->arena, count, sizeof *stamps);
  size_t *stack = arena_array(checker->arena, count + 1, sizeof *stack);
  for (size_t statement = 0; statement < count; statement++) {
    if (!file->items[statement].is_statement)
      continue;
    const struct symbol *late = NULL;
    size_t stack_count = 0;
    stack[stack_count++] = statement;
    stamps[statement] = statement + 1;
    while (stack_count && !late) {
      const struct check_uses *uses = &file->items[stack[--stack_count]].uses;
      for (size_t i = 0; i < uses->count && !late; i++) {
        const struct symbol *symbol = uses->symbols[i];
        if (symbol->kind == SYMBOL_GLOBAL && symbol->item >= statement)
          late = symbol;
        if (symbol->kind != SYMBOL_FUNCTION || stamps[symbol->item] == statement + 1)
          continue;
        stamps[symbol->item] = statement + 1;
        stack[stack_count++] = symbol->item;
      }
    }
    if (late)
      *diag_error(checker->diag, file->syntax->items[statement].place, "'%s' has no value yet when this runs",
                  late->name) = "statements at file scope run in the order they are written";
  }
}

/* Grounds what was checked: main, the globals, init (the statements at file scope), the functions that are not generic,
 * and then the instances, each of which may queue further ones. */
static void check_finish(struct checker *checker, struct check_file *file) {
  size_t count = file->syntax->count;
  const struct symbol *main = map_get(&checker->values, "main");
  if (main && main->kind == SYMBOL_FUNCTION) {
    struct check_function *function = main->function;
    checker->program->main = function->code;
    if (function->syntax->count)
      diag_error(checker->diag, main->place, "'main' takes no parameters");
    else if (function->generic)
      checker->program->main = check_ground_instantiate(
          checker, function, infer_ground(&checker->infer, infer_instantiate(&checker->infer, function->type)),
          main->place);
    const struct type *result = infer_resolve(function->type->function.result);
    if (result->kind == TYPE_RESULT && !result->result.math && !checker->diag->errors)
      *diag_warning(checker->diag, main->place, "main's value is a Result, whose Err would be lost") =
          "print it as main's last act: print(\"${…}\")";
  }
  check_operator_settle_comparisons(checker);
  for (size_t i = 0; i < checker->program->global_count; i++) {
    struct ast_variable *global = checker->program->globals[i];
    global->type = infer_ground(&checker->infer, global->type);
  }
  struct ast_block *block = &checker->program->init->body->block;
  block->statements = arena_array(checker->arena, count, sizeof *block->statements);
  for (size_t i = 0; i < count; i++)
    if (file->items[i].is_statement && !file->items[i].failed)
      block->statements[block->count++] = file->items[i].statement;
  check_ground_function(checker, checker->program->init);
  for (size_t i = 0; i < count; i++) {
    struct symbol *symbol = file->items[i].symbol;
    struct check_function *function = symbol ? symbol->function : NULL;
    if (!function || function->failed || function->generic)
      continue;
    function->code->symbol = check_scope_unique(checker, symbol->name);
    check_ground_function(checker, function->code);
  }
  for (size_t i = 0; i < checker->queue_count; i++)
    check_instance(checker, checker->queue[i]);
}

struct ast_program *check(const struct syntax_program *syntax, const struct source *source,
                          const struct check_options *options, struct arena *arena, struct diag *diag) {
  struct checker checker = {
      .arena = arena, .diag = diag, .options = options, .skipped = &syntax->skipped, .syntax = syntax};
  struct check_file file = {.syntax = syntax};
  struct ast_program *program = checker.program = arena_alloc(arena, sizeof *program);
  file.items = arena_array(arena, syntax->count, sizeof *file.items);
  infer_init(&checker.infer, arena);
  map_init(&checker.locals, arena);
  map_init(&checker.values, arena);
  map_init(&checker.library, arena);
  map_init(&checker.type_names, arena);
  map_init(&checker.symbols_made, arena);
  check_declare_builtins(&checker);
  struct ast_function *init = program->init = arena_alloc(arena, sizeof *init);
  init->name = "init";
  init->symbol = check_scope_unique(&checker, "init");
  init->type = infer_function(&checker.infer, NULL, 0, checker.infer.unit);
  init->body = ast_expr_new(arena, AST_BLOCK, checker.infer.unit, (struct place){0});
  program->source = source;
  file.frame.function = init;
  checker.frame = &file.frame;
  check_declare_program(&checker, syntax);
  struct check_order order = check_order(&checker, syntax);
  for (size_t i = 0, from = 0; i < order.group_count; from = order.ends[i++])
    check_group(&checker, &file, order.items + from, order.ends[i] - from);
  /* A part that could not be parsed may determine types and set globals. */
  if (!checker.infer.too_large && !syntax->failed) {
    check_finish(&checker, &file);
    check_early_uses(&checker, &file);
  }
  if (checker.infer.too_large)
    *diag_error(diag, (struct place){0}, "the types of this program are too large") =
        "a function that takes or returns functions of functions can double a type at each step";
  for (size_t i = 0; i < checker.values.capacity; i++) {
    const struct symbol *symbol = checker.values.entries[i].value;
    if (symbol && symbol->kind == SYMBOL_EXTERN && symbol->external_used)
      ARENA_PUSH(arena, program->externs, program->extern_count, checker.extern_capacity, symbol->external);
  }
  return diag->errors ? NULL : program;
}
