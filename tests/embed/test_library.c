/* The interface of the codegen library, used correctly and incorrectly: CG-14, CG-20, CG-21. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <llvm-c/BitReader.h>
#include <llvm-c/BitWriter.h>
#include <llvm-c/Core.h>
#include <llvm-c/DebugInfo.h>
#include <llvm/Config/llvm-config.h>
#include <osprey_ws_codegen.h>
#include <stdio.h>
#include <string.h>

/* A module with one function, `void f(i64 %n, ptr %s)`, and the reported diagnostics. */
struct fixture {
  LLVMContextRef llvm;
  LLVMModuleRef module;
  LLVMBuilderRef builder;
  LLVMValueRef function, n, s;
  char reports[4096];
  int count;
};

static void report(const struct osp_ws_codegen_diagnostic *diagnostic, void *context) {
  struct fixture *t = context;
  size_t length = strlen(t->reports);
  snprintf(t->reports + length, sizeof t->reports - length, "%s\n", diagnostic->message);
  t->count++;
}

static int set_up(void **state) {
  static struct fixture t;
  t = (struct fixture){.llvm = LLVMContextCreate()};
  osp_ws_codegen_prepare_context(t.llvm);
  t.module = LLVMModuleCreateWithNameInContext("test", t.llvm);
  t.builder = LLVMCreateBuilderInContext(t.llvm);
  LLVMTypeRef parameters[] = {LLVMInt64TypeInContext(t.llvm), LLVMPointerTypeInContext(t.llvm, 0)};
  t.function = LLVMAddFunction(t.module, "f", LLVMFunctionType(LLVMVoidTypeInContext(t.llvm), parameters, 2, 0));
  t.n = LLVMGetParam(t.function, 0);
  t.s = LLVMGetParam(t.function, 1);
  LLVMPositionBuilderAtEnd(t.builder, LLVMAppendBasicBlockInContext(t.llvm, t.function, "entry"));
  *state = &t;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *t = *state;
  LLVMDisposeBuilder(t->builder);
  LLVMDisposeModule(t->module);
  LLVMContextDispose(t->llvm);
  return 0;
}

static LLVMValueRef build(struct fixture *t, const char *name, LLVMValueRef *arguments, size_t count) {
  return osp_ws_codegen_build_call(t->builder, name, arguments, count, report, t);
}

static int lower(struct fixture *t) {
  return osp_ws_codegen_lower_module(t->module, NULL, report, t);
}

static int module_holds(struct fixture *t, const char *text) {
  char *module = LLVMPrintModuleToString(t->module);
  int holds = strstr(module, text) != NULL;
  if (!holds)
    print_message("not found: %s\nin:\n%s\n", text, module);
  LLVMDisposeMessage(module);
  return holds;
}

enum {
#define WS_BUILTIN(name, alias, symbol, result, requirement, parameters, doc) +1
  TABLE_ROWS = 0
#include "ws_builtins.def"
};

static void test_lists_builtins_records_handlers_and_aliases(void **state) {
  size_t builtins, records, handlers, aliases;
  (void)state;
  const struct osp_ws_codegen_builtin *first = osp_ws_codegen_builtins(&builtins);
  const struct osp_ws_codegen_type *record = osp_ws_codegen_records(&records);
  const struct osp_ws_codegen_type *handler = osp_ws_codegen_handlers(&handlers);
  const struct osp_ws_codegen_alias *alias = osp_ws_codegen_aliases(&aliases);
  assert_int_equal(builtins, TABLE_ROWS);
  assert_int_equal(records, 3);
  assert_int_equal(handlers, 5);
  assert_int_equal(aliases, 3);
  assert_string_equal(first->name, "websocketConnect");
  assert_string_equal(first->alias, "wsConnect");
  assert_string_equal(first->symbol, "osp_ws_connect");
  assert_string_equal(first->requirement, "WS-CONNECT");
  assert_int_equal(first->parameter_count, 2);
  assert_string_equal(first->parameters[1].name, "messageHandler");
  assert_ptr_equal(first->parameters[1].type, &handler[0]);
  assert_int_equal(first->result->kind, OSP_WS_CODEGEN_INT);
  assert_string_equal(record[0].name, "WebSocketMessage");
  assert_int_equal(record[0].kind, OSP_WS_CODEGEN_RECORD);
  assert_string_equal(record[0].members[2].name, "timestamp");
  assert_int_equal(handler[3].member_count, 3);
  assert_ptr_equal(handler[3].members[0].type, &record[1]);
  assert_string_equal(alias[0].name, "WebSocketID");
  assert_ptr_equal(alias[0].type, first->result);
  assert_int_equal(osp_ws_codegen_version(), OSP_WS_CODEGEN_VERSION);
}

