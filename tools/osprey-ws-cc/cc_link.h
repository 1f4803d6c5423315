#pragma once

/* What a command links besides the caller's own. */

#include "cc_command.h"

/* Adds the runtime, and the old C functions where they are asked for, to a command that links. 0, or -1 after a message. */
int cc_link_runtime(struct cc_command *command);

/* Whether a command links and none of the objects and archives that the caller names can have the memory hooks: then the
 * host's archive was forgotten, and the linker's complaints do not say so. To be asked before the runtime is added. */
bool cc_link_lacks_hooks(const struct cc_command *command);
