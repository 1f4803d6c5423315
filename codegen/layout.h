#pragma once
/* Sizes of blocks and meta words of Results (spec/abi.md). */

#include "osprey_ws_codegen.h"

#include <stdint.h>

/* The positions of the tag and of the first declared field of a record. */
enum {
#define WS_RECORD_FIELD(field, index, ir, counted) CG_RECORD_##field = index,
#include "ws_layouts.def"
};

/* The meta word of the Result block of a value. */
uint64_t cg_layout_result_meta(const struct osp_ws_codegen_type *value);

/* The bytes of the Result block of a value. */
uint64_t cg_layout_result_size(const struct osp_ws_codegen_type *value);

/* The bytes that are known to be readable behind a value; 0 if it is not a pointer. */
uint64_t cg_layout_pointee_size(const struct osp_ws_codegen_type *type);
