#include "layout.h"

#include <stdbool.h>
#include <stddef.h>

enum {
#define WS_IR(ir, c, size) CG_SIZE_##ir = size,
#define WS_META_VALUE(name, value) CG_META_##name = value,
#include "ws_layouts.def"
};

struct cg_layout_field {
  uint64_t size; /* and alignment */
  bool counted;
};

static const struct cg_layout_field cg_layout_types[] = {
#define WS_TYPE(type, ir, counted) [OSP_WS_CODEGEN_##type] = {CG_SIZE_##ir, counted},
#include "ws_layouts.def"
};

/* A block to which fields are appended: its size, and a bit for each word that is a reference. */
struct cg_layout {
  uint64_t size, references;
};

static void cg_layout_append(struct cg_layout *layout, struct cg_layout_field field) {
  layout->size = (layout->size + field.size - 1) / field.size * field.size;
  layout->references |= (uint64_t)field.counted << layout->size / CG_SIZE_ptr;
  layout->size += field.size;
}

static struct cg_layout cg_layout_result(const struct osp_ws_codegen_type *value) {
  struct cg_layout layout = {0, 0};
  const struct cg_layout_field fields[] = {
#define CG_SIZE_T cg_layout_types[value->kind].size
#define T cg_layout_types[value->kind].counted
#define WS_RESULT_FIELD(field, index, ir, counted) [index] = {CG_SIZE_##ir, counted},
#include "ws_layouts.def"
#undef T
#undef CG_SIZE_T
  };
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
    cg_layout_append(&layout, fields[i]);
  return layout;
}

uint64_t cg_layout_result_meta(const struct osp_ws_codegen_type *value) {
  return cg_layout_result(value).references << CG_META_mask_shift | CG_META_kind_masked;
}

uint64_t cg_layout_result_size(const struct osp_ws_codegen_type *value) {
  return cg_layout_result(value).size;
}

uint64_t cg_layout_pointee_size(const struct osp_ws_codegen_type *type) {
  struct cg_layout layout = {CG_RECORD_fields * CG_SIZE_i64, 0};
  if (type->kind == OSP_WS_CODEGEN_STRING)
    return 1; /* the NUL */
  if (type->kind == OSP_WS_CODEGEN_HANDLER)
    return CG_SIZE_ptr; /* the code */
  if (type->kind != OSP_WS_CODEGEN_RECORD)
    return 0;
  for (size_t i = 0; i < type->member_count; i++)
    cg_layout_append(&layout, cg_layout_types[type->members[i].type->kind]);
  return layout.size;
}
