#pragma once

/* What the files of the code generator share.
 *
 * lower.c and build.c are the two ways in. Both first check (check.c), then change the module through declare.c (functions
 * of the table), result.c (Result blocks) and closure.c (handlers); these assume what the check has established and
 * cannot fail. type.c knows the layouts, table.c the builtins, version.c what differs between LLVM's releases. */

#include "osprey_ws_codegen.h"

#include <llvm-c/Core.h>
#include <stdbool.h>
#include <stdint.h>

/* Where diagnostics go, and whether one was an error. */
struct cg_diag {
  osp_ws_codegen_report *report;
  void *context;
  unsigned errors;
};

/* Reports an error about value (may be NULL) with a message formatted as printf does. */
void cg_diag_error(struct cg_diag *diag, LLVMValueRef value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- type.c: layouts ---- */

LLVMTypeRef cg_type_pointer(LLVMContextRef llvm);
LLVMTypeRef cg_type_value(LLVMContextRef llvm, const struct osp_ws_codegen_type *type);

/* The type of a builtin's C entry point: its parameters, then `char **error`; returns the bare value. */
LLVMTypeRef cg_type_entry(LLVMContextRef llvm, const struct osp_ws_codegen_builtin *builtin);

/* A handler passed raw, as a plain function without the cell: `ptr (parameters…)`. */
LLVMTypeRef cg_type_raw_handler(LLVMContextRef llvm, const struct osp_ws_codegen_type *handler);

/* The `meta` word of a Result block of this value: its kind, and which of its words are managed pointers. */
uint64_t cg_layout_result_meta(const struct osp_ws_codegen_type *value);

/* The bytes of a block that lies behind a pointer of this type and may be read: 0 if that is not known. */
uint64_t cg_layout_pointee_size(const struct osp_ws_codegen_type *type);

/* ---- declare.c: functions and their attributes ---- */

#define CG_ALLOC_NAME "osp_alloc_tagged"
LLVMTypeRef cg_type_alloc(LLVMContextRef llvm);

/* A function that the runtime or the host defines, declared if need be, with its attributes. */
LLVMValueRef cg_declare_alloc(LLVMModuleRef module);
LLVMValueRef cg_declare_entry(LLVMModuleRef module, const struct osp_ws_codegen_builtin *builtin);

/* Makes a function the builtin's: linkage, visibility, attributes and the names of its parameters. */
void cg_declare_mark_builtin(LLVMValueRef function, const struct osp_ws_codegen_builtin *builtin);

/* The index of a function's own attributes: the C API declares it as a negative enumerator. */
#define CG_ATTRIBUTE_FUNCTION ((LLVMAttributeIndex)LLVMAttributeFunctionIndex)

/* Adds an attribute by its name: to the function, its return value, or a parameter (its number, from 1). */
void cg_attribute_add(LLVMValueRef function, LLVMAttributeIndex index, const char *name, uint64_t value);

/* Adds what is true of every parameter that receives a value of this type. */
void cg_mark_parameter(LLVMValueRef function, LLVMAttributeIndex index, const struct osp_ws_codegen_type *type);

/* Copies the sanitizers that a function is compiled with: the inliner keeps functions that differ in them apart. */
void cg_attribute_copy_sanitizers(LLVMValueRef from, LLVMValueRef to);

/* ---- result.c ---- */

/* Builds a Result block from what the C entry point gave, and returns the pointer to it. */
LLVMValueRef cg_result_build(LLVMBuilderRef builder, LLVMModuleRef module, const struct osp_ws_codegen_type *type,
                             LLVMValueRef value, LLVMValueRef message);

/* ---- closure.c ---- */

/* The value under bitcasts and aliases. */
LLVMValueRef cg_closure_strip_casts(LLVMValueRef value);

/* The operand as a pointer to a closure cell: itself, unless it is a raw function, or chosen among values of which one
 * is. The operand must have passed cg_check_handler. */
LLVMValueRef cg_closure_adapt(LLVMModuleRef module, LLVMValueRef operand, const struct osp_ws_codegen_type *handler);

/* Erases bitcasts and choices that adapting a handler has left without a use. */
void cg_closure_erase_unused(LLVMValueRef value);

/* A phi or select that is being visited, and its copy: a chain from the operand to here, so that loops of phis end. */
struct cg_closure_choice {
  LLVMValueRef value, copy;
  const struct cg_closure_choice *outer;
};

bool cg_closure_is_choice(LLVMValueRef value);
/* The number of the first operand that is chosen among; all after it are too. */
unsigned cg_closure_first_choice(LLVMValueRef choice);
const struct cg_closure_choice *cg_closure_find_choice(const struct cg_closure_choice *chain, LLVMValueRef value);

/* ---- check.c ---- */

/* What the module calls by a name: a function, a variable or an alias; NULL if nothing. */
LLVMValueRef cg_declare_find(LLVMModuleRef module, const char *name);

/* Each reports what is wrong and leaves the module as it is. */
bool cg_check_context(LLVMContextRef llvm, struct cg_diag *diag);
void cg_check_target(LLVMModuleRef module, struct cg_diag *diag);
void cg_check_alloc(LLVMModuleRef module, struct cg_diag *diag);
void cg_check_runtime(LLVMModuleRef module, const struct osp_ws_codegen_builtin *builtin, struct cg_diag *diag);
bool cg_check_function(LLVMValueRef function, const char *name, const struct osp_ws_codegen_builtin *builtin,
                       struct cg_diag *diag);
void cg_check_call(LLVMValueRef call, const char *name, const struct osp_ws_codegen_builtin *builtin,
                   struct cg_diag *diag);
void cg_check_handler(LLVMValueRef operand, LLVMValueRef about, const char *name,
                      const struct osp_ws_codegen_member *parameter, struct cg_diag *diag);

/* ---- version.c: what differs between LLVM 16, 19 and 22 ---- */

/* Whether pointers are opaque, as everything here needs them: LLVM 16 can still be told to have typed ones. */
bool cg_version_has_opaque_pointers(LLVMContextRef llvm);

/* Adds that the callee does not keep the pointer that a parameter receives. */
void cg_attribute_add_nocapture(LLVMValueRef function, LLVMAttributeIndex index);

/* Adds that a function writes no memory that its module can see, but, in the second case, what its arguments point to.
 * It may read any: a tracing collector does when it allocates. */
void cg_attribute_add_writes_own_memory(LLVMValueRef function, bool and_arguments);
