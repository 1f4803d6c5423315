#include "declare.h"

#include "attribute.h"
#include "layout.h"
#include "origin.h"
#include "type.h"

#include <llvm-c/Comdat.h>
#include <string.h>

LLVMValueRef cg_declare_find(LLVMModuleRef module, const char *name) {
  LLVMValueRef global = LLVMGetNamedFunction(module, name);
  if (!global)
    global = LLVMGetNamedGlobal(module, name);
  if (!global)
    global = LLVMGetNamedGlobalAlias(module, name, strlen(name));
  if (!global)
    global = LLVMGetNamedGlobalIFunc(module, name, strlen(name));
  return global;
}

/* noundef; for a pointer also nonnull dereferenceable(n), and align 8 unless it is a string. Strings and records are
 * borrowed: readonly nocapture. */
static void cg_mark_parameter(LLVMValueRef function, LLVMAttributeIndex index, const struct osp_ws_codegen_type *type) {
  cg_attribute_add(function, index, "noundef", 0);
  if (type->kind == OSP_WS_CODEGEN_BOOL && !cg_attribute_has(function, index, "signext"))
    cg_attribute_add(function, index, "zeroext", 0);
  if (!cg_layout_pointee_size(type))
    return;
  cg_attribute_add(function, index, "nonnull", 0);
  cg_attribute_add(function, index, "dereferenceable", cg_layout_pointee_size(type));
  if (type->kind != OSP_WS_CODEGEN_STRING)
    cg_attribute_add(function, index, "align", 8);
  if (type->kind == OSP_WS_CODEGEN_HANDLER) {
    cg_attribute_remove(function, index, "dereferenceable_or_null");
    return;
  }
  if (!cg_attribute_has(function, index, "writable"))
    cg_attribute_add(function, index, "readonly", 0);
  cg_attribute_add_nocapture(function, index);
}

static void cg_mark_parameters(LLVMValueRef function, const struct osp_ws_codegen_builtin *builtin) {
  for (size_t i = 0; i < builtin->parameter_count; i++)
    cg_mark_parameter(function, (LLVMAttributeIndex)i + 1, builtin->parameters[i].type);
}

/* declare noalias ptr @osp_alloc_tagged(i64, i64) mustprogress nounwind willreturn allockind("alloc,zeroed")
 *   allocsize(0) "alloc-family"="osprey"     the declaration that the host emits
 *
 * Its bytes are zero (ABI-18). A module that reads them may be linked behind this one, and its declaration then has
 * these attributes. */
LLVMValueRef cg_declare_alloc(LLVMModuleRef module) {
  enum { ALLOCKIND_ALLOC = 1, ALLOCKIND_ZEROED = 16 };
  static const uint64_t no_second_operand = UINT32_MAX;
  LLVMContextRef llvm = LLVMGetModuleContext(module);
  LLVMValueRef alloc = LLVMGetNamedFunction(module, CG_DECLARE_ALLOC);
  if (alloc)
    return alloc;
  alloc = LLVMAddFunction(module, CG_DECLARE_ALLOC, cg_type_alloc(llvm));
  cg_attribute_add(alloc, LLVMAttributeReturnIndex, "noalias", 0);
  cg_attribute_add(alloc, LLVMAttributeReturnIndex, "noundef", 0);
  cg_attribute_add(alloc, 1, "noundef", 0);
  cg_attribute_add(alloc, 2, "noundef", 0);
  cg_attribute_add(alloc, CG_ATTRIBUTE_FUNCTION, "mustprogress", 0);
  cg_attribute_add(alloc, CG_ATTRIBUTE_FUNCTION, "nounwind", 0);
  cg_attribute_add(alloc, CG_ATTRIBUTE_FUNCTION, "willreturn", 0);
  cg_attribute_add(alloc, CG_ATTRIBUTE_FUNCTION, "allockind", ALLOCKIND_ALLOC | ALLOCKIND_ZEROED);
  cg_attribute_add(alloc, CG_ATTRIBUTE_FUNCTION, "allocsize", no_second_operand);
  cg_attribute_add_writes_own_memory(alloc);
  LLVMAttributeRef family = LLVMCreateStringAttribute(llvm, "alloc-family", 12, "osprey", 6);
  LLVMAddAttributeAtIndex(alloc, CG_ATTRIBUTE_FUNCTION, family);
  return alloc;
}

