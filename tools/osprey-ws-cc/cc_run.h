#pragma once
/* Runs clang, and owns the scratch directory for the files that replace its inputs. */
#include "cc_command.h"

/* A wait status: exited with 1. */
#define CC_RUN_FAILED (1 << 8)

/* Runs clang with the command's arguments and returns its wait status. Forwards SIGINT, SIGTERM and SIGHUP to it.
 * Writes the arguments to a response file in `scratch` if they came from one. */
int cc_run(const struct cc_command *command, const char *clang, const char *scratch);

/* Replaces this process by clang with the command's arguments. Returns the status that a shell exits with if it cannot
 * run a program. */
int cc_run_replace(const struct cc_command *command, const char *clang);

/* Returns the major version that `clang --version` prints, or 0 if there is none. */
int cc_run_clang_version(const char *clang);

/* Ends this process as the wait status says: returns the exit status to return from main, or raises the same signal. */
int cc_run_exit(int status);

/* A new directory under TMPDIR, or NULL with a message on standard error. _free removes it with its contents. */
char *cc_run_scratch_new(void);
void cc_run_scratch_free(char *scratch);
