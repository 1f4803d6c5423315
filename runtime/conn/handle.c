#include "handle.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "base/mem.h"

/* An ID: generation (31 bits), place (25 bits), kind (1 bit for a connection, else 2). */
enum { WS_ID_PLACE_BITS = 25, WS_ID_GENERATION_BITS = 31 };

/* The kind's bits, and the number of the first place: the first server is 2, the first connection 3, the first timer
 * 4. */
static const struct ws_id_format {
  const char *name;
  unsigned bits;
  unsigned kind;
  unsigned first;
} ws_id_formats[] = {
    [WS_HANDLE_SERVER] = {"server", 2, 2, 0},
    [WS_HANDLE_CONNECTION] = {"connection", 1, 1, 1},
    [WS_HANDLE_TIMER] = {"timer", 2, 0, 1},
};

/* A slot's word: generation (31), alive (1), retired (1), owner (6), pins (25). A free slot is neither alive nor
 * retired; it holds the generation of its next use, and all lower ones were issued. */
#define WS_WORD_PIN ((uint64_t)1)
#define WS_WORD_PINS (((uint64_t)1 << 25) - 1)
#define WS_WORD_OWNER_SHIFT 25
#define WS_WORD_OWNER ((uint64_t)(WS_HANDLE_OWNERS - 1) << WS_WORD_OWNER_SHIFT)
#define WS_WORD_RETIRED ((uint64_t)1 << 31)
#define WS_WORD_ALIVE ((uint64_t)1 << 32)
#define WS_WORD_GENERATION_SHIFT 33
#define WS_GENERATIONS ((uint64_t)1 << WS_ID_GENERATION_BITS)

/* A free slot's object is its successor in the queue of free places. */
struct ws_slot {
  _Atomic uint64_t word;
  union {
    void *object;
    uint32_t next_free; /* 1 + place; 0: the last */
  };
};

/* Segment s holds 2^(s+6) slots, so that slots never move and look-ups need no lock. */
enum { WS_SEGMENT_FIRST = 6, WS_SEGMENTS = 19, WS_PLACES = 1 << 24, WS_PLACES_FRESH = 1024 };

struct ws_handle_table {
  _Atomic(struct ws_slot *) segments[WS_SEGMENTS];
  pthread_mutex_t lock; /* of what follows */
  uint32_t used;        /* places ever used */
  uint32_t free_first;  /* 1 + place, 0: none */
  uint32_t free_last;
};

static struct ws_handle_table ws_handle_tables[] = {
    [WS_HANDLE_SERVER] = {.lock = PTHREAD_MUTEX_INITIALIZER},
    [WS_HANDLE_CONNECTION] = {.lock = PTHREAD_MUTEX_INITIALIZER},
    [WS_HANDLE_TIMER] = {.lock = PTHREAD_MUTEX_INITIALIZER},
};

static unsigned ws_segment_of(uint32_t place, uint32_t *offset) {
  uint32_t shifted = place + (1u << WS_SEGMENT_FIRST);
  unsigned top = 31u - (unsigned)__builtin_clz(shifted);
  *offset = shifted - (1u << top);
  return top - WS_SEGMENT_FIRST;
}

/* Returns NULL if the place was never used. */
static struct ws_slot *ws_slot_at(struct ws_handle_table *table, uint32_t place) {
  uint32_t offset;
  unsigned segment = ws_segment_of(place, &offset);
  struct ws_slot *slots = atomic_load_explicit(&table->segments[segment], memory_order_acquire);
  return slots ? &slots[offset] : NULL;
}

enum ws_handle_kind ws_handle_kind_of(int64_t id) {
  if (id & 1)
    return WS_HANDLE_CONNECTION;
  return (id & 2) ? WS_HANDLE_SERVER : WS_HANDLE_TIMER;
}

const char *ws_handle_kind_name(enum ws_handle_kind kind) {
  return ws_id_formats[kind].name;
}

