/* How blocks are recognized and reused.
 *
 * A block from malloc starts with a 16-byte header; Osprey sees the pointer behind it:
 *
 *     block                 pointer
 *     | meta | check, count | the words of the value …
 *
 * `check` is a hash of the pointer with a per-process random key. It proves that a pointer is one of ours: other memory
 * passes with probability 2^-32, which no input can raise. No value starts at the start of a page (mem_block_new shifts
 * it by 16 bytes, META_SHIFTED). The header of every pointer worth checking is therefore in the pointer's own page, and
 * reading it is safe for any pointer.
 *
 * Each thread keeps some dead small blocks of each size for reuse (spares). The link of a dead block overwrites its
 * check, so a stale pointer fails the check.
 *
 * The upper 56 bits of meta mark references. A string has none, so once its bytes are counted (META_COUNTED), they are
 * its length.
 */
#include "osprey_mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int getentropy(void *bytes, size_t size); /* of POSIX.1-2024: older headers have it elsewhere, or not for POSIX */

#if defined(__has_feature)
#define MEM_HAS(feature) __has_feature(feature)
#else
#define MEM_HAS(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || MEM_HAS(address_sanitizer)
#define MEM_ASAN 1
#else
#define MEM_ASAN 0
#endif

/* Without spares a sanitizer detects every use after free and every overflow. */
#if MEM_ASAN || defined(__SANITIZE_THREAD__) || MEM_HAS(thread_sanitizer)
#define MEM_KEEPS_SPARES 0
#else
#define MEM_KEEPS_SPARES 1
#endif

#if defined(__clang__)
#define MEM_NO_SANITIZE __attribute__((no_sanitize("address", "thread")))
#else
#define MEM_NO_SANITIZE __attribute__((no_sanitize_address, no_sanitize_thread))
#endif

struct mem_header {
  uint64_t meta;
  union {
    struct {
      uint32_t check;
      _Atomic uint32_t count;
    };
    struct mem_header *next_dead; /* after the last release */
  };
};

enum {
  MEM_HEADER_SIZE = 16,
  MEM_PAGE_SIZE = 4096,       /* the smallest page size; larger pages are safe too */
  MEM_COUNT_PINNED = 1 << 30, /* a count that reaches this never changes: the block is never freed */
  MEM_BINS = 8,               /* small blocks by size: 8, 24, 40 … 120 bytes, the sizes malloc rounds up to */
  MEM_SMALL_MAX = 16 * MEM_BINS - 8,
  MEM_SPARES_MAX = 64, /* per bin and thread */
};

/* The low byte of meta: the kind in the caller's argument, flags of the block in the header. */
enum {
  META_KIND_MASKED = 1, /* the upper bits mark references */
  META_BLOCK = 0xff,
  META_SHIFTED = 0x80, /* the header is 16 bytes into the block from malloc */
  META_SMALL = 0x40,   /* a small block of the bin in the low bits */
  META_COUNTED = 0x20, /* a string, whose length stands in the upper bits */
  META_BIN = MEM_BINS - 1
};

_Static_assert(sizeof(struct mem_header) == MEM_HEADER_SIZE, "the value follows its header directly");
_Static_assert(sizeof(void *) == 8, "meta marks 8-byte words");

static uint64_t mem_key = 0x9e3779b97f4a7c15u;
static atomic_bool mem_threads;
static bool mem_counting;
static _Atomic int64_t mem_live_blocks;

/* The dead blocks that a thread keeps. */
struct mem_spares {
  struct mem_header *first[MEM_BINS];
  uint8_t room[MEM_BINS]; /* free places per bin; 0 before the thread's first release and after its end */
  bool begun;
};

static _Thread_local struct mem_spares mem_spares;
static pthread_key_t mem_thread_end;
static bool mem_thread_end_is_set;

static void mem_spares_end(void *value) {
  struct mem_spares *spares = value;
  for (int bin = 0; bin < MEM_BINS; bin++) {
    struct mem_header *header = spares->first[bin];
    while (header) {
      struct mem_header *next = header->next_dead;
      free(header);
      header = next;
    }
    spares->first[bin] = NULL;
    spares->room[bin] = 0;
  }
}

/* Makes room, once per thread. Returns false if the room is used up, or the thread cannot keep spares. */
static bool mem_spares_begin(struct mem_spares *spares) {
  if (spares->begun)
    return false;
  spares->begun = true;
  if (!mem_thread_end_is_set || pthread_setspecific(mem_thread_end, spares))
    return false;
  memset(spares->room, MEM_SPARES_MAX, sizeof spares->room);
  return true;
}

