/* Arguments and fields: by name or by position, in the order of the declaration. */
#include "checker.h"

#include <string.h>

static bool parts_are_named(const struct syntax_argument *arguments, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (arguments[i].name.text)
      return true;
  return false;
}

/* The names of all parts, or NULL where they have none. */
static const char *parts_list(struct checker *checker, const struct parts *parts) {
  const char *list = NULL;
  for (size_t i = 0; parts->names && i < parts->count; i++)
    if (parts->names[i])
      list = list ? arena_printf(checker->arena, "%s, %s", list, parts->names[i]) : parts->names[i];
  return list;
}

void parts_unknown(struct checker *checker, const struct parts *parts, struct syntax_name name) {
  struct diag_guess guess = {0};
  for (size_t i = 0; i < parts->count; i++)
    if (parts->names[i])
      diag_guess_consider(&guess, name.text, parts->names[i]);
  const char **hint = diag_error(checker->diag, name.place, "%s has no %s '%s'", parts->owner, parts->part, name.text);
  if (guess.name)
    *hint = arena_printf(checker->arena, "did you mean '%s'?", guess.name);
  else if (parts_list(checker, parts))
    *hint = arena_printf(checker->arena, "it has: %s", parts_list(checker, parts));
}

/* The position of a name among the parts; their count if it is none. */
size_t parts_find(const struct parts *parts, const char *name) {
  size_t i = 0;
  while (i < parts->count && !(parts->names[i] && strcmp(parts->names[i], name) == 0))
    i++;
  return i;
}

/* Puts named arguments in the order of the declaration. Returns whether each part may be checked (it may still be NULL). */
void parts_order_named(struct checker *checker, const struct parts *parts, const struct syntax_argument *arguments,
                       size_t count, const struct syntax_expr **ordered) {
  for (size_t i = 0; i < count; i++) {
    struct syntax_name name = arguments[i].name;
    if (!name.text) {
      *diag_error(checker->diag, arguments[i].value->place, "an %s without a name among named ones", parts->part) =
          "name all of them, or none";
      continue;
    }
    size_t at = parts_find(parts, name.text);
    if (at == parts->count)
      parts_unknown(checker, parts, name);
    else if (ordered[at])
      diag_error(checker->diag, name.place, "the %s '%s' is given twice", parts->part, name.text);
    else
      ordered[at] = arguments[i].value;
  }
}

static const char *parts_missing(struct checker *checker, const struct parts *parts,
                                 const struct syntax_expr *const *ordered) {
  const char *list = NULL;
  for (size_t i = 0; i < parts->count; i++) {
    if (ordered[i])
      continue;
    const char *name = parts->names[i] ? parts->names[i] : "without a name";
    list = list ? arena_printf(checker->arena, "%s, '%s'", list, name) : arena_printf(checker->arena, "'%s'", name);
  }
  return list;
}

/* The arguments in the order of the declaration. What is missing is NULL; anything wrong is reported. */
const struct syntax_expr **parts_order(struct checker *checker, const struct parts *parts,
                                       const struct syntax_argument *arguments, size_t count, struct place place) {
  const struct syntax_expr **ordered = arena_array(checker->arena, parts->count, sizeof *ordered);
  if (parts_are_named(arguments, count)) {
    if (!parts->names) {
      *diag_error(checker->diag, place, "the arguments of a function value have no names") = "give them in order";
      return NULL;
    }
    size_t errors = checker->diag->errors;
    parts_order_named(checker, parts, arguments, count, ordered);
    const char *missing = parts_missing(checker, parts, ordered);
    if (missing && errors == checker->diag->errors)
      diag_error(checker->diag, place, "%s lacks the %s%s %s", parts->owner, parts->part,
                 strchr(missing, ',') ? "s" : "", missing);
    return errors == checker->diag->errors ? ordered : NULL;
  }
  if (count != parts->count) {
    const char *takes = parts->count ? arena_printf(checker->arena, "%zu", parts->count) : "no";
    const char **hint = diag_error(checker->diag, place, "%s takes %s %s%s, not %zu", parts->owner, takes, parts->part,
                                   parts->count == 1 ? "" : "s", count);
    if (parts_list(checker, parts))
      *hint = arena_printf(checker->arena, "it takes: %s", parts_list(checker, parts));
    return NULL;
  }
  for (size_t i = 0; i < count; i++)
    ordered[i] = arguments[i].value;
  return ordered;
}

/* After an error in the arguments their own errors are still of interest. */
struct ast_expr *parts_check_anyway(struct checker *checker, const struct syntax_argument *arguments, size_t count,
                                    struct place place) {
  for (size_t i = 0; i < count; i++)
    check_expr(checker, arguments[i].value, NULL);
  return check_wrong(checker, place);
}

const char *part_name(struct checker *checker, const struct parts *parts, size_t i) {
  if (parts->names && parts->names[i])
    return arena_printf(checker->arena, "%s '%s' of %s", parts->part, parts->names[i], parts->owner);
  return arena_printf(checker->arena, "%s %zu of %s", parts->part, i + 1, parts->owner);
}
