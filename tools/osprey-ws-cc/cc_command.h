#pragma once

/* The command line of a C compiler driver, as far as it concerns osprey-ws-cc: which of its arguments are inputs, which of
 * these are LLVM IR, and whether it ends in a link.
 *
 * Response files (@FILE) are replaced by what they hold, and `--` by nothing, so that every argument stands for itself. */

#include <stdbool.h>
#include <stddef.h>

enum cc_role {
  CC_OPTION,  /* an option, or the value of one */
  CC_IR,      /* an input that holds LLVM IR */
  CC_LIBRARY, /* an archive, or -lNAME */
  CC_INPUT,   /* any other input */
};

struct cc_argument {
  char *text; /* owned */
  enum cc_role role;
};

struct cc_command {
  struct cc_argument *arguments; /* without the driver's own name */
  size_t count, capacity;
  bool from_response_file; /* some arguments were: they may be too many for exec */
  bool links;              /* clang is asked to link its inputs */
  bool language_set;       /* an -x is in force at the end */
  bool compat;             /* --ws-compat was given */
  bool help;               /* --help was given */
  const char *target;  /* the triple that the command line asks for, or NULL; points into an argument or is static */
  const char *clang;   /* the value of --ws-clang=, or NULL; points into `own` */
  const char *runtime; /* the value of --ws-runtime=, or NULL; points into `own` */
  char *own[2];        /* the arguments that hold these values; owned */
};

/* Takes the command line apart. 0, or -1 where there is no memory. */
int cc_command_init(struct cc_command *command, int argc, char **argv);

/* Appends or inserts a copy of text. 0, or -1 where there is no memory. */
int cc_command_append(struct cc_command *command, enum cc_role role, const char *text);
int cc_command_insert(struct cc_command *command, size_t place, enum cc_role role, const char *text);

void cc_command_deinit(struct cc_command *command);
