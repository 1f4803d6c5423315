#pragma once
/* Patterns: their bindings, and the coverage of a match: each case exactly once. */
#include "check_scope.h"

/* Checks a pattern against the type of the subject, fills in the arm and binds the pattern's names. */
void check_pattern(struct checker *checker, struct type *subject, const struct syntax_pattern *pattern,
                   struct ast_arm *arm);

/* Reports unreachable arms and missing cases. Removes a catch-all that has nothing left to match. */
void check_pattern_coverage(struct checker *checker, struct ast_match *match, struct type *subject, struct place place);
