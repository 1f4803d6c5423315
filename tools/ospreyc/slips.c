#include "slips.h"

#include "arena.h"
#include "foreign.h"
#include "library.h"

#include <string.h>

static const struct token *slips_token(const struct slips *slips, size_t at) {
  return &slips->tokens.tokens[at < slips->tokens.count ? at : slips->tokens.count - 1];
}

static enum token_kind slips_kind(const struct slips *slips, size_t at) {
  return slips_token(slips, at)->kind;
}

/* Whether a token follows the one before it on the same line, or without a space. */
static bool slips_same_line(const struct slips *slips, size_t at) {
  return !slips_token(slips, at)->newline;
}

static bool slips_touches(const struct slips *slips, size_t at) {
  const struct place *before = &slips_token(slips, at - 1)->place;
  return before->offset + before->length == slips_token(slips, at)->place.offset;
}

/* The text of the tokens from `first` to `last`, or an ellipsis if it is long. */
static const char *slips_text(const struct slips *slips, size_t first, size_t last) {
  enum { LONG = 60 };
  uint32_t from = slips_token(slips, first)->place.offset;
  uint32_t length = slips_token(slips, last)->place.offset + slips_token(slips, last)->place.length - from;
  return length > LONG ? "…" : arena_copy(slips->arena, slips->source->text + from, length);
}

static struct slip slips_found(const struct slips *slips, size_t at, const char *text, const char *hint) {
  return (struct slip){slips_token(slips, at)->place, text, hint};
}

#define SLIPS_BINDS "a binding begins with 'let'"

/* The index of the bracket that closes the one at `open`, or of the END if it is far away. */
static size_t slips_close(const struct slips *slips, size_t open) {
  enum { FAR = 100 };
  size_t depth = 0;
  for (size_t at = open; at < open + FAR && slips_kind(slips, at) != TOKEN_END; at++) {
    depth += slips_kind(slips, at) == TOKEN_LEFT_PAREN;
    depth -= slips_kind(slips, at) == TOKEN_RIGHT_PAREN;
    if (depth == 0)
      return at;
  }
  return slips->tokens.count - 1;
}

/* Whether an arm of a match begins at `at`: an arm is also what may follow a name on its line. */
static bool slips_at_arm(const struct slips *slips, size_t at) {
  enum token_kind kind = slips_kind(slips, ++at);
  bool listed = kind == TOKEN_LEFT_PAREN || kind == TOKEN_LEFT_BRACE;
  if (listed || kind == TOKEN_NAME || kind == TOKEN_TYPE)
    kind = slips_kind(slips, ++at);
  while (listed &&
         (kind == TOKEN_NAME || kind == TOKEN_COMMA || kind == TOKEN_RIGHT_PAREN || kind == TOKEN_RIGHT_BRACE))
    kind = slips_kind(slips, ++at);
  return kind == TOKEN_FAT_ARROW;
}

bool slips_begins_operand(enum token_kind kind) {
  return (kind >= TOKEN_NAME && kind <= TOKEN_STRING_HEAD) || (kind >= TOKEN_FN && kind <= TOKEN_FALSE);
}

bool slips_is_type_name(const char *name) {
  static const char *const plain[] = {"int", "string", "bool", "float"};
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
    if (strcmp(name, plain[i]) == 0)
      return true;
  return (*name >= 'A' && *name <= 'Z') || foreign_type(name);
}

/* Whether the program has a name of its own that is spelt like the word. */
static bool slips_is_bound(const struct slips *slips, const char *word) {
  for (size_t at = 0; at + 1 < slips->tokens.count; at++) {
    enum token_kind next = slips_kind(slips, at + 1);
    bool binds = (at && (slips_kind(slips, at - 1) == TOKEN_LET || slips_kind(slips, at - 1) == TOKEN_FN)) ||
                 next == TOKEN_COLON || next == TOKEN_COMMA || next == TOKEN_RIGHT_PAREN || next == TOKEN_BAR ||
                 next == TOKEN_FAT_ARROW;
    if (binds && slips_kind(slips, at) == TOKEN_NAME && slips_token(slips, at)->name == word)
      return true;
  }
  return false;
}

