#include "attribute.h"
#include "callers.h"
#include "check.h"
#include "closure.h"
#include "constant.h"
#include "declare.h"
#include "result.h"
#include "type.h"

#include <llvm-c/Analysis.h>
#include <stdlib.h>
#include <string.h>

/* Lowers a module. This file and build.c are the entry points of the library. Both run all checks (check.c) before they
 * modify the module.
 *
 * Lowering iterates over the forms of the builtins, looks up the name of each in the module, and visits the uses of
 * that function only. Its cost depends on the number of these uses, not on the size of the module, unless a handler has
 * to be compared with the module's functions. */

/* The calls of a function. */
struct cg_calls {
  LLVMValueRef *items; /* to be freed */
  size_t count, capacity;
  bool failed; /* out of memory */
};

static void cg_calls_push(struct cg_calls *calls, LLVMValueRef value) {
  if (CG_GROW(calls->items, calls->count, calls->capacity))
    calls->items[calls->count++] = value;
  else
    calls->failed = true;
}

/* Whether a user of a function is another name of it, by which it may be called. */
static bool cg_is_name(LLVMValueRef user, LLVMValueRef function) {
  if (LLVMIsAGlobalAlias(user))
    return cg_constant_function_behind(user) == function;
  return LLVMIsABitCastInst(user) || LLVMIsAFreezeInst(user) ||
         (LLVMIsAConstant(user) && user != function && cg_constant_strip(user) == function);
}

/* Lists the calls in the order of the module, those by other names first. LLVM lists uses from the last on. */
static struct cg_calls cg_calls_of(LLVMValueRef function) {
  struct cg_calls calls = {.items = NULL}, names = {.items = NULL};
  cg_calls_push(&names, function);
  for (size_t i = 0; i < names.count; i++)
    for (LLVMUseRef use = LLVMGetFirstUse(names.items[i]); use; use = LLVMGetNextUse(use))
      if (cg_callers_is_call(use) && !cg_origin_is_marked(LLVMGetUser(use)))
        cg_calls_push(&calls, LLVMGetUser(use));
      else if (cg_is_name(LLVMGetUser(use), function))
        cg_calls_push(&names, LLVMGetUser(use));
  for (size_t i = 0; i < calls.count / 2; i++) {
    LLVMValueRef call = calls.items[i];
    calls.items[i] = calls.items[calls.count - 1 - i];
    calls.items[calls.count - 1 - i] = call;
  }
  calls.failed |= names.failed;
  free(names.items);
  return calls;
}

/* Whether an earlier lowering gave the function its body. Linking modules may have added calls since. */
static bool cg_is_lowered(LLVMValueRef global, const struct cg_form *form) {
  LLVMContextRef llvm = LLVMGetModuleContext(LLVMGetGlobalParent(global));
  return LLVMIsAFunction(global) && cg_attribute_has_text(global, CG_ORIGIN_MARK) &&
         LLVMGlobalGetValueType(global) == cg_type_form(llvm, form);
}

/* Returns the declaration of a builtin, or the body of an earlier lowering. Returns NULL if the module has neither, or
 * if the program defines the name itself. */
static LLVMValueRef cg_find_builtin(LLVMModuleRef module, const struct cg_form *form) {
  LLVMValueRef global = cg_declare_find(module, form->name);
  return global && (LLVMIsDeclaration(global) || cg_is_lowered(global, form)) ? global : NULL;
}

/* A builtin that the module uses, and its calls. */
struct cg_name {
  LLVMValueRef function;
  struct cg_form form;
  struct cg_calls calls;
};

/* What there is to lower in a module. The checks fill it in. */
struct cg_plan {
  LLVMModuleRef module;
  struct cg_diag *diag;
  struct cg_name *names;
  size_t name_count, name_capacity;
  struct cg_closures *closures; /* one for each type of handler */
  bool out_of_memory;
};

static struct cg_closures *cg_closures_of(const struct cg_plan *plan, const struct osp_ws_codegen_type *type) {
  size_t count;
  const struct osp_ws_codegen_type *handlers = osp_ws_codegen_handlers(&count);
  return type->kind == OSP_WS_CODEGEN_HANDLER ? &plan->closures[type - handlers] : NULL;
}

static void cg_plan_out_of_memory(struct cg_plan *plan) {
  plan->out_of_memory = true;
  cg_diag_error(plan->diag, NULL, "out of memory");
}

/* Checks the type of a call, and adds its handler operands to those whose origins are looked for. A call of a wrong
 * type is dropped from the list. */
static void cg_plan_call(struct cg_plan *plan, const struct cg_name *name, LLVMValueRef *call) {
  const struct osp_ws_codegen_builtin *builtin = name->form.builtin;
  if (!cg_check_call(*call, &name->form, plan->diag)) {
    *call = NULL;
    return;
  }
  for (unsigned i = 0; i < builtin->parameter_count; i++) {
    struct cg_closures *closures = cg_closures_of(plan, builtin->parameters[i].type);
    if (!closures)
      continue;
    closures->module = plan->module;
    closures->handler = builtin->parameters[i].type;
    if (!closures->origins)
      closures->origins = cg_origins_new(plan->module, closures->handler);
    if (closures->origins)
      cg_origins_add(closures->origins, LLVMGetOperand(*call, i));
    else
      cg_plan_out_of_memory(plan);
  }
}

