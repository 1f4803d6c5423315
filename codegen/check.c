#include "check.h"

#include "closure.h"
#include "declare.h"
#include "type.h"

#include <llvm/Config/llvm-config.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>

/* Only LLVM 16 can use typed pointers. */
void osp_ws_codegen_prepare_context(LLVMContextRef llvm) {
#if LLVM_VERSION_MAJOR < 17
  LLVMContextSetOpaquePointers(llvm, true);
#else
  (void)llvm;
#endif
}

bool cg_check_context(LLVMContextRef llvm, struct cg_diag *diag) {
#if LLVM_VERSION_MAJOR < 17
  if (LLVMPointerTypeIsOpaque(LLVMPointerType(LLVMInt8TypeInContext(llvm), 0)))
    return true;
#else
  (void)llvm;
  return true;
#endif
  cg_diag_error(diag, NULL,
                "the context has typed pointers: osp_ws_codegen_prepare_context() has to prepare it while it is new");
  return false;
}

static void cg_initialize_targets(void) {
  LLVMInitializeAllTargetInfos();
  LLVMInitializeAllTargets();
  LLVMInitializeAllTargetMCs();
}

/* Returns the pointer size of a target triple, or 0 if this LLVM does not support the target. */
static unsigned cg_pointer_size_of(const char *triple) {
  static once_flag initialized = ONCE_FLAG_INIT; /* the target registry is not thread-safe */
  LLVMTargetRef target;
  char *error = NULL;
  unsigned size = 0;
  call_once(&initialized, cg_initialize_targets);
  char *full = LLVMNormalizeTargetTriple(triple);
  LLVMTargetMachineRef machine = NULL;
  if (LLVMGetTargetFromTriple(full, &target, &error))
    LLVMDisposeMessage(error);
  else
    machine =
        LLVMCreateTargetMachine(target, full, "", "", LLVMCodeGenLevelDefault, LLVMRelocDefault, LLVMCodeModelDefault);
  LLVMDisposeMessage(full);
  if (machine) {
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
    size = LLVMPointerSize(layout);
    LLVMDisposeTargetData(layout);
    LLVMDisposeTargetMachine(machine);
  }
  return size;
}

/* Uses the data layout, else the triple, else the host. */
static unsigned cg_pointer_size(LLVMModuleRef module) {
  if (*LLVMGetDataLayoutStr(module))
    return LLVMPointerSize(LLVMGetModuleDataLayout(module));
  if (*LLVMGetTarget(module))
    return cg_pointer_size_of(LLVMGetTarget(module));
  return sizeof(void *);
}

void cg_check_target(LLVMModuleRef module, struct cg_diag *diag) {
  unsigned size = cg_pointer_size(module);
  const char *triple = LLVMGetTarget(module);
  if (size == 0)
    cg_diag_error(diag, NULL, "the target '%s' is unknown to this LLVM", triple);
  else if (size != 8)
    cg_diag_error(diag, NULL, "the WebSocket builtins need a target with 8-byte pointers; those of %s%s%s have %u",
                  *triple ? "'" : "", *triple ? triple : "this module's data layout", *triple ? "'" : "", size);
}

/* Checks that `global` is a function of the expected type. `what` is "the runtime's" or "the builtin's", for the error;
 * `signature` is the expected type in Osprey, or NULL. */
static bool cg_check_type(LLVMValueRef global, const char *name, LLVMTypeRef expected, const char *what,
                          const char *signature, struct cg_diag *diag) {
  LLVMTypeRef actual = LLVMGlobalGetValueType(global);
  if (LLVMIsAFunction(global) && actual == expected)
    return true;
  char *actual_text = LLVMPrintTypeToString(actual);
  char *expected_text = LLVMPrintTypeToString(expected);
  cg_diag_error(diag, global, "'%s' is declared as %s%s, but %s type is %s%s%s", name,
                LLVMIsAFunction(global) ? "" : "something other than a function, of type ", actual_text, what,
                expected_text, signature ? ": " : "", signature ? signature : "");
  LLVMDisposeMessage(actual_text);
  LLVMDisposeMessage(expected_text);
  return false;
}