/* Runs before other constructors: every check uses the same key. */
__attribute__((constructor(101))) static void mem_start(void) {
  uint64_t drawn;
  if (getentropy(&drawn, sizeof drawn) == 0)
    mem_key ^= drawn;
  mem_counting = getenv("OSPREY_MEM_REPORT") != NULL;
  mem_thread_end_is_set = MEM_KEEPS_SPARES && pthread_key_create(&mem_thread_end, mem_spares_end) == 0;
}

/* Runs after other destructors and all atexit handlers. */
__attribute__((destructor(101))) static void mem_end(void) {
  mem_spares_end(&mem_spares);
  if (mem_counting)
    fprintf(stderr, "osprey: %lld blocks live at exit\n", (long long)osp_mem_live());
}

static uint32_t mem_check_of(const void *pointer) {
  uint64_t mixed = ((uint64_t)(uintptr_t)pointer ^ mem_key) * 0xd6e8feb86659fd93u;
  return (uint32_t)(mixed >> 32);
}

static struct mem_header *mem_header_of(void *pointer) {
  return (struct mem_header *)pointer - 1;
}

/* Returns the header of one of our blocks, or NULL for any other pointer. */
MEM_NO_SANITIZE static struct mem_header *mem_find(void *pointer) {
  uintptr_t address = (uintptr_t)pointer;
  if (address % 16 != 0 || address % MEM_PAGE_SIZE == 0)
    return NULL;
  struct mem_header *header = mem_header_of(pointer);
  if (*(volatile uint32_t *)&header->check != mem_check_of(pointer))
    return NULL;
  return header;
}

/* The same, but under AddressSanitizer a pointer into a freed block is reported here, with the caller's stack. */
static struct mem_header *mem_find_checked(void *pointer) {
  if (MEM_ASAN && pointer)
    (void)*(volatile const char *)pointer;
  return mem_find(pointer);
}

/* Uses locked instructions only with threads: one costs as much as the rest of a release. */
static void mem_count_up(struct mem_header *header) {
  uint32_t count = atomic_load_explicit(&header->count, memory_order_relaxed);
  if (count >= MEM_COUNT_PINNED)
    return;
  if (atomic_load_explicit(&mem_threads, memory_order_relaxed))
    atomic_fetch_add_explicit(&header->count, 1, memory_order_relaxed);
  else
    atomic_store_explicit(&header->count, count + 1, memory_order_relaxed);
}

/* Returns true if that was the last reference. It need not be written back: nobody else can reach the block. */
static bool mem_count_down(struct mem_header *header) {
  uint32_t count = atomic_load_explicit(&header->count, memory_order_acquire);
  if (count == 1)
    return true;
  if (count >= MEM_COUNT_PINNED)
    return false;
  if (atomic_load_explicit(&mem_threads, memory_order_relaxed))
    return atomic_fetch_sub_explicit(&header->count, 1, memory_order_acq_rel) == 1;
  atomic_store_explicit(&header->count, count - 1, memory_order_relaxed);
  return false;
}

/* Allocates a block. Its meta has the flags of the block, and marks no references yet. */
static struct mem_header *mem_block_new(size_t size) {
  uint64_t meta = 0;
  char *block = malloc(MEM_HEADER_SIZE + size);
  if (block && (uintptr_t)(block + MEM_HEADER_SIZE) % MEM_PAGE_SIZE == 0) {
    free(block);
    block = malloc(2 * MEM_HEADER_SIZE + size);
    /* One of the two positions is not the start of a page. */
    if (block && (uintptr_t)(block + MEM_HEADER_SIZE) % MEM_PAGE_SIZE == 0) {
      block += MEM_HEADER_SIZE;
      meta = META_SHIFTED;
    }
  }
  struct mem_header *header = (struct mem_header *)(void *)block;
  if (header)
    header->meta = meta;
  return header;
}

static void mem_block_free(struct mem_header *header) {
  free(header->meta & META_SHIFTED ? (char *)header - MEM_HEADER_SIZE : (char *)header);
}

static struct mem_header *mem_small_new(size_t size) {
  size_t bin = (size + 7) / 16;
  struct mem_spares *spares = &mem_spares;
  struct mem_header *header = spares->first[bin];
  if (header) {
    spares->first[bin] = header->next_dead;
    spares->room[bin]++;
    return header;
  }
  header = mem_block_new(16 * bin + 8);
  if (header && !(header->meta & META_SHIFTED)) /* shifted blocks are rare: treated like large ones */
    header->meta = META_SMALL | bin;
  return header;
}

static void mem_small_free(struct mem_header *header) {
  size_t bin = header->meta & META_BIN;
  struct mem_spares *spares = &mem_spares;
  if (spares->room[bin] == 0 && !mem_spares_begin(spares)) {
    free(header);
    return;
  }
  header->next_dead = spares->first[bin];
  spares->first[bin] = header;
  spares->room[bin]--;
}

