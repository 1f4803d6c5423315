#include "deflate.h"

#include <assert.h>
#include <stdio.h>
#include <zlib.h>

#include "base/mem.h"

/* Negotiation ------------------------------------------------------------------------------------------------------ */

/* The parameters of one element of the header, read without judgment of who may say what. */
struct ws_deflate_element {
  bool server_no_takeover, client_no_takeover;
  bool server_bits_given, client_bits_given;
  uint8_t server_bits, client_bits; /* 0: none given, or given without a value */
  bool acceptable;                  /* no parameter is unknown, repeated or ill-valued */
};

/* token [ "=" ( token | quoted-string ) ] ; what is quoted must be a token. A value that is left out is absent. */
static bool ws_deflate_parameter(struct ws_slice text, struct ws_slice *name, struct ws_slice *value) {
  size_t n = 0;

  while (n < text.size && text.data[n] != '=')
    n++;
  *name = ws_slice_trim((struct ws_slice){text.data, n});
  *value = (struct ws_slice){NULL, 0};
  if (!ws_slice_is_token(*name))
    return false;
  if (n == text.size)
    return true;
  *value = ws_slice_trim((struct ws_slice){text.data + n + 1, text.size - n - 1});
  if (value->size >= 2 && value->data[0] == '"' && value->data[value->size - 1] == '"')
    *value = (struct ws_slice){value->data + 1, value->size - 2};
  return ws_slice_is_token(*value);
}

/* Window bits are 8 to 15, written without leading zeros; 0 for anything else. */
static uint8_t ws_deflate_bits(struct ws_slice value) {
  if (value.size == 1 && (value.data[0] == '8' || value.data[0] == '9'))
    return (uint8_t)(value.data[0] - '0');
  if (value.size == 2 && value.data[0] == '1' && value.data[1] >= '0' && value.data[1] <= '5')
    return (uint8_t)(10 + value.data[1] - '0');
  return 0;
}

static void ws_deflate_take_flag(struct ws_deflate_element *element, bool *flag, struct ws_slice value) {
  if (*flag || value.data)
    element->acceptable = false;
  *flag = true;
}

static void ws_deflate_take_bits(struct ws_deflate_element *element, bool *given, uint8_t *bits,
                                 struct ws_slice value) {
  *bits = ws_deflate_bits(value);
  if (*given || (value.data && *bits == 0))
    element->acceptable = false;
  *given = true;
}

static void ws_deflate_take(struct ws_deflate_element *element, struct ws_slice name, struct ws_slice value) {
  if (ws_slice_equal_nocase(name, ws_slice_of("server_no_context_takeover")))
    ws_deflate_take_flag(element, &element->server_no_takeover, value);
  else if (ws_slice_equal_nocase(name, ws_slice_of("client_no_context_takeover")))
    ws_deflate_take_flag(element, &element->client_no_takeover, value);
  else if (ws_slice_equal_nocase(name, ws_slice_of("server_max_window_bits")))
    ws_deflate_take_bits(element, &element->server_bits_given, &element->server_bits, value);
  else if (ws_slice_equal_nocase(name, ws_slice_of("client_max_window_bits")))
    ws_deflate_take_bits(element, &element->client_bits_given, &element->client_bits, value);
  else
    element->acceptable = false;
}

/* extension = token *( ";" parameter ) ; AGREED if it is permessage-deflate, DECLINED if it is another. */
static enum ws_deflate_outcome ws_deflate_element(struct ws_deflate_element *element, struct ws_slice text) {
  struct ws_slice extension, part, name, value;
  bool ours;

  *element = (struct ws_deflate_element){.acceptable = true};
  ws_slice_next(&text, ';', &extension);
  if (!ws_slice_is_token(extension))
    return WS_DEFLATE_MALFORMED;
  ours = ws_slice_equal_nocase(extension, ws_slice_of("permessage-deflate"));
  while (ws_slice_next(&text, ';', &part)) {
    if (!ws_deflate_parameter(part, &name, &value))
      return WS_DEFLATE_MALFORMED;
    if (ours)
      ws_deflate_take(element, name, value);
  }
  return ours ? WS_DEFLATE_AGREED : WS_DEFLATE_DECLINED;
}