static void test_every_builtin_is_found_by_name_and_alias_and_documented(void **state) {
  size_t count;
  (void)state;
  const struct osp_ws_codegen_builtin *builtins = osp_ws_codegen_builtins(&count);
  for (size_t i = 0; i < count; i++) {
    assert_ptr_equal(osp_ws_codegen_find(builtins[i].name), &builtins[i]);
    assert_ptr_equal(osp_ws_codegen_find(builtins[i].alias), &builtins[i]);
    assert_int_equal(builtins[i].doc[strlen(builtins[i].doc) - 1], '.');
  }
  assert_null(osp_ws_codegen_find("websocketNothing"));
  assert_null(osp_ws_codegen_find(""));
}

static void test_spells_signatures_and_cuts_them(void **state) {
  static const char whole[] = "websocketSend(wsID: Int, message: String) -> Result<Success, String>";
  char text[256];
  (void)state;
  const struct osp_ws_codegen_builtin *send = osp_ws_codegen_find("wsSend");
  assert_int_equal(osp_ws_codegen_spell_builtin(send, text, sizeof text), sizeof whole - 1);
  assert_string_equal(text, whole);
  assert_int_equal(osp_ws_codegen_spell_builtin(send, text, 5), sizeof whole - 1);
  assert_string_equal(text, "webs");
  assert_int_equal(osp_ws_codegen_spell_builtin(send, NULL, 0), sizeof whole - 1);
  osp_ws_codegen_spell_type(osp_ws_codegen_find("websocketOnClose")->parameters[1].type, text, sizeof text);
  assert_string_equal(text, "fn(WebSocketConnection, Int, String) -> Result<Success, String>");
}

static void test_types_are_those_of_the_binary_interface(void **state) { /* ABI-2 */
  struct fixture *t = *state;
  const struct osp_ws_codegen_builtin *connect = osp_ws_codegen_find("websocketConnectWith");
  char *text = LLVMPrintTypeToString(osp_ws_codegen_record_type(t->llvm, connect->parameters[1].type));
  assert_string_equal(text, "{ i64, ptr, ptr, i1, i64, i64, i64 }");
  LLVMDisposeMessage(text);
  text = LLVMPrintTypeToString(osp_ws_codegen_handler_type(t->llvm, connect->parameters[2].type));
  assert_string_equal(text, "ptr (ptr, ptr, ptr)");
  LLVMDisposeMessage(text);
  text = LLVMPrintTypeToString(osp_ws_codegen_function_type(t->llvm, connect));
  assert_string_equal(text, "ptr (ptr, ptr, ptr)");
  LLVMDisposeMessage(text);
  text = LLVMPrintTypeToString(osp_ws_codegen_result_type(t->llvm, osp_ws_codegen_find("wsProtocol")->result));
  assert_string_equal(text, "{ ptr, i8, ptr }");
  LLVMDisposeMessage(text);
}

static void test_builds_a_call_and_lowers_it(void **state) {
  struct fixture *t = *state;
  LLVMValueRef call = build(t, "websocketSend", (LLVMValueRef[]){t->n, t->s}, 2);
  assert_non_null(call);
  LLVMBuildRetVoid(t->builder);
  assert_true(module_holds(t, "declare ptr @websocketSend(i64, ptr)"));
  assert_int_equal(lower(t), 0);
  assert_true(module_holds(t, "call ptr @websocketSend(i64 %0, ptr %1)"));
  assert_true(module_holds(t, "define linkonce_odr hidden"));
  assert_int_equal(t->count, 0);
}

