#pragma once
/* What the parts of the checker share.
 *
 *   builtins.c        the names that a program begins with: builtins, their records, the types
 *   check_type.c      type expressions, type declarations
 *   check.c           file scope: declarations, the order of checking, generic functions and their instances
 *   check_name.c      names, scopes, captures, functions and lambdas
 *   check_expr.c      expressions and statements
 *   check_call.c      calls
 *   check_parts.c     arguments and fields by name or position
 *   check_intrinsic.c print, toString, input, sleep, range and what follows it
 *   check_record.c    records, variants, Results
 *   check_match.c     match
 *   check_operator.c  operators, whose types may only be known later
 *   finish.c          the last pass over a body: ground types, operators made plain, instances, tail calls
 *
 * While a body is checked its tree has types with variables in it: `ast_expr.type` then points to a type that unification
 * may still change. finish.c replaces each by its ground type.
 */
#include "arena.h"
#include "ast.h"
#include "check.h"
#include "diag.h"
#include "infer.h"
#include "map.h"
#include "syntax.h"

/* A function at file scope. */
struct check_function {
  struct ast_function
      shell; /* what calls point to until finish.c finds the instance that they mean: the first member, so
                                that one leads to the other */
  const struct syntax_function *syntax;
  struct symbol *symbol;
  struct type *type; /* its scheme, once it was checked */
  bool annotated;    /* every type is written */
  bool generic;
  bool failed;               /* an error was found in it: it is neither finished nor instantiated */
  bool assumed;              /* an operator in it was taken to be on ints, as nothing else said what it is on */
  struct ast_function *code; /* its body, if it is not generic */
  struct check_instance *instances;
};

/* The code of a function for one ground type. */
struct check_instance {
  const struct type *type;
  struct check_function *function;
  struct ast_function *code;
  struct place place; /* where it was first used */
  struct check_instance *next;
};

enum intrinsic {
  INTRINSIC_PRINT,
  INTRINSIC_TO_STRING,
  INTRINSIC_INPUT,
  INTRINSIC_SLEEP,
  INTRINSIC_RANGE,
  INTRINSIC_FOR_EACH,
  INTRINSIC_MAP,
  INTRINSIC_FILTER,
  INTRINSIC_FOLD
};

enum symbol_kind {
  SYMBOL_FUNCTION,    /* function */
  SYMBOL_EXTERN,      /* external */
  SYMBOL_BUILTIN,     /* a WebSocket builtin */
  SYMBOL_INTRINSIC,   /* intrinsic: print, range, … */
  SYMBOL_GLOBAL,      /* variable */
  SYMBOL_CONSTRUCTOR, /* constructor */
  SYMBOL_SUCCESS,     /* the constructors of Result */
  SYMBOL_ERROR,
};

/* What a name at file scope means. */
struct symbol {
  enum symbol_kind kind;
  const char *name;
  bool built_in;
  struct place place;
  size_t item;            /* of a function or global: which item at file scope declares it */
  struct type *type;      /* of a function, extern, builtin or global; may be a scheme */
  size_t parameter_count; /* of what can be called */
  const char **parameters;
  struct check_function *function;
  struct ast_extern *external;
  bool external_used;
  enum intrinsic intrinsic;
  struct ast_variable *variable;
  const struct type_constructor *constructor;
};

/* A type's name. */
struct type_symbol {
  const char *name;
  struct type *type;
  bool built_in;
  bool resolving;                 /* an alias that is being looked up: seeing it again is a cycle */
  const struct syntax_item *item; /* an alias or declaration that is not resolved yet, or NULL */
  struct place place;
};

struct frame;

/* A name in a block. */
struct local {
  const char *name;
  struct frame *frame;
  struct ast_variable *variable;
  struct ast_function *self; /* instead of a variable: the nested function whose body we are in */
  struct type *self_type;
  const struct syntax_function *known; /* the nested function or lambda it is bound to: its arguments have names */
  struct ast_function *code;
  struct local *next;   /* outwards, in the same function */
  struct local *hidden; /* what the name meant before, in this function or one around it */
};

/* A function whose body is being checked. */
struct frame {
  struct ast_function *function;
  struct frame *outer;
  struct local *locals;
  size_t variable_capacity;
  size_t capture_capacity;
};

/* An operator whose operands' types were not known when it was checked. */
struct pending {
  struct ast_expr *expr;
  enum syntax_operator op;
  struct place place;
};

