/* match: patterns, what they bind, and whether the arms cover every case exactly once. */
#include "checker.h"

#include <string.h>

/* ---- Patterns ---------------------------------------------------------------------------------------------------- */

/* The state of one match while its arms are checked. */
struct matching {
  const struct syntax_match *syntax;
  struct ast_match *match;
  struct type *subject;
  struct place place;
  size_t errors; /* in patterns */
};

static bool pattern_ignores(struct syntax_name name) {
  return strcmp(name.text, "_") == 0;
}

static struct ast_variable *pattern_bind(struct checker *checker, struct syntax_name name, struct type *type) {
  if (pattern_ignores(name))
    return NULL;
  struct ast_variable *variable = check_new_variable(checker, AST_LOCAL, name.text, type, name.place);
  check_bind(checker, variable);
  return variable;
}

/* After an error in a pattern its names are known all the same, so that the arm shows no errors for them. */
static void pattern_bind_wrong(struct checker *checker, const struct syntax_pattern *pattern) {
  for (size_t i = 0; i < pattern->count; i++)
    pattern_bind(checker, pattern->bindings[i], checker->infer.error);
}

/* Makes the subject's type the pattern's, or reports the difference. */
static bool pattern_fits(struct checker *checker, const struct matching *matching, struct type *type,
                         const struct syntax_pattern *pattern) {
  if (infer_unify(&checker->infer, matching->subject, type))
    return true;
  pattern_bind_wrong(checker, pattern);
  const char **hint = diag_error(checker->diag, pattern->place, "the pattern: expected %s, found %s",
                                 check_show(checker, matching->subject), check_show(checker, type));
  if (infer_resolve(matching->subject)->kind == TYPE_RESULT)
    *hint = "a Result has the cases Success and Err";
  return false;
}

/* Success and Err have one field each, `value` and `message`, which a pattern names, places or leaves out. */
static void pattern_result(struct checker *checker, const struct matching *matching,
                           const struct syntax_pattern *pattern, bool success, struct ast_arm *arm) {
  struct type *value = infer_variable(&checker->infer);
  const char *field = success ? "value" : "message";
  arm->kind = success ? AST_PATTERN_SUCCESS : AST_PATTERN_ERROR;
  if (!pattern_fits(checker, matching, infer_result(&checker->infer, value, false), pattern))
    return;
  if (pattern->count > 1) {
    diag_error(checker->diag, pattern->bindings[1].place, "'%s' has one field, '%s'", pattern->name.text, field);
    pattern_bind_wrong(checker, pattern);
    return;
  }
  if (!pattern->count)
    return;
  struct syntax_name binding = pattern->bindings[0];
  if (pattern->by_name && !pattern_ignores(binding) && strcmp(binding.text, field) != 0) {
    *diag_error(checker->diag, binding.place, "'%s' has no field '%s'", pattern->name.text, binding.text) =
        arena_printf(checker->arena, "its field is '%s'; or bind it to a name of yours: %s %s", field,
                     pattern->name.text, binding.text);
    pattern_bind_wrong(checker, pattern);
    return;
  }
  arm->variable = pattern_bind(checker, binding, success ? value : checker->infer.string);
}

static void pattern_unknown_field(struct checker *checker, const struct type_constructor *constructor,
                                  struct syntax_name name) {
  struct diag_guess guess = {0};
  for (size_t i = 0; i < constructor->field_count; i++)
    if (constructor->fields[i].name)
      diag_guess_consider(&guess, name.text, constructor->fields[i].name);
  const char **hint = diag_error(checker->diag, name.place, "'%s' has no field '%s'", constructor->name, name.text);
  if (guess.name)
    *hint = arena_printf(checker->arena, "did you mean '%s'?", guess.name);
  pattern_bind(checker, name, checker->infer.error);
}

/* { a, b }: each binding is the name of a field. `{ _ }` alone ignores all. */
static void pattern_bind_by_name(struct checker *checker, const struct type_constructor *constructor,
                                 const struct syntax_pattern *pattern, struct ast_arm *arm) {
  for (size_t i = 0; i < pattern->count; i++) {
    struct syntax_name name = pattern->bindings[i];
    size_t at = 0;
    while (at < constructor->field_count &&
           !(constructor->fields[at].name && strcmp(constructor->fields[at].name, name.text) == 0))
      at++;
    if (pattern_ignores(name))
      continue;
    if (at == constructor->field_count)
      pattern_unknown_field(checker, constructor, name);
    else if (arm->bindings[at])
      diag_error(checker->diag, name.place, "the field '%s' is bound twice", name.text);
    else
      arm->bindings[at] = pattern_bind(checker, name, constructor->fields[at].type);
  }
}

