/* Types as the source writes them: expressions and declarations. */
#include "checker.h"

#include <string.h>

/* ---- Type expressions -------------------------------------------------------------------------------------------- */

static void check_unknown_type(struct checker *checker, const struct syntax_type *syntax) {
  struct diag_guess guess = {0};
  const struct map *map = &checker->type_names;
  for (size_t i = 0; i < map->capacity; i++)
    if (map->entries[i].value)
      diag_guess_consider(&guess, syntax->name.text, map->entries[i].key);
  diag_guess_consider(&guess, syntax->name.text, "Result");
  const char **hint = diag_error(checker->diag, syntax->name.place, "unknown type '%s'", syntax->name.text);
  if (guess.name)
    *hint = arena_printf(checker->arena, "did you mean '%s'?", guess.name);
}

/* An alias is looked up when it is first used, so that aliases may stand in any order. */
static struct type *check_alias(struct checker *checker, struct type_symbol *symbol) {
  if (symbol->resolving) {
    diag_error(checker->diag, symbol->place, "the type '%s' is an alias of itself", symbol->name);
    return symbol->type = checker->infer.error;
  }
  symbol->resolving = true;
  struct type *type = check_type(checker, symbol->item->declaration.alias);
  symbol->resolving = false;
  if (!symbol->type)
    symbol->type = type;
  return symbol->type;
}

static struct type *check_named_type(struct checker *checker, const struct syntax_type *syntax) {
  struct type_symbol *symbol = map_get(&checker->type_names, syntax->name.text);
  if (!symbol) {
    check_unknown_type(checker, syntax);
    return checker->infer.error;
  }
  if (syntax->count)
    diag_error(checker->diag, syntax->place, "the type '%s' takes no parameters", symbol->name);
  return symbol->type ? symbol->type : check_alias(checker, symbol);
}

/* The error of a Result has to be a text, which MathError is. */
static bool check_error_type(struct checker *checker, const struct syntax_type *syntax) {
  if (syntax->name.text && strcmp(syntax->name.text, "MathError") == 0 && !syntax->count)
    return true;
  struct type *type = check_type(checker, syntax);
  if (!infer_unify(&checker->infer, type, checker->infer.string))
    diag_error(checker->diag, syntax->place, "the error of a Result is string or MathError, not %s",
               check_show(checker, type));
  return false;
}

static struct type *check_result_type(struct checker *checker, const struct syntax_type *syntax) {
  if (syntax->count != 2) {
    diag_error(checker->diag, syntax->place,
               "Result takes two types, what it gives and its error: Result<int, string>");
    return checker->infer.error;
  }
  struct type *value = check_type(checker, syntax->arguments[0]);
  return infer_result(&checker->infer, value, check_error_type(checker, syntax->arguments[1]));
}

static struct type *check_function_type(struct checker *checker, const struct syntax_type *syntax) {
  struct type **parameters = arena_array(checker->arena, syntax->count, sizeof(struct type *));
  for (size_t i = 0; i < syntax->count; i++)
    parameters[i] = check_type(checker, syntax->arguments[i]);
  return infer_function(&checker->infer, parameters, syntax->count, check_type(checker, syntax->result));
}

struct type *check_type(struct checker *checker, const struct syntax_type *syntax) {
  if (!syntax->name.text)
    return check_function_type(checker, syntax);
  if (strcmp(syntax->name.text, "Result") == 0)
    return check_result_type(checker, syntax);
  return check_named_type(checker, syntax);
}

/* ---- Declarations ------------------------------------------------------------------------------------------------ */

static struct type *check_new_named_type(struct checker *checker, const struct syntax_item *item) {
  struct type *type = arena_alloc(checker->arena, sizeof *type);
  type->kind = item->declaration.is_record ? TYPE_RECORD : TYPE_UNION;
  type->named.name = item->name.text;
  return type;
}

