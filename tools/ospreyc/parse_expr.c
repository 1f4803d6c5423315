/* The expressions of the grammar, from the loosest operator to the tightest. */
#include "parser.h"

#include <string.h>

static struct syntax_expr *parse_new(struct parser *parser, enum syntax_kind kind, struct place place) {
  struct syntax_expr *expr = arena_alloc(parser->arena, sizeof *expr);
  expr->kind = kind;
  expr->height = 1;
  expr->place = place;
  return expr;
}

/* Puts a child below a node: the node grows. */
static struct syntax_expr *parse_child(struct parser *parser, struct syntax_expr *node, struct syntax_expr *child) {
  if (node->height <= child->height)
    node->height = child->height + 1;
  if (node->height > PARSE_HEIGHT_MAX)
    parse_fail(parser, child->place, "give a part of it a name", "the expression is longer than %d operators",
               PARSE_HEIGHT_MAX);
  return child;
}

static struct place parse_join(struct place from, struct place to) {
  return (struct place){from.offset, to.offset + to.length - from.offset};
}

static struct syntax_expr *parse_name_expr(struct parser *parser) {
  struct syntax_name name = parse_label(parser, "a name");
  struct syntax_expr *expr = parse_new(parser, SYNTAX_NAME, name.place);
  expr->name = name.text;
  return expr;
}

/* ---- Primary expressions ----------------------------------------------------------------------------------------- */

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
      parse_fail(parser, token->place, NULL, "expected '}' to end the '${', found %s", parse_found(parser, token));
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
struct syntax_expr *parse_block(struct parser *parser) {
  const struct token *first = parse_expect(parser, TOKEN_LEFT_BRACE);
  struct syntax_expr *expr = parse_new(parser, SYNTAX_BLOCK, first->place);
  size_t capacity = 0;
  parse_enter(parser);
  if (parse_is_label(parse_peek(parser, 0)) && parse_peek(parser, 1)->kind == TOKEN_COLON)
    parse_fail(parser, parse_peek(parser, 1)->place, "a record begins with the name of its type: Name { … }",
               "expected a statement, found ':'");
  while (!parse_is(parser, TOKEN_RIGHT_BRACE) && !parse_is(parser, TOKEN_END)) {
    struct syntax_item item = parse_item(parser, false);
    parse_child(parser, expr, item.value ? item.value : item.function->body);
    ARENA_PUSH(parser->arena, expr->block.items, expr->block.count, capacity, item);
  }
  if (parse_is(parser, TOKEN_END))
    parse_fail(parser, first->place, NULL, "the '{' is not closed");
  parse_accept(parser, TOKEN_RIGHT_BRACE);
  parse_leave(parser);
  expr->place = parse_place_from(parser, first);
  return expr;
}

/* match = "match" expression "{" arm { arm } "}"    arm = pattern "=>" expression */
static struct syntax_expr *parse_match(struct parser *parser) {
  const struct token *first = parse_expect(parser, TOKEN_MATCH);
  struct syntax_expr *expr = parse_new(parser, SYNTAX_MATCH, first->place);
  size_t capacity = 0;
  parse_enter(parser);
  expr->match.subject = parse_child(parser, expr, parse_expr(parser));
  const struct token *brace = parse_expect(parser, TOKEN_LEFT_BRACE);
  while (!parse_is(parser, TOKEN_RIGHT_BRACE) && !parse_is(parser, TOKEN_END)) {
    struct syntax_arm arm = {.pattern = parse_pattern(parser)};
    parse_expect(parser, TOKEN_FAT_ARROW);
    arm.body = parse_child(parser, expr, parse_expr(parser));
    ARENA_PUSH(parser->arena, expr->match.arms, expr->match.count, capacity, arm);
    if (parse_is(parser, TOKEN_COMMA))
      parse_fail(parser, parse_peek(parser, 0)->place, NULL, "the arms of a match need nothing between them");
  }
  if (parse_is(parser, TOKEN_END))
    parse_fail(parser, brace->place, NULL, "the '{' is not closed");
  parse_accept(parser, TOKEN_RIGHT_BRACE);
  if (!expr->match.count)
    parse_fail(parser, first->place, NULL, "a match needs at least one arm");
  parse_leave(parser);
  return expr;
}

