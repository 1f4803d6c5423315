#include "parser.h"

#include <stdarg.h>
#include <string.h>

/* ---- Tokens ------------------------------------------------------------------------------------------------------ */

const struct token *parse_peek(const struct parser *parser, size_t ahead) {
  size_t at = parser->at + ahead;
  return &parser->tokens[at < parser->count ? at : parser->count - 1];
}

bool parse_is(const struct parser *parser, enum token_kind kind) {
  return parse_peek(parser, 0)->kind == kind;
}

const struct token *parse_take(struct parser *parser) {
  const struct token *token = parse_peek(parser, 0);
  if (token->kind != TOKEN_END)
    parser->at++;
  return token;
}

bool parse_accept(struct parser *parser, enum token_kind kind) {
  if (!parse_is(parser, kind))
    return false;
  parse_take(parser);
  return true;
}

/* How what was found is named in a message: by its text, if that is short. */
const char *parse_found(const struct parser *parser, const struct token *token) {
  enum { SHORT = 40 };
  bool has_text = token->kind == TOKEN_NAME || token->kind == TOKEN_INT || token->kind == TOKEN_FLOAT;
  if (!has_text || token->place.length > SHORT)
    return lex_describe(token->kind);
  const char *text = parser->diag->source->text + token->place.offset;
  return arena_printf(parser->arena, "'%.*s'", (int)token->place.length, text);
}

/* What may have been meant where one token stands for another. */
static const char *parse_slip(enum token_kind expected, const struct token *found) {
  static const struct {
    enum token_kind expected, found;
    const char *hint;
  } slips[] = {
      {TOKEN_LEFT_BRACE, TOKEN_ASSIGN, "'==' compares"},
      {TOKEN_LEFT_BRACE, TOKEN_NAME, "what belongs to it stands in braces"},
      {TOKEN_ASSIGN, TOKEN_COLON, "the type of a function's result follows '->'"},
      {TOKEN_ASSIGN, TOKEN_FAT_ARROW, "the body of a function follows '='"},
      {TOKEN_FAT_ARROW, TOKEN_ASSIGN, "'=>' stands before the body of a lambda, and after a pattern"},
      {TOKEN_FAT_ARROW, TOKEN_ARROW, "'=>' stands before the body of a lambda, and after a pattern"},
      {TOKEN_COLON, TOKEN_ASSIGN, "a field's name and what it is stand around ':'"},
  };
  for (size_t i = 0; i < sizeof slips / sizeof *slips; i++)
    if (slips[i].expected == expected && slips[i].found == found->kind)
      return slips[i].hint;
  return NULL;
}

const struct token *parse_expect(struct parser *parser, enum token_kind kind) {
  const struct token *token = parse_peek(parser, 0);
  if (token->kind != kind)
    parse_fail(parser, token->place, parse_slip(kind, token), "expected %s, found %s", lex_describe(kind),
               parse_found(parser, token));
  return parse_take(parser);
}

static bool parse_is_keyword(enum token_kind kind) {
  return kind >= TOKEN_FN && kind <= TOKEN_FALSE;
}

bool parse_is_label(const struct token *token) {
  return token->kind == TOKEN_NAME || parse_is_keyword(token->kind);
}

struct syntax_name parse_label(struct parser *parser, const char *what) {
  const struct token *token = parse_peek(parser, 0);
  if (!parse_is_label(token))
    parse_fail(parser, token->place, NULL, "expected %s, found %s", what, parse_found(parser, token));
  parse_take(parser);
  return (struct syntax_name){token->name, token->place};
}

struct syntax_name parse_name(struct parser *parser, const char *what) {
  const struct token *token = parse_peek(parser, 0);
  if (parse_is_keyword(token->kind) && token->kind != TOKEN_TYPE)
    parse_fail(parser, token->place, NULL, "expected %s, found the keyword '%s'", what, token->name);
  return parse_label(parser, what);
}

/* A string that holds a line break often ends at what was meant to open another. */
static const char *parse_string_hint(const struct parser *parser) {
  const struct token *token = parser->at ? &parser->tokens[parser->at - 1] : parser->tokens;
  const char *text = parser->diag->source->text + token->place.offset;
  bool is_string = token->kind >= TOKEN_STRING && token->kind <= TOKEN_STRING_TAIL;
  if (!is_string || !memchr(text, '\n', token->place.length))
    return NULL;
  unsigned line, column;
  source_position(parser->diag->source, token->place, &line, &column);
  return arena_printf(parser->arena, "the string that begins at %u:%u ends just before", line, column);
}