/* A builtin whose result is a string or a record is a query. It neither blocks nor runs handlers, so it returns. It
 * takes locks, so that what handlers on other threads wrote may be visible afterwards: it has no `memory` attribute. */
static bool cg_is_query(const struct osp_ws_codegen_builtin *builtin) {
  return builtin->result->kind == OSP_WS_CODEGEN_STRING || builtin->result->kind == OSP_WS_CODEGEN_RECORD;
}

/* declare noundef i64 @osp_ws_send(i64 noundef, ptr noundef nonnull …, ptr noundef nonnull … %error) nounwind */
LLVMValueRef cg_declare_entry(LLVMModuleRef module, const struct osp_ws_codegen_builtin *builtin) {
  LLVMContextRef llvm = LLVMGetModuleContext(module);
  LLVMValueRef entry = LLVMGetNamedFunction(module, builtin->symbol);
  if (!entry)
    entry = LLVMAddFunction(module, builtin->symbol, cg_type_entry(llvm, builtin));
  if (!LLVMIsDeclaration(entry))
    return entry;
  LLVMAttributeIndex error = (LLVMAttributeIndex)builtin->parameter_count + 1;
  cg_attribute_add(entry, LLVMAttributeReturnIndex, "noundef", 0);
  if (builtin->result->kind == OSP_WS_CODEGEN_BOOL)
    cg_attribute_add(entry, LLVMAttributeReturnIndex, "zeroext", 0);
  cg_mark_parameters(entry, builtin);
  cg_attribute_add(entry, error, "noundef", 0);
  cg_attribute_add(entry, error, "nonnull", 0);
  cg_attribute_add(entry, error, "dereferenceable", 8);
  cg_attribute_add(entry, error, "align", 8);
  cg_attribute_add_nocapture(entry, error);
  cg_attribute_add(entry, CG_ATTRIBUTE_FUNCTION, "nounwind", 0);
  if (!cg_is_query(builtin))
    return entry;
  cg_attribute_add(entry, CG_ATTRIBUTE_FUNCTION, "mustprogress", 0);
  cg_attribute_add(entry, CG_ATTRIBUTE_FUNCTION, "willreturn", 0);
  return entry;
}

LLVMValueRef cg_declare_call(LLVMBuilderRef builder, LLVMValueRef function, LLVMValueRef *arguments, unsigned count,
                             const char *name) {
  LLVMValueRef call = LLVMBuildCall2(builder, LLVMGlobalGetValueType(function), function, arguments, count, name);
  LLVMSetInstructionCallConv(call, LLVMGetFunctionCallConv(function));
  return call;
}

/* Returns the letter of an object format that the data layout tells by how names are mangled, or NUL. */
static char cg_mangling(const char *layout) {
  for (;;) {
    if (layout[0] == 'm' && layout[1] == ':')
      return layout[2];
    layout += strcspn(layout, "-");
    if (!*layout++)
      return '\0';
  }
}

bool cg_declare_is_macho(LLVMModuleRef module) {
  static const char *const systems[] = {"-apple-",  "-darwin", "-macos",  "-ios",       "-tvos",
                                        "-watchos", "-xros",   "-vision", "-driverkit", "macho"};
  const char *triple = LLVMGetTarget(module);
  char mangling = cg_mangling(LLVMGetDataLayoutStr(module));
  for (size_t i = 0; i < sizeof systems / sizeof *systems; i++)
    if (strstr(triple, systems[i]))
      return true;
#ifdef __APPLE__
  if (!*triple && !mangling)
    return true;
#endif
  return mangling == 'o';
}

/* Mach-O and XCOFF have no comdats: their linkers merge weak definitions without them. */
static bool cg_has_comdats(LLVMModuleRef module) {
  return !cg_declare_is_macho(module) && cg_mangling(LLVMGetDataLayoutStr(module)) != 'a' &&
         !strstr(LLVMGetTarget(module), "-aix");
}