static void *mem_alloc(int64_t size, uint64_t meta) {
  if (size < 0 || size > PTRDIFF_MAX - 2 * MEM_HEADER_SIZE)
    return NULL;
  bool small = MEM_KEEPS_SPARES && size <= MEM_SMALL_MAX;
  struct mem_header *header = small ? mem_small_new((size_t)size) : mem_block_new(size ? (size_t)size : 1);
  if (!header)
    return NULL;
  bool masked = (meta & META_BLOCK) == META_KIND_MASKED;
  header->meta = (header->meta & (META_SHIFTED | META_SMALL | META_BIN)) | (masked ? meta & ~(uint64_t)META_BLOCK : 0);
  header->check = mem_check_of(header + 1);
  atomic_init(&header->count, 1);
  if (mem_counting)
    atomic_fetch_add_explicit(&mem_live_blocks, 1, memory_order_relaxed);
  return header + 1;
}

static void mem_free(struct mem_header *header) {
  if (mem_counting)
    atomic_fetch_sub_explicit(&mem_live_blocks, 1, memory_order_relaxed);
  if (header->meta & META_SMALL)
    mem_small_free(header);
  else
    mem_block_free(header);
}

/* Frees a block and every block that only it referenced. Dead blocks are queued through their headers, so that neither
 * depth nor breadth needs stack or memory. */
static void mem_free_all(struct mem_header *dead) {
  dead->next_dead = NULL;
  while (dead) {
    struct mem_header *header = dead;
    dead = header->next_dead;
    void **words = (void **)(header + 1);
    uint64_t marked = header->meta & META_COUNTED ? 0 : header->meta >> 8;
    for (uint64_t references = marked; references; references &= references - 1) {
      struct mem_header *child = mem_find_checked(words[__builtin_ctzll(references)]);
      if (child && mem_count_down(child)) {
        child->next_dead = dead;
        dead = child;
      }
    }
    mem_free(header);
  }
}

static void *mem_or_abort(void *pointer) {
  if (!pointer) {
    fputs("osprey: out of memory\n", stderr);
    abort();
  }
  return pointer;
}

void *osp_alloc(int64_t size) {
  return mem_alloc(size, 0);
}

void *osp_alloc_tagged(int64_t size, int64_t meta) {
  void *pointer = osp_alloc_tagged_noinit(size, meta);
  return memset(pointer, 0, (size_t)size);
}

void *osp_alloc_tagged_noinit(int64_t size, int64_t meta) {
  return mem_or_abort(mem_alloc(size, (uint64_t)meta));
}

void osp_retain(void *pointer) {
  struct mem_header *header = mem_find_checked(pointer);
  if (header)
    mem_count_up(header);
}

bool osp_is_unique(const void *pointer) {
  struct mem_header *header = MEM_KEEPS_SPARES ? mem_find((void *)(uintptr_t)pointer) : NULL;
  if (!header || atomic_load_explicit(&header->count, memory_order_acquire) != 1)
    return false;
  if (header->meta & META_COUNTED) /* the caller may change the string */
    header->meta &= META_SHIFTED | META_SMALL | META_BIN;
  return true;
}

void osp_release(void *pointer) {
  struct mem_header *header = mem_find_checked(pointer);
  if (header && mem_count_down(header))
    mem_free_all(header);
}

void osp_release_unique(void *pointer) {
  struct mem_header *header = mem_find_checked(pointer);
  if (header)
    mem_free_all(header);
}

/* Threads that count the same string at once store the same. A block with marks is no string of ours. */
size_t osp_mem_strnlen(const char *text, size_t most) {
  struct mem_header *header = mem_find_checked((void *)(uintptr_t)text);
  if (!header)
    return strnlen(text, most);
  uint64_t meta = __atomic_load_n(&header->meta, __ATOMIC_RELAXED);
  size_t length = meta & META_COUNTED ? meta >> 8 : strlen(text);
  if ((meta & ~(uint64_t)META_BLOCK) == 0 && !(meta & META_COUNTED))
    __atomic_store_n(&header->meta, meta | META_COUNTED | (uint64_t)length << 8, __ATOMIC_RELAXED);
  return length < most ? length : most;
}

void osp_mem_notify_multithreaded(void) {
  atomic_store_explicit(&mem_threads, true, memory_order_relaxed);
}

void osp_mem_boot(void) {
}

int64_t osp_mem_live(void) {
  return mem_counting ? atomic_load_explicit(&mem_live_blocks, memory_order_relaxed) : -1;
}
