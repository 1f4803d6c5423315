/* The memory of the process: an arena in which a freed block is never used again, so that every later use is found. */
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim.h"

enum { LIVE = 0x5117e5, DEAD = 0xdeadb10c, POISON = 0xdd, POISONED = 512 };

struct block {
  size_t size; /* rounded up to 16 */
  uint32_t state;
  uint32_t marked;
};

static uint8_t *arena, *at, *end;
static size_t live_bytes;
static const size_t arena_size = (size_t)1 << 33;

static bool in_arena(const void *block) {
  return arena && (const uint8_t *)block >= arena && (const uint8_t *)block < at;
}

static void *allocate(size_t alignment, size_t size) {
  if (!arena) {
    arena = at = sim_map(arena_size);
    madvise(arena, arena_size, MADV_HUGEPAGE); /* a fault for each small page costs more than all that a world does */
    end = arena + arena_size;
  }
  if (size > arena_size / 2) {
    errno = ENOMEM;
    return NULL;
  }
  uint8_t *bytes = at + sizeof(struct block);
  bytes += (alignment - (uintptr_t)bytes % alignment) % alignment;
  /* The pad before an aligned block is a block too, so that the arena can be walked. */
  struct block *block = (struct block *)(void *)(bytes - sizeof *block);
  size_t pad = (size_t)((uint8_t *)block - at);
  if (pad)
    *(struct block *)(void *)at = (struct block){.size = pad - sizeof *block, .state = DEAD, .marked = 1};
  *block = (struct block){.size = (size + 15) / 16 * 16, .state = LIVE};
  at = bytes + block->size;
  if (at > end)
    sim_fail("3 memory", "the process allocated too much");
  live_bytes += block->size;
  return bytes;
}

void *__wrap_malloc(size_t size) {
  sim_preemption_point();
  void *bytes = allocate(16, size);
  if (bytes)
    memset(bytes, 0xcd, size < POISONED ? size : POISONED); /* nobody relies on zeros */
  return bytes;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
  return allocate(alignment < 32 ? 32 : alignment, size);
}

void *__wrap_calloc(size_t count, size_t size) {
  return allocate(16, count * size); /* fresh pages are zero */
}

void __wrap_free(void *bytes) {
  if (!in_arena(bytes)) {
    __real_free(bytes);
    return;
  }
  struct block *block = (struct block *)bytes - 1;
  if (block->state != LIVE)
    sim_fail("3 memory", "a block is freed %s", block->state == DEAD ? "twice" : "that never was one");
  block->state = DEAD;
  live_bytes -= block->size;
  memset(bytes, POISON, block->size < POISONED ? block->size : POISONED);
}

void *__wrap_realloc(void *bytes, size_t size) {
  if (bytes && !in_arena(bytes))
    return __real_realloc(bytes, size);
  void *moved = allocate(16, size);
  if (bytes && moved) {
    size_t before = ((struct block *)bytes - 1)->size;
    memcpy(moved, bytes, before < size ? before : size);
    __wrap_free(bytes);
  }
  return moved;
}

size_t sim_memory_bytes(void) {
  return live_bytes;
}

const char *sim_memory_check(void) {
  for (uint8_t *p = arena; p && p < at;) {
    const struct block *block = (const struct block *)(void *)p;
    const uint8_t *bytes = p + sizeof *block;
    if (block->state != LIVE && block->state != DEAD)
      return "a block was written past its end";
    size_t n = block->state == DEAD && !block->marked ? (block->size < POISONED ? block->size : POISONED) : 0;
    if (n && (bytes[0] != POISON || memcmp(bytes, bytes + 1, n - 1) != 0))
      return "a freed block was written to";
    p += sizeof *block + block->size;
  }
  return NULL;
}

/* ---- leaks: mark and sweep from the static variables of the executable */

static struct block **blocks;
static size_t block_count;

static struct block *block_at(const uint8_t *pointer) {
  size_t low = 0, high = block_count;
  if (!in_arena(pointer))
    return NULL;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if ((const uint8_t *)blocks[middle] <= pointer)
      low = middle + 1;
    else
      high = middle;
  }
  struct block *block = low ? blocks[low - 1] : NULL;
  return block && pointer < (uint8_t *)(block + 1) + block->size + 1 ? block : NULL;
}

static void mark(const void *from, size_t size) {
  for (size_t i = 0; i + 8 <= size; i += 8) {
    const uint8_t *pointer;
    memcpy(&pointer, (const uint8_t *)from + i, sizeof pointer);
    struct block *block = block_at(pointer);
    if (block && !block->marked) {
      block->marked = 1;
      mark(block + 1, block->size < 65536 ? block->size : 65536);
    }
  }
}

static int mark_statics(struct dl_phdr_info *info, size_t size, void *context) {
  (void)size;
  (void)context;
  for (int i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_W)
      mark((const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr), info->dlpi_phdr[i].p_memsz);
  return 1; /* the executable is the first */
}

int sim_memory_leaks(char *text, size_t room) {
  int leaks = 0;
  size_t used = 0;
  for (uint8_t *p = arena; p && p < at; p += sizeof(struct block) + ((struct block *)(void *)p)->size)
    block_count += ((struct block *)(void *)p)->state == LIVE;
  blocks = __real_malloc((block_count + 1) * sizeof *blocks);
  block_count = 0;
  for (uint8_t *p = arena; p && p < at; p += sizeof(struct block) + ((struct block *)(void *)p)->size)
    if (((struct block *)(void *)p)->state == LIVE)
      blocks[block_count++] = (struct block *)(void *)p;
  dl_iterate_phdr(mark_statics, NULL);
  sim_threads_visit(mark);
  text[0] = '\0';
  for (size_t i = 0; i < block_count; i++)
    if (!blocks[i]->marked) {
      leaks++;
      if (used + 24 < room)
        used += (size_t)snprintf(text + used, room - used, " %zu", blocks[i]->size);
    }
  return leaks;
}