/* RFC 7692 section 7.1, as the server that answers an offer. */
static bool ws_deflate_accept(struct ws_deflate_params *params, const struct ws_deflate_element *offer) {
  if (!offer->acceptable || (offer->server_bits_given && offer->server_bits < 9))
    return false;
  *params = (struct ws_deflate_params){
      .server_bits = offer->server_bits_given ? offer->server_bits : 15,
      .client_bits = offer->client_bits > 0 ? offer->client_bits : 15,
      .server_no_takeover = offer->server_no_takeover,
      .client_no_takeover = offer->client_no_takeover,
  };
  return true;
}

enum ws_deflate_outcome ws_deflate_negotiate(struct ws_deflate_params *params, struct ws_slice offers) {
  struct ws_deflate_element offer;
  struct ws_slice text;

  *params = (struct ws_deflate_params){0};
  while (ws_slice_next(&offers, ',', &text)) {
    enum ws_deflate_outcome outcome;

    if (text.size == 0)
      continue;
    outcome = ws_deflate_element(&offer, text);
    if (outcome == WS_DEFLATE_MALFORMED) {
      *params = (struct ws_deflate_params){0};
      return outcome;
    }
    if (outcome == WS_DEFLATE_AGREED && !ws_deflate_in_use(params))
      ws_deflate_accept(params, &offer);
  }
  return ws_deflate_in_use(params) ? WS_DEFLATE_AGREED : WS_DEFLATE_DECLINED;
}

size_t ws_deflate_response(char to[WS_DEFLATE_RESPONSE_MAX], const struct ws_deflate_params *params) {
  char server_bits[32] = "", client_bits[32] = "";

  if (params->server_bits < 15)
    snprintf(server_bits, sizeof server_bits, "; server_max_window_bits=%d", params->server_bits);
  if (params->client_bits < 15)
    snprintf(client_bits, sizeof client_bits, "; client_max_window_bits=%d", params->client_bits);
  return (size_t)snprintf(to, WS_DEFLATE_RESPONSE_MAX, "permessage-deflate%s%s%s%s",
                          params->server_no_takeover ? "; server_no_context_takeover" : "",
                          params->client_no_takeover ? "; client_no_context_takeover" : "", server_bits, client_bits);
}

enum ws_deflate_outcome ws_deflate_agree(struct ws_deflate_params *params, struct ws_slice response) {
  struct ws_deflate_element answer;
  struct ws_slice text;

  *params = (struct ws_deflate_params){0};
  while (ws_slice_next(&response, ',', &text)) {
    if (text.size == 0)
      continue;
    if (ws_deflate_in_use(params) || ws_deflate_element(&answer, text) != WS_DEFLATE_AGREED || !answer.acceptable ||
        (answer.server_bits_given && answer.server_bits == 0) || (answer.client_bits_given && answer.client_bits < 9)) {
      *params = (struct ws_deflate_params){0};
      return WS_DEFLATE_MALFORMED;
    }
    *params = (struct ws_deflate_params){
        .server_bits = answer.server_bits_given ? answer.server_bits : 15,
        .client_bits = answer.client_bits_given ? answer.client_bits : 15,
        .server_no_takeover = answer.server_no_takeover,
        .client_no_takeover = answer.client_no_takeover,
    };
  }
  return ws_deflate_in_use(params) ? WS_DEFLATE_AGREED : WS_DEFLATE_DECLINED;
}

/* zlib allocates by these, so that whoever watches or limits this program's memory sees zlib's too. */
static voidpf ws_zlib_alloc(voidpf ctx, uInt count, uInt size) {
  (void)ctx;
  return ws_mem_alloc((size_t)count * size);
}

static void ws_zlib_free(voidpf ctx, voidpf block) {
  (void)ctx;
  ws_mem_free(block);
}

/* Receiving -------------------------------------------------------------------------------------------------------- */

struct ws_inflater {
  z_stream stream;
};

struct ws_inflater *ws_inflater_new(uint8_t bits) {
  struct ws_inflater *inflater = ws_mem_calloc(1, sizeof *inflater);

  if (!inflater)
    return NULL;
  inflater->stream.zalloc = ws_zlib_alloc;
  inflater->stream.zfree = ws_zlib_free;
  /* A peer whose zlib was asked for 8 bits may well use 9. */
  if (inflateInit2(&inflater->stream, bits < 9 ? -9 : -bits) != Z_OK) {
    ws_mem_free(inflater);
    return NULL;
  }
  return inflater;
}

