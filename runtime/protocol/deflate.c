#include "deflate.h"

#include <stdio.h>

#include "quoted.h"

/* One element of the header, without a judgment on the values. */
struct ws_deflate_element {
  bool server_no_takeover, client_no_takeover;
  bool server_bits_given, client_bits_given;
  uint8_t server_bits, client_bits; /* 0: absent, or without a value */
  bool acceptable;                  /* no parameter is unknown, repeated or invalid */
};

/* token [ "=" ( token | quoted-string ) ] ; *value is absent without "=", and a token after unescaping (RFC 6455
 * section 9.1). */
static bool ws_deflate_parameter(struct ws_slice text, struct ws_slice *name, struct ws_slice *value,
                                 char room[WS_QUOTED_MAX]) {
  size_t n = ws_slice_find(text, '=');
  *name = ws_slice_trim((struct ws_slice){text.data, n});
  *value = (struct ws_slice){NULL, 0};
  if (!ws_slice_is_token(*name))
    return false;
  if (n == text.size)
    return true;
  *value = ws_slice_trim(ws_slice_from(text, n + 1));
  if (value->size >= 2 && value->data[0] == '"' && value->data[value->size - 1] == '"')
    *value = ws_quoted_value((struct ws_slice){value->data + 1, value->size - 2}, room);
  return ws_slice_is_token(*value);
}

/* Parses window bits: 8 to 15, without leading zeros. Returns 0 for anything else. */
static uint8_t ws_deflate_bits(struct ws_slice value) {
  if (value.size == 1 && (value.data[0] == '8' || value.data[0] == '9'))
    return (uint8_t)(value.data[0] - '0');
  if (value.size == 2 && value.data[0] == '1' && value.data[1] >= '0' && value.data[1] <= '5')
    return (uint8_t)(10 + value.data[1] - '0');
  return 0;
}

static void ws_deflate_set_flag(struct ws_deflate_element *element, bool *flag, struct ws_slice value) {
  if (*flag || value.data)
    element->acceptable = false;
  *flag = true;
}

static void ws_deflate_set_bits(struct ws_deflate_element *element, bool *given, uint8_t *bits, struct ws_slice value) {
  *bits = ws_deflate_bits(value);
  if (*given || (value.data && *bits == 0))
    element->acceptable = false;
  *given = true;
}

static void ws_deflate_set(struct ws_deflate_element *element, struct ws_slice name, struct ws_slice value) {
  if (ws_slice_equal_nocase(name, ws_slice_of("server_no_context_takeover")))
    ws_deflate_set_flag(element, &element->server_no_takeover, value);
  else if (ws_slice_equal_nocase(name, ws_slice_of("client_no_context_takeover")))
    ws_deflate_set_flag(element, &element->client_no_takeover, value);
  else if (ws_slice_equal_nocase(name, ws_slice_of("server_max_window_bits")))
    ws_deflate_set_bits(element, &element->server_bits_given, &element->server_bits, value);
  else if (ws_slice_equal_nocase(name, ws_slice_of("client_max_window_bits")))
    ws_deflate_set_bits(element, &element->client_bits_given, &element->client_bits, value);
  else
    element->acceptable = false;
}

/* extension = token *( ";" parameter ) ; returns AGREED for permessage-deflate, DECLINED for another. */
static enum ws_deflate_outcome ws_deflate_element(struct ws_deflate_element *element, struct ws_slice text) {
  struct ws_slice extension, part, name, value;
  char room[WS_QUOTED_MAX];
  bool ours;
  *element = (struct ws_deflate_element){.acceptable = true};
  ws_slice_next(&text, ';', &extension);
  if (!ws_slice_is_token(extension))
    return WS_DEFLATE_MALFORMED;
  ours = ws_slice_equal_nocase(extension, ws_slice_of("permessage-deflate"));
  while (ws_slice_next(&text, ';', &part)) {
    if (!ws_deflate_parameter(part, &name, &value, room))
      return WS_DEFLATE_MALFORMED;
    if (ours)
      ws_deflate_set(element, name, value);
  }
  return ours ? WS_DEFLATE_AGREED : WS_DEFLATE_DECLINED;
}

/* RFC 7692 section 7.1, for the server. */
static bool ws_deflate_accept(struct ws_deflate_params *params, const struct ws_deflate_element *offer) {
  if (!offer->acceptable || (offer->server_bits_given && offer->server_bits < 9))
    return false;
  *params = (struct ws_deflate_params){
      .server_bits = offer->server_bits_given ? offer->server_bits : 15,
      .client_bits = offer->client_bits > 0 ? offer->client_bits : 15,
      .server_no_takeover = offer->server_no_takeover,
      .client_no_takeover = offer->client_no_takeover,
      .server_bits_offered = offer->server_bits_given,
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
  if (params->server_bits_offered)
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
