#include "check_pattern.h"

#include "check_operator.h"

#include <string.h>

static bool check_pattern_ignores(struct syntax_name name) {
  return strcmp(name.text, "_") == 0;
}

static struct ast_variable *check_pattern_bind(struct checker *checker, struct syntax_name name, struct type *type) {
  if (check_pattern_ignores(name))
    return NULL;
  struct ast_variable *variable = check_scope_variable(checker, AST_LOCAL, name.text, type, name.place);
  check_scope_bind(checker, variable);
  return variable;
}

/* After an error in a pattern, binds its names to the error type, so that the arm reports no errors for them. */
static void check_pattern_bind_wrong(struct checker *checker, const struct syntax_pattern *pattern) {
  for (size_t i = 0; i < pattern->count; i++)
    check_pattern_bind(checker, pattern->bindings[i], checker->infer.error);
}

/* Unifies the type of the subject with the pattern's, or reports the mismatch. */
static bool check_pattern_fits(struct checker *checker, struct type *subject, struct type *type,
                               const struct syntax_pattern *pattern) {
  if (infer_unify(&checker->infer, subject, type))
    return true;
  check_pattern_bind_wrong(checker, pattern);
  const char **hint = diag_error(checker->diag, pattern->place, "the pattern: expected %s, found %s",
                                 type_name(checker->arena, subject), type_name(checker->arena, type));
  if (infer_resolve(subject)->kind == TYPE_RESULT)
    *hint = "a Result has the cases Success and Err";
  return false;
}

/* Success and Err have one field each, `value` and `message`, which a pattern binds by name, by position, or not at
 * all. */
static void check_pattern_result(struct checker *checker, struct type *subject, const struct syntax_pattern *pattern,
                                 bool success, struct ast_arm *arm) {
  struct type *value = infer_variable(&checker->infer);
  const char *field = success ? "value" : "message";
  arm->kind = success ? AST_PATTERN_SUCCESS : AST_PATTERN_ERROR;
  if (!check_pattern_fits(checker, subject, infer_result(&checker->infer, value, false), pattern) || !pattern->count)
    return;
  struct syntax_name binding = pattern->bindings[0];
  if (pattern->count > 1) {
    diag_error(checker->diag, pattern->bindings[1].place, "'%s' has one field, '%s'", pattern->name.text, field);
    check_pattern_bind_wrong(checker, pattern);
  } else if (pattern->by_name && !check_pattern_ignores(binding) && strcmp(binding.text, field) != 0) {
    *diag_error(checker->diag, binding.place, "'%s' has no field '%s'", pattern->name.text, binding.text) =
        arena_printf(checker->arena, "its field is '%s'; to bind it to another name, write %s %s", field,
                     pattern->name.text, binding.text);
    check_pattern_bind_wrong(checker, pattern);
  } else {
    arm->variable = check_pattern_bind(checker, binding, success ? value : checker->infer.string);
  }
}

/* { a, b }: each binding is the name of a field. `{ _ }` alone ignores all. */
static void check_pattern_bind_by_name(struct checker *checker, const struct type_constructor *constructor,
                                       const struct syntax_pattern *pattern, struct ast_arm *arm) {
  for (size_t i = 0; i < pattern->count; i++) {
    struct syntax_name name = pattern->bindings[i];
    size_t at = 0;
    while (at < constructor->field_count &&
           !(constructor->fields[at].name && strcmp(constructor->fields[at].name, name.text) == 0))
      at++;
    if (check_pattern_ignores(name))
      continue;
    if (at < constructor->field_count && arm->bindings[at]) {
      diag_error(checker->diag, name.place, "the field '%s' is bound twice", name.text);
      continue;
    }
    if (at < constructor->field_count) {
      arm->bindings[at] = check_pattern_bind(checker, name, constructor->fields[at].type);
      continue;
    }
    struct diag_guess guess = {0};
    for (size_t j = 0; j < constructor->field_count; j++)
      if (constructor->fields[j].name)
        diag_guess_consider(&guess, name.text, constructor->fields[j].name);
    const char **hint = diag_error(checker->diag, name.place, "'%s' has no field '%s'", constructor->name, name.text);
    if (guess.name)
      *hint = arena_printf(checker->arena, "did you mean '%s'?", guess.name);
    check_pattern_bind(checker, name, checker->infer.error);
  }
}

