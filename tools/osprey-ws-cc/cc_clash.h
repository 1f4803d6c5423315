#pragma once
/* Names that a program shares with the C library.
 *
 * The host's compiler emits a program's functions as external symbols under their source names. A program's `close`
 * would therefore intercept the C library's own calls of close, and its `osp_ws_send` the runtime's.
 */
#include <stddef.h>

#include "../osprey-ws-lower/ir_file.h"

/* Makes the clashing functions, variables, aliases and ifuncs of files[which] internal and renames them. Skips a name
 * that another of the files declares, or defines as the same symbol, with a warning. Returns how many it changed. */
size_t cc_clash_hide(const struct ir_file *files, size_t count, size_t which);
