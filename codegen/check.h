#pragma once
/* Checks: each reports every fault it finds and leaves the module unchanged. Everything that modifies a module runs
 * after them and cannot fail. `name` is the name that the module uses. */

#include "diag.h"
#include "form.h"
#include "origin.h"

#include <stdbool.h>

/* The size of a buffer for a signature. No signature of the table is longer; a longer one would be truncated in the
 * message. */
enum { CG_CHECK_SIGNATURE_SIZE = 512 };

/* Reads the caller's options (may be NULL), and checks that both sides use the same LLVM. */
bool cg_check_options(const struct osp_ws_codegen_options *options, struct osp_ws_codegen_options *chosen,
                      struct cg_diag *diag);

/* Checks that the context has opaque pointers. */
bool cg_check_context(LLVMContextRef llvm, struct cg_diag *diag);

/* Checks that pointers have 8 bytes and that there is one address space. */
void cg_check_target(LLVMModuleRef module, struct cg_diag *diag);

/* Checks that the module's assembly defines no builtin that the module declares, nor the constant block. */
void cg_check_assembly(LLVMModuleRef module, struct cg_diag *diag);

/* Checks the declaration of osp_alloc_tagged, if there is one. */
void cg_check_alloc(LLVMModuleRef module, struct cg_diag *diag);

/* Checks the declaration of the builtin's C entry point, if there is one. */
void cg_check_runtime(LLVMModuleRef module, const struct osp_ws_codegen_builtin *builtin, struct cg_diag *diag);

/* Checks that `global` is a function of the form's type. */
bool cg_check_function(LLVMValueRef global, const struct cg_form *form, struct cg_diag *diag);

/* Checks the function type of a call, and that its arguments are not swapped. Returns false if the type is wrong. */
bool cg_check_call(LLVMValueRef call, const struct cg_form *form, struct cg_diag *diag);

/* Checks that no intrinsic calls a builtin that takes a handler. */
void cg_check_uses(LLVMValueRef function, const struct cg_form *form, struct cg_diag *diag);

/* Checks the origin of a handler operand. `about` is the value that diagnostics refer to; may be NULL. */
void cg_check_handler(const struct cg_origin *origin, LLVMValueRef about, const char *name,
                      const struct osp_ws_codegen_member *parameter, struct cg_diag *diag);

/* Checks that every function that is defined has its body. */
bool cg_check_loaded(LLVMModuleRef module, struct cg_diag *diag);
