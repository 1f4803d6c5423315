#pragma once
/* Names and scopes.
 *
 * `struct checker` is the state of checking one program. Names at file scope are symbols, in one map; names in blocks
 * are locals, in another, where each local hides the previous meaning of its name. A frame is a function whose body is
 * being checked. A local of an enclosing frame is captured: it becomes a slot in the closure of each function in
 * between.
 *
 * While a body is checked, types in its tree may contain variables that unification binds later. check_ground.c then
 * replaces each type by its ground type.
 */
#include "arena.h"
#include "ast.h"
#include "check.h"
#include "infer.h"
#include "library.h"
#include "map.h"

/* A function at file scope. */
struct check_function {
  struct ast_function placeholder; /* the first member; the callee in a tree until check_ground.c knows the instance */
  const struct syntax_function *syntax;
  struct symbol *symbol;
  struct type *type; /* may have generic variables, once the function is checked */
  bool annotated;    /* parameters and result all have types */
  bool generic;
  bool failed;               /* has an error: neither grounded nor instantiated */
  bool defaulted;            /* an operator in it defaulted to int */
  struct ast_function *code; /* its body, unless it is generic */
  struct check_instance *instances;
};

/* A function compiled for one ground type. */
struct check_instance {
  const struct type *type;
  struct check_function *function;
  struct ast_function *code;
  struct place place; /* of its first use */
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
  SYMBOL_LIBRARY,     /* library: one of the language's own functions, which the program may redeclare */
  SYMBOL_INTRINSIC,   /* intrinsic: print, range, … */
  SYMBOL_GLOBAL,      /* variable */
  SYMBOL_CONSTRUCTOR, /* constructor */
  SYMBOL_SUCCESS,     /* the constructors of Result */
  SYMBOL_ERROR,
};

/* A name at file scope. */
struct symbol {
  enum symbol_kind kind;
  const char *name;
  bool built_in;
  struct place place;
  size_t item;            /* of a function or global: the index of its declaration */
  struct type *type;      /* of a function, extern, builtin or global */
  size_t parameter_count; /* of a callable */
  const char **parameters;
  struct check_function *function;
  struct ast_extern *external;
  bool external_used;
  enum intrinsic intrinsic;
  const struct library_function *library;
  struct ast_variable *variable;
  const struct type_constructor *constructor;
};

/* The name of a type. */
struct type_symbol {
  const char *name;
  struct type *type; /* NULL: an alias that is not resolved yet */
  bool built_in;
  bool resolving; /* an alias being resolved: a second visit is a cycle */
  const struct syntax_item *item;
  struct place place;
};

/* A name in a block. */
struct local {
  const char *name;
  struct frame *frame;
  struct ast_variable *variable;
  struct ast_function *self; /* instead of a variable: the nested function whose body is being checked */
  struct type *self_type;
  const struct syntax_function *known; /* the nested function or lambda it is bound to: its arguments have names */
  struct ast_function *code;
  struct local *next;   /* outwards, in the same frame */
  struct local *hidden; /* the previous meaning of the name, in any frame */
};

struct frame {
  struct ast_function *function;
  struct frame *outer;
  struct local *locals;
  size_t variable_capacity;
  size_t capture_capacity;
};

/* An operator whose operand types were unknown when it was checked. */
struct pending {
  struct ast_expr *expr;
  enum syntax_operator op;
  struct place place;
};

/* The functions and globals that an item at file scope mentions. */
struct check_uses {
  size_t count;
  size_t capacity;
  struct symbol **symbols;
};

/* A block being checked, up to its item `at`. */
struct check_block {
  const struct syntax_block *syntax;
  size_t at;
  const struct check_block *outer;
};

struct checker {
  struct arena *arena;
  struct diag *diag;
  const struct check_options *options;
  const struct map *skipped; /* names that what could not be parsed may declare */
  struct infer infer;
  struct map locals;       /* of struct local, by name: those in scope */
  struct map values;       /* of struct symbol */
  struct map library;      /* of struct symbol: the language's own functions, which `values` hides */
  struct map type_names;   /* of struct type_symbol */
  struct map symbols_made; /* the symbols of ast_functions, with the latest number behind it; 1: none */
  struct frame *frame;
  size_t pending_count;
  size_t pending_capacity;
  struct pending *pending;
  size_t defaulted_count;  /* operators that defaulted to int so far */
  size_t comparison_count; /* comparisons whose operand types were unknown when they were checked */
  size_t comparison_capacity;
  struct ast_expr **comparisons;
  const struct syntax_function *before; /* the function before the indented item being checked, or NULL */
  const struct syntax_program *syntax;
  const struct check_block *block;       /* the innermost being checked, or NULL */
  struct check_uses *uses;               /* of the item at file scope being checked */
  const struct check_instance *instance; /* being checked, or NULL */
  bool printed;                          /* check_ground.c: print shows the value of the expression being grounded */
  size_t queue_count;                    /* the instances of generic functions, in the order of their first use */
  size_t queue_capacity;
  struct check_instance **queue;
  struct ast_program *program;
  size_t function_capacity;
  size_t extern_capacity;
  size_t global_capacity;
};

struct symbol *check_scope_symbol(struct checker *checker, enum symbol_kind kind, const char *name, struct place place);

/* Enters a symbol. Reports a name that is taken and returns false. */
bool check_scope_declare(struct checker *checker, struct symbol *symbol);

/* "already declared, at line …", for a message. */
const char *check_scope_declared_at(struct checker *checker, struct place place);

/* Looks up a name at file scope and notes that the current item uses it. Returns NULL if there is none. */
struct symbol *check_scope_find(struct checker *checker, const char *name);

/* The WebSocket builtin that an extern of this name would reach, by its alias or C symbol; or NULL. */
const char *check_scope_builtin_behind(const char *extern_name);

/* A variable of the current frame. */
struct ast_variable *check_scope_variable(struct checker *checker, enum ast_variable_kind kind, const char *name,
                                          struct type *type, struct place place);

/* Brings a name into scope. */
void check_scope_enter(struct checker *checker, struct local *local);
struct local *check_scope_bind(struct checker *checker, struct ast_variable *variable);

/* Ends a scope: removes the locals of the current frame down to `outer`. */
void check_scope_unbind(struct checker *checker, struct local *outer);

/* The value of a local, captured if it belongs to an enclosing frame. */
struct ast_expr *check_scope_local(struct checker *checker, const struct local *local, struct place place);

/* A WebSocket name with the same last or first words as an unknown one: websocketServerBroadcast for wsBroadcast; or
 * NULL. */
const char *check_scope_kin(const struct map *names, const char *name);

/* Reports an unknown name, and suggests a similar one. */
void check_scope_unknown(struct checker *checker, const char *name, struct place place);

/* A symbol for an ast_function: `wish`, or `wish.2` and so on if it is taken. */
const char *check_scope_unique(struct checker *checker, const char *wish);
