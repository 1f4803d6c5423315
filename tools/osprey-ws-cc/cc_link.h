#pragma once
/* What a command links besides its own inputs: the runtime, and the libraries the runtime needs. */
#include <stdbool.h>

#include "cc_command.h"

/* Returns true if the command links the old C functions: --ws-compat, or OSPREY_WS_COMPAT=1. */
bool cc_link_has_compat(const struct cc_command *command);

/* Adds the runtime to a command that links, and the old C functions if they are requested. Returns 0, or -1 if out of
 * memory. */
int cc_link_runtime(struct cc_command *command);

/* Returns true if the command links, and none of its objects and archives can define the memory hooks: the host's
 * archive is probably missing, which the linker's messages do not say. Call this before cc_link_runtime. */
bool cc_link_lacks_hooks(const struct cc_command *command);
