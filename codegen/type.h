#pragma once
/* The LLVM types of builtins, handlers and blocks (spec/abi.md). osprey_ws_codegen.h declares the public ones. */

#include "form.h"

#include <llvm-c/Core.h>

/* One more than the most members of a record, handler or builtin: a record starts with a tag, the code of a cell takes
 * the cell, a C entry point takes the error slot. Each array of the union has a byte for every member and one more. */
union cg_type_bound {
#define WS_P(name, type) +1
#define WS_RECORD(name, fields) char name[1 fields];
#define WS_HANDLER(type, parameters) char type[1 parameters];
#define WS_BUILTIN(name, alias, symbol, result, requirement, parameters, doc) char name[1 parameters];
#include "ws_builtins.def"
};
enum { CG_TYPE_MOST_MEMBERS = sizeof(union cg_type_bound) };

LLVMTypeRef cg_type_pointer(LLVMContextRef llvm);
LLVMTypeRef cg_type_value(LLVMContextRef llvm, const struct osp_ws_codegen_type *type);

/* The function of a builtin: ptr (parameters…), or { T, ptr } (parameters…). */
LLVMTypeRef cg_type_form(LLVMContextRef llvm, const struct cg_form *form);

/* The C entry point of a builtin: T (parameters…, ptr error). */
LLVMTypeRef cg_type_entry(LLVMContextRef llvm, const struct osp_ws_codegen_builtin *builtin);

/* A handler passed as a plain function: ptr (parameters…). */
LLVMTypeRef cg_type_raw_handler(LLVMContextRef llvm, const struct osp_ws_codegen_type *handler);

/* osp_alloc_tagged: ptr (i64 size, i64 meta). */
LLVMTypeRef cg_type_alloc(LLVMContextRef llvm);
