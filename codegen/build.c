#include "check.h"
#include "declare.h"
#include "type.h"

static struct cg_form cg_find(LLVMModuleRef module, const char *name, struct cg_diag *diag) {
  if (!module)
    cg_diag_error(diag, NULL,
                  "there is no module to declare a builtin in: the builder may have no position in a function");
  else if (!name)
    cg_diag_error(diag, NULL, "there is no name of a builtin");
  else
    cg_check_context(LLVMGetModuleContext(module), diag);
  if (diag->errors)
    return (struct cg_form){NULL, NULL, false};
  struct cg_form form = cg_form_find(name);
  if (!form.name)
    cg_diag_error(diag, NULL, "there is no WebSocket builtin '%s'", name);
  return form;
}

static LLVMValueRef cg_declare_builtin(LLVMModuleRef module, const struct cg_form *form, struct cg_diag *diag) {
  LLVMValueRef global = cg_declare_find(module, form->name);
  if (!global)
    return LLVMAddFunction(module, form->name, cg_type_form(LLVMGetModuleContext(module), form));
  return cg_check_function(global, form, diag) ? global : NULL;
}

LLVMValueRef osp_ws_codegen_declare(LLVMModuleRef module, const char *name, osp_ws_codegen_report *report,
                                    void *context) {
  struct cg_diag diag = {.report = report, .context = context};
  struct cg_form form = cg_find(module, name, &diag);
  return form.name ? cg_declare_builtin(module, &form, &diag) : NULL;
}

/* The caller is still building the function, so only a constant handler can be judged here. Lowering checks the
 * rest. */
static void cg_check_constant_handler(LLVMModuleRef module, LLVMValueRef argument, const char *name,
                                      const struct osp_ws_codegen_member *parameter, struct cg_diag *diag) {
  struct cg_origins *origins = LLVMIsConstant(argument) ? cg_origins_new(module, parameter->type) : NULL;
  if (origins) {
    struct cg_origin origin = cg_origins_get(origins, argument);
    cg_check_handler(&origin, NULL, name, parameter, diag);
  }
  cg_origins_free(origins);
}

static void cg_check_argument(LLVMModuleRef module, LLVMValueRef argument, const char *name,
                              const struct osp_ws_codegen_member *parameter, struct cg_diag *diag) {
  char signature[CG_CHECK_SIGNATURE_SIZE];
  if (!argument) {
    cg_diag_error(diag, NULL, "'%s' is given no value as %s", name, parameter->name);
    return;
  }
  LLVMTypeRef actual = LLVMTypeOf(argument);
  LLVMTypeRef expected = cg_type_value(LLVMGetTypeContext(actual), parameter->type);
  if (actual == expected && parameter->type->kind == OSP_WS_CODEGEN_HANDLER) {
    cg_check_constant_handler(module, argument, name, parameter, diag);
  } else if (actual != expected) {
    char *actual_text = LLVMPrintTypeToString(actual);
    char *expected_text = LLVMPrintTypeToString(expected);
    osp_ws_codegen_spell_type(parameter->type, signature, sizeof signature);
    cg_diag_error(diag, argument, "'%s' is given a value of type %s as %s; expected %s: %s", name, actual_text,
                  parameter->name, expected_text, signature);
    LLVMDisposeMessage(actual_text);
    LLVMDisposeMessage(expected_text);
  }
}

static void cg_check_arguments(LLVMModuleRef module, const char *name, const struct osp_ws_codegen_builtin *builtin,
                               LLVMValueRef *arguments, size_t count, struct cg_diag *diag) {
  char signature[CG_CHECK_SIGNATURE_SIZE];
  if (count != builtin->parameter_count) {
    osp_ws_codegen_spell_builtin(builtin, signature, sizeof signature);
    cg_diag_error(diag, NULL, "'%s' is given %zu arguments, but takes %zu: %s", name, count, builtin->parameter_count,
                  signature);
    return;
  }
  for (size_t i = 0; i < count; i++)
    cg_check_argument(module, arguments[i], name, &builtin->parameters[i], diag);
}

/* Returns the module of the insertion point, or NULL if there is none. */
static LLVMModuleRef cg_module_of(LLVMBuilderRef builder) {
  LLVMBasicBlockRef block = builder ? LLVMGetInsertBlock(builder) : NULL;
  LLVMValueRef function = block ? LLVMGetBasicBlockParent(block) : NULL;
  return function ? LLVMGetGlobalParent(function) : NULL;
}

LLVMValueRef osp_ws_codegen_build_call(LLVMBuilderRef builder, const char *name, LLVMValueRef *arguments, size_t count,
                                       osp_ws_codegen_report *report, void *context) {
  struct cg_diag diag = {.report = report, .context = context};
  LLVMModuleRef module = cg_module_of(builder);
  struct cg_form form = cg_find(module, name, &diag);
  if (!form.name)
    return NULL;
  cg_check_arguments(module, name, form.builtin, arguments, count, &diag);
  /* After an error, check an earlier declaration, but do not add one. */
  bool declares = !diag.errors || cg_declare_find(module, form.name);
  LLVMValueRef function = declares ? cg_declare_builtin(module, &form, &diag) : NULL;
  return diag.errors ? NULL : cg_declare_call(builder, function, arguments, (unsigned)count, "result");
}
