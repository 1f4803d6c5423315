#pragma once
/* The command line of clang, as far as osprey-ws-cc interprets it: which arguments are inputs, which inputs hold LLVM
 * IR, and whether the command links.
 *
 * Response files (@FILE) are expanded. `--` is removed, and inputs after it that look like options become ./NAME. All
 * text is owned by the command.
 */
#include <stdbool.h>
#include <stddef.h>

enum cc_role {
  CC_OPTION,  /* an option, or its value */
  CC_IR,      /* an input that holds LLVM IR */
  CC_LIBRARY, /* an archive, or -lNAME */
  CC_INPUT,   /* any other input */
};

struct cc_argument {
  char *text;
  enum cc_role role;
};

struct cc_command {
  struct cc_argument *arguments; /* without argv[0] and without the options of osprey-ws-cc */
  size_t count, capacity;
  bool from_response_file; /* a response file was expanded: the arguments may exceed the limit of exec */
  bool links;              /* clang links its inputs */
  bool is_static;          /* -static, -static-pie */
  bool language_set;       /* an -x is in force at the end */
  bool compat;             /* --ws-compat */
  bool help, version;      /* --help, --version */
  const char *target;      /* the requested target triple, or NULL; points into an argument or is static */
  char *clang;             /* the value of --ws-clang=, or NULL */
  char *runtime;           /* the value of --ws-runtime=, or NULL */
};

/* Parses a command line. Returns 0, or -1 if out of memory; call cc_command_deinit after success. */
int cc_command_init(struct cc_command *command, int argc, char **argv);
void cc_command_deinit(struct cc_command *command);

/* Append or insert a copy of `text`. Return 0, or -1 if out of memory. */
int cc_command_append(struct cc_command *command, enum cc_role role, const char *text);
int cc_command_insert(struct cc_command *command, size_t place, enum cc_role role, const char *text);
