#pragma once
/* The checked tree, which the checker hands to lowering.
 *
 * Every expression has a ground type (type.h), every name is a pointer to its declaration, named arguments are in
 * declaration order, captures are listed, calls in tail position are marked, pipes are calls, and the spellings of
 * 2025 and 2026 are the same nodes. A generic function appears once for each set of types it is used with. A tree
 * exists only for a program without errors, so lowering checks nothing again and may assert these properties.
 *
 * Evaluation is strict, in the order of the children in a node unless a comment says otherwise. All nodes live in the
 * program's arena.
 */
#include "type.h"

struct LLVMOpaqueValue;
struct arena;
struct library_function;
struct ast_expr;
struct ast_function;

enum ast_variable_kind {
  AST_PARAMETER, /* of its function; index is its position */
  AST_LOCAL,     /* bound by `let`, a nested `fn` or a pattern; set once, before any use */
  AST_CAPTURED,  /* a copy in the cell of its function; index is its slot (0 is the first after the code pointer) */
  AST_GLOBAL, /* bound by `let` at file scope; set once by the program's init function, before any use; index counts */
};

struct ast_variable {
  enum ast_variable_kind kind;
  const char *name; /* "_" if the source gives none */
  const struct type *type;
  struct ast_function *owner; /* the function in whose frame or cell it lives; init for a global */
  unsigned index;
  struct place place;
  struct LLVMOpaqueValue *ir; /* lowering: its value, unless it is a global */
  bool is_read;               /* an expression names it */
  bool is_reported;           /* a Result that is used like its value: one error is enough */
  bool is_freed;              /* it is an argument of an extern that frees */
  bool borrowed;              /* lowering: whoever called its owner holds the reference */
};

/* A captured value: when the closure is made, `value` (an AST_VARIABLE of the enclosing function, or
 * its AST_SELF) is copied into the slot that `variable` (AST_CAPTURED) names inside the body. */
struct ast_capture {
  struct ast_variable *variable;
  struct ast_expr *value;
};

struct ast_function {
  const char *name;            /* as in the source; "lambda" for a lambda */
  const char *symbol;          /* unique in the program: `chat`, `identity<int>`, `chat.handler`, `chat.lambda.2` */
  struct ast_function *parent; /* the function it is nested in; NULL at file scope */
  bool has_environment;        /* a nested function or lambda; false at file scope */
  const struct type *type;     /* TYPE_FUNCTION */
  size_t parameter_count;
  struct ast_variable **parameters;
  size_t capture_count;
  struct ast_capture *captures;
  struct ast_expr *body; /* its type is the function's result type */
  size_t variable_count; /* the AST_LOCALs of all blocks in its body, without those of nested functions */
  struct ast_variable **variables;
  struct place place; /* of its name, or of the lambda */
  unsigned number;    /* lowering: its place in the program's list */
  bool cell_borrowed; /* lowering: its callers hold the reference to its cell */
};

/* `extern fn name(p: T) -> R`: a C symbol of that name. */
struct ast_extern {
  const char *name;
  const struct type *type; /* TYPE_FUNCTION */
  const char **parameter_names;
  const bool *is_c_int; /* of each parameter, then the result: a C `int`, which is an int in the program */
  bool frees;           /* it ends the life of its arguments, which are memory of C's: free, realloc */
  struct place place;
};