struct checker {
  struct arena *arena;
  struct diag *diag;
  const struct check_options *options;
  struct infer infer;
  struct map locals;       /* of struct local: what each name means in the scope that is open, if it is local */
  struct map values;       /* of struct symbol */
  struct map type_names;   /* of struct type_symbol */
  struct map symbols_made; /* the symbols that functions have got, so that none is given twice */
  struct frame *frame;
  size_t pending_count;
  size_t pending_capacity;
  struct pending *pending;
  size_t assumed_count;    /* how many of them were taken to be on ints */
  size_t comparison_count; /* those whose operands' types were not known when they were checked */
  size_t comparison_capacity;
  struct ast_expr **comparisons;
  struct check_uses *uses;               /* of the item at file scope that is being checked */
  const struct check_instance *instance; /* the one whose body is being checked, or NULL */
  size_t queue_count;                    /* all instances of generic functions, in the order of their first use */
  size_t queue_capacity;
  struct check_instance **queue;
  struct ast_program *program;
  size_t function_capacity;
  size_t extern_capacity;
  size_t global_capacity;
};

/* The functions and globals that an item at file scope mentions. */
struct check_uses {
  size_t count;
  size_t capacity;
  struct symbol **symbols;
};

/* What an expression is wanted for. */
struct want {
  struct type *type;
  const char *what; /* names it in a message: "argument 'message' of 'websocketSend'" */
  const char *hint; /* why it is an int, if that was assumed; or NULL */
};

/* ---- builtins.c -------------------------------------------------------------------------------------------------- */

void check_declare_builtins(struct checker *checker);

/* The name of the WebSocket builtin that an extern function would reach: by its alias or its C symbol. NULL if none. */
const char *builtin_behind(const char *extern_name);

/* ---- check_type.c ------------------------------------------------------------------------------------------------ */

struct type *check_type(struct checker *checker, const struct syntax_type *syntax);
void check_declare_type(struct checker *checker, const struct syntax_item *item);
void check_define_type(struct checker *checker, const struct syntax_item *item);

/* ---- check.c ----------------------------------------------------------------------------------------------------- */

struct symbol *check_new_symbol(struct checker *checker, enum symbol_kind kind, const char *name, struct place place);

/* "already declared" and where, for a message. */
const char *check_declared_at(struct checker *checker, struct place place);

/* Enters a symbol, or reports that its name is taken. */
bool check_declare(struct checker *checker, struct symbol *symbol);

/* The code of a function for one ground type. */
struct ast_function *check_instantiate(struct checker *checker, struct check_function *function,
                                       const struct type *type, struct place place);

/* ---- check_name.c ------------------------------------------------------------------------------------------------ */

struct ast_expr *check_new(struct checker *checker, enum ast_kind kind, struct type *type, struct place place);
struct ast_variable *check_new_variable(struct checker *checker, enum ast_variable_kind kind, const char *name,
                                        struct type *type, struct place place);
struct local *check_bind(struct checker *checker, struct ast_variable *variable);

/* Ends a scope: forgets the names of this function that were bound since `outer` was the last. */
void check_unbind(struct checker *checker, struct local *outer);
struct local *check_find_local(struct checker *checker, const char *name);
struct ast_expr *check_local(struct checker *checker, const struct local *local, struct place place);

/* What a name means at file scope, or NULL. That the item being checked mentions it is noted. */
struct symbol *check_find(struct checker *checker, const char *name);
struct ast_expr *check_name(struct checker *checker, const char *name, struct place place, const struct want *want);

/* Reports a name that means nothing here, and suggests one that does. */
void check_unknown_name(struct checker *checker, const char *name, struct place place);

/* A call or value of a function at file scope: its type, fresh where it is generic. */
struct type *check_use_function(struct checker *checker, struct symbol *symbol);

/* Checks a body in a frame of its own, for a function type. Where the function has an environment the names around it are
 * known in it, and `self_name` (or NULL) is its own name there. */
void check_function_body(struct checker *checker, struct ast_function *function, const struct syntax_function *syntax,
                         struct type *type, const char *symbol, bool has_environment, const char *self_name);
struct ast_expr *check_lambda(struct checker *checker, const struct syntax_expr *syntax, const struct want *want);
struct type *check_signature(struct checker *checker, const struct syntax_function *syntax);
void check_nested_function(struct checker *checker, const struct syntax_item *item, struct ast_statement *statement);
const char *check_unique_symbol(struct checker *checker, const char *wish);

/* ---- check_expr.c ------------------------------------------------------------------------------------------------ */

