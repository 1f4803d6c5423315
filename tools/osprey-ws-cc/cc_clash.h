#pragma once
/* Names that a program shares with the C library.
 *
 * The host's compiler emits a program's functions as external symbols under their source names. A program's `close`
 * would therefore intercept the C library's own calls of close, and its `osp_ws_send` the runtime's.
 */
#include <stdbool.h>
#include <stddef.h>

#include "../osprey-ws-lower/ir_file.h"

/* Makes the clashing functions, variables, aliases and ifuncs of files[which] internal and renames them. Skips a name
 * that another of the files declares, or defines as the same symbol, with a warning. Returns how many it changed. */
size_t cc_clash_hide(const struct ir_file *files, size_t count, size_t which);

/* Reserves what the archives of the libraries define too, which a static link takes: libraries do not export all of it.
 * They are beside the libraries. */
void cc_clash_reserve_archives(void);

/* Returns true if the runtime or a library it needs defines the name. */
bool cc_clash_is_reserved(const char *name);

/* Returns true if another of the files defines the name for the linker. */
bool cc_clash_is_defined_elsewhere(const struct ir_file *files, size_t count, size_t which, const char *name);