/* A word of another language, or one of Osprey that is left out, before what cannot follow a name on its line. */
static struct slip slips_word(const struct slips *slips, size_t at) {
  const char *word = slips_token(slips, at)->name;
  enum token_kind next = slips_kind(slips, at + 1);
  const char *hint = foreign_word(word);
  bool left_out = library_leaves_out_word(word);
  size_t after =
      next == TOKEN_LEFT_PAREN && hint && slips_same_line(slips, at + 1) ? slips_close(slips, at + 1) + 1 : at + 1;
  bool block = slips_kind(slips, after) == TOKEN_LEFT_BRACE &&
               (after > at + 1 || strcmp(word, "try") == 0 || strcmp(word, "loop") == 0 || strcmp(word, "do") == 0 ||
                strcmp(word, "when") == 0);
  bool python = next == TOKEN_COLON && slips_token(slips, at + 2)->newline;
  bool operand = python || (slips_begins_operand(next) && next != TOKEN_ELSE) ||
                 (strcmp(word, "async") == 0 && slips_kind(slips, after) == TOKEN_FAT_ARROW) ||
                 (strcmp(word, "try") == 0 && (next == TOKEN_QUESTION || next == TOKEN_NOT)) ||
                 (after > at + 1 && foreign_is_loop(word) && slips_begins_operand(slips_kind(slips, after)));
  if ((!hint && !left_out) || !slips_same_line(slips, after) || (!block && !operand) ||
      (!python && slips_is_bound(slips, word)))
    return (struct slip){0};
  if (left_out)
    return slips_found(slips, at, arena_printf(slips->arena, "`%s` is part of Osprey, but not of ospreyc", word),
                       foreign_left_out(word));
  if (strcmp(word, "new") == 0 && next == TOKEN_NAME && foreign_name(slips_token(slips, at + 1)->name))
    hint = foreign_name(slips_token(slips, at + 1)->name);
  return slips_found(slips, at, arena_printf(slips->arena, "there is no '%s'", word), hint);
}

/* `name(a, b) = …`, `name(a: int) -> int …`, and at file scope `name(a) {`. */
static struct slip slips_function(const struct slips *slips, size_t at, bool file_scope) {
  size_t close = slips_close(slips, at + 1), i = at + 2;
  enum token_kind next = slips_kind(slips, close + 1);
  while (i < close && (slips_kind(slips, i) == TOKEN_NAME || slips_kind(slips, i) == TOKEN_COMMA ||
                       slips_kind(slips, i) == TOKEN_COLON))
    i++;
  bool body = i == close && file_scope && next == TOKEN_LEFT_BRACE;
  if (!slips_same_line(slips, close + 1) || (next != TOKEN_ARROW && next != TOKEN_ASSIGN && !body))
    return (struct slip){0};
  return slips_found(slips, at, "a function begins with 'fn'",
                     arena_printf(slips->arena, "write fn %s", slips_text(slips, at, close)));
}

/* `i++` and `i--`, with nothing after them that they could belong to. */
static bool slips_at_step(const struct slips *slips, size_t at) {
  enum token_kind op = slips_kind(slips, at), after = slips_kind(slips, at + 2);
  return (op == TOKEN_PLUS || op == TOKEN_MINUS) && slips_kind(slips, at + 1) == op && slips_touches(slips, at) &&
         slips_touches(slips, at + 1) &&
         (!slips_same_line(slips, at + 2) || after == TOKEN_RIGHT_BRACE || after == TOKEN_SEMICOLON);
}

/* The keyword that a word resembles, or NULL. */
static const char *slips_keyword(const struct slips *slips, const char *word) {
  static const char *const keywords[] = {"let", "match", "type", "extern", "else"};
  struct diag_guess guess = {0};
  for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
    if (strlen(word) > 2 && word[0] == keywords[i][0])
      diag_guess_consider(&guess, word, keywords[i]);
  return guess.name && !slips_is_bound(slips, word) ? guess.name : NULL;
}