/* Of an ID of this kind; a huge number if it has none. */
static uint32_t ws_id_place(enum ws_handle_kind kind, int64_t id) {
  const struct ws_id_format *format = &ws_id_formats[kind];
  return ((uint32_t)((uint64_t)id >> format->bits) & ((1u << WS_ID_PLACE_BITS) - 1)) - format->first;
}

static struct ws_slot *ws_slot_of(enum ws_handle_kind kind, int64_t id) {
  uint32_t place = ws_id_place(kind, id);
  if (id <= 0 || ws_handle_kind_of(id) != kind || place >= WS_PLACES)
    return NULL;
  return ws_slot_at(&ws_handle_tables[kind], place);
}

static uint64_t ws_id_generation(int64_t id) {
  return (uint64_t)id >> (ws_id_formats[ws_handle_kind_of(id)].bits + WS_ID_PLACE_BITS);
}

/* The slot of an ID that was issued. */
static struct ws_slot *ws_slot_known(int64_t id) {
  return ws_slot_of(ws_handle_kind_of(id), id);
}

static bool ws_word_is(uint64_t word, uint64_t generation) {
  return (word & WS_WORD_ALIVE) && word >> WS_WORD_GENERATION_SHIFT == generation;
}

/* Allocates the segment of a place that is used for the first time. */
static struct ws_slot *ws_slot_make(struct ws_handle_table *table, uint32_t place) {
  uint32_t offset;
  unsigned segment = ws_segment_of(place, &offset);
  struct ws_slot *slots = atomic_load_explicit(&table->segments[segment], memory_order_relaxed);
  if (!slots) {
    slots = ws_mem_calloc((size_t)1 << (segment + WS_SEGMENT_FIRST), sizeof *slots);
    if (!slots)
      return NULL;
    atomic_store_explicit(&table->segments[segment], slots, memory_order_release);
  }
  return &slots[offset];
}

/* Allocates the place that has been free longest. While few were ever used, a new one: small programs see small IDs. */
static struct ws_slot *ws_slot_allocate(struct ws_handle_table *table, uint32_t *place) {
  struct ws_slot *slot = NULL;
  if (table->free_first && table->used >= WS_PLACES_FRESH) {
    *place = table->free_first - 1;
    slot = ws_slot_at(table, *place);
    table->free_first = slot->next_free;
    if (!table->free_first)
      table->free_last = 0;
  } else if (table->used < WS_PLACES) {
    *place = table->used;
    slot = ws_slot_make(table, *place);
    if (slot)
      table->used++;
  }
  return slot;
}

static void ws_slot_free(struct ws_handle_table *table, struct ws_slot *slot, uint32_t place) {
  slot->next_free = 0;
  if (table->free_last)
    ws_slot_at(table, table->free_last - 1)->next_free = place + 1;
  else
    table->free_first = place + 1;
  table->free_last = place + 1;
}

int64_t ws_handle_issue(enum ws_handle_kind kind, void *object, unsigned owner) {
  struct ws_handle_table *table = &ws_handle_tables[kind];
  uint32_t place = 0;
  int64_t id = 0;
  pthread_mutex_lock(&table->lock);
  struct ws_slot *slot = ws_slot_allocate(table, &place);
  if (slot) {
    uint64_t generation = atomic_load_explicit(&slot->word, memory_order_relaxed) >> WS_WORD_GENERATION_SHIFT;
    slot->object = object;
    atomic_store_explicit(
        &slot->word, generation << WS_WORD_GENERATION_SHIFT | WS_WORD_ALIVE | (uint64_t)owner << WS_WORD_OWNER_SHIFT,
        memory_order_release);
    const struct ws_id_format *format = &ws_id_formats[kind];
    id = (int64_t)((generation << WS_ID_PLACE_BITS | (place + format->first)) << format->bits | format->kind);
  }
  pthread_mutex_unlock(&table->lock);
  return id;
}

void *ws_handle_owned(enum ws_handle_kind kind, int64_t id, unsigned owner) {
  struct ws_slot *slot = ws_slot_of(kind, id);
  if (!slot)
    return NULL;
  uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);
  if (!ws_word_is(word, ws_id_generation(id)) || (word & WS_WORD_OWNER) >> WS_WORD_OWNER_SHIFT != owner)
    return NULL;
  return slot->object;
}