static void check_pattern_bind_by_position(struct checker *checker, const struct type_constructor *constructor,
                                           const struct syntax_pattern *pattern, struct ast_arm *arm) {
  if (pattern->count != constructor->field_count) {
    const char *has = constructor->field_count ? arena_printf(checker->arena, "%zu", constructor->field_count) : "no";
    diag_error(checker->diag, pattern->place, "'%s' has %s field%s, not %zu", constructor->name, has,
               constructor->field_count == 1 ? "" : "s", pattern->count);
    check_pattern_bind_wrong(checker, pattern);
    return;
  }
  for (size_t i = 0; i < pattern->count; i++) {
    arm->bindings[i] = check_pattern_bind(checker, pattern->bindings[i], constructor->fields[i].type);
    for (size_t j = 0; j < i; j++)
      if (arm->bindings[i] && pattern->bindings[j].text == pattern->bindings[i].text)
        diag_error(checker->diag, pattern->bindings[i].place, "the name '%s' is bound twice",
                   pattern->bindings[i].text);
  }
}

static void check_pattern_constructor(struct checker *checker, struct type *subject,
                                      const struct syntax_pattern *pattern, struct ast_arm *arm) {
  const struct symbol *symbol = check_scope_find(checker, pattern->name.text);
  if (symbol && (symbol->kind == SYMBOL_SUCCESS || symbol->kind == SYMBOL_ERROR)) {
    check_pattern_result(checker, subject, pattern, symbol->kind == SYMBOL_SUCCESS, arm);
    return;
  }
  arm->kind = AST_PATTERN_ANY;
  if (!symbol || symbol->kind != SYMBOL_CONSTRUCTOR) {
    check_scope_unknown(checker, pattern->name.text, pattern->name.place);
    check_pattern_bind_wrong(checker, pattern);
    return;
  }
  const struct type_constructor *constructor = symbol->constructor;
  if (!check_pattern_fits(checker, subject, constructor->type, pattern))
    return;
  arm->kind = AST_PATTERN_CONSTRUCTOR;
  arm->constructor = constructor;
  arm->bindings = arena_array(checker->arena, constructor->field_count, sizeof(struct ast_variable *));
  if (pattern->by_name)
    check_pattern_bind_by_name(checker, constructor, pattern, arm);
  else if (pattern->has_fields)
    check_pattern_bind_by_position(checker, constructor, pattern, arm);
}

void check_pattern(struct checker *checker, struct type *subject, const struct syntax_pattern *pattern,
                   struct ast_arm *arm) {
  switch (pattern->kind) {
  case SYNTAX_PATTERN_NAME:
    arm->kind = AST_PATTERN_ANY;
    arm->variable = check_pattern_bind(checker, pattern->name, subject);
    break;
  case SYNTAX_PATTERN_INT:
    arm->kind = AST_PATTERN_INT;
    arm->integer = pattern->integer;
    check_pattern_fits(checker, subject, checker->infer.integer, pattern);
    break;
  case SYNTAX_PATTERN_BOOL:
    arm->kind = AST_PATTERN_BOOL;
    arm->truth = pattern->truth;
    check_pattern_fits(checker, subject, checker->infer.boolean, pattern);
    break;
  case SYNTAX_PATTERN_STRING:
    arm->kind = AST_PATTERN_STRING;
    arm->text = pattern->text;
    check_pattern_fits(checker, subject, checker->infer.string, pattern);
    break;
  case SYNTAX_PATTERN_CONSTRUCTOR:
    check_pattern_constructor(checker, subject, pattern, arm);
    break;
  }
}

