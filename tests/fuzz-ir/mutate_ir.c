/* mutate_ir FILE...: mutates the modules of the IR tests and lowers them, for FUZZ_SECONDS (10 by default).
 *
 * A mutant that LLVM's verifier accepts is either lowered, and then the verifier accepts the result and a second
 * lowering changes nothing; or it is refused, and then it is the same as before. CG-6 CG-13 CG-14. FUZZ_SEED repeats a
 * run. */
#include <llvm-c/Analysis.h>
#include <llvm-c/Core.h>
#include <llvm-c/IRReader.h>
#include <osprey_ws_codegen.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t random_state;

static unsigned pick(size_t count) {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return count ? (unsigned)((random_state >> 33) % count) : 0;
}

/* ---- what a mutation chooses among */

struct values {
  LLVMValueRef items[4096];
  size_t count;
};

static void add_value(struct values *values, LLVMValueRef value) {
  if (value && values->count < sizeof values->items / sizeof *values->items)
    values->items[values->count++] = value;
}

static LLVMValueRef one_of(const struct values *values) {
  return values->count ? values->items[pick(values->count)] : NULL;
}

static void add_globals(struct values *values, LLVMModuleRef module) {
  for (LLVMValueRef value = LLVMGetFirstFunction(module); value; value = LLVMGetNextFunction(value))
    add_value(values, value);
  for (LLVMValueRef value = LLVMGetFirstGlobal(module); value; value = LLVMGetNextGlobal(value))
    add_value(values, value);
  for (LLVMValueRef value = LLVMGetFirstGlobalAlias(module); value; value = LLVMGetNextGlobalAlias(value))
    add_value(values, value);
}

static void add_instructions(struct values *values, LLVMValueRef function) {
  LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function);
  for (; block; block = LLVMGetNextBasicBlock(block))
    for (LLVMValueRef i = LLVMGetFirstInstruction(block); i; i = LLVMGetNextInstruction(i))
      add_value(values, i);
}

static LLVMValueRef any_function(LLVMModuleRef module) {
  struct values values = {.count = 0};
  for (LLVMValueRef value = LLVMGetFirstFunction(module); value; value = LLVMGetNextFunction(value))
    add_value(&values, value);
  return one_of(&values);
}

static LLVMValueRef any_global(LLVMModuleRef module) {
  struct values values = {.count = 0};
  add_globals(&values, module);
  return one_of(&values);
}

static LLVMValueRef any_instruction(LLVMModuleRef module) {
  struct values values = {.count = 0};
  for (LLVMValueRef value = LLVMGetFirstFunction(module); value; value = LLVMGetNextFunction(value))
    add_instructions(&values, value);
  return one_of(&values);
}

/* A value of a type that an instruction of the function may use. */
static LLVMValueRef any_value(LLVMModuleRef module, LLVMValueRef function, LLVMTypeRef type) {
  struct values all = {.count = 0}, fitting = {.count = 0};
  add_globals(&all, module);
  add_instructions(&all, function);
  for (unsigned i = 0; i < LLVMCountParams(function); i++)
    add_value(&all, LLVMGetParam(function, i));
  for (size_t i = 0; i < all.count; i++)
    if (LLVMTypeOf(all.items[i]) == type)
      add_value(&fitting, all.items[i]);
  switch (pick(8)) {
  case 0:
    return LLVMConstNull(type);
  case 1:
    return pick(2) ? LLVMGetUndef(type) : LLVMGetPoison(type);
  default:
    return one_of(&fitting);
  }
}

/* ---- mutations; each may have no effect */

static bool is_value_type(LLVMTypeRef type) {
  LLVMTypeKind kind = LLVMGetTypeKind(type);
  return kind == LLVMPointerTypeKind || kind == LLVMIntegerTypeKind;
}

