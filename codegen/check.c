#include "check.h"

#include "assembly.h"
#include "attribute.h"
#include "constant.h"
#include "declare.h"
#include "type.h"

#include <llvm/Config/llvm-config.h>
#include <llvm-c/Target.h>
#include <stdio.h>
#include <string.h>

unsigned osp_ws_codegen_llvm_version(void) {
  return LLVM_VERSION_MAJOR;
}

bool cg_check_options(const struct osp_ws_codegen_options *options, struct osp_ws_codegen_options *chosen,
                      struct cg_diag *diag) {
  unsigned major = 0;
  LLVMGetVersion(&major, NULL, NULL);
  if (options && (options->size < sizeof options->size || options->size > sizeof *chosen)) {
    cg_diag_error(diag, NULL, "the options have a size of %zu bytes, but this library knows %zu", options->size,
                  sizeof *chosen);
    return false;
  }
  if (options)
    memcpy(chosen, options, options->size);
  if (chosen->llvm_version)
    major = major == LLVM_VERSION_MAJOR ? chosen->llvm_version : major;
  if (major == LLVM_VERSION_MAJOR)
    return true;
  cg_diag_error(diag, NULL, "this library was built with LLVM %d, and cannot lower a module of LLVM %u",
                LLVM_VERSION_MAJOR, major);
  return false;
}

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

/* Architectures with 8-byte pointers, for a module that has a triple and no data layout. */
static bool cg_is_64_bit(const char *triple) {
  static const char *const architectures[] = {
      "x86_64",  "x86_64h",   "amd64",       "aarch64",     "aarch64_be", "arm64",     "arm64e",
      "arm64ec", "powerpc64", "powerpc64le", "ppc64",       "ppc64le",    "riscv64",   "riscv64be",
      "s390x",   "systemz",   "mips64",      "mips64el",    "mipsn64",    "mipsn64el", "mipsisa64r6",
      "ve",      "sparcv9",   "sparc64",     "loongarch64", "wasm64",     "bpf",       "mipsisa64r6el",
  };
  static const char *const short_pointers[] = {"x32", "abin32", "ilp32"};
  size_t length = strcspn(triple, "-"), whole = strlen(triple);
  for (size_t i = 0; i < sizeof short_pointers / sizeof *short_pointers; i++) {
    size_t suffix = strlen(short_pointers[i]);
    if (whole >= suffix && !strcmp(triple + whole - suffix, short_pointers[i]))
      return false;
  }
  for (size_t i = 0; i < sizeof architectures / sizeof *architectures; i++)
    if (strlen(architectures[i]) == length && !strncmp(architectures[i], triple, length))
      return true;
  return false;
}

/* Finds A5, P1 or G1 in a data layout: the address space, other than 0, of allocas, functions or variables. */
static const char *cg_address_space(const char *layout) {
  for (;;) {
    if (strchr("APG", layout[0]) && layout[0] && strspn(layout + 1, "0123456789") > strspn(layout + 1, "0"))
      return layout;
    layout += strcspn(layout, "-");
    if (!*layout++)
      return NULL;
  }
}

void cg_check_target(LLVMModuleRef module, struct cg_diag *diag) {
  const char *triple = LLVMGetTarget(module), *layout = LLVMGetDataLayoutStr(module);
  const char *space = cg_address_space(layout);
  unsigned size = *layout ? LLVMPointerSize(LLVMGetModuleDataLayout(module)) : (unsigned)sizeof(void *);
  if (!*layout && *triple && !cg_is_64_bit(triple))
    cg_diag_error(diag, NULL,
                  "the WebSocket builtins need a target with 8-byte pointers; '%s' is not known as one, and the module "
                  "has no data layout",
                  triple);
  else if (size != 8)
    cg_diag_error(diag, NULL, "the WebSocket builtins need a target with 8-byte pointers; those of %s%s%s have %u",
                  *triple ? "'" : "", *triple ? triple : "this module's data layout", *triple ? "'" : "", size);
  LLVMContextRef llvm = LLVMGetModuleContext(module);
  unsigned pointer = LLVMABIAlignmentOfType(LLVMGetModuleDataLayout(module), cg_type_pointer(llvm));
  unsigned number = LLVMABIAlignmentOfType(LLVMGetModuleDataLayout(module), LLVMInt64TypeInContext(llvm));
  if (size == 8 && (pointer != 8 || number > 8))
    cg_diag_error(
        diag, NULL,
        "the WebSocket builtins need pointers that are aligned to 8 bytes, and numbers to 8 at most; the data "
        "layout aligns them to %u and %u",
        pointer, number);
  if (space)
    cg_diag_error(diag, NULL, "the WebSocket builtins need one address space; the data layout has another ('%.*s')",
                  (int)strcspn(space, "-"), space);
}