bool cg_check_function(LLVMValueRef global, const char *name, const struct osp_ws_codegen_builtin *builtin,
                       struct cg_diag *diag) {
  char signature[CG_CHECK_SIGNATURE_SIZE];
  LLVMContextRef llvm = LLVMGetModuleContext(LLVMGetGlobalParent(global));
  osp_ws_codegen_spell_builtin(builtin, signature, sizeof signature);
  return cg_check_type(global, name, osp_ws_codegen_function_type(llvm, builtin), "the builtin's", signature, diag);
}

static void cg_check_symbol(LLVMModuleRef module, const char *name, LLVMTypeRef expected, struct cg_diag *diag) {
  LLVMValueRef global = cg_declare_find(module, name);
  if (global && !LLVMIsDeclaration(global))
    cg_diag_error(diag, global, "'%s' is defined by the program, but it is the runtime's", name);
  else if (global)
    cg_check_type(global, name, expected, "the runtime's", NULL, diag);
}

void cg_check_runtime(LLVMModuleRef module, const struct osp_ws_codegen_builtin *builtin, struct cg_diag *diag) {
  LLVMContextRef llvm = LLVMGetModuleContext(module);
  cg_check_symbol(module, builtin->symbol, cg_type_entry(llvm, builtin), diag);
}

void cg_check_alloc(LLVMModuleRef module, struct cg_diag *diag) {
  cg_check_symbol(module, CG_DECLARE_ALLOC, cg_type_alloc(LLVMGetModuleContext(module)), diag);
}

/* The handler operand being checked. */
struct cg_handler_check {
  const char *name; /* of the builtin */
  const struct osp_ws_codegen_member *parameter;
  LLVMValueRef about;
  struct cg_diag *diag;
};

/* `cell` is the constant cell that holds the function, or NULL if the function itself is the operand. */
static void cg_refuse_function(const struct cg_handler_check *check, LLVMValueRef cell, LLVMValueRef function,
                               LLVMTypeRef expected) {
  char signature[CG_CHECK_SIGNATURE_SIZE];
  size_t length;
  const char *name = LLVMGetValueName2(function, &length);
  char *actual_text = LLVMPrintTypeToString(LLVMGlobalGetValueType(function));
  char *expected_text = LLVMPrintTypeToString(expected);
  osp_ws_codegen_spell_type(check->parameter->type, signature, sizeof signature);
  if (cell)
    cg_diag_error(check->diag, check->about,
                  "the cell '%s' is passed to '%s' as %s, but its code '%s' has type %s; expected %s: %s",
                  LLVMGetValueName2(cell, &length), check->name, check->parameter->name, name, actual_text,
                  expected_text, signature);
  else
    cg_diag_error(check->diag, check->about, "'%s' is passed to '%s' as %s, but has type %s; expected %s: %s", name,
                  check->name, check->parameter->name, actual_text, expected_text, signature);
  LLVMDisposeMessage(actual_text);
  LLVMDisposeMessage(expected_text);
}

static void cg_refuse_constant(const struct cg_handler_check *check, LLVMValueRef constant) {
  char signature[CG_CHECK_SIGNATURE_SIZE];
  osp_ws_codegen_spell_type(check->parameter->type, signature, sizeof signature);
  char *text = LLVMPrintValueToString(constant);
  cg_diag_error(check->diag, check->about,
                "'%s' is passed to '%s' as %s, but is neither a function nor a closure cell: %s", text, check->name,
                check->parameter->name, signature);
  LLVMDisposeMessage(text);
}

/* Returns the first scalar of an initializer, inside any nested structs and arrays. */
static LLVMValueRef cg_first_word(LLVMValueRef initializer) {
  while (initializer && (LLVMGetTypeKind(LLVMTypeOf(initializer)) == LLVMStructTypeKind ||
                         LLVMGetTypeKind(LLVMTypeOf(initializer)) == LLVMArrayTypeKind))
    initializer = LLVMGetAggregateElement(initializer, 0);
  return initializer;
}

