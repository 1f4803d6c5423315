#include "refusal.h"

struct ws_refusal_row {
  int status;
  const char *text;
};

static const struct ws_refusal_row ws_refusal_rows[WS_REFUSAL_COUNT] = {[WS_REFUSAL_NONE] = {101, "none"},
#define WS_REFUSAL(name, status, text) [WS_REFUSAL_##name] = {status, text},
                                                                        WS_HTTP_PROBLEMS(WS_REFUSAL)
                                                                            WS_HANDSHAKE_REFUSALS(WS_REFUSAL)
#undef WS_REFUSAL
};

int ws_refusal_status(enum ws_refusal refusal) {
  return ws_refusal_rows[refusal].status;
}

const char *ws_refusal_text(enum ws_refusal refusal) {
  return ws_refusal_rows[refusal].text;
}
