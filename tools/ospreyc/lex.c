#include "lex.h"

#include "arena.h"
#include "foreign.h"
#include "map.h"

#include <errno.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>

enum { LEX_NESTING_MAX = 64 };

struct lexer {
  const struct source *source;
  struct arena *arena;
  struct diag *diag;
  struct map names; /* interns names and keywords: each is one pointer */
  size_t at;
  bool newline;
  size_t count;
  size_t capacity;
  struct token *tokens;
  bool saw_blank;
  unsigned nesting;                 /* the number of open interpolations */
  unsigned braces[LEX_NESTING_MAX]; /* the number of open braces in each */
  struct place multiline;           /* the last string with a line break */
  size_t mispaired_at; /* the number of tokens up to the first of them before a letter, where another may begin */
};

struct lex_spelling {
  enum token_kind kind;
  const char *spelling;
};

static const struct lex_spelling lex_keywords[] = {
#define KEYWORD(name, spelling) {TOKEN_##name, spelling},
#include "tokens.def"
};

static const struct lex_spelling lex_punctuation[] = {
#define PUNCTUATION(name, spelling) {TOKEN_##name, spelling},
#include "tokens.def"
};

const char *lex_describe(enum token_kind kind) {
  static const char *const descriptions[] = {
#define TOKEN(name, description) description,
#define KEYWORD(name, spelling) "'" spelling "'",
#define PUNCTUATION(name, spelling) "'" spelling "'",
#include "tokens.def"
  };
  return descriptions[kind];
}

static bool lex_is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool lex_is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static char lex_peek(const struct lexer *lexer, size_t ahead) {
  size_t at = lexer->at + ahead;
  return at < lexer->source->length ? lexer->source->text[at] : '\0';
}

static struct place lex_place(size_t from, size_t to) {
  return (struct place){(uint32_t)from, (uint32_t)(to - from)};
}

static struct token *lex_add(struct lexer *lexer, enum token_kind kind, size_t from) {
  struct token token = {.kind = kind, .newline = lexer->newline, .place = lex_place(from, lexer->at)};
  lexer->newline = false;
  ARENA_PUSH(lexer->arena, lexer->tokens, lexer->count, lexer->capacity, token);
  return &lexer->tokens[lexer->count - 1];
}

/* Whether the last token is on this line and can end an operand. */
static bool lex_is_after_operand(const struct lexer *lexer) {
  enum token_kind before = lexer->count ? lexer->tokens[lexer->count - 1].kind : TOKEN_END;
  return !lexer->newline && ((before >= TOKEN_NAME && before <= TOKEN_STRING) || before == TOKEN_STRING_TAIL ||
                             before == TOKEN_TRUE || before == TOKEN_FALSE || before == TOKEN_RIGHT_PAREN ||
                             before == TOKEN_RIGHT_BRACE || before == TOKEN_RIGHT_BRACKET);
}

/* A comment of another language: an error, and white space. */
static bool lex_other_comment(struct lexer *lexer) {
  const char *text = lexer->source->text + lexer->at;
  bool is_line = *text == '#';
  if (!is_line && strncmp(text, "/*", 2) != 0)
    return false;
  const char *end = is_line ? strchr(text, '\n') : strstr(text, "*/");
  *diag_error(lexer->diag, lex_place(lexer->at, lexer->at + (is_line ? 1 : 2)), "a comment does not begin with '%.*s'",
              is_line ? 1 : 2, text) =
      text[1] == '[' ? "there are no attributes: leave the line out" : "begin each of its lines with '//'";
  lexer->at = end ? (size_t)(end - lexer->source->text) + (is_line ? 0 : 2) : lexer->source->length;
  lexer->newline = true;
  return true;
}

/* Warns of a comment behind an operand that is only a number: elsewhere that divides. */
static void lex_warn_division(struct lexer *lexer) {
  const char *text = lexer->source->text + lexer->at;
  size_t space = strspn(text + 2, " "), digits = strspn(text + 2 + space, "0123456789");
  if (digits > 0 && strchr(")\r\n", text[2 + space + digits]) && lex_is_after_operand(lexer))
    *diag_warning(lexer->diag, lex_place(lexer->at, lexer->at + 2), "'//' begins a comment") =
        "integers are divided with intDiv(a, b), which is a Result";
}