/* The reason why an ID is no live one of this kind. */
static enum ws_handle_state ws_handle_why_not(enum ws_handle_kind kind, int64_t id) {
  if (id > 0 && ws_handle_kind_of(id) != kind) {
    enum ws_handle_kind other = ws_handle_kind_of(id);
    return ws_handle_why_not(other, id) == WS_HANDLE_UNKNOWN ? WS_HANDLE_UNKNOWN : WS_HANDLE_OTHER_KIND;
  }
  struct ws_slot *slot = ws_slot_of(kind, id);
  if (!slot)
    return WS_HANDLE_UNKNOWN;
  uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);
  uint64_t generation = ws_id_generation(id);
  if (ws_word_is(word, generation))
    return WS_HANDLE_ALIVE;
  uint64_t issued = (word >> WS_WORD_GENERATION_SHIFT) + (word & (WS_WORD_ALIVE | WS_WORD_RETIRED) ? 1 : 0);
  return generation < issued ? WS_HANDLE_GONE : WS_HANDLE_UNKNOWN;
}

void *ws_handle_pin(enum ws_handle_kind kind, int64_t id, enum ws_handle_state *state) {
  struct ws_slot *slot = ws_slot_of(kind, id);
  if (slot) {
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);
    while (ws_word_is(word, ws_id_generation(id)) && (word & WS_WORD_PINS) < WS_WORD_PINS) {
      if (atomic_compare_exchange_weak_explicit(&slot->word, &word, word + WS_WORD_PIN, memory_order_acquire,
                                                memory_order_acquire)) {
        *state = WS_HANDLE_ALIVE;
        return slot->object;
      }
    }
  }
  *state = ws_handle_why_not(kind, id);
  /* Reissued, or pinned to the limit, since the first look: gone for this caller. */
  if (*state == WS_HANDLE_ALIVE)
    *state = WS_HANDLE_GONE;
  return NULL;
}

void ws_handle_pin_again(int64_t id) {
  atomic_fetch_add_explicit(&ws_slot_known(id)->word, WS_WORD_PIN, memory_order_relaxed);
}

/* Frees the place for its next generation. The caller frees the object. */
static void ws_handle_recycle(int64_t id, struct ws_slot *slot) {
  struct ws_handle_table *table = &ws_handle_tables[ws_handle_kind_of(id)];
  uint64_t next = (ws_id_generation(id) + 1) % WS_GENERATIONS;
  uint32_t place = ws_id_place(ws_handle_kind_of(id), id);
  pthread_mutex_lock(&table->lock);
  atomic_store_explicit(&slot->word, next << WS_WORD_GENERATION_SHIFT, memory_order_release);
  ws_slot_free(table, slot, place);
  pthread_mutex_unlock(&table->lock);
}

bool ws_handle_unpin(int64_t id) {
  struct ws_slot *slot = ws_slot_known(id);
  uint64_t word = atomic_fetch_sub_explicit(&slot->word, WS_WORD_PIN, memory_order_acq_rel);
  if ((word & WS_WORD_PINS) != 1 || (word & WS_WORD_ALIVE))
    return false;
  ws_handle_recycle(id, slot);
  return true;
}

bool ws_handle_retire(int64_t id) {
  struct ws_slot *slot = ws_slot_known(id);
  uint64_t word = atomic_fetch_xor_explicit(&slot->word, WS_WORD_ALIVE | WS_WORD_RETIRED, memory_order_acq_rel);
  if (word & WS_WORD_PINS)
    return false;
  ws_handle_recycle(id, slot);
  return true;
}

bool ws_handle_is_alive(enum ws_handle_kind kind, int64_t id) {
  struct ws_slot *slot = ws_slot_of(kind, id);
  return slot && ws_word_is(atomic_load_explicit(&slot->word, memory_order_acquire), ws_id_generation(id));
}
