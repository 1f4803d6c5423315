#pragma once

/* Running the C compiler, and the directory for what it reads in place of its inputs. */

#include "cc_command.h"

/* How a process ended, as wait reports it: with the exit status 1. */
#define CC_FAILED (1 << 8)

/* Runs clang with the command's arguments, waits, and returns how it ended. A signal that asks this process to end is
 * handed on to clang. directory: where a response file may be written. */
int cc_run(const struct cc_command *command, const char *clang, const char *directory);

/* The major version of a clang, as its --version says it; 0 if it does not. */
int cc_run_clang_version(const char *clang);

/* Ends this process in the way that clang ended: returns its exit status, or is killed by the same signal. */
int cc_run_exit(int status);

/* A new directory for temporary files, to be removed, with what is in it, and freed; NULL after a message. */
char *cc_run_scratch_new(void);
void cc_run_scratch_free(char *directory);
