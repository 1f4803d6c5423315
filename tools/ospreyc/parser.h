#pragma once
/* What the parts of the parser share: parse.c has tokens, statements and the file, parse_type.c types and patterns,
 * parse_expr.c expressions.
 *
 * Above each function stands its production, in the EBNF of spec/language.md. A function that finds an error reports it and
 * jumps back to the loop over the file's declarations: nothing has to be undone, as all memory is the arena's.
 *
 * Invariant: the last token is END, and it is never passed, so that two tokens ahead of any other may be looked at.
 */
#include "arena.h"
#include "syntax.h"

#include <setjmp.h>

enum {
  PARSE_NESTING_MAX = 500, /* of brackets, blocks and operators within one another */
  PARSE_HEIGHT_MAX = 1000, /* of a tree: a longer chain of operators would exhaust the stack of who walks it */
};

struct parser {
  struct arena *arena;
  struct diag *diag;
  const struct token *tokens;
  size_t count;
  size_t at;
  unsigned nesting;
  jmp_buf *recover;
};

/* ---- parse.c ----------------------------------------------------------------------------------------------------- */

const struct token *parse_peek(const struct parser *parser, size_t ahead);
bool parse_is(const struct parser *parser, enum token_kind kind);
bool parse_accept(struct parser *parser, enum token_kind kind);
const struct token *parse_take(struct parser *parser);

/* Takes a token of that kind, or reports what was found in its place. */
const struct token *parse_expect(struct parser *parser, enum token_kind kind);

/* Whether a token can be a name where no keyword can stand: after a dot, before a colon. */
bool parse_is_label(const struct token *token);
struct syntax_name parse_label(struct parser *parser, const char *what);

/* A name that is being given to something. `type` may be one: it is a field of a built-in record. */
struct syntax_name parse_name(struct parser *parser, const char *what);

/* At the end of a list: two items on a line, one after the other, lack something between them. */
void parse_expect_separator(struct parser *parser, const char *hint);

const char *parse_found(const struct parser *parser, const struct token *token);

_Noreturn void parse_fail(struct parser *parser, struct place place, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* From the first token to the last one that was taken. */
struct place parse_place_from(const struct parser *parser, const struct token *first);

/* Brackets of any kind open and close: no more than PARSE_NESTING_MAX at once. */
void parse_enter(struct parser *parser);
void parse_leave(struct parser *parser);

struct syntax_item parse_item(struct parser *parser, bool file_scope);
void parse_parameters(struct parser *parser, struct syntax_function *function, enum token_kind end);

/* ---- parse_type.c ------------------------------------------------------------------------------------------------ */

struct syntax_type *parse_type(struct parser *parser);
struct syntax_item parse_type_declaration(struct parser *parser);
struct syntax_pattern parse_pattern(struct parser *parser);

/* ---- parse_expr.c ------------------------------------------------------------------------------------------------ */

struct syntax_expr *parse_expr(struct parser *parser);
struct syntax_expr *parse_block(struct parser *parser);