/* Refuses an attribute (may be NULL) that no body or call can serve. */
static bool cg_check_attribute(LLVMValueRef function, const char *attribute, const char *name, const char *what,
                               struct cg_diag *diag) {
  if (attribute)
    cg_diag_error(diag, function, "'%s' has the attribute '%s', but %s has not", name, attribute, what);
  return !attribute;
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

bool cg_check_function(LLVMValueRef global, const struct cg_form *form, struct cg_diag *diag) {
  char signature[CG_CHECK_SIGNATURE_SIZE];
  LLVMContextRef llvm = LLVMGetModuleContext(LLVMGetGlobalParent(global));
  osp_ws_codegen_spell_builtin(form->builtin, signature, sizeof signature);
  return cg_check_type(global, form->name, cg_type_form(llvm, form), "the builtin's", signature, diag) &&
         (!LLVMIsDeclaration(global) ||
          cg_check_attribute(global, cg_attribute_unserved_by_body(global), form->name, "the builtin", diag));
}

/* Returns the function of the runtime if the module has it and it can be called as one. */
static LLVMValueRef cg_check_symbol(LLVMModuleRef module, const char *name, LLVMTypeRef expected,
                                    struct cg_diag *diag) {
  LLVMValueRef global = cg_declare_find(module, name);
  return global && cg_check_type(global, name, expected, "the runtime's", NULL, diag) &&
                 cg_check_attribute(global, cg_attribute_unserved_by_runtime(global), name, "the runtime's function",
                                    diag)
             ? global
             : NULL;
}

void cg_check_runtime(LLVMModuleRef module, const struct osp_ws_codegen_builtin *builtin, struct cg_diag *diag) {
  LLVMContextRef llvm = LLVMGetModuleContext(module);
  LLVMValueRef entry = cg_check_symbol(module, builtin->symbol, cg_type_entry(llvm, builtin), diag);
  if (entry && LLVMIsDeclaration(entry))
    cg_check_attribute(entry, cg_attribute_unserved_by_entry(entry), builtin->symbol, "the runtime's function", diag);
}

void cg_check_alloc(LLVMModuleRef module, struct cg_diag *diag) {
  cg_check_symbol(module, CG_DECLARE_ALLOC, cg_type_alloc(LLVMGetModuleContext(module)), diag);
}

struct cg_assembly_check {
  LLVMModuleRef module;
  struct cg_diag *diag;
};

/* No builtin has a longer name. */
enum { CG_CHECK_NAME_SIZE = 64 };

static void cg_check_definition(const char *symbol, size_t length, void *context) {
  const struct cg_assembly_check *check = context;
  char name[CG_CHECK_NAME_SIZE];
  bool mangled = cg_declare_is_macho(check->module);
  if (mangled && *symbol != '_') /* no function of C has this name */
    return;
  snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name) - mangled, symbol + mangled);
  LLVMValueRef global = cg_declare_find(check->module, name);
  if (strcmp(name, CG_DECLARE_SUCCESS) == 0 || (global && LLVMIsDeclaration(global) && cg_form_find(name).name))
    cg_diag_error(check->diag, global, "'%s' is defined by the module's assembly, so that lowering cannot define it",
                  name);
}

void cg_check_assembly(LLVMModuleRef module, struct cg_diag *diag) {
  struct cg_assembly_check check = {module, diag};
  size_t length;
  const char *text = LLVMGetModuleInlineAsm(module, &length);
  cg_assembly_definitions(text, length, cg_check_definition, &check);
}

/* The handler operand being checked. */
struct cg_handler_check {
  const char *name; /* of the builtin */
  const struct osp_ws_codegen_member *parameter;
  LLVMValueRef about;
  struct cg_diag *diag;
  char signature[CG_CHECK_SIGNATURE_SIZE];
};