void parse_fail(struct parser *parser, struct place place, const char *hint, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const char *text = arena_vprintf(parser->arena, format, arguments);
  va_end(arguments);
  if (!parse_is(parser, TOKEN_ERROR))
    *diag_error(parser->diag, place, "%s", text) = hint ? hint : parse_string_hint(parser);
  longjmp(*parser->recover, 1);
}

struct place parse_place_from(const struct parser *parser, const struct token *first) {
  const struct token *last = parser->at ? &parser->tokens[parser->at - 1] : first;
  uint32_t end = last->place.offset + last->place.length;
  return (struct place){first->place.offset, end > first->place.offset ? end - first->place.offset : 1};
}

void parse_enter(struct parser *parser) {
  if (++parser->nesting > PARSE_NESTING_MAX)
    parse_fail(parser, parse_peek(parser, 0)->place, "give a part of it a name, or make it a function",
               "the program is nested more than %d deep here", PARSE_NESTING_MAX);
}

void parse_leave(struct parser *parser) {
  parser->nesting--;
}

void parse_expect_separator(struct parser *parser, const char *hint) {
  const struct token *token = parse_peek(parser, 0);
  if (parse_is_label(token))
    parse_fail(parser, token->place, hint, "expected ',', found %s", parse_found(parser, token));
}

/* ---- Statements and declarations --------------------------------------------------------------------------------- */

/* parameters = [ parameter { "," parameter } ] end    parameter = name [ ":" type ] */
void parse_parameters(struct parser *parser, struct syntax_function *function, enum token_kind end) {
  size_t capacity = 0;
  if (parse_accept(parser, end))
    return;
  do {
    struct syntax_parameter parameter = {.name = parse_name(parser, "the name of a parameter")};
    if (parse_accept(parser, TOKEN_COLON))
      parameter.type = parse_type(parser);
    ARENA_PUSH(parser->arena, function->parameters, function->count, capacity, parameter);
  } while (parse_accept(parser, TOKEN_COMMA));
  parse_expect_separator(parser, "a parameter's type follows ':', the next parameter ','");
  parse_expect(parser, end);
}

/* signature = name "(" parameters ")" [ "->" type ] */
static struct syntax_function *parse_signature(struct parser *parser) {
  struct syntax_function *function = arena_alloc(parser->arena, sizeof *function);
  function->name = parse_name(parser, "the name of a function");
  parse_expect(parser, TOKEN_LEFT_PAREN);
  parse_parameters(parser, function, TOKEN_RIGHT_PAREN);
  if (parse_accept(parser, TOKEN_ARROW))
    function->result = parse_type(parser);
  return function;
}

/* function = "fn" signature ( "=" expression | block ) */
static struct syntax_item parse_function(struct parser *parser) {
  struct syntax_item item = {.kind = SYNTAX_ITEM_FUNCTION};
  parse_expect(parser, TOKEN_FN);
  item.function = parse_signature(parser);
  item.name = item.function->name;
  if (!parse_is(parser, TOKEN_LEFT_BRACE))
    parse_expect(parser, TOKEN_ASSIGN);
  item.function->body = parse_expr(parser);
  return item;
}

/* extern = "extern" "fn" signature */
static struct syntax_item parse_extern(struct parser *parser) {
  struct syntax_item item = {.kind = SYNTAX_ITEM_EXTERN};
  parse_expect(parser, TOKEN_EXTERN);
  parse_expect(parser, TOKEN_FN);
  item.function = parse_signature(parser);
  item.name = item.function->name;
  return item;
}

/* let = "let" name [ ":" type ] "=" expression */
static struct syntax_item parse_let(struct parser *parser) {
  struct syntax_item item = {.kind = SYNTAX_ITEM_LET};
  parse_expect(parser, TOKEN_LET);
  item.name = parse_name(parser, "a name");
  if (parse_accept(parser, TOKEN_COLON))
    item.type = parse_type(parser);
  parse_expect(parser, TOKEN_ASSIGN);
  item.value = parse_expr(parser);
  return item;
}

static struct syntax_item parse_statement_expr(struct parser *parser) {
  struct syntax_item item = {.kind = SYNTAX_ITEM_EXPR, .value = parse_expr(parser)};
  if (parse_is(parser, TOKEN_ASSIGN) && item.value->kind == SYNTAX_NAME)
    parse_fail(parser, parse_peek(parser, 0)->place, "bind a new name with 'let'", "a binding cannot be changed");
  if (parse_is(parser, TOKEN_ASSIGN))
    parse_fail(parser, parse_peek(parser, 0)->place, "functions are declared with 'fn', names with 'let'",
               "expected a statement, found '='");
  return item;
}

