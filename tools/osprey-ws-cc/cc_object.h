#pragma once
/* What an object file defines, without a library for objects: LLVM's C API does not say which symbols are global. */

/* Calls `found` with each global symbol that a relocatable ELF object of 64 bits in this machine's byte order defines.
 * Does nothing for any other file. `name` is valid during the call. */
void cc_object_each_definition(const char *path, void (*found)(const char *name, void *context), void *context);

/* Calls `found` with each symbol in the index of an archive. Does nothing for a file without one. */
void cc_object_each_in_archive(const char *path, void (*found)(const char *name, void *context), void *context);
