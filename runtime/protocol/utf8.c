#include "utf8.h"

#include <string.h>

#include "frame.h"
#include "utf8_block.h"
#include "utf8_scalar.h"

/* One pass over a text, in four phases: bytes to the end of a character that an earlier call began; blocks of 64 bytes
 * with vectors; words of 8 ASCII bytes; bytes. `to` is NULL without unmasking. */
struct ws_utf8_pass {
  struct ws_utf8 *state;
  uint8_t *to;
  const uint8_t *from;
  size_t n;
  size_t done;
  uint8_t key[4]; /* rotated to `done` */
};

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
  uint64_t key;
  uint32_t half;
  memcpy(&half, pass->key, sizeof half);
  key = (uint64_t)half << 32 | half;
  while (pass->n - pass->done >= 8) {
    uint64_t word;
    memcpy(&word, pass->from + pass->done, sizeof word);
    word ^= key;
    if (pass->state->need > 0 || (word & 0x8080808080808080u) != 0) {
      if (!ws_utf8_pass_bytes(pass, pass->done + 8))
        return false;
      continue;
    }
    if (pass->to)
      memcpy(pass->to + pass->done, &word, sizeof word);
    pass->done += 8;
  }
  return true;
}

static size_t ws_utf8_pass_run(struct ws_utf8_pass *pass) {
  if (ws_utf8_pass_open(pass) && ws_utf8_pass_blocks(pass) && ws_utf8_pass_words(pass))
    ws_utf8_pass_bytes(pass, pass->n);
  return pass->done;
}

size_t ws_utf8_feed(struct ws_utf8 *state, const uint8_t *bytes, size_t n) {
  struct ws_utf8_pass pass = {.state = state, .from = bytes, .n = n};
  return ws_utf8_pass_run(&pass);
}

size_t ws_utf8_unmask(struct ws_utf8 *state, uint8_t *to, const uint8_t *from, size_t n, const uint8_t key[4]) {
  struct ws_utf8_pass pass = {.state = state, .to = to, .from = from, .n = n, .key = {key[0], key[1], key[2], key[3]}};
  return ws_utf8_pass_run(&pass);
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