/* if = "if" expression block "else" ( block | if ) */
static struct syntax_expr *parse_if(struct parser *parser) {
  const struct token *first = parse_expect(parser, TOKEN_IF);
  struct syntax_expr *expr = parse_new(parser, SYNTAX_IF, first->place);
  parse_enter(parser);
  expr->branch.condition = parse_child(parser, expr, parse_expr(parser));
  expr->branch.then = parse_child(parser, expr, parse_block(parser));
  if (!parse_accept(parser, TOKEN_ELSE))
    parse_fail(parser, first->place, "'if' is an expression: both sides need a value", "this 'if' has no 'else'");
  bool chained = parse_is(parser, TOKEN_IF);
  expr->branch.otherwise = parse_child(parser, expr, chained ? parse_if(parser) : parse_block(parser));
  parse_leave(parser);
  return expr;
}

/* lambda = "fn" "(" parameters ")" [ "->" type ] "=>" expression | "|" parameter { "," parameter } "|" "=>" expression */
static struct syntax_expr *parse_lambda(struct parser *parser) {
  const struct token *first = parse_peek(parser, 0);
  struct syntax_expr *expr = parse_new(parser, SYNTAX_LAMBDA, first->place);
  struct syntax_function *function = arena_alloc(parser->arena, sizeof *function);
  parse_enter(parser);
  function->name.place = first->place;
  if (parse_accept(parser, TOKEN_FN)) {
    if (parse_is(parser, TOKEN_NAME))
      parse_fail(parser, first->place, "declare it in a block, or leave out the name",
                 "a function with a name is a declaration, not an expression");
    parse_expect(parser, TOKEN_LEFT_PAREN);
    parse_parameters(parser, function, TOKEN_RIGHT_PAREN);
    if (parse_accept(parser, TOKEN_ARROW))
      function->result = parse_type(parser);
  } else {
    parse_expect(parser, TOKEN_BAR);
    if (parse_is(parser, TOKEN_BAR))
      parse_fail(parser, first->place, "write 'fn() => …'", "a '|' lambda needs a parameter");
    parse_parameters(parser, function, TOKEN_BAR);
  }
  parse_expect(parser, TOKEN_FAT_ARROW);
  function->body = parse_child(parser, expr, parse_expr(parser));
  expr->function = function;
  parse_leave(parser);
  return expr;
}

static struct syntax_expr *parse_parenthesised(struct parser *parser) {
  parse_expect(parser, TOKEN_LEFT_PAREN);
  parse_enter(parser);
  if (parse_is(parser, TOKEN_RIGHT_PAREN))
    parse_fail(parser, parse_peek(parser, 0)->place, "the value of Unit is '{}'", "expected an expression, found ')'");
  struct syntax_expr *expr = parse_expr(parser);
  parse_expect(parser, TOKEN_RIGHT_PAREN);
  parse_leave(parser);
  return expr;
}

/* primary = INT | FLOAT | string | "true" | "false" | name | "(" expression ")" | block | match | if | lambda */
static struct syntax_expr *parse_primary(struct parser *parser) {
  const struct token *token = parse_peek(parser, 0);
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
    return parse_name_expr(parser);
  case TOKEN_LEFT_PAREN:
    return parse_parenthesised(parser);
  case TOKEN_LEFT_BRACE:
    return parse_block(parser);
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
    parse_fail(parser, token->place, NULL, "expected an expression, found %s", parse_found(parser, token));
  }
}

/* ---- Calls, fields, records -------------------------------------------------------------------------------------- */

/* arguments = "(" [ argument { "," argument } ] ")"    argument = [ label ":" ] expression */
static void parse_arguments(struct parser *parser, struct syntax_expr *expr) {
  size_t capacity = 0;
  parse_expect(parser, TOKEN_LEFT_PAREN);
  parse_enter(parser);
  while (!parse_is(parser, TOKEN_RIGHT_PAREN)) {
    struct syntax_argument argument = {0};
    if (parse_is_label(parse_peek(parser, 0)) && parse_peek(parser, 1)->kind == TOKEN_COLON) {
      argument.name = parse_label(parser, "the name of an argument");
      parse_expect(parser, TOKEN_COLON);
    }
    argument.value = parse_child(parser, expr, parse_expr(parser));
    ARENA_PUSH(parser->arena, expr->call.arguments, expr->call.count, capacity, argument);
    if (!parse_accept(parser, TOKEN_COMMA))
      break;
  }
  parse_expect(parser, TOKEN_RIGHT_PAREN);
  parse_leave(parser);
}

