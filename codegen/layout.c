#include "layout.h"

/* The low 8 bits of a meta word say that a mask follows; bit 8 + i of it, that the 8-byte word i is a managed pointer. */
enum { CG_META_MASKED = 1 };

static uint64_t cg_meta_word(unsigned word) {
  return UINT64_C(1) << (8 + word);
}

uint64_t cg_layout_result_meta(const struct osp_ws_codegen_type *value) {
  switch (value->kind) {
  case OSP_WS_CODEGEN_BOOL: /* { i1, i8, ptr }: value and discriminant share a word */
    return CG_META_MASKED | cg_meta_word(1);
  case OSP_WS_CODEGEN_INT:
  case OSP_WS_CODEGEN_SUCCESS: /* { i64, i8, ptr } */
    return CG_META_MASKED | cg_meta_word(2);
  case OSP_WS_CODEGEN_STRING:
  case OSP_WS_CODEGEN_RECORD:
  case OSP_WS_CODEGEN_HANDLER: /* { ptr, i8, ptr } */
    break;
  }
  return CG_META_MASKED | cg_meta_word(0) | cg_meta_word(2);
}

uint64_t cg_layout_result_size(const struct osp_ws_codegen_type *value) {
  return value->kind == OSP_WS_CODEGEN_BOOL ? 16 : 24;
}

/* A Bool takes one byte, everything else an aligned word. */
static uint64_t cg_record_size(const struct osp_ws_codegen_type *record) {
  uint64_t size = 8; /* the tag */
  for (size_t i = 0; i < record->member_count; i++)
    size = record->members[i].type->kind == OSP_WS_CODEGEN_BOOL ? size + 1 : (size + 7) / 8 * 8 + 8;
  return size;
}

uint64_t cg_layout_pointee_size(const struct osp_ws_codegen_type *type) {
  switch (type->kind) {
  case OSP_WS_CODEGEN_RECORD:
    return cg_record_size(type);
  case OSP_WS_CODEGEN_HANDLER: /* at least the code pointer */
    return 8;
  case OSP_WS_CODEGEN_STRING: /* at least the NUL */
    return 1;
  case OSP_WS_CODEGEN_INT:
  case OSP_WS_CODEGEN_BOOL:
  case OSP_WS_CODEGEN_SUCCESS:
    break;
  }
  return 0;
}