static void replace_operand(LLVMModuleRef module) {
  LLVMValueRef instruction = any_instruction(module);
  unsigned count = instruction ? (unsigned)LLVMGetNumOperands(instruction) : 0;
  if (!count)
    return;
  unsigned operand = pick(count);
  LLVMTypeRef type = LLVMTypeOf(LLVMGetOperand(instruction, operand));
  LLVMValueRef function = LLVMGetBasicBlockParent(LLVMGetInstructionParent(instruction));
  LLVMValueRef value = is_value_type(type) ? any_value(module, function, type) : NULL;
  if (value)
    LLVMSetOperand(instruction, operand, value);
}

static void duplicate_instruction(LLVMModuleRef module) {
  LLVMValueRef instruction = any_instruction(module);
  if (!instruction || LLVMIsATerminatorInst(instruction))
    return;
  LLVMBuilderRef builder = LLVMCreateBuilderInContext(LLVMGetModuleContext(module));
  LLVMPositionBuilderBefore(builder, instruction);
  LLVMInsertIntoBuilder(builder, LLVMInstructionClone(instruction));
  LLVMDisposeBuilder(builder);
}

static void freeze_or_store(LLVMModuleRef module) {
  LLVMValueRef instruction = any_instruction(module);
  if (!instruction || LLVMIsAPHINode(instruction))
    return;
  LLVMContextRef llvm = LLVMGetModuleContext(module);
  LLVMValueRef function = LLVMGetBasicBlockParent(LLVMGetInstructionParent(instruction));
  LLVMTypeRef pointer = LLVMPointerTypeInContext(llvm, 0);
  LLVMValueRef value = any_value(module, function, pointer), other = any_value(module, function, pointer);
  LLVMBuilderRef builder = LLVMCreateBuilderInContext(llvm);
  LLVMPositionBuilderBefore(builder, instruction);
  if (value && other) {
    LLVMValueRef index = LLVMConstInt(LLVMInt64TypeInContext(llvm), pick(4), 0);
    switch (pick(6)) {
    case 0:
      LLVMBuildFreeze(builder, value, "");
      break;
    case 1:
      LLVMBuildStore(builder, value, other);
      break;
    case 2:
      LLVMBuildLoad2(builder, pointer, value, "");
      break;
    case 3:
      LLVMBuildAlloca(builder, pointer, "");
      break;
    case 4:
      LLVMBuildSelect(builder, LLVMConstInt(LLVMInt1TypeInContext(llvm), pick(2), 0), value, other, "");
      break;
    default:
      LLVMBuildGEP2(builder, pointer, value, &index, 1, "");
    }
  }
  LLVMDisposeBuilder(builder);
}

static void replace_uses(LLVMModuleRef module) {
  LLVMValueRef from = any_global(module), to = any_global(module);
  if (from && to && from != to && LLVMTypeOf(from) == LLVMTypeOf(to))
    LLVMReplaceAllUsesWith(from, to);
}

static void change_linkage(LLVMModuleRef module) {
  LLVMValueRef global = any_global(module);
  if (!global)
    return;
  if (pick(2))
    LLVMSetLinkage(global, (LLVMLinkage)pick(LLVMCommonLinkage + 1));
  else
    LLVMSetVisibility(global, (LLVMVisibility)pick(3));
}

static void rename_global(LLVMModuleRef module) {
  static const char *const names[] = {"osp_alloc_tagged", "osp_ws_send",    "osp_ws_connect",    "osp_ws.success",
                                      "osp_ws.to_cell",   "osp_ws.cell.on", "osp_ws.forward.on", "osp_ws_close"};
  size_t count;
  const struct osp_ws_codegen_builtin *builtins = osp_ws_codegen_builtins(&count);
  const struct osp_ws_codegen_builtin *builtin = &builtins[pick(count)];
  const char *const some[] = {names[pick(sizeof names / sizeof *names)], builtin->name, builtin->alias,
                              builtin->symbol};
  const char *name = some[pick(4)];
  LLVMValueRef global = any_global(module);
  if (global)
    LLVMSetValueName2(global, name, strlen(name));
}