/* `macth value {`, `lett x = …` */
static struct slip slips_misspelt(const struct slips *slips, size_t at) {
  size_t after = at + 1;
  while (slips_kind(slips, after) == TOKEN_NAME || slips_kind(slips, after) == TOKEN_DOT)
    after++;
  const char *keyword = slips_keyword(slips, slips_token(slips, at)->name);
  enum token_kind expected = keyword && strcmp(keyword, "match") == 0 ? TOKEN_LEFT_BRACE : TOKEN_ASSIGN;
  if (!keyword || after == at + 1 || slips_kind(slips, after) != expected || !slips_same_line(slips, at + 1))
    return (struct slip){0};
  return slips_found(slips, at, arena_printf(slips->arena, "there is no '%s'", slips_token(slips, at)->name),
                     arena_printf(slips->arena, "did you mean '%s'?", keyword));
}

/* `int n = …` and `final n = …` for a binding, `add a b = …` for a function, `data Point = …` for a type. */
static struct slip slips_binding(const struct slips *slips, size_t at) {
  size_t last = at;
  while (slips_kind(slips, last + 1) == TOKEN_NAME && slips_same_line(slips, last + 1))
    last++;
  const char *name = slips_token(slips, at)->name, *second = slips_token(slips, at + 1)->name;
  if (slips_kind(slips, last + 1) != TOKEN_ASSIGN)
    return (struct slip){0};
  if (last == at + 1 && *second >= 'A' && *second <= 'Z')
    return slips_found(slips, at, "a type begins with 'type'", arena_printf(slips->arena, "write type %s = …", second));
  if (last == at + 1 && slips_is_type_name(name))
    return slips_found(slips, at, SLIPS_BINDS, arena_printf(slips->arena, "write let %s = …", second));
  const char *parameters = second;
  for (size_t i = at + 2; i <= last; i++)
    parameters = arena_printf(slips->arena, "%s, %s", parameters, slips_token(slips, i)->name);
  return slips_found(slips, at, "a function begins with 'fn'",
                     arena_printf(slips->arena, "write fn %s(%s) = …", name, parameters));
}

/* `n: int = …` and `n := …`. */
static struct slip slips_typed(const struct slips *slips, size_t at) {
  size_t assign = slips_kind(slips, at + 2) == TOKEN_NAME ? at + 3 : at + 2;
  if (slips_kind(slips, at + 1) != TOKEN_COLON || slips_kind(slips, assign) != TOKEN_ASSIGN ||
      !slips_same_line(slips, at + 1) || !slips_same_line(slips, assign))
    return (struct slip){0};
  return slips_found(
      slips, at, SLIPS_BINDS,
      arena_printf(slips->arena, "write let %s = …", slips_text(slips, at, assign == at + 3 ? at + 2 : at)));
}

struct slip slips_unbound(const struct slips *slips, struct place place, const char *name) {
  for (size_t at = 0; slips_token(slips, at)->place.offset < place.offset; at++)
    if (slips_token(slips, at)->name == name)
      return (struct slip){0};
  bool is_main = strcmp(name, "main") == 0;
  return (struct slip){place, is_main ? "a function begins with 'fn'" : SLIPS_BINDS,
                       is_main ? "write fn main() = …" : arena_printf(slips->arena, "write let %s = …", name)};
}

struct slip slips_at_parameter(const struct slips *slips, size_t at) {
  if (slips_kind(slips, at) != TOKEN_DOT || slips_kind(slips, at + 1) != TOKEN_DOT)
    return (struct slip){0};
  return slips_found(slips, at, "a function takes a fixed number of arguments", "write a parameter for each");
}