static struct syntax_expr *parse_call(struct parser *parser, struct syntax_expr *callee) {
  struct syntax_expr *expr = parse_new(parser, SYNTAX_CALL, callee->place);
  expr->call.callee = parse_child(parser, expr, callee);
  parse_arguments(parser, expr);
  return expr;
}

static struct syntax_expr *parse_field_access(struct parser *parser, struct syntax_expr *record) {
  struct syntax_expr *expr = parse_new(parser, SYNTAX_FIELD, record->place);
  parse_expect(parser, TOKEN_DOT);
  if (parse_peek(parser, 0)->newline && !parse_is(parser, TOKEN_NAME))
    parse_expect(parser, TOKEN_NAME);
  expr->field.record = parse_child(parser, expr, record);
  expr->field.name = parse_label(parser, "the name of a field");
  expr->place = parse_join(record->place, expr->field.name.place);
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
  parse_expect(parser, TOKEN_RIGHT_BRACE);
  parse_leave(parser);
  return expr;
}

static bool parse_at_record(const struct parser *parser) {
  return parse_is(parser, TOKEN_LEFT_BRACE) && parse_is_label(parse_peek(parser, 1)) &&
         parse_peek(parser, 2)->kind == TOKEN_COLON;
}

/* postfix = primary { arguments | "." label | initialisers }
 * A "(" that begins a line begins an expression. */
static struct syntax_expr *parse_postfix(struct parser *parser) {
  struct syntax_expr *expr = parse_primary(parser);
  for (;;) {
    if (parse_is(parser, TOKEN_LEFT_PAREN) && !parse_peek(parser, 0)->newline)
      expr = parse_call(parser, expr);
    else if (parse_is(parser, TOKEN_DOT))
      expr = parse_field_access(parser, expr);
    else if (parse_at_record(parser))
      expr = parse_record(parser, expr);
    else
      return expr;
  }
}

/* ---- Operators --------------------------------------------------------------------------------------------------- */

/* `value |> stage` is a call of the stage with the value before its own arguments. */
static struct syntax_expr *parse_pipe_into(struct parser *parser, struct syntax_expr *value,
                                           struct syntax_expr *stage) {
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
  return expr;
}

/* pipe = postfix { "|>" postfix } */
static struct syntax_expr *parse_pipe(struct parser *parser) {
  struct syntax_expr *expr = parse_postfix(parser);
  while (parse_accept(parser, TOKEN_PIPE))
    expr = parse_pipe_into(parser, expr, parse_postfix(parser));
  return expr;
}

/* The integer 2^63 exists only with its minus sign. */
static bool parse_at_smallest_integer(const struct parser *parser) {
  const struct token *token = parse_peek(parser, 0);
  return token->kind == TOKEN_INT && token->integer > INT64_MAX;
}

static void parse_negate_literal(struct syntax_expr *expr, struct place minus) {
  if (expr->kind == SYNTAX_INT)
    expr->integer = 0 - expr->integer;
  else
    expr->real = -expr->real;
  expr->place = parse_join(minus, expr->place);
}

/* Whether a minus makes a negative literal of an operand: of a number, but not of a negative one. */
static bool parse_is_plain_number(const struct syntax_expr *operand) {
  return operand->kind == SYNTAX_FLOAT || (operand->kind == SYNTAX_INT && (int64_t)operand->integer >= 0);
}

/* unary = ( "!" | "-" | "+" ) unary | pipe
 * A minus before a number makes a negative literal. */