/* Enters the name of a declared type. What stands in it is looked at when all names are known. */
void check_declare_type(struct checker *checker, const struct syntax_item *item) {
  const char *name = item->name.text;
  struct type_symbol **slot = (struct type_symbol **)map_slot(&checker->type_names, name, strlen(name));
  if (*slot && (*slot)->built_in)
    return;
  bool built_in = strcmp(name, "Result") == 0 || strcmp(name, "MathError") == 0;
  if (*slot || built_in) {
    diag_error(checker->diag, item->name.place, "the type '%s' is %s", name,
               built_in ? "built in" : check_declared_at(checker, (*slot)->place));
    return;
  }
  *slot = arena_alloc(checker->arena, sizeof **slot);
  **slot = (struct type_symbol){.name = name, .item = item, .place = item->name.place};
  if (!item->declaration.alias)
    (*slot)->type = check_new_named_type(checker, item);
}

static void check_fields(struct checker *checker, const struct syntax_variant *syntax,
                         struct type_constructor *constructor) {
  constructor->field_count = syntax->count;
  constructor->fields = arena_array(checker->arena, syntax->count, sizeof *constructor->fields);
  for (size_t i = 0; i < syntax->count; i++) {
    const struct syntax_field *field = &syntax->fields[i];
    constructor->fields[i] = (struct type_field){field->name.text, check_type(checker, field->type)};
    for (size_t j = 0; field->name.text && j < i; j++)
      if (strcmp(constructor->fields[j].name, field->name.text) == 0)
        diag_error(checker->diag, field->name.place, "the field '%s' is already declared", field->name.text);
  }
}

/* Whether a declaration says of a built-in type what it is. */
static bool check_repeats(struct checker *checker, const struct syntax_item *item, const struct type *type) {
  const struct syntax_declaration *declaration = &item->declaration;
  if (declaration->alias)
    return infer_resolve(check_type(checker, declaration->alias)) == type;
  if (!declaration->is_record || type->kind != TYPE_RECORD)
    return false;
  struct type_constructor written = {0};
  const struct type_constructor *known = &type->named.constructors[0];
  check_fields(checker, &declaration->variants[0], &written);
  if (written.field_count != known->field_count)
    return false;
  for (size_t i = 0; i < known->field_count; i++)
    if (strcmp(written.fields[i].name, known->fields[i].name) != 0 ||
        infer_resolve(written.fields[i].type) != known->fields[i].type)
      return false;
  return true;
}

/* The function that a constructor is where it stands alone. */
static struct type *check_constructor_type(struct checker *checker, const struct type_constructor *constructor) {
  struct type **parameters = arena_array(checker->arena, constructor->field_count, sizeof(struct type *));
  for (size_t i = 0; i < constructor->field_count; i++)
    parameters[i] = constructor->fields[i].type;
  return infer_function(&checker->infer, parameters, constructor->field_count, constructor->type);
}

static void check_define_variants(struct checker *checker, const struct syntax_item *item, struct type *type) {
  const struct syntax_declaration *declaration = &item->declaration;
  struct type_constructor *constructors = arena_array(checker->arena, declaration->count, sizeof *constructors);
  type->named.constructors = constructors;
  type->named.constructor_count = declaration->count;
  for (size_t i = 0; i < declaration->count; i++) {
    const struct syntax_variant *variant = &declaration->variants[i];
    constructors[i] = (struct type_constructor){
        .name = variant->name.text, .type = type, .tag = (unsigned)i, .place = variant->name.place};
    check_fields(checker, variant, &constructors[i]);
    struct symbol *symbol = check_new_symbol(checker, SYMBOL_CONSTRUCTOR, variant->name.text, variant->name.place);
    symbol->constructor = &constructors[i];
    symbol->parameter_count = constructors[i].field_count;
    symbol->type = check_constructor_type(checker, &constructors[i]);
    check_declare(checker, symbol);
  }
}

void check_define_type(struct checker *checker, const struct syntax_item *item) {
  struct type_symbol *symbol = map_get(&checker->type_names, item->name.text);
  if (!symbol)
    return;
  if (symbol->built_in) {
    if (!check_repeats(checker, item, symbol->type))
      *diag_error(checker->diag, item->name.place, "'%s' is built in, and this is not what it is", item->name.text) =
          "leave the declaration out, or give the type another name";
    return;
  }
  if (symbol->item != item)
    return;
  if (item->declaration.alias) {
    if (!symbol->type)
      check_alias(checker, symbol);
    return;
  }
  check_define_variants(checker, item, symbol->type);
}