static void test_builds_a_call_without_a_block(void **state) { /* CG-27 */
  struct fixture *t = *state;
  LLVMValueRef call = build(t, "websocketSend.unboxed", (LLVMValueRef[]){t->n, t->s}, 2);
  assert_non_null(call);
  LLVMBuildRetVoid(t->builder);
  assert_ptr_equal(LLVMGetCalledFunctionType(call),
                   osp_ws_codegen_unboxed_type(t->llvm, osp_ws_codegen_find("websocketSend")));
  assert_int_equal(lower(t), 0);
  assert_true(module_holds(t, "call { i64, ptr } @websocketSend.unboxed(i64 %0, ptr %1)"));
  assert_true(module_holds(t, "define linkonce_odr hidden noundef { i64, ptr } @websocketSend.unboxed("));
  assert_int_equal(t->count, 0);
}

static void test_wraps_a_plain_handler_when_it_lowers(void **state) {
  struct fixture *t = *state;
  LLVMTypeRef pointer = LLVMPointerTypeInContext(t->llvm, 0);
  LLVMValueRef on = LLVMAddFunction(t->module, "on", LLVMFunctionType(pointer, &pointer, 1, 0));
  assert_non_null(build(t, "wsConnect", (LLVMValueRef[]){t->s, on}, 2));
  LLVMBuildRetVoid(t->builder);
  assert_true(module_holds(t, "call ptr @wsConnect(ptr %1, ptr @on)"));
  assert_int_equal(lower(t), 0);
  assert_true(module_holds(t, "call ptr @wsConnect(ptr %1, ptr @osp_ws.cell.on)"));
}

static void test_a_call_takes_the_builders_debug_location(void **state) {
  struct fixture *t = *state;
  LLVMDIBuilderRef debug = LLVMCreateDIBuilder(t->module);
  LLVMMetadataRef file = LLVMDIBuilderCreateFile(debug, "a.osp", 5, "/", 1);
  LLVMDIBuilderCreateCompileUnit(debug, LLVMDWARFSourceLanguageC, file, "", 0, 0, "", 0, 0, "", 0,
                                 LLVMDWARFEmissionFull, 0, 0, 0, "", 0, "", 0);
  LLVMMetadataRef type = LLVMDIBuilderCreateSubroutineType(debug, file, NULL, 0, LLVMDIFlagZero);
  LLVMMetadataRef scope =
      LLVMDIBuilderCreateFunction(debug, file, "f", 1, "f", 1, file, 1, type, 0, 1, 1, LLVMDIFlagZero, 0);
  LLVMSetSubprogram(t->function, scope);
  LLVMSetCurrentDebugLocation2(t->builder, LLVMDIBuilderCreateDebugLocation(t->llvm, 7, 3, scope, NULL));
  LLVMValueRef call = build(t, "wsClose", (LLVMValueRef[]){t->n}, 1);
  LLVMBuildRetVoid(t->builder);
  LLVMDIBuilderFinalize(debug);
  LLVMDisposeDIBuilder(debug);
  assert_int_equal(LLVMGetDebugLocLine(call), 7);
  LLVMAddModuleFlag(t->module, LLVMModuleFlagBehaviorWarning, "Debug Info Version", 18,
                    LLVMValueAsMetadata(LLVMConstInt(LLVMInt32TypeInContext(t->llvm), 3, 0)));
  assert_int_equal(lower(t), 0);
}

