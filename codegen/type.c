#include "type.h"

#include "layout.h"

#include <assert.h>
#include <stdbool.h>

LLVMTypeRef cg_type_pointer(LLVMContextRef llvm) {
  return LLVMPointerTypeInContext(llvm, 0);
}

/* The LLVM types that spec/ws_layouts.def names. */
#define CG_TYPE_i1 LLVMInt1TypeInContext(llvm)
#define CG_TYPE_i8 LLVMInt8TypeInContext(llvm)
#define CG_TYPE_i64 LLVMInt64TypeInContext(llvm)
#define CG_TYPE_ptr cg_type_pointer(llvm)

LLVMTypeRef cg_type_value(LLVMContextRef llvm, const struct osp_ws_codegen_type *type) {
  switch (type->kind) {
#define WS_TYPE(type, ir, counted)                                                                                     \
  case OSP_WS_CODEGEN_##type:                                                                                          \
    return CG_TYPE_##ir;
#include "ws_layouts.def"
  }
  return NULL;
}

/* Writes the types of the members. Returns their number. */
static unsigned cg_type_members(LLVMContextRef llvm, const struct osp_ws_codegen_member *members, size_t count,
                                LLVMTypeRef *types) {
  assert(count < CG_TYPE_MOST_MEMBERS);
  for (size_t i = 0; i < count; i++)
    types[i] = cg_type_value(llvm, members[i].type);
  return (unsigned)count;
}

static LLVMTypeRef cg_type_builtin(LLVMContextRef llvm, const struct osp_ws_codegen_builtin *builtin,
                                   LLVMTypeRef result) {
  LLVMTypeRef types[CG_TYPE_MOST_MEMBERS];
  unsigned count = cg_type_members(llvm, builtin->parameters, builtin->parameter_count, types);
  return LLVMFunctionType(result, types, count, false);
}

LLVMTypeRef osp_ws_codegen_function_type(LLVMContextRef llvm, const struct osp_ws_codegen_builtin *builtin) {
  return cg_type_builtin(llvm, builtin, cg_type_pointer(llvm));
}

LLVMTypeRef osp_ws_codegen_unboxed_type(LLVMContextRef llvm, const struct osp_ws_codegen_builtin *builtin) {
  LLVMTypeRef members[] = {cg_type_value(llvm, builtin->result), cg_type_pointer(llvm)};
  return cg_type_builtin(llvm, builtin, LLVMStructTypeInContext(llvm, members, 2, false));
}

LLVMTypeRef cg_type_form(LLVMContextRef llvm, const struct cg_form *form) {
  return form->unboxed ? osp_ws_codegen_unboxed_type(llvm, form->builtin)
                       : osp_ws_codegen_function_type(llvm, form->builtin);
}

LLVMTypeRef cg_type_entry(LLVMContextRef llvm, const struct osp_ws_codegen_builtin *builtin) {
  LLVMTypeRef types[CG_TYPE_MOST_MEMBERS];
  unsigned count = cg_type_members(llvm, builtin->parameters, builtin->parameter_count, types);
  types[count] = cg_type_pointer(llvm);
  return LLVMFunctionType(cg_type_value(llvm, builtin->result), types, count + 1, false);
}

LLVMTypeRef cg_type_raw_handler(LLVMContextRef llvm, const struct osp_ws_codegen_type *handler) {
  LLVMTypeRef types[CG_TYPE_MOST_MEMBERS];
  unsigned count = cg_type_members(llvm, handler->members, handler->member_count, types);
  return LLVMFunctionType(cg_type_pointer(llvm), types, count, false);
}

LLVMTypeRef osp_ws_codegen_handler_type(LLVMContextRef llvm, const struct osp_ws_codegen_type *handler) {
  LLVMTypeRef types[CG_TYPE_MOST_MEMBERS] = {cg_type_pointer(llvm)};
  unsigned count = cg_type_members(llvm, handler->members, handler->member_count, types + 1);
  return LLVMFunctionType(cg_type_pointer(llvm), types, count + 1, false);
}

LLVMTypeRef osp_ws_codegen_result_type(LLVMContextRef llvm, const struct osp_ws_codegen_type *value) {
  LLVMTypeRef types[] = {
#define CG_TYPE_T cg_type_value(llvm, value)
#define WS_RESULT_FIELD(field, index, ir, counted) [index] = CG_TYPE_##ir,
#include "ws_layouts.def"
#undef CG_TYPE_T
  };
  return LLVMStructTypeInContext(llvm, types, sizeof types / sizeof *types, false);
}

LLVMTypeRef osp_ws_codegen_record_type(LLVMContextRef llvm, const struct osp_ws_codegen_type *record) {
  LLVMTypeRef types[CG_TYPE_MOST_MEMBERS] = {
#define CG_TYPE_T NULL
#define WS_RECORD_FIELD(field, index, ir, counted) [index] = CG_TYPE_##ir,
#include "ws_layouts.def"
#undef CG_TYPE_T
  };
  unsigned count = cg_type_members(llvm, record->members, record->member_count, types + CG_RECORD_fields);
  return LLVMStructTypeInContext(llvm, types, CG_RECORD_fields + count, false);
}

LLVMTypeRef cg_type_alloc(LLVMContextRef llvm) {
  LLVMTypeRef parameters[] = {LLVMInt64TypeInContext(llvm), LLVMInt64TypeInContext(llvm)};
  return LLVMFunctionType(cg_type_pointer(llvm), parameters, 2, false);
}
