/* Reference counting in front of malloc.
 *
 * A block is what malloc returned, and the pointer that Osprey sees lies 16 bytes into it, behind a header:
 *
 *     block                 pointer
 *     | meta | check, count | the words of the value …
 *
 * `check` is the pointer scrambled with a key that each process draws, so a header proves that the pointer is one of ours: the
 * odds that other memory looks like one are 1 in 2^32 for a pointer, and no input can raise them. A pointer at the very start
 * of a page is never handed out (the value is moved 16 bytes up, which META_SHIFTED remembers); so the header of any pointer
 * worth looking at lies in the page that the pointer itself lies in, and looking is safe for every pointer there is.
 *
 * Small blocks that died are not freed at once: each thread keeps some of each size for its next ones. A block that waits
 * there, or was freed, proves nothing: the link that threads the dead has overwritten its check.
 */
#include "osprey_mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

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

/* A sanitizer is to see every use of what was freed, and the exact size of every block. */
#if MEM_ASAN || defined(__SANITIZE_THREAD__) || MEM_HAS(thread_sanitizer)
#define MEM_KEEPS_SPARES 0
#else
#define MEM_KEEPS_SPARES 1
#endif

#if defined(__clang__)
#define MEM_LOOKS_ANYWHERE __attribute__((no_sanitize("address", "thread")))
#else
#define MEM_LOOKS_ANYWHERE __attribute__((no_sanitize_address, no_sanitize_thread))
#endif

struct mem_header {
  uint64_t meta;
  union {
    struct {
      uint32_t check;
      _Atomic uint32_t count;
    };
    struct mem_header *next_dead; /* instead of the above, from the last release on */
  };
};

enum {
  MEM_HEADER_SIZE = 16,
  MEM_PAGE_SIZE = 4096,       /* the smallest there is: a larger page only makes the look safer */
  MEM_COUNT_PINNED = 1 << 30, /* a count that got here stays: such a block is never freed */
  MEM_BINS = 8,               /* of small blocks, by size: 8, 24, 40 … 120 bytes, just what malloc rounds up to */
  MEM_SMALL_MAX = 16 * MEM_BINS - 8,
  MEM_SPARES_MAX = 64, /* in a bin: a thread that only frees what others allocate keeps no more */
};

/* The low byte of meta: the caller's kind, then in the header what is known of the block. */
enum {
  META_KIND_MASKED = 1, /* the caller's: the upper bits mark references */
  META_BLOCK = 0xff,
  META_SHIFTED = 0x80, /* the header lies 16 bytes into what malloc returned */
  META_SMALL = 0x40,   /* it has the very size of the bin that the lowest bits name */
  META_BIN = MEM_BINS - 1
};

_Static_assert(sizeof(struct mem_header) == MEM_HEADER_SIZE, "the value follows its header directly");
_Static_assert(sizeof(void *) == 8, "meta marks 8-byte words");

static uint64_t mem_key = 0x9e3779b97f4a7c15u;
static atomic_bool mem_threads;
static bool mem_counting;
static _Atomic int64_t mem_live_blocks;

/* Dead blocks that a thread keeps. */
struct mem_spares {
  struct mem_header *first[MEM_BINS];
  uint8_t room[MEM_BINS]; /* for so many more; for none before the thread's first and after its end */
  bool begun;
};

static _Thread_local struct mem_spares mem_spares;
static pthread_key_t mem_thread_end;
static bool mem_thread_end_is_told;

