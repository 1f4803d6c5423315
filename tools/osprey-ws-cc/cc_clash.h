#pragma once

/* Names that a program shares with C.
 *
 * The host's functions are external symbols with the names that the program gave them, so that a program's `close` catches
 * the calls that a C library makes of its own, and a program's `osp_ws_send` the runtime's. */

#include "../osprey-ws-lower/ir_file.h"

#include <stddef.h>

/* Makes the functions and variables of a file that clash internal to it, and renames them. A name that another of the
 * files declares is left, with a warning. Returns how many were changed. */
size_t cc_clash_hide(const struct ir_file *files, size_t count, size_t which);