/* item = function | let | declaration | extern | expression */
struct syntax_item parse_item(struct parser *parser, bool file_scope) {
  const struct token *first = parse_peek(parser, 0);
  enum token_kind next = parse_peek(parser, 1)->kind;
  bool declares_type = first->kind == TOKEN_TYPE && next == TOKEN_NAME;
  struct syntax_item item;
  if (!file_scope && (declares_type || first->kind == TOKEN_EXTERN))
    parse_fail(parser, first->place, "move it out of the function", "%s can only be declared at file scope",
               declares_type ? "a type" : "an extern function");
  if (first->kind == TOKEN_MUT)
    parse_fail(parser, first->place, "use 'let'",
               "'mut' is only for the state of effect handlers, which this compiler lacks");
  if (first->kind == TOKEN_FN && next != TOKEN_LEFT_PAREN)
    item = parse_function(parser);
  else if (first->kind == TOKEN_LET)
    item = parse_let(parser);
  else if (first->kind == TOKEN_EXTERN)
    item = parse_extern(parser);
  else if (declares_type)
    item = parse_type_declaration(parser);
  else
    item = parse_statement_expr(parser);
  item.place = parse_place_from(parser, first);
  return item;
}

/* ---- The file ---------------------------------------------------------------------------------------------------- */

static bool parse_starts_declaration(const struct parser *parser, size_t at) {
  const struct token *token = &parser->tokens[at];
  enum token_kind next = token->kind == TOKEN_END ? TOKEN_END : token[1].kind;
  if (!token->newline)
    return false;
  return token->kind == TOKEN_LET || token->kind == TOKEN_EXTERN || token->kind == TOKEN_END ||
         ((token->kind == TOKEN_FN || token->kind == TOKEN_TYPE) && next == TOKEN_NAME);
}

static bool parse_is_first_on_line(const struct parser *parser, const struct token *token) {
  return token->place.offset == 0 || parser->diag->source->text[token->place.offset - 1] == '\n';
}

/* How many braces the tokens in a range open, less those they close. */
static int parse_brace_balance(const struct parser *parser, size_t from, size_t to) {
  int balance = 0;
  for (size_t i = from; i < to; i++) {
    balance += parser->tokens[i].kind == TOKEN_LEFT_BRACE;
    balance -= parser->tokens[i].kind == TOKEN_RIGHT_BRACE;
  }
  return balance;
}

/* Goes on after an error in the declaration that began at `start`: at the next declaration outside its braces, or, where a
 * brace is missing, at the next function, type or extern that stands at the very start of a line. */
static void parse_synchronise(struct parser *parser, size_t start) {
  size_t error = parser->at;
  int balance = parse_brace_balance(parser, start, error);
  for (size_t i = error; i < parser->count; i++) {
    bool at_end = parser->tokens[i].kind == TOKEN_END;
    if (i > start && !at_end && balance <= 0 && parse_starts_declaration(parser, i)) {
      parser->at = i;
      return;
    }
    balance += parser->tokens[i].kind == TOKEN_LEFT_BRACE;
    balance -= parser->tokens[i].kind == TOKEN_RIGHT_BRACE;
  }
  for (size_t i = error > start ? error : start + 1; i < parser->count; i++) {
    const struct token *token = &parser->tokens[i];
    bool declares = parse_starts_declaration(parser, i) && token->kind != TOKEN_LET;
    if (token->kind == TOKEN_END || (declares && parse_is_first_on_line(parser, token))) {
      parser->at = i;
      return;
    }
  }
  parser->at = parser->count - 1;
}

/* One item, or false where it had an error. What a longjmp could leave undefined is not in this frame. */
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
  struct syntax_program program = {0};
  size_t capacity = 0;
  while (!parse_is(&parser, TOKEN_END)) {
    size_t start = parser.at;
    struct syntax_item item;
    parser.nesting = 0;
    if (!parse_try_item(&parser, &item)) {
      parse_synchronise(&parser, start);
      continue;
    }
    ARENA_PUSH(arena, program.items, program.count, capacity, item);
  }
  if (tokens.count == 1)
    diag_error(diag, tokens.tokens->place, "the program is empty");
  return program;
}