/* White space and comments. A byte order mark is white space at the start of the file. */
static void lex_skip(struct lexer *lexer) {
  if (lexer->at == 0 && strncmp(lexer->source->text, "\xef\xbb\xbf", 3) == 0)
    lexer->at = 3;
  for (;; lexer->at++) {
    while (lex_other_comment(lexer))
      ;
    char c = lex_peek(lexer, 0);
    if (c == '/' && lex_peek(lexer, 1) == '/')
      lex_warn_division(lexer);
    if (c == '/' && lex_peek(lexer, 1) == '/')
      while (lexer->at < lexer->source->length && (c = lex_peek(lexer, 0)) != '\n')
        lexer->at++;
    if (lexer->at >= lexer->source->length || !strchr(" \t\r\n", c))
      return;
    if (c == '\n')
      lexer->newline = true;
  }
}

/* name = [a-zA-Z_] [a-zA-Z0-9_]* */
static void lex_name(struct lexer *lexer) {
  size_t from = lexer->at;
  while (lex_is_letter(lex_peek(lexer, 0)) || lex_is_digit(lex_peek(lexer, 0)))
    lexer->at++;
  size_t length = lexer->at - from;
  char *copy = arena_copy(lexer->arena, lexer->source->text + from, length);
  void **slot = map_slot(&lexer->names, copy, length);
  if (!*slot)
    *slot = copy;
  enum token_kind kind = TOKEN_NAME;
  for (size_t i = 0; i < sizeof lex_keywords / sizeof *lex_keywords; i++)
    if (strcmp(lex_keywords[i].spelling, copy) == 0)
      kind = lex_keywords[i].kind;
  lex_add(lexer, kind, from)->name = *slot;
}

/* int = [0-9]+    float = [0-9]+ "." [0-9]+ */
static void lex_number(struct lexer *lexer) {
  const char *text = lexer->source->text;
  size_t from = lexer->at;
  while (lex_is_digit(lex_peek(lexer, 0)))
    lexer->at++;
  bool is_float = lex_peek(lexer, 0) == '.' && lex_is_digit(lex_peek(lexer, 1));
  if (is_float)
    lexer->at++;
  while (is_float && lex_is_digit(lex_peek(lexer, 0)))
    lexer->at++;
  if (lex_is_letter(lex_peek(lexer, 0))) {
    bool is_based = text[from] == '0' && lexer->at == from + 1 && strchr("xXbBoO", text[lexer->at]);
    *diag_error(lexer->diag, lex_place(lexer->at, lexer->at + 1), "a number cannot be followed by a letter") =
        is_based ? "write the number in decimal: there are no hexadecimal, octal or binary ones"
        : text[lexer->at] == '_' || text[lexer->at] == 'e' || text[lexer->at] == 'E'
            ? "write all its digits, and nothing between them"
        : strchr("iufnlLF", text[lexer->at]) && !lex_is_letter(lex_peek(lexer, 1))
            ? "a number has no type behind it: 5 is an Int, 5.0 a Float"
            : "put a space between them, or begin the name with a letter";
    while (lex_is_letter(lex_peek(lexer, 0)) || lex_is_digit(lex_peek(lexer, 0)))
      lexer->at++;
  }
  struct token *token = lex_add(lexer, is_float ? TOKEN_FLOAT : TOKEN_INT, from);
  if (is_float) {
    token->real = strtod(text + from, NULL);
    if (token->real > DBL_MAX)
      diag_error(lexer->diag, token->place, "the float is larger than 1.7976931348623157e+308");
    return;
  }
  errno = 0;
  token->integer = strtoull(text + from, NULL, 10);
  if (errno || token->integer > (uint64_t)INT64_MAX + 1) {
    diag_error(lexer->diag, token->place, "the integer is larger than 9223372036854775807");
    token->integer = 0;
  }
}

struct lex_buffer {
  char *bytes;
  size_t count;
  size_t capacity;
};

static void lex_put(struct lexer *lexer, struct lex_buffer *buffer, char byte) {
  ARENA_PUSH(lexer->arena, buffer->bytes, buffer->count, buffer->capacity, byte);
}