static void mem_spares_end(void *its_spares) {
  struct mem_spares *spares = its_spares;
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

/* Makes room, once in the life of a thread. False: none is left, or none may be kept. */
static bool mem_spares_begin(struct mem_spares *spares) {
  if (spares->begun)
    return false;
  spares->begun = true;
  if (!mem_thread_end_is_told || pthread_setspecific(mem_thread_end, spares))
    return false;
  memset(spares->room, MEM_SPARES_MAX, sizeof spares->room);
  return true;
}

/* Before any other constructor, so that every check is made with the one key. */
__attribute__((constructor(101))) static void mem_start(void) {
  const void *random = (const void *)getauxval(AT_RANDOM);
  uint64_t drawn = 0;
  if (random)
    memcpy(&drawn, random, sizeof drawn);
  mem_key ^= drawn;
  mem_counting = getenv("OSPREY_MEM_REPORT") != NULL;
  mem_thread_end_is_told = MEM_KEEPS_SPARES && pthread_key_create(&mem_thread_end, mem_spares_end) == 0;
}

/* After every other destructor and every atexit handler. */
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

/* The header of a block of ours, or null for any other pointer. */
MEM_LOOKS_ANYWHERE static struct mem_header *mem_find(void *pointer) {
  uintptr_t address = (uintptr_t)pointer;
  if (address % 16 != 0 || address % MEM_PAGE_SIZE == 0)
    return NULL;
  struct mem_header *header = mem_header_of(pointer);
  if (*(volatile uint32_t *)&header->check != mem_check_of(pointer))
    return NULL;
  return header;
}

/* The same where a sanitizer watches: it reports a pointer into a freed block here, while the stack still tells who used it. */
static struct mem_header *mem_find_watched(void *pointer) {
  if (MEM_ASAN && pointer)
    (void)*(volatile const char *)pointer;
  return mem_find(pointer);
}

/* Atomic operations only once there are threads: a locked instruction costs as much as the rest of a release. */
static void mem_count_up(struct mem_header *header) {
  uint32_t count = atomic_load_explicit(&header->count, memory_order_relaxed);
  if (count >= MEM_COUNT_PINNED)
    return;
  if (atomic_load_explicit(&mem_threads, memory_order_relaxed))
    atomic_fetch_add_explicit(&header->count, 1, memory_order_relaxed);
  else
    atomic_store_explicit(&header->count, count + 1, memory_order_relaxed);
}

/* True when that was the last reference. Whoever holds the only one need not write the count: nobody else can reach it. */
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

/* A block from malloc: its meta says what it is, its references are not marked yet. */
static struct mem_header *mem_block_new(size_t size) {
  uint64_t meta = 0;
  char *block = malloc(MEM_HEADER_SIZE + size);
  if (block && (uintptr_t)(block + MEM_HEADER_SIZE) % MEM_PAGE_SIZE == 0) {
    free(block);
    block = malloc(2 * MEM_HEADER_SIZE + size);
    /* Whatever the new address is, one of the two places is not the start of a page. */
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
  if (header && !(header->meta & META_SHIFTED)) /* such a one is rare enough to be treated like a large one */
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
  header->meta = (header->meta & META_BLOCK) | (masked ? meta & ~(uint64_t)META_BLOCK : 0);
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

/* Frees a block and every block that only it held. What is to be freed waits in a list threaded through the dead headers, so
 * neither depth nor breadth costs stack or memory. */
static void mem_free_all(struct mem_header *dead) {
  dead->next_dead = NULL;
  while (dead) {
    struct mem_header *header = dead;
    dead = header->next_dead;
    void **words = (void **)(header + 1);
    for (uint64_t references = header->meta >> 8; references; references &= references - 1) {
      struct mem_header *child = mem_find_watched(words[__builtin_ctzll(references)]);
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
  struct mem_header *header = mem_find_watched(pointer);
  if (header)
    mem_count_up(header);
}

void osp_release(void *pointer) {
  struct mem_header *header = mem_find_watched(pointer);
  if (header && mem_count_down(header))
    mem_free_all(header);
}

void osp_release_unique(void *pointer) {
  struct mem_header *header = mem_find_watched(pointer);
  if (header)
    mem_free_all(header);
}

void osp_mem_notify_multithreaded(void) {
  atomic_store_explicit(&mem_threads, true, memory_order_relaxed);
}

void osp_mem_boot(void) {
}

int64_t osp_mem_live(void) {
  return mem_counting ? atomic_load_explicit(&mem_live_blocks, memory_order_relaxed) : -1;
}