static void test_refuses_what_cannot_be_built(void **state) {
  struct fixture *t = *state;
  LLVMTypeRef pointer = LLVMPointerTypeInContext(t->llvm, 0);
  LLVMTypeRef two[] = {pointer, pointer};
  LLVMValueRef wrong = LLVMAddFunction(t->module, "wrong", LLVMFunctionType(pointer, two, 2, 0));
  assert_null(build(t, "websocketNothing", NULL, 0));
  assert_null(build(t, "wsSend", (LLVMValueRef[]){t->n}, 1));
  assert_null(build(t, "wsSend", (LLVMValueRef[]){t->s, t->s}, 2));
  assert_null(build(t, "wsConnect", (LLVMValueRef[]){t->s, wrong}, 2));
  assert_null(build(t, "wsConnect", (LLVMValueRef[]){t->s, LLVMConstNull(pointer)}, 2));
  assert_int_equal(t->count, 5);
  assert_string_equal(
      t->reports,
      "there is no WebSocket builtin 'websocketNothing'\n"
      "'wsSend' is given 1 arguments, but takes 2: websocketSend(wsID: Int, message: String) -> Result<Success, "
      "String>\n"
      "'wsSend' is given a value of type ptr as wsID; expected i64: Int\n"
      "'wrong' is passed to 'wsConnect' as messageHandler, but has type ptr (ptr, ptr); expected ptr (ptr): "
      "fn(String) -> Result<Success, String>\n"
      "'ptr null' is passed to 'wsConnect' as messageHandler, but is neither a function nor a closure cell: "
      "fn(String) -> Result<Success, String>\n");
}

static void test_reports_what_is_missing(void **state) {
  struct fixture *t = *state;
  LLVMBuilderRef nowhere = LLVMCreateBuilderInContext(t->llvm);
  assert_int_equal(osp_ws_codegen_lower_module(NULL, NULL, report, t), -1);
  assert_null(osp_ws_codegen_declare(NULL, "wsSend", report, t));
  assert_null(osp_ws_codegen_declare(t->module, NULL, report, t));
  assert_null(build(t, "wsSend", (LLVMValueRef[]){t->n, NULL}, 2));
  assert_null(osp_ws_codegen_build_call(nowhere, "wsClose", &t->n, 1, report, t));
  assert_null(osp_ws_codegen_build_call(NULL, "wsClose", &t->n, 1, report, t));
  LLVMDisposeBuilder(nowhere);
  assert_int_equal(t->count, 6);
  assert_non_null(strstr(t->reports, "'wsSend' is given no value as message\n"));
}

static void test_refuses_a_name_that_is_taken(void **state) {
  struct fixture *t = *state;
  LLVMAddGlobal(t->module, LLVMInt64TypeInContext(t->llvm), "wsSend");
  LLVMAddFunction(t->module, "wsClose", LLVMFunctionType(LLVMInt64TypeInContext(t->llvm), NULL, 0, 0));
  assert_null(osp_ws_codegen_declare(t->module, "wsSend", report, t));
  assert_null(osp_ws_codegen_declare(t->module, "wsClose", report, t));
  assert_null(build(t, "wsClose", (LLVMValueRef[]){t->n}, 1));
  assert_null(osp_ws_codegen_declare(t->module, "close", report, t));
  assert_int_equal(t->count, 4);
  assert_non_null(osp_ws_codegen_declare(t->module, "websocketClose", report, t));
  assert_ptr_equal(osp_ws_codegen_declare(t->module, "websocketClose", report, t),
                   LLVMGetNamedFunction(t->module, "websocketClose"));
  assert_int_equal(t->count, 4);
}

static void test_calls_a_function_as_it_is_defined(void **state) { /* CG-6 CG-21 */
  struct fixture *t = *state;
  LLVMTypeRef pointer = LLVMPointerTypeInContext(t->llvm, 0);
  LLVMValueRef own =
      LLVMAddFunction(t->module, "wsClose", LLVMFunctionType(pointer, (LLVMTypeRef[]){LLVMTypeOf(t->n)}, 1, 0));
  LLVMSetFunctionCallConv(own, LLVMFastCallConv);
  LLVMBuilderRef body = LLVMCreateBuilderInContext(t->llvm);
  LLVMPositionBuilderAtEnd(body, LLVMAppendBasicBlockInContext(t->llvm, own, "entry"));
  LLVMBuildRet(body, LLVMConstNull(pointer));
  LLVMDisposeBuilder(body);
  LLVMValueRef call = build(t, "wsClose", (LLVMValueRef[]){t->n}, 1);
  assert_int_equal(LLVMGetInstructionCallConv(call), LLVMFastCallConv);
  assert_null(build(t, "wsSend", (LLVMValueRef[]){t->n}, 1));
  assert_null(LLVMGetNamedFunction(t->module, "wsSend"));
}