static void cg_plan_name(struct cg_plan *plan, const struct cg_form *form) {
  struct cg_name name = {cg_find_builtin(plan->module, form), *form, {.items = NULL}};
  if (!name.function || !cg_check_function(name.function, form, plan->diag))
    return;
  name.calls = cg_calls_of(name.function);
  if (name.calls.failed || !CG_GROW(plan->names, plan->name_count, plan->name_capacity)) {
    free(name.calls.items);
    cg_plan_out_of_memory(plan);
    return;
  }
  for (size_t i = 0; i < name.calls.count; i++)
    cg_plan_call(plan, &name, &name.calls.items[i]);
  cg_check_uses(name.function, form, plan->diag);
  cg_check_runtime(plan->module, form->builtin, plan->diag);
  plan->names[plan->name_count++] = name;
}

static void cg_plan_solve(struct cg_plan *plan) {
  size_t count;
  osp_ws_codegen_handlers(&count);
  for (size_t i = 0; i < count; i++)
    if (plan->closures[i].origins && !cg_origins_solve(plan->closures[i].origins))
      cg_plan_out_of_memory(plan);
}

/* A handler operand of a call. */
typedef void cg_operand_visit(struct cg_plan *plan, const struct cg_name *name, LLVMValueRef call, unsigned operand,
                              struct cg_closures *closures);

static void cg_visit_operands(struct cg_plan *plan, const struct cg_name *name, cg_operand_visit *visit) {
  const struct osp_ws_codegen_builtin *builtin = name->form.builtin;
  for (unsigned i = 0; i < builtin->parameter_count; i++) {
    struct cg_closures *closures = cg_closures_of(plan, builtin->parameters[i].type);
    for (size_t j = 0; closures && j < name->calls.count; j++)
      if (name->calls.items[j])
        visit(plan, name, name->calls.items[j], i, closures);
  }
}

static void cg_check_operand(struct cg_plan *plan, const struct cg_name *name, LLVMValueRef call, unsigned operand,
                             struct cg_closures *closures) {
  struct cg_origin origin = cg_origins_get(closures->origins, LLVMGetOperand(call, operand));
  closures->compares |= origin.compared;
  cg_check_handler(&origin, call, name->form.name, &name->form.builtin->parameters[operand], plan->diag);
}

static void cg_adapt_operand(struct cg_plan *plan, const struct cg_name *name, LLVMValueRef call, unsigned operand,
                             struct cg_closures *closures) {
  (void)plan, (void)name;
  cg_closure_adapt(closures, call, operand);
}

/* Lists what handlers are compared with, before lowering takes addresses itself. */
static void cg_plan_candidates(struct cg_plan *plan) {
  size_t count;
  osp_ws_codegen_handlers(&count);
  for (size_t i = 0; i < count; i++) {
    struct cg_closures *closures = &plan->closures[i];
    LLVMContextRef llvm = LLVMGetModuleContext(plan->module);
    if (closures->compares &&
        !cg_candidates_list(&closures->candidates, plan->module, cg_type_raw_handler(llvm, closures->handler)))
      cg_plan_out_of_memory(plan);
  }
}

/* Finds all uses of builtins and reports every error in them. */
static void cg_plan_module(struct cg_plan *plan) {
  for (size_t i = 0; i < cg_form_count(); i++) {
    struct cg_form form = cg_form_at(i);
    cg_plan_name(plan, &form);
  }
  cg_plan_solve(plan);
  for (size_t i = 0; i < plan->name_count && !plan->out_of_memory; i++)
    cg_visit_operands(plan, &plan->names[i], cg_check_operand);
  cg_plan_candidates(plan);
  if (plan->name_count || plan->diag->errors) {
    cg_check_alloc(plan->module, plan->diag);
    cg_check_target(plan->module, plan->diag);
    cg_check_assembly(plan->module, plan->diag);
  }
}

static bool cg_names_any(LLVMModuleRef module) {
  for (size_t i = 0; i < cg_form_count(); i++)
    if (cg_declare_find(module, cg_form_at(i).name))
      return true;
  return false;
}

/*   %error = alloca ptr, align 8
 *   %answer = call T @osp_ws_NAME(parameters…, ptr %error)
 *   %failure = load ptr, ptr %error                          ; null on success
 *   … returns %answer and %failure, or their Result block …
 *
 * On failure the entry point returns zero or null, so no select is needed. */
