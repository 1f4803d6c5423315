#include "utf8.h"

#include <string.h>

#include "base/path.h"
#include "frame.h"
#include "utf8_block.h"
#include "utf8_scalar.h"

/* One pass over a text, in three phases: bytes to the end of a character that an earlier call began; blocks of 64 bytes
 * with vectors; ASCII by words and other characters by bytes. `to` is NULL without unmasking. */
struct ws_utf8_pass {
  struct ws_utf8 *state;
  uint8_t *to;
  const uint8_t *from;
  size_t n;
  size_t done;
  uint8_t key[4]; /* rotated to `done` */
};

/* ---- ASCII */

#define WS_UTF8_HIGH_BITS UINT64_C(0x8080808080808080)

static inline uint64_t ws_utf8_load(const uint8_t *from) {
  uint64_t word;
  memcpy(&word, from, sizeof word);
  return word;
}

/* The key of a word at this offset: its bytes are a cycle, in the order of memory. */
static inline uint64_t ws_utf8_key_at(const uint8_t key[4], size_t offset) {
  unsigned bits = 8 * (offset & 3);
  uint32_t once;
  memcpy(&once, key, sizeof once);
  uint64_t twice = (uint64_t)once << 32 | once;
  if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
    bits = -bits & 63;
  return twice >> bits | twice << (-bits & 63);
}

/* Consumes ASCII from the front, unmasked with the key. Returns n if there is nothing else, or the offset of a word
 * that has other bytes. The last word overlaps the one before it and is loaded first, because `to` may equal `from`. */
static inline size_t ws_utf8_ascii(uint8_t *to, const uint8_t *from, size_t n, const uint8_t key[4]) {
  uint64_t all = ws_utf8_key_at(key, 0), last;
  size_t at = 0;
  if (n < sizeof last)
    return 0;
  last = ws_utf8_load(from + n - sizeof last) ^ ws_utf8_key_at(key, n);
  for (; n - at > sizeof last; at += sizeof last) {
    uint64_t word = ws_utf8_load(from + at) ^ all;
    if (word & WS_UTF8_HIGH_BITS)
      return at;
    if (to)
      memcpy(to + at, &word, sizeof word);
  }
  if (last & WS_UTF8_HIGH_BITS)
    return at;
  if (to)
    memcpy(to + n - sizeof last, &last, sizeof last);
  return n;
}

/* ---- other characters */

/* Consumes bytes up to offset `end`. */
static bool ws_utf8_pass_bytes(struct ws_utf8_pass *pass, size_t end) {
  size_t n = end - pass->done, valid;
  if (pass->to)
    valid = ws_utf8_scalar_unmask(pass->state, pass->to + pass->done, pass->from + pass->done, n, pass->key);
  else
    valid = ws_utf8_scalar_feed(pass->state, pass->from + pass->done, n);
  pass->done += valid;
  ws_frame_key_advance(pass->key, valid);
  return valid == n;
}

/* Consumes bytes to the end of the current character. */
static bool ws_utf8_pass_open(struct ws_utf8_pass *pass) {
  while (pass->state->need > 0 && pass->done < pass->n)
    if (!ws_utf8_pass_bytes(pass, pass->done + 1))
      return false;
  return true;
}

#ifdef WS_UTF8_HAVE_BLOCKS
/* Returns how many bytes at the end of a text, at most three, may belong to an incomplete character. The check of
 * blocks examines pairs, so it cannot judge them. */
static size_t ws_utf8_open_bytes(const uint8_t *end) {
  for (size_t back = 1; back <= 3; back++)
    if ((end[-(ptrdiff_t)back] & 0xC0) != 0x80)
      return back;
  return 0;
}

static bool ws_utf8_pass_blocks(struct ws_utf8_pass *pass) {
  size_t blocks = (pass->n - pass->done) / WS_UTF8_BLOCK, size = blocks * WS_UTF8_BLOCK, judged = 0, valid;
  const uint8_t *text = (pass->to ? pass->to : pass->from) + pass->done;
  bool good;
  if (blocks == 0 || pass->state->need > 0 || !ws_utf8_blocks_usable())
    return true;
  if (pass->to)
    good = ws_utf8_blocks_unmask(pass->to + pass->done, pass->from + pass->done, blocks, pass->key);
  else
    good = ws_utf8_blocks_check(text, blocks);
  if (good)
    judged = size - ws_utf8_open_bytes(text + size);
  /* The state at the end, or the offset of the invalid byte. */
  valid = judged + ws_utf8_scalar_feed(pass->state, text + judged, size - judged);
  pass->done += valid;
  return valid == size;
}
#else
static bool ws_utf8_pass_blocks(struct ws_utf8_pass *pass) {
  (void)pass;
  return true;
}
#endif

static bool ws_utf8_pass_words(struct ws_utf8_pass *pass) {
  while (pass->done < pass->n) {
    uint8_t *to = pass->to ? pass->to + pass->done : NULL;
    size_t left = pass->n - pass->done;
    if (pass->state->need == 0) {
      size_t ascii = ws_utf8_ascii(to, pass->from + pass->done, left, pass->key);
      pass->done += ascii;
      left -= ascii; /* a multiple of four, unless nothing is left: the key stays */
    }
    if (left > 0 && !ws_utf8_pass_bytes(pass, pass->done + (left < 8 ? left : 8)))
      return false;
  }
  return true;
}

static size_t ws_utf8_pass_run(struct ws_utf8_pass *pass) {
  if (ws_utf8_pass_open(pass) && ws_utf8_pass_blocks(pass))
    ws_utf8_pass_words(pass);
  return pass->done;
}

size_t ws_utf8_feed(struct ws_utf8 *state, const uint8_t *bytes, size_t n) {
  struct ws_utf8_pass pass = {.state = state, .from = bytes, .n = n};
  return ws_utf8_pass_run(&pass);
}

/* What is not short, or not ASCII. */
WS_ASIDE static size_t ws_utf8_unmask_any(struct ws_utf8 *state, uint8_t *to, const uint8_t *from, size_t n,
                                          const uint8_t key[4], size_t done) {
  struct ws_utf8_pass pass = {
      .state = state, .to = to, .from = from, .n = n, .done = done, .key = {key[0], key[1], key[2], key[3]}};
  return ws_utf8_pass_run(&pass);
}

size_t ws_utf8_unmask(struct ws_utf8 *state, uint8_t *to, const uint8_t *from, size_t n, const uint8_t key[4]) {
  size_t done = 0;
  /* Most messages are short and ASCII. */
  if (n < WS_UTF8_BLOCK && state->need == 0)
    done = ws_utf8_ascii(to, from, n, key);
  return done == n ? n : ws_utf8_unmask_any(state, to, from, n, key, done);
}

size_t ws_utf8_check(const uint8_t *bytes, size_t n) {
  struct ws_utf8 state = WS_UTF8_START;
  size_t valid = ws_utf8_feed(&state, bytes, n);
  /* Back to the lead byte of an incomplete sequence. */
  if (state.need > 0) {
    do
      valid--;
    while ((bytes[valid] & 0xC0) == 0x80);
  }
  return valid;
}
