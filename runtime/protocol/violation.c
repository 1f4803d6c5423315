#include "violation.h"

struct ws_violation_row {
  int code;
  const char *text;
};

static const struct ws_violation_row ws_violation_rows[WS_VIOLATION_COUNT] = {[WS_VIOLATION_NONE] = {1000, "none"},
#define WS_VIOLATION(name, close_code, text) [WS_VIOLATION_##name] = {close_code, text},
                                                                              WS_VIOLATIONS(WS_VIOLATION)
#undef WS_VIOLATION
};

int ws_violation_code(enum ws_violation violation) {
  return ws_violation_rows[violation].code;
}

const char *ws_violation_text(enum ws_violation violation) {
  return ws_violation_rows[violation].text;
}
