#include "attribute.h"

#include "feature.h"

#include <llvm-c/DebugInfo.h>
#include <llvm/Config/llvm-config.h>
#include <stdlib.h>
#include <string.h>

void cg_attribute_add(LLVMValueRef function, LLVMAttributeIndex index, const char *name, uint64_t value) {
  LLVMContextRef llvm = LLVMGetModuleContext(LLVMGetGlobalParent(function));
  unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
  LLVMAddAttributeAtIndex(function, index, LLVMCreateEnumAttribute(llvm, kind, value));
}

void cg_attribute_remove(LLVMValueRef function, LLVMAttributeIndex index, const char *name) {
  LLVMRemoveEnumAttributeAtIndex(function, index, LLVMGetEnumAttributeKindForName(name, strlen(name)));
}

void cg_attribute_remove_places(LLVMValueRef call, LLVMAttributeIndex index) {
  static const char *const names[] = {"align", "dereferenceable", "dereferenceable_or_null"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    LLVMRemoveCallSiteEnumAttribute(call, index, LLVMGetEnumAttributeKindForName(names[i], strlen(names[i])));
}

void cg_attribute_add_nocapture(LLVMValueRef function, LLVMAttributeIndex index) {
#if LLVM_VERSION_MAJOR < 21
  cg_attribute_add(function, index, "nocapture", 0);
#else
  cg_attribute_add(function, index, "captures", 0); /* captures(none) */
#endif
}

/* The encoding of the attribute `memory`: two bits (1 reads, 2 writes) for each location. LLVM 21 added errno, which
 * malloc may set. LLVM 22 added two locations for targets. */
enum {
  CG_MEMORY_READ_ARGUMENTS = 1 << 0,
  CG_MEMORY_INACCESSIBLE = 3 << 2,
#if LLVM_VERSION_MAJOR < 21
  CG_MEMORY_READ_OTHER = 1 << 4,
#else
  CG_MEMORY_READ_OTHER = 3 << 4 | 1 << 6 | 1 << 8 | 1 << 10,
#endif
};

void cg_attribute_add_writes_own_memory(LLVMValueRef function) {
  cg_attribute_add(function, CG_ATTRIBUTE_FUNCTION, "memory",
                   CG_MEMORY_READ_OTHER | CG_MEMORY_INACCESSIBLE | CG_MEMORY_READ_ARGUMENTS);
}

void cg_attribute_add_text(LLVMValueRef function, const char *name, const char *value) {
  LLVMContextRef llvm = LLVMGetModuleContext(LLVMGetGlobalParent(function));
  LLVMAttributeRef attribute =
      LLVMCreateStringAttribute(llvm, name, (unsigned)strlen(name), value, (unsigned)strlen(value));
  LLVMAddAttributeAtIndex(function, CG_ATTRIBUTE_FUNCTION, attribute);
}

bool cg_attribute_has(LLVMValueRef function, LLVMAttributeIndex index, const char *name) {
  unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
  return kind && LLVMGetEnumAttributeAtIndex(function, index, kind);
}

bool cg_attribute_has_text(LLVMValueRef function, const char *name) {
  return LLVMGetStringAttributeAtIndex(function, CG_ATTRIBUTE_FUNCTION, name, (unsigned)strlen(name));
}

static bool cg_any_parameter_has(LLVMValueRef function, const char *name) {
  for (LLVMAttributeIndex parameter = 1; parameter <= LLVMCountParams(function); parameter++)
    if (cg_attribute_has(function, parameter, name))
      return true;
  return false;
}

/* Returns the name of the function's calling convention if it permits no calls, or NULL. Only new versions of the
 * verifier know. */
static const char *cg_uncallable(LLVMValueRef function) {
  static const struct {
    unsigned number;
    const char *name;
  } conventions[] = {{76, "spir_kernel"},
                     {87, "amdgpu_vs"},
                     {88, "amdgpu_gs"},
                     {89, "amdgpu_ps"},
                     {90, "amdgpu_cs"},
                     {91, "amdgpu_kernel"},
                     {93, "amdgpu_hs"},
                     {95, "amdgpu_ls"},
                     {96, "amdgpu_es"},
                     {104, "amdgpu_cs_chain"},
                     {124, "amdgpu_gfx_whole_wave"},
                     {105, "amdgpu_cs_chain_preserve"}};
  for (size_t i = 0; i < sizeof conventions / sizeof *conventions; i++)
    if (LLVMGetFunctionCallConv(function) == conventions[i].number)
      return conventions[i].name;
  return NULL;
}

const char *cg_attribute_unserved(LLVMValueRef function) {
  static const char *const names[] = {"inalloca", "preallocated", "sret", "swifterror"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (cg_any_parameter_has(function, names[i]))
      return names[i];
  return cg_uncallable(function);
}

const char *cg_attribute_unserved_by_runtime(LLVMValueRef function) {
  static const char *const names[] = {"byval", "byref"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (cg_any_parameter_has(function, names[i]))
      return names[i];
  return cg_attribute_unserved(function);
}

/* Returns the name of an attribute of the first `count` parameters by which the callee does not read what the caller
 * wrote there, or NULL: LLVM would delete what the caller writes. */
static const char *cg_unread(LLVMValueRef function, unsigned count) {
  static const char *const names[] = {"readnone", "writeonly", "initializes"};
  for (LLVMAttributeIndex parameter = 1; parameter <= count; parameter++)
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
      if (cg_attribute_has(function, parameter, names[i]))
        return names[i];
  return NULL;
}

static bool cg_call_has(LLVMValueRef call, LLVMAttributeIndex index, const char *name) {
  unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
  return kind && LLVMGetCallSiteEnumAttribute(call, index, kind);
}

const char *cg_attribute_unserved_by_body_at(LLVMValueRef call) {
  static const char *const of_call[] = {"noreturn", "memory", "allockind", "allocsize"};
  static const char *const of_argument[] = {"byref",        "byval",       "inalloca", "inreg",      "nest",
                                            "preallocated", "returned",    "sret",     "swiftasync", "swifterror",
                                            "swiftself",    "initializes", "readnone", "writeonly"};
  for (size_t i = 0; i < sizeof of_call / sizeof *of_call; i++)
    if (cg_call_has(call, CG_ATTRIBUTE_FUNCTION, of_call[i]))
      return of_call[i];
  LLVMValueRef function = LLVMGetCalledValue(call);
  for (LLVMAttributeIndex argument = 1; argument <= LLVMGetNumArgOperands(call); argument++)
    for (size_t i = 0; i < sizeof of_argument / sizeof *of_argument; i++)
      if (cg_call_has(call, argument, of_argument[i]) &&
          !(LLVMIsAFunction(function) && cg_attribute_has(function, argument, of_argument[i])))
        return of_argument[i];
  return NULL;
}

const char *cg_attribute_unserved_by_body(LLVMValueRef function) {
  static const char *const names[] = {"naked",        "noreturn",  "presplitcoroutine", "memory",
                                      "speculatable", "allockind", "allocsize"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (cg_attribute_has(function, CG_ATTRIBUTE_FUNCTION, names[i]))
      return names[i];
  if (cg_any_parameter_has(function, "returned"))
    return "returned";
  const char *unread = cg_unread(function, LLVMCountParams(function));
  return unread ? unread : cg_attribute_unserved_by_runtime(function);
}

const char *cg_attribute_unserved_by_entry(LLVMValueRef function) {
  static const char *const names[] = {"naked", "noreturn", "memory", "speculatable"};
  static const char *const slot_names[] = {"readonly", "readnone"};
  unsigned slot = LLVMCountParams(function);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (cg_attribute_has(function, CG_ATTRIBUTE_FUNCTION, names[i]))
      return names[i];
  for (size_t i = 0; i < sizeof slot_names / sizeof *slot_names; i++)
    if (cg_attribute_has(function, slot, slot_names[i]))
      return slot_names[i];
  return cg_unread(function, slot - 1);
}

/* Returns the value of a module flag, or 0. */
static uint64_t cg_flag(LLVMModuleRef module, const char *name) {
  LLVMMetadataRef flag = LLVMGetModuleFlag(module, name, strlen(name));
  if (!flag || LLVMGetMetadataKind(flag) != LLVMConstantAsMetadataMetadataKind)
    return 0;
  LLVMValueRef value = LLVMGetOperand(LLVMMetadataAsValue(LLVMGetModuleContext(module), flag), 0);
  return LLVMIsAConstantInt(value) ? LLVMConstIntGetZExtValue(value) : 0;
}

/* Later versions ask for the presence of these attributes, earlier ones for their value. */
#if LLVM_VERSION_MAJOR < 19
#define CG_PRESENT "true"
#else
#define CG_PRESENT ""
#endif

void cg_attribute_add_defaults(LLVMValueRef function) {
  static const char *const frame_pointers[] = {
    NULL,
    "non-leaf",
    "all",
    "reserved",
#if LLVM_VERSION_MAJOR >= 22
    "non-leaf-no-reserve"
#endif
  };
  static const char *const switches[] = {"branch-target-enforcement", "branch-protection-pauth-lr",
                                         "guarded-control-stack"};
  LLVMModuleRef module = LLVMGetGlobalParent(function);
  uint64_t frame_pointer = cg_flag(module, "frame-pointer");
  uint64_t tables = cg_flag(module, "uwtable");
  if (tables)
    cg_attribute_add(function, CG_ATTRIBUTE_FUNCTION, "uwtable", tables);
  if (frame_pointer && frame_pointer < sizeof frame_pointers / sizeof *frame_pointers)
    cg_attribute_add_text(function, "frame-pointer", frame_pointers[frame_pointer]);
  if (cg_flag(module, "function_return_thunk_extern"))
    cg_attribute_add(function, CG_ATTRIBUTE_FUNCTION, "fn_ret_thunk_extern", 0);
  if (cg_flag(module, "sign-return-address")) {
    cg_attribute_add_text(function, "sign-return-address",
                          cg_flag(module, "sign-return-address-all") ? "all" : "non-leaf");
    cg_attribute_add_text(function, "sign-return-address-key",
                          cg_flag(module, "sign-return-address-with-bkey") ? "b_key" : "a_key");
  }
  for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
    if (cg_flag(module, switches[i]))
      cg_attribute_add_text(function, switches[i], CG_PRESENT);
}

/* What a function shares with those that it is inlined into, or calls, whatever it does: how it is instrumented and
 * protected, and for which machine. nocf_check is not among them: the runtime calls forwarders through pointers. */
static const char *const cg_shared_kinds[] = {
    "sanitize_address",
    "sanitize_hwaddress",
    "sanitize_memory",
    "sanitize_thread",
    "sanitize_memtag",
    "sanitize_type",
    "sanitize_realtime",
    "sanitize_numerical_stability",
    "sanitize_alloc_token",
    "nosanitize_coverage",
    "disable_sanitizer_instrumentation",
    "safestack",
    "shadowcallstack",
    "ssp",
    "sspreq",
    "sspstrong",
    "speculative_load_hardening",
    "noprofile",
    "noredzone",
    "noimplicitfloat",
    "nonlazybind",
    "skipprofile",
    "uwtable",
    "fn_ret_thunk_extern",
};

static const char cg_features[] = "target-features";

static const char *const cg_shared_texts[] = {
    "target-cpu",
    cg_features,
    "tune-cpu",
    "frame-pointer",
    "denormal-fp-math",
    "denormal-fp-math-f32",
    "use-sample-profile",
    "sign-return-address",
    "sign-return-address-key",
    "branch-target-enforcement",
    "branch-protection-pauth-lr",
    "guarded-control-stack",
    "ptrauth-calls",
    "ptrauth-returns",
    "ptrauth-auth-traps",
    "probe-stack",
    "stack-probe-size",
    "no-stack-arg-probe",
    "split-stack",
    "zero-call-used-regs",
    "use-soft-float",
    "patchable-function",
    "indirect-tls-seg-refs",
};

enum {
  CG_SHARED_KINDS = sizeof cg_shared_kinds / sizeof *cg_shared_kinds,
  CG_SHARED_TEXTS = sizeof cg_shared_texts / sizeof *cg_shared_texts,
};
_Static_assert(CG_SHARED_KINDS + CG_SHARED_TEXTS == CG_ATTRIBUTE_SHARED, "one element for each");

/* Writes the attributes of a function; NULL for each that it lacks. */
static void cg_read_shared(LLVMValueRef function, LLVMAttributeRef *attributes) {
  for (size_t i = 0; i < CG_SHARED_KINDS; i++) {
    unsigned kind = LLVMGetEnumAttributeKindForName(cg_shared_kinds[i], strlen(cg_shared_kinds[i]));
    attributes[i] = kind ? LLVMGetEnumAttributeAtIndex(function, CG_ATTRIBUTE_FUNCTION, kind) : NULL;
  }
  for (size_t i = 0; i < CG_SHARED_TEXTS; i++)
    attributes[CG_SHARED_KINDS + i] = LLVMGetStringAttributeAtIndex(function, CG_ATTRIBUTE_FUNCTION, cg_shared_texts[i],
                                                                    (unsigned)strlen(cg_shared_texts[i]));
}

/* The features that two values of "target-features" share, as an attribute; NULL: none, or no value. Other shared
 * attributes need some of them: LLVM aborts if a function has shadowcallstack and no +reserve-x18. */
static LLVMAttributeRef cg_share_features(LLVMContextRef llvm, LLVMAttributeRef first, LLVMAttributeRef second) {
  unsigned first_length = 0, second_length = 0, name_length = (unsigned)strlen(cg_features);
  const char *first_text = first ? LLVMGetStringAttributeValue(first, &first_length) : "";
  const char *second_text = second ? LLVMGetStringAttributeValue(second, &second_length) : "";
  char *text = malloc((size_t)first_length + second_length + 1);
  size_t length = text ? cg_feature_share(first_text, first_length, second_text, second_length, text) : 0;
  LLVMAttributeRef shared =
      length ? LLVMCreateStringAttribute(llvm, cg_features, name_length, text, (unsigned)length) : NULL;
  free(text);
  return shared;
}

/* What two functions share of an attribute that they do not have alike. */
static LLVMAttributeRef cg_share_part(LLVMContextRef llvm, LLVMAttributeRef first, LLVMAttributeRef second) {
  LLVMAttributeRef either = first ? first : second;
  unsigned length;
  if (!LLVMIsStringAttribute(either))
    return NULL;
  const char *name = LLVMGetStringAttributeKind(either, &length);
  bool is_list = length == strlen(cg_features) && !memcmp(name, cg_features, length);
  return is_list ? cg_share_features(llvm, first, second) : NULL;
}

void cg_attribute_share(struct cg_attribute_shared *shared, LLVMValueRef function) {
  LLVMAttributeRef attributes[CG_ATTRIBUTE_SHARED];
  LLVMContextRef llvm = LLVMGetModuleContext(LLVMGetGlobalParent(function));
  if (shared->last == function)
    return;
  cg_read_shared(function, shared->last ? attributes : shared->common);
  for (size_t i = 0; shared->last && i < CG_ATTRIBUTE_SHARED; i++)
    if (shared->common[i] != attributes[i])
      shared->common[i] = cg_share_part(llvm, shared->common[i], attributes[i]);
  shared->last = function;
}

/* Removes what LLVM refuses. Callers may share how return addresses are signed, but not which are. A host may declare a
 * builtin as blocking, and a function that blocks is not a realtime one. */
static void cg_remove_misfits(LLVMValueRef function) {
  static const char *const details[] = {"sign-return-address-key", "branch-protection-pauth-lr"};
  if (cg_attribute_has(function, CG_ATTRIBUTE_FUNCTION, "sanitize_realtime_blocking"))
    cg_attribute_remove(function, CG_ATTRIBUTE_FUNCTION, "sanitize_realtime");
  if (cg_attribute_has_text(function, "sign-return-address"))
    return;
  for (size_t i = 0; i < sizeof details / sizeof *details; i++)
    LLVMRemoveStringAttributeAtIndex(function, CG_ATTRIBUTE_FUNCTION, details[i], (unsigned)strlen(details[i]));
}

void cg_attribute_add_shared(LLVMValueRef function, const struct cg_attribute_shared *shared) {
  for (size_t i = 0; shared->last && i < CG_ATTRIBUTE_SHARED; i++)
    if (shared->common[i])
      LLVMAddAttributeAtIndex(function, CG_ATTRIBUTE_FUNCTION, shared->common[i]);
  cg_remove_misfits(function);
}

/* What a function of AArch64 asks of its callers, such as the streaming mode. */
static void cg_copy_modes(LLVMValueRef function, LLVMValueRef call) {
  static const char prefix[] = "aarch64_";
  LLVMAttributeRef attributes[64];
  unsigned length;
  unsigned count = LLVMGetAttributeCountAtIndex(function, CG_ATTRIBUTE_FUNCTION);
  if (count > sizeof attributes / sizeof *attributes)
    return;
  LLVMGetAttributesAtIndex(function, CG_ATTRIBUTE_FUNCTION, attributes);
  for (unsigned i = 0; i < count; i++)
    if (LLVMIsStringAttribute(attributes[i]) &&
        !strncmp(LLVMGetStringAttributeKind(attributes[i], &length), prefix, sizeof prefix - 1))
      LLVMAddCallSiteAttribute(call, CG_ATTRIBUTE_FUNCTION, attributes[i]);
}

void cg_attribute_copy_to_call(LLVMValueRef function, LLVMValueRef call) {
  LLVMAttributeRef attributes[64];
  cg_copy_modes(function, call);
  for (LLVMAttributeIndex index = 0; index <= LLVMCountParams(function); index++) {
    unsigned count = LLVMGetAttributeCountAtIndex(function, index);
    if (count > sizeof attributes / sizeof *attributes)
      continue;
    LLVMGetAttributesAtIndex(function, index, attributes);
    for (unsigned i = 0; i < count; i++)
      LLVMAddCallSiteAttribute(call, index, attributes[i]);
  }
}
