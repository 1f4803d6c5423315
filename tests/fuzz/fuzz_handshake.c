/* Handshakes: for any input the server's response is valid HTTP with the right status, and the client's error message
 * is short printable text. HS-12 HS-13 HS-19 */
#include "fuzz.h"

#include "protocol/client_handshake.h"
#include "protocol/server_handshake.h"

static const char *const origins[] = {"https://page.example"};
static const char *const hosts[] = {"dash.example", "[2001:db8::1]:80"};

static void check_server(const char *bytes, size_t n, uint8_t flags) {
  const struct ws_server_handshake_rules rules = {.path = "/chat",
                                                  .loopback = (flags & 2) != 0,
                                                  .any_origin = (flags & 4) != 0,
                                                  .compression = (flags & 8) != 0,
                                                  .origins = origins,
                                                  .origin_count = 1,
                                                  .hosts = hosts,
                                                  .host_count = 2,
                                                  .protocols = flags & 16 ? "v2, v1" : NULL};
  struct ws_server_handshake request;
  struct ws_http_head head, answered;
  char answer[WS_SERVER_HANDSHAKE_MAX];
  enum ws_refusal refusal;
  size_t size;

  ws_http_head_init(&head, WS_HTTP_REQUEST);
  switch (ws_http_head_parse(&head, bytes, n)) {
  case WS_HTTP_PARTIAL:
    return;
  case WS_HTTP_PROBLEM:
    refusal = (enum ws_refusal)head.problem;
    break;
  default:
    refusal = ws_server_handshake_check(&head, &rules, &request);
  }
  if (refusal == WS_REFUSAL_NONE)
    size = ws_server_handshake_accept(answer, &request);
  else
    size = ws_server_handshake_refuse(answer, refusal, "");
  must(size < sizeof answer);
  ws_http_head_init(&answered, WS_HTTP_RESPONSE);
  must(ws_http_head_parse(&answered, answer, size) == WS_HTTP_COMPLETE);
  must(answered.status == (refusal == WS_REFUSAL_NONE ? 101 : ws_refusal_status(refusal)));
}

static void check_client(const char *bytes, size_t n, uint8_t flags) {
  struct ws_client_handshake_offer offer = {
      .protocols = flags & 2 ? "v2, v1" : NULL, .compression = (flags & 4) != 0, .key = "dGhlIHNhbXBsZSBub25jZQ=="};
  struct ws_client_handshake_answer answer;
  struct ws_http_head head;
  char text[200];
  enum ws_client_handshake_problem problem;

  ws_http_head_init(&head, WS_HTTP_RESPONSE);
  switch (ws_http_head_parse(&head, bytes, n)) {
  case WS_HTTP_PARTIAL:
    return;
  case WS_HTTP_PROBLEM:
    ws_client_handshake_explain_head(text, sizeof text, &head);
    break;
  default:
    problem = ws_client_handshake_check(&head, &offer, &answer);
    must(problem != WS_CLIENT_HANDSHAKE_OK || offer.compression || !ws_deflate_in_use(&answer.deflate));
    ws_client_handshake_explain(text, sizeof text, problem, &head);
  }
  for (const char *c = text; *c; c++)
    must(*c >= 0x20 && *c < 0x7F);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input input = {data, size};
  uint8_t flags = take_byte(&input);
  char *bytes = (char *)copy_of(input.data, input.size);

  (flags & 1 ? check_client : check_server)(bytes, input.size, flags);
  free(bytes);
  return 0;
}
