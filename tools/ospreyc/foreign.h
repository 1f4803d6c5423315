#pragma once
/* Words of other languages, and what to write instead. */

#include <stdbool.h>

#define FOREIGN_NO_BITS "there are no operators on bits"
#define FOREIGN_BITS "intDiv(n, 256) and n % 256 take a number apart"

/* A hint for an unknown name, for the name of a type, and for a word before another (`const x`); or NULL. */
const char *foreign_name(const char *name);
const char *foreign_type(const char *name);
const char *foreign_word(const char *word);

/* Whether such a word is that of a loop, whose brackets a statement may follow. */
bool foreign_is_loop(const char *word);

/* What to do without a name or word of Osprey that ospreyc does not have; or NULL. */
const char *foreign_left_out(const char *name);