struct slip slips_at_item(const struct slips *slips, size_t at, bool file_scope) {
  enum token_kind kind = slips_kind(slips, at), next = slips_kind(slips, at + 1), third = slips_kind(slips, at + 2);
  if (kind == TOKEN_RIGHT_PAREN)
    return slips_found(slips, at, "this ')' closes nothing", "remove it");
  if (kind == TOKEN_RIGHT_BRACE)
    return slips_found(slips, at, "this '}' closes nothing", "remove it, or write the '{' that it closes");
  if (kind == TOKEN_COMMA)
    return slips_found(slips, at, "statements are not separated by ','", "write each in a line of its own");
  if (kind == TOKEN_ASSIGN && (next == TOKEN_LESS || next == TOKEN_GREATER) && slips_touches(slips, at + 1))
    return slips_found(slips, at, "the '=' of a comparison comes last", "write '<=' or '>='");
  if (kind == TOKEN_MINUS && next == kind && third == TOKEN_NAME && slips_touches(slips, at + 1) &&
      !slips_touches(slips, at + 2) && slips_same_line(slips, at + 3))
    return slips_found(slips, at, "a comment does not begin with '--'", "begin each of its lines with '//'");
  if (kind != TOKEN_NAME)
    return (struct slip){0};
  struct slip word = slips_word(slips, at);
  if (!word.text)
    word = slips_misspelt(slips, at);
  if (word.text)
    return word;
  if (next == TOKEN_LEFT_PAREN && slips_same_line(slips, at + 1))
    return slips_function(slips, at, file_scope);
  if (slips_at_step(slips, at + 1))
    return slips_found(slips, at + 1, SLIPS_FIXED, SLIPS_FIXED_HINT);
  if (next == TOKEN_COLON && slips_same_line(slips, at + 1) &&
      ((third == next && slips_touches(slips, at + 2)) || slips_kind(slips, at + 3) == TOKEN_ARROW))
    return slips_found(slips, at, "a function's types stand between its parameters",
                       strcmp(slips_token(slips, at)->name, "main") == 0
                           ? "write fn main() = …"
                           : arena_printf(slips->arena, "write fn %s(a: %s) -> … = …", slips_token(slips, at)->name,
                                          third == TOKEN_NAME ? slips_text(slips, at + 2, at + 2) : "Int"));
  enum token_kind fourth = slips_kind(slips, at + 3);
  if (next == TOKEN_COMMA && third == TOKEN_NAME && (fourth == TOKEN_ASSIGN || fourth == TOKEN_COLON))
    return slips_found(slips, at + 1, "a 'let' binds one name",
                       "the value and the error of a call are one Result: match it, or give a fallback with '?:'");
  return next == TOKEN_NAME && slips_same_line(slips, at + 1) ? slips_binding(slips, at) : slips_typed(slips, at);
}

/* The arrow behind the type at `at`, on its line: Result<Success, String> has eight tokens with it. */
static enum token_kind slips_arrow_behind(const struct slips *slips, size_t at) {
  enum { LONG = 8 };
  for (size_t end = at + LONG; at < end && slips_same_line(slips, at); at++)
    if (slips_kind(slips, at) == TOKEN_FAT_ARROW)
      return TOKEN_FAT_ARROW;
  return TOKEN_END;
}

/* A choice may be `c ? (a) : b`, with an arm of a match behind it. */
static bool slips_is_chosen(const struct slips *slips, size_t at) {
  enum token_kind before = at ? slips_kind(slips, at - 1) : TOKEN_END;
  return before >= TOKEN_OR && before <= TOKEN_QUESTION && before != TOKEN_ASSIGN;
}

/* `(a, b: int) => …`, `a => …`, and the same with `->`. */
static struct slip slips_lambda(const struct slips *slips, size_t at) {
  size_t last = at;
  bool listed = slips_kind(slips, at) == TOKEN_LEFT_PAREN;
  if (listed)
    do
      last++;
    while (slips_kind(slips, last) == TOKEN_NAME || slips_kind(slips, last) == TOKEN_COMMA ||
           slips_kind(slips, last) == TOKEN_COLON);
  bool is_lambda = listed ? slips_kind(slips, last) == TOKEN_RIGHT_PAREN : slips_same_line(slips, at);
  enum token_kind arrow = slips_kind(slips, last + 1);
  if (listed && arrow == TOKEN_COLON && !slips_is_chosen(slips, at))
    arrow = slips_arrow_behind(slips, last + 2);
  if (!is_lambda || (arrow != TOKEN_FAT_ARROW && arrow != TOKEN_ARROW))
    return (struct slip){0};
  const char *parameters = slips_text(slips, at, last);
  return slips_found(slips, at, "a lambda begins with 'fn'",
                     arena_printf(slips->arena, listed ? "write fn%s => …" : "write fn(%s) => …", parameters));
}

