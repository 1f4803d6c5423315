#pragma once

/* The inputs of a command that hold LLVM IR. */

#include "cc_command.h"

/* Lowers every IR input that has something to lower or to hide into a directory, and puts the result in its place in the
 * command; the others stay as they are. lowered: whether there was one. 0, or -1 after a message. */
int cc_lower_inputs(struct cc_command *command, const char *directory, bool *lowered);