/* Each module that uses a builtin contains its body. The linker keeps one and exports none. */
static void cg_mark_linkage(LLVMValueRef function, const char *name) {
  LLVMModuleRef module = LLVMGetGlobalParent(function);
  LLVMSetLinkage(function, LLVMLinkOnceODRLinkage);
  LLVMSetVisibility(function, LLVMHiddenVisibility);
  LLVMSetDLLStorageClass(function, LLVMDefaultStorageClass);
  LLVMSetUnnamedAddress(function, LLVMGlobalUnnamedAddr);
  LLVMGlobalEraseMetadata(function, LLVMGetMDKindIDInContext(LLVMGetModuleContext(module), "dbg", 3));
  if (cg_has_comdats(module))
    LLVMSetComdat(function, LLVMGetOrInsertComdat(module, name));
}

/* Whether a global is what cg_declare_success makes. */
static bool cg_is_success(LLVMValueRef global, LLVMTypeRef block) {
  return LLVMIsAGlobalVariable(global) && LLVMIsGlobalConstant(global) && LLVMGetInitializer(global) &&
         LLVMGetLinkage(global) == LLVMLinkOnceODRLinkage && LLVMGlobalGetValueType(global) == block &&
         LLVMGetPointerAddressSpace(LLVMTypeOf(global)) == 0 && !LLVMIsThreadLocal(global) &&
         LLVMGetAlignment(global) >= 8 && LLVMIsNull(LLVMGetInitializer(global));
}

/* @osp_ws.success = linkonce_odr hidden unnamed_addr constant { i64, i8, ptr } zeroinitializer, comdat, align 8
 *
 * If the name is taken, the module has a block of its own. */
LLVMValueRef cg_declare_success(LLVMModuleRef module, LLVMTypeRef block) {
  static const char name[] = CG_DECLARE_SUCCESS;
  LLVMValueRef taken = cg_declare_find(module, name);
  if (taken && cg_is_success(taken, block))
    return taken;
  LLVMValueRef success = LLVMAddGlobal(module, block, name);
  LLVMSetInitializer(success, LLVMConstNull(block));
  LLVMSetGlobalConstant(success, true);
  LLVMSetUnnamedAddress(success, LLVMGlobalUnnamedAddr);
  LLVMSetAlignment(success, 8);
  LLVMSetLinkage(success, taken ? LLVMPrivateLinkage : LLVMLinkOnceODRLinkage);
  if (taken)
    return success;
  LLVMSetVisibility(success, LLVMHiddenVisibility);
  if (cg_has_comdats(module))
    LLVMSetComdat(success, LLVMGetOrInsertComdat(module, name));
  return success;
}

/* [noalias] nonnull align 8 dereferenceable(24)
 *
 * The constant block of a success is no new one, whatever the host believes. */
static void cg_mark_block(LLVMValueRef function, const struct osp_ws_codegen_type *type) {
  if (type->kind != OSP_WS_CODEGEN_SUCCESS)
    cg_attribute_add(function, LLVMAttributeReturnIndex, "noalias", 0);
  else
    cg_attribute_remove(function, LLVMAttributeReturnIndex, "noalias");
  cg_attribute_add(function, LLVMAttributeReturnIndex, "nonnull", 0);
  cg_attribute_add(function, LLVMAttributeReturnIndex, "align", 8);
  cg_attribute_add(function, LLVMAttributeReturnIndex, "dereferenceable", cg_layout_result_size(type));
}

/* define linkonce_odr hidden noundef … ptr @websocketSend(…) unnamed_addr nounwind comdat */
void cg_declare_mark_builtin(LLVMValueRef function, const struct cg_form *form) {
  const struct osp_ws_codegen_builtin *builtin = form->builtin;
  cg_mark_linkage(function, form->name);
  for (size_t i = 0; i < builtin->parameter_count; i++) {
    const char *name = builtin->parameters[i].name;
    LLVMSetValueName2(LLVMGetParam(function, (unsigned)i), name, strlen(name));
  }
  cg_mark_parameters(function, builtin);
  cg_attribute_add(function, LLVMAttributeReturnIndex, "noundef", 0);
  if (!form->unboxed)
    cg_mark_block(function, builtin->result);
  cg_attribute_add(function, CG_ATTRIBUTE_FUNCTION, "nounwind", 0);
  cg_attribute_add_text(function, CG_ORIGIN_MARK, "");
}