/* What stands in place of an operator, between two of which the parser expects an operand. */
static struct slip slips_operator(const struct slips *slips, size_t at) {
  enum token_kind kind = slips_kind(slips, at), before = at ? slips_kind(slips, at - 1) : TOKEN_END;
  if (!at || !slips_touches(slips, at))
    return (struct slip){0};
  if (kind == TOKEN_ASSIGN && before >= TOKEN_PLUS && before <= TOKEN_PERCENT)
    return at > 2 && before == TOKEN_SLASH && !slips_token(slips, at - 2)->newline
               ? slips_found(slips, at - 1, "there is no '/='", "write '!='")
               : slips_found(slips, at - 1, SLIPS_FIXED, SLIPS_FIXED_HINT);
  if (kind == TOKEN_ASSIGN && (before == TOKEN_EQUAL || before == TOKEN_NOT_EQUAL))
    return slips_found(slips, at - 1, "there is no third '='", "write '==' or '!='");
  if ((kind == TOKEN_LESS || kind == TOKEN_GREATER) && before == kind)
    return slips_found(slips, at - 1, FOREIGN_NO_BITS,
                       kind == TOKEN_LESS ? "shift to the left with n * 256"
                                          : "shift to the right with intDiv(n, 256); f, then g: fn(x) => g(f(x))");
  if (kind == TOKEN_GREATER_EQUAL && before == TOKEN_GREATER)
    return slips_found(slips, at - 1, "there is no '>>='", foreign_name("andThen"));
  if (kind == TOKEN_GREATER && before == TOKEN_LESS)
    return slips_found(slips, at - 1, "there is no '<>'", "write '!='; strings are joined with '+'");
  if (kind == TOKEN_BAR && before == TOKEN_LESS)
    return slips_found(slips, at - 1, "there is no '<|'", "write f(x), or x |> f");
  if (kind == TOKEN_STAR && before == TOKEN_STAR)
    return slips_found(slips, at - 1, "there is no '**'", "multiply with '*'");
  if (kind == TOKEN_QUESTION && before == TOKEN_QUESTION)
    return slips_found(slips, at - 1, "there is no '?\?'", "the fallback of a Result follows '?:'");
  return (struct slip){0};
}

/* Whether a comment of Elm or Haskell ends after `at`, with `-}`. */
static bool slips_ends_comment(const struct slips *slips, size_t at) {
  while (slips_kind(slips, at) != TOKEN_END && slips_kind(slips, at) != TOKEN_RIGHT_BRACE)
    at++;
  return slips_kind(slips, at - 1) == TOKEN_MINUS;
}

struct slip slips_at_expression(const struct slips *slips, size_t at) {
  enum token_kind kind = slips_kind(slips, at), next = slips_kind(slips, at + 1);
  if (kind == TOKEN_LEFT_PAREN)
    return slips_lambda(slips, at);
  if (kind == TOKEN_LEFT_BRACE && next == TOKEN_MINUS && slips_ends_comment(slips, at + 2))
    return slips_found(slips, at, "a comment does not begin with '{-'", "begin each of its lines with '//'");
  if (kind == TOKEN_LEFT_BRACKET)
    return slips_found(slips, at, "a list is part of Osprey, but not of ospreyc", foreign_left_out("List"));
  if (kind == TOKEN_DOT && next == TOKEN_INT && slips_touches(slips, at + 1))
    return slips_found(slips, at, "a float begins with a digit",
                       arena_printf(slips->arena, "write 0%s", slips_text(slips, at, at + 1)));
  if (kind == TOKEN_DOT && next == TOKEN_DOT && at && slips_kind(slips, at - 1) == TOKEN_LEFT_PAREN)
    return slips_found(slips, at, "a function takes a fixed number of arguments", "write each argument");
  if (kind == TOKEN_DOT && next == TOKEN_DOT)
    return slips_found(slips, at, "there is no '..'",
                       "a record with another field is record { field: value }; numbers in a row are range(a, b)");
  if (kind != TOKEN_NAME)
    return slips_operator(slips, at);
  if (next == TOKEN_DOT && strcmp(slips_token(slips, at)->name, "JSON") == 0 &&
      slips_kind(slips, at + 2) == TOKEN_NAME && strcmp(slips_token(slips, at + 2)->name, "stringify") == 0)
    return slips_found(slips, at, "there is no 'JSON.stringify'", foreign_name("jsonStringify"));
  struct slip word = slips_word(slips, at);
  if (!word.text)
    word = slips_misspelt(slips, at);
  if (word.text)
    return word;
  if ((next == TOKEN_STRING || next == TOKEN_STRING_HEAD) && slips_touches(slips, at + 1))
    return slips_found(slips, at, "a string has nothing before its quote", "remove it; \"${…}\" shows a value");
  return slips_lambda(slips, at);
}

