#pragma once
/* The positions of fields in Results, records and cells, and the constants of meta words (spec/ws_layouts.def). */

enum {
#define WS_RESULT_FIELD(field, index, ir, counted) LAYOUT_RESULT_##field = index,
#define WS_RECORD_FIELD(field, index, ir, counted) LAYOUT_RECORD_##field = index,
#define WS_CELL_FIELD(field, index, ir, counted) LAYOUT_CELL_##field = index,
#define WS_META_VALUE(name, value) LAYOUT_META_##name = value,
#include "ws_layouts.def"
  LAYOUT_TAG_BYTES = 8,  /* before the fields of a record */
  LAYOUT_CODE_BYTES = 8, /* before the captures of a cell */
};
