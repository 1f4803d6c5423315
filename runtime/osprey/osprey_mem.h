#pragma once
/* The memory hooks of an Osprey program, with reference counting.
 *
 * Compiled Osprey code and the runtime allocate everything that Osprey can see through these functions, which
 * spec/abi.md defines. The contract:
 *
 * - An allocation returns one reference, owned by the caller. osp_retain adds one, osp_release removes one. The last
 *   release frees the block and releases the references it contains.
 * - `meta` marks the words of a block that are references. Its low 8 bits are the kind: 0 raw bytes, 1 masked. If it is
 *   1, bit 8+i marks the word at offset 8*i. Only the first 56 words can be marked.
 * - Pointers from elsewhere (literals, constant cells, C memory, NULL) may be retained and released without effect. The
 *   16 bytes before such a pointer are read only if they are in its page, so the read cannot fault.
 * - Releasing a chain of any length takes constant stack.
 * - Call osp_mem_notify_multithreaded() before a second thread may call these functions: counting is not atomic before.
 * - osp_alloc returns NULL if out of memory; its callers are C. The tagged allocators are for compiled code, which does
 *   not check: they print "osprey: out of memory" to stderr and abort.
 */
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

/* Call this first in main. */
void osp_mem_boot(void);

/* Call this before a second thread may use the heap. */
void osp_mem_notify_multithreaded(void);

/* Allocates `size` uninitialized bytes without references. Returns NULL if out of memory. */
void *osp_alloc(int64_t size);

/* Allocates `size` zeroed bytes; `meta` marks the references. */
void *osp_alloc_tagged(int64_t size, int64_t meta);

/* The same, uninitialized: the caller stores every word before it releases the block. */
void *osp_alloc_tagged_noinit(int64_t size, int64_t meta);

/* Adds a reference. */
void osp_retain(void *pointer);

/* Returns true if the caller's reference is the only one, so that nobody else can see a change of the block. The caller
 * may then change it: osp_mem_strnlen counts again. False where a sanitizer has to see each block end. */
bool osp_is_unique(const void *pointer);

/* Removes a reference, and frees the block if it was the last. */
void osp_release(void *pointer);

/* Frees a block to which the caller has the only reference. */
void osp_release_unique(void *pointer);

/* Returns the length of a string, or `most` if it is longer. The bytes of a block are counted once: it must not change
 * afterwards, unless osp_is_unique is asked first. Those of other memory are counted at each call, up to `most`. */
size_t osp_mem_strnlen(const char *text, size_t most);

/* Returns the number of live blocks, or -1 unless OSPREY_MEM_REPORT is set when the program starts. If it is set, the
 * number is also printed to stderr at exit ("osprey: 0 blocks live at exit"). */
int64_t osp_mem_live(void);