/* Warns of `\xNN` and `\uNNNN`, which stay as they are written; not behind a quote in the string: JSON knows \u. */
static void lex_warn_escape(struct lexer *lexer, const struct lex_buffer *before) {
  const char *text = lexer->source->text + lexer->at;
  size_t digits = strspn(text + 1, "0123456789abcdefABCDEF");
  char number[9] = "";
  size_t most = *text == 'x' ? 2 : text[1] == '{' ? 6 : 4;
  const char *first = text + 1 + (text[1] == '{');
  memcpy(number, first, strnlen(first, most));
  unsigned long code = strtoul(number, NULL, 16);
  bool is_escape = (*text == 'x' && digits >= 2) || (*text == 'u' && (digits >= 4 || text[1] == '{'));
  if (is_escape && !(before->count && memchr(before->bytes, '"', before->count)))
    *diag_warning(lexer->diag, lex_place(lexer->at - 1, lexer->at + 1), "there is no escape '\\%c' in a string",
                  *text) =
        arena_printf(lexer->arena, "write the character itself, or \"${fromCodePoint(%lu) ?: \"\"}\"", code);
}

/* escape = "\" ( "n" | "r" | "t" | "e" | "0" | '"' | "\" | "${" ) ; any other keeps its backslash.
 * A string ends at its first NUL byte in memory, so that \0 becomes C0 80 there. */
static void lex_escape(struct lexer *lexer, struct lex_buffer *buffer) {
  static const char letters[] = "nrte\"\\";
  static const char values[] = "\n\r\t\x1b\"\\";
  char c = lex_peek(lexer, 1);
  const char *letter = c ? strchr(letters, c) : NULL;
  lexer->at += 2;
  if (letter) {
    lex_put(lexer, buffer, values[letter - letters]);
  } else if (c == '0') {
    lex_put(lexer, buffer, '\xc0');
    lex_put(lexer, buffer, '\x80');
  } else if (c == '$' && lex_peek(lexer, 0) == '{') {
    lexer->at++;
    lex_put(lexer, buffer, '$');
    lex_put(lexer, buffer, '{');
  } else {
    lexer->at--;
    lex_warn_escape(lexer, buffer);
    lex_put(lexer, buffer, '\\');
  }
}

/* Reports an unterminated string: an earlier one whose last quote seems to begin another, which ends the tokens, or the
 * one at the end. If an earlier one contains a line break, its closing quote may be missing. */
static void lex_unclosed(struct lexer *lexer, struct token *token) {
  unsigned line, column;
  if (lexer->mispaired_at) {
    lexer->count = lexer->mispaired_at;
    token = &lexer->tokens[lexer->count - 1];
  }
  token->place.length = 1;
  token->kind = TOKEN_ERROR;
  const char **hint = diag_error(lexer->diag, token->place, "unterminated string");
  const char *before = token->place.offset ? lexer->source->text + token->place.offset - 1 : "";
  *hint = lexer->nesting           ? "write '\"' at its end, and '}' at the end of a '${'"
          : lex_is_letter(*before) ? "write '\"' before the first word too"
                                   : "write '\"' at its end";
  if (lexer->mispaired_at)
    return;
  source_position(lexer->source, lexer->multiline, &line, &column);
  if (lexer->multiline.length)
    *hint = arena_printf(lexer->arena, "the string at %u:%u spans several lines: is its closing quote missing?", line,
                         column);
}

