#include "cg.h"

#include <assert.h>

enum { CG_MOST_MEMBERS = 16 };

LLVMTypeRef cg_type_pointer(LLVMContextRef llvm) {
  return LLVMPointerTypeInContext(llvm, 0);
}

LLVMTypeRef cg_type_value(LLVMContextRef llvm, const struct osp_ws_codegen_type *type) {
  switch (type->kind) {
  case OSP_WS_CODEGEN_INT:
  case OSP_WS_CODEGEN_SUCCESS:
    return LLVMInt64TypeInContext(llvm);
  case OSP_WS_CODEGEN_BOOL:
    return LLVMInt1TypeInContext(llvm);
  case OSP_WS_CODEGEN_STRING:
  case OSP_WS_CODEGEN_RECORD:
  case OSP_WS_CODEGEN_HANDLER:
    break;
  }
  return cg_type_pointer(llvm);
}

/* Writes the types of the members and returns how many there are. */
static unsigned cg_type_members(LLVMContextRef llvm, const struct osp_ws_codegen_member *members, size_t count,
                                LLVMTypeRef *types) {
  assert(count + 1 < CG_MOST_MEMBERS);
  for (size_t i = 0; i < count; i++)
    types[i] = cg_type_value(llvm, members[i].type);
  return (unsigned)count;
}

LLVMTypeRef osp_ws_codegen_function_type(LLVMContextRef llvm, const struct osp_ws_codegen_builtin *builtin) {
  LLVMTypeRef types[CG_MOST_MEMBERS];
  unsigned count = cg_type_members(llvm, builtin->parameters, builtin->parameter_count, types);
  return LLVMFunctionType(cg_type_pointer(llvm), types, count, false);
}

LLVMTypeRef cg_type_entry(LLVMContextRef llvm, const struct osp_ws_codegen_builtin *builtin) {
  LLVMTypeRef types[CG_MOST_MEMBERS];
  unsigned count = cg_type_members(llvm, builtin->parameters, builtin->parameter_count, types);
  types[count] = cg_type_pointer(llvm);
  return LLVMFunctionType(cg_type_value(llvm, builtin->result), types, count + 1, false);
}

LLVMTypeRef cg_type_raw_handler(LLVMContextRef llvm, const struct osp_ws_codegen_type *handler) {
  LLVMTypeRef types[CG_MOST_MEMBERS];
  unsigned count = cg_type_members(llvm, handler->members, handler->member_count, types);
  return LLVMFunctionType(cg_type_pointer(llvm), types, count, false);
}

LLVMTypeRef osp_ws_codegen_handler_type(LLVMContextRef llvm, const struct osp_ws_codegen_type *handler) {
  LLVMTypeRef types[CG_MOST_MEMBERS] = {cg_type_pointer(llvm)};
  unsigned count = cg_type_members(llvm, handler->members, handler->member_count, types + 1);
  return LLVMFunctionType(cg_type_pointer(llvm), types, count + 1, false);
}

LLVMTypeRef osp_ws_codegen_result_type(LLVMContextRef llvm, const struct osp_ws_codegen_type *value) {
  LLVMTypeRef types[] = {cg_type_value(llvm, value), LLVMInt8TypeInContext(llvm), cg_type_pointer(llvm)};
  return LLVMStructTypeInContext(llvm, types, 3, false);
}

LLVMTypeRef osp_ws_codegen_record_type(LLVMContextRef llvm, const struct osp_ws_codegen_type *record) {
  LLVMTypeRef types[CG_MOST_MEMBERS] = {LLVMInt64TypeInContext(llvm)};
  unsigned count = cg_type_members(llvm, record->members, record->member_count, types + 1);
  return LLVMStructTypeInContext(llvm, types, count + 1, false);
}

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