static void test_reports_every_error_and_leaves_the_module(void **state) {
  struct fixture *t = *state;
  LLVMTypeRef number = LLVMInt64TypeInContext(t->llvm);
  LLVMAddFunction(t->module, "wsSend", LLVMFunctionType(number, &number, 1, 0));
  LLVMAddFunction(t->module, "websocketClose", LLVMFunctionType(number, &number, 1, 0));
  build(t, "wsStopServer", (LLVMValueRef[]){t->n}, 1);
  LLVMBuildRetVoid(t->builder);
  char *before = LLVMPrintModuleToString(t->module);
  assert_int_equal(lower(t), -1);
  assert_int_equal(t->count, 2);
  char *after = LLVMPrintModuleToString(t->module);
  assert_string_equal(before, after);
  LLVMDisposeMessage(before);
  LLVMDisposeMessage(after);
}

static void test_says_nothing_without_a_callback(void **state) {
  struct fixture *t = *state;
  LLVMAddFunction(t->module, "wsSend", LLVMFunctionType(LLVMInt64TypeInContext(t->llvm), NULL, 0, 0));
  LLVMBuildRetVoid(t->builder);
  assert_int_equal(osp_ws_codegen_lower_module(t->module, NULL, NULL, NULL), -1);
  assert_null(osp_ws_codegen_declare(t->module, "no", NULL, NULL));
}

#if LLVM_VERSION_MAJOR < 17
static void test_refuses_typed_pointers(void **state) { /* CG-23 */
  struct fixture *t = *state;
  LLVMContextRef typed = LLVMContextCreate();
  LLVMContextSetOpaquePointers(typed, 0);
  LLVMModuleRef module = LLVMModuleCreateWithNameInContext("typed", typed);
  LLVMAddFunction(module, "wsClose", LLVMFunctionType(LLVMInt64TypeInContext(typed), NULL, 0, 0));
  assert_int_equal(osp_ws_codegen_lower_module(module, NULL, report, t), -1);
  assert_null(osp_ws_codegen_declare(module, "wsSend", report, t));
  assert_non_null(strstr(t->reports, "the context has typed pointers"));
  LLVMDisposeModule(module);
  LLVMContextDispose(typed);
}
#endif

static void test_verifies_unless_told_not_to(void **state) { /* CG-13 */
  struct fixture *t = *state;
  static const struct osp_ws_codegen_options no_verify = {.size = sizeof no_verify, .no_verify = 1};
  build(t, "wsClose", (LLVMValueRef[]){t->n}, 1); /* without a terminator */
  assert_int_equal(osp_ws_codegen_lower_module(t->module, &no_verify, report, t), 0);
  assert_int_equal(t->count, 0);
  assert_int_equal(lower(t), -1);
  assert_non_null(strstr(t->reports, "the module is not valid: Basic Block in function 'f' does not have terminator!"));
}

static void test_refuses_another_llvm(void **state) { /* CG-24 */
  struct fixture *t = *state;
  struct osp_ws_codegen_options options = {.size = sizeof options, .llvm_version = 14};
  assert_int_equal(osp_ws_codegen_llvm_version(), LLVM_VERSION_MAJOR);
  /* The module of another version is not touched. */
  assert_int_equal(osp_ws_codegen_lower_module((LLVMModuleRef)1, &options, report, t), -1);
  assert_non_null(strstr(t->reports, "cannot lower a module of LLVM 14"));
  LLVMBuildRetVoid(t->builder);
  options.llvm_version = LLVM_VERSION_MAJOR;
  assert_int_equal(osp_ws_codegen_lower_module(t->module, &options, report, t), 0);
}