/* A part of a string, from after its opening quote or brace to its closing quote or `${`. */
static void lex_string_part(struct lexer *lexer, bool is_first) {
  size_t from = lexer->at++;
  struct lex_buffer buffer = {0};
  for (;;) {
    char c = lex_peek(lexer, 0);
    if (lexer->at >= lexer->source->length || c == '"')
      break;
    if (c == '$' && lex_peek(lexer, 1) == '{')
      break;
    if (c == '\\') {
      lex_escape(lexer, &buffer);
      continue;
    }
    lex_put(lexer, &buffer, c);
    lexer->at++;
  }
  lex_put(lexer, &buffer, '\0');
  bool ended = lexer->at < lexer->source->length;
  bool opens = ended && lex_peek(lexer, 0) == '$';
  lexer->at += opens ? 2 : ended;
  enum token_kind kind = opens      ? is_first ? TOKEN_STRING_HEAD : TOKEN_STRING_MIDDLE
                         : is_first ? TOKEN_STRING
                                    : TOKEN_STRING_TAIL;
  struct token *token = lex_add(lexer, kind, from);
  token->text = (struct ast_text){buffer.bytes, buffer.count - 1};
  if (!ended)
    lex_unclosed(lexer, token);
  else if (memchr(lexer->source->text + from, '\n', lexer->at - from))
    lexer->multiline = token->place;
  if (ended && !lexer->mispaired_at && lexer->multiline.offset == from && lex_is_letter(lex_peek(lexer, 0)) && !opens)
    lexer->mispaired_at = lexer->count;
  if (!is_first)
    lexer->nesting--;
  if (!opens)
    return;
  if (lexer->nesting == LEX_NESTING_MAX) {
    diag_error(lexer->diag, token->place, "strings are nested more than %d deep", LEX_NESTING_MAX);
    lexer->at = lexer->source->length;
    return;
  }
  lexer->braces[lexer->nesting++] = 0;
}

struct lex_quote {
  const char *quote, *kind;
};

/* The quote of another language, or of a word processor, at the start of a text; or NULL. */
static const struct lex_quote *lex_quote(const char *text) {
  static const struct lex_quote quotes[] = {
      {"'", "single"},
      {"`", "back"},
      {"\xe2\x80\x9c", "typographic"},
      {"\xe2\x80\x9d", "typographic"},
      {"\xe2\x80\x9e", "typographic"},
      {"\xe2\x80\x98", "typographic"},
      {"\xe2\x80\x99", "typographic"},
  };
  for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++)
    if (strncmp(text, quotes[i].quote, strlen(quotes[i].quote)) == 0)
      return &quotes[i];
  return NULL;
}

/* A string in such quotes, up to the next one of the kind or the end of its line, is one error. */
static bool lex_other_string(struct lexer *lexer) {
  const char *text = lexer->source->text, *at = text + lexer->at;
  const struct lex_quote *open = lex_quote(at), *close = NULL;
  size_t from = lexer->at;
  if (!open)
    return false;
  for (at += strlen(open->quote); *at && *at != '\n' && !close; at += close ? strlen(close->quote) : 1) {
    close = lex_quote(at);
    close = close && strcmp(close->kind, open->kind) == 0 ? close : NULL;
  }
  lexer->at = (size_t)(at - text);
  bool is_operator = *open->quote == '`' && lex_is_after_operand(lexer);
  bool is_byte = *open->quote == '\'' && lexer->at == from + 3;
  *diag_error(lexer->diag, lex_add(lexer, TOKEN_ERROR, from)->place, "%s quotes do not enclose a string", open->kind) =
      is_operator ? "a function stands before its arguments: f(a, b), or after the first: a.f(b)"
      : is_byte ? arena_printf(lexer->arena, "write double quotes: \"%c\"; as a byte it is the Int %d", text[from + 1],
                               (unsigned char)text[from + 1])
                : "write double quotes: \"…\"";
  return true;
}

/* What to write for a character that is no token. */
static const char *lex_unknown_hint(const char *at, bool after_operand, bool in_string) {
  switch (*at) {
  case '&':
    return after_operand ? "write '&&'; there are no operators on bits" : "there are no references: leave the '&' out";
  case '^':
    return FOREIGN_NO_BITS ": " FOREIGN_BITS;
  case '~':
    return after_operand ? "write '!=' for 'not equal'" : FOREIGN_NO_BITS ": 0 - n - 1 has all bits of n changed";
  case '\\':
    return in_string ? "a quote in '${ }' has no backslash: \"${f(\"text\")}\"" : "a lambda is fn(n) => …";
  case '@':
    return after_operand ? NULL
                         : "there are no decorators: handlers are given in a call, as to websocketServerOnMessage";
  case '$':
    return at[1] == '"'          ? "remove it; \"${…}\" shows a value"
           : lex_is_digit(at[1]) ? "a lambda names its parameter: fn(n) => …"
           : after_operand       ? "write the argument in brackets: f(x)"
                                 : "remove it: only in a string is a value ${name}";
  default:
    return NULL;
  }
}

