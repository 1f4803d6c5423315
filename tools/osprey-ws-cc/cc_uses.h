#pragma once
/* Whether a program may use WebSockets. Most do not, and then osprey-ws-cc is to cost nothing: LLVM is not loaded, and
 * the runtime and its libraries are not linked. The inputs are searched for names, without parsing them; what cannot be
 * searched counts as a use. */
#include <stdbool.h>

#include "cc_command.h"

/* Returns true if an input of the command may name a builtin or a function of the runtime. */
bool cc_uses_websockets(const struct cc_command *command);