enum ast_kind {
  AST_UNIT,        /* the value of Unit; no fields */
  AST_INT,         /* integer */
  AST_FLOAT,       /* real */
  AST_BOOL,        /* truth */
  AST_STRING,      /* text: the bytes in memory (U+0000 is C0 80) */
  AST_INTERPOLATE, /* list: the items, converted as by AST_TO_STRING, joined */
  AST_VARIABLE,    /* variable: its value */
  AST_CLOSURE,     /* function: a function as a value; a constant cell without captures, else a new one */
  AST_SELF,        /* the cell of the running function: a nested function's name in its own body */
  AST_CALL,        /* call */
  AST_PRINT,       /* operand: int, float, bool, string, Unit or Result of these; writes it and a newline; Unit */
  AST_TO_STRING,   /* operand: the same types; the text */
  AST_INPUT,       /* a line of standard input without its newline, "" at the end; string */
  AST_SLEEP,       /* operand: int, milliseconds; Unit */
  AST_NOT,         /* operand: bool */
  AST_TO_FLOAT,    /* operand: int gives float; Result of int gives Result of float, with the same error */
  AST_NEGATE,      /* operand: float or a Result gives the same type; int gives Result of int ("integer overflow") */
  AST_ARITHMETIC,  /* binary with an arithmetic operator; see below */
  AST_CONCAT,      /* binary: two strings joined */
  AST_COMPARE,     /* binary: both operands int, float, string (bytewise), or bool (== and != only) */
  AST_AND,         /* binary: right is evaluated only if left is true */
  AST_OR,          /* binary: right is evaluated only if left is false */
  AST_IF,          /* branch: `if`, and `c ? a : b` */
  AST_ELVIS,       /* binary: left is a Result; its value on Success (right is not evaluated), else right */
  AST_BLOCK,       /* block */
  AST_MATCH,       /* match */
  AST_CONSTRUCT,   /* construct: a record or a variant of a union */
  AST_UPDATE,      /* update: a copy of a record with some fields replaced */
  AST_FIELD,       /* field: of a record */
  AST_SUCCESS,     /* operand: the value; a Result that is a Success */
  AST_ERROR,       /* operand: a string; a Result that is an Error */
  AST_LOOP,        /* loop: range, its maps and filters, and the forEach or fold at its end */
};

enum ast_operator {
  AST_ADD,
  AST_SUBTRACT,
  AST_MULTIPLY,
  AST_DIVIDE,
  AST_REMAINDER,
  AST_EQUAL,
  AST_NOT_EQUAL,
  AST_LESS,
  AST_GREATER,
  AST_LESS_EQUAL,
  AST_GREATER_EQUAL,
};

/* AST_ARITHMETIC. After AST_TO_FLOAT where it is needed, both operands are of one number type N, int or float, or a
 * Result of N. The node's type is
 *     Result of int    N is int, + - * or %       ("integer overflow"; "division by zero"; INT64_MIN % -1 is 0)
 *     Result of float  /, and % on floats         ("division by zero" if the divisor is zero, and no
 *                                                 other error. The operands of / are floats.)
 *     float            N is float, + - *, and no operand is a Result
 *     Result of float  the same, and an operand is a Result
 * Flattening: both operands are evaluated, left first; if the left is an Error, the node is that Error; otherwise, if
 * the right is an Error, the node is that one. An operand that is itself an AST_ARITHMETIC, AST_NEGATE or AST_TO_FLOAT
 * needs no Result block of its own.
 */
struct ast_binary {
  enum ast_operator op; /* of AST_ARITHMETIC and AST_COMPARE */
  struct ast_expr *left;
  struct ast_expr *right;
};

struct ast_text {
  const char *bytes; /* followed by a NUL */
  size_t length;
};

struct ast_list {
  size_t count;
  struct ast_expr **items;
};

enum ast_callee {
  AST_CALL_FUNCTION, /* `function`, at file scope: a direct call */
  AST_CALL_SELF,     /* `function` is the nested function being executed: a direct call with the same cell */
  AST_CALL_VALUE,    /* `value` is the cell (evaluated first); `function` is set if the callee is known */
  AST_CALL_BUILTIN,  /* a WebSocket builtin: `name` is its name (websocketSend) */
  AST_CALL_LIBRARY,  /* `library`, one of the language's own functions */
  AST_CALL_EXTERN,   /* `external` */
};

struct ast_call {
  enum ast_callee callee;
  struct ast_function *function;
  struct ast_expr *value;
  const char *name;
  const struct library_function *library;
  struct ast_extern *external;
  struct ast_list arguments; /* in the order of the declaration; evaluated in that order */
  bool tail;                 /* in tail position */
};

struct ast_branch {
  struct ast_expr *condition;
  struct ast_expr *then;
  struct ast_expr *otherwise;
};

