#pragma once
/* Files that are read as a whole. Any thread. */
#include <stddef.h>

#include "chunk.h"
#include "why.h"

/* Reads a regular file of at most `cap` bytes. NULL with the reason, which does not name the file. */
struct ws_chunk *ws_file_read(const char *file, size_t cap, struct ws_why *why);