static void cg_build_body(LLVMModuleRef module, LLVMValueRef function, const struct cg_form *form) {
  const struct osp_ws_codegen_builtin *builtin = form->builtin;
  LLVMContextRef llvm = LLVMGetModuleContext(module);
  LLVMTypeRef pointer = cg_type_pointer(llvm);
  LLVMValueRef arguments[CG_TYPE_MOST_MEMBERS];
  unsigned count = LLVMCountParams(function);
  LLVMBuilderRef builder = LLVMCreateBuilderInContext(llvm);
  LLVMPositionBuilderAtEnd(builder, LLVMAppendBasicBlockInContext(llvm, function, "entry"));
  LLVMValueRef error = LLVMBuildAlloca(builder, pointer, "error");
  LLVMSetAlignment(error, 8);
  LLVMGetParams(function, arguments);
  arguments[count] = error;
  bool has_answer = form->unboxed || builtin->result->kind != OSP_WS_CODEGEN_SUCCESS;
  LLVMValueRef answer =
      cg_declare_call(builder, cg_declare_entry(module, builtin), arguments, count + 1, has_answer ? "answer" : "");
  LLVMValueRef failure = LLVMBuildLoad2(builder, pointer, error, "failure");
  LLVMSetAlignment(failure, 8);
  if (form->unboxed)
    cg_result_return_unboxed(builder, answer, failure);
  else if (has_answer)
    cg_result_return(builder, module, builtin->result, answer, failure);
  else
    cg_result_return_unit(builder, module, builtin->result, failure);
  LLVMDisposeBuilder(builder);
}

/* The body follows the rules of its module, and those that all its callers share. */
static void cg_give_body(struct cg_plan *plan, const struct cg_name *name) {
  struct cg_attribute_shared shared = {NULL, {NULL}};
  cg_declare_mark_builtin(name->function, &name->form);
  cg_attribute_add_defaults(name->function);
  for (size_t i = 0; i < name->calls.count; i++)
    cg_attribute_share(&shared, LLVMGetBasicBlockParent(LLVMGetInstructionParent(name->calls.items[i])));
  cg_attribute_add_shared(name->function, &shared);
  cg_build_body(plan->module, name->function, &name->form);
}

static void cg_lower_all(struct cg_plan *plan) {
  size_t count;
  osp_ws_codegen_handlers(&count);
  for (size_t i = 0; i < plan->name_count; i++)
    cg_visit_operands(plan, &plan->names[i], cg_adapt_operand);
  for (size_t i = 0; i < count; i++)
    cg_closure_finish(&plan->closures[i]);
  for (size_t i = 0; i < plan->name_count; i++)
    if (LLVMIsDeclaration(plan->names[i].function))
      cg_give_body(plan, &plan->names[i]);
}

static void cg_plan_free(struct cg_plan *plan) {
  size_t count;
  osp_ws_codegen_handlers(&count);
  for (size_t i = 0; plan->closures && i < count; i++)
    cg_closure_free(&plan->closures[i]);
  for (size_t i = 0; i < plan->name_count; i++)
    free(plan->names[i].calls.items);
  free(plan->closures);
  free(plan->names);
}

static void cg_verify(LLVMModuleRef module, struct cg_diag *diag) {
  char *text = NULL;
  if (LLVMVerifyModule(module, LLVMReturnStatusAction, &text)) {
    size_t length = strlen(text);
    while (length && text[length - 1] == '\n')
      text[--length] = '\0';
    cg_diag_error(diag, NULL, "the module is not valid: %.2000s", text);
  }
  LLVMDisposeMessage(text);
}

static void cg_lower(LLVMModuleRef module, struct cg_diag *diag) {
  size_t count;
  osp_ws_codegen_handlers(&count);
  struct cg_plan plan = {module, diag, NULL, 0, 0, calloc(count, sizeof *plan.closures), false};
  if (plan.closures)
    cg_plan_module(&plan);
  else
    cg_plan_out_of_memory(&plan);
  if (!diag->errors)
    cg_lower_all(&plan);
  cg_plan_free(&plan);
}

/* Everything that can be wrong with a module is found before the first change. The second verification guards the
 * caller against an error of this library. */
int osp_ws_codegen_lower_module(LLVMModuleRef module, const struct osp_ws_codegen_options *options,
                                osp_ws_codegen_report *report, void *context) {
  struct cg_diag diag = {.report = report, .context = context};
  struct osp_ws_codegen_options chosen = {sizeof chosen, 0, 0};
  if (!cg_check_options(options, &chosen, &diag))
    return -1;
  if (!module) {
    cg_diag_error(&diag, NULL, "there is no module to lower");
    return -1;
  }
  bool uses = cg_names_any(module);
  if (uses && cg_check_context(LLVMGetModuleContext(module), &diag))
    cg_check_loaded(module, &diag);
  if (!diag.errors && !chosen.no_verify)
    cg_verify(module, &diag);
  if (!diag.errors && uses) {
    cg_lower(module, &diag);
    if (!diag.errors && !chosen.no_verify)
      cg_verify(module, &diag);
  }
  return diag.errors ? -1 : 0;
}
