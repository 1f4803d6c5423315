#pragma once
/* What a program reads from the target of a request: a path, then a query or none, in visible ASCII.
 *
 * Both are percent-decoded once, as browsers decode (WHATWG URL): a "%" without two hexadecimal digits stays as it is,
 * and what is not UTF-8 becomes U+FFFD. The results are strings of the host (text.h) without a NUL: U+0000 is C0 80.
 * They are never longer than the target, because only an escape, of three bytes, makes U+0000 or a byte outside ASCII.
 */
#include <stddef.h>

#include "slice.h"

/* Writes the path: at most target.size bytes. Returns its size. */
size_t ws_target_path(char *to, struct ws_slice target);

/* Writes the value of the first parameter of the query that has the name, in the form of HTML forms
 * (application/x-www-form-urlencoded). Returns its size, or -1 if there is none. Changes at most target.size bytes. */
long ws_target_parameter(char *to, struct ws_slice target, const char *name);