/* A quote that ends a string before its intended end: `"{"n": 1}"`. */
bool slips_at_inner_quote(const struct slips *slips, size_t at) {
  enum token_kind before = at ? slips_kind(slips, at - 1) : TOKEN_END;
  enum token_kind kind = slips_kind(slips, at), next = slips_kind(slips, at + 1);
  return (before == TOKEN_STRING || before == TOKEN_STRING_TAIL) && slips_touches(slips, at) &&
         slips_begins_operand(kind) && next != TOKEN_FAT_ARROW && !slips_at_arm(slips, at - 1);
}

/* `websocketSend from.id message`: a builtin, and its arguments without brackets. */
static bool slips_at_juxtaposed(const struct slips *slips, size_t at) {
  const struct token *callee = slips_token(slips, at ? at - 1 : 0);
  bool is_builtin = callee->kind == TOKEN_NAME && (strncmp(callee->name, "websocket", strlen("websocket")) == 0 ||
                                                   strcmp(callee->name, "print") == 0);
  enum token_kind kind = slips_kind(slips, at), next = slips_kind(slips, at + 1);
  bool has_more = slips_same_line(slips, at + 1) && (next == TOKEN_DOT || slips_begins_operand(next));
  return at && is_builtin && slips_same_line(slips, at) && has_more &&
         ((kind == TOKEN_NAME && *slips_token(slips, at)->name >= 'a') ||
          (kind >= TOKEN_INT && kind <= TOKEN_STRING_HEAD));
}

/* What an index is for: `argv[1]`, `headers["token"]`, `text[0]`. */
static const char *slips_index_hint(const struct slips *slips, size_t at) {
  const char *name = at && slips_kind(slips, at - 1) == TOKEN_NAME ? slips_token(slips, at - 1)->name : "";
  if (strcmp(name, "argv") == 0 || strcmp(name, "args") == 0)
    return foreign_name("argv");
  if (strcmp(name, "environ") == 0 || strcmp(name, "env") == 0)
    return foreign_name("getenv");
  return slips_kind(slips, at + 1) == TOKEN_STRING
             ? "a value by its key is websocketValue(id: …, key: …); of a request, websocketRequestHeader and "
               "websocketRequestQuery; of JSON, jsonGet"
             : "there are no lists; of a string, s.take(n) and s.drop(n) are parts, and byteAt(s, index) a byte";
}

/* `value if condition else other`. */
static bool slips_at_python_if(const struct slips *slips, size_t at) {
  if (slips_kind(slips, at) != TOKEN_IF || !slips_same_line(slips, at))
    return false;
  while (slips_same_line(slips, at + 1) && slips_kind(slips, at) != TOKEN_LEFT_BRACE &&
         slips_kind(slips, at) != TOKEN_END)
    if (slips_kind(slips, at++) == TOKEN_ELSE)
      return true;
  return false;
}

