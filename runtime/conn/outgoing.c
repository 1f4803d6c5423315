#include "outgoing.h"

#include <string.h>

#include "base/mem.h"
#include "loop_thread.h"
#include "protocol/base64.h"
#include "protocol/frame.h"
#include "protocol/text.h"
#include "random.h"

bool ws_outgoing_is_in_hand(struct ws_outgoing *out, const char *op, const char *text, bool binary) {
  const struct ws_loop_thread *here = ws_loop_thread_current();
  if (!here || !here->call.wire || here->call.string != text || here->call.binary != binary)
    return false;
  *out = (struct ws_outgoing){
      .op = op,
      .text = (const char *)here->call.wire,
      .size = here->call.wire_size,
      .opcode = binary ? WS_OPCODE_BINARY : WS_OPCODE_TEXT,
      .plain = true,
  };
  return true;
}

int ws_outgoing_text(struct ws_outgoing *out, const char *op, const char *text, struct ws_error *error) {
  struct ws_text_extent extent;
  if (ws_outgoing_is_in_hand(out, op, text, false))
    return 0;
  enum ws_text_outcome outcome = ws_text_measure(text, &extent);
  *out = (struct ws_outgoing){
      .op = op,
      .text = text,
      .host_size = extent.host_size,
      .size = extent.wire_size,
      .opcode = WS_OPCODE_TEXT,
      .plain = outcome == WS_TEXT_SAME,
  };
  if (outcome == WS_TEXT_INVALID)
    ws_error_not_utf8(error, op, "the message", extent.error_offset);
  return outcome == WS_TEXT_INVALID ? -1 : 0;
}

int ws_outgoing_base64(struct ws_outgoing *out, const char *op, const char *base64, struct ws_error *error) {
  if (ws_outgoing_is_in_hand(out, op, base64, true))
    return 0;
  size_t n = strlen(base64);
  size_t padding = n >= 1 && base64[n - 1] == '=' ? (n >= 2 && base64[n - 2] == '=' ? 2 : 1) : 0;
  *out = (struct ws_outgoing){
      .op = op,
      .text = base64,
      .host_size = n,
      .size = n / 4 * 3 - (n >= 4 ? padding : 0),
      .opcode = WS_OPCODE_BINARY,
  };
  if (n % 4 == 0)
    return 0;
  /* The length is wrong; the decoder finds the offset. */
  uint8_t *scratch = ws_mem_alloc(ws_base64_decoded_max(n) + 1);
  size_t size;
  size_t offset = n;
  if (scratch)
    ws_base64_decode(scratch, base64, n, &size, &offset);
  ws_mem_free(scratch);
  if (base64[offset + strspn(base64 + offset, "=")] == '\0')
    ws_error_base64_length(error, n);
  else
    ws_error_not_base64(error, offset);
  return -1;
}

int ws_outgoing_write(const struct ws_outgoing *out, uint8_t *to, struct ws_error *error) {
  size_t size;
  size_t offset;
  if (out->plain) {
    memcpy(to, out->text, out->size);
  } else if (out->opcode == WS_OPCODE_TEXT) {
    ws_text_from_host(to, out->text, out->host_size);
  } else if (ws_base64_decode(to, out->text, out->host_size, &size, &offset)) {
    ws_error_not_base64(error, offset);
    return -1;
  }
  return 0;
}

int ws_outgoing_encode(const struct ws_outgoing *out, bool masked, uint8_t *to, struct ws_error *error) {
  uint8_t key[4];
  if (masked && ws_random_mask(key)) {
    ws_error_system(error, out->op, "no random bytes for the mask");
    return -1;
  }
  size_t header = ws_frame_encode(to, WS_FRAME_FIN | out->opcode, out->size, masked ? key : NULL);
  if (ws_outgoing_write(out, to + header, error))
    return -1;
  if (masked)
    ws_frame_mask(to + header, to + header, out->size, key);
  return 0;
}
