#pragma once
/* Functions of the module: the runtime's entry points, the host's allocator, and the builtins themselves.
 *
 * Checks (check.h) have established that a function that exists has the right type. None of these fails. */

#include "form.h"

#define CG_DECLARE_ALLOC "osp_alloc_tagged"
#define CG_DECLARE_SUCCESS "osp_ws.success"

/* Whether names get an underscore in front, and there are no comdats. The data layout tells, else the system in the
 * triple. */
bool cg_declare_is_macho(LLVMModuleRef module);

/* Returns the function, variable or alias of this name, or NULL. */
LLVMValueRef cg_declare_find(LLVMModuleRef module, const char *name);

/* Returns osp_alloc_tagged. The host's declaration is used unchanged; a new one gets its attributes. */
LLVMValueRef cg_declare_alloc(LLVMModuleRef module);

/* Returns the constant Result block of a success without a value. */
LLVMValueRef cg_declare_success(LLVMModuleRef module, LLVMTypeRef block);

/* Returns the C entry point of a builtin, declared if necessary, and adds its attributes. */
LLVMValueRef cg_declare_entry(LLVMModuleRef module, const struct osp_ws_codegen_builtin *builtin);

/* Calls a function as it has to be called: a module that defines the runtime may have optimized it. */
LLVMValueRef cg_declare_call(LLVMBuilderRef builder, LLVMValueRef function, LLVMValueRef *arguments, unsigned count,
                             const char *name);

/* Gives the function of a builtin its linkage, visibility, attributes and parameter names. */
void cg_declare_mark_builtin(LLVMValueRef function, const struct cg_form *form);