struct slip slips_after_expression(const struct slips *slips, size_t at) {
  enum token_kind kind = slips_kind(slips, at);
  if (slips_kind(slips, at) == TOKEN_STRING && slips_touches(slips, at) &&
      slips_token(slips, at - 1)->place.length == 2)
    return slips_found(slips, at - 1, "a string has no three quotes", "write one: a string may have several lines");
  if (slips_at_inner_quote(slips, at)) {
    struct slip slip =
        slips_found(slips, at - 1, "the string ends at this quote", "write \\\" for a quote inside a string");
    slip.place.offset += slip.place.length - 1;
    slip.place.length = 1;
    return slip;
  }
  bool ends = !slips_same_line(slips, at + 1) || slips_kind(slips, at + 1) == TOKEN_RIGHT_PAREN ||
              slips_kind(slips, at + 1) == TOKEN_DOT || slips_kind(slips, at + 1) == TOKEN_NOT;
  if (slips_at_juxtaposed(slips, at))
    return slips_found(slips, at, "the arguments of a call are in brackets",
                       arena_printf(slips->arena, "write %s(…, …)", slips_token(slips, at - 1)->name));
  if (kind == TOKEN_NAME && slips_same_line(slips, at) && slips_begins_operand(slips_kind(slips, at + 1))) {
    struct slip word = slips_word(slips, at);
    if (word.text)
      return word;
  }
  if (slips_at_python_if(slips, at))
    return slips_found(slips, at, "the condition comes first", "write condition ? value : other");
  if (kind == TOKEN_BAR && slips_kind(slips, at + 1) == TOKEN_NAME && slips_kind(slips, at + 2) == TOKEN_ASSIGN)
    return slips_found(slips, at, "a record is not changed with '|'",
                       "a copy with another field is record { field: value }");
  if (kind == TOKEN_BAR && slips_same_line(slips, at))
    return slips_found(slips, at, FOREIGN_NO_BITS, FOREIGN_BITS "; 'or' is '||'");
  if (kind == TOKEN_NAME && slips_same_line(slips, at) && slips_kind(slips, at + 1) == TOKEN_COLON &&
      slips_kind(slips, at - 1) == TOKEN_NAME && slips_token(slips, at - 1)->newline)
    return slips_found(
        slips, at, "the arguments of a call are in brackets",
        arena_printf(slips->arena, "write %s(%s: …)", slips_token(slips, at - 1)->name, slips_token(slips, at)->name));
  if (kind == TOKEN_COLON && slips_kind(slips, at + 1) == kind && slips_touches(slips, at + 1))
    return slips_found(slips, at, "there is no '::'", "a function is called by its name: f(x), or x.f()");
  if (kind == TOKEN_DOT &&
      (slips_kind(slips, at + 1) == TOKEN_STRING || slips_kind(slips, at + 1) == TOKEN_STRING_HEAD))
    return slips_found(slips, at, "strings are not joined with '.'", "write '+', or \"${a}${b}\"");
  if (kind == TOKEN_DOT && slips_kind(slips, at + 1) == kind)
    return slips_found(slips, at, "there is no '..'", "numbers in a row are range(a, b); strings are joined with '+'");
  if (kind == TOKEN_MATCH && slips_same_line(slips, at) && slips_kind(slips, at + 1) == TOKEN_LEFT_BRACE &&
      (slips_at_arm(slips, at + 2) || slips_at_arm(slips, at + 3)))
    return slips_found(slips, at, "'match' comes before its value", "write match value { pattern => … }");
  if (kind == TOKEN_LEFT_BRACKET && slips_same_line(slips, at))
    return slips_found(slips, at, "a value is not indexed with '['", slips_index_hint(slips, at));
  if (kind == TOKEN_NOT && slips_touches(slips, at) && slips_kind(slips, at + 1) == TOKEN_LEFT_PAREN &&
      slips_touches(slips, at + 1))
    return slips_found(slips, at, "there are no macros", "leave the '!' out: print(\"${a} and ${b}\")");
  if (kind == TOKEN_NOT && slips_touches(slips, at) && ends)
    return slips_found(slips, at, "a Result is not unwrapped with '!'",
                       "match the Result, or give a fallback with '?:'");
  return (struct slip){0};
}

const char *slips_after_pattern(const struct slips *slips, size_t at) {
  enum token_kind kind = slips_kind(slips, at);
  const struct token *before = slips_token(slips, at - 1);
  if (kind == TOKEN_BAR)
    return "an arm has one pattern: write an arm for each";
  bool is_case = kind == TOKEN_DOT && before->kind == TOKEN_NAME && *before->name >= 'A' && *before->name <= 'Z' &&
                 slips_kind(slips, at + 1) == TOKEN_NAME;
  if (is_case)
    return arena_printf(slips->arena, "a case is named alone: %s => …", slips_token(slips, at + 1)->name);
  if (kind == TOKEN_DOT)
    return "an arm has one value: bind a name, and compare it in an 'if' after the '=>'";
  if (kind == TOKEN_COMMA)
    return "an arm has one pattern: write an arm for each, or for a second value a match in the arm";
  if (kind == TOKEN_IF)
    return "an arm has no condition: write an 'if' after its '=>'";
  if (before->kind == TOKEN_NAME && strcmp(before->name, "case") == 0)
    return "remove 'case': an arm begins with its pattern";
  return "write '=>' after a pattern";
}
