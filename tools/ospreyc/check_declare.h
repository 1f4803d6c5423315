#pragma once
/* Declarations: the builtins, and the types, functions, externs and globals of a program; and type expressions. */
#include "check_scope.h"

/* Declares the types, functions and records that every program knows. */
void check_declare_builtins(struct checker *checker);

/* Declares the items of a program. Items may refer to each other in any order. */
void check_declare_program(struct checker *checker, const struct syntax_program *syntax);

/* Returns the type that a type expression denotes, or the error type after an error. */
struct type *check_declare_type(struct checker *checker, const struct syntax_type *syntax);

/* The type of a function from its annotations, with variables for the missing ones. */
struct type *check_declare_signature(struct checker *checker, const struct syntax_function *syntax);

/* The names of a function's parameters. */
const char **check_declare_parameter_names(struct checker *checker, const struct syntax_function *syntax);
