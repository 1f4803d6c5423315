#pragma once
/* The parsed tree, before names are resolved and types are inferred.
 *
 * Pipes are calls, parentheses are gone, and an interpolated string is a list of parts. Names are interned (lex.h).
 * `height` bounds the depth of every recursion over it.
 */
#include "ast.h"
#include "map.h"

struct syntax_expr;

struct syntax_name {
  const char *text;
  struct place place;
};

/* `name`, `name<arguments>`, or, if `name.text` is NULL, `fn(arguments) -> result`. */
struct syntax_type {
  struct syntax_name name;
  size_t count;
  struct syntax_type **arguments;
  struct syntax_type *result;
  struct place place;
};

struct syntax_field {
  struct syntax_name name; /* of a positional field: NULL */
  struct syntax_type *type;
};

struct syntax_variant {
  struct syntax_name name;
  size_t count;
  struct syntax_field *fields;
};

enum syntax_kind {
  SYNTAX_INT,         /* integer */
  SYNTAX_FLOAT,       /* real */
  SYNTAX_BOOL,        /* truth */
  SYNTAX_STRING,      /* text */
  SYNTAX_INTERPOLATE, /* list, of SYNTAX_STRINGs and others */
  SYNTAX_NAME,        /* name */
  SYNTAX_CALL,        /* call */
  SYNTAX_FIELD,       /* field */
  SYNTAX_RECORD,      /* record: Name { field: value }, or an update if `base` is set */
  SYNTAX_UNARY,       /* unary */
  SYNTAX_BINARY,      /* binary: arithmetic, comparison, && || ?: */
  SYNTAX_IF,          /* branch: if and ?: */
  SYNTAX_BLOCK,       /* block */
  SYNTAX_MATCH,       /* match */
  SYNTAX_LAMBDA,      /* function */
  SYNTAX_CHECKED,     /* checked: made by the checker, for an operand that it has checked already */
};

struct syntax_list {
  size_t count;
  struct syntax_expr **items;
};

/* An argument, or a field's initialiser. The name of a positional argument is NULL. */
struct syntax_argument {
  struct syntax_name name;
  struct syntax_expr *value;
};

struct syntax_call {
  struct syntax_expr *callee;
  size_t count;
  struct syntax_argument *arguments;
};

struct syntax_record {
  struct syntax_name name;
  struct syntax_expr *base;
  size_t count;
  struct syntax_argument *fields;
};

struct syntax_parameter {
  struct syntax_name name;
  struct syntax_type *type; /* NULL: to be inferred */
};

/* A function, nested function, lambda, or extern (without a body). */
struct syntax_function {
  struct syntax_name name; /* a lambda's is NULL; its place is the lambda's first token */
  size_t count;
  struct syntax_parameter *parameters;
  struct syntax_type *result; /* NULL: to be inferred */
  struct syntax_expr *body;
};

enum syntax_pattern_kind {
  SYNTAX_PATTERN_NAME, /* a lower-case name, or _ */
  SYNTAX_PATTERN_INT,
  SYNTAX_PATTERN_BOOL,
  SYNTAX_PATTERN_STRING,
  SYNTAX_PATTERN_CONSTRUCTOR, /* Ctor, Ctor { a, b } (by name), Ctor(a, b) and Ctor a (by position) */
};

struct syntax_pattern {
  enum syntax_pattern_kind kind;
  struct syntax_name name; /* of the binding or the constructor */
  int64_t integer;
  bool truth;
  struct ast_text text;
  bool by_name;    /* { }: the bindings are names of fields */
  bool has_fields; /* any of { }, ( ) or a bare name */
  size_t count;
  struct syntax_name *bindings; /* "_" ignores */
  struct place place;
};

struct syntax_arm {
  struct syntax_pattern pattern;
  struct syntax_expr *body;
};

struct syntax_match {
  struct syntax_expr *subject;
  size_t count;
  struct syntax_arm *arms;
};

enum syntax_item_kind {
  SYNTAX_ITEM_EXPR,     /* value */
  SYNTAX_ITEM_LET,      /* name, type, value */
  SYNTAX_ITEM_FUNCTION, /* function */
  SYNTAX_ITEM_EXTERN,   /* function; file scope only */
  SYNTAX_ITEM_TYPE,     /* declaration; file scope only */
};

/* `type name = …`: an alias, a record (one nameless variant) or a union. */
struct syntax_declaration {
  struct syntax_type *alias;
  bool is_record;
  size_t count;
  struct syntax_variant *variants;
};

/* A declaration or a statement. */
struct syntax_item {
  enum syntax_item_kind kind;
  struct syntax_name name;
  struct place place;
  struct syntax_type *type;
  struct syntax_expr *value;
  struct syntax_function *function;
  struct syntax_declaration declaration;
};

struct syntax_block {
  size_t count;
  struct syntax_item *items;
};

enum syntax_operator {
  /* In the order of ast_operator. */
  SYNTAX_ADD,
  SYNTAX_SUBTRACT,
  SYNTAX_MULTIPLY,
  SYNTAX_DIVIDE,
  SYNTAX_REMAINDER,
  SYNTAX_EQUAL,
  SYNTAX_NOT_EQUAL,
  SYNTAX_LESS,
  SYNTAX_GREATER,
  SYNTAX_LESS_EQUAL,
  SYNTAX_GREATER_EQUAL,
  SYNTAX_AND,
  SYNTAX_OR,
  SYNTAX_ELVIS,
  SYNTAX_NOT,
  SYNTAX_PLUS,
  SYNTAX_NEGATE,
};

struct syntax_binary {
  enum syntax_operator op;
  struct place place;       /* of the operator */
  struct syntax_expr *left; /* the operand of a unary operator */
  struct syntax_expr *right;
};

struct syntax_branch {
  struct syntax_expr *condition;
  struct syntax_expr *then;
  struct syntax_expr *otherwise;
};

struct syntax_access {
  struct syntax_expr *record;
  struct syntax_name name;
};

struct syntax_expr {
  enum syntax_kind kind;
  unsigned height; /* of the tree below, 1 for a leaf */
  struct place place;
  union {
    uint64_t integer; /* 2^63 only below a minus sign, which the parser folds: as int64_t it is INT64_MIN */
    double real;
    bool truth;
    struct ast_text text;
    struct syntax_list list;
    const char *name;
    struct syntax_call call;
    struct syntax_access field;
    struct syntax_record record;
    struct syntax_binary binary;
    struct syntax_branch branch;
    struct syntax_block block;
    struct syntax_match match;
    struct syntax_function *function;
    struct ast_expr *checked;
  };
};

struct syntax_program {
  bool failed;        /* a part could not be parsed */
  struct map skipped; /* the names in what could not be parsed, which may declare them */
  size_t count;
  struct syntax_item *items;
};