/* `cell` is the constant cell that holds the function, or NULL if the function itself is the operand. */
static void cg_refuse_function(const struct cg_handler_check *check, LLVMValueRef cell, LLVMValueRef function) {
  size_t length;
  LLVMContextRef llvm = LLVMGetModuleContext(LLVMGetGlobalParent(function));
  LLVMTypeRef expected = cell ? osp_ws_codegen_handler_type(llvm, check->parameter->type)
                              : cg_type_raw_handler(llvm, check->parameter->type);
  const char *name = LLVMGetValueName2(function, &length);
  char *actual_text = LLVMPrintTypeToString(LLVMGlobalGetValueType(function));
  char *expected_text = LLVMPrintTypeToString(expected);
  if (cell)
    cg_diag_error(check->diag, check->about,
                  "the cell '%s' is passed to '%s' as %s, but its code '%s' has type %s; expected %s: %s",
                  LLVMGetValueName2(cell, &length), check->name, check->parameter->name, name, actual_text,
                  expected_text, check->signature);
  else
    cg_diag_error(check->diag, check->about, "'%s' is passed to '%s' as %s, but has type %s; expected %s: %s", name,
                  check->name, check->parameter->name, actual_text, expected_text, check->signature);
  LLVMDisposeMessage(actual_text);
  LLVMDisposeMessage(expected_text);
}

/* To print an alias numbers all of its module, and a variable's initializer has no bound, while each of many calls may
 * pass the same one. So these are named instead. */
static bool cg_is_short(LLVMValueRef constant) {
  enum { SHORT = 64 }; /* bytes */
  if (!LLVMIsAGlobalVariable(constant))
    return !LLVMIsAGlobalAlias(constant);
  LLVMTypeRef type = LLVMGlobalGetValueType(constant);
  return LLVMTypeIsSized(type) &&
         LLVMABISizeOfType(LLVMGetModuleDataLayout(LLVMGetGlobalParent(constant)), type) <= SHORT;
}

static void cg_refuse_constant(const struct cg_handler_check *check, LLVMValueRef constant) {
  size_t length;
  char *text = cg_is_short(constant) ? LLVMPrintValueToString(constant) : NULL;
  cg_diag_error(
      check->diag, check->about, "'%s' is passed to '%s' as %s, but is neither a function nor a closure cell: %s",
      text ? text : LLVMGetValueName2(constant, &length), check->name, check->parameter->name, check->signature);
  if (text)
    LLVMDisposeMessage(text);
}

static void cg_refuse_wrong(const struct cg_handler_check *check, LLVMValueRef constant) {
  size_t length;
  LLVMValueRef value = cg_constant_strip(constant);
  LLVMValueRef code = LLVMIsAGlobalVariable(value) ? cg_constant_code_of(value) : NULL;
  LLVMValueRef function = cg_constant_is_function(value) ? cg_constant_function_behind(value) : NULL;
  if (function && cg_constant_is_signed(constant))
    cg_diag_error(check->diag, check->about,
                  "the plain function '%s' is passed to '%s' as %s by a signed pointer, which needs a closure cell: %s",
                  LLVMGetValueName2(value, &length), check->name, check->parameter->name, check->signature);
  else if (function && cg_constant_is_unserved(value))
    cg_check_attribute(function, cg_attribute_unserved(function), LLVMGetValueName2(value, &length), "a handler",
                       check->diag);
  else if (cg_constant_is_function(value))
    cg_refuse_function(check, NULL, value);
  else if (code && cg_constant_is_function(code))
    cg_refuse_function(check, value, code);
  else
    cg_refuse_constant(check, value);
}

void cg_check_handler(const struct cg_origin *origin, LLVMValueRef about, const char *name,
                      const struct osp_ws_codegen_member *parameter, struct cg_diag *diag) {
  struct cg_handler_check check = {name, parameter, about, diag, ""};
  osp_ws_codegen_spell_type(parameter->type, check.signature, sizeof check.signature);
  if (origin->wrong)
    cg_refuse_wrong(&check, origin->wrong);
}

/* Returns the operand of a cast, or NULL if the value is not a cast of this kind. */
static LLVMValueRef cg_cast_operand(LLVMValueRef value, LLVMOpcode opcode) {
  bool is_cast = (LLVMIsAInstruction(value) && LLVMGetInstructionOpcode(value) == opcode) ||
                 (LLVMIsAConstantExpr(value) && LLVMGetConstOpcode(value) == opcode);
  return is_cast ? LLVMGetOperand(value, 0) : NULL;
}

/* A compiler that casts what does not fit, instead of refusing it, swaps named arguments so. Two constants are a JIT's
 * own addresses. */
