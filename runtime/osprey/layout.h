#pragma once
/* The Result of a handler and the records of spec/ws_builtins.def as C types, laid out as spec/ws_layouts.def lists. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hooks.h"

#define WS_IR(ir, c, size)                                                                                             \
  typedef c ws_ir_##ir;                                                                                                \
  _Static_assert(sizeof(c) == size && _Alignof(c) == size, #ir);
#define WS_TYPE(type, ir, counted) typedef ws_ir_##ir ws_type_##type;
#include "ws_layouts.def"
typedef ws_type_SUCCESS ws_ir_T; /* a handler returns Result<Success, String> */

struct ws_result {
#define WS_RESULT_FIELD(field, index, ir, counted) ws_ir_##ir field;
#include "ws_layouts.def"
};

#define WS_P(name, type) ws_type_##type name;
#define WS_RECORD(name, fields)                                                                                        \
  struct ws_record_##name {                                                                                            \
    ws_ir_i64 tag;                                                                                                     \
    fields                                                                                                             \
  };
#include "ws_builtins.def"

/* The bit of a field in the mask of a meta word. */
#define WS_REFERENCE(record, field) (UINT64_C(1) << offsetof(struct ws_record_##record, field) / sizeof(void *))
#define WS_CONNECTION_META WS_META(WS_REFERENCE(WebSocketConnection, url))
#define WS_MESSAGE_META WS_META(WS_REFERENCE(WebSocketMessage, type) | WS_REFERENCE(WebSocketMessage, data))

enum {
#define WS_META_VALUE(name, value) WS_META_##name = value,
#include "ws_layouts.def"
};
_Static_assert(WS_META(1) == (1 << WS_META_mask_shift | WS_META_kind_masked), "meta words");
