#pragma once
/* What a beginner writes in place of Osprey, recognised from the tokens before the parser fails further on.
 *
 * Each function looks at the tokens from `at`, where the parser is. It finds only what no program of Osprey has there.
 */
#include "lex.h"

struct arena;

#define SLIPS_FIXED "a binding cannot be changed"
#define SLIPS_FIXED_HINT                                                                                               \
  "what changes is kept with websocketSetValue; a sum is range(a, b) |> fold(initial, f), a "                          \
  "choice let name = if c { a } else { b }"

struct slip {
  struct place place;
  const char *text; /* NULL: there is none */
  const char *hint;
};

struct slips {
  struct arena *arena;
  const struct source *source;
  struct token_list tokens;
};

/* Whether a token begins an operand: it cannot follow a word of another language, nor an argument without a ','. */
bool slips_begins_operand(enum token_kind kind);

/* Whether a name is that of a type, here or in another language. */
bool slips_is_type_name(const char *name);

/* Where a declaration or a statement begins. */
struct slip slips_at_item(const struct slips *slips, size_t at, bool file_scope);

/* Where a parameter begins. */
struct slip slips_at_parameter(const struct slips *slips, size_t at);

/* A statement `name = …`, of a name that occurs nowhere before it. */
struct slip slips_unbound(const struct slips *slips, struct place place, const char *name);

/* Where an expression begins. */
struct slip slips_at_expression(const struct slips *slips, size_t at);

/* After an expression. A string with a quote in it also makes the lexer report what follows on its line. */
bool slips_at_inner_quote(const struct slips *slips, size_t at);
struct slip slips_after_expression(const struct slips *slips, size_t at);

/* Where the `=>` of an arm is missing, after its pattern. */
const char *slips_after_pattern(const struct slips *slips, size_t at);
