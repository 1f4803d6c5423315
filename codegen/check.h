#pragma once
/* Checks: each reports every fault it finds and leaves the module unchanged. Everything that modifies a module runs
 * after them and cannot fail. `name` is the name or alias that the module uses. */

#include "diag.h"

#include <stdbool.h>

/* The size of a buffer for a signature. No signature of the table is longer; a longer one would be truncated in the
 * message. */
enum { CG_CHECK_SIGNATURE_SIZE = 512 };

/* Checks that the context has opaque pointers. */
bool cg_check_context(LLVMContextRef llvm, struct cg_diag *diag);

/* Checks that pointers have 8 bytes. */
void cg_check_target(LLVMModuleRef module, struct cg_diag *diag);

/* Checks the declaration of osp_alloc_tagged, if there is one. */
void cg_check_alloc(LLVMModuleRef module, struct cg_diag *diag);

/* Checks the declaration of the builtin's C entry point, if there is one. */
void cg_check_runtime(LLVMModuleRef module, const struct osp_ws_codegen_builtin *builtin, struct cg_diag *diag);

/* Checks that `global` is a function of the builtin's type. */
bool cg_check_function(LLVMValueRef global, const char *name, const struct osp_ws_codegen_builtin *builtin,
                       struct cg_diag *diag);

/* Checks the function type and the handlers of a call. */
void cg_check_call(LLVMValueRef call, const char *name, const struct osp_ws_codegen_builtin *builtin,
                   struct cg_diag *diag);

/* Checks a handler operand. `about` is the value that diagnostics refer to; may be NULL. */
void cg_check_handler(LLVMValueRef operand, LLVMValueRef about, const char *name,
                      const struct osp_ws_codegen_member *parameter, struct cg_diag *diag);