/* A map key that is equal for equal literals or constructors. All patterns of a match have one type. */
static const char *check_pattern_key(struct checker *checker, const struct ast_arm *arm, size_t *length) {
  if (arm->kind == AST_PATTERN_STRING) {
    *length = arm->text.length;
    return arm->text.bytes;
  }
  const char *key = arm->kind == AST_PATTERN_INT ? arena_printf(checker->arena, "%lld", (long long)arm->integer)
                    : arm->kind == AST_PATTERN_CONSTRUCTOR ? arm->constructor->name
                    : arm->kind == AST_PATTERN_BOOL        ? arm->truth ? "true" : "false"
                    : arm->kind == AST_PATTERN_SUCCESS     ? "Success"
                                                           : "Err";
  *length = strlen(key);
  return key;
}

/* Reports unreachable arms. Returns true if there is a catch-all. */
static bool check_pattern_reachable(struct checker *checker, const struct ast_match *match, struct map *seen) {
  bool caught = false;
  for (size_t i = 0; i < match->count; i++) {
    const struct ast_arm *arm = &match->arms[i];
    if (caught) {
      const struct ast_variable *name = match->arms[i - 1].variable;
      *diag_error(checker->diag, arm->place, "this arm is never reached") =
          match->arms[i - 1].kind == AST_PATTERN_ANY && name
              ? arena_printf(checker->arena, "'%s' before it is a new name for any value: compare with 'if'",
                             name->name)
              : "an earlier arm matches everything";
      continue;
    }
    caught = arm->kind == AST_PATTERN_ANY;
    if (caught)
      continue;
    size_t length;
    const char *key = check_pattern_key(checker, arm, &length);
    struct ast_arm **slot = (struct ast_arm **)map_slot(seen, key, length);
    if (*slot) {
      unsigned line, column;
      source_position(checker->diag->source, (*slot)->place, &line, &column);
      diag_error(checker->diag, arm->place, "this case is already matched, at line %u", line);
    } else {
      *slot = &match->arms[i];
    }
  }
  return caught;
}

static const char *check_pattern_add_missing(struct checker *checker, const char *missing, const struct map *seen,
                                             const char *name) {
  if (map_get(seen, name))
    return missing;
  return missing ? arena_printf(checker->arena, "%s, %s", missing, name) : name;
}

/* The cases of a type that no arm matches, for a message; NULL if there are none. */
static const char *check_pattern_missing(struct checker *checker, const struct type *type, const struct map *seen) {
  const char *missing = NULL;
  switch (type->kind) {
  case TYPE_BOOL:
    missing = check_pattern_add_missing(checker, missing, seen, "true");
    return check_pattern_add_missing(checker, missing, seen, "false");
  case TYPE_RESULT:
    missing = check_pattern_add_missing(checker, missing, seen, "Success");
    return check_pattern_add_missing(checker, missing, seen, "Err");
  case TYPE_RECORD:
  case TYPE_UNION:
    for (size_t i = 0; i < type->named.constructor_count; i++)
      missing = check_pattern_add_missing(checker, missing, seen, type->named.constructors[i].name);
    return missing;
  case TYPE_INT:
    return "other ints";
  case TYPE_STRING:
    return "other strings";
  default:
    return "_";
  }
}

void check_pattern_coverage(struct checker *checker, struct ast_match *match, struct type *subject,
                            struct place place) {
  struct map seen;
  map_init(&seen, checker->arena);
  size_t errors = checker->diag->errors;
  bool caught = check_pattern_reachable(checker, match, &seen);
  subject = check_operator_force(checker, subject);
  const char *missing = check_pattern_missing(checker, subject, &seen);
  if (errors != checker->diag->errors || subject->kind == TYPE_ERROR)
    return;
  if (caught && !missing && match->count > 1)
    match->count--;
  if (caught || !missing)
    return;
  const char **hint = diag_error(checker->diag, place, "the match does not cover: %s", missing);
  if (subject->kind == TYPE_RESULT)
    *hint = map_get(&seen, "Success") ? "add an arm: Err message => …" : "add an arm: Success value => …";
  else
    *hint = "add an arm for each, or a last one that catches all: _ => …";
  if (subject->kind < TYPE_RESULT && subject->kind != TYPE_BOOL)
    *hint = arena_printf(checker->arena, "a match on %s needs a last arm that catches all: _ => …",
                         type_name(checker->arena, subject));
}