static void add_attribute(LLVMModuleRef module) {
  static const char *const names[] = {"nonnull",    "readonly",  "writeonly",    "readnone", "noalias",   "inreg",
                                      "swifterror", "swiftself", "nest",         "zeroext",  "signext",   "noreturn",
                                      "naked",      "optnone",   "noinline",     "strictfp", "noundef",   "noprofile",
                                      "ssp",        "safestack", "alwaysinline", "minsize",  "willreturn"};
  const char *name = names[pick(sizeof names / sizeof *names)];
  LLVMValueRef function = any_function(module);
  if (!function)
    return;
  LLVMAttributeRef attribute =
      LLVMCreateEnumAttribute(LLVMGetModuleContext(module), LLVMGetEnumAttributeKindForName(name, strlen(name)), 0);
  unsigned index = pick(LLVMCountParams(function) + 2);
  LLVMAddAttributeAtIndex(function, index ? index - 1 : (LLVMAttributeIndex)LLVMAttributeFunctionIndex, attribute);
}

static void change_convention(LLVMModuleRef module) {
  static const unsigned conventions[] = {LLVMCCallConv, LLVMFastCallConv, LLVMColdCallConv, LLVMX8664SysVCallConv,
                                         LLVMWin64CallConv};
  LLVMValueRef function = any_function(module);
  if (function)
    LLVMSetFunctionCallConv(function, conventions[pick(sizeof conventions / sizeof *conventions)]);
}

static void change_target(LLVMModuleRef module) {
  static const char *const triples[] = {
      "",  "x86_64-unknown-darwin20", "powerpc64-ibm-aix",      "wasm32-unknown-unknown",
      "-", "x86_64-linux-gnux32",     "aarch64-pc-windows-msvc"};
  static const char *const layouts[] = {"",     "e-m:o-i64:64", "E-m:a", "e-p:32:32",
                                        "e-A5", "P1",           "G1",    "e-m:e-p:64:64:64:32"};
  if (pick(2))
    LLVMSetTarget(module, triples[pick(sizeof triples / sizeof *triples)]);
  else
    LLVMSetDataLayout(module, layouts[pick(sizeof layouts / sizeof *layouts)]);
}

static void change_initializer(LLVMModuleRef module) {
  LLVMValueRef global = any_global(module), value = any_global(module);
  if (!global || !LLVMIsAGlobalVariable(global))
    return;
  if (LLVMGlobalGetValueType(global) == LLVMTypeOf(value))
    LLVMSetInitializer(global, value);
  else
    LLVMSetInitializer(global, LLVMConstNull(LLVMGlobalGetValueType(global)));
  LLVMSetGlobalConstant(global, (int)pick(2));
}

static void mutate(LLVMModuleRef module) {
  static void (*const mutations[])(LLVMModuleRef module) = {
      replace_operand, replace_operand,   replace_operand, duplicate_instruction, freeze_or_store,
      freeze_or_store, replace_uses,      change_linkage,  rename_global,         add_attribute,
      add_attribute,   change_convention, change_target,   change_initializer,
  };
  for (unsigned left = 1 + pick(6); left; left--)
    mutations[pick(sizeof mutations / sizeof *mutations)](module);
}

/* ---- the check */

static void report(const struct osp_ws_codegen_diagnostic *diagnostic, void *context) {
  if (strstr(diagnostic->message, "the module is not valid"))
    *(const char **)context = "lowering made a valid module invalid";
}

static void fail(const char *what, const char *before, const char *after) {
  fprintf(stderr, "%s\n---- before\n%s\n---- after\n%s\n", what, before, after);
  abort();
}

