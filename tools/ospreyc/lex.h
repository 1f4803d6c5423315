#pragma once
/* The lexer: from text to tokens.
 *
 * A string with interpolation is several tokens: `"a${x}b${y}c"` is STRING_HEAD "a", the tokens of x, STRING_MIDDLE
 * "b", the tokens of y, STRING_TAIL "c". Comments and white space are dropped; `newline` is set if a line ended
 * before the token. Anything else is reported and becomes ERROR. The last token is END.
 */
#include "ast.h"
#include "diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

enum token_kind {
#define TOKEN(name, description) TOKEN_##name,
#define KEYWORD(name, spelling) TOKEN_##name,
#define PUNCTUATION(name, spelling) TOKEN_##name,
#include "tokens.def"
};

struct token {
  enum token_kind kind;
  bool newline;
  struct place place;
  union {
    const char *name; /* NAME, and every keyword: equal names are the same pointer */
    uint64_t integer; /* INT, at most 2^63; the parser accepts 2^63 only after a minus sign */
    double real;
    struct ast_text text; /* the strings' parts, escapes replaced */
  };
};

struct token_list {
  size_t count;
  struct token *tokens;
};

struct token_list lex(const struct source *source, struct arena *arena, struct diag *diag);

/* The spelling of a token in quotes, or a description, for messages. */
const char *lex_describe(enum token_kind kind);