static void test_options_have_a_size(void **state) { /* CG-24 */
  struct fixture *t = *state;
  struct osp_ws_codegen_options options = {.size = offsetof(struct osp_ws_codegen_options, llvm_version)};
  options.llvm_version = 14; /* beyond the size, as if the caller did not know it */
  LLVMBuildRetVoid(t->builder);
  assert_int_equal(osp_ws_codegen_lower_module(t->module, &options, report, t), 0);
  options.size = sizeof options + 8;
  assert_int_equal(osp_ws_codegen_lower_module(t->module, &options, report, t), -1);
  options.size = 0;
  assert_int_equal(osp_ws_codegen_lower_module(t->module, &options, report, t), -1);
  assert_int_equal(t->count, 2);
  assert_non_null(strstr(t->reports, "the options have a size of 0 bytes"));
}

static void test_refuses_a_module_that_is_not_loaded(void **state) { /* CG-25 */
  struct fixture *t = *state;
  LLVMModuleRef lazy;
  assert_non_null(build(t, "wsClose", (LLVMValueRef[]){t->n}, 1));
  LLVMBuildRetVoid(t->builder);
  LLVMMemoryBufferRef bitcode = LLVMWriteBitcodeToMemoryBuffer(t->module);
  assert_int_equal(LLVMGetBitcodeModuleInContext2(t->llvm, bitcode, &lazy), 0);
  assert_int_equal(osp_ws_codegen_lower_module(lazy, NULL, report, t), -1);
  assert_string_equal(t->reports, "the body of 'f' is not loaded: the module has to be materialized before lowering\n");
  LLVMDisposeModule(lazy);
}

/* A phi is not complete when the call is built. */
static void test_wraps_a_phi_that_is_completed_later(void **state) {
  struct fixture *t = *state;
  LLVMTypeRef pointer = LLVMPointerTypeInContext(t->llvm, 0);
  LLVMValueRef on = LLVMAddFunction(t->module, "on", LLVMFunctionType(pointer, &pointer, 1, 0));
  LLVMBasicBlockRef entry = LLVMGetInsertBlock(t->builder);
  LLVMBasicBlockRef loop = LLVMAppendBasicBlockInContext(t->llvm, t->function, "loop");
  LLVMBuildBr(t->builder, loop);
  LLVMPositionBuilderAtEnd(t->builder, loop);
  LLVMValueRef phi = LLVMBuildPhi(t->builder, pointer, "phi");
  assert_non_null(build(t, "wsConnect", (LLVMValueRef[]){t->s, phi}, 2));
  LLVMBuildBr(t->builder, loop);
  LLVMAddIncoming(phi, (LLVMValueRef[]){on, phi}, (LLVMBasicBlockRef[]){entry, loop}, 2);
  assert_int_equal(lower(t), 0);
  assert_true(module_holds(t, "%cell = call ptr @osp_ws.to_cell(ptr %phi)"));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  static const struct CMUnitTest tests[] = {
    TEST(test_lists_builtins_records_handlers_and_aliases),
    TEST(test_every_builtin_is_found_by_name_and_alias_and_documented),
    TEST(test_spells_signatures_and_cuts_them),
    TEST(test_types_are_those_of_the_binary_interface),
    TEST(test_builds_a_call_and_lowers_it),
    TEST(test_builds_a_call_without_a_block),
    TEST(test_wraps_a_plain_handler_when_it_lowers),
    TEST(test_a_call_takes_the_builders_debug_location),
    TEST(test_refuses_what_cannot_be_built),
    TEST(test_reports_what_is_missing),
    TEST(test_refuses_a_name_that_is_taken),
    TEST(test_calls_a_function_as_it_is_defined),
    TEST(test_reports_every_error_and_leaves_the_module),
    TEST(test_says_nothing_without_a_callback),
#if LLVM_VERSION_MAJOR < 17
    TEST(test_refuses_typed_pointers),
#endif
    TEST(test_verifies_unless_told_not_to),
    TEST(test_refuses_another_llvm),
    TEST(test_options_have_a_size),
    TEST(test_refuses_a_module_that_is_not_loaded),
    TEST(test_wraps_a_phi_that_is_completed_later),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