static void cg_check_swapped(LLVMValueRef call, const char *name, const struct osp_ws_codegen_builtin *builtin,
                             struct cg_diag *diag) {
  char signature[CG_CHECK_SIGNATURE_SIZE];
  const char *integer = NULL, *pointer = NULL;
  bool varies = false;
  for (unsigned i = 0; i < builtin->parameter_count; i++) {
    bool is_integer = builtin->parameters[i].type->kind == OSP_WS_CODEGEN_INT;
    LLVMValueRef from = cg_cast_operand(LLVMGetOperand(call, i), is_integer ? LLVMPtrToInt : LLVMIntToPtr);
    if (!from)
      continue;
    *(is_integer ? &integer : &pointer) = builtin->parameters[i].name;
    varies |= !LLVMIsConstant(from);
  }
  if (!integer || !pointer || !varies)
    return;
  osp_ws_codegen_spell_builtin(builtin, signature, sizeof signature);
  cg_diag_error(diag, call,
                "'%s' is given a pointer cast to an integer as %s and an integer cast to a pointer as %s: %s", name,
                integer, pointer, signature);
}

static bool cg_check_call_attributes(LLVMValueRef call, const char *name, struct cg_diag *diag) {
  LLVMValueRef callee = LLVMGetCalledValue(call);
  LLVMValueRef function = LLVMIsConstant(callee) ? cg_constant_function_behind(cg_constant_strip(callee)) : NULL;
  const char *attribute = cg_attribute_unserved_by_body_at(call);
  if (attribute)
    cg_diag_error(diag, call, "'%s' is called with the attribute '%s', but the builtin has not", name, attribute);
  else if (function && LLVMGetInstructionCallConv(call) != LLVMGetFunctionCallConv(function))
    cg_diag_error(diag, call, "'%s' is called by the calling convention %u, but is declared with %u", name,
                  LLVMGetInstructionCallConv(call), LLVMGetFunctionCallConv(function));
  else
    return true;
  return false;
}

/* With opaque pointers a call has its own function type, which may differ from the function's. */
bool cg_check_call(LLVMValueRef call, const struct cg_form *form, struct cg_diag *diag) {
  char signature[CG_CHECK_SIGNATURE_SIZE];
  LLVMContextRef llvm = LLVMGetTypeContext(LLVMTypeOf(call));
  LLVMTypeRef expected = cg_type_form(llvm, form);
  LLVMTypeRef actual = LLVMGetCalledFunctionType(call);
  if (actual == expected) {
    cg_check_swapped(call, form->name, form->builtin, diag);
    return cg_check_call_attributes(call, form->name, diag);
  }
  char *actual_text = LLVMPrintTypeToString(actual);
  char *expected_text = LLVMPrintTypeToString(expected);
  osp_ws_codegen_spell_builtin(form->builtin, signature, sizeof signature);
  cg_diag_error(diag, call, "'%s' is called as %s, but the builtin's type is %s: %s", form->name, actual_text,
                expected_text, signature);
  LLVMDisposeMessage(actual_text);
  LLVMDisposeMessage(expected_text);
  return false;
}

static bool cg_takes_handler(const struct osp_ws_codegen_builtin *builtin) {
  for (size_t i = 0; i < builtin->parameter_count; i++)
    if (builtin->parameters[i].type->kind == OSP_WS_CODEGEN_HANDLER)
      return true;
  return false;
}

/* The arguments of a statepoint or a patchpoint are those of another call. */
void cg_check_uses(LLVMValueRef function, const struct cg_form *form, struct cg_diag *diag) {
  static const char prefix[] = "llvm.experimental.";
  size_t length;
  for (LLVMUseRef use = LLVMGetFirstUse(function); use && cg_takes_handler(form->builtin); use = LLVMGetNextUse(use)) {
    LLVMValueRef user = LLVMGetUser(use);
    bool is_call = LLVMIsACallInst(user) || LLVMIsAInvokeInst(user);
    LLVMValueRef callee = is_call ? LLVMGetCalledValue(user) : NULL;
    const char *name = callee && LLVMIsAFunction(callee) ? LLVMGetValueName2(callee, &length) : "";
    if (!strncmp(name, prefix, sizeof prefix - 1))
      cg_diag_error(diag, user, "'%s' is called by '%s', which hides its handler: lower before such calls are made",
                    form->name, name);
  }
}

/* A module that is read lazily has functions without bodies, whose calls cannot be seen yet. */
bool cg_check_loaded(LLVMModuleRef module, struct cg_diag *diag) {
  size_t length;
  for (LLVMValueRef function = LLVMGetFirstFunction(module); function; function = LLVMGetNextFunction(function)) {
    if (LLVMIsDeclaration(function) || LLVMGetFirstBasicBlock(function))
      continue;
    cg_diag_error(diag, function, "the body of '%s' is not loaded: the module has to be materialized before lowering",
                  LLVMGetValueName2(function, &length));
    return false;
  }
  return true;
}
