#include "parse.h"

#include "arena.h"
#include "foreign.h"
#include "slips.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

/* A recursive-descent parser. Above each function stands its production, in the EBNF of spec/language.md, and the
 * functions follow the grammar bottom-up: tokens, types, patterns, expressions, items, the file.
 *
 * A function that finds an error reports it and jumps back to the loop over the file's items. Nothing has to be
 * undone, because the arena owns all memory.
 *
 * Invariant: the last token is END and is never consumed, so two tokens of lookahead are always valid. */

enum {
  PARSE_SHORT = 30,        /* bytes of a token that a hint quotes */
  PARSE_NESTING_MAX = 500, /* of brackets, blocks and operators within one another */
  PARSE_HEIGHT_MAX = 1000, /* of a tree: bounds the recursion of every pass over it */
};

struct parser {
  struct arena *arena;
  struct diag *diag;
  const struct token *tokens;
  size_t count;
  struct slips slips; /* of the same tokens */
  size_t at;
  unsigned nesting;
  unsigned parens;              /* calls whose ')' is awaited */
  const struct token *unclosed; /* the first '{' that may lack its '}', because a line in its block is indented less */
  const struct token *dedented; /* the first token of that line */
  bool saw_semicolon;
  jmp_buf *recover;
};

static _Noreturn void parse_fail(struct parser *parser, struct place place, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static struct syntax_type *parse_type(struct parser *parser);
static struct syntax_expr *parse_expr(struct parser *parser);
static struct syntax_item parse_item(struct parser *parser, bool file_scope);

static const struct token *parse_peek(const struct parser *parser, size_t ahead) {
  size_t at = parser->at + ahead;
  return &parser->tokens[at < parser->count ? at : parser->count - 1];
}

static bool parse_is(const struct parser *parser, enum token_kind kind) {
  return parse_peek(parser, 0)->kind == kind;
}

static const struct token *parse_take(struct parser *parser) {
  const struct token *token = parse_peek(parser, 0);
  if (token->kind != TOKEN_END)
    parser->at++;
  return token;
}

static bool parse_accept(struct parser *parser, enum token_kind kind) {
  if (!parse_is(parser, kind))
    return false;
  parse_take(parser);
  return true;
}

/* A token for a message: its text if short, otherwise a description. */
static const char *parse_found(const struct parser *parser, const struct token *token) {
  enum { SHORT = 40 };
  bool has_text = token->kind == TOKEN_NAME || token->kind == TOKEN_INT || token->kind == TOKEN_FLOAT;
  if (!has_text || token->place.length > SHORT)
    return lex_describe(token->kind);
  const char *text = parser->diag->source->text + token->place.offset;
  return arena_printf(parser->arena, "'%.*s'", (int)token->place.length, text);
}

/* Takes a token of a kind. The hint is for any other that is not one of the slips. */
static const struct token *parse_expect_or(struct parser *parser, enum token_kind kind, const char *hint) {
  static const struct {
    enum token_kind expected, found;
    const char *hint;
  } slips[] = {
      {TOKEN_LEFT_BRACE, TOKEN_ASSIGN, "use '==' to compare"},
      {TOKEN_ASSIGN, TOKEN_COLON, "write a function's result type after '->'"},
      {TOKEN_COLON, TOKEN_ASSIGN, "write ':' after the name of a field"},
      {TOKEN_LEFT_PAREN, TOKEN_LESS, "functions have no type parameters: leave the types out, and they are inferred"},
      {TOKEN_ASSIGN, TOKEN_LESS, "types have no parameters"},
      {TOKEN_ASSIGN, TOKEN_EQUAL, "write one '='"},
      {TOKEN_ASSIGN, TOKEN_FAT_ARROW, "write '=' before the body of a function"},
      {TOKEN_ASSIGN, TOKEN_LEFT_BRACKET, "there are no lists: a function that calls itself can go on"},
      {TOKEN_LEFT_PAREN, TOKEN_NAME, "write the parameters in brackets: fn name(a, b) = …"},
      {TOKEN_ASSIGN, TOKEN_QUESTION, "there is no null: use a Result for a value that may be missing"},
      {TOKEN_LEFT_PAREN, TOKEN_ASSIGN, "write fn name() = …; a value is bound with 'let'"},
      {TOKEN_RIGHT_BRACE, TOKEN_SEMICOLON, "separate fields with ','"},
  };
  const struct token *token = parse_peek(parser, 0);
  for (size_t i = 0; i < sizeof slips / sizeof *slips; i++)
    if (slips[i].expected == kind && slips[i].found == token->kind)
      hint = slips[i].hint;
  if (kind == TOKEN_LEFT_PAREN && token->kind == TOKEN_LESS)
    diag_drop_line(parser->diag, token->place.offset);
  if (token->kind != kind)
    parse_fail(parser, token->place, hint, "expected %s, found %s", lex_describe(kind), parse_found(parser, token));
  return parse_take(parser);
}

static const struct token *parse_expect(struct parser *parser, enum token_kind kind) {
  return parse_expect_or(parser, kind, NULL);
}

static bool parse_is_keyword(enum token_kind kind) {
  return kind >= TOKEN_FN && kind <= TOKEN_FALSE;
}

static bool parse_is_label(const struct token *token) {
  return token->kind == TOKEN_NAME || parse_is_keyword(token->kind);
}

static struct syntax_name parse_label(struct parser *parser, const char *what) {
  const struct token *token = parse_peek(parser, 0);
  if (!parse_is_label(token))
    parse_fail(parser, token->place, NULL, "expected %s, found %s", what, parse_found(parser, token));
  parse_take(parser);
  return (struct syntax_name){token->name, token->place};
}

static struct syntax_name parse_name(struct parser *parser, const char *what) {
  const struct token *token = parse_peek(parser, 0);
  if (parse_is_keyword(token->kind) && token->kind != TOKEN_TYPE)
    parse_fail(parser, token->place, NULL, "expected %s, found the keyword '%s'", what, token->name);
  return parse_label(parser, what);
}

/* Reports an error and recovers. Just after a string with a line break, the hint names it: its closing quote may be
 * the opening quote of another. */
static _Noreturn void parse_fail(struct parser *parser, struct place place, const char *hint, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const char *text = arena_vprintf(parser->arena, format, arguments);
  va_end(arguments);
  const struct token *before = &parser->tokens[parser->at ? parser->at - 1 : 0];
  const char *source = parser->diag->source->text + before->place.offset;
  bool is_string = before->kind >= TOKEN_STRING && before->kind <= TOKEN_STRING_TAIL;
  if (is_string && memchr(source, '\n', before->place.length)) {
    unsigned line, column;
    source_position(parser->diag->source, before->place, &line, &column);
    hint = arena_printf(parser->arena, "the string that begins at %u:%u ends here", line, column);
  }
  if (!parse_is(parser, TOKEN_ERROR))
    *diag_error(parser->diag, place, "%s", text) = hint;
  longjmp(*parser->recover, 1);
}

static void parse_reject(struct parser *parser, struct slip slip) {
  if (slip.text)
    parse_fail(parser, slip.place, slip.hint, "%s", slip.text);
}

static struct place parse_place_from(const struct parser *parser, const struct token *first) {
  const struct token *last = parser->at ? &parser->tokens[parser->at - 1] : first;
  uint32_t end = last->place.offset + last->place.length;
  return (struct place){first->place.offset, end > first->place.offset ? end - first->place.offset : 1};
}

static void parse_enter(struct parser *parser) {
  if (++parser->nesting > PARSE_NESTING_MAX)
    parse_fail(parser, parse_peek(parser, 0)->place, "bind part of it with 'let', or move it to a function",
               "the program is nested more than %d levels deep here", PARSE_NESTING_MAX);
}

static void parse_leave(struct parser *parser) {
  parser->nesting--;
}

/* How far the line of a token is indented, in bytes. */
static size_t parse_indentation(const struct parser *parser, const struct token *token) {
  const char *text = parser->diag->source->text;
  size_t start = token->place.offset, indentation = 0;
  while (start > 0 && text[start - 1] != '\n')
    start--;
  while (text[start + indentation] == ' ' || text[start + indentation] == '\t')
    indentation++;
  return indentation;
}

/* A '{', the indentation of its line, and whether the first line in it is indented more. */
struct parse_braces {
  const struct token *open;
  size_t indentation;
  bool indents;
};

static struct parse_braces parse_open(struct parser *parser, const char *hint) {
  if (parse_is(parser, TOKEN_ELSE))
    hint = "the condition comes first: write if condition { … } else { … }";
  const struct token *open = parse_expect_or(parser, TOKEN_LEFT_BRACE, hint);
  struct parse_braces braces = {.open = open};
  if (open[1].newline)
    braces.indentation = parse_indentation(parser, open);
  braces.indents = open[1].newline && parse_indentation(parser, &open[1]) > braces.indentation;
  return braces;
}

static _Noreturn void parse_fail_unclosed(struct parser *parser, const struct token *brace) {
  unsigned line = 0, column;
  if (parser->unclosed) {
    brace = parser->unclosed;
    source_position(parser->diag->source, parser->dedented->place, &line, &column);
  }
  const char *hint =
      line ? arena_printf(parser->arena, "write '}' before line %u", line) : "write '}' after its last line";
  parse_fail(parser, brace->place, hint, "the '{' is not closed");
}

/* Takes the '}' of a '{' and returns true, or returns false before an item or arm. Notes the first line that is not
 * indented: the '}' may be missing before it, and is if what is there cannot be in braces. */
static bool parse_close(struct parser *parser, struct parse_braces braces, bool are_arms) {
  const struct token *token = parse_peek(parser, 0);
  bool closes = token->kind == TOKEN_RIGHT_BRACE, ends = token->kind == TOKEN_END;
  bool declares = token->kind == TOKEN_FN || token->kind == TOKEN_LET || token->kind == TOKEN_EXTERN;
  bool dedents =
      braces.indents && token->newline && !ends && parse_indentation(parser, token) + closes <= braces.indentation;
  if (dedents && !parser->unclosed) {
    parser->unclosed = braces.open;
    parser->dedented = token;
  }
  bool closes_call = token->kind == TOKEN_RIGHT_PAREN && token->newline && parser->parens > 0;
  if (ends || closes_call || (dedents && (token->kind == TOKEN_RIGHT_PAREN || (are_arms && declares))))
    parse_fail_unclosed(parser, braces.open);
  return parse_accept(parser, TOKEN_RIGHT_BRACE);
}

/* Takes the ')' of a '('. An operand lacks a ',' before it, unless its line is indented like that of the '('. */
static void parse_close_paren(struct parser *parser, const struct token *paren, const char *hint) {
  const struct token *token = parse_peek(parser, 0);
  if (parse_accept(parser, TOKEN_RIGHT_PAREN))
    return;
  bool inside = !token->newline || parse_indentation(parser, token) > parse_indentation(parser, paren);
  if (inside && slips_begins_operand(token->kind))
    parse_fail(parser, token->place, hint, "expected ',' or ')', found %s", parse_found(parser, token));
  if (!inside || token->kind == TOKEN_END || token->kind == TOKEN_RIGHT_BRACE)
    parse_fail(parser, paren->place, "write ')' after its last value", "the '(' is not closed");
  parse_expect(parser, TOKEN_RIGHT_PAREN);
}

static void parse_expect_separator(struct parser *parser, const char *hint) {
  const struct token *token = parse_peek(parser, 0);
  if (parse_is_label(token))
    parse_fail(parser, token->place, hint, "expected ',', found %s", parse_found(parser, token));
}

static bool parse_is_upper(const char *name) {
  return *name >= 'A' && *name <= 'Z';
}

/* A hint at `name: Type` for a type that stands before the name, which is the next token. */
static const char *parse_annotated(struct parser *parser, const char *before, const char *type, const char *after) {
  return arena_printf(parser->arena, "write %s%s: %s%s", before, parse_peek(parser, 0)->name, type, after);
}

/* types = [ type { "," type } ] end */
static void parse_types(struct parser *parser, struct syntax_type *into, enum token_kind end) {
  size_t capacity = 0;
  if (parse_accept(parser, end))
    return;
  do {
    struct syntax_type *argument = parse_type(parser);
    ARENA_PUSH(parser->arena, into->arguments, into->count, capacity, argument);
  } while (parse_accept(parser, TOKEN_COMMA));
  parse_expect(parser, end);
}

/* type = "fn" "(" types ")" "->" type | NAME [ "<" types ">" ] */
static struct syntax_type *parse_type(struct parser *parser) {
  const struct token *first = parse_peek(parser, 0);
  struct syntax_type *type = arena_alloc(parser->arena, sizeof *type);
  if (parse_accept(parser, TOKEN_FN)) {
    parse_enter(parser);
    parse_expect(parser, TOKEN_LEFT_PAREN);
    parse_types(parser, type, TOKEN_RIGHT_PAREN);
    parse_expect(parser, TOKEN_ARROW);
    type->result = parse_type(parser);
    parse_leave(parser);
  } else {
    bool is_tuple = first->kind == TOKEN_LEFT_PAREN &&
                    (parse_peek(parser, 1)->kind == TOKEN_RIGHT_PAREN || parse_peek(parser, 2)->kind == TOKEN_COMMA);
    if (!parse_is(parser, TOKEN_NAME))
      parse_fail(parser, first->place,
                 is_tuple                    ? "no value is Unit; several values are a record: type Name = { … }"
                 : first->kind == TOKEN_STAR ? "there are no pointers: leave the '*' out"
                 : first->kind == TOKEN_LEFT_BRACKET ? "there are no lists: a function that calls itself can go on"
                 : parser->tokens[parser->at - 1].kind == TOKEN_ARROW ? "a type follows '->', and '=' the body"
                 : first->kind == TOKEN_ASSIGN                        ? "leave the ':' out, or write a type after it"
                                                                      : NULL,
                 "expected a type, found %s", parse_found(parser, first));
    type->name = parse_label(parser, "a type");
    if (parse_accept(parser, TOKEN_LESS)) {
      parse_enter(parser);
      parse_types(parser, type, TOKEN_GREATER);
      parse_leave(parser);
    }
  }
  type->place = parse_place_from(parser, first);
  return type;
}

/* fields = "{" field { "," field } [ "," ] "}"    field = label ":" type */
static void parse_fields(struct parser *parser, struct syntax_variant *variant) {
  size_t capacity = 0;
  parse_expect(parser, TOKEN_LEFT_BRACE);
  do {
    struct syntax_field field = {.name = parse_label(parser, "the name of a field")};
    parse_expect_or(parser, TOKEN_COLON, "write ':' after the name of a field");
    field.type = parse_type(parser);
    ARENA_PUSH(parser->arena, variant->fields, variant->count, capacity, field);
  } while (parse_accept(parser, TOKEN_COMMA) && !parse_is(parser, TOKEN_RIGHT_BRACE));
  parse_expect_separator(parser, "separate fields with ','");
  parse_expect(parser, TOKEN_RIGHT_BRACE);
}

/* variant = Name [ fields | "(" type { "," type } ")" ] */
static struct syntax_variant parse_variant(struct parser *parser) {
  struct syntax_variant variant = {.name = parse_label(parser, "the name of a variant")};
  if (!parse_is_upper(variant.name.text))
    parse_fail(parser, variant.name.place, "in a pattern, a lower-case name binds any value",
               "the name of a variant begins with an upper-case letter");
  if (parse_is(parser, TOKEN_LEFT_BRACE))
    parse_fields(parser, &variant);
  if (!parse_accept(parser, TOKEN_LEFT_PAREN))
    return variant;
  size_t capacity = 0;
  do {
    struct syntax_field field = {.type = parse_type(parser)};
    field.name.place = field.type->place;
    ARENA_PUSH(parser->arena, variant.fields, variant.count, capacity, field);
  } while (parse_accept(parser, TOKEN_COMMA));
  parse_expect(parser, TOKEN_RIGHT_PAREN);
  return variant;
}

/* Returns true if a union rather than an alias follows `=`: a variant with fields, or several variants. */
static bool parse_at_union(const struct parser *parser) {
  enum token_kind next = parse_peek(parser, 1)->kind;
  bool same_line = !parse_peek(parser, 1)->newline;
  if (parse_is(parser, TOKEN_BAR))
    return true;
  return parse_is(parser, TOKEN_NAME) &&
         (next == TOKEN_BAR || next == TOKEN_LEFT_BRACE || (next == TOKEN_LEFT_PAREN && same_line));
}

/* declaration = "type" Name "=" ( fields | [ "|" ] variant { "|" variant } | type ) */
static struct syntax_item parse_type_declaration(struct parser *parser) {
  parse_expect(parser, TOKEN_TYPE);
  struct syntax_item item = {.kind = SYNTAX_ITEM_TYPE, .name = parse_label(parser, "the name of a type")};
  struct syntax_declaration *declaration = &item.declaration;
  size_t capacity = 0;
  if (!parse_is_upper(item.name.text))
    parse_fail(parser, item.name.place, "write type Name = …", "the name of a type begins with an upper-case letter");
  if (parse_is(parser, TOKEN_COLON))
    parse_fail(parser, parse_peek(parser, 0)->place, "write '=' after the name of a type", "expected '=', found ':'");
  parse_expect_or(parser, TOKEN_ASSIGN, "write '=' after the name of a type");
  if (parse_is(parser, TOKEN_LEFT_BRACE)) {
    struct syntax_variant variant = {.name = item.name};
    parse_fields(parser, &variant);
    declaration->is_record = true;
    ARENA_PUSH(parser->arena, declaration->variants, declaration->count, capacity, variant);
  } else if (parse_at_union(parser)) {
    parse_accept(parser, TOKEN_BAR);
    do {
      struct syntax_variant variant = parse_variant(parser);
      ARENA_PUSH(parser->arena, declaration->variants, declaration->count, capacity, variant);
    } while (parse_accept(parser, TOKEN_BAR));
  } else {
    declaration->alias = parse_type(parser);
  }
  const struct token *after = parse_peek(parser, 0), *variant = &after[-1];
  if (!declaration->is_record && after->kind == TOKEN_NAME && !after->newline && slips_is_type_name(after->name))
    parse_fail(parser, after->place,
               arena_printf(parser->arena, "write the types of a variant in brackets: %s(%s)",
                            variant->kind == TOKEN_NAME ? variant->name : "Name", after->name),
               "expected '|', found '%s'", after->name);
  return item;
}

/* bindings = [ name { "," name } ] end */
static void parse_bindings(struct parser *parser, struct syntax_pattern *pattern, enum token_kind end) {
  size_t capacity = 0;
  if (parse_accept(parser, end))
    return;
  do {
    const struct token *token = parse_peek(parser, 0);
    if (token->kind == TOKEN_NAME && parse_is_upper(token->name))
      parse_fail(parser, token->place, "bind the field, then match on it", "patterns cannot be nested");
    struct syntax_name binding =
        pattern->by_name ? parse_label(parser, "the name of a field") : parse_name(parser, "a name or '_'");
    ARENA_PUSH(parser->arena, pattern->bindings, pattern->count, capacity, binding);
    if (parse_is(parser, TOKEN_COLON))
      parse_fail(parser, parse_peek(parser, 0)->place,
                 "write only the name of the field, which is then the name of the binding",
                 "a field cannot be renamed in a pattern");
  } while (parse_accept(parser, TOKEN_COMMA));
  parse_expect(parser, end);
}

/* constructor = Name [ "{" bindings "}" | "(" bindings ")" | name ] */
static void parse_constructor(struct parser *parser, struct syntax_pattern *pattern) {
  enum token_kind next = parse_peek(parser, 0)->kind;
  pattern->kind = SYNTAX_PATTERN_CONSTRUCTOR;
  pattern->has_fields = true;
  if (parse_accept(parser, TOKEN_LEFT_BRACE)) {
    pattern->by_name = true;
    parse_bindings(parser, pattern, TOKEN_RIGHT_BRACE);
  } else if (parse_accept(parser, TOKEN_LEFT_PAREN)) {
    parse_bindings(parser, pattern, TOKEN_RIGHT_PAREN);
  } else if (next >= TOKEN_INT && next <= TOKEN_STRING_HEAD) {
    parse_fail(parser, parse_peek(parser, 0)->place,
               arena_printf(parser->arena, "bind the value, then match on it: %s value => match value { … }",
                            pattern->name.text),
               "patterns cannot be nested");
  } else if (next == TOKEN_NAME || next == TOKEN_TYPE) {
    size_t capacity = 0;
    const struct token *nested = parse_peek(parser, 0);
    if (next == TOKEN_NAME && parse_is_upper(nested->name) && !nested->newline)
      parse_fail(parser, nested->place, "bind the field, then match on it", "patterns cannot be nested");
    struct syntax_name binding = parse_name(parser, "a name or '_'");
    ARENA_PUSH(parser->arena, pattern->bindings, pattern->count, capacity, binding);
  } else {
    pattern->has_fields = false;
  }
}

/* Parses a literal into the pattern. */
static void parse_literal_pattern(struct parser *parser, struct syntax_pattern *pattern) {
  bool negative = parse_accept(parser, TOKEN_MINUS);
  const struct token *token = negative ? parse_expect(parser, TOKEN_INT) : parse_take(parser);
  if (token->kind == TOKEN_INT) {
    if (!negative && token->integer > INT64_MAX)
      parse_fail(parser, token->place, NULL, "the integer is larger than 9223372036854775807");
    pattern->kind = SYNTAX_PATTERN_INT;
    pattern->integer = (int64_t)(negative ? 0 - token->integer : token->integer);
  } else if (token->kind == TOKEN_STRING) {
    pattern->kind = SYNTAX_PATTERN_STRING;
    pattern->text = token->text;
  } else {
    pattern->kind = SYNTAX_PATTERN_BOOL;
    pattern->truth = token->kind == TOKEN_TRUE;
  }
}

/* pattern = [ "-" ] INT | STRING | "true" | "false" | name | constructor */
static struct syntax_pattern parse_pattern(struct parser *parser) {
  const struct token *first = parse_peek(parser, 0);
  struct syntax_pattern pattern = {0};
  switch (first->kind) {
  case TOKEN_NAME:
  case TOKEN_TYPE:
    pattern.name = parse_name(parser, "a name or '_'");
    pattern.kind = SYNTAX_PATTERN_NAME;
    if (parse_is_upper(pattern.name.text))
      parse_constructor(parser, &pattern);
    break;
  case TOKEN_MINUS:
  case TOKEN_INT:
  case TOKEN_STRING:
  case TOKEN_TRUE:
  case TOKEN_FALSE:
    parse_literal_pattern(parser, &pattern);
    break;
  case TOKEN_FLOAT:
    parse_fail(parser, first->place, "compare it with '==', '<' or '>'", "a float cannot be matched");
  case TOKEN_STRING_HEAD:
    parse_fail(parser, first->place, "compare it with '=='", "a pattern cannot contain '${'");
  default:
    parse_fail(parser, first->place,
               first->kind == TOKEN_ELSE         ? "the last arm catches all: _ => …"
               : first->kind == TOKEN_LEFT_PAREN ? "one value is matched at a time, and taken apart as Name { field }"
               : first->kind == TOKEN_DOT        ? "a case begins with its name: Success value => …"
                                                 : NULL,
               "expected a pattern, found %s", parse_found(parser, first));
  }
  pattern.place = parse_place_from(parser, first);
  return pattern;
}

static struct syntax_expr *parse_new(struct parser *parser, enum syntax_kind kind, struct place place) {
  struct syntax_expr *expr = arena_alloc(parser->arena, sizeof *expr);
  expr->kind = kind;
  expr->height = 1;
  expr->place = place;
  return expr;
}

/* Attaches a child to a node and updates the node's height. */
static struct syntax_expr *parse_child(struct parser *parser, struct syntax_expr *node, struct syntax_expr *child) {
  if (node->height <= child->height)
    node->height = child->height + 1;
  if (node->height > PARSE_HEIGHT_MAX)
    parse_fail(parser, child->place, "bind part of it with 'let'", "the expression is longer than %d operators",
               PARSE_HEIGHT_MAX);
  return child;
}

static struct place parse_join(struct place from, struct place to) {
  return (struct place){from.offset, to.offset + to.length - from.offset};
}

/* parameters = [ parameter { "," parameter } ] end    parameter = name [ ":" type ] */
static void parse_parameters(struct parser *parser, struct syntax_function *function, enum token_kind end) {
  size_t capacity = 0;
  if (parse_accept(parser, end))
    return;
  do {
    parse_reject(parser, slips_at_parameter(&parser->slips, parser->at));
    struct syntax_parameter parameter = {.name = parse_name(parser, "the name of a parameter")};
    if (parse_accept(parser, TOKEN_COLON))
      parameter.type = parse_type(parser);
    ARENA_PUSH(parser->arena, function->parameters, function->count, capacity, parameter);
  } while (parse_accept(parser, TOKEN_COMMA));
  const struct syntax_parameter *last = &function->parameters[function->count - 1];
  const struct token *next = parse_peek(parser, 0);
  bool lacks_colon = next->kind == TOKEN_NAME && !last->type;
  parse_expect_separator(parser, lacks_colon && slips_is_type_name(last->name.text)
                                     ? parse_annotated(parser, "", last->name.text, "")
                                 : lacks_colon && slips_is_type_name(next->name)
                                     ? arena_printf(parser->arena, "write %s: %s", last->name.text, next->name)
                                     : "write ':' before a parameter's type and ',' before the next parameter");
  parse_expect_or(parser, end,
                  parse_is(parser, TOKEN_ASSIGN) ? "a parameter has no default value: every call gives one"
                  : parse_is(parser, TOKEN_QUESTION) || parse_is(parser, TOKEN_ELVIS)
                      ? "there is no null: use a Result for a value that may be missing"
                  : parse_is(parser, TOKEN_ARROW) ? "the type of a function is fn(Int) -> Int"
                  : end == TOKEN_BAR              ? NULL
                                                  : "write ')' after the last parameter");
}

static struct syntax_expr *parse_literal(struct parser *parser) {
  const struct token *token = parse_peek(parser, 0);
  enum syntax_kind kind = token->kind == TOKEN_INT      ? SYNTAX_INT
                          : token->kind == TOKEN_FLOAT  ? SYNTAX_FLOAT
                          : token->kind == TOKEN_STRING ? SYNTAX_STRING
                                                        : SYNTAX_BOOL;
  struct syntax_expr *expr = parse_new(parser, kind, token->place);
  parse_accept(parser, token->kind);
  if (kind == SYNTAX_INT)
    expr->integer = token->integer;
  else if (kind == SYNTAX_FLOAT)
    expr->real = token->real;
  else if (kind == SYNTAX_STRING)
    expr->text = token->text;
  else
    expr->truth = token->kind == TOKEN_TRUE;
  return expr;
}

/* In place of the '}' of a '${': what follows was taken for strings. */
static _Noreturn void parse_fail_placeholder(struct parser *parser, const struct token *token) {
  bool is_quote = token->kind >= TOKEN_STRING && token->kind <= TOKEN_STRING_TAIL;
  if (is_quote)
    diag_drop_rest(parser->diag, token->place.offset);
  parse_fail(parser, is_quote ? (struct place){token->place.offset, 1} : token->place,
             is_quote ? "write '}' before this quote" : NULL, "expected '}' to end the '${', found %s",
             is_quote ? "'\"'" : parse_found(parser, token));
}

/* string = STRING | STRING_HEAD expression { STRING_MIDDLE expression } STRING_TAIL */
static struct syntax_expr *parse_interpolation(struct parser *parser) {
  const struct token *first = parse_peek(parser, 0);
  struct syntax_expr *expr = parse_new(parser, SYNTAX_INTERPOLATE, first->place);
  struct syntax_list *list = &expr->list;
  size_t capacity = 0;
  parse_enter(parser);
  for (bool is_last = false; !is_last;) {
    const struct token *token = parse_peek(parser, 0);
    is_last = token->kind == TOKEN_STRING_TAIL;
    if (!is_last && token->kind != TOKEN_STRING_HEAD && token->kind != TOKEN_STRING_MIDDLE)
      parse_fail_placeholder(parser, token);
    parse_accept(parser, token->kind);
    if (token->text.length) {
      struct syntax_expr *text = parse_new(parser, SYNTAX_STRING, token->place);
      text->text = token->text;
      ARENA_PUSH(parser->arena, list->items, list->count, capacity, text);
    }
    if (is_last)
      break;
    struct syntax_expr *part = parse_child(parser, expr, parse_expr(parser));
    ARENA_PUSH(parser->arena, list->items, list->count, capacity, part);
  }
  parse_leave(parser);
  expr->place = parse_place_from(parser, first);
  return expr;
}

/* block = "{" { item } "}" */
static struct syntax_expr *parse_block(struct parser *parser, const char *hint) {
  struct parse_braces braces = parse_open(parser, hint);
  const struct token *first = braces.open;
  struct syntax_expr *expr = parse_new(parser, SYNTAX_BLOCK, first->place);
  size_t capacity = 0;
  const struct token *colon = parse_peek(parser, 1);
  parse_enter(parser);
  if (parse_is(parser, TOKEN_STRING) && colon->kind == TOKEN_COLON)
    parse_fail(parser, first->place,
               "JSON is a string: \"{\\\"key\\\": ${jsonQuote(value)}}\"; a record is Name { field: value }",
               "a map is part of Osprey, but not of ospreyc");
  if (parse_is_label(parse_peek(parser, 0)) && colon->kind == TOKEN_COLON && colon[1].kind != TOKEN_ASSIGN)
    parse_fail(parser, first->place,
               first > parser->tokens && first[-1].kind == TOKEN_LEFT_PAREN
                   ? arena_printf(parser->arena, "leave the braces out: f(%s: …)", parse_peek(parser, 0)->name)
                   : arena_printf(parser->arena,
                                  "declare type Name = { %s: Type }, and write Name { %s: … }; JSON is a string: "
                                  "\"{\\\"%s\\\": ${jsonQuote(value)}}\"",
                                  parse_peek(parser, 0)->name, parse_peek(parser, 0)->name,
                                  parse_peek(parser, 0)->name),
               "there are no objects without a type");
  while (!parse_close(parser, braces, false)) {
    struct syntax_item item = parse_item(parser, false);
    parse_child(parser, expr, item.value ? item.value : item.function->body);
    ARENA_PUSH(parser->arena, expr->block.items, expr->block.count, capacity, item);
  }
  parse_leave(parser);
  expr->place = parse_place_from(parser, first);
  return expr;
}

#define PARSE_ARM "an arm of several lines is a block"
#define PARSE_ARM_HINT "write '{' after its '=>', and '}' after its last line"

/* Whether a line goes on with the arm before it: it is indented more than the arm. */
static bool parse_goes_on(const struct parser *parser, const struct syntax_expr *match, const struct token *begin) {
  const struct syntax_arm *before = match->match.count ? &match->match.arms[match->match.count - 1] : NULL;
  const struct token arm = {.place = before ? before->pattern.place : begin->place};
  return before && begin->newline && before->body->kind != SYNTAX_BLOCK &&
         parse_indentation(parser, begin) > parse_indentation(parser, &arm);
}

/* Where an arm begins: rejects a statement that goes on with the arm before it. */
static void parse_check_arm(struct parser *parser, const struct syntax_expr *match, const struct token *begin) {
  bool is_statement =
      begin->kind == TOKEN_LET || begin->kind == TOKEN_MATCH || begin->kind == TOKEN_IF ||
      (begin->kind == TOKEN_NAME && parse_peek(parser, 1)->kind == TOKEN_LEFT_PAREN && !parse_is_upper(begin->name)) ||
      (begin->kind == TOKEN_NAME && parse_peek(parser, 1)->kind == TOKEN_DOT && !parse_is_upper(begin->name));
  if (is_statement && parse_goes_on(parser, match, begin))
    parse_fail(parser, begin->place, PARSE_ARM_HINT, PARSE_ARM);
}

/* match = "match" expression "{" arm { arm } "}"    arm = pattern "=>" expression */
static struct syntax_expr *parse_match(struct parser *parser) {
  const struct token *first = parse_expect(parser, TOKEN_MATCH);
  struct syntax_expr *expr = parse_new(parser, SYNTAX_MATCH, first->place);
  size_t capacity = 0;
  parse_enter(parser);
  if (parse_is(parser, TOKEN_LEFT_BRACE) && parse_peek(parser, 2)->kind == TOKEN_FAT_ARROW)
    parse_fail(parser, first->place, "write match value { pattern => … }", "this 'match' has no value");
  expr->match.subject = parse_child(parser, expr, parse_expr(parser));
  struct parse_braces braces = parse_open(parser, "write match value { pattern => … }");
  while (!parse_close(parser, braces, true)) {
    const struct token *begin = parse_peek(parser, 0);
    bool is_dedented = parser->dedented == begin;
    parse_check_arm(parser, expr, begin);
    struct syntax_arm arm = {.pattern = parse_pattern(parser)};
    if (is_dedented && !parse_is(parser, TOKEN_FAT_ARROW))
      parse_fail_unclosed(parser, braces.open);
    if (!parse_is(parser, TOKEN_FAT_ARROW) && parse_goes_on(parser, expr, begin))
      parse_fail(parser, begin->place, PARSE_ARM_HINT, PARSE_ARM);
    parse_expect_or(parser, TOKEN_FAT_ARROW, slips_after_pattern(&parser->slips, parser->at));
    arm.body = parse_child(parser, expr, parse_expr(parser));
    ARENA_PUSH(parser->arena, expr->match.arms, expr->match.count, capacity, arm);
    const struct token *after = parse_peek(parser, 0);
    if (after->kind == TOKEN_COMMA || after->kind == TOKEN_SEMICOLON)
      parse_fail(parser, after->place, "remove it: match arms have no separator", "expected a pattern, found %s",
                 parse_found(parser, after));
  }
  if (!expr->match.count)
    parse_fail(parser, first->place, NULL, "a match needs at least one arm");
  parse_leave(parser);
  return expr;
}

/* if = "if" expression block "else" ( block | if ) */
static struct syntax_expr *parse_if(struct parser *parser) {
  const struct token *first = parse_expect(parser, TOKEN_IF);
  struct syntax_expr *expr = parse_new(parser, SYNTAX_IF, first->place);
  const char *form = "write if condition { … } else { … }";
  if (parse_is(parser, TOKEN_LET))
    parse_fail(parser, first->place, "write match value { Success name => … Err _ => … }", "there is no 'if let'");
  parse_enter(parser);
  expr->branch.condition = parse_child(parser, expr, parse_expr(parser));
  parse_leave(parser);
  const struct token *open = parse_peek(parser, 0);
  if (parse_is(parser, TOKEN_COLON))
    parse_fail(parser, open->place, "write if condition { … } else { … }; main runs by itself",
               "a branch is in braces, without ':'");
  expr->branch.then = parse_child(parser, expr, parse_block(parser, form));
  if (!parse_accept(parser, TOKEN_ELSE)) {
    parse_reject(parser, slips_at_expression(&parser->slips, parser->at));
    if (parser->unclosed == open)
      parse_fail_unclosed(parser, open);
    parse_fail(parser, first->place, "an 'if' is an expression, and both branches have its value: add else { … }",
               "this 'if' has no 'else'");
  }
  if (parse_is(parser, TOKEN_IF)) {
    parse_enter(parser);
    expr->branch.otherwise = parse_child(parser, expr, parse_if(parser));
    parse_leave(parser);
  } else {
    expr->branch.otherwise = parse_child(
        parser, expr, parse_block(parser, parse_is(parser, TOKEN_MATCH) ? "write else { match … { … } }" : form));
  }
  return expr;
}

/* lambda = "fn" "(" parameters ")" [ "->" type ] "=>" expression
 *        | "|" parameter { "," parameter } "|" "=>" expression */
static struct syntax_expr *parse_lambda(struct parser *parser) {
  const struct token *first = parse_peek(parser, 0);
  struct syntax_expr *expr = parse_new(parser, SYNTAX_LAMBDA, first->place);
  struct syntax_function *function = arena_alloc(parser->arena, sizeof *function);
  parse_enter(parser);
  function->name.place = first->place;
  if (parse_is(parser, TOKEN_FN)) {
    bool named = parse_peek(parser, 1)->kind == TOKEN_NAME;
    if (named && first->newline && parse_indentation(parser, first) == 0)
      parse_fail(parser, first[-1].place, "write it before the next function", "the expression lacks its last part");
    parse_take(parser);
    const struct token *after = parse_peek(parser, 1);
    if (named && (after->kind == TOKEN_FAT_ARROW || after->kind == TOKEN_COMMA))
      parse_fail(parser, parse_peek(parser, 0)->place,
                 arena_printf(parser->arena, "write fn(%s%s) => …", parse_peek(parser, 0)->name,
                              after->kind == TOKEN_COMMA ? ", …" : ""),
                 "the parameters of a lambda are in brackets");
    if (named)
      parse_fail(parser, first->place, "declare it in a block, or leave out the name",
                 "a function with a name is a declaration, not an expression");
    parse_expect(parser, TOKEN_LEFT_PAREN);
    parse_parameters(parser, function, TOKEN_RIGHT_PAREN);
    bool is_body = parse_peek(parser, 1)->kind != TOKEN_NAME || parse_peek(parser, 2)->kind == TOKEN_LEFT_PAREN ||
                   parse_peek(parser, 2)->kind == TOKEN_DOT;
    if (parse_is(parser, TOKEN_ARROW) && is_body && parse_peek(parser, 1)->kind != TOKEN_FN)
      parse_expect_or(parser, TOKEN_FAT_ARROW, "write '=>' before the body of a lambda");
    if (parse_accept(parser, TOKEN_ARROW))
      function->result = parse_type(parser);
  } else {
    parse_expect(parser, TOKEN_BAR);
    if (parse_is(parser, TOKEN_BAR))
      parse_fail(parser, first->place, "write 'fn() => …'", "a '|' lambda needs a parameter");
    parse_parameters(parser, function, TOKEN_BAR);
  }
  bool is_method = (first->newline || first == parser->tokens) && parse_is(parser, TOKEN_NAME) && function->count &&
                   parse_peek(parser, 1)->kind == TOKEN_LEFT_PAREN;
  parse_expect_or(parser, TOKEN_FAT_ARROW,
                  is_method ? arena_printf(parser->arena, "the name comes first: fn %s(%s)",
                                           parse_peek(parser, 0)->name, function->parameters[0].name.text)
                            : "write '=>' before the body of a lambda");
  function->body = parse_child(parser, expr, parse_expr(parser));
  expr->function = function;
  parse_leave(parser);
  return expr;
}

/* A token that begins no expression. */
static _Noreturn void parse_fail_expression(struct parser *parser, const struct token *token) {
  const struct token *before = &parser->tokens[parser->at ? parser->at - 1 : 0];
  bool is_let = token->kind == TOKEN_LET && token->newline && before < token;
  if (is_let && parse_indentation(parser, token) == 0)
    parse_fail(parser, before->place, "write it before the next 'let'", "the expression lacks its last part");
  if (is_let && before->kind == TOKEN_ASSIGN)
    parse_fail(parser, token->place, "write '{' after the '=', and '}' after the last line",
               "a body of several lines is a block");
  parse_fail(parser, token->place,
             token->kind == TOKEN_ELSE    ? "write '}' before it"
             : token->kind == TOKEN_LET   ? "a binding stands in a block: { let name = … value }"
             : token->kind == TOKEN_SLASH ? "there are no regular expressions: contains(s, part), indexOf(s, part)"
             : token->kind == TOKEN_STAR  ? "there are no pointers: leave the '*' out"
                                          : NULL,
             "expected an expression, found %s", parse_found(parser, token));
}

/* primary = INT | FLOAT | string | "true" | "false" | name | "(" expression ")" | block | match | if | lambda */
static struct syntax_expr *parse_primary(struct parser *parser) {
  const struct token *token = parse_peek(parser, 0);
  struct syntax_expr *expr;
  parse_reject(parser, slips_at_expression(&parser->slips, parser->at));
  switch (token->kind) {
  case TOKEN_INT:
    if (token->integer > INT64_MAX)
      parse_fail(parser, token->place, NULL, "the integer is larger than 9223372036854775807");
    return parse_literal(parser);
  case TOKEN_FLOAT:
  case TOKEN_STRING:
  case TOKEN_TRUE:
  case TOKEN_FALSE:
    return parse_literal(parser);
  case TOKEN_STRING_HEAD:
    return parse_interpolation(parser);
  case TOKEN_NAME:
  case TOKEN_TYPE:
    expr = parse_new(parser, SYNTAX_NAME, token->place);
    expr->name = parse_take(parser)->name;
    return expr;
  case TOKEN_LEFT_PAREN:
    parse_take(parser);
    parse_enter(parser);
    if (parse_is(parser, TOKEN_RIGHT_PAREN))
      parse_fail(parser, parse_peek(parser, 0)->place,
                 "the value of Unit is '{}'; a success without a value is Success()",
                 "expected an expression, found ')'");
    if (token->newline && parse_is_label(parse_peek(parser, 0)) && parse_peek(parser, 1)->kind == TOKEN_COLON)
      parse_fail(parser, token->place, "write it on the line of the name", "a '(' that begins a line begins no call");
    expr = parse_expr(parser);
    if (parse_is(parser, TOKEN_COMMA))
      parse_fail(parser, parse_peek(parser, 0)->place, "several values are a record: type Name = { field: type, … }",
                 "expected ')', found ','");
    parse_close_paren(parser, token, NULL);
    parse_leave(parser);
    return expr;
  case TOKEN_LEFT_BRACE:
    return parse_block(parser, NULL);
  case TOKEN_MATCH:
    return parse_match(parser);
  case TOKEN_IF:
    return parse_if(parser);
  case TOKEN_FN:
  case TOKEN_BAR:
    return parse_lambda(parser);
  case TOKEN_OR:
    parse_fail(parser, token->place, "write 'fn() => …'", "a '|' lambda needs a parameter");
  default:
    parse_fail_expression(parser, token);
  }
}

/* arguments = "(" [ argument { "," argument } ] ")"    argument = [ label ":" ] expression */
static struct syntax_expr *parse_call(struct parser *parser, struct syntax_expr *callee) {
  struct syntax_expr *expr = parse_new(parser, SYNTAX_CALL, callee->place);
  size_t capacity = 0;
  expr->call.callee = parse_child(parser, expr, callee);
  const struct token *paren = parse_expect(parser, TOKEN_LEFT_PAREN);
  parse_enter(parser);
  parser->parens++;
  while (!parse_is(parser, TOKEN_RIGHT_PAREN)) {
    struct syntax_argument argument = {0};
    if (parse_is_label(parse_peek(parser, 0)) && parse_peek(parser, 1)->kind == TOKEN_COLON) {
      argument.name = parse_label(parser, "the name of an argument");
      parse_take(parser);
    }
    argument.value = parse_child(parser, expr, parse_expr(parser));
    if (argument.value->kind == SYNTAX_NAME && parse_is_upper(argument.value->name) &&
        parse_is(parser, TOKEN_LEFT_BRACE) && parse_peek(parser, 1)->kind == TOKEN_RIGHT_BRACE) {
      const char *name = argument.value->name; /* `Name {}`: the checker reports what it lacks */
      parser->at += 2;
      argument.value->kind = SYNTAX_RECORD;
      argument.value->record = (struct syntax_record){.name = {name, argument.value->place}};
    }
    ARENA_PUSH(parser->arena, expr->call.arguments, expr->call.count, capacity, argument);
    if (parse_is(parser, TOKEN_ASSIGN) && argument.value->kind == SYNTAX_LAMBDA)
      parse_fail(parser, parse_peek(parser, 0)->place, SLIPS_FIXED_HINT, SLIPS_FIXED);
    if (parse_is(parser, TOKEN_ASSIGN) && argument.value->kind == SYNTAX_NAME)
      parse_fail(parser, parse_peek(parser, 0)->place,
                 arena_printf(parser->arena, "write ':' after the name of an argument: %s: …", argument.value->name),
                 "expected ':', found '='");
    if (!parse_accept(parser, TOKEN_COMMA))
      break;
  }
  const struct syntax_expr *last = expr->call.count ? expr->call.arguments[expr->call.count - 1].value : NULL;
  const struct token *next = parse_peek(parser, 0);
  const char *hint = "separate arguments with ','";
  if (last && last->kind == SYNTAX_LAMBDA && last->function->body->kind != SYNTAX_BLOCK)
    hint = "a body of several expressions is a block: fn(…) => { … }; arguments are separated with ','";
  else if (last && last->kind == SYNTAX_NAME && next->place.length < PARSE_SHORT && !next->newline)
    hint = arena_printf(parser->arena,
                        "write %s(%.*s), or %s: %.*s for a named argument; arguments are separated with ','",
                        last->name, (int)next->place.length, parser->diag->source->text + next->place.offset,
                        last->name, (int)next->place.length, parser->diag->source->text + next->place.offset);
  parse_close_paren(parser, paren, hint);
  parser->parens--;
  parse_leave(parser);
  return expr;
}

/* initialisers = "{" label ":" expression { "," label ":" expression } [ "," ] "}" */
static struct syntax_expr *parse_record(struct parser *parser, struct syntax_expr *base) {
  struct syntax_expr *expr = parse_new(parser, SYNTAX_RECORD, base->place);
  bool constructs = base->kind == SYNTAX_NAME && *base->name >= 'A' && *base->name <= 'Z';
  size_t capacity = 0;
  if (constructs)
    expr->record.name = (struct syntax_name){base->name, base->place};
  else
    expr->record.base = parse_child(parser, expr, base);
  parse_expect(parser, TOKEN_LEFT_BRACE);
  parse_enter(parser);
  do {
    struct syntax_argument field = {.name = parse_label(parser, "the name of a field")};
    parse_expect(parser, TOKEN_COLON);
    field.value = parse_child(parser, expr, parse_expr(parser));
    ARENA_PUSH(parser->arena, expr->record.fields, expr->record.count, capacity, field);
  } while (parse_accept(parser, TOKEN_COMMA) && !parse_is(parser, TOKEN_RIGHT_BRACE));
  parse_expect_separator(parser, "separate fields with ','");
  parse_expect(parser, TOKEN_RIGHT_BRACE);
  parse_leave(parser);
  return expr;
}

/* A quote that ends a string too early: of a string of several lines, its closing quote is rather missing. The lexer
 * then reports what it took for strings. */
static void parse_check_quote(struct parser *parser) {
  if (!slips_at_inner_quote(&parser->slips, parser->at))
    return;
  const struct token *string = &parser->tokens[parser->at - 1];
  const char *text = parser->diag->source->text + string->place.offset;
  size_t line = strcspn(text, "\n");
  if (line >= string->place.length) {
    diag_drop_line(parser->diag, parse_peek(parser, 0)->place.offset);
    return;
  }
  diag_drop_rest(parser->diag, string->place.offset);
  *diag_error(parser->diag, (struct place){string->place.offset, (uint32_t)line},
              "this string has no closing quote on its line") = "write '\"' at its end";
  longjmp(*parser->recover, 1);
}

/* postfix = primary { arguments | "." label | initialisers }
 * A "(" that begins a line begins an expression. */
static struct syntax_expr *parse_postfix(struct parser *parser) {
  struct syntax_expr *expr = parse_primary(parser);
  for (;;) {
    parse_check_quote(parser);
    parse_reject(parser, slips_after_expression(&parser->slips, parser->at));
    bool named = expr->kind == SYNTAX_NAME && parse_is_upper(expr->name);
    bool labelled = parse_is_label(parse_peek(parser, 1)) && (parse_peek(parser, 2)->kind == TOKEN_COLON ||
                                                              (named && parse_peek(parser, 2)->kind == TOKEN_ASSIGN));
    if (parse_is(parser, TOKEN_LEFT_PAREN) && !parse_peek(parser, 0)->newline) {
      expr = parse_call(parser, expr);
    } else if (parse_accept(parser, TOKEN_DOT)) {
      struct syntax_expr *access = parse_new(parser, SYNTAX_FIELD, expr->place);
      if (parse_peek(parser, 0)->newline && !parse_is(parser, TOKEN_NAME))
        parse_expect(parser, TOKEN_NAME);
      access->field.record = parse_child(parser, access, expr);
      access->field.name = parse_label(parser, "the name of a field");
      access->place = parse_join(expr->place, access->field.name.place);
      expr = access;
    } else if (parse_is(parser, TOKEN_LEFT_BRACE) && named && parse_peek(parser, 1)->kind >= TOKEN_INT &&
               parse_peek(parser, 1)->kind <= TOKEN_STRING && parse_peek(parser, 2)->kind == TOKEN_COMMA) {
      parse_fail(parser, parse_peek(parser, 1)->place,
                 arena_printf(parser->arena, "write %s { field: value, … }, or %s(value, …)", expr->name, expr->name),
                 "expected the name of a field, found %s", parse_found(parser, parse_peek(parser, 1)));
    } else if (parse_is(parser, TOKEN_LEFT_BRACE) && labelled) {
      expr = parse_record(parser, expr);
    } else {
      return expr;
    }
  }
}

/* pipe = postfix { "|>" postfix }
 * `value |> stage` is a call of the stage with the value before its own arguments. */
static struct syntax_expr *parse_pipe(struct parser *parser) {
  struct syntax_expr *value = parse_postfix(parser);
  while (parse_accept(parser, TOKEN_PIPE)) {
    if (parse_is(parser, TOKEN_MATCH) && parse_peek(parser, 1)->kind == TOKEN_LEFT_BRACE)
      parse_fail(parser, parse_peek(parser, 0)->place, "write match value { pattern => … }",
                 "'|>' hands a value to a function, and 'match' is none");
    struct syntax_expr *stage = parse_postfix(parser);
    struct syntax_expr *expr = parse_new(parser, SYNTAX_CALL, stage->place);
    bool has_arguments = stage->kind == SYNTAX_CALL;
    size_t count = has_arguments ? stage->call.count : 0;
    expr->call.callee = parse_child(parser, expr, has_arguments ? stage->call.callee : stage);
    expr->call.count = count + 1;
    expr->call.arguments = arena_array(parser->arena, count + 1, sizeof *expr->call.arguments);
    expr->call.arguments[0].value = parse_child(parser, expr, value);
    for (size_t i = 0; i < count; i++) {
      expr->call.arguments[i + 1] = stage->call.arguments[i];
      parse_child(parser, expr, stage->call.arguments[i].value);
    }
    value = expr;
  }
  return value;
}

/* unary = ( "!" | "-" | "+" ) unary | pipe
 * A minus right before a number makes a negative literal. The integer 2^63 is valid only there. */
static struct syntax_expr *parse_unary(struct parser *parser) {
  const struct token *token = parse_peek(parser, 0), *next = parse_peek(parser, 1);
  bool minus = token->kind == TOKEN_MINUS;
  if (token->kind != TOKEN_NOT && !minus && token->kind != TOKEN_PLUS)
    return parse_pipe(parser);
  parse_take(parser);
  parse_enter(parser);
  bool smallest = minus && next->kind == TOKEN_INT && next->integer > INT64_MAX;
  struct syntax_expr *operand = smallest ? parse_literal(parser) : parse_unary(parser);
  parse_leave(parser);
  struct place place = parse_join(token->place, operand->place);
  bool is_number = operand->kind == SYNTAX_INT || operand->kind == SYNTAX_FLOAT;
  if (minus && is_number && operand->place.offset == next->place.offset && next->kind != TOKEN_MINUS) {
    if (operand->kind == SYNTAX_INT)
      operand->integer = 0 - operand->integer;
    else
      operand->real = -operand->real;
    operand->place = place;
    return operand;
  }
  struct syntax_expr *expr = parse_new(parser, SYNTAX_UNARY, place);
  expr->binary.op = token->kind == TOKEN_NOT ? SYNTAX_NOT : minus ? SYNTAX_NEGATE : SYNTAX_PLUS;
  expr->binary.place = token->place;
  expr->binary.left = parse_child(parser, expr, operand);
  return expr;
}

struct parse_operator {
  enum token_kind token;
  unsigned level; /* a higher level binds tighter */
  enum syntax_operator op;
};

enum { PARSE_LEVEL_OR = 1, PARSE_LEVEL_MULTIPLICATIVE = 5 };

static const struct parse_operator parse_operators[] = {
    {TOKEN_OR, 1, SYNTAX_OR},
    {TOKEN_AND, 2, SYNTAX_AND},
    {TOKEN_EQUAL, 3, SYNTAX_EQUAL},
    {TOKEN_NOT_EQUAL, 3, SYNTAX_NOT_EQUAL},
    {TOKEN_LESS, 3, SYNTAX_LESS},
    {TOKEN_GREATER, 3, SYNTAX_GREATER},
    {TOKEN_LESS_EQUAL, 3, SYNTAX_LESS_EQUAL},
    {TOKEN_GREATER_EQUAL, 3, SYNTAX_GREATER_EQUAL},
    {TOKEN_PLUS, 4, SYNTAX_ADD},
    {TOKEN_MINUS, 4, SYNTAX_SUBTRACT},
    {TOKEN_STAR, 5, SYNTAX_MULTIPLY},
    {TOKEN_SLASH, 5, SYNTAX_DIVIDE},
    {TOKEN_PERCENT, 5, SYNTAX_REMAINDER},
};

/* The operator of a level that continues the expression, or NULL. A minus may begin the next arm's pattern: `-1 =>
 * …`. */
static const struct parse_operator *parse_find_operator(const struct parser *parser, unsigned level) {
  bool pattern = parse_is(parser, TOKEN_MINUS) && parse_peek(parser, 1)->kind == TOKEN_INT &&
                 parse_peek(parser, 2)->kind == TOKEN_FAT_ARROW;
  for (size_t i = 0; !pattern && i < sizeof parse_operators / sizeof *parse_operators; i++)
    if (parse_is(parser, parse_operators[i].token) && parse_operators[i].level == level)
      return &parse_operators[i];
  return NULL;
}

static struct syntax_expr *parse_join_binary(struct parser *parser, enum syntax_operator op, struct place place,
                                             struct syntax_expr *left, struct syntax_expr *right) {
  struct syntax_expr *expr = parse_new(parser, SYNTAX_BINARY, parse_join(left->place, right->place));
  expr->binary.op = op;
  expr->binary.place = place;
  expr->binary.left = parse_child(parser, expr, left);
  expr->binary.right = parse_child(parser, expr, right);
  return expr;
}

/* or = and { "||" and }    and = comparison { "&&" comparison }    comparison = sum { ( "==" | "!=" | … ) sum }
 * sum = product { ( "+" | "-" ) product }    product = unary { ( "*" | "/" | "%" ) unary } */
static struct syntax_expr *parse_binary(struct parser *parser, unsigned level) {
  if (level > PARSE_LEVEL_MULTIPLICATIVE)
    return parse_unary(parser);
  struct syntax_expr *left = parse_binary(parser, level + 1);
  const struct parse_operator *op;
  while ((op = parse_find_operator(parser, level))) {
    struct place place = parse_take(parser)->place;
    left = parse_join_binary(parser, op->op, place, left, parse_binary(parser, level + 1));
  }
  return left;
}

static bool parse_starts_declaration(const struct parser *parser, size_t at) {
  const struct token *token = &parser->tokens[at];
  enum token_kind next = token->kind == TOKEN_END ? TOKEN_END : token[1].kind;
  if (!token->newline)
    return false;
  return token->kind == TOKEN_LET || token->kind == TOKEN_EXTERN || token->kind == TOKEN_END ||
         ((token->kind == TOKEN_FN || token->kind == TOKEN_TYPE) && next == TOKEN_NAME);
}

static bool parse_starts_expression(const struct token *token) {
  switch (token->kind) {
  case TOKEN_END:
  case TOKEN_LET:
  case TOKEN_EXTERN:
  case TOKEN_RIGHT_PAREN:
  case TOKEN_RIGHT_BRACE:
  case TOKEN_COMMA:
  case TOKEN_DOT:
  case TOKEN_ELVIS:
  case TOKEN_PIPE:
    return false;
  default:
    return true;
  }
}

/* A '?' without a ':'. */
static _Noreturn void parse_fail_question(struct parser *parser, struct place place) {
  if (parse_is(parser, TOKEN_DOT))
    parse_fail(parser, place, "there is no null: write record.field", "there is no '?.'");
  parse_fail(parser, place, "match the Result, or give a fallback with '?:'. A condition is c ? a : b",
             "this '?' has no ':': a Result is not unwrapped with '?'");
}

/* expression = or [ "?" expression ":" expression | "?:" expression ] */
static struct syntax_expr *parse_expr(struct parser *parser) {
  struct syntax_expr *expr = parse_binary(parser, PARSE_LEVEL_OR);
  struct place place = parse_peek(parser, 0)->place;
  if (parse_accept(parser, TOKEN_ELVIS)) {
    parse_enter(parser);
    expr = parse_join_binary(parser, SYNTAX_ELVIS, place, expr, parse_expr(parser));
    parse_leave(parser);
  } else if (parse_accept(parser, TOKEN_QUESTION)) {
    parse_enter(parser);
    struct syntax_expr *condition = expr;
    expr = parse_new(parser, SYNTAX_IF, condition->place);
    expr->branch.condition = parse_child(parser, expr, condition);
    if (!parse_starts_expression(parse_peek(parser, 0)) || parse_starts_declaration(parser, parser->at))
      parse_fail_question(parser, place);
    expr->branch.then = parse_child(parser, expr, parse_expr(parser));
    if (!parse_accept(parser, TOKEN_COLON))
      parse_fail_question(parser, place);
    expr->branch.otherwise = parse_child(parser, expr, parse_expr(parser));
    parse_leave(parser);
  }
  return expr;
}

static void parse_function_assign(struct parser *parser, bool has_result) {
  const struct token *colon = parse_peek(parser, 0);
  if (colon->kind == TOKEN_COLON && parse_peek(parser, 1)->newline)
    parse_fail(parser, colon->place, "write '=', and a block in '{ }'", "a body does not begin with ':'");
  const struct token *type = parse_peek(parser, 1);
  if (colon->kind == TOKEN_FAT_ARROW && type->kind == TOKEN_NAME && slips_is_type_name(type->name) &&
      (parse_peek(parser, 2)->kind == TOKEN_ASSIGN || parse_peek(parser, 2)->kind == TOKEN_LESS))
    parse_fail(parser, colon->place, "write '->' before the type of a function's result", "expected '->', found '=>'");
  const char *word = colon->kind == TOKEN_NAME ? colon->name : "";
  if (foreign_word(word) && !colon->newline)
    parse_fail(parser, colon->place,
               strcmp(word, "where") == 0 ? "types have no constraints: leave the 'where' out" : foreign_word(word),
               "there is no '%s'", word);
  parse_expect_or(parser, TOKEN_ASSIGN,
                  !slips_is_type_name(word) ? "write '=' before the body of a function"
                  : has_result ? "the parameters of a type are in '< >', as in Result<Int, String>; '=' begins the body"
                               : arena_printf(parser->arena, "write -> %s = …", word));
}

/* function = "fn" signature ( "=" expression | block )    extern = "extern" "fn" signature
 * signature = name "(" parameters ")" [ "->" type ] */
static struct syntax_item parse_function(struct parser *parser) {
  bool is_extern = parse_accept(parser, TOKEN_EXTERN);
  struct syntax_function *function = arena_alloc(parser->arena, sizeof *function);
  parse_expect(parser, TOKEN_FN);
  function->name = parse_name(parser, "the name of a function");
  parse_expect(parser, TOKEN_LEFT_PAREN);
  parse_parameters(parser, function, TOKEN_RIGHT_PAREN);
  if (parse_accept(parser, TOKEN_ARROW))
    function->result = parse_type(parser);
  enum syntax_item_kind kind = is_extern ? SYNTAX_ITEM_EXTERN : SYNTAX_ITEM_FUNCTION;
  struct syntax_item item = {.kind = kind, .name = function->name, .function = function};
  if (is_extern)
    return item;
  if (!parse_is(parser, TOKEN_LEFT_BRACE))
    parse_function_assign(parser, function->result);
  function->body = parse_expr(parser);
  return item;
}

/* item = function | let | declaration | extern | expression    let = "let" name [ ":" type ] "=" expression */
static struct syntax_item parse_item(struct parser *parser, bool file_scope) {
  const struct token *first = parse_peek(parser, 0);
  enum token_kind next = parse_peek(parser, 1)->kind;
  bool declares_type = first->kind == TOKEN_TYPE && next == TOKEN_NAME;
  struct syntax_item item;
  parse_reject(parser, slips_at_item(&parser->slips, parser->at, file_scope));
  if (!file_scope && (declares_type || first->kind == TOKEN_EXTERN))
    parse_fail(parser, first->place, "move it out of the function", "%s can only be declared at file scope",
               declares_type ? "a type" : "an extern function");
  if (first->kind == TOKEN_MUT)
    parse_fail(parser, first->place, "use 'let'", "'mut' is not supported: bindings are immutable");
  if (first->kind == TOKEN_EXTERN || (first->kind == TOKEN_FN && next != TOKEN_LEFT_PAREN)) {
    item = parse_function(parser);
  } else if (parse_accept(parser, TOKEN_LET)) {
    if (parse_is(parser, TOKEN_MUT))
      parse_fail(parser, parse_peek(parser, 0)->place, "leave it out: let name = …",
                 "'mut' is not supported: bindings are immutable");
    if (parse_is(parser, TOKEN_LEFT_BRACE) || parse_is(parser, TOKEN_LEFT_PAREN))
      parse_fail(parser, parse_peek(parser, 0)->place, "bind one name, and read its fields: name.field",
                 "expected a name, found %s", parse_found(parser, parse_peek(parser, 0)));
    item = (struct syntax_item){.kind = SYNTAX_ITEM_LET, .name = parse_name(parser, "a name")};
    if (parse_is(parser, TOKEN_COMMA))
      parse_fail(parser, parse_peek(parser, 0)->place,
                 "the value and the error of a call are one Result: match it, or give a fallback with '?:'",
                 "a 'let' binds one name");
    if (parse_accept(parser, TOKEN_COLON))
      item.type = parse_type(parser);
    if (parse_peek(parser, 0)->newline && !parse_is(parser, TOKEN_ASSIGN))
      parse_fail(parser, item.name.place, "write let name = …: a binding has one value, from its line on",
                 "this 'let' has no value");
    bool type_first = parse_is(parser, TOKEN_NAME) && slips_is_type_name(item.name.text) &&
                      strcmp(item.name.text, "Success") != 0 && parse_peek(parser, 1)->kind == TOKEN_ASSIGN;
    parse_expect_or(parser, TOKEN_ASSIGN,
                    parse_is(parser, TOKEN_NAME) && !parse_is_upper(item.name.text) && !type_first && !item.type
                        ? arena_printf(parser->arena, "write let %s = …; a function is fn %s(%s, …) = …",
                                       item.name.text, item.name.text, parse_peek(parser, 0)->name)
                    : type_first                     ? parse_annotated(parser, "let ", item.name.text, " = …")
                    : parse_is_upper(item.name.text) ? "write let name: type = …; to take a value apart, match it"
                                                     : "write let name = …, or let name: type = …");
    item.value = parse_expr(parser);
    const struct token *argument = parse_peek(parser, 0), *end = parse_peek(parser, 1);
    if (item.value->kind == SYNTAX_NAME && argument->kind >= TOKEN_NAME && argument->kind <= TOKEN_STRING &&
        !argument->newline && end->newline && end->kind != TOKEN_RIGHT_BRACE)
      parse_fail(parser, argument->place,
                 slips_is_type_name(item.value->name)
                     ? foreign_word("as")
                     : arena_printf(parser->arena, "write %s(%.*s)", item.value->name, (int)argument->place.length,
                                    parser->diag->source->text + argument->place.offset),
                 "the arguments of a call are in brackets");
  } else if (declares_type) {
    item = parse_type_declaration(parser);
  } else {
    item = (struct syntax_item){.kind = SYNTAX_ITEM_EXPR, .value = parse_expr(parser)};
  }
  const struct token *after = parse_peek(parser, 0);
  bool assigns = item.kind == SYNTAX_ITEM_EXPR && after->kind == TOKEN_ASSIGN;
  if (assigns && item.value->kind == SYNTAX_NAME)
    parse_reject(parser, slips_unbound(&parser->slips, item.value->place, item.value->name));
  bool is_handler = assigns && item.value->kind == SYNTAX_FIELD && strncmp(item.value->field.name.text, "on", 2) == 0;
  if (is_handler)
    parse_fail(parser, after->place,
               "a client's are given to websocketConnect and websocketOnClose, a server's to websocketServerOnOpen, "
               "websocketServerOnMessage and websocketServerOnClose",
               "handlers are arguments of a call");
  if (assigns && (item.value->kind == SYNTAX_NAME || item.value->kind == SYNTAX_FIELD))
    parse_fail(parser, after->place, SLIPS_FIXED_HINT, SLIPS_FIXED);
  if (assigns)
    parse_fail(parser, after->place, "declare functions with 'fn' and names with 'let'",
               "expected a statement, found '='");
  item.place = parse_place_from(parser, first);
  for (; parse_is(parser, TOKEN_SEMICOLON); parse_take(parser)) {
    if (!parser->saw_semicolon)
      *diag_error(parser->diag, parse_peek(parser, 0)->place, "statements have no ';'") =
          "remove it, here and elsewhere";
    parser->saw_semicolon = true;
  }
  return item;
}

/* Skips to the next declaration after an error in the one that began at `start`: the next one outside its braces that
 * is not indented more or, if a brace is missing, the next function, type or extern in the first column. */
static void parse_synchronise(struct parser *parser, size_t start) {
  size_t error = parser->at;
  size_t indentation = parse_indentation(parser, &parser->tokens[start]);
  int balance = 0;
  for (size_t i = start; i < parser->count; i++) {
    bool at_end = parser->tokens[i].kind == TOKEN_END;
    if (i >= error && i > start && !at_end && balance <= 0 && parse_starts_declaration(parser, i) &&
        parse_indentation(parser, &parser->tokens[i]) <= indentation) {
      parser->at = i;
      return;
    }
    balance += parser->tokens[i].kind == TOKEN_LEFT_BRACE;
    balance -= parser->tokens[i].kind == TOKEN_RIGHT_BRACE;
  }
  for (size_t i = error > start ? error : start + 1; i < parser->count; i++) {
    const struct token *token = &parser->tokens[i];
    bool declares = parse_starts_declaration(parser, i) && token->kind != TOKEN_LET;
    size_t offset = token->place.offset;
    bool first_on_line = offset == 0 || parser->diag->source->text[offset - 1] == '\n';
    if (token->kind == TOKEN_END || (declares && first_on_line)) {
      parser->at = i;
      return;
    }
  }
  parser->at = parser->count - 1;
}

/* Parses an item. Returns false after an error. The setjmp has a frame of its own, so no local is clobbered. */
static bool parse_try_item(struct parser *parser, struct syntax_item *item) {
  jmp_buf recover;
  parser->recover = &recover;
  if (setjmp(recover))
    return false;
  *item = parse_item(parser, true);
  return true;
}

/* program = { item } END */
struct syntax_program parse(struct token_list tokens, struct arena *arena, struct diag *diag) {
  struct parser parser = {.arena = arena, .diag = diag, .tokens = tokens.tokens, .count = tokens.count};
  parser.slips = (struct slips){arena, diag->source, tokens};
  struct syntax_program program = {0};
  map_init(&program.skipped, arena);
  /* Where the line of the current item begins, and the items before it. */
  size_t line = 0, before_line = 0, capacity = 0;
  while (!parse_is(&parser, TOKEN_END)) {
    size_t start = parser.at;
    struct syntax_item item;
    if (parse_peek(&parser, 0)->newline) {
      line = start;
      before_line = program.count;
    }
    parser.nesting = 0;
    parser.parens = 0;
    parser.unclosed = NULL;
    if (!parse_try_item(&parser, &item)) {
      program.failed = true;
      parse_synchronise(&parser, start);
      program.count = before_line; /* what precedes an error on its line is probably a part of the same mistake */
      for (const struct token *token = &parser.tokens[line]; token < &parser.tokens[parser.at]; token++)
        if (token->kind == TOKEN_NAME)
          *map_slot(&program.skipped, token->name, strlen(token->name)) = (void *)token;
      continue;
    }
    ARENA_PUSH(arena, program.items, program.count, capacity, item);
  }
  if (tokens.count == 1)
    diag_error(diag, tokens.tokens->place, "the program is empty");
  return program;
}