static void pattern_bind_by_position(struct checker *checker, const struct type_constructor *constructor,
                                     const struct syntax_pattern *pattern, struct ast_arm *arm) {
  if (pattern->count != constructor->field_count) {
    const char *has = constructor->field_count ? arena_printf(checker->arena, "%zu", constructor->field_count) : "no";
    diag_error(checker->diag, pattern->place, "'%s' has %s field%s, not %zu", constructor->name, has,
               constructor->field_count == 1 ? "" : "s", pattern->count);
    pattern_bind_wrong(checker, pattern);
    return;
  }
  for (size_t i = 0; i < pattern->count; i++) {
    arm->bindings[i] = pattern_bind(checker, pattern->bindings[i], constructor->fields[i].type);
    for (size_t j = 0; j < i; j++)
      if (arm->bindings[i] && pattern->bindings[j].text == pattern->bindings[i].text)
        diag_error(checker->diag, pattern->bindings[i].place, "the name '%s' is bound twice",
                   pattern->bindings[i].text);
  }
}

static void pattern_constructor(struct checker *checker, const struct matching *matching,
                                const struct syntax_pattern *pattern, struct ast_arm *arm) {
  const struct symbol *symbol = check_find(checker, pattern->name.text);
  if (symbol && (symbol->kind == SYMBOL_SUCCESS || symbol->kind == SYMBOL_ERROR)) {
    pattern_result(checker, matching, pattern, symbol->kind == SYMBOL_SUCCESS, arm);
    return;
  }
  arm->kind = AST_PATTERN_ANY;
  if (!symbol || symbol->kind != SYMBOL_CONSTRUCTOR) {
    check_unknown_name(checker, pattern->name.text, pattern->name.place);
    pattern_bind_wrong(checker, pattern);
    return;
  }
  const struct type_constructor *constructor = symbol->constructor;
  if (!pattern_fits(checker, matching, constructor->type, pattern))
    return;
  arm->kind = AST_PATTERN_CONSTRUCTOR;
  arm->constructor = constructor;
  arm->bindings = arena_array(checker->arena, constructor->field_count, sizeof(struct ast_variable *));
  if (pattern->by_name)
    pattern_bind_by_name(checker, constructor, pattern, arm);
  else if (pattern->has_fields)
    pattern_bind_by_position(checker, constructor, pattern, arm);
}

static void check_pattern(struct checker *checker, const struct matching *matching,
                          const struct syntax_pattern *pattern, struct ast_arm *arm) {
  switch (pattern->kind) {
  case SYNTAX_PATTERN_NAME:
    arm->kind = AST_PATTERN_ANY;
    arm->variable = pattern_bind(checker, pattern->name, matching->subject);
    break;
  case SYNTAX_PATTERN_INT:
    arm->kind = AST_PATTERN_INT;
    arm->integer = pattern->integer;
    pattern_fits(checker, matching, checker->infer.integer, pattern);
    break;
  case SYNTAX_PATTERN_BOOL:
    arm->kind = AST_PATTERN_BOOL;
    arm->truth = pattern->truth;
    pattern_fits(checker, matching, checker->infer.boolean, pattern);
    break;
  case SYNTAX_PATTERN_STRING:
    arm->kind = AST_PATTERN_STRING;
    arm->text = pattern->text;
    pattern_fits(checker, matching, checker->infer.string, pattern);
    break;
  case SYNTAX_PATTERN_CONSTRUCTOR:
    pattern_constructor(checker, matching, pattern, arm);
    break;
  }
}

/* ---- Coverage ---------------------------------------------------------------------------------------------------- */

/* Whether two arms match the same values (or the second none that the first has left). */
static bool arm_repeats(const struct ast_arm *first, const struct ast_arm *second) {
  if (first->kind != second->kind)
    return false;
  switch (first->kind) {
  case AST_PATTERN_INT:
    return first->integer == second->integer;
  case AST_PATTERN_BOOL:
    return first->truth == second->truth;
  case AST_PATTERN_STRING:
    return first->text.length == second->text.length &&
           memcmp(first->text.bytes, second->text.bytes, first->text.length) == 0;
  case AST_PATTERN_CONSTRUCTOR:
    return first->constructor == second->constructor;
  default:
    return true;
  }
}

/* A key by which equal literals and constructors meet in a map. */
static const char *arm_key(struct checker *checker, const struct ast_arm *arm, size_t *length) {
  struct arena *arena = checker->arena;
  if (arm->kind == AST_PATTERN_STRING) {
    *length = arm->text.length;
    return arm->text.bytes;
  }
  const char *key = arm->kind == AST_PATTERN_INT           ? arena_printf(arena, "%lld", (long long)arm->integer)
                    : arm->kind == AST_PATTERN_CONSTRUCTOR ? arm->constructor->name
                    : arm->kind == AST_PATTERN_BOOL        ? arm->truth ? "true" : "false"
                    : arm->kind == AST_PATTERN_SUCCESS     ? "Success"
                                                           : "Err";
  *length = strlen(key);
  return key;
}

static void coverage_repeated(struct checker *checker, const struct ast_arm *arm, const struct ast_arm *first) {
  unsigned line, column;
  source_position(checker->diag->source, first->place, &line, &column);
  diag_error(checker->diag, arm->place, "this case is already matched, at line %u", line);
}