/* Checks an expression. With a want its type is made the wanted one, or the difference reported. */
struct ast_expr *check_expr(struct checker *checker, const struct syntax_expr *syntax, const struct want *want);

/* The same where the value is dropped: a match's arms and an if's sides may have any types. */
struct ast_expr *check_dropped(struct checker *checker, const struct syntax_expr *syntax);
struct ast_expr *check_dropped_arm(struct checker *checker, const struct syntax_expr *syntax);
void check_statement(struct checker *checker, const struct syntax_item *item, struct ast_statement *statement);

/* Makes a checked expression's type the wanted one, or reports the difference. */
struct ast_expr *check_meet(struct checker *checker, struct ast_expr *expr, const struct want *want);

struct type *check_type_of(const struct ast_expr *expr);
const char *check_show(struct checker *checker, const struct type *type);

/* An expression to go on with after an error: it fits everywhere. */
struct ast_expr *check_wrong(struct checker *checker, struct place place);

/* ---- check_call.c ------------------------------------------------------------------------------------------------ */

struct ast_expr *check_call(struct checker *checker, const struct syntax_expr *syntax, const struct want *want);
const char *call_quote(struct checker *checker, const char *name);

/* ---- check_parts.c ----------------------------------------------------------------------------------------------- */

/* What is called or built: how it is named in messages, and the names of its parts. */
struct parts {
  const char *owner; /* "'websocketSend'" */
  const char *part;  /* "argument" or "field" */
  size_t count;
  const char **names; /* NULL where they are not known */
};

/* The arguments in the order of the declaration, or NULL after an error. */
const struct syntax_expr **parts_order(struct checker *checker, const struct parts *parts,
                                       const struct syntax_argument *arguments, size_t count, struct place place);

/* The same for some parts, all by name: those that are not given are NULL, as they were. */
void parts_order_named(struct checker *checker, const struct parts *parts, const struct syntax_argument *arguments,
                       size_t count, const struct syntax_expr **ordered);

/* After an error in the arguments: their own errors are still of interest. */
struct ast_expr *parts_check_anyway(struct checker *checker, const struct syntax_argument *arguments, size_t count,
                                    struct place place);

/* A part's name for a message. */
const char *part_name(struct checker *checker, const struct parts *parts, size_t i);

/* The position of a name among the parts; their count if it is none. */
size_t parts_find(const struct parts *parts, const char *name);
void parts_unknown(struct checker *checker, const struct parts *parts, struct syntax_name name);

/* ---- check_intrinsic.c ------------------------------------------------------------------------------------------- */

struct ast_expr *check_intrinsic(struct checker *checker, const struct syntax_expr *syntax,
                                 const struct symbol *symbol);

/* ---- check_record.c ---------------------------------------------------------------------------------------------- */

/* Constructors called like functions. */
struct ast_expr *check_constructor(struct checker *checker, const struct syntax_expr *syntax,
                                   const struct symbol *symbol);
struct ast_expr *check_result_constructor(struct checker *checker, const struct syntax_expr *syntax,
                                          const struct symbol *symbol, const struct want *want);

/* Name { field: value }, record { field: value }. */
struct ast_expr *check_record(struct checker *checker, const struct syntax_expr *syntax, const struct want *want);

/* record.field */
struct ast_expr *check_field(struct checker *checker, const struct syntax_expr *syntax, const struct want *want);

/* ---- check_match.c ----------------------------------------------------------------------------------------------- */

struct ast_expr *check_match(struct checker *checker, const struct syntax_expr *syntax, const struct want *want,
                             bool dropped);

/* ---- check_operator.c -------------------------------------------------------------------------------------------- */

struct ast_expr *check_unary(struct checker *checker, const struct syntax_expr *syntax, const struct want *want);
struct ast_expr *check_binary(struct checker *checker, const struct syntax_expr *syntax, const struct want *want);

/* Gives every operator that waits its type: by its operands, or int. */
void check_settle(struct checker *checker);

/* The same for those that a type depends on, if it is not known. Returns what it is then. */
struct type *check_force(struct checker *checker, struct type *type);

/* Makes the operands of comparisons ints where nothing at all says what they are, and no function is generic in them. */
void check_settle_comparisons(struct checker *checker);

/* ---- finish.c ---------------------------------------------------------------------------------------------------- */

/* Makes a checked function (and the ones nested in it) what ast.h promises, and adds it to the program. */
void finish_function(struct checker *checker, struct ast_function *function);