void ws_inflater_free(struct ws_inflater *inflater) {
  if (!inflater)
    return;
  inflateEnd(&inflater->stream);
  ws_mem_free(inflater);
}

enum ws_violation ws_inflater_step(struct ws_inflater *inflater, struct ws_inflate_step *step) {
  z_stream *stream = &inflater->stream;
  int result = Z_OK;

  assert(step->in_size <= UINT32_MAX && step->room <= UINT32_MAX);
  stream->next_in = (z_const Bytef *)step->in;
  stream->avail_in = (uInt)step->in_size;
  stream->next_out = step->to;
  stream->avail_out = (uInt)step->room;
  do {
    result = inflate(stream, Z_SYNC_FLUSH);
    /* A block marked as the last does not end the connection's stream (RFC 7692 section 7.2.3.5): the next one starts at
     * a byte's boundary, and the window stays. */
    if (result == Z_STREAM_END)
      inflateResetKeep(stream);
  } while (result == Z_STREAM_END && stream->avail_in > 0);
  step->in = stream->next_in;
  step->in_size = stream->avail_in;
  step->to = stream->next_out;
  step->room = stream->avail_out;
  if (result == Z_MEM_ERROR)
    return WS_VIOLATION_OUT_OF_MEMORY;
  return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR ? WS_VIOLATION_NONE
                                                                           : WS_VIOLATION_DEFLATE_DATA;
}

bool ws_inflater_at_boundary(const struct ws_inflater *inflater) {
  /* zlib: 128 right after a block's end; the lower bits would count bits left over, 64 mark a last block. */
  return inflater->stream.data_type == 128;
}

/* Sending ---------------------------------------------------------------------------------------------------------- */

struct ws_deflater {
  z_stream stream;
  bool no_takeover;
};

struct ws_deflater *ws_deflater_new(uint8_t bits, bool no_takeover) {
  struct ws_deflater *deflater = ws_mem_calloc(1, sizeof *deflater);

  assert(bits >= 9 && bits <= 15);
  if (!deflater)
    return NULL;
  deflater->no_takeover = no_takeover;
  deflater->stream.zalloc = ws_zlib_alloc;
  deflater->stream.zfree = ws_zlib_free;
  if (deflateInit2(&deflater->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -bits, ws_deflater_level(bits),
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    ws_mem_free(deflater);
    return NULL;
  }
  return deflater;
}

void ws_deflater_free(struct ws_deflater *deflater) {
  if (!deflater)
    return;
  deflateEnd(&deflater->stream);
  ws_mem_free(deflater);
}

/* So much of a long message is compressed and flushed before what it came to is looked at. */
enum { WS_DEFLATE_PIECE = WS_DEFLATE_FREE / 4 };

size_t ws_deflater_bound(struct ws_deflater *deflater, size_t n) {
  /* zlib's bound is for a stream that ends; each flush adds an empty block, and what it pads. */
  return deflateBound(&deflater->stream, n) + 16 * (n / WS_DEFLATE_PIECE + 1);
}

size_t ws_deflater_run(struct ws_deflater *deflater, uint8_t *to, const uint8_t *message, size_t n) {
  z_stream *stream = &deflater->stream;
  size_t bound = ws_deflater_bound(deflater, n);

  assert(bound <= UINT32_MAX);
  if (n == 0) {
    to[0] = 0x00; /* an empty stored block, its length cut off as the tail (RFC 7692 section 7.2.3.6) */
    return 1;
  }
  if (deflater->no_takeover)
    deflateReset(stream);
  stream->next_in = (z_const Bytef *)message;
  stream->next_out = to;
  stream->avail_out = (uInt)bound;
  for (size_t done = 0; done < n;) {
    size_t piece = n > WS_DEFLATE_FREE && n - done > WS_DEFLATE_PIECE ? WS_DEFLATE_PIECE : n - done;

    /* The receiver judges at every byte: what has come out before this piece must do for all of it. */
    if (ws_deflate_expands_too_much(done + piece, bound - stream->avail_out, WS_DEFLATE_RATIO)) {
      deflateReset(stream);
      return 0;
    }
    stream->avail_in = (uInt)piece;
    done += piece;
    deflate(stream, done < n ? Z_PARTIAL_FLUSH : Z_SYNC_FLUSH);
    assert(stream->avail_in == 0 && stream->avail_out > 0);
  }
  return bound - stream->avail_out - sizeof WS_DEFLATE_TAIL;
}