/* An initialized cell must start with a pointer. The code of a constant cell is known, so its type is checked. */
static void cg_check_cell(const struct cg_handler_check *check, LLVMValueRef cell) {
  LLVMContextRef llvm = LLVMGetModuleContext(LLVMGetGlobalParent(cell));
  LLVMValueRef initializer = LLVMGetInitializer(cell);
  LLVMValueRef code = cg_first_word(initializer);
  LLVMTypeRef expected = osp_ws_codegen_handler_type(llvm, check->parameter->type);
  if (!initializer)
    return;
  if (!code || LLVMGetTypeKind(LLVMTypeOf(code)) != LLVMPointerTypeKind) {
    cg_refuse_constant(check, cell);
  } else if (LLVMIsGlobalConstant(cell)) {
    code = cg_closure_strip_casts(code);
    if (LLVMIsNull(code) || LLVMIsUndef(code))
      cg_refuse_constant(check, cell);
    else if (LLVMIsAFunction(code) && LLVMGlobalGetValueType(code) != expected)
      cg_refuse_function(check, cell, code, expected);
  }
}

/* Whether a value is null, undef, poison or an integer cast to a pointer. */
static bool cg_is_no_cell(LLVMValueRef value) {
  return LLVMIsAConstantPointerNull(value) || LLVMIsUndef(value) ||
         (LLVMIsAConstantExpr(value) && LLVMGetConstOpcode(value) == LLVMIntToPtr);
}

static void cg_check_handler_value(const struct cg_handler_check *check, LLVMValueRef value,
                                   const struct cg_closure_choice *outer) {
  value = cg_closure_strip_casts(value);
  if (LLVMIsAFunction(value)) {
    LLVMContextRef llvm = LLVMGetModuleContext(LLVMGetGlobalParent(value));
    LLVMTypeRef expected = cg_type_raw_handler(llvm, check->parameter->type);
    if (LLVMGlobalGetValueType(value) != expected)
      cg_refuse_function(check, NULL, value, expected);
  } else if (LLVMIsAGlobalVariable(value)) {
    cg_check_cell(check, value);
  } else if (cg_is_no_cell(value)) {
    cg_refuse_constant(check, value);
  } else if (cg_closure_is_choice(value) && !cg_closure_find_choice(outer, value)) {
    struct cg_closure_choice here = {value, NULL, outer};
    for (unsigned i = cg_closure_first_alternative(value); i < (unsigned)LLVMGetNumOperands(value); i++)
      cg_check_handler_value(check, LLVMGetOperand(value, i), &here);
  }
}

void cg_check_handler(LLVMValueRef operand, LLVMValueRef about, const char *name,
                      const struct osp_ws_codegen_member *parameter, struct cg_diag *diag) {
  struct cg_handler_check check = {name, parameter, about, diag};
  cg_check_handler_value(&check, operand, NULL);
}

/* With opaque pointers a call has its own function type, which may differ from the function's. */
void cg_check_call(LLVMValueRef call, const char *name, const struct osp_ws_codegen_builtin *builtin,
                   struct cg_diag *diag) {
  char signature[CG_CHECK_SIGNATURE_SIZE];
  LLVMContextRef llvm = LLVMGetTypeContext(LLVMTypeOf(call));
  LLVMTypeRef expected = osp_ws_codegen_function_type(llvm, builtin);
  LLVMTypeRef actual = LLVMGetCalledFunctionType(call);
  if (actual != expected) {
    char *actual_text = LLVMPrintTypeToString(actual);
    char *expected_text = LLVMPrintTypeToString(expected);
    osp_ws_codegen_spell_builtin(builtin, signature, sizeof signature);
    cg_diag_error(diag, call, "'%s' is called as %s, but the builtin's type is %s: %s", name, actual_text,
                  expected_text, signature);
    LLVMDisposeMessage(actual_text);
    LLVMDisposeMessage(expected_text);
    return;
  }
  for (size_t i = 0; i < builtin->parameter_count; i++)
    if (builtin->parameters[i].type->kind == OSP_WS_CODEGEN_HANDLER)
      cg_check_handler(LLVMGetOperand(call, (unsigned)i), call, name, &builtin->parameters[i], diag);
}