/* Returns whether the module was lowered. */
static bool check(LLVMModuleRef module) {
  const char *wrong = NULL;
  char *before = LLVMPrintModuleToString(module);
  bool lowered = osp_ws_codegen_lower_module(module, NULL, report, &wrong) == 0;
  char *once = LLVMPrintModuleToString(module);
  if (wrong)
    fail(wrong, before, once);
  if (!lowered && strcmp(before, once) != 0)
    fail("a refused module was changed", before, once);
  if (lowered && osp_ws_codegen_lower_module(module, NULL, report, &wrong))
    fail("a lowered module is refused", before, once);
  char *twice = LLVMPrintModuleToString(module);
  if (strcmp(once, twice) != 0)
    fail("lowering twice has another effect", once, twice);
  LLVMDisposeMessage(before);
  LLVMDisposeMessage(once);
  LLVMDisposeMessage(twice);
  return lowered;
}

/* ---- the modules */

/* The modules of a file; the tests have several, divided as for LLVM's split-file. */
static size_t split(char *text, char **parts, size_t most) {
  size_t count = 0;
  parts[count++] = text;
  for (char *at = text; (at = strstr(at, "--- ")) && count < most; at++)
    if (at > text + 1 && at[-2] == '\n' && (at[-1] == ';' || at[-1] == '#')) {
      at[-1] = '\0';
      parts[count++] = at + strcspn(at, "\n");
    }
  return count;
}

static void ignore(LLVMDiagnosticInfoRef info, void *context) {
  (void)info, (void)context;
}

/* LLVM's verifier overflows the stack if aliases form a circle through expressions. */
static bool has_alias_circle(LLVMModuleRef module) {
  enum { MOST_STEPS = 1000 };
  for (LLVMValueRef alias = LLVMGetFirstGlobalAlias(module); alias; alias = LLVMGetNextGlobalAlias(alias)) {
    LLVMValueRef at = alias;
    int steps = 0;
    while (steps++ < MOST_STEPS && (LLVMIsAGlobalAlias(at) || LLVMIsAConstantExpr(at)))
      at = LLVMGetOperand(at, 0);
    if (steps > MOST_STEPS)
      return true;
  }
  return false;
}

static unsigned tried, valid, lowered;

static void try_one(const char *text) {
  LLVMContextRef llvm = LLVMContextCreate();
  LLVMModuleRef module;
  char *message = NULL;
  LLVMContextSetDiagnosticHandler(llvm, ignore, NULL);
  osp_ws_codegen_prepare_context(llvm);
  LLVMMemoryBufferRef buffer = LLVMCreateMemoryBufferWithMemoryRangeCopy(text, strlen(text), "mutant");
  if (!LLVMParseIRInContext(llvm, buffer, &module, &message)) {
    mutate(module);
    tried++;
    if (!has_alias_circle(module) && !LLVMVerifyModule(module, LLVMReturnStatusAction, &message)) {
      valid++;
      lowered += check(module);
    }
    LLVMDisposeModule(module);
  }
  LLVMDisposeMessage(message);
  LLVMContextDispose(llvm);
}

static char *read_file(const char *path) {
  LLVMMemoryBufferRef buffer;
  char *message = NULL;
  if (LLVMCreateMemoryBufferWithContentsOfFile(path, &buffer, &message)) {
    fprintf(stderr, "%s: %s\n", path, message);
    exit(2);
  }
  char *text = strndup(LLVMGetBufferStart(buffer), LLVMGetBufferSize(buffer));
  LLVMDisposeMemoryBuffer(buffer);
  return text;
}

int main(int argc, char **argv) {
  enum { MOST_PARTS = 64 };
  const char *seconds = getenv("FUZZ_SECONDS"), *seed = getenv("FUZZ_SEED");
  time_t end = time(NULL) + (seconds ? atoi(seconds) : 10);
  uint64_t number = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL) << 20;
  while (time(NULL) < end && argc > 1) {
    char *parts[MOST_PARTS];
    random_state = number;
    char *text = read_file(argv[1 + pick((size_t)argc - 1)]);
    const char *part = parts[pick(split(text, parts, MOST_PARTS))];
    fprintf(stderr, "\rseed %llu", (unsigned long long)number++);
    try_one(part);
    free(text);
  }
  fprintf(stderr, "\n%u mutants, %u valid, %u lowered\n", tried, valid, lowered);
  return lowered == 0;
}
