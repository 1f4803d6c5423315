#pragma once
/* Lowers the LLVM IR inputs of a command. This is a library of its own, libosprey_ws_cc.so, which osprey-ws-cc loads
 * when there may be something to lower: loading LLVM takes a good part of the time that a small program takes. */
#include <stdbool.h>

#include "cc_command.h"

/* Lowers each IR input that uses a builtin or a clashing name (cc_clash.h), writes the result to `directory` and
 * replaces the argument by its path. Other inputs stay unchanged. Sets `*lowered` if there was one. Returns 0, or
 * -1; errors in the IR and of files are reported on standard error. */
__attribute__((visibility("default"))) int cc_lower_inputs(struct cc_command *command, const char *directory,
                                                           bool *lowered);