/* Reports arms that can never be reached. Returns whether there is a catch-all. */
static bool coverage_repeats(struct checker *checker, const struct ast_match *match, struct map *seen) {
  bool caught = false;
  for (size_t i = 0; i < match->count; i++) {
    const struct ast_arm *arm = &match->arms[i];
    if (caught) {
      *diag_error(checker->diag, arm->place, "this arm is never reached") = "an arm before it matches everything";
      continue;
    }
    caught = arm->kind == AST_PATTERN_ANY;
    if (caught)
      continue;
    size_t length;
    const char *key = arm_key(checker, arm, &length);
    void **slot = map_slot(seen, key, length);
    if (*slot && arm_repeats(*slot, arm))
      coverage_repeated(checker, arm, *slot);
    else
      *slot = (void *)arm;
  }
  return caught;
}

static const char *coverage_missing(struct checker *checker, const char *missing, const struct map *seen,
                                    const char *name) {
  if (map_get(seen, name))
    return missing;
  return missing ? arena_printf(checker->arena, "%s, %s", missing, name) : name;
}

/* The cases of a type that no arm matches, in words; NULL where every one is matched. */
static const char *coverage_of(struct checker *checker, const struct type *type, const struct map *seen) {
  const char *missing = NULL;
  switch (type->kind) {
  case TYPE_BOOL:
    missing = coverage_missing(checker, missing, seen, "true");
    return coverage_missing(checker, missing, seen, "false");
  case TYPE_RESULT:
    missing = coverage_missing(checker, missing, seen, "Success");
    return coverage_missing(checker, missing, seen, "Err");
  case TYPE_RECORD:
  case TYPE_UNION:
    for (size_t i = 0; i < type->named.constructor_count; i++)
      missing = coverage_missing(checker, missing, seen, type->named.constructors[i].name);
    return missing;
  case TYPE_INT:
    return "other ints";
  case TYPE_STRING:
    return "other strings";
  default:
    return "_";
  }
}

/* What can never be reached is taken out, so that who reads the tree finds only arms that can. */
static void coverage_trim(struct ast_match *match, bool complete) {
  if (!complete)
    return;
  size_t last = match->count;
  while (last && match->arms[last - 1].kind != AST_PATTERN_ANY)
    last--;
  if (last && last == match->count && match->count > 1)
    match->count--;
}

static void check_coverage(struct checker *checker, const struct matching *matching) {
  struct map seen;
  map_init(&seen, checker->arena);
  size_t errors = checker->diag->errors;
  bool caught = coverage_repeats(checker, matching->match, &seen);
  struct type *subject = check_force(checker, matching->subject);
  const char *missing = coverage_of(checker, subject, &seen);
  coverage_trim(matching->match, caught && !missing && errors == checker->diag->errors);
  if (caught || !missing || errors != checker->diag->errors || subject->kind == TYPE_ERROR)
    return;
  const char **hint = diag_error(checker->diag, matching->place, "the match does not cover: %s", missing);
  if (subject->kind < TYPE_RESULT && subject->kind != TYPE_BOOL)
    *hint = arena_printf(checker->arena, "a match on %s needs a last arm that catches all: _ => …",
                         check_show(checker, subject));
}

/* ---- match ------------------------------------------------------------------------------------------------------- */

static void check_arm(struct checker *checker, struct matching *matching, size_t index, const struct want *want) {
  const struct syntax_arm *syntax = &matching->syntax->arms[index];
  struct ast_arm *arm = &matching->match->arms[index];
  struct local *locals = checker->frame->locals;
  size_t errors = checker->diag->errors;
  arm->place = syntax->pattern.place;
  check_pattern(checker, matching, &syntax->pattern, arm);
  matching->errors += checker->diag->errors - errors;
  arm->body = want ? check_expr(checker, syntax->body, want) : check_dropped_arm(checker, syntax->body);
  check_unbind(checker, locals);
}

struct ast_expr *check_match(struct checker *checker, const struct syntax_expr *syntax, const struct want *want,
                             bool dropped) {
  struct ast_expr *expr = check_new(checker, AST_MATCH, checker->infer.unit, syntax->place);
  struct matching matching = {.syntax = &syntax->match, .match = &expr->match, .place = syntax->place};
  expr->match.subject = check_expr(checker, syntax->match.subject, NULL);
  matching.subject = check_type_of(expr->match.subject);
  expr->match.count = syntax->match.count;
  expr->match.arms = arena_array(checker->arena, syntax->match.count, sizeof *expr->match.arms);
  struct want same = {infer_variable(&checker->infer), "the arms of the match", NULL};
  const struct want *wanted = dropped ? NULL : want ? want : &same;
  for (size_t i = 0; i < syntax->match.count; i++)
    check_arm(checker, &matching, i, wanted);
  if (wanted)
    expr->type = wanted->type;
  if (!matching.errors)
    check_coverage(checker, &matching);
  return expr;
}