/* A character that is no token. One that looks like a space is white space then, and reported once. */
static void lex_unknown(struct lexer *lexer) {
  if (lex_other_string(lexer))
    return;
  const char *text = lexer->source->text;
  size_t from = lexer->at++;
  while (lexer->at < lexer->source->length && (text[lexer->at] & 0xc0) == 0x80)
    lexer->at++;
  int length = (int)(lexer->at - from);
  struct place place = lex_place(from, lexer->at);
  unsigned code = (unsigned char)text[from] & (length == 1 ? 0x7fu : 0x7fu >> length);
  for (size_t i = from + 1; i < lexer->at; i++)
    code = code << 6 | ((unsigned char)text[i] & 0x3fu);
  bool is_control = code < 0x20 || (code >= 0x7f && code < 0xa0);
  bool is_blank = code == 0xa0 || (code >= 0x2000 && code <= 0x206f) || code == 0x3000 || code == 0xfeff;
  if (is_blank && !lexer->saw_blank)
    *diag_error(lexer->diag, place, "unexpected character U+%04X", code) =
        "it cannot be seen, or looks like a space or a dash: type those anew, here and elsewhere";
  lexer->saw_blank |= is_blank;
  if (is_blank)
    return;
  bool after_operand = lex_is_after_operand(lexer);
  lex_add(lexer, TOKEN_ERROR, from);
  if (is_control)
    diag_error(lexer->diag, place, "unexpected control character U+%04X", code);
  else
    *diag_error(lexer->diag, place, "unexpected character '%.*s'", length, text + from) =
        lex_unknown_hint(text + from, after_operand, lexer->nesting > 0);
}

static void lex_punctuate(struct lexer *lexer) {
  const char *text = lexer->source->text + lexer->at;
  for (size_t i = 0; i < sizeof lex_punctuation / sizeof *lex_punctuation; i++) {
    const char *spelling = lex_punctuation[i].spelling;
    if (strncmp(text, spelling, strlen(spelling)) != 0)
      continue;
    size_t from = lexer->at;
    lexer->at += strlen(spelling);
    lex_add(lexer, lex_punctuation[i].kind, from);
    return;
  }
  lex_unknown(lexer);
}

static void lex_token(struct lexer *lexer) {
  char c = lex_peek(lexer, 0);
  unsigned *braces = lexer->nesting ? &lexer->braces[lexer->nesting - 1] : NULL;
  if (braces && c == '}' && *braces == 0) {
    lex_string_part(lexer, false);
    return;
  }
  if (braces && c == '{')
    ++*braces;
  if (braces && c == '}')
    --*braces;
  if (lex_is_letter(c))
    lex_name(lexer);
  else if (lex_is_digit(c))
    lex_number(lexer);
  else if (c == '"')
    lex_string_part(lexer, true);
  else
    lex_punctuate(lexer);
}

/* Warns of the first character of each line that makes the line look other than it is. */
static void lex_warn_bidi(const struct lexer *lexer) {
  const char *at = lexer->source->text, *end = at + lexer->source->length;
  char escape[DIAG_BIDI_SIZE];
  while ((at = memchr(at, '\xe2', (size_t)(end - at)))) {
    size_t offset = (size_t)(at - lexer->source->text), length = diag_bidi(at, (size_t)(end - at), escape);
    if (length) {
      *diag_warning(lexer->diag, lex_place(offset, offset + length),
                    "%s changes the direction of the text, which may look other than it is", escape) =
          "in a string, make it with fromCodePoint";
      at += strcspn(at, "\n");
    } else {
      at++;
    }
  }
}

struct token_list lex(const struct source *source, struct arena *arena, struct diag *diag) {
  struct lexer lexer = {.source = source, .arena = arena, .diag = diag};
  map_init(&lexer.names, arena);
  lex_warn_bidi(&lexer);
  for (lex_skip(&lexer); lexer.at < source->length; lex_skip(&lexer))
    lex_token(&lexer);
  lexer.newline = true;
  lex_add(&lexer, TOKEN_END, lexer.at);
  return (struct token_list){lexer.count, lexer.tokens};
}