/* A statement: evaluates `value`, and binds `variable` to it. If `variable` is NULL, drops the value. */
struct ast_statement {
  struct ast_variable *variable;
  struct ast_expr *value;
  struct place place;
};

struct ast_block {
  size_t count;
  struct ast_statement *statements;
  struct ast_expr *value; /* NULL: the block is Unit */
};

enum ast_pattern_kind {
  AST_PATTERN_ANY, /* matches all; binds the subject to `variable` unless that is NULL */
  AST_PATTERN_INT,
  AST_PATTERN_BOOL,
  AST_PATTERN_STRING,      /* by content */
  AST_PATTERN_CONSTRUCTOR, /* `constructor`; bindings[i] is bound to its field i unless NULL */
  AST_PATTERN_SUCCESS,     /* `variable` is bound to the value unless NULL */
  AST_PATTERN_ERROR,       /* `variable` (a string) is bound to the message unless NULL */
};

struct ast_arm {
  enum ast_pattern_kind kind;
  int64_t integer;
  bool truth;
  struct ast_text text;
  const struct type_constructor *constructor;
  struct ast_variable **bindings;
  struct ast_variable *variable;
  struct ast_expr *body; /* of the match's type */
  struct place place;
};

/* The arms are tried in order and one always matches: they are exhaustive. All have the match's type. (If a match or an
 * `if` is a statement, each arm is a Unit block whose one statement drops the arm's value.) */
struct ast_match {
  struct ast_expr *subject;
  size_t count;
  struct ast_arm *arms;
};

struct ast_construct {
  const struct type_constructor *constructor;
  struct ast_expr **values; /* one for each field, in the order of the declaration; evaluated in that order */
};

struct ast_update {
  struct ast_expr *record;
  struct ast_expr **values; /* one for each field; NULL for a field that keeps its value */
};

struct ast_field {
  struct ast_expr *record;
  unsigned index;
};

enum ast_stage_kind {
  AST_STAGE_MAP,    /* the element becomes function(element) */
  AST_STAGE_FILTER, /* the element is dropped unless function(element) is true */
};

struct ast_stage {
  enum ast_stage_kind kind;
  struct ast_expr *function; /* of function type; evaluated once, before the loop */
};

/* `range(start, end) |> stages |> forEach(f)` or `|> fold(initial, f)`. Start, end, the stages' functions, initial and
 * function are evaluated once, in this order; then each i with start <= i < end passes through the stages. forEach
 * calls function(element), drops the result, and is Unit; fold sets accumulator = function(accumulator, element), from
 * `initial`, and is the last accumulator. A function that is an AST_CLOSURE can be called directly. */
struct ast_loop {
  struct ast_expr *start;
  struct ast_expr *end;
  size_t stage_count;
  struct ast_stage *stages;
  struct ast_expr *initial; /* NULL for forEach */
  struct ast_expr *function;
};

struct ast_expr {
  enum ast_kind kind;
  const struct type *type;
  struct place place;
  union {
    int64_t integer;
    double real;
    bool truth;
    struct ast_text text;
    struct ast_list list;
    struct ast_variable *variable;
    struct ast_function *function;
    struct ast_call call;
    struct ast_expr *operand;
    struct ast_binary binary;
    struct ast_branch branch;
    struct ast_block block;
    struct ast_match match;
    struct ast_construct construct;
    struct ast_update update;
    struct ast_field field;
    struct ast_loop loop;
  };
};

struct ast_expr *ast_expr_new(struct arena *arena, enum ast_kind kind, const struct type *type, struct place place);

/* A program runs init, then main if there is one. */
struct ast_program {
  const struct source *source;
  size_t function_count;
  struct ast_function **functions; /* all, including instances, nested functions, lambdas, init and main */
  bool uses_json;                  /* calls one of the language's functions for JSON */
  size_t extern_count;
  struct ast_extern **externs; /* those that are used */
  size_t global_count;
  struct ast_variable **globals;
  struct ast_function *init; /* the statements at file scope, which set the globals; no parameters; Unit; never NULL */
  struct ast_function *main; /* no parameters; any result, which is dropped; NULL if there is none */
};