static struct syntax_expr *parse_unary(struct parser *parser) {
  const struct token *token = parse_peek(parser, 0);
  if (token->kind != TOKEN_NOT && token->kind != TOKEN_MINUS && token->kind != TOKEN_PLUS)
    return parse_pipe(parser);
  parse_accept(parser, token->kind);
  parse_enter(parser);
  bool smallest = token->kind == TOKEN_MINUS && parse_at_smallest_integer(parser);
  struct syntax_expr *operand = smallest ? parse_literal(parser) : parse_unary(parser);
  parse_leave(parser);
  if (smallest || (token->kind == TOKEN_MINUS && parse_is_plain_number(operand))) {
    parse_negate_literal(operand, token->place);
    return operand;
  }
  struct syntax_expr *expr = parse_new(parser, SYNTAX_UNARY, parse_join(token->place, operand->place));
  expr->binary.op = token->kind == TOKEN_NOT ? SYNTAX_NOT : token->kind == TOKEN_MINUS ? SYNTAX_NEGATE : SYNTAX_PLUS;
  expr->binary.place = token->place;
  expr->binary.left = parse_child(parser, expr, operand);
  return expr;
}

struct parse_operator {
  enum token_kind token;
  unsigned level; /* the higher, the tighter */
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

/* Whether a minus begins the pattern of the next arm (`-1 => …`) rather than going on with this one. */
static bool parse_at_negative_pattern(const struct parser *parser) {
  return parse_is(parser, TOKEN_MINUS) && parse_peek(parser, 1)->kind == TOKEN_INT &&
         parse_peek(parser, 2)->kind == TOKEN_FAT_ARROW;
}

static const struct parse_operator *parse_find_operator(const struct parser *parser, unsigned level) {
  for (size_t i = 0; i < sizeof parse_operators / sizeof *parse_operators; i++)
    if (parse_is(parser, parse_operators[i].token))
      return parse_operators[i].level == level && !parse_at_negative_pattern(parser) ? &parse_operators[i] : NULL;
  return NULL;
}

/* or = and { "||" and }    and = comparison { "&&" comparison }    comparison = sum { ( "==" | "!=" | … ) sum }
 * sum = product { ( "+" | "-" ) product }    product = unary { ( "*" | "/" | "%" ) unary } */
static struct syntax_expr *parse_binary(struct parser *parser, unsigned level) {
  bool tightest = level == PARSE_LEVEL_MULTIPLICATIVE;
  struct syntax_expr *left = tightest ? parse_unary(parser) : parse_binary(parser, level + 1);
  const struct parse_operator *op;
  while ((op = parse_find_operator(parser, level))) {
    struct place place = parse_peek(parser, 0)->place;
    parse_accept(parser, op->token);
    struct syntax_expr *right = tightest ? parse_unary(parser) : parse_binary(parser, level + 1);
    struct syntax_expr *expr = parse_new(parser, SYNTAX_BINARY, parse_join(left->place, right->place));
    expr->binary.op = op->op;
    expr->binary.place = place;
    expr->binary.left = parse_child(parser, expr, left);
    expr->binary.right = parse_child(parser, expr, right);
    left = expr;
  }
  return left;
}

static struct syntax_expr *parse_elvis(struct parser *parser, struct syntax_expr *left, struct place place) {
  struct syntax_expr *right = parse_expr(parser);
  struct syntax_expr *expr = parse_new(parser, SYNTAX_BINARY, parse_join(left->place, right->place));
  expr->binary.op = SYNTAX_ELVIS;
  expr->binary.place = place;
  expr->binary.left = parse_child(parser, expr, left);
  expr->binary.right = parse_child(parser, expr, right);
  return expr;
}

static struct syntax_expr *parse_ternary(struct parser *parser, struct syntax_expr *condition) {
  struct syntax_expr *expr = parse_new(parser, SYNTAX_IF, condition->place);
  expr->branch.condition = parse_child(parser, expr, condition);
  expr->branch.then = parse_child(parser, expr, parse_expr(parser));
  parse_expect(parser, TOKEN_COLON);
  expr->branch.otherwise = parse_child(parser, expr, parse_expr(parser));
  return expr;
}

/* expression = or [ "?" expression ":" expression | "?:" expression ] */
struct syntax_expr *parse_expr(struct parser *parser) {
  parse_enter(parser);
  struct syntax_expr *expr = parse_binary(parser, PARSE_LEVEL_OR);
  struct place place = parse_peek(parser, 0)->place;
  if (parse_accept(parser, TOKEN_ELVIS))
    expr = parse_elvis(parser, expr, place);
  else if (parse_accept(parser, TOKEN_QUESTION))
    expr = parse_ternary(parser, expr);
  parse_leave(parser);
  return expr;
}
