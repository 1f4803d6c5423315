#pragma once
/* The memory hooks of an Osprey program: reference counting.
 *
 * Compiled Osprey code and the runtime's C code allocate everything that Osprey can see through these functions, which the
 * language's binary interface names (spec/abi.md). This backend counts references. The contract:
 *
 * - An allocation returns one reference, owned by the caller. osp_retain adds one, osp_release gives one back, and the last
 *   release frees the block and gives back the references that the block itself holds.
 * - Which words of a block are references is said once, when it is allocated, by `meta`: its low 8 bits are a kind (0 raw bytes,
 *   1 masked), and where the kind is 1, bit 8+i is set when the word at offset 8*i is a reference. Only the first 56 words can be.
 * - A pointer that no allocation here returned (a literal, a constant cell, C's own memory, null) may be retained and released:
 *   nothing happens. Its 16 bytes in front may be read, but only where they share its page, so that the look cannot fault.
 * - Releasing a chain of any length takes constant stack.
 * - Everything may be called from any thread once osp_mem_notify_multithreaded() has been called; until then counting is not atomic.
 * - osp_alloc returns null where there is no memory: its callers are C and check. The tagged allocators serve compiled code, which
 *   does not check: they say "osprey: out of memory" on stderr and abort.
 */
#include <stdint.h>

/* Allocates `size` bytes of unspecified content that hold no reference. Null where there is no memory. */
void *osp_alloc(int64_t size);

/* Allocates `size` zeroed bytes whose references `meta` describes. */
void *osp_alloc_tagged(int64_t size, int64_t meta);

/* The same without zeroing: the caller stores every word before it releases the block. */
void *osp_alloc_tagged_noinit(int64_t size, int64_t meta);

/* Adds a reference. */
void osp_retain(void *pointer);

/* Gives a reference back, and frees the block if it was the last. */
void osp_release(void *pointer);

/* The same for a block to which the caller is known to hold the only reference. */
void osp_release_unique(void *pointer);

/* To be called before a second thread may touch the heap. */
void osp_mem_notify_multithreaded(void);

/* To be called first by main. */
void osp_mem_boot(void);

/* How many blocks are live. Counted only when the environment held OSPREY_MEM_REPORT when the program started; then the count is
 * written to stderr at exit as well ("osprey: 0 blocks live at exit"), and otherwise this is -1. */
int64_t osp_mem_live(void);
