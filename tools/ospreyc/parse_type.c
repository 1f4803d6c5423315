/* Types, their declarations, and the patterns that take their values apart. */
#include "parser.h"

/* ---- Types ------------------------------------------------------------------------------------------------------- */

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
struct syntax_type *parse_type(struct parser *parser) {
  const struct token *first = parse_peek(parser, 0);
  struct syntax_type *type = arena_alloc(parser->arena, sizeof *type);
  parse_enter(parser);
  if (parse_accept(parser, TOKEN_FN)) {
    parse_expect(parser, TOKEN_LEFT_PAREN);
    parse_types(parser, type, TOKEN_RIGHT_PAREN);
    parse_expect(parser, TOKEN_ARROW);
    type->result = parse_type(parser);
  } else {
    if (!parse_is(parser, TOKEN_NAME))
      parse_fail(parser, first->place, NULL, "expected a type, found %s", parse_found(parser, first));
    type->name = parse_label(parser, "a type");
    if (parse_accept(parser, TOKEN_LESS))
      parse_types(parser, type, TOKEN_GREATER);
  }
  parse_leave(parser);
  type->place = parse_place_from(parser, first);
  return type;
}

/* fields = "{" field { "," field } [ "," ] "}"    field = label ":" type */
static void parse_fields(struct parser *parser, struct syntax_variant *variant) {
  size_t capacity = 0;
  parse_expect(parser, TOKEN_LEFT_BRACE);
  do {
    struct syntax_field field = {.name = parse_label(parser, "the name of a field")};
    parse_expect(parser, TOKEN_COLON);
    field.type = parse_type(parser);
    ARENA_PUSH(parser->arena, variant->fields, variant->count, capacity, field);
  } while (parse_accept(parser, TOKEN_COMMA) && !parse_is(parser, TOKEN_RIGHT_BRACE));
  parse_expect_separator(parser, "fields have a ',' between them");
  parse_expect(parser, TOKEN_RIGHT_BRACE);
}

/* slots = "(" type { "," type } ")" */
static void parse_slots(struct parser *parser, struct syntax_variant *variant) {
  size_t capacity = 0;
  parse_expect(parser, TOKEN_LEFT_PAREN);
  do {
    struct syntax_field field = {.type = parse_type(parser)};
    field.name.place = field.type->place;
    ARENA_PUSH(parser->arena, variant->fields, variant->count, capacity, field);
  } while (parse_accept(parser, TOKEN_COMMA));
  parse_expect(parser, TOKEN_RIGHT_PAREN);
}

static bool parse_is_upper(const char *name) {
  return *name >= 'A' && *name <= 'Z';
}

/* variant = Name [ fields | slots ] */
static struct syntax_variant parse_variant(struct parser *parser) {
  struct syntax_variant variant = {.name = parse_label(parser, "the name of a variant")};
  if (!parse_is_upper(variant.name.text))
    parse_fail(parser, variant.name.place, "in a pattern a lower-case name binds whatever is matched",
               "the name of a variant begins with an upper-case letter");
  if (parse_is(parser, TOKEN_LEFT_BRACE))
    parse_fields(parser, &variant);
  else if (parse_is(parser, TOKEN_LEFT_PAREN))
    parse_slots(parser, &variant);
  return variant;
}

/* Whether what follows `=` is a union rather than an alias: it has fields, or there are several variants. */
static bool parse_at_union(const struct parser *parser) {
  enum token_kind next = parse_peek(parser, 1)->kind;
  bool same_line = !parse_peek(parser, 1)->newline;
  if (parse_is(parser, TOKEN_BAR))
    return true;
  return parse_is(parser, TOKEN_NAME) &&
         (next == TOKEN_BAR || next == TOKEN_LEFT_BRACE || (next == TOKEN_LEFT_PAREN && same_line));
}

/* declaration = "type" Name "=" ( fields | [ "|" ] variant { "|" variant } | type ) */
struct syntax_item parse_type_declaration(struct parser *parser) {
  parse_expect(parser, TOKEN_TYPE);
  struct syntax_item item = {.kind = SYNTAX_ITEM_TYPE, .name = parse_label(parser, "the name of a type")};
  struct syntax_declaration *declaration = &item.declaration;
  size_t capacity = 0;
  if (!parse_is_upper(item.name.text))
    parse_fail(parser, item.name.place, NULL, "the name of a type begins with an upper-case letter");
  parse_expect(parser, TOKEN_ASSIGN);
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
  return item;
}

/* ---- Patterns ---------------------------------------------------------------------------------------------------- */

static struct syntax_name parse_binding(struct parser *parser) {
  return parse_name(parser, "a name or '_'");
}

/* bindings = [ name { "," name } ] end */
static void parse_bindings(struct parser *parser, struct syntax_pattern *pattern, enum token_kind end) {
  size_t capacity = 0;
  if (parse_accept(parser, end))
    return;
  do {
    const struct token *token = parse_peek(parser, 0);
    if (token->kind == TOKEN_NAME && parse_is_upper(token->name))
      parse_fail(parser, token->place, "bind the field, and match what it holds in a match of its own",
                 "patterns cannot be nested");
    struct syntax_name binding = pattern->by_name ? parse_label(parser, "the name of a field") : parse_binding(parser);
    ARENA_PUSH(parser->arena, pattern->bindings, pattern->count, capacity, binding);
    if (parse_is(parser, TOKEN_COLON))
      parse_fail(parser, parse_peek(parser, 0)->place, "name the field alone: it is bound under that name",
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
  } else if (next == TOKEN_NAME || next == TOKEN_TYPE) {
    size_t capacity = 0;
    struct syntax_name binding = parse_binding(parser);
    ARENA_PUSH(parser->arena, pattern->bindings, pattern->count, capacity, binding);
  } else {
    pattern->has_fields = false;
  }
}

/* A literal's value as the pattern's. */
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
struct syntax_pattern parse_pattern(struct parser *parser) {
  const struct token *first = parse_peek(parser, 0);
  struct syntax_pattern pattern = {0};
  switch (first->kind) {
  case TOKEN_NAME:
  case TOKEN_TYPE:
    pattern.name = parse_binding(parser);
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
    parse_fail(parser, first->place, "compare it with '=='", "a pattern cannot hold '${'");
  default:
    parse_fail(parser, first->place, NULL, "expected a pattern, found %s", parse_found(parser, first));
  }
  pattern.place = parse_place_from(parser, first);
  return pattern;
}
